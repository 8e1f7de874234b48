/* Arrays of doubles through setosa.h: in any order, far from 0, and what f32 cannot hold. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/support.h"

enum { ROWS = 60, FEATURES = 3, CLASSES = 2 };

/* Around 0, with a deviation of about 1, and a class that the first column tells. */
static void make(double x[ROWS][FEATURES], int32_t labels[ROWS]) {
  for (size_t i = 0; i < ROWS; i++) {
    for (size_t d = 0; d < FEATURES; d++) x[i][d] = ldexp((double)((i * 37 + d * 11 + i * d * 5) % 64) - 32, -4);
    labels[i] = x[i][0] + 0.3 * x[i][1] > 0.25 ? 1 : 0;
  }
}

static SetosaTrainOptions training(void) {
  SetosaTrainOptions options = setosa_train_options_default();
  options.compute.backend = SETOSA_BACKEND_REFERENCE;
  options.l2 = 0.01;
  return options;
}

static void test_order_of_numbers(void **state) {
  (void)state;
  double x[ROWS][FEATURES], turned[FEATURES][ROWS];
  int32_t labels[ROWS];
  SetosaDataset *rows = NULL, *columns = NULL;
  SetosaError error = {0};
  make(x, labels);
  for (size_t i = 0; i < ROWS; i++)
    for (size_t d = 0; d < FEATURES; d++) turned[d][ROWS - 1 - i] = x[i][d];
  support_ok(setosa_dataset_copy(&rows, ROWS, FEATURES, CLASSES, x[0], FEATURES, 1, labels, NULL, &error), &error);
  support_ok(setosa_dataset_copy(&columns, ROWS, FEATURES, CLASSES, &turned[0][ROWS - 1], -1, ROWS, labels, NULL, &error), &error);
  memset(labels, 0x77, sizeof labels); /* they were copied */
  for (size_t i = 0; i < ROWS; i++) assert_in_range(setosa_dataset_labels(rows)[i], 0, CLASSES - 1);
  assert_null(setosa_dataset_shift(rows));
  for (size_t i = 0; i < (size_t)ROWS * FEATURES; i++) {
    assert_true(setosa_dataset_values(rows)[i] == (float)x[i / FEATURES][i % FEATURES]);
    assert_true(setosa_dataset_values(columns)[i] == setosa_dataset_values(rows)[i]);
  }
  setosa_dataset_destroy(rows);
  setosa_dataset_destroy(columns);
}

static bool keep(size_t first_row, size_t count, const float *probabilities, void *user) {
  memcpy((float *)user + first_row * CLASSES, probabilities, count * CLASSES * sizeof(float));
  return true;
}

/* The same rows at 1e8, where f32 has steps of 8: the same weights, loss and probabilities, and a bias that makes up for it. */
static void test_far_from_zero(void **state) {
  (void)state;
  double x[ROWS][FEATURES];
  int32_t labels[ROWS];
  SetosaDataset *data = NULL;
  SetosaModel *near = NULL, *far = NULL;
  SetosaTrainResult result, moved;
  SetosaError error = {0};
  float probabilities[2][ROWS * CLASSES];
  const SetosaTrainOptions options = training();
  make(x, labels);
  support_ok(setosa_dataset_copy(&data, ROWS, FEATURES, CLASSES, x[0], FEATURES, 1, labels, NULL, &error), &error);
  support_ok(setosa_train(&near, &result, data, &options, &error), &error);
  support_ok(setosa_predict(near, data, &options.compute, keep, probabilities[0], &error), &error);
  setosa_dataset_destroy(data);
  for (size_t i = 0; i < ROWS; i++) x[i][1] += 1e8;
  support_ok(setosa_dataset_copy(&data, ROWS, FEATURES, CLASSES, x[0], FEATURES, 1, labels, NULL, &error), &error);
  assert_non_null(setosa_dataset_shift(data));
  assert_true(setosa_dataset_shift(data)[0] == 0 && fabs(setosa_dataset_shift(data)[1] - 1e8) < 4);
  support_ok(setosa_train(&far, &moved, data, &options, &error), &error);
  setosa_dataset_destroy(data);
  support_near(moved.loss, result.loss, 1e-9);
  support_near(setosa_model_weights(far)[1], setosa_model_weights(near)[1], 1e-5);
  /* New rows, as the model expects them. */
  const SetosaDataOptions expected = setosa_model_data_options(far);
  support_ok(setosa_dataset_copy(&data, 1, FEATURES, CLASSES, x[7], FEATURES, 1, NULL, &expected, &error), &error);
  support_ok(setosa_predict(far, data, &options.compute, keep, probabilities[1], &error), &error);
  support_near(probabilities[1][0], probabilities[0][7 * CLASSES], 1e-5);
  setosa_dataset_destroy(data);
  support_fails(setosa_dataset_copy(&data, 1, 2, CLASSES, x[7], FEATURES, 1, NULL, &expected, &error), &error, SETOSA_ERROR_USAGE,
                "the model has 3 features, and the data have 2");
  setosa_model_destroy(near);
  setosa_model_destroy(far);
}

static void test_beyond_single_precision(void **state) {
  (void)state;
  double x[ROWS][FEATURES];
  int32_t labels[ROWS];
  SetosaDataset *data = NULL;
  SetosaError error = {0};
  make(x, labels);
  x[3][2] = 1e39;
  support_fails(setosa_dataset_copy(&data, ROWS, FEATURES, CLASSES, x[0], FEATURES, 1, labels, NULL, &error), &error, SETOSA_ERROR_DATA,
                "data:4:3: the value is infinite or beyond single precision");
  x[3][2] = NAN;
  support_fails(setosa_dataset_copy(&data, ROWS, FEATURES, CLASSES, x[0], FEATURES, 1, labels, NULL, &error), &error, SETOSA_ERROR_DATA,
                "data:4:3: the value is not a number");
  for (size_t i = 0; i < ROWS; i++) x[i][2] = (double)i * 1e-41;
  support_fails(setosa_dataset_copy(&data, ROWS, FEATURES, CLASSES, x[0], FEATURES, 1, labels, NULL, &error), &error, SETOSA_ERROR_DATA,
                "data: the values of feature 3 are at most 5.9e-40, which is too small for single precision");
  assert_null(data);
}

static void test_names_reach_the_model(void **state) {
  (void)state;
  double x[ROWS][FEATURES];
  int32_t labels[ROWS];
  SetosaDataset *data = NULL;
  SetosaModel *model = NULL;
  SetosaError error = {0};
  const SetosaTrainOptions options = training();
  make(x, labels);
  support_ok(setosa_dataset_copy(&data, ROWS, FEATURES, CLASSES, x[0], FEATURES, 1, labels, NULL, &error), &error);
  for (int again = 0; again < 2; again++) /* what was there is freed */
    support_ok(setosa_dataset_set_names(data, (const char *[]){"a", "b", "c"}, (const char *[]){"no", "yes"}, &error), &error);
  support_ok(setosa_train(&model, NULL, data, &options, &error), &error);
  assert_string_equal(setosa_model_feature_name(model, 2), "c");
  assert_string_equal(setosa_model_class_name(model, 1), "yes");
  setosa_model_destroy(model);
  setosa_dataset_destroy(data);
}

static void test_version(void **state) {
  (void)state;
  assert_string_equal(setosa_version(), SETOSA_VERSION);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_order_of_numbers),      cmocka_unit_test(test_far_from_zero), cmocka_unit_test(test_beyond_single_precision),
      cmocka_unit_test(test_names_reach_the_model), cmocka_unit_test(test_version),
  };
  return support_run("api", tests, NULL, NULL);
}
