/* `setosa eval`: how good a model is on data whose labels are known. */
#include "cli/eval.h"

#include <math.h>
#include <string.h>

#include "cli/dry_run.h"
#include "cli/inputs.h"
#include "cli/json_output.h"
#include "cli/report.h"
#include "cli/terminal/page.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/table.h"
#include "cli/terminal/units.h"

/* Most classes whose confusion matrix fits a terminal. */
enum { CONFUSION_CLASSES = 20, LISTED_CLASSES = 50 };

static void print_title(const Session *session, const char *title) {
  bool color = session->console.color_out;
  page_print("\n%s%s%s\n", color_code(color, COLOR_BOLD), title, color_code(color, COLOR_PLAIN));
}

static void print_headline(const SetosaMetrics *metrics, uint64_t rows_left_out) {
  char weight[UNITS_SIZE + 20] = "", sum[UNITS_SIZE], left_out[INPUT_WORDS];
  if (metrics->weight != (double)metrics->rows) snprintf(weight, sizeof weight, " of weight %s", units_sum(sum, metrics->weight));
  input_left_out(left_out, rows_left_out);
  page_print("  accuracy        %.2f %%  (%llu rows%s%s%s)\n", 100 * metrics->accuracy, (unsigned long long)metrics->rows, weight,
             left_out[0] != '\0' ? "; " : "", left_out);
  page_print("  log-loss        %.6g\n", metrics->log_loss);
  if (metrics->top_k > 1) page_print("  top-%zu accuracy  %.2f %%\n", metrics->top_k, 100 * metrics->top_k_accuracy);
  page_print("  calibration     %.4f  (ECE: how far confidence is from accuracy; 0 is best)\n", metrics->ece);
  page_print("  macro average   precision %.4f, recall %.4f, F1 %.4f\n", metrics->macro_precision, metrics->macro_recall,
             metrics->macro_f1);
}

static Status print_classes(const SetosaMetrics *metrics, const SetosaModel *model, const Session *session, Error *error) {
  static const TableColumn columns[] = {{"class", false, true}, {"precision", true, false}, {"recall", true, false},
                                        {"F1", true, false},    {"rows", true, false},      {"predicted", true, false}};
  Status status = SETOSA_OK;
  Table *table = NULL;
  char sum[UNITS_SIZE];
  size_t shown = metrics->classes > LISTED_CLASSES ? LISTED_CLASSES : metrics->classes;
  TRY(table_create(&table, 6, columns, error));
  for (size_t k = 0; k < shown; k++) {
    const SetosaClassMetrics *of = &metrics->per_class[k];
    TRY(table_cell(table, error, "%s", setosa_model_class_name(model, k)));
    TRY(table_number(table, of->precision, 4, error));
    TRY(table_number(table, of->recall, 4, error));
    TRY(table_number(table, of->f1, 4, error));
    TRY(table_cell(table, error, "%s", units_sum(sum, of->support)));
    TRY(table_cell(table, error, "%s", units_sum(sum, of->predicted)));
  }
  print_title(session, "By class");
  table_print(table, console_page_width(), session->console.color_out);
  if (shown < metrics->classes) page_print("  ... and %zu more; --json lists them all\n", metrics->classes - shown);
cleanup:
  table_destroy(table);
  return status;
}

enum { SHORT_NAME = 5, TITLE_SIZE = 64 };

/* Whether the names of all classes fit as headings beside each other; else columns and rows are numbered. */
static bool names_are_short(const SetosaModel *model, size_t classes) {
  for (size_t k = 0; k < classes; k++)
    if (console_columns(setosa_model_class_name(model, k)) > SHORT_NAME) return false;
  return true;
}

/* titles[j]: the name or number of class j, all as wide as the widest count: a matrix is read down and across, so its columns are alike. */
static void title_columns(char titles[][TITLE_SIZE], const SetosaMetrics *metrics, const SetosaModel *model, bool named) {
  size_t classes = metrics->classes, widest = 0;
  char text[UNITS_SIZE];
  for (size_t i = 0; i < classes * classes; i++) {
    size_t digits = strlen(units_sum(text, metrics->confusion[i]));
    if (digits > widest) widest = digits;
  }
  for (size_t j = 0; j < classes; j++) {
    snprintf(text, sizeof text, "%zu", j + 1);
    const char *title = named ? setosa_model_class_name(model, j) : text;
    size_t columns = console_columns(title);
    snprintf(titles[j], TITLE_SIZE, "%*s%s", (int)(widest > columns ? widest - columns : 0), "", title);
    console_make_visible(titles[j]);
  }
}

static Status print_confusion(const SetosaMetrics *metrics, const SetosaModel *model, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  Table *table = NULL;
  size_t classes = metrics->classes;
  char titles[CONFUSION_CLASSES][TITLE_SIZE], sum[UNITS_SIZE];
  TableColumn columns[CONFUSION_CLASSES + 1] = {{"true class", false, true}};
  print_title(session, "Confusion matrix (a row for each true class, a column for each predicted one)");
  if (metrics->confusion == NULL || classes > CONFUSION_CLASSES) {
    page_print("  too large to show (%zu classes)%s\n", classes, metrics->confusion != NULL ? "; --json has it whole" : "");
    return SETOSA_OK;
  }
  bool named = names_are_short(model, classes);
  title_columns(titles, metrics, model, named);
  for (size_t j = 0; j < classes; j++) columns[j + 1] = (TableColumn){titles[j], true, false};
  TRY(table_create(&table, classes + 1, columns, error));
  for (size_t k = 0; k < classes; k++) {
    const char *name = setosa_model_class_name(model, k);
    TRY(named ? table_cell(table, error, "%s", name) : table_cell(table, error, "%zu %s", k + 1, name));
    for (size_t j = 0; j < classes; j++) TRY(table_cell(table, error, "%s", units_sum(sum, metrics->confusion[k * classes + j])));
  }
  table_print(table, console_page_width(), session->console.color_out);
cleanup:
  table_destroy(table);
  return status;
}

static json_t *classes_json(const SetosaMetrics *metrics, const SetosaModel *model) {
  json_t *list = json_array();
  for (size_t k = 0; list != NULL && k < metrics->classes; k++) {
    const SetosaClassMetrics *of = &metrics->per_class[k];
    json_t *entry = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "class", json_text(setosa_model_class_name(model, k)), "precision",
                              json_number(of->precision), "recall", json_number(of->recall), "f1", json_number(of->f1), "support",
                              json_sum(of->support), "predicted", json_sum(of->predicted));
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

static Status print_json(const SetosaMetrics *metrics, const SetosaModel *model, const SetosaDataset *data, Error *error) {
  json_t *document = json_pack(
      "{s:s, s:s, s:{s:I, s:I, s:I, s:I, s:I, s:o}, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "command", "eval", "version",
      SETOSA_VERSION, "data", "rows", (json_int_t)metrics->rows, "features", (json_int_t)setosa_dataset_features(data), "classes",
      (json_int_t)metrics->classes, "left_out", (json_int_t)input_count_left_out(data), "source_rows",
      (json_int_t)setosa_dataset_source_rows(data), "weight", json_sum(metrics->weight), "accuracy", json_number(metrics->accuracy),
      "log_loss", json_number(metrics->log_loss), "top_k", (json_int_t)metrics->top_k, "top_k_accuracy",
      json_number(metrics->top_k_accuracy), "macro_precision", json_number(metrics->macro_precision), "macro_recall",
      json_number(metrics->macro_recall), "macro_f1", json_number(metrics->macro_f1), "ece", json_number(metrics->ece), "calibration",
      calibration_json(metrics), "per_class", classes_json(metrics, model), "confusion", confusion_json(metrics));
  report_put_kind(&document, data);
  return json_print(document, false, stdout, error);
}

static Status run(const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  SetosaModel *model = NULL;
  SetosaDataset *data = NULL;
  SetosaMetrics *metrics = NULL;
  Compute compute = {0};
  Progress progress;
  progress_begin(&progress, &session->console, NULL);
  TRY(setosa_model_load(&model, options->argument[0], error));
  TRY(compute_choose_one(&compute, session, error));
  TRY(input_load(&data, session, options->argument[1], input_model_options(model, options), error));
  TRY(setosa_model_scale_dataset(model, data, error));
  if (options->train.class_weight != NULL) TRY(setosa_dataset_set_class_weights(data, options->train.class_weight, error));
  TRY(compute_open(&compute, session, error));
  if (options->dry_run) {
    TRY(dry_run_scores(data, model, &compute.options, session, error));
    goto cleanup;
  }
  progress_say(&progress, "evaluating");
  status = setosa_evaluate(&metrics, model, data, &compute.options, error);
  progress_end(&progress);
  if (status != SETOSA_OK) goto cleanup;
  if (options->json) {
    TRY(print_json(metrics, model, data, error));
  } else {
    print_headline(metrics, input_count_left_out(data));
    TRY(print_classes(metrics, model, session, error));
    TRY(print_confusion(metrics, model, session, error));
  }
  if (options->report != NULL) {
    const EvalReport report = {model, data, &compute, metrics};
    TRY(console_flush(error));
    TRY(eval_write_page(&report, session, error));
  }
cleanup:
  setosa_metrics_destroy(metrics);
  setosa_dataset_destroy(data);
  setosa_model_destroy(model);
  compute_close(&compute);
  return status;
}

const Command command_eval = {
    .name = "eval",
    .arguments = "MODEL DATA...",
    .summary = "accuracy, log-loss, confusion matrix, calibration",
    .description =
        "Evaluates MODEL on DATA, which needs labels. Columns are found by the names the model was trained with, or by position "
        "when there are none; scaling is the model's.",
    .examples =
        "  setosa eval iris.safetensors iris.csv\n"
        "  setosa eval fashion.safetensors t10k-images-idx3-ubyte.gz --json\n"
        "  setosa eval iris.safetensors new.csv --report new.html\n",
    .id = FOR_EVAL,
    .least_arguments = 2,
    .most_arguments = 2,
    .several = true,
    .run = run,
};
