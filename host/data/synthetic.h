/* Made-up data from a true softmax model. Every number depends on (spec, row, feature) only, through Philox counters, integer
 * operations and correctly rounded f32 mul and add: any chunk, thread or device gets the same bits. Private to host/data. */
#ifndef SETOSA_DATA_SYNTHETIC_H
#define SETOSA_DATA_SYNTHETIC_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct SyntheticSpec {
  uint64_t rows, features, classes, seed;
  double noise;      /* probability that a label is replaced by one of all classes, evenly */
  double separation; /* standard deviation of the logits */
  double sparsity;   /* probability that a feature is zero */
} SyntheticSpec;

enum { SYNTHETIC_USED = 32 }; /* features with a weight in a class, at most */

typedef struct Synthetic Synthetic;

/* "synthetic:rows=1e6,features=64,..."; SETOSA_ERROR_USAGE for what makes no sense. */
Status synthetic_parse(SyntheticSpec *spec, const char *source, Error *error);
/* The true model of a spec, and scratch space (so one Synthetic serves one thread). */
Status synthetic_create(Synthetic **synthetic, const SyntheticSpec *spec, Error *error);
void synthetic_destroy(Synthetic *synthetic);
/* Rows begin..begin+count-1 into values (count,D) and labels (count). */
void synthetic_fill(Synthetic *synthetic, uint64_t begin, size_t count, float *values, int32_t *labels);
/* exp(x) for x <= 0 by mul and add alone, relative error below 3e-7; 0 for x < -80 so that nothing is subnormal. */
float synthetic_exp(float x);

#endif
