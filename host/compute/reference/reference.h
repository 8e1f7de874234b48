/* Inside the reference backend: its data, shared by reference.c (life, vectors) and pass.c (the mathematics). */
#ifndef SETOSA_COMPUTE_REFERENCE_H
#define SETOSA_COMPUTE_REFERENCE_H

#include "base/sum.h"
#include "compute/backends.h"

/* A vector of the reference backend: P = K*D + K doubles, weights (K,D) row-major, then bias (K). */
struct Vector {
  double *values; /* (P) */
};

/* An open line phi(t) = L(w + t s). */
typedef struct ReferenceLine {
  bool open;
  const double *w, *s; /* (P), borrowed while the line is open */
  double *xw, *xs;     /* (N,K) logits of w and of s, or both NULL: computed row by row at every point */
} ReferenceLine;

typedef struct Reference {
  Backend base;
  const Dataset *source; /* borrowed */
  const float *x;        /* (N,D) row-major, borrowed from the data set; */
  SparseRows sparse;     /* or these, borrowed, too; zeroed: rows are dense */
  const int32_t *labels; /* (N) in 0..K-1, borrowed; NULL: only predict works */
  const float *weights;  /* (N) borrowed, or NULL: 1 for every row */
  float *reweighed;      /* (N) which they then are, where they change; else NULL */
  double *logits;        /* (K) of the row at hand */
  double *tangent;       /* (K) of the row at hand: x_i . V, or x_i . S */
  ReferenceLine line;
  uint64_t bytes_held, bytes_peak, flops, bytes_read;
} Reference;

/* Adds to (or with a negative change takes from) the bytes held, remembering the most. */
void reference_hold_bytes(Reference *reference, int64_t change);

/* The operations of backend.h on the objective; each is described there. */
Status reference_evaluate(Backend *backend, const Vector *w, RowRange rows, const Addition *addition, Vector *gradient, DataTerm *at,
                          Error *error);
Status reference_hessian_product(Backend *backend, const Vector *w, const Vector *v, RowRange rows, const Addition *addition, Vector *out,
                                 Error *error);
Status reference_labels(Backend *backend, RowRange rows, int32_t *labels, Error *error);
Status reference_predict(Backend *backend, const Vector *w, RowRange rows, RowScores kind, float *scores, Error *error);
Status reference_line_open(Backend *backend, const Vector *w, const Vector *s, Error *error);
Status reference_line_evaluate(Backend *backend, double step, double *value, double *slope, Error *error);
void reference_line_close(Backend *backend);

Status reference_metric_create(Backend *backend, Metric **metric, const MetricForm *form, Error *error);
Status reference_metric_apply(Backend *backend, const Metric *metric, Vector *out, const Vector *v, Error *error);
void reference_metric_destroy(Backend *backend, Metric *metric);
Status reference_gram(Backend *backend, const GramRequest *request, double *out, Error *error);
Status reference_broadcast(Backend *backend, Status own, size_t count, double *values, Error *error);

#endif
