/* The data of --test. */
#ifndef SETOSA_CLI_TRAIN_TEST_H
#define SETOSA_CLI_TRAIN_TEST_H

#include "cli/inputs.h"

/* Whether columns must stay as they are: no bias makes up for a shift, but the offset of a scaling does. */
bool train_is_unshifted(const Options *options);
/* Reads them with the columns, names and classes of the training data, as which they are to be scaled then. */
Status train_load_test(SetosaDataset **test, const Session *session, const SetosaDataset *like, Error *error);

#endif
