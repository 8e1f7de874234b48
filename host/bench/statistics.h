/* Order statistics of a few samples. */
#ifndef SETOSA_BENCH_STATISTICS_H
#define SETOSA_BENCH_STATISTICS_H

#include <stddef.h>

/* Samples in the order they came; what comes after the last place is dropped. Zero-initialise. */
enum { SAMPLES_MOST = 1000 };
typedef struct Samples {
  double value[SAMPLES_MOST];
  size_t count;
} Samples;

void samples_add(Samples *samples, double value);
/* The value below which a part p (0..1) of the samples lies, linear between neighbours; NAN without samples. */
double samples_quantile(const Samples *samples, double p);
double samples_median(const Samples *samples);
/* (90th - 10th percentile) / median: a single outlier in ten does not count; 0 for one sample. */
double samples_spread(const Samples *samples);

#endif
