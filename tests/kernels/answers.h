/* Everything that a backend answers about rows: for tests that two backends, or two ways of holding the rows, give the same. */
#ifndef TESTS_KERNELS_ANSWERS_H
#define TESTS_KERNELS_ANSWERS_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compute/objective.h"
#include "compute/open.h"
#include "support/dataset.h"
#include "support/support.h"

typedef struct Answers {
  Evaluation all, some;                                      /* of all rows, and of some */
  double value[2], slope[2];                                 /* of a line over all rows, at a step and at a step more */
  double *gradient, *product, *some_gradient, *some_product; /* (P) */
  float *logits, *probabilities;                             /* (N,K) */
  size_t parameters, scores;                                 /* P, N*K */
  BackendFacts facts;                                        /* its strings are gone when the backend is closed, but for the names */
  double *numbers;                                           /* (4,P) memory of the doubles */
  float *values;                                             /* (2,N,K) memory of the floats */
} Answers;

static inline void answers_free(Answers *a) {
  free(a->numbers);
  free(a->values);
}

static inline Answers answers_room(const Backend *backend) {
  Answers a = {.parameters = backend->parameters, .scores = backend->rows * backend->classes};
  a.numbers = malloc(4 * a.parameters * sizeof *a.numbers);
  a.values = malloc(2 * a.scores * sizeof *a.values);
  assert_true(a.numbers != NULL && a.values != NULL);
  support_poison_double(a.numbers, 4 * a.parameters);
  support_poison(a.values, 2 * a.scores);
  a.gradient = a.numbers;
  a.product = a.gradient + a.parameters;
  a.some_gradient = a.product + a.parameters;
  a.some_product = a.some_gradient + a.parameters;
  a.logits = a.values;
  a.probabilities = a.logits + a.scores;
  return a;
}

/* All that reads X, of an objective with a penalty, at the weights `at` (P) and along the direction `along` (P). */
static inline Answers ask_at(Backend *backend, const double *at, const double *along, RowRange some, double step) {
  Error error = {0};
  Objective f = {0};
  Vector *w = NULL, *v = NULL, *out = NULL;
  RowRange all = backend_all_rows(backend);
  Answers a = answers_room(backend);
  support_ok(objective_open(&f, backend, &(ObjectiveTerms){.l2 = 0.01}, &error), &error);
  support_ok(vector_create(backend, &w, &error), &error);
  support_ok(vector_create(backend, &v, &error), &error);
  support_ok(vector_create(backend, &out, &error), &error);
  support_ok(vector_write(backend, w, at, &error), &error);
  support_ok(vector_write(backend, v, along, &error), &error);
  support_ok(vector_write(backend, out, a.numbers, &error), &error); /* NAN */
  for (int pass = 0; pass < 2; pass++)                               /* the second finds other chunks on the device than the first */
    support_ok(objective_evaluate(&f, w, all, out, &a.all, &error), &error);
  support_ok(vector_read(backend, out, a.gradient, &error), &error);
  support_ok(objective_hessian_product(&f, w, v, all, out, &error), &error);
  support_ok(vector_read(backend, out, a.product, &error), &error);
  support_ok(objective_line_open(&f, w, v, &error), &error);
  for (int i = 0; i < 2; i++) support_ok(objective_line_evaluate(&f, step + i, &a.value[i], &a.slope[i], &error), &error);
  objective_line_close(&f);
  support_ok(objective_evaluate(&f, w, some, out, &a.some, &error), &error);
  support_ok(vector_read(backend, out, a.some_gradient, &error), &error);
  support_ok(objective_hessian_product(&f, w, v, some, out, &error), &error);
  support_ok(vector_read(backend, out, a.some_product, &error), &error);
  support_ok(backend_predict(backend, w, all, ROW_LOGITS, a.logits, &error), &error);
  support_ok(backend_predict(backend, w, all, ROW_PROBABILITIES, a.probabilities, &error), &error);
  backend_facts(backend, &a.facts);
  objective_close(&f);
  vector_destroy(backend, w);
  vector_destroy(backend, v);
  vector_destroy(backend, out);
  return a;
}

/* At weights that are as good as any; some rows: a batch that begins and ends inside of chunks. */
static inline Answers ask_backend(Backend *backend) {
  double *at = malloc(2 * backend->parameters * sizeof *at), *along = at + backend->parameters;
  assert_non_null(at);
  for (size_t i = 0; i < backend->parameters; i++) at[i] = 0.3 * sin(1.7 * (double)i);
  for (size_t i = 0; i < backend->parameters; i++) along[i] = cos(1.3 * (double)i);
  Answers a = ask_at(backend, at, along, (RowRange){backend->rows / 3, backend->rows - backend->rows / 2}, 0.1);
  free(at);
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

/* Opens, asks and closes. */
static inline Answers ask_native(const Dataset *dataset, BackendSettings settings) {
  Backend *backend = open_native(dataset, settings);
  Answers a = ask_backend(backend);
  backend_close(backend);
  return a;
}

/* To the bit. */
static inline void expect_same(const Answers *a, const Answers *b, const char *how) {
  const struct {
    const char *what;
    const void *a, *b;
    size_t bytes;
  } parts[] = {{"gradient", a->gradient, b->gradient, a->parameters * sizeof(double)},
               {"Hessian product", a->product, b->product, a->parameters * sizeof(double)},
               {"gradient of a batch", a->some_gradient, b->some_gradient, a->parameters * sizeof(double)},
               {"Hessian product of a batch", a->some_product, b->some_product, a->parameters * sizeof(double)},
               {"logits", a->logits, b->logits, a->scores * sizeof(float)},
               {"probabilities", a->probabilities, b->probabilities, a->scores * sizeof(float)},
               {"value of a line", a->value, b->value, sizeof a->value},
               {"slope of a line", a->slope, b->slope, sizeof a->slope},
               {"objective", &a->all.objective, &b->all.objective, sizeof(double)},
               {"objective of a batch", &a->some.objective, &b->some.objective, sizeof(double)}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (memcmp(parts[i].a, parts[i].b, parts[i].bytes) != 0) fail_msg("%s: the %s differs", how, parts[i].what);
  assert_true(isfinite(a->all.objective));
}

/* Weights of every kind: none at all, less than 1, much more. */
static inline void weigh_rows(Dataset *dataset) {
  static const float weights[] = {1, 0, 0.5f, 3, 1e-6f, 1000, 0.125f};
  size_t rows = setosa_dataset_rows(dataset);
  float *all = malloc(rows * sizeof *all);
  assert_non_null(all);
  for (size_t i = 0; i < rows; i++) all[i] = weights[(i + i / 7 + i / 100) % 7];
  support_ok(setosa_dataset_set_weights(dataset, all, NULL), NULL);
  free(all);
}

/* data.h's generator behind the same spec: rows are never held. */
static inline Dataset *load(const char *spec, bool generated) {
  Dataset *dataset = NULL;
  Error error = {0};
  SetosaDataOptions options = setosa_data_options_default();
  options.generate_above_bytes = generated ? 1 : 0;
  support_ok(setosa_dataset_load(&dataset, spec, &options, &error), &error);
  assert_int_equal(is_made(dataset), generated);
  return dataset;
}

#endif
