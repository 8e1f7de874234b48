/* The true weights of synthetic data, and how near others come to them. Sums are in double, class by class, so that K x D is never held. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/synthetic.h"

bool synthetic_is_source(const char *source) {
  return source != NULL && (strncmp(source, "synthetic:", 10) == 0 || strcmp(source, "synthetic") == 0);
}

Status synthetic_weights(float **out, const Synthetic *synthetic, Error *error) {
  const SyntheticSpec *spec = synthetic_spec(synthetic);
  size_t classes = (size_t)spec->classes, features = (size_t)spec->features, used = synthetic_true_count(synthetic), count = 0;
  uint32_t feature = 0;
  *out = NULL;
  Status status = memory_multiply(&count, classes, features, "the true weights", error);
  if (status == SETOSA_OK) status = memory_allocate_zero((void **)out, count, sizeof **out, "the true weights", error);
  for (size_t i = 0; status == SETOSA_OK && i < classes * used; i++) {
    float weight = synthetic_true_weight(synthetic, i / used, i % used, &feature);
    (*out)[i / used * features + feature] += weight;
  }
  return status;
}

/* mean[d] over the classes of the weights that were learned and of the true ones. */
static void average_classes(double *mean, double *true_mean, const Synthetic *synthetic, const float *weights) {
  const SyntheticSpec *spec = synthetic_spec(synthetic);
  size_t classes = (size_t)spec->classes, features = (size_t)spec->features, used = synthetic_true_count(synthetic);
  uint32_t feature = 0;
  for (size_t k = 0; k < classes; k++)
    for (size_t d = 0; d < features; d++) mean[d] += (double)weights[k * features + d];
  for (size_t i = 0; i < classes * used; i++) {
    double weight = (double)synthetic_true_weight(synthetic, i / used, i % used, &feature);
    true_mean[feature] += weight;
  }
  for (size_t d = 0; d < features; d++) {
    mean[d] /= (double)classes;
    true_mean[d] /= (double)classes;
  }
}

Status synthetic_distance(double *distance, double *cosine, const Synthetic *synthetic, const float *weights, const double *factor,
                          Error *error) {
  Status status = SETOSA_OK;
  const SyntheticSpec *spec = synthetic_spec(synthetic);
  size_t classes = (size_t)spec->classes, features = (size_t)spec->features, used = synthetic_true_count(synthetic);
  uint32_t feature = 0;
  double *mean = NULL, *true_mean = NULL, *truth = NULL, apart = 0, length = 0, cosines = 0, directions = 0;
  TRY(memory_allocate_zero((void **)&mean, features, sizeof *mean, "mean weights", error));
  TRY(memory_allocate_zero((void **)&true_mean, features, sizeof *true_mean, "mean weights", error));
  TRY(memory_allocate((void **)&truth, features, sizeof *truth, "true weights", error));
  average_classes(mean, true_mean, synthetic, weights);
  for (size_t k = 0; k < classes; k++) {
    double product = 0, square = 0, true_square = 0;
    for (size_t d = 0; d < features; d++) truth[d] = -true_mean[d];
    for (size_t i = 0; i < used; i++) {
      double weight = (double)synthetic_true_weight(synthetic, k, i, &feature);
      truth[feature] += weight;
    }
    for (size_t d = 0; d < features; d++) {
      double w = ((double)weights[k * features + d] - mean[d]) * (factor != NULL ? factor[d] : 1), difference = w - truth[d];
      product += w * truth[d];
      square += w * w;
      true_square += truth[d] * truth[d];
      apart += difference * difference;
    }
    length += true_square;
    if (square > 0 && true_square > 0) {
      cosines += product / sqrt(square * true_square);
      directions++;
    }
  }
  *distance = length > 0 ? sqrt(apart / length) : NAN;
  *cosine = directions > 0 ? cosines / directions : NAN;
cleanup:
  free(mean);
  free(true_mean);
  free(truth);
  return status;
}
