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
  /* One line without control characters, whatever a driver or a file name put into it: it ends on somebody's terminal. */
  for (char *c = error->message; *c != '\0'; c++)
    if ((unsigned char)*c < ' ' || *c == 127) *c = ' ';
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
