/* Samples of a row beside its limits, and the numbers that follow from them. */
#include "bench/timing.h"

#include <math.h>

#include "base/clock.h"

enum { LEAST_SAMPLES = 5, LEAST_LONG_SAMPLES = 3 };
static const double long_sample_seconds = 5, part_for_limits = 0.05;

bool timing_wants_more(Timing *timing) {
  const SetosaBenchOptions *options = timing->options;
  size_t taken = timing->seconds.count;
  if (taken == 0) timing->began = clock_seconds();
  if (taken == SAMPLES_MOST) return false;
  if (options->repeat > 0) return taken < options->repeat;
  size_t least = taken > 0 && samples_median(&timing->seconds) > long_sample_seconds ? LEAST_LONG_SAMPLES : LEAST_SAMPLES;
  return taken < least || clock_seconds() - timing->began < options->seconds;
}

Status timing_look_at_limits(Timing *timing, Error *error) {
  Status status = SETOSA_OK;
  double fma = 0, read = 0;
  size_t taken = timing->seconds.count;
  double budget = taken > 0 ? part_for_limits * timing->seconds.value[taken - 1] : 0, began = clock_seconds();
  do {
    TRY(limits_sample(timing->limits, &fma, &read, error));
    samples_add(&timing->fma_gflops, fma);
    samples_add(&timing->read_gbytes_per_s, read);
  } while (clock_seconds() - began < budget);
cleanup:
  return status;
}

void timing_report(const Timing *timing, double flops, double bytes, SetosaBenchResult *result) {
  double median = samples_median(&timing->seconds);
  result->status = SETOSA_BENCH_OK;
  result->samples = timing->seconds.count;
  result->median_ms = 1e3 * median;
  result->min_ms = 1e3 * samples_quantile(&timing->seconds, 0);
  result->max_ms = 1e3 * samples_quantile(&timing->seconds, 1);
  result->spread = samples_spread(&timing->seconds);
  result->gflops = 1e-9 * flops / median;
  result->gbytes_per_s = 1e-9 * bytes / median;
  result->fma_gflops = samples_median(&timing->fma_gflops);
  result->read_gbytes_per_s = samples_median(&timing->read_gbytes_per_s);
  result->limit_ms = 1e-6 * fmax(flops / result->fma_gflops, bytes / result->read_gbytes_per_s);
  result->part_of_limit = result->limit_ms / result->median_ms;
}
