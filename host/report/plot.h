/* The one writer of pictures: axes with lines, points, error bars and bars on them, a heat map, signed bars beside names. All of it is
 * inline SVG whose colours are the variables of style.h, so that it is legible on light, on dark and on paper. A picture is laid out for
 * the width of a phone and scaled from there. Names are cut to the room that they have; no two texts overlap. */
#ifndef SETOSA_REPORT_PLOT_H
#define SETOSA_REPORT_PLOT_H

#include <stdint.h>

#include "report/markup.h"

enum { PLOT_WIDTH = 360, PLOT_HEIGHT = 240, PLOT_COLOURS = 6 };

/* What a picture is called, for those who do not see it and for pointers, and how large it is; 0: PLOT_WIDTH, and as high as is usual. */
typedef struct PlotTitle {
  const char *title;
  double width, height;
  bool part; /* of a larger picture, in which its corner is at x, y */
  double x, y;
} PlotTitle;

typedef enum PlotMark { PLOT_LINE, PLOT_POINTS, PLOT_BARS } PlotMark;

typedef struct PlotSeries {
  const char *name; /* in the legend; NULL: not there */
  PlotMark mark;
  unsigned colour; /* from 0; modulo PLOT_COLOURS */
  bool dashed;
  bool labelled;             /* titles stand beside the points as far as there is room */
  const double *x, *y;       /* (count) what is not finite, or has no place on a log axis, is left out */
  const double *error;       /* (count) of y, up and down; NULL: none */
  const char *const *titles; /* (count) of points and bars, beside their numbers; NULL: none */
  size_t count;
  double bar_width; /* of bars, in x */
} PlotSeries;

typedef struct PlotAxis {
  const char *label;
  bool log;
  double least, most; /* NAN: as the series have it */
} PlotAxis;

/* A line across the whole plot. */
typedef struct PlotRule {
  const char *name; /* in the legend */
  bool upright;     /* at an x; else at a y */
  double at;
  unsigned colour;
} PlotRule;

typedef struct Plot {
  PlotTitle title;
  PlotAxis x, y;
  const PlotSeries *series; /* (series_count) */
  size_t series_count;
  const PlotRule *rules; /* (rule_count) */
  size_t rule_count;
} Plot;
void plot_draw(Markup *markup, const Plot *plot);

/* A matrix as squares, the darker the larger. */
typedef struct PlotHeat {
  PlotTitle title;
  const char *rows_label, *columns_label;
  size_t count;             /* of rows and of columns */
  const char *const *names; /* (count) of both */
  const double *shade;      /* (count,count) row-major, from 0 to 1 */
  const double *values;     /* (count,count) written into the squares where they fit, else in their titles alone */
  const size_t *numbers;    /* (count) of the rows in keys; NULL: 0, 1, ... */
  const char *key;          /* the squares are KEY.row.column */
} PlotHeat;
/* What stands in the squares: the values, or the shades in percent where those do not fit, or nothing. */
typedef enum PlotHeatText { PLOT_HEAT_VALUES, PLOT_HEAT_PERCENT, PLOT_HEAT_NONE } PlotHeatText;
PlotHeatText plot_draw_heat(Markup *markup, const PlotHeat *heat);

/* A bar for each name, to the right or to the left of 0. As a part of a larger picture it has its title above it. */
typedef struct PlotBars {
  PlotTitle title;
  size_t count;
  const char *const *names;
  const double *values;     /* (count) */
  const double *low, *high; /* (count) a point with an interval in place of the bar; NULL: none */
  const double *limits;     /* (count) a mark beside each bar; NULL: none */
  int digits;               /* of the values beside them */
  const char *const *keys;  /* (count) or NULL */
  const unsigned *colours;  /* (count), or NULL: by the sign */
  double least, most;       /* of the axis; NAN: as the values have it */
} PlotBars;
void plot_draw_bars(Markup *markup, const PlotBars *bars);
double plot_bars_height(const PlotBars *bars);

/* Values of pixels, those above 0 in one colour and those below in another, the stronger the further from 0. */
typedef struct PlotPixels {
  PlotTitle title;
  size_t height, width;
  const float *values; /* (height,width) row-major */
  double largest;      /* what is as strong as can be */
} PlotPixels;
void plot_draw_pixels(Markup *markup, const PlotPixels *pixels);

/* Begins and ends a picture: for those who draw one of several. */
void plot_open(Markup *markup, const PlotTitle *title, double width, double height);
void plot_close(Markup *markup, const PlotTitle *title);
static inline double plot_width(const PlotTitle *title) { return title->width > 0 ? title->width : PLOT_WIDTH; }
/* A text whose end (anchor "end"), middle ("middle") or beginning ("start") is at x. It is cut to `room` pixels (0: it is short by itself).
 */
void plot_text(Markup *markup, double x, double y, const char *anchor, const char *class, const char *text, double room);
enum { PLOT_LETTERS = 11 }; /* pixels */

#endif
