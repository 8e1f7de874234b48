/* The same command once more after a kill, and another one with the same --checkpoint; names that are no UTF-8. */
#include "cli/run.h"
#include "support/mpirun.h"

static char folder[SUPPORT_PATH], file[SUPPORT_PATH], previous[SUPPORT_PATH + 16], iris[SUPPORT_PATH], log_path[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_path(file, folder, "run.checkpoint");
  support_path(log_path, folder, "log.jsonl");
  snprintf(previous, sizeof previous, "%s.previous", file);
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
  unlink(log_path);
  return 0;
}

static void expect_one_line(const char *text) { assert_int_equal(strchr(text, '\n') - text + 1, strlen(text)); }

static size_t count_lines(const char *path) {
  char *text = support_read(path, NULL);
  size_t count = 0;
  for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++) count++;
  free(text);
  return count;
}

#define TRAIN "train", iris, "--backend", "reference", "--checkpoint", file, "--log", log_path, "--json"

/* It says so, goes on to the same weights, and the log with it. */
static void test_once_more(void **state) {
  (void)state;
  Run run = RUN("train", iris, "--backend", "reference", "--json", "-q");
  run_expect(&run, 0);
  json_t *whole = run_json(&run);
  run_free(&run);
  run = RUN(TRAIN, "--max-iterations", "5", "-q");
  run_expect(&run, 0);
  run_free(&run);
  assert_int_equal(count_lines(log_path), 5);
  run = RUN(TRAIN, "--max-iterations", "8");
  run_expect(&run, 0);
  run_expect_text(run.err, "going on from the checkpoint ");
  run_expect_text(run.err, "(5 iterations done before)");
  json_t *document = run_json(&run);
  assert_true(run_number(document, "resumed_iterations", NULL) == 5);
  json_decref(document);
  run_free(&run);
  assert_int_equal(count_lines(log_path), 8);
  run = RUN(TRAIN, "-q");
  run_expect(&run, 0);
  assert_string_equal(run.err, "");
  document = run_json(&run);
  assert_string_equal(json_string_value(json_object_get(document, "weights_hash")),
                      json_string_value(json_object_get(whole, "weights_hash")));
  assert_int_equal(count_lines(log_path), (size_t)run_number(document, "iterations", NULL));
  json_decref(document);
  json_decref(whole);
  run_free(&run);
}

/* Killed, not stopped. */
static void test_after_a_kill(void **state) {
  (void)state;
  const char *const argv[] = {support_program(),
                              "train",
                              "synthetic:rows=20000,features=32,classes=8",
                              "--backend",
                              "reference",
                              "--solver",
                              "sgd",
                              "--epochs",
                              "50",
                              "--checkpoint",
                              file,
                              "--every",
                              "20it",
                              "-q",
                              NULL};
  int nowhere = open("/dev/null", O_RDWR);
  pid_t child = run_start(argv, nowhere, nowhere, nowhere);
  for (int waited = 0; access(previous, F_OK) != 0 && waited < 60000; waited += 5) run_sleep_ms(5);
  kill(child, SIGKILL);
  assert_int_equal(run_wait(child), 128 + SIGKILL);
  child = run_start(argv, nowhere, nowhere, nowhere);
  run_sleep_ms(300);
  kill(child, SIGINT);
  int code = run_wait(child);
  if (code != 130 && code != 0) fail_msg("exit code %d", code);
  close(nowhere);
}

static void test_refused(void **state) {
  (void)state;
  char way[SUPPORT_PATH + 32], wine[SUPPORT_PATH];
  support_source_path(wine, "data/wine.csv");
  snprintf(way, sizeof way, "--resume %s", file);
  Run run = RUN(TRAIN, "--max-iterations", "5", "-q");
  run_expect(&run, 0);
  run_free(&run);
  char *before = support_read(file, NULL), *log = support_read(log_path, NULL);
  static const char *const others[][3] = {{"--l2", "0.5"},       {"--standardize"},       {"--solver", "gd"},
                                          {"--features", "1,2"}, {"--validation", "0.2"}, {"--class-weight", "balanced"},
                                          {"--seed", "9"},       {"--no-intercept"}};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    run = RUN(TRAIN, others[i][0], others[i][1]);
    run_expect(&run, 2);
    expect_one_line(run.err);
    run_expect_text(run.err, way);
    run_expect_text(run.err, "--overwrite");
    run_free(&run);
  }
  run = RUN("train", wine, "--backend", "reference", "--checkpoint", file);
  run_expect(&run, 2);
  run_expect_text(run.err, "the data differ");
  run_expect_text(run.err, "--overwrite");
  run_free(&run);
  char *after = support_read(file, NULL), *log_after = support_read(log_path, NULL);
  assert_string_equal(after + 8, before + 8);
  assert_string_equal(log_after, log);
  assert_int_equal(access(previous, F_OK), -1);
  free(after);
  free(log_after);
  run = RUN(TRAIN, "--l2", "0.5", "--overwrite", "--max-iterations", "0", "-q");
  run_expect(&run, 0);
  run_free(&run);
  after = support_read(previous, NULL);
  assert_string_equal(after + 8, before + 8);
  free(after);
  free(before);
  free(log);
  run = RUN("train", iris, "--overwrite");
  run_expect(&run, 2);
  run_expect_text(run.err, "--overwrite without --checkpoint");
  run_free(&run);
  run = RUN("train", "--resume", file, "--overwrite");
  run_expect(&run, 2);
  expect_one_line(run.err);
  run_free(&run);
}

/* What rank 0 finds all go on from. */
static void test_ranks(void **state) {
  (void)state;
  mpirun_need();
  run_need_device();
  char command[3 * SUPPORT_PATH];
  const char *const jobs[] = {"--max-iterations 4", "--max-iterations 7", "--l2 3", "--l2 3 --overwrite --max-iterations 3"};
  static const int codes[] = {0, 0, 2, 0};
  for (size_t i = 0; i < 4; i++) {
    snprintf(command, sizeof command, "exec " MPIRUN "2 \"$SETOSA_PROGRAM\" train \"$SETOSA_SOURCE_DIR/data/iris.csv\" --checkpoint %s %s",
             file, jobs[i]);
    Run run = run_shell(command);
    run_expect(&run, codes[i]);
    bool said = strstr(run.err, "going on from the checkpoint") != NULL;
    assert_true(said == (i == 1));
    if (i == 1) run_expect_text(run.out, "stopped after 7 iterations (4 before this run)");
    if (i == 2) run_expect_text(run.err, "--l2: 3 here, 0.0001 in the checkpoint");
    run_free(&run);
  }
}

/* File names are bytes: data, labels, weights, checkpoint, log and model under such names, found again from another folder. */
static void test_names_that_are_no_utf8(void **state) {
  (void)state;
  char command[4 * SUPPORT_PATH];
  snprintf(
      command, sizeof command,
      "cd %s && d=$(printf 'w\\303\\344\\377%%%%41') && mkdir \"$d\" && cd \"$d\" && cp \"$SETOSA_SOURCE_DIR/data/iris.csv\" \"$d.csv\" && "
      "seq 150 > \"$d.txt\" && \"$SETOSA_PROGRAM\" train \"$d.csv\" --weights \"$d.txt\" --test \"$d.csv\" --backend reference --model "
      "\"$d.safetensors\" --log \"$d.log\" --checkpoint \"$d.checkpoint\" --max-iterations 4 -q --json > \"$d.json\"",
      folder);
  Run run = run_shell(command);
  run_expect(&run, 0);
  run_free(&run);
  snprintf(
      command, sizeof command,
      "d=$(printf '%s/w\\303\\344\\377%%%%41/w\\303\\344\\377%%%%41') && \"$SETOSA_PROGRAM\" train --resume \"$d.checkpoint\" "
      "--max-iterations 9 -q > /dev/null && test $(wc -l < \"$d.log\") = 9 && \"$SETOSA_PROGRAM\" predict \"$d.safetensors\" \"$d.csv\" "
      "--backend reference -o \"$d.out\" && \"$SETOSA_PROGRAM\" inspect \"$d.safetensors\" --json",
      folder);
  run = run_shell(command);
  run_expect(&run, 0);
  run_expect_text(run.out, "\"w%C3%E4%FF%2541.csv\"");
  json_decref(run_json(&run));
  run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_once_more, clean),
      cmocka_unit_test_setup(test_after_a_kill, clean),
      cmocka_unit_test_setup(test_refused, clean),
      cmocka_unit_test_setup(test_ranks, clean),
      cmocka_unit_test_setup(test_names_that_are_no_utf8, clean),
  };
  return support_run("cli_checkpoint_again", tests, create, destroy);
}
