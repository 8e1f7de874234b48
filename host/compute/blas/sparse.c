/* Products of sparse rows: up to 64 classes of a row are in registers while its entries go by. */
#include "compute/blas/sparse.h"

#include <stdlib.h>
#include <string.h>

#include "base/clones.h"
#include "base/memory.h"

enum {
  LANES = 8,
  TILE_ROWS = 32, /* whose logits turn from row-major to class-major together: whole lines of the cache */
  TILE_CLASSES = 64
};

/* Neighbouring classes; of any alignment. */
typedef float Lanes __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
/* Some rows of a block and some classes. */
typedef float Tile[TILE_ROWS][TILE_CLASSES];

/* ---- layout ------------------------------------------------------------------------------------------------------ */

size_t blas_sparse_width(size_t classes) {
  if (classes <= 4) return classes <= 2 ? 2 : 4;
  return (classes + LANES - 1) / LANES * LANES;
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

Status blas_sparse_cut(BlasSparse *sparse, size_t rows, Error *error) {
  const uint64_t *begin = sparse->rows.begin;
  uint64_t *counts = NULL, done = 0, all = begin[rows] - begin[0];
  Status status = memory_allocate_zero((void **)&counts, sparse->features, sizeof *counts, "the entries of each feature", error);
  if (status != SETOSA_OK) return status;
  for (uint64_t i = begin[0]; i < begin[rows]; i++) counts[sparse->rows.columns[i]]++;
  size_t piece = 0;
  for (size_t d = 0; d < sparse->features; d++) {
    while (piece < BLAS_PIECES && done >= all / BLAS_PIECES * piece + all % BLAS_PIECES * piece / BLAS_PIECES) sparse->cuts[piece++] = d;
    done += counts[d];
  }
  sparse->cuts[0] = 0;
  while (piece < BLAS_PIECES) sparse->cuts[piece++] = sparse->features;
  sparse->cuts[BLAS_PIECES] = sparse->features + 1;
  free(counts);
  return SETOSA_OK;
}

/* 16 features at a time, which are a line of the cache in each class. */
enum { TURNED_FEATURES = 16 };

void blas_sparse_turn(const BlasSparse *sparse, float *turned, const float *vector, size_t first, size_t last) {
  size_t features = sparse->features, classes = sparse->classes, width = sparse->width, end = smaller(last, features);
  for (size_t d = first; d < end; d += TURNED_FEATURES)
    for (size_t k = 0; k < classes; k++)
      for (size_t j = d; j < d + TURNED_FEATURES && j < end; j++) turned[j * width + k] = vector[k * features + j];
  if (last > features) memcpy(turned + features * width, vector + classes * features, classes * sizeof *turned);
}

void blas_sparse_turn_back(const BlasSparse *sparse, float *vector, const float *turned, size_t first, size_t last) {
  size_t features = sparse->features, classes = sparse->classes, width = sparse->width, end = smaller(last, features);
  for (size_t d = first; d < end; d += TURNED_FEATURES)
    for (size_t k = 0; k < classes; k++)
      for (size_t j = d; j < d + TURNED_FEATURES && j < end; j++) vector[k * features + j] = turned[j * width + k];
  if (last > features) memcpy(vector + classes * features, turned + features * width, classes * sizeof *turned);
}

/* ---- entries of a row -------------------------------------------------------------------------------------------- */

typedef struct Entries {
  const uint32_t *columns;
  const float *values; /* NULL: 1 each */
  size_t count;
} Entries;

/* The first of entries begin to end - 1 that is in a column of `least` or more; end where none is. */
static ALWAYS_INLINE uint64_t first_from(const uint32_t *columns, uint64_t begin, uint64_t end, size_t least) {
  while (begin < end) {
    uint64_t middle = begin + (end - begin) / 2;
    if (columns[middle] < least)
      begin = middle + 1;
    else
      end = middle;
  }
  return begin;
}

/* Those in columns [first, last). */
static ALWAYS_INLINE Entries entries_of(const SparseRows *rows, size_t row, size_t first, size_t last) {
  uint64_t begin = rows->begin[row], end = rows->begin[row + 1];
  if (begin < end && rows->columns[begin] < first) begin = first_from(rows->columns, begin, end, first);
  if (begin < end && rows->columns[end - 1] >= last) end = first_from(rows->columns, begin, end, last);
  return (Entries){rows->columns + begin, rows->values != NULL ? rows->values + begin : NULL, (size_t)(end - begin)};
}

/* Calls call(vectors, few), both known when it is compiled, for so many classes: vectors * LANES, or few, which are less than a vector. */
#define FOR_CLASSES(classes, call) \
  switch (classes) {               \
    case 2:                        \
      call(0, 2);                  \
      break;                       \
    case 4:                        \
      call(0, 4);                  \
      break;                       \
    case 8:                        \
      call(1, 0);                  \
      break;                       \
    case 16:                       \
      call(2, 0);                  \
      break;                       \
    case 24:                       \
      call(3, 0);                  \
      break;                       \
    case 32:                       \
      call(4, 0);                  \
      break;                       \
    case 40:                       \
      call(5, 0);                  \
      break;                       \
    case 48:                       \
      call(6, 0);                  \
      break;                       \
    case 56:                       \
      call(7, 0);                  \
      break;                       \
    default:                       \
      call(8, 0);                  \
  }

/* ---- logits ------------------------------------------------------------------------------------------------------ */

/* to = bias + the sum of value * row of w, of some classes. */
static ALWAYS_INLINE void sum_row(float *to, const Entries *x, const float *w, size_t width, const float *bias, const int vectors,
                                  const int few, const bool ones) {
  Lanes sums[TILE_CLASSES / LANES];
  float single[4];
#pragma GCC unroll 8
  for (int v = 0; v < vectors; v++) sums[v] = *(const Lanes *)(bias + v * LANES);
#pragma GCC unroll 4
  for (int k = 0; k < few; k++) single[k] = bias[k];
  for (size_t i = 0; i < x->count; i++) {
    const float *from = w + x->columns[i] * width;
    float value = ones ? 1.0f : x->values[i];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; v++) {
      Lanes here = *(const Lanes *)(from + v * LANES);
      if (!ones) here *= value;
      sums[v] += here;
    }
#pragma GCC unroll 4
    for (int k = 0; k < few; k++) single[k] += ones ? from[k] : value * from[k];
  }
#pragma GCC unroll 8
  for (int v = 0; v < vectors; v++) *(Lanes *)(to + v * LANES) = sums[v];
#pragma GCC unroll 4
  for (int k = 0; k < few; k++) to[k] = single[k];
}

/* Rows from `row` on and classes from those on that w begins with. */
static ALWAYS_INLINE void sum_rows(Tile tile, const BlasSparse *s, const float *w, size_t row, size_t rows, size_t classes) {
  const float *bias = w + s->features * s->width;
  for (size_t j = 0; j < rows; j++) {
    Entries x = entries_of(&s->rows, row + j, 0, s->features);
#define SUM(vectors, few) sum_row(tile[j], &x, w, s->width, bias, vectors, few, false)
#define SUM_ONES(vectors, few) sum_row(tile[j], &x, w, s->width, bias, vectors, few, true)
    if (x.values != NULL)
      FOR_CLASSES(classes, SUM)
    else
      FOR_CLASSES(classes, SUM_ONES)
  }
}

FOR_EACH_CPU void blas_sparse_logits(const BlasSparse *s, const float *turned, size_t begin, size_t rows, float *z, size_t stride) {
  Tile tile;
  for (size_t i = 0; i < rows; i += TILE_ROWS)
    for (size_t first = 0; first < s->classes; first += TILE_CLASSES) {
      size_t here = smaller(rows - i, TILE_ROWS), classes = smaller(s->classes - first, TILE_CLASSES);
      sum_rows(tile, s, turned + first, begin + i, here, smaller(s->width - first, TILE_CLASSES));
      for (size_t k = 0; k < classes; k++)
        for (size_t j = 0; j < here; j++) z[(first + k) * stride + i + j] = tile[j][k];
    }
}

FOR_EACH_CPU void blas_sparse_logits_accurate(const BlasSparse *s, const float *turned, size_t begin, size_t rows, float *z,
                                              size_t stride) {
  const float *bias = turned + s->features * s->width;
  for (size_t i = 0; i < rows; i++) {
    Entries x = entries_of(&s->rows, begin + i, 0, s->features);
    for (size_t first = 0; first < s->classes; first += TILE_CLASSES) {
      double sums[TILE_CLASSES] = {0};
      size_t classes = smaller(s->classes - first, TILE_CLASSES);
      for (size_t e = 0; e < x.count; e++) {
        const float *from = turned + x.columns[e] * s->width + first;
        double value = x.values != NULL ? (double)x.values[e] : 1;
        for (size_t k = 0; k < classes; k++) sums[k] += value * (double)from[k];
      }
      for (size_t k = 0; k < classes; k++) z[(first + k) * stride + i] = (float)(sums[k] + (double)bias[first + k]);
    }
  }
}

/* ---- gradients --------------------------------------------------------------------------------------------------- */

/* The row of the gradient += value * r, for each entry and some classes. */
static ALWAYS_INLINE void add_row(float *gradient, const Entries *x, size_t width, const float *r, const int vectors, const int few,
                                  const bool ones) {
  for (size_t i = 0; i < x->count; i++) {
    float *to = gradient + x->columns[i] * width, value = ones ? 1.0f : x->values[i];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; v++) {
      Lanes here = *(const Lanes *)(r + v * LANES);
      if (!ones) here *= value;
      *(Lanes *)(to + v * LANES) += here;
    }
#pragma GCC unroll 4
    for (int k = 0; k < few; k++) to[k] += ones ? r[k] : value * r[k];
  }
}

static ALWAYS_INLINE void add_rows(float *gradient, const BlasSparse *s, Tile tile, size_t row, size_t rows, size_t first, size_t last,
                                   size_t classes) {
  for (size_t j = 0; j < rows; j++) {
    Entries x = entries_of(&s->rows, row + j, first, last);
#define ADD(vectors, few) add_row(gradient, &x, s->width, tile[j], vectors, few, false)
#define ADD_ONES(vectors, few) add_row(gradient, &x, s->width, tile[j], vectors, few, true)
    if (x.values != NULL)
      FOR_CLASSES(classes, ADD)
    else
      FOR_CLASSES(classes, ADD_ONES)
  }
}

FOR_EACH_CPU void blas_sparse_add(const BlasSparse *s, const float *r, size_t stride, size_t begin, size_t rows, size_t first, size_t last,
                                  float *gradient) {
  Tile tile;
  for (size_t i = 0; i < rows; i += TILE_ROWS)
    for (size_t c = 0; c < s->classes; c += TILE_CLASSES) {
      size_t here = smaller(rows - i, TILE_ROWS), classes = smaller(s->classes - c, TILE_CLASSES),
             padded = smaller(s->width - c, TILE_CLASSES);
      for (size_t k = 0; k < padded; k++)
        for (size_t j = 0; j < here; j++) tile[j][k] = k < classes ? r[(c + k) * stride + i + j] : 0.0f;
      add_rows(gradient + c, s, tile, begin + i, here, first, last, padded);
      if (last <= s->features) continue;
      float *bias = gradient + s->features * s->width + c, sums[TILE_CLASSES] = {0}; /* of a tile: added as dense blocks are */
      for (size_t j = 0; j < here; j++)
        for (size_t k = 0; k < padded; k++) sums[k] += tile[j][k];
      for (size_t k = 0; k < padded; k++) bias[k] += sums[k];
    }
}
