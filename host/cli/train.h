/* What `setosa train` found out, and the two ways to tell it. */
#ifndef SETOSA_CLI_TRAIN_H
#define SETOSA_CLI_TRAIN_H

#include "cli/inputs.h"

typedef struct TrainScores {
  bool known, weighted; /* rows count by their weights, and of the training by those of their classes */
  size_t rows;
  double accuracy, log_loss;
  uint64_t left_out; /* rows of the source beside them, that lack a value */
} TrainScores;

/* Where the time went, in the order in which it does. */
typedef enum TrainPart {
  PART_START,
  PART_LOAD,
  PART_PREPARE,
  PART_DEVICE,
  PART_TEST,
  PART_TUNE,
  PART_UPLOAD,
  PART_BUILD,
  PART_TRAIN,
  PART_CHECKPOINT,
  PART_SUMMARY,
  PART_SCORE,
  PART_WRITE,
  TRAIN_PARTS
} TrainPart;

typedef struct TrainReport {
  const char *data, *test_data; /* as named on the command line */
  bool made;                    /* data are synthetic */
  size_t rows, features, classes;
  uint64_t left_out, source_rows; /* rows that lack a value, of all those of the source */
  const SetosaDataset *dataset;   /* for class names */
  const SetosaDeviceInfo *device; /* the first; NULL: a backend of the host, reference or blas */
  const Compute *compute;         /* all of them */
  const SetosaModel *model;
  const SetosaMetrics *metrics; /* for a page: of the test rows, else of those held out, else of the training rows; NULL: nobody asked */
  const ReportTrace *trace;     /* for a page; NULL */
  SetosaTrainResult result;
  TrainScores training, validation, test;
  bool calibrated; /* asked for */
  SetosaCalibration calibration;
  bool truth_known; /* synthetic data: how near the weights came to those that drew the labels */
  double truth_distance, truth_cosine;
  const SetosaSummary *summary;               /* of --summary; NULL: none */
  bool cached;                                /* the training data came from the cache of conversions */
  double seconds[TRAIN_PARTS], seconds_total; /* the parts add up to the total, from the program's beginning to the report */
  double lap;                                 /* clock when the last part ended */
} TrainReport;

/* For people. */
void train_print_summary(const TrainReport *report, const Session *session);
/* Standard errors and tests, below it. */
Status train_print_statistics(const TrainReport *report, const Session *session, Error *error);
/* The document of --json. */
Status train_print_json(const TrainReport *report, const Session *session, Error *error);
/* The parts and the whole, in order; how many there are. */
size_t train_seconds(ReportSeconds seconds[TRAIN_PARTS + 1], const TrainReport *report);
/* The page of --report. */
Status train_write_page(const TrainReport *report, const Session *session, Error *error);

#endif
