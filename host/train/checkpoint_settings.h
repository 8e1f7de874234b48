/* What defines a training, as names and texts: they are kept in its checkpoints and compared when it goes on. */
#ifndef SETOSA_TRAIN_CHECKPOINT_SETTINGS_H
#define SETOSA_TRAIN_CHECKPOINT_SETTINGS_H

#include "compute/backend.h"
#include "data/dataset.h"
#include "train/checkpoint_file.h"

/* Adds version, data and options. The fingerprint of the data reads all values and labels once, each rank its share of them; ranks
 * call this together. */
Status settings_of_training(Texts *settings, const SetosaTrainOptions *options, const Dataset *dataset, Error *error);
/* Adds what the backend is, where that changes digits. */
Status settings_of_backend(Texts *settings, const Backend *backend, Error *error);
/* The first of `here` that forbids to go on from `before`: SETOSA_ERROR_DATA for the data, SETOSA_ERROR_USAGE for an option. */
Status settings_compare(const Texts *here, const Checkpoint *before, const SetosaTrainOptions *options, Error *error);

#endif
