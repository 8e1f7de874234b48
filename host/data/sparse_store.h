/* Rows as their entries that come piece by piece, kept in memory until they are all there. Private to host/data. */
#ifndef SETOSA_DATA_SPARSE_STORE_H
#define SETOSA_DATA_SPARSE_STORE_H

#include "data/row_sink.h"
#include "data/sparse.h"

typedef struct SparseStore SparseStore;

Status sparse_store_create(SparseStore **store, Error *error);
void sparse_store_destroy(SparseStore *store);
/* Copies a piece. */
Status sparse_store_add(SparseStore *store, const SparsePiece *piece, Error *error);
/* Moves all rows into arrays, without values where all are 1. The store is empty then. base: what the pieces call the first column. */
Status sparse_store_finish(SparseStore *store, uint32_t base, SparseArrays *arrays, Error *error);

#endif
