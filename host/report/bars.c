/* Signed bars beside names. */
#include <math.h>
#include <stdio.h>

#include "report/letters.h"
#include "report/plot.h"
#include "report/scale.h"

enum { ROW = 17, NAMES_MOST = 140, VALUES = 58, EDGE = 4 };

double plot_bars_height(size_t count) { return ROW * (double)count + 2 * EDGE; }

static Scale bars_scale(const PlotBars *bars) {
  double least = 0, most = 0;
  for (size_t i = 0; i < bars->count; i++) {
    if (isfinite(bars->values[i])) least = fmin(least, bars->values[i]), most = fmax(most, bars->values[i]);
    if (bars->limits != NULL && isfinite(bars->limits[i])) most = fmax(most, bars->limits[i]);
  }
  if (!isnan(bars->least)) least = bars->least;
  if (!isnan(bars->most)) most = bars->most;
  return scale_make(least, most, false, false, 4);
}

static void draw_bar(Markup *markup, const PlotBars *bars, size_t i, const Scale *scale, double left, double right) {
  double value = bars->values[i], zero = left + scale_place(scale, 0) * (right - left),
         end = left + scale_place(scale, value) * (right - left);
  double y = EDGE + ROW * (double)i;
  char text[48] = "-", class[16];
  unsigned colour = bars->colours != NULL ? bars->colours[i] % PLOT_COLOURS : 0;
  snprintf(class, sizeof class, bars->colours != NULL ? "f%u" : value < 0 ? "minus" : "plus", colour);
  plot_text(markup, left - 8, y + 12, "end", "tick", bars->names[i], left - 8 - EDGE);
  if (isfinite(end)) {
    markup_put(markup, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"", class, fmin(zero, end), y + 3,
               fmax(fabs(end - zero), 0.5), ROW - 6);
    if (bars->keys != NULL) {
      markup_put(markup, " data-key=\"");
      markup_text(markup, bars->keys[i]);
      markup_put(markup, "\"");
    }
    markup_put(markup, " data-value=\"%.17g\"><title>", value);
    markup_text(markup, bars->names[i]);
    markup_put(markup, ": %.9g</title></rect>", value);
    snprintf(text, sizeof text, bars->format, value);
  }
  if (bars->limits != NULL && isfinite(bars->limits[i]))
    markup_put(markup, "<path class=\"limit\" d=\"M%.1f %.1fv%d\"/>", left + scale_place(scale, bars->limits[i]) * (right - left), y + 1,
               ROW - 2);
  plot_text(markup, PLOT_WIDTH - EDGE, y + 12, "end", "tick", text, 0);
}

void plot_draw_bars(Markup *markup, const PlotBars *bars) {
  Scale scale = bars_scale(bars);
  double widest = 0, height = plot_bars_height(bars->count);
  for (size_t i = 0; i < bars->count; i++) widest = fmax(widest, letters_width(bars->names[i]) * PLOT_LETTERS);
  double left = fmin(widest, NAMES_MOST) + EDGE + 9, right = PLOT_WIDTH - VALUES;
  plot_open(markup, &bars->title, PLOT_WIDTH, height);
  for (size_t i = 0; i < bars->count; i++) draw_bar(markup, bars, i, &scale, left, right);
  markup_put(markup, "<path class=\"axis\" d=\"M%.1f %dV%.1f\"/>", left + scale_place(&scale, 0) * (right - left), EDGE, height - EDGE);
  plot_close(markup, &bars->title);
}
