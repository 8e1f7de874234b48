/* The metrics of `setosa eval` as a document. */
#include <math.h>

#include "cli/eval.h"
#include "cli/json_output.h"
#include "cli/report.h"

static json_t *classes_json(const SetosaMetrics *metrics, const SetosaModel *model) {
  json_t *list = json_array();
  for (size_t k = 0; list != NULL && k < metrics->classes; k++) {
    const SetosaClassMetrics *of = &metrics->per_class[k];
    json_t *entry = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "class", json_text(setosa_model_class_name(model, k)), "precision",
                              json_number(of->precision), "recall", json_number(of->recall), "f1", json_number(of->f1), "auc",
                              json_number(of->auc), "support", json_sum(of->support), "predicted", json_sum(of->predicted));
    if (json_array_append_new(list, entry) != 0) {
      json_decref(list);
      list = NULL;
    }
  }
  return list;
}

static json_t *confusion_json(const SetosaMetrics *metrics) {
  if (metrics->confusion == NULL) return json_null();
  json_t *rows = json_array();
  for (size_t k = 0; rows != NULL && k < metrics->classes; k++) {
    json_t *row = json_array();
    bool failed = row == NULL;
    for (size_t j = 0; !failed && j < metrics->classes; j++)
      failed = json_array_append_new(row, json_sum(metrics->confusion[k * metrics->classes + j])) != 0;
    if (failed) json_decref(row);
    if (failed || json_array_append_new(rows, row) != 0) {
      json_decref(rows);
      rows = NULL;
    }
  }
  return rows;
}

static json_t *calibration_json(const SetosaMetrics *metrics) {
  json_t *bins = json_array();
  for (size_t b = 0; bins != NULL && b < SETOSA_CALIBRATION_BINS; b++) {
    json_t *bin = json_pack("{s:o, s:o, s:o}", "confidence", json_number(metrics->bin_confidence[b]), "accuracy",
                            json_number(metrics->bin_accuracy[b]), "rows", json_sum(metrics->bin_weight[b]));
    if (json_array_append_new(bins, bin) != 0) {
      json_decref(bins);
      bins = NULL;
    }
  }
  return bins;
}

Status eval_print_json(const SetosaMetrics *metrics, const SetosaModel *model, const SetosaDataset *data, Error *error) {
  json_t *document = json_pack(
      "{s:s, s:s, s:{s:I, s:I, s:I, s:I, s:I, s:o}, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "command", "eval", "version",
      SETOSA_VERSION, "data", "rows", (json_int_t)metrics->rows, "features", (json_int_t)setosa_dataset_features(data), "classes",
      (json_int_t)metrics->classes, "left_out", (json_int_t)input_count_left_out(data), "source_rows",
      (json_int_t)setosa_dataset_source_rows(data), "weight", json_sum(metrics->weight), "accuracy", json_number(metrics->accuracy),
      "log_loss", json_number(metrics->log_loss), "top_k", (json_int_t)metrics->top_k, "top_k_accuracy",
      json_number(metrics->top_k_accuracy), "macro_precision", json_number(metrics->macro_precision), "macro_recall",
      json_number(metrics->macro_recall), "macro_f1", json_number(metrics->macro_f1), "ece", json_number(metrics->ece), "calibration",
      calibration_json(metrics), "per_class", classes_json(metrics, model), "confusion", confusion_json(metrics));
  json_put(&document, "brier", json_number(metrics->brier));
  json_put(&document, "macro_auc", json_number(metrics->macro_auc));
  json_put(&document, "auc_error", json_number(isnan(metrics->macro_auc) ? NAN : metrics->auc_error));
  json_put(&document, "temperature", json_number(metrics->temperature));
  json_put(&document, "uncalibrated",
           json_pack("{s:o, s:o, s:o}", "log_loss", json_number(metrics->uncalibrated_log_loss), "ece",
                     json_number(metrics->uncalibrated_ece), "brier", json_number(metrics->uncalibrated_brier)));
  report_put_kind(&document, data);
  return json_print(document, false, stdout, error);
}
