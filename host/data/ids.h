/* Columns of a table that are no features and are carried along as text, a text for each row of the source. Private to host/data. */
#ifndef SETOSA_DATA_IDS_H
#define SETOSA_DATA_IDS_H

#include "base/text.h"

/* Zero-initialise. */
typedef struct Ids {
  char **names; /* (columns) */
  size_t columns;
  Text texts;     /* terminated, row after row, column after column */
  uint64_t *ends; /* (count) where each text ends in texts, after its zero */
  size_t count, capacity;
} Ids;

/* names (columns) are copied. */
Status ids_begin(Ids *ids, const char *const *names, size_t columns, Error *error);
/* The next text, in the order of rows and then of columns. */
Status ids_add(Ids *ids, const char *text, size_t length, Error *error);
/* NULL for a row or column that there is not. */
const char *ids_get(const Ids *ids, size_t column, uint64_t row);
void ids_free(Ids *ids);

#endif
