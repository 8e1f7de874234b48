/* IDX, the format of MNIST: 00 00 TYPE NDIM, NDIM big-endian u32 sizes, then the elements, big-endian. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/column_file.h"
#include "data/labels.h"
#include "data/reader.h"

enum { IDX_DIMENSIONS = 8, IDX_BLOCK_BYTES = 1 << 20 };

typedef struct IdxHeader {
  ElementType type;
  size_t dimensions;
  size_t rows, features; /* first size, product of the others */
  size_t width;          /* the last size */
} IdxHeader;

static bool decode_type(unsigned char code, ElementType *type) {
  switch (code) {
    case 0x08:
      *type = (ElementType){'u', 1, true};
      return true;
    case 0x09:
      *type = (ElementType){'i', 1, true};
      return true;
    case 0x0B:
      *type = (ElementType){'i', 2, true};
      return true;
    case 0x0C:
      *type = (ElementType){'i', 4, true};
      return true;
    case 0x0D:
      *type = (ElementType){'f', 4, true};
      return true;
    case 0x0E:
      *type = (ElementType){'f', 8, true};
      return true;
    default:
      return false;
  }
}

static Status read_sizes(IdxHeader *header, Stream *stream, Error *error) {
  Status status = SETOSA_OK;
  const char *path = stream_path(stream);
  unsigned char sizes[4 * IDX_DIMENSIONS];
  size_t got = 0, bytes = 0;
  TRY(stream_read(stream, sizes, 4 * header->dimensions, &got, error));
  if (got < 4 * header->dimensions) TRY(error_set(error, SETOSA_ERROR_DATA, "%s: the IDX header ends early; fetch the file again", path));
  header->features = 1;
  for (size_t i = 0; i < header->dimensions; i++) {
    const unsigned char *s = sizes + 4 * i;
    size_t size = (size_t)s[0] << 24 | (size_t)s[1] << 16 | (size_t)s[2] << 8 | s[3];
    if (size == 0)
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s: dimension %zu of the IDX header is 0: the file holds no data", path, i + 1));
    header->width = size;
    if (i == 0)
      header->rows = size;
    else if (__builtin_mul_overflow(header->features, size, &header->features))
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s: the sizes in the IDX header are impossible; fetch the file again", path));
  }
  if (__builtin_mul_overflow(header->rows, header->features, &bytes) || __builtin_mul_overflow(bytes, header->type.size, &bytes) ||
      !stream_may_hold(stream, bytes))
    TRY(error_set(error, SETOSA_ERROR_DATA,
                  "%s: the IDX header announces %zu x %zu elements, more than the file can hold; fetch the file again", path, header->rows,
                  header->features));
cleanup:
  return status;
}

static Status read_header(IdxHeader *header, Stream *stream, Error *error) {
  const char *path = stream_path(stream);
  unsigned char magic[4];
  size_t got = 0;
  Status status = stream_read(stream, magic, 4, &got, error);
  if (status != SETOSA_OK) return status;
  if (got == 0) return error_set(error, SETOSA_ERROR_DATA, "%s: the file is empty; fetch the file again", path);
  if (got < 4) return error_set(error, SETOSA_ERROR_DATA, "%s: the IDX header ends early; fetch the file again", path);
  if (magic[0] != 0 || magic[1] != 0 || !decode_type(magic[2], &header->type))
    return error_set(error, SETOSA_ERROR_DATA,
                     "%s: begins with %02x %02x %02x %02x, which is not IDX (00 00 08 03 for images); check that this is the right file",
                     path, magic[0], magic[1], magic[2], magic[3]);
  header->dimensions = magic[3];
  if (header->dimensions < 1 || header->dimensions > IDX_DIMENSIONS)
    return error_set(error, SETOSA_ERROR_DATA, "%s: the IDX header has %zu dimensions, 1 to %d are read; check the file", path,
                     header->dimensions, IDX_DIMENSIONS);
  return read_sizes(header, stream, error);
}

static Status check_end(Stream *stream, Error *error) {
  unsigned char extra;
  size_t got = 0;
  Status status = stream_read(stream, &extra, 1, &got, error);
  if (status != SETOSA_OK || got == 0) return status;
  return error_set(error, SETOSA_ERROR_DATA, "%s: goes on after the data that its header announces; fetch the file again",
                   stream_path(stream));
}

static Status read_values(const IdxHeader *header, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  unsigned char *block = NULL;
  float *room = NULL;
  size_t row_bytes = header->features * header->type.size, got = 0, room_rows = 0;
  size_t block_rows = row_bytes < IDX_BLOCK_BYTES ? IDX_BLOCK_BYTES / row_bytes : 1;
  if (block_rows > header->rows) block_rows = header->rows;
  const RowsAhead ahead = {
      .features = header->features, .rows = reader_rows_ahead(reader, header->rows, header->features, row_bytes), .compact = true};
  TRY(reader->sink->begin(reader->sink, &ahead, error));
  TRY(memory_allocate((void **)&block, block_rows, row_bytes, "a block of rows", error));
  for (size_t row = 0; row < header->rows;) {
    TRY(reader->sink->room(reader->sink, &room, &room_rows, error));
    size_t count = range_next(row, header->rows, block_rows < room_rows ? block_rows : room_rows).count;
    TRY(stream_read(reader->stream, block, count * row_bytes, &got, error));
    if (got < count * row_bytes)
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s: ends after %zu of %zu rows; fetch the file again", reader->source, row + got / row_bytes,
                    header->rows));
    elements_to_float(header->type, block, count * header->features, room);
    TRY(reader_check_finite(reader->source, room, count, header->features, row, error));
    TRY(reader->sink->take(reader->sink, count, error));
    row += count;
    TRY(reader_report(reader, row, false, error));
  }
  TRY(check_end(reader->stream, error));
cleanup:
  free(block);
  return status;
}

/* Replaces the last occurrence of `from` in the file name of path; NULL when it is not there. */
static char *replace_in_name(const char *path, const char *from, const char *to) {
  const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path, *found = NULL;
  for (const char *at = name; (at = strstr(at, from)) != NULL; at++) found = at;
  Text out = {0};
  if (found == NULL) return NULL;
  if (text_append(&out, NULL, "%.*s%s%s", (int)(found - path), path, to, found + strlen(from)) != SETOSA_OK) text_free(&out);
  return out.text;
}

Status idx_labels_find(char **found, char *tried, size_t tried_size, const char *path, Error *error) {
  Status status = SETOSA_OK;
  char *images = replace_in_name(path, "images", "labels"), *labels = NULL;
  Text other = {0};
  *found = NULL;
  tried[0] = '\0';
  if (images == NULL) return SETOSA_OK;
  labels = replace_in_name(images, "idx3", "idx1");
  if (labels == NULL) TRY(memory_copy_text(&labels, images, error));
  size_t length = strlen(labels);
  if (length > 3 && strcmp(labels + length - 3, ".gz") == 0)
    TRY(text_append(&other, error, "%.*s", (int)length - 3, labels));
  else
    TRY(text_append(&other, error, "%s.gz", labels));
  snprintf(tried, tried_size, "%s, %s", labels, other.text);
  if (file_exists(labels))
    TRY(memory_copy_text(found, labels, error));
  else if (file_exists(other.text))
    TRY(memory_copy_text(found, other.text, error));
cleanup:
  free(images);
  free(labels);
  text_free(&other);
  return status;
}

static Status read_labels(Dataset *dataset, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  const DataOptions *options = reader->options;
  char *found = NULL, tried[600] = "";
  if (options->labels_path == NULL) TRY(idx_labels_find(&found, tried, sizeof tried, reader->source, error));
  const char *path = options->labels_path != NULL ? options->labels_path : found;
  if (path != NULL) {
    TRY(label_file_read(dataset, reader, path, dataset->rows, error));
    dataset->labels_found = found;
    found = NULL;
  } else if (options->labels_optional) {
    TRY(labels_name_expected_classes(dataset, options, error));
  } else {
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: no labels file was found beside it%s%s%s; name it with --labels FILE", reader->source,
                  tried[0] != '\0' ? " (looked for " : "", tried, tried[0] != '\0' ? ")" : ""));
  }
cleanup:
  free(found);
  return status;
}

Status idx_read(Dataset *dataset, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  IdxHeader header = {0};
  TRY(read_header(&header, reader->stream, error));
  if (header.dimensions == 1)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: holds one number for each row, as a labels file does; give the images file",
                  reader->source));
  if (header.type.kind == 'u') {
    reader->default_scale = 1.0 / 255;
    dataset->byte_scale = 1;
  }
  reader->rows_total = header.rows;
  dataset->rows = header.rows;
  dataset->features = header.features;
  if (header.dimensions == 3) {
    dataset->image_width = header.width;
    dataset->image_height = header.features / header.width;
  }
  TRY(read_values(&header, reader, error));
  TRY(read_labels(dataset, reader, error));
cleanup:
  return status;
}

Status idx_read_column(const ColumnTaker *taker, Stream *stream, Error *error) {
  Status status = SETOSA_OK;
  IdxHeader header = {0};
  unsigned char element[8];
  const char *path = stream_path(stream);
  size_t got = 0;
  TRY(read_header(&header, stream, error));
  if (header.dimensions != 1)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: is not a %s file (%zu dimensions, 1 expected); name the %s with --%s", path, taker->many,
                  header.dimensions, taker->many, taker->many));
  TRY(column_file_check_count(taker, path, header.rows, error));
  for (size_t row = 0; row < header.rows; row++) {
    TRY(stream_read(stream, element, header.type.size, &got, error));
    if (got < header.type.size)
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s: ends after %zu of %zu %s; fetch the file again", path, row, header.rows, taker->many));
    status = taker->take_element(taker->values, header.type, element, error);
    if (status == SETOSA_ERROR_DATA) error_prefix(error, "%s:%zu", path, row + 1);
    TRY(status);
  }
  TRY(check_end(stream, error));
cleanup:
  return status;
}
