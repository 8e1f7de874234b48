/* What a backend is opened with, and what it would take: known to every backend and to who opens them. */
#ifndef SETOSA_COMPUTE_SETTINGS_H
#define SETOSA_COMPUTE_SETTINGS_H

#include "compute/backend.h"
#include "data/dataset.h"
#include "opencl/context.h"
#include "ranks/ranks.h"

/* Numbers of classes at which the native backend changes its kernels: whoever wants to have seen all of them looks at both sides of each.
 */
enum {
  CLASSES_FUSED_MOST = 32,     /* the fused kernels keep a block of K logits a row in private or local memory */
  CLASSES_ACCURATE_MOST = 100, /* predictions of at most so many classes sum their logits in twice the precision */
  CLASSES_PANELS_MOST = 512    /* weights of more classes are not packed in panels (native/panels.c) */
};

enum { BACKEND_MOST_DEVICES = 64 };

/* Whether a backend of this kind needs settings.context. */
static inline bool backend_needs_device(SetosaBackend kind) { return kind == SETOSA_BACKEND_NATIVE || kind == SETOSA_BACKEND_CLBLAST; }

typedef struct BackendSettings {
  SetosaBackend kind;
  SetosaFamily family; /* NATIVE, CLBLAST: AUTO chooses by the device */
  Context *context;    /* NATIVE, CLBLAST: borrowed; NULL for REFERENCE and BLAS */
  bool intercept;
  bool reweighs;          /* what rows count will change: Backend.reweigh */
  SetosaStorage storage;  /* NATIVE */
  SetosaTuning tuning;    /* NATIVE */
  bool reproducible;      /* NATIVE: no tuned shapes, no tensor cores */
  bool no_tensor_cores;   /* NATIVE: devices that share the rows do not all have them */
  bool tunes;             /* NATIVE: many passes follow, so that a search may pay off; else only what is known is used */
  bool small;             /* NATIVE: passes take less time than building kernels, so that only few are: one program for fused kernels and
                             vectors, and line searches read X at every point */
  size_t workspace_bytes; /* NATIVE, BLAS: most bytes of a block of logits; 0: native 48 MB (cpu family) or a 16th of the device's
                             memory, 16 MB to 1 GB (gpu family), blas as
                             fits the caches. A line search keeps products of at most four times this (0: 64 MB) */
  size_t x_buffer_bytes;  /* NATIVE: most bytes of X in one buffer; 0: what the device allows */
  /* NATIVE, CLBLAST: */
  size_t vectors;               /* parameter vectors that will be held at a time, for the budget; 0: not known, 50 */
  uint64_t matrix_bytes;        /* of the largest metric, in f32, which a device keeps with its transpose; */
  bool grams;                   /* and whether there will be Gram matrices: for the budget, too */
  uint64_t device_memory_bytes; /* budget for data, vectors and workspace; 0: what the device reports, less a margin */
  bool streamed;                /* chunks take turns even if X would fit */
  size_t chunk_rows;            /* of a chunk when streamed, rounded up to what passes ask for; 0: as fits the budget */
  /* NATIVE: several devices, here and in the processes of a job, share the rows (sharded.c). */
  Context *contexts[BACKEND_MOST_DEVICES]; /* (context_count) borrowed; the first is `context` */
  size_t context_count;                    /* 0: context alone */
  const double *rates;                     /* (context_count) rows are dealt in this proportion; NULL: as fast as each device is */
  Ranks *ranks;                            /* borrowed; NULL: this process alone. Then every rank opens its backend at the same time */
  bool fast_reduce;                        /* partial gradients of ranks are added by MPI in its own order */
} BackendSettings;

static inline bool backend_is_shared(const BackendSettings *settings) {
  return settings->context_count > 1 || ranks_size(settings->ranks) > 1;
}

/* What would lie where: sizes of what backend_open and passes would allocate, without doing it. */
typedef struct BackendPlan {
  size_t devices; /* of this process; the rest is about one of them. 0: the host */
  bool resident;
  bool in_place;                                  /* X and labels are read where the host has them */
  size_t chunk_rows;                              /* 0 when resident */
  uint64_t budget_bytes;                          /* of the device; 0: the host's memory */
  uint64_t data_bytes, label_bytes, weight_bytes; /* on the device at a time: X, labels, sample weights, */
  uint64_t work_bytes;                            /* and what a pass needs beside vectors, */
  uint64_t matrix_bytes;                          /* and metrics and Gram matrices */
  const char *storage;                            /* "f32", ...; static */
} BackendPlan;

#endif
