/* A model as a safetensors file: tensors "weights" (K,D), "bias" (K), with scaling "feature_offset" (D) and "feature_scale" (D) in f64, of
 * shifted columns "feature_shift" (D) and the bias in f64, and "feature_mean" (D) of the training rows. Names, temperature and provenance
 * as text in its metadata, lists of names as JSON. Any safetensors file with such weights is a model. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/model.h"
#include "model/safetensors.h"

/* Metadata that the model keeps in fields of its own. */
static bool is_own_key(const char *key) {
  static const char *const keys[] = {"format",       "class_names", "feature_names", "columns",   "label_name",
                                     "weights_name", "positive",    "index_base",    "hash_bits", "temperature"};
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
    if (strcmp(key, keys[i]) == 0) return true;
  return false;
}

/* ---- saving ---- */

/* *text = ["a","b",...]; free() it. */
static Status names_to_json(char **text, char *const *names, size_t count, Error *error) {
  *text = NULL;
  for (size_t i = 0; i < count; i++)
    if (!text_is_utf8(names[i], strlen(names[i])))
      return error_set(error, SETOSA_ERROR_WRITE, "the model's names cannot be written: one is not UTF-8; rename it");
  json_t *list = json_array();
  int failed = 0;
  for (size_t i = 0; i < count && !failed; i++) failed = json_array_append_new(list, json_string(names[i]));
  Status status = json_write(text, failed ? NULL : list, JSON_COMPACT, error);
  json_decref(list);
  return status;
}

static Status not_finite(const char *path, const char *what, size_t i, Error *error) {
  return error_set(error, SETOSA_ERROR_USAGE, "%s: not written: value %zu of the %s is not finite; train with a smaller learning rate",
                   path, i, what);
}

static Status check_finite(const char *path, const Model *model, Error *error) {
  for (size_t i = 0; i < model->classes * model->features; i++)
    if (!isfinite(model->weights[i])) return not_finite(path, "weights", i, error);
  for (size_t k = 0; k < model->classes; k++)
    if (!isfinite(model->bias[k])) return not_finite(path, "bias", k, error);
  return SETOSA_OK;
}

static void add_pair(ModelDescription *description, const char *key, const char *value) {
  if (value != NULL) description->pairs[description->count++] = (MetadataPair){key, value};
}

Status model_describe(ModelDescription *description, const Model *model, Error *error) {
  Status status = SETOSA_OK;
  bool has_version = false;
  *description = (ModelDescription){0};
  TRY(memory_allocate((void **)&description->pairs, model->metadata_count + 11, sizeof *description->pairs, "metadata", error));
  add_pair(description, "format", "setosa");
  for (size_t i = 0; i < model->metadata_count; i++) has_version |= strcmp(model->metadata[i].key, "version") == 0;
  if (!has_version) add_pair(description, "version", SETOSA_VERSION);
  for (size_t i = 0; i < model->metadata_count; i++)
    if (!is_own_key(model->metadata[i].key)) add_pair(description, model->metadata[i].key, model->metadata[i].value);
  TRY(names_to_json(&description->class_names, model->class_names, model->classes, error));
  add_pair(description, "class_names", description->class_names);
  if (model->feature_names != NULL) TRY(names_to_json(&description->feature_names, model->feature_names, model->features, error));
  add_pair(description, "feature_names", description->feature_names);
  if (model->columns != NULL) TRY(columns_to_json(&description->columns, model->columns, error));
  add_pair(description, "columns", description->columns);
  add_pair(description, "label_name", model->label_name);
  add_pair(description, "weights_name", model->weights_name);
  add_pair(description, "positive", model->positive);
  if (model->index_base >= 0) add_pair(description, "index_base", model->index_base == 0 ? "0" : "1");
  snprintf(description->hash_bits, sizeof description->hash_bits, "%u", model->hash_bits);
  if (model->hash_bits > 0) add_pair(description, "hash_bits", description->hash_bits);
  snprintf(description->temperature, sizeof description->temperature, "%.17g", model->temperature);
  if (model->temperature != 1) add_pair(description, "temperature", description->temperature);
cleanup:
  if (status != SETOSA_OK) model_description_free(description);
  return status;
}

void model_description_free(ModelDescription *description) {
  free(description->pairs);
  free(description->class_names);
  free(description->feature_names);
  free(description->columns);
  *description = (ModelDescription){0};
}

SetosaStatus setosa_model_save(const SetosaModel *model, const char *path, SetosaError *error) {
  Status status = SETOSA_OK;
  ModelDescription description = {0};
  size_t features = setosa_model_features(model), classes = setosa_model_classes(model), tensors_count = 2;
  TRY(arguments_check(error, GIVEN(model), GIVEN(path)));
  TRY(check_finite(path, model, error));
  TRY(model_describe(&description, model, error));
  TensorSource tensors[6] = {{"weights", TENSOR_F32, 2, {classes, features}, model->weights, NULL},
                             {"bias", model_bias_is_wide(model) ? TENSOR_F64 : TENSOR_F32, 1, {classes, 1}, NULL, model->bias}};
  if (model->scaling.scale != NULL) {
    tensors[tensors_count++] = (TensorSource){"feature_offset", TENSOR_F64, 1, {features, 1}, NULL, model->scaling.offset};
    tensors[tensors_count++] = (TensorSource){"feature_scale", TENSOR_F64, 1, {features, 1}, NULL, model->scaling.scale};
  }
  if (model->shift != NULL) tensors[tensors_count++] = (TensorSource){"feature_shift", TENSOR_F64, 1, {features, 1}, NULL, model->shift};
  if (model->mean != NULL)
    tensors[tensors_count++] =
        (TensorSource){"feature_mean", model->shift != NULL ? TENSOR_F64 : TENSOR_F32, 1, {features, 1}, NULL, model->mean};
  TRY(safetensors_save(path, description.pairs, description.count, tensors, tensors_count, error));
cleanup:
  model_description_free(&description);
  return status;
}

/* ---- loading ---- */

/* names (count): what the JSON list `text` holds. Those that are there already are replaced. */
static Status names_from_json(char **names, size_t count, const char *key, const char *text, const char *path, Error *error) {
  Status status = SETOSA_OK;
  json_t *list = NULL;
  TRY(json_parse(&list, text, strlen(text), 0, NULL, error));
  if (!json_is_array(list))
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: the metadata \"%s\" is not a JSON list of names; write the model again", path, key));
  if (json_array_size(list) != count)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: the metadata \"%s\" has %zu names but the weights are for %zu; write the model again",
                  path, key, json_array_size(list), count));
  for (size_t i = 0; i < count; i++) {
    const char *name = json_string_value(json_array_get(list, i));
    if (name == NULL)
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s: name %zu of the metadata \"%s\" is not a string; write the model again", path, i, key));
    free(names[i]);
    TRY(memory_copy_text(&names[i], name, error));
  }
cleanup:
  json_decref(list);
  return status;
}

Status model_check_class_names(char *const *names, size_t count, const char *path, Error *error) {
  NameTable *table = NULL;
  Status status = SETOSA_OK;
  TRY(name_table_create(&table, error));
  for (size_t i = 0; i < count; i++) {
    size_t index = 0;
    TRY(name_table_add(table, names[i], strlen(names[i]), &index, error));
    if (index != i)
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s: classes %zu and %zu have the same name \"%.60s\"; rename one", path, index, i,
                    names[i]));
  }
cleanup:
  name_table_destroy(table);
  return status;
}

/* The keys of a file are distinct already, so nothing is looked up: a header of a million pairs costs a million steps. */
static Status append_metadata(Model *model, const MetadataPair *pair, Error *error) {
  Status status = SETOSA_OK;
  char *key = NULL, *value = NULL;
  TRY(memory_grow((void **)&model->metadata, &model->metadata_capacity, model->metadata_count + 1, sizeof *model->metadata, "metadata",
                  error));
  TRY(memory_copy_text(&key, pair->key, error));
  TRY(memory_copy_text(&value, pair->value, error));
  model->metadata[model->metadata_count++] = (ModelMetadata){key, value};
  key = NULL;
cleanup:
  free(key);
  return status;
}

/* As many columns as so many bits can name. */
static Status load_hash_bits(Model *model, const char *text, const char *path, Error *error) {
  int64_t bits = 0;
  if (!text_parse_int64(text, strlen(text), &bits) || bits < 1 || bits > 30 || model->features != (size_t)1 << bits)
    return error_set(error, SETOSA_ERROR_DATA,
                     "%s: the metadata \"hash_bits\" are \"%.20s\" but the weights are for %zu features; write the model again", path, text,
                     model->features);
  model->hash_bits = (unsigned)bits;
  return SETOSA_OK;
}

static Status load_temperature(Model *model, const char *text, const char *path, Error *error) {
  if (text_parse_double(text, strlen(text), &model->temperature) && isfinite(model->temperature) && model->temperature > 0)
    return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_DATA, "%s: the metadata \"temperature\" is \"%.20s\", no number above 0; write the model again",
                   path, text);
}

Status model_take_description(Model *model, const MetadataPair *pairs, size_t count, const char *path, Error *error) {
  Status status = SETOSA_OK;
  for (const MetadataPair *pair = pairs; pair < pairs + count; pair++) {
    if (strcmp(pair->key, "class_names") == 0) {
      TRY(names_from_json(model->class_names, model->classes, pair->key, pair->value, path, error));
      TRY(model_check_class_names(model->class_names, model->classes, path, error));
    } else if (strcmp(pair->key, "feature_names") == 0) {
      TRY(memory_allocate_zero((void **)&model->feature_names, model->features, sizeof *model->feature_names, "feature names", error));
      TRY(names_from_json(model->feature_names, model->features, pair->key, pair->value, path, error));
    } else if (strcmp(pair->key, "columns") == 0) {
      TRY(columns_from_json(&model->columns, pair->value, path, error));
      if (columns_features(model->columns) != model->features)
        TRY(error_set(error, SETOSA_ERROR_DATA,
                      "%s: the metadata \"columns\" make %zu features but the weights are for %zu; write the model again", path,
                      columns_features(model->columns), model->features));
    } else if (strcmp(pair->key, "label_name") == 0) {
      TRY(memory_copy_text(&model->label_name, pair->value, error));
    } else if (strcmp(pair->key, "weights_name") == 0) {
      TRY(memory_copy_text(&model->weights_name, pair->value, error));
    } else if (strcmp(pair->key, "positive") == 0) {
      TRY(memory_copy_text(&model->positive, pair->value, error));
    } else if (strcmp(pair->key, "index_base") == 0) {
      if (strcmp(pair->value, "0") != 0 && strcmp(pair->value, "1") != 0)
        TRY(error_set(error, SETOSA_ERROR_DATA, "%s: the metadata \"index_base\" are \"%.20s\", not 0 or 1; write the model again", path,
                      pair->value));
      model->index_base = pair->value[0] - '0';
    } else if (strcmp(pair->key, "hash_bits") == 0) {
      TRY(load_hash_bits(model, pair->value, path, error));
    } else if (strcmp(pair->key, "temperature") == 0) {
      TRY(load_temperature(model, pair->value, path, error));
    } else if (!is_own_key(pair->key)) {
      TRY(append_metadata(model, pair, error));
    }
  }
  if (model->positive != NULL && (model->classes != 2 || strcmp(model->positive, model->class_names[0]) != 0))
    TRY(error_set(error, SETOSA_ERROR_DATA,
                  "%s: the metadata \"positive\" names \"%.60s\" but that is not the first of two classes; write the model again", path,
                  model->positive));
cleanup:
  return status;
}

static Status load_metadata(Model *model, const SafetensorsFile *file, const char *path, Error *error) {
  size_t count = 0;
  while (safetensors_metadata(file, count) != NULL) count++;
  return model_take_description(model, safetensors_metadata(file, 0), count, path, error);
}

/* values (length) from the vector `name`. */
static Status load_vector(SafetensorsFile *file, const char *path, const Tensor *tensor, double *values, size_t length, Error *error) {
  Status status = SETOSA_OK;
  if (tensor->dimensions != 1 || tensor->count != length)
    return error_set(error, SETOSA_ERROR_DATA, "%s: tensor \"%s\" is not of shape (%zu) as the weights say; write the model again", path,
                     tensor->name, length);
  TRY(safetensors_read_doubles(file, tensor, values, error));
  for (size_t i = 0; i < length; i++)
    if (!isfinite(values[i]))
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s: tensor \"%.60s\": value %zu is not a finite number; train the model again", path,
                    tensor->name, i));
cleanup:
  return status;
}

static Status load_scaling(Model *model, SafetensorsFile *file, const char *path, Error *error) {
  Status status = SETOSA_OK;
  const Tensor *offset = safetensors_find(file, "feature_offset"), *scale = safetensors_find(file, "feature_scale");
  if (offset == NULL && scale == NULL) return SETOSA_OK;
  if (offset == NULL || scale == NULL)
    return error_set(error, SETOSA_ERROR_DATA,
                     "%s: has only one of the tensors \"feature_offset\" and \"feature_scale\"; write the model again", path);
  TRY(memory_allocate_zero((void **)&model->scaling.offset, model->features, sizeof(double), "the scaling", error));
  TRY(memory_allocate_zero((void **)&model->scaling.scale, model->features, sizeof(double), "the scaling", error));
  TRY(load_vector(file, path, offset, model->scaling.offset, model->features, error));
  TRY(load_vector(file, path, scale, model->scaling.scale, model->features, error));
cleanup:
  return status;
}

/* *values (D) of a tensor that may be missing: NULL. */
static Status load_optional(double **values, const char *name, const Model *model, SafetensorsFile *file, const char *path, Error *error) {
  Status status = SETOSA_OK;
  const Tensor *tensor = safetensors_find(file, name);
  if (tensor == NULL) return SETOSA_OK;
  TRY(memory_allocate_zero((void **)values, model->features, sizeof **values, name, error));
  TRY(load_vector(file, path, tensor, *values, model->features, error));
cleanup:
  return status;
}

SetosaStatus setosa_model_load(SetosaModel **model, const char *path, SetosaError *error) {
  Status status = SETOSA_OK;
  SafetensorsFile *file = NULL;
  Model *loaded = NULL;
  if (model != NULL) *model = NULL;
  TRY(arguments_check(error, GIVEN(model), GIVEN(path)));
  TRY(safetensors_open(&file, path, error));
  const Tensor *weights = safetensors_find(file, "weights"), *bias = safetensors_find(file, "bias");
  if (weights == NULL) {
    status = error_set(error, SETOSA_ERROR_DATA,
                       "%s: has no tensor \"weights\" of shape (classes,features); name a model that `train` wrote", path);
    goto cleanup;
  }
  if (weights->dimensions != 2 || weights->shape[0] < 2 || weights->shape[1] < 1)
    TRY(error_set(error, SETOSA_ERROR_DATA,
                  "%s: tensor \"weights\" is not of shape (classes,features) with 2 classes and 1 feature or more; write the model again",
                  path));
  TRY(safetensors_check_type(file, weights, error)); /* only of a type we know is the shape bounded by the length of the file */
  TRY(model_allocate(&loaded, weights->shape[1], weights->shape[0], error));
  TRY(safetensors_read(file, weights, loaded->weights, error));
  if (bias != NULL) TRY(load_vector(file, path, bias, loaded->bias, loaded->classes, error));
  TRY(load_scaling(loaded, file, path, error));
  TRY(load_optional(&loaded->shift, "feature_shift", loaded, file, path, error));
  TRY(load_optional(&loaded->mean, "feature_mean", loaded, file, path, error));
  TRY(load_metadata(loaded, file, path, error));
  *model = loaded;
  loaded = NULL;
cleanup:
  setosa_model_destroy(loaded);
  safetensors_close(file);
  return status;
}
