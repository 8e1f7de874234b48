/* Gram matrices on a device, of shapes at the edges of tiles, panels and batches, against their definition in double. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "compute/metric.h"
#include "compute/open.h"
#include "support/device.h"

typedef struct GramShape {
  size_t features, rows, matrices;
} GramShape;

/* Each of more work than is done on the host at once. Panels have 4096 rows, plain sums 192, tiles 16 or 32 columns, items 256 lines,
 * groups of diagonals 24 matrices, of which 6 or 12 share what they read. */
static const GramShape diagonals[] = {{14, 24000, 61}, {15, 24001, 60}, {16, 20000, 67}, {62, 4353, 79},  {63, 4096, 84},
                                      {64, 4097, 83},  {700, 257, 120}, {701, 256, 121}, {2100, 255, 48}, {5000, 4200, 1}};
static const GramShape matrices[] = {{14, 4096, 25}, {15, 4097, 21}, {30, 385, 60}, {31, 192, 110}, {32, 191, 104},
                                     {33, 193, 97},  {63, 8300, 1},  {64, 576, 9},  {254, 330, 1},  {255, 161, 3},
                                     {256, 40, 8},   {257, 330, 1},  {800, 35, 1},  {2049, 5, 1}};

/* How far sums may be off, by parts of what all rows weigh without signs: of 256 rows at most, of 22 such sums in a panel, and of centring
 * and weighing each. */
static const double TOLERANCE = (256 + 22 + 8) * 0x1p-24;

typedef struct Gram {
  Dataset *dataset;
  Backend *backend;
  GramRequest request;
  uint64_t *rows;
  double *mean, *weights, *found, *expected, *sizes;
  size_t size; /* numbers of a matrix */
} Gram;

static double *numbers(size_t count, uint64_t stream) {
  double *values = malloc(count * sizeof *values);
  assert_non_null(values);
  for (size_t i = 0; i < count; i++) values[i] = random_symmetric(4, RANDOM_STREAM_CHECK, stream, i);
  return values;
}

static void open_gram(Gram *g, BackendSettings settings, const GramShape *shape, bool diagonal) {
  Error error = {0};
  char spec[96];
  size_t width = shape->features + 1, count = shape->rows;
  *g = (Gram){.size = diagonal ? width : width * width};
  snprintf(spec, sizeof spec, "synthetic:rows=%zu,features=%zu,classes=2,seed=3", count + 7, shape->features);
  support_ok(setosa_dataset_load(&g->dataset, spec, NULL, &error), &error);
  support_ok(backend_open(&g->backend, g->dataset, &settings, &error), &error);
  g->weights = numbers(shape->matrices * count, 1);
  g->mean = numbers(shape->features, 2);
  g->found = numbers(shape->matrices * g->size, 3);
  g->expected = numbers(shape->matrices * g->size, 3);
  g->sizes = numbers(shape->matrices * width, 3);
  assert_non_null(g->rows = malloc(count * sizeof *g->rows));
  for (size_t i = 0; i < count; i++) g->rows[i] = i < count / 2 ? i : i + 7; /* a gap */
  g->request = (GramRequest){
      .count = count, .rows = g->rows, .mean = g->mean, .matrices = shape->matrices, .weights = g->weights, .diagonal = diagonal};
  support_poison_double(g->found, shape->matrices * g->size);
}

static void close_gram(Gram *g) {
  double *arrays[] = {g->weights, g->mean, g->found, g->expected, g->sizes};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
  free(g->rows);
  backend_close(g->backend);
  setosa_dataset_destroy(g->dataset);
}

/* Of the absolute values of the weights: an element is no larger than the root of the product of its two diagonals. */
static void find_sizes(Gram *g) {
  Error error = {0};
  GramRequest request = g->request;
  for (size_t i = 0; i < request.matrices * request.count; i++) g->weights[i] = fabs(g->weights[i]);
  request.diagonal = true;
  support_ok(host_gram(g->dataset, NULL, &request, g->sizes, &error), &error);
}

static void expect_gram(SetosaFamily family, const GramShape *shape, bool diagonal) {
  Gram g;
  Error error = {0};
  BackendSettings settings = {.kind = SETOSA_BACKEND_NATIVE, .context = support_device(), .family = family, .intercept = true};
  open_gram(&g, settings, shape, diagonal);
  support_ok(backend_gram(g.backend, &g.request, g.found, &error), &error);
  support_ok(host_gram(g.dataset, NULL, &g.request, g.expected, &error), &error);
  find_sizes(&g);
  size_t width = shape->features + 1;
  for (size_t i = 0; i < shape->matrices * g.size; i++) {
    const double *sizes = g.sizes + i / g.size * width;
    double size = diagonal ? sizes[i % width] : sqrt(sizes[i % g.size / width] * sizes[i % width]);
    if (!(fabs(g.found[i] - g.expected[i]) <= TOLERANCE * size))
      fail_msg("%zu features, %zu rows, %zu %s: number %zu is %.9g, not %.9g (of %.3g)", shape->features, shape->rows, shape->matrices,
               diagonal ? "diagonals" : "matrices", i, g.found[i], g.expected[i], size);
  }
  close_gram(&g);
}

static void cpu_matrices(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof matrices / sizeof *matrices; i++) expect_gram(SETOSA_FAMILY_CPU, &matrices[i], false);
}

static void cpu_diagonals(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof diagonals / sizeof *diagonals; i++) expect_gram(SETOSA_FAMILY_CPU, &diagonals[i], true);
}

static void gpu_matrices(void **state) {
  (void)state;
  for (size_t i = 1; i < sizeof matrices / sizeof *matrices; i += 3) expect_gram(SETOSA_FAMILY_GPU, &matrices[i], false);
}

static void gpu_diagonals(void **state) {
  (void)state;
  for (size_t i = 1; i < sizeof diagonals / sizeof *diagonals; i += 4) expect_gram(SETOSA_FAMILY_GPU, &diagonals[i], true);
}

/* Many matrices go into one launch, and many rows into several panels: each has the bits that it has alone, symmetric. */
static void together_as_alone(void **state) {
  (void)state;
  static const GramShape shape = {.features = 300, .rows = 500, .matrices = 50};
  Gram g;
  Error error = {0};
  open_gram(&g, (BackendSettings){.kind = SETOSA_BACKEND_NATIVE, .context = support_device(), .intercept = true}, &shape, false);
  support_ok(backend_gram(g.backend, &g.request, g.found, &error), &error);
  g.request.matrices = 1;
  size_t width = shape.features + 1;
  for (size_t m = 0; m < shape.matrices; m += 7) {
    g.request.weights = g.weights + m * shape.rows;
    support_ok(backend_gram(g.backend, &g.request, g.expected, &error), &error);
    assert_memory_equal(g.found + m * g.size, g.expected, g.size * sizeof *g.found);
    for (size_t i = 0; i < width; i++)
      for (size_t j = 0; j < i; j++) assert_true(g.expected[i * width + j] == g.expected[j * width + i]);
  }
  close_gram(&g);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cpu_matrices),  cmocka_unit_test(cpu_diagonals),     cmocka_unit_test(gpu_matrices),
      cmocka_unit_test(gpu_diagonals), cmocka_unit_test(together_as_alone),
  };
  return support_run("gram_shapes", tests, support_device_open, support_device_close);
}
