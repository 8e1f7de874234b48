/* Metrics and Gram matrices of a device against their definitions in double (compute/metric.h), on both families: edges of tiles in the
 * features, few and many classes, every form of a metric, rows one after another and picked, every storage of X, and results that were NaN.
 * An element may differ by the roundings of the sums that it is made of, and these are bounded by the same sums of magnitudes. */
#include <float.h>
#include <stdio.h>

#include "compute/metric.h"
#include "data/storage.h"
#include "kernels/answers.h"
#include "support/device.h"
#include "support/shape.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static double *numbers(size_t count) {
  double *values = malloc(count * sizeof *values);
  assert_non_null(values);
  return values;
}

static void free_all(double *const *arrays, size_t count) {
  for (size_t i = 0; i < count; i++) free(arrays[i]);
}

/* In [-1,1). */
static double *random_numbers(size_t count, uint64_t seed) {
  double *values = numbers(count);
  for (size_t i = 0; i < count; i++) values[i] = random_symmetric(seed, RANDOM_STREAM_CHECK, 3, i);
  return values;
}

static double *magnitudes(const double *values, size_t count, double sign) {
  if (values == NULL) return NULL;
  double *sizes = numbers(count);
  for (size_t i = 0; i < count; i++) sizes[i] = sign * fabs(values[i]);
  return sizes;
}

/* |actual - expected| <= digits * 2^-24 * sizes, element by element. */
static void expect_close(const char *what, const double *actual, const double *expected, const double *sizes, size_t count, double digits) {
  for (size_t i = 0; i < count; i++) {
    double allowed = digits * (FLT_EPSILON / 2) * sizes[i] + DBL_MIN;
    if (!(fabs(actual[i] - expected[i]) <= allowed))
      fail_msg("%s: element %zu of %zu is %.9g and should be %.9g, within %.1e", what, i, count, actual[i], expected[i], allowed);
  }
}

/* ---- metrics ---------------------------------------------------------------------------------------------------- */

typedef enum FormKind { IDENTITY, CENTERED, DIAGONAL, DIAGONAL_CENTERED, KRON, BLOCKS, BLOCKS_TURNED, FULL_BLOCKS, FORM_KINDS } FormKind;
static const char *const form_names[] = {"identity", "centered", "diagonal",      "centered diagonal",
                                         "kron",     "blocks",   "turned blocks", "full blocks"};

/* Of V (K,K) that takes the mean off, or any. */
static double *turn(size_t classes, bool mean_off) {
  double *v = random_numbers(classes * classes, 21);
  for (size_t i = 0; mean_off && i < classes * classes; i++) v[i] = (i % (classes + 1) == 0 ? 1.0 : 0.0) - 1 / (double)classes;
  return v;
}

static MetricForm form_create(FormKind kind, size_t features, size_t classes) {
  size_t width = features + 1;
  MetricForm form = {0};
  if (kind == DIAGONAL || kind == DIAGONAL_CENTERED || kind == KRON) form.scale = random_numbers(classes * width, 22);
  for (size_t i = 0; form.scale != NULL && i < classes * width; i++) ((double *)(uintptr_t)form.scale)[i] += 1; /* not below 0 */
  if (kind == CENTERED || kind == DIAGONAL_CENTERED) form.center = random_numbers(features, 23);
  if (kind == DIAGONAL || kind == DIAGONAL_CENTERED || kind == BLOCKS) form.classes = turn(classes, true);
  if (kind == KRON || kind == BLOCKS_TURNED) form.classes = turn(classes, false);
  if (kind >= KRON) form.feature_count = kind == KRON ? 1 : classes;
  if (kind >= KRON) form.features = random_numbers(form.feature_count * width * width, 24);
  for (size_t k = 0; (kind == BLOCKS || kind == BLOCKS_TURNED) && k < form.feature_count; k++) /* triangular but for the last column */
    for (size_t i = 0; i < width; i++)
      for (size_t j = i + 1; j + 1 < width; j++) ((double *)(uintptr_t)form.features)[(k * width + i) * width + j] = 0;
  return form;
}

static void form_free(const MetricForm *form) {
  const double *const arrays[] = {form->classes, form->features, form->scale, form->center};
  for (size_t i = 0; i < COUNT_OF(arrays); i++) free((void *)(uintptr_t)arrays[i]);
}

static void apply_on_host(const Backend *backend, const MetricForm *form, double *out, const double *v) {
  HostMetric *metric = NULL;
  Error error = {0};
  support_ok(host_metric_create(&metric, backend, form, &error), &error);
  host_metric_apply(metric, backend, out, v);
  host_metric_destroy(metric);
}

static void apply_on_device(Backend *backend, const MetricForm *form, double *out, const double *v) {
  Error error = {0};
  Metric *metric = NULL;
  Vector *from = NULL, *to = NULL;
  size_t count = backend->parameters;
  support_ok(vector_create(backend, &from, &error), &error);
  support_ok(vector_create(backend, &to, &error), &error);
  support_ok(metric_create(backend, &metric, form, &error), &error);
  double *again = numbers(count);
  for (int time = 0; time < 2; time++) { /* the second finds what the first left in its room */
    double *found = time == 0 ? out : again;
    support_poison_double(found, count);
    support_ok(vector_write(backend, to, found, &error), &error);
    support_ok(vector_write(backend, from, v, &error), &error);
    support_ok(metric_apply(backend, metric, to, from, &error), &error);
    support_ok(vector_read(backend, to, found, &error), &error);
  }
  assert_memory_equal(out, again, count * sizeof *out);
  free(again);
  metric_destroy(backend, metric);
  vector_destroy(backend, from);
  vector_destroy(backend, to);
}

/* A rounding for each number that is turned to f32, each product with a scale, and each term of a sum. */
static double metric_digits(const MetricForm *form, size_t features, size_t classes) {
  double sums = form->feature_count > 0 ? 2 * ((double)features + 2) : 2 + 4; /* the sum over a center is compensated */
  if (form->classes != NULL) sums += 2 * ((double)classes + 2);
  return sums + 2;
}

static void check_form(Backend *backend, FormKind kind, const char *where) {
  char what[160];
  size_t features = backend->features, classes = backend->classes, width = features + 1, count = backend->parameters;
  MetricForm form = form_create(kind, features, classes);
  double *v = random_numbers(count, 25);
  for (size_t i = 0; i < count; i++) v[i] = (double)(float)v[i];
  MetricForm bound = {.classes = magnitudes(form.classes, classes * classes, 1),
                      .features = magnitudes(form.features, form.feature_count * width * width, 1),
                      .feature_count = form.feature_count,
                      .scale = magnitudes(form.scale, count, 1),
                      .center = magnitudes(form.center, features, -1)}; /* it is subtracted */
  double *sizes_of_v = magnitudes(v, count, 1), *expected = numbers(count), *sizes = numbers(count), *actual = numbers(count);
  apply_on_host(backend, &form, expected, v);
  apply_on_host(backend, &bound, sizes, sizes_of_v);
  apply_on_device(backend, &form, actual, v);
  snprintf(what, sizeof what, "%s, %zu features, %zu classes, %s", where, features, classes, form_names[kind]);
  expect_close(what, actual, expected, sizes, count, metric_digits(&form, features, classes));
  form_free(&form);
  form_free(&bound);
  free_all((double *[]){v, sizes_of_v, expected, sizes, actual}, 5);
}

static void check_forms(size_t features, size_t classes, BackendSettings settings, const char *where) {
  Dataset *dataset = make_dataset(&(Shape){20, features, classes, PLAIN}, 5);
  Backend *backend = NULL;
  Error error = {0};
  settings.intercept = true;
  support_ok(backend_open(&backend, dataset, &settings, &error), &error);
  for (FormKind kind = IDENTITY; kind < FORM_KINDS; kind++) check_form(backend, kind, where);
  backend_close(backend);
  setosa_dataset_destroy(dataset);
}

static void check_metrics(BackendSettings settings, const char *where) {
  static const size_t features[] = {1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 200}, classes[] = {2, 3, 10, 33};
  for (size_t d = 0; d < COUNT_OF(features); d++)
    for (size_t k = 0; k < COUNT_OF(classes); k++) check_forms(features[d], classes[k], settings, where);
  check_forms(5, 1000, settings, where);
  check_forms(1, 257, settings, where);
  check_forms(700, 2, settings, where);
}

static BackendSettings device_settings(SetosaFamily family) {
  return (BackendSettings){.kind = SETOSA_BACKEND_NATIVE, .family = family, .context = support_device()};
}

static void metrics_of_the_cpu_family(void **state) { (void)state, check_metrics(device_settings(SETOSA_FAMILY_CPU), "cpu"); }
static void metrics_of_the_gpu_family(void **state) { (void)state, check_metrics(device_settings(SETOSA_FAMILY_GPU), "gpu"); }

/* ---- Gram matrices ---------------------------------------------------------------------------------------------- */

typedef struct GramCase {
  size_t count, matrices;
  bool picked, mean, diagonal, on_device;
} GramCase;

/* A sum of magnitudes is not above the root of the product of two sums of squares. */
static double *gram_sizes(const Dataset *dataset, GramRequest request, size_t width) {
  Error error = {0};
  double *squares = numbers(request.matrices * width), *sizes = numbers(request.matrices * width * width);
  double *weights = magnitudes(request.weights, request.matrices * request.count, 1);
  bool diagonal = request.diagonal;
  request.weights = weights;
  request.diagonal = true;
  support_ok(host_gram(dataset, NULL, &request, squares, &error), &error);
  for (size_t i = 0; i < request.matrices * width * (diagonal ? 1 : width); i++) {
    const double *of = squares + (diagonal ? i : i / (width * width) * width);
    sizes[i] = diagonal ? *of : sqrt(of[i / width % width] * of[i % width]);
  }
  free(squares);
  free(weights);
  return sizes;
}

static void check_gram(Backend *backend, const Dataset *dataset, const GramCase *c, const char *where) {
  enum { PANEL_ROWS = 4096, STEP = 3 };
  char what[200];
  Error error = {0};
  size_t features = backend->features, width = features + 1, size = c->matrices * width * (c->diagonal ? 1 : width);
  uint64_t *rows = malloc(c->count * sizeof *rows);
  double *weights = random_numbers(c->matrices * c->count, 31), *mean = random_numbers(features, 32);
  assert_non_null(rows);
  for (size_t i = 0; i < c->count; i++) rows[i] = i + i / STEP * (backend->rows > 2 * c->count); /* neighbours, and gaps */
  GramRequest request = {.count = c->count,
                         .rows = c->picked ? rows : NULL,
                         .mean = c->mean ? mean : NULL,
                         .matrices = c->matrices,
                         .weights = weights,
                         .diagonal = c->diagonal,
                         .on_device = c->on_device};
  double *expected = numbers(size), *actual = numbers(size), *sizes = gram_sizes(dataset, request, width);
  support_poison_double(actual, size);
  support_ok(host_gram(dataset, NULL, &request, expected, &error), &error);
  support_ok(backend_gram(backend, &request, actual, &error), &error);
  snprintf(what, sizeof what, "%s, %zu of %zu rows%s%s%s, %zu features, %zu matrices", where, c->count, backend->rows,
           c->picked ? ", picked" : "", c->mean ? ", centred" : "", c->diagonal ? ", diagonal" : "", features, c->matrices);
  /* Weight, value twice, product; and a sum whose roundings go as a random walk does, four times as far at most. */
  expect_close(what, actual, expected, sizes, size, 8 + 4 * sqrt((double)(c->count < PANEL_ROWS ? c->count : PANEL_ROWS)));
  free(rows);
  free_all((double *[]){weights, mean, expected, actual, sizes}, 5);
}

static void check_grams(const Shape *shape, BackendSettings settings, const GramCase *cases, size_t count, bool weighed,
                        const char *where) {
  Dataset *dataset = make_dataset(shape, 6);
  if (settings.storage == SETOSA_STORAGE_U8) support_ok(storage_make_bytes(dataset, 8, 20, 1.0f / 32, NULL), NULL);
  if (weighed) weigh_rows(dataset);
  Backend *backend = NULL;
  Error error = {0};
  settings.intercept = true;
  support_ok(backend_open(&backend, dataset, &settings, &error), &error);
  for (size_t i = 0; i < count; i++) check_gram(backend, dataset, &cases[i], where);
  backend_close(backend);
  setosa_dataset_destroy(dataset);
}

static void check_small_grams(BackendSettings settings, const char *where) {
  static const GramCase cases[] = {
      {1, 1, false, false, false, true},  {15, 2, false, true, false, true}, {16, 3, true, false, false, true},
      {17, 1, true, true, false, true},   {65, 2, true, true, false, true},  {300, 1, true, true, false, true},
      {1, 2, false, false, true, true},   {17, 3, true, true, true, true},   {300, 33, true, true, true, true},
      {300, 2, true, true, false, false}, {65, 3, false, true, true, false},
  };
  static const size_t features[] = {1, 5, 15, 16, 17, 31, 47, 48, 63, 64, 65, 130, 200};
  for (size_t d = 0; d < COUNT_OF(features); d++)
    check_grams(&(Shape){700, features[d], 3, PLAIN}, settings, cases, COUNT_OF(cases), d % 2 == 0, where);
}

/* More rows than go to a device at a time, and so many that nobody has to ask for the device. */
static void check_large_grams(BackendSettings settings, const char *where) {
  static const GramCase cases[] = {{4096, 1, false, true, false, true},
                                   {4097, 2, true, true, false, false},
                                   {9000, 1, true, false, false, false},
                                   {8200, 3, true, true, true, true},
                                   {9001, 40, true, true, true, false}};
  check_grams(&(Shape){20000, 70, 2, PLAIN}, settings, cases, COUNT_OF(cases), true, where);
}

static void check_storages(SetosaFamily family, const char *where) {
  static const SetosaStorage storages[] = {SETOSA_STORAGE_F16, SETOSA_STORAGE_U8};
  static const GramCase cases[] = {{100, 2, true, true, false, true}, {300, 1, true, false, false, true}, {100, 2, true, true, true, true}};
  for (size_t i = 0; i < COUNT_OF(storages); i++) {
    BackendSettings settings = device_settings(family);
    settings.storage = storages[i];
    check_grams(&(Shape){700, 33, 3, PLAIN}, settings, cases, COUNT_OF(cases), i % 2 == 0, where);
  }
}

static void small_grams_of_the_cpu_family(void **state) { (void)state, check_small_grams(device_settings(SETOSA_FAMILY_CPU), "cpu"); }
static void small_grams_of_the_gpu_family(void **state) { (void)state, check_small_grams(device_settings(SETOSA_FAMILY_GPU), "gpu"); }
static void large_grams_of_the_cpu_family(void **state) { (void)state, check_large_grams(device_settings(SETOSA_FAMILY_CPU), "cpu"); }
static void large_grams_of_the_gpu_family(void **state) { (void)state, check_large_grams(device_settings(SETOSA_FAMILY_GPU), "gpu"); }
static void grams_of_every_storage(void **state) {
  (void)state;
  check_storages(SETOSA_FAMILY_CPU, "cpu");
  check_storages(SETOSA_FAMILY_GPU, "gpu");
}

/* The blas backend: every product is OpenBLAS's. */
static bool blas_is_there(void) {
#ifdef SETOSA_HAVE_BLAS
  return true;
#else
  return false;
#endif
}

static void those_of_blas(void **state) {
  (void)state;
  BackendSettings settings = {.kind = SETOSA_BACKEND_BLAS};
  if (!blas_is_there()) support_skip("this build has no blas backend");
  check_metrics(settings, "blas");
  check_small_grams(settings, "blas");
  check_large_grams(settings, "blas");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(metrics_of_the_cpu_family),     cmocka_unit_test(metrics_of_the_gpu_family),
      cmocka_unit_test(small_grams_of_the_cpu_family), cmocka_unit_test(small_grams_of_the_gpu_family),
      cmocka_unit_test(large_grams_of_the_cpu_family), cmocka_unit_test(large_grams_of_the_gpu_family),
      cmocka_unit_test(grams_of_every_storage),        cmocka_unit_test(those_of_blas),
  };
  return support_run("metrics and Gram matrices against their definitions", tests, support_device_open, support_device_close);
}
