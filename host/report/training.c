/* The objective over the passes, and how far the end is from the optimum. */
#include <math.h>
#include <string.h>

#include "report/plot.h"
#include "report/sections.h"

enum { STEPS = REPORT_STEPS + 1 };

typedef struct Curves {
  double passes[STEPS], objective[STEPS], loss[STEPS], validation[STEPS], gradient[STEPS], above[STEPS];
  size_t count;
} Curves;

/* bound: what the optimum is at least, or about; NAN: not known. */
static void fill(Curves *curves, const ReportTrace *trace, double bound) {
  ReportStep steps[STEPS];
  report_trace_get(trace, steps, &curves->count);
  for (size_t i = 0; i < curves->count; i++) {
    curves->passes[i] = steps[i].passes;
    curves->objective[i] = steps[i].objective;
    curves->loss[i] = steps[i].loss;
    curves->validation[i] = steps[i].validation_loss;
    curves->gradient[i] = steps[i].gradient_norm;
    curves->above[i] = (steps[i].objective - bound) / bound;
  }
}

static bool is_known(const double *values, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (isfinite(values[i])) return true;
  return false;
}

static void draw_objective(Markup *markup, const Curves *curves) {
  PlotSeries series[3] = {{.name = "objective", .colour = 0, .x = curves->passes, .y = curves->objective, .count = curves->count},
                          {.name = "log-loss of the training rows",
                           .colour = 2,
                           .dashed = true,
                           .x = curves->passes,
                           .y = curves->loss,
                           .count = curves->count}};
  size_t count = is_known(curves->loss, curves->count) ? 2 : 1;
  if (is_known(curves->validation, curves->count))
    series[count++] = (PlotSeries){
        .name = "log-loss of the held-out rows", .colour = 1, .x = curves->passes, .y = curves->validation, .count = curves->count};
  if (curves->count == 1)
    for (size_t s = 0; s < count; s++) series[s].mark = PLOT_POINTS;
  const Plot plot = {.title = {.title = "Objective over the passes over the data"},
                     .x = {"passes over the data", false, NAN, NAN},
                     .y = {"objective", false, NAN, NAN},
                     .series = series,
                     .series_count = count};
  markup_put(markup, "<figure>");
  plot_draw(markup, &plot);
  markup_put(markup, "<figcaption>What is minimised: the mean log-loss and the penalties.</figcaption></figure>\n");
}

/* With a bound: how far above it; else how large the gradient is. */
static void draw_distance(Markup *markup, const Curves *curves, const SetosaTrainResult *result, bool bounded) {
  bool certified = strcmp(result->gap_kind, "certificate") == 0;
  const char *name = bounded ? "objective above the bound, in parts of it" : "largest component of the gradient";
  const PlotSeries series = {.name = name,
                             .mark = curves->count == 1 ? PLOT_POINTS : PLOT_LINE,
                             .x = curves->passes,
                             .y = bounded ? curves->above : curves->gradient,
                             .count = curves->count};
  const PlotRule rule = {.name = certified ? "certified at the end" : "estimated at the end", .at = result->gap, .colour = 1};
  const Plot plot = {.title = {.title = bounded ? "Distance from the optimum over the passes" : "Gradient over the passes"},
                     .x = {"passes over the data", false, NAN, NAN},
                     .y = {bounded ? "(F - bound) / bound" : "largest |gradient|", true, NAN, NAN},
                     .series = &series,
                     .series_count = 1,
                     .rules = &rule,
                     .rule_count = bounded && result->gap > 0 ? 1 : 0};
  markup_put(markup, "<figure>");
  plot_draw(markup, &plot);
  markup_put(markup, "<figcaption>");
  if (!bounded) {
    markup_put(markup, "How flat the objective is; at the optimum the gradient is 0.");
  } else {
    markup_put(markup, certified ? "No weights whatever have an objective below the bound: at the end it is proved to be at most "
                                 : "The bound is what a quadratic model sees below the end, an estimate: the objective is about ");
    markup_number(markup, "gap", result->gap, "%.1e");
    markup_put(markup, " of itself above the optimum.");
  }
  markup_put(markup, "</figcaption></figure>\n");
}

static void put_row(Markup *markup, const char *words, const char *key, double value, const char *format) {
  markup_put(markup, "<tr><td>%s</td><td>", words);
  markup_number(markup, key, value, format);
  markup_put(markup, "</td></tr>\n");
}

static void put_numbers(Markup *markup, const SetosaTrainResult *result) {
  markup_put(markup, "<div class=\"scroll\"><table>\n");
  put_row(markup, "objective", "objective", result->objective, "%.8g");
  put_row(markup, "log-loss in it", "loss", result->loss, "%.8g");
  put_row(markup, "largest |gradient|", "gradient_norm", result->gradient_norm, "%.2e");
  put_row(markup, "iterations", "iterations", (double)result->iterations, "%.0f");
  put_row(markup, "passes over the data", "passes", result->passes, "%.6g");
  put_row(markup, "weights not 0", "nonzeros", (double)result->nonzeros, "%.0f");
  markup_put(markup, "<tr><td>ended by</td><td>");
  markup_text(markup, result->stop_reason);
  markup_put(markup, "</td></tr>\n</table></div>\n");
}

void section_training(Markup *markup, const ReportPage *page) {
  const SetosaTrainResult *result = page->training;
  Curves curves = {.count = 0};
  if (result == NULL) return;
  double bound = result->objective * (1 - result->gap);
  bool bounded = isfinite(result->gap) && !result->separable && bound > 0;
  if (page->trace != NULL) fill(&curves, page->trace, bound);
  markup_put(markup, "<section id=\"training\"><h2>Training</h2>\n<div class=\"grid2\">\n");
  if (curves.count > 0) {
    draw_objective(markup, &curves);
    if (bounded || is_known(curves.gradient, curves.count)) draw_distance(markup, &curves, result, bounded);
  }
  put_numbers(markup, result);
  markup_put(markup, "</div>\n");
  if (result->resumed_iterations > 0)
    markup_put(markup, "<p class=\"dim\">The pictures begin after the %llu iterations that were done before this run.</p>\n",
               (unsigned long long)result->resumed_iterations);
  markup_put(markup, "</section>\n");
}
