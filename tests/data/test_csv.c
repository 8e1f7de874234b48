/* CSV and TSV as people write them: every option, every spelling, each answered with exact values. */
#include "data/expect.h"

static const float FOUR[] = {1, 2, 3, 4};

/* The same two rows (1,2,p) (3,4,q) in many spellings. */
static void spellings_of_one_table(void **state) {
  (void)state;
  static const struct {
    const char *name, *text, *options;
  } cases[] = {
      {"plain.csv", "a,b,y\n1,2,p\n3,4,q\n", ""},
      {"no-final-newline.csv", "a,b,y\n1,2,p\n3,4,q", ""},
      {"crlf.csv", "a,b,y\r\n1,2,p\r\n3,4,q\r\n", ""},
      {"mac.csv", "a,b,y\r1,2,p\r3,4,q\r", ""},
      {"mixed.csv", "a,b,y\r\n1,2,p\n3,4,q\r\n", ""},
      {"bom.csv",
       "\xEF\xBB\xBF"
       "a,b,y\n1,2,p\n3,4,q\n",
       ""},
      {"bom-quoted.csv", "\xEF\xBB\xBF\"a\",b,y\n1,2,p\n3,4,q\n", ""},
      {"blank.csv", "\n\na,b,y\n\n1,2,p\n  \n\r\n3,4,q\n\n\n", ""},
      {"quoted.csv", "\"a\",\"b\",\"y\"\n\"1\",\"2\",\"p\"\n\"3\",\"4\",\"q\"\n", ""},
      {"spaces.csv", " a , b ,y \n 1 ,2, p\n3 , 4,q \n", ""},
      {"numbers.csv", "a,b,y\n1.0,+2e0,p\n.3E1,400e-2,q\n", ""},
      {"table.tsv", "a\tb\ty\n1\t2\tp\n3\t4\tq\n", ""},
      {"tabs.txt", "a\tb\ty\n1\t2\tp\n3\t4\tq\n", ""},
      {"semicolons.csv", "a;b;y\n1;2;p\n3;4;q\n", ""},
      {"no-extension", "a,b,y\n1,2,p\n3,4,q\n", ""},
      {"plain.csv.gz", "a,b,y\n1,2,p\n3,4,q\n", ""},
      {"table.tsv.gz", "a\tb\ty\n1\t2\tp\n3\t4\tq\n", ""},
      {"forced.csv", "a,b,y\n1,2,p\n3,4,q\n", "header=1"},
      {"first.csv", "y,a,b\np,1,2\nq,3,4\n", "label=y"},
      {"first-index.csv", "y,a,b\np,1,2\nq,3,4\n", "label=1"},
      {"middle.csv", "a,y,b\n1,p,2\n3,q,4\n", "label=y"},
      {"reordered.csv", "b,a,y\n2,1,p\n4,3,q\n", "features=a,b"},
      {"chosen.csv", "b,text,a,y\n2,t,1,p\n4,u,3,q\n", "features=a,b"},
      {"chosen-index.csv", "b,text,a,y\n2,t,1,p\n4,u,3,q\n", "features=3,1"},
      {"dropped.csv", "id,a,text,b,y\nx1,1,t,2,p\nx2,3,u,4,q\n", "drop=id,text"},
      {"dropped-label.csv", "a,b,y,comment\n1,2,p,hello\n3,4,q,you\n", "drop=comment label=y"},
      {"both.csv", "id,a,b,y\n7,1,2,p\n8,3,4,q\n", "features=id,a,b drop=id"},
      {"model-order.csv", "b,a,y\n2,1,p\n4,3,q\n", "names=a,b expect-label=y classes=p,q"},
      {"model-extra.csv", "id,b,y,a\n9,2,p,1\n9,4,q,3\n", "names=a,b expect-label=y classes=p,q"},
      {"model-renamed.csv", "u,v,y\n1,2,p\n3,4,q\n", "names=a,b features=u,v classes=p,q"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    SetosaDataset *dataset = load_csv(cases[i].name, cases[i].text, cases[i].options);
    expect_values(dataset, 2, 2, FOUR);
    expect_classes(dataset, "p q", "p q");
    expect_names(dataset, strstr(cases[i].name, "renamed") != NULL ? "u v" : "a b");
    assert_string_equal(setosa_dataset_label_name(dataset), "y");
    setosa_dataset_destroy(dataset);
  }
}

static void a_header_is_recognised(void **state) {
  (void)state;
  static const struct {
    const char *text, *options;
    size_t rows;
    const char *names;
  } cases[] = {
      {"1,2,p\n3,4,q\n", "", 2, "NULL NULL"},
      {"1,2,p\n3,4,q\n", "header=1", 1, "1 2"}, /* fails below for one class: read with labels optional */
      {"a,2,y\n3,4,q\n", "header=1", 1, "a 2"},
      {"a,b,0\n1,2,0\n3,4,1\n", "", 2, "a b"}, /* the label plays no part */
      {"1,2,label\n3,4,q\n", "", 2, "NULL NULL"},
      {",b,y\n1,2,p\n3,4,q\n", "", 2, "column1 b"},
      {"a,b,y\n1,2,p\n3,4,q\n", "drop=3 label=1", 2, "b"},
      {"0,1,y\n1,2,p\n3,4,q\n", "names=0,1 expect-label=y", 2, "0 1"},
      {"a,b\n1,2\n3,4\n", "names=a,b optional", 2, "a b"},
      {"1,2\n3,4\n", "names=a,b optional", 2, "NULL NULL"},
      {"1,2\n3,4\n", "expect=2 optional", 2, "NULL NULL"},
      {"1,2,p\n3,4,q\n", "expect=2 optional", 2, "NULL NULL"},
      {"NA,b,y\n1,2,p\n3,4,q\n", "", 2, "NA b"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char options[128];
    snprintf(options, sizeof options, "%s optional", cases[i].options);
    SetosaDataset *dataset = load_csv("header.csv", cases[i].text, options);
    assert_int_equal(setosa_dataset_rows(dataset), cases[i].rows);
    expect_names(dataset, cases[i].names);
    setosa_dataset_destroy(dataset);
  }
}

static void labels_become_classes(void **state) {
  (void)state;
  static const struct {
    const char *text, *options, *rows, *classes;
  } cases[] = {
      {"1,b\n2,a\n3,b\n4,B\n", "", "b a b B", "B a b"},
      {"1,10\n2,9\n3,-1\n4,10\n", "", "10 9 -1 10", "-1 9 10"},
      {"1,10\n2,9.0\n3,9\n4,1e1\n", "", "10 9 9 10", "9 10"},
      {"1,0.000e+00\n2,1.000e+00\n", "", "0 1", "0 1"},
      {"1,1\n2,one\n3,01\n", "", "1 one 01", "01 1 one"}, /* a code, beside text */
      {"1,0.5\n2,0.5\n3,1.5\n4,1.5\n5,0.5\n", "", "0.5 0.5 1.5 1.5 0.5", "0.5 1.5"},
      {"1,\"p,q\"\n2,\"say \"\"r\"\"\"\n", "", "p,q say \"r\"", "p,q say \"r\""},
      {"1,\xC3\xA9t\xC3\xA9\n2,hiver\n", "", "\xC3\xA9t\xC3\xA9 hiver", "hiver \xC3\xA9t\xC3\xA9"},
      {"1,a\n2,b\n3,c\n", "positive=b", "non-b b non-b", "b non-b"},
      {"1,1\n2,2.0\n3,3\n", "positive=2", "non-2 2 non-2", "2 non-2"},
      {"1,c\n2,a\n", "classes=a,b,c", "c a", "a b c"},
      {"1,c\n2,c\n", "classes=a,b,c", "c c", "a b c"},
      {"1,c\n2,x\n3,\n", "classes=a,b,c optional", "c - -", "a b c"},
      {"1,2.0\n2,1\n", "classes=1,2", "2 1", "1 2"},
      {"1,c\n2,a\n3,b\n", "classes=a,non-a positive=a", "non-a a non-a", "a non-a"},
      {"1,a\n2,a\n", "optional", "a a", "a"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    SetosaDataset *dataset = load_csv("labels.csv", cases[i].text, cases[i].options);
    expect_classes(dataset, cases[i].rows, cases[i].classes);
    if (strstr(cases[i].options, "positive=") != NULL) assert_non_null(dataset_positive(dataset));
    setosa_dataset_destroy(dataset);
  }
}

static void a_file_without_labels_serves_prediction(void **state) {
  (void)state;
  SetosaDataset *dataset = load_csv("bare.csv", "b,a\n2,1\n4,3\n", "names=a,b expect-label=y classes=p,q optional");
  expect_values(dataset, 2, 2, FOUR);
  assert_null(setosa_dataset_labels(dataset));
  assert_int_equal(setosa_dataset_classes(dataset), 2);
  assert_string_equal(setosa_dataset_class_name(dataset, 1), "q");
  setosa_dataset_destroy(dataset);
}

static void fields_may_hold_line_breaks(void **state) {
  (void)state;
  SetosaDataset *dataset = load_csv("lines.csv", "\"the\na\",b,y\n1,2,\"p\n\nq\"\n\"3\",4,r\n", "");
  expect_values(dataset, 2, 2, FOUR);
  expect_names(dataset, "the\na b");
  expect_classes(dataset, "p\n\nq r", "p\n\nq r");
  setosa_dataset_destroy(dataset);
}

static void scale_multiplies_and_is_remembered(void **state) {
  (void)state;
  const float halves[] = {0.5f, 1, 1.5f, 2};
  SetosaDataset *dataset = load_csv("scale.csv", "a,b,y\n1,2,p\n3,4,q\n", "scale=0.5");
  expect_values(dataset, 2, 2, halves);
  assert_true(dataset_scaling(dataset)->scale[1] == 0.5f && dataset_scaling(dataset)->offset[1] == 0);
  setosa_dataset_destroy(dataset);
  dataset = load_csv("scale.csv", "a,b,y\n1,2,p\n3,4,q\n", "");
  assert_null(dataset_scaling(dataset)->scale);
  setosa_dataset_destroy(dataset);
}

/* Longer than a block of the reader and several blocks of the row store; lines cross every boundary. */
static void large_files_keep_every_row(void **state) {
  (void)state;
  enum { ROWS = 60000, FEATURES = 7 };
  Text text = {0};
  for (int i = 0; i < ROWS; i++)
    support_ok(text_append(&text, NULL, "%d,%d.25,%de-2,-%d,\"%d\",0,%d,class %d\r\n", i, i, i, i, i % 10, i * 3 % 1001, i % 11), NULL);
  for (int zipped = 0; zipped < 2; zipped++) {
    SetosaDataset *dataset = load_good(zipped ? "large.csv.gz" : "large.csv", text.text, text.length, "");
    assert_int_equal(setosa_dataset_rows(dataset), ROWS);
    assert_int_equal(setosa_dataset_features(dataset), FEATURES);
    for (int i = 0; i < ROWS; i++) {
      const float *row = setosa_dataset_values(dataset) + (size_t)i * FEATURES;
      const float expected[FEATURES] = {(float)i, (float)i + 0.25f,     (float)(i / 100.0), (float)-i, (float)(i % 10),
                                        0,        (float)(i * 3 % 1001)};
      for (int d = 0; d < FEATURES; d++)
        if (row[d] != expected[d]) fail_msg("row %d, feature %d: %.9g, expected %.9g", i, d, (double)row[d], (double)expected[d]);
      char name[32];
      snprintf(name, sizeof name, "class %d", i % 11);
      assert_string_equal(setosa_dataset_class_name(dataset, (size_t)setosa_dataset_labels(dataset)[i]), name);
    }
    setosa_dataset_destroy(dataset);
  }
  text_free(&text);
}

/* An error far into a file still names its line. */
static void positions_stay_right_far_into_a_file(void **state) {
  (void)state;
  Text text = {0};
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  char expected[SUPPORT_PATH + 64];
  for (int i = 0; i < 50000; i++) support_ok(text_append(&text, NULL, "%d,2,\"a\nb\"\n", i), NULL);
  support_ok(text_append(&text, NULL, "1,x,p\n"), NULL);
  SetosaStatus status = load_bytes(&dataset, "far.csv", text.text, text.length, "", &error);
  snprintf(expected, sizeof expected, "%s/far.csv:100001:2: 'x' is not a number", test_folder);
  support_fails(status, &error, SETOSA_ERROR_DATA, expected);
  text_free(&text);
}

static void many_columns_and_many_classes(void **state) {
  (void)state;
  enum { COLUMNS = 20000, ROWS = 3 };
  Text text = {0};
  for (int i = 0; i < ROWS; i++) {
    for (int d = 0; d < COLUMNS; d++) support_ok(text_append(&text, NULL, "%d,", d + i), NULL);
    support_ok(text_append(&text, NULL, "%d\n", i), NULL);
  }
  SetosaDataset *dataset = load_good("wide.csv", text.text, text.length, "unshifted");
  assert_int_equal(setosa_dataset_features(dataset), COLUMNS);
  assert_true(setosa_dataset_values(dataset)[(size_t)2 * COLUMNS + COLUMNS - 1] == COLUMNS + 1);
  setosa_dataset_destroy(dataset);
  text.length = 0;
  for (int i = 0; i < COLUMNS; i++) support_ok(text_append(&text, NULL, "%d,name %d\n", i, i), NULL);
  dataset = load_good("classes.csv", text.text, text.length, "");
  assert_int_equal(setosa_dataset_classes(dataset), COLUMNS);
  assert_string_equal(setosa_dataset_class_name(dataset, (size_t)setosa_dataset_labels(dataset)[12345]), "name 12345");
  setosa_dataset_destroy(dataset);
  text_free(&text);
}

/* Halfway between two floats, subnormal, and long spellings: rounded once, correctly. */
static void numbers_are_rounded_correctly(void **state) {
  (void)state;
  const float expected[] = {0.1f, 3.4028235e38f, 1.4e-45f, 1.17549435e-38f, 0.333333333333333333333f, 123456789.0f, 0, -0.0f};
  SetosaDataset *dataset = load_csv("numbers.csv",
                                    "0.1,3.4028235e38,p\n1.4e-45,1.17549435e-38,q\n0.33333333333333333333333333333333333333333333333333333,"
                                    "123456789,p\n1e-400,-0,q\n",
                                    "");
  expect_values(dataset, 4, 2, expected);
  setosa_dataset_destroy(dataset);
}

typedef struct Watch {
  int calls, stop_after;
  SetosaProgress last;
} Watch;

static bool watch(const SetosaProgress *progress, void *user) {
  Watch *seen = user;
  assert_true(progress->bytes_done >= seen->last.bytes_done && progress->rows_done >= seen->last.rows_done);
  assert_int_equal(progress->phase, SETOSA_PHASE_LOAD);
  seen->last = *progress;
  return ++seen->calls < seen->stop_after;
}

static void progress_is_reported_and_can_stop(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  SetosaDataOptions options = setosa_data_options_default();
  Watch seen = {.stop_after = 1000};
  options.progress = watch;
  options.progress_user = &seen;
  support_path(path, test_folder, "progress.csv");
  support_write_text(path, "a,b,y\n1,2,p\n3,4,q\n");
  support_ok(setosa_dataset_load(&dataset, path, &options, &error), &error);
  setosa_dataset_destroy(dataset);
  assert_true(seen.calls >= 1);
  assert_int_equal(seen.last.rows_done, 2);
  assert_int_equal(seen.last.rows_total, 2);
  assert_int_equal(seen.last.bytes_done, 18);
  assert_int_equal(seen.last.bytes_total, 18);
  seen = (Watch){.stop_after = 1};
  support_fails(setosa_dataset_load(&dataset, path, &options, &error), &error, SETOSA_INTERRUPTED, path);
  assert_null(dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(spellings_of_one_table),
      cmocka_unit_test(a_header_is_recognised),
      cmocka_unit_test(labels_become_classes),
      cmocka_unit_test(a_file_without_labels_serves_prediction),
      cmocka_unit_test(fields_may_hold_line_breaks),
      cmocka_unit_test(scale_multiplies_and_is_remembered),
      cmocka_unit_test(large_files_keep_every_row),
      cmocka_unit_test(positions_stay_right_far_into_a_file),
      cmocka_unit_test(many_columns_and_many_classes),
      cmocka_unit_test(numbers_are_rounded_correctly),
      cmocka_unit_test(progress_is_reported_and_can_stop),
  };
  return support_run("data_csv", tests, make_folder, remove_folder);
}
