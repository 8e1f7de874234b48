/* Help pages. */
#include "cli/help.h"

#include <string.h>

enum { PAGE_WIDTH = 80, OPTION_COLUMN = 26 };

static void print_heading(FILE *stream, bool color, const char *heading) {
  fprintf(stream, "\n%s%s%s\n", color_code(color, COLOR_BOLD), heading, color_code(color, COLOR_PLAIN));
}

void help_print_overview(FILE *stream, bool color) {
  size_t count = 0;
  const Command *const *commands = command_list(&count);
  fprintf(stream, "setosa trains softmax regression (multinomial logistic regression) on any\nOpenCL device.\n");
  print_heading(stream, color, "Usage");
  fprintf(stream, "  setosa COMMAND [ARGUMENTS] [OPTIONS]\n");
  print_heading(stream, color, "Commands");
  for (size_t i = 0; i < count; i++)
    fprintf(stream, "  %s%-8s%s  %-12s  %s\n", color_code(color, COLOR_CYAN), commands[i]->name, color_code(color, COLOR_PLAIN),
            commands[i]->arguments, commands[i]->summary);
  fprintf(stream, "  %shelp%s      [COMMAND]     this text, or all about a command\n", color_code(color, COLOR_CYAN),
          color_code(color, COLOR_PLAIN));
  print_heading(stream, color, "Begin with");
  fprintf(stream,
          "  setosa devices                                  what can compute here\n"
          "  setosa train iris.csv --model iris.safetensors  fit a model and keep it\n"
          "  setosa predict iris.safetensors new.csv         use it\n");
  fprintf(stream,
          "\nExit codes: 0 done, 1 internal, 2 usage, 3 bad data, 4 device, 5 not converged\n"
          "(--strict), 6 a file could not be written, 130 interrupted.\n");
}

/* "0.0001", "lbfgs": the default of an option, read from the defaults themselves. */
static void format_default(const OptionRow *row, char *text, size_t size) {
  Options defaults;
  char room[OPTION_VALUE];
  options_default(&defaults);
  snprintf(text, size, " (default %s)", option_print(room, row, options_home(&defaults, row)));
  options_free(&defaults);
}

static void print_option(const OptionRow *row, FILE *stream, bool color) {
  char text[256], with_default[64] = "", name[64], letter[8] = "";
  if (row->show_default) format_default(row, with_default, sizeof with_default);
  if (row->letter != '\0') snprintf(letter, sizeof letter, "-%c, ", row->letter);
  int length = snprintf(name, sizeof name, "%s--%s%s%s", letter, option_flag(row), row->argument != NULL ? " " : "",
                        row->argument != NULL ? row->argument : "");
  snprintf(text, sizeof text, "%s%s", row->help, with_default);
  fprintf(stream, "  %s%s%s", color_code(color, COLOR_CYAN), name, color_code(color, COLOR_PLAIN));
  if (length + 4 > OPTION_COLUMN)
    fprintf(stream, "\n%*s", OPTION_COLUMN, "");
  else
    fprintf(stream, "%*s", OPTION_COLUMN - 2 - length, "");
  console_wrap(stream, text, OPTION_COLUMN, OPTION_COLUMN, PAGE_WIDTH);
}

static void print_options(const Command *command, OptionHeading heading, FILE *stream, bool color) {
  static const char *const titles[] = {"Data", "Training", "Device", "Results", "The example", "Timing"};
  bool any = false;
  for (size_t i = 0; i < options_row_count(); i++) {
    const OptionRow *row = options_row(i);
    if ((row->commands & command->id) == 0 || row->heading != heading || row->kind == OPTION_LATER) continue;
    if (!any) print_heading(stream, color, titles[heading]);
    any = true;
    print_option(row, stream, color);
  }
}

void help_print_command(const Command *command, FILE *stream, bool color) {
  fprintf(stream, "%ssetosa %s%s: %s\n", color_code(color, COLOR_BOLD), command->name, color_code(color, COLOR_PLAIN), command->summary);
  print_heading(stream, color, "Usage");
  fprintf(stream, "  setosa %s %s%s[OPTIONS]\n\n", command->name, command->arguments, command->arguments[0] != '\0' ? " " : "");
  console_wrap(stream, command->description, 0, 0, PAGE_WIDTH);
  print_heading(stream, color, "Examples");
  fputs(command->examples, stream);
  static const OptionHeading order[] = {HEADING_EXAMPLE, HEADING_DATA, HEADING_BENCH, HEADING_TRAINING, HEADING_DEVICE, HEADING_RESULT};
  for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) print_options(command, order[i], stream, color);
}
