/* The self-test refuses a device that computes wrong results, remembers its verdict, and trusts no damaged one. The wrong device is made by
 * planting one wrong line in a copy of the kernels. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/support.h"
/* after support.h, which has cmocka.h and what that needs */
#include "compute/selftest.h"

typedef struct Opened {
  DeviceList *list;
  Context *context;
} Opened;

static Opened open_device(void) {
  Opened opened = {0};
  Error error = {0};
  size_t index = 0;
  support_ok(device_list_open(&opened.list, &error), &error);
  if (device_list_select(opened.list, getenv("SETOSA_TEST_DEVICE"), false, &index, &error) != SETOSA_OK) {
    print_message("no usable OpenCL device: skipped\n");
    device_list_close(opened.list);
    skip();
  }
  support_ok(context_open(&opened.context, opened.list, index, &error), &error);
  return opened;
}

static void close_device(Opened opened) {
  context_close(opened.context);
  device_list_close(opened.list);
}

/* Copies kernels/ into folder, with `wrong` in place of the first `right` of one file. */
static void plant(const char *folder, const char *file, const char *right, const char *wrong) {
  char pattern[SUPPORT_PATH], target[SUPPORT_PATH];
  glob_t found;
  bool planted = false;
  support_source_path(pattern, "kernels/*.cl*");
  assert_int_equal(glob(pattern, 0, NULL, &found), 0);
  for (size_t i = 0; i < found.gl_pathc; i++) {
    const char *name = strrchr(found.gl_pathv[i], '/') + 1;
    size_t length = 0;
    char *text = support_read(found.gl_pathv[i], &length);
    support_path(target, folder, name);
    char *at = strcmp(name, file) == 0 ? strstr(text, right) : NULL;
    if (at == NULL) {
      support_write_text(target, text);
    } else {
      char *changed = malloc(length + strlen(wrong) + 1);
      assert_non_null(changed);
      memcpy(changed, text, (size_t)(at - text));
      strcpy(changed + (at - text), wrong);
      strcat(changed, at + strlen(right));
      support_write_text(target, changed);
      free(changed);
      planted = true;
    }
    free(text);
  }
  globfree(&found);
  assert_true(planted);
}

static void refuses(const char *file, const char *right, const char *wrong, const char *named) {
  char folder[SUPPORT_PATH];
  Error error = {0};
  support_folder_create(folder);
  plant(folder, file, right, wrong);
  setenv("SETOSA_KERNEL_DIR", folder, 1);
  Opened opened = open_device();
  Status status = selftest_run(opened.context, &error);
  close_device(opened);
  unsetenv("SETOSA_KERNEL_DIR");
  support_folder_remove(folder);
  support_fails(status, &error, SETOSA_ERROR_DEVICE, "device ");
  assert_non_null(strstr(error.message, "computes wrong results in the self-test"));
  assert_non_null(strstr(error.message, named));
  assert_non_null(strstr(error.message, "--force-device"));
}

static void wrong_devices_are_refused(void **state) {
  (void)state;
  /* the diagonal-only residual of the project's first question; a lost penalty; a lost tail; a sign in the Hessian */
  refuses("fused_cpu.cl", "select(vload8(0, z + k * BLOCK_ROWS), -other, labels == (int)k)",
          "select((float8)(0.0f), -other, labels == (int)k)", "gradient");
  refuses("vector.cl", "accumulate_product8(&high, &low, (float8)(l2), vload8(0, w + i));", "", "gradient");
  refuses("rows.cl", "target = exp(distance);", "target = 1.0f;", "loss");
  refuses("rows.cl", "(vload8(0, q + k) - mean)", "(vload8(0, q + k) + mean)", "Hessian");
}

/* The verdict's file, alone in a cache of its own. */
static void find_verdict(const char *cache, char path[SUPPORT_PATH]) {
  char pattern[SUPPORT_PATH];
  glob_t found;
  support_path(pattern, cache, "setosa/selftest/*.txt");
  assert_int_equal(glob(pattern, 0, NULL, &found), 0);
  assert_int_equal(found.gl_pathc, 1);
  strcpy(path, found.gl_pathv[0]);
  globfree(&found);
}

static void the_verdict_is_remembered(void **state) {
  (void)state;
  char cache[SUPPORT_PATH], path[SUPPORT_PATH];
  const char *before = getenv("XDG_CACHE_HOME");
  char *kept = before != NULL ? strdup(before) : NULL;
  Error error = {0};
  support_folder_create(cache);
  setenv("XDG_CACHE_HOME", cache, 1);
  Opened opened = open_device();
  support_ok(selftest_run(opened.context, &error), &error);
  find_verdict(cache, path);
  char *text = support_read(path, NULL);
  assert_string_equal(text, "passed\n");
  free(text);

  /* A remembered failure is believed ... */
  support_write_text(path, "failed: loss of 1 x 1\n");
  support_fails(selftest_run(opened.context, &error), &error, SETOSA_ERROR_DEVICE, "device ");
  assert_non_null(strstr(error.message, "loss of 1 x 1"));

  /* ... a damaged file is not: the test runs again and mends it. */
  static const char *const damaged[] = {"", "pass", "passed", "failed: ", "failed: cut", "\xff\xff\xff\xff"};
  for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
    error = (Error){0};
    support_write_text(path, damaged[i]);
    support_ok(selftest_run(opened.context, &error), &error);
    text = support_read(path, NULL);
    assert_string_equal(text, "passed\n");
    free(text);
  }
  close_device(opened);
  if (kept != NULL) setenv("XDG_CACHE_HOME", kept, 1);
  free(kept);
  support_folder_remove(cache);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_devices_are_refused),
      cmocka_unit_test(the_verdict_is_remembered),
  };
  return cmocka_run_group_tests_name("self-test", tests, NULL, NULL);
}
