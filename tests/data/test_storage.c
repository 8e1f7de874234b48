/* Halves bit by bit, bytes with their factor, and what a data set remembers about the bytes that it came from. */
#include <math.h>

#include "data/binary.h"
#include "data/half.h"
#include "data/storage.h"
#include "support/dataset.h"

/* All 65536 halves, against the definition. */
static void halves_to_floats(void **state) {
  (void)state;
  for (uint32_t bits = 0; bits < 65536; bits++) {
    int exponent = (int)(bits >> 10 & 31);
    double fraction = bits & 1023, sign = bits >= 32768 ? -1 : 1;
    float actual = half_to_float((uint16_t)bits);
    if (exponent == 31 && fraction > 0) {
      assert_true(isnan(actual));
      continue;
    }
    double expected = exponent == 31 ? INFINITY : exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
    if (actual != sign * expected || (signbit(actual) != 0) != (sign < 0))
      fail_msg("half %04x is %a, not %a", bits, actual, sign * expected);
  }
}

/* Every half comes back; what lies between two neighbours goes to the nearer, and in the middle to the even one. */
static void floats_to_halves(void **state) {
  (void)state;
  for (uint32_t bits = 0; bits < 0x7C00; bits++) {
    float here = half_to_float((uint16_t)bits), next = bits < 0x7BFF ? half_to_float((uint16_t)(bits + 1)) : 65536.0f;
    float middle = 0.5f * (here + next); /* exact */
    uint32_t even = (bits & 1) == 0 ? bits : bits + 1;
    assert_int_equal(half_from_float(here), bits);
    assert_int_equal(half_from_float(-here), 0x8000u | bits);
    assert_int_equal(half_from_float(nextafterf(middle, 0)), bits);
    if (middle >= HALF_OVERFLOW) break; /* the last: nothing lies above */
    assert_int_equal(half_from_float(middle), even);
    assert_int_equal(half_from_float(-middle), 0x8000u | even);
    assert_int_equal(half_from_float(nextafterf(middle, INFINITY)), bits + 1);
  }
  assert_int_equal(half_from_float(1e-40f), 0);
  assert_true(half_to_float(half_from_float(nextafterf(HALF_OVERFLOW, 0))) == HALF_MAX);
}

static Dataset *wrap(const float *values, size_t rows, size_t features) {
  Dataset *dataset = wrap_arrays(rows, features, 2, values, NULL);
  rename_text(&dataset->source, "there.csv");
  return dataset;
}

static void expect_plan(const Dataset *dataset, SetosaStorage wanted, bool in_place, SetosaStorage storage, float scale) {
  StoragePlan plan;
  Error error = {0};
  support_ok(storage_choose(&plan, dataset, wanted, in_place, &error), &error);
  assert_string_equal(setosa_storage_name(plan.storage), setosa_storage_name(storage));
  assert_true(plan.scale == scale);
}

static void refuses(const Dataset *dataset, SetosaStorage wanted, const char *message) {
  StoragePlan plan;
  Error error = {0};
  support_fails(storage_choose(&plan, dataset, wanted, false, &error), &error, SETOSA_ERROR_DATA, message);
}

/* More values than a block, so that the edge of one is passed; the factor comes from the values. */
static void bytes_and_their_factor(void **state) {
  (void)state;
  enum { COUNT = 9000 };
  static float values[COUNT];
  static uint8_t bytes[COUNT];
  const float scales[] = {1, 1.0f / 255, 0.1f, 1e-30f, 3e30f, 0.37f};
  Error error = {0};
  for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
    Dataset *dataset = wrap(values, COUNT / 9, 9);
    StoragePlan plan;
    for (size_t i = 0; i < COUNT; i++) values[i] = (float)(i % 255) * scales[s]; /* 0, 1, ...: the factor is a value */
    support_ok(storage_choose(&plan, dataset, SETOSA_STORAGE_U8, false, &error), &error);
    assert_true(plan.scale == scales[s]);
    memset(bytes, 255, sizeof bytes);
    support_ok(storage_convert(bytes, &plan, dataset, 10, COUNT - 10, NULL, &error), &error);
    for (size_t i = 10; i < COUNT; i++) assert_int_equal(bytes[i - 10], i % 255);
    /* the last bit of one value, behind the first block */
    values[5000] = nextafterf(values[5000], INFINITY);
    support_fails(storage_convert(bytes, &plan, dataset, 10, COUNT - 10, NULL, &error), &error, SETOSA_ERROR_DATA,
                  "there.csv: row 556, feature 6: ");
    setosa_dataset_destroy(dataset);
  }
}

static void refusals(void **state) {
  (void)state;
  float real[] = {0, 2, 1, 1.5f, 3, 256}, negative[] = {1, 2, -1, 4}, large[] = {1, -70000, 3, 65519};
  Dataset *dataset = wrap(real, 3, 2);
  refuses(dataset, SETOSA_STORAGE_U8,
          "there.csv: row 2, feature 2: 1.5 is not a whole number 0..255 times 1, so u8 would change it; use --storage f16 or f32");
  real[3] = 4;
  refuses(dataset, SETOSA_STORAGE_U8, "there.csv: row 3, feature 2: 256 is not a whole number 0..255 times 1, ");
  real[5] = 255;
  expect_plan(dataset, SETOSA_STORAGE_U8, false, SETOSA_STORAGE_U8, 1);
  setosa_dataset_destroy(dataset);
  dataset = wrap(negative, 2, 2);
  refuses(dataset, SETOSA_STORAGE_U8, "there.csv: row 2, feature 1: -1 is not a whole number 0..255 times ");
  setosa_dataset_destroy(dataset);
  dataset = wrap(large, 2, 2);
  refuses(dataset, SETOSA_STORAGE_F16,
          "there.csv: row 1, feature 2: -70000 is the largest value, and f16 ends at 65504; use --standardize, --scale or --storage f32");
  large[1] = nextafterf(HALF_OVERFLOW, 0);
  expect_plan(dataset, SETOSA_STORAGE_F16, false, SETOSA_STORAGE_F16, 1);
  setosa_dataset_destroy(dataset);
}

/* AUTO: bytes where X has to be copied anyway and is known to be bytes. */
static void automatic_choice(void **state) {
  (void)state;
  float values[] = {0, 0.5f, 1, 1.5f};
  Dataset *dataset = wrap(values, 2, 2);
  expect_plan(dataset, SETOSA_STORAGE_AUTO, false, SETOSA_STORAGE_F32, 1); /* never guessed */
  dataset->byte_scale = 0.5f;
  expect_plan(dataset, SETOSA_STORAGE_AUTO, false, SETOSA_STORAGE_U8, 0.5f);
  expect_plan(dataset, SETOSA_STORAGE_AUTO, true, SETOSA_STORAGE_F32, 1);
  expect_plan(dataset, SETOSA_STORAGE_F32, false, SETOSA_STORAGE_F32, 1);
  dataset->byte_scale = 1e-40f; /* a device may take it for 0 */
  expect_plan(dataset, SETOSA_STORAGE_AUTO, false, SETOSA_STORAGE_F32, 1);
  setosa_dataset_destroy(dataset);
}

static void expect_bytes(const Dataset *dataset, float scale) {
  assert_true(dataset_shape(dataset).byte_scale == scale);
  for (size_t i = 0; scale != 0 && i < setosa_dataset_rows(dataset) * setosa_dataset_features(dataset); i++) {
    float byte = rintf(setosa_dataset_values(dataset)[i] / scale);
    assert_true(byte >= 0 && byte <= 255 && byte * scale == setosa_dataset_values(dataset)[i]);
  }
}

/* What was read as bytes is known to be bytes, until something other than one factor is applied. */
static void bytes_are_remembered(void **state) {
  (void)state;
  SetosaError error = {0};
  SetosaDataset *dataset = NULL, *held = NULL;
  Bytes images = idx_header(8, 2, (const uint32_t[]){64, 4}), labels = idx_header(8, 1, (const uint32_t[]){64}),
        array = npy_header(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (64, 4), }\n");
  for (uint64_t i = 0; i < 256; i++) put_bits(&images, i, 1, true), put_bits(&array, i, 1, true);
  for (uint64_t i = 0; i < 64; i++) put_bits(&labels, i % 2, 1, true);
  write_bytes("all-images-idx2-ubyte", &images);
  write_bytes("all-labels-idx1-ubyte", &labels);
  write_bytes("all.npy", &array);
  dataset = load_file("all.npy", "labels=all-labels-idx1-ubyte");
  expect_bytes(dataset, (float)(1.0 / 255));
  setosa_dataset_destroy(dataset);
  dataset = load_file("all-images-idx2-ubyte", "scale=-0.3 labels=all-labels-idx1-ubyte");
  expect_bytes(dataset, -0.3f);
  setosa_dataset_destroy(dataset);
  dataset = load_file("all-images-idx2-ubyte", "labels=all-labels-idx1-ubyte");
  expect_bytes(dataset, (float)(1.0 / 255));
  support_ok(setosa_dataset_shuffle(dataset, 1, &error), &error);
  support_ok(setosa_dataset_split(dataset, 0.25, 1, &held, &error), &error);
  expect_bytes(dataset, (float)(1.0 / 255));
  expect_bytes(held, (float)(1.0 / 255));
  support_ok(setosa_dataset_standardize(held, &error), &error);
  expect_bytes(held, 0);
  setosa_dataset_destroy(dataset);
  dataset = load_file("all-images-idx2-ubyte", "scale=1 labels=all-labels-idx1-ubyte");
  expect_bytes(dataset, 1);
  support_ok(setosa_dataset_scale_like(dataset, held, &error), &error); /* a factor and an offset for each feature */
  expect_bytes(dataset, 0);
  setosa_dataset_destroy(dataset);
  setosa_dataset_destroy(held);
  remove_file("all-images-idx2-ubyte");
  remove_file("all-labels-idx1-ubyte");
  remove_file("all.npy");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(halves_to_floats), cmocka_unit_test(floats_to_halves), cmocka_unit_test(bytes_and_their_factor),
      cmocka_unit_test(refusals),         cmocka_unit_test(automatic_choice), cmocka_unit_test(bytes_are_remembered),
  };
  return support_run("storage", tests, make_folder, remove_folder);
}
