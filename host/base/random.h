/* Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11) from Random123.
 * A number depends on (seed, stream, counter) only, so any chunk can be made by anyone in any order. */
#ifndef SETOSA_BASE_RANDOM_H
#define SETOSA_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* What the numbers are for: streams of one seed never overlap. */
typedef enum RandomStream {
  RANDOM_STREAM_FEATURES = 1,
  RANDOM_STREAM_LABELS,
  RANDOM_STREAM_WEIGHTS,
  RANDOM_STREAM_SHUFFLE,
  RANDOM_STREAM_BATCHES,
  RANDOM_STREAM_CHECK,
  RANDOM_STREAM_ROWS,   /* blocks of rows that a sample takes */
  RANDOM_STREAM_SAMPLE, /* rows of a sample */
  RANDOM_STREAM_FOLDS   /* of cross-validation */
} RandomStream;

/* Four words for counter (high, low) of a stream. high must stay below 2^32: its upper half holds the stream. */
void random_words(uint64_t seed, RandomStream stream, uint64_t high, uint64_t low, uint32_t words[4]);
/* Uniform in [0, bound), bound >= 1, unbiased up to 2^-64 (multiply-shift of 64 random bits). */
uint64_t random_below(uint64_t seed, RandomStream stream, uint64_t high, uint64_t low, uint64_t bound);
/* Uniform in [-1, 1), a multiple of 2^-31. */
double random_symmetric(uint64_t seed, RandomStream stream, uint64_t high, uint64_t low);
/* order (count): 0..count-1 permuted by Fisher-Yates; `high` tells permutations of one seed apart (an epoch, say). */
void random_permutation(uint64_t seed, RandomStream stream, uint64_t high, size_t count, size_t *order);

#endif
