/* From x' = (x - offset) * scale and z = (W x' + b) / T to z = A x + c. */
#include "exchange/linear.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/shift.h"

Status linear_form_make(LinearForm *linear, const Model *model, Error *error) {
  Status status = SETOSA_OK;
  size_t features = model->features, classes = model->classes;
  const Scaling *scaling = &model->scaling;
  *linear = (LinearForm){0};
  TRY(memory_allocate((void **)&linear->coefficients, classes * features, sizeof(double), "coefficients", error));
  TRY(memory_allocate((void **)&linear->intercepts, classes, sizeof(double), "intercepts", error));
  for (size_t k = 0; k < classes; k++) {
    double intercept = model->bias[k] / model->temperature;
    for (size_t d = 0; d < features; d++) {
      double coefficient = (double)model->weights[k * features + d] * (scaling->scale != NULL ? scaling->scale[d] : 1) / model->temperature;
      if (scaling->scale != NULL) intercept -= coefficient * scaling->offset[d];
      if (!isfinite(coefficient))
        TRY(error_set(error, SETOSA_ERROR_USAGE, "the coefficient of feature %zu overflows once its scale is folded in; train it again",
                      d + 1));
      linear->coefficients[k * features + d] = coefficient;
    }
    linear->intercepts[k] = intercept;
    if (!isfinite(intercept))
      TRY(error_set(error, SETOSA_ERROR_USAGE, "the intercept of class %zu overflows once the scaling is folded in; train it again",
                    k + 1));
  }
cleanup:
  return status;
}

/* Zeros and ones of levels are exact as they are, and a category never comes in as such a column: it has no centre. */
static void clear_levels(double *centres, const Columns *columns) {
  for (size_t c = 0, feature = 0; columns != NULL && c < columns->count; feature += column_features(&columns->columns[c++]))
    if (columns->columns[c].kind == COLUMN_CATEGORICAL)
      for (size_t l = 0; l < columns->columns[c].level_count; l++) centres[feature + l] = 0;
}

/* f32 rounds A x by 2^-24 of itself, so that A m, which goes into the intercept, costs as much beyond what A (x - m) does. */
static double cost_of_folding(const LinearForm *linear, const Model *model) {
  double most = 0;
  for (size_t k = 0; k < model->classes; k++) {
    double sum = 0;
    for (size_t d = 0; d < model->features; d++) sum += fabs(linear->coefficients[k * model->features + d] * linear->centres[d]);
    if (sum > most) most = sum;
  }
  return most * 0x1p-24;
}

/* c_k with centres: b_k less what stays folded in. */
static double centred_intercept(const LinearForm *linear, const Model *model, size_t k) {
  const Scaling *scaling = &model->scaling;
  size_t features = model->features;
  if (scaling->scale == NULL)
    return shift_bias(model->bias[k], model->weights + k * features, 1, linear->centres, features) / model->temperature;
  double intercept = model->bias[k] / model->temperature;
  for (size_t d = 0; d < features; d++) intercept -= linear->coefficients[k * features + d] * (scaling->offset[d] - linear->centres[d]);
  return intercept;
}

Status linear_form_centre(LinearForm *linear, const Model *model, Error *error) {
  Status status = SETOSA_OK;
  const double *centres = model->scaling.scale != NULL ? model->scaling.offset : model->shift;
  if (centres == NULL) return SETOSA_OK;
  TRY(memory_allocate((void **)&linear->centres, model->features, sizeof *centres, "the centres of the columns", error));
  memcpy(linear->centres, centres, model->features * sizeof *centres);
  clear_levels(linear->centres, model->columns);
  if (model->shift == NULL && cost_of_folding(linear, model) < 1e-7) {
    free(linear->centres);
    linear->centres = NULL;
    return SETOSA_OK;
  }
  for (size_t k = 0; k < model->classes; k++) linear->intercepts[k] = centred_intercept(linear, model, k);
cleanup:
  return status;
}

void linear_form_free(LinearForm *linear) {
  free(linear->coefficients);
  free(linear->intercepts);
  free(linear->centres);
  *linear = (LinearForm){0};
}
