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

/* Before any work is done: every row must have a label that the model knows. */
static Status check_labels(const Model *model, const Dataset *dataset, Error *error) {
  const char *source = dataset_source(dataset);
  DataShape shape = dataset_shape(dataset);
  if (!shape.labelled)
    return error_set(error, SETOSA_ERROR_DATA, "%s: has no labels to evaluate against; give them, or predict instead", source);
  if (shape.classes != model->classes)
    return error_set(error, SETOSA_ERROR_USAGE, "%s: the data has %zu classes but the model has %zu; use data with the model's classes",
                     source, shape.classes, model->classes);
  size_t row = dataset_first_unlabelled(dataset, model->classes);
  if (row == shape.rows) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_DATA, "%s: row %zu: its label is none of the model's %zu classes; correct it, or predict instead",
                   source, row + 1, model->classes);
}

SetosaStatus setosa_evaluate(SetosaMetrics **metrics, const SetosaModel *model, const SetosaDataset *dataset,
                             const SetosaComputeOptions *compute, SetosaError *error) {
  Status status = SETOSA_OK;
  Evaluator evaluator = {.dataset = dataset};
  if (metrics != NULL) *metrics = NULL;
  TRY(arguments_check(error, GIVEN(metrics), GIVEN(model), GIVEN(dataset), GIVEN(compute)));
  TRY(check_labels(model, dataset, error));
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
