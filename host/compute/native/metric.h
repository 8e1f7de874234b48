/* Metrics and Gram matrices of the native backend. */
#ifndef SETOSA_COMPUTE_NATIVE_METRIC_H
#define SETOSA_COMPUTE_NATIVE_METRIC_H

#include "compute/native/native.h"

Status native_metric_create(Backend *backend, Metric **metric, const MetricForm *form, Error *error);
Status native_metric_apply(Backend *backend, const Metric *metric, Vector *out, const Vector *v, Error *error);
void native_metric_destroy(Backend *backend, Metric *metric);
/* What metrics and Gram matrices take on the device. */
size_t native_matrix_bytes(const Native *native, const BackendSettings *settings);
Status native_gram(Backend *backend, const GramRequest *request, double *out, Error *error);
Status native_broadcast(Backend *backend, Status own, size_t count, double *values, Error *error);

/* Tiles that gradient_block makes Gram matrices with. */
NativeShape native_gram_shape(const Native *native);

#endif
