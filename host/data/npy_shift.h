/* The first of two passes over a NumPy file of numbers wider than f32: which of its columns are shifted. Private to host/data. */
#ifndef SETOSA_DATA_NPY_SHIFT_H
#define SETOSA_DATA_NPY_SHIFT_H

#include "data/npy_header.h"
#include "data/reader.h"

/* Sets the data set's shift: the one that a model expects, else where a column of its rows (N,D) needs one, with remarks on its columns.
 * The reader's stream is at the first number, before and after. Of a pipe, which cannot be read twice, nothing is shifted, and a remark
 * says so. What is wrong with the numbers, reading them tells. */
Status npy_choose_shift(Dataset *dataset, const NpyHeader *header, Reader *reader, Error *error);

#endif
