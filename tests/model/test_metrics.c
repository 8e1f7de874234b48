/* Metrics against values worked out by hand. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/metrics.h"
#include "support/support.h"

#define EXPECT_NEAR(value, expected, tolerance)                                                   \
  do {                                                                                            \
    double v_ = (value), e_ = (expected);                                                         \
    if (!(fabs(v_ - e_) <= (tolerance))) fail_msg("%s is %.17g, expected %.17g", #value, v_, e_); \
  } while (0)

static SetosaMetrics *measure(size_t classes, size_t count, const float *logits, const int32_t *labels) {
  SetosaError error = {0};
  MetricsAccumulator *accumulator = NULL;
  SetosaMetrics *metrics = NULL;
  assert_int_equal(metrics_create(&accumulator, classes, &error), SETOSA_OK);
  assert_int_equal(metrics_rank(accumulator, count, &error), SETOSA_OK);
  assert_int_equal(metrics_add(accumulator, count, logits, labels, NULL, &error), SETOSA_OK);
  assert_int_equal(metrics_finish(accumulator, 1, &metrics, &error), SETOSA_OK);
  metrics_destroy(accumulator);
  return metrics;
}

/* Four classes, six rows: class 2 has rows but no predictions, class 3 predictions but no rows. */
static void counts_are_as_by_hand(void **state) {
  (void)state;
  static const float logits[] = {
      1, 0, 0, 0, /* 0 as 0 */
      0, 1, 0, 0, /* 0 as 1 */
      0, 2, 1, 0, /* 1 as 1 */
      0, 2, 1, 0, /* 1 as 1 */
      0, 2, 1, 0, /* 2 as 1 */
      0, 0, 1, 3, /* 2 as 3 */
  };
  static const int32_t labels[] = {0, 0, 1, 1, 2, 2};
  static const double confusion[] = {1, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0};
  SetosaMetrics *m = measure(4, 6, logits, labels);
  assert_int_equal(m->rows, 6);
  assert_int_equal(m->classes, 4);
  assert_memory_equal(m->confusion, confusion, sizeof confusion);
  EXPECT_NEAR(m->accuracy, 3.0 / 6, 1e-15);
  EXPECT_NEAR(m->per_class[0].precision, 1, 0);
  EXPECT_NEAR(m->per_class[0].recall, 0.5, 0);
  EXPECT_NEAR(m->per_class[0].f1, 2.0 / 3, 1e-15);
  EXPECT_NEAR(m->per_class[1].precision, 0.5, 0);
  EXPECT_NEAR(m->per_class[1].recall, 1, 0);
  EXPECT_NEAR(m->per_class[1].f1, 2.0 / 3, 1e-15);
  assert_true(isnan(m->per_class[2].precision));
  EXPECT_NEAR(m->per_class[2].recall, 0, 0);
  EXPECT_NEAR(m->per_class[2].f1, 0, 0);
  EXPECT_NEAR(m->per_class[3].precision, 0, 0);
  assert_true(isnan(m->per_class[3].recall));
  EXPECT_NEAR(m->per_class[3].f1, 0, 0);
  assert_int_equal(m->per_class[2].support, 2);
  assert_int_equal(m->per_class[1].predicted, 4);
  /* over the three classes with rows; the undefined precision counts 0 */
  EXPECT_NEAR(m->macro_precision, (1 + 0.5 + 0) / 3, 1e-15);
  EXPECT_NEAR(m->macro_recall, 1.5 / 3, 1e-15);
  EXPECT_NEAR(m->macro_f1, 4.0 / 9, 1e-15);
  assert_int_equal(m->top_k, 3);
  EXPECT_NEAR(m->top_k_accuracy, 1, 0); /* every label is within three */
  double e = exp(1), loss = 0;
  loss += log(e + 3) - 1;
  loss += log(e + 3) - 0;
  loss += 2 * (log(1 + exp(2) + e + 1) - 2);
  loss += log(1 + exp(2) + e + 1) - 1;
  loss += log(2 + e + exp(3)) - 1;
  EXPECT_NEAR(m->log_loss, loss / 6, 1e-15);
  setosa_metrics_destroy(m);
}

static void a_class_without_rows_or_predictions_is_undefined(void **state) {
  (void)state;
  static const float logits[] = {1, 0, -1};
  static const int32_t labels[] = {0};
  SetosaMetrics *m = measure(3, 1, logits, labels);
  assert_true(isnan(m->per_class[1].precision) && isnan(m->per_class[1].recall) && isnan(m->per_class[1].f1));
  EXPECT_NEAR(m->macro_f1, 1, 0);
  EXPECT_NEAR(m->macro_precision, 1, 0);
  setosa_metrics_destroy(m);
}

/* Equal logits: the lowest index is predicted, and comes first in the ranking. */
static void ties_go_to_the_lower_index(void **state) {
  (void)state;
  float logits[8 * 8] = {0};
  int32_t labels[8];
  for (int i = 0; i < 8; i++) labels[i] = i;
  SetosaMetrics *m = measure(8, 8, logits, labels);
  assert_int_equal(m->top_k, 5);
  EXPECT_NEAR(m->accuracy, 1.0 / 8, 0);
  EXPECT_NEAR(m->top_k_accuracy, 5.0 / 8, 0);
  EXPECT_NEAR(m->log_loss, log(8), 1e-15);
  assert_int_equal(m->per_class[0].predicted, 8);
  setosa_metrics_destroy(m);

  static const float two[] = {-3, -3};
  static const int32_t second[] = {1};
  m = measure(2, 1, two, second);
  assert_int_equal(m->top_k, 1);
  EXPECT_NEAR(m->top_k_accuracy, 0, 0);
  EXPECT_NEAR(m->accuracy, 0, 0);
  setosa_metrics_destroy(m);
}

static void extreme_logits_keep_a_finite_loss(void **state) {
  (void)state;
  static const float logits[] = {100, -100, 100, -100, -100, 100, 1000, 0, 3e38f, -3e38f};
  static const int32_t labels[] = {0, 1, 1, 1, 1};
  SetosaMetrics *m = measure(2, 2, logits, labels);
  EXPECT_NEAR(m->log_loss, 200.0 / 2, 1e-13);
  setosa_metrics_destroy(m);
  m = measure(2, 1, logits, labels); /* log1p(e^-200): below the last place of 1 + e^-200 */
  EXPECT_NEAR(m->log_loss, 0, 1e-80);
  EXPECT_NEAR(m->bin_confidence[14], 1, 0);
  EXPECT_NEAR(m->ece, 0, 0);
  setosa_metrics_destroy(m);
  m = measure(2, 1, logits + 6, labels + 3); /* a probability e^-1000 is 0 even in double */
  EXPECT_NEAR(m->log_loss, 1000, 0);
  setosa_metrics_destroy(m);
  m = measure(2, 1, logits + 8, labels + 4);
  EXPECT_NEAR(m->log_loss, 2 * (double)3e38f, 1e23);
  setosa_metrics_destroy(m);
}

/* Bins are (m/15, (m+1)/15]; 1 belongs to the last. Confidences chosen by their logits. */
static void calibration_bins_are_closed_above(void **state) {
  (void)state;
  /* K = 2: logits (a, 0) give a confidence of 1/(1+e^-a) */
  static const float logits[] = {0, 0, 0, 0, 100, 0, 100, 0, 100, 0, 1, 0};
  static const int32_t labels[] = {0, 1, 0, 0, 1, 1};
  SetosaMetrics *m = measure(2, 6, logits, labels);
  double sure = 1 / (1 + exp(-1)); /* 0.731: bin 10 */
  assert_int_equal(m->bin_weight[7], 2);
  assert_int_equal(m->bin_weight[14], 3);
  assert_int_equal(m->bin_weight[10], 1);
  EXPECT_NEAR(m->bin_confidence[7], 0.5, 0);
  EXPECT_NEAR(m->bin_accuracy[7], 0.5, 0);
  EXPECT_NEAR(m->bin_confidence[14], 1, 1e-15);
  EXPECT_NEAR(m->bin_accuracy[14], 2.0 / 3, 1e-15);
  EXPECT_NEAR(m->bin_accuracy[10], 0, 0);
  assert_true(isnan(m->bin_confidence[0]));
  EXPECT_NEAR(m->ece, 3.0 / 6 * (1 - 2.0 / 3) + 1.0 / 6 * sure, 1e-15);
  setosa_metrics_destroy(m);

  /* K = 3, all equal: a confidence of 1/3 = 5/15 lies on an edge and belongs below it */
  static const float equal[] = {7, 7, 7};
  m = measure(3, 1, equal, labels);
  assert_int_equal(m->bin_weight[4], 1);
  setosa_metrics_destroy(m);
}

static void many_classes_have_no_confusion_matrix(void **state) {
  (void)state;
  float *logits = calloc(1001, sizeof *logits);
  static const int32_t labels[] = {1000};
  logits[1000] = 2;
  SetosaMetrics *m = measure(1001, 1, logits, labels);
  assert_null(m->confusion);
  assert_int_equal(m->per_class[1000].predicted, 1);
  EXPECT_NEAR(m->log_loss, log(1000 + exp(2)) - 2, 1e-14);
  setosa_metrics_destroy(m);
  static const int32_t last[] = {999};
  m = measure(1000, 1, logits, last);
  assert_non_null(m->confusion);
  assert_int_equal(m->confusion[999 * 1000 + 0], 1);
  setosa_metrics_destroy(m);
  free(logits);
}

/* Blocks of any size give the same sums, and a million equal losses lose no digits. */
static void blocks_add_up(void **state) {
  (void)state;
  enum { ROWS = 1000000, BLOCK = 1000 };
  static float logits[BLOCK * 2];
  static int32_t labels[BLOCK];
  SetosaError error = {0};
  MetricsAccumulator *accumulator = NULL;
  double accuracy = -1, log_loss = -1;
  for (int i = 0; i < BLOCK; i++) logits[2 * i] = 0.1f, labels[i] = i % 2;
  assert_int_equal(metrics_create(&accumulator, 2, &error), SETOSA_OK);
  metrics_summary(accumulator, &accuracy, &log_loss);
  assert_true(isnan(accuracy) && isnan(log_loss));
  for (int i = 0; i < ROWS / BLOCK; i++) assert_int_equal(metrics_add(accumulator, BLOCK, logits, labels, NULL, &error), SETOSA_OK);
  metrics_summary(accumulator, &accuracy, &log_loss);
  EXPECT_NEAR(accuracy, 0.5, 0);
  EXPECT_NEAR(log_loss, log1p(exp((double)-0.1f)) + (double)0.1f / 2, 2e-16);
  metrics_destroy(accumulator);
}

static void wrong_input_is_refused(void **state) {
  (void)state;
  static const float logits[] = {0, 1, 0, 1}, overflow[] = {0, 1, 0, INFINITY}, unknown[] = {NAN, 0};
  static const int32_t beyond[] = {0, 2}, below[] = {-1}, fine[] = {0, 1};
  SetosaError error = {0};
  MetricsAccumulator *accumulator = NULL;
  assert_int_equal(metrics_create(&accumulator, 1, &error), SETOSA_ERROR_USAGE);
  assert_null(accumulator);
  error = (SetosaError){0};
  assert_int_equal(metrics_create(&accumulator, 2, &error), SETOSA_OK);
  assert_int_equal(metrics_add(accumulator, 2, logits, beyond, NULL, &error), SETOSA_ERROR_DATA);
  assert_memory_equal(error.message, "row 2: its label 2 is none of the 2 classes", 43);
  error = (SetosaError){0};
  assert_int_equal(metrics_add(accumulator, 1, logits, below, NULL, &error), SETOSA_ERROR_DATA);
  error = (SetosaError){0};
  assert_int_equal(metrics_add(accumulator, 2, overflow, fine, NULL, &error), SETOSA_ERROR_DATA);
  assert_memory_equal(error.message, "row 3 overflows single precision", 32);
  error = (SetosaError){0};
  assert_int_equal(metrics_add(accumulator, 1, unknown, fine, NULL, &error), SETOSA_ERROR_DATA);
  metrics_destroy(accumulator);
  metrics_destroy(NULL);
  setosa_metrics_destroy(NULL);
}

/* No rows at all: every average is undefined, and nothing divides by zero into a crash. */
static void no_rows_have_no_averages(void **state) {
  (void)state;
  SetosaMetrics *m = measure(2, 0, NULL, NULL);
  assert_true(isnan(m->accuracy) && isnan(m->log_loss) && isnan(m->ece) && isnan(m->macro_f1) && isnan(m->top_k_accuracy));
  setosa_metrics_destroy(m);
}

/* p of the true class, and the square errors of all, worked out by hand at two temperatures. */
static void a_temperature_is_told_with_and_without(void **state) {
  (void)state;
  static const float logits[] = {2, 0, 0, 0, 1, 3, -1, -1, 4};
  static const int32_t labels[] = {0, 1, 2};
  static const float weights[] = {1, 2, 0.5F};
  MetricsAccumulator *accumulator = NULL;
  SetosaMetrics *m = NULL;
  SetosaError error = {0};
  double loss[2] = {0, 0}, brier[2] = {0, 0};
  for (int hot = 0; hot < 2; hot++)
    for (int i = 0; i < 3; i++) {
      double e[3], sum = 0;
      for (int k = 0; k < 3; k++) sum += e[k] = exp((double)logits[3 * i + k] / (hot ? 2.5 : 1));
      loss[hot] -= (double)weights[i] * log(e[labels[i]] / sum) / 3.5;
      for (int k = 0; k < 3; k++) brier[hot] += (double)weights[i] * pow(e[k] / sum - (k == labels[i]), 2) / 3.5;
    }
  assert_int_equal(metrics_create(&accumulator, 3, &error), SETOSA_OK);
  metrics_calibrate(accumulator, 2.5);
  assert_int_equal(metrics_rank(accumulator, 3, &error), SETOSA_OK);
  assert_int_equal(metrics_add(accumulator, 3, logits, labels, weights, &error), SETOSA_OK);
  assert_int_equal(metrics_finish(accumulator, 1, &m, &error), SETOSA_OK);
  EXPECT_NEAR(m->temperature, 2.5, 0);
  EXPECT_NEAR(m->log_loss, loss[1], 1e-15);
  EXPECT_NEAR(m->brier, brier[1], 1e-15);
  EXPECT_NEAR(m->uncalibrated_log_loss, loss[0], 1e-15);
  EXPECT_NEAR(m->uncalibrated_brier, brier[0], 1e-15);
  assert_true(m->uncalibrated_ece != m->ece);
  EXPECT_NEAR(m->accuracy, 1.5 / 3.5, 1e-15); /* no temperature moves the most probable class */
  EXPECT_NEAR(m->per_class[0].auc, 1, 0);
  EXPECT_NEAR(m->per_class[1].auc, 1, 0);
  EXPECT_NEAR(m->per_class[2].auc, 1, 0);
  EXPECT_NEAR(m->macro_auc, 1, 0);
  setosa_metrics_destroy(m);
  metrics_destroy(accumulator);
}

/* Rows scored in three places, one of them without any: the same double as in one place, and rows are named by their number in all. */
static void totals_of_parts_are_those_of_all(void **state) {
  (void)state;
  enum { ROWS = 100000 };
  static float logits[3 * ROWS];
  static int32_t labels[ROWS];
  const size_t begins[] = {0, 33333, 33333, ROWS};
  MetricsTotals all = {0}, sum = {0};
  SetosaError error = {0};
  double accuracy[2] = {NAN, NAN}, loss[2] = {NAN, NAN};
  for (size_t i = 0; i < ROWS; i++) {
    for (size_t k = 0; k < 3; k++) logits[3 * i + k] = (float)sin((double)(3 * i + k)) * 20;
    labels[i] = (int32_t)(i % 3);
  }
  for (int part = -1; part < 3; part++) {
    size_t begin = part < 0 ? 0 : begins[part], end = part < 0 ? ROWS : begins[part + 1];
    MetricsAccumulator *accumulator = NULL;
    MetricsTotals totals;
    assert_int_equal(metrics_create(&accumulator, 3, &error), SETOSA_OK);
    metrics_begin_at(accumulator, begin);
    assert_int_equal(metrics_add(accumulator, end - begin, logits + 3 * begin, labels + begin, NULL, &error), SETOSA_OK);
    metrics_totals(accumulator, &totals);
    if (part < 0)
      all = totals;
    else
      metrics_totals_add(&sum, &totals);
    if (part == 1) { /* a row that cannot be */
      const int32_t wrong = 3;
      assert_int_equal(metrics_add(accumulator, 1, logits, &wrong, NULL, &error), SETOSA_ERROR_DATA);
      assert_non_null(strstr(error.message, "row 33334: "));
    }
    metrics_destroy(accumulator);
  }
  metrics_totals_summary(&all, &accuracy[0], &loss[0]);
  metrics_totals_summary(&sum, &accuracy[1], &loss[1]);
  assert_true(sum.weight == ROWS);
  assert_true(sum.correct == all.correct);
  assert_true(accuracy[0] == accuracy[1] && accuracy[0] > 0.1);
  assert_true(loss[0] == loss[1] && loss[0] > 1);
}

/* A row of weight 3 counts as three rows, and one of weight 0 as none; halves count as halves. */
static void weights_repeat_rows(void **state) {
  (void)state;
  enum { ROWS = 7, CLASSES = 3, MOST = 21 };
  float logits[ROWS * CLASSES], repeated[MOST * CLASSES];
  int32_t labels[ROWS], repeated_labels[MOST];
  const float weights[ROWS] = {1, 3, 0, 2, 1, 0, 3}, halves[ROWS] = {0.5f, 1.5f, 0, 1, 0.5f, 0, 1.5f};
  SetosaError error = {0};
  size_t count = 0;
  for (size_t i = 0; i < ROWS; i++) {
    labels[i] = (int32_t)(i * i % CLASSES);
    for (size_t k = 0; k < CLASSES; k++) logits[i * CLASSES + k] = (float)((i * 5 + k * k * 7) % 11) / 4;
    for (size_t n = 0; n < (size_t)weights[i]; n++, count++) {
      memcpy(repeated + count * CLASSES, logits + i * CLASSES, CLASSES * sizeof *logits);
      repeated_labels[count] = labels[i];
    }
  }
  SetosaMetrics *expected = measure(CLASSES, count, repeated, repeated_labels);
  for (int half = 0; half < 2; half++) {
    MetricsAccumulator *accumulator = NULL;
    SetosaMetrics *m = NULL;
    double unit = half ? 0.5 : 1;
    assert_int_equal(metrics_create(&accumulator, CLASSES, &error), SETOSA_OK);
    assert_int_equal(metrics_rank(accumulator, ROWS, &error), SETOSA_OK);
    assert_int_equal(metrics_add(accumulator, ROWS, logits, labels, half ? halves : weights, &error), SETOSA_OK);
    assert_int_equal(metrics_finish(accumulator, 1, &m, &error), SETOSA_OK);
    assert_int_equal(m->rows, ROWS);
    EXPECT_NEAR(m->weight, unit * (double)count, 0);
    EXPECT_NEAR(m->accuracy, expected->accuracy, 1e-15);
    EXPECT_NEAR(m->log_loss, expected->log_loss, 1e-15);
    EXPECT_NEAR(m->top_k_accuracy, expected->top_k_accuracy, 1e-15);
    EXPECT_NEAR(m->macro_f1, expected->macro_f1, 1e-15);
    EXPECT_NEAR(m->ece, expected->ece, 1e-15);
    EXPECT_NEAR(m->brier, expected->brier, 1e-15);
    EXPECT_NEAR(m->macro_auc, expected->macro_auc, 1e-15);
    for (size_t i = 0; i < CLASSES * CLASSES; i++) EXPECT_NEAR(m->confusion[i], unit * expected->confusion[i], 0);
    for (size_t k = 0; k < CLASSES; k++) EXPECT_NEAR(m->per_class[k].support, unit * expected->per_class[k].support, 0);
    setosa_metrics_destroy(m);
    metrics_destroy(accumulator);
  }
  setosa_metrics_destroy(expected);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_are_as_by_hand),
      cmocka_unit_test(weights_repeat_rows),
      cmocka_unit_test(a_class_without_rows_or_predictions_is_undefined),
      cmocka_unit_test(ties_go_to_the_lower_index),
      cmocka_unit_test(extreme_logits_keep_a_finite_loss),
      cmocka_unit_test(calibration_bins_are_closed_above),
      cmocka_unit_test(many_classes_have_no_confusion_matrix),
      cmocka_unit_test(blocks_add_up),
      cmocka_unit_test(a_temperature_is_told_with_and_without),
      cmocka_unit_test(totals_of_parts_are_those_of_all),
      cmocka_unit_test(wrong_input_is_refused),
      cmocka_unit_test(no_rows_have_no_averages),
  };
  return support_run("model_metrics", tests, NULL, NULL);
}
