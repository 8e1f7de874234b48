/* setosa_generate as .svm and .npz: every entry of synthetic rows and no zero is there, in the form that others expect. Read by parsers of
 * this test alone, so that a reader of ours cannot hide what is wrong. */
#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include "data/archive.h"
#include "data/binary.h"
#include "data/dataset.h"

/* Rows of whatever spec with all their zeros, and their labels. */
typedef struct Expected {
  size_t rows, features, entries;
  float *values;   /* (rows,features) */
  int32_t *labels; /* (rows) */
} Expected;

static Expected expect(const char *spec) {
  Expected expected = {0};
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  TargetRoom room = {0};
  Targets targets;
  char source[200];
  snprintf(source, sizeof source, "synthetic:%s", spec);
  support_ok(setosa_dataset_load(&dataset, source, NULL, &error), &error);
  expected.rows = setosa_dataset_rows(dataset);
  expected.features = setosa_dataset_features(dataset);
  size_t count = expected.rows * expected.features;
  expected.values = malloc(count * sizeof(float));
  expected.labels = malloc(expected.rows * sizeof(int32_t));
  const float *values = dataset_dense(dataset, dataset_all(dataset), expected.values);
  if (values != expected.values) memcpy(expected.values, values, count * sizeof(float));
  support_ok(dataset_targets(&targets, dataset, dataset_all(dataset), &room, &error), &error);
  memcpy(expected.labels, targets.labels, expected.rows * sizeof(int32_t));
  for (size_t i = 0; i < count; i++) expected.entries += expected.values[i] != 0;
  target_room_free(&room);
  setosa_dataset_destroy(dataset);
  return expected;
}

static void expected_free(Expected *expected) {
  free(expected->values);
  free(expected->labels);
}

/* An entry of a row that was read: as expected, and counted off. */
static void take_entry(Expected *expected, size_t row, uint64_t column, uint64_t after, float value) {
  assert_true(column < expected->features && (after == UINT64_MAX || column > after));
  float *there = &expected->values[row * expected->features + column];
  assert_true(value != 0 && *there == value);
  *there = 0;
  expected->entries--;
}

static const char *generate(const char *spec, const char *name, SetosaGenerateResult *result) {
  static char path[SUPPORT_PATH];
  SetosaError error = {0};
  support_path(path, test_folder, name);
  support_ok(setosa_generate(spec, path, NULL, result, &error), &error);
  assert_string_equal(result->labels_path, "");
  return path;
}

/* ---- LIBSVM ------------------------------------------------------------------------------------------------------ */

/* The whole text, unpacked. */
static char *read_text(const char *path) {
  Stream *stream = NULL;
  SetosaError error = {0};
  size_t got = 0, room = (size_t)1 << 24;
  char *text = malloc(room);
  support_ok(stream_open(&stream, path, &error), &error);
  support_ok(stream_read(stream, text, room - 1, &got, &error), &error);
  assert_true(got < room - 1);
  text[got] = '\0';
  stream_close(stream);
  return text;
}

static void expect_svm(const char *spec, const char *name) {
  SetosaGenerateResult result;
  Expected expected = expect(spec);
  char *text = read_text(generate(spec, name, &result)), *at = text;
  for (size_t i = 0; i < expected.rows; i++) {
    uint64_t after = UINT64_MAX;
    assert_in_range(*at, '0', '9');
    assert_int_equal(strtol(at, &at, 10), expected.labels[i]);
    while (*at == ' ') {
      assert_in_range(at[1], '1', '9'); /* columns begin at 1, and no second blank */
      uint64_t column = strtoull(at + 1, &at, 10) - 1;
      assert_int_equal(*at, ':');
      take_entry(&expected, i, column, after, strtof(at + 1, &at));
      after = column;
    }
    assert_int_equal(*at++, '\n');
  }
  assert_int_equal(*at, '\0');
  assert_int_equal(expected.entries, 0);
  if (strstr(name, ".gz") == NULL) assert_int_equal(result.bytes, at - text);
  free(text);
  expected_free(&expected);
  remove_file(name);
}

/* ---- scipy's archive --------------------------------------------------------------------------------------------- */

/* A member after its head, which says so of it; *bytes of data. */
static void *read_array(Archive *archive, const char *name, const char *type, const char *shape, size_t *bytes) {
  Stream *stream = NULL;
  SetosaError error = {0};
  char member[64], wanted[200];
  size_t index = 0, got = 0, room = (size_t)1 << 24;
  snprintf(member, sizeof member, "%s.npy", name);
  if (!archive_find(archive, member, &index)) fail_msg("no %s", member);
  support_ok(archive_open_member(&stream, archive, index, &error), &error);
  char *all = malloc(room);
  support_ok(stream_read(stream, all, room, &got, &error), &error); /* to its end, which checks the sum */
  assert_true(got < room);
  stream_close(stream);
  snprintf(wanted, sizeof wanted, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", type, shape);
  size_t head = 10 + (size_t)(unsigned char)all[8] + 256 * (size_t)(unsigned char)all[9];
  assert_memory_equal(all, "\x93NUMPY\x01\x00", 8);
  assert_int_equal(head % 64, 0);
  if (strncmp(all + 10, wanted, strlen(wanted)) != 0) fail_msg("%.*s is not %s", (int)(head - 10), all + 10, wanted);
  assert_int_equal(all[head - 1], '\n');
  *bytes = got - head;
  memmove(all, all + head, *bytes);
  return all;
}

static void expect_npz(const char *spec, const char *name) {
  SetosaGenerateResult result;
  Expected expected = expect(spec);
  const char *path = generate(spec, name, &result);
  Stream *stream = NULL;
  Archive *archive = NULL;
  SetosaError error = {0};
  char entries[32], rows[32], begins[32];
  size_t bytes[6];
  support_ok(stream_open(&stream, path, &error), &error);
  support_ok(archive_open(&archive, stream, &error), &error);
  assert_int_equal(archive_count(archive), 6);
  snprintf(entries, sizeof entries, "%zu,", expected.entries);
  snprintf(rows, sizeof rows, "%zu,", expected.rows);
  snprintf(begins, sizeof begins, "%zu,", expected.rows + 1);
  int32_t *indices = read_array(archive, "indices", "<i4", entries, &bytes[0]);
  int64_t *begin = read_array(archive, "indptr", "<i8", begins, &bytes[1]);
  char *format = read_array(archive, "format", "|S3", "", &bytes[2]);
  int64_t *shape = read_array(archive, "shape", "<i8", "2,", &bytes[3]);
  float *data = read_array(archive, "data", "<f4", entries, &bytes[4]);
  int32_t *labels = read_array(archive, "y", "<i4", rows, &bytes[5]);
  assert_int_equal(bytes[0], expected.entries * 4);
  assert_int_equal(bytes[1], (expected.rows + 1) * 8);
  assert_int_equal(bytes[2], 3);
  assert_int_equal(bytes[3], 16);
  assert_int_equal(bytes[4], expected.entries * 4);
  assert_int_equal(bytes[5], expected.rows * 4);
  assert_memory_equal(format, "csr", 3);
  assert_int_equal(shape[0], expected.rows);
  assert_int_equal(shape[1], expected.features);
  assert_memory_equal(labels, expected.labels, bytes[5]);
  assert_int_equal(begin[0], 0);
  assert_int_equal(begin[expected.rows], expected.entries);
  for (size_t i = 0; i < expected.rows; i++)
    for (int64_t e = begin[i]; e < begin[i + 1]; e++)
      take_entry(&expected, i, (uint64_t)indices[e], e > begin[i] ? (uint64_t)indices[e - 1] : UINT64_MAX, data[e]);
  assert_int_equal(expected.entries, 0);
  assert_int_equal(result.bytes, stream_bytes_total(stream));
  void *all[] = {indices, begin, format, shape, data, labels};
  for (size_t i = 0; i < 6; i++) free(all[i]);
  archive_close(archive);
  stream_close(stream);
  expected_free(&expected);
  remove_file(name);
}

/* ---- cases ------------------------------------------------------------------------------------------------------- */

static const char *const SPECS[] = {
    "rows=3001,features=600,classes=12,seed=5,noise=0.1,sparsity=0.97", /* sparse: several chunks */
    "rows=20011,features=300,classes=3,seed=6,fields=20",               /* ones */
    "rows=9001,features=40,classes=4,seed=7,sparsity=0.9",              /* dense, with rows that have nothing */
    "rows=11000,features=31,classes=2,seed=8",
    "rows=1,features=1,sparsity=0.99",
};
enum { SPEC_COUNT = sizeof SPECS / sizeof *SPECS };

static void text_holds_every_entry(void **state) {
  (void)state;
  static const char *const names[] = {"a.svm", "a.LIBSVM", "a.svm.gz"};
  for (size_t s = 0; s < SPEC_COUNT; s++) expect_svm(SPECS[s], names[s % 3]);
}

static void archives_hold_every_entry(void **state) {
  (void)state;
  for (size_t s = 0; s < SPEC_COUNT; s++) expect_npz(SPECS[s], "a.npz");
}

/* The same call writes the same file, whenever that is: the time of each member is the first of 1980. */
static void archives_are_the_same_again(void **state) {
  (void)state;
  static const unsigned char first_day[4] = {0, 0, 0x21, 0};
  SetosaGenerateResult result;
  size_t lengths[2];
  char *files[2];
  for (int i = 0; i < 2; i++) files[i] = support_read(generate("rows=500,features=100,sparsity=0.95", "again.npz", &result), &lengths[i]);
  assert_int_equal(lengths[0], lengths[1]);
  assert_memory_equal(files[0], files[1], lengths[0]);
  size_t members = 0;
  for (size_t at = 0; at + 30 < lengths[0]; at++) { /* heads of members */
    if (memcmp(files[0] + at, "PK\x03\x04", 4) != 0) continue;
    assert_memory_equal(files[0] + at + 10, first_day, sizeof first_day);
    members++;
  }
  assert_int_equal(members, 6);
  for (int i = 0; i < 2; i++) free(files[i]);
  remove_file("again.npz");
}

/* A sparse spec in a dense form has all its zeros. */
static void dense_forms_have_the_zeros(void **state) {
  (void)state;
  static const char spec[] = "rows=700,features=90,classes=4,seed=9,sparsity=0.96";
  static const char *const names[] = {"d.csv", "d.tsv.gz", "d.npy"};
  Expected expected = expect(spec);
  for (size_t i = 0; i < 3; i++) {
    char path[SUPPORT_PATH];
    SetosaError error = {0};
    support_path(path, test_folder, names[i]);
    support_ok(setosa_generate(spec, path, NULL, NULL, &error), &error);
    SetosaDataset *dataset = load_file(names[i], "");
    assert_int_equal(setosa_dataset_features(dataset), 90);
    assert_memory_equal(setosa_dataset_values(dataset), expected.values, 700 * 90 * sizeof(float));
    assert_memory_equal(setosa_dataset_labels(dataset), expected.labels, 700 * sizeof(int32_t));
    setosa_dataset_destroy(dataset);
    remove_file(names[i]);
  }
  remove_file("d-labels.npy");
  expected_free(&expected);
}

static void what_makes_no_sense_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *spec, *name, *labels, *wanted;
  } cases[] = {
      {"rows=9,features=65537,sparsity=0.99", "r.csv", NULL,
       "all but 655 are 0, which .csv writes out; end the name in .svm, .svm.gz or .npz"},
      {"rows=9,features=1e6,fields=9", "r.npy.gz", NULL, "all but 9 are 0, which .npy writes out; end the name in .svm"},
      {"rows=9", "r.npz.gz", NULL, "an archive is not compressed once more; leave .gz out"},
      {"rows=9", "r.svm", "r.npy", "the labels of LIBSVM text begin its lines; leave --labels out"},
      {"rows=9", "r.npz", "r.npy", "the labels are the array y of the archive; leave --labels out"},
      {"rows=9", "r.csv", "r.npy", "the labels of text are its last column; leave --labels out"},
      {"rows=9", "r.dat", NULL, "end it in .npy, .csv, .tsv or .svm, each also .gz, or in .npz"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char path[SUPPORT_PATH];
    SetosaError error = {0};
    SetosaGenerateOptions options = setosa_generate_options_default();
    options.labels_path = cases[i].labels;
    support_path(path, test_folder, cases[i].name);
    support_fails(setosa_generate(cases[i].spec, path, &options, NULL, &error), &error, SETOSA_ERROR_USAGE, path);
    if (strstr(error.message, cases[i].wanted) == NULL) fail_msg("%s", error.message);
    assert_int_equal(access(path, F_OK), -1);
  }
}

typedef struct Watch {
  size_t calls, stop_at;
  uint64_t rows;
} Watch;

static bool on_progress(const SetosaProgress *progress, void *user) {
  Watch *watch = user;
  assert_true(progress->rows_done >= watch->rows && progress->rows_done <= progress->rows_total);
  watch->rows = progress->rows_done;
  return ++watch->calls != watch->stop_at;
}

/* Several passes over the rows look like one from outside, and any of them can be stopped or run into a full disk. */
static void failures_leave_nothing(void **state) {
  (void)state;
  static const char *const names[] = {"f.npz", "f.svm", "f.svm.gz"};
  char path[SUPPORT_PATH];
  for (size_t i = 0; i < 3; i++)
    for (size_t stop = 2; stop < 5; stop++) {
      Watch watch = {.stop_at = stop};
      SetosaGenerateOptions options = setosa_generate_options_default();
      SetosaError error = {0};
      options.progress = on_progress;
      options.progress_user = &watch;
      support_path(path, test_folder, names[i]);
      support_write_text(path, "as it was");
      support_fails(setosa_generate(stop % 2 == 0 ? "rows=1e7,features=100,sparsity=0.8" : "rows=1e7,features=1e5,sparsity=0.999", path,
                                    &options, NULL, &error),
                    &error, SETOSA_INTERRUPTED, path);
      char *text = support_read(path, NULL);
      assert_string_equal(text, "as it was");
      free(text);
      remove_file(names[i]);
    }
  for (size_t i = 0; i < 3 && access("/dev/full", W_OK) == 0; i++) {
    SetosaError error = {0};
    support_path(path, test_folder, names[i]);
    assert_int_equal(symlink("/dev/full", path), 0);
    support_fails(setosa_generate("rows=1e4,features=1000,sparsity=0.96", path, NULL, NULL, &error), &error, SETOSA_ERROR_WRITE, path);
    if (strstr(error.message, "No space left on device; free some space") == NULL) fail_msg("%s", error.message);
    remove_file(names[i]);
  }
  static const char *const vast[] = {"rows=1e14,features=1000", "rows=1e14,features=1e5,sparsity=0.99"};
  for (size_t i = 0; i < 2; i++) { /* before they are counted */
    SetosaError error = {0};
    support_path(path, test_folder, "vast.npz");
    support_fails(setosa_generate(vast[i], path, NULL, NULL, &error), &error, SETOSA_ERROR_WRITE, path);
    if (strstr(error.message, "and the disk has") == NULL) fail_msg("%s", error.message);
  }
  size_t files = 0;
  DIR *entries = opendir(test_folder);
  assert_non_null(entries);
  for (struct dirent *entry; (entry = readdir(entries)) != NULL;) files += entry->d_name[0] != '.';
  closedir(entries);
  assert_int_equal(files, 0);
}

/* 160 MB go to a place that keeps nothing; what this process needs for it is a few chunks. */
static void memory_does_not_grow(void **state) {
  (void)state;
  static const char *const names[] = {"none.npz", "none.svm"};
  for (size_t i = 0; i < 2; i++) {
    char path[SUPPORT_PATH];
    struct rusage before, after;
    SetosaGenerateResult result;
    SetosaError error = {0};
    support_path(path, test_folder, names[i]);
    assert_int_equal(symlink("/dev/null", path), 0);
    getrusage(RUSAGE_SELF, &before);
    support_ok(setosa_generate("rows=2e5,features=1e5,sparsity=0.999", path, NULL, &result, &error), &error);
    getrusage(RUSAGE_SELF, &after);
    assert_true(after.ru_maxrss - before.ru_maxrss < 32 << 10);
    assert_true(result.bytes > (uint64_t)160000000);
    remove_file(names[i]);
  }
}

/* All of the progress comes to all rows. */
static void progress_ends_with_all_rows(void **state) {
  (void)state;
  static const char *const names[] = {"p.npz", "p.svm"};
  for (size_t i = 0; i < 4; i++) {
    char path[SUPPORT_PATH];
    Watch watch = {0};
    SetosaError error = {0};
    SetosaGenerateOptions options = setosa_generate_options_default();
    options.progress = on_progress;
    options.progress_user = &watch;
    support_path(path, test_folder, names[i % 2]);
    support_ok(setosa_generate(i < 2 ? "rows=10007,features=50" : "rows=10007,features=5000,fields=40", path, &options, NULL, &error),
               &error);
    assert_int_equal(watch.rows, 10007);
    remove_file(names[i % 2]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_holds_every_entry),         cmocka_unit_test(archives_hold_every_entry),
      cmocka_unit_test(archives_are_the_same_again),    cmocka_unit_test(dense_forms_have_the_zeros),
      cmocka_unit_test(what_makes_no_sense_is_refused), cmocka_unit_test(failures_leave_nothing),
      cmocka_unit_test(progress_ends_with_all_rows),    cmocka_unit_test(memory_does_not_grow),
  };
  return support_run("data_generate_sparse", tests, make_folder, remove_folder);
}
