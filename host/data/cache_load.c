/* Finding an entry, verifying it, and making a data set of it that lies in the mapping of its file. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "data/cache.h"
#include "data/weights.h"

/* ---- every byte is as it was written ----------------------------------------------------------------------------- */

/* An entry that is looked at, block after block. */
typedef struct Verification {
  const Dataset *dataset; /* that is made of it; its mapping is there, and how many rows it has */
  const CacheHeader *header;
  const CacheLayout *layout;
  Reader *reader;
  Hash *hash;
  bool good; /* so far */
} Verification;

static bool bytes_are_good(Hash *hash, const unsigned char *bytes, size_t count, const unsigned char *expected) {
  char hex[HASH_HEX_SIZE];
  hash_restart(hash);
  hash_add(hash, bytes, count);
  hash_hex(hash, hex);
  return memcmp(hex, expected, HASH_HEX_SIZE) == 0;
}

static size_t block_of(size_t at) { return (at - CACHE_PAGE) / CACHE_BLOCK; }
static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* Blocks [begin, end); the rows of this process are looked at from `rows_begin` on, SIZE_MAX: others are. */
static Status verify_blocks(Verification *v, size_t begin, size_t end, size_t rows_begin, Error *error) {
  Status status = SETOSA_OK;
  const Mapping *mapping = &v->dataset->held->mapping;
  const unsigned char *table = mapping->at + v->layout->blocks_at;
  size_t rows = rows_of_part(v->dataset).count;
  for (size_t b = begin; b < end && v->good; b++) {
    size_t at = CACHE_PAGE + b * CACHE_BLOCK, count = smaller(v->layout->blocks_at - at, CACHE_BLOCK);
    v->good = bytes_are_good(v->hash, mapping->at + at, count, table + b * HASH_HEX_SIZE);
    mapping_let_go(mapping, mapping->at + at, count);
    v->reader->bytes_done += count;
    double part = rows_begin == SIZE_MAX ? 0 : (double)(b + 1 - rows_begin) / (double)(end - rows_begin);
    TRY(reader_report(v->reader, (uint64_t)(part * (double)rows), false, error));
  }
cleanup:
  return status;
}

/* Where the rows lie that this process looks at: all but those of others' parts. */
static CacheRange own_bytes(const Verification *v) {
  const Mapping *mapping = &v->dataset->held->mapping;
  RowRange own = rows_of_part(v->dataset);
  size_t row_bytes = (size_t)v->header->features * sizeof(float);
  if (v->header->sparse)
    return cache_sparse_range(v->layout, v->header, (const uint64_t *)(const void *)(mapping->at + v->layout->begin_at), own);
  return (CacheRange){CACHE_PAGE + own.begin * row_bytes, CACHE_PAGE + (own.begin + own.count) * row_bytes};
}

static bool begins_are_good(const Verification *v) {
  const uint64_t *begin = (const uint64_t *)(const void *)(v->dataset->held->mapping.at + v->layout->begin_at);
  bool good = begin[0] == 0 && begin[v->header->rows] == v->header->entries;
  for (size_t i = 0; i < v->header->rows; i++) good = good && begin[i] <= begin[i + 1];
  return good;
}

/* Reads the mapping once: a damaged byte anywhere in it makes the entry worthless. What all processes use comes first, for it says where a
 * part of sparse rows lies. */
static Status verify_all(Verification *v, Error *error) {
  Status status = SETOSA_OK;
  const CacheLayout *layout = v->layout;
  const Mapping *mapping = &v->dataset->held->mapping;
  size_t common = layout->rows_end < layout->blocks_at ? block_of(layout->rows_end) : layout->blocks;
  v->good = bytes_are_good(v->hash, mapping->at + layout->blocks_at, layout->blocks * HASH_HEX_SIZE,
                           (const unsigned char *)v->header->blocks_hash);
  TRY(verify_blocks(v, common, layout->blocks, SIZE_MAX, error));
  v->good = v->good && (!v->header->sparse || begins_are_good(v));
  if (!v->good) return SETOSA_OK;
  CacheRange own = own_bytes(v);
  size_t begin = block_of(own.begin), end = own.end > own.begin ? block_of(own.end - 1) + 1 : begin;
  TRY(verify_blocks(v, begin, smaller(end, common), begin, error));
cleanup:
  return status;
}

static Status verify(bool *good, const Dataset *dataset, const CacheLayout *layout, const CacheHeader *header, Reader *reader,
                     Error *error) {
  Status status = SETOSA_OK;
  const Mapping *mapping = &dataset->held->mapping;
  Verification v = {.dataset = dataset, .header = header, .layout = layout, .reader = reader};
  TRY(hash_create(&v.hash, error));
  reader->bytes_total = mapping->bytes;
  reader->rows_total = rows_of_part(dataset).count;
  reader->bytes_done = CACHE_PAGE;
  mapping_expect_pass(mapping, true);
  TRY(verify_all(&v, error));
  *good = v.good;
  reader->bytes_done = mapping->bytes;
cleanup:
  mapping_expect_pass(mapping, false);
  hash_destroy(v.hash);
  return status;
}

/* ---- what is in it ------------------------------------------------------------------------------------------------ */

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

/* Into a data set whose mapping was verified: X where it lies. Nothing of it is ever written: rows_own copies before. False where it cannot
 * be mapped. */
static bool take_rows(Dataset *dataset, const char *path, int descriptor, const CacheHeader *header, const CacheLayout *layout) {
  Rows *held = dataset->held;
  dataset->index_base = header->index_base;
  dataset->hash_bits = header->hash_bits;
  dataset->byte_scale = header->byte_scale;
  if (header->sparse) return cache_sparse_map(&held->sparse, &held->mapping, descriptor, header, layout, path, NULL) == SETOSA_OK;
  held->values = (float *)(uintptr_t)(held->mapping.at + CACHE_PAGE);
  return true;
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
  if (!take_rows(dataset, cache->path, descriptor, header, &layout)) goto cleanup;
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
