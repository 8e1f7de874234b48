/* Rows taken at random, with the probabilities of the classes there. What is taken depends on the seed and the numbers of the rows alone.
 */
#ifndef SETOSA_OPTIM_SAMPLE_H
#define SETOSA_OPTIM_SAMPLE_H

#include "compute/backend.h"

typedef struct Sample {
  Backend *backend; /* borrowed */
  uint64_t seed, draw;
  size_t count;         /* rows */
  uint64_t *rows;       /* (count) ascending */
  float *probabilities; /* (count,K) */
} Sample;

/* About `wanted` rows, in runs of some dozens of neighbours; all where that is most of them. draw (below 2^31) tells samples of one seed
 * apart. Zero-initialise, so that close may be called after a failure. */
Status sample_open(Sample *sample, Backend *backend, const Vector *w, size_t wanted, uint64_t seed, uint64_t draw, Error *error);
void sample_close(Sample *sample);

/* a = p (1 - p) of class k in row i of the sample. */
double sample_spread(const Sample *sample, size_t i, size_t k);

/* Of rows with a_i = p_ik (1 - p_ik) for class k, about `wanted` are chosen, row i with probability pi_i = min(1, c a_i) (Poisson sampling
 * by importance), and rows and weights (count of the sample) get them with a_i / (pi_i count): the sum over those chosen of weight times
 * anything is an unbiased estimate of the mean of a_i times it over the sample. Where as many are wanted as it has, all with a_i above 0
 * are chosen. Returns how many there are. */
size_t sample_important(const Sample *sample, size_t class_index, size_t wanted, uint64_t *rows, double *weights);

#endif
