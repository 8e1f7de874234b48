/* Where a reader puts its rows. It asks for room, fills it, and says how many rows are in it now; who keeps them, and where, it does not
 * know: memory (row_store.h), or an entry of the cache of conversions (cache.h). Private to host/data. */
#ifndef SETOSA_DATA_ROW_SINK_H
#define SETOSA_DATA_ROW_SINK_H

#include "base/mapping.h"
#include "data/dataset.h"

typedef struct RowSink RowSink;

/* What a reader says of its rows before the first of them. */
typedef struct RowsAhead {
  DataKind kind;
  size_t features; /* of dense rows */
  size_t rows;     /* of dense rows; 0: not known beforehand, or only from a header that may lie (reader_rows_ahead) */
  bool at_once;    /* room for all rows (known) is wanted at a time, since the reader does not come upon them row by row */
  bool compact;    /* the source takes no more room than its rows do, and is read as fast */
  int index_base;  /* of sparse rows: what their pieces call the first column, 0 or 1; -1: what the data set has in `finish` */
} RowsAhead;

/* Rows as their entries, in the order in which they follow those before. */
typedef struct SparsePiece {
  size_t rows;
  const uint32_t *lengths; /* (rows) entries of each */
  const uint32_t *columns; /* (sum of lengths) ascending within a row, from RowsAhead.index_base on */
  const float *values;     /* (sum of lengths) */
} SparsePiece;

/* The functions of a sink, which put this first in their own struct. */
struct RowSink {
  Status (*begin)(RowSink *sink, const RowsAhead *ahead, Error *error);
  /* *room (*rows, D) for the next rows, one at least. */
  Status (*room)(RowSink *sink, float **room, size_t *rows, Error *error);
  /* So many rows of the room were filled. */
  Status (*take)(RowSink *sink, size_t rows, Error *error);
  /* Instead of room and take: rows as their entries, of any columns; the reader says at the end how many features there are. */
  Status (*take_sparse)(RowSink *sink, const SparsePiece *piece, Error *error);
  /* Instead of room and take: the rows lie in a file, f32, from offset on. The mapping is taken over, also on failure. */
  Status (*map)(RowSink *sink, Mapping mapping, size_t offset, Error *error);
  /* Forgets all rows: `begin` comes again. */
  Status (*restart)(RowSink *sink, Error *error);
  /* Gives all rows to the data set, whose shape, labels and names are complete. */
  Status (*finish)(RowSink *sink, Dataset *dataset, Error *error);
};

#endif
