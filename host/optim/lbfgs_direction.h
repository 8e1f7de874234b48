/* The L-BFGS direction from inner products alone. */
#ifndef SETOSA_OPTIM_LBFGS_DIRECTION_H
#define SETOSA_OPTIM_LBFGS_DIRECTION_H

#include <stddef.h>

/* Inner products of the basis: steps s, changes of the gradient y and z = H0 y (by slot, `slots` of them), the gradient g and h = H0 g,
 * where H0 is the first guess of the inverse Hessian; without one it is the identity, z is y and h is g. */
typedef struct LbfgsProducts {
  size_t slots;
  double *sy;      /* (slots,slots): s_i . y_j */
  double *yz;      /* (slots,slots): y_i . z_j, symmetric */
  double *sg, *zg; /* (slots): s_i . g, z_i . g */
  double gh;
} LbfgsProducts;

/* direction = -H g as a combination of the basis: sum s[i] s_i + sum z[i] z_i + h * (H0 g). `order` (pairs) lists the slots in use, oldest
 * first; s and z (slots) are set to 0 elsewhere. Returns the slope <direction, g>. */
typedef struct LbfgsCoefficients {
  double *s, *z; /* (slots) */
  double h;
} LbfgsCoefficients;
double lbfgs_direction(const LbfgsProducts *products, size_t pairs, const size_t *order, LbfgsCoefficients *out);

#endif
