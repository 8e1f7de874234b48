/* The shapes on which the blas and clblast backends are compared with the reference: those of tests/kernels/test_shapes.c that touch an
 * edge of a block, of a group of lanes or of a tile, and the hard ones. */
#ifndef SETOSA_TESTS_COMPUTE_SHAPES_H
#define SETOSA_TESTS_COMPUTE_SHAPES_H

#include <stdio.h>
#include "support/shape.h"

#include "compute/open.h"
#include "judge/compare.h"

static const Shape shapes[] = {
    {1, 1, 2, PLAIN},          {7, 1, 3, PLAIN},           {31, 7, 2, PLAIN},
    {32, 8, 3, PLAIN},         {33, 9, 10, PLAIN},         {63, 15, 10, PLAIN},
    {64, 16, 5, PLAIN},        {65, 17, 4, PLAIN},         {100, 784, 10, PLAIN},
    {97, 65, 32, PLAIN},       {97, 65, 33, PLAIN},        {1, 3, 40, PLAIN},
    {47, 63, 64, PLAIN},       {255, 64, 65, PLAIN},       {257, 31, 100, PLAIN},
    {65, 7, 257, PLAIN},       {130, 64, 257, PLAIN},      {33, 65, 1000, PLAIN},
    {150, 4, 3, ONE_CLASS},    {60, 30, 50, ONE_CLASS},    {150, 5, 3, CONSTANT_FEATURES},
    {90, 20, 7, BIG_FEATURES}, {90, 20, 70, BIG_FEATURES}, {120, 33, 10, HARD_LOGITS},
    {75, 10, 50, HARD_LOGITS}, {3001, 20, 10, PLAIN},      {3001, 50, 40, PLAIN},
    {5, 3, 100000, PLAIN},     {5, 100000, 3, PLAIN},
};
enum { SHAPE_COUNT = sizeof shapes / sizeof *shapes };

static void shape_print(const SetosaCheckRow *row, void *user) {
  (void)user;
  if (!row->passed || getenv("SETOSA_TEST_VERBOSE") != NULL)
    printf("%s %zu x %zu, %zu classes: %s against %s: error %.2e, tolerance %.2e\n", row->passed ? "ok  " : "FAIL", row->rows,
           row->features, row->classes, row->what, row->against, row->error, row->tolerance);
}

/* Every operation on one shape; settings say which backend and how. */
static void shape_compare(const Shape *shape, uint64_t seed, Context *context, CompareSettings settings) {
  Error error = {0};
  size_t failures = 0;
  Dataset *dataset = make_dataset(shape, seed);
  settings.l2 = 0.01;
  settings.logit_size = shape->kind == HARD_LOGITS ? 100 : 3;
  settings.finite_differences = shape->rows > 1;
  settings.row = shape_print;
  support_ok(judge_compare(dataset, context, &settings, &failures, &error), &error);
  if (failures > 0)
    fail_msg("%zu x %zu, %zu classes, seed %llu: %zu quantities out of tolerance", shape->rows, shape->features, shape->classes,
             (unsigned long long)seed, failures);
  setosa_dataset_destroy(dataset);
}

#endif
