/* Completion for zsh, by its _arguments. */
#include "cli/pages/pages.h"

/* Text within '...[...]': brackets, colons and backslashes of the specification, and the quotes of the shell. */
static void put(FILE *stream, const char *text) {
  for (; *text != '\0'; text++) {
    if (*text == '\'')
      fputs("'\\''", stream);
    else if (*text == '[' || *text == ']' || *text == ':' || *text == '\\')
      fprintf(stream, "\\%c", *text);
    else
      fputc(*text, stream);
  }
}

static void write_action(FILE *stream, const OptionRow *row) {
  fputc(':', stream);
  put(stream, row->argument);
  fputc(':', stream);
  switch (value_of_option(row)) {
    case VALUE_CHOICE:
      fputc('(', stream);
      value_write_choices(stream, row);
      fputc(')', stream);
      break;
    case VALUE_FILE:
      fputs("_files", stream);
      break;
    case VALUE_FOLDER:
      fputs("_files -/", stream);
      break;
    case VALUE_DEVICE:
      fputs("_setosa_devices", stream);
      break;
    default:
      fputc(' ', stream); /* nothing to propose, and no file either */
  }
}

static void write_option(FILE *stream, const OptionRow *row) {
  bool repeats = row->kind == OPTION_LIST || row->joins;
  fputs("        '", stream);
  if (row->letter != '\0')
    fprintf(stream, "(-%c --%s)'{-%c,--%s}'", row->letter, option_flag(row), row->letter, option_flag(row));
  else
    fprintf(stream, "%s--%s", repeats ? "*" : "", option_flag(row));
  fputc('[', stream);
  put(stream, row->help);
  fputc(']', stream);
  if (row->argument != NULL) write_action(stream, row);
  fputs("' \\\n", stream);
}

static void write_command(FILE *stream, const Command *command) {
  const OptionRow *row;
  fprintf(stream, "    %s)\n      _arguments \\\n", command->name);
  for (size_t at = 0; (row = next_option(command, &at)) != NULL;) write_option(stream, row);
  ValueKind kind = value_of_arguments(command);
  if (kind == VALUE_CHOICE) {
    fputs("        '1: :(", stream);
    value_write_argument_choices(stream, command);
    fputs(")'\n", stream);
  } else {
    fprintf(stream, "        '*:%s:%s'\n", command->arguments[0] != '\0' ? command->arguments : " ", kind == VALUE_FILE ? "_files" : " ");
  }
  fputs("      ;;\n", stream);
}

void completion_write_zsh(FILE *stream) {
  size_t count = 0;
  const Command *const *commands = command_list(&count);
  fputs(
      "#compdef setosa\n# Completion of setosa for zsh. Made from its tables of options; do not edit.\n\n"
      "# The devices that `setosa devices` shows, by number.\n"
      "_setosa_devices() {\n"
      "  local -a devices\n"
      "  devices=(${(f)\"$(setosa devices --json 2>/dev/null | sed -n \\\n"
      "    -e '/^ *\"index\": /{s/^ *\"index\": \\([0-9]*\\),.*/\\1/;h;}' \\\n"
      "    -e '/^ *\"name\": /{s/^ *\"name\": \"\\(.*\\)\",.*/\\1/;s/:/\\\\:/g;H;x;s/\\n/:/;p;}')\"})\n"
      "  devices+=('cpu:the first CPU' 'gpu:the first GPU' 'all:every device')\n"
      "  _describe device devices\n"
      "}\n\n"
      "_setosa_command() {\n"
      "  local -a commands=(\n",
      stream);
  for (size_t i = 0; i < count; i++) {
    fprintf(stream, "    '%s:", commands[i]->name);
    put(stream, commands[i]->summary);
    fputs("'\n", stream);
  }
  fputs(
      "    'help:all about a command'\n"
      "  )\n"
      "  _describe command commands\n"
      "}\n\n"
      "_setosa() {\n"
      "  local curcontext=$curcontext state line\n"
      "  typeset -A opt_args\n"
      "  _arguments -C '(- *)'{-h,--help}'[what the program is]' '(- *)'{-V,--version}'[its version]' \\\n"
      "    '1: :_setosa_command' '*:: :->arguments'\n"
      "  [[ $state == arguments ]] || return\n"
      "  curcontext=\"${curcontext%:*:*}:setosa-${words[1]}:\"\n"
      "  case ${words[1]} in\n",
      stream);
  for (size_t i = 0; i < count; i++) write_command(stream, commands[i]);
  fputs(
      "    help) _arguments '1: :_setosa_command' ;;\n"
      "  esac\n"
      "}\n\n"
      "_setosa \"$@\"\n",
      stream);
}
