/* Training options: their defaults, and the refusal of those that make no sense. Messages use the names of the program's flags, which a
 * C caller recognises in the fields. */
#include "train/train_options.h"

#include <math.h>
#include <string.h>

#include "model/model.h"
#include "train/device.h"

SetosaComputeOptions setosa_compute_options_default(void) {
  return (SetosaComputeOptions){.backend = SETOSA_BACKEND_AUTO, .family = SETOSA_FAMILY_AUTO, .device = NULL};
}

/* tolerance: with 1e-5, F on the digits (64 features, l2 0.001) ends 1.3e-6 (double) to 2.5e-6 (f32) of itself above the optimum; with
 * 3e-6, below 1e-7. f32 gradients of ordinary data can go that low: they stop falling at 1e-7 on raw iris, 1e-8 on scaled data.
 * history: 20 pairs need 20 to 40 % fewer passes than 10 on iris, digits and breast cancer, for 20 more vectors.
 * max_iterations: the hardest of the well-scaled sets tried needs 150; data that needs more than 1000 wants standardizing. */
SetosaTrainOptions setosa_train_options_default(void) {
  return (SetosaTrainOptions){
      .compute = setosa_compute_options_default(),
      .solver = SETOSA_SOLVER_LBFGS,
      .l2 = 1e-4,
      .intercept = true,
      .max_iterations = 1000,
      .tolerance = 3e-6,
      .history = 20,
      .learning_rate = NAN,
      .momentum = 0.0,
      .nesterov = false,
      .batch_size = 256,
      .epochs = 20,
      .schedule = SETOSA_SCHEDULE_COSINE,
      .seed = 1,
      .checkpoint_seconds = 60.0,
  };
}

size_t train_solver_vectors(const SetosaTrainOptions *options) {
  switch (options->solver) {
    case SETOSA_SOLVER_LBFGS:
      return 5 + 2 * (options->history + 1);
    case SETOSA_SOLVER_GD:
    case SETOSA_SOLVER_ADAM:
      return 6;
    case SETOSA_SOLVER_SGD:
      return 5;
  }
  return 1;
}

const char *train_solver_name(SetosaSolver solver) {
  static const char *const names[] = {"lbfgs", "gd", "sgd", "adam"};
  return (size_t)solver < sizeof names / sizeof *names ? names[solver] : "unknown";
}

bool train_solver_uses_batches(SetosaSolver solver) { return solver == SETOSA_SOLVER_SGD || solver == SETOSA_SOLVER_ADAM; }

CompareOperations train_solver_operations(SetosaSolver solver) {
  const CompareOperations always = COMPARE_STEP | COMPARE_VECTORS | COMPARE_LOGITS;
  if (solver == SETOSA_SOLVER_LBFGS) return always | COMPARE_LINE;
  if (solver == SETOSA_SOLVER_ADAM) return always | COMPARE_ELEMENTS;
  return always;
}

static Status usage(Error *error, const char *message) { return error_set(error, SETOSA_ERROR_USAGE, "%s", message); }

static Status check_choices(const SetosaTrainOptions *o, Error *error) {
  if ((unsigned)o->solver > SETOSA_SOLVER_ADAM) return usage(error, "--solver: choose lbfgs, gd, sgd or adam");
  if ((unsigned)o->schedule > SETOSA_SCHEDULE_STEP) return usage(error, "--schedule: choose constant, inverse, cosine or step");
  return device_check_options(&o->compute, error);
}

static Status check_numbers(const SetosaTrainOptions *o, Error *error) {
  if (!(o->l2 >= 0.0) || o->l2 > 1e30) return error_set(error, SETOSA_ERROR_USAGE, "--l2 is %g; it must be a number from 0 to 1e30", o->l2);
  if (!(o->tolerance > 0.0) || !isfinite(o->tolerance))
    return error_set(error, SETOSA_ERROR_USAGE, "--tolerance is %g; it must be a finite number above 0", o->tolerance);
  if (!(o->momentum >= 0.0 && o->momentum < 1.0))
    return error_set(error, SETOSA_ERROR_USAGE, "--momentum is %g; it must be at least 0 and below 1", o->momentum);
  if (!isnan(o->learning_rate) && (!(o->learning_rate >= 0.0) || isinf(o->learning_rate)))
    return error_set(error, SETOSA_ERROR_USAGE, "--learning-rate is %g; it must be a finite number, 0 or more", o->learning_rate);
  if (o->solver == SETOSA_SOLVER_LBFGS && (o->history < 1 || o->history > 1000))
    return error_set(error, SETOSA_ERROR_USAGE, "--history is %zu; it must be 1 to 1000", o->history);
  return SETOSA_OK;
}

/* Options that the solver does not have would be silently without effect. */
static Status check_solver(const SetosaTrainOptions *o, Error *error) {
  const char *solver = train_solver_name(o->solver);
  if (o->solver == SETOSA_SOLVER_LBFGS && !isnan(o->learning_rate))
    return usage(error, "--learning-rate has no effect with --solver lbfgs, which finds its steps; leave it out, or use gd, sgd or adam");
  if (o->solver != SETOSA_SOLVER_SGD && o->momentum != 0.0)
    return error_set(error, SETOSA_ERROR_USAGE, "--momentum has no effect with --solver %s; leave it out, or use --solver sgd", solver);
  if (o->solver != SETOSA_SOLVER_SGD && o->nesterov)
    return error_set(error, SETOSA_ERROR_USAGE, "--nesterov has no effect with --solver %s; leave it out, or use --solver sgd", solver);
  if (o->nesterov && o->momentum == 0.0) return usage(error, "--nesterov needs momentum to look ahead along; add --momentum 0.9");
  if (!train_solver_uses_batches(o->solver)) return SETOSA_OK;
  if (o->learning_rate == 0.0)
    return error_set(error, SETOSA_ERROR_USAGE, "--learning-rate is 0, with which %s would not move; it must be above 0", solver);
  if (o->batch_size == 0) return usage(error, "--batch-size is 0; it must be 1 or more");
  if (o->epochs == 0) return usage(error, "--epochs is 0; it must be 1 or more");
  return SETOSA_OK;
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

static bool same_scaling(const Scaling *a, const Scaling *b, size_t features) {
  if (a->scale == NULL || b->scale == NULL) return a->scale == b->scale;
  return memcmp(a->scale, b->scale, features * sizeof(float)) == 0 && memcmp(a->offset, b->offset, features * sizeof(float)) == 0;
}

static Status check_companions(const SetosaTrainOptions *o, const Dataset *dataset, Error *error) {
  const Dataset *validation = o->validation;
  const Model *initial = o->initial;
  DataShape shape = dataset_shape(dataset), held_out = validation != NULL ? dataset_shape(validation) : shape;
  if (held_out.features != shape.features || held_out.classes != shape.classes)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "the validation data has %zu features and %zu classes, the training data %zu and %zu; they must be alike",
                     held_out.features, held_out.classes, shape.features, shape.classes);
  if (validation != NULL && check_labels(validation, error) != SETOSA_OK) return SETOSA_ERROR_DATA;
  if (initial != NULL && (initial->features != shape.features || initial->classes != shape.classes))
    return error_set(error, SETOSA_ERROR_USAGE,
                     "the initial model has %zu features and %zu classes, the training data %zu and %zu; start from a model of this data",
                     initial->features, initial->classes, shape.features, shape.classes);
  if (initial != NULL && initial->scaling.scale != NULL && !same_scaling(&initial->scaling, dataset_scaling(dataset), shape.features))
    return error_set(error, SETOSA_ERROR_USAGE,
                     "the initial model was trained on features scaled differently; scale the data as the model does, or start afresh");
  return SETOSA_OK;
}

Status train_options_check(const SetosaTrainOptions *options, const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  if (options == NULL || dataset == NULL)
    return usage(error, "training needs a data set and options; start from setosa_train_options_default()");
  TRY(check_choices(options, error));
  TRY(check_numbers(options, error));
  TRY(check_solver(options, error));
  TRY(check_labels(dataset, error));
  TRY(check_companions(options, dataset, error));
cleanup:
  return status;
}
