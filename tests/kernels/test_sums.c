/* Sums over very many rows: a gradient whose terms all have one sign and almost one size, so that every rounding of a plain f32 sum over
 * all rows would add up. Both families, the fused pass and the blocked one, against the double reference. */
#include <stdio.h>
#include <stdlib.h>

#include <math.h>

#include "base/random.h"
#include "compute/open.h"
#include "support/dataset.h"
#include "support/device.h"

enum { ROWS = 1500000, FEATURES = 2 };

static float *values;
static int32_t *labels;

static int prepare(void **state) {
  values = malloc(sizeof(float) * ROWS * FEATURES);
  labels = calloc(ROWS, sizeof *labels); /* all of class 0 */
  if (values == NULL || labels == NULL) return -1;
  for (size_t i = 0; i < (size_t)ROWS * FEATURES; i++) values[i] = 1.0f + 0.01f * (float)random_symmetric(3, RANDOM_STREAM_CHECK, 0, i);
  return support_device_open(state);
}

static int release(void **state) {
  free(values);
  free(labels);
  return support_device_close(state);
}

static void evaluate(SetosaBackend kind, SetosaFamily family, size_t classes, double *gradient, double *loss) {
  Error error = {0};
  Dataset *dataset = wrap_arrays(ROWS, FEATURES, classes, values, labels);
  BackendSettings settings = {.kind = kind, .family = family, .context = support_device(), .intercept = true, .tuning = SETOSA_TUNING_OFF};
  Backend *backend = NULL;
  Vector *w = NULL, *out = NULL;
  DataTerm at = {.pair_count = 0};
  if (backend_open(&backend, dataset, &settings, &error) != SETOSA_OK) fail_msg("%s", error.message);
  assert_int_equal(vector_create(backend, &w, &error), SETOSA_OK);
  assert_int_equal(vector_create(backend, &out, &error), SETOSA_OK);
  assert_int_equal(backend_evaluate(backend, w, backend_all_rows(backend), NULL, out, &at, &error), SETOSA_OK);
  assert_int_equal(vector_read(backend, out, gradient, &error), SETOSA_OK);
  *loss = at.loss;
  vector_destroy(backend, w);
  vector_destroy(backend, out);
  backend_close(backend);
  setosa_dataset_destroy(dataset);
}

/* Each component is a sum of 1.5e6 terms of one sign. Chains of plain additions have at most 384 links, then about 64 of such sums, then
 * the sums are compensated: with roundings of random sign a chain of n links errs by about sqrt(n) / 3 units in the last place (6e-8),
 * hence 2e-6. Plain sums of all blocks err by 2e-5 (CPU family) to 2e-3. */
static void check(size_t classes, SetosaFamily family) {
  double expected[64 * (FEATURES + 1)], actual[64 * (FEATURES + 1)], loss[2], worst = 0;
  evaluate(SETOSA_BACKEND_REFERENCE, family, classes, expected, &loss[0]);
  evaluate(SETOSA_BACKEND_NATIVE, family, classes, actual, &loss[1]);
  for (size_t i = 0; i < classes * (FEATURES + 1); i++) worst = fmax(worst, fabs(actual[i] / expected[i] - 1));
  print_message("K = %zu, %s: worst component %.1e, loss %.1e\n", classes, family == SETOSA_FAMILY_CPU ? "cpu" : "gpu", worst,
                fabs(loss[1] / loss[0] - 1));
  assert_true(worst <= 2e-6);
  assert_true(fabs(loss[1] / loss[0] - 1) <= 1.2e-7);
}

static void fused_cpu(void **state) { (void)state, check(3, SETOSA_FAMILY_CPU); }
static void fused_gpu(void **state) { (void)state, check(3, SETOSA_FAMILY_GPU); }
static void blocks_cpu(void **state) { (void)state, check(33, SETOSA_FAMILY_CPU); }
/* Half a minute of a CPU that stands for a GPU. */
static void nightly_blocks_gpu(void **state) { (void)state, check(33, SETOSA_FAMILY_GPU); }

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fused_cpu),
      cmocka_unit_test(fused_gpu),
      cmocka_unit_test(blocks_cpu),
      cmocka_unit_test(nightly_blocks_gpu),
  };
  return support_run("kernels_sums", tests, prepare, release);
}
