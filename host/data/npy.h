/* The rows of a NumPy array, without labels. Private to host/data. */
#ifndef SETOSA_DATA_NPY_H
#define SETOSA_DATA_NPY_H

#include "data/reader.h"

/* Of the reader's stream, which may be a member of an archive, into its sink. */
Status npy_read_rows(Dataset *dataset, Reader *reader, Error *error);

#endif
