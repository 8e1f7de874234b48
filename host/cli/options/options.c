/* Reading the command line with popt, and checking every value against the table. */
#include "cli/options/options.h"

#include <errno.h>
#include <math.h>
#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/terminal/color.h"
#include "setosa_bench.h"

void options_default(Options *options) {
  *options = (Options){
      .data = setosa_data_options_default(),
      .train = setosa_train_options_default(),
      .validation = NAN,
      .folds = setosa_cv_options_default().folds,
      .summary = setosa_summary_options_default(),
      .color = COLOR_AUTO,
      .seconds = setosa_bench_options_default().seconds,
  };
}

size_t options_row_count(void) {
  size_t own = 0, library = 0;
  option_program_table(&own);
  option_table(&library);
  return own + library;
}

const OptionRow *options_row(size_t index) {
  size_t own = 0, library = 0;
  const OptionRow *rows = option_program_table(&own);
  return index < own ? &rows[index] : &option_table(&library)[index - own];
}

const void *options_home(const Options *options, const OptionRow *row) {
  switch (row->home) {
    case OPTION_OF_DATA:
      return &options->data;
    case OPTION_OF_TRAINING:
      return &options->train;
    case OPTION_OF_COMPUTE:
      return &options->train.compute;
    case OPTION_OF_PROGRAM:
      break;
  }
  return options;
}

static void *home_of(Options *options, const OptionRow *row) { return (void *)(uintptr_t)options_home(options, row); }

void options_copy(Options *options, const OptionRow *row, const Options *from) {
  if (row->kind == OPTION_LIST)
    memcpy((char *)options + row->offset, (const char *)from + row->offset, sizeof(OptionList));
  else
    option_copy(row, home_of(options, row), options_home(from, row));
}

void options_free(Options *options) {
  for (size_t i = 0; i < options->owned_count; i++) free(options->owned[i]);
  free(options->owned);
  free(options->argument);
}

bool options_given(const Options *options, const char *flag) {
  for (size_t i = 0; i < options_row_count(); i++)
    if (options->given[i] && strcmp(option_flag(options_row(i)), flag) == 0) return true;
  return false;
}

static bool is_offered(const OptionRow *row, unsigned commands) { return (row->commands & commands) != 0; }

const char *options_nearest(const char *flag, unsigned commands) {
  size_t candidates = 0;
  const char *flags[OPTIONS_ROWS];
  for (size_t i = 0; i < options_row_count(); i++)
    if (is_offered(options_row(i), commands)) flags[candidates++] = option_flag(options_row(i));
  return text_nearest(flag, flags, candidates);
}

/* One more word, or each of a comma-separated list of choices; a choice given twice counts once. */
static Status store_list(OptionList *list, const OptionRow *row, const char *value, Error *error) {
  Status status = SETOSA_OK;
  char **parts = NULL;
  size_t count = 1;
  if (row->choices != NULL) TRY(text_split(&parts, &count, value, ',', error));
  for (size_t i = 0; i < count; i++) {
    if (list->count == OPTIONS_LIST)
      TRY(error_set(error, SETOSA_ERROR_USAGE, "--%s: at most %d can be given; leave some out", row->name, OPTIONS_LIST));
    list->text[list->count] = value;
    if (row->choices != NULL) TRY(option_parse_choice(row, parts[i], &list->choice[list->count], error));
    bool known = false;
    for (size_t k = 0; k < list->count; k++) known |= row->choices != NULL && list->choice[k] == list->choice[list->count];
    if (!known) list->count++;
  }
cleanup:
  free(parts);
  return status;
}

static Status keep(Options *options, char *value, Error *error) {
  Status status =
      memory_grow((void **)&options->owned, &options->owned_capacity, options->owned_count + 1, sizeof(char *), "options", error);
  if (status != SETOSA_OK) {
    free(value);
    return status;
  }
  options->owned[options->owned_count++] = value;
  return SETOSA_OK;
}

/* A list that was given before, and what follows it. */
static Status join(Options *options, const OptionRow *row, const char *value, Error *error) {
  Status status = SETOSA_OK;
  char room[OPTION_VALUE], *list = NULL;
  Text both = {0};
  void *home = home_of(options, row);
  const char *before = option_print(room, row, home); /* of a text: itself */
  TRY(option_parse(row, home, value, error));
  TRY(text_append(&both, error, "%s,%s", before, value));
  list = both.text;
  both = (Text){0};
  TRY(keep(options, list, error));
  TRY(option_parse(row, home, list, error));
cleanup:
  text_free(&both);
  return status;
}

static Status store(Options *options, size_t index, const char *value, Error *error) {
  const OptionRow *row = options_row(index);
  bool again = options->given[index];
  options->given[index] = true;
  if (row->kind == OPTION_LIST) return store_list((OptionList *)(void *)((char *)options + row->offset), row, value, error);
  if (row->joins && again) return join(options, row, value, error);
  return option_parse(row, home_of(options, row), row->argument != NULL ? value : NULL, error);
}

Status options_store(Options *options, unsigned commands, const char *flag, const char *value, Error *error) {
  for (size_t i = 0; i < options_row_count(); i++)
    if ((options_row(i)->commands & commands) != 0 && strcmp(option_flag(options_row(i)), flag) == 0)
      return store(options, i, value, error);
  return error_set(error, SETOSA_ERROR_USAGE, "unknown option --%s: written by another version of setosa?", flag);
}

static Status out_of_memory(Error *error) { return error_set(error, SETOSA_ERROR_INTERNAL, "out of memory for the command line"); }

/* One line for what popt could not read. */
static Status popt_failed(const Command *command, poptContext context, int code, Error *error) {
  const char *word = poptBadOption(context, POPT_BADOPTION_NOALIAS);
  size_t dashes = strspn(word, "-");
  char name[64];
  snprintf(name, sizeof name, "%.*s", (int)strcspn(word + dashes, "="), word + dashes);
  if (code == POPT_ERROR_MALLOC) return out_of_memory(error);
  if (code == POPT_ERROR_NOARG) return error_set(error, SETOSA_ERROR_USAGE, "%s needs a value; see `setosa help %s`", word, command->name);
  if (code == POPT_ERROR_UNWANTEDARG)
    return error_set(error, SETOSA_ERROR_USAGE, "--%s takes no value; leave out what follows the =", name);
  if (code != POPT_ERROR_BADOPT) return error_set(error, SETOSA_ERROR_USAGE, "%s: %s", word, poptStrerror(code));

  const char *nearest = dashes == 2 ? options_nearest(name, command->id) : NULL;
  if (nearest != NULL && strcmp(nearest, name) != 0)
    return error_set(error, SETOSA_ERROR_USAGE, "unknown option %.*s; did you mean --%s?", (int)(dashes + strlen(name)), word, nearest);
  for (size_t i = 0; dashes == 2 && i < options_row_count(); i++)
    if (strcmp(option_flag(options_row(i)), name) == 0)
      return error_set(error, SETOSA_ERROR_USAGE, "--%s is not an option of `setosa %s`; see `setosa help %s`", name, command->name,
                       command->name);
  return error_set(error, SETOSA_ERROR_USAGE, "unknown option %s; see `setosa help %s`", word, command->name);
}

/* popt's table for the options of one command; val is the index of the row plus one. */
static void make_popt_table(unsigned command, struct poptOption *table) {
  size_t used = 0;
  for (size_t i = 0; i < options_row_count(); i++) {
    const OptionRow *row = options_row(i);
    if ((row->commands & command) == 0) continue;
    table[used++] = (struct poptOption){.longName = option_flag(row),
                                        .shortName = row->letter,
                                        .argInfo = row->argument != NULL ? POPT_ARG_STRING : POPT_ARG_NONE,
                                        .val = (int)i + 1};
  }
  table[used] = (struct poptOption)POPT_TABLEEND;
}

Status options_add_argument(Options *options, const char *text, Error *error) {
  Status status = memory_grow((void **)&options->argument, &options->argument_capacity, options->argument_count + 1,
                              sizeof *options->argument, "arguments", error);
  if (status == SETOSA_OK) options->argument[options->argument_count++] = text;
  return status;
}

void options_follow(Options *options, size_t first) {
  bool some = options->argument_count > first;
  options->data.also = some ? options->argument + first : NULL;
  options->data.also_count = some ? options->argument_count - first : 0;
}

static Status take_arguments(Options *options, const Command *command, const char **arguments, Error *error) {
  for (; arguments != NULL && *arguments != NULL; arguments++) {
    if (options->argument_count == command->most_arguments && !command->several) {
      if (command->most_arguments == 0)
        return error_set(error, SETOSA_ERROR_USAGE, "`setosa %s` takes no argument; leave out \"%s\"", command->name, *arguments);
      return error_set(error, SETOSA_ERROR_USAGE, "\"%s\" is one argument too many; usage: setosa %s %s", *arguments, command->name,
                       command->arguments);
    }
    char *copy = NULL;
    Status status = memory_copy_text(&copy, *arguments, error);
    if (status == SETOSA_OK) status = keep(options, copy, error);
    if (status == SETOSA_OK) status = options_add_argument(options, copy, error);
    if (status != SETOSA_OK) return status;
  }
  if (command->several) options_follow(options, command->most_arguments);
  if (options->argument_count < command->least_arguments && !options->help)
    return error_set(error, SETOSA_ERROR_USAGE, "`setosa %s` needs %s; usage: setosa %s %s; see `setosa help %s`", command->name,
                     command->arguments, command->name, command->arguments, command->name);
  return SETOSA_OK;
}

/* Flags that say the opposite of each other: the last one winning would be a guess. */
static Status check_contradictions(const Options *options, Error *error) {
  static const char *const pairs[][2] = {{"header", "no-header"}, {"quiet", "verbose"}};
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
    if (options_given(options, pairs[i][0]) && options_given(options, pairs[i][1]))
      return error_set(error, SETOSA_ERROR_USAGE, "--%s and --%s contradict each other; leave one out", pairs[i][0], pairs[i][1]);
  return SETOSA_OK;
}

Status options_parse(Options *options, const Command *command, int argc, const char **argv, Error *error) {
  Status status = SETOSA_OK;
  struct poptOption table[OPTIONS_ROWS + 1];
  int code = 0;
  make_popt_table(command->id, table);
  errno = 0; /* popt goes on without what it found no memory for: arguments, a value; but malloc leaves its own word */
  poptContext context = poptGetContext("setosa", argc, argv, table, POPT_CONTEXT_NO_EXEC);
  if (context == NULL) return out_of_memory(error);
  while (errno != ENOMEM && (code = poptGetNextOpt(context)) > 0 && errno != ENOMEM) {
    char *value = poptGetOptArg(context);
    if (value != NULL) TRY(keep(options, value, error));
    TRY(store(options, (size_t)code - 1, value, error));
    if (options->help) goto cleanup; /* whatever else there is */
  }
  if (errno == ENOMEM) TRY(out_of_memory(error));
  if (code < -1) TRY(popt_failed(command, context, code, error));
  TRY(take_arguments(options, command, poptGetArgs(context), error));
  TRY(check_contradictions(options, error));
cleanup:
  poptFreeContext(context);
  return status;
}
