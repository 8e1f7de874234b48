/* Loss, gradient and Hessian times vector of the blas backend, block of rows by block of rows:
 *   Z (K, rows) = W X' + b,   softmax and residuals in place (rows.c),   G (K, D) += R X,   never N x K.
 * Each thread has rows and a gradient of its own, and they are added at the end; where P is so large that this takes too much memory, all
 * threads share one block: rows of its logits first, then classes of the gradient, or features where rows are sparse. The products of
 * sparse rows see vectors feature after feature (sparse.h): they are turned before a pass, and its gradient is turned back after it. */
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
  if (blas_is_sparse(blas)) {
    blas_sparse_logits(&blas->sparse, w, begin, rows, z, stride);
    return;
  }
  const float *bias = w + classes * features;
  for (size_t k = 0; k < classes; k++)
    for (size_t i = 0; i < rows; i++) z[k * stride + i] = bias[k];
  blas->products.cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)classes, (int)rows, (int)features, 1.0f, w, (int)features,
                             blas->x + begin * features, (int)features, 1.0f, z, (int)stride);
}

/* ---- sharing out ------------------------------------------------------------------------------------------------- */

size_t blas_share_begin(const Blas *blas, RowRange rows, size_t index, size_t count) {
  enum { ROW_ENTRIES = 8 }; /* what a row takes beside its entries, in entries */
  if (!blas_is_sparse(blas)) return rows.count * index / count;
  const uint64_t *begin = blas->sparse.rows.begin + rows.begin;
  uint64_t all = begin[rows.count] - begin[0] + (uint64_t)ROW_ENTRIES * rows.count;
  uint64_t wanted = all / count * index + all % count * index / count;
  size_t low = 0, high = rows.count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (begin[middle] - begin[0] + (uint64_t)ROW_ENTRIES * middle < wanted)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

Status blas_reserve(Blas *blas, size_t team, bool hessian, bool gradient, Error *error) {
  Status status = SETOSA_OK;
  size_t block = blas->block_rows, rooms = blas->whole_blocks ? 1 : team;
  size_t partial = blas_is_sparse(blas) ? blas_sparse_floats(&blas->sparse) : blas->head.parameters;
  TRY(memory_multiply(&block, block, blas->head.classes, "a block of logits", error));
  for (size_t t = 0; t < rooms; t++) {
    BlasRoom *room = &blas->rooms[t];
    if (room->logits == NULL) TRY(blas_hold(blas, (void **)&room->logits, block, sizeof(float), "a block of logits", error));
    if (hessian && room->directions == NULL)
      TRY(blas_hold(blas, (void **)&room->directions, block, sizeof(float), "a block of directions", error));
    if (gradient && (t > 0 || blas_is_sparse(blas)) && room->partial == NULL)
      TRY(blas_hold(blas, (void **)&room->partial, partial, sizeof(float), "partial gradients", error));
  }
cleanup:
  return status;
}

typedef struct TurnTask {
  const BlasSparse *sparse;
  const float *vector;
  float *turned;
} TurnTask;

static void turn_share(void *argument, size_t index, size_t count) {
  const TurnTask *task = argument;
  size_t all = task->sparse->features + 1;
  blas_sparse_turn(task->sparse, task->turned, task->vector, all * index / count, all * (index + 1) / count);
}

Status blas_prepare(Blas *blas, const float **prepared, const Vector *vector, size_t which, Error *error) {
  Status status = SETOSA_OK;
  BlasSparse *sparse = &blas->sparse;
  *prepared = vector->values;
  if (!blas_is_sparse(blas)) return SETOSA_OK;
  if (sparse->turned[which] == NULL)
    TRY(blas_hold(blas, (void **)&sparse->turned[which], blas_sparse_floats(sparse), sizeof(float), "weights of each feature", error));
  TurnTask task = {sparse, vector->values, sparse->turned[which]};
  blas_threads_run(blas->threads, blas_team(blas, blas->head.parameters), turn_share, &task);
  *prepared = sparse->turned[which];
cleanup:
  return status;
}

/* ---- the pass ---------------------------------------------------------------------------------------------------- */

/* One pass: loss and gradient (v NULL), or Hessian times v. */
typedef struct Pass {
  Blas *blas;
  const float *w, *v;       /* prepared */
  const float *of;          /* (P) what `addition` is of */
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

/* The same of sparse rows, for features [first, last) of D + 1, feature after feature. */
static void add_sparse_gradient(const Blas *blas, const float *r, RowRange rows, size_t first, size_t last, bool add, float *gradient) {
  size_t width = blas->sparse.width;
  if (!add) memset(gradient + first * width, 0, (last - first) * width * sizeof *gradient);
  blas_sparse_add(&blas->sparse, r, blas->block_rows, rows.begin, rows.count, first, last, gradient);
}

/* Rows and gradient of one thread's own. */
static void pass_share(void *argument, size_t index, size_t count) {
  const Pass *pass = argument;
  const Blas *blas = pass->blas;
  BlasRoom *room = &blas->rooms[index];
  size_t first = blas_share_begin(blas, pass->rows, index, count), last = blas_share_begin(blas, pass->rows, index + 1, count);
  bool sparse = blas_is_sparse(blas);
  room->loss = 0.0;
  if (sparse && pass->out != NULL)
    memset(room->partial, 0, blas_sparse_floats(&blas->sparse) * sizeof *room->partial); /* even for no rows */
  for (size_t i = first; i < last; i += blas->block_rows) {
    size_t rows = smaller(last - i, blas->block_rows), begin = pass->rows.begin + i;
    const float *r = compute_residuals(pass, room, begin, rows, room->logits, room->directions);
    if (pass->out == NULL) continue;
    if (sparse)
      add_sparse_gradient(blas, r, (RowRange){begin, rows}, 0, blas->head.features + 1, true, room->partial);
    else
      add_gradient(blas, r, begin, rows, 0, blas->head.classes, i > first, index == 0 ? pass->out : room->partial);
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

/* A share of its gradient: features where rows are sparse, else classes. */
static void block_gradient_share(void *argument, size_t index, size_t count) {
  const Pass *pass = argument;
  const BlasRoom *block = &pass->blas->rooms[0];
  const Blas *blas = pass->blas;
  const float *r = pass->v == NULL ? block->logits : block->directions;
  size_t first = blas->head.classes * index / count, last = blas->head.classes * (index + 1) / count;
  const size_t *cuts = blas->sparse.cuts;
  if (blas_is_sparse(blas))
    add_sparse_gradient(blas, r, pass->rows, cuts[BLAS_PIECES * index / count], cuts[BLAS_PIECES * (index + 1) / count], pass->add,
                        block->partial);
  else if (first < last)
    add_gradient(blas, r, pass->rows.begin, pass->rows.count, first, last - first, pass->add, pass->out);
}

static void run_whole_blocks(Pass *pass) {
  Blas *blas = pass->blas;
  RowRange all = pass->rows;
  for (size_t t = 0; t < pass->team; t++) blas->rooms[t].loss = 0.0;
  for (size_t done = 0; done < all.count; done += blas->block_rows) {
    pass->rows = (RowRange){all.begin + done, smaller(all.count - done, blas->block_rows)};
    pass->add = done > 0;
    blas_threads_run(blas->threads, pass->team, block_rows_share, pass);
    if (pass->out != NULL) blas_threads_run(blas->threads, pass->team, block_gradient_share, pass);
  }
  pass->rows = all;
}

/* A share of the features of sparse rows: out = the sum of the threads' gradients, turned back. */
static void turn_back_share(void *argument, size_t index, size_t count) {
  enum { PIECE = 64 }; /* features, which are in the cache for both */
  const Pass *pass = argument;
  const Blas *blas = pass->blas;
  size_t all = blas->head.features + 1, width = blas->sparse.width, partials = blas->whole_blocks ? 1 : pass->team;
  float *sum = blas->rooms[0].partial;
  for (size_t d = all * index / count, last = all * (index + 1) / count, end; d < last; d = end) {
    end = smaller(d + PIECE, last);
    for (size_t t = 1; t < partials; t++) {
      const float *partial = blas->rooms[t].partial;
      for (size_t i = d * width; i < end * width; i++) sum[i] += partial[i];
    }
    blas_sparse_turn_back(&blas->sparse, pass->out, sum, d, end);
  }
}

/* out = the sum of the threads' gradients + what is added (see Addition); without an intercept the derivatives of the bias are 0. */
static void finish_share(void *argument, size_t index, size_t count) {
  const Pass *pass = argument;
  const Blas *blas = pass->blas;
  size_t parameters = blas->head.parameters, weights = parameters - blas->head.classes;
  size_t partials = blas->whole_blocks || blas_is_sparse(blas) ? 1 : pass->team;
  const Addition *addition = pass->addition;
  float *out = pass->out;
  size_t first = parameters * index / count, last = parameters * (index + 1) / count;
  for (size_t t = 1; t < partials; t++) {
    const float *partial = blas->rooms[t].partial;
    for (size_t p = first; p < last; p++) out[p] += partial[p];
  }
  if (addition != NULL) {
    const float *of = pass->of, *factors = addition->factors != NULL ? addition->factors->values : NULL;
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

/* The pass over rows; *loss (may be NULL) is the sum of the rows' losses. */
static Status run_pass(Blas *blas, const Vector *w, const Vector *v, RowRange rows, const Addition *addition, Vector *out, double *loss,
                       Error *error) {
  Status status = SETOSA_OK;
  uint64_t product = blas_product_flops(blas, rows);
  int before = 1;
  unsigned products = (v != NULL ? 2u : 1u) + (out != NULL ? 1u : 0u);
  Pass pass = {.blas = blas,
               .of = (v != NULL ? v : w)->values,
               .addition = addition,
               .rows = rows,
               .scale = (float)backend_row_scale(&blas->head, rows.count),
               .out = out != NULL ? out->values : NULL,
               .team = smaller(blas_team(blas, products * product), rows.count)};
  uint64_t finishing = 2 * pass.team * blas->head.parameters;
  TRY(blas_reserve(blas, pass.team, v != NULL, out != NULL, error));
  TRY(blas_prepare(blas, &pass.w, w, 0, error));
  if (v != NULL) TRY(blas_prepare(blas, &pass.v, v, 1, error));
  if (!blas_is_sparse(blas)) TRY(blas_products_begin(&blas->products, pass.team, &before, error));
  if (blas->whole_blocks) {
    run_whole_blocks(&pass);
  } else {
    blas_threads_run(blas->threads, pass.team, pass_share, &pass);
  }
  if (!blas_is_sparse(blas)) blas_products_end(&blas->products, before);
  if (out != NULL && blas_is_sparse(blas)) blas_threads_run(blas->threads, blas_team(blas, finishing), turn_back_share, &pass);
  if (out != NULL) blas_threads_run(blas->threads, blas_team(blas, finishing), finish_share, &pass);
  for (size_t t = 0; loss != NULL && t < pass.team; t++) *loss += blas->rooms[t].loss;
  blas->flops += products * product;
  /* Each product reads X, from cache the second time; the pass counts once what comes from memory. */
  blas->bytes_read += dataset_bytes(blas->source, rows);
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
