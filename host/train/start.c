/* Matching a model with data by names, and its weights in the data's own scale. */
#include "train/start.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/shift.h"

/* ---- who is who ------------------------------------------------------------------------------------------------- */

/* Names of one side, read one at a time. */
typedef struct Names {
  const void *owner;
  const char *(*get)(const void *owner, size_t index);
  size_t count;
} Names;

static const char *feature_of_model(const void *model, size_t d) { return setosa_model_feature_name(model, d); }
static const char *class_of_model(const void *model, size_t k) { return setosa_model_class_name(model, k); }
static const char *feature_of_data(const void *dataset, size_t d) { return setosa_dataset_feature_name(dataset, d); }
static const char *class_of_data(const void *dataset, size_t k) { return setosa_dataset_class_name(dataset, k); }

/* A file of another program names no classes, and a model then calls them 0, 1, 2, ... */
static bool are_counted(const Names *names) {
  char number[24];
  for (size_t i = 0; i < names->count; i++) {
    snprintf(number, sizeof number, "%zu", i);
    if (strcmp(names->get(names->owner, i), number) != 0) return false;
  }
  return true;
}

/* found (here->count): where each name of `here` stands in `there`. */
static Status find_names(size_t *found, size_t *known, const Names *here, const Names *there, Error *error) {
  Status status = SETOSA_OK;
  NameTable *table = NULL;
  size_t index = 0;
  TRY(name_table_create(&table, error));
  for (size_t i = 0; i < there->count; i++) {
    const char *name = there->get(there->owner, i);
    TRY(name_table_add(table, name, strlen(name), &index, error));
    if (index != i)
      TRY(error_set(error, SETOSA_ERROR_USAGE,
                    "--start: the model has \"%s\" twice, so that its weights cannot be told apart; give them "
                    "names of their own, or begin without it",
                    name));
  }
  for (size_t i = 0; i < here->count; i++) {
    const char *name = here->get(here->owner, i);
    found[i] = START_NEW;
    if (name_table_find(table, name, strlen(name), &index)) found[i] = index, ++*known;
  }
cleanup:
  name_table_destroy(table);
  return status;
}

/* what: "features", "classes". */
static Status match(size_t **found, size_t *known, const Names *here, const Names *there, const char *what, Error *error) {
  Status status = SETOSA_OK;
  bool named = here->get(here->owner, 0) != NULL && there->get(there->owner, 0) != NULL;
  *known = 0;
  TRY(memory_allocate((void **)found, here->count, sizeof **found, "what the initial model knows", error));
  if (named) TRY(find_names(*found, known, here, there, error));
  if (*known > 0) goto cleanup;
  if (named && !(here->count == there->count && there->get == class_of_model && are_counted(there)))
    TRY(error_set(error, SETOSA_ERROR_USAGE,
                  "--start: none of the %zu %s of the initial model (\"%s\", ...) is among those of the data (\"%s\", ...); start from a "
                  "model of such data, or begin without it",
                  there->count, what, there->get(there->owner, 0), here->get(here->owner, 0)));
  if (here->count != there->count)
    TRY(error_set(error, SETOSA_ERROR_USAGE,
                  "--start: the initial model has %zu %s, the training data %zu, and without names nobody can tell which are which; start "
                  "from a model of such data",
                  there->count, what, here->count));
  for (size_t i = 0; i < here->count; i++) (*found)[i] = i;
  *known = here->count;
cleanup:
  return status;
}

Status start_match(Start *start, const Model *model, const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  *start = (Start){.model = model};
  if (model == NULL) return SETOSA_OK;
  DataShape shape = dataset_shape(dataset);
  Names data = {dataset, feature_of_data, shape.features}, of_model = {model, feature_of_model, model->features};
  TRY(match(&start->features, &start->known_features, &data, &of_model, "features", error));
  data = (Names){dataset, class_of_data, shape.classes}, of_model = (Names){model, class_of_model, model->classes};
  TRY(match(&start->classes, &start->known_classes, &data, &of_model, "classes", error));
cleanup:
  return status;
}

void start_free(Start *start) {
  free(start->features);
  free(start->classes);
  *start = (Start){0};
}

/* ---- its weights ------------------------------------------------------------------------------------------------ */

static double scale_of(const Scaling *scaling, size_t d) { return scaling->scale != NULL ? scaling->scale[d] : 1; }
static double offset_of(const Scaling *scaling, size_t d) { return scaling->offset != NULL ? scaling->offset[d] : 0; }

/* v (D), and the bias, of the class of the model whose weights are w. With the model's scaling (x - m) s and the data's (x - n) t:
 *   w s (x - m) = v t (x - n) + w s (n - m),   v = w s / t
 * where t = 0 means that x = n everywhere. What the data lack is taken to be m. In f32, as most backends hold them, so that the bias fits
 * the weights that there will be. */
static double scale_weights(float *v, const Start *start, const float *w, double bias, const Dataset *dataset) {
  const Scaling *model = &start->model->scaling, *data = dataset_scaling(dataset);
  size_t features = dataset_shape(dataset).features;
  for (size_t d = 0; d < features; d++) {
    size_t from = start->features[d];
    v[d] = 0;
    if (from == START_NEW) continue;
    double s = scale_of(model, from), t = scale_of(data, d), weight = (double)w[from];
    if (t != 0) v[d] = s == t ? w[from] : (float)(weight * s / t);
    bias += weight * s * (offset_of(data, d) - offset_of(model, from));
  }
  return shift_bias(bias, v, 1, setosa_dataset_shift(dataset), features);
}

Status start_weights(double *parameters, const Start *start, const Dataset *dataset, bool intercept, Error *error) {
  Status status = SETOSA_OK;
  DataShape shape = dataset_shape(dataset);
  float *v = NULL;
  TRY(memory_allocate((void **)&v, shape.features, sizeof *v, "weights to start from", error));
  memset(parameters, 0, (shape.classes * shape.features + shape.classes) * sizeof *parameters);
  for (size_t k = 0; k < shape.classes; k++) {
    size_t from = start->classes[k];
    if (from == START_NEW) continue;
    double bias = scale_weights(v, start, start->model->weights + from * start->model->features, start->model->bias[from], dataset);
    for (size_t d = 0; d < shape.features; d++) parameters[k * shape.features + d] = (double)v[d];
    if (intercept) parameters[shape.classes * shape.features + k] = bias;
  }
cleanup:
  free(v);
  return status;
}
