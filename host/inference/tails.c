/* The normal tail is erfc of the C library. A chi-square with a whole number of degrees of freedom needs nothing beyond it: its tail is a
 * finite sum (Abramowitz and Stegun 26.4.4 and 26.4.5). */
#include "inference/tails.h"

#include <math.h>

double normal_two_sided(double z) { return erfc(fabs(z) / sqrt(2)); }

/* Newton's method on log P(|Z| >= z), which is concave and nearly a parabola, so that it comes from any start and does not overshoot. */
double normal_interval(double confidence) {
  double outside = 1 - confidence, z = 1;
  for (int i = 0; i < 60; i++) {
    double tail = normal_two_sided(z), density = sqrt(2 / M_PI) * exp(-z * z / 2);
    double step = tail / density * log(tail / outside);
    z += step;
    if (z < 0) z = 0;
    if (fabs(step) <= 1e-15 * z) break;
  }
  return z;
}

/* x/2 = h. Even: sum over i < df/2 of e^-h h^i / i!. Odd: erfc(sqrt h) + sum over i <= (df-1)/2 of e^-h h^(i-1/2) / Gamma(i+1/2). Every
 * term is positive; each is made by its logarithm, since e^-h alone may be 0. */
double chi_square_tail(double x, uint64_t df) {
  if (df == 0 || isnan(x)) return NAN;
  if (x <= 0) return 1;
  double h = x / 2, odd = df % 2 == 1 ? 0.5 : 0, sum = odd > 0 ? erfc(sqrt(h)) : 0;
  for (uint64_t i = 0; i < df / 2; i++) {
    double power = (double)i + odd;
    sum += exp(power * log(h) - h - lgamma(power + 1));
  }
  return sum < 1 ? sum : 1;
}
