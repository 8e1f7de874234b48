/* What deciding on the roles of columns is made of. Private to host/data/table. */
#ifndef SETOSA_DATA_TABLE_ROLES_H
#define SETOSA_DATA_TABLE_ROLES_H

#include "data/table/survey.h"

/* ---- lookup.c ---------------------------------------------------------------------------------------------------- */

/* "did you mean X? its columns are a, b, ..." */
Status table_list_columns(const Table *table, const char *name, char *out, size_t size, Error *error);
/* The column of a number from 1, or TABLE_NONE. */
size_t table_find_number(const Table *table, const char *text);
/* The column that an option means: a name of the header, else a number from 1. SETOSA_ERROR_USAGE when there is none. */
Status table_resolve(const Table *table, const char *option, const char *text, size_t *column, Error *error);
/* SETOSA_ERROR_USAGE: a column cannot be both. */
Status table_two_roles(const char *column, const char *one, const char *other, Error *error);
/* How many columns a model takes its features from; 0: there is no model. */
size_t table_expected_count(const DataOptions *options);

/* ---- targets.c --------------------------------------------------------------------------------------------------- */

/* --weights: a column where there is one, else a file. A model's column of weights is none of its features; whoever evaluates the model
 * weighs rows by it, too. */
Status table_choose_weights(Table *table, Error *error);
/* --label, the model's, or the last column that is nothing else. */
Status table_choose_label(Table *table, const Survey *head, Error *error);
/* The first column without a name that counts rows, as pandas and R write an index. */
bool table_is_index(const Table *table, const Survey *head, size_t c);

#endif
