/* The line search of the blas backend: X w and X s are kept, so that a point costs N*K and no read of X. */
#include <stdlib.h>

#include "base/memory.h"
#include "compute/blas/blas.h"

/* Floats of each of the two products, and whether both take no more than four workspaces (16 MB each unless settings say otherwise), or
 * half of what X itself takes. Beyond that every point reads X. */
static bool products_fit(const Blas *blas, size_t *floats) {
  const uint64_t small = (uint64_t)4 * (blas->workspace_bytes > 0 ? blas->workspace_bytes : (size_t)16 << 20);
  uint64_t blocks = (blas->head.rows + blas->block_rows - 1) / blas->block_rows;
  uint64_t each = blocks * blas->block_rows * blas->head.classes, half = dataset_bytes(blas->source, backend_all_rows(&blas->head)) / 2;
  *floats = (size_t)each;
  return 2 * each * sizeof(float) <= (half > small ? half : small);
}

static Status reserve_products(Blas *blas, size_t floats, Error *error) {
  Status status = SETOSA_OK;
  BlasLine *line = &blas->line;
  if (line->logits == NULL) TRY(blas_hold(blas, (void **)&line->logits, floats, sizeof(float), "the logits of a line search", error));
  line->capacity = floats;
  if (line->slopes == NULL) TRY(blas_hold(blas, (void **)&line->slopes, floats, sizeof(float), "the slopes of a line search", error));
cleanup:
  return status;
}

typedef struct LineTask {
  Blas *blas;
  float step;
  double *losses, *slopes; /* one a thread; NULL: compute the two products */
  const float *w, *s;      /* prepared, for these */
} LineTask;

/* A share of the blocks. */
static void line_share(void *argument, size_t index, size_t count) {
  const LineTask *task = argument;
  const Blas *blas = task->blas;
  const BlasLine *line = &blas->line;
  size_t stride = blas->block_rows, classes = blas->head.classes, blocks = (blas->head.rows + stride - 1) / stride;
  for (size_t block = blocks * index / count; block < blocks * (index + 1) / count; block++) {
    size_t begin = block * stride, rows = blas->head.rows - begin < stride ? blas->head.rows - begin : stride;
    float *z = line->logits + begin * classes, *s = line->slopes + begin * classes;
    if (task->losses == NULL) {
      blas_logits(blas, task->w, begin, rows, z, stride);
      blas_logits(blas, task->s, begin, rows, s, stride);
    } else {
      task->losses[index] += blas_rows_line(z, s, stride, classes, blas_targets(blas, begin), rows, task->step, &task->slopes[index]);
    }
  }
}

Status blas_line_open(Backend *backend, const Vector *w, const Vector *s, Error *error) {
  Status status = SETOSA_OK;
  Blas *blas = (Blas *)backend;
  BlasLine *line = &blas->line;
  size_t floats = 0;
  RowRange all = backend_all_rows(backend);
  uint64_t product = blas_product_flops(blas, all);
  TRY(blas_check_rows(blas, all, true, error));
  line->shared.w = w;
  line->shared.s = s;
  if (products_fit(blas, &floats)) {
    TRY(reserve_products(blas, floats, error));
    LineTask task = {.blas = blas};
    TRY(blas_prepare(blas, &task.w, w, 0, error));
    TRY(blas_prepare(blas, &task.s, s, 1, error));
    size_t team = blas_team(blas, 2 * product);
    int before = 1;
    if (!blas_is_sparse(blas)) TRY(blas_products_begin(&blas->products, team, &before, error));
    blas_threads_run(blas->threads, team, line_share, &task);
    if (!blas_is_sparse(blas)) blas_products_end(&blas->products, before);
    blas->flops += 2 * product;
    blas->bytes_read += dataset_bytes(blas->source, all);
  } else {
    TRY(line_reserve_point(&line->shared, backend, error));
  }
  line->open = true;
cleanup:
  return status;
}

static Status evaluate_products(Blas *blas, double step, double *loss, double *slope, Error *error) {
  Status status = SETOSA_OK;
  double *sums = NULL;
  size_t team = blas_team(blas, 32 * (uint64_t)blas->head.rows * blas->head.classes);
  TRY(memory_allocate_zero((void **)&sums, 2 * team, sizeof *sums, "the sums of a line search", error));
  LineTask task = {.blas = blas, .step = (float)step, .losses = sums, .slopes = sums + team};
  blas_threads_run(blas->threads, team, line_share, &task);
  double scale = backend_row_scale(&blas->head, blas->head.rows);
  *loss = *slope = 0.0;
  for (size_t t = 0; t < team; t++) {
    *loss += scale * sums[t];
    *slope += scale * sums[team + t];
  }
cleanup:
  free(sums);
  return status;
}

Status blas_line_evaluate(Backend *backend, double step, double *value, double *slope, Error *error) {
  Status status = SETOSA_OK;
  Blas *blas = (Blas *)backend;
  BlasLine *line = &blas->line;
  if (!line->open) return error_set(error, SETOSA_ERROR_INTERNAL, "a line was evaluated before it was opened");
  if (line->slopes != NULL) {
    TRY(evaluate_products(blas, step, value, slope, error));
  } else {
    TRY(line_read_point(&line->shared, backend, step, value, slope, error));
  }
cleanup:
  return status;
}

void blas_line_close(Backend *backend) {
  BlasLine *line = &((Blas *)backend)->line;
  line->open = false; /* the products serve the next line */
  line->shared.w = line->shared.s = NULL;
}

void blas_line_release(Blas *blas) {
  BlasLine *line = &blas->line;
  blas_release(blas, line->logits, line->capacity * sizeof(float));
  blas_release(blas, line->slopes, line->capacity * sizeof(float));
  line_release_point(&line->shared, &blas->head);
  *line = (BlasLine){0};
}
