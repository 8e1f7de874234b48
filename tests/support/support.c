/* Shared helpers of the tests. */
#include "support/support.h"

#include <fnmatch.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int skipped;

void support_skip_at(const char *file, int line, const char *format, ...) {
  char why[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(why, sizeof why, format, arguments);
  va_end(arguments);
  print_message("SKIP: %s\n", why);
  skipped++;
  _skip(file, line);
  abort(); /* _skip does not return */
}

int support_run_cases(const char *name, const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup, CMFixtureFunction teardown) {
  const char *wanted = getenv("SETOSA_TEST_CASE");
  const bool others = wanted != NULL && wanted[0] == '!'; /* all but these */
  size_t chosen_count = 0;
  if (getenv("SETOSA_TEST_LIST") != NULL) {
    for (size_t i = 0; i < count; i++) puts(tests[i].name);
    return EXIT_SUCCESS;
  }
  struct CMUnitTest *chosen = malloc(count * sizeof *chosen);
  if (chosen == NULL) return EXIT_FAILURE;
  for (size_t i = 0; i < count; i++)
    if (wanted == NULL || (fnmatch(wanted + others, tests[i].name, 0) == 0) != others) chosen[chosen_count++] = tests[i];
  int failed = chosen_count > 0 ? _cmocka_run_group_tests(name, chosen, chosen_count, setup, teardown) : EXIT_FAILURE;
  if (chosen_count == 0) print_error("%s has no case %s\n", name, wanted);
  free(chosen);
  if (failed != 0) return EXIT_FAILURE; /* whatever their number, it is not that of a skip */
  return skipped > 0 ? SUPPORT_SKIPPED : EXIT_SUCCESS;
}

void support_source_path(char path[SUPPORT_PATH], const char *relative) {
  const char *root = getenv("SETOSA_SOURCE_DIR");
  if (root == NULL) fail_msg("SETOSA_SOURCE_DIR is not set: run the tests through ctest");
  support_path(path, root, relative);
}

const char *support_program(void) {
  const char *program = getenv("SETOSA_PROGRAM");
  if (program == NULL) fail_msg("SETOSA_PROGRAM is not set: run the tests through ctest");
  return program;
}

void support_folder_create(char folder[SUPPORT_PATH]) {
  const char *parent = getenv("TMPDIR");
  support_path(folder, parent != NULL && parent[0] == '/' ? parent : "/tmp", "setosa-test-XXXXXX");
  if (mkdtemp(folder) == NULL) fail_msg("cannot create %s", folder);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *at) {
  (void)info, (void)kind, (void)at;
  return remove(path);
}

void support_folder_remove(const char *folder) {
  if (strstr(folder, "setosa-test-") == NULL) fail_msg("%s is not a folder of the tests", folder);
  nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void support_path(char path[SUPPORT_PATH], const char *folder, const char *name) {
  int length = snprintf(path, SUPPORT_PATH, "%s/%s", folder, name);
  if (length < 0 || length >= SUPPORT_PATH) fail_msg("the path %s/%s is too long", folder, name);
}

void support_write(const char *path, const void *bytes, size_t length) {
  FILE *file = fopen(path, "wb");
  if (file == NULL) fail_msg("cannot write %s", path);
  size_t written = length > 0 ? fwrite(bytes, 1, length, file) : 0;
  if (fclose(file) != 0 || written != length) fail_msg("cannot write %s", path);
}

void support_write_text(const char *path, const char *text) { support_write(path, text, strlen(text)); }

char *support_read(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail_msg("cannot read %s", path);
  size_t used = 0, capacity = 4096;
  char *bytes = malloc(capacity);
  for (size_t got; bytes != NULL && (got = fread(bytes + used, 1, capacity - used - 1, file)) > 0;) {
    used += got;
    if (capacity - used >= 2) continue;
    char *grown = realloc(bytes, capacity *= 2);
    if (grown == NULL) free(bytes);
    bytes = grown;
  }
  fclose(file);
  if (bytes == NULL) fail_msg("out of memory for %s", path);
  bytes[used] = '\0';
  if (length != NULL) *length = used;
  return bytes;
}

void support_poison(float *values, size_t count) {
  for (size_t i = 0; i < count; i++) values[i] = NAN;
}

void support_poison_double(double *values, size_t count) {
  for (size_t i = 0; i < count; i++) values[i] = NAN;
}

void support_poison_labels(int32_t *labels, size_t count) {
  for (size_t i = 0; i < count; i++) labels[i] = SUPPORT_POISON_LABEL;
}

void support_ok(SetosaStatus status, const SetosaError *error) {
  if (status != SETOSA_OK) fail_msg("status %d: %s", (int)status, error != NULL ? error->message : "");
}

void support_fails(SetosaStatus status, const SetosaError *error, SetosaStatus expected, const char *beginning) {
  if (status != expected || error->status != expected)
    fail_msg("status %d, expected %d with \"%s\"; the message is \"%s\"", (int)status, (int)expected, beginning, error->message);
  if (strncmp(error->message, beginning, strlen(beginning)) != 0)
    fail_msg("the message is \"%s\", expected it to begin \"%s\"", error->message, beginning);
  if (strchr(error->message, '\n') != NULL) fail_msg("the message has several lines: %s", error->message);
}

void support_near(double actual, double expected, double tolerance) {
  double scale = fabs(expected) > 1 ? fabs(expected) : 1;
  if (!(fabs(actual - expected) <= tolerance * scale))
    fail_msg("%.17g differs from %.17g by more than %g", actual, expected, tolerance * scale);
}
