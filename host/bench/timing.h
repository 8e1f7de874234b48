/* The samples of a row, and those of its place's limits between them. */
#ifndef SETOSA_BENCH_TIMING_H
#define SETOSA_BENCH_TIMING_H

#include "bench/limits.h"
#include "bench/limits_sparse.h"
#include "bench/statistics.h"

/* A sample of work shorter than this is repeated. */
#define SAMPLE_SECONDS 0.02

/* Set options, limits, pass and gathers (all borrowed), and leave the rest zero; each sample of the work is added to seconds. */
typedef struct Timing {
  const SetosaBenchOptions *options; /* repeat and seconds say how many samples */
  Limits *limits;
  const SparsePass *pass; /* NULL: rows are dense */
  GatherLimits *gathers;  /* NULL: those of a pass are limited by the bandwidth */
  Samples seconds, fma_gflops, read_gbytes_per_s;
  double began;
} Timing;

bool timing_wants_more(Timing *timing);
/* Before each sample of the work. A short look at the limit says little about a long sample: as many looks as take a twentieth of the last
 * one, shared evenly. */
Status timing_look_at_limits(Timing *timing, Error *error);
/* Everything that follows from the times: passes are per unit of work that was timed; flops, and bytes of X, are of one of them. */
void timing_report(const Timing *timing, double passes, double flops, double bytes, SetosaBenchResult *result);

#endif
