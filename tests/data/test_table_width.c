/* A column of very many words would make features beyond all memory: it is named before they do. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "data/options.h"

static void words_by_the_thousand_are_refused(void **state) {
  (void)state;
  enum { WORDS = 500000 }; /* twice each: 2 TB of features */
  char folder[SUPPORT_PATH], path[SUPPORT_PATH], expected[SUPPORT_PATH + 128];
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  support_folder_create(folder);
  support_path(path, folder, "wide.csv");
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs("x,town,y\n", file);
  for (int i = 0; i < 2 * WORDS; i++) fprintf(file, "%d,t%d,%c\n", i % 7, i % WORDS, "pq"[i % 2]);
  assert_int_equal(fclose(file), 0);
  if (sysconf(_SC_PHYS_PAGES) > (1L << 40) / sysconf(_SC_PAGESIZE)) support_skip("this machine has more memory than the table takes");
  snprintf(expected, sizeof expected, "%s: 1000000 rows of 500001 features would take 2000 GB, and this machine has", path);
  support_fails(test_load(&dataset, path, "", &error), &error, SETOSA_ERROR_DATA, expected);
  assert_non_null(strstr(error.message, ": the column 'town' alone makes 500000 features; leave it out (--drop town), or"));
  support_ok(test_load(&dataset, path, "drop=town", &error), &error);
  assert_int_equal(setosa_dataset_features(dataset), 1);
  setosa_dataset_destroy(dataset);
  support_folder_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(words_by_the_thousand_are_refused)};
  return support_run("data_table_width", tests, NULL, NULL);
}
