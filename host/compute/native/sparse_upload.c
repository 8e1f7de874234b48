/* Entries go up as the host has them, by rows; by columns they are put in order when the first gradient asks for them. */
#include "compute/native/sparse_upload.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/processors.h"
#include "base/thread.h"
#include "compute/native/sparse_order.h"

enum { PIECE = 1 << 18 }; /* values converted at a time */

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* Bytes of an entry's value. */
static size_t value_bytes(const Native *native) { return native->sparse->ones ? 0 : storage_element_bytes(&native->plan); }

/* At least so many bytes; what it held is lost when it grows. Kernels that are still enqueued keep the old one alive. */
static Status reserve(Native *native, Buffer **buffer, size_t bytes, Error *error) {
  if (*buffer != NULL && buffer_bytes(*buffer) >= bytes) return SETOSA_OK;
  buffer_destroy(*buffer);
  *buffer = NULL;
  return buffer_create(buffer, native->context, bytes > 0 ? bytes : 1, "the entries of sparse rows", error);
}

/* Values as they are stored, into a buffer that no kernel uses. */
static Status upload_values(Native *native, Buffer *to, const float *values, size_t count, StorageRounding *rounding, Error *error) {
  Status status = SETOSA_OK;
  uint16_t *halves = NULL;
  if (native->plan.storage != SETOSA_STORAGE_F16) return buffer_upload(to, 0, count * sizeof *values, values, error);
  TRY(memory_allocate((void **)&halves, PIECE, sizeof *halves, "a chunk of entries", error));
  for (size_t done = 0, now; done < count; done += now) {
    now = smaller(count - done, PIECE);
    storage_halves(halves, values + done, now, rounding);
    TRY(buffer_upload(to, done * sizeof *halves, now * sizeof *halves, halves, error));
  }
cleanup:
  free(halves);
  return status;
}

/* Columns, or where their features lie. */
static Status upload_columns(Native *native, Buffer *to, const uint32_t *columns, size_t count, Error *error) {
  Status status = SETOSA_OK;
  const uint32_t *places = native->sparse->places;
  uint32_t *piece = NULL;
  if (places == NULL) return buffer_upload(to, 0, count * sizeof *columns, columns, error);
  TRY(memory_allocate((void **)&piece, PIECE, sizeof *piece, "a chunk of entries", error));
  for (size_t done = 0, now; done < count; done += now) {
    now = smaller(count - done, PIECE);
    for (size_t i = 0; i < now; i++) piece[i] = places[columns[done + i]];
    TRY(buffer_upload(to, done * sizeof *piece, now * sizeof *piece, piece, error));
  }
cleanup:
  free(piece);
  return status;
}

static Status rows_of(Native *native, SparseRows *rows, size_t begin, size_t count, Error *error) {
  return dataset_sparse(rows, native->source, (RowRange){begin, count}, &native->sparse->room, error);
}

static Status upload_begins(Buffer *to, const SparseRows *rows, size_t count, Error *error) {
  Status status = SETOSA_OK;
  uint64_t *begins = NULL;
  TRY(memory_allocate((void **)&begins, count + 1, sizeof *begins, "sparse rows", error));
  for (size_t i = 0; i <= count; i++) begins[i] = rows->begin[i] - rows->begin[0];
  TRY(buffer_upload(to, 0, (count + 1) * sizeof *begins, begins, error));
cleanup:
  free(begins);
  return status;
}

void native_sparse_block_release(SparseBlock *block) {
  buffer_destroy(block->rows);
  buffer_destroy(block->values);
  buffer_destroy(block->index);
  *block = (SparseBlock){0};
}

static void release_blocks(RowBuffers *buffers) {
  for (size_t i = 0; i < buffers->block_count; i++) native_sparse_block_release(&buffers->blocks[i]);
  free(buffers->blocks);
  buffers->blocks = NULL;
  buffers->block_count = 0;
}

void native_sparse_unload(RowBuffers *buffers) {
  release_blocks(buffers);
  buffer_destroy(buffers->entries);
  buffer_destroy(buffers->columns);
}

Status native_sparse_load(Native *native, RowBuffers *buffers, size_t begin, size_t count, Error *error) {
  Status status = SETOSA_OK;
  SparseRows rows;
  release_blocks(buffers);
  TRY(rows_of(native, &rows, begin, count, error));
  size_t first = (size_t)rows.begin[0], entries = (size_t)rows.begin[count] - first;
  TRY(reserve(native, &buffers->entries, (count + 1) * sizeof(uint64_t), error));
  TRY(reserve(native, &buffers->columns, entries * sizeof(uint32_t), error));
  TRY(upload_begins(buffers->entries, &rows, count, error));
  TRY(upload_columns(native, buffers->columns, rows.columns + first, entries, error));
  if (native->sparse->ones) goto cleanup;
  TRY(reserve(native, &buffers->x, entries * value_bytes(native), error));
  StorageRounding ignored = {0}; /* what rounding did counts once, however often rows go up */
  bool again = native->rounded_rows > begin;
  TRY(upload_values(native, buffers->x, rows.values + first, entries, again ? &ignored : &native->rounding, error));
  if (native->rounded_rows < begin + count) native->rounded_rows = begin + count;
cleanup:
  return status;
}

/* ---- by columns --------------------------------------------------------------------------------------------------- */

static Status upload_order(Native *native, SparseBlock *block, const SparseOrder *order, Error *error) {
  Status status = SETOSA_OK;
  StorageRounding ignored = {0};
  size_t numbers = 2 * order->columns + order->items + 1 + order->longs;
  TRY(reserve(native, &block->rows, order->entries * sizeof *order->rows, error));
  TRY(reserve(native, &block->index, numbers * sizeof *order->index, error));
  TRY(buffer_upload(block->rows, 0, order->entries * sizeof *order->rows, order->rows, error));
  TRY(buffer_upload(block->index, 0, numbers * sizeof *order->index, order->index, error));
  if (!native->sparse->ones) {
    TRY(reserve(native, &block->values, order->entries * value_bytes(native), error));
    TRY(upload_values(native, block->values, order->values, order->entries, &ignored, error));
  }
  block->columns = order->columns;
  block->items = order->items;
  block->longs = order->longs;
cleanup:
  return status;
}

/* What threads put in order side by side: one block each. */
typedef struct Sorter {
  SparseOrder order;
  SparseRows rows;
  size_t count, features;
  const uint32_t *places;
  Status status;
  Error error;
  pthread_t thread;
  bool started;
} Sorter;

static void *sort_block(void *argument) {
  Sorter *sorter = argument;
  sorter->status = sparse_order_make(&sorter->order, &sorter->rows, sorter->count, sorter->features, sorter->places, &sorter->error);
  return NULL;
}

/* Blocks from `first` on, at most one a sorter, are sorted. */
static void sort_blocks(const Native *native, const RowBuffers *buffers, const SparseRows *rows, size_t first, Sorter *sorters,
                        size_t count) {
  for (size_t i = 0; i < count; i++) {
    const SparseBlock *block = &buffers->blocks[first + i];
    Sorter *sorter = &sorters[i];
    sorter->rows = (SparseRows){rows->begin + (block->begin - buffers->begin), rows->columns, rows->values};
    sorter->count = block->count;
    sorter->features = native->head.features;
    sorter->places = native->sparse->places;
    sorter->started = i + 1 < count && thread_start(&sorter->thread, sort_block, sorter) == 0;
    if (!sorter->started) sort_block(sorter);
  }
  for (size_t i = 0; i < count; i++)
    if (sorters[i].started) pthread_join(sorters[i].thread, NULL);
}

/* All whole blocks of the data set that lie in the buffers. */
static Status make_blocks(Native *native, RowBuffers *buffers, Error *error) {
  enum { MOST_SORTERS = 64 };
  Status status = SETOSA_OK;
  size_t size = native->block_rows, end = buffers->begin + buffers->count, most = processors_usable();
  size_t first = (buffers->begin + size - 1) / size, count = 0, all = native->head.rows;
  Sorter *sorters = NULL;
  SparseRows rows;
  for (size_t b = first; b * size < end && smaller((b + 1) * size, all) <= end; b++) count++;
  TRY(memory_allocate_zero((void **)&buffers->blocks, count + 1, sizeof *buffers->blocks, "sparse rows", error));
  buffers->block_count = count;
  for (size_t b = 0; b < count; b++) {
    size_t begin = (first + b) * size;
    buffers->blocks[b].begin = begin;
    buffers->blocks[b].count = smaller(size, all - begin);
  }
  if (most > MOST_SORTERS) most = MOST_SORTERS;
  if (most > count) most = count;
  TRY(memory_allocate_zero((void **)&sorters, most + 1, sizeof *sorters, "sparse rows", error));
  TRY(rows_of(native, &rows, buffers->begin, buffers->count, error));
  for (size_t done = 0, now; done < count; done += now) {
    now = smaller(most, count - done);
    sort_blocks(native, buffers, &rows, done, sorters, now);
    for (size_t i = 0; i < now; i++) {
      if (sorters[i].status != SETOSA_OK) TRY(error_set(error, sorters[i].status, "%s", sorters[i].error.message));
      TRY(upload_order(native, &buffers->blocks[done + i], &sorters[i].order, error));
    }
  }
  dataset_let_go(native->source, (RowRange){buffers->begin, buffers->count});
cleanup:
  for (size_t i = 0; sorters != NULL && i < most; i++) sparse_order_free(&sorters[i].order);
  free(sorters);
  if (status != SETOSA_OK) release_blocks(buffers);
  return status;
}

/* Rows that are no whole block. */
static Status make_other(Native *native, SparseBlock *block, size_t begin, size_t count, Error *error) {
  Status status = SETOSA_OK;
  SparseOrder order = {0};
  SparseRows rows;
  if (block->count == count && block->begin == begin) return SETOSA_OK;
  block->count = 0;
  TRY(rows_of(native, &rows, begin, count, error));
  TRY(sparse_order_make(&order, &rows, count, native->head.features, native->sparse->places, error));
  dataset_let_go(native->source, (RowRange){begin, count});
  native_sparse_block_release(block); /* kernels that are still enqueued keep it alive */
  TRY(upload_order(native, block, &order, error));
  block->begin = begin;
  block->count = count;
cleanup:
  sparse_order_free(&order);
  return status;
}

Status native_sparse_block(Native *native, const SparseBlock **out, const RowBuffers *buffers, RowRange rows, Error *error) {
  Status status = SETOSA_OK;
  size_t begin = buffers->begin + rows.begin;
  if (begin % native->block_rows == 0 && buffers->blocks == NULL)
    TRY(make_blocks(native, (RowBuffers *)(uintptr_t)buffers, error)); /* what of them is known grows; they are the native's own */
  for (size_t i = 0; i < buffers->block_count; i++)
    if (buffers->blocks[i].begin == begin && buffers->blocks[i].count == rows.count) {
      *out = &buffers->blocks[i];
      return SETOSA_OK;
    }
  TRY(make_other(native, &native->sparse->other, begin, rows.count, error));
  *out = &native->sparse->other;
cleanup:
  return status;
}

/* ---- sizes -------------------------------------------------------------------------------------------------------- */

/* By rows and by columns, and where each of both begins. */
static uint64_t bytes_of(const Native *native, uint64_t entries, size_t rows) {
  uint64_t both = sizeof(uint32_t) + sizeof(uint16_t) + 2 * value_bytes(native), columns = native->head.features;
  uint64_t blocks = native->block_rows > 0 ? rows / native->block_rows + 1 : 1, listed = blocks * (columns < entries ? columns : entries);
  return entries * both + (rows + 1) * sizeof(uint64_t) + (listed < entries ? listed : entries) * 2 * sizeof(uint32_t);
}

uint64_t native_sparse_bytes(const Native *native, RowRange rows) {
  return bytes_of(native, native_values(native, rows.count), rows.count);
}

size_t native_sparse_row_bytes(const Native *native, size_t unit) {
  uint64_t most = 0;
  RowRange window = native->window;
  for (size_t done = 0; done < window.count; done += unit) {
    RowRange now = {window.begin + done, smaller(unit, window.count - done)};
    uint64_t bytes = bytes_of(native, dataset_entries(native->source, now), now.count) / now.count + 1;
    if (now.count == unit || done == 0) most = bytes > most ? bytes : most;
  }
  return (size_t)most;
}
