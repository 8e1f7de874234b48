/* Data sets for tests. This is the one place of the tests that looks inside them. */
#ifndef SETOSA_TESTS_SUPPORT_DATASET_H
#define SETOSA_TESTS_SUPPORT_DATASET_H

#include "support/support.h"
/* after support.h, which has cmocka.h and what that needs */
#include <stdlib.h>
#include <string.h>

#include "data/rows.h"

/* Arrays that the test keeps alive, unchecked; labels may be NULL. */
static inline Dataset *wrap_arrays(size_t rows, size_t features, size_t classes, const float *values, const int32_t *labels) {
  Dataset *dataset = NULL;
  Error error = {0};
  support_ok(dataset_create_bare(&dataset, "data", &error), &error);
  dataset->rows = rows;
  dataset->features = features;
  dataset->classes = classes;
  dataset->held->borrowed = true;
  dataset->held->values = (float *)(uintptr_t)values;
  dataset->held->labels = (int32_t *)(uintptr_t)labels;
  return dataset;
}

static inline bool is_made(const Dataset *dataset) { return dataset_shape(dataset).place == DATA_MADE; }
/* Rows lie in a mapped file. */
static inline bool is_mapped(const Dataset *dataset) { return mapping_holds(&dataset->held->mapping, dataset->held->values); }
/* The values, to be written by a test that owns them. */
static inline float *values_of(Dataset *dataset) {
  Error error = {0};
  support_ok(rows_own(dataset, &error), &error);
  return rows_values(dataset);
}

/* Rows are gathered as needed, in reverse, as if they lay in a mapping that other processes use, too. The labels must be none. */
static inline void gather_in_reverse(Dataset *dataset) {
  Error error = {0};
  support_ok(rows_own(dataset, &error), &error);
  support_ok(rows_begin_order(dataset, &error), &error);
  for (size_t i = 0; i < dataset->rows; i++) row_order_set(&dataset->held->order, i, dataset->rows - 1 - i);
}

static inline void rename_text(char **name, const char *text) {
  free(*name);
  *name = strdup(text);
}

#endif
