/* Which fields stand for a missing value. Private to host/data. */
#ifndef SETOSA_DATA_TABLE_MISSING_H
#define SETOSA_DATA_TABLE_MISSING_H

#include "data/table/records.h"

/* The words of --na beside those that always count. Zero-initialise. */
typedef struct MissingWords {
  char **words; /* (count) */
  size_t count;
} MissingWords;

/* list: comma-separated, or NULL. */
Status missing_words_take(MissingWords *missing, const char *list, Error *error);
void missing_words_free(MissingWords *missing);
/* One of the words that always count, or of --na. */
bool field_is_missing_word(const Field *field, const MissingWords *missing);
/* Nothing, NA, N/A, NaN, null, ... or one of --na. Most fields begin as numbers do, and none of the words does. */
static inline bool field_is_missing(const Field *field, const MissingWords *missing) {
  if (field->length == 0) return true;
  char first = field->text[0];
  if (missing->count == 0 && ((first >= '0' && first <= '9') || first == '-' || field->length > 4)) return false;
  return field_is_missing_word(field, missing);
}

#endif
