/* Encoding one part: fields become values, levels, labels and weights. */
#include "data/table/part_rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/weights.h"

/* ---- one field --------------------------------------------------------------------------------------------------- */

/* What is wrong with field c of the record. */
static Status field_error(const Table *table, const Records *records, size_t c, const char *problem, const char *remedy, Error *error) {
  char quoted[QUOTE_SIZE], name[TABLE_NAME], column[TABLE_NAME + 16] = "";
  const Field *field = &records->fields[c];
  if (table->header) snprintf(column, sizeof column, " (column %s)", table_column_name(name, table, c));
  return error_set(
      error, SETOSA_ERROR_DATA, "%s:%llu:%zu: %s%s%s%s; %s", records->part->file, (unsigned long long)records_field_line(records, c), c + 1,
      field->length > 0 ? reader_quote(quoted, field->text, field->length) : "", field->length > 0 ? " " : "", problem, column, remedy);
}

static Status encode_number(PartRows *part, const Table *table, size_t c, Error *error) {
  const TableColumn *column = &table->columns[c];
  const Records *records = &part->records;
  double value = 0;
  if (!field_number(&records->fields[c], table->dialect.decimal, &value))
    return field_error(table, records, c, "is not a number", "correct it, or take it for a missing value with --na", error);
  float rounded = (float)(value - column->shift);
  if (!isfinite(rounded))
    return field_error(table, records, c, "is beyond single precision (3.4e38)", "rescale the column, or leave it out with --drop", error);
  part_rows_put(part, column, 0, rounded);
  return SETOSA_OK;
}

static Status encode_level(PartRows *part, const Table *table, size_t c, Error *error) {
  const TableColumn *column = &table->columns[c];
  const Records *records = &part->records;
  char room[LEVEL_ROOM];
  size_t index = 0;
  Field level = level_text(records->fields[c], room);
  if (name_table_find(column->levels, level.text, level.length, &index)) {
    part_rows_put(part, column, index, 1);
    return SETOSA_OK;
  }
  if (table->unseen == SETOSA_UNSEEN_ERROR)
    return field_error(table, records, c, "is none of the levels that the training rows had",
                       "correct it, or let it be none of them with --unseen zero", error);
  part->unseen[c]++;
  place_take(&part->first_unseen[c], records, c);
  return SETOSA_OK;
}

/* A missing value of a feature: of levels none is set. */
static void fill_in(PartRows *part, const Table *table, size_t c) {
  const TableColumn *column = &table->columns[c];
  if (column->role == FIELD_NUMERIC) part_rows_put(part, column, 0, (float)(column->fill - column->shift));
}

Status part_rows_label(PartRows *part, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  size_t c = table->label;
  const Field *field = &part->records.fields[c];
  size_t index = 0, known = name_table_count(part->names);
  int32_t value = -1;
  if (!field_is_missing(field, &table->missing_words)) {
    TRY(name_table_add(part->names, field->text, field->length, &index, error));
    value = (int32_t)index;
    if (name_table_count(part->names) > known) {
      TRY(memory_grow((void **)&part->name_lines, &part->name_capacity, known + 1, sizeof *part->name_lines, "labels", error));
      part->name_lines[known] = records_field_line(&part->records, c);
    }
  }
  TRY(memory_grow((void **)&part->labels, &part->label_capacity, part->rows + 1, sizeof *part->labels, "labels", error));
  part->labels[part->rows] = value;
cleanup:
  return status;
}

static Status encode_weight(PartRows *part, const Table *table, size_t c, Error *error) {
  Status status = SETOSA_OK;
  const Field *field = &part->records.fields[c];
  WeightList one = {0};
  double value = 0;
  char name[TABLE_NAME];
  TRY(memory_grow((void **)&part->weights, &part->weight_capacity, part->rows + 1, sizeof *part->weights, "weights", error));
  if (table->dialect.decimal == ',' && field_number(field, ',', &value)) {
    status = weight_list_add(&one, value, error);
  } else {
    status = weight_list_add_text(&one, field->text, field->length, error);
  }
  if (status == SETOSA_OK) part->weights[part->rows] = one.values[0];
  weight_list_free(&one);
  if (status == SETOSA_ERROR_DATA) {
    if (table->header) error_prefix(error, "column %s", table_column_name(name, table, c));
    error_prefix(error, "%s:%llu:%zu", part->records.part->file, (unsigned long long)records_field_line(&part->records, c), c + 1);
  }
cleanup:
  return status;
}

Status part_rows_begin_row(PartRows *part, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  size_t needed = 0, next = part->rows + 1;
  if (table->sparse) {
    memset(part->made, 0, table->order_count * sizeof *part->made);
    return SETOSA_OK;
  }
  TRY(memory_multiply(&needed, next, table->features, "rows", error));
  TRY(memory_grow((void **)&part->values, &part->value_capacity, needed, sizeof *part->values, "rows", error));
  part->row = part->values + part->rows * table->features;
  memset(part->row, 0, table->features * sizeof *part->row);
cleanup:
  return status;
}

/* Columns stand in the order of their features, so that entries do. */
static Status end_sparse_row(PartRows *part, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  size_t most = part->entries + table->order_count, before = part->entries;
  TRY(memory_grow((void **)&part->values, &part->value_capacity, most, sizeof *part->values, "rows", error));
  TRY(memory_grow((void **)&part->columns, &part->column_capacity, most, sizeof *part->columns, "rows", error));
  TRY(memory_grow((void **)&part->lengths, &part->length_capacity, part->rows + 1, sizeof *part->lengths, "rows", error));
  for (size_t i = 0; i < table->order_count; i++) {
    if (part->made[i].value == 0) continue;
    part->columns[part->entries] = part->made[i].feature;
    part->values[part->entries++] = part->made[i].value;
  }
  part->lengths[part->rows] = (uint32_t)(part->entries - before);
cleanup:
  return status;
}

Status part_rows_end_row(PartRows *part, const Table *table, Error *error) {
  Status status = table->sparse ? end_sparse_row(part, table, error) : SETOSA_OK;
  if (status == SETOSA_OK) part->rows++;
  return status;
}

/* ---- one record -------------------------------------------------------------------------------------------------- */

/* Whether the row is left out, counting what it lacks. A feature that is missing leaves it out under --missing drop alone. */
static bool is_left_out(PartRows *part, const Table *table) {
  bool lacks = false;
  for (size_t c = 0; c < table->count; c++) {
    FieldRole role = table->columns[c].role;
    if (role == FIELD_SKIP || !field_is_missing(&part->records.fields[c], &table->missing_words)) continue;
    if (role == FIELD_LABEL && table->reader->options->labels_optional) continue;
    part->missing[c]++;
    lacks = lacks || role == FIELD_LABEL || role == FIELD_WEIGHT || table->missing != SETOSA_MISSING_MEAN;
  }
  return lacks;
}

Status part_rows_encode(PartRows *part, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  const Records *records = &part->records;
  for (size_t i = 0; i < table->id_count; i++) {
    const Field *field = &records->fields[table->ids[i]];
    TRY(ids_add(&part->ids, field->text, field->length, error));
  }
  if (is_left_out(part, table)) {
    if (table->missing == SETOSA_MISSING_ERROR) {
      for (size_t c = 0; c < table->count; c++)
        if (table->columns[c].role != FIELD_SKIP && field_is_missing(&records->fields[c], &table->missing_words))
          TRY(field_error(table, records, c, records->fields[c].length > 0 ? "stands for a missing value" : "a value is missing",
                          "fill it in, or leave such rows out (--missing drop), or put in the mean (--missing mean)", error));
    }
    return source_rows_leave_out(&part->left_out, part->records_count, error);
  }
  TRY(part_rows_begin_row(part, table, error));
  for (size_t c = 0; c < table->count; c++) {
    FieldRole role = table->columns[c].role;
    if (role == FIELD_SKIP) continue;
    if (role == FIELD_LABEL)
      TRY(part_rows_label(part, table, error));
    else if (role == FIELD_WEIGHT)
      TRY(encode_weight(part, table, c, error));
    else if (field_is_missing(&records->fields[c], &table->missing_words))
      fill_in(part, table, c);
    else if (role == FIELD_NUMERIC)
      TRY(encode_number(part, table, c, error));
    else
      TRY(encode_level(part, table, c, error));
  }
  TRY(part_rows_end_row(part, table, error));
cleanup:
  return status;
}

/* ---- one part ---------------------------------------------------------------------------------------------------- */

void part_rows_destroy(PartRows *part) {
  if (part == NULL) return;
  records_free(&part->records);
  free(part->values);
  free(part->made);
  free(part->columns);
  free(part->lengths);
  name_table_destroy(part->names);
  free(part->name_lines);
  free(part->labels);
  free(part->weights);
  source_rows_free(&part->left_out);
  ids_free(&part->ids);
  free(part->missing);
  free(part->unseen);
  free(part->first_unseen);
  survey_destroy(part->survey);
  free(part);
}

Status part_rows_create(PartRows **out, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  PartRows *part = NULL;
  TRY(memory_allocate_zero((void **)&part, 1, sizeof *part, "rows", error));
  part->records.column_name = table_name_of;
  part->records.names = table;
  TRY(memory_allocate_zero((void **)&part->missing, table->count, sizeof *part->missing, "columns", error));
  TRY(memory_allocate_zero((void **)&part->unseen, table->count, sizeof *part->unseen, "columns", error));
  TRY(memory_allocate_zero((void **)&part->first_unseen, table->count, sizeof *part->first_unseen, "columns", error));
  if (table->sparse) TRY(memory_allocate((void **)&part->made, table->order_count, sizeof *part->made, "columns", error));
  TRY(ids_begin(&part->ids, NULL, 0, error));
  if (table->guesses) TRY(survey_create(&part->survey, table->count, error));
  *out = part;
  part = NULL;
cleanup:
  part_rows_destroy(part);
  return status;
}

Status part_rows_restart(PartRows *part, const Table *table, Error *error) {
  part->rows = part->entries = 0;
  part->refuted = false;
  if (part->survey != NULL) survey_restart(part->survey);
  part->records_count = 0;
  part->left_out.count = 0;
  part->ids.count = part->ids.texts.length = 0;
  memset(part->missing, 0, table->count * sizeof *part->missing);
  memset(part->unseen, 0, table->count * sizeof *part->unseen);
  memset(part->first_unseen, 0, table->count * sizeof *part->first_unseen);
  name_table_destroy(part->names);
  part->names = NULL;
  return name_table_create(&part->names, error);
}
