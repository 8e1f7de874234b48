/* The data of --test and --calibrate. */
#ifndef SETOSA_CLI_TRAIN_TEST_H
#define SETOSA_CLI_TRAIN_TEST_H

#include "cli/inputs.h"

/* Whether columns must stay as they are: no bias makes up for a shift, but the offset of a scaling does. */
bool train_is_unshifted(const Options *options);
/* --calibrate and --calibrate-validation, and what they need. */
Status train_check_calibration(const Options *options, Error *error);
/* Reads data with the columns, names and classes of the training data, as which they are to be scaled then. labels: a file, or NULL. */
Status train_load_like(SetosaDataset **dataset, const Session *session, const SetosaDataset *like, const char *source, const char *labels,
                       Error *error);

#endif
