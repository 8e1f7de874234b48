/* `setosa train`: data, device, training, model, report. */
#include "cli/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/dry_run.h"
#include "cli/outputs.h"
#include "cli/summary.h"
#include "cli/terminal/interrupt.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/units.h"
#include "cli/train_log.h"
#include "cli/train_resume.h"
#include "cli/train_test.h"

typedef struct TrainWork {
  SetosaDataset *data, *held_out, *test, *calibrate;
  SetosaModel *initial, *model;
  SetosaSummary *summary;
  Status summary_status; /* why there is none, told when all else is done */
  Error summary_error;
  Compute compute;
  TrainResume resume;
  TrainLog log;
  Progress progress;
  ReportTrace *trace;     /* with --report */
  SetosaMetrics *metrics; /* with --test or --report */
} TrainWork;

/* Options that the chosen solver does not have would be silently without effect. */
static Status check_training_options(const Options *options, Error *error) {
  Status status = SETOSA_OK;
  for (size_t i = 0; i < options_row_count(); i++)
    if (options->given[i]) TRY(option_check_solver(options_row(i), options->train.solver, error));
  TRY(options_check_training(&options->train, NULL, error));
  if (options->train.patience > 0 && isnan(options->validation))
    TRY(error_set(error, SETOSA_ERROR_USAGE, "--patience needs rows to judge the epochs by; hold some out with --validation 0.1"));
  for (size_t i = 0; i < options_row_count(); i++)
    if (options->given[i] && !options->summarize && (options_row(i)->commands & FOR_SUMMARY) != 0 &&
        options_row(i)->heading == HEADING_SUMMARY)
      TRY(error_set(error, SETOSA_ERROR_USAGE, "--%s without --summary; add --summary or leave it out", option_flag(options_row(i))));
  if (options->strict && options->train.tolerance == 0)
    TRY(error_set(error, SETOSA_ERROR_USAGE,
                  "--strict asks for convergence, which --tolerance 0 does not look for; leave one of them out"));
cleanup:
  return status;
}

static Status check_checkpoint(const Options *options, Error *error) {
  SetosaTrainOptions ignored = setosa_train_options_default();
  if (options->resume != NULL && options->train.overwrite && options->train.checkpoint == options->resume)
    return error_set(error, SETOSA_ERROR_USAGE, "--overwrite begins %s afresh, and --resume goes on from it; leave one of them out",
                     options->resume);
  if (options->resume != NULL && options->start != NULL)
    return error_set(error, SETOSA_ERROR_USAGE, "--start begins a training, and --resume goes on with one; leave one of them out");
  if (options->train.checkpoint == NULL && options->every != NULL)
    return error_set(error, SETOSA_ERROR_USAGE, "--every without --checkpoint; add --checkpoint FILE or leave it out");
  return train_resume_interval(&ignored, options->every, error);
}

static void end_part(TrainReport *report, TrainPart part) { report->seconds[part] += clock_lap(&report->lap); }

/* The call of setosa_train tells its own parts. What is left of its time was spent around them. */
static void end_training(TrainReport *report) {
  const SetosaTrainResult *result = &report->result;
  const struct {
    TrainPart part;
    double seconds;
  } told[] = {{PART_PREPARE, result->seconds_prepare}, {PART_TEST, result->seconds_test},   {PART_TUNE, result->seconds_tune},
              {PART_UPLOAD, result->seconds_upload},   {PART_BUILD, result->seconds_build}, {PART_DEVICE, result->seconds_open},
              {PART_TRAIN, result->seconds_train},     {PART_SCORE, result->seconds_score}, {PART_CHECKPOINT, result->seconds_checkpoint}};
  double left = clock_lap(&report->lap);
  for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
    report->seconds[told[i].part] += told[i].seconds;
    left -= told[i].seconds;
  }
  report->seconds[PART_PREPARE] += fmax(left, 0);
}

static Status load_all(TrainWork *work, TrainReport *report, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  SetosaDataOptions data = options->data;
  data.part = setosa_ranks_rank(session->ranks);
  data.parts = setosa_ranks_size(session->ranks);
  /* Standardizing undoes any factor, so it starts from the values as read; held-out rows can then be scaled in one step, too. */
  if (options->standardize) data.scale = 1;
  data.unshifted = train_is_unshifted(options);
  TRY(input_load(&work->data, session, options->argument[0], data, error));
  report->cached = setosa_dataset_cached(work->data);
  report->left_out = input_count_left_out(work->data);
  report->source_rows = setosa_dataset_source_rows(work->data);
  if (options->test != NULL && session_is_first(session))
    TRY(train_load_like(&work->test, session, work->data, options->test, options->test_labels, error));
  if (options->calibrate != NULL && session_is_first(session))
    TRY(train_load_like(&work->calibrate, session, work->data, options->calibrate, NULL, error));
  end_part(report, PART_LOAD);
  /* Held out before the scaling is measured: nothing of those rows may reach the training. */
  if (!isnan(options->validation)) TRY(setosa_dataset_split(work->data, options->validation, options->train.seed, &work->held_out, error));
  if (options->standardize) TRY(setosa_dataset_standardize(work->data, error));
  if (work->held_out != NULL && options->standardize) TRY(setosa_dataset_scale_like(work->held_out, work->data, error));
  if (work->test != NULL) TRY(setosa_dataset_scale_like(work->test, work->data, error));
  if (work->calibrate != NULL) TRY(setosa_dataset_scale_like(work->calibrate, work->data, error));
  end_part(report, PART_PREPARE);
cleanup:
  return status;
}

static bool on_progress(const SetosaProgress *at, void *user) {
  TrainWork *work = user;
  train_log_write(&work->log, at);
  if (work->trace != NULL) report_trace_add(work->trace, at);
  return progress_update(at, &work->progress);
}

/* From the first question on there is something to finish: the model. */
static bool on_stop(void *user) {
  (void)user;
  interrupt_defer(true);
  return interrupt_requested();
}

/* The log of a training that goes on is continued, of another one begun anew: not before it is clear which this is. */
static void on_begin(bool resumed, uint64_t iterations, void *user) {
  TrainWork *work = user;
  if (!resumed) train_log_empty(&work->log);
  if (!resumed || work->resume.checkpoint != NULL) return; /* that was asked for */
  progress_end(&work->progress);
  console_hint(work->progress.console, "going on from the checkpoint %s (%llu %s%s done before); --overwrite would begin afresh",
               work->resume.options.train.checkpoint, (unsigned long long)iterations,
               solver_uses_batches(work->resume.options.train.solver) ? "epoch" : "iteration", iterations == 1 ? "" : "s");
}

static void on_warn(const char *line, void *user) {
  TrainWork *work = user;
  progress_end(&work->progress);
  console_warn(work->progress.console, "%s", line);
}

static Status train(TrainWork *work, TrainReport *report, const Session *session, Error *error) {
  const Options *from = session->options;
  SetosaTrainOptions options = from->train;
  options.compute = work->compute.options;
  options.validation = work->held_out;
  options.initial = work->initial;
  options.progress = on_progress;
  options.progress_user = work;
  options.stop = on_stop;
  options.begins = on_begin;
  options.warn = on_warn;
  options.checkpoint_notes = work->resume.notes;
  options.checkpoint_note_count = work->resume.note_count;
  options.resume = work->resume.checkpoint;
  Status status = train_resume_interval(&options, from->every, error);
  if (status != SETOSA_OK) return status;
  if (from->dry_run && !session_is_first(session)) return SETOSA_OK;
  if (from->dry_run && options.class_weight != NULL) status = setosa_dataset_set_class_weights(work->data, options.class_weight, error);
  if (status != SETOSA_OK) return status;
  if (from->dry_run) return dry_run(work->data, SETOSA_PLAN_TRAIN, setosa_dataset_classes(work->data), &options, session, error);
  progress_begin(&work->progress, &session->console, from->argument[0]);
  work->progress.epochs = solver_uses_batches(options.solver);
  progress_say(&work->progress, "starting the training (new shapes build their kernels first)");
  status = setosa_train(&work->model, &report->result, work->data, &options, error);
  progress_end(&work->progress);
  end_training(report);
  return status;
}

/* The other processes do not take part. */
static SetosaComputeOptions compute_alone(const TrainWork *work) {
  SetosaComputeOptions alone = work->compute.options;
  alone.ranks = NULL;
  alone.fast_reduce = false;
  return alone;
}

static Status calibrate(TrainReport *report, const TrainWork *work, Error *error) {
  const SetosaDataset *rows = work->calibrate != NULL ? work->calibrate : work->held_out;
  const SetosaComputeOptions alone = compute_alone(work);
  if (!report->calibrated) return SETOSA_OK;
  return setosa_calibrate(work->model, &report->calibration, rows, &alone, error);
}

static Status evaluate(TrainWork *work, const SetosaDataset *rows, Error *error) {
  const SetosaComputeOptions alone = compute_alone(work);
  return setosa_evaluate(&work->metrics, work->model, rows, &alone, error);
}

static Status score_test(TrainScores *scores, TrainWork *work, Error *error) {
  Status status = evaluate(work, work->test, error);
  if (status != SETOSA_OK) return status;
  const SetosaMetrics *metrics = work->metrics;
  *scores = (TrainScores){true,
                          setosa_dataset_weights(work->test) != NULL,
                          metrics->rows,
                          metrics->accuracy,
                          metrics->log_loss,
                          input_count_left_out(work->test)};
  return SETOSA_OK;
}

/* For a page without test data: the rows that were held out, else those of the training with the weights of their classes. */
static Status score_for_page(TrainWork *work, const Options *options, Error *error) {
  Status status = SETOSA_OK;
  if (options->report == NULL || work->metrics != NULL) return SETOSA_OK;
  if (work->held_out != NULL) return evaluate(work, work->held_out, error);
  if (options->train.class_weight != NULL) TRY(setosa_dataset_set_class_weights(work->data, options->train.class_weight, error));
  TRY(evaluate(work, work->data, error));
  TRY(setosa_dataset_set_class_weights(work->data, NULL, error));
cleanup:
  return status;
}

static void fill_report(TrainReport *report, const TrainWork *work, const SetosaTrainOptions *options) {
  const SetosaTrainResult *result = &report->result;
  report->dataset = work->data;
  report->rows = setosa_dataset_rows(work->data);
  report->features = setosa_dataset_features(work->data);
  report->classes = setosa_dataset_classes(work->data);
  report->device = compute_device(&work->compute);
  report->compute = &work->compute;
  report->model = work->model;
  report->trace = work->trace;
  bool weighted = setosa_dataset_weights(work->data) != NULL;
  report->training =
      (TrainScores){true, weighted || options->class_weight != NULL, report->rows, result->train_accuracy, result->train_log_loss, 0};
  if (work->held_out != NULL)
    report->validation =
        (TrainScores){true, weighted, setosa_dataset_rows(work->held_out), result->validation_accuracy, result->validation_log_loss, 0};
}

/* --summary: of the rows that were trained on. All processes take part. */
static void summarize(TrainWork *work, TrainReport *report, const Session *session) {
  SetosaSummaryOptions options = session->options->summary;
  options.ranks = session->ranks;
  if (!session->options->summarize || strcmp(report->result.stop_reason, "interrupted") == 0) return;
  progress_begin(&work->progress, &session->console, NULL);
  progress_say(&work->progress, "summing up the information");
  work->summary_status = setosa_summary(&work->summary, work->model, work->data, &options, &work->summary_error);
  progress_end(&work->progress);
  report->summary = work->summary;
  end_part(report, PART_SUMMARY);
}

/* Synthetic data has true weights to compare with, unless --positive made another task of it. */
static Status compare_with_truth(TrainReport *report, const TrainWork *work, const Options *options, Error *error) {
  if (!report->made || options->data.positive != NULL) return SETOSA_OK;
  report->truth_known = true;
  return setosa_model_truth(work->model, report->data, &report->truth_distance, &report->truth_cosine, error);
}

/* With --verbose. The largest error is 4.9e-4 (half a unit in 11 bits) unless some values are too small for f16's exponents. */
static void note_storage(const SetosaTrainResult *result, const Session *session) {
  if (result->storage_rms_error == 0)
    console_note(&session->console, "the features were held as %s, exactly", result->storage);
  else
    console_note(&session->console,
                 "the features were held as %s: rounding changed them by %.1e of their size (RMS), a single one by up to %.1e of itself",
                 result->storage, result->storage_rms_error, result->storage_largest_error);
}

/* With --verbose: what tuning did. */
static void note_compute(const SetosaTrainResult *result, const Session *session) {
  if (result->tuning[0] != '\0') console_note(&session->console, "tuning: %s", result->tuning);
}

/* Data that did not stay on the device although it should have had room for them: the summary alone would not say why. */
static void note_streaming(const SetosaTrainResult *result, const Session *session) {
  if (result->chunk_rows > 0 && result->fell_back)
    console_hint(&session->console,
                 "the device had less free memory than it reports, so rows streamed through it; say how much it may use with "
                 "--device-memory");
}

/* What to do now, on stderr. */
static void print_hints(const TrainReport *report, const Session *session) {
  const Options *options = session->options;
  char model[512];
  if (strcmp(report->result.stop_reason, "interrupted") == 0 && report->result.checkpoints > 0 &&
      report->result.checkpoint_error[0] == '\0')
    console_hint(&session->console, "go on: setosa train --resume %s", units_shell_word(model, sizeof model, options->train.checkpoint));
  if (report->result.advice[0] != '\0' && report->result.converged)
    console_warn(&session->console, "%s", report->result.advice);
  else if (report->result.advice[0] != '\0' && strcmp(report->result.stop_reason, "interrupted") != 0)
    console_warn(&session->console, "not converged (%s): %s", report->result.stop_reason, report->result.advice);
  if (report->calibrated && report->calibration.note[0] != '\0')
    console_warn(&session->console, "no temperature was found: %s", report->calibration.note);
  if (options->model == NULL)
    console_hint(&session->console, "the model was not kept; add --model FILE.safetensors to keep it");
  else if (!options->json)
    console_hint(&session->console, "use it: setosa predict %s NEW_DATA", units_shell_word(model, sizeof model, options->model));
}

/* What the exit code says of a training that has gone well otherwise. */
static Status outcome(const TrainReport *report, const Session *session) {
  if (strcmp(report->result.stop_reason, "interrupted") == 0) return SETOSA_INTERRUPTED;
  return session->options->strict && !report->result.converged ? SETOSA_ERROR_NOT_CONVERGED : SETOSA_OK;
}

/* The model first: a second Ctrl-C during what follows cannot take it. */
static Status save(const TrainWork *work, TrainReport *report, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  report->calibrated = (options->calibrate != NULL || options->calibrate_validation) && isfinite(report->result.objective);
  TRY(calibrate(report, work, error));
  end_part(report, PART_SCORE);
  if (options->model != NULL) TRY(setosa_model_save(work->model, options->model, error));
  end_part(report, PART_WRITE);
cleanup:
  return status;
}

static Status finish(TrainWork *work, TrainReport *report, const Session *session, Error *error) {
  Status status = SETOSA_OK, log_status = SETOSA_OK;
  Error log_error = {0};
  fill_report(report, work, &session->options->train);
  log_status = train_log_close(&work->log, &log_error);
  end_part(report, PART_WRITE);
  if (work->test != NULL) TRY(score_test(&report->test, work, error));
  TRY(score_for_page(work, session->options, error));
  report->metrics = work->metrics;
  TRY(compare_with_truth(report, work, session->options, error));
  end_part(report, PART_SCORE);
  report->seconds_total = report->lap - session->began;
  if (session->options->json)
    TRY(train_print_json(report, session, error));
  else
    train_print_summary(report, session);
  if (report->summary != NULL && !session->options->json) TRY(train_print_statistics(report, session, error));
  TRY(console_flush(error));
  note_compute(&report->result, session);
  note_storage(&report->result, session);
  note_streaming(&report->result, session);
  print_hints(report, session);
  if (session->options->report != NULL) TRY(train_write_page(report, session, error));
  if (report->summary != NULL) summary_print_remarks(report->summary, session);
  if (work->summary_status != SETOSA_OK) TRY(error_set(error, work->summary_status, "%s", work->summary_error.message));
  if (log_status != SETOSA_OK) TRY(error_set(error, log_status, "%s", log_error.message));
  if (report->result.checkpoint_error[0] != '\0')
    TRY(error_set(error, report->result.checkpoint_status, "--checkpoint: the last one could not be written: %s",
                  report->result.checkpoint_error));
cleanup:
  return status;
}

/* All that is found out before anything is read. */
static Status prepare(TrainWork *work, TrainReport *report, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  if (options->test_labels != NULL && options->test == NULL)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "--test-labels without --test; add --test DATA or leave it out"));
  if (options->test != NULL && strcmp(options->test, "-") == 0 && strcmp(options->argument[0], "-") == 0)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "--test -: standard input is for the data; name a file of test data"));
  TRY(train_check_calibration(options, error));
  TRY(check_training_options(options, error));
  TRY(check_checkpoint(options, error));
  /* With what the checkpoint remembers: an hour's training must not end at a folder that is not there. */
  if (session_is_first(session) && options->resume != NULL) TRY(outputs_check(options, FOR_TRAIN, error));
  if (options->start != NULL) TRY(setosa_model_load(&work->initial, options->start, error));
  end_part(report, PART_START);
  TRY(compute_choose(&work->compute, session, error));
  if (session->ranks != NULL) compute_keep(&work->compute, setosa_ranks_local(session->ranks));
  end_part(report, PART_DEVICE);
cleanup:
  return status;
}

static Status run(const Session *given, Error *error) {
  Status status = SETOSA_OK;
  TrainWork work = {0};
  Session merged = *given;
  merged.options = &work.resume.options;
  const Session *session = &merged;
  const Options *options = session->options;
  TrainReport report = {.lap = given->began};
  /* Several processes agree after every step, so that an error of one ends all of them there. */
  SetosaRanks *ranks = given->ranks;
  TRY(setosa_ranks_agree(ranks, train_resume_open(&work.resume, &command_train, given, error), error));
  report.data = options->argument[0];
  report.made = input_is_made(report.data);
  report.test_data = options->test;
  TRY(setosa_ranks_agree(ranks, prepare(&work, &report, session, error), error));
  TRY(setosa_ranks_agree(ranks, load_all(&work, &report, session, error), error));
  TRY(setosa_ranks_agree(ranks, compute_open(&work.compute, session, error), error));
  end_part(&report, PART_DEVICE);
  const char *log = options->dry_run || !session_is_first(session) ? NULL : options->log;
  TRY(setosa_ranks_agree(ranks, train_log_open(&work.log, log, error), error));
  if (options->report != NULL && session_is_first(session)) {
    TRY(memory_allocate_zero((void **)&work.trace, 1, sizeof *work.trace, "the steps of the training", error));
  }
  TRY(train(&work, &report, session, error));
  if (options->dry_run) goto cleanup;
  TRY(setosa_ranks_agree(ranks, session_is_first(session) ? save(&work, &report, session, error) : SETOSA_OK, error));
  summarize(&work, &report, session);
  /* The others wait, however long scoring the test data takes. */
  TRY(setosa_ranks_agree(ranks, session_is_first(session) ? finish(&work, &report, session, error) : SETOSA_OK, error));
  status = outcome(&report, session);
cleanup:
  interrupt_defer(false); /* what was asked for is written */
  train_log_close(&work.log, NULL);
  free(work.trace);
  setosa_metrics_destroy(work.metrics);
  setosa_summary_destroy(work.summary);
  setosa_model_destroy(work.model);
  setosa_model_destroy(work.initial);
  setosa_dataset_destroy(work.test);
  setosa_dataset_destroy(work.calibrate);
  setosa_dataset_destroy(work.held_out);
  setosa_dataset_destroy(work.data);
  compute_close(&work.compute);
  train_resume_close(&work.resume);
  return status;
}

const Command command_train = {
    .name = "train",
    .arguments = "DATA...",
    .summary = "fit a model to data and say how it went",
    .description =
        "DATA is a table (.csv, .tsv, ...; several files, or a pattern such as 'part-*.csv', are one), an IDX image file, a .npy or .npz "
        "(each "
        "also .gz), - for standard input, or synthetic:rows=1e6,features=64,classes=10[,seed=,noise=,separation=]. Columns of words and "
        "missing values need no preparation: setosa inspect DATA shows what becomes of them. The label is the last column unless --label "
        "says otherwise. Ctrl-C stops after the current "
        "iteration (sgd, adam: mini-batch) and still writes the model; pressed twice it exits at once. With --checkpoint FILE no end is "
        "the end of the work: setosa train --resume FILE goes on where the last checkpoint was, with the data and options of before, to "
        "the "
        "same weights. --max-iterations, --tolerance, outputs and the device may then be others, what defines the result may not.",
    .details =
        "\nWhat is minimised:\n\n"
        "  F(W,b) = mean of the log-losses of the rows + L2/2 * sum of all W[k,i]^2\n\n"
        "W are the weights of the features (as --standardize leaves them), b the biases, which are free. With --weights the mean is "
        "weighted.\n\n"
        "  scikit-learn, C, n rows                 --l2 1/(C n); two classes: --l2 2/(C n)\n"
        "    penalty=\"l1\"                          --l1 1/(C n) --l2 0\n"
        "  LIBLINEAR -s 0 -c C, two classes        --no-intercept --l2 2/(C n)\n"
        "  glmnet, lambda L, alpha a, multinomial  --l1 a L --l2 (1-a) L\n"
        "    binomial                              --l1 a L --l2 2 (1-a) L\n"
        "  statsmodels MNLogit                     --l2 0\n\n"
        "With two classes they fit one vector, where there are two here: its halves, whose squares sum to half of its own. README.md has "
        "these commands side by side.\n",
    .examples =
        "  setosa train iris.csv --l2 0.01 --model iris.safetensors\n"
        "  setosa train penguins.csv --label species --drop year --model penguins.safetensors\n"
        "  setosa train iris.csv --features petal_length,petal_width --positive setosa\n"
        "  setosa train iris.csv --report iris.html\n"
        "  setosa train train-images-idx3-ubyte.gz --test t10k-images-idx3-ubyte.gz\n"
        "  setosa train wine.csv --standardize --validation 0.2 --json --quiet\n"
        "  setosa train big.csv --model big.safetensors --checkpoint big.checkpoint\n"
        "  setosa train --resume big.checkpoint\n",
    .id = FOR_TRAIN,
    .least_arguments = 0, /* with --resume the checkpoint knows; without, train_resume.c says what is missing */
    .most_arguments = 1,
    .several = true,
    .runs_on_ranks = true,
    .run = run,
};
