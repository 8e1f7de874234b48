/* Counters of the features' stream (high, row): attempts at columns (attempt / 2, row), two words each. */
#include "data/synthetic_columns.h"

#include <stdlib.h>

#include "base/memory.h"

/* ---- a set ------------------------------------------------------------------------------------------------------- */

Status column_set_create(ColumnSet *set, uint64_t features, Error *error) {
  Status status = SETOSA_OK;
  size_t words = (size_t)features;
  *set = (ColumnSet){0};
  for (size_t l = 0; l < COLUMN_LEVELS; l++) {
    words = (words + 63) / 64;
    TRY(memory_allocate_zero((void **)&set->level[l], words, sizeof *set->level[l], "a set of columns", error));
  }
  set->words = words;
cleanup:
  if (status != SETOSA_OK) column_set_free(set);
  return status;
}

void column_set_free(ColumnSet *set) {
  for (size_t l = 0; l < COLUMN_LEVELS; l++) free(set->level[l]);
  *set = (ColumnSet){0};
}

/* False when it was there before. */
static inline bool add_column(ColumnSet *set, uint64_t column) {
  uint64_t bit = (uint64_t)1 << column % 64;
  if ((set->level[0][column / 64] & bit) != 0) return false;
  for (size_t l = 0; l < COLUMN_LEVELS; l++, column /= 64) set->level[l][column / 64] |= (uint64_t)1 << column % 64;
  return true;
}

/* The number of the lowest bit of a word of a level, which is taken out. */
static inline size_t take_bit(uint64_t *word, size_t at) {
  size_t bit = (size_t)__builtin_ctzll(*word);
  *word &= *word - 1;
  return at * 64 + bit;
}

/* Empties the set into columns, in ascending order. */
static void drain(ColumnSet *set, uint32_t *columns) {
  for (size_t w2 = 0; w2 < set->words; w2++)
    while (set->level[2][w2] != 0) {
      size_t w1 = take_bit(&set->level[2][w2], w2);
      while (set->level[1][w1] != 0) {
        size_t w0 = take_bit(&set->level[1][w1], w1);
        while (set->level[0][w0] != 0) *columns++ = (uint32_t)take_bit(&set->level[0][w0], w0);
      }
    }
}

/* ---- power laws -------------------------------------------------------------------------------------------------- */

static PowerLaw power_law(uint64_t first, uint64_t count) {
  PowerLaw law = {.first = first};
  uint64_t end = first + count;
  while (first << (law.octaves + 1) <= end) law.octaves++;
  uint64_t begin = first << law.octaves;
  law.rest = ((end - begin) << 32) / begin; /* below 2^32, since end - begin is below begin */
  return law;
}

/* The words of one row, two for each attempt. */
typedef struct Attempts {
  uint64_t seed, row;
  uint32_t block; /* the counter after those that words are of */
  size_t at;      /* the next attempt in words */
  uint32_t words[4][LANES];
} Attempts;

static uint64_t draw_number(const PowerLaw *law, Attempts *attempts) {
  for (;;) {
    if (attempts->at == 2 * LANES) {
      words_of_row(attempts->seed, RANDOM_STREAM_FEATURES, attempts->block, attempts->row, attempts->words);
      attempts->block += LANES;
      attempts->at = 0;
    }
    size_t lane = attempts->at / 2, pair = attempts->at % 2 * 2;
    uint64_t where = attempts->words[pair][lane], chance = attempts->words[pair + 1][lane];
    attempts->at++;
    uint64_t place = where * law->octaves + (where * law->rest >> 32); /* octave and, in the lower half, where in it */
    uint64_t begin = law->first << (place >> 32), sum = begin + ((uint32_t)place * begin >> 32);
    if (chance * sum < begin << 32) return sum - law->first;
  }
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* Sizes that fall like 1/f^2, each at least 2, and so that their sum is D: what rounding leaves is the first one's. */
static void cut_fields(uint64_t *begin, uint64_t features, size_t fields) {
  const uint64_t unit = (uint64_t)1 << 36; /* 2^26 columns times this are below 2^64 */
  uint64_t sum = 0, over = features - 2 * fields, given = 0;
  for (uint64_t f = 1; f <= fields; f++) sum += unit / (f * f);
  for (uint64_t f = 2; f <= fields; f++) given += over * (unit / (f * f)) / sum;
  begin[0] = 0;
  begin[1] = 2 + over - given;
  for (uint64_t f = 2; f <= fields; f++) begin[f] = begin[f - 1] + 2 + over * (unit / (f * f)) / sum;
}

/* About the golden section of D, which spreads neighbours evenly (D. E. Knuth, The Art of Computer Programming, volume 3, 6.4), and without
 * a common divisor. */
static uint64_t mixing_factor(uint64_t features) {
  uint64_t factor = (features * 0x9E3779B9u >> 32) + 1;
  for (;; factor++) {
    uint64_t a = factor, b = features;
    while (b != 0) {
      uint64_t rest = a % b;
      a = b;
      b = rest;
    }
    if (a == 1) return factor;
  }
}

Status column_law_create(ColumnLaw *law, const SyntheticSpec *spec, Error *error) {
  Status status = SETOSA_OK;
  size_t fields = (size_t)spec->fields;
  *law = (ColumnLaw){.seed = spec->seed, .features = spec->features, .entries = synthetic_spec_entries(spec), .fields = fields};
  TRY(memory_allocate((void **)&law->laws, fields > 0 ? fields : 1, sizeof *law->laws, "the frequencies of columns", error));
  TRY(memory_allocate((void **)&law->begin, fields + 1, sizeof *law->begin, "fields", error));
  law->laws[0] = power_law(1 + law->entries / 8, spec->features); /* the first column is in most rows, and not in all */
  if (fields > 0) cut_fields(law->begin, spec->features, fields);
  for (size_t f = 0; f < fields; f++) law->laws[f] = power_law(1, law->begin[f + 1] - law->begin[f]);
  law->factor = mixing_factor(spec->features);
cleanup:
  if (status != SETOSA_OK) column_law_free(law);
  return status;
}

void column_law_free(ColumnLaw *law) {
  free(law->laws);
  free(law->begin);
  *law = (ColumnLaw){0};
}

void column_law_draw(const ColumnLaw *law, ColumnSet *set, uint64_t row, uint32_t *columns, uint32_t *ranks) {
  Attempts attempts = {.seed = law->seed, .row = row, .at = 2 * LANES};
  for (size_t f = 0; f < law->fields; f++) {
    ranks[f] = (uint32_t)draw_number(&law->laws[f], &attempts);
    add_column(set, column_law_place(law, f, ranks[f]));
  }
  for (size_t drawn = 0; law->fields == 0 && drawn < law->entries;) drawn += add_column(set, draw_number(law->laws, &attempts));
  drain(set, columns);
}
