/* Rows that are one pass over X: STEP, HESSIAN and PREDICT. Nothing else of ours runs while a time is taken, and the device is idle before
 * and after each sample. */
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "bench/row.h"

enum { SCORES_BYTES = 16 << 20 }; /* of probabilities on the host, as setosa_predict has them */

typedef struct Running {
  const Row *row;
  Context *context;
  Contender contender;
  float *scores; /* (block, K), for PREDICT */
  size_t block;
} Running;

static Status finish(const Running *r, Error *error) { return r->context != NULL ? context_finish(r->context, error) : SETOSA_OK; }

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
  while (timing_wants_more(timing)) {
    TRY(bench_go_on(timing->options, error));
    TRY(timing_look_at_limits(timing, error));
    TRY(time_passes(r, passes, &seconds, error));
    samples_add(&timing->seconds, seconds);
  }
cleanup:
  return status;
}

static Status reserve_scores(Running *r, Error *error) {
  const DataShape *data = &r->row->group->shape;
  if (r->row->group->what != SETOSA_BENCH_PREDICT) return SETOSA_OK;
  r->block = SCORES_BYTES / sizeof(float) / data->classes;
  if (r->block < 1) r->block = 1;
  if (r->block > data->rows) r->block = data->rows;
  return memory_allocate((void **)&r->scores, r->block * data->classes, sizeof *r->scores, "a block of probabilities", error);
}

static Status time_row(Running *r, SetosaBenchResult *result, Error *error) {
  Status status = SETOSA_OK;
  Timing timing = row_timing(r->row);
  BackendFacts facts = {0};
  double first = 0, began = clock_seconds();
  bool hessian = r->row->group->what == SETOSA_BENCH_HESSIAN, predict = r->row->group->what == SETOSA_BENCH_PREDICT;
  row_say(r->row, "preparing");
  result->status = SETOSA_BENCH_SKIPPED; /* what cannot be opened */
  TRY(row_open_contender(r->row, r->context, &r->contender, error));
  double opening = clock_seconds() - began;
  result->status = SETOSA_BENCH_FAILED;
  if (r->contender.backend == NULL) TRY(error_set(error, SETOSA_ERROR_INTERNAL, "no backend was opened"));
  TRY(reserve_scores(r, error));
  TRY(row_write_vectors(r->row, &r->contender, error));
  TRY(bench_go_on(r->row->group->options, error));
  TRY(time_passes(r, 1, &first, error));
  result->first_call_ms = 1e3 * (opening + first);
  TRY(row_judge(r->row, &r->contender, first, result, error));
  if (result->reason[0] != '\0') goto cleanup;
  TRY(time_samples(r, &timing, error));
  timing_report(&timing, 1, result);
  backend_facts(r->contender.backend, &facts);
  row_report_memory(r->row, facts.bytes_held, predict ? 1 : hessian ? 3 : 2, result);
  result->family = facts.family;
  if (facts.storage != NULL) result->storage = facts.storage;
cleanup:
  return status;
}

Status row_time_passes(const Row *row, SetosaBenchResult *result, Error *error) {
  Running r = {.row = row};
  Status status = row_open_context(row, &r.context, error);
  if (status == SETOSA_OK) status = time_row(&r, result, error);
  contender_close(&r.contender);
  free(r.scores);
  context_close(r.context);
  return status;
}
