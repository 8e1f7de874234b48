/* The path of penalties of a cross-validation: loss with its standard error, accuracy, weights, and a table. */
#include <math.h>
#include <stdio.h>

#include "report/plot.h"
#include "report/sections.h"

enum { DRAWN = 200, LISTED = 60 };

typedef struct PathColumns {
  double lambda[DRAWN], loss[DRAWN], error[DRAWN], accuracy[DRAWN], nonzeros[DRAWN];
  size_t count;
} PathColumns;

/* Whether point j is among `most` of them: all when they are few, else evenly spaced ones and those that are named. */
static bool is_shown(const SetosaCvResult *cv, size_t j, size_t most) {
  size_t stride = (cv->count + most - 4) / (most - 3);
  return j % stride == 0 || j + 1 == cv->count || (cv->complete && (j == cv->best || j == cv->within_error || j == cv->chosen));
}

static void fill(PathColumns *columns, const SetosaCvResult *cv) {
  for (size_t j = 0; j < cv->count && columns->count < DRAWN; j++) {
    if (!is_shown(cv, j, DRAWN)) continue;
    const SetosaCvPoint *point = &cv->points[j];
    size_t at = columns->count++;
    columns->lambda[at] = point->lambda;
    columns->loss[at] = point->loss;
    columns->error[at] = point->standard_error;
    columns->accuracy[at] = point->accuracy;
    columns->nonzeros[at] = (double)point->nonzeros;
  }
}

/* The two that are named; one when they are the same. */
static size_t make_rules(PlotRule rules[2], const SetosaCvResult *cv) {
  if (!cv->complete) return 0;
  bool same = cv->best == cv->within_error;
  rules[0] = (PlotRule){same ? "min and 1se" : "min", true, cv->points[cv->best].lambda, 1};
  rules[1] = (PlotRule){"1se", true, cv->points[cv->within_error].lambda, 3};
  return same ? 1 : 2;
}

static void draw(Markup *markup, const PathColumns *columns, const SetosaCvResult *cv, const char *title, const char *label,
                 const double *values, const double *error, const char *caption) {
  PlotRule rules[2];
  const PlotSeries series[] = {{.colour = 0, .x = columns->lambda, .y = values, .count = columns->count},
                               {.name = error != NULL ? "mean of the folds and its standard error" : NULL,
                                .mark = PLOT_POINTS,
                                .colour = 0,
                                .x = columns->lambda,
                                .y = values,
                                .error = error,
                                .count = columns->count}};
  const Plot plot = {.title = {.title = title},
                     .x = {"penalty \u03bb", true, NAN, NAN},
                     .y = {label, false, NAN, NAN},
                     .series = series,
                     .series_count = 2,
                     .rules = rules,
                     .rule_count = make_rules(rules, cv)};
  markup_put(markup, "<figure>");
  plot_draw(markup, &plot);
  markup_put(markup, "<figcaption>%s</figcaption></figure>\n", caption);
}

static void put_cell(Markup *markup, size_t j, const char *what, double value, const char *format) {
  char key[64];
  snprintf(key, sizeof key, "points.%zu.%s", j, what);
  markup_put(markup, "<td>");
  markup_number(markup, key, value, format);
  markup_put(markup, "</td>");
}

static const char *mark(const SetosaCvResult *cv, size_t j) {
  if (!cv->complete) return "";
  if (j == cv->best && j == cv->within_error) return "min, 1se";
  return j == cv->best ? "min" : j == cv->within_error ? "1se" : "";
}

static void put_table(Markup *markup, const SetosaCvResult *cv) {
  size_t listed = 0;
  markup_put(markup,
             "<div class=\"scroll\"><table><tr><th>\u03bb</th><th>log-loss</th><th>std. error</th><th>right</th><th>weights not 0</th>"
             "<th>iterations</th><th></th></tr>\n");
  for (size_t j = 0; j < cv->count; j++) {
    const SetosaCvPoint *point = &cv->points[j];
    if (!is_shown(cv, j, LISTED)) continue;
    listed++;
    markup_put(markup, "<tr>");
    put_cell(markup, j, "lambda", point->lambda, "%.3g");
    put_cell(markup, j, "loss", point->loss, "%.6f");
    put_cell(markup, j, "standard_error", point->standard_error, "%.6f");
    put_cell(markup, j, "accuracy", point->accuracy, "%.4f");
    put_cell(markup, j, "nonzeros", (double)point->nonzeros, "%.0f");
    put_cell(markup, j, "iterations", (double)point->iterations, "%.0f");
    markup_put(markup, "<td>%s</td></tr>\n", mark(cv, j));
  }
  markup_put(markup, "</table></div>\n");
  if (listed < cv->count) markup_put(markup, "<p class=\"dim\">%zu penalties between these are left out.</p>\n", cv->count - listed);
}

void section_path(Markup *markup, const ReportPage *page) {
  const SetosaCvResult *cv = page->cv;
  PathColumns columns = {.count = 0};
  if (cv == NULL) return;
  fill(&columns, cv);
  bool sparse = false;
  for (size_t j = 0; j < cv->count; j++) sparse = sparse || cv->points[j].l1 > 0;
  markup_put(markup, "<section id=\"path\"><h2>Path of penalties</h2>\n<div class=\"grid2\">\n");
  draw(markup, &columns, cv, "Log-loss along the path of penalties", "log-loss of rows not seen", columns.loss, columns.error,
       "Of rows that a model has not seen. min: the penalty of the least loss; 1se: the largest penalty whose loss is at most one standard "
       "error "
       "above it.");
  draw(markup, &columns, cv, "Accuracy along the path of penalties", "part that is right", columns.accuracy, NULL, "Of the same rows.");
  if (sparse)
    draw(markup, &columns, cv, "Weights along the path of penalties", "weights that are not 0", columns.nonzeros, NULL,
         "Of the model of all rows: L1 leaves the more at 0 the larger it is.");
  markup_put(markup, "</div>\n");
  put_table(markup, cv);
  if (!cv->complete)
    markup_put(markup, "<p>It was stopped after %llu of %llu models.</p>\n", (unsigned long long)cv->fits_done,
               (unsigned long long)cv->fits);
  markup_put(markup, "</section>\n");
}
