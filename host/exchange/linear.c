/* From x' = (x - offset) * scale and z = (W x' + b) / T to z = A x + c. */
#include "exchange/linear.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

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

void linear_form_free(LinearForm *linear) {
  free(linear->coefficients);
  free(linear->intercepts);
  *linear = (LinearForm){0};
}
