/* What reading rows of a table at random costs, by the size of the table: measured in C on all cores that this process may use, in the same
 * run as what it is a limit for. */
#ifndef SETOSA_BENCH_LIMITS_GATHER_H
#define SETOSA_BENCH_LIMITS_GATHER_H

#include <stddef.h>

#include "base/error.h"

/* Tables of 16 KB, 64 KB, ... 256 MB: some fit each cache that there is, and the largest fits none. */
enum { GATHER_SIZES = 8, GATHER_LEAST_BYTES = 16 << 10, CACHE_LINE = 64 };
static inline double gather_bytes(size_t size) { return (double)((size_t)GATHER_LEAST_BYTES << 2 * size); }

/* Nanoseconds of all cores together for each cache line that a row touches: of rows at random, and of one row after the other. */
typedef struct GatherTimes {
  double random[GATHER_SIZES], ordered[GATHER_SIZES];
} GatherTimes;

typedef struct GatherLimits GatherLimits;

/* Floats of a row of a table for so many classes: what kernels for sparse rows make of them (kernels/sparse.clh), which is 2, a multiple of
 * 4, or for many classes several tiles of a multiple of 4. */
size_t gather_stride(size_t classes);
/* Cache lines that such a row touches: the mean over rows that lie one after the other, the first at the begin of a line. */
double gather_lines(size_t classes);

/* No table is larger than one of most_bytes needs; what larger ones cost is what the largest does.
 */
Status gather_limits_open(GatherLimits **limits, size_t classes, double most_bytes, Error *error);
void gather_limits_close(GatherLimits *limits);
/* Forgets all samples. */
void gather_limits_begin(GatherLimits *limits);
/* One more sample of each time, 2 ms long. Before the first of all the fastest loop for each size is chosen. */
Status gather_limits_sample(GatherLimits *limits, Error *error);
/* The medians of the samples; NAN without any. */
GatherTimes gather_limits_times(const GatherLimits *limits);

/* Loops to choose among, and what one of them makes of `count` rows of the smallest table, a multiple of 64: the sum of their floats, each
 * of which is GATHER_VALUE. */
#define GATHER_VALUE 0.5f
size_t gather_limits_loops(const GatherLimits *limits);
double gather_limits_sum(GatherLimits *limits, size_t loop, size_t count);

#endif
