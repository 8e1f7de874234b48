/* A model file. One that is taken is saved, and is the same when it is loaded again. */
#include <math.h>
#include <string.h>

#include "fuzz/fuzz.h"

static void look_at(const SetosaModel *model) {
  size_t features = setosa_model_features(model), classes = setosa_model_classes(model), length = 0;
  const char *key, *value;
  for (size_t i = 0; i < features * classes; i++) fuzz_claim(isfinite(setosa_model_weights(model)[i]), "every weight is finite");
  for (size_t k = 0; k < classes; k++) {
    fuzz_claim(isfinite(setosa_model_bias(model)[k]), "every bias is finite");
    fuzz_claim(setosa_model_class_name(model, k) != NULL, "every class has a name");
  }
  for (size_t d = 0; d < features; d++) {
    if (setosa_model_feature_name(model, d) != NULL) length += strlen(setosa_model_feature_name(model, d));
    if (setosa_model_scale(model) != NULL) fuzz_claim(isfinite(setosa_model_scale(model)[d]), "every scale is finite");
    if (setosa_model_offset(model) != NULL) fuzz_claim(isfinite(setosa_model_offset(model)[d]), "every offset is finite");
  }
  const double *shift = setosa_model_data_options(model).expect_shift;
  for (size_t d = 0; shift != NULL && d < features; d++) fuzz_claim(isfinite(shift[d]), "every shift is finite");
  for (size_t i = 0; setosa_model_metadata(model, i, &key, &value); i++) length += strlen(key) + strlen(value);
  fuzz_claim(length < SIZE_MAX / 2, "texts end");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  SetosaModel *model = NULL, *again = NULL;
  SetosaError error = {0};
  SetosaStatus status = setosa_model_load(&model, fuzz_write("x.safetensors", bytes, size), &error);
  if (status != SETOSA_OK) {
    fuzz_claim_refusal(status, &error, model);
    return 0;
  }
  look_at(model);
  const char *copy = fuzz_write("copy.safetensors", "", 0);
  fuzz_claim(setosa_model_save(model, copy, &error) == SETOSA_OK, "what was loaded can be saved");
  fuzz_claim(setosa_model_load(&again, copy, &error) == SETOSA_OK, "what was saved can be loaded");
  size_t features = setosa_model_features(model), classes = setosa_model_classes(model);
  fuzz_claim(setosa_model_features(again) == features && setosa_model_classes(again) == classes, "the copy has the shape");
  fuzz_claim(memcmp(setosa_model_weights(again), setosa_model_weights(model), features * classes * sizeof(float)) == 0,
             "the copy has the weights");
  fuzz_claim(memcmp(setosa_model_bias(again), setosa_model_bias(model), classes * sizeof(double)) == 0, "the copy has the bias");
  const double *shift = setosa_model_data_options(model).expect_shift, *copied = setosa_model_data_options(again).expect_shift;
  fuzz_claim((shift == NULL) == (copied == NULL), "the copy has a shift where there is one");
  fuzz_claim(shift == NULL || memcmp(copied, shift, features * sizeof *shift) == 0, "the copy has the shift");
  setosa_model_destroy(again);
  setosa_model_destroy(model);
  return 0;
}
