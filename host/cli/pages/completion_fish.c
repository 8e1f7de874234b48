/* Completion for fish. */
#include "cli/pages/pages.h"

/* Text between the quotes of fish. */
static void put(FILE *stream, const char *text) {
  for (; *text != '\0'; text++) {
    if (*text == '\'' || *text == '\\') fputc('\\', stream);
    fputc(*text, stream);
  }
}

static void write_option(FILE *stream, const Command *command, const OptionRow *row) {
  fprintf(stream, "complete -c setosa -n '__fish_seen_subcommand_from %s' -l %s", command->name, option_flag(row));
  if (row->letter != '\0') fprintf(stream, " -s %c", row->letter);
  switch (value_of_option(row)) {
    case VALUE_NONE:
      break;
    case VALUE_CHOICE:
      fputs(" -x -a '", stream);
      value_write_choices(stream, row);
      fputc('\'', stream);
      break;
    case VALUE_FILE:
      fputs(" -r -F", stream);
      break;
    case VALUE_FOLDER:
      fputs(" -x -a '(__fish_complete_directories)'", stream);
      break;
    case VALUE_DEVICE:
      fputs(" -x -a '(__setosa_devices)'", stream);
      break;
    default:
      fputs(" -x", stream);
  }
  fputs(" -d '", stream);
  put(stream, row->help);
  fputs("'\n", stream);
}

void completion_write_fish(FILE *stream) {
  size_t count = 0;
  const OptionRow *row;
  const Command *const *commands = command_list(&count);
  fputs(
      "# Completion of setosa for fish. Made from its tables of options; do not edit.\n\n"
      "# The devices that `setosa devices` shows, by number.\n"
      "function __setosa_devices\n"
      "  setosa devices --json 2>/dev/null | sed -n -e '/^ *\"index\": /{s/^ *\"index\": \\([0-9]*\\),.*/\\1/;h;}' \\\n"
      "    -e '/^ *\"name\": /{s/^ *\"name\": \"\\(.*\\)\",.*/\\1/;H;x;s/\\n/\\t/;p;}'\n"
      "  printf '%s\\t%s\\n' cpu 'the first CPU' gpu 'the first GPU' all 'every device'\n"
      "end\n\n"
      "complete -c setosa -f\n"
      "complete -c setosa -n __fish_use_subcommand -s h -l help -d 'what the program is'\n"
      "complete -c setosa -n __fish_use_subcommand -s V -l version -d 'its version'\n",
      stream);
  for (size_t i = 0; i < count; i++) {
    fprintf(stream, "complete -c setosa -n __fish_use_subcommand -a %s -d '", commands[i]->name);
    put(stream, commands[i]->summary);
    fputs("'\n", stream);
  }
  fputs(
      "complete -c setosa -n __fish_use_subcommand -a help -d 'all about a command'\n"
      "complete -c setosa -n '__fish_seen_subcommand_from help' -a '",
      stream);
  for (size_t i = 0; i < count; i++) fprintf(stream, "%s%s", i > 0 ? " " : "", commands[i]->name);
  fputs("'\n", stream);
  for (size_t i = 0; i < count; i++) {
    fprintf(stream, "\n# setosa %s\n", commands[i]->name);
    ValueKind kind = value_of_arguments(commands[i]);
    if (kind == VALUE_FILE) fprintf(stream, "complete -c setosa -n '__fish_seen_subcommand_from %s' -F\n", commands[i]->name);
    if (kind == VALUE_CHOICE) {
      fprintf(stream, "complete -c setosa -n '__fish_seen_subcommand_from %s' -a '", commands[i]->name);
      value_write_argument_choices(stream, commands[i]);
      fputs("'\n", stream);
    }
    for (size_t at = 0; (row = next_option(commands[i], &at)) != NULL;) write_option(stream, commands[i], row);
  }
}
