/* Newton's step with the exact Hessian, which a few hundred parameters afford. */
#ifndef SETOSA_OPTIM_NEWTON_H
#define SETOSA_OPTIM_NEWTON_H

#include "compute/objective.h"

/* Parameters of which a Hessian is made: K - 1 classes, since softmax does not see what all have in common, with D + 1 each. */
static inline double newton_order(size_t features, size_t classes) { return ((double)classes - 1) * ((double)features + 1); }
/* Operations that one Hessian takes, its factors included. */
double newton_flops(size_t rows, size_t features, size_t classes);

#endif
