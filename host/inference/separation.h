/* Classes that columns separate: then the likelihood grows for ever along some direction, and there is no estimate. */
#ifndef SETOSA_INFERENCE_SEPARATION_H
#define SETOSA_INFERENCE_SEPARATION_H

#include "inference/fit.h"

/* SETOSA_ERROR_DATA naming classes and columns, when the values of one column in some classes lie at or below a number, and in all other
 * classes at or above it: the likelihood grows with the coefficient of the column in the latter. Exact, from the ranges of the first read.
 */
Status separation_by_columns(const Fit *fit, const Sums *sums, Error *error);
/* The same for a combination of columns, fit->direction: when along it no row's class loses to another. A read of the rows. (Newton steps
 * turn to such a direction when there is one.) */
Status separation_by_direction(Fit *fit, Error *error);

#endif
