/* The error context: first failure wins, one line of text. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void fill(Error *error, Status status, int opencl_code, const char *format, va_list arguments) {
  if (error == NULL || error->status != SETOSA_OK) return;
  error->status = status;
  error->opencl_code = opencl_code;
  vsnprintf(error->message, sizeof error->message, format, arguments);
  /* One line, whatever a driver or a file name put into it. */
  for (char *c = error->message; *c != '\0'; c++)
    if (*c == '\n' || *c == '\r') *c = ' ';
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
  char joined[sizeof error->message];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(joined, sizeof joined, format, arguments);
  va_end(arguments);
  if (length < 0 || (size_t)length >= sizeof joined) return;
  snprintf(joined + length, sizeof joined - (size_t)length, ": %s", error->message);
  memcpy(error->message, joined, sizeof joined);
}

void error_clear(Error *error) {
  if (error == NULL) return;
  error->status = SETOSA_OK;
  error->opencl_code = 0;
  error->message[0] = '\0';
}
