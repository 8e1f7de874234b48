/* When a checkpoint is written, and the public functions that read one. */
#include "train/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/memory.h"
#include "ranks/ranks.h"
#include "train/checkpoint_settings.h"

/* The first numbers of the optimizers' "report". */
static uint64_t report_number(const OptimizerState *state, size_t index) {
  const StateEntry *report = state_find(state, "report");
  double value = report != NULL && report->count > index ? report->values[index] : 0.0;
  return value >= 0.0 && value < 9e15 ? (uint64_t)value : 0;
}

uint64_t checkpoint_state_iterations(const OptimizerState *state) { return report_number(state, 0); }
uint64_t checkpoint_state_evaluations(const OptimizerState *state) { return report_number(state, 1); }

/* Is the checkpoint that we go on from the very file that we will write? Then it becomes FILE.previous. */
static bool is_same_file(const char *a, const char *b) {
  struct stat one, other;
  return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static Status check_options(const SetosaTrainOptions *o, Error *error) {
  if (o->checkpoint != NULL && o->checkpoint_iterations == 0 && !(o->checkpoint_seconds >= 0.0))
    return error_set(error, SETOSA_ERROR_USAGE, "--every is %g; give seconds, 0 or more, or iterations, as in 10it", o->checkpoint_seconds);
  if (o->resume != NULL && o->initial != NULL)
    return error_set(error, SETOSA_ERROR_USAGE, "a training that is resumed has its weights already; leave the initial model out");
  return SETOSA_OK;
}

Status keeper_open(Keeper *keeper, const SetosaTrainOptions *options, const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  const Checkpoint *resume = options->resume;
  keeper->options = options;
  keeper->writes = ranks_rank(options->compute.ranks) == 0;
  TRY(check_options(options, error));
  if (options->checkpoint == NULL && resume == NULL) goto cleanup;
  if (options->checkpoint != NULL && keeper->writes) {
    status = checkpoint_file_probe(options->checkpoint, error);
    if (status != SETOSA_OK) error_prefix(error, "--checkpoint");
    TRY(status);
  }
  TRY(settings_of_training(&keeper->content.settings, options, dataset, error));
  for (size_t i = 0; i < options->checkpoint_note_count; i++)
    TRY(texts_add(&keeper->content.notes, options->checkpoint_notes[i].name, options->checkpoint_notes[i].value, error));
  if (resume != NULL) TRY(settings_compare(&keeper->content.settings, resume, options, error));
  if (resume != NULL && options->checkpoint != NULL) {
    /* After a fall back to FILE.previous that one is the only whole one: what is at FILE must not take its place. */
    bool same = resume->from_previous ? strcmp(options->checkpoint, resume->path) == 0 : is_same_file(options->checkpoint, resume->path);
    keeper->rotates = same && !resume->from_previous;
    keeper->there = same;
    keeper->iterations = setosa_checkpoint_iterations(resume);
  }
  keeper->fresh = !keeper->there;
  keeper->last_seconds = clock_seconds();
cleanup:
  return status;
}

Status keeper_meet_backend(Keeper *keeper, const Backend *backend, Error *error) {
  Status status = SETOSA_OK;
  if (keeper->options->checkpoint == NULL && keeper->options->resume == NULL) return SETOSA_OK;
  size_t before = keeper->content.settings.count;
  TRY(settings_of_backend(&keeper->content.settings, backend, error));
  if (keeper->options->resume == NULL) goto cleanup;
  Texts here = {keeper->content.settings.pairs + before, keeper->content.settings.count - before, 0};
  TRY(settings_compare(&here, keeper->options->resume, keeper->options, error));
cleanup:
  return status;
}

bool keeper_is_due(Keeper *keeper, uint64_t done) {
  uint64_t every = keeper->options->checkpoint_iterations;
  if (every > 0) return done % every == 0;
  return clock_seconds() - keeper->last_seconds >= keeper->options->checkpoint_seconds;
}

Status keeper_save(Keeper *keeper, const OptimizerState *state, Error *error) {
  const SetosaTrainOptions *options = keeper->options;
  Error own = {0};
  (void)error;
  if (!keeper->writes) return SETOSA_OK;
  Status status = checkpoint_file_save(options->checkpoint, &keeper->content, state, keeper->rotates, &own);
  keeper->last_seconds = clock_seconds(); /* after the writing: a slow disk then takes its part of the time, not all of it */
  if (status != SETOSA_OK) {
    snprintf(keeper->failure, sizeof keeper->failure, "%.*s", (int)sizeof keeper->failure - 1, own.message);
    if (!keeper->warned && options->warn != NULL) {
      char line[sizeof own.message + 128];
      snprintf(line, sizeof line, "the checkpoint could not be written and the training goes on without: %s", own.message);
      options->warn(line, options->progress_user);
    }
    keeper->warned = true;
    return SETOSA_OK;
  }
  if (keeper->fresh) checkpoint_file_forget_previous(options->checkpoint);
  keeper->fresh = false;
  keeper->rotates = keeper->there = true;
  keeper->iterations = checkpoint_state_iterations(state);
  keeper->written++;
  keeper->failure[0] = '\0';
  return SETOSA_OK;
}

void keeper_explain(const Keeper *keeper, Error *error) {
  if (error == NULL || !keeper->there || !keeper->writes) return; /* others do not know what rank 0 has written */
  size_t used = strlen(error->message);
  snprintf(error->message + used, sizeof error->message - used, "; %llu %s kept: go on with setosa train --resume %s",
           (unsigned long long)keeper->iterations, keeper->iterations == 1 ? "iteration is" : "iterations are",
           keeper->options->checkpoint);
}

void keeper_close(Keeper *keeper) { checkpoint_free_content(&keeper->content); }

/* ---- setosa.h --------------------------------------------------------------------------------------------------- */

/* FILE as it is; or FILE.previous, with the reason. */
static Status load_either(Checkpoint *checkpoint, Error *error) {
  Status status = SETOSA_OK;
  Error first = {0}, second = {0};
  char *previous = NULL;
  struct stat info;
  status = checkpoint_file_load(checkpoint, checkpoint->path, &first);
  if (status == SETOSA_OK) return SETOSA_OK;
  if (status != SETOSA_ERROR_DATA) TRY(error_set(error, status, "%s", first.message));
  checkpoint_free_content(checkpoint);
  TRY(checkpoint_file_previous(&previous, checkpoint->path, error));
  if (stat(previous, &info) != 0) TRY(error_set(error, status = SETOSA_ERROR_DATA, "%s", first.message));
  status = checkpoint_file_load(checkpoint, previous, &second);
  if (status == SETOSA_ERROR_DATA) error_set(error, status, "%s (nor can the one before it: %s)", first.message, second.message);
  TRY(status);
  checkpoint->from_previous = true;
  snprintf(checkpoint->warning, sizeof checkpoint->warning, "%.*s; the one before it, %.*s, is taken: %llu iterations were done", 240,
           first.message, 160, previous, (unsigned long long)checkpoint_state_iterations(&checkpoint->state));
cleanup:
  free(previous);
  return status;
}

SetosaStatus setosa_checkpoint_load(SetosaCheckpoint **checkpoint, const char *path, SetosaError *error) {
  Status status = SETOSA_OK;
  Checkpoint *made = NULL;
  *checkpoint = NULL;
  error_clear(error);
  TRY(memory_allocate_zero((void **)&made, 1, sizeof *made, "a checkpoint", error));
  TRY(memory_copy_text(&made->path, path, error));
  TRY(load_either(made, error));
  *checkpoint = made;
  made = NULL;
cleanup:
  setosa_checkpoint_destroy(made);
  return status;
}

void setosa_checkpoint_destroy(SetosaCheckpoint *checkpoint) {
  if (checkpoint == NULL) return;
  checkpoint_free_content(checkpoint);
  free(checkpoint->path);
  free(checkpoint);
}

const char *setosa_checkpoint_warning(const SetosaCheckpoint *checkpoint) { return checkpoint->warning; }

uint64_t setosa_checkpoint_iterations(const SetosaCheckpoint *checkpoint) { return checkpoint_state_iterations(&checkpoint->state); }

bool setosa_checkpoint_note(const SetosaCheckpoint *checkpoint, size_t i, SetosaNote *note) {
  if (i >= checkpoint->notes.count) return false;
  *note = (SetosaNote){checkpoint->notes.pairs[i].name, checkpoint->notes.pairs[i].value};
  return true;
}
