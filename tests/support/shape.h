/* Random data of a shape, plain or hard, by hand: for tests that stand below the readers. */
#ifndef SETOSA_TESTS_SUPPORT_SHAPE_H
#define SETOSA_TESTS_SUPPORT_SHAPE_H

#include <stdlib.h>
#include "support/support.h"

#include "base/memory.h"
#include "base/random.h"
#include "data/dataset.h"

typedef enum Kind { PLAIN, ONE_CLASS, CONSTANT_FEATURES, BIG_FEATURES, HARD_LOGITS } Kind;

typedef struct Shape {
  size_t rows, features, classes;
  Kind kind;
} Shape;

static inline Dataset *make_dataset(const Shape *shape, uint64_t seed) {
  Dataset *dataset = NULL;
  Error error = {0};
  assert_int_equal(memory_allocate_zero((void **)&dataset, 1, sizeof *dataset, "a data set", &error), SETOSA_OK);
  dataset->rows = shape->rows;
  dataset->features = shape->features;
  dataset->classes = shape->classes;
  assert_int_equal(memory_allocate((void **)&dataset->values, shape->rows * shape->features, sizeof(float), "values", &error), SETOSA_OK);
  assert_int_equal(memory_allocate((void **)&dataset->labels, shape->rows, sizeof(int32_t), "labels", &error), SETOSA_OK);
  for (size_t i = 0; i < shape->rows; i++) {
    for (size_t d = 0; d < shape->features; d++) {
      float value = (float)random_symmetric(seed, RANDOM_STREAM_CHECK, i, d);
      if (shape->kind == CONSTANT_FEATURES) value = d % 2 == 0 ? 3.5f : 0.0f;
      if (shape->kind == BIG_FEATURES) value *= 1e6f;
      dataset->values[i * shape->features + d] = value;
    }
    dataset->labels[i] =
        shape->kind == ONE_CLASS ? (int32_t)shape->classes - 1 : (int32_t)random_below(seed, RANDOM_STREAM_LABELS, 0, i, shape->classes);
  }
  return dataset;
}

static inline void free_dataset(Dataset *dataset) {
  free(dataset->values);
  free(dataset->labels);
  free(dataset);
}

#endif
