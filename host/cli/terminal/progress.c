/* The progress line. Drawn with blanks and carriage returns only, so that every terminal understands it. */
#include "cli/terminal/progress.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/terminal/interrupt.h"
#include "cli/terminal/units.h"

/* Ctrl-C makes a terminal write ^C behind the line. Two columns are left for it, and the last one, where writing wraps on some terminals.
 */
enum { PARTS = 6, PART_SIZE = 96, FREE_COLUMNS = 3 };
static const double redraw_seconds = 0.1;

void progress_begin(Progress *progress, const Console *console, const char *what) {
  *progress = (Progress){.console = console, .what = what, .shown = !console->quiet && isatty(fileno(stderr)) == 1, .last_drawn = -1};
}

/* Writes line over the one that stands, cut to the terminal. */
static void draw(Progress *progress, const char *line) {
  size_t width = console_width(stderr, 80), columns = console_columns(line), bytes = strlen(line);
  while (columns + FREE_COLUMNS > width && bytes > 0) {
    bytes--;
    if (((unsigned char)line[bytes] & 0xC0) != 0x80) columns--;
  }
  size_t blanks = progress->columns > columns ? progress->columns - columns : 0;
  if (columns + blanks + FREE_COLUMNS > width) blanks = width > columns + FREE_COLUMNS ? width - columns - FREE_COLUMNS : 0;
  fprintf(stderr, "\r%.*s%*s", (int)bytes, line, (int)blanks, "");
  fflush(stderr);
  progress->columns = columns;
  progress->last_drawn = clock_seconds();
}

/* Joins the leading parts that fit the terminal. */
static void draw_parts(Progress *progress, size_t count, char parts[][PART_SIZE]) {
  char line[PARTS * (PART_SIZE + 2) + 1] = "";
  size_t width = console_width(stderr, 80), used = 0, columns = 0;
  for (size_t i = 0; i < count; i++) {
    size_t more = console_columns(parts[i]) + (i > 0 ? 2 : 0);
    if (parts[i][0] == '\0') continue;
    if (i > 0 && columns + more + FREE_COLUMNS > width) break;
    used += (size_t)snprintf(line + used, sizeof line - used, "%s%s", i > 0 ? "  " : "", parts[i]);
    columns += more;
  }
  draw(progress, line);
}

static void show_load(Progress *progress, const SetosaProgress *at) {
  char parts[PARTS][PART_SIZE] = {{0}}, number[UNITS_SIZE];
  bool made = strncmp(progress->what, "synthetic", 9) == 0 && (progress->what[9] == ':' || progress->what[9] == '\0');
  const char *slash = made ? NULL : strrchr(progress->what, '/');
  snprintf(parts[0], PART_SIZE, "%s %s", made ? "making" : "reading", slash != NULL ? slash + 1 : progress->what);
  console_make_visible(parts[0]);
  if (at->bytes_total > 0)
    snprintf(parts[1], PART_SIZE, "%3.0f %%", fmin(100, 100.0 * (double)at->bytes_done / (double)at->bytes_total));
  else if (at->rows_total > 0)
    snprintf(parts[1], PART_SIZE, "%3.0f %%", fmin(100, 100.0 * (double)at->rows_done / (double)at->rows_total));
  snprintf(parts[2], PART_SIZE, "%s rows", units_count(number, (double)at->rows_done));
  if (at->seconds > 0 && at->bytes_done > 0)
    snprintf(parts[3], PART_SIZE, "%s/s", units_bytes(number, (double)at->bytes_done / at->seconds));
  if (at->bytes_unpacked > 0) snprintf(parts[4], PART_SIZE, "%s unpacked", units_bytes(number, (double)at->bytes_unpacked));
  draw_parts(progress, 5, parts);
}

/* 4:52, or 1:02:03. */
static void format_clock(char *text, size_t size, double seconds) {
  unsigned long long whole = seconds < 1e9 ? (unsigned long long)(seconds + 0.5) : 1000000000;
  if (whole < 3600)
    snprintf(text, size, "%llu:%02llu", whole / 60, whole % 60);
  else
    snprintf(text, size, "%llu:%02llu:%02llu", whole / 3600, whole / 60 % 60, whole % 60);
}

static void show_train(Progress *progress, const SetosaProgress *at) {
  char parts[PARTS][PART_SIZE] = {{0}}, number[UNITS_SIZE];
  snprintf(parts[0], PART_SIZE, "%s %llu/%llu", progress->epochs ? "epoch" : "iter", (unsigned long long)at->iteration,
           (unsigned long long)at->max_iterations);
  if (isfinite(at->objective)) snprintf(parts[1], PART_SIZE, "objective %.6g", at->objective);
  if (isfinite(at->gradient_norm)) snprintf(parts[2], PART_SIZE, "gradient %.1e", at->gradient_norm);
  if (at->rows_per_second > 0) snprintf(parts[3], PART_SIZE, "%s rows/s", units_count(number, at->rows_per_second));
  if (at->iteration > 0 && at->max_iterations >= at->iteration) {
    format_clock(number, sizeof number, at->seconds / (double)at->iteration * (double)(at->max_iterations - at->iteration));
    snprintf(parts[4], PART_SIZE, "%s%s left", progress->epochs ? "" : "< ", number);
  }
  draw_parts(progress, 5, parts);
}

static void show_predict(Progress *progress, const SetosaProgress *at) {
  char parts[PARTS][PART_SIZE] = {{0}}, number[UNITS_SIZE];
  double done = at->rows_total > 0 ? (double)at->rows_done / (double)at->rows_total : 0;
  snprintf(parts[0], PART_SIZE, "predicting %3.0f %%", 100 * done);
  if (at->seconds > 0) snprintf(parts[1], PART_SIZE, "%s rows/s", units_count(number, (double)at->rows_done / at->seconds));
  if (done > 0) snprintf(parts[2], PART_SIZE, "%s left", units_seconds(number, at->seconds * (1 - done) / done));
  draw_parts(progress, 3, parts);
}

static void show_generate(Progress *progress, const SetosaProgress *at) {
  char parts[PARTS][PART_SIZE] = {{0}}, number[UNITS_SIZE], total[UNITS_SIZE];
  double done = at->rows_total > 0 ? (double)at->rows_done / (double)at->rows_total : 0;
  snprintf(parts[0], PART_SIZE, "writing %3.0f %%", 100 * done);
  snprintf(parts[1], PART_SIZE, "%s/%s rows", units_count(number, (double)at->rows_done), units_count(total, (double)at->rows_total));
  if (at->seconds > 0) snprintf(parts[2], PART_SIZE, "%s/s", units_bytes(number, (double)at->bytes_done / at->seconds));
  if (done > 0) snprintf(parts[3], PART_SIZE, "%s left", units_seconds(number, at->seconds * (1 - done) / done));
  draw_parts(progress, 4, parts);
}

bool progress_update(const SetosaProgress *report, void *user) {
  Progress *progress = user;
  if (report->phase != SETOSA_PHASE_LOAD) interrupt_defer(true); /* of what is being read there is nothing to keep */
  progress->last = *report;
  if (progress->shown && (progress->last_drawn < 0 || clock_seconds() - progress->last_drawn >= redraw_seconds)) {
    switch (report->phase) {
      case SETOSA_PHASE_LOAD:
        show_load(progress, report);
        break;
      case SETOSA_PHASE_TRAIN:
        show_train(progress, report);
        break;
      case SETOSA_PHASE_PREDICT:
        show_predict(progress, report);
        break;
      case SETOSA_PHASE_GENERATE:
        show_generate(progress, report);
        break;
    }
  }
  return !interrupt_requested();
}

void progress_say(Progress *progress, const char *message) {
  char shown[512];
  snprintf(shown, sizeof shown, "%s", message); /* it may name a file */
  console_make_visible(shown);
  if (progress->shown) draw(progress, shown);
}

/* The whole line, since a ^C may stand behind what was drawn. */
static void clear_line(const Progress *progress) {
  size_t width = console_width(stderr, 80), blanks = progress->columns + FREE_COLUMNS;
  if (interrupt_requested() || blanks > width - 1) blanks = width - 1;
  fprintf(stderr, "\r%*s\r", (int)blanks, "");
}

void progress_end(Progress *progress) {
  if (progress->shown && progress->last_drawn >= 0) {
    clear_line(progress);
  } else if (!progress->shown && !progress->moved_on && interrupt_requested() && isatty(STDERR_FILENO) == 1) {
    fputc('\n', stderr); /* a ^C stands there alone */
    progress->moved_on = true;
  }
  fflush(stderr);
  progress->last_drawn = -1;
}
