/* Made-up data from a true softmax model. Every number depends on (spec, row, feature) only, through Philox counters, integer
 * operations and correctly rounded f32 mul and add: any chunk, thread or device gets the same bits (kernels/synthetic.cl makes them on a
 * device). */
#ifndef SETOSA_DATA_SYNTHETIC_H
#define SETOSA_DATA_SYNTHETIC_H

#include <stdbool.h>
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
/* Rows begin..begin+count-1 into values (count,D) and labels (count), or values alone when labels is NULL. */
void synthetic_fill(Synthetic *synthetic, uint64_t begin, size_t count, float *values, int32_t *labels);
/* What a device needs to make the same rows. Arrays are borrowed from the Synthetic. */
typedef struct SyntheticParts {
  SyntheticSpec spec;
  size_t used;            /* features with a weight in each class: min(D, SYNTHETIC_USED) */
  const uint32_t *chosen; /* (K,used): which they are, ascending */
  const float *weights;   /* (K,used) */
  uint32_t noise_below;   /* a label is replaced when its word is below this, or always */
  bool always_noise;
  uint32_t zero_below; /* a feature is zero when its word is below */
} SyntheticParts;
SyntheticParts synthetic_parts(const Synthetic *synthetic);

/* True for a source that names synthetic data ("synthetic", "synthetic:..."), false for a path. */
bool synthetic_is_source(const char *source);

/* The true weights, dense: *weights (K,D) with zeros where a class has none; there is no bias. free() it. */
Status synthetic_weights(float **weights, const Synthetic *synthetic, Error *error);
/* How near weights (K,D) of the features as generated (NULL factor), or of features times factor (D), come to the true W*. The mean over
 * the classes is taken from both first: softmax does not change when one vector is added to all classes. distance: ||W - W*|| / ||W*||;
 * cosine: the mean over the classes of the cosine between w_k and w*_k. NAN where W* (or all of W) is 0. */
Status synthetic_distance(double *distance, double *cosine, const Synthetic *synthetic, const float *weights, const double *factor,
                          Error *error);
/* exp(x) for x <= 0 by mul and add alone, relative error below 3e-7; 0 for x < -80 so that nothing is subnormal. */
float synthetic_exp(float x);

#endif
