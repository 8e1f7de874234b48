/* Softmax and cross-entropy of a row. */
#include "base/softmax.h"

#include <math.h>

double softmax_row(double *z, size_t classes, size_t label) {
  size_t top = 0;
  for (size_t k = 1; k < classes; k++)
    if (z[k] > z[top]) top = k;
  double largest = z[top], chosen = z[label], others = 0.0;
  for (size_t k = 0; k < classes; k++) {
    z[k] = exp(z[k] - largest);
    if (k != top) others += z[k];
  }
  for (size_t k = 0; k < classes; k++) z[k] /= 1.0 + others;
  return (largest - chosen) + log1p(others);
}

double softmax_spread(const float *p, size_t classes, size_t k) {
  double own = (double)p[k], others = 1 - own;
  if (own < 0.5) return own * others;
  others = 0;
  for (size_t c = 0; c < classes; c++) others += c != k ? (double)p[c] : 0;
  return own * others;
}
