/* Entries on their way to the device. */
#ifndef SETOSA_COMPUTE_NATIVE_SPARSE_UPLOAD_H
#define SETOSA_COMPUTE_NATIVE_SPARSE_UPLOAD_H

#include "compute/native/sparse.h"

/* The entries of rows of the buffers, at most a block of them, by columns: those of a block of the data set are made when the first of the
 * buffers is asked for, those of other rows for every call. It stays until the next call. */
Status native_sparse_block(Native *native, const SparseBlock **block, const RowBuffers *buffers, RowRange rows, Error *error);
void native_sparse_block_release(SparseBlock *block);

#endif
