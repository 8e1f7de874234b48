/* Metrics and Gram matrices: on the host, for now. */
#include "compute/metric.h"

#include <stdlib.h>

#include "base/memory.h"
#include "compute/blas/blas.h"

Status blas_metric_create(Backend *backend, Metric **metric, const MetricForm *form, Error *error) {
  return host_metric_create((HostMetric **)metric, backend, form, error);
}

Status blas_metric_apply(Backend *backend, const Metric *metric, Vector *out, const Vector *v, Error *error) {
  Status status = SETOSA_OK;
  double *values = NULL;
  TRY(memory_allocate((void **)&values, 2 * backend->parameters, sizeof *values, "a vector", error));
  TRY(vector_read(backend, v, values, error));
  host_metric_apply((const HostMetric *)metric, backend, values + backend->parameters, values);
  TRY(vector_write(backend, out, values + backend->parameters, error));
cleanup:
  free(values);
  return status;
}

void blas_metric_destroy(Backend *backend, Metric *metric) {
  (void)backend;
  host_metric_destroy((HostMetric *)metric);
}

Status blas_gram(Backend *backend, const GramRequest *request, double *out, Error *error) {
  return host_gram(((Blas *)backend)->source, ((Blas *)backend)->reweighed, request, out, error);
}

Status blas_broadcast(Backend *backend, Status own, size_t count, double *values, Error *error) {
  (void)backend, (void)count, (void)values, (void)error;
  return own;
}
