/* Is the first record a header, and are its names usable? Private to the CSV reader. */
#ifndef SETOSA_DATA_CSV_HEADER_H
#define SETOSA_DATA_CSV_HEADER_H

#include "data/csv_columns.h"

/* True for text that is a 1-based column index rather than a name. */
bool csv_is_index(const char *text, uint64_t *index);
/* Decides columns->header from --header, from names among the options, or from what the first record looks like. */
Status csv_header_detect(CsvColumns *columns, const Reader *reader, const char *const *first, Error *error);
/* Takes the names over; empty ones become columnN. Duplicates and text that is not UTF-8 are SETOSA_ERROR_DATA. */
Status csv_header_take(CsvColumns *columns, const Reader *reader, const char *const *first, size_t line, Error *error);

#endif
