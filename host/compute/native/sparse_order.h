/* The entries of a block of rows by columns, on the host. */
#ifndef SETOSA_COMPUTE_NATIVE_SPARSE_ORDER_H
#define SETOSA_COMPUTE_NATIVE_SPARSE_ORDER_H

#include "data/dataset.h"

/* Zero-initialise; one thread at a time. */
typedef struct SparseOrder {
  uint16_t *rows;  /* (entries) ascending within a column */
  float *values;   /* (entries) */
  uint32_t *index; /* as SparseBlock.index has it: (2 columns + items + 1 + longs) */
  size_t columns, items, longs, entries;
  size_t capacity, index_capacity; /* entries, and numbers of index */
  uint32_t *places;                /* (features) zeros between two calls: how many entries a column has, and then where its next one goes */
  uint32_t *found;                 /* (features) columns that have entries */
  size_t features;
} SparseOrder;

/* Of `count` rows, at most 65536, with fewer than 2^32 entries in all. Of values NULL none are written. places (features): the columns that
 * are meant; NULL: those of the rows. */
Status sparse_order_make(SparseOrder *order, const SparseRows *rows, size_t count, size_t features, const uint32_t *places, Error *error);
/* *places (features): features by falling number of entries in some of the rows of a range. Where several features share a line of memory
 * the frequent ones then share theirs, and more of them stay in the near caches. */
Status sparse_places_make(uint32_t **places, const Dataset *dataset, RowRange rows, Error *error);
void sparse_order_free(SparseOrder *order);

#endif
