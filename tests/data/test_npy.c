/* NumPy files: every type, both byte orders, both array orders, three versions, labels of all kinds, plain and .gz. */
#include <math.h>

#include "data/binary.h"

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
        for (size_t i = 0; i < 6; i++) expected[i] = types[t][1] == 'f' ? EXPECTED[i] : floorf(EXPECTED[i]);
        expect_values(dataset, 3, 2, expected);
        expect_classes(dataset, "p q p", "p q");
        setosa_dataset_destroy(dataset);
      }
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

static void labels_come_in_many_kinds(void **state) {
  (void)state;
  write_array("array.npy", 1, "<f4", false);
  static const char *const types[] = {"|u1", "|i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8", "<u4", "|b1"};
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
    assert_int_equal(dataset->rows, ROWS);
    for (size_t i = 0; i < (size_t)ROWS * FEATURES; i++)
      if (setosa_dataset_values(dataset)[i] != (float)i) fail_msg("value %zu is %g", i, (double)setosa_dataset_values(dataset)[i]);
    setosa_dataset_destroy(dataset);
  }
  free(bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type_and_order_is_read), cmocka_unit_test(halves_are_exact),
      cmocka_unit_test(bytes_are_scaled_like_pixels), cmocka_unit_test(headers_are_read_in_every_spelling),
      cmocka_unit_test(labels_come_in_many_kinds),    cmocka_unit_test(large_arrays_are_whole),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
