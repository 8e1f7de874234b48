/* What rows count where that changes (Backend.reweigh), for the backends whose weights lie on the host. */
#ifndef SETOSA_COMPUTE_REWEIGH_H
#define SETOSA_COMPUTE_REWEIGH_H

#include "compute/settings.h"

/* weights (N): as the data set has them, 1 each where it has none; free() it. NULL, and nothing is done, unless settings->reweighs. */
Status reweigh_open(float **weights, const Dataset *dataset, const BackendSettings *settings, Error *error);
/* weights (N) = those of the data set times factors (N; NULL: 1 each), and their mean. SETOSA_ERROR_INTERNAL when the backend was not
 * opened for it, SETOSA_ERROR_DATA when all would be 0. */
Status reweigh_rows(float *weights, double *mean, const Dataset *dataset, const float *factors, Error *error);

#endif
