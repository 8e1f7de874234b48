/* Pieces are copied into blocks that are joined at the end, each freed as soon as it is: the rows lie in memory about once. */
#include "data/sparse_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { FIRST_ENTRIES = 1 << 14, MOST_ENTRIES = 1 << 24 }; /* of a block: 128 KB to 128 MB */

typedef struct EntryBlock {
  uint32_t *columns; /* (capacity) */
  float *values;     /* (capacity), or NULL where all are 1 so far */
  size_t count, capacity;
} EntryBlock;

struct SparseStore {
  uint64_t *ends; /* (rows) entries of all rows up to and with this one */
  size_t rows, row_capacity;
  EntryBlock *blocks;
  size_t block_count, block_capacity;
  uint64_t entries;
  bool ones;
};

Status sparse_store_create(SparseStore **store, Error *error) {
  Status status = memory_allocate_zero((void **)store, 1, sizeof **store, "sparse rows", error);
  if (status == SETOSA_OK) (*store)->ones = true;
  return status;
}

static void free_block(EntryBlock *block) {
  free(block->columns);
  free(block->values);
  *block = (EntryBlock){0};
}

void sparse_store_destroy(SparseStore *store) {
  if (store == NULL) return;
  for (size_t b = 0; b < store->block_count; b++) free_block(&store->blocks[b]);
  free(store->blocks);
  free(store->ends);
  free(store);
}

static Status add_block(SparseStore *store, Error *error) {
  Status status = SETOSA_OK;
  size_t capacity = FIRST_ENTRIES;
  for (size_t b = 0; b < store->block_count && capacity < MOST_ENTRIES; b++) capacity *= 2;
  TRY(memory_grow((void **)&store->blocks, &store->block_capacity, store->block_count + 1, sizeof *store->blocks, "sparse rows", error));
  EntryBlock *block = &store->blocks[store->block_count];
  *block = (EntryBlock){.capacity = capacity};
  TRY(memory_allocate((void **)&block->columns, capacity, sizeof *block->columns, "sparse rows", error));
  store->block_count++;
cleanup:
  return status;
}

static Status add_values(EntryBlock *block, const float *values, size_t count, Error *error) {
  if (block->values == NULL) {
    if (sparse_all_ones(values, count)) return SETOSA_OK;
    Status status = memory_allocate((void **)&block->values, block->capacity, sizeof *block->values, "sparse rows", error);
    if (status != SETOSA_OK) return status;
    for (size_t i = 0; i < block->count; i++) block->values[i] = 1;
  }
  memcpy(block->values + block->count, values, count * sizeof *values);
  return SETOSA_OK;
}

static Status add_entries(SparseStore *store, const uint32_t *columns, const float *values, size_t count, Error *error) {
  Status status = SETOSA_OK;
  for (size_t done = 0, now; done < count; done += now) {
    EntryBlock *last = store->block_count > 0 ? &store->blocks[store->block_count - 1] : NULL;
    if (last == NULL || last->count == last->capacity) {
      TRY(add_block(store, error));
      last = &store->blocks[store->block_count - 1];
    }
    now = count - done < last->capacity - last->count ? count - done : last->capacity - last->count;
    TRY(add_values(last, values + done, now, error));
    memcpy(last->columns + last->count, columns + done, now * sizeof *columns);
    last->count += now;
    store->ones = store->ones && last->values == NULL;
  }
  store->entries += count;
cleanup:
  return status;
}

Status sparse_store_add(SparseStore *store, const SparsePiece *piece, Error *error) {
  Status status = SETOSA_OK;
  uint64_t end = store->entries;
  TRY(memory_grow((void **)&store->ends, &store->row_capacity, store->rows + piece->rows, sizeof *store->ends, "sparse rows", error));
  for (size_t i = 0; i < piece->rows; i++) store->ends[store->rows + i] = end += piece->lengths[i];
  TRY(add_entries(store, piece->columns, piece->values, (size_t)(end - store->entries), error));
  store->rows += piece->rows;
cleanup:
  return status;
}

Status sparse_store_finish(SparseStore *store, uint32_t base, SparseArrays *arrays, Error *error) {
  uint64_t at = 0;
  Status status = sparse_allocate(arrays, store->rows, store->entries, store->ones, error);
  if (status != SETOSA_OK) return status;
  for (size_t i = 0; i < store->rows; i++) arrays->begin[i + 1] = store->ends[i];
  for (size_t b = 0; b < store->block_count; b++) {
    EntryBlock *block = &store->blocks[b];
    for (size_t i = 0; i < block->count; i++) arrays->columns[at + i] = block->columns[i] - base;
    for (size_t i = 0; arrays->values != NULL && i < block->count; i++)
      arrays->values[at + i] = block->values != NULL ? block->values[i] : 1;
    at += block->count;
    free_block(block);
  }
  return SETOSA_OK;
}
