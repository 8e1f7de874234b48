/* Whether an archive looks like one of NumPy's, of which npz_read (reader.h) reads X and y. Private to host/data. */
#ifndef SETOSA_DATA_NPZ_H
#define SETOSA_DATA_NPZ_H

#include "base/text.h"
#include "data/archive.h"

/* By the first bytes of a file: a zip archive whose first member is called something.npy. */
bool npz_looks_so(const unsigned char *bytes, size_t count);
/* The member NAME.npy. */
bool npz_find_array(const Archive *archive, const char *name, size_t *index);
/* Appends "'a', 'b'": the arrays that there are, the first few of many. */
Status npz_list_arrays(Text *list, const Archive *archive, Error *error);

#endif
