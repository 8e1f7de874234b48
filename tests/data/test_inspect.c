/* What setosa_table_inspect says of the columns of a table. */
#include <math.h>

#include "data/expect.h"

static SetosaTableReport *inspect(const char *name, const char *text, const char *options) {
  char path[SUPPORT_PATH];
  TestOptions test;
  SetosaTableReport *report = NULL;
  SetosaError error = {0};
  support_path(path, test_folder, name);
  support_write_text(path, text);
  test_options_parse(&test, options);
  support_ok(setosa_table_inspect(&report, path, &test.options, &error), &error);
  test_options_free(&test);
  assert_non_null(report);
  return report;
}

static void expect_levels(const SetosaColumnReport *column, size_t count, const char *const *names, const uint64_t *counts) {
  assert_int_equal(column->levels, count);
  assert_int_equal(column->levels_named, count);
  for (size_t i = 0; i < count; i++) {
    assert_string_equal(column->level_names[i], names[i]);
    assert_int_equal(column->level_counts[i], counts[i]);
  }
}

static void expect_moments(const SetosaColumnReport *column, double least, double most, double mean, double deviation) {
  assert_true(column->least == least && column->most == most);
  assert_true(fabs(column->mean - mean) < 1e-12 * fabs(mean) && fabs(column->deviation - deviation) < 1e-12 * deviation);
}

static const char flowers[] =
    ",length,colour,name,weight,note,who,y\n"
    "0,1,red,ann,1,,u7,p\n"
    "1,2,blue,bob,2,,u8,q\n"
    "2,NA,green,cid,1,,u9,q\n" /* left out: green is no level, and nothing of this row counts below */
    "3,6,red,dan,1,,u1,p\n"
    "4,3,blue,eve,1,,u2,p\n"
    "5,3,red,fay,1,,u3,q\n";

static void every_kind_of_column_is_told(void **state) {
  (void)state;
  SetosaTableReport *report = inspect("kinds.csv", flowers, "weights=weight id=who");
  const SetosaColumnReport *column = report->columns;
  assert_int_equal(report->rows, 6);
  assert_int_equal(report->rows_left_out, 1);
  assert_int_equal(report->features, 3);
  assert_int_equal(report->column_count, 8);
  assert_true(report->header);
  assert_string_equal(report->separator, ",");
  assert_string_equal(report->decimal, ".");
  assert_null(report->problem);

  static const SetosaColumnUse uses[] = {SETOSA_COLUMN_LEFT_OUT, SETOSA_COLUMN_FEATURE,  SETOSA_COLUMN_FEATURE, SETOSA_COLUMN_LEFT_OUT,
                                         SETOSA_COLUMN_WEIGHTS,  SETOSA_COLUMN_LEFT_OUT, SETOSA_COLUMN_ID,      SETOSA_COLUMN_LABEL};
  static const char *const notes[] = {"counts rows",         "",         "2 features",    "identifies rows",
                                      "weights of the rows", "no value", "carried along", "2 classes"};
  static const char *const names[] = {"column1", "length", "colour", "name", "weight", "note", "who", "y"};
  for (size_t c = 0; c < 8; c++) {
    assert_string_equal(column[c].name, names[c]);
    assert_string_equal(column[c].note, notes[c]);
    assert_int_equal(column[c].use, uses[c]);
    assert_int_equal(column[c].present + column[c].missing, 6);
    assert_int_equal(column[c].features, c == 1 ? 1 : c == 2 ? 2 : 0);
    assert_int_equal(column[c].missing, c == 1 ? 1 : c == 5 ? 6 : 0);
  }
  assert_false(column[1].categorical);
  expect_moments(&column[1], 1, 6, 3, sqrt(2.8)); /* 1, 2, 6, 3, 3 */
  assert_int_equal(column[1].levels, 0);
  assert_null(column[1].level_names);
  assert_true(column[2].categorical);
  assert_true(isnan(column[2].least) && isnan(column[2].most) && isnan(column[2].mean) && isnan(column[2].deviation));
  expect_levels(&column[2], 2, (const char *[]){"blue", "red"}, (const uint64_t[]){2, 3});
  expect_levels(&column[3], 6, (const char *[]){"ann", "bob", "cid", "dan", "eve", "fay"}, (const uint64_t[]){1, 1, 1, 1, 1, 1});
  expect_levels(&column[7], 2, (const char *[]){"p", "q"}, (const uint64_t[]){3, 2});
  assert_true(isnan(column[5].mean));
  setosa_table_report_destroy(report);
}

static void options_are_heeded(void **state) {
  (void)state;
  SetosaTableReport *report = inspect("mean.csv", flowers, "missing=mean drop=weight categorical=name");
  assert_int_equal(report->rows_left_out, 0);
  assert_string_equal(report->columns[4].note, "--drop");
  assert_int_equal(report->columns[3].use, SETOSA_COLUMN_FEATURE);
  assert_int_equal(report->columns[3].features, 6);
  expect_levels(&report->columns[2], 3, (const char *[]){"blue", "green", "red"}, (const uint64_t[]){2, 1, 3});
  setosa_table_report_destroy(report);
  report = inspect("features.csv", flowers, "features=length");
  assert_string_equal(report->columns[2].note, "not among --features");
  assert_int_equal(report->features, 1);
  setosa_table_report_destroy(report);
  report = inspect("codes.csv", "zip,y\n10,0\n20,1\n10,1\n10,0\n", "categorical=zip");
  expect_levels(&report->columns[0], 2, (const char *[]){"10", "20"}, (const uint64_t[]){3, 1});
  expect_levels(&report->columns[1], 2, (const char *[]){"0", "1"}, (const uint64_t[]){2, 2}); /* numbers, yet a label */
  assert_true(report->columns[0].categorical && !report->columns[1].categorical);
  setosa_table_report_destroy(report);
}

static void how_it_is_written_is_told(void **state) {
  (void)state;
  static const struct {
    const char *text, *separator, *decimal;
    bool header;
  } cases[] = {
      {"a;b;y\n1,5;2,25;p\n2,5;3,5;q\n", ";", ",", true},
      {"1\t2\tp\n3\t4\tq\n", "tab", ".", false},
      {"1 2 p\n3  4 q\n", "blank", ".", false},
      {"a|b|y\n1|2|p\n3|5|q\n", "|", ".", true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    SetosaTableReport *report = inspect("written.txt", cases[i].text, "");
    assert_string_equal(report->separator, cases[i].separator);
    assert_string_equal(report->decimal, cases[i].decimal);
    assert_int_equal(report->header, cases[i].header);
    assert_int_equal(report->rows, 2);
    assert_string_equal(report->columns[0].name, cases[i].header ? "a" : "1");
    setosa_table_report_destroy(report);
  }
  SetosaTableReport *report = inspect("other.txt", "1~2~p\n3~4~q\n", "separator=~");
  assert_string_equal(report->separator, "~");
  setosa_table_report_destroy(report);
}

/* The problem is the message that loading fails with. */
static void a_problem_is_what_loading_fails_with(void **state) {
  (void)state;
  static const struct {
    const char *text, *options;
    size_t in_the_way; /* column, or 9 */
  } cases[] = {
      {"a,b,y\n1,2,p\n2,x,q\n3,4,p\n4,5,q\n5,1,p\n6,7,q\n7,1,p\n9,1,q\n10,4,p\n13,9,q\n11,1,q\n", "", 1},
      {"a,b,y\n1,2,p\n2,,q\n3,4,p\n", "missing=error", 9},
      {"a,b,y\n,2,p\n2,,q\n,4,p\n", "", 9},
      {"a,b,y\nann,bob,p\ncid,dan,q\neve,fay,p\n", "", 9},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char path[SUPPORT_PATH];
    SetosaDataset *dataset = NULL;
    SetosaError error = {0};
    SetosaTableReport *report = inspect("problem.csv", cases[i].text, cases[i].options);
    support_path(path, test_folder, "problem.csv");
    assert_int_equal(test_load(&dataset, path, cases[i].options, &error), SETOSA_ERROR_DATA);
    assert_non_null(report->problem);
    assert_string_equal(report->problem, error.message);
    for (size_t c = 0; c < report->column_count; c++)
      assert_int_equal(report->columns[c].use == SETOSA_COLUMN_IN_THE_WAY, c == cases[i].in_the_way);
    setosa_table_report_destroy(report);
  }
}

static void several_files_are_one_table(void **state) {
  (void)state;
  char first[SUPPORT_PATH], second[SUPPORT_PATH];
  SetosaDataOptions how = setosa_data_options_default();
  SetosaTableReport *report = NULL;
  SetosaError error = {0};
  support_path(first, test_folder, "one.csv");
  support_path(second, test_folder, "two.csv");
  support_write_text(first, "a,c,y\n1,red,p\n2,red,q\n,blue,q\n");
  support_write_text(second, "a,c,y\n,red,p\n4,blue,q\n");
  how.also = (const char *[]){second};
  how.also_count = 1;
  support_ok(setosa_table_inspect(&report, first, &how, &error), &error);
  assert_int_equal(report->rows, 5);
  assert_int_equal(report->rows_left_out, 2);
  expect_levels(&report->columns[1], 2, (const char *[]){"blue", "red"}, (const uint64_t[]){1, 2});
  setosa_table_report_destroy(report);
  how.missing = SETOSA_MISSING_ERROR; /* line 2 of the second comes after line 4 of the first */
  support_ok(setosa_table_inspect(&report, first, &how, &error), &error);
  assert_non_null(report->problem);
  assert_non_null(strstr(report->problem, "one.csv:4:1: a value is missing"));
  setosa_table_report_destroy(report);
}

static void arrays_have_no_report(void **state) {
  (void)state;
  SetosaTableReport *report = (SetosaTableReport *)&report;
  SetosaError error = {0};
  support_ok(setosa_table_inspect(&report, "synthetic:rows=10", NULL, &error), &error);
  assert_null(report);
}

static bool stop(const SetosaProgress *progress, void *user) {
  (void)progress;
  *(int *)user += 1;
  return false;
}

static void what_is_no_table_is_an_error(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  SetosaTableReport *report = (SetosaTableReport *)&report;
  SetosaError error = {0};
  support_path(path, test_folder, "one-column.csv");
  support_write_text(path, "y\np\nq\n");
  assert_int_equal(setosa_table_inspect(&report, path, NULL, &error), SETOSA_ERROR_DATA);
  assert_null(report);
  SetosaDataOptions how = setosa_data_options_default();
  how.label = "z";
  support_write_text(path, flowers);
  assert_int_equal(setosa_table_inspect(&report, path, &how, &error), SETOSA_ERROR_USAGE);
  assert_null(report);
}

static void it_can_be_stopped(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  int calls = 0;
  SetosaTableReport *report = NULL;
  SetosaDataOptions how = setosa_data_options_default();
  how.progress = stop;
  how.progress_user = &calls;
  support_path(path, test_folder, "large.csv");
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  for (int i = 0; i < 400000; i++) fprintf(file, "%d,%d,%c\n", i % 1000, i % 977, 'p' + i % 2);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(setosa_table_inspect(&report, path, &how, NULL), SETOSA_INTERRUPTED);
  assert_null(report);
  assert_true(calls > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kind_of_column_is_told), cmocka_unit_test(options_are_heeded),
      cmocka_unit_test(how_it_is_written_is_told),    cmocka_unit_test(a_problem_is_what_loading_fails_with),
      cmocka_unit_test(several_files_are_one_table),  cmocka_unit_test(arrays_have_no_report),
      cmocka_unit_test(what_is_no_table_is_an_error), cmocka_unit_test(it_can_be_stopped),
  };
  return support_run("data_inspect", tests, make_folder, remove_folder);
}
