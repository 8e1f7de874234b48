/* The same random rows twice, dense and as their entries, for tests that both give the same. */
#ifndef SETOSA_TESTS_SUPPORT_SPARSE_H
#define SETOSA_TESTS_SUPPORT_SPARSE_H

#include <stdlib.h>

#include "base/random.h"
#include "support/dataset.h"

typedef struct SparseShape {
  size_t rows, features, classes;
  double density; /* of the first column; that of column d is density / (1 + spread d), so that there are full columns and empty ones */
  double spread;
  bool ones;
} SparseShape;

typedef struct SparsePair {
  Dataset *dense, *sparse;
  float *x, *values; /* (N,D), (entries) */
  uint64_t *begin;
  uint32_t *columns;
  int32_t *labels;
} SparsePair;

static inline SparsePair sparse_pair_make(const SparseShape *shape, uint64_t seed) {
  Error error = {0};
  size_t rows = shape->rows, features = shape->features, entries = 0;
  SparsePair pair = {.x = calloc(rows * features, sizeof(float)),
                     .values = malloc(rows * features * sizeof(float) + 1),
                     .begin = malloc((rows + 1) * sizeof(uint64_t)),
                     .columns = malloc(rows * features * sizeof(uint32_t) + 1),
                     .labels = malloc(rows * sizeof(int32_t))};
  assert_true(pair.x != NULL && pair.values != NULL && pair.begin != NULL && pair.columns != NULL && pair.labels != NULL);
  for (size_t i = 0; i < rows; i++) {
    pair.begin[i] = entries;
    pair.labels[i] = (int32_t)random_below(seed, RANDOM_STREAM_LABELS, 0, i, shape->classes);
    for (size_t d = 0; d < features; d++) {
      double chance = 0.5 + 0.5 * random_symmetric(seed, RANDOM_STREAM_ROWS, i, d);
      if (chance >= shape->density / (1 + shape->spread * (double)d) || i % 17 == 5) continue; /* some rows are empty */
      float value = shape->ones ? 1 : (float)random_symmetric(seed, RANDOM_STREAM_CHECK, i, d);
      pair.x[i * features + d] = pair.values[entries] = value;
      pair.columns[entries++] = (uint32_t)d;
    }
  }
  pair.begin[rows] = entries;
  support_ok(setosa_dataset_wrap(&pair.dense, rows, features, shape->classes, pair.x, pair.labels, &error), &error);
  support_ok(setosa_dataset_wrap_sparse(&pair.sparse, rows, features, shape->classes, pair.begin, pair.columns,
                                        shape->ones ? NULL : pair.values, pair.labels, &error),
             &error);
  return pair;
}

static inline void sparse_pair_free(SparsePair *pair) {
  setosa_dataset_destroy(pair->dense);
  setosa_dataset_destroy(pair->sparse);
  free(pair->x);
  free(pair->values);
  free(pair->begin);
  free(pair->columns);
  free(pair->labels);
}

#endif
