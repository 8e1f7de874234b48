/* A page about a result: one HTML file that needs nothing beside it. What is NULL or empty has no place on it. The numbers are those of the
 * structs of setosa.h, each with all its digits in an attribute under the name that it has in --json. Nothing on it depends on the time of
 * day; what differs from run to run carries the class "varies". */
#ifndef SETOSA_REPORT_REPORT_H
#define SETOSA_REPORT_REPORT_H

#include "base/error.h"
#include "setosa_bench.h"

/* ---- what was said --------------------------------------------------------------------------------------------------- */

/* Fields of a summary, as the terminal has them. Zero-initialise; report_facts_free. */
typedef struct ReportFacts {
  struct ReportFact {
    char *label, *text;
  } * all; /* (count) */
  size_t count, capacity;
  Status status; /* of adding: memory was short */
} ReportFacts;
/* label "" goes on with the one above. */
void report_facts_add(ReportFacts *facts, const char *label, const char *text);
void report_facts_free(ReportFacts *facts);

/* ---- what happened on the way ---------------------------------------------------------------------------------------- */

typedef struct ReportStep {
  double passes, objective, loss, validation_loss, gradient_norm;
  uint64_t iteration;
} ReportStep;

enum { REPORT_STEPS = 512 };
/* The steps of a training, so many at most: of a longer one every second, fourth, ... and the last. Zero-initialise. */
typedef struct ReportTrace {
  ReportStep steps[REPORT_STEPS], last;
  size_t count;
  uint64_t seen, stride; /* stride 0: nothing was seen */
} ReportTrace;
void report_trace_add(ReportTrace *trace, const SetosaProgress *at);
/* (*count) steps with the last of them, of which there are REPORT_STEPS + 1 at most. */
void report_trace_get(const ReportTrace *trace, ReportStep steps[REPORT_STEPS + 1], size_t *count);

/* ---- the page -------------------------------------------------------------------------------------------------------- */

/* Rows that the model was judged by. */
typedef struct ReportScores {
  const char *key, *words; /* "test", "of 1000 test rows" */
  double accuracy, log_loss;
} ReportScores;

typedef struct ReportSeconds {
  const char *key, *words;
  double seconds;
} ReportSeconds;

/* All is borrowed. */
typedef struct ReportPage {
  const char *command; /* "train" */
  const char *title, *subject;
  const ReportFacts *facts;
  const ReportScores *scores; /* (score_count) */
  size_t score_count;
  const SetosaTrainResult *training;
  const ReportTrace *trace;
  const SetosaCvResult *cv;
  const SetosaSummary *summary;
  const SetosaMetrics *metrics;
  const char *metrics_of; /* "the 150 training rows" */
  const SetosaModel *model;
  const SetosaDataset *dataset; /* for names, and the shape of images */
  const ReportSeconds *seconds; /* (second_count) of which the last is the whole */
  size_t second_count;
  const char *repeat, *weights_hash;
} ReportPage;

/* Beside path, and renamed. SETOSA_ERROR_WRITE when it cannot be. */
Status report_write(const ReportPage *page, const char *path, Error *error);

/* ---- a run of `setosa bench` ----------------------------------------------------------------------------------------- */

enum { REPORT_BENCH_POINTS = 1024 }; /* drawn at most */

/* All is borrowed. */
typedef struct ReportBench {
  const char *title;
  const SetosaBenchLimits *limits; /* (limit_count) */
  size_t limit_count;
  struct ReportBenchRow {
    const SetosaBenchResult *result;
    const char *label; /* "native 0" */
  } * rows;            /* (count) of those that have times, rows of one work and operation beside each other */
  size_t count;
} ReportBench;

/* One SVG file, as report_write writes a page. SETOSA_ERROR_DEVICE when there is no row. */
Status report_write_bench(const ReportBench *bench, const char *path, Error *error);

#endif
