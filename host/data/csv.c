/* CSV and TSV through libcsv, fed line by line so that every field knows its line. The first record decides the columns; the rest go
 * straight into rows. Blank lines are skipped. */
#include <csv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/csv_columns.h"
#include "data/labels.h"
#include "data/reader.h"
#include "data/weights.h"

/* The first record is held as text until the columns are decided, so a file that never ends its line (a bomb of a .gz, say) must not go on
 * for ever: a million columns of 128 bytes are more than tables have, and little memory. */
enum {
  BLOCK_BYTES = 1 << 18,
  FIELD_LIMIT_BYTES = 1 << 24,
  COLUMN_LIMIT = 1 << 20,
  RECORD_LIMIT_BYTES = 1 << 27,
  BLANK_LIMIT = 1 << 20,
  FIELD_GROWTH_BYTES = 1 << 16
};

typedef struct Csv {
  Reader *reader;
  Error *error;
  Status status; /* of the first failure inside a callback: libcsv cannot be stopped from there */
  struct csv_parser parser;
  char terminator; /* '\n', or '\r' in a file of old Mac lines */
  size_t line, record_line, field_line;
  bool record_ended, inside_quotes, line_blank;
  size_t field;        /* fields of the current record so far */
  size_t record_bytes; /* of it so far */
  size_t blank_lines;  /* in a row */
  Error field_failure; /* of the first wrong field of the record: told only if the record has as many fields as it should */
  char **first;        /* fields of the first record until the columns are decided */
  size_t first_count, first_capacity;
  CsvColumns columns;
  bool decided;
  size_t rows; /* so far */
  float *row;  /* (D) room for the next one */
  Labels *labels;
  WeightList weights;
} Csv;

/* The label or value at the current field is wrong. */
static Status field_error(const Csv *csv, const char *text, size_t length, const char *problem, const char *remedy) {
  char quoted[QUOTE_SIZE], column[QUOTE_SIZE + 16];
  csv_columns_describe(&csv->columns, csv->field, column, sizeof column);
  return error_set(csv->error, SETOSA_ERROR_DATA, "%s:%zu:%zu: %s%s%s%s; %s", csv->reader->source, csv->field_line, csv->field + 1,
                   length > 0 ? reader_quote(quoted, text, length) : "", length > 0 ? " " : "", problem, column, remedy);
}

/* In the first record, when it was found to be no header. */
static bool may_be_header(const Csv *csv) { return csv->rows == 0 && !csv->columns.header && csv->reader->options->header < 0; }

static Status take_number(Csv *csv, const char *text, size_t length, float *value) {
  double number = 0;
  char room[CSV_REMEDY];
  if (text_parse_double(text, length, &number)) {
    *value = (float)number; /* infinite when it rounds to more than FLT_MAX */
    if (isfinite(*value)) return SETOSA_OK;
    return field_error(csv, text, length, "is beyond single precision (3.4e38)", "rescale the column, or leave it out with --drop");
  }
  if (length == 0) return field_error(csv, text, length, "a value is missing", "fill it in, or remove the row");
  if (csv_is_missing(text, length)) return field_error(csv, text, length, "stands for a missing value", "fill it in, or remove the row");
  if (csv_is_not_finite(text, length)) return field_error(csv, text, length, "is not a finite number", "fill it in, or remove the row");
  const char *remedy = csv_number_remedy(room, text, length);
  if (remedy == NULL && may_be_header(csv)) remedy = "add --header if this line names the columns, else correct it";
  return field_error(csv, text, length, "is not a number", remedy != NULL ? remedy : "correct it, or leave the column out with --drop");
}

/* A label or a weight, whose own errors say what is wrong. */
static Status take_target(Csv *csv, size_t role, const char *text, size_t length) {
  Status status = role == CSV_LABEL ? labels_add_text(csv->labels, text, length, csv->error)
                                    : weight_list_add_text(&csv->weights, text, length, csv->error);
  if (status == SETOSA_ERROR_DATA) {
    char quoted[QUOTE_SIZE];
    const char *name = csv->columns.names != NULL ? csv->columns.names[csv->field] : NULL;
    if (name != NULL) error_prefix(csv->error, "column %s", reader_quote(quoted, name, strlen(name)));
    error_prefix(csv->error, "%s:%zu:%zu", csv->reader->source, csv->field_line, csv->field + 1);
  }
  return status;
}

static Status take_field(Csv *csv, const char *text, size_t length) {
  if (csv->field >= csv->columns.count) return SETOSA_OK; /* counted; the end of the record reports it */
  size_t role = csv->columns.roles[csv->field];
  if (role == CSV_SKIP || csv->field_failure.status != SETOSA_OK) return SETOSA_OK;
  Error *outer = csv->error;
  csv->error = &csv->field_failure;
  bool target = role == CSV_LABEL || role == CSV_WEIGHT;
  Status status = target ? take_target(csv, role, text, length) : take_number(csv, text, length, &csv->row[role]);
  csv->error = outer;
  if (status == SETOSA_OK || status == SETOSA_ERROR_DATA) return SETOSA_OK; /* wrong data: the end of the record says so */
  return error_set(outer, status, "%s", csv->field_failure.message);
}

static Status next_row(Csv *csv) {
  size_t rows = 0;
  return csv->reader->sink->room(csv->reader->sink, &csv->row, &rows, csv->error);
}

static Status end_row(Csv *csv) {
  const char *source = csv->reader->source;
  size_t expected = csv->columns.count;
  if (csv->field < expected) {
    char column[QUOTE_SIZE + 16];
    csv_columns_describe(&csv->columns, csv->field, column, sizeof column);
    return error_set(csv->error, SETOSA_ERROR_DATA, "%s:%zu:%zu: the row ends after %zu field%s, %zu are expected%s; complete or remove it",
                     source, csv->record_line, csv->field + 1, csv->field, csv->field == 1 ? "" : "s", expected, column);
  }
  if (csv->field > expected)
    return error_set(csv->error, SETOSA_ERROR_DATA,
                     "%s:%zu:%zu: the row has %zu fields, %zu are expected; quote fields that hold commas, and write decimals with a point",
                     source, csv->record_line, expected + 1, csv->field, expected);
  if (csv->field_failure.status != SETOSA_OK) return error_set(csv->error, csv->field_failure.status, "%s", csv->field_failure.message);
  csv->rows++;
  Status status = csv->reader->sink->take(csv->reader->sink, 1, csv->error);
  return status == SETOSA_OK ? next_row(csv) : status;
}

static Status keep_first_field(Csv *csv, const char *text, size_t length) {
  Status status = SETOSA_OK;
  char *copy = NULL;
  TRY(memory_grow((void **)&csv->first, &csv->first_capacity, csv->first_count + 1, sizeof *csv->first, "columns", csv->error));
  TRY(memory_allocate((void **)&copy, length + 1, 1, "a column", csv->error));
  memcpy(copy, text, length);
  copy[length] = '\0';
  csv->first[csv->first_count++] = copy;
cleanup:
  return status;
}

static void free_first(Csv *csv) {
  for (size_t c = 0; c < csv->first_count; c++) free(csv->first[c]);
  free(csv->first);
  csv->first = NULL;
  csv->first_count = csv->first_capacity = 0;
}

/* The first record is complete: decide the columns, and if it was no header take it as data. */
static Status end_first(Csv *csv) {
  Status status = SETOSA_OK;
  TRY(csv_columns_decide(&csv->columns, csv->reader, (const char *const *)csv->first, csv->first_count, csv->record_line, csv->error));
  csv->decided = true;
  TRY(csv->reader->sink->begin(csv->reader->sink, &(RowsAhead){.features = csv->columns.features}, csv->error));
  TRY(next_row(csv));
  if (!csv->columns.header) {
    csv->field_line = csv->record_line;
    for (csv->field = 0; csv->field < csv->first_count; csv->field++)
      TRY(take_field(csv, csv->first[csv->field], strlen(csv->first[csv->field])));
    TRY(end_row(csv));
  }
  free_first(csv);
cleanup:
  return status;
}

static Status check_column(const Csv *csv) {
  if (csv->field < COLUMN_LIMIT) return SETOSA_OK;
  return error_set(csv->error, SETOSA_ERROR_DATA,
                   "%s:%zu: more than %d columns; check the separator and the ends of lines, or save so wide a table as .npy",
                   csv->reader->source, csv->record_line, COLUMN_LIMIT);
}

static void on_field(void *text, size_t length, void *user) {
  Csv *csv = user;
  if (csv->status == SETOSA_OK) csv->status = check_column(csv);
  if (csv->status != SETOSA_OK) return;
  const char *content = text != NULL ? text : "";
  csv->status = csv->decided ? take_field(csv, content, length) : keep_first_field(csv, content, length);
  csv->field++;
  csv->field_line = csv->line;
}

static void on_record(int terminator, void *user) {
  (void)terminator;
  Csv *csv = user;
  if (csv->status != SETOSA_OK) return;
  csv->status = csv->decided ? end_row(csv) : end_first(csv);
  csv->field = 0;
  csv->record_ended = true;
}

static bool is_blank_line(const Csv *csv, const char *text, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (text[i] != '\r' && text[i] != '\n' && text[i] != ' ' &&
        (text[i] != '\t' || csv_get_delim((struct csv_parser *)&csv->parser) == '\t'))
      return false;
  return true;
}

/* One piece of a line: all of it, or as much as a block holds. */
static Status feed(Csv *csv, const char *text, size_t length, bool line_ends) {
  const char *source = csv->reader->source;
  if (memchr(text, 0, length) != NULL)
    return error_set(csv->error, SETOSA_ERROR_DATA, "%s:%zu: the line holds a zero byte: this is not text; save the data as UTF-8 CSV",
                     source, csv->line);
  size_t taken = csv_parse(&csv->parser, text, length, on_field, on_record, csv);
  if (csv->status != SETOSA_OK) return csv->status;
  if (taken != length) {
    if (csv_error(&csv->parser) == CSV_ENOMEM) return error_set(csv->error, SETOSA_ERROR_INTERNAL, "out of memory to read %s", source);
    return field_error(csv, "", 0, "a quote in the middle of a field", "put quotes around the whole field and double those inside it");
  }
  if (csv_get_buffer_size(&csv->parser) > FIELD_LIMIT_BYTES)
    return field_error(csv, "", 0, "the field is longer than 8 MB", "look for a quote that is never closed, or check that this is CSV");
  csv->record_bytes += length;
  if (csv->record_bytes > RECORD_LIMIT_BYTES)
    return error_set(csv->error, SETOSA_ERROR_DATA,
                     "%s:%zu: the row is longer than %d MB; check that this is CSV, or save so wide a table as .npy", source,
                     csv->record_line, RECORD_LIMIT_BYTES >> 20);
  csv->line_blank = csv->line_blank && is_blank_line(csv, text, length);
  if (!line_ends) return SETOSA_OK;
  csv->blank_lines = csv->line_blank && !csv->inside_quotes ? csv->blank_lines + 1 : 0;
  if (csv->blank_lines > BLANK_LIMIT)
    return error_set(csv->error, SETOSA_ERROR_DATA, "%s:%zu: more than %d lines in a row are blank; check that this is CSV", source,
                     csv->line, BLANK_LIMIT);
  csv->inside_quotes = !csv->record_ended && (csv->inside_quotes || !csv->line_blank);
  csv->line++;
  csv->record_ended = false;
  csv->line_blank = true;
  if (csv->inside_quotes) return SETOSA_OK;
  csv->record_line = csv->field_line = csv->line;
  csv->record_bytes = 0;
  return SETOSA_OK;
}

static Status feed_block(Csv *csv, const char *text, size_t length) {
  Status status = SETOSA_OK;
  for (size_t at = 0; at < length;) {
    const char *end = memchr(text + at, csv->terminator, length - at);
    size_t piece = end != NULL ? (size_t)(end - text) + 1 - at : length - at;
    TRY(feed(csv, text + at, piece, end != NULL));
    at += piece;
  }
cleanup:
  return status;
}

/* Separator and line ends, from the name and the first bytes. */
static void sniff(Csv *csv, const unsigned char *bytes, size_t length) {
  const char *source = csv->reader->source;
  unsigned char separator = ',';
  const unsigned char *end = memchr(bytes, '\n', length), *carriage = memchr(bytes, '\r', length);
  if (end == NULL && carriage != NULL && carriage + 1 < bytes + length) csv->terminator = '\r', end = carriage;
  size_t first_line = end != NULL ? (size_t)(end - bytes) : length;
  if (reader_has_suffix(source, ".tsv") || reader_has_suffix(source, ".tab"))
    separator = '\t';
  else if (memchr(bytes, ',', first_line) == NULL)
    separator = memchr(bytes, '\t', first_line) != NULL ? '\t' : memchr(bytes, ';', first_line) != NULL ? ';' : ',';
  csv_set_delim(&csv->parser, separator);
}

static Status read_all(Csv *csv) {
  Status status = SETOSA_OK;
  Reader *reader = csv->reader;
  char *block = NULL;
  const unsigned char *peeked = NULL;
  size_t peeked_count = stream_peek(reader->stream, &peeked), got = 0, skip = 0;
  TRY(memory_allocate((void **)&block, BLOCK_BYTES, 1, "a block of the file", csv->error));
  sniff(csv, peeked, peeked_count);
  if (peeked_count >= 3 && memcmp(peeked, "\xEF\xBB\xBF", 3) == 0) skip = 3; /* the byte order mark of UTF-8 */
  do {
    TRY(stream_read(reader->stream, block, BLOCK_BYTES, &got, csv->error));
    TRY(feed_block(csv, block + (skip < got ? skip : got), got - (skip < got ? skip : got)));
    skip = 0;
    TRY(reader_report(reader, csv->rows, false, csv->error));
  } while (got == BLOCK_BYTES);
  if (csv_fini(&csv->parser, on_field, on_record, csv) != 0)
    TRY(field_error(csv, "", 0, "the quoted field that begins here is never closed", "add the closing quote"));
  TRY(csv->status);
cleanup:
  free(block);
  return status;
}

static Status hand_over(Csv *csv, Dataset *dataset) {
  Status status = SETOSA_OK;
  const CsvColumns *columns = &csv->columns;
  const char *source = csv->reader->source;
  if (!csv->decided) TRY(error_set(csv->error, SETOSA_ERROR_DATA, "%s: the file is empty; give a file with rows of data", source));
  if (csv->rows == 0)
    TRY(error_set(csv->error, SETOSA_ERROR_DATA, "%s:%zu: the header is not followed by any row; give a file with rows of data", source,
                  csv->line));
  dataset->rows = csv->rows;
  dataset->features = columns->features;
  if (columns->names != NULL) {
    TRY(memory_allocate_zero((void **)&dataset->feature_names, columns->features, sizeof *dataset->feature_names, "column names",
                             csv->error));
    for (size_t d = 0; d < columns->features; d++)
      TRY(memory_copy_text(&dataset->feature_names[d], columns->names[columns->sources[d]], csv->error));
    if (csv->weights.count > 0) TRY(memory_copy_text(&dataset->weights_name, columns->names[columns->weight], csv->error));
    if (columns->label != CSV_NONE) TRY(memory_copy_text(&dataset->label_name, columns->names[columns->label], csv->error));
  }
  if (csv->weights.count > 0) TRY(weights_take(dataset, &csv->weights, source, csv->error));
  if (columns->label != CSV_NONE)
    TRY(labels_finish(csv->labels, dataset, dataset->label_name != NULL ? dataset->label_name : "", csv->error));
  else
    TRY(labels_name_expected_classes(dataset, csv->reader->options, csv->error));
cleanup:
  return status;
}

Status csv_read(Dataset *dataset, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  Csv csv = {.reader = reader, .error = error, .terminator = '\n', .line = 1, .record_line = 1, .field_line = 1, .line_blank = true};
  if (csv_init(&csv.parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL | CSV_EMPTY_IS_NULL) != 0)
    return error_set(error, SETOSA_ERROR_INTERNAL, "the CSV parser cannot be set up");
  csv_set_blk_size(&csv.parser, FIELD_GROWTH_BYTES); /* by 128 at a time a field of megabytes would be copied 100,000 times */
  TRY(labels_create(&csv.labels, reader->options, error));
  TRY(read_all(&csv));
  TRY(hand_over(&csv, dataset));
cleanup:
  csv_free(&csv.parser);
  free_first(&csv);
  csv_columns_free(&csv.columns);
  labels_destroy(csv.labels);
  weight_list_free(&csv.weights);
  return status;
}
