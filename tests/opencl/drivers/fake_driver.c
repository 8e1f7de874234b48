/* An OpenCL driver with one GPU that does one thing wrong. The name of its file says what and where: hang-build.so, abort-load.so.
 * What: abort, segv, ill, trap, exit0, exit3 (exit), leave0, leave7 (_exit), hang, deaf (hang with every signal blocked).
 * Where: load, beside (while it is loaded beside PoCL), platforms, info, devices, crowd (while it lists its devices beside PoCL), context,
 * build, enqueue, finish, unload. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl_icd.h>
#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct _cl_platform_id {
  cl_icd_dispatch *dispatch;
};
struct _cl_device_id {
  cl_icd_dispatch *dispatch;
};
struct _cl_context {
  cl_icd_dispatch *dispatch;
};
struct _cl_command_queue {
  cl_icd_dispatch *dispatch;
};
struct _cl_mem {
  cl_icd_dispatch *dispatch;
};
struct _cl_program {
  cl_icd_dispatch *dispatch;
};
struct _cl_kernel {
  cl_icd_dispatch *dispatch;
};

static cl_icd_dispatch dispatch;
static struct _cl_platform_id platform = {&dispatch};
static struct _cl_device_id device = {&dispatch};
static struct _cl_context context = {&dispatch};
static struct _cl_command_queue queue = {&dispatch};
static struct _cl_mem buffer = {&dispatch};
static struct _cl_program program = {&dispatch};
static struct _cl_kernel kernel = {&dispatch};

static void hang(void) {
  for (;;) pause();
}

static void do_wrong(const char *what) {
  sigset_t all;
  sigfillset(&all);
  if (strcmp(what, "abort") == 0) {
    fprintf(stderr, "  terminate called\033 without an active exception\nmore\n");
    abort();
  }
  if (strcmp(what, "segv") == 0) raise(SIGSEGV);
  if (strcmp(what, "ill") == 0) raise(SIGILL);
  if (strcmp(what, "trap") == 0) raise(SIGTRAP);
  if (strcmp(what, "exit0") == 0) exit(0);
  if (strcmp(what, "exit3") == 0) exit(3);
  if (strcmp(what, "leave0") == 0) _exit(0);
  if (strcmp(what, "leave7") == 0) _exit(7);
  if (strcmp(what, "deaf") == 0) sigprocmask(SIG_BLOCK, &all, NULL);
  hang();
}

/* Does what the name says when it says it of this place. */
static void reach(const char *where) {
  Dl_info here;
  char name[64];
  if (dladdr(&dispatch, &here) == 0) return;
  const char *slash = strrchr(here.dli_fname, '/');
  snprintf(name, sizeof name, "%s", slash != NULL ? slash + 1 : here.dli_fname);
  char *dash = strchr(name, '-'), *dot = strchr(name, '.');
  if (dash == NULL || dot == NULL) return;
  *dash = *dot = '\0';
  if (strcmp(dash + 1, where) == 0) do_wrong(name);
}

static cl_int answer(const void *value, size_t length, size_t size, void *out, size_t *needed) {
  if (needed != NULL) *needed = length;
  if (out != NULL && size < length) return CL_INVALID_VALUE;
  if (out != NULL) memcpy(out, value, length);
  return CL_SUCCESS;
}
#define ANSWER(value) answer(&(value), sizeof(value), size, out, needed)

static cl_int platform_info(cl_platform_id which, cl_platform_info what, size_t size, void *out, size_t *needed) {
  const char *text = what == CL_PLATFORM_NAME             ? "Fake platform"
                     : what == CL_PLATFORM_VERSION        ? "OpenCL 1.2 fake"
                     : what == CL_PLATFORM_EXTENSIONS     ? "cl_khr_icd"
                     : what == CL_PLATFORM_ICD_SUFFIX_KHR ? "FAKE"
                                                          : "fake";
  (void)which;
  reach("info");
  return answer(text, strlen(text) + 1, size, out, needed);
}

static int is_pocl(struct dl_phdr_info *info, size_t size, void *user) {
  (void)size, (void)user;
  return strstr(info->dlpi_name, "libpocl") != NULL;
}

static cl_int list_devices(cl_platform_id which, cl_device_type type, cl_uint size, cl_device_id *out, cl_uint *count) {
  (void)which, (void)type;
  reach("devices");
  if (dl_iterate_phdr(is_pocl, NULL) != 0) reach("crowd");
  if (count != NULL) *count = 1;
  if (out != NULL && size > 0) out[0] = &device;
  return CL_SUCCESS;
}

static cl_int device_info(cl_device_id which, cl_device_info what, size_t size, void *out, size_t *needed) {
  const cl_bool yes = CL_TRUE;
  const cl_uint units = 8;
  const cl_ulong bytes = 1 << 30;
  const size_t group = 64;
  const cl_device_type type = CL_DEVICE_TYPE_GPU;
  const cl_device_local_mem_type local = CL_LOCAL;
  const char *text = what == CL_DEVICE_NAME      ? "Fake GPU"
                     : what == CL_DEVICE_PROFILE ? "FULL_PROFILE"
                     : what == CL_DEVICE_VERSION ? "OpenCL 1.2 fake"
                                                 : "fake";
  (void)which;
  switch (what) {
    case CL_DEVICE_TYPE:
      return ANSWER(type);
    case CL_DEVICE_LOCAL_MEM_TYPE:
      return ANSWER(local);
    case CL_DEVICE_GLOBAL_MEM_SIZE:
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE:
    case CL_DEVICE_LOCAL_MEM_SIZE:
      return ANSWER(bytes);
    case CL_DEVICE_MAX_WORK_GROUP_SIZE:
      return ANSWER(group);
    case CL_DEVICE_AVAILABLE:
    case CL_DEVICE_COMPILER_AVAILABLE:
    case CL_DEVICE_ENDIAN_LITTLE:
      return ANSWER(yes);
    case CL_DEVICE_MAX_COMPUTE_UNITS:
    case CL_DEVICE_MAX_CLOCK_FREQUENCY:
    case CL_DEVICE_MEM_BASE_ADDR_ALIGN:
    case CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT:
    case CL_DEVICE_HOST_UNIFIED_MEMORY:
      return ANSWER(units);
    default:
      return answer(text, strlen(text) + 1, size, out, needed);
  }
}

static cl_context create_context(const cl_context_properties *properties, cl_uint count, const cl_device_id *devices,
                                 void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *user, cl_int *code) {
  (void)properties, (void)count, (void)devices, (void)notify, (void)user;
  reach("context");
  *code = CL_SUCCESS;
  return &context;
}

static cl_command_queue create_queue(cl_context in, cl_device_id which, cl_command_queue_properties properties, cl_int *code) {
  (void)in, (void)which, (void)properties;
  *code = CL_SUCCESS;
  return &queue;
}

static cl_mem create_buffer(cl_context in, cl_mem_flags flags, size_t bytes, void *host, cl_int *code) {
  (void)in, (void)flags, (void)bytes, (void)host;
  *code = CL_SUCCESS;
  return &buffer;
}

static cl_program create_program(cl_context in, cl_uint count, const char **texts, const size_t *lengths, cl_int *code) {
  (void)in, (void)count, (void)texts, (void)lengths;
  *code = CL_SUCCESS;
  return &program;
}

static cl_int build_program(cl_program which, cl_uint count, const cl_device_id *devices, const char *options,
                            void(CL_CALLBACK *notify)(cl_program, void *), void *user) {
  (void)which, (void)count, (void)devices, (void)options, (void)notify, (void)user;
  reach("build");
  return CL_SUCCESS;
}

static cl_kernel create_kernel(cl_program of, const char *name, cl_int *code) {
  (void)of, (void)name;
  *code = CL_SUCCESS;
  return &kernel;
}

static cl_int kernel_info(cl_kernel which, cl_kernel_info what, size_t size, void *out, size_t *needed) {
  const cl_uint arguments = 1;
  (void)which, (void)what;
  return ANSWER(arguments);
}

static cl_int kernel_argument_info(cl_kernel which, cl_uint index, cl_kernel_arg_info what, size_t size, void *out, size_t *needed) {
  (void)which, (void)index, (void)what, (void)size, (void)out, (void)needed;
  return CL_KERNEL_ARG_INFO_NOT_AVAILABLE;
}

static cl_int group_info(cl_kernel which, cl_device_id on, cl_kernel_work_group_info what, size_t size, void *out, size_t *needed) {
  const size_t group = 64, required[3] = {0, 0, 0};
  const cl_ulong bytes = 0;
  (void)which, (void)on;
  if (what == CL_KERNEL_COMPILE_WORK_GROUP_SIZE) return ANSWER(required);
  return what == CL_KERNEL_LOCAL_MEM_SIZE ? ANSWER(bytes) : ANSWER(group);
}

static cl_int set_argument(cl_kernel which, cl_uint index, size_t size, const void *value) {
  (void)which, (void)index, (void)size, (void)value;
  return CL_SUCCESS;
}

static cl_int enqueue(cl_command_queue on, cl_kernel which, cl_uint dimensions, const size_t *offset, const size_t *global,
                      const size_t *local, cl_uint count, const cl_event *waits, cl_event *event) {
  (void)on, (void)which, (void)dimensions, (void)offset, (void)global, (void)local, (void)count, (void)waits, (void)event;
  reach("enqueue");
  return CL_SUCCESS;
}

static cl_int write_buffer(cl_command_queue on, cl_mem to, cl_bool blocking, size_t offset, size_t bytes, const void *host, cl_uint count,
                           const cl_event *waits, cl_event *event) {
  (void)on, (void)to, (void)blocking, (void)offset, (void)bytes, (void)host, (void)count, (void)waits, (void)event;
  return CL_SUCCESS;
}

static cl_int read_buffer(cl_command_queue on, cl_mem from, cl_bool blocking, size_t offset, size_t bytes, void *host, cl_uint count,
                          const cl_event *waits, cl_event *event) {
  (void)on, (void)from, (void)blocking, (void)offset, (void)bytes, (void)host, (void)count, (void)waits, (void)event;
  return CL_SUCCESS;
}

static cl_int finish(cl_command_queue on) {
  (void)on;
  reach("finish");
  return CL_SUCCESS;
}

#define RELEASE(name, type)         \
  static cl_int name(type object) { \
    (void)object;                   \
    return CL_SUCCESS;              \
  }
RELEASE(release_context, cl_context)
RELEASE(release_queue, cl_command_queue)
RELEASE(release_buffer, cl_mem)
RELEASE(release_program, cl_program)
RELEASE(release_kernel, cl_kernel)

static cl_icd_dispatch dispatch = {.clGetPlatformInfo = platform_info,
                                   .clGetDeviceIDs = list_devices,
                                   .clGetDeviceInfo = device_info,
                                   .clCreateContext = create_context,
                                   .clReleaseContext = release_context,
                                   .clCreateCommandQueue = create_queue,
                                   .clReleaseCommandQueue = release_queue,
                                   .clCreateBuffer = create_buffer,
                                   .clReleaseMemObject = release_buffer,
                                   .clCreateProgramWithSource = create_program,
                                   .clBuildProgram = build_program,
                                   .clReleaseProgram = release_program,
                                   .clCreateKernel = create_kernel,
                                   .clGetKernelInfo = kernel_info,
                                   .clGetKernelArgInfo = kernel_argument_info,
                                   .clGetKernelWorkGroupInfo = group_info,
                                   .clSetKernelArg = set_argument,
                                   .clReleaseKernel = release_kernel,
                                   .clEnqueueNDRangeKernel = enqueue,
                                   .clEnqueueWriteBuffer = write_buffer,
                                   .clEnqueueReadBuffer = read_buffer,
                                   .clFinish = finish};

cl_int clIcdGetPlatformIDsKHR(cl_uint size, cl_platform_id *out, cl_uint *count);
cl_int clIcdGetPlatformIDsKHR(cl_uint size, cl_platform_id *out, cl_uint *count) {
  reach("platforms");
  if (count != NULL) *count = 1;
  if (out != NULL && size > 0) out[0] = &platform;
  return CL_SUCCESS;
}

void *clGetExtensionFunctionAddress(const char *name) {
  if (strcmp(name, "clIcdGetPlatformIDsKHR") == 0) return (void *)(size_t)clIcdGetPlatformIDsKHR;
  return strcmp(name, "clGetPlatformInfo") == 0 ? (void *)(size_t)platform_info : NULL;
}

cl_int clGetPlatformInfo(cl_platform_id which, cl_platform_info what, size_t size, void *out, size_t *needed) {
  return platform_info(which, what, size, out, needed);
}

__attribute__((constructor)) static void load(void) {
  reach("load");
  if (dl_iterate_phdr(is_pocl, NULL) != 0) reach("beside");
}
__attribute__((destructor)) static void unload(void) { reach("unload"); }
