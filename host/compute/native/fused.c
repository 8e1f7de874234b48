/* The fused pass for few classes: one read of X gives loss and gradient, or the Hessian times a vector.
 *
 * Rows are cut (Cut in native.h) into shares of whole blocks, one work-group and one partial gradient each. */
#include <stdint.h>

#include "compute/native/native.h"

enum {
  BLOCK_ROWS_CPU = 48,
  BLOCK_ROWS_GPU = 64,
  SHARE_BLOCKS = 64, /* most blocks of a share: it is summed in plain f32, shares are summed in twice the precision */
  SLABS_PART = 8,    /* the partial gradients of few rows are at most this part of their X, */
  LEAST_SHARES = 16  /* but there are so many shares, as long as there are blocks */
};

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
static size_t divide_up(size_t count, size_t size) { return (count + size - 1) / size; }

static size_t block_rows(const Native *native) { return native->family == SETOSA_FAMILY_CPU ? BLOCK_ROWS_CPU : BLOCK_ROWS_GPU; }

Cut native_fused_cut(const Native *native, size_t rows) {
  size_t blocks = divide_up(rows, block_rows(native)), most = smaller(native->shape.shares, native_most_slabs(native, rows));
  size_t wanted = rows * native->head.features / native->head.parameters / SLABS_PART;
  if (wanted < LEAST_SHARES) wanted = LEAST_SHARES;
  size_t share_blocks = smaller(divide_up(blocks, smaller(wanted, most)), SHARE_BLOCKS);
  Cut cut = {.rows = rows, .share_rows = share_blocks * block_rows(native), .slabs = 1, .losses = 1};
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
  size_t slab_bytes = native->head.parameters * sizeof(float), slabs = smaller(shares, native_most_slabs(native, pass->cut.rows));
  TRY(native_reserve(native, &native->slabs, slabs * slab_bytes, "partial gradients", error));
  TRY(native_reserve_sums(native, shares, error));
  *result = (PassResult){.slab_buffer = native->slabs, .slabs = slabs, .losses = shares};
  if (pass->cut.per_shard == 1 || !pass->want_gradient) goto cleanup;
  TRY(native_begin_folding(native, pass->shards.count, error));
  *result = (PassResult){.slab_buffer = native->folded, .slabs = 2 * pass->shards.count, .losses = shares};
cleanup:
  return status;
}

Status native_enqueue_fused(Native *native, const Pass *pass, NativeKept kept, PassResult *result, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  const Cut *cut = &pass->cut;
  RowRange rows = cut_rows(cut, pass->shards);
  size_t shares = cut_shares(cut, pass->shards).count, most = native_most_slabs(native, cut->rows), count = 0;
  float scale = (float)backend_row_scale(&native->head, cut->rows);
  bool folding = pass->want_gradient && cut->per_shard > 1, cpu = native->family == SETOSA_FAMILY_CPU;
  uint32_t share_blocks = (uint32_t)(cut->share_rows / block_rows(native));
  const Buffer *w_panels = pass->w->buffer, *v_panels = w_panels; /* not read without panels */
  TRY(begin_shares(native, pass, shares, result, error));
  if (native_uses_panels(native)) {
    TRY(native_panels(native, pass->w, &w_panels, error));
    if (pass->v != NULL) TRY(native_panels(native, pass->v, &v_panels, error));
  }
  TRY(native_kernel(native, pass->v == NULL ? KERNEL_FUSED_GRADIENT : KERNEL_FUSED_HESSIAN, &kernel, error));
  for (size_t done = 0, share = 0; share < shares; done += count) {
    RowRange piece, rest = {pass->first_row + rows.begin + done, smaller(rows.count - done, most * cut->share_rows)};
    const NativePart *part = NULL;
    TRY(native_rows(native, &part, rest, cut->share_rows, &piece, error));
    count = piece.count;
    uint32_t slabs = (uint32_t)divide_up(count, cut->share_rows);
    const Buffer *labels = part->labels != NULL ? part->labels : part->x; /* a Hessian reads none */
    KernelRange range = native_team_range(native, slabs);
    if (cpu) TRY(native_pieces_range(native, slabs, &range, error));
    const Vector *direction = pass->v == NULL ? pass->w : pass->v;
    const Buffer *keep = kept == NATIVE_KEPT_NONE ? native->slabs : native->kept; /* not touched unless there is something to keep */
    KernelArgument arguments[] = {ARG(part->x),
                                  ARG(labels),
                                  ARG(pass->w->buffer),
                                  ARG(direction->buffer),
                                  ARG(native->slabs),
                                  ARG(folding || !pass->want_gradient ? (uint32_t)0 : (uint32_t)share),
                                  ARG(native->sums),
                                  ARG((uint64_t)piece.begin),
                                  ARG((uint64_t)piece.count),
                                  ARG(share_blocks),
                                  ARG((uint64_t)share),
                                  ARG(scale),
                                  ARG((uint32_t)pass->want_gradient),
                                  ARG(keep),
                                  ARG((uint32_t)kept),
                                  ARG(w_panels), /* from here on for the CPU family alone */
                                  ARG(v_panels),
                                  ARG(slabs),
                                  ARG(native->taken)};
    size_t given = sizeof arguments / sizeof *arguments - (cpu ? 0 : 4);
    TRY(kernel_launch_array(kernel, range, arguments, given, error));
    if (folding) TRY(native_fold(native, native->slabs, share, slabs, cut->per_shard, error));
    share += slabs;
  }
  uint64_t product = 2 * (uint64_t)rows.count * native->head.features * native->head.classes;
  native->flops += pass->v == NULL || kept == NATIVE_KEPT_READ ? product : 2 * product;
  native->bytes_read += native_row_bytes(native) * rows.count;
cleanup:
  return status;
}
