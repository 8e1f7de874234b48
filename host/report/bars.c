/* Signed bars beside names. */
#include <math.h>
#include <stdio.h>

#include "report/letters.h"
#include "report/plot.h"
#include "report/scale.h"

enum { ROW = 17, NAMES_MOST = 140, VALUES = 58, EDGE = 4, HEAD = 20 };

static double top_of(const PlotBars *bars) { return bars->title.part ? HEAD : 0; }
double plot_bars_height(const PlotBars *bars) { return top_of(bars) + ROW * (double)bars->count + 2 * EDGE; }

static Scale bars_scale(const PlotBars *bars) {
  double least = 0, most = 0;
  for (size_t i = 0; i < bars->count; i++) {
    if (isfinite(bars->values[i])) least = fmin(least, bars->values[i]), most = fmax(most, bars->values[i]);
    if (bars->low != NULL && isfinite(bars->low[i])) least = fmin(least, bars->low[i]);
    if (bars->high != NULL && isfinite(bars->high[i])) most = fmax(most, bars->high[i]);
    if (bars->limits != NULL && isfinite(bars->limits[i])) most = fmax(most, bars->limits[i]);
  }
  if (!isnan(bars->least)) least = bars->least;
  if (!isnan(bars->most)) most = bars->most;
  return scale_make(least, most, false, false, 4);
}

/* 1048 and not 1.05e+03. */
static void put_digits(char text[48], double value, int digits) {
  double size = fabs(value);
  if (size >= pow(10, digits) && size < 1e7)
    snprintf(text, 48, "%.0f", value);
  else
    snprintf(text, 48, "%.*g", digits, value);
}

/* The end of the element of a bar: its number, and its name for pointers. */
static void put_key(Markup *markup, const PlotBars *bars, size_t i) {
  if (bars->keys != NULL) {
    markup_put(markup, " data-key=\"");
    markup_text(markup, bars->keys[i]);
    markup_put(markup, "\"");
  }
  markup_put(markup, " data-value=\"%.17g\"><title>", bars->values[i]);
  markup_text(markup, bars->names[i]);
  markup_put(markup, ": %.9g", bars->values[i]);
  if (bars->low != NULL) markup_put(markup, " (%.4g to %.4g)", bars->low[i], bars->high[i]);
  markup_put(markup, "</title>");
}

/* Up to where the element of the point wants its number. */
static void draw_interval(Markup *markup, const PlotBars *bars, size_t i, const Scale *scale, double left, double right, double y) {
  double low = left + scale_place(scale, bars->low[i]) * (right - left), high = left + scale_place(scale, bars->high[i]) * (right - left);
  const char *side = bars->low[i] > 0 ? "plus" : bars->high[i] < 0 ? "minus" : "f5";
  if (isfinite(low) && isfinite(high))
    markup_put(markup, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"2\"/>", side, low, y + ROW / 2.0 - 1,
               fmax(high - low, 0.5));
  markup_put(markup, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.4\"", side,
             left + scale_place(scale, bars->values[i]) * (right - left), y + ROW / 2.0);
}

static void draw_bar(Markup *markup, const PlotBars *bars, size_t i, const Scale *scale, double left, double right) {
  double value = bars->values[i], zero = left + scale_place(scale, 0) * (right - left),
         end = left + scale_place(scale, value) * (right - left);
  double y = top_of(bars) + EDGE + ROW * (double)i;
  char text[48] = "-", class[16];
  if (bars->colours != NULL)
    snprintf(class, sizeof class, "f%u", bars->colours[i] % PLOT_COLOURS);
  else
    snprintf(class, sizeof class, "%s", value < 0 ? "minus" : "plus");
  plot_text(markup, left - 8, y + 12, "end", "tick", bars->names[i], left - 8 - EDGE);
  if (isfinite(end)) {
    if (bars->low != NULL)
      draw_interval(markup, bars, i, scale, left, right, y);
    else
      markup_put(markup, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"", class, fmin(zero, end), y + 3,
                 fmax(fabs(end - zero), 0.5), ROW - 6);
    put_key(markup, bars, i);
    markup_put(markup, "</%s>", bars->low != NULL ? "circle" : "rect");
    put_digits(text, value, bars->digits);
  }
  if (bars->limits != NULL && isfinite(bars->limits[i]))
    markup_put(markup, "<path class=\"limit\" d=\"M%.1f %.1fv%d\"/>", left + scale_place(scale, bars->limits[i]) * (right - left), y + 1,
               ROW - 2);
  plot_text(markup, plot_width(&bars->title) - EDGE, y + 12, "end", "tick", text, 0);
}

void plot_draw_bars(Markup *markup, const PlotBars *bars) {
  Scale scale = bars_scale(bars);
  double widest = 0, height = plot_bars_height(bars), width = plot_width(&bars->title);
  for (size_t i = 0; i < bars->count; i++) widest = fmax(widest, letters_width(bars->names[i]) * PLOT_LETTERS);
  double left = fmin(widest, NAMES_MOST) + EDGE + 9, right = width - VALUES;
  plot_open(markup, &bars->title, width, height);
  if (bars->title.part) plot_text(markup, EDGE, 13, "start", "head", bars->title.title, width - 2 * EDGE);
  for (size_t i = 0; i < bars->count; i++) draw_bar(markup, bars, i, &scale, left, right);
  markup_put(markup, "<path class=\"axis\" d=\"M%.1f %.1fV%.1f\"/>", left + scale_place(&scale, 0) * (right - left), top_of(bars) + EDGE,
             height - EDGE);
  plot_close(markup, &bars->title);
}
