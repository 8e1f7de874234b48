/* The step of proximal L-BFGS: coordinate descent on a quadratic model of the smooth part of F plus the L1 penalty. On the host, in double.
 */
#ifndef SETOSA_OPTIM_DESCENT_H
#define SETOSA_OPTIM_DESCENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* minimise over d:  <g, d> + 1/2 d' B d + l1 sum over weights of |w + d|
 *   B = gamma A (x) G + l2 on the weights - U M U',   or with a block of G for every class in the place of A (x) G
 * Vectors are laid out as everywhere: weights (K,D), then bias (K). The low rank part is that of BFGS in its compact form (Byrd, Nocedal
 * and Schnabel, "Representations of quasi-Newton matrices and their use in limited memory methods", 1994). */
typedef struct DescentModel {
  size_t classes, features;
  const double *a;        /* A (K,K), symmetric */
  const double *g;        /* G (D+1,D+1) symmetric, or K of them, in the place of A (x) G blocks; NULL: diagonal */
  const double *diagonal; /* (D+1) of G, or K of them */
  bool blocks;            /* a matrix for each class; then A is the identity */
  double gamma, l1, l2;
  size_t rank;      /* columns of U */
  const double *u;  /* U (P,rank) row-major */
  const double *um; /* U M (P,rank) */
  bool intercept;   /* false: the bias does not move */
} DescentModel;

/* d (P) from gradient (P) and w (P). It ends when no coordinate moves further than `tight` of the furthest move of the first sweep, or
 * after `sweeps`; between sweeps over all, those look at coordinates alone whose weight is not 0. */
Status descent_solve(const DescentModel *model, const double *gradient, const double *w, double tight, size_t sweeps, double *d,
                     Error *error);

#endif
