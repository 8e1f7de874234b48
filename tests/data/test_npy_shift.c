/* NumPy files of f64 and of wide integers: columns far from 0 come shifted, with all of their digits, whichever way they are stored. */
#include <math.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/random.h"
#include "data/binary.h"
#include "data/shift.h"

enum { ROWS = 300, FEATURES = 4 };

/* Near 0; a count of milliseconds; 1e9 and a bit; constant. Whole numbers all, and for floats with a fraction. */
static double x_at(size_t i, size_t d, bool whole) {
  double u = random_symmetric(5, RANDOM_STREAM_CHECK, i, d);
  double x = d == 0 ? 100 + 90 * u : d == 1 ? 1.5e9 + 1e7 * u : d == 2 ? 1e9 + 3 * u : 7;
  return whole ? round(x) : x;
}

typedef struct File {
  unsigned char *at;
  size_t length;
} File;

static void add_number(File *file, const char *type, double x) {
  size_t size = (size_t)(type[2] - '0');
  uint64_t bits = (uint64_t)(int64_t)x;
  float narrow = (float)x;
  uint32_t narrow_bits = 0;
  memcpy(&narrow_bits, &narrow, 4);
  if (type[1] == 'f') memcpy(&bits, &x, 8);
  if (type[1] == 'f' && size == 4) bits = narrow_bits;
  for (size_t i = 0; i < size; i++) file->at[file->length++] = (unsigned char)(bits >> (8 * (type[0] == '>' ? size - 1 - i : i)));
}

static File make_file(const char *type, size_t rows, size_t features, bool fortran) {
  char dictionary[128];
  File file = {malloc(256 + rows * features * 8), 0};
  snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': %s, 'shape': (%zu, %zu), }   \n", type,
           fortran ? "True" : "False", rows, features);
  Bytes header = npy_header(1, dictionary);
  memcpy(file.at, header.at, header.length);
  file.length = header.length;
  for (size_t n = 0; n < rows * features; n++) {
    size_t i = fortran ? n % rows : n / features, d = fortran ? n / rows : n % features;
    add_number(&file, type, x_at(i, d, type[1] != 'f'));
  }
  return file;
}

static char labels[SUPPORT_PATH];

static int create(void **state) {
  make_folder(state);
  support_path(labels, test_folder, "labels.txt");
  FILE *file = fopen(labels, "w");
  if (file == NULL) return 1;
  for (int i = 0; i < ROWS; i++) fprintf(file, "%c\n", "pq"[i % 2]);
  return fclose(file);
}

static SetosaDataset *load(const char *path, bool unshifted) {
  SetosaDataOptions options = setosa_data_options_default();
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  options.labels_path = labels;
  options.no_cache = true;
  options.unshifted = unshifted;
  support_ok(setosa_dataset_load(&dataset, path, &options, &error), &error);
  return dataset;
}

static void check_rows(const SetosaDataset *dataset, bool whole) {
  const double *shift = setosa_dataset_shift(dataset);
  for (size_t i = 0; i < ROWS; i++)
    for (size_t d = 0; d < FEATURES; d++) {
      float expected = (float)(x_at(i, d, whole) - (shift != NULL ? shift[d] : 0));
      assert_true(setosa_dataset_values(dataset)[i * FEATURES + d] == expected);
    }
}

static void write_file(char path[SUPPORT_PATH], const char *name, File *file) {
  support_path(path, test_folder, name);
  if (strstr(name, ".gz") != NULL)
    write_gzip(path, file->at, file->length);
  else
    support_write(path, file->at, file->length);
  free(file->at);
}

static void far_columns_are_shifted(void **state) {
  (void)state;
  static const char *const types[] = {"<f8", ">f8", "<i8", ">i8", "<u8", "<i4", ">u4"};
  for (size_t t = 0; t < sizeof types / sizeof *types; t++)
    for (int way = 0; way < 4; way++) {
      char path[SUPPORT_PATH];
      bool whole = types[t][1] != 'f';
      File file = make_file(types[t], ROWS, FEATURES, way & 1);
      write_file(path, way & 2 ? "x.npy.gz" : "x.npy", &file);
      SetosaDataset *dataset = load(path, false);
      const double *shift = setosa_dataset_shift(dataset);
      assert_non_null(shift);
      assert_true(shift[0] == 0 && shift[3] == 0);
      assert_true(shift[1] == 178 * 0x1p23 || shift[1] == 179 * 0x1p22 * 2 || shift[1] == 358 * 0x1p22); /* near 1.5e9, of few bits */
      assert_true(fabs(shift[2] - 1e9) <= 1);
      check_rows(dataset, whole);
      setosa_dataset_destroy(dataset);
      dataset = load(path, true);
      assert_null(setosa_dataset_shift(dataset));
      check_rows(dataset, whole);
      setosa_dataset_destroy(dataset);
    }
}

/* f32 has lost what it has lost, and near columns stay as they are. */
static void others_are_not(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  File file = make_file("<f4", ROWS, FEATURES, true);
  write_file(path, "x.npy", &file);
  SetosaDataset *dataset = load(path, false);
  assert_null(setosa_dataset_shift(dataset));
  check_rows(dataset, false);
  setosa_dataset_destroy(dataset);
  file = make_file("<f8", ROWS, 1, false);
  write_file(path, "x.npy", &file);
  dataset = load(path, false);
  assert_null(setosa_dataset_shift(dataset));
  setosa_dataset_destroy(dataset);
}

/* One that begins so. */
static bool has_remark(const SetosaDataset *dataset, const char *text) {
  SetosaRemark kind = SETOSA_REMARK_WARNING;
  const char *remark = NULL;
  for (size_t i = 0; (remark = setosa_dataset_remark(dataset, i, &kind)) != NULL; i++)
    if (strncmp(remark, text, strlen(text)) == 0 && kind == SETOSA_REMARK_DETAIL) return true;
  return false;
}

static void remarks_tell_of_columns(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  File file = make_file("<f8", ROWS, FEATURES, false);
  write_file(path, "x.npy", &file);
  SetosaDataset *dataset = load(path, false);
  assert_true(has_remark(dataset,
                         "far from 0 beside their spread, and so shifted before they are rounded to f32, which the bias makes up for: "
                         "'2', '3'"));
  assert_true(has_remark(dataset, "constant, and so of no use to tell rows apart: '4'"));
  assert_true(has_remark(dataset, "columns have scales far apart, which makes training slow: '3' has a deviation of 1."));
  setosa_dataset_destroy(dataset);
}

/* Rows longer than a block of the first pass, in pieces. */
static void long_rows_are_shifted(void **state) {
  (void)state;
  enum { WIDE = (1 << 17) + 5, FEW = 3 };
  char path[SUPPORT_PATH];
  File file = make_file("<f8", FEW, WIDE, false);
  write_file(path, "x.npy", &file);
  SetosaDataOptions options = setosa_data_options_default();
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  options.labels_optional = options.no_cache = true;
  support_ok(setosa_dataset_load(&dataset, path, &options, &error), &error);
  const double *shift = setosa_dataset_shift(dataset);
  assert_non_null(shift);
  assert_true(shift[1] != 0 && shift[2] != 0 && shift[0] == 0 && shift[WIDE - 1] == 0);
  for (size_t i = 0; i < FEW; i++)
    for (size_t d = 0; d < WIDE; d++) assert_true(setosa_dataset_values(dataset)[i * WIDE + d] == (float)(x_at(i, d, false) - shift[d]));
  setosa_dataset_destroy(dataset);
}

/* A value that cannot be is told of where it is, as ever; so is an end that comes early. */
static void errors_are_those_of_reading(void **state) {
  (void)state;
  SetosaError error = {0};
  SetosaDataset *dataset = NULL;
  char path[SUPPORT_PATH], expected[SUPPORT_PATH + 64];
  SetosaDataOptions options = setosa_data_options_default();
  options.labels_path = labels;
  const double wrong[] = {NAN, INFINITY, 1e39};
  for (int w = 0; w < 3; w++)
    for (int fortran = 0; fortran < 2; fortran++) {
      File file = make_file("<f8", ROWS, FEATURES, fortran);
      size_t from = file.length - ROWS * FEATURES * 8, number = fortran ? 2 * ROWS + 41 : 41 * FEATURES + 2;
      memcpy(file.at + from + 8 * number, &wrong[w], 8);
      write_file(path, "x.npy", &file);
      error = (SetosaError){0};
      snprintf(expected, sizeof expected, "%s:42:3: the value is %s", path, w == 0 ? "not a number" : "infinite or beyond");
      support_fails(setosa_dataset_load(&dataset, path, &options, &error), &error, SETOSA_ERROR_DATA, expected);
    }
  File file = make_file("<f8", ROWS, FEATURES, false);
  support_path(path, test_folder, "x.npy.gz");
  write_gzip(path, file.at, file.length - 8);
  free(file.at);
  error = (SetosaError){0};
  snprintf(expected, sizeof expected, "%s: ends after 1199 of 1200 numbers", path);
  support_fails(setosa_dataset_load(&dataset, path, &options, &error), &error, SETOSA_ERROR_DATA, expected);
}

/* What comes through a pipe is read once. */
static void pipes_are_not_looked_at(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  support_path(path, test_folder, "pipe");
  assert_int_equal(mkfifo(path, 0600), 0);
  File file = make_file("<f8", ROWS, FEATURES, false);
  pid_t child = fork();
  if (child == 0) {
    FILE *pipe = fopen(path, "wb");
    _exit(pipe != NULL && fwrite(file.at, 1, file.length, pipe) == file.length && fclose(pipe) == 0 ? 0 : 1);
  }
  SetosaDataset *dataset = load(path, false);
  int status = 0;
  waitpid(child, &status, 0);
  assert_int_equal(status, 0);
  assert_null(setosa_dataset_shift(dataset));
  check_rows(dataset, false);
  assert_true(has_remark(dataset,
                         "the numbers come through a pipe, so that they are rounded to f32 before it is known whether some columns are far "
                         "from 0; of a file such columns keep their digits"));
  setosa_dataset_destroy(dataset);
  free(file.at);
}

static bool stop(const SetosaProgress *progress, void *user) { return (*(int *)user += progress->rows_done == 0) < 1; }

/* The first pass listens, too. */
static void the_first_pass_can_be_stopped(void **state) {
  (void)state;
  SetosaError error = {0};
  SetosaDataset *dataset = NULL;
  char path[SUPPORT_PATH];
  int calls = 0;
  SetosaDataOptions options = setosa_data_options_default();
  options.labels_path = labels;
  options.progress = stop;
  options.progress_user = &calls;
  File file = make_file("<f8", ROWS, FEATURES, false);
  write_file(path, "x.npy", &file);
  assert_int_equal(setosa_dataset_load(&dataset, path, &options, &error), SETOSA_INTERRUPTED);
  assert_int_equal(calls, 1);
}

/* From the cache of conversions come the same rows with the same shift. */
static void the_cache_keeps_the_shift(void **state) {
  (void)state;
  enum { MANY = 260000 };
  char path[SUPPORT_PATH], kept[SUPPORT_PATH];
  SetosaError error = {0};
  SetosaDataOptions options = setosa_data_options_default();
  options.labels_optional = true;
  support_path(kept, test_folder, "kept");
  options.cache = kept;
  File file = make_file("<f8", MANY, FEATURES, false);
  write_file(path, "large.npy", &file);
  nanosleep(&(struct timespec){0, 150000000}, NULL); /* what was written just now is not kept */
  SetosaDataset *first = NULL, *second = NULL, *plain = NULL;
  support_ok(setosa_dataset_load(&first, path, &options, &error), &error);
  support_ok(setosa_dataset_load(&second, path, &options, &error), &error);
  assert_true(!setosa_dataset_cached(first) && setosa_dataset_cached(second));
  assert_memory_equal(setosa_dataset_shift(second), setosa_dataset_shift(first), FEATURES * sizeof(double));
  assert_memory_equal(setosa_dataset_values(second), setosa_dataset_values(first), (size_t)MANY * FEATURES * sizeof(float));
  options.unshifted = true; /* another way to read it: another entry */
  support_ok(setosa_dataset_load(&plain, path, &options, &error), &error);
  assert_true(!setosa_dataset_cached(plain) && setosa_dataset_shift(plain) == NULL);
  setosa_dataset_destroy(first);
  setosa_dataset_destroy(second);
  setosa_dataset_destroy(plain);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(far_columns_are_shifted),       cmocka_unit_test(others_are_not),
      cmocka_unit_test(remarks_tell_of_columns),       cmocka_unit_test(long_rows_are_shifted),
      cmocka_unit_test(errors_are_those_of_reading),   cmocka_unit_test(pipes_are_not_looked_at),
      cmocka_unit_test(the_first_pass_can_be_stopped), cmocka_unit_test(the_cache_keeps_the_shift),
  };
  return support_run("data_npy_shift", tests, create, remove_folder);
}
