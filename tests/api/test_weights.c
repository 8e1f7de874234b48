/* Sample and class weights through setosa.h, on every backend and solver: what a weight is, told by data sets without any. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/public_device.h"

enum { ROWS = 150, FEATURES = 4, CLASSES = 3 };

/* Iris as arrays, so that rows can be repeated, left out and weighed. */
typedef struct Iris {
  float x[ROWS * FEATURES];
  int32_t labels[ROWS];
} Iris;

static void read_iris(Iris *iris) {
  char path[SUPPORT_PATH];
  SetosaError error = {0};
  SetosaDataset *data = NULL;
  support_source_path(path, "data/iris.csv");
  support_ok(setosa_dataset_load(&data, path, NULL, &error), &error);
  memcpy(iris->x, setosa_dataset_values(data), sizeof iris->x);
  memcpy(iris->labels, setosa_dataset_labels(data), sizeof iris->labels);
  setosa_dataset_destroy(data);
}

/* Row i counts times[i] times: by its weight, or by being there so often (repeated). The arrays are the caller's to free. */
static SetosaDataset *make(const Iris *iris, const unsigned *times, bool repeated, float **x, int32_t **labels) {
  SetosaError error = {0};
  SetosaDataset *data = NULL;
  float weights[ROWS];
  size_t count = 0;
  *x = malloc(3 * sizeof iris->x);
  *labels = malloc(3 * sizeof iris->labels);
  assert_true(*x != NULL && *labels != NULL);
  for (size_t i = 0; i < ROWS; i++) {
    weights[i] = (float)times[i];
    for (unsigned n = 0; n < (repeated ? times[i] : 1); n++, count++) {
      memcpy(*x + count * FEATURES, iris->x + i * FEATURES, FEATURES * sizeof(float));
      (*labels)[count] = iris->labels[i];
    }
  }
  support_ok(setosa_dataset_wrap(&data, count, FEATURES, CLASSES, *x, *labels, &error), &error);
  if (!repeated) support_ok(setosa_dataset_set_weights(data, weights, &error), &error);
  return data;
}

/* Where to compute; false: this build or machine has none of it. */
typedef struct Place {
  const char *name;
  SetosaBackend backend;
  SetosaFamily family;
} Place;
static const Place places[] = {{"reference", SETOSA_BACKEND_REFERENCE, SETOSA_FAMILY_AUTO},
                               {"blas", SETOSA_BACKEND_BLAS, SETOSA_FAMILY_AUTO},
                               {"native, cpu family", SETOSA_BACKEND_NATIVE, SETOSA_FAMILY_CPU},
                               {"native, gpu family", SETOSA_BACKEND_NATIVE, SETOSA_FAMILY_GPU},
                               {"clblast", SETOSA_BACKEND_CLBLAST, SETOSA_FAMILY_AUTO}};
enum { PLACES = sizeof places / sizeof *places };

static bool on_host(const Place *place) { return place->backend == SETOSA_BACKEND_REFERENCE || place->backend == SETOSA_BACKEND_BLAS; }

static SetosaTrainOptions options_at(const Place *place) {
  SetosaTrainOptions options = setosa_train_options_default();
  options.compute.backend = place->backend;
  options.compute.family = place->family;
  options.compute.device = on_host(place) ? NULL : support_public_device();
  options.l2 = 0.01;
  options.tolerance = 1e-6;
  return options;
}

/* False: this build has no such backend. */
static bool train(SetosaDataset *data, const SetosaTrainOptions *options, SetosaTrainResult *result) {
  SetosaError error = {0};
  SetosaModel *model = NULL;
  SetosaStatus status = setosa_train(&model, result, data, options, &error);
  if (status == SETOSA_ERROR_USAGE && strncmp(error.message, "this build has no ", 18) == 0) return false;
  support_ok(status, &error);
  setosa_model_destroy(model);
  return true;
}

static void weigh_thirds(unsigned *times) {
  for (unsigned i = 0; i < ROWS; i++) times[i] = 1 + i % 3;
}

/* 0.226241284514385 is what weighted_iris.py beside this file finds: Newton's method in double, and nothing of ours. */
static void known_answer(const Place *place) {
  Iris iris;
  unsigned times[ROWS];
  float *x = NULL;
  int32_t *labels = NULL;
  SetosaTrainResult result = {0};
  SetosaTrainOptions options = options_at(place);
  read_iris(&iris);
  weigh_thirds(times);
  SetosaDataset *data = make(&iris, times, false, &x, &labels);
  if (place->backend == SETOSA_BACKEND_REFERENCE) options.tolerance = 1e-9;
  if (train(data, &options, &result)) {
    double allowed = place->backend == SETOSA_BACKEND_REFERENCE ? 1e-12 : 1e-7;
    if (!(fabs(result.objective / 0.226241284514385 - 1) <= allowed)) fail_msg("%s: %.15f", place->name, result.objective);
    support_near(result.train_log_loss, result.loss, 1e-6);
  }
  setosa_dataset_destroy(data);
  free(x);
  free(labels);
}

/* The same model from weights and from repeated rows. Of mini-batches one batch of all rows, since others would hold other rows; and from a
 * start where no derivative is 0, since adam's first step asks for its sign alone, which rounding would decide. */
static void as_repeated(const Place *place, const unsigned *times) {
  static const SetosaSolver solvers[] = {SETOSA_SOLVER_LBFGS, SETOSA_SOLVER_GD, SETOSA_SOLVER_SGD, SETOSA_SOLVER_ADAM};
  Iris iris;
  float *x[2] = {NULL, NULL};
  int32_t *labels[2] = {NULL, NULL};
  SetosaModel *start = NULL;
  const float first[CLASSES * FEATURES] = {0.3f, -0.2f, 0.1f, 0.2f, -0.1f, 0.3f, 0.2f, -0.3f, -0.2f, 0.1f, -0.3f, 0.1f};
  const float bias[CLASSES] = {0.1f, 0.2f, -0.2f};
  support_ok(setosa_model_create(&start, FEATURES, CLASSES, first, bias, NULL), NULL);
  read_iris(&iris);
  for (size_t s = 0; s < 4; s++) {
    SetosaTrainResult results[2];
    SetosaTrainOptions options = options_at(place);
    bool batches = solvers[s] == SETOSA_SOLVER_SGD || solvers[s] == SETOSA_SOLVER_ADAM, there = true;
    options.solver = solvers[s];
    options.initial = start;
    if (batches) options.batch_size = 1000000;
    if (solvers[s] == SETOSA_SOLVER_GD) options.max_iterations = 30;
    for (int repeated = 0; repeated < 2 && there; repeated++) {
      SetosaDataset *data = make(&iris, times, repeated, &x[repeated], &labels[repeated]);
      there = train(data, &options, &results[repeated]);
      setosa_dataset_destroy(data);
      free(x[repeated]);
      free(labels[repeated]);
    }
    if (!there) break;
    /* At the optimum rounding is of second order; on the way there both walk apart by as much as f32 rounds. */
    double allowed = solvers[s] == SETOSA_SOLVER_LBFGS ? 3e-7 : 2e-6; /* as near as --gap asks for */
    if (!(fabs(results[0].objective / results[1].objective - 1) <= allowed))
      fail_msg("%s, solver %s: %.12f with weights, %.12f with repeated rows", place->name, setosa_solver_name(solvers[s]),
               results[0].objective, results[1].objective);
    support_near(results[0].train_accuracy, results[1].train_accuracy, 1e-12);
  }
  setosa_model_destroy(start);
}

static void repeated_rows(const Place *place) {
  unsigned times[ROWS];
  weigh_thirds(times);
  as_repeated(place, times);
}

static void rows_left_out(const Place *place) {
  unsigned times[ROWS];
  for (unsigned i = 0; i < ROWS; i++) times[i] = i % 5 != 0;
  as_repeated(place, times);
}

/* "balanced" and the same factors in words are the same bits; so is the data set afterwards what it was before. */
static void balanced_is_explicit(const Place *place) {
  char path[SUPPORT_PATH], words[200];
  SetosaError error = {0};
  SetosaDataset *data = NULL;
  SetosaTrainResult balanced, explicit, plain[2];
  float weights[ROWS];
  double sums[CLASSES] = {0}, total = 0;
  support_source_path(path, "data/iris.csv");
  support_ok(setosa_dataset_load(&data, path, NULL, &error), &error);
  for (size_t i = 0; i < ROWS; i++) {
    weights[i] = 0.5f + (float)(i % 7);
    sums[setosa_dataset_labels(data)[i]] += (double)weights[i];
    total += (double)weights[i];
  }
  support_ok(setosa_dataset_set_weights(data, weights, &error), &error);
  snprintf(words, sizeof words, "setosa=%.17g,versicolor=%.17g,virginica=%.17g", total / (CLASSES * sums[0]), total / (CLASSES * sums[1]),
           total / (CLASSES * sums[2]));
  SetosaTrainOptions options = options_at(place), with = options;
  if (!train(data, &options, &plain[0])) goto cleanup;
  with.class_weight = "balanced";
  assert_true(train(data, &with, &balanced));
  with.class_weight = words;
  assert_true(train(data, &with, &explicit));
  assert_true(train(data, &options, &plain[1]));
  assert_string_equal(balanced.weights_hash, explicit.weights_hash);
  assert_string_equal(plain[0].weights_hash, plain[1].weights_hash);
  assert_string_not_equal(plain[0].weights_hash, balanced.weights_hash);
cleanup:
  setosa_dataset_destroy(data);
}

/* Weights of any unit: a thousand powers of ten change no more than rounding. */
static void units_do_not_matter(const Place *place) {
  Iris iris;
  unsigned times[ROWS];
  float *x = NULL, weights[ROWS];
  int32_t *labels = NULL;
  SetosaError error = {0};
  double objective = NAN;
  static const float units[] = {1, 1e30f, 1e-30f};
  read_iris(&iris);
  weigh_thirds(times);
  SetosaDataset *data = make(&iris, times, false, &x, &labels);
  for (size_t u = 0; u < 3; u++) {
    SetosaTrainResult result = {0};
    SetosaTrainOptions options = options_at(place);
    for (size_t i = 0; i < ROWS; i++) weights[i] = units[u] * (float)times[i];
    support_ok(setosa_dataset_set_weights(data, weights, &error), &error);
    if (!train(data, &options, &result)) break;
    if (u == 0) objective = result.objective;
    support_near(result.objective / objective, 1, 1e-6);
  }
  setosa_dataset_destroy(data);
  free(x);
  free(labels);
}

/* Targets (1 - e) onehot + e/K: a training on them equals one on K copies of each row, of every class, weighed so. */
static void smoothing_is_soft_targets(const Place *place) {
  enum { COPIES = ROWS * CLASSES };
  Iris iris;
  SetosaError error = {0};
  SetosaDataset *plain = NULL, *soft = NULL;
  SetosaTrainResult results[2];
  float *x = malloc(COPIES * FEATURES * sizeof *x), *weights = malloc(COPIES * sizeof *weights);
  int32_t *labels = malloc(COPIES * sizeof *labels);
  const double smoothing = 0.25; /* (1 - e) + e/K = 10/12 and e/K = 1/12 */
  assert_true(x != NULL && weights != NULL && labels != NULL);
  read_iris(&iris);
  for (size_t i = 0; i < COPIES; i++) {
    memcpy(x + i * FEATURES, iris.x + i / CLASSES * FEATURES, FEATURES * sizeof *x);
    labels[i] = (int32_t)(i % CLASSES);
    weights[i] = labels[i] == iris.labels[i / CLASSES] ? 10 : 1;
  }
  support_ok(setosa_dataset_wrap(&plain, ROWS, FEATURES, CLASSES, iris.x, iris.labels, &error), &error);
  support_ok(setosa_dataset_wrap(&soft, COPIES, FEATURES, CLASSES, x, labels, &error), &error);
  support_ok(setosa_dataset_set_weights(soft, weights, &error), &error);
  SetosaTrainOptions options = options_at(place), smooth = options;
  smooth.label_smoothing = smoothing;
  if (train(plain, &smooth, &results[0]) && train(soft, &options, &results[1]) &&
      !(fabs(results[0].objective / results[1].objective - 1) <= 2e-7))
    fail_msg("%s: %.12f smoothed, %.12f with soft targets", place->name, results[0].objective, results[1].objective);
  setosa_dataset_destroy(plain);
  setosa_dataset_destroy(soft);
  free(x);
  free(weights);
  free(labels);
}

#define EVERYWHERE(name, check)                            \
  static void name(void **state) {                         \
    (void)state;                                           \
    for (size_t i = 0; i < PLACES; i++) check(&places[i]); \
  }
EVERYWHERE(iris_has_its_weighted_optimum, known_answer)
EVERYWHERE(an_integer_weight_repeats_the_row, repeated_rows)
EVERYWHERE(a_weight_of_0_leaves_the_row_out, rows_left_out)
EVERYWHERE(balanced_equals_explicit_weights, balanced_is_explicit)
EVERYWHERE(the_unit_of_weights_does_not_matter, units_do_not_matter)
EVERYWHERE(label_smoothing_equals_soft_targets, smoothing_is_soft_targets)

static void what_cannot_be_is_refused(void **state) {
  (void)state;
  Iris iris;
  unsigned times[ROWS];
  float *x = NULL, weights[ROWS] = {0};
  int32_t *labels = NULL;
  SetosaError error = {0};
  read_iris(&iris);
  weigh_thirds(times);
  SetosaDataset *data = make(&iris, times, false, &x, &labels);
  support_fails(setosa_dataset_set_weights(data, weights, &error), &error, SETOSA_ERROR_DATA, "data: every weight is 0");
  weights[2] = -1;
  support_fails(setosa_dataset_set_weights(data, weights, &error), &error, SETOSA_ERROR_DATA,
                "data: weight 3: the weight '-1' is negative");
  weights[2] = NAN;
  support_fails(setosa_dataset_set_weights(data, weights, &error), &error, SETOSA_ERROR_DATA, "data: weight 3: ");
  static const char *const words[][2] = {{"0=2,7=1", "--class-weight: there is no class '7' in data"},
                                         {"0=2,0=1", "--class-weight: class 0 is named twice"},
                                         {"0", "--class-weight: '0' is neither"},
                                         {"", "--class-weight: '' is neither"},
                                         {"0=two", "--class-weight: the weight 'two' of class 0 is not a number"},
                                         {"0=-1", "the weight of class 0 is -1"},
                                         {"0=0,1=0,2=0", "data: every weight is 0"}};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    SetosaStatus status = setosa_dataset_set_class_weights(data, words[i][0], &error);
    support_fails(status, &error, i == 6 ? SETOSA_ERROR_DATA : SETOSA_ERROR_USAGE, words[i][1]);
  }
  setosa_dataset_destroy(data);
  free(x);
  free(labels);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(iris_has_its_weighted_optimum),       cmocka_unit_test(an_integer_weight_repeats_the_row),
      cmocka_unit_test(a_weight_of_0_leaves_the_row_out),    cmocka_unit_test(balanced_equals_explicit_weights),
      cmocka_unit_test(the_unit_of_weights_does_not_matter), cmocka_unit_test(label_smoothing_equals_soft_targets),
      cmocka_unit_test(what_cannot_be_is_refused),
  };
  return support_run("weights", tests, support_public_device_open, support_public_device_close);
}
