/* Fields are found where they lie: nothing is copied but what has doubled quotes. */
#include "data/table/records.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "data/table/ends.h"

/* A file that never ends its line, as a bomb of a .gz, must not go on for ever: a million columns of 128 bytes are more than tables have,
 * and little memory. */
enum { FIELD_LIMIT_BYTES = 1 << 23, COLUMN_LIMIT = 1 << 20, BLANK_LIMIT = 1 << 20 };

static inline bool is_newline(char c) { return c == '\n' || c == '\r'; }
/* A tab is one unless it separates. */
static inline bool is_blank(const Dialect *dialect, char c) {
  return c == ' ' || (c == '\t' && (dialect->separator != '\t' || dialect->blanks));
}

/* ---- errors -------------------------------------------------------------------------------------------------------- */

static Status too_many(const Records *records, int limit, const char *remedy, Error *error) {
  return error_set(error, SETOSA_ERROR_DATA, "%s:%llu: more than %d %s", records->part->file, (unsigned long long)records->line, limit,
                   remedy);
}

static uint64_t lines_in(const char *from, const char *to, char newline) {
  uint64_t count = 0;
  for (; (from = memchr(from, newline, (size_t)(to - from))) != NULL; from++) count++;
  return count;
}

/* About the field that is read now, which begins at `from`. */
static Status field_error(const Records *records, const char *from, const char *problem, const char *remedy, Error *error) {
  char quoted[QUOTE_SIZE];
  const char *name = records->column_name != NULL ? records->column_name(records->names, records->count) : NULL;
  const TextPart *part = records->part;
  uint64_t line = records->line + lines_in(part->bytes + records->begin, from, part->newline);
  return error_set(error, SETOSA_ERROR_DATA, "%s:%llu:%zu: %s%s%s%s; %s", part->file, (unsigned long long)line, records->count + 1, problem,
                   name != NULL ? " (column " : "", name != NULL ? reader_quote(quoted, name, strlen(name)) : "", name != NULL ? ")" : "",
                   remedy);
}

static Status quote_inside(const Records *records, const char *from, Error *error) {
  return field_error(records, from, "a quote in the middle of a field", "put quotes around the whole field and double those inside it",
                     error);
}

static Status field_too_long(const Records *records, const char *from, Error *error) {
  return field_error(records, from, "the field is longer than 8 MB", "look for a quote that is never closed, or check that this is CSV",
                     error);
}

/* ---- fields -------------------------------------------------------------------------------------------------------- */

/* The first byte from `at` on that may end a field without quotes (ends.h). */
static const char *find_end(const char *at, const char *end, char separator) {
  for (; end - at >= ENDS_BYTES; at += ENDS_BYTES) {
    uint64_t found = ends_find(at, separator);
    if (found != 0) return at + __builtin_ctzll(found);
  }
  while (at < end && *at != separator && *at != '"' && (unsigned char)*at >= 14) at++;
  return at;
}

static void trim(Field *field) {
  const char *from = field->text, *to = from + field->length;
  while (from < to && (*from == ' ' || *from == '\t')) from++;
  while (to > from && (to[-1] == ' ' || to[-1] == '\t')) to--;
  *field = (Field){from, (size_t)(to - from)};
}

/* A copy in which two quotes are one. All of a part's record fits into room for the part, so that no field moves. */
static Status join_quotes(Records *records, Field *field, Error *error) {
  if (records->room_size < records->part->length) {
    free(records->room);
    records->room = NULL;
    records->room_size = 0;
    Status status = memory_allocate((void **)&records->room, records->part->length, 1, "a record", error);
    if (status != SETOSA_OK) return status;
    records->room_size = records->part->length;
  }
  char *to = records->room + records->room_used;
  size_t length = 0;
  for (size_t i = 0; i < field->length; i++) {
    to[length++] = field->text[i];
    if (field->text[i] == '"') i++;
  }
  records->room_used += length;
  *field = (Field){to, length};
  return SETOSA_OK;
}

/* A field whose opening quote is at **at, which moves behind the closing one. */
static Status take_quoted(const char **at, const char *end, Records *records, Field *field, Error *error) {
  const char *open = *at, *close = open + 1;
  bool doubled = false;
  for (;; close += 2, doubled = true) {
    close = memchr(close, '"', (size_t)(end - close));
    if ((close != NULL ? close : end) - open > FIELD_LIMIT_BYTES) return field_too_long(records, open, error);
    if (close == NULL)
      return field_error(records, open, "the quoted field that begins here is never closed", "add the closing quote", error);
    if (close + 1 == end || close[1] != '"') break;
  }
  *at = close + 1;
  *field = (Field){open + 1, (size_t)(close - open) - 1};
  Status status = doubled ? join_quotes(records, field, error) : SETOSA_OK;
  trim(field);
  return status;
}

/* A field without quotes: *at moves to what ends it. */
static Status take_plain(const char **at, const char *end, Records *records, Field *field, Error *error) {
  const Dialect *dialect = records->dialect;
  const char *from = *at, *stop = from;
  for (;; stop++) {
    stop = find_end(stop, end, dialect->separator);
    if (stop == end || *stop == dialect->separator || is_newline(*stop) || (dialect->blanks && *stop == '\t')) break;
    if (*stop == '"') return quote_inside(records, from, error);
  }
  if (stop - from > FIELD_LIMIT_BYTES) return field_too_long(records, from, error);
  *at = stop;
  while (stop > from && is_blank(dialect, stop[-1])) stop--;
  *field = (Field){from, (size_t)(stop - from)};
  return SETOSA_OK;
}

static void strip_single_quotes(Field *field) {
  if (field->length < 2 || field->text[0] != '\'' || field->text[field->length - 1] != '\'') return;
  field->text++;
  field->length -= 2;
  trim(field);
}

static inline const char *skip_blanks(const Dialect *dialect, const char *at, const char *end) {
  while (at < end && is_blank(dialect, *at)) at++;
  return at;
}

/* The next field. *at moves to the beginning of the one after it, or, with *last, to the end of the record. */
static inline Status take_field(const char **at, const char *end, Records *records, Field *field, bool *last, Error *error) {
  const Dialect *dialect = records->dialect;
  const char *from = *at = skip_blanks(dialect, *at, end);
  bool quoted = from < end && *from == '"';
  Status status = quoted ? take_quoted(at, end, records, field, error) : take_plain(at, end, records, field, error);
  if (status != SETOSA_OK) return status;
  if (dialect->single_quotes) strip_single_quotes(field);
  const char *after = quoted || dialect->blanks ? skip_blanks(dialect, *at, end) : *at;
  *last = after == end || is_newline(*after);
  if (!*last && !dialect->blanks && *after != dialect->separator) return quote_inside(records, from, error);
  if (!*last && dialect->blanks && after == *at) return quote_inside(records, from, error);
  *at = *last || dialect->blanks ? after : after + 1;
  return SETOSA_OK;
}

/* ---- records ------------------------------------------------------------------------------------------------------- */

void records_begin(Records *records, const TextPart *part, const Dialect *dialect) {
  records->part = part;
  records->dialect = dialect;
  records->begin = records->at = records->count = 0;
  records->line = records->next_line = part->line;
}

/* Behind the end of a line, which may be two bytes; counts it. */
static const char *end_line(Records *records, const char *at, const char *end) {
  char first = *at++;
  if (first == '\r' && at < end && *at == '\n') {
    at++;
    records->next_line++;
  } else if (first == records->part->newline) {
    records->next_line++;
  }
  return at;
}

/* *at moves over lines without anything in them. */
static Status skip_blank_lines(Records *records, const char **at, const char *end, Error *error) {
  uint64_t first_line = records->next_line, before = *at == records->part->bytes ? records->part->blank_lines : 0;
  for (;;) {
    const char *next = skip_blanks(records->dialect, *at, end);
    if (next == end) *at = end;
    if (next == end || !is_newline(*next)) return SETOSA_OK;
    *at = end_line(records, next, end);
    if (records->next_line - first_line + before <= BLANK_LIMIT) continue;
    records->line = records->next_line - 1;
    return too_many(records, BLANK_LIMIT, "lines in a row are blank; check that this is CSV", error);
  }
}

/* Takes fields without quotes as far as there is room for them and text to look ahead: most of most tables. Returns where the next field
 * begins, or, with *last, the end of the record. */
static const char *take_plain_fields(Records *records, const char *at, const char *end, bool *last) {
  const Dialect dialect = *records->dialect;
  for (const char *window = at; end - window >= ENDS_BYTES; window += ENDS_BYTES) {
    for (uint64_t found = ends_find(window, dialect.separator); found != 0; found &= found - 1) {
      const char *stop = window + __builtin_ctzll(found);
      bool separates = *stop == dialect.separator || (dialect.blanks && *stop == '\t'), ends = is_newline(*stop);
      if (!separates && !ends && *stop != '"') continue; /* part of the field */
      if (*stop == '"' || records->count == records->capacity || stop - at > FIELD_LIMIT_BYTES) return at;
      if (stop > at || !dialect.blanks) {
        Field *field = &records->fields[records->count++];
        *field = (Field){at, (size_t)(stop - at)};
        if (stop > at && ((unsigned char)*at <= ' ' || (unsigned char)stop[-1] <= ' ')) trim(field);
      }
      if ((*last = ends)) return stop;
      at = stop + 1;
    }
  }
  return at;
}

/* All fields of a record that has one at least. *at moves to its end. */
static Status take_fields(Records *records, const char **at, const char *end, Error *error) {
  Status status = SETOSA_OK;
  for (bool last = false; !last;) {
    if (records->count == COLUMN_LIMIT)
      return too_many(records, COLUMN_LIMIT, "columns; check the separator and the ends of lines, or save so wide a table as .npy", error);
    if (records->count == records->capacity)
      TRY(memory_grow((void **)&records->fields, &records->capacity, records->count + 1, sizeof *records->fields, "columns", error));
    if (!records->dialect->single_quotes) *at = take_plain_fields(records, *at, end, &last);
    if (records->dialect->blanks && records->count > 0) {
      *at = skip_blanks(records->dialect, *at, end);
      last = *at == end || is_newline(**at);
    }
    if (last || records->count == records->capacity) continue;
    TRY(take_field(at, end, records, &records->fields[records->count], &last, error));
    records->count++;
  }
cleanup:
  return status;
}

Status records_next(Records *records, bool *more, Error *error) {
  Status status = SETOSA_OK;
  const char *bytes = records->part->bytes, *end = bytes + records->part->length, *at = bytes + records->at;
  if (at < end && (unsigned char)*at <= ' ') TRY(skip_blank_lines(records, &at, end, error));
  records->begin = (size_t)(at - bytes);
  records->line = records->next_line;
  records->count = records->room_used = 0;
  *more = at < end;
  if (!*more) return SETOSA_OK;
  TRY(take_fields(records, &at, end, error));
  if (at - bytes - (ptrdiff_t)records->begin > TABLE_RECORD_LIMIT_BYTES)
    TRY(error_set(error, SETOSA_ERROR_DATA, TABLE_RECORD_TOO_LONG, records->part->file, (unsigned long long)records->line,
                  TABLE_RECORD_LIMIT_BYTES >> 20));
  records->next_line += lines_in(bytes + records->begin, at, records->part->newline); /* inside quotes */
  records->at = (size_t)((at < end ? end_line(records, at, end) : at) - bytes);
cleanup:
  return status;
}

void records_free(Records *records) {
  free(records->fields);
  free(records->room);
  *records = (Records){0};
}

uint64_t records_field_line(const Records *records, size_t column) {
  Records again = {.part = records->part, .dialect = records->dialect, .begin = records->begin, .line = records->line};
  const char *begin = records->part->bytes + records->begin, *end = records->part->bytes + records->part->length, *at = begin;
  Field field;
  bool last = false;
  for (; again.count < column && !last; again.count++)
    if (take_field(&at, end, &again, &field, &last, NULL) != SETOSA_OK) break;
  free(again.room);
  at = skip_blanks(records->dialect, at, end);
  return records->line + lines_in(begin, at, records->part->newline);
}

bool field_number(const Field *field, char decimal, double *value) {
  return field->length > 0 && number_parse(field->text, field->length, decimal, value);
}
