/* Training options together with their data: the refusal of what makes no sense. Messages use the names of the program's flags, which a C
 * caller recognises in the fields. */
#include "train/train_options.h"

#include "optim/choice.h"
#include "optim/preconditioner.h"
#include "options/table.h"
#include "train/device.h"

size_t train_solver_vectors(const SetosaTrainOptions *options) {
  switch (options->solver) {
    case SETOSA_SOLVER_AUTO:
    case SETOSA_SOLVER_NEWTON:
    case SETOSA_SOLVER_LBFGS:
      if (options->preconditioner == SETOSA_PRECONDITIONER_NONE) return 5 + 2 * (options->history + 1);
      return 9 + 3 * (options->history + 1); /* with what a metric makes of each change of the gradient, and its own room */
    case SETOSA_SOLVER_GD:
    case SETOSA_SOLVER_ADAM:
      return 6;
    case SETOSA_SOLVER_SGD:
      return 5;
  }
  return 1;
}

bool train_is_small(DataShape shape) {
  const double launch = 8192; /* multiply-adds: about what a launch and the wait for it cost */
  return (double)shape.rows * (double)shape.features * (double)shape.classes <= launch;
}

CompareOperations train_solver_operations(const SetosaTrainOptions *options, DataShape shape) {
  const CompareOperations always = COMPARE_STEP | COMPARE_VECTORS | COMPARE_LOGITS, matrices = COMPARE_METRIC | COMPARE_GRAM;
  bool small = train_is_small(shape);
  switch (options->solver) {
    case SETOSA_SOLVER_AUTO: /* Newton, where data are small; its Hessian is then made on the host */
      return small ? always : always | COMPARE_LINE | matrices;
    case SETOSA_SOLVER_NEWTON:
      return small ? always : always | COMPARE_LINE | COMPARE_GRAM;
    case SETOSA_SOLVER_LBFGS:
      return always | (small ? 0 : COMPARE_LINE) | (options->preconditioner == SETOSA_PRECONDITIONER_NONE ? 0 : matrices);
    case SETOSA_SOLVER_ADAM:
      return always | COMPARE_ELEMENTS;
    case SETOSA_SOLVER_GD:
    case SETOSA_SOLVER_SGD:
      return always;
  }
  return always;
}

/* Preconditioners may take a quarter of the memory that was granted, where a device has them twice; a gigabyte where none was named. */
static uint64_t most_matrix_bytes(const SetosaTrainOptions *options) {
  uint64_t budget = options->compute.device_memory_bytes, usual = (uint64_t)1 << 30;
  return budget > 0 && budget / 8 < usual ? budget / 8 : usual;
}

void train_foresee_matrices(BackendSettings *settings, const SetosaTrainOptions *options, DataShape shape) {
  SolverChoice choice;
  OptimizerSettings optimizer = train_optimizer_settings(options);
  choice_foresee(&choice, shape.rows, shape.entries, shape.features, shape.classes, options->l1, &optimizer);
  settings->grams = choice.solver == SETOSA_SOLVER_NEWTON || choice.preconditioner != SETOSA_PRECONDITIONER_NONE;
  if (choice.preconditioner != SETOSA_PRECONDITIONER_NONE)
    settings->matrix_bytes = (uint64_t)preconditioner_bytes(choice.preconditioner, shape.features, shape.classes);
}

BackendSettings train_backend_settings(const SetosaTrainOptions *options, const Dataset *dataset, bool trains) {
  BackendSettings settings = device_backend_settings(&options->compute);
  settings.intercept = options->intercept;
  settings.tunes = trains;
  settings.vectors = trains ? train_solver_vectors(options) : 1;
  settings.ranks = trains ? options->compute.ranks : NULL;
  settings.fast_reduce = options->compute.fast_reduce;
  settings.small = train_is_small(dataset_shape(dataset));
  if (trains) train_foresee_matrices(&settings, options, dataset_shape(dataset));
  return settings;
}

OptimizerSettings train_optimizer_settings(const SetosaTrainOptions *o) {
  return (OptimizerSettings){.solver = o->solver,
                             .preconditioner = o->preconditioner,
                             .gap = o->gap,
                             .max_iterations = o->max_iterations,
                             .epochs = o->epochs,
                             .seed = o->seed,
                             .tolerance = o->tolerance,
                             .learning_rate = o->learning_rate,
                             .momentum = o->momentum,
                             .history = o->history,
                             .matrix_bytes = most_matrix_bytes(o),
                             .batch_size = o->batch_size,
                             .nesterov = o->nesterov,
                             .never_queues = o->compute.ranks != NULL,
                             .schedule = o->schedule,
                             .patience = o->patience};
}

/* Every row needs a label that is one of the classes. */
static Status check_labels(const Dataset *dataset, Error *error) {
  const char *source = dataset_source(dataset);
  DataShape shape = dataset_shape(dataset);
  if (shape.rows == 0) return error_set(error, SETOSA_ERROR_DATA, "%s: has no rows to train on", source);
  if (!shape.labelled)
    return error_set(error, SETOSA_ERROR_DATA, "%s: has no labels to train on; name the label column or give --labels FILE", source);
  size_t row = dataset_first_unlabelled(dataset, shape.classes);
  if (row == shape.rows) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_DATA, "%s: row %zu: its label is none of the %zu classes; correct it, or drop the row", source,
                   row + 1, shape.classes);
}

static Status check_companions(const SetosaTrainOptions *o, const Dataset *dataset, Error *error) {
  const Dataset *validation = o->validation;
  DataShape shape = dataset_shape(dataset), held_out = validation != NULL ? dataset_shape(validation) : shape;
  if (held_out.features != shape.features || held_out.classes != shape.classes)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "the validation data has %zu features and %zu classes, the training data %zu and %zu; they must be alike",
                     held_out.features, held_out.classes, shape.features, shape.classes);
  if (o->patience > 0 && solver_uses_batches(o->solver) && validation == NULL)
    return error_set(error, SETOSA_ERROR_USAGE, "--patience needs rows to judge the epochs by; hold some out with --validation 0.1");
  if (validation != NULL && check_labels(validation, error) != SETOSA_OK) return SETOSA_ERROR_DATA;
  return SETOSA_OK;
}

Status train_options_check(const SetosaTrainOptions *options, const SetosaTrainOptions *usual, const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  TRY(options_check_training(options, usual, error));
  TRY(device_check_options(&options->compute, error));
  for (size_t i = 0; i < options->checkpoint_note_count; i++)
    if (options->checkpoint_notes == NULL || options->checkpoint_notes[i].name == NULL || options->checkpoint_notes[i].value == NULL)
      TRY(error_set(error, SETOSA_ERROR_USAGE, "options.checkpoint_notes: note %zu has a name or a value that is NULL; give both", i));
  TRY(check_labels(dataset, error));
  TRY(check_companions(options, dataset, error));
cleanup:
  return status;
}
