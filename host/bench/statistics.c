/* Order statistics of a few samples. */
#include "bench/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void samples_add(Samples *samples, double value) {
  if (samples->count < SAMPLES_MOST) samples->value[samples->count++] = value;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double samples_quantile(const Samples *samples, double p) {
  double sorted[SAMPLES_MOST];
  if (samples->count == 0) return NAN;
  memcpy(sorted, samples->value, samples->count * sizeof *sorted);
  qsort(sorted, samples->count, sizeof *sorted, by_value);
  double at = p * (double)(samples->count - 1);
  size_t below = (size_t)at, above = below + 1 < samples->count ? below + 1 : below;
  return sorted[below] + (at - (double)below) * (sorted[above] - sorted[below]);
}

double samples_median(const Samples *samples) { return samples_quantile(samples, 0.5); }

double samples_spread(const Samples *samples) {
  return (samples_quantile(samples, 0.9) - samples_quantile(samples, 0.1)) / fmax(samples_median(samples), 1e-12);
}
