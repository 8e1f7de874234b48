/* `setosa summary` and `train --summary`: known answers, forms, and what it refuses. */
#include <math.h>

#include "cli/run.h"

static char folder[SUPPORT_PATH], anes[SUPPORT_PATH], iris[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_source_path(anes, "tests/inference/anes96.csv");
  support_source_path(iris, "data/iris.csv");
  return chdir(folder);
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static void quietly(int code, const char *const *arguments) {
  Run run = run_setosa(arguments);
  run_expect(&run, code);
  run_free(&run);
}
#define DO(...) quietly(0, (const char *const[]){__VA_ARGS__, NULL})

/* The document of a summary. */
static json_t *summary_of(const char *const *arguments) {
  Run run = run_setosa(arguments);
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  run_free(&run);
  return document;
}
#define SUMMARY(...) summary_of((const char *const[]){"summary", __VA_ARGS__, "--json", "-q", NULL})

/* The entry of a class and a term in a list of coefficients or effects. */
static const json_t *entry_of(const json_t *document, const char *list, const char *class_name, const char *term) {
  size_t i = 0;
  const json_t *entry = NULL;
  json_array_foreach(json_object_get(document, list), i, entry) {
    if (strcmp(json_string_value(json_object_get(entry, "class")), class_name) == 0 &&
        strcmp(json_string_value(json_object_get(entry, "term")), term) == 0)
      return entry;
  }
  fail_msg("%s has no entry of class %s, term %s", list, class_name, term);
  return NULL;
}

static void expect_close(const char *what, double actual, double expected, double tolerance) {
  if (!(fabs(actual - expected) <= tolerance * fabs(expected))) fail_msg("%s: %.17g, not %.17g", what, actual, expected);
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

/* From whatever weights a device has come to. */
static void test_device(void **state) {
  (void)state;
  run_need_device();
  DO("train", anes, "--label", "PID", "--l2", "0", "-q", "-m", "device.safetensors");
  compare("device.safetensors", "tests/inference/anes96_f32.json", 1e-10, 1e-10);
}

/* ---- separation ------------------------------------------------------------------------------------------------------ */

static void expect_message(const char *part, int code, const char *const *arguments) {
  Run run = run_setosa(arguments);
  run_expect(&run, code);
  run_expect_text(run.err, part);
  run_free(&run);
}
#define REFUSED(part, code, ...) expect_message(part, code, (const char *const[]){__VA_ARGS__, NULL})

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
      cmocka_unit_test(test_known_answers), cmocka_unit_test(test_device),   cmocka_unit_test(test_separation),
      cmocka_unit_test(test_forms),         cmocka_unit_test(test_refusals),
  };
  return support_run("cli_summary", tests, create, destroy);
}
