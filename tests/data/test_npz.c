/* Archives as numpy.savez writes them, put together byte by byte: stored and deflated, in any order, with sizes of zip64; and what is said
 * of those that lack something or are damaged. */
#include <math.h>
#include <time.h>

#include "data/zip.h"

static const float VALUES[] = {1, 2, 3, 4, 5, 6};

/* (3,2) of f32 or f64. */
static Bytes rows_of(size_t size, bool fortran) {
  Bytes bytes = array(size == 4 ? "<f4" : "<f8", "(3, 2)", fortran, "", 0);
  for (size_t i = 0; i < 6; i++) put_float(&bytes, (double)VALUES[fortran ? i % 3 * 2 + i / 3 : i], size, false);
  return bytes;
}

static Bytes text_labels(void) { return array("|S1", "(3,)", false, "pqp", 3); }

static void expect_good(const char *name, const char *options) {
  SetosaDataset *dataset = load_file(name, options);
  expect_values(dataset, 3, 2, VALUES);
  expect_classes(dataset, "p q p", "p q");
  setosa_dataset_destroy(dataset);
}

static void rows_and_labels_are_found(void **state) {
  (void)state;
  static const char *const names[][2] = {
      {"X.npy", "y.npy"},        {"x.npy", "Y.npy"}, {"data.npy", "target.npy"}, {"X.npy", "label.npy"}, {"features.npy", "labels.npy"},
      {"arr_0.npy", "arr_1.npy"}};
  const Bytes labels = text_labels();
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    for (int way = 0; way < 16; way++) {
      bool deflated = way & 1, fortran = way & 2, swapped = way & 4;
      Zip zip = {.zip64 = way & 8};
      const Bytes rows = rows_of(i % 2 ? 4 : 8, fortran);
      if (swapped) zip_add(&zip, names[i][1], &labels, !deflated);
      zip_add(&zip, names[i][0], &rows, deflated);
      if (!swapped) zip_add(&zip, names[i][1], &labels, deflated);
      zip_write(i == 0 ? "archive.data" : "archive.npz", &zip); /* known by its bytes, too */
      expect_good(i == 0 ? "archive.data" : "archive.npz", "");
    }
}

static void labels_of_every_kind_are_read(void **state) {
  (void)state;
  const Bytes rows = rows_of(4, false), numbers = array("<i2", "(3, 1)", false, "\xFF\xFF\x32\0\xFF\xFF", 6);
  const Bytes truths = array("|b1", "(3,)", false, "\1\0\1", 3), words = array("<U1", "(3,)", false, "p\0\0\0q\0\0\0p\0\0\0", 12);
  const Bytes *const kinds[] = {&numbers, &truths, &words};
  static const char *const expected[][2] = {{"-1 50 -1", "-1 50"}, {"True False True", "False True"}, {"p q p", "p q"}};
  for (size_t i = 0; i < 3; i++) {
    Zip zip = {0};
    zip_add(&zip, "X.npy", &rows, true);
    zip_add(&zip, "y.npy", kinds[i], true);
    zip_write("kinds.npz", &zip);
    SetosaDataset *dataset = load_file("kinds.npz", "");
    expect_classes(dataset, expected[i][0], expected[i][1]);
    setosa_dataset_destroy(dataset);
  }
  /* A file of labels comes before those of the archive; to predict, none are needed. */
  char path[SUPPORT_PATH];
  support_path(path, test_folder, "labels.txt");
  support_write(path, "p\nq\np\n", 6);
  expect_good("kinds.npz", "labels=labels.txt");
  SetosaDataset *dataset = load_file("kinds.npz", "optional");
  assert_null(setosa_dataset_labels(dataset));
  setosa_dataset_destroy(dataset);
}

static void names_and_weights_are_read(void **state) {
  (void)state;
  const Bytes rows = rows_of(8, false), labels = text_labels(), names = array("<U2", "(2,)", false, "a\0\0\0\0\0\0\0b\0\0\0c\0\0\0", 16);
  Bytes weights = array("<f4", "(3,)", false, "", 0);
  for (size_t i = 0; i < 3; i++) put_float(&weights, (double)i + 1, 4, false);
  Zip zip = {0};
  zip_add(&zip, "w.npy", &weights, true);
  zip_add(&zip, "feature_names.npy", &names, true);
  zip_add(&zip, "y.npy", &labels, true);
  zip_add(&zip, "X.npy", &rows, true);
  zip_write("named.npz", &zip);
  SetosaDataset *dataset = load_file("named.npz", "weights=w");
  expect_names(dataset, "a bc");
  assert_true(setosa_dataset_weights(dataset)[0] == 1 && setosa_dataset_weights(dataset)[2] == 3);
  assert_string_equal(setosa_dataset_weights_name(dataset), "w");
  setosa_dataset_destroy(dataset);
  /* A model that was trained with them finds them by itself, and its features in its order. */
  dataset = load_file("named.npz", "expect-weights=w names=a,bc");
  assert_non_null(setosa_dataset_weights(dataset));
  setosa_dataset_destroy(dataset);
  dataset = load_file("named.npz", "");
  assert_null(setosa_dataset_weights(dataset));
  setosa_dataset_destroy(dataset);
  char path[SUPPORT_PATH], expected[2 * SUPPORT_PATH];
  SetosaError error = {0};
  support_path(path, test_folder, "named.npz");
  snprintf(expected, sizeof expected, "%s: feature 1 is 'a', and that of the model 'bc'; put the columns of X in the model's order", path);
  support_fails(test_load(&dataset, path, "names=bc,a", &error), &error, SETOSA_ERROR_DATA, expected);
  support_fails(test_load(&dataset, path, "weights=v", &error), &error, SETOSA_ERROR_DATA, "v: cannot open");
}

/* As in a .npy, columns are looked at before they are rounded, so that those far from 0 keep their digits. */
static void columns_far_from_0_are_shifted(void **state) {
  (void)state;
  const Bytes labels = text_labels();
  for (int deflated = 0; deflated < 2; deflated++) {
    Bytes rows = array("<f8", "(3, 2)", false, "", 0);
    for (size_t i = 0; i < 6; i++) put_float(&rows, i % 2 == 0 ? 1e12 + 0.001 * (double)i : (double)i, 8, false);
    Zip zip = {0};
    zip_add(&zip, "X.npy", &rows, deflated);
    zip_add(&zip, "y.npy", &labels, deflated);
    zip_write("far.npz", &zip);
    SetosaDataset *dataset = load_file("far.npz", "");
    const double *shift = setosa_dataset_shift(dataset);
    const float *values = setosa_dataset_values(dataset);
    assert_non_null(shift);
    assert_true(shift[1] == 0 && values[3] == 3);
    for (size_t i = 0; i < 6; i += 2) assert_true(fabs((double)values[i] + shift[0] - (1e12 + 0.001 * (double)i)) < 2e-4);
    setosa_dataset_destroy(dataset);
  }
}

/* What is said of an archive. */
static void expect_refused(Zip *zip, const char *format) {
  char path[SUPPORT_PATH], expected[3 * SUPPORT_PATH];
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  zip_write("refused.npz", zip);
  support_path(path, test_folder, "refused.npz");
  snprintf(expected, sizeof expected, "%s%s", path, format);
  support_fails(test_load(&dataset, path, "", &error), &error, SETOSA_ERROR_DATA, expected);
}

static void what_is_missing_is_named(void **state) {
  (void)state;
  const Bytes rows = rows_of(8, false), labels = text_labels(), few = array("|S1", "(2,)", false, "pq", 2);
  const Bytes names = array("|S1", "(3,)", false, "abc", 3), cube = array("<f4", "(1, 2, 1)", false, "\0\0\0\0\0\0\0\0", 8);
  static const struct {
    const char *names[3], *message;
  } cases[] = {
      {{"a.npy", "b.npy"}, ": holds no array X (nor x, data, features, arr_0), but 'a', 'b'; save them as numpy.savez(FILE, X=..., y=...)"},
      {{"X.npy", "z.npy"}, ": holds no array y (nor Y, labels, label, target, arr_1), but 'X', 'z'; save them as"},
      {{"notes.txt", "readme"}, ": holds no array X (nor x, data, features, arr_0), but no array at all; save them as"},
      {{"X.npy", "y.npy", "y.npy"}, ": is no zip archive, or a damaged one; write it again"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    Zip zip = {0};
    for (size_t m = 0; m < 3 && cases[i].names[m] != NULL; m++) zip_add(&zip, cases[i].names[m], m == 0 ? &rows : &labels, false);
    expect_refused(&zip, cases[i].message);
  }
  Zip zip = {0};
  zip_add(&zip, "X.npy", &rows, true);
  zip_add(&zip, "y.npy", &few, true);
  char path[SUPPORT_PATH], expected[2 * SUPPORT_PATH];
  support_path(path, test_folder, "refused.npz");
  snprintf(expected, sizeof expected, "/y.npy: holds 2 labels, but %s/X.npy has 3 rows; check that they belong together", path);
  expect_refused(&zip, expected);
  zip = (Zip){0};
  zip_add(&zip, "X.npy", &rows, true);
  zip_add(&zip, "y.npy", &labels, true);
  zip_add(&zip, "feature_names.npy", &names, true);
  snprintf(expected, sizeof expected, "/feature_names.npy: holds 3 names of features, but %s/X.npy has 2 columns; check that", path);
  expect_refused(&zip, expected);
  zip = (Zip){0};
  zip_add(&zip, "X.npy", &cube, true);
  expect_refused(&zip, "/X.npy: the array has 3 dimensions, 2 (rows, features) are needed; reshape it to (rows, -1)");
  zip = (Zip){0};
  zip_add(&zip, "X.npy", &labels, false);
  expect_refused(&zip, "/X.npy: its type |S1 is text; save the numbers as X.astype('float32')");
  Bytes nan = rows_of(8, false);
  memset(nan.at + nan.length - 8, 0xFF, 8);
  zip = (Zip){0};
  zip_add(&zip, "X.npy", &nan, true);
  zip_add(&zip, "y.npy", &labels, true);
  expect_refused(&zip, "/X.npy:3:2: the value is not a number (nan); remove the row or fill the value in");
}

static void damage_is_told(void **state) {
  (void)state;
  const Bytes rows = rows_of(4, false), labels = text_labels();
  static const char table[] = ": is no zip archive, or a damaged one; write it again with numpy.savez(FILE, X=..., y=...)";
  static const char checksum[] = "/X.npy: the archive is damaged (CRC error); write it again with numpy.savez";
  for (int way = 0; way < 6; way++) {
    Zip zip = {.method = way == 3 ? 12 : 0, .flags = way == 4 ? 1 : 0};
    zip_add(&zip, "X.npy", &rows, way == 1);
    zip_add(&zip, "y.npy", &labels, false);
    if (way == 0) zip.at[zip.members[1].offset - 1] ^= 1; /* in the last number of X */
    if (way == 1) zip.members[0].checksum ^= 1;           /* the two headers differ */
    if (way == 2) zip.members[0].bytes += 7;              /* stored, and yet not as long */
    if (way == 5) {                                       /* a byte that unpacks to a gigabyte */
      zip.members[0].deflated = true;
      zip.members[0].bytes = 1 << 30;
      zip.at[8] = 8;
      memcpy(zip.at + 22, "\0\0\0\x40", 4);
    }
    expect_refused(&zip, way == 0   ? checksum
                         : way == 3 ? "/X.npy: is compressed in a way that is not read (method 12); write it with numpy.savez_compressed"
                         : way == 4 ? "/X.npy: is encrypted; write the archive again with numpy.savez"
                         : way == 5 ? "/X.npy: the archive is damaged (impossible sizes); write it again with numpy.savez"
                                    : table);
  }
}

/* Cut anywhere, or with any byte changed, an archive is read or refused with a word. */
static void cut_and_changed_archives_are_refused(void **state) {
  (void)state;
  const Bytes rows = rows_of(8, false), labels = text_labels();
  Zip whole = {0};
  zip_add(&whole, "X.npy", &rows, true);
  zip_add(&whole, "y.npy", &labels, false);
  zip_finish(&whole);
  size_t read = 0, times = 0;
  for (size_t at = 1; at < 2 * whole.length; at += 3, times++) {
    SetosaDataset *dataset = NULL;
    SetosaError error = {0};
    Zip zip = whole;
    if (at < whole.length)
      zip.length = at;
    else
      zip.at[at - whole.length] ^= 0x5A;
    SetosaStatus status = load_bytes(&dataset, "damaged.npz", zip.at, zip.length, "", &error);
    if (status == SETOSA_OK && at < whole.length) fail_msg("an archive that was cut after %zu of %zu bytes was read", at, whole.length);
    if (status != SETOSA_OK && (status != SETOSA_ERROR_DATA || error.message[0] == '\0')) fail_msg("at %zu: %s", at, error.message);
    read += status == SETOSA_OK;
    if (status == SETOSA_OK && setosa_dataset_rows(dataset) == 3) expect_values(dataset, 3, 2, VALUES);
    setosa_dataset_destroy(dataset);
  }
  assert_true(read > 0 && read < times / 4); /* times and attributes of members say nothing */
}

static void the_place_of_an_archive_is_a_plain_file(void **state) {
  (void)state;
  const Bytes rows = rows_of(8, false), labels = text_labels();
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  char path[SUPPORT_PATH], expected[2 * SUPPORT_PATH];
  Zip zip = {0};
  zip_add(&zip, "X.npy", &rows, true);
  zip_add(&zip, "y.npy", &labels, true);
  zip_finish(&zip);
  support_path(path, test_folder, "packed.npz.gz");
  snprintf(expected, sizeof expected, "%s: the contents of an archive stand at its end, so it must be a plain file; unpack the .gz", path);
  support_fails(load_bytes(&dataset, "packed.npz.gz", zip.at, zip.length, "", &error), &error, SETOSA_ERROR_DATA, expected);
  support_path(path, test_folder, "text.npz");
  snprintf(expected, sizeof expected, "%s: is no zip archive, or a damaged one; write it again with numpy.savez", path);
  support_fails(load_bytes(&dataset, "text.npz", "a,b\n1,2\n", 8, "", &error), &error, SETOSA_ERROR_DATA, expected);
  support_fails(load_bytes(&dataset, "named.npz", zip.at, zip.length, "features=a", &error), &error, SETOSA_ERROR_USAGE, "");
}

/* Doubles above the size from which conversions are kept come from there the second time. */
static void large_archives_are_kept_converted(void **state) {
  (void)state;
  enum { ROWS = 1100000 };
  char path[SUPPORT_PATH], cache[SUPPORT_PATH], dictionary[128];
  support_path(path, test_folder, "large.npz");
  support_path(cache, test_folder, "cache");
  Zip *zip = calloc(1, sizeof *zip);
  unsigned char *all = malloc(ROWS * 9 + (1 << 16));
  assert_true(zip != NULL && all != NULL);
  size_t length = 0;
  for (size_t m = 0; m < 2; m++) { /* as zip_add does, of more than it holds */
    size_t size = m == 0 ? 8 : 1;
    snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': False, 'shape': (%d,%s)}", m == 0 ? "<f8" : "|u1", ROWS,
             m == 0 ? " 1" : "");
    const Bytes header = npy_header(1, dictionary);
    size_t bytes = header.length + size * ROWS;
    zip->count++;
    snprintf(zip->members[m].name, sizeof zip->members[m].name, "%s", m == 0 ? "X.npy" : "y.npy");
    zip->members[m].offset = length;
    zip->members[m].bytes = zip->members[m].packed = bytes;
    unsigned char *data = all + length + 35;
    memcpy(data, header.at, header.length);
    for (size_t i = 0; i < ROWS; i++) {
      double value = (double)(i % 1000);
      if (m == 0)
        memcpy(data + header.length + 8 * i, &value, 8);
      else
        data[header.length + i] = (unsigned char)(i % 3);
    }
    zip->members[m].checksum = (uint32_t)crc32(0, data, (unsigned)bytes);
    zip->length = 0;
    zip_bits(zip, 0x04034B50, 4);
    zip_header(zip, m);
    zip_bits(zip, 0, 2);
    zip_bytes(zip, zip->members[m].name, 5);
    assert_int_equal(zip->length, 35);
    memcpy(all + length, zip->at, 35);
    length += 35 + bytes;
  }
  zip->length = 0;
  zip_finish(zip);
  for (size_t i = 0; i < 4; i++) zip->at[zip->length - 6 + i] = (unsigned char)(length >> (8 * i)); /* where the contents begin */
  memcpy(all + length, zip->at, zip->length);
  support_write(path, all, length + zip->length);
  free(all);
  free(zip);
  nanosleep(&(struct timespec){0, 150000000}, NULL); /* a file of this very moment may change yet, and is not kept */
  for (int time = 0; time < 2; time++) {
    SetosaDataset *dataset = NULL;
    SetosaError error = {0};
    SetosaDataOptions options = setosa_data_options_default();
    options.cache = cache;
    support_ok(setosa_dataset_load(&dataset, path, &options, &error), &error);
    assert_int_equal(setosa_dataset_cached(dataset), time > 0);
    assert_int_equal(setosa_dataset_rows(dataset), ROWS);
    assert_int_equal(setosa_dataset_classes(dataset), 3);
    for (size_t i = 0; i < ROWS; i += 999) {
      assert_true(setosa_dataset_values(dataset)[i] == (float)(i % 1000));
      assert_int_equal(setosa_dataset_labels(dataset)[i], i % 3);
    }
    setosa_dataset_destroy(dataset);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(rows_and_labels_are_found),
                                     cmocka_unit_test(labels_of_every_kind_are_read),
                                     cmocka_unit_test(names_and_weights_are_read),
                                     cmocka_unit_test(columns_far_from_0_are_shifted),
                                     cmocka_unit_test(what_is_missing_is_named),
                                     cmocka_unit_test(damage_is_told),
                                     cmocka_unit_test(cut_and_changed_archives_are_refused),
                                     cmocka_unit_test(the_place_of_an_archive_is_a_plain_file),
                                     cmocka_unit_test(large_archives_are_kept_converted)};
  return support_run("data_npz", tests, make_folder, remove_folder);
}
