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
  if (taken == 0 && timing->gathers != NULL) gather_limits_begin(timing->gathers);
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
    if (timing->gathers != NULL) TRY(gather_limits_sample(timing->gathers, error));
  } while (clock_seconds() - began < budget);
cleanup:
  return status;
}

/* Seconds that the gathers of a pass take at least, which is cut as is best; NAN for dense rows, which fmax passes over. */
static double gather_seconds(Timing *timing, double gbytes_per_s) {
  GatherTimes times;
  if (!timing->sparse) return NAN;
  if (timing->gathers != NULL) times = gather_limits_times(timing->gathers);
  const GatherTimes *known = timing->gathers != NULL ? &times : NULL;
  sparse_pass_cut(&timing->pass, known, gbytes_per_s);
  timing->bytes = sparse_pass_bytes(&timing->pass);
  return sparse_pass_gathers(&timing->pass, known, gbytes_per_s);
}

void timing_report(Timing *timing, double passes, SetosaBenchResult *result) {
  double median = samples_median(&timing->seconds);
  result->status = SETOSA_BENCH_OK;
  result->samples = timing->seconds.count;
  result->median_ms = 1e3 * median;
  result->min_ms = 1e3 * samples_quantile(&timing->seconds, 0);
  result->max_ms = 1e3 * samples_quantile(&timing->seconds, 1);
  result->spread = samples_spread(&timing->seconds);
  result->fma_gflops = samples_median(&timing->fma_gflops);
  result->read_gbytes_per_s = samples_median(&timing->read_gbytes_per_s);
  result->gather_ms = 1e3 * passes * gather_seconds(timing, result->read_gbytes_per_s);
  double flops = passes * timing->flops, bytes = passes * timing->bytes;
  result->gflops = 1e-9 * flops / median;
  result->gbytes_per_s = 1e-9 * bytes / median;
  result->limit_ms = fmax(1e-6 * fmax(flops / result->fma_gflops, bytes / result->read_gbytes_per_s), result->gather_ms);
  result->part_of_limit = result->limit_ms / result->median_ms;
}
