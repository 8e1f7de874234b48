/* How far above the optimum a point can be at most. */
#ifndef SETOSA_OPTIM_CERTIFICATE_H
#define SETOSA_OPTIM_CERTIFICATE_H

#include "compute/objective.h"

/* F is strongly convex in the weights, with l2: where the derivatives by the bias are 0, F - F* <= ||dF/dW||^2 / (2 l2). The bias of w (P)
 * is first brought to where they are as good as 0, which lowers F; what is left of them counts with the curvature of the bias. *at is F at
 * the new w, *gap the bound, NAN without l2. Some 2 passes, and a sample of the rows by the seed. */
Status certificate_find(Objective *objective, Vector *w, uint64_t seed, Evaluation *at, double *gap, Error *error);

#endif
