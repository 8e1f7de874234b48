/* Means of the features over the training rows, which contributions are measured from. */
#include "train/feature_means.h"

#include <stdlib.h>

#include "base/memory.h"

/* As many entries are looked at, in blocks of rows that are spread evenly over the data: what is larger has means that are near enough, and
 * a training waits for them for a tenth of a second at most. */
enum { MOST_ENTRIES = 1 << 26, BLOCK = 256 };

typedef struct Means {
  const Dataset *dataset;
  size_t features;
  double *sums, weight; /* (D) */
  float *room;          /* (BLOCK,D) of dense rows that lie nowhere */
  SparseRoom sparse;
  TargetRoom targets;
} Means;

static double weight_of(const Targets *targets, size_t i) { return targets->weights != NULL ? (double)targets->weights[i] : 1; }

static void add_dense(Means *means, RowRange rows, const Targets *targets) {
  const float *x = dataset_dense(means->dataset, rows, means->room);
  double *sums = means->sums;
  for (size_t i = 0; i < rows.count; i++) {
    double weight = weight_of(targets, i);
    const float *row = x + i * means->features;
    for (size_t d = 0; d < means->features; d++) sums[d] += weight * (double)row[d];
  }
}

static Status add_sparse(Means *means, RowRange rows, const Targets *targets, Error *error) {
  SparseRows x;
  Status status = dataset_sparse(&x, means->dataset, rows, &means->sparse, error);
  for (size_t i = 0; status == SETOSA_OK && i < rows.count; i++)
    for (uint64_t e = x.begin[i]; e < x.begin[i + 1]; e++)
      means->sums[x.columns[e]] += weight_of(targets, i) * (x.values != NULL ? (double)x.values[e] : 1);
  return status;
}

static Status add_rows(Means *means, RowRange rows, Error *error) {
  Status status = SETOSA_OK;
  Targets targets = {0};
  TRY(dataset_targets(&targets, means->dataset, rows, &means->targets, error));
  for (size_t i = 0; i < rows.count; i++) means->weight += weight_of(&targets, i);
  if (dataset_shape(means->dataset).kind == DATA_SPARSE)
    TRY(add_sparse(means, rows, &targets, error));
  else
    add_dense(means, rows, &targets);
  dataset_let_go(means->dataset, rows);
cleanup:
  return status;
}

static Status add_all(Means *means, Error *error) {
  Status status = SETOSA_OK;
  DataShape shape = dataset_shape(means->dataset);
  double entries = shape.kind == DATA_SPARSE ? (double)shape.entries : (double)shape.rows * (double)shape.features;
  size_t blocks = (shape.rows + BLOCK - 1) / BLOCK, taken = blocks;
  if (entries > MOST_ENTRIES) taken = (size_t)((double)blocks * MOST_ENTRIES / entries) + 1;
  for (size_t b = 0; b < taken; b++) {
    size_t block = (size_t)((double)b / (double)taken * (double)blocks);
    TRY(add_rows(means, range_next(block * BLOCK, shape.rows, BLOCK), error));
  }
cleanup:
  return status;
}

/* Of the rows as they are held, back to x as the source has it. */
static double as_given(double mean, const Scaling *scaling, const double *shift, size_t d) {
  if (shift != NULL) mean += shift[d];
  if (scaling->scale == NULL) return mean;
  return scaling->offset[d] + (scaling->scale[d] != 0 ? mean / scaling->scale[d] : 0);
}

Status feature_means(Model *model, const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  DataShape shape = dataset_shape(dataset);
  Means means = {.dataset = dataset, .features = shape.features};
  const double *shift = setosa_dataset_shift(dataset);
  TRY(memory_allocate_zero((void **)&means.sums, shape.features, sizeof *means.sums, "the means of the features", error));
  if (shape.place != DATA_HELD && shape.kind == DATA_DENSE)
    TRY(memory_allocate((void **)&means.room, shape.features, BLOCK * sizeof *means.room, "a block of rows", error));
  TRY(add_all(&means, error));
  if (!(means.weight > 0)) goto cleanup; /* of the blocks that were looked at */
  for (size_t d = 0; d < shape.features; d++) {
    double mean = as_given(means.sums[d] / means.weight, dataset_scaling(dataset), shift, d);
    means.sums[d] = model->shift != NULL ? mean : (double)(float)mean; /* as its file keeps it */
  }
  free(model->mean);
  model->mean = means.sums;
  means.sums = NULL;
cleanup:
  free(means.sums);
  free(means.room);
  sparse_room_free(&means.sparse);
  target_room_free(&means.targets);
  return status;
}
