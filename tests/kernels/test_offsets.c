/* Offsets beyond 32 bits: a feature matrix of more than 2^32 bytes (nearly all of it untouched zero pages,
 * in several device buffers),
 * of which mini-batches at the far end are evaluated by both kernel families and by the reference. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <math.h>

#include "base/random.h"
#include "compute/open.h"
#include "support/dataset.h"
#include "support/device.h"

enum { FEATURES = 65536, BATCH = 70 };

/* The shape with `rows` rows; only the last BATCH rows hold anything. */
static void compare_far_end(size_t rows, SetosaFamily family, size_t classes) {
  Error error = {0};
  Context *context = support_device();
  size_t bytes = rows * FEATURES * sizeof(float), parameters = classes * FEATURES + classes;
  if (!context_traits(context)->unified_memory || context_traits(context)->memory_bytes < bytes)
    support_skip("%zu bytes are more than this device has, or it would copy them", bytes);
  float *values = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  assert_ptr_not_equal(values, MAP_FAILED);
  int32_t *labels = calloc(rows, sizeof *labels);
  double *w = malloc(parameters * sizeof *w), *expected = malloc(parameters * sizeof *w), *actual = malloc(parameters * sizeof *w);
  assert_non_null(labels);
  assert_non_null(w);
  assert_non_null(expected);
  assert_non_null(actual);
  for (size_t i = rows - BATCH; i < rows; i++) {
    labels[i] = (int32_t)(i % classes);
    for (size_t d = 0; d < FEATURES; d += 7) values[i * FEATURES + d] = (float)random_symmetric(5, RANDOM_STREAM_CHECK, i, d);
  }
  for (size_t i = 0; i < parameters; i++) w[i] = (float)(0.01 * random_symmetric(6, RANDOM_STREAM_CHECK, 0, i));

  Dataset *dataset = wrap_arrays(rows, FEATURES, classes, values, labels);
  RowRange far_end = {rows - BATCH, BATCH};
  DataTerm evaluations[2] = {{.pair_count = 0}};
  for (int side = 0; side < 2; side++) {
    BackendSettings settings = {.kind = side == 0 ? SETOSA_BACKEND_REFERENCE : SETOSA_BACKEND_NATIVE,
                                .family = family,
                                .context = context,
                                .intercept = true,
                                .vectors = 2};
    Backend *backend = NULL;
    Vector *at = NULL, *gradient = NULL;
    double *out = side == 0 ? expected : actual;
    for (size_t i = 0; i < parameters; i++) out[i] = NAN;
    if (backend_open(&backend, dataset, &settings, &error) != SETOSA_OK) fail_msg("%s", error.message);
    assert_int_equal(vector_create(backend, &at, &error), SETOSA_OK);
    assert_int_equal(vector_create(backend, &gradient, &error), SETOSA_OK);
    assert_int_equal(vector_write(backend, at, w, &error), SETOSA_OK);
    assert_int_equal(backend_evaluate(backend, at, far_end, NULL, gradient, &evaluations[side], &error), SETOSA_OK);
    assert_int_equal(vector_read(backend, gradient, out, &error), SETOSA_OK);
    vector_destroy(backend, at);
    vector_destroy(backend, gradient);
    backend_close(backend);
  }
  double difference = 0, size = 0;
  for (size_t i = 0; i < parameters; i++) {
    difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
    size += expected[i] * expected[i];
  }
  assert_true(size > 0);
  assert_true(difference <= 1e-10 * size);
  assert_true(fabs(evaluations[1].loss - evaluations[0].loss) <= 1e-6 * evaluations[0].loss);
  setosa_dataset_destroy(dataset);
  munmap(values, bytes);
  free(labels);
  free(w);
  free(expected);
  free(actual);
}

/* 2^32 bytes are passed by 16,500 rows, 2^32 elements by 65,700 (where the device has the memory). */
static void bytes_beyond_32_bits_fused(void **state) {
  (void)state;
  compare_far_end(16500, SETOSA_FAMILY_CPU, 3);
  compare_far_end(16500, SETOSA_FAMILY_GPU, 3);
}
static void bytes_beyond_32_bits_blocked(void **state) {
  (void)state;
  compare_far_end(16500, SETOSA_FAMILY_CPU, 34);
  compare_far_end(16500, SETOSA_FAMILY_GPU, 34);
}
static void elements_beyond_32_bits(void **state) {
  (void)state;
  compare_far_end(65700, SETOSA_FAMILY_CPU, 3);
  compare_far_end(65700, SETOSA_FAMILY_GPU, 34);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bytes_beyond_32_bits_fused),
      cmocka_unit_test(bytes_beyond_32_bits_blocked),
      cmocka_unit_test(elements_beyond_32_bits),
  };
  return support_run("offsets beyond 32 bits", tests, support_device_open, support_device_close);
}
