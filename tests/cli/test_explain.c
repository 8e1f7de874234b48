/* `setosa explain` of models that scale, of rows whose class is not known, and of classes that are called by numbers. */
#include <math.h>

#include "cli/run.h"

static char folder[SUPPORT_PATH], iris[SUPPORT_PATH], model[SUPPORT_PATH], bare[SUPPORT_PATH], numbers[SUPPORT_PATH], digits[SUPPORT_PATH];

static void train(const char *data, const char *how, const char *to) {
  Run run = RUN("train", data, "--backend", "reference", "--quiet", "--model", to, how);
  run_expect(&run, 0);
  run_free(&run);
}

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_source_path(iris, "data/iris.csv");
  support_path(model, folder, "scaled.safetensors");
  support_path(bare, folder, "bare.csv");
  support_path(numbers, folder, "numbers.csv");
  support_path(digits, folder, "digits.safetensors");
  support_write_text(bare, "sepal_length,sepal_width,petal_length,petal_width\n6.7,3.1,4.4,1.4\n");
  support_write_text(numbers, "a,y\n1,0\n2,0\n3,2\n4,2\n");
  train(iris, "--standardize", model);
  train(numbers, NULL, digits);
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static double entry(const json_t *document, const char *name, size_t i) {
  return json_number_value(json_array_get(json_object_get(document, name), i));
}

/* Row 51 of iris is 7.0, 3.2, 4.7, 1.4. */
static void x_is_shown_as_given_and_as_scaled(void **state) {
  (void)state;
  static const double given[] = {7.0, 3.2, 4.7, 1.4};
  Run run = RUN("explain", model, iris, "--row", "51", "--json");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  for (size_t i = 0; i < 4; i++) support_near(entry(document, "x_given", i), given[i], 1e-6);
  for (size_t k = 0; k < 3; k++) {
    double z = entry(document, "bias", k);
    for (size_t i = 0; i < 4; i++)
      z += json_number_value(json_array_get(json_array_get(json_object_get(document, "weights"), k), i)) * entry(document, "x", i);
    support_near(z, entry(document, "logits", k), 1e-9);
  }
  assert_true(fabs(entry(document, "x", 0) - given[0]) > 1); /* about 1.4 deviations above the mean */
  json_decref(document);
  run_free(&run);

  run = RUN("explain", model, iris, "--row", "51");
  run_expect(&run, 0);
  run_expect_text(run.out, "x as given = (7.000000, 3.200000, 4.700000, 1.400000)\n  x = (1.40");
  run_expect_text(run.out, "scaled as the model was trained");
  run_expect_text(run.out, "\n  2 \"versicolor\"  ");
  for (const char *text = run.out; *text != '\0'; text += strcspn(text, "\n") + 1) assert_true(strcspn(text, "\n") <= 80);
  run_free(&run);

  run = RUN("explain", digits, numbers, "--row", "1"); /* nothing is scaled: nothing is said */
  run_expect(&run, 0);
  assert_null(strstr(run.out, "given"));
  run_free(&run);
  run = RUN("explain", digits, numbers, "--row", "1", "--json");
  document = run_json(&run);
  assert_true(json_is_null(json_object_get(document, "x_given")));
  json_decref(document);
  run_free(&run);
}

static void classes_called_by_numbers_are_told_from_their_numbers(void **state) {
  (void)state;
  Run run = RUN("explain", digits, numbers, "--row", "3");
  run_expect(&run, 0);
  run_expect_text(run.out, "label: class 2 \"2\" of 2");
  run_expect_text(run.out, "\n  1 \"0\"  a ");
  assert_null(strstr(run.out, "1 0"));
  run_free(&run);
}

/* Up to the probabilities, which are those of predict. */
static void expect_no_label(const char *const *arguments) {
  Run run = run_setosa(arguments);
  run_expect(&run, 0);
  run_expect_text(run.out, "its class is not known");
  run_expect_text(run.out, "2. softmax: a_k");
  assert_null(strstr(run.out, "3. target"));
  assert_null(strstr(run.out, "nan"));
  assert_null(strstr(run.out, "dH/d"));
  run_free(&run);
}

static void rows_without_a_label_end_at_the_probabilities(void **state) {
  (void)state;
  char other[SUPPORT_PATH], array[SUPPORT_PATH], wide[SUPPORT_PATH];
  support_path(other, folder, "other.csv");
  support_path(array, folder, "rows.npy");
  support_path(wide, folder, "wide.safetensors");
  support_write_text(other, "sepal_length,sepal_width,petal_length,petal_width,species\n6.7,3.1,4.4,1.4,rose\n");
  expect_no_label((const char *[]){"explain", model, bare, "--row", "1", NULL});
  expect_no_label((const char *[]){"explain", model, other, "--row", "1", NULL});
  expect_no_label((const char *[]){"explain", "--x", "1,2", "--weights", "1,2;3,4", NULL});

  Run run = RUN("explain", model, bare, "--row", "1", "--json"), predicted = RUN("predict", model, bare, "--backend", "reference");
  run_expect(&run, 0);
  run_expect(&predicted, 0);
  json_t *document = run_json(&run);
  double p[3];
  assert_int_equal(sscanf(strstr(predicted.out, "\n1,"), "\n1,versicolor,%lf,%lf,%lf", &p[0], &p[1], &p[2]), 3);
  for (size_t k = 0; k < 3; k++) support_near(entry(document, "probabilities", k), p[k], 1e-6);
  static const char *const none[] = {
      "label", "target", "loss", "dlogits", "dweights", "dweights_finite", "dweights_diagonal", "dbias", "largest_difference"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_true(json_is_null(json_object_get(document, none[i])));
  json_decref(document);
  run_free(&predicted);
  run_free(&run);

  /* Many classes: a table that ends at a. The labels of an .npy are found by their name, and are not needed. */
  run = RUN("generate", "rows=30,features=40,classes=12", "-o", array, "-q");
  run_expect(&run, 0);
  run_free(&run);
  train(array, "--standardize", wide);
  run = RUN("explain", wide, array, "--row", "2");
  run_expect(&run, 0);
  run_expect_text(run.out, "label: class ");
  run_expect_text(run.out, " given ");
  run_free(&run);
  support_path(other, folder, "rows-labels.npy");
  assert_int_equal(unlink(other), 0);
  expect_no_label((const char *[]){"explain", wide, array, "--row", "2", NULL});
}

static void what_cannot_be_explained_is_said(void **state) {
  (void)state;
  Run run = RUN("explain", model, bare, "--row", "2");
  run_expect(&run, 2);
  run_expect_text(run.err, "has 1 rows");
  run_free(&run);
  run = RUN("explain", model, "/nowhere.csv", "--row", "1");
  run_expect(&run, 3);
  run_expect_text(run.err, "/nowhere.csv: cannot open");
  run_free(&run);
  support_write_text(bare, "sepal_length,sepal_width,petal_length,petal_width\n6.7,3.1,x,1.4\n");
  run = RUN("explain", model, bare, "--row", "1");
  run_expect(&run, 3);
  run_expect_text(run.err, "bare.csv:2:3: 'x' is not a number");
  run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(x_is_shown_as_given_and_as_scaled), cmocka_unit_test(classes_called_by_numbers_are_told_from_their_numbers),
      cmocka_unit_test(rows_without_a_label_end_at_the_probabilities), cmocka_unit_test(what_cannot_be_explained_is_said)};
  return support_run("cli_explain", tests, create, destroy);
}
