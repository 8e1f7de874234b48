/* What `setosa cv` found out, and the two ways to tell it. */
#ifndef SETOSA_CLI_CV_H
#define SETOSA_CLI_CV_H

#include "cli/inputs.h"

typedef struct CvReport {
  const char *data; /* as named on the command line */
  const SetosaDataset *dataset;
  const Compute *compute;
  const SetosaModel *model; /* of all rows; NULL where it was stopped */
  uint64_t left_out, source_rows;
  const SetosaCvResult *result;
  double seconds_load, seconds_total;
} CvReport;

/* For people. */
Status cv_print_table(const CvReport *report, const Session *session, Error *error);
/* The document of --json. */
Status cv_print_json(const CvReport *report, const Session *session, Error *error);
/* The page of --report. */
Status cv_write_page(const CvReport *report, const Session *session, Error *error);

#endif
