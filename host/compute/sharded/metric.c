/* Metrics and Gram matrices of several devices: every member has a metric, and one makes a Gram matrix. */
#include <stdlib.h>

#include "base/memory.h"
#include "compute/native/metric.h"
#include "compute/sharded/sharded.h"

/* A metric of the sharded backend: one of each member. */
typedef struct MetricReplicas {
  Metric *of[BACKEND_MOST_DEVICES];
} MetricReplicas;

Status sharded_metric_create(Backend *backend, Metric **metric, const MetricForm *form, Error *error) {
  Status status = SETOSA_OK;
  Sharded *sharded = (Sharded *)backend;
  MetricReplicas *made = NULL;
  *metric = NULL;
  TRY(memory_allocate_zero((void **)&made, 1, sizeof *made, "a metric", error));
  for (size_t i = 0; i < sharded->member_count; i++)
    TRY(native_metric_create(&sharded->members[i].native->head, &made->of[i], form, error));
  *metric = (Metric *)made;
  made = NULL;
cleanup:
  sharded_metric_destroy(backend, (Metric *)made);
  return status;
}

Status sharded_metric_apply(Backend *backend, const Metric *metric, Vector *out, const Vector *v, Error *error) {
  Status status = SETOSA_OK;
  Sharded *sharded = (Sharded *)backend;
  const MetricReplicas *metrics = (const MetricReplicas *)metric;
  for (size_t i = 0; i < sharded->member_count && status == SETOSA_OK; i++)
    status = native_metric_apply(&sharded->members[i].native->head, metrics->of[i], replica_of(out, i), replica(v, i), error);
  return status;
}

void sharded_metric_destroy(Backend *backend, Metric *metric) {
  Sharded *sharded = (Sharded *)backend;
  MetricReplicas *metrics = (MetricReplicas *)metric;
  if (metrics == NULL) return;
  for (size_t i = 0; i < sharded->member_count; i++) native_metric_destroy(&sharded->members[i].native->head, metrics->of[i]);
  free(metrics);
}

Status sharded_gram(Backend *backend, const GramRequest *request, double *out, Error *error) {
  GramRequest own = *request;
  own.at = replica(request->at, 0);
  return native_gram(&((Sharded *)backend)->members[0].native->head, &own, out, error);
}

Status sharded_broadcast(Backend *backend, Status own, size_t count, double *values, Error *error) {
  Ranks *ranks = ((Sharded *)backend)->ranks;
  Status status = ranks_agree(ranks, own, error);
  return status != SETOSA_OK ? status : ranks_broadcast(ranks, values, count * sizeof *values, error);
}
