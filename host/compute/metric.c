/* Metrics by their definition in backend.h. */
#include "compute/metric.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static Status copy_numbers(const double **copy, const double *from, size_t count, Error *error) {
  double *made = NULL;
  if (from == NULL) return SETOSA_OK;
  Status status = memory_allocate((void **)&made, count, sizeof *made, "a metric", error);
  if (status == SETOSA_OK) memcpy(made, from, count * sizeof *made);
  *copy = made;
  return status;
}

Status host_metric_create(HostMetric **metric, const Backend *backend, const MetricForm *form, Error *error) {
  Status status = SETOSA_OK;
  HostMetric *made = NULL;
  size_t width = backend->features + 1, features = 0;
  *metric = NULL;
  TRY(memory_allocate_zero((void **)&made, 1, sizeof *made, "a metric", error));
  TRY(memory_multiply(&features, form->feature_count, width * width, "a metric", error));
  made->form.feature_count = form->feature_count;
  TRY(copy_numbers(&made->form.classes, form->classes, backend->classes * backend->classes, error));
  TRY(copy_numbers(&made->form.features, form->feature_count > 0 ? form->features : NULL, features, error));
  TRY(copy_numbers(&made->form.scale, form->scale, backend->parameters, error));
  TRY(copy_numbers(&made->form.center, form->feature_count > 0 ? NULL : form->center, backend->features, error));
  TRY(memory_allocate((void **)&made->room, 2 * backend->classes * width, sizeof *made->room, "a metric", error));
  *metric = made;
  made = NULL;
cleanup:
  host_metric_destroy(made);
  return status;
}

void host_metric_destroy(HostMetric *metric) {
  if (metric == NULL) return;
  free((void *)(uintptr_t)metric->form.classes);
  free((void *)(uintptr_t)metric->form.features);
  free((void *)(uintptr_t)metric->form.scale);
  free((void *)(uintptr_t)metric->form.center);
  free(metric->room);
  free(metric);
}

/* to (K,width) = m from, m (K,K), transposed when it says so. */
static void turn_classes(double *to, const double *m, bool transposed, const double *from, size_t classes, size_t width) {
  for (size_t k = 0; k < classes; k++)
    for (size_t j = 0; j < width; j++) {
      double sum = 0;
      for (size_t l = 0; l < classes; l++) sum += m[transposed ? l * classes + k : k * classes + l] * from[l * width + j];
      to[k * width + j] = sum;
    }
}

/* Every row of to = F of its class times the row of from; F' when transposed. */
static void turn_features(double *to, const MetricForm *form, bool transposed, const double *from, size_t classes, size_t width) {
  for (size_t k = 0; k < classes; k++) {
    const double *f = form->features + (form->feature_count > 1 ? k * width * width : 0), *t = from + k * width;
    for (size_t i = 0; i < width; i++) {
      double sum = 0;
      for (size_t j = 0; j < width; j++) sum += f[transposed ? j * width + i : i * width + j] * t[j];
      to[k * width + i] = sum;
    }
  }
}

/* The same with C of `center` in the place of F: C' of the first turn, C of the second. */
static void center(double *rows, const double *center, bool transposed, size_t classes, size_t features) {
  for (size_t k = 0; k < classes; k++) {
    double *t = rows + k * (features + 1);
    for (size_t d = 0; d < features; d++) {
      if (transposed)
        t[features] -= center[d] * t[d];
      else
        t[d] -= center[d] * t[features];
    }
  }
}

void host_metric_apply(const HostMetric *metric, const Backend *backend, double *out, const double *v) {
  const MetricForm *form = &metric->form;
  size_t features = backend->features, classes = backend->classes, width = features + 1;
  double *now = metric->room, *next = metric->room + classes * width;
#define SWAP_ROOMS      \
  do {                  \
    double *kept = now; \
    now = next;         \
    next = kept;        \
  } while (0)
  for (size_t k = 0; k < classes; k++) {
    memcpy(now + k * width, v + k * features, features * sizeof *now);
    now[k * width + features] = v[classes * features + k];
  }
  if (form->classes != NULL) {
    turn_classes(next, form->classes, true, now, classes, width);
    SWAP_ROOMS;
  }
  if (form->features != NULL) {
    turn_features(next, form, false, now, classes, width);
    SWAP_ROOMS;
  } else if (form->center != NULL) {
    center(now, form->center, false, classes, features);
  }
  for (size_t k = 0; form->scale != NULL && k < classes; k++) {
    for (size_t d = 0; d < features; d++) now[k * width + d] *= form->scale[k * features + d];
    now[k * width + features] *= form->scale[classes * features + k];
  }
  if (form->features != NULL) {
    turn_features(next, form, true, now, classes, width);
    SWAP_ROOMS;
  } else if (form->center != NULL) {
    center(now, form->center, true, classes, features);
  }
  if (form->classes != NULL) {
    turn_classes(next, form->classes, false, now, classes, width);
    SWAP_ROOMS;
  }
  for (size_t k = 0; k < classes; k++) {
    memcpy(out + k * features, now + k * width, features * sizeof *now);
    out[classes * features + k] = now[k * width + features];
  }
#undef SWAP_ROOMS
}
