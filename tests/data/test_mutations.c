/* Valid files cut at every length and with every byte changed: the readers answer with rows or with one line, and never crash
 * (run under AddressSanitizer to make the most of it). */
#include "data/binary.h"

static const char *const COMPANION = "labels.txt"; /* labels for .npy */

/* Whatever the outcome, it must be well formed. */
static void load_whatever(const char *path, const char *options) {
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  SetosaStatus status = test_load(&dataset, path, options, &error);
  if (status == SETOSA_OK) {
    assert_non_null(dataset);
    assert_true(setosa_dataset_rows(dataset) > 0 && setosa_dataset_features(dataset) > 0 && setosa_dataset_classes(dataset) >= 2);
    for (size_t i = 0; i < setosa_dataset_rows(dataset) * setosa_dataset_features(dataset); i++)
      assert_true(setosa_dataset_values(dataset)[i] - setosa_dataset_values(dataset)[i] == 0);
    for (size_t i = 0; i < setosa_dataset_rows(dataset); i++)
      assert_in_range(setosa_dataset_labels(dataset)[i], 0, setosa_dataset_classes(dataset) - 1);
  } else {
    assert_null(dataset);
    if (status != SETOSA_ERROR_DATA && status != SETOSA_ERROR_USAGE) fail_msg("status %d: %s", (int)status, error.message);
    assert_int_equal(error.status, status);
    assert_true(strlen(error.message) > 0 && strchr(error.message, '\n') == NULL);
  }
  setosa_dataset_destroy(dataset);
}

static void mutate(const char *name, const unsigned char *bytes, size_t length, const char *options) {
  char path[SUPPORT_PATH];
  unsigned char *copy = malloc(length);
  static const unsigned char flips[] = {0x01, 0x80, 0xFF};
  support_path(path, test_folder, name);
  for (size_t cut = 0; cut <= length; cut++) {
    support_write(path, bytes, cut);
    load_whatever(path, options);
  }
  for (size_t i = 0; i < length; i++)
    for (size_t f = 0; f < sizeof flips; f++) {
      memcpy(copy, bytes, length);
      copy[i] ^= flips[f];
      support_write(path, copy, length);
      load_whatever(path, options);
    }
  free(copy);
}

/* The plain file, then its .gz. */
static void mutate_both(const char *name, const Bytes *bytes, const char *options) {
  char zipped_name[64], path[SUPPORT_PATH];
  mutate(name, bytes->at, bytes->length, options);
  snprintf(zipped_name, sizeof zipped_name, "%s.gz", name);
  write_bytes(zipped_name, bytes);
  support_path(path, test_folder, zipped_name);
  size_t length = 0;
  char *zipped = support_read(path, &length);
  mutate(zipped_name, (unsigned char *)zipped, length, options);
  free(zipped);
}

static void csv_survives(void **state) {
  (void)state;
  const char *text =
      "\xEF\xBB\xBF"
      "a,\"b \"\"x\"\"\",c,y\r\n1,2.5e0,-3,p\r\n\r\n4,\"5\",6,\"q\nr\"\n7,8,9,\xC3\xA9\n10,11,12,p";
  Bytes bytes = {.length = 0};
  put(&bytes, text, strlen(text));
  mutate_both("table.csv", &bytes, "");
  mutate("chosen.csv", bytes.at, bytes.length, "features=a,c label=y");
  mutate("model.csv", bytes.at, bytes.length, "names=c,a expect-label=y classes=p,q");
}

static void tsv_survives(void **state) {
  (void)state;
  Bytes bytes = {.length = 0};
  put(&bytes, "1\t2\t0\n3\t4\t1\n5\t6\t2\n", 18);
  mutate_both("table.tsv", &bytes, "");
}

static void idx_survives(void **state) {
  (void)state;
  const uint32_t shape[] = {3, 2, 2};
  Bytes images = idx_header(0x08, 3, shape), labels = idx_header(0x08, 1, shape);
  put(&images, "abcdefghijkl", 12);
  put(&labels, "\0\1\2", 3);
  write_bytes("x-labels-idx1-ubyte", &labels);
  mutate_both("x-images-idx3-ubyte", &images, "");
  remove_file("x-images-idx3-ubyte.gz");
  write_bytes("y-images-idx3-ubyte", &images);
  char path[SUPPORT_PATH], labels_path[SUPPORT_PATH];
  support_path(path, test_folder, "y-images-idx3-ubyte");
  support_path(labels_path, test_folder, "y-labels-idx1-ubyte");
  for (size_t i = 0; i < labels.length; i++) {
    support_write(labels_path, labels.at, i);
    load_whatever(path, "");
    labels.at[i] ^= 0xFF;
    support_write(labels_path, labels.at, labels.length);
    load_whatever(path, "");
    labels.at[i] ^= 0xFF;
  }
}

static void npy_survives(void **state) {
  (void)state;
  char options[SUPPORT_PATH + 32];
  static const char *const dictionaries[] = {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }\n",
                                             "{'descr': '>f8', 'fortran_order': True, 'shape': (3, 2), }\n"};
  snprintf(options, sizeof options, "labels=%s/%s", test_folder, COMPANION);
  Bytes labels = {.length = 0};
  put(&labels, "p\nq\nr\n", 6);
  write_bytes(COMPANION, &labels);
  for (int i = 0; i < 2; i++) {
    Bytes bytes = npy_header(i + 1, dictionaries[i]);
    for (int j = 0; j < 6; j++) put_float(&bytes, j * 1.5, i ? 8 : 4, i);
    mutate_both("array.npy", &bytes, options);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(csv_survives), cmocka_unit_test(tsv_survives), cmocka_unit_test(idx_survives),
                                     cmocka_unit_test(npy_survives)};
  return support_run("data_mutations", tests, make_folder, remove_folder);
}
