/* Areas under ROC curves against the definition: all pairs of a row of the class and another, one by one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "model/auc.h"
#include "support/support.h"

enum { ROWS = 701, CLASSES = 4 };
static double logits[ROWS][CLASSES], weights[ROWS];
static size_t labels[ROWS];

/* step: logits are multiples of it, so that many rows tie. whole: weights are 0 to 3, else 1. */
static void make(double size, double step, bool whole) {
  for (uint64_t i = 0; i < ROWS; i++) {
    labels[i] = (size_t)random_below(7, RANDOM_STREAM_LABELS, 0, i, CLASSES - 1); /* the last class has no row */
    weights[i] = whole ? (double)random_below(8, RANDOM_STREAM_LABELS, 1, i, 4) : 1;
    for (uint64_t k = 0; k < CLASSES; k++) {
      double z = size * random_symmetric(9, RANDOM_STREAM_CHECK, 0, i * CLASSES + k) + (k == labels[i] ? size / 3 : 0);
      logits[i][k] = step > 0 ? round(z / step) * step : (double)(float)z;
    }
  }
}

static float log_odds(const double *z, size_t k) {
  long double sum = 0, top = -INFINITY;
  for (size_t j = 0; j < CLASSES; j++)
    if (j != k && z[j] > (double)top) top = z[j];
  for (size_t j = 0; j < CLASSES; j++)
    if (j != k) sum += expl(z[j] - top);
  return (float)((long double)z[k] - top - logl(sum));
}

static double by_pairs(size_t k) {
  static float scores[ROWS];
  double right = 0, own = 0, others = 0;
  for (size_t i = 0; i < ROWS; i++) scores[i] = log_odds(logits[i], k);
  for (size_t i = 0; i < ROWS; i++) *(labels[i] == k ? &own : &others) += weights[i];
  for (size_t i = 0; i < ROWS; i++)
    for (size_t j = 0; j < ROWS && labels[i] == k; j++)
      if (labels[j] != k) right += weights[i] * weights[j] * (scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0);
  return right / (own * others);
}

static double measure(double *areas, uint64_t bytes) {
  AucAccumulator *auc = NULL;
  SetosaError error = {0};
  double bound = NAN;
  support_ok(auc_create(&auc, ROWS, CLASSES, bytes, &error), &error);
  assert_non_null(auc);
  for (size_t i = 0; i < ROWS; i++) auc_add(auc, logits[i], labels[i], weights[i]);
  support_ok(auc_finish(auc, areas, &bound, &error), &error);
  auc_destroy(auc);
  return bound;
}

static void ranks_are_pairs(void **state) {
  (void)state;
  static const struct {
    double size, step;
  } cases[] = {{1, 0}, {1, 0.25}, {0.01, 0}, {50, 0}, {2000, 0}, {3, 1}, {1, 4}}; /* of the last all logits are 0: every pair ties */
  for (int whole = 0; whole < 2; whole++)
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
      double areas[CLASSES];
      make(cases[c].size, cases[c].step, whole);
      assert_true(measure(areas, 1 << 20) == 0);
      for (size_t k = 0; k + 1 < CLASSES; k++) support_near(areas[k], by_pairs(k), 1e-12);
      assert_true(isnan(areas[CLASSES - 1]));
      if (c + 1 == sizeof cases / sizeof *cases) assert_true(areas[0] == 0.5);
    }
}

/* Where the scores do not fit they are counted, and the error is within the bound, which is told. */
static void bins_keep_their_bound(void **state) {
  (void)state;
  static const double sizes[] = {0.001, 1, 20, 1e6};
  static const uint64_t bytes[] = {CLASSES * 1024 * 16, CLASSES * 4096 * 16};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    double before = 1;
    make(sizes[s], 0, true);
    for (size_t b = 0; b < 2; b++) {
      double areas[CLASSES], bound = NAN;
      AucAccumulator *auc = NULL;
      SetosaError error = {0};
      support_ok(auc_create(&auc, (uint64_t)1 << 40, CLASSES, bytes[b], &error), &error);
      assert_non_null(auc);
      for (size_t i = 0; i < ROWS; i++) auc_add(auc, logits[i], labels[i], weights[i]);
      support_ok(auc_finish(auc, areas, &bound, &error), &error);
      auc_destroy(auc);
      assert_true(bound > 0 && bound <= before);
      before = bound;
      for (size_t k = 0; k + 1 < CLASSES; k++) assert_true(fabs(areas[k] - by_pairs(k)) <= bound + 1e-12);
      if (sizes[s] == 1) assert_true(bound < (b == 0 ? 1e-2 : 3e-3));
    }
  }
}

static void too_many_classes_have_none(void **state) {
  (void)state;
  AucAccumulator *auc = (AucAccumulator *)1;
  SetosaError error = {0};
  support_ok(auc_create(&auc, (uint64_t)1 << 40, 100000, (uint64_t)512 << 20, &error), &error);
  assert_null(auc);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ranks_are_pairs),
      cmocka_unit_test(bins_keep_their_bound),
      cmocka_unit_test(too_many_classes_have_none),
  };
  return support_run("model_auc", tests, NULL, NULL);
}
