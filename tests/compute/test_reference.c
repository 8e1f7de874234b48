/* The reference backend against numbers worked by hand and against finite differences of itself. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "compute/objective.h"
#include "compute/open.h"
#include "support/dataset.h"

enum { MAX_PARAMETERS = 4096 };

typedef struct Fixture {
  Dataset *data;
  Backend *backend;
  Objective objective;
  float *values;
  int32_t *labels;
} Fixture;

static Backend *open_on(const Dataset *data, bool intercept) {
  Backend *backend = NULL;
  Error error = {0};
  BackendSettings settings = {.kind = SETOSA_BACKEND_REFERENCE, .intercept = intercept};
  assert_int_equal(backend_open(&backend, data, &settings, &error), SETOSA_OK);
  assert_non_null(backend);
  return backend;
}

/* Random features in [-1,1) times `size`, random labels. */
static void open_random(Fixture *f, size_t rows, size_t features, size_t classes, double size, double l2, bool intercept) {
  f->values = malloc(rows * features * sizeof(float));
  f->labels = malloc(rows * sizeof(int32_t));
  for (size_t i = 0; i < rows * features; i++) f->values[i] = (float)(size * random_symmetric(7, RANDOM_STREAM_CHECK, 1, i));
  for (size_t i = 0; i < rows; i++) f->labels[i] = (int32_t)random_below(7, RANDOM_STREAM_CHECK, 2, i, classes);
  f->data = wrap_arrays(rows, features, classes, f->values, f->labels);
  f->backend = open_on(f->data, intercept);
  assert_int_equal(objective_open(&f->objective, f->backend, &(ObjectiveTerms){.l2 = l2}, NULL), SETOSA_OK);
}

static void close_fixture(Fixture *f) {
  objective_close(&f->objective);
  backend_close(f->backend);
  setosa_dataset_destroy(f->data);
  free(f->values);
  free(f->labels);
}

static Vector *new_vector(Backend *backend, const double *values) {
  Vector *vector = NULL;
  assert_int_equal(vector_create(backend, &vector, NULL), SETOSA_OK);
  if (values != NULL) assert_int_equal(vector_write(backend, vector, values, NULL), SETOSA_OK);
  return vector;
}

static Vector *random_vector(Backend *backend, uint64_t which, bool with_bias) {
  double values[MAX_PARAMETERS];
  size_t weights = backend->classes * backend->features;
  assert_true(backend->parameters <= MAX_PARAMETERS);
  for (size_t p = 0; p < backend->parameters; p++)
    values[p] = with_bias || p < weights ? random_symmetric(9, RANDOM_STREAM_CHECK, which, p) : 0.0;
  return new_vector(backend, values);
}

static double objective_at(Objective *objective, const Vector *w) {
  Evaluation at = {NAN, NAN, NAN, NAN};
  assert_int_equal(objective_evaluate(objective, w, backend_all_rows(objective->backend), NULL, &at, NULL), SETOSA_OK);
  assert_true(isnan(at.gradient_norm));
  return at.objective;
}

/* The worked example: x = (1.9, 0.4), w1 = (0.1, 0.1), w2 = (0.5, 0.5), no bias, label 1. */
static void test_worked_example(void **state) {
  (void)state;
  float x[] = {1.9f, 0.4f};
  int32_t label[] = {0};
  Dataset *data = wrap_arrays(1, 2, 2, x, label);
  Backend *backend = open_on(data, false);
  Vector *w = new_vector(backend, (const double[]){0.1, 0.1, 0.5, 0.5, 0.0, 0.0}), *g = new_vector(backend, NULL);
  DataTerm at = {.loss = NAN};
  double gradient[6] = {NAN, NAN, NAN, NAN, NAN, NAN};
  float logits[2] = {NAN, NAN}, a[2] = {NAN, NAN};
  assert_int_equal(backend_evaluate(backend, w, backend_all_rows(backend), NULL, g, &at, NULL), SETOSA_OK);
  assert_int_equal(vector_read(backend, g, gradient, NULL), SETOSA_OK);
  assert_int_equal(backend_predict(backend, w, backend_all_rows(backend), ROW_LOGITS, logits, NULL), SETOSA_OK);
  assert_int_equal(backend_predict(backend, w, backend_all_rows(backend), ROW_PROBABILITIES, a, NULL), SETOSA_OK);
  assert_float_equal(at.loss, 1.255414, 5e-7);
  assert_float_equal(logits[0], 0.23, 1e-7);
  assert_float_equal(logits[1], 1.15, 2e-7);
  assert_float_equal(a[0], 0.284958, 5e-7);
  assert_float_equal(a[1], 0.715042, 5e-7);
  const double expected[6] = {-1.358580, -0.286017, 1.358580, 0.286017, 0.0, 0.0};
  for (int i = 0; i < 6; i++) assert_float_equal(gradient[i], expected[i], 5e-7);
  assert_float_equal(at.gradient_norm, 1.358580, 5e-7);
  vector_destroy(backend, w);
  vector_destroy(backend, g);
  backend_close(backend);
  setosa_dataset_destroy(data);
}

/* Logits of +-1000: the loss is their difference, and nothing overflows; a loss far below the rounding of 1 keeps its digits. */
static void test_extreme_logits(void **state) {
  (void)state;
  float x[] = {1.0f, 1.0f};
  int32_t labels[] = {0, 1};
  Dataset *data = wrap_arrays(2, 1, 2, x, labels);
  Backend *backend = open_on(data, true);
  Vector *w = new_vector(backend, (const double[]){1000.0, -1000.0, 0.0, 0.0}), *g = new_vector(backend, NULL);
  DataTerm at = {.loss = NAN};
  assert_int_equal(backend_evaluate(backend, w, (RowRange){1, 1}, NULL, g, &at, NULL), SETOSA_OK);
  assert_float_equal(at.loss, 2000.0, 0.0);
  assert_float_equal(at.gradient_norm, 1.0, 0.0);
  assert_int_equal(vector_write(backend, w, (const double[]){30.0, -30.0, 0.0, 0.0}, NULL), SETOSA_OK);
  assert_int_equal(backend_evaluate(backend, w, (RowRange){0, 1}, NULL, g, &at, NULL), SETOSA_OK);
  assert_float_equal(at.loss / exp(-60.0), 1.0, 1e-12);
  assert_int_equal(vector_write(backend, w, (const double[]){INFINITY, 0.0, 0.0, 0.0}, NULL), SETOSA_OK);
  assert_int_equal(backend_evaluate(backend, w, (RowRange){0, 2}, NULL, g, &at, NULL), SETOSA_OK);
  assert_false(isfinite(at.loss));
  assert_false(isfinite(at.gradient_norm));
  vector_destroy(backend, w);
  vector_destroy(backend, g);
  backend_close(backend);
  setosa_dataset_destroy(data);
}

typedef struct Shape {
  size_t rows, features, classes;
  bool intercept;
} Shape;
static const Shape shapes[] = {{1, 1, 2, true}, {7, 3, 2, false}, {13, 5, 3, true}, {40, 17, 10, true}, {3, 2, 257, true}, {9, 4, 1, true}};

/* Every component of the gradient by central differences, error O(h^2) + O(eps/h). */
static void test_gradient(void **state) {
  (void)state;
  for (size_t c = 0; c < sizeof shapes / sizeof *shapes; c++) {
    Shape shape = shapes[c];
    Fixture f;
    open_random(&f, shape.rows, shape.features, shape.classes, 2.0, 0.1, shape.intercept);
    Vector *w = random_vector(f.backend, 10, shape.intercept), *g = random_vector(f.backend, 11, true);
    double point[MAX_PARAMETERS], gradient[MAX_PARAMETERS], largest = 0.0;
    Evaluation at = {NAN, NAN, NAN, NAN};
    assert_int_equal(objective_evaluate(&f.objective, w, backend_all_rows(f.backend), g, &at, NULL), SETOSA_OK);
    assert_int_equal(vector_read(f.backend, w, point, NULL), SETOSA_OK);
    assert_int_equal(vector_read(f.backend, g, gradient, NULL), SETOSA_OK);
    for (size_t p = 0; p < f.backend->parameters; p++) {
      const double h = 1e-5, kept = point[p];
      largest = fmax(largest, fabs(gradient[p]));
      if (!shape.intercept && p >= shape.classes * shape.features) {
        assert_true(gradient[p] == 0.0);
        continue;
      }
      point[p] = kept + h;
      vector_write(f.backend, w, point, NULL);
      double above = objective_at(&f.objective, w);
      point[p] = kept - h;
      vector_write(f.backend, w, point, NULL);
      double below = objective_at(&f.objective, w);
      point[p] = kept;
      assert_float_equal(gradient[p], (above - below) / (2.0 * h), 2e-9);
    }
    assert_float_equal(at.gradient_norm, largest, 0.0);
    vector_destroy(f.backend, w);
    vector_destroy(f.backend, g);
    close_fixture(&f);
  }
}

/* H v by central differences of the gradient along v. */
static void test_hessian_product(void **state) {
  (void)state;
  for (size_t c = 0; c < sizeof shapes / sizeof *shapes; c++) {
    Shape shape = shapes[c];
    Fixture f;
    open_random(&f, shape.rows, shape.features, shape.classes, 2.0, 0.1, shape.intercept);
    Backend *b = f.backend;
    RowRange rows = {shape.rows / 3, shape.rows - shape.rows / 3};
    Vector *w = random_vector(b, 20, shape.intercept), *v = random_vector(b, 21, shape.intercept);
    Vector *out = random_vector(b, 22, true), *moved = new_vector(b, NULL), *above = new_vector(b, NULL), *below = new_vector(b, NULL);
    double product[MAX_PARAMETERS], difference[MAX_PARAMETERS];
    const double h = 1e-5;
    assert_int_equal(objective_hessian_product(&f.objective, w, v, rows, out, NULL), SETOSA_OK);
    assert_int_equal(vector_combine(b, moved, 2, (const double[]){1.0, h}, (const Vector *const[]){w, v}, NULL), SETOSA_OK);
    assert_int_equal(objective_evaluate(&f.objective, moved, rows, above, NULL, NULL), SETOSA_OK);
    assert_int_equal(vector_combine(b, moved, 2, (const double[]){1.0, -h}, (const Vector *const[]){w, v}, NULL), SETOSA_OK);
    assert_int_equal(objective_evaluate(&f.objective, moved, rows, below, NULL, NULL), SETOSA_OK);
    assert_int_equal(vector_combine(b, above, 2, (const double[]){0.5 / h, -0.5 / h}, (const Vector *const[]){above, below}, NULL),
                     SETOSA_OK);
    vector_read(b, out, product, NULL);
    vector_read(b, above, difference, NULL);
    for (size_t p = 0; p < b->parameters; p++) assert_float_equal(product[p], difference[p], 5e-9);
    Vector *all[] = {w, v, out, moved, above, below};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) vector_destroy(b, all[i]);
    close_fixture(&f);
  }
}

/* The line is F(w + t s), its slope the derivative: against plain evaluations at moved points. */
static void check_line(Fixture *f, bool intercept) {
  Backend *b = f->backend;
  Vector *w = random_vector(b, 30, intercept), *s = random_vector(b, 31, intercept), *moved = new_vector(b, NULL), *g = new_vector(b, NULL);
  assert_int_equal(objective_line_open(&f->objective, w, s, NULL), SETOSA_OK);
  Error error = {0};
  assert_int_equal(objective_line_open(&f->objective, w, s, &error), SETOSA_ERROR_INTERNAL);
  assert_non_null(strstr(error.message, "close it"));
  const double steps[] = {0.0, 1e-3, 1.0, 17.0, -2.0};
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    double value = NAN, slope = NAN, expected = NAN;
    Evaluation at = {NAN, NAN, NAN, NAN};
    assert_int_equal(objective_line_evaluate(&f->objective, steps[i], &value, &slope, NULL), SETOSA_OK);
    vector_combine(b, moved, 2, (const double[]){1.0, steps[i]}, (const Vector *const[]){w, s}, NULL);
    assert_int_equal(objective_evaluate(&f->objective, moved, backend_all_rows(b), g, &at, NULL), SETOSA_OK);
    vector_dots(b, 1, &(VectorPair){.a = g, .b = s}, &expected, NULL);
    assert_float_equal(value, at.objective, 1e-13 * (1.0 + fabs(at.objective)));
    assert_float_equal(slope, expected, 1e-13 * (1.0 + fabs(expected)));
  }
  objective_line_close(&f->objective);
  objective_line_close(&f->objective);
  double unused = 0.0;
  assert_int_equal(objective_line_evaluate(&f->objective, 0.0, &unused, &unused, NULL), SETOSA_ERROR_INTERNAL);
  Vector *all[] = {w, s, moved, g};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) vector_destroy(b, all[i]);
}

static void test_line(void **state) {
  (void)state;
  for (size_t c = 0; c < sizeof shapes / sizeof *shapes; c++) {
    Fixture f;
    open_random(&f, shapes[c].rows, shapes[c].features, shapes[c].classes, 2.0, 0.1, shapes[c].intercept);
    BackendFacts before, after;
    backend_facts(f.backend, &before);
    check_line(&f, shapes[c].intercept);
    backend_facts(f.backend, &after);
    assert_true(after.bytes_held > before.bytes_held);
    close_fixture(&f);
  }
}

/* 9000 x 2000 logits, twice in double, are 288 MB: over the cache, so every point reads X again and must say the same. */
static void test_line_without_cache(void **state) {
  (void)state;
  Fixture f;
  open_random(&f, 9000, 1, 2000, 1.0, 0.1, true);
  BackendFacts before, after;
  Vector *w = random_vector(f.backend, 30, true), *s = random_vector(f.backend, 31, true), *g = new_vector(f.backend, NULL);
  backend_facts(f.backend, &before);
  assert_int_equal(objective_line_open(&f.objective, w, s, NULL), SETOSA_OK);
  double value = NAN, slope = NAN, expected = NAN;
  Evaluation at = {NAN, NAN, NAN, NAN};
  assert_int_equal(objective_line_evaluate(&f.objective, 0.0, &value, &slope, NULL), SETOSA_OK);
  assert_int_equal(objective_evaluate(&f.objective, w, backend_all_rows(f.backend), g, &at, NULL), SETOSA_OK);
  vector_dots(f.backend, 1, &(VectorPair){.a = g, .b = s}, &expected, NULL);
  assert_float_equal(value, at.objective, 1e-12 * at.objective);
  assert_float_equal(slope, expected, 1e-12);
  objective_line_close(&f.objective);
  backend_facts(f.backend, &after);
  assert_int_equal(after.bytes_held, before.bytes_held);
  vector_destroy(f.backend, w);
  vector_destroy(f.backend, s);
  vector_destroy(f.backend, g);
  close_fixture(&f);
}

static void test_vectors(void **state) {
  (void)state;
  Fixture f;
  open_random(&f, 3, 1, 2, 1.0, 0.0, true);
  Backend *b = f.backend;
  Vector *x = new_vector(b, (const double[]){1.0, 1e16, 3.0, -1e16}), *ones = new_vector(b, (const double[]){1.0, 1.0, 1.0, 1.0});
  Vector *out = new_vector(b, NULL);
  double values[4] = {NAN, NAN, NAN, NAN}, dots[3] = {NAN, NAN, NAN};
  vector_read(b, out, values, NULL);
  for (int i = 0; i < 4; i++) assert_true(values[i] == 0.0); /* a new vector is zero */
  VectorPair pairs[] = {{.a = x, .b = ones}, {.a = ones, .b = ones}, {.a = ones, .b = ones, .weights_only = true}};
  assert_int_equal(vector_dots(b, 3, pairs, dots, NULL), SETOSA_OK);
  assert_true(dots[0] == 4.0); /* a plain sum of doubles would lose the 1 and the 3 */
  assert_true(dots[1] == 4.0);
  assert_true(dots[2] == 2.0); /* two classes of one feature, without their two biases */
  vector_write(b, x, (const double[]){1.0, 4.0, 9.0, 16.0}, NULL);
  assert_int_equal(vector_divide_sqrt(b, x, ones, x, 1.0, NULL), SETOSA_OK); /* in place */
  vector_read(b, x, values, NULL);
  for (int i = 0; i < 4; i++) assert_float_equal(values[i], 1.0 / (i + 2.0), 1e-15);
  assert_int_equal(vector_multiply(b, x, x, x, NULL), SETOSA_OK);
  vector_read(b, x, values, NULL);
  for (int i = 0; i < 4; i++) assert_float_equal(values[i], 1.0 / ((i + 2.0) * (i + 2.0)), 1e-15);
  assert_int_equal(vector_combine(b, x, 2, (const double[]){2.0, -1.0}, (const Vector *const[]){ones, x}, NULL), SETOSA_OK);
  vector_copy(b, out, x, NULL);
  vector_read(b, out, values, NULL);
  for (int i = 0; i < 4; i++) assert_float_equal(values[i], 2.0 - 1.0 / ((i + 2.0) * (i + 2.0)), 1e-15);
  assert_int_equal(vector_combine(b, x, 0, NULL, NULL, NULL), SETOSA_ERROR_INTERNAL);
  vector_destroy(b, x);
  vector_destroy(b, ones);
  vector_destroy(b, out);
  vector_destroy(b, NULL);
  close_fixture(&f);
}

/* A mini-batch is the mean over its rows: batches weighted by their rows add up to the whole. */
static void test_row_ranges(void **state) {
  (void)state;
  Fixture f;
  open_random(&f, 10, 3, 4, 1.0, 0.5, true);
  Vector *w = random_vector(f.backend, 40, true);
  double sum = 0.0;
  Evaluation at, all;
  assert_int_equal(objective_evaluate(&f.objective, w, backend_all_rows(f.backend), NULL, &all, NULL), SETOSA_OK);
  for (size_t begin = 0; begin < 10; begin += 4) {
    RowRange rows = {begin, begin == 8 ? 2 : 4};
    assert_int_equal(objective_evaluate(&f.objective, w, rows, NULL, &at, NULL), SETOSA_OK);
    assert_float_equal(at.penalty, all.penalty, 0.0);
    sum += at.loss * (double)rows.count;
  }
  assert_float_equal(sum / 10.0, all.loss, 1e-15);
  const RowRange bad[] = {{0, 0}, {10, 1}, {0, 11}, {5, SIZE_MAX}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    float scores[64];
    Error error = {0};
    assert_int_equal(objective_evaluate(&f.objective, w, bad[i], NULL, &at, &error), SETOSA_ERROR_INTERNAL);
    assert_int_equal(backend_predict(f.backend, w, bad[i], ROW_LOGITS, scores, NULL), SETOSA_ERROR_INTERNAL);
  }
  vector_destroy(f.backend, w);
  close_fixture(&f);
}

static void test_without_labels(void **state) {
  (void)state;
  float x[] = {1.0f, 2.0f}, scores[4] = {NAN, NAN, NAN, NAN};
  int32_t unknown[] = {0, -1}, *choices[] = {NULL, unknown};
  for (int c = 0; c < 2; c++) {
    Dataset *data = wrap_arrays(2, 1, 2, x, choices[c]);
    Backend *backend = open_on(data, true);
    Vector *w = new_vector(backend, (const double[]){1.0, -1.0, 0.5, 0.0});
    DataTerm at = {.pair_count = 0};
    Error error = {0};
    int32_t labels[2];
    assert_int_equal(backend_evaluate(backend, w, backend_all_rows(backend), NULL, NULL, &at, &error), SETOSA_ERROR_USAGE);
    assert_non_null(strstr(error.message, "no labels"));
    assert_int_equal(backend_line_open(backend, w, w, NULL), SETOSA_ERROR_USAGE);
    assert_int_equal(backend_labels(backend, backend_all_rows(backend), labels, NULL), SETOSA_ERROR_USAGE);
    assert_int_equal(backend_hessian_product(backend, w, w, backend_all_rows(backend), NULL, w, NULL), SETOSA_OK);
    assert_int_equal(vector_write(backend, w, (const double[]){1.0, -1.0, 0.5, 0.0}, NULL), SETOSA_OK);
    assert_int_equal(backend_predict(backend, w, (RowRange){1, 1}, ROW_LOGITS, scores, NULL), SETOSA_OK);
    assert_float_equal(scores[0], 2.5, 0.0);
    assert_float_equal(scores[1], -2.0, 0.0);
    assert_true(isnan(scores[2])); /* one row was asked for */
    vector_destroy(backend, w);
    backend_close(backend);
    setosa_dataset_destroy(data);
  }
}

static void test_facts_and_errors(void **state) {
  (void)state;
  Fixture f;
  open_random(&f, 10, 3, 4, 1.0, 0.5, true);
  Vector *w = new_vector(f.backend, NULL), *g = new_vector(f.backend, NULL);
  Evaluation at;
  BackendFacts facts;
  assert_int_equal(objective_evaluate(&f.objective, w, backend_all_rows(f.backend), g, &at, NULL), SETOSA_OK);
  backend_facts(f.backend, &facts);
  assert_string_equal(facts.name, "reference");
  assert_string_equal(facts.device, "host");
  assert_int_equal(facts.flops, 4 * 10 * 3 * 4);
  assert_int_equal(facts.bytes_read, 10 * 3 * 4);
  vector_destroy(f.backend, w);
  vector_destroy(f.backend, g);
  close_fixture(&f);

  Backend *backend = (Backend *)&f;
  Error error = {0};
  BackendSettings settings = {.kind = SETOSA_BACKEND_REFERENCE};
  Dataset *empty = wrap_arrays(0, 1, 2, NULL, NULL);
  assert_int_equal(backend_open(&backend, empty, &settings, &error), SETOSA_ERROR_USAGE);
  assert_null(backend);
  settings.kind = SETOSA_BACKEND_NATIVE;
  error_clear(&error);
  assert_int_equal(backend_open(&backend, empty, &settings, &error), SETOSA_ERROR_USAGE);
  assert_non_null(strstr(error.message, "needs a device"));
  setosa_dataset_destroy(empty);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_worked_example),   cmocka_unit_test(test_extreme_logits), cmocka_unit_test(test_gradient),
      cmocka_unit_test(test_hessian_product),  cmocka_unit_test(test_line),           cmocka_unit_test(test_line_without_cache),
      cmocka_unit_test(test_vectors),          cmocka_unit_test(test_row_ranges),     cmocka_unit_test(test_without_labels),
      cmocka_unit_test(test_facts_and_errors),
  };
  return support_run("reference backend", tests, NULL, NULL);
}
