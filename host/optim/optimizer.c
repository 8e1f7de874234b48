/* The choice of an optimizer, and what they share. */
#include "optim/optimizer.h"

#include <float.h>
#include <math.h>

#include "optim/common.h"

const char *optimizer_reason_name(StopReason reason) {
  switch (reason) {
    case STOP_GRADIENT_TOLERANCE:
      return "gradient-tolerance";
    case STOP_MAX_ITERATIONS:
      return "max-iterations";
    case STOP_EPOCHS_DONE:
      return "epochs-done";
    case STOP_PRECISION:
      return "precision-limit";
    case STOP_NO_PROGRESS:
      return "no-progress";
    case STOP_INTERRUPTED:
      return "interrupted";
    case STOP_NON_FINITE:
      return "non-finite";
  }
  return "unknown";
}

static Status minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error) {
  switch (settings->solver) {
    case SETOSA_SOLVER_AUTO:
    case SETOSA_SOLVER_NEWTON:
    case SETOSA_SOLVER_LBFGS:
      return lbfgs_minimize(objective, w, settings, report, error);
    case SETOSA_SOLVER_GD:
      return gd_minimize(objective, w, settings, report, error);
    case SETOSA_SOLVER_SGD:
      return sgd_minimize(objective, w, settings, report, error);
    case SETOSA_SOLVER_ADAM:
      return adam_minimize(objective, w, settings, report, error);
  }
  return error_set(error, SETOSA_ERROR_USAGE, "there is no solver number %d; choose lbfgs, gd, sgd or adam", (int)settings->solver);
}

Status optimizer_minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error) {
  /* Features of size 10 and weights of size 10 leave a gradient of a few 1e-6 in f32 whatever is done: that is the optimum, too. */
  static const double PRECISION_TOLERANCES = 10;
  *report = (OptimizerReport){.decrement = NAN};
  Status status = minimize(objective, w, settings, report, error);
  if (status == SETOSA_OK && report->reason == STOP_NO_PROGRESS && report->at.gradient_norm <= PRECISION_TOLERANCES * settings->tolerance)
    report->reason = STOP_PRECISION;
  return status;
}

/* Beyond a float's range counts as overflow with every backend: the model is kept in f32. */
bool evaluation_is_finite(const Evaluation *at) { return fabs(at->objective) <= FLT_MAX && at->gradient_norm <= FLT_MAX; }

Status vectors_create(Backend *backend, Vector **vectors, size_t count, Error *error) {
  Status status = SETOSA_OK;
  for (size_t i = 0; i < count && status == SETOSA_OK; i++) status = vector_create(backend, &vectors[i], error);
  return status;
}

void vectors_destroy(Backend *backend, Vector **vectors, size_t count) {
  for (size_t i = 0; i < count; i++) {
    vector_destroy(backend, vectors[i]);
    vectors[i] = NULL;
  }
}

Status vector_add_scaled(Backend *backend, Vector *out, const Vector *a, double step, const Vector *b, Error *error) {
  return vector_combine(backend, out, 2, (const double[]){1.0, step}, (const Vector *const[]){a, b}, error);
}

Status report_put(OptimizerState *state, const OptimizerReport *report, Error *error) {
  const Evaluation *at = &report->at;
  double numbers[] = {(double)report->iterations, (double)report->evaluations, at->loss, at->penalty, at->objective, at->gradient_norm};
  return state_put(state, "report", sizeof numbers / sizeof *numbers, numbers, error);
}

Status report_get(const OptimizerState *state, OptimizerReport *report, Error *error) {
  double numbers[6] = {0};
  Status status = state_get(state, "report", 6, numbers, error);
  if (status != SETOSA_OK) return status;
  for (size_t i = 0; i < 2; i++)
    if (!(numbers[i] >= 0.0 && numbers[i] < 9e15 && numbers[i] == floor(numbers[i])))
      return error_set(error, SETOSA_ERROR_DATA, "the kept state counts %g iterations and %g evaluations: it is none", numbers[0],
                       numbers[1]);
  report->iterations = (uint64_t)numbers[0];
  report->evaluations = (uint64_t)numbers[1];
  return evaluation_take(&report->at, numbers + 2, error);
}

Status evaluation_take(Evaluation *at, const double numbers[4], Error *error) {
  *at = (Evaluation){.loss = numbers[0], .penalty = numbers[1], .objective = numbers[2], .gradient_norm = numbers[3]};
  bool possible = evaluation_is_finite(at) && at->penalty >= 0.0 && at->gradient_norm >= 0.0; /* a loss may be rounded below 0 */
  return possible ? SETOSA_OK : state_refuse("its objective is beyond float32, or its penalty or gradient below 0", error);
}

bool optimizer_is_there(const OptimizerSettings *settings, const OptimizerReport *report) {
  if (!(report->at.gradient_norm <= settings->tolerance)) return false;
  return settings->gap == 0 || !(report->decrement > settings->gap * fabs(report->at.objective));
}

bool optimizer_keep_is_due(const OptimizerSettings *settings, uint64_t done) {
  return settings->keep != NULL && settings->keep_due != NULL && settings->keep_due(done, settings->user);
}

bool optimizer_should_stop(const OptimizerSettings *settings) { return settings->stop != NULL && settings->stop(settings->user); }

bool optimizer_keeps_end(const OptimizerSettings *settings, StopReason reason) {
  /* After STOP_NO_PROGRESS the history is gone, after STOP_NON_FINITE the iterate: the last state kept leads to the same end. */
  return settings->keep != NULL && reason != STOP_NO_PROGRESS && reason != STOP_PRECISION && reason != STOP_NON_FINITE;
}

bool optimizer_observe(const OptimizerSettings *settings, const OptimizerReport *report, const Vector *w, double step) {
  if (settings->observe == NULL) return true;
  OptimizerStep seen = {.iteration = report->iterations, .evaluations = report->evaluations, .at = report->at, .step = step};
  return settings->observe(&seen, w, settings->user);
}
