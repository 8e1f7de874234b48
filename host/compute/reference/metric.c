/* Metrics and Gram matrices of the reference backend: their definitions, compute/metric.c. */
#include "compute/metric.h"

#include "compute/reference/reference.h"

struct Metric; /* a HostMetric */

Status reference_metric_create(Backend *backend, Metric **metric, const MetricForm *form, Error *error) {
  return host_metric_create((HostMetric **)metric, backend, form, error);
}

Status reference_metric_apply(Backend *backend, const Metric *metric, Vector *out, const Vector *v, Error *error) {
  (void)error;
  host_metric_apply((const HostMetric *)metric, backend, out->values, v->values);
  return SETOSA_OK;
}

void reference_metric_destroy(Backend *backend, Metric *metric) {
  (void)backend;
  host_metric_destroy((HostMetric *)metric);
}

Status reference_gram(Backend *backend, const GramRequest *request, double *out, Error *error) {
  Reference *reference = (Reference *)backend;
  if (request->at != NULL) return gram_at(backend, request, out, error);
  reference->flops += host_gram_flops(reference->source, request);
  return host_gram(reference->source, reference->reweighed, request, out, error);
}

Status reference_broadcast(Backend *backend, Status own, size_t count, double *values, Error *error) {
  (void)backend, (void)count, (void)values, (void)error;
  return own;
}
