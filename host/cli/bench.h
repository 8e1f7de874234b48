/* `setosa bench`: what was measured so far, and the forms it is shown in. */
#ifndef SETOSA_CLI_BENCH_H
#define SETOSA_CLI_BENCH_H

#include "cli/command.h"
#include "cli/json_output.h"
#include "cli/terminal/progress.h"
#include "setosa_bench.h"

/* A row of an earlier run, read from its JSON. */
typedef struct BaselineRow {
  char key[512]; /* bench_key */
  double median_ms, spread, part_of_limit;
} BaselineRow;

typedef struct BenchReport {
  const Session *session;
  SetosaBenchLimits *limits;
  size_t limit_count, limit_capacity;
  SetosaBenchResult *results;
  size_t result_count, result_capacity;
  size_t printed; /* results that stand in a table already */
  BaselineRow *baseline;
  size_t baseline_count;
  bool interrupted;
  Progress progress;
  Status status; /* the first thing that went wrong in a callback */
  Error error;
} BenchReport;

enum { BENCH_LABEL = 160, BENCH_KEY = 512 };

/* "native 0", "native 0 f16", "blas": a row among those of its work. */
const char *bench_label(char text[BENCH_LABEL], const SetosaBenchResult *result);
/* What makes two rows of two runs the same: work, shape, operation, backend, device, storage, family. */
const char *bench_key(char text[BENCH_KEY], const SetosaBenchResult *result);
bool bench_same_group(const SetosaBenchResult *a, const SetosaBenchResult *b); /* work and operation */

/* bench_arguments.c: SETOSA_ERROR_USAGE for flags that nothing of this run would heed. */
Status bench_check_arguments(const Options *options, Error *error);

/* bench_table.c: what the columns mean and the limits; then a table for each group once it is whole (last: the open one too). */
void bench_print_limits(const BenchReport *report);
Status bench_print_groups(BenchReport *report, bool last, Error *error);

/* bench_files.c */
json_t *bench_json(const BenchReport *report);
Status bench_write_csv(const BenchReport *report, const char *path, Error *error);

/* bench_plot.c: SVG. */
Status bench_write_plot(const BenchReport *report, const char *path, Error *error);

/* bench_compare.c. NULL path: no baseline. */
Status bench_load_baseline(BenchReport *report, const char *path, Error *error);
/* The baseline's row of a result, or NULL. */
const BaselineRow *bench_baseline(const BenchReport *report, const SetosaBenchResult *result);
/* True when a change of the median is more than the spreads of both runs explain. */
bool bench_change_matters(const SetosaBenchResult *result, const BaselineRow *before);
Status bench_print_changes(const BenchReport *report, Error *error);

#endif
