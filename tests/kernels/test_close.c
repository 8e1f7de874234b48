/* When a launch fails, what was launched before still runs. A backend that is closed then waits for it: its caller frees the rows next,
 * which kernels read where they lie. The launch before the one that fails is held back here, so that it would be seen to run on. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "compute/backends.h"
#include "compute/open.h"
#include "data/dataset.h"
#include "support/device.h"

enum { MOST_LAUNCHES = 256, HELD_MS = 20, DEVICES = 2 };

/* Launches since `begin`, of which number `failing` (from 1; 0: none) fails; and calls that wait for the queue and fail before one does. */
static struct {
  size_t launches, failing, waits_failing, waits;
  cl_event events[MOST_LAUNCHES], gate;
  pthread_t opener;
  bool held;
} watch;

#define REAL(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

static void *open_gate(void *gate) {
  struct timespec pause = {0, HELD_MS * 1000000L};
  nanosleep(&pause, NULL);
  clSetUserEventStatus(gate, CL_COMPLETE);
  return NULL;
}

/* An event that happens a while later. */
static cl_event hold(cl_command_queue queue) {
  cl_context context = NULL;
  cl_int code = CL_SUCCESS;
  assert_int_equal(clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof(cl_context), &context, NULL), CL_SUCCESS);
  watch.gate = clCreateUserEvent(context, &code);
  assert_int_equal(code, CL_SUCCESS);
  watch.held = pthread_create(&watch.opener, NULL, open_gate, watch.gate) == 0;
  assert_true(watch.held);
  return watch.gate;
}

cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset, const size_t *global,
                              const size_t *local, cl_uint count, const cl_event *events, cl_event *event) {
  size_t now = ++watch.launches;
  if (watch.failing == 0) return REAL(clEnqueueNDRangeKernel)(queue, kernel, dimensions, offset, global, local, count, events, event);
  if (now >= watch.failing || now > MOST_LAUNCHES) return CL_OUT_OF_RESOURCES;
  bool last = now + 1 == watch.failing && count == 0;
  cl_event gate = last ? hold(queue) : NULL, own = NULL;
  cl_int code =
      REAL(clEnqueueNDRangeKernel)(queue, kernel, dimensions, offset, global, local, last ? 1 : count, last ? &gate : events, &own);
  watch.events[now - 1] = own;
  if (event != NULL && code == CL_SUCCESS) {
    clRetainEvent(own);
    *event = own;
  }
  return code;
}

cl_int clFinish(cl_command_queue queue) { return watch.waits++ < watch.waits_failing ? CL_OUT_OF_RESOURCES : REAL(clFinish)(queue); }

cl_int clWaitForEvents(cl_uint count, const cl_event *events) {
  return watch.waits++ < watch.waits_failing ? CL_OUT_OF_RESOURCES : REAL(clWaitForEvents)(count, events);
}

static void begin(size_t failing, size_t waits_failing) {
  memset(&watch, 0, sizeof watch);
  watch.failing = failing;
  watch.waits_failing = waits_failing;
}

/* Launches that have not ended. */
static size_t end(void) {
  size_t running = 0;
  for (size_t i = 0; i < MOST_LAUNCHES; i++) {
    cl_int state = CL_COMPLETE;
    if (watch.events[i] == NULL) continue;
    assert_int_equal(clGetEventInfo(watch.events[i], CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, NULL), CL_SUCCESS);
    running += state > CL_COMPLETE;
  }
  if (watch.held) pthread_join(watch.opener, NULL);
  for (size_t i = 0; i < MOST_LAUNCHES; i++)
    if (watch.events[i] != NULL) REAL(clWaitForEvents)(1, &watch.events[i]), clReleaseEvent(watch.events[i]);
  if (watch.gate != NULL) clReleaseEvent(watch.gate);
  return running;
}

static Context *parts[DEVICES];

/* Opens, evaluates and closes; the dataset's own rows are gone, too, when this returns. */
static Status evaluate_once(const char *spec, BackendSettings settings) {
  Status status = SETOSA_OK;
  Error failure = {0}, *error = &failure;
  Dataset *dataset = NULL;
  Backend *backend = NULL;
  Vector *w = NULL, *gradient = NULL;
  DataTerm at = {.loss = 0};
  TRY(setosa_dataset_load(&dataset, spec, NULL, error));
  TRY(backend_open(&backend, dataset, &settings, error));
  TRY(vector_create(backend, &w, error));
  TRY(vector_create(backend, &gradient, error));
  TRY(backend_evaluate(backend, w, backend_all_rows(backend), NULL, gradient, &at, error));
  TRY(backend_hessian_product(backend, w, gradient, backend_all_rows(backend), NULL, gradient, error));
  TRY(backend_evaluate(backend, w, backend_all_rows(backend), NULL, gradient, &at, error));
cleanup:
  if (backend != NULL) {
    vector_destroy(backend, w);
    vector_destroy(backend, gradient);
  }
  backend_close(backend);
  setosa_dataset_destroy(dataset);
  return status;
}

/* Every launch fails in its turn; of many, some. */
static void fail_launches(const char *spec, BackendSettings settings) {
  begin(0, 0);
  assert_int_equal(evaluate_once(spec, settings), SETOSA_OK);
  size_t launches = watch.launches, stride = launches / 10 + 1;
  assert_true(launches > 2 && launches < MOST_LAUNCHES);
  for (size_t failing = 2; failing <= launches; failing += stride) {
    for (size_t waits = 0; waits < 3; waits++) {
      begin(failing, waits);
      Status status = evaluate_once(spec, settings);
      size_t running = end();
      if (status != SETOSA_ERROR_DEVICE) fail_msg("launch %zu of %zu failed, and the status is %d", failing, launches, (int)status);
      if (running > 0) fail_msg("launch %zu of %zu failed, and %zu of those before ran on", failing, launches, running);
    }
  }
}

static const char few[] = "synthetic:rows=3000,features=16,classes=4", many[] = "synthetic:rows=3000,features=20,classes=120";

static void test_native(void **state) {
  (void)state;
  fail_launches(few, (BackendSettings){.kind = SETOSA_BACKEND_NATIVE, .context = support_device()});
  fail_launches(many, (BackendSettings){.kind = SETOSA_BACKEND_NATIVE, .context = support_device()});
}

static void test_streamed(void **state) {
  (void)state;
  BackendSettings settings = {.kind = SETOSA_BACKEND_NATIVE, .context = support_device(), .streamed = true, .chunk_rows = 700};
  fail_launches(few, settings);
  settings.storage = SETOSA_STORAGE_F16;
  fail_launches(few, settings);
}

static void test_several_devices(void **state) {
  (void)state;
  BackendSettings settings = {.kind = SETOSA_BACKEND_NATIVE, .context = support_device(), .context_count = DEVICES};
  for (size_t i = 0; i < DEVICES; i++) settings.contexts[i] = parts[i];
  settings.context = parts[0];
  fail_launches(few, settings);
}

static void test_clblast(void **state) {
  (void)state;
#ifdef SETOSA_HAVE_CLBLAST
  fail_launches(many, (BackendSettings){.kind = SETOSA_BACKEND_CLBLAST, .context = support_device()});
#else
  support_skip("this build has no CLBlast");
#endif
}

static int open_devices(void **state) {
  Error error = {0};
  if (support_device_open(state) != 0) return -1;
  for (size_t i = 0; i < DEVICES && support_device_found(); i++) {
    Error refused = {0}; /* a device of one compute unit has no parts: then it stands for several itself */
    if (context_open_part(&parts[i], support_device_list(), support_device_index(), i, DEVICES, &refused) != SETOSA_OK)
      support_ok(context_open(&parts[i], support_device_list(), support_device_index(), &error), &error);
  }
  return 0;
}

static int close_devices(void **state) {
  for (size_t i = 0; i < DEVICES; i++) context_close(parts[i]);
  return support_device_close(state);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_native),
      cmocka_unit_test(test_streamed),
      cmocka_unit_test(test_several_devices),
      cmocka_unit_test(test_clblast),
  };
  return support_run("kernels_close", tests, open_devices, close_devices);
}
