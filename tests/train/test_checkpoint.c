/* Checkpoints: a training that is cut anywhere ends at the bits of one that is not; damage is seen; other data and options are refused. */
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/public_device.h"

static char folder[SUPPORT_PATH], file[SUPPORT_PATH], previous[SUPPORT_PATH], iris[SUPPORT_PATH];

static int create(void **state) {
  support_folder_create(folder);
  support_path(file, folder, "run.checkpoint");
  support_path(previous, folder, "run.checkpoint.previous");
  support_source_path(iris, "data/iris.csv");
  return support_public_device_open(state);
}

static int destroy(void **state) {
  support_folder_remove(folder);
  return support_public_device_close(state);
}

static int clean(void **state) {
  (void)state;
  unlink(file);
  unlink(previous);
  return 0;
}

/* ---- one training ----------------------------------------------------------------------------------------------- */

typedef struct Run {
  SetosaTrainOptions options;
  const char *data;
  long stops; /* stop when asked so often; -1: never */
  int warnings;
  long limit_at; /* from this question on no file may grow beyond some bytes; -1: never */
  SetosaTrainResult result;
} Run;

static bool on_stop(void *user) {
  Run *run = user;
  if (run->limit_at >= 0 && run->limit_at-- == 0) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = 100;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  if (run->stops <= 0) return run->stops == 0; /* true again when it is asked again */
  run->stops--;
  return false;
}

static void on_warn(const char *line, void *user) {
  Run *run = user;
  run->warnings++;
  assert_non_null(strstr(line, "the checkpoint could not be written"));
}

static Run run_of(SetosaSolver solver) {
  Run run = {.options = setosa_train_options_default(), .data = iris, .stops = -1, .limit_at = -1};
  run.options.compute.backend = SETOSA_BACKEND_REFERENCE;
  run.options.solver = solver;
  run.options.max_iterations = 60;
  run.options.epochs = 4;
  run.options.batch_size = 16; /* of 150 rows: the last one is shorter */
  run.options.checkpoint_iterations = UINT64_MAX;
  return run;
}

static SetosaStatus try_train(Run *run, SetosaError *error) {
  SetosaDataset *data = NULL;
  SetosaModel *model = NULL;
  run->options.stop = on_stop;
  run->options.warn = on_warn;
  run->options.progress_user = run;
  memset(&run->result, 0x7F, sizeof run->result);
  support_ok(setosa_dataset_load(&data, run->data, NULL, error), error);
  SetosaStatus status = setosa_train(&model, &run->result, data, &run->options, error);
  setosa_model_destroy(model);
  setosa_dataset_destroy(data);
  return status;
}

static SetosaTrainResult train(Run *run) {
  SetosaError error = {0};
  support_ok(try_train(run, &error), &error);
  return run->result;
}

static SetosaCheckpoint *load(const char *path) {
  SetosaCheckpoint *checkpoint = NULL;
  SetosaError error = {0};
  support_ok(setosa_checkpoint_load(&checkpoint, path, &error), &error);
  return checkpoint;
}

static void expect_same(const SetosaTrainResult *found, const SetosaTrainResult *expected) {
  assert_string_equal(found->weights_hash, expected->weights_hash);
  assert_memory_equal(&found->objective, &expected->objective, sizeof(double));
  assert_memory_equal(&found->gradient_norm, &expected->gradient_norm, sizeof(double));
  assert_int_equal(found->iterations, expected->iterations);
  assert_int_equal(found->evaluations, expected->evaluations);
  assert_string_equal(found->stop_reason, expected->stop_reason);
}

/* Stops after every `stops` questions and goes on from the file, until the end. Returns how often it was cut. */
static size_t train_in_pieces(const Run *whole, long stops, SetosaTrainResult *result) {
  Run piece = *whole;
  size_t pieces = 0;
  SetosaCheckpoint *checkpoint = NULL;
  piece.options.checkpoint = file;
  for (;; pieces++) {
    assert_true(pieces < 1000);
    piece.stops = stops;
    piece.options.resume = checkpoint;
    *result = train(&piece);
    setosa_checkpoint_destroy(checkpoint);
    assert_string_equal(result->checkpoint_error, "");
    if (strcmp(result->stop_reason, "interrupted") != 0) break;
    checkpoint = load(file);
    assert_string_equal(setosa_checkpoint_warning(checkpoint), "");
    assert_int_equal(setosa_checkpoint_iterations(checkpoint), result->iterations);
  }
  return pieces;
}

static void check_solvers(const SetosaComputeOptions *compute, const long cuts[2]) {
  static const struct {
    SetosaSolver solver;
    size_t history;
    double rate, momentum;
    bool nesterov;
    SetosaSchedule schedule;
    SetosaPreconditioner preconditioner;
    double l1;
  } cases[] = {
      {SETOSA_SOLVER_LBFGS, 20, NAN, 0, false, SETOSA_SCHEDULE_COSINE, SETOSA_PRECONDITIONER_KRON, 0.003},
      {SETOSA_SOLVER_GD, 20, NAN, 0, false, SETOSA_SCHEDULE_COSINE, SETOSA_PRECONDITIONER_AUTO, 0.003},
      {SETOSA_SOLVER_NEWTON, 20, NAN, 0, false, SETOSA_SCHEDULE_COSINE, SETOSA_PRECONDITIONER_AUTO, 0},
      {SETOSA_SOLVER_LBFGS, 20, NAN, 0, false, SETOSA_SCHEDULE_COSINE, SETOSA_PRECONDITIONER_NONE, 0},
      {SETOSA_SOLVER_LBFGS, 20, NAN, 0, false, SETOSA_SCHEDULE_COSINE, SETOSA_PRECONDITIONER_DIAGONAL, 0},
      {SETOSA_SOLVER_LBFGS, 5, NAN, 0, false, SETOSA_SCHEDULE_COSINE, SETOSA_PRECONDITIONER_KRON, 0},
      {SETOSA_SOLVER_LBFGS, 20, NAN, 0, false, SETOSA_SCHEDULE_COSINE, SETOSA_PRECONDITIONER_AUTO, 0},
      {SETOSA_SOLVER_LBFGS, 3, NAN, 0, false, SETOSA_SCHEDULE_COSINE, SETOSA_PRECONDITIONER_AUTO, 0},
      {SETOSA_SOLVER_GD, 20, NAN, 0, false, SETOSA_SCHEDULE_COSINE, SETOSA_PRECONDITIONER_AUTO, 0},
      {SETOSA_SOLVER_GD, 20, 0.05, 0, false, SETOSA_SCHEDULE_COSINE, SETOSA_PRECONDITIONER_AUTO, 0},
      {SETOSA_SOLVER_SGD, 20, NAN, 0, false, SETOSA_SCHEDULE_CONSTANT, SETOSA_PRECONDITIONER_AUTO, 0},
      {SETOSA_SOLVER_SGD, 20, 0.05, 0.9, true, SETOSA_SCHEDULE_STEP, SETOSA_PRECONDITIONER_AUTO, 0},
      {SETOSA_SOLVER_SGD, 20, 0.05, 0.5, false, SETOSA_SCHEDULE_INVERSE, SETOSA_PRECONDITIONER_AUTO, 0},
      {SETOSA_SOLVER_ADAM, 20, NAN, 0, false, SETOSA_SCHEDULE_COSINE, SETOSA_PRECONDITIONER_AUTO, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    Run run = run_of(cases[i].solver);
    run.options.compute = *compute;
    run.options.history = cases[i].history;
    run.options.learning_rate = cases[i].rate;
    run.options.momentum = cases[i].momentum;
    run.options.nesterov = cases[i].nesterov;
    run.options.schedule = cases[i].schedule;
    run.options.preconditioner = cases[i].preconditioner;
    run.options.l1 = cases[i].l1;
    SetosaTrainResult expected = train(&run), found = {0};
    assert_int_equal(expected.resumed_iterations, 0);
    for (size_t c = 0; c < 2; c++) {
      clean(NULL);
      size_t pieces = train_in_pieces(&run, cuts[c], &found);
      if (pieces < 1 && (long)expected.iterations > cuts[c] + 1)
        fail_msg("case %zu, cut after %ld of %llu iterations: %zu pieces", i, cuts[c], (unsigned long long)expected.iterations, pieces);
      expect_same(&found, &expected);
      /* What has ended is kept at its end: it ends there again, at once. */
      if (strcmp(found.stop_reason, "no-progress") == 0 || strcmp(found.stop_reason, "precision-limit") == 0) continue;
      Run again = run;
      SetosaCheckpoint *end = load(file);
      again.options.resume = end;
      SetosaTrainResult repeated = train(&again);
      expect_same(&repeated, &expected);
      assert_int_equal(repeated.resumed_iterations, expected.iterations);
      setosa_checkpoint_destroy(end);
    }
  }
}

static void test_cut_anywhere_reference(void **state) {
  (void)state;
  SetosaComputeOptions compute = setosa_compute_options_default();
  compute.backend = SETOSA_BACKEND_REFERENCE;
  check_solvers(&compute, (const long[]){0, 6});
}

/* So many rows that a stage on a few of them comes first, and that those of a metric are a sample. */
static void test_cut_after_a_stage(void **state) {
  (void)state;
  Run run = run_of(SETOSA_SOLVER_LBFGS);
  run.data = "synthetic:rows=5000,features=6,classes=3,noise=0.3";
  run.options.preconditioner = SETOSA_PRECONDITIONER_BLOCKS;
  run.options.max_iterations = 18; /* it is renewed before iteration 15 */
  run.options.tolerance = 0;
  SetosaTrainResult expected = train(&run), found = {0};
  assert_int_equal(expected.iterations, 18);
  for (long cut = 0; cut < 18; cut += 4) {
    clean(NULL);
    assert_true(train_in_pieces(&run, cut, &found) > 0);
    expect_same(&found, &expected);
  }
}

static void test_cut_anywhere_native(void **state) {
  (void)state;
  SetosaComputeOptions compute = setosa_compute_options_default();
  compute.backend = SETOSA_BACKEND_NATIVE;
  compute.device = support_public_device();
  for (compute.family = SETOSA_FAMILY_CPU; compute.family <= SETOSA_FAMILY_GPU; compute.family++)
    check_solvers(&compute, (const long[]){3, 9});
}

/* Not cut but killed: whatever was on the disk at any moment leads to the same end. */
static void test_every_checkpoint_of_a_run(void **state) {
  (void)state;
  static const SetosaSolver solvers[] = {SETOSA_SOLVER_LBFGS, SETOSA_SOLVER_ADAM};
  for (size_t s = 0; s < 2; s++) {
    Run run = run_of(solvers[s]);
    run.options.max_iterations = 12;
    run.options.epochs = 2;
    SetosaTrainResult expected = train(&run);
    for (uint64_t every = 2; every < 30; every += 5) {
      clean(NULL);
      Run kept = run;
      kept.options.checkpoint = file;
      kept.options.checkpoint_iterations = every;
      SetosaTrainResult result = train(&kept);
      expect_same(&result, &expected);
      if (result.checkpoints < 2) continue;
      SetosaCheckpoint *before = load(previous); /* of a moment in the middle, while nobody stopped */
      Run rest = run;
      rest.options.resume = before;
      result = train(&rest);
      expect_same(&result, &expected);
      setosa_checkpoint_destroy(before);
    }
  }
}

/* More iterations than were asked for at first, more epochs of a constant rate: as if they had been asked for at once. */
static void test_going_further(void **state) {
  (void)state;
  static const SetosaSolver solvers[] = {SETOSA_SOLVER_LBFGS, SETOSA_SOLVER_GD, SETOSA_SOLVER_SGD};
  for (size_t s = 0; s < 3; s++) {
    clean(NULL);
    Run run = run_of(solvers[s]);
    run.options.schedule = SETOSA_SCHEDULE_CONSTANT;
    SetosaTrainResult expected = train(&run), found = {0};
    Run shorter = run, longer = run;
    shorter.options.max_iterations = 10;
    shorter.options.epochs = 2;
    shorter.options.checkpoint = file;
    train(&shorter);
    SetosaCheckpoint *checkpoint = load(file);
    longer.options.resume = checkpoint;
    found = train(&longer);
    expect_same(&found, &expected);
    setosa_checkpoint_destroy(checkpoint);
  }
}

/* A small checkpoint of sgd with its bytes. */
static char *make_small(size_t *length) {
  clean(NULL);
  Run run = run_of(SETOSA_SOLVER_SGD);
  run.options.checkpoint = file;
  run.stops = 15;
  train(&run);
  return support_read(file, length);
}

static void cut_short(const char *path) {
  size_t length = 0;
  char *bytes = support_read(path, &length);
  support_write(path, bytes, length / 2);
  free(bytes);
}

static void expect_damaged(const char *text) {
  SetosaCheckpoint *checkpoint = (SetosaCheckpoint *)(uintptr_t)8;
  SetosaError error = {0};
  SetosaStatus status = setosa_checkpoint_load(&checkpoint, file, &error);
  support_fails(status, &error, SETOSA_ERROR_DATA, file);
  assert_null(checkpoint);
  if (text != NULL && strstr(error.message, text) == NULL) fail_msg("\"%s\" is not in: %s", text, error.message);
}

/* Where in the file the digits of its length and of its checksum stand. */
static size_t place_of(const char *bytes, size_t length, const char *key) {
  for (size_t i = 0; i + strlen(key) <= length; i++)
    if (memcmp(bytes + i, key, strlen(key)) == 0) return i + strlen(key);
  fail_msg("%s is not there", key);
  return 0;
}

static void test_damage(void **state) {
  (void)state;
  size_t length = 0;
  char *bytes = make_small(&length);
  size_t whole = place_of(bytes, length, "\"bytes\":\""), version = place_of(bytes, length, "setosa-checkpoint-"),
         checksum = place_of(bytes, length, "\"checksum\":\""), head = checksum + 33;
  for (size_t cut = 0; cut < length; cut++) {
    support_write(file, bytes, cut);
    expect_damaged(cut == 0 ? "it is empty" : cut < head ? "cut short after" : "cut short: ");
  }
  for (size_t i = 0; i < length * 8; i += i < head * 8 ? 1 : 3) {
    size_t at = i / 8;
    bytes[at] ^= (char)(1 << i % 8);
    support_write(file, bytes, length);
    const char *how = "its checksum does not match";
    if (at >= 8 && at < version)
      how = "is no checkpoint";
    else if (at == version)
      how = "has another format";
    else if (at >= whole && at < whole + 16)
      how = "is damaged ("; /* cut short, or too long */
    else if (at >= version && at < head && (at < checksum || at >= checksum + 32))
      how = "its header was changed";
    expect_damaged(how);
    bytes[at] ^= (char)(1 << i % 8);
  }
  char *longer = calloc(length + 1, 1);
  memcpy(longer, bytes, length);
  support_write(file, longer, length + 1);
  expect_damaged("it is too long");
  support_write(file, bytes, length); /* and it was the damage that was refused */
  setosa_checkpoint_destroy(load(file));
  unlink(file);
  expect_damaged("cannot open");
  support_write_text(file, "rows,features\n1,2\n");
  expect_damaged("is no checkpoint; give the file that --checkpoint wrote");
  free(longer);
  free(bytes);
}

/* What versions before this format wrote is told from damage. */
static void test_older_files(void **state) {
  (void)state;
  SetosaCheckpoint *checkpoint = NULL;
  SetosaError error = {0};
  clean(NULL);
  support_write(file, "SETOSACK\1\0\0\0\0\0\0\0", 16);
  support_fails(setosa_checkpoint_load(&checkpoint, file, &error), &error, SETOSA_ERROR_DATA, file);
  assert_non_null(strstr(error.message, ": was written by an older Setosa; train afresh, or resume with the version that wrote it"));
  Run run = run_of(SETOSA_SOLVER_LBFGS); /* a new training may take its place when it is told to */
  run.options.checkpoint = file;
  error = (SetosaError){0};
  support_fails(try_train(&run, &error), &error, SETOSA_ERROR_USAGE, "--checkpoint: there is one, but ");
  run.options.overwrite = true;
  train(&run);
  setosa_checkpoint_destroy(load(file));
}

/* Notes are the caller's: any bytes, the same name twice, and in order. */
static void test_notes(void **state) {
  (void)state;
  static const SetosaNote notes[] = {
      {"device", "0"}, {"device", "\"1\"\n"}, {"data", "/tmp/\xff\xc3\xa9 .csv"}, {"", ""}, {"Zahl", "\xc3\xa9"}};
  SetosaNote note;
  clean(NULL);
  Run run = run_of(SETOSA_SOLVER_SGD);
  run.options.checkpoint = file;
  run.options.checkpoint_notes = notes;
  run.options.checkpoint_note_count = 5;
  train(&run);
  SetosaCheckpoint *checkpoint = load(file);
  for (size_t i = 0; i < 5; i++) {
    assert_true(setosa_checkpoint_note(checkpoint, i, &note));
    assert_string_equal(note.name, notes[i].name);
    assert_string_equal(note.value, notes[i].value);
  }
  assert_false(setosa_checkpoint_note(checkpoint, 5, &note));
  setosa_checkpoint_destroy(checkpoint);
}

/* FILE damaged or gone: FILE.previous is taken with a warning, and is not thrown away before there is a new whole one. */
static void test_falling_back(void **state) {
  (void)state;
  Run run = run_of(SETOSA_SOLVER_LBFGS);
  SetosaTrainResult expected = train(&run), found = {0};
  size_t length = 0;
  for (int gone = 0; gone < 2; gone++) {
    clean(NULL);
    Run first = run, rest = run;
    first.options.checkpoint = rest.options.checkpoint = file;
    first.options.checkpoint_iterations = rest.options.checkpoint_iterations = 1;
    first.stops = 8;
    train(&first);
    if (gone)
      unlink(file);
    else
      cut_short(file);
    char *kept = support_read(previous, &length), *now = NULL;
    SetosaCheckpoint *checkpoint = load(file);
    assert_non_null(strstr(setosa_checkpoint_warning(checkpoint), gone ? "cannot open" : "is damaged"));
    assert_non_null(strstr(setosa_checkpoint_warning(checkpoint), "run.checkpoint.previous"));
    assert_int_equal(setosa_checkpoint_iterations(checkpoint), 8);
    rest.options.resume = checkpoint;
    rest.stops = 0; /* one file is written: FILE; the good one before it has to be there still */
    train(&rest);
    now = support_read(previous, NULL);
    assert_memory_equal(now, kept, length);
    setosa_checkpoint_destroy(checkpoint);
    checkpoint = load(file);
    assert_string_equal(setosa_checkpoint_warning(checkpoint), "");
    rest.options.resume = checkpoint;
    rest.stops = -1;
    found = train(&rest);
    expect_same(&found, &expected);
    setosa_checkpoint_destroy(checkpoint);
    free(kept);
    free(now);
  }
  /* Both damaged: both are named. */
  cut_short(file);
  support_write_text(previous, "");
  expect_damaged("nor can the one before it");
}

static void test_links(void **state) {
  (void)state;
  clean(NULL);
  Run run = run_of(SETOSA_SOLVER_LBFGS);
  run.options.checkpoint = file;
  train(&run);
  /* A link stays a link, and what it points to is kept beside itself. */
  char link_path[SUPPORT_PATH];
  support_path(link_path, folder, "link.checkpoint");
  assert_int_equal(symlink(file, link_path), 0);
  run.options.checkpoint = link_path;
  run.options.checkpoint_iterations = 1;
  train(&run);
  struct stat info;
  assert_int_equal(lstat(link_path, &info), 0);
  assert_true(S_ISLNK(info.st_mode));
  assert_int_equal(access(previous, F_OK), 0);
  unlink(file); /* now it hangs in the air, and leads to the one before all the same */
  SetosaCheckpoint *checkpoint = load(link_path);
  assert_non_null(strstr(setosa_checkpoint_warning(checkpoint), "run.checkpoint.previous"));
  setosa_checkpoint_destroy(checkpoint);
  unlink(link_path);
}

/* A writer that was killed leaves its half beside; the next one of the file takes that away, and nothing else. Its lock tells whether it
 * lives, not its number. */
static void test_leftovers(void **state) {
  (void)state;
  size_t length = 0;
  free(make_small(&length));
  const struct {
    const char *name;
    bool locked, stays;
  } files[] = {{"run.checkpoint.77.tmp", false, false},
               {"run.checkpoint.78.tmp", true, true},
               {"run.checkpoint.x77.tmp", false, true},
               {"run.checkpoint.77", false, true},
               {"other.checkpoint.77.tmp", false, true}};
  char paths[5][SUPPORT_PATH];
  int locks[5];
  for (size_t i = 0; i < 5; i++) {
    support_path(paths[i], folder, files[i].name);
    support_write_text(paths[i], "half");
    locks[i] = open(paths[i], O_RDWR);
    if (files[i].locked) assert_int_equal(flock(locks[i], LOCK_EX), 0);
  }
  Run run = run_of(SETOSA_SOLVER_SGD);
  SetosaCheckpoint *checkpoint = load(file);
  run.options.resume = checkpoint;
  run.options.checkpoint = file;
  train(&run);
  for (size_t i = 0; i < 5; i++) {
    assert_int_equal(access(paths[i], F_OK), files[i].stays ? 0 : -1);
    unlink(paths[i]);
    close(locks[i]);
  }
  setosa_checkpoint_destroy(checkpoint);
}

static void expect_refused(Run *run, SetosaStatus expected, const char *text) {
  SetosaError error = {0};
  SetosaStatus status = try_train(run, &error);
  if (status != expected || strstr(error.message, text) == NULL)
    fail_msg("status %d, not %d; \"%s\" expected in: %s", (int)status, (int)expected, text, error.message);
}

static void test_refusals(void **state) {
  (void)state;
  size_t length = 0;
  free(make_small(&length));
  SetosaCheckpoint *checkpoint = load(file);
  Run base = run_of(SETOSA_SOLVER_SGD);
  base.options.resume = checkpoint;
  Run run = base;
  run.options.l2 = 0.5;
  expect_refused(&run, SETOSA_ERROR_USAGE, "--l2: 0.5 here, 0.0001 in the checkpoint");
  run = base, run.options.solver = SETOSA_SOLVER_ADAM;
  expect_refused(&run, SETOSA_ERROR_USAGE, "--solver: adam here, sgd in the checkpoint");
  run = base, run.options.batch_size = 17;
  expect_refused(&run, SETOSA_ERROR_USAGE, "--batch-size: 17 here, 16 in the checkpoint");
  run = base, run.options.epochs = 5;
  expect_refused(&run, SETOSA_ERROR_USAGE, "--epochs: 5 here, 4 in the checkpoint");
  run = base, run.options.seed = 2;
  expect_refused(&run, SETOSA_ERROR_USAGE, "--seed: 2 here, 1 in the checkpoint");
  run = base, run.options.momentum = 0.5;
  expect_refused(&run, SETOSA_ERROR_USAGE, "--momentum: 0.5 here, 0 in the checkpoint");
  run = base, run.options.learning_rate = 0.1;
  expect_refused(&run, SETOSA_ERROR_USAGE, "--learning-rate: 0.1 here, the default in the checkpoint");
  run = base, run.options.schedule = SETOSA_SCHEDULE_CONSTANT;
  expect_refused(&run, SETOSA_ERROR_USAGE, "--schedule: constant here, cosine in the checkpoint");
  run = base, run.options.intercept = false;
  expect_refused(&run, SETOSA_ERROR_USAGE, "(--no-intercept): off here, on in the checkpoint");
  run = base, run.options.history = 7; /* not of this solver: no hindrance */
  train(&run);

  char path[SUPPORT_PATH];
  support_path(path, folder, "other.csv");
  char *text = support_read(iris, NULL), *five = strstr(text, "5.1");
  five[2] = '2';
  support_write_text(path, text);
  run = base, run.data = path;
  expect_refused(&run, SETOSA_ERROR_DATA, "the data differ from those of the checkpoint");
  five[2] = '1';
  *strrchr(text, 'v') = 'w'; /* the last label: "wirginica", a fourth class */
  support_write_text(path, text);
  expect_refused(&run, SETOSA_ERROR_DATA, "4 classes here, 3 there");
  char wine[SUPPORT_PATH];
  support_source_path(wine, "data/wine.csv");
  run.data = wine;
  expect_refused(&run, SETOSA_ERROR_DATA, "178 rows here, 150 there");
  free(text);

  SetosaModel *initial = NULL;
  support_ok(setosa_model_create(&initial, 4, 3, (const float[12]){0}, NULL, NULL), NULL);
  run = base, run.options.initial = initial;
  expect_refused(&run, SETOSA_ERROR_USAGE, "leave the initial model out");
  setosa_model_destroy(initial);

  SetosaTrainOptions options = setosa_train_options_default();
  setosa_checkpoint_options(checkpoint, &options);
  assert_int_equal(options.solver, SETOSA_SOLVER_SGD);
  assert_int_equal(options.batch_size, 16);
  assert_int_equal(options.epochs, 4);
  assert_true(isnan(options.learning_rate));
  setosa_checkpoint_destroy(checkpoint);
}

static void test_paths(void **state) {
  (void)state;
  clean(NULL);
  Run run = run_of(SETOSA_SOLVER_LBFGS);
  char path[SUPPORT_PATH];
  support_path(path, folder, "no/such/folder");
  run.options.checkpoint = path;
  expect_refused(&run, SETOSA_ERROR_WRITE, "create the folder first");
  run.options.checkpoint = folder;
  expect_refused(&run, SETOSA_ERROR_WRITE, "is a folder");
  run.options.checkpoint = "/dev/null";
  expect_refused(&run, SETOSA_ERROR_USAGE, "is no plain file");
  run.options.checkpoint = "";
  expect_refused(&run, SETOSA_ERROR_USAGE, "--checkpoint \"\": give FILE");
  support_write_text(file, "a letter, much loved");
  run.options.checkpoint = file;
  expect_refused(&run, SETOSA_ERROR_USAGE, "is there and is no checkpoint");
  char *text = support_read(file, NULL);
  assert_string_equal(text, "a letter, much loved");
  free(text);
  SetosaModel *model = NULL; /* is safetensors, too */
  support_ok(setosa_model_create(&model, 4, 3, (const float[12]){0}, NULL, NULL), NULL);
  support_ok(setosa_model_save(model, file, NULL), NULL);
  setosa_model_destroy(model);
  expect_refused(&run, SETOSA_ERROR_USAGE, "is there and is no checkpoint");
}

/* A disk that fills up ends no training: one warning, the last whole checkpoint stays, and the result says so. */
static void test_full_disk(void **state) {
  (void)state;
  clean(NULL);
  struct rlimit limit;
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
  Run run = run_of(SETOSA_SOLVER_LBFGS);
  SetosaTrainResult expected = train(&run);
  run.options.checkpoint = file;
  run.options.checkpoint_iterations = 1;
  run.limit_at = 5;
  SetosaTrainResult found = train(&run);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
  expect_same(&found, &expected);
  assert_int_equal(run.warnings, 1);
  assert_int_equal(found.checkpoints, 5);
  if (strstr(found.checkpoint_error, "File too large") == NULL) fail_msg("%s", found.checkpoint_error);
  SetosaCheckpoint *checkpoint = load(file);
  assert_string_equal(setosa_checkpoint_warning(checkpoint), "");
  assert_int_equal(setosa_checkpoint_iterations(checkpoint), 5);
  run = run_of(SETOSA_SOLVER_LBFGS);
  run.options.resume = checkpoint;
  found = train(&run);
  expect_same(&found, &expected);
  setosa_checkpoint_destroy(checkpoint);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_cut_anywhere_reference, clean),
      cmocka_unit_test_setup(test_cut_after_a_stage, clean),
      cmocka_unit_test_setup(test_cut_anywhere_native, clean),
      cmocka_unit_test_setup(test_every_checkpoint_of_a_run, clean),
      cmocka_unit_test_setup(test_going_further, clean),
      cmocka_unit_test_setup(test_damage, clean),
      cmocka_unit_test_setup(test_older_files, clean),
      cmocka_unit_test_setup(test_notes, clean),
      cmocka_unit_test_setup(test_falling_back, clean),
      cmocka_unit_test_setup(test_links, clean),
      cmocka_unit_test_setup(test_leftovers, clean),
      cmocka_unit_test_setup(test_refusals, clean),
      cmocka_unit_test_setup(test_paths, clean),
      cmocka_unit_test_setup(test_full_disk, clean),
  };
  return support_run("train_checkpoint", tests, create, destroy);
}
