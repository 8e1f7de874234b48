/* Random data of a shape, plain or hard, by hand: for tests that stand below the readers. */
#ifndef SETOSA_TESTS_SUPPORT_SHAPE_H
#define SETOSA_TESTS_SUPPORT_SHAPE_H

#include <stdlib.h>

#include "base/random.h"
#include "support/dataset.h"

typedef enum Kind { PLAIN, ONE_CLASS, CONSTANT_FEATURES, BIG_FEATURES, HARD_LOGITS } Kind;

typedef struct Shape {
  size_t rows, features, classes;
  Kind kind;
} Shape;

static inline Dataset *make_dataset(const Shape *shape, uint64_t seed) {
  Dataset *dataset = NULL;
  Error error = {0};
  support_ok(dataset_create(&dataset, shape->rows, shape->features, true, NULL, &error), &error);
  dataset->classes = shape->classes;
  float *values = rows_values(dataset);
  for (size_t i = 0; i < shape->rows; i++) {
    for (size_t d = 0; d < shape->features; d++) {
      float value = (float)random_symmetric(seed, RANDOM_STREAM_CHECK, i, d);
      if (shape->kind == CONSTANT_FEATURES) value = d % 2 == 0 ? 3.5f : 0.0f;
      if (shape->kind == BIG_FEATURES) value *= 1e6f;
      values[i * shape->features + d] = value;
    }
    rows_labels(dataset)[i] =
        shape->kind == ONE_CLASS ? (int32_t)shape->classes - 1 : (int32_t)random_below(seed, RANDOM_STREAM_LABELS, 0, i, shape->classes);
  }
  return dataset;
}

#endif
