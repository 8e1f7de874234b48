/* Sparse rows compared with what they should be. Shared by the tests of the readers. */
#ifndef SETOSA_TESTS_DATA_SPARSE_ROWS_H
#define SETOSA_TESTS_DATA_SPARSE_ROWS_H

#include "data/expect.h"

/* Whatever was read: rows that keep to what dataset.h promises of them. */
static inline void expect_sound(const SetosaDataset *dataset) {
  SetosaError error = {0};
  SparseRows rows;
  support_ok(dataset_sparse(&rows, dataset, dataset_all(dataset), NULL, &error), &error);
  assert_int_equal(rows.begin[0], 0);
  assert_int_equal(rows.begin[setosa_dataset_rows(dataset)], setosa_dataset_entries(dataset));
  support_ok(sparse_check(&rows, setosa_dataset_rows(dataset), setosa_dataset_features(dataset), "rows", &error), &error);
  for (uint64_t i = 0; rows.values != NULL && i < setosa_dataset_entries(dataset); i++) assert_true(rows.values[i] != 0);
}

/* The entries as "1:0.5 3:2|2:1", columns from 1. */
static inline void expect_entries(const SetosaDataset *dataset, size_t features, const char *entries) {
  char got[1024] = "";
  SparseRows rows;
  SetosaError error = {0};
  expect_sound(dataset);
  support_ok(dataset_sparse(&rows, dataset, dataset_all(dataset), NULL, &error), &error);
  for (size_t i = 0; i < setosa_dataset_rows(dataset); i++) {
    if (i > 0) snprintf(got + strlen(got), sizeof got - strlen(got), "|");
    for (uint64_t e = rows.begin[i]; e < rows.begin[i + 1]; e++)
      snprintf(got + strlen(got), sizeof got - strlen(got), "%s%u:%.9g", e > rows.begin[i] ? " " : "", rows.columns[e] + 1,
               rows.values != NULL ? (double)rows.values[e] : 1);
  }
  assert_string_equal(got, entries);
  assert_int_equal(setosa_dataset_features(dataset), features);
}

/* The same rows, labels and names, bit for bit. */
static inline void expect_same_rows(const SetosaDataset *a, const SetosaDataset *b) {
  SetosaError error = {0};
  SparseRows one, other;
  size_t rows = setosa_dataset_rows(a);
  uint64_t entries = setosa_dataset_entries(a);
  assert_int_equal(setosa_dataset_rows(b), rows);
  assert_int_equal(setosa_dataset_features(b), setosa_dataset_features(a));
  assert_int_equal(setosa_dataset_entries(b), entries);
  assert_int_equal(setosa_dataset_classes(b), setosa_dataset_classes(a));
  support_ok(dataset_sparse(&one, a, dataset_all(a), NULL, &error), &error);
  support_ok(dataset_sparse(&other, b, dataset_all(b), NULL, &error), &error);
  assert_memory_equal(one.begin, other.begin, (rows + 1) * sizeof *one.begin);
  assert_memory_equal(one.columns, other.columns, entries * sizeof *one.columns);
  assert_true((one.values == NULL) == (other.values == NULL));
  if (one.values != NULL) assert_memory_equal(one.values, other.values, entries * sizeof *one.values);
  assert_memory_equal(setosa_dataset_labels(a), setosa_dataset_labels(b), rows * sizeof(int32_t));
  for (size_t k = 0; k < setosa_dataset_classes(a); k++)
    assert_string_equal(setosa_dataset_class_name(a, k), setosa_dataset_class_name(b, k));
}

#endif
