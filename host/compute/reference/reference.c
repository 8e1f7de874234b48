/* The reference backend: double precision, one thread, no cleverness. It is the truth that every other backend is checked against.
 * This file holds its life and its vectors; the mathematics is in pass.c. */
#include "compute/reference/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "compute/reweigh.h"

void reference_hold_bytes(Reference *reference, int64_t change) {
  reference->bytes_held = (uint64_t)((int64_t)reference->bytes_held + change);
  if (reference->bytes_held > reference->bytes_peak) reference->bytes_peak = reference->bytes_held;
}

/* ---- vectors ---------------------------------------------------------------------------------------------------- */

static int64_t vector_bytes(const Backend *backend) { return (int64_t)(backend->parameters * sizeof(double)); }

static Status reference_vector_create(Backend *backend, Vector **vector, Error *error) {
  *vector = NULL;
  Status status = memory_allocate_zero((void **)vector, 1, sizeof(Vector), "a vector", error);
  if (status != SETOSA_OK) return status;
  status = memory_allocate_zero((void **)&(*vector)->values, backend->parameters, sizeof(double), "a vector of parameters", error);
  if (status != SETOSA_OK) {
    free(*vector);
    *vector = NULL;
    return status;
  }
  reference_hold_bytes((Reference *)backend, vector_bytes(backend));
  return SETOSA_OK;
}

static void reference_vector_destroy(Backend *backend, Vector *vector) {
  if (vector == NULL) return;
  reference_hold_bytes((Reference *)backend, -vector_bytes(backend));
  free(vector->values);
  free(vector);
}

static Status reference_vector_read(Backend *backend, const Vector *vector, double *values, Error *error) {
  (void)error;
  memcpy(values, vector->values, backend->parameters * sizeof *values);
  return SETOSA_OK;
}

static Status reference_vector_write(Backend *backend, Vector *vector, const double *values, Error *error) {
  (void)error;
  memcpy(vector->values, values, backend->parameters * sizeof *values);
  return SETOSA_OK;
}

static Status reference_vector_copy(Backend *backend, Vector *to, const Vector *from, Error *error) {
  (void)error;
  memmove(to->values, from->values, backend->parameters * sizeof(double));
  return SETOSA_OK;
}

static Status reference_vector_combine(Backend *backend, Vector *out, size_t count, const double *coefficients,
                                       const Vector *const *vectors, Error *error) {
  if (count == 0) return error_set(error, SETOSA_ERROR_INTERNAL, "vector_combine of no vectors; at least one is needed");
  for (size_t p = 0; p < backend->parameters; p++) { /* one element at a time, since out may be one of the vectors */
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) sum += coefficients[i] * vectors[i]->values[p];
    out->values[p] = sum;
  }
  return SETOSA_OK;
}

static Status reference_vector_dots(Backend *backend, size_t count, const VectorPair *pairs, double *dots, Error *error) {
  (void)error;
  for (size_t i = 0; i < count; i++) {
    const double *a = pairs[i].a->values, *b = pairs[i].b->values;
    CompensatedSum sum = {0.0, 0.0};
    size_t elements = backend->parameters - (pairs[i].weights_only ? backend->classes : 0);
    for (size_t p = 0; p < elements; p++) compensated_add(&sum, a[p] * b[p]);
    dots[i] = sum.high + sum.low;
  }
  return SETOSA_OK;
}

static Status reference_vector_multiply(Backend *backend, Vector *out, const Vector *a, const Vector *b, Error *error) {
  (void)error;
  for (size_t p = 0; p < backend->parameters; p++) out->values[p] = a->values[p] * b->values[p];
  return SETOSA_OK;
}

static Status reference_vector_divide_sqrt(Backend *backend, Vector *out, const Vector *a, const Vector *b, double epsilon, Error *error) {
  (void)error;
  for (size_t p = 0; p < backend->parameters; p++) out->values[p] = a->values[p] / (sqrt(b->values[p]) + epsilon);
  return SETOSA_OK;
}

static Status reference_vector_prox(Backend *backend, Vector *out, const Vector *a, const Vector *steps, double step, double l1, double l2,
                                    Error *error) {
  (void)error;
  size_t weights = backend->classes * backend->features;
  for (size_t p = 0; p < backend->parameters; p++) {
    double value = (double)a->values[p], t = step * (steps != NULL ? (double)steps->values[p] : 1);
    if (p < weights) value = copysign(fmax(fabs(value) - t * l1, 0), value) / (1 + t * l2);
    out->values[p] = value;
  }
  return SETOSA_OK;
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

static void reference_close(Backend *backend) {
  if (backend == NULL) return;
  Reference *reference = (Reference *)backend;
  reference_line_close(backend);
  free(reference->logits);
  free(reference->tangent);
  free(reference->reweighed);
  free(reference);
}

static Status reference_reweigh(Backend *backend, const float *factors, Error *error) {
  Reference *reference = (Reference *)backend;
  return reweigh_rows(reference->reweighed, &backend->mean_weight, reference->source, factors, error);
}

static void reference_facts(const Backend *backend, BackendFacts *facts) {
  const Reference *reference = (const Reference *)backend;
  *facts = (BackendFacts){.name = "reference",
                          .device = "host",
                          .family = "",
                          .leads = true,
                          .local = backend_all_rows(backend),
                          .bytes_held = reference->bytes_peak,
                          .flops = reference->flops,
                          .bytes_read = reference->bytes_read};
}

static const BackendOperations reference_operations = {
    .close = reference_close,
    .vector_create = reference_vector_create,
    .vector_destroy = reference_vector_destroy,
    .vector_read = reference_vector_read,
    .vector_write = reference_vector_write,
    .vector_copy = reference_vector_copy,
    .vector_combine = reference_vector_combine,
    .vector_dots = reference_vector_dots,
    .vector_multiply = reference_vector_multiply,
    .vector_divide_sqrt = reference_vector_divide_sqrt,
    .vector_prox = reference_vector_prox,
    .evaluate = reference_evaluate,
    .hessian_product = reference_hessian_product,
    .predict = reference_predict,
    .labels = reference_labels,
    .line_open = reference_line_open,
    .line_evaluate = reference_line_evaluate,
    .line_close = reference_line_close,
    .metric_create = reference_metric_create,
    .metric_apply = reference_metric_apply,
    .metric_destroy = reference_metric_destroy,
    .gram = reference_gram,
    .broadcast = reference_broadcast,
    .reweigh = reference_reweigh,
    .facts = reference_facts,
};

Status reference_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  Reference *reference = NULL;
  size_t weights = 0;
  DataShape shape = dataset_shape(dataset);
  Targets targets;
  *backend = NULL;
  if (shape.rows == 0 || shape.features == 0 || shape.classes == 0)
    return error_set(error, SETOSA_ERROR_USAGE, "a data set of %zu rows, %zu features and %zu classes has nothing to compute on",
                     shape.rows, shape.features, shape.classes);
  TRY(memory_multiply(&weights, shape.classes, shape.features + 1, "the parameters", error));
  TRY(memory_allocate_zero((void **)&reference, 1, sizeof *reference, "the reference backend", error));
  TRY(memory_allocate((void **)&reference->logits, shape.classes, sizeof(double), "the logits of a row", error));
  TRY(memory_allocate((void **)&reference->tangent, shape.classes, sizeof(double), "the tangent of a row", error));
  reference->base = (Backend){.operations = &reference_operations,
                              .rows = shape.rows,
                              .entries = shape.entries,
                              .features = shape.features,
                              .classes = shape.classes,
                              .parameters = weights,
                              .mean_weight = dataset_mean_weight(dataset),
                              .intercept = settings->intercept};
  reference->source = dataset;
  if (shape.kind == DATA_SPARSE)
    TRY(dataset_sparse(&reference->sparse, dataset, dataset_all(dataset), NULL, error));
  else
    reference->x = dataset_dense(dataset, dataset_all(dataset), NULL);
  TRY(dataset_targets(&targets, dataset, dataset_all(dataset), NULL, error));
  /* A row whose label is none of the classes cannot be trained on: then the labels are not used at all. */
  if (dataset_first_unlabelled(dataset, shape.classes) == shape.rows) reference->labels = targets.labels;
  TRY(reweigh_open(&reference->reweighed, dataset, settings, error));
  reference->weights = reference->reweighed != NULL ? reference->reweighed : targets.weights;
  reference_hold_bytes(reference, (int64_t)(dataset_bytes(dataset, dataset_all(dataset)) + 2 * shape.classes * sizeof(double)));
  *backend = &reference->base;
cleanup:
  if (status != SETOSA_OK && reference != NULL) reference_close(&reference->base);
  return status;
}
