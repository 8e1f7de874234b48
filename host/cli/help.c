/* Help pages. */
#include "cli/help.h"

#include <stdarg.h>
#include <string.h>

#include "cli/terminal/page.h"

enum { PAGE_WIDTH = 80, OPTION_COLUMN = 26 };

/* Columns of the terminal, at most PAGE_WIDTH: long lines are hard to read. */
static size_t page_width(FILE *stream) {
  size_t width = console_width(stream, PAGE_WIDTH);
  return width > PAGE_WIDTH ? PAGE_WIDTH : width < 40 ? 40 : width;
}

/* Lines of help, ended by "\n". */
__attribute__((format(printf, 2, 3))) static void print_lines(FILE *stream, const char *format, ...) {
  char lines[2048];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(lines, sizeof lines, format, arguments);
  va_end(arguments);
  page_put(stream, lines, page_width(stream));
}

static void print_heading(FILE *stream, bool color, const char *heading) {
  fprintf(stream, "\n%s%s%s\n", color_code(color, COLOR_BOLD), heading, color_code(color, COLOR_PLAIN));
}

/* Command lines, each ended by "\n" and remarked on behind two blanks and a #. One that is too long goes on behind a backslash, so that it
 * can be pasted as it stands; its remark goes below it. */
static void print_examples(FILE *stream, const char *examples) {
  size_t width = page_width(stream);
  while (*examples != '\0') {
    char line[256];
    size_t length = strcspn(examples, "\n");
    snprintf(line, sizeof line, "%.*s", (int)length, examples);
    examples += length + (examples[length] == '\n');
    char *remark = strlen(line) > width ? strstr(line, "  #") : NULL;
    size_t column = 0;
    if (remark != NULL) {
      char *end = remark;
      remark += strspn(remark, " ");
      do *end = '\0';
      while (end-- > line && *end == ' ');
    }
    for (char *word = line; *word != '\0';) {
      size_t blanks = strspn(word, " "), end = blanks + strcspn(word + blanks, " ");
      if (column > 2 && column + end + (word[end] != '\0' ? 2 : 0) > width) {
        fputs(" \\\n     ", stream);
        column = 5;
      }
      fprintf(stream, "%.*s", (int)end, word);
      column += end;
      word += end;
    }
    fputc('\n', stream);
    if (remark != NULL) fprintf(stream, "      %s\n", remark);
  }
}

void help_print_overview(FILE *stream, bool color) {
  size_t count = 0;
  const Command *const *commands = command_list(&count);
  const char *cyan = color_code(color, COLOR_CYAN), *plain = color_code(color, COLOR_PLAIN);
  print_lines(stream, HELP_PURPOSE "\n");
  print_heading(stream, color, "Usage");
  print_lines(stream, "  setosa COMMAND [ARGUMENTS] [OPTIONS]\n");
  print_heading(stream, color, "Commands");
  for (size_t i = 0; i < count; i++)
    print_lines(stream, "  %s%-8s%s  %-12s  %s\n", cyan, commands[i]->name, plain, commands[i]->arguments, commands[i]->summary);
  print_lines(stream, "  %s%-8s%s  %-12s  %s\n", cyan, "help", plain, "[COMMAND]", "this text, or all about a command");
  print_heading(stream, color, "Begin with");
  print_examples(stream, HELP_BEGIN_WITH);
  print_lines(stream,
              "\nExit codes: 0 done, 1 internal, 2 usage, 3 bad data, 4 device, 5 not converged (--strict), 6 a file could not be written, "
              "130 interrupted.\n");
}

const char *help_default(const OptionRow *row, char text[HELP_DEFAULT]) {
  Options defaults;
  char room[OPTION_VALUE];
  text[0] = '\0';
  if (!row->show_default) return text;
  options_default(&defaults);
  snprintf(text, HELP_DEFAULT, " (default %s)", option_print(room, row, options_home(&defaults, row)));
  options_free(&defaults);
  return text;
}

static void print_option(const OptionRow *row, FILE *stream, bool color) {
  const char *cyan = color_code(color, COLOR_CYAN), *plain = color_code(color, COLOR_PLAIN);
  char with_default[HELP_DEFAULT], name[64], letter[8] = "";
  if (row->letter != '\0') snprintf(letter, sizeof letter, "-%c, ", row->letter);
  int length = snprintf(name, sizeof name, "%s--%s%s%s", letter, option_flag(row), row->argument != NULL ? " " : "",
                        row->argument != NULL ? row->argument : "");
  bool below = length + 4 > OPTION_COLUMN;
  if (below) print_lines(stream, "  %s%s%s\n", cyan, name, plain);
  print_lines(stream, "  %s%-*s%s%s%s\n", below ? "" : cyan, OPTION_COLUMN - 2, below ? "" : name, below ? "" : plain, row->help,
              help_default(row, with_default));
}

const HelpHeading help_headings[HELP_HEADINGS] = {
    {HEADING_EXAMPLE, "The example"}, {HEADING_DATA, "Data"},     {HEADING_BENCH, "Timing"},  {HEADING_TRAINING, "Training"},
    {HEADING_SUMMARY, "Summary"},     {HEADING_DEVICE, "Device"}, {HEADING_RESULT, "Results"}};

static void print_options(const Command *command, const HelpHeading *part, FILE *stream, bool color) {
  bool any = false;
  for (size_t i = 0; i < options_row_count(); i++) {
    const OptionRow *row = options_row(i);
    if ((row->commands & command->id) == 0 || row->heading != part->heading) continue;
    if (!any) print_heading(stream, color, part->title);
    any = true;
    print_option(row, stream, color);
  }
}

void help_print_command(const Command *command, FILE *stream, bool color) {
  print_lines(stream, "%ssetosa %s%s: %s\n", color_code(color, COLOR_BOLD), command->name, color_code(color, COLOR_PLAIN),
              command->summary);
  print_heading(stream, color, "Usage");
  print_lines(stream, "  setosa %s %s%s[OPTIONS]\n\n", command->name, command->arguments, command->arguments[0] != '\0' ? " " : "");
  print_lines(stream, "%s\n", command->description);
  if (command->details != NULL) print_lines(stream, "%s", command->details);
  print_heading(stream, color, "Examples");
  print_examples(stream, command->examples);
  for (size_t i = 0; i < HELP_HEADINGS; i++) print_options(command, &help_headings[i], stream, color);
}
