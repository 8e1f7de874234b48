/* Mean, spread and range of a column of numbers, in one pass and in parts that are merged in order. Private to host/data. */
#ifndef SETOSA_DATA_MOMENTS_H
#define SETOSA_DATA_MOMENTS_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed: of no numbers. */
typedef struct Moments {
  uint64_t count;
  double mean, squares; /* of the deviations from the mean, summed */
  double least, most;
} Moments;

/* `count` numbers, `stride` apart. One that is not finite leaves a mean or a deviation that is not. */
void moments_add(Moments *moments, const double *values, size_t count, size_t stride);
/* What was seen after `moments`. */
void moments_merge(Moments *moments, const Moments *next);
double moments_deviation(const Moments *moments); /* of the population; 0 of no numbers */

#endif
