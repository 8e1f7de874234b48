/* One of several processes: it checks its own rows, sees all of them, and shuffles a mapped file without copying it. */
#include <math.h>

#include "base/random.h"
#include "data/binary.h"
#include "data/half.h"
#include "data/storage.h"
#include "support/dataset.h"

enum { ROWS = 1003, FEATURES = 7, PARTS = 4 };

static SetosaDataset *load_part(const char *source, size_t part, size_t parts) {
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  SetosaDataOptions options = setosa_data_options_default();
  options.part = part;
  options.parts = parts;
  support_ok(setosa_dataset_load(&dataset, source, &options, &error), &error);
  return dataset;
}

static void write_rows(char path[SUPPORT_PATH], const char *name) {
  SetosaError error = {0};
  support_path(path, test_folder, name);
  support_ok(setosa_generate("rows=1003,features=7,classes=5,seed=9", path, NULL, NULL, &error), &error);
}

static void parts_hold_every_row_once(void **state) {
  (void)state;
  static const size_t rows[] = {1, 2, 3, 64, 65, 1003}, parts[] = {0, 1, 2, 3, 7, 64, 2000};
  for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
      size_t next = 0;
      for (size_t part = 0; part == 0 || part < parts[p]; part++) {
        RowRange own = range_part(rows[r], part, parts[p] > 0 ? parts[p] : 1);
        assert_int_equal(own.begin, next);
        next += own.count;
      }
      assert_int_equal(next, rows[r]);
    }
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  SetosaDataOptions options = setosa_data_options_default();
  options.part = options.parts = 3;
  support_fails(setosa_dataset_load(&dataset, "synthetic:rows=10", &options, &error), &error, SETOSA_ERROR_USAGE, "part 3 of 3 parts");
}

/* The bad value is found by the process whose part it is in, and by one that is alone. */
static void each_checks_its_own_rows(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  const float nan = NAN;
  write_rows(path, "bad.npy");
  size_t length = 0, row = 600, at;
  char *bytes = support_read(path, &length);
  at = length - ((size_t)ROWS - row) * FEATURES * sizeof nan + 2 * sizeof nan;
  memcpy(bytes + at, &nan, sizeof nan);
  support_write(path, bytes, length);
  free(bytes);
  for (size_t part = 0; part <= PARTS; part++) {
    SetosaDataset *dataset = NULL;
    SetosaError error = {0};
    SetosaDataOptions options = setosa_data_options_default();
    if (part < PARTS) options.part = part, options.parts = PARTS;
    SetosaStatus status = setosa_dataset_load(&dataset, path, &options, &error);
    if (part == 2 || part == PARTS) { /* rows 502 to 752 */
      assert_int_equal(status, SETOSA_ERROR_DATA);
      assert_non_null(strstr(error.message, "bad.npy:601:3: the value is not a number"));
    } else {
      support_ok(status, &error);
      assert_int_equal(setosa_dataset_rows(dataset), ROWS);
      assert_true(isnan(setosa_dataset_values(dataset)[row * FEATURES + 2]));
    }
    setosa_dataset_destroy(dataset);
  }
}

static void expect_rows(const SetosaDataset *actual, const SetosaDataset *expected, size_t begin, size_t count) {
  float *room = malloc((count + 1) * FEATURES * sizeof *room);
  TargetRoom target_room = {0};
  Targets targets;
  assert_non_null(room);
  support_poison(room, (count + 1) * FEATURES);
  const float *values = dataset_dense(actual, (RowRange){begin, count}, room);
  assert_true(values == (setosa_dataset_values(actual) != NULL ? setosa_dataset_values(actual) + begin * FEATURES : room));
  assert_memory_equal(values, setosa_dataset_values(expected) + begin * FEATURES, count * FEATURES * sizeof *values);
  assert_true(isnan(room[count * FEATURES]));
  support_ok(dataset_targets(&targets, actual, (RowRange){begin, count}, &target_room, NULL), NULL);
  assert_memory_equal(targets.labels, setosa_dataset_labels(expected) + begin, count * sizeof *targets.labels);
  assert_null(targets.weights);
  target_room_free(&target_room);
  free(room);
}

/* Of a slice as of the whole, whatever became of the whole. */
static void expect_all(const SetosaDataset *actual, const SetosaDataset *expected) {
  size_t rows = setosa_dataset_rows(actual);
  Dataset *slice = NULL, *inner = NULL, *other = NULL;
  assert_int_equal(rows, setosa_dataset_rows(expected));
  expect_rows(actual, expected, 0, rows);
  expect_rows(actual, expected, 0, 0);
  expect_rows(actual, expected, 1, 1);
  expect_rows(actual, expected, rows - 1, 1);
  expect_rows(actual, expected, rows / 4, rows / 4);
  support_ok(dataset_slice(&slice, actual, (RowRange){17, 150}, NULL), NULL);
  support_ok(dataset_slice(&inner, slice, (RowRange){3, 100}, NULL), NULL);
  support_ok(dataset_slice(&other, expected, (RowRange){20, 100}, NULL), NULL);
  setosa_dataset_destroy(slice);
  assert_int_equal(dataset_shape(inner).place, dataset_shape(actual).place);
  expect_rows(inner, other, 0, 100);
  expect_rows(inner, other, 40, 60);
  assert_true(dataset_square_sum(inner, dataset_all(inner)) == dataset_square_sum(other, dataset_all(other)) || is_made(inner));
  support_ok(dataset_hold(inner, NULL), NULL);
  assert_int_equal(dataset_shape(inner).place, DATA_HELD);
  expect_rows(inner, other, 0, 100);
  setosa_dataset_destroy(inner);
  setosa_dataset_destroy(other);
}

/* The same permutation as that of a copy, again on top of itself, and of the same bits when a change needs the copy after all. */
static void a_shuffle_is_an_order(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  SetosaError error = {0};
  write_rows(path, "good.npy");
  SetosaDataset *whole = load_part(path, 0, 0), *part = load_part(path, 1, PARTS), *plain = load_part(path, 0, 1);
  SetosaDataset *held = NULL, *held_part = NULL;
  for (uint64_t seed = 3; seed < 5; seed++) {
    support_ok(setosa_dataset_shuffle(whole, seed, &error), &error);
    support_ok(setosa_dataset_shuffle(part, seed, &error), &error);
    assert_non_null(setosa_dataset_values(whole));
    assert_null(setosa_dataset_values(part)); /* nobody reads rows in an order that is not theirs */
    assert_memory_equal(setosa_dataset_labels(part), setosa_dataset_labels(whole), ROWS * sizeof(int32_t));
    expect_all(part, whole);
  }
  assert_memory_not_equal(setosa_dataset_values(whole), setosa_dataset_values(plain), ROWS * FEATURES * sizeof(float));
  assert_int_equal(dataset_check_held(part, "this test", &error), SETOSA_ERROR_USAGE);
  assert_non_null(strstr(error.message, "gathers them as needed"));
  support_ok(setosa_dataset_standardize(whole, &error), &error);
  support_ok(setosa_dataset_standardize(part, &error), &error);
  assert_non_null(setosa_dataset_values(part));
  expect_all(part, whole);
  support_ok(setosa_dataset_split(whole, 0.2, 6, &held, &error), &error);
  support_ok(setosa_dataset_split(part, 0.2, 6, &held_part, &error), &error);
  expect_all(held_part, held);
  setosa_dataset_destroy(held);
  setosa_dataset_destroy(held_part);
  setosa_dataset_destroy(whole);
  setosa_dataset_destroy(part);
  setosa_dataset_destroy(plain);
}

/* What is in memory anyway is shuffled there. */
static void rows_of_text_are_moved(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  SetosaError error = {0};
  support_source_path(path, "data/iris.csv");
  SetosaDataset *whole = load_part(path, 0, 0), *part = load_part(path, 2, 3);
  support_ok(setosa_dataset_shuffle(whole, 1, &error), &error);
  support_ok(setosa_dataset_shuffle(part, 1, &error), &error);
  assert_memory_equal(setosa_dataset_values(part), setosa_dataset_values(whole),
                      setosa_dataset_rows(whole) * setosa_dataset_features(whole) * sizeof(float));
  assert_memory_equal(setosa_dataset_labels(part), setosa_dataset_labels(whole), setosa_dataset_rows(whole) * sizeof(int32_t));
  setosa_dataset_destroy(whole);
  setosa_dataset_destroy(part);
}

static void synthetic_rows_are_made_by_each(void **state) {
  (void)state;
  static const char spec[] = "synthetic:rows=1003,features=7,classes=5,seed=9";
  SetosaDataset *whole = load_part(spec, 0, 0), *part = load_part(spec, 3, PARTS), *held = NULL;
  SetosaError error = {0};
  assert_false(is_made(whole));
  assert_true(is_made(part));
  expect_rows(part, whole, 500, 300);
  support_ok(setosa_dataset_standardize(whole, &error), &error);
  support_ok(setosa_dataset_standardize(part, &error), &error);
  expect_all(part, whole);
  SetosaDataOptions options = setosa_data_options_default();
  options.parts = PARTS;
  options.generate_above_bytes = 1 << 20; /* whoever says how much to hold is obeyed */
  support_ok(setosa_dataset_load(&held, spec, &options, &error), &error);
  assert_false(is_made(held));
  setosa_dataset_destroy(whole);
  setosa_dataset_destroy(part);
  setosa_dataset_destroy(held);
}

/* Values [first, first + count) of gathered rows, in pieces that begin and end inside of rows. */
static void gathered_rows_convert(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  SetosaError error = {0};
  write_rows(path, "convert.npy");
  size_t length = 0, count = (size_t)ROWS * FEATURES;
  char *bytes = support_read(path, &length);
  float *values = (float *)(void *)(bytes + length - count * sizeof(float));
  for (size_t i = 0; i < count; i++) values[i] = (float)(random_below(1, RANDOM_STREAM_CHECK, 0, i, 256));
  support_write(path, bytes, length);
  free(bytes);
  SetosaDataset *whole = load_part(path, 0, 0), *part = load_part(path, 1, 2);
  support_ok(setosa_dataset_shuffle(whole, 8, &error), &error);
  support_ok(setosa_dataset_shuffle(part, 8, &error), &error);
  unsigned char *expected = malloc(count * sizeof(float)), *actual = malloc(count * sizeof(float));
  assert_true(expected != NULL && actual != NULL);
  static const SetosaStorage storages[] = {SETOSA_STORAGE_F32, SETOSA_STORAGE_F16, SETOSA_STORAGE_U8};
  static const size_t ranges[][2] = {{0, (size_t)ROWS * FEATURES}, {3, 1}, {5, 9}, {700, 4001}, {(size_t)ROWS * FEATURES - 8, 8}};
  for (size_t s = 0; s < 3; s++) {
    StoragePlan plan, other;
    support_ok(storage_choose(&plan, whole, storages[s], false, &error), &error);
    support_ok(storage_choose(&other, part, storages[s], false, &error), &error);
    assert_true(plan.scale == other.scale);
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
      StorageRounding one = {0}, two = {0};
      size_t size = storage_element_bytes(&plan) * ranges[r][1];
      memset(actual, 0xFF, count * sizeof(float));
      support_ok(storage_convert(expected, &plan, whole, ranges[r][0], ranges[r][1], &one, &error), &error);
      support_ok(storage_convert(actual, &plan, part, ranges[r][0], ranges[r][1], &two, &error), &error);
      assert_memory_equal(actual, expected, size);
      assert_true(one.squares == two.squares && one.differences == two.differences && one.largest == two.largest); /* whole numbers */
    }
  }
  /* A value that is no byte is named by its place in the file. */
  size_t row = row_order_at(&part->held->order, 10);
  char message[64];
  StoragePlan halves = {SETOSA_STORAGE_U8, 2}; /* odd numbers do not fit */
  size_t odd = 0;
  while (fmodf(part->held->unordered[row * FEATURES + odd], 2) == 0 && odd < FEATURES) odd++;
  if (odd < FEATURES) {
    snprintf(message, sizeof message, "row %zu, feature %zu: ", row + 1, odd + 1);
    Status status = storage_convert(actual, &halves, part, 10 * FEATURES, FEATURES, NULL, &error);
    assert_int_equal(status, SETOSA_ERROR_DATA);
    assert_non_null(strstr(error.message, message));
  }
  free(expected);
  free(actual);
  setosa_dataset_destroy(whole);
  setosa_dataset_destroy(part);
}

/* f16's range is looked at by the process whose part the value is in. */
static void each_checks_its_range_of_halves(void **state) {
  (void)state;
  float *values = calloc((size_t)ROWS * FEATURES, sizeof *values);
  assert_non_null(values);
  values[600 * FEATURES + 1] = 70000;
  for (size_t part = 0; part < PARTS; part++) {
    Dataset *dataset = wrap_arrays(ROWS, FEATURES, 2, values, NULL);
    dataset->part = part;
    dataset->parts = PARTS;
    StoragePlan plan;
    Error error = {0};
    Status status = storage_choose(&plan, dataset, SETOSA_STORAGE_F16, false, &error);
    if (part == 2)
      support_fails(status, &error, SETOSA_ERROR_DATA, "data: row 601, feature 2: 70000 is the largest value");
    else
      support_ok(status, &error);
    setosa_dataset_destroy(dataset);
  }
  free(values);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parts_hold_every_row_once),       cmocka_unit_test(each_checks_its_own_rows),
      cmocka_unit_test(a_shuffle_is_an_order),           cmocka_unit_test(rows_of_text_are_moved),
      cmocka_unit_test(synthetic_rows_are_made_by_each), cmocka_unit_test(gathered_rows_convert),
      cmocka_unit_test(each_checks_its_range_of_halves),
  };
  return support_run("data_parts", tests, make_folder, remove_folder);
}
