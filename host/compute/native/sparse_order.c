/* A counting sort of entries by their columns, stable, so that rows ascend. */
#include "compute/native/sparse_order.h"

#include <stdlib.h>

#include "base/memory.h"
#include "constants.clh"

enum {
  ITEM_ENTRIES = 4096, /* of an item of the CPU family, at least: what a thread works on at a time */
  SCAN_PART = 16 /* with entries in at least such a part of the columns, all of them are looked at in order; else those found are sorted */
};

static int compare_columns(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return (left > right) - (left < right);
}

static Status reserve(SparseOrder *order, size_t entries, size_t features, Error *error) {
  Status status = SETOSA_OK;
  if (order->features != features) {
    free(order->places);
    free(order->found);
    order->places = order->found = NULL;
    order->features = 0;
    TRY(memory_allocate_zero((void **)&order->places, features, sizeof *order->places, "an order of entries", error));
    TRY(memory_allocate((void **)&order->found, features, sizeof *order->found, "an order of entries", error));
    order->features = features;
  }
  if (order->rows != NULL && order->capacity >= entries) return SETOSA_OK;
  free(order->rows);
  free(order->values);
  order->rows = NULL;
  order->values = NULL;
  order->capacity = 0;
  TRY(memory_allocate((void **)&order->rows, entries + 1, sizeof *order->rows, "an order of entries", error));
  TRY(memory_allocate((void **)&order->values, entries + 1, sizeof *order->values, "an order of entries", error));
  order->capacity = entries;
cleanup:
  return status;
}

static inline uint32_t column_of(uint32_t column, const uint32_t *places) { return places != NULL ? places[column] : column; }

/* order->places = how many entries each column has; order->found the columns that have some, ascending. */
static void count_columns(SparseOrder *order, const uint32_t *columns, size_t entries, const uint32_t *places) {
  size_t found = 0;
  for (size_t i = 0; i < entries; i++) {
    uint32_t column = column_of(columns[i], places);
    if (order->places[column]++ == 0) order->found[found++] = column;
  }
  order->columns = found;
  if (found < order->features / SCAN_PART) {
    qsort(order->found, found, sizeof *order->found, compare_columns);
    return;
  }
  found = 0;
  for (size_t d = 0; d < order->features; d++)
    if (order->places[d] > 0) order->found[found++] = (uint32_t)d;
}

/* Columns, ends, items, long columns; order->places becomes where each column begins. */
static Status make_index(SparseOrder *order, Error *error) {
  Status status = SETOSA_OK;
  size_t columns = order->columns, item_entries = 0;
  uint32_t end = 0;
  TRY(memory_grow((void **)&order->index, &order->index_capacity, 4 * columns + 2, sizeof *order->index, "an order of entries", error));
  uint32_t *ends = order->index + columns, *starts = ends + columns;
  order->items = order->longs = 0;
  for (size_t c = 0; c < columns; c++) {
    uint32_t column = order->found[c], count = order->places[column];
    if (item_entries == 0) starts[order->items++] = (uint32_t)c;
    item_entries = item_entries + count >= ITEM_ENTRIES ? 0 : item_entries + count;
    order->places[column] = end;
    end += count;
    order->index[c] = column;
    ends[c] = end;
  }
  starts[order->items] = (uint32_t)columns;
  uint32_t *longs = starts + order->items + 1;
  for (size_t c = 0; c < columns; c++)
    if (ends[c] - (c > 0 ? ends[c - 1] : 0) > SPARSE_SEGMENT) longs[order->longs++] = (uint32_t)c;
cleanup:
  return status;
}

Status sparse_order_make(SparseOrder *order, const SparseRows *rows, size_t count, size_t features, const uint32_t *places, Error *error) {
  Status status = SETOSA_OK;
  size_t entries = (size_t)(rows->begin[count] - rows->begin[0]);
  if (count > UINT16_MAX + (size_t)1 || entries > UINT32_MAX)
    TRY(error_set(error, SETOSA_ERROR_INTERNAL, "a block of %zu rows has too many entries (%zu); please report this", count, entries));
  TRY(reserve(order, entries, features, error));
  order->entries = entries;
  count_columns(order, rows->columns + rows->begin[0], entries, places);
  status = make_index(order, error);
  for (size_t i = 0; status == SETOSA_OK && i < count; i++)
    for (uint64_t j = rows->begin[i]; j < rows->begin[i + 1]; j++) {
      uint32_t to = order->places[column_of(rows->columns[j], places)]++;
      order->rows[to] = (uint16_t)i;
      if (rows->values != NULL) order->values[to] = rows->values[j];
    }
  for (size_t c = 0; c < order->columns; c++) order->places[order->found[c]] = 0;
cleanup:
  return status;
}

void sparse_order_free(SparseOrder *order) {
  free(order->rows);
  free(order->values);
  free(order->index);
  free(order->places);
  free(order->found);
  *order = (SparseOrder){0};
}

typedef struct Frequency {
  uint64_t entries;
  uint32_t feature;
} Frequency;

static int by_falling_entries(const void *a, const void *b) {
  const Frequency *left = a, *right = b;
  if (left->entries != right->entries) return left->entries < right->entries ? 1 : -1;
  return (left->feature > right->feature) - (left->feature < right->feature);
}

/* Entries of each feature in some runs of rows, from all over the range. */
static Status count_entries(Frequency *features, const Dataset *dataset, RowRange rows, Error *error) {
  enum { MOST_ENTRIES = 1 << 23, RUNS = 64 };
  Status status = SETOSA_OK;
  SparseRoom room = {0};
  SparseRows sparse;
  double part = (double)MOST_ENTRIES / ((double)dataset_entries(dataset, rows) + 1);
  for (size_t run = 0; run < RUNS; run++) {
    RowRange now = range_part(rows.count, run, RUNS);
    if (part < 1) now.count = (size_t)(part * (double)now.count);
    now.begin += rows.begin;
    if (now.count == 0) continue;
    TRY(dataset_sparse(&sparse, dataset, now, &room, error));
    for (uint64_t i = sparse.begin[0]; i < sparse.begin[now.count]; i++) features[sparse.columns[i]].entries++;
  }
cleanup:
  sparse_room_free(&room);
  return status;
}

Status sparse_places_make(uint32_t **out, const Dataset *dataset, RowRange rows, Error *error) {
  Status status = SETOSA_OK;
  size_t count = dataset_shape(dataset).features;
  Frequency *features = NULL;
  uint32_t *places = NULL;
  TRY(memory_allocate((void **)&features, count, sizeof *features, "the frequencies of features", error));
  TRY(memory_allocate((void **)&places, count, sizeof *places, "the places of features", error));
  for (size_t d = 0; d < count; d++) features[d] = (Frequency){0, (uint32_t)d};
  TRY(count_entries(features, dataset, rows, error));
  qsort(features, count, sizeof *features, by_falling_entries);
  for (size_t place = 0; place < count; place++) places[features[place].feature] = (uint32_t)place;
  *out = places;
  places = NULL;
cleanup:
  free(features);
  free(places);
  return status;
}
