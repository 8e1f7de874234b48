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
/* Nothing, NA, N/A, NaN, null, ... or one of --na. */
bool field_is_missing(const Field *field, const MissingWords *missing);

#endif
