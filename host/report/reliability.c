/* Whether what is predicted with 80 % is right in 80 of 100 cases. */
#include <math.h>
#include <stdio.h>

#include "report/plot.h"
#include "report/sections.h"

enum { BINS = SETOSA_CALIBRATION_BINS, COUNTS_HEIGHT = 110 };

static void put_table(Markup *markup, const SetosaMetrics *metrics) {
  char key[64];
  markup_put(markup,
             "<details><summary>The numbers of the diagram</summary><div class=\"scroll\"><table>"
             "<tr><th>confidence</th><th>mean confidence</th><th>right</th><th>rows</th></tr>\n");
  for (size_t b = 0; b < BINS; b++) {
    markup_put(markup, "<tr><td>%.2f to %.2f</td><td>", (double)b / BINS, (double)(b + 1) / BINS);
    snprintf(key, sizeof key, "calibration.%zu.confidence", b);
    markup_number(markup, key, metrics->bin_confidence[b], "%.4f");
    snprintf(key, sizeof key, "calibration.%zu.accuracy", b);
    markup_put(markup, "</td><td>");
    markup_number(markup, key, metrics->bin_accuracy[b], "%.4f");
    snprintf(key, sizeof key, "calibration.%zu.rows", b);
    markup_put(markup, "</td><td>");
    markup_number(markup, key, metrics->bin_weight[b], "%.6g");
    markup_put(markup, "</td></tr>\n");
  }
  markup_put(markup, "</table></div></details>\n");
}

static void put_score(Markup *markup, const char *words, const char *key, double value, const char *before_key, double before,
                      bool calibrated) {
  markup_put(markup, "<tr><td>%s</td><td>", words);
  markup_number(markup, key, value, "%.5g");
  markup_put(markup, "</td>");
  if (calibrated && before_key != NULL) {
    markup_put(markup, "<td>");
    markup_number(markup, before_key, before, "%.5g");
    markup_put(markup, "</td>");
  } else if (calibrated) {
    markup_put(markup, "<td></td>");
  }
  markup_put(markup, "</tr>\n");
}

/* Where the model has a temperature, beside what there would be without it. */
void section_scores(Markup *markup, const ReportPage *page) {
  const SetosaMetrics *m = page->metrics;
  if (m == NULL) return;
  bool calibrated = m->temperature != 1;
  markup_put(markup, "<figure><div class=\"scroll\"><table><tr><th>score</th><th></th>%s</tr>\n",
             calibrated ? "<th>without the temperature</th>" : "");
  put_score(markup, "log-loss", page->score_count > 0 ? NULL : "log_loss", m->log_loss, "uncalibrated.log_loss", m->uncalibrated_log_loss,
            calibrated);
  put_score(markup, "Brier score", "brier", m->brier, "uncalibrated.brier", m->uncalibrated_brier, calibrated);
  put_score(markup, "expected calibration error", "ece", m->ece, "uncalibrated.ece", m->uncalibrated_ece, calibrated);
  put_score(markup, "AUC, mean of the classes", "macro_auc", m->macro_auc, NULL, NAN, calibrated);
  put_score(markup, "precision, mean of the classes", "macro_precision", m->macro_precision, NULL, NAN, calibrated);
  put_score(markup, "recall, mean of the classes", "macro_recall", m->macro_recall, NULL, NAN, calibrated);
  put_score(markup, "F1, mean of the classes", "macro_f1", m->macro_f1, NULL, NAN, calibrated);
  if (calibrated) put_score(markup, "temperature", "temperature", m->temperature, NULL, NAN, calibrated);
  markup_put(markup, "</table></div></figure>\n");
}

void section_reliability(Markup *markup, const ReportPage *page) {
  const SetosaMetrics *metrics = page->metrics;
  if (metrics == NULL) return;
  static const double ends[] = {0, 1};
  double middle[BINS], confidence[BINS], accuracy[BINS];
  for (size_t b = 0; b < BINS; b++) {
    bool some = metrics->bin_weight[b] > 0;
    middle[b] = ((double)b + 0.5) / BINS;
    confidence[b] = some ? metrics->bin_confidence[b] : NAN;
    accuracy[b] = some ? metrics->bin_accuracy[b] : NAN;
  }
  const PlotSeries series[] = {
      {.name = "as good as it says", .colour = 5, .dashed = true, .x = ends, .y = ends, .count = 2},
      {.colour = 0, .x = confidence, .y = accuracy, .count = BINS},
      {.name = "rows of a bin", .mark = PLOT_POINTS, .colour = 0, .x = confidence, .y = accuracy, .count = BINS},
  };
  const Plot plot = {.title = {.title = "Reliability diagram"},
                     .x = {"predicted probability", false, 0, 1},
                     .y = {"part that is right", false, 0, 1},
                     .series = series,
                     .series_count = 3};
  const PlotSeries counts = {.mark = PLOT_BARS, .colour = 5, .x = middle, .y = metrics->bin_weight, .count = BINS, .bar_width = 1.0 / BINS};
  const Plot histogram = {.title = {.title = "Rows by their predicted probability", .height = COUNTS_HEIGHT},
                          .x = {"predicted probability", false, 0, 1},
                          .y = {"rows", false, NAN, NAN},
                          .series = &counts,
                          .series_count = 1};
  markup_put(markup, "<figure>");
  plot_draw(markup, &plot);
  plot_draw(markup, &histogram);
  markup_put(
      markup,
      "<figcaption>Of the class that is predicted: how often it is right, by the probability that it was given. The mean distance from the "
      "line is the expected calibration error, ");
  markup_number(markup, NULL, metrics->ece, "%.4f");
  markup_put(markup, ".</figcaption>\n");
  put_table(markup, metrics);
  markup_put(markup, "</figure>\n");
}
