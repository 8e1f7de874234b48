/* THE reader of LIBSVM text: threads make rows of its parts, which are taken in their order. Indices go to the sink as they are written,
 * for whether they begin at 0 is known at the end. */
#include <stdlib.h>

#include "base/memory.h"
#include "data/labels.h"
#include "data/libsvm/line.h"
#include "data/table/pass.h"

/* The whole text so far. */
typedef struct Libsvm {
  Reader *reader;
  LibsvmForm form;
  Labels *labels;
  uint64_t rows, largest, queries, unknown, first_unknown;
  bool any, zero;
} Libsvm;

/* ---- the pass ------------------------------------------------------------------------------------------------------ */

static Status create_piece(void *user, void **result, Error *error) {
  (void)user;
  return memory_allocate_zero(result, 1, sizeof(LibsvmPiece), "a piece of the text", error);
}

static void destroy_piece(void *user, void *result) {
  (void)user;
  libsvm_piece_free(result);
  free(result);
}

static Status read_piece(void *user, void *result, const TextPart *part, Error *error) {
  return libsvm_piece_read(result, part, &((const Libsvm *)user)->form, error);
}

/* Labels are asked for in the order in which they come, so that classes are the same however the text was cut. */
static Status take_labels(Libsvm *libsvm, const LibsvmPiece *piece, const TextPart *part, Error *error) {
  Status status = SETOSA_OK;
  size_t count = name_table_count(piece->names);
  int32_t *values = NULL;
  TRY(memory_allocate((void **)&values, count + 1, sizeof *values, "labels", error));
  for (size_t i = 0; i < count; i++) {
    const char *name = name_table_name(piece->names, i);
    status = labels_intern(libsvm->labels, name, strlen(name), &values[i], error);
    if (status == SETOSA_ERROR_DATA)
      error_prefix(error, "%s:%llu:%zu", part->file, (unsigned long long)piece->places[i].line, piece->places[i].column);
    TRY(status);
  }
  for (size_t i = 0; i < piece->rows; i++) TRY(labels_push(libsvm->labels, values[piece->labels[i]], error));
cleanup:
  free(values);
  return status;
}

static Status take_piece(void *user, void *result, const TextPart *part, Error *error) {
  Status status = SETOSA_OK;
  Libsvm *libsvm = user;
  const LibsvmPiece *piece = result;
  RowSink *sink = libsvm->reader->sink;
  const SparsePiece rows = {.rows = piece->rows, .lengths = piece->lengths, .columns = piece->columns, .values = piece->values};
  TRY(take_labels(libsvm, piece, part, error));
  TRY(sink->take_sparse(sink, &rows, error));
  libsvm->rows += piece->rows;
  if (piece->largest > libsvm->largest) libsvm->largest = piece->largest;
  libsvm->any |= piece->any;
  libsvm->zero |= piece->zero;
  libsvm->queries += piece->queries;
  if (libsvm->unknown == 0) libsvm->first_unknown = piece->first_unknown;
  libsvm->unknown += piece->unknown;
cleanup:
  return status;
}

static uint64_t rows_so_far(const void *user) { return ((const Libsvm *)user)->rows; }

/* ---- before and after ---------------------------------------------------------------------------------------------- */

/* A model says how many features there are and what the first is called: 1, unless it knows better. */
static LibsvmForm form_for(const DataOptions *options) {
  LibsvmForm form = {.base = options->expect_index_base, .beyond = UINT64_MAX, .hash_bits = (unsigned)options->hash_features};
  if (options->hash_features > 0) {
    form.base = 0;
  } else if (options->expect_features > 0) {
    if (form.base < 0) form.base = 1;
    form.beyond = (uint64_t)options->expect_features + (unsigned)form.base;
  }
  return form;
}

static Status remark(Dataset *dataset, const Libsvm *libsvm, Error *error) {
  Status status = SETOSA_OK;
  const char *source = libsvm->reader->source;
  unsigned long long unknown = libsvm->unknown, queries = libsvm->queries;
  if (unknown > 0)
    TRY(remarks_add(&dataset->remarks, SETOSA_REMARK_WARNING, error,
                    "%s: %llu %s left out, of features that the model does not have (it has %zu, and the first such index is %llu)", source,
                    unknown, unknown == 1 ? "entry is" : "entries are", dataset->features, (unsigned long long)libsvm->first_unknown));
  if (queries > 0)
    TRY(remarks_add(&dataset->remarks, SETOSA_REMARK_WARNING, error,
                    "%s: qid is ignored (%llu %s): it is for rankings, and rows are classified one by one", source, queries,
                    queries == 1 ? "row has one" : "rows have one"));
  if (dataset->index_base == 0) TRY(remarks_add(&dataset->remarks, SETOSA_REMARK_DETAIL, error, "%s: indices from 0", source));
cleanup:
  return status;
}

static Status describe(Dataset *dataset, const Libsvm *libsvm, Error *error) {
  Status status = SETOSA_OK;
  const DataOptions *options = libsvm->reader->options;
  const LibsvmForm *form = &libsvm->form;
  const char *source = libsvm->reader->source;
  if (libsvm->rows == 0)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: holds no row; give a file with lines LABEL INDEX:VALUE INDEX:VALUE ...", source));
  dataset->rows = (size_t)libsvm->rows;
  dataset->hash_bits = form->hash_bits;
  if (form->hash_bits > 0) {
    dataset->features = (size_t)1 << form->hash_bits;
  } else {
    if (!libsvm->any && options->expect_features == 0)
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s: no row has an entry, so there are no features; write LABEL INDEX:VALUE ...", source));
    dataset->index_base = form->base >= 0 ? form->base : !libsvm->zero;
    dataset->features = options->expect_features > 0 ? options->expect_features : (size_t)libsvm->largest + !dataset->index_base;
  }
  TRY(labels_finish(libsvm->labels, dataset, "", error));
  TRY(remark(dataset, libsvm, error));
cleanup:
  return status;
}

Status libsvm_read(Dataset *dataset, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  Libsvm libsvm = {.reader = reader, .form = form_for(reader->options)};
  const PassWork work = {
      .work = read_piece, .take = take_piece, .create = create_piece, .destroy = destroy_piece, .rows = rows_so_far, .user = &libsvm};
  TableText *text = NULL;
  TRY(labels_create(&libsvm.labels, reader->options, error));
  labels_are_all(libsvm.labels);
  TRY(table_text_open_lines(&text, reader, error));
  TRY(reader->sink->begin(reader->sink, &(RowsAhead){.kind = DATA_SPARSE, .index_base = libsvm.form.base}, error));
  TRY(table_pass(text, reader, &work, error));
  TRY(describe(dataset, &libsvm, error));
cleanup:
  table_text_close(text);
  labels_destroy(libsvm.labels);
  return status;
}
