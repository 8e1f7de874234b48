/* Newton's and L-BFGS' place with an L1 penalty: proximal L-BFGS. */
#ifndef SETOSA_OPTIM_PROXIMAL_H
#define SETOSA_OPTIM_PROXIMAL_H

#include "optim/optimizer.h"

/* Minimises F with objective->l1 above 0. The smooth part is seen as a quadratic, A (x) G of sampled rows corrected by the last steps; the
 * step that minimises it together with the penalty comes from coordinate descent on the host (descent.h), so that weights are exactly 0. J.
 * D. Lee, Y. Sun and M. A. Saunders, "Proximal Newton-type methods for minimizing composite functions" (SIAM J. Optim. 2014). */
Status proximal_minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error);

#endif
