/* Several processes under mpirun, as a user starts them: the same weights for any number, one message and one exit code whatever happens
 * to one of them, and nothing lost. */
#include "cli/run.h"
#include "support/mpirun.h"
/* after them */
#include <errno.h>
#include <sys/stat.h>

#define SGD "synthetic:rows=20000,features=16,classes=4 --solver sgd --epochs 60"
#define MATRICES "synthetic:rows=4000,features=24,classes=5 --l2 1e-4 --solver lbfgs"
enum { COMMAND = 4 * SUPPORT_PATH, PROMPTLY_MS = 10000 };

static char folder[SUPPORT_PATH], file[SUPPORT_PATH], pid_file[SUPPORT_PATH], bad[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_path(file, folder, "run.checkpoint");
  support_path(pid_file, folder, "pid");
  support_path(bad, folder, "bad.csv");
  support_write_text(bad, "a,b,c\n1.4,0.2,x\n1.5,0.2,y\n1.6\n");
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static int prepare(void **state) {
  (void)state;
  char previous[SUPPORT_PATH + 16];
  snprintf(previous, sizeof previous, "%s.previous", file);
  unlink(file);
  unlink(previous);
  unlink(pid_file);
  return 0;
}

/* A job of `ranks` shells that end as the program. one: what rank 1 does before, as `export X=1`; "" for nothing. $iris and $bad are files,
 * $data is the first for all, unless `one` says otherwise. */
static void write_job(char command[COMMAND], int ranks, const char *one, const char *arguments) {
  int length = snprintf(command, COMMAND,
                        "export iris=\"$SETOSA_SOURCE_DIR/data/iris.csv\" bad='%s'; exec " MPIRUN
                        "%d sh -c 'data=$iris; if [ $OMPI_COMM_WORLD_RANK = 1 ]; then %s; fi; exec \"$SETOSA_PROGRAM\" %s'",
                        bad, ranks, one[0] != '\0' ? one : ":", arguments);
  assert_true(length > 0 && length < COMMAND);
}

static Run run_job(int ranks, const char *one, const char *arguments) {
  char command[COMMAND];
  write_job(command, ranks, one, arguments);
  return run_shell(command);
}

static void need_all(void) {
  mpirun_need();
  run_need_device();
}

static void expect_once(const char *text, const char *part) {
  const char *first = strstr(text, part);
  if (first == NULL || strstr(first + 1, part) != NULL) fail_msg("\"%s\" is not once in:\n%s", part, text);
}

static char *hash_of(const Run *run, double ranks) {
  run_expect(run, 0);
  json_t *document = run_json(run);
  assert_true(run_number(document, "ranks", NULL) == ranks);
  char *hash = strdup(json_string_value(json_object_get(document, "weights_hash")));
  json_decref(document);
  return hash;
}

static void expect_same_anywhere(const char *arguments) {
  char plain[COMMAND];
  snprintf(plain, sizeof plain, "exec \"$SETOSA_PROGRAM\" train %s --json -q", arguments);
  Run alone = run_shell(plain);
  char *expected = hash_of(&alone, 1);
  json_t *one = run_json(&alone);
  for (int ranks = 2; ranks <= 3; ranks++) {
    snprintf(plain, sizeof plain, "train %s --json -q", arguments);
    Run run = run_job(ranks, "", plain);
    char *hash = hash_of(&run, ranks);
    assert_string_equal(hash, expected);
    json_t *document = run_json(&run);
    assert_true(run_number(document, "objective", NULL) == run_number(one, "objective", NULL));
    assert_true(run_number(document, "train", "accuracy") == run_number(one, "train", "accuracy"));
    support_near(run_number(document, "train", "log_loss"), run_number(one, "train", "log_loss"), 1e-15);
    json_decref(document);
    free(hash);
    run_free(&run);
  }
  json_decref(one);
  free(expected);
  run_free(&alone);
}

static void test_same_weights(void **state) {
  (void)state;
  need_all();
  expect_same_anywhere("\"$SETOSA_SOURCE_DIR/data/iris.csv\" --validation 0.2 --standardize");
  expect_same_anywhere(SGD);
  expect_same_anywhere("\"$SETOSA_SOURCE_DIR/data/iris.csv\" --weights petal_width --class-weight balanced --label-smoothing 0.1");
}

/* What one process makes of samples, and shares: matrices, or the choice of a solver. The rows of a sample are those of all. */
static void test_same_solvers(void **state) {
  (void)state;
  need_all();
  expect_same_anywhere("\"$SETOSA_SOURCE_DIR/data/iris.csv\" --solver newton --l2 1e-3");
  expect_same_anywhere(MATRICES " --preconditioner diagonal");
  expect_same_anywhere(MATRICES " --preconditioner kron");
  expect_same_anywhere(MATRICES " --preconditioner blocks");
}

static void test_fast_reduce(void **state) {
  (void)state;
  need_all();
  Run run = run_job(3, "", "train $data --test $data --l2 0.01 --fast-reduce --json -q");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  support_near(run_number(document, "objective", NULL), 0.2242889, 1e-6);
  support_near(run_number(document, "test", "log_loss"), run_number(document, "train", "log_loss"), 1e-6);
  json_decref(document);
  run_free(&run);
  run = run_shell("exec \"$SETOSA_PROGRAM\" train \"$SETOSA_SOURCE_DIR/data/iris.csv\" --fast-reduce");
  run_expect(&run, 2);
  run_expect_text(run.err, "--fast-reduce is about how several processes add up; start them with mpirun");
  run_free(&run);
}

/* One rank prints, for people too. */
static void test_one_speaks(void **state) {
  (void)state;
  need_all();
  Run run = run_job(2, "", "train $data");
  run_expect(&run, 0);
  expect_once(run.out, "Trained softmax regression");
  expect_once(run.out, "2 processes share the rows");
  expect_once(run.err, "hint: the model was not kept");
  run_free(&run);
  run = run_job(2, "", "--version");
  run_expect(&run, 0);
  assert_string_equal(run.out, "setosa " SETOSA_VERSION "\n");
  run_free(&run);
}

static long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What goes wrong on one rank, or on all: a code and one message. */
/* The plan is that of the job: rank 0 works on a sample, and says what each of the devices would hold. */
static void test_plan(void **state) {
  (void)state;
  need_all();
  Run run = run_job(2, "", "train synthetic:rows=20000,features=50,classes=3 --dry-run --json -q");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  assert_true(run_number(document, "devices", NULL) == 2);
  assert_true(run_number(document, "rows", NULL) == 20000);
  double features = run_number(json_array_get(json_object_get(document, "buffers"), 0), "bytes", NULL);
  assert_true(features >= 0.4 * 20000 * 50 * 4 && features <= 0.6 * 20000 * 50 * 4);
  json_decref(document);
  run_free(&run);
}

static void test_errors(void **state) {
  (void)state;
  static const struct {
    int code;
    const char *one, *arguments, *message; /* in stderr, once */
    bool of_one;                           /* the message ends naming rank 1 */
  } cases[] = {
      {3, "data=$bad", "train $data --json", "bad.csv:4:2: the row ends after 1 field", true},
      {3, "data=/nowhere.csv", "train $data --json", "/nowhere.csv: cannot open", true},
      {3, "data=$SETOSA_SOURCE_DIR/data/wine.csv", "train $data --json", "rank 1 has other data than rank 0 (178 rows", false},
      {3, "", "train $bad", "bad.csv:4:2: the row ends after 1 field", false},
      {2, "", "train $data --sovler gd", "unknown option --sovler; did you mean --solver?", false},
      {2, "", "train $data --backend blas", "--backend: several processes share the rows with the native backend alone", false},
      {2, "", "train $data --backend clblast", "--backend: several processes", false},
      {2, "", "eval a b", "`setosa eval` works in one process, and mpirun started 3", false},
      {6, "", "train $data --model /nowhere/m.safetensors", "--model: /nowhere/m.safetensors: cannot write", false},
      {4, "export OCL_ICD_VENDORS=/nowhere", "train $data", "no OpenCL device", true},
      {2, "exec \"$SETOSA_PROGRAM\" train $data --l2 0.5", "train $data", "rank 1 has other options than rank 0", false},
  };
  need_all();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    long began = now_ms();
    Run run = run_job(3, cases[i].one, cases[i].arguments);
    run_expect(&run, cases[i].code);
    assert_true(now_ms() - began < PROMPTLY_MS);
    assert_string_equal(run.out, "");
    expect_once(run.err, cases[i].message);
    bool named = strstr(run.err, " (rank 1 of 3)\n") != NULL;
    if (named != cases[i].of_one) fail_msg("rank 1 is%s named in:\n%s", named ? "" : " not", run.err);
    run_free(&run);
  }
}

/* In the midst of a training; what was kept is enough for another number of ranks. */
static void test_lost_device(void **state) {
  (void)state;
  char arguments[COMMAND];
  need_all();
  if (getenv("SETOSA_LOST_DEVICE") == NULL) support_skip("nothing can be preloaded before AddressSanitizer");
  Run run = run_job(3, "export LD_PRELOAD=$SETOSA_LOST_DEVICE SETOSA_TEST_LAUNCHES=0", "train $data --json");
  run_expect(&run, 4);
  expect_once(run.err, "(rank 1 of 3)");
  run_free(&run);
  run = run_shell("exec \"$SETOSA_PROGRAM\" train \"$SETOSA_SOURCE_DIR/data/iris.csv\" --solver lbfgs --json -q");
  char *expected = hash_of(&run, 1);
  run_free(&run);
  snprintf(arguments, sizeof arguments, "train $data --solver lbfgs --json --checkpoint %s --every 1it", file);
  long began = now_ms();
  run = run_job(3, "export LD_PRELOAD=$SETOSA_LOST_DEVICE SETOSA_TEST_LAUNCHES=150", arguments);
  run_expect(&run, 4);
  assert_true(now_ms() - began < PROMPTLY_MS);
  expect_once(run.err, "(rank 1 of 3)");
  expect_once(run.err, "kept: go on with setosa train --resume");
  assert_string_equal(run.out, "");
  run_free(&run);
  snprintf(arguments, sizeof arguments, "train --resume %s --json -q", file);
  run = run_job(2, "", arguments);
  char *found = hash_of(&run, 2);
  assert_string_equal(found, expected);
  json_t *document = run_json(&run);
  assert_true(run_number(document, "resumed_iterations", NULL) > 0);
  json_decref(document);
  run_free(&run);
  free(found);
  free(expected);
}

/* Waits until something was kept, then sends a signal to rank 1 alone (0: takes the folder of --model away); how it ended, and how long
 * that took. */
static Run disturb(int number, long *took_ms) {
  char command[COMMAND], one[SUPPORT_PATH + 32], arguments[COMMAND], place[SUPPORT_PATH];
  support_path(place, folder, "place");
  assert_true(mkdir(place, 0777) == 0 || errno == EEXIST);
  snprintf(one, sizeof one, "echo $$ > %s", pid_file);
  snprintf(arguments, sizeof arguments, "train " SGD " --json --checkpoint %s --every 50it --model %s/m.safetensors%s", file, place,
           number == SIGSTOP ? " --wait-limit 4" : "");
  write_job(command, 2, one, arguments);
  FILE *out = tmpfile(), *err = tmpfile();
  int in = open("/dev/null", O_RDONLY);
  pid_t child = run_start((const char *const[]){"/bin/sh", "-c", command, NULL}, in, fileno(out), fileno(err));
  for (int waited = 0; access(file, F_OK) != 0 && waited < 60000; waited += 2) run_sleep_ms(2);
  char *pid = support_read(pid_file, NULL);
  long began = now_ms();
  if (number == 0)
    support_folder_remove(place);
  else
    assert_int_equal(kill((pid_t)strtol(pid, NULL, 10), number), 0);
  Run run = {.code = run_wait(child)};
  *took_ms = now_ms() - began;
  free(pid);
  close(in);
  run.out = run_slurp(out);
  run.err = run_slurp(err);
  return run;
}

static void expect_resumed(int ranks, const char *expected) {
  char arguments[COMMAND];
  snprintf(arguments, sizeof arguments, "train --resume %s --json -q", file);
  Run run = run_job(ranks, "", arguments);
  char *found = hash_of(&run, ranks);
  assert_string_equal(found, expected);
  free(found);
  run_free(&run);
}

static void test_signals(void **state) {
  (void)state;
  long took = 0;
  need_all();
  Run run = run_shell("exec \"$SETOSA_PROGRAM\" train " SGD " --json -q");
  char *expected = hash_of(&run, 1);
  run_free(&run);
  run = disturb(SIGTERM, &took);
  run_expect(&run, 130);
  assert_true(took < PROMPTLY_MS);
  expect_once(run.err, "go on: setosa train --resume ");
  json_t *document = run_json(&run);
  assert_string_equal(json_string_value(json_object_get(document, "stop_reason")), "interrupted");
  json_decref(document);
  run_free(&run);
  expect_resumed(3, expected);
  prepare(NULL);
  run = disturb(SIGKILL, &took);
  run_expect(&run, 128 + SIGKILL);
  assert_true(took < PROMPTLY_MS);
  assert_string_equal(run.out, "");
  run_free(&run);
  expect_resumed(2, expected);
  free(expected);
}

/* The others do not wait for ever, and say for whom they did. */
static void test_stopped(void **state) {
  (void)state;
  long took = 0;
  need_all();
  Run run = run_shell("exec \"$SETOSA_PROGRAM\" train " SGD " --json -q");
  char *expected = hash_of(&run, 1);
  run_free(&run);
  run = disturb(SIGSTOP, &took);
  run_expect(&run, 1);
  assert_true(took > 3000 && took < PROMPTLY_MS);
  expect_once(run.err, "waited 4 s: rank 1 of 2 (process ");
  expect_once(run.err, ") is stopped; start the job again, with --resume where there is a checkpoint");
  assert_string_equal(run.out, "");
  run_free(&run);
  expect_resumed(2, expected);
  free(expected);
}

/* Rank 0 writes for all, and all end with its exit code. */
static void test_not_written(void **state) {
  (void)state;
  long took = 0;
  need_all();
  Run run = disturb(0, &took);
  run_expect(&run, 6);
  expect_once(run.err, "/place/m.safetensors: cannot write");
  assert_string_equal(run.out, "");
  run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_same_weights, prepare),
      cmocka_unit_test_setup(test_same_solvers, prepare),
      cmocka_unit_test_setup(test_fast_reduce, prepare),
      cmocka_unit_test(test_plan),
      cmocka_unit_test_setup(test_one_speaks, prepare),
      cmocka_unit_test_setup(test_errors, prepare),
      cmocka_unit_test_setup(test_lost_device, prepare),
      cmocka_unit_test_setup(test_signals, prepare),
      cmocka_unit_test_setup(test_stopped, prepare),
      cmocka_unit_test_setup(test_not_written, prepare),
  };
  return support_run("cli_mpi", tests, create, destroy);
}
