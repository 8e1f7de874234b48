/* Shapes that belong together, and the model that they make. */
#include "exchange/coefficients.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void free_texts(char **texts, size_t count) {
  for (size_t i = 0; texts != NULL && i < count; i++) free(texts[i]);
  free(texts);
}

void coefficients_free(Coefficients *c) {
  free(c->coef);
  free(c->intercept);
  free_texts(c->classes, c->class_count);
  free_texts(c->names, c->name_count);
  *c = (Coefficients){0};
}

static Status check_shapes(const Coefficients *c, const char *path, Error *error) {
  if (c->class_count < 2)
    return error_set(error, SETOSA_ERROR_DATA, "%s: classes_ has %zu class, 2 at least make a model; save the classes_ of the classifier",
                     path, c->class_count);
  if (c->rows != c->class_count && (c->rows != 1 || c->class_count != 2))
    return error_set(error, SETOSA_ERROR_DATA,
                     "%s: coef_ has %zu row%s, but classes_ has %zu classes: one row for each is needed, or one row for two; save both of "
                     "the same classifier",
                     path, c->rows, c->rows == 1 ? "" : "s", c->class_count);
  bool zero = c->intercepts == 1 && c->intercept[0] == 0;
  if (c->intercepts != c->rows && !zero)
    return error_set(error, SETOSA_ERROR_DATA, "%s: intercept_ has %zu number%s, but coef_ has %zu row%s; save both of the same classifier",
                     path, c->intercepts, c->intercepts == 1 ? "" : "s", c->rows, c->rows == 1 ? "" : "s");
  if (c->names != NULL && c->name_count != c->features)
    return error_set(error, SETOSA_ERROR_DATA,
                     "%s: feature_names_in_ has %zu names, but coef_ has %zu columns; save both of the same classifier", path,
                     c->name_count, c->features);
  return SETOSA_OK;
}

static Status check_names(const Coefficients *c, const char *path, Error *error) {
  Status status = SETOSA_OK;
  NameTable *table = NULL;
  TRY(model_check_class_names(c->classes, c->class_count, path, error));
  TRY(name_table_create(&table, error));
  for (size_t d = 0; c->names != NULL && d < c->name_count; d++) {
    size_t index = 0;
    TRY(name_table_add(table, c->names[d], strlen(c->names[d]), &index, error));
    if (index != d)
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s: features %zu and %zu have the same name \"%.60s\"; rename one", path, index + 1, d + 1,
                    c->names[d]));
  }
cleanup:
  name_table_destroy(table);
  return status;
}

/* f32 rounds what it can hold; of what it cannot nothing would be left. */
static Status round_weight(float *weight, double value, double factor, size_t row, size_t column, const char *path, Error *error) {
  *weight = fabs(value) < 3.4e38 ? (float)(factor * value) : INFINITY;
  if (isfinite(*weight) && (value == 0 || *weight != 0)) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_DATA, "%s: coef_[%zu,%zu] is %g, which f32 cannot hold; scale that column and fit again", path, row,
                   column, value);
}

/* A single row w, c of two classes says P(second) = 1 / (1 + e^-(w.x + c)): the softmax of -(w.x + c)/2 and (w.x + c)/2, halves that round
 * nothing. */
static Status fill(Model *model, const Coefficients *c, const char *path, Error *error) {
  Status status = SETOSA_OK;
  bool single = c->rows < model->classes;
  for (size_t k = 0; k < model->classes; k++) {
    double factor = single ? (k == 0 ? -0.5 : 0.5) : 1;
    size_t row = single ? 0 : k;
    for (size_t d = 0; d < c->features; d++)
      TRY(round_weight(&model->weights[k * c->features + d], c->coef[row * c->features + d], factor, row, d, path, error));
    model->bias[k] = factor * c->intercept[c->intercepts > row ? row : 0];
  }
cleanup:
  return status;
}

Status coefficients_to_model(Model **model, Coefficients *c, const char *path, Error *error) {
  Status status = SETOSA_OK;
  Model *made = NULL;
  *model = NULL;
  TRY(check_shapes(c, path, error));
  TRY(check_names(c, path, error));
  TRY(model_allocate(&made, c->features, c->class_count, error));
  TRY(fill(made, c, path, error));
  for (size_t k = 0; k < made->classes; k++) {
    free(made->class_names[k]);
    made->class_names[k] = c->classes[k];
    c->classes[k] = NULL;
  }
  made->feature_names = c->names;
  c->names = NULL;
  TRY(model_set_metadata(made, error, "imported", "coefficients of scikit-learn"));
  *model = made;
  made = NULL;
cleanup:
  setosa_model_destroy(made);
  return status;
}
