/* Lines of LIBSVM text: one after another is taken apart, and becomes a row of a piece. Private to host/data/libsvm. */
#ifndef SETOSA_DATA_LIBSVM_LINE_H
#define SETOSA_DATA_LIBSVM_LINE_H

#include <string.h>

#include "base/text.h"
#include "data/libsvm/hash.h"
#include "data/table/text.h"

/* What is known before the text is read. */
typedef struct LibsvmForm {
  int base;           /* what the first feature is called, 0 or 1; -1: the text itself says so */
  uint64_t beyond;    /* features from this index on are none of the model's, and left out; UINT64_MAX: there is no model */
  unsigned hash_bits; /* features are names; 0: they are numbers */
} LibsvmForm;

typedef struct LibsvmPlace {
  uint64_t line;
  size_t column; /* in bytes, from 1 */
} LibsvmPlace;

/* Rows of a part of the text. Zero-initialise. */
typedef struct LibsvmPiece {
  size_t rows, entries;
  uint32_t *lengths; /* (rows) entries of each */
  size_t *labels;    /* (rows) index of the label in `names` */
  uint32_t *columns; /* (entries) indices as they are written, or hashed: from 0 */
  float *values;     /* (entries) none is 0 */
  size_t length_capacity, label_capacity, column_capacity, value_capacity;

  NameTable *names; /* the labels, in the order in which they come */
  LibsvmPlace *places;
  size_t place_capacity;
  const char *label; /* of the line before: most often it is the same again */
  size_t label_length, label_index;

  uint64_t largest; /* index, of the rows that have any */
  bool any, zero;   /* there was an index at all, and one of 0 */
  uint64_t queries; /* rows with a qid */
  uint64_t unknown; /* entries that were left out, and the first index of them */
  uint64_t first_unknown;
  LibsvmHash hash;
} LibsvmPiece;

void libsvm_piece_free(LibsvmPiece *piece);
/* Makes rows of a part; what the piece held before is gone. SETOSA_ERROR_DATA names file, line and column. */
Status libsvm_piece_read(LibsvmPiece *piece, const TextPart *part, const LibsvmForm *form, Error *error);

static inline bool libsvm_is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

#endif
