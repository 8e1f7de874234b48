/* Options of cross-validation: defaults, checks, the path. */
#include <math.h>

#include "base/memory.h"
#include "options/table.h"
#include "train/cv.h"
#include "train/train_options.h"

static const double USUAL_GAP = 1e-9, LARGEST = 1e30;
enum { USUAL_COUNT = 20, USUAL_FOLDS = 5, MOST_FOLDS = 1000, MOST_COUNT = 10000 };

SetosaCvOptions setosa_cv_options_default(void) {
  SetosaCvOptions options = {
      .train = setosa_train_options_default(), .folds = USUAL_FOLDS, .path_least = NAN, .path_most = NAN, .path_count = USUAL_COUNT};
  options.train.gap = USUAL_GAP; /* the loss of rows that a model has not seen is less exact than its own: of digits to some 1e-6 */
  return options;
}

static Status check_path(const SetosaCvOptions *o, Error *error) {
  double least = cv_path_least(o), most = cv_path_most(o);
  if (!(least > 0 && most > 0 && least <= LARGEST && most <= LARGEST))
    return error_set(error, SETOSA_ERROR_USAGE, "--l2-path: its ends are %g and %g; give two numbers more than 0 and at most 1e30", least,
                     most);
  if (least > most)
    return error_set(error, SETOSA_ERROR_USAGE, "--l2-path: %g is more than %g; give LEAST:MOST:COUNT, as in %g:%g:%zu", least, most, most,
                     least, o->path_count);
  if (o->path_count < 1 || o->path_count > MOST_COUNT)
    return error_set(error, SETOSA_ERROR_USAGE, "--l2-path: %zu values; give a count from 1 to %d", o->path_count, (int)MOST_COUNT);
  if ((o->path_count == 1) != (least == most))
    return error_set(error, SETOSA_ERROR_USAGE, "--l2-path: %zu value%s from %g to %g; one value is LAMBDA alone, more need different ends",
                     o->path_count, o->path_count == 1 ? "" : "s", least, most);
  if (!(o->l1_ratio >= 0 && o->l1_ratio <= 1))
    return error_set(error, SETOSA_ERROR_USAGE, "--l1-ratio %g: give a number from 0 to 1", o->l1_ratio);
  return SETOSA_OK;
}

static Status check_training(const SetosaCvOptions *o, const Dataset *dataset, Error *error) {
  if (solver_uses_batches(o->train.solver))
    return error_set(error, SETOSA_ERROR_USAGE,
                     "--solver %s: models along a path are compared at their optimum, which it does not reach; "
                     "use auto, newton, lbfgs or gd",
                     setosa_solver_name(o->train.solver));
  if (o->train.validation != NULL || o->train.initial != NULL)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "options.train: cross-validation holds rows out itself and begins at 0; leave `validation` and `initial` NULL");
  const SetosaTrainOptions usual = setosa_cv_options_default().train; /* a gap that nobody has given, whatever the solver */
  return train_options_check(&o->train, &usual, dataset, error);
}

Status cv_check_options(const SetosaCvOptions *o, const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  size_t rows = dataset_shape(dataset).rows;
  if (o->folds < 2 || o->folds > MOST_FOLDS)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "--folds \"%zu\": give a whole number from 2 to %d", o->folds, (int)MOST_FOLDS));
  if ((unsigned)o->choice > SETOSA_CV_1SE)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "options.choice: there is no choice %d; give SETOSA_CV_MIN or SETOSA_CV_1SE", (int)o->choice));
  TRY(check_path(o, error));
  TRY(check_training(o, dataset, error));
  if (rows < o->folds)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "--folds %zu: there are %zu rows; give no more folds than rows", o->folds, rows));
  TRY(dataset_check_held(dataset, "cross-validation", error));
cleanup:
  return status;
}
