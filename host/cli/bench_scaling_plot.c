/* `setosa bench --scaling --plot`: time and memory over size on logarithmic axes, where growth in proportion is a straight line of slope 1.
 * Filled points are those that the exponents count; a bar is from the quickest to the slowest sample. */
#include <math.h>
#include <string.h>

#include "cli/bench.h"

enum { PAGE = 900 };

/* Size, ms, quickest, slowest, MB, whether used: a block of gnuplot for each line. */
static void write_points(FILE *script, const BenchReport *report) {
  for (size_t i = 0; i < report->line_count; i++) {
    const SetosaBenchScaling *line = &report->lines[i];
    fprintf(script, "$line%zu << END_OF_LINE\n", i);
    for (size_t p = 0; p < line->point_count; p++) {
      const SetosaBenchResult *r = &line->points[p].result;
      if (r->status == SETOSA_BENCH_OK)
        fprintf(script, "%llu %.9g %.9g %.9g %.9g %d\n", (unsigned long long)line->points[p].size, r->median_ms, r->min_ms, r->max_ms,
                1e-6 * fmax(1, (double)r->device_bytes), line->points[p].used);
    }
    fprintf(script, "END_OF_LINE\n");
  }
}

/* The largest point of the first line that has one, or the first of devices: the ideal goes through it. */
static const SetosaBenchPoint *anchor(const BenchReport *report) {
  for (size_t i = 0; i < report->line_count; i++) {
    const SetosaBenchScaling *line = &report->lines[i];
    for (size_t k = 0; k < line->point_count; k++) {
      const SetosaBenchPoint *point = &line->points[line->grows == SETOSA_BENCH_DEVICES ? k : line->point_count - 1 - k];
      if (point->result.status == SETOSA_BENCH_OK) return point;
    }
  }
  return NULL;
}

static bool measured(const SetosaBenchScaling *line) {
  for (size_t p = 0; p < line->point_count; p++)
    if (line->points[p].result.status == SETOSA_BENCH_OK) return true;
  return false;
}

/* "native 0: 1.01 ± 0.02" */
static void write_title(FILE *script, const SetosaBenchScaling *line, double exponent, double off) {
  char label[BENCH_LABEL], text[64];
  fprintf(script, "%s", bench_plot_text(text, bench_line_label(label, line)));
  if (isfinite(exponent)) fprintf(script, ": %.2f", exponent);
  if (isfinite(off)) fprintf(script, " ± %.2f", off);
}

/* One panel. column: of the values in the blocks; bars: quickest and slowest beside them. */
static void write_panel(FILE *script, const BenchReport *report, const char *title, int column, double through) {
  const SetosaBenchPoint *point = anchor(report);
  bool time = column == 2;
  bool devices = report->lines[0].grows == SETOSA_BENCH_DEVICES;
  int slope = !devices ? 1 : time ? -1 : 0; /* what devices share takes as much memory on one as on many */
  fprintf(script, "set title '%s'\nset ylabel '%s'\nplot %.9g*(x/%llu.0)**%d with lines lw 2 dt 2 lc rgb '#777777' title '%s: slope %d'",
          title, time ? "ms" : "MB", through, (unsigned long long)point->size, slope, devices ? "ideal" : "in proportion", slope);
  for (size_t i = 0; i < report->line_count; i++) {
    const SetosaBenchScaling *line = &report->lines[i];
    if (!measured(line)) continue;
    fprintf(script, ", $line%zu using 1:%d with lines lw 2 lt %zu notitle", i, column, i + 1);
    if (time) fprintf(script, ", $line%zu using 1:2:3:4 with yerrorbars pt 0 lw 1 lt %zu notitle", i, i + 1);
    fprintf(script, ", $line%zu using 1:($6 == 0 ? $%d : NaN) with points pt 6 ps 1.2 lw 2 lt %zu notitle", i, column, i + 1);
    fprintf(script, ", $line%zu using 1:($6 == 1 ? $%d : NaN) with points pt 7 ps 1.2 lt %zu title '", i, column, i + 1);
    if (time)
      write_title(script, line, line->exponent, line->exponent_error);
    else
      write_title(script, line, line->memory_exponent, line->memory_exponent_error);
    fprintf(script, "'");
  }
  fprintf(script, "\n");
}

void bench_scaling_script(FILE *script, const BenchReport *report, bool svg) {
  const SetosaBenchPoint *point = anchor(report);
  if (point == NULL) return; /* bench_draw has seen a measured row */
  const SetosaBenchResult *r = &point->result;
  const SetosaBenchGrowth grows = report->lines[0].grows;
  const unsigned long long sizes[] = {r->rows, r->features, r->classes};
  bench_plot_page(script, PAGE, svg);
  write_points(script, report);
  fprintf(script,
          "set multiplot\nset logscale xy 10\n%sset grid\nset key top %s Left reverse\nset offsets graph 0.02,graph 0.02,0,0\n"
          "set format x '%%.0s%%c'\nset format y '%%g'\nset xlabel '%s",
          grows == SETOSA_BENCH_DEVICES ? "set logscale x 2\n" : "", grows == SETOSA_BENCH_DEVICES ? "right" : "left",
          setosa_bench_growth_name(grows));
  for (int i = 0; i < 3; i++)
    if (i != (int)grows)
      fprintf(script, "%s%llu %s", i == (grows == SETOSA_BENCH_ROWS) ? " (" : ", ", sizes[i],
              setosa_bench_growth_name((SetosaBenchGrowth)i));
  fprintf(script, ")'\nset origin 0,0.4\nset size 1,0.6\n");
  write_panel(script, report, "Time, with the exponent of its growth; hollow points do not count", 2, r->median_ms);
  fprintf(script, "set origin 0,0\nset size 1,0.4\n");
  write_panel(script, report, "Memory held, with the exponent of its growth", 5, 1e-6 * fmax(1, (double)r->device_bytes));
  fprintf(script, "unset multiplot\n");
}
