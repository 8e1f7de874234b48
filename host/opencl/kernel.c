/* Kernels and the one place that sets arguments. Everything is checked against the kernel before the driver sees it. */
#include "opencl/kernel.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "opencl/internal.h"

enum { KIND_UNKNOWN = -1 };

struct Kernel {
  Context *context;
  cl_kernel handle;
  char *label; /* "vector.cl:dots" */
  cl_uint argument_count;
  int *kinds; /* (argument_count) the KERNEL_ kind of each argument, or KIND_UNKNOWN where the driver does not say */
  size_t max_group_size;
  size_t local_bytes;       /* local memory that its code declares */
  size_t required_group[3]; /* reqd_work_group_size, or zeros */
};

static const char *const kind_names[] = {"a global buffer", "uint", "ulong", "float", "local memory"};

/* The kind that the kernel's signature asks for. Drivers may have dropped this (a program loaded from a binary). */
static int declared_kind(cl_kernel kernel, cl_uint index) {
  cl_kernel_arg_address_qualifier address = CL_KERNEL_ARG_ADDRESS_PRIVATE;
  char type[64] = "";
  if (clGetKernelArgInfo(kernel, index, CL_KERNEL_ARG_ADDRESS_QUALIFIER, sizeof address, &address, NULL) != CL_SUCCESS) return KIND_UNKNOWN;
  if (address == CL_KERNEL_ARG_ADDRESS_GLOBAL || address == CL_KERNEL_ARG_ADDRESS_CONSTANT) return KERNEL_BUFFER;
  if (address == CL_KERNEL_ARG_ADDRESS_LOCAL) return KERNEL_LOCAL;
  if (clGetKernelArgInfo(kernel, index, CL_KERNEL_ARG_TYPE_NAME, sizeof type, type, NULL) != CL_SUCCESS) return KIND_UNKNOWN;
  if (strcmp(type, "uint") == 0 || strcmp(type, "int") == 0) return KERNEL_UINT;
  if (strcmp(type, "ulong") == 0 || strcmp(type, "long") == 0) return KERNEL_ULONG;
  if (strcmp(type, "float") == 0) return KERNEL_FLOAT;
  return KIND_UNKNOWN;
}

static Status make_label(Kernel *kernel, const char *source, const char *name, Error *error) {
  Text label = {0};
  Status status = text_append(&label, error, "%s.cl:%s", source, name);
  kernel->label = label.text;
  return status;
}

Status kernel_create(Kernel **out, Context *context, const char *source, const char *options, const char *name, Error *error) {
  Status status = SETOSA_OK;
  cl_program program = NULL;
  Kernel *kernel = NULL;
  cl_int code = CL_SUCCESS;
  cl_ulong local_bytes = 0;
  *out = NULL;
  TRY(program_get(&program, context, source, options != NULL ? options : "", error));
  TRY(memory_allocate_zero((void **)&kernel, 1, sizeof *kernel, "a kernel", error));
  kernel->context = context;
  TRY(make_label(kernel, source, name, error));
  kernel->handle = clCreateKernel(program, name, &code);
  if (code == CL_INVALID_KERNEL_NAME)
    TRY(error_set_opencl(error, SETOSA_ERROR_INTERNAL, code,
                         "kernels/%s.cl has no kernel named %s, perhaps because a cached one is damaged; run `setosa cache clear`, and "
                         "report it if that does not help",
                         source, name));
  TRY_CL(code, "%s: cannot create the kernel", kernel->label);
  TRY_CL(clGetKernelInfo(kernel->handle, CL_KERNEL_NUM_ARGS, sizeof kernel->argument_count, &kernel->argument_count, NULL),
         "%s: cannot count its arguments", kernel->label);
  TRY_CL(clGetKernelWorkGroupInfo(kernel->handle, context->device.id, CL_KERNEL_WORK_GROUP_SIZE, sizeof kernel->max_group_size,
                                  &kernel->max_group_size, NULL),
         "%s: cannot ask for its largest work-group", kernel->label);
  if (clGetKernelWorkGroupInfo(kernel->handle, context->device.id, CL_KERNEL_LOCAL_MEM_SIZE, sizeof local_bytes, &local_bytes, NULL) ==
      CL_SUCCESS)
    kernel->local_bytes = (size_t)local_bytes;
  if (clGetKernelWorkGroupInfo(kernel->handle, context->device.id, CL_KERNEL_COMPILE_WORK_GROUP_SIZE, sizeof kernel->required_group,
                               kernel->required_group, NULL) != CL_SUCCESS)
    memset(kernel->required_group, 0, sizeof kernel->required_group);
  TRY(memory_allocate((void **)&kernel->kinds, kernel->argument_count, sizeof *kernel->kinds, "a kernel", error));
  for (cl_uint i = 0; i < kernel->argument_count; i++) kernel->kinds[i] = declared_kind(kernel->handle, i);
  *out = kernel;
  kernel = NULL;
cleanup:
  kernel_destroy(kernel);
  return status;
}

void kernel_destroy(Kernel *kernel) {
  if (kernel == NULL) return;
  if (kernel->handle != NULL) clReleaseKernel(kernel->handle);
  free(kernel->kinds);
  free(kernel->label);
  free(kernel);
}

static Status check_range(const Kernel *kernel, const KernelRange *range, Error *error) {
  size_t group = 1;
  const size_t *required = kernel->required_group;
  for (int d = 0; d < 3; d++) {
    if (range->local[d] == 0 || range->global[d] % range->local[d] != 0)
      return error_set(error, SETOSA_ERROR_INTERNAL,
                       "%s: %zu work-items do not divide into groups of %zu (dimension %d); please report this", kernel->label,
                       range->global[d], range->local[d], d);
    if (range->local[d] > kernel->max_group_size / group)
      return error_set(error, SETOSA_ERROR_DEVICE,
                       "%s: a work-group of %zu x %zu x %zu is over the %zu items that %s allows; choose another --device or --family",
                       kernel->label, range->local[0], range->local[1], range->local[2], kernel->max_group_size,
                       kernel->context->device.info.name);
    group *= range->local[d];
  }
  bool fixed = required[0] != 0;
  if (fixed && (range->local[0] != required[0] || range->local[1] != required[1] || range->local[2] != required[2]))
    return error_set(error, SETOSA_ERROR_INTERNAL,
                     "%s: launched in groups of %zu x %zu x %zu, but requires %zu x %zu x %zu; please report this", kernel->label,
                     range->local[0], range->local[1], range->local[2], required[0], required[1], required[2]);
  return SETOSA_OK;
}

static Status check_argument(const Kernel *kernel, cl_uint index, const KernelArgument *argument, Error *error) {
  int declared = kernel->kinds[index];
  if (declared != KIND_UNKNOWN && declared != (int)argument->kind)
    return error_set(error, SETOSA_ERROR_INTERNAL, "%s: argument %u is %s, but was given %s; please report this", kernel->label,
                     (unsigned)index, kind_names[declared], kind_names[argument->kind]);
  if (argument->kind == KERNEL_LOCAL && argument->value.local_bytes == 0)
    return error_set(error, SETOSA_ERROR_INTERNAL, "%s: argument %u is local memory of 0 bytes; please report this", kernel->label,
                     (unsigned)index);
  if (argument->kind == KERNEL_BUFFER && argument->value.buffer != NULL && argument->value.buffer->context != kernel->context)
    return error_set(error, SETOSA_ERROR_INTERNAL, "%s: argument %u is a buffer of another device; please report this", kernel->label,
                     (unsigned)index);
  return SETOSA_OK;
}

/* What the code declares and what the arguments bring, together. */
static Status check_local_memory(const Kernel *kernel, const KernelArgument *arguments, Error *error) {
  const DeviceTraits *traits = &kernel->context->device.traits;
  size_t bytes = kernel->local_bytes;
  for (cl_uint i = 0; i < kernel->argument_count; i++) {
    size_t more = arguments[i].kind == KERNEL_LOCAL ? arguments[i].value.local_bytes : 0;
    bytes = more <= SIZE_MAX - bytes ? bytes + more : SIZE_MAX;
  }
  if (bytes <= traits->local_memory_bytes) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_DEVICE, "%s: needs %zu bytes of local memory, but %s has %zu; choose another --device or --family",
                   kernel->label, bytes, kernel->context->device.info.name, traits->local_memory_bytes);
}

static cl_int set_argument(cl_kernel kernel, cl_uint index, const KernelArgument *argument) {
  switch (argument->kind) {
    case KERNEL_BUFFER: {
      const cl_mem *handle = argument->value.buffer != NULL ? &argument->value.buffer->handle : NULL;
      return clSetKernelArg(kernel, index, sizeof(cl_mem), handle);
    }
    case KERNEL_UINT:
      return clSetKernelArg(kernel, index, sizeof argument->value.u32, &argument->value.u32);
    case KERNEL_ULONG:
      return clSetKernelArg(kernel, index, sizeof argument->value.u64, &argument->value.u64);
    case KERNEL_FLOAT:
      return clSetKernelArg(kernel, index, sizeof argument->value.f32, &argument->value.f32);
    case KERNEL_LOCAL:
      return clSetKernelArg(kernel, index, argument->value.local_bytes, NULL);
  }
  return CL_INVALID_ARG_VALUE;
}

Status kernel_launch_array(Kernel *kernel, KernelRange range, const KernelArgument *arguments, size_t count, Error *error) {
  Status status = SETOSA_OK;
  if (count != kernel->argument_count)
    return error_set(error, SETOSA_ERROR_INTERNAL, "%s: launched with %zu arguments, but takes %u; please report this", kernel->label,
                     count, (unsigned)kernel->argument_count);
  if (range.global[0] == 0) return SETOSA_OK;
  for (int d = 0; d < 3; d++) {
    if (range.global[d] == 0) range.global[d] = 1;
    if (range.local[d] == 0 && range.global[d] == 1) range.local[d] = 1;
  }
  TRY(check_range(kernel, &range, error));
  TRY(check_local_memory(kernel, arguments, error));
  for (cl_uint i = 0; i < kernel->argument_count; i++) {
    TRY(check_argument(kernel, i, &arguments[i], error));
    TRY_CL(set_argument(kernel->handle, i, &arguments[i]), "%s: cannot set argument %u", kernel->label, (unsigned)i);
  }
  cl_uint dimensions = range.global[2] > 1 ? 3 : range.global[1] > 1 ? 2 : 1;
  TRY_CL(clEnqueueNDRangeKernel(kernel->context->queue, kernel->handle, dimensions, NULL, range.global, range.local, 0, NULL, NULL),
         "%s: cannot launch %zu x %zu x %zu work-items", kernel->label, range.global[0], range.global[1], range.global[2]);
cleanup:
  return status;
}
