/* Metrics of the native backend: their matrices on the device, and kernels/metric.cl over them. */
#include "compute/native/metric.h"

#include <stdlib.h>

#include "base/memory.h"
#include "compute/native/vector.h"

struct Metric {
  bool mean_off;                 /* V takes the mean over the classes off */
  Buffer *classes;               /* V (K,K), or NULL */
  Buffer *turn, *turn_back;      /* F' and F (feature_count, D+1, stride), padded with zeros; or NULL */
  Buffer *center, *scale;        /* (D), (P), or NULL */
  Buffer *room, *second_room;    /* (P) each, between two steps */
  uint64_t class_stride, stride; /* floats of a matrix, 0 where all classes have the same; of a row of it */
  bool triangular;               /* F is lower triangular but for its last column */
};

static size_t turn_columns(const Native *native) { return native->family == SETOSA_FAMILY_CPU ? TURN_COLUMNS_CPU : TURN_COLUMNS_GPU; }

/* ---- the matrices ----------------------------------------------------------------------------------------------- */

static Status upload(Buffer **buffer, Native *native, const double *values, size_t count, Error *error) {
  Status status = SETOSA_OK;
  float *copy = NULL;
  if (values == NULL) return SETOSA_OK;
  TRY(memory_allocate((void **)&copy, count, sizeof *copy, "a metric", error));
  for (size_t i = 0; i < count; i++) copy[i] = (float)values[i];
  TRY(buffer_create(buffer, native->context, count * sizeof *copy, "a preconditioner", error));
  TRY(buffer_write(*buffer, 0, count * sizeof *copy, copy, error));
cleanup:
  free(copy);
  return status;
}

static bool takes_mean_off(const double *classes, size_t count) {
  for (size_t i = 0; classes != NULL && i < count * count; i++)
    if (classes[i] != (i % (count + 1) == 0 ? 1.0 : 0.0) - 1 / (double)count) return false;
  return classes != NULL;
}

static bool is_triangular(const MetricForm *form, size_t width) {
  for (size_t k = 0; k < form->feature_count; k++)
    for (size_t i = 0; i < width; i++)
      for (size_t j = i + 1; j + 1 < width; j++)
        if (form->features[(k * width + i) * width + j] != 0) return false;
  return true;
}

/* F' and F with padded rows, one matrix at a time. */
static Status upload_features(Metric *metric, Native *native, const MetricForm *form, Error *error) {
  Status status = SETOSA_OK;
  size_t width = native->head.features + 1, columns = turn_columns(native), stride = (width + columns - 1) / columns * columns, bytes = 0;
  float *matrix = NULL;
  if (form->feature_count == 0) return SETOSA_OK;
  TRY(memory_multiply(&bytes, form->feature_count * sizeof(float), width * stride, "a preconditioner", error));
  TRY(memory_allocate_zero((void **)&matrix, width * stride, sizeof *matrix, "a matrix", error));
  TRY(buffer_create(&metric->turn, native->context, bytes, "a preconditioner", error));
  TRY(buffer_create(&metric->turn_back, native->context, bytes, "a preconditioner", error));
  metric->stride = stride;
  metric->class_stride = form->feature_count > 1 ? width * stride : 0;
  metric->triangular = is_triangular(form, width);
  for (size_t k = 0; k < form->feature_count; k++) {
    const double *f = form->features + k * width * width;
    size_t offset = k * width * stride * sizeof *matrix;
    for (size_t i = 0; i < width; i++)
      for (size_t j = 0; j < width; j++) matrix[i * stride + j] = (float)f[j * width + i];
    TRY(buffer_write(metric->turn, offset, width * stride * sizeof *matrix, matrix, error));
    for (size_t i = 0; i < width; i++)
      for (size_t j = 0; j < width; j++) matrix[i * stride + j] = (float)f[i * width + j];
    TRY(buffer_write(metric->turn_back, offset, width * stride * sizeof *matrix, matrix, error));
  }
cleanup:
  free(matrix);
  return status;
}

Status native_metric_create(Backend *backend, Metric **out, const MetricForm *form, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  Metric *metric = NULL;
  size_t classes = backend->classes, bytes = backend->parameters * sizeof(float);
  *out = NULL;
  TRY(memory_allocate_zero((void **)&metric, 1, sizeof *metric, "a metric", error));
  metric->mean_off = takes_mean_off(form->classes, classes);
  if (!metric->mean_off) TRY(upload(&metric->classes, native, form->classes, classes * classes, error));
  TRY(upload_features(metric, native, form, error));
  if (form->feature_count == 0) TRY(upload(&metric->center, native, form->center, backend->features, error));
  TRY(upload(&metric->scale, native, form->scale, backend->parameters, error));
  TRY(buffer_create(&metric->room, native->context, bytes, "a preconditioner", error));
  TRY(buffer_create(&metric->second_room, native->context, bytes, "a preconditioner", error));
  *out = metric;
  metric = NULL;
cleanup:
  native_metric_destroy(backend, metric);
  return status;
}

void native_metric_destroy(Backend *backend, Metric *metric) {
  (void)backend;
  if (metric == NULL) return;
  Buffer *buffers[] = {metric->classes, metric->turn, metric->turn_back, metric->center, metric->scale, metric->room, metric->second_room};
  for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) buffer_destroy(buffers[i]);
  free(metric);
}

/* ---- times a vector --------------------------------------------------------------------------------------------- */

/* Groups for a kernel whose items share `count` elements, of some microseconds each. */
static KernelRange shared_range(const Native *native, size_t count) {
  size_t wanted = (count + 1023) / 1024, most = native_enough_groups(native);
  return native_team_range(native, (uint32_t)(wanted < 1 ? 1 : wanted > most ? most : wanted));
}

static Status turn_classes(Native *native, const Metric *metric, bool transposed, const Buffer *from, Buffer *to, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  uint64_t features = native->head.features;
  TRY(native_kernel(native, KERNEL_METRIC_CLASSES, &kernel, error));
  size_t work = metric->mean_off ? native->head.parameters : native->head.parameters * native->head.classes;
  TRY(kernel_launch(kernel, shared_range(native, work), error, ARG(metric->classes), ARG((uint32_t)metric->mean_off),
                    ARG((uint32_t)transposed), ARG(features), ARG((uint32_t)native->head.classes), ARG(from), ARG(to)));
cleanup:
  return status;
}

static Status turn_features(Native *native, const Metric *metric, bool back, const Buffer *from, Buffer *to, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  uint64_t features = native->head.features;
  const Buffer *matrix = back ? metric->turn_back : metric->turn, *scale = back ? NULL : metric->scale;
  uint32_t shape = !metric->triangular ? TURN_FULL : back ? TURN_LOWER : TURN_UPPER;
  KernelRange range = native_team_range(native, (uint32_t)(metric->stride / turn_columns(native)));
  range.global[1] = native->head.classes;
  range.local[1] = 1;
  TRY(native_kernel(native, KERNEL_METRIC_TURN, &kernel, error));
  TRY(kernel_launch(kernel, range, error, ARG(matrix), ARG(metric->class_stride), ARG(metric->stride), ARG(shape), ARG(features),
                    ARG((uint32_t)native->head.classes), ARG(from), ARG(scale), ARG(to)));
  native->flops += 2 * (uint64_t)native->head.classes * (features + 1) * (features + 1) / (metric->triangular ? 2 : 1);
cleanup:
  return status;
}

static Status center_features(Native *native, const Metric *metric, bool back, const Buffer *from, Buffer *to, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  uint64_t features = native->head.features;
  uint32_t classes = (uint32_t)native->head.classes;
  TRY(native_kernel(native, back ? KERNEL_METRIC_UNCENTER : KERNEL_METRIC_CENTER, &kernel, error));
  if (back)
    TRY(kernel_launch(kernel, native_team_range(native, classes), error, ARG(metric->center), ARG(features), ARG(classes), ARG(from),
                      ARG(to)));
  else
    TRY(kernel_launch(kernel, shared_range(native, native->head.parameters), error, ARG(metric->center), ARG(metric->scale), ARG(features),
                      ARG(classes), ARG(from), ARG(to)));
cleanup:
  return status;
}

Status native_metric_apply(Backend *backend, const Metric *metric, Vector *out, const Vector *v, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  bool turns = metric->mean_off || metric->classes != NULL;
  const Buffer *now = v->buffer;
  Buffer *last = turns ? metric->room : out->buffer;
  Status (*step)(Native *, const Metric *, bool, const Buffer *, Buffer *, Error *) =
      metric->turn != NULL ? turn_features : center_features;
  native_changed(native, out);
  if (turns) {
    TRY(turn_classes(native, metric, true, now, metric->room, error));
    now = metric->room;
  }
  TRY(step(native, metric, false, now, metric->second_room, error));
  TRY(step(native, metric, true, metric->second_room, last, error));
  if (turns) TRY(turn_classes(native, metric, false, last, out->buffer, error));
cleanup:
  return status;
}

Status native_broadcast(Backend *backend, Status own, size_t count, double *values, Error *error) {
  (void)backend, (void)count, (void)values, (void)error;
  return own;
}
