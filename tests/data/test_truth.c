/* The true weights of synthetic data, and the distance of others from them. */
#include <math.h>

#include "data/options.h"
#include "data/synthetic.h"

static Synthetic *create(const char *source, SyntheticSpec *spec, float **weights) {
  Synthetic *synthetic = NULL;
  SetosaError error = {0};
  support_ok(synthetic_parse(spec, source, &error), &error);
  support_ok(synthetic_create(&synthetic, spec, &error), &error);
  support_ok(synthetic_weights(weights, synthetic, &error), &error);
  return synthetic;
}

static void expect(const Synthetic *synthetic, const float *weights, const double *factor, double distance, double cosine) {
  double found[2] = {NAN, NAN};
  SetosaError error = {0};
  support_ok(synthetic_distance(&found[0], &found[1], synthetic, weights, factor, &error), &error);
  support_near(found[0], distance, 2e-6);
  if (isnan(cosine))
    assert_true(isnan(found[1]));
  else
    support_near(found[1], cosine, 2e-6);
}

/* Logits of deviation 1e4 leave no doubt: nearly every label is the class of the largest, in more features than a class uses. */
static void labels_follow_the_weights(void **state) {
  (void)state;
  SyntheticSpec spec;
  float *weights = NULL;
  enum { ROWS = 2000, FEATURES = 45, CLASSES = 6 };
  Synthetic *synthetic = create("synthetic:features=45,classes=6,separation=1e4,seed=4", &spec, &weights);
  static float values[ROWS * FEATURES];
  static int32_t labels[ROWS];
  size_t right = 0, used = 0;
  for (size_t i = 0; i < CLASSES * FEATURES; i++) used += weights[i] != 0;
  assert_int_equal(used, CLASSES * SYNTHETIC_USED);
  synthetic_fill(synthetic, 0, ROWS, values, labels);
  for (size_t i = 0; i < ROWS; i++) {
    double largest = -INFINITY;
    int32_t best = -1;
    for (int32_t k = 0; k < CLASSES; k++) {
      double z = 0;
      for (size_t d = 0; d < FEATURES; d++) z += (double)weights[(size_t)k * FEATURES + d] * (double)values[i * FEATURES + d];
      if (z > largest) largest = z, best = k;
    }
    right += labels[i] == best;
  }
  assert_true(right >= ROWS - 6); /* two logits within 1 of each other: about 1 row in 4000 */
  free(weights);
  synthetic_destroy(synthetic);
}

static void known_distances(void **state) {
  (void)state;
  SyntheticSpec spec;
  float *weights = NULL;
  double factor[40];
  enum { FEATURES = 40, CLASSES = 5, COUNT = FEATURES * CLASSES };
  Synthetic *synthetic = create("synthetic:features=40,classes=5,seed=2", &spec, &weights);
  float other[COUNT];
  expect(synthetic, weights, NULL, 0, 1);
  for (size_t i = 0; i < COUNT; i++) other[i] = weights[i] + 0.25f * (float)(i % FEATURES); /* softmax does not see it */
  expect(synthetic, other, NULL, 0, 1);
  for (size_t i = 0; i < COUNT; i++) other[i] = 2 * weights[i];
  expect(synthetic, other, NULL, 1, 1);
  for (size_t i = 0; i < COUNT; i++) other[i] = -weights[i];
  expect(synthetic, other, NULL, 2, -1);
  for (size_t i = 0; i < COUNT; i++) other[i] = 0;
  expect(synthetic, other, NULL, 1, NAN);
  for (size_t d = 0; d < FEATURES; d++) factor[d] = 0.5 + (double)d;
  for (size_t i = 0; i < COUNT; i++) other[i] = (float)((double)weights[i] / factor[i % FEATURES]); /* learned from features times factor */
  expect(synthetic, other, factor, 0, 1);

  for (size_t i = 0; i < COUNT; i++) other[i] = 1.5f * weights[i];
  expect(synthetic, other, NULL, 0.5, 1);
  free(weights);
  synthetic_destroy(synthetic);
}

/* No separation: there is no direction to be near to. */
static void nothing_to_compare(void **state) {
  (void)state;
  SyntheticSpec spec;
  float *weights = NULL;
  double distance = 0, cosine = 0;
  SetosaError error = {0};
  Synthetic *synthetic = create("synthetic:features=3,classes=2,separation=0", &spec, &weights);
  support_ok(synthetic_distance(&distance, &cosine, synthetic, weights, NULL, &error), &error);
  assert_true(isnan(distance) && isnan(cosine));
  free(weights);
  synthetic_destroy(synthetic);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(labels_follow_the_weights),
      cmocka_unit_test(known_distances),
      cmocka_unit_test(nothing_to_compare),
  };
  return support_run("data_truth", tests, NULL, NULL);
}
