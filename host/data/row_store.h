/* Rows of a length not known beforehand: blocks while reading, one page-aligned array at the end, resident about once. Private. */
#ifndef SETOSA_DATA_ROW_STORE_H
#define SETOSA_DATA_ROW_STORE_H

#include <stddef.h>

#include "base/error.h"

/* Zero-initialise, then set features, and cache if the rows are to go to a begun entry of it instead of staying in memory. */
typedef struct RowStore {
  size_t features, rows;
  struct RowBlock {
    float *values;
    size_t rows, capacity;
  } * blocks;
  size_t block_count, block_capacity;
  struct Cache *cache;
} RowStore;

/* *row: room for the next row (features floats); it counts once row_store_commit was called. */
Status row_store_next(RowStore *store, float **row, Error *error);
void row_store_commit(RowStore *store);
/* With a cache *values is NULL: all rows are in its file. Else *values (rows,features), page-aligned, free() it; the store is empty
 * afterwards. */
Status row_store_finish(RowStore *store, float **values, Error *error);
void row_store_free(RowStore *store);

#endif
