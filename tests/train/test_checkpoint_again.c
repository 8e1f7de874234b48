/* A checkpoint that is there already, and a training that nobody told to go on: it goes on where that is right, and else it is refused. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "setosa.h"
#include "support/support.h"

static char folder[SUPPORT_PATH], file[SUPPORT_PATH], previous[SUPPORT_PATH], iris[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_path(file, folder, "run.checkpoint");
  support_path(previous, folder, "run.checkpoint.previous");
  support_source_path(iris, "data/iris.csv");
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static int clean(void **state) {
  (void)state;
  unlink(file);
  unlink(previous);
  return 0;
}

typedef struct Run {
  SetosaTrainOptions options;
  const char *data;
  int begun; /* times */
  bool resumed;
  uint64_t before;
  char warning[512];
} Run;

static void on_begin(bool resumed, uint64_t iterations, void *user) {
  Run *run = user;
  run->begun++;
  run->resumed = resumed;
  run->before = iterations;
}

static void on_warn(const char *line, void *user) {
  Run *run = user;
  snprintf(run->warning, sizeof run->warning, "%s", line);
}

static Run run_of(uint64_t iterations) {
  Run run = {.options = setosa_train_options_default(), .data = iris};
  run.options.compute.backend = SETOSA_BACKEND_REFERENCE;
  run.options.max_iterations = iterations;
  run.options.checkpoint = file;
  run.options.checkpoint_iterations = 1;
  run.options.begins = on_begin;
  run.options.warn = on_warn;
  return run;
}

static SetosaStatus try_train(Run *run, SetosaTrainResult *result, SetosaError *error) {
  SetosaDataset *data = NULL;
  SetosaModel *model = NULL;
  run->options.progress_user = run;
  support_ok(setosa_dataset_load(&data, run->data, NULL, error), error);
  SetosaStatus status = setosa_train(&model, result, data, &run->options, error);
  setosa_model_destroy(model);
  setosa_dataset_destroy(data);
  return status;
}

static SetosaTrainResult train(Run *run) {
  SetosaTrainResult result = {0};
  SetosaError error = {0};
  support_ok(try_train(run, &result, &error), &error);
  assert_int_equal(run->begun, 1);
  return result;
}

/* Refused, with every text in the message, and both files as they were. */
static void expect_refused(Run *run, SetosaStatus expected, const char *const texts[4]) {
  size_t length = 0, previous_length = 0;
  SetosaError error = {0};
  bool there = access(file, F_OK) == 0, previous_there = access(previous, F_OK) == 0;
  char *before = there ? support_read(file, &length) : NULL;
  char *before_previous = previous_there ? support_read(previous, &previous_length) : NULL;
  SetosaStatus status = try_train(run, NULL, &error);
  for (size_t i = 0; i < 4 && texts[i] != NULL; i++)
    if (status != expected || strstr(error.message, texts[i]) == NULL)
      fail_msg("status %d, not %d; \"%s\" expected in: %s", (int)status, (int)expected, texts[i], error.message);
  assert_int_equal(run->begun, 0);
  char *now = there ? support_read(file, NULL) : NULL, *now_previous = previous_there ? support_read(previous, NULL) : NULL;
  assert_true(!there || memcmp(before, now, length) == 0);
  assert_true(!previous_there || memcmp(before_previous, now_previous, previous_length) == 0);
  assert_true(there || access(file, F_OK) != 0);
  assert_true(previous_there || access(previous, F_OK) != 0);
  free(before);
  free(before_previous);
  free(now);
  free(now_previous);
}

/* The arrow up after a crash: the same call goes on, to the bits of an unbroken training. */
static void test_goes_on(void **state) {
  (void)state;
  Run whole = run_of(60), first = run_of(7), again = run_of(60);
  whole.options.checkpoint = NULL;
  SetosaTrainResult expected = train(&whole), result = train(&first);
  assert_false(first.resumed);
  result = train(&again);
  assert_true(again.resumed && again.before == 7 && result.resumed_iterations == 7);
  assert_string_equal(result.weights_hash, expected.weights_hash);
  assert_int_equal(result.iterations, expected.iterations);
  /* What has ended goes on and ends at once. */
  again = run_of(60);
  result = train(&again);
  assert_string_equal(result.weights_hash, expected.weights_hash);
  assert_int_equal(result.resumed_iterations, expected.iterations);
}

/* Only the one before is left, or FILE is empty or damaged: that one is gone on from, with a warning, and is not lost before there is a new
 * one. */
static void test_goes_on_from_previous(void **state) {
  (void)state;
  static const char *const contents[] = {NULL, "", "12345678{\"__metadata__\":{\"format\":\"setosa-checkpoint-2\",\"by"};
  Run whole = run_of(60);
  whole.options.checkpoint = NULL;
  SetosaTrainResult expected = train(&whole);
  for (size_t i = 0; i < 3; i++) {
    clean(NULL);
    Run first = run_of(7), again = run_of(60);
    train(&first);
    unlink(file);
    if (contents[i] != NULL) support_write_text(file, contents[i]);
    SetosaTrainResult result = train(&again);
    assert_true(again.resumed && again.before == 7);
    assert_non_null(strstr(again.warning, "the one before it"));
    assert_string_equal(result.weights_hash, expected.weights_hash);
  }
}

static void test_other_trainings(void **state) {
  (void)state;
  char way[SUPPORT_PATH + 32], wine[SUPPORT_PATH];
  snprintf(way, sizeof way, "--resume %s", file);
  Run first = run_of(7);
  train(&first);
  Run run = run_of(60);
  run.options.l2 = 0.5;
  expect_refused(&run, SETOSA_ERROR_USAGE, (const char *const[4]){"--l2: 0.5 here, 0.0001 in the checkpoint", way, "--overwrite"});
  run = run_of(60);
  run.options.solver = SETOSA_SOLVER_ADAM;
  expect_refused(&run, SETOSA_ERROR_USAGE, (const char *const[4]){"--solver: adam here, auto in the checkpoint", way, "--overwrite"});
  run = run_of(60);
  run.options.compute.backend = SETOSA_BACKEND_BLAS;
  SetosaError error = {0};
  if (try_train(&run, NULL, &error) != SETOSA_ERROR_DEVICE) /* where there is one */
    expect_refused(&run, SETOSA_ERROR_USAGE,
                   (const char *const[4]){"--backend: blas here, reference in the checkpoint", way, "--overwrite"});
  support_source_path(wine, "data/wine.csv");
  run = run_of(60), run.data = wine;
  expect_refused(&run, SETOSA_ERROR_USAGE, (const char *const[4]){"the data differ", "178 rows here, 150 there", way, "--overwrite"});
  char *text = support_read(iris, NULL), *five = strstr(text, "5.1"), path[SUPPORT_PATH];
  five[2] = '2';
  support_path(path, folder, "other.csv");
  support_write_text(path, text);
  free(text);
  run = run_of(60), run.data = path;
  expect_refused(&run, SETOSA_ERROR_USAGE, (const char *const[4]){"the data differ", "other values", way, "--overwrite"});
  /* FILE.previous alone is worth as much. */
  unlink(file);
  expect_refused(&run, SETOSA_ERROR_USAGE, (const char *const[4]){"the data differ", way, "--overwrite"});
}

/* The weights that it began with make another training, too. */
static void test_other_starts(void **state) {
  (void)state;
  SetosaModel *start = NULL, *other = NULL;
  float weights[12] = {0};
  support_ok(setosa_model_create(&start, 4, 3, weights, NULL, NULL), NULL);
  weights[3] = 1;
  support_ok(setosa_model_create(&other, 4, 3, weights, NULL, NULL), NULL);
  Run run = run_of(5);
  train(&run);
  run = run_of(9), run.options.initial = start;
  expect_refused(&run, SETOSA_ERROR_USAGE, (const char *const[4]){"began with no initial model", "--overwrite"});
  clean(NULL);
  run = run_of(5), run.options.initial = start;
  train(&run);
  run = run_of(9);
  expect_refused(&run, SETOSA_ERROR_USAGE, (const char *const[4]){"began with an initial model", "--overwrite"});
  run = run_of(9), run.options.initial = other;
  expect_refused(&run, SETOSA_ERROR_USAGE, (const char *const[4]){"began with another initial model", "--overwrite"});
  for (uint64_t iterations = 7; iterations <= 9; iterations++) { /* and it is still known after the second time */
    run = run_of(iterations), run.options.initial = start;
    train(&run);
    assert_true(run.resumed && run.before >= 5);
  }
  setosa_model_destroy(start);
  setosa_model_destroy(other);
}

static void test_overwrite(void **state) {
  (void)state;
  size_t length = 0;
  Run run = run_of(7);
  train(&run);
  char *old = support_read(file, &length);
  run = run_of(1), run.options.l2 = 0.5, run.options.overwrite = true;
  SetosaTrainResult result = train(&run);
  assert_false(run.resumed);
  assert_int_equal(result.checkpoints, 2); /* after the iteration, and at the end */
  run = run_of(0), run.options.l2 = 0.125, run.options.overwrite = true;
  unlink(previous);
  support_write(file, old, length);
  result = train(&run); /* once */
  assert_int_equal(result.checkpoints, 1);
  char *kept = support_read(previous, NULL);
  assert_memory_equal(kept, old, length);
  free(kept);
  /* A damaged FILE does not push out the whole one before it. */
  support_write(file, old, length / 2);
  run = run_of(0), run.options.l2 = 0.125, run.options.overwrite = true;
  train(&run);
  kept = support_read(previous, NULL);
  assert_memory_equal(kept, old, length);
  free(kept);
  free(old);
  run = run_of(5), run.options.overwrite = true, run.options.checkpoint = NULL;
  expect_refused(&run, SETOSA_ERROR_USAGE, (const char *const[4]){"--overwrite without --checkpoint"});
}

/* Going on from one file into another that is there. */
static void test_resume_into_another(void **state) {
  (void)state;
  char other[SUPPORT_PATH], way[SUPPORT_PATH + 32];
  SetosaCheckpoint *checkpoint = NULL;
  support_path(other, folder, "other.checkpoint");
  Run run = run_of(5);
  run.options.checkpoint = other;
  train(&run);
  run = run_of(7);
  train(&run);
  support_ok(setosa_checkpoint_load(&checkpoint, other, NULL), NULL);
  run = run_of(9), run.options.resume = checkpoint;
  snprintf(way, sizeof way, "--resume %s", file);
  expect_refused(&run, SETOSA_ERROR_USAGE, (const char *const[4]){"is there already", way, "--overwrite"});
  run.options.overwrite = true;
  train(&run);
  assert_true(run.resumed && run.before == 5);
  run = run_of(9), run.options.resume = checkpoint, run.options.checkpoint = other, run.options.overwrite = true;
  train(&run); /* it goes on all the same */
  assert_true(run.resumed && run.before == 5);
  setosa_checkpoint_destroy(checkpoint);
}

/* No file of somebody else is overwritten, and none is removed: not at FILE, not at FILE.previous, not through links. */
static void test_foreign_files(void **state) {
  (void)state;
  char precious[SUPPORT_PATH];
  support_path(precious, folder, "precious");
  support_write_text(precious, "a letter, much loved");
  for (int overwrite = 0; overwrite < 2; overwrite++)
    for (int place = 0; place < 2; place++)
      for (int how = 0; how < 3; how++) {
        const char *at = place == 0 ? file : previous;
        clean(NULL);
        if (how == 0) support_write_text(at, "a letter, much loved");
        if (how == 1) assert_int_equal(symlink(precious, at), 0);
        if (how == 2) assert_int_equal(link(precious, at), 0);
        Run run = run_of(5);
        run.options.overwrite = overwrite;
        expect_refused(&run, SETOSA_ERROR_USAGE, (const char *const[4]){"is there and is no checkpoint"});
      }
  clean(NULL);
  /* The checkpoint of another file behind FILE.previous stays, too: the link goes. */
  char other[SUPPORT_PATH];
  size_t length = 0;
  support_path(other, folder, "elsewhere.checkpoint");
  Run run = run_of(3);
  run.options.checkpoint = other;
  train(&run);
  char *bytes = support_read(other, &length), *now = NULL;
  run = run_of(3);
  train(&run);
  unlink(previous);
  assert_int_equal(symlink(other, previous), 0);
  run = run_of(9);
  train(&run);
  now = support_read(other, NULL);
  assert_memory_equal(now, bytes, length);
  struct stat info;
  assert_true(lstat(previous, &info) == 0 && S_ISREG(info.st_mode));
  free(bytes);
  free(now);
}

static void test_long_names(void **state) {
  (void)state;
  char name[256], path[SUPPORT_PATH];
  memset(name, 'n', sizeof name);
  name[246] = '\0'; /* with ".previous" 255 */
  support_path(path, folder, name);
  Run run = run_of(5);
  run.options.checkpoint = path;
  SetosaTrainResult result = train(&run);
  assert_string_equal(result.checkpoint_error, "");
  assert_true(result.checkpoints > 1);
  name[246] = 'n', name[250] = '\0';
  support_path(path, folder, name);
  run = run_of(5), run.options.checkpoint = path;
  expect_refused(&run, SETOSA_ERROR_WRITE, (const char *const[4]){"--checkpoint", "File name too long; choose a shorter name"});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_goes_on, clean),         cmocka_unit_test_setup(test_goes_on_from_previous, clean),
      cmocka_unit_test_setup(test_other_trainings, clean), cmocka_unit_test_setup(test_other_starts, clean),
      cmocka_unit_test_setup(test_overwrite, clean),       cmocka_unit_test_setup(test_resume_into_another, clean),
      cmocka_unit_test_setup(test_foreign_files, clean),   cmocka_unit_test_setup(test_long_names, clean),
  };
  return support_run("train_checkpoint_again", tests, create, destroy);
}
