/* Everything that a backend answers about rows, to the bit: for tests that two ways of holding the rows give the same. */
#ifndef TESTS_KERNELS_ANSWERS_H
#define TESTS_KERNELS_ANSWERS_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compute/native/native.h"
#include "compute/open.h"
#include "support/support.h"

typedef struct Answers {
  DataTerm at, batch;
  double line[4]; /* value and slope at two steps */
  double *gradient, *product, *batch_gradient;
  float *probabilities;
  size_t parameters, scores;
} Answers;

static double *numbers(size_t count) {
  double *made = malloc(count * sizeof *made);
  assert_non_null(made);
  support_poison_double(made, count);
  return made;
}

static void answers_free(Answers *a) {
  free(a->gradient);
  free(a->product);
  free(a->batch_gradient);
  free(a->probabilities);
}

/* Everything that reads X: all rows, and a batch that begins and ends inside of chunks. */
static Answers ask_backend(Backend *backend) {
  Error error = {0};
  Vector *w = NULL, *v = NULL, *out = NULL;
  support_ok(vector_create(backend, &w, &error), &error);
  support_ok(vector_create(backend, &v, &error), &error);
  support_ok(vector_create(backend, &out, &error), &error);
  size_t count = backend->parameters;
  Answers a = {.gradient = numbers(count), .product = numbers(count), .batch_gradient = numbers(count), .parameters = count};
  for (size_t i = 0; i < count; i++) a.gradient[i] = 0.3 * sin(1.7 * (double)i);
  support_ok(vector_write(backend, w, a.gradient, &error), &error);
  for (size_t i = 0; i < count; i++) a.gradient[i] = cos(1.3 * (double)i);
  support_ok(vector_write(backend, v, a.gradient, &error), &error);
  support_poison_double(a.gradient, count);
  for (int pass = 0; pass < 2; pass++) /* the second finds other chunks on the device than the first */
    support_ok(backend_evaluate(backend, w, backend_all_rows(backend), NULL, out, &a.at, &error), &error);
  support_ok(vector_read(backend, out, a.gradient, &error), &error);
  support_ok(backend_hessian_product(backend, w, v, backend_all_rows(backend), NULL, out, &error), &error);
  support_ok(vector_read(backend, out, a.product, &error), &error);
  support_ok(backend_line_open(backend, w, v, &error), &error);
  for (int step = 0; step < 2; step++)
    support_ok(backend_line_evaluate(backend, 0.1 + step, &a.line[2 * step], &a.line[2 * step + 1], &error), &error);
  backend_line_close(backend);
  RowRange batch = {backend->rows / 3 + 1, backend->rows / 2};
  support_ok(backend_evaluate(backend, w, batch, NULL, out, &a.batch, &error), &error);
  support_ok(vector_read(backend, out, a.batch_gradient, &error), &error);
  a.scores = backend->rows * backend->classes;
  a.probabilities = malloc(a.scores * sizeof *a.probabilities);
  assert_non_null(a.probabilities);
  memset(a.probabilities, 0xff, a.scores * sizeof *a.probabilities);
  support_ok(backend_predict(backend, w, backend_all_rows(backend), ROW_PROBABILITIES, a.probabilities, &error), &error);
  vector_destroy(backend, w);
  vector_destroy(backend, v);
  vector_destroy(backend, out);
  return a;
}

static inline Backend *open_native(const Dataset *dataset, BackendSettings settings) {
  Error error = {0};
  Backend *backend = NULL;
  settings.kind = SETOSA_BACKEND_NATIVE;
  settings.intercept = true;
  support_ok(backend_open(&backend, dataset, &settings, &error), &error);
  return backend;
}

static void expect_same(const Answers *a, const Answers *b, const char *how) {
  bool same = memcmp(a->gradient, b->gradient, a->parameters * sizeof(double)) == 0;
  if (!same) fail_msg("%s: the gradient differs", how);
  if (memcmp(a->product, b->product, a->parameters * sizeof(double)) != 0) fail_msg("%s: the Hessian product differs", how);
  if (memcmp(a->batch_gradient, b->batch_gradient, a->parameters * sizeof(double)) != 0) fail_msg("%s: a batch's gradient differs", how);
  if (memcmp(a->probabilities, b->probabilities, a->scores * sizeof(float)) != 0) fail_msg("%s: the probabilities differ", how);
  if (memcmp(a->line, b->line, sizeof a->line) != 0) fail_msg("%s: the line differs", how);
  if (a->at.loss != b->at.loss || a->batch.loss != b->batch.loss) fail_msg("%s: the objective differs", how);
  assert_true(isfinite(a->at.loss));
}

/* data.h's generator behind the same spec: rows are never held. */
static inline Dataset *load(const char *spec, bool generated) {
  Dataset *dataset = NULL;
  Error error = {0};
  SetosaDataOptions options = setosa_data_options_default();
  options.generate_above_bytes = generated ? 1 : 0;
  support_ok(setosa_dataset_load(&dataset, spec, &options, &error), &error);
  assert_int_equal(dataset->generator != NULL, generated);
  return dataset;
}

#endif
