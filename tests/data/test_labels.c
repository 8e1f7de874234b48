/* What is one class and what are two: spellings of numbers, blanks, booleans and texts of NumPy; and what is said about classes that may be
 * meant otherwise. */
#include "data/binary.h"
#include "data/labels.h"

/* Rows 0, 1, 2, ... of one feature beside these labels, each a line. */
static SetosaDataset *load_labels(const char *lines, const char *options) {
  char csv[512] = "x,y\n", *copy = strdup(lines), *rest = NULL;
  for (char *line = strtok_r(copy, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
    snprintf(csv + strlen(csv), sizeof csv - strlen(csv), "%d,%s\n", (int)strlen(csv) % 7, line);
  free(copy);
  return load_csv("labels.csv", csv, options);
}

static void write_lines(const char *name, const char *text) {
  Bytes bytes = {.length = 0};
  put(&bytes, text, strlen(text));
  write_bytes(name, &bytes);
}

static void write_array(const char *name, const char *type, const char *shape, const void *data, size_t length) {
  char dictionary[128];
  snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': False, 'shape': %s}", type, shape);
  Bytes bytes = npy_header(1, dictionary);
  put(&bytes, data, length);
  write_bytes(name, &bytes);
}

typedef struct Spelling {
  const char *lines, *rows, *classes;
} Spelling;

/* From a table and from a file of labels alike. */
static void a_number_is_one_class_however_it_is_spelled(void **state) {
  (void)state;
  static const Spelling spellings[] = {
      {"1\n1.0\n 1\n1e0\n2", "1 1 1 1 2", "1 2"},
      {"+1\n1.0\n1.\na\n1", "1 1 1 a 1", "1 a"}, /* beside text, too */
      {"01\n007\n1\n7\n-0", "1 7 1 7 0", "0 1 7"},
      {"01\n007\n1\na\n1", "01 007 1 a 1", "007 01 1 a"}, /* codes */
      {"-1\n10\n50\n-1.0\n5e1", "-1 10 50 -1 50", "-1 10 50"},
      {"-0\n0\n0.0\n-3\n-20", "0 0 0 -3 -20", "-20 -3 0"},
      {"TRUE\nFALSE\nTRUE\n1\n0", "TRUE FALSE TRUE 1 0", "0 1 FALSE TRUE"}, /* text */
      {"9223372036854775808\n10\n18446744073709551615\n-99999999999999999999\n9223372036854775808.0",
       "9223372036854775808 10 18446744073709551615 -99999999999999999999 9223372036854775808",
       "-99999999999999999999 10 9223372036854775808 18446744073709551615"}, /* larger than integers of the machine */
      {"2147483648\n-2147483649\n2147483648\n7\n7", "2147483648 -2147483649 2147483648 7 7", "-2147483649 7 2147483648"},
      {"0.5\n0.50\n1\n1\n1", "0.5 0.50 1 1 1", "0.5 0.50 1"}, /* of versions and codes such as 1.1 and 1.10 each is its own */
      {" a\na \na b\n\ta\nb", "a a a b a b", "a a b b"},
  };
  write_array("x.npy", "|u1", "(5, 1)", "\0\1\2\3\4", 5);
  for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
    SetosaDataset *dataset = load_labels(spellings[i].lines, "header=1");
    expect_classes(dataset, spellings[i].rows, spellings[i].classes);
    setosa_dataset_destroy(dataset);
    write_lines("y.txt", spellings[i].lines);
    dataset = load_file("x.npy", "labels=y.txt");
    expect_classes(dataset, spellings[i].rows, spellings[i].classes);
    setosa_dataset_destroy(dataset);
  }
}

static void a_model_knows_its_classes_in_any_spelling(void **state) {
  (void)state;
  SetosaDataset *dataset = load_labels("1.0\n 2\n1e0\na\n02", "header=1 expect=1 classes=2,1,a");
  expect_classes(dataset, "1 2 1 a 2", "2 1 a");
  setosa_dataset_destroy(dataset);
  dataset = load_labels("1.0\n 2\n1e0\na\n02", "header=1 positive=2.0"); /* the one that is called so */
  expect_classes(dataset, "non-2 2 non-2 non-2 non-2", "2 non-2");
  setosa_dataset_destroy(dataset);
}

static void booleans_are_called_as_in_python(void **state) {
  (void)state;
  write_array("x.npy", "<f4", "(3, 1)", "\0\0\0\0\0\0\200?\0\0\0@", 12);
  write_array("y.npy", "|b1", "(3,)", "\1\0\1", 3);
  SetosaDataset *dataset = load_file("x.npy", "labels=y.npy");
  expect_classes(dataset, "True False True", "False True");
  setosa_dataset_destroy(dataset);
  /* As features they are 0 and 1, and no bytes of a picture. */
  write_array("flags.npy", "|b1", "(3, 2)", "\1\0\0\1\1\1", 6);
  const float expected[] = {1, 0, 0, 1, 1, 1};
  dataset = load_file("flags.npy", "labels=y.npy");
  expect_values(dataset, 3, 2, expected);
  setosa_dataset_destroy(dataset);
}

/* Texts of one array, of the longest's length. */
static void texts_of_numpy_are_classes(void **state) {
  (void)state;
  static const uint32_t texts[3][3] = {{'l', 0xF6, 0x1F33C}, {'a', ' ', 0}, {'l', 0xF6, 0x1F33C}};
  write_array("x.npy", "<f4", "(3, 1)", "\0\0\0\0\0\0\200?\0\0\0@", 12);
  for (int big = 0; big < 2; big++) {
    Bytes bytes = npy_header(
        1, big ? "{'descr': '>U3', 'fortran_order': False, 'shape': (3,)}" : "{'descr': '<U3', 'fortran_order': False, 'shape': (3, 1)}");
    for (size_t i = 0; i < 9; i++) put_bits(&bytes, texts[i / 3][i % 3], 4, big);
    write_bytes(big ? "y.npy.gz" : "y.npy", &bytes);
    SetosaDataset *dataset = load_file("x.npy", big ? "labels=y.npy.gz" : "labels=y.npy");
    expect_classes(dataset, "l\xC3\xB6\xF0\x9F\x8C\xBC a l\xC3\xB6\xF0\x9F\x8C\xBC", "a l\xC3\xB6\xF0\x9F\x8C\xBC");
    setosa_dataset_destroy(dataset);
  }
  write_array("y.npy", "|S3", "(3,)", "1.0a\0\0001\0\0", 9);
  SetosaDataset *dataset = load_file("x.npy", "labels=y.npy");
  expect_classes(dataset, "1 a 1", "1 a");
  setosa_dataset_destroy(dataset);
}

/* More texts than are read at a time. */
static void many_texts_are_read_in_blocks(void **state) {
  (void)state;
  enum { ROWS = 50000, SIZE = 40 };
  char path[SUPPORT_PATH], dictionary[128];
  for (int file = 0; file < 2; file++) {
    snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': False, 'shape': (%d,%s)}", file == 0 ? "|S40" : "|u1", ROWS,
             file == 0 ? "" : " 1");
    Bytes header = npy_header(1, dictionary);
    size_t size = file == 0 ? SIZE : 1;
    char *all = calloc(1, header.length + size * ROWS + 1);
    assert_non_null(all);
    memcpy(all, header.at, header.length);
    for (size_t i = 0; file == 0 && i < ROWS; i++) snprintf(all + header.length + SIZE * i, SIZE, "class %zu of a long name", i % 10);
    support_path(path, test_folder, file == 0 ? "y.npy" : "x.npy");
    support_write(path, all, header.length + size * ROWS);
    free(all);
  }
  SetosaDataset *dataset = load_file("x.npy", "labels=y.npy");
  assert_int_equal(setosa_dataset_classes(dataset), 10);
  for (size_t i = 0; i < ROWS; i++) assert_int_equal(setosa_dataset_labels(dataset)[i], i % 10);
  assert_string_equal(setosa_dataset_class_name(dataset, 9), "class 9 of a long name");
  setosa_dataset_destroy(dataset);
}

/* The warning that holds this text; NULL when there is none. */
static const char *find_warning(const SetosaDataset *dataset, const char *text) {
  SetosaRemark kind = SETOSA_REMARK_DETAIL;
  const char *remark = NULL;
  for (size_t i = 0; (remark = setosa_dataset_remark(dataset, i, &kind)) != NULL; i++)
    if (kind == SETOSA_REMARK_WARNING && strstr(remark, text) != NULL) return remark;
  return NULL;
}

static void expect_remark(const char *lines, const char *options, const char *text, bool expected) {
  SetosaDataset *dataset = load_labels(lines, options);
  if ((find_warning(dataset, text) != NULL) != expected) fail_msg("%s: \"%s\" is %s", lines, text, expected ? "not said" : "said");
  setosa_dataset_destroy(dataset);
}

static void classes_that_differ_by_case_alone_are_named(void **state) {
  (void)state;
  expect_remark("b\na\nB\nb\na", "header=1", "class 'b' beside 'B': they differ in case or blanks alone", true);
  expect_remark("New York\nNewYork\na\nNewYork\na", "header=1", "class 'NewYork' beside 'New York':", true);
  expect_remark("a\nA\nb\nB\na", "header=1", "class 'a' beside 'A' (and 1 more):", true);
  expect_remark("b\na\nb\nb\na", "header=1", "beside", false);
  expect_remark("1\n1.0\n2\n1\n 2", "header=1", "beside", false); /* one class each */
}

static void expect_doubt(const char *csv, const char *options, bool expected) {
  SetosaDataset *dataset = load_csv("header.csv", csv, options);
  bool said = find_warning(dataset, "class 'species' has one row, the first: is that line a header? --header") != NULL;
  if (said != expected) fail_msg("of %s it is %s", csv, said ? "said" : "not said");
  setosa_dataset_destroy(dataset);
}

/* Where the reader does not take that line for a header by itself, since another class has one row, too. */
static void a_class_of_the_first_row_alone_may_be_a_header(void **state) {
  (void)state;
  static const char rows[] = "2,a\n3,b\n-9,a\n5,c\n6,c\n";
  char first[128], later[128];
  snprintf(first, sizeof first, "1,species\n%s", rows);
  snprintf(later, sizeof later, "%s1,species\n", rows);
  expect_doubt(first, "", true);
  expect_doubt(first, "header=0", false); /* whoever says that there is none is not asked */
  expect_doubt(first, "header=1", false);
  expect_doubt(later, "", false);
  expect_doubt("1,species\n2,a\n3,b\n-9,c\n5,d\n6,d\n", "", false); /* rare as others are */
  expect_doubt("1,9\n2,a\n3,b\n-9,a\n5,c\n6,c\n", "", false);       /* a number is no name */
}

/* As the threads of a reader bring them: texts once each, in the order of the source, and then rows. */
static void interned_texts_are_the_classes_of_rows(void **state) {
  (void)state;
  static const char *const texts[] = {"b", " 1.0 ", "a", "1", ""};
  SetosaDataOptions options = setosa_data_options_default();
  SetosaError error = {0};
  Labels *labels = NULL;
  int32_t values[5] = {0};
  support_ok(labels_create(&labels, &options, &error), &error);
  for (size_t i = 0; i < 4; i++) support_ok(labels_intern(labels, texts[i], strlen(texts[i]), &values[i], &error), &error);
  assert_int_equal(values[1], values[3]);
  assert_int_not_equal(values[0], values[2]);
  support_fails(labels_intern(labels, "", 0, &values[4], &error), &error, SETOSA_ERROR_DATA, "the label is missing");
  assert_int_equal(labels_count(labels), 0);
  for (size_t i = 0; i < 4; i++) support_ok(labels_push(labels, values[i], &error), &error);
  assert_int_equal(labels_count(labels), 4);
  labels_destroy(labels);
  options.labels_optional = true;
  support_ok(labels_create(&labels, &options, &error), &error);
  support_ok(labels_intern(labels, "  ", 2, &values[0], &error), &error);
  assert_int_equal(values[0], -1);
  labels_destroy(labels);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_number_is_one_class_however_it_is_spelled),
                                     cmocka_unit_test(a_model_knows_its_classes_in_any_spelling),
                                     cmocka_unit_test(booleans_are_called_as_in_python),
                                     cmocka_unit_test(texts_of_numpy_are_classes),
                                     cmocka_unit_test(many_texts_are_read_in_blocks),
                                     cmocka_unit_test(classes_that_differ_by_case_alone_are_named),
                                     cmocka_unit_test(a_class_of_the_first_row_alone_may_be_a_header),
                                     cmocka_unit_test(interned_texts_are_the_classes_of_rows)};
  return support_run("data_labels", tests, make_folder, remove_folder);
}
