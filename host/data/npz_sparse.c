/* Everything that the archive says of itself is looked at before it is used: arrays grow with what comes, and no index goes unchecked. */
#include "data/npz_sparse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/npy.h"
#include "data/npz.h"

static const char SAVE_AGAIN[] = "save the matrix again with scipy.sparse.save_npz(FILE, X.tocsr())";

struct NpzSparse {
  Archive *archive;
  const char *source;
  bool by_columns;      /* CSC: the lines are columns, and what runs along them rows */
  size_t lines, length; /* of the matrix */
  uint64_t *begin;      /* (lines + 1) ascending from 0: entries of a line */
  size_t begin_count, begin_capacity;
  uint32_t *places; /* (entries) along the line, below length */
  float *values;    /* (entries) */
  size_t place_count, place_capacity, value_count, value_capacity;
  char *path; /* of the member that is read: for messages */
};

/* ---- arrays -------------------------------------------------------------------------------------------------------- */

/* Opens the array `name` of the archive, and reads its header. */
static Status open_array(Stream **stream, NpyHeader *header, NpzSparse *sparse, const char *name, bool text, Error *error) {
  Status status = SETOSA_OK;
  size_t index = 0;
  *stream = NULL;
  if (!npz_find_array(sparse->archive, name, &index))
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: holds no array %s, which belongs to a sparse matrix; %s", sparse->source, name,
                  SAVE_AGAIN));
  TRY(archive_open_member(stream, sparse->archive, index, error));
  free(sparse->path);
  sparse->path = NULL;
  TRY(memory_copy_text(&sparse->path, stream_path(*stream), error));
  TRY(npy_read_header(header, *stream, &(NpyUse){.text = text, .as_plain = SAVE_AGAIN}, error));
cleanup:
  return status;
}

static Status read_array(NpzSparse *sparse, const char *name, bool whole_numbers,
                         Status (*take)(void *, ElementType, const unsigned char *, size_t, size_t, Error *), Error *error) {
  Status status = SETOSA_OK;
  Stream *stream = NULL;
  NpyHeader header;
  const ElementTaker taker = {.many = "numbers", .take = take, .values = sparse};
  TRY(open_array(&stream, &header, sparse, name, false, error));
  if (header.dimensions != 1)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: the array has %zu dimensions, 1 is expected; %s", sparse->path, header.dimensions,
                  SAVE_AGAIN));
  if (whole_numbers && header.type.kind != 'i' && header.type.kind != 'u')
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: the numbers are no integers; %s", sparse->path, SAVE_AGAIN));
  TRY(npy_read_elements(&header, stream, &taker, error));
cleanup:
  stream_close(stream);
  return status;
}

static Status take_begin(void *user, ElementType type, const unsigned char *elements, size_t count, size_t first, Error *error) {
  Status status = SETOSA_OK;
  NpzSparse *sparse = user;
  TRY(memory_grow((void **)&sparse->begin, &sparse->begin_capacity, first + count, sizeof *sparse->begin, "sparse rows", error));
  for (size_t i = 0; i < count; i++) {
    int64_t value = element_to_integer(type, elements + i * type.size), before = first + i > 0 ? (int64_t)sparse->begin[first + i - 1] : 0;
    if (value < before || (first + i == 0 && value != 0))
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s:%zu: is %lld%s; %s", sparse->path, first + i + 1, (long long)value,
                    first + i == 0 ? ", and the first row begins at 0" : ", less than the number before it", SAVE_AGAIN));
    sparse->begin[first + i] = (uint64_t)value;
  }
  sparse->begin_count = first + count;
cleanup:
  return status;
}

static Status take_places(void *user, ElementType type, const unsigned char *elements, size_t count, size_t first, Error *error) {
  Status status = SETOSA_OK;
  NpzSparse *sparse = user;
  TRY(memory_grow((void **)&sparse->places, &sparse->place_capacity, first + count, sizeof *sparse->places, "sparse rows", error));
  for (size_t i = 0; i < count; i++) {
    int64_t value = element_to_integer(type, elements + i * type.size);
    if (value < 0 || (uint64_t)value >= sparse->length)
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s:%zu: the index %lld is not in 0..%zu, as the shape says; %s", sparse->path, first + i + 1,
                    (long long)value, sparse->length - 1, SAVE_AGAIN));
    sparse->places[first + i] = (uint32_t)value;
  }
  sparse->place_count = first + count;
cleanup:
  return status;
}

static Status take_values(void *user, ElementType type, const unsigned char *elements, size_t count, size_t first, Error *error) {
  NpzSparse *sparse = user;
  Status status =
      memory_grow((void **)&sparse->values, &sparse->value_capacity, first + count, sizeof *sparse->values, "sparse rows", error);
  if (status != SETOSA_OK) return status;
  elements_to_float(type, elements, count, sparse->values + first);
  sparse->value_count = first + count;
  return SETOSA_OK;
}

/* ---- what matrix it is --------------------------------------------------------------------------------------------- */

static Status take_text(void *user, ElementType type, const unsigned char *elements, size_t count, size_t first, Error *error) {
  Text *text = user;
  return first == 0 && count > 0 && element_is_text(type) ? element_append_text(text, type, elements, error) : SETOSA_OK;
}

static Status read_format(NpzSparse *sparse, Error *error) {
  Status status = SETOSA_OK;
  Stream *stream = NULL;
  NpyHeader header;
  Text text = {0};
  char quoted[QUOTE_SIZE];
  const ElementTaker taker = {.many = "texts", .take = take_text, .values = &text};
  TRY(text_append_bytes(&text, "", 0, error));
  TRY(open_array(&stream, &header, sparse, "format", true, error));
  TRY(npy_read_elements(&header, stream, &taker, error));
  sparse->by_columns = strcmp(text.text, "csc") == 0;
  if (!sparse->by_columns && strcmp(text.text, "csr") != 0)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: the sparse matrix is of the form %s, and csr and csc are read; %s", sparse->source,
                  reader_quote(quoted, text.text, text.length), SAVE_AGAIN));
cleanup:
  text_free(&text);
  stream_close(stream);
  return status;
}

static Status take_shape(void *user, ElementType type, const unsigned char *elements, size_t count, size_t first, Error *error) {
  int64_t *shape = user; /* (2) */
  (void)error;
  for (size_t i = 0; i < count && first + i < 2; i++) shape[first + i] = element_to_integer(type, elements + i * type.size);
  return SETOSA_OK;
}

static Status read_shape(NpzSparse *sparse, Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  Stream *stream = NULL;
  NpyHeader header;
  int64_t shape[2] = {0};
  const ElementTaker taker = {.many = "sizes", .take = take_shape, .values = shape};
  TRY(open_array(&stream, &header, sparse, "shape", false, error));
  if (header.dimensions != 1 || header.shape[0] != 2 || (header.type.kind != 'i' && header.type.kind != 'u'))
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: is not two integers, rows and features; %s", sparse->path, SAVE_AGAIN));
  TRY(npy_read_elements(&header, stream, &taker, error));
  int64_t most = (int64_t)UINT32_MAX - 1;
  if (shape[0] < 1 || shape[1] < 1 || shape[1] > most || (sparse->by_columns && shape[0] > most))
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: %lld x %lld is no size of a matrix that can be read; %s", sparse->path,
                  (long long)shape[0], (long long)shape[1], SAVE_AGAIN));
  dataset->rows = (size_t)shape[0];
  dataset->features = (size_t)shape[1];
  sparse->lines = sparse->by_columns ? dataset->features : dataset->rows;
  sparse->length = sparse->by_columns ? dataset->rows : dataset->features;
cleanup:
  stream_close(stream);
  return status;
}

static bool is_sparse(const Archive *archive) {
  static const char *const parts[] = {"indptr", "row", "offsets"}; /* of CSR, CSC and BSR, of COO, of DIA */
  size_t index = 0, i = 0;
  while (i < sizeof parts / sizeof *parts && !npz_find_array(archive, parts[i], &index)) i++;
  return i < sizeof parts / sizeof *parts && npz_find_array(archive, "format", &index);
}

Status npz_sparse_open(NpzSparse **out, Dataset *dataset, Archive *archive, const char *source, Error *error) {
  Status status = SETOSA_OK;
  NpzSparse *sparse = NULL;
  *out = NULL;
  if (!is_sparse(archive)) return SETOSA_OK;
  TRY(memory_allocate_zero((void **)&sparse, 1, sizeof *sparse, "sparse rows", error));
  sparse->archive = archive;
  sparse->source = source;
  TRY(read_format(sparse, error));
  TRY(read_shape(sparse, dataset, error));
  TRY(read_array(sparse, "indptr", true, take_begin, error));
  if (sparse->begin_count - 1 != sparse->lines)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: holds %zu numbers, but the shape asks for %zu; %s", sparse->path, sparse->begin_count,
                  sparse->lines + 1, SAVE_AGAIN));
  *out = sparse;
  sparse = NULL;
cleanup:
  npz_sparse_close(sparse);
  return status;
}

void npz_sparse_close(NpzSparse *sparse) {
  if (sparse == NULL) return;
  free(sparse->begin);
  free(sparse->places);
  free(sparse->values);
  free(sparse->path);
  free(sparse);
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

/* Without labels nobody says how many rows there are but the shape, and each takes room. */
static Status check_rows(const NpzSparse *sparse, Error *error) {
  const size_t few = (size_t)1 << 24;
  if (sparse->length <= few || sparse->length / 64 <= sparse->place_count) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_DATA, "%s: the shape announces %zu rows, and there are %zu entries in all of them; %s",
                   sparse->source, sparse->length, sparse->place_count, SAVE_AGAIN);
}

/* CSC becomes CSR by counting: entries go to their rows column after column, so that columns ascend in each. */
static Status turn(NpzSparse *sparse, Error *error) {
  Status status = SETOSA_OK;
  size_t rows = sparse->length, entries = (size_t)sparse->begin[sparse->lines];
  uint64_t *begin = NULL;
  uint32_t *columns = NULL;
  float *values = NULL;
  TRY(memory_allocate_zero((void **)&begin, rows + 2, sizeof *begin, "sparse rows", error));
  TRY(memory_allocate((void **)&columns, entries, sizeof *columns, "sparse rows", error));
  TRY(memory_allocate((void **)&values, entries, sizeof *values, "sparse rows", error));
  for (size_t i = 0; i < entries; i++) begin[sparse->places[i] + (size_t)2]++;
  for (size_t r = 2; r < rows + 2; r++) begin[r] += begin[r - 1];
  for (size_t c = 0; c < sparse->lines; c++)
    for (uint64_t i = sparse->begin[c]; i < sparse->begin[c + 1]; i++) {
      uint64_t to = begin[sparse->places[i] + (size_t)1]++; /* where the row goes on; at the end, where it ends */
      columns[to] = (uint32_t)c;
      values[to] = sparse->values[i];
    }
  free(sparse->begin);
  free(sparse->places);
  free(sparse->values);
  sparse->begin = begin;
  sparse->places = columns;
  sparse->values = values;
  begin = NULL;
  columns = NULL;
  values = NULL;
cleanup:
  free(begin);
  free(columns);
  free(values);
  return status;
}

typedef struct Entry {
  uint32_t column;
  float value;
} Entry;

static int by_column(const void *a, const void *b) {
  uint32_t left = ((const Entry *)a)->column, right = ((const Entry *)b)->column;
  return left < right ? -1 : left > right;
}

/* Some rows while they are made ready. */
typedef struct Piece {
  uint32_t *lengths; /* (PIECE_ROWS) */
  Entry *entries;    /* (capacity) of a row that is out of order */
  size_t capacity;
} Piece;
enum { PIECE_ROWS = 1 << 14 };

static Status sort_row(NpzSparse *sparse, Piece *piece, uint64_t begin, size_t count, Error *error) {
  Status status = SETOSA_OK;
  uint32_t *columns = sparse->places + begin;
  float *values = sparse->values + begin;
  bool sorted = true;
  for (size_t i = 1; i < count; i++) sorted = sorted && columns[i] >= columns[i - 1];
  if (sorted) return SETOSA_OK;
  TRY(memory_grow((void **)&piece->entries, &piece->capacity, count, sizeof *piece->entries, "a sparse row", error));
  for (size_t i = 0; i < count; i++) piece->entries[i] = (Entry){columns[i], values[i]};
  qsort(piece->entries, count, sizeof *piece->entries, by_column);
  for (size_t i = 0; i < count; i++) {
    columns[i] = piece->entries[i].column;
    values[i] = piece->entries[i].value;
  }
cleanup:
  return status;
}

/* Puts the entries of a row that are not 0 at *to, which is at or before them. */
static Status make_row(NpzSparse *sparse, Piece *piece, size_t row, uint64_t *to, Error *error) {
  Status status = SETOSA_OK;
  uint64_t begin = sparse->begin[row], end = sparse->begin[row + 1];
  if (end - begin > UINT32_MAX)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s:%zu: the row has more entries than there can be columns; %s", sparse->source, row + 1,
                  SAVE_AGAIN));
  TRY(sort_row(sparse, piece, begin, (size_t)(end - begin), error));
  for (uint64_t i = begin; i < end; i++) {
    uint32_t column = sparse->places[i];
    float value = sparse->values[i];
    if (i + 1 < end && column == sparse->places[i + 1])
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s:%zu:%zu: the column stands twice in the row; call X.sum_duplicates() before it is saved",
                    sparse->source, row + 1, (size_t)column + 1));
    if (!isfinite(value)) TRY(reader_not_finite(sparse->source, row, column, value, error));
    sparse->places[*to] = column;
    sparse->values[*to] = value;
    *to += value != 0;
  }
cleanup:
  return status;
}

static Status give_rows(NpzSparse *sparse, size_t rows, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  Piece piece = {0};
  TRY(reader->sink->begin(reader->sink, &(RowsAhead){.kind = DATA_SPARSE, .compact = true}, error));
  TRY(memory_allocate((void **)&piece.lengths, PIECE_ROWS, sizeof *piece.lengths, "sparse rows", error));
  for (size_t row = 0; row < rows;) {
    uint64_t first = sparse->begin[row], at = first;
    size_t count = 0;
    for (; count < PIECE_ROWS && row + count < rows; count++) {
      uint64_t before = at;
      TRY(make_row(sparse, &piece, row + count, &at, error));
      piece.lengths[count] = (uint32_t)(at - before);
    }
    const SparsePiece given = {count, piece.lengths, sparse->places + first, sparse->values + first};
    TRY(reader->sink->take_sparse(reader->sink, &given, error));
    row += count;
    TRY(reader_report(reader, row, false, error));
  }
cleanup:
  free(piece.lengths);
  free(piece.entries);
  return status;
}

Status npz_sparse_read(NpzSparse *sparse, const Dataset *dataset, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  TRY(read_array(sparse, "indices", true, take_places, error));
  TRY(read_array(sparse, "data", false, take_values, error));
  uint64_t entries = sparse->begin[sparse->lines];
  if (entries > sparse->place_count || sparse->place_count != sparse->value_count)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: indptr announces %llu entries, and there are %zu indices and %zu values; %s",
                  sparse->source, (unsigned long long)entries, sparse->place_count, sparse->value_count, SAVE_AGAIN));
  if (sparse->by_columns) {
    if (setosa_dataset_labels(dataset) == NULL) TRY(check_rows(sparse, error));
    TRY(turn(sparse, error));
  }
  reader->rows_total = dataset->rows;
  TRY(give_rows(sparse, dataset->rows, reader, error));
cleanup:
  return status;
}
