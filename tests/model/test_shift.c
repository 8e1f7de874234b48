/* A model of shifted columns: its bias is about x, in its file as in memory, whatever a data set takes off its rows. */
#include <math.h>

#include "data/shift.h"
#include "model/files.h"
#include "model/model.h"
#include "support/dataset.h"

enum { D = 3, K = 2 };
static const float W[K * D] = {1.5f, -0.3f, 1e-9f, -1.5f, 0.3f, -1e-9f};
static const double SHIFT[D] = {1000006, 0, 0x1.7p40};

static Model *make_model(void) {
  Error error = {0};
  Model *model = NULL;
  assert_int_equal(setosa_model_create(&model, D, K, W, NULL, &error), SETOSA_OK);
  return model;
}

/* W . shift needs more digits than f32 has, so it is f64 in the file; and the bits come back. */
static void a_wide_bias_is_kept(void **state) {
  (void)state;
  Error error = {0};
  Model *model = make_model(), *loaded = NULL;
  const double bias[K] = {0.1f, -0.7f}; /* of rows x - SHIFT */
  char hash[33], again[33];
  assert_false(model_bias_is_wide(model));
  model_set_bias(model, bias, NULL);
  assert_false(model_bias_is_wide(model));
  model_set_bias(model, bias, SHIFT);
  assert_true(model_bias_is_wide(model));
  assert_true(fabs(model->bias[0] - (bias[0] - (double)W[0] * SHIFT[0] - (double)W[2] * SHIFT[2])) < 1e-9);
  assert_int_equal(setosa_model_save(model, test_path, &error), SETOSA_OK);
  size_t length = 0;
  unsigned char *bytes = read_bytes(&length);
  assert_non_null(memmem(bytes, length, "\"bias\":{\"dtype\":\"F64\",\"shape\":[2]", 33));
  assert_int_equal(setosa_model_load(&loaded, test_path, &error), SETOSA_OK);
  assert_memory_equal(loaded->bias, model->bias, K * sizeof(double));
  assert_null(loaded->shift);
  assert_int_equal(model_hash(model, hash, &error), SETOSA_OK);
  assert_int_equal(model_hash(loaded, again, &error), SETOSA_OK);
  assert_string_equal(hash, again);
  loaded->bias[1] = nextafter(loaded->bias[1], 0);
  assert_int_equal(model_hash(loaded, again, &error), SETOSA_OK);
  assert_string_not_equal(hash, again);
  free(bytes);
  setosa_model_destroy(loaded);
  setosa_model_destroy(model);
}

static void check_model_shift(const Scaling *scaling, const double *shift, const double *expected) {
  Error error = {0};
  Dataset *dataset = NULL;
  Model *model = NULL, *loaded = NULL;
  const float values[2 * D] = {1, 2, 3, 4, 5, 6};
  const int32_t labels[2] = {0, 1};
  assert_int_equal(setosa_dataset_wrap(&dataset, 2, D, K, values, labels, &error), SETOSA_OK);
  if (scaling != NULL) support_ok(dataset_apply_scaling(dataset, scaling->offset, scaling->scale, &error), &error);
  if (shift != NULL) support_ok(shift_copy(&dataset->shift, shift, D, &error), &error);
  assert_int_equal(model_create_for(&model, dataset, &error), SETOSA_OK);
  assert_int_equal(setosa_model_save(model, test_path, &error), SETOSA_OK);
  assert_int_equal(setosa_model_load(&loaded, test_path, &error), SETOSA_OK);
  const double *found = setosa_model_data_options(loaded).expect_shift;
  assert_int_equal(found == NULL, expected == NULL);
  for (int d = 0; expected != NULL && d < D; d++) assert_true(found[d] == expected[d]);
  setosa_model_destroy(loaded);
  setosa_model_destroy(model);
  setosa_dataset_destroy(dataset);
}

/* Other rows for it are read as the training rows were, whatever was done to these since. */
static void the_file_tells_how_rows_are_read(void **state) {
  (void)state;
  double offset[D] = {1000006.2, 2, 0}, scale[D] = {0.5, 1, 0}, half[D] = {0.5, 0.5, 0.5}, halved[D] = {500003, 0, 0x1.7p39};
  check_model_shift(NULL, NULL, NULL);
  check_model_shift(NULL, SHIFT, SHIFT);
  check_model_shift(&(Scaling){offset, scale}, NULL, (const double[]){1000006, 0, 0});
  offset[0] = 7;
  check_model_shift(&(Scaling){offset, scale}, NULL, NULL);
  check_model_shift(&(Scaling){NULL, half}, halved, SHIFT);
}

/* A file of f32 alone, from before or from elsewhere. */
static void numbers_of_any_width_are_read(void **state) {
  (void)state;
  Error error = {0};
  Model *model = NULL;
  write_tensors(
      "{\"weights\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},"
      "\"bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]},"
      "\"feature_offset\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[16,20]},"
      "\"feature_scale\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[20,28]}}",
      28);
  assert_int_equal(setosa_model_load(&model, test_path, &error), SETOSA_OK);
  assert_true(model->bias[1] == 0.5 && model->scaling.offset[0] == 0.5 && model->scaling.scale[0] == 0x1.000003fp-15);
  setosa_model_destroy(model);
}

static void a_bias_that_is_not_finite_is_refused(void **state) {
  (void)state;
  Error error = {0};
  Model *model = make_model();
  model->bias[1] = INFINITY;
  assert_int_equal(setosa_model_save(model, test_path, &error), SETOSA_ERROR_USAGE);
  assert_non_null(strstr(error.message, "value 1 of the bias is not finite"));
  setosa_model_destroy(model);
  static const unsigned char infinite[16] = {[6] = 0xf0, [7] = 0x7f, [14] = 0xf0, [15] = 0x7f};
  const char *header =
      "{\"bias\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]},\"weights\":{\"dtype\":\"F32\",\"shape\":[2,1],"
      "\"data_offsets\":[16,24]}}";
  unsigned char file[256] = {(unsigned char)strlen(header)};
  memcpy(file + 8, header, strlen(header));
  memcpy(file + 8 + strlen(header), infinite, sizeof infinite);
  write_bytes(file, 8 + strlen(header) + 24);
  error = (Error){0};
  assert_int_equal(setosa_model_load(&model, test_path, &error), SETOSA_ERROR_DATA);
  assert_non_null(strstr(error.message, "tensor \"bias\": value 0 is not a finite number; train the model again"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_wide_bias_is_kept),
      cmocka_unit_test(the_file_tells_how_rows_are_read),
      cmocka_unit_test(numbers_of_any_width_are_read),
      cmocka_unit_test(a_bias_that_is_not_finite_is_refused),
  };
  return support_run("model_shift", tests, create_test_folder, remove_test_folder);
}
