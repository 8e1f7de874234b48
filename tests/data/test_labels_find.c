/* setosa_labels_find knows what loading will read beside DATA, without reading it. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "setosa.h"
#include "support/support.h"

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

static void expect_found(const char *name, const char *expected) {
  char path[SUPPORT_PATH], whole[SUPPORT_PATH] = "", found[SUPPORT_PATH] = "?";
  SetosaError error = {0};
  support_path(path, folder, name);
  if (expected != NULL) support_path(whole, folder, expected);
  support_ok(setosa_labels_find(found, sizeof found, path, &error), &error);
  assert_string_equal(found, whole);
}

static void put(const char *name, const void *bytes, size_t length) {
  char path[SUPPORT_PATH];
  support_path(path, folder, name);
  support_write(path, bytes, length);
}

static void labels_are_found_by_kind_and_name(void **state) {
  (void)state;
  static const char images[] = "\0\0\x08\x03\0\0\0\1\0\0\0\1\0\0\0\1a", csv[] = "a,b\n1,2\n";
  char path[SUPPORT_PATH], small[4];
  SetosaError error = {0};
  support_path(path, folder, "x.npy");
  support_ok(setosa_generate("rows=10", path, NULL, NULL, &error), &error);
  expect_found("x.npy", "x-labels.npy");
  expect_found("x-labels.npy", NULL);
  support_fails(setosa_labels_find(small, sizeof small, path, &error), &error, SETOSA_ERROR_USAGE, path);
  put("t-images-idx3-ubyte", images, sizeof images - 1);
  expect_found("t-images-idx3-ubyte", NULL);
  put("t-labels-idx1-ubyte.gz", "", 0);
  expect_found("t-images-idx3-ubyte", "t-labels-idx1-ubyte.gz");
  /* A CSV has its labels in it, whatever it is called. */
  put("images.csv", csv, sizeof csv - 1);
  put("labels.csv", csv, sizeof csv - 1);
  expect_found("images.csv", NULL);
  /* What cannot be read has none; a pipe is left alone. */
  expect_found("missing.npy", NULL);
  expect_found("", NULL);
  support_path(path, folder, "pipe.npy");
  assert_int_equal(mkfifo(path, 0600), 0);
  expect_found("pipe.npy", NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(labels_are_found_by_kind_and_name)};
  return support_run("data_labels_find", tests, create, destroy);
}
