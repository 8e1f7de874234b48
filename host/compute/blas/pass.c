/* Loss, gradient, Hessian times vector and predictions of the blas backend, block of rows by block of rows:
 *   Z (K, rows) = W X' + b,   softmax and residuals in place (rows.c),   G (K, D) += R X,   never N x K.
 * Each thread has rows and a gradient of its own, and they are added at the end; where P is so large that this takes too much memory, all
 * threads share one block: rows of its logits first, then classes of the gradient. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "compute/blas/blas.h"

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

Status blas_check_rows(const Blas *blas, RowRange rows, bool labels_needed, Error *error) {
  if (rows.count == 0 || rows.begin > blas->head.rows || rows.count > blas->head.rows - rows.begin)
    return error_set(error, SETOSA_ERROR_INTERNAL, "rows %zu to %zu asked for, there are %zu", rows.begin, rows.begin + rows.count,
                     blas->head.rows);
  if (labels_needed && blas->targets.labels == NULL)
    return error_set(error, SETOSA_ERROR_USAGE, "the loss needs labels, and this data set has none; name them with --labels or --label");
  return SETOSA_OK;
}

void blas_logits(const Blas *blas, const float *w, size_t begin, size_t rows, float *z, size_t stride) {
  size_t features = blas->head.features, classes = blas->head.classes;
  const float *bias = w + classes * features;
  for (size_t k = 0; k < classes; k++)
    for (size_t i = 0; i < rows; i++) z[k * stride + i] = bias[k];
  blas->products.cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)classes, (int)rows, (int)features, 1.0f, w, (int)features,
                             blas->x + begin * features, (int)features, 1.0f, z, (int)stride);
}

/* One pass: loss and gradient (v NULL), or Hessian times v. */
typedef struct Pass {
  Blas *blas;
  const float *w, *v;
  const Addition *addition; /* NULL: none */
  RowRange rows;            /* of the data; with whole blocks, of the block at hand */
  float scale, *out;        /* out NULL: no gradient */
  bool add;                 /* whole blocks: not the first */
  size_t team;
} Pass;

/* Residuals (or Hessian terms) of some rows into columns of `room`: which of its two blocks they are in is the result. */
static float *compute_residuals(const Pass *pass, BlasRoom *room, size_t begin, size_t rows, float *z, float *q) {
  const Blas *blas = pass->blas;
  size_t stride = blas->block_rows, classes = blas->head.classes;
  blas_logits(blas, pass->w, begin, rows, z, stride);
  if (pass->v == NULL) {
    room->loss += blas_rows_residuals(z, stride, classes, blas_targets(blas, begin), rows, pass->scale);
    return z;
  }
  blas_logits(blas, pass->v, begin, rows, q, stride);
  blas_rows_hessian(z, q, stride, classes, blas->targets.weights != NULL ? blas->targets.weights + begin : NULL, rows, pass->scale);
  return q;
}

/* G (+)= R X and its bias (+)= the row sums of R, for `classes` classes from first_class on. r (K, stride), gradient (P). */
static void add_gradient(const Blas *blas, const float *r, size_t begin, size_t rows, size_t first_class, size_t classes, bool add,
                         float *gradient) {
  size_t features = blas->head.features;
  float keep = add ? 1.0f : 0.0f;
  const float *from = r + first_class * blas->block_rows;
  blas->products.cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)classes, (int)features, (int)rows, 1.0f, from,
                             (int)blas->block_rows, blas->x + begin * features, (int)features, keep, gradient + first_class * features,
                             (int)features);
  blas->products.cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)classes, (int)rows, 1.0f, from, (int)blas->block_rows, blas->ones, 1, keep,
                             gradient + blas->head.classes * features + first_class, 1);
}

/* Rows and gradient of one thread's own. */
static void pass_share(void *argument, size_t index, size_t count) {
  const Pass *pass = argument;
  const Blas *blas = pass->blas;
  BlasRoom *room = &blas->rooms[index];
  size_t first = pass->rows.count * index / count, last = pass->rows.count * (index + 1) / count;
  room->loss = 0.0;
  for (size_t i = first; i < last; i += blas->block_rows) {
    size_t rows = smaller(last - i, blas->block_rows), begin = pass->rows.begin + i;
    const float *r = compute_residuals(pass, room, begin, rows, room->logits, room->directions);
    if (pass->out != NULL) add_gradient(blas, r, begin, rows, 0, blas->head.classes, i > first, index == 0 ? pass->out : room->partial);
  }
}

/* A share of the rows of a block that all threads work on: columns of the first room, whole groups of lanes. */
static void block_rows_share(void *argument, size_t index, size_t count) {
  const Pass *pass = argument;
  const BlasRoom *block = &pass->blas->rooms[0];
  size_t groups = (pass->rows.count + BLAS_LANES - 1) / BLAS_LANES;
  size_t first = groups * index / count * BLAS_LANES, last = smaller(groups * (index + 1) / count * BLAS_LANES, pass->rows.count);
  if (first < last)
    compute_residuals(pass, &pass->blas->rooms[index], pass->rows.begin + first, last - first, block->logits + first,
                      pass->v != NULL ? block->directions + first : NULL);
}

/* A share of the classes of its gradient. */
static void block_classes_share(void *argument, size_t index, size_t count) {
  const Pass *pass = argument;
  const BlasRoom *block = &pass->blas->rooms[0];
  size_t first = pass->blas->head.classes * index / count, last = pass->blas->head.classes * (index + 1) / count;
  if (first < last)
    add_gradient(pass->blas, pass->v == NULL ? block->logits : block->directions, pass->rows.begin, pass->rows.count, first, last - first,
                 pass->add, pass->out);
}

static void run_whole_blocks(Pass *pass) {
  Blas *blas = pass->blas;
  RowRange all = pass->rows;
  for (size_t t = 0; t < pass->team; t++) blas->rooms[t].loss = 0.0;
  for (size_t done = 0; done < all.count; done += blas->block_rows) {
    pass->rows = (RowRange){all.begin + done, smaller(all.count - done, blas->block_rows)};
    pass->add = done > 0;
    blas_threads_run(blas->threads, pass->team, block_rows_share, pass);
    if (pass->out != NULL) blas_threads_run(blas->threads, pass->team, block_classes_share, pass);
  }
  pass->rows = all;
}

/* out = the sum of the threads' gradients + what is added (see Addition); without an intercept the derivatives of the bias are 0. */
static void finish_share(void *argument, size_t index, size_t count) {
  const Pass *pass = argument;
  const Blas *blas = pass->blas;
  size_t parameters = blas->head.parameters, weights = parameters - blas->head.classes, partials = blas->whole_blocks ? 1 : pass->team;
  const Addition *addition = pass->addition;
  float *out = pass->out;
  size_t first = parameters * index / count, last = parameters * (index + 1) / count;
  for (size_t t = 1; t < partials; t++) {
    const float *partial = blas->rooms[t].partial;
    for (size_t p = first; p < last; p++) out[p] += partial[p];
  }
  if (addition != NULL) {
    const float *of = pass->v != NULL ? pass->v : pass->w, *factors = addition->factors != NULL ? addition->factors->values : NULL;
    float l2 = (float)addition->l2;
    if (factors == NULL)
      for (size_t p = first; p < smaller(last, weights); p++) out[p] += l2 * of[p];
    else
      for (size_t p = first; p < last; p++) out[p] += l2 * factors[p] * of[p];
    for (size_t p = first; addition->linear != NULL && p < last; p++) out[p] += addition->linear->values[p];
  }
  if (!blas->head.intercept)
    for (size_t p = first > weights ? first : weights; p < last; p++) out[p] = 0.0f;
}

/* Allocates what this kind of pass needs in the workspaces of `team` threads and is not there yet. */
static Status reserve_workspaces(Blas *blas, size_t team, bool hessian, bool gradient, Error *error) {
  Status status = SETOSA_OK;
  size_t block = blas->block_rows, rooms = blas->whole_blocks ? 1 : team;
  TRY(memory_multiply(&block, block, blas->head.classes, "a block of logits", error));
  for (size_t t = 0; t < rooms; t++) {
    BlasRoom *room = &blas->rooms[t];
    if (room->logits == NULL) TRY(blas_hold(blas, (void **)&room->logits, block, sizeof(float), "a block of logits", error));
    if (hessian && room->directions == NULL)
      TRY(blas_hold(blas, (void **)&room->directions, block, sizeof(float), "a block of directions", error));
    if (gradient && t > 0 && room->partial == NULL)
      TRY(blas_hold(blas, (void **)&room->partial, blas->head.parameters, sizeof(float), "partial gradients", error));
  }
cleanup:
  return status;
}

/* The pass over rows; *loss (may be NULL) is the sum of the rows' losses. */
static Status run_pass(Blas *blas, const Vector *w, const Vector *v, RowRange rows, const Addition *addition, Vector *out, double *loss,
                       Error *error) {
  Status status = SETOSA_OK;
  uint64_t product = 2 * (uint64_t)rows.count * blas->head.features * blas->head.classes;
  int before = 1;
  unsigned products = (v != NULL ? 2u : 1u) + (out != NULL ? 1u : 0u);
  Pass pass = {.blas = blas,
               .w = w->values,
               .v = v != NULL ? v->values : NULL,
               .addition = addition,
               .rows = rows,
               .scale = (float)backend_row_scale(&blas->head, rows.count),
               .out = out != NULL ? out->values : NULL,
               .team = smaller(blas_team(blas, products * product), rows.count)};
  TRY(reserve_workspaces(blas, pass.team, v != NULL, out != NULL, error));
  TRY(blas_products_begin(&blas->products, pass.team, &before, error));
  if (blas->whole_blocks) {
    run_whole_blocks(&pass);
  } else {
    blas_threads_run(blas->threads, pass.team, pass_share, &pass);
  }
  blas_products_end(&blas->products, before);
  if (out != NULL) blas_threads_run(blas->threads, blas_team(blas, 2 * pass.team * blas->head.parameters), finish_share, &pass);
  for (size_t t = 0; loss != NULL && t < pass.team; t++) *loss += blas->rooms[t].loss;
  blas->flops += products * product;
  /* Each product reads X, from cache the second time; the pass counts once what comes from memory. */
  blas->bytes_read += (uint64_t)rows.count * blas->head.features * sizeof(float);
cleanup:
  return status;
}

static double largest_magnitude(const float *values, size_t count) {
  float largest = 0.0f;
  for (size_t p = 0; p < count; p++) {
    if (isnan(values[p])) return NAN;
    largest = fmaxf(largest, fabsf(values[p]));
  }
  return (double)largest;
}

Status blas_evaluate(Backend *backend, const Vector *w, RowRange rows, const Addition *addition, Vector *gradient, DataTerm *at,
                     Error *error) {
  Status status = SETOSA_OK;
  Blas *blas = (Blas *)backend;
  double loss = 0.0;
  TRY(blas_check_rows(blas, rows, true, error));
  TRY(run_pass(blas, w, NULL, rows, addition, gradient, &loss, error));
  if (at == NULL) goto cleanup;
  at->loss = backend_row_scale(backend, rows.count) * loss;
  at->gradient_norm = gradient != NULL ? largest_magnitude(gradient->values, backend->parameters) : NAN;
  TRY(data_term_products(backend, at, error));
cleanup:
  return status;
}

Status blas_hessian_product(Backend *backend, const Vector *w, const Vector *v, RowRange rows, const Addition *addition, Vector *out,
                            Error *error) {
  Status status = SETOSA_OK;
  Blas *blas = (Blas *)backend;
  TRY(blas_check_rows(blas, rows, false, error));
  TRY(run_pass(blas, w, v, rows, addition, out, NULL, error));
cleanup:
  return status;
}

Status blas_labels(Backend *backend, RowRange rows, int32_t *labels, Error *error) {
  const Blas *blas = (const Blas *)backend;
  Status status = blas_check_rows(blas, rows, true, error);
  if (status == SETOSA_OK) memcpy(labels, blas->targets.labels + rows.begin, rows.count * sizeof *labels);
  return status;
}

/* ---- predictions ------------------------------------------------------------------------------------------------ */

typedef struct Prediction {
  const Blas *blas;
  const float *w;
  RowRange rows;
  RowScores kind;
  float *scores;   /* (rows, K) row-major */
  double *weights; /* (K,D) in double, or NULL: then logits are summed in f32 */
  double *room;    /* a share for each thread: (share_rows, D) rows, then (K, share_rows) logits */
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
  size_t first = task->rows.count * index / count, last = task->rows.count * (index + 1) / count;
  float *z = blas->whole_blocks ? blas->rooms[0].logits + index * columns : blas->rooms[index].logits;
  for (size_t i = first, rows = 0; i < last; i += rows) {
    rows = smaller(last - i, smaller(task->share_rows, columns));
    if (task->weights != NULL) {
      accurate_logits(task, task->room + index * task->share_elements, task->rows.begin + i, rows, z);
    } else {
      blas_logits(blas, task->w, task->rows.begin + i, rows, z, stride);
    }
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
  uint64_t product = 2 * (uint64_t)rows.count * backend->features * backend->classes;
  Prediction task = {.blas = blas, .w = w->values, .rows = rows, .kind = kind, .scores = scores, .share_rows = blas->block_rows};
  TRY(blas_check_rows(blas, rows, false, error));
  size_t team = smaller(blas_team(blas, product), rows.count);
  if (blas->whole_blocks) team = smaller(team, blas->block_rows / BLAS_LANES);
  TRY(reserve_workspaces(blas, team, false, false, error));
  if (backend->classes <= CLASSES_ACCURATE_MOST) TRY(prepare_accurate(&task, team, error));
  TRY(blas_products_begin(&blas->products, team, &before, error));
  blas_threads_run(blas->threads, team, predict_share, &task);
  blas_products_end(&blas->products, before);
  blas->flops += product;
  blas->bytes_read += (uint64_t)rows.count * backend->features * sizeof(float);
cleanup:
  free(task.weights);
  free(task.room);
  return status;
}
