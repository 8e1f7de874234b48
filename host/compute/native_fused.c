/* The fused pass for few classes: one read of X gives loss and gradient, or the Hessian times a vector. */
#include <stdint.h>

#include "compute/native.h"

enum {
  BLOCK_ROWS_CPU = 48,
  BLOCK_ROWS_GPU = 64,
  SPAN_BLOCKS = 64 /* blocks of a share beyond which the CPU family compensates the sum of its blocks */
};

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static size_t block_rows(const Native *native) { return native->family == SETOSA_FAMILY_CPU ? BLOCK_ROWS_CPU : BLOCK_ROWS_GPU; }

/* Groups: equal shares of whole blocks, each with its own slab. */
static uint32_t fused_groups(const Native *native, size_t rows) {
  size_t blocks = (rows + block_rows(native) - 1) / block_rows(native);
  size_t wanted = native->shape.groups_per_unit * (size_t)native->compute_units;
  if (wanted < 16) wanted = 16;
  size_t groups = smaller(smaller(wanted, blocks), native_most_slabs(native));
  return (uint32_t)(groups > 0 ? groups : 1);
}

size_t native_fused_kept_bytes(const Native *native) {
  size_t blocks = (native->head.rows + block_rows(native) - 1) / block_rows(native);
  return blocks * block_rows(native) * native->head.classes * sizeof(float);
}

Status native_enqueue_fused(Native *native, const Vector *w, const Vector *v, RowRange rows, bool want_gradient, NativeKept kept,
                            PassResult *result, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  RowRange piece;
  float scale = (float)(1.0 / (double)rows.count);
  bool cpu = native->family == SETOSA_FAMILY_CPU;
  result->slabs = result->losses = fused_groups(native, rows.count);
  result->slab_stride = native->head.parameters;
  if (cpu && rows.count / result->slabs > (size_t)BLOCK_ROWS_CPU * SPAN_BLOCKS) result->slab_stride *= 3;
  TRY(native_reserve(native, &native->slabs, result->slabs * result->slab_stride * sizeof(float), "partial gradients", error));
  result->slab_buffer = native->slabs;
  TRY(native_reserve_sums(native, result->losses, error));
  TRY(native_kernel(native, v == NULL ? KERNEL_FUSED_GRADIENT : KERNEL_FUSED_HESSIAN, &kernel, error));
  /* The CPU family compensates within its shares; the GPU family is given so few rows at a time that it need not. */
  size_t most = cpu ? SIZE_MAX : (size_t)result->slabs * BLOCK_ROWS_GPU * SPAN_BLOCKS;
  bool folding = want_gradient && rows.count > most;
  native_part(native, rows, &piece);
  bool several = piece.count < rows.count || folding;
  if (several) TRY(native_begin_adding(native, result, true, error));
  if (folding) TRY(native_begin_folding(native, error));
  for (size_t done = 0; done < rows.count; done += piece.count) {
    const NativePart *part = native_part(native, (RowRange){rows.begin + done, rows.count - done}, &piece);
    if (folding) piece.count = smaller(piece.count, most);
    KernelRange range = native_team_range(native, (uint32_t)smaller(result->slabs, fused_groups(native, piece.count)));
    const Buffer *labels = part->labels != NULL ? part->labels : part->x; /* a Hessian reads none */
    const Vector *direction = v == NULL ? w : v;
    const Buffer *keep = kept == NATIVE_KEPT_NONE ? native->slabs : native->kept; /* not touched unless there is something to keep */
    TRY(kernel_launch(kernel, range, error, ARG(part->x), ARG(labels), ARG(w->buffer), ARG(direction->buffer), ARG(native->slabs),
                      ARG((uint64_t)result->slab_stride), ARG(native->sums), ARG((uint64_t)piece.begin), ARG((uint64_t)piece.count),
                      ARG(scale), ARG((uint32_t)want_gradient), ARG((uint32_t)several), ARG(keep), ARG((uint32_t)kept)));
    if (folding) TRY(native_fold(native, native->slabs, result->slabs, error));
    if (folding && done + piece.count < rows.count)
      TRY(buffer_fill_zero(native->slabs, 0, result->slabs * result->slab_stride * sizeof(float), error));
  }
  if (folding) native_end_folding(native, result);
  uint64_t product = 2 * (uint64_t)rows.count * native->head.features * native->head.classes;
  native->flops += v == NULL || kept == NATIVE_KEPT_READ ? product : 2 * product;
  native->bytes_read += native_row_bytes(native) * rows.count;
cleanup:
  return status;
}
