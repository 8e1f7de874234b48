/* What each column becomes, decided from all of its values: numbers, levels, or nothing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/number_remedy.h"
#include "data/shift.h"
#include "data/table/survey.h"

/* Words among numbers, which count as levels then. */
static bool needs_numbers_as_levels(const TableColumn *column, const ColumnSurvey *seen) {
  return !column->numeric && !seen->collects && seen->numbers > 0 && seen->numbers < seen->present && !column_is_nearly_numeric(seen);
}

/* Counts that have a gap further on identify their rows no less, but are a column like any other. */
static void check_index(Table *table) {
  size_t c = table->index;
  if (c == TABLE_NONE || column_counts_rows(&table->all->columns[c])) return;
  memmove(table->order + 1, table->order, table->order_count * sizeof *table->order);
  table->order[0] = c;
  table->order_count++;
  table->columns[c].candidate = true;
  table->columns[c].role = FIELD_NUMERIC;
  table->columns[c].why = NULL;
  table->index = TABLE_NONE;
}

/* ---- the survey of all rows -------------------------------------------------------------------------------------- */

static Status survey_all(Table *table, bool *collects, Error *error) {
  Status status = SETOSA_OK;
  bool again = false;
  for (size_t c = 0; c < table->count; c++)
    collects[c] = (table->columns[c].candidate && table->columns[c].categorical) || (table->inspects && c == table->label);
  TRY(survey_text(&table->all, table, collects, NULL, error));
  check_index(table);
  for (size_t c = 0; c < table->count; c++) {
    ColumnSurvey *seen = &table->all->columns[c];
    seen->collects = collects[c];
    if (!table->columns[c].candidate || !needs_numbers_as_levels(&table->columns[c], seen)) continue;
    collects[c] = again = true;
  }
  if (!again) goto cleanup;
  survey_destroy(table->all);
  table->all = NULL;
  TRY(survey_text(&table->all, table, collects, NULL, error));
cleanup:
  return status;
}

/* ---- one column -------------------------------------------------------------------------------------------------- */

static Status leave_out(Table *table, size_t c, const char *why, Error *error) {
  TableColumn *column = &table->columns[c];
  const ColumnSurvey *seen = &table->all->columns[c];
  char name[TABLE_NAME], room[NUMBER_REMEDY];
  const char *word = seen->first_word.text, *remedy = NULL; /* in quotes */
  Text option = {0};
  Status status = SETOSA_OK;
  column->role = FIELD_SKIP;
  column->candidate = false;
  column->why = why;
  TRY(table_append_option_name(&option, table, c, error));
  table_column_name(name, table, c);
  if (seen->present == 0)
    TRY(remarks_add(table->remarks, SETOSA_REMARK_WARNING, error, "the column %s has no value and is left out", name));
  else if (seen->levels.too_many)
    TRY(remarks_add(table->remarks, SETOSA_REMARK_WARNING, error,
                    "the column %s is left out: it has more different texts than are kept (%d, or %d MB of them); --drop %s says the "
                    "same without a warning",
                    name, LEVELS_MOST, LEVELS_MEGABYTES, option.text));
  else if ((remedy = number_remedy(room, word + 1, strlen(word) - 2)) != NULL)
    TRY(remarks_add(table->remarks, SETOSA_REMARK_WARNING, error, "the column %s is left out: its values, as %s, are no numbers: %s", name,
                    word, remedy));
  else
    TRY(remarks_add(table->remarks, SETOSA_REMARK_WARNING, error,
                    "the column %s is left out: it identifies rows (%zu different texts in %llu rows); --categorical %s uses it, --drop %s "
                    "leaves it out without a warning",
                    name, levels_count(&seen->levels), (unsigned long long)seen->present, option.text, option.text));
cleanup:
  text_free(&option);
  return status;
}

/* A named column that counts rows is a feature like any other, and seldom meant to be one. */
static Status warn_of_count(Table *table, size_t c, Error *error) {
  Status status = SETOSA_OK;
  const ColumnSurvey *seen = &table->all->columns[c];
  Text option = {0};
  char name[TABLE_NAME];
  if (!column_counts_rows(seen) || seen->numbers < 10 || table->columns[c].asked || table->columns[c].numeric) return SETOSA_OK;
  TRY(table_append_option_name(&option, table, c, error));
  TRY(remarks_add(table->remarks, SETOSA_REMARK_WARNING, error,
                  "the column %s counts rows, and is used as a feature; --drop %s leaves it out", table_column_name(name, table, c),
                  option.text));
cleanup:
  text_free(&option);
  return status;
}

/* Names that may be meant as numbers: with commas, or beside numbers. */
static Status warn_of_numbers(Table *table, size_t c, Error *error) {
  Status status = SETOSA_OK;
  const ColumnSurvey *seen = &table->all->columns[c];
  Text option = {0};
  char name[TABLE_NAME], room[NUMBER_REMEDY];
  const char *word = seen->first_word.text; /* in quotes */
  size_t length = strlen(word);
  const char *remedy = length > 2 ? number_remedy(room, word + 1, length - 2) : NULL;
  if (table->columns[c].categorical) return SETOSA_OK;
  TRY(table_append_option_name(&option, table, c, error));
  table_column_name(name, table, c);
  if (remedy != NULL)
    TRY(remarks_add(table->remarks, SETOSA_REMARK_WARNING, error, "the values of the column %s, as %s, are taken for names: %s", name, word,
                    remedy));
  else if (seen->numbers > 0)
    TRY(remarks_add(table->remarks, SETOSA_REMARK_WARNING, error,
                    "the column %s holds numbers and words, the first %s in line %llu: all are taken for names; --categorical %s says so, "
                    "--numeric %s wants numbers",
                    name, word, (unsigned long long)seen->first_word.line, option.text, option.text));
cleanup:
  text_free(&option);
  return status;
}

static Status decide_column(Table *table, size_t c, Error *error) {
  Status status = SETOSA_OK;
  TableColumn *column = &table->columns[c];
  const ColumnSurvey *seen = &table->all->columns[c];
  if (seen->present == 0) return leave_out(table, c, "no value", error);
  if (column->categorical) {
    column->role = FIELD_CATEGORICAL;
    column->in_the_way = column->too_many = seen->levels.too_many;
  } else if (seen->numbers == seen->present) {
    column->role = FIELD_NUMERIC;
  } else if (column->numeric || column_is_nearly_numeric(seen)) {
    column->in_the_way = true;
    column->why = "not all numbers";
  } else if (!column->asked && (seen->levels.too_many || 2 * (uint64_t)levels_count(&seen->levels) > seen->present)) {
    TRY(leave_out(table, c, "identifies rows", error));
  } else if (seen->levels.too_many) {
    column->in_the_way = column->too_many = true;
  } else {
    column->role = FIELD_CATEGORICAL;
    TRY(warn_of_numbers(table, c, error));
  }
cleanup:
  return status;
}

/* ---- classes in several columns ---------------------------------------------------------------------------------- */

static bool is_zero_or_one(const ColumnSurvey *seen) {
  return seen->numbers > 0 && seen->missing == 0 && seen->numbers == seen->present && !seen->fractions && seen->moments.least == 0 &&
         seen->moments.most == 1;
}

/* Neighbours of the label that, with it, are 0 and 1 and add up to 1 in the mean are classes written one-hot: each says what the label is.
 */
static Status warn_of_one_hot(Table *table, Error *error) {
  enum { LONGEST = 200 };
  const ColumnSurvey *seen = table->all->columns;
  size_t label = table->label, least = label, end = label;
  char first[TABLE_NAME], last[TABLE_NAME], name[TABLE_NAME];
  if (label == TABLE_NONE || !is_zero_or_one(&seen[label])) return SETOSA_OK;
  while (least > 0 && label - least < LONGEST && is_zero_or_one(&seen[least - 1])) least--;
  while (end + 1 < table->count && end - label < LONGEST && is_zero_or_one(&seen[end + 1])) end++;
  for (size_t begin = least; begin <= label; begin++) {
    double sum = 0;
    for (size_t c = begin; c <= end; c++) {
      sum += seen[c].moments.mean;
      if (c < label || c - begin < 2 || fabs(sum - 1) > 1e-9) continue;
      return remarks_add(
          table->remarks, SETOSA_REMARK_WARNING, error,
          "the columns %s to %s look like classes written as one column each; the label is %s alone, and the others would tell "
          "it: make one column of their names, or --drop the others",
          table_column_name(first, table, begin), table_column_name(last, table, c), table_column_name(name, table, label));
    }
  }
  return SETOSA_OK;
}

Status table_remark_columns(Table *table, Error *error) {
  Status status = SETOSA_OK;
  TRY(warn_of_one_hot(table, error));
  for (size_t i = 0; i < table->order_count; i++)
    if (table->columns[table->order[i]].role == FIELD_NUMERIC) TRY(warn_of_count(table, table->order[i], error));
cleanup:
  return status;
}

/* ---- the rows that are used -------------------------------------------------------------------------------------- */

/* Surveys once more where rows are left out: what occurs in those alone is no level, and no part of a mean. */
static Status survey_kept(Table *table, bool *collects, Error *error) {
  Status status = SETOSA_OK;
  bool *used = NULL, any = false;
  SetosaMissing missing = table->reader->options->missing;
  TRY(memory_allocate_zero((void **)&used, table->count, sizeof *used, "columns", error));
  for (size_t c = 0; c < table->count; c++) {
    const TableColumn *column = &table->columns[c];
    bool feature = table_column_is_feature(column);
    used[c] = (feature && missing == SETOSA_MISSING_DROP) || column->role == FIELD_LABEL || column->role == FIELD_WEIGHT;
    any = any || (used[c] && table->all->columns[c].missing > 0);
    collects[c] = column->role == FIELD_CATEGORICAL || (table->inspects && c == table->label);
  }
  table->kept = table->all;
  if (!any) goto cleanup;
  table->kept = NULL;
  TRY(survey_text(&table->kept, table, collects, used, error));
cleanup:
  free(used);
  return status;
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static Status sort_levels(TableColumn *column, const ColumnSurvey *seen, Error *error) {
  Status status = SETOSA_OK;
  size_t count = levels_count(&seen->levels), index = 0;
  const char **names = NULL;
  TRY(memory_allocate((void **)&names, count, sizeof *names, "levels", error));
  for (size_t i = 0; i < count; i++) names[i] = name_table_name(seen->levels.names, i);
  if (count > 1) qsort(names, count, sizeof *names, by_bytes);
  TRY(name_table_create(&column->levels, error));
  for (size_t i = 0; i < count; i++) TRY(name_table_add(column->levels, names[i], strlen(names[i]), &index, error));
cleanup:
  free(names);
  return status;
}

/* Levels are names of features, which a model file keeps. */
static Status refuse_other_encodings(const Place *place, const Table *table, size_t c, Error *error) {
  char name[TABLE_NAME], column[TABLE_NAME + 16] = "";
  if (place->file == NULL) return SETOSA_OK;
  if (table->header) snprintf(column, sizeof column, " (column %s)", table_column_name(name, table, c));
  return error_set(error, SETOSA_ERROR_DATA, "%s:%llu:%zu: %s is not UTF-8 text%s; convert the file (iconv -f LATIN1 -t UTF-8)",
                   place->file, (unsigned long long)place->line, c + 1, place->text, column);
}

Status table_number_features(Table *table, Error *error) {
  Status status = SETOSA_OK;
  bool unshifted = table->reader->options->unshifted;
  size_t kept = 0;
  for (size_t i = 0; i < table->order_count; i++) {
    size_t c = table->order[i];
    TableColumn *column = &table->columns[c];
    const ColumnSurvey *seen = &table->kept->columns[c];
    if (!column->candidate) continue;
    column->feature = table->features;
    if (column->role == FIELD_CATEGORICAL) {
      TRY(refuse_other_encodings(&seen->not_utf8, table, c, error));
      TRY(sort_levels(column, seen, error));
      table->features += name_table_count(column->levels);
    } else {
      column->fill = seen->moments.mean;
      column->shift =
          unshifted ? 0 : shift_choose(seen->moments.mean, moments_deviation(&seen->moments), seen->moments.least, seen->moments.most);
      table->features++;
    }
    table->order[kept++] = c;
  }
  table->order_count = kept;
cleanup:
  return status;
}

Status table_find_kinds(Table *table, Error *error) {
  Status status = SETOSA_OK;
  bool *collects = NULL;
  TRY(memory_allocate_zero((void **)&collects, table->count, sizeof *collects, "columns", error));
  TRY(survey_all(table, collects, error));
  if (table->all->rows == 0)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s:%llu: the header is not followed by any row; give a file with rows of data",
                  table->reader->source, (unsigned long long)table->header_line));
  for (size_t i = 0; i < table->order_count; i++) TRY(decide_column(table, table->order[i], error));
  TRY(table_refuse_columns(table, error));
  TRY(table_refuse_missing(table, error));
  TRY(survey_kept(table, collects, error));
  TRY(table_remark_columns(table, error));
  TRY(table_number_features(table, error));
  TRY(table_check_enough(table, error));
cleanup:
  free(collects);
  return status;
}
