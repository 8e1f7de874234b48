/* `setosa bench --compare`: each row beside the same row of an earlier run. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/bench.h"
#include "cli/terminal/table.h"

static const size_t baseline_bytes_most = (size_t)64 << 20;

static const char *text_at(const json_t *row, const char *key) {
  const char *text = json_string_value(json_object_get(row, key));
  return text != NULL ? text : "";
}

static unsigned long long count_at(const json_t *row, const char *key) {
  return (unsigned long long)json_integer_value(json_object_get(row, key));
}

/* False for a row without a time. */
static bool read_row(BaselineRow *to, const json_t *row) {
  const json_t *median = json_object_get(row, "median_ms");
  if (strcmp(text_at(row, "status"), "ok") != 0 || !json_is_number(median) || !(json_number_value(median) > 0)) return false;
  to->median_ms = json_number_value(median);
  to->spread = json_number_value(json_object_get(row, "spread"));
  to->part_of_limit = json_number_value(json_object_get(row, "part_of_limit"));
  /* As bench_key has it. */
  snprintf(to->key, sizeof to->key, "%s|%llu|%llu|%llu|%s|%s|%s|%s|%s", text_at(row, "work"), count_at(row, "rows"),
           count_at(row, "features"), count_at(row, "classes"), text_at(row, "what"), text_at(row, "backend"), text_at(row, "device"),
           text_at(row, "storage"), text_at(row, "family"));
  return true;
}

Status bench_load_baseline(BenchReport *report, const char *path, Error *error) {
  Status status = SETOSA_OK;
  unsigned char *bytes = NULL;
  size_t length = 0;
  json_t *document = NULL;
  json_error_t problem;
  if (path == NULL) return SETOSA_OK;
  TRY(file_read_all(&bytes, &length, path, baseline_bytes_most, error));
  TRY(json_parse(&document, (const char *)bytes, length, 0, &problem, error));
  if (document == NULL)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s:%d:%d: no JSON (%s); give a file kept from `setosa bench --json`", path, problem.line,
                  problem.column > 0 ? problem.column : 1, problem.text));
  const json_t *rows = json_object_get(document, "results");
  if (strcmp(text_at(document, "command"), "bench") != 0 || !json_is_array(rows))
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s:1:1: not a result of bench; give a file kept from `setosa bench --json`", path));
  TRY(memory_allocate_zero((void **)&report->baseline, json_array_size(rows), sizeof *report->baseline, "the baseline", error));
  for (size_t i = 0; i < json_array_size(rows); i++)
    report->baseline_count += read_row(&report->baseline[report->baseline_count], json_array_get(rows, i));
cleanup:
  json_decref(document);
  free(bytes);
  return status;
}

const BaselineRow *bench_baseline(const BenchReport *report, const SetosaBenchResult *result) {
  char key[BENCH_KEY];
  if (result->status != SETOSA_BENCH_OK) return NULL;
  bench_key(key, result);
  for (size_t i = 0; i < report->baseline_count; i++)
    if (strcmp(report->baseline[i].key, key) == 0) return &report->baseline[i];
  return NULL;
}

bool bench_change_matters(const SetosaBenchResult *result, const BaselineRow *before) {
  return fabs(result->median_ms / before->median_ms - 1) > fmax(result->spread, before->spread);
}

static Status add_row(Table *table, const SetosaBenchResult *result, const BaselineRow *before, Error *error) {
  Status status = SETOSA_OK;
  char label[BENCH_LABEL];
  TRY(table_cell(table, error, "%s", result->work));
  TRY(table_cell(table, error, "%s", setosa_bench_what_name(result->what)));
  TRY(table_cell(table, error, "%s", bench_label(label, result)));
  if (before == NULL) {
    TRY(table_cell(table, error, "-"));
    TRY(table_number(table, result->median_ms, 3, error));
    for (int i = 0; i < 2; i++) TRY(table_cell(table, error, "-"));
    TRY(table_cell(table, error, "%s", result->status == SETOSA_BENCH_OK ? "not in the baseline" : "no time"));
    return SETOSA_OK;
  }
  double change = result->median_ms / before->median_ms - 1;
  TRY(table_number(table, before->median_ms, 3, error));
  TRY(table_number(table, result->median_ms, 3, error));
  TRY(table_cell(table, error, "%+.1f%%", 100 * change));
  TRY(table_cell(table, error, "%.0f%% -> %.0f%%", 100 * before->part_of_limit, 100 * result->part_of_limit));
  TRY(table_cell(table, error, "%s", !bench_change_matters(result, before) ? "within the spread" : change > 0 ? "SLOWER" : "faster"));
cleanup:
  return status;
}

Status bench_print_changes(const BenchReport *report, Error *error) {
  static const TableColumn columns[] = {{"work", false, true}, {"what", false, false},  {"backend", false, false}, {"before", true, false},
                                        {"now", true, false},  {"change", true, false}, {"limit", true, false},    {"", false, false}};
  Status status = SETOSA_OK;
  Table *table = NULL;
  const char *path = report->session->options->compare;
  if (path == NULL) return SETOSA_OK;
  TRY(table_create(&table, 8, columns, error));
  table_repeat(table, 3);
  for (size_t i = 0; i < report->result_count; i++)
    TRY(add_row(table, &report->results[i], bench_baseline(report, &report->results[i]), error));
  printf("\nSince ");
  console_put(path);
  printf(" (ms)\n\n");
  table_print(table, console_page_width(), report->session->console.color_out);
cleanup:
  table_destroy(table);
  return status;
}
