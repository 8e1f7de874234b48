/* Archives of numpy.savez: X (N,D), y (N), and perhaps weights (N) and feature_names (D), each a .npy of its own. Instead of X there may be
 * the arrays of a sparse matrix (npz_sparse.c). */
#include "data/npz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/archive.h"
#include "data/column_file.h"
#include "data/labels.h"
#include "data/npy.h"
#include "data/npy_names.h"
#include "data/npz_sparse.h"
#include "data/weights.h"

/* Other names by which these go, in the order in which they are looked for; numpy.savez(FILE, x, y) writes arr_0 and arr_1. */
static const char *const ROWS[] = {"X", "x", "data", "features", "arr_0"};
static const char *const LABELS[] = {"y", "Y", "labels", "label", "target", "arr_1"};
enum { ROWS_COUNT = sizeof ROWS / sizeof *ROWS, LABELS_COUNT = sizeof LABELS / sizeof *LABELS };

bool npz_looks_so(const unsigned char *bytes, size_t count) {
  enum { LENGTH_AT = 26, NAME_AT = 30 }; /* of the header before the first member */
  if (count < NAME_AT || memcmp(bytes, "PK\x03\x04", 4) != 0) return false;
  size_t length = bytes[LENGTH_AT] | (size_t)bytes[LENGTH_AT + 1] << 8;
  return length >= 4 && NAME_AT + length <= count && memcmp(bytes + NAME_AT + length - 4, ".npy", 4) == 0;
}

typedef struct Npz {
  Dataset *dataset;
  Reader *reader;
  const char *source;
  Archive *archive;
  char *rows_path; /* of X, or the whole of what is sparse: for messages */
  bool sparse;     /* X is a matrix of scipy.sparse */
} Npz;

bool npz_find_array(const Archive *archive, const char *name, size_t *index) {
  char member[256];
  return (size_t)snprintf(member, sizeof member, "%s.npy", name) < sizeof member && archive_find(archive, member, index);
}

Status npz_list_arrays(Text *list, const Archive *archive, Error *error) {
  Status status = SETOSA_OK;
  enum { SHOWN = 8 };
  size_t count = archive_count(archive), arrays = 0;
  TRY(text_append(list, error, "%s", ""));
  for (size_t i = 0; i < count; i++) {
    const char *name = archive_name(archive, i);
    char quoted[QUOTE_SIZE];
    size_t length = strlen(name);
    if (length < 4 || strcmp(name + length - 4, ".npy") != 0 || arrays++ >= SHOWN) continue;
    TRY(text_append(list, error, "%s%s", arrays > 1 ? ", " : "", reader_quote(quoted, name, length - 4)));
  }
  if (arrays > SHOWN) TRY(text_append(list, error, ", ... (%zu in all)", arrays));
  if (arrays == 0) TRY(text_append(list, error, "no array at all"));
cleanup:
  return status;
}

static bool find_array(const Npz *npz, const char *name, size_t *index) { return npz_find_array(npz->archive, name, index); }

static bool find_any(const Npz *npz, const char *const *names, size_t count, size_t *index) {
  size_t i = 0;
  while (i < count && !find_array(npz, names[i], index)) i++;
  return i < count;
}

static Status lacks(const Npz *npz, const char *const *names, size_t count, const char *remedy, Error *error) {
  Status status = SETOSA_OK;
  Text list = {0}, others = {0};
  TRY(npz_list_arrays(&list, npz->archive, error));
  for (size_t i = 1; i < count; i++) TRY(text_append(&others, error, "%s%s", i > 1 ? ", " : "", names[i]));
  status = error_set(error, SETOSA_ERROR_DATA, "%s: holds no array %s (nor %s), but %s; %s", npz->source, names[0], others.text, list.text,
                     remedy);
cleanup:
  text_free(&list);
  text_free(&others);
  return status;
}

/* The reader reads the member as if it were the whole. */
static Status read_rows(Npz *npz, Error *error) {
  Status status = SETOSA_OK;
  Reader *reader = npz->reader;
  Stream *whole = reader->stream, *member = NULL;
  size_t index = 0;
  if (!find_any(npz, ROWS, ROWS_COUNT, &index)) TRY(lacks(npz, ROWS, ROWS_COUNT, "save them as numpy.savez(FILE, X=..., y=...)", error));
  TRY(archive_open_member(&member, npz->archive, index, error));
  TRY(memory_copy_text(&npz->rows_path, stream_path(member), error));
  reader->stream = member;
  reader->source = npz->rows_path;
  TRY(npy_read_rows(npz->dataset, reader, error));
cleanup:
  reader->stream = whole;
  reader->source = npz->source;
  stream_close(member);
  return status;
}

static Status read_labels(Npz *npz, Error *error) {
  Status status = SETOSA_OK;
  const DataOptions *options = npz->reader->options;
  Stream *member = NULL;
  size_t index = 0, rows = npz->dataset->rows;
  if (options->labels_path != NULL) return label_file_read(npz->dataset, npz->reader, options->labels_path, rows, error);
  if (options->labels_optional) return labels_name_expected_classes(npz->dataset, options, error);
  if (!find_any(npz, LABELS, LABELS_COUNT, &index))
    TRY(lacks(npz, LABELS, LABELS_COUNT,
              npz->sparse ? "numpy.save('y.npy', y) keeps the labels of a matrix of scipy.sparse beside it, for --labels y.npy"
                          : "save them as numpy.savez(FILE, X=..., y=...), or name a file with --labels",
              error));
  TRY(archive_open_member(&member, npz->archive, index, error));
  TRY(label_array_read(npz->dataset, npz->reader, member, npz->rows_path, error));
cleanup:
  stream_close(member);
  return status;
}

/* --weights may name an array, as it may name a column of a table; so may the model. */
static Status read_weights(Npz *npz, Error *error) {
  Status status = SETOSA_OK;
  const DataOptions *options = npz->reader->options;
  const char *name = options->weights != NULL ? options->weights : options->labels_optional ? NULL : options->expect_weights;
  Stream *member = NULL;
  size_t index = 0;
  if (name == NULL || !find_array(npz, name, &index)) return SETOSA_OK; /* then it is a file */
  TRY(archive_open_member(&member, npz->archive, index, error));
  TRY(weights_read_array(npz->dataset, member, npz->rows_path, error));
  TRY(memory_copy_text(&npz->dataset->weights_name, name, error));
cleanup:
  stream_close(member);
  return status;
}

/* ---- names of features ------------------------------------------------------------------------------------------- */

/* Columns of an array have an order alone: where both sides have names, they must be the same. */
static Status check_names(const Npz *npz, char *const *names, Error *error) {
  const DataOptions *options = npz->reader->options;
  size_t features = npz->dataset->features;
  char name[QUOTE_SIZE], wanted[QUOTE_SIZE];
  if (options->expect_feature_names == NULL || options->expect_features != features) return SETOSA_OK;
  for (size_t d = 0; d < features; d++) {
    const char *expected = options->expect_feature_names[d];
    if (strcmp(names[d], expected) == 0) continue;
    return error_set(error, SETOSA_ERROR_DATA, "%s: feature %zu is %s, and that of the model %s; put the columns of X in the model's order",
                     npz->source, d + 1, reader_quote(name, names[d], strlen(names[d])), reader_quote(wanted, expected, strlen(expected)));
  }
  return SETOSA_OK;
}

static Status read_feature_names(Npz *npz, Error *error) {
  Status status = SETOSA_OK;
  NpyNames names = {0};
  Stream *member = NULL;
  size_t index = 0;
  const ColumnTaker taker = {.one = "name",
                             .many = "names of features",
                             .of = "columns",
                             .as_plain = "save feature_names as numpy.array(names, 'U')",
                             .take_element = npy_take_name,
                             .values = &names,
                             .source = npz->rows_path,
                             .rows = npz->dataset->features};
  if (!find_array(npz, "feature_names", &index)) return SETOSA_OK;
  TRY(archive_open_member(&member, npz->archive, index, error));
  TRY(npy_read_column(&taker, member, error));
  TRY(check_names(npz, names.names, error));
  npz->dataset->feature_names = names.names;
  names = (NpyNames){.room = names.room};
cleanup:
  stream_close(member);
  npy_names_free(&names);
  return status;
}

Status npz_read(Dataset *dataset, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  Npz npz = {.dataset = dataset, .reader = reader, .source = reader->source};
  NpzSparse *sparse = NULL;
  if (!stream_is_regular(reader->stream) || stream_is_compressed(reader->stream))
    return error_set(error, SETOSA_ERROR_DATA, "%s: the contents of an archive stand at its end, so it must be a plain file; %s",
                     reader->source, stream_is_regular(reader->stream) ? "unpack the .gz" : "write it to one");
  TRY(archive_open(&npz.archive, reader->stream, error));
  TRY(npz_sparse_open(&sparse, dataset, npz.archive, npz.source, error));
  npz.sparse = sparse != NULL;
  if (sparse == NULL) TRY(read_rows(&npz, error));
  if (sparse != NULL) TRY(memory_copy_text(&npz.rows_path, npz.source, error));
  TRY(read_feature_names(&npz, error));
  TRY(read_labels(&npz, error));
  TRY(read_weights(&npz, error));
  if (sparse != NULL) TRY(npz_sparse_read(sparse, dataset, reader, error));
  reader->bytes_done = reader->bytes_total = stream_bytes_total(reader->stream); /* all of it is done */
cleanup:
  npz_sparse_close(sparse);
  archive_close(npz.archive);
  free(npz.rows_path);
  return status;
}
