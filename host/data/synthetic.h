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
  double sparsity;   /* probability that a feature is zero; with fields what they come to */
  uint64_t fields;   /* each row has one entry, 1, in each of so many fields of columns; 0: there are none */
} SyntheticSpec;

enum { SYNTHETIC_USED = 32 }; /* features with a weight in a class, at most */

typedef struct Synthetic Synthetic;

/* "synthetic:rows=1e6,features=64,..."; SETOSA_ERROR_USAGE for what makes no sense. */
Status synthetic_parse(SyntheticSpec *spec, const char *source, Error *error);
/* The true model of a spec, and scratch space (so one Synthetic serves one thread). */
Status synthetic_create(Synthetic **synthetic, const SyntheticSpec *spec, Error *error);
void synthetic_destroy(Synthetic *synthetic);
/* Rows begin..begin+count-1 into values (count,D) and labels (count), or values alone when labels is NULL. Sparse rows come with all their
 * zeros. */
void synthetic_fill(Synthetic *synthetic, uint64_t begin, size_t count, float *values, int32_t *labels);

/* ---- sparse rows: of a sparsity from 0.95 on, or with fields ------------------------------------------------------- */

/* Columns have power-law frequencies. Without fields a row has `entries` different columns, drawn with a density that falls like 1/(c +
 * c0), and values 0.1 to 1 of three digits, small ones more often. With fields it has one in each field, which is 1; the fields' columns
 * are spread over all. True weights are on the frequent columns alone. */
bool synthetic_spec_is_sparse(const SyntheticSpec *spec);
/* So many entries has every row; of a spec that is sparse. */
size_t synthetic_spec_entries(const SyntheticSpec *spec);
const SyntheticSpec *synthetic_spec(const Synthetic *synthetic);
/* The expectation of the square of an entry of sparse rows. */
double synthetic_entry_square(const Synthetic *synthetic);
/* Rows begin..begin+count-1: columns (count,entries), ascending in each row; values (count,entries) and labels (count). Each may be NULL:
 * not wanted. On all cores, which changes no bit. */
void synthetic_fill_sparse(Synthetic *synthetic, uint64_t begin, size_t count, uint32_t *columns, float *values, int32_t *labels);
/* The same on so many threads at most. */
void synthetic_fill_sparse_on(Synthetic *synthetic, uint64_t begin, size_t count, uint32_t *columns, float *values, int32_t *labels,
                              size_t threads);

/* ---- the true model ------------------------------------------------------------------------------------------------ */

/* Of each class there are synthetic_true_count weights that may be other than 0: number i of class k, and the feature that it is of. None
 * is of the same feature as another of the class but with the weight 0. */
size_t synthetic_true_count(const Synthetic *synthetic);
float synthetic_true_weight(const Synthetic *synthetic, size_t k, size_t i, uint32_t *feature);
/* What a device needs to make the same rows, which are dense. Arrays are borrowed from the Synthetic. */
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
