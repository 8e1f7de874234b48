/* Hessian products at one w share probabilities that the first of them keeps: whatever changes w, the next product must not find the old
 * ones. */
#include <math.h>
#include <stdlib.h>

#include "compute/open.h"
#include "compute/tolerance.h"
#include "support/device.h"

enum { LOGIT_SIZE = 2 };

typedef struct Kept {
  Backend *device, *truth;
  Vector *w, *v, *other, *out; /* of the device */
  Vector *truth_w, *truth_v, *truth_out;
  double *point, *expected, *actual, *before; /* (P) */
} Kept;

typedef Status (*Change)(Kept *k, Error *error); /* of k->w */

static Status change_nothing(Kept *k, Error *error) {
  (void)k, (void)error;
  return SETOSA_OK;
}
static Status change_write(Kept *k, Error *error) { return vector_write(k->device, k->w, k->before, error); }
static Status change_copy(Kept *k, Error *error) { return vector_copy(k->device, k->w, k->other, error); }
static Status change_combine(Kept *k, Error *error) {
  return vector_combine(k->device, k->w, 2, (double[]){0.5, -1}, (const Vector *[]){k->w, k->other}, error);
}
static Status change_multiply(Kept *k, Error *error) { return vector_multiply(k->device, k->w, k->w, k->other, error); }
static Status change_divide(Kept *k, Error *error) {
  Status status = vector_multiply(k->device, k->out, k->other, k->other, error);
  return status != SETOSA_OK ? status : vector_divide_sqrt(k->device, k->w, k->w, k->out, 0.5, error);
}
static Status change_gradient(Kept *k, Error *error) {
  return backend_evaluate(k->device, k->w, backend_all_rows(k->device), NULL, k->w, NULL, error);
}
static Status change_hessian(Kept *k, Error *error) {
  return backend_hessian_product(k->device, k->w, k->v, backend_all_rows(k->device), NULL, k->w, error);
}
/* A new vector may lie where the old one did. */
static Status change_vector(Kept *k, Error *error) {
  vector_destroy(k->device, k->w);
  return vector_create(k->device, &k->w, error);
}
/* Another point in between takes the place of what was kept. */
static Status change_point(Kept *k, Error *error) {
  return backend_hessian_product(k->device, k->other, k->v, backend_all_rows(k->device), NULL, k->out, error);
}

static const struct {
  const char *name;
  Change change;
  bool moves; /* the Hessian at w is another one afterwards */
} changes[] = {
    {"nothing", change_nothing, false},           {"vector_write", change_write, true},
    {"vector_copy", change_copy, true},           {"vector_combine", change_combine, true},
    {"vector_multiply", change_multiply, true},   {"vector_divide_sqrt", change_divide, true},
    {"a gradient into w", change_gradient, true}, {"a Hessian product into w", change_hessian, true},
    {"a new vector", change_vector, true},        {"a product at another point", change_point, false},
};

/* Rows in the middle never use what is kept of all rows; all rows do. */
static void compare_products(Kept *k, RowRange rows, const char *when) {
  Error error = {0};
  double tolerance = compare_hessian_tolerance(compare_logit_rounding(k->device->features, LOGIT_SIZE));
  support_ok(vector_read(k->device, k->w, k->point, &error), &error);
  support_ok(vector_write(k->truth, k->truth_w, k->point, &error), &error);
  support_ok(backend_hessian_product(k->truth, k->truth_w, k->truth_v, rows, NULL, k->truth_out, &error), &error);
  support_ok(vector_read(k->truth, k->truth_out, k->expected, &error), &error);
  support_poison_double(k->actual, k->device->parameters);
  support_ok(backend_hessian_product(k->device, k->w, k->v, rows, NULL, k->out, &error), &error);
  support_ok(vector_read(k->device, k->out, k->actual, &error), &error);
  double off = compare_relative_norm(k->actual, k->expected, k->device->parameters);
  if (!(off <= tolerance)) fail_msg("%zu classes: Hessian * v after %s is off by %g, %g allowed", k->device->classes, when, off, tolerance);
}

static void start(Kept *k, const Dataset *dataset) {
  Error error = {0};
  size_t parameters = k->device->parameters;
  compare_fill_vectors(dataset, LOGIT_SIZE, k->point, k->expected);
  support_ok(vector_write(k->device, k->w, k->point, &error), &error);
  support_ok(vector_write(k->device, k->v, k->expected, &error), &error);
  support_ok(vector_write(k->truth, k->truth_v, k->expected, &error), &error);
  for (size_t i = 0; i < parameters; i++) k->before[i] = (float)(k->point[i] * cos(1.3 * (double)i)), k->expected[i] = -0.7 * k->before[i];
  support_ok(vector_write(k->device, k->other, k->expected, &error), &error);
}

/* What is not there yet must not be found either. */
static void run_first(Kept *k, const Dataset *dataset) {
  Error error = {0};
  compare_fill_vectors(dataset, LOGIT_SIZE, k->before, k->expected);
  support_ok(vector_write(k->device, k->v, k->expected, &error), &error);
  support_ok(vector_write(k->truth, k->truth_v, k->expected, &error), &error);
  compare_products(k, backend_all_rows(k->device), "no other product");
}

static void run_changes(Kept *k, const Dataset *dataset) {
  RowRange all = backend_all_rows(k->device), some = {all.count / 3, all.count / 2};
  Error error = {0};
  double *old = malloc(k->device->parameters * sizeof *old);
  assert_non_null(old);
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
    start(k, dataset);
    compare_products(k, all, "the first product");
    compare_products(k, all, "a second one at the same point");
    for (size_t j = 0; j < k->device->parameters; j++) old[j] = k->expected[j];
    support_ok(changes[i].change(k, &error), &error);
    compare_products(k, all, changes[i].name);
    double moved = compare_relative_norm(old, k->expected, k->device->parameters);
    if (changes[i].moves && moved < 1e-2) fail_msg("%s: stale probabilities would not show (%g)", changes[i].name, moved);
    compare_products(k, some, "a product of all rows");
    compare_products(k, all, "a product of some rows");
  }
  free(old);
}

static void open_both(Kept *k, const Dataset *dataset, Context *context, SetosaFamily family) {
  Error error = {0};
  BackendSettings settings = {.kind = SETOSA_BACKEND_NATIVE, .family = family, .context = context, .intercept = true};
  support_ok(backend_open(&k->device, dataset, &settings, &error), &error);
  settings.kind = SETOSA_BACKEND_REFERENCE;
  support_ok(backend_open(&k->truth, dataset, &settings, &error), &error);
  Vector **const of_device[] = {&k->w, &k->v, &k->other, &k->out}, **const of_truth[] = {&k->truth_w, &k->truth_v, &k->truth_out};
  for (int i = 0; i < 4; i++) support_ok(vector_create(k->device, of_device[i], &error), &error);
  for (int i = 0; i < 3; i++) support_ok(vector_create(k->truth, of_truth[i], &error), &error);
  double **const arrays[] = {&k->point, &k->expected, &k->actual, &k->before};
  for (int i = 0; i < 4; i++) assert_non_null(*arrays[i] = malloc(k->device->parameters * sizeof(double)));
}

static void close_both(Kept *k) {
  Vector *const of_device[] = {k->w, k->v, k->other, k->out}, *const of_truth[] = {k->truth_w, k->truth_v, k->truth_out};
  double *const arrays[] = {k->point, k->expected, k->actual, k->before};
  for (int i = 0; i < 4; i++) vector_destroy(k->device, of_device[i]);
  for (int i = 0; i < 3; i++) vector_destroy(k->truth, of_truth[i]);
  for (int i = 0; i < 4; i++) free(arrays[i]);
  backend_close(k->device);
  backend_close(k->truth);
}

/* The fused pass and blocks of strips (or rows), with partial blocks, strips and tiles. */
static void run_family(SetosaFamily family) {
  static const char *const shapes[] = {"synthetic:rows=150,features=20,classes=3", "synthetic:rows=99,features=33,classes=40"};
  Context *context = support_device();
  Error error = {0};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    Kept kept = {0};
    SetosaDataset *dataset = NULL;
    support_ok(setosa_dataset_load(&dataset, shapes[i], NULL, &error), &error);
    open_both(&kept, dataset, context, family);
    run_first(&kept, dataset);
    run_changes(&kept, dataset);
    close_both(&kept);
    setosa_dataset_destroy(dataset);
  }
}

static void cpu_family_keeps_nothing_stale(void **state) {
  (void)state;
  run_family(SETOSA_FAMILY_CPU);
}
static void gpu_family_keeps_nothing_stale(void **state) {
  (void)state;
  run_family(SETOSA_FAMILY_GPU);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cpu_family_keeps_nothing_stale),
      cmocka_unit_test(gpu_family_keeps_nothing_stale),
  };
  return support_run("probabilities kept", tests, support_device_open, support_device_close);
}
