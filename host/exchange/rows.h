/* Rows as the source has them, in double: of a data set, or made where there is none. */
#ifndef SETOSA_EXCHANGE_ROWS_H
#define SETOSA_EXCHANGE_ROWS_H

#include "exchange/linear.h"

/* Zero-initialise. */
typedef struct RowReader {
  const Dataset *data;
  float *room; /* (D) */
  SparseRoom sparse;
  TargetRoom targets;
} RowReader;

Status row_reader_open(RowReader *reader, const Dataset *data, Error *error);
/* x (D) of row i; *label: its class, or -1. */
Status row_reader_take(RowReader *reader, size_t i, double *x, long *label, Error *error);
void row_reader_close(RowReader *reader);

/* rows (count,D) for a self-check: evenly spaced rows of data, or, where that is NULL, rows on which every coefficient counts. Numbers are
 * as f32 holds them, unless wide. */
Status rows_for_check(double *rows, size_t count, const LinearForm *linear, const Model *model, const Dataset *data, bool wide,
                      Error *error);

#endif
