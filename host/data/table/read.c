/* THE reader of tables: the head says what the columns are called, a survey of all rows what they are, and a second pass makes rows of
 * them. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/shift_remark.h"
#include "data/table/survey.h"
#include "data/table/tell.h"

Status table_open(Table *table, Reader *reader, Remarks *remarks, Error *error) {
  Status status = SETOSA_OK;
  Survey *head = NULL;
  Error ignored = {0};
  *table = (Table){.reader = reader, .remarks = remarks, .label = TABLE_NONE, .weight = TABLE_NONE, .index = TABLE_NONE};
  table->missing = reader->options->missing;
  table->unseen = reader->options->unseen;
  TRY(missing_words_take(&table->missing_words, reader->options->na, error));
  TRY(table_text_open(&table->text, reader, error));
  TRY(table_text_head(table->text, &table->head, error));
  TRY(table_find_dialect(table, error));
  TRY(table_find_header(table, error));
  status = survey_head(&head, table, &ignored); /* what is wrong with it the next pass says again */
  if (status != SETOSA_OK && status != SETOSA_ERROR_DATA) TRY(error_set(error, status, "%s", ignored.message));
  TRY(table_find_roles(table, head, error));
  table->head_survey = head;
  head = NULL;
cleanup:
  survey_destroy(head);
  return status;
}

void table_close(Table *table) {
  table_text_close(table->text);
  missing_words_free(&table->missing_words);
  for (size_t c = 0; table->columns != NULL && c < table->count; c++) {
    free(table->columns[c].name);
    name_table_destroy(table->columns[c].levels);
  }
  free(table->columns);
  free(table->order);
  free(table->ids);
  survey_destroy(table->head_survey);
  if (table->kept != table->all) survey_destroy(table->kept);
  survey_destroy(table->all);
  *table = (Table){0};
}

/* ---- what the data set keeps ------------------------------------------------------------------------------------- */

static Status describe_column(Column *out, const Table *table, size_t c, Error *error) {
  Status status = SETOSA_OK;
  const TableColumn *column = &table->columns[c];
  out->number = c;
  out->kind = column->role == FIELD_CATEGORICAL ? COLUMN_CATEGORICAL : COLUMN_NUMERIC;
  out->shift = column->shift;
  out->mean = column->fill;
  if (column->name != NULL) TRY(memory_copy_text(&out->name, column->name, error));
  if (column->levels == NULL) goto cleanup;
  size_t count = name_table_count(column->levels);
  TRY(memory_allocate_zero((void **)&out->levels, count > 0 ? count : 1, sizeof *out->levels, "levels", error));
  for (; out->level_count < count; out->level_count++)
    TRY(memory_copy_text(&out->levels[out->level_count], name_table_name(column->levels, out->level_count), error));
cleanup:
  return status;
}

/* How the table was read, for other tables to be read alike. */
static Status describe(Columns **out, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  const DataOptions *options = table->reader->options;
  Columns *columns = NULL;
  *out = NULL;
  TRY(columns_create(&columns, table->order_count, error));
  for (size_t i = 0; i < table->order_count; i++) TRY(describe_column(&columns->columns[i], table, table->order[i], error));
  TRY(memory_allocate_zero((void **)&columns->ids, table->id_count + 1, sizeof *columns->ids, "columns", error));
  for (size_t i = 0; i < table->id_count; i++) {
    Text name = {0};
    const char *given = table->columns[table->ids[i]].name;
    status = given != NULL ? text_append(&name, error, "%s", given) : text_append(&name, error, "%zu", table->ids[i] + 1);
    columns->ids[i] = name.text;
    TRY(status);
    columns->id_count++;
  }
  if (table->label != TABLE_NONE) columns->label = table->label + 1;
  columns->missing = table->missing;
  columns->unseen = table->unseen;
  TRY(memory_copy_text(&columns->na, options->na, error));
  TRY(memory_copy_text(&columns->separator, options->separator, error));
  TRY(memory_copy_text(&columns->decimal, options->decimal, error));
  *out = columns;
  columns = NULL;
cleanup:
  columns_release(columns);
  return status;
}

static Status keep_columns(Dataset *dataset, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  bool shifted = false, categorical = false;
  if (table->reader->options->expect_columns != NULL)
    dataset->columns = columns_share(table->reader->options->expect_columns);
  else
    TRY(describe(&dataset->columns, table, error));
  for (size_t i = 0; i < table->order_count; i++) {
    shifted = shifted || table->columns[table->order[i]].shift != 0;
    categorical = categorical || table->columns[table->order[i]].role == FIELD_CATEGORICAL;
  }
  if (table->header || categorical) {
    TRY(memory_allocate_zero((void **)&dataset->feature_names, table->features, sizeof *dataset->feature_names, "names of features",
                             error));
    for (size_t c = 0, d = 0; c < dataset->columns->count; c++)
      for (size_t l = 0; d < table->features && l < column_features(&dataset->columns->columns[c]); l++, d++) {
        Text name = {0};
        status = column_feature_name(&name, &dataset->columns->columns[c], l, error);
        dataset->feature_names[d] = name.text;
        TRY(status);
      }
  }
  if (!shifted) goto cleanup;
  TRY(memory_allocate_zero((void **)&dataset->shift, table->features, sizeof *dataset->shift, "shifts of columns", error));
  for (size_t i = 0; i < table->order_count; i++) {
    const TableColumn *column = &table->columns[table->order[i]];
    if (column->role == FIELD_NUMERIC) dataset->shift[column->feature] = column->shift;
  }
cleanup:
  return status;
}

/* ---- targets ------------------------------------------------------------------------------------------------------ */

/* Labels that do not serve may be so because of rows that were left out. */
static Status add_left_out(const Encoded *encoded, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  Text list = {0}, whole = {0};
  if (encoded->left_out.count == 0 || error == NULL) return SETOSA_ERROR_DATA;
  TRY(table_list_counts(&list, table, encoded->missing, error));
  TRY(text_append(&whole, error, "%s (%llu of %llu rows %s a value: %s)", error->message, (unsigned long long)encoded->left_out.count,
                  (unsigned long long)encoded->records,
                  encoded->left_out.count == 1 ? "was left out, since it lacks" : "were left out, since they lack", list.text));
  error_clear(error);
  status = error_set(error, SETOSA_ERROR_DATA, "%s", whole.text);
cleanup:
  text_free(&whole);
  text_free(&list);
  return status;
}

/* Labels and weights go over to the data set. */
static Status keep_targets(Dataset *dataset, Encoded *encoded, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  const char *source = table->reader->source;
  bool weighted = encoded->weights.count > 0;
  if (weighted && table->header) TRY(memory_copy_text(&dataset->weights_name, table->columns[table->weight].name, error));
  if (table->label != TABLE_NONE && table->header) TRY(memory_copy_text(&dataset->label_name, table->columns[table->label].name, error));
  if (weighted) TRY(weights_take(dataset, &encoded->weights, source, error));
  if (encoded->labels != NULL) {
    status = labels_finish(encoded->labels, dataset, dataset->label_name != NULL ? dataset->label_name : "", error);
    TRY(status == SETOSA_ERROR_DATA ? add_left_out(encoded, table, error) : status);
  } else {
    TRY(labels_name_expected_classes(dataset, table->reader->options, error));
  }
cleanup:
  return status;
}

static Status hand_over(Dataset *dataset, Encoded *encoded, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  const DataOptions *options = table->reader->options;
  if (encoded->records == 0)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s:%llu: the header is not followed by any row; give a file with rows of data",
                  table->reader->source, (unsigned long long)table->header_line));
  if (encoded->rows == 0 && !options->labels_optional) {
    Text list = {0};
    status = table_list_counts(&list, table, encoded->missing, error);
    if (status == SETOSA_OK)
      error_set(error, SETOSA_ERROR_DATA, "%s: all %llu rows lack a value: %s; fill in what is missing, or keep them with --missing mean",
                table->reader->source, (unsigned long long)encoded->records, list.text);
    text_free(&list);
    return error != NULL ? error->status : SETOSA_ERROR_DATA;
  }
  dataset->rows = (size_t)encoded->rows;
  dataset->features = table->features;
  TRY(table_remark_missing(encoded, table, error));
  TRY(table_remark_unseen(encoded, table, error));
  TRY(table_remark_sparse(table, error));
  TRY(keep_columns(dataset, table, error));
  TRY(table_remark_numbers(dataset, table, error));
  TRY(keep_targets(dataset, encoded, table, error));
  dataset->left_out = encoded->left_out;
  encoded->left_out = (SourceRows){0};
  dataset->ids = encoded->ids;
  encoded->ids = (Ids){0};
cleanup:
  return status;
}

/* Rows from one pass, when the head says what the columns are and is right. */
static Status read_at_once(bool *done, Encoded *encoded, Table *table, Error *error) {
  Status status = SETOSA_OK;
  Error refused = {0};
  bool guessed = false, right = false;
  *done = false;
  TRY(table_guess(&guessed, table, table->head_survey, error));
  if (!guessed) return SETOSA_OK;
  status = table_encode(encoded, table, &refused);
  if (status != SETOSA_OK && status != SETOSA_ERROR_DATA) return error_set(error, status, "%s", refused.message);
  if (status == SETOSA_OK) TRY(table_confirm(&right, table, &encoded->survey, error));
  *done = status == SETOSA_OK && right;
  status = SETOSA_OK; /* what is wrong with the text, the passes to come say in its order */
  if (*done) goto cleanup;
  table_forget_guess(table);
  TRY(table->reader->sink->restart(table->reader->sink, error));
cleanup:
  return status;
}

static Status begin_encoded(Encoded *encoded, const Table *table, Error *error) {
  labels_destroy(encoded->labels);
  encoded_free(encoded);
  return table->label != TABLE_NONE ? labels_create(&encoded->labels, table->reader->options, error) : SETOSA_OK;
}

Status table_read(Dataset *dataset, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  Table table = {0};
  Encoded encoded = {0};
  const DataOptions *options = reader->options;
  bool expected = options->expect_columns != NULL || options->expect_features > 0, done = false;
  TRY(table_open(&table, reader, &dataset->remarks, error));
  TRY(begin_encoded(&encoded, &table, error));
  if (expected) table_text_read_once(table.text);
  if (!expected) TRY(read_at_once(&done, &encoded, &table, error));
  if (!done) {
    TRY(expected ? table_take_expected(&table, error) : table_find_kinds(&table, error));
    TRY(begin_encoded(&encoded, &table, error));
    TRY(table_encode(&encoded, &table, error));
  }
  TRY(hand_over(dataset, &encoded, &table, error));
cleanup:
  labels_destroy(encoded.labels);
  encoded_free(&encoded);
  table_close(&table);
  return status;
}
