/* Tables as people have them: what each column becomes, which rows are left out, and how other rows are read alike. */
#include <math.h>
#include <time.h>

#include "data/expect.h"

static const char remark_none[] = "";

/* The first remark of a kind that holds `part`; NULL: there is none. */
static const char *find_remark(const SetosaDataset *dataset, SetosaRemark kind, const char *part) {
  SetosaRemark is;
  const char *text;
  for (size_t i = 0; (text = setosa_dataset_remark(dataset, i, &is)) != NULL; i++)
    if (is == kind && strstr(text, part) != NULL) return text;
  return NULL;
}

static size_t count_warnings(const SetosaDataset *dataset) {
  SetosaRemark is;
  size_t count = 0;
  for (size_t i = 0; setosa_dataset_remark(dataset, i, &is) != NULL; i++) count += is == SETOSA_REMARK_WARNING;
  return count;
}

/* One table in, the names of its features and how many rows it has; warning: what one of its warnings holds, "": there is none. */
static void columns_become_features(void **state) {
  (void)state;
  static const struct {
    const char *text, *options;
    size_t rows;
    const char *names, *warning;
  } cases[] = {
      /* categorical */
      {"a,c,y\n1,red,p\n2,blue,q\n3,red,p\n4,red,q\n", "", 4, "a c=blue c=red", ""},
      {"a,c,y\n1, red ,p\n2,\"blue\",q\n3,red, p\n4,red,q\n", "", 4, "a c=blue c=red", ""},
      {"a,c,y\n1,TRUE,p\n2,FALSE,q\n3,TRUE,p\n4,FALSE,q\n", "", 4, "a c=FALSE c=TRUE", ""},
      {"a,c,y\n1,1,p\n2,3,q\n3,1,p\n4,2,q\n", "categorical=c", 4, "a c=1 c=2 c=3", ""},
      {"a,c,y\n1,1.0,p\n2,3,q\n3,1,p\n4,2,q\n", "categorical=2", 4, "a c=1 c=2 c=3", ""},
      {"a,c,y\n1,1,p\n2,x,q\n3,1,p\n4,x,q\n", "", 4, "a c=1 c=x", "'c' holds numbers and words, the first 'x' in line 3"},
      {"1,red,p\n2,blue,q\n3,red,p\n4,red,q\n5,blue,p\n", "", 5, "column1 column2=blue column2=red", ""},
      /* identifies rows */
      {"a,who,y\n1,ann,p\n2,bob,q\n3,cid,p\n4,ann,q\n", "", 4, "a",
       "'who' is left out: it identifies rows (3 different texts in 4 rows); --categorical who uses it"},
      {"a,who,y\n1,ann,p\n2,bob,q\n3,cid,p\n4,ann,q\n", "categorical=who", 4, "a who=ann who=bob who=cid", ""},
      {"a,who,y\n1,ann,p\n2,bob,q\n3,cid,p\n4,ann,q\n", "drop=who", 4, "a", ""},
      {"a,who,y\n1,ann,p\n2,,q\n3,cid,p\n4,bob,q\n", "", 4, "a", "identifies rows (3 different texts in 3 rows)"},
      /* counts rows */
      {",a,y\n0,1,p\n1,5,q\n2,3,p\n", "", 3, "a", ""},
      {"\"\",\"a\",\"y\"\n\"1\",1,\"p\"\n\"2\",5,\"q\"\n", "", 2, "a", ""},
      {"Unnamed: 0,a,y\n7,1,p\n8,5,q\n9,3,p\n", "", 3, "a", ""},
      {",a,y\n0,1,p\n2,5,q\n3,3,p\n", "", 3, "column1 a", ""},
      {",a,c,y\n0,1,r,p\n1,5,r,q\n3,3,s,p\n4,3,s,p\n", "", 4, "column1 a c=r c=s", ""},
      {"n,a,y\n1,1,p\n2,1,q\n3,1,p\n4,1,p\n5,1,p\n6,1,p\n7,1,p\n8,1,p\n9,1,p\n10,1,p\n", "", 10, "n a",
       "'n' counts rows, and is used as a feature; --drop n"},
      /* no value; constant */
      {"a,b,y\n1,,p\n5,NA,q\n3,,p\n", "", 3, "a", "'b' has no value"},
      {"a,b,y\n1,7,p\n5,7,q\n3,7,p\n", "", 3, "a b", ""},
      {"a,b,y,\n1,7,p,\n5,7,q,\n3,7,p,\n", "", 3, "a b", "'column4' has no value"},
      /* missing */
      {"a,c,y\n1,x,p\n,x,q\n3,z,q\n4,x,p\n5,x,q\nNA,w,q\n", "", 4, "a c=x c=z",
       "2 of 6 rows are left out, since they lack a value: 'a' 2; --missing mean keeps them"},
      {"a,c,y\n1,x,p\n,x,q\n3,?,q\n4,x,p\n", "missing=mean", 4, "a c=x", ""},
      {"a,c,y\n1,x,p\n2,x,\n3,x,q\n4,x,p\n", "missing=mean", 3, "a c=x", "1 of 4 rows is left out, since it lacks a value: 'y' 1"},
      {"a,c,y\n1,x,p\n-9,x,q\n3,x,q\n4,x,p\n", "na=-9", 3, "a c=x", "1 of 4 rows"},
      {"a,c,y\n1,x,p\n2,none,q\n3,none,q\n4,x,p\n", "", 4, "a c=none c=x", ""},
      /* roles */
      {"a,k,c,y\n1,k1,x,p\n2,k2,x,q\n3,k3,z,q\n4,k4,z,p\n", "id=k", 4, "a c=x c=z", ""},
      {"y,a,b\np,1.5,2.25\nq,2.5,1.25\np,3,7.5\nq,4,0.5\n", "", 4, "a b", "the label is taken to be the first column 'y'"},
      {"sex,a,b\nf,1.5,0\nm,2.5,1\nf,3,1\nm,4,0\n", "", 4, "sex=f sex=m a", ""},
      {"a,p,q,r\n1,1,0,0\n2,0,1,0\n3,0,0,1\n4,1,0,0\n", "", 4, "a p q", "'p' to 'r' look like classes written as one column each"},
      {"a,b,y\n\"1,000\",1,p\n\"2,000\",2,q\n\"1,000\",3,q\n\"2,000\",3,p\n", "", 4, "a=1,000 a=2,000 b",
       "are taken for names: commas in numbers are not read: write 1000"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    SetosaDataset *dataset = load_csv("kinds.csv", cases[i].text, cases[i].options);
    print_message("%zu ", i);
    expect_names(dataset, cases[i].names);
    assert_int_equal(setosa_dataset_rows(dataset), cases[i].rows);
    if (cases[i].warning[0] == '\0' && count_warnings(dataset) > 0)
      fail_msg("%s: %s", cases[i].text, setosa_dataset_remark(dataset, 0, NULL));
    if (cases[i].warning[0] != '\0' && find_remark(dataset, SETOSA_REMARK_WARNING, cases[i].warning) == NULL)
      fail_msg("%s: no warning \"%s\"; the first is \"%s\"", cases[i].text, cases[i].warning,
               setosa_dataset_remark(dataset, 0, NULL) != NULL ? setosa_dataset_remark(dataset, 0, NULL) : remark_none);
    setosa_dataset_destroy(dataset);
  }
}

static void headers_of_pandas_and_r(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t rows;
    const char *names;
  } cases[] = {
      {"0,1,2,species\n1.5,2,3,p\n2,3,4,q\n3,4,5,p\n2,2,2,q\n", 4, "0 1 2"},        /* pandas, numeric names, a name for the label */
      {",0,1,2\n0,1.5,2,0\n1,2,3,1\n2,3,4,0\n", 3, "0 1"},                          /* pandas, numeric names and an index */
      {"0,1,2\n1.5,2.5,0\n2,3.5,1\n3.5,4,0\n", 3, "0 1"},                           /* without one */
      {"\"a\" \"y\"\n\"1\" 1.5 \"p\"\n\"2\" 2.5 \"q\"\n\"3\" 4.5 \"q\"\n", 3, "a"}, /* R's write.table */
      {"a y\nMazda 1.5 p\nFord 2.5 q\nVW 4.5 q\n", 3, "a"},                         /* with names of rows */
      {"red,x,p\nblue,x,q\nred,z,p\nred,z,p\nblue,x,q\nblue,x,p\n", 6, "column1=blue column1=red column2=x column2=z"},
      {"colour,form,y\nblue,x,q\nred,z,p\nred,z,p\nblue,x,q\nblue,x,p\n", 5, "colour=blue colour=red form=x form=z"},
      {"a,2019,y\n1,2,p\n3,4,q\n5,6,q\n7,1,p\n", 4, "a 2019"}, /* the label's name alone says it */
      {"sep=;\na;b;y\n1,5;2;p\n3;4,5;q\n", 2, "a b"},
      {"'a'\t'b'\t'y'\n1\t2\tp\n3\t4\tq\n", 2, "a b"},
      {"a|b|y\n1|2|p\n3|4|q\n", 2, "a b"},
      {"  a  b y \n 1 2   p\n3\t4 q\n", 2, "a b"},
      {"a;b;y\n1,5;2;p\n3;4,5;q\n", 2, "a b"},
      {"1,5;2;p\n3,25;4,5;q\n", 2, "NULL NULL"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    SetosaDataset *dataset = load_csv("header.txt", cases[i].text, "");
    print_message("%zu ", i);
    expect_names(dataset, cases[i].names);
    assert_int_equal(setosa_dataset_rows(dataset), cases[i].rows);
    setosa_dataset_destroy(dataset);
  }
}

/* A table that is read as another one was: by name, whatever the order, with values that are new. */
static void other_rows_are_read_alike(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  SetosaDataset *first = load_csv("first.csv", "a,c,y\n1,red,p\n3,blue,q\n5,red,p\n3,blue,p\n", ""), *other = NULL;
  SetosaError error = {0};
  SetosaDataOptions options = setosa_data_options_default();
  const float expected[] = {7, 0, 1, 8, 0, 0, 9, 1, 0};
  options.expect_columns = setosa_dataset_columns(first);
  options.labels_optional = true;
  support_path(path, test_folder, "other.csv");
  support_write_text(path, "n,c,extra,a\n1,red,?,7\n2,green,x,8\n3,,x,1\n4,blue,x,9\n5,red,x,NA\n");
  support_ok(setosa_dataset_load(&other, path, &options, &error), &error);
  expect_names(other, "a c=blue c=red");
  expect_values(other, 3, 3, expected);
  assert_int_equal(setosa_dataset_source_rows(other), 5);
  const uint64_t rows[] = {0, 1, 3};
  for (size_t i = 0; i < 3; i++) assert_int_equal(setosa_dataset_source_row(other, i), rows[i]);
  assert_non_null(find_remark(other, SETOSA_REMARK_WARNING, "2 of 5 rows get no prediction, since they lack a value: 'c' 1, 'a' 1"));
  assert_non_null(find_remark(other, SETOSA_REMARK_WARNING, "none of the levels: 'c' 1 (the first is 'green' in line 3); --unseen error"));
  setosa_dataset_destroy(other);
  options.missing = SETOSA_MISSING_MEAN;
  const float filled[] = {7, 0, 1, 8, 0, 0, 1, 0, 0, 9, 1, 0, 3, 0, 1};
  support_ok(setosa_dataset_load(&other, path, &options, &error), &error);
  expect_values(other, 5, 3, filled);
  setosa_dataset_destroy(other);
  options.unseen = SETOSA_UNSEEN_ERROR;
  assert_int_equal(setosa_dataset_load(&other, path, &options, &error), SETOSA_ERROR_DATA);
  assert_non_null(strstr(error.message, "other.csv:3:2: 'green' is none of the levels that the training rows had (column 'c')"));
  options.missing = SETOSA_MISSING_ERROR;
  options.unseen = SETOSA_UNSEEN_ZERO;
  assert_int_equal(setosa_dataset_load(&other, path, &options, &error), SETOSA_ERROR_DATA);
  assert_non_null(strstr(error.message, "other.csv:4:2: a value is missing (column 'c')"));
  setosa_dataset_destroy(first);
}

/* A column whose cell of the header is empty has a name of ours, by which a header of numbers is known again. */
static void a_column_without_a_name_is_found_again(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  SetosaDataset *first = load_csv("first.csv", "7,,9,y\n1,2.5,3,p\n4,5,6.5,q\n", "header=1"), *other = NULL;
  SetosaError error = {0};
  SetosaDataOptions options = setosa_data_options_default();
  const float expected[] = {10, 11, 12};
  options.expect_columns = setosa_dataset_columns(first);
  options.labels_optional = true;
  expect_names(first, "7 column2 9");
  support_path(path, test_folder, "other.csv");
  support_write_text(path, "7,,9\n10,11,12\n");
  support_ok(setosa_dataset_load(&other, path, &options, &error), &error);
  expect_values(other, 1, 3, expected);
  setosa_dataset_destroy(other);
  setosa_dataset_destroy(first);
}

static void columns_in_the_way_are_named_together(void **state) {
  (void)state;
  Text text = {0};
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  char expected[SUPPORT_PATH + 512];
  support_ok(text_append(&text, NULL, "a,my age,c,y\n"), NULL);
  for (int i = 0; i < 20; i++)
    support_ok(text_append(&text, NULL, "%s,%s,%d,%s\n", i == 3 ? "1.x" : "2",
                           i == 7   ? "inf"
                           : i == 5 ? "136A"
                                    : "3",
                           i, i % 2 ? "p" : "q"),
               NULL);
  SetosaStatus status = load_bytes(&dataset, "odd.csv", text.text, text.length, "", &error);
  snprintf(
      expected, sizeof expected,
      "%s/odd.csv:5:1: '1.x' is not a number (column 'a'), though the other 19 values are; likewise 'my age' (2 of 20, first '136A' in "
      "line "
      "7); take such words for missing values (--na 1.x,136A,inf), or the columns for names (--categorical a,2), or leave them out (--drop "
      "a,2)",
      test_folder);
  support_fails(status, &error, SETOSA_ERROR_DATA, expected);
  text_free(&text);
}

static void ids_are_carried_along(void **state) {
  (void)state;
  SetosaDataset *dataset = load_csv("ids.csv", "k,a,y,name\nk1,1,p,\"A, B\"\nk2,,q,C\nk3,3,q, D \n", "id=name,k label=y");
  expect_names(dataset, "a");
  assert_int_equal(setosa_dataset_rows(dataset), 2);
  assert_int_equal(setosa_dataset_ids(dataset), 2);
  assert_string_equal(setosa_dataset_id_name(dataset, 0), "name");
  assert_string_equal(setosa_dataset_id(dataset, 0, 0), "A, B");
  assert_string_equal(setosa_dataset_id(dataset, 1, 1), "k2");
  assert_string_equal(setosa_dataset_id(dataset, 0, 2), "D");
  assert_null(setosa_dataset_id(dataset, 0, 3));
  assert_null(setosa_dataset_id(dataset, 2, 0));
  setosa_dataset_destroy(dataset);
}

/* Long tables of numbers are read in one pass, by what their first megabyte looks like. Where the end is otherwise, all is as if the whole
 * had been looked at first, in memory and in the cache of conversions. */
static void an_end_unlike_the_beginning_is_seen(void **state) {
  (void)state;
  enum { ROWS = 560000 };
  static const struct {
    const char *odd; /* every so many of the last rows; the field of column b */
    int every;
    const char *names, *error;
    size_t left_out;
  } cases[] = {{"NA", 10, "a b", NULL, 1000},
               {"x", 1000, NULL, ":550001:2: 'x' is not a number", 0},
               {"1e9", 10, "a b", NULL, 0},
               {"1000003", 1, "a b", NULL, 0}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    char path[SUPPORT_PATH], kept[SUPPORT_PATH];
    Text text = {0};
    SetosaError error = {0};
    SetosaDataOptions options = setosa_data_options_default();
    support_ok(text_append(&text, NULL, "a,b,y\n"), NULL);
    for (int i = 0; i < ROWS; i++) {
      bool odd = i >= ROWS - 10001 && (i - (ROWS - 10001)) % cases[k].every == 0 && i < ROWS - 1;
      if (odd)
        support_ok(text_append(&text, NULL, "%d,%s,%c\n", i % 1000, cases[k].odd, "pq"[i % 2]), NULL);
      else
        support_ok(text_append(&text, NULL, "%d,%d.0025,%c\n", i % 1000, 1000000 + i % 7, "pq"[i % 2]), NULL);
    }
    support_path(path, test_folder, "long.csv");
    support_path(kept, test_folder, "kept");
    support_write(path, text.text, text.length);
    text_free(&text);
    nanosleep(&(struct timespec){0, 150000000}, NULL); /* for the cache: it counts as settled */
    options.cache = kept;
    for (int cached = 0; cached < 3; cached++) {
      SetosaDataset *dataset = NULL;
      options.no_cache = cached == 0;
      SetosaStatus status = setosa_dataset_load(&dataset, path, &options, &error);
      if (cases[k].error != NULL) {
        assert_int_equal(status, SETOSA_ERROR_DATA);
        assert_non_null(strstr(error.message, cases[k].error));
        continue;
      }
      support_ok(status, &error);
      assert_int_equal(setosa_dataset_cached(dataset), cached == 2);
      expect_names(dataset, cases[k].names);
      assert_int_equal(setosa_dataset_source_rows(dataset), ROWS);
      assert_int_equal(setosa_dataset_rows(dataset), ROWS - cases[k].left_out);
      const double *shift = setosa_dataset_shift(dataset);
      const float *values = setosa_dataset_values(dataset);
      double at = shift != NULL ? shift[1] : 0;
      assert_true(fabs(values[1] + at - 1000000.0025) < (at != 0 ? 1e-6 : 0.1));
      assert_true(fabs(values[2 * 1234] - 234) < 1e-6);
      setosa_dataset_destroy(dataset);
    }
    support_folder_remove(kept);
  }
}

/* An index is one as far as the whole text goes: with a gap behind the head it is a column of numbers like any other. */
static void an_index_has_no_gap(void **state) {
  (void)state;
  enum { ROWS = 3000 };
  for (int words = 0; words < 2; words++)
    for (int gap = 0; gap < 2; gap++) {
      Text text = {0};
      support_ok(text_append(&text, NULL, ",a,y\n"), NULL);
      for (int i = 0; i < ROWS; i++)
        support_ok(text_append(&text, NULL, "%d,%s%d,%c\n", i < ROWS - 10 ? i : i + gap, words ? "w" : "", i % 7, "pq"[i % 2]), NULL);
      SetosaDataset *dataset = load_good("index.csv", text.text, text.length, "");
      assert_int_equal(setosa_dataset_rows(dataset), ROWS);
      assert_int_equal(setosa_dataset_features(dataset), (words ? 7 : 1) + gap);
      assert_string_equal(setosa_dataset_feature_name(dataset, 0), gap ? "column1" : words ? "a=w0" : "a");
      setosa_dataset_destroy(dataset);
      text_free(&text);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(columns_become_features),   cmocka_unit_test(headers_of_pandas_and_r),
      cmocka_unit_test(other_rows_are_read_alike), cmocka_unit_test(columns_in_the_way_are_named_together),
      cmocka_unit_test(ids_are_carried_along),     cmocka_unit_test(an_end_unlike_the_beginning_is_seen),
      cmocka_unit_test(an_index_has_no_gap),       cmocka_unit_test(a_column_without_a_name_is_found_again),
  };
  return support_run("data_table", tests, make_folder, remove_folder);
}
