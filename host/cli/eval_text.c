/* The metrics of `setosa eval` for people. */
#include <math.h>
#include <string.h>

#include "cli/eval.h"
#include "cli/terminal/page.h"
#include "cli/terminal/table.h"
#include "cli/terminal/units.h"

/* Most classes whose confusion matrix fits a terminal. */
enum { CONFUSION_CLASSES = 20, LISTED_CLASSES = 50 };

static void print_title(const Session *session, const char *title) {
  bool color = session->console.color_out;
  page_print("\n%s%s%s\n", color_code(color, COLOR_BOLD), title, color_code(color, COLOR_PLAIN));
}

static void print_auc(const SetosaMetrics *metrics) {
  char bound[64] = "";
  if (metrics->auc_error > 0) snprintf(bound, sizeof bound, "; counted in bins, within %.0e", metrics->auc_error);
  page_print("  AUC             %.4f  (mean of each class against the rest%s)\n", metrics->macro_auc, bound);
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
  page_print("  Brier score     %.4f  (mean square error of the probabilities, from 0 to 2)\n", metrics->brier);
  if (!isnan(metrics->macro_auc)) print_auc(metrics);
  if (metrics->temperature != 1)
    page_print("  temperature     %.4g  (without it: log-loss %.6g, ECE %.4f, Brier %.4f)\n", metrics->temperature,
               metrics->uncalibrated_log_loss, metrics->uncalibrated_ece, metrics->uncalibrated_brier);
  page_print("  macro average   precision %.4f, recall %.4f, F1 %.4f\n", metrics->macro_precision, metrics->macro_recall,
             metrics->macro_f1);
}

static Status print_classes(const SetosaMetrics *metrics, const SetosaModel *model, const Session *session, Error *error) {
  static const TableColumn columns[] = {{"class", false, true}, {"precision", true, false}, {"recall", true, false},   {"F1", true, false},
                                        {"AUC", true, false},   {"rows", true, false},      {"predicted", true, false}};
  Status status = SETOSA_OK;
  Table *table = NULL;
  char sum[UNITS_SIZE];
  size_t shown = metrics->classes > LISTED_CLASSES ? LISTED_CLASSES : metrics->classes;
  TRY(table_create(&table, sizeof columns / sizeof *columns, columns, error));
  for (size_t k = 0; k < shown; k++) {
    const SetosaClassMetrics *of = &metrics->per_class[k];
    TRY(table_cell(table, error, "%s", setosa_model_class_name(model, k)));
    TRY(table_number(table, of->precision, 4, error));
    TRY(table_number(table, of->recall, 4, error));
    TRY(table_number(table, of->f1, 4, error));
    TRY(isnan(of->auc) ? table_cell(table, error, "-") : table_cell(table, error, "%.4f", of->auc));
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

/* Rows by the probability of the class that is predicted. */
static Status print_reliability(const SetosaMetrics *metrics, const Session *session, Error *error) {
  static const TableColumn columns[] = {
      {"confidence", false, false}, {"mean", true, false}, {"right", true, false}, {"difference", true, false}, {"rows", true, false}};
  Status status = SETOSA_OK;
  Table *table = NULL;
  char sum[UNITS_SIZE];
  TRY(table_create(&table, sizeof columns / sizeof *columns, columns, error));
  for (int b = 0; b < SETOSA_CALIBRATION_BINS; b++) {
    double confidence = metrics->bin_confidence[b], accuracy = metrics->bin_accuracy[b];
    if (!(metrics->bin_weight[b] > 0)) continue;
    TRY(table_cell(table, error, "%.3f to %.3f", (double)b / SETOSA_CALIBRATION_BINS, (double)(b + 1) / SETOSA_CALIBRATION_BINS));
    TRY(table_cell(table, error, "%.4f", confidence));
    TRY(table_cell(table, error, "%.4f", accuracy));
    TRY(table_cell(table, error, "%+.4f", accuracy - confidence));
    TRY(table_cell(table, error, "%s", units_sum(sum, metrics->bin_weight[b])));
  }
  print_title(session, "Reliability (rows by their confidence, the probability of the predicted class)");
  table_print(table, console_page_width(), session->console.color_out);
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

Status eval_print_text(const SetosaMetrics *metrics, const SetosaModel *model, uint64_t left_out, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  print_headline(metrics, left_out);
  TRY(print_classes(metrics, model, session, error));
  TRY(print_reliability(metrics, session, error));
  TRY(print_confusion(metrics, model, session, error));
cleanup:
  return status;
}
