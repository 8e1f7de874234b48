/* Evaluation: logits from a backend, block by block, into the metrics. */
#include "base/arguments.h"
#include "model/metrics.h"
#include "train/predict.h"

typedef struct Evaluator {
  MetricsAccumulator *accumulator;
  const Dataset *dataset;
  TargetRoom room;
} Evaluator;

static Status add_block(Backend *backend, RowRange rows, const float *scores, void *user, Error *error) {
  Evaluator *evaluator = user;
  Targets targets;
  Status status = predict_targets(&targets, backend, evaluator->dataset, rows, &evaluator->room, error);
  return status != SETOSA_OK ? status : metrics_add(evaluator->accumulator, rows.count, scores, targets.labels, targets.weights, error);
}

SetosaStatus setosa_evaluate(SetosaMetrics **metrics, const SetosaModel *model, const SetosaDataset *dataset,
                             const SetosaComputeOptions *compute, SetosaError *error) {
  Status status = SETOSA_OK;
  Evaluator evaluator = {.dataset = dataset};
  if (metrics != NULL) *metrics = NULL;
  TRY(arguments_check(error, GIVEN(metrics), GIVEN(model), GIVEN(dataset), GIVEN(compute)));
  TRY(model_check_labels(model, dataset, ", or predict instead", error)); /* before any work is done */
  TRY(metrics_create(&evaluator.accumulator, model->classes, error));
  metrics_calibrate(evaluator.accumulator, model->temperature);
  TRY(metrics_rank(evaluator.accumulator, dataset_shape(dataset).rows, error));
  TRY(predict_scores(model, dataset, compute, ROW_LOGITS, add_block, &evaluator, error));
  TRY(metrics_finish(evaluator.accumulator, dataset_weight_unit(dataset), metrics, error));
cleanup:
  target_room_free(&evaluator.room);
  metrics_destroy(evaluator.accumulator);
  return status;
}
