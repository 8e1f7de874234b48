/* Classes are the distinct values of the labels and are called by these, whatever kind of file the labels come from. */
#include <math.h>
#include <time.h>

#include "data/binary.h"

/* rows of one feature: 0, 1, 2, ... */
static void write_features(const char *name, size_t rows, const char *type) {
  char dictionary[128];
  snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': False, 'shape': (%zu, 1)}", type, rows);
  Bytes bytes = npy_header(1, dictionary);
  for (size_t i = 0; i < rows; i++) put_float(&bytes, (double)i, (size_t)(type[2] - '0'), type[0] == '>');
  write_bytes(name, &bytes);
}

static void write_labels(const char *name, const char *type, size_t rows, const double *values) {
  char dictionary[128];
  size_t size = (size_t)(type[2] - '0');
  snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': False, 'shape': (%zu,)}", type, rows);
  Bytes bytes = npy_header(1, dictionary);
  for (size_t i = 0; i < rows; i++) {
    if (type[1] == 'f')
      put_float(&bytes, values[i], size, type[0] == '>');
    else if (type[1] == 'u')
      put_bits(&bytes, (uint64_t)values[i], size, type[0] == '>');
    else
      put_bits(&bytes, (uint64_t)(int64_t)values[i], size, type[0] == '>');
  }
  write_bytes(name, &bytes);
}

static void write_text(const char *name, const char *text) {
  Bytes bytes = {.length = 0};
  put(&bytes, text, strlen(text));
  write_bytes(name, &bytes);
}

typedef struct Case {
  const char *type;
  double values[4];
  const char *text, *rows, *classes; /* text: a CSV's labels, which must give the same */
} Case;

static const Case cases[] = {
    {"<i8", {10, 30, 20, 10}, "10\n30\n20\n10\n", "10 30 20 10", "10 20 30"},
    {"|u1", {1, 3, 2, 1}, "1\n3\n2\n1\n", "1 3 2 1", "1 2 3"},
    {">i4", {7, 2000000000, 7, -5}, "7\n2000000000\n7\n-5\n", "7 2000000000 7 -5", "-5 7 2000000000"},
    {"<i2", {-1, 1, -1, 1}, "-1\n1\n-1\n1\n", "-1 1 -1 1", "-1 1"},
    {"|b1", {0, 1, 1, 0}, "False\nTrue\nTrue\nFalse\n", "False True True False", "False True"},
    {"<i8",
     {1099511627776.0, 0, 9007199254740992.0, 0},
     "1099511627776\n0\n9007199254740992\n0\n",
     "1099511627776 0 9007199254740992 0",
     "0 1099511627776 9007199254740992"},
    {"<u8",
     {0x1p63, 3, 0x1p63, 3},
     "9223372036854775808\n3\n9223372036854775808\n3\n",
     "9223372036854775808 3 9223372036854775808 3",
     "3 9223372036854775808"},
    {"<f4", {1, 2, 1, 3}, "1.0\n2.0\n1.0\n3.0\n", "1 2 1 3", "1 2 3"},
    {"<f8", {10, 2, -0.0, 0}, "10.0\n2.0\n-0.0\n0.0\n", "10 2 0 0", "0 2 10"},
    {">f8", {1e6, 1e6, 0, 0}, "1e6\n1e6\n0\n0\n", "1000000 1000000 0 0", "0 1000000"},
    {"<f4", {0.1, 1.5, 0.1, 1.5}, "0.1\n1.5\n0.1\n1.5\n", "0.1 1.5 0.1 1.5", "0.1 1.5"},
    {"<f8", {0.1, 1.5, 0.1, 1.5}, "0.1\n1.5\n0.1\n1.5\n", "0.1 1.5 0.1 1.5", "0.1 1.5"},
    {"<f2", {0.5, 1, 0.5, 1}, "0.5\n1\n0.5\n1\n", "0.5 1 0.5 1", "0.5 1"},
};

/* .npy, .npy.gz, a text file and a CSV say the same. */
static void values_are_the_classes(void **state) {
  (void)state;
  write_features("x.npy", 4, "<f4");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    static const char *const names[] = {"y.npy", "y.npy.gz", "y.txt"};
    char csv[256] = "x,y\n", *rest = NULL, *lines = strdup(cases[i].text);
    write_labels(names[0], cases[i].type, 4, cases[i].values);
    write_labels(names[1], cases[i].type, 4, cases[i].values);
    write_text(names[2], cases[i].text);
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
      char options[64];
      snprintf(options, sizeof options, "labels=%s", names[n]);
      SetosaDataset *dataset = load_file("x.npy", options);
      expect_classes(dataset, cases[i].rows, cases[i].classes);
      setosa_dataset_destroy(dataset);
    }
    for (char *line = strtok_r(lines, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
      snprintf(csv + strlen(csv), sizeof csv - strlen(csv), "1,%s\n", line);
    free(lines);
    SetosaDataset *dataset = load_csv("y.csv", csv, "");
    expect_classes(dataset, cases[i].rows, cases[i].classes);
    setosa_dataset_destroy(dataset);
  }
}

static void idx_labels_with_gaps_make_no_classes(void **state) {
  (void)state;
  const uint32_t rows[] = {4, 1, 1};
  Bytes images = idx_header(0x08, 3, rows), bytes = idx_header(0x08, 1, rows), shorts = idx_header(0x0B, 1, rows);
  Bytes floats = idx_header(0x0D, 1, rows);
  put(&images, "\1\2\3\4", 4);
  put(&bytes, "\x0A\xFA\x0A\x14", 4);
  put(&shorts, "\xFF\xFF\0\1\xFF\xFF\0\x64", 8);
  for (size_t i = 0; i < 4; i++) put_float(&floats, i < 2 ? 3 : 40, 4, true);
  write_bytes("gaps-images-idx3-ubyte", &images);
  write_bytes("gaps-labels-idx1-ubyte", &bytes);
  write_bytes("shorts", &shorts);
  write_bytes("floats", &floats);
  static const char *const expected[][3] = {
      {"", "10 250 10 20", "10 20 250"}, {"labels=shorts", "-1 1 -1 100", "-1 1 100"}, {"labels=floats", "3 3 40 40", "3 40"}};
  for (size_t i = 0; i < 3; i++) {
    SetosaDataset *dataset = load_file("gaps-images-idx3-ubyte", expected[i][0]);
    expect_classes(dataset, expected[i][1], expected[i][2]);
    setosa_dataset_destroy(dataset);
  }
}

/* A model's classes, in its order: numbers are looked up as they are spelled, and one that it does not know is said. */
static void a_model_brings_its_classes(void **state) {
  (void)state;
  write_features("x.npy", 4, "<f4");
  write_labels("y.npy", "<f4", 4, (const double[]){30, 10, 30, 10});
  SetosaDataset *dataset = load_file("x.npy", "expect=1 classes=30,20,10 labels=y.npy");
  expect_classes(dataset, "30 10 30 10", "30 20 10");
  setosa_dataset_destroy(dataset);
  write_labels("y.npy", "<i4", 4, (const double[]){1, 0, 2, 1}); /* a model trained when labels 1 and 2 had a class 0 beside them */
  dataset = load_file("x.npy", "expect=1 classes=0,1,2 labels=y.npy");
  expect_classes(dataset, "1 0 2 1", "0 1 2");
  setosa_dataset_destroy(dataset);

  write_labels("y.npy", "<i4", 4, (const double[]){10, 10, 10, 11});
  char path[SUPPORT_PATH], labels[SUPPORT_PATH], options[2 * SUPPORT_PATH], expected[2 * SUPPORT_PATH];
  support_path(path, test_folder, "x.npy");
  support_path(labels, test_folder, "y.npy");
  SetosaError error = {0};
  snprintf(options, sizeof options, "expect=1 classes=10,20 labels=%s", labels);
  snprintf(expected, sizeof expected, "%s:4: the label '11' is not a class of the model", labels);
  support_fails(test_load(&dataset, path, options, &error), &error, SETOSA_ERROR_DATA, expected);
  dataset = load_file("x.npy", "expect=1 classes=10,20 optional labels=y.npy");
  expect_classes(dataset, "10 10 10 -", "10 20");
  setosa_dataset_destroy(dataset);
  dataset = load_file("x.npy", "positive=11 labels=y.npy");
  expect_classes(dataset, "non-11 non-11 non-11 11", "11 non-11");
  setosa_dataset_destroy(dataset);
}

static void a_label_that_is_no_number_is_refused(void **state) {
  (void)state;
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  char path[SUPPORT_PATH], labels[SUPPORT_PATH], options[2 * SUPPORT_PATH], expected[2 * SUPPORT_PATH];
  write_features("x.npy", 4, "<f4");
  support_path(path, test_folder, "x.npy");
  support_path(labels, test_folder, "y.npy");
  snprintf(options, sizeof options, "labels=%s", labels);
  write_labels("y.npy", "<f8", 4, (const double[]){0, 1, (double)NAN, 1});
  snprintf(expected, sizeof expected, "%s:3: the label is nan, which is no class; fill it in or remove the row", labels);
  support_fails(test_load(&dataset, path, options, &error), &error, SETOSA_ERROR_DATA, expected);
  write_labels("y.npy", "<f4", 4, (const double[]){0, 1, 0, -(double)INFINITY});
  snprintf(expected, sizeof expected, "%s:4: the label is -inf, which is no class", labels);
  support_fails(test_load(&dataset, path, options, &error), &error, SETOSA_ERROR_DATA, expected);
  dataset = load_file("x.npy", "optional labels=y.npy expect=1 classes=0,1");
  expect_classes(dataset, "0 1 0 -", "0 1");
  setosa_dataset_destroy(dataset);
  write_labels("y.npy", "<f4", 4, (const double[]){0.25, 1.5, 0.75, 2.125}); /* measured, not chosen */
  snprintf(expected, sizeof expected, "%s: the labels hold 4 different numbers such as 0.25", path);
  support_fails(test_load(&dataset, path, options, &error), &error, SETOSA_ERROR_DATA, expected);
}

/* More values than are remembered at a time, and each many times. */
static void many_values_are_told_apart(void **state) {
  (void)state;
  enum { ROWS = 60000, VALUES = 20000 };
  char path[SUPPORT_PATH], dictionary[128];
  int32_t *labels = malloc(ROWS * sizeof *labels);
  float *values = calloc(ROWS, sizeof *values);
  assert_non_null(labels);
  assert_non_null(values);
  for (size_t i = 0; i < ROWS; i++) labels[i] = (int32_t)(i * 7919 % VALUES) * 1009 - 4000;
  for (int file = 0; file < 2; file++) {
    snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': False, 'shape': (%d,%s)}", file == 0 ? "<i4" : "<f4", ROWS,
             file == 0 ? "" : " 1");
    Bytes header = npy_header(1, dictionary);
    while (header.length % 4 != 0) header.at[8]++, header.at[header.length++] = ' ';
    unsigned char *all = malloc(header.length + 4 * ROWS);
    memcpy(all, header.at, header.length);
    memcpy(all + header.length, file == 0 ? (void *)labels : (void *)values, 4 * (size_t)ROWS);
    support_path(path, test_folder, file == 0 ? "y.npy" : "x.npy");
    support_write(path, all, header.length + 4 * ROWS);
    free(all);
  }
  SetosaDataset *dataset = load_file("x.npy", "labels=y.npy");
  assert_int_equal(setosa_dataset_classes(dataset), VALUES);
  for (size_t i = 0; i < ROWS; i++)
    assert_int_equal(strtol(setosa_dataset_class_name(dataset, (size_t)setosa_dataset_labels(dataset)[i]), NULL, 10), labels[i]);
  setosa_dataset_destroy(dataset);
  free(labels);
  free(values);
}

/* A column of doubles, which is converted into the cache when it is long; sorted labels, so that each part has other ones. */
static void write_column(const char *name, size_t rows, bool is_labels) {
  char path[SUPPORT_PATH], dictionary[128];
  snprintf(dictionary, sizeof dictionary, "{'descr': '<f8', 'fortran_order': False, 'shape': (%zu,%s)}", rows, is_labels ? "" : " 1");
  Bytes header = npy_header(1, dictionary);
  unsigned char *all = malloc(header.length + 8 * rows);
  assert_non_null(all);
  memcpy(all, header.at, header.length);
  for (size_t i = 0; i < rows; i++) {
    double value = is_labels ? 10 * floor(3 * (double)i / (double)rows) + 10 : (double)i;
    memcpy(all + header.length + 8 * i, &value, 8);
  }
  support_path(path, test_folder, name);
  support_write(path, all, header.length + 8 * rows);
  free(all);
}

static void parts_and_the_cache_agree_on_classes(void **state) {
  (void)state;
  enum { ROWS = 1100000 };
  char path[SUPPORT_PATH], cache[SUPPORT_PATH];
  support_path(path, test_folder, "long.npy");
  support_path(cache, test_folder, "cache");
  write_column("long.npy", ROWS, false);
  write_column("long-labels.npy", ROWS, true);
  nanosleep(&(struct timespec){0, 150000000}, NULL); /* a file of this very moment may change yet, and is not kept */
  for (size_t time = 0; time < 4; time++) {
    SetosaDataset *dataset = NULL;
    SetosaError error = {0};
    SetosaDataOptions options = setosa_data_options_default();
    options.cache = cache;
    options.part = time % 2;
    options.parts = time < 2 ? 1 + time : 2;
    support_ok(setosa_dataset_load(&dataset, path, &options, &error), &error);
    assert_int_equal(setosa_dataset_cached(dataset), time > 0);
    assert_int_equal(setosa_dataset_classes(dataset), 3);
    for (size_t k = 0; k < 3; k++) assert_int_equal(strtol(setosa_dataset_class_name(dataset, k), NULL, 10), 10 * (long)k + 10);
    assert_int_equal(setosa_dataset_labels(dataset)[0], 0);
    assert_int_equal(setosa_dataset_labels(dataset)[ROWS / 2], 1);
    assert_int_equal(setosa_dataset_labels(dataset)[ROWS - 1], 2);
    setosa_dataset_destroy(dataset);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(values_are_the_classes),     cmocka_unit_test(idx_labels_with_gaps_make_no_classes),
                                     cmocka_unit_test(a_model_brings_its_classes), cmocka_unit_test(a_label_that_is_no_number_is_refused),
                                     cmocka_unit_test(many_values_are_told_apart), cmocka_unit_test(parts_and_the_cache_agree_on_classes)};
  return support_run("data_classes", tests, make_folder, remove_folder);
}
