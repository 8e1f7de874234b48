/* The model object: shape, arrays, names, provenance. Files are model_file.c's. */
#include "model/model.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/shift.h"
#include "model/little_endian.h"

static void destroy_names(char **names, size_t count) {
  for (size_t i = 0; names != NULL && i < count; i++) free(names[i]);
  free(names);
}

void setosa_model_destroy(SetosaModel *model) {
  if (model == NULL) return;
  free(model->weights);
  free(model->bias);
  scaling_free(&model->scaling);
  free(model->shift);
  free(model->mean);
  destroy_names(model->class_names, model->classes);
  destroy_names(model->feature_names, model->features);
  columns_release(model->columns);
  free(model->label_name);
  free(model->weights_name);
  free(model->positive);
  for (size_t i = 0; i < model->metadata_count; i++) {
    free(model->metadata[i].key);
    free(model->metadata[i].value);
  }
  free(model->metadata);
  free(model);
}

/* names (count) = "0", "1", ... */
static Status name_by_index(char ***names, size_t count, Error *error) {
  Status status = SETOSA_OK;
  TRY(memory_allocate_zero((void **)names, count, sizeof **names, "class names", error));
  for (size_t i = 0; i < count; i++) {
    char text[24];
    snprintf(text, sizeof text, "%zu", i);
    TRY(memory_copy_text(&(*names)[i], text, error));
  }
cleanup:
  return status;
}

Status model_allocate(Model **model, size_t features, size_t classes, Error *error) {
  Status status = SETOSA_OK;
  Model *made = NULL;
  size_t weight_count = 0;
  *model = NULL;
  if (features < 1) {
    error_set(error, SETOSA_ERROR_USAGE, "a model needs at least 1 feature; give it data with a feature column");
    return SETOSA_ERROR_USAGE;
  }
  if (classes < 2) {
    error_set(error, SETOSA_ERROR_USAGE, "a model needs at least 2 classes, not %zu; give it data with two different labels", classes);
    return SETOSA_ERROR_USAGE;
  }
  TRY(memory_multiply(&weight_count, classes, features, "weights", error));
  TRY(memory_allocate_zero((void **)&made, 1, sizeof *made, "a model", error));
  made->features = features;
  made->classes = classes;
  made->temperature = 1;
  made->index_base = -1;
  TRY(memory_allocate_zero((void **)&made->weights, weight_count, sizeof(float), "weights", error));
  TRY(memory_allocate_zero((void **)&made->bias, classes, sizeof *made->bias, "bias", error));
  TRY(name_by_index(&made->class_names, classes, error));
  *model = made;
  made = NULL;
cleanup:
  setosa_model_destroy(made);
  return status;
}

/* The first index whose value is not finite, or count. */
static size_t first_not_finite(const float *values, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!isfinite(values[i])) return i;
  return count;
}

SetosaStatus setosa_model_create(SetosaModel **model, size_t features, size_t classes, const float *weights, const float *bias,
                                 SetosaError *error) {
  Status status = SETOSA_OK;
  Model *made = NULL;
  if (model != NULL) *model = NULL;
  TRY(arguments_check(error, GIVEN(model), GIVEN(weights)));
  TRY(model_allocate(&made, features, classes, error));
  size_t bad = first_not_finite(weights, features * classes);
  if (bad < features * classes)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "weight %zu of class %zu is not finite; pass finite numbers", bad % features, bad / features));
  memcpy(made->weights, weights, features * classes * sizeof *weights);
  if (bias != NULL) {
    bad = first_not_finite(bias, classes);
    if (bad < classes) TRY(error_set(error, SETOSA_ERROR_USAGE, "the bias of class %zu is not finite; pass finite numbers", bad));
    for (size_t k = 0; k < classes; k++) made->bias[k] = bias[k];
  }
  *model = made;
  made = NULL;
cleanup:
  setosa_model_destroy(made);
  return status;
}

/* A model file holds names as UTF-8: say so before the training rather than when the result is saved. */
static Status copy_name(char **out, const char *name, const char *what, const Dataset *dataset, Error *error) {
  if (name != NULL && !text_is_utf8(name, strlen(name)))
    return error_set(error, SETOSA_ERROR_DATA,
                     "%s: the %s \"%s\" is not UTF-8, which a model file needs; convert the data (iconv -t UTF-8)", dataset_source(dataset),
                     what, name);
  free(*out);
  return memory_copy_text(out, name, error);
}

/* As the training rows were read: a scaling has taken the shift in, and to be right for rows that are few or many it is the same again. */
static Status take_shift(Model *model, const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  const Scaling *scaling = dataset_scaling(dataset);
  const double *shift = setosa_dataset_shift(dataset);
  bool any = false;
  if (shift == NULL && scaling->scale == NULL) return SETOSA_OK;
  TRY(memory_allocate_zero((void **)&model->shift, model->features, sizeof *model->shift, "the shift of the columns", error));
  for (size_t d = 0; d < model->features; d++) {
    double scale = scaling->scale != NULL ? scaling->scale[d] : 1, spread = 1 / fabs(scale);
    if (shift != NULL && scale != 0)
      model->shift[d] = (scaling->scale != NULL ? scaling->offset[d] : 0) + shift[d] / scale;
    else if (scaling->scale != NULL)
      model->shift[d] = shift_choose(scaling->offset[d], spread, scaling->offset[d] - spread, scaling->offset[d] + spread);
    any = any || model->shift[d] != 0;
  }
  if (!any) {
    free(model->shift);
    model->shift = NULL;
  }
cleanup:
  return status;
}

Status model_create_for(Model **model, const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  Model *made = NULL;
  DataShape shape = dataset_shape(dataset);
  const Scaling *scaling = dataset_scaling(dataset);
  *model = NULL;
  TRY(model_allocate(&made, shape.features, shape.classes, error));
  for (size_t k = 0; setosa_dataset_class_name(dataset, 0) != NULL && k < made->classes; k++)
    TRY(copy_name(&made->class_names[k], setosa_dataset_class_name(dataset, k), "class name", dataset, error));
  if (setosa_dataset_feature_name(dataset, 0) != NULL) {
    TRY(memory_allocate_zero((void **)&made->feature_names, made->features, sizeof *made->feature_names, "feature names", error));
    for (size_t d = 0; d < made->features; d++)
      TRY(copy_name(&made->feature_names[d], setosa_dataset_feature_name(dataset, d), "feature name", dataset, error));
  }
  made->columns = columns_share(setosa_dataset_columns(dataset));
  made->index_base = setosa_dataset_index_base(dataset);
  made->hash_bits = (unsigned)setosa_dataset_hash_features(dataset);
  TRY(copy_name(&made->label_name, setosa_dataset_label_name(dataset), "label name", dataset, error));
  TRY(copy_name(&made->weights_name, setosa_dataset_weights_name(dataset), "name of the weights", dataset, error));
  TRY(copy_name(&made->positive, dataset_positive(dataset), "class name", dataset, error));
  TRY(take_shift(made, dataset, error));
  if (scaling->scale != NULL) TRY(scaling_copy(&made->scaling, made->features, scaling->offset, scaling->scale, error));
  *model = made;
  made = NULL;
cleanup:
  setosa_model_destroy(made);
  return status;
}

size_t setosa_model_features(const SetosaModel *model) { return model != NULL ? model->features : 0; }
size_t setosa_model_classes(const SetosaModel *model) { return model != NULL ? model->classes : 0; }
const float *setosa_model_weights(const SetosaModel *model) { return model != NULL ? model->weights : NULL; }
const double *setosa_model_bias(const SetosaModel *model) { return model != NULL ? model->bias : NULL; }
const double *setosa_model_offset(const SetosaModel *model) { return model != NULL ? model->scaling.offset : NULL; }
const double *setosa_model_scale(const SetosaModel *model) { return model != NULL ? model->scaling.scale : NULL; }
const double *setosa_model_mean(const SetosaModel *model) { return model != NULL ? model->mean : NULL; }
double setosa_model_temperature(const SetosaModel *model) { return model != NULL ? model->temperature : 0; }
const SetosaColumns *setosa_model_columns(const SetosaModel *model) { return model != NULL ? model->columns : NULL; }
const char *setosa_model_class_name(const SetosaModel *model, size_t class_index) {
  return model != NULL && class_index < model->classes ? model->class_names[class_index] : NULL;
}
const char *setosa_model_feature_name(const SetosaModel *model, size_t feature) {
  return model != NULL && model->feature_names != NULL && feature < model->features ? model->feature_names[feature] : NULL;
}

bool setosa_model_metadata(const SetosaModel *model, size_t i, const char **key, const char **value) {
  if (model == NULL || i >= model->metadata_count) return false;
  if (key != NULL) *key = model->metadata[i].key;
  if (value != NULL) *value = model->metadata[i].value;
  return true;
}

const char *model_metadata(const Model *model, const char *key) {
  for (size_t i = 0; i < model->metadata_count; i++)
    if (strcmp(model->metadata[i].key, key) == 0) return model->metadata[i].value;
  return NULL;
}

/* Replaces the value of an existing key, else appends; takes value over. */
static Status put_metadata(Model *model, const char *key, char **value, Error *error) {
  Status status = SETOSA_OK;
  for (size_t i = 0; i < model->metadata_count; i++) {
    if (strcmp(model->metadata[i].key, key) != 0) continue;
    free(model->metadata[i].value);
    model->metadata[i].value = *value;
    *value = NULL;
    return SETOSA_OK;
  }
  TRY(memory_grow((void **)&model->metadata, &model->metadata_capacity, model->metadata_count + 1, sizeof *model->metadata, "metadata",
                  error));
  ModelMetadata *pair = &model->metadata[model->metadata_count];
  TRY(memory_copy_text(&pair->key, key, error));
  pair->value = *value;
  *value = NULL;
  model->metadata_count++;
cleanup:
  return status;
}

Status model_set_metadata(Model *model, Error *error, const char *key, const char *format, ...) {
  Status status = SETOSA_OK;
  char *value = NULL;
  va_list arguments;
  va_start(arguments, format);
  int length = vasprintf(&value, format, arguments);
  va_end(arguments);
  if (length < 0) return error_set(error, SETOSA_ERROR_INTERNAL, "out of memory for the model's metadata; close other programs");
  if (!text_is_utf8(key, strlen(key)) || !text_is_utf8(value, strlen(value)))
    TRY(error_set(error, SETOSA_ERROR_DATA, "the metadata \"%s\" is not UTF-8, which a model file needs; convert it (iconv -t UTF-8)",
                  key));
  TRY(put_metadata(model, key, &value, error));
cleanup:
  free(value);
  return status;
}

void model_bias_for(double *bias, const Model *model, const Dataset *dataset) {
  const double *shift = setosa_dataset_shift(dataset);
  for (size_t k = 0; k < model->classes; k++)
    bias[k] = shift_bias(model->bias[k], model->weights + k * model->features, 1, shift, model->features);
}

void model_set_bias(Model *model, const double *bias, const double *shift) {
  for (size_t k = 0; k < model->classes; k++)
    model->bias[k] = shift_bias((float)bias[k], model->weights + k * model->features, -1, shift, model->features);
}

bool model_bias_is_wide(const Model *model) {
  bool wide = false;
  for (size_t k = 0; k < model->classes; k++) wide = wide || (double)(float)model->bias[k] != model->bias[k];
  return wide;
}

SetosaDataOptions setosa_model_data_options(const SetosaModel *model) {
  SetosaDataOptions options = setosa_data_options_default();
  if (model == NULL) return options;
  options.scale = 1; /* as stored: setosa_model_scale_dataset scales */
  options.positive = model->positive;
  options.expect_features = model->features;
  options.expect_feature_names = (const char *const *)model->feature_names;
  options.expect_columns = model->columns;
  options.expect_shift = model->shift;
  if (model->columns != NULL) {
    options.missing = model->columns->missing;
    options.unseen = model->columns->unseen;
    options.na = model->columns->na;
    options.separator = model->columns->separator;
    options.decimal = model->columns->decimal;
  }
  options.hash_features = model->hash_bits;
  options.expect_index_base = model->index_base;
  options.expect_label = model->label_name;
  options.expect_weights = model->weights_name;
  options.expect_classes = model->classes;
  options.expect_class_names = (const char *const *)model->class_names;
  return options;
}

SetosaStatus setosa_model_scale_dataset(const SetosaModel *model, SetosaDataset *dataset, SetosaError *error) {
  if (arguments_check(error, GIVEN(model), GIVEN(dataset)) != SETOSA_OK) return SETOSA_ERROR_USAGE;
  size_t features = dataset_shape(dataset).features;
  if (features != model->features)
    return error_set(error, SETOSA_ERROR_USAGE, "the data has %zu features but the model expects %zu; use data with the model's columns",
                     features, model->features);
  if (model->scaling.scale != NULL) return dataset_apply_scaling(dataset, model->scaling.offset, model->scaling.scale, error);
  if (dataset_scaling(dataset)->scale != NULL)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "the data is scaled but the model was trained without scaling; load it with setosa_model_data_options");
  return SETOSA_OK;
}

SetosaStatus setosa_model_set_temperature(SetosaModel *model, double temperature, SetosaError *error) {
  if (arguments_check(error, GIVEN(model)) != SETOSA_OK) return SETOSA_ERROR_USAGE;
  if (!(isfinite(temperature) && temperature > 0))
    return error_set(error, SETOSA_ERROR_USAGE, "a temperature of %g: give a finite number above 0", temperature);
  model->temperature = temperature;
  return SETOSA_OK;
}

static void hash_floats(Hash *hash, const float *values, size_t count) {
  unsigned char block[4096];
  for (size_t done = 0; done < count;) {
    size_t part = count - done < sizeof block / 4 ? count - done : sizeof block / 4;
    for (size_t i = 0; i < part; i++) store_f32(block + 4 * i, values[done + i]);
    hash_add(hash, block, 4 * part);
    done += part;
  }
}

static void hash_doubles(Hash *hash, const double *values, size_t count) {
  unsigned char bytes[8];
  for (size_t i = 0; i < count; i++) {
    store_f64(bytes, values[i]);
    hash_add(hash, bytes, sizeof bytes);
  }
}

static void hash_rounded(Hash *hash, const double *values, size_t count) {
  for (size_t i = 0; i < count; i++) hash_floats(hash, &(float){(float)values[i]}, 1);
}

Status model_hash(const Model *model, char hex[33], Error *error) {
  Hash *hash = NULL;
  Status status = hash_create(&hash, error);
  if (status != SETOSA_OK) return status;
  hash_floats(hash, model->weights, model->classes * model->features);
  (model_bias_is_wide(model) ? hash_doubles : hash_rounded)(hash, model->bias, model->classes);
  hash_hex(hash, hex);
  hash_destroy(hash);
  return SETOSA_OK;
}
