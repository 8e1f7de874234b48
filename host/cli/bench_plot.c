/* `setosa bench --plot`: a roofline with a point for every row, and bars for every work, drawn by gnuplot. The script goes in through its
 * standard input and the picture comes out of its standard output, so that no file name ever stands in a command or a script. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/bench.h"

enum { WIDTH = 1200, ROOF_HEIGHT = 560, BARS_HEIGHT = 300, BARS_PER_LINE = 3, SERIES_MOST = 32 };

static bool ends_in(const char *path, const char *end) {
  size_t length = strlen(path), tail = strlen(end);
  return length > tail && strcmp(path + length - tail, end) == 0;
}

/* Runs gnuplot with the given descriptors; its complaints go to err. *code: what it exited with. */
static int run_gnuplot(int in, int out, int err, int *code) {
  static const char *const arguments[] = {"gnuplot", "-d", NULL}; /* -d: no start-up file of the user's */
  posix_spawn_file_actions_t actions;
  pid_t child = 0;
  int failure = posix_spawn_file_actions_init(&actions);
  if (failure != 0) return failure;
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  failure = posix_spawnp(&child, arguments[0], &actions, NULL, (char *const *)(uintptr_t)arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) return failure;
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return errno;
  *code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return 0;
}

Status bench_check_plot(const char *path, Error *error) {
  if (path == NULL) return SETOSA_OK;
  if (!ends_in(path, ".svg") && !ends_in(path, ".png"))
    return error_set(error, SETOSA_ERROR_USAGE, "--plot %s: the name tells the format; end it in .svg or .png", path);
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC), code = 1;
  if (nothing < 0) return error_set(error, SETOSA_ERROR_INTERNAL, "/dev/null: cannot open: %s", strerror(errno));
  int failure = run_gnuplot(nothing, nothing, nothing, &code);
  close(nothing);
  if (failure == 0 && code == 0) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_USAGE, "--plot needs gnuplot, which %s; install gnuplot-nox, or leave --plot out",
                   failure == ENOENT ? "is not installed" : "does not run here");
}

/* ---- the script ------------------------------------------------------------------------------------------------- */

/* Whatever a file name holds: a gnuplot string has no quotes or backslashes in it. */
const char *bench_plot_text(char text[64], const char *name) {
  size_t i = 0;
  for (; name[i] != '\0' && i < 63; i++) text[i] = isalnum((unsigned char)name[i]) || strchr(" ._-=,:", name[i]) != NULL ? name[i] : '_';
  text[i] = '\0';
  return text;
}

/* The labels of all rows, each once: a colour and a line of the legend each. */
typedef struct Series {
  char label[SERIES_MOST][BENCH_LABEL];
  size_t count;
} Series;

static size_t series_of(Series *series, const SetosaBenchResult *result) {
  char label[BENCH_LABEL];
  bench_label(label, result);
  size_t i = 0;
  while (i < series->count && strcmp(series->label[i], label) != 0) i++;
  if (i == SERIES_MOST) return SERIES_MOST - 1;
  if (i == series->count) memcpy(series->label[series->count++], label, sizeof label);
  return i;
}

static double intensity(const SetosaBenchResult *result) { return result->gflops / result->gbytes_per_s; }

/* The best that a device did in this run, at the start or between the samples: on a noisy machine a roof of one moment would stand below
 * points of another. */
static SetosaBenchLimits highest_limits(const BenchReport *report, size_t which) {
  SetosaBenchLimits highest = report->limits[which];
  for (size_t i = 0; i < report->result_count; i++) {
    const SetosaBenchResult *r = &report->results[i];
    if (r->status != SETOSA_BENCH_OK || r->device_index != highest.device_index) continue;
    highest.fma_gflops = fmax(highest.fma_gflops, r->fma_gflops);
    highest.read_gbytes_per_s = fmax(highest.read_gbytes_per_s, r->read_gbytes_per_s);
  }
  return highest;
}

static void write_roofline(FILE *script, const BenchReport *report, Series *series, double height) {
  double least = INFINITY, most = 0;
  for (size_t i = 0; i < report->result_count; i++) {
    if (report->results[i].status != SETOSA_BENCH_OK) continue;
    least = fmin(least, intensity(&report->results[i]));
    most = fmax(most, intensity(&report->results[i]));
    series_of(series, &report->results[i]);
  }
  for (size_t s = 0; s < series->count; s++) {
    fprintf(script, "$points%zu << END_OF_POINTS\n", s);
    for (size_t i = 0; i < report->result_count; i++) {
      const SetosaBenchResult *r = &report->results[i];
      char work[64];
      if (r->status != SETOSA_BENCH_OK || series_of(series, r) != s) continue;
      fprintf(script, "%.9g %.9g \"%s%s%s\"\n", intensity(r), r->gflops, bench_plot_text(work, r->work),
              r->what == SETOSA_BENCH_STEP ? "" : " ", r->what == SETOSA_BENCH_STEP ? "" : setosa_bench_what_name(r->what));
    }
    fprintf(script, "END_OF_POINTS\n");
  }
  fprintf(
      script,
      "set origin 0,%.6f\nset size 1,%.6f\nset logscale x 2\nset logscale y 10\nset grid\nset key top left Left reverse\nset xlabel 'flops "
      "per byte of X'\n"
      "set ylabel 'GFLOP/s'\nset xrange [%.6g:%.6g]\nset title 'Roofline: what the machine can do at most (lines) and what was reached'\n"
      "plot ",
      1 - height, height, least / 3, most * 3);
  for (size_t i = 0; i < report->limit_count; i++) {
    const SetosaBenchLimits highest = highest_limits(report, i), *l = &highest;
    char name[64];
    fprintf(script, "(x*%.6g < %.6g ? x*%.6g : %.6g) with lines lw 2 dt %zu lc rgb '#777777' title 'limit of %s', ", l->read_gbytes_per_s,
            l->fma_gflops, l->read_gbytes_per_s, l->fma_gflops, i + 1, bench_plot_text(name, l->device));
  }
  for (size_t s = 0; s < series->count; s++)
    fprintf(script,
            "%s$points%zu using 1:2 with points pt 7 ps 1.3 lt %zu title '%s', $points%zu using 1:2:3 with labels left offset 0.8,0.1 "
            "font ',10' notitle",
            s == 0 ? "" : ", ", s, s + 1, series->label[s], s);
  fprintf(script, "\nunset logscale\n");
}

/* One panel: a bar for each row of a group, and a dashed line across it at the limit. x, y, width, height: of the page. */
static void write_bars(FILE *script, const SetosaBenchResult *group, size_t count, Series *series, size_t panel, const double at[4]) {
  char work[64];
  fprintf(script, "$bars%zu << END_OF_BARS\n", panel);
  for (size_t i = 0; i < count; i++) {
    if (group[i].status != SETOSA_BENCH_OK) continue;
    size_t colour = series_of(series, &group[i]);
    fprintf(script, "%.9g %.9g %zu \"%s\"\n", group[i].median_ms, group[i].limit_ms, colour + 1, series->label[colour]);
  }
  fprintf(script,
          "END_OF_BARS\nset origin %.6f,%.6f\nset size %.6f,%.6f\nset title '%s, %s: ms; dashed: the limit'\nset xlabel ''\nset ylabel ''\n"
          "unset key\nunset grid\nset grid y\nset xrange [-0.7:%zu-0.3]\nset yrange [0:*]\nset offsets 0,0,graph 0.12,0\nset boxwidth 0.7\n"
          "set style fill solid 0.8\n"
          "plot $bars%zu using 0:1:3:xtic(4) with boxes lc variable, '' using 0:1:($1 < 100 ? sprintf('%%.3g', $1) : sprintf('%%.0f', $1)) "
          "with labels offset 0,0.6 "
          "font ',10', '' using ($0-0.35):2:(0.7):(0) with vectors nohead lw 2 dt 2 lc rgb 'black'\n",
          at[0], at[1], at[2], at[3], bench_plot_text(work, group->work), setosa_bench_what_name(group->what), count, panel);
}

/* Rows of the group that begins at `first`; *timed is how many of them have a time. */
static size_t group_rows(const BenchReport *report, size_t first, size_t *timed) {
  size_t count = 0;
  *timed = 0;
  for (; first + count < report->result_count && bench_same_group(&report->results[first], &report->results[first + count]); count++)
    *timed += report->results[first + count].status == SETOSA_BENCH_OK;
  return count;
}

void bench_plot_page(FILE *script, double height, bool svg) {
  fprintf(script, "set terminal %s size %d,%.0f noenhanced font '%s,12' background rgb 'white'\nset encoding utf8\n",
          svg ? "svg" : "pngcairo", WIDTH, height, svg ? "sans-serif" : "Sans");
  static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999933"};
  for (size_t i = 0; i < SERIES_MOST; i++) fprintf(script, "set linetype %zu lc rgb '%s'\n", i + 1, colours[i % 8]);
}

static void write_script(FILE *script, const BenchReport *report, bool svg) {
  Series series = {.count = 0};
  size_t panels = 0, timed = 0;
  for (size_t i = 0; i < report->result_count; i += group_rows(report, i, &timed)) {
    group_rows(report, i, &timed);
    panels += timed > 0;
  }
  size_t lines = (panels + BARS_PER_LINE - 1) / BARS_PER_LINE;
  double page = ROOF_HEIGHT + BARS_HEIGHT * (double)lines, bars = BARS_HEIGHT / page;
  bench_plot_page(script, page, svg);
  fprintf(script, "set multiplot\n");
  write_roofline(script, report, &series, ROOF_HEIGHT / page);
  for (size_t i = 0, panel = 0, count = 0; i < report->result_count; i += count) {
    count = group_rows(report, i, &timed);
    if (timed == 0) continue;
    size_t line = panel / BARS_PER_LINE, column = panel % BARS_PER_LINE;
    const double at[] = {(double)column / BARS_PER_LINE, 1 - ROOF_HEIGHT / page - bars * (double)(line + 1), 1.0 / BARS_PER_LINE, bars};
    write_bars(script, &report->results[i], count, &series, panel++, at);
  }
  fprintf(script, "unset multiplot\n");
}

/* The first line of what gnuplot said. */
static void read_complaint(FILE *complaints, char *line, size_t size) {
  line[0] = '\0';
  rewind(complaints);
  while (fgets(line, (int)size, complaints) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    if (line[strspn(line, " ^")] != '\0') return; /* gnuplot points at the place first */
  }
}

Status bench_draw(const BenchReport *report, const char *path, BenchScript write, Error *error) {
  Status status = SETOSA_OK;
  AtomicFile file = {0};
  FILE *script = tmpfile(), *complaints = tmpfile();
  char line[256];
  int code = 0;
  size_t timed = 0;
  for (size_t i = 0; i < report->result_count; i++) timed += report->results[i].status == SETOSA_BENCH_OK;
  if (timed == 0) TRY(error_set(error, SETOSA_ERROR_WRITE, "%s: nothing was measured, so there is nothing to draw", path));
  if (script == NULL || complaints == NULL)
    TRY(error_set(error, SETOSA_ERROR_WRITE, "no temporary file for gnuplot's script: %s", strerror(errno)));
  write(script, report, ends_in(path, ".svg"));
  if (fflush(script) != 0) TRY(error_set(error, SETOSA_ERROR_WRITE, "cannot write gnuplot's script: %s", strerror(errno)));
  rewind(script);
  TRY(atomic_file_open(&file, path, error));
  int failure = run_gnuplot(fileno(script), fileno(file.stream), fileno(complaints), &code);
  if (failure != 0) TRY(error_set(error, SETOSA_ERROR_WRITE, "%s: cannot run gnuplot: %s; install gnuplot-nox", path, strerror(failure)));
  read_complaint(complaints, line, sizeof line);
  if (code != 0) TRY(error_set(error, SETOSA_ERROR_WRITE, "%s: gnuplot failed with %d: %s", path, code, line));
  TRY(atomic_file_commit(&file, error));
cleanup:
  atomic_file_abandon(&file);
  if (script != NULL) fclose(script);
  if (complaints != NULL) fclose(complaints);
  return status;
}

Status bench_write_plot(const BenchReport *report, const char *path, Error *error) {
  return bench_draw(report, path, report->scaling ? bench_scaling_script : write_script, error);
}
