/* Messages on stderr, line wrapping, and the fate of stdout. */
#include "cli/terminal/console.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

enum { UNIT_LONGEST = 3, SHORT_COLUMNS = 24 };

size_t console_width(FILE *stream, size_t fallback) {
  struct winsize size;
  if (isatty(fileno(stream)) != 1 || ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return fallback;
  return size.ws_col;
}

size_t console_page_width(void) {
  size_t width = console_width(stdout, 80);
  return width > 120 ? 120 : width < 40 ? 40 : width;
}

size_t console_columns_of(const char *text, size_t length) {
  size_t columns = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '\033') { /* a colour ends with an m */
      while (i + 1 < length && text[i] != 'm') i++;
    } else {
      columns += ((unsigned char)text[i] & 0xC0) != 0x80; /* continuation bytes of UTF-8 take no column */
    }
  }
  return columns;
}

size_t console_columns(const char *text) { return console_columns_of(text, strlen(text)); }

const char *console_short_name(char text[CONSOLE_NAME], const char *name) {
  bool whole = snprintf(text, CONSOLE_NAME, "%s", name) < CONSOLE_NAME;
  console_make_visible(text);
  if (whole && console_columns(text) <= SHORT_COLUMNS) return text;
  size_t bytes = strlen(text);
  while (bytes > 0 && (console_columns_of(text, bytes) > SHORT_COLUMNS - 3 || ((unsigned char)text[bytes] & 0xC0) == 0x80)) bytes--;
  snprintf(text + bytes, CONSOLE_NAME - bytes, "...");
  return text;
}

void console_make_visible(char *text) { text_make_visible(text, '?'); }

char *console_visible(const char *text) {
  char *copy = strdup(text);
  if (copy != NULL) console_make_visible(copy);
  return copy;
}

void console_put(const char *text) {
  bool terminal = isatty(fileno(stdout)) == 1;
  char *shown = terminal ? console_visible(text) : NULL;
  fputs(shown != NULL ? shown : terminal ? "?" : text, stdout);
  free(shown);
}

/* Broken between words on a terminal; one line elsewhere, for whoever searches it. */
static void print_message(Color color, bool on, const char *prefix, const char *message) {
  if (prefix[0] != '\0' || color == COLOR_DIM) fprintf(stderr, "%s%s", color_code(on, color), prefix);
  if (prefix[0] != '\0' && color != COLOR_DIM) fputs(color_code(on, COLOR_PLAIN), stderr);
  console_wrap(stderr, message, strlen(prefix), 2, console_width(stderr, SIZE_MAX));
  if (color == COLOR_DIM) fputs(color_code(on, COLOR_PLAIN), stderr);
}

void console_error(const Console *console, const Error *error) {
  char message[sizeof error->message];
  snprintf(message, sizeof message, "%s", error->message[0] != '\0' ? error->message : "failed without saying why; please report this");
  console_make_visible(message);
  print_message(COLOR_RED, console->color_err, error->status == SETOSA_ERROR_DATA ? "" : "setosa: ", message);
}

#define FORMAT_MESSAGE(message, format)                  \
  char message[2048];                                    \
  va_list arguments;                                     \
  va_start(arguments, format);                           \
  vsnprintf(message, sizeof message, format, arguments); \
  va_end(arguments);                                     \
  console_make_visible(message)

void console_warn(const Console *console, const char *format, ...) {
  if (console->quiet) return;
  FORMAT_MESSAGE(message, format);
  print_message(COLOR_RED, console->color_err, "warning: ", message);
}

void console_hint(const Console *console, const char *format, ...) {
  if (console->quiet) return;
  FORMAT_MESSAGE(message, format);
  print_message(COLOR_CYAN, console->color_err, "hint: ", message);
}

void console_note(const Console *console, const char *format, ...) {
  if (!console->verbose || console->quiet) return;
  FORMAT_MESSAGE(message, format);
  print_message(COLOR_DIM, console->color_err, "", message);
}

/* Bytes of the next word. A number and its unit ("0.05 s") are one, so that no line begins with "s,". */
static size_t word_length(const char *text) {
  size_t length = strcspn(text, " \n");
  if (isdigit((unsigned char)text[0]) && text[length] == ' ') {
    size_t unit = strcspn(text + length + 1, " \n");
    if (unit > 0 && unit <= UNIT_LONGEST) length += 1 + unit;
  }
  return length;
}

/* Bytes of a word that has no room in any line and is broken behind a comma; all of it when it has none in time: a path stays whole, so
 * that it can be copied. */
static size_t part_length(const char *word, size_t length, size_t room) {
  size_t part = length;
  for (size_t i = 0; i + 1 < length; i++)
    if (word[i] == ',' && (part == length || console_columns_of(word, i + 1) <= room)) part = i + 1;
  return part;
}

void console_wrap(FILE *stream, const char *text, size_t at, size_t indent, size_t width) {
  size_t column = at;
  bool first = true; /* the first word of a line is never moved on */
  while (*text != '\0') {
    size_t blanks = strspn(text, " "), length = word_length(text + blanks), columns = console_columns_of(text + blanks, length);
    text += blanks;
    if (!first && columns > 0 && column + blanks + columns > width) {
      fprintf(stream, "\n%*s", (int)indent, "");
      column = indent;
      blanks = 0;
    }
    if (column + blanks + columns > width) {
      length = part_length(text, length, width > column + blanks ? width - column - blanks : 0);
      columns = console_columns_of(text, length);
    }
    if (length > 0) fprintf(stream, "%*s%.*s", (int)blanks, "", (int)length, text);
    column += blanks + columns;
    first = first && columns == 0;
    text += length;
    if (*text == '\n') {
      text++;
      fprintf(stream, "\n%*s", *text != '\0' && *text != '\n' ? (int)indent : 0, "");
      column = indent;
      first = true;
    }
  }
  fputc('\n', stream);
}

/* A pipe or socket without a reader reports POLLERR; asking the descriptor does not depend on which write failed first. */
static bool reader_has_left(void) {
  struct pollfd watch = {.fd = fileno(stdout), .events = POLLOUT};
  return poll(&watch, 1, 0) == 1 && (watch.revents & POLLERR) != 0;
}

bool console_output_failed(void) { return ferror(stdout) != 0; }

Status console_flush(Error *error) {
  bool failed_before = ferror(stdout) != 0;
  errno = 0;
  if (fflush(stdout) == 0 && !failed_before) return SETOSA_OK;
  int code = errno;
  if (code == EPIPE || reader_has_left()) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_WRITE, "stdout: cannot write: %s; the output is incomplete",
                   code != 0 ? strerror(code) : "an earlier write failed (is the disk full?)");
}
