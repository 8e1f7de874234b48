/* JSON documents: numbers, texts, printing. */
#include "cli/json_output.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

json_t *json_sum(double value) {
  return value == floor(value) && fabs(value) < 9e15 ? json_integer((json_int_t)value) : json_number(value);
}

json_t *json_number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

json_t *json_text(const char *text) {
  if (text == NULL) return json_null();
  json_t *made = json_string(text);
  if (made != NULL) return made;
  char *copy = strdup(text);
  if (copy == NULL) return NULL;
  for (char *at = copy; *at != '\0'; at++)
    if ((unsigned char)*at >= 0x80) *at = '?';
  made = json_string(copy);
  free(copy);
  return made;
}

static void release_unless(bool added, json_t **document) {
  if (added) return;
  json_decref(*document);
  *document = NULL;
}

void json_put(json_t **object, const char *key, json_t *value) { release_unless(json_object_set_new(*object, key, value) == 0, object); }

void json_add(json_t **array, json_t *value) { release_unless(json_array_append_new(*array, value) == 0, array); }

void json_take(json_t **object, json_t *members) {
  release_unless(json_object_update(*object, members) == 0, object);
  json_decref(members);
}

json_t *json_numbers(size_t count, const double *values) {
  json_t *array = json_array();
  for (size_t i = 0; i < count; i++) json_add(&array, json_number(values[i]));
  return array;
}

/* On a terminal every character is escaped that it might act on; the document comes as ASCII, to which the last of them belongs. */
static void print_escaped(const char *text, FILE *stream) {
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == 0x7F)
      fputs("\\u007F", stream);
    else
      fputc(*c, stream);
  }
}

Status json_print(json_t *document, bool line, FILE *stream, Error *error) {
  /* 15 digits are what a double always holds; 17 would print 0.1 as 0.10000000000000001. A failed write is found when stream is flushed. */
  size_t flags = JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15) | (line ? JSON_COMPACT : JSON_INDENT(2));
  bool shown = isatty(fileno(stream)) == 1;
  char *text = NULL;
  Status status = json_write(&text, document, flags | (shown ? JSON_ENSURE_ASCII : 0), error);
  json_decref(document);
  if (status == SETOSA_OK) {
    if (shown)
      print_escaped(text, stream);
    else
      fputs(text, stream);
    fputc('\n', stream);
  }
  free(text);
  return status;
}
