/* Encoding: a part of the text on any thread, joined in order. */
#include "data/table/encode.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/table/pass.h"

/* What one part becomes. */
typedef struct PartRows {
  Records records;
  float *values; /* (rows,D) */
  size_t rows, value_capacity;
  NameTable *names;     /* labels as they are written */
  uint64_t *name_lines; /* (names) where each comes first */
  size_t name_capacity;
  int32_t *labels; /* (rows) index of its name, or -1 */
  size_t label_capacity;
  float *weights; /* (rows) */
  size_t weight_capacity;
  uint64_t records_count;
  SourceRows left_out; /* records of the part */
  Ids ids;
  uint64_t *missing, *unseen; /* (count) */
  Place *first_unseen;        /* (count) */
} PartRows;

typedef struct EncodePass {
  const Table *table;
  Encoded *encoded;
} EncodePass;

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

static Status encode_number(const Table *table, const Records *records, size_t c, float *row, Error *error) {
  const TableColumn *column = &table->columns[c];
  double value = 0;
  if (!field_number(&records->fields[c], table->dialect.decimal, &value))
    return field_error(table, records, c, "is not a number", "correct it, or take it for a missing value with --na", error);
  float rounded = (float)(value - column->shift);
  if (!isfinite(rounded))
    return field_error(table, records, c, "is beyond single precision (3.4e38)", "rescale the column, or leave it out with --drop", error);
  row[column->feature] = rounded;
  return SETOSA_OK;
}

static Status encode_level(PartRows *part, const Table *table, size_t c, float *row, Error *error) {
  const TableColumn *column = &table->columns[c];
  const Records *records = &part->records;
  char room[LEVEL_ROOM];
  size_t index = 0;
  Field level = level_text(records->fields[c], room);
  if (name_table_find(column->levels, level.text, level.length, &index)) {
    row[column->feature + index] = 1;
    return SETOSA_OK;
  }
  if (table->unseen == SETOSA_UNSEEN_ERROR)
    return field_error(table, records, c, "is none of the levels that the training rows had",
                       "correct it, or let it be none of them with --unseen zero", error);
  if (part->unseen[c]++ == 0) {
    Place *place = &part->first_unseen[c];
    place->file = records->part->file;
    place->line = records_field_line(records, c);
    reader_quote(place->text, records->fields[c].text, records->fields[c].length);
  }
  return SETOSA_OK;
}

/* A missing value of a feature: of levels none is set. */
static void fill_in(const Table *table, size_t c, float *row) {
  const TableColumn *column = &table->columns[c];
  if (column->role == FIELD_NUMERIC) row[column->feature] = (float)(column->fill - column->shift);
}

static Status encode_label(PartRows *part, const Table *table, size_t c, Error *error) {
  Status status = SETOSA_OK;
  const Field *field = &part->records.fields[c];
  size_t index = 0, known = name_table_count(part->names);
  int32_t value = -1;
  (void)table;
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
  char text[LEVEL_ROOM + QUOTE_SIZE];
  TRY(memory_grow((void **)&part->weights, &part->weight_capacity, part->rows + 1, sizeof *part->weights, "weights", error));
  if (table->dialect.decimal == ',' && field_number(field, ',', &value)) {
    status = weight_list_add(&one, value, error);
  } else {
    status = weight_list_add_text(&one, field->text, field->length, error);
  }
  if (status == SETOSA_OK) part->weights[part->rows] = one.values[0];
  weight_list_free(&one);
  if (status == SETOSA_ERROR_DATA) {
    if (table->header) {
      table_column_name(text, table, c);
      error_prefix(error, "column %s", text);
    }
    error_prefix(error, "%s:%llu:%zu", part->records.part->file, (unsigned long long)records_field_line(&part->records, c), c + 1);
  }
cleanup:
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

static Status encode_record(PartRows *part, const Table *table, Error *error) {
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
  TRY(memory_grow((void **)&part->values, &part->value_capacity, (part->rows + 1) * table->features, sizeof *part->values, "rows", error));
  float *row = part->values + part->rows * table->features;
  memset(row, 0, table->features * sizeof *row);
  for (size_t c = 0; c < table->count; c++) {
    FieldRole role = table->columns[c].role;
    if (role == FIELD_SKIP) continue;
    if (role == FIELD_LABEL)
      TRY(encode_label(part, table, c, error));
    else if (role == FIELD_WEIGHT)
      TRY(encode_weight(part, table, c, error));
    else if (field_is_missing(&records->fields[c], &table->missing_words))
      fill_in(table, c, row);
    else if (role == FIELD_NUMERIC)
      TRY(encode_number(table, records, c, row, error));
    else
      TRY(encode_level(part, table, c, row, error));
  }
  part->rows++;
cleanup:
  return status;
}

/* ---- one part ---------------------------------------------------------------------------------------------------- */

static void destroy_part(void *user, void *result) {
  PartRows *part = result;
  (void)user;
  if (part == NULL) return;
  records_free(&part->records);
  free(part->values);
  name_table_destroy(part->names);
  free(part->name_lines);
  free(part->labels);
  free(part->weights);
  source_rows_free(&part->left_out);
  ids_free(&part->ids);
  free(part->missing);
  free(part->unseen);
  free(part->first_unseen);
  free(part);
}

static Status create_part(void *user, void **result, Error *error) {
  Status status = SETOSA_OK;
  const Table *table = ((const EncodePass *)user)->table;
  PartRows *part = NULL;
  TRY(memory_allocate_zero((void **)&part, 1, sizeof *part, "rows", error));
  part->records.column_name = table_name_of;
  part->records.names = table;
  TRY(memory_allocate_zero((void **)&part->missing, table->count, sizeof *part->missing, "columns", error));
  TRY(memory_allocate_zero((void **)&part->unseen, table->count, sizeof *part->unseen, "columns", error));
  TRY(memory_allocate_zero((void **)&part->first_unseen, table->count, sizeof *part->first_unseen, "columns", error));
  TRY(ids_begin(&part->ids, NULL, 0, error));
  *result = part;
  part = NULL;
cleanup:
  destroy_part(user, part);
  return status;
}

/* Empties what the last part left. */
static Status restart(PartRows *part, const Table *table, Error *error) {
  part->rows = 0;
  part->records_count = 0;
  part->left_out.count = 0;
  part->ids.count = part->ids.texts.length = 0;
  memset(part->missing, 0, table->count * sizeof *part->missing);
  memset(part->unseen, 0, table->count * sizeof *part->unseen);
  name_table_destroy(part->names);
  part->names = NULL;
  return name_table_create(&part->names, error);
}

static Status work(void *user, void *result, const TextPart *text, Error *error) {
  Status status = SETOSA_OK;
  const Table *table = ((const EncodePass *)user)->table;
  PartRows *part = result;
  bool more = true, header = table_part_has_header(table, text);
  TRY(restart(part, table, error));
  records_begin(&part->records, text, &table->dialect);
  for (;;) {
    TRY(records_next(&part->records, &more, error));
    if (!more) break;
    if (header) {
      TRY(table_check_header(table, &part->records, error));
      header = false;
      continue;
    }
    TRY(table_check_record(table, &part->records, error));
    TRY(encode_record(part, table, error));
    part->records_count++;
  }
cleanup:
  return status;
}

/* ---- joining ----------------------------------------------------------------------------------------------------- */

static Status take_rows(const PartRows *part, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  RowSink *sink = table->reader->sink;
  float *room = NULL;
  size_t places = 0;
  for (size_t done = 0; done < part->rows;) {
    TRY(sink->room(sink, &room, &places, error));
    size_t now = part->rows - done < places ? part->rows - done : places;
    memcpy(room, part->values + done * table->features, now * table->features * sizeof *room);
    TRY(sink->take(sink, now, error));
    done += now;
  }
cleanup:
  return status;
}

/* The names of the part in the order in which they come, so that classes are the same however the text was cut. */
static Status take_labels(Encoded *encoded, const PartRows *part, const Table *table, const TextPart *text, Error *error) {
  Status status = SETOSA_OK;
  size_t count = name_table_count(part->names);
  int32_t *values = NULL;
  char name[TABLE_NAME];
  TRY(memory_allocate((void **)&values, count + 1, sizeof *values, "labels", error));
  for (size_t i = 0; i < count; i++) {
    const char *label = name_table_name(part->names, i);
    status = labels_intern(encoded->labels, label, strlen(label), &values[i], error);
    if (status == SETOSA_ERROR_DATA) {
      if (table->header) error_prefix(error, "column %s", table_column_name(name, table, table->label));
      error_prefix(error, "%s:%llu:%zu", text->file, (unsigned long long)part->name_lines[i], table->label + 1);
    }
    TRY(status);
  }
  for (size_t i = 0; i < part->rows; i++) TRY(labels_push(encoded->labels, part->labels[i] < 0 ? -1 : values[part->labels[i]], error));
cleanup:
  free(values);
  return status;
}

static Status take_ids(Ids *to, const Ids *from, Error *error) {
  Status status = SETOSA_OK;
  for (size_t i = 0; i < from->count; i++) {
    size_t begin = i > 0 ? (size_t)from->ends[i - 1] : 0;
    TRY(ids_add(to, from->texts.text + begin, (size_t)from->ends[i] - begin - 1, error));
  }
cleanup:
  return status;
}

static Status take(void *user, void *result, const TextPart *text, Error *error) {
  Status status = SETOSA_OK;
  const EncodePass *pass = user;
  const Table *table = pass->table;
  Encoded *encoded = pass->encoded;
  const PartRows *part = result;
  TRY(take_rows(part, table, error));
  if (encoded->labels != NULL) TRY(take_labels(encoded, part, table, text, error));
  if (table->weight != TABLE_NONE && table->columns[table->weight].role == FIELD_WEIGHT)
    for (size_t i = 0; i < part->rows; i++) TRY(weight_list_add(&encoded->weights, (double)part->weights[i], error));
  for (size_t i = 0; i < part->left_out.count; i++)
    TRY(source_rows_leave_out(&encoded->left_out, encoded->records + part->left_out.left_out[i], error));
  TRY(take_ids(&encoded->ids, &part->ids, error));
  for (size_t c = 0; c < table->count; c++) {
    encoded->missing[c] += part->missing[c];
    if (encoded->unseen[c] == 0 && part->unseen[c] > 0) encoded->first_unseen[c] = part->first_unseen[c];
    encoded->unseen[c] += part->unseen[c];
  }
  encoded->rows += part->rows;
  encoded->records += part->records_count;
cleanup:
  return status;
}

static uint64_t rows_so_far(const void *user) { return ((const EncodePass *)user)->encoded->rows; }

static Status begin_ids(Encoded *encoded, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  char number[32];
  const char **names = NULL;
  char **numbers = NULL;
  TRY(memory_allocate_zero((void **)&names, table->id_count + 1, sizeof *names, "names of columns", error));
  TRY(memory_allocate_zero((void **)&numbers, table->id_count + 1, sizeof *numbers, "names of columns", error));
  for (size_t i = 0; i < table->id_count; i++) {
    names[i] = table->columns[table->ids[i]].name;
    if (names[i] != NULL) continue;
    snprintf(number, sizeof number, "column%zu", table->ids[i] + 1);
    TRY(memory_copy_text(&numbers[i], number, error));
    names[i] = numbers[i];
  }
  TRY(ids_begin(&encoded->ids, names, table->id_count, error));
cleanup:
  for (size_t i = 0; numbers != NULL && i < table->id_count; i++) free(numbers[i]);
  free(numbers);
  free(names);
  return status;
}

Status table_encode(Encoded *encoded, Table *table, Error *error) {
  Status status = SETOSA_OK;
  RowSink *sink = table->reader->sink;
  EncodePass pass = {.table = table, .encoded = encoded};
  const PassWork all = {.work = work, .take = take, .create = create_part, .destroy = destroy_part, .rows = rows_so_far, .user = &pass};
  TRY(memory_allocate_zero((void **)&encoded->missing, table->count, sizeof *encoded->missing, "columns", error));
  TRY(memory_allocate_zero((void **)&encoded->unseen, table->count, sizeof *encoded->unseen, "columns", error));
  TRY(memory_allocate_zero((void **)&encoded->first_unseen, table->count, sizeof *encoded->first_unseen, "columns", error));
  TRY(begin_ids(encoded, table, error));
  TRY(sink->begin(sink, &(RowsAhead){.features = table->features}, error));
  TRY(table_pass(table->text, table->reader, &all, error));
cleanup:
  return status;
}

void encoded_free(Encoded *encoded) {
  weight_list_free(&encoded->weights);
  source_rows_free(&encoded->left_out);
  ids_free(&encoded->ids);
  free(encoded->missing);
  free(encoded->unseen);
  free(encoded->first_unseen);
  *encoded = (Encoded){0};
}
