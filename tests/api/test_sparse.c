/* Sparse rows through setosa.h: an optimum that LIBLINEAR's own example has, on every backend and family, from text and from arrays. */
#include <math.h>
#include <string.h>

#include "support/public_device.h"

/* heart_scale with --l2 0.001, by Newton's method in double. */
static const double HEART_OBJECTIVE = 0.335726875756;
enum { HEART_ROWS = 270, HEART_FEATURES = 13, HEART_ENTRIES = 3378 };

static SetosaDataset *load(const char *name, SetosaSparse sparse) {
  SetosaDataOptions how = setosa_data_options_default();
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  char path[SUPPORT_PATH];
  support_source_path(path, name);
  how.sparse = sparse;
  support_ok(setosa_dataset_load(&dataset, path, &how, &error), &error);
  return dataset;
}

static void expect_optimum(SetosaDataset *dataset, SetosaBackend backend, SetosaFamily family, const char *storage) {
  SetosaTrainOptions options = setosa_train_options_default();
  SetosaTrainResult result;
  SetosaModel *model = NULL;
  SetosaError error = {0};
  options.l2 = 0.001;
  options.compute.backend = backend;
  options.compute.family = family;
  options.compute.device = backend == SETOSA_BACKEND_NATIVE ? support_public_device() : NULL;
  support_ok(setosa_train(&model, &result, dataset, &options, &error), &error);
  assert_true(result.converged);
  assert_string_equal(result.storage, storage);
  support_near(result.objective, HEART_OBJECTIVE, 1e-6);
  setosa_model_destroy(model);
}

static void text_is_what_it_says(void **state) {
  (void)state;
  SetosaDataset *heart = load("data/heart_scale.svm", SETOSA_SPARSE_AUTO), *dense = load("data/heart_scale.svm", SETOSA_SPARSE_NEVER);
  assert_true(setosa_dataset_is_sparse(heart));
  assert_false(setosa_dataset_is_sparse(dense));
  assert_int_equal(setosa_dataset_rows(heart), HEART_ROWS);
  assert_int_equal(setosa_dataset_features(heart), HEART_FEATURES);
  assert_int_equal(setosa_dataset_entries(heart), HEART_ENTRIES);
  assert_int_equal(setosa_dataset_entries(dense), HEART_ROWS * HEART_FEATURES);
  assert_int_equal(setosa_dataset_index_base(heart), 1);
  assert_null(setosa_dataset_values(heart));
  assert_non_null(setosa_dataset_values(dense));
  assert_false(setosa_dataset_is_binary(heart));
  setosa_dataset_destroy(heart);
  setosa_dataset_destroy(dense);
}

static void hosts_reach_the_optimum(void **state) {
  (void)state;
  SetosaDataset *heart = load("data/heart_scale.svm", SETOSA_SPARSE_AUTO);
  expect_optimum(heart, SETOSA_BACKEND_REFERENCE, SETOSA_FAMILY_AUTO, "f32");
#ifdef SETOSA_HAVE_BLAS
  expect_optimum(heart, SETOSA_BACKEND_BLAS, SETOSA_FAMILY_AUTO, "f32");
#endif
  setosa_dataset_destroy(heart);
}

static void devices_reach_the_optimum(void **state) {
  (void)state;
  SetosaDataset *heart = load("data/heart_scale.svm", SETOSA_SPARSE_AUTO);
  expect_optimum(heart, SETOSA_BACKEND_NATIVE, SETOSA_FAMILY_CPU, "f32");
  expect_optimum(heart, SETOSA_BACKEND_NATIVE, SETOSA_FAMILY_GPU, "f32");
  setosa_dataset_destroy(heart);
}

/* Arrays of the caller are not copied, and entries need no values where all are 1. */
static void arrays_are_wrapped(void **state) {
  (void)state;
  static const uint64_t begin[] = {0, 2, 2, 3, 5};
  static const uint32_t columns[] = {0, 999, 1, 0, 999};
  static const int32_t labels[] = {0, 1, 1, 0};
  SetosaError error = {0};
  SetosaDataset *dataset = NULL;
  SetosaModel *model = NULL;
  SetosaTrainOptions options = setosa_train_options_default();
  options.compute.backend = SETOSA_BACKEND_REFERENCE;
  support_ok(setosa_dataset_wrap_sparse(&dataset, 4, 1000, 2, begin, columns, NULL, labels, &error), &error);
  assert_true(setosa_dataset_is_sparse(dataset));
  assert_true(setosa_dataset_is_binary(dataset));
  assert_int_equal(setosa_dataset_index_base(dataset), -1);
  support_ok(setosa_train(&model, NULL, dataset, &options, &error), &error);
  const float *weights = setosa_model_weights(model);
  assert_true(weights[0] > weights[1000] && weights[1] < weights[1001]);   /* feature 0 speaks for class 0, and 1 for the other */
  for (size_t d = 2; d < 999; d++) assert_true(fabsf(weights[d]) < 1e-6f); /* of rows that have none */
  setosa_model_destroy(model);
  setosa_dataset_destroy(dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_is_what_it_says),
      cmocka_unit_test(hosts_reach_the_optimum),
      cmocka_unit_test(devices_reach_the_optimum),
      cmocka_unit_test(arrays_are_wrapped),
  };
  return support_run("sparse rows", tests, support_public_device_open, support_public_device_close);
}
