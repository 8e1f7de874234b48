/* Synthetic data: the same bits whatever the chunking, from the counters that the header promises, with the statistics asked for. */
#include <math.h>

#include "base/hash.h"
#include "base/random.h"
#include "data/dataset.h"
#include "data/options.h"
#include "data/synthetic.h"

static const uint64_t GOLDEN_VALUES = 0xb3ef281738c84dda, GOLDEN_LABELS = 0x89a77091a7ac5069;

static Synthetic *create(const char *source, SyntheticSpec *spec) {
  Synthetic *synthetic = NULL;
  SetosaError error = {0};
  support_ok(synthetic_parse(spec, source, &error), &error);
  support_ok(synthetic_create(&synthetic, spec, &error), &error);
  return synthetic;
}

static void any_chunking_gives_the_same_bits(void **state) {
  (void)state;
  static const char *const sources[] = {
      "synthetic:rows=103,features=1,classes=2,seed=5",
      "synthetic:rows=103,features=7,classes=3,seed=6,noise=0.2,sparsity=0.3",
      "synthetic:rows=103,features=67,classes=11,seed=18446744073,separation=2",
  };
  static const size_t chunks[] = {1, 2, 5, 15, 16, 17, 64, 103};
  for (size_t s = 0; s < sizeof sources / sizeof *sources; s++) {
    SetosaDataset *whole = NULL;
    SetosaError error = {0};
    SyntheticSpec spec;
    support_ok(setosa_dataset_load(&whole, sources[s], NULL, &error), &error);
    Synthetic *synthetic = create(sources[s], &spec);
    size_t bytes = setosa_dataset_rows(whole) * setosa_dataset_features(whole) * sizeof(float);
    float *values = malloc(bytes);
    int32_t labels[103];
    for (size_t c = 0; c < sizeof chunks / sizeof *chunks; c++) {
      support_poison(values, setosa_dataset_rows(whole) * setosa_dataset_features(whole));
      support_poison_labels(labels, setosa_dataset_rows(whole));
      for (size_t end = setosa_dataset_rows(whole); end > 0;) { /* from the back: order does not matter either */
        size_t count = end < chunks[c] ? end : chunks[c];
        end -= count;
        synthetic_fill(synthetic, end, count, values + end * setosa_dataset_features(whole), labels + end);
      }
      assert_memory_equal(values, setosa_dataset_values(whole), bytes);
      assert_memory_equal(labels, setosa_dataset_labels(whole), sizeof labels);
    }
    free(values);
    synthetic_destroy(synthetic);
    setosa_dataset_destroy(whole);
  }
}

/* The bits of today, for ever: a change here breaks every published result on synthetic data. */
static void golden_hash(void **state) {
  (void)state;
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  support_ok(
      setosa_dataset_load(&dataset, "synthetic:rows=1e3,features=37,classes=7,seed=42,noise=0.1,separation=3,sparsity=0.25", NULL, &error),
      &error);
  uint64_t values =
      hash_bytes(setosa_dataset_values(dataset), setosa_dataset_rows(dataset) * setosa_dataset_features(dataset) * sizeof(float));
  uint64_t labels = hash_bytes(setosa_dataset_labels(dataset), setosa_dataset_rows(dataset) * sizeof(int32_t));
  if (values != GOLDEN_VALUES || labels != GOLDEN_LABELS)
    fail_msg("values %016llx, labels %016llx", (unsigned long long)values, (unsigned long long)labels);
  setosa_dataset_destroy(dataset);
}

/* Features come from random_words(), not from something like it. */
static void features_follow_the_counters(void **state) {
  (void)state;
  SyntheticSpec spec;
  Synthetic *synthetic = create("synthetic:rows=10,features=5,classes=2,seed=77", &spec);
  const uint64_t first = ((uint64_t)1 << 32) - 3; /* the counter passes 32 bits */
  float values[10 * 5];
  int32_t labels[10];
  support_poison(values, 50);
  synthetic_fill(synthetic, first, 10, values, labels);
  for (uint64_t i = 0; i < 10; i++)
    for (uint64_t d = 0; d < 5; d++) {
      uint32_t words[4], *pair = words + 2 * (d % 2);
      random_words(77, RANDOM_STREAM_FEATURES, d / 2, first + i, words);
      int32_t sum = (int32_t)((pair[0] & 65535) + (pair[0] >> 16) + (pair[1] & 65535) + (pair[1] >> 16)) - 131070;
      support_near(values[i * 5 + d], sum / sqrt((pow(2, 32) - 1) / 3), 2e-7);
    }
  synthetic_destroy(synthetic);
}

static void statistics_are_as_asked(void **state) {
  (void)state;
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  support_ok(setosa_dataset_load(&dataset, "synthetic:rows=2e5,features=4,classes=5,noise=1,sparsity=0.25,seed=9", NULL, &error), &error);
  double count = (double)setosa_dataset_rows(dataset) * 4, sum = 0, squares = 0, zeros = 0, classes[5] = {0};
  for (size_t i = 0; i < setosa_dataset_rows(dataset) * 4; i++) {
    sum += setosa_dataset_values(dataset)[i];
    squares += (double)setosa_dataset_values(dataset)[i] * setosa_dataset_values(dataset)[i];
    zeros += setosa_dataset_values(dataset)[i] == 0;
  }
  for (size_t i = 0; i < setosa_dataset_rows(dataset); i++) classes[setosa_dataset_labels(dataset)[i]]++;
  /* Five deviations of each estimate. */
  support_near(sum / count, 0, 5 / sqrt(count));
  support_near(squares / count, 0.75, 5 * sqrt(3 / count));
  support_near(zeros / count, 0.25, 5 * sqrt(0.1875 / count));
  for (int k = 0; k < 5; k++)
    support_near(classes[k] / (double)setosa_dataset_rows(dataset), 0.2, 5 * sqrt(0.16 / (double)setosa_dataset_rows(dataset)));
  setosa_dataset_destroy(dataset);
}

/* One feature, two classes: P(class 0 | x) = 1 / (1 + exp(-c x)) for one c, so the log-odds of the label frequencies are linear in x. */
static void labels_come_from_a_softmax_model(void **state) {
  (void)state;
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  support_ok(setosa_dataset_load(&dataset, "synthetic:rows=4e5,features=1,classes=2,separation=1,seed=1", NULL, &error), &error);
  double near_one[2] = {0}, near_half[2] = {0}, near_minus_one[2] = {0};
  for (size_t i = 0; i < setosa_dataset_rows(dataset); i++) {
    double x = setosa_dataset_values(dataset)[i];
    if (fabs(x - 1) < 0.05) near_one[setosa_dataset_labels(dataset)[i]]++;
    if (fabs(x - 0.5) < 0.05) near_half[setosa_dataset_labels(dataset)[i]]++;
    if (fabs(x + 1) < 0.05) near_minus_one[setosa_dataset_labels(dataset)[i]]++;
  }
  double one = log(near_one[0] / near_one[1]), half = log(near_half[0] / near_half[1]), minus = log(near_minus_one[0] / near_minus_one[1]);
  assert_true(fabs(one) > 0.1);    /* the seed's weights differ */
  support_near(minus, -one, 0.15); /* five deviations: about 10,000 rows in each bin */
  support_near(half, one / 2, 0.12);
  setosa_dataset_destroy(dataset);
}

static void exp_is_accurate(void **state) {
  (void)state;
  double worst = 0;
  for (double x = 0; x > -80; x -= 0.000931) {
    double exact = exp((double)(float)x), error = fabs(synthetic_exp((float)x) - exact) / exact;
    if (error > worst) worst = error;
  }
  if (!(worst < 3e-7)) fail_msg("the relative error reaches %g", worst);
  assert_true(synthetic_exp(0.0f) == 1.0f);
  assert_true(synthetic_exp(-80.5f) == 0.0f && synthetic_exp(-3e38f) == 0.0f && synthetic_exp(-INFINITY) == 0.0f);
}

static void options_apply_to_synthetic_data(void **state) {
  (void)state;
  SetosaDataset *dataset = NULL, *plain = NULL;
  SetosaError error = {0};
  support_ok(test_load(&plain, "synthetic:rows=50,features=3,classes=3", "", &error), &error);
  support_ok(test_load(&dataset, "synthetic:rows=50,features=3,classes=3", "positive=2 scale=2", &error), &error);
  assert_int_equal(setosa_dataset_classes(dataset), 2);
  assert_string_equal(setosa_dataset_class_name(dataset, 1), "non-2");
  for (size_t i = 0; i < 50; i++) {
    assert_int_equal(setosa_dataset_labels(dataset)[i], setosa_dataset_labels(plain)[i] == 2 ? 0 : 1);
    assert_true(setosa_dataset_values(dataset)[3 * i] == 2 * setosa_dataset_values(plain)[3 * i]);
  }
  setosa_dataset_destroy(dataset);
  support_ok(test_load(&dataset, "synthetic:rows=50,features=3,classes=3", "expect=3 classes=2,1,0", &error), &error);
  for (size_t i = 0; i < 50; i++) assert_int_equal(setosa_dataset_labels(dataset)[i], 2 - setosa_dataset_labels(plain)[i]);
  setosa_dataset_destroy(dataset);
  setosa_dataset_destroy(plain);
  support_ok(test_load(&dataset, "synthetic", "", &error), &error); /* every key has a default */
  assert_int_equal(setosa_dataset_rows(dataset), 1000);
  setosa_dataset_destroy(dataset);
}

static void extreme_shapes_work(void **state) {
  (void)state;
  static const char *const sources[] = {"synthetic:rows=17,features=100001,classes=2", "synthetic:rows=17,features=3,classes=100000,seed=3",
                                        "synthetic:rows=1,features=1,classes=2", "synthetic:rows=40,features=33,classes=4,separation=1e6",
                                        "synthetic:rows=40,features=32,classes=4,separation=0"};
  for (size_t s = 0; s < sizeof sources / sizeof *sources; s++) {
    SetosaDataset *dataset = NULL;
    SetosaError error = {0};
    support_ok(setosa_dataset_load(&dataset, sources[s], NULL, &error), &error);
    for (size_t i = 0; i < setosa_dataset_rows(dataset) * setosa_dataset_features(dataset); i++)
      assert_true(isfinite(setosa_dataset_values(dataset)[i]));
    for (size_t i = 0; i < setosa_dataset_rows(dataset); i++)
      assert_in_range(setosa_dataset_labels(dataset)[i], 0, setosa_dataset_classes(dataset) - 1);
    setosa_dataset_destroy(dataset);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_chunking_gives_the_same_bits), cmocka_unit_test(golden_hash),
      cmocka_unit_test(features_follow_the_counters),     cmocka_unit_test(statistics_are_as_asked),
      cmocka_unit_test(labels_come_from_a_softmax_model), cmocka_unit_test(exp_is_accurate),
      cmocka_unit_test(options_apply_to_synthetic_data),  cmocka_unit_test(extreme_shapes_work),
  };
  return support_run("data_synthetic", tests, NULL, NULL);
}
