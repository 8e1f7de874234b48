/* The fused pass for few classes: one read of X gives loss and gradient, or the Hessian times a vector.
 *
 * Rows are cut into shares of whole blocks, one work-group and one partial gradient each, and shares into shards, whose partial gradients
 * are summed in order. How they are cut depends on the rows, the shape and the family alone: not on the device, nor on what of X it holds
 * at a time, so the bits of the result do not either. */
#include <stdint.h>

#include "compute/native.h"

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

typedef struct Shares {
  size_t count, blocks; /* shares of a pass; blocks of each but the last */
  size_t per_shard;     /* 1: the partial gradients of shares are those of shards */
} Shares;

static Shares cut_rows(const Native *native, size_t rows) {
  size_t blocks = divide_up(rows, block_rows(native)), most = smaller(native->shape.shares, native_most_slabs(native));
  size_t wanted = rows * native->head.features / native->head.parameters / SLABS_PART;
  if (wanted < LEAST_SHARES) wanted = LEAST_SHARES;
  Shares shares = {.blocks = smaller(divide_up(blocks, smaller(wanted, most)), SHARE_BLOCKS)};
  shares.count = divide_up(blocks, shares.blocks);
  shares.per_shard = divide_up(shares.count, most);
  return shares;
}

size_t native_fused_share_rows(const Native *native, size_t rows) { return cut_rows(native, rows).blocks * block_rows(native); }

size_t native_fused_work_bytes(const Native *native) {
  Shares shares = cut_rows(native, native->head.rows);
  size_t vector = native->head.parameters * sizeof(float), slabs = smaller(shares.count, native_most_slabs(native));
  size_t folded = shares.per_shard > 1 ? 2 * divide_up(shares.count, shares.per_shard) : 0;
  return (slabs + folded) * vector + shares.count * sizeof(SumPair);
}

size_t native_fused_kept_bytes(const Native *native) {
  return divide_up(native->head.rows, block_rows(native)) * block_rows(native) * native->head.classes * sizeof(float);
}

/* Where the partial gradients of the shares go: straight to their places, or folded into those of their shards launch by launch. */
static Status begin_shares(Native *native, const Shares *shares, bool want_gradient, PassResult *result, Error *error) {
  Status status = SETOSA_OK;
  size_t slab_bytes = native->head.parameters * sizeof(float), shards = divide_up(shares->count, shares->per_shard);
  size_t slabs = smaller(shares->count, native_most_slabs(native));
  if (shares->count > UINT32_MAX)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "%zu rows are too many for one pass; train on fewer", native->head.rows));
  TRY(native_reserve(native, &native->slabs, slabs * slab_bytes, "partial gradients", error));
  TRY(native_reserve_sums(native, shares->count, error));
  *result = (PassResult){.slab_buffer = native->slabs, .slabs = (uint32_t)slabs, .losses = (uint32_t)shares->count};
  if (shares->per_shard == 1 || !want_gradient) goto cleanup;
  TRY(native_begin_folding(native, shards, error));
  *result = (PassResult){.slab_buffer = native->folded, .slabs = (uint32_t)(2 * shards), .losses = (uint32_t)shares->count};
cleanup:
  return status;
}

Status native_enqueue_fused(Native *native, const Vector *w, const Vector *v, RowRange rows, bool want_gradient, NativeKept kept,
                            PassResult *result, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  Shares shares = cut_rows(native, rows.count);
  size_t share_rows = shares.blocks * block_rows(native), most = native_most_slabs(native), count = 0;
  float scale = (float)(1.0 / (double)rows.count);
  bool folding = want_gradient && shares.per_shard > 1;
  TRY(begin_shares(native, &shares, want_gradient, result, error));
  TRY(native_kernel(native, v == NULL ? KERNEL_FUSED_GRADIENT : KERNEL_FUSED_HESSIAN, &kernel, error));
  for (size_t done = 0, share = 0; share < shares.count; done += count) {
    RowRange piece, rest = {rows.begin + done, smaller(rows.count - done, most * share_rows)};
    const NativePart *part = NULL;
    TRY(native_rows(native, &part, rest, share_rows, &piece, error));
    count = piece.count;
    uint32_t slabs = (uint32_t)divide_up(count, share_rows);
    const Buffer *labels = part->labels != NULL ? part->labels : part->x; /* a Hessian reads none */
    const Vector *direction = v == NULL ? w : v;
    const Buffer *keep = kept == NATIVE_KEPT_NONE ? native->slabs : native->kept; /* not touched unless there is something to keep */
    TRY(kernel_launch(kernel, native_team_range(native, slabs), error, ARG(part->x), ARG(labels), ARG(w->buffer), ARG(direction->buffer),
                      ARG(native->slabs), ARG(folding || !want_gradient ? (uint32_t)0 : (uint32_t)share), ARG(native->sums),
                      ARG((uint64_t)piece.begin), ARG((uint64_t)piece.count), ARG((uint32_t)shares.blocks), ARG((uint64_t)share),
                      ARG(scale), ARG((uint32_t)want_gradient), ARG(keep), ARG((uint32_t)kept)));
    if (folding) TRY(native_fold(native, native->slabs, share, slabs, shares.per_shard, error));
    share += slabs;
  }
  uint64_t product = 2 * (uint64_t)rows.count * native->head.features * native->head.classes;
  native->flops += v == NULL || kept == NATIVE_KEPT_READ ? product : 2 * product;
  native->bytes_read += native_row_bytes(native) * rows.count;
cleanup:
  return status;
}
