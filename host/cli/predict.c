/* `setosa predict`: a CSV of predicted classes and probabilities, one line a row. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/dry_run.h"
#include "cli/inputs.h"
#include "cli/terminal/csv.h"
#include "cli/terminal/interrupt.h"
#include "cli/terminal/progress.h"

typedef struct PredictWork {
  FILE *stream;
  bool terminal; /* stream is one: names are shown, not acted on; files and pipes get them as they are */
  const SetosaModel *model;
  const SetosaDataset *data;
  size_t classes, top_k; /* top_k 0: every class */
  uint64_t written;      /* rows of the source so far */
  size_t *best;          /* (top_k) classes of the row at hand, most probable first */
  double began;
  Progress progress;
} PredictWork;

static void write_name(const PredictWork *work, const char *name) { csv_name(work->stream, name, work->terminal); }

static void write_class(const PredictWork *work, size_t k) { write_name(work, setosa_model_class_name(work->model, k)); }

static void write_header(const PredictWork *work) {
  fputs("row,", work->stream);
  for (size_t i = 0; i < setosa_dataset_ids(work->data); i++) {
    write_name(work, setosa_dataset_id_name(work->data, i));
    fputc(',', work->stream);
  }
  fputs("predicted", work->stream);
  for (size_t i = 0; i < work->top_k; i++) fprintf(work->stream, ",class_%zu,probability_%zu", i + 1, i + 1);
  for (size_t k = 0; work->top_k == 0 && k < work->classes; k++) {
    fputc(',', work->stream);
    write_class(work, k);
  }
  fputc('\n', work->stream);
}

/* best[0..count) = the classes of largest probability, ties by index: one pass with an insertion into the short list. */
static void find_best(const float *probabilities, size_t classes, size_t count, size_t *best) {
  size_t held = 0;
  for (size_t k = 0; k < classes; k++) {
    size_t at = held;
    while (at > 0 && probabilities[k] > probabilities[best[at - 1]]) at--;
    if (at >= count) continue;
    size_t last = held < count ? held : count - 1;
    memmove(best + at + 1, best + at, (last - at) * sizeof *best);
    best[at] = k;
    if (held < count) held++;
  }
}

/* What a line begins with: the number of the row, and what it is known by. */
static void write_ids(const PredictWork *work, uint64_t row) {
  if (row == 0) write_header(work); /* not before: what fails at once prints nothing */
  fprintf(work->stream, "%llu,", (unsigned long long)row + 1);
  for (size_t i = 0; i < setosa_dataset_ids(work->data); i++) {
    const char *text = setosa_dataset_id(work->data, i, row);
    if (text != NULL && text[0] != '\0') write_name(work, text);
    fputc(',', work->stream);
  }
}

/* Rows before `end` that have no prediction have their lines all the same: row i of the source is line i. */
static void write_gaps(PredictWork *work, uint64_t end) {
  size_t empty = work->top_k > 0 ? 2 * work->top_k : work->classes;
  for (; work->written < end && !ferror(work->stream); work->written++) {
    write_ids(work, work->written);
    for (size_t i = 0; i < empty; i++) fputc(',', work->stream);
    fputc('\n', work->stream);
  }
}

static void write_row(PredictWork *work, size_t row, const float *probabilities) {
  const size_t top_k = work->top_k;
  size_t one[1] = {0}, *best = top_k > 0 ? work->best : one;
  write_gaps(work, setosa_dataset_source_row(work->data, row));
  find_best(probabilities, work->classes, top_k > 0 ? top_k : 1, best);
  write_ids(work, work->written++);
  write_class(work, best[0]);
  for (size_t i = 0; i < top_k; i++) {
    fputc(',', work->stream);
    write_class(work, best[i]);
    fprintf(work->stream, ",%.9g", (double)probabilities[best[i]]);
  }
  for (size_t k = 0; top_k == 0 && k < work->classes; k++) fprintf(work->stream, ",%.9g", (double)probabilities[k]);
  fputc('\n', work->stream);
}

static bool on_rows(size_t first_row, size_t count, const float *probabilities, void *user) {
  PredictWork *work = user;
  for (size_t i = 0; i < count && !ferror(work->stream); i++) write_row(work, first_row + i, probabilities + i * work->classes);
  SetosaProgress at = {.phase = SETOSA_PHASE_PREDICT,
                       .rows_done = first_row + count,
                       .rows_total = setosa_dataset_rows(work->data),
                       .seconds = clock_seconds() - work->began};
  return progress_update(&at, &work->progress) && !ferror(work->stream);
}

static Status load(SetosaModel **model, SetosaDataset **data, Compute *compute, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  TRY(setosa_model_load(model, options->argument[0], error));
  if (options->top_k > setosa_model_classes(*model))
    TRY(error_set(error, SETOSA_ERROR_USAGE, "--top-k %llu: the model has %zu classes", (unsigned long long)options->top_k,
                  setosa_model_classes(*model)));
  TRY(compute_choose_one(compute, session, error));
  SetosaDataOptions how = input_model_options(*model, options);
  how.labels_optional = true;
  TRY(input_load(data, session, options->argument[1], how, error));
  TRY(setosa_model_scale_dataset(*model, *data, error));
  TRY(compute_open(compute, session, error));
cleanup:
  return status;
}

static Status predict(PredictWork *work, const Compute *compute, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  size_t listed = work->top_k > 0 ? work->top_k : 1;
  TRY(memory_allocate((void **)&work->best, listed, sizeof *work->best, "the best classes", error));
  work->began = clock_seconds();
  progress_begin(&work->progress, &session->console, NULL);
  /* On a terminal the rows themselves are the progress, and behind a pipe they may come to the same terminal. */
  struct stat info;
  if (work->stream == stdout && (fstat(fileno(stdout), &info) != 0 || !S_ISREG(info.st_mode))) work->progress.shown = false;
  status = setosa_predict(work->model, work->data, &compute->options, on_rows, work, error);
  if (status == SETOSA_OK) write_gaps(work, setosa_dataset_source_rows(work->data));
  progress_end(&work->progress);
  /* Stopped by ourselves because the stream takes no more: whoever closes the stream tells why. */
  if (status == SETOSA_INTERRUPTED && !interrupt_requested()) {
    error_clear(error);
    status = SETOSA_OK;
  }
cleanup:
  free(work->best);
  return status;
}

static Status run(const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  SetosaModel *model = NULL;
  SetosaDataset *data = NULL;
  Compute compute = {0};
  AtomicFile file = {0};
  TRY(load(&model, &data, &compute, session, error));
  if (options->dry_run) {
    TRY(dry_run_scores(data, model, &compute.options, session, error));
    goto cleanup;
  }
  if (options->output != NULL) TRY(atomic_file_open(&file, options->output, error));
  PredictWork work = {.stream = options->output != NULL ? file.stream : stdout,
                      .model = model,
                      .data = data,
                      .classes = setosa_model_classes(model),
                      .top_k = (size_t)options->top_k};
  work.terminal = isatty(fileno(work.stream)) == 1;
  TRY(predict(&work, &compute, session, error));
  if (options->output != NULL) {
    TRY(atomic_file_commit(&file, error));
    console_note(&session->console, "%llu rows written to %s", (unsigned long long)work.written, options->output);
  }
cleanup:
  interrupt_defer(false);
  atomic_file_abandon(&file);
  setosa_dataset_destroy(data);
  setosa_model_destroy(model);
  compute_close(&compute);
  return status;
}

const Command command_predict = {
    .name = "predict",
    .arguments = "MODEL DATA...",
    .summary = "CSV: row, predicted class, probability of every class",
    .description =
        "Predicts every row of DATA, in order, rows counted from 1. Labels may be missing. Columns are found by the names the "
        "model was trained with, or by position when there are none; scaling is the model's. A row that lacks a value which the model "
        "needs "
        "has its line with empty fields; --missing mean predicts it, too. --id COLUMN carries a column over, as those of the training are. "
        "A reader that stops early (setosa predict ... | head) is no error.",
    .examples =
        "  setosa predict iris.safetensors new.csv > predictions.csv\n"
        "  setosa predict iris.safetensors new.csv -o predictions.csv\n"
        "  setosa predict words.safetensors new.csv --top-k 5\n"
        "  setosa predict penguins.safetensors north.csv south.csv --id nest\n",
    .id = FOR_PREDICT,
    .least_arguments = 2,
    .most_arguments = 2,
    .several = true,
    .run = run,
};
