/* Options as notes in a checkpoint, and back. */
#include "cli/train_resume.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/inputs.h"

static const char DATA[] = "DATA"; /* the name of that note; options are written small */

static Status refuse(const OptionRow *row, const Options *now, const Options *before, const char *path, Error *error) {
  char one[OPTION_VALUE], other[OPTION_VALUE];
  if (row->argument == NULL)
    return error_set(error, SETOSA_ERROR_USAGE, "--%s was not given when the checkpoint %s was begun; leave it out, or train afresh",
                     option_flag(row), path);
  const void *home = options_home(before, row);
  return error_set(error, SETOSA_ERROR_USAGE, "--%s: %s here, %s in the checkpoint %s; leave it out, or train afresh", option_flag(row),
                   option_print(one, row, options_home(now, row)), option_is_set(row, home) ? option_print(other, row, home) : "not given",
                   path);
}

/* ---- from a checkpoint ------------------------------------------------------------------------------------------ */

static Status recall(Options *options, const Command *command, const SetosaCheckpoint *checkpoint, const char *path, Error *error) {
  Status status = SETOSA_OK;
  SetosaNote note;
  for (size_t i = 0; setosa_checkpoint_note(checkpoint, i, &note); i++) {
    if (strcmp(note.name, DATA) == 0)
      status = options_add_argument(options, note.value, error);
    else
      status = options_store(options, command->id, note.name, note.value, error);
    if (status != SETOSA_OK) error_prefix(error, "%s", path);
    if (status == SETOSA_ERROR_USAGE) error->status = status = SETOSA_ERROR_DATA; /* it is the file that is wrong, not the command line */
    TRY(status);
  }
cleanup:
  return status;
}

/* What the command line says, over what is remembered. */
static Status merge(Options *options, const Options *now, const char *path, Error *error) {
  Status status = SETOSA_OK;
  for (size_t i = 0; i < options_row_count(); i++) {
    const OptionRow *row = options_row(i);
    if (!now->given[i]) continue;
    if (!option_may_differ(row, &options->train) && !option_same(row, options_home(now, row), options_home(options, row)))
      TRY(refuse(row, now, options, path, error));
    options_copy(options, row, now);
    options->given[i] = true;
  }
  if (now->argument_count > 0) options->argument_count = 0;
  for (size_t i = 0; i < now->argument_count; i++) TRY(options_add_argument(options, now->argument[i], error));
cleanup:
  return status;
}

/* ---- into one --------------------------------------------------------------------------------------------------- */

static Status add_note(TrainResume *resume, const char *name, const char *value, Error *error) {
  Status status = SETOSA_OK;
  char *copy = NULL;
  TRY(memory_grow((void **)&resume->notes, &resume->note_capacity, resume->note_count + 1, sizeof *resume->notes, "notes", error));
  TRY(memory_grow((void **)&resume->texts, &resume->text_capacity, resume->text_count + 1, sizeof *resume->texts, "notes", error));
  TRY(memory_copy_text(&copy, value, error));
  resume->texts[resume->text_count++] = copy;
  resume->notes[resume->note_count++] = (SetosaNote){name, copy};
cleanup:
  return status;
}

/* Paths are remembered from the root: the training may go on from another folder. */
static Status add_path(TrainResume *resume, const char *name, const char *path, Error *error) {
  char folder[4096];
  Text text = {0};
  if (path[0] == '/' || strcmp(path, "-") == 0 || input_is_made(path) || getcwd(folder, sizeof folder) == NULL)
    return add_note(resume, name, path, error);
  Status status = text_append(&text, error, "%s/%s", folder, path);
  if (status == SETOSA_OK) status = add_note(resume, name, text.text, error);
  text_free(&text);
  return status;
}

static Status remember(TrainResume *resume, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = &resume->options;
  char room[OPTION_VALUE];
  for (size_t i = 0; i < options->argument_count; i++) TRY(add_path(resume, DATA, options->argument[i], error));
  for (size_t i = 0; i < options_row_count(); i++) {
    const OptionRow *row = options_row(i);
    const char *flag = option_flag(row), *value = row->argument != NULL ? option_print(room, row, options_home(options, row)) : "";
    if (!options->given[i] || row->class == OPTION_RUN) continue;
    if (row->kind == OPTION_LIST) {
      const OptionList *list = (const OptionList *)(const void *)((const char *)options + row->offset);
      for (size_t k = 0; k < list->count; k++) TRY(add_note(resume, flag, list->text[k], error));
    } else if (row->path != PATH_NONE && (row->path != PATH_OR_COLUMN || access(value, F_OK) == 0)) {
      TRY(add_path(resume, flag, value, error));
    } else {
      TRY(add_note(resume, flag, value, error));
    }
  }
cleanup:
  return status;
}

Status train_resume_open(TrainResume *resume, const Command *command, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *now = session->options;
  const char *path = now->resume;
  if (path == NULL) {
    resume->options = *now;
  } else {
    TRY(setosa_checkpoint_load(&resume->checkpoint, path, error));
    const char *warning = setosa_checkpoint_warning(resume->checkpoint);
    if (warning[0] != '\0') console_warn(&session->console, "%s", warning);
    options_default(&resume->options);
    TRY(recall(&resume->options, command, resume->checkpoint, path, error));
    TRY(merge(&resume->options, now, path, error));
    if (resume->options.train.checkpoint == NULL) resume->options.train.checkpoint = path; /* it goes on being kept */
  }
  if (resume->options.argument_count == 0)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "`setosa %s` needs DATA; usage: setosa %s DATA; see `setosa help %s`", command->name,
                  command->name, command->name));
  if (path != NULL && now->argument_count == 0 && strcmp(resume->options.argument[0], "-") == 0)
    TRY(error_set(error, SETOSA_ERROR_USAGE,
                  "the data of %s came from standard input, which is not kept: send them again with setosa %s - --resume %s", path,
                  command->name, path));
  options_follow(&resume->options, 1);
  TRY(remember(resume, error));
cleanup:
  return status;
}

void train_resume_close(TrainResume *resume) {
  if (resume->checkpoint != NULL) options_free(&resume->options); /* else they are those of the command line */
  setosa_checkpoint_destroy(resume->checkpoint);
  for (size_t i = 0; i < resume->text_count; i++) free(resume->texts[i]);
  free(resume->texts);
  free(resume->notes);
  *resume = (TrainResume){0};
}

Status train_resume_interval(SetosaTrainOptions *train, const char *every, Error *error) {
  if (every == NULL) return SETOSA_OK;
  char count[OPTION_VALUE] = "";
  size_t length = strlen(every);
  bool iterations = length > 2 && length < sizeof count && strcmp(every + length - 2, "it") == 0;
  if (iterations) snprintf(count, sizeof count, "%.*s", (int)length - 2, every);
  bool fine = iterations ? text_parse_count(count, &train->checkpoint_iterations) && train->checkpoint_iterations > 0 &&
                               (double)train->checkpoint_iterations <= 1e15
                         : text_parse_double(every, length, &train->checkpoint_seconds) && train->checkpoint_seconds >= 0 &&
                               isfinite(train->checkpoint_seconds);
  if (fine) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_USAGE, "--every \"%s\": give seconds, as in 30, or iterations, as in 10it, at most 1e15", every);
}
