/* The penalty and label smoothing, added to the data term of any backend. */
#include "compute/objective.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

/* ---- opening ---------------------------------------------------------------------------------------------------- */

/* r (P) = the squares of the scale on every class's weights, 0 on the bias. */
static Status make_factors(Objective *objective, const double *scale, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = objective->backend;
  double *values = NULL;
  TRY(memory_allocate_zero((void **)&values, backend->parameters, sizeof *values, "the factors of the penalty", error));
  for (size_t p = 0; p < backend->classes * backend->features; p++) {
    double s = scale[p % backend->features];
    values[p] = s * s;
  }
  TRY(vector_create(backend, &objective->factors, error));
  TRY(vector_create(backend, &objective->scratch, error));
  TRY(vector_write(backend, objective->factors, values, error));
  objective->addition.factors = objective->factors;
cleanup:
  free(values);
  return status;
}

/* c = -e dL/dw(0), see objective.h. */
static Status make_linear(Objective *objective, double smoothing, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = objective->backend;
  const double factor = -smoothing;
  Vector *zero = NULL;
  TRY(vector_create(backend, &zero, error));
  TRY(vector_create(backend, &objective->linear, error));
  TRY(backend_evaluate(backend, zero, backend_all_rows(backend), NULL, objective->linear, NULL, error));
  TRY(vector_combine(backend, objective->linear, 1, &factor, &(const Vector *){objective->linear}, error));
  objective->addition.linear = objective->linear;
cleanup:
  vector_destroy(backend, zero);
  return status;
}

Status objective_open(Objective *objective, Backend *backend, const ObjectiveTerms *terms, Error *error) {
  Status status = SETOSA_OK;
  *objective = (Objective){.backend = backend, .addition = {.l2 = terms->l2}};
  if (terms->feature_scale != NULL && terms->l2 > 0) TRY(make_factors(objective, terms->feature_scale, error));
  if (terms->label_smoothing > 0) TRY(make_linear(objective, terms->label_smoothing, error));
cleanup:
  return status;
}

void objective_close(Objective *objective) {
  if (objective->backend == NULL) return;
  vector_destroy(objective->backend, objective->factors);
  vector_destroy(objective->backend, objective->linear);
  vector_destroy(objective->backend, objective->scratch);
  *objective = (Objective){.backend = NULL};
}

/* ---- points ----------------------------------------------------------------------------------------------------- */

/* products[i] = <a[i], r b>, i < count <= 2, and *sum = <c, b>, in one call to the device. */
static Status compute_products(Objective *objective, size_t count, const Vector *const *a, const Vector *b, double *products, double *sum,
                               Error *error) {
  Status status = SETOSA_OK;
  VectorPair pairs[3];
  double dots[3] = {0};
  size_t quadratic = objective->addition.l2 > 0 ? count : 0, all = quadratic;
  const Vector *scaled = b;
  *sum = 0;
  for (size_t i = 0; i < count; i++) products[i] = 0;
  if (quadratic > 0 && objective->factors != NULL) {
    TRY(vector_multiply(objective->backend, objective->scratch, objective->factors, b, error));
    scaled = objective->scratch;
  }
  for (size_t i = 0; i < quadratic; i++) pairs[i] = (VectorPair){a[i], scaled, .weights_only = objective->factors == NULL};
  if (objective->linear != NULL) pairs[all++] = (VectorPair){.a = objective->linear, .b = b};
  if (all == 0) goto cleanup;
  TRY(vector_dots(objective->backend, all, pairs, dots, error));
  for (size_t i = 0; i < quadratic; i++) products[i] = dots[i];
  if (objective->linear != NULL) *sum = dots[quadratic];
cleanup:
  return status;
}

Status objective_evaluate(Objective *objective, const Vector *w, RowRange rows, Vector *gradient, Evaluation *at, Error *error) {
  Status status = SETOSA_OK;
  DataTerm data = {0};
  double ww = 0, cw = 0;
  TRY(backend_evaluate(objective->backend, w, rows, &objective->addition, gradient, at != NULL ? &data : NULL, error));
  if (at == NULL) goto cleanup;
  TRY(compute_products(objective, 1, &w, w, &ww, &cw, error));
  at->loss = data.loss + cw;
  at->penalty = 0.5 * objective->addition.l2 * ww;
  at->objective = at->loss + at->penalty;
  at->gradient_norm = data.gradient_norm;
cleanup:
  return status;
}

Status objective_hessian_product(Objective *objective, const Vector *w, const Vector *v, RowRange rows, Vector *out, Error *error) {
  Addition curvature = objective->addition;
  curvature.linear = NULL; /* what is linear has none */
  return backend_hessian_product(objective->backend, w, v, rows, &curvature, out, error);
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

Status objective_line_open(Objective *objective, const Vector *w, const Vector *s, Error *error) {
  Status status = SETOSA_OK;
  double with_s[2];
  TRY(backend_line_open(objective->backend, w, s, error));
  TRY(compute_products(objective, 1, &w, w, &objective->ww, &objective->cw, error));
  TRY(compute_products(objective, 2, (const Vector *[]){w, s}, s, with_s, &objective->cs, error));
  objective->ws = with_s[0];
  objective->ss = with_s[1];
cleanup:
  return status;
}

Status objective_line_evaluate(Objective *objective, double step, double *value, double *slope, Error *error) {
  const Objective *o = objective;
  double l2 = o->addition.l2;
  Status status = backend_line_evaluate(o->backend, step, value, slope, error);
  if (status != SETOSA_OK) return status;
  *value += 0.5 * l2 * (o->ww + step * (2.0 * o->ws + step * o->ss)) + o->cw + step * o->cs;
  *slope += l2 * (o->ws + step * o->ss) + o->cs;
  return SETOSA_OK;
}

void objective_line_close(Objective *objective) { backend_line_close(objective->backend); }
