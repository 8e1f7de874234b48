/* The samples of a row, and those of its place's limits between them. */
#ifndef SETOSA_BENCH_TIMING_H
#define SETOSA_BENCH_TIMING_H

#include "bench/limits.h"
#include "bench/limits_sparse.h"
#include "bench/statistics.h"

/* A sample of work shorter than this is repeated. */
#define SAMPLE_SECONDS 0.02

/* row_timing() makes one; each sample of the work is added to seconds. */
typedef struct Timing {
  const SetosaBenchOptions *options; /* repeat and seconds say how many samples */
  Limits *limits;
  double flops, bytes; /* of a pass over all rows; bytes of dense rows alone */
  bool sparse;         /* then the bytes follow from the pass, */
  SparsePass pass;
  GatherLimits *gathers; /* and what it reads at random is limited by these, or by the bandwidth (NULL) */
  Samples seconds, fma_gflops, read_gbytes_per_s;
  double began;
} Timing;

bool timing_wants_more(Timing *timing);
/* Before each sample of the work. A short look at the limit says little about a long sample: as many looks as take a twentieth of the last
 * one, shared evenly. */
Status timing_look_at_limits(Timing *timing, Error *error);
/* Everything that follows from the times, of which each is of so many passes. */
void timing_report(Timing *timing, double passes, SetosaBenchResult *result);

#endif
