/* Remarks on rows that lack a value, on levels that are new, and on numbers that will hurt. */
#include "data/table/tell.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/shift_remark.h"

static int by_most(const void *a, const void *b) {
  const uint64_t *left = *(const uint64_t *const *)a, *right = *(const uint64_t *const *)b;
  if (*left != *right) return *left < *right ? 1 : -1;
  return left > right ? 1 : -1; /* as they stand in the table */
}

/* "Age 177, Fare 1" of what is not 0, the most first, five at most. */
Status table_list_counts(Text *list, const Table *table, const uint64_t *counts, Error *error) {
  enum { LISTED = 5 };
  Status status = SETOSA_OK;
  const uint64_t **order = NULL;
  char name[TABLE_NAME];
  size_t found = 0;
  TRY(memory_allocate((void **)&order, table->count, sizeof *order, "columns", error));
  for (size_t c = 0; c < table->count; c++)
    if (counts[c] > 0) order[found++] = &counts[c];
  if (found > 1) qsort(order, found, sizeof *order, by_most);
  for (size_t i = 0; i < found && i < LISTED; i++)
    TRY(text_append(list, error, "%s%s %llu", i > 0 ? ", " : "", table_column_name(name, table, (size_t)(order[i] - counts)),
                    (unsigned long long)*order[i]));
  if (found > LISTED) TRY(text_append(list, error, ", ... (%zu columns in all)", found));
cleanup:
  free(order);
  return status;
}

/* Rows that were left out, and what they lack; what --missing mean fills in is no reason. */
static Status remark_left_out(const Encoded *encoded, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  Text list = {0};
  uint64_t *reasons = NULL;
  bool fills = table->missing == SETOSA_MISSING_MEAN, helps = false, predicts = table->reader->options->labels_optional;
  bool one = encoded->left_out.count == 1;
  TRY(memory_allocate_zero((void **)&reasons, table->count, sizeof *reasons, "columns", error));
  for (size_t c = 0; c < table->count; c++) {
    if (!fills || !table_column_is_feature(&table->columns[c])) reasons[c] = encoded->missing[c];
    helps = helps || (!fills && table_column_is_feature(&table->columns[c]) && encoded->missing[c] > 0);
  }
  TRY(table_list_counts(&list, table, reasons, error));
  const char *becomes = predicts ? one ? "gets no prediction, since it lacks" : "get no prediction, since they lack"
                        : one    ? "is left out, since it lacks"
                                 : "are left out, since they lack";
  TRY(remarks_add(table->remarks, SETOSA_REMARK_WARNING, error, "%s: %llu of %llu rows %s a value: %s%s", table->reader->source,
                  (unsigned long long)encoded->left_out.count, (unsigned long long)encoded->records, becomes,
                  list.length > 0 ? list.text : "",
                  !helps ? ""
                  : one  ? "; --missing mean keeps it"
                         : "; --missing mean keeps them"));
cleanup:
  free(reasons);
  text_free(&list);
  return status;
}

static Status remark_filled_in(const Encoded *encoded, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  Text list = {0};
  TRY(table_list_counts(&list, table, encoded->missing, error));
  if (list.length > 0)
    TRY(remarks_add(table->remarks, SETOSA_REMARK_DETAIL, error, "%s: values that are missing were filled in: %s", table->reader->source,
                    list.text));
cleanup:
  text_free(&list);
  return status;
}

Status table_remark_missing(const Encoded *encoded, const Table *table, Error *error) {
  return encoded->left_out.count > 0 ? remark_left_out(encoded, table, error) : remark_filled_in(encoded, table, error);
}

Status table_remark_unseen(const Encoded *encoded, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  Text list = {0};
  size_t first = 0;
  TRY(table_list_counts(&list, table, encoded->unseen, error));
  if (list.length == 0) goto cleanup;
  while (encoded->unseen[first] == 0) first++;
  const Place *place = &encoded->first_unseen[first];
  TRY(remarks_add(
      table->remarks, SETOSA_REMARK_WARNING, error,
      "%s: values that the training rows did not have count as none of the levels: %s (the first is %s in line %llu); --unseen error "
      "stops there",
      table->reader->source, list.text, place->text, (unsigned long long)place->line));
cleanup:
  text_free(&list);
  return status;
}

Status table_remark_sparse(const Table *table, Error *error) {
  if (!table->sparse) return SETOSA_OK;
  return remarks_add(table->remarks, SETOSA_REMARK_DETAIL, error, "%s: %zu features of which a row has %zu at most: kept as sparse rows",
                     table->reader->source, table->features, table->order_count);
}

/* Of columns that were looked at: for a model they are as they are. */
Status table_remark_numbers(Dataset *dataset, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  Moments *moments = NULL; /* (D) zero where a feature is a level */
  if (table->kept == NULL) return SETOSA_OK;
  TRY(memory_allocate_zero((void **)&moments, table->features, sizeof *moments, "column statistics", error));
  for (size_t i = 0; i < table->order_count; i++) {
    const TableColumn *column = &table->columns[table->order[i]];
    if (column->role == FIELD_NUMERIC) moments[column->feature] = table->kept->columns[table->order[i]].moments;
  }
  TRY(shift_remark(dataset, moments, error));
cleanup:
  free(moments);
  return status;
}
