/* The cache folder: made when it is missing, and used only when nobody else could have a hand in it. Another user is played by files that
 * are given away, which root alone can do. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cache_folder.h"
#include "support/support.h"

enum { SOMEBODY = 65534 };

static char folder[SUPPORT_PATH], kept_cache[SUPPORT_PATH], kept_home[SUPPORT_PATH];

static void restore(const char *variable, const char *value) {
  if (value[0] != '\0')
    setenv(variable, value, 1);
  else
    unsetenv(variable);
}

static int begin(void **state) {
  (void)state;
  snprintf(kept_cache, sizeof kept_cache, "%s", getenv("XDG_CACHE_HOME") != NULL ? getenv("XDG_CACHE_HOME") : "");
  snprintf(kept_home, sizeof kept_home, "%s", getenv("HOME") != NULL ? getenv("HOME") : "");
  support_folder_create(folder);
  setenv("XDG_CACHE_HOME", folder, 1);
  return 0;
}

static int end(void **state) {
  (void)state;
  support_folder_remove(folder);
  restore("XDG_CACHE_HOME", kept_cache);
  restore("HOME", kept_home);
  return 0;
}

static void give_away(const char *path) {
  if (geteuid() != 0) support_skip("only root can give files to another user");
  assert_int_equal(lchown(path, SOMEBODY, (gid_t)-1), 0);
}

static mode_t mode_of(const char *path) {
  struct stat info;
  assert_int_equal(lstat(path, &info), 0);
  return info.st_mode & 07777;
}

static char *make_folder(char path[SUPPORT_PATH], const char *parent, const char *name, mode_t mode) {
  support_path(path, parent, name);
  assert_int_equal(mkdir(path, 0700), 0);
  assert_int_equal(chmod(path, mode), 0);
  return path;
}

static void found(const char *expected, const char *name) {
  char path[PATH_MAX];
  Error error = {0};
  support_ok(cache_folder_find(path, sizeof path, name, &error), &error);
  assert_string_equal(path, expected);
}

static void refused(const char *beginning, const char *name) {
  char path[PATH_MAX];
  Error error = {0};
  support_fails(cache_folder_find(path, sizeof path, name, &error), &error, SETOSA_ERROR_WRITE, beginning);
  assert_non_null(strstr(error.message, " with XDG_CACHE_HOME"));
}

static void it_is_made_with_its_parents(void **state) {
  (void)state;
  char base[SUPPORT_PATH], path[SUPPORT_PATH];
  support_path(base, folder, "new/deeper");
  setenv("XDG_CACHE_HOME", base, 1);
  support_path(path, base, "setosa/kernels/deep");
  found(path, "kernels/deep");
  for (size_t length = strlen(path); length > strlen(folder); length = (size_t)(strrchr(path, '/') - path)) {
    path[length] = '\0';
    assert_int_equal(mode_of(path), 0700);
  }
}

static void the_environment_says_where(void **state) {
  (void)state;
  char path[SUPPORT_PATH], small[10];
  Error error = {0};
  setenv("XDG_CACHE_HOME", "relative", 1); /* to be ignored */
  setenv("HOME", folder, 1);
  support_path(path, folder, ".cache/setosa");
  found(path, "");
  support_fails(cache_folder_find(small, sizeof small, "", &error), &error, SETOSA_ERROR_WRITE, "the path of the cache folder is too long");
  support_path(path, folder, "missing");
  setenv("HOME", path, 1);
  error_clear(&error);
  refused(path, ""); /* and a home is not created */
  assert_false(file_exists(path));
  unsetenv("XDG_CACHE_HOME");
  unsetenv("HOME");
  refused("no cache folder", "");
}

static void links_of_ones_own_are_followed(void **state) {
  (void)state;
  char real[SUPPORT_PATH], path[SUPPORT_PATH], expected[SUPPORT_PATH];
  make_folder(real, folder, "real", 0755);
  support_path(path, folder, "second");
  assert_int_equal(symlink("real", path), 0);
  support_path(path, folder, "first");
  assert_int_equal(symlink("./second/../second", path), 0);
  strcat(path, "/below/.//");
  setenv("XDG_CACHE_HOME", path, 1);
  char found_path[PATH_MAX];
  Error error = {0};
  support_ok(cache_folder_find(found_path, sizeof found_path, "", &error), &error);
  support_path(expected, real, "below/setosa");
  char *resolved = realpath(found_path, NULL), *wanted = realpath(expected, NULL);
  assert_non_null(resolved);
  assert_string_equal(resolved, wanted);
  free(resolved);
  free(wanted);
  support_path(path, folder, "circle");
  assert_int_equal(symlink("circle", path), 0);
  setenv("XDG_CACHE_HOME", path, 1);
  refused(path, "");
}

static void links_of_others_are_not(void **state) {
  (void)state;
  char own[SUPPORT_PATH], path[SUPPORT_PATH], written[SUPPORT_PATH];
  make_folder(own, folder, "own", 0700);
  support_path(path, folder, "link");
  assert_int_equal(symlink(own, path), 0);
  give_away(path);
  setenv("XDG_CACHE_HOME", path, 1);
  refused(path, "");
  support_path(written, own, "setosa");
  assert_false(file_exists(written));
}

static void folders_of_others_are_refused(void **state) {
  (void)state;
  char setosa[SUPPORT_PATH], below[SUPPORT_PATH], base[SUPPORT_PATH], path[SUPPORT_PATH];
  make_folder(setosa, folder, "setosa", 0700);
  make_folder(below, setosa, "kernels", 0700);
  give_away(below);
  refused(below, "kernels");
  give_away(setosa);
  refused(setosa, "");
  make_folder(base, folder, "base", 0755);
  support_path(path, base, "own");
  setenv("XDG_CACHE_HOME", path, 1);
  give_away(base);
  refused(base, "");
  assert_false(file_exists(path)); /* nothing is made there */
}

static void folders_that_others_can_write_are_refused(void **state) {
  (void)state;
  static const mode_t modes[] = {0777, 0770, 0702, 01777, 0720};
  char path[SUPPORT_PATH], base[SUPPORT_PATH];
  make_folder(path, folder, "setosa", 0700);
  for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
    assert_int_equal(chmod(path, modes[i]), 0);
    refused(path, "");
  }
  assert_int_equal(chmod(path, 0755), 0);
  found(path, "");
  make_folder(base, folder, "shared", 0777); /* on the way: whoever can write to it can put another folder in its place */
  setenv("XDG_CACHE_HOME", base, 1);
  refused(base, "");
  assert_int_equal(chmod(base, 01777), 0); /* unless it is sticky, as /tmp */
  support_path(path, base, "setosa");
  found(path, "");
  assert_int_equal(chmod(base, 0775), 0); /* one's own group */
  found(path, "");
}

static void what_is_no_folder_is_refused(void **state) {
  (void)state;
  char path[SUPPORT_PATH], own[SUPPORT_PATH];
  make_folder(own, folder, "elsewhere", 0700);
  support_path(path, folder, "setosa");
  assert_int_equal(symlink(own, path), 0);
  refused(path, "kernels");
  assert_int_equal(rmdir(own), 0); /* it is empty */
  assert_int_equal(unlink(path), 0);
  support_write_text(path, "");
  refused(path, "");
  setenv("XDG_CACHE_HOME", path, 1);
  refused(path, "");
}

static void a_named_folder_is_looked_at_too(void **state) {
  (void)state;
  char path[SUPPORT_PATH], named[PATH_MAX], here[PATH_MAX], expected[SUPPORT_PATH];
  Error error = {0};
  assert_non_null(getcwd(here, sizeof here));
  assert_int_equal(chdir(folder), 0);
  support_ok(cache_folder_find_named(named, sizeof named, "relative/deep", &error), &error);
  assert_int_equal(chdir(here), 0);
  support_path(expected, folder, "relative/deep");
  assert_true(file_exists(expected));
  assert_int_equal(cache_folder_find_named(named, sizeof named, "", &error), SETOSA_ERROR_WRITE);
  error_clear(&error);
  make_folder(path, folder, "open", 0777);
  support_fails(cache_folder_find_named(named, sizeof named, path, &error), &error, SETOSA_ERROR_WRITE, path);
  error_clear(&error);
  support_fails(cache_folder_check(path, &error), &error, SETOSA_ERROR_WRITE, path);
  error_clear(&error);
  support_path(path, folder, "missing/altogether");
  support_ok(cache_folder_check(path, &error), &error);
  assert_false(file_exists(path));
}

static void files_are_ones_own(void **state) {
  (void)state;
  char base[PATH_MAX], path[SUPPORT_PATH], elsewhere[SUPPORT_PATH];
  unsigned char *bytes = NULL;
  size_t length = 0;
  Error error = {0};
  AtomicFile file = {0};
  support_ok(cache_folder_find(base, sizeof base, "kernels", &error), &error);
  support_path(path, base, "entry");
  mode_t kept = umask(0);
  support_ok(cache_file_begin(&file, path, &error), &error);
  fputs("12345", file.stream);
  support_ok(atomic_file_commit(&file, &error), &error);
  umask(kept);
  assert_int_equal(mode_of(path), 0600);
  support_ok(cache_file_read(&bytes, &length, path, 100, &error), &error);
  assert_string_equal((char *)bytes, "12345");
  free(bytes);
  assert_int_equal(chmod(path, 0620), 0);
  assert_int_equal(cache_file_open(path, O_RDONLY), -1);
  assert_int_equal(errno, EPERM);
  assert_int_equal(unlink(path), 0);

  /* A link is not read through, and writing puts a file in its place. */
  support_path(elsewhere, folder, "elsewhere");
  support_write_text(elsewhere, "precious");
  assert_int_equal(symlink(elsewhere, path), 0);
  assert_int_equal(cache_file_open(path, O_RDWR | O_CREAT), -1);
  assert_int_equal(cache_file_read(&bytes, &length, path, 100, NULL), SETOSA_ERROR_DATA);
  support_ok(cache_file_begin(&file, path, &error), &error);
  fputs("new", file.stream);
  support_ok(atomic_file_commit(&file, &error), &error);
  char *text = support_read(elsewhere, NULL), *entry = support_read(path, NULL);
  assert_string_equal(text, "precious");
  assert_string_equal(entry, "new");
  free(text);
  free(entry);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(mkfifo(path, 0600), 0); /* does not hold us up */
  assert_int_equal(cache_file_open(path, O_RDONLY), -1);
  assert_int_equal(unlink(path), 0);
  support_write_text(path, "forged");
  give_away(path);
  assert_int_equal(cache_file_open(path, O_RDONLY), -1);
  assert_int_equal(unlink(path), 0);
  support_write_text(path, "right");
  assert_int_equal(chmod(base, 0777), 0); /* meanwhile */
  assert_int_equal(cache_file_open(path, O_RDONLY), -1);
  assert_int_equal(cache_file_begin(&file, path, &error), SETOSA_ERROR_WRITE);
}

/* What a run as root has left in a user's folder. */
static void folders_below_are_ones_own(void **state) {
  (void)state;
  char path[PATH_MAX], deep[PATH_MAX];
  Error error = {0};
  support_ok(cache_folder_find(deep, sizeof deep, "pocl/slot-3", &error), &error);
  support_ok(cache_folder_find(path, sizeof path, "", &error), &error);
  support_ok(cache_folder_check_below(path, &error), &error);
  assert_int_equal(chmod(deep, 0777), 0);
  support_fails(cache_folder_check_below(path, &error), &error, SETOSA_ERROR_WRITE, deep);
  assert_int_equal(chmod(deep, 0700), 0);
  give_away(deep);
  error_clear(&error);
  support_fails(cache_folder_check_below(path, &error), &error, SETOSA_ERROR_WRITE, deep);
}

static void a_full_disk_is_known(void **state) {
  (void)state;
  char path[SUPPORT_PATH], message[SUPPORT_PATH + 64];
  Error error = {0};
  support_ok(cache_folder_check_room(folder, &error), &error);
  make_folder(path, folder, "small", 0700);
  if (mount("tmpfs", path, "tmpfs", 0, "size=1m") != 0) support_skip("no disk can be made here: %s", strerror(errno));
  Status status = cache_folder_check_room(path, &error);
  umount(path);
  snprintf(message, sizeof message, "%s: its disk is full; free some space, ", path);
  support_fails(status, &error, SETOSA_ERROR_WRITE, message);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(it_is_made_with_its_parents),
      CASE(the_environment_says_where),
      CASE(links_of_ones_own_are_followed),
      CASE(links_of_others_are_not),
      CASE(folders_of_others_are_refused),
      CASE(folders_that_others_can_write_are_refused),
      CASE(what_is_no_folder_is_refused),
      CASE(a_named_folder_is_looked_at_too),
      CASE(files_are_ones_own),
      CASE(folders_below_are_ones_own),
      CASE(a_full_disk_is_known),
  };
  return support_run("base_cache_folder", tests, NULL, NULL);
}
