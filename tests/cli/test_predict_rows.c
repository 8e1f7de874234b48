/* `setosa predict` writes a line for each row of the source, in its order: with what the row is known by, and with empty fields where it
 * lacks a value. */
#include "cli/run.h"

#define HEADER "nest,island,length,mass,sex,kind\n"
#define FIRST \
  "a1,East,39.1,3750,m,small\na2,East,39.5,3800,f,small\na3,West,,3250,f,small\na4,West,36.7,3450,f,small\nb1,West,46.1,4500,f,large\n"
#define SECOND                                                                                                                          \
  "b2,East,50.0,5700,m,large\nb3,West,48.7,,f,large\nb4,East,50.0,5700,m,large\na5,East,39.3,3650,m,small\nb5,West,47.6,5400,m,large\n" \
  "\"a,6\",East,38.9,3625,,small\nb6,West,46.5,4550,f,large\n"
enum { ROWS = 12, LINE = 200 };

static char folder[SUPPORT_PATH], table[SUPPORT_PATH], model[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_path(table, folder, "nests.csv");
  support_path(model, folder, "nests.safetensors");
  support_write_text(table, HEADER FIRST SECOND);
  Run run = RUN("train", table, "--id", "nest", "--backend", "reference", "--standardize", "--quiet", "--model", model);
  run_expect(&run, 0);
  run_free(&run);
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static Run predict(const char *const *more) {
  const char *arguments[RUN_ARGUMENTS] = {"predict", model, "--backend", "reference"};
  for (size_t i = 0; more[i] != NULL; i++) arguments[4 + i] = more[i];
  return run_setosa(arguments);
}
#define PREDICT(...) predict((const char *const[]){__VA_ARGS__, NULL})

static void write_table(char path[SUPPORT_PATH], const char *name, const char *text) {
  support_path(path, folder, name);
  support_write_text(path, text);
}

/* Line `number` from 0, without its end. */
static const char *line_of(char line[LINE], const char *text, size_t number) {
  for (; number > 0; number--) {
    text = strchr(text, '\n');
    assert_non_null(text);
    text++;
  }
  snprintf(line, LINE, "%.*s", (int)strcspn(text, "\n"), text);
  return line;
}

static size_t count_lines(const char *text) {
  size_t count = 0;
  for (; *text != '\0'; text++) count += *text == '\n';
  return count;
}

static void every_row_has_its_line(void **state) {
  (void)state;
  char line[LINE], kept[SUPPORT_PATH];
  Run run = PREDICT(table);
  run_expect(&run, 0);
  assert_int_equal(count_lines(run.out), 1 + ROWS);
  assert_string_equal(line_of(line, run.out, 0), "row,nest,predicted,large,small");
  assert_non_null(strstr(line_of(line, run.out, 1), "1,a1,small,"));
  assert_string_equal(line_of(line, run.out, 3), "3,a3,,,");
  assert_non_null(strstr(line_of(line, run.out, 4), "4,a4,small,"));
  assert_string_equal(line_of(line, run.out, 7), "7,b3,,,");
  assert_string_equal(line_of(line, run.out, 11), "11,\"a,6\",,,");
  assert_non_null(strstr(line_of(line, run.out, 12), "12,b6,large,0.9"));
  run_expect_text(run.err, "3 of 12 rows get no prediction, since they lack a value");
  support_path(kept, folder, "predictions.csv");
  Run file = PREDICT(table, "-o", kept, "--verbose");
  run_expect(&file, 0);
  run_expect_text(file.err, "12 rows written to ");
  char *text = NULL;
  FILE *stream = fopen(kept, "rb");
  assert_non_null(stream);
  text = run_slurp(stream);
  assert_string_equal(text, run.out);
  free(text);
  run_free(&file);
  run_free(&run);
}

static void only_the_most_probable(void **state) {
  (void)state;
  char line[LINE];
  Run run = PREDICT(table, "--top-k", "2");
  run_expect(&run, 0);
  assert_string_equal(line_of(line, run.out, 0), "row,nest,predicted,class_1,probability_1,class_2,probability_2");
  assert_string_equal(line_of(line, run.out, 3), "3,a3,,,,,");
  assert_non_null(strstr(line_of(line, run.out, 5), "5,b1,large,large,0.9"));
  run_free(&run);
}

/* Rows at the end that have no prediction, and data of nothing else. */
static void rows_without_any_prediction(void **state) {
  (void)state;
  char last[SUPPORT_PATH], none[SUPPORT_PATH];
  write_table(last, "last.csv", HEADER "c1,East,39.1,3750,m,\nc2,East,,3750,m,\nc3,,39.1,3750,m,\n");
  Run run = PREDICT(last);
  run_expect(&run, 0);
  run_expect_text(run.out, "\n2,c2,,,\n3,c3,,,\n");
  assert_int_equal(count_lines(run.out), 4);
  run_free(&run);
  write_table(none, "none.csv", HEADER "c2,East,,3750,m,\nc3,NA,39.1,3750,m,\n");
  run = PREDICT(none);
  run_expect(&run, 0);
  assert_string_equal(run.out, "row,nest,predicted,large,small\n1,c2,,,\n2,c3,,,\n");
  run_free(&run);
  run = PREDICT(none, "--dry-run");
  run_expect(&run, 3);
  run_expect_text(run.err, "none.csv: each row lacks a value: there is nothing to plan");
  run_free(&run);
}

static void other_ids_are_carried_over(void **state) {
  (void)state;
  char line[LINE];
  Run run = PREDICT(table, "--id", "island", "--id", "mass");
  run_expect(&run, 0);
  assert_string_equal(line_of(line, run.out, 0), "row,island,mass,predicted,large,small");
  assert_non_null(strstr(line_of(line, run.out, 2), "2,East,3800,small,"));
  assert_string_equal(line_of(line, run.out, 7), "7,West,,,,");
  run_free(&run);
}

/* What the model was told of gaps holds, unless another word is given. */
static void gaps_are_treated_as_in_the_training(void **state) {
  (void)state;
  char filled[SUPPORT_PATH], place[SUPPORT_PATH + 8];
  support_path(filled, folder, "filled.safetensors");
  Run run = RUN("train", table, "--drop", "nest", "--missing", "mean", "--backend", "reference", "--quiet", "--model", filled);
  run_expect(&run, 0);
  run_free(&run);
  run = RUN("predict", filled, table, "--backend", "reference");
  run_expect(&run, 0);
  assert_null(strstr(run.out, ",,"));
  run_free(&run);
  run = RUN("predict", filled, table, "--backend", "reference", "--missing", "drop");
  run_expect(&run, 0);
  run_expect_text(run.out, "\n3,,,\n");
  run_free(&run);
  run = PREDICT(table, "--missing", "mean");
  run_expect(&run, 0);
  assert_null(strstr(run.out, ",,"));
  run_free(&run);
  run = PREDICT(table, "--missing", "error");
  run_expect(&run, 3);
  snprintf(place, sizeof place, "%s:4:3: ", table);
  run_expect_text(run.err, place);
  assert_string_equal(run.out, "");
  run_free(&run);
}

static void a_level_that_is_new(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  write_table(path, "new.csv", HEADER "c1,North,39.1,3750,m,small\n");
  Run run = PREDICT(path);
  run_expect(&run, 0);
  run_expect_text(run.out, "\n1,c1,small,");
  run_expect_text(run.err, "warning: ");
  run_expect_text(run.err, "'island' 1");
  run_free(&run);
  run = PREDICT(path, "--unseen", "error");
  run_expect(&run, 3);
  run_expect_text(run.err, "new.csv:2:2: ");
  run_free(&run);
}

/* Columns in another order and beside others, and rows of several files or of standard input, are predicted alike. */
static void the_same_rows_in_other_ways(void **state) {
  (void)state;
  char first[SUPPORT_PATH], second[SUPPORT_PATH], command[6 * SUPPORT_PATH];
  Run whole = PREDICT(table);
  run_expect(&whole, 0);
  write_table(first, "part-1.csv", HEADER FIRST);
  write_table(second, "part-2.csv", HEADER SECOND);
  Run run = PREDICT(first, second);
  run_expect(&run, 0);
  assert_string_equal(run.out, whole.out);
  run_free(&run);
  snprintf(command, sizeof command, "\"$SETOSA_PROGRAM\" predict %s '%s/part-*.csv' --backend reference", model, folder);
  run = run_shell(command);
  run_expect(&run, 0);
  assert_string_equal(run.out, whole.out);
  run_free(&run);
  snprintf(command, sizeof command, "\"$SETOSA_PROGRAM\" predict %s - --backend reference < %s", model, table);
  run = run_shell(command);
  run_expect(&run, 0);
  assert_string_equal(run.out, whole.out);
  run_free(&run);
  snprintf(
      command, sizeof command,
      "awk -F, -v OFS=, 'NR == 1 || $1 != \"\\\"a\" { print $5, \"x,\" NR, $4, $3, $2, $1 }' %s | sed '1s/x,1/word,number/' > %s/other.csv"
      " && \"$SETOSA_PROGRAM\" predict %s %s/other.csv --backend reference",
      table, folder, model, folder);
  run = run_shell(command);
  run_expect(&run, 0);
  assert_int_equal(count_lines(run.out), ROWS);
  for (size_t row = 1; row < ROWS - 1; row++) {
    char one[LINE], other[LINE];
    assert_string_equal(line_of(one, run.out, row), line_of(other, whole.out, row));
  }
  run_free(&run);
  run_free(&whole);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_row_has_its_line),
      cmocka_unit_test(only_the_most_probable),
      cmocka_unit_test(rows_without_any_prediction),
      cmocka_unit_test(other_ids_are_carried_over),
      cmocka_unit_test(gaps_are_treated_as_in_the_training),
      cmocka_unit_test(a_level_that_is_new),
      cmocka_unit_test(the_same_rows_in_other_ways),
  };
  return support_run("cli_predict_rows", tests, create, destroy);
}
