/* Rows as their entries, CSR: the arrays, and what is done to them in place. Private to host/data; others see SparseRows (dataset.h). */
#ifndef SETOSA_DATA_SPARSE_H
#define SETOSA_DATA_SPARSE_H

#include "base/mapping.h"
#include "data/dataset.h"

/* Owned but for what is borrowed or lies in the mapping of the rows. begin NULL: there are none, the rows are dense. */
typedef struct SparseArrays {
  uint64_t *begin;   /* (N+1), ascending from 0: the entries of row i are begin[i] to begin[i+1] - 1 */
  uint32_t *columns; /* (entries) below D, ascending within a row, none twice */
  float *values;     /* (entries) finite; NULL: every entry is 1 */
} SparseArrays;

/* Room for rows of so many entries; begin[0] is 0, and the rest is the caller's. */
Status sparse_allocate(SparseArrays *arrays, size_t rows, uint64_t entries, bool ones, Error *error);
/* Frees what is not in the mapping (NULL: none is). */
void sparse_free(SparseArrays *arrays, const Mapping *mapping);
/* Whether values say no more than no values do. */
bool sparse_all_ones(const float *values, size_t count);
/* Row `from` of `rows` becomes row `to` of the arrays, whose rows are written in ascending order. */
void sparse_put_row(SparseArrays *arrays, size_t to, const SparseRows *rows, size_t from);
/* Allocates them for dense rows (rows,features), without what is 0, and without values where all others are 1. */
Status sparse_from_dense(SparseArrays *arrays, const float *values, size_t rows, size_t features, Error *error);
/* to (features) = a row with all its zeros. */
void sparse_expand_row(float *to, size_t features, const SparseRows *rows, size_t row);
static inline uint64_t sparse_count(const SparseRows *rows, size_t count) { return rows->begin[count] - rows->begin[0]; }
/* SETOSA_ERROR_USAGE for more features than columns have numbers. */
Status sparse_check_width(size_t features, const char *source, Error *error);
/* Whether arrays are what SparseArrays says; SETOSA_ERROR_DATA names the row and the entry (from 1) where not. */
Status sparse_check(const SparseRows *rows, size_t count, size_t features, const char *source, Error *error);

#endif
