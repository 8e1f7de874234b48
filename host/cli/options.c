/* Reading the command line with popt, and checking every value against the table. */
#include "cli/options.h"

#include <math.h>
#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/color.h"
#include "cli/command.h"
#include "setosa_bench.h"

void options_default(Options *options) {
  SetosaDataOptions data = setosa_data_options_default();
  SetosaTrainOptions train = setosa_train_options_default();
  *options = (Options){
      .header = data.header,
      .scale = NAN,
      .validation = NAN,
      .solver = (int)train.solver,
      .schedule = (int)train.schedule,
      .l2 = train.l2,
      .tolerance = train.tolerance,
      .learning_rate = train.learning_rate,
      .momentum = train.momentum,
      .max_iterations = train.max_iterations,
      .history = train.history,
      .batch_size = train.batch_size,
      .epochs = train.epochs,
      .seed = train.seed,
      .nesterov = train.nesterov,
      .backend = train.compute.backend,
      .family = SETOSA_FAMILY_AUTO,
      .storage = SETOSA_STORAGE_AUTO,
      .tuning = SETOSA_TUNING_QUICK,
      .color = COLOR_AUTO,
      .seconds = setosa_bench_options_default().seconds,
  };
}

void options_free(Options *options) {
  for (size_t i = 0; i < options->owned_count; i++) free(options->owned[i]);
  free(options->owned);
}

bool options_given(const Options *options, const char *name) {
  size_t count = 0;
  const OptionSpec *specs = option_specs(&count);
  for (size_t i = 0; i < count; i++)
    if (options->given[i] && strcmp(specs[i].name, name) == 0) return true;
  return false;
}

const char *options_nearest(const char *name, unsigned commands) {
  size_t count = 0, candidates = 0;
  const OptionSpec *specs = option_specs(&count);
  const char *names[OPTIONS_SPECS];
  for (size_t i = 0; i < count; i++)
    if ((specs[i].commands & commands) != 0 && specs[i].kind != OPTION_LATER) names[candidates++] = specs[i].name;
  return text_nearest(name, names, candidates);
}

/* "0 or more", "more than 0 and less than 1", ... */
static void describe_range(const OptionSpec *spec, char *text, size_t size) {
  const char *whole = spec->kind == OPTION_COUNT ? "a whole number" : "a number";
  bool least = isfinite(spec->least), most = isfinite(spec->most) && !(spec->kind == OPTION_COUNT && spec->most >= 9e15);
  if (least && most && (spec->open_least || spec->open_most))
    snprintf(text, size, "%s %s %g and less than %g", whole, spec->open_least ? "more than" : "of at least", spec->least, spec->most);
  else if (least && most)
    snprintf(text, size, "%s from %g to %g", whole, spec->least, spec->most);
  else if (least)
    snprintf(text, size, "%s %s %g", whole, spec->open_least ? "more than" : "of at least", spec->least);
  else
    snprintf(text, size, "%s%s", whole, spec->not_zero ? " other than 0" : "");
}

static bool in_range(const OptionSpec *spec, double value) {
  if (!isfinite(value) || (spec->not_zero && value == 0)) return false;
  return (spec->open_least ? value > spec->least : value >= spec->least) && (spec->open_most ? value < spec->most : value <= spec->most);
}

static Status store_number(Options *options, const OptionSpec *spec, const char *value, Error *error) {
  char range[96];
  void *field = (char *)options + spec->offset;
  double number = 0;
  uint64_t whole = 0;
  bool is_count = spec->kind == OPTION_COUNT;
  bool parsed = is_count ? text_parse_count(value, &whole) : text_parse_double(value, strlen(value), &number);
  if (is_count) number = (double)whole;
  if (!parsed || !in_range(spec, number)) {
    describe_range(spec, range, sizeof range);
    return error_set(error, SETOSA_ERROR_USAGE, "--%s \"%s\": give %s", spec->name, value, range);
  }
  if (is_count)
    *(uint64_t *)field = whole;
  else
    *(double *)field = number;
  return SETOSA_OK;
}

static Status store_choice(Options *options, const OptionSpec *spec, const char *value, Error *error) {
  Text list = {0};
  size_t count = 0;
  for (; spec->choices[count] != NULL; count++) {
    if (strcmp(value, spec->choices[count]) == 0) {
      *(int *)((char *)options + spec->offset) = (int)count;
      return SETOSA_OK;
    }
  }
  Status status = SETOSA_OK;
  for (size_t i = 0; i < count; i++) TRY(text_append(&list, error, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", spec->choices[i]));
  const char *nearest = text_nearest(value, spec->choices, count);
  if (nearest != NULL)
    status = error_set(error, SETOSA_ERROR_USAGE, "--%s \"%s\": did you mean %s? (%s)", spec->name, value, nearest, list.text);
  else
    status = error_set(error, SETOSA_ERROR_USAGE, "--%s \"%s\": give %s", spec->name, value, list.text);
cleanup:
  text_free(&list);
  return status;
}

/* One more word, or each of a comma-separated list of choices; a choice given twice counts once. */
static Status store_list(Options *options, const OptionSpec *spec, const char *value, Error *error) {
  Status status = SETOSA_OK;
  OptionList *list = (OptionList *)(void *)((char *)options + spec->offset);
  OptionSpec one = *spec;
  char **parts = NULL;
  size_t count = 1;
  if (spec->choices != NULL) TRY(text_split(&parts, &count, value, ',', error));
  for (size_t i = 0; i < count; i++) {
    if (list->count == OPTIONS_LIST)
      TRY(error_set(error, SETOSA_ERROR_USAGE, "--%s: at most %d can be given; leave some out", spec->name, OPTIONS_LIST));
    list->text[list->count] = value;
    one.offset = (size_t)((char *)&list->choice[list->count] - (char *)options);
    if (spec->choices != NULL) TRY(store_choice(options, &one, parts[i], error));
    bool known = false;
    for (size_t k = 0; k < list->count; k++) known |= spec->choices != NULL && list->choice[k] == list->choice[list->count];
    if (!known) list->count++;
  }
cleanup:
  free(parts);
  return status;
}

static Status store(Options *options, size_t index, const char *value, Error *error) {
  size_t count = 0;
  const OptionSpec *spec = &option_specs(&count)[index];
  void *field = (char *)options + spec->offset;
  options->given[index] = true;
  if (value == NULL) value = ""; /* a flag has none */
  switch (spec->kind) {
    case OPTION_FLAG:
      *(bool *)field = true;
      return SETOSA_OK;
    case OPTION_SET:
      *(int *)field = (int)spec->least;
      return SETOSA_OK;
    case OPTION_TEXT:
      if (value[0] == '\0') return error_set(error, SETOSA_ERROR_USAGE, "--%s \"\": give %s", spec->name, spec->argument);
      *(const char **)field = value;
      return SETOSA_OK;
    case OPTION_COUNT:
    case OPTION_REAL:
      return store_number(options, spec, value, error);
    case OPTION_BYTES:
      if (text_parse_bytes(value, field)) return SETOSA_OK;
      return error_set(error, SETOSA_ERROR_USAGE, "--%s \"%s\": give a size such as 512M or 4G", spec->name, value);
    case OPTION_CHOICE:
      return store_choice(options, spec, value, error);
    case OPTION_LIST:
      return store_list(options, spec, value, error);
    case OPTION_LATER:
      break;
  }
  return error_set(error, SETOSA_ERROR_USAGE, "--%s is not part of this version yet; leave it out", spec->name);
}

Status options_store(Options *options, unsigned commands, const char *name, const char *value, Error *error) {
  size_t count = 0;
  const OptionSpec *specs = option_specs(&count);
  for (size_t i = 0; i < count; i++)
    if ((specs[i].commands & commands) != 0 && strcmp(specs[i].name, name) == 0) return store(options, i, value, error);
  return error_set(error, SETOSA_ERROR_USAGE, "unknown option --%s: written by another version of setosa?", name);
}

/* One line for what popt could not read. */
static Status popt_failed(const Command *command, poptContext context, int code, Error *error) {
  const char *word = poptBadOption(context, POPT_BADOPTION_NOALIAS);
  size_t dashes = strspn(word, "-");
  char name[64];
  snprintf(name, sizeof name, "%.*s", (int)strcspn(word + dashes, "="), word + dashes);
  if (code == POPT_ERROR_NOARG) return error_set(error, SETOSA_ERROR_USAGE, "%s needs a value; see `setosa help %s`", word, command->name);
  if (code == POPT_ERROR_UNWANTEDARG)
    return error_set(error, SETOSA_ERROR_USAGE, "--%s takes no value; leave out what follows the =", name);
  if (code != POPT_ERROR_BADOPT) return error_set(error, SETOSA_ERROR_USAGE, "%s: %s", word, poptStrerror(code));

  const char *nearest = dashes == 2 ? options_nearest(name, command->id) : NULL;
  if (nearest != NULL && strcmp(nearest, name) != 0)
    return error_set(error, SETOSA_ERROR_USAGE, "unknown option %.*s; did you mean --%s?", (int)(dashes + strlen(name)), word, nearest);
  size_t count = 0;
  const OptionSpec *specs = option_specs(&count);
  for (size_t i = 0; dashes == 2 && i < count; i++)
    if (strcmp(specs[i].name, name) == 0)
      return error_set(error, SETOSA_ERROR_USAGE, "--%s is not an option of `setosa %s`; see `setosa help %s`", name, command->name,
                       command->name);
  return error_set(error, SETOSA_ERROR_USAGE, "unknown option %s; see `setosa help %s`", word, command->name);
}

/* popt's table for the options of one command; val is the index of the spec plus one. */
static void make_popt_table(unsigned command, struct poptOption *table) {
  size_t count = 0, used = 0;
  const OptionSpec *specs = option_specs(&count);
  for (size_t i = 0; i < count; i++)
    if ((specs[i].commands & command) != 0)
      table[used++] = (struct poptOption){.longName = specs[i].name,
                                          .shortName = specs[i].letter,
                                          .argInfo = specs[i].argument != NULL ? POPT_ARG_STRING : POPT_ARG_NONE,
                                          .val = (int)i + 1};
  table[used] = (struct poptOption)POPT_TABLEEND;
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

static Status take_arguments(Options *options, const Command *command, const char **arguments, Error *error) {
  for (; arguments != NULL && *arguments != NULL; arguments++) {
    if (options->argument_count == command->most_arguments) {
      if (command->most_arguments == 0)
        return error_set(error, SETOSA_ERROR_USAGE, "`setosa %s` takes no argument; leave out \"%s\"", command->name, *arguments);
      return error_set(error, SETOSA_ERROR_USAGE, "\"%s\" is one argument too many; usage: setosa %s %s", *arguments, command->name,
                       command->arguments);
    }
    char *copy = NULL;
    Status status = memory_copy_text(&copy, *arguments, error);
    if (status == SETOSA_OK) status = keep(options, copy, error);
    if (status != SETOSA_OK) return status;
    options->argument[options->argument_count++] = copy;
  }
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
  struct poptOption table[OPTIONS_SPECS + 1];
  int code = 0;
  make_popt_table(command->id, table);
  poptContext context = poptGetContext("setosa", argc, argv, table, POPT_CONTEXT_NO_EXEC);
  if (context == NULL) return error_set(error, SETOSA_ERROR_INTERNAL, "out of memory for the command line");
  while ((code = poptGetNextOpt(context)) > 0) {
    char *value = poptGetOptArg(context);
    if (value != NULL) TRY(keep(options, value, error));
    TRY(store(options, (size_t)code - 1, value, error));
    if (options->help) goto cleanup; /* whatever else there is */
  }
  if (code < -1) TRY(popt_failed(command, context, code, error));
  TRY(take_arguments(options, command, poptGetArgs(context), error));
  TRY(check_contradictions(options, error));
cleanup:
  poptFreeContext(context);
  return status;
}
