/* Small problems for the optimizers, on the reference backend, and what they have to find: written out by plain loops in double, which
 * share nothing with host/. */
#ifndef SETOSA_TESTS_OPTIM_PROBLEM_H
#define SETOSA_TESTS_OPTIM_PROBLEM_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/dense.h"
#include "base/random.h"
#include "compute/backends.h"
#include "optim/optimizer.h"
#include "support/dataset.h"

typedef struct ProblemShape {
  size_t rows, features, classes;
  double l2;
  bool without_intercept;
  bool weighted;    /* weights 0 to 3, whose mean is no power of 2 */
  bool one_class;   /* every label is 0 */
  double offset;    /* added to every feature, */
  double ratio;     /* feature d is times ratio^d; 0: 1 */
  size_t collinear; /* so many last features repeat the first */
} ProblemShape;

typedef struct Problem {
  ProblemShape shape;
  size_t parameters;
  float *x;        /* (N,D) */
  int32_t *labels; /* (N) */
  float *weights;  /* (N): 1 where there are none */
  Dataset *data;
  Backend *backend;
  Objective objective;
  Vector *w;
} Problem;

static inline void need_lapack(void) {
  Error error = {0};
  if (dense_load(&error) != SETOSA_OK) support_skip("%s", error.message);
}

static inline double problem_random(uint64_t stream, size_t i, size_t j) {
  return random_symmetric(7, RANDOM_STREAM_CHECK, stream << 20 ^ i, j);
}

/* Labels follow the features with much noise, so that the classes overlap. */
static inline int32_t problem_label(const ProblemShape *shape, const double *row, size_t i) {
  size_t best = 0;
  double highest = -INFINITY;
  for (size_t k = 0; k < shape->classes; k++) {
    double score = 3 * problem_random(2, i, k);
    for (size_t d = 0; d < shape->features; d++) score += row[d] * problem_random(3, k, d);
    if (score > highest) highest = score, best = k;
  }
  return shape->one_class ? 0 : (int32_t)best;
}

static inline void problem_fill(Problem *p) {
  const ProblemShape *shape = &p->shape;
  double *row = calloc(shape->features, sizeof *row);
  assert_non_null(row);
  for (size_t i = 0; i < shape->rows; i++) {
    for (size_t d = 0; d < shape->features; d++) /* in steps of 1/64, so that an offset of some thousands is exact */
      row[d] = d + shape->collinear >= shape->features && d > 0 ? row[0] : floor(64 * problem_random(1, i, d)) / 64;
    p->labels[i] = problem_label(shape, row, i);
    p->weights[i] = shape->weighted ? (float)(i % 4) : 1;
    for (size_t d = 0; d < shape->features; d++)
      p->x[i * shape->features + d] = (float)((row[d] + shape->offset) * (shape->ratio > 0 ? pow(shape->ratio, (double)d) : 1));
  }
  free(row);
}

/* From the arrays, which a test may have changed. */
static inline void problem_start(Problem *p) {
  Error error = {0};
  BackendSettings settings = {.kind = SETOSA_BACKEND_REFERENCE, .intercept = !p->shape.without_intercept};
  p->parameters = p->shape.classes * (p->shape.features + 1);
  p->data = wrap_arrays(p->shape.rows, p->shape.features, p->shape.classes, p->x, p->labels);
  if (p->shape.weighted) support_ok(setosa_dataset_set_weights(p->data, p->weights, &error), &error);
  support_ok(reference_open(&p->backend, p->data, &settings, &error), &error);
  support_ok(objective_open(&p->objective, p->backend, &(ObjectiveTerms){.l2 = p->shape.l2}, &error), &error);
  support_ok(vector_create(p->backend, &p->w, &error), &error);
}

static inline void problem_make(Problem *p, const ProblemShape *shape) {
  *p = (Problem){.shape = *shape};
  p->x = calloc(shape->rows * shape->features, sizeof *p->x);
  p->labels = calloc(shape->rows, sizeof *p->labels);
  p->weights = calloc(shape->rows, sizeof *p->weights);
  assert_true(p->x != NULL && p->labels != NULL && p->weights != NULL);
  problem_fill(p);
}

static inline void problem_open(Problem *p, const ProblemShape *shape) {
  problem_make(p, shape);
  problem_start(p);
}

static inline void problem_close(Problem *p) {
  vector_destroy(p->backend, p->w);
  objective_close(&p->objective);
  backend_close(p->backend);
  setosa_dataset_destroy(p->data);
  free(p->weights);
  free(p->labels);
  free(p->x);
}

/* A point that is some way from 0: weights (K,D), then bias (K), which is 0 without an intercept. */
static inline double *problem_point(const Problem *p, uint64_t number, double size) {
  double *w = calloc(p->parameters, sizeof *w);
  assert_non_null(w);
  size_t weights = p->shape.classes * p->shape.features;
  for (size_t i = 0; i < p->parameters; i++)
    if (i < weights || !p->shape.without_intercept) w[i] = size * problem_random(100 + number, 0, i);
  return w;
}

/* Probabilities (K) of a row; returns -log of that of its label. */
static inline double problem_row(const Problem *p, const double *w, size_t i, double *probabilities) {
  size_t features = p->shape.features, classes = p->shape.classes;
  double highest = -INFINITY, total = 0, label = 0;
  for (size_t k = 0; k < classes; k++) {
    probabilities[k] = w[classes * features + k];
    for (size_t d = 0; d < features; d++) probabilities[k] += w[k * features + d] * (double)p->x[i * features + d];
    highest = fmax(highest, probabilities[k]);
  }
  label = probabilities[p->labels[i]];
  for (size_t k = 0; k < classes; k++) total += probabilities[k] = exp(probabilities[k] - highest);
  for (size_t k = 0; k < classes; k++) probabilities[k] /= total;
  return log(total) + highest - label;
}

static inline double problem_total_weight(const Problem *p) {
  double total = 0;
  for (size_t i = 0; i < p->shape.rows; i++) total += (double)p->weights[i];
  return total;
}

/* F at w; its gradient (P), where that is not NULL. */
static inline double problem_value(const Problem *p, const double *w, double *gradient) {
  size_t features = p->shape.features, classes = p->shape.classes, weights = classes * features;
  double *probabilities = calloc(classes, sizeof *probabilities), total = problem_total_weight(p), value = 0;
  assert_non_null(probabilities);
  for (size_t j = 0; j < weights; j++) value += 0.5 * p->shape.l2 * w[j] * w[j];
  for (size_t j = 0; gradient != NULL && j < p->parameters; j++) gradient[j] = j < weights ? p->shape.l2 * w[j] : 0;
  for (size_t i = 0; i < p->shape.rows; i++) {
    double share = (double)p->weights[i] / total;
    value += share * problem_row(p, w, i, probabilities);
    for (size_t k = 0; gradient != NULL && k < classes; k++) {
      double r = share * (probabilities[k] - ((size_t)p->labels[i] == k ? 1 : 0));
      for (size_t d = 0; d < features; d++) gradient[k * features + d] += r * (double)p->x[i * features + d];
      if (!p->shape.without_intercept) gradient[weights + k] += r;
    }
  }
  free(probabilities);
  return value;
}

static inline double largest_of(const double *values, size_t count) {
  double largest = 0;
  for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs(values[i]));
  return largest;
}

static inline double *problem_read(const Problem *p) {
  double *w = calloc(p->parameters, sizeof *w);
  Error error = {0};
  assert_non_null(w);
  support_ok(vector_read(p->backend, p->w, w, &error), &error);
  return w;
}

static inline void problem_write(const Problem *p, const double *w) {
  Error error = {0};
  support_ok(vector_write(p->backend, p->w, w, &error), &error);
}

#endif
