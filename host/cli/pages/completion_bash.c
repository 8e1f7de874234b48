/* Completion for bash, without the helpers of the package bash-completion. */
#include "cli/pages/pages.h"

static void write_options(FILE *stream, const Command *command) {
  const OptionRow *row;
  fprintf(stream, "    %s) options='", command->name);
  for (size_t at = 0; (row = next_option(command, &at)) != NULL;) fprintf(stream, "--%s ", option_flag(row));
  fputs("' ;;\n", stream);
}

static void write_value(FILE *stream, const Command *command, const OptionRow *row) {
  if (value_of_option(row) == VALUE_NONE) return;
  fprintf(stream, "    %s:--%s", command->name, option_flag(row));
  if (row->letter != '\0') fprintf(stream, " | %s:-%c", command->name, row->letter);
  switch (value_of_option(row)) {
    case VALUE_CHOICE:
      fputs(") _setosa_words '", stream);
      value_write_choices(stream, row);
      fputs("' ;;\n", stream);
      break;
    case VALUE_FILE:
      fputs(") _setosa_files -f ;;\n", stream);
      break;
    case VALUE_FOLDER:
      fputs(") _setosa_files -d ;;\n", stream);
      break;
    case VALUE_DEVICE:
      fputs(") _setosa_devices ;;\n", stream);
      break;
    default:
      fputs(") ;;\n", stream);
  }
}

void completion_write_bash(FILE *stream) {
  size_t count = 0;
  const OptionRow *row;
  const Command *const *commands = command_list(&count);
  fputs(
      "# Completion of setosa for bash. Made from its tables of options; do not edit.\n\n"
      "_setosa_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$word\"); }\n"
      "_setosa_files() {\n"
      "  compopt -o filenames 2>/dev/null || :\n"
      "  mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$word\")\n"
      "}\n"
      "# The numbers that `setosa devices` shows.\n"
      "_setosa_devices() {\n"
      "  _setosa_words \"cpu gpu all $(\"$program\" devices --json 2>/dev/null | sed -n 's/^ *\"index\": \\([0-9]*\\),.*/\\1/p')\"\n"
      "}\n\n"
      "_setosa() {\n"
      "  local program=$1 word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]-} options=\n"
      "  COMPREPLY=()\n"
      "  if [ \"$COMP_CWORD\" -le 1 ]; then\n"
      "    _setosa_words '",
      stream);
  for (size_t i = 0; i < count; i++) fprintf(stream, "%s ", commands[i]->name);
  fputs(
      "help --help --version'\n"
      "    return\n"
      "  fi\n"
      "  # Bash takes --option=value for three words.\n"
      "  if [ \"$word\" = '=' ]; then word=''; elif [ \"$before\" = '=' ] && [ \"$COMP_CWORD\" -ge 3 ]; then "
      "before=${COMP_WORDS[COMP_CWORD - 2]}; fi\n"
      "  case $command:$before in\n",
      stream);
  for (size_t i = 0; i < count; i++)
    for (size_t at = 0; (row = next_option(commands[i], &at)) != NULL;) write_value(stream, commands[i], row);
  fputs("    help:*) _setosa_words '", stream);
  for (size_t i = 0; i < count; i++) fprintf(stream, "%s%s", i > 0 ? " " : "", commands[i]->name);
  fputs(
      "' ;;\n"
      "    *) _setosa_arguments ;;\n"
      "  esac\n"
      "}\n\n"
      "# An option of the command, or one of its arguments.\n"
      "_setosa_arguments() {\n"
      "  case $command in\n",
      stream);
  for (size_t i = 0; i < count; i++) write_options(stream, commands[i]);
  fputs(
      "  esac\n"
      "  case $command:$word in\n"
      "    *:-*) _setosa_words \"$options\" ;;\n",
      stream);
  for (size_t i = 0; i < count; i++) {
    ValueKind kind = value_of_arguments(commands[i]);
    if (kind == VALUE_FILE) fprintf(stream, "    %s:*) _setosa_files -f ;;\n", commands[i]->name);
    if (kind == VALUE_CHOICE) {
      fprintf(stream, "    %s:*) _setosa_words '", commands[i]->name);
      value_write_argument_choices(stream, commands[i]);
      fputs("' ;;\n", stream);
    }
  }
  fputs(
      "  esac\n"
      "}\n\n"
      "complete -F _setosa setosa\n",
      stream);
}
