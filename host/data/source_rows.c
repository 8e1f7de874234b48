/* A sorted list, looked up by bisection. */
#include "data/source_rows.h"

#include <stdlib.h>

#include "base/memory.h"

Status source_rows_leave_out(SourceRows *rows, uint64_t row, Error *error) {
  Status status = memory_grow((void **)&rows->left_out, &rows->capacity, rows->count + 1, sizeof *rows->left_out, "rows left out", error);
  if (status == SETOSA_OK) rows->left_out[rows->count++] = row;
  return status;
}

uint64_t source_rows_of(const SourceRows *rows, uint64_t i) {
  /* left_out[j] - j rows that stay come before left_out[j], so those with left_out[j] - j <= i come before the row. */
  size_t low = 0, high = rows->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (rows->left_out[middle] - middle <= i)
      low = middle + 1;
    else
      high = middle;
  }
  return i + low;
}

void source_rows_free(SourceRows *rows) {
  free(rows->left_out);
  *rows = (SourceRows){0};
}
