/* setosa_train through the public header alone: results, refusals, callbacks, provenance; on the reference backend, and on the best
 * device when there is one. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/public_device.h"

static SetosaTrainOptions options_for(SetosaBackend backend) {
  SetosaTrainOptions options = setosa_train_options_default();
  options.compute.backend = backend;
  options.compute.device = backend == SETOSA_BACKEND_NATIVE ? support_public_device() : NULL;
  options.l2 = 0.01;
  return options;
}

static SetosaDataset *load(const char *name, const SetosaDataOptions *options) {
  char path[4096];
  SetosaDataset *data = NULL;
  SetosaError error = {0};
  const char *source = getenv("SETOSA_SOURCE_DIR");
  snprintf(path, sizeof path, "%s/data/%s", source != NULL ? source : ".", name);
  if (setosa_dataset_load(&data, path, options, &error) != SETOSA_OK) fail_msg("%s", error.message);
  return data;
}

/* Trains, or fails the test with the message; *model may be NULL when it is not wanted. */
static SetosaTrainResult train(SetosaDataset *data, const SetosaTrainOptions *options, SetosaModel **model) {
  SetosaTrainResult result;
  SetosaModel *made = NULL;
  SetosaError error = {0};
  memset(&result, 0x7F, sizeof result);
  if (setosa_train(&made, &result, data, options, &error) != SETOSA_OK) fail_msg("%s", error.message);
  assert_non_null(made);
  if (model != NULL)
    *model = made;
  else
    setosa_model_destroy(made);
  return result;
}

static void expect_refusal(SetosaDataset *data, const SetosaTrainOptions *options, SetosaStatus expected, const char *words) {
  SetosaModel *model = (SetosaModel *)1;
  SetosaTrainResult result;
  SetosaError error = {0};
  assert_int_equal(setosa_train(&model, &result, data, options, &error), expected);
  assert_null(model);
  assert_int_equal(error.status, expected);
  if (strstr(error.message, words) == NULL) fail_msg("\"%s\" does not say \"%s\"", error.message, words);
  assert_null(strchr(error.message, '\n'));
  assert_int_equal(setosa_train(&model, NULL, data, options, NULL), expected); /* neither result nor error is needed */
}

/* ---- the sets of known optimum ------------------------------------------------------------------------------------ */

static void check_iris(SetosaBackend backend) {
  SetosaDataset *data = load("iris.csv", NULL);
  SetosaTrainOptions options = options_for(backend);
  SetosaModel *model = NULL;
  SetosaTrainResult result = train(data, &options, &model), again = train(data, &options, NULL);
  assert_true(result.converged);
  assert_string_equal(result.stop_reason, "gradient-tolerance");
  assert_string_equal(result.advice, "");
  assert_float_equal(result.objective / 0.224288902895, 1.0, 1e-6);
  assert_float_equal(result.train_accuracy, 146.0 / 150.0, 1e-12);
  assert_float_equal(result.train_log_loss, result.loss, 1e-6);
  assert_true(result.gradient_norm <= options.tolerance);
  assert_true(isnan(result.validation_accuracy) && isnan(result.validation_log_loss));
  assert_true(result.device_bytes >= 150 * 4 * 4);
  assert_int_equal(strlen(result.weights_hash), 32);
  assert_string_equal(result.weights_hash, again.weights_hash);
  assert_string_equal(setosa_model_class_name(model, 0), "setosa");
  SetosaMetrics *metrics = NULL;
  assert_int_equal(setosa_evaluate(&metrics, model, data, &options.compute, NULL), SETOSA_OK);
  assert_float_equal(metrics->accuracy, result.train_accuracy, 1e-12);
  assert_float_equal(metrics->log_loss, result.train_log_loss, 1e-6);
  setosa_metrics_destroy(metrics);
  setosa_model_destroy(model);
  setosa_dataset_destroy(data);
}

static void check_petals(SetosaBackend backend) {
  SetosaDataOptions read = setosa_data_options_default();
  read.features = "petal_length,petal_width";
  read.positive = "setosa";
  SetosaDataset *data = load("iris.csv", &read);
  SetosaTrainOptions options = options_for(backend);
  SetosaTrainResult result = train(data, &options, NULL);
  assert_true(result.converged);
  assert_float_equal(result.objective / 0.036699582600, 1.0, 1e-6);
  assert_float_equal(result.train_accuracy, 1.0, 0.0);
  setosa_dataset_destroy(data);
}

static void check_digits(SetosaBackend backend) {
  SetosaDataOptions read = setosa_data_options_default();
  read.scale = 1.0 / 16.0;
  SetosaDataset *data = load("digits.csv.gz", &read);
  SetosaTrainOptions options = options_for(backend);
  options.l2 = 0.001;
  SetosaTrainResult result = train(data, &options, NULL);
  assert_true(result.converged);
  assert_float_equal(result.objective / 0.261864547217, 1.0, 1e-6);
  assert_float_equal(result.train_accuracy, 0.9789, 5e-5);
  setosa_dataset_destroy(data);
}

static void check_wine(SetosaBackend backend) {
  SetosaDataset *data = load("wine.csv", NULL);
  assert_int_equal(setosa_dataset_standardize(data, NULL), SETOSA_OK);
  SetosaTrainOptions options = options_for(backend);
  SetosaTrainResult result = train(data, &options, NULL);
  assert_true(result.converged);
  assert_float_equal(result.objective / 0.091819730524, 1.0, 1e-6);
  assert_float_equal(result.train_accuracy, 1.0, 0.0);
  setosa_dataset_destroy(data);
}

static void test_iris_reference(void **state) { (void)state, check_iris(SETOSA_BACKEND_REFERENCE); }
static void test_iris_native(void **state) { (void)state, check_iris(SETOSA_BACKEND_NATIVE); }
static void test_petals_reference(void **state) { (void)state, check_petals(SETOSA_BACKEND_REFERENCE); }
static void test_petals_native(void **state) { (void)state, check_petals(SETOSA_BACKEND_NATIVE); }
static void test_digits_reference(void **state) { (void)state, check_digits(SETOSA_BACKEND_REFERENCE); }
static void test_digits_native(void **state) { (void)state, check_digits(SETOSA_BACKEND_NATIVE); }
static void test_wine_reference(void **state) { (void)state, check_wine(SETOSA_BACKEND_REFERENCE); }
static void test_wine_native(void **state) { (void)state, check_wine(SETOSA_BACKEND_NATIVE); }

/* ---- every solver --------------------------------------------------------------------------------------------------- */

static void check_solvers(SetosaBackend backend) {
  const SetosaSolver solvers[] = {SETOSA_SOLVER_LBFGS, SETOSA_SOLVER_GD, SETOSA_SOLVER_SGD, SETOSA_SOLVER_ADAM};
  const char *const reasons[] = {"gradient-tolerance", "gradient-tolerance", "epochs-done", "epochs-done"};
  for (size_t s = 0; s < 4; s++) {
    char hashes[2][33];
    for (int run = 0; run < 2; run++) {
      SetosaDataset *data = load("wine.csv", NULL);
      assert_int_equal(setosa_dataset_standardize(data, NULL), SETOSA_OK);
      SetosaTrainOptions options = options_for(backend);
      options.solver = solvers[s];
      options.epochs = 60;
      options.batch_size = 32;
      if (s == 2) options.momentum = 0.9, options.nesterov = true;
      if (s == 3) options.learning_rate = 0.05;
      SetosaTrainResult result = train(data, &options, NULL);
      assert_string_equal(result.stop_reason, reasons[s]);
      assert_int_equal(result.converged, s < 2);
      assert_true(result.objective < 0.1 && result.objective > 0.0918);
      assert_true((result.advice[0] != '\0') == (s >= 2));
      memcpy(hashes[run], result.weights_hash, 33);
      setosa_dataset_destroy(data);
    }
    assert_string_equal(hashes[0], hashes[1]);
  }
}

static void test_solvers_reference(void **state) { (void)state, check_solvers(SETOSA_BACKEND_REFERENCE); }
static void test_solvers_native(void **state) { (void)state, check_solvers(SETOSA_BACKEND_NATIVE); }

static void check_overflow(SetosaBackend backend) {
  for (int solver = SETOSA_SOLVER_GD; solver <= SETOSA_SOLVER_ADAM; solver++) {
    SetosaDataset *data = load("iris.csv", NULL);
    SetosaTrainOptions options = options_for(backend);
    SetosaModel *model = NULL;
    options.solver = (SetosaSolver)solver;
    options.learning_rate = 1e41;
    options.l2 = 0; /* with it the implicit step would hold the weights */
    SetosaTrainResult result = train(data, &options, &model);
    assert_string_equal(result.stop_reason, "non-finite");
    assert_false(result.converged);
    assert_non_null(strstr(result.advice, "lower --learning-rate"));
    assert_true(result.objective <= log(3.0) * (1.0 + 1e-6));
    assert_true(isfinite(result.train_log_loss));
    for (size_t i = 0; i < 12; i++) assert_true(isfinite(setosa_model_weights(model)[i]));
    setosa_model_destroy(model);
    setosa_dataset_destroy(data);
  }
}

static void test_overflow_reference(void **state) { (void)state, check_overflow(SETOSA_BACKEND_REFERENCE); }
static void test_overflow_native(void **state) { (void)state, check_overflow(SETOSA_BACKEND_NATIVE); }

/* ---- callbacks ------------------------------------------------------------------------------------------------------ */

typedef struct Watch {
  uint64_t calls, stop_after;
  bool expect_validation;
  double last_validation;
} Watch;

static bool watch(const SetosaProgress *progress, void *user) {
  Watch *seen = user;
  assert_int_equal(progress->phase, SETOSA_PHASE_TRAIN);
  assert_int_equal(progress->iteration, ++seen->calls);
  assert_true(progress->iteration <= progress->max_iterations);
  assert_true(isfinite(progress->objective) && progress->loss <= progress->objective && progress->gradient_norm > 0.0);
  assert_true(progress->step > 0.0 && progress->seconds >= 0.0 && progress->rows_per_second >= 0.0);
  assert_true(isfinite(progress->validation_loss) == seen->expect_validation);
  seen->last_validation = progress->validation_loss;
  return seen->calls != seen->stop_after;
}

static void check_callbacks(SetosaBackend backend) {
  for (int solver = SETOSA_SOLVER_LBFGS; solver <= SETOSA_SOLVER_ADAM; solver++) {
    SetosaDataset *data = load("iris.csv", NULL), *held_out = NULL;
    assert_int_equal(setosa_dataset_split(data, 0.2, 4, &held_out, NULL), SETOSA_OK);
    SetosaTrainOptions options = options_for(backend);
    Watch seen = {.stop_after = 3, .expect_validation = true};
    options.solver = (SetosaSolver)solver;
    options.validation = held_out;
    options.progress = watch;
    options.progress_user = &seen;
    SetosaTrainResult result = train(data, &options, NULL);
    assert_int_equal(seen.calls, 3);
    assert_int_equal(result.iterations, 3);
    assert_string_equal(result.stop_reason, "interrupted");
    assert_false(result.converged);
    assert_float_equal(result.validation_log_loss, seen.last_validation, 1e-6); /* of the same weights */
    assert_true(result.validation_accuracy >= 0.0 && result.validation_accuracy <= 1.0);
    setosa_dataset_destroy(held_out);
    setosa_dataset_destroy(data);
  }
}

static void test_callbacks_reference(void **state) { (void)state, check_callbacks(SETOSA_BACKEND_REFERENCE); }
static void test_callbacks_native(void **state) { (void)state, check_callbacks(SETOSA_BACKEND_NATIVE); }

/* ---- starting points ------------------------------------------------------------------------------------------------ */

static void check_initial(SetosaBackend backend) {
  SetosaDataset *data = load("iris.csv", NULL);
  SetosaTrainOptions options = options_for(backend);
  SetosaModel *model = NULL, *same = NULL, *without = NULL;
  SetosaTrainResult first = train(data, &options, &model);
  options.initial = model;
  options.max_iterations = 0;
  SetosaTrainResult second = train(data, &options, &same);
  assert_int_equal(second.iterations, 0);
  assert_float_equal(second.objective, first.objective, 1e-7);
  assert_memory_equal(setosa_model_weights(model), setosa_model_weights(same), 12 * sizeof(float));
  assert_string_equal(first.weights_hash, second.weights_hash);
  options.intercept = false;
  options.max_iterations = 50;
  SetosaTrainResult third = train(data, &options, &without);
  assert_true(third.objective < 1.1);
  for (int k = 0; k < 3; k++) assert_true(setosa_model_bias(without)[k] == 0);
  assert_false(setosa_model_bias(model)[0] == 0);
  setosa_model_destroy(model);
  setosa_model_destroy(same);
  setosa_model_destroy(without);
  setosa_dataset_destroy(data);
}

static void test_initial_reference(void **state) { (void)state, check_initial(SETOSA_BACKEND_REFERENCE); }
static void test_initial_native(void **state) { (void)state, check_initial(SETOSA_BACKEND_NATIVE); }

static void test_no_iterations(void **state) {
  (void)state;
  SetosaDataset *data = load("iris.csv", NULL);
  SetosaTrainOptions options = options_for(SETOSA_BACKEND_REFERENCE);
  options.max_iterations = 0;
  SetosaTrainResult result = train(data, &options, NULL);
  assert_string_equal(result.stop_reason, "max-iterations");
  assert_float_equal(result.objective, log(3.0), 1e-15);
  assert_float_equal(result.train_accuracy, 1.0 / 3.0, 1e-12); /* equal logits: the first class */
  assert_non_null(strstr(result.advice, "--max-iterations"));
  assert_non_null(strstr(result.advice, "--standardize"));
  setosa_dataset_destroy(data);
}

/* ---- provenance ----------------------------------------------------------------------------------------------------- */

static const char *metadata_of(const SetosaModel *model, const char *wanted) {
  const char *key = NULL, *value = NULL;
  for (size_t i = 0; setosa_model_metadata(model, i, &key, &value); i++)
    if (strcmp(key, wanted) == 0) return value;
  return "(absent)";
}

static void test_metadata(void **state) {
  (void)state;
  SetosaDataset *data = load("iris.csv", NULL);
  SetosaTrainOptions options = options_for(SETOSA_BACKEND_REFERENCE);
  SetosaModel *model = NULL;
  SetosaTrainResult result = train(data, &options, &model);
  assert_string_equal(metadata_of(model, "source"), "iris.csv"); /* no folder */
  assert_string_equal(metadata_of(model, "solver"), "auto");
  assert_string_equal(metadata_of(model, "rows"), "150");
  assert_string_equal(metadata_of(model, "converged"), "true");
  assert_string_equal(metadata_of(model, "stop_reason"), "gradient-tolerance");
  assert_string_equal(metadata_of(model, "backend"), "reference");
  assert_string_equal(metadata_of(model, "device"), "host");
  assert_string_equal(metadata_of(model, "version"), SETOSA_VERSION);
  assert_float_equal(atof(metadata_of(model, "l2")), 0.01, 0.0);
  assert_float_equal(atof(metadata_of(model, "objective")), result.objective, 0.0);
  setosa_model_destroy(model);
  setosa_dataset_destroy(data);
}

/* With tolerance 0 every iteration is run, which is the end that was asked for. */
static void test_no_tolerance(void **state) {
  (void)state;
  SetosaDataset *data = load("iris.csv", NULL);
  for (int s = SETOSA_SOLVER_LBFGS; s <= SETOSA_SOLVER_ADAM; s++) {
    SetosaTrainOptions options = options_for(SETOSA_BACKEND_REFERENCE);
    options.solver = (SetosaSolver)s;
    options.tolerance = 0.0;
    options.max_iterations = options.epochs = 7;
    SetosaTrainResult result = train(data, &options, NULL);
    assert_int_equal(result.iterations, 7);
    assert_false(result.converged);
    assert_string_equal(result.stop_reason, s < SETOSA_SOLVER_SGD ? "max-iterations" : "epochs-done");
    assert_string_equal(result.advice, "");
  }
  setosa_dataset_destroy(data);
}

/* ---- refusals ------------------------------------------------------------------------------------------------------- */

static void test_bad_options(void **state) {
  (void)state;
  SetosaDataset *data = load("iris.csv", NULL);
  const SetosaTrainOptions good = options_for(SETOSA_BACKEND_REFERENCE);
#define REFUSED(words, ...)                              \
  do {                                                   \
    SetosaTrainOptions o = good;                         \
    __VA_ARGS__;                                         \
    expect_refusal(data, &o, SETOSA_ERROR_USAGE, words); \
  } while (0)
  REFUSED("--l2 \"-1\": give a number from 0 to 1e30", o.l2 = -1.0);
  REFUSED("--l2", o.l2 = NAN);
  REFUSED("--l2", o.l2 = INFINITY);
  REFUSED("--tolerance", o.tolerance = -1e-3);
  REFUSED("--tolerance", o.tolerance = NAN);
  REFUSED("--momentum \"1\": give a number of at least 0 and less than 1", o.solver = SETOSA_SOLVER_SGD, o.momentum = 1.0);
  REFUSED("--momentum", o.solver = SETOSA_SOLVER_SGD, o.momentum = -0.1);
  REFUSED("--momentum", o.solver = SETOSA_SOLVER_SGD, o.momentum = NAN);
  REFUSED("--momentum has no effect with --solver auto", o.momentum = 0.9);
  REFUSED("--momentum has no effect with --solver adam", o.solver = SETOSA_SOLVER_ADAM, o.momentum = 0.9);
  REFUSED("--nesterov has no effect with --solver gd", o.solver = SETOSA_SOLVER_GD, o.nesterov = true);
  REFUSED("--nesterov needs momentum", o.solver = SETOSA_SOLVER_SGD, o.nesterov = true);
  REFUSED("--learning-rate has no effect with --solver auto", o.learning_rate = 0.1);
  REFUSED("--learning-rate \"-0.1\": give a number more than 0", o.solver = SETOSA_SOLVER_GD, o.learning_rate = -0.1);
  REFUSED("--learning-rate \"inf\"", o.solver = SETOSA_SOLVER_SGD, o.learning_rate = INFINITY);
  REFUSED("--learning-rate \"0\": give a number more than 0", o.solver = SETOSA_SOLVER_ADAM, o.learning_rate = 0.0);
  REFUSED("--batch-size \"0\": give a whole number of at least 1", o.solver = SETOSA_SOLVER_SGD, o.batch_size = 0);
  REFUSED("--epochs \"0\"", o.solver = SETOSA_SOLVER_ADAM, o.epochs = 0);
  REFUSED("--history \"0\": give a whole number from 1 to 1000", o.history = 0);
  REFUSED("--history \"1001\"", o.history = 1001);
  REFUSED("--solver", o.solver = (SetosaSolver)7);
  REFUSED("--schedule", o.schedule = (SetosaSchedule)7);
  REFUSED("--family", o.compute.family = (SetosaFamily)7);
  REFUSED("--backend", o.compute.backend = (SetosaBackend)7);
  REFUSED("--tune \"7\": give quick, off or full", o.compute.tuning = (SetosaTuning)7);
  REFUSED("--reproducible keeps to fixed kernel shapes, so --tune full", o.compute.reproducible = true,
          o.compute.tuning = SETOSA_TUNING_FULL);
  REFUSED("needs a device", o.compute.backend = SETOSA_BACKEND_NATIVE, o.compute.device = NULL);
#undef REFUSED
  expect_refusal(data, NULL, SETOSA_ERROR_USAGE, "options");
  expect_refusal(NULL, &good, SETOSA_ERROR_USAGE, "`dataset` is NULL");
  /* What is refused with one solver is fine where it means something, and unused numbers are not looked at. */
  SetosaTrainOptions fine = good;
  fine.batch_size = 0;
  fine.epochs = 0;
  train(data, &fine, NULL);
  setosa_dataset_destroy(data);
}

static void test_bad_data(void **state) {
  (void)state;
  const float x[] = {1.0f, 2.0f, 3.0f, 4.0f};
  const int32_t labels[] = {0, 1, 0, 1};
  SetosaDataset *data = NULL, *unlabelled = NULL, *narrow = NULL;
  SetosaTrainOptions options = options_for(SETOSA_BACKEND_REFERENCE);
  assert_int_equal(setosa_dataset_wrap(&data, 4, 1, 2, x, labels, NULL), SETOSA_OK);
  assert_int_equal(setosa_dataset_wrap(&unlabelled, 4, 1, 2, x, NULL, NULL), SETOSA_OK);
  assert_int_equal(setosa_dataset_wrap(&narrow, 2, 2, 2, x, labels, NULL), SETOSA_OK);
  expect_refusal(unlabelled, &options, SETOSA_ERROR_DATA, "no labels to train on");
  options.validation = narrow;
  expect_refusal(data, &options, SETOSA_ERROR_USAGE, "2 features and 2 classes, the training data 1 and 2");
  options.validation = unlabelled;
  expect_refusal(data, &options, SETOSA_ERROR_DATA, "no labels");
  options.validation = NULL;

  SetosaModel *model = NULL;
  train(data, &options, &model);
  options.initial = model;
  expect_refusal(narrow, &options, SETOSA_ERROR_USAGE, "initial model has 1 features");
  setosa_model_destroy(model);
  SetosaDataset *all[] = {data, unlabelled, narrow};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) setosa_dataset_destroy(all[i]);
}

/* Borrowed arrays are the caller's: mini-batch training permutes a copy. */
static void test_wrapped_rows_stay(void **state) {
  (void)state;
  float x[64], kept[64];
  int32_t labels[64], kept_labels[64];
  for (int i = 0; i < 64; i++) x[i] = (float)i / 64.0f, labels[i] = i >= 32;
  memcpy(kept, x, sizeof x);
  memcpy(kept_labels, labels, sizeof labels);
  SetosaDataset *data = NULL;
  assert_int_equal(setosa_dataset_wrap(&data, 64, 1, 2, x, labels, NULL), SETOSA_OK);
  SetosaTrainOptions options = options_for(SETOSA_BACKEND_REFERENCE);
  options.solver = SETOSA_SOLVER_SGD;
  options.batch_size = 8;
  SetosaTrainResult result = train(data, &options, NULL);
  assert_true(result.objective < log(2.0));
  assert_memory_equal(x, kept, sizeof x);
  assert_memory_equal(labels, kept_labels, sizeof labels);
  setosa_dataset_destroy(data);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_iris_reference),      cmocka_unit_test(test_iris_native),        cmocka_unit_test(test_petals_reference),
      cmocka_unit_test(test_petals_native),       cmocka_unit_test(test_digits_reference),   cmocka_unit_test(test_digits_native),
      cmocka_unit_test(test_wine_reference),      cmocka_unit_test(test_wine_native),        cmocka_unit_test(test_solvers_reference),
      cmocka_unit_test(test_solvers_native),      cmocka_unit_test(test_overflow_reference), cmocka_unit_test(test_overflow_native),
      cmocka_unit_test(test_callbacks_reference), cmocka_unit_test(test_callbacks_native),   cmocka_unit_test(test_initial_reference),
      cmocka_unit_test(test_initial_native),      cmocka_unit_test(test_no_iterations),      cmocka_unit_test(test_metadata),
      cmocka_unit_test(test_no_tolerance),        cmocka_unit_test(test_bad_options),        cmocka_unit_test(test_bad_data),
      cmocka_unit_test(test_wrapped_rows_stay),
  };
  return support_run("setosa_train", tests, support_public_device_open, support_public_device_close);
}
