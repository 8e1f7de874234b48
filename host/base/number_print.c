/* Numbers as decimal text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

enum { DIGITS_LEAST = 6, DIGITS_MOST = 17 }; /* %g leaves zeros at the end out, so fewer than 6 need no try of their own */

static const char *print(char text[NUMBER_TEXT], double value, bool as_float) {
  bool same = false;
  for (int digits = DIGITS_LEAST; !same && digits <= DIGITS_MOST; digits++) {
    snprintf(text, NUMBER_TEXT, "%.*g", digits, value);
    double back = strtod(text, NULL); /* in the locale that printed it */
    same = as_float ? (float)back == (float)value : back == value;
  }
  for (char *at = text; *at != '\0'; at++)
    if (strchr("+-0123456789einfa", *at) == NULL) *at = '.'; /* whatever the locale writes for the point */
  return text;
}

const char *number_print(char text[NUMBER_TEXT], double value) { return print(text, value, false); }
const char *number_print_float(char text[NUMBER_TEXT], float value) { return print(text, (double)value, true); }
