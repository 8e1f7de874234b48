/* A device that fails in the middle of a training: what was kept stays, the message says how to go on, and going on ends at the same bits.
 * The failure is made here: this program's own clEnqueueNDRangeKernel stands before that of the OpenCL loader. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "support/public_device.h"

static long launches_left = -1; /* -1: the device never fails */

typedef cl_int (*Enqueue)(cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *, const size_t *, cl_uint, const cl_event *,
                          cl_event *);

cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset, const size_t *global,
                              const size_t *local, cl_uint count, const cl_event *waits, cl_event *event) {
  static Enqueue real = NULL;
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "clEnqueueNDRangeKernel");
  if (launches_left == 0) return CL_OUT_OF_RESOURCES;
  if (launches_left > 0) launches_left--;
  return real(queue, kernel, dimensions, offset, global, local, count, waits, event);
}

static SetosaStatus train(SetosaTrainResult *result, const SetosaTrainOptions *options, SetosaError *error) {
  SetosaDataset *data = NULL;
  SetosaModel *model = NULL;
  char iris[SUPPORT_PATH];
  support_source_path(iris, "data/iris.csv");
  support_ok(setosa_dataset_load(&data, iris, NULL, error), error);
  SetosaStatus status = setosa_train(&model, result, data, options, error);
  setosa_model_destroy(model);
  setosa_dataset_destroy(data);
  return status;
}

static void test_device_loss(void **state) {
  (void)state;
  static const SetosaSolver solvers[] = {SETOSA_SOLVER_LBFGS, SETOSA_SOLVER_ADAM};
  char folder[SUPPORT_PATH], file[SUPPORT_PATH];
  SetosaDevice *device = support_public_device();
  SetosaError error = {0};
  support_folder_create(folder);
  support_path(file, folder, "run.checkpoint");
  for (size_t s = 0; s < 2; s++) {
    SetosaTrainOptions options = setosa_train_options_default();
    SetosaTrainResult expected = {0}, found = {0};
    SetosaCheckpoint *checkpoint = NULL;
    options.compute.backend = SETOSA_BACKEND_NATIVE;
    options.compute.device = device;
    options.solver = solvers[s];
    options.max_iterations = 40;
    options.batch_size = 16;
    support_ok(train(&expected, &options, &error), &error);
    options.checkpoint = file;
    options.checkpoint_iterations = 1;
    options.overwrite = true; /* what the solver before this one kept */
    launches_left = 0;        /* before anything was kept: no word of a checkpoint */
    support_fails(train(&found, &options, &error), &error, SETOSA_ERROR_DEVICE, "");
    assert_null(strstr(error.message, "--resume"));
    launches_left = 100;
    support_fails(train(&found, &options, &error), &error, SETOSA_ERROR_DEVICE, "");
    if (strstr(error.message, "kept: go on with setosa train --resume ") == NULL) fail_msg("%s", error.message);
    launches_left = -1;
    support_ok(setosa_checkpoint_load(&checkpoint, file, &error), &error);
    assert_true(setosa_checkpoint_iterations(checkpoint) < expected.iterations);
    options.overwrite = false;
    options.resume = checkpoint;
    support_ok(train(&found, &options, &error), &error);
    assert_string_equal(found.weights_hash, expected.weights_hash);
    assert_int_equal(found.iterations, expected.iterations);
    setosa_checkpoint_destroy(checkpoint);
  }
  support_folder_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_device_loss)};
  return support_run("train_device_loss", tests, support_public_device_open, support_public_device_close);
}
