/* Folds: each has its share of every class. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "train/cv.h"

/* Rows of a class, in an order by the seed, go to the folds in turn; the next class goes on where the last one has ended, so that folds are
 * of one size but for a row. */
static Status deal(int32_t *fold, const int32_t *labels, size_t rows, size_t classes, size_t folds, uint64_t seed, Error *error) {
  Status status = SETOSA_OK;
  size_t *begins = NULL, *sorted = NULL, *order = NULL, next = 0;
  TRY(memory_allocate_zero((void **)&begins, classes + 1, sizeof *begins, "the rows of classes", error));
  TRY(memory_allocate((void **)&sorted, rows, sizeof *sorted, "the rows of classes", error));
  TRY(memory_allocate((void **)&order, rows, sizeof *order, "the rows of classes", error));
  for (size_t i = 0; i < rows; i++) begins[labels[i] + 1]++;
  for (size_t k = 0; k < classes; k++) begins[k + 1] += begins[k];
  for (size_t i = 0; i < rows; i++) sorted[begins[labels[i]]++] = i; /* begins[k] becomes the end of class k */
  for (size_t k = 0, begin = 0; k < classes; begin = begins[k++]) {
    size_t count = begins[k] - begin;
    random_permutation(seed, RANDOM_STREAM_FOLDS, k, count, order);
    for (size_t i = 0; i < count; i++) fold[sorted[begin + order[i]]] = (int32_t)(next++ % folds);
  }
cleanup:
  free(order);
  free(sorted);
  free(begins);
  return status;
}

static Status take(int32_t *fold, const int32_t *given, size_t rows, size_t folds, Error *error) {
  for (size_t i = 0; i < rows; i++) {
    if (given[i] < 0 || (size_t)given[i] >= folds)
      return error_set(error, SETOSA_ERROR_USAGE, "options.fold: row %zu is in fold %d, and there are %zu, from 0; correct it", i + 1,
                       (int)given[i], folds);
    fold[i] = given[i];
  }
  return SETOSA_OK;
}

/* Every fold, and the rows beside it, must weigh something. */
static Status weigh(Cv *cv, const Targets *targets, size_t rows, Error *error) {
  double total = 0;
  for (size_t i = 0; i < rows; i++) {
    double weight = targets->weights != NULL ? (double)targets->weights[i] : 1;
    cv->fold_weight[cv->fold[i]] += weight;
    total += weight;
  }
  for (size_t f = 0; f < cv->folds; f++)
    if (!(cv->fold_weight[f] > 0) || !(total > cv->fold_weight[f]))
      return error_set(error, SETOSA_ERROR_DATA, "the rows %s fold %zu of %zu have no weight; use fewer folds, or weights of more rows",
                       cv->fold_weight[f] > 0 ? "beside" : "of", f + 1, cv->folds);
  return SETOSA_OK;
}

Status cv_make_folds(Cv *cv, Error *error) {
  Status status = SETOSA_OK;
  Targets targets;
  DataShape shape = dataset_shape(cv->dataset);
  TRY(memory_allocate((void **)&cv->fold, shape.rows, sizeof *cv->fold, "folds", error));
  TRY(memory_allocate((void **)&cv->factors, shape.rows, sizeof *cv->factors, "folds", error));
  TRY(memory_allocate_zero((void **)&cv->fold_weight, cv->folds, sizeof *cv->fold_weight, "folds", error));
  TRY(dataset_targets(&targets, cv->dataset, dataset_all(cv->dataset), NULL, error));
  if (cv->options->fold != NULL)
    TRY(take(cv->fold, cv->options->fold, shape.rows, cv->folds, error));
  else
    TRY(deal(cv->fold, targets.labels, shape.rows, shape.classes, cv->folds, cv->train.seed, error));
  TRY(weigh(cv, &targets, shape.rows, error));
cleanup:
  return status;
}

void cv_warn_of_classes(const Cv *cv) {
  char line[256];
  const int32_t *labels = setosa_dataset_labels(cv->dataset);
  size_t rows = dataset_shape(cv->dataset).rows, classes = dataset_shape(cv->dataset).classes, least = SIZE_MAX, which = 0;
  if (cv->train.warn == NULL || labels == NULL || ranks_rank(cv->ranks) != 0) return;
  for (size_t k = 0; k < classes; k++) {
    size_t count = 0;
    for (size_t i = 0; i < rows; i++) count += labels[i] == (int32_t)k;
    if (count > 0 && count < least) least = count, which = k;
  }
  if (least >= cv->folds) return;
  const char *name = setosa_dataset_class_name(cv->dataset, which);
  snprintf(line, sizeof line, "class %.100s has %zu row%s, fewer than the %zu folds: some have none of it to judge by%s",
           name != NULL ? name : "without a name", least, least == 1 ? "" : "s", cv->folds,
           least == 1 ? ", and one model none to learn from" : "");
  cv->train.warn(line, cv->train.progress_user);
}
