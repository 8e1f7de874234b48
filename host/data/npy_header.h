/* The header of a NumPy file: a Python dictionary of three known keys, read strictly. Private to host/data. */
#ifndef SETOSA_DATA_NPY_HEADER_H
#define SETOSA_DATA_NPY_HEADER_H

#include "data/elements.h"
#include "data/stream.h"

enum { NPY_DIMENSIONS = 8 };

typedef struct NpyHeader {
  ElementType type;
  bool fortran;
  size_t dimensions, shape[NPY_DIMENSIONS];
  size_t data_offset; /* bytes before the first element */
} NpyHeader;

/* What an array is wanted for. */
typedef struct NpyUse {
  bool text;            /* text is fine, too, as for labels */
  const char *as_plain; /* what to do about elements that cannot be read */
} NpyUse;

/* Reads magic, version, length and dictionary; the stream stands at the first element afterwards. Checks that the file can hold
 * what the header announces. */
Status npy_read_header(NpyHeader *header, Stream *stream, const NpyUse *use, Error *error);

#endif
