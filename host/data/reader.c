/* Progress pacing and message helpers of the readers. */
#include "data/reader.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "data/half.h"
#include "data/row_store.h"
#include "data/weights.h"

static const double REPORT_SECONDS = 0.05;
enum { FINITE_BLOCK = 4096 }; /* values between two looks */

Status reader_create_dataset(Dataset **dataset, const Reader *reader, Error *error) {
  Status status = dataset_create_bare(dataset, reader->source, error);
  if (status != SETOSA_OK) return status;
  (*dataset)->part = reader->options->part;
  (*dataset)->parts = reader->options->parts;
  return SETOSA_OK;
}

Status reader_run(Dataset *dataset, Reader *reader, ReadFunction read, RowSink *sink, Error *error) {
  reader->sink = sink;
  Status status = read(dataset, reader, error);
  reader->sink = NULL;
  const char *weights = reader->options->weights;
  if (status == SETOSA_OK && weights != NULL && rows_sample_weights(dataset) == NULL) /* no column: a file */
    status = weights_read_file(dataset, reader, weights, error);
  return status == SETOSA_OK ? sink->finish(sink, dataset, error) : status;
}

Status reader_run_in_memory(Dataset *dataset, Reader *reader, ReadFunction read, Error *error) {
  RowStore store = row_store_init();
  Status status = reader_run(dataset, reader, read, &store.sink, error);
  row_store_free(&store);
  return status;
}

Status reader_report(Reader *reader, uint64_t rows_done, bool last, Error *error) {
  const DataOptions *options = reader->options;
  if (options->progress == NULL) return SETOSA_OK;
  double now = clock_seconds(), seconds = now - reader->started;
  if (!last && now - reader->reported < REPORT_SECONDS) return SETOSA_OK;
  reader->reported = now;
  SetosaProgress progress = {.phase = SETOSA_PHASE_LOAD,
                             .objective = NAN,
                             .loss = NAN,
                             .gradient_norm = NAN,
                             .validation_loss = NAN,
                             .seconds = seconds,
                             .rows_per_second = seconds > 0 ? (double)rows_done / seconds : 0,
                             .rows_done = rows_done,
                             .rows_total = last ? rows_done : reader->rows_total};
  if (reader->bytes_total > 0) {
    progress.bytes_done = reader->bytes_done;
    progress.bytes_total = reader->bytes_total;
  } else if (reader->stream != NULL) {
    progress.bytes_done = stream_bytes_done(reader->stream);
    progress.bytes_total = stream_bytes_total(reader->stream);
    progress.bytes_unpacked = stream_bytes_unpacked(reader->stream);
  }
  if (options->progress(&progress, options->progress_user)) return SETOSA_OK;
  return error_set(error, SETOSA_INTERRUPTED, "%s: %s was stopped after %llu rows; run again for all of them", reader->source,
                   reader->stream != NULL ? "reading" : "making rows", (unsigned long long)rows_done);
}

size_t reader_rows_ahead(const Reader *reader, size_t rows, size_t features, size_t row_bytes) {
  const size_t little = (size_t)1 << 28;
  size_t values = 0, bytes = 0;
  bool small = !__builtin_mul_overflow(rows, features, &values) && values <= little / sizeof(float);
  bool sure = !__builtin_mul_overflow(rows, row_bytes, &bytes) && stream_surely_holds(reader->stream, bytes);
  return small || sure ? rows : 0;
}

Status reader_not_finite(const char *source, size_t row, size_t column, float value, Error *error) {
  if (isnan(value))
    return error_set(error, SETOSA_ERROR_DATA, "%s:%zu:%zu: the value is not a number (nan); remove the row or fill the value in", source,
                     row + 1, column + 1);
  return error_set(error, SETOSA_ERROR_DATA,
                   "%s:%zu:%zu: the value is infinite or beyond single precision (3.4e38); remove the row or rescale the column", source,
                   row + 1, column + 1);
}

/* Bits alone, and no way out of the loop: so it is vectorised, and as fast as memory. */
static bool all_finite(const float *values, size_t count) {
  uint32_t bad = 0;
  for (size_t i = 0; i < count; i++) bad |= (half_bits_of_float(values[i]) & 0x7F800000u) == 0x7F800000u; /* infinities and nans */
  return bad == 0;
}

Status reader_check_finite(const char *source, const float *values, size_t rows, size_t features, size_t first_row, Error *error) {
  if (features == 0) return SETOSA_OK;
  size_t total = rows * features;
  for (size_t i = 0; i < total; i += FINITE_BLOCK) {
    size_t count = total - i < FINITE_BLOCK ? total - i : FINITE_BLOCK, d = 0;
    if (all_finite(values + i, count)) continue;
    while (isfinite(values[i + d])) d++;
    return reader_not_finite(source, first_row + (i + d) / features, (i + d) % features, values[i + d], error);
  }
  return SETOSA_OK;
}

Status reader_check_mapping(Reader *reader, const Mapping *mapping, size_t offset, size_t features, RowRange rows, Error *error) {
  Status status = SETOSA_OK;
  const size_t block_bytes = 1 << 22;
  if (features == 0) return SETOSA_OK;
  size_t row_bytes = features * sizeof(float), per_block = block_bytes / row_bytes > 0 ? block_bytes / row_bytes : 1;
  reader->bytes_total = offset + rows.count * row_bytes;
  mapping_expect_pass(mapping, true);
  for (size_t done = 0; done < rows.count; done += per_block) {
    RowRange now = range_next(rows.begin + done, rows.begin + rows.count, per_block);
    size_t at = offset + now.begin * row_bytes;
    TRY(reader_check_finite(reader->source, (const float *)(const void *)(mapping->at + at), now.count, features, now.begin, error));
    mapping_let_go(mapping, mapping->at + at, now.count * row_bytes);
    reader->bytes_done = offset + (done + now.count) * row_bytes;
    TRY(reader_report(reader, done + now.count, false, error));
  }
cleanup:
  mapping_expect_pass(mapping, false);
  return status;
}

const char *reader_quote(char out[QUOTE_SIZE], const char *text, size_t length) {
  const size_t room = 40;
  size_t kept = length < room ? length : room;
  if (kept < length)
    while (kept > 0 && ((unsigned char)text[kept] & 0xC0) == 0x80) kept--; /* never cut inside a UTF-8 character */
  size_t at = 0;
  bool utf8 = text_is_utf8(text, kept);
  out[at++] = '\'';
  for (size_t i = 0; i < kept; i++) {
    unsigned char c = (unsigned char)text[i];
    out[at++] = c < 0x20 || c == 0x7F || (c >= 0x80 && !utf8) ? '?' : text[i];
  }
  snprintf(out + at, QUOTE_SIZE - at, "%s", kept < length ? "...'" : "'");
  return out;
}

void reader_list_names(char *out, size_t size, const char *const *names, size_t count) {
  size_t at = 0, shown = count < 5 ? count : 5;
  out[0] = '\0';
  for (size_t i = 0; i < shown && at < size; i++) {
    char quoted[QUOTE_SIZE];
    at += (size_t)snprintf(out + at, size - at, "%s%s", i > 0 ? ", " : "", reader_quote(quoted, names[i], strlen(names[i])));
  }
  if (count > shown && at < size) snprintf(out + at, size - at, ", ... (%zu in all)", count);
}

bool reader_has_suffix(const char *path, const char *suffix) {
  size_t length = strlen(path), wanted = strlen(suffix);
  if (length > 3 && strcasecmp(path + length - 3, ".gz") == 0) length -= 3;
  return length >= wanted && strncasecmp(path + length - wanted, suffix, wanted) == 0;
}

bool reader_is_missing(const char *text, size_t length) {
  static const char *const words[] = {"NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?", "#N/A", ".", "<NA>"};
  for (size_t i = 0; length <= 4 && i < sizeof words / sizeof *words; i++)
    if (strlen(words[i]) == length && memcmp(text, words[i], length) == 0) return true;
  return length == 0;
}

bool reader_is_not_finite(const char *text, size_t length) {
  static const char *const words[] = {"nan", "inf", "infinity"};
  if (length > 0 && (*text == '+' || *text == '-')) text++, length--;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strlen(words[i]) == length && strncasecmp(text, words[i], length) == 0) return true;
  return false;
}
