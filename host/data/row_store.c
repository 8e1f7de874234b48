/* Blocks double up to 64 MB, above the size that malloc always maps by itself: freeing one returns it to the system at once. */
#include "data/row_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/rows.h"
#include "data/sparse_store.h"

static const size_t FIRST_BLOCK_BYTES = 1 << 16, LARGEST_BLOCK_BYTES = 1 << 26;

static Status store_begin(RowSink *sink, const RowsAhead *ahead, Error *error) {
  Status status = SETOSA_OK;
  RowStore *store = (RowStore *)sink;
  size_t count = 0;
  if (ahead->kind == DATA_SPARSE) return sparse_store_create(&store->sparse, error);
  store->features = ahead->features;
  store->expected = ahead->rows;
  if (ahead->rows == 0) return SETOSA_OK;
  TRY(memory_multiply(&count, ahead->rows, ahead->features, "the data", error));
  TRY(memory_allocate((void **)&store->values, count, sizeof *store->values, "the data", error));
cleanup:
  return status;
}

static Status add_block(RowStore *store, Error *error) {
  Status status = SETOSA_OK;
  size_t bytes = FIRST_BLOCK_BYTES;
  for (size_t b = 0; b < store->block_count && bytes < LARGEST_BLOCK_BYTES; b++) bytes *= 2;
  size_t capacity = bytes / sizeof(float) / store->features;
  if (capacity == 0) capacity = 1;
  TRY(memory_grow((void **)&store->blocks, &store->block_capacity, store->block_count + 1, sizeof *store->blocks, "rows", error));
  struct RowBlock *block = &store->blocks[store->block_count];
  *block = (struct RowBlock){.capacity = capacity};
  TRY(memory_allocate((void **)&block->values, capacity * store->features, sizeof(float), "rows", error));
  store->block_count++;
cleanup:
  return status;
}

static Status store_room(RowSink *sink, float **room, size_t *rows, Error *error) {
  Status status = SETOSA_OK;
  RowStore *store = (RowStore *)sink;
  if (store->values != NULL) {
    *room = store->values + store->rows * store->features;
    *rows = store->expected - store->rows;
    return SETOSA_OK;
  }
  struct RowBlock *last = store->block_count > 0 ? &store->blocks[store->block_count - 1] : NULL;
  if (last == NULL || last->rows == last->capacity) TRY(add_block(store, error));
  last = &store->blocks[store->block_count - 1];
  *room = last->values + last->rows * store->features;
  *rows = last->capacity - last->rows;
cleanup:
  return status;
}

static Status store_take(RowSink *sink, size_t rows, Error *error) {
  RowStore *store = (RowStore *)sink;
  (void)error;
  if (store->values == NULL) store->blocks[store->block_count - 1].rows += rows;
  store->rows += rows;
  return SETOSA_OK;
}

static Status store_take_sparse(RowSink *sink, const SparsePiece *piece, Error *error) {
  return sparse_store_add(((RowStore *)sink)->sparse, piece, error);
}

static Status store_map(RowSink *sink, Mapping mapping, size_t offset, Error *error) {
  RowStore *store = (RowStore *)sink;
  (void)error;
  store->mapping = mapping;
  store->offset = offset;
  return SETOSA_OK;
}

/* Each block is freed as soon as it is copied: pages of the array come into being as those of the blocks go. */
static Status join_blocks(RowStore *store, Error *error) {
  Status status = SETOSA_OK;
  size_t count = 0, at = 0;
  TRY(memory_multiply(&count, store->rows, store->features, "the data", error));
  TRY(memory_allocate((void **)&store->values, count, sizeof(float), "the data", error));
  for (size_t b = 0; b < store->block_count; b++) {
    size_t length = store->blocks[b].rows * store->features;
    memcpy(store->values + at, store->blocks[b].values, length * sizeof(float));
    at += length;
    free(store->blocks[b].values);
    store->blocks[b].values = NULL;
  }
cleanup:
  return status;
}

static Status store_finish(RowSink *sink, Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  RowStore *store = (RowStore *)sink;
  if (store->sparse != NULL)
    return sparse_store_finish(store->sparse, dataset->index_base > 0 ? (uint32_t)dataset->index_base : 0, &dataset->held->sparse, error);
  if (store->mapping.at != NULL) {
    dataset->held->mapping = store->mapping;
    dataset->held->values = (float *)(uintptr_t)(store->mapping.at + store->offset); /* never written: rows_own copies before */
    store->mapping = (Mapping){0};
    return SETOSA_OK;
  }
  if (store->block_count > 0) TRY(join_blocks(store, error));
  dataset->held->values = store->values;
  store->values = NULL;
cleanup:
  return status;
}

static Status store_restart(RowSink *sink, Error *error) {
  (void)error;
  row_store_free((RowStore *)sink);
  return SETOSA_OK;
}

RowStore row_store_init(void) {
  return (RowStore){.sink = {.begin = store_begin,
                             .room = store_room,
                             .take = store_take,
                             .take_sparse = store_take_sparse,
                             .map = store_map,
                             .restart = store_restart,
                             .finish = store_finish}};
}

void row_store_free(RowStore *store) {
  for (size_t b = 0; b < store->block_count; b++) free(store->blocks[b].values);
  free(store->blocks);
  free(store->values);
  sparse_store_destroy(store->sparse);
  mapping_close(&store->mapping);
  *store = row_store_init();
}
