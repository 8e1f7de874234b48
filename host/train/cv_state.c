/* The checkpoint of a cross-validation: the models that are done, and those that the next one begins from. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "train/cv.h"

/* ---- what it is ----------------------------------------------------------------------------------------------------- */

/* "5", and for folds that were given a hash of them. */
static Status compare_folds(Cv *cv, Error *error) {
  char text[64];
  uint64_t hash = hash_bytes(cv->fold, dataset_shape(cv->dataset).rows * sizeof *cv->fold);
  if (cv->options->fold == NULL)
    snprintf(text, sizeof text, "%zu", cv->folds);
  else
    snprintf(text, sizeof text, "%zu, given as %016llx", cv->folds, (unsigned long long)hash);
  return keeper_compare(&cv->keeper, "folds", text, error);
}

Status cv_open_keeper(Cv *cv, Error *error) {
  Status status = SETOSA_OK;
  char text[128];
  TRY(keeper_open(&cv->keeper, cv->dataset, error));
  TRY(compare_folds(cv, error));
  const SetosaCvOptions *o = cv->options;
  if (cv_path_is_by_data(o))
    snprintf(text, sizeof text, "%zu values by the data", cv->count);
  else
    snprintf(text, sizeof text, "%.17g:%.17g:%zu", cv_path_least(o), cv_path_most(o), cv->count);
  TRY(keeper_compare(&cv->keeper, "l2-path", text, error));
  snprintf(text, sizeof text, "%.17g", cv->options->l1_ratio);
  TRY(keeper_compare(&cv->keeper, "l1-ratio", text, error));
cleanup:
  return status;
}

/* ---- the state -------------------------------------------------------------------------------------------------------- */

/* Models of all rows among those that are done. */
static size_t path_done(const Cv *cv) { return cv->done == 0 ? 0 : cv_lambda_of(cv, cv->done - 1) + 1; }

static Status save_state(const Cv *cv, OptimizerState *state, Error *error) {
  Status status = SETOSA_OK;
  const double report[] = {(double)cv->done, 0};
  size_t parameters = cv->backend->parameters;
  TRY(state_put(state, "report", 2, report, error));
  TRY(state_put(state, "fits", cv->done * CV_FIT_NUMBERS, (const double *)cv->fits, error));
  TRY(state_put(state, "path", path_done(cv) * parameters, cv->path, error));
  TRY(state_put(state, "last", CV_AGES * cv->folds * parameters, cv->last, error));
cleanup:
  return status;
}

static bool is_fit(const CvFit *fit) {
  return fit->loss >= 0 && fit->accuracy >= 0 && fit->accuracy <= 1 && fit->iterations >= 0 && fit->iterations < 9e15 &&
         fit->evaluations >= 0 && fit->evaluations < 9e15 && fit->reason >= 0 && fit->reason <= STOP_NON_FINITE &&
         fit->reason == floor(fit->reason) && fit->solver >= 0 && fit->solver <= SETOSA_SOLVER_ADAM && fit->preconditioner >= 0 &&
         fit->preconditioner <= SETOSA_PRECONDITIONER_BLOCKS;
}

Status cv_load(Cv *cv, const OptimizerState *state, Error *error) {
  Status status = SETOSA_OK;
  double report[2] = {0};
  size_t parameters = cv->backend->parameters;
  TRY(state_get(state, "report", 2, report, error));
  if (!(report[0] >= 0 && report[0] <= (double)cv_fits(cv) && report[0] == floor(report[0])))
    TRY(state_refuse("its models are more than there can be", error));
  cv->done = cv->done_before = (size_t)report[0];
  TRY(state_get(state, "fits", cv->done * CV_FIT_NUMBERS, (double *)cv->fits, error));
  for (size_t i = 0; i < cv->done; i++)
    if (!is_fit(&cv->fits[i])) TRY(state_refuse("a model of it has numbers that none has", error));
  TRY(state_get(state, "path", path_done(cv) * parameters, cv->path, error));
  TRY(state_get(state, "last", CV_AGES * cv->folds * parameters, cv->last, error));
cleanup:
  return status;
}

Status cv_keep(Cv *cv, bool end, Error *error) {
  Status status = SETOSA_OK;
  OptimizerState state = {0};
  double lap = clock_seconds();
  if (cv->train.checkpoint == NULL || cv->done == 0 || !(end || keeper_is_due(&cv->keeper, cv->done))) return SETOSA_OK;
  TRY(save_state(cv, &state, error));
  TRY(keeper_save(&cv->keeper, &state, error));
cleanup:
  cv->seconds_keep += clock_lap(&lap);
  state_free(&state);
  return status;
}
