/* The rows of one part of the text, while they are made on some thread. Private to host/data/table. */
#ifndef SETOSA_DATA_TABLE_PART_ROWS_H
#define SETOSA_DATA_TABLE_PART_ROWS_H

#include "data/table/survey.h"

/* What one part becomes. */
typedef struct PartRows {
  Records records;
  float *values; /* (rows,D) */
  size_t rows, value_capacity;
  NameTable *names;     /* labels as they are written */
  uint64_t *name_lines; /* (names) where each comes first */
  size_t name_capacity;
  int32_t *labels; /* (rows) index of its name, or -1 */
  size_t label_capacity;
  float *weights; /* (rows) */
  size_t weight_capacity;
  uint64_t records_count;
  SourceRows left_out; /* records of the part */
  Ids ids;
  uint64_t *missing, *unseen; /* (count) */
  Place *first_unseen;        /* (count) */
  Survey *survey;             /* where the columns are only guessed; else NULL */
  bool refuted;               /* a field is not as was guessed */
} PartRows;

Status part_rows_create(PartRows **part, const Table *table, Error *error);
void part_rows_destroy(PartRows *part);
/* Empties it for another part. */
Status part_rows_restart(PartRows *part, const Table *table, Error *error);
/* The record at hand becomes a row, or is left out. */
Status part_rows_encode(PartRows *part, const Table *table, Error *error);
/* guess.c: the same where every feature is guessed to be a number that is not missing; counts what it sees. */
Status part_rows_encode_guess(PartRows *part, const Table *table, Error *error);
/* Room for one more row; NULL and an error when memory is short. */
float *part_rows_room(PartRows *part, const Table *table, Error *error);
/* The label of the record, for the row that is made. */
Status part_rows_label(PartRows *part, const Table *table, Error *error);

#endif
