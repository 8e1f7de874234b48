/* The blas backend: f32 on the host, the two products of a block of rows by OpenBLAS (of sparse rows by sparse.c) and the softmax between
 * them by rows.c, on all cores. This file owns its life and its vectors; the mathematics is in pass.c, predict.c and line.c. */
#include "compute/blas/blas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "compute/reweigh.h"

enum {
  FLOPS_OF_A_THREAD = 1 << 19,    /* less than this is done before another thread has woken up */
  PARTIALS_BYTES = 64 << 20,      /* most bytes of partial gradients; */
  SPARSE_PARTIAL_BYTES = 4 << 20, /* of sparse rows also of one, to which entries add all over: each thread is to find its own in a cache */
  SMALL_CLASSES = 64,
  SMALL_BLOCK_ROWS = 64, /* few classes: OpenBLAS has faster kernels, without packing, for products this small (measured: 1.5 times) */
  BLOCK_ROWS = 256,
  WHOLE_BLOCK_ROWS = 512,
  SPARSE_WHOLE_ROWS = 16384,
  SPARSE_WHOLE_FLOPS = 1 << 24, /* a millisecond or so, beside which a wait is little */
  BLOCK_BYTES = 8 << 20,        /* most bytes of a thread's logits, so that they stay in cache between the products */
  WHOLE_BLOCK_BYTES = 32 << 20
};

/* ---- memory and threads ----------------------------------------------------------------------------------------- */

static void hold_bytes(Blas *blas, int64_t change) {
  blas->bytes_held = (uint64_t)((int64_t)blas->bytes_held + change);
  if (blas->bytes_held > blas->bytes_peak) blas->bytes_peak = blas->bytes_held;
}

Status blas_hold(Blas *blas, void **memory, size_t count, size_t size, const char *what, Error *error) {
  Status status = memory_allocate_zero(memory, count, size, what, error);
  if (status == SETOSA_OK) hold_bytes(blas, (int64_t)(count * size));
  return status;
}

void blas_release(Blas *blas, void *memory, size_t bytes) {
  if (memory != NULL) hold_bytes(blas, -(int64_t)bytes);
  free(memory);
}

size_t blas_team(const Blas *blas, uint64_t flops) {
  size_t most = blas_threads_count(blas->threads);
  uint64_t useful = flops / FLOPS_OF_A_THREAD + 1;
  return useful < most ? (size_t)useful : most;
}

/* ---- vectors ---------------------------------------------------------------------------------------------------- */

static Status blas_vector_create(Backend *backend, Vector **vector, Error *error) {
  Blas *blas = (Blas *)backend;
  Status status = blas_hold(blas, (void **)vector, 1, sizeof(Vector), "a vector", error);
  if (status != SETOSA_OK) return status;
  status = blas_hold(blas, (void **)&(*vector)->values, backend->parameters, sizeof(float), "a vector of parameters", error);
  if (status != SETOSA_OK) {
    blas_release(blas, *vector, sizeof(Vector));
    *vector = NULL;
  }
  return status;
}

static void blas_vector_destroy(Backend *backend, Vector *vector) {
  Blas *blas = (Blas *)backend;
  if (vector == NULL) return;
  blas_release(blas, vector->values, backend->parameters * sizeof(float));
  blas_release(blas, vector, sizeof(Vector));
}

static Status blas_vector_read(Backend *backend, const Vector *vector, double *values, Error *error) {
  (void)error;
  for (size_t p = 0; p < backend->parameters; p++) values[p] = (double)vector->values[p];
  return SETOSA_OK;
}

static Status blas_vector_write(Backend *backend, Vector *vector, const double *values, Error *error) {
  (void)error;
  for (size_t p = 0; p < backend->parameters; p++) vector->values[p] = (float)values[p];
  return SETOSA_OK;
}

static Status blas_vector_copy(Backend *backend, Vector *to, const Vector *from, Error *error) {
  (void)error;
  memmove(to->values, from->values, backend->parameters * sizeof(float));
  return SETOSA_OK;
}

typedef struct CombineTask {
  size_t elements, count;
  float *out;
  const double *coefficients;
  const Vector *const *vectors;
} CombineTask;

/* A range of the vector at a time, summed in double: out may be one of the vectors. */
static void combine_share(void *argument, size_t index, size_t count) {
  enum { PIECE = 512 };
  const CombineTask *task = argument;
  size_t last = task->elements * (index + 1) / count;
  for (size_t p = task->elements * index / count; p < last; p += PIECE) {
    size_t length = last - p < PIECE ? last - p : PIECE;
    double sums[PIECE] = {0};
    for (size_t i = 0; i < task->count; i++) {
      const float *from = task->vectors[i]->values + p;
      for (size_t j = 0; j < length; j++) sums[j] += task->coefficients[i] * (double)from[j];
    }
    for (size_t j = 0; j < length; j++) task->out[p + j] = (float)sums[j];
  }
}

static Status blas_vector_combine(Backend *backend, Vector *out, size_t count, const double *coefficients, const Vector *const *vectors,
                                  Error *error) {
  Blas *blas = (Blas *)backend;
  if (count == 0) return error_set(error, SETOSA_ERROR_INTERNAL, "vector_combine of no vectors; at least one is needed");
  CombineTask task = {backend->parameters, count, out->values, coefficients, vectors};
  blas_threads_run(blas->threads, blas_team(blas, 2 * (uint64_t)count * backend->parameters), combine_share, &task);
  return SETOSA_OK;
}

enum { DOT_SHARES = 256 }; /* sums that are added in order, so that the number of threads does not show */
typedef struct DotTask {
  const float *a, *b;
  size_t elements;
  double sums[DOT_SHARES];
} DotTask;

/* The product of two floats is exact in double; 16 sums side by side. */
static void dot_shares(void *argument, size_t index, size_t count) {
  enum { LANES = 16 };
  DotTask *task = argument;
  for (size_t share = DOT_SHARES * index / count; share < DOT_SHARES * (index + 1) / count; share++) {
    size_t p = task->elements * share / DOT_SHARES, last = task->elements * (share + 1) / DOT_SHARES;
    double lanes[LANES] = {0}, sum = 0;
    for (; p + LANES <= last; p += LANES)
      for (size_t j = 0; j < LANES; j++) lanes[j] += (double)task->a[p + j] * (double)task->b[p + j];
    for (; p < last; p++) sum += (double)task->a[p] * (double)task->b[p];
    for (size_t j = 0; j < LANES; j++) sum += lanes[j];
    task->sums[share] = sum;
  }
}

double blas_dot(Blas *blas, const float *a, const float *b, size_t count) {
  DotTask task = {.a = a, .b = b, .elements = count};
  double sum = 0;
  blas_threads_run(blas->threads, blas_team(blas, 2 * (uint64_t)count), dot_shares, &task);
  for (size_t i = 0; i < DOT_SHARES; i++) sum += task.sums[i];
  return sum;
}

static Status blas_vector_dots(Backend *backend, size_t count, const VectorPair *pairs, double *dots, Error *error) {
  (void)error;
  for (size_t i = 0; i < count; i++)
    dots[i] = blas_dot((Blas *)backend, pairs[i].a->values, pairs[i].b->values,
                       backend->parameters - (pairs[i].weights_only ? backend->classes : 0));
  return SETOSA_OK;
}

static Status blas_vector_multiply(Backend *backend, Vector *out, const Vector *a, const Vector *b, Error *error) {
  (void)error;
  for (size_t p = 0; p < backend->parameters; p++) out->values[p] = a->values[p] * b->values[p];
  return SETOSA_OK;
}

static Status blas_vector_prox(Backend *backend, Vector *out, const Vector *a, const Vector *steps, double step, double l1, double l2,
                               Error *error) {
  (void)error;
  size_t weights = backend->classes * backend->features;
  for (size_t p = 0; p < backend->parameters; p++) {
    double value = (double)a->values[p], t = step * (steps != NULL ? (double)steps->values[p] : 1);
    if (p < weights) value = copysign(fmax(fabs(value) - t * l1, 0), value) / (1 + t * l2);
    out->values[p] = (float)value;
  }
  return SETOSA_OK;
}

static Status blas_vector_divide_sqrt(Backend *backend, Vector *out, const Vector *a, const Vector *b, double epsilon, Error *error) {
  (void)error;
  for (size_t p = 0; p < backend->parameters; p++) out->values[p] = a->values[p] / (sqrtf(b->values[p]) + (float)epsilon);
  return SETOSA_OK;
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

static void blas_close(Backend *backend) {
  Blas *blas = (Blas *)backend;
  blas_line_release(blas);
  for (size_t i = 0; blas->rooms != NULL && i < blas_threads_count(blas->threads); i++) {
    free(blas->rooms[i].logits);
    free(blas->rooms[i].directions);
    free(blas->rooms[i].partial);
  }
  free(blas->rooms);
  free(blas->sparse.turned[0]);
  free(blas->sparse.turned[1]);
  free(blas->ones);
  free(blas->reweighed);
  blas_threads_destroy(blas->threads);
  free(blas);
}

static void blas_facts(const Backend *backend, BackendFacts *facts) {
  const Blas *blas = (const Blas *)backend;
  *facts = (BackendFacts){.name = "blas",
                          .device = "host",
                          .family = "",
                          .leads = true,
                          .local = backend_all_rows(backend),
                          .bytes_held = blas->bytes_peak,
                          .flops = blas->flops,
                          .bytes_read = blas->bytes_read};
}

static Status blas_reweigh(Backend *backend, const float *factors, Error *error) {
  Blas *blas = (Blas *)backend;
  return reweigh_rows(blas->reweighed, &backend->mean_weight, blas->source, factors, error);
}

static const BackendOperations blas_operations = {
    .close = blas_close,
    .vector_create = blas_vector_create,
    .vector_destroy = blas_vector_destroy,
    .vector_read = blas_vector_read,
    .vector_write = blas_vector_write,
    .vector_copy = blas_vector_copy,
    .vector_combine = blas_vector_combine,
    .vector_dots = blas_vector_dots,
    .vector_multiply = blas_vector_multiply,
    .vector_divide_sqrt = blas_vector_divide_sqrt,
    .vector_prox = blas_vector_prox,
    .evaluate = blas_evaluate,
    .hessian_product = blas_hessian_product,
    .predict = blas_predict,
    .labels = blas_labels,
    .line_open = blas_line_open,
    .line_evaluate = blas_line_evaluate,
    .line_close = blas_line_close,
    .metric_create = blas_metric_create,
    .metric_apply = blas_metric_apply,
    .metric_destroy = blas_metric_destroy,
    .gram = blas_gram,
    .broadcast = blas_broadcast,
    .reweigh = blas_reweigh,
    .facts = blas_facts,
};

/* Of sparse rows: nothing is packed, so that blocks are small, unless threads wait for each other after each. */
static size_t sparse_block_rows(const Blas *blas) {
  size_t rows = SMALL_BLOCK_ROWS;
  uint64_t row_flops = blas_product_flops(blas, backend_all_rows(&blas->head)) / blas->head.rows + 1;
  while (blas->whole_blocks && rows < SPARSE_WHOLE_ROWS && rows * row_flops < SPARSE_WHOLE_FLOPS) rows *= 2;
  return rows;
}

/* Rows of a block: small for few classes, larger where packing W anew for each block would cost. */
static void choose_block(Blas *blas) {
  size_t row_bytes = blas->head.classes * sizeof(float), threads = blas_threads_count(blas->threads);
  size_t needed = (blas->head.rows + BLAS_LANES - 1) / BLAS_LANES * BLAS_LANES;
  size_t partial_bytes = blas->workspace_bytes > 0 ? 4 * blas->workspace_bytes : PARTIALS_BYTES;
  size_t partial = blas_is_sparse(blas) ? blas_sparse_floats(&blas->sparse) : blas->head.parameters;
  blas->whole_blocks = (threads - 1) * partial > partial_bytes / sizeof(float) ||
                       (threads > 1 && blas_is_sparse(blas) && partial > SPARSE_PARTIAL_BYTES / sizeof(float));
  size_t most = blas->workspace_bytes > 0 ? blas->workspace_bytes : blas->whole_blocks ? WHOLE_BLOCK_BYTES : BLOCK_BYTES;
  size_t rows = blas->whole_blocks ? WHOLE_BLOCK_ROWS : blas->head.classes <= SMALL_CLASSES ? SMALL_BLOCK_ROWS : BLOCK_ROWS;
  if (blas_is_sparse(blas)) rows = sparse_block_rows(blas);
  while (rows > BLAS_LANES && rows * row_bytes > most) rows /= 2;
  blas->block_rows = rows < needed ? rows : needed;
}

/* Sizes fit what the products take as int: BLAS counts in 32 bits here. */
static Status check_shape(const DataShape *shape, Error *error) {
  if (shape->rows == 0 || shape->features == 0 || shape->classes == 0)
    return error_set(error, SETOSA_ERROR_USAGE, "a data set of %zu rows, %zu features and %zu classes has nothing to compute on",
                     shape->rows, shape->features, shape->classes);
  if (shape->features > INT32_MAX || shape->classes > INT32_MAX)
    return error_set(error, SETOSA_ERROR_USAGE, "%zu features and %zu classes are more than BLAS can count; use --backend native",
                     shape->features, shape->classes);
  return SETOSA_OK;
}

static Status open_sparse(Blas *blas, const Dataset *dataset, Error *error) {
  BlasSparse *sparse = &blas->sparse;
  *sparse = (BlasSparse){.features = blas->head.features, .classes = blas->head.classes, .width = blas_sparse_width(blas->head.classes)};
  return dataset_sparse(&sparse->rows, dataset, dataset_all(dataset), NULL, error);
}

Status blas_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  Blas *blas = NULL;
  DataShape shape = dataset_shape(dataset);
  Targets targets;
  *backend = NULL;
  TRY(check_shape(&shape, error));
  TRY(memory_allocate_zero((void **)&blas, 1, sizeof *blas, "a backend", error));
  blas->head = (Backend){.operations = &blas_operations,
                         .rows = shape.rows,
                         .entries = shape.entries,
                         .features = shape.features,
                         .classes = shape.classes,
                         .parameters = shape.classes * shape.features + shape.classes,
                         .mean_weight = dataset_mean_weight(dataset),
                         .intercept = settings->intercept};
  blas->source = dataset;
  if (shape.kind == DATA_SPARSE)
    TRY(open_sparse(blas, dataset, error));
  else
    blas->x = dataset_dense(dataset, dataset_all(dataset), NULL);
  TRY(dataset_targets(&targets, dataset, dataset_all(dataset), NULL, error));
  /* A row whose label is none of the classes cannot be trained on: then the labels are not used at all. */
  if (dataset_first_unlabelled(dataset, shape.classes) == shape.rows) blas->targets.labels = targets.labels;
  TRY(reweigh_open(&blas->reweighed, dataset, settings, error));
  blas->targets.weights = blas->reweighed != NULL ? blas->reweighed : targets.weights;
  blas->workspace_bytes = settings->workspace_bytes;
  hold_bytes(blas, (int64_t)dataset_bytes(dataset, dataset_all(dataset)));
  TRY(blas_products_load(&blas->products, error));
  TRY(blas_threads_create(&blas->threads, blas->products.threads, error));
  choose_block(blas);
  if (blas_is_sparse(blas) && blas->whole_blocks) TRY(blas_sparse_cut(&blas->sparse, shape.rows, error));
  TRY(blas_hold(blas, (void **)&blas->rooms, blas_threads_count(blas->threads), sizeof *blas->rooms, "threads", error));
  TRY(blas_hold(blas, (void **)&blas->ones, blas->block_rows, sizeof(float), "a vector of ones", error));
  for (size_t i = 0; i < blas->block_rows; i++) blas->ones[i] = 1.0f;
  *backend = &blas->head;
  blas = NULL;
cleanup:
  if (blas != NULL) blas_close(&blas->head);
  return status;
}
