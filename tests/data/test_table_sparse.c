/* Tables whose words make very many features are kept as sparse rows by themselves: the numbers are those of dense rows, whatever way they
 * come, and another table that is read alike is of the same kind. Any source is turned over where that is asked for. */
#include "base/text.h"
#include "data/kept.h"

enum { BLOCK = 64, TOWNS = 5000, ROWS = 5200 };

static char path[SUPPORT_PATH];

static SetosaDataset *load_as(const char *source, const char *options, SetosaSparse sparse) {
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  TestOptions test;
  test_options_parse(&test, options);
  test.options.sparse = sparse;
  test.options.cache = kept;
  support_ok(setosa_dataset_load(&dataset, source, &test.options, &error), &error);
  test_options_free(&test);
  return dataset;
}

static const char *find_remark(const SetosaDataset *dataset, const char *part) {
  const char *remark = NULL;
  for (size_t i = 0; (remark = setosa_dataset_remark(dataset, i, NULL)) != NULL; i++)
    if (strstr(remark, part) != NULL) return remark;
  return NULL;
}

/* All numbers, by ==, for 0 may have lost its sign. */
static void same_values(const SetosaDataset *a, const SetosaDataset *b) {
  size_t rows = setosa_dataset_rows(a), features = setosa_dataset_features(a);
  float *rooms[2] = {malloc(BLOCK * features * sizeof(float)), malloc(BLOCK * features * sizeof(float))};
  for (size_t done = 0; done < rows; done += BLOCK) {
    RowRange now = range_next(done, rows, BLOCK);
    const float *left = dataset_dense(a, now, rooms[0]), *right = dataset_dense(b, now, rooms[1]);
    for (size_t i = 0; i < now.count * features; i++)
      if (!(left[i] == right[i]))
        fail_msg("row %zu, feature %zu: %.9g and %.9g", done + i / features, i % features, (double)left[i], (double)right[i]);
  }
  free(rooms[0]);
  free(rooms[1]);
}

/* A sparse data set and a dense one of the same source. */
static void expect_same(const SetosaDataset *sparse, const SetosaDataset *dense) {
  size_t rows = setosa_dataset_rows(dense), features = setosa_dataset_features(dense);
  assert_true(setosa_dataset_is_sparse(sparse));
  assert_false(setosa_dataset_is_sparse(dense));
  assert_int_equal(setosa_dataset_rows(sparse), rows);
  assert_int_equal(setosa_dataset_features(sparse), features);
  assert_int_equal(setosa_dataset_source_rows(sparse), setosa_dataset_source_rows(dense));
  for (size_t d = 0; d < features; d++) same_text(setosa_dataset_feature_name(sparse, d), setosa_dataset_feature_name(dense, d));
  const double *shift = setosa_dataset_shift(dense);
  assert_int_equal(setosa_dataset_shift(sparse) == NULL, shift == NULL);
  if (shift != NULL) assert_memory_equal(setosa_dataset_shift(sparse), shift, features * sizeof *shift);
  const int32_t *labels = setosa_dataset_labels(dense);
  assert_int_equal(setosa_dataset_labels(sparse) == NULL, labels == NULL);
  if (labels != NULL && rows > 0) assert_memory_equal(setosa_dataset_labels(sparse), labels, rows * sizeof *labels);
  const float *weights = setosa_dataset_weights(dense);
  assert_int_equal(setosa_dataset_weights(sparse) == NULL, weights == NULL);
  if (weights != NULL) assert_memory_equal(setosa_dataset_weights(sparse), weights, rows * sizeof *weights);
  same_values(sparse, dense);
}

/* Entries of sparse rows are in order, and none is 0. */
static void expect_entries(const SetosaDataset *sparse, uint64_t most) {
  SparseRoom room = {0};
  SparseRows rows = {0};
  SetosaError error = {0};
  support_ok(dataset_sparse(&rows, sparse, dataset_all(sparse), &room, &error), &error);
  assert_true(setosa_dataset_entries(sparse) <= most);
  support_ok(sparse_check(&rows, setosa_dataset_rows(sparse), setosa_dataset_features(sparse), "test", &error), &error);
  for (uint64_t i = 0; rows.values != NULL && i < setosa_dataset_entries(sparse); i++) assert_true(rows.values[i] != 0);
  sparse_room_free(&room);
}

/* ---- wide by itself ---------------------------------------------------------------------------------------------- */

/* As of a ship: the towns come again after 5000 rows; some ages lack, some embarked; the year is far from 0. */
static void write_passengers(void) {
  Text text = {0};
  support_ok(text_append(&text, NULL, "pclass,sex,age,town,year,embarked,survived\n"), NULL);
  for (int i = 0; i < ROWS; i++) {
    support_ok(text_append(&text, NULL, "%d,%s,", i % 3 + 1, i % 5 < 2 ? "female" : "male"), NULL);
    if (i % 11 != 3) support_ok(text_append(&text, NULL, "%d", i * 7 % 80), NULL);
    support_ok(text_append(&text, NULL, ",town %d,%d,%s,%s\n", i % TOWNS, 1912 + i % 4,
                           i % 97 == 5 ? "NA"
                           : i % 2     ? "S"
                                       : "Q",
                           i % 7 < 3 ? "yes" : "no"),
               NULL);
  }
  support_path(path, test_folder, "ship.csv");
  support_write_text(path, text.text);
  text_free(&text);
}

static void a_wide_table_is_sparse(void **state) {
  (void)state;
  write_passengers();
  for (int filled = 0; filled < 2; filled++) {
    const char *options = filled ? "categorical=town missing=mean" : "categorical=town";
    SetosaDataset *sparse = load_as(path, options, SETOSA_SPARSE_AUTO), *dense = load_as(path, options, SETOSA_SPARSE_NEVER);
    expect_same(sparse, dense);
    expect_entries(sparse, (uint64_t)6 * setosa_dataset_rows(sparse));
    assert_non_null(setosa_dataset_shift(sparse));
    assert_true(setosa_dataset_features(sparse) > 4000);
    if (filled) assert_int_equal(setosa_dataset_rows(sparse), ROWS);
    assert_non_null(find_remark(sparse, " features of which a row has 6 at most: kept as sparse rows"));
    assert_null(find_remark(dense, "sparse"));
    setosa_dataset_destroy(sparse);
    setosa_dataset_destroy(dense);
  }
}

static SetosaDataset *load_like(const SetosaDataset *like, const char *text, SetosaSparse sparse, bool labels_optional) {
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  SetosaDataOptions options = setosa_data_options_default();
  const char *const classes[] = {"no", "yes"};
  char other[SUPPORT_PATH];
  support_path(other, test_folder, "other.csv");
  support_write_text(other, text);
  options.expect_features = setosa_dataset_features(like);
  options.expect_columns = setosa_dataset_columns(like);
  options.expect_label = "survived";
  options.expect_classes = 2;
  options.expect_class_names = classes;
  options.labels_optional = labels_optional;
  options.sparse = sparse;
  support_ok(setosa_dataset_load(&dataset, other, &options, &error), &error);
  return dataset;
}

/* One row, columns in another order, a town that is new, a row that lacks a value, and none that is left. */
static void tables_that_are_read_alike_are_of_its_kind(void **state) {
  (void)state;
  static const char *const tables[] = {
      "pclass,sex,age,town,year,embarked,survived\n1,male,33,town 4711,1913,S,yes\n",
      "survived,town,embarked,year,age,sex,pclass\nno,town 1,Q,1912,30,female,2\nyes,Atlantis,S,1915,,male,3\nno,Utopia,X,1912,0,male,1\n",
      "pclass,sex,age,town,year,embarked\n1,male,,town 7,1913,S\n"};
  static const size_t rows[] = {1, 2, 0};
  write_passengers();
  SetosaDataset *like = load_as(path, "categorical=town", SETOSA_SPARSE_AUTO);
  for (size_t t = 0; t < 3; t++) {
    SetosaDataset *sparse = load_like(like, tables[t], SETOSA_SPARSE_AUTO, t == 2),
                  *dense = load_like(like, tables[t], SETOSA_SPARSE_NEVER, t == 2);
    expect_same(sparse, dense);
    assert_int_equal(setosa_dataset_rows(sparse), rows[t]);
    if (t == 1)
      assert_non_null(find_remark(sparse, "count as none of the levels: 'town' 1, 'embarked' 1 (the first is 'Utopia' in line 4)"));
    if (t == 1) assert_int_equal(setosa_dataset_entries(sparse), 6 + 3);
    setosa_dataset_destroy(sparse);
    setosa_dataset_destroy(dense);
  }
  SetosaDataset *held_out = NULL;
  SetosaError error = {0};
  support_ok(setosa_dataset_split(like, 0.2, 7, &held_out, &error), &error);
  assert_true(setosa_dataset_is_sparse(like) && setosa_dataset_is_sparse(held_out));
  setosa_dataset_destroy(held_out);
  setosa_dataset_destroy(like);
}

/* Where many columns hold words a row has many entries; and few features are few zeros. */
static void columns_decide(void **state) {
  (void)state;
  for (int columns = 1; columns <= 30; columns += 29)
    for (int levels = 500; levels <= 501; levels++) {
      Text text = {0};
      int each = columns == 1 ? levels : levels / 30 + 1;
      for (int c = 0; c < columns; c++) support_ok(text_append(&text, NULL, "c%d,", c), NULL);
      support_ok(text_append(&text, NULL, "y\n"), NULL);
      for (int i = 0; i < 2 * each; i++) {
        for (int c = 0; c < columns; c++) support_ok(text_append(&text, NULL, "w%d,", i % each), NULL);
        support_ok(text_append(&text, NULL, "%s\n", i % 2 ? "p" : "q"), NULL);
      }
      SetosaDataset *dataset = NULL;
      SetosaError error = {0};
      support_ok(load_bytes(&dataset, "columns.csv", text.text, text.length, "", &error), &error);
      assert_int_equal(setosa_dataset_is_sparse(dataset), columns == 1 && levels > 500);
      setosa_dataset_destroy(dataset);
      text_free(&text);
    }
}

/* ---- any table --------------------------------------------------------------------------------------------------- */

/* "a,b" rows of numbers enough for the columns to be guessed from the head. */
static char *numbers(void) {
  Text text = {0};
  support_ok(text_append(&text, NULL, "year,b,c,kind\n"), NULL);
  for (int i = 0; i < 400; i++)
    support_ok(text_append(&text, NULL, "%d,%d,%s,%s\n", 2000 + i % 9, i % 4, i % 3 ? "-0.0" : "0.25", i % 5 ? "p" : "q"), NULL);
  return text.text;
}

static void any_table_can_be_sparse(void **state) {
  (void)state;
  char *many = numbers();
  const struct {
    const char *text, *options;
  } cases[] = {{many, ""},
               {many, "unshifted"},
               {many, "features=c,year"},
               {many, "weights=b"},
               {"a,b,c\n0,0,p\n0,0,q\n", ""}, /* no entry at all */
               {"colour,n,s,c\nred,1,0,p\nblue,,1,q\nred,3,1,p\nblue,0,1,q\n", ""},
               {"colour,n,s,c\nred,1,0,p\nblue,,1,q\nred,3,1,p\n,0,1,q\n", "missing=mean"},
               {"colour,n,s,c\nred,1,0,p\nblue,2,1,q\nred,3,1,p\nblue,0,1,q\n", "categorical=s label=c id=n"},
               {"colour,n,s,c\nred,1,0,p\nblue,2,1,q\nred,3,1,p\nblue,0,1,q\n", "features=n,s,colour categorical=s label=c"},
               {"colour;n;c\nred;1,5;p\nblue;2,25;q\nred;0,0;p\nblue;4;q\n", "scale=0.5"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    support_path(path, test_folder, "any.csv");
    support_write_text(path, cases[i].text);
    SetosaDataset *sparse = load_as(path, cases[i].options, SETOSA_SPARSE_ALWAYS),
                  *dense = load_as(path, cases[i].options, SETOSA_SPARSE_AUTO);
    expect_same(sparse, dense);
    expect_entries(sparse, UINT64_MAX);
    setosa_dataset_destroy(sparse);
    setosa_dataset_destroy(dense);
  }
  free(many);
}

/* What is wrong with a table is said in the same words. */
static void errors_are_the_same(void **state) {
  (void)state;
  static const char *const texts[] = {"a,b,c\n1,2,p\n3,1e39,q\n", "a,b,c\n1,2,p\n3,q\n", "a,b,c\n1,x,p\n3,y,p\n1,x,p\n3,y,p\n",
                                      "a,b,w,c\n1,2,1,p\n3,x,-1,q\n1,y,1,p\n1,y,1,p\n1,x,1,p\n"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    const char *how[] = {i == 3 ? "weights=w sparse=never" : "sparse=never", i == 3 ? "weights=w sparse=always" : "sparse=always"};
    SetosaDataset *dataset = NULL;
    SetosaError errors[2] = {{0}, {0}};
    for (int s = 0; s < 2; s++)
      assert_int_equal(load_bytes(&dataset, "bad.csv", texts[i], strlen(texts[i]), how[s], &errors[s]), SETOSA_ERROR_DATA);
    assert_string_equal(errors[0].message, errors[1].message);
  }
}

/* ---- large ones -------------------------------------------------------------------------------------------------- */

/* Above the least that the cache keeps, so in several parts: numbers at first, so that dense rows are begun, then codes with letters. */
static void write_large(bool letters) {
  enum { LARGE_ROWS = 12000, CODES = 600 };
  char filler[701];
  memset(filler, '0', sizeof filler - 1);
  filler[sizeof filler - 1] = '\0';
  support_path(path, test_folder, "large.csv");
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs("x,code,y\n", file);
  for (int i = 0; i < LARGE_ROWS; i++)
    fprintf(file, "%d.%s,%s%d,%c\n", i % 6, filler, letters && i > 3000 ? "k" : "", i * 7 % CODES, "pq"[i % 2]);
  assert_int_equal(fclose(file), 0);
  settle();
}

/* Rows that were begun as dense ones, and as an entry of the cache, begin again as sparse ones. */
static void sparse_rows_follow_a_wrong_guess(void **state) {
  (void)state;
  write_large(true);
  SetosaDataset *sparse = load_as(path, "", SETOSA_SPARSE_AUTO), *dense = load_as(path, "", SETOSA_SPARSE_NEVER);
  assert_int_equal(setosa_dataset_features(sparse), 1 + 600 + 600);
  expect_same(sparse, dense);
  expect_entries(sparse, (uint64_t)2 * setosa_dataset_rows(sparse));
  assert_null(setosa_dataset_cache_note(sparse));
  assert_int_equal(count_files(".tmp"), 0);
  SetosaDataset *again = load_as(path, "", SETOSA_SPARSE_AUTO), *cached = load_as(path, "", SETOSA_SPARSE_NEVER);
  assert_true(setosa_dataset_cached(cached));
  expect_same(again, cached);
  setosa_dataset_destroy(sparse);
  setosa_dataset_destroy(dense);
  setosa_dataset_destroy(again);
  setosa_dataset_destroy(cached);
}

/* A guess that is right makes sparse rows at once, where they are asked for. */
static void a_guess_makes_sparse_rows(void **state) {
  (void)state;
  write_large(false);
  SetosaDataset *sparse = load_as(path, "", SETOSA_SPARSE_ALWAYS), *dense = load_as(path, "", SETOSA_SPARSE_AUTO);
  assert_int_equal(setosa_dataset_features(sparse), 2);
  expect_same(sparse, dense);
  expect_entries(sparse, UINT64_MAX);
  setosa_dataset_destroy(sparse);
  setosa_dataset_destroy(dense);
}

/* ---- other sources ----------------------------------------------------------------------------------------------- */

static void any_source_is_turned_over(void **state) {
  (void)state;
  SetosaDataset *made = NULL;
  SetosaError error = {0};
  char iris[SUPPORT_PATH];
  support_path(path, test_folder, "made.npy");
  support_ok(setosa_generate("rows=100,features=7,classes=3,seed=4", path, NULL, NULL, &error), &error);
  support_source_path(iris, "data/iris.csv");
  const char *const sources[] = {path, "synthetic:rows=64,features=5,classes=4", iris};
  for (size_t i = 0; i < 3; i++) {
    SetosaDataset *sparse = load_as(sources[i], "scale=0.5", SETOSA_SPARSE_ALWAYS),
                  *dense = load_as(sources[i], "scale=0.5", SETOSA_SPARSE_AUTO);
    expect_same(sparse, dense);
    expect_entries(sparse, UINT64_MAX);
    assert_true(dataset_shape(sparse).byte_scale == 0);
    support_ok(rows_become(sparse, DATA_DENSE, &error), &error);
    assert_false(setosa_dataset_is_sparse(sparse));
    same_values(sparse, dense);
    setosa_dataset_destroy(sparse);
    setosa_dataset_destroy(dense);
  }
  SetosaDataOptions options = setosa_data_options_default();
  options.sparse = SETOSA_SPARSE_ALWAYS;
  options.generate_above_bytes = 1;
  support_fails(setosa_dataset_load(&made, "synthetic:rows=64", &options, &error), &error, SETOSA_ERROR_USAGE,
                "synthetic:rows=64: --sparse always wants its rows in memory");
}

/* Ones need no values, and what is the caller's stays as it is. */
static void ones_and_slices_are_turned_over(void **state) {
  (void)state;
  const float values[] = {0, 1, 0, 1, 1, 0, 0, 0, 0, 1, 0, 1}, other[] = {0, 1, 0, 2, -0.0f, 0};
  const int32_t labels[] = {0, 1, 1, 0};
  SetosaError error = {0};
  Dataset *all = wrap_arrays(4, 3, 2, values, labels), *slice = NULL, *numbers_too = wrap_arrays(2, 3, 2, other, labels);
  support_ok(dataset_slice(&slice, all, (RowRange){1, 3}, &error), &error);
  support_ok(rows_become(slice, DATA_SPARSE, &error), &error);
  support_ok(rows_become(numbers_too, DATA_SPARSE, &error), &error);
  assert_true(dataset_shape(slice).kind == DATA_SPARSE && dataset_shape(slice).ones);
  assert_true(dataset_shape(numbers_too).kind == DATA_SPARSE && !dataset_shape(numbers_too).ones);
  assert_int_equal(dataset_shape(slice).entries, 4);
  assert_int_equal(dataset_shape(numbers_too).entries, 2);
  assert_true(dataset_shape(all).kind == DATA_DENSE);
  float room[9];
  assert_memory_equal(dataset_dense(slice, dataset_all(slice), room), values + 3, sizeof room);
  assert_memory_equal(setosa_dataset_labels(slice), labels + 1, 3 * sizeof *labels);
  support_ok(rows_become(slice, DATA_DENSE, &error), &error);
  assert_memory_equal(setosa_dataset_values(slice), values + 3, sizeof room);
  setosa_dataset_destroy(slice);
  setosa_dataset_destroy(all);
  setosa_dataset_destroy(numbers_too);
}

static int create(void **state) {
  make_folder(state);
  support_path(kept, test_folder, "kept");
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_wide_table_is_sparse),
                                     cmocka_unit_test(tables_that_are_read_alike_are_of_its_kind),
                                     cmocka_unit_test(columns_decide),
                                     cmocka_unit_test(any_table_can_be_sparse),
                                     cmocka_unit_test(errors_are_the_same),
                                     cmocka_unit_test(sparse_rows_follow_a_wrong_guess),
                                     cmocka_unit_test(a_guess_makes_sparse_rows),
                                     cmocka_unit_test(any_source_is_turned_over),
                                     cmocka_unit_test(ones_and_slices_are_turned_over)};
  return support_run("data_table_sparse", tests, create, remove_folder);
}
