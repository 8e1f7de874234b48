/* One row, whatever happens to it: a result, in which what went wrong is a reason. */
#include "bench/measure.h"

#include <math.h>
#include <stdio.h>

static void begin_result(const Row *row, SetosaBenchResult *result) {
  static const char *const storages[] = {"auto", "f32", "f16", "u8"}, *const families[] = {"auto", "cpu", "gpu"};
  const Group *group = row->group;
  bool device = backend_needs_device(row->backend);
  *result = (SetosaBenchResult){.rows = group->shape.rows,
                                .features = group->shape.features,
                                .classes = group->shape.classes,
                                .entries = group->shape.entries,
                                .what = group->what,
                                .backend = row_backend_name(row->backend),
                                .device_index = row->place != NULL ? row->place->index : SETOSA_BENCH_HOST,
                                .storage = storages[row->storage],
                                .family = device ? families[group->options->family] : ""};
  snprintf(result->work, sizeof result->work, "%s", group->name);
  snprintf(result->device, sizeof result->device, "%s", row->place != NULL ? row->place->name : "none");
}

/* No number of a row that did not come to its end: NAN, not a time. */
static void clear_numbers(SetosaBenchResult *result) {
  double *const numbers[] = {&result->median_ms,     &result->min_ms,        &result->max_ms,
                             &result->spread,        &result->gflops,        &result->gbytes_per_s,
                             &result->fma_gflops,    &result->limit_ms,      &result->read_gbytes_per_s,
                             &result->part_of_limit, &result->first_call_ms, &result->gather_ms};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) *numbers[i] = NAN;
  result->samples = 0;
  if (result->tolerance == 0) result->error = result->tolerance = NAN;
}

Status row_measure(const Row *row, SetosaBenchResult *result, Error *error) {
  Status status = SETOSA_OK;
  Error failure = {0};
  bool trains = row->group->what == SETOSA_BENCH_EPOCH || row->group->what == SETOSA_BENCH_TRAIN;
  begin_result(row, result);
  result->status = SETOSA_BENCH_SKIPPED;
  const char *refusal = row->place == NULL ? "there is no usable OpenCL device; see `setosa devices`" : row->place->refusal;
  if (refusal[0] != '\0') {
    snprintf(result->reason, sizeof result->reason, "%s", refusal);
    clear_numbers(result);
    return SETOSA_OK;
  }
  status = (trains ? row_train : row_time_passes)(row, result, &failure);
  if (status == SETOSA_INTERRUPTED) return error_set(error, status, "%s", failure.message);
  if (status != SETOSA_OK) {
    if (result->status == SETOSA_BENCH_OK) result->status = SETOSA_BENCH_FAILED;
    if (device_memory_refused(failure.opencl_code)) result->status = SETOSA_BENCH_SKIPPED; /* drivers may allocate at first use */
    snprintf(result->reason, sizeof result->reason, "%.*s", (int)sizeof result->reason - 1, failure.message);
  }
  if (result->status != SETOSA_BENCH_OK) clear_numbers(result);
  return SETOSA_OK;
}
