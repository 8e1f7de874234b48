/* Lines that fit the page. */
#include "cli/terminal/page.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "cli/terminal/console.h"

enum { LINES_SIZE = 8192, DEEPER = 2, BELOW_LABEL = 4 };

/* Where a line that is too long is broken first, and where it goes on. */
typedef struct Hang {
  size_t begin;  /* bytes of what stands before the text: lead, label, blanks */
  size_t column; /* of the text on every line */
  bool below;    /* it begins on a line of its own */
} Hang;

/* The text is the last column of the line, unless that lies in the right half of the page, where too little room is left. */
static Hang find_hang(const char *line, size_t width) {
  size_t lead = strspn(line, " "), at = lead;
  Hang hang = {lead, lead > 0 ? lead + DEEPER : 0, false};
  while (line[at] != '\0') {
    at += strcspn(line + at, " ");
    size_t blanks = strspn(line + at, " "), column = console_columns_of(line, at + blanks);
    at += blanks;
    if (blanks < 2 || line[at] == '\0') continue;
    if (column <= width / 2)
      hang = (Hang){at, column, false};
    else if (hang.begin == lead)
      return (Hang){at, lead + BELOW_LABEL, true};
  }
  return hang;
}

static void put_line(FILE *stream, const char *line, size_t width) {
  if (console_columns(line) <= width) {
    fprintf(stream, "%s\n", line);
    return;
  }
  Hang hang = find_hang(line, width);
  size_t label = hang.begin;
  while (hang.below && line[label - 1] == ' ') label--;
  fprintf(stream, "%.*s", (int)label, line);
  if (hang.below) fprintf(stream, "\n%*s", (int)hang.column, "");
  console_wrap(stream, line + hang.begin, hang.below ? hang.column : console_columns_of(line, label), hang.column, width);
}

void page_put(FILE *stream, const char *lines, size_t width) {
  char line[LINES_SIZE]; /* longer ones are cut */
  while (*lines != '\0') {
    size_t length = strcspn(lines, "\n");
    snprintf(line, sizeof line, "%.*s", (int)length, lines);
    put_line(stream, line, width);
    lines += length + (lines[length] == '\n');
  }
}

#define FORMAT_LINES(lines, format)                  \
  char lines[LINES_SIZE];                            \
  va_list arguments;                                 \
  va_start(arguments, format);                       \
  vsnprintf(lines, sizeof lines, format, arguments); \
  va_end(arguments)

void page_print(const char *format, ...) {
  FORMAT_LINES(lines, format);
  page_put(stdout, lines, console_width(stdout, SIZE_MAX) == SIZE_MAX ? SIZE_MAX : console_page_width());
}

void page_explain(const char *format, ...) {
  FORMAT_LINES(lines, format);
  page_put(stdout, lines, console_page_width());
}
