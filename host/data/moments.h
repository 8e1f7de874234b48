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

/* One that is not finite leaves a mean or a deviation that is not. */
void moments_add(Moments *moments, const double *values, size_t count);
/* The same for each of (columns) at a time: values (rows,columns) row-major, room (4,columns). */
void moments_add_rows(Moments *moments, size_t columns, const double *values, size_t rows, double *room);
/* What was seen after `moments`. */
void moments_merge(Moments *moments, const Moments *next);
double moments_deviation(const Moments *moments); /* of the population; 0 of no numbers */

#endif
