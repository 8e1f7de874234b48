/* The L-BFGS direction from inner products alone. */
#ifndef SETOSA_OPTIM_LBFGS_DIRECTION_H
#define SETOSA_OPTIM_LBFGS_DIRECTION_H

#include <stddef.h>

/* Inner products of the basis: steps s, changes of the gradient y (both by slot, `slots` of them) and the gradient g. */
typedef struct LbfgsProducts {
  size_t slots;
  double *sy;      /* (slots,slots): s_i . y_j */
  double *yy;      /* (slots,slots): y_i . y_j, symmetric */
  double *sg, *yg; /* (slots): s_i . g, y_i . g */
  double gg;
} LbfgsProducts;

/* direction = -H g as a combination of the basis: sum s[i] s_i + sum y[i] y_i + g * (gradient). `order` (pairs) lists the slots in
 * use, oldest first; s and y (slots) are set to 0 elsewhere. Returns the slope <direction, g>. */
typedef struct LbfgsCoefficients {
  double *s, *y; /* (slots) */
  double g;
} LbfgsCoefficients;
double lbfgs_direction(const LbfgsProducts *products, size_t pairs, const size_t *order, LbfgsCoefficients *out);

#endif
