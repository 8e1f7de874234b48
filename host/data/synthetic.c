/* The generator. Dense rows are made 16 at a time, feature-major inside, so that every loop runs over 16 rows side by side and vectorises;
 * blocks begin at any row, since a row's numbers do not depend on its neighbours. No libm and no contraction: see synthetic.h. Sparse rows
 * are made in synthetic_sparse.c. */
#include "data/synthetic.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/synthetic_inside.h"

/* Counter layout (high, low): features (pair of features, row); zeros of sparse data (2^31 + quad of features, row); labels (0, row);
 * weights (class, 2^32 + index) with the choice of features below (class, step). */
static const uint32_t SPARSE_COUNTERS = 0x80000000u;

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

/* Scratch and the true model of dense rows. */
static Status prepare_dense(Synthetic *synthetic, Error *error) {
  Status status = SETOSA_OK;
  const SyntheticSpec *spec = &synthetic->spec;
  size_t count = 0;
  synthetic->used = spec->features < SYNTHETIC_USED ? (size_t)spec->features : SYNTHETIC_USED;
  TRY(memory_multiply(&count, (size_t)spec->classes, synthetic->used, "synthetic", error));
  TRY(memory_allocate((void **)&synthetic->chosen, count, sizeof *synthetic->chosen, "synthetic data", error));
  TRY(memory_allocate((void **)&synthetic->weights, count, sizeof *synthetic->weights, "synthetic data", error));
  TRY(memory_allocate((void **)&synthetic->features, (size_t)spec->features * LANES, sizeof(float), "synthetic data", error));
  TRY(memory_allocate((void **)&synthetic->sums, (size_t)spec->classes * LANES, sizeof(float), "synthetic data", error));
  float factor = (float)(spec->separation / sqrt((double)synthetic->used)); /* sqrt is correctly rounded in IEEE arithmetic */
  for (size_t k = 0; k < spec->classes; k++) {
    choose_features(synthetic->chosen + k * synthetic->used, synthetic->used, spec->features, spec->seed, k);
    for (size_t i = 0; i < synthetic->used; i++) synthetic->weights[k * synthetic->used + i] = true_bell(spec->seed, k, i) * factor;
  }
cleanup:
  return status;
}

Status synthetic_create(Synthetic **out, const SyntheticSpec *spec, Error *error) {
  Status status = SETOSA_OK;
  Synthetic *synthetic = NULL;
  *out = NULL;
  TRY(memory_allocate_zero((void **)&synthetic, 1, sizeof *synthetic, "synthetic data", error));
  synthetic->spec = *spec;
  synthetic->noise_below = threshold(spec->noise);
  synthetic->always_noise = spec->noise >= 1;
  synthetic->zero_below = threshold(spec->sparsity);
  if (synthetic_spec_is_sparse(spec))
    TRY(sparse_maker_create(synthetic, error));
  else
    TRY(prepare_dense(synthetic, error));
  *out = synthetic;
  synthetic = NULL;
cleanup:
  synthetic_destroy(synthetic);
  return status;
}

void synthetic_destroy(Synthetic *synthetic) {
  if (synthetic == NULL) return;
  sparse_maker_destroy(synthetic->sparse);
  free(synthetic->chosen);
  free(synthetic->weights);
  free(synthetic->features);
  free(synthetic->sums);
  free(synthetic);
}

const SyntheticSpec *synthetic_spec(const Synthetic *synthetic) { return &synthetic->spec; }

double synthetic_entry_square(const Synthetic *synthetic) { return sparse_maker_square(synthetic->sparse); }

size_t synthetic_true_count(const Synthetic *synthetic) {
  return synthetic->sparse != NULL ? sparse_maker_true_count(synthetic->sparse) : synthetic->used;
}

float synthetic_true_weight(const Synthetic *synthetic, size_t k, size_t i, uint32_t *feature) {
  if (synthetic->sparse != NULL) return sparse_maker_true_weight(synthetic->sparse, (size_t)synthetic->spec.classes, k, i, feature);
  *feature = synthetic->chosen[k * synthetic->used + i];
  return synthetic->weights[k * synthetic->used + i];
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

/* features[d][lane] of LANES rows from `row` on. */
static void fill_features(Synthetic *s, uint64_t row) {
  uint64_t features = s->spec.features;
  uint32_t words[4][LANES];
  for (uint64_t d = 0; d < features; d += 2) {
    words_of_rows(s->spec.seed, RANDOM_STREAM_FEATURES, (uint32_t)(d / 2), row, words);
    float *even = s->features + d * LANES;
    for (size_t i = 0; i < LANES; i++) even[i] = bell(words[0][i], words[1][i]);
    if (d + 1 == features) break;
    for (size_t i = 0; i < LANES; i++) even[LANES + i] = bell(words[2][i], words[3][i]);
  }
  if (s->spec.sparsity <= 0) return;
  for (uint64_t d = 0; d < features; d++) {
    if (d % 4 == 0) words_of_rows(s->spec.seed, RANDOM_STREAM_FEATURES, SPARSE_COUNTERS + (uint32_t)(d / 4), row, words);
    float *feature = s->features + d * LANES;
    for (size_t i = 0; i < LANES; i++) feature[i] = words[d % 4][i] < s->zero_below ? 0.0f : feature[i];
  }
}

/* sums[k][lane]: logits, accumulated in ascending order of the features. */
static void fill_logits(Synthetic *s) {
  size_t classes = (size_t)s->spec.classes, used = s->used;
  for (size_t k = 0; k < classes; k++) {
    float z[LANES] = {0};
    for (size_t u = 0; u < used; u++) {
      const float *feature = s->features + (size_t)s->chosen[k * used + u] * LANES;
      float weight = s->weights[k * used + u];
      for (size_t i = 0; i < LANES; i++) z[i] += weight * feature[i];
    }
    memcpy(s->sums + k * LANES, z, sizeof z);
  }
}

void synthetic_fill(Synthetic *synthetic, uint64_t begin, size_t count, float *values, int32_t *labels) {
  size_t features = (size_t)synthetic->spec.features;
  if (synthetic->sparse != NULL) {
    sparse_maker_expand(synthetic, begin, count, values, labels);
    return;
  }
  for (size_t at = 0; at < count; at += LANES) {
    size_t rows = count - at < LANES ? count - at : LANES;
    fill_features(synthetic, begin + at);
    if (labels != NULL) {
      fill_logits(synthetic);
      synthetic_draw_labels(&synthetic->spec, synthetic->noise_below, synthetic->sums, begin + at, rows, labels + at);
    }
    for (size_t i = 0; i < rows; i++) {
      float *row = values + (at + i) * features;
      for (size_t d = 0; d < features; d++) row[d] = synthetic->features[d * LANES + i];
    }
  }
}
