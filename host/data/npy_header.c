/* NumPy format 1.0 to 3.0 (numpy/lib/format.py): \x93NUMPY, version, little-endian header length, {'descr', 'fortran_order', 'shape'}. */
#include "data/npy_header.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { NPY_HEADER_LIMIT = 1 << 20, NPY_TEXT_LIMIT = 1 << 16 /* characters */ };

/* A cursor over the dictionary. */
typedef struct Cursor {
  const char *at;
} Cursor;

static void skip_blanks(Cursor *cursor) {
  while (isspace((unsigned char)*cursor->at)) cursor->at++;
}

static bool accept(Cursor *cursor, char wanted) {
  skip_blanks(cursor);
  if (*cursor->at != wanted) return false;
  cursor->at++;
  return true;
}

static bool accept_word(Cursor *cursor, const char *word) {
  skip_blanks(cursor);
  if (strncmp(cursor->at, word, strlen(word)) != 0 || isalnum((unsigned char)cursor->at[strlen(word)])) return false;
  cursor->at += strlen(word);
  return true;
}

/* 'text' or "text" without escapes. */
static bool parse_string(Cursor *cursor, char *out, size_t size) {
  skip_blanks(cursor);
  char quote = *cursor->at;
  if (quote != '\'' && quote != '"') return false;
  const char *end = strchr(cursor->at + 1, quote);
  if (end == NULL || (size_t)(end - cursor->at) > size) return false;
  size_t length = (size_t)(end - cursor->at) - 1;
  memcpy(out, cursor->at + 1, length);
  out[length] = '\0';
  cursor->at = end + 1;
  return true;
}

static bool parse_size(Cursor *cursor, size_t *size) {
  skip_blanks(cursor);
  if (!isdigit((unsigned char)*cursor->at)) return false;
  for (*size = 0; isdigit((unsigned char)*cursor->at); cursor->at++)
    if (__builtin_mul_overflow(*size, (size_t)10, size) || __builtin_add_overflow(*size, (size_t)(*cursor->at - '0'), size)) return false;
  if (*cursor->at == 'L') cursor->at++; /* Python 2 wrote long integers so */
  return true;
}

/* (), (3,), (3, 4), (3, 4,) */
static bool parse_shape(Cursor *cursor, NpyHeader *header) {
  if (!accept(cursor, '(')) return false;
  for (header->dimensions = 0; !accept(cursor, ')');) {
    if (header->dimensions == NPY_DIMENSIONS || !parse_size(cursor, &header->shape[header->dimensions++])) return false;
    if (accept(cursor, ',')) continue;
    return header->dimensions > 1 && accept(cursor, ')'); /* "(3)" is not a tuple */
  }
  return true;
}

/* "<f4", "|u1", ">i8", "<U12": byte order, kind, bytes (of 'U' characters). */
static bool parse_type(const char *text, bool with_text, ElementType *type) {
  bool ordered = text[0] == '<' || text[0] == '>' || text[0] == '|' || text[0] == '=';
  const char *kind = ordered ? text + 1 : text;
  Cursor cursor = {kind[0] != '\0' ? kind + 1 : kind};
  size_t size = 0;
  if (kind[0] == '\0' || strspn(cursor.at, "0123456789") != strlen(cursor.at) || !parse_size(&cursor, &size)) return false;
  *type = (ElementType){.kind = kind[0], .size = kind[0] == 'U' ? 4 * size : size, .big_endian = text[0] == '>'};
  if (kind[0] == 'U' || kind[0] == 'S') return with_text && size > 0 && size <= NPY_TEXT_LIMIT;
  if (kind[0] == 'b') return size == 1;
  if (kind[0] == 'f') return size == 2 || size == 4 || size == 8;
  return (kind[0] == 'u' || kind[0] == 'i') && (size == 1 || size == 2 || size == 4 || size == 8);
}

/* What is wrong with a file ("" when all is well), and what to do about it. */
typedef struct Problem {
  char what[96];
  const char *remedy;
} Problem;

static void name_problem(Problem *problem, const char *remedy, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void name_problem(Problem *problem, const char *remedy, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(problem->what, sizeof problem->what, format, arguments);
  va_end(arguments);
  problem->remedy = remedy;
}

static void refuse_type(Problem *problem, const char *type, const NpyUse *use) {
  const char *kind = strchr("<>|=", type[0]) != NULL ? type + 1 : type;
  bool text = *kind == 'U' || *kind == 'S';
  const char *what = *kind == 'O'                               ? "is Python objects"
                     : text && strtoul(kind + 1, NULL, 10) == 0 ? "is text of no length"
                     : text && use->text                        ? "is text too long for names"
                     : text                                     ? "is text"
                     : use->text                                ? "is not read (numbers, booleans and text are)"
                                                                : "is not read (f2, f4, f8, integers and booleans are)";
  name_problem(problem, use->as_plain, "its type %.20s %s", type, what);
}

static void parse_dictionary(const char *text, NpyHeader *header, const NpyUse *use, Problem *problem) {
  Cursor cursor = {text};
  bool seen_type = false, seen_order = false, seen_shape = false;
  char key[32], type[32];
  name_problem(problem, "write the file again with numpy.save", "its header is not the dictionary of a NumPy array");
  if (!accept(&cursor, '{')) return;
  while (!accept(&cursor, '}')) {
    if (!parse_string(&cursor, key, sizeof key) || !accept(&cursor, ':')) return;
    if (strcmp(key, "descr") == 0 && !seen_type) {
      seen_type = true;
      if (!parse_string(&cursor, type, sizeof type)) {
        name_problem(problem, use->text ? "save one of its columns" : "save its columns as one array of float32",
                     "it is not an array of plain numbers");
        return;
      }
    } else if (strcmp(key, "fortran_order") == 0 && !seen_order) {
      seen_order = true;
      header->fortran = accept_word(&cursor, "True");
      if (!header->fortran && !accept_word(&cursor, "False")) return;
    } else if (strcmp(key, "shape") == 0 && !seen_shape) {
      seen_shape = true;
      if (!parse_shape(&cursor, header)) return;
    } else {
      return;
    }
    if (!accept(&cursor, ',')) {
      if (!accept(&cursor, '}')) return;
      break;
    }
  }
  skip_blanks(&cursor);
  if (*cursor.at != '\0' || !seen_type || !seen_order || !seen_shape) return;
  if (parse_type(type, use->text, &header->type))
    problem->what[0] = '\0';
  else
    refuse_type(problem, type, use);
}

static Status check_size(const NpyHeader *header, Stream *stream, Error *error) {
  size_t bytes = header->type.size;
  bool fits = true;
  for (size_t i = 0; i < header->dimensions; i++) {
    if (header->shape[i] == 0)
      return error_set(error, SETOSA_ERROR_DATA, "%s: the array has a dimension of size 0: it holds no data", stream_path(stream));
    fits = fits && !__builtin_mul_overflow(bytes, header->shape[i], &bytes);
  }
  if (fits && stream_may_hold(stream, bytes)) return SETOSA_OK;
  char shape[NPY_DIMENSIONS * 24] = "";
  for (size_t i = 0, at = 0; i < header->dimensions; i++)
    at += (size_t)snprintf(shape + at, sizeof shape - at, "%s%zu", i > 0 ? " x " : "", header->shape[i]);
  return error_set(error, SETOSA_ERROR_DATA,
                   "%s: the header announces more data than the file can hold; write the file again (it says %s numbers of %zu bytes)",
                   stream_path(stream), shape, header->type.size);
}

Status npy_read_header(NpyHeader *header, Stream *stream, const NpyUse *use, Error *error) {
  Status status = SETOSA_OK;
  const char *path = stream_path(stream);
  unsigned char start[12];
  char *text = NULL;
  Problem problem;
  size_t got = 0, length = 0;
  *header = (NpyHeader){0};
  TRY(stream_read(stream, start, 8, &got, error));
  if (got == 0) TRY(error_set(error, SETOSA_ERROR_DATA, "%s: the file is empty; write the file again", path));
  if (got < 8 || memcmp(start, "\x93NUMPY", 6) != 0)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: is not a NumPy file; write it with numpy.save", path));
  if (start[6] < 1 || start[6] > 3)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: NumPy format %d.%d is not read (1.0 to 3.0 are); write the file again with numpy.save",
                  path, start[6], start[7]));
  size_t length_bytes = start[6] == 1 ? 2 : 4;
  TRY(stream_read(stream, start + 8, length_bytes, &got, error));
  for (size_t i = 0; i < length_bytes; i++) length |= (size_t)start[8 + i] << (8 * i);
  if (got < length_bytes || length > NPY_HEADER_LIMIT)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: the length of its header is impossible; write the file again", path));
  TRY(memory_allocate((void **)&text, length + 1, 1, "a header", error));
  TRY(stream_read(stream, text, length, &got, error));
  text[got] = '\0';
  if (got < length) TRY(error_set(error, SETOSA_ERROR_DATA, "%s: ends inside its header; write the file again", path));
  header->data_offset = 8 + length_bytes + length;
  parse_dictionary(text, header, use, &problem);
  if (problem.what[0] == '\0' && strlen(text) != length)
    name_problem(&problem, "write the file again with numpy.save", "its header holds a zero byte");
  if (problem.what[0] != '\0') TRY(error_set(error, SETOSA_ERROR_DATA, "%s: %s; %s", path, problem.what, problem.remedy));
  TRY(check_size(header, stream, error));
cleanup:
  free(text);
  return status;
}
