/* Encoding the text: its parts on any thread, joined in order. */
#include "data/table/encode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/table/part_rows.h"
#include "data/table/pass.h"

typedef struct EncodePass {
  const Table *table;
  Encoded *encoded;
} EncodePass;

/* ---- one part ---------------------------------------------------------------------------------------------------- */

static Status create_part(void *user, void **result, Error *error) {
  PartRows *part = NULL;
  Status status = part_rows_create(&part, ((const EncodePass *)user)->table, error);
  *result = part;
  return status;
}

static void destroy_part(void *user, void *result) {
  (void)user;
  part_rows_destroy(result);
}

static Status work(void *user, void *result, const TextPart *text, Error *error) {
  Status status = SETOSA_OK;
  const Table *table = ((const EncodePass *)user)->table;
  PartRows *part = result;
  bool more = true, header = table_part_has_header(table, text);
  TRY(part_rows_restart(part, table, error));
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
    TRY((table->guesses ? part_rows_encode_guess : part_rows_encode)(part, table, error));
    if (part->refuted) return SETOSA_OK;
    part->records_count++;
  }
  if (part->survey != NULL) survey_settle(part->survey);
cleanup:
  return status;
}

/* ---- joining ----------------------------------------------------------------------------------------------------- */

static Status take_rows(const PartRows *part, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  RowSink *sink = table->reader->sink;
  if (table->sparse) return sink->take_sparse(sink, &(SparsePiece){part->rows, part->lengths, part->columns, part->values}, error);
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
  if (part->refuted) {
    encoded->refuted = true;
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: is not what its beginning looks like", text->file)); /* nobody is told */
  }
  if (part->survey != NULL) TRY(survey_join(encoded->survey, part->survey, error));
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

/* Whether rows are sparse, before the first of them. */
static Status begin_rows(Table *table, Error *error) {
  Status status = SETOSA_OK;
  RowSink *sink = table->reader->sink;
  table->sparse = table_is_sparse(table);
  for (size_t i = 0; i < table->order_count; i++) table->columns[table->order[i]].place = i;
  if (!table->sparse) return sink->begin(sink, &(RowsAhead){.features = table->features}, error);
  TRY(sparse_check_width(table->features, table->reader->source, error));
  TRY(sink->begin(sink, &(RowsAhead){.kind = DATA_SPARSE}, error));
cleanup:
  return status;
}

Status table_encode(Encoded *encoded, Table *table, Error *error) {
  Status status = SETOSA_OK;
  EncodePass pass = {.table = table, .encoded = encoded};
  const PassWork all = {.work = work, .take = take, .create = create_part, .destroy = destroy_part, .rows = rows_so_far, .user = &pass};
  TRY(memory_allocate_zero((void **)&encoded->missing, table->count, sizeof *encoded->missing, "columns", error));
  TRY(memory_allocate_zero((void **)&encoded->unseen, table->count, sizeof *encoded->unseen, "columns", error));
  TRY(memory_allocate_zero((void **)&encoded->first_unseen, table->count, sizeof *encoded->first_unseen, "columns", error));
  TRY(begin_ids(encoded, table, error));
  if (table->guesses) TRY(survey_create(&encoded->survey, table->count, error));
  TRY(begin_rows(table, error));
  TRY(table_pass(table->text, table->reader, &all, error));
cleanup:
  return status;
}

void encoded_free(Encoded *encoded) {
  survey_destroy(encoded->survey);
  weight_list_free(&encoded->weights);
  source_rows_free(&encoded->left_out);
  ids_free(&encoded->ids);
  free(encoded->missing);
  free(encoded->unseen);
  free(encoded->first_unseen);
  *encoded = (Encoded){0};
}
