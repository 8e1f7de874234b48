/* Tables as the commands take them: lists that are given twice, several files, rows that are left out, and what is said of them. */
#include "cli/run.h"

#define HEADER "nest,island,length,mass,sex,kind\n"
#define FIRST \
  "a1,East,39.1,3750,m,small\na2,East,39.5,3800,f,small\na3,West,,3250,f,small\na4,West,36.7,3450,f,small\nb1,West,46.1,4500,f,large\n"
#define SECOND                                                                                                                          \
  "b2,East,50.0,5700,m,large\nb3,West,48.7,,f,large\nb4,East,50.0,5700,m,large\na5,East,39.3,3650,m,small\nb5,West,47.6,5400,m,large\n" \
  "a6,East,38.9,3625,,small\nb6,West,46.5,4550,f,large\n"

static char home[SUPPORT_PATH], folder[SUPPORT_PATH];

static void write_here(const char *name, const char *text) {
  char path[SUPPORT_PATH];
  support_path(path, folder, name);
  support_write_text(path, text);
}

static int create(void **state) {
  (void)state;
  assert_non_null(getcwd(home, sizeof home));
  support_folder_create(folder);
  assert_int_equal(chdir(folder), 0);
  write_here("nests.csv", HEADER FIRST SECOND);
  write_here("part-1.csv", HEADER FIRST);
  write_here("part-2.csv", HEADER SECOND);
  Run run = RUN("train", "nests.csv", "--id", "nest", "--backend", "reference", "--standardize", "-q", "--model", "m.safetensors");
  run_expect(&run, 0);
  run_free(&run);
  return 0;
}

static int destroy(void **state) {
  (void)state;
  assert_int_equal(chdir(home), 0);
  support_folder_remove(folder);
  return 0;
}

static Run train(const char *const *more) {
  const char *arguments[RUN_ARGUMENTS] = {"train", "--backend", "reference", "--json", "--standardize", "--max-iterations", "20"};
  for (size_t i = 0; more[i] != NULL; i++) arguments[7 + i] = more[i];
  return run_setosa(arguments);
}
#define TRAIN(...) train((const char *const[]){__VA_ARGS__, NULL})

static void expect_same_weights(Run one, Run other) {
  run_expect(&one, 0);
  run_expect(&other, 0);
  json_t *left = run_json(&one), *right = run_json(&other);
  assert_string_equal(json_string_value(json_object_get(left, "weights_hash")), json_string_value(json_object_get(right, "weights_hash")));
  json_decref(left);
  json_decref(right);
  run_free(&one);
  run_free(&other);
}

static void lists_that_are_given_twice(void **state) {
  (void)state;
  expect_same_weights(TRAIN("nests.csv", "--drop", "nest", "--drop", "island"), TRAIN("nests.csv", "--drop", "nest,island"));
  expect_same_weights(TRAIN("nests.csv", "--features", "mass", "--features", "length,sex"),
                      TRAIN("nests.csv", "--features", "mass,length,sex"));
  expect_same_weights(TRAIN("nests.csv", "--id", "nest", "--id", "sex"), TRAIN("nests.csv", "--id", "nest,sex"));
  expect_same_weights(TRAIN("nests.csv", "--drop", "nest", "--categorical", "mass", "--categorical", "length"),
                      TRAIN("nests.csv", "--drop", "nest", "--categorical", "mass,length"));
  expect_same_weights(TRAIN("nests.csv", "--drop", "nest", "--na", "39.1", "--na", "m"),
                      TRAIN("nests.csv", "--drop", "nest", "--na", "39.1,m"));
  Run run = TRAIN("nests.csv", "--numeric", "mass", "--numeric", "sex", "--drop", "nest");
  run_expect(&run, 3);
  run_expect_text(run.err, "sex");
  run_free(&run);
  run = TRAIN("nests.csv", "--drop", "nest", "--drop", "");
  run_expect(&run, 2);
  run_expect_text(run.err, "--drop \"\": give A,B,...");
  run_free(&run);
}

static void several_files_are_one_table(void **state) {
  (void)state;
  expect_same_weights(TRAIN("nests.csv", "--id", "nest"), TRAIN("part-1.csv", "part-2.csv", "--id", "nest"));
  expect_same_weights(TRAIN("nests.csv", "--id", "nest"), TRAIN("--id", "nest", "part-*.csv"));
  Run run = RUN("train", "part-1.csv", "part-2.csv", "--id", "nest", "--backend", "reference", "--max-iterations", "1");
  run_expect(&run, 0);
  run_expect_text(run.out, "part-1.csv and 1 more: 9 rows (3 left out for missing values), 6 features, 2 classes (large, small)");
  run_free(&run);
  run = RUN("eval", "m.safetensors", "part-2.csv", "part-1.csv", "--backend", "reference");
  run_expect(&run, 0);
  run_expect_text(run.out, "(9 rows; 3 left out for missing values)");
  run_free(&run);
  run = RUN("explain", "m.safetensors", "part-1.csv", "part-2.csv", "--row", "9", "--json");
  run_expect(&run, 0);
  run_expect_text(run.out, "\"label\": \"small\"");
  run_free(&run);
  run = RUN("check", "part-1.csv", "part-2.csv", "--id", "nest", "--backend", "reference");
  run_expect(&run, 0);
  run_expect_text(run.out, "9x6x2");
  run_free(&run);
  run = RUN("train", "no-*.csv", "--backend", "reference");
  run_expect(&run, 3);
  run_expect_text(run.err, "no-*.csv: no file has a name that fits this pattern");
  run_free(&run);
  run = RUN("train", "nests.csv", "nests.csv", "--model", "part-1.csv", "--test", "part-?.csv");
  run_expect(&run, 2);
  run_expect_text(run.err, "--model part-1.csv would overwrite --test part-1.csv");
  run_free(&run);
}

static void rows_that_are_left_out_are_told(void **state) {
  (void)state;
  Run run = TRAIN("nests.csv", "--id", "nest", "--test", "part-2.csv");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  assert_true(run_number(document, "data", "rows") == 9);
  assert_true(run_number(document, "data", "left_out") == 3);
  assert_true(run_number(document, "data", "source_rows") == 12);
  assert_true(run_number(document, "test", "left_out") == 2);
  json_decref(document);
  run_expect_text(run.err, "warning: nests.csv: 3 of 12 rows are left out, since they lack a value: ");
  run_expect_text(run.err, "warning: part-2.csv: 2 of 7 rows are left out");
  run_free(&run);
  run = RUN("train", "nests.csv", "--id", "nest", "--test", "part-2.csv", "--validation", "0.2", "--backend", "reference", "-q");
  run_expect(&run, 0);
  run_expect_text(run.out, "9 rows (7 for training, 2 held out; 3 left out for missing values)");
  run_expect_text(run.out, " (2 left out for missing values)\n");
  assert_string_equal(run.err, "");
  run_free(&run);
  run = RUN("eval", "m.safetensors", "part-2.csv", "--json", "--backend", "reference");
  run_expect(&run, 0);
  document = run_json(&run);
  assert_true(run_number(document, "data", "left_out") == 2 && run_number(document, "data", "source_rows") == 7);
  json_decref(document);
  run_free(&run);
  run = RUN("eval", "m.safetensors", "part-2.csv", "--json", "--backend", "reference", "--dry-run");
  run_expect(&run, 0);
  document = run_json(&run);
  assert_true(run_number(document, "left_out", NULL) == 2 && run_number(document, "source_rows", NULL) == 7);
  json_decref(document);
  run_free(&run);
}

/* The test data are read as the training data were: levels, what is missing, and shifts. */
static void test_data_are_read_alike(void **state) {
  (void)state;
  write_here("year.csv",
             "year,place,kind\n1700000001,x,a\n1700000002,y,a\n1700000002,,b\n1700000004,x,b\n1700000001,y,a\n1700000004,y,b\n");
  write_here("later.csv", "kind,place,year\na,y,1700000001\nb,x,1700000004\nb,,1700000004\n");
  Run run =
      RUN("train", "year.csv", "--missing", "mean", "--test", "later.csv", "--backend", "reference", "--json", "--model", "y.safetensors");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  double test = run_number(document, "test", "log_loss");
  assert_true(run_number(document, "test", "left_out") == 0);
  json_decref(document);
  run_free(&run);
  run = RUN("eval", "y.safetensors", "later.csv", "--backend", "reference", "--json");
  run_expect(&run, 0);
  document = run_json(&run);
  support_near(run_number(document, "log_loss", NULL), test, 1e-6);
  assert_true(test < 0.5);
  json_decref(document);
  run_free(&run);
  /* Without a bias nothing may be shifted, neither here nor there. */
  run = RUN("train", "nests.csv", "--id", "nest", "--no-intercept", "--test", "nests.csv", "--backend", "reference", "--json");
  run_expect(&run, 0);
  document = run_json(&run);
  support_near(run_number(document, "test", "log_loss"), run_number(document, "train", "log_loss"), 1e-6);
  json_decref(document);
  run_free(&run);
}

static void explain_counts_rows_of_the_source(void **state) {
  (void)state;
  Run run = RUN("explain", "m.safetensors", "nests.csv", "--row", "4", "--json");
  run_expect(&run, 0);
  run_expect_text(run.out, "\"island=East\"");
  json_t *document = run_json(&run);
  assert_string_equal(json_string_value(json_object_get(document, "label")), "small");
  support_near(json_number_value(json_array_get(json_object_get(document, "x_given"), 2)), 36.7, 1e-6);
  json_decref(document);
  run_free(&run);
  run = RUN("explain", "m.safetensors", "nests.csv", "--row", "7");
  run_expect(&run, 3);
  run_expect_text(run.err, "nests.csv: row 7 lacks a value that the model needs; --missing mean ");
  assert_string_equal(run.out, "");
  run_free(&run);
  run = RUN("explain", "m.safetensors", "nests.csv", "--row", "7", "--missing", "mean");
  run_expect(&run, 0);
  run_free(&run);
  run = RUN("explain", "m.safetensors", "nests.csv", "--row", "13");
  run_expect(&run, 2);
  run_expect_text(run.err, "--row 13: nests.csv has 12 rows");
  run_free(&run);
  write_here("unlabelled.csv", HEADER "a1,East,39.1,3750,m,small\na2,East,39.5,3800,f,\n");
  run = RUN("explain", "m.safetensors", "unlabelled.csv", "--row", "2", "--json");
  run_expect(&run, 0);
  run_expect_text(run.out, "\"label\": null");
  run_free(&run);
  run = run_shell("cat unlabelled.csv | \"$SETOSA_PROGRAM\" explain m.safetensors - --row 2 --json"); /* and is read once */
  run_expect(&run, 0);
  run_expect_text(run.out, "\"label\": null");
  run_free(&run);
  run = run_shell("cat unlabelled.csv | \"$SETOSA_PROGRAM\" explain m.safetensors - --row 1 --json");
  run_expect(&run, 0);
  run_expect_text(run.out, "\"label\": \"small\"");
  run_free(&run);
}

static void a_checkpoint_remembers_all_files(void **state) {
  (void)state;
  Run run = TRAIN("part-1.csv", "part-2.csv", "--id", "nest", "--id", "sex", "--checkpoint", "ck", "--max-iterations", "5");
  run_expect(&run, 0);
  run_free(&run);
  run = run_shell("cd / && \"$SETOSA_PROGRAM\" train --resume \"$OLDPWD/ck\" --max-iterations 20 --json");
  expect_same_weights(TRAIN("part-1.csv", "part-2.csv", "--id", "nest", "--id", "sex"), run);
  run = RUN("train", "--resume", "ck", "part-1.csv");
  run_expect(&run, 3);
  run_free(&run);
}

static void two_cannot_come_from_standard_input(void **state) {
  (void)state;
  Run run = run_shell("\"$SETOSA_PROGRAM\" train - --test - --backend reference < nests.csv");
  run_expect(&run, 2);
  run_expect_text(run.err, "--test -: standard input is for the data; name a file of test data");
  run_free(&run);
}

static void standard_input_has_to_be_named_again(void **state) {
  (void)state;
  Run run = run_shell(
      "\"$SETOSA_PROGRAM\" train - --id nest --standardize --backend reference --max-iterations 3 --checkpoint in --json < nests.csv");
  run_expect(&run, 0);
  run_free(&run);
  run = RUN("train", "--resume", "in");
  run_expect(&run, 2);
  run_expect_text(run.err, "the data of in came from standard input, which is not kept: send them again with setosa train - --resume in");
  run_free(&run);
  expect_same_weights(TRAIN("nests.csv", "--id", "nest"),
                      run_shell("\"$SETOSA_PROGRAM\" train - --resume in --max-iterations 20 --json < nests.csv"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lists_that_are_given_twice),           cmocka_unit_test(several_files_are_one_table),
      cmocka_unit_test(rows_that_are_left_out_are_told),      cmocka_unit_test(test_data_are_read_alike),
      cmocka_unit_test(explain_counts_rows_of_the_source),    cmocka_unit_test(a_checkpoint_remembers_all_files),
      cmocka_unit_test(standard_input_has_to_be_named_again), cmocka_unit_test(two_cannot_come_from_standard_input),
  };
  return support_run("cli_table", tests, create, destroy);
}
