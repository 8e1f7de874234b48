/* A table that is read as another one was: columns without names meet by their places. */
#include "data/expect.h"

static char folder[SUPPORT_PATH], path[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_path(path, folder, "t.csv");
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static SetosaDataset *load(const char *text, SetosaDataOptions options) {
  SetosaError error = {0};
  options.unshifted = true;
  SetosaDataset *dataset = NULL;
  support_write(path, text, strlen(text));
  support_ok(setosa_dataset_load(&dataset, path, &options, &error), &error);
  return dataset;
}

/* The rows of `text`, read as those of like. */
static void expect_rows(const SetosaDataset *like, const char *text, bool labels_optional, const float *values, const char *id) {
  SetosaDataOptions options = setosa_data_options_default();
  const char *const classes[] = {"p", "q"};
  options.labels_optional = labels_optional;
  options.expect_features = 2;
  options.expect_columns = setosa_dataset_columns(like);
  options.expect_classes = 2;
  options.expect_class_names = classes;
  SetosaDataset *dataset = load(text, options);
  assert_int_equal(setosa_dataset_rows(dataset), 2);
  assert_memory_equal(setosa_dataset_values(dataset), values, 4 * sizeof *values);
  if (id != NULL) assert_string_equal(setosa_dataset_id(dataset, 0, 1), id);
  if (id == NULL) assert_int_equal(setosa_dataset_ids(dataset), 0);
  setosa_dataset_destroy(dataset);
}

/* --features 3,2 --label 1: the order of the features is the model's, and the label is where it was. */
static void places_and_order_are_kept(void **state) {
  (void)state;
  SetosaDataOptions options = setosa_data_options_default();
  options.label = "1";
  options.features = "3,2";
  SetosaDataset *like = load("p,1,5\nq,2,6\n", options);
  const float values[] = {50, 10, 60, 20}, labels_aside[] = {8, 7, 10, 9};
  expect_rows(like, "p,10,50\nq,20,60\n", false, values, NULL);
  expect_rows(like, "7,8\n9,10\n", true, labels_aside, NULL); /* without labels, one place further left */
  setosa_dataset_destroy(like);
}

static void ids_without_names_are_found(void **state) {
  (void)state;
  SetosaDataOptions options = setosa_data_options_default();
  options.label = "1";
  options.id = "2";
  SetosaDataset *like = load("p,i,1,5\nq,j,2,6\n", options);
  const float values[] = {10, 50, 20, 60}, alone[] = {7, 8, 9, 10};
  expect_rows(like, "p,k,10,50\nq,l,20,60\n", false, values, "l");
  expect_rows(like, "7,8\n9,10\n", true, alone, NULL); /* nothing but features: none of them is an id */
  setosa_dataset_destroy(like);
}

/* A class that was found in the first column is looked for there again. */
static void a_first_label_is_remembered(void **state) {
  (void)state;
  SetosaDataset *like = load("p,1,5.5\nq,2,6.5\np,3,7.25\nq,4,8.125\n", setosa_data_options_default());
  const float values[] = {1, 2.5f, 2, 3.5f};
  assert_string_equal(setosa_dataset_class_name(like, 1), "q");
  expect_rows(like, "q,1,2.5\np,2,3.5\n", false, values, NULL);
  setosa_dataset_destroy(like);
}

static void words_for_missing_values_are_utf8(void **state) {
  (void)state;
  SetosaError error = {0};
  SetosaDataset *dataset = NULL;
  SetosaDataOptions options = setosa_data_options_default();
  options.na = "x,\xff";
  support_write(path, "a,b\n1,p\n2,q\n", 12);
  support_fails(setosa_dataset_load(&dataset, path, &options, &error), &error, SETOSA_ERROR_USAGE, "--na \"x,?\": give UTF-8");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(places_and_order_are_kept),
      cmocka_unit_test(ids_without_names_are_found),
      cmocka_unit_test(a_first_label_is_remembered),
      cmocka_unit_test(words_for_missing_values_are_utf8),
  };
  return support_run("data_expected_columns", tests, create, destroy);
}
