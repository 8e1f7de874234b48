/* Diagonals of Gram matrices on a device, of shapes at the edges of what a group works on, against their definition in double. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "compute/metric.h"
#include "compute/open.h"
#include "support/device.h"

/* Each of more work than is done on the host at once; panels have 4096 rows, plain sums 256, groups 64 columns and 24 matrices. */
static const struct {
  size_t features, rows, matrices;
} shapes[] = {{14, 24000, 61}, {15, 24001, 60}, {16, 20000, 67}, {62, 4353, 79},  {63, 4096, 84},
              {64, 4097, 83},  {700, 257, 120}, {701, 256, 121}, {2100, 255, 48}, {5000, 4200, 1}};

/* How far sums may be off: of 256 rows, of the 16 of these in a panel, and of what is squared and weighed. */
static const double TOLERANCE = (256 + 16 + 8) * 0x1p-24;

static void expect_diagonals(SetosaFamily family, size_t features, size_t row_count, size_t matrices) {
  Error error = {0};
  char spec[96];
  Dataset *dataset = NULL;
  Backend *b = NULL;
  BackendSettings settings = {.kind = SETOSA_BACKEND_NATIVE, .context = support_device(), .family = family, .intercept = true};
  snprintf(spec, sizeof spec, "synthetic:rows=%zu,features=%zu,classes=2,seed=3", row_count + 7, features);
  support_ok(setosa_dataset_load(&dataset, spec, NULL, &error), &error);
  support_ok(backend_open(&b, dataset, &settings, &error), &error);
  size_t numbers = matrices * (features + 1);
  double *weights = malloc(matrices * row_count * sizeof *weights), *mean = malloc(features * sizeof *mean);
  double *found = malloc(numbers * sizeof *found), *expected = malloc(numbers * sizeof *expected), *sizes = malloc(numbers * sizeof *sizes);
  uint64_t *rows = malloc(row_count * sizeof *rows);
  assert_true(weights != NULL && mean != NULL && found != NULL && expected != NULL && sizes != NULL && rows != NULL);
  for (size_t i = 0; i < matrices * row_count; i++) weights[i] = random_symmetric(4, RANDOM_STREAM_CHECK, 1, i);
  for (size_t d = 0; d < features; d++) mean[d] = random_symmetric(4, RANDOM_STREAM_CHECK, 2, d);
  for (size_t i = 0; i < row_count; i++) rows[i] = i < row_count / 2 ? i : i + 7; /* a gap */
  GramRequest request = {.count = row_count, .rows = rows, .mean = mean, .matrices = matrices, .weights = weights, .diagonal = true};
  support_poison_double(found, numbers);
  support_ok(backend_gram(b, &request, found, &error), &error);
  support_ok(host_gram(dataset, NULL, &request, expected, &error), &error);
  for (size_t i = 0; i < matrices * row_count; i++) weights[i] = fabs(weights[i]);
  support_ok(host_gram(dataset, NULL, &request, sizes, &error), &error);
  for (size_t i = 0; i < numbers; i++)
    if (!(fabs(found[i] - expected[i]) <= TOLERANCE * sizes[i]))
      fail_msg("%s, %zu matrices: number %zu is %.9g, not %.9g (of %.3g)", spec, matrices, i, found[i], expected[i], sizes[i]);
  double *arrays[] = {weights, mean, found, expected, sizes};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
  free(rows);
  backend_close(b);
  setosa_dataset_destroy(dataset);
}

static void cpu_family(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    expect_diagonals(SETOSA_FAMILY_CPU, shapes[i].features, shapes[i].rows, shapes[i].matrices);
}

static void gpu_family(void **state) {
  (void)state;
  for (size_t i = 1; i < sizeof shapes / sizeof *shapes; i += 4)
    expect_diagonals(SETOSA_FAMILY_GPU, shapes[i].features, shapes[i].rows, shapes[i].matrices);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cpu_family),
      cmocka_unit_test(gpu_family),
  };
  return support_run("gram_diagonals", tests, support_device_open, support_device_close);
}
