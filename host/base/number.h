/* From decimal digits to the nearest double, whatever the process's locale. */
#ifndef SETOSA_BASE_NUMBER_H
#define SETOSA_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* The whole of text[0..length), without blanks: an optional sign, digits with at most one `decimal` ('.' or ',') among or beside them, an
 * optional exponent. False when it is anything else; nan, inf and hexadecimal are no numbers. Correctly rounded (to even); +-inf and true
 * where it is too large for a double. Any number of threads may call it. */
bool number_parse(const char *text, size_t length, char decimal, double *value);

#endif
