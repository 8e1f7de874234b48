/* JSON documents: numbers, texts, printing. */
#include "cli/json_output.h"

#include <math.h>
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

json_t *json_numbers(size_t count, const double *values) {
  json_t *array = json_array();
  for (size_t i = 0; array != NULL && i < count; i++) {
    if (json_array_append_new(array, json_number(values[i])) != 0) {
      json_decref(array);
      array = NULL;
    }
  }
  return array;
}

/* The same document with every character escaped that a terminal might act on. Not 0: memory is short. */
static int show_on_terminal(const json_t *document, FILE *stream, size_t flags) {
  char *text = json_dumps(document, flags | JSON_ENSURE_ASCII);
  if (text == NULL) return -1;
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == 0x7F) /* it counts as ASCII */
      fputs("\\u007F", stream);
    else
      fputc(*c, stream);
  }
  free(text);
  return 0;
}

Status json_print(json_t *document, bool line, FILE *stream, Error *error) {
  if (document == NULL) return error_set(error, SETOSA_ERROR_INTERNAL, "out of memory for a JSON document");
  /* 15 digits are what a double always holds; 17 would print 0.1 as 0.10000000000000001. A failed write is found when stream is flushed. */
  size_t flags = JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15) | (line ? JSON_COMPACT : JSON_INDENT(2));
  int failed = isatty(fileno(stream)) == 1 ? show_on_terminal(document, stream, flags) : json_dumpf(document, stream, flags);
  fputc('\n', stream);
  json_decref(document);
  if (failed != 0 && !ferror(stream)) return error_set(error, SETOSA_ERROR_INTERNAL, "out of memory for a JSON document");
  return SETOSA_OK;
}
