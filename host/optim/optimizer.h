/* Minimisation of the objective behind a backend. One file per optimizer, written once against backend.h and blind to the device. */
#ifndef SETOSA_OPTIM_OPTIMIZER_H
#define SETOSA_OPTIM_OPTIMIZER_H

#include "compute/backend.h"

/* What an observer sees after each iteration (or epoch). Return false to stop. */
typedef struct OptimizerStep {
  uint64_t iteration; /* 1 after the first */
  uint64_t evaluations;
  Evaluation at; /* of the current weights; mini-batch solvers: of the whole data set, at the epoch's end */
  double step;   /* step length, or the learning rate */
} OptimizerStep;
typedef bool (*OptimizerObserver)(const OptimizerStep *step, const Vector *w, void *user);

/* The fields of SetosaTrainOptions that concern an optimizer. */
typedef struct OptimizerSettings {
  SetosaSolver solver;
  uint64_t max_iterations, epochs, seed;
  double tolerance, learning_rate, momentum;
  size_t history, batch_size;
  bool nesterov;
  SetosaSchedule schedule;
  OptimizerObserver observe; /* may be NULL */
  void *user;
} OptimizerSettings;

typedef enum StopReason {
  STOP_GRADIENT_TOLERANCE, /* converged */
  STOP_MAX_ITERATIONS,
  STOP_EPOCHS_DONE,
  STOP_PRECISION,   /* converged as far as this arithmetic allows: no progress, and the gradient within 10 tolerances */
  STOP_NO_PROGRESS, /* the line search can no longer lower F in this arithmetic, yet the gradient is larger */
  STOP_INTERRUPTED, /* the observer said so */
  STOP_NON_FINITE   /* the loss overflowed or is not a number; w holds the best weights before that */
} StopReason;

typedef struct OptimizerReport {
  uint64_t iterations, evaluations;
  Evaluation at; /* of the returned w */
  StopReason reason;
} OptimizerReport;

/* "gradient-tolerance", ... as SetosaTrainResult.stop_reason. */
const char *optimizer_reason_name(StopReason reason);

/* Minimises from w, in place. */
Status optimizer_minimize(Backend *backend, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error);

Status lbfgs_minimize(Backend *backend, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error);
Status gd_minimize(Backend *backend, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error);
Status sgd_minimize(Backend *backend, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error);
Status adam_minimize(Backend *backend, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error);

#endif
