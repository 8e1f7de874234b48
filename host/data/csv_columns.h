/* Which fields of a CSV record are features, which are the label and the weight: decided once, from the first record and the options.
 * Private. */
#ifndef SETOSA_DATA_CSV_COLUMNS_H
#define SETOSA_DATA_CSV_COLUMNS_H

#include "data/reader.h"

/* Roles other than a feature index. */
#define CSV_SKIP SIZE_MAX
#define CSV_LABEL (SIZE_MAX - 1)
#define CSV_WEIGHT (SIZE_MAX - 2)
#define CSV_NONE SIZE_MAX

/* Zero-initialise. */
typedef struct CsvColumns {
  size_t count; /* fields of every record */
  bool header;  /* the first record names the columns */
  char **names; /* (count) with a header, else NULL */
  size_t features;
  size_t label;    /* column of the label, or CSV_NONE */
  size_t weight;   /* column of the weights, or CSV_NONE */
  size_t *roles;   /* (count) feature index, CSV_LABEL, CSV_WEIGHT or CSV_SKIP */
  size_t *sources; /* (features) column of a feature */
} CsvColumns;

/* first (count): the fields of the first record, at `line` of the file. */
Status csv_columns_decide(CsvColumns *columns, const Reader *reader, const char *const *first, size_t count, size_t line, Error *error);
void csv_columns_free(CsvColumns *columns);
/* "" or " (column NAME)" for messages. */
void csv_columns_describe(const CsvColumns *columns, size_t column, char *out, size_t size);
/* Words people write for a missing value: NA, null, ?, ... */
bool csv_is_missing(const char *text, size_t length);
/* nan, inf, -Infinity, ...: numbers that are not finite. */
bool csv_is_not_finite(const char *text, size_t length);
enum { CSV_REMEDY = 160 };
/* What to do about a field that is no number but was meant as one, with a decimal comma say; NULL when it is none of these. */
const char *csv_number_remedy(char room[CSV_REMEDY], const char *text, size_t length);

#endif
