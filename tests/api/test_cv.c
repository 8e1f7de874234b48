/* setosa_cv through the public header: its table is what trainings on parts of the rows say, its folds have their share of every class, and
 * it is the same on any device, in chunks, and when it was stopped and gone on with. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/public_device.h"

static char folder[SUPPORT_PATH], file[SUPPORT_PATH], previous[SUPPORT_PATH];

static int create(void **state) {
  support_folder_create(folder);
  support_path(file, folder, "run.checkpoint");
  support_path(previous, folder, "run.checkpoint.previous");
  return support_public_device_open(state);
}

static int destroy(void **state) {
  support_folder_remove(folder);
  return support_public_device_close(state);
}

static SetosaDataset *load(const char *source) {
  char path[SUPPORT_PATH];
  SetosaDataset *data = NULL;
  SetosaError error = {0};
  if (strchr(source, ':') == NULL)
    support_source_path(path, source);
  else
    snprintf(path, sizeof path, "%s", source);
  support_ok(setosa_dataset_load(&data, path, NULL, &error), &error);
  return data;
}

static SetosaCvOptions options_for(SetosaBackend backend) {
  SetosaCvOptions options = setosa_cv_options_default();
  options.train.compute.backend = backend;
  if (backend == SETOSA_BACKEND_NATIVE) options.train.compute.device = support_public_device();
  options.folds = 3;
  options.path_least = 1e-3;
  options.path_most = 1;
  options.path_count = 4;
  return options;
}

static SetosaCvResult *run(SetosaModel **model, SetosaDataset *data, const SetosaCvOptions *options) {
  SetosaCvResult *result = NULL;
  SetosaError error = {0};
  support_ok(setosa_cv(model, &result, data, options, &error), &error);
  assert_non_null(result);
  return result;
}

static void expect_refusal(SetosaDataset *data, const SetosaCvOptions *options, SetosaStatus expected, const char *words) {
  SetosaCvResult *result = (SetosaCvResult *)1;
  SetosaModel *model = (SetosaModel *)1;
  SetosaError error = {0};
  assert_int_equal(setosa_cv(&model, &result, data, options, &error), expected);
  assert_null(result);
  assert_null(model);
  if (strstr(error.message, words) == NULL) fail_msg("\"%s\" does not say \"%s\"", error.message, words);
  assert_null(strchr(error.message, '\n'));
}

/* ---- against trainings ---------------------------------------------------------------------------------------------- */

/* The rows of a fold, or all others, as a data set of their own. Its arrays go to *values and *labels. */
static SetosaDataset *part_of(const SetosaDataset *data, const int32_t *fold, int32_t which, bool inside, float **values,
                              int32_t **labels) {
  size_t rows = setosa_dataset_rows(data), features = setosa_dataset_features(data), count = 0;
  const float *given = setosa_dataset_weights(data);
  SetosaDataset *part = NULL;
  SetosaError error = {0};
  *values = malloc(rows * features * sizeof **values);
  *labels = malloc(rows * sizeof **labels);
  float *weights = malloc(rows * sizeof *weights);
  assert_true(*values != NULL && *labels != NULL && weights != NULL);
  for (size_t i = 0; i < rows; i++) {
    if ((fold[i] == which) != inside) continue;
    memcpy(*values + count * features, setosa_dataset_values(data) + i * features, features * sizeof **values);
    weights[count] = given != NULL ? given[i] : 1;
    (*labels)[count++] = setosa_dataset_labels(data)[i];
  }
  support_ok(setosa_dataset_wrap(&part, count, features, setosa_dataset_classes(data), *values, *labels, &error), &error);
  if (given != NULL) support_ok(setosa_dataset_set_weights(part, weights, &error), &error);
  free(weights);
  return part;
}

/* Loss and accuracy on a fold of a model of the other rows, in double. */
static void train_without(double *loss, double *accuracy, const SetosaDataset *data, const int32_t *fold, int32_t which,
                          const SetosaCvPoint *point) {
  float *values[2];
  int32_t *labels[2];
  SetosaModel *model = NULL;
  SetosaMetrics *metrics = NULL;
  SetosaError error = {0};
  SetosaTrainOptions options = setosa_train_options_default();
  SetosaDataset *seen = part_of(data, fold, which, false, &values[0], &labels[0]),
                *unseen = part_of(data, fold, which, true, &values[1], &labels[1]);
  options.compute.backend = SETOSA_BACKEND_REFERENCE;
  options.l1 = point->l1;
  options.l2 = point->l2;
  options.tolerance = 1e-9;
  support_ok(setosa_train(&model, NULL, seen, &options, &error), &error);
  support_ok(setosa_evaluate(&metrics, model, unseen, &options.compute, &error), &error);
  *loss = metrics->log_loss;
  *accuracy = metrics->accuracy;
  setosa_metrics_destroy(metrics);
  setosa_model_destroy(model);
  setosa_dataset_destroy(seen);
  setosa_dataset_destroy(unseen);
  for (int i = 0; i < 2; i++) free(values[i]), free(labels[i]);
}

static void check_table(SetosaDataset *data, const SetosaCvOptions *options) {
  SetosaCvResult *r = run(NULL, data, options);
  const float *weights = setosa_dataset_weights(data);
  assert_true(r->complete && r->count == options->path_count && r->folds == options->folds && r->rows == setosa_dataset_rows(data));
  assert_int_equal(r->fits, (r->folds + 1) * r->count);
  assert_int_equal(r->unconverged, 0);
  for (size_t f = 0; f < r->folds; f++) {
    double weight = 0;
    for (size_t i = 0; i < r->rows; i++) weight += r->fold[i] == (int32_t)f ? (weights != NULL ? (double)weights[i] : 1) : 0;
    support_near(r->fold_weight[f], weight, 1e-6);
    for (size_t j = 0; j < r->count; j++) {
      double loss = NAN, accuracy = NAN;
      train_without(&loss, &accuracy, data, r->fold, (int32_t)f, &r->points[j]);
      support_near(r->fold_loss[f * r->count + j], loss, 1e-5);
      support_near(r->fold_accuracy[f * r->count + j], accuracy, 1e-7);
    }
  }
  for (size_t j = 0; j < r->count; j++) { /* glmnet: cvm = weighted.mean(folds), cvsd = sqrt(weighted.mean((folds - cvm)^2) / (F - 1)) */
    double sum = 0, mean = 0, square = 0;
    for (size_t f = 0; f < r->folds; f++) sum += r->fold_weight[f], mean += r->fold_weight[f] * r->fold_loss[f * r->count + j];
    mean /= sum;
    for (size_t f = 0; f < r->folds; f++) square += r->fold_weight[f] * pow(r->fold_loss[f * r->count + j] - mean, 2);
    support_near(r->points[j].loss, mean, 1e-14);
    support_near(r->points[j].standard_error, sqrt(square / sum / (double)(r->folds - 1)), 1e-14);
    assert_true(r->points[j].loss >= r->points[r->best].loss);
    bool within = r->points[j].loss <= r->points[r->best].loss + r->points[r->best].standard_error;
    assert_true(j < r->within_error ? !within : j > r->within_error || within);
  }
  setosa_cv_result_destroy(r);
}

static void check_tables(SetosaBackend backend) {
  SetosaDataset *data = load("data/iris.csv");
  SetosaCvOptions options = options_for(backend);
  check_table(data, &options);
  options.train.solver = SETOSA_SOLVER_LBFGS;
  options.folds = 2;
  check_table(data, &options);
  float weights[150];
  for (int i = 0; i < 150; i++) weights[i] = 1 + (float)(i % 4);
  support_ok(setosa_dataset_set_weights(data, weights, NULL), NULL);
  check_table(data, &options);
  setosa_dataset_destroy(data);
}

/* Elastic net, on a path that is found from the data: it begins where no weight is worth its penalty. */
static void test_l1(void **state) {
  (void)state;
  SetosaDataset *data = load("data/iris.csv");
  SetosaCvOptions options = options_for(SETOSA_BACKEND_REFERENCE);
  options.l1_ratio = 0.5;
  options.path_least = options.path_most = NAN;
  check_table(data, &options);
  options.l1_ratio = 1;
  options.path_count = 8;
  SetosaCvResult *r = run(NULL, data, &options);
  assert_int_equal(r->points[0].nonzeros, 0);
  support_near(r->points[7].lambda / r->points[0].lambda, 1e-4, 1e-9);
  for (size_t j = 0; j < 8; j++) {
    assert_true(r->points[j].l2 == 0 && r->points[j].l1 == r->points[j].lambda);
    if (j > 0) assert_true(r->points[j].nonzeros > 0 && r->points[j].nonzeros <= 12);
  }
  /* A little below, some weight is worth it. */
  options.path_most = options.path_least = 0.98 * r->points[0].lambda;
  options.path_count = 1;
  SetosaCvResult *below = run(NULL, data, &options);
  assert_true(below->points[0].nonzeros > 0);
  setosa_cv_result_destroy(r);
  setosa_cv_result_destroy(below);
  setosa_dataset_destroy(data);
}

static void test_reference_tables(void **state) { (void)state, check_tables(SETOSA_BACKEND_REFERENCE); }
static void test_native_tables(void **state) { (void)state, check_tables(SETOSA_BACKEND_NATIVE); }

/* Weights of classes count in the loss of held-out rows, too, and are gone afterwards. */
static void test_class_weights(void **state) {
  (void)state;
  SetosaDataset *data = load("data/iris.csv"), *weighted = load("data/iris.csv");
  SetosaCvOptions options = options_for(SETOSA_BACKEND_REFERENCE);
  float weights[150];
  for (int i = 0; i < 150; i++) weights[i] = setosa_dataset_labels(data)[i] == 1 ? 3 : 1;
  SetosaCvResult *plain = run(NULL, data, &options);
  support_ok(setosa_dataset_set_weights(weighted, weights, NULL), NULL);
  SetosaCvResult *expected = run(NULL, weighted, &options);
  options.train.class_weight = "versicolor=3";
  SetosaCvResult *found = run(NULL, data, &options);
  options.train.class_weight = NULL;
  SetosaCvResult *again = run(NULL, data, &options);
  for (size_t j = 0; j < 4; j++) {
    support_near(found->points[j].loss, expected->points[j].loss, 1e-12);
    assert_true(fabs(found->points[j].loss - plain->points[j].loss) > 1e-4);
    assert_true(again->points[j].loss == plain->points[j].loss);
  }
  SetosaCvResult *all[] = {plain, expected, found, again};
  for (size_t i = 0; i < 4; i++) setosa_cv_result_destroy(all[i]);
  setosa_dataset_destroy(data);
  setosa_dataset_destroy(weighted);
}

/* ---- folds ---------------------------------------------------------------------------------------------------------- */

static void test_folds_have_their_share(void **state) {
  (void)state;
  SetosaDataset *data = load("synthetic:rows=500,features=3,classes=4,seed=3");
  SetosaCvOptions options = options_for(SETOSA_BACKEND_REFERENCE);
  options.path_least = options.path_most = 0.1;
  options.path_count = 1;
  options.folds = 7;
  SetosaCvResult *one = run(NULL, data, &options), *same = run(NULL, data, &options);
  options.train.seed = 2;
  SetosaCvResult *other = run(NULL, data, &options);
  size_t counts[7][4] = {{0}};
  for (size_t i = 0; i < 500; i++) counts[one->fold[i]][setosa_dataset_labels(data)[i]]++;
  for (size_t k = 0; k < 4; k++)
    for (size_t f = 1; f < 7; f++) assert_true(counts[f][k] + 1 >= counts[0][k] && counts[f][k] <= counts[0][k] + 1);
  for (size_t f = 0; f < 7; f++) assert_true(one->fold_weight[f] == 71 || one->fold_weight[f] == 72);
  assert_memory_equal(one->fold, same->fold, 500 * sizeof *one->fold);
  assert_memory_not_equal(one->fold, other->fold, 500 * sizeof *one->fold);
  assert_true(one->points[0].loss == same->points[0].loss && one->points[0].loss != other->points[0].loss);
  assert_true(one->best == 0 && one->within_error == 0);
  /* Those that were given are taken. */
  options.fold = one->fold;
  SetosaCvResult *given = run(NULL, data, &options);
  assert_memory_equal(given->fold, one->fold, 500 * sizeof *one->fold);
  support_near(given->points[0].loss, one->points[0].loss, 1e-7);
  SetosaCvResult *all[] = {one, same, other, given};
  for (size_t i = 0; i < 4; i++) setosa_cv_result_destroy(all[i]);
  setosa_dataset_destroy(data);
}

static void test_refusals(void **state) {
  (void)state;
  SetosaDataset *data = load("data/iris.csv"), *unlabelled = NULL;
  const SetosaCvOptions fine = options_for(SETOSA_BACKEND_REFERENCE);
  SetosaCvOptions o = fine;
  int32_t fold[150] = {0};
  float weights[150] = {0};
#define REFUSED(change, status, words)       \
  do {                                       \
    o = fine;                                \
    change;                                  \
    expect_refusal(data, &o, status, words); \
  } while (0)
  REFUSED(o.folds = 1, SETOSA_ERROR_USAGE, "--folds \"1\"");
  REFUSED(o.folds = 0, SETOSA_ERROR_USAGE, "--folds \"0\"");
  REFUSED(o.folds = 151, SETOSA_ERROR_USAGE, "there are 150 rows");
  REFUSED(o.folds = SIZE_MAX, SETOSA_ERROR_USAGE, "--folds");
  REFUSED(o.path_least = -1, SETOSA_ERROR_USAGE, "--l2-path");
  REFUSED(o.path_most = (double)INFINITY, SETOSA_ERROR_USAGE, "--l2-path");
  REFUSED(o.path_least = 2, SETOSA_ERROR_USAGE, "2 is more than 1");
  REFUSED(o.path_count = 0, SETOSA_ERROR_USAGE, "0 values");
  REFUSED(o.path_count = 1, SETOSA_ERROR_USAGE, "1 value from");
  REFUSED(o.path_count = SIZE_MAX, SETOSA_ERROR_USAGE, "--l2-path");
  REFUSED(o.l1_ratio = 1.5, SETOSA_ERROR_USAGE, "--l1-ratio");
  REFUSED(o.l1_ratio = (double)NAN, SETOSA_ERROR_USAGE, "--l1-ratio");
  REFUSED(o.choice = (SetosaCvChoice)2, SETOSA_ERROR_USAGE, "options.choice");
  REFUSED(o.train.solver = SETOSA_SOLVER_SGD, SETOSA_ERROR_USAGE, "--solver sgd");
  REFUSED(o.train.validation = data, SETOSA_ERROR_USAGE, "`validation`");
  REFUSED(o.train.tolerance = -1, SETOSA_ERROR_USAGE, "--tolerance");
  fold[7] = 3;
  REFUSED(o.fold = fold, SETOSA_ERROR_USAGE, "options.fold: row 8 is in fold 3");
  fold[7] = -1;
  REFUSED(o.fold = fold, SETOSA_ERROR_USAGE, "options.fold: row 8 is in fold -1");
  fold[7] = 1;
  REFUSED(o.fold = fold, SETOSA_ERROR_DATA, "the rows of fold 3 of 3 have no weight");
  weights[0] = 1;
  support_ok(setosa_dataset_set_weights(data, weights, NULL), NULL);
  o = fine;
  SetosaError error = {0};
  SetosaCvResult *result = NULL;
  assert_int_equal(setosa_cv(NULL, &result, data, &o, &error), SETOSA_ERROR_DATA);
  assert_non_null(strstr(error.message, "have no weight; use fewer folds, or weights of more rows"));
  support_ok(setosa_dataset_wrap(&unlabelled, 2, 1, 2, (const float[2]){1, 2}, NULL, NULL), NULL);
  o.folds = 2;
  expect_refusal(unlabelled, &o, SETOSA_ERROR_DATA, "no labels");
  setosa_dataset_destroy(unlabelled);
  setosa_dataset_destroy(data);
}

/* ---- the model ------------------------------------------------------------------------------------------------------ */

static void test_model(void **state) {
  (void)state;
  for (int intercept = 0; intercept < 2; intercept++) {
    SetosaDataset *data = load("data/iris.csv"), *again = load("data/iris.csv");
    SetosaCvOptions options = options_for(SETOSA_BACKEND_REFERENCE);
    SetosaModel *model = NULL, *trained = NULL;
    SetosaTrainResult at;
    options.train.intercept = intercept;
    options.choice = SETOSA_CV_1SE;
    SetosaCvResult *result = run(&model, data, &options);
    SetosaTrainOptions train = options.train;
    train.l2 = result->points[result->within_error].l2;
    support_ok(setosa_train(&trained, &at, again, &train, NULL), NULL);
    support_near(result->points[result->chosen].objective, at.objective, 1e-8);
    assert_int_equal(result->chosen, result->within_error);
    for (size_t i = 0; i < 12; i++) support_near((double)setosa_model_weights(model)[i], (double)setosa_model_weights(trained)[i], 1e-3);
    for (size_t k = 0; k < 3; k++) assert_true((setosa_model_bias(model)[k] == 0) == !intercept);
    assert_string_equal(setosa_model_class_name(model, 1), "versicolor");
    const char *key = NULL, *value = NULL;
    bool folds = false, l2 = false;
    for (size_t i = 0; setosa_model_metadata(model, i, &key, &value); i++) {
      folds = folds || (strcmp(key, "cv_folds") == 0 && strcmp(value, "3") == 0);
      l2 = l2 || (strcmp(key, "l2") == 0 && strtod(value, NULL) == train.l2);
    }
    assert_true(folds && l2);
    setosa_cv_result_destroy(result);
    setosa_model_destroy(model);
    setosa_model_destroy(trained);
    setosa_dataset_destroy(data);
    setosa_dataset_destroy(again);
  }
}

/* ---- the same everywhere -------------------------------------------------------------------------------------------- */

static void expect_same(const SetosaCvResult *a, const SetosaCvResult *b) {
  assert_true(a->complete && b->complete);
  assert_memory_equal(a->fold, b->fold, a->rows * sizeof *a->fold);
  for (size_t j = 0; j < a->count; j++) {
    assert_memory_equal(&a->points[j].objective, &b->points[j].objective, sizeof(double));
    assert_int_equal(a->points[j].iterations, b->points[j].iterations);
    for (size_t f = 0; f < a->folds; f++) assert_true(a->fold_loss[f * a->count + j] == b->fold_loss[f * a->count + j]);
  }
}

static void test_devices_and_chunks(void **state) {
  (void)state;
  enum { PARTS = 2 };
  SetosaDataset *data = load("synthetic:rows=40000,features=64,classes=3,noise=0.2,seed=5");
  SetosaCvOptions options = options_for(SETOSA_BACKEND_NATIVE);
  SetosaDevices *devices = NULL;
  SetosaDevice *parts[PARTS] = {NULL, NULL};
  SetosaError error = {0};
  options.path_count = 2;
  options.folds = 2;
  options.train.solver = SETOSA_SOLVER_LBFGS;
  SetosaCvResult *whole = run(NULL, data, &options);
  options.train.compute.device_memory_bytes = 8 << 20;
  SetosaCvResult *streamed = run(NULL, data, &options);
  assert_true(streamed->chunk_rows > 0 && whole->chunk_rows == 0);
  expect_same(whole, streamed);
  options.train.compute.device_memory_bytes = 0;
  support_ok(setosa_devices_open(&devices, &error), &error);
  size_t index = setosa_device_info(support_public_device())->index;
  bool cut = true;
  for (size_t i = 0; i < PARTS && cut; i++) cut = setosa_device_open_part(&parts[i], devices, index, i, PARTS, false, NULL) == SETOSA_OK;
  if (cut) {
    options.train.compute.device = parts[0];
    options.train.compute.devices = parts;
    options.train.compute.device_count = PARTS;
    SetosaCvResult *shared = run(NULL, data, &options);
    expect_same(whole, shared);
    setosa_cv_result_destroy(shared);
  }
  for (size_t i = 0; i < PARTS; i++) setosa_device_close(parts[i]);
  setosa_devices_close(devices);
  setosa_cv_result_destroy(whole);
  setosa_cv_result_destroy(streamed);
  setosa_dataset_destroy(data);
}

/* ---- stopped and gone on with --------------------------------------------------------------------------------------- */

static long stops; /* stop when asked so often; -1: never */

static bool on_stop(void *user) {
  (void)user;
  return stops >= 0 && stops-- == 0;
}

static void check_cut(SetosaBackend backend, SetosaSolver solver) {
  SetosaDataset *data = load("data/iris.csv");
  SetosaCvOptions options = options_for(backend);
  options.train.solver = solver;
  options.train.stop = on_stop;
  stops = -1;
  SetosaCvResult *whole = run(NULL, data, &options);
  options.train.checkpoint = file;
  options.train.checkpoint_iterations = UINT64_MAX;
  for (long every = 5; every <= 30; every += 8) {
    SetosaCheckpoint *checkpoint = NULL;
    SetosaError error = {0};
    size_t pieces = 0;
    unlink(file);
    unlink(previous);
    for (;; pieces++) {
      SetosaModel *model = NULL;
      stops = every + (long)pieces; /* what is cut within a model begins it again: it must get further each time */
      options.train.resume = checkpoint;
      SetosaCvResult *piece = run(&model, data, &options);
      setosa_checkpoint_destroy(checkpoint);
      checkpoint = NULL;
      bool complete = piece->complete;
      if (complete) {
        expect_same(piece, whole);
        assert_non_null(model);
      } else {
        assert_null(model);
        assert_true(piece->fits_done < piece->fits && isnan(piece->points[3].loss));
      }
      bool kept = piece->fits_done > 0;
      setosa_cv_result_destroy(piece);
      setosa_model_destroy(model);
      if (complete) break;
      assert_true(pieces < 200);
      if (kept) support_ok(setosa_checkpoint_load(&checkpoint, file, &error), &error);
    }
    assert_true(pieces > 0);
  }
  stops = -1;
  setosa_cv_result_destroy(whole);
  setosa_dataset_destroy(data);
}

static void test_cut_anywhere(void **state) {
  (void)state;
  check_cut(SETOSA_BACKEND_REFERENCE, SETOSA_SOLVER_NEWTON);
  check_cut(SETOSA_BACKEND_REFERENCE, SETOSA_SOLVER_LBFGS);
}

static void test_cut_anywhere_native(void **state) { (void)state, check_cut(SETOSA_BACKEND_NATIVE, SETOSA_SOLVER_LBFGS); }

typedef struct Seen {
  uint64_t fitted, most; /* most: after so many, stop */
} Seen;

static bool on_progress(const SetosaCvProgress *at, void *user) {
  Seen *seen = user;
  assert_int_equal(at->fits, 16);
  assert_true(at->folds == 3 && at->fold <= 3);
  if (!at->fitted) return true;
  assert_int_equal(at->fit, ++seen->fitted);
  assert_true(isnan(at->loss) == (at->fold == 0));
  return seen->fitted < seen->most;
}

static void test_progress(void **state) {
  (void)state;
  SetosaDataset *data = load("data/iris.csv");
  SetosaCvOptions options = options_for(SETOSA_BACKEND_REFERENCE);
  Seen seen = {0, 1000};
  options.progress = on_progress;
  options.train.progress_user = &seen;
  SetosaCvResult *result = run(NULL, data, &options);
  assert_int_equal(seen.fitted, 16);
  setosa_cv_result_destroy(result);
  seen = (Seen){0, 6};
  result = run(NULL, data, &options);
  assert_false(result->complete);
  assert_int_equal(result->fits_done, 6);
  assert_true(isfinite(result->points[0].loss) && isnan(result->points[1].loss) && isfinite(result->points[1].objective));
  setosa_cv_result_destroy(result);
  setosa_dataset_destroy(data);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_reference_tables),
      cmocka_unit_test(test_native_tables),
      cmocka_unit_test(test_l1),
      cmocka_unit_test(test_class_weights),
      cmocka_unit_test(test_folds_have_their_share),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_model),
      cmocka_unit_test(test_devices_and_chunks),
      cmocka_unit_test(test_cut_anywhere),
      cmocka_unit_test(test_cut_anywhere_native),
      cmocka_unit_test(test_progress),
  };
  return support_run("cv", tests, create, destroy);
}
