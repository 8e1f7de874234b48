/* The files that DATA stands for, for whoever must keep off them. */
#include <string.h>

#include "support/support.h"

static char folder[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  static const char *const names[] = {"b.csv", "a.csv", "[1].csv", "c.txt"};
  char path[SUPPORT_PATH];
  support_folder_create(folder);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    support_path(path, folder, names[i]);
    support_write_text(path, "x,y\n1,p\n");
  }
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

/* The names, without the folder, and a blank behind each. */
static void on_file(const char *path, void *user) {
  char *list = user;
  const char *slash = strrchr(path, '/');
  strcat(strcat(list, slash != NULL ? slash + 1 : path), " ");
}

static void expect_files(const char *source, const char *expected) {
  SetosaError error = {0};
  char list[256] = "";
  support_ok(setosa_data_files(source, on_file, list, &error), &error);
  assert_string_equal(list, expected);
}

static void every_file_is_told(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  SetosaError error = {0};
  support_path(path, folder, "?.csv");
  expect_files(path, "a.csv b.csv ");
  support_path(path, folder, "[1].csv"); /* there is a file of this name */
  expect_files(path, "[1].csv ");
  support_path(path, folder, "d.csv"); /* whoever reads it says that there is none */
  expect_files(path, "d.csv ");
  expect_files("synthetic:rows=10,features=2,classes=2", "");
  expect_files("-", "");
  support_path(path, folder, "*.npy");
  char list[8] = "";
  assert_int_equal(setosa_data_files(path, on_file, list, &error), SETOSA_ERROR_DATA);
  assert_non_null(strstr(error.message, "no file has a name that fits this pattern"));
  assert_string_equal(list, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_file_is_told)};
  return support_run("data_files", tests, create, destroy);
}
