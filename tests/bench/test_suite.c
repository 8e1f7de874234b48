/* Which works are chosen, and where W1's images come from. */
#include "bench/suite.h"

#include <string.h>

#include "support/support.h"

static void lists_choose_works(void **state) {
  (void)state;
  Error error = {0};
  bool chosen[SUITE_WORKS];
  support_ok(suite_choose(chosen, NULL, &error), &error);
  for (size_t i = 0; i < SUITE_WORKS; i++) assert_true(chosen[i]);
  support_ok(suite_choose(chosen, "W4, w1", &error), &error);
  for (size_t i = 0; i < SUITE_WORKS; i++) assert_int_equal(chosen[i], i == 0 || i == 3);
  support_ok(suite_choose(chosen, "s3", &error), &error);
  for (size_t i = 0; i < SUITE_WORKS; i++) assert_int_equal(chosen[i], strcmp(suite_name(i), "S3") == 0);
  support_fails(suite_choose(chosen, "W1,W7", &error), &error, SETOSA_ERROR_USAGE,
                "--work \"W7\": give some of W1 to W6 and S1 to S4, as in W1,S4");
  error = (Error){0};
  support_fails(suite_choose(chosen, "", &error), &error, SETOSA_ERROR_USAGE, "--work \"\"");
}

/* Asked for by name, absent images are an error and never made-up data. */
static void named_images_must_be_there(void **state) {
  (void)state;
  Error error = {0};
  Dataset *dataset = NULL;
  char folder[SUPPORT_PATH];
  support_folder_create(folder);
  SetosaStatus status = suite_load(&dataset, 0, folder, &error);
  support_folder_remove(folder);
  support_fails(status, &error, SETOSA_ERROR_DATA, folder);
  assert_null(dataset);
}

static void a_work_has_its_shape(void **state) {
  (void)state;
  Error error = {0};
  Dataset *dataset = NULL;
  support_ok(suite_load(&dataset, 4, NULL, &error), &error);
  assert_string_equal(suite_name(4), "W5");
  assert_int_equal(setosa_dataset_rows(dataset), 16384);
  assert_int_equal(setosa_dataset_features(dataset), 512);
  assert_int_equal(setosa_dataset_classes(dataset), 1000);
  setosa_dataset_destroy(dataset);
}

/* S2 and S3 are too large for a test. */
static void sparse_works_have_their_entries(void **state) {
  (void)state;
  static const struct {
    size_t work, rows, features, entries;
    const char *name;
  } table[] = {{6, 20000, 20000, 60, "S1"}, {9, 16000, 62000, 80, "S4"}};
  for (size_t i = 0; i < 2; i++) {
    Error error = {0};
    Dataset *dataset = NULL;
    support_ok(suite_load(&dataset, table[i].work, NULL, &error), &error);
    assert_string_equal(suite_name(table[i].work), table[i].name);
    DataShape shape = dataset_shape(dataset);
    assert_true(shape.kind == DATA_SPARSE && !shape.ones);
    assert_int_equal(shape.rows, table[i].rows);
    assert_int_equal(shape.features, table[i].features);
    assert_int_equal(shape.classes, 20);
    assert_int_equal(shape.entries, table[i].rows * table[i].entries);
    setosa_dataset_destroy(dataset);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lists_choose_works),
      cmocka_unit_test(named_images_must_be_there),
      cmocka_unit_test(a_work_has_its_shape),
      cmocka_unit_test(sparse_works_have_their_entries),
  };
  return support_run("suite", tests, NULL, NULL);
}
