/* What dense and sparse synthetic rows have in common: words side by side, numbers made of them, labels drawn from logits. Private to the
 * generator (synthetic*.c). */
#ifndef SETOSA_DATA_SYNTHETIC_INSIDE_H
#define SETOSA_DATA_SYNTHETIC_INSIDE_H

#include "base/random.h"
#include "data/synthetic.h"

enum { LANES = 16 }; /* what is made side by side, so that loops vectorise */

typedef struct SparseMaker SparseMaker;

struct Synthetic {
  SyntheticSpec spec;
  size_t used;          /* dense: features with a weight in each class, min(D, 32) */
  uint32_t *chosen;     /* (K,used) ascending */
  float *weights;       /* (K,used) */
  uint32_t noise_below; /* a label is replaced when its word is below; 2^32 is given by always_noise */
  bool always_noise;
  uint32_t zero_below; /* a feature is zero when its word is below */
  float *features;     /* (D,LANES) scratch */
  float *sums;         /* (K,LANES) scratch: logits, then running sums of exponentials */
  SparseMaker *sparse; /* of sparse rows, which have nothing of the above but spec and noise; NULL: they are dense */
};

/* Philox4x32-10 of LANES counters, in place: random_words() side by side; a test holds them equal. */
static inline void philox_lanes(uint64_t seed, uint32_t words[4][LANES]) {
  uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
  for (int round = 0; round < 10; round++) {
    for (size_t i = 0; i < LANES; i++) {
      uint64_t a = (uint64_t)0xD2511F53u * words[0][i], b = (uint64_t)0xCD9E8D57u * words[2][i];
      uint32_t next0 = (uint32_t)(b >> 32) ^ words[1][i] ^ k0, next2 = (uint32_t)(a >> 32) ^ words[3][i] ^ k1;
      words[1][i] = (uint32_t)b;
      words[3][i] = (uint32_t)a;
      words[0][i] = next0;
      words[2][i] = next2;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}

/* words[.][i] of counter (high, row + i). */
static inline void words_of_rows(uint64_t seed, RandomStream stream, uint32_t high, uint64_t row, uint32_t words[4][LANES]) {
  for (size_t i = 0; i < LANES; i++) {
    words[0][i] = (uint32_t)(row + i);
    words[1][i] = (uint32_t)((row + i) >> 32);
    words[2][i] = high;
    words[3][i] = (uint32_t)stream;
  }
  philox_lanes(seed, words);
}

/* words[.][i] of counter (high + i, row). */
static inline void words_of_row(uint64_t seed, RandomStream stream, uint32_t high, uint64_t row, uint32_t words[4][LANES]) {
  for (size_t i = 0; i < LANES; i++) {
    words[0][i] = (uint32_t)row;
    words[1][i] = (uint32_t)(row >> 32);
    words[2][i] = high + (uint32_t)i;
    words[3][i] = (uint32_t)stream;
  }
  philox_lanes(seed, words);
}

/* 1 / standard deviation of a sum of four independent uniform integers 0..65535, whose variance is (2^32 - 1) / 3. */
static const float UNIT = 0x1.bb67aep-16f;

/* Irwin-Hall: four 16-bit uniforms, centred, variance 1. Exact in integers, then one rounding. */
static inline float bell(uint32_t a, uint32_t b) {
  int32_t sum = (int32_t)((a & 0xFFFFu) + (a >> 16) + (b & 0xFFFFu) + (b >> 16)) - 131070;
  return (float)sum * UNIT;
}

/* The true weight number i of class k, before the separation. */
static inline float true_bell(uint64_t seed, uint64_t k, uint64_t i) {
  uint32_t words[4];
  random_words(seed, RANDOM_STREAM_WEIGHTS, k, ((uint64_t)1 << 32) + i, words);
  return bell(words[0], words[1]);
}

/* labels (count, LANES at most) of rows from `row` on, whose logits are sums (K,LANES), which are overwritten. synthetic_labels.c. */
void synthetic_draw_labels(const SyntheticSpec *spec, uint32_t noise_below, float *sums, uint64_t row, size_t count, int32_t *labels);

/* ---- synthetic_sparse.c ------------------------------------------------------------------------------------------ */

/* Into synthetic->sparse; with what there is of it on failure, too. */
Status sparse_maker_create(Synthetic *synthetic, Error *error);
void sparse_maker_destroy(SparseMaker *maker);
/* Rows with all their zeros, as synthetic_fill has them. */
void sparse_maker_expand(const Synthetic *synthetic, uint64_t begin, size_t count, float *values, int32_t *labels);
size_t sparse_maker_true_count(const SparseMaker *maker);
float sparse_maker_true_weight(const SparseMaker *maker, size_t classes, size_t k, size_t i, uint32_t *feature);
double sparse_maker_square(const SparseMaker *maker);

#endif
