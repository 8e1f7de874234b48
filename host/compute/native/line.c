/* The line search of the native backend: X w and X s are kept, so that a point costs N*K and no read of X. */
#include <math.h>

#include "compute/native/line.h"
#include "compute/native/logits.h"
#include "compute/native/upload.h"
#include "compute/native/vector.h"

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* Where the two (N,K) products take more than this, every point reads X instead. Small data (BackendSettings.small) do so, too. The rows
 * alone decide, so that a training takes the same path with any storage, and streamed as well as resident. */
bool native_line_fits(const Native *native) {
  uint64_t bytes = native_line_bytes(native);
  return bytes > 0 && bytes / 2 <= context_traits(native->context)->max_allocation_bytes;
}

size_t native_line_bytes(const Native *native) {
  if (native->small) return 0;
  size_t all = 2 * native_logits_bytes(native, native->head.rows);
  return all <= 4 * native->workspace_bytes ? 2 * native_logits_bytes(native, native->window.count) : 0;
}

/* products = the logits of a range under v, from row `to` on. Padded rows come block by block through native->block. */
static Status enqueue_range(Native *native, const Vector *v, const RowBuffers *buffers, RowRange range, Buffer *products, size_t to,
                            float padding, Error *error) {
  Status status = SETOSA_OK;
  size_t row_bytes = native->stride * sizeof(float);
  if (native_uses_strips(native)) return native_enqueue_logits(native, v, buffers, range, products, to, padding, error);
  TRY(native_reserve(native, &native->block, native_logits_bytes(native, native->block_rows), "a block of logits", error));
  for (size_t done = 0; done < range.count; done += native->block_rows) {
    RowRange rows = {range.begin + done, smaller(range.count - done, native->block_rows)};
    TRY(native_enqueue_logits(native, v, buffers, rows, native->block, 0, padding, error));
    TRY(buffer_copy(products, (to + done) * row_bytes, native->block, 0, rows.count * row_bytes, error));
  }
cleanup:
  return status;
}

/* X w and X s of the window, and its labels and weights where they do not lie in one buffer. */
Status native_enqueue_line(Native *native, const Vector *w, const Vector *s, Error *error) {
  Status status = SETOSA_OK;
  NativeLine *line = &native->line;
  RowRange window = native->window;
  size_t bytes = native_logits_bytes(native, window.count), count = 0;
  Cut cut = native_cut(native, native->head.rows);
  size_t unit = native_block_unit(native, &cut);
  bool gathers = !native_is_whole(native);
  TRY(native_reserve(native, &line->logits, bytes, "the logits of a line search", error));
  TRY(native_reserve(native, &line->slopes, bytes, "the slopes of a line search", error));
  if (gathers) TRY(native_reserve(native, &line->labels, window.count * sizeof(int32_t), "the labels of a line search", error));
  if (gathers && native->weighted)
    TRY(native_reserve(native, &line->weights, window.count * sizeof(float), "the sample weights of a line search", error));
  for (size_t done = 0; done < window.count; done += count) {
    const RowBuffers *buffers = NULL;
    RowRange range;
    TRY(native_rows(native, &buffers, (RowRange){window.begin + done, window.count - done}, unit, &range, error));
    count = range.count;
    TRY(enqueue_range(native, w, buffers, range, line->logits, done, -INFINITY, error));
    TRY(enqueue_range(native, s, buffers, range, line->slopes, done, 0.0f, error));
    if (gathers)
      TRY(buffer_copy(line->labels, done * sizeof(int32_t), buffers->labels, range.begin * sizeof(int32_t), count * sizeof(int32_t),
                      error));
    if (gathers && native->weighted)
      TRY(buffer_copy(line->weights, done * sizeof(float), buffers->weights, range.begin * sizeof(float), count * sizeof(float), error));
  }
cleanup:
  return status;
}

Status native_line_open(Backend *backend, const Vector *w, const Vector *s, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  NativeLine *line = &native->line;
  if (!native->labelled) return error_set(error, SETOSA_ERROR_USAGE, "a line search needs labels, and this data set has none");
  line->shared.w = w;
  line->shared.s = s;
  if (native_line_fits(native))
    TRY(native_enqueue_line(native, w, s, error));
  else
    TRY(line_reserve_point(&line->shared, backend, error));
cleanup:
  return status;
}

Status native_enqueue_line_point(Native *native, double step, size_t *pairs, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  Cut cut = native_cut(native, native->head.rows);
  uint64_t first = 0, rows = native->window.count;
  const Buffer *labels = native->line.labels, *weights = native->line.weights;
  bool strips = native_uses_strips(native);
  *pairs = (rows + cut.share_rows - 1) / cut.share_rows * cut.losses;
  TRY(native_reserve_sums(native, 2 * *pairs, error)); /* on the host for the slopes, too */
  TRY(native_reserve(native, &native->partials, *pairs * sizeof(SumPair), "partial slopes", error));
  if (native_is_whole(native)) {
    labels = native->buffers[0].labels;
    weights = native->buffers[0].weights;
    first = native->window.begin - native->buffers[0].begin;
  }
  TRY(native_kernel(native, strips ? KERNEL_LINE_STRIPS : KERNEL_LINE_ROWS, &kernel, error));
  TRY(kernel_launch(kernel, native_team_range(native, (uint32_t)*pairs), error, ARG(native->line.logits), ARG(native->line.slopes),
                    ARG(strips ? (uint32_t)native->head.classes : native->stride), ARG(labels), ARG(weights), ARG(first), ARG(rows),
                    ARG((uint64_t)cut.share_rows), ARG(cut.losses), ARG((float)step), ARG(native->sums), ARG(native->partials)));
cleanup:
  return status;
}

static Status evaluate_products(Native *native, double step, double *loss, double *slope, Error *error) {
  Status status = SETOSA_OK;
  size_t pairs = 0;
  Cut cut = native_cut(native, native->head.rows);
  double scale = backend_row_scale(&native->head, native->head.rows);
  TRY(native_enqueue_line_point(native, step, &pairs, error));
  TRY(buffer_read_later(native->partials, 0, pairs * sizeof(SumPair), native->sums_host + pairs, error));
  TRY(native_read_sums(native, pairs, error));
  *loss = scale * native_pass_sum(native, 0, &cut);
  *slope = scale * native_pass_sum(native, pairs, &cut);
cleanup:
  return status;
}

Status native_line_evaluate(Backend *backend, double step, double *value, double *slope, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  NativeLine *line = &native->line;
  if (line->shared.w == NULL) return error_set(error, SETOSA_ERROR_INTERNAL, "a line was evaluated before it was opened");
  if (line->logits != NULL)
    TRY(evaluate_products(native, step, value, slope, error));
  else
    TRY(line_read_point(&line->shared, backend, step, value, slope, error));
cleanup:
  return status;
}

void native_line_close(Backend *backend) {
  NativeLine *line = &((Native *)backend)->line;
  line->shared.w = line->shared.s = NULL; /* the buffers serve the next line */
}

void native_line_release(Native *native) {
  buffer_destroy(native->line.logits);
  buffer_destroy(native->line.slopes);
  buffer_destroy(native->line.labels);
  buffer_destroy(native->line.weights);
  line_release_point(&native->line.shared, &native->head);
  native->line = (NativeLine){0};
}
