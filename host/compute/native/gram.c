/* Gram matrices of the native backend. The rows are brought to the device in panels, centred and with a 1 at the end; from there on a Gram
 * matrix is the gradient of as many classes as columns: R' X with R the panel times the weights of its rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "compute/metric.h"
#include "compute/native/logits.h"
#include "compute/native/metric.h"
#include "compute/native/vector.h"

enum {
  PANEL_ROWS = 4096,         /* of a panel at most: sums over them are f32, those of panels are added in double */
  PANEL_BYTES_CPU = 4 << 20, /* and no more than this: what a cache holds, */
  PANEL_BYTES_GPU = 64 << 20,
  LEAST_ROWS = 64,       /* but so many whatever they take */
  ON_THE_HOST = 20 << 20 /* multiply-adds that take less time there than launches and waits do */
};

typedef struct Panel {
  size_t width, capacity, rows;
  uint32_t stride; /* of scaled rows, GPU family */
  GramRows brought;
  float *values, *weights;                     /* (capacity,width) and (rounded up,matrices) on the host */
  Buffer *panel, *second, *row_weights, *sums; /* second: its strips, or the rows scaled */
  float *result;                               /* (width + 1,width): a partial gradient */
} Panel;

static size_t round_up(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

static void panel_close(Panel *p) {
  gram_rows_close(&p->brought);
  Buffer *buffers[] = {p->panel, p->second, p->row_weights, p->sums};
  for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) buffer_destroy(buffers[i]);
  free(p->values);
  free(p->weights);
  free(p->result);
}

/* Rows that are on the device at a time, of a budget: a small part of it. */
static size_t panel_rows(const Native *native, uint64_t budget) {
  enum { BUDGET_PART = 16 };
  size_t most = native->family == SETOSA_FAMILY_CPU ? PANEL_BYTES_CPU : PANEL_BYTES_GPU;
  if (most > budget / BUDGET_PART) most = budget / BUDGET_PART;
  size_t rows = most / ((native->head.features + 1) * sizeof(float));
  return rows < LEAST_ROWS ? LEAST_ROWS : rows > PANEL_ROWS ? PANEL_ROWS : rows;
}

static Status panel_open(Panel *p, Native *native, const GramRequest *request, Error *error) {
  Status status = SETOSA_OK;
  size_t width = native->head.features + 1, rows = panel_rows(native, native->residence.budget_bytes);
  if (rows > request->count) rows = request->count;
  size_t padded = round_up(rows, STRIP), matrices = request->diagonal ? request->matrices : 1;
  *p = (Panel){.width = width, .capacity = rows, .stride = (uint32_t)round_up(width, 8)};
  size_t second = native_uses_strips(native) ? padded * width : rows * p->stride;
  size_t sums = request->diagonal ? width * matrices : (width + 1) * width;
  TRY(gram_rows_open(&p->brought, rows, native->head.features, error));
  p->brought.reweighed = native->reweighed;
  TRY(memory_allocate((void **)&p->values, rows * width, sizeof(float), "a Gram matrix", error));
  TRY(memory_allocate((void **)&p->weights, padded * matrices, sizeof(float), "a Gram matrix", error));
  TRY(memory_allocate((void **)&p->result, sums, sizeof(float), "a Gram matrix", error));
  TRY(buffer_create(&p->panel, native->context, rows * width * sizeof(float), "rows of a Gram matrix", error));
  TRY(buffer_create(&p->row_weights, native->context, padded * matrices * sizeof(float), "rows of a Gram matrix", error));
  TRY(buffer_create(&p->sums, native->context, sums * sizeof(float), "a Gram matrix", error));
  if (!request->diagonal) TRY(buffer_create(&p->second, native->context, second * sizeof(float), "rows of a Gram matrix", error));
cleanup:
  return status;
}

size_t native_matrix_bytes(const Native *native, const BackendSettings *settings, uint64_t budget) {
  size_t width = native->head.features + 1, work = 0;
  if (settings->grams) work = 2 * panel_rows(native, budget) * (width + STRIP) * sizeof(float);
  if (settings->matrix_bytes > 0) work += width * width * sizeof(float);
  return 2 * settings->matrix_bytes + work;
}

/* The next rows of the request, centred, on the device. */
static Status fill_panel(Panel *p, Native *native, const GramRequest *request, size_t first, Error *error) {
  Status status = SETOSA_OK;
  size_t features = native->head.features;
  p->rows = request->count - first < p->capacity ? request->count - first : p->capacity;
  TRY(gram_rows_bring(&p->brought, native->source, request, first, p->rows, error));
  for (size_t i = 0; i < p->rows; i++) {
    const float *x = p->brought.x + i * features;
    float *to = p->values + i * p->width;
    if (request->mean == NULL)
      memcpy(to, x, features * sizeof *to);
    else
      for (size_t d = 0; d < features; d++) to[d] = (float)((double)x[d] - request->mean[d]);
    to[features] = 1;
  }
  TRY(buffer_write(p->panel, 0, p->rows * p->width * sizeof(float), p->values, error));
cleanup:
  return status;
}

static KernelRange shared_range(const Native *native) { return native_team_range(native, (uint32_t)native_enough_groups(native)); }

/* The weights of `count` matrices from m on, rows `stride` apart, 0 past the last row. */
static Status bring_weights(Panel *p, const GramRequest *request, size_t first, size_t m, size_t count, size_t stride, Error *error) {
  for (size_t c = 0; c < count; c++)
    for (size_t i = 0; i < stride; i++)
      p->weights[c * stride + i] =
          i < p->rows ? (float)(request->weights[(m + c) * request->count + first + i] * (double)p->brought.weights[i]) : 0;
  return buffer_write(p->row_weights, 0, count * stride * sizeof(float), p->weights, error);
}

static Status add_diagonals(Panel *p, Native *native, const GramRequest *request, size_t first, double *out, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  uint64_t rows = p->rows, width = p->width;
  TRY(bring_weights(p, request, first, 0, request->matrices, p->rows, error));
  TRY(native_kernel(native, KERNEL_WEIGHTED_SQUARES, &kernel, error));
  TRY(kernel_launch(kernel, shared_range(native), error, ARG(p->panel), ARG(p->row_weights), ARG(width), ARG(rows),
                    ARG((uint32_t)request->matrices), ARG(p->sums)));
  TRY(buffer_read(p->sums, 0, request->matrices * p->width * sizeof(float), p->result, error));
  for (size_t i = 0; i < request->matrices * p->width; i++) out[i] += (double)p->result[i];
cleanup:
  return status;
}

/* R' X by the kernels of the blocked pass (blocks.c), with as many classes as columns. */
static Status multiply_strips(Panel *p, Native *native, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  KernelRange range;
  uint64_t width = p->width, rows = p->rows, begin = 0;
  size_t columns = (p->width + STRIP * COLUMN_STRIPS - 1) / (STRIP * COLUMN_STRIPS);
  uint32_t tiles = (uint32_t)((p->width + native->shape.strip_classes - 1) / native->shape.strip_classes);
  size_t wanted = (native_enough_groups(native) + columns - 1) / columns;
  uint32_t ranges = wanted < tiles ? (uint32_t)wanted : tiles;
  TRY(native_items_range(native, columns * ranges, &range, error));
  TRY(native_kernel(native, KERNEL_GRAM_STRIPS, &kernel, error));
  TRY(kernel_launch(kernel, range, error, ARG(p->panel), ARG(p->second), ARG(p->row_weights), ARG(width), ARG((uint32_t)width), ARG(begin),
                    ARG(rows), ARG(p->sums), ARG((uint32_t)0), ARG((uint32_t)0), ARG(ranges), ARG((uint32_t)1), ARG(native->counter)));
cleanup:
  return status;
}

static Status multiply_rows(Panel *p, Native *native, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  uint64_t width = p->width, rows = p->rows, begin = 0;
  KernelRange range = {
      {(p->width + GPU_TILE - 1) / GPU_TILE * GPU_SIDE, (p->width + GRAM_TILE_CLASSES - 1) / GRAM_TILE_CLASSES * GPU_SIDE, 1},
      {GPU_SIDE, GPU_SIDE, 1}};
  TRY(native_kernel(native, KERNEL_SCALE_ROWS, &kernel, error));
  TRY(kernel_launch(kernel, shared_range(native), error, ARG(p->panel), ARG(p->row_weights), ARG(width), ARG(rows), ARG(p->stride),
                    ARG(p->second)));
  TRY(native_kernel(native, KERNEL_GRAM_BLOCK, &kernel, error));
  TRY(kernel_launch(kernel, range, error, ARG(p->panel), ARG(p->second), ARG(width), ARG((uint32_t)width), ARG(begin), ARG(rows),
                    ARG(p->stride), ARG(p->sums), ARG((uint32_t)0), ARG((uint32_t)0)));
cleanup:
  return status;
}

/* The kernels make the lower triangle; the other one is its mirror image, made once at the end. */
static void add_triangle(double *out, const float *sums, size_t width) {
  for (size_t i = 0; i < width; i++)
    for (size_t j = 0; j <= i; j++) out[i * width + j] += (double)sums[i * width + j];
}

static Status add_matrices(Panel *p, Native *native, const GramRequest *request, size_t first, double *out, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  uint64_t width = p->width, rows = p->rows;
  if (native_uses_strips(native)) {
    TRY(native_kernel(native, KERNEL_PANEL_STRIPS, &kernel, error));
    TRY(kernel_launch(kernel, shared_range(native), error, ARG(p->panel), ARG(width), ARG(rows), ARG(p->second)));
  }
  for (size_t m = 0; m < request->matrices; m++) {
    TRY(bring_weights(p, request, first, m, 1, round_up(p->rows, STRIP), error));
    TRY((native_uses_strips(native) ? multiply_strips : multiply_rows)(p, native, error));
    TRY(buffer_read(p->sums, 0, p->width * p->width * sizeof(float), p->result, error));
    add_triangle(out + m * p->width * p->width, p->result, p->width);
  }
cleanup:
  return status;
}

Status native_gram(Backend *backend, const GramRequest *request, double *out, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  Panel panel = {0};
  size_t width = backend->features + 1, size = request->diagonal ? width : width * width;
  double work = (double)request->count * (double)request->matrices * (double)size;
  native->flops += (uint64_t)(request->diagonal ? 2 * work : work); /* a multiply and an add for each pair of half a matrix */
  if (work <= ON_THE_HOST && !request->on_device) return host_gram(native->source, native->reweighed, request, out, error);
  memset(out, 0, request->matrices * size * sizeof *out);
  TRY(panel_open(&panel, native, request, error));
  for (size_t first = 0; first < request->count; first += panel.rows) {
    TRY(fill_panel(&panel, native, request, first, error));
    TRY((request->diagonal ? add_diagonals : add_matrices)(&panel, native, request, first, out, error));
  }
  for (size_t m = 0; !request->diagonal && m < request->matrices; m++) gram_mirror(out + m * size, width);
cleanup:
  panel_close(&panel);
  return status;
}
