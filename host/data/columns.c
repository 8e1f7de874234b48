/* The description of columns, shared by counting its users. */
#include "data/columns.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

Status columns_create(Columns **out, size_t count, Error *error) {
  Status status = SETOSA_OK;
  Columns *columns = NULL;
  *out = NULL;
  TRY(memory_allocate_zero((void **)&columns, 1, sizeof *columns, "columns", error));
  atomic_init(&columns->users, 1);
  TRY(memory_allocate_zero((void **)&columns->columns, count > 0 ? count : 1, sizeof *columns->columns, "columns", error));
  columns->count = count;
  *out = columns;
  columns = NULL;
cleanup:
  columns_release(columns);
  return status;
}

Columns *columns_share(const Columns *columns) {
  Columns *shared = (Columns *)(uintptr_t)columns; /* the count of users is all that changes */
  if (shared != NULL) atomic_fetch_add(&shared->users, 1);
  return shared;
}

void columns_release(Columns *columns) {
  if (columns == NULL || atomic_fetch_sub(&columns->users, 1) > 1) return;
  for (size_t c = 0; columns->columns != NULL && c < columns->count; c++) {
    Column *column = &columns->columns[c];
    for (size_t l = 0; l < column->level_count; l++) free(column->levels[l]);
    free(column->levels);
    free(column->name);
  }
  for (size_t i = 0; i < columns->id_count; i++) free(columns->ids[i]);
  free(columns->ids);
  free(columns->columns);
  free(columns->na);
  free(columns->separator);
  free(columns->decimal);
  free(columns);
}

size_t columns_features(const Columns *columns) {
  size_t features = 0;
  for (size_t c = 0; c < columns->count; c++) features += column_features(&columns->columns[c]);
  return features;
}

bool setosa_columns_get(const SetosaColumns *columns, size_t i, SetosaColumn *column) {
  if (columns == NULL || i >= columns->count) return false;
  const Column *from = &columns->columns[i];
  if (column != NULL)
    *column = (SetosaColumn){.name = from->name,
                             .number = from->number + 1,
                             .categorical = from->kind == COLUMN_CATEGORICAL,
                             .levels = (const char *const *)from->levels,
                             .level_count = from->level_count,
                             .shift = from->shift,
                             .mean = from->mean};
  return true;
}

const char *setosa_columns_id(const SetosaColumns *columns, size_t i) {
  return columns != NULL && i < columns->id_count ? columns->ids[i] : NULL;
}

Status column_feature_name(Text *name, const Column *column, size_t level, Error *error) {
  Status status = SETOSA_OK;
  if (column->name != NULL)
    TRY(text_append(name, error, "%s", column->name));
  else
    TRY(text_append(name, error, "column%zu", column->number + 1));
  if (column->kind == COLUMN_CATEGORICAL) TRY(text_append(name, error, "=%s", column->levels[level]));
cleanup:
  return status;
}
