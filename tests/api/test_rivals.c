/* Training to the known optimum through setosa.h with the blas and clblast backends; where a build has none of them, its refusal. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/public_device.h"

typedef struct Optimum {
  const char *file;
  double scale, l2, objective, accuracy;
} Optimum;

/* Computed in double elsewhere, by Newton's method. */
static const Optimum optima[] = {
    {"data/iris.csv", NAN, 0.01, 0.224288902895, 146.0 / 150.0},
    {"data/digits.csv.gz", 1.0 / 16.0, 0.001, 0.261864547217, 0.9789},
};

static void train(const Optimum *optimum, SetosaBackend backend, SetosaDevice *device, const char *name) {
  char path[SUPPORT_PATH];
  SetosaError error = {0};
  SetosaDataset *data = NULL;
  SetosaModel *model = NULL;
  SetosaTrainResult result = {0};
  SetosaMetrics *metrics = NULL;
  SetosaDataOptions read = setosa_data_options_default();
  SetosaTrainOptions options = setosa_train_options_default();
  read.scale = optimum->scale;
  options.compute.backend = backend;
  options.compute.device = device;
  options.l2 = optimum->l2;
  support_source_path(path, optimum->file);
  support_ok(setosa_dataset_load(&data, path, &read, &error), &error);
  SetosaStatus status = setosa_train(&model, &result, data, &options, &error);
  if (status == SETOSA_ERROR_USAGE && strncmp(error.message, "this build has no ", 18) == 0) {
    assert_non_null(strstr(error.message, name));
    setosa_dataset_destroy(data);
    support_skip("%s", error.message);
  }
  support_ok(status, &error);
  assert_true(result.converged);
  if (fabs(result.objective / optimum->objective - 1.0) > 1e-6)
    fail_msg("%s on %s: %.12f, the optimum is %.12f", name, optimum->file, result.objective, optimum->objective);
  support_near(result.train_accuracy, optimum->accuracy, 1e-3);
  support_ok(setosa_evaluate(&metrics, model, data, &options.compute, &error), &error);
  support_near(metrics->accuracy, result.train_accuracy, 1e-12);
  support_near(metrics->log_loss, result.loss, 1e-6);
  setosa_metrics_destroy(metrics);
  setosa_model_destroy(model);
  setosa_dataset_destroy(data);
}

static void blas_finds_the_optima(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof optima / sizeof *optima; i++) train(&optima[i], SETOSA_BACKEND_BLAS, NULL, "blas");
}

static void clblast_finds_the_optima(void **state) {
  (void)state;
  SetosaDevice *device = support_public_device();
  for (size_t i = 0; i < sizeof optima / sizeof *optima; i++) train(&optima[i], SETOSA_BACKEND_CLBLAST, device, "clblast");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blas_finds_the_optima),
      cmocka_unit_test(clblast_finds_the_optima),
  };
  return support_run("training on the rivals", tests, support_public_device_open, support_public_device_close);
}
