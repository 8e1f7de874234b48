/* setosa_generate: every form reads back to the bits of synthetic data, memory stays small, and what is stopped leaves nothing. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "data/options.h"

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

static size_t count_files(void) {
  size_t count = 0;
  DIR *entries = opendir(folder);
  assert_non_null(entries);
  for (struct dirent *entry; (entry = readdir(entries)) != NULL;) count += entry->d_name[0] != '.';
  closedir(entries);
  return count;
}

static void remove_file(const char *name) {
  char path[SUPPORT_PATH];
  support_path(path, folder, name);
  assert_int_equal(unlink(path), 0);
}

static void reads_back(const char *spec, const char *name, const char *labels_name) {
  char path[SUPPORT_PATH], source[SUPPORT_PATH];
  SetosaDataset *expected = NULL, *actual = NULL;
  SetosaDataOptions options = setosa_data_options_default();
  SetosaGenerateResult result;
  SetosaError error = {0};
  support_path(path, folder, name);
  support_ok(setosa_generate(spec, path, NULL, &result, &error), &error);
  snprintf(source, sizeof source, "synthetic:%s", spec);
  support_ok(setosa_dataset_load(&expected, source, NULL, &error), &error);
  assert_int_equal(result.rows, setosa_dataset_rows(expected));
  assert_int_equal(count_files(), labels_name != NULL ? 2 : 1);
  if (labels_name != NULL) {
    char labels[SUPPORT_PATH];
    support_path(labels, folder, labels_name);
    assert_string_equal(result.labels_path, labels);
  } else {
    assert_string_equal(result.labels_path, "");
  }
  options.labels_path = labels_name != NULL ? result.labels_path : NULL;
  options.no_cache = true;
  support_ok(setosa_dataset_load(&actual, path, &options, &error), &error);
  assert_int_equal(setosa_dataset_rows(actual), setosa_dataset_rows(expected));
  assert_int_equal(setosa_dataset_features(actual), setosa_dataset_features(expected));
  assert_int_equal(setosa_dataset_classes(actual), setosa_dataset_classes(expected));
  size_t rows = setosa_dataset_rows(expected), features = setosa_dataset_features(expected);
  assert_memory_equal(setosa_dataset_values(actual), setosa_dataset_values(expected), rows * features * sizeof(float));
  assert_memory_equal(setosa_dataset_labels(actual), setosa_dataset_labels(expected), rows * sizeof(int32_t));
  if (labels_name == NULL) assert_string_equal(setosa_dataset_feature_name(actual, features - 1), features == 7 ? "x7" : "x8");
  setosa_dataset_destroy(expected);
  setosa_dataset_destroy(actual);
  remove_file(name);
  if (labels_name != NULL) remove_file(labels_name);
}

static void every_form_reads_back(void **state) {
  (void)state;
  static const char spec[] = "rows=20011,features=7,classes=4,seed=5,noise=0.1,sparsity=0.2";
  reads_back(spec, "a.npy", "a-labels.npy");
  reads_back(spec, "a.npy.gz", "a-labels.npy.gz");
  reads_back(spec, "a.csv", NULL);
  reads_back(spec, "a.CSV.GZ", NULL);
  reads_back(spec, "a.tsv", NULL);
  reads_back("rows=17,features=1,classes=2", "one.npy", "one-labels.npy");
}

/* The generator has 262,141 different numbers: 1.6 million rows' worth hit nearly all of them. */
static void every_number_reads_back(void **state) {
  (void)state;
  reads_back("rows=2e5,features=8,classes=3,seed=6", "b.csv", NULL);
}

/* No number could be shorter and still be the same float. */
static void numbers_are_short(void **state) {
  (void)state;
  char path[SUPPORT_PATH], *rest = NULL;
  SetosaError error = {0};
  support_path(path, folder, "short.csv");
  support_ok(setosa_generate("rows=3000,features=8,sparsity=0.1", path, NULL, NULL, &error), &error);
  char *text = support_read(path, NULL), *line = strtok_r(text, "\n", &rest);
  assert_string_equal(line, "x1,x2,x3,x4,x5,x6,x7,x8,label");
  size_t numbers = 0, zeros = 0;
  while ((line = strtok_r(NULL, "\n", &rest)) != NULL) {
    char *at = line;
    for (int d = 0; d < 8; d++, numbers++) {
      char *end = strchr(at, ',');
      assert_non_null(end);
      *end = '\0';
      float value = strtof(at, NULL);
      zeros += strcmp(at, "0") == 0;
      size_t digits = 0;
      bool leading = true;
      for (const char *c = at; *c != '\0'; c++) {
        leading = leading && (*c == '0' || *c == '.' || *c == '-');
        digits += !leading && *c != '.';
      }
      for (int precision = 1; precision < (int)digits; precision++) {
        char shorter[400];
        snprintf(shorter, sizeof shorter, "%.*g", precision, (double)value);
        if (strtof(shorter, NULL) == value) fail_msg("%s could be %s", at, shorter);
      }
      at = end + 1;
    }
    assert_int_equal(strlen(at), 1);
  }
  assert_int_equal(numbers, 24000);
  assert_true(zeros > 2000 && zeros < 2800); /* 2400 expected, deviation 46 */
  free(text);
  remove_file("short.csv");
}

typedef struct Watch {
  size_t calls, stop_at;
  uint64_t rows, total, bytes;
} Watch;

static bool on_progress(const SetosaProgress *progress, void *user) {
  Watch *watch = user;
  assert_int_equal(progress->phase, SETOSA_PHASE_GENERATE);
  assert_true(progress->rows_done >= watch->rows);
  watch->rows = progress->rows_done;
  watch->total = progress->rows_total;
  watch->bytes = progress->bytes_done;
  return ++watch->calls != watch->stop_at;
}

/* 256 MB go to a place that keeps nothing; what this process needs for it is a few chunks. */
static void memory_does_not_grow(void **state) {
  (void)state;
  char path[SUPPORT_PATH], labels[SUPPORT_PATH];
  struct rusage before, after;
  SetosaError error = {0};
  Watch watch = {0};
  SetosaGenerateOptions options = setosa_generate_options_default();
  SetosaGenerateResult result;
  support_path(path, folder, "none.npy");
  support_path(labels, folder, "labels.npy");
  assert_int_equal(symlink("/dev/null", path), 0);
  assert_int_equal(symlink("/dev/null", labels), 0);
  options.labels_path = labels;
  options.progress = on_progress;
  options.progress_user = &watch;
  getrusage(RUSAGE_SELF, &before);
  support_ok(setosa_generate("rows=2e6,features=32", path, &options, &result, &error), &error);
  getrusage(RUSAGE_SELF, &after);
  assert_true(after.ru_maxrss - before.ru_maxrss < 32 << 10);
  assert_int_equal(result.bytes, 2000000ull * 33 * 4 + 2 * 128);
  assert_true(watch.calls >= 2);
  assert_int_equal(watch.rows, 2000000);
  assert_int_equal(watch.total, 2000000);
  remove_file("none.npy");
  remove_file("labels.npy");
}

/* Stopped, full, or without a folder: what was there before is still there, and nothing else. */
static void failures_leave_nothing(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  SetosaError error = {0};
  static const char *const names[] = {"c.npy", "c.csv", "c.csv.gz"};
  for (size_t i = 0; i < 3; i++) {
    Watch watch = {.stop_at = 2};
    SetosaGenerateOptions options = setosa_generate_options_default();
    options.progress = on_progress;
    options.progress_user = &watch;
    support_path(path, folder, names[i]);
    support_write_text(path, "as it was");
    error = (SetosaError){0};
    support_fails(setosa_generate("rows=1e7,features=100", path, &options, NULL, &error), &error, SETOSA_INTERRUPTED, path);
    char *text = support_read(path, NULL);
    assert_string_equal(text, "as it was");
    free(text);
    assert_int_equal(count_files(), 1);
    remove_file(names[i]);
  }
  if (access("/dev/full", W_OK) != 0) return;
  for (size_t i = 0; i < 3; i++) {
    support_path(path, folder, names[i]);
    assert_int_equal(symlink("/dev/full", path), 0);
    error = (SetosaError){0};
    support_fails(setosa_generate("rows=1e4,features=10", path, NULL, NULL, &error), &error, SETOSA_ERROR_WRITE, path);
    if (strstr(error.message, "No space left on device; free some space") == NULL) fail_msg("%s", error.message);
    assert_int_equal(count_files(), 1);
    remove_file(names[i]);
  }
  support_path(path, folder, "more-than-there-is.npy");
  error = (SetosaError){0};
  support_fails(setosa_generate("rows=1e14,features=1000", path, NULL, NULL, &error), &error, SETOSA_ERROR_WRITE, path);
  if (strstr(error.message, "and the disk has") == NULL) fail_msg("%s", error.message);
  assert_int_equal(count_files(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_form_reads_back), cmocka_unit_test(every_number_reads_back), cmocka_unit_test(numbers_are_short),
      cmocka_unit_test(memory_does_not_grow),  cmocka_unit_test(failures_leave_nothing),
  };
  return support_run("data_generate", tests, create, destroy);
}
