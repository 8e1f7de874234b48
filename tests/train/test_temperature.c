/* A model with a temperature: what it predicts, what is told of it, what its file keeps. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "model/model.h"
#include "support/public_device.h"

enum { ROWS = 301, FEATURES = 6, CLASSES = 4 };
static float values[ROWS * FEATURES], weights[CLASSES * FEATURES], bias[CLASSES];
static int32_t labels[ROWS];
static const double temperature = 1.7;

static SetosaComputeOptions on(SetosaBackend backend) {
  SetosaComputeOptions compute = setosa_compute_options_default();
  compute.backend = backend;
  compute.device = backend == SETOSA_BACKEND_NATIVE ? support_public_device() : NULL;
  return compute;
}

static void make(SetosaModel **model, SetosaDataset **dataset) {
  SetosaError error = {0};
  uint64_t counter = 0;
  for (int i = 0; i < ROWS * FEATURES; i++) values[i] = (float)(3 * random_symmetric(17, RANDOM_STREAM_CHECK, 0, counter++));
  for (int i = 0; i < CLASSES * FEATURES; i++) weights[i] = (float)random_symmetric(17, RANDOM_STREAM_CHECK, 0, counter++);
  for (int i = 0; i < CLASSES; i++) bias[i] = (float)random_symmetric(17, RANDOM_STREAM_CHECK, 0, counter++);
  for (int i = 0; i < ROWS; i++) labels[i] = (int32_t)random_below(17, RANDOM_STREAM_LABELS, 0, (uint64_t)i, CLASSES);
  support_ok(setosa_model_create(model, FEATURES, CLASSES, weights, bias, &error), &error);
  support_ok(setosa_dataset_wrap(dataset, ROWS, FEATURES, CLASSES, values, labels, &error), &error);
}

static double by_hand(double *p, const float *x) {
  double sum = 0;
  for (int k = 0; k < CLASSES; k++) {
    double z = bias[k];
    for (int d = 0; d < FEATURES; d++) z += (double)weights[k * FEATURES + d] * (double)x[d];
    sum += p[k] = exp(z / temperature);
  }
  for (int k = 0; k < CLASSES; k++) p[k] /= sum;
  return sum;
}

static bool compare_block(size_t first_row, size_t count, const float *probabilities, void *user) {
  size_t *seen = user;
  assert_int_equal(first_row, *seen);
  for (size_t i = 0; i < count; i++) {
    double p[CLASSES];
    by_hand(p, values + (first_row + i) * FEATURES);
    for (size_t k = 0; k < CLASSES; k++) support_near(probabilities[i * CLASSES + k], p[k], 1e-6);
  }
  *seen += count;
  return true;
}

static void check(SetosaComputeOptions compute) {
  SetosaModel *model = NULL;
  SetosaDataset *dataset = NULL;
  SetosaMetrics *plain = NULL, *hot = NULL;
  SetosaError error = {0};
  size_t seen = 0;
  double loss = 0;
  make(&model, &dataset);
  support_ok(setosa_evaluate(&plain, model, dataset, &compute, &error), &error);
  assert_true(plain->temperature == 1 && plain->uncalibrated_log_loss == plain->log_loss && plain->uncalibrated_ece == plain->ece);
  support_ok(setosa_model_set_temperature(model, temperature, &error), &error);
  support_ok(setosa_predict(model, dataset, &compute, compare_block, &seen, &error), &error);
  assert_int_equal(seen, ROWS);
  support_ok(setosa_evaluate(&hot, model, dataset, &compute, &error), &error);
  for (int i = 0; i < ROWS; i++) {
    double p[CLASSES];
    by_hand(p, values + i * FEATURES);
    loss -= log(p[labels[i]]) / ROWS;
  }
  support_near(hot->log_loss, loss, 1e-6);
  assert_true(hot->temperature == temperature);
  assert_true(hot->uncalibrated_log_loss == plain->log_loss && hot->uncalibrated_brier == plain->brier);
  assert_true(hot->uncalibrated_ece == plain->ece && hot->accuracy == plain->accuracy);
  assert_memory_equal(hot->confusion, plain->confusion, CLASSES * CLASSES * sizeof(double));
  setosa_metrics_destroy(plain);
  setosa_metrics_destroy(hot);
  setosa_dataset_destroy(dataset);
  setosa_model_destroy(model);
}

static void on_the_reference(void **state) {
  (void)state;
  check(on(SETOSA_BACKEND_REFERENCE));
}

static void on_the_device(void **state) {
  (void)state;
  check(on(SETOSA_BACKEND_NATIVE));
}

/* The gradient of the loss at the temperature, beside its finite differences. */
static void explained(void **state) {
  (void)state;
  SetosaModel *model = NULL;
  SetosaDataset *dataset = NULL;
  SetosaExplanation *of = NULL;
  SetosaError error = {0};
  make(&model, &dataset);
  support_ok(setosa_model_set_temperature(model, temperature, &error), &error);
  for (size_t row = 0; row < 20; row++) {
    double p[CLASSES];
    by_hand(p, values + row * FEATURES);
    support_ok(setosa_explain_row(&of, model, dataset, row, &error), &error);
    assert_true(of->temperature == temperature);
    for (size_t k = 0; k < CLASSES; k++) {
      support_near(of->probabilities[k], p[k], 1e-12);
      support_near(of->dlogits[k], (p[k] - (labels[row] == (int32_t)k)) / temperature, 1e-12);
      for (size_t d = 0; d < FEATURES; d++)
        support_near(of->dweights[k * FEATURES + d], of->dlogits[k] * (double)values[row * FEATURES + d], 1e-12);
    }
    support_near(of->loss, -log(p[labels[row]]), 1e-12);
    assert_true(of->largest_difference < 1e-10);
    setosa_explanation_destroy(of);
  }
  setosa_dataset_destroy(dataset);
  setosa_model_destroy(model);
}

static void kept_in_the_file(void **state) {
  (void)state;
  char folder[SUPPORT_PATH], path[SUPPORT_PATH];
  SetosaModel *model = NULL, *loaded = NULL;
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  static const double kept[] = {1, 1.0 / 3, 1e-300, 12345.678901234567};
  support_folder_create(folder);
  support_path(path, folder, "model.safetensors");
  make(&model, &dataset);
  assert_true(setosa_model_temperature(model) == 1);
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
    support_ok(setosa_model_set_temperature(model, kept[i], &error), &error);
    support_ok(setosa_model_save(model, path, &error), &error);
    support_ok(setosa_model_load(&loaded, path, &error), &error);
    assert_true(setosa_model_temperature(loaded) == kept[i]);
    const char *key = NULL;
    for (size_t n = 0; setosa_model_metadata(loaded, n, &key, NULL); n++) assert_string_not_equal(key, "temperature");
    setosa_model_destroy(loaded);
  }
  static const double wrong[] = {0, -1, INFINITY, NAN};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    assert_int_equal(setosa_model_set_temperature(model, wrong[i], &error), SETOSA_ERROR_USAGE);
    assert_non_null(strstr(error.message, "give a finite number above 0"));
    error = (SetosaError){0};
  }
  assert_true(setosa_model_temperature(model) == kept[3]);
  setosa_dataset_destroy(dataset);
  setosa_model_destroy(model);
  support_folder_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(on_the_reference),
      cmocka_unit_test(on_the_device),
      cmocka_unit_test(explained),
      cmocka_unit_test(kept_in_the_file),
  };
  return support_run("train_temperature", tests, support_public_device_open, support_public_device_close);
}
