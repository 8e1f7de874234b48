/* What is worth knowing of columns of numbers: which were shifted, which are constant, whose scales are far apart. Private to host/data. */
#ifndef SETOSA_DATA_SHIFT_REMARK_H
#define SETOSA_DATA_SHIFT_REMARK_H

#include "data/moments.h"
#include "data/rows.h"

/* Adds remarks (SETOSA_REMARK_DETAIL) to a data set whose features, names and shift are known. moments (D) of its features; NULL, or one of
 * count 0: not known, or no column of numbers. */
Status shift_remark(Dataset *dataset, const Moments *moments, Error *error);

#endif
