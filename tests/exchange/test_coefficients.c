/* Coefficients as .json and .csv: what stands there, that every number reads back, and that the very model comes back from JSON. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "data/expect.h"
#include "exchange/models.h"

static void export(char path[SUPPORT_PATH], const SetosaModel *model, const char *name) {
  SetosaError error = {0};
  SetosaExportResult result;
  support_path(path, test_folder, name);
  support_ok(setosa_model_export(model, path, NULL, &result, &error), &error);
  size_t length = 0;
  free(support_read(path, &length));
  assert_int_equal(result.bytes, length);
}

static void the_same_model_comes_back_from_json(void **state) {
  (void)state;
  for (int shifted = 0; shifted < 2; shifted++) {
    SetosaModel *model = make_table_model(shifted), *back = NULL;
    SetosaError error = {0};
    char path[SUPPORT_PATH], first[SUPPORT_PATH], second[SUPPORT_PATH];
    size_t lengths[2];
    export(path, model, "m.json");
    support_ok(setosa_model_import(&back, path, &error), &error);
    support_path(first, test_folder, "first.safetensors");
    support_path(second, test_folder, "second.safetensors");
    support_ok(setosa_model_save(model, first, &error), &error);
    support_ok(setosa_model_save(back, second, &error), &error);
    char *bytes[] = {support_read(first, &lengths[0]), support_read(second, &lengths[1])};
    assert_int_equal(lengths[0], lengths[1]);
    assert_memory_equal(bytes[0], bytes[1], lengths[0]);
    free(bytes[0]);
    free(bytes[1]);
    setosa_model_destroy(model);
    setosa_model_destroy(back);
  }
}

/* coef_ and intercept_ are of the columns as the data has them. */
static void json_has_what_scikit_learn_has(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  SetosaModel *model = make_table_model(false);
  support_ok(setosa_model_set_temperature(model, 0.5, NULL), NULL);
  export(path, model, "m.json");
  json_t *document = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
  assert_non_null(document);
  assert_string_equal(json_string_value(json_object_get(document, "format")), "setosa-coefficients");
  assert_int_equal(json_integer_value(json_object_get(document, "schema")), 1);
  assert_string_equal(json_string_value(json_array_get(json_object_get(document, "classes_"), 0)), "Männer, \"alt\"");
  assert_string_equal(json_string_value(json_array_get(json_object_get(document, "feature_names_in_"), 2)), "kind=b, c");
  for (size_t k = 0; k < MODEL_CLASSES; k++) {
    double shift = 0;
    for (size_t d = 0; d < MODEL_FEATURES; d++) {
      double wanted = (double)MODEL_WEIGHTS[k * MODEL_FEATURES + d] * MODEL_SCALE[d] / 0.5;
      shift += wanted * MODEL_OFFSET[d];
      assert_true(json_number_value(json_array_get(json_array_get(json_object_get(document, "coef_"), k), d)) == wanted);
    }
    assert_true(json_number_value(json_array_get(json_object_get(document, "intercept_"), k)) == MODEL_BIAS[k] / 0.5 - shift);
  }
  json_decref(document);
  setosa_model_destroy(model);
}

static void csv_is_a_line_for_each_number(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  SetosaModel *model = make_table_model(true);
  support_ok(setosa_model_set_temperature(model, 1, NULL), NULL);
  export(path, model, "m.csv");
  char *text = support_read(path, NULL);
  static const char expected[] =
      "class,feature,coefficient,weight\n"
      "\"Männer, \"\"alt\"\"\",age,0.10000000149011612,0.1\n"
      "\"Männer, \"\"alt\"\"\",kind=ä,-2.5,-2.5\n"
      "\"Männer, \"\"alt\"\"\",\"kind=b, c\",9.999999717180685e-10,1e-09\n"
      "\"Männer, \"\"alt\"\"\",kind=z,3,3\n"
      "\"Männer, \"\"alt\"\"\",(intercept),0.1,0.1\n"
      "b,age,1.75,1.75\n";
  if (strncmp(text, expected, strlen(expected)) != 0) fail_msg("not what was expected:\n%s", text);
  size_t lines = 0;
  for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++) lines++;
  assert_int_equal(lines, 1 + MODEL_CLASSES * (MODEL_FEATURES + 1));
  free(text);
  setosa_model_destroy(model);
}

static void features_without_names_are_numbered(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  SetosaModel *model = NULL;
  SetosaError error = {0};
  support_ok(setosa_model_create(&model, 2, 2, MODEL_WEIGHTS, NULL, &error), &error);
  export(path, model, "m.CSV");
  char *text = support_read(path, NULL);
  assert_non_null(strstr(text, "\n0,x2,-2.5,-2.5\n"));
  free(text);
  setosa_model_destroy(model);
}

static void what_cannot_be_written_is_refused(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  SetosaModel *model = make_table_model(false);
  SetosaError error = {0};
  SetosaExportOptions options = setosa_export_options_default();
  support_fails(setosa_model_export(model, "m.txt", NULL, NULL, &error), &error, SETOSA_ERROR_USAGE, "m.txt: its name says no form");
  support_fails(setosa_model_export(model, ".json", NULL, NULL, &error), &error, SETOSA_ERROR_USAGE, ".json: its name says no form");
  options.form = (SetosaExportForm)99;
  support_fails(setosa_model_export(model, "m.csv", &options, NULL, &error), &error, SETOSA_ERROR_USAGE,
                "setosa_model_export: there is no");
  support_path(path, test_folder, "nowhere/m.csv");
  support_fails(setosa_model_export(model, path, NULL, NULL, &error), &error, SETOSA_ERROR_WRITE, path);
  options.form = SETOSA_EXPORT_CSV;
  options.quantize = SETOSA_QUANTIZE_INT8;
  support_fails(setosa_model_export(model, "m.csv", &options, NULL, &error), &error, SETOSA_ERROR_USAGE, "m.csv: --quantize means nothing");
  options.quantize = SETOSA_QUANTIZE_NONE;
  options.single = true;
  support_fails(setosa_model_export(model, "m.csv", &options, NULL, &error), &error, SETOSA_ERROR_USAGE, "m.csv: --single means nothing");
  options.single = false;
  support_path(path, test_folder, "m.txt"); /* a form that is asked for needs no name */
  support_ok(setosa_model_export(model, path, &options, NULL, &error), &error);
  model->scaling.scale[0] = 1e308;
  support_fails(setosa_model_export(model, path, &options, NULL, &error), &error, SETOSA_ERROR_USAGE, "the intercept of class 2 overflows");
  setosa_model_destroy(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_same_model_comes_back_from_json), cmocka_unit_test(json_has_what_scikit_learn_has),
      cmocka_unit_test(csv_is_a_line_for_each_number),       cmocka_unit_test(features_without_names_are_numbered),
      cmocka_unit_test(what_cannot_be_written_is_refused),
  };
  return support_run("exchange coefficients", tests, make_folder, remove_folder);
}
