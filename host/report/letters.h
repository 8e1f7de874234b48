/* How wide text is, without a font at hand: no letter of the usual ones is wider than what is said here, so that what fits here never
 * overlaps on a screen. Widths are in ems, the size of the letters. */
#ifndef SETOSA_REPORT_LETTERS_H
#define SETOSA_REPORT_LETTERS_H

#include <stdbool.h>
#include <stddef.h>

enum { LETTERS_ROOM = 512 };

double letters_width(const char *text);
/* text as it can be shown in `ems`, visible, with the middle left out when it is longer: names often differ at their ends. Whether anything
 * was left out. */
bool letters_fit(char room[LETTERS_ROOM], const char *text, double ems);
/* In place: control characters, invisible marks, bytes that are no UTF-8, and what XML forbids become "?". */
void letters_make_visible(char *text);

#endif
