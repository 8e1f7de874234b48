/* The table of shapes that both families must get right, and random data of a shape: shared by the kernel tests. */
#ifndef SETOSA_TESTS_KERNELS_SHAPES_H
#define SETOSA_TESTS_KERNELS_SHAPES_H

#include "support/support.h"
/* after it */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "data/dataset.h"

typedef enum Kind { PLAIN, ONE_CLASS, CONSTANT_FEATURES, BIG_FEATURES, HARD_LOGITS } Kind;

typedef struct Shape {
  size_t rows, features, classes;
  Kind kind;
} Shape;

static const Shape shapes[] = {
    {1, 1, 2, PLAIN},
    {7, 1, 3, PLAIN},
    {8, 7, 2, PLAIN},
    {47, 7, 3, PLAIN},
    {48, 8, 3, PLAIN},
    {49, 9, 10, PLAIN},
    {63, 15, 10, PLAIN},
    {64, 16, 5, PLAIN},
    {65, 17, 4, PLAIN},
    {200, 64, 10, PLAIN},
    {100, 784, 10, PLAIN},
    {97, 65, 32, PLAIN},
    {97, 65, 33, PLAIN},
    {1, 3, 40, PLAIN},
    {47, 63, 64, PLAIN},
    {48, 64, 65, PLAIN},
    {49, 1, 257, PLAIN},
    {65, 7, 257, PLAIN},
    {130, 64, 257, PLAIN},
    {33, 65, 1000, PLAIN},
    {20, 784, 1000, PLAIN},
    {150, 4, 3, ONE_CLASS},
    {60, 30, 50, ONE_CLASS},
    {150, 5, 3, CONSTANT_FEATURES},
    {70, 12, 41, CONSTANT_FEATURES},
    {90, 20, 7, BIG_FEATURES},
    {90, 20, 70, BIG_FEATURES},
    {120, 10, 3, HARD_LOGITS},
    {120, 33, 10, HARD_LOGITS},
    {75, 10, 50, HARD_LOGITS},
    {3001, 20, 10, PLAIN},
    {3001, 50, 40, PLAIN},
    {5, 3, 100000, PLAIN},
    {5, 100000, 3, PLAIN},
    {3, 100000, 40, PLAIN},
};

/* Random data of a shape, by hand: these tests stand below the readers. */
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

static inline void print_row(const SetosaCheckRow *row, void *user) {
  bool verbose = *(const bool *)user;
  if (!row->passed || verbose)
    printf("%s %zu x %zu, %zu classes, family %s: %s against %s: error %.2e, tolerance %.2e\n", row->passed ? "ok  " : "FAIL", row->rows,
           row->features, row->classes, row->family == SETOSA_FAMILY_CPU ? "cpu" : "gpu", row->what, row->against, row->error,
           row->tolerance);
}

#endif
