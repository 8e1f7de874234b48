/* The fingerprint of the data: every value and label counts, and how a process comes to its rows does not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "support/dataset.h"
#include "support/support.h"
#include "train/checkpoint_settings.h"

enum { SIZE = 64 };

static void fingerprint(char text[SIZE], const Dataset *dataset) {
  Texts settings = {0};
  Error error = {0};
  SetosaTrainOptions options = setosa_train_options_default();
  support_ok(settings_of_training(&settings, &options, dataset, &error), &error);
  const char *found = texts_find(&settings, "fingerprint");
  assert_non_null(found);
  assert_int_equal(strlen(found), 32);
  snprintf(text, SIZE, "%s", found);
  texts_free(&settings);
}

static void expect_fingerprint(const Dataset *dataset, const char *expected, bool same) {
  char text[SIZE];
  fingerprint(text, dataset);
  if ((strcmp(text, expected) == 0) != same)
    fail_msg("%zu rows: %s %s %s", setosa_dataset_rows(dataset), text, same ? "is not" : "is", expected);
}

static void every_value_and_label_counts(void **state) {
  (void)state;
  enum { MOST = 200, FEATURES = 3 };
  static const size_t rows[] = {1, 2, 63, 64, 65, 130, MOST};
  float values[MOST * FEATURES];
  int32_t labels[MOST];
  for (size_t i = 0; i < MOST * FEATURES; i++) values[i] = (float)i;
  for (size_t i = 0; i < MOST; i++) labels[i] = (int32_t)(i % 2);
  for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
    Dataset *dataset = NULL;
    Error error = {0};
    char whole[SIZE];
    support_ok(setosa_dataset_wrap(&dataset, rows[r], FEATURES, 2, values, labels, &error), &error);
    fingerprint(whole, dataset);
    expect_fingerprint(dataset, whole, true);
    for (size_t i = 0; i < rows[r] * FEATURES; i += 7) {
      values[i] += 0.5f;
      expect_fingerprint(dataset, whole, false);
      values[i] -= 0.5f;
    }
    for (size_t i = 0; i < rows[r]; i += 5) {
      labels[i] ^= 1;
      expect_fingerprint(dataset, whole, false);
      labels[i] ^= 1;
    }
    if (rows[r] > 64) { /* two rows change places, in two blocks */
      float kept = values[0];
      values[0] = values[40 * FEATURES];
      values[40 * FEATURES] = kept;
      expect_fingerprint(dataset, whole, false);
      values[40 * FEATURES] = values[0];
      values[0] = kept;
    }
    expect_fingerprint(dataset, whole, true);
    setosa_dataset_destroy(dataset);
  }
}

static Dataset *load(const char *source, size_t part, size_t parts) {
  Dataset *dataset = NULL;
  Error error = {0};
  SetosaDataOptions options = setosa_data_options_default();
  options.part = part;
  options.parts = parts;
  support_ok(setosa_dataset_load(&dataset, source, &options, &error), &error);
  return dataset;
}

/* Mapped or made, held or gathered. */
static void how_rows_come_does_not_count(void **state) {
  (void)state;
  static const char spec[] = "synthetic:rows=3001,features=5,classes=3";
  char folder[SUPPORT_PATH], path[SUPPORT_PATH], plain[SIZE], shuffled[SIZE], made[SIZE];
  Error error = {0};
  support_folder_create(folder);
  support_path(path, folder, "rows.npy");
  support_ok(setosa_generate(spec, path, NULL, NULL, &error), &error);
  Dataset *whole = load(path, 0, 0), *part = load(path, 2, 3), *held = load(spec, 0, 0), *generated = load(spec, 1, 3);
  fingerprint(plain, whole);
  expect_fingerprint(part, plain, true);
  support_ok(setosa_dataset_shuffle(whole, 4, &error), &error);
  support_ok(setosa_dataset_shuffle(part, 4, &error), &error);
  assert_null(setosa_dataset_values(part));
  fingerprint(shuffled, whole);
  assert_string_not_equal(shuffled, plain);
  expect_fingerprint(part, shuffled, true);
  assert_true(!is_made(held) && is_made(generated));
  fingerprint(made, held);
  expect_fingerprint(generated, made, true);
  setosa_dataset_destroy(whole);
  setosa_dataset_destroy(part);
  setosa_dataset_destroy(held);
  setosa_dataset_destroy(generated);
  support_folder_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_value_and_label_counts), cmocka_unit_test(how_rows_come_does_not_count)};
  return support_run("train_fingerprint", tests, NULL, NULL);
}
