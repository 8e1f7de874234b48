/* setosa_calibrate: the temperature is where the mean log-loss of the rows is least, found whatever the start is like, weighted as repeated
 * rows are, and refused where there is none. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "model/model.h"
#include "support/public_device.h"

enum { ROWS = 2000, FEATURES = 5, CLASSES = 4 };
static float values[ROWS * FEATURES], weights[CLASSES * FEATURES];
static int32_t labels[ROWS];

static SetosaComputeOptions on(SetosaBackend backend) {
  SetosaComputeOptions compute = setosa_compute_options_default();
  compute.backend = backend;
  compute.device = backend == SETOSA_BACKEND_NATIVE ? support_public_device() : NULL;
  return compute;
}

static void logits_of(double *z, size_t row, double factor) {
  for (size_t k = 0; k < CLASSES; k++) {
    z[k] = 0;
    for (size_t d = 0; d < FEATURES; d++)
      z[k] += (double)(float)(factor * (double)weights[k * FEATURES + d]) * (double)values[row * FEATURES + d];
  }
}

/* Labels are drawn from softmax(W x), and the model has factor * W: its temperature should be near the factor. */
static SetosaModel *make(double factor, SetosaDataset **dataset) {
  static float scaled[CLASSES * FEATURES];
  SetosaModel *model = NULL;
  SetosaError error = {0};
  uint64_t counter = 0;
  for (size_t i = 0; i < ROWS * FEATURES; i++) values[i] = (float)random_symmetric(3, RANDOM_STREAM_CHECK, 0, counter++);
  for (size_t i = 0; i < CLASSES * FEATURES; i++) weights[i] = (float)(2 * random_symmetric(3, RANDOM_STREAM_CHECK, 0, counter++));
  for (size_t i = 0; i < ROWS; i++) {
    double z[CLASSES], sum = 0, draw = (random_symmetric(4, RANDOM_STREAM_CHECK, 0, i) + 1) / 2;
    logits_of(z, i, 1);
    for (size_t k = 0; k < CLASSES; k++) sum += z[k] = exp(z[k]);
    draw *= sum;
    labels[i] = 0;
    for (size_t k = 0; k + 1 < CLASSES && draw > z[k]; k++) {
      draw -= z[k];
      labels[i] = (int32_t)k + 1;
    }
  }
  for (size_t i = 0; i < CLASSES * FEATURES; i++) scaled[i] = (float)(factor * (double)weights[i]);
  support_ok(setosa_model_create(&model, FEATURES, CLASSES, scaled, NULL, &error), &error);
  if (dataset != NULL) support_ok(setosa_dataset_wrap(dataset, ROWS, FEATURES, CLASSES, values, labels, &error), &error);
  return model;
}

static double loss_at(double factor, double temperature) {
  double loss = 0;
  for (size_t i = 0; i < ROWS; i++) {
    double z[CLASSES], sum = 0;
    logits_of(z, i, factor);
    for (size_t k = 0; k < CLASSES; k++) sum += exp((z[k] - z[labels[i]]) / temperature);
    loss += log(sum) / ROWS;
  }
  return loss;
}

static void finds_the_minimum(void **state) {
  (void)state;
  static const double factors[] = {1, 0.01, 0.3, 4, 30, 1000};
  SetosaComputeOptions compute = on(SETOSA_BACKEND_REFERENCE);
  for (size_t f = 0; f < sizeof factors / sizeof *factors; f++) {
    SetosaDataset *dataset = NULL;
    SetosaModel *model = make(factors[f], &dataset);
    SetosaCalibration found;
    SetosaMetrics *metrics = NULL;
    SetosaError error = {0};
    support_ok(setosa_calibrate(model, &found, dataset, &compute, &error), &error);
    assert_true(found.found && found.note[0] == '\0' && found.rows == ROWS && found.weight == ROWS && found.passes <= 25);
    double t = found.temperature;
    assert_true(setosa_model_temperature(model) == t);
    support_near(t / factors[f], 1, 0.1); /* labels are drawn */
    support_near(found.log_loss_before, loss_at(factors[f], 1), 1e-6 * (1 + found.log_loss_before));
    support_near(found.log_loss, loss_at(factors[f], t), 1e-6);
    /* f32 logits are near enough to double ones for the place of the minimum to be the same: the loss there is flat to 1e-9 */
    double h = 1e-3 * t, here = loss_at(factors[f], t), below = loss_at(factors[f], t - h), above = loss_at(factors[f], t + h);
    assert_true(here < below && here < above);
    double minimum = h * (below - above) / (2 * (below + above - 2 * here)); /* of the parabola through the three */
    assert_true(fabs(minimum) < 3e-5 * t);
    support_ok(setosa_evaluate(&metrics, model, dataset, &compute, &error), &error);
    support_near(metrics->log_loss, found.log_loss, 1e-12);
    support_near(metrics->uncalibrated_log_loss, found.log_loss_before, 1e-12);
    setosa_metrics_destroy(metrics);
    SetosaCalibration again; /* from the logits, whatever the temperature was */
    support_ok(setosa_calibrate(model, &again, dataset, &compute, &error), &error);
    assert_true(again.temperature == t);
    setosa_dataset_destroy(dataset);
    setosa_model_destroy(model);
  }
}

/* A row of weight 3 is three rows; weights in another unit are the same. */
static void weights_repeat_rows(void **state) {
  (void)state;
  static float repeated[3 * ROWS * FEATURES], counts[ROWS], quarters[ROWS];
  static int32_t repeated_labels[3 * ROWS];
  SetosaComputeOptions compute = on(SETOSA_BACKEND_REFERENCE);
  SetosaDataset *weighted = NULL, *rows = NULL;
  SetosaModel *model = make(3, &weighted);
  SetosaCalibration one, other, scaled;
  SetosaError error = {0};
  size_t count = 0;
  for (size_t i = 0; i < ROWS; i++) {
    counts[i] = (float)random_below(5, RANDOM_STREAM_LABELS, 0, i, 4);
    quarters[i] = counts[i] / 4;
    for (int n = 0; n < (int)counts[i]; n++, count++) {
      memcpy(repeated + count * FEATURES, values + i * FEATURES, FEATURES * sizeof *values);
      repeated_labels[count] = labels[i];
    }
  }
  support_ok(setosa_dataset_wrap(&rows, count, FEATURES, CLASSES, repeated, repeated_labels, &error), &error);
  support_ok(setosa_calibrate(model, &one, rows, &compute, &error), &error);
  support_ok(setosa_dataset_set_weights(weighted, counts, &error), &error);
  support_ok(setosa_calibrate(model, &other, weighted, &compute, &error), &error);
  support_ok(setosa_dataset_set_weights(weighted, quarters, &error), &error);
  support_ok(setosa_calibrate(model, &scaled, weighted, &compute, &error), &error);
  support_near(other.temperature / one.temperature, 1, 1e-13);
  support_near(other.log_loss, one.log_loss, 1e-13);
  assert_true(other.weight == (double)count && scaled.weight == (double)count / 4);
  assert_true(scaled.temperature == other.temperature);
  setosa_dataset_destroy(weighted);
  setosa_dataset_destroy(rows);
  setosa_model_destroy(model);
}

/* On the device, resident and streamed in chunks: the same bits. */
static void streams_to_the_same_bits(void **state) {
  (void)state;
  SetosaTrainOptions options = setosa_train_options_default();
  SetosaDataset *dataset = NULL;
  SetosaModel *model = NULL;
  SetosaCalibration resident, streamed, reference;
  SetosaError error = {0};
  options.compute = on(SETOSA_BACKEND_NATIVE);
  options.max_iterations = 2; /* not sure enough of itself */
  support_ok(setosa_dataset_load(&dataset, "synthetic:rows=20000,features=200,classes=4,seed=2", NULL, &error), &error);
  support_ok(setosa_train(&model, NULL, dataset, &options, &error), &error);
  support_ok(setosa_calibrate(model, &resident, dataset, &options.compute, &error), &error);
  options.compute.device_memory_bytes = 6000000; /* the rows take 16 MB */
  support_ok(setosa_calibrate(model, &streamed, dataset, &options.compute, &error), &error);
  assert_true(resident.found && streamed.temperature == resident.temperature && streamed.log_loss == resident.log_loss);
  options.compute = on(SETOSA_BACKEND_REFERENCE);
  support_ok(setosa_calibrate(model, &reference, dataset, &options.compute, &error), &error);
  support_near(resident.temperature, reference.temperature, 1e-5);
  setosa_dataset_destroy(dataset);
  setosa_model_destroy(model);
}

static void says_why_there_is_none(void **state) {
  (void)state;
  static const float x[] = {1, -1, 2, -2}, w[] = {1, -1};
  static const struct {
    int32_t labels[4];
    const char *note;
  } cases[] = {{{0, 1, 0, 1}, "every one of these rows is right"}, {{1, 0, 1, 0}, "no better than chance"}};
  SetosaComputeOptions compute = on(SETOSA_BACKEND_REFERENCE);
  for (size_t i = 0; i < 2; i++) {
    SetosaModel *model = NULL;
    SetosaDataset *dataset = NULL;
    SetosaCalibration found;
    SetosaError error = {0};
    support_ok(setosa_model_create(&model, 1, 2, w, NULL, &error), &error);
    support_ok(setosa_dataset_wrap(&dataset, 4, 1, 2, x, cases[i].labels, &error), &error);
    support_ok(setosa_calibrate(model, &found, dataset, &compute, &error), &error);
    assert_false(found.found);
    assert_true(found.temperature == 1 && setosa_model_temperature(model) == 1 && found.log_loss == found.log_loss_before);
    assert_non_null(strstr(found.note, cases[i].note));
    setosa_dataset_destroy(dataset);
    setosa_dataset_wrap(&dataset, 4, 1, 2, x, NULL, &error);
    assert_int_equal(setosa_calibrate(model, &found, dataset, &compute, &error), SETOSA_ERROR_DATA);
    assert_non_null(strstr(error.message, "has no labels"));
    setosa_dataset_destroy(dataset);
    setosa_model_destroy(model);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(finds_the_minimum),
      cmocka_unit_test(weights_repeat_rows),
      cmocka_unit_test(streams_to_the_same_bits),
      cmocka_unit_test(says_why_there_is_none),
  };
  return support_run("train_calibrate", tests, support_public_device_open, support_public_device_close);
}
