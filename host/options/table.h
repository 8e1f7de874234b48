/* The options of data, training and computing: a row each, and what is made from all rows at once. */
#ifndef SETOSA_OPTIONS_TABLE_H
#define SETOSA_OPTIONS_TABLE_H

#include "options/option.h"

/* The rows of SetosaDataOptions, SetosaTrainOptions and SetosaComputeOptions. */
const OptionRow *option_table(size_t *count);

/* The struct among `options` that the row is about; NULL for rows of data and of the program. */
const void *option_of_training(const OptionRow *row, const SetosaTrainOptions *options);
/* The row of training or computing whose setting has this name, or NULL. */
const OptionRow *option_find(const char *name);

/* Whether a training that began with `options` may go on with another value. */
bool option_may_differ(const OptionRow *row, const SetosaTrainOptions *options);
/* Whether solver and backend of `options` heed the row. */
bool option_means_something(const OptionRow *row, const SetosaTrainOptions *options);

/* SETOSA_ERROR_USAGE with one line for the first option out of its range, without effect, or at odds with another. Numbers that the solver
 * does not have are only looked at where their default means "without". usual: further defaults, of a command that has its own; NULL: none.
 * Where to compute is checked apart. */
Status options_check_training(const SetosaTrainOptions *options, const SetosaTrainOptions *usual, Error *error);
Status options_check_compute(const SetosaComputeOptions *options, Error *error);
/* Its part about tuning: a search whose result would not be used is refused. */
Status options_check_tuning(SetosaTuning tuning, bool reproducible, Error *error);

#endif
