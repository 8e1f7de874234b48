/* Probabilities of few classes agree with the double reference to 1e-6 each, over many rows with large logits: what plain f32 sums miss. */
#include <math.h>
#include <stdlib.h>

#include "compute/open.h"
#include "support/device.h"

enum { ROWS = 3000, FEATURES = 784, CLASSES = 10 };

static void predict(const Dataset *dataset, SetosaBackend kind, SetosaFamily family, Context *context, float *scores) {
  Error error = {0};
  Backend *backend = NULL;
  Vector *w = NULL;
  BackendSettings settings = {.kind = kind, .family = family, .context = context, .intercept = true};
  support_ok(backend_open(&backend, dataset, &settings, &error), &error);
  double *parameters = malloc(backend->parameters * sizeof *parameters);
  assert_non_null(parameters);
  for (size_t i = 0; i < backend->parameters; i++) parameters[i] = (float)(0.5 * sin(1.7 * (double)i)); /* logits of deviation 10 */
  support_ok(vector_create(backend, &w, &error), &error);
  support_ok(vector_write(backend, w, parameters, &error), &error);
  support_poison(scores, (size_t)ROWS * CLASSES);
  support_ok(backend_predict(backend, w, backend_all_rows(backend), ROW_PROBABILITIES, scores, &error), &error);
  free(parameters);
  vector_destroy(backend, w);
  backend_close(backend);
}

static void every_probability_is_right_to_a_millionth(void **state) {
  (void)state;
  Error error = {0};
  Context *context = support_device();
  SetosaDataset *dataset = NULL;
  support_ok(setosa_dataset_load(&dataset, "synthetic:rows=3000,features=784,classes=10,seed=9", NULL, &error), &error);
  float *expected = malloc(sizeof(float) * ROWS * CLASSES), *actual = malloc(sizeof(float) * ROWS * CLASSES);
  assert_non_null(expected);
  assert_non_null(actual);
  predict(dataset, SETOSA_BACKEND_REFERENCE, SETOSA_FAMILY_AUTO, NULL, expected);
  for (SetosaFamily family = SETOSA_FAMILY_CPU; family <= SETOSA_FAMILY_GPU; family++) {
    double worst = 0;
    predict(dataset, SETOSA_BACKEND_NATIVE, family, context, actual);
    for (size_t i = 0; i < (size_t)ROWS * CLASSES; i++) {
      double difference = fabs((double)actual[i] - expected[i]);
      worst = isnan(difference) ? INFINITY : fmax(worst, difference);
    }
    if (worst > 1e-6) fail_msg("family %d: a probability is off by %.2e", (int)family, worst);
  }
  free(expected);
  free(actual);
  setosa_dataset_destroy(dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_probability_is_right_to_a_millionth)};
  return support_run("predictions", tests, support_device_open, support_device_close);
}
