/* Columns as a JSON object, and back:
 *   {"columns": [{"name": "age", "number": 2, "mean": 29.7}, {"name": "sex", "number": 3, "levels": ["female", "male"]}],
 *    "label": 1, "ids": ["ticket"], "missing": "drop", "unseen": "zero", "na": "-9", "separator": ";", "decimal": ","}
 * Columns count from 0, the label from 1. name is left out where the table had no header, mean where it is not known, shift where it is 0,
 * and what was not given. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/names.h"
#include "data/columns.h"

static const json_int_t NUMBER_MOST = 1 << 30; /* of a column: no table has so many */

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* NULL when memory is short, as is what jansson makes of a NULL. */
static json_t *texts_to_json(char *const *texts, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++) {
    if (json_array_append_new(list, json_string(texts[i])) == 0) continue;
    json_decref(list);
    return NULL;
  }
  return list;
}

static json_t *column_to_json(const Column *column) {
  json_t *out = json_object();
  int failed = 0;
  if (column->name != NULL) failed |= json_object_set_new(out, "name", json_string(column->name));
  failed |= json_object_set_new(out, "number", json_integer((json_int_t)column->number));
  if (column->kind == COLUMN_CATEGORICAL) {
    failed |= json_object_set_new(out, "levels", texts_to_json(column->levels, column->level_count));
  } else {
    if (isfinite(column->mean)) failed |= json_object_set_new(out, "mean", json_real(column->mean));
    if (column->shift != 0) failed |= json_object_set_new(out, "shift", json_real(column->shift));
  }
  if (!failed) return out;
  json_decref(out);
  return NULL;
}

Status columns_to_json(char **text, const Columns *columns, Error *error) {
  json_t *out = json_object(), *list = json_array();
  int failed = 0;
  for (size_t i = 0; i < columns->count; i++) failed |= json_array_append_new(list, column_to_json(&columns->columns[i]));
  failed |= json_object_set_new(out, "columns", list);
  if (columns->label > 0) failed |= json_object_set_new(out, "label", json_integer((json_int_t)columns->label));
  if (columns->id_count > 0) failed |= json_object_set_new(out, "ids", texts_to_json(columns->ids, columns->id_count));
  failed |= json_object_set_new(out, "missing", json_string(names_get(missing_names, (size_t)columns->missing)));
  failed |= json_object_set_new(out, "unseen", json_string(names_get(unseen_names, (size_t)columns->unseen)));
  if (columns->na != NULL && columns->na[0] != 0) failed |= json_object_set_new(out, "na", json_string(columns->na));
  if (columns->separator != NULL) failed |= json_object_set_new(out, "separator", json_string(columns->separator));
  if (columns->decimal != NULL) failed |= json_object_set_new(out, "decimal", json_string(columns->decimal));
  Status status = json_write(text, failed ? NULL : out, JSON_COMPACT, error); /* 17 digits: the same numbers come back */
  json_decref(out);
  return status;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static Status refuse(const char *path, const char *what, Error *error) {
  return error_set(error, SETOSA_ERROR_DATA, "%s: the metadata \"columns\" %s; write the model again", path, what);
}

static Status take_text(char **out, const json_t *from, const char *path, Error *error) {
  if (from == NULL) return SETOSA_OK;
  if (json_string_length(from) == 0) return refuse(path, "has something else where a text belongs", error);
  return memory_copy_text(out, json_string_value(from), error);
}

/* *count goes along with what is there, so that it can be freed whatever happens. */
static Status take_texts(char ***out, size_t *count, const json_t *list, const char *path, Error *error) {
  Status status = SETOSA_OK;
  if (!json_is_array(list)) return refuse(path, "has something else where a list of texts belongs", error);
  TRY(memory_allocate_zero((void **)out, json_array_size(list) + 1, sizeof **out, "columns", error));
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *text = json_array_get(list, i);
    if (json_string_length(text) == 0) TRY(refuse(path, "has something else where a list of texts belongs", error));
    TRY(memory_copy_text(&(*out)[i], json_string_value(text), error));
    *count = i + 1;
  }
cleanup:
  return status;
}

static Status take_number(double *out, const json_t *from, const char *path, Error *error) {
  if (from == NULL) return SETOSA_OK;
  if (!json_is_number(from) || !isfinite(json_number_value(from))) return refuse(path, "has something else where a number belongs", error);
  *out = json_number_value(from);
  return SETOSA_OK;
}

static Status take_column(Column *column, const json_t *from, const char *path, Error *error) {
  Status status = SETOSA_OK;
  const json_t *number = json_object_get(from, "number"), *levels = json_object_get(from, "levels");
  if (!json_is_object(from) || !json_is_integer(number) || json_integer_value(number) < 0 || json_integer_value(number) > NUMBER_MOST)
    TRY(refuse(path, "has a column without a number", error));
  column->number = (size_t)json_integer_value(number);
  column->mean = NAN;
  TRY(take_text(&column->name, json_object_get(from, "name"), path, error));
  TRY(take_number(&column->mean, json_object_get(from, "mean"), path, error));
  TRY(take_number(&column->shift, json_object_get(from, "shift"), path, error));
  if (levels == NULL) goto cleanup;
  column->kind = COLUMN_CATEGORICAL;
  TRY(take_texts(&column->levels, &column->level_count, levels, path, error));
  if (column->level_count == 0) TRY(refuse(path, "has a column without levels", error));
  for (size_t l = 1; l < column->level_count; l++)
    if (strcmp(column->levels[l - 1], column->levels[l]) >= 0) TRY(refuse(path, "has levels that are not in their order", error));
cleanup:
  return status;
}

static Status take_choice(int *out, const json_t *from, const char *const *names, const char *path, Error *error) {
  const char *text = json_string_value(from);
  if (from == NULL) return SETOSA_OK;
  for (int i = 0; text != NULL && names[i] != NULL; i++)
    if (strcmp(names[i], text) == 0) {
      *out = i;
      return SETOSA_OK;
    }
  return refuse(path, "has a choice that is none", error);
}

/* Every column is found by its name, or by its number where none has a name; two that are found alike would be read twice. */
static Status check_names(const Columns *columns, const char *path, Error *error) {
  Status status = SETOSA_OK;
  NameTable *names = NULL, *numbers = NULL;
  TRY(name_table_create(&names, error));
  TRY(name_table_create(&numbers, error));
  for (size_t i = 0; i < columns->count; i++) {
    const Column *column = &columns->columns[i];
    char number[24];
    size_t index = 0;
    snprintf(number, sizeof number, "%zu", column->number);
    TRY(name_table_add(numbers, number, strlen(number), &index, error));
    if (index != i) TRY(refuse(path, "has two columns of one number", error));
    if ((column->name == NULL) != (columns->columns[0].name == NULL)) TRY(refuse(path, "names some of the columns only", error));
    if (column->name == NULL) continue;
    TRY(name_table_add(names, column->name, strlen(column->name), &index, error));
    if (index != i) TRY(refuse(path, "has two columns of one name", error));
  }
cleanup:
  name_table_destroy(names);
  name_table_destroy(numbers);
  return status;
}

Status columns_from_json(Columns **out, const char *text, const char *path, Error *error) {
  Status status = SETOSA_OK;
  json_t *document = NULL;
  Columns *columns = NULL;
  int missing = SETOSA_MISSING_DROP, unseen = SETOSA_UNSEEN_ZERO;
  *out = NULL;
  TRY(json_parse(&document, text, strlen(text), 0, NULL, error));
  const json_t *list = json_object_get(document, "columns");
  if (!json_is_array(list)) TRY(refuse(path, "is not a JSON object with a list of columns", error));
  TRY(columns_create(&columns, json_array_size(list), error));
  for (size_t i = 0; i < columns->count; i++) TRY(take_column(&columns->columns[i], json_array_get(list, i), path, error));
  TRY(check_names(columns, path, error));
  const json_t *label = json_object_get(document, "label");
  if (label != NULL && (json_integer_value(label) < 1 || json_integer_value(label) > NUMBER_MOST))
    TRY(refuse(path, "has a label without a number", error));
  columns->label = (size_t)json_integer_value(label);
  if (json_object_get(document, "ids") != NULL)
    TRY(take_texts(&columns->ids, &columns->id_count, json_object_get(document, "ids"), path, error));
  TRY(take_choice(&missing, json_object_get(document, "missing"), missing_names, path, error));
  TRY(take_choice(&unseen, json_object_get(document, "unseen"), unseen_names, path, error));
  columns->missing = (SetosaMissing)missing;
  columns->unseen = (SetosaUnseen)unseen;
  TRY(take_text(&columns->na, json_object_get(document, "na"), path, error));
  TRY(take_text(&columns->separator, json_object_get(document, "separator"), path, error));
  TRY(take_text(&columns->decimal, json_object_get(document, "decimal"), path, error));
  *out = columns;
  columns = NULL;
cleanup:
  json_decref(document);
  columns_release(columns);
  return status;
}
