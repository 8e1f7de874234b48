/* Manual pages and completions of shells, made from the tables of commands and options while Setosa is built. */
#ifndef SETOSA_CLI_PAGES_H
#define SETOSA_CLI_PAGES_H

#include <stdio.h>

#include "cli/command.h"

/* setosa(1): what the program is, its commands, exit codes, files and environment. In the macros of man(7). */
void manual_write_overview(FILE *stream);
/* setosa-COMMAND(1). */
void manual_write_command(FILE *stream, const Command *command);

void completion_write_bash(FILE *stream);
void completion_write_zsh(FILE *stream);
void completion_write_fish(FILE *stream);

/* ---- what the pages have in common ------------------------------------------------------------------------------ */

/* What may stand behind an option, or as an argument of a command. */
typedef enum ValueKind {
  VALUE_NONE,   /* a flag */
  VALUE_CHOICE, /* one of some words */
  VALUE_FILE,
  VALUE_FOLDER,
  VALUE_DEVICE,
  VALUE_ANY /* a number, a name: nothing to propose */
} ValueKind;

ValueKind value_of_option(const OptionRow *row);
ValueKind value_of_arguments(const Command *command);
/* The words of VALUE_CHOICE, each behind a blank but the first. Of arguments: those of "clear|path". */
void value_write_choices(FILE *stream, const OptionRow *row);
void value_write_argument_choices(FILE *stream, const Command *command);
/* The rows of a command, in the order of its help; NULL after the last. Begin with *at = 0. */
const OptionRow *next_option(const Command *command, size_t *at);
/* The headings of help, and the rows under one of them; NULL after the last. */
const OptionRow *next_option_under(const Command *command, OptionHeading heading, size_t *at);

#endif
