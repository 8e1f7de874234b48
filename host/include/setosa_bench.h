/*
 * Setosa: measuring. The same work on every device and backend, beside what the machine can do at most: `setosa bench` in C.
 * The conventions are those of setosa.h.
 */
#ifndef SETOSA_BENCH_H
#define SETOSA_BENCH_H

#include "setosa.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum SetosaBenchWhat {
  SETOSA_BENCH_STEP,    /* loss and gradient of all rows: 4NDK flops; of sparse rows 4K for each entry, and so below */
  SETOSA_BENCH_HESSIAN, /* Hessian times a vector: 6NDK */
  SETOSA_BENCH_EPOCH,   /* one epoch of sgd by setosa_train */
  SETOSA_BENCH_TRAIN,   /* lbfgs by setosa_train; times are of one iteration */
  SETOSA_BENCH_PREDICT  /* probabilities of all rows on the host, data already on the device: 2NDK */
} SetosaBenchWhat;

typedef enum SetosaBenchStatus {
  SETOSA_BENCH_OK,
  SETOSA_BENCH_FAILED, /* wrong, or an error while it ran: there is no time */
  SETOSA_BENCH_SKIPPED /* not built in, not usable, or not asked for at this size */
} SetosaBenchStatus;

enum { SETOSA_BENCH_HOST = -1 }; /* device_index of the backends that run on the host */

/* What a device can do at most, measured before anything else: best of several kernels, median of several runs. */
typedef struct SetosaBenchLimits {
  char device[128]; /* "host" for the same in C with threads on all cores */
  int device_index; /* as `setosa devices` prints it, or SETOSA_BENCH_HOST */
  double fma_gflops, read_gbytes_per_s;
  double upload_gbytes_per_s, download_gbytes_per_s, launch_us; /* NAN for the host */
} SetosaBenchLimits;

/* One line of the table. Numbers are NAN (sizes 0) when status is not OK, but for error and tolerance of a wrong result.
 * The limit is measured again between the samples, so that a noisy machine slows both: fma_gflops and read_gbytes_per_s are medians over
 * the same time as median_ms. limit_ms = max(flops / FMA peak, bytes of X / read bandwidth); of sparse rows with all bytes that a pass must
 * move, and with gather_ms (bench/README.md). */
typedef struct SetosaBenchResult {
  char work[64]; /* "W1", or the name of the data */
  uint64_t rows, features, classes;
  uint64_t entries; /* of sparse rows; of others rows * features */
  SetosaBenchWhat what;
  const char *backend; /* "native", ...; static, as storage and family */
  char device[128];
  int device_index;
  const char *storage, *family;
  SetosaBenchStatus status;
  char reason[256];                       /* "" when OK */
  double median_ms, min_ms, max_ms;       /* per pass, epoch, or iteration */
  double spread;                          /* (90th - 10th percentile) / median of the samples; above 0.1 the machine is noisy */
  size_t samples;                         /* each of at least 20 ms, short work repeated */
  double gflops, gbytes_per_s;            /* flops, and bytes of X read once (sparse: all that must move), over the median */
  double fma_gflops, read_gbytes_per_s;   /* the limit, see above */
  double limit_ms, part_of_limit;         /* part: limit_ms / median_ms */
  double gather_ms;                       /* sparse rows: what reading rows of tables at random takes at least; else NAN */
  double first_call_ms;                   /* upload, building and tuning kernels, first pass */
  uint64_t device_bytes, workspace_bytes; /* most held; that without data, weights and gradient (and the direction of a Hessian) */
  double error, tolerance;                /* relative, against the reference: the quantity nearest to its tolerance */
  uint64_t iterations;                    /* TRAIN: of one run */
} SetosaBenchResult;

/* Start from setosa_bench_options_default(). All is borrowed for the call. */
typedef struct SetosaBenchOptions {
  SetosaDataset *dataset; /* the user's own data (its rows stay as they are), or NULL for the suite */
  const char *name;       /* of dataset, in results */
  const char *works;      /* the suite: "W1,S4", or NULL for all ten */
  const char *fashion;    /* W1: folder or images file of Fashion-MNIST; NULL: where Debian puts it, else synthetic data of that shape */
  const SetosaDevices *devices; /* NULL: only backends on the host */
  const size_t *device_indices; /* (device_count) */
  size_t device_count;
  bool force_device;             /* devices that fail the self-test too */
  const SetosaBackend *backends; /* (backend_count); 0: native, clblast, blas, and reference where a pass takes below 0.2 GFLOP */
  size_t backend_count;
  const SetosaStorage *storages; /* (storage_count) of NATIVE; 0: f32 */
  size_t storage_count;
  const SetosaBenchWhat *whats; /* (what_count); 0: STEP */
  size_t what_count;
  SetosaFamily family;
  SetosaTuning tuning;
  bool reproducible;
  uint64_t max_iterations; /* TRAIN */
  double tolerance;        /* TRAIN */
  size_t repeat;           /* samples of a row; 0: as many as fit `seconds` */
  double seconds;          /* of samples of a row; at least 5 samples are taken (3 when one takes more than 5 s) */
  void (*limits)(const SetosaBenchLimits *limits, void *user); /* once per device; may be NULL */
  void (*result)(const SetosaBenchResult *result, void *user); /* as they come; may be NULL */
  void (*doing)(const char *what, void *user);                 /* what goes on, never while a time is taken; may be NULL */
  bool (*stop)(void *user);                                    /* asked between samples; true ends with SETOSA_INTERRUPTED; may be NULL */
  void *user;
} SetosaBenchOptions;

SetosaBenchOptions setosa_bench_options_default(void);
const char *setosa_bench_what_name(SetosaBenchWhat what); /* "step", "hessian", ... */

/* Times the same work on every device and backend, beside the limits of each. Every result is compared with the double reference before
 * it is timed (on so many rows that the reference needs about 2 GFLOP; a pass over more rows is then compared with passes over its
 * parts). Wrong and unavailable rows are results, not errors. Errors: SETOSA_ERROR_USAGE for options without sense, SETOSA_ERROR_DATA,
 * SETOSA_INTERRUPTED when stop said so; what was reported before stands. */
SetosaStatus setosa_bench(const SetosaBenchOptions *options, SetosaError *error);

#ifdef __cplusplus
}
#endif
#endif
