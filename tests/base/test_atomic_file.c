/* What killed writers leave goes with the next writer of the same file; what others write, or have planted, stays. */
#include "base/atomic_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/path.h"
#include "support/support.h"

static char folder[SUPPORT_PATH], target[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_path(target, folder, "model");
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static size_t count_entries(void) {
  size_t count = 0;
  DIR *listing = opendir(folder);
  assert_non_null(listing);
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;) count += entry->d_name[0] != '.';
  closedir(listing);
  return count;
}

static void begin(AtomicFile *file, const char *path) {
  Error error = {0};
  support_ok(atomic_file_open(file, path, &error), &error);
  fputs("new", file->stream);
  fflush(file->stream);
}

static void end(AtomicFile *file) {
  Error error = {0};
  support_ok(atomic_file_commit(file, &error), &error);
}

static void expect_content(const char *path, const char *content) {
  char *bytes = support_read(path, NULL);
  assert_string_equal(bytes, content);
  free(bytes);
}

/* A child that has begun to write path, and waits. */
static pid_t start_writer(const char *path) {
  int ends[2];
  char byte = 0;
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) {
    AtomicFile file = {0};
    begin(&file, path);
    if (write(ends[1], "x", 1) != 1) _exit(1);
    pause();
    _exit(1);
  }
  assert_int_equal(read(ends[0], &byte, 1), 1);
  close(ends[0]);
  close(ends[1]);
  return child;
}

/* As a run that fails: it takes away what others have left, and leaves nothing. */
static void sweep(void) {
  AtomicFile file = {0};
  begin(&file, target);
  atomic_file_abandon(&file);
}

static void kill_writer(pid_t writer) {
  kill(writer, SIGKILL);
  waitpid(writer, NULL, 0);
}

static void what_a_killed_writer_left_goes(void **state) {
  (void)state;
  AtomicFile file = {0};
  kill_writer(start_writer(target));
  assert_int_equal(count_entries(), 1);
  begin(&file, target);
  assert_int_equal(count_entries(), 1); /* its own */
  end(&file);
  assert_int_equal(count_entries(), 1);
  expect_content(target, "new");
  /* Of any file, in a folder of our own. */
  char other[SUPPORT_PATH];
  support_path(other, folder, "other");
  kill_writer(start_writer(target));
  kill_writer(start_writer(other));
  assert_int_equal(count_entries(), 3);
  atomic_file_sweep_folder_of(target);
  assert_int_equal(count_entries(), 1);
  unlink(target);
}

static void living_writers_keep_theirs(void **state) {
  (void)state;
  AtomicFile one = {0}, other = {0};
  pid_t writer = start_writer(target);
  begin(&one, target);
  begin(&other, target); /* of the same process: it has another name */
  assert_int_equal(count_entries(), 3);
  atomic_file_sweep_folder_of(target);
  assert_int_equal(count_entries(), 3);
  end(&one);
  atomic_file_abandon(&other);
  assert_int_equal(count_entries(), 2);
  kill_writer(writer);
  sweep();
  assert_int_equal(count_entries(), 1);
  unlink(target);
}

/* The lock tells, not the number: one left from another pid namespace may carry the number of somebody who lives. */
static void only_leftovers_of_the_same_target_go(void **state) {
  (void)state;
  const struct {
    const char *name;
    bool goes;
  } files[] = {{"model.1.tmp", true},    {"model.77-3.tmp", true}, {"model.tmp", false},          {"model.x1.tmp", false},
               {"model.1.tmp.1", false}, {"model.2-.tmp", false},  {"model.20260131.tmp", false}, {"model.07.tmp", false},
               {"model2.1.tmp", false},  {"other.1.tmp", false},   {"model.1.2.tmp", false}};
  char path[SUPPORT_PATH];
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    support_path(path, folder, files[i].name);
    support_write_text(path, "x");
  }
  support_path(path, folder, "model.5.tmp");
  assert_int_equal(mkdir(path, 0700), 0);
  sweep();
  assert_int_equal(access(path, F_OK), 0);
  rmdir(path);
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    support_path(path, folder, files[i].name);
    assert_int_equal(access(path, F_OK), files[i].goes ? -1 : 0);
  }
  atomic_file_sweep_folder_of(target); /* of any target */
  assert_int_equal(count_entries(), 6);
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    support_path(path, folder, files[i].name);
    unlink(path);
  }
}

/* Of somebody else: even root takes nothing away. */
static void files_of_others_stay(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  if (geteuid() != 0) support_skip("a file of somebody else can be made by root alone");
  support_path(path, folder, "model.1.tmp");
  support_write_text(path, "x");
  assert_int_equal(chown(path, 12345, 12345), 0);
  sweep();
  assert_int_equal(access(path, F_OK), 0);
  unlink(path);
}

static void planted_links_are_not_followed(void **state) {
  (void)state;
  char name[64], planted[SUPPORT_PATH], precious[SUPPORT_PATH];
  AtomicFile file = {0};
  support_path(precious, folder, "precious");
  support_write_text(precious, "kept");
  snprintf(name, sizeof name, "model.%ld.tmp", (long)getpid());
  support_path(planted, folder, name);
  for (int hard = 0; hard < 2; hard++) {
    assert_int_equal(hard ? link(precious, planted) : symlink(precious, planted), 0);
    begin(&file, target);
    end(&file);
    expect_content(precious, "kept");
    expect_content(target, "new");
    unlink(planted);
    unlink(target);
  }
  unlink(precious);
}

/* Links lead on, also to what is not there yet: they stay links. */
static void links_that_hang_are_followed(void **state) {
  (void)state;
  char link_path[SUPPORT_PATH], far[SUPPORT_PATH];
  struct stat info;
  AtomicFile file = {0};
  Error error = {0};
  support_path(link_path, folder, "link");
  support_path(far, folder, "far");
  assert_int_equal(symlink("far", link_path), 0);
  assert_int_equal(symlink(target, far), 0);
  begin(&file, link_path);
  end(&file);
  expect_content(target, "new");
  assert_true(lstat(link_path, &info) == 0 && S_ISLNK(info.st_mode));
  assert_true(lstat(far, &info) == 0 && S_ISLNK(info.st_mode));
  unlink(target);
  unlink(far);
  assert_int_equal(symlink("link", far), 0);
  support_fails(atomic_file_open(&file, link_path, &error), &error, SETOSA_ERROR_WRITE, link_path);
  assert_non_null(strstr(error.message, "in a circle"));
  unlink(far);
  unlink(link_path);
}

static void long_names(void **state) {
  (void)state;
  char name[300], path[SUPPORT_PATH];
  AtomicFile file = {0};
  Error error = {0};
  memset(name, 'n', sizeof name);
  for (size_t length = 240; length <= 255; length += 5) {
    name[length] = '\0';
    support_path(path, folder, name);
    kill_writer(start_writer(path));
    begin(&file, path);
    end(&file);
    expect_content(path, "new");
    assert_int_equal(count_entries(), 1);
    unlink(path);
    name[length] = 'n';
  }
  name[256] = '\0';
  support_path(path, folder, name);
  support_fails(atomic_file_open(&file, path, &error), &error, SETOSA_ERROR_WRITE, path);
  assert_non_null(strstr(error.message, "File name too long; choose a shorter name"));
  assert_int_equal(count_entries(), 0);
}

static void expect_same(const char *one, const char *other, bool expected) {
  bool same = !expected;
  Error error = {0};
  support_ok(path_same(&same, one, other, &error), &error);
  if (same != expected) fail_msg("%s and %s: %d", one, other, same);
  support_ok(path_same(&same, other, one, &error), &error);
  if (same != expected) fail_msg("%s and %s: %d", other, one, same);
}

static void names_of_one_file(void **state) {
  (void)state;
  char here[SUPPORT_PATH], hard[SUPPORT_PATH], soft[SUPPORT_PATH], hanging[SUPPORT_PATH], longer[2 * SUPPORT_PATH], sub[SUPPORT_PATH];
  support_path(here, folder, "here");
  support_path(hard, folder, "hard");
  support_path(soft, folder, "soft");
  support_path(hanging, folder, "hanging");
  support_path(sub, folder, "sub");
  support_write_text(here, "x");
  assert_int_equal(mkdir(sub, 0700), 0);
  assert_int_equal(link(here, hard), 0);
  assert_int_equal(symlink("here", soft), 0);
  assert_int_equal(symlink("sub/../model", hanging), 0);
  expect_same(here, here, true);
  expect_same(here, hard, true);
  expect_same(soft, hard, true);
  snprintf(longer, sizeof longer, "%s/sub/./..//here", folder);
  expect_same(soft, longer, true);
  expect_same(here, target, false);
  /* Not there yet. */
  expect_same(target, target, true);
  expect_same(hanging, target, true);
  snprintf(longer, sizeof longer, "%s/sub/.././model", folder);
  expect_same(longer, target, true);
  expect_same(longer, hanging, true);
  snprintf(longer, sizeof longer, "%s/sub/model", folder);
  expect_same(longer, target, false);
  expect_same("/nowhere/at/all", "/nowhere/at/all", true);
  expect_same("/nowhere/at/all", "/nowhere/at/some", false);
  assert_int_equal(chdir(folder), 0);
  expect_same("model", "./model", true);
  expect_same("model", target, true);
  expect_same("soft", "hard", true);
  /* What is no file can be read and written by many. */
  expect_same("/dev/null", "/dev/null", false);
  assert_int_equal(mkfifo("pipe", 0600), 0);
  expect_same("pipe", "./pipe", false);
  assert_int_equal(chdir("/"), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_a_killed_writer_left_goes),
      cmocka_unit_test(living_writers_keep_theirs),
      cmocka_unit_test(only_leftovers_of_the_same_target_go),
      cmocka_unit_test(files_of_others_stay),
      cmocka_unit_test(planted_links_are_not_followed),
      cmocka_unit_test(links_that_hang_are_followed),
      cmocka_unit_test(long_names),
      cmocka_unit_test(names_of_one_file),
  };
  return support_run("base_atomic_file", tests, create, destroy);
}
