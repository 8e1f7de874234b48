/* The self-test refuses a device that computes wrong results, remembers its verdict, and trusts no damaged one. The wrong device is made by
 * planting one wrong line in a copy of the kernels. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "judge/selftest.h"
#include "support/device.h"
#include "support/plant.h"

/* Opens the device anew, so that it is seen with the kernels and the cache that the environment names now. */
static Context *open_device(void) {
  assert_int_equal(support_device_open(NULL), 0);
  return support_device();
}

static void close_device(void) { support_device_close(NULL); }

/* A mistake, and the shape whose self-test has to find it. */
typedef struct Mistake {
  SetosaFamily family;
  size_t features, classes; /* classes 0: the whole self-test */
  const char *file, *right, *wrong;
  const char *named; /* the quantity that is wrong first */
  CompareOperations operations;
} Mistake;

/* The same for rows that are sparse. */
typedef struct SparseMistake {
  Mistake in;
  bool ones, halves; /* their entries are */
} SparseMistake;

static SelftestWork work_of(const Mistake *mistake, bool small) {
  return (SelftestWork){.features = mistake->features, .classes = mistake->classes, .operations = mistake->operations, .small = small};
}

static SelftestWork sparse_work_of(const SparseMistake *mistake) {
  SelftestWork work = work_of(&mistake->in, false);
  work.sparse = true;
  work.ones = mistake->ones;
  work.storage = mistake->halves ? SETOSA_STORAGE_F16 : SETOSA_STORAGE_AUTO;
  return work;
}

/* What the self-test says of kernels with this mistake. */
static Status test_with(const Mistake *mistake, const SelftestWork *work, Error *error) {
  char folder[SUPPORT_PATH];
  support_folder_create(folder);
  plant(folder, mistake->file, mistake->right, mistake->wrong);
  setenv("SETOSA_KERNEL_DIR", folder, 1);
  Context *context = open_device();
  Status status = mistake->classes == 0 ? selftest_run(context, error) : selftest_require(context, mistake->family, work, error);
  close_device();
  unsetenv("SETOSA_KERNEL_DIR");
  support_folder_remove(folder);
  return status;
}

static void refuses(const Mistake *mistake, const SelftestWork *work) {
  Error error = {0};
  Status status = test_with(mistake, work, &error);
  if (status == SETOSA_OK) fail_msg("%s with \"%s\" passed", mistake->file, mistake->wrong);
  support_fails(status, &error, SETOSA_ERROR_DEVICE, "device ");
  assert_non_null(strstr(error.message, "computes wrong results in the self-test"));
  if (strstr(error.message, mistake->named) == NULL) fail_msg("%s: no %s in: %s", mistake->file, mistake->named, error.message);
  assert_non_null(strstr(error.message, "--force-device"));
}

/* The first of a table, or, since each is a program to compile, nightly all others. */
static void refuses_all(const Mistake *mistakes, size_t count, bool small, bool nightly) {
  for (size_t i = nightly ? 1 : 0; i < (nightly ? count : 1); i++) {
    SelftestWork work = work_of(&mistakes[i], small);
    refuses(&mistakes[i], &work);
  }
}

static void plant_for_few_classes(bool nightly) {
  static const Mistake mistakes[] = {
      /* the diagonal-only residual of the project's first question */
      {SETOSA_FAMILY_CPU, 19, 3, "softmax.clh", "select(load(0, z + k * (STRIDE_)), -others, y == (intn)((int)k))",
       "select((floatn)(0.0f), -others, y == (intn)((int)k))", "(gradient of", COMPARE_STEP},
      {SETOSA_FAMILY_CPU, 19, 3, "softmax.clh", "(distance) == 0.0f)) - (distance))", "(distance) == 0.0f)))", "(loss of", COMPARE_STEP},
      {SETOSA_FAMILY_CPU, 19, 3, "vector.cl", "accumulate_productv(&high, &low, ridge, vloadv(0, w + i));", "", "(gradient of",
       COMPARE_STEP},
      {SETOSA_FAMILY_CPU, 19, 3, "accurate_logits.cl", "logit = high + low", "logit = high + 0.01f", "(logits of", COMPARE_LOGITS},
      {SETOSA_FAMILY_CPU, 19, 3, "rows_cpu.cl", "vload8(0, z + k) / total", "vload8(0, z + k) / (total + 0.01f)", "(probabilities of",
       COMPARE_PROBABILITIES},
      {SETOSA_FAMILY_CPU, 19, 3, "strips_cpu.cl", "weighted = fma(e, slope - target_slope, weighted)", "weighted = fma(e, slope, weighted)",
       "(line slope of", COMPARE_LINE},
      {SETOSA_FAMILY_CPU, 19, 3, "vector.cl", "dot_share(a, vectors[JOB_VECTOR(job, n)], begin, end)", "dot_share(a, a, begin, end)",
       "(inner products of", COMPARE_VECTORS},
      {SETOSA_FAMILY_CPU, 19, 3, "vector.cl", "sum = fma(coefficients[n], vectors[n][i], sum)", "sum = vectors[n][i]", "(combination of",
       COMPARE_VECTORS},
      {SETOSA_FAMILY_CPU, 19, 3, "vector.cl", "a[i] / (sqrt(b[i]) + epsilon)", "a[i] / sqrt(b[i])", "(element-wise of", COMPARE_ELEMENTS},
      {SETOSA_FAMILY_CPU, 19, 3, "metric.cl", "(float16)(row[j][l])", "(float16)(row[j][0])", "(metric of", COMPARE_METRIC},
      {SETOSA_FAMILY_CPU, 19, 3, "metric.cl", "from[weights + i / features], value)", "0.0f, value)", "(metric of", COMPARE_METRIC},
      {SETOSA_FAMILY_CPU, 19, 3, "gram_cpu.cl", "vload16(i, from) * weights[first + i]", "vload16(i, from)", "(Gram matrix of",
       COMPARE_GRAM},
      /* Hessians are part of the whole self-test: a sign, a softmax that is none, probabilities kept in the wrong place */
      {SETOSA_FAMILY_CPU, 0, 0, "softmax.clh", "(load(0, q + k * (STRIDE_)) - mean)", "(load(0, q + k * (STRIDE_)) + mean)",
       "(Hessian * v of 61", 0},
      {SETOSA_FAMILY_CPU, 0, 0, "softmax.clh", "factor = 1.0f / form##_exponentials", "factor = 1.0f + 0 * form##_exponentials",
       "(Hessian * v of 61", 0},
      {SETOSA_FAMILY_CPU, 0, 0, "fused_cpu.cl", "vload16(0, (from) + k * BLOCK_ROWS + i)", "vload16(0, (from) + i)", "(Hessian * v of 61",
       0},
  };
  refuses_all(mistakes, sizeof mistakes / sizeof *mistakes, false, nightly);
}

static void plant_for_many_classes(bool nightly) {
  static const Mistake mistakes[] = {
      {SETOSA_FAMILY_CPU, 34, 37, "softmax.clh", "(load(0, q + k * (STRIDE_)) - mean)", "(load(0, q + k * (STRIDE_)) + mean)",
       "(Hessian * v of", COMPARE_HESSIAN},
      {SETOSA_FAMILY_CPU, 34, 37, "panel.clh", "d < depth; d++, step++", "d + 1 < depth; d++, step++", "(loss of", COMPARE_STEP},
      {SETOSA_FAMILY_CPU, 34, 37, "panels_cpu.cl", "transpose(from + i * 16 + k, 16, strip + k * STRIP + i, STRIP)",
       "transpose(from + i * 16 + k, 16, strip + i * STRIP + k, STRIP)", "(loss of", COMPARE_STEP},
      {SETOSA_FAMILY_CPU, 34, 20, "fused_cpu.cl", "transpose_tile(tile + i * 16 + k", "transpose_tile(tile + i * 16", "(loss of",
       COMPARE_STEP},
      {SETOSA_FAMILY_CPU, 34, 37, "block_cpu.cl", "i < rest; i++", "i + 1 < rest; i++", "(gradient of", COMPARE_STEP},
      {SETOSA_FAMILY_CPU, 34, 37, "block_cpu.cl", "d + lane < width ? x_load(x, i * features + d + lane) * factors[i] : 0.0f", "0.0f",
       "(gradient of", COMPARE_STEP},
      {SETOSA_FAMILY_CPU, 34, 600, "block_cpu.cl", "i < rest; i++", "i + 1 < rest; i++", "(loss of", COMPARE_STEP},
      {SETOSA_FAMILY_CPU, 34, 37, "strips_cpu.cl", "vstoren(-others, 0, residual)", "vstoren(others, 0, residual)", "(gradient of",
       COMPARE_STEP},
      {SETOSA_FAMILY_CPU, 34, 37, "softmax.clh", "factor = 1.0f / form##_exponentials", "factor = 1.0f + 0 * form##_exponentials",
       "(Hessian * v of", COMPARE_HESSIAN},
      {SETOSA_FAMILY_CPU, 34, 103, "strips_cpu.cl", "= z[k * STRIP + i]", "= z[k * STRIP]", "(logits of", COMPARE_LOGITS},
  };
  refuses_all(mistakes, sizeof mistakes / sizeof *mistakes, false, nightly);
}

static void plant_in_the_gpu_family(bool nightly) {
  static const Mistake mistakes[] = {
      {SETOSA_FAMILY_GPU, 34, 37, "rows_gpu.cl", "total = others + exp(distance);", "total = others + 1.0f;", "(loss of", COMPARE_STEP},
      {SETOSA_FAMILY_GPU, 34, 37, "rows_gpu.cl", "(load_four(q + k) - mean)", "(load_four(q + k) + mean)", "(Hessian * v of",
       COMPARE_HESSIAN},
      {SETOSA_FAMILY_GPU, 34, 37, "metric.cl", "ADD_PARTS(4) ADD_PARTS(2)", "ADD_PARTS(2)", "(metric of", COMPARE_METRIC},
      {SETOSA_FAMILY_GPU, 34, 37, "metric.cl", "panel[row * width + d] * weights[row]", "panel[row * width + d]", "(Gram matrix of",
       COMPARE_GRAM},
  };
  refuses_all(mistakes, sizeof mistakes / sizeof *mistakes, false, nightly);
}

/* What entries meet, where their sums go, columns that are long, tiles after the first, entries that have no value and halves. The first is
 * of the CPU family, the second of the GPU's. */
static void plant_for_sparse_rows(bool nightly) {
  static const SparseMistake mistakes[] = {
      {{SETOSA_FAMILY_CPU, 90, 5, "sparse_cpu.cl", "min(last, j + SPARSE_SEGMENT)", "last - first > SPARSE_SEGMENT ? (j = last) : last",
        "(gradient of 1100 x 29 sparse", COMPARE_STEP},
       false,
       false},
      {{SETOSA_FAMILY_GPU, 90, 5, "sparse_gpu.cl", "total += load_lane(sums + (s * lanes + item) * LANE)",
        "total += load_lane(sums + item)", "(gradient of 1100 x 29 sparse", COMPARE_STEP},
       false,
       false},
      {{SETOSA_FAMILY_CPU, 90, 103, "sparse_cpu.cl", "last, w + tile, known_stride", "last, w, known_stride", "(loss of", COMPARE_STEP},
       false,
       false},
      {{SETOSA_FAMILY_CPU, 90, 64, "sparse_cpu.cl", "classes_store(&sum, sums + (ulong)", "classes_store(&sum, sums + 0 * (ulong)",
        "(gradient of", COMPARE_STEP},
       false,
       false},
      {{SETOSA_FAMILY_CPU, 90, 2, "sparse_cpu.cl", "value(values, j), (with)", "value(values, last - 1), (with)", "(loss of", COMPARE_STEP},
       false,
       false},
      {{SETOSA_FAMILY_GPU, 90, 5, "sparse_gpu.cl", "if (last - first > SPARSE_SEGMENT) return;", "if (last - first > 100) return;",
        "(gradient of", COMPARE_STEP},
       false,
       false},
      {{SETOSA_FAMILY_GPU, 90, 2, "sparse_gpu.cl", "load_lane(w + features * stride + lane)", "load_lane(w + lane)", "(loss of",
        COMPARE_STEP},
       false,
       false},
      {{SETOSA_FAMILY_CPU, 90, 20, "sparse.cl", "logit = high + low", "logit = high + 0.01f", "(logits of", COMPARE_LOGITS}, false, false},
      {{SETOSA_FAMILY_CPU, 90, 20, "sparse.cl", "+ k + j] = total[j]", "+ k + j] = 0.0f", "(gradient of", COMPARE_STEP}, false, false},
      {{SETOSA_FAMILY_CPU, 90, 5, "sparse.clh", "entry_square(values, i) (entry_value(values, i) * entry_value(values, i))",
        "entry_square(values, i) entry_value(values, i)", "(Hessian diagonal of", COMPARE_GRAM},
       false,
       false},
      {{SETOSA_FAMILY_CPU, 90, 5, "sparse.clh", "entry_value(values, i) 1.0f", "entry_value(values, i) 1.01f", "(logits of",
        COMPARE_LOGITS},
       true,
       false},
      {{SETOSA_FAMILY_CPU, 90, 5, "sparse.clh", "vload_half(i, values)", "vload_half(0, values)", "(loss of", COMPARE_STEP}, false, true},
      /* and the whole self-test has sparse rows, too */
      {{SETOSA_FAMILY_CPU, 0, 0, "sparse.cl", "logit = high + low", "logit = high + 0.01f", "(logits of", 0}, false, false},
  };
  size_t count = sizeof mistakes / sizeof *mistakes;
  for (size_t i = nightly ? 2 : 0; i < (nightly ? count : 2); i++) {
    SelftestWork work = sparse_work_of(&mistakes[i]);
    refuses(&mistakes[i].in, &work);
  }
}

/* The program that has the vectors' kernels too. */
static void plant_for_small_data(bool nightly) {
  static const Mistake mistakes[] = {
      {SETOSA_FAMILY_CPU, 19, 3, "vector.cl", "sum = fma(coefficients[n], vectors[n][i], sum)", "sum = vectors[n][i]", "(combination of",
       COMPARE_VECTORS},
      {SETOSA_FAMILY_CPU, 19, 3, "accurate_logits.cl", "logit = high + low", "logit = high + 0.01f", "(logits of", COMPARE_LOGITS},
      {SETOSA_FAMILY_GPU, 19, 3, "vector.cl", "sum = fma((type)(factors[n + j]), terms[j], sum)", "sum = terms[j]", "(combination of",
       COMPARE_VECTORS},
  };
  refuses_all(mistakes, sizeof mistakes / sizeof *mistakes, true, nightly);
}

/* A gradient, a Hessian, a loss of the other family, a combination. */
static void a_wrong_kernel_is_refused(void **state) {
  (void)state;
  plant_for_few_classes(false);
  plant_for_many_classes(false);
  plant_in_the_gpu_family(false);
  plant_for_small_data(false);
  plant_for_sparse_rows(false);
}
static void nightly_wrong_kernels_for_few_classes(void **state) { (void)state, plant_for_few_classes(true); }
static void nightly_wrong_kernels_for_many_classes(void **state) { (void)state, plant_for_many_classes(true); }
static void nightly_wrong_kernels_for_small_data(void **state) { (void)state, plant_for_small_data(true); }
static void nightly_wrong_kernels_of_the_gpu_family(void **state) { (void)state, plant_in_the_gpu_family(true); }
static void nightly_wrong_kernels_of_sparse_rows(void **state) { (void)state, plant_for_sparse_rows(true); }

/* A kernel that is wrong is no reason to refuse what does not launch it. */
static void nightly_only_what_is_asked_for_is_tested(void **state) {
  (void)state;
  static const Mistake mistakes[] = {
      {SETOSA_FAMILY_CPU, 19, 3, "vector.cl", "a[i] / (sqrt(b[i]) + epsilon)", "0.0f", "",
       COMPARE_STEP | COMPARE_VECTORS | COMPARE_LOGITS | COMPARE_LINE},
      {SETOSA_FAMILY_CPU, 19, 3, "strips_cpu.cl", "weighted = fma(e, slope - target_slope, weighted)", "weighted = 0.0f", "",
       COMPARE_STEP | COMPARE_VECTORS | COMPARE_LOGITS | COMPARE_ELEMENTS},
      {SETOSA_FAMILY_CPU, 19, 3, "fused_cpu.cl", "scale * weight)", "scale)", "", COMPARE_PROBABILITIES},
      {SETOSA_FAMILY_CPU, 34, 37, "softmax.clh", "(load(0, q + k * (STRIDE_)) - mean)", "0.0f", "", COMPARE_STEP | COMPARE_LINE},
  };
  for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
    Error error = {0};
    SelftestWork work = work_of(&mistakes[i], false);
    support_ok(test_with(&mistakes[i], &work, &error), &error);
  }
}

/* Sparse rows do not ask for the kernels of dense ones, nor these for theirs. */
static void each_kind_of_rows_is_tested_alone(void **state) {
  (void)state;
  static const char *const others[] = {"sparse_cpu.cl", "fused_cpu.cl"};
  for (int sparse = 0; sparse < 2; sparse++) {
    const SparseMistake mistake = {
        {SETOSA_FAMILY_CPU, 19, 3, others[sparse], "#include", "#error planted\n#include", "", COMPARE_STEP}, false, false};
    SelftestWork work = sparse ? sparse_work_of(&mistake) : work_of(&mistake.in, false);
    Error error = {0};
    support_ok(test_with(&mistake.in, &work, &error), &error);
  }
}

/* What is asked for, and how many verdicts there are then. */
typedef struct Asked {
  size_t features, classes, verdicts;
  CompareOperations operations;
} Asked;

static void expect_verdicts(Context *context, const char *pattern, const SelftestWork *work, size_t verdicts) {
  Error error = {0};
  glob_t found;
  support_ok(selftest_require(context, SETOSA_FAMILY_CPU, work, &error), &error);
  assert_int_equal(glob(pattern, 0, NULL, &found), 0);
  assert_int_equal(found.gl_pathc, verdicts);
  globfree(&found);
}

/* A family, a set of operations, a number of classes and, with few of them, a shape: each has a verdict of its own. */
static void shapes_have_verdicts_of_their_own(void **state) {
  (void)state;
  char cache[SUPPORT_PATH], pattern[SUPPORT_PATH];
  const char *before = getenv("XDG_CACHE_HOME");
  char *kept = before != NULL ? strdup(before) : NULL;
  static const Asked asked[] = {{4, 3, 1, 0},
                                {4, 3, 1, 0},
                                {4, 3, 2, COMPARE_STEP | COMPARE_VECTORS},
                                {4, 3, 3, COMPARE_STEP},
                                {4, 3, 3, COMPARE_STEP | COMPARE_VECTORS},
                                {5, 3, 4, COMPARE_STEP},
                                {1000000, 2, 5, COMPARE_STEP},
                                {2000000, 3, 6, COMPARE_STEP},
                                {3000000, 3, 6, COMPARE_STEP},
                                {7, 33, 7, COMPARE_STEP},
                                {9000, 100, 7, COMPARE_STEP},
                                {7, 101, 8, COMPARE_STEP},
                                {7, 512, 8, COMPARE_STEP},
                                {7, 513, 9, COMPARE_STEP},
                                {7, 5000, 9, COMPARE_STEP}};
  /* Of sparse rows there is one for each number of classes and way to hold values, whatever the features. */
  static const struct {
    Asked asked;
    bool ones;
    SetosaStorage storage;
  } sparse[] = {{{4, 3, 10, COMPARE_STEP}, false, SETOSA_STORAGE_AUTO}, {{1000000, 3, 10, COMPARE_STEP}, false, SETOSA_STORAGE_F32},
                {{4, 4, 11, COMPARE_STEP}, false, SETOSA_STORAGE_AUTO}, {{4, 3, 12, COMPARE_STEP}, true, SETOSA_STORAGE_AUTO},
                {{4, 3, 12, COMPARE_STEP}, true, SETOSA_STORAGE_F16},   {{4, 3, 13, COMPARE_STEP}, false, SETOSA_STORAGE_F16}};
  support_folder_create(cache);
  setenv("XDG_CACHE_HOME", cache, 1);
  Context *context = open_device();
  support_path(pattern, cache, "setosa/selftest/*.txt");
  for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
    SelftestWork work = {.features = asked[i].features, .classes = asked[i].classes, .operations = asked[i].operations};
    expect_verdicts(context, pattern, &work, asked[i].verdicts);
  }
  for (size_t i = 0; i < sizeof sparse / sizeof *sparse; i++) {
    const Asked *of = &sparse[i].asked;
    SelftestWork work = {.features = of->features,
                         .classes = of->classes,
                         .operations = of->operations,
                         .sparse = true,
                         .ones = sparse[i].ones,
                         .storage = sparse[i].storage};
    expect_verdicts(context, pattern, &work, of->verdicts);
  }
  close_device();
  if (kept != NULL) setenv("XDG_CACHE_HOME", kept, 1);
  free(kept);
  support_folder_remove(cache);
}

/* The verdict's file, alone in a cache of its own. */
static void find_verdict(const char *cache, char path[SUPPORT_PATH]) {
  char pattern[SUPPORT_PATH];
  glob_t found;
  support_path(pattern, cache, "setosa/selftest/*.txt");
  assert_int_equal(glob(pattern, 0, NULL, &found), 0);
  assert_int_equal(found.gl_pathc, 1);
  strcpy(path, found.gl_pathv[0]);
  globfree(&found);
}

static void the_verdict_is_remembered(void **state) {
  (void)state;
  char cache[SUPPORT_PATH], path[SUPPORT_PATH];
  const char *before = getenv("XDG_CACHE_HOME");
  char *kept = before != NULL ? strdup(before) : NULL;
  Error error = {0};
  support_folder_create(cache);
  setenv("XDG_CACHE_HOME", cache, 1);
  Context *context = open_device();
  support_ok(selftest_require(context, SETOSA_FAMILY_AUTO, &(SelftestWork){.features = 4, .classes = 3}, &error), &error);
  find_verdict(cache, path);
  char *text = support_read(path, NULL);
  assert_string_equal(text, "passed\n");
  free(text);

  /* A remembered failure is believed ... */
  support_write_text(path, "failed: loss of 1 x 1\n");
  support_fails(selftest_require(context, SETOSA_FAMILY_AUTO, &(SelftestWork){.features = 4, .classes = 3}, &error), &error,
                SETOSA_ERROR_DEVICE, "device ");
  assert_non_null(strstr(error.message, "loss of 1 x 1"));

  /* ... a damaged file is not: the test runs again and mends it. */
  static const char *const damaged[] = {"", "pass", "passed", "failed: ", "failed: cut", "\xff\xff\xff\xff"};
  for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
    error = (Error){0};
    support_write_text(path, damaged[i]);
    support_ok(selftest_require(context, SETOSA_FAMILY_AUTO, &(SelftestWork){.features = 4, .classes = 3}, &error), &error);
    text = support_read(path, NULL);
    assert_string_equal(text, "passed\n");
    free(text);
  }
  close_device();
  if (kept != NULL) setenv("XDG_CACHE_HOME", kept, 1);
  free(kept);
  support_folder_remove(cache);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_wrong_kernel_is_refused),
      cmocka_unit_test(nightly_wrong_kernels_for_few_classes),
      cmocka_unit_test(nightly_wrong_kernels_for_many_classes),
      cmocka_unit_test(nightly_wrong_kernels_for_small_data),
      cmocka_unit_test(nightly_wrong_kernels_of_the_gpu_family),
      cmocka_unit_test(nightly_wrong_kernels_of_sparse_rows),
      cmocka_unit_test(nightly_only_what_is_asked_for_is_tested),
      cmocka_unit_test(each_kind_of_rows_is_tested_alone),
      cmocka_unit_test(shapes_have_verdicts_of_their_own),
      cmocka_unit_test(the_verdict_is_remembered),
  };
  return support_run("self-test", tests, NULL, NULL);
}
