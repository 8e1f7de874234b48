/* Gradient descent, proximal where there are penalties: a fixed step, or (learning rate 0 or none) backtracking from a step that grows
 * while it is accepted. */
#include <math.h>

#include "optim/common.h"
#include "optim/line_search.h"

static const double DECREASE = 1e-4; /* part of the squared length over the step that F must lose */
/* Growth of the step while none was refused yet, and afterwards: most steps are then accepted at once. */
static const double FIRST_GROWTH = 2.0, GROWTH = 1.1, SHRINK = 0.5;
enum { MAX_TRIALS = 60 }; /* halvings of one step: enough to pass from any step to rounding */

typedef struct GradientDescent {
  Objective *objective;
  Backend *backend;   /* the objective's */
  Vector *vectors[5]; /* the iterate and its gradient, the trial and its gradient, and the best so far (fixed step) or the step */
  Evaluation best_at;
  OptimizerReport *report;
  double step;
  bool fixed, refused; /* refused: backtracking has met a step that was too long */
} GradientDescent;

enum { HERE, GRADIENT, TRIAL, TRIAL_GRADIENT, BEST, MOVED = BEST, VECTORS = BEST + 1 };

static void swap(Vector **a, Vector **b) {
  Vector *kept = *a;
  *a = *b;
  *b = kept;
}

/* Is F low enough after a step of this squared length? Where the difference is rounding only, the slope at its end decides. */
static Status is_low_enough(const GradientDescent *d, const Evaluation *at, double length_squared, bool *enough, Error *error) {
  const Evaluation *before = &d->report->at;
  double promised = length_squared / d->step, l2 = d->objective->addition.l2, slopes[2] = {0, 0};
  VectorPair pairs[] = {{.a = d->vectors[MOVED], .b = d->vectors[TRIAL_GRADIENT]},
                        {.a = d->vectors[MOVED], .b = d->vectors[TRIAL], .weights_only = true}};
  *enough = evaluation_is_finite(at) && at->objective <= before->objective - DECREASE * promised;
  if (*enough || !evaluation_is_finite(at) || at->objective > before->objective + LINE_NOISE * fabs(before->objective)) return SETOSA_OK;
  Status status = vector_dots(d->backend, 2, pairs, slopes, error);
  *enough = slopes[0] + l2 * slopes[1] <= 0.8 * promised;
  return status;
}

/* The trial: a step along the gradient of the data, and an implicit one of the penalties. */
static Status make_trial(GradientDescent *d, double *length_squared, Error *error) {
  Status status = SETOSA_OK;
  const Objective *o = d->objective;
  Vector *trial = d->vectors[TRIAL], *moved = d->vectors[MOVED];
  VectorPair pair = {.a = moved, .b = moved};
  TRY(vector_add_scaled(d->backend, trial, d->vectors[HERE], -d->step, d->vectors[GRADIENT], error));
  if (o->l1 > 0 || o->addition.l2 > 0) TRY(vector_prox(d->backend, trial, trial, NULL, d->step, o->l1, o->addition.l2, error));
  if (d->fixed) goto cleanup;
  TRY(vector_add_scaled(d->backend, moved, trial, -1.0, d->vectors[HERE], error));
  TRY(vector_dots(d->backend, 1, &pair, length_squared, error));
cleanup:
  return status;
}

/* One step. *accepted false: no step lowers F, or (fixed) F is no longer finite. */
static Status take_step(GradientDescent *d, bool *accepted, Error *error) {
  Status status = SETOSA_OK;
  double length_squared = 0.0;
  *accepted = false;
  if (!d->fixed) {
    VectorPair pair = {.a = d->vectors[GRADIENT], .b = d->vectors[GRADIENT]};
    if (!(d->step > 0.0)) TRY(vector_dots(d->backend, 1, &pair, &length_squared, error));
    d->step = d->step > 0.0 ? (d->refused ? GROWTH : FIRST_GROWTH) * d->step : length_squared > 1.0 ? 1.0 / sqrt(length_squared) : 1.0;
  }
  for (int trial = 0; trial < (d->fixed ? 1 : MAX_TRIALS) && !*accepted; trial++) {
    Evaluation at = {0};
    if (trial > 0) d->step *= SHRINK;
    TRY(make_trial(d, &length_squared, error));
    TRY(objective_evaluate_apart(d->objective, d->vectors[TRIAL], backend_all_rows(d->backend), d->vectors[TRIAL_GRADIENT], &at, error));
    d->report->evaluations++;
    *accepted = d->fixed && evaluation_is_finite(&at);
    if (!d->fixed) TRY(is_low_enough(d, &at, length_squared, accepted, error));
    d->refused = d->refused || !*accepted;
    if (!*accepted) continue;
    d->report->at = at;
    swap(&d->vectors[HERE], &d->vectors[TRIAL]);
    swap(&d->vectors[GRADIENT], &d->vectors[TRIAL_GRADIENT]);
  }
cleanup:
  return status;
}

static Status save_state(const GradientDescent *d, OptimizerState *state, Error *error) {
  Status status = SETOSA_OK;
  const Evaluation *at = &d->best_at;
  double steps[] = {d->step, d->refused ? 1.0 : 0.0}, best[] = {at->loss, at->penalty, at->objective, at->gradient_norm};
  TRY(report_put(state, d->report, error));
  TRY(state_put(state, "step", 2, steps, error));
  TRY(state_put_vector(state, d->backend, "w", d->vectors[HERE], error));
  TRY(state_put_vector(state, d->backend, "g", d->vectors[GRADIENT], error));
  if (!d->fixed) goto cleanup;
  TRY(state_put(state, "best_at", 4, best, error));
  TRY(state_put_vector(state, d->backend, "best", d->vectors[BEST], error));
cleanup:
  return status;
}

static Status load_state(GradientDescent *d, const OptimizerState *state, Error *error) {
  Status status = SETOSA_OK;
  double steps[2] = {0}, best[4] = {0};
  TRY(report_get(state, d->report, error));
  TRY(state_get(state, "step", 2, steps, error));
  TRY(state_get_vector(state, d->backend, "w", d->vectors[HERE], error));
  TRY(state_get_vector(state, d->backend, "g", d->vectors[GRADIENT], error));
  if (steps[0] < 0.0 || (d->fixed && steps[0] != d->step)) TRY(state_refuse("its step is another one", error));
  d->step = steps[0];
  d->refused = steps[1] != 0.0;
  if (!d->fixed) goto cleanup;
  TRY(state_get(state, "best_at", 4, best, error));
  TRY(state_get_vector(state, d->backend, "best", d->vectors[BEST], error));
  TRY(evaluation_take(&d->best_at, best, error));
cleanup:
  return status;
}

static Status keep_state(const GradientDescent *d, const OptimizerSettings *settings, Error *error) {
  OptimizerState state = {0};
  Status status = save_state(d, &state, error);
  if (status == SETOSA_OK) status = settings->keep(&state, settings->user, error);
  state_free(&state);
  return status;
}

static Status iterate(GradientDescent *d, const OptimizerSettings *settings, Error *error) {
  OptimizerReport *report = d->report;
  for (;;) {
    bool accepted = false;
    report->reason = STOP_GRADIENT_TOLERANCE;
    if (report->at.gradient_norm <= settings->tolerance) return SETOSA_OK;
    report->reason = STOP_MAX_ITERATIONS;
    if (report->iterations >= settings->max_iterations) return SETOSA_OK;
    Status status = take_step(d, &accepted, error);
    if (status != SETOSA_OK) return status;
    report->reason = d->fixed ? STOP_NON_FINITE : STOP_NO_PROGRESS;
    if (!accepted) return SETOSA_OK;
    report->iterations++;
    if (d->fixed && report->at.objective <= d->best_at.objective) {
      d->best_at = report->at;
      status = vector_copy(d->backend, d->vectors[BEST], d->vectors[HERE], error);
      if (status != SETOSA_OK) return status;
    }
    report->reason = STOP_INTERRUPTED;
    if (!optimizer_observe(settings, report, d->vectors[HERE], d->step) || optimizer_should_stop(settings)) return SETOSA_OK;
    if (!optimizer_keep_is_due(settings, report->iterations)) continue;
    status = keep_state(d, settings, error);
    if (status != SETOSA_OK) return status;
  }
}

/* The starting point: w as it is, or what a state says. */
static Status begin(GradientDescent *d, const Vector *w, const OptimizerSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  if (settings->resume != NULL) return load_state(d, settings->resume, error);
  TRY(vector_copy(d->backend, d->vectors[HERE], w, error));
  if (d->fixed) TRY(vector_copy(d->backend, d->vectors[BEST], w, error));
  TRY(objective_evaluate_apart(d->objective, w, backend_all_rows(d->backend), d->vectors[GRADIENT], &d->report->at, error));
  d->report->evaluations = 1;
  d->best_at = d->report->at;
cleanup:
  return status;
}

Status gd_minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = objective->backend;
  GradientDescent d = {.objective = objective, .backend = backend, .report = report, .fixed = settings->learning_rate > 0.0};
  d.step = d.fixed ? settings->learning_rate : 0.0;
  report->reason = STOP_NON_FINITE;
  /* Own vectors only, so that swapping them needs no care for the caller's. */
  TRY(vectors_create(backend, d.vectors, VECTORS, error));
  TRY(begin(&d, w, settings, error));
  if (!evaluation_is_finite(&report->at)) goto cleanup;
  TRY(iterate(&d, settings, error));
  if (optimizer_keeps_end(settings, report->reason)) TRY(keep_state(&d, settings, error));
  bool back = d.fixed && report->reason == STOP_NON_FINITE;
  if (back) report->at = d.best_at;
  TRY(vector_copy(backend, w, d.vectors[back ? BEST : HERE], error));
cleanup:
  vectors_destroy(backend, d.vectors, VECTORS);
  return status;
}
