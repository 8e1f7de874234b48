/* Drivers that abort, trap, hang or leave, beside one that works: each is named, and what works is used. The bad ones are
 * opencl/drivers/fake_driver.c under names that say what it does. */
#include "cli/drivers.h"

static char folder[SUPPORT_PATH], iris[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_source_path(iris, "data/iris.csv");
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static void need_fakes(void) {
  if (getenv("SETOSA_FAKE_DRIVER") == NULL || getenv("SETOSA_NO_SYMBOL") == NULL) support_skip("no fake drivers");
}

/* Whether what is said names the driver, what it did, and how to go without it. */
static void expect_named(const char *text, const char *vendors, const char *wrong, const char *what) {
  char name[2 * SUPPORT_PATH], line[2 * SUPPORT_PATH];
  snprintf(name, sizeof name, "%s/%s.icd (%s/%s.so) %s", vendors, wrong, vendors, wrong, what);
  run_expect_text(text, name);
  snprintf(line, sizeof line, "OCL_ICD_VENDORS=%s/pocl.icd ", vendors);
  run_expect_text(text, line);
}

/* The program lists PoCL, says so much on stderr and no more; and the line that it names leads to silence. */
static void expect_left_out(const char *wrong, const char *what) {
  char vendors[SUPPORT_PATH], good[SUPPORT_PATH + 16];
  drivers_make(vendors, folder, wrong);
  Run run = RUN("devices");
  run_expect(&run, 0);
  run_expect_text(run.out, "Portable Computing Language");
  assert_null(strstr(run.out, "Fake"));
  expect_named(run.err, vendors, wrong, what);
  run_free(&run);
  run = RUN("devices", "--quiet");
  run_expect(&run, 0);
  assert_string_equal(run.err, "");
  run_free(&run);
  snprintf(good, sizeof good, "%s/pocl.icd", vendors);
  setenv("OCL_ICD_VENDORS", good, 1);
  run = RUN("devices");
  run_expect(&run, 0);
  assert_string_equal(run.err, "");
  run_free(&run);
}

static void test_ends_while_it_is_loaded(void **state) {
  (void)state;
  need_fakes();
  expect_left_out("abort-load", "aborted while it was loaded (it printed: terminate called? without an active exception)");
  expect_left_out("segv-load", "was stopped by SIGSEGV while it was loaded");
  expect_left_out("ill-load", "was stopped by SIGILL while it was loaded");
}

static void test_leaves_while_it_is_loaded(void **state) {
  (void)state;
  need_fakes();
  expect_left_out("exit0-load", "left with exit code 0 while it was loaded");
  expect_left_out("leave0-load", "left with exit code 0 while it was loaded");
  expect_left_out("exit3-load", "left with exit code 3 while it was loaded");
}

static void test_ends_when_it_is_asked(void **state) {
  (void)state;
  need_fakes();
  expect_left_out("trap-platforms", "was stopped by SIGTRAP while it listed its platforms");
  expect_left_out("leave7-info", "left with exit code 7 while it listed its platforms");
  expect_left_out("segv-devices", "was stopped by SIGSEGV while it listed its devices");
}

/* Each is well alone. Libraries are loaded in the order of the names of their files. */
static void test_drivers_that_do_not_bear_each_other(void **state) {
  (void)state;
  need_fakes();
  expect_left_out("segv-beside", "was stopped by SIGSEGV while it was loaded beside the others");
  expect_left_out("abort-crowd", "aborted while it listed its devices beside the others");
}

/* All of them at the same time, since each takes as long as it may be silent. The second start does not wait. */
static void test_hangs(void **state) {
  (void)state;
  static const struct {
    const char *wrong, *what;
  } table[] = {{"hang-load", "did not answer within 3 s while it was loaded"},
               {"deaf-load", "did not answer within 3 s while it was loaded"},
               {"hang-platforms", "did not answer within 3 s while it listed its platforms"},
               {"hang-devices", "did not answer within 3 s while it listed its devices"},
               {"hang-build", "did not answer within 3 s while it built a kernel"},
               {"hang-finish", "did not answer within 3 s while it ran a kernel"}};
  enum { CASES = sizeof table / sizeof *table };
  char vendors[CASES][SUPPORT_PATH];
  FILE *out[CASES], *err[CASES];
  pid_t child[CASES];
  need_fakes();
  for (int again = 0; again < 2; again++) {
    setenv("SETOSA_DRIVER_SECONDS", again == 0 ? "3" : "2.5", 1);
    for (int i = 0; i < CASES; i++) {
      const char *argv[] = {support_program(), "devices", NULL};
      if (again == 0) drivers_make(vendors[i], folder, table[i].wrong);
      setenv("OCL_ICD_VENDORS", vendors[i], 1);
      assert_non_null(out[i] = tmpfile());
      assert_non_null(err[i] = tmpfile());
      child[i] = run_start(argv, fileno(stdin), fileno(out[i]), fileno(err[i]));
    }
    for (int i = 0; i < CASES; i++) {
      Run run = {.code = run_wait(child[i])};
      run.out = run_slurp(out[i]);
      run.err = run_slurp(err[i]);
      run_expect(&run, 0);
      run_expect_text(run.out, "Portable Computing Language");
      expect_named(run.err, vendors[i], table[i].wrong, table[i].what); /* within 3 s: what is remembered, the second time */
      run_expect_text(run.err, "setosa cache clear");
      run_free(&run);
    }
  }
  unsetenv("SETOSA_DRIVER_SECONDS");
}

/* The fake is a GPU, so that it would be the choice: the next device is used, with a warning; who names it is refused. */
static void expect_next_device(const char *wrong, const char *what) {
  char vendors[SUPPORT_PATH], model[SUPPORT_PATH];
  drivers_make(vendors, folder, wrong);
  support_path(model, vendors, "model");
  Run run = RUN("train", iris, "--json", "--max-iterations", "2", "--model", model);
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  assert_string_equal(json_string_value(json_object_get(json_object_get(document, "device"), "platform")), "Portable Computing Language");
  json_decref(document);
  run_expect_text(run.err, "warning: the device Fake GPU is not used: its OpenCL driver ");
  expect_named(run.err, vendors, wrong, what);
  run_free(&run);
  run = RUN("train", iris, "--quiet", "--device", "Fake");
  run_expect(&run, 4);
  run_expect_text(run.err, "(Fake GPU) is refused: its OpenCL driver ");
  run_expect_text(run.err, what);
  run_expect_text(run.err, "; usable: ");
  assert_ptr_equal(strchr(run.err, '\n'), run.err + strlen(run.err) - 1); /* one line */
  run_free(&run);
}

static void test_ends_in_its_compiler(void **state) {
  (void)state;
  need_fakes();
  expect_next_device("abort-build", "aborted while it built a kernel");
}

static void test_ends_in_a_kernel(void **state) {
  (void)state;
  need_fakes();
  expect_next_device("segv-enqueue", "was stopped by SIGSEGV while it ran a kernel");
}

/* What devices shows of it: the table, JSON, the diagnosis. */
static void test_what_devices_says(void **state) {
  (void)state;
  char vendors[SUPPORT_PATH];
  need_fakes();
  drivers_make(vendors, folder, "exit0-context");
  drivers_add(vendors, "segv-load");
  Run run = RUN("devices", "--json", "--quiet");
  run_expect(&run, 0);
  json_t *document = run_json(&run), *devices = json_object_get(document, "devices"), *warnings = json_object_get(document, "warnings");
  assert_int_equal(json_array_size(devices), 2);
  for (size_t i = 0; i < 2; i++) { /* the loader orders them */
    const json_t *device = json_array_get(devices, i);
    bool fake = strcmp(json_string_value(json_object_get(device, "platform")), "Fake platform") == 0;
    assert_true(json_is_true(json_object_get(device, "usable")) != fake);
    if (fake) run_expect_text(json_string_value(json_object_get(device, "refusal")), "left with exit code 0 while it built");
  }
  assert_int_equal(json_array_size(warnings), 2);
  expect_named(json_string_value(json_array_get(warnings, 0)), vendors, "exit0-context", "left with exit code 0 while it built a kernel");
  expect_named(json_string_value(json_array_get(warnings, 1)), vendors, "segv-load", "was stopped by SIGSEGV while it was loaded");
  json_decref(document);
  run_free(&run);
  run = run_shell("\"$SETOSA_PROGRAM\" devices --diagnose | tr -s ' \\n' ' '");
  run_expect(&run, 0);
  run_expect_text(run.out, "segv-load.so was stopped by SIGSEGV while it was loaded, and is left out");
  run_expect_text(run.out, "libpocl.so");
  run_expect_text(run.out, "Verdict: 1 usable device;");
  run_free(&run);
}

/* One line, exit code 4, and what computes without a device. */
static void test_nothing_else_is_there(void **state) {
  (void)state;
  static const char *const wrong[] = {"leave0-load", "segv-platforms", "abort-build"};
  need_fakes();
  for (int i = 0; i < 3; i++) {
    char vendors[SUPPORT_PATH], file[2 * SUPPORT_PATH];
    support_path(vendors, folder, wrong[i]);
    assert_int_equal(mkdir(vendors, 0700), 0);
    drivers_add(vendors, wrong[i]);
    snprintf(file, sizeof file, "%s/%s.icd", vendors, wrong[i]);
    for (int way = 0; way < 2; way++) { /* the folder, the file */
      setenv("OCL_ICD_VENDORS", way == 0 ? vendors : file, 1);
      Run run = RUN("train", iris, "--quiet");
      run_expect(&run, 4);
      run_expect_text(run.err, file);
      run_expect_text(run.err, "; without a device: --backend ");
      assert_ptr_equal(strchr(run.err, '\n'), run.err + strlen(run.err) - 1);
      run_free(&run);
    }
    Run run = RUN("train", iris, "--backend", "reference", "--max-iterations", "1", "--quiet");
    run_expect(&run, 0);
    assert_string_equal(run.err, "");
    run_free(&run);
    run = RUN("devices");
    run_expect(&run, 4);
    run_expect_text(run.err, file);
    run_free(&run);
    if (i < 2) continue;
    run = RUN("bench", iris, "--seconds", "0", "--backends", "native", "--what", "step"); /* whatever its exit code */
    run_expect_text(run.err, file);
    run_free(&run);
  }
}

/* A driver that does not load harms nobody. */
static void test_missing_symbol(void **state) {
  (void)state;
  char vendors[SUPPORT_PATH];
  need_fakes();
  drivers_make(vendors, folder, "missing-symbol");
  Run run = RUN("devices");
  run_expect(&run, 0);
  assert_string_equal(run.err, "");
  run_free(&run);
  run = run_shell("\"$SETOSA_PROGRAM\" devices --diagnose | tr -s ' \\n' ' '");
  run_expect(&run, 0);
  run_expect_text(run.out, "missing-symbol.so does not load: ");
  run_expect_text(run.out, "setosa_no_such_symbol");
  run_free(&run);
}

/* The verdict goes with the file: another library in its place is tried. */
static void test_a_mended_driver_is_tried_again(void **state) {
  (void)state;
  char vendors[SUPPORT_PATH], command[4 * SUPPORT_PATH];
  need_fakes();
  setenv("SETOSA_DRIVER_SECONDS", "2", 1);
  support_path(vendors, folder, "mended");
  assert_int_equal(mkdir(vendors, 0700), 0);
  drivers_add(vendors, "hang-load");
  setenv("OCL_ICD_VENDORS", vendors, 1);
  Run run = RUN("devices");
  run_expect(&run, 4);
  run_expect_text(run.err, "hang-load.so) did not answer within 2 s");
  run_free(&run);
  snprintf(command, sizeof command, "cp %s '%s/hang-load.so'", getenv("SETOSA_NO_SYMBOL"), vendors);
  assert_int_equal(system(command), 0);
  run = RUN("devices");
  run_expect(&run, 4);
  assert_null(strstr(run.err, "did not answer"));
  run_free(&run);
  unsetenv("SETOSA_DRIVER_SECONDS");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ends_while_it_is_loaded),
      cmocka_unit_test(test_leaves_while_it_is_loaded),
      cmocka_unit_test(test_ends_when_it_is_asked),
      cmocka_unit_test(test_drivers_that_do_not_bear_each_other),
      cmocka_unit_test(test_hangs),
      cmocka_unit_test(test_ends_in_its_compiler),
      cmocka_unit_test(test_ends_in_a_kernel),
      cmocka_unit_test(test_what_devices_says),
      cmocka_unit_test(test_nothing_else_is_there),
      cmocka_unit_test(test_missing_symbol),
      cmocka_unit_test(test_a_mended_driver_is_tried_again),
  };
  return support_run("cli_drivers", tests, create, destroy);
}
