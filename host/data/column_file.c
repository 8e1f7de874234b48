/* Text is read whole, since only its end tells whether the first line is a header. */
#include "data/column_file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { LINE_LIMIT_BYTES = 1 << 20 };

/* What was seen of a text while it is read: enough to end early where it cannot be one value for each row. */
typedef struct Lines {
  size_t ended, filled; /* lines; those that are not blank */
  size_t bytes;         /* of the line that has not ended */
  size_t excess;        /* bytes after the last line that can be of use: a few are read on, to say how many lines there are */
  bool blank;
} Lines;

static Status count_lines(Lines *lines, const ColumnTaker *taker, const char *path, const char *block, size_t length, Error *error) {
  for (size_t i = 0; i < length; i++) {
    bool blank = isspace((unsigned char)block[i]) != 0;
    if (!blank && lines->blank) lines->filled++;
    lines->blank = block[i] == '\n' || (lines->blank && blank);
    lines->bytes = block[i] == '\n' ? 0 : lines->bytes + 1;
    lines->ended += block[i] == '\n';
    if (lines->bytes > LINE_LIMIT_BYTES)
      return error_set(error, SETOSA_ERROR_DATA, "%s:%zu: the line is longer than %d MB; give one %s per line", path, lines->ended + 1,
                       LINE_LIMIT_BYTES >> 20, taker->one);
    lines->excess += lines->filled > taker->rows + 1;
    if (lines->excess > LINE_LIMIT_BYTES || lines->ended > 2 * taker->rows + LINE_LIMIT_BYTES)
      return error_set(error, SETOSA_ERROR_DATA, "%s:%zu: holds more lines than %s, which has %zu rows; check that they belong together",
                       path, lines->ended + 1, taker->source, taker->rows);
  }
  return SETOSA_OK;
}

/* The whole of a text stream, terminated. */
static Status read_text(Stream *stream, const ColumnTaker *taker, Text *text, Error *error) {
  Status status = SETOSA_OK;
  char *block = NULL;
  const size_t size = 1 << 16;
  size_t got = 0;
  Lines lines = {.blank = true};
  TRY(memory_allocate((void **)&block, size, 1, "a block of the file", error));
  TRY(text_append_bytes(text, "", 0, error));
  do {
    TRY(stream_read(stream, block, size, &got, error));
    if (memchr(block, 0, got) != NULL)
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s: is not text, IDX or .npy; give one %s per line", stream_path(stream), taker->one));
    TRY(count_lines(&lines, taker, stream_path(stream), block, got, error));
    TRY(text_append_bytes(text, block, got, error));
  } while (got == size);
cleanup:
  free(block);
  return status;
}

/* The next line that is not blank, trimmed and unquoted; *line counts lines. False at the end. */
static bool next_value(const char **at, size_t *line, const char **value, size_t *length) {
  while (**at != '\0') {
    const char *start = *at, *end = start + strcspn(start, "\n");
    *at = *end == '\n' ? end + 1 : end;
    ++*line;
    while (start < end && isspace((unsigned char)*start)) start++;
    while (end > start && isspace((unsigned char)end[-1])) end--;
    if (end - start >= 2 && *start == '"' && end[-1] == '"') start++, end--;
    if (start == end) continue;
    *value = start;
    *length = (size_t)(end - start);
    return true;
  }
  return false;
}

static bool begins_with_number(const char *text) {
  const char *value = NULL;
  size_t line = 0, length = 0;
  double number = 0;
  if (!next_value(&text, &line, &value, &length)) return false;
  return text_parse_double(value, length, &number) || reader_is_not_finite(value, length) || reader_is_missing(value, length);
}

static Status take_lines(const ColumnTaker *taker, const char *path, const char *text, int header, Error *error) {
  Status status = SETOSA_OK;
  const char *at = text, *value = NULL;
  size_t line = 0, length = 0, lines = 0, count = 0;
  if (strncmp(at, "\xEF\xBB\xBF", 3) == 0) at += 3;
  const char *begin = at;
  while (next_value(&at, &line, &value, &length)) lines++;
  at = begin;
  line = 0;
  /* One line too many: the first names the column, if it can be a name. */
  bool skip = header == 1 || (header < 0 && lines == taker->rows + 1 && !(taker->numbers && begins_with_number(begin)));
  while (next_value(&at, &line, &value, &length)) {
    if (skip) {
      skip = false;
      continue;
    }
    if (memchr(value, ',', length) != NULL)
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s:%zu: more than one field on the line; give one %s per line", path, line, taker->one));
    status = taker->take_text(taker->values, value, length, error);
    if (status == SETOSA_ERROR_DATA) error_prefix(error, "%s:%zu", path, line);
    TRY(status);
    count++;
  }
  TRY(column_file_check_count(taker, path, count, error));
cleanup:
  return status;
}

Status column_file_read(const ColumnTaker *taker, const char *path, int header, Error *error) {
  Status status = SETOSA_OK;
  Stream *stream = NULL;
  Text text = {0};
  const unsigned char *bytes = NULL;
  if (stream_is_standard_input(path))
    TRY(error_set(error, SETOSA_ERROR_USAGE, "--%s -: standard input is for the data; name a file of %s", taker->many, taker->many));
  TRY(stream_open(&stream, path, error));
  size_t peeked = stream_peek(stream, &bytes);
  if (peeked == 0) TRY(error_set(error, SETOSA_ERROR_DATA, "%s: the file is empty; give one %s per row", path, taker->one));
  if (peeked >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0) {
    TRY(npy_read_column(taker, stream, error));
  } else if (peeked >= 2 && bytes[0] == 0 && bytes[1] == 0) {
    TRY(idx_read_column(taker, stream, error));
  } else {
    TRY(stream_check_name(stream, error));
    TRY(read_text(stream, taker, &text, error));
    TRY(take_lines(taker, path, text.text, header, error));
  }
cleanup:
  text_free(&text);
  stream_close(stream);
  return status;
}

Status column_file_check_count(const ColumnTaker *taker, const char *path, size_t count, Error *error) {
  if (count == taker->rows) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_DATA, "%s: holds %zu %s, but %s has %zu %s; check that they belong together", path, count,
                   taker->many, taker->source, taker->rows, taker->of != NULL ? taker->of : "rows");
}
