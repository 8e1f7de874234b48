/* Private to the blas backend: its state, and what its files offer each other. */
#ifndef SETOSA_COMPUTE_BLAS_H
#define SETOSA_COMPUTE_BLAS_H

#include "compute/backends.h"
#include "compute/blas/products.h"
#include "compute/blas/rows.h"
#include "compute/blas/sparse.h"
#include "compute/blas/threads.h"
#include "compute/line.h"

/* f32, as on a device: the gradient is accumulated by sgemm where it lies and W goes into it as it is, with no conversion in a pass. */
struct Vector {
  float *values; /* (P): weights (K,D) row-major, then bias (K) */
};

/* What one thread works in. Blocks of logits are class-major (K, stride), see rows.h. */
typedef struct BlasRoom {
  float *logits;     /* (K, stride) */
  float *directions; /* (K, stride), for Hessians only */
  float *partial;    /* (P) its part of the gradient; NULL for the first thread, which adds into the result. Of sparse rows (D+1, width) of
                      * sparse.h, of the first thread, too */
  double loss;
} BlasRoom;

typedef struct BlasLine {
  bool open;
  Line shared;
  float *logits, *slopes; /* X w and X s: blocks of block_rows rows, each (K, stride); NULL when they do not fit */
  size_t capacity;        /* floats in each */
} BlasLine;

typedef struct Blas {
  Backend head;
  const Dataset *source; /* borrowed */
  const float *x;        /* (N,D) row-major, borrowed; */
  BlasSparse sparse;     /* or these */
  BlasTargets targets;   /* (N) each, borrowed; labels NULL: then only predict works */
  BlasProducts products;
  BlasThreads *threads;
  BlasRoom *rooms;   /* one a thread */
  bool whole_blocks; /* all threads on one block, since a gradient for each thread would take too much memory; of a sparse one each then
                      * adds to features of its own (BlasSparse.cuts) */
  size_t block_rows; /* a multiple of BLAS_LANES, and the stride of its logits */
  float *ones;       /* (block_rows): column sums by sgemv */
  float *reweighed;  /* (N) the weights in `targets`, where they change; else NULL */
  size_t workspace_bytes;
  BlasLine line;
  uint64_t bytes_held, bytes_peak, flops, bytes_read;
} Blas;

/* blas.c. Zeros; counted in bytes_held until released with the same count. */
Status blas_hold(Blas *blas, void **memory, size_t count, size_t size, const char *what, Error *error);
void blas_release(Blas *blas, void *memory, size_t bytes);
/* Threads that pay for about `flops` operations: at least 1, at most all. */
size_t blas_team(const Blas *blas, uint64_t flops);
double blas_dot(Blas *blas, const float *a, const float *b, size_t count);

/* pass.c */
Status blas_evaluate(Backend *backend, const Vector *w, RowRange rows, const Addition *addition, Vector *gradient, DataTerm *at,
                     Error *error);
Status blas_hessian_product(Backend *backend, const Vector *w, const Vector *v, RowRange rows, const Addition *addition, Vector *out,
                            Error *error);
Status blas_labels(Backend *backend, RowRange rows, int32_t *labels, Error *error);
Status blas_check_rows(const Blas *blas, RowRange rows, bool labels_needed, Error *error);
/* The targets of rows from `begin` on. */
static inline BlasTargets blas_targets(const Blas *blas, size_t begin) {
  const float *weights = blas->targets.weights;
  return (BlasTargets){blas->targets.labels + begin, weights != NULL ? weights + begin : NULL};
}
static inline bool blas_is_sparse(const Blas *blas) { return blas->sparse.rows.begin != NULL; }
/* The first of the rows that participant `index` of `count` works on: all have as much to do. */
size_t blas_share_begin(const Blas *blas, RowRange rows, size_t index, size_t count);
/* What blas_logits takes for a vector (P): itself, or of sparse rows the vector feature after feature in place `which` (0 or 1), until that
 * is used again. */
Status blas_prepare(Blas *blas, const float **prepared, const Vector *vector, size_t which, Error *error);
/* Allocates what this kind of pass needs in the workspaces of `team` threads and is not there yet. */
Status blas_reserve(Blas *blas, size_t team, bool hessian, bool gradient, Error *error);
/* Arithmetic of a product of rows and W. */
static inline uint64_t blas_product_flops(const Blas *blas, RowRange rows) {
  return 2 * dataset_entries(blas->source, rows) * blas->head.classes;
}
/* z (K, stride), its first `rows` columns = W X' + b for rows from `begin` on; w is prepared. */
void blas_logits(const Blas *blas, const float *w, size_t begin, size_t rows, float *z, size_t stride);

/* predict.c */
Status blas_predict(Backend *backend, const Vector *w, RowRange rows, RowScores kind, float *scores, Error *error);

/* metric.c */
Status blas_metric_create(Backend *backend, Metric **metric, const MetricForm *form, Error *error);
Status blas_metric_apply(Backend *backend, const Metric *metric, Vector *out, const Vector *v, Error *error);
void blas_metric_destroy(Backend *backend, Metric *metric);
Status blas_broadcast(Backend *backend, Status own, size_t count, double *values, Error *error);

/* gram.c */
Status blas_gram(Backend *backend, const GramRequest *request, double *out, Error *error);

/* line.c */
Status blas_line_open(Backend *backend, const Vector *w, const Vector *s, Error *error);
Status blas_line_evaluate(Backend *backend, double step, double *value, double *slope, Error *error);
void blas_line_close(Backend *backend);
/* Frees what lines keep between them. */
void blas_line_release(Blas *blas);

#endif
