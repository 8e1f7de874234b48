/* Metrics and Gram matrices by their definitions in backend.h. */
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

/* v (D+1) = (x - mean, 1). */
static void centre_row(double *v, const GramRequest *request, const float *x, size_t features) {
  for (size_t d = 0; d < features; d++) v[d] = (double)x[d] - (request->mean != NULL ? request->mean[d] : 0);
  v[features] = 1;
}

/* The lower triangles of `out`, or the diagonals. v (D+1): room. */
static void add_rows(double *out, double *v, const GramRequest *request, size_t features, size_t first, size_t count,
                     const GramRows *rows) {
  size_t width = features + 1;
  for (size_t i = 0; i < count; i++) {
    centre_row(v, request, rows->x + i * features, features);
    for (size_t m = 0; m < request->matrices; m++) {
      double weight = request->weights[m * request->count + first + i] * (double)rows->weights[i];
      double *to = out + m * (request->diagonal ? width : width * width);
      if (weight == 0) continue;
      for (size_t d = 0; request->diagonal && d < width; d++) to[d] += weight * v[d] * v[d];
      for (size_t d = 0; !request->diagonal && d < width; d++) {
        double a = weight * v[d];
        for (size_t e = 0; e <= d; e++) to[d * width + e] += a * v[e];
      }
    }
  }
}

static void mirror(double *out, const GramRequest *request, size_t width) {
  for (size_t m = 0; !request->diagonal && m < request->matrices; m++)
    for (size_t d = 0; d < width; d++)
      for (size_t e = 0; e < d; e++) out[(m * width + e) * width + d] = out[(m * width + d) * width + e];
}

Status gram_rows_open(GramRows *rows, size_t room_rows, size_t features, Error *error) {
  Status status = SETOSA_OK;
  size_t values = 0;
  *rows = (GramRows){0};
  TRY(memory_multiply(&values, room_rows, features, "rows of a Gram matrix", error));
  TRY(memory_allocate((void **)&rows->x, values, sizeof *rows->x, "rows of a Gram matrix", error));
  TRY(memory_allocate((void **)&rows->weights, room_rows, sizeof *rows->weights, "rows of a Gram matrix", error));
cleanup:
  return status;
}

Status gram_rows_bring(GramRows *rows, const Dataset *dataset, const GramRequest *request, size_t first, size_t count, Error *error) {
  Status status = SETOSA_OK;
  size_t features = dataset_shape(dataset).features;
  /* Neighbours are brought together. */
  for (size_t i = 0, run; i < count; i += run) {
    size_t row = request->rows != NULL ? (size_t)request->rows[first + i] : first + i;
    run = 1;
    while (i + run < count && (request->rows == NULL || request->rows[first + i + run] == row + run)) run++;
    Targets targets;
    float *to = rows->x + i * features;
    const float *there = dataset_dense(dataset, (RowRange){row, run}, to);
    if (there != to) memcpy(to, there, run * features * sizeof *to);
    TRY(dataset_targets(&targets, dataset, (RowRange){row, run}, &rows->targets, error));
    const float *weights = rows->reweighed != NULL ? rows->reweighed + row : targets.weights;
    for (size_t r = 0; r < run; r++) rows->weights[i + r] = weights != NULL ? weights[r] : 1;
  }
cleanup:
  return status;
}

void gram_rows_close(GramRows *rows) {
  free(rows->x);
  free(rows->weights);
  target_room_free(&rows->targets);
  *rows = (GramRows){0};
}

void gram_mirror(double *m, size_t width) {
  enum { SIDE = 32 }; /* squares, of which both images stay in the cache */
  for (size_t row = 0; row < width; row += SIDE)
    for (size_t column = 0; column <= row; column += SIDE)
      for (size_t i = row; i < row + SIDE && i < width; i++)
        for (size_t j = column; j < column + SIDE && j < i; j++) m[j * width + i] = m[i * width + j];
}

Status host_gram(const Dataset *dataset, const float *reweighed, const GramRequest *request, double *out, Error *error) {
  enum { ROOM_ROWS = 256 };
  Status status = SETOSA_OK;
  size_t features = dataset_shape(dataset).features, width = features + 1;
  double *v = NULL;
  GramRows rows = {0};
  memset(out, 0, request->matrices * (request->diagonal ? width : width * width) * sizeof *out);
  TRY(memory_allocate((void **)&v, width, sizeof *v, "a row", error));
  TRY(gram_rows_open(&rows, ROOM_ROWS, features, error));
  rows.reweighed = reweighed;
  for (size_t first = 0; first < request->count; first += ROOM_ROWS) {
    size_t count = request->count - first < ROOM_ROWS ? request->count - first : ROOM_ROWS;
    TRY(gram_rows_bring(&rows, dataset, request, first, count, error));
    add_rows(out, v, request, features, first, count, &rows);
  }
  mirror(out, request, width);
cleanup:
  free(v);
  gram_rows_close(&rows);
  return status;
}
