/* Average marginal effects. */
#ifndef SETOSA_INFERENCE_EFFECTS_H
#define SETOSA_INFERENCE_EFFECTS_H

#include "inference/fit.h"

enum { EFFECTS_CLASSES_MOST = 100 }; /* its sums are K^3 D / 6 numbers */

/* values, errors (K,D): the mean over the rows of da_k/du_d = a_k (phi_kd - sum_m a_m phi_md), and its standard error by the delta method
 * with covariance (order,order) of the fit's parameters. NAN for columns that are left out. sums: with the moments. */
Status effects_make(const Fit *fit, const Sums *sums, const double *covariance, double *values, double *errors, Error *error);

#endif
