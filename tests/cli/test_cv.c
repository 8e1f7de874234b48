/* setosa cv: the table for people and as JSON, the model of the choice, what is refused, what is stopped and gone on with. */
#include <math.h>

#include "cli/run.h"
#include "support/mpirun.h"

#define SHORT "--backend", "reference", "--l2-path", "0.001:0.1:4", "--folds", "3"

static char folder[SUPPORT_PATH], iris[SUPPORT_PATH], checkpoint[SUPPORT_PATH], log_file[SUPPORT_PATH];

static int prepare(void **state) {
  (void)state;
  support_folder_create(folder);
  support_source_path(iris, "data/iris.csv");
  support_path(checkpoint, folder, "iris.checkpoint");
  support_path(log_file, folder, "iris.jsonl");
  setenv("IRIS", iris, 1);
  setenv("FOLDER", folder, 1);
  return 0;
}

static int clean(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static int forget(void **state) {
  (void)state;
  char previous[SUPPORT_PATH];
  support_path(previous, folder, "iris.checkpoint.previous");
  unlink(previous);
  unlink(checkpoint);
  unlink(log_file);
  return 0;
}

static void test_table(void **state) {
  (void)state;
  Run run = RUN("cv", iris, SHORT);
  run_expect(&run, 0);
  static const char *const parts[] = {"Cross-validated softmax regression",
                                      "150 rows, 4 features, 3 classes",
                                      "3, by --seed 1",
                                      "16, newton: ",
                                      "all converged",
                                      "log-loss  std. error  accuracy",
                                      "0.00464",
                                      " min",
                                      "1se",
                                      "the least loss: log-loss 0.0",
                                      "the largest within one standard error of it"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) run_expect_text(run.out, parts[i]);
  run_expect_text(run.err, "add --model FILE.safetensors");
  run_free(&run);
}

static void test_json_fields(void **state) {
  (void)state;
  static const char *const fields[] = {"command",        "version",  "data",        "device",       "backend",       "solver",
                                       "preconditioner", "folds",    "l1_ratio",    "points",       "lambda_min",    "lambda_1se",
                                       "chosen",         "complete", "models",      "models_done",  "models_before", "iterations",
                                       "unconverged",    "passes",   "seconds",     "device_bytes", "chunk_rows",    "storage",
                                       "ranks",          "devices",  "fold_weight", "fold"};
  static const char *const of_point[] = {"lambda",    "l1",       "l2",         "loss",        "standard_error", "accuracy",
                                         "objective", "nonzeros", "iterations", "unconverged", "fold_loss",      "fold_accuracy"};
  Run run = RUN("cv", iris, SHORT, "--json", "--quiet");
  run_expect(&run, 0);
  assert_string_equal(run.err, "");
  json_t *document = run_json(&run);
  const char *key;
  json_t *value;
  size_t i = 0;
  json_object_foreach(document, key, value) {
    assert_true(i < sizeof fields / sizeof *fields);
    assert_string_equal(key, fields[i++]);
  }
  assert_int_equal(i, sizeof fields / sizeof *fields);
  json_t *points = json_object_get(document, "points"), *point = json_array_get(points, 0);
  assert_int_equal(json_array_size(points), 4);
  i = 0;
  json_object_foreach(point, key, value) assert_string_equal(key, of_point[i++]);
  assert_int_equal(i, sizeof of_point / sizeof *of_point);
  assert_true(run_number(point, "lambda", NULL) == 0.1 && run_number(json_array_get(points, 3), "lambda", NULL) == 0.001);
  assert_int_equal(json_array_size(json_object_get(point, "fold_loss")), 3);
  assert_int_equal(json_array_size(json_object_get(document, "fold")), 150);
  assert_true(json_is_true(json_object_get(document, "complete")));
  assert_int_equal(run_number(document, "models_done", NULL), 16);
  json_decref(document);
  run_free(&run);
}

/* --model is what setosa train makes of the same rows with that penalty. */
static void test_model_of_the_choice(void **state) {
  (void)state;
  for (int one_error = 0; one_error < 2; one_error++) {
    char model[SUPPORT_PATH], l2[32];
    support_path(model, folder, "chosen.safetensors");
    Run run = RUN("cv", iris, SHORT, "--json", "-q", "--model", model, "--choose", one_error ? "1se" : "min");
    run_expect(&run, 0);
    json_t *document = run_json(&run);
    double lambda = run_number(document, one_error ? "lambda_1se" : "lambda_min", NULL);
    assert_true(run_number(document, "chosen", NULL) == lambda);
    snprintf(l2, sizeof l2, "%.17g", lambda);
    Run again = RUN("train", iris, "--backend", "reference", "--start", model, "--l2", l2, "--json", "-q", "--gap", "1e-8");
    run_expect(&again, 0);
    json_t *trained = run_json(&again);
    assert_int_equal(run_number(trained, "iterations", NULL), 0);
    json_t *points = json_object_get(document, "points");
    bool found = false;
    for (size_t j = 0; j < json_array_size(points); j++) {
      json_t *point = json_array_get(points, j);
      if (run_number(point, "lambda", NULL) != lambda) continue;
      support_near(run_number(trained, "objective", NULL), run_number(point, "objective", NULL), 1e-7);
      found = true;
    }
    assert_true(found);
    json_decref(trained);
    json_decref(document);
    run_free(&again);
    run_free(&run);
  }
}

static void test_refusals(void **state) {
  (void)state;
  static const struct {
    int code;
    const char *words, *option, *value;
  } refused[] = {
      {2, "--folds \"1\": give a whole number from 2 to 1000", "--folds", "1"},
      {2, "--folds 151: there are 150 rows; give no more folds than rows", "--folds", "151"},
      {2, "--l2-path \"nan\": give LEAST:MOST:COUNT", "--l2-path", "nan"},
      {2, "--l2-path \"1e-3:nan:5\": give LEAST:MOST:COUNT", "--l2-path", "1e-3:nan:5"},
      {2, "--l2-path \"1e-3:1\": give LEAST:MOST:COUNT", "--l2-path", "1e-3:1"},
      {2, "--l2-path: 1 is more than 0.001; give LEAST:MOST:COUNT, as in 0.001:1:20", "--l2-path", "1:0.001:20"},
      {2, "--l2-path: its ends are 0 and 1", "--l2-path", "0:1:3"},
      {2, "--l2-path: its ends are -1 and 1", "--l2-path", "-1:1:3"},
      {2, "--l2-path: 1 value from 0.1 to 1", "--l2-path", "0.1:1:1"},
      {2, "--l2-path: 0 values; give a count", "--l2-path", "0.1:1:0"},
      {2, "--l2-path: 5 values from 1 to 1", "--l2-path", "1:1:5"},
      {2, "--l1-ratio \"2\": give a number from 0 to 1", "--l1-ratio", "2"},
      {2, "--solver sgd: models along a path are compared at their optimum", "--solver", "sgd"},
      {2, "--l2 is not an option of `setosa cv`", "--l2", "1"},
      {2, "--every without --checkpoint", "--every", "3it"},
      {2, "--choose \"best\": give min or 1se", "--choose", "best"},
  };
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    Run run = RUN("cv", iris, "--backend", "reference", refused[i].option, refused[i].value);
    run_expect(&run, refused[i].code);
    run_expect_text(run.err, refused[i].words);
    assert_ptr_equal(strchr(run.err, '\n'), run.err + strlen(run.err) - 1);
    run_free(&run);
  }
  Run run = RUN("cv", "synthetic:rows=1e7,features=100,classes=2", "--backend", "reference");
  assert_int_not_equal(run.code, 0);
  run_free(&run);
}

static void test_one_value(void **state) {
  (void)state;
  Run run = RUN("cv", iris, "--backend", "reference", "--l2-path", "0.01");
  run_expect(&run, 0);
  run_expect_text(run.out, "min, 1se");
  run_free(&run);
}

/* A class of one row: said, and no reason to stop. */
static void test_a_rare_class(void **state) {
  (void)state;
  Run run = run_shell(
      "(cat \"$IRIS\"; echo 5,3,2,1,rare) > \"$FOLDER/rare.csv\"; "
      "exec \"$SETOSA_PROGRAM\" cv \"$FOLDER/rare.csv\" --backend reference --l2-path 0.01:1:2");
  run_expect(&run, 0);
  run_expect_text(run.err,
                  "class rare has 1 row, fewer than the 5 folds: some have none of it to judge by, and one model none to learn from");
  run_free(&run);
}

/* ---- nothing lost --------------------------------------------------------------------------------------------------- */

/* All that the documents of the same cross-validation have in common: without times, and what a run counts for itself. */
static json_t *table_of(const Run *run) {
  json_t *document = run_json(run);
  static const char *const own[] = {"seconds", "models_before", "passes", "device_bytes", "ranks", "devices", "device"};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) json_object_del(document, own[i]);
  return document;
}

static void test_killed_and_gone_on(void **state) {
  (void)state;
  Run whole = RUN("cv", iris, SHORT, "--json", "-q");
  run_expect(&whole, 0);
  json_t *expected = table_of(&whole);
  char command[2 * SUPPORT_PATH];
  snprintf(
      command, sizeof command,
      "\"$SETOSA_PROGRAM\" cv \"$IRIS\" --backend reference --l2-path 0.001:0.1:4 --folds 3 -q --checkpoint \"$FOLDER/iris.checkpoint\" "
      "--every 1it --log \"$FOLDER/iris.jsonl\" > /dev/null & "
      "while [ $(wc -l 2>/dev/null < \"$FOLDER/iris.jsonl\" || echo 0) -lt 5 ] && kill -0 $! 2>/dev/null; do :; done; "
      "kill -9 $! 2>/dev/null; wait $! 2>/dev/null; exec \"$SETOSA_PROGRAM\" cv --resume \"$FOLDER/iris.checkpoint\" --json -q");
  Run run = run_shell(command);
  run_expect(&run, 0);
  json_t *document = table_of(&run);
  assert_true(json_equal(document, expected));
  json_decref(document);
  run_free(&run);
  /* Once more at its end: the table is there. */
  run = RUN("cv", "--resume", checkpoint, "--json", "-q");
  run_expect(&run, 0);
  document = run_json(&run);
  assert_int_equal(run_number(document, "models_before", NULL), 16);
  json_decref(document);
  document = table_of(&run);
  assert_true(json_equal(document, expected));
  json_decref(document);
  run_free(&run);
  json_decref(expected);
  run_free(&whole);
}

static void test_another_cross_validation_is_refused(void **state) {
  (void)state;
  Run run = RUN("cv", iris, SHORT, "-q", "--checkpoint", checkpoint);
  run_expect(&run, 0);
  run_free(&run);
  run = RUN("cv", "--resume", checkpoint, "--folds", "4");
  run_expect(&run, 2);
  run_expect_text(run.err, "--folds: 4 here, 3 in the checkpoint");
  run_free(&run);
  run = RUN("cv", iris, "--backend", "reference", "--l2-path", "0.001:0.1:5", "--folds", "3", "--checkpoint", checkpoint);
  run_expect(&run, 2);
  run_expect_text(run.err, "--l2-path: 0.001");
  run_expect_text(run.err, "--overwrite");
  run_free(&run);
  run = RUN("cv", iris, SHORT, "--seed", "2", "--checkpoint", checkpoint);
  run_expect(&run, 2);
  run_expect_text(run.err, "--seed: 2 here, 1 in the checkpoint");
  run_free(&run);
  run = RUN("train", iris, "--backend", "reference", "--checkpoint", checkpoint);
  run_expect(&run, 2);
  run_expect_text(run.err, "is one of setosa cv; give another name, or begin afresh with --overwrite");
  run_free(&run);
  run = RUN("train", iris, "--backend", "reference", "--checkpoint", checkpoint, "--overwrite", "-q");
  run_expect(&run, 0);
  run_free(&run);
  run = RUN("cv", "--resume", checkpoint);
  run_expect(&run, 2);
  run_expect_text(run.err, "is one of setosa train; go on from it with that");
  run_free(&run);
}

static void test_log(void **state) {
  (void)state;
  Run run = RUN("cv", iris, SHORT, "-q", "--log", log_file);
  run_expect(&run, 0);
  char *text = support_read(log_file, NULL), *rest = text, *line;
  size_t lines = 0;
  while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
    json_t *at = json_loads(line, 0, NULL);
    assert_non_null(at);
    assert_int_equal(run_number(at, "model", NULL), ++lines);
    assert_int_equal(run_number(at, "fold", NULL), (lines - 1) % 4);
    assert_true(json_is_null(json_object_get(at, "loss")) == ((lines - 1) % 4 == 0));
    json_decref(at);
  }
  assert_int_equal(lines, 16);
  free(text);
  run_free(&run);
}

static void test_ranks_agree(void **state) {
  (void)state;
  json_t *expected = NULL;
  mpirun_need();
  run_need_device();
  for (int ranks = 1; ranks <= 3; ranks++) {
    char command[2 * SUPPORT_PATH];
    snprintf(command, sizeof command, "exec " MPIRUN "%d \"$SETOSA_PROGRAM\" cv \"$IRIS\" --l2-path 0.001:0.1:4 --folds 3 --json -q",
             ranks);
    Run run = run_shell(command);
    run_expect(&run, 0);
    json_t *document = run_json(&run), *points = json_object_get(document, "points");
    if (expected == NULL) expected = json_incref(points);
    for (size_t j = 0; j < 4; j++) {
      const json_t *one = json_array_get(points, j), *other = json_array_get(expected, j);
      assert_true(run_number(one, "objective", NULL) == run_number(other, "objective", NULL));
      assert_true(run_number(one, "iterations", NULL) == run_number(other, "iterations", NULL));
      support_near(run_number(one, "loss", NULL), run_number(other, "loss", NULL), 1e-14);
    }
    json_decref(document);
    run_free(&run);
  }
  json_decref(expected);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_table),
      cmocka_unit_test(test_json_fields),
      cmocka_unit_test(test_model_of_the_choice),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_one_value),
      cmocka_unit_test(test_a_rare_class),
      cmocka_unit_test_setup(test_killed_and_gone_on, forget),
      cmocka_unit_test_setup(test_another_cross_validation_is_refused, forget),
      cmocka_unit_test_setup(test_log, forget),
      cmocka_unit_test(test_ranks_agree),
  };
  return support_run("cv", tests, prepare, clean);
}
