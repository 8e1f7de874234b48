/* Measures one row of the table. */
#ifndef SETOSA_BENCH_MEASURE_H
#define SETOSA_BENCH_MEASURE_H

#include "bench/row.h"

/* Fills *result, whatever happens: what cannot be opened is skipped, what is wrong or breaks is failed. Returns SETOSA_INTERRUPTED when
 * the caller wants no more (then *result is not to be used), SETOSA_OK otherwise. */
Status row_measure(const Row *row, SetosaBenchResult *result, Error *error);

#endif
