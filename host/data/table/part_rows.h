/* The rows of one part of the text, while they are made on some thread. Private to host/data/table. */
#ifndef SETOSA_DATA_TABLE_PART_ROWS_H
#define SETOSA_DATA_TABLE_PART_ROWS_H

#include "data/table/survey.h"

/* What a column of features has made of a record: of sparse rows, one entry, or none where the value is 0. */
typedef struct FeatureValue {
  uint32_t feature;
  float value;
} FeatureValue;

/* What one part becomes. */
typedef struct PartRows {
  Records records;
  float *values; /* (rows,D), or (entries) */
  size_t rows, value_capacity;
  float *row;         /* of the record at hand, among the values; NULL: rows are sparse, and */
  FeatureValue *made; /* (order_count) is what its columns have made so far */
  uint32_t *columns;  /* (entries) */
  uint32_t *lengths;  /* (rows) entries of each */
  size_t entries, column_capacity, length_capacity;
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
/* One more row, all of whose features are 0 as yet. */
Status part_rows_begin_row(PartRows *part, const Table *table, Error *error);
/* A column makes the value of its feature, or of the feature of a level. */
static inline void part_rows_put(PartRows *part, const TableColumn *column, size_t level, float value) {
  if (part->row != NULL)
    part->row[column->feature + level] = value;
  else
    part->made[column->place] = (FeatureValue){(uint32_t)(column->feature + level), value};
}
/* All columns have made what they make of it. */
Status part_rows_end_row(PartRows *part, const Table *table, Error *error);
/* The label of the record, for the row that is made. */
Status part_rows_label(PartRows *part, const Table *table, Error *error);

#endif
