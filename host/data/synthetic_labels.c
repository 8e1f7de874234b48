/* Labels of synthetic rows, drawn from the softmax of their logits, LANES rows side by side. */
#include <math.h>
#include <string.h>

#include "data/synthetic_inside.h"

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

/* sums[k][lane]: logits become exp(z_0 - max) + ... + exp(z_k - max). */
static void sum_exponentials(float *sums, size_t classes) {
  float largest[LANES], total[LANES] = {0};
  for (size_t i = 0; i < LANES; i++) largest[i] = -INFINITY;
  for (size_t k = 0; k < classes; k++)
    for (size_t i = 0; i < LANES; i++) largest[i] = sums[k * LANES + i] > largest[i] ? sums[k * LANES + i] : largest[i];
  for (size_t k = 0; k < classes; k++) {
    float *sum = sums + k * LANES;
    for (size_t i = 0; i < LANES; i++) {
      total[i] += exp_by_mul_add(sum[i] - largest[i]);
      sum[i] = total[i];
    }
  }
}

/* The inverse of the cumulative distribution at one uniform number, then the noise. */
void synthetic_draw_labels(const SyntheticSpec *spec, uint32_t noise_below, float *sums, uint64_t row, size_t count, int32_t *labels) {
  uint32_t words[4][LANES], classes = (uint32_t)spec->classes;
  sum_exponentials(sums, (size_t)spec->classes);
  words_of_rows(spec->seed, RANDOM_STREAM_LABELS, 0, row, words);
  for (size_t i = 0; i < count; i++) {
    float target = (float)(words[0][i] >> 8) * 0x1p-24f * sums[(size_t)(classes - 1) * LANES + i];
    uint32_t low = 0, high = classes - 1; /* the first class whose running sum passes target */
    while (low < high) {
      uint32_t middle = low + (high - low) / 2;
      if (sums[(size_t)middle * LANES + i] > target)
        high = middle;
      else
        low = middle + 1;
    }
    bool noisy = spec->noise >= 1 || words[1][i] < noise_below;
    labels[i] = (int32_t)(noisy ? (uint32_t)((uint64_t)words[2][i] * classes >> 32) : low);
  }
}
