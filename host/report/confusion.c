/* The confusion matrix as squares, of many classes those that are confused most. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/plot.h"
#include "report/sections.h"

enum { SHOWN = 20, PAIRS = 10 };

/* Errors of each class: its rows that are taken for others, and those of others that are taken for it. */
static void count_errors(double *errors, const SetosaMetrics *metrics) {
  size_t classes = metrics->classes;
  for (size_t k = 0; k < classes; k++) errors[k] = 0;
  for (size_t i = 0; i < classes; i++)
    for (size_t j = 0; j < classes; j++)
      if (i != j) errors[i] += metrics->confusion[i * classes + j], errors[j] += metrics->confusion[i * classes + j];
}

static int by_index(const void *a, const void *b) {
  size_t one = *(const size_t *)a, other = *(const size_t *)b;
  return (one > other) - (one < other);
}

static void draw(Markup *markup, const ReportPage *page, const size_t *chosen, size_t count) {
  const SetosaMetrics *metrics = page->metrics;
  double shade[SHOWN * SHOWN], values[SHOWN * SHOWN];
  const char *names[SHOWN];
  for (size_t i = 0; i < count; i++) {
    names[i] = section_class_name(page, chosen[i]);
    double support = metrics->per_class[chosen[i]].support;
    for (size_t j = 0; j < count; j++) {
      values[i * count + j] = metrics->confusion[chosen[i] * metrics->classes + chosen[j]];
      shade[i * count + j] = support > 0 ? fmin(1, values[i * count + j] / support) : 0;
    }
  }
  const PlotHeat heat = {.title = {.title = "Confusion matrix"},
                         .rows_label = "true class",
                         .columns_label = "predicted class",
                         .count = count,
                         .names = names,
                         .shade = shade,
                         .values = values,
                         .numbers = chosen,
                         .key = "confusion"};
  markup_put(markup, "<figure>");
  PlotHeatText how = plot_draw_heat(markup, &heat);
  markup_put(markup, "<figcaption>A row for each true class, a column with the same number for each predicted one. ");
  if (how == PLOT_HEAT_PERCENT) markup_put(markup, "Numbers are percent of the rows of the true class. ");
  if (how == PLOT_HEAT_VALUES)
    markup_put(markup, "Numbers are %s. ", metrics->weight == (double)metrics->rows ? "rows" : "weights of rows");
  markup_put(markup, "Colour is the part of the true class.");
  if (count < metrics->classes)
    markup_put(markup, " Shown are the %zu classes with the most errors; %zu more are left out.", count, metrics->classes - count);
  markup_put(markup, "</figcaption></figure>\n");
}

/* The most frequent errors, with their names in full. */
static void list_pairs(Markup *markup, const ReportPage *page) {
  const SetosaMetrics *metrics = page->metrics;
  size_t classes = metrics->classes, best[PAIRS], count = 0, wrong = 0;
  for (size_t at = 0; at < classes * classes; at++) {
    double value = metrics->confusion[at];
    if (at / classes == at % classes || !(value > 0)) continue;
    wrong++;
    size_t place = count;
    while (place > 0 && metrics->confusion[best[place - 1]] < value) place--;
    if (place == PAIRS) continue;
    if (count < PAIRS) count++;
    memmove(best + place + 1, best + place, (count - 1 - place) * sizeof *best);
    best[place] = at;
  }
  markup_put(markup, "<figure><h3>Most frequent errors</h3>\n");
  if (count == 0) markup_put(markup, "<p>None: every row is right.</p>");
  if (count > 0)
    markup_put(markup, "<div class=\"scroll\"><table><tr><th>true class</th><th>taken for</th><th>rows</th><th>of the class</th></tr>\n");
  for (size_t i = 0; i < count; i++) {
    size_t row = best[i] / classes, column = best[i] % classes;
    markup_put(markup, "<tr><td>");
    markup_name(markup, section_class_name(page, row), 14);
    markup_put(markup, "</td><td>");
    markup_name(markup, section_class_name(page, column), 14);
    markup_put(markup, "</td><td>%.6g</td><td>%.2f %%</td></tr>\n", metrics->confusion[best[i]],
               100 * metrics->confusion[best[i]] / metrics->per_class[row].support);
  }
  if (count > 0) markup_put(markup, "</table></div>\n");
  if (wrong > count) markup_put(markup, "<p class=\"dim\">%zu more kinds of error are rarer.</p>\n", wrong - count);
  markup_put(markup, "</figure>\n");
}

void section_confusion(Markup *markup, const ReportPage *page) {
  const SetosaMetrics *metrics = page->metrics;
  double *errors = NULL;
  if (metrics == NULL) return;
  if (metrics->confusion == NULL) {
    markup_put(markup, "<p class=\"dim\">Of %zu classes there is no confusion matrix: it is kept up to 1000.</p>\n", metrics->classes);
    return;
  }
  if (markup->status == SETOSA_OK)
    markup->status = memory_allocate((void **)&errors, metrics->classes, sizeof *errors, "a report", &markup->error);
  if (errors == NULL) return;
  count_errors(errors, metrics);
  size_t count = metrics->classes < SHOWN ? metrics->classes : SHOWN, *chosen = section_largest(markup, errors, metrics->classes, count);
  if (chosen != NULL) {
    qsort(chosen, count, sizeof *chosen, by_index);
    draw(markup, page, chosen, count);
    list_pairs(markup, page);
  }
  free(chosen);
  free(errors);
}
