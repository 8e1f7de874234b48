/* The sink that keeps rows in memory: one page-aligned array at the end, resident about once, whether or not the number of rows was known
 * beforehand; or the mapping that they lie in. Private to host/data. */
#ifndef SETOSA_DATA_ROW_STORE_H
#define SETOSA_DATA_ROW_STORE_H

#include "data/row_sink.h"

typedef struct RowStore {
  RowSink sink;
  size_t features, rows;
  float *values; /* (expected,D) where the number of rows is known */
  size_t expected;
  struct RowBlock {
    float *values;
    size_t rows, capacity;
  } * blocks; /* where it is not */
  size_t block_count, block_capacity;
  struct SparseStore *sparse; /* of rows as their entries; NULL: they are dense */
  Mapping mapping;            /* where rows lie in a file, from offset on */
  size_t offset;
} RowStore;

RowStore row_store_init(void);
void row_store_free(RowStore *store);

#endif
