/* How far f32 arithmetic may be from the double reference, and the parameters to compare with: shared by the tuner, the self-test, `setosa
 * check` and the verification of `setosa bench`. Every tolerance is c * n * eps of the quantity's own rounding; there are no others. */
#ifndef SETOSA_COMPUTE_TOLERANCE_H
#define SETOSA_COMPUTE_TOLERANCE_H

#include <float.h>
#include <math.h>

#include "data/dataset.h"

/* Rounding of one logit of size |z|: D products of f32, each within eps/2, err about as a random walk (c n eps with n = sqrt(D)). */
static inline double compare_logit_rounding(size_t features, double logit_size) {
  return 0.25 * FLT_EPSILON * (2 + sqrt((double)features)) * (1 + logit_size);
}

/* Relative, of a mean loss over `rows` rows: the rows' roundings average out, up to what they share. */
static inline double compare_loss_tolerance(double rounding, size_t rows, double loss) {
  double averaging = sqrt(rows < 64 ? (double)rows : 64.0);
  return (FLT_EPSILON + 2 * rounding / averaging) / fmin(1, loss);
}

/* Relative in the Euclidean norm, of a gradient and of a Hessian product; absolute, of the worst of many probabilities. */
static inline double compare_gradient_tolerance(double rounding) { return 4 * rounding; }
static inline double compare_hessian_tolerance(double rounding) { return 8 * rounding; }
static inline double compare_scores_tolerance(double rounding) { return 4 * rounding; }

/* |actual - expected| / |expected|; INFINITY when actual is not finite. */
double compare_relative(double actual, double expected);
/* ||actual - expected|| / ||expected||, Euclidean; INFINITY when anything is not finite. */
double compare_relative_norm(const double *actual, const double *expected, size_t count);
/* w (P) such that logits are of size logit_size whatever the features' scale, v (P) such that it moves them by order 1; both exactly
 * representable in f32, so that both sides of a comparison start from the same numbers. v may be NULL. */
void compare_fill_vectors(const Dataset *dataset, double logit_size, double *w, double *v);

#endif
