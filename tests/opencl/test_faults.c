/* Every OpenCL object that is created is released, also when a call in the middle fails; and failures are told by name. The calls
 * are counted, and made to fail, on their way to the real library. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dlfcn.h>

#include "opencl/device_fixture.h"

static struct { int contexts, queues, programs, kernels, buffers; } alive;

/* The call that fails next, with what code. */
static struct {
  const char *call;
  cl_int code;
} fault;

static cl_int take_fault(const char *call) {
  if (fault.call == NULL || strcmp(fault.call, call) != 0) return CL_SUCCESS;
  fault.call = NULL;
  return fault.code;
}

#define REAL(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

#define FAIL_CREATION(name)           \
  cl_int planned = take_fault(#name); \
  if (planned != CL_SUCCESS) {        \
    *code = planned;                  \
    return NULL;                      \
  }

#define FAIL_CALL(name)               \
  cl_int planned = take_fault(#name); \
  if (planned != CL_SUCCESS) return planned

cl_context clCreateContext(const cl_context_properties *properties, cl_uint count, const cl_device_id *devices,
                           void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *user, cl_int *code) {
  FAIL_CREATION(clCreateContext)
  cl_context context = REAL(clCreateContext)(properties, count, devices, notify, user, code);
  alive.contexts += context != NULL;
  return context;
}

cl_command_queue clCreateCommandQueue(cl_context context, cl_device_id device, cl_command_queue_properties properties, cl_int *code) {
  FAIL_CREATION(clCreateCommandQueue)
  cl_command_queue queue = REAL(clCreateCommandQueue)(context, device, properties, code);
  alive.queues += queue != NULL;
  return queue;
}

cl_program clCreateProgramWithSource(cl_context context, cl_uint count, const char **texts, const size_t *lengths, cl_int *code) {
  FAIL_CREATION(clCreateProgramWithSource)
  cl_program program = REAL(clCreateProgramWithSource)(context, count, texts, lengths, code);
  alive.programs += program != NULL;
  return program;
}

cl_kernel clCreateKernel(cl_program program, const char *name, cl_int *code) {
  FAIL_CREATION(clCreateKernel)
  cl_kernel kernel = REAL(clCreateKernel)(program, name, code);
  alive.kernels += kernel != NULL;
  return kernel;
}

cl_mem clCreateBuffer(cl_context context, cl_mem_flags flags, size_t bytes, void *host, cl_int *code) {
  FAIL_CREATION(clCreateBuffer)
  cl_mem buffer = REAL(clCreateBuffer)(context, flags, bytes, host, code);
  alive.buffers += buffer != NULL;
  return buffer;
}

cl_int clReleaseContext(cl_context context) { return alive.contexts--, REAL(clReleaseContext)(context); }
cl_int clReleaseCommandQueue(cl_command_queue queue) { return alive.queues--, REAL(clReleaseCommandQueue)(queue); }
cl_int clReleaseProgram(cl_program program) { return alive.programs--, REAL(clReleaseProgram)(program); }
cl_int clReleaseKernel(cl_kernel kernel) { return alive.kernels--, REAL(clReleaseKernel)(kernel); }
cl_int clReleaseMemObject(cl_mem buffer) { return alive.buffers--, REAL(clReleaseMemObject)(buffer); }

cl_int clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what, size_t size, void *out,
                                size_t *needed) {
  FAIL_CALL(clGetKernelWorkGroupInfo);
  return REAL(clGetKernelWorkGroupInfo)(kernel, device, what, size, out, needed);
}

cl_int clEnqueueReadBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t bytes, void *host, cl_uint count,
                           const cl_event *events, cl_event *event) {
  FAIL_CALL(clEnqueueReadBuffer);
  return REAL(clEnqueueReadBuffer)(queue, buffer, blocking, offset, bytes, host, count, events, event);
}

cl_int clEnqueueWriteBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t bytes, const void *host,
                            cl_uint count, const cl_event *events, cl_event *event) {
  FAIL_CALL(clEnqueueWriteBuffer);
  return REAL(clEnqueueWriteBuffer)(queue, buffer, blocking, offset, bytes, host, count, events, event);
}

cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset, const size_t *global,
                              const size_t *local, cl_uint count, const cl_event *events, cl_event *event) {
  FAIL_CALL(clEnqueueNDRangeKernel);
  return REAL(clEnqueueNDRangeKernel)(queue, kernel, dimensions, offset, global, local, count, events, event);
}

cl_int clFinish(cl_command_queue queue) {
  FAIL_CALL(clFinish);
  return REAL(clFinish)(queue);
}

static void assert_nothing_alive(void) {
  assert_int_equal(alive.kernels, 0);
  assert_int_equal(alive.buffers, 0);
  assert_int_equal(alive.programs, 0);
  assert_int_equal(alive.queues, 0);
  assert_int_equal(alive.contexts, 0);
}

/* One of everything, in order; stops at the first failure. */
static Status run_all(const DeviceList *list, Error *error) {
  Status status = SETOSA_OK;
  Context *context = NULL;
  Buffer *buffer = NULL, *copy = NULL;
  Kernel *kernel = NULL;
  float values[9] = {0};
  TRY(context_open(&context, list, 0, error));
  TRY(buffer_create(&buffer, context, 8 * sizeof(float), "values", error));
  TRY(buffer_create_from(&copy, context, values + 1, 8 * sizeof(float), "copied values", error)); /* misaligned: copied everywhere */
  TRY(kernel_create(&kernel, context, "tiny", "", "scale_shift", error));
  TRY(kernel_launch(kernel, ((KernelRange){{8, 0, 0}, {1, 0, 0}}), error, ARG(copy), ARG(buffer), ARG((uint32_t)8), ARG(1.0f)));
  TRY(buffer_read(buffer, 0, 8 * sizeof(float), values, error));
  TRY(context_finish(context, error));
cleanup:
  kernel_destroy(kernel);
  buffer_destroy(buffer);
  buffer_destroy(copy);
  context_close(context);
  return status;
}

static void test_all_released(void **state) {
  assert_ok(run_all(((Fixture *)*state)->list, error));
  assert_nothing_alive();
}

static void test_faults(void **state) {
  static const struct {
    const char *call;
    cl_int code;
    const char *name, *where;
  } cases[] = {
      {"clCreateContext", CL_DEVICE_NOT_AVAILABLE, "CL_DEVICE_NOT_AVAILABLE (-2)", "context"},
      {"clCreateCommandQueue", CL_OUT_OF_HOST_MEMORY, "CL_OUT_OF_HOST_MEMORY (-6)", "queue"},
      {"clCreateBuffer", CL_MEM_OBJECT_ALLOCATION_FAILURE, "CL_MEM_OBJECT_ALLOCATION_FAILURE (-4)", "values"},
      {"clEnqueueWriteBuffer", CL_OUT_OF_RESOURCES, "CL_OUT_OF_RESOURCES (-5)", "copied values"},
      {"clCreateProgramWithSource", CL_OUT_OF_RESOURCES, "CL_OUT_OF_RESOURCES (-5)", "kernels/tiny.cl"},
      {"clCreateKernel", CL_OUT_OF_RESOURCES, "CL_OUT_OF_RESOURCES (-5)", "tiny.cl:scale_shift"},
      {"clGetKernelWorkGroupInfo", CL_INVALID_DEVICE, "CL_INVALID_DEVICE (-33)", "tiny.cl:scale_shift"},
      {"clEnqueueNDRangeKernel", CL_INVALID_WORK_GROUP_SIZE, "CL_INVALID_WORK_GROUP_SIZE (-54)", "tiny.cl:scale_shift"},
      {"clEnqueueReadBuffer", CL_OUT_OF_RESOURCES, "CL_OUT_OF_RESOURCES (-5)", "values"},
      {"clFinish", -9999, "an unknown code (-9999)", "work on the device failed"},
  };
  const DeviceList *list = ((Fixture *)*state)->list;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fault.call = cases[i].call;
    fault.code = cases[i].code;
    Error error = {0};
    assert_int_equal(run_all(list, &error), SETOSA_ERROR_DEVICE);
    assert_null(fault.call); /* it did happen */
    assert_int_equal(error.opencl_code, cases[i].code);
    if (strstr(error.message, cases[i].name) == NULL || strstr(error.message, cases[i].where) == NULL)
      fail_msg("%s: \"%s\"", cases[i].call, error.message);
    assert_nothing_alive();
  }
}

/* A program that does not build is released too. */
static void test_failed_build(void **state) {
  Context *context = NULL;
  Kernel *kernel = NULL;
  assert_ok(context_open(&context, ((Fixture *)*state)->list, 0, error));
  assert_fails(SETOSA_ERROR_DEVICE, kernel_create(&kernel, context, "broken", "", "broken", error), "broken.cl:5");
  assert_fails(SETOSA_ERROR_INTERNAL, kernel_create(&kernel, context, "tiny", "", "nothing_of_that_name", error), "nothing_of_that_name");
  context_close(context);
  assert_nothing_alive();
}

/* What the context says about its device outlives the list. */
static void test_info_outlives_list(void **state) {
  DeviceList *list = NULL;
  Context *context = NULL;
  char name[256], hex[33] = "";
  assert_ok(device_list_open(&list, error));
  assert_ok(context_open(&context, list, 0, error));
  snprintf(name, sizeof name, "%s", device_list_get(list, 0)->name);
  device_list_close(list);
  assert_string_equal(context_info(context)->name, name);
  assert_int_not_equal(context_traits(context)->family, SETOSA_FAMILY_AUTO);
  context_fingerprint(context, hex);
  assert_string_equal(hex, ""); /* kernels from a folder may change under the same name */
  context_close(context);
  unsetenv("SETOSA_KERNEL_DIR");
  assert_ok(context_open(&context, ((Fixture *)*state)->list, 0, error));
  context_fingerprint(context, hex);
  assert_int_equal(strspn(hex, "0123456789abcdef"), 32);
  context_close(context);
  use_test_kernels();
  context_close(NULL);
}

static int open_list(void **state) {
  static Fixture fixture;
  Error error = {0};
  *state = &fixture;
  return device_list_open(&fixture.list, &error) == SETOSA_OK ? 0 : -1;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_released),
      cmocka_unit_test(test_faults),
      cmocka_unit_test(test_failed_build),
      cmocka_unit_test(test_info_outlives_list),
  };
  use_test_kernels();
  return support_run("opencl_faults", tests, open_list, close_fixture);
}
