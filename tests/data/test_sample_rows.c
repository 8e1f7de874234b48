/* A part of the rows as a data set of its own: the same rows whether they are held or made, with the labels and weights that they have. */
#include <math.h>

#include "support/dataset.h"

enum { FEATURES = 5 };

static Dataset *load(const char *spec, bool generated) {
  Dataset *dataset = NULL;
  Error error = {0};
  SetosaDataOptions options = setosa_data_options_default();
  options.generate_above_bytes = generated ? 1 : 0;
  support_ok(setosa_dataset_load(&dataset, spec, &options, &error), &error);
  assert_int_equal(is_made(dataset), generated);
  return dataset;
}

static void made_and_held_rows_give_the_same_sample(void **state) {
  (void)state;
  static const char spec[] = "synthetic:rows=5000,features=5,classes=4";
  Error error = {0};
  Dataset *whole[2] = {load(spec, false), load(spec, true)}, *samples[2];
  for (int i = 0; i < 2; i++) {
    support_ok(dataset_sample(&samples[i], whole[i], 0.1, 9, &error), &error);
    setosa_dataset_destroy(whole[i]); /* it is a copy */
  }
  size_t rows = setosa_dataset_rows(samples[0]);
  assert_true(rows > 200 && rows < 900);
  assert_int_equal(setosa_dataset_rows(samples[1]), rows);
  RowRange all = {0, rows};
  Targets targets[2];
  TargetRoom rooms[2] = {{0}, {0}};
  for (int i = 0; i < 2; i++) support_ok(dataset_targets(&targets[i], samples[i], all, &rooms[i], &error), &error);
  assert_memory_equal(dataset_dense(samples[0], all, NULL), dataset_dense(samples[1], all, NULL), rows * FEATURES * sizeof(float));
  assert_memory_equal(targets[0].labels, targets[1].labels, rows * sizeof(int32_t));
  for (int i = 0; i < 2; i++) {
    target_room_free(&rooms[i]);
    setosa_dataset_destroy(samples[i]);
  }
}

/* Row i holds i, and so does its weight. */
static void rows_keep_what_belongs_to_them(void **state) {
  (void)state;
  enum { ROWS = 2000 };
  static float values[ROWS], weights[ROWS];
  static int32_t labels[ROWS];
  Error error = {0};
  Dataset *sample = NULL;
  for (int i = 0; i < ROWS; i++) values[i] = (float)i, weights[i] = (float)(i + 1), labels[i] = i % 7;
  Dataset *dataset = wrap_arrays(ROWS, 1, 7, values, labels);
  support_ok(setosa_dataset_set_weights(dataset, weights, &error), &error);
  support_ok(dataset_sample(&sample, dataset, 0.3, 4, &error), &error);
  size_t rows = setosa_dataset_rows(sample);
  RowRange all = {0, rows};
  Targets targets;
  support_ok(dataset_targets(&targets, sample, all, NULL, &error), &error);
  const float *x = dataset_dense(sample, all, NULL);
  assert_true(rows > 200 && rows < 1200);
  double ratio = (double)targets.weights[0] / ((double)x[0] + 1); /* backends see weights times a power of two */
  for (size_t i = 0; i < rows; i++) {
    assert_true(i == 0 || x[i] > x[i - 1]);
    assert_int_equal(targets.labels[i], (int)x[i] % 7);
    support_near((double)targets.weights[i], ratio * ((double)x[i] + 1), 1e-12);
  }
  setosa_dataset_destroy(sample);
  setosa_dataset_destroy(dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(made_and_held_rows_give_the_same_sample),
      cmocka_unit_test(rows_keep_what_belongs_to_them),
  };
  return support_run("samples of rows", tests, NULL, NULL);
}
