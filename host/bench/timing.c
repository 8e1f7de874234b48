/* Samples of a row beside its limits, and the numbers that follow from them. */
#include <math.h>

#include "base/clock.h"
#include "bench/row.h"

enum { LEAST_SAMPLES = 5, LEAST_LONG_SAMPLES = 3 };
static const double long_sample_seconds = 5, part_for_limits = 0.05;

static bool enough(const Row *row, const Timing *timing) {
  const SetosaBenchOptions *options = row->group->options;
  size_t taken = timing->seconds.count;
  if (taken == SAMPLES_MOST) return true;
  if (options->repeat > 0) return taken >= options->repeat;
  size_t least = taken > 0 && samples_median(&timing->seconds) > long_sample_seconds ? LEAST_LONG_SAMPLES : LEAST_SAMPLES;
  return taken >= least && clock_seconds() - timing->began >= options->seconds;
}

Status timing_next(const Row *row, Timing *timing, bool *more, Error *error) {
  Status status = SETOSA_OK;
  double fma = 0, read = 0;
  if (timing->seconds.count == 0) timing->began = clock_seconds();
  *more = !enough(row, timing);
  if (!*more) return SETOSA_OK;
  TRY(row_go_on(row, error));
  /* A short look at the limit says little about a long sample: as many as take a twentieth of the last one, shared evenly. */
  size_t taken = timing->seconds.count;
  double budget = taken > 0 ? part_for_limits * timing->seconds.value[taken - 1] : 0, began = clock_seconds();
  do {
    TRY(limits_sample(row->place->limits, &fma, &read, error));
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

static size_t storage_size(const Row *row) {
  if (row->storage == SETOSA_STORAGE_U8) return 1;
  return row->storage == SETOSA_STORAGE_F16 ? 2 : sizeof(float);
}

double row_bytes(const Row *row) { return (double)row->group->shape.rows * (double)row->group->shape.features * (double)storage_size(row); }

double row_flops(const Row *row) {
  const DataShape *data = &row->group->shape;
  double products = row->group->what == SETOSA_BENCH_HESSIAN ? 3 : row->group->what == SETOSA_BENCH_PREDICT ? 1 : 2;
  return 2 * products * (double)data->rows * (double)data->features * (double)data->classes;
}

void row_report_memory(const Row *row, uint64_t device_bytes, size_t vectors, SetosaBenchResult *result) {
  const DataShape *data = &row->group->shape;
  vectors *= row->choice_count > 1 ? row->choice_count : 1; /* each device has its own */
  size_t number = row->backend == SETOSA_BACKEND_REFERENCE ? sizeof(double) : sizeof(float);
  uint64_t needed = (uint64_t)data->rows * (data->features * storage_size(row) + sizeof(int32_t)) +
                    (uint64_t)vectors * number * data->classes * (data->features + 1);
  result->device_bytes = device_bytes;
  result->workspace_bytes = device_bytes > needed ? device_bytes - needed : 0;
}
