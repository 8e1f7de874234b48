/* What a caller should know of how a training ended, and do about it. */
#include "train/train_advice.h"

#include <math.h>
#include <stdio.h>

/* Weights that get every row right get it righter when they are doubled, again and again: nothing holds them. */
static bool is_separable(const SetosaTrainResult *result, const SetosaTrainOptions *options) {
  return options->l2 == 0.0 && options->l1 == 0.0 && options->label_smoothing == 0.0 && result->train_accuracy == 1.0;
}

/* What to do about not having converged, in the words of the program's flags. */
static void write_advice(SetosaTrainResult *result, const OptimizerReport *report, const SetosaTrainOptions *options,
                         const Dataset *dataset) {
  const char *standardize = dataset_scaling(dataset)->offset == NULL ? "; standardize the features with --standardize" : "";
  char *advice = result->advice;
  size_t size = sizeof result->advice;
  bool ends_as_asked = options->tolerance == 0.0; /* convergence was not looked for */
  bool alive = report->reason != STOP_INTERRUPTED && report->reason != STOP_NON_FINITE;
  if (result->separable && alive) {
    if (!ends_as_asked)
      snprintf(advice, size,
               "the classes are separable: every training row is right, and without --l2 larger weights fit ever better, so "
               "that there is no optimum; use --l2 above 0");
    return;
  }
  switch (report->reason) {
    case STOP_GRADIENT_TOLERANCE:
    case STOP_PRECISION:
    case STOP_SEPARABLE: /* told above */
      advice[0] = '\0';
      break;
    case STOP_MAX_ITERATIONS:
      if (ends_as_asked) break;
      snprintf(advice, size, "raise --max-iterations or --tolerance%s", standardize);
      break;
    case STOP_PATIENCE:
      if (report->best_epoch == 0)
        snprintf(advice, size, "the validation loss has never fallen below that of the start: lower --learning-rate%s", standardize);
      break;
    case STOP_EPOCHS_DONE:
      if (report->at.loss > 2 * log((double)dataset_shape(dataset).classes)) { /* zeros, where training begins, have a loss of log K */
        snprintf(advice, size, "it diverged: lower --learning-rate%s", standardize);
        break;
      }
      if (ends_as_asked) break;
      snprintf(advice, size, "raise --epochs, change --learning-rate, or use --solver auto to reach the optimum%s", standardize);
      break;
    case STOP_NO_PROGRESS:
      if (ends_as_asked) break;
      snprintf(advice, size, "rounding hides any further decrease: %s%sraise --tolerance above %.1e",
               standardize[0] != '\0' ? "standardize the features with --standardize, " : "",
               options->compute.backend != SETOSA_BACKEND_REFERENCE ? "compute in double with --backend reference, or " : "",
               report->at.gradient_norm);
      break;
    case STOP_INTERRUPTED:
      snprintf(advice, size, "it was stopped; %s",
               result->checkpoints > 0 && result->checkpoint_error[0] == '\0' ? "go on with --resume"
                                                                              : "with --checkpoint FILE one that is stopped can go on");
      break;
    case STOP_NON_FINITE:
      snprintf(advice, size, "the loss overflowed, the last good weights are kept: %s%s",
               options->solver <= SETOSA_SOLVER_LBFGS ? "start from smaller weights" : "lower --learning-rate", standardize);
      break;
  }
}

void train_advise(SetosaTrainResult *result, const OptimizerReport *report, const SetosaTrainOptions *options, const Dataset *dataset) {
  result->separable = is_separable(result, options);
  if (result->separable && (result->converged || report->reason == STOP_NO_PROGRESS)) {
    result->converged = false; /* a small gradient is not an optimum here */
    result->stop_reason = optimizer_reason_name(STOP_SEPARABLE);
  }
  write_advice(result, report, options, dataset);
}
