/* The folder of the cache of conversions, and loading by way of it. Shared by the tests of the cache; a test program puts `kept` below its
 * test_folder. */
#ifndef SETOSA_TESTS_DATA_KEPT_H
#define SETOSA_TESTS_DATA_KEPT_H

#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "data/cache.h"
#include "data/expect.h"

static char kept[SUPPORT_PATH];

static inline void wait_ms(long milliseconds) {
  struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  nanosleep(&pause, NULL);
}

/* A source counts as settled 0.1 s after it was written. */
static inline void settle(void) { wait_ms(150); }

static inline int forget(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  DIR *folder = opendir(kept);
  for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
    support_path(path, kept, entry->d_name);
    if (entry->d_name[0] != '.') remove(path);
  }
  if (folder != NULL) closedir(folder);
  return 0;
}

/* Files in the cache folder whose names end so. */
static inline size_t count_files(const char *suffix) {
  size_t count = 0;
  DIR *folder = opendir(kept);
  for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
    size_t length = strlen(entry->d_name), wanted = strlen(suffix);
    count += length > wanted && strcmp(entry->d_name + length - wanted, suffix) == 0;
  }
  if (folder != NULL) closedir(folder);
  return count;
}

static inline void find_entry(char path[SUPPORT_PATH]) {
  DIR *folder = opendir(kept);
  assert_non_null(folder);
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
    if (strstr(entry->d_name, ".data") != NULL) support_path(path, kept, entry->d_name);
  closedir(folder);
}

static inline SetosaStatus try_load(SetosaDataset **dataset, const char *path, const char *options, bool use_cache, SetosaError *error) {
  TestOptions test;
  test_options_parse(&test, options);
  test.options.cache = kept;
  test.options.no_cache = !use_cache;
  SetosaStatus status = setosa_dataset_load(dataset, path, &test.options, error);
  test_options_free(&test);
  return status;
}

static inline SetosaDataset *load(const char *path, const char *options, bool use_cache) {
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  support_ok(try_load(&dataset, path, options, use_cache, &error), &error);
  return dataset;
}

static inline int end_load(pid_t child) {
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static inline void same_text(const char *a, const char *b) {
  assert_int_equal(a == NULL, b == NULL);
  if (a != NULL) assert_string_equal(a, b);
}

static inline void same_floats(const float *a, const float *b, size_t count) {
  assert_int_equal(a == NULL, b == NULL);
  if (a != NULL) assert_memory_equal(a, b, count * sizeof *a);
}

static inline void same_doubles(const double *a, const double *b, size_t count) {
  assert_int_equal(a == NULL, b == NULL);
  if (a != NULL) assert_memory_equal(a, b, count * sizeof *a);
}

/* What a data set says beside its rows and classes. */
static inline void same_description(const SetosaDataset *a, const SetosaDataset *b) {
  assert_int_equal(setosa_dataset_feature_name(a, 0) == NULL, setosa_dataset_feature_name(b, 0) == NULL);
  for (size_t d = 0; setosa_dataset_feature_name(a, 0) != NULL && d < setosa_dataset_features(a); d++)
    assert_string_equal(setosa_dataset_feature_name(a, d), setosa_dataset_feature_name(b, d));
  same_floats(setosa_dataset_weights(a), setosa_dataset_weights(b), setosa_dataset_rows(a));
  same_text(setosa_dataset_weights_name(a), setosa_dataset_weights_name(b));
  same_text(setosa_dataset_label_name(a), setosa_dataset_label_name(b));
  same_text(dataset_positive(a), dataset_positive(b));
  same_text(dataset_source(a), dataset_source(b));
  same_doubles(dataset_scaling(a)->offset, dataset_scaling(b)->offset, setosa_dataset_features(a));
  same_doubles(dataset_scaling(a)->scale, dataset_scaling(b)->scale, setosa_dataset_features(a));
  same_doubles(setosa_dataset_shift(a), setosa_dataset_shift(b), setosa_dataset_features(a));
  assert_int_equal(setosa_dataset_index_base(a), setosa_dataset_index_base(b));
  assert_int_equal(setosa_dataset_hash_features(a), setosa_dataset_hash_features(b));
  assert_int_equal(setosa_dataset_source_rows(a), setosa_dataset_source_rows(b));
  assert_true(dataset_shape(a).byte_scale == dataset_shape(b).byte_scale);
}

#endif
