/* Which column is the label, which are weights and ids, and which may be features: from the names, the options, and what a model expects.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/table/survey.h"

/* "did you mean X? its columns are a, b, ..." */
static Status list_columns(const Table *table, const char *name, char *out, size_t size, Error *error) {
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

static size_t find_index(const Table *table, const char *text) {
  int64_t index = 0;
  if (text[0] < '0' || text[0] > '9' || !text_parse_int64(text, strlen(text), &index)) return TABLE_NONE;
  return index >= 1 && (uint64_t)index <= table->count ? (size_t)index - 1 : TABLE_NONE;
}

/* The column that an option means: a name of the header, else a 1-based index. */
static Status resolve(const Table *table, const char *option, const char *text, size_t *column, Error *error) {
  char known[600];
  *column = table_find(table, text);
  if (*column == TABLE_NONE) *column = find_index(table, text);
  if (*column != TABLE_NONE) return SETOSA_OK;
  Status status = list_columns(table, text, known, sizeof known, error);
  if (status != SETOSA_OK) return status;
  return error_set(error, SETOSA_ERROR_USAGE, "%s %s: %s has no such column; %s", option, text, table->reader->source, known);
}

/* The columns (count) of a list; free(*columns). */
static Status resolve_list(const Table *table, const char *option, const char *list, size_t **columns, size_t *count, Error *error) {
  Status status = SETOSA_OK;
  char **parts = NULL;
  *columns = NULL;
  *count = 0;
  if (list == NULL) return SETOSA_OK;
  TRY(text_split(&parts, count, list, ',', error));
  TRY(memory_allocate((void **)columns, *count, sizeof **columns, "columns", error));
  for (size_t i = 0; i < *count; i++) TRY(resolve(table, option, parts[i], &(*columns)[i], error));
cleanup:
  free(parts);
  return status;
}

static Status two_roles(const char *column, const char *one, const char *other, Error *error) {
  return error_set(error, SETOSA_ERROR_USAGE, "the column %s is both %s and %s; choose one", column, one, other);
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
      TRY(two_roles(table_plain_name(name, table, columns[i]), "--categorical", "--numeric", error));
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
  return wide ? find_index(table, id) : table_find(table, id);
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
      TRY(two_roles(table_plain_name(name, table, columns[i]), "--id", "in --features", error));
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
    TRY(list_columns(table, name, known, sizeof known, error));
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

/* How many columns a model takes its features from; 0: there is no model. */
static size_t expected_count(const DataOptions *options) {
  return options->expect_columns != NULL ? options->expect_columns->count : options->expect_features;
}

/* ---- weights and label ------------------------------------------------------------------------------------------- */

static Status no_weights(const Table *table, Error *error) {
  char known[600];
  const char *text = table->reader->options->weights;
  Status status = list_columns(table, text, known, sizeof known, error);
  if (status != SETOSA_OK) return status;
  return error_set(error, SETOSA_ERROR_USAGE, "--weights %s: %s has no such column, and there is no such file; %s", text,
                   table->reader->source, known);
}

/* --weights: a column where there is one, else a file. A model's column of weights is none of its features; whoever evaluates the model
 * weighs rows by it, too. */
static Status choose_weights(Table *table, Error *error) {
  const DataOptions *options = table->reader->options;
  const char *text = options->weights;
  table->weight = table_find(table, text != NULL ? text : options->expect_weights);
  if (text == NULL) {
    if (table->weight != TABLE_NONE && (table->columns[table->weight].dropped || table->columns[table->weight].asked))
      table->weight = TABLE_NONE;
    return SETOSA_OK;
  }
  if (table->weight == TABLE_NONE) table->weight = find_index(table, text);
  if (table->weight == TABLE_NONE) return file_exists(text) ? SETOSA_OK : no_weights(table, error);
  const TableColumn *column = &table->columns[table->weight];
  if (column->dropped) return two_roles(text, "--weights", "--drop", error);
  if (column->asked)
    return error_set(error, SETOSA_ERROR_USAGE, "the column %s is both --weights and %s; weights cannot be a feature", text,
                     options->features != NULL ? "in --features" : "a feature of the model");
  return SETOSA_OK;
}

/* Neither features nor the label come from it. */
static bool is_elsewhere(const Table *table, size_t c) {
  return table->columns[c].dropped || c == table->weight || (table->columns[c].id != TABLE_NONE && table->reader->options->label == NULL);
}

/* The first column without a name that counts rows, as pandas and R write an index. */
static bool is_index(const Table *table, const Survey *head, size_t c) {
  if (c > 0 || !table->header || head == NULL || head->rows < 2) return false;
  const ColumnSurvey *column = &head->columns[0];
  bool nameless = table->columns[0].unnamed || strcmp(table->columns[0].name, "Unnamed: 0") == 0;
  return nameless && column->counts_rows && column->missing == 0 && column->numbers == column->present;
}

/* Whole numbers of which there are few, or words that come again: what a class is. */
static bool looks_like_classes(const ColumnSurvey *column) {
  size_t levels = column->levels.names != NULL ? name_table_count(column->levels.names) : 0;
  if (column->present == 0 || column->levels.too_many) return false;
  if (column->numbers == column->present) return !column->fractions && (levels <= 20 || levels * (uint64_t)10 <= column->present);
  return 2 * (uint64_t)levels <= column->present;
}

/* A first column of words that come again before a last one of measured numbers: many tables have the class first. */
static bool has_label_first(const Table *table, const Survey *head, size_t first, size_t last) {
  if (head == NULL || first == last) return false;
  const ColumnSurvey *words = &head->columns[first], *numbers = &head->columns[last];
  return words->numbers == 0 && looks_like_classes(words) && numbers->present > 0 && numbers->numbers == numbers->present &&
         !looks_like_classes(numbers) && !table->columns[first].asked;
}

/* Where a model without names of columns, or a table without, has the label: in its old place. */
static size_t old_label(const Table *table) {
  const Columns *columns = table->reader->options->expect_columns;
  if (columns == NULL || columns->label == 0 || columns->label > table->count) return TABLE_NONE;
  size_t c = columns->label - 1;
  return is_elsewhere(table, c) || table->columns[c].asked ? TABLE_NONE : c;
}

/* The label column when --label is not given: the model's, else the last one that is nothing else and has a value. */
static Status default_label(Table *table, const Survey *head, Error *error) {
  Status status = SETOSA_OK;
  const DataOptions *options = table->reader->options;
  size_t left = 0, first = TABLE_NONE, last = TABLE_NONE, expected = expected_count(options);
  table->label = TABLE_NONE;
  if (table->header && options->expect_label != NULL) {
    table->label = table_find(table, options->expect_label);
    return SETOSA_OK;
  }
  for (size_t c = 0; c < table->count; c++) {
    if (is_elsewhere(table, c) || is_index(table, head, c)) continue;
    left++;
    if (head != NULL && head->rows > 0 && head->columns[c].present == 0) continue;
    if (first == TABLE_NONE) first = c;
    last = c;
  }
  if (last == TABLE_NONE) return SETOSA_OK;
  if (table->order == NULL && expected > 0 && left == expected) return SETOSA_OK;
  table->label = old_label(table);
  if (table->label != TABLE_NONE) return SETOSA_OK;
  if (expected == 0 && options->features == NULL && has_label_first(table, head, first, last)) {
    char name[TABLE_NAME], other[TABLE_NAME];
    TRY(remarks_add(
        table->remarks, SETOSA_REMARK_WARNING, error,
        "the label is taken to be the first column %s, which holds words: the last one, %s, holds measured numbers; --label names "
        "another",
        table_column_name(name, table, first), table_column_name(other, table, last)));
    last = first;
  }
  if (!table->columns[last].asked) table->label = last;
cleanup:
  return status;
}

static Status no_label(const Table *table, Error *error) {
  const DataOptions *options = table->reader->options;
  const char *source = table->reader->source;
  unsigned long long line = table->header ? table->header_line : 1;
  char known[600], quoted[QUOTE_SIZE];
  size_t left = 0;
  for (size_t c = 0; c < table->count; c++) left += !table->columns[c].dropped;
  if (left == 0) return error_set(error, SETOSA_ERROR_USAGE, "%s: --drop leaves no column; drop fewer columns", source);
  if (table->header && options->expect_label != NULL) {
    Status status = list_columns(table, options->expect_label, known, sizeof known, error);
    if (status != SETOSA_OK) return status;
    return error_set(error, SETOSA_ERROR_DATA, "%s:%llu: there is no label column %s; %s; name it with --label", source, line,
                     reader_quote(quoted, options->expect_label, strlen(options->expect_label)), known);
  }
  if (options->features != NULL)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "%s: the last column is the label unless --label names another, and --features takes it; "
                     "add --label, or leave it out of --features",
                     source);
  return error_set(error, SETOSA_ERROR_DATA, "%s:%llu: there is no label column beside the %zu features of the model; name it with --label",
                   source, line, options->expect_features);
}

static Status choose_label(Table *table, const Survey *head, Error *error) {
  Status status = SETOSA_OK;
  const DataOptions *options = table->reader->options;
  char name[TABLE_NAME];
  if (options->label != NULL) {
    TRY(resolve(table, "--label", options->label, &table->label, error));
    const TableColumn *column = &table->columns[table->label];
    if (column->dropped) TRY(error_set(error, SETOSA_ERROR_USAGE, "the column %s is both --label and --drop; choose one", options->label));
    if (column->asked && options->features != NULL)
      TRY(error_set(error, SETOSA_ERROR_USAGE, "the column %s is both --label and in --features; a label cannot be its own feature",
                    options->label));
  } else {
    size_t last = table->count - 1;
    while (last > 0 && (last == table->weight || table->columns[last].id != TABLE_NONE)) last--;
    if (table->columns[last].dropped && options->expect_label == NULL && !options->labels_optional)
      TRY(error_set(error, SETOSA_ERROR_USAGE, "--drop takes the last column%s%s, which is the label; name another label with --label",
                    table->header ? " " : "", table->header ? table->columns[last].name : ""));
    TRY(default_label(table, head, error));
    if (table->label == TABLE_NONE && !options->labels_optional) TRY(no_label(table, error));
  }
  if (table->label == table->weight && options->weights == NULL) table->weight = TABLE_NONE; /* what --label says goes first */
  if (table->label != TABLE_NONE && table->label == table->weight)
    TRY(two_roles(table_plain_name(name, table, table->label), "the label", "--weights", error));
cleanup:
  return status;
}

/* ---- what is left ------------------------------------------------------------------------------------------------ */

/* The columns that may be features, in their order. */
static Status choose_candidates(Table *table, const Survey *head, Error *error) {
  Status status = SETOSA_OK;
  size_t kept = 0, wanted = expected_count(table->reader->options);
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
    if (!column->asked && is_index(table, head, c)) {
      column->why = "counts rows";
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
  size_t expected = expected_count(options);
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
  TRY(choose_weights(table, error));
  TRY(choose_label(table, head, error));
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
