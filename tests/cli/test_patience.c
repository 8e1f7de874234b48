/* setosa train --patience: what it says, and that the processes of a job agree. */
#include "cli/run.h"
#include "support/mpirun.h"

#define EARLY "--solver sgd --patience 3 --validation 0.3 --epochs 200 --schedule constant --batch-size 16"

static char iris[SUPPORT_PATH];

static int prepare(void **state) {
  (void)state;
  support_source_path(iris, "data/iris.csv");
  setenv("IRIS", iris, 1);
  return 0;
}

static void test_says_which_epoch(void **state) {
  (void)state;
  Run run = run_shell("exec \"$SETOSA_PROGRAM\" train \"$IRIS\" --backend reference --strict " EARLY);
  run_expect(&run, 5); /* --strict asks for the optimum, which this is not */
  run_expect_text(run.out, "the validation loss not having fallen for 3");
  run_expect_text(run.out, "the weights are those after epoch ");
  run_free(&run);
  run = run_shell("exec \"$SETOSA_PROGRAM\" train \"$IRIS\" --backend reference --json -q " EARLY);
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  assert_string_equal(json_string_value(json_object_get(document, "stop_reason")), "patience");
  assert_true(run_number(document, "best_epoch", NULL) + 3 == run_number(document, "iterations", NULL));
  json_decref(document);
  run_free(&run);
}

static void test_refusals(void **state) {
  (void)state;
  Run run = RUN("train", iris, "--solver", "sgd", "--patience", "3");
  run_expect(&run, 2);
  run_expect_text(run.err, "--patience needs rows to judge the epochs by; hold some out with --validation 0.1");
  run_free(&run);
  run = RUN("train", iris, "--solver", "lbfgs", "--patience", "3", "--validation", "0.2");
  run_expect(&run, 2);
  run_expect_text(run.err, "--patience has no effect with --solver lbfgs: it belongs to sgd and adam");
  run_free(&run);
}

static void test_ranks_agree(void **state) {
  (void)state;
  char *hash = NULL;
  mpirun_need();
  run_need_device();
  for (int ranks = 1; ranks <= 3; ranks++) {
    char command[2 * SUPPORT_PATH];
    snprintf(command, sizeof command, "exec " MPIRUN "%d \"$SETOSA_PROGRAM\" train \"$IRIS\" --json -q " EARLY, ranks);
    Run run = run_shell(command);
    run_expect(&run, 0);
    json_t *document = run_json(&run);
    const char *found = json_string_value(json_object_get(document, "weights_hash"));
    assert_string_equal(json_string_value(json_object_get(document, "stop_reason")), "patience");
    if (hash == NULL) hash = strdup(found);
    assert_string_equal(found, hash);
    json_decref(document);
    run_free(&run);
  }
  free(hash);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_says_which_epoch),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_ranks_agree),
  };
  return support_run("patience", tests, prepare, NULL);
}
