/* Columns that follow from others. */
#ifndef SETOSA_INFERENCE_COLLINEAR_H
#define SETOSA_INFERENCE_COLLINEAR_H

#include "inference/fit.h"

/* Leaves out of the fit each column that is a sum of multiples of those before it (the intercept comes first), as far as f32 can tell: 1 -
 * R^2 below COLLINEAR. Its parameters go over to the others, so that the scores of all rows stay. Sets fit->kept and fit->follows. */
Status collinear_leave_out(Fit *fit, const Sums *sums, Error *error);
/* Appends why a column was left out. */
Status collinear_reason(Text *text, const Fit *fit, size_t column, Error *error);

#endif
