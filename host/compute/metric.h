/* Metrics and Gram matrices (backend.h) in double on the host: the reference backend's own, and the judge of the others'. */
#ifndef SETOSA_COMPUTE_METRIC_H
#define SETOSA_COMPUTE_METRIC_H

#include "compute/backend.h"
#include "data/dataset.h"

/* A form that owns its arrays, and room to apply it. */
typedef struct HostMetric {
  MetricForm form;
  double *room; /* (2,K,D+1) */
} HostMetric;

Status host_metric_create(HostMetric **metric, const Backend *backend, const MetricForm *form, Error *error);
void host_metric_destroy(HostMetric *metric);
/* out (P) = metric v (P); out is not v. */
void host_metric_apply(const HostMetric *metric, const Backend *backend, double *out, const double *v);

/* Rows [first, first + count) of a request, brought from the data set, and their weights in it. */
typedef struct GramRows {
  float *x;               /* (room_rows,D); NULL where the weights alone are brought */
  float *weights;         /* (room_rows): 1 where the data set has none */
  const float *reweighed; /* (N) weights that take the place of those of the data set; NULL: none do */
  TargetRoom targets;
} GramRows;
Status gram_rows_open(GramRows *rows, size_t room_rows, size_t features, Error *error);
Status gram_rows_bring(GramRows *rows, const Dataset *dataset, const GramRequest *request, size_t first, size_t count, Error *error);
/* The weights alone. */
Status gram_weights_bring(GramRows *rows, const Dataset *dataset, const GramRequest *request, size_t first, size_t count, Error *error);
void gram_rows_close(GramRows *rows);

/* m (width,width): what is below the diagonal is put above it, too. */
void gram_mirror(double *m, size_t width);

/* What a request takes: of sparse rows a diagonal by as many entries as there are on average. */
uint64_t host_gram_flops(const Dataset *dataset, const GramRequest *request);
/* A request with `at`, by the probabilities of the backend and gram operations of its own, chunk by chunk. */
Status gram_at(Backend *backend, const GramRequest *request, double *out, Error *error);
/* The whole operation in double, on one thread. reweighed: as in GramRows. Of sparse rows a diagonal takes time by their entries. */
Status host_gram(const Dataset *dataset, const float *reweighed, const GramRequest *request, double *out, Error *error);

#endif
