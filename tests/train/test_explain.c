/* The worked example of kernels/README.md to its last printed digit, and random examples against finite differences. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/support.h"

#define EXPECT_NEAR(value, expected, tolerance)                                                   \
  do {                                                                                            \
    double v_ = (value), e_ = (expected);                                                         \
    if (!(fabs(v_ - e_) <= (tolerance))) fail_msg("%s is %.17g, expected %.17g", #value, v_, e_); \
  } while (0)

static SetosaExplanation *explain(size_t features, size_t classes, const double *x, const double *weights, const double *bias,
                                  size_t label) {
  SetosaError error = {0};
  SetosaExplanation *explanation = NULL;
  if (setosa_explain(&explanation, features, classes, x, weights, bias, label, &error) != SETOSA_OK) fail_msg("%s", error.message);
  return explanation;
}

/* Setosa against Non-Setosa: x = (1.9, 0.4), w1 = (0.1, 0.1), w2 = (0.5, 0.5), no bias. */
static void the_worked_example(void **state) {
  (void)state;
  static const double x[] = {1.9, 0.4}, weights[] = {0.1, 0.1, 0.5, 0.5};
  static const double both[] = {-1.358580, -0.286017, 1.358580, 0.286017};
  SetosaExplanation *e = explain(2, 2, x, weights, NULL, 0);
  const double half = 5e-7; /* half of the sixth digit */
  EXPECT_NEAR(e->logits[0], 0.23, 1e-15);
  EXPECT_NEAR(e->logits[1], 1.15, 1e-15);
  EXPECT_NEAR(e->probabilities[0], 0.284958, half);
  EXPECT_NEAR(e->probabilities[1], 0.715042, half);
  EXPECT_NEAR(e->loss, 1.255414, half);
  EXPECT_NEAR(e->loss, -log(e->probabilities[0]), 1e-15);
  EXPECT_NEAR(e->dlogits[0], -0.715042, half);
  EXPECT_NEAR(e->dlogits[1], 0.715042, half);
  for (int i = 0; i < 4; i++) {
    EXPECT_NEAR(e->dweights[i], both[i], half);
    EXPECT_NEAR(e->dweights_finite[i], both[i], half);
    EXPECT_NEAR(e->dweights_finite[i], e->dweights[i], 1e-11);
    EXPECT_NEAR(e->dweights_diagonal[i], i < 2 ? both[i] : 0, half);
  }
  /* right for the true class alone, and plainly zero for the other */
  assert_true(e->dweights_diagonal[2] == 0 && e->dweights_diagonal[3] == 0);
  assert_false(signbit(e->dweights_diagonal[2]) || signbit(e->dweights_diagonal[3]));
  EXPECT_NEAR(e->target[0], 1, 0);
  EXPECT_NEAR(e->target[1], 0, 0);
  EXPECT_NEAR(e->dbias[1], e->dlogits[1], 0);
  assert_true(e->largest_difference > 0 && e->largest_difference < 1e-11);
  assert_memory_equal(e->x, x, sizeof x);
  assert_memory_equal(e->weights, weights, sizeof weights);
  setosa_explanation_destroy(e);
}

/* An independent gradient: the loss as its definition reads, W x recomputed for every step, central differences. */
static double plain_loss(size_t features, size_t classes, const double *x, const double *weights, const double *bias, size_t label) {
  long double sum = 0, own = 0;
  for (size_t k = 0; k < classes; k++) {
    long double z = bias[k];
    for (size_t d = 0; d < features; d++) z += (long double)weights[k * features + d] * x[d];
    sum += expl(z);
    if (k == label) own = z;
  }
  return (double)(logl(sum) - own);
}

static void random_examples_agree_with_finite_differences(void **state) {
  (void)state;
  static const size_t shapes[][2] = {{1, 2}, {1, 3}, {4, 3}, {7, 10}, {31, 2}, {3, 257}, {64, 17}};
  uint64_t counter = 0;
  const uint64_t seed = 20240607;
  for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
    size_t features = shapes[s][0], classes = shapes[s][1], label = (s * 7) % classes;
    double *x = calloc(features, sizeof *x), *weights = calloc(features * classes, sizeof *weights), *bias = calloc(classes, sizeof *bias);
    for (size_t d = 0; d < features; d++) x[d] = d == 1 ? 0 : 3 * random_symmetric(seed, RANDOM_STREAM_CHECK, 0, counter++);
    for (size_t i = 0; i < features * classes; i++) weights[i] = random_symmetric(seed, RANDOM_STREAM_CHECK, 0, counter++);
    for (size_t k = 0; k < classes; k++) bias[k] = random_symmetric(seed, RANDOM_STREAM_CHECK, 0, counter++);
    SetosaExplanation *e = explain(features, classes, x, weights, bias, label);
    EXPECT_NEAR(e->loss, plain_loss(features, classes, x, weights, bias, label), 1e-13);
    assert_true(e->largest_difference < 1e-10);
    double probability_sum = 0;
    for (size_t k = 0; k < classes; k++) probability_sum += e->probabilities[k];
    EXPECT_NEAR(probability_sum, 1, 1e-14);
    for (size_t i = 0; i < features * classes; i++) {
      const double h = 6e-6; /* about the cube root of the rounding unit */
      double kept = weights[i];
      weights[i] = kept + h;
      double above = plain_loss(features, classes, x, weights, bias, label);
      weights[i] = kept - h;
      double below = plain_loss(features, classes, x, weights, bias, label);
      weights[i] = kept;
      double expected = (above - below) / (2 * h);
      if (!(fabs(e->dweights[i] - expected) < 1e-8))
        fail_msg("seed %d, shape %zu: %g, expected %g", (int)seed, s, e->dweights[i], expected);
    }
    setosa_explanation_destroy(e);
    free(x);
    free(weights);
    free(bias);
  }
}

/* Logits of +-100 and +-30000: nothing overflows, the loss keeps its digits, and the differences still agree. */
static void extreme_logits_are_exact(void **state) {
  (void)state;
  static const double sizes[] = {100, 700, 30000};
  static const double weights[] = {1, -1, 0.5};
  for (size_t i = 0; i < 3; i++) {
    double x = sizes[i];
    SetosaExplanation *e = explain(1, 3, &x, weights, NULL, 1);
    EXPECT_NEAR(e->loss, 2 * x, 1e-11);
    EXPECT_NEAR(e->dweights[0], x, x * 1e-15);
    EXPECT_NEAR(e->dweights[1], -x, x * 1e-15);
    EXPECT_NEAR(e->dweights[2], x * exp(-x / 2), 1e-15);
    assert_true(e->largest_difference < 1e-8 * x);
    setosa_explanation_destroy(e);
    e = explain(1, 3, &x, weights, NULL, 0);
    EXPECT_NEAR(e->loss, exp(-x / 2), 1e-15);
    assert_true(e->largest_difference < 1e-10);
    setosa_explanation_destroy(e);
  }
  /* Large logits that differ little: what counts is their difference. */
  double big = 1e8, near_weights[] = {1, 1 + 1e-8};
  SetosaExplanation *e = explain(1, 2, &big, near_weights, NULL, 0);
  assert_true(e->largest_difference < 1e-8 * big);
  setosa_explanation_destroy(e);
}

static void wrong_arguments_are_refused(void **state) {
  (void)state;
  static const double fine[] = {1, 2, 3, 4}, bad[] = {1, NAN, 3, 4}, huge[] = {1e200, 1e200, 1e200, 1e200};
  const struct {
    size_t features, classes;
    const double *x, *weights, *bias;
    size_t label;
    const char *message;
  } wrong[] = {
      {0, 2, fine, fine, NULL, 0, "explain: needs at least 1 feature and 2 classes, not 0 and 2"},
      {2, 1, fine, fine, NULL, 0, "explain: needs at least 1 feature and 2 classes, not 2 and 1"},
      {2, 2, fine, fine, NULL, 2, "explain: class index 2 is past the last of 2 classes;"},
      {2, 2, bad, fine, NULL, 0, "explain: feature 2 is not finite;"},
      {2, 2, fine, bad, NULL, 0, "explain: weight 2 is not finite;"},
      {2, 2, fine, fine, bad, 0, "explain: bias 2 is not finite;"},
      {2, 2, huge, huge, NULL, 0, "explain: the logit of class 1 overflows;"},
      {(size_t)1 << 62, 4, fine, fine, NULL, 0, "weights: 4611686018427387904 x 4 is more than"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    SetosaError error = {0};
    SetosaExplanation *e = (SetosaExplanation *)1;
    assert_int_equal(
        setosa_explain(&e, wrong[i].features, wrong[i].classes, wrong[i].x, wrong[i].weights, wrong[i].bias, wrong[i].label, &error),
        SETOSA_ERROR_USAGE);
    assert_null(e);
    if (strncmp(error.message, wrong[i].message, strlen(wrong[i].message)) != 0) fail_msg("got \"%s\"", error.message);
  }
  setosa_explanation_destroy(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_worked_example),
      cmocka_unit_test(random_examples_agree_with_finite_differences),
      cmocka_unit_test(extreme_logits_are_exact),
      cmocka_unit_test(wrong_arguments_are_refused),
  };
  return support_run("train_explain", tests, NULL, NULL);
}
