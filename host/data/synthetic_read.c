/* Synthetic rows as a source like any other: held, or made again whenever they are asked for. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/labels.h"
#include "data/reader.h"
#include "data/synthetic.h"

/* With a model or --positive the labels go through the same door as those of files. */
static Status take_labels(Dataset *dataset, const SyntheticSpec *spec, const DataOptions *options, Error *error) {
  Status status = SETOSA_OK;
  Labels *labels = NULL;
  if (options->expect_classes == 0 && options->positive == NULL) return dataset_name_classes_by_index(dataset, spec->classes, error);
  TRY(labels_create(&labels, options, error));
  for (size_t i = 0; i < dataset->rows; i++) {
    status = labels_add_integer(labels, dataset->held->labels[i], error);
    if (status == SETOSA_ERROR_DATA) error_prefix(error, "%s:%zu", dataset->source, i + 1);
    TRY(status);
  }
  free(dataset->held->labels);
  dataset->held->labels = NULL;
  TRY(labels_finish(labels, dataset, NULL, error));
cleanup:
  labels_destroy(labels);
  return status;
}

/* Whether the labels need no translation: without --positive, and with the classes that a model of such data has, or none expected. */
static bool names_are_numbers(const SyntheticSpec *spec, const DataOptions *options) {
  if (options->positive != NULL || (options->expect_classes != 0 && options->expect_classes != spec->classes)) return false;
  for (size_t k = 0; k < options->expect_classes; k++) {
    char digits[24];
    snprintf(digits, sizeof digits, "%zu", k);
    if (strcmp(options->expect_class_names[k], digits) != 0) return false;
  }
  return true;
}

/* More bytes of rows than this are not held, but made again for every pass. */
static const uint64_t GENERATE_ABOVE_BYTES = (uint64_t)1 << 30;

/* Whether so many bytes of rows are made again for every pass. */
static bool is_made_again(const SyntheticSpec *spec, uint64_t bytes, const DataOptions *options) {
  uint64_t held = options->generate_above_bytes > 0 ? options->generate_above_bytes
                  : options->parts > 1              ? 0 /* a process makes its own rows, and holds no others */
                                                    : GENERATE_ABOVE_BYTES;
  return bytes > held && names_are_numbers(spec, options);
}

static Status count_bytes(size_t *bytes, const SyntheticSpec *spec, Error *error) {
  Status status = SETOSA_OK;
  bool sparse = synthetic_spec_is_sparse(spec);
  size_t entries = sparse ? synthetic_spec_entries(spec) : (size_t)spec->features;
  TRY(memory_multiply(bytes, (size_t)spec->rows, entries, "synthetic", error));
  TRY(memory_multiply(bytes, *bytes, sparse ? sizeof(uint32_t) + sizeof(float) : sizeof(float), "synthetic", error));
cleanup:
  return status;
}

static Status hand_over_dense(Dataset *dataset, Reader *reader, Synthetic *synthetic, Error *error) {
  Status status = SETOSA_OK;
  float *room = NULL;
  size_t room_rows = 0;
  TRY(reader->sink->begin(reader->sink, &(RowsAhead){.features = dataset->features, .rows = dataset->rows, .compact = true}, error));
  size_t chunk = ((size_t)1 << 18) / dataset->features / 16 * 16 + 16; /* about a megabyte between reports, whole blocks of 16 rows */
  for (size_t row = 0; row < dataset->rows;) {
    TRY(reader->sink->room(reader->sink, &room, &room_rows, error));
    size_t rows = range_next(row, dataset->rows, chunk < room_rows ? chunk : room_rows).count;
    synthetic_fill(synthetic, row, rows, room, dataset->held->labels + row);
    TRY(reader->sink->take(reader->sink, rows, error));
    row += rows;
    TRY(reader_report(reader, row, false, error));
  }
cleanup:
  return status;
}

static Status hand_over_sparse(Dataset *dataset, Reader *reader, Synthetic *synthetic, Error *error) {
  Status status = SETOSA_OK;
  const size_t entries = synthetic_spec_entries(synthetic_spec(synthetic)), piece_entries = (size_t)1 << 20;
  size_t chunk = piece_entries / entries + 1;
  SparseArrays room = {0};
  uint32_t *lengths = NULL;
  if (chunk > dataset->rows) chunk = dataset->rows;
  TRY(reader->sink->begin(reader->sink, &(RowsAhead){.kind = DATA_SPARSE, .compact = true}, error));
  TRY(sparse_allocate(&room, chunk, (uint64_t)chunk * entries, false, error));
  TRY(memory_allocate((void **)&lengths, chunk, sizeof *lengths, "sparse rows", error));
  for (size_t i = 0; i < chunk; i++) lengths[i] = (uint32_t)entries;
  for (size_t row = 0; row < dataset->rows; row += chunk) {
    size_t rows = range_next(row, dataset->rows, chunk).count;
    synthetic_fill_sparse(synthetic, row, rows, room.columns, room.values, dataset->held->labels + row);
    const SparsePiece piece = {.rows = rows, .lengths = lengths, .columns = room.columns, .values = room.values};
    TRY(reader->sink->take_sparse(reader->sink, &piece, error));
    TRY(reader_report(reader, row + rows, false, error));
  }
cleanup:
  sparse_free(&room, NULL);
  free(lengths);
  return status;
}

Status synthetic_read(Dataset *dataset, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  SyntheticSpec spec;
  Synthetic *synthetic = NULL;
  size_t bytes = 0;
  TRY(synthetic_parse(&spec, reader->source, error));
  TRY(count_bytes(&bytes, &spec, error));
  TRY(synthetic_create(&synthetic, &spec, error));
  dataset->exchangeable = true;
  dataset->rows = (size_t)spec.rows;
  dataset->features = (size_t)spec.features;
  if (is_made_again(&spec, bytes, reader->options)) {
    TRY(dataset_name_classes_by_index(dataset, spec.classes, error));
    dataset->held->generator = synthetic;
    synthetic = NULL;
    goto cleanup;
  }
  TRY(memory_allocate((void **)&dataset->held->labels, (size_t)spec.rows, sizeof(int32_t), "labels", error));
  reader->rows_total = spec.rows;
  TRY((synthetic_spec_is_sparse(&spec) ? hand_over_sparse : hand_over_dense)(dataset, reader, synthetic, error));
  TRY(take_labels(dataset, &spec, reader->options, error));
cleanup:
  synthetic_destroy(synthetic);
  return status;
}
