/* Data sets whose rows are made whenever they are needed, since all of them would fill the memory: synthetic data of any size. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/dataset.h"
#include "data/synthetic.h"

void dataset_fetch(const Dataset *dataset, size_t begin, size_t count, float *values, int32_t *labels) {
  if (dataset->generator != NULL) {
    synthetic_fill(dataset->generator, begin, count, values, labels);
    return;
  }
  memcpy(values, dataset->values + begin * dataset->features, count * dataset->features * sizeof *values);
  if (dataset->labels != NULL) memcpy(labels, dataset->labels + begin, count * sizeof *labels);
}

Status dataset_labels(const int32_t **labels, const Dataset *dataset, size_t begin, size_t count, LabelScratch *scratch, Error *error) {
  Status status = SETOSA_OK;
  size_t now = 0, block = ((size_t)1 << 18) / dataset->features + 1;
  *labels = dataset->labels != NULL ? dataset->labels + begin : NULL;
  if (dataset->generator == NULL) return SETOSA_OK;
  if (scratch->capacity < count) {
    label_scratch_free(scratch);
    TRY(memory_allocate((void **)&scratch->labels, count, sizeof *scratch->labels, "labels", error));
    TRY(memory_allocate((void **)&scratch->values, block * dataset->features, sizeof *scratch->values, "a block of rows", error));
    scratch->capacity = count;
  }
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
  if (dataset->generator == NULL) return SETOSA_OK;
  TRY(memory_multiply(&count, dataset->rows, dataset->features, "the data", error));
  TRY(memory_allocate((void **)&values, count, sizeof *values, "the data", error));
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
  if (dataset->generator == NULL) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_USAGE,
                   "%s: %s wants its rows in memory, and these are so many that they are made as needed; use fewer rows", dataset->source,
                   what);
}
