/* Evaluation: logits from a backend, block by block, into the metrics. */
#include "model/metrics.h"
#include "train/predict.h"

typedef struct Evaluator {
  MetricsAccumulator *accumulator;
  const Dataset *dataset;
  LabelScratch scratch;
} Evaluator;

static Status add_block(Backend *backend, RowRange rows, const float *scores, void *user, Error *error) {
  Evaluator *evaluator = user;
  const int32_t *labels = NULL;
  Status status = predict_labels(&labels, backend, evaluator->dataset, rows, &evaluator->scratch, error);
  return status != SETOSA_OK ? status : metrics_add(evaluator->accumulator, rows.count, scores, labels, NULL, error);
}

/* Before any work is done: every row must have a label that the model knows. */
static Status check_labels(const Model *model, const Dataset *dataset, Error *error) {
  const char *source = dataset->source != NULL ? dataset->source : "data";
  if (dataset->labels == NULL && dataset->generator == NULL)
    return error_set(error, SETOSA_ERROR_DATA, "%s: has no labels to evaluate against; give them, or predict instead", source);
  if (dataset->classes != model->classes)
    return error_set(error, SETOSA_ERROR_USAGE, "%s: the data has %zu classes but the model has %zu; use data with the model's classes",
                     source, dataset->classes, model->classes);
  for (size_t i = 0; dataset->labels != NULL && i < dataset->rows; i++)
    if (dataset->labels[i] < 0 || (size_t)dataset->labels[i] >= model->classes)
      return error_set(error, SETOSA_ERROR_DATA,
                       "%s: row %zu: its label is none of the model's %zu classes; correct it, or predict instead", source, i + 1,
                       model->classes);
  return SETOSA_OK;
}

SetosaStatus setosa_evaluate(SetosaMetrics **metrics, const SetosaModel *model, const SetosaDataset *dataset,
                             const SetosaComputeOptions *compute, SetosaError *error) {
  Status status = SETOSA_OK;
  Evaluator evaluator = {.dataset = dataset};
  *metrics = NULL;
  error_clear(error);
  TRY(check_labels(model, dataset, error));
  TRY(metrics_create(&evaluator.accumulator, model->classes, error));
  TRY(predict_scores(model, dataset, compute, ROW_LOGITS, add_block, &evaluator, error));
  TRY(metrics_finish(evaluator.accumulator, metrics, error));
cleanup:
  label_scratch_free(&evaluator.scratch);
  metrics_destroy(evaluator.accumulator);
  return status;
}
