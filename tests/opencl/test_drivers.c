/* Drivers that fail, as a caller of the library meets them: one process that opens the list again, or that has used OpenCL before. Each
 * case runs in a child of its own, since loaders read the environment once. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "opencl/device_fixture.h"

static char folder[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  char cache[SUPPORT_PATH];
  support_folder_create(folder);
  support_path(cache, folder, "cache");
  setenv("XDG_CACHE_HOME", cache, 1); /* nothing is known yet */
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

/* Leaves the child with the line that failed. */
#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: %s is false\n", __FILE__, __LINE__, #condition); \
      _exit(1);                                                                \
    }                                                                          \
  } while (0)

static void run_in_child(void (*body)(void)) {
  int result = -1;
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    body();
    _exit(0);
  }
  assert_int_equal(waitpid(child, &result, 0), child);
  assert_int_equal(result, 0);
}

/* The drivers of tests/opencl/drivers that do what the names say, and PoCL, in a folder that OCL_ICD_VENDORS names. */
static void use_drivers(const char *name, const char *const *wrong, size_t count) {
  char vendors[SUPPORT_PATH], command[4 * SUPPORT_PATH];
  const char *fake = getenv("SETOSA_FAKE_DRIVER");
  if (fake == NULL || access("/etc/OpenCL/vendors/pocl.icd", R_OK) != 0) support_skip("no fake driver, or no PoCL");
  support_path(vendors, folder, name);
  assert_int_equal(mkdir(vendors, 0700), 0);
  for (size_t i = 0; i < count; i++) {
    snprintf(command, sizeof command, "cp '%s' '%s/%s.so' && echo '%s/%s.so' > '%s/%s.icd'", fake, vendors, wrong[i], vendors, wrong[i],
             vendors, wrong[i]);
    assert_int_equal(system(command), 0);
  }
  snprintf(command, sizeof command, "cp /etc/OpenCL/vendors/pocl.icd '%s/pocl.icd'", vendors);
  assert_int_equal(system(command), 0);
  setenv("OCL_ICD_VENDORS", vendors, 1);
}

/* The fake GPU is refused and PoCL is the choice. */
static void check_list(const DeviceList *list) {
  size_t index = 0, refused = 0;
  Error error = {0};
  for (size_t i = 0; i < device_list_count(list); i++) {
    const SetosaDeviceInfo *info = device_list_get(list, i);
    if (strcmp(info->name, "Fake GPU") != 0) continue;
    CHECK(!info->usable && strstr(info->refusal, "left with exit code 0 while it built a kernel") != NULL);
    refused++;
  }
  CHECK(refused == 1);
  CHECK(device_list_select(list, NULL, false, &index, &error) == SETOSA_OK);
  CHECK(strcmp(device_list_get(list, index)->platform, "Portable Computing Language") == 0);
  CHECK(device_list_select(list, "Fake", true, &index, &error) == SETOSA_OK); /* who forces it gets it */
  CHECK(strstr(device_list_warning(list, 0), "abort-load.so) aborted while it was loaded") != NULL);
  CHECK(strstr(device_list_warning(list, 1), "exit0-build.so) left with exit code 0") != NULL);
  CHECK(device_list_warning(list, 2) == NULL && device_list_warning(list, 9) == NULL);
}

static void open_twice(void) {
  char before[SUPPORT_PATH];
  snprintf(before, sizeof before, "%s", getenv("OCL_ICD_VENDORS"));
  for (int again = 0; again < 2; again++) {
    DeviceList *list = NULL;
    Error error = {0};
    CHECK(device_list_open(&list, &error) == SETOSA_OK);
    check_list(list);
    device_list_close(list);
    CHECK(strcmp(getenv("OCL_ICD_VENDORS"), before) == 0);
  }
}

static void test_a_list_that_is_opened_again(void **state) {
  (void)state;
  use_drivers("again", (const char *const[]){"abort-load", "exit0-build"}, 2);
  run_in_child(open_twice);
}

/* Nothing is tried then: a child of this process could not use what its threads serve. */
static void open_after_use(void) {
  cl_uint count = 0;
  DeviceList *list = NULL;
  size_t index = 0;
  Error error = {0};
  CHECK(clGetPlatformIDs(0, NULL, &count) == CL_SUCCESS && count >= 2);
  CHECK(device_list_open(&list, &error) == SETOSA_OK);
  CHECK(device_list_warning(list, 0) == NULL);
  CHECK(device_list_select(list, "cpu", false, &index, &error) == SETOSA_OK);
  device_list_close(list);
}

static void test_opencl_in_use(void **state) {
  (void)state;
  use_drivers("used", (const char *const[]){"abort-build"}, 1);
  run_in_child(open_after_use);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_list_that_is_opened_again),
      cmocka_unit_test(test_opencl_in_use),
  };
  return support_run("opencl_drivers", tests, create, destroy);
}
