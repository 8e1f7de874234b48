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
  *objective = (Objective){.backend = backend, .l1 = terms->l1, .addition = {.l2 = terms->l2}};
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

/* *scaled = r v, at hand in scratch where r is not 0 and 1. */
static Status scale(Objective *objective, const Vector *v, const Vector **scaled, Error *error) {
  *scaled = objective->factors != NULL ? objective->scratch : v;
  return objective->factors != NULL ? vector_multiply(objective->backend, objective->scratch, objective->factors, v, error) : SETOSA_OK;
}

/* <a, r b>, of which `scaled` is r b. */
static VectorPair quadratic(const Objective *objective, const Vector *a, const Vector *scaled) {
  return (VectorPair){a, scaled, .weights_only = objective->factors == NULL};
}

/* The data term with the products that the rest of F takes: <w, r w> with a penalty, then <c, w> with label smoothing. */
static Status evaluate(Objective *objective, const Vector *w, RowRange rows, Vector *gradient, bool later, Error *error) {
  Status status = SETOSA_OK;
  DataTerm *data = &objective->data;
  const Vector *scaled = NULL;
  *data = (DataTerm){.pairs = objective->pairs, .later = later};
  if (objective->addition.l2 > 0) {
    TRY(scale(objective, w, &scaled, error));
    objective->pairs[data->pair_count++] = quadratic(objective, w, scaled);
  }
  if (objective->linear != NULL) objective->pairs[data->pair_count++] = (VectorPair){.a = objective->linear, .b = w};
  TRY(backend_evaluate(objective->backend, w, rows, &objective->addition, gradient, data, error));
cleanup:
  return status;
}

Status objective_evaluate(Objective *objective, const Vector *w, RowRange rows, Vector *gradient, Evaluation *at, Error *error) {
  Status status = SETOSA_OK;
  if (at == NULL) return backend_evaluate(objective->backend, w, rows, &objective->addition, gradient, NULL, error);
  TRY(evaluate(objective, w, rows, gradient, false, error));
  objective_settle(objective, at);
cleanup:
  return status;
}

Status objective_evaluate_later(Objective *objective, const Vector *w, RowRange rows, Vector *gradient, Error *error) {
  return evaluate(objective, w, rows, gradient, true, error);
}

void objective_settle(const Objective *objective, Evaluation *at) {
  const DataTerm *data = &objective->data;
  bool squares = objective->addition.l2 > 0, smoothed = objective->linear != NULL;
  at->loss = data->loss + (smoothed ? data->products[squares] : 0);
  at->penalty = squares ? 0.5 * objective->addition.l2 * data->products[0] : 0;
  at->objective = at->loss + at->penalty;
  at->gradient_norm = data->gradient_norm;
}

/* What the penalties add to F, and to the largest component of its shortest subgradient. gradient NULL: no subgradient. */
static void add_penalties(Evaluation *at, const Objective *objective, const double *w, const double *gradient) {
  const Backend *b = objective->backend;
  size_t weights = b->classes * b->features;
  double l1 = objective->l1, l2 = objective->addition.l2, squares = 0, sizes = 0, largest = 0;
  for (size_t i = 0; w != NULL && i < b->parameters; i++) {
    bool penalised = i < weights;
    double slope = gradient != NULL ? gradient[i] + (penalised ? l2 * w[i] : 0) : 0;
    if (penalised) {
      squares += w[i] * w[i];
      sizes += fabs(w[i]);
      slope = w[i] > 0 ? slope + l1 : w[i] < 0 ? slope - l1 : copysign(fmax(fabs(slope) - l1, 0), slope);
    }
    if (!(fabs(slope) <= largest)) largest = fabs(slope); /* a NaN stays */
    if (isnan(slope)) break;
  }
  at->penalty = 0.5 * l2 * squares + l1 * sizes;
  at->objective = at->loss + at->penalty;
  at->gradient_norm = gradient != NULL ? largest : NAN;
}

Status objective_evaluate_apart(Objective *objective, const Vector *w, RowRange rows, Vector *gradient, Evaluation *at, Error *error) {
  Status status = SETOSA_OK;
  Backend *b = objective->backend;
  Addition linear = {.linear = objective->linear};
  VectorPair pair = {.a = objective->linear, .b = w};
  DataTerm data = {.pairs = &pair, .pair_count = objective->linear != NULL};
  double *values = NULL;
  TRY(backend_evaluate(b, w, rows, &linear, gradient, at != NULL ? &data : NULL, error));
  if (at == NULL) goto cleanup;
  TRY(memory_allocate_zero((void **)&values, 2 * b->parameters, sizeof *values, "the parameters", error));
  TRY(vector_read(b, w, values, error));
  if (gradient != NULL) TRY(vector_read(b, gradient, values + b->parameters, error));
  at->loss = data.loss + (objective->linear != NULL ? data.products[0] : 0);
  add_penalties(at, objective, values, gradient != NULL ? values + b->parameters : NULL);
cleanup:
  free(values);
  return status;
}

Status objective_hessian_product(Objective *objective, const Vector *w, const Vector *v, RowRange rows, Vector *out, Error *error) {
  Addition curvature = objective->addition;
  curvature.linear = NULL; /* what is linear has none */
  return backend_hessian_product(objective->backend, w, v, rows, &curvature, out, error);
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

/* Of w and s; where r is not 0 and 1 the products with r w are made first, since scratch holds one vector. */
static Status line_products(Objective *o, const Vector *w, const Vector *s, Error *error) {
  Status status = SETOSA_OK;
  VectorPair pairs[5];
  double *to[5], products[5];
  const Vector *scaled = NULL;
  size_t count = 0;
  o->ww = o->ws = o->ss = o->cw = o->cs = 0;
  if (o->addition.l2 > 0) {
    TRY(scale(o, w, &scaled, error));
    pairs[count] = quadratic(o, w, scaled), to[count++] = &o->ww;
    pairs[count] = quadratic(o, s, scaled), to[count++] = &o->ws;
    if (o->factors != NULL) {
      TRY(vector_dots(o->backend, count, pairs, products, error));
      o->ww = products[0];
      o->ws = products[1];
      count = 0;
      TRY(scale(o, s, &scaled, error));
    } else {
      scaled = s;
    }
    pairs[count] = quadratic(o, s, scaled), to[count++] = &o->ss;
  }
  if (o->linear != NULL) {
    pairs[count] = (VectorPair){.a = o->linear, .b = w}, to[count++] = &o->cw;
    pairs[count] = (VectorPair){.a = o->linear, .b = s}, to[count++] = &o->cs;
  }
  if (count > 0) TRY(vector_dots(o->backend, count, pairs, products, error));
  for (size_t i = 0; i < count; i++) *to[i] = products[i];
cleanup:
  return status;
}

Status objective_line_open(Objective *objective, const Vector *w, const Vector *s, Error *error) {
  Status status = backend_line_open(objective->backend, w, s, error);
  return status != SETOSA_OK ? status : line_products(objective, w, s, error);
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
