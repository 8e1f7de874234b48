/* Dense rows are a synthetic spec; sparse ones are the same with most values left out, by a rule that makes columns and rows of every
 * length. */
#include "judge/trial_rows.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

/* Of feature d every (d + 1)th row has an entry, and of the first all but every eighth. */
static bool has_entry(size_t row, size_t d, size_t features) {
  if (d + 1 == features) return false;
  return d == 0 ? row % 8 != 0 : (7 * row + 3 * d) % (d + 1) == 0 && row % 16 != 0;
}

static Status thin_out(TrialRows *trial, const TrialShape *shape, Error *error) {
  Status status = SETOSA_OK;
  size_t rows = shape->rows, features = shape->features, count = 0;
  const float *from = setosa_dataset_values(trial->made);
  TRY(memory_allocate((void **)&trial->begin, rows + 1, sizeof *trial->begin, "a self-test", error));
  TRY(memory_allocate((void **)&trial->columns, rows * features, sizeof *trial->columns, "a self-test", error));
  TRY(memory_allocate((void **)&trial->values, rows * features, sizeof *trial->values, "a self-test", error));
  for (size_t i = 0; i < rows; i++) {
    trial->begin[i] = count;
    for (size_t d = 0; d < features; d++) {
      if (!has_entry(i, d, features)) continue;
      trial->columns[count] = (uint32_t)d;
      trial->values[count++] = from[i * features + d];
    }
  }
  trial->begin[rows] = count;
  TRY(setosa_dataset_wrap_sparse(&trial->dataset, rows, features, shape->classes, trial->begin, trial->columns,
                                 shape->ones ? NULL : trial->values, setosa_dataset_labels(trial->made), error));
cleanup:
  return status;
}

Status trial_rows_make(TrialRows *trial, const TrialShape *shape, Error *error) {
  Status status = SETOSA_OK;
  char spec[96];
  snprintf(spec, sizeof spec, "synthetic:rows=%zu,features=%zu,classes=%zu,seed=11", shape->rows, shape->features, shape->classes);
  TRY(setosa_dataset_load(shape->sparse ? &trial->made : &trial->dataset, spec, NULL, error));
  if (shape->sparse) TRY(thin_out(trial, shape, error));
cleanup:
  return status;
}

Status trial_rows_weigh(TrialRows *trial, Error *error) {
  Status status = SETOSA_OK;
  float *weights = NULL;
  size_t rows = dataset_shape(trial->dataset).rows;
  TRY(memory_allocate((void **)&weights, rows, sizeof *weights, "a self-test", error));
  for (size_t i = 0; i < rows; i++) weights[i] = 0.5f * (float)(i * 7 % 5);
  TRY(setosa_dataset_set_weights(trial->dataset, weights, error));
cleanup:
  free(weights);
  return status;
}

void trial_rows_free(TrialRows *trial) {
  setosa_dataset_destroy(trial->dataset);
  setosa_dataset_destroy(trial->made);
  free(trial->begin);
  free(trial->columns);
  free(trial->values);
  *trial = (TrialRows){0};
}
