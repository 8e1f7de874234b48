/* The model object: creation, names, metadata, options for reading data, scaling, hash. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "data/dataset.h"
#include "model/model.h"
#include "support/dataset.h"

static Dataset *make_dataset(void) {
  static const float values[] = {1, 2, 3, 4, 5, 6};
  static const char *const features[] = {"length", "width"}, *const classes[] = {"red", "green", "blå"};
  Error error = {0};
  Dataset *dataset = NULL;
  assert_int_equal(dataset_create(&dataset, 3, 2, true, "here.csv", &error), SETOSA_OK);
  memcpy(values_of(dataset), values, sizeof values);
  for (int i = 0; i < 3; i++) rows_labels(dataset)[i] = i;
  assert_int_equal(dataset_name_classes_by_index(dataset, 3, &error), SETOSA_OK);
  dataset->feature_names = calloc(2, sizeof(char *));
  for (int d = 0; d < 2; d++) dataset->feature_names[d] = strdup(features[d]);
  for (int k = 0; k < 3; k++) rename_text(&dataset->class_names[k], classes[k]);
  dataset->label_name = strdup("colour");
  dataset->weights_name = strdup("count");
  return dataset;
}

static void a_model_for_data_takes_its_names_and_scaling(void **state) {
  (void)state;
  static const double offset[] = {1, 2}, scale[] = {0.5, 0.25};
  Error error = {0};
  Dataset *dataset = make_dataset();
  Model *model = NULL;
  assert_int_equal(dataset_apply_scaling(dataset, offset, scale, &error), SETOSA_OK);
  assert_int_equal(model_create_for(&model, dataset, &error), SETOSA_OK);
  setosa_dataset_destroy(dataset); /* everything was copied */
  assert_int_equal(setosa_model_features(model), 2);
  assert_int_equal(setosa_model_classes(model), 3);
  for (int i = 0; i < 6; i++) assert_true(setosa_model_weights(model)[i] == 0);
  for (int k = 0; k < 3; k++) assert_true(setosa_model_bias(model)[k] == 0);
  assert_string_equal(setosa_model_class_name(model, 2), "blå");
  assert_string_equal(setosa_model_feature_name(model, 1), "width");
  assert_null(setosa_model_class_name(model, 3));
  assert_null(setosa_model_feature_name(model, 2));
  assert_true(setosa_model_offset(model)[1] == 2);
  assert_true(setosa_model_scale(model)[1] == 0.25f);

  SetosaDataOptions options = setosa_model_data_options(model);
  assert_true(options.scale == 1);
  assert_int_equal(options.expect_features, 2);
  assert_int_equal(options.expect_classes, 3);
  assert_string_equal(options.expect_feature_names[0], "length");
  assert_string_equal(options.expect_class_names[1], "green");
  assert_string_equal(options.expect_label, "colour");
  assert_string_equal(options.expect_weights, "count");
  assert_null(options.positive);
  setosa_model_destroy(model);
}

static void names_must_be_utf8(void **state) {
  (void)state;
  static const char *const wrong[] = {"bl\xe5", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80", "\xf8\x80\x80\x80\x80"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    Error error = {0};
    Dataset *dataset = make_dataset();
    Model *model = (Model *)1;
    rename_text(&dataset->class_names[1], wrong[i]);
    assert_int_equal(model_create_for(&model, dataset, &error), SETOSA_ERROR_DATA);
    assert_null(model);
    assert_memory_equal(error.message, "here.csv: the class name \"", 26);
    assert_non_null(strstr(error.message, "is not UTF-8"));
    setosa_dataset_destroy(dataset);
  }
}

static void a_model_from_arrays_is_checked(void **state) {
  (void)state;
  static const float weights[] = {1, 2, 3, 4}, bias[] = {5, 6}, bad[] = {1, 2, NAN, 4}, bad_bias[] = {0, INFINITY};
  Error error = {0};
  Model *model = NULL;
  assert_int_equal(setosa_model_create(&model, 2, 2, weights, bias, &error), SETOSA_OK);
  assert_string_equal(setosa_model_class_name(model, 0), "0");
  assert_string_equal(setosa_model_class_name(model, 1), "1");
  assert_null(setosa_model_feature_name(model, 0));
  assert_null(setosa_model_offset(model));
  assert_memory_equal(setosa_model_weights(model), weights, sizeof weights);
  for (int k = 0; k < 2; k++) assert_true(setosa_model_bias(model)[k] == (double)bias[k]);
  setosa_model_destroy(model);
  assert_int_equal(setosa_model_create(&model, 2, 2, weights, NULL, &error), SETOSA_OK);
  assert_true(setosa_model_bias(model)[0] == 0 && setosa_model_bias(model)[1] == 0);
  setosa_model_destroy(model);

  const struct {
    size_t features, classes;
    const float *weights, *bias;
    const char *message;
  } wrong[] = {{0, 2, weights, bias, "a model needs at least 1 feature"},
               {2, 1, weights, bias, "a model needs at least 2 classes, not 1"},
               {2, 2, NULL, bias, "setosa_model_create: the argument `weights` is NULL"},
               {2, 2, bad, bias, "weight 0 of class 1 is not finite"},
               {2, 2, weights, bad_bias, "the bias of class 1 is not finite"},
               {(size_t)1 << 40, (size_t)1 << 40, weights, bias, "weights: 1099511627776 x 1099511627776 is more than"}};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    model = (Model *)1;
    assert_int_equal(setosa_model_create(&model, wrong[i].features, wrong[i].classes, wrong[i].weights, wrong[i].bias, &error),
                     SETOSA_ERROR_USAGE);
    assert_null(model);
    assert_memory_equal(error.message, wrong[i].message, strlen(wrong[i].message));
    assert_int_equal(setosa_model_create(&model, wrong[i].features, wrong[i].classes, wrong[i].weights, wrong[i].bias, NULL),
                     SETOSA_ERROR_USAGE);
  }
  setosa_model_destroy(NULL);
}

static void metadata_is_replaced_by_key(void **state) {
  (void)state;
  Error error = {0};
  Model *model = NULL;
  const char *key = NULL, *value = NULL;
  assert_int_equal(model_allocate(&model, 1, 2, &error), SETOSA_OK);
  assert_false(setosa_model_metadata(model, 0, &key, &value));
  for (int i = 0; i < 100; i++) {
    char name[16];
    snprintf(name, sizeof name, "key%d", i);
    assert_int_equal(model_set_metadata(model, &error, name, "%d%%", i), SETOSA_OK);
  }
  assert_int_equal(model_set_metadata(model, &error, "key7", "%s", "seven"), SETOSA_OK);
  assert_true(setosa_model_metadata(model, 7, &key, &value));
  assert_string_equal(key, "key7");
  assert_string_equal(value, "seven");
  assert_true(setosa_model_metadata(model, 99, &key, &value));
  assert_string_equal(value, "99%");
  assert_false(setosa_model_metadata(model, 100, &key, &value));
  assert_int_equal(model_set_metadata(model, &error, "bad", "%s", "\xff"), SETOSA_ERROR_DATA);
  assert_false(setosa_model_metadata(model, 100, &key, &value));
  setosa_model_destroy(model);
}

static void scaling_a_data_set_checks_it(void **state) {
  (void)state;
  static const float weights[6];
  static const double offset[] = {1, 0}, scale[] = {2, 0.5};
  Error error = {0};
  Dataset *dataset = make_dataset();
  Model *model = NULL;
  assert_int_equal(setosa_model_create(&model, 3, 2, weights, NULL, &error), SETOSA_OK);
  assert_int_equal(setosa_model_scale_dataset(model, dataset, &error), SETOSA_ERROR_USAGE);
  assert_string_equal(error.message, "the data has 2 features but the model expects 3; use data with the model's columns");
  setosa_model_destroy(model);

  assert_int_equal(setosa_model_create(&model, 2, 3, weights, NULL, &error), SETOSA_OK);
  assert_int_equal(setosa_model_scale_dataset(model, dataset, &error), SETOSA_OK); /* no scaling: nothing changes */
  assert_true(setosa_dataset_values(dataset)[0] == 1);
  Dataset *scaled = make_dataset();
  assert_int_equal(dataset_apply_scaling(scaled, offset, scale, &error), SETOSA_OK);
  assert_int_equal(setosa_model_scale_dataset(model, scaled, &error), SETOSA_ERROR_USAGE);
  Model *scaling_model = NULL;
  error = (Error){0};
  assert_int_equal(model_create_for(&scaling_model, scaled, &error), SETOSA_OK);
  assert_int_equal(setosa_model_scale_dataset(scaling_model, dataset, &error), SETOSA_OK);
  assert_true(setosa_dataset_values(dataset)[0] == 0 && setosa_dataset_values(dataset)[1] == 1);
  assert_true(setosa_dataset_values(dataset)[4] == 8 && setosa_dataset_values(dataset)[5] == 3);
  setosa_model_destroy(scaling_model);
  setosa_model_destroy(model);
  setosa_dataset_destroy(scaled);
  setosa_dataset_destroy(dataset);
}

/* The hash is of the bytes of weights then bias, independently laid out here; more floats than one block of the hash. */
static void the_hash_is_of_little_endian_floats(void **state) {
  (void)state;
  enum { D = 700, K = 3 };
  static float weights[K * D], bias[K] = {1, 2, 3};
  Error error = {0};
  Model *model = NULL;
  Hash *hash = NULL;
  char found[33] = "", expected[33] = "", other[33] = "";
  for (int i = 0; i < K * D; i++) weights[i] = (float)i / 7;
  assert_int_equal(setosa_model_create(&model, D, K, weights, bias, &error), SETOSA_OK);
  assert_int_equal(model_hash(model, found, &error), SETOSA_OK);
  assert_int_equal(hash_create(&hash, &error), SETOSA_OK);
  hash_add(hash, weights, sizeof weights); /* the machines that run the tests are little-endian */
  hash_add(hash, bias, sizeof bias);
  hash_hex(hash, expected);
  hash_destroy(hash);
  assert_string_equal(found, expected);
  model->bias[2] = 4;
  assert_int_equal(model_hash(model, other, &error), SETOSA_OK);
  assert_string_not_equal(found, other);
  setosa_model_destroy(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_model_for_data_takes_its_names_and_scaling),
      cmocka_unit_test(names_must_be_utf8),
      cmocka_unit_test(a_model_from_arrays_is_checked),
      cmocka_unit_test(metadata_is_replaced_by_key),
      cmocka_unit_test(scaling_a_data_set_checks_it),
      cmocka_unit_test(the_hash_is_of_little_endian_floats),
  };
  return support_run("model_model", tests, NULL, NULL);
}
