/* Three ways to tell what `setosa eval` found out. */
#ifndef SETOSA_CLI_EVAL_H
#define SETOSA_CLI_EVAL_H

#include "cli/inputs.h"

typedef struct EvalReport {
  const SetosaModel *model;
  const SetosaDataset *dataset;
  const Compute *compute;
  const SetosaMetrics *metrics;
} EvalReport;

/* For people. left_out: rows of the data that lack a value. */
Status eval_print_text(const SetosaMetrics *metrics, const SetosaModel *model, uint64_t left_out, const Session *session, Error *error);
/* The document of --json. */
Status eval_print_json(const SetosaMetrics *metrics, const SetosaModel *model, const SetosaDataset *data, Error *error);
/* The page of --report. */
Status eval_write_page(const EvalReport *report, const Session *session, Error *error);

#endif
