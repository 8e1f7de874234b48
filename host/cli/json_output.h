/* JSON documents with a fixed order of fields. */
#ifndef SETOSA_CLI_JSON_OUTPUT_H
#define SETOSA_CLI_JSON_OUTPUT_H

#include <stdio.h>

#include "base/json.h"

/* A number; null when it is not finite (JSON has no other word for it). */
json_t *json_number(double value);
/* A sum of sample weights: an integer where it is whole, as sums of ones are. */
json_t *json_sum(double value);
/* A text; bytes that are not UTF-8 become "?"; NULL becomes null. */
json_t *json_text(const char *text);
/* An array of count numbers. */
json_t *json_numbers(size_t count, const double *values);
/* Adds to an object or an array. When that fails *object is released and NULL, and stays so whatever is added: no document lacks a part. */
void json_put(json_t **object, const char *key, json_t *value);
void json_add(json_t **array, json_t *value);
/* The members of another object, which is released. */
void json_take(json_t **object, json_t *members);
/* Prints the document with its line end, whole or not at all, and releases it. document NULL: memory ran out while it was made. line: on
 * one line. */
Status json_print(json_t *document, bool line, FILE *stream, Error *error);

#endif
