/* A column of very many words makes very many features: rows without their zeros, or a refusal that names the column before memory is
 * full. A column of more words than are kept is named as well. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "data/expect.h"

static char path[SUPPORT_PATH];

/* Rows "number,tNUMBER,p or q": so many, of so many towns. */
static void write_towns(int rows, int towns) {
  support_path(path, test_folder, "wide.csv");
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs("x,town,y\n", file);
  for (int i = 0; i < rows; i++) fprintf(file, "%d,t%d,%c\n", i % 7, i % towns, "pq"[i % 2]);
  assert_int_equal(fclose(file), 0);
}

/* A row for a model of so many features, whose columns come from its file. */
static void read_one_like(const SetosaDataset *like) {
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  SetosaColumns *columns = NULL;
  SetosaDataOptions options = setosa_data_options_default();
  char *text = NULL, one[SUPPORT_PATH];
  support_ok(columns_to_json(&text, setosa_dataset_columns(like), &error), &error);
  support_ok(columns_from_json(&columns, text, "test", &error), &error);
  free(text);
  support_path(one, test_folder, "one.csv");
  support_write_text(one, "town,x\nt0,0\nt77,3\n");
  options.expect_features = setosa_dataset_features(like);
  options.expect_columns = columns;
  options.labels_optional = true;
  support_ok(setosa_dataset_load(&dataset, one, &options, &error), &error);
  assert_true(setosa_dataset_is_sparse(dataset));
  assert_int_equal(setosa_dataset_features(dataset), setosa_dataset_features(like));
  assert_int_equal(setosa_dataset_entries(dataset), 3);
  setosa_dataset_destroy(dataset);
  columns_release(columns);
}

static void words_by_the_thousand_are_sparse_or_refused(void **state) {
  (void)state;
  enum { WORDS = 500000 }; /* twice each: 2 TB of features */
  char expected[SUPPORT_PATH + 128];
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  write_towns(2 * WORDS, WORDS);
  support_ok(test_load(&dataset, path, "", &error), &error);
  assert_true(setosa_dataset_is_sparse(dataset));
  assert_int_equal(setosa_dataset_features(dataset), WORDS + 1);
  assert_int_equal(setosa_dataset_entries(dataset), 4 * WORDS - (2 * WORDS + 6) / 7); /* less those of x = 0 */
  assert_string_equal(setosa_dataset_feature_name(dataset, WORDS), "town=t99999");
  read_one_like(dataset);
  setosa_dataset_destroy(dataset);
  support_ok(test_load(&dataset, path, "drop=town", &error), &error);
  assert_false(setosa_dataset_is_sparse(dataset));
  assert_int_equal(setosa_dataset_features(dataset), 1);
  setosa_dataset_destroy(dataset);
  if (sysconf(_SC_PHYS_PAGES) > (1L << 40) / sysconf(_SC_PAGESIZE)) support_skip("this machine has more memory than the table takes");
  snprintf(expected, sizeof expected, "%s: 1000000 rows of 500001 features would take 2000 GB, and this machine has", path);
  support_fails(test_load(&dataset, path, "sparse=never", &error), &error, SETOSA_ERROR_DATA, expected);
  assert_non_null(strstr(error.message,
                         ": the column 'town' alone makes 500000 features; keep rows without their zeros (--sparse auto), "
                         "leave it out (--drop town), or carry it along as text (--id town)"));
}

/* As many as a column may have, and one more. */
static void the_most_words_are_kept(void **state) {
  (void)state;
  enum { MOST = 1 << 20 };
  char expected[SUPPORT_PATH + 128];
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  write_towns(MOST, MOST);
  support_ok(test_load(&dataset, path, "categorical=town", &error), &error);
  assert_int_equal(setosa_dataset_features(dataset), MOST + 1);
  setosa_dataset_destroy(dataset);
  write_towns(MOST + 1, MOST + 1);
  snprintf(expected, sizeof expected,
           "%s: the column 'town' has more different texts than are kept (1048576, or 64 MB of them); --drop town", path);
  support_fails(test_load(&dataset, path, "categorical=town", &error), &error, SETOSA_ERROR_DATA, expected);
  support_ok(test_load(&dataset, path, "", &error), &error);
  assert_int_equal(setosa_dataset_features(dataset), 1);
  assert_string_equal(setosa_dataset_remark(dataset, 0, NULL),
                      "the column 'town' is left out: it has more different texts than are kept (1048576, or 64 MB of them); "
                      "--drop town says the same without a warning");
  setosa_dataset_destroy(dataset);
}

/* Codes that are to be names are none, however many they are. */
static void too_many_codes_are_no_numbers(void **state) {
  (void)state;
  enum { CODES = (1 << 20) + 1 };
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  support_path(path, test_folder, "codes.csv");
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs("price,code,y\n", file);
  for (int i = 0; i < CODES; i++) fprintf(file, "%s,%d,%c\n", i == 9 ? "cheap" : "7", i, "pq"[i % 2]);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(test_load(&dataset, path, "categorical=code", &error), SETOSA_ERROR_DATA);
  assert_non_null(strstr(error.message, ": the column 'code' has more different texts than are kept"));
  assert_non_null(strstr(error.message, "; --drop price,code"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(words_by_the_thousand_are_sparse_or_refused),
                                     cmocka_unit_test(the_most_words_are_kept), cmocka_unit_test(too_many_codes_are_no_numbers)};
  return support_run("data_table_width", tests, make_folder, remove_folder);
}
