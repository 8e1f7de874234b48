/* What an iteration of L-BFGS asks of a device: few launches, and one wait. They are counted on their way to the OpenCL loader. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dlfcn.h>
#include <string.h>

#include "support/public_device.h"

enum {
  HISTORY = 20,
  ITERATIONS = 60,
  MOST_LAUNCHES = 10, /* with no preconditioner; a wait is a blocking read or a finish */
  MOST_WAITS = 1
};

static size_t launches, waits;

#define REAL(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset, const size_t *global,
                              const size_t *local, cl_uint count, const cl_event *events, cl_event *event) {
  launches++;
  return REAL(clEnqueueNDRangeKernel)(queue, kernel, dimensions, offset, global, local, count, events, event);
}

cl_int clEnqueueReadBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t bytes, void *host, cl_uint count,
                           const cl_event *events, cl_event *event) {
  waits += blocking == CL_TRUE;
  return REAL(clEnqueueReadBuffer)(queue, buffer, blocking, offset, bytes, host, count, events, event);
}

cl_int clFinish(cl_command_queue queue) {
  waits++;
  return REAL(clFinish)(queue);
}

typedef struct Watch {
  size_t launches, waits; /* so far */
  size_t seen;            /* iterations with a full history and no line search */
  double passes;
  const char *what;
} Watch;

static bool watch_iteration(const SetosaProgress *progress, void *user) {
  Watch *w = user;
  size_t now = launches - w->launches, waited = waits - w->waits;
  bool plain = progress->passes - w->passes < 1.01; /* one loss and gradient */
  if (progress->iteration > HISTORY + 1 && plain) {
    w->seen++;
    if (now > MOST_LAUNCHES || waited > MOST_WAITS)
      fail_msg("%s: iteration %llu took %zu launches and %zu waits", w->what, (unsigned long long)progress->iteration, now, waited);
  }
  w->launches = launches;
  w->waits = waits;
  w->passes = progress->passes;
  return true;
}

static void watch(const char *source, SetosaFamily family, double smoothing) {
  Watch w = {.what = source};
  SetosaDataset *data = NULL;
  SetosaModel *model = NULL;
  SetosaError error = {0};
  SetosaTrainOptions options = setosa_train_options_default();
  options.compute.backend = SETOSA_BACKEND_NATIVE;
  options.compute.device = support_public_device();
  options.compute.family = family;
  options.solver = SETOSA_SOLVER_LBFGS;
  options.preconditioner = SETOSA_PRECONDITIONER_NONE;
  options.history = HISTORY;
  options.l2 = 1e-5;
  options.label_smoothing = smoothing;
  options.tolerance = 0;
  options.max_iterations = ITERATIONS;
  options.progress = watch_iteration;
  options.progress_user = &w;
  support_ok(setosa_dataset_load(&data, source, NULL, &error), &error);
  support_ok(setosa_train(&model, NULL, data, &options, &error), &error);
  if (w.seen < 10) fail_msg("%s: only %zu iterations could be watched", source, w.seen);
  setosa_model_destroy(model);
  setosa_dataset_destroy(data);
}

/* The fused pass, and blocks of strips or padded rows; panels of weights are one launch more. */
static void watch_family(SetosaFamily family) {
  watch("synthetic:rows=1797,features=64,classes=10,seed=2", family, 0);
  watch("synthetic:rows=1797,features=64,classes=10,seed=2", family, 0.1);
  watch("synthetic:rows=300,features=40,classes=60,seed=2", family, 0);
  watch("synthetic:rows=2000,features=300,classes=30,seed=2", family, 0);
}

static void cpu_family(void **state) { (void)state, watch_family(SETOSA_FAMILY_CPU); }
static void gpu_family(void **state) { (void)state, watch_family(SETOSA_FAMILY_GPU); }

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(cpu_family), cmocka_unit_test(gpu_family)};
  return support_run("train_launches", tests, support_public_device_open, support_public_device_close);
}
