/* Writing an entry: rows as they are read, so that memory holds none of them, then labels and names, then the first page; synced, and
 * renamed into place. Nobody sees a part of it; should two processes be at it in spite of cache_lock.c, the later file stays. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/cache.h"
#include "data/weights.h"

static const uint64_t SYNC_BYTES = 1 << 24; /* written to disk while the next ones are read, so that the sync at the end is short */

static void note_failure(Cache *cache, const char *doing) {
  snprintf(cache->note, sizeof cache->note, "%s: cannot %s: %s; %s", cache->path, doing, strerror(errno),
           errno == ENOSPC || errno == EDQUOT ? "free some space, or choose another folder with --cache"
                                              : file_remedy(errno, "check the folder, or choose another one with --cache"));
}

/* "<32 hexadecimal digits>.data.XXXXXX.tmp" */
static bool is_temporary(const char *name) {
  size_t digits = strspn(name, "0123456789abcdef"), length = strlen(name);
  return digits == HASH_HEX_SIZE - 1 && strncmp(name + digits, ".data.", 6) == 0 && length == digits + 16 &&
         strcmp(name + length - 4, ".tmp") == 0;
}

/* Files of processes that were killed while they wrote: nobody holds the lock. */
static void sweep(const char *path) {
  const char *slash = strrchr(path, '/');
  char *folder = slash != NULL ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
  DIR *listing = folder != NULL ? opendir(folder) : NULL;
  for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
    if (!is_temporary(entry->d_name)) continue;
    int descriptor = openat(dirfd(listing), entry->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) continue;
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) unlinkat(dirfd(listing), entry->d_name, 0);
    close(descriptor);
  }
  if (listing != NULL) closedir(listing);
  free(folder);
}

static bool begin_file(Cache *cache) {
  Text name = {0};
  sweep(cache->path);
  if (hash_create(&cache->hash, NULL) != SETOSA_OK || text_append(&name, NULL, "%s.XXXXXX.tmp", cache->path) != SETOSA_OK) {
    text_free(&name);
    return false;
  }
  cache->descriptor = mkostemps(name.text, 4, O_CLOEXEC);
  if (cache->descriptor < 0) {
    note_failure(cache, "write");
    text_free(&name);
    return false;
  }
  flock(cache->descriptor, LOCK_EX | LOCK_NB); /* says that somebody is at work; where there are no locks nobody sweeps either */
  cache->temporary_path = name.text;
  if (lseek(cache->descriptor, CACHE_PAGE, SEEK_SET) != CACHE_PAGE) {
    note_failure(cache, "write");
    return false;
  }
  cache->position = CACHE_PAGE;
  return true;
}

Status cache_begin(bool *begun, Cache *cache, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  bool turn = true;
  *begun = false;
  if (!cache->fresh) TRY(cache_take_turn(&turn, cache, reader, error)); /* what is fresh is not kept: nothing to wait for */
  if (cache->appeared) TRY(error_set(error, SETOSA_ERROR_WRITE, "%s: another process converted it meanwhile", reader->source));
  if (turn) *begun = cache->begun = begin_file(cache);
cleanup:
  return status;
}

static Status failed(Cache *cache, const char *doing, Error *error) {
  note_failure(cache, doing);
  cache->failed = true;
  return error_set(error, SETOSA_ERROR_WRITE, "%s", cache->note);
}

static Status end_block(Cache *cache, Error *error) {
  char hex[HASH_HEX_SIZE];
  hash_hex(cache->hash, hex);
  hash_restart(cache->hash);
  return text_append_bytes(&cache->blocks, hex, HASH_HEX_SIZE, error);
}

/* Adds what will be appended to the hashes of its blocks. */
static Status hash_blocks(Cache *cache, const unsigned char *at, size_t length, Error *error) {
  uint64_t position = cache->position;
  while (length > 0) {
    size_t room = CACHE_BLOCK - (size_t)((position - CACHE_PAGE) % CACHE_BLOCK), now = length < room ? length : room;
    hash_add(cache->hash, at, now);
    at += now;
    length -= now;
    position += now;
    Status status = now == room ? end_block(cache, error) : SETOSA_OK;
    if (status != SETOSA_OK) return status;
  }
  return SETOSA_OK;
}

Status cache_append(Cache *cache, const void *bytes, size_t length, Error *error) {
  const unsigned char *at = bytes;
  Status status = hash_blocks(cache, bytes, length, error);
  if (status != SETOSA_OK) return status;
  while (length > 0) {
    ssize_t written = write(cache->descriptor, at, length < (1u << 30) ? length : (1u << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return failed(cache, "write", error);
    at += written;
    length -= (size_t)written;
    cache->position += (uint64_t)written;
    cache->unsynced += (uint64_t)written;
  }
  if (cache->unsynced >= SYNC_BYTES) {
#ifdef SYNC_FILE_RANGE_WRITE
    sync_file_range(cache->descriptor, (off_t)(cache->position - cache->unsynced), (off_t)cache->unsynced, SYNC_FILE_RANGE_WRITE);
#endif
    cache_show_life(cache);
    cache->unsynced = 0;
  }
  return SETOSA_OK;
}

Status cache_write(Cache *cache, const float *values, size_t count, Error *error) {
  return cache_append(cache, values, count * sizeof *values, error);
}

Status cache_restart(Cache *cache, Error *error) {
  if (ftruncate(cache->descriptor, 0) != 0 || lseek(cache->descriptor, CACHE_PAGE, SEEK_SET) != CACHE_PAGE)
    return failed(cache, "write", error);
  cache->position = CACHE_PAGE;
  cache->unsynced = 0;
  hash_restart(cache->hash);
  text_free(&cache->blocks);
  cache_sparse_free(&cache->stripes);
  return SETOSA_OK;
}

Status cache_pad(Cache *cache, uint64_t position, Error *error) {
  static const unsigned char zeros[CACHE_PAGE];
  Status status = SETOSA_OK;
  while (status == SETOSA_OK && cache->position < position) {
    uint64_t left = position - cache->position;
    status = cache_append(cache, zeros, left < sizeof zeros ? (size_t)left : sizeof zeros, error);
  }
  return status;
}

static Status gather_names(Text *text, char *const *names, size_t count, Error *error) {
  Status status = SETOSA_OK;
  for (size_t i = 0; names != NULL && i < count; i++) TRY(text_append_bytes(text, names[i], strlen(names[i]) + 1, error));
cleanup:
  return status;
}

static CacheHeader describe(const Cache *cache, const Dataset *dataset, const Reader *reader) {
  CacheHeader header = {.format = CACHE_FORMAT, .source = cache->source};
  memcpy(header.magic, cache_magic, sizeof cache_magic);
  memcpy(header.key, cache->key, HASH_HEX_SIZE);
  header.has_labels = rows_labels(dataset) != NULL;
  header.has_weights = rows_sample_weights(dataset) != NULL;
  header.has_weights_name = dataset->weights_name != NULL;
  header.has_feature_names = dataset->feature_names != NULL;
  header.has_label_name = dataset->label_name != NULL;
  header.has_positive = dataset->positive != NULL;
  header.rows = dataset->rows;
  header.left_out = dataset->left_out.count;
  header.features = dataset->features;
  header.classes = dataset->class_names != NULL ? dataset->classes : 0;
  header.default_scale = reader->default_scale;
  header.byte_scale = dataset->byte_scale;
  header.sparse = cache->stripes.columns != NULL;
  header.index_base = (int16_t)dataset->index_base;
  header.hash_bits = dataset->hash_bits;
  return header;
}

/* Everything after the rows, and the first page last, which becomes *page. */
static Status write_rest(CachePage *page, CacheLayout *layout, Cache *cache, const Dataset *dataset, const Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  Text names = {0}, blocks = {0};
  char *description = NULL;
  Hash *hash = NULL;
  memset(page, 0, sizeof *page);
  page->header = describe(cache, dataset, reader);
  if (page->header.sparse) TRY(cache_sparse_end(&page->header, cache, error));
  TRY(gather_names(&names, dataset->feature_names, dataset->features, error));
  TRY(gather_names(&names, dataset->class_names, dataset->classes, error));
  if (dataset->label_name != NULL) TRY(gather_names(&names, &dataset->label_name, 1, error));
  if (dataset->weights_name != NULL) TRY(gather_names(&names, &dataset->weights_name, 1, error));
  if (dataset->positive != NULL) TRY(gather_names(&names, &dataset->positive, 1, error));
  TRY(cache_describe(&description, dataset, error));
  if (description != NULL) TRY(gather_names(&names, &description, 1, error));
  page->header.has_description = description != NULL;
  page->header.text_bytes = names.length;
  if (!cache_layout(layout, &page->header)) TRY(failed(cache, "address", error));
  TRY(cache_pad(cache, layout->labels_at, error));
  if (page->header.has_labels) TRY(cache_append(cache, rows_labels(dataset), dataset->rows * sizeof(int32_t), error));
  TRY(cache_pad(cache, layout->weights_at, error));
  if (page->header.has_weights) TRY(cache_append(cache, rows_sample_weights(dataset), dataset->rows * sizeof(float), error));
  TRY(cache_pad(cache, layout->left_out_at, error));
  if (page->header.left_out > 0)
    TRY(cache_append(cache, dataset->left_out.left_out, dataset->left_out.count * sizeof *dataset->left_out.left_out, error));
  TRY(cache_pad(cache, layout->text_at, error));
  TRY(cache_append(cache, names.text, names.length, error));
  if ((cache->position - CACHE_PAGE) % CACHE_BLOCK != 0) TRY(end_block(cache, error));
  TRY(hash_create(&hash, error));
  hash_add(hash, cache->blocks.text, cache->blocks.length);
  hash_hex(hash, page->header.blocks_hash);
  blocks = cache->blocks;
  cache->blocks = (Text){0}; /* appending adds to it */
  TRY(cache_append(cache, blocks.text, blocks.length, error));
  TRY(cache_page_hash(page, page->header.page_hash, error));
  if (pwrite(cache->descriptor, page->bytes, CACHE_PAGE, 0) != CACHE_PAGE) TRY(failed(cache, "write", error));
  /* The rows are used from this very file: only a sync tells that the disk took them all. */
  if (fsync(cache->descriptor) != 0) TRY(failed(cache, "write", error));
cleanup:
  hash_destroy(hash);
  text_free(&blocks);
  text_free(&names);
  free(description);
  return status;
}

/* Puts the file in its place, unless it might describe a source that changed meanwhile. */
static void publish(Cache *cache, const Reader *reader) {
  CacheSource now;
  if (!cache_identify(&now, reader) || memcmp(&now, &cache->source, sizeof now) != 0)
    snprintf(cache->note, sizeof cache->note, "%s changed while it was read; what was read is not kept", reader->source);
  else if (cache->fresh)
    snprintf(cache->note, sizeof cache->note, "%s was written a moment ago; the next run keeps what it reads", reader->source);
  else if (rename(cache->temporary_path, cache->path) != 0)
    note_failure(cache, "rename into place");
  else
    cache->temporary_path[0] = '\0';
  cache_end_turn(cache, cache->temporary_path[0] == '\0');
  if (cache->temporary_path[0] != '\0') unlink(cache->temporary_path);
  free(cache->temporary_path);
  cache->temporary_path = NULL;
}

/* Rows that were written piece by piece are used from the file, which nobody writes to again: rows_own copies before. */
static Status map_rows(Rows *held, Cache *cache, const CacheHeader *header, const CacheLayout *layout, Error *error) {
  Status status = SETOSA_OK;
  Mapping mapping = {0};
  SparseArrays sparse = {0};
  bool mapped = mapping_open(&mapping, cache->descriptor, layout->bytes, cache->path, NULL) == SETOSA_OK;
  if (mapped && header->sparse)
    mapped = cache_sparse_map(&sparse, &mapping, cache->descriptor, header, layout, cache->path, NULL) == SETOSA_OK;
  if (!mapped) TRY(failed(cache, "map", error));
  held->sparse = sparse;
  if (!header->sparse) held->values = (float *)(uintptr_t)(mapping.at + CACHE_PAGE);
  held->mapping = mapping;
  mapping = (Mapping){0};
cleanup:
  mapping_close(&mapping);
  return status;
}

Status cache_commit(Cache *cache, Dataset *dataset, const Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  CachePage page;
  CacheLayout layout;
  const float *values = rows_values(dataset);
  if (values != NULL) TRY(cache_write(cache, values, dataset->rows * dataset->features, error));
  TRY(write_rest(&page, &layout, cache, dataset, reader, error));
  if (values == NULL) TRY(map_rows(dataset->held, cache, &page.header, &layout, error));
  publish(cache, reader);
cleanup:
  return status;
}
