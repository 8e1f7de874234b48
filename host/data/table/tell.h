/* What there is to say of a table once it is read, as remarks of its data set. Private to host/data/table. */
#ifndef SETOSA_DATA_TABLE_TELL_H
#define SETOSA_DATA_TABLE_TELL_H

#include "data/table/encode.h"

/* "'Age' 177, 'Fare' 1": the columns whose count (count) is not 0, the most first, five at most. */
Status table_list_counts(Text *list, const Table *table, const uint64_t *counts, Error *error);
/* Rows that were left out, or filled in. */
Status table_remark_missing(const Encoded *encoded, const Table *table, Error *error);
/* Values that are none of their column's levels. */
Status table_remark_unseen(const Encoded *encoded, const Table *table, Error *error);
/* That rows are kept as their entries, and how many these are. */
Status table_remark_sparse(const Table *table, Error *error);
/* Columns that were shifted, are constant, or differ in scale. */
Status table_remark_numbers(Dataset *dataset, const Table *table, Error *error);

#endif
