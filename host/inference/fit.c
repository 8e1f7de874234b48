/* Newton's method with all sums in double, a read of the rows for each step. */
#include "inference/fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/dense.h"
#include "base/memory.h"
#include "inference/collinear.h"
#include "inference/separation.h"

enum { STEPS_MOST = 40, HALVINGS_MOST = 40, SEPARATION_STEPS = 6 };

typedef struct Newton {
  Fit *fit;
  Sums sums;
  double *hessian, *factor; /* (order,order): information with penalty, scaled to a diagonal of 1; its Cholesky factor */
  double *scale;            /* (order) */
  double *slope, *step;     /* (order) scaled gradient, and the step */
  double *before, *room;    /* (K,width) */
  double value, decrement;
  size_t halvings;
} Newton;

static Status allocate(double **values, size_t a, size_t b, Error *error) {
  size_t count = 0;
  Status status = memory_multiply(&count, a, b, "an information matrix", error);
  return status != SETOSA_OK ? status : memory_allocate_zero((void **)values, count, sizeof **values, "an information matrix", error);
}

void fit_close(Fit *fit) {
  double *arrays[] = {fit->phi, fit->penalty, fit->direction, fit->follows, fit->information, fit->covariance, fit->weight, fit->spread};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
  free(fit->kept);
  free(fit->columns);
}

static void newton_close(Newton *n) {
  sums_free(&n->sums);
  double *arrays[] = {n->hessian, n->factor, n->scale, n->slope, n->step, n->before, n->room};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
}

/* ---- the penalty ----------------------------------------------------------------------------------------------------- */

/* With phi_k = w_k - w_base and weights whose sum over the classes is 0, as those of the least penalty are,
 *   sum_k |w_k|^2 = sum_k |phi_k|^2 - |sum_k phi_k|^2 / K.
 * out (K,width): half its derivative in phi times the strength; the value is half the product with phi. */
static void penalty_gradient(const Fit *fit, const double *phi, double *out) {
  size_t classes = fit->request.classes, width = fit->request.design->width;
  for (size_t k = 0; k < classes; k++)
    for (size_t d = 0; d < width; d++) {
      double sum = 0;
      for (size_t e = 0; e < width; e++) {
        double mean = 0;
        if (fit->penalty[d * width + e] == 0) continue;
        for (size_t l = 0; l < classes; l++) mean += phi[l * width + e] / (double)classes;
        sum += fit->penalty[d * width + e] * (phi[k * width + e] - mean);
      }
      out[k * width + d] = fit->strength * sum;
    }
}

/* ---- what a read brings ---------------------------------------------------------------------------------------------- */

static Status read_rows(Newton *n, bool first, Error *error) {
  Fit *fit = n->fit;
  SumsRequest request = fit->request;
  request.information = true;
  request.squares = first;
  fit->reads++;
  return sums_make(&n->sums, &request, error);
}

/* Of which fit->phi is the maximum. */
static double objective(const Newton *n) {
  const Fit *fit = n->fit;
  double sum = 0;
  if (fit->penalty == NULL) return fit->likelihood;
  penalty_gradient(fit, fit->phi, n->room);
  for (size_t i = 0; i < fit->request.classes * fit->request.design->width; i++) sum += n->room[i] * fit->phi[i];
  return fit->likelihood - sum / 2;
}

/* Row p * kept_count + i of the matrix of a pair of classes. */
static void assemble(Newton *n) {
  Fit *fit = n->fit;
  size_t width = fit->request.design->width, kept = fit->kept_count, order = fit->order, line = n->sums.line;
  size_t matrix = n->sums.matrix;
  double classes = (double)fit->request.classes;
  for (size_t a = 0; a < order; a++)
    for (size_t b = 0; b <= a; b++) {
      size_t p = a / kept, q = b / kept, d = fit->columns[a % kept], e = fit->columns[b % kept];
      size_t row = d > e ? d : e, column = d > e ? e : d;
      double value = n->sums.values[n->sums.information + pair_number(p, q) * matrix + row * line + column];
      fit->information[a * order + b] = fit->information[b * order + a] = value;
      if (fit->penalty != NULL) value += fit->strength * fit->penalty[d * width + e] * ((p == q) - 1 / classes);
      n->hessian[a * order + b] = value;
    }
  for (size_t a = 0; a < order; a++) n->scale[a] = 1 / sqrt(fmax(n->hessian[a * order + a], 1e-300));
  for (size_t a = 0; a < order; a++)
    for (size_t b = 0; b <= a; b++) n->hessian[a * order + b] *= n->scale[a] * n->scale[b];
}

/* Near a maximum that does not exist the information fades: what keeps it positive there only turns the step. */
static Status factorize(Newton *n, bool *whole, Error *error) {
  Status status = SETOSA_OK;
  size_t order = n->fit->order;
  double ridge = 0;
  bool positive = false;
  *whole = true;
  while (!positive) {
    if (ridge > 1) TRY(error_set(error, SETOSA_ERROR_INTERNAL, "an information matrix is not positive; report this, with its data"));
    memcpy(n->factor, n->hessian, order * order * sizeof *n->factor);
    for (size_t a = 0; a < order; a++) n->factor[a * order + a] += ridge;
    TRY(dense_cholesky(n->factor, order, &positive, error));
    if (!positive) *whole = false;
    ridge = ridge == 0 ? 1e-14 : 10 * ridge;
  }
cleanup:
  return status;
}

/* step = the inverse of the information times the gradient. */
static Status solve(Newton *n, Error *error) {
  Status status = SETOSA_OK;
  Fit *fit = n->fit;
  size_t width = fit->request.design->width, kept = fit->kept_count, line = n->sums.line;
  if (fit->penalty != NULL) penalty_gradient(fit, fit->phi, n->room);
  for (size_t a = 0; a < fit->order; a++) {
    size_t k = class_with(a / kept, fit->request.base), d = fit->columns[a % kept];
    double slope = n->sums.values[n->sums.gradient + k * line + d] - (fit->penalty != NULL ? n->room[k * width + d] : 0);
    n->slope[a] = n->step[a] = slope * n->scale[a];
  }
  TRY(dense_solve(n->factor, n->step, fit->order, error));
  double square = 0;
  for (size_t a = 0; a < fit->order; a++) square += n->slope[a] * n->step[a];
  n->decrement = sqrt(fmax(square, 0));
  memset(fit->direction, 0, fit->request.classes * width * sizeof *fit->direction);
  for (size_t a = 0; a < fit->order; a++)
    fit->direction[class_with(a / kept, fit->request.base) * width + fit->columns[a % kept]] = n->step[a] * n->scale[a];
cleanup:
  return status;
}

/* covariance = inverse of the information with its penalty. */
static Status invert(Newton *n, Error *error) {
  Status status = SETOSA_OK;
  Fit *fit = n->fit;
  size_t order = fit->order;
  memcpy(fit->covariance, n->factor, order * order * sizeof *fit->covariance);
  TRY(dense_invert_factored(fit->covariance, order, error));
  for (size_t a = 0; a < order; a++)
    for (size_t b = 0; b < order; b++) fit->covariance[a * order + b] *= n->scale[a] * n->scale[b];
cleanup:
  return status;
}

/* ---- the first read -------------------------------------------------------------------------------------------------- */

static Status check_classes(const Fit *fit, Error *error) {
  for (size_t k = 0; k < fit->request.classes; k++)
    if (fit->weight[k] <= 0)
      return error_set(error, SETOSA_ERROR_DATA,
                       "%s: no row of weight is of class %s, whose coefficients then have no finite estimate; use data with all classes",
                       dataset_source(fit->request.dataset), fit->model->class_names[k]);
  return SETOSA_OK;
}

static Status check_room(size_t order, Error *error) {
  double bytes = 6.0 * 8 * (double)order * (double)order;
  if (bytes < (double)memory_available()) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_USAGE,
                   "%zu coefficients have %.3g GB of covariances, more than there is memory for; use fewer features (--features, --drop)",
                   order, bytes / 1e9);
}

static Status begin(Newton *n, Error *error) {
  Status status = SETOSA_OK;
  Fit *fit = n->fit;
  size_t classes = fit->request.classes, width = fit->request.design->width;
  memcpy(fit->weight, n->sums.values + n->sums.weight, classes * sizeof *fit->weight);
  for (size_t k = 0; k < classes; k++) fit->total_weight += fit->weight[k];
  for (size_t d = 0; d < width; d++) fit->spread[d] = n->sums.values[n->sums.squares + d * n->sums.line + d];
  TRY(check_classes(fit, error));
  if (fit->penalty == NULL) TRY(separation_by_columns(fit, &n->sums, error));
  if (fit->penalty == NULL) TRY(collinear_leave_out(fit, &n->sums, error));
  for (size_t d = 0; d < width; d++)
    if (fit->kept[d]) fit->columns[fit->kept_count++] = d;
  fit->order = (classes - 1) * fit->kept_count;
  if (fit->order == 0)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: no column varies: there is nothing to estimate", dataset_source(fit->request.dataset)));
  TRY(check_room(fit->order, error));
  TRY(allocate(&fit->information, fit->order, fit->order, error));
  TRY(allocate(&fit->covariance, fit->order, fit->order, error));
  TRY(allocate(&n->hessian, fit->order, fit->order, error));
  TRY(allocate(&n->factor, fit->order, fit->order, error));
  TRY(allocate(&n->scale, fit->order, 1, error));
  TRY(allocate(&n->slope, fit->order, 1, error));
  TRY(allocate(&n->step, fit->order, 1, error));
cleanup:
  return status;
}

static Status measure_distance(Newton *n, Error *error) {
  Fit *fit = n->fit;
  Status status = invert(n, error);
  for (size_t a = 0; status == SETOSA_OK && a < fit->order; a++) {
    size_t k = class_with(a / fit->kept_count, fit->request.base), d = fit->columns[a % fit->kept_count];
    double far = fabs(fit->direction[k * fit->request.design->width + d]) / sqrt(fit->covariance[a * fit->order + a]);
    if (far <= fit->distance) continue;
    fit->distance = far;
    fit->distance_class = k;
    fit->distance_term = d;
  }
  return status;
}

double fit_null(const Fit *fit) {
  double sum = 0;
  if (!fit->request.design->intercept) return -fit->total_weight * log((double)fit->request.classes);
  for (size_t k = 0; k < fit->request.classes; k++) sum += fit->weight[k] * log(fit->weight[k] / fit->total_weight);
  return sum;
}

/* A model that fits worse than the shares of the classes alone is no place to start from: its probabilities may be 0 or 1 throughout. */
static bool start_anew(Newton *n) {
  Fit *fit = n->fit;
  size_t classes = fit->request.classes, width = fit->request.design->width;
  bool intercept = fit->request.design->intercept;
  double null = fit_null(fit);
  if (fit->anew || fit->likelihood >= null + 1e-9 * null) return false;
  memset(fit->phi, 0, classes * width * sizeof *fit->phi);
  for (size_t k = 0; intercept && k < classes; k++) fit->phi[k * width + width - 1] = log(fit->weight[k] / fit->weight[fit->request.base]);
  fit->anew = true;
  fit->distance = INFINITY;
  return true;
}

/* ---- steps ------------------------------------------------------------------------------------------------------------ */

static void move(Newton *n, double part) {
  Fit *fit = n->fit;
  size_t count = fit->request.classes * fit->request.design->width;
  for (size_t i = 0; i < count; i++) fit->phi[i] = n->before[i] + part * fit->direction[i];
}

/* Steps are quadratically small near the maximum: with one of d standard errors in all, the information changes by about d times the root
 * of order / N, and the estimate is off by the square. Where rounding is all that is left, steps do not get smaller. */
static bool is_done(const Newton *n, double before) {
  double changes = n->decrement * sqrt((double)n->fit->order / n->fit->total_weight);
  return changes <= 1e-11 || (n->decrement < 1e-7 && n->decrement > before / 10);
}

static Status not_found(const Fit *fit, Error *error) {
  return error_set(error, SETOSA_ERROR_DATA,
                   "%s: %zu Newton steps did not find the maximum of the likelihood: some class is nearly separated by a combination of "
                   "columns; use --l2",
                   dataset_source(fit->request.dataset), fit->steps);
}

static Status iterate(Newton *n, Error *error) {
  Status status = SETOSA_OK;
  Fit *fit = n->fit;
  size_t count = fit->request.classes * fit->request.design->width;
  double value, before = INFINITY;
  bool whole = true;
  for (;;) {
    TRY(read_rows(n, fit->reads == 0, error));
    fit->likelihood = n->sums.values[n->sums.likelihood];
    if (fit->kept_count == 0) TRY(begin(n, error));
    if (fit->steps == 0 && start_anew(n)) continue;
    value = objective(n);
    if (fit->steps > 0 && !(value >= n->value - 1e-12 * fabs(n->value))) {
      if (++n->halvings > HALVINGS_MOST) return not_found(fit, error);
      move(n, ldexp(1, -(int)n->halvings));
      continue;
    }
    n->halvings = 0;
    n->value = value;
    assemble(n);
    TRY(factorize(n, &whole, error));
    TRY(solve(n, error));
    TRY(ranks_broadcast(fit->request.ranks, fit->direction, count * sizeof *fit->direction, error));
    TRY(ranks_broadcast(fit->request.ranks, &n->decrement, sizeof n->decrement, error));
    if (!isfinite(n->decrement)) return not_found(fit, error);
    if (fit->steps == 0 && !fit->anew) TRY(measure_distance(n, error));
    memcpy(n->before, fit->phi, count * sizeof *n->before);
    move(n, 1);
    fit->steps++;
    if (whole && is_done(n, before)) break;
    if (fit->penalty == NULL && (fit->steps >= SEPARATION_STEPS || !whole)) TRY(separation_by_direction(fit, error));
    if (fit->steps == STEPS_MOST) return not_found(fit, error);
    before = n->decrement;
  }
  TRY(invert(n, error));
cleanup:
  return status;
}

Status fit_open(Fit *fit, Error *error) {
  Status status = SETOSA_OK;
  Newton n = {.fit = fit};
  size_t classes = fit->request.classes, width = fit->request.design->width;
  TRY(allocate(&fit->phi, classes, width, error));
  TRY(allocate(&fit->direction, classes, width, error));
  TRY(allocate(&n.before, classes, width, error));
  TRY(allocate(&n.room, classes, width, error));
  TRY(allocate(&fit->follows, width, width, error));
  TRY(allocate(&fit->weight, classes, 1, error));
  TRY(allocate(&fit->spread, width, 1, error));
  TRY(memory_allocate_zero((void **)&fit->columns, width, sizeof *fit->columns, "the columns of a summary", error));
  TRY(memory_allocate_zero((void **)&fit->kept, width, sizeof *fit->kept, "the columns of a summary", error));
  for (size_t d = 0; d < width; d++) fit->kept[d] = true;
  if (fit->strength > 0) {
    TRY(allocate(&fit->penalty, width, width, error));
    design_penalty(fit->request.design, fit->penalty);
  }
  TRY(design_parameters(fit->request.design, fit->model, fit->request.dataset, fit->request.base, fit->phi, error));
  fit->request.phi = fit->phi;
  TRY(iterate(&n, error));
cleanup:
  newton_close(&n);
  return status;
}
