/* Opening a backend on a data set: the one place that knows which backends there are. */
#ifndef SETOSA_COMPUTE_OPEN_H
#define SETOSA_COMPUTE_OPEN_H

#include "compute/backend.h"
#include "compute/selftest.h"
#include "data/dataset.h"
#include "opencl/context.h"
#include "ranks/ranks.h"

enum { BACKEND_MOST_DEVICES = 64 };

/* Whether a backend of this kind needs settings.context. */
static inline bool backend_needs_device(SetosaBackend kind) {
  return kind == SETOSA_BACKEND_NATIVE || kind == SETOSA_BACKEND_CLBLAST || kind == SETOSA_BACKEND_AUTO;
}

typedef struct BackendSettings {
  SetosaBackend kind;
  SetosaFamily family; /* NATIVE, CLBLAST: AUTO chooses by the device */
  Context *context;    /* NATIVE, CLBLAST: borrowed; NULL for REFERENCE and BLAS */
  double l2;
  bool intercept;
  SetosaStorage storage;  /* NATIVE */
  SetosaTuning tuning;    /* NATIVE */
  bool reproducible;      /* NATIVE */
  bool tested;            /* NATIVE, CLBLAST, AUTO: a device that fails the self-test for this shape is refused (compute/selftest.h) */
  CompareOperations uses; /* with tested: what will be asked of the backend, so that the test compiles nothing else; 0: anything */
  bool tunes;             /* NATIVE, AUTO: many passes follow, so that a search may pay off; else only what is known is used */
  size_t workspace_bytes; /* NATIVE: most bytes of a block of logits; 0: the default (16 MB) */
  size_t part_bytes;      /* NATIVE: most bytes of X in one buffer; 0: what the device allows */
  /* NATIVE, CLBLAST: */
  size_t vectors;               /* parameter vectors that will be held at a time, for the budget; 0: not known, 50 */
  uint64_t device_memory_bytes; /* budget for data, vectors and workspace; 0: what the device reports, less a margin */
  bool streamed;                /* chunks take turns even if X would fit */
  size_t chunk_rows;            /* of a chunk when streamed, rounded up to what passes ask for; 0: as fits the budget */
  /* NATIVE, AUTO (then native): several devices, here and in the processes of a job, share the rows (sharded.c). */
  Context *contexts[BACKEND_MOST_DEVICES]; /* (context_count) borrowed; the first is `context` */
  size_t context_count;                    /* 0: context alone */
  const double *rates;                     /* (context_count) rows are dealt in this proportion; NULL: as fast as each device is */
  Ranks *ranks;                            /* borrowed; NULL: this process alone. Then every rank opens its backend at the same time */
  bool fast_reduce;                        /* partial gradients of ranks are added by MPI in its own order */
} BackendSettings;

static inline bool backend_is_shared(const BackendSettings *settings) {
  return settings->context_count > 1 || ranks_count(settings->ranks) > 1;
}

/* The data set is borrowed until close (a device with unified memory reads it in place). Labels may be NULL: then only predict works. */
Status backend_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error);

/* What would lie where: sizes of what backend_open and passes would allocate, without doing it. */
typedef struct BackendPlan {
  size_t devices; /* of this process; the rest is about one of them. 0: the host */
  bool resident;
  bool in_place;                                /* X and labels are read where the host has them */
  size_t chunk_rows;                            /* 0 when resident */
  uint64_t budget_bytes;                        /* of the device; 0: the host's memory */
  uint64_t data_bytes, label_bytes, work_bytes; /* on the device at a time: X, labels, and what a pass needs beside vectors */
  const char *storage;                          /* "f32", ...; static */
} BackendPlan;
Status backend_plan(BackendPlan *plan, const Dataset *dataset, const BackendSettings *settings, Error *error);
Status native_describe(BackendPlan *plan, const Dataset *dataset, const BackendSettings *settings, Error *error);

/* The implementations: reference.c, native.c, clblast.c and blas.c; the last two only in builds that found their libraries. */
Status reference_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error);
Status native_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error);
Status sharded_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error);
/* AUTO: native, or clblast where a full tuning found that faster (tune_open.c). */
Status native_open_auto(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error);
Status clblast_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error);
Status blas_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error);

#endif
