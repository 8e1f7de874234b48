/* Sparse rows of the native backend (kernels/README.md, "Sparse rows"): the entries of a range of rows on the device, by rows for logits
 * and, of each block of rows, by columns for gradients; and the two products, which take the place of those of dense rows. */
#ifndef SETOSA_COMPUTE_NATIVE_SPARSE_H
#define SETOSA_COMPUTE_NATIVE_SPARSE_H

#include "compute/native/native.h"

/* The entries of a block of rows in the order of their columns. */
struct SparseBlock {
  size_t begin, count;   /* rows of the data set */
  Buffer *rows, *values; /* (entries) u16 row within the block, and value; values NULL where all are 1 */
  Buffer *index;         /* u32: columns with entries (columns), the end of each (columns), the first column of each item and the end of the
                            last (items + 1), and which of the columns are long (longs) */
  size_t columns, items, longs;
};

/* What the products need beside rows; zeroed for dense rows. */
struct NativeSparse {
  uint32_t stride, tile;  /* classes of a row of turned weights, and of a tile of them (kernels/sparse.clh) */
  bool ones;              /* no values are kept */
  uint64_t entries;       /* of all rows of the data set */
  NativePanels turned[2]; /* (D+1,stride) of the last two vectors, the latest first */
  Buffer *gradient;       /* (D,stride) of the share at hand */
  Buffer *residuals;      /* CPU family: (block_rows,stride) */
  Buffer *sums, *bias;    /* CPU family: sums of residuals of items; (K) of the share at hand */
  SparseBlock other;      /* of the last rows that were no whole block */
  uint32_t *places;       /* (D) on the host and the device: where the turned weights of each feature lie; NULL: at its number */
  Buffer *places_there;
  SparseRoom room; /* of rows that are gathered or made */
};

/* For a data set of sparse rows, before anything of native is sized: sets native->products. */
void native_sparse_begin(Native *native, const DataShape *shape);
/* For the rows of the window, once they are known. */
Status native_sparse_place(Native *native, Error *error);
void native_sparse_release(Native *native);
/* Rows of a block, of at most so many bytes of logits (0: as fits the caches). */
size_t native_sparse_block_rows(const Native *native, size_t workspace_bytes);

/* Rows [begin, begin + count) into buffers that are their own or that no kernel uses any more. */
Status native_sparse_load(Native *native, RowBuffers *buffers, size_t begin, size_t count, Error *error);
void native_sparse_unload(RowBuffers *buffers);
/* Bytes that rows of the data set take on the device, about. */
uint64_t native_sparse_bytes(const Native *native, RowRange rows);
/* The most that a row takes in the mean of any `unit` rows of the window, beginning at multiples of it. */
size_t native_sparse_row_bytes(const Native *native, size_t unit);
/* Bytes of what the products need beside. */
size_t native_sparse_work_bytes(const Native *native);
/* Z (rows, native->stride) good to its last bit, of rows of the buffers. */
Status native_sparse_accurate_logits(Native *native, const Vector *w, const RowBuffers *buffers, RowRange rows, Buffer *block,
                                     Error *error);

#endif
