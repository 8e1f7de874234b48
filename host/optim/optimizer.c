/* The choice of an optimizer, and what they share. */
#include "optim/optimizer.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "optim/certificate.h"
#include "optim/choice.h"
#include "optim/common.h"
#include "optim/proximal.h"

const char *optimizer_reason_name(StopReason reason) {
  switch (reason) {
    case STOP_GRADIENT_TOLERANCE:
      return "gradient-tolerance";
    case STOP_MAX_ITERATIONS:
      return "max-iterations";
    case STOP_EPOCHS_DONE:
      return "epochs-done";
    case STOP_PATIENCE:
      return "patience";
    case STOP_PRECISION:
      return "precision-limit";
    case STOP_NO_PROGRESS:
      return "no-progress";
    case STOP_SEPARABLE:
      return "separable";
    case STOP_INTERRUPTED:
      return "interrupted";
    case STOP_NON_FINITE:
      return "non-finite";
  }
  return "unknown";
}

static Status minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error) {
  if (objective->l1 > 0 && settings->solver <= SETOSA_SOLVER_LBFGS) return proximal_minimize(objective, w, settings, report, error);
  switch (settings->solver) {
    case SETOSA_SOLVER_AUTO: /* resolved */
    case SETOSA_SOLVER_LBFGS:
      return lbfgs_minimize(objective, w, settings, report, error);
    case SETOSA_SOLVER_NEWTON:
      return newton_minimize(objective, w, settings, report, error);
    case SETOSA_SOLVER_GD:
      return gd_minimize(objective, w, settings, report, error);
    case SETOSA_SOLVER_SGD:
      return sgd_minimize(objective, w, settings, report, error);
    case SETOSA_SOLVER_ADAM:
      return adam_minimize(objective, w, settings, report, error);
  }
  return error_set(error, SETOSA_ERROR_USAGE, "there is no solver number %d; choose auto, newton, lbfgs, gd, sgd or adam",
                   (int)settings->solver);
}

/* Where arithmetic ended the iterations the optimum may be reached all the same. */
static bool is_as_good_as_there(const OptimizerSettings *settings, const OptimizerReport *report) {
  /* Features of size 10 and weights of size 10 leave a gradient of a few 1e-6 in f32 whatever is done: that is the optimum, too. And where
   * features are of very different size, the gradient's largest component says little: then the model of F does. */
  static const double TOLERANCES = 10, NEAR = 1e-6;
  if (settings->tolerance == 0) return false; /* convergence is not looked for */
  return report->at.gradient_norm <= TOLERANCES * settings->tolerance ||
         report->decrement <= fmax(settings->gap, NEAR) * fabs(report->at.objective);
}

Status optimizer_minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error) {
  Status status = SETOSA_OK;
  OptimizerSettings own = *settings;
  SolverChoice choice;
  *report = (OptimizerReport){.decrement = NAN, .gap = NAN};
  TRY(choice_make(&choice, objective, settings, error));
  own.solver = choice.solver;
  own.preconditioner = choice.preconditioner;
  TRY(minimize(objective, w, &own, report, error));
  report->solver = choice.solver;
  report->preconditioner = choice.preconditioner;
  snprintf(report->why, sizeof report->why, "%s", choice.why);
  if (report->reason == STOP_NO_PROGRESS && is_as_good_as_there(settings, report)) report->reason = STOP_PRECISION;
  bool ended = (report->reason == STOP_GRADIENT_TOLERANCE || report->reason == STOP_PRECISION) && !settings->uncertified;
  if (ended && objective->l1 > 0)
    TRY(certificate_of_l1(objective, w, settings->seed, &report->at, &report->gap, error));
  else if (ended && settings->gap > 0 && (choice.solver == SETOSA_SOLVER_NEWTON || choice.solver == SETOSA_SOLVER_LBFGS))
    TRY(certificate_find(objective, w, settings->seed, &report->at, &report->gap, error));
cleanup:
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
  static const double LEAST = 1e-9; /* F itself may go to 0, where nothing is penalised */
  if (!(report->at.gradient_norm <= settings->tolerance)) return false;
  return settings->gap == 0 || !(report->decrement > settings->gap * fmax(fabs(report->at.objective), LEAST));
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
