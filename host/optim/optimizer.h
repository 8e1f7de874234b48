/* Minimisation of an objective. One file per optimizer, written once against objective.h and backend.h and blind to the device. */
#ifndef SETOSA_OPTIM_OPTIMIZER_H
#define SETOSA_OPTIM_OPTIMIZER_H

#include "compute/objective.h"
#include "optim/state.h"

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
  SetosaPreconditioner preconditioner;
  bool near; /* w is near the optimum already: see PreconditionerSettings */
  uint64_t max_iterations, epochs, seed;
  double tolerance, gap, learning_rate, momentum;
  bool uncertified; /* nobody asks how far above the optimum the end is: OptimizerReport.gap */
  size_t history, batch_size;
  /* lbfgs: the preconditioner to begin with, the caller's, which is renewed in place: along a path of penalties each training begins with
   * what the last has left. Of settings->preconditioner's kind and this backend. NULL: one of its own. */
  struct Preconditioner *kept;
  uint64_t matrix_bytes; /* what the matrices of a preconditioner may take */
  bool nesterov;
  bool never_queues; /* every evaluation waits for the device, so that nothing must be waited for at times that depend on a clock: ranks */
  SetosaSchedule schedule;
  OptimizerObserver observe; /* may be NULL */
  void *user;
  /* Mini-batch solvers: end when the loss of held-out rows has not fallen for `patience` epochs, with the weights after the epoch where it
   * was lowest. The loss is asked for at the start and after every epoch, and is the same on every rank. 0: never asked, never ended. */
  uint64_t patience;
  Status (*held_out_loss)(const Vector *w, double *loss, void *user, Error *error);
  /* Nothing lost. Where an optimizer can be cut (between iterations; between mini-batches) it asks whether its state is wanted and whether
   * to stop. From the same state the same bits follow as if it had not been cut. All may be NULL; each is handed `user`. */
  const OptimizerState *resume;                                          /* go on from here; w is then only where the result goes */
  bool (*stop)(void *user);                                              /* true: end as if the observer had said so */
  bool (*keep_due)(uint64_t done, void *user);                           /* done: iterations, or mini-batches, since the very start */
  Status (*keep)(const OptimizerState *state, void *user, Error *error); /* when due, and at an end that more could follow */
} OptimizerSettings;

typedef enum StopReason {
  STOP_GRADIENT_TOLERANCE, /* converged */
  STOP_MAX_ITERATIONS,
  STOP_EPOCHS_DONE,
  STOP_PATIENCE,    /* the loss of held-out rows has not fallen for so long */
  STOP_PRECISION,   /* converged as far as this arithmetic allows: no progress, and the gradient within 10 tolerances */
  STOP_NO_PROGRESS, /* the line search can no longer lower F in this arithmetic, yet the gradient is larger */
  STOP_SEPARABLE,   /* nothing is penalised and the classes are separable: the loss falls for ever, and there is no optimum */
  STOP_INTERRUPTED, /* the observer said so */
  STOP_NON_FINITE   /* the loss overflowed or is not a number; w holds the best weights before that */
} StopReason;

typedef struct OptimizerReport {
  uint64_t iterations, evaluations;
  uint64_t best_epoch;                 /* with patience: the one after which the loss of held-out rows was lowest; 0: the start */
  Evaluation at;                       /* of the returned w */
  SetosaSolver solver;                 /* that was used, */
  SetosaPreconditioner preconditioner; /* with this, */
  char why[160];                       /* for these reasons, where there was a choice */
  double gap;                          /* F - F* at most, where that is proved (certificate.h), else NAN */
  double decrement; /* F - F* as a quadratic model sees it, half the slope of the (quasi-)Newton step; NAN: there is no model */
  StopReason reason;
} OptimizerReport;

/* "gradient-tolerance", ... as SetosaTrainResult.stop_reason. */
const char *optimizer_reason_name(StopReason reason);

/* Minimises from w, a vector of the objective's backend, in place. */
Status optimizer_minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error);

Status newton_minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error);
Status lbfgs_minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error);
Status gd_minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error);
Status sgd_minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error);
Status adam_minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error);

#endif
