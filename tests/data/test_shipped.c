/* The data sets of data/: the checksums that data/README.md lists, and what a loader makes of each. */
#include <stdio.h>
#include <unistd.h>

#include "data/dataset.h"
#include "data/options.h"

/* Lines "HASH  NAME" of the README are what sha256sum -c reads. */
static void checksums_of_the_readme_hold(void **state) {
  (void)state;
  char folder[SUPPORT_PATH];
  support_source_path(folder, "data");
  assert_int_equal(chdir(folder), 0);
  FILE *list = popen("grep -E '^[0-9a-f]{64}  ' README.md | sha256sum -c --strict --status 2>&1", "r");
  assert_non_null(list);
  assert_int_equal(pclose(list), 0);
  list = popen("grep -cE '^[0-9a-f]{64}  ' README.md", "r");
  int listed = 0;
  assert_int_equal(fscanf(list, "%d", &listed), 1);
  pclose(list);
  list = popen("ls | grep -cv README.md", "r");
  int files = 0;
  assert_int_equal(fscanf(list, "%d", &files), 1);
  pclose(list);
  assert_int_equal(listed, files);
}

static SetosaDataset *load(const char *name, const char *options) {
  char path[SUPPORT_PATH];
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  support_source_path(path, name);
  support_ok(test_load(&dataset, path, options, &error), &error);
  return dataset;
}

static double column_mean(const SetosaDataset *dataset, size_t column) {
  double sum = 0;
  for (size_t i = 0; i < setosa_dataset_rows(dataset); i++)
    sum += setosa_dataset_values(dataset)[i * setosa_dataset_features(dataset) + column];
  return sum / (double)setosa_dataset_rows(dataset);
}

static void expect_counts(const SetosaDataset *dataset, const size_t *counts) {
  for (size_t k = 0; k < setosa_dataset_classes(dataset); k++) {
    size_t count = 0;
    for (size_t i = 0; i < setosa_dataset_rows(dataset); i++) count += setosa_dataset_labels(dataset)[i] == (int32_t)k;
    assert_int_equal(count, counts[k]);
  }
}

static void iris_is_fishers(void **state) {
  (void)state;
  SetosaDataset *iris = load("data/iris.csv", "");
  const size_t counts[] = {50, 50, 50};
  assert_int_equal(setosa_dataset_rows(iris), 150);
  assert_int_equal(setosa_dataset_features(iris), 4);
  assert_int_equal(setosa_dataset_classes(iris), 3);
  assert_string_equal(setosa_dataset_class_name(iris, 0), "setosa");
  assert_string_equal(setosa_dataset_class_name(iris, 2), "virginica");
  assert_string_equal(setosa_dataset_feature_name(iris, 3), "petal_width");
  assert_string_equal(setosa_dataset_label_name(iris), "species");
  expect_counts(iris, counts);
  /* Fisher's means, and rows 35 and 38 as he has them (UCI's copy does not). */
  support_near(column_mean(iris, 0), 5.843333333, 1e-6);
  support_near(column_mean(iris, 1), 3.057333333, 1e-6);
  support_near(column_mean(iris, 2), 3.758, 1e-6);
  support_near(column_mean(iris, 3), 1.199333333, 1e-6);
  assert_true(setosa_dataset_values(iris)[34 * 4 + 3] == 0.2f && setosa_dataset_values(iris)[37 * 4 + 1] == 3.6f &&
              setosa_dataset_values(iris)[37 * 4 + 2] == 1.4f);
  setosa_dataset_destroy(iris);
  iris = load("data/iris.csv", "features=petal_length,petal_width positive=setosa");
  const size_t two[] = {50, 100};
  assert_int_equal(setosa_dataset_features(iris), 2);
  assert_string_equal(setosa_dataset_class_name(iris, 1), "non-setosa");
  expect_counts(iris, two);
  setosa_dataset_destroy(iris);
}

static void wine_and_digits_are_whole(void **state) {
  (void)state;
  SetosaDataset *wine = load("data/wine.csv", ""), *digits = load("data/digits.csv.gz", "");
  const size_t growers[] = {59, 71, 48}, drawn[] = {178, 182, 177, 183, 181, 182, 181, 179, 174, 180};
  assert_int_equal(setosa_dataset_rows(wine), 178);
  assert_int_equal(setosa_dataset_features(wine), 13);
  assert_string_equal(setosa_dataset_feature_name(wine, 12), "proline");
  expect_counts(wine, growers);
  support_near(column_mean(wine, 12), 746.8932584, 1e-6);
  assert_int_equal(setosa_dataset_rows(digits), 1797);
  assert_int_equal(setosa_dataset_features(digits), 64);
  assert_string_equal(setosa_dataset_label_name(digits), "digit");
  assert_string_equal(setosa_dataset_feature_name(digits, 63), "px63");
  expect_counts(digits, drawn);
  for (size_t i = 0; i < setosa_dataset_rows(digits) * 64; i++)
    assert_true(setosa_dataset_values(digits)[i] >= 0 && setosa_dataset_values(digits)[i] <= 16);
  setosa_dataset_destroy(wine);
  setosa_dataset_destroy(digits);
}

/* Against an independent look at the file (tests/tables/check_columns.py): 11 rows lack a value. */
static void penguins_have_words_and_gaps(void **state) {
  (void)state;
  SetosaDataset *penguins = load("data/penguins.csv", "label=species");
  const size_t species[] = {146, 68, 119};
  const char *const features[] = {"island=Biscoe",     "island=Dream", "island=Torgersen", "bill_length_mm", "bill_depth_mm",
                                  "flipper_length_mm", "body_mass_g",  "sex=female",       "sex=male",       "year"};
  assert_int_equal(setosa_dataset_rows(penguins), 333);
  assert_int_equal(setosa_dataset_source_rows(penguins), 344);
  assert_int_equal(setosa_dataset_features(penguins), 10);
  for (size_t d = 0; d < 10; d++) assert_string_equal(setosa_dataset_feature_name(penguins, d), features[d]);
  expect_counts(penguins, species);
  support_near(column_mean(penguins, 0), 163.0 / 333, 1e-6);
  support_near(column_mean(penguins, 8), 168.0 / 333, 1e-6);
  const double *shift = setosa_dataset_shift(penguins);
  support_near(column_mean(penguins, 6) + (shift != NULL ? shift[6] : 0), 4207.057057, 1e-6);
  support_near(column_mean(penguins, 9) + (shift != NULL ? shift[9] : 0), 2008.042042, 1e-6);
  setosa_dataset_destroy(penguins);
}

/* Against the sums of an independent look at the file. */
static void heart_is_sparse(void **state) {
  (void)state;
  SetosaDataset *heart = load("data/heart_scale.svm", "");
  const size_t counts[] = {150, 120};
  float row[13];
  double first = 0, tenth = 0;
  assert_int_equal(setosa_dataset_rows(heart), 270);
  assert_int_equal(setosa_dataset_features(heart), 13);
  assert_int_equal(setosa_dataset_entries(heart), 3378);
  assert_string_equal(setosa_dataset_class_name(heart, 0), "-1");
  assert_string_equal(setosa_dataset_class_name(heart, 1), "1");
  expect_counts(heart, counts);
  for (size_t i = 0; i < 270; i++) {
    const float *values = dataset_dense(heart, (RowRange){i, 1}, row);
    first += (double)values[0] / 270;
    tenth += (double)values[9] / 270;
  }
  support_near(first, 0.059722217, 1e-6);
  support_near(tenth, -0.661290321, 1e-6);
  setosa_dataset_destroy(heart);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(checksums_of_the_readme_hold), cmocka_unit_test(iris_is_fishers), cmocka_unit_test(wine_and_digits_are_whole),
      cmocka_unit_test(penguins_have_words_and_gaps), cmocka_unit_test(heart_is_sparse),
  };
  return support_run("data_shipped", tests, NULL, NULL);
}
