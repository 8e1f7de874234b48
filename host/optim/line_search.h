/* Search for a good step along a descent direction, on a line whose points cost no read of X (objective_line_evaluate). */
#ifndef SETOSA_OPTIM_LINE_SEARCH_H
#define SETOSA_OPTIM_LINE_SEARCH_H

#include "compute/objective.h"

/* phi(step) = F(w + step * s), and its slope there. */
typedef struct LinePoint {
  double step, value, slope;
} LinePoint;

/* Differences of F below this part of |F| may be nothing but f32 rounding. */
#define LINE_NOISE 3e-7

/* Of a Newton or quasi-Newton step. One that is shortened below this part of its length has met nothing but rounding. */
#define SHORTEST_STEP 1e-6

/* Is p good enough, seen from the start (step 0)? Strong Wolfe conditions; or the approximate ones of Hager and Zhang ("A new conjugate
 * gradient method with guaranteed descent and an efficient line search", SIAM J. Optim. 2005) where values differ by noise only, so
 * that the slopes decide. */
bool line_accepts(LinePoint start, LinePoint p);

/* Looks for an acceptable point of the line from w along s. `start` holds F and its slope (< 0) at w, `rejected` a point tried already.
 * *found is the point to take; false in *success when no step lowers F by more than noise. */
Status line_search(Objective *objective, const Vector *w, const Vector *s, LinePoint start, LinePoint rejected, LinePoint *found,
                   bool *success, Error *error);

#endif
