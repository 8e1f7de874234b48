/* NumPy arrays: (N,D) features in C or Fortran order, (N) or (N,1) labels and weights. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/column_file.h"
#include "data/labels.h"
#include "data/npy.h"
#include "data/npy_header.h"
#include "data/npy_shift.h"
#include "data/reader.h"

enum { NPY_BLOCK_BYTES = 1 << 20 };

static Status goes_on(const char *path, Error *error) {
  return error_set(error, SETOSA_ERROR_DATA, "%s: goes on after the data that its header announces; write the file again", path);
}

static Status check_end(Stream *stream, Error *error) {
  unsigned char extra;
  size_t got = 0;
  Status status = stream_read(stream, &extra, 1, &got, error);
  if (status != SETOSA_OK || got == 0) return status;
  return goes_on(stream_path(stream), error);
}

static Status ends_early(const char *path, size_t done, size_t total, const char *what, Error *error) {
  return error_set(error, SETOSA_ERROR_DATA, "%s: ends after %zu of %zu %s; write the file again", path, done, total, what);
}

/* f32 as the machine itself holds it: no byte needs to change. A header that is no multiple of 4 long puts the numbers where they cannot
 * be used in place. */
static bool can_map(const NpyHeader *header, const Stream *stream) {
  const uint32_t one = 1;
  bool little_endian = *(const unsigned char *)&one == 1;
  FileIdentity identity;
  return header->type.kind == 'f' && header->type.size == sizeof(float) && !header->type.big_endian && little_endian && !header->fortran &&
         header->data_offset % sizeof(float) == 0 && !stream_is_compressed(stream) && stream_identify(stream, &identity);
}

/* The values stay in the file. Its length is compared here, since a missing page is a signal and no error later; so a file that somebody
 * shortens during the training ends the program with SIGBUS (base/mapping.h). */
static Status map_rows(const Dataset *dataset, const NpyHeader *header, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  FileIdentity identity;
  Mapping mapping = {0};
  size_t total = dataset->rows * dataset->features, bytes = header->data_offset + total * sizeof(float);
  if (!stream_identify(reader->stream, &identity) || identity.bytes < bytes) {
    size_t held = identity.bytes > header->data_offset ? (size_t)identity.bytes - header->data_offset : 0;
    TRY(ends_early(reader->source, held / sizeof(float), total, "numbers", error));
  }
  if (identity.bytes > bytes) TRY(goes_on(reader->source, error));
  TRY(stream_map(reader->stream, &mapping, bytes, error));
  TRY(reader_check_mapping(reader, &mapping, header->data_offset, dataset->features, rows_of_part(dataset), error));
  status = reader->sink->map(reader->sink, mapping, header->data_offset, error);
  mapping = (Mapping){0};
cleanup:
  mapping_close(&mapping);
  return status;
}

/* count elements, of which the first is number `at` of the rows, as f32: those of shifted columns less their shift. */
static void convert(const Dataset *dataset, ElementType type, const unsigned char *source, size_t at, size_t count, float *out) {
  enum { PIECE = 1024 };
  double piece[PIECE];
  const double *shift = dataset->shift;
  size_t d = at % dataset->features;
  elements_to_float(type, source, count, out);
  for (size_t done = 0; shift != NULL && done < count; done += PIECE) {
    size_t now = count - done < PIECE ? count - done : PIECE;
    elements_to_double(type, source + done * type.size, now, piece);
    for (size_t i = 0; i < now; i++) {
      if (shift[d] != 0) out[done + i] = (float)(piece[i] - shift[d]);
      d = d + 1 < dataset->features ? d + 1 : 0;
    }
  }
}

/* Whole rows at a time, as only they can be checked; a row longer than a block comes in pieces. */
static Status read_by_rows(const Dataset *dataset, const NpyHeader *header, Reader *reader, unsigned char *block, Error *error) {
  Status status = SETOSA_OK;
  size_t features = dataset->features, per_block = NPY_BLOCK_BYTES / 8, most = per_block / features > 0 ? per_block / features : 1;
  size_t room_rows = 0, got = 0, at = 0;
  float *room = NULL;
  for (size_t row = 0; row < dataset->rows;) {
    TRY(reader->sink->room(reader->sink, &room, &room_rows, error));
    RowRange now = range_next(row, dataset->rows, most < room_rows ? most : room_rows);
    for (size_t done = 0, count = 0; done < now.count * features; done += count, at += count) {
      count = now.count * features - done < per_block ? now.count * features - done : per_block;
      TRY(stream_read(reader->stream, block, count * header->type.size, &got, error));
      if (got < count * header->type.size)
        TRY(ends_early(reader->source, at + got / header->type.size, dataset->rows * features, "numbers", error));
      convert(dataset, header->type, block, at, count, room + done);
    }
    TRY(reader_check_finite(reader->source, room, now.count, features, row, error));
    TRY(reader->sink->take(reader->sink, now.count, error));
    row += now.count;
    TRY(reader_report(reader, row, false, error));
  }
cleanup:
  return status;
}

/* Fortran order: whole columns follow each other; each is scattered into its place of every row. */
static Status read_by_columns(const Dataset *dataset, const NpyHeader *header, Reader *reader, unsigned char *block, Error *error) {
  Status status = SETOSA_OK;
  size_t rows = dataset->rows, features = dataset->features, per_block = NPY_BLOCK_BYTES / 8, got = 0;
  float *column = NULL, *room = NULL;
  TRY(memory_allocate((void **)&column, per_block, sizeof *column, "a block of a column", error));
  TRY(reader->sink->room(reader->sink, &room, &(size_t){0}, error));
  for (size_t d = 0; d < features; d++) {
    for (size_t row = 0; row < rows; row += per_block) {
      size_t count = rows - row < per_block ? rows - row : per_block;
      TRY(stream_read(reader->stream, block, count * header->type.size, &got, error));
      if (got < count * header->type.size)
        TRY(ends_early(reader->source, d * rows + row + got / header->type.size, rows * features, "numbers", error));
      elements_to_float(header->type, block, count, column);
      double shift = dataset->shift != NULL ? dataset->shift[d] : 0;
      for (size_t i = 0; i < count; i++) {
        if (shift != 0) column[i] = (float)(element_to_double(header->type, block + i * header->type.size) - shift);
        if (!isfinite(column[i])) TRY(reader_not_finite(reader->source, row + i, d, column[i], error));
        room[(row + i) * features + d] = column[i];
      }
      /* Rows are complete only at the end: what is reported is the same share of them. */
      TRY(reader_report(reader, (uint64_t)((double)rows * (double)d / (double)features), false, error));
    }
  }
  TRY(reader->sink->take(reader->sink, rows, error));
cleanup:
  free(column);
  return status;
}

Status npy_read_rows(Dataset *dataset, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  NpyHeader header;
  unsigned char *block = NULL;
  TRY(npy_read_header(&header, reader->stream, &(NpyUse){.as_plain = "save the numbers as X.astype('float32')"}, error));
  if (header.dimensions != 2)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: the array has %zu dimensions, 2 (rows, features) are needed; reshape it to (rows, -1)",
                  reader->source, header.dimensions));
  dataset->rows = reader->rows_total = header.shape[0];
  dataset->features = header.shape[1];
  if (header.type.kind == 'u' && header.type.size == 1) {
    reader->default_scale = 1.0 / 255;
    dataset->byte_scale = 1;
  }
  TRY(npy_choose_shift(dataset, &header, reader, error));
  if (dataset->shift == NULL && can_map(&header, reader->stream)) {
    TRY(map_rows(dataset, &header, reader, error));
  } else {
    TRY(memory_allocate((void **)&block, NPY_BLOCK_BYTES, 1, "a block of the file", error));
    /* Bytes and halves: what they say takes more room, and as long to read, as floats. */
    bool compact = header.type.kind != 'f' || (header.type.size <= 2 && !stream_is_compressed(reader->stream));
    size_t rows = reader_rows_ahead(reader, dataset->rows, dataset->features, dataset->features * header.type.size);
    RowsAhead ahead = {
        .features = dataset->features, .rows = header.fortran ? dataset->rows : rows, .at_once = header.fortran, .compact = compact};
    TRY(reader->sink->begin(reader->sink, &ahead, error));
    TRY((header.fortran ? read_by_columns : read_by_rows)(dataset, &header, reader, block, error));
    TRY(check_end(reader->stream, error));
  }
cleanup:
  free(block);
  return status;
}

static Status read_labels(Dataset *dataset, Reader *reader, Error *error) {
  const DataOptions *options = reader->options;
  if (options->labels_path != NULL) return label_file_read(dataset, reader, options->labels_path, dataset->rows, error);
  if (options->labels_optional) return labels_name_expected_classes(dataset, options, error);
  return error_set(error, SETOSA_ERROR_USAGE,
                   "%s: a .npy file holds features only; add --labels FILE (.npy, IDX, or one label per line), or "
                   "name them X-labels.npy beside X.npy",
                   reader->source);
}

Status npy_read(Dataset *dataset, Reader *reader, Error *error) {
  Status status = npy_read_rows(dataset, reader, error);
  return status == SETOSA_OK ? read_labels(dataset, reader, error) : status;
}

/* (N) or (N,1). */
static Status check_column(const NpyHeader *header, const ColumnTaker *taker, const char *path, Error *error) {
  if (header->dimensions != 1 && (header->dimensions != 2 || header->shape[1] != 1))
    return error_set(error, SETOSA_ERROR_DATA, "%s: %s must be in one dimension, one a row, and this array has %zu; save one column%s",
                     path, taker->many, header->dimensions, taker->numbers ? "" : ", or labels.argmax(axis=1) of zeros and ones");
  return column_file_check_count(taker, path, header->shape[0], error);
}

Status npy_read_elements(const NpyHeader *header, Stream *stream, const ElementTaker *taker, Error *error) {
  Status status = SETOSA_OK;
  unsigned char *block = NULL;
  const char *path = stream_path(stream);
  size_t size = header->type.size, per_block = NPY_BLOCK_BYTES / size, total = 1, got = 0;
  for (size_t i = 0; i < header->dimensions; i++) total *= header->shape[i]; /* checked with the header */
  TRY(memory_allocate((void **)&block, per_block, size, "a block of the file", error));
  for (size_t done = 0; done < total; done += per_block) {
    size_t wanted = total - done < per_block ? total - done : per_block;
    TRY(stream_read(stream, block, wanted * size, &got, error));
    TRY(taker->take(taker->values, header->type, block, got / size, done, error));
    if (got < wanted * size) TRY(ends_early(path, done + got / size, total, taker->many, error));
  }
  TRY(check_end(stream, error));
cleanup:
  free(block);
  return status;
}

/* The elements of a column, one by one. */
typedef struct Taking {
  const ColumnTaker *taker;
  const char *path;
} Taking;

static Status take_one_by_one(void *user, ElementType type, const unsigned char *elements, size_t count, size_t first, Error *error) {
  Status status = SETOSA_OK;
  const Taking *taking = user;
  for (size_t i = 0; i < count; i++) {
    status = taking->taker->take_element(taking->taker->values, type, elements + i * type.size, error);
    if (status == SETOSA_ERROR_DATA) error_prefix(error, "%s:%zu", taking->path, first + i + 1);
    TRY(status);
  }
cleanup:
  return status;
}

Status npy_read_column(const ColumnTaker *taker, Stream *stream, Error *error) {
  Status status = SETOSA_OK;
  NpyHeader header;
  Taking taking = {taker, stream_path(stream)};
  const ElementTaker all = {.many = taker->many, .take = take_one_by_one, .values = &taking};
  TRY(npy_read_header(&header, stream, &(NpyUse){.text = !taker->numbers, .as_plain = taker->as_plain}, error));
  TRY(check_column(&header, taker, taking.path, error));
  TRY(npy_read_elements(&header, stream, &all, error));
cleanup:
  return status;
}
