/* OpenBLAS: the few functions that the blas backend calls, loaded when it is opened. */
#ifndef SETOSA_COMPUTE_BLAS_PRODUCTS_H
#define SETOSA_COMPUTE_BLAS_PRODUCTS_H

#include <cblas.h>

#include "base/error.h"

/* Under OpenBLAS's own names. */
typedef struct BlasProducts {
  __typeof__(cblas_sgemm) *cblas_sgemm;
  __typeof__(cblas_sgemv) *cblas_sgemv;
  __typeof__(cblas_dgemm) *cblas_dgemm;
  __typeof__(openblas_get_num_threads) *openblas_get_num_threads;
  __typeof__(openblas_set_num_threads) *openblas_set_num_threads;
  void *(*blas_memory_alloc)(int); /* NULL: it has none */
  void (*blas_memory_free)(void *);
  size_t prepared; /* threads whose memory it has */
  size_t threads;  /* that a caller of OpenBLAS would have: cores, at most $OPENBLAS_NUM_THREADS */
} BlasProducts;

Status blas_products_load(BlasProducts *products, Error *error);
/* Before `team` threads multiply at the same time: OpenBLAS must not start threads of its own inside ours, so it has one from here to
 * blas_products_end; *before is what it had. SETOSA_ERROR_INTERNAL: there is no room for what it takes. */
Status blas_products_begin(BlasProducts *products, size_t team, int *before, Error *error);
void blas_products_end(const BlasProducts *products, int before);

#endif
