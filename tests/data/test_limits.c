/* Files that promise or hold more than anything real are refused before they take memory or time. What fits into a few kilobytes is in
 * malformed/; here is what takes more, and what that costs. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"
#include "data/binary.h"

#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

/* Loads in a child that may have so much memory, and expects the refusal. */
static void refused_within(size_t bytes, const char *name, const char *options, const char *expected) {
  char path[SUPPORT_PATH];
  support_path(path, test_folder, name);
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    SetosaDataset *dataset = NULL;
    SetosaError error = {0};
    const struct rlimit limit = {bytes, bytes};
    if (!SANITIZED && setrlimit(RLIMIT_AS, &limit) != 0) _exit(2);
    SetosaStatus status = test_load(&dataset, path, options, &error);
    if (status != SETOSA_ERROR_DATA || strstr(error.message, expected) == NULL) {
      fprintf(stderr, "status %d: %s\n", (int)status, error.message);
      _exit(1);
    }
    _exit(0);
  }
  int result = -1;
  assert_int_equal(waitpid(child, &result, 0), child);
  assert_int_equal(result, 0);
}

/* The row is refused whole, though each of its fields is short: the first of the file, which is held as text, and later ones. */
static void a_row_has_a_most_length(void **state) {
  (void)state;
  static const char *const before[] = {"", "a,b,y\n1,2,p\n"};
  static const char *const expected[] = {":1: the row is longer than 128 MB; check that", ":3: the row is longer than 128 MB; check that"};
  char path[SUPPORT_PATH], field[1025];
  support_path(path, test_folder, "long-row.csv.gz");
  memset(field, '1', 1023);
  field[1023] = ',';
  for (size_t i = 0; i < 2; i++) {
    gzFile file = gzopen(path, "wb1");
    assert_non_null(file);
    gzwrite(file, before[i], (unsigned)strlen(before[i]));
    for (size_t k = 0; k < (size_t)130 << 10; k++) assert_int_equal(gzwrite(file, field, 1024), 1024);
    assert_int_equal(gzclose(file), Z_OK);
    refused_within((size_t)400 << 20, "long-row.csv.gz", "", expected[i]);
  }
}

/* 16 GB are announced, which so long a .gz could hold; there are 17 MB. Room grows with what comes. */
static void a_header_alone_takes_no_memory(void **state) {
  (void)state;
  static const char dictionary[] = "{'descr': '|u1', 'fortran_order': False, 'shape': (4194304, 4096)}";
  const size_t length = 17 << 20;
  char *noise = malloc(length + 100);
  assert_non_null(noise);
  Bytes header = npy_header(1, dictionary);
  memcpy(noise, header.at, header.length);
  for (size_t i = 0; i < length / 8; i++) {
    double value = random_symmetric(7, RANDOM_STREAM_CHECK, i, 0);
    memcpy(noise + header.length + 8 * i, &value, 8);
  }
  char path[SUPPORT_PATH];
  support_path(path, test_folder, "promise.npy.gz");
  gzFile file = gzopen(path, "wb0");
  assert_non_null(file);
  assert_int_equal(gzwrite(file, noise, (unsigned)length), (int)length);
  assert_int_equal(gzclose(file), Z_OK);
  refused_within((size_t)1 << 30, "promise.npy.gz", "optional", "ends after ");
  const uint32_t sizes[] = {4194304, 64, 64};
  Bytes idx = idx_header(8, 3, sizes);
  memcpy(noise, idx.at, idx.length);
  support_path(path, test_folder, "promise-images-idx3-ubyte.gz");
  file = gzopen(path, "wb0");
  assert_non_null(file);
  assert_int_equal(gzwrite(file, noise, (unsigned)length), (int)length);
  assert_int_equal(gzclose(file), Z_OK);
  free(noise);
  refused_within((size_t)1 << 30, "promise-images-idx3-ubyte.gz", "optional", "ends after ");
}

/* A pipe has no size to compare with. */
static void a_pipe_may_not_promise_the_impossible(void **state) {
  (void)state;
  static const char *const shapes[] = {"(1000000000000, 1000)", "(1000000, 4096)"};
  static const char *const expected[] = {"(it says 1000000000000 x 1000 numbers of 4 bytes)", "ends after 0 of 4096000000 numbers"};
  char path[SUPPORT_PATH], dictionary[128];
  support_path(path, test_folder, "pipe.npy");
  assert_int_equal(mkfifo(path, 0600), 0);
  for (size_t i = 0; i < 2; i++) {
    snprintf(dictionary, sizeof dictionary, "{'descr': '<f4', 'fortran_order': False, 'shape': %s}", shapes[i]);
    Bytes header = npy_header(1, dictionary);
    fflush(NULL);
    pid_t writer = fork();
    if (writer == 0) {
      int pipe_end = open(path, O_WRONLY);
      _exit(write(pipe_end, header.at, header.length) == (ssize_t)header.length ? 0 : 1);
    }
    refused_within((size_t)1 << 30, "pipe.npy", "optional", expected[i]);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_row_has_a_most_length),
      cmocka_unit_test(a_header_alone_takes_no_memory),
      cmocka_unit_test(a_pipe_may_not_promise_the_impossible),
  };
  return support_run("data_limits", tests, make_folder, remove_folder);
}
