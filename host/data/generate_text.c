/* Numbers as text: tables, and LIBSVM's sparse rows. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/generate_inside.h"

enum { NUMBER_SIZE = 48 };

/* True when every reader, whether it rounds to float at once or through double, finds `value` in digits / power. */
static bool reads_back(uint64_t digits, double power, float value) {
  double read = (double)digits / power; /* both exact, so this is what strtod makes of the text */
  return (float)(read * (1 - 0x1p-50)) == value && (float)(read * (1 + 0x1p-50)) == value;
}

/* The shortest of 6 to 9 digits that reads back to the same float, as %g prints it but never with an exponent: about ten times as fast.
 * Made for what the generator makes, 0 or 2e-5 to 4; other numbers go through printf. */
static size_t format_number(char text[NUMBER_SIZE], float value) {
  static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14};
  double size = fabs((double)value);
  if (size == 0) return (size_t)snprintf(text, NUMBER_SIZE, "%s", signbit(value) ? "-0" : "0");
  int before = -4; /* size < 10^before: digits before the point */
  while (before <= 6 && size >= (before < 0 ? 1 / powers[-before] : powers[before])) before++;
  for (int precision = 6; size >= 1e-5 && before <= 6 && precision <= 9; precision++) {
    int decimals = precision - before;
    uint64_t digits = (uint64_t)(size * powers[decimals] + 0.5);
    if (!reads_back(digits, powers[decimals], (float)size)) continue;
    for (; decimals > 0 && digits % 10 == 0; decimals--) digits /= 10;
    char reversed[NUMBER_SIZE];
    size_t count = 0, length = 0;
    for (int place = 0; place <= decimals || digits > 0; place++) {
      if (place == decimals && place > 0) reversed[count++] = '.';
      reversed[count++] = (char)('0' + digits % 10);
      digits /= 10;
    }
    if (signbit(value)) text[length++] = '-';
    while (count > 0) text[length++] = reversed[--count];
    text[length] = '\0';
    return length;
  }
  int length = snprintf(text, NUMBER_SIZE, "%.9g", (double)value);
  for (char *at = text; *at != '\0'; at++)
    if (strchr("+-0123456789e", *at) == NULL) *at = '.'; /* whatever the locale writes for the point */
  return (size_t)length;
}

Status generate_text_flush(Generation *g, Error *error) {
  size_t length = g->text_length;
  g->text_length = 0;
  return output_write(g->output, g->text, length, error);
}

static Status make_room(Generation *g, Error *error) {
  return g->text_length + 2 * NUMBER_SIZE < TEXT_BLOCK ? SETOSA_OK : generate_text_flush(g, error);
}

Status generate_table_header(Generation *g, Error *error) {
  Status status = SETOSA_OK;
  for (uint64_t d = 0; d < g->spec.features; d++) {
    TRY(make_room(g, error));
    g->text_length += (size_t)snprintf(g->text + g->text_length, NUMBER_SIZE, "x%llu%c", (unsigned long long)d + 1, g->separator);
  }
  TRY(make_room(g, error));
  g->text_length += (size_t)snprintf(g->text + g->text_length, NUMBER_SIZE, "label\n");
cleanup:
  return status;
}

Status generate_table_rows(Generation *g, size_t rows, Error *error) {
  Status status = SETOSA_OK;
  size_t features = (size_t)g->spec.features;
  for (size_t i = 0; i < rows; i++) {
    for (size_t d = 0; d < features; d++) {
      TRY(make_room(g, error));
      g->text_length += format_number(g->text + g->text_length, g->values[i * features + d]);
      g->text[g->text_length++] = g->separator;
    }
    TRY(make_room(g, error));
    g->text_length += (size_t)snprintf(g->text + g->text_length, NUMBER_SIZE, "%d\n", (int)g->labels[i]);
  }
cleanup:
  return status;
}

/* A column number, which snprintf would take longer for than all else of an entry. */
static size_t format_count(char text[NUMBER_SIZE], uint64_t value) {
  char reversed[NUMBER_SIZE];
  size_t count = 0, length = 0;
  do reversed[count++] = (char)('0' + value % 10);
  while ((value /= 10) > 0);
  while (count > 0) text[length++] = reversed[--count];
  return length;
}

Status generate_svm_rows(Generation *g, size_t rows, Error *error) {
  Status status = SETOSA_OK;
  const SparseArrays *entries = &g->entries;
  for (size_t i = 0; i < rows; i++) {
    TRY(make_room(g, error));
    g->text_length += format_count(g->text + g->text_length, (uint64_t)g->labels[i]);
    for (uint64_t e = entries->begin[i]; e < entries->begin[i + 1]; e++) {
      TRY(make_room(g, error));
      g->text[g->text_length++] = ' ';
      g->text_length += format_count(g->text + g->text_length, (uint64_t)entries->columns[e] + 1);
      g->text[g->text_length++] = ':';
      g->text_length += format_number(g->text + g->text_length, entries->values[e]);
    }
    g->text[g->text_length++] = '\n';
  }
cleanup:
  return status;
}
