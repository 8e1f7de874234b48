/* Counting: a record at a time, part by part on any thread, joined in order. */
#include "data/table/survey.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/table/pass.h"

/* Of the head: each of their values is counted, and more of them would not make it clearer what the table looks like. */
enum { HEAD_ROWS = 1000 };

static const double WHOLE_MOST = 9007199254740992.0; /* 2^53: whole numbers up to here are exact */

Field level_text(Field field, char room[LEVEL_ROOM]) {
  double value = 0;
  if (field.length == 0 || field.length >= LEVEL_ROOM || strchr("+-.0123456789", field.text[0]) == NULL) return field;
  bool plain = true; /* 7, 007 and -3 stand for themselves */
  for (size_t i = 0; i < field.length; i++) plain = plain && (field.text[i] == '-' || (field.text[i] >= '0' && field.text[i] <= '9'));
  if (plain || !field_number(&field, '.', &value) || fabs(value) > WHOLE_MOST || value != floor(value)) return field;
  int length = snprintf(room, LEVEL_ROOM, "%" PRId64, (int64_t)value);
  return (Field){room, (size_t)length};
}

Status survey_create(Survey **out, size_t count, Error *error) {
  Status status = SETOSA_OK;
  Survey *survey = NULL;
  *out = NULL;
  TRY(memory_allocate_zero((void **)&survey, 1, sizeof *survey, "a survey of columns", error));
  TRY(memory_allocate_zero((void **)&survey->columns, count, sizeof *survey->columns, "a survey of columns", error));
  survey->count = count;
  *out = survey;
  survey = NULL;
cleanup:
  survey_destroy(survey);
  return status;
}

static void levels_free(Levels *levels) {
  name_table_destroy(levels->names);
  free(levels->counts);
  *levels = (Levels){0};
}

void survey_destroy(Survey *survey) {
  if (survey == NULL) return;
  for (size_t c = 0; survey->columns != NULL && c < survey->count; c++) levels_free(&survey->columns[c].levels);
  free(survey->columns);
  free(survey);
}

void survey_restart(Survey *survey) {
  for (size_t c = 0; c < survey->count; c++) {
    levels_free(&survey->columns[c].levels);
    survey->columns[c] = (ColumnSurvey){.collects = survey->columns[c].collects};
  }
  survey->rows = 0;
}

static Status levels_add(Levels *levels, const char *text, size_t length, uint64_t count, Error *error) {
  Status status = SETOSA_OK;
  size_t index = 0;
  if (levels->too_many) return SETOSA_OK;
  if (levels->names == NULL) TRY(name_table_create(&levels->names, error));
  if (!name_table_find(levels->names, text, length, &index)) {
    if (name_table_count(levels->names) >= LEVELS_MOST || levels->bytes + length > (size_t)LEVELS_MEGABYTES << 20) {
      levels_free(levels);
      levels->too_many = true;
      return SETOSA_OK;
    }
    TRY(memory_grow((void **)&levels->counts, &levels->capacity, name_table_count(levels->names) + 1, sizeof *levels->counts, "levels",
                    error));
    TRY(name_table_add(levels->names, text, length, &index, error));
    levels->counts[index] = 0;
    levels->bytes += length;
  }
  levels->counts[index] += count;
cleanup:
  return status;
}

void place_take(Place *place, const Records *records, size_t column) {
  if (place->file != NULL) return;
  place->file = records->part->file;
  place->line = records_field_line(records, column);
  reader_quote(place->text, records->fields[column].text, records->fields[column].length);
}

static Status add_field(ColumnSurvey *column, const Table *table, const Records *records, size_t c, Error *error) {
  const Field *field = &records->fields[c];
  double value = 0;
  char room[LEVEL_ROOM];
  bool number = table->missing_words.count == 0 && field_number(field, table->dialect.decimal, &value);
  if (!number && field_is_missing(field, &table->missing_words)) {
    column->missing++;
    place_take(&column->first_missing, records, c);
    return SETOSA_OK;
  }
  column->present++;
  number = number || (table->missing_words.count > 0 && field_number(field, table->dialect.decimal, &value));
  if (number && isfinite(value)) {
    survey_add_number(column, value);
    if (!column->collects) return SETOSA_OK;
  } else {
    place_take(&column->first_word, records, c);
  }
  size_t known = levels_count(&column->levels);
  Field level = level_text(*field, room);
  Status status = levels_add(&column->levels, level.text, level.length, 1, error);
  if (levels_count(&column->levels) > known && !text_is_utf8(level.text, level.length)) place_take(&column->not_utf8, records, c);
  return status;
}

Status survey_add(Survey *survey, const Table *table, const Records *records, Error *error) {
  Status status = SETOSA_OK;
  survey->rows++;
  for (size_t c = 0; c < survey->count; c++) TRY(add_field(&survey->columns[c], table, records, c, error));
cleanup:
  return status;
}

void survey_settle(Survey *survey) {
  for (size_t c = 0; c < survey->count; c++) {
    ColumnSurvey *column = &survey->columns[c];
    if (column->unsettled == 0) continue;
    double count = (double)column->unsettled, squares = column->squares - column->sum * column->sum / count;
    Moments now = {.count = column->unsettled,
                   .mean = column->reference + column->sum / count,
                   .squares = squares > 0 ? squares : 0,
                   .least = column->moments.least,
                   .most = column->moments.most};
    column->moments.count = 0; /* a part is settled once */
    moments_merge(&column->moments, &now);
    column->unsettled = 0;
    column->sum = column->squares = 0;
  }
}

static Status join_levels(Levels *to, const Levels *from, Error *error) {
  Status status = SETOSA_OK;
  if (from->too_many) {
    levels_free(to);
    to->too_many = true;
    return SETOSA_OK;
  }
  for (size_t i = 0; from->names != NULL && i < name_table_count(from->names); i++) {
    const char *name = name_table_name(from->names, i);
    TRY(levels_add(to, name, strlen(name), from->counts[i], error));
  }
cleanup:
  return status;
}

Status survey_join(Survey *survey, const Survey *more, Error *error) {
  Status status = SETOSA_OK;
  survey->rows += more->rows;
  for (size_t c = 0; c < survey->count; c++) {
    ColumnSurvey *to = &survey->columns[c];
    const ColumnSurvey *from = &more->columns[c];
    if (from->numbers > 0) {
      to->counts_rows = from->counts_rows && (to->numbers == 0 || (to->counts_rows && from->first == to->last + 1));
      if (to->numbers == 0) to->first = from->first;
      to->last = from->last;
    }
    to->present += from->present;
    to->missing += from->missing;
    to->numbers += from->numbers;
    to->fractions = to->fractions || from->fractions;
    moments_merge(&to->moments, &from->moments);
    if (to->first_missing.file == NULL) to->first_missing = from->first_missing;
    if (to->not_utf8.file == NULL) to->not_utf8 = from->not_utf8;
    if (to->first_word.file == NULL) to->first_word = from->first_word;
    TRY(join_levels(&to->levels, &from->levels, error));
  }
cleanup:
  return status;
}

/* ---- over text --------------------------------------------------------------------------------------------------- */

/* Of one part at a time. */
typedef struct PartSurvey {
  Survey *survey;
  Records records;
} PartSurvey;

typedef struct SurveyPass {
  Survey *survey; /* of all parts so far */
  const Table *table;
  const bool *collects, *used;
  uint64_t records;
  uint64_t rows_most; /* of a part; 0: all */
} SurveyPass;

static void destroy_part(void *user, void *result) {
  PartSurvey *part = result;
  (void)user;
  if (part == NULL) return;
  survey_destroy(part->survey);
  records_free(&part->records);
  free(part);
}

static Status create_part(void *user, void **result, Error *error) {
  Status status = SETOSA_OK;
  const SurveyPass *pass = user;
  PartSurvey *part = NULL;
  TRY(memory_allocate_zero((void **)&part, 1, sizeof *part, "a survey of columns", error));
  part->records.column_name = table_name_of;
  part->records.names = pass->table;
  TRY(survey_create(&part->survey, pass->table->count, error));
  for (size_t c = 0; c < pass->table->count; c++) part->survey->columns[c].collects = pass->collects != NULL && pass->collects[c];
  *result = part;
  part = NULL;
cleanup:
  destroy_part(user, part);
  return status;
}

static bool lacks_a_value(const SurveyPass *pass, const Records *records) {
  for (size_t c = 0; pass->used != NULL && c < pass->table->count; c++)
    if (pass->used[c] && field_is_missing(&records->fields[c], &pass->table->missing_words)) return true;
  return false;
}

static Status survey_part(PartSurvey *part, const SurveyPass *pass, const TextPart *text, Error *error) {
  Status status = SETOSA_OK;
  bool more = true, header = table_part_has_header(pass->table, text);
  records_begin(&part->records, text, &pass->table->dialect);
  for (;;) {
    TRY(records_next(&part->records, &more, error));
    if (!more) break;
    if (header) {
      TRY(table_check_header(pass->table, &part->records, error));
      header = false;
      continue;
    }
    TRY(table_check_record(pass->table, &part->records, error));
    if (!lacks_a_value(pass, &part->records)) TRY(survey_add(part->survey, pass->table, &part->records, error));
    if (pass->rows_most > 0 && part->survey->rows >= pass->rows_most) break;
  }
  survey_settle(part->survey);
cleanup:
  return status;
}

static Status work(void *user, void *result, const TextPart *text, Error *error) {
  PartSurvey *part = result;
  survey_restart(part->survey);
  return survey_part(part, user, text, error);
}

static Status take(void *user, void *result, const TextPart *text, Error *error) {
  SurveyPass *pass = user;
  const PartSurvey *part = result;
  (void)text;
  pass->records += part->survey->rows;
  return survey_join(pass->survey, part->survey, error);
}

static uint64_t rows_so_far(const void *user) { return ((const SurveyPass *)user)->records; }

Status survey_text(Survey **out, Table *table, const bool *collects, const bool *used, Error *error) {
  Status status = SETOSA_OK;
  SurveyPass pass = {.table = table, .collects = collects, .used = used};
  const PassWork all = {.work = work, .take = take, .create = create_part, .destroy = destroy_part, .rows = rows_so_far, .user = &pass};
  *out = NULL;
  TRY(survey_create(&pass.survey, table->count, error));
  TRY(table_pass(table->text, table->reader, &all, error));
  *out = pass.survey;
  pass.survey = NULL;
cleanup:
  survey_destroy(pass.survey);
  return status;
}

Status survey_head(Survey **out, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  SurveyPass pass = {.table = table, .rows_most = HEAD_ROWS};
  void *result = NULL;
  *out = NULL;
  TRY(create_part(&pass, &result, error));
  PartSurvey *part = result;
  for (size_t c = 0; c < table->count; c++) part->survey->columns[c].collects = true;
  TRY(survey_part(part, &pass, &table->head, error));
  *out = part->survey;
  part->survey = NULL;
cleanup:
  destroy_part(NULL, result);
  return status;
}
