/* Every form of a metric, on shapes at the edges of the kernels' tiles, against its definition in double. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "compute/metric.h"
#include "compute/open.h"
#include "support/device.h"

typedef enum Turn { TURN_NOTHING, TURN_CENTER, TURN_SHARED, TURN_SHARED_LOWER, TURN_OWN, TURN_OWN_LOWER, TURNS } Turn;
typedef enum Classes { CLASSES_NONE, CLASSES_MEAN_OFF, CLASSES_ANY, CLASSES_COUNT } Classes;

typedef struct Arrays {
  double *classes, *features, *scale, *center, *v, *found, *expected, *sizes; /* of MetricForm; (P) each */
  MetricForm form;
} Arrays;

static double *numbers(size_t count, uint64_t stream) {
  double *values = malloc((count > 0 ? count : 1) * sizeof *values);
  assert_non_null(values);
  for (size_t i = 0; i < count; i++) values[i] = (float)random_symmetric(17, RANDOM_STREAM_CHECK, stream, i);
  return values;
}

/* With the bias first it is lower triangular: the last column is full, the last row is not. */
static void clear_upper(double *f, size_t count, size_t width) {
  for (size_t k = 0; k < count; k++)
    for (size_t i = 0; i < width; i++)
      for (size_t j = 0; j + 1 < width; j++)
        if (j > i || i + 1 == width) f[(k * width + i) * width + j] = 0;
}

static void make_form(Arrays *a, const Backend *b, Turn turn, Classes classes, bool scaled) {
  size_t width = b->features + 1, count = turn >= TURN_OWN ? b->classes : turn >= TURN_SHARED ? 1 : 0;
  *a = (Arrays){.classes = numbers(b->classes * b->classes, 1),
                .features = numbers(count * width * width, 2),
                .scale = numbers(b->parameters, 3),
                .center = numbers(b->features, 4),
                .v = numbers(b->parameters, 5),
                .found = numbers(b->parameters, 6),
                .expected = numbers(b->parameters, 7),
                .sizes = numbers(b->parameters, 8)};
  for (size_t i = 0; classes == CLASSES_MEAN_OFF && i < b->classes * b->classes; i++)
    a->classes[i] = (i % (b->classes + 1) == 0 ? 1.0 : 0.0) - 1 / (double)b->classes;
  for (size_t i = 0; i < b->parameters; i++) a->scale[i] = fabs(a->scale[i]);
  if (turn == TURN_SHARED_LOWER || turn == TURN_OWN_LOWER) clear_upper(a->features, count, width);
  a->form = (MetricForm){.classes = classes == CLASSES_NONE ? NULL : a->classes,
                         .features = count > 0 ? a->features : NULL,
                         .feature_count = count,
                         .scale = scaled ? a->scale : NULL,
                         .center = turn == TURN_CENTER ? a->center : NULL};
}

static void free_arrays(Arrays *a) {
  double *all[] = {a->classes, a->features, a->scale, a->center, a->v, a->found, a->expected, a->sizes};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void apply_on_host(double *out, const Backend *b, const MetricForm *form, const double *v) {
  Error error = {0};
  HostMetric *metric = NULL;
  support_ok(host_metric_create(&metric, b, form, &error), &error);
  host_metric_apply(metric, b, out, v);
  host_metric_destroy(metric);
}

/* sizes: the same with absolute values, which a sum in f32 is off by its length times 2^-24 of, at most. */
static void expect_definition(Arrays *a, const Backend *b, const char *what) {
  double terms = 2.0 * (double)(b->classes + b->features + 1) + 10;
  apply_on_host(a->expected, b, &a->form, a->v);
  for (size_t i = 0; i < b->classes * b->classes; i++) a->classes[i] = fabs(a->classes[i]);
  for (size_t i = 0; i < a->form.feature_count * (b->features + 1) * (b->features + 1); i++) a->features[i] = fabs(a->features[i]);
  for (size_t i = 0; i < b->features; i++) a->center[i] = -fabs(a->center[i]);
  for (size_t i = 0; i < b->parameters; i++) a->v[i] = fabs(a->v[i]);
  apply_on_host(a->sizes, b, &a->form, a->v);
  for (size_t i = 0; i < b->parameters; i++)
    if (!(fabs(a->found[i] - a->expected[i]) <= terms * 0x1p-24 * a->sizes[i]))
      fail_msg("%s: element %zu is %.9g, not %.9g (of %.3g)", what, i, a->found[i], a->expected[i], a->sizes[i]);
}

static void apply(Backend *b, const MetricForm *form, const double *v, double *found) {
  Error error = {0};
  Metric *metric = NULL;
  Vector *from = NULL, *to = NULL;
  support_ok(metric_create(b, &metric, form, &error), &error);
  support_ok(vector_create(b, &from, &error), &error);
  support_ok(vector_create(b, &to, &error), &error);
  support_ok(vector_write(b, from, v, &error), &error);
  support_poison_double(found, b->parameters);
  support_ok(vector_write(b, to, found, &error), &error);
  support_ok(metric_apply(b, metric, to, from, &error), &error);
  support_ok(vector_read(b, to, found, &error), &error);
  metric_destroy(b, metric);
  vector_destroy(b, from);
  vector_destroy(b, to);
}

static void open_shape(Dataset **dataset, Backend **backend, SetosaFamily family, size_t features, size_t classes) {
  char spec[96];
  Error error = {0};
  BackendSettings settings = {.kind = SETOSA_BACKEND_NATIVE, .context = support_device(), .family = family, .intercept = true};
  snprintf(spec, sizeof spec, "synthetic:rows=20,features=%zu,classes=%zu,seed=1", features, classes);
  support_ok(setosa_dataset_load(dataset, spec, NULL, &error), &error);
  support_ok(backend_open(backend, *dataset, &settings, &error), &error);
}

static const size_t shapes[][2] = {{1, 2},   {14, 3},  {15, 2},  {16, 3},  {17, 5},  {31, 6},  {32, 7},
                                   {33, 12}, {47, 13}, {48, 24}, {63, 10}, {64, 33}, {65, 25}, {3, 200}};

static void every_form(SetosaFamily family) {
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
    Dataset *dataset = NULL;
    Backend *b = NULL;
    open_shape(&dataset, &b, family, shapes[s][0], shapes[s][1]);
    for (int form = 0; form < TURNS * CLASSES_COUNT * 2; form++) {
      Arrays a;
      char what[96];
      make_form(&a, b, (Turn)(form / 2 / CLASSES_COUNT), (Classes)(form / 2 % CLASSES_COUNT), form % 2 != 0);
      snprintf(what, sizeof what, "%zu features, %zu classes, turn %d, classes %d%s", b->features, b->classes, form / 2 / CLASSES_COUNT,
               form / 2 % CLASSES_COUNT, form % 2 != 0 ? ", scaled" : "");
      apply(b, &a.form, a.v, a.found);
      expect_definition(&a, b, what);
      free_arrays(&a);
    }
    backend_close(b);
    setosa_dataset_destroy(dataset);
  }
}

static void cpu_family(void **state) {
  (void)state;
  every_form(SETOSA_FAMILY_CPU);
}

static void gpu_family(void **state) {
  (void)state;
  every_form(SETOSA_FAMILY_GPU);
}

/* How classes are shared out among groups depends on the device, and on whether they have one matrix together. Their sums do not. */
static void one_matrix_for_all_has_the_bits_of_one_each(void **state) {
  (void)state;
  for (int family = 0; family < 2; family++) {
    Dataset *dataset = NULL;
    Backend *b = NULL;
    Arrays a;
    open_shape(&dataset, &b, family == 0 ? SETOSA_FAMILY_CPU : SETOSA_FAMILY_GPU, 65, 13);
    size_t matrix = (b->features + 1) * (b->features + 1);
    make_form(&a, b, TURN_OWN, CLASSES_NONE, true);
    for (size_t k = 1; k < b->classes; k++) memcpy(a.features + k * matrix, a.features, matrix * sizeof *a.features);
    apply(b, &a.form, a.v, a.found);
    a.form.feature_count = 1;
    apply(b, &a.form, a.v, a.expected);
    assert_memory_equal(a.found, a.expected, b->parameters * sizeof *a.found);
    free_arrays(&a);
    backend_close(b);
    setosa_dataset_destroy(dataset);
  }
}

/* Zeros above the diagonal are not kept: the bytes on the device say so. */
static void half_a_matrix_is_half_the_bytes(void **state) {
  (void)state;
  double bytes[2];
  for (int lower = 0; lower < 2; lower++) {
    Dataset *dataset = NULL;
    Backend *b = NULL;
    Metric *metric = NULL;
    Arrays a;
    Error error = {0};
    open_shape(&dataset, &b, SETOSA_FAMILY_CPU, 300, 5);
    make_form(&a, b, lower != 0 ? TURN_OWN_LOWER : TURN_OWN, CLASSES_NONE, false);
    uint64_t before = context_bytes(support_device());
    support_ok(metric_create(b, &metric, &a.form, &error), &error);
    bytes[lower] = (double)(context_bytes(support_device()) - before);
    metric_destroy(b, metric);
    assert_int_equal(context_bytes(support_device()), before);
    free_arrays(&a);
    backend_close(b);
    setosa_dataset_destroy(dataset);
  }
  assert_true(bytes[1] < 0.56 * bytes[0]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cpu_family),
      cmocka_unit_test(gpu_family),
      cmocka_unit_test(one_matrix_for_all_has_the_bits_of_one_each),
      cmocka_unit_test(half_a_matrix_is_half_the_bytes),
  };
  return support_run("metric_forms", tests, support_device_open, support_device_close);
}
