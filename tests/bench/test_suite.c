/* Which works are chosen, and where W1's images come from. */
#include "bench/suite.h"
#include "support/support.h"

static void lists_choose_works(void **state) {
  (void)state;
  Error error = {0};
  bool chosen[SUITE_WORKS];
  support_ok(suite_choose(chosen, NULL, &error), &error);
  for (size_t i = 0; i < SUITE_WORKS; i++) assert_true(chosen[i]);
  support_ok(suite_choose(chosen, "W4, w1", &error), &error);
  for (size_t i = 0; i < SUITE_WORKS; i++) assert_int_equal(chosen[i], i == 0 || i == 3);
  support_fails(suite_choose(chosen, "W1,W7", &error), &error, SETOSA_ERROR_USAGE, "--work \"W7\": give some of W1 to W6");
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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lists_choose_works),
      cmocka_unit_test(named_images_must_be_there),
      cmocka_unit_test(a_work_has_its_shape),
  };
  return support_run("suite", tests, NULL, NULL);
}
