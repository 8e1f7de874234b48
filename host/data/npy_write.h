/* The head of a NumPy array that is written. Private to host/data. */
#ifndef SETOSA_DATA_NPY_WRITE_H
#define SETOSA_DATA_NPY_WRITE_H

#include <stddef.h>
#include <stdint.h>

enum { NPY_HEAD_SIZE = 256 };

/* Version 1.0, for elements of this machine's byte order; type is NumPy's without the order: f4, i4, i8, S3. shape (dimensions), 2 at most;
 * 0: a scalar. Padded so that the data begin at a multiple of 64, as NumPy does. Returns its length. */
size_t npy_head(char head[NPY_HEAD_SIZE], const char *type, const uint64_t *shape, size_t dimensions);

#endif
