/* Names and shapes of a table's columns. */
#include "data/table/table.h"

#include <stdio.h>
#include <string.h>

const char *table_column_name(char room[TABLE_NAME], const Table *table, size_t column) {
  const char *name = table->columns[column].name;
  if (name == NULL)
    snprintf(room, TABLE_NAME, "%zu", column + 1);
  else
    reader_quote(room, name, strlen(name));
  return room;
}

const char *table_plain_name(char room[TABLE_NAME], const Table *table, size_t column) {
  table_column_name(room, table, column);
  if (table->columns[column].name == NULL) return room;
  room[strlen(room) - 1] = '\0';
  return room + 1;
}

const char *table_name_of(const void *user, size_t column) {
  const Table *table = user;
  return column < table->count ? table->columns[column].name : NULL;
}

Status table_append_option_name(Text *text, const Table *table, size_t column, Error *error) {
  const char *name = table->columns[column].name;
  /* A name that a list of names or a shell would take apart is given by its number. */
  if (name == NULL || name[0] == '-' || strcspn(name, "," TABLE_SHELL_SPECIAL) != strlen(name) || table_find(table, name) != column)
    return text_append(text, error, "%zu", column + 1);
  return text_append(text, error, "%s", name);
}

size_t table_find(const Table *table, const char *name) {
  for (size_t c = 0; name != NULL && c < table->count; c++)
    if (table->columns[c].name != NULL && strcmp(table->columns[c].name, name) == 0) return c;
  return TABLE_NONE;
}

/* Below so many features, or with more of them not 0, rows with all their zeros take little more room and go through faster products. */
enum { MANY_FEATURES = 500, FEATURES_AN_ENTRY = 20 };

bool table_is_sparse(const Table *table) {
  SetosaSparse sparse = table->reader->options->sparse;
  if (sparse != SETOSA_SPARSE_AUTO) return sparse == SETOSA_SPARSE_ALWAYS;
  return table->features > MANY_FEATURES && table->features / FEATURES_AN_ENTRY > table->order_count;
}

Status table_check_record(const Table *table, const Records *records, Error *error) {
  const char *file = records->part->file;
  unsigned long long line = records->line;
  if (records->count == table->count) return SETOSA_OK;
  if (records->count > table->count)
    return error_set(
        error, SETOSA_ERROR_DATA,
        "%s:%llu:%zu: the row has %zu fields, %zu are expected; quote fields that hold commas, and write decimals with a point", file, line,
        table->count + 1, records->count, table->count);
  char name[TABLE_NAME], column[TABLE_NAME + 16] = "";
  if (table->columns[records->count].name != NULL)
    snprintf(column, sizeof column, " (column %s)", table_column_name(name, table, records->count));
  return error_set(error, SETOSA_ERROR_DATA, "%s:%llu:%zu: the row ends after %zu field%s, %zu are expected%s; complete or remove it", file,
                   line, records->count + 1, records->count, records->count == 1 ? "" : "s", table->count, column);
}

Status table_check_header(const Table *table, const Records *records, Error *error) {
  const TextPart *part = records->part;
  char quoted[QUOTE_SIZE], name[TABLE_NAME];
  if (part->index == table->head.index) return SETOSA_OK;
  if (records->count != table->header_fields)
    return error_set(error, SETOSA_ERROR_DATA, "%s:%llu: has %zu columns, but %s has %zu; read files together that have the same columns",
                     part->file, (unsigned long long)records->line, records->count, table->head.file, table->header_fields);
  size_t skipped = table->count - table->header_fields;
  for (size_t i = 0; i < records->count; i++) {
    const Field *field = &records->fields[i];
    const TableColumn *column = &table->columns[i + skipped];
    bool same = column->unnamed ? field->length == 0
                                : strlen(column->name) == field->length && memcmp(column->name, field->text, field->length) == 0;
    if (!same)
      return error_set(error, SETOSA_ERROR_DATA,
                       "%s:%llu:%zu: the column is called %s, but %s in %s; read files together that have the same columns", part->file,
                       (unsigned long long)records->line, i + 1, reader_quote(quoted, field->text, field->length),
                       table_column_name(name, table, i + skipped), table->head.file);
  }
  return SETOSA_OK;
}
