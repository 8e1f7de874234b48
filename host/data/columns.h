/* What the columns of a table were when its rows were read, so that other rows can be read alike: which columns are features, their kinds
 * and levels, and what becomes of missing values and of levels that are new. A data set knows its own, a model those that it was trained
 * on, and its file keeps them as JSON. Nothing of it is changed once it is made; users share it. */
#ifndef SETOSA_DATA_COLUMNS_H
#define SETOSA_DATA_COLUMNS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

typedef enum ColumnKind {
  COLUMN_NUMERIC,    /* one feature: the value */
  COLUMN_CATEGORICAL /* a feature for each level: 1 where the value is that level, else 0 */
} ColumnKind;

/* A column that features are made of. */
typedef struct Column {
  char *name;    /* NULL where the table had no header: it is then found by its number */
  size_t number; /* from 0, in the table that was read first */
  ColumnKind kind;
  char **levels; /* categorical: (level_count) in byte order */
  size_t level_count;
  double shift; /* numeric: rows hold x - shift, see kernels/README.md; 0: none */
  double mean;  /* numeric: of the rows that were read first, what --missing mean puts in; NAN: not known */
} Column;

struct SetosaColumns {
  atomic_size_t users;
  Column *columns; /* (count) in the order of their features */
  size_t count;
  size_t label; /* number of the label's column, from 1, for tables without a header; 0: there was none */
  char **ids;   /* (id_count) names of the columns that are carried along, or their numbers from 1 */
  size_t id_count;
  SetosaMissing missing;
  SetosaUnseen unseen;
  char *na, *separator, *decimal; /* as they were given (SetosaDataOptions), or NULL */
};
typedef struct SetosaColumns Columns;

/* Room for `count` columns, all zero. One user. */
Status columns_create(Columns **columns, size_t count, Error *error);
/* One more user. NULL stays NULL. */
Columns *columns_share(const Columns *columns);
void columns_release(Columns *columns);
/* How many features it makes: one for a numeric column, as many as it has levels for another; and all of them. */
static inline size_t column_features(const Column *column) { return column->kind == COLUMN_CATEGORICAL ? column->level_count : 1; }
size_t columns_features(const Columns *columns);
/* Appends the name of a feature: that of a numeric column, COLUMN=LEVEL of a level. Columns without names are called by their number. */
Status column_feature_name(Text *name, const Column *column, size_t level, Error *error);
/* One JSON object, as it stands in the metadata "columns" of a model file: all texts are UTF-8, as readers see to. free(*text). */
Status columns_to_json(char **text, const Columns *columns, Error *error);
/* Back from it. SETOSA_ERROR_DATA, beginning with `path`, for a text that is not one of ours: it trusts nothing in it. */
Status columns_from_json(Columns **columns, const char *text, const char *path, Error *error);

#endif
