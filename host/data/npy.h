/* The rows of a NumPy array, without labels; and the elements of any. Private to host/data. */
#ifndef SETOSA_DATA_NPY_H
#define SETOSA_DATA_NPY_H

#include "data/npy_header.h"
#include "data/reader.h"

/* Of the reader's stream, which may be a member of an archive, into its sink. */
Status npy_read_rows(Dataset *dataset, Reader *reader, Error *error);

/* Who takes elements, many at a time; first: the number of the first of them, from 0. */
typedef struct ElementTaker {
  const char *many; /* what they are: for messages */
  Status (*take)(void *values, ElementType type, const unsigned char *elements, size_t count, size_t first, Error *error);
  void *values;
} ElementTaker;

/* All elements that follow a header, and nothing after them. */
Status npy_read_elements(const NpyHeader *header, Stream *stream, const ElementTaker *taker, Error *error);

#endif
