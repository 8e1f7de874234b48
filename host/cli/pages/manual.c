/* Manual pages in the macros of man(7). */
#include <stdlib.h>
#include <string.h>

#include "cli/help.h"
#include "cli/pages/pages.h"
#include "cli/terminal/page.h"

enum { LINE_WIDTH = 72 }; /* of lines that are set as they stand; man indents by 7 */

/* Text in roff: a backslash, a minus (a hyphen otherwise) and what begins a request stand for themselves. */
static void put_text(FILE *stream, const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (i == 0 && (text[i] == '.' || text[i] == '\'')) fputs("\\&", stream);
    if (text[i] == '\\')
      fputs("\\e", stream);
    else if (text[i] == '-')
      fputs("\\-", stream);
    else if (text[i] == '\'')
      fputs("\\(aq", stream);
    else if (text[i] == '`')
      fputs("\\(ga", stream);
    else if (text[i] == '~')
      fputs("\\(ti", stream);
    else if (text[i] == '^')
      fputs("\\(ha", stream);
    else
      fputc(text[i], stream);
  }
}

static void put(FILE *stream, const char *text) { put_text(stream, text, strlen(text)); }

/* The name of a page: SETOSA-TRAIN. */
static void put_title(FILE *stream, const char *command) {
  fputs(".TH SETOSA", stream);
  if (command != NULL) fputs("\\-", stream);
  for (const char *at = command != NULL ? command : ""; *at != '\0'; at++) fputc(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at, stream);
  fprintf(stream, " 1 \"\" \"setosa " SETOSA_VERSION "\" \"User Commands\"\n.nh\n.ad l\n"); /* names and options are not broken */
}

/* Lines as they stand, in a fixed pitch. */
static void put_lines(FILE *stream, const char *lines) {
  fputs(".EX\n", stream);
  while (*lines != '\0') {
    size_t length = strcspn(lines, "\n");
    put_text(stream, lines, length);
    fputc('\n', stream);
    lines += length + (lines[length] == '\n');
  }
  fputs(".EE\n", stream);
}

/* Lines of a help page: those that begin at the edge are paragraphs, indented ones a table or a formula. */
static void put_details(FILE *stream, const char *lines) {
  while (*lines != '\0') {
    if (*lines == '\n') {
      lines++;
      continue;
    }
    const char *end = lines;
    if (*lines != ' ') {
      end += strcspn(lines, "\n");
      fputs(".PP\n", stream);
      put_text(stream, lines, (size_t)(end - lines));
      fputc('\n', stream);
      lines = end + (*end == '\n');
      continue;
    }
    while (*end == ' ') end += strcspn(end, "\n") + 1;
    char *block = strndup(lines, (size_t)(end - lines)), *set = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&set, &size);
    if (block != NULL && memory != NULL) page_put(memory, block, LINE_WIDTH);
    if (memory != NULL) fclose(memory);
    fputs(".PP\n", stream);
    if (block != NULL && set != NULL) put_lines(stream, set);
    free(block);
    free(set);
    lines = end;
  }
}

static void put_option(FILE *stream, const OptionRow *row) {
  char with_default[HELP_DEFAULT];
  fputs(".TP\n.B ", stream);
  if (row->letter != '\0') fprintf(stream, "\\-%c, ", row->letter);
  fputs("\\-\\-", stream);
  put(stream, option_flag(row));
  if (row->argument != NULL) {
    fputs(" \\fI", stream);
    put(stream, row->argument);
    fputs("\\fR", stream);
  }
  fputc('\n', stream);
  put(stream, row->help);
  put(stream, help_default(row, with_default));
  fputc('\n', stream);
}

static void put_see_also(FILE *stream, const Command *but) {
  size_t count = 0;
  const Command *const *commands = command_list(&count);
  fputs(".SH SEE ALSO\n", stream);
  if (but != NULL) fputs(".BR setosa (1),\n", stream);
  for (size_t i = 0, left = count - (but != NULL); i < count; i++)
    if (commands[i] != but) fprintf(stream, ".BR setosa\\-%s (1)%s\n", commands[i]->name, --left > 0 ? "," : "");
}

void manual_write_overview(FILE *stream) {
  size_t count = 0;
  const Command *const *commands = command_list(&count);
  put_title(stream, NULL);
  fputs(
      ".SH NAME\nsetosa \\- softmax regression on any OpenCL device\n.SH SYNOPSIS\n.B setosa\n.I COMMAND\n"
      "[\\fIARGUMENTS\\fR] [\\fIOPTIONS\\fR]\n.SH DESCRIPTION\n",
      stream);
  put(stream, HELP_PURPOSE);
  fputs("\n.SH COMMANDS\n", stream);
  for (size_t i = 0; i < count; i++) {
    fprintf(stream, ".TP\n.BR setosa\\-%s (1)\n", commands[i]->name);
    put(stream, commands[i]->summary);
    fputc('\n', stream);
  }
  fputs(".TP\n.BR \"setosa help\" \" [\\fICOMMAND\\fR]\"\nwhat these pages say, in the terminal\n.SH EXAMPLES\n", stream);
  put_lines(stream, HELP_BEGIN_WITH);
  fputs(".SH EXIT STATUS\n", stream);
  static const struct {
    int code;
    const char *means;
  } codes[] = {{0, "done"},
               {1, "an internal error"},
               {2, "wrong usage"},
               {3, "bad data"},
               {4, "no usable device, or it failed"},
               {5, "not converged, with --strict"},
               {6, "a file could not be written"},
               {130, "interrupted by Ctrl-C"}};
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    fprintf(stream, ".TP\n.B %d\n", codes[i].code);
    put(stream, codes[i].means);
    fputc('\n', stream);
  }
  fputs(
      ".SH FILES\n.TP\n.I $XDG_CACHE_HOME/setosa\ncompiled kernels, verdicts on drivers, tuning and self\\-test results, and converted "
      "data; else\n.IR \\(ti/.cache/setosa .\n.RB ( \"setosa cache\" )\n.SH ENVIRONMENT\n.TP\n.B NO_COLOR\nset to anything: no colours, "
      "unless\n.B \\-\\-color always\nis given\n.TP\n.B SETOSA_DRIVER_SECONDS\nseconds that an OpenCL driver has from one step of its "
      "first trial to the next (20)\n.TP\n.B SETOSA_TENSOR_CORES\n0: matrices are not multiplied on the tensor cores of NVIDIA's GPUs; 1: "
      "they are, without a trial of them\n",
      stream);
  put_see_also(stream, NULL);
}

void manual_write_command(FILE *stream, const Command *command) {
  put_title(stream, command->name);
  fprintf(stream, ".SH NAME\nsetosa\\-%s \\- ", command->name);
  put(stream, command->summary);
  fprintf(stream, "\n.SH SYNOPSIS\n.B setosa %s\n", command->name);
  if (command->arguments[0] != '\0') {
    fputs(".I ", stream);
    put(stream, command->arguments);
    fputc('\n', stream);
  }
  fputs("[\\fIOPTIONS\\fR]\n.SH DESCRIPTION\n", stream);
  const char *paragraph = command->description; /* may be of several lines */
  while (*paragraph != '\0') {
    size_t length = strcspn(paragraph, "\n");
    if (paragraph != command->description) fputs(".PP\n", stream);
    put_text(stream, paragraph, length);
    fputc('\n', stream);
    paragraph += length + (paragraph[length] == '\n');
  }
  if (command->details != NULL) put_details(stream, command->details);
  fputs(".SH OPTIONS\n", stream);
  for (size_t i = 0; i < HELP_HEADINGS; i++) {
    bool any = false;
    const OptionRow *row;
    for (size_t at = 0; (row = next_option_under(command, help_headings[i].heading, &at)) != NULL; any = true) {
      if (!any) fprintf(stream, ".SS %s\n", help_headings[i].title);
      put_option(stream, row);
    }
  }
  fputs(".SH EXAMPLES\n", stream);
  put_lines(stream, command->examples);
  fputs(".SH EXIT STATUS\nAs of\n.BR setosa (1).\n", stream);
  put_see_also(stream, command);
}
