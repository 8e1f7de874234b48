/* Which rows of a source became rows of a data set: all but those that were left out. Private to host/data. */
#ifndef SETOSA_DATA_SOURCE_ROWS_H
#define SETOSA_DATA_SOURCE_ROWS_H

#include <stdint.h>

#include "base/error.h"

/* Zero-initialise. */
typedef struct SourceRows {
  uint64_t *left_out; /* (count) rows of the source, from 0, going up */
  size_t count, capacity;
} SourceRows;

/* row is past those that were left out before. */
Status source_rows_leave_out(SourceRows *rows, uint64_t row, Error *error);
/* The row of the source that row i of the data set is. */
uint64_t source_rows_of(const SourceRows *rows, uint64_t i);
void source_rows_free(SourceRows *rows);

#endif
