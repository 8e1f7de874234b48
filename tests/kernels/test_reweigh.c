/* Rows that are weighed anew on a backend that stays open: the bits of one that was opened on rows of those weights. */
#include <stdio.h>

#include "kernels/answers.h"
#include "support/device.h"
#include "support/shape.h"

enum { PARTS = 2, ROWS = 2003 };

static Context *parts[PARTS];

static int open_devices(void **state) {
  if (support_device_open(state) != 0) return -1;
  for (size_t i = 0; i < PARTS && support_device_found(); i++) {
    Error error = {0}, refused = {0}; /* a device of one compute unit has no parts: then it stands for several itself */
    if (context_open_part(&parts[i], support_device_list(), support_device_index(), i, PARTS, &refused) != SETOSA_OK)
      support_ok(context_open(&parts[i], support_device_list(), support_device_index(), &error), &error);
  }
  return 0;
}

static int close_devices(void **state) {
  for (size_t i = 0; i < PARTS; i++) context_close(parts[i]);
  return support_device_close(state);
}

/* Of a fold, and anything else. */
static void fill_factors(float factors[ROWS], int which) {
  for (size_t i = 0; i < ROWS; i++)
    factors[i] = which == 0 ? (float)(i % 5 != 2) : which == 1 ? (float)(i % 5 == 2) : 0.25f * (float)(i % 9);
}

static Backend *open_on(const Dataset *dataset, BackendSettings settings, bool reweighs) {
  Backend *backend = NULL;
  Error error = {0};
  settings.intercept = true;
  settings.reweighs = reweighs;
  support_ok(backend_open(&backend, dataset, &settings, &error), &error);
  return backend;
}

/* Gram matrices of some rows and of all, and so many that a device makes them, in f32. */
static void compare_grams(Backend *one, Backend *other, const char *how) {
  enum { SOME = 3, WIDTH = 21, MANY = 30, SIZE = MANY * WIDTH * WIDTH };
  const uint64_t rows[SOME] = {1, 7, 1502};
  double *weights = malloc(MANY * ROWS * sizeof *weights), *out = malloc(2 * SIZE * sizeof *out);
  Error error = {0};
  assert_true(weights != NULL && out != NULL);
  for (size_t i = 0; i < MANY * ROWS; i++) weights[i] = 1 + (double)(i % 3);
  GramRequest requests[] = {{.count = ROWS, .matrices = 1, .weights = weights},
                            {.count = SOME, .rows = rows, .matrices = 1, .weights = weights},
                            {.count = ROWS, .matrices = MANY, .weights = weights}};
  for (size_t r = 0; r < sizeof requests / sizeof *requests; r++) {
    support_poison_double(out, 2 * SIZE);
    support_ok(backend_gram(one, &requests[r], out, &error), &error);
    support_ok(backend_gram(other, &requests[r], out + SIZE, &error), &error);
    /* Weights as backends see them are times a power of two. */
    double unit = other->mean_weight / one->mean_weight;
    for (size_t i = 0; i < requests[r].matrices * WIDTH * WIDTH; i++)
      if (!(fabs(unit * out[i] - out[SIZE + i]) <= 1e-6 * fabs(out[SIZE + WIDTH * WIDTH - 1])))
        fail_msg("%s: element %zu of a Gram matrix is %g, not %g", how, i, unit * out[i], out[SIZE + i]);
  }
  free(weights);
  free(out);
}

static void compare(BackendSettings settings, size_t classes, bool weighted, const char *what) {
  Error error = {0};
  const Shape shape = {ROWS, 20, classes, PLAIN};
  Dataset *dataset = make_dataset(&shape, 5), *product = make_dataset(&shape, 5);
  float *factors = malloc(ROWS * sizeof *factors), *weights = malloc(ROWS * sizeof *weights);
  if (weighted) weigh_rows(dataset);
  Backend *backend = open_on(dataset, settings, true), *plain = open_on(dataset, settings, false);
  char how[200];
  Answers before = ask_backend(backend), expected = ask_backend(plain);
  /* As long as nothing was said; the blas backend adds losses of rows without weights in another way. */
  if (weighted || settings.kind != SETOSA_BACKEND_BLAS) expect_same(&before, &expected, what);
  for (int which = 0; which < 3; which++) {
    fill_factors(factors, which);
    const float *given = setosa_dataset_weights(dataset);
    for (size_t i = 0; i < ROWS; i++) weights[i] = factors[i] * (given != NULL ? given[i] : 1);
    support_ok(setosa_dataset_set_weights(product, weights, &error), &error);
    Backend *fresh = open_on(product, settings, false);
    support_ok(backend_reweigh(backend, factors, &error), &error);
    Answers found = ask_backend(backend), wanted = ask_backend(fresh);
    snprintf(how, sizeof how, "%s, %zu classes, %s, factors %d", what, classes, weighted ? "weighted" : "not weighted", which);
    expect_same(&found, &wanted, how);
    compare_grams(backend, fresh, how);
    assert_true(found.all.objective != expected.all.objective);
    answers_free(&found);
    answers_free(&wanted);
    backend_close(fresh);
  }
  support_ok(backend_reweigh(backend, NULL, &error), &error);
  Answers after = ask_backend(backend);
  expect_same(&after, &before, what);
  answers_free(&after);
  answers_free(&before);
  answers_free(&expected);
  backend_close(backend);
  backend_close(plain);
  setosa_dataset_destroy(dataset);
  setosa_dataset_destroy(product);
  free(factors);
  free(weights);
}

static void compare_all(BackendSettings settings, const char *what) {
  compare(settings, 3, false, what);
  compare(settings, 3, true, what);
  compare(settings, 40, true, what);
}

static void test_reference(void **state) { (void)state, compare_all((BackendSettings){.kind = SETOSA_BACKEND_REFERENCE}, "reference"); }

static void test_blas(void **state) {
  (void)state;
#ifdef SETOSA_HAVE_BLAS
  compare_all((BackendSettings){.kind = SETOSA_BACKEND_BLAS}, "blas");
#else
  support_skip("this build has no OpenBLAS");
#endif
}

static void test_native(void **state) {
  (void)state;
  compare_all((BackendSettings){.kind = SETOSA_BACKEND_NATIVE, .context = support_device(), .family = SETOSA_FAMILY_CPU}, "native");
}

/* One shape: on a CPU these kernels take their time. */
static void test_native_gpu(void **state) {
  (void)state;
  compare((BackendSettings){.kind = SETOSA_BACKEND_NATIVE, .context = support_device(), .family = SETOSA_FAMILY_GPU}, 3, true,
          "native, gpu");
}

static void test_streamed(void **state) {
  (void)state;
  for (int storage = 0; storage < 2; storage++)
    compare_all((BackendSettings){.kind = SETOSA_BACKEND_NATIVE,
                                  .context = support_device(),
                                  .storage = storage == 0 ? SETOSA_STORAGE_F32 : SETOSA_STORAGE_F16,
                                  .streamed = true,
                                  .chunk_rows = 300},
                "streamed");
}

static void test_sharded(void **state) {
  (void)state;
  static const double rates[] = {3, 1};
  support_device();
  compare_all(
      (BackendSettings){
          .kind = SETOSA_BACKEND_NATIVE, .context = parts[0], .contexts = {parts[0], parts[1]}, .context_count = 2, .rates = rates},
      "two devices");
}

static void test_clblast(void **state) {
  (void)state;
#ifdef SETOSA_HAVE_CLBLAST
  compare((BackendSettings){.kind = SETOSA_BACKEND_CLBLAST, .context = support_device()}, 3, true, "clblast");
#else
  support_skip("this build has no CLBlast");
#endif
}

static void test_refusals(void **state) {
  (void)state;
  Error error = {0};
  float factors[ROWS] = {0};
  Dataset *dataset = make_dataset(&(Shape){ROWS, 4, 3, PLAIN}, 6);
  Backend *backend = open_on(dataset, (BackendSettings){.kind = SETOSA_BACKEND_REFERENCE}, true);
  support_fails(backend_reweigh(backend, factors, &error), &error, SETOSA_ERROR_DATA, "every row would count 0");
  backend_close(backend);
  error_clear(&error);
  backend = open_on(dataset, (BackendSettings){.kind = SETOSA_BACKEND_REFERENCE}, false);
  support_fails(backend_reweigh(backend, factors, &error), &error, SETOSA_ERROR_INTERNAL, "rows were weighed anew");
  backend_close(backend);
  setosa_dataset_destroy(dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_reference), cmocka_unit_test(test_blas),    cmocka_unit_test(test_native),  cmocka_unit_test(test_native_gpu),
      cmocka_unit_test(test_streamed),  cmocka_unit_test(test_sharded), cmocka_unit_test(test_clblast), cmocka_unit_test(test_refusals),
  };
  return support_run("reweigh", tests, open_devices, close_devices);
}
