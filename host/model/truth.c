/* A trained model beside the model that made its data. */
#include "base/arguments.h"
#include "data/synthetic.h"
#include "model/model.h"

SetosaStatus setosa_model_truth(const SetosaModel *model, const char *source, double *distance, double *cosine, SetosaError *error) {
  Status status = SETOSA_OK;
  SyntheticSpec spec;
  Synthetic *synthetic = NULL;
  TRY(arguments_check(error, GIVEN(model), GIVEN(source), GIVEN(distance), GIVEN(cosine)));
  if (!synthetic_is_source(source))
    return error_set(error, SETOSA_ERROR_USAGE, "%s: only synthetic data has true weights; give synthetic:...", source);
  TRY(synthetic_parse(&spec, source, error));
  if (spec.features != model->features || spec.classes != model->classes)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "%s: has %llu features and %llu classes, but the model %zu and %zu; give its own data", source,
                  (unsigned long long)spec.features, (unsigned long long)spec.classes, model->features, model->classes));
  TRY(synthetic_create(&synthetic, &spec, error));
  /* The model sees x' = (x - offset) * scale, so w . x' = (w * scale) . x and something that is no weight. */
  TRY(synthetic_distance(distance, cosine, synthetic, model->weights, setosa_model_scale(model), error));
cleanup:
  synthetic_destroy(synthetic);
  return status;
}
