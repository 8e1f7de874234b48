/* The mean log-loss of rows at an inverse temperature b, and its slopes: what a calibration looks for the minimum of.
 *   f(b) = sum_i s_i (logsumexp(b z_i) - b z_iy) / sum_i s_i,   f' = mean of E_p[z] - z_y,   f'' = mean of Var_p[z] >= 0
 * with p = softmax(b z_i): convex, so that where f'(0) < 0 < f'(infinity) there is one minimum (arXiv:1706.04599, section 4.2). */
#ifndef SETOSA_MODEL_TEMPERING_H
#define SETOSA_MODEL_TEMPERING_H

#include "base/error.h"
#include "base/sum.h"

/* Sums over the rows in their order. */
typedef struct Tempering {
  double inverse; /* b */
  double weight;
  CompensatedSum loss, slope, curvature; /* at b */
  CompensatedSum flat, sharp;            /* f'(0) and f'(infinity) */
} Tempering;

/* logits (count,K) and labels, weights (count) of more rows; weights NULL: 1 each. room (K). */
void tempering_add(Tempering *at, size_t classes, size_t count, const float *logits, const int32_t *labels, const float *weights,
                   double *room);
/* The mean of one of its sums. */
double tempering_mean(const Tempering *at, const CompensatedSum *sum);

/* The search for the minimum: Newton's steps, kept within what is known to hold it. */
typedef struct TemperingSearch {
  double low, high; /* b is between them; high INFINITY: not known yet */
  double next;      /* where to look */
  bool found;       /* next is the minimum */
} TemperingSearch;

void tempering_begin(TemperingSearch *search);
/* Learns from the sums at search->next. */
void tempering_step(TemperingSearch *search, const Tempering *at);

#endif
