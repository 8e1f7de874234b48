/* What may stand behind an option, as its row tells. */
#include <string.h>

#include "cli/pages/pages.h"

ValueKind value_of_option(const OptionRow *row) {
  if (row->argument == NULL) return VALUE_NONE;
  if (strcmp(row->name, "device") == 0) return VALUE_DEVICE;
  if (row->choices != NULL) return VALUE_CHOICE;
  if (row->path == PATH_FOLDER) return VALUE_FOLDER;
  return row->path != PATH_NONE ? VALUE_FILE : VALUE_ANY;
}

ValueKind value_of_arguments(const Command *command) {
  if (strstr(command->arguments, "MODEL") != NULL || strstr(command->arguments, "DATA") != NULL ||
      strstr(command->arguments, "FILE") != NULL)
    return VALUE_FILE;
  if (command->arguments[0] >= 'a' && command->arguments[0] <= 'z') return VALUE_CHOICE;
  return command->arguments[0] == '\0' ? VALUE_NONE : VALUE_ANY;
}

void value_write_choices(FILE *stream, const OptionRow *row) {
  for (size_t i = 0; row->choices[i] != NULL && (row->choice_count == 0 || i < row->choice_count); i++)
    fprintf(stream, "%s%s", i > 0 ? " " : "", row->choices[i]);
}

void value_write_argument_choices(FILE *stream, const Command *command) {
  for (const char *at = command->arguments; *at != '\0'; at++) fputc(*at == '|' ? ' ' : *at, stream);
}

const OptionRow *next_option(const Command *command, size_t *at) {
  while (*at < options_row_count()) {
    const OptionRow *row = options_row((*at)++);
    if ((row->commands & command->id) != 0) return row;
  }
  return NULL;
}

const OptionRow *next_option_under(const Command *command, OptionHeading heading, size_t *at) {
  const OptionRow *row;
  while ((row = next_option(command, at)) != NULL)
    if (row->heading == heading) return row;
  return NULL;
}
