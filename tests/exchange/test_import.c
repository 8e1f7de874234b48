/* Coefficients of scikit-learn as models, against what scikit-learn itself says of rows (sklearn/make.py); and one line for every file that
 * is none. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/softmax.h"
#include "data/expect.h"
#include "data/zip.h"
#include "model/model.h"

static json_t *read_expected(const char *name) {
  char relative[128], path[SUPPORT_PATH];
  snprintf(relative, sizeof relative, "tests/exchange/sklearn/%s-expected.json", name);
  support_source_path(path, relative);
  json_t *document = json_load_file(path, 0, NULL);
  assert_non_null(document);
  return document;
}

/* p (K) of a row by the model, in double. */
static void predict(double *p, const SetosaModel *model, const json_t *row) {
  for (size_t k = 0; k < model->classes; k++) {
    p[k] = model->bias[k];
    for (size_t d = 0; d < model->features; d++)
      p[k] += (double)model->weights[k * model->features + d] * json_number_value(json_array_get(row, d));
  }
  softmax_row(p, model->classes, 0);
}

static SetosaModel *import(const char *relative) {
  char path[SUPPORT_PATH];
  SetosaModel *model = NULL;
  SetosaError error = {0};
  support_source_path(path, relative);
  support_ok(setosa_model_import(&model, path, &error), &error);
  return model;
}

static void predicts_what_scikit_learn_predicts(void **state) {
  (void)state;
  static const struct {
    const char *name, *last_class, *last_feature;
  } cases[] = {{"three", "virginica", "petal_width"}, {"two", "True", "petal_width"}, {"numbers", "6", NULL}};
  static const char *const forms[] = {"npz", "json"};
  for (size_t i = 0; i < 3; i++)
    for (size_t f = 0; f < 2; f++) {
      char relative[128];
      snprintf(relative, sizeof relative, "tests/exchange/sklearn/%s.%s", cases[i].name, forms[f]);
      SetosaModel *model = import(relative);
      json_t *expected = read_expected(cases[i].name), *rows = json_object_get(expected, "rows");
      assert_int_equal(model->features, 4);
      assert_int_equal(model->classes, i == 0 ? 3 : 2);
      assert_string_equal(model->class_names[model->classes - 1], cases[i].last_class);
      if (cases[i].last_feature != NULL)
        assert_string_equal(model->feature_names[3], cases[i].last_feature);
      else
        assert_null(model->feature_names);
      assert_int_equal(json_array_size(rows), 10);
      for (size_t row = 0; row < 10; row++) {
        double p[3];
        const json_t *wanted = json_array_get(json_object_get(expected, "probabilities"), row);
        predict(p, model, json_array_get(rows, row));
        for (size_t k = 0; k < model->classes; k++) support_near(p[k], json_number_value(json_array_get(wanted, k)), 1e-6);
      }
      json_decref(expected);
      setosa_model_destroy(model);
    }
}

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static void expect_refusal(const char *name, const char *what) {
  char path[SUPPORT_PATH];
  SetosaModel *model = NULL;
  SetosaError error = {0};
  support_path(path, test_folder, name);
  SetosaStatus status = setosa_model_import(&model, path, &error);
  support_fails(status, &error, SETOSA_ERROR_DATA, path);
  if (strstr(error.message, what) == NULL) fail_msg("\"%s\" is not in: %s", what, error.message);
  if (strchr(error.message, ';') == NULL) fail_msg("no remedy in: %s", error.message);
  assert_null(strchr(error.message, '\n'));
  assert_null(model);
}

static void bad_json_is_refused_in_one_line(void **state) {
  (void)state;
  static const struct {
    const char *text, *what;
  } cases[] = {
      {"", "neither an .npz nor a JSON object"},
      {"coef_,1,2", "neither an .npz nor a JSON object"},
      {"[1]", "neither an .npz nor a JSON object"},
      {"{\"coef_\": [[NaN]]}", "1:15: is no JSON"},
      {"{\"coef_\": [[1]], \"coef_\": [[2]]}", "is no JSON"},
      {"{}", "has no \"coef_\""},
      {"{\"coef_\": [[1, 2], [3, 4]], \"intercept_\": [0, 0]}", "has no \"classes_\""},
      {"{\"coef_\": [[1, 2], [3, 4]], \"classes_\": [0, 1]}", "has no \"intercept_\""},
      {"{\"coef_\": [[1, 2], [3]], \"intercept_\": [0, 0], \"classes_\": [0, 1]}", "differ in length"},
      {"{\"coef_\": [], \"intercept_\": [0, 0], \"classes_\": [0, 1]}", "no list of lists"},
      {"{\"coef_\": [[]], \"intercept_\": [0, 0], \"classes_\": [0, 1]}", "no list of lists"},
      {"{\"coef_\": {\"a\": 1}, \"intercept_\": [0, 0], \"classes_\": [0, 1]}", "no list of lists"},
      {"{\"coef_\": [[1, \"2\"]], \"intercept_\": [0], \"classes_\": [0, 1]}", "numbers alone"},
      {"{\"coef_\": [[1, null]], \"intercept_\": [0], \"classes_\": [0, 1]}", "numbers alone"},
      {"{\"coef_\": [[1, 2]], \"intercept_\": [], \"classes_\": [0, 1]}", "intercept_ is no list of numbers"},
      {"{\"coef_\": [[1, 2]], \"intercept_\": \"0\", \"classes_\": [0, 1]}", "intercept_ is no list of numbers"},
      {"{\"coef_\": [[1, 2]], \"intercept_\": [1, 2], \"classes_\": [0, 1]}", "intercept_ has 2 numbers"},
      {"{\"coef_\": [[1, 2], [3, 4]], \"intercept_\": 1, \"classes_\": [0, 1]}", "intercept_ has 1 number,"},
      {"{\"coef_\": [[1, 2], [3, 4]], \"intercept_\": [0, 0], \"classes_\": [0, 1, 2]}", "coef_ has 2 rows, but classes_ has 3"},
      {"{\"coef_\": [[1, 2]], \"intercept_\": [0], \"classes_\": [0, 1, 2]}", "coef_ has 1 row, but classes_ has 3"},
      {"{\"coef_\": [[1, 2]], \"intercept_\": [0], \"classes_\": [0]}", "classes_ has 1 class"},
      {"{\"coef_\": [[1, 2]], \"intercept_\": [0], \"classes_\": [\"a\", \"a\"]}", "same name"},
      {"{\"coef_\": [[1, 2]], \"intercept_\": [0], \"classes_\": [\"\", \"a\"]}", "no list of names"},
      {"{\"coef_\": [[1, 2]], \"intercept_\": [0], \"classes_\": [0.5, 1]}", "no list of names"},
      {"{\"coef_\": [[1, 2]], \"intercept_\": [0], \"classes_\": [0, 1], \"feature_names_in_\": [\"a\"]}", "feature_names_in_ has 1 names"},
      {"{\"coef_\": [[1, 2]], \"intercept_\": [0], \"classes_\": [0, 1], \"feature_names_in_\": [\"a\", \"a\"]}", "same name"},
      {"{\"coef_\": [[1e300, 2]], \"intercept_\": [0], \"classes_\": [0, 1]}", "coef_[0,0] is 1e+300,"},
      {"{\"coef_\": [[2, 1e-60]], \"intercept_\": [0], \"classes_\": [0, 1]}", "which f32 cannot hold"},
      {"{\"model\": {}}", "weights is no list of lists"},
      {"{\"model\": {\"weights\": [[1, 2]]}}", "one class alone"},
      {"{\"model\": {\"weights\": [[1], [1e39]]}}", "more than f32 holds"},
      {"{\"model\": {\"weights\": [[1], [2]], \"bias\": [1]}}", "bias has a list of 1 numbers where 2 belong"},
      {"{\"model\": {\"weights\": [[1], [2]], \"feature_scale\": [1]}}", "only one of"},
      {"{\"model\": {\"weights\": [[1], [2]], \"metadata\": {\"a\": 1}}}", "not all text"},
      {"{\"model\": {\"weights\": [[1], [2]], \"metadata\": {\"class_names\": \"[1]\"}}}", "class_names"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char path[SUPPORT_PATH];
    support_path(path, test_folder, "bad.json");
    support_write_text(path, cases[i].text);
    expect_refusal("bad.json", cases[i].what);
  }
}

/* An archive whose arrays are good but for one. */
static void write_archive(const Bytes *coef, const Bytes *intercept, const Bytes *classes, const Bytes *names) {
  static const double one[4] = {1, -2, 3, 4};
  const Bytes good[] = {array("<f8", "(1, 2)", false, one, 16), array("<f8", "(1,)", false, one, 8),
                        array("<U1", "(2,)", false, "p\0\0\0q\0\0\0", 8)};
  Zip zip = {0};
  zip_add(&zip, "coef_.npy", coef != NULL ? coef : &good[0], true);
  if (intercept == NULL || intercept->length > 0) zip_add(&zip, "intercept_.npy", intercept != NULL ? intercept : &good[1], false);
  zip_add(&zip, "classes_.npy", classes != NULL ? classes : &good[2], true);
  if (names != NULL) zip_add(&zip, "feature_names_in_.npy", names, true);
  zip_write("bad.npz", &zip);
}

static void bad_archives_are_refused_in_one_line(void **state) {
  (void)state;
  const double numbers[] = {1, 2, 3, 4, 5, 6, 7, 8}, bad[] = {1, NAN};
  const Bytes none = {.length = 0}, cube = array("<f8", "(2, 2, 2)", false, numbers, 64), nan = array("<f8", "(1, 2)", false, bad, 16);
  const Bytes objects = array("|O", "(2,)", false, "xxxxxxxx", 8), short_one = array("<f8", "(1, 2)", false, numbers, 8);
  const Bytes table = array("<U1", "(1, 2)", false, "p\0\0\0q\0\0\0", 8), text = array("<U1", "(1, 2)", false, "p\0\0\0q\0\0\0", 8);
  const Bytes empty = array("<U1", "(2,)", false, "\0\0\0\0q\0\0\0", 8), three = array("<i4", "(3,)", false, numbers, 12);
  const struct {
    const Bytes *arrays[4];
    const char *what;
  } cases[] = {
      {{NULL, &none, NULL, NULL}, "holds no array 'intercept_', but 'coef_', 'classes_'"},
      {{&cube, NULL, NULL, NULL}, "3 dimensions"},
      {{&nan, NULL, NULL, NULL}, "number 2 of the array is nan"},
      {{&objects, NULL, NULL, NULL}, "is Python objects"},
      {{&text, NULL, NULL, NULL}, "is text"},
      {{&short_one, NULL, NULL, NULL}, "ends after 1 of 2"},
      {{NULL, NULL, &objects, NULL}, "is Python objects; save it with .astype(str)"},
      {{NULL, NULL, &table, NULL}, "in one dimension"},
      {{NULL, NULL, &empty, NULL}, "the name is empty"},
      {{NULL, NULL, &three, NULL}, "coef_ has 1 row, but classes_ has 3"},
      {{NULL, NULL, NULL, &objects}, "is Python objects; save it with .astype(str)"},
      {{NULL, NULL, NULL, &three}, "feature_names_in_ has 3 names, but coef_ has 2 columns"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    write_archive(cases[i].arrays[0], cases[i].arrays[1], cases[i].arrays[2], cases[i].arrays[3]);
    expect_refusal("bad.npz", cases[i].what);
  }
}

static void pickled_names_are_refused(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  SetosaModel *model = NULL;
  SetosaError error = {0};
  support_source_path(path, "tests/exchange/sklearn/objects.npz");
  support_fails(setosa_model_import(&model, path, &error), &error, SETOSA_ERROR_DATA, path);
  assert_non_null(strstr(error.message, "Python objects; save it with .astype(str)"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(predicts_what_scikit_learn_predicts),
      cmocka_unit_test(bad_json_is_refused_in_one_line),
      cmocka_unit_test(bad_archives_are_refused_in_one_line),
      cmocka_unit_test(pickled_names_are_refused),
  };
  return support_run("exchange import", tests, make_folder, remove_folder);
}
