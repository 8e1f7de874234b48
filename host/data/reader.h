/* What all readers share: where they read from, how they report progress, how they quote what a file holds. Private to host/data. */
#ifndef SETOSA_DATA_READER_H
#define SETOSA_DATA_READER_H

#include "data/row_sink.h"
#include "data/rows.h"
#include "data/stream.h"

typedef SetosaDataOptions DataOptions;

typedef struct Reader {
  const char *source; /* as the user typed it */
  const DataOptions *options;
  Stream *stream;       /* NULL for synthetic data */
  RowSink *sink;        /* where its rows go */
  double default_scale; /* set by a reader: what --scale is when it is not given */
  double started, reported;
  uint64_t rows_total;              /* 0: unknown */
  uint64_t bytes_done, bytes_total; /* of a mapped file; total 0: the stream knows */
} Reader;

/* Each fills a bare data set: rows, features, labels, classes, names; its values as read (unscaled) go to the reader's sink. */
typedef Status (*ReadFunction)(Dataset *dataset, Reader *reader, Error *error);
Status table_read(Dataset *dataset, Reader *reader, Error *error);
Status idx_read(Dataset *dataset, Reader *reader, Error *error);
Status npy_read(Dataset *dataset, Reader *reader, Error *error);
Status npz_read(Dataset *dataset, Reader *reader, Error *error);
Status libsvm_read(Dataset *dataset, Reader *reader, Error *error);
Status synthetic_read(Dataset *dataset, Reader *reader, Error *error);

/* What the columns of the table are that reader->stream holds. */
Status table_inspect(SetosaTableReport **report, Reader *reader, Error *error);

/* A data set without rows that knows its source and its part. */
Status reader_create_dataset(Dataset **dataset, const Reader *reader, Error *error);
/* Reads into a sink, and gives its rows to the data set. */
Status reader_run(Dataset *dataset, Reader *reader, ReadFunction read, RowSink *sink, Error *error);
/* Reads into memory. */
Status reader_run_in_memory(Dataset *dataset, Reader *reader, ReadFunction read, Error *error);

/* Calls the progress callback, at most 20 times a second unless `last`; SETOSA_INTERRUPTED when it says stop. */
Status reader_report(Reader *reader, uint64_t rows_done, bool last, Error *error);

/* The rows that a header announces, of so many bytes each: 0 where the stream need not hold them and room for all would be much memory. */
size_t reader_rows_ahead(const Reader *reader, size_t rows, size_t features, size_t row_bytes);

/* SETOSA_ERROR_DATA naming row and column (both 1-based in the message) of the first value of (rows,features) that is not finite. */
Status reader_check_finite(const char *source, const float *values, size_t rows, size_t features, size_t first_row, Error *error);
/* The same for the rows (count,D) of a range that lie at offset in a mapping, the first of all rows: in one pass, with progress, letting go
 * of what was seen. */
Status reader_check_mapping(Reader *reader, const Mapping *mapping, size_t offset, size_t features, RowRange rows, Error *error);
/* The same for one value at (row, column), both 0-based, which is not finite. */
Status reader_not_finite(const char *source, size_t row, size_t column, float value, Error *error);

enum { QUOTE_SIZE = 64 };
/* 'text' for a message: control characters replaced, long text cut at a whole UTF-8 character. Returns out. */
const char *reader_quote(char out[QUOTE_SIZE], const char *text, size_t length);
/* Up to five names, quoted and separated by commas, then "... (N in all)". */
void reader_list_names(char *out, size_t size, const char *const *names, size_t count);
/* Nothing, NA, N/A, NaN, null, None, ?, #N/A, a lone point: what people write for a missing value. */
bool reader_is_missing(const char *text, size_t length);
/* nan, inf, -Infinity, ...: numbers that are not finite. */
bool reader_is_not_finite(const char *text, size_t length);
/* True when path, less a final ".gz", ends with suffix (any case). */
bool reader_has_suffix(const char *path, const char *suffix);

#endif
