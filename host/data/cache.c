/* Finding, verifying and mapping an entry. Its file name is the hash of everything that decides what reading gives (path, options,
 * version), so a source has one entry for each way of reading it, and a source that changed replaces its entry. */
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
  free(cache->lock_path);
  free(cache->temporary_path);
  free(cache->path);
  free(cache);
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* a * b, rounded up to whole pages, added to *sum. */
static bool add_pages(size_t *sum, uint64_t a, uint64_t b) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(a, b, &bytes) || bytes > SIZE_MAX / 4) return false;
  bytes = (bytes + CACHE_PAGE - 1) / CACHE_PAGE * CACHE_PAGE;
  return !__builtin_add_overflow(*sum, bytes, sum) && *sum <= SIZE_MAX / 4;
}

bool cache_layout(CacheLayout *layout, const CacheHeader *header) {
  size_t at = CACHE_PAGE, row_bytes = 0;
  if (header->rows == 0 || header->features == 0 || __builtin_mul_overflow(header->features, sizeof(float), &row_bytes)) return false;
  if (!add_pages(&at, header->rows, row_bytes)) return false;
  layout->labels_at = at;
  if (header->has_labels && !add_pages(&at, header->rows, sizeof(int32_t))) return false;
  layout->weights_at = at;
  if (header->has_weights && !add_pages(&at, header->rows, sizeof(float))) return false;
  layout->left_out_at = at;
  if (header->left_out > 0 && !add_pages(&at, header->left_out, sizeof(uint64_t))) return false;
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

/* What of the file this process looks at: all but rows of others' parts. */
static bool is_own_block(const CacheLayout *layout, const CacheHeader *header, const Dataset *dataset, size_t at, size_t count) {
  size_t row_bytes = (size_t)header->features * sizeof(float);
  RowRange own = rows_of_part(dataset);
  bool before = at + count <= CACHE_PAGE + own.begin * row_bytes, after = at >= CACHE_PAGE + (own.begin + own.count) * row_bytes;
  return (!before && !after) || at + count > layout->labels_at; /* labels and names are used whole */
}

static bool block_is_good(const unsigned char *bytes, size_t count, const unsigned char *expected, Hash *hash) {
  char hex[HASH_HEX_SIZE];
  hash_restart(hash);
  hash_add(hash, bytes, count);
  hash_hex(hash, hex);
  return memcmp(hex, expected, HASH_HEX_SIZE) == 0;
}

/* Reads the mapping once: a damaged byte anywhere in it makes the entry worthless. */
static Status verify(bool *good, const Dataset *dataset, const CacheLayout *layout, const CacheHeader *header, Reader *reader,
                     Error *error) {
  Status status = SETOSA_OK;
  const Mapping *mapping = &dataset->held->mapping;
  const unsigned char *table = mapping->at + layout->blocks_at;
  size_t rows = rows_of_part(dataset).count, own = 0, row_bytes = (size_t)header->features * sizeof(float);
  Hash *hash = NULL;
  TRY(hash_create(&hash, error));
  reader->bytes_total = mapping->bytes;
  reader->rows_total = rows;
  reader->bytes_done = CACHE_PAGE;
  mapping_expect_pass(mapping, true);
  *good = block_is_good(table, layout->blocks * HASH_HEX_SIZE, (const unsigned char *)header->blocks_hash, hash);
  for (size_t b = 0; b < layout->blocks && *good; b++) {
    size_t at = CACHE_PAGE + b * CACHE_BLOCK, count = layout->blocks_at - at < CACHE_BLOCK ? layout->blocks_at - at : CACHE_BLOCK;
    reader->bytes_done += count;
    if (!is_own_block(layout, header, dataset, at, count)) continue;
    *good = block_is_good(mapping->at + at, count, table + b * HASH_HEX_SIZE, hash);
    mapping_let_go(mapping, at, count);
    own += count;
    TRY(reader_report(reader, own / row_bytes < rows ? own / row_bytes : rows, false, error));
  }
  reader->bytes_done = mapping->bytes;
cleanup:
  mapping_expect_pass(mapping, false);
  hash_destroy(hash);
  return status;
}

/* One terminated text of what is left; NULL when it is not terminated. */
static const char *next_text(const char **at, size_t *left) {
  const char *text = *at, *end = memchr(text, 0, *left);
  if (end == NULL) return NULL;
  *left -= (size_t)(end + 1 - text);
  *at = end + 1;
  return text;
}

static Status take_names(bool *good, char ***names, size_t count, const char **at, size_t *left, Error *error) {
  Status status = SETOSA_OK;
  if (count > *left) { /* each takes a byte at least: checked before so much is allocated */
    *good = false;
    return SETOSA_OK;
  }
  TRY(memory_allocate_zero((void **)names, count, sizeof **names, "names", error));
  for (size_t i = 0; i < count && *good; i++) {
    const char *text = next_text(at, left);
    *good = text != NULL;
    if (*good) TRY(memory_copy_text(&(*names)[i], text, error));
  }
cleanup:
  return status;
}

static Status take_text(bool *good, char **out, const char **at, size_t *left, Error *error) {
  const char *text = next_text(at, left);
  *good = *good && text != NULL;
  return *good ? memory_copy_text(out, text, error) : SETOSA_OK;
}

/* The names and the description, into a bare data set that has its counts. */
static Status take_all_names(bool *good, Dataset *dataset, const Reader *reader, const CacheHeader *header, const char *at, size_t left,
                             Error *error) {
  Status status = SETOSA_OK;
  char *description = NULL;
  if (header->has_feature_names) TRY(take_names(good, &dataset->feature_names, dataset->features, &at, &left, error));
  if (*good && dataset->classes > 0) TRY(take_names(good, &dataset->class_names, dataset->classes, &at, &left, error));
  if (*good && header->has_label_name) TRY(take_text(good, &dataset->label_name, &at, &left, error));
  if (*good && header->has_weights_name) TRY(take_text(good, &dataset->weights_name, &at, &left, error));
  if (*good && header->has_positive) TRY(take_text(good, &dataset->positive, &at, &left, error));
  if (*good && header->has_description) {
    TRY(take_text(good, &description, &at, &left, error));
    if (*good) TRY(cache_take_description(good, dataset, reader, description, error));
  }
  *good = *good && left == 0;
cleanup:
  free(description);
  return status;
}

static bool labels_are_good(const Dataset *dataset) {
  const int32_t *labels = rows_labels(dataset);
  bool good = true;
  for (size_t i = 0; labels != NULL && i < dataset->rows; i++)
    good = good && labels[i] >= -1 && (labels[i] < 0 || (size_t)labels[i] < dataset->classes);
  return good;
}

/* Copied: unlike labels they are used in another form, too. */
static Status take_weights(Dataset *dataset, const float *weights, Error *error) {
  Status status = SETOSA_OK;
  WeightList list = {.count = dataset->rows, .capacity = dataset->rows};
  TRY(memory_allocate((void **)&list.values, dataset->rows, sizeof *list.values, "weights", error));
  memcpy(list.values, weights, dataset->rows * sizeof *list.values);
  TRY(weights_take(dataset, &list, dataset->source, error));
cleanup:
  weight_list_free(&list);
  return status;
}

/* Rows of the source, going up. */
static Status take_left_out(bool *good, Dataset *dataset, const uint64_t *rows, size_t count, Error *error) {
  Status status = SETOSA_OK;
  for (size_t i = 0; i < count && *good; i++) {
    *good = rows[i] < dataset->rows + (uint64_t)count && (i == 0 || rows[i] > rows[i - 1]);
    TRY(source_rows_leave_out(&dataset->left_out, rows[i], error));
  }
cleanup:
  return status;
}

/* A data set of its own from an open entry: NULL and SETOSA_OK when the entry is not good. */
static Status load_entry(Dataset **out, const Cache *cache, int descriptor, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  Dataset *dataset = NULL;
  CachePage page;
  CacheLayout layout;
  FileIdentity file;
  bool good = cache_read_page(&page, cache, descriptor) && cache_layout(&layout, &page.header) && file_identify(&file, descriptor) &&
              file.bytes == layout.bytes;
  *out = NULL;
  if (!good) return SETOSA_OK;
  const CacheHeader *header = &page.header;
  TRY(reader_create_dataset(&dataset, reader, error));
  Rows *held = dataset->held;
  if (mapping_open(&held->mapping, descriptor, layout.bytes, cache->path, NULL) != SETOSA_OK) goto cleanup;
  dataset->rows = header->rows;
  TRY(verify(&good, dataset, &layout, header, reader, error));
  if (!good) goto cleanup;
  dataset->features = header->features;
  dataset->classes = header->classes;
  dataset->byte_scale = header->byte_scale;
  held->values = (float *)(uintptr_t)(held->mapping.at + CACHE_PAGE); /* never written: rows_own copies before */
  if (header->has_labels) held->labels = (int32_t *)(uintptr_t)(held->mapping.at + layout.labels_at);
  TRY(take_all_names(&good, dataset, reader, header, (const char *)held->mapping.at + layout.text_at, header->text_bytes, error));
  if (!good || !labels_are_good(dataset)) goto cleanup;
  if (header->has_weights) TRY(take_weights(dataset, (const float *)(const void *)(held->mapping.at + layout.weights_at), error));
  TRY(take_left_out(&good, dataset, (const uint64_t *)(const void *)(held->mapping.at + layout.left_out_at), (size_t)header->left_out,
                    error));
  if (!good) goto cleanup;
  reader->default_scale = header->default_scale;
  dataset->cached = true;
  *out = dataset;
  dataset = NULL;
cleanup:
  setosa_dataset_destroy(dataset);
  return status;
}

Status cache_load(bool *hit, Cache *cache, Dataset *dataset, Reader *reader, Error *error) {
  Dataset *loaded = NULL;
  *hit = false;
  int descriptor = cache_file_open(cache->path, O_RDONLY);
  cache->tried = (FileIdentity){0};
  if (descriptor < 0) return SETOSA_OK;
  file_identify(&cache->tried, descriptor);
  Status status = load_entry(&loaded, cache, descriptor, reader, error);
  close(descriptor);
  if (loaded != NULL) {
    Dataset bare = *dataset; /* what the caller had becomes what is thrown away */
    *dataset = *loaded;
    *loaded = bare;
    setosa_dataset_destroy(loaded);
    *hit = true;
  } else {
    reader->bytes_done = reader->bytes_total = reader->rows_total = 0;
  }
  return status;
}
