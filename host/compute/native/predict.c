/* Predictions of the native backend: scores of rows, block by block, to the host. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "compute/native/logits.h"
#include "compute/native/predict.h"
#include "compute/native/sparse.h"
#include "compute/native/upload.h"
#include "compute/native/vector.h"

enum { MOST_SCORE_BYTES = 64 << 20 };

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* Rows of scores, padded to the stride: compensated logits where those cost little beside reading X and writing the scores, else those of
 * the block product. */
static Status enqueue_scores(Native *native, const Vector *w, const RowBuffers *buffers, RowRange rows, RowScores kind, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  KernelRange range = native_team_range(native, native_row_groups(native, rows.count));
  bool accurate = native->head.classes <= CLASSES_ACCURATE_MOST && kind != ROW_ESTIMATES;
  if (accurate && native->sparse != NULL) {
    TRY(native_sparse_accurate_logits(native, w, buffers, rows, native->block, error));
  } else if (accurate) {
    TRY(native_kernel(native, KERNEL_ACCURATE_LOGITS, &kernel, error));
    TRY(kernel_launch(kernel, range, error, ARG(buffers->x), ARG(w->buffer), ARG((uint64_t)native->head.features),
                      ARG((uint32_t)native->head.classes), ARG((uint64_t)rows.begin), ARG((uint64_t)rows.count), ARG(native->block),
                      ARG(native->stride)));
    native->flops += 2 * (uint64_t)rows.count * native->head.features * native->head.classes;
    native->bytes_read += native_row_bytes(native) * rows.count;
  } else {
    TRY(native_enqueue_logits(native, w, buffers, rows, native->block, 0, -INFINITY, error));
  }
  if (kind != ROW_LOGITS) {
    TRY(native_kernel(native, KERNEL_PROBABILITY_ROWS, &kernel, error));
    TRY(kernel_launch(kernel, range, error, ARG(native->block), ARG(native->stride), ARG((uint64_t)rows.count)));
  }
cleanup:
  return status;
}

/* Strips of scores, unpacked into rows of K in block_directions. */
static Status enqueue_strip_scores(Native *native, const Vector *w, const RowBuffers *buffers, RowRange rows, RowScores kind,
                                   Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  KernelRange range = native_team_range(native, native_row_groups(native, rows.count));
  uint32_t classes = (uint32_t)native->head.classes;
  TRY(native_enqueue_logits(native, w, buffers, rows, native->block, 0, 0.0f, error));
  if (kind != ROW_LOGITS) {
    TRY(native_kernel(native, KERNEL_SOFTMAX_STRIPS, &kernel, error));
    TRY(kernel_launch(kernel, range, error, ARG(native->block), ARG((uint64_t)0), ARG(classes), ARG((uint64_t)rows.count)));
  }
  TRY(native_kernel(native, KERNEL_UNPACK_STRIPS, &kernel, error));
  TRY(kernel_launch(kernel, range, error, ARG(native->block), ARG(classes), ARG((uint64_t)rows.count), ARG(native->block_directions)));
cleanup:
  return status;
}

/* Rows of a block of scores, which the host holds, too: of a large block a part. */
static size_t scores_rows(const Native *native) {
  size_t most = MOST_SCORE_BYTES / (native->stride * sizeof(float));
  return native_takes_shares(native) && most > 0 ? smaller(native->block_rows, most) : native->block_rows;
}

Status native_predict(Backend *backend, const Vector *w, RowRange rows, RowScores kind, float *scores, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  float *padded = NULL;
  bool strips = native_uses_strips(native) && (backend->classes > CLASSES_ACCURATE_MOST || kind == ROW_ESTIMATES);
  size_t classes = backend->classes, stride = strips ? classes : native->stride, count = 0, block_rows = scores_rows(native),
         bytes = block_rows * stride * sizeof(float);
  if (bytes < native_logits_bytes(native, block_rows)) bytes = native_logits_bytes(native, block_rows);
  TRY(native_check_rows(native, rows, false, error));
  const Buffer *before = native->block;
  TRY(native_reserve(native, &native->block, bytes, "a block of logits", error));
  /* Of the last strip softmax sees rows, too, that nothing was written to. */
  if (strips && native->block != before) TRY(buffer_fill_zero(native->block, 0, bytes, error));
  if (strips) TRY(native_reserve(native, &native->block_directions, bytes, "a block of scores", error));
  if (stride != classes) TRY(memory_allocate((void **)&padded, block_rows * stride, sizeof(float), "a block of scores", error));
  for (size_t done = 0; done < rows.count; done += count) {
    RowRange range;
    const RowBuffers *buffers = NULL;
    TRY(native_rows(native, &buffers, (RowRange){rows.begin + done, rows.count - done}, 1, &range, error));
    float *to = scores + done * classes;
    count = range.count = smaller(range.count, block_rows);
    TRY((strips ? enqueue_strip_scores : enqueue_scores)(native, w, buffers, range, kind, error));
    TRY(buffer_read(strips ? native->block_directions : native->block, 0, count * stride * sizeof(float), padded != NULL ? padded : to,
                    error));
    if (padded == NULL) continue;
    for (size_t i = 0; i < count; i++)
      for (size_t k = 0; k < classes; k++) to[i * classes + k] = padded[i * stride + k];
  }
cleanup:
  free(padded);
  return status;
}

Status native_labels(Backend *backend, RowRange rows, int32_t *labels, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  RowRange range = {0, 0};
  TRY(native_check_rows(native, rows, true, error));
  for (size_t done = 0; done < rows.count; done += range.count) {
    const RowBuffers *buffers = NULL;
    TRY(native_rows(native, &buffers, (RowRange){rows.begin + done, rows.count - done}, 1, &range, error));
    TRY(buffer_read(buffers->labels, range.begin * sizeof *labels, range.count * sizeof *labels, labels + done, error));
  }
cleanup:
  return status;
}
