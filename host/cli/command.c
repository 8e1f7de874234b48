/* The list of commands, and what to say to a word that is none. */
#include "cli/command.h"

#include <string.h>

#include "base/text.h"

static const Command *const commands[] = {&command_train,   &command_cv,      &command_eval,   &command_summary,  &command_predict,
                                          &command_explain, &command_devices, &command_check,  &command_generate, &command_bench,
                                          &command_inspect, &command_export,  &command_import, &command_cache};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

const Command *const *command_list(size_t *count) {
  *count = COMMANDS;
  return commands;
}

const Command *command_find(const char *name) {
  for (size_t i = 0; i < COMMANDS; i++)
    if (strcmp(commands[i]->name, name) == 0) return commands[i];
  return NULL;
}

Status command_unknown(const char *name, Error *error) {
  const char *names[COMMANDS + 1];
  for (size_t i = 0; i < COMMANDS; i++) names[i] = commands[i]->name;
  names[COMMANDS] = "help";
  if (name[0] == '-')
    return error_set(error, SETOSA_ERROR_USAGE, "\"%s\": name a command first, as in `setosa train DATA`; see `setosa help`", name);
  const char *nearest = text_nearest(name, names, COMMANDS + 1);
  if (nearest != NULL) return error_set(error, SETOSA_ERROR_USAGE, "\"%s\" is no command; did you mean `setosa %s`?", name, nearest);
  return error_set(error, SETOSA_ERROR_USAGE, "\"%s\" is no command; see `setosa help`", name);
}
