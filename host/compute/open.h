/* Opening a backend on a data set: the one place that knows which backends there are. */
#ifndef SETOSA_COMPUTE_OPEN_H
#define SETOSA_COMPUTE_OPEN_H

#include "compute/backend.h"
#include "data/dataset.h"
#include "opencl/context.h"

/* Whether a backend of this kind needs settings.context. */
static inline bool backend_needs_device(SetosaBackend kind) { return kind == SETOSA_BACKEND_NATIVE || kind == SETOSA_BACKEND_CLBLAST; }

typedef struct BackendSettings {
  SetosaBackend kind;
  SetosaFamily family; /* NATIVE, CLBLAST: AUTO chooses by the device */
  Context *context;    /* NATIVE, CLBLAST: borrowed; NULL for REFERENCE and BLAS */
  double l2;
  bool intercept;
  SetosaStorage storage;  /* NATIVE */
  SetosaTuning tuning;    /* NATIVE */
  bool reproducible;      /* NATIVE */
  size_t workspace_bytes; /* NATIVE: most bytes of a block of logits; 0: the default (16 MB) */
  size_t part_bytes;      /* NATIVE: most bytes of X in one buffer; 0: what the device allows */
} BackendSettings;

/* The data set is borrowed until close (a device with unified memory reads it in place). Labels may be NULL: then only predict works. */
Status backend_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error);

/* The implementations: reference.c, native.c, clblast.c and blas.c; the last two only in builds that found their libraries. */
Status reference_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error);
Status native_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error);
Status clblast_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error);
Status blas_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error);

#endif
