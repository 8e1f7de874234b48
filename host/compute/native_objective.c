/* Loss, gradient, Hessian times vector and predictions of the native backend: the fused pass for few classes, blocks of logits for
 * many. Either way no more than a block of rows times K is ever held. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "compute/native.h"

enum {
  FUSED_CLASSES = 32, /* the fused kernels keep a block of K logits a row in private or local memory */
  FUSED_BLOCK_ROWS_CPU = 48,
  FUSED_BLOCK_ROWS_GPU = 64,
  FUSED_SPAN_BLOCKS = 64,
  SLAB_BYTES = 64 << 20, /* most bytes of partial gradients */
  ACCURATE_CLASSES = 100 /* predictions of at most so many classes sum their logits in twice the precision */
};

static size_t at_least_one(size_t value) { return value > 0 ? value : 1; }
static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

uint32_t native_row_groups(const Native *native, size_t rows) {
  size_t most = 8 * (size_t)native->compute_units;
  return (uint32_t)at_least_one(smaller(rows, most < 16 ? 16 : most));
}

/* Slabs of P floats that fit SLAB_BYTES, at least one. */
static size_t most_slabs(const Native *native) { return at_least_one(SLAB_BYTES / (native->head.parameters * sizeof(float))); }

/* Groups of the fused pass: equal shares of whole blocks, each with its own slab. */
static uint32_t fused_groups(const Native *native, size_t rows) {
  bool cpu = native->family == SETOSA_FAMILY_CPU;
  size_t block = cpu ? FUSED_BLOCK_ROWS_CPU : FUSED_BLOCK_ROWS_GPU;
  size_t blocks = (rows + block - 1) / block, wanted = cpu ? 8 * (size_t)native->compute_units : 2 * (size_t)native->compute_units;
  if (wanted < 16) wanted = 16;
  return (uint32_t)at_least_one(smaller(smaller(wanted, blocks), most_slabs(native)));
}

static bool is_fused(const Native *native) { return native->products == NULL && native->head.classes <= FUSED_CLASSES; }

static Status check_rows(const Native *native, RowRange rows, bool labels_needed, Error *error) {
  if (rows.count == 0 || rows.begin > native->head.rows || rows.count > native->head.rows - rows.begin)
    return error_set(error, SETOSA_ERROR_INTERNAL, "rows %zu to %zu asked for, there are %zu", rows.begin, rows.begin + rows.count,
                     native->head.rows);
  if (labels_needed && !native->labelled)
    return error_set(error, SETOSA_ERROR_USAGE, "the loss needs labels, and this data set has none; name them with --labels or --label");
  return SETOSA_OK;
}

const NativePart *native_part(const Native *native, RowRange rows, RowRange *piece) {
  const NativePart *part = &native->parts[rows.begin / native->part_rows];
  *piece = (RowRange){rows.begin - part->begin, smaller(rows.count, part->begin + part->count - rows.begin)};
  return part;
}

/* What a pass over rows leaves behind: `slabs` partial gradients (P each) and `losses` partial sums. */
typedef struct PassResult {
  Buffer *slab_buffer;
  uint32_t slabs, losses;
  size_t slab_stride;
} PassResult;

/* Rows in several parts are added into slabs and losses that begin at zero, since a later piece may have more groups than the first. */
static Status begin_adding(Native *native, const PassResult *result, bool clear_slabs, Error *error) {
  Status status = SETOSA_OK;
  if (clear_slabs) TRY(buffer_fill_zero(result->slab_buffer, 0, result->slabs * result->slab_stride * sizeof(float), error));
  TRY(buffer_fill_zero(native->sums, 0, result->losses * sizeof(SumPair), error));
cleanup:
  return status;
}

/* v NULL: loss, and gradient when wanted; else the Hessian times v. */
static Status enqueue_fused(Native *native, const Vector *w, const Vector *v, RowRange rows, bool want_gradient, PassResult *result,
                            Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  RowRange piece;
  float scale = (float)(1.0 / (double)rows.count);
  result->slabs = result->losses = fused_groups(native, rows.count);
  result->slab_stride = native->head.parameters;
  if (native->family == SETOSA_FAMILY_CPU && rows.count / result->slabs > (size_t)FUSED_BLOCK_ROWS_CPU * FUSED_SPAN_BLOCKS)
    result->slab_stride *= 3;
  TRY(native_reserve(native, &native->slabs, result->slabs * result->slab_stride * sizeof(float), "partial gradients", error));
  result->slab_buffer = native->slabs;
  TRY(native_reserve_sums(native, result->losses, error));
  TRY(native_kernel(native, v == NULL ? KERNEL_FUSED_GRADIENT : KERNEL_FUSED_HESSIAN, &kernel, error));
  native_part(native, rows, &piece);
  bool several = piece.count < rows.count;
  if (several) TRY(begin_adding(native, result, true, error));
  for (size_t done = 0; done < rows.count; done += piece.count) {
    const NativePart *part = native_part(native, (RowRange){rows.begin + done, rows.count - done}, &piece);
    uint32_t groups = (uint32_t)smaller(result->slabs, fused_groups(native, piece.count));
    const Buffer *labels = part->labels != NULL ? part->labels : part->x; /* a Hessian reads none */
    TRY(kernel_launch(kernel, native_team_range(native, groups), error, ARG(part->x), ARG(labels), ARG(w->buffer),
                      ARG(v == NULL ? w->buffer : v->buffer), ARG(native->slabs), ARG((uint64_t)result->slab_stride), ARG(native->sums), ARG((uint64_t)piece.begin),
                      ARG((uint64_t)piece.count), ARG(scale), ARG((uint32_t)want_gradient), ARG((uint32_t)several)));
  }
cleanup:
  return status;
}

static size_t blocks_of(size_t count, size_t size) { return (count + size - 1) / size; }

/* Groups of logits_block: rectangles of rows x classes. The CPU family cuts the classes only when there are too few rows to share out. */
static KernelRange logits_range(const Native *native, size_t rows) {
  size_t classes = native->head.classes;
  if (native->family == SETOSA_FAMILY_GPU)
    return (KernelRange){{blocks_of(rows, 64) * 16, blocks_of(classes, native_tile_classes(native)) * 16}, {16, 16}};
  size_t row_blocks = blocks_of(rows, 48), wanted = 8 * (size_t)native->compute_units;
  return (KernelRange){{row_blocks, smaller(blocks_of(wanted, row_blocks), blocks_of(classes, 96))}, {1, 1}};
}

/* Groups of gradient_block: rectangles of features x classes, and slabs. */
static KernelRange gradient_range(const Native *native, size_t slabs) {
  size_t features = native->head.features, classes = native->head.classes;
  if (native->family == SETOSA_FAMILY_GPU)
    return (KernelRange){{blocks_of(features, 64) * 16, blocks_of(classes, native_tile_classes(native)) * 16, slabs}, {16, 16, 1}};
  return (KernelRange){{blocks_of(features, 128), blocks_of(classes, 96), 1}, {1, 1, 1}};
}

Status native_enqueue_logits(Native *native, const Vector *w, const NativePart *part, RowRange rows, Buffer *block, float padding,
                             Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  if (native->products != NULL) return native->products->logits(native, w, part, rows, block, padding, error);
  TRY(native_kernel(native, KERNEL_LOGITS_BLOCK, &kernel, error));
  TRY(kernel_launch(kernel, logits_range(native, rows.count), error, ARG(part->x), ARG(w->buffer), ARG((uint64_t)native->head.features),
                    ARG((uint32_t)native->head.classes), ARG((uint64_t)rows.begin), ARG((uint64_t)rows.count), ARG(block),
                    ARG(native->stride), ARG(padding)));
  native->flops += 2 * (uint64_t)rows.count * native->head.features * native->head.classes;
  native->bytes_read += (uint64_t)rows.count * native->head.features * storage_element_bytes(&native->plan);
cleanup:
  return status;
}

/* Slabs of the blocked gradient: the CPU family adds into one; a GPU needs more groups than K and D alone may give. */
static uint32_t block_slabs(const Native *native) {
  if (native->family == SETOSA_FAMILY_CPU || native->products != NULL) return 1;
  size_t tile = native_tile_classes(native);
  size_t tiles = (native->head.features + 63) / 64 * ((native->head.classes + tile - 1) / tile);
  return (uint32_t)at_least_one(smaller(smaller(4 * (size_t)native->compute_units / tiles, 64), most_slabs(native)));
}

static Status enqueue_gradient_block(Native *native, const Buffer *residuals, const NativePart *part, RowRange rows,
                                     const PassResult *result, bool add, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  if (native->products != NULL) return native->products->gradient(native, residuals, part, rows, result->slab_buffer, add, error);
  TRY(native_kernel(native, KERNEL_GRADIENT_BLOCK, &kernel, error));
  TRY(kernel_launch(kernel, gradient_range(native, result->slabs), error, ARG(part->x), ARG(residuals),
                    ARG((uint64_t)native->head.features), ARG((uint32_t)native->head.classes), ARG((uint64_t)rows.begin),
                    ARG((uint64_t)rows.count), ARG(native->stride), ARG(result->slab_buffer), ARG((uint32_t)add)));
cleanup:
  return status;
}

/* One block of rows of a part: logits, softmax in place, gradient added up. */
static Status enqueue_block(Native *native, const Vector *w, const Vector *v, const NativePart *part, RowRange rows, float scale,
                            bool want_gradient, bool add, const PassResult *result, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  KernelRange range = native_team_range(native, (uint32_t)smaller(result->losses, rows.count)); /* no group without a row */
  TRY(native_kernel(native, v == NULL ? KERNEL_RESIDUAL_ROWS : KERNEL_HESSIAN_ROWS, &kernel, error));
  TRY(native_enqueue_logits(native, w, part, rows, native->block, -INFINITY, error));
  if (v == NULL) {
    TRY(kernel_launch(kernel, range, error, ARG(native->block), ARG(native->stride), ARG(part->labels), ARG((uint64_t)rows.begin),
                      ARG((uint64_t)rows.count), ARG(scale), ARG(native->sums), ARG((uint32_t)1)));
  } else {
    TRY(native_enqueue_logits(native, v, part, rows, native->block_directions, 0.0f, error));
    TRY(kernel_launch(kernel, range, error, ARG(native->block), ARG(native->block_directions), ARG(native->stride),
                      ARG((uint64_t)rows.count), ARG(scale)));
  }
  if (want_gradient)
    TRY(enqueue_gradient_block(native, v == NULL ? native->block : native->block_directions, part, rows, result, add, error));
cleanup:
  return status;
}

/* The same as enqueue_fused, block by block. out receives the gradient itself where one slab is enough. */
static Status enqueue_blocks(Native *native, const Vector *w, const Vector *v, RowRange rows, Vector *out, PassResult *result,
                             Error *error) {
  Status status = SETOSA_OK;
  size_t block_bytes = native->block_rows * native->stride * sizeof(float), count = 0;
  float scale = (float)(1.0 / (double)rows.count);
  result->losses = native_row_groups(native, smaller(rows.count, native->block_rows));
  result->slabs = out != NULL ? block_slabs(native) : 0;
  result->slab_buffer = out != NULL ? out->buffer : NULL;
  result->slab_stride = native->head.parameters;
  if (result->slabs > 1) {
    TRY(native_reserve(native, &native->slabs, result->slabs * native->head.parameters * sizeof(float), "partial gradients", error));
    result->slab_buffer = native->slabs;
  }
  TRY(native_reserve(native, &native->block, block_bytes, "a block of logits", error));
  if (v != NULL) TRY(native_reserve(native, &native->block_directions, block_bytes, "a block of directions", error));
  TRY(native_reserve_sums(native, result->losses, error));
  TRY(begin_adding(native, result, false, error));
  for (size_t done = 0; done < rows.count; done += count) {
    RowRange piece;
    const NativePart *part = native_part(native, (RowRange){rows.begin + done, rows.count - done}, &piece);
    count = piece.count = smaller(piece.count, native->block_rows);
    TRY(enqueue_block(native, w, v, part, piece, scale, out != NULL, done > 0, result, error));
  }
cleanup:
  return status;
}

/* out = the sum of the slabs + l2 * of (on the weights). */
static Status enqueue_finish(Native *native, Vector *out, const Buffer *slabs, uint32_t slab_count, size_t slab_stride, const Vector *of, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  size_t parameters = native->head.parameters;
  TRY(native_kernel(native, KERNEL_FINISH_GRADIENT, &kernel, error));
  TRY(kernel_launch(kernel, native_team_range(native, native_vector_groups(native, parameters)), error, ARG(out->buffer), ARG(slabs),
                    ARG(slab_count), ARG((uint64_t)slab_stride), ARG(of->buffer), ARG((float)native->head.l2), ARG((uint64_t)(parameters - native->head.classes)),
                    ARG((uint64_t)parameters), ARG((uint32_t)native->head.intercept)));
cleanup:
  return status;
}

/* Loss (v NULL) or Hessian times v: the pass over rows, and its gradient into out when that is not NULL. */
static Status enqueue_pass(Native *native, const Vector *w, const Vector *v, RowRange rows, Vector *out, uint32_t *loss_groups,
                           Error *error) {
  Status status = SETOSA_OK;
  PassResult result = {0};
  uint64_t work = (uint64_t)rows.count * native->head.features * native->head.classes;
  if (is_fused(native)) {
    TRY(enqueue_fused(native, w, v, rows, out != NULL, &result, error));
    native->flops += v == NULL ? 2 * work : 4 * work;
    native->bytes_read += (uint64_t)rows.count * native->head.features * storage_element_bytes(&native->plan);
  } else {
    TRY(enqueue_blocks(native, w, v, rows, out, &result, error));
  }
  if (out != NULL) {
    TRY(enqueue_finish(native, out, result.slab_buffer, result.slabs, result.slab_stride, v == NULL ? w : v, error));
    native->flops += 2 * work;
  }
  *loss_groups = result.losses;
cleanup:
  return status;
}

Status native_evaluate(Backend *backend, const Vector *w, RowRange rows, Vector *gradient, Evaluation *evaluation, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  uint32_t loss_groups = 0;
  size_t weights = backend->parameters - backend->classes;
  TRY(check_rows(native, rows, true, error));
  TRY(enqueue_pass(native, w, NULL, rows, gradient, &loss_groups, error));
  if (evaluation == NULL) goto cleanup;
  uint32_t norm_groups = native_vector_groups(native, backend->parameters), penalty_groups = native_vector_groups(native, weights);
  size_t sum_count = (size_t)loss_groups + norm_groups + penalty_groups;
  if (sum_count > native->sums_capacity) {
    /* Growing drops the losses just computed, which happens once in the life of a backend: compute them again. */
    TRY(native_reserve_sums(native, sum_count, error));
    TRY(enqueue_pass(native, w, NULL, rows, gradient, &loss_groups, error));
  }
  if (gradient != NULL) TRY(native_enqueue_max_abs(native, gradient, loss_groups, error));
  TRY(native_enqueue_dot(native, w, w, weights, loss_groups + norm_groups, error));
  TRY(native_read_sums(native, sum_count, error));
  evaluation->loss = native_sum(native, 0, loss_groups) / (double)rows.count;
  evaluation->penalty = 0.5 * backend->l2 * native_sum(native, (size_t)loss_groups + norm_groups, penalty_groups);
  evaluation->objective = evaluation->loss + evaluation->penalty;
  evaluation->gradient_norm = gradient != NULL ? native_max(native, loss_groups, norm_groups) : NAN;
cleanup:
  return status;
}

Status native_hessian_product(Backend *backend, const Vector *w, const Vector *v, RowRange rows, Vector *out, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  uint32_t groups = 0;
  TRY(check_rows(native, rows, false, error));
  TRY(enqueue_pass(native, w, v, rows, out, &groups, error));
cleanup:
  return status;
}

/* The logits of a prediction: compensated where that costs little beside reading X and writing the scores, else by the block product. */
static Status enqueue_scores(Native *native, const Vector *w, const NativePart *part, RowRange rows, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  if (native->head.classes > ACCURATE_CLASSES) return native_enqueue_logits(native, w, part, rows, native->block, -INFINITY, error);
  TRY(native_kernel(native, KERNEL_ACCURATE_LOGITS, &kernel, error));
  TRY(kernel_launch(kernel, native_team_range(native, native_row_groups(native, rows.count)), error, ARG(part->x), ARG(w->buffer),
                    ARG((uint64_t)native->head.features), ARG((uint32_t)native->head.classes), ARG((uint64_t)rows.begin),
                    ARG((uint64_t)rows.count), ARG(native->block), ARG(native->stride)));
  native->flops += 2 * (uint64_t)rows.count * native->head.features * native->head.classes;
  native->bytes_read += (uint64_t)rows.count * native->head.features * storage_element_bytes(&native->plan);
cleanup:
  return status;
}

Status native_predict(Backend *backend, const Vector *w, RowRange rows, RowScores kind, float *scores, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  Kernel *kernel = NULL;
  float *padded = NULL;
  size_t classes = backend->classes, stride = native->stride;
  TRY(check_rows(native, rows, false, error));
  TRY(native_reserve(native, &native->block, native->block_rows * stride * sizeof(float), "a block of logits", error));
  if (kind == ROW_PROBABILITIES) TRY(native_kernel(native, KERNEL_PROBABILITY_ROWS, &kernel, error));
  if (stride != classes) TRY(memory_allocate((void **)&padded, native->block_rows * stride, sizeof(float), "a block of scores", error));
  size_t count = 0;
  for (size_t done = 0; done < rows.count; done += count) {
    RowRange piece;
    const NativePart *part = native_part(native, (RowRange){rows.begin + done, rows.count - done}, &piece);
    float *to = scores + done * classes;
    count = piece.count = smaller(piece.count, native->block_rows);
    TRY(enqueue_scores(native, w, part, piece, error));
    if (kind == ROW_PROBABILITIES)
      TRY(kernel_launch(kernel, native_team_range(native, native_row_groups(native, count)), error, ARG(native->block), ARG(native->stride),
                        ARG((uint64_t)count)));
    TRY(buffer_read(native->block, 0, count * stride * sizeof(float), padded != NULL ? padded : to, error));
    if (padded == NULL) continue;
    for (size_t i = 0; i < count; i++)
      for (size_t k = 0; k < classes; k++) to[i * classes + k] = padded[i * stride + k];
  }
cleanup:
  free(padded);
  return status;
}
