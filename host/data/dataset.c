/* The life of a data set, its names, and the C API's view of it. */
#include "data/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/shift.h"
#include "data/weights.h"

SetosaDataOptions setosa_data_options_default(void) { return (SetosaDataOptions){.header = -1, .scale = NAN, .expect_index_base = -1}; }

Status dataset_create_bare(Dataset **out, const char *source, Error *error) {
  Status status = SETOSA_OK;
  Dataset *dataset = NULL;
  *out = NULL;
  TRY(memory_allocate_zero((void **)&dataset, 1, sizeof *dataset, "a data set", error));
  dataset->index_base = -1;
  TRY(rows_create(&dataset->held, error));
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
  TRY(memory_allocate_zero((void **)&dataset->held->values, count, sizeof(float), "the data", error));
  if (with_labels) TRY(memory_allocate_zero((void **)&dataset->held->labels, rows, sizeof(int32_t), "labels", error));
  *out = dataset;
  dataset = NULL;
cleanup:
  setosa_dataset_destroy(dataset);
  return status;
}

Status dataset_create_like(Dataset **out, const Dataset *like, size_t rows, uint64_t entries, Error *error) {
  Status status = SETOSA_OK;
  Dataset *dataset = NULL;
  DataShape shape = dataset_shape(like);
  bool sparse = shape.kind == DATA_SPARSE;
  *out = NULL;
  if (!sparse) TRY(dataset_create(&dataset, rows, like->features, false, like->source, error));
  if (sparse) TRY(dataset_create_bare(&dataset, like->source, error));
  dataset->rows = rows;
  dataset->features = like->features;
  if (sparse) TRY(sparse_allocate(&dataset->held->sparse, rows, entries, shape.ones, error));
  if (shape.labelled) TRY(memory_allocate((void **)&dataset->held->labels, rows, sizeof(int32_t), "labels", error));
  TRY(dataset_copy_description(dataset, like, error));
  TRY(weights_copy(dataset->held, like->held, 0, rows, error)); /* for their places */
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

void scaling_free(Scaling *scaling) {
  free(scaling->offset);
  free(scaling->scale);
  *scaling = (Scaling){NULL, NULL};
}

Status scaling_copy(Scaling *out, size_t features, const double *offset, const double *scale, Error *error) {
  Status status = SETOSA_OK;
  *out = (Scaling){NULL, NULL};
  TRY(memory_allocate_zero((void **)&out->offset, features, sizeof *out->offset, "a scaling", error));
  TRY(memory_allocate((void **)&out->scale, features, sizeof *out->scale, "a scaling", error));
  if (offset != NULL) memcpy(out->offset, offset, features * sizeof *offset);
  memcpy(out->scale, scale, features * sizeof *scale);
cleanup:
  if (status != SETOSA_OK) scaling_free(out);
  return status;
}

void setosa_dataset_destroy(SetosaDataset *dataset) {
  if (dataset == NULL) return;
  rows_release(dataset->held);
  free(dataset->cache_note);
  free_names(dataset->feature_names, dataset->features);
  free_names(dataset->class_names, dataset->classes);
  free(dataset->label_name);
  free(dataset->weights_name);
  free(dataset->source);
  free(dataset->labels_found);
  free(dataset->positive);
  columns_release(dataset->columns);
  free(dataset->shift);
  source_rows_free(&dataset->left_out);
  ids_free(&dataset->ids);
  remarks_free(&dataset->remarks);
  scaling_free(&dataset->scaling);
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

static Status copy_names(char ***out, char *const *names, size_t count, Error *error) {
  Status status = SETOSA_OK;
  if (names == NULL) return SETOSA_OK;
  TRY(memory_allocate_zero((void **)out, count, sizeof **out, "names", error));
  for (size_t i = 0; i < count; i++) TRY(memory_copy_text(&(*out)[i], names[i], error));
cleanup:
  return status;
}

Status dataset_copy_description(Dataset *to, const Dataset *from, Error *error) {
  Status status = SETOSA_OK;
  to->byte_scale = from->byte_scale;
  to->exchangeable = from->exchangeable;
  to->for_scores = from->for_scores;
  to->part = from->part;
  to->parts = from->parts;
  to->index_base = from->index_base;
  to->hash_bits = from->hash_bits;
  to->image_height = from->image_height;
  to->image_width = from->image_width;
  TRY(copy_names(&to->feature_names, from->feature_names, from->features, error));
  to->classes = from->class_names != NULL ? from->classes : 0; /* as many names as destroy will free */
  TRY(copy_names(&to->class_names, from->class_names, from->classes, error));
  to->classes = from->classes;
  TRY(memory_copy_text(&to->label_name, from->label_name, error));
  TRY(memory_copy_text(&to->weights_name, from->weights_name, error));
  TRY(memory_copy_text(&to->positive, from->positive, error));
  if (from->scaling.scale != NULL) TRY(scaling_copy(&to->scaling, from->features, from->scaling.offset, from->scaling.scale, error));
  if (from->shift != NULL) TRY(shift_copy(&to->shift, from->shift, from->features, error));
cleanup:
  return status;
}

bool setosa_dataset_is_sparse(const SetosaDataset *dataset) { return dataset != NULL && rows_are_sparse(dataset); }
uint64_t setosa_dataset_entries(const SetosaDataset *dataset) {
  return dataset != NULL ? dataset_entries(dataset, dataset_all(dataset)) : 0;
}

bool setosa_dataset_is_binary(const SetosaDataset *dataset) { return dataset != NULL && dataset_shape(dataset).ones; }
bool setosa_dataset_image(const SetosaDataset *dataset, size_t *height, size_t *width) {
  bool known = dataset != NULL && dataset->image_height > 0;
  if (height != NULL) *height = known ? dataset->image_height : 0;
  if (width != NULL) *width = known ? dataset->image_width : 0;
  return known;
}

int setosa_dataset_index_base(const SetosaDataset *dataset) { return dataset != NULL ? dataset->index_base : -1; }
uint64_t setosa_dataset_hash_features(const SetosaDataset *dataset) { return dataset != NULL ? dataset->hash_bits : 0; }

size_t setosa_dataset_rows(const SetosaDataset *dataset) { return dataset != NULL ? dataset->rows : 0; }
size_t setosa_dataset_features(const SetosaDataset *dataset) { return dataset != NULL ? dataset->features : 0; }
size_t setosa_dataset_classes(const SetosaDataset *dataset) { return dataset != NULL ? dataset->classes : 0; }
const float *setosa_dataset_values(const SetosaDataset *dataset) { return dataset != NULL ? rows_values(dataset) : NULL; }
const int32_t *setosa_dataset_labels(const SetosaDataset *dataset) { return dataset != NULL ? rows_labels(dataset) : NULL; }

const char *setosa_dataset_labels_found(const SetosaDataset *dataset) { return dataset != NULL ? dataset->labels_found : NULL; }
bool setosa_dataset_cached(const SetosaDataset *dataset) { return dataset != NULL && dataset->cached; }
const char *setosa_dataset_cache_note(const SetosaDataset *dataset) { return dataset != NULL ? dataset->cache_note : NULL; }

const char *dataset_source(const Dataset *dataset) { return dataset->source != NULL ? dataset->source : "data"; }
const char *setosa_dataset_label_name(const SetosaDataset *dataset) { return dataset != NULL ? dataset->label_name : NULL; }
const char *setosa_dataset_weights_name(const SetosaDataset *dataset) { return dataset != NULL ? dataset->weights_name : NULL; }
const char *dataset_positive(const Dataset *dataset) { return dataset->positive; }
const Scaling *dataset_scaling(const Dataset *dataset) { return &dataset->scaling; }

const char *setosa_dataset_feature_name(const SetosaDataset *dataset, size_t feature) {
  return dataset != NULL && dataset->feature_names != NULL && feature < dataset->features ? dataset->feature_names[feature] : NULL;
}

const char *setosa_dataset_class_name(const SetosaDataset *dataset, size_t class_index) {
  return dataset != NULL && dataset->class_names != NULL && class_index < dataset->classes ? dataset->class_names[class_index] : NULL;
}

/* ---- what reading has found out ---------------------------------------------------------------------------------- */

const SetosaColumns *setosa_dataset_columns(const SetosaDataset *dataset) { return dataset != NULL ? dataset->columns : NULL; }
const double *setosa_dataset_shift(const SetosaDataset *dataset) { return dataset != NULL ? dataset->shift : NULL; }
uint64_t setosa_dataset_source_rows(const SetosaDataset *dataset) {
  return dataset != NULL ? (uint64_t)dataset->rows + dataset->left_out.count : 0;
}
uint64_t setosa_dataset_source_row(const SetosaDataset *dataset, size_t row) {
  return dataset != NULL && row < dataset->rows ? source_rows_of(&dataset->left_out, row) : 0;
}
size_t setosa_dataset_ids(const SetosaDataset *dataset) { return dataset != NULL ? dataset->ids.columns : 0; }
const char *setosa_dataset_id_name(const SetosaDataset *dataset, size_t id) {
  return dataset != NULL && id < dataset->ids.columns ? dataset->ids.names[id] : NULL;
}
const char *setosa_dataset_id(const SetosaDataset *dataset, size_t id, uint64_t source_row) {
  return dataset != NULL ? ids_get(&dataset->ids, id, source_row) : NULL;
}
const char *setosa_dataset_remark(const SetosaDataset *dataset, size_t index, SetosaRemark *kind) {
  if (dataset == NULL || index >= dataset->remarks.count) return NULL;
  if (kind != NULL) *kind = dataset->remarks.items[index].kind;
  return dataset->remarks.items[index].text;
}
