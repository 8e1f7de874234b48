/* Libraries that few runs need are loaded by those alone, and one that is missing is one line. */
#include "cli/run.h"

static char folder[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static void expect_no_optional_library(const char *text) {
  static const char *const optional[] = {"libopenblas", "libclblast", "libmpi", "setosa_mpi", "libgfortran"};
  for (size_t i = 0; i < sizeof optional / sizeof *optional; i++)
    if (strstr(text, optional[i]) != NULL) fail_msg("%s is in:\n%s", optional[i], text);
}

/* What is loaded at the start, whatever the command. */
static void nothing_optional_is_linked(void **state) {
  (void)state;
  Run run = run_shell("readelf -d \"$SETOSA_PROGRAM\" '" SETOSA_LIBRARY "' | grep NEEDED; test -x \"$(command -v readelf)\"");
  if (run.code != 0) support_skip("no readelf");
  run_expect_text(run.out, "libOpenCL");
  expect_no_optional_library(run.out);
  run_free(&run);
}

/* The mappings of a training in its midst. */
static void a_plain_training_loads_none(void **state) {
  (void)state;
  char command[3 * SUPPORT_PATH];
  run_need_device();
  snprintf(
      command, sizeof command,
      "cd '%s' || exit 9; \"$SETOSA_PROGRAM\" train synthetic:rows=20000,features=16,classes=4 --solver sgd --epochs 200 --tolerance 0 -q "
      "--tune off "
      "--log log >/dev/null & n=0; while [ ! -s log ] && [ $n -lt 1000 ]; do n=$((n + 1)); sleep 0.02; done; cat /proc/$!/maps; kill $!; "
      "wait $!; true",
      folder);
  Run run = run_shell(command);
  run_expect(&run, 0);
  run_expect_text(run.out, "libOpenCL");
  expect_no_optional_library(run.out);
  run_free(&run);
}

/* Without `library`, `arguments` end with this code and line. */
static void expect_lost(const char *library, const char *arguments, int code, const char *line) {
  char command[3 * SUPPORT_PATH];
  if (getenv("SETOSA_LOST_LIBRARY") == NULL) support_skip("nothing can be preloaded before AddressSanitizer");
  snprintf(command, sizeof command,
           "LD_PRELOAD=\"$SETOSA_LOST_LIBRARY\" SETOSA_TEST_MISSING=%s \"$SETOSA_PROGRAM\" %s \"$SETOSA_SOURCE_DIR/data/iris.csv\"",
           library, arguments);
  Run run = run_shell(command);
  run_expect(&run, code);
  run_expect_text(code == 0 ? run.out : run.err, line);
  if (code != 0) {
    assert_string_equal(run.out, "");
    assert_ptr_equal(strchr(run.err, '\n'), run.err + strlen(run.err) - 1); /* one line */
  }
  run_free(&run);
}

static void without_openblas(void **state) {
  (void)state;
#ifndef SETOSA_HAVE_BLAS
  support_skip("this build has no blas backend");
#endif
  expect_lost("openblas", "train --backend blas", 4, "cannot be loaded: ");
  expect_lost("openblas", "train --backend blas", 4, "; install libopenblas0, or leave out --backend blas\n");
  expect_lost("openblas", "train -q --backend reference", 0, "converged");
  expect_lost("openblas", "bench -q --backends blas,reference --repeat 1", 0, "skipped");
}

static void without_clblast(void **state) {
  (void)state;
#ifndef SETOSA_HAVE_CLBLAST
  support_skip("this build has no clblast backend");
#endif
  run_need_device();
  expect_lost("clblast", "train --backend clblast", 4, "; install libclblast1, or leave out --backend clblast\n");
}

static void without_mpi(void **state) {
  (void)state;
#ifndef SETOSA_HAVE_MPI
  support_skip("this build has no MPI");
#endif
  setenv("OMPI_COMM_WORLD_SIZE", "2", 1);
  expect_lost("setosa_mpi", "train", 4, "started as one of several processes: setosa_mpi.so cannot be loaded: ");
  expect_lost("setosa_mpi", "train", 4, "; install Open MPI (libopenmpi3), or start it without mpirun\n");
  unsetenv("OMPI_COMM_WORLD_SIZE");
}

/* OpenBLAS starts no threads of its own, which would outlive the work, and the memory it asks for is there or the end. */
static void openblas_in_little_memory(void **state) {
  (void)state;
#ifndef SETOSA_HAVE_BLAS
  support_skip("this build has no blas backend");
#endif
#ifdef __SANITIZE_ADDRESS__
  support_skip("AddressSanitizer takes more address space than there is");
#endif
  static const char *const limits[] = {"150000", "250000"};
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    char command[512];
    snprintf(command, sizeof command,
             "ulimit -v %s; exec timeout 20 \"$SETOSA_PROGRAM\" train synthetic:rows=20000,features=64,classes=20 --backend blas -q",
             limits[i]);
    Run run = run_shell(command);
    run_expect(&run, 1);
    run_expect_text(run.err, "ulimit -v");
    run_free(&run);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_optional_is_linked),
      cmocka_unit_test(a_plain_training_loads_none),
      cmocka_unit_test(without_openblas),
      cmocka_unit_test(without_clblast),
      cmocka_unit_test(without_mpi),
      cmocka_unit_test(openblas_in_little_memory),
  };
  return support_run("cli_loading", tests, create, destroy);
}
