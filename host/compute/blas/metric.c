/* Metrics of the blas backend (backend.h): a vector as a matrix (K, D+1) between products of OpenBLAS, each thread with columns or classes
 * of its own. */
#include <string.h>

#include "compute/blas/blas.h"

struct Metric {
  float *classes;            /* V (K,K), or NULL */
  float *features;           /* F (feature_count, D+1, D+1), or NULL */
  float *scale, *center;     /* (K, D+1) with the bias last, (D); or NULL */
  float *room, *second_room; /* (K, D+1) each, between two steps */
  size_t feature_count, classes_count, width;
};

/* ---- its matrices ----------------------------------------------------------------------------------------------- */

static Status hold_copy(Blas *blas, float **copy, const double *values, size_t count, Error *error) {
  if (values == NULL) return SETOSA_OK;
  Status status = blas_hold(blas, (void **)copy, count, sizeof **copy, "a preconditioner", error);
  for (size_t i = 0; status == SETOSA_OK && i < count; i++) (*copy)[i] = (float)values[i];
  return status;
}

/* rows (K, D+1) of a vector, and back. */
static void bias_last(float *rows, const float *vector, size_t classes, size_t width) {
  size_t features = width - 1;
  for (size_t k = 0; k < classes; k++) {
    memcpy(rows + k * width, vector + k * features, features * sizeof *rows);
    rows[k * width + features] = vector[classes * features + k];
  }
}

static void bias_apart(float *vector, const float *rows, size_t classes, size_t width) {
  size_t features = width - 1;
  for (size_t k = 0; k < classes; k++) {
    memcpy(vector + k * features, rows + k * width, features * sizeof *rows);
    vector[classes * features + k] = rows[k * width + features];
  }
}

static Status copy_scale(Blas *blas, Metric *metric, const double *scale, Error *error) {
  size_t classes = metric->classes_count, width = metric->width, features = width - 1;
  if (scale == NULL) return SETOSA_OK;
  Status status = blas_hold(blas, (void **)&metric->scale, classes * width, sizeof(float), "a preconditioner", error);
  for (size_t i = 0; status == SETOSA_OK && i < classes * width; i++) {
    size_t k = i / width, d = i % width;
    metric->scale[i] = (float)scale[d < features ? k * features + d : classes * features + k];
  }
  return status;
}

Status blas_metric_create(Backend *backend, Metric **out, const MetricForm *form, Error *error) {
  Status status = SETOSA_OK;
  Blas *blas = (Blas *)backend;
  Metric *metric = NULL;
  size_t classes = backend->classes, width = backend->features + 1;
  *out = NULL;
  TRY(blas_hold(blas, (void **)&metric, 1, sizeof *metric, "a metric", error));
  *metric = (Metric){.feature_count = form->feature_count, .classes_count = classes, .width = width};
  TRY(hold_copy(blas, &metric->classes, form->classes, classes * classes, error));
  if (form->feature_count > 0)
    TRY(hold_copy(blas, &metric->features, form->features, form->feature_count * width * width, error));
  else
    TRY(hold_copy(blas, &metric->center, form->center, backend->features, error));
  TRY(copy_scale(blas, metric, form->scale, error));
  TRY(blas_hold(blas, (void **)&metric->room, classes * width, sizeof(float), "a metric", error));
  TRY(blas_hold(blas, (void **)&metric->second_room, classes * width, sizeof(float), "a metric", error));
  *out = metric;
  metric = NULL;
cleanup:
  blas_metric_destroy(backend, metric);
  return status;
}

static void release(Blas *blas, float *values, size_t count) {
  if (values != NULL) blas_release(blas, values, count * sizeof *values);
}

void blas_metric_destroy(Backend *backend, Metric *metric) {
  Blas *blas = (Blas *)backend;
  if (metric == NULL) return;
  size_t classes = metric->classes_count, width = metric->width;
  release(blas, metric->classes, classes * classes);
  release(blas, metric->features, metric->feature_count * width * width);
  release(blas, metric->scale, classes * width);
  release(blas, metric->center, width - 1);
  release(blas, metric->room, classes * width);
  release(blas, metric->second_room, classes * width);
  blas_release(blas, metric, sizeof *metric);
}

/* ---- times a vector --------------------------------------------------------------------------------------------- */

/* One step of the product, from one room to the other. */
typedef struct Step {
  const Blas *blas;
  const Metric *metric;
  bool back; /* V and F' after V' and F */
  const float *from;
  float *to;
} Step;

/* A share of the columns of V' from, or V from. */
static void turn_classes(void *argument, size_t index, size_t count) {
  const Step *step = argument;
  const Metric *metric = step->metric;
  int classes = (int)metric->classes_count, width = (int)metric->width;
  size_t first = metric->width * index / count, last = metric->width * (index + 1) / count;
  if (first < last)
    step->blas->products.cblas_sgemm(CblasRowMajor, step->back ? CblasNoTrans : CblasTrans, CblasNoTrans, classes, (int)(last - first),
                                     classes, 1.0f, metric->classes, classes, step->from + first, width, 0.0f, step->to + first, width);
}

/* With one F for all classes a share of the columns of from F', or from F. */
static void turn_by_one(void *argument, size_t index, size_t count) {
  const Step *step = argument;
  const Metric *metric = step->metric;
  int classes = (int)metric->classes_count, width = (int)metric->width;
  size_t first = metric->width * index / count, last = metric->width * (index + 1) / count;
  const float *f = metric->features + (step->back ? first : first * metric->width);
  if (first < last)
    step->blas->products.cblas_sgemm(CblasRowMajor, CblasNoTrans, step->back ? CblasNoTrans : CblasTrans, classes, (int)(last - first),
                                     width, 1.0f, step->from, width, f, width, 0.0f, step->to + first, width);
}

/* With one for each class a share of the classes. */
static void turn_by_many(void *argument, size_t index, size_t count) {
  const Step *step = argument;
  const Metric *metric = step->metric;
  size_t width = metric->width, last = metric->classes_count * (index + 1) / count;
  for (size_t k = metric->classes_count * index / count; k < last; k++)
    step->blas->products.cblas_sgemv(CblasRowMajor, step->back ? CblasTrans : CblasNoTrans, (int)width, (int)width, 1.0f,
                                     metric->features + k * width * width, (int)width, step->from + k * width, 1, 0.0f,
                                     step->to + k * width, 1);
}

/* In place: C' with the first, C with the second. Sums are in double. */
static void apply_center(const Metric *metric, bool back, float *rows) {
  size_t features = metric->width - 1;
  for (size_t k = 0; k < metric->classes_count; k++) {
    float *t = rows + k * metric->width;
    double along = 0;
    for (size_t d = 0; d < features; d++) {
      if (back)
        along += (double)metric->center[d] * (double)t[d];
      else
        t[d] -= metric->center[d] * t[features];
    }
    if (back) t[features] = (float)((double)t[features] - along);
  }
}

/* Takes the step; the rooms change places. */
static void take(Step *step, size_t team, BlasWork work) {
  float *from = (float *)(uintptr_t)step->from;
  blas_threads_run(step->blas->threads, team, work, step);
  step->from = step->to;
  step->to = from;
}

Status blas_metric_apply(Backend *backend, const Metric *metric, Vector *out, const Vector *v, Error *error) {
  Status status = SETOSA_OK;
  Blas *blas = (Blas *)backend;
  int before = 1;
  size_t classes = metric->classes_count, width = metric->width;
  uint64_t turns = metric->classes != NULL ? 2 * (uint64_t)classes * classes * width : 0,
           squares = metric->features != NULL ? 2 * (uint64_t)classes * width * width : 0;
  size_t team = blas_team(blas, turns + squares);
  Step step = {.blas = blas, .metric = metric, .from = metric->room, .to = metric->second_room};
  BlasWork turn_features = metric->feature_count == 1 ? turn_by_one : turn_by_many;
  TRY(blas_products_begin(&blas->products, team, &before, error));
  bias_last(metric->room, v->values, classes, width);
  for (int half = 0; half < 2; half++) {
    step.back = half == 1;
    float *rows;
    if (!step.back && metric->classes != NULL) take(&step, team, turn_classes);
    if (metric->features != NULL) take(&step, team, turn_features);
    rows = (float *)(uintptr_t)step.from;
    if (metric->features == NULL && metric->center != NULL) apply_center(metric, step.back, rows);
    for (size_t i = 0; !step.back && metric->scale != NULL && i < classes * width; i++) rows[i] *= metric->scale[i];
    if (step.back && metric->classes != NULL) take(&step, team, turn_classes);
  }
  bias_apart(out->values, step.from, classes, width);
  blas_products_end(&blas->products, before);
  blas->flops += 2 * (turns + squares);
cleanup:
  return status;
}

Status blas_broadcast(Backend *backend, Status own, size_t count, double *values, Error *error) {
  (void)backend, (void)count, (void)values, (void)error;
  return own;
}
