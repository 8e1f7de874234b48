/* One line at a time. Numbers go the quick way, and what stops them is looked at again to be named. */
#include "data/libsvm/line.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/number.h"

/* A line while it is taken apart, less what surrounds it and its comment. */
typedef struct Line {
  const char *begin, *at, *end;
  uint64_t number;
  const char *file;
  const LibsvmForm *form;
} Line;

static Status refuse(const Line *line, const char *at, Error *error, const char *format, ...) __attribute__((format(printf, 4, 5)));
static Status refuse(const Line *line, const char *at, Error *error, const char *format, ...) {
  char what[400];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  return error_set(error, SETOSA_ERROR_DATA, "%s:%llu:%zu: %s", line->file, (unsigned long long)line->number,
                   (size_t)(at - line->begin) + 1, what);
}

static void skip_blanks(Line *line) {
  while (line->at < line->end && libsvm_is_blank(*line->at)) line->at++;
}

/* Control characters end a token, too, and begin one that nothing can be made of. A name may have a # in it, a number ends there. */
static inline const char *token_end(const Line *line, const char *at) {
  if (line->form->hash_bits > 0)
    while (at < line->end && !libsvm_is_blank(*at)) at++;
  else
    while (at < line->end && (unsigned char)*at > ' ' && *at != '#') at++;
  return at;
}

/* ---- what is wrong ------------------------------------------------------------------------------------------------- */

/* Text whose first letters no number has. */
static Status bad_index(const Line *line, const char *token, Error *error) {
  char quoted[QUOTE_SIZE];
  const char *end = token_end(line, token), *at = token;
  if (end == token) end++; /* a control character */
  reader_quote(quoted, token, (size_t)(end - token));
  const char *colon = memchr(token, ':', (size_t)(end - token));
  bool minus = *token == '-';
  for (at += minus; at < end && *at >= '0' && *at <= '9';) at++;
  bool digits = at > token + minus && at == (colon != NULL ? colon : end);
  if (colon == token) return refuse(line, token, error, "%s has no index before the colon; write INDEX:VALUE without blanks", quoted);
  if (digits && minus) return refuse(line, token, error, "the index in %s is negative; count the features from 1", quoted);
  if (digits && colon == NULL)
    return refuse(line, token, error, "%s is an index without a value; write INDEX:VALUE without blanks", quoted);
  if (digits)
    return refuse(line, token, error, "the index in %s is above %d; number the features from 1, or hash their names (--hash-features 20)",
                  quoted, INT32_MAX);
  if (colon - token == 3 && memcmp(token, "qid", 3) == 0)
    return refuse(line, token, error, "%s is no query number right behind the label; write LABEL qid:N INDEX:VALUE ...", quoted);
  return refuse(line, token, error,
                "%s is not INDEX:VALUE with a whole number before the colon; --hash-features 20 takes features that are names", quoted);
}

static Status bad_value(const Line *line, const char *value, size_t length, Error *error) {
  char quoted[QUOTE_SIZE];
  double number = 0;
  reader_quote(quoted, value, length);
  if (length == 0) return refuse(line, value, error, "the value is missing; write INDEX:VALUE without blanks, or leave the entry out");
  if (reader_is_not_finite(value, length))
    return refuse(line, value, error, "%s is not a finite number; leave the entry out, or the row", quoted);
  if (number_parse(value, length, '.', &number))
    return refuse(line, value, error, "%s is beyond single precision (3.4e38); rescale the feature", quoted);
  return refuse(line, value, error, "%s is not a number; correct it, or leave the entry out", quoted);
}

static Status bad_order(const Line *line, const char *token, uint64_t index, uint64_t before, Error *error) {
  if (index == before)
    return refuse(line, token, error, "the index %llu stands twice in the row; keep one of the two, or their sum",
                  (unsigned long long)index);
  return refuse(line, token, error, "the index %llu comes after %llu; sort the entries of each row by their indices",
                (unsigned long long)index, (unsigned long long)before);
}

/* ---- tokens -------------------------------------------------------------------------------------------------------- */

static Status take_label(LibsvmPiece *piece, Line *line, Error *error) {
  Status status = SETOSA_OK;
  char quoted[QUOTE_SIZE];
  const char *label = line->at, *end = token_end(line, label);
  size_t length = (size_t)(end - label), index = 0;
  line->at = end;
  if (length > 0 && length == piece->label_length && memcmp(label, piece->label, length) == 0) {
    piece->labels[piece->rows] = piece->label_index;
    return SETOSA_OK;
  }
  reader_quote(quoted, label, length > 0 ? length : 1);
  if (length == 0) TRY(refuse(line, label, error, "the line begins with %s, which is no label; write LABEL INDEX:VALUE ...", quoted));
  if (memchr(label, ':', length) != NULL)
    TRY(refuse(line, label, error, "the label is missing before %s; write LABEL INDEX:VALUE ...", quoted));
  if (memchr(label, ',', length) != NULL)
    TRY(refuse(line, label, error,
               "%s are several labels, and a row has one class; make a file for each label, of those with and without it", quoted));
  TRY(name_table_add(piece->names, label, length, &index, error));
  if (index + 1 == name_table_count(piece->names)) {
    TRY(memory_grow((void **)&piece->places, &piece->place_capacity, index + 1, sizeof *piece->places, "labels", error));
    piece->places[index] = (LibsvmPlace){line->number, (size_t)(label - line->begin) + 1};
  }
  piece->label = label;
  piece->label_length = length;
  piece->label_index = piece->labels[piece->rows] = index;
cleanup:
  return status;
}

/* "qid:7", which groups rows of one query for rankings. */
static void take_query(LibsvmPiece *piece, Line *line) {
  const char *end = token_end(line, line->at), *at = line->at + 4;
  if (end - line->at < 5 || memcmp(line->at, "qid:", 4) != 0) return;
  while (at < end && *at >= '0' && *at <= '9') at++;
  if (at < end) return; /* told as an index that is none */
  piece->queries++;
  line->at = end;
}

/* *before: the index of the entry before, -1 for the first. */
static inline Status take_entry(LibsvmPiece *piece, Line *line, int64_t *before, Error *error) {
  const char *token = line->at, *at = token, *end = line->end;
  uint64_t index = 0;
  double number = 0;
  while (at < end && (unsigned char)(*at - '0') < 10 && index <= INT32_MAX) index = index * 10 + (uint64_t)(*at++ - '0');
  if (at == token || at == end || *at != ':' || index > INT32_MAX) return bad_index(line, token, error);
  const char *value = at + 1;
  for (at = value; at < end && (unsigned char)*at > ' ' && *at != '#';) at++;
  size_t length = (size_t)(at - value);
  if (length == 1 && (unsigned char)(*value - '0') < 10)
    number = *value - '0'; /* of counts and of flags most are so */
  else if (!number_parse(value, length, '.', &number))
    return bad_value(line, value, length, error);
  float rounded = (float)number;
  if (!isfinite(rounded)) return bad_value(line, value, length, error);
  if ((int64_t)index <= *before) return bad_order(line, token, index, (uint64_t)*before, error);
  if (index == 0) {
    if (line->form->base == 1)
      return refuse(line, token, error,
                    "the index is 0, and the first feature of the model is called 1; add 1 to all indices of this file");
    piece->zero = true;
  }
  *before = (int64_t)index;
  line->at = at;
  if (index >= line->form->beyond) {
    if (piece->unknown++ == 0) piece->first_unknown = index;
    return SETOSA_OK;
  }
  piece->columns[piece->entries] = (uint32_t)index;
  piece->values[piece->entries] = rounded;
  piece->entries += rounded != 0;
  return SETOSA_OK;
}

/* "name:0.5", or "name" alone for 1. */
static Status take_name(LibsvmPiece *piece, Line *line, Error *error) {
  const char *token = line->at, *end = token_end(line, token), *colon = memrchr(token, ':', (size_t)(end - token));
  const char *value = colon != NULL ? colon + 1 : end;
  double number = 1;
  if (colon == token) return bad_index(line, token, error);
  if (colon != NULL && (!number_parse(value, (size_t)(end - value), '.', &number) || !isfinite((float)number)))
    return bad_value(line, value, (size_t)(end - value), error);
  line->at = end;
  size_t length = (size_t)((colon != NULL ? colon : end) - token);
  return libsvm_hash_add(&piece->hash, token, length, number, line->form->hash_bits, error);
}

/* ---- lines --------------------------------------------------------------------------------------------------------- */

static Status take_names(LibsvmPiece *piece, Line *line, Error *error) {
  Status status = SETOSA_OK;
  piece->hash.count = 0;
  for (skip_blanks(line); line->at < line->end && *line->at != '#'; skip_blanks(line)) TRY(take_name(piece, line, error));
  size_t count = libsvm_hash_take(&piece->hash, piece->columns + piece->entries, piece->values + piece->entries);
  for (size_t i = 0; i < count; i++)
    if (!isfinite(piece->values[piece->entries + i]))
      TRY(refuse(line, line->begin, error, "values of one column add up to more than single precision holds (3.4e38); rescale them"));
  piece->entries += count;
cleanup:
  return status;
}

static Status take_entries(LibsvmPiece *piece, Line *line, Error *error) {
  Status status = SETOSA_OK;
  int64_t before = -1;
  for (skip_blanks(line); line->at < line->end && *line->at != '#'; skip_blanks(line)) TRY(take_entry(piece, line, &before, error));
  if (before < 0) return SETOSA_OK;
  piece->any = true;
  if ((uint64_t)before > piece->largest) piece->largest = (uint64_t)before;
cleanup:
  return status;
}

static Status take_line(LibsvmPiece *piece, Line *line, Error *error) {
  Status status = SETOSA_OK;
  size_t first = piece->entries;
  skip_blanks(line);
  if (line->at == line->end || *line->at == '#') return SETOSA_OK;
  TRY(take_label(piece, line, error));
  skip_blanks(line);
  take_query(piece, line);
  TRY((line->form->hash_bits > 0 ? take_names : take_entries)(piece, line, error));
  piece->lengths[piece->rows++] = (uint32_t)(piece->entries - first);
cleanup:
  return status;
}

/* Room for whatever so many bytes can hold: a row is "1" and the end of its line, an entry "1:1" and a blank, or a name and a blank. */
static Status restart(LibsvmPiece *piece, size_t bytes, const LibsvmForm *form, Error *error) {
  Status status = SETOSA_OK;
  size_t rows = bytes / 2 + 1, entries = bytes / (form->hash_bits > 0 ? 2 : 4) + 1;
  const char *what = "a piece of the text";
  TRY(memory_grow((void **)&piece->lengths, &piece->length_capacity, rows, sizeof *piece->lengths, what, error));
  TRY(memory_grow((void **)&piece->labels, &piece->label_capacity, rows, sizeof *piece->labels, what, error));
  TRY(memory_grow((void **)&piece->columns, &piece->column_capacity, entries, sizeof *piece->columns, what, error));
  TRY(memory_grow((void **)&piece->values, &piece->value_capacity, entries, sizeof *piece->values, what, error));
  name_table_destroy(piece->names);
  piece->names = NULL;
  TRY(name_table_create(&piece->names, error));
  piece->rows = piece->entries = piece->label_length = 0;
  piece->largest = piece->queries = piece->unknown = 0;
  piece->any = piece->zero = false;
cleanup:
  return status;
}

Status libsvm_piece_read(LibsvmPiece *piece, const TextPart *part, const LibsvmForm *form, Error *error) {
  Status status = SETOSA_OK;
  const char *end = part->bytes + part->length;
  Line line = {.end = part->bytes, .number = part->line - 1, .file = part->file, .form = form};
  TRY(restart(piece, part->length, form, error));
  for (const char *at = part->bytes; at < end; at = line.end + 1) {
    const char *newline = memchr(at, part->newline, (size_t)(end - at));
    line.begin = line.at = at;
    line.end = newline != NULL ? newline : end;
    line.number++;
    TRY(take_line(piece, &line, error));
  }
cleanup:
  return status;
}

void libsvm_piece_free(LibsvmPiece *piece) {
  free(piece->lengths);
  free(piece->labels);
  free(piece->columns);
  free(piece->values);
  free(piece->places);
  name_table_destroy(piece->names);
  libsvm_hash_free(&piece->hash);
  *piece = (LibsvmPiece){0};
}
