/* Columns that are shifted before they are rounded to f32, so that their digits survive: years, timestamps, coordinates, 1e6 + x.
 *
 * Rows hold r = x - s. With a free bias that is the same model, since w . x + b = w . r + (b + w . s), and no penalty is on the bias: W is
 * the same, and so is the objective. A column is shifted when its mean is more than eight deviations from 0, by a short number near that
 * mean, so that x - s is exact in double. The derivation is in kernels/README.md, "Shifted columns". */
#ifndef SETOSA_DATA_SHIFT_H
#define SETOSA_DATA_SHIFT_H

#include "data/dataset.h"
#include "data/moments.h"

/* The shift of a column of numbers with this mean, population deviation, least and greatest value; 0: none. */
double shift_choose(double mean, double deviation, double least, double most);
/* Exactly start + sign * sum of w[d] * shift[d] in order of d, rounded about once (sign 1 or -1). shift NULL: start. */
double shift_bias(double start, const float *w, double sign, const double *shift, size_t features);

/* ---- of a data set ------------------------------------------------------------------------------------------------ */

/* Sets the shift where one of the columns, of these moments (D), needs one, with remarks on them. The rows are yet to be filled in. */
Status shift_take(Dataset *dataset, const Moments *moments, Error *error);
Status shift_copy(double **out, const double *shift, size_t features, Error *error);
/* Rows hold what they hold, and from now on that is x. */
void shift_drop(Dataset *dataset);

#endif
