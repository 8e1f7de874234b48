/* Rows that a self-test is made on. */
#ifndef SETOSA_JUDGE_TRIAL_ROWS_H
#define SETOSA_JUDGE_TRIAL_ROWS_H

#include "data/dataset.h"

enum { TRIAL_SPARSE_ROWS = 1100, TRIAL_SPARSE_FEATURES = 29 };

typedef struct TrialShape {
  size_t rows, features, classes;
  bool sparse, ones; /* ones: every entry is 1 */
} TrialShape;

/* zero-initialise. */
typedef struct TrialRows {
  Dataset *dataset, *made; /* made: whose values and labels are those of `dataset` */
  uint64_t *begin;
  uint32_t *columns;
  float *values;
} TrialRows;

/* Made-up rows. Of sparse ones each feature has fewer entries than the one before, the first in nearly all rows and the last in none; some
 * rows have none. */
Status trial_rows_make(TrialRows *trial, const TrialShape *shape, Error *error);
/* Gives the rows weights, 0 among them. */
Status trial_rows_weigh(TrialRows *trial, Error *error);
void trial_rows_free(TrialRows *trial);

#endif
