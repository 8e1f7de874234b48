/* A file made on the spot, loaded, and compared whole. Shared by the tests of the readers. */
#ifndef SETOSA_TESTS_DATA_EXPECT_H
#define SETOSA_TESTS_DATA_EXPECT_H

#include <stdio.h>
#include <zlib.h>

#include "data/options.h"
#include "support/dataset.h"

static char test_folder[SUPPORT_PATH];

static inline int make_folder(void **state) {
  (void)state;
  support_folder_create(test_folder);
  return 0;
}

static inline int remove_folder(void **state) {
  (void)state;
  support_folder_remove(test_folder);
  return 0;
}

static inline void write_gzip(const char *path, const void *bytes, size_t length) {
  gzFile file = gzopen(path, "wb6");
  assert_non_null(file);
  assert_int_equal(gzwrite(file, bytes, (unsigned)length), (int)length);
  assert_int_equal(gzclose(file), Z_OK);
}

/* Loads folder/name, written from bytes (compressed when the name ends in .gz). */
static inline SetosaStatus load_bytes(SetosaDataset **dataset, const char *name, const void *bytes, size_t length, const char *options,
                                      SetosaError *error) {
  char path[SUPPORT_PATH];
  support_path(path, test_folder, name);
  if (strlen(name) > 3 && strcmp(name + strlen(name) - 3, ".gz") == 0)
    write_gzip(path, bytes, length);
  else
    support_write(path, bytes, length);
  return test_load(dataset, path, options, error);
}

static inline SetosaDataset *load_good(const char *name, const void *bytes, size_t length, const char *options) {
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  support_ok(load_bytes(&dataset, name, bytes, length, options, &error), &error);
  assert_true((uintptr_t)setosa_dataset_values(dataset) % 4096 == 0 ||
              setosa_dataset_rows(dataset) * setosa_dataset_features(dataset) * sizeof(float) < 4096);
  return dataset;
}

static inline SetosaDataset *load_csv(const char *name, const char *text, const char *options) {
  return load_good(name, text, strlen(text), options);
}

static inline void expect_values(const SetosaDataset *dataset, size_t rows, size_t features, const float *values) {
  assert_int_equal(setosa_dataset_rows(dataset), rows);
  assert_int_equal(setosa_dataset_features(dataset), features);
  for (size_t i = 0; i < rows * features; i++)
    if (setosa_dataset_values(dataset)[i] != values[i])
      fail_msg("value %zu is %.9g, expected %.9g", i, (double)setosa_dataset_values(dataset)[i], (double)values[i]);
}

/* Class names of the rows and of the classes, as "p q p" and "p q"; "-" for a row of an unknown class. */
static inline void expect_classes(const SetosaDataset *dataset, const char *rows, const char *classes) {
  char got[512] = "", known[512] = "";
  for (size_t i = 0; i < setosa_dataset_rows(dataset); i++) {
    int32_t label = setosa_dataset_labels(dataset)[i];
    snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i > 0 ? " " : "",
             label < 0 ? "-" : setosa_dataset_class_name(dataset, (size_t)label));
  }
  for (size_t k = 0; k < setosa_dataset_classes(dataset); k++)
    snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", k > 0 ? " " : "", setosa_dataset_class_name(dataset, k));
  assert_string_equal(got, rows);
  assert_string_equal(known, classes);
}

static inline void expect_names(const SetosaDataset *dataset, const char *names) {
  char got[512] = "";
  for (size_t d = 0; d < setosa_dataset_features(dataset); d++) {
    const char *name = setosa_dataset_feature_name(dataset, d);
    snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", d > 0 ? " " : "", name != NULL ? name : "NULL");
  }
  assert_string_equal(got, names);
}

#endif
