/* Newton's method: few iterations, each with all of the Hessian. It is made of weighted Gram matrices of the rows, one for each pair of
 * classes, in a basis of the K - 1 directions whose sum over the classes is 0: in all K it would have a null space. */
#include "optim/newton.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/dense.h"
#include "base/memory.h"
#include "optim/common.h"
#include "optim/curvature.h"
#include "optim/line_search.h"
#include "optim/stall.h"

/* Bytes of the weights of the rows that one request for Gram matrices brings. */
enum { WEIGHT_BYTES = 64 << 20, PATIENCE = 4 };

typedef struct Newton {
  Objective *objective;
  Backend *backend; /* the objective's */
  OptimizerReport *report;
  Vector *w, *next, *g, *g_next, *direction;
  size_t reduced, order, width; /* K - 1; (K-1)(D+1); D + 1 */
  bool leads;                   /* the first of several processes makes the steps */
  double *mean;                 /* (D) of the features; 0 without an intercept */
  double *basis;                /* (K,K-1): orthonormal columns of sum 0 */
  float *probabilities;         /* (N,K) */
  double *means;                /* (N,K-1) */
  double *weights;              /* (pairs of a request,N) */
  double *grams;                /* (pairs,D+1,D+1) */
  double *hessian, *factor;     /* (order,order) */
  double *equal, *solution;     /* (order) */
  double *values, *point;       /* (P): the gradient, then the direction; w */
  size_t pairs, pairs_at_once;
  Stall stall;
} Newton;

double newton_flops(size_t rows, size_t features, size_t classes) {
  double pairs = 0.5 * (double)classes * ((double)classes - 1), width = (double)features + 1, order = newton_order(features, classes);
  return pairs * (double)rows * width * width + order * order * order / 3;
}

/* Helmert's: column j has 1 in the rows before j + 1 and -(j + 1) in that one. */
static void make_basis(double *basis, size_t classes) {
  size_t reduced = classes - 1;
  for (size_t j = 0; j < reduced; j++) {
    double size = sqrt((double)(j + 1) * (double)(j + 2));
    for (size_t k = 0; k <= j; k++) basis[k * reduced + j] = 1 / size;
    basis[(j + 1) * reduced + j] = -(double)(j + 1) / size;
  }
}

static Status allocate(double **values, size_t a, size_t b, Error *error) {
  size_t count = 0;
  Status status = memory_multiply(&count, a, b, "a Hessian", error);
  return status != SETOSA_OK ? status : memory_allocate_zero((void **)values, count, sizeof **values, "a Hessian", error);
}

static Status newton_open(Newton *n, Objective *objective, Vector *w, OptimizerReport *report, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = objective->backend;
  BackendFacts facts = {0};
  backend_facts(backend, &facts);
  size_t reduced = backend->classes - 1, width = backend->features + 1;
  *n = (Newton){.objective = objective,
                .backend = backend,
                .report = report,
                .w = w,
                .reduced = reduced,
                .width = width,
                .order = reduced * width,
                .leads = facts.leads,
                .pairs = reduced * (reduced + 1) / 2};
  n->pairs_at_once = WEIGHT_BYTES / sizeof(double) / backend->rows;
  if (n->pairs_at_once < 1) n->pairs_at_once = 1;
  if (n->pairs_at_once > n->pairs) n->pairs_at_once = n->pairs;
  TRY(vector_create(backend, &n->next, error));
  TRY(vector_create(backend, &n->g, error));
  TRY(vector_create(backend, &n->g_next, error));
  TRY(vector_create(backend, &n->direction, error));
  TRY(allocate(&n->values, backend->parameters, 1, error));
  TRY(allocate(&n->point, backend->parameters, 1, error));
  TRY(allocate(&n->mean, backend->features, 1, error));
  if (backend->intercept) TRY(curvature_mean(backend, n->mean, error));
  if (!n->leads) goto cleanup;
  TRY(dense_load(error));
  TRY(allocate(&n->basis, backend->classes, reduced, error));
  TRY(memory_allocate((void **)&n->probabilities, backend->rows * backend->classes, sizeof(float), "probabilities", error));
  TRY(allocate(&n->means, backend->rows, reduced, error));
  TRY(allocate(&n->weights, n->pairs_at_once, backend->rows, error));
  TRY(allocate(&n->grams, n->pairs, width * width, error));
  TRY(allocate(&n->hessian, n->order, n->order, error));
  TRY(allocate(&n->factor, n->order, n->order, error));
  TRY(allocate(&n->equal, n->order, 1, error));
  TRY(allocate(&n->solution, n->order, 1, error));
  make_basis(n->basis, backend->classes);
cleanup:
  return status;
}

/* `w` is the caller's vector, which the iterations may have swapped with the trial's: it is the one not destroyed. */
static void newton_close(Newton *n, const Vector *w) {
  vectors_destroy(n->backend, (Vector *[]){n->w == w ? n->next : n->w, n->g, n->g_next, n->direction}, 4);
  double *arrays[] = {n->mean, n->basis, n->means, n->weights, n->grams, n->hessian, n->factor, n->equal, n->solution, n->values, n->point};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
  free(n->probabilities);
}

/* ---- the Hessian ------------------------------------------------------------------------------------------------ */

/* The pair (k, l), l <= k, of a number. */
static void pair_of(size_t number, size_t *k, size_t *l) {
  *k = 0;
  while (number > *k) number -= ++*k;
  *l = number;
}

/* A row's weight of the pair: q_k' (diag(p) - p p') q_l with the columns q of the basis, which is their covariance under p. In this form
 * nothing cancels where one class is nearly certain. means (K-1): of the columns under p. */
static double pair_weight(const Newton *n, const float *p, const double *means, size_t k, size_t l) {
  double sum = 0;
  for (size_t c = 0; c < n->backend->classes; c++)
    sum += (double)p[c] * (n->basis[c * n->reduced + k] - means[k]) * (n->basis[c * n->reduced + l] - means[l]);
  return sum;
}

/* means (N,K-1) of the columns of the basis under the probabilities of every row. */
static void make_means(Newton *n) {
  size_t classes = n->backend->classes;
  for (size_t i = 0; i < n->backend->rows; i++) {
    const float *p = n->probabilities + i * classes;
    double total = 0;
    for (size_t c = 0; c < classes; c++) total += (double)p[c];
    for (size_t k = 0; k < n->reduced; k++) {
      double sum = 0;
      for (size_t c = 0; c < classes; c++) sum += (double)p[c] * n->basis[c * n->reduced + k];
      n->means[i * n->reduced + k] = sum / total;
    }
  }
}

static Status make_grams(Newton *n, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = n->backend;
  size_t rows = backend->rows;
  double share = backend_row_scale(backend, rows);
  TRY(backend_predict(backend, n->w, backend_all_rows(backend), ROW_ESTIMATES, n->probabilities, error));
  make_means(n);
  for (size_t first = 0; first < n->pairs; first += n->pairs_at_once) {
    size_t count = n->pairs - first < n->pairs_at_once ? n->pairs - first : n->pairs_at_once;
    for (size_t m = 0; m < count; m++) {
      size_t k = 0, l = 0;
      pair_of(first + m, &k, &l);
      for (size_t i = 0; i < rows; i++)
        n->weights[m * rows + i] = share * pair_weight(n, n->probabilities + i * backend->classes, n->means + i * n->reduced, k, l);
    }
    GramRequest request = {.count = rows, .mean = n->mean, .matrices = count, .weights = n->weights};
    TRY(backend_gram(backend, &request, n->grams + first * n->width * n->width, error));
  }
cleanup:
  return status;
}

/* The Hessian with the penalty from the Gram matrices of the pairs; its lower triangle, brought to a diagonal of 1. */
static void assemble(Newton *n) {
  size_t width = n->width > 0 ? n->width : 1, order = n->order, bias = width - 1;
  double *h = n->hessian;
  for (size_t m = 0; m < n->pairs; m++) {
    size_t k = 0, l = 0;
    pair_of(m, &k, &l);
    for (size_t d = 0; d < width; d++)
      memcpy(h + (k * width + d) * order + l * width, n->grams + (m * width + d) * width, width * sizeof *h);
  }
  for (size_t i = 0; i < order; i++) {
    double diagonal = h[i * order + i], total = h[(i - i % width + bias) * (order + 1)];
    if (i % width != bias) diagonal = curvature_of_column(diagonal, n->mean[i % width], total) + n->objective->addition.l2;
    n->equal[i] = 1 / sqrt(fmax(diagonal, 1e-300));
  }
  for (size_t i = 0; i < order; i++)
    for (size_t j = 0; j < i; j++) {
      bool without = !n->backend->intercept && (i % width == bias || j % width == bias);
      h[i * order + j] = without ? 0 : h[i * order + j] * n->equal[i] * n->equal[j];
    }
}

static Status make_factor(Newton *n, Error *error) {
  Status status = SETOSA_OK;
  bool positive = false;
  /* Columns that follow from others have no curvature of their own in this arithmetic: a little is added, and without a penalty more than
   * the rounding of a gradient in f32, which would lead far along them. */
  double jitter = n->objective->addition.l2 > 0 ? 1e-15 : 1e-10;
  while (!positive) {
    jitter *= 100;
    if (jitter > 10) TRY(error_set(error, SETOSA_ERROR_INTERNAL, "the Hessian is not positive; report this, with its data"));
    memcpy(n->factor, n->hessian, n->order * n->order * sizeof *n->factor);
    for (size_t i = 0; i < n->order; i++) n->factor[i * n->order + i] = 1 + jitter;
    TRY(dense_cholesky(n->factor, n->order, &positive, error));
  }
cleanup:
  return status;
}

/* ---- a step ----------------------------------------------------------------------------------------------------- */

/* values (P): the gradient becomes the direction -H^-1 g; *slope: along it. Features are seen with their mean off, so that the bias is that
 * of the centred ones in between. */
static Status solve(Newton *n, double *slope, Error *error) {
  Status status = SETOSA_OK;
  size_t classes = n->backend->classes, features = n->backend->features, width = n->width;
  double *weights = n->values, *bias = n->values + classes * features, *x = n->solution, l2 = n->objective->addition.l2;
  for (size_t c = 0; c < classes; c++)
    for (size_t d = 0; d < features; d++) weights[c * features + d] -= n->mean[d] * bias[c];
  for (size_t k = 0; k < n->reduced; k++)
    for (size_t d = 0; d < width; d++) {
      double sum = 0;
      for (size_t c = 0; c < classes; c++) sum += n->basis[c * n->reduced + k] * (d < features ? weights[c * features + d] : bias[c]);
      x[k * width + d] = sum;
    }
  *slope = 0;
  for (size_t i = 0; i < n->order; i++) x[i] *= n->equal[i];
  TRY(dense_solve(n->factor, x, n->order, error));
  for (size_t i = 0; i < n->order; i++) x[i] *= n->equal[i];
  /* What the weights of all classes have in common is the penalty's alone, and best 0. (Its gradient is l2 times it; that of the data is 0,
   * but rounded, and over l2 the rounding would count.) */
  for (size_t d = 0; d < features; d++) {
    double common = 0;
    for (size_t c = 0; c < classes; c++) common += n->point[c * features + d] / (double)classes;
    if (l2 > 0) *slope -= (double)classes * l2 * common * common;
    for (size_t c = 0; c < classes; c++) {
      double step = 0;
      for (size_t k = 0; k < n->reduced; k++) step += n->basis[c * n->reduced + k] * x[k * width + d];
      *slope -= step * weights[c * features + d];
      weights[c * features + d] = -step - (l2 > 0 ? common : 0);
    }
  }
  for (size_t c = 0; c < classes; c++) {
    double step = 0;
    for (size_t k = 0; k < n->reduced; k++) step += n->basis[c * n->reduced + k] * x[k * width + features];
    *slope -= step * bias[c];
    bias[c] = -step;
    for (size_t d = 0; d < features; d++) bias[c] -= weights[c * features + d] * n->mean[d];
  }
cleanup:
  return status;
}

static Status compute_direction(Newton *n, double *slope, Error *error) {
  Status status = vector_read(n->backend, n->g, n->values, error);
  if (status == SETOSA_OK) status = vector_read(n->backend, n->w, n->point, error);
  *slope = 0;
  if (status == SETOSA_OK && n->leads) {
    status = make_grams(n, error);
    if (status == SETOSA_OK) assemble(n);
    if (status == SETOSA_OK) status = make_factor(n, error);
    if (status == SETOSA_OK) status = solve(n, slope, error);
  }
  TRY(backend_broadcast(n->backend, status, n->backend->parameters, n->values, error));
  TRY(backend_broadcast(n->backend, SETOSA_OK, 1, slope, error));
  TRY(vector_write(n->backend, n->direction, n->values, error));
  n->report->decrement = -0.5 * *slope;
cleanup:
  return status;
}

static Status try_step(Newton *n, double step, Evaluation *at, LinePoint *point, Error *error) {
  Status status = SETOSA_OK;
  VectorPair along = {.a = n->direction, .b = n->g_next};
  TRY(vector_add_scaled(n->backend, n->next, n->w, step, n->direction, error));
  TRY(objective_evaluate(n->objective, n->next, backend_all_rows(n->backend), n->g_next, at, error));
  n->report->evaluations++;
  *point = (LinePoint){step, at->objective, NAN};
  if (evaluation_is_finite(at)) TRY(vector_dots(n->backend, 1, &along, &point->slope, error));
cleanup:
  return status;
}

static void accept_step(Newton *n, const Evaluation *at) {
  Vector *w = n->w, *g = n->g;
  n->w = n->next;
  n->g = n->g_next;
  n->next = w;
  n->g_next = g;
  n->report->at = *at;
}

static Status take_step(Newton *n, double slope, double *step, bool *accepted, Error *error) {
  Status status = SETOSA_OK;
  LinePoint start = {0.0, n->report->at.objective, slope}, point = {0}, found = {0};
  Evaluation at = {0};
  bool success = false;
  *step = 1;
  TRY(try_step(n, 1, &at, &point, error));
  *accepted = line_accepts(start, point);
  if (!*accepted) {
    TRY(line_search(n->objective, n->w, n->direction, start, point, &found, &success, error));
    n->report->evaluations++;
    if (!success || found.step < SHORTEST_STEP * *step) goto cleanup;
    *step = found.step;
    TRY(try_step(n, found.step, &at, &point, error));
    *accepted = evaluation_is_finite(&at) && at.objective <= start.value + LINE_NOISE * fabs(start.value);
  }
  if (*accepted) accept_step(n, &at);
cleanup:
  return status;
}

/* ---- the iterations --------------------------------------------------------------------------------------------- */

static Status keep_state(Newton *n, const OptimizerSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  OptimizerState state = {0};
  TRY(report_put(&state, n->report, error));
  TRY(stall_put(&state, &n->stall, error));
  TRY(state_put_vector(&state, n->backend, "w", n->w, error));
  TRY(state_put_vector(&state, n->backend, "g", n->g, error));
  TRY(settings->keep(&state, settings->user, error));
cleanup:
  state_free(&state);
  return status;
}

static Status begin(Newton *n, const OptimizerSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  if (settings->resume != NULL) {
    TRY(report_get(settings->resume, n->report, error));
    TRY(stall_get(settings->resume, &n->stall, error));
    TRY(state_get_vector(settings->resume, n->backend, "w", n->w, error));
    TRY(state_get_vector(settings->resume, n->backend, "g", n->g, error));
  } else {
    TRY(objective_evaluate(n->objective, n->w, backend_all_rows(n->backend), n->g, &n->report->at, error));
    n->report->evaluations++;
    stall_begin(&n->stall, n->report);
  }
cleanup:
  return status;
}

static Status iterate(Newton *n, const OptimizerSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  OptimizerReport *report = n->report;
  for (;;) {
    double slope = 0, step = 0;
    bool accepted = false;
    TRY(compute_direction(n, &slope, error));
    report->reason = STOP_GRADIENT_TOLERANCE;
    if (optimizer_is_there(settings, report)) return SETOSA_OK;
    report->reason = STOP_NO_PROGRESS;
    if (!(slope < 0) || stall_is_over(&n->stall, PATIENCE)) return SETOSA_OK;
    report->reason = STOP_MAX_ITERATIONS;
    if (report->iterations >= settings->max_iterations) return SETOSA_OK;
    TRY(take_step(n, slope, &step, &accepted, error));
    report->reason = STOP_NO_PROGRESS;
    if (!accepted) return SETOSA_OK;
    report->iterations++;
    stall_watch(&n->stall, report);
    report->reason = STOP_INTERRUPTED;
    if (!optimizer_observe(settings, report, n->w, step) || optimizer_should_stop(settings)) return SETOSA_OK;
    if (optimizer_keep_is_due(settings, report->iterations)) TRY(keep_state(n, settings, error));
  }
cleanup:
  return status;
}

Status newton_minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error) {
  Status status = SETOSA_OK;
  Newton n;
  report->reason = STOP_NON_FINITE;
  TRY(newton_open(&n, objective, w, report, error));
  TRY(begin(&n, settings, error));
  if (!evaluation_is_finite(&report->at)) goto cleanup;
  TRY(iterate(&n, settings, error));
  if (optimizer_keeps_end(settings, report->reason)) TRY(keep_state(&n, settings, error));
  if (n.w != w) TRY(vector_copy(objective->backend, w, n.w, error));
cleanup:
  newton_close(&n, w);
  return status;
}
