/* The limits of the host's cores: the loops of kernels/limits.cl in C, one thread a core. Built with -ffp-contract=fast (CMakeLists.txt),
 * so that a * x + y is one instruction: nothing computed here is a result. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/processors.h"
#include "bench/limits.h"
#include "bench/threads.h"

enum { CHAINS = 12, UNROLLED_LANES = 16 };
static const size_t read_bytes = (size_t)256 << 20; /* for all threads; less would measure a cache */

typedef struct HostTask {
  const float *x; /* (floats) */
  size_t floats;  /* a multiple of 4 * UNROLLED_LANES */
  uint64_t rounds;
  float factor, addend;
  float result; /* written, so that no compiler may drop the work */
} HostTask;

typedef void HostLoop(HostTask *task);

/* The two loops for one set of instructions: 12 chains of `Lanes`, and 4 sums of them. */
#define HOST_LOOPS(suffix, Lanes, lanes, attributes)                                                                                 \
  typedef float Lanes __attribute__((vector_size(4 * (lanes))));                                                                     \
  attributes static void fma_##suffix(HostTask *task) {                                                                              \
    Lanes x, y, a[CHAINS];                                                                                                           \
    for (int i = 0; i < (lanes); i++) {                                                                                              \
      x[i] = task->factor;                                                                                                           \
      y[i] = task->addend;                                                                                                           \
      for (int c = 0; c < CHAINS; c++) a[c][i] = 0.01f * (float)c;                                                                   \
    }                                                                                                                                \
    for (uint64_t round = 0; round < task->rounds; round++) {                                                                        \
      a[0] = a[0] * x + y, a[1] = a[1] * x + y, a[2] = a[2] * x + y, a[3] = a[3] * x + y;                                            \
      a[4] = a[4] * x + y, a[5] = a[5] * x + y, a[6] = a[6] * x + y, a[7] = a[7] * x + y;                                            \
      a[8] = a[8] * x + y, a[9] = a[9] * x + y, a[10] = a[10] * x + y, a[11] = a[11] * x + y;                                        \
    }                                                                                                                                \
    for (int c = 0; c < CHAINS; c++)                                                                                                 \
      for (int i = 0; i < (lanes); i++) task->result += a[c][i];                                                                     \
  }                                                                                                                                  \
  attributes static void read_##suffix(HostTask *task) {                                                                             \
    Lanes a0 = {0}, a1 = {0}, a2 = {0}, a3 = {0};                                                                                    \
    for (uint64_t round = 0; round < task->rounds; round++) {                                                                        \
      const Lanes *from = (const Lanes *)(const void *)task->x;                                                                      \
      for (size_t i = 0; i < task->floats / (lanes); i += 4) a0 += from[i], a1 += from[i + 1], a2 += from[i + 2], a3 += from[i + 3]; \
    }                                                                                                                                \
    a0 = (a0 + a1) + (a2 + a3);                                                                                                      \
    for (int i = 0; i < (lanes); i++) task->result += a0[i];                                                                         \
  }

HOST_LOOPS(plain, Lanes4, 4, )
#if defined(__x86_64__)
HOST_LOOPS(avx2, Lanes8, 8, __attribute__((target("avx2,fma"))))
HOST_LOOPS(avx512, Lanes16, 16, __attribute__((target("avx512f"))))
#endif

typedef struct HostKernel {
  HostLoop *loop[2]; /* fma, read */
  size_t lanes;
} HostKernel;

typedef struct HostLimits {
  Limits head;
  HostKernel kernels[3];
  size_t kernel_count, threads;
  float *x; /* (threads, floats) */
  size_t floats;
} HostLimits;

static void host_close(Limits *limits) {
  free(((HostLimits *)limits)->x);
  free(limits);
}

static size_t host_count(const Limits *limits, bool read) {
  (void)read;
  return ((const HostLimits *)limits)->kernel_count;
}

typedef struct HostRun {
  HostTask task;
  HostLoop *loop;
} HostRun;

static void run_loop(void *argument) {
  HostRun *run = argument;
  run->loop(&run->task);
}

static Status host_run(Limits *limits, bool read, size_t which, uint64_t rounds, double *work, Error *error) {
  Status status = SETOSA_OK;
  HostLimits *l = (HostLimits *)limits;
  const HostKernel *kernel = &l->kernels[which];
  HostRun *runs = NULL;
  TRY(memory_allocate_zero((void **)&runs, l->threads, sizeof *runs, "threads", error));
  for (size_t i = 0; i < l->threads; i++) {
    /* Rounds of fused multiply-adds are short; a thousand of them stand against one pass over memory. */
    runs[i].task = (HostTask){l->x + i * l->floats, l->floats, read ? rounds : rounds * 1000, 0.5f, 1.0f, 0.0f};
    runs[i].loop = kernel->loop[read];
  }
  TRY(threads_run(l->threads, run_loop, runs, sizeof *runs, error));
  *work = (double)l->threads * (double)rounds * (read ? (double)l->floats * sizeof(float) : 1000.0 * 2.0 * CHAINS * (double)kernel->lanes);
cleanup:
  free(runs);
  return status;
}

static Status host_transfers(Limits *limits, SetosaBenchLimits *measured, Error *error) {
  (void)limits, (void)measured, (void)error;
  return SETOSA_OK; /* nothing is moved and nothing launched */
}

Status limits_open_host(Limits **limits, Error *error) {
  static const LimitOperations operations = {host_close, host_count, host_run, host_transfers};
  Status status = SETOSA_OK;
  HostLimits *l = NULL;
  *limits = NULL;
  TRY(memory_allocate_zero((void **)&l, 1, sizeof *l, "limits", error));
  l->head.operations = &operations;
  l->kernels[l->kernel_count++] = (HostKernel){{fma_plain, read_plain}, 4};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    l->kernels[l->kernel_count++] = (HostKernel){{fma_avx2, read_avx2}, 8};
  if (__builtin_cpu_supports("avx512f")) l->kernels[l->kernel_count++] = (HostKernel){{fma_avx512, read_avx512}, 16};
#endif
  l->threads = processors_usable();
  size_t unit = 4 * UNROLLED_LANES;
  l->floats = read_bytes / sizeof(float) / l->threads / unit * unit;
  TRY(memory_allocate_zero((void **)&l->x, l->threads * l->floats, sizeof(float), "memory to read", error));
  memset(l->x, 0x3f, l->threads * l->floats * sizeof(float)); /* zeroed pages would all be one page until they are written */
  TRY(limits_choose(&l->head, error));
  *limits = &l->head;
  l = NULL;
cleanup:
  if (l != NULL) host_close(&l->head);
  return status;
}
