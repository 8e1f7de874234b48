/* Model files: the exact bytes that are written, the round trip, files of other tools, and what damage does. */
#include <fcntl.h>
#include <math.h>

#include "model/files.h"
#include "model/model.h"
#include "model/safetensors.h"

/* A model with all that a file can hold; names with quotes, commas and letters past ASCII. */
static Model *make_model(void) {
  static const float weights[] = {1, -2, 0.5f, 3, 1e-30f, -0.0f}, bias[] = {0.25f, -0.25f};
  Error error = {0};
  Model *model = NULL;
  assert_int_equal(setosa_model_create(&model, 3, 2, weights, bias, &error), SETOSA_OK);
  free(model->class_names[0]);
  free(model->class_names[1]);
  model->class_names[0] = strdup("a\"b");
  model->class_names[1] = strdup("non-a\"b");
  model->feature_names = calloc(3, sizeof(char *));
  model->feature_names[0] = strdup("x,1");
  model->feature_names[1] = strdup("längd");
  model->feature_names[2] = strdup("");
  model->label_name = strdup("kind");
  model->positive = strdup("a\"b");
  model->scaling.offset = calloc(3, sizeof(double));
  model->scaling.scale = calloc(3, sizeof(double));
  for (int d = 0; d < 3; d++) model->scaling.scale[d] = d, model->scaling.offset[d] = -d;
  assert_int_equal(model_set_metadata(model, &error, "l2", "%g", 0.01), SETOSA_OK);
  assert_int_equal(model_set_metadata(model, &error, "solver", "lbfgs"), SETOSA_OK);
  return model;
}

/* Every byte of the file, spelled out: whoever changes the layout must change this test knowingly. */
static void the_bytes_are_as_documented(void **state) {
  (void)state;
  static const char header[] =
      "{\"__metadata__\":{\"format\":\"setosa\",\"version\":\"" SETOSA_VERSION
      "\",\"l2\":\"0.01\",\"solver\":\"lbfgs\","
      "\"class_names\":\"[\\\"a\\\\\\\"b\\\",\\\"non-a\\\\\\\"b\\\"]\",\"feature_names\":\"[\\\"x,1\\\",\\\"längd\\\",\\\"\\\"]\","
      "\"label_name\":\"kind\",\"positive\":\"a\\\"b\"},"
      "\"weights\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
      "\"bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[24,32]},"
      "\"feature_offset\":{\"dtype\":\"F64\",\"shape\":[3],\"data_offsets\":[32,56]},"
      "\"feature_scale\":{\"dtype\":\"F64\",\"shape\":[3],\"data_offsets\":[56,80]}}";
  static const uint32_t data[] = {0x3f800000, 0xc0000000, 0x3f000000, 0x40400000, 0x0da24260, 0x80000000, 0x3e800000,
                                  0xbe800000, 0,          0x80000000, 0,          0xbff00000, 0,          0xc0000000,
                                  0,          0,          0,          0x3ff00000, 0,          0x40000000};
  Error error = {0};
  Model *model = make_model();
  model->scaling.offset[0] = -0.0;
  assert_int_equal(setosa_model_save(model, test_path, &error), SETOSA_OK);
  size_t length = 0, header_bytes = (sizeof header - 1 + 7) / 8 * 8;
  unsigned char *bytes = read_bytes(&length);
  assert_int_equal(length, 8 + header_bytes + sizeof data);
  assert_int_equal(bytes[0] | bytes[1] << 8, header_bytes);
  for (int i = 2; i < 8; i++) assert_int_equal(bytes[i], 0);
  assert_memory_equal(bytes + 8, header, sizeof header - 1);
  for (size_t i = sizeof header - 1; i < header_bytes; i++) assert_int_equal(bytes[8 + i], ' ');
  for (size_t i = 0; i < sizeof data / 4; i++) {
    const unsigned char *b = bytes + 8 + header_bytes + 4 * i;
    assert_int_equal(b[0] | b[1] << 8 | b[2] << 16 | (uint32_t)b[3] << 24, data[i]);
  }
  free(bytes);
  setosa_model_destroy(model);
}

static void a_saved_model_comes_back_whole(void **state) {
  (void)state;
  Error error = {0};
  Model *model = make_model(), *loaded = NULL;
  size_t length = 0, again = 0;
  model->weights_name = strdup("how often");
  assert_int_equal(setosa_model_save(model, test_path, &error), SETOSA_OK);
  unsigned char *first = read_bytes(&length);
  assert_int_equal(setosa_model_load(&loaded, test_path, &error), SETOSA_OK);
  assert_int_equal(loaded->classes, 2);
  assert_int_equal(loaded->features, 3);
  assert_memory_equal(loaded->weights, model->weights, 6 * sizeof(float));
  assert_memory_equal(loaded->bias, model->bias, 2 * sizeof(double));
  assert_memory_equal(loaded->scaling.offset, model->scaling.offset, 3 * sizeof(double));
  assert_memory_equal(loaded->scaling.scale, model->scaling.scale, 3 * sizeof(double));
  for (int k = 0; k < 2; k++) assert_string_equal(loaded->class_names[k], model->class_names[k]);
  for (int d = 0; d < 3; d++) assert_string_equal(loaded->feature_names[d], model->feature_names[d]);
  assert_string_equal(loaded->label_name, "kind");
  assert_string_equal(loaded->weights_name, "how often");
  assert_string_equal(loaded->positive, "a\"b");
  const char *key = NULL, *value = NULL;
  assert_true(setosa_model_metadata(loaded, 0, &key, &value));
  assert_string_equal(key, "version");
  assert_true(setosa_model_metadata(loaded, 1, &key, &value));
  assert_string_equal(key, "l2");
  assert_string_equal(value, "0.01");
  assert_false(setosa_model_metadata(loaded, 3, &key, &value));
  /* Saved again: the same bytes, over the old file. */
  assert_int_equal(setosa_model_save(loaded, test_path, &error), SETOSA_OK);
  unsigned char *second = read_bytes(&again);
  assert_int_equal(again, length);
  assert_memory_equal(first, second, length);
  free(first);
  free(second);
  setosa_model_destroy(loaded);
  setosa_model_destroy(model);
}

/* More weights than one block of the reader and the writer. */
static void a_large_model_comes_back(void **state) {
  (void)state;
  enum { D = 1237, K = 11 };
  float *weights = malloc(D * K * sizeof *weights);
  for (int i = 0; i < D * K; i++) weights[i] = sinf((float)i);
  Error error = {0};
  Model *model = NULL, *loaded = NULL;
  assert_int_equal(setosa_model_create(&model, D, K, weights, NULL, &error), SETOSA_OK);
  assert_int_equal(setosa_model_save(model, test_path, &error), SETOSA_OK);
  assert_int_equal(setosa_model_load(&loaded, test_path, &error), SETOSA_OK);
  assert_memory_equal(loaded->weights, weights, D * K * sizeof *weights);
  assert_null(loaded->scaling.scale);
  assert_null(loaded->feature_names);
  assert_null(loaded->positive);
  assert_null(loaded->weights_name);
  assert_string_equal(loaded->class_names[10], "10");
  setosa_model_destroy(model);
  setosa_model_destroy(loaded);
  free(weights);
}

/* As numpy writes it: no metadata, sorted tensors, another float type, no bias, a tensor of another purpose. */
static void files_of_other_tools_are_read(void **state) {
  (void)state;
  Error error = {0};
  Model *model = NULL;
  write_tensors(
      "{\"extra\":{\"dtype\":\"I64\",\"shape\":[3,1,1],\"data_offsets\":[0,24]},"
      "\"empty\":{\"dtype\":\"F8_E4M3\",\"shape\":[0],\"data_offsets\":[24,24]},"
      "\"weights\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[24,48]}}    \n",
      48);
  assert_int_equal(setosa_model_load(&model, test_path, &error), SETOSA_OK);
  for (int i = 0; i < 6; i++) assert_true(model->weights[i] == 0.5f);
  assert_true(model->bias[0] == 0 && model->bias[1] == 0);
  assert_string_equal(model->class_names[1], "1");
  assert_int_equal(model->metadata_count, 0);
  setosa_model_destroy(model);

  write_tensors(
      "{\"__metadata__\":{\"format\":\"pt\",\"by\":\"me\"},"
      "\"bias\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[48,52]},"
      "\"weights\":{\"dtype\":\"F64\",\"shape\":[2,3],\"data_offsets\":[0,48]}}",
      52);
  assert_int_equal(setosa_model_load(&model, test_path, &error), SETOSA_OK);
  for (int i = 0; i < 6; i++) assert_true(model->weights[i] == 0x1.000004p-15f); /* 0x3f0000003f000000 is 0x1.000003fp-15 */
  assert_true(model->bias[0] == 0 && model->bias[1] == 1.75f);                   /* 0x0000, 0x3f00 */
  assert_int_equal(model->metadata_count, 1);
  setosa_model_destroy(model);
}

/* One weight of a 2 x 1 model in the given type; the other is 0. */
static Status load_one(const char *type, int width, uint64_t bits, float *value) {
  char header[160];
  unsigned char file[200] = {0};
  int length = snprintf(header, sizeof header, "{\"weights\":{\"dtype\":\"%s\",\"shape\":[2,1],\"data_offsets\":[0,%d]}}", type, 2 * width);
  file[0] = (unsigned char)length;
  memcpy(file + 8, header, (size_t)length);
  for (int i = 0; i < width; i++) file[8 + length + i] = (unsigned char)(bits >> 8 * i);
  write_bytes(file, (size_t)(8 + length + 2 * width));
  Error error = {0};
  Model *model = NULL;
  Status status = setosa_model_load(&model, test_path, &error);
  if (status == SETOSA_OK) {
    *value = model->weights[0];
  } else {
    assert_non_null(strstr(error.message, ": tensor \"weights\": value 0 is not a finite f32 number; "));
  }
  setosa_model_destroy(model);
  return status;
}

static void numbers_are_converted_exactly_or_refused(void **state) {
  (void)state;
  static const struct {
    const char *type;
    int width;
    uint64_t bits;
    float value; /* NAN: refused */
  } table[] = {
      {"F16", 2, 0x0001, 0x1p-24f},
      {"F16", 2, 0x03ff, 1023 * 0x1p-24f},
      {"F16", 2, 0x0400, 0x1p-14f},
      {"F16", 2, 0x3c00, 1},
      {"F16", 2, 0x7bff, 65504},
      {"F16", 2, 0xc000, -2},
      {"F16", 2, 0x7c00, NAN},
      {"F16", 2, 0xfc00, NAN},
      {"F16", 2, 0x7e00, NAN},
      {"F32", 4, 0x3f800001, 0x1.000002p0f},
      {"F32", 4, 0x00000001, 0x1p-149f},
      {"F32", 4, 0x7f7fffff, 0x1.fffffep127f},
      {"F32", 4, 0x7f800000, NAN},
      {"F32", 4, 0x7fc00000, NAN},
      {"F32", 4, 0xff800000, NAN},
      {"F64", 8, 0x3ff0000000000000, 1},
      {"F64", 8, 0x47efffffe0000000, 0x1.fffffep127f},
      {"F64", 8, 0x47efffffefffffff, 0x1.fffffep127f},
      {"F64", 8, 0x47effffff0000000, NAN},
      {"F64", 8, 0x7fefffffffffffff, NAN},
      {"F64", 8, 0x7ff0000000000000, NAN},
      {"F64", 8, 0x7ff8000000000000, NAN},
      {"F64", 8, 0x0000000000000001, 0},
      {"F64", 8, 0xbfe0000000000000, -0.5f},
  };
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    float value = -777;
    Status status = load_one(table[i].type, table[i].width, table[i].bits, &value);
    assert_int_equal(status, isnan(table[i].value) ? SETOSA_ERROR_DATA : SETOSA_OK);
    if (status == SETOSA_OK) assert_true(value == table[i].value);
  }
}

static void what_cannot_be_saved_is_refused(void **state) {
  (void)state;
  Error error = {0};
  Model *model = make_model();
  char path[128];
  assert_int_equal(setosa_model_save(model, test_path, &error), SETOSA_OK);
  size_t length = 0, after = 0;
  unsigned char *before = read_bytes(&length);

  model->weights[4] = NAN;
  assert_int_equal(setosa_model_save(model, test_path, &error), SETOSA_ERROR_USAGE);
  assert_non_null(strstr(error.message, ": not written: value 4 of the weights is not finite; "));
  model->weights[4] = 0;
  free(model->label_name);
  model->label_name = strdup("\xff");
  assert_int_equal(setosa_model_save(model, test_path, &error), SETOSA_ERROR_WRITE);
  assert_non_null(strstr(error.message, "is not UTF-8"));
  free(model->label_name);
  model->label_name = NULL;
  free(model->class_names[0]);
  model->class_names[0] = strdup("\xff");
  assert_int_equal(setosa_model_save(model, test_path, &error), SETOSA_ERROR_WRITE);
  assert_non_null(strstr(error.message, "is not UTF-8"));
  strcpy(model->class_names[0], "a");
  unsigned char *bytes = read_bytes(&after); /* the old file is untouched */
  assert_int_equal(after, length);
  assert_memory_equal(bytes, before, length);
  free(bytes);
  free(before);

  snprintf(path, sizeof path, "%s/absent/m.safetensors", test_folder);
  assert_int_equal(setosa_model_save(model, path, &error), SETOSA_ERROR_WRITE);
  assert_memory_equal(error.message, path, strlen(path));
  assert_int_equal(setosa_model_save(model, test_folder, &error), SETOSA_ERROR_WRITE);
  assert_int_equal(setosa_model_save(model, "/dev/full", &error), SETOSA_ERROR_WRITE);
  setosa_model_destroy(model);
}

/* Loads a damaged file: it either fails as bad data naming the file, or gives a sound model. */
static Status load_damaged(void) {
  Error error = {0};
  Model *model = (Model *)1;
  Status status = setosa_model_load(&model, test_path, &error);
  if (status != SETOSA_OK) {
    assert_int_equal(status, SETOSA_ERROR_DATA);
    assert_int_equal(error.status, status);
    assert_memory_equal(error.message, test_path, strlen(test_path));
    assert_null(model);
    return status;
  }
  assert_true(model->classes >= 2 && model->features >= 1);
  for (size_t i = 0; i < model->classes * model->features; i++) assert_true(isfinite(model->weights[i]));
  for (size_t k = 0; k < model->classes; k++) assert_true(isfinite(model->bias[k]) && model->class_names[k] != NULL);
  setosa_model_destroy(model);
  return status;
}

static void every_truncation_is_refused(void **state) {
  (void)state;
  Error error = {0};
  Model *model = make_model();
  size_t length = 0;
  assert_int_equal(setosa_model_save(model, test_path, &error), SETOSA_OK);
  unsigned char *bytes = read_bytes(&length);
  for (size_t kept = length; kept-- > 0;) {
    assert_int_equal(truncate(test_path, (off_t)kept), 0);
    assert_int_equal(load_damaged(), SETOSA_ERROR_DATA);
  }
  unsigned char *longer = calloc(length + 1, 1);
  memcpy(longer, bytes, length);
  write_bytes(longer, length + 1);
  assert_int_equal(load_damaged(), SETOSA_ERROR_DATA);
  free(longer);
  free(bytes);
  setosa_model_destroy(model);
}

static void every_changed_byte_is_survived(void **state) {
  (void)state;
  static const unsigned char others[] = {0, 255, '"', '{', '}', '[', ']', ',', ':', '9', '-', '\\', ' ', 'e'};
  Error error = {0};
  Model *model = make_model();
  size_t length = 0, refused = 0;
  assert_int_equal(setosa_model_save(model, test_path, &error), SETOSA_OK);
  unsigned char *bytes = read_bytes(&length);
  int file = open(test_path, O_WRONLY);
  assert_true(file >= 0);
  for (size_t i = 0; i < length; i++) {
    unsigned char kept = bytes[i];
    for (size_t change = 0; change < 8 + sizeof others; change++) {
      /* In place: a file system that syncs what replaces a file would make this take minutes. */
      unsigned char byte = change < 8 ? kept ^ (unsigned char)(1 << change) : others[change - 8];
      assert_int_equal(pwrite(file, &byte, 1, (off_t)i), 1);
      refused += load_damaged() != SETOSA_OK;
    }
    assert_int_equal(pwrite(file, &kept, 1, (off_t)i), 1);
  }
  close(file);
  assert_true(refused > length); /* the header is most of the file, and most changes to it show */
  free(bytes);
  setosa_model_destroy(model);
}

/* Doubles as F64 to the last bit, whatever they are, and as F32 where the writer says so; hash is of the bytes of the file. */
static void doubles_come_back(void **state) {
  (void)state;
  enum { COUNT = 5000 }; /* more than a block */
  static double exact[COUNT], single[COUNT], read[COUNT];
  static const MetadataPair metadata[] = {{"kind", "numbers"}};
  Error error = {0};
  Hash *hash = NULL, *again = NULL;
  SafetensorsFile *file = NULL;
  char expected[HASH_HEX_SIZE], found[HASH_HEX_SIZE];
  for (int i = 0; i < COUNT; i++) exact[i] = 1.0 / (i + 1), single[i] = (double)(float)exact[i];
  exact[0] = NAN, exact[1] = -INFINITY, exact[2] = -0.0, exact[3] = 5e-324, exact[4] = 1e300;
  const TensorSource tensors[] = {{.name = "exact", .type = TENSOR_F64, .dimensions = 1, .shape = {COUNT, 1}, .doubles = exact},
                                  {.name = "single", .type = TENSOR_F32, .dimensions = 2, .shape = {COUNT / 2, 2}, .doubles = single},
                                  {.name = "none", .type = TENSOR_F64, .dimensions = 1, .shape = {0, 1}, .doubles = exact}};
  FILE *stream = fopen(test_path, "wb");
  assert_non_null(stream);
  assert_int_equal(hash_create(&hash, &error), SETOSA_OK);
  assert_int_equal(hash_create(&again, &error), SETOSA_OK);
  assert_int_equal(safetensors_write(stream, test_path, metadata, 1, tensors, 3, hash, &error), SETOSA_OK);
  assert_int_equal(fclose(stream), 0);
  size_t length = 0;
  unsigned char *bytes = read_bytes(&length);
  hash_add(again, bytes, length);
  hash_hex(hash, found);
  hash_hex(again, expected);
  assert_string_equal(found, expected);
  assert_int_equal(safetensors_open(&file, test_path, &error), SETOSA_OK);
  for (size_t i = 0; i < 3; i++) {
    const Tensor *tensor = safetensors_tensor(file, i);
    const TensorSource *source = &tensors[i];
    if (tensor->count == 0) source = &tensors[2]; /* at the same place as the one after it */
    assert_string_equal(tensor->name, source->name);
    assert_int_equal(tensor->type, source->type);
    assert_int_equal(safetensors_read_doubles(file, tensor, read, &error), SETOSA_OK);
    assert_memory_equal(read, source->doubles, tensor->count * sizeof *read);
  }
  assert_null(safetensors_tensor(file, 3));
  float values[COUNT];
  assert_int_equal(safetensors_read(file, safetensors_find(file, "exact"), values, &error), SETOSA_ERROR_DATA); /* finite f32 alone */
  safetensors_close(file);
  hash_destroy(hash);
  hash_destroy(again);
  free(bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_bytes_are_as_documented),
      cmocka_unit_test(a_saved_model_comes_back_whole),
      cmocka_unit_test(a_large_model_comes_back),
      cmocka_unit_test(files_of_other_tools_are_read),
      cmocka_unit_test(numbers_are_converted_exactly_or_refused),
      cmocka_unit_test(doubles_come_back),
      cmocka_unit_test(what_cannot_be_saved_is_refused),
      cmocka_unit_test(every_truncation_is_refused),
      cmocka_unit_test(every_changed_byte_is_survived),
  };
  return support_run("model_safetensors", tests, create_test_folder, remove_test_folder);
}
