/* What is added to the data term (penalty with a scale per feature, label smoothing) on devices and by OpenBLAS, against the reference:
 * numbers of weights that end inside a vector of eight, so that the bias shares one with them. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "compute/objective.h"
#include "compute/open.h"
#include "compute/tolerance.h"
#include "support/device.h"

static const char *const specs[] = {"synthetic:rows=61,features=1,classes=2,seed=3", "synthetic:rows=300,features=7,classes=3,seed=4",
                                    "synthetic:rows=131,features=34,classes=37,seed=5"};

typedef struct Side {
  Backend *backend;
  Objective objective;
  Vector *w, *v, *out;
} Side;

static void open_side(Side *side, const Dataset *dataset, const BackendSettings *settings, const ObjectiveTerms *terms, const double *w,
                      const double *v) {
  Error error = {0};
  *side = (Side){.backend = NULL};
  support_ok(backend_open(&side->backend, dataset, settings, &error), &error);
  support_ok(objective_open(&side->objective, side->backend, terms, &error), &error);
  Vector **const vectors[] = {&side->w, &side->v, &side->out};
  for (int i = 0; i < 3; i++) support_ok(vector_create(side->backend, vectors[i], &error), &error);
  support_ok(vector_write(side->backend, side->w, w, &error), &error);
  support_ok(vector_write(side->backend, side->v, v, &error), &error);
}

static void close_side(Side *side) {
  objective_close(&side->objective);
  vector_destroy(side->backend, side->w);
  vector_destroy(side->backend, side->v);
  vector_destroy(side->backend, side->out);
  backend_close(side->backend);
}

static void compare_out(Side *truth, Side *other, double tolerance, const char *what) {
  Error error = {0};
  size_t count = truth->backend->parameters;
  double *expected = malloc(count * sizeof *expected), *actual = malloc(count * sizeof *actual);
  assert_non_null(expected);
  assert_non_null(actual);
  support_poison_double(actual, count);
  support_ok(vector_read(truth->backend, truth->out, expected, &error), &error);
  support_ok(vector_read(other->backend, other->out, actual, &error), &error);
  double off = compare_relative_norm(actual, expected, count);
  if (!(off <= tolerance)) fail_msg("%s is off by %g, %g allowed", what, off, tolerance);
  free(expected);
  free(actual);
}

static void compare(const char *spec, BackendSettings settings, bool intercept) {
  Error error = {0};
  Dataset *dataset = NULL;
  Side truth, other;
  Evaluation expected, actual;
  double value[2], slope[2];
  support_ok(setosa_dataset_load(&dataset, spec, NULL, &error), &error);
  size_t features = setosa_dataset_features(dataset), classes = setosa_dataset_classes(dataset), count = classes * (features + 1);
  double *w = malloc(count * sizeof *w), *v = malloc(count * sizeof *v), *scale = malloc(features * sizeof *scale);
  assert_non_null(w);
  assert_non_null(v);
  assert_non_null(scale);
  compare_fill_vectors(dataset, 3, w, v);
  for (size_t p = classes * features; p < count && !intercept; p++) w[p] = v[p] = 0;
  for (size_t d = 0; d < features; d++) scale[d] = 0.5 + (double)d / (double)features;
  const ObjectiveTerms terms = {.l2 = 0.7, .label_smoothing = 0.1, .feature_scale = scale};
  settings.intercept = intercept;
  BackendSettings reference = {.kind = SETOSA_BACKEND_REFERENCE, .intercept = intercept};
  open_side(&truth, dataset, &reference, &terms, w, v);
  open_side(&other, dataset, &settings, &terms, w, v);
  double rounding = compare_logit_rounding(features, 3);
  RowRange all = backend_all_rows(truth.backend);
  support_ok(objective_evaluate(&truth.objective, truth.w, all, truth.out, &expected, &error), &error);
  support_ok(objective_evaluate(&other.objective, other.w, all, other.out, &actual, &error), &error);
  support_near(actual.objective, expected.objective, compare_loss_tolerance(rounding, all.count, expected.loss) * expected.objective);
  support_near(actual.penalty, expected.penalty, 4e-7 * expected.penalty);
  compare_out(&truth, &other, compare_gradient_tolerance(rounding), "the gradient");
  support_ok(objective_hessian_product(&truth.objective, truth.w, truth.v, all, truth.out, &error), &error);
  support_ok(objective_hessian_product(&other.objective, other.w, other.v, all, other.out, &error), &error);
  compare_out(&truth, &other, compare_hessian_tolerance(rounding), "the Hessian product");
  Side *const sides[] = {&truth, &other};
  for (int i = 0; i < 2; i++) {
    support_ok(objective_line_open(&sides[i]->objective, sides[i]->w, sides[i]->v, &error), &error);
    support_ok(objective_line_evaluate(&sides[i]->objective, 0.5, &value[i], &slope[i], &error), &error);
    objective_line_close(&sides[i]->objective);
  }
  support_near(value[1], value[0], (FLT_EPSILON + 4 * rounding) * (1 + fabs(value[0])));
  support_near(slope[1], slope[0], 8 * rounding * (1 + fabs(slope[0])));
  close_side(&truth);
  close_side(&other);
  free(w);
  free(v);
  free(scale);
  setosa_dataset_destroy(dataset);
}

static void on_every_backend(BackendSettings settings) {
  for (size_t i = 0; i < sizeof specs / sizeof *specs; i++)
    for (int intercept = 0; intercept < 2; intercept++) compare(specs[i], settings, intercept == 1);
}

static void families_of_native(void **state) {
  (void)state;
  on_every_backend((BackendSettings){.kind = SETOSA_BACKEND_NATIVE, .family = SETOSA_FAMILY_CPU, .context = support_device()});
  on_every_backend((BackendSettings){.kind = SETOSA_BACKEND_NATIVE, .family = SETOSA_FAMILY_GPU, .context = support_device()});
}

static void openblas(void **state) {
  (void)state;
#ifdef SETOSA_HAVE_BLAS
  on_every_backend((BackendSettings){.kind = SETOSA_BACKEND_BLAS});
#else
  support_skip("this build has no OpenBLAS");
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(families_of_native), cmocka_unit_test(openblas)};
  return support_run("objective on backends", tests, support_device_open, support_device_close);
}
