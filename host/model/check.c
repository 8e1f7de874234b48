/* Whether a data set is one for a model. */
#include "model/model.h"

Status model_check_features(const Model *model, const Dataset *dataset, Error *error) {
  size_t features = dataset_shape(dataset).features;
  if (features == model->features) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_USAGE, "%s: the data has %zu features but the model expects %zu; use data with the model's columns",
                   dataset_source(dataset), features, model->features);
}

Status model_check_labels(const Model *model, const Dataset *dataset, const char *instead, Error *error) {
  const char *source = dataset_source(dataset);
  DataShape shape = dataset_shape(dataset);
  if (!shape.labelled) return error_set(error, SETOSA_ERROR_DATA, "%s: has no labels to evaluate against; give them%s", source, instead);
  if (shape.classes != model->classes)
    return error_set(error, SETOSA_ERROR_USAGE, "%s: the data has %zu classes but the model has %zu; use data with the model's classes",
                     source, shape.classes, model->classes);
  size_t row = dataset_first_unlabelled(dataset, model->classes);
  if (row == shape.rows) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_DATA, "%s: row %zu: its label is none of the model's %zu classes; correct it%s", source, row + 1,
                   model->classes, instead);
}
