/* What an entry is called, made of, and laid out like. Its file name is the hash of everything that decides what reading gives (path,
 * options, version), so a source has one entry for each way of reading it, and a source that changed replaces its entry. */
#include "data/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/weights.h"

/* A file that changed less than this ago may change again without its times showing it: clocks of file systems tick. */
static const int64_t FRESH_NS = 100000000;

const char cache_magic[8] = {'S', 'E', 'T', 'O', 'S', 'A', 'D', 'C'};

/* ---- the key ----------------------------------------------------------------------------------------------------- */

static void add_text(Hash *hash, const char *text) {
  unsigned char there = text != NULL;
  hash_add(hash, &there, 1);
  if (there) hash_add_text(hash, text);
}

static void add_count(Hash *hash, uint64_t count) { hash_add(hash, &count, sizeof count); }

static void add_texts(Hash *hash, const char *const *texts, size_t count) {
  add_count(hash, texts != NULL ? count : UINT64_MAX);
  for (size_t i = 0; texts != NULL && i < count; i++) add_text(hash, texts[i]);
}

/* The scale is left out: it is applied to what was read. The source as typed is part of it, since its name tells the separator. */
static bool make_key(char key[HASH_HEX_SIZE], const Reader *reader) {
  const DataOptions *o = reader->options;
  Hash *hash = NULL;
  char *path = realpath(stream_path(reader->stream), NULL), *columns = NULL,
       *labels = o->labels_path != NULL ? realpath(o->labels_path, NULL) : NULL;
  char *weights = o->weights != NULL ? realpath(o->weights, NULL) : NULL; /* NULL as well when it is a column */
  bool made = path != NULL && (labels != NULL || o->labels_path == NULL) && hash_create(&hash, NULL) == SETOSA_OK;
  made = made && (o->expect_columns == NULL || columns_to_json(&columns, o->expect_columns, NULL) == SETOSA_OK);
  if (made) {
    const char *const texts[] = {SETOSA_VERSION, path,         reader->source,    labels,         o->labels_path,
                                 o->label,       o->features,  o->drop,           o->positive,    o->expect_label,
                                 weights,        o->weights,   o->expect_weights, o->categorical, o->numeric,
                                 o->na,          o->separator, o->decimal,        columns};
    add_texts(hash, texts, sizeof texts / sizeof *texts);
    add_count(hash, CACHE_FORMAT);
    add_count(hash, (uint64_t)o->header + 1);
    add_count(hash, o->labels_optional);
    add_count(hash, o->unshifted);
    add_count(hash, (uint64_t)o->missing);
    add_count(hash, (uint64_t)o->unseen);
    add_count(hash, (uint64_t)o->sparse);
    add_count(hash, (uint64_t)o->expect_index_base + 1);
    add_count(hash, o->hash_features);
    add_texts(hash, o->also, o->also_count);
    add_count(hash, o->expect_shift != NULL);
    if (o->expect_shift != NULL) hash_add(hash, o->expect_shift, o->expect_features * sizeof *o->expect_shift);
    add_count(hash, o->expect_features);
    add_texts(hash, o->expect_feature_names, o->expect_features);
    add_count(hash, o->expect_classes);
    add_texts(hash, o->expect_class_names, o->expect_classes);
    hash_hex(hash, key);
  }
  hash_destroy(hash);
  free(path);
  free(labels);
  free(weights);
  free(columns);
  return made;
}

static bool identify_path(FileIdentity *identity, const char *path) {
  int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold us up */
  bool known = descriptor >= 0 && file_identify(identity, descriptor);
  if (descriptor >= 0) close(descriptor);
  return known;
}

static bool is_fresh(const FileIdentity *identity) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  int64_t age = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - identity->changed_ns;
  return age > -FRESH_NS && age < FRESH_NS;
}

/* Of the files that follow the first: how many bytes they have, too, and whether one is fresh. */
static bool identify_further(uint64_t *identity, uint64_t *bytes, bool *fresh, const DataOptions *options) {
  char hex[HASH_HEX_SIZE];
  Hash *hash = NULL;
  *identity = *bytes = 0;
  *fresh = false;
  if (options->also_count == 0) return true;
  bool known = hash_create(&hash, NULL) == SETOSA_OK;
  for (size_t i = 0; known && i < options->also_count; i++) {
    FileIdentity one;
    memset(&one, 0, sizeof one);
    known = identify_path(&one, options->also[i]);
    if (!known) break;
    hash_add(hash, &one, sizeof one);
    *bytes += one.bytes;
    *fresh = *fresh || is_fresh(&one);
  }
  if (known) {
    hash_hex(hash, hex);
    hex[16] = '\0';
    *identity = strtoull(hex, NULL, 16);
  }
  hash_destroy(hash);
  return known;
}

bool cache_identify(CacheSource *source, const Reader *reader) {
  *source = (CacheSource){0};
  if (!stream_identify(reader->stream, &source->data)) return false;
  const DataOptions *o = reader->options;
  bool weights = o->weights != NULL && file_exists(o->weights), fresh; /* else it is a column */
  uint64_t bytes;
  if (!identify_further(&source->also, &bytes, &fresh, o)) return false;
  return (o->labels_path == NULL || identify_path(&source->labels, o->labels_path)) &&
         (!weights || identify_path(&source->weights, o->weights));
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static Status find_folder(char *folder, size_t size, const DataOptions *options, Error *error) {
  return options->cache != NULL ? cache_folder_find_named(folder, size, options->cache, error)
                                : cache_folder_find(folder, size, "data", error);
}

Cache *cache_open(const Reader *reader, char note[CACHE_NOTE_SIZE]) {
  Error error = {0};
  Text path = {0};
  char folder[PATH_MAX];
  Cache *cache = NULL;
  uint64_t also = 0, bytes = 0;
  bool fresh = false;
  note[0] = '\0';
  if (reader->options->no_cache || reader->stream == NULL || !identify_further(&also, &bytes, &fresh, reader->options)) return NULL;
  if (stream_bytes_total(reader->stream) + bytes < CACHE_LEAST_BYTES) return NULL;
  if (memory_allocate_zero((void **)&cache, 1, sizeof *cache, "a cache entry", NULL) != SETOSA_OK) return NULL;
  cache->descriptor = -1;
  if (!cache_identify(&cache->source, reader) || !make_key(cache->key, reader)) goto unusable;
  cache->fresh = fresh || is_fresh(&cache->source.data) || is_fresh(&cache->source.labels) || is_fresh(&cache->source.weights);
  if (find_folder(folder, sizeof folder, reader->options, &error) != SETOSA_OK ||
      text_append(&path, &error, "%s/%s.data", folder, cache->key) != SETOSA_OK) {
    snprintf(note, CACHE_NOTE_SIZE, "%.*s", CACHE_NOTE_SIZE - 1, error.message);
    goto unusable;
  }
  cache->path = path.text;
  cache->lock = -1;
  return cache;
unusable:
  text_free(&path);
  free(cache);
  return NULL;
}

void cache_close(Cache *cache) {
  if (cache == NULL) return;
  if (cache->temporary_path != NULL) unlink(cache->temporary_path);
  if (cache->descriptor >= 0) close(cache->descriptor);
  cache_end_turn(cache, false);
  hash_destroy(cache->hash);
  text_free(&cache->blocks);
  cache_sparse_free(&cache->stripes);
  free(cache->lock_path);
  free(cache->temporary_path);
  free(cache->path);
  free(cache);
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

bool cache_add_bytes(size_t *sum, uint64_t a, uint64_t b, size_t multiple) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(a, b, &bytes) || bytes > SIZE_MAX / 4) return false;
  bytes = (bytes + multiple - 1) / multiple * multiple;
  return !__builtin_add_overflow(*sum, bytes, sum) && *sum <= SIZE_MAX / 4;
}

/* *at is where they begin, and *sum where pages of them end. */
static bool add_pages(size_t *at, size_t *sum, uint64_t count, uint64_t size) {
  *at = *sum;
  return cache_add_bytes(sum, count, size, CACHE_PAGE);
}

bool cache_layout(CacheLayout *layout, const CacheHeader *header) {
  size_t at = CACHE_PAGE, row_bytes = 0;
  *layout = (CacheLayout){0};
  if (header->rows == 0 || header->features == 0 || __builtin_mul_overflow(header->features, sizeof(float), &row_bytes)) return false;
  if (!header->sparse && !add_pages(&layout->rows_end, &at, header->rows, row_bytes)) return false;
  layout->rows_end = at;
  if (header->sparse && !cache_sparse_layout(layout, &at, header)) return false;
  if (!add_pages(&layout->labels_at, &at, header->has_labels ? header->rows : 0, sizeof(int32_t)) ||
      !add_pages(&layout->weights_at, &at, header->has_weights ? header->rows : 0, sizeof(float)) ||
      !add_pages(&layout->left_out_at, &at, header->left_out, sizeof(uint64_t)))
    return false;
  layout->text_at = at;
  if (__builtin_add_overflow(at, header->text_bytes, &layout->blocks_at) || layout->blocks_at > SIZE_MAX / 4) return false;
  layout->blocks = (layout->blocks_at - CACHE_PAGE + CACHE_BLOCK - 1) / CACHE_BLOCK;
  layout->bytes = layout->blocks_at + layout->blocks * HASH_HEX_SIZE;
  return true;
}

Status cache_page_hash(const CachePage *page, char hex[HASH_HEX_SIZE], Error *error) {
  Hash *hash = NULL;
  size_t from = offsetof(CacheHeader, blocks_hash);
  Status status = hash_create(&hash, error);
  if (status != SETOSA_OK) return status;
  hash_add(hash, page->bytes + from, CACHE_PAGE - from);
  hash_hex(hash, hex);
  hash_destroy(hash);
  return SETOSA_OK;
}

bool cache_read_page(CachePage *page, const Cache *cache, int descriptor) {
  char hex[HASH_HEX_SIZE];
  const CacheHeader *header = &page->header;
  return pread(descriptor, page->bytes, CACHE_PAGE, 0) == CACHE_PAGE && memcmp(header->magic, cache_magic, sizeof cache_magic) == 0 &&
         header->format == CACHE_FORMAT && cache_page_hash(page, hex, NULL) == SETOSA_OK &&
         memcmp(hex, header->page_hash, HASH_HEX_SIZE) == 0 && memcmp(header->key, cache->key, HASH_HEX_SIZE) == 0 &&
         memcmp(&header->source, &cache->source, sizeof cache->source) == 0;
}
