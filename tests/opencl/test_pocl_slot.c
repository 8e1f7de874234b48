/* A slot of PoCL's kernels is used again when every file is as it was left, and begins empty when one is not: what lies there is run. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "opencl/internal.h"
#include "support/support.h"

static char folder[SUPPORT_PATH], slot[SUPPORT_PATH], program[SUPPORT_PATH], kernel[SUPPORT_PATH];

static void take(bool expect_kernel) {
  bool usable = false;
  int lock = pocl_slot_take(slot, &usable);
  assert_true(lock >= 0 && usable);
  assert_int_equal(file_exists(kernel), expect_kernel);
  close(lock); /* as the end of the process does */
}

static void fill(void) {
  char above[SUPPORT_PATH], below[SUPPORT_PATH];
  support_path(above, slot, "AB");
  assert_true(mkdir(above, 0700) == 0 || errno == EEXIST);
  support_path(program, above, "program.bc");
  support_write_text(program, "bitcode");
  support_path(below, above, "1-1-1");
  assert_true(mkdir(below, 0700) == 0 || errno == EEXIST);
  support_path(kernel, below, "kernel.so");
  support_write_text(kernel, "machine code");
}

/* A slot as a process leaves it that compiled something and ended as it should. */
static int begin(void **state) {
  (void)state;
  support_folder_create(folder);
  support_path(slot, folder, "slot-0");
  kernel[0] = '\0';
  take(false);
  fill();
  pocl_slot_leave(slot);
  return 0;
}

static int end(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static void what_was_left_is_found(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  for (int run = 0; run < 3; run++) {
    take(true);
    support_path(path, slot, "AB/last_accessed"); /* PoCL writes to it in every run, */
    support_write_text(path, "");
    support_path(path, slot, "tempfile_abc"); /* and leaves one of these */
    support_write_text(path, "");
    pocl_slot_leave(slot);
  }
  take(true);
  assert_false(file_exists(path));
  fill(); /* one that was written anew is as good */
  support_path(path, slot, "more");
  support_write_text(path, "");
  pocl_slot_leave(slot);
  take(true);
  assert_true(file_exists(path));
}

static void nothing_is_left_by_the_dead(void **state) {
  (void)state;
  take(true);
  take(false); /* nobody left it */
}

/* As cp -a and tar do it: everything is there, with other inodes and times. */
static void copies_are_as_good(void **state) {
  (void)state;
  char command[8 * SUPPORT_PATH];
  snprintf(command, sizeof command, "cp -R '%s' '%s/copy' && rm -r '%s' && mv '%s/copy' '%s'", slot, folder, slot, folder, slot);
  assert_int_equal(system(command), 0);
  take(true);
  pocl_slot_leave(slot);
  take(true);
}

static void after(const char *command) {
  char line[8 * SUPPORT_PATH];
  snprintf(line, sizeof line, "cd '%s' && %s", slot, command);
  assert_int_equal(system(line), 0);
  take(false);
  char path[SUPPORT_PATH];
  support_path(path, slot, "AB"); /* the whole of it: a kernel without its program is of no use */
  assert_false(file_exists(path));
  fill();
  pocl_slot_leave(slot);
  take(true);
  pocl_slot_leave(slot);
}

static void a_damaged_slot_begins_empty(void **state) {
  (void)state;
  after("truncate -s 3 AB/1-1-1/kernel.so");
  after(": > AB/1-1-1/kernel.so");
  after("echo more >> AB/program.bc");
  after(
      "cp -p AB/1-1-1/kernel.so t && printf X | dd of=AB/1-1-1/kernel.so conv=notrunc bs=1 seek=4 status=none && touch -r t "
      "AB/1-1-1/kernel.so && rm t");
  after("rm AB/program.bc");
  after("echo other > AB/1-1-1/other.so");
  after("mv AB/1-1-1/kernel.so AB/1-1-1/kernal.so");
  after("mv AB/1-1-1/kernel.so x && mv AB/program.bc AB/1-1-1/kernel.so && mv x AB/program.bc");
  after("mv AB CD");
  after("ln -sf /dev/null AB/1-1-1/kernel.so");
  after("mv AB .. && ln -s ../AB AB && rm -rf ../AB");
  after("mkfifo AB/pipe");
  after("rm setosa-files");
  after(": > setosa-files");
  after("printf 'setosa files 2\\n1 0000000000000000 0000000000000000\\n' > setosa-files");
  after("rm setosa-files && ln -s /dev/zero setosa-files");
}

static void a_link_in_a_slot_leads_nowhere(void **state) {
  (void)state;
  char outside[SUPPORT_PATH], precious[SUPPORT_PATH], command[8 * SUPPORT_PATH];
  support_path(outside, folder, "precious");
  assert_int_equal(mkdir(outside, 0700), 0);
  support_path(precious, outside, "file");
  support_write_text(precious, "kept");
  snprintf(command, sizeof command,
           "cd '%s' && ln -s ../precious AB/link && ln -s ../precious/file setosa-running && rm setosa-files && ln -s ../precious/file "
           "setosa-files",
           slot);
  assert_int_equal(system(command), 0);
  take(false);
  fill();
  pocl_slot_leave(slot);
  char *text = support_read(precious, NULL);
  assert_string_equal(text, "kept");
  free(text);
}

static void slots_of_others_are_not_taken(void **state) {
  (void)state;
  bool usable = true;
  assert_int_equal(chmod(slot, 0777), 0);
  int lock = pocl_slot_take(slot, &usable);
  assert_false(usable);
  if (lock >= 0) close(lock);
  assert_int_equal(chmod(slot, 0700), 0);
  if (geteuid() != 0) support_skip("only root can give files to another user");
  assert_int_equal(chown(kernel, 65534, (gid_t)-1), 0);
  take(false);
  assert_int_equal(chown(slot, 65534, (gid_t)-1), 0);
  lock = pocl_slot_take(slot, &usable);
  assert_false(usable);
  if (lock >= 0) close(lock);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(what_was_left_is_found),      CASE(nothing_is_left_by_the_dead),    CASE(copies_are_as_good),
      CASE(a_damaged_slot_begins_empty), CASE(a_link_in_a_slot_leads_nowhere), CASE(slots_of_others_are_not_taken),
  };
  return support_run("opencl_pocl_slot", tests, NULL, NULL);
}
