/* Weights of pixels as a picture. Neighbours of one strength are one stroke, so that a picture of 28 x 28 takes a few kilobytes. */
#include <math.h>
#include <stdlib.h>

#include "report/plot.h"

enum { LEVELS = 15 };

/* -LEVELS to LEVELS. */
static int level_of(double value, double largest) {
  if (!(largest > 0) || !isfinite(value)) return 0;
  return (int)lround(fmax(-1, fmin(1, value / largest)) * LEVELS);
}

static void draw_level(Markup *markup, const PlotPixels *pixels, int level) {
  bool begun = false;
  for (size_t i = 0; i < pixels->height; i++)
    for (size_t j = 0; j < pixels->width;) {
      size_t end = j;
      while (end < pixels->width && level_of(pixels->values[i * pixels->width + end], pixels->largest) == level) end++;
      if (end == j) {
        j++;
        continue;
      }
      if (!begun)
        markup_put(markup, "<path class=\"%s\" fill-opacity=\"%.2f\" d=\"", level < 0 ? "minus" : "plus", abs(level) / (double)LEVELS);
      begun = true;
      markup_put(markup, "M%zu %zuh%zuv1h-%zuz", j, i, end - j, end - j);
      j = end;
    }
  if (begun) markup_put(markup, "\"/>");
}

void plot_draw_pixels(Markup *markup, const PlotPixels *pixels) {
  markup_put(markup, "<svg class=\"pixels\" viewBox=\"0 0 %zu %zu\" role=\"img\" shape-rendering=\"crispEdges\" aria-label=\"",
             pixels->width, pixels->height);
  markup_text(markup, pixels->title.title);
  markup_put(markup, "\"><title>");
  markup_text(markup, pixels->title.title);
  markup_put(markup, "</title>");
  for (int level = -LEVELS; level <= LEVELS; level++)
    if (level != 0) draw_level(markup, pixels, level);
  markup_put(markup, "</svg>\n");
}
