/* One row: open, judge, time. Nothing else of ours runs while a time is taken, and the device is idle before and after each sample. */
#include "bench/row.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

static const char *const backend_names[] = {"native", "reference", "clblast", "blas", "auto"}; /* as SetosaBackend */

enum { SCORES_BYTES = 16 << 20 };            /* of probabilities on the host, as setosa_predict has them */
enum { BENCH_VECTORS = 5 };                  /* weights, direction and answer, and two of the tuner */
enum { CHUNKS = 8, CHUNK_BYTES = 64 << 20 }; /* of rows that are made as needed */

typedef struct Running {
  const Row *row;
  RowDevices devices;
  Contender contender;
  float *scores; /* (block, K), for PREDICT */
  size_t block;
} Running;

/* Several times as many chunks as there are stages: what is small enough for the stages would stay there, and be read and not made. */
static size_t chunk_rows(const Dataset *dataset) {
  size_t most = CHUNK_BYTES / sizeof(float) / dataset->features, some = dataset->rows / CHUNKS;
  some = some < most ? some : most;
  return some > 0 ? some : 1;
}

BackendSettings row_settings(const Row *row, const RowDevices *devices) {
  const SetosaBenchOptions *options = row->group->options;
  bool native = row->backend == SETOSA_BACKEND_NATIVE, device = devices->count > 0;
  BackendSettings settings = {.kind = row->backend,
                              .family = device ? options->family : SETOSA_FAMILY_AUTO,
                              .context = device ? devices->contexts[0] : NULL,
                              .intercept = true,
                              .storage = native ? row->storage : SETOSA_STORAGE_F32,
                              .tuning = options->tuning,
                              .tunes = true,
                              .vectors = BENCH_VECTORS,
                              .streamed = row->group->made && device,
                              .chunk_rows = row->group->made ? chunk_rows(row->group->dataset) : 0,
                              .reproducible = native && options->reproducible};
  _Static_assert((int)SETOSA_CHOICES_MOST <= (int)BACKEND_MOST_DEVICES, "as many devices as a backend takes");
  if (devices->count > 1) settings.context_count = devices->count;
  for (size_t i = 0; i < settings.context_count; i++) settings.contexts[i] = devices->contexts[i];
  return settings;
}

Status row_open_devices(const Row *row, RowDevices *devices, Error *error) {
  Status status = SETOSA_OK;
  const Place *place = row->place;
  const SetosaDeviceChoice own = {.index = (size_t)place->index, .part = place->part, .parts = place->parts > 0 ? place->parts : 1};
  const SetosaDeviceChoice *choices = row->choice_count > 0 ? row->choices : &own;
  *devices = (RowDevices){.count = 0};
  if (place->index == SETOSA_BENCH_HOST) return SETOSA_OK;
  for (size_t i = 0; i < (row->choice_count > 0 ? row->choice_count : 1); i++) {
    const SetosaDeviceChoice *choice = &choices[i];
    /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): it does not see that there are choice_count choices */
    TRY(context_open_part(&devices->contexts[i], row->group->options->devices, choice->index, choice->part, choice->parts, error));
    devices->count++;
  }
cleanup:
  return status;
}

void row_close_devices(RowDevices *devices) {
  for (size_t i = 0; i < devices->count; i++) context_close(devices->contexts[i]);
  *devices = (RowDevices){.count = 0};
}

Status row_go_on(const Row *row, Error *error) {
  const SetosaBenchOptions *options = row->group->options;
  if (options->stop == NULL || !options->stop(options->user)) return SETOSA_OK;
  return error_set(error, SETOSA_INTERRUPTED, "interrupted; what was measured so far stands, the rest is missing");
}

void row_say(const Row *row, const char *doing) {
  char line[256];
  const SetosaBenchOptions *options = row->group->options;
  if (options->doing == NULL) return;
  snprintf(line, sizeof line, "%s %s, %s on %s: %s", row->group->name, setosa_bench_what_name(row->group->what),
           backend_names[row->backend], row->place->name, doing);
  options->doing(line, options->user);
}

/* ---- the contender ---------------------------------------------------------------------------------------------- */

Status row_open_contender(const Row *row, const RowDevices *devices, Contender *contender, Error *error) {
  Status status = SETOSA_OK;
  BackendSettings settings = row_settings(row, devices);
  TRY(backend_open(&contender->backend, row->group->dataset, &settings, error));
  TRY(contender_open(contender, row->group->what, error));
cleanup:
  return status;
}

/* The weights that every backend gets; made by the truth, so that this is the first thing that needs one. */
static Status write_vectors(const Row *row, const Contender *contender, Error *error) {
  Status status = SETOSA_OK;
  Group *group = row->group;
  if (group->truth == NULL) {
    row_say(row, "the reference computes");
    TRY(truth_create(&group->truth, group->dataset, group->what, TRUTH_FLOPS, error));
  }
  TRY(vector_write(contender->backend, contender->w, group->truth->w, error));
  if (contender->v != NULL) TRY(vector_write(contender->backend, contender->v, group->truth->v, error));
cleanup:
  return status;
}

Status row_judge(const Row *row, Contender *contender, double pass_seconds, SetosaBenchResult *result, Error *error) {
  Status status = SETOSA_OK;
  Verdict verdict = {.passed = false};
  TRY(write_vectors(row, contender, error));
  row_say(row, "comparing with the reference");
  TRY(truth_judge(row->group->truth, contender, pass_seconds, &verdict, error));
  result->error = verdict.error;
  result->tolerance = verdict.tolerance;
  if (verdict.passed) goto cleanup;
  result->status = SETOSA_BENCH_FAILED;
  memcpy(result->reason, verdict.reason, sizeof result->reason);
cleanup:
  return status;
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

static Status finish(const Running *r, Error *error) {
  Status status = SETOSA_OK;
  for (size_t i = 0; i < r->devices.count && status == SETOSA_OK; i++) status = context_finish(r->devices.contexts[i], error);
  return status;
}

static Status run_once(Running *r, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = r->contender.backend;
  RowRange all = backend_all_rows(backend);
  Evaluation at = {.objective = NAN};
  switch (r->row->group->what) {
    case SETOSA_BENCH_HESSIAN:
      return objective_hessian_product(&r->contender.objective, r->contender.w, r->contender.v, all, r->contender.out, error);
    case SETOSA_BENCH_PREDICT:
      for (size_t first = 0; first < all.count; first += r->block) {
        RowRange rows = {first, all.count - first < r->block ? all.count - first : r->block};
        TRY(backend_predict(backend, r->contender.w, rows, ROW_PROBABILITIES, r->scores, error));
      }
      return SETOSA_OK;
    case SETOSA_BENCH_STEP:
    case SETOSA_BENCH_EPOCH:
    case SETOSA_BENCH_TRAIN:
      break;
  }
  TRY(objective_evaluate(&r->contender.objective, r->contender.w, all, r->contender.out, &at, error));
  if (!isfinite(at.objective)) TRY(error_set(error, SETOSA_ERROR_DEVICE, "the objective is %g where it was finite before", at.objective));
cleanup:
  return status;
}

static Status time_passes(Running *r, size_t passes, double *seconds, Error *error) {
  Status status = SETOSA_OK;
  TRY(finish(r, error));
  double began = clock_seconds();
  for (size_t i = 0; i < passes; i++) TRY(run_once(r, error));
  TRY(finish(r, error));
  *seconds = (clock_seconds() - began) / (double)passes;
cleanup:
  return status;
}

static Status time_samples(Running *r, Timing *timing, Error *error) {
  Status status = SETOSA_OK;
  double seconds = 0;
  size_t passes = 1;
  row_say(r->row, "timing");
  for (;;) { /* also warms up what the comparison did not use */
    TRY(time_passes(r, passes, &seconds, error));
    if (seconds * (double)passes >= SAMPLE_SECONDS) break;
    passes = (size_t)fmin(1e6, ceil(1.2 * SAMPLE_SECONDS / fmax(seconds, 1e-8)));
    if (passes == 1000000) break;
  }
  for (bool more = true;;) {
    TRY(timing_next(r->row, timing, &more, error));
    if (!more) break;
    TRY(time_passes(r, passes, &seconds, error));
    samples_add(&timing->seconds, seconds);
  }
cleanup:
  return status;
}

static Status reserve_scores(Running *r, Error *error) {
  const Dataset *data = r->row->group->dataset;
  if (r->row->group->what != SETOSA_BENCH_PREDICT) return SETOSA_OK;
  r->block = SCORES_BYTES / sizeof(float) / data->classes;
  if (r->block < 1) r->block = 1;
  if (r->block > data->rows) r->block = data->rows;
  return memory_allocate((void **)&r->scores, r->block * data->classes, sizeof *r->scores, "a block of probabilities", error);
}

static Status run_row(Running *r, SetosaBenchResult *result, Error *error) {
  Status status = SETOSA_OK;
  Timing timing = {.began = 0};
  BackendFacts facts = {0};
  double first = 0, began = clock_seconds();
  bool hessian = r->row->group->what == SETOSA_BENCH_HESSIAN, predict = r->row->group->what == SETOSA_BENCH_PREDICT;
  row_say(r->row, "preparing");
  result->status = SETOSA_BENCH_SKIPPED; /* what cannot be opened */
  TRY(row_open_contender(r->row, &r->devices, &r->contender, error));
  double opening = clock_seconds() - began;
  result->status = SETOSA_BENCH_FAILED;
  if (r->contender.backend == NULL) TRY(error_set(error, SETOSA_ERROR_INTERNAL, "no backend was opened"));
  TRY(reserve_scores(r, error));
  TRY(write_vectors(r->row, &r->contender, error));
  TRY(row_go_on(r->row, error));
  TRY(time_passes(r, 1, &first, error));
  result->first_call_ms = 1e3 * (opening + first);
  TRY(row_judge(r->row, &r->contender, first, result, error));
  if (result->reason[0] != '\0') goto cleanup;
  TRY(time_samples(r, &timing, error));
  timing_report(&timing, row_flops(r->row), row_bytes(r->row), result);
  backend_facts(r->contender.backend, &facts);
  row_report_memory(r->row, facts.bytes_held, predict ? 1 : hessian ? 3 : 2, result);
  result->family = facts.family;
  if (facts.storage != NULL) result->storage = facts.storage;
cleanup:
  return status;
}

static void begin_result(const Row *row, SetosaBenchResult *result) {
  static const char *const storages[] = {"auto", "f32", "f16", "u8"}, *const families[] = {"auto", "cpu", "gpu"};
  const Group *group = row->group;
  bool device = backend_needs_device(row->backend);
  *result = (SetosaBenchResult){.rows = group->dataset->rows,
                                .features = group->dataset->features,
                                .classes = group->dataset->classes,
                                .what = group->what,
                                .backend = backend_names[row->backend],
                                .device_index = row->place != NULL ? row->place->index : SETOSA_BENCH_HOST,
                                .storage = storages[row->storage],
                                .family = device ? families[group->options->family] : ""};
  snprintf(result->work, sizeof result->work, "%s", group->name);
  snprintf(result->device, sizeof result->device, "%s", row->place != NULL ? row->place->name : "none");
}

/* No number of a row that did not come to its end: NAN, not a time. */
static void clear_numbers(SetosaBenchResult *result) {
  double *const numbers[] = {&result->median_ms,     &result->min_ms,       &result->max_ms,
                             &result->spread,        &result->gflops,       &result->gbytes_per_s,
                             &result->fma_gflops,    &result->limit_ms,     &result->read_gbytes_per_s,
                             &result->part_of_limit, &result->first_call_ms};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) *numbers[i] = NAN;
  result->samples = 0;
  if (result->tolerance == 0) result->error = result->tolerance = NAN;
}

void row_skip(const Row *row, const char *reason, SetosaBenchResult *result) {
  begin_result(row, result);
  result->status = SETOSA_BENCH_SKIPPED;
  snprintf(result->reason, sizeof result->reason, "%s", reason);
  clear_numbers(result);
}

Status row_measure(const Row *row, SetosaBenchResult *result, Error *error) {
  Status status = SETOSA_OK;
  Error failure = {0};
  Running r = {.row = row};
  bool trains = row->group->what == SETOSA_BENCH_EPOCH || row->group->what == SETOSA_BENCH_TRAIN;
  begin_result(row, result);
  result->status = SETOSA_BENCH_SKIPPED;
  const char *refusal = row->place == NULL ? "there is no usable OpenCL device; see `setosa devices`" : row->place->refusal;
  if (refusal[0] != '\0') {
    row_skip(row, refusal, result);
    return SETOSA_OK;
  }
  if (trains) {
    status = row_train(row, result, &failure);
  } else {
    status = row_open_devices(row, &r.devices, &failure);
    if (status == SETOSA_OK) status = run_row(&r, result, &failure);
  }
  contender_close(&r.contender);
  free(r.scores);
  row_close_devices(&r.devices);
  if (status == SETOSA_INTERRUPTED) return error_set(error, status, "%s", failure.message);
  if (status != SETOSA_OK) {
    if (result->status == SETOSA_BENCH_OK) result->status = SETOSA_BENCH_FAILED;
    if (device_memory_refused(failure.opencl_code)) result->status = SETOSA_BENCH_SKIPPED; /* drivers may allocate at first use */
    snprintf(result->reason, sizeof result->reason, "%.*s", (int)sizeof result->reason - 1, failure.message);
  }
  if (result->status != SETOSA_BENCH_OK) clear_numbers(result);
  return SETOSA_OK;
}
