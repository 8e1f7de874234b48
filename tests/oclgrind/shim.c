/* Preloaded under oclgrind, whose check for uninitialised memory overlooks two ways in which a host fills a buffer (as of 21.10):
 * clEnqueueFillBuffer and CL_MEM_USE_HOST_PTR. Here they become a write and a copy, which it sees. */
#define _GNU_SOURCE
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

cl_mem clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *code) {
  cl_mem (*create)(cl_context, cl_mem_flags, size_t, void *, cl_int *);
  *(void **)&create = dlsym(RTLD_NEXT, "clCreateBuffer");
  if ((flags & CL_MEM_USE_HOST_PTR) != 0) flags = (flags & ~(cl_mem_flags)CL_MEM_USE_HOST_PTR) | CL_MEM_COPY_HOST_PTR;
  return create(context, flags, size, host, code);
}

cl_int clEnqueueFillBuffer(cl_command_queue queue, cl_mem buffer, const void *pattern, size_t pattern_size, size_t offset, size_t size,
                           cl_uint wait_count, const cl_event *wait, cl_event *event) {
  if (pattern_size == 0 || size % pattern_size != 0 || offset % pattern_size != 0) return CL_INVALID_VALUE;
  char *filled = malloc(size > 0 ? size : 1);
  if (filled == NULL) return CL_OUT_OF_HOST_MEMORY;
  for (size_t at = 0; at < size; at += pattern_size) memcpy(filled + at, pattern, pattern_size);
  cl_int code = clEnqueueWriteBuffer(queue, buffer, CL_TRUE, offset, size, filled, wait_count, wait, event);
  free(filled);
  return code;
}
