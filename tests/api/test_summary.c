/* Standard errors through setosa.h alone: what a summary holds, and that its intervals cover the truth as often as they say. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

enum { FEATURES = 2, CLASSES = 3, ROWS = 300, REPLICATIONS = 200, TERMS = FEATURES + 1 };

/* Of classes 1 and 2 against 0: two slopes and the intercept. */
static const double truth[CLASSES][TERMS] = {{0, 0, 0}, {0.8, -0.5, 0.3}, {-0.4, 0.6, -0.2}};

/* Numbers in (0, 1) that are the same everywhere (splitmix64), and normal ones of them. */
static double next(uint64_t *state) {
  uint64_t z = *state += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return ((double)((z ^ z >> 31) >> 11) + 0.5) * 0x1p-53;
}

static double normal(uint64_t *state) {
  double size = sqrt(-2 * log(next(state)));
  return size * cos(6.283185307179586 * next(state));
}

static void draw(float x[ROWS * FEATURES], int32_t labels[ROWS], uint64_t seed) {
  uint64_t state = seed;
  for (size_t i = 0; i < ROWS; i++) {
    double best = -INFINITY;
    for (size_t d = 0; d < FEATURES; d++) x[i * FEATURES + d] = (float)normal(&state);
    for (int32_t k = 0; k < CLASSES; k++) { /* the largest of logits with Gumbel noise has the probabilities of a softmax */
      double z = truth[k][FEATURES] - log(-log(next(&state)));
      for (size_t d = 0; d < FEATURES; d++) z += truth[k][d] * (double)x[i * FEATURES + d];
      if (z > best) best = z, labels[i] = k;
    }
  }
}

/* false: this machine has no LAPACK. */
static bool summarize(SetosaSummary **summary, const float *x, const int32_t *labels, bool robust) {
  SetosaError error = {0};
  SetosaDataset *data = NULL;
  SetosaModel *model = NULL;
  SetosaTrainOptions options = setosa_train_options_default();
  SetosaSummaryOptions how = setosa_summary_options_default();
  options.compute.backend = SETOSA_BACKEND_REFERENCE;
  options.solver = SETOSA_SOLVER_LBFGS;
  options.l2 = 0;
  how.robust = robust;
  support_ok(setosa_dataset_wrap(&data, ROWS, FEATURES, CLASSES, x, labels, &error), &error);
  support_ok(setosa_train(&model, NULL, data, &options, &error), &error);
  SetosaStatus status = setosa_summary(summary, model, data, &how, &error);
  setosa_model_destroy(model);
  setosa_dataset_destroy(data);
  if (status == SETOSA_ERROR_DEVICE) return false;
  support_ok(status, &error);
  return true;
}

static void holds_what_it_says(void **state) {
  (void)state;
  static float x[ROWS * FEATURES];
  static int32_t labels[ROWS];
  SetosaSummary *s = NULL;
  draw(x, labels, 1);
  if (!summarize(&s, x, labels, false)) support_skip("no LAPACK");
  assert_int_equal(s->rows, ROWS);
  assert_true(s->weight == ROWS);
  assert_int_equal(s->classes, CLASSES);
  assert_int_equal(s->term_count, TERMS);
  assert_string_equal(s->terms[0].name, "x1"); /* arrays have no names */
  assert_string_equal(s->terms[TERMS - 1].name, "(intercept)");
  assert_true(s->terms[TERMS - 1].intercept && !s->terms[0].intercept);
  assert_string_equal(s->class_names[2], "2");
  assert_null(s->effects);
  assert_true(isnan(s->coefficients[0].value)); /* of the base */
  assert_int_equal(s->lr_df, (CLASSES - 1) * FEATURES);
  for (size_t k = 1; k < CLASSES; k++)
    for (size_t t = 0; t < TERMS; t++) {
      const SetosaEstimate *of = &s->coefficients[k * TERMS + t];
      size_t at = (k - 1) * TERMS + t, line = (CLASSES - 1) * TERMS;
      support_near(of->z, of->value / of->standard_error, 1e-14);
      support_near(of->high - of->low, 2 * 1.959963984540054 * of->standard_error, 1e-12);
      support_near(sqrt(s->covariance[at * line + at]), of->standard_error, 1e-14);
      for (size_t b = 0; b < line; b++) support_near(s->covariance[at * line + b], s->covariance[b * line + at], 1e-12);
    }
  setosa_summary_destroy(s);
}

/* 1200 intervals of 95 %: their share has a standard error of 0.6 % if they were independent. */
static void expect_coverage(bool robust) {
  static float x[ROWS * FEATURES];
  static int32_t labels[ROWS];
  size_t covered = 0, intervals = 0;
  for (size_t n = 0; n < REPLICATIONS; n++) {
    SetosaSummary *s = NULL;
    draw(x, labels, 1000 + n);
    if (!summarize(&s, x, labels, robust)) support_skip("no LAPACK");
    for (size_t k = 1; k < CLASSES; k++)
      for (size_t t = 0; t < TERMS; t++, intervals++)
        covered += s->coefficients[k * TERMS + t].low <= truth[k][t] && truth[k][t] <= s->coefficients[k * TERMS + t].high;
    setosa_summary_destroy(s);
  }
  double share = (double)covered / (double)intervals;
  print_message("%zu of %zu intervals cover the truth: %.2f %%\n", covered, intervals, 100 * share);
  assert_true(fabs(share - 0.95) <= 0.02);
}

static void intervals_cover_the_truth(void **state) {
  (void)state;
  expect_coverage(false);
  expect_coverage(true);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(holds_what_it_says),
      cmocka_unit_test(intervals_cover_the_truth),
  };
  return support_run("api_summary", tests, NULL, NULL);
}
