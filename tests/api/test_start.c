/* A training that begins with the weights of a model: features and classes by their names, however the two are scaled. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

static char folder[SUPPORT_PATH];

static int make_folder(void **state) {
  (void)state;
  support_folder_create(folder);
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static SetosaDataset *load(const char *path, bool standardize) {
  SetosaDataset *data = NULL;
  SetosaError error = {0};
  support_ok(setosa_dataset_load(&data, path, NULL, &error), &error);
  if (standardize) support_ok(setosa_dataset_standardize(data, &error), &error);
  return data;
}

static SetosaDataset *load_iris(bool standardize) {
  char path[SUPPORT_PATH];
  support_source_path(path, "data/iris.csv");
  return load(path, standardize);
}

/* A table of the test's own. */
static SetosaDataset *load_text(const char *name, const char *text, bool standardize) {
  char path[SUPPORT_PATH];
  support_path(path, folder, name);
  support_write_text(path, text);
  return load(path, standardize);
}

static SetosaTrainOptions options_from(const SetosaModel *initial) {
  SetosaTrainOptions options = setosa_train_options_default();
  options.compute.backend = SETOSA_BACKEND_REFERENCE;
  options.l2 = 0.01;
  options.initial = initial;
  return options;
}

static SetosaModel *train(SetosaDataset *data, const SetosaTrainOptions *options, SetosaTrainResult *result) {
  SetosaModel *model = NULL;
  SetosaError error = {0};
  support_ok(setosa_train(&model, result, data, options, &error), &error);
  return model;
}

/* The probabilities of the rows, (150,3). */
static bool take_rows(size_t first, size_t count, const float *probabilities, void *user) {
  memcpy((float *)user + 3 * first, probabilities, 3 * count * sizeof(float));
  return true;
}

static void predict(float *probabilities, const SetosaModel *model, const SetosaDataset *data) {
  SetosaComputeOptions compute = setosa_compute_options_default();
  SetosaError error = {0};
  compute.backend = SETOSA_BACKEND_REFERENCE;
  support_poison(probabilities, 450);
  support_ok(setosa_predict(model, data, &compute, take_rows, probabilities, &error), &error);
}

/* iris.csv with its rows and columns in another order, and one more column where there is `more`. */
static SetosaDataset *load_other_order(const char *more, bool standardize) {
  char path[SUPPORT_PATH], *text = NULL, *out = calloc(1, 1 << 16);
  size_t used = 0;
  support_source_path(path, "data/iris.csv");
  text = support_read(path, NULL);
  char *lines[151], *rest = text;
  for (int i = 0; i < 151; i++) lines[i] = strsep(&rest, "\n");
  for (int i = 0; i < 151; i++) {
    char a[32], b[32], c[32], d[32], e[32];
    const char *line = lines[i == 0 ? 0 : 1 + (i * 7) % 150];
    assert_int_equal(sscanf(line, "%31[^,],%31[^,],%31[^,],%31[^,],%31s", a, b, c, d, e), 5);
    used += (size_t)snprintf(out + used, (1 << 16) - used, "%s,%s,%s%s,%s,%s\n", c, a, d,
                             more != NULL ? (i == 0       ? more
                                             : i % 3 == 0 ? ",new"
                                                          : ",old")
                                          : "",
                             b, e);
  }
  SetosaDataset *data = load_text("other.csv", out, standardize);
  free(text);
  free(out);
  return data;
}

/* ---- at the optimum ----------------------------------------------------------------------------------------------- */

static void check_ends_at_once(SetosaDataset *first, SetosaDataset *second) {
  SetosaTrainResult before, after;
  SetosaTrainOptions options = options_from(NULL);
  SetosaModel *model = train(first, &options, &before);
  options = options_from(model);
  SetosaModel *again = train(second, &options, &after);
  assert_true(before.iterations > 0 && before.start_features == 0 && before.start_classes == 0);
  assert_int_equal(after.iterations, 0);
  assert_true(after.converged);
  support_near(after.objective, before.objective, 1e-9);
  assert_int_equal(after.start_features, 4);
  assert_int_equal(after.start_classes, 3);
  setosa_model_destroy(model);
  setosa_model_destroy(again);
  setosa_dataset_destroy(first);
  setosa_dataset_destroy(second);
}

static void test_the_optimum_is_the_end(void **state) {
  (void)state;
  check_ends_at_once(load_iris(false), load_iris(false));
  check_ends_at_once(load_iris(true), load_iris(true));
}

static void test_columns_in_another_order(void **state) {
  (void)state;
  check_ends_at_once(load_iris(false), load_other_order(NULL, false));
  check_ends_at_once(load_iris(true), load_other_order(NULL, true));
}

/* ---- scaled otherwise --------------------------------------------------------------------------------------------- */

/* The penalty is another one, the scores of the rows are the same. */
static void check_same_scores(bool standardize_first) {
  SetosaDataset *first = load_iris(standardize_first), *second = load_iris(!standardize_first);
  SetosaTrainResult before, after;
  float one[450], other[450];
  SetosaTrainOptions options = options_from(NULL);
  SetosaModel *model = train(first, &options, &before);
  options = options_from(model);
  options.max_iterations = 0;
  SetosaModel *same = train(second, &options, &after);
  support_near(after.loss, before.loss, 1e-6);
  predict(one, model, first);
  predict(other, same, second);
  for (int i = 0; i < 450; i++) support_near((double)other[i], (double)one[i], 1e-5);
  setosa_model_destroy(model);
  setosa_model_destroy(same);
  setosa_dataset_destroy(first);
  setosa_dataset_destroy(second);
}

static void test_standardized_both_ways(void **state) {
  (void)state;
  check_same_scores(false);
  check_same_scores(true);
}

/* ---- what the model lacks ----------------------------------------------------------------------------------------- */

static void test_a_new_column_starts_at_zero(void **state) {
  (void)state;
  SetosaDataset *iris = load_iris(false), *more = load_other_order(",extra", false);
  SetosaTrainResult before, after;
  SetosaTrainOptions options = options_from(NULL);
  SetosaModel *model = train(iris, &options, &before);
  options = options_from(model);
  options.max_iterations = 0;
  SetosaModel *wider = train(more, &options, &after);
  assert_int_equal(setosa_model_features(wider), 6); /* extra=new, extra=old */
  assert_int_equal(after.start_features, 4);
  support_near(after.objective, before.objective, 1e-9);
  for (size_t k = 0; k < 3; k++)
    for (size_t d = 0; d < 6; d++) {
      bool new = strncmp(setosa_model_feature_name(wider, d), "extra", 5) == 0;
      assert_true(new == (setosa_model_weights(wider)[6 * k + d] == 0));
    }
  setosa_model_destroy(model);
  setosa_model_destroy(wider);
  setosa_dataset_destroy(iris);
  setosa_dataset_destroy(more);
}

static void test_a_new_level_and_a_new_class(void **state) {
  (void)state;
  SetosaDataset *few = load_text("few.csv", "c,x,y\na,1,no\nb,2,yes\na,3,no\nb,4,yes\na,2,yes\nb,5,no\n", false);
  SetosaDataset *all = load_text("all.csv", "x,c,y\n1,0c,maybe\n2,b,yes\n3,a,no\n4,b,yes\n2,0c,yes\n5,b,no\n", false);
  SetosaTrainResult result;
  SetosaTrainOptions options = options_from(NULL);
  SetosaModel *model = train(few, &options, NULL);
  options = options_from(model);
  options.max_iterations = 0;
  SetosaModel *wider = train(all, &options, &result);
  assert_int_equal(result.start_features, 3);
  assert_int_equal(result.start_classes, 2);
  assert_string_equal(setosa_model_class_name(wider, 0), "maybe");
  for (size_t k = 0; k < 3; k++)
    for (size_t d = 0; d < 4; d++) {
      double expected = 0;
      for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 3; j++)
          if (strcmp(setosa_model_class_name(wider, k), setosa_model_class_name(model, i)) == 0 &&
              strcmp(setosa_model_feature_name(wider, d), setosa_model_feature_name(model, j)) == 0)
            expected = (double)setosa_model_weights(model)[3 * i + j];
      assert_true((double)setosa_model_weights(wider)[4 * k + d] == expected);
      assert_true((expected == 0) == (k == 0 || strcmp(setosa_model_feature_name(wider, d), "c=0c") == 0));
    }
  assert_true(setosa_model_bias(wider)[0] == 0 && setosa_model_bias(wider)[1] == setosa_model_bias(model)[0]);
  setosa_model_destroy(model);
  setosa_model_destroy(wider);
  setosa_dataset_destroy(few);
  setosa_dataset_destroy(all);
}

/* ---- what does not fit -------------------------------------------------------------------------------------------- */

static void expect_refusal(SetosaDataset *data, const SetosaModel *initial, const char *beginning) {
  SetosaTrainOptions options = options_from(initial);
  SetosaModel *model = NULL;
  SetosaError error = {0};
  support_fails(setosa_train(&model, NULL, data, &options, &error), &error, SETOSA_ERROR_USAGE, beginning);
  assert_null(model);
}

static void test_nothing_fits(void **state) {
  (void)state;
  SetosaDataset *iris = load_iris(false), *wine = load_text("wine.csv", "alcohol,acid,kind\n1,2,red\n2,1,white\n3,1,red\n", false);
  SetosaDataset *birds = load_text("birds.csv", "sepal_length,petal_length,bird\n1,2,owl\n2,1,wren\n3,1,owl\n", false);
  SetosaTrainOptions options = options_from(NULL);
  SetosaModel *model = train(iris, &options, NULL), *nameless = NULL, *by_place = NULL;
  expect_refusal(wine, model,
                 "--start: none of the 4 features of the initial model (\"sepal_length\", ...) is among those of the data "
                 "(\"alcohol\", ...)");
  expect_refusal(birds, model, "--start: none of the 3 classes of the initial model (\"setosa\", ...) is among those of the data");
  support_ok(setosa_model_create(&nameless, 4, 3, (const float[12]){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, NULL, NULL), NULL);
  expect_refusal(birds, nameless, "--start: the initial model has 4 features, the training data 2");
  options = options_from(nameless);
  options.max_iterations = 0;
  by_place = train(iris, &options, NULL);
  assert_memory_equal(setosa_model_weights(by_place), setosa_model_weights(nameless), 12 * sizeof(float));
  setosa_model_destroy(model);
  setosa_model_destroy(nameless);
  setosa_model_destroy(by_place);
  setosa_dataset_destroy(iris);
  setosa_dataset_destroy(wine);
  setosa_dataset_destroy(birds);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_optimum_is_the_end),      cmocka_unit_test(test_columns_in_another_order),
      cmocka_unit_test(test_standardized_both_ways),      cmocka_unit_test(test_a_new_column_starts_at_zero),
      cmocka_unit_test(test_a_new_level_and_a_new_class), cmocka_unit_test(test_nothing_fits),
  };
  return support_run("start", tests, make_folder, remove_folder);
}
