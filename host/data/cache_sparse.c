/* Sparse rows in an entry. They come row after row, and are to be three arrays; so the file has stripes of them,
 *   columns (S) u32, values (S) f32, columns (S), values (S), ..., a last pair that is shorter, begins (N+1) u64
 * with S = CACHE_STRIPE, and they are put side by side when they are mapped. Stripes before the first value that is not 1 have no values:
 * what stands for them, where there are others, is a stripe of ones before the begins. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/cache.h"

static const size_t STRIPE_BYTES = CACHE_STRIPE * sizeof(uint32_t); /* of its columns, and of its values */

/* ---- layout ------------------------------------------------------------------------------------------------------- */

static size_t round_up(size_t bytes) { return (bytes + CACHE_ALIGNMENT - 1) / CACHE_ALIGNMENT * CACHE_ALIGNMENT; }

static uint64_t stripes_of(uint64_t entries) { return entries / CACHE_STRIPE + (entries % CACHE_STRIPE > 0); }

/* Where a whole stripe begins, or all of them end but for a shorter one. */
static size_t stripe_at(const CacheHeader *header, uint64_t stripe) {
  uint64_t ones = header->ones_stripes < stripe ? header->ones_stripes : stripe;
  return CACHE_ALIGNMENT + (size_t)(ones + 2 * (stripe - ones)) * STRIPE_BYTES;
}

static bool all_ones(const CacheHeader *header) { return header->ones_stripes == stripes_of(header->entries); }

/* Of the last stripe, where it is shorter. */
static size_t last_bytes(const CacheHeader *header) { return (size_t)(header->entries % CACHE_STRIPE) * sizeof(uint32_t); }

bool cache_sparse_layout(CacheLayout *layout, size_t *at, const CacheHeader *header) {
  if (header->entries > SIZE_MAX / 64 || header->ones_stripes > stripes_of(header->entries)) return false;
  layout->rows_end = stripe_at(header, header->entries / CACHE_STRIPE) + round_up(last_bytes(header)) * (all_ones(header) ? 1 : 2);
  layout->ones_at = layout->rows_end;
  layout->begin_at = layout->ones_at + (header->ones_stripes > 0 && !all_ones(header) ? STRIPE_BYTES : 0);
  *at = layout->begin_at;
  return header->rows < SIZE_MAX && cache_add_bytes(at, header->rows + 1, sizeof(uint64_t), CACHE_PAGE);
}

CacheRange cache_sparse_range(const CacheLayout *layout, const CacheHeader *header, const uint64_t *begin, RowRange rows) {
  uint64_t first = begin[rows.begin], end = begin[rows.begin + rows.count];
  if (first == end) return (CacheRange){CACHE_ALIGNMENT, CACHE_ALIGNMENT};
  uint64_t behind = (end - 1) / CACHE_STRIPE + 1;
  return (CacheRange){stripe_at(header, first / CACHE_STRIPE),
                      behind == stripes_of(header->entries) ? layout->rows_end : stripe_at(header, behind)};
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

void cache_sparse_free(CacheStripes *stripes) {
  free(stripes->ends);
  free(stripes->columns);
  free(stripes->values);
  *stripes = (CacheStripes){0};
}

/* What is there of the stripe at hand becomes a stripe. */
static Status write_stripe(Cache *cache, Error *error) {
  Status status = SETOSA_OK;
  CacheStripes *stripes = &cache->stripes;
  size_t count = stripes->filled, bytes = count * sizeof(uint32_t);
  bool ones = stripes->ones_stripes == stripes_of(stripes->entries) && sparse_all_ones(stripes->values, count);
  TRY(cache_pad(cache, round_up((size_t)cache->position), error));
  TRY(cache_append(cache, stripes->columns, bytes, error));
  TRY(cache_pad(cache, round_up((size_t)cache->position), error));
  if (!ones) TRY(cache_append(cache, stripes->values, bytes, error));
  TRY(cache_pad(cache, round_up((size_t)cache->position), error));
  stripes->ones_stripes += ones;
  stripes->entries += count;
  stripes->filled = 0;
cleanup:
  return status;
}

static Status begin_stripes(CacheStripes *stripes, Error *error) {
  Status status = SETOSA_OK;
  const char *what = "a stripe of sparse rows";
  if (stripes->values != NULL) return SETOSA_OK;
  TRY(memory_allocate((void **)&stripes->columns, CACHE_STRIPE, sizeof *stripes->columns, what, error));
  TRY(memory_allocate((void **)&stripes->values, CACHE_STRIPE, sizeof *stripes->values, what, error));
cleanup:
  return status;
}

Status cache_write_sparse(Cache *cache, const SparsePiece *piece, uint32_t base, Error *error) {
  Status status = SETOSA_OK;
  CacheStripes *stripes = &cache->stripes;
  uint64_t before = stripes->entries + stripes->filled, end = before;
  TRY(begin_stripes(stripes, error));
  TRY(memory_grow((void **)&stripes->ends, &stripes->row_capacity, stripes->rows + piece->rows, sizeof *stripes->ends, "sparse rows",
                  error));
  for (size_t i = 0; i < piece->rows; i++) stripes->ends[stripes->rows + i] = end += piece->lengths[i];
  stripes->rows += piece->rows;
  for (size_t done = 0, count = (size_t)(end - before), now; done < count; done += now) {
    size_t room = CACHE_STRIPE - stripes->filled;
    now = count - done < room ? count - done : room;
    for (size_t i = 0; i < now; i++) stripes->columns[stripes->filled + i] = piece->columns[done + i] - base;
    memcpy(stripes->values + stripes->filled, piece->values + done, now * sizeof *stripes->values);
    stripes->filled += now;
    if (stripes->filled == CACHE_STRIPE) TRY(write_stripe(cache, error));
  }
cleanup:
  return status;
}

Status cache_sparse_end(CacheHeader *header, Cache *cache, Error *error) {
  Status status = SETOSA_OK;
  CacheStripes *stripes = &cache->stripes;
  const uint64_t first = 0;
  if (stripes->filled > 0) TRY(write_stripe(cache, error));
  header->entries = stripes->entries;
  header->ones_stripes = stripes->ones_stripes;
  TRY(cache_pad(cache, CACHE_ALIGNMENT, error)); /* there may be no stripe */
  if (stripes->ones_stripes > 0 && !all_ones(header)) {
    for (size_t i = 0; i < CACHE_STRIPE; i++) stripes->values[i] = 1;
    TRY(cache_append(cache, stripes->values, STRIPE_BYTES, error));
  }
  TRY(cache_append(cache, &first, sizeof first, error));
  TRY(cache_append(cache, stripes->ends, stripes->rows * sizeof *stripes->ends, error));
cleanup:
  return status;
}

/* ---- mapping ------------------------------------------------------------------------------------------------------ */

/* Of stripes with values: their columns, or the values behind these. The last one, where it is shorter, is a run of its own. */
static size_t runs_of_pairs(MappingRun runs[2], const CacheHeader *header, bool values) {
  uint64_t whole = header->entries / CACHE_STRIPE, ones = header->ones_stripes < whole ? header->ones_stripes : whole;
  size_t last = all_ones(header) ? 0 : last_bytes(header), count = 0;
  if (whole > ones)
    runs[count++] = (MappingRun){.offset = stripe_at(header, ones) + (values ? STRIPE_BYTES : 0),
                                 .part_bytes = STRIPE_BYTES,
                                 .stride = 2 * STRIPE_BYTES,
                                 .bytes = (size_t)(whole - ones) * STRIPE_BYTES};
  if (last > 0)
    runs[count++] = (MappingRun){.offset = stripe_at(header, whole) + (values ? round_up(last) : 0), .part_bytes = last, .bytes = last};
  return count;
}

static Status map_columns(const void **at, Mapping *mapping, int descriptor, const CacheHeader *header, const char *path, Error *error) {
  MappingRun runs[3];
  size_t count = 0, ones = (size_t)header->ones_stripes * STRIPE_BYTES;
  if (all_ones(header)) ones = (size_t)header->entries * sizeof(uint32_t);
  if (ones > 0) runs[count++] = (MappingRun){.offset = CACHE_ALIGNMENT, .part_bytes = STRIPE_BYTES, .stride = STRIPE_BYTES, .bytes = ones};
  count += runs_of_pairs(runs + count, header, false);
  return mapping_join(at, mapping, runs, count, descriptor, path, error);
}

static Status map_values(const void **at, Mapping *mapping, int descriptor, const CacheHeader *header, const CacheLayout *layout,
                         const char *path, Error *error) {
  MappingRun runs[3];
  size_t count = 0, ones = (size_t)header->ones_stripes * STRIPE_BYTES;
  if (ones > 0) runs[count++] = (MappingRun){.offset = layout->ones_at, .part_bytes = STRIPE_BYTES, .stride = 0, .bytes = ones};
  count += runs_of_pairs(runs + count, header, true);
  return mapping_join(at, mapping, runs, count, descriptor, path, error);
}

Status cache_sparse_map(SparseArrays *arrays, Mapping *mapping, int descriptor, const CacheHeader *header, const CacheLayout *layout,
                        const char *path, Error *error) {
  Status status = SETOSA_OK;
  const void *columns = mapping->at, *values = NULL; /* without entries nobody looks at any */
  if (header->entries > 0) TRY(map_columns(&columns, mapping, descriptor, header, path, error));
  if (!all_ones(header)) TRY(map_values(&values, mapping, descriptor, header, layout, path, error));
  *arrays = (SparseArrays){.begin = (uint64_t *)(uintptr_t)(mapping->at + layout->begin_at),
                           .columns = (uint32_t *)(uintptr_t)columns,
                           .values = (float *)(uintptr_t)values};
cleanup:
  return status;
}
