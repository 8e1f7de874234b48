/* JSON documents with a fixed order of fields. */
#ifndef SETOSA_CLI_JSON_OUTPUT_H
#define SETOSA_CLI_JSON_OUTPUT_H

#include <jansson.h>
#include <stdio.h>

#include "base/error.h"

/* A number; null when it is not finite (JSON has no other word for it). */
json_t *json_number(double value);
/* A sum of sample weights: an integer where it is whole, as sums of ones are. */
json_t *json_sum(double value);
/* A text; bytes that are not UTF-8 become "?"; NULL becomes null. */
json_t *json_text(const char *text);
/* An array of count numbers. */
json_t *json_numbers(size_t count, const double *values);
/* Prints the document with its line end and releases it. document NULL: memory ran out while it was made. line: on one line. */
Status json_print(json_t *document, bool line, FILE *stream, Error *error);

#endif
