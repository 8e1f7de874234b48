/* What is kept between runs, where that goes wrong: no folder for it, a disk that takes no more, files that are damaged. Training works all
 * the same, and one line says what is amiss. (Other users: tests/trust/other_user.sh.) */
#include <sys/stat.h>

#include "cli/run.h"

static char folder[SUPPORT_PATH];

/* Every case has a folder for temporary files of its own, so that none lives on what another one compiled. */
static int begin(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  support_folder_create(folder);
  support_path(path, folder, "tmp");
  if (mkdir(path, 0700) != 0) return 1;
  support_source_path(path, "data/iris.csv");
  setenv("FOLDER", folder, 1);
  setenv("IRIS", path, 1);
  return 0;
}

static int end(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static const char prepare[] = "unset POCL_CACHE_DIR; export TMPDIR=\"$FOLDER/tmp\"; ";

static Run try_shell(const char *command) {
  char whole[4096];
  snprintf(whole, sizeof whole, "%s%s", prepare, command);
  return run_shell(whole);
}

static size_t count_lines(const char *text, const char *beginning) {
  size_t count = 0;
  for (const char *at = text; (at = strstr(at, beginning)) != NULL; at++) count += at == text || at[-1] == '\n';
  return count;
}

/* Trains, says `expected` in the only warning, and nothing with -q. */
static void works_with_a_warning(const char *environment, const char *expected) {
  char command[2048];
  snprintf(command, sizeof command, "%s \"$SETOSA_PROGRAM\" train \"$IRIS\"", environment);
  Run run = try_shell(command);
  run_expect(&run, 0);
  run_expect_text(run.out, "converged after");
  run_expect_text(run.err, expected);
  assert_int_equal(count_lines(run.err, "warning: "), 1);
  run_free(&run);
  snprintf(command, sizeof command, "%s \"$SETOSA_PROGRAM\" devices -q", environment);
  run = try_shell(command);
  run_expect(&run, 0);
  assert_string_equal(run.err, "");
  run_free(&run);
}

static void need_root(void) {
  if (geteuid() != 0) support_skip("only root can mount a disk");
  Run run = run_shell("unshare -m true");
  bool works = run.code == 0;
  run_free(&run);
  if (!works) support_skip("no disk can be mounted here");
}

static void without_a_home(void **state) {
  (void)state;
  run_need_device();
  works_with_a_warning(
      "env -u HOME -u XDG_CACHE_HOME",
      "warning: nothing is kept for later runs: no cache folder: neither XDG_CACHE_HOME nor HOME is set; choose one with ");
}

static void with_a_home_that_is_not_there(void **state) {
  (void)state;
  run_need_device();
  works_with_a_warning("env -u XDG_CACHE_HOME HOME=/nonexistent",
                       "warning: nothing is kept for later runs: /nonexistent: cannot find the home folder: ");
  assert_int_equal(access("/nonexistent", F_OK), -1);
}

static void with_a_home_that_is_read_only(void **state) {
  (void)state;
  run_need_device();
  need_root();
  works_with_a_warning(
      "export HOME=\"$FOLDER/home\"; mkdir -p \"$HOME\"; unset XDG_CACHE_HOME; exec unshare -m sh -c 'mount -t tmpfs -o ro tmpfs \"$HOME\" "
      "&& exec \"$@\"' -",
      "/home/.cache: cannot create the folder: Read-only file system; choose a folder that you can write to with XDG_CACHE_HOME");
}

static void with_a_cache_that_is_read_only(void **state) {
  (void)state;
  run_need_device();
  need_root();
  works_with_a_warning(
      "export XDG_CACHE_HOME=\"$FOLDER/cache\"; mkdir -p \"$XDG_CACHE_HOME\"; exec unshare -m sh -c 'mkdir -p -m 700 "
      "\"$XDG_CACHE_HOME/setosa\" "
      "&& mount -o bind,ro \"$XDG_CACHE_HOME\" \"$XDG_CACHE_HOME\" && exec \"$@\"' -",
      "/cache/setosa: cannot write to the folder: Read-only file system; ");
}

static void with_a_full_disk(void **state) {
  (void)state;
  run_need_device();
  need_root();
  works_with_a_warning(
      "export XDG_CACHE_HOME=\"$FOLDER/cache\"; mkdir -p \"$XDG_CACHE_HOME\"; exec unshare -m sh -c 'mount -t tmpfs -o size=300k tmpfs "
      "\"$XDG_CACHE_HOME\" && exec \"$@\"' -",
      "/cache/setosa: its disk is full; free some space, or choose another folder with XDG_CACHE_HOME");
}

/* Kernels there cannot be run. */
static void with_a_disk_that_runs_nothing(void **state) {
  (void)state;
  run_need_device();
  need_root();
  Run run = try_shell(
      "export XDG_CACHE_HOME=\"$FOLDER/cache\"; mkdir -p \"$XDG_CACHE_HOME\"; exec unshare -m sh -c 'mount -t tmpfs -o noexec tmpfs "
      "\"$XDG_CACHE_HOME\" && exec \"$SETOSA_PROGRAM\" train \"$IRIS\"'");
  run_expect(&run, 0);
  run_free(&run);
}

static void without_a_folder_for_temporary_files(void **state) {
  (void)state;
  run_need_device();
  need_root();
  Run run = try_shell(
      "export XDG_CACHE_HOME=\"$FOLDER/cache\" TMPDIR=; cp \"$IRIS\" \"$FOLDER/iris.csv\"; exec unshare -m sh -c 'mount -o bind,ro /tmp "
      "/tmp && "
      "mount -t tmpfs tmpfs \"$FOLDER\" && exec \"$SETOSA_PROGRAM\" train \"$IRIS\"'");
  run_expect(&run, 0);
  assert_int_equal(count_lines(run.err, "warning: "), 0);
  run_free(&run);
}

/* The name of the last folder is taken by somebody else: one for this run alone is used, and what killed runs have left of such goes. */
static void with_every_name_taken(void **state) {
  (void)state;
  run_need_device();
  need_root();
  /* A checker of leaks reads a file that may lie in the /tmp which is hidden here. */
  Run run = try_shell(
      "unset XDG_CACHE_HOME HOME TMPDIR; export ASAN_OPTIONS=detect_leaks=0; exec unshare -m sh -c 'mount --bind \"$(dirname "
      "\"$SETOSA_PROGRAM\")\" /mnt && mount -t tmpfs "
      "tmpfs /tmp && "
      "mount -t tmpfs -o ro tmpfs /dev/shm && touch /tmp/setosa-pocl-0 && mkdir -m 700 /tmp/setosa-pocl-abcdef && touch "
      "/tmp/setosa-pocl-abcdef/old && /mnt/setosa train synthetic:rows=100 --max-iterations 5 -q > /tmp/out; echo $?; ls /tmp'");
  run_expect(&run, 0);
  assert_string_equal(run.out, "0\nout\nsetosa-pocl-0\n");
  run_free(&run);
}

/* Neither a cache nor any folder for temporary files: PoCL cannot work, and that is said. */
static void without_any_folder(void **state) {
  (void)state;
  run_need_device();
  need_root();
  Run run = try_shell(
      "unset XDG_CACHE_HOME HOME TMPDIR; exec unshare -m sh -c 'mount -o bind,ro /tmp /tmp; mount -t tmpfs -o ro tmpfs /dev/shm; exec "
      "\"$SETOSA_PROGRAM\" train \"$IRIS\" --device portable'");
  if (strstr(run.err, "Portable Computing Language") == NULL) {
    run_free(&run);
    support_skip("no PoCL");
  }
  run_expect(&run, 4);
  run_expect_text(run.err, "Portable Computing Language finds no folder that it can write to (set XDG_CACHE_HOME or TMPDIR to one)");
  run_free(&run);
}

static void need_pocl(void) {
  Run run = run_shell("\"$SETOSA_PROGRAM\" devices");
  bool there = strstr(run.out, "Portable Computing Language") != NULL;
  run_free(&run);
  if (!there) support_skip("no PoCL");
}

/* A disk that is full only for what the compiler writes. */
static void a_compiler_that_cannot_write(void **state) {
  (void)state;
  run_need_device();
  need_pocl();
  Run run = try_shell("export XDG_CACHE_HOME=\"$FOLDER/cache\"; ulimit -f 8; exec \"$SETOSA_PROGRAM\" train \"$IRIS\"");
  run_expect(&run, 4);
  run_expect_text(run.err,
                  "/cache/setosa/pocl/slot-0: PoCL cannot write the kernels that it compiles: File too large; raise the limit on file "
                  "sizes (ulimit -f)");
  assert_int_equal(count_lines(run.err, "setosa: "), 1);
  run_free(&run);
}

static void all_disks_are_full(void **state) {
  (void)state;
  run_need_device();
  need_pocl();
  need_root();
  Run run = try_shell(
      "export XDG_CACHE_HOME=\"$FOLDER/tmp\"; exec unshare -m sh -c 'mount -o bind,ro /tmp /tmp && mount -t tmpfs -o size=300k tmpfs "
      "\"$TMPDIR\" && "
      "mount -t tmpfs -o ro tmpfs /dev/shm && exec \"$SETOSA_PROGRAM\" train \"$IRIS\"'");
  run_expect(&run, 4);
  run_expect_text(run.err, "/tmp/setosa/pocl/slot-0: PoCL cannot write the kernels that it compiles: No space left on device; ");
  run_free(&run);
}

/* A damaged file of PoCL's costs a rebuild (each kind of damage: tests/opencl/test_pocl_slot.c). */
static void damaged_kernels_are_built_again(void **state) {
  (void)state;
  run_need_device();
  need_pocl();
  Run run = try_shell(
      "export XDG_CACHE_HOME=\"$FOLDER/cache\"; hash() { \"$SETOSA_PROGRAM\" train \"$IRIS\" --json --max-iterations 5 2>\"$FOLDER/err\" | "
      "grep -o "
      "'\"weights_hash\":[^,]*'; }; first=$(hash) && (cd \"$XDG_CACHE_HOME/setosa/pocl/slot-0\" && truncate -s 100 $(find . -name '*.so')) "
      "&& "
      "second=$(hash) && echo \"$first\" && test -n \"$first\" && test \"$first\" = \"$second\" && cat \"$FOLDER/err\"");
  run_expect(&run, 0);
  assert_null(strstr(run.out, "setosa: "));
  run_free(&run);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(without_a_home),
      CASE(with_a_home_that_is_not_there),
      CASE(with_a_home_that_is_read_only),
      CASE(with_a_cache_that_is_read_only),
      CASE(with_a_full_disk),
      CASE(with_a_disk_that_runs_nothing),
      CASE(without_a_folder_for_temporary_files),
      CASE(with_every_name_taken),
      CASE(without_any_folder),
      CASE(a_compiler_that_cannot_write),
      CASE(all_disks_are_full),
      CASE(damaged_kernels_are_built_again),
  };
  return support_run("cli_trust", tests, NULL, NULL);
}
