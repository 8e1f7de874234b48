/* Coefficients out of JSON: those of scikit-learn, or the "model" of our own export. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "exchange/coefficients.h"

static const size_t FILE_MOST = (size_t)1 << 32; /* bytes */

/* ---- values ------------------------------------------------------------------------------------------------------ */

static Status refuse(const char *path, const char *key, const char *what, Error *error) {
  return error_set(error, SETOSA_ERROR_DATA, "%s: %s is %s; write it as the classifier has it, with .tolist()", path, key, what);
}

static Status need(json_t **value, const json_t *document, const char *key, const char *path, Error *error) {
  *value = json_object_get(document, key);
  if (*value != NULL) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_DATA, "%s: has no \"%s\"; needed are coef_, intercept_ and classes_", path, key);
}

/* values (count) from a list of numbers. */
static Status take_numbers(double *values, size_t count, const json_t *list, const char *path, const char *key, Error *error) {
  Status status = SETOSA_OK;
  if (!json_is_array(list)) TRY(refuse(path, key, "no list of numbers", error));
  if (json_array_size(list) != count)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: %s has a list of %zu numbers where %zu belong; write it again", path, key,
                  json_array_size(list), count));
  for (size_t i = 0; i < count; i++) {
    const json_t *value = json_array_get(list, i);
    if (!json_is_number(value)) TRY(refuse(path, key, "no list of numbers alone", error));
    values[i] = json_number_value(value);
    if (!isfinite(values[i])) TRY(refuse(path, key, "not finite", error));
  }
cleanup:
  return status;
}

/* *values (rows, columns) from a list of lists of one length. */
static Status take_matrix(double **values, size_t *rows, size_t *columns, const json_t *list, const char *path, const char *key,
                          Error *error) {
  Status status = SETOSA_OK;
  size_t count = 0;
  *rows = json_array_size(list);
  *columns = json_array_size(json_array_get(list, 0));
  if (*rows == 0 || *columns == 0) TRY(refuse(path, key, "no list of lists of numbers", error));
  TRY(memory_multiply(&count, *rows, *columns, "coefficients", error));
  for (size_t i = 0; i < *rows; i++) /* before there is room: rows that are short would have it be much for little */
    if (json_array_size(json_array_get(list, i)) != *columns) TRY(refuse(path, key, "a list of lists that differ in length", error));
  TRY(memory_allocate((void **)values, count, sizeof **values, "coefficients", error));
  for (size_t i = 0; i < *rows; i++) TRY(take_numbers(*values + i * *columns, *columns, json_array_get(list, i), path, key, error));
cleanup:
  return status;
}

/* A class or feature may be a text, a whole number or a truth value. */
static Status take_name(char **name, const json_t *value, const char *path, const char *key, Error *error) {
  char number[32];
  if (json_is_string(value) && json_string_length(value) > 0) return memory_copy_text(name, json_string_value(value), error);
  if (json_is_boolean(value)) return memory_copy_text(name, json_is_true(value) ? "True" : "False", error);
  if (!json_is_integer(value)) return refuse(path, key, "no list of names (texts or whole numbers)", error);
  snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
  return memory_copy_text(name, number, error);
}

static Status take_names(char ***names, size_t *count, const json_t *list, const char *path, const char *key, Error *error) {
  Status status = SETOSA_OK;
  if (!json_is_array(list) || json_array_size(list) == 0) return refuse(path, key, "no list of names", error);
  TRY(memory_allocate_zero((void **)names, json_array_size(list), sizeof **names, "names", error));
  *count = json_array_size(list);
  for (size_t i = 0; i < *count; i++) TRY(take_name(&(*names)[i], json_array_get(list, i), path, key, error));
cleanup:
  return status;
}

/* ---- scikit-learn's ---------------------------------------------------------------------------------------------- */

static Status take_coef(Coefficients *c, const json_t *list, const char *path, Error *error) {
  if (!json_is_number(json_array_get(list, 0))) return take_matrix(&c->coef, &c->rows, &c->features, list, path, "coef_", error);
  c->rows = 1; /* one row without the list around it */
  c->features = json_array_size(list);
  Status status = memory_allocate((void **)&c->coef, c->features, sizeof *c->coef, "coefficients", error);
  return status == SETOSA_OK ? take_numbers(c->coef, c->features, list, path, "coef_", error) : status;
}

static Status take_intercept(Coefficients *c, json_t *value, const char *path, Error *error) {
  Status status = SETOSA_OK;
  json_t *list = json_is_number(value) ? json_pack("[O]", value) : json_incref(value);
  c->intercepts = json_array_size(list);
  if (list == NULL) TRY(error_set(error, SETOSA_ERROR_INTERNAL, "out of memory for intercepts; close other programs"));
  if (c->intercepts == 0) TRY(refuse(path, "intercept_", "no list of numbers", error));
  TRY(memory_allocate((void **)&c->intercept, c->intercepts, sizeof *c->intercept, "intercepts", error));
  TRY(take_numbers(c->intercept, c->intercepts, list, path, "intercept_", error));
cleanup:
  json_decref(list);
  return status;
}

static Status take_coefficients(Model **model, const json_t *document, const char *path, Error *error) {
  Status status = SETOSA_OK;
  Coefficients c = {0};
  json_t *value = NULL;
  TRY(need(&value, document, "coef_", path, error));
  TRY(take_coef(&c, value, path, error));
  TRY(need(&value, document, "intercept_", path, error));
  TRY(take_intercept(&c, value, path, error));
  TRY(need(&value, document, "classes_", path, error));
  TRY(take_names(&c.classes, &c.class_count, value, path, "classes_", error));
  value = json_object_get(document, "feature_names_in_");
  if (value != NULL && !json_is_null(value)) TRY(take_names(&c.names, &c.name_count, value, path, "feature_names_in_", error));
  TRY(coefficients_to_model(model, &c, path, error));
cleanup:
  coefficients_free(&c);
  return status;
}

/* ---- our own ----------------------------------------------------------------------------------------------------- */

static Status take_vector(double **values, const json_t *from, const char *key, size_t count, const char *path, Error *error) {
  const json_t *list = json_object_get(from, key);
  if (list == NULL) return SETOSA_OK;
  Status status = memory_allocate((void **)values, count, sizeof **values, key, error);
  return status == SETOSA_OK ? take_numbers(*values, count, list, path, key, error) : status;
}

static Status take_description(Model *model, json_t *from, const char *path, Error *error) {
  Status status = SETOSA_OK;
  MetadataPair *pairs = NULL;
  const char *key = NULL;
  json_t *value = NULL;
  size_t count = 0;
  TRY(memory_allocate((void **)&pairs, json_object_size(from) + 1, sizeof *pairs, "metadata", error));
  json_object_foreach(from, key, value) {
    if (!json_is_string(value)) TRY(refuse(path, "the metadata of the model", "not all text", error));
    pairs[count++] = (MetadataPair){key, json_string_value(value)};
  }
  TRY(model_take_description(model, pairs, count, path, error));
cleanup:
  free(pairs);
  return status;
}

static Status take_model(Model **model, const json_t *from, const char *path, Error *error) {
  Status status = SETOSA_OK;
  Model *made = NULL;
  double *weights = NULL, *bias = NULL;
  size_t classes = 0, features = 0;
  TRY(take_matrix(&weights, &classes, &features, json_object_get(from, "weights"), path, "weights", error));
  if (classes < 2) TRY(refuse(path, "weights", "of one class alone", error));
  TRY(model_allocate(&made, features, classes, error));
  for (size_t i = 0; i < classes * features; i++) {
    made->weights[i] = fabs(weights[i]) < 3.5e38 ? (float)weights[i] : INFINITY;
    if (!isfinite(made->weights[i])) TRY(refuse(path, "weights", "more than f32 holds", error));
  }
  TRY(take_vector(&bias, from, "bias", classes, path, error));
  if (bias != NULL) memcpy(made->bias, bias, classes * sizeof *bias);
  TRY(take_vector(&made->scaling.offset, from, "feature_offset", features, path, error));
  TRY(take_vector(&made->scaling.scale, from, "feature_scale", features, path, error));
  if ((made->scaling.offset == NULL) != (made->scaling.scale == NULL))
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: has only one of feature_offset and feature_scale; export the model again", path));
  TRY(take_vector(&made->shift, from, "feature_shift", features, path, error));
  TRY(take_vector(&made->mean, from, "feature_mean", features, path, error));
  TRY(take_description(made, json_object_get(from, "metadata"), path, error));
  *model = made;
  made = NULL;
cleanup:
  free(weights);
  free(bias);
  setosa_model_destroy(made);
  return status;
}

Status import_json(Model **model, const char *path, Error *error) {
  Status status = SETOSA_OK;
  unsigned char *bytes = NULL;
  size_t length = 0;
  json_t *document = NULL;
  json_error_t problem;
  *model = NULL;
  TRY(file_read_all(&bytes, &length, path, FILE_MOST, error));
  TRY(json_parse(&document, (const char *)bytes, length, JSON_REJECT_DUPLICATES, &problem, error));
  if (document == NULL)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s:%d:%d: is no JSON: %s; write it with json.dump, without NaN", path, problem.line,
                  problem.column, problem.text));
  const json_t *own = json_object_get(document, "model");
  if (own != NULL)
    TRY(take_model(model, own, path, error));
  else
    TRY(take_coefficients(model, document, path, error));
cleanup:
  json_decref(document);
  free(bytes);
  return status;
}
