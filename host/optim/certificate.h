/* How far above the optimum a point can be at most. */
#ifndef SETOSA_OPTIM_CERTIFICATE_H
#define SETOSA_OPTIM_CERTIFICATE_H

#include "compute/objective.h"

/* F is strongly convex in the weights, with l2: where the derivatives by the bias are 0, F - F* <= ||dF/dW||^2 / (2 l2). The bias of w (P)
 * is first brought to where they are as good as 0, which lowers F; what is left of them counts with the curvature of the bias. *at is F at
 * the new w, *gap the bound, NAN without l2. Some 2 passes, and a sample of the rows by the seed. */
Status certificate_find(Objective *objective, Vector *w, uint64_t seed, Evaluation *at, double *gap, Error *error);

/* The same of F with l1: the duality gap. The residuals p - y, shrunk until no derivative by a weight is above l1, are a dual point, and by
 * the concavity of the entropy its value is at least the shrunk mean entropy of the probabilities, which is L - <dL/dw, w>; with l2 they
 * need not shrink (see kernels/README.md). What is left of the derivatives by the bias counts as in the other. One pass. */
Status certificate_of_l1(Objective *objective, const Vector *w, uint64_t seed, Evaluation *at, double *gap, Error *error);

#endif
