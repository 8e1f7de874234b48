/* The certificate of strong convexity. */
#include "optim/certificate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/dense.h"
#include "base/memory.h"
#include "optim/common.h"
#include "optim/sample.h"

enum { SAMPLE_ROWS = 16384, SAMPLE_SCORES = 16 << 20, MOST_CLASSES = 1024 };
/* The bias is moved when its part of the bound is more than this of the whole. The curvature is a sample's, and the bound of the bias is
 * that of a quadratic: its part counts so many times. */
static const double WORTH_MOVING = 0.01, CAUTION = 4;

typedef struct Bias {
  double *gradient; /* (K) */
  double *step;     /* (K): -H^-1 gradient, the sum over the classes 0 */
  double *hessian;  /* (K,K): mean of diag(p) - p p'; the lower triangle */
} Bias;

/* part (K): in class k the mean of a = p (1 - p) over the sample as rows are weighted, over that where they count alike. */
static Status compare_weights(double *part, Backend *backend, const Sample *sample, Error *error) {
  Status status = SETOSA_OK;
  size_t classes = backend->classes, width = backend->features + 1, count = sample->count;
  double *weights = NULL, *sums = NULL, mean = backend->mean_weight > 0 ? backend->mean_weight : 1;
  TRY(memory_allocate((void **)&weights, classes * count, sizeof *weights, "a curvature", error));
  TRY(memory_allocate((void **)&sums, classes * width, sizeof *sums, "a curvature", error));
  for (size_t k = 0; k < classes; k++)
    for (size_t i = 0; i < count; i++) weights[k * count + i] = sample_spread(sample, i, k);
  GramRequest request = {.count = count, .rows = sample->rows, .matrices = classes, .weights = weights, .diagonal = true};
  TRY(backend_gram(backend, &request, sums, error));
  for (size_t k = 0; k < classes; k++) {
    double alike = 0;
    for (size_t i = 0; i < count; i++) alike += weights[k * count + i];
    part[k] = alike > 0 ? sums[k * width + width - 1] / mean / alike : 1;
  }
cleanup:
  free(sums);
  free(weights);
  return status;
}

/* The curvature from the products of each two classes, which is all that it is made of. Rows whose weights differ count as the lesser of
 * both classes says: the bound gets larger for it, not smaller. */
static Status make_curvature(Bias *bias, Backend *backend, const Sample *sample, Error *error) {
  Status status = SETOSA_OK;
  size_t classes = backend->classes;
  double *h = bias->hessian, *part = bias->step; /* room until the step is made */
  TRY(compare_weights(part, backend, sample, error));
  memset(h, 0, classes * classes * sizeof *h);
  for (size_t i = 0; i < sample->count; i++) {
    const float *p = sample->probabilities + i * classes;
    for (size_t k = 0; k < classes; k++)
      for (size_t l = 0; l < k; l++) h[k * classes + l] += (double)p[k] * (double)p[l];
  }
  /* 1/K adds nothing where the sum over the classes is 0. */
  for (size_t k = 0; k < classes; k++) h[k * classes + k] = 1 / (double)classes + 1e-9;
  for (size_t k = 0; k < classes; k++)
    for (size_t l = 0; l < k; l++) {
      double product = h[k * classes + l] * fmin(part[k], part[l]) / (double)sample->count;
      h[k * classes + l] = 1 / (double)classes - product;
      h[k * classes + k] += product;
      h[l * classes + l] += product;
    }
cleanup:
  return status;
}

/* The curvature of the bias from a sample, on the first process; the step on all. *part = g' H^-1 g / 2. */
static Status solve_bias(Bias *bias, Backend *backend, const Vector *w, uint64_t seed, double *part, Error *error) {
  Status status = SETOSA_OK;
  Sample sample = {0};
  size_t classes = backend->classes;
  bool positive = false;
  TRY(sample_open(&sample, backend, w, SAMPLE_ROWS < SAMPLE_SCORES / classes ? SAMPLE_ROWS : SAMPLE_SCORES / classes, seed, UINT32_MAX >> 2,
                  error));
  TRY(make_curvature(bias, backend, &sample, error));
  for (size_t k = 0; k < classes; k++) bias->step[k] = -bias->gradient[k];
  TRY(dense_cholesky(bias->hessian, classes, &positive, error));
  if (positive) TRY(dense_solve(bias->hessian, bias->step, classes, error));
  *part = positive ? 0 : INFINITY;
  for (size_t k = 0; k < classes; k++) *part -= 0.5 * bias->step[k] * bias->gradient[k];
cleanup:
  sample_close(&sample);
  return status;
}

/* The bias's part of the bound at w, where the gradient is `values`, and its step. */
static Status look_at_bias(Bias *bias, Backend *backend, const Vector *w, uint64_t seed, double *part, Error *error) {
  BackendFacts facts = {0};
  Status status = SETOSA_OK;
  backend_facts(backend, &facts);
  if (facts.leads) status = solve_bias(bias, backend, w, seed, part, error);
  status = backend_broadcast(backend, status, backend->classes, bias->step, error);
  return status != SETOSA_OK ? status : backend_broadcast(backend, SETOSA_OK, 1, part, error);
}

Status certificate_find(Objective *objective, Vector *w, uint64_t seed, Evaluation *at, double *gap, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = objective->backend;
  size_t classes = backend->classes, weights = classes * backend->features;
  double l2 = objective->addition.l2, square = 0, part = 0, *values = NULL;
  Vector *gradient = NULL, *moved = NULL;
  Bias bias = {0};
  Evaluation there;
  *gap = NAN;
  if (!(l2 > 0) || objective->factors != NULL || classes > MOST_CLASSES || dense_load(NULL) != SETOSA_OK) return SETOSA_OK;
  TRY(memory_allocate((void **)&values, backend->parameters, sizeof *values, "a gradient", error));
  TRY(memory_allocate((void **)&bias.gradient, classes, sizeof(double), "a gradient", error));
  TRY(memory_allocate((void **)&bias.step, classes, sizeof(double), "a gradient", error));
  TRY(memory_allocate((void **)&bias.hessian, classes * classes, sizeof(double), "a curvature", error));
  TRY(vector_create(backend, &gradient, error));
  TRY(vector_create(backend, &moved, error));
  TRY(vector_copy(backend, moved, w, error));
  for (int round = 0;; round++) {
    TRY(objective_evaluate(objective, moved, backend_all_rows(backend), gradient, &there, error));
    if (!evaluation_is_finite(&there) || (round > 0 && there.objective > at->objective * (1 + 1e-6))) goto cleanup;
    TRY(vector_read(backend, gradient, values, error));
    square = 0;
    for (size_t i = 0; i < weights; i++) square += values[i] * values[i];
    for (size_t k = 0; k < classes; k++) bias.gradient[k] = values[weights + k];
    if (backend->intercept) TRY(look_at_bias(&bias, backend, moved, seed, &part, error));
    TRY(vector_copy(backend, w, moved, error));
    *at = there;
    *gap = square / (2 * l2) + CAUTION * part;
    if (!(CAUTION * part > WORTH_MOVING * *gap) || round == 2) break;
    TRY(vector_read(backend, moved, values, error));
    for (size_t k = 0; k < classes; k++) values[weights + k] += bias.step[k];
    TRY(vector_write(backend, moved, values, error));
  }
cleanup:
  vector_destroy(backend, moved);
  vector_destroy(backend, gradient);
  free(bias.hessian);
  free(bias.step);
  free(bias.gradient);
  free(values);
  return status;
}

/* ---- l1 --------------------------------------------------------------------------------------------------------- */

static double duality_gap(const Objective *objective, const Evaluation *at, const double *w, const double *g) {
  const Backend *b = objective->backend;
  size_t weights = b->classes * b->features;
  double l1 = objective->l1, l2 = objective->addition.l2, along = 0, largest = 0, beyond = 0;
  for (size_t i = 0; i < b->parameters; i++) {
    along += g[i] * w[i];
    if (i >= weights) continue;
    double over = fmax(fabs(g[i]) - l1, 0);
    largest = fmax(largest, fabs(g[i]));
    beyond += over * over;
  }
  double entropy = at->loss - along, shrunk = largest > l1 ? l1 / largest : 1;
  double dual = l2 > 0 ? fmax(entropy - beyond / (2 * l2), shrunk * entropy) : shrunk * entropy;
  return fmax(at->objective - dual, 0);
}

Status certificate_of_l1(Objective *objective, const Vector *w, uint64_t seed, Evaluation *at, double *gap, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = objective->backend;
  size_t classes = backend->classes, weights = classes * backend->features;
  Vector *gradient = NULL;
  double *values = NULL, part = 0;
  Bias bias = {0};
  *gap = NAN;
  /* (Of smoothed labels the entropy is another one.) */
  if (objective->linear != NULL || classes > MOST_CLASSES || dense_load(NULL) != SETOSA_OK) return SETOSA_OK;
  TRY(memory_allocate((void **)&values, 2 * backend->parameters, sizeof *values, "a gradient", error));
  TRY(memory_allocate((void **)&bias.gradient, classes, sizeof(double), "a gradient", error));
  TRY(memory_allocate((void **)&bias.step, classes, sizeof(double), "a gradient", error));
  TRY(memory_allocate((void **)&bias.hessian, classes * classes, sizeof(double), "a curvature", error));
  TRY(vector_create(backend, &gradient, error));
  TRY(objective_evaluate_apart(objective, w, backend_all_rows(backend), gradient, at, error));
  TRY(vector_read(backend, w, values, error));
  TRY(vector_read(backend, gradient, values + backend->parameters, error));
  for (size_t k = 0; k < classes; k++) bias.gradient[k] = values[backend->parameters + weights + k];
  if (backend->intercept) TRY(look_at_bias(&bias, backend, w, seed, &part, error));
  *gap = duality_gap(objective, at, values, values + backend->parameters) + CAUTION * part;
cleanup:
  vector_destroy(backend, gradient);
  free(bias.hessian);
  free(bias.step);
  free(bias.gradient);
  free(values);
  return status;
}
