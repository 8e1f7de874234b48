/* --checkpoint and --resume as a user has them: interrupted, resumed from elsewhere, refused, full disks. */
#include "cli/run.h"

static char folder[SUPPORT_PATH], file[SUPPORT_PATH], iris[SUPPORT_PATH], model[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_path(file, folder, "run.checkpoint");
  support_path(model, folder, "m.safetensors");
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
  char previous[SUPPORT_PATH + 16];
  snprintf(previous, sizeof previous, "%s.previous", file);
  unlink(file);
  unlink(previous);
  unlink(model);
  return 0;
}

static char *hash_of(const Run *run) {
  json_t *document = run_json(run);
  char *hash = strdup(json_string_value(json_object_get(document, "weights_hash")));
  json_decref(document);
  return hash;
}

static void expect_hash(const Run *run, const char *expected) {
  char *found = hash_of(run);
  assert_string_equal(found, expected);
  free(found);
}

/* Everything of the first command is remembered: data options, held-out rows, standardizing, outputs. From another folder, too. */
static void test_resume_alone_is_enough(void **state) {
  (void)state;
  Run run = RUN("train", iris, "--backend", "reference", "--standardize", "--validation", "0.2", "--seed", "7", "--features", "1,3,4",
                "--l2", "0.003", "--json", "-q");
  run_expect(&run, 0);
  char *expected = hash_of(&run), command[4 * SUPPORT_PATH];
  run_free(&run);
  snprintf(
      command, sizeof command,
      "cd \"$SETOSA_SOURCE_DIR\" && \"$SETOSA_PROGRAM\" train data/iris.csv --backend reference --standardize --validation 0.2 --seed 7 "
      "--features 1,3,4 --l2 0.003 --max-iterations 4 --model %s --checkpoint %s --json -q",
      model, file);
  run = run_shell(command);
  run_expect(&run, 0);
  run_free(&run);
  unlink(model);
  snprintf(command, sizeof command, "cd / && \"$SETOSA_PROGRAM\" train --resume %s --max-iterations 1000 --json -q", file);
  run = run_shell(command);
  run_expect(&run, 0);
  expect_hash(&run, expected);
  json_t *document = run_json(&run);
  assert_true(run_number(document, "resumed_iterations", NULL) == 4);
  assert_true(run_number(document, "iterations", NULL) > 4);
  assert_non_null(json_object_get(document, "validation"));
  json_decref(document);
  run_free(&run);
  assert_int_equal(access(model, R_OK), 0);
  /* Once more, in words: it has ended, and ends there again. DATA may be named, too. */
  run = RUN("train", iris, "--resume", file);
  run_expect(&run, 0);
  run_expect_text(run.out, "before --resume)");
  run_free(&run);
  free(expected);
}

static void test_refusals(void **state) {
  (void)state;
  Run run = RUN("train", iris, "--backend", "reference", "--max-iterations", "3", "--checkpoint", file, "-q");
  run_expect(&run, 0);
  run_free(&run);
  const struct {
    int code;
    const char *text, *arguments[6];
  } cases[] = {
      {2, "--l2: 0.5 here, 0.0001 in the checkpoint", {"--l2", "0.5"}},
      {2, "--solver: sgd here, auto in the checkpoint", {"--solver", "sgd"}},
      {2, "--backend: blas here, reference in the checkpoint", {"--backend", "blas"}},
      {2, "--features: 1,2 here, not given in the checkpoint", {"--features", "1,2"}},
      {2, "--standardize was not given when the checkpoint", {"--standardize"}},
      {2, "--no-header was not given when the checkpoint", {"--no-header"}},
      {2, "--every \"x\": give seconds, as in 30, or iterations, as in 10it", {"--every", "x"}},
      {2, "--every \"0it\": give seconds", {"--every", "0it"}},
      {2, "--every \"-1\": give seconds", {"--every=-1"}},
      {2, "would overwrite", {"--model", file}},
      {2, "would overwrite", {"--log", file}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *arguments[10] = {"train", "--resume", file};
    for (size_t k = 0; cases[i].arguments[k] != NULL; k++) arguments[3 + k] = cases[i].arguments[k];
    run = run_setosa(arguments);
    run_expect(&run, cases[i].code);
    run_expect_text(run.err, cases[i].text);
    assert_int_equal(strchr(run.err, '\n') - run.err + 1, strlen(run.err)); /* one line */
    run_free(&run);
  }
  char wine[SUPPORT_PATH];
  support_source_path(wine, "data/wine.csv");
  run = RUN("train", wine, "--resume", file);
  run_expect(&run, 3);
  run_expect_text(run.err, "the data differ from those of the checkpoint");
  run_free(&run);
  run = RUN("train", "--resume", iris);
  run_expect(&run, 3);
  run_expect_text(run.err, "is no checkpoint; give the file that --checkpoint wrote");
  run_free(&run);
  run = RUN("train", iris, "--every", "3");
  run_expect(&run, 2);
  run_expect_text(run.err, "--every without --checkpoint");
  run_free(&run);
  run = RUN("train", iris, "--checkpoint", iris);
  run_expect(&run, 2);
  run_expect_text(run.err, "would overwrite");
  run_free(&run);
  run = RUN("train", iris, "--backend", "reference", "--checkpoint", "/nowhere/at/all");
  run_expect(&run, 6);
  run_expect_text(run.err, "--checkpoint: /nowhere/at/all: cannot write");
  run_free(&run);
  run = RUN("train");
  run_expect(&run, 2);
  run_expect_text(run.err, "`setosa train` needs DATA");
  run_free(&run);
}

/* Cut, whole, or one bit another: a line each, and the one before it where that is whole. */
static void test_damaged(void **state) {
  (void)state;
  char previous[SUPPORT_PATH + 16];
  snprintf(previous, sizeof previous, "%s.previous", file);
  Run run = RUN("train", iris, "--backend", "reference", "--checkpoint", file, "--every", "1it", "--json", "-q");
  run_expect(&run, 0);
  char *expected = hash_of(&run);
  run_free(&run);
  size_t length = 0;
  char *bytes = support_read(file, &length);
  bytes[length / 2] ^= 4;
  support_write(file, bytes, length);
  run = RUN("train", "--resume", file, "--json");
  run_expect(&run, 0);
  run_expect_text(run.err, "warning: ");
  run_expect_text(run.err, "is damaged (its checksum does not match)");
  run_expect_text(run.err, "run.checkpoint.previous, is taken");
  expect_hash(&run, expected);
  run_free(&run);
  unlink(previous);
  support_write(file, bytes, length / 2);
  run = RUN("train", "--resume", file, "--json");
  run_expect(&run, 3);
  run_expect_text(run.err, "is damaged (cut short");
  assert_string_equal(run.out, "");
  run_free(&run);
  free(bytes);
  free(expected);
}

/* Ctrl-C within an epoch that would take minutes: soon over, all kept, and how to go on is said. */
static void interrupt(int signal_number) {
  const char *spec = "synthetic:rows=200000,features=64,classes=8";
  const char *const argv[] = {
      support_program(), "train", spec,      "--backend", "reference", "--solver", "sgd", "--batch-size", "64", "--epochs", "200",
      "--checkpoint",    file,    "--every", "5it",       "--json",    NULL};
  FILE *out = tmpfile(), *err = tmpfile();
  int in = open("/dev/null", O_RDONLY);
  clean(NULL);
  pid_t child = run_start(argv, in, fileno(out), fileno(err));
  for (int waited = 0; access(file, F_OK) != 0 && waited < 60000; waited += 5) run_sleep_ms(5);
  kill(child, signal_number);
  Run run = {.code = run_wait(child)};
  close(in);
  run.out = run_slurp(out);
  run.err = run_slurp(err);
  run_expect(&run, 130);
  run_expect_text(run.err, "go on: setosa train --resume ");
  json_t *document = run_json(&run);
  assert_true(run_number(document, "iterations", NULL) < 3); /* of epochs: it did not wait for the rest */
  assert_string_equal(json_string_value(json_object_get(document, "stop_reason")), "interrupted");
  json_decref(document);
  run_free(&run);
}

static void test_interrupt(void **state) {
  (void)state;
  interrupt(SIGINT);
  interrupt(SIGTERM);
}

/* A disk that fills up while it trains: everything else is written, and the exit code tells. */
/* A kill between keeping the old and putting the new one in place leaves one file under both names: the next save leaves nothing else. */
static void test_killed_between(void **state) {
  (void)state;
  char command[5 * SUPPORT_PATH];
  Run run = RUN("train", iris, "--backend", "reference", "--max-iterations", "2", "--checkpoint", file, "-q");
  run_expect(&run, 0);
  run_free(&run);
  snprintf(command, sizeof command,
           "ln -f '%s' '%s.previous' && \"$SETOSA_PROGRAM\" train --resume '%s' --max-iterations 4 -q > /dev/null && ls '%s' | grep -c tmp",
           file, file, file, folder);
  run = run_shell(command);
  assert_string_equal(run.out, "0\n");
  run_free(&run);
}

static void test_disk_full(void **state) {
  (void)state;
  char command[4 * SUPPORT_PATH];
  /* 12 KB: the first iterations fit, a full history of 20 steps does not. */
  snprintf(command, sizeof command,
           "ulimit -f 24; exec \"$SETOSA_PROGRAM\" train \"$SETOSA_SOURCE_DIR/data/iris.csv\" --backend reference --solver lbfgs "
           "--checkpoint %s --every 1it "
           "--model %s > /dev/null",
           file, model);
  Run run = run_shell(command);
  run_expect(&run, 6);
  run_expect_text(run.err, "warning: the checkpoint could not be written and the training goes on without");
  run_expect_text(run.err, "--checkpoint: the last one could not be written");
  assert_int_equal(access(model, R_OK), 0);
  run_free(&run);
  run = RUN("train", "--resume", file, "-q"); /* what was kept before is whole */
  run_expect(&run, 0);
  run_free(&run);
}

/* The log goes on where it was. */
static void test_log_goes_on(void **state) {
  (void)state;
  char log[SUPPORT_PATH];
  support_path(log, folder, "log.jsonl");
  Run run = RUN("train", iris, "--backend", "reference", "--checkpoint", file, "--log", log, "--max-iterations", "5", "-q");
  run_expect(&run, 0);
  run_free(&run);
  run = RUN("train", "--resume", file, "--max-iterations", "8", "-q");
  run_expect(&run, 0);
  run_free(&run);
  char *text = support_read(log, NULL), *line = text;
  for (int i = 1; i <= 8; i++) {
    json_t *entry = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
    assert_true(run_number(entry, "iteration", NULL) == i);
    json_decref(entry);
    line = strchr(line, '\n') + 1;
  }
  assert_string_equal(line, "");
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_resume_alone_is_enough, clean),
      cmocka_unit_test_setup(test_killed_between, clean),
      cmocka_unit_test_setup(test_refusals, clean),
      cmocka_unit_test_setup(test_damaged, clean),
      cmocka_unit_test_setup(test_interrupt, clean),
      cmocka_unit_test_setup(test_disk_full, clean),
      cmocka_unit_test_setup(test_log_goes_on, clean),
  };
  return support_run("cli_checkpoint", tests, create, destroy);
}
