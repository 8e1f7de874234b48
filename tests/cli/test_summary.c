/* `setosa summary` and `train --summary`: known answers, forms, and what it refuses. */
#include <math.h>

#include "cli/summary_run.h"

static char folder[SUPPORT_PATH], anes[SUPPORT_PATH], iris[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_source_path(anes, "data/anes96.csv");
  support_source_path(iris, "data/iris.csv");
  return chdir(folder);
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

/* ---- known answers -------------------------------------------------------------------------------------------------- */

static const char *const parties[] = {"0", "1", "2", "3", "4", "5", "6"};

/* Names in a list of ours, and of the answers. */
static void compare_list(const json_t *document, const json_t *known, const char *list, const char *ours, const char *theirs, size_t first,
                         double tolerance) {
  size_t k = 0, t = 0;
  const json_t *row = NULL, *value = NULL;
  assert_non_null(json_object_get(known, theirs));
  json_array_foreach(json_object_get(known, theirs), k, row) json_array_foreach(row, t, value) {
    const char *term = json_string_value(json_array_get(json_object_get(known, "terms"), t));
    const json_t *entry = entry_of(document, list, parties[k + first], term);
    if (json_is_array(value)) {
      expect_close("low", run_number(entry, "low", NULL), json_number_value(json_array_get(value, 0)), tolerance);
      expect_close("high", run_number(entry, "high", NULL), json_number_value(json_array_get(value, 1)), tolerance);
    } else {
      expect_close(theirs, run_number(entry, ours, NULL), json_number_value(value), tolerance);
    }
  }
}

/* The null likelihood of statsmodels is found by iterations, and is good to 4e-10: `tests` is the tolerance of what depends on it. */
static void compare(const char *model, const char *answers, double tolerance, double tests) {
  static const char *const numbers[] = {"log_likelihood", "aic", "bic", "log_likelihood_null", "lr", "pseudo_r2_mcfadden"};
  char path[SUPPORT_PATH];
  json_error_t error;
  support_source_path(path, answers);
  json_t *known = json_load_file(path, 0, &error), *plain = SUMMARY(model, anes, "--effects"), *robust = SUMMARY(model, anes, "--robust");
  assert_non_null(known);
  compare_list(plain, known, "coefficients", "coefficient", "coefficient", 1, tolerance);
  compare_list(plain, known, "coefficients", "standard_error", "standard_error", 1, tolerance);
  compare_list(plain, known, "coefficients", "z", "z", 1, tolerance);
  compare_list(plain, known, "coefficients", "p", "p", 1, tolerance);
  compare_list(plain, known, "coefficients", "", "interval_95", 1, tolerance);
  compare_list(robust, known, "coefficients", "coefficient", "coefficient", 1, tolerance);
  compare_list(robust, known, "coefficients", "standard_error", "robust_standard_error", 1, tolerance);
  compare_list(plain, known, "effects", "effect", "marginal_effect", 0, tolerance);
  compare_list(plain, known, "effects", "standard_error", "marginal_effect_standard_error", 0, tolerance);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    expect_close(numbers[i], run_number(plain, numbers[i], NULL), run_number(known, numbers[i], NULL), i < 3 ? tolerance : tests);
  assert_int_equal(run_number(plain, "lr_df", NULL), 30);
  expect_close("lr_p", run_number(plain, "lr_p", NULL), 1.8223165782868047e-102, 1e-6);
  json_decref(known);
  json_decref(plain);
  json_decref(robust);
}

/* In columns of f32, and then against the answers for exactly these columns. */
static void test_known_answers(void **state) {
  (void)state;
  DO("train", anes, "--label", "PID", "--l2", "0", "--backend", "reference", "-q", "-m", "reference.safetensors");
  compare("reference.safetensors", "tests/inference/anes96.json", 1e-6, 1e-6);
  compare("reference.safetensors", "tests/inference/anes96_f32.json", 1e-10, 1e-10);
}

/* Of all seven classes, where we have six contrasts. */
static void test_penalized(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  json_error_t error;
  support_source_path(path, "tests/inference/anes96_l2.json");
  DO("train", anes, "--label", "PID", "--l2", "0.01", "--backend", "reference", "-q", "-m", "penalized.safetensors");
  json_t *known = json_load_file(path, 0, &error), *document = SUMMARY("penalized.safetensors", anes);
  assert_non_null(known);
  compare_list(document, known, "coefficients", "coefficient", "coefficient", 1, 1e-9);
  compare_list(document, known, "coefficients", "standard_error", "standard_error", 1, 1e-9);
  expect_close("log_likelihood", run_number(document, "log_likelihood", NULL), run_number(known, "log_likelihood", NULL), 1e-10);
  expect_close("parameters", run_number(document, "parameters", NULL), run_number(known, "parameters", NULL), 1e-9);
  assert_string_equal(json_string_value(json_object_get(document, "standard_errors")), "penalised information");
  assert_true(json_is_null(json_object_get(document, "lr_p")));
  json_decref(known);
  json_decref(document);
}

/* From whatever weights a device has come to. */
static void test_device(void **state) {
  (void)state;
  run_need_device();
  DO("train", anes, "--label", "PID", "--l2", "0", "-q", "-m", "device.safetensors");
  compare("device.safetensors", "tests/inference/anes96_f32.json", 1e-10, 1e-10);
}

/* ---- separation ------------------------------------------------------------------------------------------------------ */

static void test_separation(void **state) {
  (void)state;
  REFUSED("setosa is separated by petal_length, petal_width: no finite estimate; use --l2", 3, "train", iris, "--l2", "0", "--backend",
          "reference", "--summary", "-m", "separated.safetensors");
  REFUSED("setosa is separated by petal_length, petal_width: no finite estimate; use --l2", 3, "summary", "separated.safetensors", iris);
}

/* ---- forms ----------------------------------------------------------------------------------------------------------- */

static void test_forms(void **state) {
  (void)state;
  DO("train", iris, "--backend", "reference", "-q", "-m", "forms.safetensors");
  Run run = RUN("summary", "forms.safetensors", iris);
  run_expect(&run, 0);
  run_expect_text(run.out, "versicolor against setosa");
  run_expect_text(run.out, "penalised information");
  run_expect_text(run.err, "maximum likelihood is --l2 0");
  run_free(&run);
  run = RUN("summary", "forms.safetensors", iris, "--csv", "--effects");
  run_expect(&run, 0);
  run_expect_text(run.out, "what,class,term,value,standard_error,z,p,low,high\ncoefficient,versicolor,sepal_length,");
  run_expect_text(run.out, "\neffect,setosa,sepal_length,");
  run_free(&run);
  run = RUN("train", iris, "--backend", "reference", "--summary", "--json", "-q");
  run_expect(&run, 0);
  json_t *trained = run_json(&run), *alone = SUMMARY("forms.safetensors", iris);
  assert_true(run_number(json_object_get(trained, "summary"), "log_likelihood", NULL) == run_number(alone, "log_likelihood", NULL));
  json_decref(trained);
  json_decref(alone);
  run_free(&run);
}

static void test_refusals(void **state) {
  (void)state;
  DO("train", iris, "--backend", "reference", "-q", "-m", "iris.safetensors");
  REFUSED("--base virginicus: the model has no such class; did you mean virginica", 2, "summary", "iris.safetensors", iris, "--base",
          "virginicus");
  REFUSED("--base-level a=b: write COLUMN=LEVEL", 2, "summary", "iris.safetensors", iris, "--base-level", "a=b");
  REFUSED("--confidence", 2, "summary", "iris.safetensors", iris, "--confidence", "1");
  REFUSED("--json and --csv are two forms", 2, "summary", "iris.safetensors", iris, "--json", "--csv");
  REFUSED("--robust without --summary", 2, "train", iris, "--robust");
  DO("train", iris, "--backend", "reference", "-q", "--l1", "0.01", "-m", "l1.safetensors");
  REFUSED("trained with --l1 0.01", 2, "summary", "l1.safetensors", iris);
  DO("train", iris, "--backend", "reference", "-q", "--label-smoothing", "0.1", "-m", "smooth.safetensors");
  REFUSED("--label-smoothing", 2, "summary", "smooth.safetensors", iris);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_known_answers), cmocka_unit_test(test_penalized), cmocka_unit_test(test_device),
      cmocka_unit_test(test_separation),    cmocka_unit_test(test_forms),     cmocka_unit_test(test_refusals),
  };
  return support_run("cli_summary", tests, create, destroy);
}
