/* Metrics and Gram matrices of a backend against the reference: a part of compare.c. */
#ifndef SETOSA_JUDGE_COMPARE_METRICS_H
#define SETOSA_JUDGE_COMPARE_METRICS_H

#include "compute/backend.h"
#include "data/dataset.h"

/* A quantity as it is reported: how far it is off, and how far it may be. */
typedef struct Deviation {
  double error, tolerance;
} Deviation;

/* v and out are vectors of the two backends, v the same of both; outputs are overwritten. Of the forms that a preconditioner has, those
 * whose matrices are of a moderate size on this shape: relative in the Euclidean norm, the worst of them. */
typedef struct MetricSides {
  Backend *truth, *device;
  const Vector *truth_v, *device_v;
  Vector *truth_out, *device_out;
} MetricSides;
Status compare_metrics(Deviation *deviation, const MetricSides *sides, Error *error);

/* Gram matrices of some rows, centred and weighted; of very many features their diagonals. An element is relative to the root of the
 * product of the two squares of its line and column. */
Status compare_grams(Deviation *deviation, Backend *device, const Dataset *dataset, Error *error);
/* The diagonals that GramRequest.at asks for, which sparse rows have kernels of their own for; truth_w and device_w the same parameters. An
 * element is relative to the sum of what it is made of, x^2 and the square of the mean. */
Status compare_grams_at(double *worst, const MetricSides *sides, const Vector *truth_w, const Vector *device_w, Error *error);

#endif
