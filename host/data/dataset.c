/* The life of a data set, its names, and the C API's view of it. */
#include "data/dataset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/reader.h"
#include "data/synthetic.h"

SetosaDataOptions setosa_data_options_default(void) { return (SetosaDataOptions){.header = -1, .scale = NAN}; }

Status dataset_create_bare(Dataset **out, const char *source, Error *error) {
  Status status = SETOSA_OK;
  Dataset *dataset = NULL;
  *out = NULL;
  TRY(memory_allocate_zero((void **)&dataset, 1, sizeof *dataset, "a data set", error));
  TRY(memory_copy_text(&dataset->source, source, error));
  *out = dataset;
  dataset = NULL;
cleanup:
  setosa_dataset_destroy(dataset);
  return status;
}

Status dataset_create(Dataset **out, size_t rows, size_t features, bool with_labels, const char *source, Error *error) {
  Status status = SETOSA_OK;
  Dataset *dataset = NULL;
  size_t count = 0;
  *out = NULL;
  TRY(memory_multiply(&count, rows, features, "the data", error));
  TRY(dataset_create_bare(&dataset, source, error));
  dataset->rows = rows;
  dataset->features = features;
  TRY(memory_allocate_zero((void **)&dataset->values, count, sizeof *dataset->values, "the data", error));
  if (with_labels) TRY(memory_allocate_zero((void **)&dataset->labels, rows, sizeof *dataset->labels, "labels", error));
  *out = dataset;
  dataset = NULL;
cleanup:
  setosa_dataset_destroy(dataset);
  return status;
}

static void free_names(char **names, size_t count) {
  for (size_t i = 0; names != NULL && i < count; i++) free(names[i]);
  free(names);
}

void setosa_dataset_destroy(SetosaDataset *dataset) {
  if (dataset == NULL) return;
  if (!dataset->borrowed) {
    if (!mapping_holds(&dataset->mapping, dataset->values)) free(dataset->values);
    if (!mapping_holds(&dataset->mapping, dataset->labels)) free(dataset->labels);
    mapping_close(&dataset->mapping);
  }
  row_order_free(&dataset->order);
  free(dataset->cache_note);
  free_names(dataset->feature_names, dataset->features);
  free_names(dataset->class_names, dataset->classes);
  synthetic_destroy(dataset->generator);
  free(dataset->label_name);
  free(dataset->source);
  free(dataset->labels_found);
  free(dataset->positive);
  free(dataset->scaling.offset);
  free(dataset->scaling.scale);
  free(dataset);
}

Status dataset_name_classes_by_index(Dataset *dataset, size_t classes, Error *error) {
  Status status = SETOSA_OK;
  char **names = NULL;
  TRY(memory_allocate_zero((void **)&names, classes, sizeof *names, "class names", error));
  free_names(dataset->class_names, dataset->classes);
  dataset->class_names = names;
  dataset->classes = classes;
  for (size_t k = 0; k < classes; k++) {
    char digits[24];
    snprintf(digits, sizeof digits, "%zu", k);
    TRY(memory_copy_text(&names[k], digits, error));
  }
cleanup:
  return status;
}

void dataset_own_part(const Dataset *dataset, size_t *begin, size_t *count) {
  size_t parts = dataset->parts > 1 ? dataset->parts : 1, part = dataset->parts > 1 ? dataset->part : 0;
  size_t each = dataset->rows / parts, more = dataset->rows % parts; /* the first `more` parts have a row more */
  *begin = part * each + (part < more ? part : more);
  *count = each + (part < more);
}

Status dataset_own(Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  float *values = NULL;
  int32_t *labels = NULL;
  bool foreign_values = dataset->borrowed || mapping_holds(&dataset->mapping, dataset->values);
  bool foreign_labels = dataset->borrowed || mapping_holds(&dataset->mapping, dataset->labels);
  if (dataset->generator != NULL || dataset->unordered != NULL) {
    TRY(dataset_materialize(dataset, error));
    dataset->borrowed = false;
    return SETOSA_OK;
  }
  if (foreign_values && dataset->values != NULL) {
    TRY(memory_allocate((void **)&values, dataset->rows * dataset->features, sizeof *values, "a copy of the data", error));
    memcpy(values, dataset->values, dataset->rows * dataset->features * sizeof *values);
  }
  if (foreign_labels && dataset->labels != NULL) {
    TRY(memory_allocate((void **)&labels, dataset->rows, sizeof *labels, "a copy of the labels", error));
    memcpy(labels, dataset->labels, dataset->rows * sizeof *labels);
  }
  if (foreign_values) dataset->values = values;
  if (foreign_labels) dataset->labels = labels;
  if (!dataset->borrowed) mapping_close(&dataset->mapping);
  dataset->mapping = (Mapping){0}; /* a borrowed one is its owner's to close */
  dataset->borrowed = false;
  values = NULL;
  labels = NULL;
cleanup:
  free(values);
  free(labels);
  return status;
}

Status setosa_dataset_wrap(SetosaDataset **out, size_t rows, size_t features, size_t classes, const float *values, const int32_t *labels,
                           SetosaError *error) {
  Status status = SETOSA_OK;
  Dataset *dataset = NULL;
  size_t count = 0;
  error_clear(error);
  *out = NULL;
  if (rows == 0 || features == 0 || values == NULL)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "a data set needs values and at least one row and one feature (%zu x %zu were given)", rows,
                  features));
  if (classes > INT32_MAX || (labels != NULL && classes < 2))
    TRY(error_set(error, SETOSA_ERROR_USAGE, "a labelled data set needs 2 to %d classes (%zu were given)", INT32_MAX, classes));
  TRY(memory_multiply(&count, rows, features, "the data", error));
  TRY(reader_check_finite("data", values, rows, features, 0, error));
  for (size_t i = 0; labels != NULL && i < rows; i++)
    if (labels[i] < 0 || (size_t)labels[i] >= classes)
      TRY(error_set(error, SETOSA_ERROR_DATA, "data:%zu: the label %d is not in 0..%zu; number the classes 0, 1, 2, ...", i + 1,
                    (int)labels[i], classes - 1));
  TRY(dataset_create_bare(&dataset, "data", error));
  dataset->borrowed = true;
  dataset->rows = rows;
  dataset->features = features;
  dataset->values = (float *)values; /* never written while borrowed */
  dataset->labels = (int32_t *)labels;
  TRY(dataset_name_classes_by_index(dataset, classes, error));
  *out = dataset;
  dataset = NULL;
cleanup:
  setosa_dataset_destroy(dataset);
  return status;
}

size_t setosa_dataset_rows(const SetosaDataset *dataset) { return dataset->rows; }
size_t setosa_dataset_features(const SetosaDataset *dataset) { return dataset->features; }
size_t setosa_dataset_classes(const SetosaDataset *dataset) { return dataset->classes; }
const float *setosa_dataset_values(const SetosaDataset *dataset) { return dataset->values; }
const int32_t *setosa_dataset_labels(const SetosaDataset *dataset) { return dataset->labels; }

const char *setosa_dataset_labels_found(const SetosaDataset *dataset) { return dataset->labels_found; }
bool setosa_dataset_cached(const SetosaDataset *dataset) { return dataset->cached; }
const char *setosa_dataset_cache_note(const SetosaDataset *dataset) { return dataset->cache_note; }

const char *setosa_dataset_feature_name(const SetosaDataset *dataset, size_t feature) {
  return dataset->feature_names != NULL && feature < dataset->features ? dataset->feature_names[feature] : NULL;
}

const char *setosa_dataset_class_name(const SetosaDataset *dataset, size_t class_index) {
  return dataset->class_names != NULL && class_index < dataset->classes ? dataset->class_names[class_index] : NULL;
}
