/* Hashes that tell data sets apart: a glance at the ends, and a fingerprint of all values in blocks. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/weights.h"

enum { FINGERPRINT_BLOCKS = 64, SAMPLE_ROWS = 512 };

uint64_t dataset_glance(const Dataset *dataset) {
  const int32_t *labels = rows_labels(dataset);
  const float *values = rows_values(dataset);
  size_t features = dataset->features;
  const float *weights = rows_weights(dataset);
  uint64_t hashes[5] = {0};
  if (labels != NULL) hashes[0] = hash_bytes(labels, dataset->rows * sizeof *labels);
  if (values != NULL) {
    hashes[1] = hash_bytes(values, features * sizeof *values);
    hashes[2] = hash_bytes(values + (dataset->rows - 1) * features, features * sizeof *values);
  }
  if (dataset->held->sparse.begin != NULL) {
    SparseRows sparse = {dataset->held->sparse.begin + dataset->first, dataset->held->sparse.columns, dataset->held->sparse.values};
    uint64_t entries = dataset->held->order.count > 0 ? 0 : sparse_count(&sparse, dataset->rows), first = sparse.begin[0];
    uint64_t count = entries < 1024 ? entries : 1024;
    hashes[1] = entries ^ hash_bytes(sparse.columns + first, count * sizeof *sparse.columns);
    hashes[2] = hash_bytes(sparse.columns + first + entries - count, count * sizeof *sparse.columns);
  }
  if (weights != NULL) hashes[3] = hash_bytes(weights, dataset->rows * sizeof *weights);
  if (dataset->shift == NULL) return hash_bytes(hashes, 4 * sizeof *hashes);
  hashes[4] = hash_bytes(dataset->shift, features * sizeof *dataset->shift);
  return hash_bytes(hashes, sizeof hashes);
}

/* Now, or when they were loaded. */
static bool is_generated(const Dataset *dataset) {
  return dataset->held->generator != NULL || (dataset->source != NULL && synthetic_is_source(dataset->source));
}

size_t dataset_fingerprint_blocks(const Dataset *dataset) { return is_generated(dataset) ? 1 : FINGERPRINT_BLOCKS; }

/* How many entries each of the rows has, their columns and values. */
static Status hash_entries(Hash *hash, const Dataset *dataset, RowRange rows, Error *error) {
  enum { PIECE = 4096 }; /* rows */
  Status status = SETOSA_OK;
  SparseRoom room = {0};
  SparseRows sparse;
  for (size_t done = 0; done < rows.count; done += PIECE) {
    RowRange now = range_next(rows.begin + done, rows.begin + rows.count, PIECE);
    TRY(dataset_sparse(&sparse, dataset, now, &room, error));
    for (size_t i = 0; i < now.count; i++) {
      uint64_t count = sparse.begin[i + 1] - sparse.begin[i];
      hash_add(hash, &count, sizeof count);
    }
    hash_add(hash, sparse.columns + sparse.begin[0], sparse_count(&sparse, now.count) * sizeof *sparse.columns);
    if (sparse.values != NULL) hash_add(hash, sparse.values + sparse.begin[0], sparse_count(&sparse, now.count) * sizeof *sparse.values);
    dataset_let_go(dataset, now);
  }
cleanup:
  sparse_room_free(&room);
  return status;
}

/* Rows and targets, by pieces where the rows have to be brought together. */
static Status hash_rows(Hash *hash, const Dataset *dataset, RowRange rows, Error *error) {
  Status status = SETOSA_OK;
  size_t features = dataset->features, piece = ((size_t)1 << 18) / features + 1;
  float *room = NULL; /* (piece,D) */
  TargetRoom target_room = {0};
  Targets targets;
  bool sparse = rows_are_sparse(dataset);
  if (sparse) TRY(hash_entries(hash, dataset, rows, error));
  if (!sparse && rows_values(dataset) == NULL)
    TRY(memory_allocate((void **)&room, piece * features, sizeof *room, "a block of rows", error));
  for (size_t done = 0; !sparse && done < rows.count; done += piece) {
    RowRange now = range_next(rows.begin + done, rows.begin + rows.count, piece);
    const float *values = dataset_dense(dataset, now, room);
    hash_add(hash, values, now.count * features * sizeof *values);
    dataset_let_go(dataset, now);
  }
  TRY(dataset_targets(&targets, dataset, rows, &target_room, error));
  if (targets.labels != NULL) hash_add(hash, targets.labels, rows.count * sizeof *targets.labels);
  if (targets.weights != NULL) hash_add(hash, targets.weights, rows.count * sizeof *targets.weights);
cleanup:
  target_room_free(&target_room);
  free(room);
  return status;
}

static Status hash_sample(Hash *hash, const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  size_t count = dataset->rows < SAMPLE_ROWS ? dataset->rows : SAMPLE_ROWS;
  const size_t begins[] = {0, (dataset->rows - count) / 2, dataset->rows - count};
  for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) TRY(hash_rows(hash, dataset, (RowRange){begins[i], count}, error));
cleanup:
  return status;
}

Status dataset_fingerprint_block(char hex[HASH_HEX_SIZE], const Dataset *dataset, size_t block, Error *error) {
  Status status = SETOSA_OK;
  Hash *hash = NULL;
  TRY(hash_create(&hash, error));
  if (is_generated(dataset))
    TRY(hash_sample(hash, dataset, error));
  else
    TRY(hash_rows(hash, dataset, range_part(dataset->rows, block, FINGERPRINT_BLOCKS), error));
  if (dataset->shift != NULL) hash_add(hash, dataset->shift, dataset->features * sizeof *dataset->shift);
  hash_hex(hash, hex);
cleanup:
  hash_destroy(hash);
  return status;
}
