/* Help pages, made from the tables of commands and options; 80 columns, or the terminal's when it is narrower. */
#ifndef SETOSA_CLI_HELP_H
#define SETOSA_CLI_HELP_H

#include <stdio.h>

#include "cli/command.h"

/* What the program is, and how to begin: command lines, each with a remark. */
#define HELP_PURPOSE "setosa trains softmax regression (multinomial logistic regression) on any OpenCL device."
#define HELP_BEGIN_WITH                                                           \
  "  setosa devices                                  # what can compute here\n"   \
  "  setosa train iris.csv --model iris.safetensors  # fit a model and keep it\n" \
  "  setosa predict iris.safetensors new.csv         # use it\n"

/* The parts that options are listed in, in this order. */
typedef struct HelpHeading {
  OptionHeading heading;
  const char *title;
} HelpHeading;
enum { HELP_HEADINGS = 7 };
extern const HelpHeading help_headings[HELP_HEADINGS];

enum { HELP_DEFAULT = 96 };
/* " (default 0.0001)", read from the defaults themselves, or "" for an option whose help does not show it. Returns text. */
const char *help_default(const OptionRow *row, char text[HELP_DEFAULT]);

/* What the program is and its commands. */
void help_print_overview(FILE *stream, bool color);
/* One command: usage, options, examples. */
void help_print_command(const Command *command, FILE *stream, bool color);

#endif
