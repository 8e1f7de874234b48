/* Rows as their entries. */
#include "data/sparse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

Status sparse_allocate(SparseArrays *arrays, size_t rows, uint64_t entries, bool ones, Error *error) {
  Status status = SETOSA_OK;
  size_t room = entries > 0 ? (size_t)entries : 1; /* rows may all be empty */
  *arrays = (SparseArrays){0};
  TRY(memory_allocate((void **)&arrays->begin, rows + 1, sizeof *arrays->begin, "sparse rows", error));
  TRY(memory_allocate((void **)&arrays->columns, room, sizeof *arrays->columns, "sparse rows", error));
  if (!ones) TRY(memory_allocate((void **)&arrays->values, room, sizeof *arrays->values, "sparse rows", error));
  arrays->begin[0] = 0;
cleanup:
  if (status != SETOSA_OK) sparse_free(arrays, NULL);
  return status;
}

void sparse_free(SparseArrays *arrays, const Mapping *mapping) {
  void *all[] = {arrays->begin, arrays->columns, arrays->values};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (mapping == NULL || !mapping_holds(mapping, all[i])) free(all[i]);
  *arrays = (SparseArrays){0};
}

bool sparse_all_ones(const float *values, size_t count) {
  bool ones = true;
  for (size_t i = 0; i < count; i++) ones &= values[i] == 1;
  return ones;
}

void sparse_put_row(SparseArrays *arrays, size_t to, const SparseRows *rows, size_t from) {
  uint64_t at = arrays->begin[to], first = rows->begin[from], count = rows->begin[from + 1] - first;
  memcpy(arrays->columns + at, rows->columns + first, count * sizeof *arrays->columns);
  if (arrays->values != NULL && rows->values != NULL)
    memcpy(arrays->values + at, rows->values + first, count * sizeof *arrays->values);
  else
    for (uint64_t i = 0; arrays->values != NULL && i < count; i++) arrays->values[at + i] = 1;
  arrays->begin[to + 1] = at + count;
}

Status sparse_from_dense(SparseArrays *arrays, const float *values, size_t rows, size_t features, Error *error) {
  uint64_t entries = 0, at = 0;
  bool ones = true;
  for (size_t i = 0; i < rows * features; i++) {
    entries += values[i] != 0;
    ones = ones && (values[i] == 0 || values[i] == 1);
  }
  Status status = sparse_allocate(arrays, rows, entries, ones, error);
  for (size_t i = 0; status == SETOSA_OK && i < rows; i++) {
    for (size_t d = 0; d < features; d++) {
      float value = values[i * features + d];
      if (value == 0) continue;
      arrays->columns[at] = (uint32_t)d;
      if (!ones) arrays->values[at] = value;
      at++;
    }
    arrays->begin[i + 1] = at;
  }
  return status;
}

void sparse_expand_row(float *to, size_t features, const SparseRows *rows, size_t row) {
  memset(to, 0, features * sizeof *to);
  for (uint64_t i = rows->begin[row]; i < rows->begin[row + 1]; i++) to[rows->columns[i]] = rows->values != NULL ? rows->values[i] : 1;
}

Status sparse_check_width(size_t features, const char *source, Error *error) {
  if (features <= UINT32_MAX) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_USAGE, "%s: %zu features, and sparse rows have %u at most; leave some out", source, features,
                   UINT32_MAX);
}

static Status check_row(const SparseRows *rows, size_t row, size_t features, const char *source, Error *error) {
  uint64_t first = rows->begin[row];
  for (uint64_t i = first; i < rows->begin[row + 1]; i++) {
    uint32_t column = rows->columns[i];
    unsigned long long entry = (unsigned long long)(i - first) + 1;
    if (column >= features)
      return error_set(error, SETOSA_ERROR_DATA, "%s:%zu: entry %llu is of column %u, and there are %zu, from 0; say so many features",
                       source, row + 1, entry, column, features);
    if (i > first && column <= rows->columns[i - 1])
      return error_set(error, SETOSA_ERROR_DATA, "%s:%zu: entry %llu is of column %u after column %u; sort the entries of each row", source,
                       row + 1, entry, column, rows->columns[i - 1]);
    if (rows->values != NULL && !isfinite(rows->values[i]))
      return error_set(error, SETOSA_ERROR_DATA,
                       "%s:%zu: entry %llu, of column %u, is not a number, or infinite; remove the row or fill the value in", source,
                       row + 1, entry, column);
  }
  return SETOSA_OK;
}

Status sparse_check(const SparseRows *rows, size_t count, size_t features, const char *source, Error *error) {
  for (size_t i = 0; i < count; i++) {
    if (rows->begin[i + 1] < rows->begin[i])
      return error_set(error, SETOSA_ERROR_DATA, "%s:%zu: the entries of the row end before they begin; give row_begin in ascending order",
                       source, i + 1);
    Status status = check_row(rows, i, features, source, error);
    if (status != SETOSA_OK) return status;
  }
  return SETOSA_OK;
}
