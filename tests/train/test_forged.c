/* A checkpoint that somebody has made: its length and checksum are right, its numbers are not. It is refused, and trains no model. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "setosa.h"
#include "support/support.h"

static char folder[SUPPORT_PATH], file[SUPPORT_PATH], iris[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_path(file, folder, "run.checkpoint");
  support_source_path(iris, "data/iris.csv");
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static SetosaTrainOptions options_of(SetosaSolver solver) {
  SetosaTrainOptions options = setosa_train_options_default();
  options.compute.backend = SETOSA_BACKEND_REFERENCE;
  options.solver = solver;
  options.max_iterations = 9;
  options.epochs = 2;
  options.batch_size = 16;
  options.checkpoint_iterations = 7;
  if (solver == SETOSA_SOLVER_GD) options.learning_rate = 0.01;
  return options;
}

static SetosaStatus train(const SetosaTrainOptions *options, SetosaError *error) {
  SetosaDataset *data = NULL;
  SetosaModel *model = NULL;
  SetosaTrainResult result;
  support_ok(setosa_dataset_load(&data, iris, NULL, error), error);
  SetosaStatus status = setosa_train(&model, &result, data, options, error);
  if (status == SETOSA_OK)
    for (size_t i = 0; i < 12; i++) assert_true(isfinite(setosa_model_weights(model)[i]));
  setosa_model_destroy(model);
  setosa_dataset_destroy(data);
  return status;
}

/* Length and checksum put right, as the file's writer does it. */
static void seal(char *bytes, size_t length) {
  Hash *hash = NULL;
  char checksum[HASH_HEX_SIZE], digits[32];
  char *length_at = strstr(bytes + 8, "\"bytes\":\"") + 9, *checksum_at = strstr(bytes + 8, "\"checksum\":\"") + 12;
  memset(length_at, '0', 16);
  memset(checksum_at, '0', HASH_HEX_SIZE - 1);
  support_ok(hash_create(&hash, NULL), NULL);
  hash_add(hash, bytes, length);
  hash_hex(hash, checksum);
  hash_destroy(hash);
  snprintf(digits, sizeof digits, "%016zu", length);
  memcpy(length_at, digits, 16);
  memcpy(checksum_at, checksum, HASH_HEX_SIZE - 1);
}

/* Where the numbers of a tensor are. */
static char *tensor_at(char *bytes, const char *name, bool *f64, size_t *count) {
  uint64_t header = 0, begin = 0, end = 0;
  char key[64];
  memcpy(&header, bytes, sizeof header);
  snprintf(key, sizeof key, "\"%s\":{\"dtype\":\"", name);
  char *entry = strstr(bytes + 8, key);
  if (entry == NULL) fail_msg("there is no tensor %s", name);
  *f64 = strncmp(entry + strlen(key), "F64", 3) == 0;
  assert_int_equal(sscanf(strstr(entry, "data_offsets") + 14, "[%lu,%lu]", &begin, &end), 2);
  *count = (size_t)(end - begin) / (*f64 ? 8 : 4);
  return bytes + 8 + header + begin;
}

/* As it would be if its writer had held `value` as number `index` of the tensor. */
static void forge(const char *bytes, size_t length, const char *name, size_t index, double value) {
  char *copy = malloc(length + 1);
  bool f64 = false;
  size_t count = 0;
  float small = (float)value;
  assert_non_null(copy);
  memcpy(copy, bytes, length + 1);
  char *at = tensor_at(copy, name, &f64, &count);
  assert_true(index < count);
  if (f64)
    memcpy(at + 8 * index, &value, 8);
  else
    memcpy(at + 4 * index, &small, 4);
  seal(copy, length);
  support_write(file, copy, length);
  free(copy);
}

/* A checkpoint of a training with its bytes. */
static char *make(SetosaSolver solver, size_t *length) {
  SetosaTrainOptions options = options_of(solver);
  SetosaError error = {0};
  options.checkpoint = file;
  options.overwrite = true;
  support_ok(train(&options, &error), &error);
  return support_read(file, length);
}

/* Refused when it is loaded or when it is gone on from. */
static void expect_refused(SetosaSolver solver, const char *what) {
  SetosaCheckpoint *checkpoint = NULL;
  SetosaTrainOptions options = options_of(solver);
  SetosaError error = {0};
  char previous[SUPPORT_PATH + 16];
  snprintf(previous, sizeof previous, "%s.previous", file);
  unlink(previous);
  SetosaStatus status = setosa_checkpoint_load(&checkpoint, file, &error);
  options.resume = checkpoint;
  options.max_iterations = 12;
  if (status == SETOSA_OK) status = train(&options, &error);
  if (status != SETOSA_ERROR_DATA) fail_msg("%s: status %d, %s", what, (int)status, error.message);
  setosa_checkpoint_destroy(checkpoint);
}

static void check(SetosaSolver solver, const char *name, size_t index, double value) {
  char what[96];
  size_t length = 0;
  char *bytes = make(solver, &length);
  forge(bytes, length, name, index, value);
  snprintf(what, sizeof what, "%s[%zu] = %g (%s)", name, index, value, setosa_solver_name(solver));
  expect_refused(solver, what);
  free(bytes);
}

static void test_not_finite(void **state) {
  (void)state;
  static const double values[] = {NAN, INFINITY, -INFINITY};
  static const char *const of_lbfgs[] = {"w", "g", "report", "watch", "sy", "yz", "sg", "zg", "gh", "s0", "y0", "z0", "h", "metric_w"},
                           *const of_newton[] = {"w", "g", "report", "watch"}, *const of_gd[] = {"w", "g", "step", "best", "best_at"},
                           *const of_adam[] = {"w", "best", "mean", "square", "updates"};
  for (size_t v = 0; v < 3; v++) {
    for (size_t i = 0; i < sizeof of_lbfgs / sizeof *of_lbfgs; i++) check(SETOSA_SOLVER_LBFGS, of_lbfgs[i], 0, values[v]);
    for (size_t i = 0; i < sizeof of_newton / sizeof *of_newton; i++) check(SETOSA_SOLVER_NEWTON, of_newton[i], 0, values[v]);
    for (size_t i = 0; i < sizeof of_gd / sizeof *of_gd; i++) check(SETOSA_SOLVER_GD, of_gd[i], 0, values[v]);
    for (size_t i = 0; i < sizeof of_adam / sizeof *of_adam; i++) check(SETOSA_SOLVER_ADAM, of_adam[i], 0, values[v]);
  }
}

static void test_absurd(void **state) {
  (void)state;
  static const struct {
    SetosaSolver solver;
    const char *name;
    size_t index;
    double value;
  } cases[] = {
      {SETOSA_SOLVER_LBFGS, "report", 0, -1},   {SETOSA_SOLVER_LBFGS, "report", 0, 1.5},   {SETOSA_SOLVER_LBFGS, "report", 0, 1e30},
      {SETOSA_SOLVER_LBFGS, "report", 1, -5},   {SETOSA_SOLVER_LBFGS, "report", 3, -1},    {SETOSA_SOLVER_LBFGS, "report", 5, -1},
      {SETOSA_SOLVER_LBFGS, "pairs", 0, 1000},  {SETOSA_SOLVER_LBFGS, "pairs", 0, -1},     {SETOSA_SOLVER_LBFGS, "candidate", 0, 0},
      {SETOSA_SOLVER_LBFGS, "o1", 0, 0},        {SETOSA_SOLVER_LBFGS, "o1", 0, 21},        {SETOSA_SOLVER_LBFGS, "sy", 0, -1},
      {SETOSA_SOLVER_LBFGS, "yz", 0, 0},        {SETOSA_SOLVER_LBFGS, "gh", 0, -1},        {SETOSA_SOLVER_GD, "step", 0, -1},
      {SETOSA_SOLVER_LBFGS, "metric", 0, 1e30}, {SETOSA_SOLVER_LBFGS, "metric", 0, 1.5},   {SETOSA_SOLVER_LBFGS, "metric", 0, 0},
      {SETOSA_SOLVER_LBFGS, "metric", 1, 2},    {SETOSA_SOLVER_LBFGS, "renewed", 0, 1e30}, {SETOSA_SOLVER_GD, "step", 0, 5},
      {SETOSA_SOLVER_NEWTON, "report", 0, 1.5}, {SETOSA_SOLVER_NEWTON, "report", 0, -1},   {SETOSA_SOLVER_NEWTON, "report", 1, 1e30},
      {SETOSA_SOLVER_GD, "best_at", 3, -1},     {SETOSA_SOLVER_ADAM, "epoch", 0, 1},       {SETOSA_SOLVER_ADAM, "next", 0, 1e6},
      {SETOSA_SOLVER_ADAM, "updates", 0, 3},    {SETOSA_SOLVER_ADAM, "updates", 0, -3},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(cases[i].solver, cases[i].name, cases[i].index, cases[i].value);
}

/* Beyond what a model holds: written as a double, as the reference backend keeps it. */
static void test_beyond_float(void **state) {
  (void)state;
  size_t length = 0, count = 0;
  bool f64 = false;
  char *bytes = make(SETOSA_SOLVER_LBFGS, &length);
  tensor_at(bytes, "w", &f64, &count);
  free(bytes);
  assert_true(f64);
  check(SETOSA_SOLVER_LBFGS, "w", 3, 1e300);
  check(SETOSA_SOLVER_LBFGS, "w", 3, -1e39);
}

/* Texts of the header, of the same length each. */
static void test_headers(void **state) {
  (void)state;
  static const char *const changes[][2] = {{"\"w\":{\"dtype\":\"F64\"", "\"w\":{\"dtype\":\"I64\""},
                                           {"\"w\":{\"dtype\":\"F64\"", "\"g\":{\"dtype\":\"F64\""},
                                           {"\"gh\":{\"dtype\"", "\"w\":  {\"dtype\""},
                                           {"\"setting.rows\":\"150\"", "\"setting.rows\":\"-50\""},
                                           {"\"setting.rows\":\"150\"", "\"setting.rovs\":\"150\""},
                                           {"\"setting.classes\":\"3\"", "\"setting.classes\":\"9\""}};
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
    size_t length = 0;
    char *bytes = make(SETOSA_SOLVER_LBFGS, &length), *at = strstr(bytes + 8, changes[i][0]);
    if (at == NULL) fail_msg("%s is not there", changes[i][0]);
    memcpy(at, changes[i][1], strlen(changes[i][1]));
    seal(bytes, length);
    support_write(file, bytes, length);
    expect_refused(SETOSA_SOLVER_LBFGS, changes[i][1]);
    free(bytes);
  }
}

/* A training that diverges within an epoch keeps nothing that could not be gone on from. */
static void test_divergence_is_not_kept(void **state) {
  (void)state;
  SetosaTrainOptions options = options_of(SETOSA_SOLVER_SGD);
  SetosaError error = {0};
  SetosaCheckpoint *checkpoint = NULL;
  unlink(file);
  options.learning_rate = 1e30;
  options.epochs = 9;
  options.checkpoint = file;
  options.checkpoint_iterations = 1;
  support_ok(train(&options, &error), &error);
  if (access(file, F_OK) != 0) return;
  support_ok(setosa_checkpoint_load(&checkpoint, file, &error), &error);
  options.resume = checkpoint;
  support_ok(train(&options, &error), &error);
  setosa_checkpoint_destroy(checkpoint);
}

static void test_short_files(void **state) {
  (void)state;
  SetosaCheckpoint *checkpoint = NULL;
  for (size_t length = 1; length <= 8; length++) {
    SetosaError error = {0};
    support_write(file, "SETOSAS\n", length);
    support_fails(setosa_checkpoint_load(&checkpoint, file, &error), &error, SETOSA_ERROR_DATA, file);
    assert_non_null(strstr(error.message, "is too short to be a checkpoint"));
    assert_null(strstr(error.message, "is damaged"));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_not_finite),
      cmocka_unit_test(test_absurd),
      cmocka_unit_test(test_beyond_float),
      cmocka_unit_test(test_headers),
      cmocka_unit_test(test_divergence_is_not_kept),
      cmocka_unit_test(test_short_files),
  };
  return support_run("train_forged", tests, create, destroy);
}
