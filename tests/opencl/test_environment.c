/* What the environment does to the list of devices, the report that explains it, and the folders that processes must not share. Each
 * case runs in a child of its own, since loaders and drivers read the environment once. */
#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "opencl/device_fixture.h"

static char scratch[] = "/tmp/setosa-test-XXXXXX";

/* Leaves the child with the line that failed. */
#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: %s is false\n", __FILE__, __LINE__, #condition); \
      _exit(1);                                                                \
    }                                                                          \
  } while (0)

static pid_t start(void (*body)(const char *), const char *argument) {
  fflush(NULL);
  pid_t child = fork();
  if (child != 0) return child;
  body(argument);
  _exit(0);
}

static int finish(pid_t child) {
  int result = -1;
  assert_int_equal(waitpid(child, &result, 0), child);
  return WIFEXITED(result) ? WEXITSTATUS(result) : 128 + WTERMSIG(result);
}

static void run_in_child(void (*body)(const char *), const char *argument) { assert_int_equal(finish(start(body, argument)), 0); }

static char *path_below(const char *name) {
  static char path[512];
  snprintf(path, sizeof path, "%s/%s", scratch, name);
  return path;
}

static void write_text(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void collect(const char *line, void *user) {
  Text *text = user;
  CHECK(strchr(line, '\n') == NULL);
  CHECK(text_append(text, NULL, "%s\n", line) == SETOSA_OK);
}

static char *diagnosis(void) {
  Text text = {0};
  Error error = {0};
  CHECK(device_diagnose(collect, &text, &error) == SETOSA_OK);
  return text.text;
}

/* --- what the loader is told --- */

static void body_no_platforms(const char *folder) {
  DeviceList *list = NULL;
  Error error = {0};
  size_t index;
  setenv("OCL_ICD_VENDORS", folder, 1);
  CHECK(device_list_open(&list, &error) == SETOSA_OK && device_list_count(list) == 0);
  CHECK(device_list_select(list, NULL, false, &index, &error) == SETOSA_ERROR_DEVICE);
  CHECK(strstr(error.message, "pocl-opencl-icd") != NULL && strstr(error.message, "setosa devices --diagnose") != NULL);
  device_list_close(list);
}

static void body_diagnose_empty(const char *folder) {
  setenv("OCL_ICD_VENDORS", folder, 1);
  char *text = diagnosis();
  CHECK(strstr(text, "OCL_ICD_VENDORS=") != NULL);
  CHECK(strstr(text, "ICD files in ") != NULL && strstr(text, ": 0\n") != NULL);
  CHECK(strstr(text, "no OpenCL platform is installed") != NULL);
  CHECK(strstr(text, "Verdict: no usable OpenCL device") != NULL);
  CHECK(strstr(text, "-> ") != NULL);
  free(text);
}

static void body_diagnose_missing_library(const char *folder) {
  setenv("OCL_ICD_VENDORS", folder, 1);
  char *text = diagnosis();
  CHECK(strstr(text, "missing.icd\n") != NULL && strstr(text, "libsetosa-none.so.9 does not load: ") != NULL);
  CHECK(strstr(text, "-> install again the driver that brought ") != NULL);
  CHECK(strstr(text, "libm.so.6 loads, but is not an OpenCL driver") != NULL);
  CHECK(strstr(text, "empty.icd\n    names no library\n") != NULL);
  CHECK(strstr(text, "other.txt") == NULL);
  CHECK(strstr(text, "Verdict: no usable OpenCL device") != NULL);
  free(text);
}

/* The variable may name one file, or a library. */
static void body_diagnose_one_file(const char *file) {
  setenv("OCL_ICD_VENDORS", file, 1);
  char *text = diagnosis();
  CHECK(strstr(text, "missing.icd\n    libsetosa-none.so.9 does not load: ") != NULL && strstr(text, "ICD files in") == NULL);
  free(text);
  setenv("OCL_ICD_VENDORS", "libm.so.6", 1);
  text = diagnosis();
  CHECK(strstr(text, "libm.so.6 loads, but is not an OpenCL driver") != NULL && strstr(text, "ICD files in") == NULL);
  free(text);
  setenv("OCL_ICD_VENDORS", "none-such.icd", 1);
  text = diagnosis();
  CHECK(strstr(text, "/etc/OpenCL/vendors/none-such.icd\n    cannot be read\n    -> ") != NULL);
  free(text);
}

static void body_diagnose_default(const char *unused) {
  (void)unused;
  DeviceList *list = NULL;
  unsetenv("OCL_ICD_VENDORS");
  char *text = diagnosis();
  CHECK(strstr(text, "ICD files in /etc/OpenCL/vendors") != NULL);
  CHECK(device_list_open(&list, NULL) == SETOSA_OK);
  for (size_t i = 0; i < device_list_count(list); i++) CHECK(strstr(text, device_list_get(list, i)->name) != NULL);
  CHECK(strstr(text, "Verdict: ") != NULL);
  device_list_close(list);
  free(text);
}

static void test_no_platforms(void **state) {
  (void)state;
  char *folder = path_below("vendors-empty");
  assert_int_equal(mkdir(folder, 0700), 0);
  run_in_child(body_no_platforms, folder);
  run_in_child(body_diagnose_empty, folder);
  run_in_child(body_no_platforms, "/nonexistent/vendors/");
  run_in_child(body_diagnose_default, NULL);
}

static void test_missing_library(void **state) {
  (void)state;
  assert_int_equal(mkdir(path_below("vendors-bad"), 0700), 0);
  write_text(path_below("vendors-bad/missing.icd"), "libsetosa-none.so.9\n");
  write_text(path_below("vendors-bad/not-opencl.icd"), "libm.so.6");
  write_text(path_below("vendors-bad/empty.icd"), "  \n");
  write_text(path_below("vendors-bad/other.txt"), "libpocl.so");
  run_in_child(body_no_platforms, path_below("vendors-bad"));
  run_in_child(body_diagnose_missing_library, path_below("vendors-bad"));
  run_in_child(body_diagnose_one_file, path_below("vendors-bad/missing.icd"));
}

/* --- PoCL's devices and folders --- */

static bool is_pocl(const DeviceList *list, size_t index) {
  return strcmp(device_list_get(list, index)->platform, "Portable Computing Language") == 0;
}

static size_t count_pocl(const DeviceList *list) {
  size_t count = 0;
  for (size_t i = 0; i < device_list_count(list); i++) count += is_pocl(list, i);
  return count;
}

static void body_has_pocl(const char *unused) {
  (void)unused;
  DeviceList *list = NULL;
  CHECK(device_list_open(&list, NULL) == SETOSA_OK);
  _exit(count_pocl(list) > 0 ? 0 : 77);
}

static void need_pocl(void) {
  if (finish(start(body_has_pocl, NULL)) == 0) return;
  support_skip("no PoCL");
}

/* Two devices of one platform are two devices, though everything about them is alike. */
static void body_two_devices(const char *unused) {
  (void)unused;
  DeviceList *list = NULL;
  Context *contexts[2] = {NULL, NULL};
  size_t opened = 0;
  setenv("POCL_DEVICES", "pthread pthread", 1);
  CHECK(device_list_open(&list, NULL) == SETOSA_OK && count_pocl(list) == 2);
  for (size_t i = 0; i < device_list_count(list) && opened < 2; i++) {
    if (!is_pocl(list, i)) continue;
    CHECK(device_list_get(list, i)->usable && device_list_get(list, i)->note[0] == '\0');
    CHECK(context_open(&contexts[opened++], list, i, NULL) == SETOSA_OK);
  }
  context_close(contexts[0]);
  context_close(contexts[1]);
  device_list_close(list);
}

static void test_two_devices(void **state) {
  (void)state;
  need_pocl();
  run_in_child(body_two_devices, NULL);
}

/* Opens, builds and runs a kernel; the word is added to the options so that everything is compiled anew. */
static void compile_and_run(const char *options) {
  DeviceList *list = NULL;
  Context *context = NULL;
  Kernel *kernel = NULL;
  Buffer *buffer = NULL;
  Error error = {0};
  size_t index;
  float values[4] = {1, 2, 3, 4};
  if (device_list_open(&list, &error) != SETOSA_OK || device_list_select(list, NULL, false, &index, &error) != SETOSA_OK ||
      context_open(&context, list, index, &error) != SETOSA_OK ||
      buffer_create(&buffer, context, sizeof values, "values", &error) != SETOSA_OK ||
      buffer_write(buffer, 0, sizeof values, values, &error) != SETOSA_OK ||
      kernel_create(&kernel, context, "tiny", options, "scale_shift", &error) != SETOSA_OK ||
      kernel_launch(kernel, ((KernelRange){{4, 0, 0}, {4, 0, 0}}), &error, ARG(buffer), ARG(buffer), ARG((uint32_t)4), ARG(1.0f)) !=
          SETOSA_OK ||
      buffer_read(buffer, 0, sizeof values, values, &error) != SETOSA_OK) {
    fprintf(stderr, "%s\n", error.message);
    _exit(1);
  }
  for (int i = 0; i < 4; i++) CHECK(values[i] == 2 * (float)(i + 1) + 1);
  kernel_destroy(kernel);
  buffer_destroy(buffer);
  context_close(context);
  device_list_close(list);
}

static void body_compile(const char *cache) {
  setenv("XDG_CACHE_HOME", cache, 1);
  unsetenv("POCL_CACHE_DIR");
  compile_and_run("-DFACTOR=2");
}

/* Several processes at once on an empty cache: all succeed, each in a slot of its own, and later runs use the slots again. */
static void test_concurrent_processes(void **state) {
  (void)state;
  enum { PROCESSES = 4 };
  pid_t children[PROCESSES];
  need_pocl();
  char *cache = path_below("cache-shared");
  assert_int_equal(mkdir(cache, 0700), 0);
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < PROCESSES; i++) children[i] = start(body_compile, cache);
    for (int i = 0; i < PROCESSES; i++) assert_int_equal(finish(children[i]), 0);
  }
  assert_true(file_exists(path_below("cache-shared/setosa/pocl/slot-0")));
  assert_false(file_exists(path_below("cache-shared/setosa/pocl/slot-4")));
}

static void body_distrust(const char *cache) {
  DeviceList *list = NULL;
  unsetenv("POCL_CACHE_DIR");
  unsetenv("MESA_SHADER_CACHE_DISABLE");
  setenv("CUDA_CACHE_DISABLE", "0", 1); /* a user's own choice stays */
  setenv("XDG_CACHE_HOME", cache, 1);
  CHECK(device_list_open(&list, NULL) == SETOSA_OK);
  CHECK(strncmp(getenv("POCL_CACHE_DIR"), cache, strlen(cache)) != 0);
  CHECK(strcmp(getenv("MESA_SHADER_CACHE_DISABLE"), "true") == 0 && strcmp(getenv("CUDA_CACHE_DISABLE"), "0") == 0);
  CHECK(!file_exists(path_below("cache-open/setosa")));
  device_list_close(list);
}

/* Where everybody can write, nothing is kept and nothing believed, by no driver. */
static void test_open_cache(void **state) {
  (void)state;
  char cache[512];
  snprintf(cache, sizeof cache, "%s", path_below("cache-open"));
  assert_int_equal(mkdir(cache, 0700), 0);
  assert_int_equal(chmod(cache, 0777), 0);
  setenv("TMPDIR", scratch, 1);
  run_in_child(body_distrust, cache);
  unsetenv("TMPDIR");
}

/* A file where the folder should be: not even root can write there. */
static void test_unwritable_cache(void **state) {
  (void)state;
  need_pocl();
  write_text(path_below("cache-file"), "not a folder");
  setenv("TMPDIR", scratch, 1);
  run_in_child(body_compile, path_below("cache-file"));
  unsetenv("TMPDIR");
}

static void body_slots(const char *cache) {
  char first[512], second[512];
  DeviceList *list = NULL;
  int result = -1;
  struct stat info;
  uint64_t freed = 0;
  setenv("XDG_CACHE_HOME", cache, 1);
  unsetenv("POCL_CACHE_DIR");
  snprintf(first, sizeof first, "%s/setosa/pocl/slot-0", cache);
  snprintf(second, sizeof second, "%s/setosa/pocl/slot-1", cache);
  CHECK(device_list_open(&list, NULL) == SETOSA_OK);
  CHECK(strcmp(getenv("POCL_CACHE_DIR"), first) == 0);
  device_list_close(list);
  CHECK(device_list_open(&list, NULL) == SETOSA_OK); /* again: the same slot */
  CHECK(strcmp(getenv("POCL_CACHE_DIR"), first) == 0);
  device_list_close(list);

  /* A child inherits the variable, but takes a slot of its own. */
  pid_t child = fork();
  if (child == 0) {
    CHECK(device_list_open(&list, NULL) == SETOSA_OK);
    CHECK(strcmp(getenv("POCL_CACHE_DIR"), second) == 0);
    device_list_close(list);
    setenv("POCL_CACHE_DIR", "/somewhere/else", 1); /* a user's own choice stays */
    CHECK(device_list_open(&list, NULL) == SETOSA_OK);
    CHECK(strcmp(getenv("POCL_CACHE_DIR"), "/somewhere/else") == 0);
    _exit(0);
  }
  CHECK(waitpid(child, &result, 0) == child && result == 0);

  /* Clearing leaves the folder in use and takes the rest. */
  char leftover[600];
  snprintf(leftover, sizeof leftover, "%s/leftover", second);
  write_text(leftover, "12345");
  snprintf(leftover, sizeof leftover, "%s/setosa/verdict", cache);
  write_text(leftover, "123");
  snprintf(leftover, sizeof leftover, "%s/setosa", cache);
  CHECK(file_remove_below(leftover, &freed, NULL) == SETOSA_OK);
  snprintf(leftover, sizeof leftover, "%s/setosa/verdict", cache);
  CHECK(freed >= 8 && stat(first, &info) == 0 && stat(second, &info) != 0 && stat(leftover, &info) != 0);
}

static void test_slots(void **state) {
  (void)state;
  char *cache = path_below("cache-slots");
  assert_int_equal(mkdir(cache, 0700), 0);
  run_in_child(body_slots, cache);
}

/* --- the cache of binaries, end to end, on a device where it is used --- */

static char *only_file(const char *folder, char *path, size_t size) {
  DIR *listing = opendir(folder);
  CHECK(listing != NULL);
  int count = 0;
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    snprintf(path, size, "%s/%s", folder, entry->d_name);
    count++;
  }
  closedir(listing);
  CHECK(count == 1); /* and no temporary file is left */
  return path;
}

static void body_binary_cache(const char *cache) {
  DeviceList *list = NULL;
  size_t index;
  char folder[512], path[1024];
  unsigned char *whole = NULL, *again = NULL;
  size_t whole_length = 0, again_length = 0;
  setenv("XDG_CACHE_HOME", cache, 1);
  setenv("RUSTICL_ENABLE", "llvmpipe", 1);
  unsetenv("SETOSA_KERNEL_DIR");
  unsetenv("OCL_ICD_VENDORS");
  CHECK(device_list_open(&list, NULL) == SETOSA_OK);
  if (device_list_select(list, "llvmpipe", false, &index, NULL) != SETOSA_OK) _exit(77);
  snprintf(folder, sizeof folder, "%s/setosa/kernels", cache);
  for (int round = 0; round < 4; round++) { /* build; load; rebuild what was damaged; rebuild what was cut */
    Context *context = NULL;
    Kernel *kernel = NULL;
    Error error = {0};
    CHECK(context_open(&context, list, index, &error) == SETOSA_OK);
    if (kernel_create(&kernel, context, "vector", "", "multiply", &error) != SETOSA_OK) CHECK(fprintf(stderr, "%s\n", error.message) < 0);
    kernel_destroy(kernel);
    context_close(context);
    only_file(folder, path, sizeof path);
    CHECK(file_read_all(&again, &again_length, path, 1 << 28, NULL) == SETOSA_OK);
    if (round == 0) {
      whole = again;
      whole_length = again_length;
      again = NULL;
    } else {
      CHECK(memcmp(again, whole, 8) == 0 && again_length > 200);
      if (round == 1) CHECK(again_length == whole_length && memcmp(again, whole, whole_length) == 0);
    }
    if (round >= 1) {
      FILE *file = fopen(path, "wb");
      CHECK(file != NULL);
      whole[100] ^= 1;
      CHECK(fwrite(whole, 1, round == 1 ? whole_length : 40, file) > 0 && fclose(file) == 0);
      whole[100] ^= 1;
    }
    free(again);
    again = NULL;
  }
  free(whole);
  device_list_close(list);
}

static void test_binary_cache(void **state) {
  (void)state;
  char *cache = path_below("cache-binary");
  assert_int_equal(mkdir(cache, 0700), 0);
  int result = finish(start(body_binary_cache, cache));
  if (result == 77) support_skip("no device that uses the cache of binaries");
  assert_int_equal(result, 0);
}

/* What PoCL leaves behind in a slot goes when the slot is taken again. */
static void test_leftovers(void **state) {
  (void)state;
  char *cache = path_below("cache-slots");
  run_in_child(body_compile, cache);
  char *file = path_below("cache-slots/setosa/pocl/slot-0/tempfile_old");
  write_text(file, "x");
  run_in_child(body_compile, path_below("cache-slots"));
  assert_false(file_exists(path_below("cache-slots/setosa/pocl/slot-0/tempfile_old")));
}

/* A process that ends without cleaning up (these children leave by _exit) leaves its mark: what is in its slot is not trusted. */
static void test_slot_of_a_dead_process(void **state) {
  (void)state;
  run_in_child(body_compile, path_below("cache-dead"));
  assert_true(file_exists(path_below("cache-dead/setosa/pocl/slot-0/setosa-running")));
  write_text(path_below("cache-dead/setosa/pocl/slot-0/kept"), "x");
  run_in_child(body_compile, path_below("cache-dead"));
  assert_false(file_exists(path_below("cache-dead/setosa/pocl/slot-0/kept")));
}

static int make_scratch(void **state) {
  (void)state;
  return mkdtemp(scratch) != NULL ? 0 : -1;
}

static int remove_scratch(void **state) {
  (void)state;
  file_remove_below(scratch, NULL, NULL);
  return rmdir(scratch);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_no_platforms),
      cmocka_unit_test(test_missing_library),
      cmocka_unit_test(test_two_devices),
      cmocka_unit_test(test_concurrent_processes),
      cmocka_unit_test(test_unwritable_cache),
      cmocka_unit_test(test_open_cache),
      cmocka_unit_test(test_slots),
      cmocka_unit_test(test_leftovers),
      cmocka_unit_test(test_slot_of_a_dead_process),
      cmocka_unit_test(test_binary_cache),
  };
  use_test_kernels();
  return support_run("opencl_environment", tests, make_scratch, remove_scratch);
}
