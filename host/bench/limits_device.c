/* The limits of an OpenCL device, through kernels/limits.cl. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "bench/limits.h"
#include "bench/statistics.h"
#include "opencl/kernel.h"

enum { KERNELS_MOST = 5, CPU_GROUPS_PER_UNIT = 16, GPU_GROUPS_PER_UNIT = 16, GPU_ITEMS = 256, LAUNCHES = 50, TRANSFERS = 5 };
enum { FLOPS_OF_ROUND = 2 * 8 }; /* times lanes and chains: limits.cl unrolls by 8 */

/* Reading less than this would measure a cache. */
static const size_t cpu_read_bytes = (size_t)256 << 20, gpu_read_bytes = (size_t)1 << 30, transfer_bytes = (size_t)64 << 20;

typedef struct LimitKernel {
  const char *name;
  size_t lanes, chains; /* chains: 4 for reads */
} LimitKernel;

static const LimitKernel cpu_fma[] = {
    {"fma_4x8", 4, 8}, {"fma_8x8", 8, 8}, {"fma_8x12", 8, 12}, {"fma_16x8", 16, 8}, {"fma_16x12", 16, 12}};
static const LimitKernel gpu_fma[] = {{"fma_1x8", 1, 8}, {"fma_1x12", 1, 12}, {"fma_4x8", 4, 8}};
static const LimitKernel cpu_read[] = {{"read_4", 4, 4}, {"read_8", 8, 4}, {"read_16", 16, 4}};
static const LimitKernel gpu_read[] = {{"read_1", 1, 4}, {"read_4", 4, 4}};
#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

typedef struct DeviceLimits {
  Limits head;
  Context *context;
  const LimitKernel *names[2]; /* fma, read */
  size_t counts[2];
  Kernel *kernels[2][KERNELS_MOST], *empty;
  Buffer *x, *out;
  size_t groups, items; /* items of a group */
  size_t floats;        /* of x */
} DeviceLimits;

static void device_close(Limits *limits) {
  DeviceLimits *l = (DeviceLimits *)limits;
  for (int read = 0; read <= 1; read++)
    for (size_t i = 0; i < KERNELS_MOST; i++) kernel_destroy(l->kernels[read][i]);
  kernel_destroy(l->empty);
  buffer_destroy(l->x);
  buffer_destroy(l->out);
  free(l);
}

static size_t device_count(const Limits *limits, bool read) { return ((const DeviceLimits *)limits)->counts[read]; }

static Status device_run(Limits *limits, bool read, size_t which, uint64_t rounds, double *work, Error *error) {
  Status status = SETOSA_OK;
  DeviceLimits *l = (DeviceLimits *)limits;
  const LimitKernel *kernel = &l->names[read][which];
  KernelRange range = {.global = {l->groups * l->items}, .local = {l->items}};
  if (read) {
    size_t unit = kernel->lanes * kernel->chains * l->items;
    uint64_t slice = l->floats / l->groups / unit * unit / kernel->lanes;
    for (uint64_t i = 0; i < rounds; i++) TRY(kernel_launch(l->kernels[1][which], range, error, ARG(l->x), ARG(slice), ARG(l->out)));
    *work = (double)rounds * (double)l->groups * (double)slice * (double)kernel->lanes * sizeof(float);
  } else {
    /* In launches of bounded length: a display driver may stop a kernel that runs for seconds. */
    for (uint64_t left = rounds; left > 0;) {
      uint32_t some = left < (1u << 20) ? (uint32_t)left : (1u << 20);
      TRY(kernel_launch(l->kernels[0][which], range, error, ARG(l->out), ARG(some), ARG(0.5f), ARG(1.0f)));
      left -= some;
    }
    *work = (double)rounds * FLOPS_OF_ROUND * (double)(kernel->lanes * kernel->chains) * (double)(l->groups * l->items);
  }
  TRY(context_finish(l->context, error));
cleanup:
  return status;
}

/* Blocking copies of a part of x, and the time from a launch to its end, seen from the host. */
static Status device_transfers(Limits *limits, SetosaBenchLimits *measured, Error *error) {
  Status status = SETOSA_OK;
  DeviceLimits *l = (DeviceLimits *)limits;
  Samples up = {.count = 0}, down = {.count = 0}, launch = {.count = 0};
  size_t bytes = l->floats * sizeof(float) < transfer_bytes ? l->floats * sizeof(float) : transfer_bytes;
  char *host = NULL;
  TRY(memory_allocate_zero((void **)&host, bytes, 1, "memory to copy", error));
  for (int i = 0; i <= TRANSFERS; i++) {
    double began = clock_seconds();
    TRY(buffer_write(l->x, 0, bytes, host, error));
    double between = clock_seconds();
    TRY(buffer_read(l->x, 0, bytes, host, error));
    double ended = clock_seconds();
    if (i == 0) continue; /* the first touches fresh pages */
    samples_add(&up, between - began);
    samples_add(&down, ended - between);
  }
  for (int i = 0; i <= LAUNCHES; i++) {
    double began = clock_seconds();
    TRY(kernel_launch(l->empty, ((KernelRange){.global = {1}, .local = {1}}), error, ARG(l->out)));
    TRY(context_finish(l->context, error));
    if (i > 0) samples_add(&launch, clock_seconds() - began);
  }
  measured->upload_gbytes_per_s = 1e-9 * (double)bytes / samples_median(&up);
  measured->download_gbytes_per_s = 1e-9 * (double)bytes / samples_median(&down);
  measured->launch_us = 1e6 * samples_median(&launch);
cleanup:
  free(host);
  return status;
}

static Status create_kernels(DeviceLimits *l, Error *error) {
  Status status = SETOSA_OK;
  for (int read = 0; read <= 1; read++)
    for (size_t i = 0; i < l->counts[read]; i++)
      TRY(kernel_create(&l->kernels[read][i], l->context, "limits", "", l->names[read][i].name, error));
  TRY(kernel_create(&l->empty, l->context, "limits", "", "launch_empty", error));
cleanup:
  return status;
}

Status limits_open_device(Limits **limits, Context *context, Error *error) {
  static const LimitOperations operations = {device_close, device_count, device_run, device_transfers};
  Status status = SETOSA_OK;
  const DeviceTraits *traits = context_traits(context);
  bool cpu = traits->family == SETOSA_FAMILY_CPU;
  DeviceLimits *l = NULL;
  *limits = NULL;
  TRY(memory_allocate_zero((void **)&l, 1, sizeof *l, "limits", error));
  l->head.operations = &operations;
  l->context = context;
  l->names[0] = cpu ? cpu_fma : gpu_fma;
  l->names[1] = cpu ? cpu_read : gpu_read;
  l->counts[0] = cpu ? LENGTH(cpu_fma) : LENGTH(gpu_fma);
  l->counts[1] = cpu ? LENGTH(cpu_read) : LENGTH(gpu_read);
  l->items = cpu ? 1 : traits->max_group_size < GPU_ITEMS ? traits->max_group_size : GPU_ITEMS;
  l->groups = (traits->compute_units > 0 ? traits->compute_units : 1) * (cpu ? CPU_GROUPS_PER_UNIT : GPU_GROUPS_PER_UNIT);

  size_t bytes = cpu ? cpu_read_bytes : gpu_read_bytes;
  if (bytes > traits->memory_bytes / 8) bytes = (size_t)(traits->memory_bytes / 8);
  if (bytes > traits->max_allocation_bytes) bytes = (size_t)traits->max_allocation_bytes;
  size_t least = l->groups * l->items * 16 * 4 * sizeof(float); /* one round of the widest kernel */
  if (bytes < least) bytes = least;
  l->floats = bytes / sizeof(float);
  TRY(buffer_create(&l->x, context, l->floats * sizeof(float), "memory to read", error));
  TRY(buffer_fill_zero(l->x, 0, l->floats * sizeof(float), error));
  TRY(buffer_create(&l->out, context, l->groups * l->items * sizeof(float), "results of limits", error));
  TRY(create_kernels(l, error));
  TRY(limits_choose(&l->head, error));
  *limits = &l->head;
  l = NULL;
cleanup:
  if (l != NULL) device_close(&l->head);
  return status;
}
