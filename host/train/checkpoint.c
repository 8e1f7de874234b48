/* When a checkpoint is written, and the public functions that read one. */
#include "train/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/text.h"
#include "model/model.h"
#include "ranks/ranks.h"
#include "train/checkpoint_settings.h"

static const char START[] = "start";     /* setting: the hash of the initial model */
static const char COMMAND[] = "command"; /* setting: whose checkpoint it is; missing: train's */

static const char *command_of(const char *command) { return command != NULL ? command : "train"; }

/* The first numbers of the optimizers' "report". */
static uint64_t report_number(const OptimizerState *state, size_t index) {
  const StateEntry *report = state_find(state, "report");
  double value = report != NULL && report->count > index ? report->values[index] : 0.0;
  return value >= 0.0 && value < 9e15 ? (uint64_t)value : 0;
}

uint64_t checkpoint_state_iterations(const OptimizerState *state) { return report_number(state, 0); }
uint64_t checkpoint_state_evaluations(const OptimizerState *state) { return report_number(state, 1); }

static Status check_options(const SetosaTrainOptions *o, Error *error) {
  if (o->checkpoint != NULL && o->checkpoint_iterations == 0 && !(o->checkpoint_seconds >= 0.0))
    return error_set(error, SETOSA_ERROR_USAGE, "--every is %g; give seconds, 0 or more, or iterations, as in 10it", o->checkpoint_seconds);
  if (o->resume != NULL && o->initial != NULL)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "a training that is resumed has its weights already; leave the initial model out (--start)");
  if (o->checkpoint == NULL && o->overwrite)
    return error_set(error, SETOSA_ERROR_USAGE, "--overwrite without --checkpoint; add --checkpoint FILE or leave it out");
  return SETOSA_OK;
}

/* ---- what is there already ---------------------------------------------------------------------------------------- */

/* FILE and FILE.previous of a training that gives way: the whole one of them stays as FILE.previous, until this training has two. */
static void give_way(Keeper *keeper, const CheckpointProbe *probe) {
  Checkpoint old = {0};
  keeper->rotates = probe->file && (!probe->previous || checkpoint_file_load(&old, keeper->options->checkpoint, NULL) == SETOSA_OK);
  checkpoint_free_content(&old);
}

/* With options->resume: FILE is where that comes from, or is not there, or may be overwritten. */
static Status check_resumed(Keeper *keeper, const CheckpointProbe *probe, Error *error) {
  Status status = SETOSA_OK;
  const SetosaTrainOptions *options = keeper->options;
  const Checkpoint *resume = options->resume;
  bool same = false;
  TRY(path_same(&same, options->checkpoint, resume->path, error));
  if (!same && options->overwrite) give_way(keeper, probe);
  if (!same && !options->overwrite && (probe->file || probe->previous))
    TRY(error_set(error, SETOSA_ERROR_USAGE,
                  "--checkpoint %s: is there already, and is not what --resume goes on from; go on from it with --resume %s, give another "
                  "name, or let it give way with --overwrite",
                  options->checkpoint, options->checkpoint));
  if (!same) goto cleanup;
  /* After a fall back to FILE.previous that one is the only whole one: what is at FILE must not take its place. */
  keeper->rotates = !resume->from_previous;
  keeper->there = true;
cleanup:
  return status;
}

/* What rank 0 decides. */
static Status find(bool *goes_on, Keeper *keeper, Error *error) {
  Status status = SETOSA_OK;
  const SetosaTrainOptions *options = keeper->options;
  CheckpointProbe probe = {false, false};
  status = checkpoint_file_probe(&probe, options->checkpoint, error);
  if (status != SETOSA_OK) error_prefix(error, "--checkpoint");
  TRY(status);
  if (options->resume != NULL)
    TRY(check_resumed(keeper, &probe, error));
  else if (options->overwrite)
    give_way(keeper, &probe);
  else
    *goes_on = probe.file || probe.previous;
cleanup:
  return status;
}

static Status load_found(Keeper *keeper, Error *error) {
  Status status = SETOSA_OK;
  Error reason = {0};
  Text ways_out = {0};
  const char *path = keeper->options->checkpoint;
  TRY(text_append(&ways_out, error, "go on from it with --resume %s, or begin afresh with --overwrite", path));
  status = setosa_checkpoint_load(&keeper->found, path, &reason);
  if (status == SETOSA_ERROR_DATA)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "--checkpoint: there is one, but %s; %s", reason.message, ways_out.text));
  if (status != SETOSA_OK) TRY(error_set(error, status, "%s", reason.message));
  keeper->found->ways_out = ways_out.text;
  ways_out.text = NULL;
  keeper->rotates = !keeper->found->from_previous;
  keeper->there = true;
cleanup:
  text_free(&ways_out);
  return status;
}

Status keeper_find(Keeper *keeper, SetosaTrainOptions *options, Error *error) {
  Status status = SETOSA_OK;
  bool goes_on = false;
  keeper->options = options;
  keeper->writes = ranks_rank(options->compute.ranks) == 0;
  TRY(check_options(options, error));
  if (options->checkpoint == NULL) return SETOSA_OK;
  if (keeper->writes) TRY(find(&goes_on, keeper, error));
  TRY(ranks_broadcast(options->compute.ranks, &goes_on, sizeof goes_on, error));
  if (!goes_on) return SETOSA_OK;
  TRY(load_found(keeper, error));
  options->resume = keeper->found;
  if (keeper->found->from_previous && keeper->writes && options->warn != NULL)
    options->warn(setosa_checkpoint_warning(keeper->found), options->progress_user);
cleanup:
  return status;
}

/* ---- while it trains ---------------------------------------------------------------------------------------------- */

/* The weights that a training began with define it, too. Who resumes one does not have them at hand, and is not asked. */
static Status compare_start(const Keeper *keeper, const char *start, Error *error) {
  const char *before = texts_find(&keeper->found->settings, START);
  if (strcmp(start, before != NULL ? before : "") == 0) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_USAGE, "the checkpoint %s is of a training that began with %s; %s", keeper->found->path,
                   before == NULL     ? "no initial model"
                   : start[0] == '\0' ? "an initial model"
                                      : "another initial model",
                   keeper->found->ways_out);
}

/* Kept from one checkpoint to the next. */
static Status keep_start(Keeper *keeper, Error *error) {
  Status status = SETOSA_OK;
  const SetosaTrainOptions *options = keeper->options;
  char hash[33] = "";
  if (options->initial != NULL) TRY(model_hash(options->initial, hash, error));
  if (keeper->found != NULL) TRY(compare_start(keeper, hash, error));
  const char *before = options->resume != NULL ? texts_find(&options->resume->settings, START) : NULL;
  if (before != NULL || hash[0] != '\0') TRY(texts_add(&keeper->content.settings, START, before != NULL ? before : hash, error));
cleanup:
  return status;
}

/* Work of another kind goes on by its own command. */
static Status check_command(const Keeper *keeper, Error *error) {
  const Checkpoint *before = keeper->options->resume;
  if (before == NULL) return SETOSA_OK;
  const char *there = command_of(texts_find(&before->settings, COMMAND));
  if (strcmp(there, command_of(keeper->command)) == 0) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_USAGE, "the checkpoint %s is one of setosa %s; %s", before->path, there,
                   before->ways_out != NULL ? "give another name, or begin afresh with --overwrite" : "go on from it with that");
}

Status keeper_compare(Keeper *keeper, const char *name, const char *value, Error *error) {
  Status status = SETOSA_OK;
  Texts *settings = &keeper->content.settings;
  if (keeper->options->checkpoint == NULL && keeper->options->resume == NULL) return SETOSA_OK;
  TRY(texts_add(settings, name, value, error));
  Texts here = {settings->pairs + settings->count - 1, 1, 0};
  if (keeper->options->resume != NULL) TRY(settings_compare(&here, keeper->options->resume, keeper->options, error));
cleanup:
  return status;
}

Status keeper_open(Keeper *keeper, const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  const SetosaTrainOptions *options = keeper->options;
  if (options->checkpoint == NULL && options->resume == NULL) goto cleanup;
  TRY(check_command(keeper, error));
  TRY(settings_of_training(&keeper->content.settings, options, dataset, error));
  if (keeper->command != NULL) TRY(texts_add(&keeper->content.settings, COMMAND, keeper->command, error));
  for (size_t i = 0; i < options->checkpoint_note_count; i++)
    TRY(texts_add(&keeper->content.notes, options->checkpoint_notes[i].name, options->checkpoint_notes[i].value, error));
  if (options->resume != NULL) TRY(settings_compare(&keeper->content.settings, options->resume, options, error));
  TRY(keep_start(keeper, error));
  if (options->resume != NULL) keeper->iterations = setosa_checkpoint_iterations(options->resume);
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
  if (!state_is_sound(state)) { /* it has diverged within an epoch: what was kept before leads to the same end */
    keeper->last_seconds = clock_seconds();
    return SETOSA_OK;
  }
  Status status = checkpoint_file_save(options->checkpoint, &keeper->content, state, keeper->rotates, &own);
  keeper->last_seconds = clock_seconds(); /* after the writing: a slow disk then takes its part of the time, not all of it */
  if (status != SETOSA_OK) {
    snprintf(keeper->failure, sizeof keeper->failure, "%.*s", (int)sizeof keeper->failure - 1, own.message);
    keeper->failed = status;
    if (!keeper->warned && options->warn != NULL) {
      char line[sizeof own.message + 128];
      snprintf(line, sizeof line, "the checkpoint could not be written and the %s goes on without: %s",
               keeper->command != NULL ? "work" : "training", own.message);
      options->warn(line, options->progress_user);
    }
    keeper->warned = true;
    return SETOSA_OK;
  }
  keeper->rotates = keeper->there = true;
  keeper->iterations = checkpoint_state_iterations(state);
  keeper->written++;
  keeper->failure[0] = '\0';
  keeper->failed = SETOSA_OK;
  return SETOSA_OK;
}

void keeper_explain(const Keeper *keeper, Error *error) {
  if (error == NULL || !keeper->there || !keeper->writes) return; /* others do not know what rank 0 has written */
  size_t used = strlen(error->message);
  const char *what = keeper->command != NULL ? "model" : "iteration";
  snprintf(error->message + used, sizeof error->message - used, "; %llu %s%s kept: go on with setosa %s --resume %s",
           (unsigned long long)keeper->iterations, what, keeper->iterations == 1 ? " is" : "s are", command_of(keeper->command),
           keeper->options->checkpoint);
}

void keeper_close(Keeper *keeper) {
  checkpoint_free_content(&keeper->content);
  setosa_checkpoint_destroy(keeper->found);
}

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
  if (checkpoint != NULL) *checkpoint = NULL;
  TRY(arguments_check(error, GIVEN(checkpoint), GIVEN(path)));
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
  free(checkpoint->ways_out);
  free(checkpoint);
}

const char *setosa_checkpoint_warning(const SetosaCheckpoint *checkpoint) { return checkpoint != NULL ? checkpoint->warning : ""; }

uint64_t setosa_checkpoint_iterations(const SetosaCheckpoint *checkpoint) {
  return checkpoint != NULL ? checkpoint_state_iterations(&checkpoint->state) : 0;
}

bool setosa_checkpoint_note(const SetosaCheckpoint *checkpoint, size_t i, SetosaNote *note) {
  if (checkpoint == NULL || i >= checkpoint->notes.count) return false;
  if (note != NULL) *note = (SetosaNote){checkpoint->notes.pairs[i].name, checkpoint->notes.pairs[i].value};
  return true;
}
