/* Programs and kernels: embedded sources are built (or loaded from the cache) once per context and options; one launch call checks
 * what it is given. SETOSA_KERNEL_DIR in the environment loads the sources from that folder instead (and skips the cache). */
#ifndef SETOSA_OPENCL_KERNEL_H
#define SETOSA_OPENCL_KERNEL_H

#include <stdint.h>

#include "opencl/buffer.h"

typedef struct Kernel Kernel;

/* The kernel `name` of kernels/<source>.cl built with options (" -DK=10 -DD=784"). The program is shared and owned by the context: a
 * second call with the same source and options builds nothing. A build failure names the file, options and the compiler's first lines. */
Status kernel_create(Kernel **kernel, Context *context, const char *source, const char *options, const char *name, Error *error);
void kernel_destroy(Kernel *kernel);

typedef struct KernelArgument {
  enum { KERNEL_BUFFER, KERNEL_UINT, KERNEL_ULONG, KERNEL_FLOAT, KERNEL_LOCAL } kind;
  union {
    const Buffer *buffer;
    uint32_t u32;
    uint64_t u64;
    float f32;
    size_t local_bytes;
  } value;
} KernelArgument;

static inline KernelArgument kernel_argument_buffer(const Buffer *value) { return (KernelArgument){KERNEL_BUFFER, {.buffer = value}}; }
static inline KernelArgument kernel_argument_uint(uint32_t value) { return (KernelArgument){KERNEL_UINT, {.u32 = value}}; }
static inline KernelArgument kernel_argument_ulong(uint64_t value) { return (KernelArgument){KERNEL_ULONG, {.u64 = value}}; }
static inline KernelArgument kernel_argument_float(float value) { return (KernelArgument){KERNEL_FLOAT, {.f32 = value}}; }
/* A `local` pointer of that many bytes. */
static inline KernelArgument kernel_argument_local(size_t bytes) { return (KernelArgument){KERNEL_LOCAL, {.local_bytes = bytes}}; }

/* By the type of x: a buffer, uint, ulong or float of the kernel's signature. */
#define ARG(x) \
  _Generic((x),                                         \
      Buffer *: kernel_argument_buffer,                 \
      const Buffer *: kernel_argument_buffer,           \
      uint32_t: kernel_argument_uint,                   \
      uint64_t: kernel_argument_ulong,                  \
      float: kernel_argument_float)(x)

/* Work-items in all and in a group, up to three dimensions; global must be a multiple of local in each. Unused dimensions 0 or 1. */
typedef struct KernelRange {
  size_t global[3], local[3];
} KernelRange;

/* Enqueues the kernel. The number of arguments is checked against the kernel; an empty range does nothing. */
Status kernel_launch_array(Kernel *kernel, KernelRange range, const KernelArgument *arguments, size_t count, Error *error);
#define kernel_launch(kernel, range, error, ...)                            \
  kernel_launch_array(kernel, range, (const KernelArgument[]){__VA_ARGS__}, \
                      sizeof((const KernelArgument[]){__VA_ARGS__}) / sizeof(KernelArgument), error)

#endif
