/* Wrapping, scaling, standardising, shuffling and splitting against values worked out here. */
#include <float.h>
#include <math.h>

#include <string.h>

#include "support/dataset.h"
#include "support/support.h"

static SetosaDataset *wrap(size_t rows, size_t features, const float *values, const int32_t *labels) {
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  support_ok(setosa_dataset_wrap(&dataset, rows, features, 3, values, labels, &error), &error);
  return dataset;
}

static void wrap_checks_what_it_takes(void **state) {
  (void)state;
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  const float good[] = {1, 2, 3, 4}, nan_value[] = {1, 2, 3, NAN}, infinite[] = {1, -INFINITY, 3, 4};
  const int32_t labels[] = {0, 1}, negative[] = {0, -1}, large[] = {2, 0};
  support_fails(setosa_dataset_wrap(&dataset, 0, 2, 2, good, labels, &error), &error, SETOSA_ERROR_USAGE, "a data set needs");
  support_fails(setosa_dataset_wrap(&dataset, 2, 0, 2, good, labels, &error), &error, SETOSA_ERROR_USAGE, "a data set needs");
  support_fails(setosa_dataset_wrap(&dataset, 2, 2, 2, NULL, labels, &error), &error, SETOSA_ERROR_USAGE,
                "setosa_dataset_wrap: the argument `values`");
  support_fails(setosa_dataset_wrap(&dataset, 2, 2, 1, good, labels, &error), &error, SETOSA_ERROR_USAGE, "a labelled data set needs");
  support_fails(setosa_dataset_wrap(&dataset, SIZE_MAX / 2, 3, 2, good, labels, &error), &error, SETOSA_ERROR_USAGE, "the data:");
  support_fails(setosa_dataset_wrap(&dataset, 2, 2, 2, nan_value, labels, &error), &error, SETOSA_ERROR_DATA,
                "data:2:2: the value is not a number");
  support_fails(setosa_dataset_wrap(&dataset, 2, 2, 2, infinite, labels, &error), &error, SETOSA_ERROR_DATA,
                "data:1:2: the value is infinite");
  support_fails(setosa_dataset_wrap(&dataset, 2, 2, 2, good, negative, &error), &error, SETOSA_ERROR_DATA,
                "data:2: the label -1 is not in 0..1");
  support_fails(setosa_dataset_wrap(&dataset, 2, 2, 2, good, large, &error), &error, SETOSA_ERROR_DATA,
                "data:1: the label 2 is not in 0..1");
  assert_null(dataset);
  support_ok(setosa_dataset_wrap(&dataset, 2, 2, 0, good, NULL, &error), &error);
  assert_null(setosa_dataset_labels(dataset));
  assert_null(setosa_dataset_feature_name(dataset, 0));
  assert_null(setosa_dataset_class_name(dataset, 0));
  setosa_dataset_destroy(dataset);
  support_ok(setosa_dataset_wrap(&dataset, 2, 2, 12, good, labels, NULL), NULL);
  assert_ptr_equal(setosa_dataset_values(dataset), good);
  assert_string_equal(setosa_dataset_class_name(dataset, 11), "11");
  assert_null(setosa_dataset_class_name(dataset, 12));
  setosa_dataset_destroy(dataset);
  setosa_dataset_destroy(NULL);
}

/* Mean 0, population deviation 1, a constant column 0; the caller's array untouched; the scaling gives the same bits elsewhere. */
static void standardize_centres_and_scales(void **state) {
  (void)state;
  enum { N = 1000, D = 4 };
  float values[N * D], kept[N * D];
  int32_t labels[N];
  for (int i = 0; i < N; i++) {
    values[i * D] = (float)i * 0.37f - 20;
    values[i * D + 1] = 7.25f;
    values[i * D + 2] = 1e7f + (float)(i % 2); /* mean far above the deviation */
    values[i * D + 3] = i == 0 ? 1e38f : -1e38f;
    labels[i] = i % 3;
  }
  memcpy(kept, values, sizeof kept);
  SetosaDataset *dataset = wrap(N, D, values, labels), *other = wrap(N, D, values, labels);
  SetosaError error = {0};
  support_ok(setosa_dataset_standardize(dataset, &error), &error);
  assert_memory_equal(values, kept, sizeof kept);
  assert_ptr_not_equal(setosa_dataset_values(dataset), values);
  for (int d = 0; d < D; d++) {
    double mean = 0, variance = 0;
    for (int i = 0; i < N; i++) mean += (double)setosa_dataset_values(dataset)[i * D + d] / N;
    for (int i = 0; i < N; i++) variance += pow(setosa_dataset_values(dataset)[i * D + d] - mean, 2) / N;
    if (d == 1) {
      for (int i = 0; i < N; i++) assert_true(setosa_dataset_values(dataset)[i * D + d] == 0);
      assert_true(dataset_scaling(dataset)->scale[d] == 0);
      continue;
    }
    if (d == 2) { /* the offset 10000000.5 lies between two floats: off by at most half a unit of the data */
      assert_true(fabs(mean) <= 1 + 1e-9 && fabs(variance - 1) < 1e-6);
      continue;
    }
    support_near(mean, 0, 4 * FLT_EPSILON * (d == 3 ? 32 : 4)); /* values reach sqrt(N) in column 3 */
    support_near(variance, 1, 16 * FLT_EPSILON);
  }
  support_ok(setosa_dataset_scale_like(other, dataset, &error), &error);
  assert_memory_equal(setosa_dataset_values(other), setosa_dataset_values(dataset), sizeof values);
  support_ok(setosa_dataset_scale_like(other, dataset, &error), &error); /* the same again changes nothing */
  assert_memory_equal(setosa_dataset_values(other), setosa_dataset_values(dataset), sizeof values);
  setosa_dataset_destroy(dataset);
  setosa_dataset_destroy(other);
}

static void standardize_composes_with_a_scale(void **state) {
  (void)state;
  const float values[] = {0, 10, 255, 20, 51, 30, 102, 40};
  const double halves[] = {1.0 / 255, 0.5};
  const int32_t labels[] = {0, 1, 2, 0};
  SetosaError error = {0};
  SetosaDataset *dataset = wrap(4, 2, values, labels), *raw = wrap(4, 2, values, labels);
  support_ok(dataset_apply_scaling(dataset, NULL, halves, &error), &error);
  support_ok(setosa_dataset_standardize(dataset, &error), &error);
  support_ok(setosa_dataset_scale_like(raw, dataset, &error), &error);
  double deviation = sqrt((102.0 * 102 + 153.0 * 153 + 51.0 * 51 + 0) / 4);
  for (int i = 0; i < 4; i++) support_near(setosa_dataset_values(dataset)[2 * i], (values[2 * i] - 102.0) / deviation, 4e-7);
  for (int i = 0; i < 8; i++) support_near(setosa_dataset_values(raw)[i], setosa_dataset_values(dataset)[i], 4e-7);
  support_ok(setosa_dataset_standardize(dataset, &error), &error); /* idempotent up to rounding */
  for (int i = 0; i < 8; i++) support_near(setosa_dataset_values(raw)[i], setosa_dataset_values(dataset)[i], 1e-6);
  setosa_dataset_destroy(dataset);
  setosa_dataset_destroy(raw);
}

static void scalings_that_do_not_fit_are_refused(void **state) {
  (void)state;
  const float values[] = {1, 2, 3, 4, 5, 6};
  const double twice[] = {2, 2}, thrice[] = {3, 3}, huge[] = {1e38, 1};
  const int32_t labels[] = {0, 1, 2};
  SetosaError error = {0};
  SetosaDataset *two = wrap(3, 2, values, labels), *three = wrap(2, 3, values, labels), *plain = wrap(3, 2, values, labels);
  support_ok(setosa_dataset_scale_like(two, plain, &error), &error);
  support_ok(dataset_apply_scaling(two, NULL, twice, &error), &error);
  support_fails(dataset_apply_scaling(two, NULL, thrice, &error), &error, SETOSA_ERROR_USAGE, "data: these rows were already scaled");
  error.status = SETOSA_OK;
  support_fails(setosa_dataset_scale_like(three, two, &error), &error, SETOSA_ERROR_DATA, "data: 3 features, but data has 2");
  support_fails(setosa_dataset_scale_like(two, plain, &error), &error, SETOSA_ERROR_USAGE, "data: these rows were scaled, but");
  error.status = SETOSA_OK;
  support_fails(dataset_apply_scaling(plain, NULL, huge, &error), &error, SETOSA_ERROR_DATA, "data: row 3, feature 1 is too large");
  error.status = SETOSA_OK;
  const float apart[] = {3e38f, 1, -3e38f, 2, -3e38f, 3}; /* farther from each other than f32 can tell */
  SetosaDataset *wide = wrap(3, 2, apart, labels);
  support_ok(setosa_dataset_standardize(wide, &error), &error);
  for (int i = 0; i < 3; i++) support_near(setosa_dataset_values(wide)[2 * i], i == 0 ? sqrt(2) : -sqrt(0.5), 1e-6);
  setosa_dataset_destroy(wide);
  setosa_dataset_destroy(two);
  setosa_dataset_destroy(three);
  setosa_dataset_destroy(plain);
}

enum { MANY = 1001 };

static SetosaDataset *numbered(float *values, int32_t *labels) {
  for (int i = 0; i < MANY; i++) {
    values[2 * i] = (float)i;
    values[2 * i + 1] = (float)-i;
    labels[i] = i % 3;
  }
  return wrap(MANY, 2, values, labels);
}

/* Every row occurs once in the parts, whole and with its label; counts rows into seen. */
static void count_rows(const SetosaDataset *dataset, int seen[MANY]) {
  for (size_t i = 0; i < setosa_dataset_rows(dataset); i++) {
    int row = (int)setosa_dataset_values(dataset)[2 * i];
    assert_in_range(row, 0, MANY - 1);
    assert_true(setosa_dataset_values(dataset)[2 * i + 1] == (float)-row);
    assert_int_equal(setosa_dataset_labels(dataset)[i], row % 3);
    seen[row]++;
  }
}

static void shuffle_permutes_reproducibly(void **state) {
  (void)state;
  float values[2 * MANY], again[2 * MANY];
  int32_t labels[MANY], labels_again[MANY];
  int seen[MANY] = {0}, fixed = 0;
  SetosaError error = {0};
  SetosaDataset *a = numbered(values, labels), *b = numbered(again, labels_again);
  support_ok(setosa_dataset_shuffle(a, 7, &error), &error);
  support_ok(setosa_dataset_shuffle(b, 7, &error), &error);
  assert_memory_equal(setosa_dataset_values(a), setosa_dataset_values(b), sizeof values);
  count_rows(a, seen);
  for (int i = 0; i < MANY; i++) {
    assert_int_equal(seen[i], 1);
    fixed += setosa_dataset_values(a)[2 * i] == (float)i;
  }
  assert_true(fixed < 10); /* one is expected; ten would come once in a million */
  support_ok(setosa_dataset_shuffle(b, 8, &error), &error);
  assert_memory_not_equal(setosa_dataset_values(a), setosa_dataset_values(b), sizeof values);
  assert_true(values[2] == 1); /* the caller's array is as it was */
  setosa_dataset_destroy(a);
  setosa_dataset_destroy(b);
}

static void split_moves_the_right_number(void **state) {
  (void)state;
  static const double fractions[] = {0.0006, 0.1, 0.25, 0.5, 0.9, 0.9994};
  for (size_t f = 0; f < sizeof fractions / sizeof *fractions; f++) {
    float values[2 * MANY];
    int32_t labels[MANY];
    int seen[MANY] = {0};
    const double scale[] = {1, 1};
    SetosaError error = {0};
    SetosaDataset *rest = numbered(values, labels), *held = NULL;
    support_ok(dataset_apply_scaling(rest, NULL, scale, &error), &error);
    support_ok(setosa_dataset_split(rest, fractions[f], 3, &held, &error), &error);
    assert_int_equal(setosa_dataset_rows(held), (size_t)round(fractions[f] * MANY));
    assert_int_equal(setosa_dataset_rows(held) + setosa_dataset_rows(rest), MANY);
    assert_string_equal(setosa_dataset_class_name(held, 2), "2");
    assert_true(dataset_scaling(held)->scale != NULL && dataset_scaling(held)->scale != dataset_scaling(rest)->scale);
    count_rows(rest, seen);
    count_rows(held, seen);
    for (int i = 0; i < MANY; i++) assert_int_equal(seen[i], 1);
    setosa_dataset_destroy(rest);
    setosa_dataset_destroy(held);
  }
}

/* Each row is held out equally often: 400 seeds, a quarter each time; 5.5 deviations of the binomial. */
static void split_is_fair(void **state) {
  (void)state;
  enum { SEEDS = 400 };
  static int held_out[MANY];
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    float values[2 * MANY];
    int32_t labels[MANY];
    SetosaDataset *rest = numbered(values, labels), *held = NULL;
    support_ok(setosa_dataset_split(rest, 0.25, seed, &held, NULL), NULL);
    count_rows(held, held_out);
    setosa_dataset_destroy(rest);
    setosa_dataset_destroy(held);
  }
  for (int i = 0; i < MANY; i++) assert_in_range(held_out[i], 100 - 48, 100 + 48);
}

static void split_refuses_empty_parts(void **state) {
  (void)state;
  const float values[] = {1, 2, 3};
  const int32_t labels[] = {0, 1, 2};
  SetosaError error = {0};
  SetosaDataset *dataset = wrap(3, 1, values, labels), *held = NULL;
  static const double senseless[] = {0, 1, -0.5, 1.5, NAN};
  for (size_t i = 0; i < sizeof senseless / sizeof *senseless; i++)
    support_fails(setosa_dataset_split(dataset, senseless[i], 1, &held, &error), &error, SETOSA_ERROR_USAGE, "the fraction to hold out is");
  support_fails(setosa_dataset_split(dataset, 0.1, 1, &held, &error), &error, SETOSA_ERROR_USAGE, "holding 0.1 of 3 rows out");
  support_fails(setosa_dataset_split(dataset, 0.9, 1, &held, &error), &error, SETOSA_ERROR_USAGE, "holding 0.9 of 3 rows out");
  assert_null(held);
  setosa_dataset_destroy(dataset);
}

static void create_gives_zeroed_aligned_arrays(void **state) {
  (void)state;
  Dataset *dataset = NULL;
  SetosaError error = {0};
  support_ok(dataset_create(&dataset, 1000, 9, true, "made", &error), &error);
  assert_int_equal((uintptr_t)setosa_dataset_values(dataset) % 4096, 0);
  for (size_t i = 0; i < 9000; i++) assert_true(setosa_dataset_values(dataset)[i] == 0);
  for (size_t i = 0; i < 1000; i++) assert_int_equal(setosa_dataset_labels(dataset)[i], 0);
  support_ok(dataset_name_classes_by_index(dataset, 3, &error), &error);
  support_ok(dataset_name_classes_by_index(dataset, 2, &error), &error);
  assert_string_equal(setosa_dataset_class_name(dataset, 1), "1");
  setosa_dataset_destroy(dataset);
  support_fails(dataset_create(&dataset, SIZE_MAX, 9, true, "made", &error), &error, SETOSA_ERROR_USAGE, "the data:");
  assert_null(dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrap_checks_what_it_takes),
      cmocka_unit_test(standardize_centres_and_scales),
      cmocka_unit_test(standardize_composes_with_a_scale),
      cmocka_unit_test(scalings_that_do_not_fit_are_refused),
      cmocka_unit_test(shuffle_permutes_reproducibly),
      cmocka_unit_test(split_moves_the_right_number),
      cmocka_unit_test(split_is_fair),
      cmocka_unit_test(split_refuses_empty_parts),
      cmocka_unit_test(create_gives_zeroed_aligned_arrays),
  };
  return support_run("data_transform", tests, NULL, NULL);
}
