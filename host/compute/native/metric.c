/* Metrics of the native backend: their matrices on the device, and kernels/metric.cl over them. */
#include "compute/native/metric.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "compute/native/vector.h"

struct Metric {
  bool mean_off;              /* V takes the mean over the classes off */
  Buffer *turn_in, *turn_out; /* V' and V (K,K), or NULL */
  Buffer *blocks;             /* CPU family: F as metric_blocks reads it; or NULL */
  Buffer *turn, *turn_back;   /* GPU family: F' and F (feature_count, D+1, stride), padded with zeros; or NULL */
  Buffer *center, *scale;     /* (D), (P), or NULL */
  Buffer *room, *second_room; /* (P), and (P) or what metric_blocks works in, between two steps */
  uint64_t class_stride;      /* floats of a matrix of F, 0 where all classes have the same */
  uint64_t stride;            /* of a row of it, GPU family */
  bool triangular;            /* F is lower triangular when the bias comes first */
};

static bool is_cpu(const Native *native) { return native->family == SETOSA_FAMILY_CPU; }

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

/* V' and V. */
static Status upload_classes(Metric *metric, Native *native, const double *v, Error *error) {
  Status status = SETOSA_OK;
  size_t classes = native->head.classes;
  double *transposed = NULL;
  metric->mean_off = takes_mean_off(v, classes);
  if (v == NULL || metric->mean_off) return SETOSA_OK;
  TRY(memory_allocate((void **)&transposed, classes * classes, sizeof *transposed, "a metric", error));
  for (size_t k = 0; k < classes; k++)
    for (size_t l = 0; l < classes; l++) transposed[l * classes + k] = v[k * classes + l];
  TRY(upload(&metric->turn_in, native, transposed, classes * classes, error));
  TRY(upload(&metric->turn_out, native, v, classes * classes, error));
cleanup:
  free(transposed);
  return status;
}

/* With the bias first, as its last row and column are. */
static bool is_triangular(const MetricForm *form, size_t width) {
  for (size_t k = 0; k < form->feature_count; k++)
    for (size_t i = 0; i < width; i++)
      for (size_t j = i + 1 < width ? i + 1 : 0; j + 1 < width; j++)
        if (form->features[(k * width + i) * width + j] != 0) return false;
  return true;
}

/* `count` numbers of a row of F (width,width), the bias first; 0 where F has none. */
static void put_row(float *to, const double *f, size_t width, size_t row, size_t count) {
  memset(to, 0, count * sizeof *to);
  if (row >= width) return;
  const double *from = f + (row == 0 ? width - 1 : row - 1) * width;
  to[0] = (float)from[width - 1];
  for (size_t j = 1; j < count && j < width; j++) to[j] = (float)from[j - 1];
}

/* F in blocks of 16 rows, one matrix at a time. */
static Status upload_blocks(Metric *metric, Native *native, const MetricForm *form, Error *error) {
  Status status = SETOSA_OK;
  size_t width = native->head.features + 1, blocks = native->head.features / STRIP + 1, count = 0, bytes = 0;
  float *matrix = NULL;
  for (size_t q = 0; q < blocks; q++) count += (metric->triangular ? q + 1 : blocks) * STRIP * STRIP;
  TRY(memory_multiply(&bytes, form->feature_count * sizeof(float), count, "a preconditioner", error));
  TRY(memory_allocate((void **)&matrix, count, sizeof *matrix, "a matrix", error));
  TRY(buffer_create(&metric->blocks, native->context, bytes, "a preconditioner", error));
  metric->class_stride = form->feature_count > 1 ? count : 0;
  for (size_t k = 0; k < form->feature_count; k++) {
    float *to = matrix;
    for (size_t row = 0; row < blocks * STRIP; row++) {
      size_t columns = (metric->triangular ? row / STRIP + 1 : blocks) * STRIP;
      put_row(to, form->features + k * width * width, width, row, columns);
      to += columns;
    }
    TRY(buffer_write(metric->blocks, k * count * sizeof *matrix, count * sizeof *matrix, matrix, error));
  }
cleanup:
  free(matrix);
  return status;
}

/* F' and F with padded rows, one matrix at a time. */
static Status upload_features(Metric *metric, Native *native, const MetricForm *form, Error *error) {
  Status status = SETOSA_OK;
  size_t width = native->head.features + 1, stride = (width + TURN_COLUMNS - 1) / TURN_COLUMNS * TURN_COLUMNS, bytes = 0;
  float *matrix = NULL;
  TRY(memory_multiply(&bytes, form->feature_count * sizeof(float), width * stride, "a preconditioner", error));
  TRY(memory_allocate_zero((void **)&matrix, width * stride, sizeof *matrix, "a matrix", error));
  TRY(buffer_create(&metric->turn, native->context, bytes, "a preconditioner", error));
  TRY(buffer_create(&metric->turn_back, native->context, bytes, "a preconditioner", error));
  metric->stride = stride;
  metric->class_stride = form->feature_count > 1 ? width * stride : 0;
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
  size_t bytes = backend->parameters * sizeof(float), padded = (backend->features / STRIP + 1) * STRIP;
  *out = NULL;
  TRY(memory_allocate_zero((void **)&metric, 1, sizeof *metric, "a metric", error));
  metric->triangular = is_triangular(form, backend->features + 1);
  TRY(upload_classes(metric, native, form->classes, error));
  if (form->feature_count > 0) TRY((is_cpu(native) ? upload_blocks : upload_features)(metric, native, form, error));
  if (form->feature_count == 0) TRY(upload(&metric->center, native, form->center, backend->features, error));
  TRY(upload(&metric->scale, native, form->scale, backend->parameters, error));
  TRY(buffer_create(&metric->room, native->context, bytes, "a preconditioner", error));
  if (metric->blocks != NULL) bytes = 2 * backend->classes * padded * sizeof(float);
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
  Buffer *buffers[] = {metric->turn_in, metric->turn_out, metric->blocks, metric->turn,       metric->turn_back,
                       metric->center,  metric->scale,    metric->room,   metric->second_room};
  for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) buffer_destroy(buffers[i]);
  free(metric);
}

/* ---- times a vector --------------------------------------------------------------------------------------------- */

/* Groups for a kernel whose items share `count` elements, of some microseconds each. */
static KernelRange shared_range(const Native *native, size_t count) {
  size_t wanted = (count + 1023) / 1024, most = native_enough_groups(native);
  return native_team_range(native, (uint32_t)(wanted < 1 ? 1 : wanted > most ? most : wanted));
}

static Status turn_classes(Native *native, const Metric *metric, bool back, const Buffer *from, Buffer *to, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  uint64_t features = native->head.features;
  size_t classes = native->head.classes, tile = native->shape.lanes == 16 ? METRIC_CLASSES_WIDE : METRIC_CLASSES;
  KernelRange range = {{features / STRIP + 1, (classes + tile - 1) / tile}, {1, 1}};
  if (!is_cpu(native)) range = shared_range(native, native->head.parameters * classes);
  TRY(native_kernel(native, KERNEL_METRIC_CLASSES, &kernel, error));
  TRY(kernel_launch(kernel, range, error, ARG(back ? metric->turn_out : metric->turn_in), ARG(features), ARG((uint32_t)classes), ARG(from),
                    ARG(to)));
  native->flops += 2 * (uint64_t)native->head.parameters * classes;
cleanup:
  return status;
}

static Status take_mean_off(Native *native, const Metric *metric, bool back, const Buffer *from, Buffer *to, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  uint64_t features = native->head.features;
  (void)metric, (void)back;
  TRY(native_kernel(native, KERNEL_METRIC_MEAN_OFF, &kernel, error));
  TRY(kernel_launch(kernel, native_team_range(native, (uint32_t)(features / (is_cpu(native) ? STRIP : TURN_COLUMNS) + 1)), error,
                    ARG(features), ARG((uint32_t)native->head.classes), ARG(from), ARG(to)));
cleanup:
  return status;
}

/* F, R and F' at once. */
static Status pass_blocks(Native *native, const Metric *metric, const Buffer *from, Buffer *to, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  uint64_t features = native->head.features;
  uint32_t classes = (uint32_t)native->head.classes;
  /* Classes that have the same F are worked on together, by as many groups as the device runs at a time. */
  uint32_t groups = metric->class_stride == 0 && native->compute_units < classes ? native->compute_units : classes;
  KernelRange range = {{groups}, {1}};
  TRY(native_kernel(native, KERNEL_METRIC_BLOCKS, &kernel, error));
  TRY(kernel_launch(kernel, range, error, ARG(metric->blocks), ARG(metric->class_stride), ARG((uint32_t)metric->triangular), ARG(features),
                    ARG(classes), ARG(from), ARG(metric->scale), ARG(metric->second_room), ARG(to)));
  native->flops += 4 * (uint64_t)classes * (features + 1) * (features + 1) / (metric->triangular ? 2 : 1);
cleanup:
  return status;
}

static Status turn_features(Native *native, const Metric *metric, bool back, const Buffer *from, Buffer *to, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  uint64_t features = native->head.features;
  const Buffer *matrix = back ? metric->turn_back : metric->turn, *scale = back ? NULL : metric->scale;
  uint32_t shape = !metric->triangular ? TURN_FULL : back ? TURN_LOWER : TURN_UPPER;
  KernelRange range = native_team_range(native, (uint32_t)(metric->stride / TURN_COLUMNS));
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

typedef Status (*Step)(Native *, const Metric *, bool back, const Buffer *from, Buffer *to, Error *);

Status native_metric_apply(Backend *backend, const Metric *metric, Vector *out, const Vector *v, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  Step turn = metric->mean_off ? take_mean_off : metric->turn_in != NULL ? turn_classes : NULL;
  Step step = metric->turn != NULL ? turn_features : center_features;
  const Buffer *now = v->buffer;
  Buffer *last = turn != NULL ? metric->room : out->buffer;
  native_changed(native, out);
  if (turn != NULL) {
    TRY(turn(native, metric, false, now, metric->room, error));
    now = metric->room;
  }
  if (metric->blocks != NULL) {
    TRY(pass_blocks(native, metric, now, last, error));
  } else {
    TRY(step(native, metric, false, now, metric->second_room, error));
    TRY(step(native, metric, true, metric->second_room, last, error));
  }
  if (turn != NULL) TRY(turn(native, metric, true, last, out->buffer, error));
cleanup:
  return status;
}

Status native_broadcast(Backend *backend, Status own, size_t count, double *values, Error *error) {
  (void)backend, (void)count, (void)values, (void)error;
  return own;
}
