/* Robust covariances. */
#ifndef SETOSA_INFERENCE_SANDWICH_H
#define SETOSA_INFERENCE_SANDWICH_H

#include "inference/fit.h"

/* out (order,order) = C M C with the fit's covariance C and the sums' meat M. */
Status sandwich_make(const Fit *fit, const Sums *sums, double *out, Error *error);

#endif
