/* Which columns are carried along and which may be features: from the names, the options, and what a model expects. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/table/roles.h"

/* The columns (count) of a list; free(*columns). */
static Status resolve_list(const Table *table, const char *option, const char *list, size_t **columns, size_t *count, Error *error) {
  Status status = SETOSA_OK;
  char **parts = NULL;
  *columns = NULL;
  *count = 0;
  if (list == NULL) return SETOSA_OK;
  TRY(text_split(&parts, count, list, ',', error));
  TRY(memory_allocate((void **)columns, *count, sizeof **columns, "columns", error));
  for (size_t i = 0; i < *count; i++) TRY(table_resolve(table, option, parts[i], &(*columns)[i], error));
cleanup:
  free(parts);
  return status;
}

/* ---- what the options say ---------------------------------------------------------------------------------------- */

static Status take_drop(Table *table, Error *error) {
  Status status = SETOSA_OK;
  size_t *columns = NULL, count = 0;
  TRY(resolve_list(table, "--drop", table->reader->options->drop, &columns, &count, error));
  for (size_t i = 0; i < count; i++) table->columns[columns[i]].dropped = true;
cleanup:
  free(columns);
  return status;
}

static Status take_features(Table *table, Error *error) {
  Status status = SETOSA_OK;
  size_t *columns = NULL, count = 0;
  char name[TABLE_NAME];
  TRY(resolve_list(table, "--features", table->reader->options->features, &columns, &count, error));
  if (columns == NULL) goto cleanup;
  TRY(memory_allocate((void **)&table->order, table->count, sizeof *table->order, "columns", error));
  for (size_t i = 0; i < count; i++) {
    if (table->columns[columns[i]].asked)
      TRY(error_set(error, SETOSA_ERROR_USAGE, "--features names the column %s twice; name it once",
                    table_plain_name(name, table, columns[i])));
    table->columns[columns[i]].asked = true;
    table->order[table->order_count++] = columns[i];
  }
cleanup:
  free(columns);
  return status;
}

static Status take_kinds(Table *table, Error *error) {
  Status status = SETOSA_OK;
  char name[TABLE_NAME];
  size_t *columns = NULL, count = 0;
  TRY(resolve_list(table, "--categorical", table->reader->options->categorical, &columns, &count, error));
  for (size_t i = 0; i < count; i++) table->columns[columns[i]].categorical = true;
  free(columns);
  columns = NULL;
  TRY(resolve_list(table, "--numeric", table->reader->options->numeric, &columns, &count, error));
  for (size_t i = 0; i < count; i++) {
    if (table->columns[columns[i]].categorical)
      TRY(table_two_roles(table_plain_name(name, table, columns[i]), "--categorical", "--numeric", error));
    table->columns[columns[i]].numeric = true;
  }
cleanup:
  free(columns);
  return status;
}

static Status add_id(Table *table, size_t column, Error *error) {
  Status status = SETOSA_OK;
  if (table->columns[column].id != TABLE_NONE) return SETOSA_OK;
  if (table->ids == NULL) TRY(memory_allocate((void **)&table->ids, table->count, sizeof *table->ids, "columns", error));
  table->columns[column].id = table->id_count;
  table->ids[table->id_count++] = column;
cleanup:
  return status;
}

/* The column of an id of the model: by its name; where there are no names, in its old place, if the table is as wide as that was. */
static size_t find_old_id(const Table *table, const Columns *expected, const char *id) {
  bool wide = !table->header;
  for (size_t i = 0; wide && i < expected->count; i++) wide = expected->columns[i].number < table->count;
  return wide ? table_find_number(table, id) : table_find(table, id);
}

/* --id, or those of the model that are there. */
static Status take_ids(Table *table, Error *error) {
  Status status = SETOSA_OK;
  const DataOptions *options = table->reader->options;
  const Columns *expected = options->expect_columns;
  size_t *columns = NULL, count = 0;
  char name[TABLE_NAME];
  TRY(resolve_list(table, "--id", options->id, &columns, &count, error));
  for (size_t i = 0; i < count; i++) {
    if (options->features != NULL && expected == NULL && table->columns[columns[i]].asked)
      TRY(table_two_roles(table_plain_name(name, table, columns[i]), "--id", "in --features", error));
    TRY(add_id(table, columns[i], error));
  }
  for (size_t i = 0; options->id == NULL && expected != NULL && i < expected->id_count; i++) {
    size_t column = find_old_id(table, expected, expected->ids[i]);
    if (column != TABLE_NONE) TRY(add_id(table, column, error));
  }
cleanup:
  free(columns);
  return status;
}

/* ---- what a model expects ---------------------------------------------------------------------------------------- */

static Status expect_name(Table *table, const NameTable *names, const char *name, Error *error) {
  Status status = SETOSA_OK;
  char known[600], quoted[QUOTE_SIZE];
  size_t column = 0;
  if (!name_table_find(names, name, strlen(name), &column)) {
    TRY(table_list_columns(table, name, known, sizeof known, error));
    return error_set(error, SETOSA_ERROR_DATA, "%s:%llu: the model needs a column %s; %s; rename it, or choose columns with --features",
                     table->head.file, (unsigned long long)table->header_line, reader_quote(quoted, name, strlen(name)), known);
  }
  if (table->columns[column].dropped) return error_set(error, SETOSA_ERROR_USAGE, "--drop %s: the model needs this column; keep it", name);
  table->columns[column].asked = true;
  table->order[table->order_count++] = column;
cleanup:
  return status;
}

/* A model with names of columns and a table with a header meet by name. */
static Status take_expected_names(Table *table, Error *error) {
  Status status = SETOSA_OK;
  const DataOptions *options = table->reader->options;
  const Columns *columns = options->expect_columns;
  NameTable *names = NULL;
  bool named = columns != NULL ? columns->count > 0 && columns->columns[0].name != NULL : options->expect_feature_names != NULL;
  if (!table->header || !named || options->features != NULL) return SETOSA_OK;
  size_t count = columns != NULL ? columns->count : options->expect_features;
  TRY(name_table_create(&names, error));
  for (size_t c = 0, index; c < table->count; c++)
    TRY(name_table_add(names, table->columns[c].name, strlen(table->columns[c].name), &index, error));
  TRY(memory_allocate((void **)&table->order, count > table->count ? count : table->count, sizeof *table->order, "columns", error));
  for (size_t i = 0; i < count; i++)
    TRY(expect_name(table, names, columns != NULL ? columns->columns[i].name : options->expect_feature_names[i], error));
cleanup:
  name_table_destroy(names);
  return status;
}

/* ---- what is left ------------------------------------------------------------------------------------------------ */

/* The columns that may be features, in their order. */
static Status choose_candidates(Table *table, const Survey *head, Error *error) {
  Status status = SETOSA_OK;
  size_t kept = 0, wanted = table_expected_count(table->reader->options);
  bool by_name = table->order != NULL;
  if (!by_name) {
    TRY(memory_allocate((void **)&table->order, table->count, sizeof *table->order, "columns", error));
    for (size_t c = 0; c < table->count; c++) table->order[table->order_count++] = c;
  }
  for (size_t i = 0; i < table->order_count; i++) {
    size_t c = table->order[i];
    TableColumn *column = &table->columns[c];
    if (column->dropped || c == table->label || c == table->weight) continue;
    if (column->id != TABLE_NONE && !(wanted > 0 && column->asked)) continue; /* a model's feature may be carried along, too */
    if (!column->asked && table_is_index(table, head, c)) {
      column->why = "counts rows";
      table->index = c;
      continue;
    }
    column->candidate = true;
    table->order[kept++] = c;
  }
  table->order_count = kept;
cleanup:
  return status;
}

static int by_number(const void *a, const void *b) {
  size_t left = (*(const Column *const *)a)->number, right = (*(const Column *const *)b)->number;
  return left < right ? -1 : left > right;
}

/* As many columns as the model has: the first of them in the old table is the first in this one, wherever --features had it. */
static Status keep_order(Table *table, const Columns *columns, Error *error) {
  Status status = SETOSA_OK;
  const Column **sorted = NULL;
  size_t *order = NULL;
  TRY(memory_allocate((void **)&sorted, columns->count, sizeof *sorted, "columns", error));
  TRY(memory_allocate((void **)&order, columns->count, sizeof *order, "columns", error));
  for (size_t i = 0; i < columns->count; i++) sorted[i] = &columns->columns[i];
  qsort(sorted, columns->count, sizeof *sorted, by_number);
  for (size_t i = 0; i < columns->count; i++) order[sorted[i] - columns->columns] = table->order[i];
  memcpy(table->order, order, columns->count * sizeof *order);
cleanup:
  free(sorted);
  free(order);
  return status;
}

/* A model's columns where there are no names to meet by: in their order, or else each at its old place. */
static Status meet_by_position(Table *table, bool chosen, Error *error) {
  const DataOptions *options = table->reader->options;
  const Columns *columns = options->expect_columns;
  size_t expected = table_expected_count(options);
  bool same_places = columns != NULL && !chosen && columns->count > 0;
  for (size_t i = 0; same_places && i < columns->count; i++) {
    size_t c = columns->columns[i].number;
    same_places = c < table->count && table->columns[c].candidate;
  }
  if (expected == 0 || (table->order_count == expected && (columns == NULL || chosen))) return SETOSA_OK;
  if (table->order_count == expected) return keep_order(table, columns, error);
  if (!same_places)
    return error_set(error, SETOSA_ERROR_DATA, "%s:%llu: %zu feature columns, but the model has %zu; choose them with --features",
                     table->reader->source, (unsigned long long)(table->header ? table->header_line : 1), table->order_count, expected);
  for (size_t c = 0; c < table->count; c++) table->columns[c].candidate = false;
  for (size_t i = 0; i < columns->count; i++) {
    table->order[i] = columns->columns[i].number;
    table->columns[table->order[i]].candidate = true;
  }
  table->order_count = columns->count;
  return SETOSA_OK;
}

static Status check_any_left(const Table *table, Error *error) {
  const DataOptions *options = table->reader->options;
  if (table->order_count > 0) return SETOSA_OK;
  if (options->features != NULL || options->drop != NULL)
    return error_set(error, SETOSA_ERROR_USAGE, "%s: no feature column is left; drop fewer columns", table->reader->source);
  if (options->id != NULL || options->weights != NULL)
    return error_set(error, SETOSA_ERROR_USAGE, "%s: no feature column is left beside the label and what --id and --weights name",
                     table->reader->source);
  return error_set(error, SETOSA_ERROR_DATA,
                   "%s:%llu: only one column was found; features and a label separated by commas, tabs, ;, | or blanks are needed, and "
                   "--separator says what is between them",
                   table->reader->source, (unsigned long long)(table->header ? table->header_line : 1));
}

Status table_find_roles(Table *table, const Survey *head, Error *error) {
  Status status = SETOSA_OK;
  TRY(take_drop(table, error));
  TRY(take_features(table, error));
  TRY(take_expected_names(table, error));
  bool chosen = table->order != NULL; /* by name or number */
  TRY(take_kinds(table, error));
  TRY(take_ids(table, error));
  TRY(table_choose_weights(table, error));
  TRY(table_choose_label(table, head, error));
  TRY(choose_candidates(table, head, error));
  TRY(check_any_left(table, error));
  TRY(meet_by_position(table, chosen, error));
  for (size_t i = 0; i < table->order_count; i++) table->columns[table->order[i]].role = FIELD_NUMERIC; /* until its kind is known */
  if (table->label != TABLE_NONE) table->columns[table->label].role = FIELD_LABEL;
  bool weighs = table->reader->options->weights != NULL || !table->reader->options->labels_optional; /* a prediction needs no weights */
  if (table->weight != TABLE_NONE && weighs) table->columns[table->weight].role = FIELD_WEIGHT;
cleanup:
  return status;
}
