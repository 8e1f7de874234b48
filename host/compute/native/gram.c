/* Gram matrices of the native backend. The rows are brought to the device in panels, centred and with a 1 at the end. The CPU family has
 * kernels of its own for them (gram_cpu.cl). To the GPU family a Gram matrix is the gradient of as many classes as columns: R' X with R the
 * panel times the weights of its rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "compute/metric.h"
#include "compute/native/logits.h"
#include "compute/native/metric.h"
#include "compute/native/pass.h"
#include "compute/native/sparse.h"
#include "compute/native/vector.h"

enum {
  PANEL_ROWS = 4096,      /* of a panel at most: sums over them are f32, those of panels are added in double */
  PANEL_BYTES = 16 << 20, /* and no more than this, */
  LEAST_ROWS = 64,        /* but so many whatever they take; */
  FEW_ROWS = 512,         /* of few columns so many, else */
  ROWS_A_COLUMN = 8,      /* this for each */
  SUMS_BYTES = 16 << 20,  /* of matrices that are made in one launch */
  ON_THE_HOST = 20 << 20  /* multiply-adds that take less time there than launches and waits do */
};

typedef struct Panel {
  size_t width, line; /* D+1, and what it is padded to on the device */
  size_t capacity, rows;
  size_t batch;    /* matrices of a launch */
  uint32_t stride; /* of scaled rows, GPU family */
  bool strips;     /* CPU family: strips of 16 columns, (line / 16, rows, 16); else (rows, line) */
  GramRows brought;
  double *mean;                                /* (line), zeros where none is asked for */
  float *values, *weights;                     /* (capacity, line) and (batch, capacity) on the host */
  Buffer *panel, *scaled, *row_weights, *sums; /* scaled: the rows times their weights, GPU family */
  float *result;                               /* (batch, line, line), or (batch, line) of diagonals */
} Panel;

static size_t round_up(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

static void panel_close(Panel *p) {
  gram_rows_close(&p->brought);
  Buffer *buffers[] = {p->panel, p->scaled, p->row_weights, p->sums};
  for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) buffer_destroy(buffers[i]);
  free(p->mean);
  free(p->values);
  free(p->weights);
  free(p->result);
}

static size_t choose_batch(const Panel *p, const GramRequest *request) {
  if (request->diagonal) return request->matrices;
  size_t most = p->strips ? SUMS_BYTES / (p->line * p->line * sizeof(float)) : 1;
  return most < 1 ? 1 : most < request->matrices ? most : request->matrices;
}

/* Rows that are on the device at a time: so many that adding up their matrix costs little. By the shape alone: what a device may take must
 * not change the order of sums. */
static size_t panel_rows(const Native *native) {
  size_t line = round_up(native->head.features + 1, GRAM_COLUMNS), most = PANEL_BYTES / (line * sizeof(float));
  size_t rows = ROWS_A_COLUMN * line < FEW_ROWS ? FEW_ROWS : ROWS_A_COLUMN * line;
  if (rows > PANEL_ROWS) rows = PANEL_ROWS;
  if (rows > most) rows = most;
  return rows < LEAST_ROWS ? LEAST_ROWS : rows;
}

size_t native_matrix_bytes(const Native *native, const BackendSettings *settings) {
  size_t line = round_up(native->head.features + 1, GRAM_COLUMNS), work = 0;
  bool square = settings->matrix_bytes / sizeof(float) / native->head.features >= native->head.features;
  bool by_moments = native->sparse != NULL && settings->matrix_bytes > 0 && !square; /* a diagonal: no rows are expanded */
  if (settings->grams && !by_moments) work = 2 * panel_rows(native) * line * sizeof(float);
  if (square) work += line * line * sizeof(float);
  return 2 * settings->matrix_bytes + work;
}

static Status panel_open(Panel *p, Native *native, const GramRequest *request, Error *error) {
  Status status = SETOSA_OK;
  bool strips = native->family == SETOSA_FAMILY_CPU;
  size_t features = native->head.features, width = features + 1, line = round_up(width, strips ? GRAM_COLUMNS : 4);
  size_t most = panel_rows(native), rows = request->count < most ? request->count : most;
  *p = (Panel){.width = width, .line = line, .capacity = rows, .stride = (uint32_t)round_up(line, 8), .strips = strips};
  p->batch = choose_batch(p, request);
  size_t sums = p->batch * line * (request->diagonal ? 1 : line) + line; /* the kernels of a gradient add the sums of the columns */
  TRY(gram_rows_open(&p->brought, rows, features, error));
  p->brought.reweighed = native->reweighed;
  TRY(memory_allocate_zero((void **)&p->mean, line, sizeof *p->mean, "a Gram matrix", error));
  if (request->mean != NULL) memcpy(p->mean, request->mean, features * sizeof *p->mean);
  TRY(memory_allocate((void **)&p->values, rows * line, sizeof(float), "a Gram matrix", error));
  TRY(memory_allocate((void **)&p->weights, rows * p->batch, sizeof(float), "a Gram matrix", error));
  TRY(memory_allocate((void **)&p->result, sums, sizeof(float), "a Gram matrix", error));
  TRY(buffer_create(&p->panel, native->context, rows * line * sizeof(float), "rows of a Gram matrix", error));
  TRY(buffer_create(&p->row_weights, native->context, rows * p->batch * sizeof(float), "rows of a Gram matrix", error));
  TRY(buffer_create(&p->sums, native->context, sums * sizeof(float), "a Gram matrix", error));
  if (!strips && !request->diagonal)
    TRY(buffer_create(&p->scaled, native->context, rows * p->stride * sizeof(float), "rows of a Gram matrix", error));
cleanup:
  return status;
}

/* Elements [d, d + count) of a row, centred; its last is 1, and what follows 0. */
static void center_row(float *to, const Panel *p, const float *x, size_t d, size_t count) {
  size_t features = p->width - 1, there = d + count <= features ? count : d < features ? features - d : 0;
  for (size_t i = 0; i < there; i++) to[i] = (float)((double)x[d + i] - p->mean[d + i]);
  for (size_t i = there; i < count; i++) to[i] = d + i == features ? 1 : 0;
}

/* The next rows of the request on the device. */
static Status fill_panel(Panel *p, Native *native, const GramRequest *request, size_t first, Error *error) {
  Status status = SETOSA_OK;
  size_t features = native->head.features;
  p->rows = request->count - first < p->capacity ? request->count - first : p->capacity;
  TRY(gram_rows_bring(&p->brought, native->source, request, first, p->rows, error));
  for (size_t i = 0; i < p->rows; i++) {
    const float *x = p->brought.x + i * features;
    if (!p->strips) center_row(p->values + i * p->line, p, x, 0, p->line);
    for (size_t d = 0; p->strips && d < p->line; d += STRIP) center_row(p->values + d * p->rows + i * STRIP, p, x, d, STRIP);
  }
  TRY(buffer_write(p->panel, 0, p->rows * p->line * sizeof(float), p->values, error));
cleanup:
  return status;
}

static KernelRange shared_range(const Native *native) { return native_team_range(native, (uint32_t)native_enough_groups(native)); }

/* The weights of `count` matrices from m on. */
static Status bring_weights(Panel *p, const GramRequest *request, size_t first, size_t m, size_t count, Error *error) {
  for (size_t c = 0; c < count; c++)
    for (size_t i = 0; i < p->rows; i++)
      p->weights[c * p->rows + i] = (float)(request->weights[(m + c) * request->count + first + i] * (double)p->brought.weights[i]);
  return buffer_write(p->row_weights, 0, count * p->rows * sizeof(float), p->weights, error);
}

static Status add_diagonals(Panel *p, Native *native, const GramRequest *request, size_t first, double *out, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  uint64_t line = p->line;
  uint32_t rows = (uint32_t)p->rows, matrices = (uint32_t)request->matrices;
  KernelRange range = {{p->line / STRIP, (request->matrices + SQUARES_MATRICES - 1) / SQUARES_MATRICES}, {1, 1}};
  TRY(bring_weights(p, request, first, 0, request->matrices, error));
  TRY(native_kernel(native, KERNEL_WEIGHTED_SQUARES, &kernel, error));
  TRY(kernel_launch(kernel, p->strips ? range : shared_range(native), error, ARG(p->panel), ARG(p->row_weights), ARG(line), ARG(rows),
                    ARG(matrices), ARG(p->sums)));
  TRY(buffer_read(p->sums, 0, request->matrices * p->line * sizeof(float), p->result, error));
  for (size_t m = 0; m < request->matrices; m++)
    for (size_t d = 0; d < p->width; d++) out[m * p->width + d] += (double)p->result[m * p->line + d];
cleanup:
  return status;
}

static Status multiply_strips(Panel *p, Native *native, size_t count, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  KernelRange range;
  uint64_t line = p->line;
  size_t items = count * (p->line / (2 * native->shape.lanes)) * ((p->line + GRAM_LINES - 1) / GRAM_LINES);
  TRY(native_items_range(native, items, &range, error));
  TRY(native_kernel(native, KERNEL_GRAM_TILES, &kernel, error));
  TRY(kernel_launch(kernel, range, error, ARG(p->panel), ARG(p->row_weights), ARG((uint32_t)p->rows), ARG(line), ARG((uint32_t)count),
                    ARG(p->sums), ARG(native->counter)));
cleanup:
  return status;
}

NativeShape native_gram_shape(const Native *native) {
  size_t line = round_up(native->head.features + 1, 4);
  return native_default_shape(native->family, line, line, context_traits(native->context), false);
}

/* R' X by the kernel of the blocked pass (blocks.c). */
static Status multiply_rows(Panel *p, Native *native, size_t count, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  uint64_t line = p->line, rows = p->rows, begin = 0;
  NativeShape shape = native_gram_shape(native);
  (void)count; /* 1 */
  TRY(native_kernel(native, KERNEL_SCALE_ROWS, &kernel, error));
  TRY(kernel_launch(kernel, shared_range(native), error, ARG(p->panel), ARG(p->row_weights), ARG(line), ARG(rows), ARG(p->stride),
                    ARG(p->scaled)));
  TRY(native_kernel(native, KERNEL_GRAM_BLOCK, &kernel, error));
  TRY(kernel_launch(kernel, native_tile_range(&shape, p->line, p->line, 1), error, ARG(p->panel), ARG(p->scaled), ARG(line),
                    ARG((uint32_t)line), ARG(begin), ARG(rows), ARG(p->stride), ARG(p->sums), ARG((uint32_t)0), ARG(rows), ARG(begin)));
cleanup:
  return status;
}

/* The kernels make the lower triangle. */
static void add_symmetric(double *out, const float *sums, size_t width, size_t line) {
  for (size_t i = 0; i < width; i++)
    for (size_t j = 0; j <= i; j++) {
      out[i * width + j] += (double)sums[i * line + j];
      if (i != j) out[j * width + i] += (double)sums[i * line + j];
    }
}

static Status add_matrices(Panel *p, Native *native, const GramRequest *request, size_t first, double *out, Error *error) {
  Status status = SETOSA_OK;
  size_t numbers = p->line * p->line;
  for (size_t m = 0; m < request->matrices; m += p->batch) {
    size_t count = request->matrices - m < p->batch ? request->matrices - m : p->batch;
    TRY(bring_weights(p, request, first, m, count, error));
    TRY((p->strips ? multiply_strips : multiply_rows)(p, native, count, error));
    TRY(buffer_read(p->sums, 0, count * numbers * sizeof(float), p->result, error));
    for (size_t c = 0; c < count; c++) add_symmetric(out + (m + c) * p->width * p->width, p->result + c * numbers, p->width, p->line);
  }
cleanup:
  return status;
}

/* Of sparse rows: by two passes of the device, with (x - m)^2 = x^2 - 2 m x + m^2. */
static Status gram_by_moments(Native *native, const GramRequest *request, double *out, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = &native->head;
  size_t features = backend->features, classes = backend->classes, width = features + 1, parameters = backend->parameters;
  double scale = 1 / backend_row_scale(backend, backend->rows), *first = NULL, *second = NULL;
  bool same = request->mean == NULL || native->sparse->ones; /* no first moment is asked for, or it is the second */
  Vector *sums = NULL;
  TRY(memory_allocate((void **)&first, 2 * parameters, sizeof *first, "the diagonal of a Gram matrix", error));
  second = first + parameters;
  TRY(vector_create(backend, &sums, error));
  TRY(native_moment(native, request->at, 2, sums, error));
  TRY(vector_read(backend, sums, second, error));
  if (!same) {
    TRY(native_moment(native, request->at, 1, sums, error));
    TRY(vector_read(backend, sums, first, error));
  }
  for (size_t k = 0; k < classes; k++) {
    double total = second[classes * features + k], *to = out + k * width;
    for (size_t d = 0; d < features; d++) {
      double mean = request->mean != NULL ? request->mean[d] : 0, x = (same ? second : first)[k * features + d];
      to[d] = scale * fmax(second[k * features + d] - 2 * mean * x + mean * mean * total, 0); /* rounding may leave less than nothing */
    }
    to[features] = scale * total;
  }
cleanup:
  vector_destroy(backend, sums);
  free(first);
  return status;
}

Status native_gram(Backend *backend, const GramRequest *request, double *out, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  Panel panel = {0};
  size_t width = backend->features + 1, size = request->diagonal ? width : width * width;
  if (request->at != NULL)
    return native->sparse != NULL ? gram_by_moments(native, request, out, error) : gram_at(backend, request, out, error);
  double work = (double)request->count * (double)request->matrices * (double)size;
  native->flops += (uint64_t)(request->diagonal ? 2 * work : work); /* a multiply and an add for each pair of half a matrix */
  bool entries = native->sparse != NULL && request->diagonal;       /* of which the host expands none */
  if (entries || (work <= ON_THE_HOST && !request->on_device)) return host_gram(native->source, native->reweighed, request, out, error);
  memset(out, 0, request->matrices * size * sizeof *out);
  TRY(panel_open(&panel, native, request, error));
  for (size_t first = 0; first < request->count; first += panel.rows) {
    TRY(fill_panel(&panel, native, request, first, error));
    TRY((request->diagonal ? add_diagonals : add_matrices)(&panel, native, request, first, out, error));
  }
cleanup:
  panel_close(&panel);
  return status;
}
