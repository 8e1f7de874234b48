/* Reading through the cache: the sink that puts a reader's rows into an entry, and what is done where that cannot be. */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "data/cache.h"
#include "data/row_store.h"

enum { BLOCK_BYTES = 1 << 20 }; /* written at a time */

typedef struct EntrySink {
  RowSink sink;
  Cache *cache;
  Reader *reader;
  RowStore store; /* takes the rows where no entry was begun, or where the reader wants room for all of them */
  size_t features;
  float *block; /* (capacity,D), of which `filled` rows wait to be written; NULL: the store has the rows, unless they are */
  size_t capacity, filled;
  bool sparse;  /* and go into the entry */
  int base;     /* what their pieces call the first column, 0 or 1; -1: that is not known as yet, */
  bool guessed; /* or was guessed, and is known in `finish` */
} EntrySink;

static Status entry_begin(RowSink *sink, const RowsAhead *ahead, Error *error) {
  Status status = SETOSA_OK;
  EntrySink *entry = (EntrySink *)sink;
  bool begun = entry->cache->begun; /* before a restart */
  if (!ahead->compact && !begun) TRY(cache_begin(&begun, entry->cache, entry->reader, error));
  if (!begun || ahead->at_once) return entry->store.sink.begin(&entry->store.sink, ahead, error);
  if (ahead->kind == DATA_SPARSE) {
    entry->sparse = true;
    entry->guessed = ahead->index_base < 0;
    entry->base = entry->guessed && entry->cache->from_zero ? 0 : ahead->index_base;
    return SETOSA_OK;
  }
  entry->features = ahead->features;
  entry->capacity = BLOCK_BYTES / sizeof(float) / ahead->features;
  if (entry->capacity == 0) entry->capacity = 1;
  TRY(memory_allocate((void **)&entry->block, entry->capacity * ahead->features, sizeof(float), "a block of rows", error));
cleanup:
  return status;
}

static Status entry_room(RowSink *sink, float **room, size_t *rows, Error *error) {
  EntrySink *entry = (EntrySink *)sink;
  if (entry->block == NULL) return entry->store.sink.room(&entry->store.sink, room, rows, error);
  *room = entry->block + entry->filled * entry->features;
  *rows = entry->capacity - entry->filled;
  return SETOSA_OK;
}

static Status write_block(EntrySink *entry, Error *error) {
  size_t rows = entry->filled;
  entry->filled = 0;
  return cache_write(entry->cache, entry->block, rows * entry->features, error);
}

static Status entry_take(RowSink *sink, size_t rows, Error *error) {
  EntrySink *entry = (EntrySink *)sink;
  if (entry->block == NULL) return entry->store.sink.take(&entry->store.sink, rows, error);
  entry->filled += rows;
  return entry->filled == entry->capacity ? write_block(entry, error) : SETOSA_OK;
}

/* Columns ascend in each row. */
static bool names_column_0(const SparsePiece *piece) {
  bool zero = false;
  size_t at = 0;
  for (size_t i = 0; i < piece->rows && !zero; at += piece->lengths[i++]) zero = piece->lengths[i] > 0 && piece->columns[at] == 0;
  return zero;
}

static Status guessed_wrong(EntrySink *entry, Error *error) {
  entry->cache->from_zero = true;
  return error_set(error, SETOSA_ERROR_WRITE, "%s: its columns are from 0", entry->reader->source);
}

/* Entries are written as columns from 0, though it is known only at the end what the source calls the first. Where column 0 is not met at
 * once the first is 1: the few that prove otherwise later are read a second time. */
static Status entry_take_sparse(RowSink *sink, const SparsePiece *piece, Error *error) {
  EntrySink *entry = (EntrySink *)sink;
  if (!entry->sparse) return entry->store.sink.take_sparse(&entry->store.sink, piece, error);
  bool zero = entry->guessed && names_column_0(piece);
  if (entry->base < 0) entry->base = zero ? 0 : 1;
  return zero && entry->base == 1 ? guessed_wrong(entry, error) : cache_write_sparse(entry->cache, piece, (uint32_t)entry->base, error);
}

/* What lies in a file already needs no conversion. */
static Status entry_map(RowSink *sink, Mapping mapping, size_t offset, Error *error) {
  EntrySink *entry = (EntrySink *)sink;
  return entry->store.sink.map(&entry->store.sink, mapping, offset, error);
}

static Status entry_restart(RowSink *sink, Error *error) {
  EntrySink *entry = (EntrySink *)sink;
  row_store_free(&entry->store);
  free(entry->block);
  entry->block = NULL;
  entry->filled = 0;
  entry->sparse = false;
  return entry->cache->begun ? cache_restart(entry->cache, error) : SETOSA_OK;
}

static Status entry_finish(RowSink *sink, Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  EntrySink *entry = (EntrySink *)sink;
  if (entry->sparse && entry->guessed && entry->base != dataset->index_base) TRY(guessed_wrong(entry, error)); /* an entry of value 0 */
  if (entry->block != NULL)
    TRY(write_block(entry, error));
  else if (!entry->sparse)
    TRY(entry->store.sink.finish(&entry->store.sink, dataset, error));
  if (entry->cache->begun) TRY(cache_commit(entry->cache, dataset, entry->reader, error));
cleanup:
  return status;
}

static Status read_into_entry(Dataset *dataset, Reader *reader, ReadFunction read, Cache *cache, Error *error) {
  EntrySink entry = {.sink = {.begin = entry_begin,
                              .room = entry_room,
                              .take = entry_take,
                              .take_sparse = entry_take_sparse,
                              .map = entry_map,
                              .restart = entry_restart,
                              .finish = entry_finish},
                     .cache = cache,
                     .reader = reader,
                     .store = row_store_init()};
  Status status = reader_run(dataset, reader, read, &entry.sink, error);
  row_store_free(&entry.store);
  free(entry.block);
  return status;
}

/* What was read into the data set is thrown away. */
static Status begin_again(Dataset **dataset, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  Stream *stream = NULL;
  error_clear(error);
  setosa_dataset_destroy(*dataset);
  *dataset = NULL;
  TRY(reader_create_dataset(dataset, reader, error));
  TRY(stream_open(&stream, stream_path(reader->stream), error)); /* of several files the first */
  stream_close(reader->stream);
  reader->stream = stream;
cleanup:
  return status;
}

Status cache_read(Dataset **dataset, Reader *reader, ReadFunction read, char note[CACHE_NOTE_SIZE], Error *error) {
  Status status = SETOSA_OK;
  bool loaded = false;
  Cache *cache = cache_open(reader, note);
  if (cache == NULL) return reader_run_in_memory(*dataset, reader, read, error);
  TRY(cache_load(&loaded, cache, *dataset, reader, error));
  if (loaded) goto cleanup;
  status = read_into_entry(*dataset, reader, read, cache, error);
  if (status == SETOSA_ERROR_WRITE && cache->from_zero) {
    TRY(begin_again(dataset, reader, error));
    status = cache_restart(cache, error);
    if (status == SETOSA_OK) status = read_into_entry(*dataset, reader, read, cache, error);
  }
  if (cache->note[0] != '\0') snprintf(note, CACHE_NOTE_SIZE, "%s", cache->note);
  if (status != SETOSA_ERROR_WRITE || !(cache->failed || cache->appeared || cache->from_zero)) goto cleanup;
  /* An entry that cannot be written costs a second reading, nothing else. */
  TRY(begin_again(dataset, reader, error));
  if (cache->appeared) TRY(cache_load(&loaded, cache, *dataset, reader, error));
  if (loaded) goto cleanup;
  cache_close(cache); /* what it holds of the disk is free before memory is filled */
  cache = NULL;
  status = reader_run_in_memory(*dataset, reader, read, error);
cleanup:
  cache_close(cache);
  return status;
}
