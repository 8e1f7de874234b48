/* Early stopping: it ends when the loss of the validation rows has not fallen for so long, and what is left are the best weights, however
 * the training was cut. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/support.h"

static char folder[SUPPORT_PATH], file[SUPPORT_PATH], previous[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_path(file, folder, "run.checkpoint");
  support_path(previous, folder, "run.checkpoint.previous");
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

enum { MOST_EPOCHS = 400 };

typedef struct Run {
  SetosaTrainOptions options;
  double losses[MOST_EPOCHS + 1]; /* of the validation rows, after each epoch */
  long stops;                     /* stop when asked so often; -1: never */
  SetosaTrainResult result;
} Run;

static bool on_progress(const SetosaProgress *at, void *user) {
  ((Run *)user)->losses[at->iteration] = at->validation_loss;
  return true;
}

static bool on_stop(void *user) {
  Run *run = user;
  return run->stops >= 0 && run->stops-- == 0;
}

static Run run_of(SetosaSolver solver, uint64_t patience) {
  Run run = {.options = setosa_train_options_default(), .stops = -1};
  run.options.compute.backend = SETOSA_BACKEND_REFERENCE;
  run.options.solver = solver;
  run.options.schedule = SETOSA_SCHEDULE_CONSTANT;
  run.options.epochs = MOST_EPOCHS;
  run.options.batch_size = 16;
  run.options.patience = patience;
  run.options.checkpoint_iterations = UINT64_MAX;
  return run;
}

static void train(Run *run) {
  char iris[SUPPORT_PATH];
  SetosaDataset *data = NULL, *held_out = NULL;
  SetosaModel *model = NULL;
  SetosaError error = {0};
  support_source_path(iris, "data/iris.csv");
  support_ok(setosa_dataset_load(&data, iris, NULL, &error), &error);
  support_ok(setosa_dataset_split(data, 0.3, 1, &held_out, &error), &error);
  run->options.validation = held_out;
  run->options.progress = on_progress;
  run->options.stop = on_stop;
  run->options.progress_user = run;
  support_ok(setosa_train(&model, &run->result, data, &run->options, &error), &error);
  setosa_model_destroy(model);
  setosa_dataset_destroy(held_out);
  setosa_dataset_destroy(data);
}

/* The epoch from 1 with the least loss, the first of equal ones. */
static uint64_t least(const Run *run, uint64_t epochs) {
  uint64_t best = 1;
  for (uint64_t i = 2; i <= epochs; i++)
    if (run->losses[i] < run->losses[best]) best = i;
  return best;
}

static void check_stops(SetosaSolver solver) {
  Run run = run_of(solver, 3);
  train(&run);
  assert_string_equal(run.result.stop_reason, "patience");
  assert_false(run.result.converged);
  assert_string_equal(run.result.advice, "");
  assert_true(run.result.best_epoch > 0 && run.result.iterations < MOST_EPOCHS);
  assert_int_equal(run.result.best_epoch, least(&run, run.result.iterations));
  assert_int_equal(run.result.iterations, run.result.best_epoch + 3);
  support_near(run.result.validation_log_loss, run.losses[run.result.best_epoch], 1e-6);
  /* A training of so many epochs has these weights. */
  Run shorter = run_of(solver, 0);
  shorter.options.epochs = run.result.best_epoch;
  train(&shorter);
  assert_string_equal(run.result.weights_hash, shorter.result.weights_hash);
  support_near(run.result.objective, shorter.result.objective, 0);
  assert_int_equal(shorter.result.best_epoch, 0);
}

static void test_sgd_stops(void **state) { (void)state, check_stops(SETOSA_SOLVER_SGD); }

static void test_adam_stops(void **state) {
  (void)state;
  Run run = run_of(SETOSA_SOLVER_ADAM, 3);
  run.options.learning_rate = 0.3;
  train(&run);
  assert_string_equal(run.result.stop_reason, "patience");
  assert_int_equal(run.result.iterations, run.result.best_epoch + 3);
  assert_int_equal(run.result.best_epoch, least(&run, run.result.iterations));
}

/* The best of those that there were, also where the epochs are over first. */
static void test_the_best_epoch_without_an_early_end(void **state) {
  (void)state;
  Run run = run_of(SETOSA_SOLVER_SGD, 3), few = run_of(SETOSA_SOLVER_SGD, 100);
  train(&run);
  few.options.epochs = run.result.iterations;
  train(&few);
  assert_string_equal(few.result.stop_reason, "epochs-done");
  assert_int_equal(few.result.best_epoch, run.result.best_epoch);
  assert_string_equal(few.result.weights_hash, run.result.weights_hash);
}

/* Weights that only get worse: those of the start are left, and the remedy is named. */
static void test_the_start_may_be_best(void **state) {
  (void)state;
  Run run = run_of(SETOSA_SOLVER_SGD, 2);
  run.options.learning_rate = 1000;
  train(&run);
  assert_string_equal(run.result.stop_reason, "patience");
  assert_int_equal(run.result.best_epoch, 0);
  assert_int_equal(run.result.iterations, 2);
  support_near(run.result.validation_log_loss, log(3), 1e-6);
  assert_non_null(strstr(run.result.advice, "lower --learning-rate"));
}

/* Cut after every `stops` questions, and gone on with, until the end. */
static void test_cut_anywhere(void **state) {
  (void)state;
  Run whole = run_of(SETOSA_SOLVER_SGD, 3);
  train(&whole);
  for (long stops = 1; stops <= 40; stops += 3) {
    size_t pieces = 0;
    SetosaCheckpoint *checkpoint = NULL;
    SetosaError error = {0};
    unlink(file);
    unlink(previous);
    for (;; pieces++) {
      Run piece = run_of(SETOSA_SOLVER_SGD, 3);
      piece.options.checkpoint = file;
      piece.options.resume = checkpoint;
      piece.stops = stops;
      train(&piece);
      setosa_checkpoint_destroy(checkpoint);
      checkpoint = NULL;
      assert_true(pieces < 1000);
      if (strcmp(piece.result.stop_reason, "interrupted") != 0) {
        assert_string_equal(piece.result.weights_hash, whole.result.weights_hash);
        assert_string_equal(piece.result.stop_reason, "patience");
        assert_int_equal(piece.result.best_epoch, whole.result.best_epoch);
        assert_int_equal(piece.result.iterations, whole.result.iterations);
        break;
      }
      support_ok(setosa_checkpoint_load(&checkpoint, file, &error), &error);
    }
    assert_true(pieces > 0);
  }
  /* Gone on with at the end, it has ended. */
  SetosaCheckpoint *checkpoint = NULL;
  SetosaError error = {0};
  support_ok(setosa_checkpoint_load(&checkpoint, file, &error), &error);
  Run again = run_of(SETOSA_SOLVER_SGD, 3);
  again.options.resume = checkpoint;
  train(&again);
  assert_string_equal(again.result.weights_hash, whole.result.weights_hash);
  assert_int_equal(again.result.iterations, whole.result.iterations);
  setosa_checkpoint_destroy(checkpoint);
}

static void test_needs_validation_rows(void **state) {
  (void)state;
  char iris[SUPPORT_PATH];
  SetosaDataset *data = NULL;
  SetosaModel *model = NULL;
  SetosaError error = {0};
  Run run = run_of(SETOSA_SOLVER_SGD, 3);
  support_source_path(iris, "data/iris.csv");
  support_ok(setosa_dataset_load(&data, iris, NULL, &error), &error);
  support_fails(setosa_train(&model, NULL, data, &run.options, &error), &error, SETOSA_ERROR_USAGE,
                "--patience needs rows to judge the epochs by; hold some out with --validation 0.1");
  setosa_dataset_destroy(data);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sgd_stops),
      cmocka_unit_test(test_adam_stops),
      cmocka_unit_test(test_the_best_epoch_without_an_early_end),
      cmocka_unit_test(test_the_start_may_be_best),
      cmocka_unit_test(test_cut_anywhere),
      cmocka_unit_test(test_needs_validation_rows),
  };
  return support_run("patience", tests, create, destroy);
}
