/* Between decimal digits and numbers, whatever the process's locale: to the nearest double, and back in the fewest digits. */
#ifndef SETOSA_BASE_NUMBER_H
#define SETOSA_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* The whole of text[0..length), without blanks: an optional sign, digits with at most one `decimal` ('.' or ',') among or beside them, an
 * optional exponent. False when it is anything else; nan, inf and hexadecimal are no numbers. Correctly rounded (to even); +-inf and true
 * where it is too large for a double. Any number of threads may call it. */
bool number_parse(const char *text, size_t length, char decimal, double *value);

enum { NUMBER_TEXT = 32 };
/* A number in the fewest digits that read back to it. Returns text. */
const char *number_print(char text[NUMBER_TEXT], double value);
/* The same of a number that is read back as f32. */
const char *number_print_float(char text[NUMBER_TEXT], float value);

#endif
