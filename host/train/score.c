/* Blocks of logits into metrics. */
#include "train/score.h"

#include <stdlib.h>

#include "base/memory.h"
#include "model/metrics.h"
#include "train/job.h"
#include "train/predict.h"

static bool any_counts(const float *left_out, RowRange rows) {
  for (size_t i = 0; left_out != NULL && i < rows.count; i++)
    if (left_out[rows.begin + i] == 0) return true;
  return left_out == NULL;
}

/* The rows that count, in runs of neighbours. */
static Status add_rows(MetricsAccumulator *metrics, size_t *added, size_t classes, RowRange rows, const float *left_out,
                       const float *logits, const Targets *targets, Error *error) {
  Status status = SETOSA_OK;
  for (size_t i = 0, run; i < rows.count; i += run) {
    run = 1;
    bool counts = left_out == NULL || left_out[rows.begin + i] == 0;
    while (i + run < rows.count && (left_out == NULL || (left_out[rows.begin + i + run] == 0) == counts)) run++;
    if (!counts) continue;
    metrics_begin_at(metrics, rows.begin + i - *added); /* for messages: it counts from there those that were added */
    *added += run;
    TRY(metrics_add(metrics, run, logits + i * classes, targets->labels + i, targets->weights != NULL ? targets->weights + i : NULL,
                    error));
  }
cleanup:
  return status;
}

Status score_rows(Backend *backend, const Vector *w, const Dataset *dataset, const float *left_out, Ranks *ranks, double *accuracy,
                  double *log_loss, Error *error) {
  Status status = SETOSA_OK;
  MetricsAccumulator *metrics = NULL;
  float *logits = NULL;
  TargetRoom room = {0};
  size_t added = 0;
  BackendFacts facts = {0};
  MetricsTotals totals = {0};
  backend_facts(backend, &facts);
  size_t end = facts.local.begin + facts.local.count, block = predict_block_rows(backend);
  if (block > facts.local.count) block = facts.local.count;
  TRY(metrics_create(&metrics, backend->classes, error));
  TRY(memory_allocate((void **)&logits, block * backend->classes, sizeof(float), "a block of logits", error));
  for (size_t first = facts.local.begin; first < end; first += block) {
    RowRange rows = {first, end - first < block ? end - first : block};
    Targets targets;
    if (!any_counts(left_out, rows)) continue;
    TRY(backend_predict(backend, w, rows, ROW_LOGITS, logits, error));
    TRY(predict_targets(&targets, backend, dataset, rows, &room, error));
    TRY(add_rows(metrics, &added, backend->classes, rows, left_out, logits, &targets, error));
  }
  metrics_totals(metrics, &totals);
  TRY(job_add_scores(ranks, &totals, error));
  metrics_totals_summary(&totals, accuracy, log_loss);
cleanup:
  target_room_free(&room);
  free(logits);
  metrics_destroy(metrics);
  return status;
}
