/* Weights of rows and of classes: where they come from, that they go along with their rows, and what backends see of them. */
#include <float.h>
#include <math.h>

#include "base/random.h"
#include "data/binary.h"
#include "data/weights.h"
#include "support/dataset.h"

static const char table[] = "a,w,y\n1,2,p\n2,0,q\n3,0.5,p\n4,1.5,q\n";
static const float table_weights[] = {2, 0, 0.5f, 1.5f};

static void expect_weights(const Dataset *dataset, const float *weights) {
  assert_non_null(setosa_dataset_weights(dataset));
  for (size_t i = 0; i < setosa_dataset_rows(dataset); i++)
    if (setosa_dataset_weights(dataset)[i] != weights[i])
      fail_msg("weight %zu is %g, expected %g", i, (double)setosa_dataset_weights(dataset)[i], (double)weights[i]);
}

static Targets targets_of(const Dataset *dataset) {
  Targets targets;
  Error error = {0};
  support_ok(dataset_targets(&targets, dataset, dataset_all(dataset), NULL, &error), &error);
  return targets;
}

static void a_column_of_weights_is_no_feature(void **state) {
  (void)state;
  static const char *const options[] = {"weights=w", "weights=2", "weights=w label=y header=1", "weights=w features=a"};
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    SetosaDataset *dataset = load_csv("t.csv", table, options[i]);
    expect_values(dataset, 4, 1, (const float[]){1, 2, 3, 4});
    expect_names(dataset, "a");
    expect_classes(dataset, "p q p q", "p q");
    expect_weights(dataset, table_weights);
    assert_string_equal(setosa_dataset_weights_name(dataset), "w");
    assert_true(dataset_shape(dataset).weighted);
    setosa_dataset_destroy(dataset);
  }
  /* Last, so that the label is the column before; without a header; a number that names a column and not a file. */
  SetosaDataset *last = load_csv("last.csv", "a,y,w\n1,p,2\n2,q,0\n3,p,0.5\n4,q,1.5\n", "weights=w");
  expect_classes(last, "p q p q", "p q");
  expect_weights(last, table_weights);
  SetosaDataset *bare = load_csv("bare.csv", "1,2,p\n2,0,q\n3,0.5,p\n4,1.5,q\n", "weights=2");
  expect_values(bare, 4, 1, (const float[]){1, 2, 3, 4});
  expect_weights(bare, table_weights);
  assert_null(setosa_dataset_weights_name(bare));
  SetosaDataset *none = load_csv("t.csv", table, "");
  assert_null(setosa_dataset_weights(none));
  assert_false(dataset_shape(none).weighted);
  assert_true(dataset_total_weight(none) == 4 && dataset_mean_weight(none) == 1);
  setosa_dataset_destroy(last);
  setosa_dataset_destroy(bare);
  setosa_dataset_destroy(none);
}

/* Text with and without a header, numbers of every kind; the same beside a table. */
static void a_file_of_weights(void **state) {
  (void)state;
  char path[SUPPORT_PATH], options[SUPPORT_PATH + 64], text[] = "2\n0\n0.5\n1.5\n", named[] = "weight\n2\n\n0\n 0.5 \n\"1.5\"";
  Bytes doubles = npy_header(1, "{'descr': '>f8', 'fortran_order': False, 'shape': (4,), }\n");
  Bytes halves = npy_header(1, "{'descr': '<f2', 'fortran_order': False, 'shape': (4, 1), }\n");
  const uint32_t four = 4;
  Bytes singles = idx_header(0x0D, 1, &four);
  for (int i = 0; i < 4; i++) put_float(&doubles, (double)table_weights[i], 8, true);
  for (int i = 0; i < 4; i++) put_float(&halves, (double)table_weights[i], 2, false);
  for (int i = 0; i < 4; i++) put_float(&singles, (double)table_weights[i], 4, true);
  Bytes array = npy_header(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 1), }\n");
  for (int i = 0; i < 4; i++) put_float(&array, 1 + i, 4, false);
  write_bytes("x.npy", &array);
  write_bytes("w-doubles.npy.gz", &doubles);
  write_bytes("w-halves.npy", &halves);
  write_bytes("w-singles", &singles);
  support_path(path, test_folder, "w.txt");
  support_write_text(path, text);
  support_path(path, test_folder, "w-named.txt");
  support_write_text(path, named);
  static const char *const files[] = {"w.txt", "w-named.txt", "w-doubles.npy.gz", "w-halves.npy", "w-singles"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    char file[SUPPORT_PATH];
    SetosaDataset *array_set = NULL;
    SetosaError error = {0};
    support_path(file, test_folder, files[i]);
    snprintf(options, sizeof options, "optional weights=%s", file);
    support_path(path, test_folder, "x.npy");
    support_ok(test_load(&array_set, path, options, &error), &error);
    expect_weights(array_set, table_weights);
    assert_null(setosa_dataset_weights_name(array_set));
    SetosaDataset *table_set = load_csv("beside.csv", "a,y\n1,p\n2,q\n3,p\n4,q\n", options + strlen("optional "));
    expect_values(table_set, 4, 1, (const float[]){1, 2, 3, 4});
    expect_weights(table_set, table_weights);
    setosa_dataset_destroy(array_set);
    setosa_dataset_destroy(table_set);
  }
}

/* The model's column of weights is no feature, and may be there or not: who evaluates weighs by it, who predicts does not look at it. */
static void a_model_knows_its_column_of_weights(void **state) {
  (void)state;
  SetosaDataset *evaluated = load_csv("t.csv", table, "expect=1 classes=p,q expect-label=y expect-weights=w");
  expect_values(evaluated, 4, 1, (const float[]){1, 2, 3, 4});
  expect_weights(evaluated, table_weights);
  SetosaDataset *without = load_csv("u.csv", "a,y\n1,p\n2,q\n", "expect=1 classes=p,q expect-label=y expect-weights=w");
  assert_null(setosa_dataset_weights(without));
  SetosaDataset *predicted = load_csv("v.csv", "a,w\n1,\n2,none\n", "optional expect=1 classes=p,q expect-label=y expect-weights=w");
  expect_values(predicted, 2, 1, (const float[]){1, 2});
  assert_null(setosa_dataset_weights(predicted));
  SetosaDataset *other = load_csv("o.csv", "a,w,y\n1,2,p\n3,4,q\n", "names=a,w classes=p,q expect-label=y expect-weights=w");
  expect_values(other, 2, 2, (const float[]){1, 2, 3, 4}); /* another model's feature of that name stays one */
  assert_null(setosa_dataset_weights(other));
  SetosaDataset *label = load_csv("l.csv", "a,w\n1,p\n3,q\n", "label=w expect=1 classes=p,q expect-label=y expect-weights=w");
  expect_classes(label, "p q", "p q");
  assert_null(setosa_dataset_weights(label));
  setosa_dataset_destroy(label);
  setosa_dataset_destroy(evaluated);
  setosa_dataset_destroy(without);
  setosa_dataset_destroy(predicted);
  setosa_dataset_destroy(other);
}

static void set_weights_checks_what_it_takes(void **state) {
  (void)state;
  float values[] = {1, 2, 3};
  const int32_t labels[] = {0, 1, 0};
  SetosaError error = {0};
  SetosaDataset *dataset = NULL, *made = NULL;
  support_ok(setosa_dataset_wrap(&dataset, 3, 1, 2, values, labels, &error), &error);
  float weights[] = {1, 2, 3};
  support_ok(setosa_dataset_set_weights(dataset, weights, &error), &error);
  weights[0] = 7; /* they were copied */
  expect_weights(dataset, (const float[]){1, 2, 3});
  support_fails(setosa_dataset_set_weights(dataset, (const float[]){1, -2, 3}, &error), &error, SETOSA_ERROR_DATA,
                "data: weight 2: the weight '-2' is negative; give 0 to leave the row out");
  support_fails(setosa_dataset_set_weights(dataset, (const float[]){1, 2, NAN}, &error), &error, SETOSA_ERROR_DATA,
                "data: weight 3: the weight 'nan' is not a finite number");
  support_fails(setosa_dataset_set_weights(dataset, (const float[]){INFINITY, 2, 3}, &error), &error, SETOSA_ERROR_DATA,
                "data: weight 1: the weight 'inf' is not a finite number");
  expect_weights(dataset, (const float[]){1, 2, 3}); /* as before the mistakes */
  support_fails(setosa_dataset_set_weights(dataset, (const float[]){0, -0.0f, 0}, &error), &error, SETOSA_ERROR_DATA,
                "data: every weight is 0; give some rows a weight above 0");
  expect_weights(dataset, (const float[]){1, 2, 3});
  support_ok(setosa_dataset_set_weights(dataset, NULL, &error), &error);
  assert_null(setosa_dataset_weights(dataset));
  assert_null(targets_of(dataset).weights);
  setosa_dataset_destroy(dataset);
  SetosaDataOptions options = setosa_data_options_default();
  options.generate_above_bytes = 1;
  support_ok(setosa_dataset_load(&made, "synthetic:rows=3,features=2,classes=2", &options, &error), &error);
  support_fails(setosa_dataset_set_weights(made, (const float[]){1, 2, 3}, &error), &error, SETOSA_ERROR_USAGE,
                "synthetic:rows=3,features=2,classes=2: rows that are made as they are needed have no weights");
  setosa_dataset_destroy(made);
}

/* The given ones times one power of two that brings the mean into [1,2): exactly, but for those that are nothing beside it. */
static void what_backends_see_is_level(void **state) {
  (void)state;
  static const struct {
    float weights[3];
    bool exact;
  } cases[] = {{{1, 2, 3}, true},
               {{1, 1, 1}, true},
               {{1e30f, 2e30f, 0}, true},
               {{FLT_MAX, FLT_MAX, FLT_MAX}, true},
               {{1e-30f, 3e-30f, 5e-38f}, true},
               {{1e-45f, 3e-45f, 0}, true},
               {{1e30f, 1e-20f, 0}, false},
               {{1e30f, 1e-40f, 0}, false},
               {{FLT_MAX, 1e-44f, FLT_MAX}, false},
               {{3, 1e-40f, 0}, false}};
  float values[] = {1, 2, 3};
  const int32_t labels[] = {0, 1, 0};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    SetosaDataset *dataset = NULL;
    SetosaError error = {0};
    const float *given = cases[c].weights;
    support_ok(setosa_dataset_wrap(&dataset, 3, 1, 2, values, labels, &error), &error);
    support_ok(setosa_dataset_set_weights(dataset, given, &error), &error);
    expect_weights(dataset, given);
    const float *seen = targets_of(dataset).weights;
    double ratio = (double)seen[0] / (double)given[0], mean = dataset_mean_weight(dataset);
    int exponent = 0;
    if (frexp(ratio, &exponent) != 0.5) fail_msg("case %zu: %g is no power of two", c, ratio);
    for (int i = 0; i < 3; i++)
      if (fabs((double)seen[i] - ratio * (double)given[i]) > (cases[c].exact ? 0 : 0x1p-149))
        fail_msg("case %zu: weight %d is rounded", c, i);
    if (!(mean >= 1 && mean < 2)) fail_msg("case %zu: the mean is %g", c, mean);
    support_near(dataset_weight_unit(dataset) * ratio, 1, 0);
    support_near(dataset_total_weight(dataset) / (3 * mean), 1, 1e-15);
    setosa_dataset_destroy(dataset);
  }
}

/* Row i has the value i and the weight i + 1, so that a row that lost its weight shows. */
enum { ROWS = 903 };

static Dataset *numbered(void) {
  float values[ROWS], weights[ROWS];
  int32_t labels[ROWS];
  Dataset *dataset = NULL;
  Error error = {0};
  for (size_t i = 0; i < ROWS; i++) {
    values[i] = (float)i;
    weights[i] = (float)(i + 1);
    labels[i] = (int32_t)(i % 3);
  }
  Dataset *lent = NULL;
  support_ok(setosa_dataset_wrap(&lent, ROWS, 1, 3, values, labels, &error), &error);
  support_ok(setosa_dataset_set_weights(lent, weights, &error), &error);
  support_ok(dataset_slice(&dataset, lent, dataset_all(lent), &error), &error);
  values_of(dataset); /* its own now, since the arrays end with this call */
  setosa_dataset_destroy(lent);
  return dataset;
}

/* By classes, too: factor 1, 2, 4 for the classes 0, 1, 2. */
static void expect_along(const Dataset *dataset, bool by_class) {
  Targets targets = targets_of(dataset);
  float room[ROWS];
  const float *values = dataset_dense(dataset, dataset_all(dataset), room);
  double unit = 0;
  for (size_t i = 0; i < setosa_dataset_rows(dataset); i++) {
    size_t row = (size_t)values[i];
    assert_int_equal(targets.labels[i], row % 3);
    assert_true(setosa_dataset_weights(dataset)[i] == (float)(row + 1));
    double seen = (double)targets.weights[i] / (double)(row + 1) / (by_class ? (double)(1 << row % 3) : 1);
    if (i == 0) unit = seen;
    if (fabs(seen / unit - 1) > 1e-6) fail_msg("row %zu lost its weight", row);
  }
}

static void weights_go_along_with_rows(void **state) {
  (void)state;
  const double factors[] = {1, 2, 4};
  Error error = {0};
  for (int by_class = 0; by_class < 2; by_class++) {
    Dataset *dataset = numbered(), *held = NULL, *slice = NULL;
    if (by_class) support_ok(dataset_apply_class_weights(dataset, factors, &error), &error);
    expect_along(dataset, by_class);
    support_ok(setosa_dataset_shuffle(dataset, 4, &error), &error);
    expect_along(dataset, by_class);
    support_ok(dataset_slice(&slice, dataset, (RowRange){100, 300}, &error), &error);
    expect_along(slice, by_class);
    support_ok(setosa_dataset_shuffle(slice, 9, &error), &error);
    expect_along(slice, by_class);
    expect_along(dataset, by_class);
    support_ok(setosa_dataset_split(dataset, 0.3, 5, &held, &error), &error);
    assert_int_equal(setosa_dataset_rows(held), 271);
    expect_along(dataset, by_class);
    expect_along(held, by_class);
    assert_true(dataset_mean_weight(held) >= 1 && dataset_mean_weight(held) < 2);
    assert_true(dataset_mean_weight(dataset) >= 1 && dataset_mean_weight(dataset) < 2);
    Dataset *scores = NULL;
    support_ok(dataset_for_scores(&scores, dataset, 3, &error), &error);
    assert_null(targets_of(scores).weights);
    assert_null(targets_of(scores).labels);
    setosa_dataset_destroy(scores);
    setosa_dataset_destroy(slice);
    setosa_dataset_destroy(held);
    setosa_dataset_destroy(dataset);
  }
}

/* A mapping that one of several processes shuffles by an order. */
static void weights_go_along_with_gathered_rows(void **state) {
  (void)state;
  char path[SUPPORT_PATH], labels_path[SUPPORT_PATH], options_text[3 * SUPPORT_PATH];
  float weights[ROWS];
  Error error = {0};
  char *labels = malloc(2 * ROWS + 1), dictionary[128];
  assert_non_null(labels);
  snprintf(dictionary, sizeof dictionary, "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, 1), }", ROWS);
  size_t padding = 63 - (10 + strlen(dictionary)) % 64;
  snprintf(dictionary + strlen(dictionary), sizeof dictionary - strlen(dictionary), "%*s\n", (int)padding, "");
  Bytes array = npy_header(1, dictionary);
  for (size_t i = 0; i < ROWS; i++) {
    put_float(&array, (double)i, 4, false);
    snprintf(labels + 2 * i, 3, "%zu\n", i % 3);
    weights[i] = (float)(i + 1);
  }
  write_bytes("order.npy", &array);
  support_path(labels_path, test_folder, "order.txt");
  support_write_text(labels_path, labels);
  free(labels);
  support_path(path, test_folder, "order.npy");
  snprintf(options_text, sizeof options_text, "labels=%s", labels_path);
  TestOptions options;
  test_options_parse(&options, options_text);
  options.options.parts = 2;
  Dataset *dataset = NULL;
  support_ok(setosa_dataset_load(&dataset, path, &options.options, &error), &error);
  test_options_free(&options);
  support_ok(setosa_dataset_set_weights(dataset, weights, &error), &error);
  support_ok(setosa_dataset_shuffle(dataset, 4, &error), &error);
  assert_int_equal(dataset_shape(dataset).place, DATA_GATHERED);
  expect_along(dataset, false);
  support_ok(dataset_hold(dataset, &error), &error);
  assert_int_equal(dataset_shape(dataset).place, DATA_HELD);
  expect_along(dataset, false);
  setosa_dataset_destroy(dataset);
}

static void a_split_needs_weight_on_both_sides(void **state) {
  (void)state;
  Dataset *dataset = numbered(), *held = NULL;
  Error error = {0};
  float weights[ROWS] = {0};
  weights[17] = 1;
  support_ok(setosa_dataset_set_weights(dataset, weights, &error), &error);
  support_fails(setosa_dataset_split(dataset, 0.3, 5, &held, &error), &error, SETOSA_ERROR_DATA,
                "data: all rows with a weight above 0 fall into one part; choose another seed or fraction");
  assert_null(held);
  assert_int_equal(setosa_dataset_rows(dataset), ROWS);
  setosa_dataset_destroy(dataset);
}

/* Known by hand, and from sample weights as given whatever was applied before. */
static void class_weights_multiply(void **state) {
  (void)state;
  float values[] = {1, 2, 3, 4}, given[] = {1, 3, 0.5f, 2};
  const int32_t labels[] = {0, 1, 1, 2};
  const double factors[] = {8, 0, 4}, ones[] = {1, 1, 1};
  Dataset *dataset = NULL;
  Error error = {0};
  support_ok(setosa_dataset_wrap(&dataset, 4, 1, 3, values, labels, &error), &error);
  support_ok(dataset_apply_class_weights(dataset, factors, &error), &error); /* 8 0 0 4, their mean 3 */
  const float *seen = targets_of(dataset).weights;
  assert_true(seen[0] == 4 && seen[1] == 0 && seen[2] == 0 && seen[3] == 2);
  assert_true(dataset_total_weight(dataset) == 6);
  assert_null(setosa_dataset_weights(dataset)); /* none were given */
  support_ok(dataset_apply_class_weights(dataset, NULL, &error), &error);
  assert_false(dataset_shape(dataset).weighted);
  support_ok(setosa_dataset_set_weights(dataset, given, &error), &error);
  for (int twice = 0; twice < 2; twice++) {
    support_ok(dataset_apply_class_weights(dataset, factors, &error), &error); /* 8 0 0 8, their mean 4 */
    seen = targets_of(dataset).weights;
    assert_true(seen[0] == 2 && seen[1] == 0 && seen[2] == 0 && seen[3] == 2);
    expect_weights(dataset, given);
  }
  support_ok(dataset_apply_class_weights(dataset, NULL, &error), &error);
  for (int i = 0; i < 4; i++) assert_true(targets_of(dataset).weights[i] == given[i]);
  support_ok(dataset_apply_class_weights(dataset, ones, &error), &error);
  for (int i = 0; i < 4; i++) assert_true(targets_of(dataset).weights[i] == given[i]); /* their mean is 1.6 */
  error = (Error){0};
  support_fails(dataset_apply_class_weights(dataset, (const double[]){0, 0, 0}, &error), &error, SETOSA_ERROR_DATA,
                "data: every weight is 0");
  error = (Error){0};
  support_fails(dataset_apply_class_weights(dataset, (const double[]){1, -1, 0}, &error), &error, SETOSA_ERROR_USAGE,
                "the weight of class 1 is -1; give a finite number, 0 or more");
  error = (Error){0};
  support_fails(dataset_apply_class_weights(dataset, (const double[]){1, 1, NAN}, &error), &error, SETOSA_ERROR_USAGE,
                "the weight of class 2 is nan");
  setosa_dataset_destroy(dataset);
}

static void balanced_classes_weigh_the_same(void **state) {
  (void)state;
  float values[] = {1, 2, 3, 4}, given[] = {1, 3, 0.5f, 2};
  const int32_t labels[] = {0, 1, 1, 2};
  double factors[3] = {NAN, NAN, NAN};
  Dataset *dataset = NULL, *unlabelled = NULL;
  Error error = {0};
  support_ok(setosa_dataset_wrap(&dataset, 4, 1, 3, values, labels, &error), &error);
  support_ok(dataset_balanced_class_weights(dataset, factors, &error), &error);
  assert_true(factors[0] == 4.0 / 3 && factors[1] == 4.0 / 6 && factors[2] == 4.0 / 3);
  support_ok(setosa_dataset_set_weights(dataset, given, &error), &error);
  support_ok(dataset_balanced_class_weights(dataset, factors, &error), &error);
  assert_true(factors[0] == 6.5 / 3 && factors[1] == 6.5 / 10.5 && factors[2] == 6.5 / 6);
  support_ok(dataset_apply_class_weights(dataset, factors, &error), &error);
  const float *seen = targets_of(dataset).weights;
  support_near((double)seen[1] + (double)seen[2], (double)seen[0], 1e-7);
  support_near((double)seen[3], (double)seen[0], 1e-7);
  double again[3];
  support_ok(dataset_balanced_class_weights(dataset, again, &error), &error); /* of what was given, not of what is balanced */
  assert_memory_equal(again, factors, sizeof again);
  support_ok(setosa_dataset_set_weights(dataset, (const float[]){1, 1, 1, 0}, &error), &error);
  error = (Error){0};
  support_fails(dataset_balanced_class_weights(dataset, factors, &error), &error, SETOSA_ERROR_DATA,
                "data: no row of class 2 has a weight above 0");
  error = (Error){0};
  support_ok(setosa_dataset_wrap(&unlabelled, 4, 1, 3, values, NULL, &error), &error);
  error = (Error){0};
  support_fails(dataset_balanced_class_weights(unlabelled, factors, &error), &error, SETOSA_ERROR_USAGE, "data: has no labels");
  error = (Error){0};
  support_fails(dataset_apply_class_weights(unlabelled, factors, &error), &error, SETOSA_ERROR_USAGE, "data: has no labels");
  setosa_dataset_destroy(unlabelled);
  setosa_dataset_destroy(dataset);
}

/* What is trained on is told apart by its weights: by a glance, and in the block that they lie in. */
static void hashes_see_weights(void **state) {
  (void)state;
  Dataset *one = numbered(), *other = numbered();
  Error error = {0};
  float weights[ROWS];
  memcpy(weights, setosa_dataset_weights(one), sizeof weights);
  assert_true(dataset_glance(one) == dataset_glance(other));
  weights[500] += 1;
  support_ok(setosa_dataset_set_weights(other, weights, &error), &error);
  assert_true(dataset_glance(one) != dataset_glance(other));
  size_t differ = 0, blocks = dataset_fingerprint_blocks(one);
  for (size_t b = 0; b < blocks; b++) {
    char mine[HASH_HEX_SIZE], its[HASH_HEX_SIZE];
    support_ok(dataset_fingerprint_block(mine, one, b, &error), &error);
    support_ok(dataset_fingerprint_block(its, other, b, &error), &error);
    differ += strcmp(mine, its) != 0;
  }
  assert_int_equal(differ, 1);
  setosa_dataset_destroy(one);
  setosa_dataset_destroy(other);
}

/* Rows of a standardized set are weighed as before, and its means are those of the rows. */
static void standardizing_does_not_weigh(void **state) {
  (void)state;
  SetosaDataset *weighted = load_csv("t.csv", table, "weights=w"), *plain = load_csv("t.csv", table, "drop=w");
  SetosaError error = {0};
  support_ok(setosa_dataset_standardize(weighted, &error), &error);
  support_ok(setosa_dataset_standardize(plain, &error), &error);
  assert_memory_equal(setosa_dataset_values(weighted), setosa_dataset_values(plain), 4 * sizeof(float));
  expect_weights(weighted, table_weights);
  setosa_dataset_destroy(weighted);
  setosa_dataset_destroy(plain);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_column_of_weights_is_no_feature),
      cmocka_unit_test(a_file_of_weights),
      cmocka_unit_test(a_model_knows_its_column_of_weights),
      cmocka_unit_test(set_weights_checks_what_it_takes),
      cmocka_unit_test(what_backends_see_is_level),
      cmocka_unit_test(weights_go_along_with_rows),
      cmocka_unit_test(weights_go_along_with_gathered_rows),
      cmocka_unit_test(a_split_needs_weight_on_both_sides),
      cmocka_unit_test(class_weights_multiply),
      cmocka_unit_test(balanced_classes_weigh_the_same),
      cmocka_unit_test(hashes_see_weights),
      cmocka_unit_test(standardizing_does_not_weigh),
  };
  return support_run("data_weights", tests, make_folder, remove_folder);
}
