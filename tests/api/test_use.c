/* The C API as a caller uses it, with setosa.h alone: load or wrap, train, save, load, predict, evaluate, cancel, on both backends. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/public_device.h"

static char iris[512], folder[] = "/tmp/setosa-api-XXXXXX", model_path[64], data_path[64];

static int open_everything(void **state) {
  const char *source = getenv("SETOSA_SOURCE_DIR");
  snprintf(iris, sizeof iris, "%s/data/iris.csv", source != NULL ? source : ".");
  if (mkdtemp(folder) == NULL) return -1;
  snprintf(model_path, sizeof model_path, "%s/m.safetensors", folder);
  snprintf(data_path, sizeof data_path, "%s/d.csv", folder);
  return support_public_device_open(state);
}

static int close_everything(void **state) {
  support_public_device_close(state);
  unlink(model_path);
  unlink(data_path);
  return rmdir(folder);
}

static SetosaTrainOptions options_for(SetosaBackend backend) {
  SetosaTrainOptions options = setosa_train_options_default();
  options.compute.backend = backend;
  options.compute.device = backend == SETOSA_BACKEND_NATIVE ? support_public_device() : NULL;
  options.l2 = 0.01;
  return options;
}

static SetosaDataset *load(const char *path, const SetosaDataOptions *options) {
  SetosaError error = {0};
  SetosaDataset *dataset = NULL;
  if (setosa_dataset_load(&dataset, path, options, &error) != SETOSA_OK) fail_msg("%s", error.message);
  return dataset;
}

static SetosaModel *train(SetosaDataset *dataset, const SetosaTrainOptions *options, SetosaTrainResult *result) {
  SetosaError error = {0};
  SetosaModel *model = NULL;
  if (setosa_train(&model, result, dataset, options, &error) != SETOSA_OK) fail_msg("%s", error.message);
  return model;
}

static void save(const SetosaModel *model) {
  SetosaError error = {0};
  if (setosa_model_save(model, model_path, &error) != SETOSA_OK) fail_msg("%s", error.message);
}

static SetosaModel *load_model(void) {
  SetosaError error = {0};
  SetosaModel *model = NULL;
  if (setosa_model_load(&model, model_path, &error) != SETOSA_OK) fail_msg("%s", error.message);
  return model;
}

/* ---- predictions against a softmax written out here ---- */

typedef struct Comparison {
  const SetosaModel *model;
  const SetosaDataset *dataset;
  size_t rows;
  double largest_error;
} Comparison;

static bool compare_rows(size_t first_row, size_t count, const float *probabilities, void *user) {
  Comparison *c = user;
  size_t features = setosa_model_features(c->model), classes = setosa_model_classes(c->model);
  const float *w = setosa_model_weights(c->model);
  const double *b = setosa_model_bias(c->model);
  assert_int_equal(first_row, c->rows);
  for (size_t i = 0; i < count; i++) {
    const float *x = setosa_dataset_values(c->dataset) + (first_row + i) * features;
    double z[16], top = -INFINITY, sum = 0;
    for (size_t k = 0; k < classes; k++) {
      z[k] = b[k];
      for (size_t d = 0; d < features; d++) z[k] += (double)w[k * features + d] * (double)x[d];
      top = z[k] > top ? z[k] : top;
    }
    for (size_t k = 0; k < classes; k++) sum += exp(z[k] - top);
    for (size_t k = 0; k < classes; k++) {
      double apart = fabs(exp(z[k] - top) / sum - (double)probabilities[i * classes + k]);
      if (!(apart <= c->largest_error)) c->largest_error = apart; /* NAN too */
    }
  }
  c->rows += count;
  return true;
}

static void check_predictions(const SetosaModel *model, const SetosaDataset *dataset, const SetosaComputeOptions *compute) {
  SetosaError error = {0};
  Comparison comparison = {model, dataset, 0, 0};
  if (setosa_predict(model, dataset, compute, compare_rows, &comparison, &error) != SETOSA_OK) fail_msg("%s", error.message);
  assert_int_equal(comparison.rows, setosa_dataset_rows(dataset));
  if (!(comparison.largest_error < 1e-6)) fail_msg("a probability is off by %g", comparison.largest_error);
}

static void check_evaluation(const SetosaModel *model, const SetosaDataset *dataset, const SetosaTrainResult *result,
                             const SetosaComputeOptions *compute) {
  SetosaError error = {0};
  SetosaMetrics *metrics = NULL;
  if (setosa_evaluate(&metrics, model, dataset, compute, &error) != SETOSA_OK) fail_msg("%s", error.message);
  assert_int_equal(metrics->rows, setosa_dataset_rows(dataset));
  assert_true(fabs(metrics->accuracy - result->train_accuracy) < 1e-12);
  assert_true(fabs(metrics->log_loss - result->train_log_loss) < 1e-6);
  assert_true(fabs(metrics->log_loss - result->loss) < 2e-6);
  setosa_metrics_destroy(metrics);
}

/* ---- the whole way ---- */

static void walk_the_whole_way(SetosaBackend backend) {
  SetosaTrainOptions options = options_for(backend);
  SetosaTrainResult result, again;
  SetosaDataset *dataset = load(iris, NULL);
  assert_int_equal(setosa_dataset_rows(dataset), 150);
  assert_int_equal(setosa_dataset_features(dataset), 4);
  assert_int_equal(setosa_dataset_classes(dataset), 3);
  SetosaModel *model = train(dataset, &options, &result);
  assert_true(result.converged);
  assert_string_equal(result.stop_reason, "gradient-tolerance");
  assert_string_equal(result.advice, "");
  assert_true(fabs(result.objective / 0.2242889 - 1) < 1e-6);
  assert_true(fabs(result.train_accuracy - 146.0 / 150) < 1e-12);
  assert_true(isnan(result.validation_accuracy));
  assert_string_equal(setosa_model_class_name(model, 2), "virginica");
  assert_string_equal(setosa_model_feature_name(model, 3), "petal_width");
  save(model);

  SetosaModel *loaded = load_model();
  assert_memory_equal(setosa_model_weights(loaded), setosa_model_weights(model), 12 * sizeof(float));
  assert_memory_equal(setosa_model_bias(loaded), setosa_model_bias(model), 3 * sizeof(double));
  assert_string_equal(setosa_model_class_name(loaded, 0), "setosa");
  SetosaDataOptions as_the_model = setosa_model_data_options(loaded);
  SetosaDataset *fresh = load(iris, &as_the_model);
  SetosaError error = {0};
  assert_int_equal(setosa_model_scale_dataset(loaded, fresh, &error), SETOSA_OK);
  check_predictions(loaded, fresh, &options.compute);
  check_evaluation(loaded, fresh, &result, &options.compute);

  SetosaModel *second = train(fresh, &options, &again); /* the same bits again */
  assert_string_equal(again.weights_hash, result.weights_hash);
  assert_int_equal(strlen(result.weights_hash), 32);
  setosa_model_destroy(second);
  setosa_dataset_destroy(fresh);
  setosa_model_destroy(loaded);
  setosa_model_destroy(model);
  setosa_dataset_destroy(dataset);
}

static void iris_on_the_reference(void **state) {
  (void)state;
  walk_the_whole_way(SETOSA_BACKEND_REFERENCE);
}

static void iris_on_the_device(void **state) {
  (void)state;
  walk_the_whole_way(SETOSA_BACKEND_NATIVE);
}

/* One class against the rest, on two columns, standardized: the scaling travels in the model file. */
static void names_and_scaling_travel(void **state) {
  (void)state;
  SetosaTrainOptions options = options_for(SETOSA_BACKEND_REFERENCE);
  SetosaTrainResult result;
  SetosaError error = {0};
  SetosaDataOptions reading = setosa_data_options_default();
  reading.features = "petal_length,petal_width";
  reading.positive = "setosa";
  SetosaDataset *dataset = load(iris, &reading);
  SetosaModel *model = train(dataset, &options, &result);
  assert_true(fabs(result.objective / 0.0366996 - 1) < 2e-6); /* the digits that are known of it */
  assert_true(result.train_accuracy == 1);
  assert_string_equal(setosa_model_class_name(model, 0), "setosa");
  assert_string_equal(setosa_model_class_name(model, 1), "non-setosa");
  setosa_model_destroy(model);

  assert_int_equal(setosa_dataset_standardize(dataset, &error), SETOSA_OK);
  model = train(dataset, &options, &result);
  save(model);
  setosa_model_destroy(model);
  model = load_model();
  assert_non_null(setosa_model_offset(model));
  assert_true(fabs(setosa_model_offset(model)[0] - 3.758) < 1e-6); /* the mean petal length */
  SetosaDataOptions as_the_model = setosa_model_data_options(model);
  SetosaDataset *fresh = load(iris, &as_the_model);
  assert_int_equal(setosa_dataset_features(fresh), 2);
  assert_int_equal(setosa_dataset_classes(fresh), 2);
  assert_true(fabsf(setosa_dataset_values(fresh)[0] - 1.4f) < 1e-6f); /* as in the file: the model scales */
  assert_int_equal(setosa_model_scale_dataset(model, fresh, &error), SETOSA_OK);
  assert_memory_equal(setosa_dataset_values(fresh), setosa_dataset_values(dataset), 300 * sizeof(float));
  check_predictions(model, fresh, &options.compute);
  check_evaluation(model, fresh, &result, &options.compute);
  setosa_dataset_destroy(fresh);
  setosa_dataset_destroy(dataset);
  setosa_model_destroy(model);
}

/* ---- callbacks ---- */

typedef struct Watch {
  uint64_t calls, stop_after;
  SetosaPhase phase;
} Watch;

static bool watch(const SetosaProgress *progress, void *user) {
  Watch *w = user;
  w->phase = progress->phase;
  w->calls++;
  if (progress->phase == SETOSA_PHASE_TRAIN) {
    assert_int_equal(progress->iteration, w->calls);
    assert_true(isfinite(progress->objective) && isfinite(progress->gradient_norm));
  }
  return w->calls != w->stop_after;
}

static bool stop_at_once(size_t first_row, size_t count, const float *probabilities, void *user) {
  (void)first_row, (void)count, (void)probabilities;
  ++*(int *)user;
  return false;
}

static void cancel(SetosaBackend backend) {
  SetosaTrainOptions options = options_for(backend);
  SetosaTrainResult result;
  SetosaError error = {0};
  Watch watching = {.stop_after = 3};
  options.progress = watch;
  options.progress_user = &watching;
  SetosaDataset *dataset = load(iris, NULL);
  SetosaModel *model = train(dataset, &options, &result);
  assert_int_equal(watching.calls, 3);
  assert_int_equal(result.iterations, 3);
  assert_false(result.converged);
  assert_string_equal(result.stop_reason, "interrupted");
  assert_string_not_equal(result.advice, "");
  assert_true(result.objective < log(3)); /* what it has is better than the start */
  int calls = 0;
  assert_int_equal(setosa_predict(model, dataset, &options.compute, stop_at_once, &calls, &error), SETOSA_INTERRUPTED);
  assert_int_equal(calls, 1);
  setosa_model_destroy(model);

  watching = (Watch){0};
  model = train(dataset, &options, &result);
  assert_int_equal(watching.calls, result.iterations);
  setosa_model_destroy(model);
  setosa_dataset_destroy(dataset);
}

static void training_is_cancelled_on_the_reference(void **state) {
  (void)state;
  cancel(SETOSA_BACKEND_REFERENCE);
}

static void training_is_cancelled_on_the_device(void **state) {
  (void)state;
  cancel(SETOSA_BACKEND_NATIVE);
}

static void loading_is_cancelled(void **state) {
  (void)state;
  FILE *file = fopen(data_path, "w");
  for (int i = 0; i < 400000; i++) fprintf(file, "%d.25,%d,%d,class%d\n", i % 17, i % 5, i, i % 3);
  assert_int_equal(fclose(file), 0);
  Watch watching = {.stop_after = 1};
  SetosaError error = {0};
  SetosaDataset *dataset = (SetosaDataset *)1;
  SetosaDataOptions options = setosa_data_options_default();
  options.progress = watch;
  options.progress_user = &watching;
  assert_int_equal(setosa_dataset_load(&dataset, data_path, &options, &error), SETOSA_INTERRUPTED);
  assert_null(dataset);
  assert_int_equal(watching.calls, 1);
  assert_int_equal(watching.phase, SETOSA_PHASE_LOAD);
}

/* ---- arrays of the caller ---- */

static void arrays_are_wrapped_not_changed(void **state) {
  (void)state;
  enum { ROWS = 60 };
  static float values[ROWS * 2], before[ROWS * 2];
  static int32_t labels[ROWS], labels_before[ROWS];
  SetosaTrainOptions options = options_for(SETOSA_BACKEND_REFERENCE);
  SetosaTrainResult result;
  SetosaError error = {0};
  SetosaDataset *dataset = NULL;
  for (int i = 0; i < ROWS; i++) {
    labels[i] = i % 3;
    values[2 * i] = (float)(labels[i] == 0) * 4 + (float)(i % 7) / 7;
    values[2 * i + 1] = (float)(labels[i] == 1) * 4 + (float)(i % 5) / 5;
  }
  memcpy(before, values, sizeof values);
  memcpy(labels_before, labels, sizeof labels);
  assert_int_equal(setosa_dataset_wrap(&dataset, ROWS, 2, 3, values, labels, &error), SETOSA_OK);
  assert_ptr_equal(setosa_dataset_values(dataset), values); /* no copy until something changes */
  assert_null(setosa_dataset_feature_name(dataset, 0));
  SetosaModel *model = train(dataset, &options, &result);
  assert_true(result.converged && result.train_accuracy == 1);
  assert_ptr_equal(setosa_dataset_values(dataset), values);
  check_predictions(model, dataset, &options.compute);
  setosa_model_destroy(model);

  options.solver = SETOSA_SOLVER_SGD; /* permutes the rows: of a copy */
  options.batch_size = 16;
  options.epochs = 5;
  model = train(dataset, &options, &result);
  assert_int_equal(result.iterations, 5);
  assert_string_equal(result.stop_reason, "epochs-done");
  setosa_model_destroy(model);
  assert_int_equal(setosa_dataset_standardize(dataset, &error), SETOSA_OK);
  assert_memory_equal(values, before, sizeof values);
  assert_memory_equal(labels, labels_before, sizeof labels);
  setosa_dataset_destroy(dataset);

  labels[7] = 3;
  assert_int_equal(setosa_dataset_wrap(&dataset, ROWS, 2, 3, values, labels, &error), SETOSA_ERROR_DATA);
  assert_null(dataset);
  labels[7] = 1;
  values[9] = NAN;
  assert_int_equal(setosa_dataset_wrap(&dataset, ROWS, 2, 3, values, labels, NULL), SETOSA_ERROR_DATA);
}

/* Wrong use is answered, never a crash, and a filled error is not left from the call before. */
static void wrong_use_is_answered(void **state) {
  (void)state;
  SetosaError error = {0};
  SetosaDataset *dataset = NULL;
  SetosaModel *model = NULL;
  SetosaTrainOptions options = setosa_train_options_default(); /* NATIVE without a device */
  assert_int_equal(setosa_dataset_load(&dataset, "/nowhere/at-all.csv", NULL, &error), SETOSA_ERROR_DATA);
  assert_non_null(strstr(error.message, "/nowhere/at-all.csv"));
  dataset = load(iris, NULL);
  assert_int_equal(setosa_train(&model, NULL, dataset, &options, &error), SETOSA_ERROR_USAGE);
  assert_null(model);
  assert_null(strstr(error.message, "nowhere"));
  options = options_for(SETOSA_BACKEND_REFERENCE);
  options.l2 = -1;
  assert_int_equal(setosa_train(&model, NULL, dataset, &options, NULL), SETOSA_ERROR_USAGE);
  options.l2 = 0.01;
  assert_int_equal(setosa_train(&model, NULL, dataset, &options, NULL), SETOSA_OK); /* the result may be left out */
  setosa_model_destroy(model);
  setosa_dataset_destroy(dataset);
  setosa_dataset_destroy(NULL);
  setosa_device_close(NULL);
  setosa_devices_close(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(iris_on_the_reference),
      cmocka_unit_test(iris_on_the_device),
      cmocka_unit_test(names_and_scaling_travel),
      cmocka_unit_test(training_is_cancelled_on_the_reference),
      cmocka_unit_test(training_is_cancelled_on_the_device),
      cmocka_unit_test(loading_is_cancelled),
      cmocka_unit_test(arrays_are_wrapped_not_changed),
      cmocka_unit_test(wrong_use_is_answered),
  };
  return support_run("api_use", tests, open_everything, close_everything);
}
