/* Every answer of a backend about sparse rows against the double reference on the same rows with all their zeros. */
#include <math.h>
#include <stdio.h>

#include "compute/metric.h"
#include "kernels/answers.h"
#include "support/device.h"
#include "support/sparse.h"

/* How far an answer may be off: losses and values of a line, derivatives by the largest of them, scores. */
typedef struct SparseBackend {
  const char *name;
  BackendSettings settings; /* a device backend gets the device of the tests */
  double loss, derivative, score;
} SparseBackend;

/* With 2 KB threads share blocks and a gradient, and a line reads X at every point. */
static SparseBackend backends[] = {
    {"reference", {.kind = SETOSA_BACKEND_REFERENCE}, 1e-12, 1e-12, 1e-12},
#ifdef SETOSA_HAVE_BLAS
    {"blas", {.kind = SETOSA_BACKEND_BLAS}, 1e-6, 1e-5, 1e-6},
    {"blas_in_little_memory", {.kind = SETOSA_BACKEND_BLAS, .workspace_bytes = 2048}, 1e-6, 1e-5, 1e-6},
#endif
};
enum { BACKENDS = sizeof backends / sizeof *backends };

static Backend *open_backend(const SparseBackend *which, const Dataset *dataset) {
  Error error = {0};
  Backend *backend = NULL;
  BackendSettings settings = which->settings;
  settings.intercept = true;
  if (backend_needs_device(settings.kind)) settings.context = support_device();
  support_ok(backend_open(&backend, dataset, &settings, &error), &error);
  return backend;
}

/* Of numbers that are as exact as the largest of them. */
static double error_of(const double *found, const double *expected, size_t count) {
  double error = 0, size = 0;
  for (size_t i = 0; i < count; i++) size = fmax(size, fabs(expected[i]));
  for (size_t i = 0; i < count; i++) {
    if (!isfinite(found[i])) return INFINITY;
    error = fmax(error, fabs(found[i] - expected[i]));
  }
  return size > 0 ? error / size : error;
}

static double score_error(const float *found, const float *expected, size_t count) {
  double error = 0;
  for (size_t i = 0; i < count; i++) {
    if (!isfinite(found[i])) return INFINITY;
    error = fmax(error, fabs((double)found[i] - (double)expected[i]) / fmax(1, fabs((double)expected[i])));
  }
  return error;
}

static double number_error(double found, double expected) {
  return isfinite(found) ? fabs(found - expected) / fmax(1, fabs(expected)) : INFINITY;
}

static void expect_close(const SparseBackend *which, const Answers *a, const Answers *b, const char *shape) {
  const struct {
    const char *what;
    double error, most;
  } parts[] = {{"objective", number_error(a->all.objective, b->all.objective), which->loss},
               {"objective of a batch", number_error(a->some.objective, b->some.objective), which->loss},
               {"gradient", error_of(a->gradient, b->gradient, b->parameters), which->derivative},
               {"gradient norm", number_error(a->all.gradient_norm, b->all.gradient_norm), which->derivative},
               {"Hessian product", error_of(a->product, b->product, b->parameters), which->derivative},
               {"gradient of a batch", error_of(a->some_gradient, b->some_gradient, b->parameters), which->derivative},
               {"Hessian product of a batch", error_of(a->some_product, b->some_product, b->parameters), which->derivative},
               {"value of a line", number_error(a->value[0], b->value[0]), which->loss},
               {"second value of a line", number_error(a->value[1], b->value[1]), which->loss},
               {"slope of a line", number_error(a->slope[0], b->slope[0]), which->derivative},
               {"second slope of a line", number_error(a->slope[1], b->slope[1]), which->derivative},
               {"logits", score_error(a->logits, b->logits, b->scores), which->score},
               {"probabilities", score_error(a->probabilities, b->probabilities, b->scores), which->score}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (!(parts[i].error <= parts[i].most)) fail_msg("%s: the %s is off by %.2e", shape, parts[i].what, parts[i].error);
}

/* The number of what is tried decides on what else is special about it. */
static void compare(const SparseBackend *which, SparseShape shape, size_t number) {
  char text[160];
  SparsePair pair;
  shape.ones = number % 2 == 1;
  shape.weighted = number % 4 >= 2;
  shape.gaps = number % 3 == 1;
  snprintf(text, sizeof text, "%zu x %zu, %zu classes, density %g%s%s%s", shape.rows, shape.features, shape.classes, shape.density,
           shape.ones ? ", ones" : "", shape.weighted ? ", weighted" : "", shape.gaps ? ", gaps" : "");
  pair = sparse_pair(&shape, number);
  Backend *reference = open_backend(&backends[0], pair.dense), *backend = open_backend(which, pair.sparse);
  Answers expected = ask_backend(reference), found = ask_backend(backend);
  expect_close(which, &found, &expected, text);
  answers_free(&expected);
  answers_free(&found);
  backend_close(reference);
  backend_close(backend);
  sparse_pair_free(&pair);
}

static void agrees_with_dense_rows(void **state) {
  static const size_t rows[] = {1, 31, 32, 33, 1000}, features[] = {1, 7, 300}, classes[] = {2, 3, 10, 100};
  static const double densities[] = {0, 0.02, 0.3, 1};
  const SparseBackend *which = *state;
  size_t number = 0;
  for (size_t n = 0; n < sizeof rows / sizeof *rows; n++)
    for (size_t d = 0; d < sizeof features / sizeof *features; d++)
      for (size_t k = 0; k < sizeof classes / sizeof *classes; k++)
        for (size_t p = 0; p < sizeof densities / sizeof *densities; p++, number++)
          compare(which, (SparseShape){rows[n], features[d], classes[k], densities[p], false, false, false, 0}, number * 5 / 4);
  /* Every number of vectors of 8 classes, and more than fit into registers; predictions in f32. */
  for (size_t k = 4; k < 70; k += 3) compare(which, (SparseShape){40, 30, k, 0.2, false, false, false, 0}, number++);
  for (size_t k = 128; k < 132; k++) compare(which, (SparseShape){70, 30, k, 0.2, false, false, false, 0}, number++);
}

/* Whatever the threads do, and whatever a backend did before. */
static void gives_the_same_bits_again(void **state) {
  const SparseBackend *which = *state;
  SparsePair pair = sparse_pair(&(SparseShape){3000, 400, 20, 0.1, false, true, false, 0}, 5);
  Backend *first = open_backend(which, pair.sparse), *second = open_backend(which, pair.sparse);
  Answers a = ask_backend(first), again = ask_backend(first), b = ask_backend(second);
  expect_same(&a, &again, "asked again");
  expect_same(&a, &b, "opened again");
  answers_free(&a);
  answers_free(&again);
  answers_free(&b);
  backend_close(first);
  backend_close(second);
  sparse_pair_free(&pair);
}

/* ---- Gram matrices ----------------------------------------------------------------------------------------------- */

enum { MATRICES = 5 };

static double *numbers(size_t count, uint64_t stream) {
  double *values = malloc(count * sizeof *values);
  assert_non_null(values);
  for (size_t i = 0; i < count; i++) values[i] = random_symmetric(4, RANDOM_STREAM_CHECK, stream, i);
  return values;
}

/* All rows but a gap, centred or not. */
static void compare_gram(const SparseBackend *which, SparseShape shape, bool diagonal, bool centred, double most) {
  Error error = {0};
  SparsePair pair = sparse_pair(&shape, 9);
  size_t width = shape.features + 1, size = MATRICES * (diagonal ? width : width * width), count = 0;
  uint64_t *rows = malloc(shape.rows * sizeof *rows);
  double *weights = numbers(MATRICES * shape.rows, 1), *mean = numbers(shape.features, 2), *found = malloc(2 * size * sizeof *found);
  assert_true(rows != NULL && found != NULL);
  support_poison_double(found, 2 * size);
  for (size_t i = 0; i < shape.rows; i++)
    if (i % 11 != 5) rows[count++] = i;
  GramRequest request = {
      .count = count, .rows = rows, .mean = centred ? mean : NULL, .matrices = MATRICES, .weights = weights, .diagonal = diagonal};
  Backend *reference = open_backend(&backends[0], pair.dense), *backend = open_backend(which, pair.sparse);
  support_ok(backend_gram(reference, &request, found + size, &error), &error);
  support_ok(backend_gram(backend, &request, found, &error), &error);
  double off = error_of(found, found + size, size);
  if (!(off <= most)) fail_msg("%zu x %zu, %s: off by %.2e", shape.rows, shape.features, diagonal ? "diagonal" : "matrix", off);
  backend_close(reference);
  backend_close(backend);
  sparse_pair_free(&pair);
  free(rows);
  free(weights);
  free(mean);
  free(found);
}

static void gram_matrices_agree(void **state) {
  const SparseBackend *which = *state;
  for (int i = 0; i < 8; i++) {
    SparseShape shape = {i % 2 == 0 ? 600 : 17, 40, 3, i < 2 ? 1 : 0.1, i >= 6, i % 4 >= 2, i % 3 == 1, 0};
    for (int centred = 0; centred < 2; centred++) {
      compare_gram(which, shape, true, centred, 1e-12); /* in double, whoever computes it */
      compare_gram(which, shape, false, centred, which->derivative);
    }
  }
}

/* A column that is its mean in every row has no variance, and never less than none; of weights below 0 a sum below 0 is right. */
static void a_diagonal_is_not_below_nothing(void **state) {
  (void)state;
  enum { ROWS = 700 };
  static uint64_t begin[ROWS + 1];
  static uint32_t columns[2 * ROWS];
  static float values[2 * ROWS];
  static double weights[2 * ROWS];
  const double mean[] = {(double)3.7f, 0.5};
  double out[6];
  Error error = {0};
  Dataset *dataset = NULL;
  for (size_t i = 0; i < ROWS; i++) {
    begin[i + 1] = 2 * (i + 1);
    columns[2 * i] = 0, columns[2 * i + 1] = 1;
    values[2 * i] = 3.7f, values[2 * i + 1] = i % 2 == 0 ? 0.25f : 0.75f;
    weights[i] = 1 + random_symmetric(3, RANDOM_STREAM_CHECK, 0, i);
    weights[ROWS + i] = -1;
  }
  support_ok(setosa_dataset_wrap_sparse(&dataset, ROWS, 2, 0, begin, columns, values, NULL, &error), &error);
  GramRequest request = {.count = ROWS, .mean = mean, .matrices = 1, .weights = weights, .diagonal = true};
  support_ok(host_gram(dataset, NULL, &request, out, &error), &error);
  assert_true(out[0] >= 0 && out[0] < 1e-10);
  assert_true(out[1] > 0.9 * ROWS / 16 && out[1] < 1.1 * ROWS / 16);
  request.matrices = 2;
  support_ok(host_gram(dataset, NULL, &request, out, &error), &error);
  support_near(out[4], -ROWS / 16.0, 1e-12);
  support_near(out[5], -ROWS, 1e-12);
  setosa_dataset_destroy(dataset);
}

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

/* By entries, whatever D is. */
static void work_is_counted(void **state) {
  const SparseBackend *which = *state;
  Error error = {0};
  Vector *w = NULL, *gradient = NULL;
  DataTerm at = {.pair_count = 0};
  BackendFacts facts = {0};
  for (int ones = 0; ones < 2; ones++) {
    SparsePair pair = sparse_pair(&(SparseShape){100, 50, 3, 0.2, ones, false, false, 0}, 3);
    Backend *backend = open_backend(which, pair.sparse);
    RowRange rows = {10, 50};
    uint64_t entries = pair.begin[60] - pair.begin[10], bytes = entries * (ones ? 4 : 8) + 51 * 8;
    support_ok(vector_create(backend, &w, &error), &error);
    support_ok(vector_create(backend, &gradient, &error), &error);
    support_ok(backend_evaluate(backend, w, rows, NULL, gradient, &at, &error), &error);
    support_near(at.loss, log(3), 1e-7);
    backend_facts(backend, &facts);
    assert_int_equal(facts.flops, 2 * 2 * entries * 3);
    assert_int_equal(facts.bytes_read, bytes);
    assert_true(facts.bytes_held >= pair.begin[100] * (ones ? 4 : 8));
    assert_true(facts.bytes_held < 100000);
    BackendPlan plan = {0};
    support_ok(backend_plan(&plan, pair.sparse, &which->settings, &error), &error);
    assert_int_equal(plan.data_bytes, pair.begin[100] * (ones ? 4 : 8) + 101 * 8);
    vector_destroy(backend, w);
    vector_destroy(backend, gradient);
    backend_close(backend);
    sparse_pair_free(&pair);
  }
}

/* Rows of a slice begin inside of the arrays. */
static void a_slice_is_its_rows(void **state) {
  const SparseBackend *which = *state;
  Error error = {0};
  SparsePair pair = sparse_pair(&(SparseShape){300, 40, 5, 0.2, false, true, true, 0}, 8);
  Dataset *dense = NULL, *sparse = NULL;
  support_ok(dataset_slice(&dense, pair.dense, (RowRange){101, 150}, &error), &error);
  support_ok(dataset_slice(&sparse, pair.sparse, (RowRange){101, 150}, &error), &error);
  Backend *reference = open_backend(&backends[0], dense), *backend = open_backend(which, sparse);
  Answers expected = ask_backend(reference), found = ask_backend(backend);
  expect_close(which, &found, &expected, "a slice");
  answers_free(&expected);
  answers_free(&found);
  backend_close(reference);
  backend_close(backend);
  setosa_dataset_destroy(dense);
  setosa_dataset_destroy(sparse);
  sparse_pair_free(&pair);
}

#ifdef SETOSA_HAVE_BLAS
#include "compute/blas/sparse.h"

/* Threads that own features of one gradient make the gradient of one thread, bit for bit, and together own all of them. */
static void pieces_of_features_add_up(void **state) {
  (void)state;
  enum { ROWS = 77, STRIDE = 96 };
  Error error = {0};
  for (size_t classes = 2; classes < 100; classes += 19) {
    SparsePair pair = sparse_pair(&(SparseShape){ROWS, 500, classes, 0.3, classes % 2 == 0, false, true, 0}, classes);
    BlasSparse sparse = {.features = 500, .classes = classes, .width = blas_sparse_width(classes)};
    support_ok(dataset_sparse(&sparse.rows, pair.sparse, dataset_all(pair.sparse), NULL, &error), &error);
    support_ok(blas_sparse_cut(&sparse, ROWS, &error), &error);
    size_t floats = blas_sparse_floats(&sparse);
    float *r = malloc(classes * STRIDE * sizeof *r), *whole = calloc(2 * floats, sizeof *whole), *pieces = whole + floats;
    assert_true(r != NULL && whole != NULL);
    for (size_t i = 0; i < classes * STRIDE; i++) r[i] = (float)random_symmetric(1, RANDOM_STREAM_CHECK, classes, i);
    blas_sparse_add(&sparse, r, STRIDE, 0, ROWS, 0, 501, whole);
    assert_int_equal(sparse.cuts[0], 0);
    assert_int_equal(sparse.cuts[BLAS_PIECES], 501);
    for (size_t i = 0; i < BLAS_PIECES; i++) {
      assert_true(sparse.cuts[i] <= sparse.cuts[i + 1]);
      blas_sparse_add(&sparse, r, STRIDE, 0, ROWS, sparse.cuts[i], sparse.cuts[i + 1], pieces);
    }
    assert_memory_equal(pieces, whole, floats * sizeof *whole);
    /* half of the pieces are about half of the entries */
    uint64_t below = 0, entries = pair.begin[ROWS];
    for (uint64_t i = 0; i < entries; i++) below += pair.columns[i] < sparse.cuts[BLAS_PIECES / 2];
    assert_true(below > entries / 2 - 40 && below < entries / 2 + 40);
    free(r);
    free(whole);
    sparse_pair_free(&pair);
  }
}
#endif

int main(void) {
  static const struct {
    const char *name;
    CMUnitTestFunction function;
  } each[] = {{"agrees_with_dense_rows", agrees_with_dense_rows},
              {"gives_the_same_bits_again", gives_the_same_bits_again},
              {"gram_matrices_agree", gram_matrices_agree},
              {"work_is_counted", work_is_counted},
              {"a_slice_is_its_rows", a_slice_is_its_rows}};
  enum { EACH = sizeof each / sizeof *each };
  static char names[BACKENDS * EACH][96];
  struct CMUnitTest tests[BACKENDS * EACH + 2] = {cmocka_unit_test(a_diagonal_is_not_below_nothing)};
  size_t count = 1;
#ifdef SETOSA_HAVE_BLAS
  tests[count++] = (struct CMUnitTest)cmocka_unit_test(pieces_of_features_add_up);
#endif
  for (size_t b = 0; b < BACKENDS; b++)
    for (size_t i = 0; i < EACH; i++) {
      char *name = names[b * EACH + i];
      snprintf(name, sizeof names[0], "%s_%s", backends[b].name, each[i].name);
      tests[count++] = (struct CMUnitTest){name, each[i].function, NULL, NULL, &backends[b]};
    }
  return support_run_cases("sparse rows", tests, count, support_device_open, support_device_close);
}
