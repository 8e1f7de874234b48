/* The same random rows twice: with all their zeros, and as their entries. */
#ifndef SETOSA_TESTS_SUPPORT_SPARSE_H
#define SETOSA_TESTS_SUPPORT_SPARSE_H

#include "base/random.h"
#include "support/dataset.h"

typedef struct SparseShape {
  size_t rows, features, classes;
  double density; /* of the rows that are not empty, in columns that are not */
  bool ones;      /* every entry is 1, and no values are given */
  bool weighted;
  bool gaps;     /* every fifth row is empty, and every third column from the second on */
  double spread; /* column d has density / (1 + spread d): some are full, and some empty */
} SparseShape;

/* Both are wrapped around the arrays. */
typedef struct SparsePair {
  Dataset *dense, *sparse;
  float *x;          /* (N,D) */
  int32_t *labels;   /* (N) */
  float *weights;    /* (N), or NULL */
  uint64_t *begin;   /* (N+1) */
  uint32_t *columns; /* (entries) */
  float *values;     /* (entries), or NULL */
} SparsePair;

static inline float sparse_pair_value(const SparseShape *shape, uint64_t seed, size_t row, size_t column) {
  if (shape->gaps && (row % 5 == 4 || column % 3 == 1)) return 0;
  if (0.5 + 0.5 * random_symmetric(seed, RANDOM_STREAM_ROWS, row, column) >= shape->density / (1 + shape->spread * (double)column))
    return 0;
  if (shape->ones) return 1;
  float value = (float)random_symmetric(seed, RANDOM_STREAM_CHECK, row, column);
  return value != 0 ? value : 0.5f;
}

static inline void sparse_pair_fill(SparsePair *pair, const SparseShape *shape, uint64_t seed) {
  uint64_t count = 0;
  for (size_t i = 0; i < shape->rows; i++) {
    pair->begin[i] = count;
    for (size_t d = 0; d < shape->features; d++) {
      float value = sparse_pair_value(shape, seed, i, d);
      pair->x[i * shape->features + d] = value;
      if (value == 0) continue;
      pair->columns[count] = (uint32_t)d;
      if (pair->values != NULL) pair->values[count] = value;
      count++;
    }
    pair->labels[i] = (int32_t)random_below(seed, RANDOM_STREAM_LABELS, 0, i, shape->classes);
    if (pair->weights != NULL) pair->weights[i] = i % 7 == 3 ? 0 : (float)(1.5 + random_symmetric(seed, RANDOM_STREAM_WEIGHTS, 0, i));
  }
  pair->begin[shape->rows] = count;
}

static inline SparsePair sparse_pair(const SparseShape *shape, uint64_t seed) {
  SparsePair pair = {0};
  Error error = {0};
  size_t cells = shape->rows * shape->features;
  pair.x = malloc(cells * sizeof *pair.x);
  pair.labels = malloc(shape->rows * sizeof *pair.labels);
  pair.weights = shape->weighted ? malloc(shape->rows * sizeof *pair.weights) : NULL;
  pair.begin = malloc((shape->rows + 1) * sizeof *pair.begin);
  pair.columns = malloc(cells * sizeof *pair.columns);
  pair.values = shape->ones ? NULL : malloc(cells * sizeof *pair.values);
  assert_true(pair.x != NULL && pair.labels != NULL && pair.begin != NULL && pair.columns != NULL);
  sparse_pair_fill(&pair, shape, seed);
  support_ok(setosa_dataset_wrap(&pair.dense, shape->rows, shape->features, shape->classes, pair.x, pair.labels, &error), &error);
  support_ok(setosa_dataset_wrap_sparse(&pair.sparse, shape->rows, shape->features, shape->classes, pair.begin, pair.columns, pair.values,
                                        pair.labels, &error),
             &error);
  if (pair.weights != NULL) {
    support_ok(setosa_dataset_set_weights(pair.dense, pair.weights, &error), &error);
    support_ok(setosa_dataset_set_weights(pair.sparse, pair.weights, &error), &error);
  }
  return pair;
}

static inline void sparse_pair_free(SparsePair *pair) {
  setosa_dataset_destroy(pair->dense);
  setosa_dataset_destroy(pair->sparse);
  free(pair->x);
  free(pair->labels);
  free(pair->weights);
  free(pair->begin);
  free(pair->columns);
  free(pair->values);
  *pair = (SparsePair){0};
}

#endif
