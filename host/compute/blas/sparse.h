/* The two products of sparse rows, which OpenBLAS has not, on one thread: an entry is a number times a row of W, or of the gradient,
 * feature after feature: (D+1, width), the classes of a feature next to each other, the bias as feature D. width is K and what makes it a
 * whole number of vectors, where weights are 0 and gradients nothing. Blocks of logits are class-major, as in rows.h. */
#ifndef SETOSA_COMPUTE_BLAS_SPARSE_H
#define SETOSA_COMPUTE_BLAS_SPARSE_H

#include "data/dataset.h"

enum { BLAS_PIECES = 256 };

typedef struct BlasSparse {
  SparseRows rows; /* all of the data set's, borrowed; zeroed: rows are dense */
  size_t features, classes, width;
  float *turned[2];             /* W, and a direction, feature after feature; NULL: not asked for yet */
  size_t cuts[BLAS_PIECES + 1]; /* pieces of the features, the bias in the last, of about as many entries each; where threads share a
                                 * gradient */
} BlasSparse;

/* Floats of a feature: 2, 4 or a multiple of 8. */
size_t blas_sparse_width(size_t classes);
/* The number of floats (D+1, width). */
static inline size_t blas_sparse_floats(const BlasSparse *sparse) { return (sparse->features + 1) * sparse->width; }
/* Fills cuts. */
Status blas_sparse_cut(BlasSparse *sparse, size_t rows, Error *error);

/* Features [first, last) of a vector (P), of D + 1, feature after feature; and back. */
void blas_sparse_turn(const BlasSparse *sparse, float *turned, const float *vector, size_t first, size_t last);
void blas_sparse_turn_back(const BlasSparse *sparse, float *vector, const float *turned, size_t first, size_t last);

/* z (K, stride), its first `rows` columns = W X' + b for rows from `begin` on. Accurate: each sum is in double. */
void blas_sparse_logits(const BlasSparse *sparse, const float *turned, size_t begin, size_t rows, float *z, size_t stride);
void blas_sparse_logits_accurate(const BlasSparse *sparse, const float *turned, size_t begin, size_t rows, float *z, size_t stride);
/* gradient (D+1, width) += X' R' of these rows, for features [first, last) of D + 1 alone. r (K, stride). */
void blas_sparse_add(const BlasSparse *sparse, const float *r, size_t stride, size_t begin, size_t rows, size_t first, size_t last,
                     float *gradient);

#endif
