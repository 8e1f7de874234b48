/* What both ways of measuring a row share: its backend, opened and judged, and the work in flops and bytes. */
#include "bench/row.h"

#include <stdio.h>
#include <string.h>

enum { BENCH_VECTORS = 5 }; /* weights, direction and answer, and two of the tuner */

BackendSettings row_settings(const Row *row, Context *context) {
  const SetosaBenchOptions *options = row->group->options;
  bool native = row->backend == SETOSA_BACKEND_NATIVE;
  return (BackendSettings){.kind = row->backend,
                           .family = context != NULL ? options->family : SETOSA_FAMILY_AUTO,
                           .context = context,
                           .intercept = true,
                           .storage = native ? row->storage : SETOSA_STORAGE_F32,
                           .tuning = options->tuning,
                           .tunes = true,
                           .vectors = BENCH_VECTORS,
                           .reproducible = native && options->reproducible};
}

Status row_open_context(const Row *row, Context **context, Error *error) {
  *context = NULL;
  if (row->place->index == SETOSA_BENCH_HOST) return SETOSA_OK;
  return context_open(context, row->group->options->devices, (size_t)row->place->index, error);
}

Status bench_go_on(const SetosaBenchOptions *options, Error *error) {
  if (options->stop == NULL || !options->stop(options->user)) return SETOSA_OK;
  return error_set(error, SETOSA_INTERRUPTED, "interrupted; what was measured so far stands, the rest is missing");
}

const char *row_backend_name(SetosaBackend backend) {
  static const char *const names[] = {"native", "reference", "clblast", "blas"}; /* as SetosaBackend */
  return names[backend];
}

void row_say(const Row *row, const char *doing) {
  char line[256];
  const SetosaBenchOptions *options = row->group->options;
  if (options->doing == NULL) return;
  snprintf(line, sizeof line, "%s %s, %s on %s: %s", row->group->name, setosa_bench_what_name(row->group->what),
           setosa_backend_name(row->backend), row->place->name, doing);
  options->doing(line, options->user);
}

/* ---- the contender ---------------------------------------------------------------------------------------------- */

Status row_open_contender(const Row *row, Context *context, Contender *contender, Error *error) {
  Status status = SETOSA_OK;
  BackendSettings settings = row_settings(row, context);
  TRY(backend_open(&contender->backend, row->group->dataset, &settings, error));
  TRY(contender_open(contender, row->group->what, error));
cleanup:
  return status;
}

/* The weights that every backend gets; made by the truth, so that this is the first thing that needs one. */
Status row_write_vectors(const Row *row, const Contender *contender, Error *error) {
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
  TRY(row_write_vectors(row, contender, error));
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

/* ---- the work --------------------------------------------------------------------------------------------------- */

static size_t storage_size(const Row *row) {
  if (row->storage == SETOSA_STORAGE_U8) return 1;
  return row->storage == SETOSA_STORAGE_F16 ? 2 : sizeof(float);
}

/* Bytes of the value of an entry. */
static size_t entry_size(const Row *row) { return row->group->shape.ones ? 0 : storage_size(row); }

/* What rows at random cost is known of the processors of the host alone. */
static GatherLimits *gathers_of(const Row *row) {
  const Place *place = row->place;
  bool host = place->context == NULL || context_info(place->context)->type == SETOSA_DEVICE_CPU;
  return host ? row->group->sparse->gathers : NULL;
}

Timing row_timing(const Row *row) {
  const DataShape *data = &row->group->shape;
  const SparseWork *sparse = row->group->sparse;
  double logits = row->group->what == SETOSA_BENCH_HESSIAN ? 2 : 1;    /* products of X and weights, */
  double gradients = row->group->what == SETOSA_BENCH_PREDICT ? 0 : 1; /* and of residuals and X */
  Timing timing = {.options = row->group->options,
                   .limits = row->place->limits,
                   .flops = 2 * (logits + gradients) * (double)data->entries * (double)data->classes,
                   .bytes = (double)data->entries * (double)storage_size(row)};
  if (sparse == NULL) return timing;
  timing.sparse = true;
  timing.pass = (SparsePass){.tally = &sparse->tally, .logits = logits, .gradients = gradients, .value_bytes = (double)entry_size(row)};
  timing.gathers = gathers_of(row);
  return timing;
}

void row_report_memory(const Row *row, uint64_t device_bytes, size_t vectors, SetosaBenchResult *result) {
  const DataShape *data = &row->group->shape;
  size_t number = row->backend == SETOSA_BACKEND_REFERENCE ? sizeof(double) : sizeof(float);
  uint64_t values = row->group->sparse != NULL ? (data->rows + 1) * sizeof(uint64_t) + data->entries * (sizeof(uint32_t) + entry_size(row))
                                               : data->entries * storage_size(row);
  uint64_t needed = values + (uint64_t)data->rows * sizeof(int32_t) + (uint64_t)vectors * number * data->classes * (data->features + 1);
  result->device_bytes = device_bytes;
  result->workspace_bytes = device_bytes > needed ? device_bytes - needed : 0;
}
