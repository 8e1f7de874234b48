/* Options as notes in a checkpoint, and back. */
#include "cli/train_resume.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

static const char DATA[] = "DATA"; /* the name of that note; options are written small */
enum { VALUE = 64 };

static bool is_among(const char *name, const char *const *names) {
  for (; *names != NULL; names++)
    if (strcmp(*names, name) == 0) return true;
  return false;
}

/* Of this one run, not of the training: not remembered. */
static bool is_of_the_run(const OptionSpec *spec) {
  static const char *const names[] = {"json", "quiet", "verbose", "color", "help", "checkpoint", "resume", "dry-run", "fast-reduce", NULL};
  return is_among(spec->name, names);
}

/* May be another when the training goes on. What the data are is found out by their fingerprint, so their files may have moved. */
static bool may_change(const OptionSpec *spec, const Options *before) {
  static const char *const names[] = {"max-iterations", "tolerance",    "strict", "test",     "test-labels",
                                      "labels",         "model",        "log",    "every",    "device",
                                      "device-memory",  "force-device", "cache",  "no-cache", NULL};
  if (strcmp(spec->name, "epochs") == 0) return before->schedule == SETOSA_SCHEDULE_CONSTANT;
  return spec->kind == OPTION_LIST || is_of_the_run(spec) || is_among(spec->name, names);
}

static size_t field_bytes(const OptionSpec *spec) {
  switch (spec->kind) {
    case OPTION_FLAG:
      return sizeof(bool);
    case OPTION_SET:
    case OPTION_CHOICE:
      return sizeof(int);
    case OPTION_TEXT:
      return sizeof(const char *);
    case OPTION_COUNT:
    case OPTION_BYTES:
      return sizeof(uint64_t);
    case OPTION_REAL:
      return sizeof(double);
    case OPTION_LIST:
      return sizeof(OptionList);
    case OPTION_LATER:
      break;
  }
  return 0;
}

/* The value as one would type it; "" for a flag. */
static const char *print_value(char text[VALUE], const OptionSpec *spec, const Options *options) {
  const void *field = (const char *)options + spec->offset;
  text[0] = '\0';
  switch (spec->kind) {
    case OPTION_TEXT: {
      const char *value = *(const char *const *)field;
      return value != NULL ? value : "";
    }
    case OPTION_CHOICE:
      return *(const int *)field >= 0 ? spec->choices[*(const int *)field] : "";
    case OPTION_COUNT:
    case OPTION_BYTES:
      snprintf(text, VALUE, "%llu", (unsigned long long)*(const uint64_t *)field);
      break;
    case OPTION_REAL: {
      double value = *(const double *)field;
      if (isfinite(value)) snprintf(text, VALUE, "%.15g", value);
      if (isfinite(value) && strtod(text, NULL) != value) snprintf(text, VALUE, "%.17g", value);
      break;
    }
    case OPTION_FLAG:
    case OPTION_SET:
    case OPTION_LIST:
    case OPTION_LATER:
      break;
  }
  return text;
}

static bool is_same(const OptionSpec *spec, const Options *a, const Options *b) {
  char one[VALUE], other[VALUE];
  if (spec->kind == OPTION_FLAG || spec->kind == OPTION_SET)
    return memcmp((const char *)a + spec->offset, (const char *)b + spec->offset, field_bytes(spec)) == 0;
  return strcmp(print_value(one, spec, a), print_value(other, spec, b)) == 0;
}

static Status refuse(const OptionSpec *spec, const Options *now, const Options *before, const char *path, Error *error) {
  char one[VALUE], other[VALUE];
  if (spec->argument == NULL)
    return error_set(error, SETOSA_ERROR_USAGE, "--%s was not given when the checkpoint %s was begun; leave it out, or train afresh",
                     spec->name, path);
  const char *was = print_value(other, spec, before);
  return error_set(error, SETOSA_ERROR_USAGE, "--%s: %s here, %s in the checkpoint %s; leave it out, or train afresh", spec->name,
                   print_value(one, spec, now), was[0] != '\0' ? was : "not given", path);
}

/* ---- from a checkpoint ------------------------------------------------------------------------------------------ */

static Status recall(Options *options, const SetosaCheckpoint *checkpoint, const char *path, Error *error) {
  Status status = SETOSA_OK;
  SetosaNote note;
  for (size_t i = 0; setosa_checkpoint_note(checkpoint, i, &note); i++) {
    if (strcmp(note.name, DATA) == 0)
      options->argument[0] = note.value, options->argument_count = 1;
    else
      status = options_store(options, FOR_TRAIN, note.name, note.value, error);
    if (status != SETOSA_OK) error_prefix(error, "%s", path);
    TRY(status);
  }
cleanup:
  return status;
}

/* What the command line says, over what is remembered. */
static Status merge(Options *options, const Options *now, const char *path, Error *error) {
  size_t count = 0;
  const OptionSpec *specs = option_specs(&count);
  for (size_t i = 0; i < count; i++) {
    if (!now->given[i]) continue;
    if (!may_change(&specs[i], options) && !is_same(&specs[i], now, options)) return refuse(&specs[i], now, options, path, error);
    memcpy((char *)options + specs[i].offset, (const char *)now + specs[i].offset, field_bytes(&specs[i]));
    options->given[i] = true;
  }
  if (now->argument_count > 0) options->argument[0] = now->argument[0], options->argument_count = now->argument_count;
  return SETOSA_OK;
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
  if (path[0] == '/' || strncmp(path, "synthetic:", 10) == 0 || getcwd(folder, sizeof folder) == NULL)
    return add_note(resume, name, path, error);
  Status status = text_append(&text, error, "%s/%s", folder, path);
  if (status == SETOSA_OK) status = add_note(resume, name, text.text, error);
  text_free(&text);
  return status;
}

static Status remember(TrainResume *resume, Error *error) {
  static const char *const paths[] = {"labels", "test", "test-labels", "model", "log", "cache", NULL};
  Status status = SETOSA_OK;
  const Options *options = &resume->options;
  char value[VALUE];
  size_t count = 0;
  const OptionSpec *specs = option_specs(&count);
  TRY(add_path(resume, DATA, options->argument[0], error));
  for (size_t i = 0; i < count; i++) {
    if (!options->given[i] || is_of_the_run(&specs[i])) continue;
    if (specs[i].kind == OPTION_LIST) {
      const OptionList *list = (const OptionList *)(const void *)((const char *)options + specs[i].offset);
      for (size_t k = 0; k < list->count; k++) TRY(add_note(resume, specs[i].name, list->text[k], error));
    } else if (is_among(specs[i].name, paths)) {
      TRY(add_path(resume, specs[i].name, print_value(value, &specs[i], options), error));
    } else {
      TRY(add_note(resume, specs[i].name, print_value(value, &specs[i], options), error));
    }
  }
cleanup:
  return status;
}

Status train_resume_open(TrainResume *resume, const Session *session, Error *error) {
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
    TRY(recall(&resume->options, resume->checkpoint, path, error));
    TRY(merge(&resume->options, now, path, error));
    if (resume->options.checkpoint == NULL) resume->options.checkpoint = path; /* it goes on being kept */
  }
  if (resume->options.argument_count == 0)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "`setosa train` needs DATA; usage: setosa train DATA; see `setosa help train`"));
  TRY(remember(resume, error));
cleanup:
  return status;
}

void train_resume_close(TrainResume *resume) {
  setosa_checkpoint_destroy(resume->checkpoint);
  for (size_t i = 0; i < resume->text_count; i++) free(resume->texts[i]);
  free(resume->texts);
  free(resume->notes);
  *resume = (TrainResume){0};
}

Status train_resume_interval(SetosaTrainOptions *train, const char *every, Error *error) {
  if (every == NULL) return SETOSA_OK;
  char count[VALUE] = "";
  size_t length = strlen(every);
  bool iterations = length > 2 && length < VALUE && strcmp(every + length - 2, "it") == 0;
  if (iterations) snprintf(count, sizeof count, "%.*s", (int)length - 2, every);
  bool fine = iterations ? text_parse_count(count, &train->checkpoint_iterations) && train->checkpoint_iterations > 0
                         : text_parse_double(every, length, &train->checkpoint_seconds) && train->checkpoint_seconds >= 0 &&
                               isfinite(train->checkpoint_seconds);
  if (fine) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_USAGE, "--every \"%s\": give seconds, as in 30, or iterations, as in 10it", every);
}
