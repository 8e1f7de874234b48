/* Blocks double up to 64 MB, above the size that malloc always maps by itself: freeing one returns it to the system at once. */
#include "data/row_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/cache.h"

static const size_t FIRST_BLOCK_BYTES = 1 << 16, LARGEST_BLOCK_BYTES = 1 << 26, CACHED_BLOCK_BYTES = 1 << 20;

static Status add_block(RowStore *store, Error *error) {
  Status status = SETOSA_OK;
  size_t bytes = store->cache != NULL ? CACHED_BLOCK_BYTES : FIRST_BLOCK_BYTES;
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

Status row_store_next(RowStore *store, float **row, Error *error) {
  struct RowBlock *last = store->block_count > 0 ? &store->blocks[store->block_count - 1] : NULL;
  if (store->cache != NULL && last != NULL && last->rows == last->capacity) { /* one block, over and over */
    Status status = cache_write(store->cache, last->values, last->rows * store->features, error);
    if (status != SETOSA_OK) return status;
    last->rows = 0;
  }
  if (last == NULL || last->rows == last->capacity) {
    Status status = add_block(store, error);
    if (status != SETOSA_OK) return status;
    last = &store->blocks[store->block_count - 1];
  }
  *row = last->values + last->rows * store->features;
  return SETOSA_OK;
}

void row_store_commit(RowStore *store) {
  store->blocks[store->block_count - 1].rows++;
  store->rows++;
}

Status row_store_finish(RowStore *store, float **values, Error *error) {
  Status status = SETOSA_OK;
  size_t count = 0, at = 0;
  *values = NULL;
  if (store->cache != NULL) {
    if (store->block_count > 0) TRY(cache_write(store->cache, store->blocks[0].values, store->blocks[0].rows * store->features, error));
    goto cleanup;
  }
  TRY(memory_multiply(&count, store->rows, store->features, "the data", error));
  TRY(memory_allocate((void **)values, count, sizeof(float), "the data", error));
  /* Each block is freed as soon as it is copied: pages of the array come into being as those of the blocks go. */
  for (size_t b = 0; b < store->block_count; b++) {
    size_t length = store->blocks[b].rows * store->features;
    memcpy(*values + at, store->blocks[b].values, length * sizeof(float));
    at += length;
    free(store->blocks[b].values);
    store->blocks[b].values = NULL;
  }
cleanup:
  row_store_free(store);
  return status;
}

void row_store_free(RowStore *store) {
  for (size_t b = 0; b < store->block_count; b++) free(store->blocks[b].values);
  free(store->blocks);
  *store = (RowStore){.features = store->features, .cache = store->cache};
}
