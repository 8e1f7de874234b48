/* Limits of the process (ulimit), and files that somebody changes meanwhile: one line and an exit code, never a crash, never a hang. */
#include "cli/run.h"

static char folder[SUPPORT_PATH];
enum { COMMAND = 3 * SUPPORT_PATH };

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  setenv("FOLDER", folder, 1);
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

/* What the program says under `limit`, "-v 150000"; it is killed when it hangs. $iris is a file. */
static Run run_limited(const char *limit, const char *arguments) {
  char command[COMMAND];
#ifdef __SANITIZE_ADDRESS__
  if (limit[1] == 'v' || limit[1] == 'd') support_skip("AddressSanitizer takes more address space than there is");
#endif
  int length =
      snprintf(command, sizeof command,
               "iris=\"$SETOSA_SOURCE_DIR/data/iris.csv\"; ulimit %s; exec timeout -s KILL 60 \"$SETOSA_PROGRAM\" %s", limit, arguments);
  assert_true(length > 0 && length < COMMAND);
  return run_shell(command);
}

/* The last line is ours, whatever a library said before. */
static void expect_last_line(const Run *run, const char *begin, const char *part) {
  size_t length = strlen(run->err);
  const char *line = run->err + length;
  if (length == 0 || line[-1] != '\n') fail_msg("no line on stderr: %s", run->err);
  for (line--; line > run->err && line[-1] != '\n'; line--) continue;
  if (strncmp(line, begin, strlen(begin)) != 0 || strstr(line, part) == NULL)
    fail_msg("no \"%s\" with \"%s\" at the end of:\n%s", begin, part, run->err);
}

static void expect(const char *limit, const char *arguments, int code, const char *part) {
  Run run = run_limited(limit, arguments);
  run_expect(&run, code);
  expect_last_line(&run, "setosa: ", part);
  run_free(&run);
}

/* Without OpenCL little is needed. */
static void the_reference_needs_little(void **state) {
  (void)state;
  static const char *const limits[] = {"-v 40000", "-n 5", "-s 64", "-d 20000"};
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    Run run = run_limited(limits[i], "train $iris --backend reference --preconditioner diagonal -q --max-iterations 5 --tolerance 1");
    run_expect(&run, 0);
    run_free(&run);
  }
}

/* Where no driver comes up, its limit is named, and not a package. */
static void a_driver_that_cannot_be_loaded(void **state) {
  (void)state;
  expect("-v 150000", "train $iris", 4, "(ulimit -v)");
  expect("-v 60000", "train $iris", 4, "(ulimit -v)");
  expect("-n 4", "train $iris", 4, "the limit on open files is 4 (ulimit -n)");
  expect("-n 12", "train $iris", 4, "the limit on open files is 12 (ulimit -n)");
  expect("-s 64", "train $iris", 4, "the limit on the stack is 64 KB (ulimit -s)");
}

/* It does not choose another solver for that: the same command gives the same weights wherever it gives any. */
static void too_little_for_linear_algebra(void **state) {
  (void)state;
  expect("-v 40000", "train $iris --backend reference", 1, "(ulimit -v)");
}

/* From too little memory to enough: whatever happens in the driver, it is one of these ends. */
static void train_in(const char *const *limits, size_t count) {
  run_need_device();
  for (size_t i = 0; i < count; i++) {
    Run run = run_limited(limits[i], "train $iris -q");
    if (run.code != 0 && run.code != 1 && run.code != 4 && run.code != 128 + SIGABRT) run_expect(&run, 1);
    if (run.code == 1 || run.code == 4) expect_last_line(&run, "setosa: ", "(ulimit -v)");
    run_free(&run);
  }
}

static void memory_of_every_size(void **state) {
  (void)state;
  train_in((const char *const[]){"-v 20000", "-v 260000", "-v 300000", "-v 420000"}, 4);
}

static void nightly_memory_of_every_size(void **state) {
  (void)state;
  train_in((const char *const[]){"-v 220000", "-v 240000", "-v 280000", "-v 320000", "-v 360000", "-v 460000", "-v 520000", "-v 700000"},
           8);
}

static void files_in_a_limited_size(void **state) {
  (void)state;
  expect("-f 8", "generate synthetic:rows=20000,features=16,classes=4 -o $FOLDER/limited.npy", 6, "(ulimit -f)");
  Run run = run_shell("ls \"$FOLDER\"");
  assert_string_equal(run.out, ""); /* neither a part of it nor a temporary file */
  run_free(&run);
}

static void few_open_files(void **state) {
  (void)state;
  Run run = run_limited("-n 20; exec 5</dev/null 6</dev/null 7</dev/null; ulimit -n 4", "train $iris --backend reference");
  assert_true(run.code == 0 || run.code == 3);
  if (run.code == 3) expect_last_line(&run, "", "raise the limit on open files (ulimit -n)");
  run_free(&run);
  /* The one descriptor that is left is for the data. */
  run = run_shell(
      "exec 3</dev/null; ulimit -n 4; exec timeout 60 \"$SETOSA_PROGRAM\" train \"$SETOSA_SOURCE_DIR/data/iris.csv\" --backend reference");
  assert_int_not_equal(run.code, 0);
  run_free(&run);
}

/* What it is that a driver dies of, when it does. */
static void a_driver_that_dies_of_a_limit(void **state) {
  (void)state;
  run_need_device();
  static const char *const limits[] = {"-v 300000", "-d 100000", "-n 12"};
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    char flag[16];
    Run run = run_limited(limits[i], "train $iris -q");
    snprintf(flag, sizeof flag, "(ulimit %.2s)", limits[i]);
    if (run.code != 0) {
      assert_true(run.code == 1 || run.code == 4);
      expect_last_line(&run, "setosa: ", flag);
    }
    run_free(&run);
  }
}

/* A driver that counts the cores of the machine is told of those that are left. */
static void one_core_is_one_unit(void **state) {
  (void)state;
  run_need_device();
  if (system("command -v taskset >/dev/null 2>&1") != 0) support_skip("no taskset");
  Run run = run_shell(
      "unset POCL_MAX_PTHREAD_COUNT; core=$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//'); "
      "exec taskset -c \"$core\" \"$SETOSA_PROGRAM\" devices --json");
  run_expect(&run, 0);
  json_t *document = run_json(&run), *devices = json_object_get(document, "devices");
  bool found = false;
  for (size_t i = 0; i < json_array_size(devices); i++) {
    const json_t *device = json_array_get(devices, i);
    if (strcmp(json_string_value(json_object_get(device, "platform")), "Portable Computing Language") != 0) continue;
    found = true;
    assert_true(run_number(device, "compute_units", NULL) == 1);
  }
  json_decref(document);
  run_free(&run);
  if (!found) support_skip("no PoCL");
}

/* Where no thread can be started, the caller's does the work. */
static void no_more_threads(void **state) {
  (void)state;
#ifdef __SANITIZE_ADDRESS__
  support_skip("LeakSanitizer wants a thread");
#endif
  if (system("command -v prlimit >/dev/null 2>&1 && command -v setpriv >/dev/null 2>&1") != 0) support_skip("no prlimit, or no setpriv");
  const char *user = geteuid() == 0 ? "setpriv --reuid 65534 --regid 65534 --clear-groups" : ""; /* the limit is not for root */
  char command[COMMAND];
  snprintf(command, sizeof command,
           "cp \"$SETOSA_SOURCE_DIR/data/iris.csv\" \"$SETOSA_PROGRAM\" \"$FOLDER\" && chmod -R a+rX \"$FOLDER\" && "
           "XDG_CACHE_HOME=/nowhere exec timeout -s KILL 60 prlimit --nproc=1:1 %s \"$FOLDER/setosa\" train \"$FOLDER/iris.csv\" --backend "
           "blas -q 2>&1",
           user);
  Run run = run_shell(command);
  if (strstr(run.out, "this build has no blas backend") != NULL) support_skip("this build has no blas backend");
  run_expect(&run, 0);
  run_free(&run);
}

/* A CPU limit stops like Ctrl-C: what was asked for is written. */
static void nightly_cpu_time(void **state) {
  (void)state;
  Run run = run_limited("-t 2",
                        "train synthetic:rows=20000,features=16,classes=4 --backend reference --solver sgd --epochs 100000 --tolerance 0 "
                        "--checkpoint $FOLDER/cpu.checkpoint --model $FOLDER/cpu.safetensors");
  run_expect(&run, 130);
  run_expect_text(run.err, "setosa: the limit on CPU time is used up (ulimit -t)");
  run_expect_text(run.err, "--resume");
  run_free(&run);
  run = run_shell("test -s \"$FOLDER/cpu.safetensors\" && test -s \"$FOLDER/cpu.checkpoint\"");
  run_expect(&run, 0);
  run_free(&run);
}

/* ---- files that change --------------------------------------------------------------------------------------------- */

/* Trains on a mapped file, and does `what` to it, d.npy, once the log has begun. */
static Run disturb(const char *backend, const char *what) {
  char command[COMMAND];
  Run made = run_shell(
      "test -e \"$FOLDER/rows.npy\" || \"$SETOSA_PROGRAM\" generate synthetic:rows=100000,features=16,classes=3 -o \"$FOLDER/rows.npy\" "
      "-q");
  run_expect(&made, 0);
  run_free(&made);
  snprintf(command, sizeof command,
           "cd \"$FOLDER\"; rm -f log code d*.npy; cp rows.npy d.npy; cp rows-labels.npy d-labels.npy; "
           "{ timeout -s KILL 100 \"$SETOSA_PROGRAM\" train d.npy --backend %s --solver gd --tolerance 0 --max-iterations 25 --log log "
           "--model m -q; echo $? >code; } & while [ ! -s log ] && [ ! -s code ]; do sleep 0.02; done; %s; wait; exit "
           "$(cat code)",
           backend, what);
  return run_shell(command);
}

/* Told by the signal; or, where the last row had been read before, by the look at the end. */
static void expect_shortened(const char *backend) {
  Run run = disturb(backend, "truncate -s 100000 d.npy");
  run_expect(&run, 3);
  if (strstr(run.err, "d.npy: was written to while it was read") == NULL)
    expect_last_line(&run, "/", "/d.npy: was shortened while it was read; ");
  assert_string_equal(run.out, "");
  run_free(&run);
  assert_int_equal(system("test ! -e \"$FOLDER/m\""), 0);
}

static void a_mapped_file_is_shortened(void **state) {
  (void)state;
  expect_shortened("reference");
#ifdef SETOSA_HAVE_BLAS
  expect_shortened("blas");
#endif
}

/* On a thread of the driver's. */
static void a_mapped_file_is_shortened_under_a_driver(void **state) {
  (void)state;
  run_need_device();
  expect_shortened("native --tune off");
}

/* No signal tells of it, so it is looked at in the end. */
static void a_mapped_file_is_written_to(void **state) {
  (void)state;
  Run run = disturb("reference", "printf 1234 | dd of=d.npy bs=1 seek=5000 conv=notrunc 2>/dev/null");
  run_expect(&run, 3);
  expect_last_line(&run, "d.npy: was written to while it was read", "start again");
  assert_string_equal(run.out, "");
  run_free(&run);
  assert_int_equal(system("test ! -e \"$FOLDER/m\""), 0);
  run = disturb("reference", "mv d.npy e.npy && chmod 600 e.npy"); /* the rows are the same */
  run_expect(&run, 0);
  run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_reference_needs_little),
      cmocka_unit_test(too_little_for_linear_algebra),
      cmocka_unit_test(a_driver_that_cannot_be_loaded),
      cmocka_unit_test(memory_of_every_size),
      cmocka_unit_test(nightly_memory_of_every_size),
      cmocka_unit_test(files_in_a_limited_size),
      cmocka_unit_test(few_open_files),
      cmocka_unit_test(a_driver_that_dies_of_a_limit),
      cmocka_unit_test(one_core_is_one_unit),
      cmocka_unit_test(no_more_threads),
      cmocka_unit_test(nightly_cpu_time),
      cmocka_unit_test(a_mapped_file_is_shortened),
      cmocka_unit_test(a_mapped_file_is_shortened_under_a_driver),
      cmocka_unit_test(a_mapped_file_is_written_to),
  };
  return support_run("cli_limits", tests, create, destroy);
}
