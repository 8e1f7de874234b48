/* Gram matrices by their definition in backend.h: of rows with all their zeros, and diagonals of sparse rows by their entries. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/softmax.h"
#include "compute/metric.h"

enum { ROOM_ROWS = 256, SUMS_BYTES = 256 << 20 };

/* v (D+1) = (x - mean, 1). */
static void centre_row(double *v, const GramRequest *request, const float *x, size_t features) {
  for (size_t d = 0; d < features; d++) v[d] = (double)x[d] - (request->mean != NULL ? request->mean[d] : 0);
  v[features] = 1;
}

/* The lower triangles of `out`, or the diagonals. v (D+1): room. */
static void add_rows(double *out, double *v, const GramRequest *request, size_t features, size_t first, size_t count,
                     const GramRows *rows) {
  size_t width = features + 1;
  for (size_t i = 0; i < count; i++) {
    centre_row(v, request, rows->x + i * features, features);
    for (size_t m = 0; m < request->matrices; m++) {
      double weight = request->weights[m * request->count + first + i] * (double)rows->weights[i];
      double *to = out + m * (request->diagonal ? width : width * width);
      if (weight == 0) continue;
      for (size_t d = 0; request->diagonal && d < width; d++) to[d] += weight * v[d] * v[d];
      for (size_t d = 0; !request->diagonal && d < width; d++) {
        double a = weight * v[d];
        for (size_t e = 0; e <= d; e++) to[d * width + e] += a * v[e];
      }
    }
  }
}

static void mirror(double *out, const GramRequest *request, size_t width) {
  for (size_t m = 0; !request->diagonal && m < request->matrices; m++)
    for (size_t d = 0; d < width; d++)
      for (size_t e = 0; e < d; e++) out[(m * width + e) * width + d] = out[(m * width + d) * width + e];
}

Status gram_rows_open(GramRows *rows, size_t room_rows, size_t features, Error *error) {
  Status status = SETOSA_OK;
  size_t values = 0;
  *rows = (GramRows){0};
  TRY(memory_multiply(&values, room_rows, features, "rows of a Gram matrix", error));
  TRY(memory_allocate((void **)&rows->x, values, sizeof *rows->x, "rows of a Gram matrix", error));
  TRY(memory_allocate((void **)&rows->weights, room_rows, sizeof *rows->weights, "rows of a Gram matrix", error));
cleanup:
  return status;
}

/* How many rows from number `first` of the request on are neighbours in the data set, at most `most`; *row: the first of them. */
static size_t neighbours(size_t *row, const GramRequest *request, size_t first, size_t most) {
  size_t run = 1;
  *row = request->rows != NULL ? (size_t)request->rows[first] : first;
  if (request->rows == NULL) return most;
  while (run < most && request->rows[first + run] == *row + run) run++;
  return run;
}

Status gram_weights_bring(GramRows *rows, const Dataset *dataset, const GramRequest *request, size_t first, size_t count, Error *error) {
  Status status = SETOSA_OK;
  for (size_t i = 0, run, row; i < count; i += run) {
    Targets targets = {0};
    run = neighbours(&row, request, first + i, count - i);
    if (rows->reweighed == NULL) TRY(dataset_targets(&targets, dataset, (RowRange){row, run}, &rows->targets, error));
    const float *weights = rows->reweighed != NULL ? rows->reweighed + row : targets.weights;
    for (size_t r = 0; r < run; r++) rows->weights[i + r] = weights != NULL ? weights[r] : 1;
  }
cleanup:
  return status;
}

Status gram_rows_bring(GramRows *rows, const Dataset *dataset, const GramRequest *request, size_t first, size_t count, Error *error) {
  size_t features = dataset_shape(dataset).features;
  for (size_t i = 0, run, row; i < count; i += run) {
    run = neighbours(&row, request, first + i, count - i);
    float *to = rows->x + i * features;
    const float *there = dataset_dense(dataset, (RowRange){row, run}, to);
    if (there != to) memcpy(to, there, run * features * sizeof *to);
  }
  return gram_weights_bring(rows, dataset, request, first, count, error);
}

void gram_rows_close(GramRows *rows) {
  free(rows->x);
  free(rows->weights);
  target_room_free(&rows->targets);
  *rows = (GramRows){0};
}

void gram_mirror(double *m, size_t width) {
  enum { SIDE = 32 }; /* squares, of which both images stay in the cache */
  for (size_t row = 0; row < width; row += SIDE)
    for (size_t column = 0; column <= row; column += SIDE)
      for (size_t i = row; i < row + SIDE && i < width; i++)
        for (size_t j = column; j < column + SIDE && j < i; j++) m[j * width + i] = m[i * width + j];
}

/* ---- diagonals of sparse rows ------------------------------------------------------------------------------------ */

/* The diagonals of some of the matrices, whose sums lie feature after feature, so that an entry of a row adds to neighbours. */
typedef struct EntrySums {
  size_t first, count; /* matrices */
  double *sums;        /* (D, count): of w ((x - mean)^2 - mean^2), which is 0 where x is */
  double *totals;      /* (count): of w */
  double *weights;     /* (count) w of the row at hand */
  bool negative;       /* a weight is */
} EntrySums;

static void add_entries(EntrySums *s, const GramRequest *request, const SparseRows *rows, size_t row) {
  for (uint64_t i = rows->begin[row]; i < rows->begin[row + 1]; i++) {
    double x = rows->values != NULL ? (double)rows->values[i] : 1;
    double term = x * (request->mean != NULL ? x - 2 * request->mean[rows->columns[i]] : x), *to = s->sums + rows->columns[i] * s->count;
    for (size_t m = 0; m < s->count; m++) to[m] += s->weights[m] * term;
  }
}

/* Rows [first, first + count) of the request. */
static Status add_sparse_rows(EntrySums *s, const Dataset *dataset, const GramRequest *request, const GramRows *weights, SparseRoom *room,
                              size_t first, size_t count, Error *error) {
  Status status = SETOSA_OK;
  SparseRows sparse;
  for (size_t i = 0, run, row; i < count; i += run) {
    run = neighbours(&row, request, first + i, count - i);
    TRY(dataset_sparse(&sparse, dataset, (RowRange){row, run}, room, error));
    for (size_t r = 0; r < run; r++) {
      for (size_t m = 0; m < s->count; m++) {
        s->weights[m] = request->weights[(s->first + m) * request->count + first + i + r] * (double)weights->weights[i + r];
        s->totals[m] += s->weights[m];
        s->negative = s->negative || s->weights[m] < 0;
      }
      add_entries(s, request, &sparse, r);
    }
  }
cleanup:
  return status;
}

/* Rounding may leave a little less than nothing where a column is nearly its mean in every row. */
static void turn_sums(double *out, const EntrySums *s, const GramRequest *request, size_t features) {
  for (size_t m = 0; m < s->count; m++) {
    double *to = out + (s->first + m) * (features + 1);
    for (size_t d = 0; d < features; d++) {
      double mean = request->mean != NULL ? request->mean[d] : 0, sum = s->sums[d * s->count + m] + mean * mean * s->totals[m];
      to[d] = sum < 0 && !s->negative ? 0 : sum;
    }
    to[features] = s->totals[m];
  }
}

/* As many matrices at a time as there is room for, so that no row is expanded. */
static Status sparse_diagonals(const Dataset *dataset, const float *reweighed, const GramRequest *request, double *out, Error *error) {
  Status status = SETOSA_OK;
  size_t features = dataset_shape(dataset).features, most = SUMS_BYTES / sizeof(double) / features;
  EntrySums s = {0};
  SparseRoom room = {0};
  GramRows rows = {.reweighed = reweighed};
  most = most == 0 ? 1 : most < request->matrices ? most : request->matrices;
  TRY(memory_allocate((void **)&s.sums, features * most, sizeof *s.sums, "the diagonal of a Gram matrix", error));
  TRY(memory_allocate((void **)&s.totals, 2 * most, sizeof *s.totals, "the diagonal of a Gram matrix", error));
  TRY(memory_allocate((void **)&rows.weights, ROOM_ROWS, sizeof *rows.weights, "rows of a Gram matrix", error));
  s.weights = s.totals + most;
  for (; s.first < request->matrices; s.first += s.count) {
    s.count = request->matrices - s.first < most ? request->matrices - s.first : most;
    s.negative = false;
    memset(s.sums, 0, features * s.count * sizeof *s.sums);
    memset(s.totals, 0, s.count * sizeof *s.totals);
    for (size_t first = 0; first < request->count; first += ROOM_ROWS) {
      size_t count = request->count - first < ROOM_ROWS ? request->count - first : ROOM_ROWS;
      TRY(gram_weights_bring(&rows, dataset, request, first, count, error));
      TRY(add_sparse_rows(&s, dataset, request, &rows, &room, first, count, error));
    }
    turn_sums(out, &s, request, features);
  }
cleanup:
  free(s.sums);
  free(s.totals);
  gram_rows_close(&rows);
  sparse_room_free(&room);
  return status;
}

uint64_t host_gram_flops(const Dataset *dataset, const GramRequest *request) {
  DataShape shape = dataset_shape(dataset);
  uint64_t width = shape.features + 1, rows = (uint64_t)request->count * request->matrices;
  return request->diagonal ? 2 * rows * (shape.entries / shape.rows + 1) : rows * width * width;
}

Status host_gram(const Dataset *dataset, const float *reweighed, const GramRequest *request, double *out, Error *error) {
  Status status = SETOSA_OK;
  DataShape shape = dataset_shape(dataset);
  size_t features = shape.features, width = features + 1;
  double *v = NULL;
  GramRows rows = {0};
  if (shape.kind == DATA_SPARSE && request->diagonal) return sparse_diagonals(dataset, reweighed, request, out, error);
  memset(out, 0, request->matrices * (request->diagonal ? width : width * width) * sizeof *out);
  TRY(memory_allocate((void **)&v, width, sizeof *v, "a row", error));
  TRY(gram_rows_open(&rows, ROOM_ROWS, features, error));
  rows.reweighed = reweighed;
  for (size_t first = 0; first < request->count; first += ROOM_ROWS) {
    size_t count = request->count - first < ROOM_ROWS ? request->count - first : ROOM_ROWS;
    TRY(gram_rows_bring(&rows, dataset, request, first, count, error));
    add_rows(out, v, request, features, first, count, &rows);
  }
  mirror(out, request, width);
cleanup:
  free(v);
  gram_rows_close(&rows);
  return status;
}

/* ---- of all rows, by their probabilities -------------------------------------------------------------------------- */

Status gram_at(Backend *backend, const GramRequest *request, double *out, Error *error) {
  enum { CHUNK_SCORES = 1 << 20, MOST_ROWS = 1 << 16 };
  Status status = SETOSA_OK;
  size_t classes = backend->classes, width = backend->features + 1, rows = CHUNK_SCORES / classes + 1;
  float *scores = NULL;
  double *weights = NULL, *part = NULL;
  uint64_t *numbers = NULL;
  if (rows > MOST_ROWS) rows = MOST_ROWS;
  TRY(memory_allocate((void **)&scores, rows * classes, sizeof *scores, "probabilities", error));
  TRY(memory_allocate((void **)&weights, rows * classes, sizeof *weights, "probabilities", error));
  TRY(memory_allocate((void **)&numbers, rows, sizeof *numbers, "probabilities", error));
  TRY(memory_allocate((void **)&part, classes * width, sizeof *part, "the diagonal of a Gram matrix", error));
  memset(out, 0, classes * width * sizeof *out);
  for (size_t first = 0, count; first < backend->rows; first += count) {
    count = backend->rows - first < rows ? backend->rows - first : rows;
    TRY(backend_predict(backend, request->at, (RowRange){first, count}, ROW_ESTIMATES, scores, error));
    for (size_t i = 0; i < count; i++) {
      numbers[i] = first + i;
      for (size_t k = 0; k < classes; k++) weights[k * count + i] = softmax_spread(scores + i * classes, classes, k);
    }
    GramRequest chunk = {.count = count, .rows = numbers, .mean = request->mean, .matrices = classes, .weights = weights, .diagonal = true};
    TRY(backend_gram(backend, &chunk, part, error));
    for (size_t i = 0; i < classes * width; i++) out[i] += part[i];
  }
cleanup:
  free(scores);
  free(weights);
  free(numbers);
  free(part);
  return status;
}
