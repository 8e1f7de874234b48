/* What defines a training, as names and texts: they are kept in its checkpoints and compared when it goes on. */
#ifndef SETOSA_TRAIN_CHECKPOINT_SETTINGS_H
#define SETOSA_TRAIN_CHECKPOINT_SETTINGS_H

#include "compute/backend.h"
#include "data/dataset.h"
#include "train/checkpoint_file.h"

/* Adds the options that define the training: rows of options/table.h that change weights or say when to end, but for those of which it
 * counts what the backend makes of them. */
Status settings_of_options(Texts *settings, const SetosaTrainOptions *options, Error *error);
/* Adds version, data and those options. The fingerprint of the data reads all values and labels once, each rank its share of them; ranks
 * call this together. */
Status settings_of_training(Texts *settings, const SetosaTrainOptions *options, const Dataset *dataset, Error *error);
/* Adds what the backend has made of the options that leave it a choice. */
Status settings_of_backend(Texts *settings, const Backend *backend, Error *error);
/* The first of `here` that forbids to go on from `before`: SETOSA_ERROR_DATA for the data, SETOSA_ERROR_USAGE for an option, and for both
 * where nobody has asked to go on (before->ways_out). */
Status settings_compare(const Texts *here, const Checkpoint *before, const SetosaTrainOptions *options, Error *error);

#endif
