/* X as halves and as bytes: both families against the reference on the stored values, whole sets in several buffers, and the claim that
 * bytes change nothing. */
#include <math.h>
#include <string.h>

#include "compute/open.h"
#include "data/half.h"
#include "data/storage.h"
#include "judge/compare.h"
#include "kernels/answers.h"
#include "kernels/shapes.h"
#include "support/device.h"

/* A case of each kind, over few (D, K), since every one of K <= 32 is a program of its own. D is odd, so that rows of halves and bytes
 * begin at every alignment, but for shapes whose edge is something else. The arithmetic itself has its own table in test_shapes.c. */
static const Shape stored_shapes[] = {
    {1, 1, 2, PLAIN},           {131, 7, 3, PLAIN},
    {49, 7, 3, ONE_CLASS},      {150, 7, 3, CONSTANT_FEATURES},
    {90, 7, 3, BIG_FEATURES},   {120, 7, 3, HARD_LOGITS},
    {67, 785, 10, PLAIN},       {3001, 7, 3, PLAIN},
    {97, 65, 32, PLAIN},        {97, 65, 33, PLAIN},
    {1, 3, 40, PLAIN},          {131, 19, 70, PLAIN},
    {60, 19, 70, ONE_CLASS},    {70, 19, 70, CONSTANT_FEATURES},
    {90, 19, 70, BIG_FEATURES}, {75, 19, 70, HARD_LOGITS},
    {67, 785, 101, PLAIN},      {48, 64, 65, PLAIN},
    {20, 784, 1000, PLAIN},     {5, 3, 100000, PLAIN},
    {3, 100000, 40, PLAIN},
};

/* Values that the storage can hold: within f16's range, or bytes with one factor. */
static Dataset *make_storable(const Shape *shape, uint64_t seed, SetosaStorage storage) {
  Dataset *dataset = make_dataset(shape, seed);
  size_t count = setosa_dataset_rows(dataset) * setosa_dataset_features(dataset);
  float *values = values_of(dataset);
  const float scale = shape->kind == BIG_FEATURES ? 40.0f : shape->kind == CONSTANT_FEATURES ? 0.5f : 1.0f / 255;
  for (size_t i = 0; i < count; i++) {
    if (storage == SETOSA_STORAGE_F16 && shape->kind == BIG_FEATURES) values[i] *= 0.05f; /* up to 50000 */
    if (storage == SETOSA_STORAGE_U8) values[i] = (float)random_below(seed, RANDOM_STREAM_CHECK, 1, i, 256) * scale;
    if (storage == SETOSA_STORAGE_U8 && shape->kind == CONSTANT_FEATURES) values[i] = (float)(i % shape->features) * scale;
  }
  /* The largest byte is what tells the factor; where all rows are alike it is the smallest, and an outlier would be another test. */
  if (storage == SETOSA_STORAGE_U8 && shape->kind != CONSTANT_FEATURES) values[0] = 255 * scale;
  return dataset;
}

static void compare_shape(const Shape *shape, uint64_t seed, SetosaFamily family, SetosaStorage storage) {
  bool verbose = getenv("SETOSA_TEST_VERBOSE") != NULL;
  Error error = {0};
  size_t failures = 0;
  Dataset *dataset = make_storable(shape, seed, storage);
  CompareSettings settings = {.family = family,
                              .storage = storage,
                              .l2 = 0.01,
                              .logit_size = shape->kind == HARD_LOGITS ? 100 : 3,
                              .row = print_row,
                              .user = &verbose};
  support_ok(judge_compare(dataset, support_device(), &settings, &failures, &error), &error);
  if (failures > 0)
    fail_msg("%zu x %zu, %zu classes, %s: %zu failures", shape->rows, shape->features, shape->classes, setosa_storage_name(storage),
             failures);
  setosa_dataset_destroy(dataset);
}

static void compare_all(SetosaFamily family, SetosaStorage storage) {
  for (size_t i = 0; i < sizeof stored_shapes / sizeof *stored_shapes; i++) compare_shape(&stored_shapes[i], 300 + i, family, storage);
}

static void cpu_family_reads_halves(void **state) {
  (void)state;
  compare_all(SETOSA_FAMILY_CPU, SETOSA_STORAGE_F16);
}
static void gpu_family_reads_halves(void **state) {
  (void)state;
  compare_all(SETOSA_FAMILY_GPU, SETOSA_STORAGE_F16);
}
static void cpu_family_reads_bytes(void **state) {
  (void)state;
  compare_all(SETOSA_FAMILY_CPU, SETOSA_STORAGE_U8);
}
static void gpu_family_reads_bytes(void **state) {
  (void)state;
  compare_all(SETOSA_FAMILY_GPU, SETOSA_STORAGE_U8);
}

static Answers ask(const Dataset *dataset, SetosaFamily family, SetosaStorage storage, size_t x_buffer_bytes) {
  return ask_native(dataset,
                    (BackendSettings){.family = family, .context = support_device(), .storage = storage, .x_buffer_bytes = x_buffer_bytes});
}

/* Sums of 500 f32 terms in another order: 3e-6 of their size. */
static void expect_close(const Answers *a, const Answers *b) {
  double difference = 0, size = 0;
  for (size_t i = 0; i < 4 * a->parameters; i++) {
    difference += (a->numbers[i] - b->numbers[i]) * (a->numbers[i] - b->numbers[i]);
    size += b->numbers[i] * b->numbers[i];
  }
  assert_true(size > 0);
  assert_true(difference <= 1e-11 * size);
  support_near(a->all.loss, b->all.loss, 1e-6);
  support_near(a->some.loss, b->some.loss, 1e-6);
}

static const SetosaFamily families[] = {SETOSA_FAMILY_CPU, SETOSA_FAMILY_GPU};
static const Shape middling[] = {{500, 7, 3, PLAIN}, {500, 19, 40, PLAIN}};

/* X in six buffers that begin at odd addresses: the same sums in another order. */
static void several_parts(void **state) {
  (void)state;
  static const SetosaStorage storages[] = {SETOSA_STORAGE_F32, SETOSA_STORAGE_F16, SETOSA_STORAGE_U8};
  for (size_t i = 0; i < 12; i++) {
    SetosaStorage storage = storages[i % 3];
    StoragePlan plan = {.storage = storage};
    Dataset *dataset = make_storable(&middling[i / 6], 7, storage);
    Answers whole = ask(dataset, families[i / 3 % 2], storage, 0);
    Answers parts = ask(dataset, families[i / 3 % 2], storage, 97 * setosa_dataset_features(dataset) * storage_element_bytes(&plan));
    assert_string_equal(parts.facts.storage, setosa_storage_name(storage));
    expect_close(&parts, &whole);
    assert_memory_equal(parts.logits, whole.logits, setosa_dataset_rows(dataset) * setosa_dataset_classes(dataset) * sizeof(float));
    answers_free(&whole);
    answers_free(&parts);
    setosa_dataset_destroy(dataset);
  }
}

/* Bytes times their factor are the very values, so that every bit of every answer is the same; a fourth of the bytes are read. */
static void bytes_change_nothing(void **state) {
  (void)state;
  for (size_t i = 0; i < 4; i++) {
    Dataset *dataset = make_storable(&middling[i / 2], 8, SETOSA_STORAGE_U8);
    Answers floats = ask(dataset, families[i % 2], SETOSA_STORAGE_F32, 0), bytes = ask(dataset, families[i % 2], SETOSA_STORAGE_U8, 0);
    expect_same(&bytes, &floats, "storage");
    assert_string_equal(bytes.facts.storage, "u8");
    assert_string_equal(floats.facts.storage, "f32");
    assert_true(bytes.facts.storage_rms_error == 0 && bytes.facts.storage_largest_error == 0);
    assert_int_equal(floats.facts.bytes_read, 4 * bytes.facts.bytes_read);
    answers_free(&floats);
    answers_free(&bytes);
    setosa_dataset_destroy(dataset);
  }
}

/* The same for halves that hold the values exactly; values that they do not hold change, and by how much is told. */
static void halves_are_measured(void **state) {
  (void)state;
  Dataset *dataset = make_dataset(&middling[0], 9);
  size_t count = setosa_dataset_rows(dataset) * setosa_dataset_features(dataset);
  float *values = values_of(dataset);
  Answers halves = ask(dataset, SETOSA_FAMILY_GPU, SETOSA_STORAGE_F16, 0);
  double squares = 0, differences = 0, largest = 0;
  for (size_t i = 0; i < count; i++) {
    double x = values[i], unit = exp2(fmax(floor(log2(fabs(x))), -14) - 10), rounded = rint(x / unit) * unit;
    squares += x * x;
    differences += (rounded - x) * (rounded - x);
    largest = fmax(largest, fabs(rounded - x) / fabs(x));
    values[i] = (float)rounded;
  }
  assert_true(differences > 0);
  support_near(halves.facts.storage_rms_error / sqrt(differences / squares), 1, 1e-6);
  support_near(halves.facts.storage_largest_error / largest, 1, 1e-6);
  Answers again = ask(dataset, SETOSA_FAMILY_GPU, SETOSA_STORAGE_F16, 0), floats = ask(dataset, SETOSA_FAMILY_GPU, SETOSA_STORAGE_F32, 0);
  assert_true(again.facts.storage_rms_error == 0);
  expect_same(&halves, &floats, "storage");
  expect_same(&again, &floats, "storage");
  answers_free(&halves);
  answers_free(&again);
  answers_free(&floats);
  setosa_dataset_destroy(dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cpu_family_reads_halves), cmocka_unit_test(gpu_family_reads_halves), cmocka_unit_test(cpu_family_reads_bytes),
      cmocka_unit_test(gpu_family_reads_bytes),  cmocka_unit_test(several_parts),           cmocka_unit_test(bytes_change_nothing),
      cmocka_unit_test(halves_are_measured),
  };
  return support_run("storage of X", tests, support_device_open, support_device_close);
}
