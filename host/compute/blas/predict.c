/* Scores of rows by the blas backend: logits in f32, or of few classes in double, and their softmax. */
#include <stdlib.h>

#include "base/memory.h"
#include "compute/blas/blas.h"

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

typedef struct Prediction {
  const Blas *blas;
  const float *w;
  RowRange rows;
  RowScores kind;
  float *scores;         /* (rows, K) row-major */
  const float *prepared; /* w as blas_logits takes it */
  bool accurate;         /* logits are summed in double; */
  double *weights;       /* (K,D) and then W is, too, for OpenBLAS; */
  double *room;          /* and a share for each thread: (share_rows, D) rows, then (K, share_rows) logits */
  size_t share_rows, share_elements;
} Prediction;

/* As blas_logits, in double, for at most share_rows rows. */
static void accurate_logits(const Prediction *task, double *room, size_t begin, size_t rows, float *z) {
  size_t features = task->blas->head.features, classes = task->blas->head.classes;
  const float *x = task->blas->x + begin * features, *bias = task->w + classes * features;
  double *logits = room + task->share_rows * features;
  for (size_t i = 0; i < rows * features; i++) room[i] = (double)x[i];
  task->blas->products.cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)classes, (int)rows, (int)features, 1.0, task->weights,
                                   (int)features, room, (int)features, 0.0, logits, (int)rows);
  for (size_t k = 0; k < classes; k++)
    for (size_t i = 0; i < rows; i++) z[k * task->blas->block_rows + i] = (float)(logits[k * rows + i] + (double)bias[k]);
}

/* Columns of the block of logits that is one thread's: whole groups of lanes. With whole blocks there is one block for all. */
static size_t own_columns(const Blas *blas, size_t team) {
  return blas->whole_blocks ? blas->block_rows / BLAS_LANES / team * BLAS_LANES : blas->block_rows;
}

static void predict_share(void *argument, size_t index, size_t count) {
  const Prediction *task = argument;
  const Blas *blas = task->blas;
  size_t stride = blas->block_rows, classes = blas->head.classes, columns = own_columns(blas, count);
  size_t first = blas_share_begin(blas, task->rows, index, count), last = blas_share_begin(blas, task->rows, index + 1, count);
  float *z = blas->whole_blocks ? blas->rooms[0].logits + index * columns : blas->rooms[index].logits;
  for (size_t i = first, rows = 0; i < last; i += rows) {
    rows = smaller(last - i, smaller(task->share_rows, columns));
    if (!task->accurate)
      blas_logits(blas, task->prepared, task->rows.begin + i, rows, z, stride);
    else if (blas_is_sparse(blas))
      blas_sparse_logits_accurate(&blas->sparse, task->prepared, task->rows.begin + i, rows, z, stride);
    else
      accurate_logits(task, task->room + index * task->share_elements, task->rows.begin + i, rows, z);
    if (task->kind != ROW_LOGITS) blas_rows_probabilities(z, stride, classes, rows);
    for (size_t j = 0; j < rows; j++)
      for (size_t k = 0; k < classes; k++) task->scores[(i + j) * classes + k] = z[k * stride + j];
  }
}

/* W in double, and rows in double for each thread: about 1 MB, at least a row. */
static Status prepare_accurate(Prediction *task, size_t team, Error *error) {
  enum { SHARE_BYTES = 1 << 20 };
  Status status = SETOSA_OK;
  size_t features = task->blas->head.features, classes = task->blas->head.classes;
  size_t rows = SHARE_BYTES / sizeof(double) / features, elements = 0;
  task->share_rows = smaller(rows > 0 ? rows : 1, task->blas->block_rows);
  task->share_elements = task->share_rows * (features + classes);
  TRY(memory_multiply(&elements, task->share_elements, team, "rows in double", error));
  TRY(memory_allocate((void **)&task->weights, classes * features, sizeof(double), "weights in double", error));
  TRY(memory_allocate((void **)&task->room, elements, sizeof(double), "rows in double", error));
  for (size_t p = 0; p < classes * features; p++) task->weights[p] = (double)task->w[p];
cleanup:
  return status;
}

Status blas_predict(Backend *backend, const Vector *w, RowRange rows, RowScores kind, float *scores, Error *error) {
  Status status = SETOSA_OK;
  Blas *blas = (Blas *)backend;
  int before = 1;
  Prediction task = {.blas = blas,
                     .w = w->values,
                     .rows = rows,
                     .kind = kind,
                     .scores = scores,
                     .share_rows = blas->block_rows,
                     .accurate = backend->classes <= CLASSES_ACCURATE_MOST};
  TRY(blas_check_rows(blas, rows, false, error));
  uint64_t product = blas_product_flops(blas, rows);
  size_t team = smaller(blas_team(blas, product), rows.count);
  if (blas->whole_blocks) team = smaller(team, blas->block_rows / BLAS_LANES);
  TRY(blas_reserve(blas, team, false, false, error));
  TRY(blas_prepare(blas, &task.prepared, w, 0, error));
  if (task.accurate && !blas_is_sparse(blas)) TRY(prepare_accurate(&task, team, error));
  if (!blas_is_sparse(blas)) TRY(blas_products_begin(&blas->products, team, &before, error));
  blas_threads_run(blas->threads, team, predict_share, &task);
  if (!blas_is_sparse(blas)) blas_products_end(&blas->products, before);
  blas->flops += product;
  blas->bytes_read += dataset_bytes(blas->source, rows);
cleanup:
  free(task.weights);
  free(task.room);
  return status;
}
