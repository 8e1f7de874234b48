/* A range of rows, and how rows are cut. */
#ifndef SETOSA_BASE_RANGE_H
#define SETOSA_BASE_RANGE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct RowRange {
  size_t begin, count;
} RowRange;

static inline bool range_contains(RowRange range, size_t row) { return row >= range.begin && row - range.begin < range.count; }
/* Whether all of the range lies in rows 0..rows-1. */
static inline bool range_fits(RowRange range, size_t rows) { return range.begin <= rows && range.count <= rows - range.begin; }
/* At most `most` rows (not 0) of 0..rows-1 from `begin` on: the next block of a loop over all. */
static inline RowRange range_next(size_t begin, size_t rows, size_t most) {
  return (RowRange){begin, rows - begin < most ? rows - begin : most};
}
/* Part `part` of `parts` equal parts of 0..rows-1, in order; the first rows % parts of them have a row more. */
static inline RowRange range_part(size_t rows, size_t part, size_t parts) {
  size_t each = rows / parts, more = rows % parts;
  return (RowRange){part * each + (part < more ? part : more), each + (part < more)};
}

#endif
