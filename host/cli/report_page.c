/* Fields and command lines for pages. */
#include "cli/report_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "cli/inputs.h"
#include "cli/terminal/units.h"

Session report_capture(const Session *session, ReportFacts *facts) {
  Session captured = *session;
  captured.facts = facts;
  captured.console.color_out = false;
  return captured;
}

static Status add_word(Text *text, const char *word, Error *error) {
  Status status = SETOSA_OK;
  char *room = NULL;
  size_t size = 4 * strlen(word) + 8; /* every character may need four */
  TRY(memory_allocate((void **)&room, size, 1, "a command line", error));
  TRY(text_append(text, error, " %s", units_shell_word(room, size, word)));
cleanup:
  free(room);
  return status;
}

static Status add_option(Text *text, const Options *options, const OptionRow *row, Error *error) {
  Status status = SETOSA_OK;
  char room[OPTION_VALUE];
  if (row->kind == OPTION_LIST) {
    const OptionList *list = (const OptionList *)(const void *)((const char *)options + row->offset);
    for (size_t i = 0; i < list->count; i++) {
      if (i > 0 && list->text[i] == list->text[i - 1]) continue; /* parts of one "A,B" */
      TRY(text_append(text, error, " --%s", option_flag(row)));
      TRY(add_word(text, list->text[i], error));
    }
    return SETOSA_OK;
  }
  TRY(text_append(text, error, " --%s", option_flag(row)));
  if (row->argument != NULL) TRY(add_word(text, option_print(room, row, options_home(options, row)), error));
cleanup:
  return status;
}

/* A checkpoint would be gone on from, which is no repetition. */
static bool belongs(const OptionRow *row) {
  static const char *const others[] = {"resume", "checkpoint", "every", "overwrite"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (strcmp(option_flag(row), others[i]) == 0) return false;
  return row->class != OPTION_RUN || row->path != PATH_NONE;
}

Status report_command_line(Text *text, const Command *command, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  if (session->ranks != NULL) TRY(text_append(text, error, "mpirun -n %zu ", setosa_ranks_size(session->ranks)));
  TRY(text_append(text, error, "setosa %s", command->name));
  for (size_t i = 0; i < options->argument_count; i++) TRY(add_word(text, options->argument[i], error));
  for (size_t i = 0; i < options_row_count(); i++)
    if (options->given[i] && belongs(options_row(i))) TRY(add_option(text, options, options_row(i), error));
cleanup:
  return status;
}

const char *report_subject(char *text, size_t size, const char *data, const Session *session) {
  size_t further = session->options->data.also_count;
  const char *name = input_is_made(data) ? data : path_last(data);
  if (strcmp(data, "-") == 0) name = "standard input";
  if (further > 0)
    snprintf(text, size, "%s and %zu more", name, further);
  else
    snprintf(text, size, "%s", name);
  return text;
}
