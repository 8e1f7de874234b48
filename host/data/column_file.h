/* One value a row from a file of its own: IDX or .npy in one dimension, or text with one value a line; each also .gz. Labels and weights
 * come so. Private to host/data. */
#ifndef SETOSA_DATA_COLUMN_FILE_H
#define SETOSA_DATA_COLUMN_FILE_H

#include "data/elements.h"
#include "data/reader.h"

/* Who takes the values, in the order of the rows. Errors (SETOSA_ERROR_DATA) say what is wrong; where is put before them. */
typedef struct ColumnTaker {
  const char *one, *many; /* "label", "labels": for messages; --many names such a file */
  const char *source;     /* what they belong to, for messages */
  size_t rows;            /* of it: as many are wanted, and reading ends at the first that is too many */
  const char *of;         /* what these are, where they are no rows */
  bool numbers;           /* nothing else: a first line that is one is no heading */
  const char *as_plain;   /* what to do about a .npy of elements that are no such values */
  Status (*take_text)(void *values, const char *text, size_t length, Error *error);
  Status (*take_element)(void *values, ElementType type, const unsigned char *element, Error *error);
  void *values;
} ColumnTaker;

/* Takes them all, one for each row. header: as in SetosaDataOptions, of text; -1: a first line is one when there is one line more than
 * rows. */
Status column_file_read(const ColumnTaker *taker, const char *path, int header, Error *error);
/* SETOSA_ERROR_DATA when that is not one for each row. */
Status column_file_check_count(const ColumnTaker *taker, const char *path, size_t count, Error *error);

/* The binary kinds, from an open stream (idx.c, npy.c). */
Status idx_read_column(const ColumnTaker *taker, Stream *stream, Error *error);
Status npy_read_column(const ColumnTaker *taker, Stream *stream, Error *error);

#endif
