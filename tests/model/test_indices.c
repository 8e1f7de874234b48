/* What a model remembers of LIBSVM text: what its first feature is called, and how names were hashed; other text is then read alike. */
#include "model/files.h"
#include "model/model.h"

static SetosaDataset *load(const char *text, const SetosaDataOptions *options) {
  static char path[80];
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  snprintf(path, sizeof path, "%s/rows.svm", test_folder);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
  support_ok(setosa_dataset_load(&dataset, path, options, &error), &error);
  unlink(path);
  return dataset;
}

/* A model of the text, saved and loaded again. */
static SetosaModel *keep(const char *text, const SetosaDataOptions *options) {
  SetosaDataset *dataset = load(text, options);
  SetosaModel *model = NULL, *loaded = NULL;
  SetosaError error = {0};
  support_ok(model_create_for(&model, dataset, &error), &error);
  support_ok(setosa_model_save(model, test_path, &error), &error);
  support_ok(setosa_model_load(&loaded, test_path, &error), &error);
  assert_int_equal(loaded->index_base, model->index_base);
  assert_int_equal(loaded->hash_bits, model->hash_bits);
  setosa_model_destroy(model);
  setosa_dataset_destroy(dataset);
  return loaded;
}

/* The value of column `column` of row 0. */
static float first_row(const SetosaDataset *dataset, size_t column) {
  float row[64];
  assert_true(dataset_shape(dataset).features <= 64);
  return dataset_dense(dataset, (RowRange){0, 1}, row)[column];
}

static void indices_are_read_alike(void **state) {
  (void)state;
  for (int base = 0; base < 2; base++) {
    SetosaDataOptions options = setosa_data_options_default();
    SetosaModel *model = keep(base == 0 ? "a 0:1 3:2\nb 1:1\n" : "a 1:1 4:2\nb 2:1\n", &options);
    options = setosa_model_data_options(model);
    assert_int_equal(options.expect_index_base, base);
    assert_int_equal(options.hash_features, 0);
    SetosaDataset *dataset = load("b 2:5\na 1:1 9:1\n", &options); /* neither a 0 nor all features */
    assert_int_equal(setosa_dataset_features(dataset), 4);
    assert_true(first_row(dataset, 2 - (size_t)base) == 5);
    setosa_dataset_destroy(dataset);
    for (size_t i = 0; setosa_model_metadata(model, i, NULL, NULL); i++) assert_string_not_equal(model->metadata[i].key, "index_base");
    setosa_model_destroy(model);
  }
}

static void names_are_hashed_alike(void **state) {
  (void)state;
  SetosaDataOptions options = setosa_data_options_default();
  options.hash_features = 6;
  SetosaDataset *dataset = load("a cat:2\nb dog\n", &options);
  SetosaModel *model = keep("a cat:2\nb dog\n", &options);
  options = setosa_model_data_options(model);
  assert_int_equal(options.hash_features, 6);
  assert_int_equal(options.expect_index_base, -1);
  SetosaDataset *other = load("b cat:3\n", &options);
  assert_int_equal(setosa_dataset_features(other), 64);
  bool any = false;
  for (size_t d = 0; d < 64; d++) {
    assert_true(first_row(other, d) == 1.5f * first_row(dataset, d));
    any = any || first_row(other, d) != 0;
  }
  assert_true(any);
  setosa_dataset_destroy(dataset);
  setosa_dataset_destroy(other);
  setosa_model_destroy(model);
}

static void a_model_of_other_data_says_nothing(void **state) {
  (void)state;
  const float weights[] = {1, 2, 3, 4};
  SetosaModel *model = NULL, *loaded = NULL;
  SetosaError error = {0};
  support_ok(setosa_model_create(&model, 2, 2, weights, NULL, &error), &error);
  support_ok(setosa_model_save(model, test_path, &error), &error);
  support_ok(setosa_model_load(&loaded, test_path, &error), &error);
  assert_int_equal(setosa_model_data_options(loaded).expect_index_base, -1);
  assert_int_equal(setosa_model_data_options(loaded).hash_features, 0);
  setosa_model_destroy(model);
  setosa_model_destroy(loaded);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(indices_are_read_alike), cmocka_unit_test(names_are_hashed_alike),
                                     cmocka_unit_test(a_model_of_other_data_says_nothing)};
  return support_run("model_indices", tests, create_test_folder, remove_test_folder);
}
