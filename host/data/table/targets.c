/* Which column is the label, and which holds weights. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/table/roles.h"

static Status no_weights(const Table *table, Error *error) {
  char known[600];
  const char *text = table->reader->options->weights;
  Status status = table_list_columns(table, text, known, sizeof known, error);
  if (status != SETOSA_OK) return status;
  return error_set(error, SETOSA_ERROR_USAGE, "--weights %s: %s has no such column, and there is no such file; %s", text,
                   table->reader->source, known);
}

Status table_choose_weights(Table *table, Error *error) {
  const DataOptions *options = table->reader->options;
  const char *text = options->weights;
  table->weight = table_find(table, text != NULL ? text : options->expect_weights);
  if (text == NULL) {
    if (table->weight != TABLE_NONE && (table->columns[table->weight].dropped || table->columns[table->weight].asked))
      table->weight = TABLE_NONE;
    return SETOSA_OK;
  }
  if (table->weight == TABLE_NONE) table->weight = table_find_number(table, text);
  if (table->weight == TABLE_NONE) return file_exists(text) ? SETOSA_OK : no_weights(table, error);
  const TableColumn *column = &table->columns[table->weight];
  if (column->dropped) return table_two_roles(text, "--weights", "--drop", error);
  if (column->asked)
    return error_set(error, SETOSA_ERROR_USAGE, "the column %s is both --weights and %s; weights cannot be a feature", text,
                     options->features != NULL ? "in --features" : "a feature of the model");
  return SETOSA_OK;
}

/* Neither features nor the label come from it. */
static bool is_elsewhere(const Table *table, size_t c) {
  return table->columns[c].dropped || c == table->weight || (table->columns[c].id != TABLE_NONE && table->reader->options->label == NULL);
}

bool table_is_index(const Table *table, const Survey *head, size_t c) {
  if (c > 0 || !table->header || head == NULL || head->rows < 2) return false;
  const ColumnSurvey *column = &head->columns[0];
  bool nameless = table->columns[0].unnamed || strcmp(table->columns[0].name, "Unnamed: 0") == 0;
  return nameless && column_counts_rows(column);
}

/* Whole numbers of which there are few, or words that come again: what a class is. */
static bool looks_like_classes(const ColumnSurvey *column) {
  size_t levels = levels_count(&column->levels);
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
  size_t left = 0, first = TABLE_NONE, last = TABLE_NONE, expected = table_expected_count(options);
  table->label = TABLE_NONE;
  if (table->header && options->expect_label != NULL) {
    table->label = table_find(table, options->expect_label);
    return SETOSA_OK;
  }
  for (size_t c = 0; c < table->count; c++) {
    if (is_elsewhere(table, c) || table_is_index(table, head, c)) continue;
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
    Status status = table_list_columns(table, options->expect_label, known, sizeof known, error);
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

Status table_choose_label(Table *table, const Survey *head, Error *error) {
  Status status = SETOSA_OK;
  const DataOptions *options = table->reader->options;
  char name[TABLE_NAME];
  if (options->label != NULL) {
    TRY(table_resolve(table, "--label", options->label, &table->label, error));
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
    TRY(table_two_roles(table_plain_name(name, table, table->label), "the label", "--weights", error));
cleanup:
  return status;
}
