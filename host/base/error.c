/* The error context: first failure wins, one line of text. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* A message that is too long (a path of kilobytes) loses its middle: what is wrong and what to do stand at its end. */
static void shorten(char *message, size_t size, const char *format, va_list arguments, size_t length) {
  static const char gap[] = " ... ";
  char *whole = malloc(length + 1);
  if (whole == NULL) return;
  vsnprintf(whole, length + 1, format, arguments);
  size_t head = size / 3, tail = size - 1 - head - strlen(gap);
  snprintf(message, size, "%.*s%s%s", (int)head, whole, gap, whole + length - tail);
  free(whole);
}

static void fill(Error *error, Status status, int opencl_code, const char *format, va_list arguments) {
  if (error == NULL || error->status != SETOSA_OK) return;
  va_list again;
  va_copy(again, arguments);
  error->status = status;
  error->opencl_code = opencl_code;
  int length = vsnprintf(error->message, sizeof error->message, format, arguments);
  if (length >= (int)sizeof error->message) shorten(error->message, sizeof error->message, format, again, (size_t)length);
  va_end(again);
  for (char *c = error->message; *c != '\0'; c++) /* one line, whatever a driver or a file name put into it */
    if (*c == '\n' || *c == '\r' || *c == '\t') *c = ' ';
  text_make_visible(error->message, '?');
}

Status error_set(Error *error, Status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fill(error, status, 0, format, arguments);
  va_end(arguments);
  return status;
}

Status error_set_opencl(Error *error, Status status, int opencl_code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fill(error, status, opencl_code, format, arguments);
  va_end(arguments);
  return status;
}

void error_prefix(Error *error, const char *format, ...) {
  if (error == NULL || error->status == SETOSA_OK) return;
  char prefix[sizeof error->message];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(prefix, sizeof prefix, format, arguments);
  va_end(arguments);
  if (length < 0 || (size_t)length + 2 >= sizeof prefix) return;
  memcpy(prefix + length, ": ", 2);
  size_t kept = strlen(error->message), room = sizeof prefix - (size_t)length - 3;
  if (kept > room) kept = room;
  memcpy(prefix + length + 2, error->message, kept);
  prefix[(size_t)length + 2 + kept] = '\0';
  memcpy(error->message, prefix, sizeof prefix);
}

void error_clear(Error *error) {
  if (error == NULL) return;
  error->status = SETOSA_OK;
  error->opencl_code = 0;
  error->message[0] = '\0';
}
