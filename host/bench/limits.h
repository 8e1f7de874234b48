/* What a device, or the host's cores, can do at most: measured by code of our own that does nothing else. */
#ifndef SETOSA_BENCH_LIMITS_H
#define SETOSA_BENCH_LIMITS_H

#include "opencl/context.h"
#include "setosa_bench.h"

typedef struct Limits Limits;

/* Chooses the fastest of the kernels of kernels/limits.cl on this device (borrowed until close; it should hold nothing else, since the
 * memory to read from counts as its own): some seconds at the first use, while the driver compiles. */
Status limits_open_device(Limits **limits, Context *context, Error *error);
/* The same in C on all cores that this process may use. */
Status limits_open_host(Limits **limits, Error *error);
void limits_close(Limits *limits);
/* One sample of each, about 20 ms of each: GFLOP/s of fused multiply-adds, GB/s of reads. */
Status limits_sample(Limits *limits, double *fma_gflops, double *read_gbytes_per_s, Error *error);
/* Medians of several samples, transfers and launches: everything but the names. */
Status limits_measure(Limits *limits, SetosaBenchLimits *measured, Error *error);

/* How one kind of place runs its kernels; private to limits*.c. */
typedef struct LimitOperations {
  void (*close)(Limits *limits);
  size_t (*count)(const Limits *limits, bool read); /* kernels to choose among */
  /* Runs kernel `which` for `rounds` rounds and waits. *work: flops, or bytes read. */
  Status (*run)(Limits *limits, bool read, size_t which, uint64_t rounds, double *work, Error *error);
  Status (*transfers)(Limits *limits, SetosaBenchLimits *measured, Error *error);
} LimitOperations;

struct Limits {
  const LimitOperations *operations;
  size_t best[2];     /* fma, read */
  uint64_t rounds[2]; /* of one sample */
};

/* Tries every kernel and keeps the fastest of each kind. */
Status limits_choose(Limits *limits, Error *error);

#endif
