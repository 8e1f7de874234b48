/* Data sets whose rows come whenever they are needed, since all of them would fill the memory: synthetic data of any size, which are made,
 * and mapped files in another order, which are gathered. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/dataset.h"
#include "data/synthetic.h"

static void gather_rows(const Dataset *dataset, size_t begin, size_t count, float *values) {
  size_t features = dataset->features;
  for (size_t i = 0; i < count; i++)
    memcpy(values + i * features, dataset->unordered + row_order_at(&dataset->order, begin + i) * features, features * sizeof *values);
}

void dataset_fetch(const Dataset *dataset, size_t begin, size_t count, float *values, int32_t *labels) {
  if (dataset->generator != NULL) {
    synthetic_fill(dataset->generator, begin, count, values, labels);
    return;
  }
  if (dataset->unordered != NULL)
    gather_rows(dataset, begin, count, values);
  else
    memcpy(values, dataset->values + begin * dataset->features, count * dataset->features * sizeof *values);
  if (dataset->labels != NULL && labels != NULL) memcpy(labels, dataset->labels + begin, count * sizeof *labels);
}

Status label_scratch_reserve(LabelScratch *scratch, size_t count, Error *error) {
  Status status = SETOSA_OK;
  if (scratch->capacity >= count) return SETOSA_OK;
  label_scratch_free(scratch);
  TRY(memory_allocate((void **)&scratch->labels, count, sizeof *scratch->labels, "labels", error));
  scratch->capacity = count;
cleanup:
  return status;
}

Status dataset_labels(const int32_t **labels, const Dataset *dataset, size_t begin, size_t count, LabelScratch *scratch, Error *error) {
  Status status = SETOSA_OK;
  size_t now = 0, block = ((size_t)1 << 18) / dataset->features + 1;
  *labels = dataset->labels != NULL ? dataset->labels + begin : NULL;
  if (dataset->generator == NULL) return SETOSA_OK;
  TRY(label_scratch_reserve(scratch, count, error));
  if (scratch->values == NULL)
    TRY(memory_allocate((void **)&scratch->values, block * dataset->features, sizeof *scratch->values, "a block of rows", error));
  for (size_t done = 0; done < count; done += now) {
    now = count - done < block ? count - done : block;
    synthetic_fill(dataset->generator, begin + done, now, scratch->values, scratch->labels + done);
  }
  *labels = scratch->labels;
cleanup:
  return status;
}

void label_scratch_free(LabelScratch *scratch) {
  free(scratch->labels);
  free(scratch->values);
  *scratch = (LabelScratch){0};
}

Status dataset_materialize(Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  float *values = NULL;
  int32_t *labels = NULL;
  size_t count = 0;
  if (dataset->generator == NULL && dataset->unordered == NULL) return SETOSA_OK;
  TRY(memory_multiply(&count, dataset->rows, dataset->features, "the data", error));
  TRY(memory_allocate((void **)&values, count, sizeof *values, "the data", error));
  if (dataset->unordered != NULL) {
    gather_rows(dataset, 0, dataset->rows, values);
    mapping_close(&dataset->mapping);
    row_order_free(&dataset->order);
    dataset->unordered = NULL;
    dataset->values = values;
    return SETOSA_OK;
  }
  TRY(memory_allocate((void **)&labels, dataset->rows, sizeof *labels, "labels", error));
  synthetic_fill(dataset->generator, 0, dataset->rows, values, labels);
  if (!dataset->borrowed) synthetic_destroy(dataset->generator);
  dataset->generator = NULL;
  dataset->values = values;
  dataset->labels = labels;
  values = NULL;
  labels = NULL;
cleanup:
  free(values);
  free(labels);
  return status;
}

Status dataset_check_held(const Dataset *dataset, const char *what, Error *error) {
  if (dataset->unordered != NULL)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "%s: %s wants its rows in memory, and this process gathers them as needed; load them as one process", dataset->source,
                     what);
  if (dataset->generator == NULL) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_USAGE,
                   "%s: %s wants its rows in memory, and these are so many that they are made as needed; use fewer rows", dataset->source,
                   what);
}

/* ---- another order ----------------------------------------------------------------------------------------------- */

void row_order_free(RowOrder *order) {
  free(order->narrow);
  free(order->wide);
  *order = (RowOrder){0};
}

Status dataset_begin_order(Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  RowOrder order = {0};
  int32_t *labels = NULL;
  size_t rows = dataset->rows;
  if (dataset->unordered != NULL) return SETOSA_OK;
  if (dataset->labels != NULL && mapping_holds(&dataset->mapping, dataset->labels)) {
    TRY(memory_allocate((void **)&labels, rows, sizeof *labels, "a copy of the labels", error));
    memcpy(labels, dataset->labels, rows * sizeof *labels);
  }
  if (rows <= UINT32_MAX)
    TRY(memory_allocate((void **)&order.narrow, rows, sizeof *order.narrow, "an order of the rows", error));
  else
    TRY(memory_allocate((void **)&order.wide, rows, sizeof *order.wide, "an order of the rows", error));
  for (size_t i = 0; i < rows; i++) row_order_set(&order, i, i);
  dataset->order = order;
  dataset->unordered = dataset->values;
  dataset->values = NULL;
  if (labels != NULL) dataset->labels = labels;
  order = (RowOrder){0};
  labels = NULL;
cleanup:
  row_order_free(&order);
  free(labels);
  return status;
}
