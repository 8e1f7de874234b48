/* Sums whose last digits do not go with the number of terms. */
#ifndef SETOSA_BASE_SUM_H
#define SETOSA_BASE_SUM_H

#include <math.h>

/* A sum that carries its own rounding error (Neumaier's form of TwoSum): as accurate as if added in twice the precision.
 * Start from {0, 0}; the value is high + low. */
typedef struct CompensatedSum {
  double high, low;
} CompensatedSum;

static inline void compensated_add(CompensatedSum *sum, double term) {
  double total = sum->high + term;
  /* What the rounding of `total` lost is exact when taken from the larger of the two. A non-finite total has nothing to correct. */
  if (isfinite(total)) sum->low += fabs(sum->high) >= fabs(term) ? (sum->high - total) + term : (term - total) + sum->high;
  sum->high = total;
}

#endif
