/* Columns far from 0 train and predict as if they were near: iris and a million in each column, by way of NumPy files of f64. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/public_device.h"

enum { ROWS = 150, FEATURES = 4, CLASSES = 3 };
static const double OPTIMUM = 0.224288902895; /* of iris with l2 0.01, as test_optima.c has it */
static double iris[ROWS][FEATURES];
static char names[ROWS][16], folder[SUPPORT_PATH], labels[SUPPORT_PATH];

static int create(void **state) {
  char path[SUPPORT_PATH], line[128];
  if (support_public_device_open(state) != 0) return 1;
  support_folder_create(folder);
  support_path(labels, folder, "labels.txt");
  support_source_path(path, "data/iris.csv");
  FILE *csv = fopen(path, "r"), *out = fopen(labels, "w");
  if (csv == NULL || out == NULL || fgets(line, sizeof line, csv) == NULL) return 1;
  for (int i = 0; i < ROWS; i++) {
    double *x = iris[i];
    if (fscanf(csv, "%lf,%lf,%lf,%lf,%15s", &x[0], &x[1], &x[2], &x[3], names[i]) != 5) return 1;
    fprintf(out, "%s\n", names[i]);
  }
  fclose(csv);
  return fclose(out);
}

static int destroy(void **state) {
  support_folder_remove(folder);
  return support_public_device_close(state);
}

/* Rows begin, begin + step, ... of iris, column d times factor[d] plus offset. */
typedef struct Part {
  int begin, step;
  double offset, factor[FEATURES];
} Part;

static const Part all = {0, 1, 0, {1, 1, 1, 1}}, far = {0, 1, 1e6, {1, 1, 1, 1}};

static void write_part(const char *path, const char *label_path, const Part *part) {
  FILE *file = fopen(path, "wb"), *label_file = fopen(label_path, "w");
  assert_true(file != NULL && label_file != NULL);
  int count = (ROWS - part->begin + part->step - 1) / part->step;
  char header[118] = "";
  int used = snprintf(header, sizeof header, "{'descr': '<f8', 'fortran_order': False, 'shape': (%d, %d), }", count, FEATURES);
  memset(header + used, ' ', sizeof header - (size_t)used);
  header[sizeof header - 1] = '\n';
  fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, file);
  fwrite(header, 1, sizeof header, file);
  for (int i = part->begin; i < ROWS; i += part->step) {
    double x[FEATURES];
    for (int d = 0; d < FEATURES; d++) x[d] = iris[i][d] * part->factor[d] + part->offset;
    fwrite(x, sizeof x, 1, file);
    fprintf(label_file, "%s\n", names[i]);
  }
  assert_int_equal(fclose(file) | fclose(label_file), 0);
}

static SetosaDataset *load_with(SetosaDataOptions options, Part part, bool unshifted) {
  char path[SUPPORT_PATH], label_path[SUPPORT_PATH];
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  support_path(path, folder, "x.npy");
  support_path(label_path, folder, "y.txt");
  write_part(path, label_path, &part);
  options.labels_path = label_path;
  options.unshifted = unshifted;
  support_ok(setosa_dataset_load(&dataset, path, &options, &error), &error);
  return dataset;
}

static SetosaDataset *load(Part part, bool unshifted) { return load_with(setosa_data_options_default(), part, unshifted); }

static SetosaTrainOptions on(SetosaBackend backend) {
  SetosaTrainOptions options = setosa_train_options_default();
  options.compute.backend = backend;
  options.compute.device = backend == SETOSA_BACKEND_NATIVE ? support_public_device() : NULL;
  options.l2 = 0.01;
  options.tolerance = backend == SETOSA_BACKEND_NATIVE ? 1e-6 : 1e-9;
  return options;
}

static SetosaModel *train(SetosaDataset *dataset, const SetosaTrainOptions *options, SetosaTrainResult *result) {
  SetosaModel *model = NULL;
  SetosaError error = {0};
  support_ok(setosa_train(&model, result, dataset, options, &error), &error);
  return model;
}

/* f32 rounds what is left of x once the shift is off: by 3e-8 in a random direction, of which 4e-9 of the objective remain. */
static void check_optimum(SetosaBackend backend, double tolerance) {
  const SetosaTrainOptions options = on(backend);
  for (double offset = 1e2; offset <= 1e6; offset *= 10) {
    Part part = all;
    SetosaTrainResult result;
    part.offset = offset;
    SetosaDataset *dataset = load(part, false);
    assert_non_null(setosa_dataset_shift(dataset));
    SetosaModel *model = train(dataset, &options, &result);
    assert_true(result.converged);
    if (!(fabs(result.objective / OPTIMUM - 1) < tolerance)) fail_msg("iris + %g ends at %.15g", offset, result.objective);
    assert_true(fabs(result.train_log_loss - result.loss) < 1e-6);
    setosa_model_destroy(model);
    setosa_dataset_destroy(dataset);
  }
  SetosaTrainResult result;
  SetosaDataset *near = load(all, false);
  assert_null(setosa_dataset_shift(near));
  SetosaModel *model = train(near, &options, &result);
  assert_true(fabs(result.objective / OPTIMUM - 1) < tolerance);
  setosa_model_destroy(model);
  setosa_dataset_destroy(near);
}

static void the_optimum_is_reached(void **state) {
  (void)state;
  check_optimum(SETOSA_BACKEND_REFERENCE, 1e-8);
}

static void the_optimum_is_reached_on_a_device(void **state) {
  (void)state;
  check_optimum(SETOSA_BACKEND_NATIVE, 1e-7);
}

typedef struct Rows {
  float p[ROWS * CLASSES];
  size_t count;
} Rows;

static bool take(size_t first_row, size_t count, const float *probabilities, void *user) {
  Rows *rows = user;
  memcpy(rows->p + first_row * CLASSES, probabilities, count * CLASSES * sizeof(float));
  rows->count += count;
  return true;
}

static Rows predict(const SetosaModel *model, const SetosaDataset *dataset, const SetosaTrainOptions *options) {
  Rows rows = {.count = 0};
  SetosaError error = {0};
  support_ok(setosa_predict(model, dataset, &options->compute, take, &rows, &error), &error);
  assert_int_equal(rows.count, setosa_dataset_rows(dataset));
  return rows;
}

static SetosaModel *save_and_load(const SetosaModel *model) {
  char path[SUPPORT_PATH];
  SetosaModel *loaded = NULL;
  SetosaError error = {0};
  support_path(path, folder, "m.safetensors");
  support_ok(setosa_model_save(model, path, &error), &error);
  support_ok(setosa_model_load(&loaded, path, &error), &error);
  return loaded;
}

/* To the bit after a round trip, and near for data with any other shift, or none: one row of them, say. */
static void check_predictions(SetosaBackend backend) {
  const SetosaTrainOptions options = on(backend);
  SetosaTrainResult result;
  SetosaDataset *dataset = load(far, false), *near = load(all, false);
  SetosaModel *model = train(dataset, &options, &result), *loaded = save_and_load(model), *plain = train(near, &options, &result);
  Rows here = predict(model, dataset, &options), there = predict(loaded, dataset, &options), expected = predict(plain, near, &options);
  assert_memory_equal(here.p, there.p, sizeof here.p);
  for (int i = 0; i < ROWS * CLASSES; i++) assert_true(fabsf(here.p[i] - expected.p[i]) < 1e-4f);
  for (int row = 0; row < ROWS; row += 49) {
    Part one = far;
    one.begin = row;
    one.step = ROWS;
    SetosaDataset *alone = load_with(setosa_model_data_options(loaded), one, false);
    Rows found = predict(loaded, alone, &options);
    for (int k = 0; k < CLASSES; k++) assert_true(fabsf(found.p[k] - here.p[row * CLASSES + k]) < 1e-5f);
    setosa_dataset_destroy(alone);
  }
  SetosaDataset *rounded = load(far, true); /* what f32 leaves of 1e6 + x: sixteenths */
  assert_null(setosa_dataset_shift(rounded));
  Rows coarse = predict(loaded, rounded, &options);
  for (int i = 0; i < ROWS * CLASSES; i++) assert_true(fabsf(coarse.p[i] - here.p[i]) < 0.2f);
  setosa_dataset_destroy(rounded);
  setosa_model_destroy(model);
  setosa_model_destroy(loaded);
  setosa_model_destroy(plain);
  setosa_dataset_destroy(dataset);
  setosa_dataset_destroy(near);
}

static void predictions_survive_the_file(void **state) {
  (void)state;
  check_predictions(SETOSA_BACKEND_REFERENCE);
}

static void predictions_survive_the_file_on_a_device(void **state) {
  (void)state;
  check_predictions(SETOSA_BACKEND_NATIVE);
}

/* Columns of random sizes and signs: what is loaded predicts what was trained, to the bit. */
static void any_scale_survives_the_file(void **state) {
  (void)state;
  SetosaTrainOptions options = on(SETOSA_BACKEND_REFERENCE);
  options.max_iterations = 20;
  options.tolerance = 0;
  for (uint64_t round = 0; round < 10; round++) {
    Part part = far;
    SetosaTrainResult result;
    for (uint64_t d = 0; d < FEATURES; d++) part.factor[d] = pow(10, 4 * random_symmetric(2, RANDOM_STREAM_CHECK, round, d));
    SetosaDataset *dataset = load(part, false);
    SetosaModel *model = train(dataset, &options, &result), *loaded = save_and_load(model);
    Rows here = predict(model, dataset, &options), there = predict(loaded, dataset, &options);
    assert_memory_equal(here.p, there.p, sizeof here.p);
    setosa_model_destroy(model);
    setosa_model_destroy(loaded);
    setosa_dataset_destroy(dataset);
  }
}

/* Rows held out of the same file have the training rows' shift, those of another file their own. Both give the loss that the model has. */
static void validation_rows_may_have_another_shift(void **state) {
  (void)state;
  Part even = far, odd = far;
  SetosaTrainResult result, again;
  SetosaError error = {0};
  SetosaMetrics *metrics = NULL;
  even.step = odd.step = 2;
  odd.begin = 41; /* fewer of the first class: other means */
  even.offset = odd.offset = 1000;
  const SetosaBackend backends[] = {SETOSA_BACKEND_REFERENCE, SETOSA_BACKEND_NATIVE};
  for (int b = 0; b < 2; b++)
    for (int intercept = 1; intercept >= 0; intercept--) {
      SetosaTrainOptions options = on(backends[b]);
      if (!intercept) options.max_iterations = 30, options.tolerance = 0, options.solver = SETOSA_SOLVER_GD;
      SetosaDataset *dataset = load(even, false), *held_out = load(odd, false), *rounded = load(odd, true);
      assert_memory_not_equal(setosa_dataset_shift(held_out), setosa_dataset_shift(dataset), FEATURES * sizeof(double));
      options.intercept = intercept;
      options.validation = held_out;
      SetosaModel *model = train(dataset, &options, &result);
      assert_int_equal(setosa_dataset_shift(dataset) == NULL, !intercept); /* taken off where no bias makes up for it */
      assert_non_null(setosa_dataset_shift(held_out));
      for (int k = 0; !intercept && k < CLASSES; k++) assert_true(setosa_model_bias(model)[k] == 0);
      support_ok(setosa_evaluate(&metrics, model, held_out, &options.compute, &error), &error);
      support_near(result.validation_log_loss, metrics->log_loss, 2e-6);
      assert_true(result.validation_accuracy == metrics->accuracy);
      if (intercept) assert_true(metrics->accuracy > 0.9);
      setosa_metrics_destroy(metrics);
      options.validation = rounded;
      SetosaModel *other = train(dataset, &options, &again);
      assert_string_equal(again.weights_hash, result.weights_hash); /* validation rows do not change what is trained */
      support_near(again.validation_log_loss, result.validation_log_loss, intercept ? 1e-3 : 1e-5);
      setosa_model_destroy(other);
      setosa_model_destroy(model);
      setosa_dataset_destroy(dataset);
      setosa_dataset_destroy(held_out);
      setosa_dataset_destroy(rounded);
    }
}

/* Weights that were trained go on as they are on rows about another shift. */
static void a_model_is_a_start_for_any_shift(void **state) {
  (void)state;
  Part late = far; /* fewer of the first class: other means */
  SetosaTrainOptions options = on(SETOSA_BACKEND_REFERENCE);
  SetosaTrainResult result, start;
  late.begin = 40;
  SetosaDataset *dataset = load(far, false), *half = load(late, false);
  assert_memory_not_equal(setosa_dataset_shift(dataset), setosa_dataset_shift(half), FEATURES * sizeof(double));
  SetosaModel *model = train(half, &options, &result);
  options.initial = model;
  options.max_iterations = 0;
  SetosaModel *same = train(half, &options, &start);
  support_near(start.objective, result.objective, 1e-9);
  setosa_model_destroy(same);
  SetosaMetrics *metrics = NULL;
  SetosaError error = {0};
  same = train(dataset, &options, &start);
  support_ok(setosa_evaluate(&metrics, model, dataset, &options.compute, &error), &error);
  support_near(start.loss, metrics->log_loss, 1e-7);
  for (int k = 0; k < CLASSES; k++) support_near(setosa_model_bias(same)[k], setosa_model_bias(model)[k], 1e-12);
  setosa_metrics_destroy(metrics);
  setosa_model_destroy(same);
  setosa_model_destroy(model);
  setosa_dataset_destroy(dataset);
  setosa_dataset_destroy(half);
}

/* Standardized columns are the same columns, wherever they are. */
static void standardized_columns_are_the_same(void **state) {
  (void)state;
  const SetosaTrainOptions options = on(SETOSA_BACKEND_REFERENCE);
  SetosaTrainResult near, away;
  SetosaError error = {0};
  Part milliseconds = {0, 1, 1.6e12, {86400000, 86400000, 86400000, 86400000}}, days = all;
  days.offset = 1.6e12 / 86400000;
  SetosaDataset *one = load(days, false), *other = load(milliseconds, false), *fresh = load(milliseconds, false);
  support_ok(setosa_dataset_standardize(one, &error), &error);
  support_ok(setosa_dataset_standardize(other, &error), &error);
  setosa_model_destroy(train(one, &options, &near));
  SetosaModel *model = train(other, &options, &away), *loaded = save_and_load(model);
  support_near(away.objective, near.objective, 2e-8);
  support_ok(setosa_model_scale_dataset(loaded, fresh, &error), &error);
  assert_memory_equal(setosa_dataset_values(fresh), setosa_dataset_values(other), ROWS * FEATURES * sizeof(float));
  milliseconds.begin = ROWS - 1; /* a row alone, whose columns are constant, is what it is among the others */
  SetosaDataset *last = load_with(setosa_model_data_options(loaded), milliseconds, false);
  assert_non_null(setosa_dataset_shift(last));
  support_ok(setosa_model_scale_dataset(loaded, last, &error), &error);
  for (int d = 0; d < FEATURES; d++)
    support_near(setosa_dataset_values(last)[d], setosa_dataset_values(other)[(ROWS - 1) * FEATURES + d], 3e-7);
  setosa_model_destroy(model);
  setosa_model_destroy(loaded);
  setosa_dataset_destroy(one);
  setosa_dataset_destroy(other);
  setosa_dataset_destroy(fresh);
  setosa_dataset_destroy(last);
}

static void smoothed_labels_have_the_same_optimum(void **state) {
  (void)state;
  SetosaTrainOptions options = on(SETOSA_BACKEND_REFERENCE);
  SetosaTrainResult here, there;
  options.label_smoothing = 0.1;
  SetosaDataset *near = load(all, false), *away = load(far, false);
  setosa_model_destroy(train(near, &options, &here));
  setosa_model_destroy(train(away, &options, &there));
  support_near(there.objective, here.objective, 1e-8);
  setosa_dataset_destroy(near);
  setosa_dataset_destroy(away);
}

/* A training that is cut and goes on ends with the bits of one that is not, and rows that are told apart by their shift alone are others.
 */
static void a_cut_training_goes_on(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  SetosaTrainOptions options = on(SETOSA_BACKEND_REFERENCE);
  SetosaTrainResult whole, cut, rest;
  SetosaError error = {0};
  SetosaModel *model = NULL;
  Part farther = far;
  farther.offset = 2e6;
  support_path(path, folder, "cut.checkpoint");
  SetosaDataset *dataset = load(far, false), *other = load(farther, false);
  setosa_model_destroy(train(dataset, &options, &whole));
  options.checkpoint = path;
  options.checkpoint_iterations = 1;
  options.max_iterations = 5;
  setosa_model_destroy(train(dataset, &options, &cut));
  assert_true(cut.iterations == 5 && cut.checkpoints > 0);
  options.max_iterations = setosa_train_options_default().max_iterations;
  assert_int_not_equal(setosa_train(&model, &rest, other, &options, &error), SETOSA_OK);
  setosa_model_destroy(train(dataset, &options, &rest));
  assert_true(rest.resumed_iterations == 5);
  assert_string_equal(rest.weights_hash, whole.weights_hash);
  setosa_dataset_destroy(dataset);
  setosa_dataset_destroy(other);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_optimum_is_reached),
      cmocka_unit_test(the_optimum_is_reached_on_a_device),
      cmocka_unit_test(predictions_survive_the_file),
      cmocka_unit_test(predictions_survive_the_file_on_a_device),
      cmocka_unit_test(any_scale_survives_the_file),
      cmocka_unit_test(validation_rows_may_have_another_shift),
      cmocka_unit_test(a_model_is_a_start_for_any_shift),
      cmocka_unit_test(standardized_columns_are_the_same),
      cmocka_unit_test(smoothed_labels_have_the_same_optimum),
      cmocka_unit_test(a_cut_training_goes_on),
  };
  return support_run("train_shift", tests, create, destroy);
}
