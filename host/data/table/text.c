/* Text is read into buffers, of which each is cut behind its last end of a record; what is left begins the next one. Where a record ends
 * is known from the quotes before: an odd count of them is inside a field. (What has quotes elsewhere is no table, and the first of them is
 * in a part that begins as it should, where it is met.) */
#include "data/table/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/table/buffers.h"
#include "data/table/bytes.h"
#include "data/table/cut.h"

/* Large beside what a part costs, small beside the caches that it goes through. */
enum { PART_BYTES = 1 << 21 };

struct TableText {
  Reader *reader;
  TableBytes **files; /* (files_count) */
  size_t files_count, part_bytes;
  bool lines; /* records end where lines do */
  char separator;

  Buffer *head; /* holds the first part until close */
  TextPart head_part;
  bool beyond_head; /* something that follows it was asked for */
  bool once;        /* nobody will ask for it again */
  bool begun;       /* the next part is not the first */

  /* Of what is read now. */
  size_t file, parts; /* so far */
  bool file_begun, over;
  Buffer *filling; /* what is left of the last one, `filled` bytes; NULL: nothing */
  size_t filled, blank_lines;
  uint64_t line;
  char newline;
  Error failure; /* to be told after the part before it */

  Buffers buffers;
};

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static Status begin_file(TableText *text, Error *error) {
  Status status = SETOSA_OK;
  TableBytes *file = text->files[text->file];
  TRY(table_bytes_begin(file, error));
  text->file_begun = true;
  if (text->file > 0 && !text->once && table_bytes_come_once(file)) TRY(table_bytes_keep(file, NULL, 0, error));
  text->filled = text->blank_lines = 0;
  text->line = 1;
  text->newline = 0;
cleanup:
  return status;
}

static void end_file(TableText *text) {
  table_bytes_end(text->files[text->file]);
  text->file_begun = false;
  text->over = ++text->file == text->files_count;
}

/* More bytes behind those that are there, up to the next multiple of a part. */
static Status read_more(TableText *text, Buffer *buffer, bool *ended, Error *error) {
  Status status = SETOSA_OK;
  size_t got = 0, size = (text->filled / text->part_bytes + 1) * text->part_bytes, wanted = size - text->filled;
  TRY(memory_grow((void **)&buffer->bytes, &buffer->capacity, size, 1, "a part of the text", error));
  TRY(table_bytes_read(text->files[text->file], buffer->bytes + text->filled, wanted, &got, error));
  text->filled += got;
  *ended = got < wanted;
cleanup:
  return status;
}

static Status zero_byte(const TableText *text, const char *bytes, size_t at, Error *error) {
  return error_set(error, SETOSA_ERROR_DATA, "%s:%llu: the line holds a zero byte: this is not text; save the data as UTF-8 %s",
                   table_bytes_path(text->files[text->file]),
                   (unsigned long long)(text->line + cut_count_byte(bytes, at, text->newline != 0 ? text->newline : '\n')),
                   text->lines ? "text" : "CSV");
}

static Status too_long_record(const TableText *text, Error *error) {
  if (text->lines)
    return error_set(error, SETOSA_ERROR_DATA, "%s:%llu: the line is longer than %d MB; check that this is LIBSVM text",
                     table_bytes_path(text->files[text->file]), (unsigned long long)text->line, TABLE_RECORD_LIMIT_BYTES >> 20);
  return error_set(error, SETOSA_ERROR_DATA, TABLE_RECORD_TOO_LONG, table_bytes_path(text->files[text->file]),
                   (unsigned long long)text->line, TABLE_RECORD_LIMIT_BYTES >> 20);
}

/* Fills the buffer until a record ends in it: *cut is behind the last that does, or behind all when the file has *ended. */
static Status fill(TableText *text, Buffer *buffer, size_t *cut, bool *ended, Error *error) {
  Status status = SETOSA_OK;
  size_t seen = 0;
  bool inside = false;
  for (*cut = 0, *ended = false; *cut == 0 && !*ended;) {
    TRY(read_more(text, buffer, ended, error));
    if (text->newline == 0) text->newline = cut_find_newline(buffer->bytes, text->filled, *ended);
    const char *zero = memchr(buffer->bytes + seen, 0, text->filled - seen);
    size_t length = zero != NULL ? (size_t)(zero - buffer->bytes) : text->filled;
    if (!text->lines) inside ^= cut_count_byte(buffer->bytes + seen, length - seen, '"') & 1;
    if (text->newline != 0)
      *cut = text->lines ? cut_find_line(buffer->bytes, seen, length, text->newline)
                         : cut_find(buffer->bytes, seen, length, text->newline, inside);
    if (zero != NULL) {
      Error *place = *cut > 0 ? &text->failure : error;
      status = zero_byte(text, buffer->bytes, length, place);
      return *cut > 0 ? SETOSA_OK : status;
    }
    bool too_long = *cut == 0 && text->filled > TABLE_RECORD_LIMIT_BYTES;
    if (too_long && text->lines) return too_long_record(text, error);
    if (too_long) too_long_record(text, &text->failure); /* unless the part itself shows what is wrong, as a quote that is never closed */
    if (*ended || too_long) *cut = text->filled;
    seen = length;
  }
cleanup:
  return status;
}

/* What is behind the cut begins the next part. */
static Status carry_over(TableText *text, const Buffer *buffer, size_t cut, Error *error) {
  Status status = SETOSA_OK;
  size_t left = text->filled - cut;
  text->filling = NULL;
  text->filled = 0;
  if (left == 0) return SETOSA_OK;
  TRY(buffers_take(&text->buffers, &text->filling, error));
  TRY(memory_grow((void **)&text->filling->bytes, &text->filling->capacity, left, 1, "a part of the text", error));
  memcpy(text->filling->bytes, buffer->bytes + cut, left);
  text->filled = left;
cleanup:
  return status;
}

/* The part that ends at the cut, and what of it the next one has to know. */
static void describe(TableText *text, TextPart *part, const Buffer *buffer, size_t cut, bool first_of_file) {
  size_t skipped = first_of_file && !text->lines ? cut_separator_line(buffer->bytes, cut, &text->separator) : 0;
  *part = (TextPart){.bytes = buffer->bytes + skipped,
                     .length = cut - skipped,
                     .file = table_bytes_path(text->files[text->file]),
                     .line = text->line + (skipped > 0),
                     .begins_file = first_of_file,
                     .index = text->parts++,
                     .newline = text->newline,
                     .blank_lines = text->blank_lines};
  bool all_blank = false;
  size_t blank = cut_count_blank_lines(part, &all_blank);
  text->blank_lines = all_blank ? text->blank_lines + blank : blank;
  text->line = part->line + cut_count_byte(part->bytes, part->length, part->newline);
}

static Status read_part(TableText *text, TextPart *part, Buffer **used, bool *more, Error *error) {
  Status status = SETOSA_OK;
  size_t cut = 0;
  bool ended = false, first_of_file = !text->file_begun;
  Buffer *buffer = NULL;
  *used = NULL;
  *more = !text->over;
  if (text->failure.status != SETOSA_OK) return error_set(error, text->failure.status, "%s", text->failure.message);
  while (*more && *used == NULL) {
    if (!text->file_begun) TRY(begin_file(text, error));
    buffer = text->filling;
    text->filling = NULL;
    if (buffer == NULL) TRY(buffers_take(&text->buffers, &buffer, error));
    TRY(fill(text, buffer, &cut, &ended, error));
    if (cut > 0 || first_of_file) {
      describe(text, part, buffer, cut, first_of_file);
      *used = buffer;
    }
    if (!ended) {
      TRY(carry_over(text, buffer, cut, error));
    } else {
      end_file(text);
      text->filled = 0;
      *more = *used != NULL || !text->over;
      first_of_file = true;
    }
    if (*used == NULL) buffers_let_go(&text->buffers, buffer);
    buffer = NULL;
  }
cleanup:
  if (status != SETOSA_OK) buffers_let_go(&text->buffers, buffer);
  return status;
}

/* ---- the text ------------------------------------------------------------------------------------------------------ */

/* A small file is one part, and needs no room for more than that; UTF-16 becomes half as long again at most. */
static size_t part_bytes_for(const Reader *reader) {
  uint64_t bytes = stream_bytes_total(reader->stream);
  bool small = bytes > 0 && bytes < PART_BYTES / 2 && !stream_is_compressed(reader->stream) && reader->options->also_count == 0;
  return small ? 2 * (size_t)bytes : PART_BYTES;
}

static Status open_text(TableText **out, Reader *reader, size_t part_bytes, bool lines, Error *error) {
  Status status = SETOSA_OK;
  TableText *text = NULL;
  const DataOptions *options = reader->options;
  size_t count = 1 + options->also_count;
  bool more = false;
  *out = NULL;
  TRY(memory_allocate_zero((void **)&text, 1, sizeof *text, "a text", error));
  buffers_begin(&text->buffers, part_bytes);
  text->reader = reader;
  text->part_bytes = part_bytes;
  text->lines = text->once = lines;
  TRY(memory_allocate_zero((void **)&text->files, count, sizeof *text->files, "the files of a table", error));
  for (; text->files_count < count; text->files_count++) {
    size_t i = text->files_count;
    const char *path = i == 0 ? stream_path(reader->stream) : options->also[i - 1];
    TRY(table_bytes_create(&text->files[i], path, i == 0 ? reader->stream : NULL, error));
  }
  TRY(read_part(text, &text->head_part, &text->head, &more, error));
  *out = text;
  text = NULL;
cleanup:
  table_text_close(text);
  return status;
}

Status table_text_open(TableText **text, Reader *reader, Error *error) {
  return open_text(text, reader, part_bytes_for(reader), false, error);
}

Status table_text_open_lines(TableText **text, Reader *reader, Error *error) {
  return open_text(text, reader, part_bytes_for(reader), true, error);
}

Status table_text_open_in_parts(TableText **text, Reader *reader, size_t part_bytes, Error *error) {
  return open_text(text, reader, part_bytes, false, error);
}

void table_text_close(TableText *text) {
  if (text == NULL) return;
  for (size_t i = 0; i < text->files_count; i++) table_bytes_destroy(text->files[i]);
  buffers_end(&text->buffers);
  free(text->files);
  free(text);
}

Status table_text_head(const TableText *text, TextPart *head, Error *error) {
  (void)error;
  *head = text->head_part;
  return SETOSA_OK;
}

char table_text_separator(const TableText *text) { return text->separator; }

void table_text_read_once(TableText *text) { text->once = true; }

/* Before anything is read beyond the first part: of what comes but once, that is in its buffer, and more after it. */
static Status keep_first_file(TableText *text, Error *error) {
  TableBytes *file = text->files[0];
  if (text->once || !table_bytes_come_once(file)) return SETOSA_OK;
  size_t skipped = (size_t)(text->head_part.bytes - text->head->bytes), behind = text->file == 0 ? text->filled : 0;
  return table_bytes_keep(file, text->head->bytes, skipped + text->head_part.length + behind, error);
}

/* reader_report knows of the reader's stream alone. */
static void report_progress(const TableText *text) {
  uint64_t done = 0, total = 0;
  if (text->files_count == 1) return;
  text->reader->bytes_done = text->reader->bytes_total = 0;
  for (size_t i = 0; i < text->files_count; i++) {
    table_bytes_progress(text->files[i], &done, &total);
    text->reader->bytes_total += total;
    text->reader->bytes_done += i < text->file ? total : i == text->file ? done : 0;
  }
}

void table_text_let_go(TableText *text, const TextPart *part) {
  Buffer *buffer = buffers_find(&text->buffers, part->bytes);
  if (buffer != text->head) buffers_let_go(&text->buffers, buffer);
}

Status table_text_next(TableText *text, TextPart *part, bool *more, Error *error) {
  Status status = SETOSA_OK;
  Buffer *buffer = NULL;
  *more = true;
  if (!text->begun && text->parts == 1) { /* it is there still */
    text->begun = true;
    *part = text->head_part;
    return SETOSA_OK;
  }
  if (!text->beyond_head) TRY(keep_first_file(text, error));
  text->begun = text->beyond_head = true;
  TRY(read_part(text, part, &buffer, more, error));
  report_progress(text);
cleanup:
  return status;
}

/* What was read beyond the first part is read again, the first part with it. */
Status table_text_rewind(TableText *text, Error *error) {
  (void)error;
  text->begun = false;
  if (!text->beyond_head) return SETOSA_OK;
  if (text->file_begun) table_bytes_end(text->files[text->file]);
  buffers_let_go(&text->buffers, text->filling);
  text->filling = NULL;
  text->file = text->parts = 0;
  text->file_begun = text->over = false;
  text->failure = (Error){0};
  return SETOSA_OK;
}
