/* Every file of malformed/ with the exact status and the beginning of the message that manifest.txt says, and nothing left unlisted.
 * A line of the manifest: FILE | OPTIONS | STATUS | MESSAGE; FILE at the beginning of a message is written %. */
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "data/options.h"

static char *trim(char *text) {
  while (*text == ' ') text++;
  for (size_t length = strlen(text); length > 0 && text[length - 1] == ' '; length--) text[length - 1] = '\0';
  return text;
}

/* True when the line is answered as it says; else prints what came. */
static bool check_line(char *line) {
  char *rest = line, *parts[4] = {NULL}, expected[1200];
  for (int i = 0; i < 4; i++) parts[i] = trim(i < 3 ? strsep(&rest, "|") : rest);
  SetosaDataset *dataset = (SetosaDataset *)&dataset; /* must be set to NULL on failure */
  SetosaError error = {.status = SETOSA_ERROR_WRITE, .message = "stale"};
  SetosaStatus status = test_load(&dataset, parts[0], parts[1], &error), wanted = (SetosaStatus)atoi(parts[2]);
  bool file = parts[3][0] == '%';
  snprintf(expected, sizeof expected, "%s%s", file ? parts[0] : "", parts[3] + file);
  bool right = status == wanted && error.status == wanted && strncmp(error.message, expected, strlen(expected)) == 0;
  right = right && strchr(error.message, '\n') == NULL && (status != SETOSA_OK) == (dataset == NULL);
  if (!right) print_error("%s | %s | %d | %s\n   expected %s %s\n", parts[0], parts[1], (int)status, error.message, parts[2], expected);
  if (status == SETOSA_OK) setosa_dataset_destroy(dataset);
  return right;
}

static void malformed_files_are_refused(void **state) {
  (void)state;
  size_t lines = 0, wrong = 0;
  char *manifest = support_read("manifest.txt", NULL), *rest = manifest;
  for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
    if (*line == '\0' || *line == '#') continue;
    lines++;
    wrong += !check_line(line);
  }
  free(manifest);
  if (wrong > 0) fail_msg("%zu of %zu lines were answered otherwise", wrong, lines);
  assert_true(lines >= 45);
}

static void every_file_is_in_the_manifest(void **state) {
  (void)state;
  char *manifest = support_read("manifest.txt", NULL);
  DIR *folder = opendir(".");
  assert_non_null(folder);
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    if (entry->d_name[0] == '.' || strstr(entry->d_name, "labels-idx1") != NULL) continue;
    if (strcmp(entry->d_name, "manifest.txt") == 0 || strcmp(entry->d_name, "make_malformed.py") == 0) continue;
    if (strstr(manifest, entry->d_name) == NULL) fail_msg("%s is not in manifest.txt", entry->d_name);
  }
  closedir(folder);
  free(manifest);
}

int main(void) {
  char folder[SUPPORT_PATH];
  support_source_path(folder, "tests/data/malformed");
  if (chdir(folder) != 0) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(malformed_files_are_refused),
      cmocka_unit_test(every_file_is_in_the_manifest),
  };
  return support_run("data_malformed", tests, NULL, NULL);
}
