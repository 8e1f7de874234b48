/* L1 and elastic net: optima that a proximal gradient method in double (FISTA, residual at most 1e-11) found independently, with the number
 * of weights that are not 0, on every backend; and the ends of the penalty. */
#include <math.h>
#include <string.h>

#include "setosa.h"
#include "support/public_device.h"
#include "support/support.h"

typedef struct Optimum {
  const char *what, *positive, *features;
  double l1, l2;
  bool weighted, intercept;
  double objective;
  unsigned nonzeros;
} Optimum;

static const Optimum optima[] = {
    {"iris", NULL, NULL, 0.01, 0, false, true, 0.211893249087, 4},
    {"iris, elastic net", NULL, NULL, 0.01, 0.01, false, true, 0.307891787187, 7},
    {"iris, strong", NULL, NULL, 0.1, 0, false, true, 0.626675404037, 2},
    {"iris, weighted", NULL, NULL, 0.01, 0.01, true, true, 0.311020693320, 7},
    {"iris without intercept", NULL, NULL, 0.01, 0, false, false, 0.295035000153, 6},
    {"iris, two classes, two features", "setosa", "petal_length,petal_width", 0.01, 0, false, true, 0.046409679887, 2},
    {"iris, two classes", "virginica", NULL, 0.005, 0.001, false, true, 0.133071721119, 8},
    {"iris, one feature", NULL, "petal_length", 0.02, 0, false, true, 0.301145571733, 2},
    {"iris, nothing left", NULL, NULL, 10, 0, false, true, 1.098612288668, 0},
};

static SetosaDataset *load(const Optimum *optimum) {
  SetosaDataOptions options = setosa_data_options_default();
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  char path[SUPPORT_PATH];
  float weights[150];
  support_source_path(path, "data/iris.csv");
  options.positive = optimum->positive;
  options.features = optimum->features;
  support_ok(setosa_dataset_load(&dataset, path, &options, &error), &error);
  for (int i = 0; i < 150; i++) weights[i] = (float)(1 + i % 3);
  if (optimum->weighted) support_ok(setosa_dataset_set_weights(dataset, weights, &error), &error);
  return dataset;
}

static SetosaTrainOptions options_of(const Optimum *optimum, SetosaBackend backend, SetosaFamily family) {
  SetosaTrainOptions options = setosa_train_options_default();
  options.compute.backend = backend;
  options.compute.family = family;
  options.compute.device = backend == SETOSA_BACKEND_NATIVE ? support_public_device() : NULL;
  options.l1 = optimum->l1;
  options.l2 = optimum->l2;
  options.intercept = optimum->intercept;
  return options;
}

static SetosaTrainResult train(const Optimum *optimum, const SetosaTrainOptions *options, SetosaModel **model) {
  SetosaTrainResult result;
  SetosaModel *made = NULL;
  SetosaError error = {0};
  SetosaDataset *dataset = load(optimum);
  support_ok(setosa_train(&made, &result, dataset, options, &error), &error);
  setosa_dataset_destroy(dataset);
  if (model != NULL)
    *model = made;
  else
    setosa_model_destroy(made);
  return result;
}

static void expect(const Optimum *optimum, const SetosaTrainOptions *options, double tolerance) {
  SetosaTrainResult result = train(optimum, options, NULL);
  if (!(fabs(result.objective / optimum->objective - 1) <= tolerance) || result.nonzeros != optimum->nonzeros || !result.converged)
    fail_msg("%s (%s): F %.12f, %llu weights not 0, %s; expected %.12f, %u", optimum->what, result.solver, result.objective,
             (unsigned long long)result.nonzeros, result.stop_reason, optimum->objective, optimum->nonzeros);
  if (strcmp(result.gap_kind, "certificate") == 0) assert_true(result.objective * (1 - result.gap) <= optimum->objective * (1 + tolerance));
}

static void the_reference_reaches_them(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof optima / sizeof *optima; i++) {
    SetosaTrainOptions options = options_of(&optima[i], SETOSA_BACKEND_REFERENCE, SETOSA_FAMILY_AUTO);
    options.tolerance = 1e-8;
    expect(&optima[i], &options, 1e-9);
  }
}

static void devices_reach_them(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof optima / sizeof *optima; i++)
    for (SetosaFamily family = SETOSA_FAMILY_CPU; family <= SETOSA_FAMILY_GPU; family++) {
      SetosaTrainOptions options = options_of(&optima[i], SETOSA_BACKEND_NATIVE, family);
      expect(&optima[i], &options, 1e-6);
    }
}

static void every_model_of_curvature_reaches_them(void **state) {
  (void)state;
  for (SetosaPreconditioner kind = SETOSA_PRECONDITIONER_DIAGONAL; kind <= SETOSA_PRECONDITIONER_BLOCKS; kind++)
    for (size_t i = 0; i < 5; i++) {
      SetosaTrainOptions options = options_of(&optima[i], SETOSA_BACKEND_REFERENCE, SETOSA_FAMILY_AUTO);
      options.solver = SETOSA_SOLVER_LBFGS;
      options.preconditioner = kind;
      expect(&optima[i], &options, 1e-6);
    }
}

/* Gradient descent takes proximal steps; stochastic ones of all rows are as many, and end near. */
static void first_order_methods_agree(void **state) {
  (void)state;
  static const struct {
    SetosaSolver solver;
    double rate, momentum, tolerance;
  } cases[] = {{SETOSA_SOLVER_GD, NAN, 0, 1e-5}, {SETOSA_SOLVER_SGD, 0.1, 0.99, 1e-4}, {SETOSA_SOLVER_ADAM, 0.1, 0, 1e-4}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    SetosaTrainOptions options = options_of(&optima[1], SETOSA_BACKEND_REFERENCE, SETOSA_FAMILY_AUTO);
    options.solver = cases[i].solver;
    options.learning_rate = cases[i].rate;
    options.momentum = cases[i].momentum;
    options.max_iterations = 20000;
    options.epochs = 3000;
    options.batch_size = 150;
    SetosaTrainResult result = train(&optima[1], &options, NULL);
    support_near(result.objective / optima[1].objective, 1, cases[i].tolerance);
    if (cases[i].solver == SETOSA_SOLVER_GD) assert_int_equal(result.nonzeros, optima[1].nonzeros);
  }
}

/* With a penalty however strong, implicit steps stay finite and leave the bias, whose optimum is the logarithm of what each class has: of
 * three equal classes log 3. */
static void strong_penalties_leave_the_bias(void **state) {
  (void)state;
  const Optimum strong = {"iris", NULL, NULL, 0, 1e6, false, true, log(3), 0};
  static const SetosaSolver solvers[] = {SETOSA_SOLVER_AUTO, SETOSA_SOLVER_GD, SETOSA_SOLVER_SGD, SETOSA_SOLVER_ADAM};
  for (size_t s = 0; s < 4; s++)
    for (int sparse = 0; sparse < 2; sparse++) {
      SetosaTrainOptions options = options_of(&strong, SETOSA_BACKEND_REFERENCE, SETOSA_FAMILY_AUTO);
      if (sparse) options.l1 = 1e6;
      options.solver = solvers[s];
      options.epochs = 30;
      SetosaModel *model = NULL;
      SetosaTrainResult result = train(&strong, &options, &model);
      support_near(result.objective, log(3), 1e-3);
      for (size_t i = 0; sparse && i < 12; i++) assert_true(setosa_model_weights(model)[i] == 0);
      setosa_model_destroy(model);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_reference_reaches_them),
      cmocka_unit_test(devices_reach_them),
      cmocka_unit_test(every_model_of_curvature_reaches_them),
      cmocka_unit_test(first_order_methods_agree),
      cmocka_unit_test(strong_penalties_leave_the_bias),
  };
  return support_run("api_l1", tests, support_public_device_open, support_public_device_close);
}
