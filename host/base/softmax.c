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
