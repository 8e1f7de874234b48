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
  float *block; /* (capacity,D), of which `filled` rows wait to be written; NULL: the store has the rows */
  size_t capacity, filled;
} EntrySink;

static Status entry_begin(RowSink *sink, const RowsAhead *ahead, Error *error) {
  Status status = SETOSA_OK;
  EntrySink *entry = (EntrySink *)sink;
  bool begun = entry->cache->begun; /* before a restart */
  if (!ahead->compact && !begun) TRY(cache_begin(&begun, entry->cache, entry->reader, error));
  if (!begun || ahead->at_once) return entry->store.sink.begin(&entry->store.sink, ahead, error);
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

/* Sparse rows stay in memory, and what a reader had begun before a restart is thrown away. */
static Status entry_take_sparse(RowSink *sink, const SparsePiece *piece, Error *error) {
  EntrySink *entry = (EntrySink *)sink;
  return entry->store.sink.take_sparse(&entry->store.sink, piece, error);
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
  return entry->cache->begun ? cache_restart(entry->cache, error) : SETOSA_OK;
}

static Status entry_finish(RowSink *sink, Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  EntrySink *entry = (EntrySink *)sink;
  if (entry->block != NULL)
    TRY(write_block(entry, error));
  else
    TRY(entry->store.sink.finish(&entry->store.sink, dataset, error));
  if (entry->cache->begun && !rows_are_sparse(dataset)) TRY(cache_commit(entry->cache, dataset, entry->reader, error));
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

/* An entry that cannot be written costs a second reading, nothing else. */
static Status read_again(Dataset *dataset, Reader *reader, ReadFunction read, Error *error) {
  stream_close(reader->stream);
  reader->stream = NULL;
  Status status = stream_open(&reader->stream, reader->source, error);
  return status == SETOSA_OK ? reader_run_in_memory(dataset, reader, read, error) : status;
}

Status cache_read(Dataset **dataset, Reader *reader, ReadFunction read, char note[CACHE_NOTE_SIZE], Error *error) {
  Status status = SETOSA_OK;
  bool loaded = false;
  Cache *cache = cache_open(reader, note);
  if (cache == NULL) return reader_run_in_memory(*dataset, reader, read, error);
  TRY(cache_load(&loaded, cache, *dataset, reader, error));
  if (loaded) goto cleanup;
  status = read_into_entry(*dataset, reader, read, cache, error);
  if (cache->note[0] != '\0') snprintf(note, CACHE_NOTE_SIZE, "%s", cache->note);
  if (status != SETOSA_ERROR_WRITE || !(cache->failed || cache->appeared)) goto cleanup;
  error_clear(error);
  setosa_dataset_destroy(*dataset);
  *dataset = NULL;
  TRY(reader_create_dataset(dataset, reader, error));
  if (cache->appeared) TRY(cache_load(&loaded, cache, *dataset, reader, error));
  if (loaded) goto cleanup;
  cache_close(cache); /* what it holds of the disk is free before memory is filled */
  cache = NULL;
  status = read_again(*dataset, reader, read, error);
cleanup:
  cache_close(cache);
  return status;
}
