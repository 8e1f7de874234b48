/* Loaded before the OpenCL loader (LD_PRELOAD): after SETOSA_TEST_LAUNCHES kernel launches the device has failed for good. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dlfcn.h>
#include <stdlib.h>

typedef cl_int (*Enqueue)(cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *, const size_t *, cl_uint, const cl_event *,
                          cl_event *);

cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset, const size_t *global,
                              const size_t *local, cl_uint count, const cl_event *waits, cl_event *event) {
  static Enqueue real = NULL;
  static long left = -1;
  if (real == NULL) {
    const char *launches = getenv("SETOSA_TEST_LAUNCHES");
    *(void **)&real = dlsym(RTLD_NEXT, "clEnqueueNDRangeKernel");
    left = launches != NULL ? strtol(launches, NULL, 10) : 0;
  }
  if (left == 0) return CL_OUT_OF_RESOURCES;
  left--;
  return real(queue, kernel, dimensions, offset, global, local, count, waits, event);
}
