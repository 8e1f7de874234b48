/* Archives of scipy.sparse: CSR and CSC, of any integers and numbers, sorted or not; and what is said of those that are damaged. */
#include "data/sparse_rows.h"
#include "data/zip.h"

/* A matrix as scipy.sparse.save_npz writes it. */
typedef struct Matrix {
  const char *form; /* "csr" */
  int64_t rows, columns, begin[8], indices[16];
  size_t lines, entries;
  double values[16];
  const char *index_type, *value_type; /* "<i4", "<f8" */
  const char *labels;                  /* one letter a row; NULL: there are none */
} Matrix;

static Bytes numbers(const char *type, size_t count, const int64_t *whole, const double *real) {
  char dictionary[128];
  size_t size = (size_t)(type[2] - '0');
  snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': False, 'shape': (%zu,)}", type, count);
  Bytes bytes = npy_header(1, dictionary);
  for (size_t i = 0; i < count; i++) {
    int64_t value = whole != NULL ? whole[i] : (int64_t)real[i];
    if (type[1] == 'f')
      put_float(&bytes, real[i], size, type[0] == '>');
    else
      put_bits(&bytes, (uint64_t)value, size, type[0] == '>');
  }
  return bytes;
}

static void add_matrix(Zip *zip, const Matrix *matrix, bool deflated) {
  const Bytes form = array("|S3", "()", false, matrix->form, 3),
              shape = numbers("<i8", 2, (const int64_t[]){matrix->rows, matrix->columns}, NULL);
  const Bytes begin = numbers(matrix->index_type, matrix->lines + 1, matrix->begin, NULL);
  const Bytes indices = numbers(matrix->index_type, matrix->entries, matrix->indices, NULL);
  const Bytes values = numbers(matrix->value_type, matrix->entries, NULL, matrix->values);
  zip_add(zip, "indices.npy", &indices, deflated);
  zip_add(zip, "indptr.npy", &begin, deflated);
  zip_add(zip, "format.npy", &form, deflated);
  zip_add(zip, "shape.npy", &shape, deflated);
  zip_add(zip, "data.npy", &values, deflated);
  if (matrix->labels == NULL) return;
  char size[32];
  snprintf(size, sizeof size, "(%zu,)", strlen(matrix->labels));
  const Bytes labels = array("|S1", size, false, matrix->labels, strlen(matrix->labels));
  zip_add(zip, "y.npy", &labels, deflated);
}

/* [[1, 0, 2, 0], [0, 0, 0, 0], [4, 5, 0, 3]] */
static Matrix by_rows(void) { return (Matrix){"csr", 3, 4, {0, 2, 2, 5}, {0, 2, 0, 1, 3}, 3, 5, {1, 2, 4, 5, 3}, "<i4", "<f4", "pqp"}; }

static Matrix by_columns(void) {
  return (Matrix){"csc", 3, 4, {0, 2, 3, 4, 5}, {0, 2, 2, 0, 2}, 4, 5, {1, 4, 5, 2, 3}, "<i4", "<f4", "pqp"};
}

static SetosaDataset *load_matrix(const Matrix *matrix, bool deflated, const char *options) {
  Zip zip = {0};
  add_matrix(&zip, matrix, deflated);
  zip_write("matrix.npz", &zip);
  return load_file("matrix.npz", options);
}

static void every_type_is_read(void **state) {
  (void)state;
  static const char *const index_types[] = {"<i4", "<i8", ">i4", "<u4", "<u8"};
  static const char *const value_types[] = {"<f4", "<f8", "<f2", ">f8", "|u1", "<i2", "<i8", "|i1"};
  for (int form = 0; form < 2; form++)
    for (size_t i = 0; i < sizeof index_types / sizeof *index_types; i++)
      for (size_t v = 0; v < sizeof value_types / sizeof *value_types; v++) {
        Matrix matrix = form == 0 ? by_rows() : by_columns();
        matrix.index_type = index_types[i];
        matrix.value_type = value_types[v];
        SetosaDataset *dataset = load_matrix(&matrix, v % 2 == 0, "");
        expect_entries(dataset, 4, "1:1 3:2||1:4 2:5 4:3");
        expect_classes(dataset, "p q p", "p q");
        assert_int_equal(setosa_dataset_index_base(dataset), -1);
        setosa_dataset_destroy(dataset);
      }
}

static void truths_are_ones(void **state) {
  (void)state;
  for (int form = 0; form < 2; form++) {
    Matrix matrix = form == 0 ? by_rows() : by_columns();
    Zip zip = {0};
    add_matrix(&zip, &matrix, false);
    const Bytes truths = array("|b1", "(5,)", false, "\1\1\1\1\1", 5);
    zip.count = 0; /* again, with other values */
    zip.length = 0;
    const Bytes shape = numbers("<i8", 2, (const int64_t[]){3, 4}, NULL), kind = array("<U3", "()", false, "", 0);
    Bytes named = kind;
    for (size_t i = 0; i < 3; i++) put_bits(&named, (uint64_t)matrix.form[i], 4, false); /* as older versions write the form */
    const Bytes begin = numbers("<i4", matrix.lines + 1, matrix.begin, NULL), indices = numbers("<i4", 5, matrix.indices, NULL);
    const Bytes labels = array("<i2", "(3,)", false, "\xFF\xFF\1\0\1\0", 6);
    zip_add(&zip, "data.npy", &truths, true);
    zip_add(&zip, "format.npy", &named, true);
    zip_add(&zip, "labels.npy", &labels, true);
    zip_add(&zip, "indices.npy", &indices, true);
    zip_add(&zip, "indptr.npy", &begin, true);
    zip_add(&zip, "shape.npy", &shape, true);
    zip_write("truths.npz", &zip);
    SetosaDataset *dataset = load_file("truths.npz", "");
    assert_true(dataset_shape(dataset).ones);
    expect_entries(dataset, 4, "1:1 3:1||1:1 2:1 4:1");
    expect_classes(dataset, "-1 1 1", "-1 1");
    setosa_dataset_destroy(dataset);
  }
}

static void rows_are_put_in_order(void **state) {
  (void)state;
  Matrix matrix = by_rows();
  static const int64_t mixed[] = {2, 0, 3, 0, 1};
  static const double values[] = {2, 1, 3, 4, 5};
  memcpy(matrix.indices, mixed, sizeof mixed);
  memcpy(matrix.values, values, sizeof values);
  SetosaDataset *dataset = load_matrix(&matrix, false, "");
  expect_entries(dataset, 4, "1:1 3:2||1:4 2:5 4:3");
  setosa_dataset_destroy(dataset);
  /* Entries of value 0 are none, in either form, nor are those after the last row. */
  matrix.values[0] = matrix.values[4] = 0;
  matrix.entries = 7;
  matrix.values[5] = 8;
  dataset = load_matrix(&matrix, false, "");
  expect_entries(dataset, 4, "1:1||1:4 4:3");
  setosa_dataset_destroy(dataset);
  matrix = by_columns();
  matrix.values[1] = 0;
  dataset = load_matrix(&matrix, false, "");
  expect_entries(dataset, 4, "1:1 3:2||2:5 4:3");
  setosa_dataset_destroy(dataset);
}

static void labels_weights_and_names_go_along(void **state) {
  (void)state;
  char path[SUPPORT_PATH], expected[3 * SUPPORT_PATH];
  Matrix matrix = by_columns();
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  matrix.labels = NULL;
  support_path(path, test_folder, "labels.txt");
  support_write(path, "a\nb\nb\n", 6);
  dataset = load_matrix(&matrix, false, "labels=labels.txt");
  expect_classes(dataset, "a b b", "a b");
  setosa_dataset_destroy(dataset);
  dataset = load_matrix(&matrix, false, "optional");
  assert_null(setosa_dataset_labels(dataset));
  expect_entries(dataset, 4, "1:1 3:2||1:4 2:5 4:3");
  setosa_dataset_destroy(dataset);
  support_path(path, test_folder, "matrix.npz");
  snprintf(expected, sizeof expected, "%s: holds no array y (nor Y, labels, label, target, arr_1), but 'indices', 'indptr', ", path);
  support_fails(test_load(&dataset, path, "", &error), &error, SETOSA_ERROR_DATA, expected);
  assert_non_null(
      strstr(error.message, "; numpy.save('y.npy', y) keeps the labels of a matrix of scipy.sparse beside it, for --labels y.npy"));
  snprintf(expected, sizeof expected, "%s: 4 features, but the model has 5; give data of the same shape", path);
  support_fails(test_load(&dataset, path, "optional expect=5", &error), &error, SETOSA_ERROR_DATA, expected);

  matrix = by_rows();
  Zip zip = {0};
  const Bytes weights = numbers("<f4", 3, NULL, (const double[]){1, 2, 3}), names = array("|S1", "(4,)", false, "abcd", 4);
  add_matrix(&zip, &matrix, true);
  zip_add(&zip, "w.npy", &weights, true);
  zip_add(&zip, "feature_names.npy", &names, true);
  zip_write("weighted.npz", &zip);
  dataset = load_file("weighted.npz", "weights=w");
  expect_names(dataset, "a b c d");
  assert_true(setosa_dataset_weights(dataset)[2] == 3);
  setosa_dataset_destroy(dataset);
}

/* Without labels the shape alone says how many rows a matrix by columns has. */
static void rows_that_nothing_proves_are_refused(void **state) {
  (void)state;
  char path[SUPPORT_PATH], expected[2 * SUPPORT_PATH];
  Matrix matrix = by_columns();
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  Zip zip = {0};
  matrix.rows = 4000000000;
  matrix.labels = NULL;
  add_matrix(&zip, &matrix, true);
  zip_write("rows.npz", &zip);
  support_path(path, test_folder, "rows.npz");
  snprintf(expected, sizeof expected, "%s: the shape announces 4000000000 rows, and there are 5 entries in all of them; save", path);
  support_fails(test_load(&dataset, path, "optional", &error), &error, SETOSA_ERROR_DATA, expected);
}

/* Both forms of one matrix that is more than a piece of rows. */
static void many_rows_are_read(void **state) {
  (void)state;
  enum { ROWS = 50000, COLUMNS = 40 };
  size_t entries = 0;
  static const char *const names[] = {"indices.npy", "indptr.npy", "data.npy", "format.npy", "shape.npy", "y.npy"};
  SetosaDataset *datasets[2];
  for (int form = 0; form < 2; form++) {
    int32_t *indices = calloc((size_t)ROWS * 8, sizeof *indices), *begin = calloc(ROWS + 1, sizeof *begin), at = 0;
    float *values = calloc((size_t)ROWS * 8, sizeof *values);
    unsigned char *labels = calloc(ROWS, 1);
    size_t lines = form == 0 ? ROWS : COLUMNS, others = form == 0 ? COLUMNS : ROWS;
    for (size_t line = 0; line < lines; line++) { /* an entry where row * 7 + column is a multiple of 11 */
      for (size_t other = 0; other < others; other++) {
        size_t row = form == 0 ? line : other, column = form == 0 ? other : line;
        if ((row * 7 + column) % 11 != 0) continue;
        values[at] = (float)(row % 100 + column + 1);
        indices[at++] = (int32_t)other;
      }
      begin[line + 1] = at;
    }
    entries = (size_t)at;
    for (size_t i = 0; i < ROWS; i++) labels[i] = (unsigned char)(i % 3);
    const void *const data[] = {indices, begin, values, form == 0 ? "csr" : "csc", (const int64_t[]){ROWS, COLUMNS}, labels};
    const size_t counts[] = {entries, lines + 1, entries, 0, 2, ROWS}, sizes[] = {4, 4, 4, 3, 8, 1};
    static const char *const types[] = {"<i4", "<i4", "<f4", "|S3", "<i8", "|u1"};
    char path[SUPPORT_PATH];
    support_path(path, test_folder, form == 0 ? "rows.npz" : "columns.npz");
    FILE *file = fopen(path, "wb");
    Zip *zip = calloc(1, sizeof *zip);
    size_t offset = 0;
    for (size_t m = 0; m < 6; m++) { /* as zip_add does, of more than it holds */
      char dictionary[128];
      size_t count = counts[m] > 0 ? counts[m] : 1;
      snprintf(dictionary, sizeof dictionary,
               counts[m] > 0 ? "{'descr': '%s', 'fortran_order': False, 'shape': (%zu,)}"
                             : "{'descr': '%s', 'fortran_order': False, 'shape': ()}",
               types[m], counts[m]);
      const Bytes header = npy_header(1, dictionary);
      snprintf(zip->members[m].name, sizeof zip->members[m].name, "%s", names[m]);
      zip->count++;
      zip->members[m].offset = offset;
      zip->members[m].bytes = zip->members[m].packed = header.length + count * sizes[m];
      zip->members[m].checksum = (uint32_t)crc32(crc32(0, header.at, (unsigned)header.length), data[m], (unsigned)(count * sizes[m]));
      zip->length = 0;
      zip_bits(zip, 0x04034B50, 4);
      zip_header(zip, m);
      zip_bits(zip, 0, 2);
      zip_bytes(zip, names[m], strlen(names[m]));
      fwrite(zip->at, 1, zip->length, file);
      fwrite(header.at, 1, header.length, file);
      fwrite(data[m], sizes[m], count, file);
      offset += zip->length + zip->members[m].bytes;
    }
    zip->length = 0;
    zip_finish(zip);
    size_t end = zip->length - 22; /* the last record says where the table of contents begins */
    for (size_t i = 0; i < 4; i++) zip->at[end + 16 + i] = (unsigned char)(offset >> (8 * i));
    fwrite(zip->at, 1, zip->length, file);
    fclose(file);
    datasets[form] = load_file(form == 0 ? "rows.npz" : "columns.npz", "");
    expect_sound(datasets[form]);
    assert_int_equal(setosa_dataset_entries(datasets[form]), entries);
    free(zip);
    free(indices);
    free(begin);
    free(values);
    free(labels);
  }
  expect_same_rows(datasets[0], datasets[1]);
  SparseRows rows;
  SetosaError error = {0};
  support_ok(dataset_sparse(&rows, datasets[1], dataset_all(datasets[1]), NULL, &error), &error);
  for (size_t i = 0; i < ROWS; i++)
    for (uint64_t e = rows.begin[i]; e < rows.begin[i + 1]; e++) {
      assert_true((i * 7 + rows.columns[e]) % 11 == 0);
      assert_true(rows.values[e] == (float)(i % 100 + rows.columns[e] + 1));
    }
  setosa_dataset_destroy(datasets[0]);
  setosa_dataset_destroy(datasets[1]);
}

/* Whatever the arrays say, with their checksums right: rows or a word. */
static void changed_arrays_survive(void **state) {
  (void)state;
  static const unsigned char flips[] = {0x01, 0x04, 0x80, 0xFF};
  size_t read = 0, refused = 0;
  for (int form = 0; form < 2; form++) {
    Matrix matrix = form == 0 ? by_rows() : by_columns();
    Zip whole = {0};
    matrix.index_type = "<i8";
    add_matrix(&whole, &matrix, false);
    for (size_t m = 0; m < whole.count; m++) {
      size_t begin = whole.members[m].offset + 30 + strlen(whole.members[m].name);
      for (size_t at = 0; at < whole.members[m].bytes * sizeof flips; at++) {
        char path[SUPPORT_PATH];
        SetosaDataset *dataset = NULL;
        SetosaError error = {0};
        Zip zip = whole;
        unsigned char *member = zip.at + begin;
        member[at / sizeof flips] ^= flips[at % sizeof flips];
        zip.members[m].checksum = (uint32_t)crc32(0, member, (unsigned)zip.members[m].bytes);
        for (size_t i = 0; i < 4; i++) zip.at[zip.members[m].offset + 14 + i] = (unsigned char)(zip.members[m].checksum >> (8 * i));
        zip_write("changed.npz", &zip);
        support_path(path, test_folder, "changed.npz");
        SetosaStatus status = test_load(&dataset, path, "", &error);
        if (status == SETOSA_OK) {
          if (setosa_dataset_is_sparse(dataset)) expect_sound(dataset);
          read++;
        } else {
          assert_int_equal(status, SETOSA_ERROR_DATA);
          assert_true(dataset == NULL && error.message[0] != '\0' && strchr(error.message, '\n') == NULL);
          refused++;
        }
        setosa_dataset_destroy(dataset);
      }
    }
  }
  assert_true(read > 100 && refused > 1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_type_is_read),
                                     cmocka_unit_test(truths_are_ones),
                                     cmocka_unit_test(rows_are_put_in_order),
                                     cmocka_unit_test(labels_weights_and_names_go_along),
                                     cmocka_unit_test(rows_that_nothing_proves_are_refused),
                                     cmocka_unit_test(many_rows_are_read),
                                     cmocka_unit_test(changed_arrays_survive)};
  return support_run("data_npz_sparse", tests, make_folder, remove_folder);
}
