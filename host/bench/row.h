/* One row of the table: one backend at one place on one work, opened, judged, timed. */
#ifndef SETOSA_BENCH_ROW_H
#define SETOSA_BENCH_ROW_H

#include "bench/limits.h"
#include "bench/statistics.h"
#include "compute/open.h"
#include "judge/truth.h"

/* Where backends run. Its limits have a context of their own, so that the memory of a row is the row's alone. */
typedef struct Place {
  int index;          /* of the device, or SETOSA_BENCH_HOST */
  size_t part, parts; /* of the device; parts 0: all of it */
  char name[128];
  Context *context; /* NULL for the host */
  Limits *limits;
  double launch_us;  /* of an empty kernel; NAN for the host */
  char refusal[256]; /* why nothing runs here; "" when it does */
} Place;

/* All rows of the same work and operation: they share the reference's answer, which is made when the first of them needs it. */
typedef struct Group {
  const SetosaBenchOptions *options;
  char name[64];
  Dataset *dataset;
  SetosaBenchWhat what;
  Truth *truth;
  bool made; /* rows are made as passes need them, at any size: none stays on a device */
} Group;

typedef struct Row {
  Group *group;
  const Place *place; /* NULL: there is no device */
  SetosaBackend backend;
  SetosaStorage storage;
  const SetosaDeviceChoice *choices; /* (choice_count) devices that share the rows; 0: the place's alone */
  size_t choice_count;
} Row;

/* What a row opens for itself: nothing on the host. */
typedef struct RowDevices {
  Context *contexts[SETOSA_CHOICES_MOST];
  size_t count;
} RowDevices;

/* Fills *result, whatever happens: what cannot be opened is skipped, what is wrong or breaks is failed. Returns SETOSA_INTERRUPTED when
 * the caller wants no more (then *result is not to be used), SETOSA_OK otherwise. */
Status row_measure(const Row *row, SetosaBenchResult *result, Error *error);
/* Fills *result for a row that is not measured. */
void row_skip(const Row *row, const char *reason, SetosaBenchResult *result);

/* ---- shared by row.c and row_train.c ------------------------------------------------------------------------------- */

/* A sample of work shorter than this is repeated. */
#define SAMPLE_SECONDS 0.02

/* Times of one row, and its limits in between. */
typedef struct Timing {
  Samples seconds, fma_gflops, read_gbytes_per_s;
  double began;
} Timing;

BackendSettings row_settings(const Row *row, const RowDevices *devices);
/* Contexts for the row alone. Zero-initialise; close what a failure has left, too. */
Status row_open_devices(const Row *row, RowDevices *devices, Error *error);
void row_close_devices(RowDevices *devices);
/* SETOSA_INTERRUPTED when the caller says so. */
Status row_go_on(const Row *row, Error *error);
void row_say(const Row *row, const char *doing);
/* Samples the limits of the row's place, before a sample of the work; *more is whether another sample is wanted. */
Status timing_next(const Row *row, Timing *timing, bool *more, Error *error);
/* Everything that follows from the times: flops and bytes of X are per unit of work that was timed. */
void timing_report(const Timing *timing, double flops, double bytes, SetosaBenchResult *result);
/* device_bytes as given, and what is left of it without data and vectors that any backend needs. */
void row_report_memory(const Row *row, uint64_t device_bytes, size_t vectors, SetosaBenchResult *result);
double row_flops(const Row *row); /* of one pass */
double row_bytes(const Row *row); /* of X, read once */

/* row_train.c: EPOCH and TRAIN. */
Status row_train(const Row *row, SetosaBenchResult *result, Error *error);

/* row.c: opens the backend with its objective and vectors in *contender, which the caller closes, whatever happens. */
Status row_open_contender(const Row *row, const RowDevices *devices, Contender *contender, Error *error);
/* The reference's verdict; a wrong backend fails the row. */
Status row_judge(const Row *row, Contender *contender, double pass_seconds, SetosaBenchResult *result, Error *error);

#endif
