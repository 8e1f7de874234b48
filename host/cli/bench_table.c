/* The tables of `setosa bench`. */
#include <math.h>
#include <string.h>

#include "cli/bench.h"
#include "cli/terminal/page.h"
#include "cli/terminal/table.h"

const char *bench_label(char text[BENCH_LABEL], const SetosaBenchResult *result) {
  char device[32] = "", storage[32] = "";
  if (result->device_index != SETOSA_BENCH_HOST) snprintf(device, sizeof device, " %d", result->device_index);
  if (strcmp(result->storage, "f32") != 0) snprintf(storage, sizeof storage, " %s", result->storage);
  snprintf(text, BENCH_LABEL, "%s%s%s", result->backend, device, storage);
  return text;
}

const char *bench_key(char text[BENCH_KEY], const SetosaBenchResult *r) {
  snprintf(text, BENCH_KEY, "%s|%llu|%llu|%llu|%s|%s|%s|%s|%s", r->work, (unsigned long long)r->rows, (unsigned long long)r->features,
           (unsigned long long)r->classes, setosa_bench_what_name(r->what), r->backend, r->device, r->storage, r->family);
  return text;
}

bool bench_same_group(const SetosaBenchResult *a, const SetosaBenchResult *b) {
  return strcmp(a->work, b->work) == 0 && a->what == b->what;
}

void bench_print_limits(const BenchReport *report) {
  static const TableColumn columns[] = {{"device", false, true}, {"GFLOP/s", true, false},  {"read GB/s", true, false},
                                        {"upload", true, false}, {"download", true, false}, {"launch us", true, false}};
  Status status = SETOSA_OK;
  Error ignored = {0}; /* a table that does not fit memory; the rows will say so */
  Table *table = NULL;
  TRY(table_create(&table, 6, columns, &ignored));
  for (size_t i = 0; i < report->limit_count; i++) {
    const SetosaBenchLimits *limits = &report->limits[i];
    if (limits->device_index == SETOSA_BENCH_HOST)
      TRY(table_cell(table, &ignored, "host (all cores, in C)"));
    else
      TRY(table_cell(table, &ignored, "%d  %s", limits->device_index, limits->device));
    TRY(table_number(table, limits->fma_gflops, 4, &ignored));
    TRY(table_number(table, limits->read_gbytes_per_s, 3, &ignored));
    TRY(table_number(table, limits->upload_gbytes_per_s, 3, &ignored));
    TRY(table_number(table, limits->download_gbytes_per_s, 3, &ignored));
    TRY(table_number(table, limits->launch_us, 3, &ignored));
  }
  page_explain("Limits: fused multiply-adds in f32, reads of memory, copies from and to the host, an empty launch\n\n");
  table_print(table, console_page_width(), report->session->console.color_out);
  page_explain(
      "\nms: median; +-: 90th less 10th percentile; limit: part of the limit reached, which is measured again between the samples; MB: "
      "held "
      "in all, and (extra) without data, weights and gradient; first: upload, build, tune and first pass; ratio: time over that of the "
      "first "
      "row\n");
cleanup:
  table_destroy(table);
}

/* Three digits, and none of them behind a row of noughts: what is too small to matter is only said to be so. */
static Status add_small(Table *table, double value, Error *error) {
  if (value > 0 && value < 0.005) return table_cell(table, error, "<0.01");
  if (value == 0) return table_cell(table, error, "0");
  return table_cell(table, error, value < 0.0995 ? "%.2f" : value < 99.95 ? "%.3g" : "%.0f", value);
}

static Status add_row(Table *table, const SetosaBenchResult *result, const SetosaBenchResult *first, Error *error) {
  Status status = SETOSA_OK;
  char label[BENCH_LABEL];
  TRY(table_cell(table, error, "%s", bench_label(label, result)));
  if (result->status != SETOSA_BENCH_OK) {
    TRY(table_cell(table, error, "%s", result->status == SETOSA_BENCH_FAILED ? "FAILED" : "skipped"));
    for (int i = 0; i < 8; i++) TRY(table_cell(table, error, "%s", ""));
    return SETOSA_OK;
  }
  TRY(table_cell(table, error, result->median_ms < 100 ? "%.3g" : "%.0f", result->median_ms));
  TRY(table_cell(table, error, "%.0f%%", 100 * result->spread));
  TRY(add_small(table, result->gflops, error));
  TRY(add_small(table, result->gbytes_per_s, error));
  TRY(table_cell(table, error, "%.0f%%", 100 * result->part_of_limit));
  TRY(add_small(table, 1e-6 * (double)result->device_bytes, error));
  TRY(add_small(table, 1e-6 * (double)result->workspace_bytes, error));
  TRY(result->first_call_ms < 995 ? table_cell(table, error, "%.0f ms", result->first_call_ms)
                                  : table_cell(table, error, "%.1f s", 1e-3 * result->first_call_ms));
  if (first == NULL || first == result)
    TRY(table_cell(table, error, "%s", "1"));
  else
    TRY(add_small(table, result->median_ms / first->median_ms, error));
cleanup:
  return status;
}

/* Why rows have no time, below their table. */
static void print_reasons(const SetosaBenchResult *results, size_t count, bool color) {
  for (size_t i = 0; i < count; i++) {
    char label[BENCH_LABEL], line[BENCH_LABEL + 300];
    if (results[i].status == SETOSA_BENCH_OK) continue;
    bool failed = results[i].status == SETOSA_BENCH_FAILED;
    snprintf(line, sizeof line, "%s %s: %s", bench_label(label, &results[i]), failed ? "FAILED" : "skipped", results[i].reason);
    console_make_visible(line);
    page_explain("  %s%s%s\n", color_code(color, failed ? COLOR_RED : COLOR_DIM), line, color_code(color, COLOR_PLAIN));
  }
}

static Status print_group(const BenchReport *report, const SetosaBenchResult *results, size_t count, Error *error) {
  static const TableColumn columns[] = {{"backend", false, false}, {"ms", true, false},    {"+-", true, false}, {"GFLOP/s", true, false},
                                        {"GB/s", true, false},     {"limit", true, false}, {"MB", true, false}, {"extra", true, false},
                                        {"first", true, false},    {"ratio", true, false}};
  Status status = SETOSA_OK;
  bool color = report->session->console.color_out;
  const SetosaBenchResult *first = NULL;
  Table *table = NULL;
  char title[256], entries[64] = "";
  TRY(table_create(&table, 10, columns, error));
  for (size_t i = count; i-- > 0;)
    if (results[i].status == SETOSA_BENCH_OK) first = &results[i];
  for (size_t i = 0; i < count; i++) TRY(add_row(table, &results[i], first, error));
  if (results->entries < results->rows * results->features)
    snprintf(entries, sizeof entries, ", %.3g entries a row", (double)results->entries / (double)results->rows);
  snprintf(title, sizeof title, "%s: %llu x %llu%s, %llu classes, %s", results->work, (unsigned long long)results->rows,
           (unsigned long long)results->features, entries, (unsigned long long)results->classes, setosa_bench_what_name(results->what));
  console_make_visible(title);
  page_explain("\n%s%s%s%s\n\n", color_code(color, COLOR_BOLD), title, color_code(color, COLOR_PLAIN),
               results->what == SETOSA_BENCH_TRAIN ? " (times are of one iteration)" : "");
  table_print(table, console_page_width(), color);
  print_reasons(results, count, color);
cleanup:
  table_destroy(table);
  return status;
}

Status bench_print_groups(BenchReport *report, bool last, Error *error) {
  Status status = SETOSA_OK;
  while (report->printed < report->result_count) {
    const SetosaBenchResult *begin = &report->results[report->printed];
    size_t count = 1;
    while (report->printed + count < report->result_count && bench_same_group(begin, begin + count)) count++;
    if (!last && report->printed + count == report->result_count) break; /* more of it may come */
    TRY(print_group(report, begin, count, error));
    report->printed += count;
  }
cleanup:
  return status;
}
