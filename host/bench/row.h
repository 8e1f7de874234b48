/* One row of the table: one backend at one place on one work, opened and judged. How it is timed is in row_passes.c and row_train.c. */
#ifndef SETOSA_BENCH_ROW_H
#define SETOSA_BENCH_ROW_H

#include "bench/timing.h"
#include "compute/open.h"
#include "judge/truth.h"

/* Where backends run. Its limits have a context of their own, so that the memory of a row is the row's alone. */
typedef struct Place {
  int index; /* of the device, or SETOSA_BENCH_HOST */
  char name[128];
  Context *context; /* NULL for the host */
  Limits *limits;
  char refusal[256]; /* why nothing runs here; "" when it does */
} Place;

/* What the limits of a work of sparse rows are made of. */
typedef struct SparseWork {
  SparseTally tally;
  GatherLimits *gathers;
} SparseWork;

/* All rows of the same work and operation: they share the reference's answer, which is made when the first of them needs it. */
typedef struct Group {
  const SetosaBenchOptions *options;
  char name[64];
  const Dataset *dataset;   /* NULL where nothing is measured */
  DataShape shape;          /* of it */
  const SparseWork *sparse; /* NULL: its rows are dense */
  SetosaBenchWhat what;
  Truth *truth;
} Group;

typedef struct Row {
  Group *group;
  const Place *place; /* NULL: there is no device */
  SetosaBackend backend;
  SetosaStorage storage;
} Row;

/* The settings of the row's backend; context NULL: on the host. */
BackendSettings row_settings(const Row *row, Context *context);
/* A context for the row alone; NULL for the host. */
Status row_open_context(const Row *row, Context **context, Error *error);
const char *row_backend_name(SetosaBackend backend);
/* SETOSA_INTERRUPTED when the caller says so. */
Status bench_go_on(const SetosaBenchOptions *options, Error *error);
void row_say(const Row *row, const char *doing);

/* Opens the backend with its vectors in *contender. The caller closes, what a failure has left, too. */
Status row_open_contender(const Row *row, Context *context, Contender *contender, Error *error);
/* Gives it the weights (and direction) that every backend gets. */
Status row_write_vectors(const Row *row, const Contender *contender, Error *error);
/* The reference's verdict on it; a wrong backend fails the row. */
Status row_judge(const Row *row, Contender *contender, double pass_seconds, SetosaBenchResult *result, Error *error);

/* What a pass of the row must do, and no sample yet. */
Timing row_timing(const Row *row);
/* device_bytes as given, and what is left of it without data and `vectors` vectors that any backend needs. */
void row_report_memory(const Row *row, uint64_t device_bytes, size_t vectors, SetosaBenchResult *result);

/* The two ways to time a row. A failure leaves result->status at what the row is then: skipped when it could not be opened. */
Status row_time_passes(const Row *row, SetosaBenchResult *result, Error *error); /* row_passes.c: STEP, HESSIAN, PREDICT */
Status row_train(const Row *row, SetosaBenchResult *result, Error *error);       /* row_train.c: EPOCH, TRAIN */

#endif
