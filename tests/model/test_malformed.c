/* Model files that are wrong, one of each kind, each with its message. */

#include "model/files.h"
#include "setosa.h"

#define WEIGHTS "\"weights\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}"
#define BIAS "\"bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[24,32]}"
#define OFFSET "\"feature_offset\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[32,44]}"
#define SCALE "\"feature_scale\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[44,56]}"
#define ONE(entry) "{\"weights\":{" entry "}}"
#define NOTED(metadata) "{\"__metadata__\":{" metadata "}," WEIGHTS "," BIAS "}"

/* message: what follows "FILE: ". */
static const struct {
  const char *header;
  size_t data_bytes;
  const char *message;
} cases[] = {
    /* the JSON */
    {"", 0, "no JSON object after the first 8 bytes;"},
    {"[]", 0, "no JSON object after the first 8 bytes;"},
    {" {}", 0, "no JSON object after the first 8 bytes;"},
    {"{\"weights\":", 32, "byte 11 of its JSON header: "},
    {"{} x", 0, "byte 4 of its JSON header: "},
    {"{\"\\u0000\":1}", 0, "byte "},
    {"{\"a\xff\":1}", 0, "byte "},
    {"{" WEIGHTS "," WEIGHTS "}", 24, "byte 72 of its JSON header: duplicate object key"},
    {ONE("\"dtype\":\"F32\",\"shape\":[2,99999999999999999999],\"data_offsets\":[0,24]"), 24, "byte "},
    /* the tensors */
    {"{}", 0, "has no tensor \"weights\" of shape (classes,features);"},
    {"{" WEIGHTS "}", 23, "tensor \"weights\" ends at byte 24 of the data but the file holds 23;"},
    {"{" WEIGHTS "}", 25, "1 bytes follow the last tensor;"},
    {"{\"weights\":7}", 0, "tensor \"weights\" lacks its dtype, shape or data_offsets;"},
    {ONE("\"shape\":[2,3],\"data_offsets\":[0,24]"), 24, "tensor \"weights\" lacks its dtype, shape or data_offsets;"},
    {ONE("\"dtype\":\"F32\",\"data_offsets\":[0,24]"), 24, "tensor \"weights\" lacks its dtype, shape or data_offsets;"},
    {ONE("\"dtype\":\"F32\",\"shape\":[2,3]"), 24, "tensor \"weights\" lacks its dtype, shape or data_offsets;"},
    {ONE("\"dtype\":4,\"shape\":[2,3],\"data_offsets\":[0,24]"), 24, "tensor \"weights\" lacks its dtype, shape or data_offsets;"},
    {ONE("\"dtype\":\"F32\",\"shape\":[2,-3],\"data_offsets\":[0,24]"), 24,
     "tensor \"weights\": its shape is not a list of whole numbers;"},
    {ONE("\"dtype\":\"F32\",\"shape\":[2,3.0],\"data_offsets\":[0,24]"), 24,
     "tensor \"weights\": its shape is not a list of whole numbers;"},
    {ONE("\"dtype\":\"F32\",\"shape\":[9223372036854775807,3],\"data_offsets\":[0,24]"), 24, "tensor \"weights\": its shape is too large;"},
    {ONE("\"dtype\":\"F32\",\"shape\":[4611686018427387904,3],\"data_offsets\":[0,24]"), 24,
     "tensor \"weights\": 24 bytes do not fit its shape"},
    {ONE("\"dtype\":\"F32\",\"shape\":[2,4],\"data_offsets\":[0,24]"), 24,
     "tensor \"weights\": 24 bytes do not fit its shape and dtype F32;"},
    {ONE("\"dtype\":\"F64\",\"shape\":[2,3],\"data_offsets\":[0,24]"), 24,
     "tensor \"weights\": 24 bytes do not fit its shape and dtype F64;"},
    {ONE("\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[24,0]"), 24,
     "tensor \"weights\": data_offsets are not two rising whole numbers;"},
    {ONE("\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[-8,16]"), 24,
     "tensor \"weights\": data_offsets are not two rising whole numbers;"},
    {ONE("\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24,48]"), 24, "tensor \"weights\": data_offsets are not two rising whole"},
    {ONE("\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0]"), 24,
     "tensor \"weights\": data_offsets are not two rising whole numbers;"},
    {ONE("\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[8,32]"), 32,
     "tensor \"weights\" begins at byte 8 of the data and leaves a hole"},
    {"{" WEIGHTS ",\"bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[20,28]}}", 28,
     "tensor \"bias\" begins at byte 20 of the data and overlaps the one before it;"},
    {"{" WEIGHTS ",\"bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[28,36]}}", 36,
     "tensor \"bias\" begins at byte 28 of the data and leaves a hole before it;"},
    {"{" WEIGHTS ",\"x\":{\"dtype\":\"F32\",\"shape\":[6],\"data_offsets\":[0,24]}}", 24, "tensor \""},
    /* what a model needs of them */
    {ONE("\"dtype\":\"I32\",\"shape\":[2,3],\"data_offsets\":[0,24]"), 24, "tensor \"weights\" is I32; save it as F32, F64 or F16"},
    {ONE("\"dtype\":\"F4\",\"shape\":[1152921504606846976,3],\"data_offsets\":[0,24]"), 24, "tensor \"weights\" is F4; save it as F32"},
    {ONE("\"dtype\":\"F32\",\"shape\":[6],\"data_offsets\":[0,24]"), 24, "tensor \"weights\" is not of shape (classes,features)"},
    {ONE("\"dtype\":\"F32\",\"shape\":[1,6],\"data_offsets\":[0,24]"), 24, "tensor \"weights\" is not of shape (classes,features)"},
    {ONE("\"dtype\":\"F32\",\"shape\":[2,0],\"data_offsets\":[0,0]"), 0, "tensor \"weights\" is not of shape (classes,features)"},
    {ONE("\"dtype\":\"F32\",\"shape\":[2,3,1],\"data_offsets\":[0,24]"), 24, "tensor \"weights\" is not of shape (classes,features)"},
    {ONE("\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]"), 4, "tensor \"weights\" is not of shape (classes,features)"},
    {"{" WEIGHTS ",\"bias\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[24,36]}}", 36, "tensor \"bias\" is not of shape (2) as"},
    {"{" WEIGHTS ",\"bias\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[24,32]}}", 32, "tensor \"bias\" is not of shape (2) as"},
    {"{" WEIGHTS ",\"bias\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[24,28]}}", 28, "tensor \"bias\" is BF16; save it as F32"},
    {"{" WEIGHTS "," BIAS "," OFFSET "}", 44, "has only one of the tensors \"feature_offset\" and \"feature_scale\";"},
    {"{" WEIGHTS "," BIAS "," OFFSET ",\"feature_scale\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[44,52]}}", 52,
     "tensor \"feature_scale\" is not of shape (3) as"},
    {"{" WEIGHTS ",\"feature_shift\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[24,40]}}", 40,
     "tensor \"feature_shift\" is not of shape (3) as"},
    /* the metadata */
    {"{\"__metadata__\":[]," WEIGHTS "}", 24, "\"__metadata__\" is not a JSON object;"},
    {NOTED("\"l2\":0.5"), 32, "the metadata \"l2\" is not a string;"},
    {NOTED("\"l2\":\"1\",\"l2\":\"2\""), 32, "byte "},
    {NOTED("\"class_names\":\"a,b\""), 32, "the metadata \"class_names\" is not a JSON list of names;"},
    {NOTED("\"class_names\":\"{}\""), 32, "the metadata \"class_names\" is not a JSON list of names;"},
    {NOTED("\"class_names\":\"[\\\"a\\\"]\""), 32, "the metadata \"class_names\" has 1 names but the weights are for 2;"},
    {NOTED("\"class_names\":\"[\\\"a\\\",2]\""), 32, "name 1 of the metadata \"class_names\" is not a string;"},
    {NOTED("\"class_names\":\"[\\\"a\\\",\\\"a\\\"]\""), 32, "classes 0 and 1 have the same name \"a\"; rename one"},
    {NOTED("\"feature_names\":\"[\\\"a\\\",\\\"b\\\"]\""), 32, "the metadata \"feature_names\" has 2 names but the weights are for 3;"},
    {NOTED("\"feature_names\":\"[1,2,3]\""), 32, "name 0 of the metadata \"feature_names\" is not a string;"},
    {NOTED("\"index_base\":\"2\""), 32, "the metadata \"index_base\" are \"2\", not 0 or 1;"},
    {NOTED("\"index_base\":\"\""), 32, "the metadata \"index_base\" are \"\", not 0 or 1;"},
    {NOTED("\"hash_bits\":\"2\""), 32, "the metadata \"hash_bits\" are \"2\" but the weights are for 3 features;"},
    {NOTED("\"hash_bits\":\"64\""), 32, "the metadata \"hash_bits\" are \"64\" but the weights are for 3 features;"},
    {NOTED("\"hash_bits\":\"x\""), 32, "the metadata \"hash_bits\" are \"x\" but the weights are for 3 features;"},
    {NOTED("\"temperature\":\"0\""), 32, "the metadata \"temperature\" is \"0\", no number above 0;"},
    {NOTED("\"temperature\":\"-2\""), 32, "the metadata \"temperature\" is \"-2\", no number above 0;"},
    {NOTED("\"temperature\":\"inf\""), 32, "the metadata \"temperature\" is \"inf\", no number above 0;"},
    {NOTED("\"temperature\":\"warm\""), 32, "the metadata \"temperature\" is \"warm\", no number above 0;"},
    {NOTED("\"positive\":\"a\""), 32, "the metadata \"positive\" names \"a\" but that is not the first of two classes;"},
};

static void load_and_expect(const char *path, const char *message) {
  SetosaError error = {0};
  SetosaModel *model = (SetosaModel *)1;
  char expected[512];
  snprintf(expected, sizeof expected, "%s: %s", path, message);
  assert_int_equal(setosa_model_load(&model, path, &error), SETOSA_ERROR_DATA);
  assert_null(model);
  if (strncmp(error.message, expected, strlen(expected)) != 0) fail_msg("expected \"%s\", got \"%s\"", expected, error.message);
  assert_true(strchr(error.message, ';') != NULL || strstr(error.message, "\" is ") != NULL); /* what to do next */
  assert_int_equal(setosa_model_load(&model, path, NULL), SETOSA_ERROR_DATA);
}

static void each_malformed_file_says_what_is_wrong(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    write_tensors(cases[i].header, cases[i].data_bytes);
    load_and_expect(test_path, cases[i].message);
  }
}

/* The same pieces in order are a model, so that each case above is wrong for its own reason only. */
static void the_pieces_are_sound(void **state) {
  (void)state;
  SetosaError error = {0};
  SetosaModel *model = NULL;
  write_tensors("{" WEIGHTS "," BIAS "," OFFSET "," SCALE "}", 56);
  assert_int_equal(setosa_model_load(&model, test_path, &error), SETOSA_OK);
  setosa_model_destroy(model);
  write_tensors(NOTED("\"class_names\":\"[\\\"a\\\",\\\"b\\\"]\",\"positive\":\"a\""), 32);
  assert_int_equal(setosa_model_load(&model, test_path, &error), SETOSA_OK);
  assert_string_equal(setosa_model_class_name(model, 1), "b");
  setosa_model_destroy(model);
}

static void what_is_no_such_file_says_so(void **state) {
  (void)state;
  char path[96];
  snprintf(path, sizeof path, "%s/absent", test_folder);
  load_and_expect(path, "cannot open: No such file or directory; ");
  load_and_expect(test_folder, "is not a regular file; ");
  load_and_expect("/dev/null", "is not a regular file; ");
  write_bytes("", 0);
  load_and_expect(test_path, "only 0 bytes long, too short for a safetensors file; ");
  write_bytes("1234567", 7);
  load_and_expect(test_path, "only 7 bytes long, too short for a safetensors file; ");
  write_bytes("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10);
  load_and_expect(test_path, "is not a model, or one cut short (its first 8 bytes announce a header of 18446744073709551615 bytes, ");
  write_bytes("\3\0\0\0\0\0\0\0{}", 10);
  load_and_expect(test_path, "is not a model, or one cut short (its first 8 bytes announce a header of 3 bytes, ");
  write_bytes("sepal_length,sepal_width,species\n5.1,3.5,setosa\n", 48);
  load_and_expect(test_path, "is not a model, or one cut short (its first 8 bytes announce a header of 7308321214411335027 bytes, ");
  write_bytes("\1\xe1\xf5\5\0\0\0\0{}", 10);
  assert_int_equal(truncate(test_path, 100000100), 0); /* all of it there, and too much */
  load_and_expect(test_path, "its header has 100000001 bytes, and at most 100000000 are read; ");
}

/* A header of deeply nested arrays must not exhaust the stack. */
static void deep_nesting_is_refused(void **state) {
  (void)state;
  enum { DEPTH = 200000 };
  char *header = malloc(DEPTH + 8);
  strcpy(header, "{\"a\":");
  memset(header + 5, '[', DEPTH);
  header[5 + DEPTH] = '\0';
  write_tensors(header, 0);
  free(header);
  load_and_expect(test_path, "byte 2053 of its JSON header: maximum parsing depth reached ");
}

/* Hostile size in another direction: many pairs of metadata and many tensors load in far less than a second. */
static void many_entries_are_no_burden(void **state) {
  (void)state;
  enum { COUNT = 20000 };
  char *header = malloc(COUNT * 90 + 100), *at = header + sprintf(header, "{\"__metadata__\":{");
  for (int i = 0; i < COUNT; i++) at += sprintf(at, "%s\"k%d\":\"v%d\"", i > 0 ? "," : "", i, i);
  at += sprintf(at, "}");
  for (int i = 0; i < COUNT; i++)
    at += sprintf(at, ",\"t%d\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[%d,%d]}", i, 24 + i, 25 + i);
  sprintf(at, "," WEIGHTS "}");
  write_tensors(header, 24 + COUNT);
  SetosaError error = {0};
  SetosaModel *model = NULL;
  const char *key = NULL, *value = NULL;
  assert_int_equal(setosa_model_load(&model, test_path, &error), SETOSA_OK);
  assert_true(setosa_model_metadata(model, COUNT - 1, &key, &value));
  assert_string_equal(value, "v19999");
  setosa_model_destroy(model);
  free(header);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_pieces_are_sound),         cmocka_unit_test(each_malformed_file_says_what_is_wrong),
      cmocka_unit_test(what_is_no_such_file_says_so), cmocka_unit_test(deep_nesting_is_refused),
      cmocka_unit_test(many_entries_are_no_burden),
  };
  return support_run("model_malformed", tests, create_test_folder, remove_test_folder);
}
