/* A picture of a run of `setosa bench`: a roofline with a point for each row, and for each work bars beside its limit. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/plot.h"
#include "report/report.h"
#include "report/style.h"

enum { WIDTH = 1100, COLUMNS = 3, EDGE = 16, GAP = 20, ROOF_TOP = 40, ROOF_HEIGHT = 420, DEVICES = 8, LABELS = 24, NAME = 224 };

typedef struct Drawing {
  Markup markup;
  const ReportBench *bench;
  unsigned labels;                             /* different ones */
  unsigned *colour;                            /* (count) of each row: rows of one label have the same */
  double *intensity, *gflops, *median, *limit; /* (count) */
  const char **point, **label;                 /* (count) */
  char (*points)[NAME];
} Drawing;

static Status allocate(Drawing *drawing, Error *error) {
  Status status = SETOSA_OK;
  size_t count = drawing->bench->count;
  TRY(memory_allocate_zero((void **)&drawing->colour, count, sizeof *drawing->colour, "a picture", error));
  TRY(memory_allocate((void **)&drawing->intensity, count, sizeof *drawing->intensity, "a picture", error));
  TRY(memory_allocate((void **)&drawing->gflops, count, sizeof *drawing->gflops, "a picture", error));
  TRY(memory_allocate((void **)&drawing->median, count, sizeof *drawing->median, "a picture", error));
  TRY(memory_allocate((void **)&drawing->limit, count, sizeof *drawing->limit, "a picture", error));
  TRY(memory_allocate((void **)&drawing->point, count, sizeof *drawing->point, "a picture", error));
  TRY(memory_allocate((void **)&drawing->label, count, sizeof *drawing->label, "a picture", error));
  TRY(memory_allocate((void **)&drawing->points, count, sizeof *drawing->points, "a picture", error));
cleanup:
  return status;
}

static void release(Drawing *drawing) {
  free(drawing->colour);
  free(drawing->intensity);
  free(drawing->gflops);
  free(drawing->median);
  free(drawing->limit);
  free(drawing->point);
  free(drawing->label);
  free(drawing->points);
  markup_free(&drawing->markup);
}

static void fill(Drawing *drawing) {
  const ReportBench *bench = drawing->bench;
  for (size_t i = 0; i < bench->count; i++) {
    const SetosaBenchResult *row = bench->rows[i].result;
    size_t same = 0;
    while (same < i && strcmp(bench->rows[same].label, bench->rows[i].label) != 0) same++;
    drawing->colour[i] = same < i ? drawing->colour[same] : drawing->labels++;
    drawing->gflops[i] = row->gflops;
    drawing->intensity[i] = row->gflops / row->gbytes_per_s;
    drawing->median[i] = row->median_ms;
    drawing->limit[i] = row->limit_ms;
    bool step = row->what == SETOSA_BENCH_STEP;
    snprintf(drawing->points[i], NAME, "%s%s%s", row->work, step ? "" : " ", step ? "" : setosa_bench_what_name(row->what));
    drawing->point[i] = drawing->points[i];
    drawing->label[i] = bench->rows[i].label;
  }
}

/* ---- roofline -------------------------------------------------------------------------------------------------------- */

/* What a device did at best in this run, when its limits were measured or between the samples. */
static void best_of(const ReportBench *bench, const SetosaBenchLimits *limits, double *peak, double *read) {
  *peak = limits->fma_gflops;
  *read = limits->read_gbytes_per_s;
  for (size_t i = 0; i < bench->count; i++) {
    const SetosaBenchResult *row = bench->rows[i].result;
    if (row->device_index != limits->device_index) continue;
    *peak = fmax(*peak, row->fma_gflops);
    *read = fmax(*read, row->read_gbytes_per_s);
  }
}

/* Rows of a label, which lie anywhere, as one series. */
typedef struct Points {
  double x[REPORT_BENCH_POINTS], y[REPORT_BENCH_POINTS];
  const char *titles[REPORT_BENCH_POINTS];
} Points;

typedef struct Roofs {
  double x[DEVICES][3], y[DEVICES][3];
  char names[DEVICES][NAME];
  double least, most; /* of the flops for each byte */
} Roofs;

/* A line up to where arithmetic becomes the limit, and a flat one from there. */
static size_t add_roofs(PlotSeries *series, Roofs *roofs, const ReportBench *bench) {
  size_t count = 0;
  for (; count < bench->limit_count && count < DEVICES; count++) {
    const SetosaBenchLimits *limits = &bench->limits[count];
    double peak = 0, read = 0;
    best_of(bench, limits, &peak, &read);
    const double at[] = {roofs->least, fmin(fmax(peak / read, roofs->least), roofs->most), roofs->most};
    for (size_t i = 0; i < 3; i++) {
      roofs->x[count][i] = at[i];
      roofs->y[count][i] = fmin(peak, read * at[i]);
    }
    if (limits->device_index == SETOSA_BENCH_HOST)
      snprintf(roofs->names[count], NAME, "limit of the %s", limits->device);
    else
      snprintf(roofs->names[count], NAME, "limit of [%d] %s", limits->device_index, limits->device);
    series[count] = (PlotSeries){.name = roofs->names[count],
                                 .colour = count % 2 == 0 ? 5 : 4,
                                 .dashed = count > 0,
                                 .x = roofs->x[count],
                                 .y = roofs->y[count],
                                 .count = 3};
  }
  return count;
}

/* A series for each label. */
static size_t add_points(PlotSeries *series, Points *points, const Drawing *drawing) {
  size_t count = 0, used = 0;
  for (; count < LABELS && count < drawing->labels; count++) {
    series[count] = (PlotSeries){.mark = PLOT_POINTS,
                                 .colour = (unsigned)count,
                                 .labelled = true,
                                 .x = points->x + used,
                                 .y = points->y + used,
                                 .titles = points->titles + used};
    for (size_t i = 0; i < drawing->bench->count && used < REPORT_BENCH_POINTS; i++) {
      if (drawing->colour[i] != count) continue;
      series[count].name = drawing->label[i];
      points->x[used] = drawing->intensity[i];
      points->y[used] = drawing->gflops[i];
      points->titles[used++] = drawing->point[i];
      series[count].count++;
    }
  }
  return count;
}

static void draw_roofline(Drawing *drawing, Points *points) {
  PlotSeries series[DEVICES + LABELS] = {{.count = 0}};
  Roofs roofs = {.least = INFINITY};
  for (size_t i = 0; i < drawing->bench->count; i++) {
    roofs.least = fmin(roofs.least, drawing->intensity[i] / 3);
    roofs.most = fmax(roofs.most, drawing->intensity[i] * 3);
  }
  size_t count = add_roofs(series, &roofs, drawing->bench);
  count += add_points(series + count, points, drawing);
  const Plot plot = {
      .title = {.title = "Roofline", .width = WIDTH - 2 * EDGE, .height = ROOF_HEIGHT, .part = true, .x = EDGE, .y = ROOF_TOP},
      .x = {"flops for each byte of X", true, roofs.least, roofs.most},
      .y = {"GFLOP/s: what the machine can do at most (lines) and what was reached", true, NAN, NAN},
      .series = series,
      .series_count = count};
  plot_draw(&drawing->markup, &plot);
}

/* ---- bars ------------------------------------------------------------------------------------------------------------ */

/* Rows from `first` on that are of one work and operation. */
static size_t group_length(const ReportBench *bench, size_t first) {
  const SetosaBenchResult *one = bench->rows[first].result;
  size_t end = first + 1;
  while (end < bench->count && strcmp(bench->rows[end].result->work, one->work) == 0 && bench->rows[end].result->what == one->what) end++;
  return end - first;
}

static PlotBars group_bars(const Drawing *drawing, size_t first, char title[NAME]) {
  const SetosaBenchResult *one = drawing->bench->rows[first].result;
  snprintf(title, NAME, "%s, %s: ms, and the limit", one->work, setosa_bench_what_name(one->what));
  return (PlotBars){.title = {.title = title, .width = (WIDTH - 2.0 * EDGE - (COLUMNS - 1) * GAP) / COLUMNS, .part = true},
                    .count = group_length(drawing->bench, first),
                    .names = drawing->label + first,
                    .values = drawing->median + first,
                    .limits = drawing->limit + first,
                    .digits = 3,
                    .colours = drawing->colour + first,
                    .least = 0,
                    .most = NAN};
}

/* All groups from `top` on, drawn or only laid out (NULL). Where they end. */
static double lay_bars(const Drawing *drawing, Markup *markup, double top) {
  char title[NAME];
  double tallest = 0;
  size_t column = 0;
  for (size_t first = 0; first < drawing->bench->count; first += group_length(drawing->bench, first)) {
    PlotBars bars = group_bars(drawing, first, title);
    if (column == COLUMNS) column = 0, top += tallest + GAP, tallest = 0;
    bars.title.x = EDGE + (double)column++ * (bars.title.width + GAP);
    bars.title.y = top;
    tallest = fmax(tallest, plot_bars_height(&bars));
    if (markup != NULL) plot_draw_bars(markup, &bars);
  }
  return top + tallest;
}

Status report_write_bench(const ReportBench *bench, const char *path, Error *error) {
  Status status = SETOSA_OK;
  Drawing drawing = {.bench = bench};
  Points *points = NULL;
  Markup *markup = &drawing.markup;
  const double bars_top = ROOF_TOP + ROOF_HEIGHT + GAP;
  if (bench->count == 0) return error_set(error, SETOSA_ERROR_DEVICE, "nothing was measured, so there is nothing to draw");
  TRY(allocate(&drawing, error));
  TRY(memory_allocate((void **)&points, 1, sizeof *points, "a picture", error));
  fill(&drawing);
  double height = lay_bars(&drawing, NULL, bars_top) + EDGE;
  markup_put(markup,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\" height=\"%.0f\" role=\"img\">\n<title>", WIDTH,
             height, WIDTH, height);
  markup_text(markup, bench->title);
  markup_put(markup, "</title>\n<style>\n%s%s</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"var(--paper)\"/>\n", style_colours,
             style_pictures);
  plot_text(markup, EDGE, 24, "start", "head", bench->title, WIDTH - 2 * EDGE);
  draw_roofline(&drawing, points);
  lay_bars(&drawing, markup, bars_top);
  markup_put(markup, "</svg>\n");
  TRY(markup_write(markup, path, error));
cleanup:
  free(points);
  release(&drawing);
  return status;
}
