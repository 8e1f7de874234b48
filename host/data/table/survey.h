/* What the values of each column are: counted over rows, in any number of parts, and joined in the order of the text. Private to host/data.
 */
#ifndef SETOSA_DATA_TABLE_SURVEY_H
#define SETOSA_DATA_TABLE_SURVEY_H

#include <math.h>

#include "data/moments.h"
#include "data/table/table.h"

/* Beyond so many different texts, or bytes of them, a column has too many to be a choice of names. */
enum { LEVELS_MOST = 1 << 20, LEVELS_MEGABYTES = 64 };

/* Where a value stands, and how it begins. */
typedef struct Place {
  const char *file; /* NULL: nowhere */
  uint64_t line;
  char text[QUOTE_SIZE]; /* quoted */
} Place;

/* Different texts, and how many rows have each. Beyond a limit they are not counted any more. */
typedef struct Levels {
  NameTable *names;
  uint64_t *counts;
  size_t capacity, bytes;
  bool too_many;
} Levels;

/* Remembers where field `column` of the record stands, unless a place is remembered already. */
void place_take(Place *place, const Records *records, size_t column);

typedef struct ColumnSurvey {
  uint64_t present, missing, numbers;
  bool fractions;                 /* a number is not whole */
  Moments moments;                /* of the numbers that were settled; */
  double reference, sum, squares; /* the rest: sums of their differences to the first of them, and of the squares of these */
  uint64_t unsettled;
  Place first_missing, first_word; /* a word is present and no number */
  Place not_utf8;                  /* the first level that is none */
  bool counts_rows;                /* whole numbers, each one more than the one before */
  double first, last;
  bool collects; /* numbers are levels, too; words always are */
  Levels levels;
} ColumnSurvey;

typedef struct Survey {
  ColumnSurvey *columns; /* (count) */
  size_t count;
  uint64_t rows;
} Survey;

/* How many different texts were seen; 0 as well where they are too many. */
static inline size_t levels_count(const Levels *levels) { return levels->names != NULL ? name_table_count(levels->names) : 0; }
/* At least nine in ten of its values are numbers. */
static inline bool column_is_nearly_numeric(const ColumnSurvey *column) { return column->numbers * 10 >= column->present * 9; }

/* Whole numbers in every row, each one more than the one before. */
static inline bool column_counts_rows(const ColumnSurvey *column) {
  return column->counts_rows && column->missing == 0 && column->numbers == column->present;
}

Status survey_create(Survey **survey, size_t count, Error *error);
void survey_destroy(Survey *survey);
/* As if nothing was seen; what is collected stays so. */
void survey_restart(Survey *survey);
/* One more row. */
Status survey_add(Survey *survey, const Table *table, const Records *records, Error *error);
/* One more number of a column, of which `present` knows already. */
static inline void survey_add_number(ColumnSurvey *column, double value) {
  if (column->numbers == 0) column->first = value;
  if (column->unsettled == 0) column->reference = column->moments.least = column->moments.most = value;
  bool whole = fabs(value) >= 0x1p52 || value == (double)(int64_t)value;
  column->counts_rows = column->numbers == 0 ? whole : column->counts_rows && value == column->last + 1;
  column->last = value;
  column->numbers++;
  column->fractions |= !whole;
  double difference = value - column->reference;
  column->unsettled++;
  column->sum += difference;
  column->squares += difference * difference;
  if (value < column->moments.least) column->moments.least = value;
  if (value > column->moments.most) column->moments.most = value;
}
/* Brings the moments of all rows so far together: before they are read, or joined. */
void survey_settle(Survey *survey);
/* `more` comes after what `survey` has seen. Both are settled. */
Status survey_join(Survey *survey, const Survey *more, Error *error);

/* The first rows of the head without its header, numbers among the levels. */
Status survey_head(Survey **survey, const Table *table, Error *error);
/* All of the text. Levels are of words, and of numbers in the columns of `collects` (count). used (count): rows that lack a value in one of
 * these columns are not counted; NULL: all are. */
Status survey_text(Survey **survey, Table *table, const bool *collects, const bool *used, Error *error);

/* The text of a level: 1.0 and 1e0 are 1. Points to the field's own text or to room. */
enum { LEVEL_ROOM = 32 };
Field level_text(Field field, char room[LEVEL_ROOM]);

#endif
