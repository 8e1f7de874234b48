/* Help pages, made from the tables of commands and options; 80 columns, or the terminal's when it is narrower. */
#ifndef SETOSA_CLI_HELP_H
#define SETOSA_CLI_HELP_H

#include <stdio.h>

#include "cli/command.h"

/* What the program is and its commands. */
void help_print_overview(FILE *stream, bool color);
/* One command: usage, options, examples. */
void help_print_command(const Command *command, FILE *stream, bool color);

#endif
