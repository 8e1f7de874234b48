/* A part of the rows, taken at random, as a data set of its own. */
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "data/rows.h"
#include "data/weights.h"

/* Neighbours are cheap to bring together, but alike in a sorted file. */
enum { RUN_ROWS = 32 };

static bool takes_run(uint64_t seed, size_t run, double part) {
  return 0.5 + 0.5 * random_symmetric(seed, RANDOM_STREAM_ROWS, UINT32_MAX >> 1, run) < part;
}

static size_t count_rows(const Dataset *dataset, double part, uint64_t seed) {
  size_t count = 0;
  for (size_t begin = 0; begin < dataset->rows; begin += RUN_ROWS)
    if (takes_run(seed, begin / RUN_ROWS, part)) count += dataset->rows - begin < RUN_ROWS ? dataset->rows - begin : RUN_ROWS;
  return count;
}

/* Of the runs that are taken, where the rows are sparse. */
static uint64_t count_entries(const Dataset *dataset, double part, uint64_t seed) {
  uint64_t count = 0;
  for (size_t begin = 0; rows_are_sparse(dataset) && begin < dataset->rows; begin += RUN_ROWS)
    if (takes_run(seed, begin / RUN_ROWS, part)) count += dataset_entries(dataset, range_next(begin, dataset->rows, RUN_ROWS));
  return count;
}

static Status copy_entries(Dataset *made, size_t to, const Dataset *dataset, RowRange rows, SparseRoom *room, Error *error) {
  SparseRows sparse;
  Status status = dataset_sparse(&sparse, dataset, rows, room, error);
  for (size_t i = 0; status == SETOSA_OK && i < rows.count; i++) sparse_put_row(&made->held->sparse, to + i, &sparse, i);
  return status;
}

static void move_weights(Dataset *made, size_t to, const Dataset *dataset, RowRange rows) {
  const float *given = rows_sample_weights(dataset), *seen = rows_weights(dataset);
  if (given != NULL) memcpy(rows_sample_weights(made) + to, given + rows.begin, rows.count * sizeof *given);
  if (seen != NULL && seen != given) memcpy(rows_weights(made) + to, seen + rows.begin, rows.count * sizeof *seen);
}

Status dataset_sample(Dataset **sample, const Dataset *dataset, double part, uint64_t seed, Error *error) {
  Status status = SETOSA_OK;
  Dataset *made = NULL;
  TargetRoom room = {0};
  SparseRoom sparse_room = {0};
  size_t features = dataset->features, count = count_rows(dataset, part, seed), to = 0;
  DataShape shape = dataset_shape(dataset);
  *sample = NULL;
  TRY(dataset_create_like(&made, dataset, count, count_entries(dataset, part, seed), error));
  made->part = made->parts = 0;
  for (size_t begin = 0; begin < dataset->rows; begin += RUN_ROWS) {
    if (!takes_run(seed, begin / RUN_ROWS, part)) continue;
    RowRange rows = {begin, dataset->rows - begin < RUN_ROWS ? dataset->rows - begin : RUN_ROWS};
    Targets targets;
    if (shape.kind == DATA_SPARSE) {
      TRY(copy_entries(made, to, dataset, rows, &sparse_room, error));
    } else {
      float *values = made->held->values + to * features;
      const float *there = dataset_dense(dataset, rows, values);
      if (there != values) memcpy(values, there, rows.count * features * sizeof *values);
    }
    TRY(dataset_targets(&targets, dataset, rows, &room, error));
    if (shape.labelled) memcpy(made->held->labels + to, targets.labels, rows.count * sizeof *targets.labels);
    move_weights(made, to, dataset, rows);
    to += rows.count;
  }
  *sample = made;
  made = NULL;
cleanup:
  target_room_free(&room);
  sparse_room_free(&sparse_room);
  setosa_dataset_destroy(made);
  return status;
}
