/* Every OpenCL function that Setosa and CLBlast call, on its way to the real one; fault.h says how one fails. A release that fails has
 * released all the same: what it says is all that can be tested. tests/faults/check_complete.sh finds a function that is missing here. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dlfcn.h>

#include "fault.h"

/* clang-format off: one a line */
#define FUNCTIONS(X)             \
  X(clBuildProgram)              \
  X(clCreateBuffer)              \
  X(clCreateCommandQueue)        \
  X(clCreateContext)             \
  X(clCreateKernel)              \
  X(clCreateProgramWithBinary)   \
  X(clCreateProgramWithSource)   \
  X(clCreateSubBuffer)           \
  X(clCreateSubDevices)          \
  X(clEnqueueCopyBuffer)         \
  X(clEnqueueFillBuffer)         \
  X(clEnqueueMarkerWithWaitList) \
  X(clEnqueueNDRangeKernel)      \
  X(clEnqueueReadBuffer)         \
  X(clEnqueueWriteBuffer)        \
  X(clFinish)                    \
  X(clFlush)                     \
  X(clGetCommandQueueInfo)       \
  X(clGetDeviceIDs)              \
  X(clGetDeviceInfo)             \
  X(clGetKernelArgInfo)          \
  X(clGetKernelInfo)             \
  X(clGetKernelWorkGroupInfo)    \
  X(clGetMemObjectInfo)          \
  X(clGetPlatformIDs)            \
  X(clGetPlatformInfo)           \
  X(clGetProgramBuildInfo)       \
  X(clGetProgramInfo)            \
  X(clReleaseCommandQueue)       \
  X(clReleaseContext)            \
  X(clReleaseDevice)             \
  X(clReleaseEvent)              \
  X(clReleaseKernel)             \
  X(clReleaseMemObject)          \
  X(clReleaseProgram)            \
  X(clRetainMemObject)           \
  X(clSetKernelArg)              \
  X(clWaitForEvents)
/* clang-format on */

#define NUMBER(name) CALL_##name,
#define NAME(name) #name,
enum { FUNCTIONS(NUMBER) CALLS };
static const char *const names[] = {FUNCTIONS(NAME)};
static atomic_long counts[CALLS];
static Fault fault;

__attribute__((constructor)) static void begin(void) { fault = fault_read(names, CALLS); }
__attribute__((destructor)) static void end(void) { fault_write_counts(names, counts, CALLS); }

#define REAL(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

/* A function that returns its code. */
#define CALL(name, parameters, arguments)                          \
  cl_int name parameters {                                         \
    if (fault_due(&fault, counts, CALL_##name)) return fault.code; \
    return REAL(name) arguments;                                   \
  }
#define RELEASE(name, type)                                            \
  cl_int name(type object) {                                           \
    cl_int code = REAL(name)(object);                                  \
    return fault_due(&fault, counts, CALL_##name) ? fault.code : code; \
  }
/* A function that makes something; its last parameter is `code`. */
#define CREATE(type, name, parameters, arguments)                             \
  type name parameters {                                                      \
    if (!fault_due(&fault, counts, CALL_##name)) return REAL(name) arguments; \
    if (code != NULL) *code = fault.code;                                     \
    return NULL;                                                              \
  }

CALL(clGetPlatformIDs, (cl_uint room, cl_platform_id *platforms, cl_uint *count), (room, platforms, count))
CALL(clGetPlatformInfo, (cl_platform_id platform, cl_platform_info what, size_t size, void *out, size_t *needed),
     (platform, what, size, out, needed))
CALL(clGetDeviceIDs, (cl_platform_id platform, cl_device_type type, cl_uint room, cl_device_id *devices, cl_uint *count),
     (platform, type, room, devices, count))
CALL(clGetDeviceInfo, (cl_device_id device, cl_device_info what, size_t size, void *out, size_t *needed), (device, what, size, out, needed))
CALL(clCreateSubDevices,
     (cl_device_id device, const cl_device_partition_property *how, cl_uint room, cl_device_id *devices, cl_uint *count),
     (device, how, room, devices, count))
CREATE(cl_context, clCreateContext,
       (const cl_context_properties *properties, cl_uint count, const cl_device_id *devices,
        void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *user, cl_int *code),
       (properties, count, devices, notify, user, code))
CREATE(cl_command_queue, clCreateCommandQueue,
       (cl_context context, cl_device_id device, cl_command_queue_properties properties, cl_int *code), (context, device, properties, code))
CALL(clGetCommandQueueInfo, (cl_command_queue queue, cl_command_queue_info what, size_t size, void *out, size_t *needed),
     (queue, what, size, out, needed))

CREATE(cl_mem, clCreateBuffer, (cl_context context, cl_mem_flags flags, size_t bytes, void *host, cl_int *code),
       (context, flags, bytes, host, code))
CREATE(cl_mem, clCreateSubBuffer, (cl_mem buffer, cl_mem_flags flags, cl_buffer_create_type type, const void *region, cl_int *code),
       (buffer, flags, type, region, code))
CALL(clRetainMemObject, (cl_mem buffer), (buffer))
CALL(clGetMemObjectInfo, (cl_mem buffer, cl_mem_info what, size_t size, void *out, size_t *needed), (buffer, what, size, out, needed))

CREATE(cl_program, clCreateProgramWithSource, (cl_context context, cl_uint count, const char **texts, const size_t *lengths, cl_int *code),
       (context, count, texts, lengths, code))
CREATE(cl_program, clCreateProgramWithBinary,
       (cl_context context, cl_uint count, const cl_device_id *devices, const size_t *lengths, const unsigned char **binaries,
        cl_int *states, cl_int *code),
       (context, count, devices, lengths, binaries, states, code))
CALL(clBuildProgram,
     (cl_program program, cl_uint count, const cl_device_id *devices, const char *options, void(CL_CALLBACK *notify)(cl_program, void *),
      void *user),
     (program, count, devices, options, notify, user))
CALL(clGetProgramInfo, (cl_program program, cl_program_info what, size_t size, void *out, size_t *needed),
     (program, what, size, out, needed))
CALL(clGetProgramBuildInfo, (cl_program program, cl_device_id device, cl_program_build_info what, size_t size, void *out, size_t *needed),
     (program, device, what, size, out, needed))

CREATE(cl_kernel, clCreateKernel, (cl_program program, const char *name, cl_int *code), (program, name, code))
CALL(clSetKernelArg, (cl_kernel kernel, cl_uint index, size_t size, const void *value), (kernel, index, size, value))
CALL(clGetKernelInfo, (cl_kernel kernel, cl_kernel_info what, size_t size, void *out, size_t *needed), (kernel, what, size, out, needed))
CALL(clGetKernelArgInfo, (cl_kernel kernel, cl_uint index, cl_kernel_arg_info what, size_t size, void *out, size_t *needed),
     (kernel, index, what, size, out, needed))
CALL(clGetKernelWorkGroupInfo,
     (cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what, size_t size, void *out, size_t *needed),
     (kernel, device, what, size, out, needed))

#define WAITS cl_uint count, const cl_event *events, cl_event *event
CALL(clEnqueueNDRangeKernel,
     (cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset, const size_t *global, const size_t *local, WAITS),
     (queue, kernel, dimensions, offset, global, local, count, events, event))
CALL(clEnqueueReadBuffer, (cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t bytes, void *host, WAITS),
     (queue, buffer, blocking, offset, bytes, host, count, events, event))
CALL(clEnqueueWriteBuffer, (cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t bytes, const void *host, WAITS),
     (queue, buffer, blocking, offset, bytes, host, count, events, event))
CALL(clEnqueueCopyBuffer, (cl_command_queue queue, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset, size_t bytes, WAITS),
     (queue, from, to, from_offset, to_offset, bytes, count, events, event))
CALL(clEnqueueFillBuffer,
     (cl_command_queue queue, cl_mem buffer, const void *pattern, size_t pattern_bytes, size_t offset, size_t bytes, WAITS),
     (queue, buffer, pattern, pattern_bytes, offset, bytes, count, events, event))
CALL(clEnqueueMarkerWithWaitList, (cl_command_queue queue, WAITS), (queue, count, events, event))
CALL(clFlush, (cl_command_queue queue), (queue))
CALL(clFinish, (cl_command_queue queue), (queue))
CALL(clWaitForEvents, (cl_uint count, const cl_event *events), (count, events))

RELEASE(clReleaseCommandQueue, cl_command_queue)
RELEASE(clReleaseContext, cl_context)
RELEASE(clReleaseDevice, cl_device_id)
RELEASE(clReleaseEvent, cl_event)
RELEASE(clReleaseKernel, cl_kernel)
RELEASE(clReleaseMemObject, cl_mem)
RELEASE(clReleaseProgram, cl_program)
