/* Many vectors at a time: whatever goes into one launch together has the bits that it has alone, and numbers of an evaluation that come
 * home with inner products are those of an evaluation that waits. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "compute/open.h"
#include "support/device.h"

enum { VECTORS = 60, PAIRS = 300, TERMS = 120 };

typedef struct Many {
  Dataset *dataset;
  Backend *backend;
  Vector *vectors[VECTORS], *out;
  double *values[VECTORS], *found; /* (P), floats */
} Many;

static Context *second; /* of the same device */

static int open_devices(void **state) {
  if (support_device_open(state) != 0) return -1;
  Error error = {0};
  if (support_device_found()) support_ok(context_open(&second, support_device_list(), support_device_index(), &error), &error);
  return 0;
}

static int close_devices(void **state) {
  context_close(second);
  return support_device_close(state);
}

static void open_many(Many *m, const char *spec, BackendSettings settings) {
  Error error = {0};
  settings.intercept = true;
  support_ok(setosa_dataset_load(&m->dataset, spec, NULL, &error), &error);
  support_ok(backend_open(&m->backend, m->dataset, &settings, &error), &error);
  size_t parameters = m->backend->parameters;
  support_ok(vector_create(m->backend, &m->out, &error), &error);
  assert_non_null(m->found = malloc(parameters * sizeof(double)));
  for (size_t v = 0; v < VECTORS; v++) {
    assert_non_null(m->values[v] = malloc(parameters * sizeof(double)));
    for (size_t p = 0; p < parameters; p++) m->values[v][p] = (float)random_symmetric(9, RANDOM_STREAM_CHECK, v, p);
    support_ok(vector_create(m->backend, &m->vectors[v], &error), &error);
    support_ok(vector_write(m->backend, m->vectors[v], m->values[v], &error), &error);
  }
}

static void close_many(Many *m) {
  for (size_t v = 0; v < VECTORS; v++) {
    vector_destroy(m->backend, m->vectors[v]);
    free(m->values[v]);
  }
  vector_destroy(m->backend, m->out);
  free(m->found);
  backend_close(m->backend);
  setosa_dataset_destroy(m->dataset);
}

/* ---- inner products --------------------------------------------------------------------------------------------- */

/* As L-BFGS asks: one vector with many, and another with the same, so that a launch is as full as can be; and pairs without any order. */
static void choose_pairs(VectorPair *pairs, size_t *a, size_t *b, const Many *m) {
  for (size_t i = 0; i < PAIRS; i++) {
    a[i] = i < 200 ? VECTORS - 1 - i / 40 : (size_t)random_below(4, RANDOM_STREAM_CHECK, 1, i, VECTORS);
    b[i] = i < 200 ? i % 40 : (size_t)random_below(4, RANDOM_STREAM_CHECK, 2, i, VECTORS);
    bool turned = i % 7 == 3;
    pairs[i] = (VectorPair){m->vectors[turned ? b[i] : a[i]], m->vectors[turned ? a[i] : b[i]], .weights_only = i >= 200 && i % 31 == 5};
  }
}

static void expect_product(const Many *m, size_t a, size_t b, bool weights_only, double found) {
  double sum = 0, size = 0;
  for (size_t p = 0; p < m->backend->parameters - (weights_only ? m->backend->classes : 0); p++) {
    sum += m->values[a][p] * m->values[b][p];
    size += fabs(m->values[a][p] * m->values[b][p]);
  }
  if (!(fabs(found - sum) <= 1e-12 * size)) fail_msg("<%zu, %zu> is %.17g, not %.17g", a, b, found, sum);
}

static void ask_for_products(const char *spec, BackendSettings settings) {
  Many m = {0};
  Error error = {0};
  VectorPair pairs[PAIRS];
  double together[PAIRS], alone = NAN;
  size_t a[PAIRS], b[PAIRS];
  open_many(&m, spec, settings);
  choose_pairs(pairs, a, b, &m);
  support_poison_double(together, PAIRS);
  support_ok(vector_dots(m.backend, PAIRS, pairs, together, &error), &error);
  for (size_t i = 0; i < PAIRS; i++) {
    expect_product(&m, a[i], b[i], pairs[i].weights_only, together[i]);
    support_ok(vector_dots(m.backend, 1, &pairs[i], &alone, &error), &error);
    if (memcmp(&alone, &together[i], sizeof alone) != 0)
      fail_msg("%s, pair %zu: %.17g alone, %.17g among others", spec, i, alone, together[i]);
  }
  close_many(&m);
}

/* ---- combinations ----------------------------------------------------------------------------------------------- */

/* In order, each rounded once; what is the result itself comes first. */
static void expect_combination(Many *m, size_t count, const double *coefficients, const size_t *terms, size_t into) {
  float own = 0;
  for (size_t i = 0; i < count; i++)
    if (terms[i] == into) own += (float)coefficients[i];
  for (size_t p = 0; p < m->backend->parameters; p++) {
    float sum = into < VECTORS ? fmaf(own, (float)m->values[into][p], 0.0f) : 0.0f;
    for (size_t i = 0; i < count; i++)
      if (terms[i] != into) sum = fmaf((float)coefficients[i], (float)m->values[terms[i]][p], sum);
    if ((float)m->found[p] != sum) fail_msg("%zu terms: element %zu is %.9g, not %.9g", count, p, m->found[p], (double)sum);
  }
}

static void ask_for_combinations(const char *spec, BackendSettings settings) {
  static const size_t counts[] = {1, 2, 8, 9, 41, 47, 48, 49, 96, 97, TERMS};
  Many m = {0};
  Error error = {0};
  double coefficients[TERMS];
  const Vector *vectors[TERMS];
  size_t terms[TERMS];
  open_many(&m, spec, settings);
  support_poison_double(m.found, m.backend->parameters);
  for (size_t i = 0; i < TERMS; i++) {
    coefficients[i] = (float)random_symmetric(5, RANDOM_STREAM_CHECK, 3, i);
    terms[i] = (7 * i + 3) % VECTORS;
    vectors[i] = m.vectors[terms[i]];
  }
  for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
    support_ok(vector_write(m.backend, m.out, m.found, &error), &error); /* NAN at first: it is not to be read */
    support_ok(vector_combine(m.backend, m.out, counts[c], coefficients, vectors, &error), &error);
    support_ok(vector_read(m.backend, m.out, m.found, &error), &error);
    expect_combination(&m, counts[c], coefficients, terms, VECTORS);
  }
  size_t into = terms[20]; /* once among the first 60 */
  support_ok(vector_combine(m.backend, m.vectors[into], 60, coefficients, vectors, &error), &error);
  support_ok(vector_read(m.backend, m.vectors[into], m.found, &error), &error);
  expect_combination(&m, 60, coefficients, terms, into);
  close_many(&m);
}

/* ---- numbers that come later ------------------------------------------------------------------------------------ */

static void expect_same_term(const DataTerm *expected, const DataTerm *found, const char *spec, size_t count) {
  bool same = expected->loss == found->loss && expected->gradient_norm == found->gradient_norm;
  for (size_t i = 0; i < expected->pair_count; i++) same = same && expected->products[i] == found->products[i];
  if (!same)
    fail_msg("%s, with %zu products: loss %.17g and norm %.17g later, %.17g and %.17g at once", spec, count, found->loss,
             found->gradient_norm, expected->loss, expected->gradient_norm);
}

/* Twice: the first time buffers grow while the numbers wait. */
static void evaluate_later(const char *spec, BackendSettings settings) {
  static const size_t counts[] = {0, 1, PAIRS, 5, PAIRS};
  Many m = {0};
  Error error = {0};
  VectorPair pairs[PAIRS];
  double dots[PAIRS], expected_dots[PAIRS];
  size_t a[PAIRS], b[PAIRS];
  open_many(&m, spec, settings);
  choose_pairs(pairs, a, b, &m);
  RowRange all = backend_all_rows(m.backend);
  const Vector *w = m.vectors[0];
  const VectorPair own[] = {{w, w, .weights_only = true}, {m.out, m.vectors[1], .weights_only = false}}; /* the gradient is among them */
  for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
    DataTerm later = {.pairs = own, .pair_count = 2, .later = true, .loss = NAN, .gradient_norm = NAN, .products = {NAN, NAN, NAN}};
    DataTerm expected = {.pairs = own, .pair_count = 2};
    support_ok(backend_evaluate(m.backend, w, all, NULL, m.out, &later, &error), &error);
    support_ok(vector_combine(m.backend, m.vectors[2], 1, (double[]){1}, (const Vector *[]){m.out}, &error), &error);
    support_ok(vector_dots(m.backend, counts[c], pairs, dots, &error), &error);
    support_ok(backend_evaluate(m.backend, w, all, NULL, m.out, &expected, &error), &error);
    support_ok(vector_dots(m.backend, counts[c], pairs, expected_dots, &error), &error);
    assert_true(isfinite(expected.loss) && expected.gradient_norm > 0);
    expect_same_term(&expected, &later, spec, counts[c]);
    assert_memory_equal(dots, expected_dots, counts[c] * sizeof *dots);
  }
  close_many(&m);
}

/* Another evaluation comes first: the numbers of the one that waited are nobody's any more. */
static void drop_the_first(const char *spec, BackendSettings settings) {
  Many m = {0};
  Error error = {0};
  open_many(&m, spec, settings);
  RowRange all = backend_all_rows(m.backend);
  DataTerm first = {.later = true}, second_term = {.pair_count = 0}, expected = {.pair_count = 0};
  const VectorPair pair = {m.vectors[3], m.vectors[4], false};
  double dot = NAN;
  support_ok(backend_evaluate(m.backend, m.vectors[1], all, NULL, m.out, &expected, &error), &error);
  support_ok(backend_evaluate(m.backend, m.vectors[0], all, NULL, m.out, &first, &error), &error);
  double before = first.loss; /* where they are there at once they stay */
  support_ok(backend_evaluate(m.backend, m.vectors[1], all, NULL, m.out, &second_term, &error), &error);
  support_ok(vector_dots(m.backend, 1, &pair, &dot, &error), &error);
  expect_same_term(&expected, &second_term, spec, 1);
  expect_product(&m, 3, 4, false, dot);
  assert_true(first.loss == before);
  close_many(&m);
}

/* ---- everywhere ------------------------------------------------------------------------------------------------- */

/* One group of a vector kernel, several, and the blocked pass. */
static const char *const specs[] = {"synthetic:rows=60,features=4,classes=3", "synthetic:rows=50,features=3000,classes=7",
                                    "synthetic:rows=90,features=33,classes=40"};
enum { SPECS = sizeof specs / sizeof *specs };

static void try_all(BackendSettings settings) {
  for (size_t i = 0; i < SPECS; i++) {
    ask_for_products(specs[i], settings);
    ask_for_combinations(specs[i], settings);
    evaluate_later(specs[i], settings);
    drop_the_first(specs[i], settings);
  }
}

static void cpu_family(void **state) {
  (void)state;
  try_all((BackendSettings){.context = support_device(), .kind = SETOSA_BACKEND_NATIVE, .family = SETOSA_FAMILY_CPU});
}

static void gpu_family(void **state) {
  (void)state;
  try_all((BackendSettings){.context = support_device(), .kind = SETOSA_BACKEND_NATIVE, .family = SETOSA_FAMILY_GPU});
}

static void two_devices(void **state) {
  (void)state;
  BackendSettings settings = {.context = support_device(), .kind = SETOSA_BACKEND_NATIVE, .context_count = 2};
  settings.contexts[0] = settings.context;
  settings.contexts[1] = second;
  try_all(settings);
}

static void the_reference(void **state) {
  (void)state;
  for (size_t i = 0; i < SPECS; i++) {
    evaluate_later(specs[i], (BackendSettings){.kind = SETOSA_BACKEND_REFERENCE});
    drop_the_first(specs[i], (BackendSettings){.kind = SETOSA_BACKEND_REFERENCE});
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cpu_family),
      cmocka_unit_test(gpu_family),
      cmocka_unit_test(two_devices),
      cmocka_unit_test(the_reference),
  };
  return support_run("vectors", tests, open_devices, close_devices);
}
