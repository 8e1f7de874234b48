/* Gram matrices of the blas backend: chunks of rows, centred and with a 1 at the end, times themselves by sgemm. Sums over a chunk are f32,
 * those of chunks are added in double. Diagonals of sparse rows are compute/gram.c's. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "compute/blas/blas.h"
#include "compute/metric.h"

enum { CHUNK_ROWS = 2048, CHUNK_BYTES = 16 << 20 };

typedef struct Chunk {
  const Blas *blas;
  const GramRequest *request;
  size_t width, capacity, first, rows, matrix; /* of the request at hand */
  GramRows brought;
  float *values, *scaled; /* (capacity,width) each; the second times the weights of a matrix */
  float *sums;            /* (width,width) */
  double *out;
} Chunk;

static Status chunk_open(Chunk *c, Error *error) {
  Status status = SETOSA_OK;
  size_t most = CHUNK_BYTES / (c->width * sizeof(float)), wanted = c->request->count < CHUNK_ROWS ? c->request->count : CHUNK_ROWS;
  c->capacity = wanted <= most ? wanted : most > 0 ? most : 1;
  TRY(gram_rows_open(&c->brought, c->capacity, c->width - 1, error));
  c->brought.reweighed = c->blas->reweighed;
  TRY(memory_allocate((void **)&c->values, c->capacity * c->width, sizeof(float), "rows of a Gram matrix", error));
  if (c->request->diagonal) goto cleanup;
  TRY(memory_allocate((void **)&c->scaled, c->capacity * c->width, sizeof(float), "rows of a Gram matrix", error));
  TRY(memory_allocate((void **)&c->sums, c->width * c->width, sizeof(float), "a Gram matrix", error));
cleanup:
  return status;
}

static void chunk_close(Chunk *c) {
  gram_rows_close(&c->brought);
  free(c->values);
  free(c->scaled);
  free(c->sums);
}

static double weight_of(const Chunk *c, size_t matrix, size_t i) {
  return c->request->weights[matrix * c->request->count + c->first + i] * (double)c->brought.weights[i];
}

/* A share of the rows, centred. */
static void center_share(void *argument, size_t index, size_t count) {
  const Chunk *c = argument;
  const double *mean = c->request->mean;
  size_t features = c->width - 1, last = c->rows * (index + 1) / count;
  for (size_t i = c->rows * index / count; i < last; i++) {
    const float *x = c->brought.x + i * features;
    float *to = c->values + i * c->width;
    for (size_t d = 0; d < features; d++) to[d] = mean != NULL ? (float)((double)x[d] - mean[d]) : x[d];
    to[features] = 1;
  }
}

/* A share of them times their weights. */
static void scale_share(void *argument, size_t index, size_t count) {
  const Chunk *c = argument;
  size_t last = c->rows * (index + 1) / count;
  for (size_t i = c->rows * index / count; i < last; i++) {
    float weight = (float)weight_of(c, c->matrix, i);
    for (size_t d = 0; d < c->width; d++) c->scaled[i * c->width + d] = weight * c->values[i * c->width + d];
  }
}

/* A share of the lower triangle: neighbouring lines of it, shared out so that all have as many elements. */
static void multiply_share(void *argument, size_t index, size_t count) {
  const Chunk *c = argument;
  size_t width = c->width, first = (size_t)((double)width * sqrt((double)index / (double)count)),
         last = (size_t)((double)width * sqrt((double)(index + 1) / (double)count));
  double *out = c->out + c->matrix * width * width;
  if (first >= last) return;
  c->blas->products.cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)(last - first), (int)last, (int)c->rows, 1.0f,
                                c->scaled + first, (int)width, c->values, (int)width, 0.0f, c->sums + first * width, (int)width);
  for (size_t i = first; i < last; i++)
    for (size_t j = 0; j <= i; j++) out[i * width + j] += (double)c->sums[i * width + j];
}

/* A share of the matrices of which the diagonal is all, in double. */
static void diagonal_share(void *argument, size_t index, size_t count) {
  const Chunk *c = argument;
  size_t last = c->request->matrices * (index + 1) / count;
  for (size_t m = c->request->matrices * index / count; m < last; m++)
    for (size_t i = 0; i < c->rows; i++) {
      double weight = weight_of(c, m, i), *to = c->out + m * c->width;
      const float *row = c->values + i * c->width;
      for (size_t d = 0; d < c->width; d++) to[d] += weight * ((double)row[d] * (double)row[d]);
    }
}

Status blas_gram(Backend *backend, const GramRequest *request, double *out, Error *error) {
  Status status = SETOSA_OK;
  Blas *blas = (Blas *)backend;
  int before = 1;
  if (request->at != NULL) return gram_at(backend, request, out, error);
  if (blas_is_sparse(blas) && request->diagonal) {
    blas->flops += host_gram_flops(blas->source, request);
    return host_gram(blas->source, blas->reweighed, request, out, error);
  }
  size_t width = backend->features + 1, size = request->diagonal ? width : width * width;
  uint64_t work = 2 * (uint64_t)request->count * size;
  size_t team = blas_team(blas, request->diagonal ? work * request->matrices : work);
  Chunk c = {.blas = blas, .request = request, .width = width, .out = out};
  memset(out, 0, request->matrices * size * sizeof *out);
  TRY(chunk_open(&c, error));
  TRY(blas_products_begin(&blas->products, team, &before, error));
  for (; c.first < request->count && status == SETOSA_OK; c.first += c.rows) {
    c.rows = request->count - c.first < c.capacity ? request->count - c.first : c.capacity;
    status = gram_rows_bring(&c.brought, blas->source, request, c.first, c.rows, error);
    if (status != SETOSA_OK) break;
    blas_threads_run(blas->threads, team, center_share, &c);
    if (request->diagonal) blas_threads_run(blas->threads, team, diagonal_share, &c);
    for (c.matrix = 0; !request->diagonal && c.matrix < request->matrices; c.matrix++) {
      blas_threads_run(blas->threads, team, scale_share, &c);
      blas_threads_run(blas->threads, team, multiply_share, &c);
    }
  }
  blas_products_end(&blas->products, before);
  for (size_t m = 0; !request->diagonal && m < request->matrices; m++) gram_mirror(out + m * width * width, width);
  blas->flops += request->diagonal ? work * request->matrices : work / 2 * request->matrices;
cleanup:
  chunk_close(&c);
  return status;
}
