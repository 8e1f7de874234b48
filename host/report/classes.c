/* A line for each class, of many those that are predicted worst. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "report/sections.h"

enum { SHOWN = 50 };

static void put_cell(Markup *markup, size_t k, const char *what, double value, const char *format) {
  char key[64];
  snprintf(key, sizeof key, "per_class.%zu.%s", k, what);
  markup_put(markup, "<td>");
  markup_number(markup, key, value, format);
  markup_put(markup, "</td>");
}

static void put_class(Markup *markup, const ReportPage *page, size_t k) {
  const SetosaClassMetrics *of = &page->metrics->per_class[k];
  markup_put(markup, "<tr><td>");
  markup_name(markup, section_class_name(page, k), 18);
  markup_put(markup, "</td>");
  put_cell(markup, k, "precision", of->precision, "%.4f");
  put_cell(markup, k, "recall", of->recall, "%.4f");
  put_cell(markup, k, "f1", of->f1, "%.4f");
  put_cell(markup, k, "auc", of->auc, "%.4f");
  put_cell(markup, k, "support", of->support, "%.6g");
  put_cell(markup, k, "predicted", of->predicted, "%.6g");
  markup_put(markup, "<td class=\"bar\"><span class=\"meter\" style=\"width:%.1f%%\"></span></td></tr>\n",
             isfinite(of->f1) ? 100 * of->f1 : 0);
}

void section_classes(Markup *markup, const ReportPage *page) {
  const SetosaMetrics *metrics = page->metrics;
  double *badness = NULL;
  if (metrics == NULL) return;
  size_t count = metrics->classes < SHOWN ? metrics->classes : SHOWN, *chosen = NULL;
  if (count < metrics->classes && markup->status == SETOSA_OK) {
    markup->status = memory_allocate((void **)&badness, metrics->classes, sizeof *badness, "a report", &markup->error);
    for (size_t k = 0; badness != NULL && k < metrics->classes; k++)
      badness[k] = isfinite(metrics->per_class[k].f1) ? -metrics->per_class[k].f1 : -2;
    if (badness != NULL) chosen = section_largest(markup, badness, metrics->classes, count);
  }
  markup_put(markup,
             "<h3>By class</h3>\n<div "
             "class=\"scroll\"><table><tr><th>class</th><th>precision</th><th>recall</th><th>F1</th><th>AUC</th><th>rows</th>"
             "<th>predicted</th><th>F1</th></tr>\n");
  for (size_t i = 0; i < count; i++) put_class(markup, page, chosen != NULL ? chosen[i] : i);
  markup_put(markup, "</table></div>\n");
  if (count < metrics->classes)
    markup_put(markup, "<p class=\"dim\">Shown are the %zu classes with the lowest F1; %zu more are left out.</p>\n", count,
               metrics->classes - count);
  free(chosen);
  free(badness);
}
