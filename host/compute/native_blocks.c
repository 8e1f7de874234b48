/* The blocked pass for many classes: a block of rows goes through logits, softmax and gradient, so that no more than a block of rows times
 * K is held. The CPU family keeps logits in strips (kernels/strip.clh), the GPU family in padded rows (kernels/rows.cl). */
#include <math.h>

#include "compute/native.h"

enum {
  SPAN_ROWS = 16384,      /* added up in f32 before their sum goes into the compensated one, */
  FOLDED_BYTES = 32 << 20 /* for gradients of at most this */
};

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
static size_t at_least_one(size_t value) { return value > 0 ? value : 1; }
static size_t divide_up(size_t count, size_t size) { return (count + size - 1) / size; }

static size_t strips_of(size_t rows) { return divide_up(rows, STRIP); }
static size_t wanted_groups(const Native *native) { return 8 * (size_t)native->compute_units; }

uint32_t native_row_groups(const Native *native, size_t rows) {
  size_t units = native_uses_strips(native) ? strips_of(rows) : rows, most = wanted_groups(native);
  return (uint32_t)at_least_one(smaller(units, most < 16 ? 16 : most));
}

size_t native_logits_bytes(const Native *native, size_t rows) {
  if (native_uses_strips(native)) return strips_of(rows) * STRIP * native->head.classes * sizeof(float);
  return rows * native->stride * sizeof(float);
}

/* Groups of logits_strips: blocks of strips x ranges of classes, cut only as far as there are too few strips to share out. */
static KernelRange strips_range(const Native *native, size_t rows) {
  size_t row_groups = divide_up(strips_of(rows), GROUP_STRIPS), tiles = divide_up(native->head.classes, native_strip_classes(native));
  return (KernelRange){{row_groups, smaller(divide_up(wanted_groups(native), row_groups), tiles)}, {1, 1}};
}

/* Slabs of the blocked gradient: one, unless features and classes alone give too few groups. */
static uint32_t block_slabs(const Native *native) {
  if (native->products != NULL) return 1;
  bool strips = native_uses_strips(native);
  size_t tile_classes = strips ? native_strip_classes(native) : native->shape.tile_classes;
  size_t tiles = divide_up(native->head.features, strips ? STRIP * COLUMN_STRIPS : 64) * divide_up(native->head.classes, tile_classes);
  size_t wanted = (strips ? 8 : 4) * (size_t)native->compute_units, blocks = strips ? strips_of(native->block_rows) : 64;
  return (uint32_t)at_least_one(smaller(smaller(wanted / tiles, blocks), native_most_slabs(native)));
}

static KernelRange gradient_range(const Native *native, size_t slabs) {
  size_t features = native->head.features, classes = native->head.classes;
  if (!native_uses_strips(native))
    return (KernelRange){{divide_up(features, 64) * 16, divide_up(classes, native->shape.tile_classes) * 16, slabs}, {16, 16, 1}};
  size_t columns = divide_up(features, STRIP * COLUMN_STRIPS), tiles = divide_up(classes, native_strip_classes(native));
  return (KernelRange){{columns, smaller(divide_up(wanted_groups(native), columns * slabs), tiles), slabs}, {1, 1, 1}};
}

Status native_enqueue_logits(Native *native, const Vector *w, const NativePart *part, RowRange rows, Buffer *block, size_t block_row,
                             float padding, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  uint64_t features = native->head.features;
  uint32_t classes = (uint32_t)native->head.classes;
  if (native->products != NULL) return native->products->logits(native, w, part, rows, block, padding, error);
  if (native_uses_strips(native)) {
    TRY(native_kernel(native, KERNEL_LOGITS_STRIPS, &kernel, error));
    TRY(kernel_launch(kernel, strips_range(native, rows.count), error, ARG(part->x), ARG(w->buffer), ARG(features), ARG(classes),
                      ARG((uint64_t)rows.begin), ARG((uint64_t)rows.count), ARG(block), ARG((uint64_t)block_row)));
  } else {
    KernelRange range = {{divide_up(rows.count, 64) * 16, divide_up(classes, native->shape.tile_classes) * 16}, {16, 16}};
    TRY(native_kernel(native, KERNEL_LOGITS_BLOCK, &kernel, error));
    TRY(kernel_launch(kernel, range, error, ARG(part->x), ARG(w->buffer), ARG(features), ARG(classes), ARG((uint64_t)rows.begin),
                      ARG((uint64_t)rows.count), ARG(block), ARG(native->stride), ARG(padding)));
  }
  native->flops += 2 * (uint64_t)rows.count * features * classes;
  native->bytes_read += native_row_bytes(native) * rows.count;
cleanup:
  return status;
}

/* What the blocks of one pass have in common. */
typedef struct BlockPass {
  const Vector *w, *v; /* v NULL: loss and gradient; else the Hessian times v */
  float scale;
  bool want_gradient;
  NativeKept kept;
  const PassResult *result;
} BlockPass;

static Status enqueue_gradient(Native *native, const BlockPass *pass, const Buffer *residuals, const NativePart *part, RowRange rows,
                               bool add, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  uint64_t features = native->head.features;
  uint32_t classes = (uint32_t)native->head.classes;
  if (native->products != NULL) return native->products->gradient(native, residuals, part, rows, pass->result->slab_buffer, add, error);
  if (native_uses_strips(native)) {
    TRY(native_kernel(native, KERNEL_GRADIENT_STRIPS, &kernel, error));
    TRY(kernel_launch(kernel, gradient_range(native, pass->result->slabs), error, ARG(part->x), ARG(residuals), ARG(native->row_factors),
                      ARG(features), ARG(classes), ARG((uint64_t)rows.begin), ARG((uint64_t)rows.count), ARG(pass->result->slab_buffer),
                      ARG((uint32_t)add)));
  } else {
    TRY(native_kernel(native, KERNEL_GRADIENT_BLOCK, &kernel, error));
    TRY(kernel_launch(kernel, gradient_range(native, pass->result->slabs), error, ARG(part->x), ARG(residuals), ARG(features), ARG(classes),
                      ARG((uint64_t)rows.begin), ARG((uint64_t)rows.count), ARG(native->stride), ARG(pass->result->slab_buffer),
                      ARG((uint32_t)add)));
  }
cleanup:
  return status;
}

/* One block of rows in strips: logits, softmax in place, gradient added up. */
static Status enqueue_strips(Native *native, const BlockPass *pass, const NativePart *part, RowRange rows, bool add, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  uint32_t classes = (uint32_t)native->head.classes;
  uint64_t count = rows.count, first = rows.begin;
  KernelRange range = native_team_range(native, (uint32_t)smaller(pass->result->losses, strips_of(rows.count)));
  TRY(native_enqueue_logits(native, pass->v == NULL ? pass->w : pass->v, part, rows, native->block, 0, 0.0f, error));
  if (pass->v == NULL) {
    TRY(native_kernel(native, KERNEL_RESIDUAL_STRIPS, &kernel, error));
    TRY(kernel_launch(kernel, range, error, ARG(native->block), ARG(classes), ARG(part->labels), ARG(first), ARG(count), ARG(pass->scale),
                      ARG(native->row_factors), ARG(native->sums), ARG((uint32_t)1)));
  } else {
    /* Probabilities are kept for the whole data set (then rows begin at a strip), or made for this block. */
    Buffer *probabilities = pass->kept == NATIVE_KEPT_NONE ? native->block_directions : native->kept;
    uint64_t at = pass->kept == NATIVE_KEPT_NONE ? 0 : first;
    if (pass->kept != NATIVE_KEPT_READ) {
      TRY(native_enqueue_logits(native, pass->w, part, rows, probabilities, at, 0.0f, error));
      TRY(native_kernel(native, KERNEL_SOFTMAX_STRIPS, &kernel, error));
      TRY(kernel_launch(kernel, range, error, ARG(probabilities), ARG(at), ARG(classes), ARG(count)));
    }
    TRY(native_kernel(native, KERNEL_HESSIAN_STRIPS, &kernel, error));
    TRY(kernel_launch(kernel, range, error, ARG(probabilities), ARG(at), ARG(native->block), ARG(classes), ARG(count), ARG(pass->scale),
                      ARG(native->row_factors)));
  }
  if (pass->want_gradient) TRY(enqueue_gradient(native, pass, native->block, part, rows, add, error));
cleanup:
  return status;
}

/* The same in padded rows. */
static Status enqueue_rows(Native *native, const BlockPass *pass, const NativePart *part, RowRange rows, bool add, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  KernelRange range = native_team_range(native, (uint32_t)smaller(pass->result->losses, rows.count)); /* no group without a row */
  TRY(native_kernel(native, pass->v == NULL ? KERNEL_RESIDUAL_ROWS : KERNEL_HESSIAN_ROWS, &kernel, error));
  TRY(native_enqueue_logits(native, pass->w, part, rows, native->block, 0, -INFINITY, error));
  if (pass->v == NULL) {
    TRY(kernel_launch(kernel, range, error, ARG(native->block), ARG(native->stride), ARG(part->labels), ARG((uint64_t)rows.begin),
                      ARG((uint64_t)rows.count), ARG(pass->scale), ARG(native->sums), ARG((uint32_t)1)));
  } else {
    TRY(native_enqueue_logits(native, pass->v, part, rows, native->block_directions, 0, 0.0f, error));
    TRY(kernel_launch(kernel, range, error, ARG(native->block), ARG(native->block_directions), ARG(native->stride),
                      ARG((uint64_t)rows.count), ARG(pass->scale)));
  }
  if (pass->want_gradient)
    TRY(enqueue_gradient(native, pass, pass->v == NULL ? native->block : native->block_directions, part, rows, add, error));
cleanup:
  return status;
}

/* Where the gradient of the blocks is added up: straight into out while few blocks add to it; else in spans of blocks, whose sums go into a
 * compensated one, so that a million rows lose no more than a thousand. */
typedef struct GradientSum {
  bool folding, clear; /* clear: the slabs begin at zero, since a block may have fewer strips than there are slabs */
  size_t rows_added;   /* since the slabs began */
  PassResult slabs;
} GradientSum;

static Status begin_sum(Native *native, GradientSum *sum, const BlockPass *pass, RowRange rows, Vector *out, Error *error) {
  Status status = SETOSA_OK;
  size_t bytes = native->head.parameters * sizeof(float);
  sum->slabs.losses = native_row_groups(native, smaller(rows.count, native->block_rows));
  if (out == NULL) goto cleanup;
  sum->folding = rows.count > 2 * (size_t)SPAN_ROWS && bytes <= FOLDED_BYTES;
  sum->slabs.slabs = block_slabs(native);
  sum->clear = native_uses_strips(native) && sum->slabs.slabs > 1;
  sum->slabs.slab_buffer = out->buffer;
  bool aliased = out == pass->w || out == pass->v; /* later blocks still read it */
  if (sum->folding || sum->slabs.slabs > 1 || aliased) {
    TRY(native_reserve(native, &native->slabs, sum->slabs.slabs * bytes, "partial gradients", error));
    sum->slabs.slab_buffer = native->slabs;
  }
  if (sum->folding) TRY(native_begin_folding(native, 1, error));
cleanup:
  return status;
}

/* Before a block of rows is added; *add: whether the slabs hold something already. */
static Status begin_block(Native *native, GradientSum *sum, bool *add, Error *error) {
  *add = sum->rows_added > 0 || sum->clear;
  if (sum->rows_added > 0 || !sum->clear) return SETOSA_OK;
  return buffer_fill_zero(sum->slabs.slab_buffer, 0, sum->slabs.slabs * native->head.parameters * sizeof(float), error);
}

/* After it; last: nothing follows. */
static Status end_block(Native *native, GradientSum *sum, size_t rows, bool last, Error *error) {
  sum->rows_added += rows;
  if (!sum->folding || (!last && sum->rows_added < SPAN_ROWS)) return SETOSA_OK;
  sum->rows_added = 0;
  return native_fold(native, native->slabs, 0, sum->slabs.slabs, UINT32_MAX, error);
}

Status native_enqueue_blocks(Native *native, const Vector *w, const Vector *v, RowRange rows, Vector *out, NativeKept kept,
                             PassResult *result, Error *error) {
  Status status = SETOSA_OK;
  size_t block_bytes = native_logits_bytes(native, native->block_rows), count = 0;
  bool strips = native_uses_strips(native);
  GradientSum sum = {0};
  BlockPass pass = {
      .w = w, .v = v, .scale = (float)(1.0 / (double)rows.count), .want_gradient = out != NULL, .kept = kept, .result = &sum.slabs};
  TRY(begin_sum(native, &sum, &pass, rows, out, error));
  TRY(native_reserve(native, &native->block, block_bytes, "a block of logits", error));
  if (v != NULL && kept == NATIVE_KEPT_NONE)
    TRY(native_reserve(native, &native->block_directions, block_bytes, "a block of directions", error));
  if (strips)
    TRY(native_reserve(native, &native->row_factors, strips_of(native->block_rows) * STRIP * sizeof(float), "row factors", error));
  TRY(native_reserve_sums(native, sum.slabs.losses, error));
  TRY(buffer_fill_zero(native->sums, 0, sum.slabs.losses * sizeof(SumPair), error));
  for (size_t done = 0; done < rows.count; done += count) {
    RowRange piece;
    bool add = false;
    const NativePart *part = NULL;
    TRY(native_rows(native, &part, (RowRange){rows.begin + done, rows.count - done}, native->block_rows, &piece, error));
    count = piece.count = smaller(piece.count, native->block_rows);
    if (out != NULL) TRY(begin_block(native, &sum, &add, error));
    TRY((strips ? enqueue_strips : enqueue_rows)(native, &pass, part, piece, add, error));
    if (out != NULL) TRY(end_block(native, &sum, count, done + count == rows.count, error));
  }
  *result = sum.slabs;
  if (sum.folding) {
    result->slab_buffer = native->folded; /* highs and lows */
    result->slabs = 2;
  }
cleanup:
  return status;
}
