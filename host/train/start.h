/* The weights that a training begins with, from a model of other data: features and classes are known again by their names. */
#ifndef SETOSA_TRAIN_START_H
#define SETOSA_TRAIN_START_H

#include "data/dataset.h"
#include "model/model.h"

/* What of the model each feature and each class of the data set is. Zero-initialise; start_free. */
typedef struct Start {
  const Model *model;         /* borrowed; NULL: zeros */
  size_t *features, *classes; /* (D), (K): the model's, or START_NEW */
  size_t known_features, known_classes;
} Start;

#define START_NEW SIZE_MAX

/* By name where both sides have names, else by place, and then they must be as many. SETOSA_ERROR_USAGE when nothing fits. model NULL:
 * zeros. */
Status start_match(Start *start, const Model *model, const Dataset *dataset, Error *error);
/* parameters (P) for the rows as they stand: the model's scaling is undone and that of the data set done, so that the scores of a row are
 * the model's. What the model does not know is 0, and without an intercept the bias. */
Status start_weights(double *parameters, const Start *start, const Dataset *dataset, bool intercept, Error *error);
void start_free(Start *start);

#endif
