/* Which columns the entries of sparse synthetic rows are of: power laws, fields, and a set that sorts. Private to the generator. */
#ifndef SETOSA_DATA_SYNTHETIC_COLUMNS_H
#define SETOSA_DATA_SYNTHETIC_COLUMNS_H

#include "data/synthetic_inside.h"

/* Numbers 0..count-1, number c with a probability that is proportional to 1 / (first + c). No table: the sum first + c is drawn evenly from
 * an octave [first 2^j, first 2^(j+1)), all of which have the same weight, and kept with the probability first 2^j / (first + c). */
typedef struct PowerLaw {
  uint64_t first;
  uint64_t octaves; /* whole ones, and of the next */
  uint64_t rest;    /* so much, in units of 2^-32 */
} PowerLaw;

/* A set of columns that gives them back in their order. Bit c % 64 of word c / 64 of the lowest level says whether c is in it; a bit of a
 * higher level, whether a word of the lower one is not 0. */
enum { COLUMN_LEVELS = 3 };
typedef struct ColumnSet {
  uint64_t *level[COLUMN_LEVELS];
  size_t words; /* of the highest level */
} ColumnSet;

Status column_set_create(ColumnSet *set, uint64_t features, Error *error);
void column_set_free(ColumnSet *set);
static inline uint64_t column_set_bytes(uint64_t features) { return features / 8 + features / 512; }

/* What columns rows have. */
typedef struct ColumnLaw {
  uint64_t seed, features;
  size_t entries;  /* of a row */
  size_t fields;   /* 0: the columns are one, from the most frequent on */
  PowerLaw *laws;  /* (max(fields,1)) */
  uint64_t *begin; /* (fields + 1) the columns of each before they are mixed, from its most frequent on */
  uint64_t factor; /* column c of a field goes to c * factor mod features, a permutation */
} ColumnLaw;

Status column_law_create(ColumnLaw *law, const SyntheticSpec *spec, Error *error);
void column_law_free(ColumnLaw *law);
/* columns (entries) of a row, ascending, and with fields ranks (fields): how many columns of each are more frequent than its entry's. The
 * set is empty before and after. */
void column_law_draw(const ColumnLaw *law, ColumnSet *set, uint64_t row, uint32_t *columns, uint32_t *ranks);
/* The column of a rank of a field, or of a rank where there are no fields. */
static inline uint32_t column_law_place(const ColumnLaw *law, size_t field, uint64_t rank) {
  return (uint32_t)(law->fields > 0 ? (law->begin[field] + rank) * law->factor % law->features : rank);
}
static inline uint64_t column_law_size(const ColumnLaw *law, size_t field) {
  return law->fields > 0 ? law->begin[field + 1] - law->begin[field] : law->features;
}

#endif
