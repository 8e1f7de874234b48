/* Numbers with their units as people read them, and words as a shell takes them. */
#ifndef SETOSA_CLI_UNITS_H
#define SETOSA_CLI_UNITS_H

#include <stddef.h>
#include <stdint.h>

enum { UNITS_SIZE = 32 };

/* All write at most UNITS_SIZE bytes to text and return it. */
const char *units_count(char text[UNITS_SIZE], double count);     /* 150, 12.3k, 2M */
const char *units_sum(char text[UNITS_SIZE], double sum);         /* of sample weights: 150, 12.375 */
const char *units_bytes(char text[UNITS_SIZE], double bytes);     /* 12 B, 3.4 MB, 2.1 GB (powers of 1000) */
const char *units_seconds(char text[UNITS_SIZE], double seconds); /* 0.31 s, 3 min 20 s, 2 h 05 min */

/* word as it can be pasted into a shell: quoted when it needs to be. Cut to size. */
const char *units_shell_word(char *text, size_t size, const char *word);
/* A name in a list with commas between: in quotes, as in a CSV, when it could be read as something else. Cut to size. */
const char *units_list_word(char *text, size_t size, const char *name);

#endif
