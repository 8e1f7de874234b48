/* Relative errors, and parameters that show them. */
#include "compute/tolerance.h"

#include "base/random.h"

double compare_relative(double actual, double expected) {
  if (!isfinite(actual)) return INFINITY;
  return fabs(actual - expected) / fmax(fabs(expected), DBL_MIN);
}

double compare_relative_norm(const double *actual, const double *expected, size_t count) {
  double difference = 0, size = 0;
  for (size_t i = 0; i < count; i++) {
    if (!isfinite(actual[i])) return INFINITY;
    difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
    size += expected[i] * expected[i];
  }
  return sqrt(difference) / fmax(sqrt(size), 1e-30);
}

void compare_fill_vectors(const Dataset *dataset, double logit_size, double *w, double *v) {
  DataShape shape = dataset_shape(dataset);
  size_t sampled = shape.rows < 1000 ? shape.rows : 1000, parameters = shape.classes * (shape.features + 1);
  double square = dataset_square_sum(dataset, (RowRange){0, sampled}), size = sqrt(square / (double)sampled) + 1e-6; /* typical ||x|| */
  for (size_t i = 0; i < parameters; i++) {
    double unit = i < shape.classes * shape.features ? sqrt(3) / size : 1; /* uniform in [-1,1) has deviation 1/sqrt(3) */
    w[i] = (float)(logit_size * unit * random_symmetric(7, RANDOM_STREAM_CHECK, 0, i));
    if (v != NULL) v[i] = (float)(unit * random_symmetric(7, RANDOM_STREAM_CHECK, 1, i));
  }
}
