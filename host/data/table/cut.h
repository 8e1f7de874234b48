/* Where a text may be cut, and what has to be known of what is before a cut. Private to host/data. */
#ifndef SETOSA_DATA_TABLE_CUT_H
#define SETOSA_DATA_TABLE_CUT_H

#include "data/table/text.h"

size_t cut_count_byte(const char *bytes, size_t length, char wanted);
/* Behind the last end of a record in bytes[from..length), whose end is inside quotes or not; 0: there is none. */
size_t cut_find(const char *bytes, size_t from, size_t length, char newline, bool inside);
/* Behind the last end of a line in bytes[from..length); 0: there is none. */
size_t cut_find_line(const char *bytes, size_t from, size_t length, char newline);
/* What ends lines, from the beginning of a file; 0: more of it must be seen. */
char cut_find_newline(const char *bytes, size_t length, bool whole);
/* Blank lines at the end of a part; *all: there is nothing else. */
size_t cut_count_blank_lines(const TextPart *part, bool *all);
/* "sep=;" and the end of the line: its bytes; 0: the file does not begin so. */
size_t cut_separator_line(const char *bytes, size_t length, char *separator);

#endif
