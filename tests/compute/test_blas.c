/* The blas backend against the double reference: every operation over a table of shapes, both ways of sharing the work out, rows of a
 * block one by one, what is not finite, small losses, the counts, and the team of threads. */
#include <math.h>
#include <string.h>

#include "compute/shapes.h"

#ifdef SETOSA_HAVE_BLAS
#include "compute/blas/rows.h"
#include "compute/blas/threads.h"

static void agrees_with_the_reference(void **state) {
  (void)state;
  for (size_t i = 0; i < SHAPE_COUNT; i++) shape_compare(&shapes[i], 100 + i, NULL, (CompareSettings){.backend = SETOSA_BACKEND_BLAS});
}

/* 2 KB: a block is 32 rows, all threads work on it, and a line reads X at every point. */
static void agrees_in_little_memory(void **state) {
  (void)state;
  for (size_t i = 0; i < SHAPE_COUNT; i++)
    shape_compare(&shapes[i], 200 + i, NULL, (CompareSettings){.backend = SETOSA_BACKEND_BLAS, .workspace_bytes = 2048});
}

static Backend *open_blas(const Dataset *dataset, bool intercept, Vector **w, Vector **gradient) {
  Backend *backend = NULL;
  Error error = {0};
  BackendSettings settings = {.kind = SETOSA_BACKEND_BLAS, .intercept = intercept};
  support_ok(backend_open(&backend, dataset, &settings, &error), &error);
  support_ok(vector_create(backend, w, &error), &error);
  support_ok(vector_create(backend, gradient, &error), &error);
  return backend;
}

static void close_blas(Backend *backend, Vector *w, Vector *gradient) {
  vector_destroy(backend, w);
  vector_destroy(backend, gradient);
  backend_close(backend);
}

static void a_bias_that_is_fixed_has_no_gradient(void **state) {
  (void)state;
  Error error = {0};
  Vector *w = NULL, *gradient = NULL;
  DataTerm at = {.pair_count = 0};
  Dataset *dataset = make_dataset(&(Shape){90, 5, 3, PLAIN}, 1);
  Backend *backend = open_blas(dataset, false, &w, &gradient);
  double values[18];
  support_ok(backend_evaluate(backend, w, backend_all_rows(backend), NULL, gradient, &at, &error), &error);
  support_poison_double(values, 18);
  support_ok(vector_read(backend, gradient, values, &error), &error);
  support_near(at.loss, log(3), 1e-7);
  for (int k = 15; k < 18; k++) assert_true(values[k] == 0.0);
  for (int p = 0; p < 15; p++) assert_true(isfinite(values[p]) && values[p] != 0.0);
  close_blas(backend, w, gradient);
  setosa_dataset_destroy(dataset);
}

/* A weight that is not a number, and one that overflows, must show in loss and norm and never crash. */
static void what_is_not_finite_shows(void **state) {
  (void)state;
  const double bad[] = {NAN, INFINITY, 3e38};
  Error error = {0};
  Vector *w = NULL, *gradient = NULL;
  Dataset *dataset = make_dataset(&(Shape){70, 4, 3, BIG_FEATURES}, 2);
  Backend *backend = open_blas(dataset, true, &w, &gradient);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    double values[15] = {0.1, -0.2};
    DataTerm at = {0};
    values[5] = bad[i];
    support_ok(vector_write(backend, w, values, &error), &error);
    support_ok(backend_evaluate(backend, w, backend_all_rows(backend), NULL, gradient, &at, &error), &error);
    assert_false(isfinite(at.loss));
    assert_false(isfinite(at.gradient_norm));
  }
  close_blas(backend, w, gradient);
  setosa_dataset_destroy(dataset);
}

/* exp(-d) for the other class, from a loss near log 2 down to one far below the rounding of 1: no digit of it is lost. */
static void small_losses_keep_their_digits(void **state) {
  (void)state;
  const int32_t labels[BLAS_LANES] = {0};
  for (double distance = 0.0; distance < 80.0; distance += 2.5) {
    float z[2 * BLAS_LANES];
    for (int j = 0; j < BLAS_LANES; j++) z[j] = 1.0f, z[BLAS_LANES + j] = (float)(1.0 - distance);
    double loss = blas_rows_residuals(z, BLAS_LANES, 2, (BlasTargets){labels, NULL}, BLAS_LANES, 1.0f),
           exact = BLAS_LANES * log1p(exp(-distance));
    assert_true(fabs(loss / exact - 1.0) < 4e-7);
    double other = exp(-distance) / (1.0 + exp(-distance));
    assert_true(fabs(z[0] / -other - 1.0) < 4e-7);
    assert_true(fabs(z[BLAS_LANES] / other - 1.0) < 4e-7);
  }
}

/* Rows, and lanes past the last, do not see each other. */
static void each_row_is_its_own(void **state) {
  (void)state;
  enum { CLASSES = 5, STRIDE = 2 * BLAS_LANES };
  float all[CLASSES * STRIDE], alone[CLASSES * BLAS_LANES];
  int32_t labels[STRIDE];
  double sum = 0.0;
  for (int i = 0; i < STRIDE; i++) labels[i] = (7 * i + 1) % CLASSES;
  for (int i = 0; i < CLASSES * STRIDE; i++) all[i] = (float)(20.0 * sin(1.7 * i));
  float copy[CLASSES * STRIDE];
  memcpy(copy, all, sizeof all);
  double loss = blas_rows_residuals(all, STRIDE, CLASSES, (BlasTargets){labels, NULL}, 45, 0.5f);
  for (int i = 0; i < 45; i++) {
    support_poison(alone, CLASSES * BLAS_LANES);
    for (int k = 0; k < CLASSES; k++) alone[k * BLAS_LANES] = copy[k * STRIDE + i];
    sum += blas_rows_residuals(alone, BLAS_LANES, CLASSES, (BlasTargets){labels + i, NULL}, 1, 0.5f);
    for (int k = 0; k < CLASSES; k++) assert_true(alone[k * BLAS_LANES] == all[k * STRIDE + i]);
  }
  support_near(loss, sum, 1e-12);
}

static void work_is_counted(void **state) {
  (void)state;
  Error error = {0};
  Vector *w = NULL, *gradient = NULL;
  DataTerm at = {.pair_count = 0};
  BackendFacts facts = {0};
  Dataset *dataset = make_dataset(&(Shape){100, 8, 3, PLAIN}, 3);
  Backend *backend = open_blas(dataset, true, &w, &gradient);
  support_ok(backend_evaluate(backend, w, (RowRange){10, 50}, NULL, gradient, &at, &error), &error);
  backend_facts(backend, &facts);
  assert_string_equal(facts.name, "blas");
  assert_int_equal(facts.flops, 4 * 50 * 8 * 3);
  assert_int_equal(facts.bytes_read, 50 * 8 * 4);
  assert_true(facts.bytes_held >= 100 * 8 * 4 + 2 * 27 * 4);
  assert_true(facts.bytes_held < 1000000);
  support_fails(backend_evaluate(backend, w, (RowRange){90, 11}, NULL, gradient, &at, &error), &error, SETOSA_ERROR_INTERNAL,
                "rows 90 to 101");
  close_blas(backend, w, gradient);
  setosa_dataset_destroy(dataset);
}

static void count_calls(void *task, size_t index, size_t count) {
  size_t *calls = task;
  calls[index] += count;
}

static void the_team_calls_each_participant_once(void **state) {
  (void)state;
  enum { MEMBERS = 5 };
  BlasThreads *threads = NULL;
  Error error = {0};
  size_t calls[MEMBERS] = {0};
  support_ok(blas_threads_create(&threads, MEMBERS, &error), &error);
  for (int round = 0; round < 200; round++)
    for (size_t count = 1; count <= MEMBERS; count++) blas_threads_run(threads, count, count_calls, calls);
  size_t expected = 0;
  for (size_t index = MEMBERS; index-- > 0;) {
    expected += 200 * (index + 1);
    assert_int_equal(calls[index], expected);
  }
  blas_threads_destroy(threads);
  blas_threads_destroy(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_the_reference),
      cmocka_unit_test(agrees_in_little_memory),
      cmocka_unit_test(a_bias_that_is_fixed_has_no_gradient),
      cmocka_unit_test(what_is_not_finite_shows),
      cmocka_unit_test(small_losses_keep_their_digits),
      cmocka_unit_test(each_row_is_its_own),
      cmocka_unit_test(work_is_counted),
      cmocka_unit_test(the_team_calls_each_participant_once),
  };
  return support_run("blas", tests, NULL, NULL);
}

#else

static void a_build_without_it_says_so(void **state) {
  (void)state;
  Backend *backend = NULL;
  Error error = {0};
  BackendSettings settings = {.kind = SETOSA_BACKEND_BLAS};
  Dataset *dataset = make_dataset(&shapes[1], 1);
  support_fails(backend_open(&backend, dataset, &settings, &error), &error, SETOSA_ERROR_USAGE, "this build has no blas backend; install");
  assert_null(backend);
  setosa_dataset_destroy(dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_build_without_it_says_so)};
  (void)shape_compare;
  return support_run("blas", tests, NULL, NULL);
}
#endif
