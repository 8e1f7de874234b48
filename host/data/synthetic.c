/* The generator. Rows are made 16 at a time, feature-major inside, so that every loop runs over 16 rows side by side and vectorises;
 * blocks begin at any row, since a row's numbers do not depend on its neighbours. No libm and no contraction: see synthetic.h. */
#include "data/synthetic.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

enum { LANES = 16 };

/* Counter layout (high, low): features (pair of features, row); zeros of sparse data (2^31 + quad of features, row); labels (0, row);
 * weights (class, 2^32 + index) with the choice of features below (class, step). */
static const uint32_t SPARSE_COUNTERS = 0x80000000u;

/* 1 / standard deviation of a sum of four independent uniform integers 0..65535, whose variance is (2^32 - 1) / 3. */
static const float UNIT = 0x1.bb67aep-16f;

struct Synthetic {
  SyntheticSpec spec;
  size_t used;          /* features with a weight in each class: min(D, 32) */
  uint32_t *chosen;     /* (K,used) ascending */
  float *weights;       /* (K,used) */
  uint32_t noise_below; /* a label is replaced when its word is below; 2^32 is given by always_noise */
  bool always_noise;
  uint32_t zero_below; /* a feature is zero when its word is below */
  float *features;     /* (D,LANES) scratch */
  float *sums;         /* (K,LANES) scratch: logits, then running sums of exponentials */
};

/* Philox4x32-10 of LANES counters (low = row + lane, high): random_words() side by side; a test holds them equal. */
static void philox_lanes(uint64_t seed, RandomStream stream, uint32_t high, uint64_t row, uint32_t words[4][LANES]) {
  uint32_t c0[LANES], c1[LANES], c2[LANES], c3[LANES];
  uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
  for (size_t i = 0; i < LANES; i++) {
    c0[i] = (uint32_t)(row + i);
    c1[i] = (uint32_t)((row + i) >> 32);
    c2[i] = high;
    c3[i] = (uint32_t)stream;
  }
  for (int round = 0; round < 10; round++) {
    for (size_t i = 0; i < LANES; i++) {
      uint64_t a = (uint64_t)0xD2511F53u * c0[i], b = (uint64_t)0xCD9E8D57u * c2[i];
      uint32_t next0 = (uint32_t)(b >> 32) ^ c1[i] ^ k0, next2 = (uint32_t)(a >> 32) ^ c3[i] ^ k1;
      c1[i] = (uint32_t)b;
      c3[i] = (uint32_t)a;
      c0[i] = next0;
      c2[i] = next2;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  memcpy(words[0], c0, sizeof c0);
  memcpy(words[1], c1, sizeof c1);
  memcpy(words[2], c2, sizeof c2);
  memcpy(words[3], c3, sizeof c3);
}

/* Irwin-Hall: four 16-bit uniforms, centred, variance 1. Exact in integers, then one rounding. */
static float bell(uint32_t a, uint32_t b) {
  int32_t sum = (int32_t)((a & 0xFFFFu) + (a >> 16) + (b & 0xFFFFu) + (b >> 16)) - 131070;
  return (float)sum * UNIT;
}

static int compare_indices(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return (left > right) - (left < right);
}

/* `used` different features of D for one class (R. W. Floyd's sampling; J. Bentley, "A sample of brilliance", 1987). */
static void choose_features(uint32_t *chosen, size_t used, uint64_t features, uint64_t seed, uint64_t class_index) {
  for (size_t i = 0; i < used; i++) {
    uint64_t top = features - used + i;
    uint32_t pick = used == features ? (uint32_t)i : (uint32_t)random_below(seed, RANDOM_STREAM_WEIGHTS, class_index, i, top + 1);
    for (size_t j = 0; j < i; j++)
      if (chosen[j] == pick) {
        pick = (uint32_t)top;
        break;
      }
    chosen[i] = pick;
  }
  qsort(chosen, used, sizeof *chosen, compare_indices);
}

/* A probability as a bound on 32-bit words. */
static uint32_t threshold(double probability) {
  double bound = floor(probability * 0x1p32);
  return bound >= 0x1p32 ? UINT32_MAX : (uint32_t)bound;
}

Status synthetic_create(Synthetic **out, const SyntheticSpec *spec, Error *error) {
  Status status = SETOSA_OK;
  Synthetic *synthetic = NULL;
  size_t count = 0;
  *out = NULL;
  TRY(memory_allocate_zero((void **)&synthetic, 1, sizeof *synthetic, "synthetic data", error));
  synthetic->spec = *spec;
  synthetic->used = spec->features < SYNTHETIC_USED ? (size_t)spec->features : SYNTHETIC_USED;
  synthetic->noise_below = threshold(spec->noise);
  synthetic->always_noise = spec->noise >= 1;
  synthetic->zero_below = threshold(spec->sparsity);
  TRY(memory_multiply(&count, (size_t)spec->classes, synthetic->used, "synthetic", error));
  TRY(memory_allocate((void **)&synthetic->chosen, count, sizeof *synthetic->chosen, "synthetic data", error));
  TRY(memory_allocate((void **)&synthetic->weights, count, sizeof *synthetic->weights, "synthetic data", error));
  TRY(memory_allocate((void **)&synthetic->features, (size_t)spec->features * LANES, sizeof(float), "synthetic data", error));
  TRY(memory_allocate((void **)&synthetic->sums, (size_t)spec->classes * LANES, sizeof(float), "synthetic data", error));
  float factor = (float)(spec->separation / sqrt((double)synthetic->used)); /* sqrt is correctly rounded in IEEE arithmetic */
  for (size_t k = 0; k < spec->classes; k++) {
    choose_features(synthetic->chosen + k * synthetic->used, synthetic->used, spec->features, spec->seed, k);
    for (size_t i = 0; i < synthetic->used; i++) {
      uint32_t words[4];
      random_words(spec->seed, RANDOM_STREAM_WEIGHTS, k, ((uint64_t)1 << 32) + i, words);
      synthetic->weights[k * synthetic->used + i] = bell(words[0], words[1]) * factor;
    }
  }
  *out = synthetic;
  synthetic = NULL;
cleanup:
  synthetic_destroy(synthetic);
  return status;
}

void synthetic_destroy(Synthetic *synthetic) {
  if (synthetic == NULL) return;
  free(synthetic->chosen);
  free(synthetic->weights);
  free(synthetic->features);
  free(synthetic->sums);
  free(synthetic);
}

SyntheticParts synthetic_parts(const Synthetic *synthetic) {
  return (SyntheticParts){.spec = synthetic->spec,
                          .used = synthetic->used,
                          .chosen = synthetic->chosen,
                          .weights = synthetic->weights,
                          .noise_below = synthetic->noise_below,
                          .always_noise = synthetic->always_noise,
                          .zero_below = synthetic->zero_below};
}

/* exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln 2 / 2, exp(r) by its Taylor polynomial of degree 7 (next term below 6e-9). */
static inline float exp_by_mul_add(float x) {
  float clamped = x < -80.0f ? -80.0f : x;
  int32_t n = (int32_t)(clamped * 0x1.715476p+0f - 0.5f);
  float whole = (float)n;
  float r = (clamped - whole * 0x1.62ep-1f) - whole * 0x1.0bfbe8p-15f; /* ln 2 in two parts: the first product is exact */
  float p = 0x1.a01a02p-13f;
  p = p * r + 0x1.6c16c2p-10f;
  p = p * r + 0x1.111112p-7f;
  p = p * r + 0x1.555556p-5f;
  p = p * r + 0x1.555556p-3f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  uint32_t bits = (uint32_t)(n + 127) << 23;
  float power;
  memcpy(&power, &bits, sizeof power);
  float value = p * power;
  return x < -80.0f ? 0.0f : value;
}

float synthetic_exp(float x) { return exp_by_mul_add(x); }

/* features[d][lane] of LANES rows from `row` on. */
static void fill_features(Synthetic *s, uint64_t row) {
  uint64_t features = s->spec.features;
  uint32_t words[4][LANES];
  for (uint64_t d = 0; d < features; d += 2) {
    philox_lanes(s->spec.seed, RANDOM_STREAM_FEATURES, (uint32_t)(d / 2), row, words);
    float *even = s->features + d * LANES;
    for (size_t i = 0; i < LANES; i++) even[i] = bell(words[0][i], words[1][i]);
    if (d + 1 == features) break;
    for (size_t i = 0; i < LANES; i++) even[LANES + i] = bell(words[2][i], words[3][i]);
  }
  if (s->spec.sparsity <= 0) return;
  for (uint64_t d = 0; d < features; d++) {
    if (d % 4 == 0) philox_lanes(s->spec.seed, RANDOM_STREAM_FEATURES, SPARSE_COUNTERS + (uint32_t)(d / 4), row, words);
    float *feature = s->features + d * LANES;
    for (size_t i = 0; i < LANES; i++) feature[i] = words[d % 4][i] < s->zero_below ? 0.0f : feature[i];
  }
}

/* sums[k][lane]: exp(z_0 - max) + ... + exp(z_k - max), with logits accumulated in ascending order of the features. */
static void fill_sums(Synthetic *s) {
  size_t classes = (size_t)s->spec.classes, used = s->used;
  float largest[LANES], total[LANES] = {0};
  for (size_t i = 0; i < LANES; i++) largest[i] = -INFINITY;
  for (size_t k = 0; k < classes; k++) {
    float z[LANES] = {0};
    for (size_t u = 0; u < used; u++) {
      const float *feature = s->features + (size_t)s->chosen[k * used + u] * LANES;
      float weight = s->weights[k * used + u];
      for (size_t i = 0; i < LANES; i++) z[i] += weight * feature[i];
    }
    for (size_t i = 0; i < LANES; i++) largest[i] = z[i] > largest[i] ? z[i] : largest[i];
    memcpy(s->sums + k * LANES, z, sizeof z);
  }
  for (size_t k = 0; k < classes; k++) {
    float *sum = s->sums + k * LANES;
    for (size_t i = 0; i < LANES; i++) {
      total[i] += exp_by_mul_add(sum[i] - largest[i]);
      sum[i] = total[i];
    }
  }
}

/* The inverse of the cumulative distribution at one uniform number, then the noise. */
static void draw_labels(const Synthetic *s, uint64_t row, size_t count, int32_t *labels) {
  uint32_t words[4][LANES], classes = (uint32_t)s->spec.classes;
  philox_lanes(s->spec.seed, RANDOM_STREAM_LABELS, 0, row, words);
  for (size_t i = 0; i < count; i++) {
    float target = (float)(words[0][i] >> 8) * 0x1p-24f * s->sums[(size_t)(classes - 1) * LANES + i];
    uint32_t low = 0, high = classes - 1; /* the first class whose running sum passes target */
    while (low < high) {
      uint32_t middle = low + (high - low) / 2;
      if (s->sums[(size_t)middle * LANES + i] > target)
        high = middle;
      else
        low = middle + 1;
    }
    bool noisy = s->always_noise || words[1][i] < s->noise_below;
    labels[i] = (int32_t)(noisy ? (uint32_t)((uint64_t)words[2][i] * classes >> 32) : low);
  }
}

void synthetic_fill(Synthetic *synthetic, uint64_t begin, size_t count, float *values, int32_t *labels) {
  size_t features = (size_t)synthetic->spec.features;
  for (size_t at = 0; at < count; at += LANES) {
    size_t rows = count - at < LANES ? count - at : LANES;
    fill_features(synthetic, begin + at);
    if (labels != NULL) fill_sums(synthetic);
    if (labels != NULL) draw_labels(synthetic, begin + at, rows, labels + at);
    for (size_t i = 0; i < rows; i++) {
      float *row = values + (at + i) * features;
      for (size_t d = 0; d < features; d++) row[d] = synthetic->features[d * LANES + i];
    }
  }
}
