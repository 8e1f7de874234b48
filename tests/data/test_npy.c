/* NumPy files: every type, both byte orders, both array orders, three versions, labels of all kinds, plain and .gz. */
#include <math.h>

#include "data/binary.h"
#include "support/dataset.h"

static const float EXPECTED[] = {0, 1, 2, 3.5f, 100, 7};

/* A (3,2) array in a spelling of the header. */
static void write_array(const char *name, int version, const char *type, bool fortran) {
  char dictionary[128];
  snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': %s, 'shape': (3, 2), }   \n", type, fortran ? "True" : "False");
  Bytes bytes = npy_header(version, dictionary);
  size_t size = (size_t)(type[2] - '0');
  for (size_t i = 0; i < 6; i++) {
    double value = EXPECTED[fortran ? i % 3 * 2 + i / 3 : i];
    if (type[1] == 'f')
      put_float(&bytes, value, size, type[0] == '>');
    else
      put_bits(&bytes, (uint64_t)value, size, type[0] == '>');
  }
  write_bytes(name, &bytes);
}

static void write_integers(const char *name, const char *type, const char *shape, int64_t a, int64_t b, int64_t c) {
  char dictionary[128];
  snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': False, 'shape': %s}", type, shape);
  Bytes bytes = npy_header(1, dictionary);
  size_t size = (size_t)(type[2] - '0');
  put_bits(&bytes, (uint64_t)a, size, type[0] == '>');
  put_bits(&bytes, (uint64_t)b, size, type[0] == '>');
  put_bits(&bytes, (uint64_t)c, size, type[0] == '>');
  write_bytes(name, &bytes);
}

static void write_text(const char *name, const char *text) {
  Bytes bytes = {.length = 0};
  put(&bytes, text, strlen(text));
  write_bytes(name, &bytes);
}

static void every_type_and_order_is_read(void **state) {
  (void)state;
  static const char *const types[] = {"<f4", ">f4", "<f8", ">f8", "<f2", ">f2", "=f4", "|u1",
                                      "<i2", ">i4", "<i8", ">u2", "<u8", "|i1", "|b1"};
  write_text("labels.txt", "p\nq\np\n");
  for (size_t t = 0; t < sizeof types / sizeof *types; t++)
    for (int fortran = 0; fortran < 2; fortran++)
      for (int version = 1; version <= 3; version++) {
        const char *name = version == 2 ? "array.npy.gz" : "array.npy";
        write_array(name, version, types[t], fortran);
        SetosaDataset *dataset = load_file(name, "scale=1 labels=labels.txt");
        float expected[6];
        for (size_t i = 0; i < 6; i++) {
          float whole = floorf(EXPECTED[i]);
          expected[i] = types[t][1] == 'f' ? EXPECTED[i] : types[t][1] == 'b' ? (float)(whole != 0) : whole;
        }
        expect_values(dataset, 3, 2, expected);
        expect_classes(dataset, "p q p", "p q");
        setosa_dataset_destroy(dataset);
      }
}

/* Of 64 bits: the upper half of the numbers without a sign, too. */
static void large_integers_are_rounded_once(void **state) {
  (void)state;
  write_text("labels.txt", "p\nq\np\n");
  write_integers("large.npy", "<u8", "(3, 1)", INT64_C(1) << 62, -1, 3);
  SetosaDataset *dataset = load_file("large.npy", "scale=1 labels=labels.txt");
  const float expected[] = {0x1p62f, 0x1p64f, 3};
  expect_values(dataset, 3, 1, expected);
  setosa_dataset_destroy(dataset);
  write_integers("large.npy", "<i8", "(3, 1)", INT64_MAX, INT64_MIN, -3);
  dataset = load_file("large.npy", "scale=1 labels=labels.txt");
  const float with_sign[] = {0x1p63f, -0x1p63f, -3};
  expect_values(dataset, 3, 1, with_sign);
  setosa_dataset_destroy(dataset);
}

static void halves_are_exact(void **state) {
  (void)state;
  static const struct {
    uint16_t bits;
    float value;
  } halves[] = {{0x0001, 0x1p-24f}, {0x8001, -0x1p-24f}, {0x03FF, 0x1.ff8p-15f}, {0x0400, 0x1p-14f},
                {0x7BFF, 65504},    {0xFBFF, -65504},    {0x8000, -0.0f},        {0x3C01, 1.0009765625f}};
  Bytes bytes = npy_header(1, "{'descr': '<f2', 'fortran_order': False, 'shape': (2, 4)}\n");
  for (size_t i = 0; i < 8; i++) put_bits(&bytes, halves[i].bits, 2, false);
  write_bytes("halves.npy", &bytes);
  write_text("two.txt", "p\nq\n");
  SetosaDataset *dataset = load_file("halves.npy", "labels=two.txt");
  for (size_t i = 0; i < 8; i++) {
    assert_true(setosa_dataset_values(dataset)[i] == halves[i].value);
    assert_int_equal(signbit(setosa_dataset_values(dataset)[i]) != 0, signbit(halves[i].value) != 0);
  }
  setosa_dataset_destroy(dataset);
}

static void bytes_are_scaled_like_pixels(void **state) {
  (void)state;
  write_array("bytes.npy", 1, "|u1", false);
  write_text("labels.txt", "p\nq\np\n");
  SetosaDataset *dataset = load_file("bytes.npy", "labels=labels.txt");
  assert_true(setosa_dataset_values(dataset)[4] == 100 * (float)(1.0 / 255));
  setosa_dataset_destroy(dataset);
}

static void headers_are_read_in_every_spelling(void **state) {
  (void)state;
  static const char *const dictionaries[] = {
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}",
      "{\"shape\":(1,2,),\"fortran_order\":False,\"descr\":\"<f4\",}",
      "  { 'shape' : ( 1 , 2 ) , 'descr' : '<f4' , 'fortran_order' : False }  \n",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1L, 2L), }",
  };
  for (size_t i = 0; i < sizeof dictionaries / sizeof *dictionaries; i++) {
    Bytes bytes = npy_header(1, dictionaries[i]);
    put_float(&bytes, 5, 4, false);
    put_float(&bytes, -6, 4, false);
    write_bytes("spelling.npy", &bytes);
    const float expected[] = {5, -6};
    SetosaDataset *dataset = load_file("spelling.npy", "optional");
    expect_values(dataset, 1, 2, expected);
    assert_null(setosa_dataset_labels(dataset));
    setosa_dataset_destroy(dataset);
  }
}

/* X-labels.npy beside X.npy, as setosa generate names them; what is given with --labels comes first, and predictions need none. */
static void labels_are_found_by_their_name(void **state) {
  (void)state;
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  char path[SUPPORT_PATH], found[SUPPORT_PATH];
  static const char *const names[][2] = {{"own.npy", "own-labels.npy"},
                                         {"own.npy", "own-labels.npy.gz"},
                                         {"own.npy.gz", "own-labels.npy.gz"},
                                         {"own.npy.gz", "own-labels.npy"},
                                         {"own.NPY", "own-labels.NPY"}};
  write_integers("given.npy", "<i4", "(3,)", 0, 1, 1);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    write_array(names[i][0], 1, "<f4", false);
    support_path(path, test_folder, names[i][0]);
    support_fails(test_load(&dataset, path, "", &error), &error, SETOSA_ERROR_USAGE, path);
    write_integers(names[i][1], "<i4", "(3,)", 1, 0, 1);
    support_path(found, test_folder, names[i][1]);
    dataset = load_file(names[i][0], "");
    expect_classes(dataset, "1 0 1", "0 1");
    assert_string_equal(setosa_dataset_labels_found(dataset), found);
    setosa_dataset_destroy(dataset);
    dataset = load_file(names[i][0], "labels=given.npy");
    expect_classes(dataset, "0 1 1", "0 1");
    assert_null(setosa_dataset_labels_found(dataset));
    setosa_dataset_destroy(dataset);
    dataset = load_file(names[i][0], "optional");
    assert_null(setosa_dataset_labels(dataset));
    setosa_dataset_destroy(dataset);
    write_integers(names[i][1], "<i4", "(2,)", 1, 0, 1); /* and a third number too many */
    support_fails(test_load(&dataset, path, "", &error), &error, SETOSA_ERROR_DATA, found);
    remove_file(names[i][0]);
    remove_file(names[i][1]);
  }
}

static void labels_come_in_many_kinds(void **state) {
  (void)state;
  write_array("array.npy", 1, "<f4", false);
  static const char *const types[] = {"|u1", "|i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8", "<u4"};
  for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
    write_integers("labels.npy", types[t], t % 2 ? "(3,)" : "(3, 1)", 1, 0, 1);
    SetosaDataset *dataset = load_file("array.npy", "labels=labels.npy");
    expect_classes(dataset, "1 0 1", "0 1");
    setosa_dataset_destroy(dataset);
  }
  static const struct {
    const char *text, *rows, *classes;
  } texts[] = {
      {"b\na\nb\n", "b a b", "a b"},
      {"b\r\na\r\n\r\nb", "b a b", "a b"},
      {"\"b\"\n a \nb\n\n", "b a b", "a b"},
      {"species\nb\na\nb\n", "b a b", "a b"},
      {"\xEF\xBB\xBF"
       "10\n9\n10\n",
       "10 9 10", "9 10"},
      {"7.0\n3\n7\n", "7 3 7", "3 7"},
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    for (int zipped = 0; zipped < 2; zipped++) {
      write_text(zipped ? "labels.csv.gz" : "labels.csv", texts[i].text);
      SetosaDataset *dataset = load_file("array.npy", zipped ? "labels=labels.csv.gz" : "labels=labels.csv");
      expect_classes(dataset, texts[i].rows, texts[i].classes);
      setosa_dataset_destroy(dataset);
    }
}

/* More than one block of the reader, in both orders. */
static void large_arrays_are_whole(void **state) {
  (void)state;
  enum { ROWS = 150000, FEATURES = 3 };
  size_t length = 0;
  unsigned char *bytes = malloc(4096 + (size_t)ROWS * FEATURES * 8);
  for (int fortran = 0; fortran < 2; fortran++) {
    char dictionary[128];
    snprintf(dictionary, sizeof dictionary, "{'descr': '<f8', 'fortran_order': %s, 'shape': (%d, %d)}", fortran ? "True" : "False", ROWS,
             FEATURES);
    Bytes header = npy_header(1, dictionary);
    memcpy(bytes, header.at, length = header.length);
    for (size_t i = 0; i < (size_t)ROWS * FEATURES; i++) {
      double value = fortran ? (double)(i % ROWS * FEATURES + i / ROWS) : (double)i;
      memcpy(bytes + length, &value, 8); /* the tests run on little-endian machines; the readers need not */
      length += 8;
    }
    SetosaDataset *dataset = load_good(fortran ? "large.npy.gz" : "large.npy", bytes, length, "optional");
    assert_int_equal(setosa_dataset_rows(dataset), ROWS);
    for (size_t i = 0; i < (size_t)ROWS * FEATURES; i++)
      if (setosa_dataset_values(dataset)[i] != (float)i) fail_msg("value %zu is %g", i, (double)setosa_dataset_values(dataset)[i]);
    setosa_dataset_destroy(dataset);
  }
  free(bytes);
}

/* ---- f32 as the machine holds it: mapped, not read --------------------------------------------------------------- */

enum { MAPPED_ROWS = 300001, MAPPED_FEATURES = 5, MAPPED_LENGTH = MAPPED_ROWS * MAPPED_FEATURES };

static float mapped_value(size_t i) { return (float)(i % 8191) * 0.37f - 1000; }

/* 6 MB: more than one block of the check. extra: numbers more than the header announces, or fewer. */
static size_t write_mapped(const char *name, long extra, size_t spoiled, float spoil) {
  Bytes header = npy_header(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (300001, 5), }                     \n");
  assert_int_equal(header.length % 4, 0);
  size_t numbers = (size_t)(MAPPED_LENGTH + extra), length = header.length + 4 * numbers;
  unsigned char *bytes = malloc(length);
  assert_non_null(bytes);
  memcpy(bytes, header.at, header.length);
  for (size_t i = 0; i < numbers; i++) {
    float value = i == spoiled ? spoil : mapped_value(i);
    memcpy(bytes + header.length + 4 * i, &value, 4);
  }
  char path[SUPPORT_PATH];
  support_path(path, test_folder, name);
  if (strstr(name, ".gz") != NULL)
    write_gzip(path, bytes, length);
  else
    support_write(path, bytes, length);
  free(bytes);
  return length;
}

static void floats_are_mapped_in_place(void **state) {
  (void)state;
  write_mapped("mapped.npy", 0, SIZE_MAX, 0);
  SetosaDataset *dataset = load_file("mapped.npy", "optional");
  assert_true(is_mapped(dataset));
  assert_int_equal(setosa_dataset_rows(dataset), MAPPED_ROWS);
  for (size_t i = 0; i < MAPPED_LENGTH; i++)
    if (setosa_dataset_values(dataset)[i] != mapped_value(i)) fail_msg("value %zu is %g", i, (double)setosa_dataset_values(dataset)[i]);
  setosa_dataset_destroy(dataset);
  /* What has to be changed on the way is read. */
  static const struct {
    const char *name, *type;
    bool fortran, mapped;
  } files[] = {{"f.npy", "<f4", false, true},  {"f.npy", "=f4", false, true},     {"f.npy", ">f4", false, false},
               {"f.npy", "<f4", true, false},  {"f.npy.gz", "<f4", false, false}, {"f.npy", "<f8", false, false},
               {"f.npy", "<f2", false, false}, {"f.npy", "|u1", false, false}};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    write_array(files[i].name, 1, files[i].type, files[i].fortran);
    dataset = load_file(files[i].name, "optional");
    /* write_array's header is 70 or 71 bytes long with its first ten: see whether the numbers lie at a multiple of 4. */
    char path[SUPPORT_PATH];
    size_t length = 0;
    support_path(path, test_folder, files[i].name);
    free(support_read(path, &length));
    bool aligned = (length - 24) % 4 == 0;
    assert_int_equal(is_mapped(dataset), files[i].mapped && aligned);
    setosa_dataset_destroy(dataset);
  }
}

static void headers_of_odd_length_are_read(void **state) {
  (void)state;
  for (int blanks = 0; blanks < 8; blanks++) {
    char dictionary[128];
    snprintf(dictionary, sizeof dictionary, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1)}%.*s", blanks, "        ");
    Bytes bytes = npy_header(1, dictionary);
    size_t offset = bytes.length;
    put_float(&bytes, 5, 4, false);
    put_float(&bytes, -6, 4, false);
    write_bytes("odd.npy", &bytes);
    const float expected[] = {5, -6};
    SetosaDataset *dataset = load_file("odd.npy", "optional");
    expect_values(dataset, 2, 1, expected);
    assert_int_equal(is_mapped(dataset), offset % 4 == 0);
    setosa_dataset_destroy(dataset);
  }
}

static void refuse_mapped(const char *name, const char *problem) {
  char path[SUPPORT_PATH], expected[SUPPORT_PATH + 200];
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  support_path(path, test_folder, name);
  snprintf(expected, sizeof expected, "%s%s", path, problem);
  support_fails(test_load(&dataset, path, "optional", &error), &error, SETOSA_ERROR_DATA, expected);
  assert_null(dataset);
}

static void mapped_files_are_checked_like_others(void **state) {
  (void)state;
  static const struct {
    size_t at;
    float value;
    const char *problem;
  } spoilt[] = {{0, NAN, ":1:1: the value is not a number"},
                {MAPPED_LENGTH - 1, INFINITY, ":300001:5: the value is infinite"},
                {1048574, -INFINITY, ":209715:5: the value is infinite"}, /* the last and the first of the check's blocks */
                {1048575, NAN, ":209716:1: the value is not a number"},
                {777777, NAN, ":155556:3: the value is not a number"}};
  for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
    write_mapped("spoilt.npy", 0, spoilt[i].at, spoilt[i].value);
    refuse_mapped("spoilt.npy", spoilt[i].problem);
  }
  write_mapped("short.npy", -1, SIZE_MAX, 0);
  refuse_mapped("short.npy", ": ends after 1500004 of 1500005 numbers; write the file again");
  write_mapped("long.npy", 1, SIZE_MAX, 0);
  refuse_mapped("long.npy", ": goes on after the data that its header announces; write the file again");
}

/* Whatever changes rows changes a copy, to the bits that a set that was read would have; the file stays as it is. */
static void changing_a_mapped_set_copies_it(void **state) {
  (void)state;
  SetosaError error = {0};
  char path[SUPPORT_PATH];
  size_t length = 0;
  char *labels = malloc(2 * MAPPED_ROWS + 1);
  assert_non_null(labels);
  for (size_t i = 0; i < MAPPED_ROWS; i++) memcpy(labels + 2 * i, i % 3 == 0 ? "p\n" : "q\n", 3);
  write_text("one.txt", "p\n");
  support_path(path, test_folder, "many.txt");
  support_write(path, labels, 2 * MAPPED_ROWS);
  free(labels);
  write_mapped("mapped.npy", 0, SIZE_MAX, 0);
  write_mapped("read.npy.gz", 0, SIZE_MAX, 0);
  support_path(path, test_folder, "mapped.npy");
  char *before = support_read(path, &length);
  for (int change = 0; change < 4; change++) {
    const char *options = change == 3 ? "scale=3 labels=many.txt" : "labels=many.txt";
    SetosaDataset *sets[2] = {load_file("mapped.npy", options), load_file("read.npy.gz", options)}, *held[2] = {NULL, NULL};
    assert_int_equal(is_mapped(sets[0]), change != 3);
    assert_false(is_mapped(sets[1]));
    for (int s = 0; s < 2; s++) {
      if (change == 0) support_ok(setosa_dataset_shuffle(sets[s], 5, &error), &error);
      if (change == 1) support_ok(setosa_dataset_standardize(sets[s], &error), &error);
      if (change == 2) support_ok(setosa_dataset_split(sets[s], 0.25, 5, &held[s], &error), &error);
    }
    assert_false(is_mapped(sets[0]));
    for (SetosaDataset **pair = sets; pair != NULL; pair = pair == sets && held[0] != NULL ? held : NULL) {
      assert_int_equal(setosa_dataset_rows(pair[0]), setosa_dataset_rows(pair[1]));
      assert_memory_equal(setosa_dataset_values(pair[0]), setosa_dataset_values(pair[1]),
                          setosa_dataset_rows(pair[0]) * MAPPED_FEATURES * sizeof(float));
      assert_memory_equal(setosa_dataset_labels(pair[0]), setosa_dataset_labels(pair[1]), setosa_dataset_rows(pair[0]) * sizeof(int32_t));
    }
    for (int s = 0; s < 2; s++) {
      setosa_dataset_destroy(sets[s]);
      setosa_dataset_destroy(held[s]);
    }
  }
  char *after = support_read(path, &length);
  assert_memory_equal(before, after, length);
  free(before);
  free(after);
}

/* A slice of a mapped set that is changed leaves the set and its mapping alone, and outlives them. */
static void a_slice_of_a_mapped_set_gets_its_own_rows(void **state) {
  (void)state;
  Error error = {0};
  write_mapped("mapped.npy", 0, SIZE_MAX, 0);
  SetosaDataset *dataset = load_file("mapped.npy", "optional"), *slice = NULL, *untouched = NULL;
  support_ok(dataset_slice(&slice, dataset, dataset_all(dataset), &error), &error);
  support_ok(dataset_slice(&untouched, dataset, dataset_all(dataset), &error), &error);
  assert_ptr_equal(setosa_dataset_values(slice), setosa_dataset_values(dataset));
  support_ok(setosa_dataset_shuffle(slice, 1, &error), &error);
  assert_ptr_not_equal(setosa_dataset_values(slice), setosa_dataset_values(dataset));
  for (size_t i = 0; i < MAPPED_LENGTH; i++) assert_true(setosa_dataset_values(dataset)[i] == mapped_value(i));
  setosa_dataset_destroy(dataset);
  setosa_dataset_destroy(slice);
  assert_true(is_mapped(untouched));
  for (size_t i = 0; i < MAPPED_LENGTH; i++) assert_true(setosa_dataset_values(untouched)[i] == mapped_value(i));
  setosa_dataset_destroy(untouched);
}

typedef struct Watch {
  uint64_t bytes_done, bytes_total, rows_done;
  bool stop;
} Watch;

static bool watch(const SetosaProgress *progress, void *user) {
  Watch *w = user;
  assert_true(progress->bytes_done >= w->bytes_done);
  w->bytes_done = progress->bytes_done;
  w->bytes_total = progress->bytes_total;
  w->rows_done = progress->rows_done;
  return !w->stop;
}

static void mapping_reports_progress_and_stops(void **state) {
  (void)state;
  size_t length = write_mapped("mapped.npy", 0, SIZE_MAX, 0);
  for (int stop = 0; stop < 2; stop++) {
    Watch w = {.stop = stop == 1};
    SetosaDataOptions options = setosa_data_options_default();
    options.labels_optional = true;
    options.progress = watch;
    options.progress_user = &w;
    char path[SUPPORT_PATH];
    SetosaDataset *dataset = NULL;
    SetosaError error = {0};
    support_path(path, test_folder, "mapped.npy");
    SetosaStatus status = setosa_dataset_load(&dataset, path, &options, &error);
    assert_int_equal(status, stop ? SETOSA_INTERRUPTED : SETOSA_OK);
    assert_int_equal(w.bytes_total, length);
    if (!stop) assert_true(w.bytes_done == length && w.rows_done == MAPPED_ROWS);
    setosa_dataset_destroy(dataset);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type_and_order_is_read),
      cmocka_unit_test(large_integers_are_rounded_once),
      cmocka_unit_test(halves_are_exact),
      cmocka_unit_test(bytes_are_scaled_like_pixels),
      cmocka_unit_test(headers_are_read_in_every_spelling),
      cmocka_unit_test(labels_are_found_by_their_name),
      cmocka_unit_test(labels_come_in_many_kinds),
      cmocka_unit_test(large_arrays_are_whole),
      cmocka_unit_test(floats_are_mapped_in_place),
      cmocka_unit_test(headers_of_odd_length_are_read),
      cmocka_unit_test(mapped_files_are_checked_like_others),
      cmocka_unit_test(changing_a_mapped_set_copies_it),
      cmocka_unit_test(a_slice_of_a_mapped_set_gets_its_own_rows),
      cmocka_unit_test(mapping_reports_progress_and_stops),
  };
  return support_run("data_npy", tests, make_folder, remove_folder);
}
