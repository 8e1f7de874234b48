/* A matrix as squares. */
#include <math.h>
#include <stdio.h>

#include "report/letters.h"
#include "report/plot.h"

enum { SMALL = 9, EDGE = 4, HEADER = 34, FOOT = 6 };
static const double DARK = 0.62; /* from here on letters are light */

static double left_room(const PlotHeat *heat) {
  double widest = 0;
  for (size_t i = 0; i < heat->count; i++) widest = fmax(widest, letters_width(heat->names[i]) * PLOT_LETTERS);
  return fmin(widest + 34, heat->count > 12 ? 84 : 110); /* numbers before them */
}

static bool fits(const char *text, double side) { return letters_width(text) * SMALL + 2 <= side; }

static PlotHeatText choose_text(const PlotHeat *heat, double side) {
  char text[32];
  bool values = side >= SMALL + 3;
  for (size_t i = 0; values && i < heat->count * heat->count; i++) {
    snprintf(text, sizeof text, "%.6g", heat->values[i]);
    values = fits(text, side);
  }
  return values ? PLOT_HEAT_VALUES : side >= SMALL + 3 && fits("100", side) ? PLOT_HEAT_PERCENT : PLOT_HEAT_NONE;
}

static void draw_square(Markup *markup, const PlotHeat *heat, size_t i, size_t j, double x, double y, double side, PlotHeatText how) {
  double shade = heat->shade[i * heat->count + j], value = heat->values[i * heat->count + j];
  size_t row = heat->numbers != NULL ? heat->numbers[i] : i, column = heat->numbers != NULL ? heat->numbers[j] : j;
  markup_put(markup, "<rect class=\"heat\" data-key=\"%s.%zu.%zu\" data-value=\"%.17g\" fill-opacity=\"%.3f\" x=\"%.1f\" y=\"%.1f\" ",
             heat->key, row, column, value, shade, x + 0.5, y + 0.5);
  markup_put(markup, "width=\"%.1f\" height=\"%.1f\"><title>", side - 1, side - 1);
  markup_text(markup, heat->names[i]);
  markup_put(markup, " \u2192 ");
  markup_text(markup, heat->names[j]);
  markup_put(markup, ": %.6g (%.1f %%)</title></rect>", value, 100 * shade);
  if (how == PLOT_HEAT_NONE || value == 0) return;
  markup_put(markup, "<text class=\"%s\" text-anchor=\"middle\" x=\"%.1f\" y=\"%.1f\">", shade > DARK ? "cell on" : "cell", x + side / 2,
             y + side / 2 + 3.2);
  if (how == PLOT_HEAT_VALUES)
    markup_put(markup, "%.6g</text>", value);
  else
    markup_put(markup, "%.0f</text>", 100 * shade);
}

/* Rows and columns are numbered, for names of columns have no room; the rows say which number is whose. */
PlotHeatText plot_draw_heat(Markup *markup, const PlotHeat *heat) {
  double left = left_room(heat), side = fmin((PLOT_WIDTH - left - EDGE) / (double)heat->count, 52);
  double right = left + side * (double)heat->count;
  char number[24];
  PlotHeatText how = choose_text(heat, side);
  plot_open(markup, &heat->title, PLOT_WIDTH, HEADER + side * (double)heat->count + FOOT);
  double room = letters_width(heat->columns_label) * PLOT_LETTERS;
  plot_text(markup, EDGE, 12, "start", "label", heat->rows_label, 0);
  plot_text(markup, fmax(right, 3 * EDGE + letters_width(heat->rows_label) * PLOT_LETTERS + room), 12, "end", "label", heat->columns_label,
            room + 1);
  for (size_t i = 0; i < heat->count; i++) {
    double y = HEADER + side * (double)i, middle = y + side / 2 + 3.6;
    snprintf(number, sizeof number, "%zu", i + 1);
    plot_text(markup, left + side * ((double)i + 0.5), HEADER - 5, "middle", "cell", number, 0);
    plot_text(markup, EDGE + 14, middle, "end", "cell", number, 0);
    plot_text(markup, EDGE + 20, middle, "start", "tick", heat->names[i], left - EDGE - 24);
    for (size_t j = 0; j < heat->count; j++) draw_square(markup, heat, i, j, left + side * (double)j, y, side, how);
    markup_put(markup, "\n");
  }
  plot_close(markup, &heat->title);
  return how;
}
