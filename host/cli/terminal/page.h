/* Results for people: lines of text on stdout that fit the page. */
#ifndef SETOSA_CLI_PAGE_H
#define SETOSA_CLI_PAGE_H

#include <stdio.h>

/* Prints whole lines, each ended by "\n", on stdout. On a terminal a line that is wider than console_page_width() is broken between words.
 * Where two blanks or more set columns apart ("  data        iris.csv: 150 rows, ..."), it goes on below the last column, else two blanks
 * further in, or, when it is not indented, at the edge. A column that begins in the right half of the page gets a line of its own. Where
 * stdout is no terminal, lines stay whole, for whoever searches them. Colours may be in the text and take no room; what comes from files
 * must have been made visible. */
void page_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for explanations and lists, which nobody searches: their lines are broken everywhere, elsewhere at 80 columns. */
void page_explain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for lines that are there already, on any stream and for any width. */
void page_put(FILE *stream, const char *lines, size_t width);

#endif
