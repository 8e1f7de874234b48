/* Coefficients of other programs, .npz or JSON. What is taken is a model that can be saved, and exported to JSON comes back the same. */
#include <math.h>
#include <string.h>

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  SetosaModel *model = NULL, *again = NULL;
  SetosaError error = {0};
  SetosaStatus status = setosa_model_import(&model, fuzz_write("x", bytes, size), &error);
  if (status != SETOSA_OK) {
    fuzz_claim_refusal(status, &error, model);
    return 0;
  }
  size_t features = setosa_model_features(model), classes = setosa_model_classes(model);
  for (size_t i = 0; i < features * classes; i++) fuzz_claim(isfinite(setosa_model_weights(model)[i]), "every weight is finite");
  for (size_t k = 0; k < classes; k++) fuzz_claim(isfinite(setosa_model_bias(model)[k]), "every bias is finite");
  fuzz_claim(setosa_model_save(model, fuzz_write("copy.safetensors", "", 0), &error) == SETOSA_OK, "what was imported can be saved");
  const char *copy = fuzz_write("copy.json", "", 0);
  status = setosa_model_export(model, copy, NULL, NULL, &error);
  /* A scale of our own JSON may be anything, and overflow with the weights. */
  fuzz_claim(status == SETOSA_OK || (status == SETOSA_ERROR_USAGE && setosa_model_scale(model) != NULL),
             "what was imported can be exported");
  if (status == SETOSA_OK) {
    fuzz_claim(setosa_model_import(&again, copy, &error) == SETOSA_OK, "what was exported can be imported");
    fuzz_claim(setosa_model_features(again) == features && setosa_model_classes(again) == classes, "the copy has the shape");
    fuzz_claim(memcmp(setosa_model_weights(again), setosa_model_weights(model), features * classes * sizeof(float)) == 0,
               "the copy has the weights");
    fuzz_claim(memcmp(setosa_model_bias(again), setosa_model_bias(model), classes * sizeof(double)) == 0, "the copy has the bias");
  }
  setosa_model_destroy(again);
  setosa_model_destroy(model);
  return 0;
}
