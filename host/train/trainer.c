/* Training: a data set goes up to a backend, an optimizer works on it, a model comes down. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/memory.h"
#include "compute/open.h"
#include "model/model.h"
#include "optim/choice.h"
#include "optim/optimizer.h"
#include "options/table.h"
#include "train/checkpoint.h"
#include "train/device.h"
#include "train/feature_means.h"
#include "train/job.h"
#include "train/outcome.h"
#include "train/score.h"
#include "train/stage.h"
#include "train/start.h"
#include "train/train_advice.h"
#include "train/train_options.h"
#include "train/train_times.h"

typedef struct Training {
  const SetosaTrainOptions *options;
  Backend *backend;
  Objective objective; /* what is minimised on it */
  Vector *w;
  Backend *validation; /* NULL without validation rows, and on ranks other than 0 */
  Vector *validation_w;
  Dataset *validation_rows;   /* a copy that is not shifted, where there is no bias to make up for it; NULL: those of options */
  double validation_loss;     /* of the last epoch, with patience */
  double *shift_apart;        /* (D) what validation rows are shifted by beyond the training rows; NULL: nothing */
  double *parameters;         /* (P) on the host: the way of weights between backends and into the model */
  double began, build_before; /* clock, and seconds spent building kernels, at the start of the optimizer */
  Start start;                /* what of the initial model goes where */
  Keeper keeper;              /* of checkpoints */
  JobWishes wishes;           /* of the ranks, where there are several */
  double seconds_test;        /* of the self-test of its devices */
  double seconds_keep;        /* of writing checkpoints */
  const Dataset *dataset;
  BackendSettings backend_settings;
  ObjectiveTerms terms;
  uint64_t flops_before, flops_stage; /* of the backend, at the start of the optimizer; of the stage before it */
  uint64_t evaluations_before;        /* of a training that goes on: not of this run's time */
  Status callback_status;             /* of what goes on inside an observer, which can only say stop */
  Error *error;
} Training;

static Status open_backend(Backend **backend, Vector **w, double *seconds_test, const Dataset *dataset, const SetosaTrainOptions *options,
                           const BackendSettings *settings, Error *error) {
  CompareOperations uses = train_solver_operations(options, dataset_shape(dataset));
  Status status = device_open_backend(backend, seconds_test, dataset, settings, &options->compute, uses, error);
  return status != SETOSA_OK ? status : vector_create(*backend, w, error);
}

/* Zeros, or what the initial model knows of this data. */
static Status write_start(const Training *t, const Dataset *dataset, Error *error) {
  if (t->start.model == NULL) return SETOSA_OK;
  Status status = start_weights(t->parameters, &t->start, dataset, t->options->intercept, error);
  return status != SETOSA_OK ? status : vector_write(t->backend, t->w, t->parameters, error);
}

static void close_training(Training *t) {
  objective_close(&t->objective);
  if (t->backend != NULL) vector_destroy(t->backend, t->w);
  if (t->validation != NULL) vector_destroy(t->validation, t->validation_w);
  backend_close(t->validation);
  backend_close(t->backend);
  setosa_dataset_destroy(t->validation_rows);
  free(t->shift_apart);
  free(t->parameters);
  start_free(&t->start);
}

/* Rows may hold x - shift, each data set with a shift of its own. Without a bias they must hold x. */
static Status meet_shifts(Training *t, SetosaTrainOptions *own, Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  size_t features = dataset_shape(dataset).features;
  if (!own->intercept) TRY(dataset_unshift(dataset, error));
  const double *there = own->validation != NULL ? setosa_dataset_shift(own->validation) : NULL, *here = setosa_dataset_shift(dataset);
  if (own->validation == NULL || (there == NULL && here == NULL)) goto cleanup;
  if (own->intercept) {
    TRY(memory_allocate((void **)&t->shift_apart, features, sizeof *t->shift_apart, "the shift of the columns", error));
    for (size_t d = 0; d < features; d++) t->shift_apart[d] = (there != NULL ? there[d] : 0) - (here != NULL ? here[d] : 0);
  } else {
    TRY(dataset_slice(&t->validation_rows, own->validation, dataset_all(own->validation), error));
    TRY(dataset_unshift(t->validation_rows, error));
    own->validation = t->validation_rows;
  }
cleanup:
  return status;
}

static bool is_first(const Training *t) { return ranks_rank(t->wishes.ranks) == 0; }

static Status open_training(Training *t, const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  const Dataset *held_out = t->options->validation;
  t->dataset = dataset;
  t->backend_settings = train_backend_settings(t->options, dataset, true);
  TRY(open_backend(&t->backend, &t->w, &t->seconds_test, dataset, t->options, &t->backend_settings, error));
  if (held_out != NULL && is_first(t)) {
    BackendSettings scores = train_backend_settings(t->options, held_out, false);
    TRY(open_backend(&t->validation, &t->validation_w, NULL, held_out, t->options, &scores, error));
  }
  TRY(memory_allocate((void **)&t->parameters, t->backend->parameters, sizeof(double), "the parameters", error));
  t->terms = (ObjectiveTerms){.l1 = t->options->l1, .l2 = t->options->l2, .label_smoothing = t->options->label_smoothing};
  TRY(objective_open(&t->objective, t->backend, &t->terms, error));
  TRY(write_start(t, dataset, error));
cleanup:
  return status;
}

/* ---- while it runs ---------------------------------------------------------------------------------------------- */

/* Carries w over to the validation backend; a vector belongs to the backend that made it. All ranks read theirs together. */
static Status copy_to_validation(Training *t, const Vector *w, Error *error) {
  Status status = vector_read(t->backend, w, t->parameters, error);
  if (status != SETOSA_OK || t->validation == NULL) return status;
  size_t features = t->validation->features, classes = t->validation->classes;
  double *bias = t->parameters + classes * features;
  for (size_t k = 0; t->shift_apart != NULL && k < classes; k++)
    for (size_t d = 0; d < features; d++) bias[k] += t->parameters[k * features + d] * t->shift_apart[d];
  return vector_write(t->validation, t->validation_w, t->parameters, error);
}

static Status compute_validation_loss(Training *t, const Vector *w, double *loss, Error *error) {
  Status status = SETOSA_OK;
  DataTerm at = {.loss = NAN};
  TRY(copy_to_validation(t, w, error));
  if (t->validation != NULL) TRY(backend_evaluate(t->validation, t->validation_w, backend_all_rows(t->validation), NULL, NULL, &at, error));
cleanup:
  *loss = at.loss;
  return status;
}

/* For the optimizer: rank 0 has the validation rows. */
static Status on_held_out_loss(const Vector *w, double *loss, void *user, Error *error) {
  Training *t = user;
  Status status = compute_validation_loss(t, w, loss, error);
  status = backend_broadcast(t->backend, status, 1, loss, error);
  t->validation_loss = *loss;
  return status;
}

/* Seconds of training since it began, without those in which kernels were built: the first use of a shape, whoever trains. */
static double training_seconds(const Training *t) {
  BackendFacts facts = {0};
  backend_facts(t->backend, &facts);
  return fmax(0.0, clock_seconds() - t->began - (facts.seconds_build - t->build_before));
}

/* Arithmetic of the training so far, in passes over all rows: each entry of theirs takes part in two products with K numbers. */
static double training_passes(const Training *t) {
  const Backend *b = t->backend;
  BackendFacts facts = {0};
  backend_facts(b, &facts);
  double flops = (double)(facts.flops - t->flops_before) * (double)ranks_size(t->wishes.ranks) + (double)t->flops_stage;
  return flops / (4.0 * (double)dataset_entries(t->dataset, dataset_all(t->dataset)) * (double)b->classes);
}

/* Of several ranks only the first is asked; whether it wants to stop, the others learn when they talk next: at once. */
static bool on_step(const OptimizerStep *step, const Vector *w, void *user) {
  Training *t = user;
  t->wishes.must_ask = true;
  const SetosaTrainOptions *options = t->options;
  double validation_loss = NAN;
  if (options->patience > 0 && solver_uses_batches(options->solver))
    validation_loss = t->validation_loss;
  else if (options->validation != NULL)
    t->callback_status = compute_validation_loss(t, w, &validation_loss, t->error);
  if (t->callback_status != SETOSA_OK) return t->wishes.ranks != NULL; /* they end together, in on_stop */
  if (!is_first(t) || options->progress == NULL) return true;
  double seconds = training_seconds(t);
  double rows_read = (double)(step->evaluations - t->evaluations_before) * (double)t->backend->rows;
  SetosaProgress progress = {
      .phase = SETOSA_PHASE_TRAIN,
      .iteration = step->iteration,
      .max_iterations = solver_uses_batches(options->solver) ? options->epochs : options->max_iterations,
      .objective = step->at.objective,
      .loss = step->at.loss,
      .gradient_norm = step->at.gradient_norm,
      .step = step->step,
      .validation_loss = validation_loss,
      .seconds = seconds,
      .rows_per_second = seconds > 0.0 ? rows_read / seconds : 0.0,
      .passes = training_passes(t),
  };
  bool goes_on = options->progress(&progress, options->progress_user);
  if (!goes_on) t->wishes.stop = true; /* a stop that was asked before is not taken back */
  return goes_on || t->wishes.ranks != NULL;
}

static bool on_stop(void *user) {
  Training *t = user;
  const SetosaTrainOptions *options = t->options;
  bool stop = options->stop != NULL && options->stop(options->progress_user);
  if (t->wishes.ranks == NULL) return stop;
  bool due = options->checkpoint != NULL && options->checkpoint_iterations == 0 && keeper_is_due(&t->keeper, 0);
  if (t->callback_status != SETOSA_OK)
    ranks_agree(t->wishes.ranks, t->callback_status, t->error);
  else
    t->callback_status = job_ask(&t->wishes, &stop, due, t->error);
  return stop || t->callback_status != SETOSA_OK;
}

static bool on_keep_due(uint64_t done, void *user) {
  Training *t = user;
  if (t->wishes.ranks != NULL && t->options->checkpoint_iterations == 0) return t->wishes.due;
  return keeper_is_due(&t->keeper, done);
}

static Status on_keep(const OptimizerState *state, void *user, Error *error) {
  Training *t = user;
  double lap = clock_seconds();
  Status status = keeper_save(&t->keeper, state, error);
  t->seconds_keep += clock_lap(&lap);
  return status;
}

/* Where many rows are to come, a stage on a few of them leads near the optimum first. */
static Status begin_near(Training *t, OptimizerSettings *settings, Error *error) {
  const SetosaTrainOptions *o = t->options;
  SolverChoice choice;
  bool staged = false;
  StageSettings stage = {.dataset = t->dataset, .backend = &t->backend_settings, .terms = t->terms, .optimizer = settings};
  if (o->resume == NULL && o->initial == NULL && o->max_iterations > 0) {
    Status status = choice_make(&choice, &t->objective, settings, error);
    if (status != SETOSA_OK || !stage_pays(&t->objective, choice.preconditioner)) return status;
    status = stage_run(t->backend, t->w, &stage, &t->flops_stage, error);
    if (status != SETOSA_OK) return status;
    staged = true;
  }
  settings->near = o->initial != NULL || staged;
  return SETOSA_OK;
}

static Status run_optimizer(Training *t, OptimizerReport *report, Error *error) {
  Status status = SETOSA_OK;
  const SetosaTrainOptions *o = t->options;
  OptimizerSettings settings = train_optimizer_settings(o);
  settings.held_out_loss = on_held_out_loss;
  settings.observe = o->progress != NULL || t->wishes.ranks != NULL ? on_step : NULL;
  settings.user = t;
  settings.resume = o->resume != NULL ? &o->resume->state : NULL;
  settings.stop = o->stop != NULL || t->wishes.ranks != NULL ? on_stop : NULL;
  settings.keep_due = on_keep_due;
  settings.keep = o->checkpoint != NULL ? on_keep : NULL;
  BackendFacts facts = {0};
  backend_facts(t->backend, &facts);
  t->error = error;
  if (o->resume != NULL) t->evaluations_before = checkpoint_state_evaluations(&o->resume->state);
  t->began = clock_seconds();
  t->build_before = facts.seconds_build;
  t->flops_before = facts.flops;
  TRY(begin_near(t, &settings, error));
  status = optimizer_minimize(&t->objective, t->w, &settings, report, error);
  if (status == SETOSA_OK) status = t->callback_status;
cleanup:
  return status;
}

/* ---- afterwards ------------------------------------------------------------------------------------------------- */

static Status score_everything(Training *t, const Dataset *dataset, SetosaTrainResult *result, Error *error) {
  Status status = SETOSA_OK;
  if (!isfinite(result->objective)) return SETOSA_OK; /* a start that overflows: there is nothing to score, and that is said */
  Ranks *ranks = t->wishes.ranks;
  double held_out[2] = {NAN, NAN};
  TRY(score_rows(t->backend, t->w, dataset, NULL, ranks, &result->train_accuracy, &result->train_log_loss, error));
  if (t->options->validation == NULL) goto cleanup;
  TRY(copy_to_validation(t, t->w, error));
  if (t->validation != NULL)
    TRY(score_rows(t->validation, t->validation_w, t->options->validation, NULL, NULL, &held_out[0], &held_out[1], error));
  TRY(ranks_broadcast(ranks, held_out, sizeof held_out, error));
  result->validation_accuracy = held_out[0];
  result->validation_log_loss = held_out[1];
cleanup:
  return status;
}

/* The certificate where it says nearly as much as the estimate or enough by itself; else the estimate. */
static void fill_gap(SetosaTrainResult *result, const OptimizerReport *report) {
  static const double ENOUGH = 1e-6, NEARLY = 10;
  double size = fabs(report->at.objective), proved = report->gap / size, guessed = report->decrement / size;
  bool certified = isfinite(proved) && (proved <= ENOUGH || !(proved > NEARLY * guessed)); /* or there is no estimate */
  result->gap = certified ? proved : isfinite(guessed) && guessed >= 0 ? guessed : NAN;
  result->gap_kind = certified ? "certificate" : isnan(result->gap) ? "" : "estimate";
}

static void fill_result(SetosaTrainResult *result, const Training *t, const OptimizerReport *report) {
  BackendFacts facts = {0};
  backend_facts(t->backend, &facts);
  result->objective = report->at.objective;
  result->loss = report->at.loss;
  result->gradient_norm = report->at.gradient_norm;
  result->iterations = report->iterations;
  result->best_epoch = report->best_epoch;
  result->evaluations = report->evaluations;
  result->passes = training_passes(t);
  result->solver = setosa_solver_name(report->solver);
  result->preconditioner = setosa_preconditioner_name(report->preconditioner);
  snprintf(result->choice, sizeof result->choice, "%s", report->why);
  fill_gap(result, report);
  result->converged = report->reason == STOP_GRADIENT_TOLERANCE || report->reason == STOP_PRECISION;
  result->stop_reason = optimizer_reason_name(report->reason);
  snprintf(result->tuning, sizeof result->tuning, "%s", facts.tuning != NULL ? facts.tuning : "");
  result->backend = facts.name;
  result->device_bytes = facts.bytes_held;
  result->chunk_rows = facts.chunk_rows;
  result->fell_back = facts.fell_back;
  result->storage = facts.storage != NULL ? facts.storage : "f32"; /* backends of the host read the data set itself */
  result->storage_rms_error = facts.storage_rms_error;
  result->storage_largest_error = facts.storage_largest_error;
  if (t->options->resume != NULL) result->resumed_iterations = setosa_checkpoint_iterations(t->options->resume);
  result->start_features = t->start.known_features;
  result->start_classes = t->start.known_classes;
  result->checkpoints = t->keeper.written;
  snprintf(result->checkpoint_error, sizeof result->checkpoint_error, "%s", t->keeper.failure);
  result->checkpoint_status = t->keeper.failed;
}

SetosaStatus setosa_train(SetosaModel **model, SetosaTrainResult *result, SetosaDataset *dataset, const SetosaTrainOptions *options,
                          SetosaError *error) {
  Status status = SETOSA_OK;
  SetosaTrainOptions own; /* with the checkpoint that the training goes on from, where one is found */
  Training t = {.options = &own};
  Model *made = NULL;
  TrainTimes times = {0};
  bool weighed = false; /* by class */
  OptimizerReport report = {0};
  SetosaTrainResult found = {
      .train_accuracy = NAN, .train_log_loss = NAN, .validation_accuracy = NAN, .validation_log_loss = NAN, .gap = NAN, .gap_kind = ""};
  if (model != NULL) *model = NULL;
  if (arguments_check(error, GIVEN(model), GIVEN(dataset), GIVEN(options)) != SETOSA_OK) return SETOSA_ERROR_USAGE;
  own = *options;
  t.wishes.ranks = options->compute.ranks;
  train_times_begin(&times);
  TRY(train_options_check(options, NULL, dataset, error));
  TRY(start_match(&t.start, options->initial, dataset, error));
  TRY(meet_shifts(&t, &own, dataset, error));
  TRY(job_check_alike(options->compute.ranks, dataset, options, error));
  TRY(model_create_for(&made, dataset, error)); /* before the work: names that cannot be kept are refused here */
  TRY(keeper_find(&t.keeper, &own, error));
  if (own.resume != options->resume) TRY(job_check_alike(own.compute.ranks, dataset, &own, error)); /* all have read the same one */
  TRY(keeper_open(&t.keeper, dataset, error));
  TRY(feature_means(made, dataset, error));
  weighed = options->class_weight != NULL;
  if (weighed) TRY(setosa_dataset_set_class_weights(dataset, options->class_weight, error));
  /* Batches are ranges of rows, so rows in the order of a sorted file would make batches of one class. */
  if (solver_uses_batches(options->solver) && !dataset_shape(dataset).exchangeable)
    TRY(setosa_dataset_shuffle(dataset, options->seed, error));
  train_times_prepared(&times, &found);
  TRY(open_training(&t, dataset, error));
  TRY(keeper_meet_backend(&t.keeper, t.backend, error));
  if (own.begins != NULL)
    own.begins(own.resume != NULL, own.resume != NULL ? setosa_checkpoint_iterations(own.resume) : 0, own.progress_user);
  train_times_opened(&times, &found, t.backend, t.seconds_test);
  status = run_optimizer(&t, &report, error);
  if (status != SETOSA_OK && status != SETOSA_ERROR_DATA) keeper_explain(&t.keeper, error); /* DATA: that state is what is wrong */
  TRY(status);
  train_times_trained(&times, &found, t.backend, t.seconds_keep);
  fill_result(&found, &t, &report);
  TRY(score_everything(&t, dataset, &found, error));
  train_advise(&found, &report, options, dataset);
  TRY(vector_read(t.backend, t.w, t.parameters, error));
  TRY(outcome_weights(made, t.parameters, dataset, error));
  for (size_t i = 0; i < made->classes * made->features; i++) found.nonzeros += made->weights[i] != 0;
  TRY(dataset_check_unchanged(dataset, error));
  TRY(model_hash(made, found.weights_hash, error));
  TRY(outcome_metadata(made, &found, &own, t.backend, dataset, error));
  train_times_scored(&times, &found, t.backend);
cleanup:
  close_training(&t); /* before what it reads may change */
  if (weighed) {
    Status restored = setosa_dataset_set_class_weights(dataset, NULL, status == SETOSA_OK ? error : NULL);
    if (status == SETOSA_OK) status = restored;
  }
  /* Here every rank comes, however it fared, and all go on alike. */
  status = ranks_agree(t.wishes.ranks, status, error);
  if (status == SETOSA_OK) {
    train_times_closed(&times, &found);
    if (result != NULL) *result = found;
    *model = made;
    made = NULL;
  }
  keeper_close(&t.keeper);
  setosa_model_destroy(made);
  return status;
}
