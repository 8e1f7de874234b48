/* Shifted columns: which are, by how much, what that does to a bias, and what scaling, standardizing and unshifting make of them. */
#include "data/shift.h"

#include <float.h>
#include <math.h>

#include "base/random.h"
#include "data/rows.h"
#include "support/support.h"

static void only_columns_far_from_zero_are_shifted(void **state) {
  (void)state;
  static const struct {
    double mean, deviation, least, most;
    bool shifted;
  } columns[] = {
      {5.84, 0.83, 4.3, 7.9, false},            /* iris' sepals */
      {3.05, 0.434, 2.0, 4.4, false},           /* */
      {13.0, 0.81, 11.0, 14.8, true},           /* wine's alcohol */
      {33.3, 78.6, 0, 255, false},              /* pixels */
      {0.0001, 0.01, 0, 1, false},              /* one row in ten thousand has it */
      {-2, 1e6, -1e9, 10, false},               /* far values, not a far mean */
      {0, 0, 0, 0, false},                      /* constants that f32 holds */
      {0.5, 0, 0.5, 0.5, false},                /* */
      {105.84, 0.83, 104.3, 107.9, true},       /* iris and 100 */
      {-1e6, 0.43, -1000002, -999998, true},    /* */
      {2003, 9.5, 1985, 2020, true},            /* years */
      {1.6e12, 3e10, 1.5e12, 1.7e12, true},     /* milliseconds since 1970 */
      {1.6e12, 2e-4, 1.6e12, 1.6e12 + 1, true}, /* all of them but one alike */
      {1000005.1, 0, 1000005.1, 1000005.1, true},
      {1e38, 1e30, 9e37, 2e38, true},
      {1e39, 1e37, 9e38, 2e39, false}, /* no f32: an error, which the reader has to meet */
      {NAN, 1, 0, 1, false},
      {1e6, NAN, 0, 1, false},
      {INFINITY, INFINITY, 0, 1, false},
  };
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
    double shift = shift_choose(columns[i].mean, columns[i].deviation, columns[i].least, columns[i].most);
    if ((shift != 0) != columns[i].shifted) fail_msg("column %zu is shifted by %.17g", i, shift);
    if (shift == 0) continue;
    assert_true(fabs(shift - columns[i].mean) <= columns[i].deviation);
    assert_true(shift_choose(-columns[i].mean, columns[i].deviation, -columns[i].most, -columns[i].least) == -shift);
  }
  assert_true(shift_choose(1600000000123.4, 3e10, 1.5e12, 1.7e12) == 93 * 0x1p34); /* a number of few bits */
  assert_true(shift_choose(1000005.84, 0.83, 1000004.3, 1000007.9) == 1000006);
}

/* Products and sums that a double alone would lose: 1e12 and its opposite, and one. */
static void a_bias_keeps_the_digits(void **state) {
  (void)state;
  const float w[] = {1, 3, -1, -3};
  const double shift[] = {1e16 + 2, 1.0 / 3, 1e16, 1.0 / 3};
  assert_true(shift_bias(0.25, w, 1, shift, 4) == 2.25);
  assert_true(shift_bias(0.25, w, -1, shift, 4) == -1.75);
  assert_true(shift_bias(0.25, w, 1, NULL, 4) == 0.25);
  for (uint64_t i = 0; i < 1000; i++) { /* there and back again */
    float v[3];
    double s[3], b = (float)random_symmetric(1, RANDOM_STREAM_CHECK, 0, 7 * i);
    for (uint64_t d = 0; d < 3; d++) {
      v[d] = (float)random_symmetric(1, RANDOM_STREAM_CHECK, 0, 7 * i + 1 + d);
      s[d] = 1e6 * random_symmetric(1, RANDOM_STREAM_CHECK, 0, 7 * i + 4 + d);
    }
    support_near(shift_bias(shift_bias(b, v, -1, s, 3), v, 1, s, 3), b, 3e-10); /* the last place of 1e6 */
  }
}

enum { ROWS = 4, FEATURES = 2 };
static const double X[ROWS][FEATURES] = {{1000005.1, 3.5}, {1000004.9, 1.4}, {1000006.3, 0.2}, {1000005.8, 2.5}};

/* Rows of X about a shift. */
static SetosaDataset *shifted(double first, double second) {
  Error error = {0};
  Dataset *dataset = NULL;
  const double shift[FEATURES] = {first, second};
  support_ok(dataset_create(&dataset, ROWS, FEATURES, true, "rows", &error), &error);
  support_ok(dataset_name_classes_by_index(dataset, 2, &error), &error);
  for (int i = 0; i < ROWS; i++) rows_labels(dataset)[i] = i % 2;
  for (int i = 0; i < ROWS; i++)
    for (int d = 0; d < FEATURES; d++) rows_values(dataset)[FEATURES * i + d] = (float)(X[i][d] - shift[d]);
  support_ok(shift_copy(&dataset->shift, shift, FEATURES, &error), &error);
  return dataset;
}

static double at(const SetosaDataset *dataset, int i, int d) { return setosa_dataset_values(dataset)[FEATURES * i + d]; }

static void unshifted_rows_are_x(void **state) {
  (void)state;
  Error error = {0};
  SetosaDataset *dataset = shifted(1000005, 0), *slice = NULL;
  support_ok(dataset_slice(&slice, dataset, (RowRange){1, 2}, &error), &error);
  assert_true(setosa_dataset_shift(slice)[0] == 1000005);
  support_ok(dataset_unshift(slice, &error), &error);
  assert_null(setosa_dataset_shift(slice));
  for (int i = 0; i < 2; i++)
    for (int d = 0; d < FEATURES; d++) assert_true(at(slice, i, d) == (double)(float)X[i + 1][d]);
  assert_true(setosa_dataset_shift(dataset)[0] == 1000005 && at(dataset, 0, 0) == (double)(float)(1000005.1 - 1000005)); /* its own rows */
  setosa_dataset_destroy(slice);
  setosa_dataset_destroy(dataset);
}

/* The same scaling, whatever was taken off the rows. */
static void standardized_rows_do_not_depend_on_the_shift(void **state) {
  (void)state;
  Error error = {0};
  SetosaDataset *one = shifted(1000005, 0), *other = shifted(1000006, 2), *same = shifted(1000005, 0);
  support_ok(setosa_dataset_standardize(one, &error), &error);
  support_ok(setosa_dataset_scale_like(other, one, &error), &error);
  support_ok(setosa_dataset_scale_like(same, one, &error), &error);
  assert_null(setosa_dataset_shift(one));
  assert_null(setosa_dataset_shift(other));
  assert_memory_equal(setosa_dataset_values(same), setosa_dataset_values(one), ROWS * FEATURES * sizeof(float));
  for (int d = 0; d < FEATURES; d++) {
    double mean = 0, square = 0;
    for (int i = 0; i < ROWS; i++) mean += X[i][d] / ROWS;
    for (int i = 0; i < ROWS; i++) square += (X[i][d] - mean) * (X[i][d] - mean) / ROWS;
    support_near(dataset_scaling(one)->offset[d], mean, d == 0 ? 1e-13 : 1e-7); /* of the numbers as f32 rounded them */
    support_near(dataset_scaling(one)->scale[d], 1 / sqrt(square), 1e-7);
    for (int i = 0; i < ROWS; i++) {
      support_near(at(one, i, d), (X[i][d] - mean) / sqrt(square), 3e-7);
      support_near(at(other, i, d), (X[i][d] - mean) / sqrt(square), 3e-7);
    }
  }
  setosa_dataset_destroy(one);
  setosa_dataset_destroy(other);
  setosa_dataset_destroy(same);
}

/* A factor on far columns costs no digits, and can be followed by a standardizing. */
static void a_factor_scales_the_shift(void **state) {
  (void)state;
  const double factor[] = {0.001, 0.001};
  Error error = {0};
  SetosaDataset *dataset = shifted(1000005, 0), *again = shifted(1000005, 0);
  support_ok(dataset_apply_scaling(dataset, NULL, factor, &error), &error);
  assert_non_null(setosa_dataset_shift(dataset));
  for (int i = 0; i < ROWS; i++)
    for (int d = 0; d < FEATURES; d++)
      assert_true(fabs(at(dataset, i, d) + setosa_dataset_shift(dataset)[d] - X[i][d] * 0.001) <=
                  0x1p-23 * fabs(at(dataset, i, d)) + 1e-12);
  support_ok(setosa_dataset_standardize(dataset, &error), &error);
  assert_null(setosa_dataset_shift(dataset));
  support_near(dataset_scaling(dataset)->offset[0], 1000005.525, 1e-13);
  support_ok(setosa_dataset_standardize(again, &error), &error);
  for (int i = 0; i < ROWS * FEATURES; i++) support_near(setosa_dataset_values(dataset)[i], setosa_dataset_values(again)[i], 1e-6);
  setosa_dataset_destroy(dataset);
  setosa_dataset_destroy(again);
}

/* Other numbers in the same rows are other data, though the rows are the same bits. */
static void the_shift_is_part_of_the_fingerprint(void **state) {
  (void)state;
  Error error = {0};
  char one[HASH_HEX_SIZE], other[HASH_HEX_SIZE];
  SetosaDataset *dataset = shifted(1000005, 0);
  uint64_t glance = dataset_glance(dataset);
  support_ok(dataset_fingerprint_block(one, dataset, 0, &error), &error);
  dataset->shift[0] += 1;
  support_ok(dataset_fingerprint_block(other, dataset, 0, &error), &error);
  assert_string_not_equal(one, other);
  assert_true(dataset_glance(dataset) != glance);
  setosa_dataset_destroy(dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_columns_far_from_zero_are_shifted),
      cmocka_unit_test(a_bias_keeps_the_digits),
      cmocka_unit_test(unshifted_rows_are_x),
      cmocka_unit_test(standardized_rows_do_not_depend_on_the_shift),
      cmocka_unit_test(a_factor_scales_the_shift),
      cmocka_unit_test(the_shift_is_part_of_the_fingerprint),
  };
  return support_run("data_shift", tests, NULL, NULL);
}
