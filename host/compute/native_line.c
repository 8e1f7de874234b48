/* The line search of the native backend: X w and X s are kept, so that a point costs N*K and no read of X. */
#include <math.h>

#include "compute/native.h"

/* Bytes that the two (N,K) products may take: what a small problem never reaches, or half of what X takes as f32, however it is stored,
 * so that a training takes the same path with any storage. Beyond it every point reads X instead, and memory stays bounded; so it does
 * where X itself is in several parts. */
static bool products_fit(const Native *native) {
  uint64_t bytes = 2 * (uint64_t)native_logits_bytes(native, native->head.rows);
  uint64_t budget = (uint64_t)native->head.rows * native->head.features * sizeof(float) / 2;
  if (budget < 4 * (uint64_t)native->workspace_bytes) budget = 4 * (uint64_t)native->workspace_bytes;
  return native_is_whole(native) && bytes <= budget && bytes / 2 <= context_traits(native->context)->max_allocation_bytes;
}

Status native_line_open(Backend *backend, const Vector *w, const Vector *s, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  NativeLine *line = &native->line;
  size_t weights = backend->parameters - backend->classes;
  uint32_t groups = native_vector_groups(native, weights);
  if (!native->labelled) return error_set(error, SETOSA_ERROR_USAGE, "a line search needs labels, and this data set has none");
  line->shared.w = w;
  line->shared.s = s;
  if (products_fit(native)) {
    size_t bytes = native_logits_bytes(native, backend->rows);
    TRY(native_reserve(native, &line->logits, bytes, "the logits of a line search", error));
    TRY(native_reserve(native, &line->slopes, bytes, "the slopes of a line search", error));
    TRY(native_enqueue_logits(native, w, native->parts, backend_all_rows(backend), line->logits, 0, -INFINITY, error));
    TRY(native_enqueue_logits(native, s, native->parts, backend_all_rows(backend), line->slopes, 0, 0.0f, error));
  } else {
    TRY(line_reserve_point(&line->shared, backend, error));
  }
  TRY(native_reserve_sums(native, 3 * (size_t)groups, error));
  TRY(native_enqueue_dot(native, w, w, weights, 0, error));
  TRY(native_enqueue_dot(native, w, s, weights, groups, error));
  TRY(native_enqueue_dot(native, s, s, weights, 2 * groups, error));
  TRY(native_read_sums(native, 3 * (size_t)groups, error));
  line->shared.ww = native_sum(native, 0, groups);
  line->shared.ws = native_sum(native, groups, groups);
  line->shared.ss = native_sum(native, 2 * (size_t)groups, groups);
cleanup:
  return status;
}

static Status evaluate_products(Native *native, double step, double *loss, double *slope, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  uint32_t groups = native_row_groups(native, native->head.rows);
  Buffer *slopes = NULL;
  TRY(native_reserve_sums(native, groups, error));
  TRY(native_reserve(native, &native->slabs, groups * sizeof(SumPair), "partial slopes", error));
  slopes = native->slabs;
  bool strips = native_uses_strips(native);
  TRY(native_kernel(native, strips ? KERNEL_LINE_STRIPS : KERNEL_LINE_ROWS, &kernel, error));
  TRY(kernel_launch(kernel, native_team_range(native, groups), error, ARG(native->line.logits), ARG(native->line.slopes),
                    ARG(strips ? (uint32_t)native->head.classes : native->stride), ARG(native->parts[0].labels),
                    ARG((uint64_t)native->head.rows), ARG((float)step), ARG(native->sums), ARG(slopes)));
  TRY(native_read_sums(native, groups, error));
  *loss = native_sum(native, 0, groups) / (double)native->head.rows;
  TRY(buffer_read(slopes, 0, groups * sizeof(SumPair), native->sums_host, error));
  *slope = native_sum(native, 0, groups) / (double)native->head.rows;
cleanup:
  return status;
}

Status native_line_evaluate(Backend *backend, double step, double *value, double *slope, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  NativeLine *line = &native->line;
  if (line->shared.w == NULL) return error_set(error, SETOSA_ERROR_INTERNAL, "a line was evaluated before it was opened");
  if (line->logits != NULL) {
    TRY(evaluate_products(native, step, value, slope, error));
    line_add_penalty(&line->shared, backend->l2, step, value, slope);
  } else {
    TRY(line_read_point(&line->shared, backend, step, value, slope, error));
  }
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
  line_release_point(&native->line.shared, &native->head);
  native->line = (NativeLine){0};
}
