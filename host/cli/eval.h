/* What `setosa eval` found out, for its page. */
#ifndef SETOSA_CLI_EVAL_H
#define SETOSA_CLI_EVAL_H

#include "cli/inputs.h"

typedef struct EvalReport {
  const SetosaModel *model;
  const SetosaDataset *dataset;
  const Compute *compute;
  const SetosaMetrics *metrics;
} EvalReport;

/* The page of --report. */
Status eval_write_page(const EvalReport *report, const Session *session, Error *error);

#endif
