/* The table of shapes that both families must get right: shared by the kernel tests. */
#ifndef SETOSA_TESTS_KERNELS_SHAPES_H
#define SETOSA_TESTS_KERNELS_SHAPES_H

#include <stdio.h>
#include "support/shape.h"

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

static inline void print_row(const SetosaCheckRow *row, void *user) {
  bool verbose = *(const bool *)user;
  if (!row->passed || verbose)
    printf("%s %zu x %zu, %zu classes, family %s: %s against %s: error %.2e, tolerance %.2e\n", row->passed ? "ok  " : "FAIL", row->rows,
           row->features, row->classes, row->family == SETOSA_FAMILY_CPU ? "cpu" : "gpu", row->what, row->against, row->error,
           row->tolerance);
}

#endif
