/* Fashion-MNIST to its optimum with a small penalty, where f32 solvers stall: F within 1e-6 of its value in double precision
 * (0.3498928046, gradient 2e-10). The one test of minutes' length; skipped where the images or a device are missing, and with sanitizers.
 */
#include <stdio.h>
#include <unistd.h>

#include "support/public_device.h"

static void reaches_the_optimum(void **state) {
  (void)state;
  const char *path = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz";
  SetosaError error = {0};
  SetosaDataset *data = NULL;
  SetosaModel *model = NULL;
  SetosaTrainResult result;
  SetosaTrainOptions options = setosa_train_options_default();
  if (access(path, R_OK) != 0) support_skip("%s is not here; install dataset-fashion-mnist", path);
  options.compute.device = support_public_device();
  options.compute.reproducible = true;
  options.l2 = 1.0 / 60000.0;
  options.tolerance = 1e-6;
  options.max_iterations = 3000;
  if (setosa_dataset_load(&data, path, NULL, &error) != SETOSA_OK) fail_msg("%s", error.message);
  if (setosa_train(&model, &result, data, &options, &error) != SETOSA_OK) fail_msg("%s", error.message);
  print_message("F = %.10f after %llu iterations (%s), %.1f s\n", result.objective, (unsigned long long)result.iterations,
                result.stop_reason, result.seconds_train);
  assert_true(result.objective < 0.3498928046 * (1 + 1e-6));
  assert_true(result.objective > 0.3498928046 * (1 - 1e-7)); /* below the minimum would be a wrong sum */
  setosa_model_destroy(model);
  setosa_dataset_destroy(data);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(reaches_the_optimum)};
  return support_run("api_fashion", tests, support_public_device_open, support_public_device_close);
}
