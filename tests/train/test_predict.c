/* Prediction and evaluation on both backends: numbers against a softmax written out here, blocks, refusals, cancelling. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "data/dataset.h"
#include "support/public_device.h"

static SetosaComputeOptions on_reference(void) { return (SetosaComputeOptions){.backend = SETOSA_BACKEND_REFERENCE}; }

static SetosaComputeOptions on_native(void) {
  SetosaComputeOptions compute = setosa_compute_options_default();
  compute.device = support_public_device();
  return compute;
}

enum { ROWS = 301, FEATURES = 7, CLASSES = 5 };
static float values[ROWS * FEATURES], weights[CLASSES * FEATURES], bias[CLASSES];
static int32_t labels[ROWS];
static const uint64_t seed = 17;

static void make(SetosaModel **model, SetosaDataset **dataset) {
  SetosaError error = {0};
  uint64_t counter = 0;
  for (int i = 0; i < ROWS * FEATURES; i++) values[i] = (float)(3 * random_symmetric(seed, RANDOM_STREAM_CHECK, 0, counter++));
  for (int i = 0; i < CLASSES * FEATURES; i++) weights[i] = (float)random_symmetric(seed, RANDOM_STREAM_CHECK, 0, counter++);
  for (int i = 0; i < CLASSES; i++) bias[i] = (float)random_symmetric(seed, RANDOM_STREAM_CHECK, 0, counter++);
  for (int i = 0; i < ROWS; i++) labels[i] = (int32_t)random_below(seed, RANDOM_STREAM_LABELS, 0, (uint64_t)i, CLASSES);
  assert_int_equal(setosa_model_create(model, FEATURES, CLASSES, weights, bias, &error), SETOSA_OK);
  assert_int_equal(setosa_dataset_wrap(dataset, ROWS, FEATURES, CLASSES, values, labels, &error), SETOSA_OK);
}

/* p (K) = softmax(W x + b) in double; the logsumexp is returned, and z in logits (K). */
static double softmax_by_hand(const float *x, double *logits, double *p) {
  double top = -INFINITY, sum = 0;
  for (int k = 0; k < CLASSES; k++) {
    logits[k] = bias[k];
    for (int d = 0; d < FEATURES; d++) logits[k] += (double)weights[k * FEATURES + d] * (double)x[d];
    if (logits[k] > top) top = logits[k];
  }
  for (int k = 0; k < CLASSES; k++) sum += p[k] = exp(logits[k] - top);
  for (int k = 0; k < CLASSES; k++) p[k] /= sum;
  return top + log(sum);
}

typedef struct Seen {
  size_t rows, blocks, stop_after;
} Seen;

static bool compare_block(size_t first_row, size_t count, const float *probabilities, void *user) {
  Seen *seen = user;
  assert_int_equal(first_row, seen->rows);
  for (size_t i = 0; i < count; i++) {
    double logits[CLASSES], p[CLASSES];
    softmax_by_hand(values + (first_row + i) * FEATURES, logits, p);
    for (int k = 0; k < CLASSES; k++) assert_true(fabs((double)probabilities[i * CLASSES + (size_t)k] - p[k]) < 1e-6);
  }
  seen->rows += count;
  seen->blocks++;
  return true;
}

static void check_predictions(SetosaComputeOptions compute) {
  SetosaModel *model = NULL;
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  Seen seen = {0};
  make(&model, &dataset);
  assert_int_equal(setosa_predict(model, dataset, &compute, compare_block, &seen, &error), SETOSA_OK);
  assert_int_equal(seen.rows, ROWS);
  /* Without labels, and whatever the data set believes its classes to be. */
  setosa_dataset_destroy(dataset);
  assert_int_equal(setosa_dataset_wrap(&dataset, ROWS, FEATURES, 2, values, NULL, &error), SETOSA_OK);
  seen = (Seen){0};
  assert_int_equal(setosa_predict(model, dataset, &compute, compare_block, &seen, &error), SETOSA_OK);
  assert_int_equal(seen.rows, ROWS);
  /* Rows whose label is unknown are predicted like the others. */
  setosa_dataset_destroy(dataset);
  assert_int_equal(setosa_dataset_wrap(&dataset, ROWS, FEATURES, CLASSES, values, labels, &error), SETOSA_OK);
  labels[5] = -1;
  seen = (Seen){0};
  assert_int_equal(setosa_predict(model, dataset, &compute, compare_block, &seen, &error), SETOSA_OK);
  setosa_dataset_destroy(dataset);
  setosa_model_destroy(model);
}

static void probabilities_of_the_reference(void **state) {
  (void)state;
  check_predictions(on_reference());
}

static void probabilities_of_the_device(void **state) {
  (void)state;
  check_predictions(on_native());
}

static void check_evaluation(SetosaComputeOptions compute) {
  SetosaModel *model = NULL;
  SetosaDataset *dataset = NULL;
  SetosaMetrics *metrics = NULL;
  SetosaError error = {0};
  double loss = 0, correct = 0;
  make(&model, &dataset);
  for (int i = 0; i < ROWS; i++) {
    double logits[CLASSES], p[CLASSES];
    loss += softmax_by_hand(values + i * FEATURES, logits, p) - logits[labels[i]];
    int best = 0;
    for (int k = 1; k < CLASSES; k++)
      if (p[k] > p[best]) best = k;
    correct += best == labels[i];
  }
  if (setosa_evaluate(&metrics, model, dataset, &compute, &error) != SETOSA_OK) fail_msg("%s", error.message);
  assert_int_equal(metrics->rows, ROWS);
  assert_int_equal(metrics->top_k, CLASSES - 1);
  assert_true(fabs(metrics->log_loss - loss / ROWS) < 1e-6);
  assert_true(fabs(metrics->accuracy - correct / ROWS) < 1e-12);
  setosa_metrics_destroy(metrics);
  setosa_dataset_destroy(dataset);
  setosa_model_destroy(model);
}

static void evaluation_on_the_reference(void **state) {
  (void)state;
  check_evaluation(on_reference());
}

static void evaluation_on_the_device(void **state) {
  (void)state;
  check_evaluation(on_native());
}

static bool count_block(size_t first_row, size_t count, const float *probabilities, void *user) {
  Seen *seen = user;
  assert_int_equal(first_row, seen->rows);
  assert_true(count >= 1 && probabilities[0] > 0);
  seen->rows += count;
  seen->blocks++;
  return seen->blocks != seen->stop_after;
}

/* 16 MB hold 41 rows of 100000 classes. */
static void many_classes_come_in_blocks(void **state) {
  (void)state;
  enum { MANY = 100000, FEW = 100 };
  SetosaComputeOptions compute = on_reference();
  SetosaModel *model = NULL;
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  Seen seen = {0};
  float *many = calloc(MANY, sizeof *many), x[FEW];
  for (int i = 0; i < FEW; i++) x[i] = (float)i / FEW;
  many[3] = 20;
  assert_int_equal(setosa_model_create(&model, 1, MANY, many, NULL, &error), SETOSA_OK);
  assert_int_equal(setosa_dataset_wrap(&dataset, FEW, 1, MANY, x, NULL, &error), SETOSA_OK);
  assert_int_equal(setosa_predict(model, dataset, &compute, count_block, &seen, &error), SETOSA_OK);
  assert_int_equal(seen.rows, FEW);
  assert_int_equal(seen.blocks, 3);
  seen = (Seen){.stop_after = 2};
  assert_int_equal(setosa_predict(model, dataset, &compute, count_block, &seen, &error), SETOSA_INTERRUPTED);
  assert_int_equal(seen.blocks, 2);
  assert_int_equal(error.status, SETOSA_INTERRUPTED);
  assert_memory_equal(error.message, "prediction was stopped after row 82 ", 36);
  setosa_dataset_destroy(dataset);
  setosa_model_destroy(model);
  free(many);
}

static void shapes_that_differ_are_refused(void **state) {
  (void)state;
  static const float x[6], w[12];
  static const int32_t y[] = {0, 2};
  SetosaComputeOptions compute = on_reference(), no_device = setosa_compute_options_default();
  SetosaModel *model = NULL;
  SetosaDataset *three = NULL, *unlabelled = NULL, *two = NULL;
  SetosaMetrics *metrics = (SetosaMetrics *)1;
  SetosaError error = {0};
  Seen seen = {0};
  assert_int_equal(setosa_model_create(&model, 2, 2, w, NULL, &error), SETOSA_OK);
  assert_int_equal(setosa_dataset_wrap(&three, 2, 3, 3, x, y, &error), SETOSA_OK);
  assert_int_equal(setosa_predict(model, three, &compute, count_block, &seen, &error), SETOSA_ERROR_USAGE);
  assert_non_null(strstr(error.message, "the data has 3 features but the model expects 2;"));
  assert_int_equal(setosa_evaluate(&metrics, model, three, &compute, &error), SETOSA_ERROR_USAGE);
  assert_null(metrics);
  assert_non_null(strstr(error.message, "the data has 3 classes but the model has 2;"));

  assert_int_equal(setosa_dataset_wrap(&unlabelled, 3, 2, 2, x, NULL, &error), SETOSA_OK);
  assert_int_equal(setosa_evaluate(&metrics, model, unlabelled, &compute, &error), SETOSA_ERROR_DATA);
  assert_non_null(strstr(error.message, "has no labels to evaluate against;"));
  assert_int_equal(setosa_predict(model, unlabelled, &no_device, count_block, &seen, &error), SETOSA_ERROR_USAGE);
  assert_non_null(strstr(error.message, "the native backend needs a device;"));
  assert_int_equal(setosa_predict(model, unlabelled, NULL, count_block, &seen, NULL), SETOSA_ERROR_USAGE);
  assert_int_equal(seen.blocks, 0);

  int32_t unknown[] = {0, 1, 1};
  assert_int_equal(setosa_dataset_wrap(&two, 3, 2, 2, x, unknown, &error), SETOSA_OK);
  unknown[2] = -1; /* as a reader leaves it with labels_optional */
  assert_int_equal(setosa_evaluate(&metrics, model, two, &compute, &error), SETOSA_ERROR_DATA);
  assert_non_null(strstr(error.message, "row 3: its label is none of the model's 2 classes;"));
  setosa_dataset_destroy(three);
  setosa_dataset_destroy(unlabelled);
  setosa_dataset_destroy(two);
  setosa_model_destroy(model);
}

static void logits_that_overflow_are_named(void **state) {
  (void)state;
  static const float w[] = {3e38f, -3e38f}, x[] = {0, 1, 3};
  static const int32_t y[] = {0, 0, 1};
  SetosaComputeOptions compute = on_reference();
  SetosaModel *model = NULL;
  SetosaDataset *dataset = NULL;
  SetosaMetrics *metrics = NULL;
  SetosaError error = {0};
  assert_int_equal(setosa_model_create(&model, 1, 2, w, NULL, &error), SETOSA_OK);
  assert_int_equal(setosa_dataset_wrap(&dataset, 3, 1, 2, x, y, &error), SETOSA_OK);
  assert_int_equal(setosa_evaluate(&metrics, model, dataset, &compute, &error), SETOSA_ERROR_DATA);
  assert_non_null(strstr(error.message, "row 3 overflows single precision under this model;"));
  setosa_dataset_destroy(dataset);
  setosa_model_destroy(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(probabilities_of_the_reference), cmocka_unit_test(probabilities_of_the_device),
      cmocka_unit_test(evaluation_on_the_reference),    cmocka_unit_test(evaluation_on_the_device),
      cmocka_unit_test(many_classes_come_in_blocks),    cmocka_unit_test(shapes_that_differ_are_refused),
      cmocka_unit_test(logits_that_overflow_are_named),
  };
  return support_run("train_predict", tests, support_public_device_open, support_public_device_close);
}
