/* What an entry says of its data set beside shape and names:
 *   {"shift": [D numbers], "columns": {...} as a model file has them, "warnings": [texts], "details": [texts]}
 * A member that is not there has nothing to say. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "data/cache.h"

static int add_shift(json_t *description, const Dataset *dataset) {
  json_t *shift = json_array();
  int failed = 0;
  for (size_t d = 0; d < dataset->features; d++) failed |= json_array_append_new(shift, json_real(dataset->shift[d]));
  return failed | json_object_set_new(description, "shift", shift);
}

/* Names of files in them may be no UTF-8. */
static Status add_remarks(json_t *description, const char *key, SetosaRemark kind, const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  json_t *list = json_array();
  int failed = 0;
  for (size_t i = 0; i < dataset->remarks.count; i++) {
    Text text = {0};
    if (dataset->remarks.items[i].kind != kind) continue;
    status = text_append_utf8(&text, dataset->remarks.items[i].text, error);
    if (status == SETOSA_OK) failed |= json_array_append_new(list, json_string(text.text));
    text_free(&text);
    TRY(status);
  }
  if (json_array_size(list) > 0) failed |= json_object_set(description, key, list);
  if (failed) TRY(error_set(error, SETOSA_ERROR_INTERNAL, "out of memory for a cache entry; close other programs"));
cleanup:
  json_decref(list);
  return status;
}

static Status add_columns(json_t *description, const Columns *columns, Error *error) {
  Status status = SETOSA_OK;
  char *text = NULL;
  json_t *object = NULL;
  TRY(columns_to_json(&text, columns, error));
  TRY(json_parse(&object, text, strlen(text), 0, NULL, error));
  if (json_object_set(description, "columns", object) != 0)
    TRY(error_set(error, SETOSA_ERROR_INTERNAL, "out of memory for a cache entry; close other programs"));
cleanup:
  json_decref(object);
  free(text);
  return status;
}

Status cache_describe(char **text, const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  json_t *description = json_object();
  *text = NULL;
  if (description == NULL || (dataset->shift != NULL && add_shift(description, dataset) != 0))
    TRY(error_set(error, SETOSA_ERROR_INTERNAL, "out of memory for a cache entry; close other programs"));
  if (dataset->columns != NULL) TRY(add_columns(description, dataset->columns, error));
  TRY(add_remarks(description, "warnings", SETOSA_REMARK_WARNING, dataset, error));
  TRY(add_remarks(description, "details", SETOSA_REMARK_DETAIL, dataset, error));
  if (json_object_size(description) > 0)
    TRY(json_write(text, description, JSON_COMPACT, error)); /* 17 digits: the same numbers come back */
cleanup:
  json_decref(description);
  return status;
}

static Status take_shift(bool *good, Dataset *dataset, const json_t *shift, Error *error) {
  Status status = SETOSA_OK;
  *good = json_is_array(shift) && json_array_size(shift) == dataset->features;
  if (!*good) return SETOSA_OK;
  TRY(memory_allocate((void **)&dataset->shift, dataset->features, sizeof *dataset->shift, "the shift of the columns", error));
  for (size_t d = 0; d < dataset->features; d++) {
    const json_t *number = json_array_get(shift, d);
    dataset->shift[d] = json_number_value(number);
    *good = *good && json_is_number(number) && isfinite(dataset->shift[d]);
  }
cleanup:
  return status;
}

static Status take_remarks(bool *good, Dataset *dataset, SetosaRemark kind, const json_t *list, Error *error) {
  Status status = SETOSA_OK;
  *good = *good && (list == NULL || json_is_array(list));
  for (size_t i = 0; *good && i < json_array_size(list); i++) {
    const char *text = json_string_value(json_array_get(list, i));
    *good = text != NULL;
    if (*good) TRY(remarks_add(&dataset->remarks, kind, error, "%s", text));
  }
cleanup:
  return status;
}

/* Those of the model where there is one: the key of the entry says that they are the same. */
static Status take_columns(bool *good, Dataset *dataset, const Reader *reader, const json_t *object, Error *error) {
  Status status = SETOSA_OK;
  char *text = NULL;
  Error problem = {0};
  if (reader->options->expect_columns != NULL) {
    dataset->columns = columns_share(reader->options->expect_columns);
    return SETOSA_OK;
  }
  TRY(json_write(&text, object, JSON_COMPACT, error));
  status = columns_from_json(&dataset->columns, text, "the cache", &problem);
  if (status != SETOSA_OK && status != SETOSA_ERROR_DATA) TRY(error_set(error, status, "%s", problem.message));
  *good = status == SETOSA_OK && columns_features(dataset->columns) == dataset->features;
  status = SETOSA_OK;
cleanup:
  free(text);
  return status;
}

Status cache_take_description(bool *good, Dataset *dataset, const Reader *reader, const char *text, Error *error) {
  Status status = SETOSA_OK;
  json_t *description = NULL;
  TRY(json_parse(&description, text, strlen(text), 0, NULL, error));
  *good = json_is_object(description);
  const json_t *shift = json_object_get(description, "shift"), *columns = json_object_get(description, "columns");
  if (*good && shift != NULL) TRY(take_shift(good, dataset, shift, error));
  if (*good && columns != NULL) TRY(take_columns(good, dataset, reader, columns, error));
  TRY(take_remarks(good, dataset, SETOSA_REMARK_WARNING, json_object_get(description, "warnings"), error));
  TRY(take_remarks(good, dataset, SETOSA_REMARK_DETAIL, json_object_get(description, "details"), error));
cleanup:
  json_decref(description);
  return status;
}
