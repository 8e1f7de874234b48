/* A growing list of lines. */
#include "data/remarks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

Status remarks_add(Remarks *remarks, SetosaRemark kind, Error *error, const char *format, ...) {
  Status status = SETOSA_OK;
  char *text = NULL;
  va_list arguments;
  va_start(arguments, format);
  int length = vasprintf(&text, format, arguments);
  va_end(arguments);
  if (length < 0) return error_set(error, SETOSA_ERROR_INTERNAL, "out of memory for a remark; close other programs");
  TRY(memory_grow((void **)&remarks->items, &remarks->capacity, remarks->count + 1, sizeof *remarks->items, "remarks", error));
  remarks->items[remarks->count++] = (Remark){kind, text};
  text = NULL;
cleanup:
  free(text);
  return status;
}

void remarks_free(Remarks *remarks) {
  for (size_t i = 0; i < remarks->count; i++) free(remarks->items[i].text);
  free(remarks->items);
  *remarks = (Remarks){0};
}
