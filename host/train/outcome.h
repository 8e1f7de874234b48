/* What a training leaves: a model with its weights, that says where it came from. */
#ifndef SETOSA_TRAIN_OUTCOME_H
#define SETOSA_TRAIN_OUTCOME_H

#include "compute/backend.h"
#include "model/model.h"

/* parameters (P) of the rows as they stand. SETOSA_ERROR_INTERNAL for what is not finite in f32. */
Status outcome_weights(Model *model, const double *parameters, const Dataset *dataset, Error *error);
/* Where the model came from. No times and no folders: the same training writes the same file. */
Status outcome_metadata(Model *model, const SetosaTrainResult *result, const SetosaTrainOptions *options, const Backend *backend,
                        const Dataset *dataset, Error *error);

#endif
