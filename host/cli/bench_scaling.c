/* `setosa bench --scaling`: the lines as tables, JSON and CSV. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/bench.h"
#include "cli/terminal/table.h"

Status bench_keep_line(BenchReport *report, const SetosaBenchScaling *line, Error *error) {
  Status status = SETOSA_OK;
  SetosaBenchPoint *points = NULL;
  TRY(memory_grow((void **)&report->lines, &report->line_capacity, report->line_count + 1, sizeof *line, "the lines of growth", error));
  TRY(memory_allocate((void **)&points, line->point_count, sizeof *points, "the points of a line", error));
  memcpy(points, line->points, line->point_count * sizeof *points);
  report->lines[report->line_count] = *line;
  report->lines[report->line_count++].points = points;
cleanup:
  return status;
}

void bench_free_lines(BenchReport *report) {
  for (size_t i = 0; i < report->line_count; i++) free((void *)(uintptr_t)report->lines[i].points);
  free(report->lines);
}

const char *bench_line_label(char text[BENCH_LABEL], const SetosaBenchScaling *line) {
  bench_label(text, &line->points[0].result);
  size_t length = strlen(text);
  if (line->what != SETOSA_BENCH_STEP) snprintf(text + length, BENCH_LABEL - length, " %s", setosa_bench_what_name(line->what));
  return text;
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

/* before: the point of half the size, or NULL. */
static Status add_point(Table *table, const SetosaBenchPoint *point, const SetosaBenchPoint *before, Error *error) {
  Status status = SETOSA_OK;
  const SetosaBenchResult *r = &point->result;
  TRY(table_cell(table, error, "%llu", (unsigned long long)point->size));
  if (r->status != SETOSA_BENCH_OK) {
    TRY(table_cell(table, error, "%s", r->status == SETOSA_BENCH_FAILED ? "FAILED" : "skipped"));
    for (int i = 0; i < 7; i++) TRY(table_cell(table, error, "%s", ""));
    return SETOSA_OK;
  }
  TRY(table_number(table, r->median_ms, 4, error));
  TRY(table_cell(table, error, "%.0f%%", 100 * r->spread));
  if (before != NULL)
    TRY(table_cell(table, error, "%.2f", r->median_ms / before->result.median_ms));
  else
    TRY(table_cell(table, error, "%s", ""));
  TRY(table_number(table, r->gflops, 3, error));
  TRY(table_cell(table, error, "%.0f%%", 100 * r->part_of_limit));
  TRY(table_number(table, 1e-6 * (double)r->device_bytes, 3, error));
  TRY(table_number(table, 1e-6 * (double)r->workspace_bytes, 3, error));
  TRY(table_cell(table, error, "%s", point->used ? "yes" : "no"));
cleanup:
  return status;
}

/* The same for devices: how much quicker than one, and what each of them contributes to that. */
static Status add_device_point(Table *table, const SetosaBenchPoint *point, Error *error) {
  Status status = SETOSA_OK;
  const SetosaBenchResult *r = &point->result;
  TRY(table_cell(table, error, "%llu", (unsigned long long)point->size));
  if (r->status != SETOSA_BENCH_OK) {
    TRY(table_cell(table, error, "%s", r->status == SETOSA_BENCH_FAILED ? "FAILED" : "skipped"));
    for (int i = 0; i < 7; i++) TRY(table_cell(table, error, "%s", ""));
    return SETOSA_OK;
  }
  TRY(table_number(table, r->median_ms, 4, error));
  TRY(table_cell(table, error, "%.0f%%", 100 * r->spread));
  TRY(table_cell(table, error, "%.2f", point->speed_up));
  TRY(table_cell(table, error, "%.0f%%", 100 * point->efficiency));
  TRY(table_number(table, r->gflops, 3, error));
  TRY(table_number(table, 1e-6 * (double)r->device_bytes, 3, error));
  TRY(table_number(table, 1e-6 * (double)r->device_bytes / (double)point->size, 3, error));
  TRY(table_cell(table, error, "%s", point->used ? "yes" : "no"));
cleanup:
  return status;
}

static void print_exponent(const SetosaBenchScaling *line, const char *of, double exponent, double off) {
  if (isnan(exponent)) return;
  printf("  %s ~ %s^%.3f", of, setosa_bench_growth_name(line->grows), exponent);
  if (!isnan(off)) printf(" +- %.3f", off);
  printf("\n");
}

/* What does not grow, in the title: "rows grow: 32 features, 4 classes, step". */
static void print_title(const SetosaBenchScaling *line, bool color) {
  char label[BENCH_LABEL], title[BENCH_LABEL + 500];
  const SetosaBenchResult *r = &line->points[0].result;
  const unsigned long long sizes[] = {r->rows, r->features, r->classes};
  int length =
      snprintf(title, sizeof title, "%s, %s: %s grow", bench_line_label(label, line), line->device, setosa_bench_growth_name(line->grows));
  for (int i = 0; i < 3; i++)
    if (i != (int)line->grows && length > 0 && (size_t)length < sizeof title)
      length +=
          snprintf(title + length, sizeof title - (size_t)length, ", %llu %s", sizes[i], setosa_bench_growth_name((SetosaBenchGrowth)i));
  if (line->devices[0] != '\0' && length > 0 && (size_t)length < sizeof title)
    length += snprintf(title + length, sizeof title - (size_t)length, "; device %s", line->devices);
  if (line->made && length > 0 && (size_t)length < sizeof title)
    snprintf(title + length, sizeof title - (size_t)length, "; rows are made as needed, in every pass");
  console_make_visible(title);
  printf("\n%s", color_code(color, COLOR_BOLD));
  console_wrap(stdout, title, 0, 2, console_page_width());
  printf("%s\n", color_code(color, COLOR_PLAIN));
}

static Status print_line(const SetosaBenchScaling *line, bool color, Error *error) {
  Status status = SETOSA_OK;
  const TableColumn columns[] = {{setosa_bench_growth_name(line->grows), true, false},
                                 {"ms", true, false},
                                 {"+-", true, false},
                                 {"growth", true, false},
                                 {"GFLOP/s", true, false},
                                 {"limit", true, false},
                                 {"MB", true, false},
                                 {"extra", true, false},
                                 {"fit", true, false}};
  const TableColumn of_devices[] = {{"devices", true, false},  {"ms", true, false},         {"+-", true, false},
                                    {"speed-up", true, false}, {"efficiency", true, false}, {"GFLOP/s", true, false},
                                    {"MB", true, false},       {"each", true, false},       {"fit", true, false}};
  Table *table = NULL;
  const SetosaBenchPoint *points = line->points;
  bool devices = line->grows == SETOSA_BENCH_DEVICES;
  TRY(table_create(&table, sizeof columns / sizeof columns[0], devices ? of_devices : columns, error));
  for (size_t i = 0; i < line->point_count; i++)
    TRY(devices ? add_device_point(table, &points[i], error) : add_point(table, &points[i], i > 0 ? &points[i - 1] : NULL, error));
  print_title(line, color);
  table_print(table, console_page_width(), color);
  for (size_t i = 0; i < line->point_count; i++) {
    char reason[320];
    const SetosaBenchResult *r = &points[i].result;
    if (r->status == SETOSA_BENCH_OK) continue;
    snprintf(reason, sizeof reason, "%llu %s: %s", (unsigned long long)points[i].size,
             r->status == SETOSA_BENCH_FAILED ? "FAILED" : "skipped", r->reason);
    console_make_visible(reason);
    printf("  ");
    console_wrap(stdout, reason, 2, 4, console_page_width());
  }
  printf("\n");
  if (isnan(line->exponent)) {
    printf("  no exponent: it takes two sizes whose time is above %.3g ms, ten launches\n", line->least_ms);
    goto cleanup;
  }
  if (line->grows == SETOSA_BENCH_DEVICES) printf("  ideal: time ~ devices^-1, each with its part of the memory\n");
  print_exponent(line, "time", line->exponent, line->exponent_error);
  print_exponent(line, "quickest sample", line->best_exponent, line->best_exponent_error);
  print_exponent(line, "memory", line->memory_exponent, line->memory_exponent_error);
  printf("  over the %zu sizes from %llu to %llu whose time is above %.3g ms, ten launches\n", line->used_count,
         (unsigned long long)line->used_from, (unsigned long long)line->used_to, line->least_ms);
cleanup:
  table_destroy(table);
  return status;
}

Status bench_print_scaling(const BenchReport *report, Error *error) {
  Status status = SETOSA_OK;
  if (report->line_count > 0 && report->lines[0].grows == SETOSA_BENCH_DEVICES)
    printf(
        "\nms: median; +-: 90th less 10th percentile; speed-up: time of the first line over\n"
        "that of this one; efficiency: that over the growth of the devices; MB: held in\n"
        "all, and by each; fit: whether it counts for the exponents\n");
  else
    printf(
        "\nms: median; +-: 90th less 10th percentile; growth: time over that of the line\n"
        "before (2: in proportion); limit: part of the limit reached; MB: held in all,\n"
        "and (extra) without data, weights and gradient; fit: whether it counts for the\n"
        "exponents\n");
  for (size_t i = 0; i < report->line_count; i++) TRY(print_line(&report->lines[i], report->session->console.color_out, error));
cleanup:
  return status;
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

/* devices: what grows. */
static json_t *point_json(const SetosaBenchPoint *point, bool devices) {
  const SetosaBenchResult *r = &point->result;
  bool ok = r->status == SETOSA_BENCH_OK;
  json_t *json = json_pack("{s:I, s:b, s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "size", (json_int_t)point->size, "used", point->used,
                           "median_ms", json_number(r->median_ms), "min_ms", json_number(r->min_ms), "spread", json_number(r->spread),
                           "device_bytes", ok ? json_integer((json_int_t)r->device_bytes) : json_null(), "workspace_bytes",
                           ok ? json_integer((json_int_t)r->workspace_bytes) : json_null(), "status", bench_status_name(r->status),
                           "reason", json_text(r->reason));
  if (json == NULL || !devices) return json;
  if (json_object_set_new(json, "speed_up", json_number(point->speed_up)) == 0 &&
      json_object_set_new(json, "efficiency", json_number(point->efficiency)) == 0)
    return json;
  json_decref(json);
  return NULL;
}

static json_t *line_json(const SetosaBenchScaling *line) {
  json_t *points = json_array();
  bool failed = points == NULL;
  for (size_t i = 0; !failed && i < line->point_count; i++)
    failed = json_array_append_new(points, point_json(&line->points[i], line->grows == SETOSA_BENCH_DEVICES)) != 0;
  if (failed) {
    json_decref(points);
    return NULL;
  }
  return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o}", "what_grows",
                   setosa_bench_growth_name(line->grows), "what", setosa_bench_what_name(line->what), "backend", line->backend, "device",
                   json_text(line->device), "device_index",
                   line->device_index == SETOSA_BENCH_HOST ? json_null() : json_integer(line->device_index), "devices",
                   line->devices[0] == '\0' ? json_null() : json_text(line->devices), "storage", line->storage, "made", line->made,
                   "exponent", json_number(line->exponent), "exponent_error", json_number(line->exponent_error), "memory_exponent",
                   json_number(line->memory_exponent), "memory_exponent_error", json_number(line->memory_exponent_error), "best_exponent",
                   json_number(line->best_exponent), "best_exponent_error", json_number(line->best_exponent_error), "least_ms",
                   json_number(line->least_ms), "used_count", (json_int_t)line->used_count, "used_from",
                   line->used_count > 0 ? json_integer((json_int_t)line->used_from) : json_null(), "used_to",
                   line->used_count > 0 ? json_integer((json_int_t)line->used_to) : json_null(), "points", points);
}

json_t *bench_scaling_json(const BenchReport *report) {
  json_t *lines = json_array();
  for (size_t i = 0; lines != NULL && i < report->line_count; i++)
    if (json_array_append_new(lines, line_json(&report->lines[i])) != 0) {
      json_decref(lines);
      return NULL;
    }
  return lines;
}

static void csv_point(FILE *stream, const SetosaBenchScaling *line, const SetosaBenchPoint *point) {
  const SetosaBenchResult *r = &point->result;
  bool ok = r->status == SETOSA_BENCH_OK;
  fprintf(stream, "%s,%llu,%llu,%llu,%llu,%s,%s,", setosa_bench_growth_name(line->grows), (unsigned long long)point->size,
          (unsigned long long)r->rows, (unsigned long long)r->features, (unsigned long long)r->classes, setosa_bench_what_name(r->what),
          r->backend);
  bench_csv_text(stream, r->device);
  fprintf(stream, "%s,", r->storage);
  bench_csv_number(stream, r->median_ms);
  bench_csv_number(stream, r->min_ms);
  bench_csv_number(stream, r->spread);
  bench_csv_number(stream, ok ? (double)r->device_bytes : NAN);
  bench_csv_number(stream, ok ? (double)r->workspace_bytes : NAN);
  fprintf(stream, "%d,%d,", line->made, point->used);
  const double fits[] = {line->exponent,        line->exponent_error,       line->best_exponent, line->best_exponent_error,
                         line->memory_exponent, line->memory_exponent_error};
  for (size_t i = 0; i < sizeof fits / sizeof fits[0]; i++) bench_csv_number(stream, fits[i]);
  bench_csv_number(stream, point->speed_up);
  bench_csv_number(stream, point->efficiency);
  bench_csv_text(stream, r->reason);
  fprintf(stream, "%s\n", bench_status_name(r->status));
}

Status bench_write_scaling_csv(const BenchReport *report, const char *path, Error *error) {
  Status status = SETOSA_OK;
  AtomicFile file = {0};
  TRY(atomic_file_open(&file, path, error));
  fputs(
      "what_grows,size,rows,features,classes,what,backend,device,storage,median_ms,min_ms,spread,device_bytes,workspace_bytes,made,used,"
      "exponent,"
      "exponent_error,best_exponent,best_exponent_error,memory_exponent,memory_exponent_error,speed_up,efficiency,reason,status\n",
      file.stream);
  for (size_t i = 0; i < report->line_count; i++)
    for (size_t p = 0; p < report->lines[i].point_count; p++) csv_point(file.stream, &report->lines[i], &report->lines[i].points[p]);
  TRY(atomic_file_commit(&file, error));
cleanup:
  atomic_file_abandon(&file);
  return status;
}
