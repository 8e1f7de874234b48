/* With A1_k = mean of a_k u, A2_km = mean of a_k a_m u and A3_kmr likewise, the effect e_kj of column j on class k has the derivative
 *   de_kj/dphi_mc = [k = m] (phi_kj A1_k - sum_r phi_rj A2_kr)_c - (phi_kj + phi_mj) A2_km,c + 2 sum_r phi_rj A3_kmr,c
 *                 + [j = c] ([k = m] mean a_k - mean a_k a_m). */
#include "inference/effects.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

typedef struct Moments {
  const Fit *fit;
  const Sums *sums;
  double *second, *first; /* (K,K,line), (K,line) */
  double *slope;          /* (order) of an effect in phi */
} Moments;

static size_t sorted_triple(size_t k, size_t l, size_t m) {
  size_t high = k > l ? k : l, low = k > l ? l : k;
  if (m > high) return triple_number(m, high, low);
  return m > low ? triple_number(high, m, low) : triple_number(high, low, m);
}

static const double *third(const Moments *m, size_t k, size_t l, size_t r) {
  return m->sums->values + m->sums->moments + sorted_triple(k, l, r) * m->sums->line;
}

/* The probabilities of a row add up to 1. */
static void make_lower_moments(Moments *m) {
  size_t classes = m->fit->request.classes, line = m->sums->line;
  for (size_t k = 0; k < classes; k++)
    for (size_t l = 0; l < classes; l++)
      for (size_t d = 0; d < line; d++) {
        double sum = 0;
        for (size_t r = 0; r < classes; r++) sum += third(m, k, l, r)[d];
        m->second[(k * classes + l) * line + d] = sum;
      }
  for (size_t k = 0; k < classes; k++)
    for (size_t d = 0; d < line; d++) {
      double sum = 0;
      for (size_t l = 0; l < classes; l++) sum += m->second[(k * classes + l) * line + d];
      m->first[k * line + d] = sum;
    }
}

static void make_slope(Moments *m, size_t k, size_t j) {
  const Fit *fit = m->fit;
  size_t classes = fit->request.classes, width = fit->request.design->width, line = m->sums->line, one = fit->request.design->features;
  for (size_t a = 0; a < fit->order; a++) {
    size_t l = class_with(a / fit->kept_count, fit->request.base), c = fit->columns[a % fit->kept_count];
    const double *second = m->second + (k * classes + l) * line;
    double sum = -(fit->phi[k * width + j] + fit->phi[l * width + j]) * second[c];
    for (size_t r = 0; r < classes; r++) sum += 2 * fit->phi[r * width + j] * third(m, k, l, r)[c];
    if (k == l) {
      sum += fit->phi[k * width + j] * m->first[k * line + c];
      for (size_t r = 0; r < classes; r++) sum -= fit->phi[r * width + j] * m->second[(k * classes + r) * line + c];
    }
    if (j == c) sum += (k == l ? m->first[k * line + one] : 0) - second[one];
    m->slope[a] = sum / fit->total_weight;
  }
}

static double variance(const double *slope, const double *covariance, size_t order) {
  double sum = 0;
  for (size_t a = 0; a < order; a++) {
    double row = 0;
    for (size_t b = 0; b < order; b++) row += covariance[a * order + b] * slope[b];
    sum += slope[a] * row;
  }
  return sum;
}

Status effects_make(const Fit *fit, const Sums *sums, const double *covariance, double *values, double *errors, Error *error) {
  Status status = SETOSA_OK;
  size_t classes = fit->request.classes, width = fit->request.design->width, features = fit->request.design->features;
  size_t line = sums->line;
  Moments m = {.fit = fit, .sums = sums};
  TRY(memory_allocate((void **)&m.second, classes * classes * line, sizeof *m.second, "marginal effects", error));
  TRY(memory_allocate((void **)&m.first, classes * line, sizeof *m.first, "marginal effects", error));
  TRY(memory_allocate((void **)&m.slope, fit->order, sizeof *m.slope, "marginal effects", error));
  make_lower_moments(&m);
  for (size_t k = 0; k < classes; k++)
    for (size_t j = 0; j < features; j++) {
      double sum = fit->phi[k * width + j] * m.first[k * line + features];
      values[k * features + j] = errors[k * features + j] = NAN;
      if (!fit->kept[j]) continue;
      for (size_t l = 0; l < classes; l++) sum -= fit->phi[l * width + j] * m.second[(k * classes + l) * line + features];
      make_slope(&m, k, j);
      values[k * features + j] = sum / fit->total_weight;
      errors[k * features + j] = sqrt(variance(m.slope, covariance, fit->order));
    }
cleanup:
  free(m.second);
  free(m.first);
  free(m.slope);
  return status;
}
