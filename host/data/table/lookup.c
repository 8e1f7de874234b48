/* Columns as options and messages name them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/table/roles.h"

Status table_list_columns(const Table *table, const char *name, char *out, size_t size, Error *error) {
  Status status = SETOSA_OK;
  const char **names = NULL;
  char list[400], quoted[QUOTE_SIZE], hint[QUOTE_SIZE + 32] = "";
  if (!table->header) {
    snprintf(out, size, "it has columns 1 to %zu", table->count);
    return SETOSA_OK;
  }
  TRY(memory_allocate((void **)&names, table->count, sizeof *names, "names of columns", error));
  for (size_t c = 0; c < table->count; c++) names[c] = table->columns[c].name;
  const char *nearest = text_nearest(name, names, table->count);
  if (nearest != NULL) snprintf(hint, sizeof hint, "did you mean %s? ", reader_quote(quoted, nearest, strlen(nearest)));
  reader_list_names(list, sizeof list, names, table->count);
  snprintf(out, size, "%sits columns are %s", hint, list);
cleanup:
  free(names);
  return status;
}

size_t table_find_number(const Table *table, const char *text) {
  int64_t index = 0;
  if (text[0] < '0' || text[0] > '9' || !text_parse_int64(text, strlen(text), &index)) return TABLE_NONE;
  return index >= 1 && (uint64_t)index <= table->count ? (size_t)index - 1 : TABLE_NONE;
}

Status table_resolve(const Table *table, const char *option, const char *text, size_t *column, Error *error) {
  char known[600];
  *column = table_find(table, text);
  if (*column == TABLE_NONE) *column = table_find_number(table, text);
  if (*column != TABLE_NONE) return SETOSA_OK;
  Status status = table_list_columns(table, text, known, sizeof known, error);
  if (status != SETOSA_OK) return status;
  return error_set(error, SETOSA_ERROR_USAGE, "%s %s: %s has no such column; %s", option, text, table->reader->source, known);
}

Status table_two_roles(const char *column, const char *one, const char *other, Error *error) {
  return error_set(error, SETOSA_ERROR_USAGE, "the column %s is both %s and %s; choose one", column, one, other);
}

size_t table_expected_count(const DataOptions *options) {
  return options->expect_columns != NULL ? options->expect_columns->count : options->expect_features;
}
