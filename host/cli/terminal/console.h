/* What the user sees beside results: errors, warnings and notes on stderr, and whether stdout took everything. */
#ifndef SETOSA_CLI_CONSOLE_H
#define SETOSA_CLI_CONSOLE_H

#include <stdio.h>

#include "base/error.h"
#include "cli/terminal/color.h"

enum { CONSOLE_NAME = 128 };

typedef struct Console {
  bool color_out, color_err; /* colours on stdout, on stderr */
  bool quiet, verbose;
} Console;

/* Columns of the terminal behind stream; fallback when it is none. */
size_t console_width(FILE *stream, size_t fallback);
/* Columns to lay a table or a paragraph out in: the terminal's width (at most 120), or 80. */
size_t console_page_width(void);

/* One line each on stderr; control characters of what they quote are shown as "?". warn and hint are silent with --quiet, note speaks
 * with --verbose only. A bad-data error is printed as it is, so that its FILE:LINE:COLUMN begins the line. */
void console_error(const Console *console, const Error *error);
void console_warn(const Console *console, const char *format, ...) __attribute__((format(printf, 2, 3)));
void console_hint(const Console *console, const char *format, ...) __attribute__((format(printf, 2, 3)));
void console_note(const Console *console, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints text to stream in lines of at most width columns, each but the first indented by indent spaces; ends the line. The first line
 * is taken to begin at column `at`. A word that is longer than a line is broken behind a comma, or stays whole. Returns nothing: stream
 * errors are found by console_flush. Results go through page.h. */
void console_wrap(FILE *stream, const char *text, size_t at, size_t indent, size_t width);

/* Columns that UTF-8 text takes (one a character, none for a colour); of its first `length` bytes. */
size_t console_columns(const char *text);
size_t console_columns_of(const char *text, size_t length);
/* Replaces control characters in place: file contents must not drive the terminal. */
void console_make_visible(char *text);
/* A copy made so; NULL when memory is short. free() it. */
char *console_visible(const char *text);
/* Prints text on stdout, made so when stdout is a terminal. */
void console_put(const char *text);
/* The name of a class or feature as it stands in a list: visible, and cut to 24 columns (with "..."). Returns text. */
const char *console_short_name(char text[CONSOLE_NAME], const char *name);

/* True when stdout can take no more, because of an error or because its reader has left. */
bool console_output_failed(void);
/* Flushes stdout: SETOSA_ERROR_WRITE when something could not be written. A reader that has left (setosa ... | head) is no error: it had
 * what it wanted. */
Status console_flush(Error *error);

#endif
