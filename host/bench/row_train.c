/* Rows that train: an epoch of sgd, or lbfgs, both by setosa_train, whose own clock leaves upload and building out. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "bench/row.h"
#include "model/model.h"
#include "train/device.h"

enum { EPOCHS_MOST = 1000 };

static bool on_progress(const SetosaProgress *progress, void *user) {
  (void)progress;
  const SetosaBenchOptions *options = user;
  return options->stop == NULL || !options->stop(options->user);
}

/* device NULL: the host. */
static SetosaTrainOptions train_options(const Row *row, SetosaDevice *device, uint64_t epochs) {
  const SetosaBenchOptions *options = row->group->options;
  BackendSettings settings = row_settings(row, device != NULL ? device->context : NULL);
  SetosaTrainOptions train = setosa_train_options_default();
  train.compute = (SetosaComputeOptions){.backend = settings.kind,
                                         .family = settings.family,
                                         .device = device,
                                         .storage = settings.storage,
                                         .tuning = settings.tuning,
                                         .reproducible = settings.reproducible};
  train.l2 = BENCH_L2;
  train.solver = row->group->what == SETOSA_BENCH_EPOCH ? SETOSA_SOLVER_SGD : SETOSA_SOLVER_LBFGS;
  if (row->group->what == SETOSA_BENCH_EPOCH) {
    train.epochs = epochs;
    train.tolerance = DBL_MIN; /* tiny data would be done after a few epochs */
    if (train.batch_size > row->group->shape.rows) train.batch_size = row->group->shape.rows;
  } else {
    train.max_iterations = options->max_iterations;
    train.tolerance = options->tolerance;
  }
  train.progress = on_progress; /* asked once an iteration, which costs nothing; prints nothing */
  train.progress_user = (void *)(uintptr_t)options;
  return train;
}

/* Epochs or iterations that a run of setosa_train had; the starting point alone counts as one. */
static double units(const SetosaTrainResult *trained) { return trained->iterations > 0 ? (double)trained->iterations : 1; }

/* The model's loss by the double reference, where that is cheap: the run as a whole computed what it says. */
static Status judge_model(const Row *row, const SetosaModel *model, const SetosaTrainResult *trained, SetosaBenchResult *result,
                          Error *error) {
  double loss = NAN;
  double *bias = NULL;
  Status status = memory_allocate((void **)&bias, model->classes, sizeof *bias, "the bias", error);
  if (status != SETOSA_OK) return status;
  model_bias_for(bias, model, row->group->dataset);
  status = truth_model_loss(row->group->dataset, row->storage, model->weights, bias, &loss, error);
  free(bias);
  if (status != SETOSA_OK || isnan(loss)) return status;
  /* f32 logits of a trained model can be large; what matters is that the loss of the model is the loss that was said. */
  double difference = fabs(trained->train_log_loss - loss) / fmax(loss, 1e-3), tolerance = 1e-4;
  if (difference <= tolerance) return SETOSA_OK;
  result->status = SETOSA_BENCH_FAILED;
  result->error = difference;
  result->tolerance = tolerance;
  snprintf(result->reason, sizeof result->reason, "wrong loss after training: off by %.1e, at most %.1e is allowed", difference, tolerance);
  return SETOSA_OK;
}

/* A run that stops at an overflow keeps its last good weights, but had fewer epochs than it took time for. */
static bool overflowed(const SetosaTrainResult *trained, SetosaBenchResult *result) {
  if (isfinite(trained->objective) && strcmp(trained->stop_reason, "non-finite") != 0) return false;
  result->status = SETOSA_BENCH_FAILED;
  snprintf(result->reason, sizeof result->reason, "the loss overflowed while training; standardize the features with --standardize");
  return true;
}

/* A run that fails *result leaves a reason there. */
static Status run_once(const Row *row, Dataset *view, const SetosaTrainOptions *options, bool judged, SetosaTrainResult *trained,
                       SetosaBenchResult *result, Error *error) {
  SetosaModel *model = NULL;
  Status status = bench_go_on(row->group->options, error);
  if (status == SETOSA_OK) status = setosa_train(&model, trained, view, options, error);
  if (status == SETOSA_OK) status = bench_go_on(row->group->options, error); /* a run that was cut short is no sample */
  if (status == SETOSA_OK && !overflowed(trained, result) && judged) status = judge_model(row, model, trained, result, error);
  setosa_model_destroy(model);
  return status;
}

static Status time_training(const Row *row, SetosaDevice *device, Dataset *view, SetosaBenchResult *result, Error *error) {
  Status status = SETOSA_OK;
  Timing timing = row_timing(row);
  SetosaTrainResult trained = {0};
  uint64_t epochs = 1;
  row_say(row, "first run");
  SetosaTrainOptions options = train_options(row, device, epochs);
  TRY(run_once(row, view, &options, true, &trained, result, error));
  if (result->reason[0] != '\0') return SETOSA_OK;
  result->first_call_ms += 1e3 * (trained.seconds_upload + trained.seconds_tune + trained.seconds_build);
  if (trained.seconds_train < SAMPLE_SECONDS)
    epochs = (uint64_t)fmin(EPOCHS_MOST, ceil(1.2 * SAMPLE_SECONDS / fmax(trained.seconds_train, 1e-6)));
  options = train_options(row, device, epochs);
  row_say(row, "timing");
  while (timing_wants_more(&timing)) {
    TRY(bench_go_on(timing.options, error));
    TRY(timing_look_at_limits(&timing, error));
    TRY(run_once(row, view, &options, false, &trained, result, error));
    if (result->reason[0] != '\0') return SETOSA_OK;
    samples_add(&timing.seconds, trained.seconds_train / units(&trained));
  }
  timing_report(&timing, (double)trained.evaluations / units(&trained), result);
  row_report_memory(row, trained.device_bytes, 2, result);
  result->iterations = trained.iterations;
cleanup:
  return status;
}

/* The backend's steps against the reference, on a context of their own: what they hold is not the training's. */
static Status judge_steps(const Row *row, SetosaBenchResult *result, Error *error) {
  Status status = SETOSA_OK;
  Context *context = NULL;
  Contender contender = {0};
  BackendFacts facts = {0};
  TRY(row_open_context(row, &context, error));
  TRY(row_open_contender(row, context, &contender, error));
  result->status = SETOSA_BENCH_FAILED;
  TRY(row_judge(row, &contender, INFINITY, result, error));
  backend_facts(contender.backend, &facts);
  result->family = facts.family;
  result->first_call_ms = 1e3 * facts.seconds_tune; /* that the training then finds done */
cleanup:
  contender_close(&contender);
  context_close(context);
  return status;
}

Status row_train(const Row *row, SetosaBenchResult *result, Error *error) {
  Status status = SETOSA_OK;
  SetosaDevice device = {.forced = true}; /* its place was tested */
  Dataset *view = NULL;
  TRY(judge_steps(row, result, error));
  if (result->reason[0] != '\0') return SETOSA_OK;
  TRY(row_open_context(row, &device.context, error));
  /* setosa_train permutes the rows for sgd: a slice then gets rows of its own, and the work's stay as they are. */
  TRY(dataset_slice(&view, row->group->dataset, dataset_all(row->group->dataset), error));
  TRY(time_training(row, device.context != NULL ? &device : NULL, view, result, error));
cleanup:
  setosa_dataset_destroy(view);
  context_close(device.context);
  return status;
}
