/* The fused pass for few classes: one read of X gives loss and gradient, or the Hessian times a vector.
 *
 * Rows are cut (cut.h) into shares of whole blocks, one work-group and one partial gradient each. */
#include <stdint.h>

#include "compute/native/fused_shape.h"
#include "compute/native/logits.h"
#include "compute/native/upload.h"
#include "compute/native/vector.h"

enum {
  SHARE_ROWS_CPU = 3072,  /* most rows of a share: it is summed in plain f32, shares are summed in twice the precision */
  SHARE_ROWS_GPU = 4096,  /* where several items share the rows */
  PARTIALS_PART_CPU = 8,  /* the partial gradients of few rows are at most this part of their X, */
  PARTIALS_PART_GPU = 16, /* which comes from memory once there, */
  LEAST_SHARES = 16,      /* but there are so many shares, as long as there are blocks */
  PROCESSORS = 132        /* of the GPU that shares are counted for; the order of additions must not depend on that which is there */
};

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
static size_t divide_up(size_t count, size_t size) { return (count + size - 1) / size; }

static size_t block_rows_of(const Native *native, bool hessian) {
  if (native->family == SETOSA_FAMILY_CPU) return FUSED_ROWS_CPU;
  return native_fused_shape(&native->shape, native->head.features, native->head.classes, hessian).block_rows;
}

/* Of the larger of the two, which is a multiple of the other. */
static size_t block_rows(const Native *native) {
  size_t gradient = block_rows_of(native, false), hessian = block_rows_of(native, true);
  return gradient > hessian ? gradient : hessian;
}

/* So many shares, or somewhat fewer, that processors get equally many. */
static size_t even_shares(const Native *native, size_t wanted) {
  if (native->family == SETOSA_FAMILY_CPU || wanted < PROCESSORS) return wanted;
  FusedShape fused = native_fused_shape(&native->shape, native->head.features, native->head.classes, false);
  size_t at_once = PROCESSORS * fused.resident;
  if (fused.slabs > 0 && wanted >= at_once) return at_once; /* whose partial gradients are the only ones to be moved */
  return wanted < at_once ? wanted / PROCESSORS * PROCESSORS : wanted / at_once * at_once;
}

Cut native_fused_cut(const Native *native, size_t rows) {
  bool cpu = native->family == SETOSA_FAMILY_CPU;
  size_t block = block_rows(native), blocks = divide_up(rows, block);
  size_t most = smaller(native->shape.shares, native_most_partials(native, rows));
  size_t wanted = rows * native->head.features / native->head.parameters / (cpu ? PARTIALS_PART_CPU : PARTIALS_PART_GPU);
  if (wanted < LEAST_SHARES) wanted = LEAST_SHARES;
  wanted = even_shares(native, smaller(wanted, most));
  size_t share_blocks = smaller(divide_up(blocks, wanted), (cpu ? SHARE_ROWS_CPU : SHARE_ROWS_GPU) / block);
  Cut cut = {.rows = rows, .share_rows = share_blocks * block, .partials = 1, .losses = 1};
  cut.shares = divide_up(blocks, share_blocks);
  cut.per_shard = divide_up(cut.shares, most);
  cut.shards = divide_up(cut.shares, cut.per_shard);
  return cut;
}

size_t native_fused_kept_bytes(const Native *native) {
  return divide_up(native->window.count, block_rows(native)) * block_rows(native) * native->head.classes * sizeof(float);
}

/* Where the partial gradients of the shares go: straight to their places, or folded into those of their shards launch by launch. */
static Status begin_shares(Native *native, const Pass *pass, size_t shares, PassResult *result, Error *error) {
  Status status = SETOSA_OK;
  size_t partial_bytes = native->head.parameters * sizeof(float), partials = smaller(shares, native_most_partials(native, pass->cut.rows));
  TRY(native_reserve(native, &native->partials, partials * partial_bytes, "partial gradients", error));
  TRY(native_reserve_sums(native, shares, error));
  *result = (PassResult){.partial_buffer = native->partials, .partials = partials, .losses = shares};
  if (pass->cut.per_shard == 1 || !pass->want_gradient) goto cleanup;
  TRY(native_begin_folding(native, pass->shards.count, error));
  *result = (PassResult){.partial_buffer = native->folded, .partials = 2 * pass->shards.count, .losses = shares};
cleanup:
  return status;
}

/* Launches the kernel of the pass on shares `first_share` on, whose rows are `rows` of the buffers. */
static Status launch_shares(Native *native, const Pass *pass, uint32_t keep, const RowBuffers *buffers, RowRange rows, size_t first_share,
                            Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  KernelRange range;
  const Cut *cut = &pass->cut;
  bool cpu = native->family == SETOSA_FAMILY_CPU, folding = pass->want_gradient && cut->per_shard > 1;
  uint32_t shares = (uint32_t)divide_up(rows.count, cut->share_rows);
  const Buffer *w_panels = pass->w->buffer, *v_panels = w_panels;           /* not read without panels */
  const Buffer *kept = keep == KEEP_NONE ? native->partials : native->kept; /* not touched unless there is something to keep */
  if (native_uses_panels(native)) {
    TRY(native_panels(native, pass->w, &w_panels, error));
    if (pass->v != NULL) TRY(native_panels(native, pass->v, &v_panels, error));
  }
  KernelArgument arguments[20];
  size_t count = 0;
#define ADD(value) (arguments[count++] = ARG(value))
  ADD(buffers->x);
  ADD((uint64_t)rows.begin);
  ADD((uint64_t)rows.count);
  ADD((uint32_t)(cut->share_rows / block_rows_of(native, pass->v != NULL)));
  ADD((uint64_t)first_share);
  ADD((float)backend_row_scale(&native->head, cut->rows));
  ADD(pass->w->buffer);
  ADD(native->partials);
  ADD(folding || !pass->want_gradient ? (uint32_t)0 : (uint32_t)first_share);
  if (pass->v == NULL) {
    ADD(buffers->labels);
    ADD(buffers->weights);
    ADD(native->sums);
    ADD((uint32_t)pass->want_gradient);
  } else {
    ADD(pass->v->buffer);
    ADD(buffers->weights);
  }
  if (cpu) {
    TRY(native_items_range(native, shares, &range, error));
    if (pass->v != NULL) {
      ADD(kept);
      ADD(keep);
    }
    ADD(w_panels);
    if (pass->v != NULL) ADD(v_panels);
    ADD(shares);
    ADD(native->counter);
  } else {
    size_t items = native_fused_shape(&native->shape, native->head.features, native->head.classes, pass->v != NULL).items;
    range = (KernelRange){{shares * items}, {items}};
  }
#undef ADD
  TRY(native_kernel(native, pass->v == NULL ? KERNEL_FUSED_GRADIENT : KERNEL_FUSED_HESSIAN, &kernel, error));
  TRY(kernel_launch_array(kernel, range, arguments, count, error));
  if (folding) TRY(native_fold(native, native->partials, first_share, shares, cut->per_shard, error));
cleanup:
  return status;
}

Status native_enqueue_fused(Native *native, const Pass *pass, uint32_t keep, PassResult *result, Error *error) {
  Status status = SETOSA_OK;
  const Cut *cut = &pass->cut;
  RowRange rows = cut_rows(cut, pass->shards);
  size_t shares = cut_shares(cut, pass->shards).count, most = native_most_partials(native, cut->rows);
  TRY(begin_shares(native, pass, shares, result, error));
  for (size_t done = 0, share = 0; share < shares;) {
    RowRange range, rest = {pass->first_row + rows.begin + done, smaller(rows.count - done, most * cut->share_rows)};
    const RowBuffers *buffers = NULL;
    TRY(native_rows(native, &buffers, rest, cut->share_rows, &range, error));
    TRY(launch_shares(native, pass, keep, buffers, range, share, error));
    done += range.count;
    share += divide_up(range.count, cut->share_rows);
  }
  uint64_t product = 2 * (uint64_t)rows.count * native->head.features * native->head.classes;
  native->flops += pass->v == NULL || keep == KEEP_READ ? product : 2 * product;
  native->bytes_read += native_row_bytes(native) * rows.count;
cleanup:
  return status;
}

Status native_enqueue_fused_logits(Native *native, const Vector *w, const RowBuffers *buffers, RowRange rows, Buffer *block,
                                   size_t block_row, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  KernelRange range;
  const Buffer *panels = w->buffer; /* not read without panels */
  if (native_uses_panels(native)) TRY(native_panels(native, w, &panels, error));
  TRY(native_items_range(native, divide_up(divide_up(rows.count, FUSED_ROWS_CPU), FUSED_LOGITS_BLOCKS), &range, error));
  TRY(native_kernel(native, KERNEL_FUSED_LOGITS, &kernel, error));
  TRY(kernel_launch(kernel, range, error, ARG(buffers->x), ARG((uint64_t)rows.begin), ARG((uint64_t)rows.count), ARG(w->buffer),
                    ARG(panels), ARG(block), ARG((uint64_t)block_row), ARG(native->counter)));
cleanup:
  return status;
}
