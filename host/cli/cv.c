/* `setosa cv`: data, device, a path of penalties, folds, table, model. */
#include "cli/cv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/json_output.h"
#include "cli/outputs.h"
#include "cli/terminal/interrupt.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/units.h"
#include "cli/train_log.h"
#include "cli/train_resume.h"
#include "cli/train_test.h"

typedef struct CvWork {
  SetosaDataset *data;
  SetosaModel *model;
  SetosaCvResult *result;
  SetosaCvOptions options;
  Compute compute;
  TrainResume resume;
  TrainLog log;
  Progress progress;
  double last_drawn;
  uint64_t left_out, source_rows;
  double seconds_load;
} CvWork;

/* ---- what was asked for --------------------------------------------------------------------------------------------- */

/* LEAST:MOST:COUNT, or one LAMBDA. */
static Status read_path(SetosaCvOptions *options, const char *text, Error *error) {
  uint64_t count = 1;
  if (text == NULL) return SETOSA_OK;
  const char *first = strchr(text, ':'), *second = first != NULL ? strchr(first + 1, ':') : NULL;
  bool fine = first == NULL ? text_parse_double(text, strlen(text), &options->path_least) : second != NULL;
  if (fine && second != NULL)
    fine = text_parse_double(text, (size_t)(first - text), &options->path_least) &&
           text_parse_double(first + 1, (size_t)(second - first - 1), &options->path_most) && text_parse_count(second + 1, &count);
  else
    options->path_most = options->path_least;
  if (!fine || !isfinite(options->path_least) || !isfinite(options->path_most))
    return error_set(error, SETOSA_ERROR_USAGE, "--l2-path \"%s\": give LEAST:MOST:COUNT, as in 1e-6:1:20, or one LAMBDA", text);
  options->path_count = count <= SIZE_MAX ? (size_t)count : SIZE_MAX;
  return SETOSA_OK;
}

static Status check_options(const Options *options, Error *error) {
  Status status = SETOSA_OK;
  SetosaTrainOptions ignored = setosa_train_options_default();
  for (size_t i = 0; i < options_row_count(); i++)
    if (options->given[i]) TRY(option_check_solver(options_row(i), options->train.solver, error));
  TRY(options_check_training(&options->train, NULL, error));
  if (solver_uses_batches(options->train.solver))
    TRY(error_set(error, SETOSA_ERROR_USAGE,
                  "--solver %s: models along a path are compared at their optimum, which it does not reach; use auto, newton, lbfgs or gd",
                  setosa_solver_name(options->train.solver)));
  if (options->strict && options->train.tolerance == 0)
    TRY(error_set(error, SETOSA_ERROR_USAGE,
                  "--strict asks for convergence, which --tolerance 0 does not look for; leave one of them out"));
  if (options->resume != NULL && options->train.overwrite && options->train.checkpoint == options->resume)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "--overwrite begins %s afresh, and --resume goes on from it; leave one of them out",
                  options->resume));
  if (options->train.checkpoint == NULL && options->every != NULL)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "--every without --checkpoint; add --checkpoint FILE or leave it out"));
  TRY(train_resume_interval(&ignored, options->every, error));
cleanup:
  return status;
}

/* All that is found out before anything is read. */
static Status prepare(CvWork *work, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  work->options = setosa_cv_options_default();
  TRY(check_options(options, error));
  TRY(read_path(&work->options, options->l2_path, error));
  if (session_is_first(session) && options->resume != NULL) TRY(outputs_check(options, FOR_CV, error));
  TRY(compute_choose(&work->compute, session, error));
  if (session->ranks != NULL) compute_keep(&work->compute, setosa_ranks_local(session->ranks));
cleanup:
  return status;
}

static Status load(CvWork *work, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  double lap = clock_seconds();
  SetosaDataOptions data = options->data;
  data.part = setosa_ranks_rank(session->ranks);
  data.parts = setosa_ranks_size(session->ranks);
  if (options->standardize) data.scale = 1; /* it undoes any factor */
  data.unshifted = train_is_unshifted(options);
  TRY(input_load(&work->data, session, options->argument[0], data, error));
  work->left_out = input_count_left_out(work->data);
  work->source_rows = setosa_dataset_source_rows(work->data);
  if (options->standardize) TRY(setosa_dataset_standardize(work->data, error));
  work->seconds_load = clock_lap(&lap);
cleanup:
  return status;
}

/* ---- while it runs -------------------------------------------------------------------------------------------------- */

static void draw(CvWork *work, const SetosaCvProgress *at) {
  char line[256], left[UNITS_SIZE], fold[64] = "all rows";
  const double redraw_seconds = 0.1;
  double now = clock_seconds();
  if (!at->fitted && now - work->last_drawn < redraw_seconds) return;
  work->last_drawn = now;
  if (at->fold > 0) snprintf(fold, sizeof fold, "fold %zu/%zu", at->fold, at->folds);
  int used = snprintf(line, sizeof line, "model %llu/%llu  %s  lambda %.2g", (unsigned long long)at->fit, (unsigned long long)at->fits,
                      fold, at->lambda);
  uint64_t before = work->resume.checkpoint != NULL ? setosa_checkpoint_iterations(work->resume.checkpoint) : 0;
  if (at->fit > before)
    snprintf(line + used, sizeof line - (size_t)used, "  %s left",
             units_seconds(left, at->seconds / (double)(at->fit - before) * (double)(at->fits - at->fit)));
  progress_say(&work->progress, line);
}

/* --log has a line for each model. */
static void write_log(CvWork *work, const SetosaCvProgress *at) {
  if (!at->fitted || work->log.stream == NULL) return;
  train_log_line(&work->log, json_pack("{s:I, s:I, s:o, s:I, s:o, s:o, s:o, s:o, s:o}", "model", (json_int_t)at->fit, "fold",
                                       (json_int_t)at->fold, "lambda", json_number(at->lambda), "iterations", (json_int_t)at->iteration,
                                       "objective", json_number(at->objective), "gradient_norm", json_number(at->gradient_norm), "loss",
                                       json_number(at->loss), "accuracy", json_number(at->accuracy), "seconds", json_number(at->seconds)));
}

static bool on_progress(const SetosaCvProgress *at, void *user) {
  CvWork *work = user;
  interrupt_defer(true);
  write_log(work, at);
  draw(work, at);
  return !interrupt_requested();
}

static bool on_stop(void *user) {
  (void)user;
  interrupt_defer(true);
  return interrupt_requested();
}

static void on_begin(bool resumed, uint64_t models, void *user) {
  CvWork *work = user;
  if (!resumed) train_log_empty(&work->log);
  if (!resumed || work->resume.checkpoint != NULL) return; /* that was asked for */
  progress_end(&work->progress);
  console_hint(work->progress.console, "going on from the checkpoint %s (%llu model%s done before); --overwrite would begin afresh",
               work->resume.options.train.checkpoint, (unsigned long long)models, models == 1 ? "" : "s");
}

static void on_warn(const char *line, void *user) {
  CvWork *work = user;
  progress_end(&work->progress);
  console_warn(work->progress.console, "%s", line);
}

static Status run_cv(CvWork *work, const Session *session, Error *error) {
  const Options *from = session->options;
  SetosaCvOptions *options = &work->options;
  SetosaTrainOptions *train = &options->train;
  *train = from->train;
  if (!options_given(from, "gap")) train->gap = setosa_cv_options_default().train.gap;
  train->compute = work->compute.options;
  train->progress_user = work;
  train->stop = on_stop;
  train->begins = on_begin;
  train->warn = on_warn;
  train->checkpoint_notes = work->resume.notes;
  train->checkpoint_note_count = work->resume.note_count;
  train->resume = work->resume.checkpoint;
  options->folds = (size_t)from->folds;
  options->l1_ratio = from->l1_ratio;
  options->choice = from->choose;
  options->progress = on_progress;
  Status status = train_resume_interval(train, from->every, error);
  if (status != SETOSA_OK) return status;
  progress_begin(&work->progress, &session->console, from->argument[0]);
  progress_say(&work->progress, "starting (new shapes build their kernels first)");
  status = setosa_cv(&work->model, &work->result, work->data, options, error);
  progress_end(&work->progress);
  return status;
}

/* ---- afterwards ----------------------------------------------------------------------------------------------------- */

static void print_hints(const CvWork *work, const Session *session) {
  const Options *options = session->options;
  const SetosaCvResult *result = work->result;
  char word[512];
  if (!result->complete && result->checkpoints > 0 && result->checkpoint_error[0] == '\0')
    console_hint(&session->console, "%llu of %llu models are done; go on: setosa cv --resume %s", (unsigned long long)result->fits_done,
                 (unsigned long long)result->fits, units_shell_word(word, sizeof word, options->train.checkpoint));
  else if (!result->complete)
    console_warn(&session->console, "stopped after %llu of %llu models; with --checkpoint FILE what is stopped can go on",
                 (unsigned long long)result->fits_done, (unsigned long long)result->fits);
  if (!result->complete) return;
  if (result->unconverged > 0)
    console_warn(&session->console, "%llu of %llu models have not converged: raise --max-iterations or --tolerance%s",
                 (unsigned long long)result->unconverged, (unsigned long long)result->fits,
                 options->standardize ? "" : "; standardize the features with --standardize");
  if (result->count > 1 && (result->best == 0 || result->best + 1 == result->count))
    console_warn(&session->console, "the least loss is at the %s end of the path; let --l2-path go on there",
                 result->best == 0 ? "upper" : "lower");
  if (options->model == NULL)
    console_hint(&session->console, "to keep the model of all rows, add --model FILE.safetensors");
  else if (!options->json)
    console_hint(&session->console, "use it: setosa predict %s NEW_DATA", units_shell_word(word, sizeof word, options->model));
}

static Status tell(const CvWork *work, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  CvReport report = {.data = session->options->argument[0],
                     .dataset = work->data,
                     .compute = &work->compute,
                     .model = work->model,
                     .left_out = work->left_out,
                     .source_rows = work->source_rows,
                     .result = work->result,
                     .seconds_load = work->seconds_load,
                     .seconds_total = clock_seconds() - session->began};
  if (session->options->json)
    TRY(cv_print_json(&report, session, error));
  else if (work->result->complete)
    TRY(cv_print_table(&report, session, error));
  TRY(console_flush(error));
  print_hints(work, session);
  if (session->options->report != NULL) TRY(cv_write_page(&report, session, error));
cleanup:
  return status;
}

static Status finish(CvWork *work, const Session *session, Error *error) {
  Status status = SETOSA_OK, log_status = SETOSA_OK;
  Error log_error = {0};
  const SetosaCvResult *result = work->result;
  if (session->options->model != NULL && work->model != NULL) TRY(setosa_model_save(work->model, session->options->model, error));
  log_status = train_log_close(&work->log, &log_error);
  TRY(tell(work, session, error));
  if (log_status != SETOSA_OK) TRY(error_set(error, log_status, "%s", log_error.message));
  if (result->checkpoint_error[0] != '\0')
    TRY(error_set(error, result->checkpoint_status, "--checkpoint: the last one could not be written: %s", result->checkpoint_error));
cleanup:
  return status;
}

static Status outcome(const CvWork *work, const Session *session) {
  if (!work->result->complete) return SETOSA_INTERRUPTED;
  return session->options->strict && work->result->unconverged > 0 ? SETOSA_ERROR_NOT_CONVERGED : SETOSA_OK;
}

static Status run(const Session *given, Error *error) {
  Status status = SETOSA_OK;
  CvWork work = {0};
  Session merged = *given;
  merged.options = &work.resume.options;
  const Session *session = &merged;
  SetosaRanks *ranks = given->ranks; /* they agree after every step, so that an error of one ends all of them there */
  TRY(setosa_ranks_agree(ranks, train_resume_open(&work.resume, &command_cv, given, error), error));
  TRY(setosa_ranks_agree(ranks, prepare(&work, session, error), error));
  TRY(setosa_ranks_agree(ranks, load(&work, session, error), error));
  TRY(setosa_ranks_agree(ranks, compute_open(&work.compute, session, error), error));
  TRY(setosa_ranks_agree(ranks, train_log_open(&work.log, session_is_first(session) ? session->options->log : NULL, error), error));
  TRY(run_cv(&work, session, error));
  TRY(setosa_ranks_agree(ranks, session_is_first(session) ? finish(&work, session, error) : SETOSA_OK, error));
  status = outcome(&work, session);
cleanup:
  interrupt_defer(false);
  train_log_close(&work.log, NULL);
  setosa_model_destroy(work.model);
  setosa_cv_result_destroy(work.result);
  setosa_dataset_destroy(work.data);
  compute_close(&work.compute);
  train_resume_close(&work.resume);
  return status;
}

const Command command_cv = {
    .name = "cv",
    .arguments = "DATA...",
    .summary = "choose the penalty by cross-validation",
    .description =
        "Trains along a path of penalties, from the largest to the least, on all rows and on all but one fold in turn, and says how each "
        "penalty does on the rows that were held out. DATA and most options are those of setosa train. Folds are chosen by --seed, every "
        "one with its share of each class. With --checkpoint FILE no end is the end of the work: setosa cv --resume FILE goes on with the "
        "next model, to the same table.",
    .details =
        "\nThe table, as glmnet has it:\n\n"
        "  log-loss    of rows that a model has not seen: mean of the folds by their weight\n"
        "  std. error  of it: root of the weighted variance of the folds / (folds - 1)\n"
        "  min         the penalty of the least log-loss\n"
        "  1se         the largest penalty whose log-loss is at most one standard error above\n"
        "\nWith --standardize the means and deviations are those of all rows.\n",
    .examples =
        "  setosa cv iris.csv\n"
        "  setosa cv wine.csv --standardize --folds 10 --l2-path 1e-5:10:30\n"
        "  setosa cv digits.csv --choose 1se --model digits.safetensors\n"
        "  setosa cv big.csv --checkpoint big.checkpoint --log big.jsonl\n"
        "  setosa cv --resume big.checkpoint\n",
    .id = FOR_CV,
    .least_arguments = 0, /* with --resume the checkpoint knows; without, train_resume.c says what is missing */
    .most_arguments = 1,
    .several = true,
    .runs_on_ranks = true,
    .run = run,
};
