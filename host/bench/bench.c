/* setosa_bench: works, operations, backends and places, one row after the other. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/memory.h"
#include "bench/measure.h"
#include "bench/statistics.h"
#include "bench/suite.h"
#include "judge/selftest.h"
#include "options/table.h"
#include "train/device.h"

typedef struct Bench {
  const SetosaBenchOptions *options;
  Place host, *devices; /* (options->device_count) */
} Bench;

static const double cheap_flops = 2e8; /* of a pass: the reference joins without being asked */

SetosaBenchOptions setosa_bench_options_default(void) {
  SetosaTrainOptions train = setosa_train_options_default();
  return (SetosaBenchOptions){.seconds = 1, .max_iterations = train.max_iterations, .tolerance = train.tolerance};
}

/* A list that is NULL and has entries. */
static Status check_lists(const SetosaBenchOptions *o, Error *error) {
  const Argument lists[] = {{"devices", o->devices != NULL || o->device_count == 0},
                            {"device_indices", o->device_indices != NULL || o->device_count == 0},
                            {"backends", o->backends != NULL || o->backend_count == 0},
                            {"storages", o->storages != NULL || o->storage_count == 0},
                            {"whats", o->whats != NULL || o->what_count == 0}};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
    if (!lists[i].given)
      return error_set(error, SETOSA_ERROR_USAGE, "setosa_bench: options.%s is NULL, and its count is not 0; give the list", lists[i].name);
  return SETOSA_OK;
}

static Status check_options(const SetosaBenchOptions *o, Error *error) {
  if (check_lists(o, error) != SETOSA_OK) return SETOSA_ERROR_USAGE;
  for (size_t i = 0; i < o->backend_count; i++)
    if ((unsigned)o->backends[i] > SETOSA_BACKEND_BLAS)
      return error_set(error, SETOSA_ERROR_USAGE, "--backends: choose native, clblast, blas or reference");
  for (size_t i = 0; i < o->storage_count; i++)
    if (o->storages[i] < SETOSA_STORAGE_F32 || o->storages[i] > SETOSA_STORAGE_U8)
      return error_set(error, SETOSA_ERROR_USAGE, "--storage: choose f32, f16 or u8; a row has one storage, so auto is none");
  for (size_t i = 0; i < o->what_count; i++)
    if ((unsigned)o->whats[i] > SETOSA_BENCH_PREDICT)
      return error_set(error, SETOSA_ERROR_USAGE, "--what: choose step, hessian, epoch, train or predict");
  for (size_t i = 0; i < o->device_count; i++)
    if (o->device_indices[i] >= setosa_devices_count(o->devices))
      return error_set(error, SETOSA_ERROR_USAGE, "there is no device %zu; see `setosa devices`", o->device_indices[i]);
  if ((unsigned)o->family > SETOSA_FAMILY_GPU) return error_set(error, SETOSA_ERROR_USAGE, "--family: choose auto, cpu or gpu");
  if (options_check_tuning(o->tuning, o->reproducible, error) != SETOSA_OK) return SETOSA_ERROR_USAGE;
  if (!(o->seconds >= 0) || !isfinite(o->seconds)) return error_set(error, SETOSA_ERROR_USAGE, "--seconds: give a number of at least 0");
  if (!(o->tolerance >= 0) || !isfinite(o->tolerance))
    return error_set(error, SETOSA_ERROR_USAGE, "--tolerance: give a number of at least 0");
  if (o->repeat > SAMPLES_MOST) return error_set(error, SETOSA_ERROR_USAGE, "--repeat: give at most %d", SAMPLES_MOST);
  if (o->dataset != NULL && !dataset_shape(o->dataset).labelled)
    return error_set(error, SETOSA_ERROR_USAGE, "%s has no labels to compute a loss with; name them with --labels or --label",
                     dataset_source(o->dataset));
  return SETOSA_OK;
}

/* ---- places ----------------------------------------------------------------------------------------------------- */

static void say(const SetosaBenchOptions *options, const char *format, const char *name) {
  char line[256];
  if (options->doing == NULL) return;
  snprintf(line, sizeof line, format, name);
  options->doing(line, options->user);
}

static Status prepare_device(Place *place, const SetosaBenchOptions *options, Error *error) {
  Status status = SETOSA_OK;
  const SetosaDeviceInfo *info = setosa_devices_get(options->devices, (size_t)place->index);
  if (!info->usable && !options->force_device)
    TRY(error_set(error, SETOSA_ERROR_DEVICE, "device %d is refused: %s", place->index, info->refusal));
  TRY(context_open(&place->context, options->devices, (size_t)place->index, error));
  if (!options->force_device) TRY(selftest_run(place->context, error));
  TRY(limits_open_device(&place->limits, place->context, error));
cleanup:
  return status;
}

/* Opens a place (its index and name are set) and reports its limits. One that cannot be used remembers the reason, for its rows. */
static Status open_place(Place *place, const SetosaBenchOptions *options, Error *error) {
  Error refusal = {0};
  SetosaBenchLimits measured = {.device_index = place->index};
  Status status = bench_go_on(options, error);
  if (status != SETOSA_OK) return status;
  say(options, "measuring the limits of %s", place->name);
  status = place->index == SETOSA_BENCH_HOST ? limits_open_host(&place->limits, &refusal) : prepare_device(place, options, &refusal);
  if (status == SETOSA_OK) status = limits_measure(place->limits, &measured, &refusal);
  if (status != SETOSA_OK) {
    snprintf(place->refusal, sizeof place->refusal, "%.*s", (int)sizeof place->refusal - 1, refusal.message);
    return SETOSA_OK;
  }
  snprintf(measured.device, sizeof measured.device, "%s", place->context != NULL ? context_info(place->context)->name : place->name);
  if (options->limits != NULL) options->limits(&measured, options->user);
  return SETOSA_OK;
}

static Status open_places(Bench *bench, const SetosaBenchOptions *options, Error *error) {
  Status status = SETOSA_OK;
  bool uses_device = options->backend_count == 0, uses_host = uses_device;
  *bench = (Bench){.options = options};
  TRY(check_options(options, error));
  for (size_t i = 0; i < options->backend_count; i++) {
    uses_device |= backend_needs_device(options->backends[i]);
    uses_host |= !backend_needs_device(options->backends[i]);
  }
  TRY(memory_allocate_zero((void **)&bench->devices, options->device_count, sizeof *bench->devices, "devices", error));
  for (size_t i = 0; uses_device && i < options->device_count; i++) {
    Place *place = &bench->devices[i];
    place->index = (int)options->device_indices[i];
    snprintf(place->name, sizeof place->name, "%s", setosa_devices_get(options->devices, options->device_indices[i])->name);
    TRY(open_place(place, options, error));
  }
  bench->host = (Place){.index = SETOSA_BENCH_HOST, .name = "host"};
  if (uses_host) TRY(open_place(&bench->host, options, error));
cleanup:
  return status;
}

static void close_place(Place *place) {
  limits_close(place->limits);
  context_close(place->context);
}

static void close_places(Bench *bench) {
  close_place(&bench->host);
  for (size_t i = 0; bench->devices != NULL && i < bench->options->device_count; i++) close_place(&bench->devices[i]);
  free(bench->devices);
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static Status run_row(Row row, Error *error) {
  Status status = SETOSA_OK;
  SetosaBenchResult result;
  const SetosaBenchOptions *options = row.group->options;
  TRY(bench_go_on(options, error));
  TRY(row_measure(&row, &result, error));
  if (options->result != NULL) options->result(&result, options->user);
cleanup:
  return status;
}

/* A row of one backend at every place and in every storage that make a difference to it. */
static Status run_backend(const Bench *bench, Group *group, SetosaBackend backend, Error *error) {
  Status status = SETOSA_OK;
  const SetosaBenchOptions *options = bench->options;
  bool device = backend_needs_device(backend), choice = backend == SETOSA_BACKEND_NATIVE && options->storage_count > 0;
  Row row = {.group = group, .place = device ? NULL : &bench->host, .backend = backend, .storage = SETOSA_STORAGE_F32};
  if (!device || options->device_count == 0) return run_row(row, error);
  for (size_t d = 0; d < options->device_count; d++)
    for (size_t s = 0; s < (choice ? options->storage_count : 1); s++) {
      row.place = &bench->devices[d];
      row.storage = choice ? options->storages[s] : SETOSA_STORAGE_F32;
      TRY(run_row(row, error));
    }
cleanup:
  return status;
}

static Status run_group(const Bench *bench, Group *group, Error *error) {
  static const SetosaBackend usual[] = {SETOSA_BACKEND_NATIVE, SETOSA_BACKEND_CLBLAST, SETOSA_BACKEND_BLAS, SETOSA_BACKEND_REFERENCE};
  Status status = SETOSA_OK;
  const SetosaBenchOptions *options = bench->options;
  const DataShape *data = &group->shape;
  bool cheap = 4.0 * (double)data->entries * (double)data->classes <= cheap_flops;
  size_t count = options->backend_count > 0 ? options->backend_count : cheap ? 4 : 3;
  const SetosaBackend *backends = options->backend_count > 0 ? options->backends : usual;
  for (size_t i = 0; i < count; i++) TRY(run_backend(bench, group, backends[i], error));
cleanup:
  truth_destroy(group->truth);
  group->truth = NULL;
  return status;
}

/* Counts the columns of a work of sparse rows, and measures what reading rows of tables costs. */
static Status open_sparse(SparseWork *work, const Bench *bench, const char *name, const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  double most = 0;
  say(bench->options, "measuring the limits of %s", name);
  TRY(sparse_tally_make(&work->tally, dataset, error));
  for (size_t i = 0; i < GATHER_SIZES; i++) most = fmax(most, work->tally.cut[i].bytes);
  TRY(gather_limits_open(&work->gathers, work->tally.classes, fmax(most, work->tally.weights_bytes), error));
cleanup:
  return status;
}

static Status run_work(const Bench *bench, const char *name, const Dataset *dataset, Error *error) {
  static const SetosaBenchWhat usual[] = {SETOSA_BENCH_STEP};
  Status status = SETOSA_OK;
  SparseWork sparse = {.gathers = NULL};
  const SetosaBenchOptions *options = bench->options;
  size_t count = options->what_count > 0 ? options->what_count : 1;
  bool is_sparse = dataset_shape(dataset).kind == DATA_SPARSE;
  if (is_sparse) TRY(open_sparse(&sparse, bench, name, dataset, error));
  for (size_t i = 0; i < count; i++) {
    Group group = {.options = options,
                   .dataset = dataset,
                   .shape = dataset_shape(dataset),
                   .sparse = is_sparse ? &sparse : NULL,
                   .what = options->what_count > 0 ? options->whats[i] : usual[0]};
    snprintf(group.name, sizeof group.name, "%s", name);
    TRY(run_group(bench, &group, error));
  }
cleanup:
  gather_limits_close(sparse.gathers);
  return status;
}

static Status run_suite(const Bench *bench, const bool chosen[SUITE_WORKS], Error *error) {
  Status status = SETOSA_OK;
  Dataset *dataset = NULL;
  for (size_t work = 0; work < SUITE_WORKS; work++) {
    if (!chosen[work]) continue;
    TRY(bench_go_on(bench->options, error));
    say(bench->options, "preparing the data of %s", suite_name(work));
    TRY(suite_load(&dataset, work, bench->options->fashion, error));
    TRY(run_work(bench, suite_name(work), dataset, error));
    setosa_dataset_destroy(dataset);
    dataset = NULL;
  }
cleanup:
  setosa_dataset_destroy(dataset);
  return status;
}

SetosaStatus setosa_bench(const SetosaBenchOptions *options, SetosaError *error) {
  Status status = SETOSA_OK;
  Bench bench = {.options = options};
  bool chosen[SUITE_WORKS];
  TRY(arguments_check(error, GIVEN(options)));
  TRY(suite_choose(chosen, options->works, error));
  TRY(open_places(&bench, options, error));
  /* The reference reads rows in memory; of rows that are made as passes need them it fetches those it judges. */
  if (options->dataset != NULL && dataset_shape(options->dataset).place != DATA_MADE) TRY(dataset_hold(options->dataset, error));
  if (options->dataset != NULL)
    TRY(run_work(&bench, options->name != NULL ? options->name : "data", options->dataset, error));
  else
    TRY(run_suite(&bench, chosen, error));
cleanup:
  close_places(&bench);
  return status;
}
