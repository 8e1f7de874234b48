/* Softmax, loss and their derivatives on class-major blocks of logits, BLAS_LANES rows at a time: every inner loop runs over lanes
 * and has a fixed length, which compilers turn into vector code. Sums over classes are carried in double. Formulas: kernels/README.md. */
#include "compute/blas/rows.h"

#include <math.h>
#include <string.h>

#include "base/clones.h"

#define FOR_LANES(j) for (size_t j = 0; j < BLAS_LANES; j++)

/* exp(x) for x <= 0 within 2 units in the last place, 0 below -87 (where it is under 1e-37 of the largest term), NaN for NaN. libm's is
 * not vectorised without fast-math. x = n ln 2 + r, |r| <= ln 2 / 2; exp(r) by its series (error r^8 / 8! < 6e-9); 2^n into the exponent.
 */
static ALWAYS_INLINE float exp_of_nonpositive(float x) {
  const float round = 12582912.0f; /* 1.5 * 2^23: adding it leaves n in the low bits */
  float clamped = x < -87.0f ? -87.0f : x;
  float shifted = clamped * 1.44269504f + round;
  float n = shifted - round;
  float r = (clamped - n * 0.693359375f) + n * 2.12194440e-4f; /* ln 2 in two parts, the first exact in 9 bits */
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * (r * r) + r + 1.0f;
  uint32_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits << 23) + 0x3F800000u; /* the bits of `round` itself leave at the top */
  float power;
  memcpy(&power, &bits, sizeof power);
  return x < -87.0f ? 0.0f : p * power;
}

static ALWAYS_INLINE void largest_of(const float *z, size_t stride, size_t classes, float m[BLAS_LANES]) {
  FOR_LANES(j) m[j] = z[j];
  for (size_t k = 1; k < classes; k++) FOR_LANES(j) m[j] = z[k * stride + j] > m[j] ? z[k * stride + j] : m[j];
}

/* The weight of lane j of a strip that begins at `weights`. */
static ALWAYS_INLINE double lane_weight(const float *weights, size_t j) { return weights != NULL ? (double)weights[j] : 1.0; }

/* Weighted sum of log(total_j) - distance_j over the first `rows` lanes, total = other + exp(distance) in [1, K]. Without weights one
 * logarithm of the product of all: 32 factors of at most 2^31 fit a double. Where losses are tiny, log1p keeps what adding 1 would have
 * rounded away. */
static ALWAYS_INLINE double sum_losses(const double other[BLAS_LANES], const double total[BLAS_LANES], const float distance[BLAS_LANES],
                                       const float *weights, size_t rows) {
  double product = 1.0, distances = 0.0, tiny = 0.0, sum = 0.0;
  for (size_t j = 0; weights != NULL && j < rows; j++)
    sum += (double)weights[j] * (distance[j] == 0.0f ? log1p(other[j]) : log(total[j]) - (double)distance[j]);
  if (weights != NULL) return sum;
  for (size_t j = 0; j < rows; j++) {
    product *= total[j];
    distances += (double)distance[j];
  }
  if (product - 1.0 > 1e-6 || distances != 0.0) return log(product) - distances;
  for (size_t j = 0; j < rows; j++) tiny += log1p(other[j]);
  return tiny;
}

/* Up to BLAS_LANES rows. */
static ALWAYS_INLINE double residual_strip(float *z, size_t stride, size_t classes, BlasTargets targets, size_t rows, float scale) {
  const int32_t *labels = targets.labels;
  float m[BLAS_LANES], distance[BLAS_LANES] = {0}, factor[BLAS_LANES];
  double other[BLAS_LANES] = {0}, total[BLAS_LANES];
  largest_of(z, stride, classes, m);
  for (size_t j = 0; j < rows; j++) {
    float *target = z + (size_t)labels[j] * stride + j;
    distance[j] = *target - m[j];
    *target = -INFINITY; /* left out of `other`: a_y - 1 = -other / total has no cancellation */
  }
  for (size_t k = 0; k < classes; k++) {
    float *row = z + k * stride;
    FOR_LANES(j) {
      float e = exp_of_nonpositive(row[j] - m[j]);
      row[j] = e;
      other[j] += (double)e;
    }
  }
  FOR_LANES(j) {
    total[j] = other[j] + (double)exp_of_nonpositive(distance[j]);
    factor[j] = (float)((double)scale / total[j]);
  }
  for (size_t j = 0; targets.weights != NULL && j < rows; j++) factor[j] = (float)((double)scale * (double)targets.weights[j] / total[j]);
  for (size_t k = 0; k < classes; k++) FOR_LANES(j) z[k * stride + j] *= factor[j];
  for (size_t j = 0; j < rows; j++)
    z[(size_t)labels[j] * stride + j] = (float)(-other[j] / total[j] * (double)scale * lane_weight(targets.weights, j));
  return sum_losses(other, total, distance, targets.weights, rows);
}

/* The targets of rows from i on. */
static ALWAYS_INLINE BlasTargets targets_from(BlasTargets targets, size_t i) {
  return (BlasTargets){targets.labels + i, targets.weights != NULL ? targets.weights + i : NULL};
}

FOR_EACH_CPU double blas_rows_residuals(float *z, size_t stride, size_t classes, BlasTargets targets, size_t rows, float scale) {
  double loss = 0.0;
  for (size_t i = 0; i < rows; i += BLAS_LANES)
    loss += residual_strip(z + i, stride, classes, targets_from(targets, i), rows - i < BLAS_LANES ? rows - i : BLAS_LANES, scale);
  return loss;
}

FOR_EACH_CPU void blas_rows_probabilities(float *z, size_t stride, size_t classes, size_t rows) {
  for (size_t i = 0; i < rows; i += BLAS_LANES) {
    float m[BLAS_LANES];
    double total[BLAS_LANES] = {0};
    largest_of(z + i, stride, classes, m);
    for (size_t k = 0; k < classes; k++) {
      float *row = z + i + k * stride;
      FOR_LANES(j) {
        row[j] = exp_of_nonpositive(row[j] - m[j]);
        total[j] += (double)row[j];
      }
    }
    for (size_t k = 0; k < classes; k++) FOR_LANES(j) z[i + k * stride + j] = (float)((double)z[i + k * stride + j] / total[j]);
  }
}

FOR_EACH_CPU void blas_rows_hessian(float *z, float *q, size_t stride, size_t classes, const float *weights, size_t rows, float scale) {
  for (size_t i = 0; i < rows; i += BLAS_LANES) {
    float m[BLAS_LANES], factor[BLAS_LANES], center[BLAS_LANES];
    double total[BLAS_LANES] = {0}, mean[BLAS_LANES] = {0};
    largest_of(z + i, stride, classes, m);
    for (size_t k = 0; k < classes; k++) {
      float *row = z + i + k * stride;
      const float *direction = q + i + k * stride;
      FOR_LANES(j) {
        row[j] = exp_of_nonpositive(row[j] - m[j]);
        total[j] += (double)row[j];
        mean[j] += (double)row[j] * (double)direction[j];
      }
    }
    FOR_LANES(j) {
      center[j] = (float)(mean[j] / total[j]);
      factor[j] = (float)((double)scale / total[j]);
    }
    for (size_t j = 0; weights != NULL && j < BLAS_LANES && i + j < rows; j++)
      factor[j] = (float)((double)scale * (double)weights[i + j] / total[j]);
    for (size_t k = 0; k < classes; k++) {
      float *direction = q + i + k * stride;
      FOR_LANES(j) direction[j] = z[i + k * stride + j] * factor[j] * (direction[j] - center[j]);
    }
  }
}

/* Up to BLAS_LANES rows of a line: as residual_strip, with z + t s for z and nothing written. */
static ALWAYS_INLINE double line_strip(const float *z, const float *s, size_t stride, size_t classes, BlasTargets targets, size_t rows,
                                       float t, double *slope) {
  const int32_t *labels = targets.labels;
  float m[BLAS_LANES], distance[BLAS_LANES] = {0}, target_slope[BLAS_LANES] = {0};
  int32_t label[BLAS_LANES] = {0};
  double other[BLAS_LANES] = {0}, total[BLAS_LANES], change[BLAS_LANES] = {0};
  FOR_LANES(j) m[j] = z[j] + t * s[j];
  for (size_t k = 1; k < classes; k++) FOR_LANES(j) {
      float at = z[k * stride + j] + t * s[k * stride + j];
      m[j] = at > m[j] ? at : m[j];
    }
  for (size_t j = 0; j < rows; j++) {
    size_t target = (size_t)labels[j] * stride + j;
    label[j] = labels[j];
    distance[j] = (z[target] + t * s[target]) - m[j];
    target_slope[j] = s[target];
  }
  for (size_t k = 0; k < classes; k++) {
    FOR_LANES(j) {
      float direction = s[k * stride + j], e = exp_of_nonpositive(z[k * stride + j] + t * direction - m[j]);
      e = label[j] == (int32_t)k ? 0.0f : e;
      other[j] += (double)e;
      change[j] += (double)e * (double)(direction - target_slope[j]); /* sum a_k (s_k - s_y): exactly 0 at k = y */
    }
  }
  FOR_LANES(j) total[j] = other[j] + (double)exp_of_nonpositive(distance[j]);
  for (size_t j = 0; j < rows; j++) *slope += lane_weight(targets.weights, j) * change[j] / total[j];
  return sum_losses(other, total, distance, targets.weights, rows);
}

FOR_EACH_CPU double blas_rows_line(const float *z, const float *s, size_t stride, size_t classes, BlasTargets targets, size_t rows, float t,
                                   double *slope) {
  double loss = 0.0;
  for (size_t i = 0; i < rows; i += BLAS_LANES)
    loss += line_strip(z + i, s + i, stride, classes, targets_from(targets, i), rows - i < BLAS_LANES ? rows - i : BLAS_LANES, t, slope);
  return loss;
}
