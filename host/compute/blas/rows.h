/* What happens to a block of logits of the blas backend between the two products. A block is class-major, Z (K, stride): the logits of one
 * row lie `stride` apart and those of BLAS_LANES rows next to each other, so that the compiler works on that many rows at a time whatever
 * K is. stride is a multiple of BLAS_LANES; lanes past the last row hold anything and are computed for nothing. */
#ifndef SETOSA_COMPUTE_BLAS_ROWS_H
#define SETOSA_COMPUTE_BLAS_ROWS_H

#include <stddef.h>
#include <stdint.h>

enum { BLAS_LANES = 32 };

/* What a row is compared with, and how much it counts: (rows) each; weights NULL: 1 for every row. */
typedef struct BlasTargets {
  const int32_t *labels;
  const float *weights;
} BlasTargets;

/* z -> scale (a - p) times the row's weight in place; returns the weighted sum of the losses of `rows` rows. */
double blas_rows_residuals(float *z, size_t stride, size_t classes, BlasTargets targets, size_t rows, float scale);
/* z -> a in place. */
void blas_rows_probabilities(float *z, size_t stride, size_t classes, size_t rows);
/* q -> scale a (q - <a, q>) times the row's weight in place, a = softmax(z); z is overwritten. */
void blas_rows_hessian(float *z, float *q, size_t stride, size_t classes, const float *weights, size_t rows, float scale);
/* At z + t s: returns the weighted sum of the losses, adds d(sum)/dt to *slope. Reads only. */
double blas_rows_line(const float *z, const float *s, size_t stride, size_t classes, BlasTargets targets, size_t rows, float t,
                      double *slope);

#endif
