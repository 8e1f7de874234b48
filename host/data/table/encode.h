/* From records to rows: values less their shift, levels as 0 and 1, labels, weights and ids; rows that lack a value are left out. Private
 * to host/data. */
#ifndef SETOSA_DATA_TABLE_ENCODE_H
#define SETOSA_DATA_TABLE_ENCODE_H

#include "data/labels.h"
#include "data/table/survey.h"
#include "data/weights.h"

/* What comes of encoding, beside the rows in the reader's sink. Zero-initialise; labels are the caller's. */
typedef struct Encoded {
  Labels *labels; /* NULL: there is no label column */
  WeightList weights;
  SourceRows left_out;
  Ids ids;
  uint64_t rows, records;
  uint64_t *missing;   /* (count) values of each column that is used */
  uint64_t *unseen;    /* (count) and values that are none of its levels, */
  Place *first_unseen; /* (count) the first of them */
  Survey *survey;      /* where the columns were guessed: of all rows; else NULL */
  bool refuted;        /* the guess is wrong, and what has become of the text so far is worth nothing */
} Encoded;

/* One pass over the text, whose columns are decided. */
Status table_encode(Encoded *encoded, Table *table, Error *error);
void encoded_free(Encoded *encoded);

#endif
