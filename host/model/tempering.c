/* Temperature scaling: sums over rows, and a safeguarded Newton in one dimension. */
#include "model/tempering.h"

#include <math.h>

/* Logits relative to that of the label, so that nothing of a mean near it is lost. */
static void add_row(Tempering *at, double *u, size_t classes, const float *logits, size_t label, double weight) {
  double top = 0, plain = 0, others = 0, first = 0, second = 0, variance = 0;
  for (size_t k = 0; k < classes; k++) {
    u[k] = (double)logits[k] - (double)logits[label];
    plain += u[k];
    if (u[k] > top) top = u[k];
  }
  for (size_t k = 0; k < classes; k++) {
    double e = exp(at->inverse * (u[k] - top));
    others += e;
    first += e * u[k];
  }
  double mean = first / others;
  for (size_t k = 0; k < classes; k++) {
    double e = exp(at->inverse * (u[k] - top));
    second += e * (u[k] - mean) * (u[k] - mean);
  }
  variance = second / others;
  compensated_add(&at->loss, weight * (at->inverse * top + log(others)));
  compensated_add(&at->slope, weight * mean);
  compensated_add(&at->curvature, weight * variance);
  compensated_add(&at->flat, weight * plain / (double)classes);
  compensated_add(&at->sharp, weight * top);
  at->weight += weight;
}

void tempering_add(Tempering *at, size_t classes, size_t count, const float *logits, const int32_t *labels, const float *weights,
                   double *room) {
  for (size_t i = 0; i < count; i++)
    if (weights == NULL || weights[i] > 0)
      add_row(at, room, classes, logits + i * classes, (size_t)labels[i], weights != NULL ? (double)weights[i] : 1);
}

double tempering_mean(const Tempering *at, const CompensatedSum *sum) { return (sum->high + sum->low) / at->weight; }

void tempering_begin(TemperingSearch *search) { *search = (TemperingSearch){.low = 0, .high = INFINITY, .next = 1}; }

void tempering_step(TemperingSearch *search, const Tempering *at) {
  static const double EXACT = 1e-10, FAR = 8; /* Newton's error is squared by a step: 1e-10 becomes nothing */
  double here = search->next, slope = tempering_mean(at, &at->slope), curvature = tempering_mean(at, &at->curvature);
  if (slope > 0)
    search->high = here;
  else
    search->low = here;
  double step = here - slope / curvature;
  bool newton = step > search->low && step < search->high && step < FAR * here; /* not of NaN, where the curvature is 0 */
  double halfway = search->low > 0 ? sqrt(search->low) * sqrt(search->high) : search->high / FAR;
  search->next = newton ? step : isinf(search->high) ? FAR * here : halfway;
  search->found = slope == 0 || (newton && fabs(step - here) <= EXACT * here) || search->high <= search->low * (1 + EXACT);
  if (slope == 0) search->next = here;
}
