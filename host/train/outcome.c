/* Weights into a model, and its metadata. */
#include "train/outcome.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "options/table.h"

Status outcome_weights(Model *model, const double *parameters, const Dataset *dataset, Error *error) {
  size_t weights = model->classes * model->features;
  for (size_t i = 0; i < weights; i++) model->weights[i] = (float)parameters[i];
  model_set_bias(model, parameters + weights, setosa_dataset_shift(dataset));
  for (size_t i = 0; i < weights + model->classes; i++)
    if (!isfinite((float)parameters[i]))
      return error_set(error, SETOSA_ERROR_INTERNAL, "the training ended with weights that are not finite; report this, with its data");
  return SETOSA_OK;
}

/* Names of files and devices are whatever bytes they are, and a model file is UTF-8: no reason to lose a training. */
static Status write_text(Model *model, const char *key, const char *text, Error *error) {
  Text utf8 = {0};
  Status status = text_append_utf8(&utf8, text, error);
  if (status == SETOSA_OK) status = model_set_metadata(model, error, key, "%s", utf8.text);
  text_free(&utf8);
  return status;
}

/* The options that made the weights what they are. */
static Status write_options(Model *model, const SetosaTrainOptions *options, Error *error) {
  Status status = SETOSA_OK;
  char room[OPTION_VALUE];
  size_t count = 0;
  const OptionRow *rows = option_table(&count);
  for (size_t i = 0; i < count; i++) {
    const void *home = option_of_training(&rows[i], options);
    if (home == NULL || rows[i].class != OPTION_RESULT || rows[i].resolved || !option_means_something(&rows[i], options)) continue;
    TRY(write_text(model, rows[i].field, option_print(room, &rows[i], home), error));
  }
cleanup:
  return status;
}

Status outcome_metadata(Model *model, const SetosaTrainResult *result, const SetosaTrainOptions *options, const Backend *backend,
                        const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  BackendFacts facts = {0};
  backend_facts(backend, &facts);
  const char *source = dataset_source(dataset), *slash = strrchr(source, '/');
  TRY(model_set_metadata(model, error, "version", "%s", SETOSA_VERSION));
  TRY(write_text(model, "source", slash != NULL ? slash + 1 : source, error));
  TRY(model_set_metadata(model, error, "rows", "%zu", dataset_shape(dataset).rows));
  TRY(write_options(model, options, error));
  TRY(model_set_metadata(model, error, "objective", "%.17g", result->objective));
  TRY(model_set_metadata(model, error, "loss", "%.17g", result->loss));
  TRY(model_set_metadata(model, error, "gradient_norm", "%.17g", result->gradient_norm));
  TRY(model_set_metadata(model, error, "iterations", "%llu", (unsigned long long)result->iterations));
  TRY(model_set_metadata(model, error, "converged", "%s", result->converged ? "true" : "false"));
  TRY(model_set_metadata(model, error, "stop_reason", "%s", result->stop_reason));
  TRY(model_set_metadata(model, error, "backend", "%s", facts.name));
  TRY(write_text(model, "device", facts.device, error));
cleanup:
  return status;
}
