/* The error idiom of the whole library: functions return Status, fill an explicit Error once, and leave through one `cleanup:` label. */
#ifndef SETOSA_BASE_ERROR_H
#define SETOSA_BASE_ERROR_H

#include "setosa.h"

typedef SetosaStatus Status;
typedef SetosaError Error;

/* Fills *error unless it already holds a failure (first error wins; error may be NULL). Returns status. */
Status error_set(Error *error, Status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same with the OpenCL code that caused it. */
Status error_set_opencl(Error *error, Status status, int opencl_code, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Puts "prefix: " before the message that *error holds: a caller adds where it happened. */
void error_prefix(Error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Empties *error before a new operation; NULL is fine. */
void error_clear(Error *error);

/* Runs a call that returns Status; on failure leaves through cleanup with it. Needs `Status status` and `cleanup:` in scope. */
#define TRY(call)                          \
  do {                                     \
    status = (call);                       \
    if (status != SETOSA_OK) goto cleanup; \
  } while (0)

#endif
