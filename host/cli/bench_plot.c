/* The picture of `setosa bench --plot`. */
#include <stdlib.h>

#include "base/memory.h"
#include "cli/bench.h"

Status bench_write_plot(const BenchReport *report, const char *path, Error *error) {
  Status status = SETOSA_OK;
  char title[512];
  char(*labels)[BENCH_LABEL] = NULL;
  ReportBench bench = {.title = title, .limits = report->limits, .limit_count = report->limit_count};
  TRY(memory_allocate((void **)&bench.rows, report->result_count, sizeof *bench.rows, "a picture", error));
  TRY(memory_allocate((void **)&labels, report->result_count, sizeof *labels, "a picture", error));
  for (size_t i = 0; i < report->result_count; i++) {
    const SetosaBenchResult *result = &report->results[i];
    if (result->status != SETOSA_BENCH_OK) continue;
    bench.rows[bench.count] = (struct ReportBenchRow){result, bench_label(labels[bench.count], result)};
    bench.count++;
  }
  snprintf(title, sizeof title, "setosa " SETOSA_VERSION " on %s", report->limit_count > 0 ? report->limits[0].device : "nothing");
  TRY(report_write_bench(&bench, path, error));
cleanup:
  if (status != SETOSA_OK) error_prefix(error, "--plot");
  free(labels);
  free(bench.rows);
  return status;
}
