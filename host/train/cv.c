/* Cross-validation: models of all rows and of all but one fold, along a path of penalties, on one backend. */
#include "train/cv.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "compute/open.h"
#include "train/device.h"
#include "train/feature_means.h"
#include "train/outcome.h"
#include "train/train_options.h"

static void close_cv(Cv *cv) {
  preconditioner_close(cv->preconditioner);
  if (cv->backend != NULL) vector_destroy(cv->backend, cv->w);
  backend_close(cv->backend);
  cv->backend = NULL;
  keeper_close(&cv->keeper);
  void *arrays[] = {cv->lambda, cv->fold, cv->fold_weight, cv->factors, cv->fits, cv->path, cv->last, cv->start};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
}

/* What the options of a training do not hold must be the same on all ranks, too. */
static Status check_alike(Cv *cv, Error *error) {
  Status status = SETOSA_OK;
  Text text = {0};
  uint64_t own = 0, first = 0;
  TRY(text_append(&text, error, "%zu %zu %a %a %a %d", cv->folds, cv->count, cv->options->path_least, cv->options->path_most,
                  cv->options->l1_ratio, (int)cv->options->choice));
  own = first = hash_bytes(text.text, text.length) ^ hash_bytes(cv->fold, dataset_shape(cv->dataset).rows * sizeof *cv->fold);
  TRY(ranks_broadcast(cv->ranks, &first, sizeof first, error));
  status = own == first ? SETOSA_OK
                        : error_set(error, SETOSA_ERROR_USAGE,
                                    "rank %zu has other options than rank 0; start all with the same command line", ranks_rank(cv->ranks));
  status = ranks_agree(cv->ranks, status, error);
cleanup:
  text_free(&text);
  return status;
}

/* Before the work: all that can be refused. */
static Status prepare(Cv *cv, Error *error) {
  Status status = SETOSA_OK;
  TRY(cv_check_options(cv->options, cv->dataset, error));
  if (!cv->train.intercept) TRY(dataset_unshift(cv->dataset, error));
  TRY(job_check_alike(cv->ranks, cv->dataset, &cv->train, error));
  cv->class_weighted = cv->train.class_weight != NULL;
  if (cv->class_weighted) TRY(setosa_dataset_set_class_weights(cv->dataset, cv->train.class_weight, error));
  TRY(cv_make_folds(cv, error));
  TRY(check_alike(cv, error));
  TRY(keeper_find(&cv->keeper, &cv->train, error));
  if (cv->train.resume != cv->options->train.resume) TRY(job_check_alike(cv->ranks, cv->dataset, &cv->train, error));
  TRY(cv_open_keeper(cv, error));
  cv_warn_of_classes(cv);
cleanup:
  return status;
}

static Status open_cv(Cv *cv, double *seconds_test, Error *error) {
  Status status = SETOSA_OK;
  DataShape shape = dataset_shape(cv->dataset);
  BackendSettings settings = train_backend_settings(&cv->train, cv->dataset, true);
  CompareOperations uses = train_solver_operations(&cv->train, shape);
  BackendFacts facts = {0};
  size_t values = 0;
  settings.reweighs = true;
  TRY(device_open_backend(&cv->backend, seconds_test, cv->dataset, &settings, &cv->train.compute, uses, error));
  TRY(vector_create(cv->backend, &cv->w, error));
  TRY(memory_multiply(&values, cv->count, cv->backend->parameters, "the weights along the path", error));
  TRY(memory_allocate((void **)&cv->path, values, sizeof *cv->path, "the weights along the path", error));
  TRY(memory_multiply(&values, CV_AGES * cv->folds, cv->backend->parameters, "the weights of the folds", error));
  TRY(memory_allocate_zero((void **)&cv->last, values, sizeof *cv->last, "the weights of the folds", error));
  TRY(memory_allocate((void **)&cv->start, cv->backend->parameters, sizeof *cv->start, "weights", error));
  TRY(memory_allocate_zero((void **)&cv->fits, cv_fits(cv), sizeof *cv->fits, "the models", error));
  TRY(keeper_meet_backend(&cv->keeper, cv->backend, error));
  TRY(cv_make_path(cv, error));
  TRY(cv_choose_solver(cv, error));
  if (cv->train.resume != NULL) TRY(cv_load(cv, &cv->train.resume->state, error));
  backend_facts(cv->backend, &facts);
  cv->flops_before = facts.flops;
cleanup:
  return status;
}

static Status run(Cv *cv, Error *error) {
  Status status = SETOSA_OK;
  cv->began = clock_seconds();
  while (cv->done < cv_fits(cv) && !cv->stopped) {
    TRY(cv_fit_next(cv, error));
    TRY(cv_keep(cv, cv->stopped || cv->done == cv_fits(cv), error));
  }
cleanup:
  if (status != SETOSA_OK) keeper_explain(&cv->keeper, error);
  return status;
}

/* The model of all rows with the chosen lambda, as a training would have left it. */
static Status make_model(Model **model, const Cv *cv, const SetosaCvResult *result, Error *error) {
  Status status = SETOSA_OK;
  Model *made = NULL;
  size_t chosen = result->chosen;
  const CvFit *fit = &cv->fits[chosen * (cv->folds + 1)];
  const SetosaCvPoint *point = &result->points[chosen];
  StopReason reason = (StopReason)fit->reason;
  SetosaTrainOptions options = cv->train;
  SetosaTrainResult told = {.objective = fit->objective,
                            .loss = fit->training_loss,
                            .gradient_norm = fit->gradient_norm,
                            .iterations = (uint64_t)fit->iterations,
                            .converged = reason == STOP_GRADIENT_TOLERANCE || reason == STOP_PRECISION,
                            .stop_reason = optimizer_reason_name(reason)};
  options.l1 = point->l1;
  options.l2 = point->l2;
  TRY(model_create_for(&made, cv->dataset, error));
  TRY(outcome_weights(made, cv->path + chosen * cv->backend->parameters, cv->dataset, error));
  TRY(outcome_metadata(made, &told, &options, cv->backend, cv->dataset, error));
  TRY(model_set_metadata(made, error, "cv_folds", "%zu", cv->folds));
  TRY(model_set_metadata(made, error, "cv_loss", "%.17g", point->loss));
  TRY(model_set_metadata(made, error, "cv_standard_error", "%.17g", point->standard_error));
  *model = made;
  made = NULL;
cleanup:
  setosa_model_destroy(made);
  return status;
}

/* Seconds that kernels took to build do not count as those of opening or of models. */
typedef struct CvTimes {
  double lap, prepare, open, fit, test;
} CvTimes;

static void fill_times(SetosaCvResult *result, const Cv *cv, const CvTimes *times) {
  BackendFacts facts = {0};
  backend_facts(cv->backend, &facts);
  result->seconds_prepare = times->prepare;
  result->seconds_test = times->test;
  result->seconds_build = facts.seconds_build;
  result->seconds_open = times->open - times->test;
  result->seconds_score = cv->seconds_score;
  result->seconds_checkpoint = cv->seconds_keep;
  result->seconds_fit = times->fit - cv->seconds_score - cv->seconds_keep - facts.seconds_build;
  if (result->seconds_fit < 0) result->seconds_fit = 0;
}

SetosaStatus setosa_cv(SetosaModel **model, SetosaCvResult **result, SetosaDataset *dataset, const SetosaCvOptions *options,
                       SetosaError *error) {
  Status status = SETOSA_OK;
  Cv cv = {.options = options, .dataset = dataset};
  SetosaCvResult *table = NULL;
  Model *made = NULL;
  CvTimes times = {.lap = clock_seconds()};
  if (model != NULL) *model = NULL;
  if (result != NULL) *result = NULL;
  if (arguments_check(error, GIVEN(result), GIVEN(dataset), GIVEN(options)) != SETOSA_OK) return SETOSA_ERROR_USAGE;
  cv.train = options->train;
  cv.train.l1 = cv.train.l2 = 0;
  cv.folds = options->folds;
  cv.count = options->path_count;
  cv.keeper.command = "cv";
  cv.ranks = cv.wishes.ranks = options->train.compute.ranks;
  TRY(prepare(&cv, error));
  times.prepare = clock_lap(&times.lap);
  TRY(open_cv(&cv, &times.test, error));
  times.open = clock_lap(&times.lap);
  if (cv.train.begins != NULL) cv.train.begins(cv.train.resume != NULL, cv.done, cv.train.progress_user);
  TRY(run(&cv, error));
  times.fit = clock_lap(&times.lap);
  TRY(dataset_check_unchanged(dataset, error));
  TRY(cv_make_result(&table, &cv, error));
  fill_times(table, &cv, &times);
  if (model != NULL && table->complete) TRY(make_model(&made, &cv, table, error));
cleanup:
  close_cv(&cv);
  if (cv.class_weighted) {
    Status restored = setosa_dataset_set_class_weights(dataset, NULL, status == SETOSA_OK ? error : NULL);
    if (status == SETOSA_OK) status = restored;
  }
  if (status == SETOSA_OK && made != NULL) status = feature_means(made, dataset, error); /* without weights of classes */
  status = ranks_agree(cv.ranks, status, error);
  if (status == SETOSA_OK) {
    *result = table;
    if (model != NULL) *model = made;
    table = NULL;
    made = NULL;
  }
  setosa_cv_result_destroy(table);
  setosa_model_destroy(made);
  return status;
}
