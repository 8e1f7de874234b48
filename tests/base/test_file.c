/* Atomic files are whole or absent; whole reads; the cache folder. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/support.h"

static char folder[SUPPORT_PATH];

static int make_folder(void **state) {
  (void)state;
  support_folder_create(folder);
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static size_t count_entries(const char *path) {
  size_t count = 0;
  DIR *listing = opendir(path);
  assert_non_null(listing);
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;) count += entry->d_name[0] != '.';
  closedir(listing);
  return count;
}

static void expect_content(const char *path, const char *content) {
  char *bytes = support_read(path, NULL);
  assert_string_equal(bytes, content);
  free(bytes);
}

static void write_atomically(const char *path, const char *content) {
  AtomicFile file = {0};
  Error error = {0};
  support_ok(atomic_file_open(&file, path, &error), &error);
  fputs(content, file.stream);
  support_ok(atomic_file_commit(&file, &error), &error);
  assert_null(file.stream);
  atomic_file_abandon(&file); /* fine after a commit */
}

static void a_commit_replaces_the_whole_file(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  struct stat info;
  support_path(path, folder, "model");
  write_atomically(path, "first");
  expect_content(path, "first");
  assert_int_equal(chmod(path, 0640), 0);
  write_atomically(path, "2nd");
  expect_content(path, "2nd");
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0640);
  assert_int_equal(count_entries(folder), 1); /* no temporary file is left */
  remove(path);
}

static void an_abandoned_file_leaves_the_target(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  AtomicFile file = {0};
  support_path(path, folder, "model");
  support_write_text(path, "kept");
  support_ok(atomic_file_open(&file, path, NULL), NULL);
  fputs("half", file.stream);
  fflush(file.stream);
  assert_int_equal(count_entries(folder), 2);
  atomic_file_abandon(&file);
  atomic_file_abandon(&file);
  expect_content(path, "kept");
  assert_int_equal(count_entries(folder), 1);
  remove(path);
}

static void links_stay_links(void **state) {
  (void)state;
  char path[SUPPORT_PATH], link_path[SUPPORT_PATH], target[SUPPORT_PATH] = "";
  support_path(path, folder, "target");
  support_path(link_path, folder, "link");
  support_write_text(path, "old");
  assert_int_equal(symlink("target", link_path), 0);
  write_atomically(link_path, "new");
  expect_content(path, "new");
  assert_true(readlink(link_path, target, sizeof target - 1) > 0);
  assert_string_equal(target, "target");
  remove(path);
  remove(link_path);
}

static void devices_are_written_directly(void **state) {
  (void)state;
  struct stat info;
  write_atomically("/dev/null", "nowhere");
  assert_int_equal(stat("/dev/null", &info), 0);
  assert_true(S_ISCHR(info.st_mode));
}

static void what_cannot_be_written_says_so(void **state) {
  (void)state;
  char path[SUPPORT_PATH], expected[SUPPORT_PATH + 128];
  AtomicFile file = {0};
  Error error = {0};
  support_path(path, folder, "no/such/folder");
  snprintf(expected, sizeof expected, "%s: cannot write: No such file or directory; create the folder first", path);
  support_fails(atomic_file_open(&file, path, &error), &error, SETOSA_ERROR_WRITE, expected);
  atomic_file_abandon(&file);
  error_clear(&error);
  snprintf(expected, sizeof expected, "%s: is a folder", folder);
  support_fails(atomic_file_open(&file, folder, &error), &error, SETOSA_ERROR_WRITE, expected);
  atomic_file_abandon(&file);
}

static void a_full_disk_keeps_the_target(void **state) {
  (void)state;
  AtomicFile file = {0};
  Error error = {0};
  if (access("/dev/full", W_OK) != 0) support_skip("/dev/full cannot be written");
  support_ok(atomic_file_open(&file, "/dev/full", &error), &error);
  fputs("does not fit", file.stream);
  support_fails(atomic_file_commit(&file, &error), &error, SETOSA_ERROR_WRITE,
                "/dev/full: cannot write: No space left on device; free some space");
  assert_null(file.stream);
}

static void whole_reads(void **state) {
  (void)state;
  char path[SUPPORT_PATH], expected[SUPPORT_PATH + 128];
  unsigned char *bytes = NULL;
  size_t length = 7;
  Error error = {0};
  support_path(path, folder, "bytes");
  support_write(path, "a\0b", 3);
  support_ok(file_read_all(&bytes, &length, path, 3, &error), &error);
  assert_int_equal(length, 3);
  assert_memory_equal(bytes, "a\0b\0", 4);
  free(bytes);
  snprintf(expected, sizeof expected, "%s: longer than 2 bytes", path);
  support_fails(file_read_all(&bytes, &length, path, 2, &error), &error, SETOSA_ERROR_DATA, expected);
  assert_null(bytes);
  support_write(path, "", 0);
  support_ok(file_read_all(&bytes, &length, path, 0, NULL), NULL);
  assert_int_equal(length, 0);
  assert_int_equal(bytes[0], 0);
  free(bytes);
  assert_true(file_exists(path));
  remove(path);
  assert_false(file_exists(path));
  error_clear(&error);
  snprintf(expected, sizeof expected, "%s: cannot open: No such file or directory", path);
  support_fails(file_read_all(&bytes, &length, path, 100, &error), &error, SETOSA_ERROR_DATA, expected);
  error_clear(&error);
  snprintf(expected, sizeof expected, "%s: cannot read: Is a directory", folder);
  support_fails(file_read_all(&bytes, &length, folder, 100, &error), &error, SETOSA_ERROR_DATA, expected);
  assert_null(bytes);
}

/* What somebody has locked stays, and the folders above it. */
static void a_folder_is_emptied_but_for_what_is_locked(void **state) {
  (void)state;
  char path[SUPPORT_PATH], above[SUPPORT_PATH], held[SUPPORT_PATH], inside[SUPPORT_PATH], link_path[SUPPORT_PATH], file[SUPPORT_PATH];
  uint64_t freed = 0;
  Error error = {0};
  support_ok(file_remove_below("/nonexistent/folder", &freed, &error), &error);
  support_path(path, folder, "emptied");
  support_path(above, path, "a");
  support_path(held, above, "held");
  assert_int_equal(mkdir(path, 0700) + mkdir(above, 0700) + mkdir(held, 0700), 0);
  support_path(inside, held, "entry");
  support_write_text(inside, "123");
  support_path(file, above, "entry");
  support_write_text(file, "12");
  support_path(link_path, above, "link");
  assert_int_equal(symlink(held, link_path), 0);
  int lock = file_lock_folder(held);
  assert_true(lock >= 0);
  assert_int_equal(file_lock_folder(held), FOLDER_BUSY);
  assert_int_equal(file_lock_folder(link_path), FOLDER_UNLOCKABLE);
  assert_int_equal(file_lock_folder(file), FOLDER_UNLOCKABLE);
  support_ok(file_remove_below(path, &freed, &error), &error);
  assert_true(file_exists(inside) && !file_exists(file));
  assert_true(freed >= 2 && freed < 2 + SUPPORT_PATH); /* the file, and the link, not what it points to */
  close(lock);
  support_ok(file_remove_below(path, &freed, &error), &error);
  assert_int_equal(count_entries(path), 0);
  support_path(file, path, "kept");
  support_write_text(file, "x");
  support_path(link_path, folder, "link-to-emptied");
  assert_int_equal(symlink(path, link_path), 0);
  assert_int_equal(file_remove_below(link_path, NULL, &error), SETOSA_ERROR_WRITE);
  assert_true(file_exists(file));
}

/* A link in the cache is removed, what it points to is not. */
static void removal_does_not_follow_links(void **state) {
  (void)state;
  char inside[SUPPORT_PATH], outside[SUPPORT_PATH], link_path[SUPPORT_PATH], precious[SUPPORT_PATH];
  support_path(inside, folder, "inside");
  support_path(outside, folder, "outside");
  assert_int_equal(mkdir(inside, 0700), 0);
  assert_int_equal(mkdir(outside, 0700), 0);
  support_path(precious, outside, "precious");
  support_write_text(precious, "kept");
  support_path(link_path, inside, "link");
  assert_int_equal(symlink(outside, link_path), 0);
  support_ok(file_remove_below(inside, NULL, NULL), NULL);
  assert_int_equal(count_entries(inside), 0);
  expect_content(precious, "kept");
}

/* A limit of the process says which; memory that is short is no fault of the file. */
static void limits_are_named(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  Error error = {0};
  unsigned char *bytes = NULL;
  size_t length = 0;
  struct rlimit before, few;
  support_path(path, folder, "limits");
  support_write_text(path, "text");
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  few = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
  Status status = file_read_all(&bytes, &length, path, 1000, &error);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
  assert_int_equal(status, SETOSA_ERROR_DATA);
  assert_non_null(strstr(error.message, "cannot open: Too many open files; raise the limit on open files (ulimit -n)"));
  assert_string_equal(file_remedy(EACCES, "check the path"), "check the path");
  assert_non_null(strstr(file_remedy(ENOMEM, "check the path"), "ulimit -v"));
  assert_non_null(strstr(file_remedy(EFBIG, "check the path"), "ulimit -f"));
  assert_int_equal(file_failure(ENOMEM, SETOSA_ERROR_DATA), SETOSA_ERROR_INTERNAL);
  assert_int_equal(file_failure(EACCES, SETOSA_ERROR_WRITE), SETOSA_ERROR_WRITE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_commit_replaces_the_whole_file),
      cmocka_unit_test(an_abandoned_file_leaves_the_target),
      cmocka_unit_test(links_stay_links),
      cmocka_unit_test(devices_are_written_directly),
      cmocka_unit_test(what_cannot_be_written_says_so),
      cmocka_unit_test(a_full_disk_keeps_the_target),
      cmocka_unit_test(whole_reads),
      cmocka_unit_test(a_folder_is_emptied_but_for_what_is_locked),
      cmocka_unit_test(removal_does_not_follow_links),
      cmocka_unit_test(limits_are_named),
  };
  return support_run("base_file", tests, make_folder, remove_folder);
}
