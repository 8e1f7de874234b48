/* The first record: is it a header, and what are the columns called? Looked at beside the other records of the head. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/table/survey.h"

/* A name of the list, rather than a number from 1, asks for a header. */
static Status list_has_name(const char *list, bool *has_name, Error *error) {
  char **parts = NULL;
  size_t count = 0;
  int64_t index = 0;
  if (list == NULL) return SETOSA_OK;
  Status status = text_split(&parts, &count, list, ',', error);
  for (size_t i = 0; status == SETOSA_OK && i < count; i++) *has_name = *has_name || !text_parse_int64(parts[i], strlen(parts[i]), &index);
  free(parts);
  return status;
}

static bool is_text(const Field *field, const char *text) {
  return text != NULL && strlen(text) == field->length && memcmp(text, field->text, field->length) == 0;
}

/* Whether options name a column. */
static Status options_name_columns(bool *named, const Table *table, const Records *first, Error *error) {
  Status status = SETOSA_OK;
  const DataOptions *o = table->reader->options;
  const char *const lists[] = {o->features, o->drop, o->categorical, o->numeric, o->id, o->label};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) TRY(list_has_name(lists[i], named, error));
  int64_t number = 0;
  if (o->weights != NULL && o->header != 0 && !text_parse_int64(o->weights, strlen(o->weights), &number)) /* it may be a file, too */
    for (size_t c = 0; c < first->count; c++) *named = *named || is_text(&first->fields[c], o->weights);
cleanup:
  return status;
}

/* A header that numbers its columns ("0,1,2,...") is still one when it has every name that the model expects. */
static Status has_expected_names(bool *all, const DataOptions *options, const Records *first, Error *error) {
  Status status = SETOSA_OK;
  NameTable *names = NULL;
  size_t index = 0, wanted = 0;
  const Columns *columns = options->expect_columns;
  TRY(name_table_create(&names, error));
  for (size_t c = 0; c < first->count; c++) {
    char ours[32]; /* the name of a cell that is empty, as take_name gives it */
    int length = snprintf(ours, sizeof ours, "column%zu", c + 1);
    const Field *field = &first->fields[c];
    bool empty = field->length == 0;
    TRY(name_table_add(names, empty ? ours : field->text, empty ? (size_t)length : field->length, &index, error));
  }
  *all = true;
  for (size_t i = 0; columns != NULL && i < columns->count; i++, wanted++) {
    const char *name = columns->columns[i].name;
    *all = *all && name != NULL && name_table_find(names, name, strlen(name), &index);
  }
  for (size_t i = 0; columns == NULL && options->expect_feature_names != NULL && i < options->expect_features; i++, wanted++) {
    const char *name = options->expect_feature_names[i];
    *all = *all && name_table_find(names, name, strlen(name), &index);
  }
  *all = *all && wanted > 0;
cleanup:
  name_table_destroy(names);
  return status;
}

/* What the cells of the first record say. */
typedef struct Evidence {
  size_t above_numbers; /* words above numbers */
  size_t numbers;       /* numbers above numbers, but for the label */
  size_t new_words;     /* words above words that repeat, and not this one */
  size_t old_words;     /* words that the column has again */
  size_t words, again;  /* words, and those of them that their columns have again */
  bool new_label;       /* the label's is a new word */
} Evidence;

/* Words of a column that come again and again, as a choice of names does. */
static bool repeats(const ColumnSurvey *column) {
  size_t levels = levels_count(&column->levels);
  return column->present >= 4 && levels > 0 && column->present >= 2 * (uint64_t)levels;
}

static Evidence gather(const Table *table, const Records *first, const Survey *rest, size_t label) {
  Evidence evidence = {0};
  char room[LEVEL_ROOM];
  double value = 0;
  size_t index = 0;
  for (size_t c = 0; c < first->count && c < rest->count; c++) {
    const Field *field = &first->fields[c];
    const ColumnSurvey *column = &rest->columns[c];
    bool number = field_number(field, table->dialect.decimal, &value);
    if (!number && field_is_missing(field, &table->missing_words)) continue;
    bool numeric = column->present > 0 && column->numbers * 10 >= column->present * 9;
    Field level = level_text(*field, room);
    bool again = column->levels.names != NULL && name_table_find(column->levels.names, level.text, level.length, &index);
    if (number) {
      evidence.numbers += c != label && (numeric || column->present == 0);
      continue;
    }
    evidence.words++;
    evidence.again += again;
    evidence.above_numbers += numeric;
    evidence.old_words += again && !numeric;
    evidence.new_words += !again && !numeric && repeats(column);
    evidence.new_label = evidence.new_label || (c == label && !again && repeats(column));
  }
  return evidence;
}

/* ",0,1,2" or "0,1,2" or "1,2,3" above numbers that are not whole: names that count the columns. */
static bool counts_columns(const Table *table, const Records *first, const Survey *rest) {
  size_t from = first->count > 0 && first->fields[0].length == 0, fractions = 0;
  double start = 0, value = 0;
  if (first->count - from < 2) return false;
  for (size_t c = from; c < first->count; c++) {
    if (!field_number(&first->fields[c], table->dialect.decimal, &value)) return false;
    if (c == from) start = value;
    if ((start != 0 && start != 1) || value != start + (double)(c - from)) return false;
    fractions += c < rest->count && rest->columns[c].fractions;
  }
  return from == 1 ? rest->rows > 0 : first->count >= 3 && 2 * fractions >= first->count;
}

/* The label column as far as it is known without names: by number, else the last. */
static size_t likely_label(const Table *table) {
  int64_t number = 0;
  const DataOptions *options = table->reader->options;
  if (options->label == NULL) return table->count - 1;
  if (!text_parse_int64(options->label, strlen(options->label), &number) || number < 1 || (uint64_t)number > table->count)
    return TABLE_NONE;
  return (size_t)number - 1;
}

/* By what the first record looks like beside the others; alone when they cannot be read, which a later pass will say better. */
static Status looks_like_header(bool *header, Table *table, const Records *first, Error *error) {
  Status status = SETOSA_OK;
  Survey *rest = NULL;
  Error ignored = {0};
  table->header = true; /* the rest: all but the first */
  status = survey_head(&rest, table, &ignored);
  if (status != SETOSA_OK && status != SETOSA_ERROR_DATA) return error_set(error, status, "%s", ignored.message);
  if (status == SETOSA_ERROR_DATA) TRY(survey_create(&rest, table->count, error));
  size_t label = likely_label(table);
  Evidence evidence = gather(table, first, rest, label);
  if (rest->rows == 0) /* nothing beside it: names are words, all but the label's at least */
    *header = evidence.words > 1 && evidence.words + 1 >= first->count - (evidence.words < first->count);
  else
    *header = (evidence.above_numbers > 0 && evidence.numbers == 0 && (evidence.old_words == 0 || evidence.again == evidence.words)) ||
              evidence.new_label || /* all of them again: tables were put together with their headers */
              (evidence.new_words > 0 && evidence.numbers == 0 && evidence.old_words == 0) || counts_columns(table, first, rest);
cleanup:
  survey_destroy(rest);
  return status;
}

static Status decide(Table *table, const Records *first, size_t others, Error *error) {
  Status status = SETOSA_OK;
  const DataOptions *options = table->reader->options;
  bool named = false, expected = false;
  TRY(options_name_columns(&named, table, first, error));
  TRY(has_expected_names(&expected, options, first, error));
  if (named && options->header == 0)
    TRY(error_set(error, SETOSA_ERROR_USAGE,
                  "%s: a column was named, but there is no header to hold names; give its 1-based index, or leave --no-header out",
                  table->reader->source));
  bool header = options->header == 1 || named || expected || others == first->count + 1;
  if (options->header < 0 && !header) TRY(looks_like_header(&header, table, first, error));
  table->header = options->header != 0 && header;
cleanup:
  return status;
}

static Status take_name(Table *table, NameTable *seen, const Records *first, size_t c, size_t skipped, Error *error) {
  Status status = SETOSA_OK;
  Text name = {0};
  char quoted[QUOTE_SIZE];
  size_t index = 0;
  TableColumn *column = &table->columns[c];
  const Field empty = {"", 0}, *field = c < skipped ? &empty : &first->fields[c - skipped];
  if (!text_is_utf8(field->text, field->length))
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s:%llu:%zu: the column name is not UTF-8 text; convert the file (iconv -f LATIN1 -t UTF-8)",
                  table->head.file, (unsigned long long)first->line, c - skipped + 1));
  column->unnamed = field->length == 0;
  if (column->unnamed)
    TRY(text_append(&name, error, "column%zu", c + 1));
  else
    TRY(text_append_bytes(&name, field->text, field->length, error));
  TRY(name_table_add(seen, name.text, name.length, &index, error));
  if (index != c)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s:%llu:%zu: the column name %s is used twice (first for column %zu); rename one of them",
                  table->head.file, (unsigned long long)first->line, c - skipped + 1, reader_quote(quoted, name.text, name.length),
                  index + 1));
  column->name = name.text;
  name = (Text){0};
cleanup:
  text_free(&name);
  return status;
}

static Status take_names(Table *table, const Records *first, Error *error) {
  Status status = SETOSA_OK;
  NameTable *seen = NULL;
  size_t skipped = table->count - first->count;
  table->header_fields = first->count;
  table->header_line = first->line;
  TRY(name_table_create(&seen, error));
  for (size_t c = 0; c < table->count; c++) TRY(take_name(table, seen, first, c, skipped, error));
cleanup:
  name_table_destroy(seen);
  return status;
}

/* The fields that all records behind the first one have, of some; 0 when they differ, or there are not two that can be read. */
static size_t count_others(const Table *table) {
  enum { LOOKED_AT = 20 };
  Records records = {0};
  bool more = true;
  size_t count = 0, seen = 0;
  records_begin(&records, &table->head, &table->dialect);
  for (; seen < LOOKED_AT; seen++) {
    if (records_next(&records, &more, NULL) != SETOSA_OK) count = 0, more = false;
    if (!more) break;
    if (seen == 1) count = records.count;
    if (seen > 1 && records.count != count) count = 0;
    if (seen >= 1 && count == 0) break;
  }
  records_free(&records);
  return seen >= 3 ? count : 0;
}

Status table_find_header(Table *table, Error *error) {
  Status status = SETOSA_OK;
  Records first = {0};
  bool more = false;
  records_begin(&first, &table->head, &table->dialect);
  TRY(records_next(&first, &more, error));
  if (!more) TRY(error_set(error, SETOSA_ERROR_DATA, "%s: the file is empty; give a file with rows of data", table->reader->source));
  size_t others = count_others(table);
  table->count = others == first.count + 1 && table->reader->options->header != 0 ? others : first.count;
  TRY(memory_allocate_zero((void **)&table->columns, table->count, sizeof *table->columns, "columns", error));
  for (size_t c = 0; c < table->count; c++) table->columns[c].id = TABLE_NONE;
  TRY(decide(table, &first, others, error));
  if (!table->header) table->count = first.count;
  if (table->header) TRY(take_names(table, &first, error));
cleanup:
  records_free(&first);
  return status;
}
