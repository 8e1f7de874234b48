/* The ways in: standard input, pipes, gzip whatever the name says, several files, patterns. Tables of several files are in the tests of
 * tables. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/binary.h"
#include "data/stream.h"

static const char TABLE[] = "a,b,y\n1,2,p\n3,4,q\n5,6,p\n";
static const float VALUES[] = {1, 2, 3, 4, 5, 6};

static void write_file(const char *name, const void *bytes, size_t length) {
  char path[SUPPORT_PATH];
  support_path(path, test_folder, name);
  support_write(path, bytes, length);
}

static Bytes array_of_three_rows(void) {
  Bytes bytes = npy_header(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2)}");
  for (size_t i = 0; i < 6; i++) put_float(&bytes, (double)VALUES[i], 4, false);
  return bytes;
}

/* Whatever is done with standard input, it is as it was afterwards. */
static int replace_input(int descriptor) {
  int kept = dup(STDIN_FILENO);
  assert_true(dup2(descriptor, STDIN_FILENO) == STDIN_FILENO);
  close(descriptor);
  return kept;
}

static void restore_input(int kept) {
  assert_true(dup2(kept, STDIN_FILENO) == STDIN_FILENO);
  close(kept);
}

/* A pipe that holds these bytes, which fit into it. */
static int pipe_of(const void *bytes, size_t length) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(write(ends[1], bytes, length), (ssize_t)length);
  close(ends[1]);
  return ends[0];
}

static int file_of(const char *name, const void *bytes, size_t length) {
  char path[SUPPORT_PATH];
  write_file(name, bytes, length);
  support_path(path, test_folder, name);
  return open(path, O_RDONLY);
}

static SetosaStatus load_input(SetosaDataset **dataset, int descriptor, const char *options, SetosaError *error) {
  int kept = replace_input(descriptor);
  SetosaStatus status = test_load(dataset, "-", options, error);
  restore_input(kept);
  return status;
}

static void standard_input_is_read(void **state) {
  (void)state;
  SetosaError error = {0};
  for (int file = 0; file < 2; file++) {
    SetosaDataset *dataset = NULL;
    const size_t length = sizeof TABLE - 1;
    support_ok(load_input(&dataset, file ? file_of("in.csv", TABLE, length) : pipe_of(TABLE, length), "", &error), &error);
    expect_values(dataset, 3, 2, VALUES);
    expect_classes(dataset, "p q p", "p q");
    setosa_dataset_destroy(dataset);
  }
}

/* An array comes through a pipe, from a file, and from a file that somebody else has read a part of. */
static void arrays_come_through_standard_input(void **state) {
  (void)state;
  SetosaError error = {0};
  char labels[SUPPORT_PATH], options[SUPPORT_PATH + 16];
  Bytes array = array_of_three_rows();
  write_file("y.txt", "p\nq\np\n", 6);
  support_path(labels, test_folder, "y.txt");
  snprintf(options, sizeof options, "labels=%s", labels);
  for (int way = 0; way < 3; way++) {
    SetosaDataset *dataset = NULL;
    Bytes padded = {.length = 0};
    put(&padded, "somebody else's line\n", 21);
    put(&padded, array.at, array.length);
    int descriptor = way == 0   ? pipe_of(array.at, array.length)
                     : way == 1 ? file_of("x.npy", array.at, array.length)
                                : file_of("x.both", padded.at, padded.length);
    if (way == 2) assert_int_equal(lseek(descriptor, 21, SEEK_SET), 21);
    support_ok(load_input(&dataset, descriptor, options, &error), &error);
    expect_values(dataset, 3, 2, VALUES);
    expect_classes(dataset, "p q p", "p q");
    setosa_dataset_destroy(dataset);
  }
}

static void standard_input_is_named_in_messages(void **state) {
  (void)state;
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  char path[SUPPORT_PATH], found[SUPPORT_PATH] = "?";
  Bytes array = array_of_three_rows();
  support_fails(load_input(&dataset, pipe_of("a,b,y\n1,2,p\n3,q\n", 16), "", &error), &error, SETOSA_ERROR_DATA, "standard input:3:");
  support_fails(load_input(&dataset, pipe_of("", 0), "", &error), &error, SETOSA_ERROR_DATA,
                "standard input: nothing comes from it, which can be read once; give a file with rows of data");
  support_fails(load_input(&dataset, pipe_of(array.at, array.length), "", &error), &error, SETOSA_ERROR_USAGE,
                "standard input: a .npy file holds features only; add --labels FILE");
  support_fails(load_input(&dataset, open(test_folder, O_RDONLY), "", &error), &error, SETOSA_ERROR_DATA,
                "standard input: is a folder; name a file in it");
  support_path(path, test_folder, "named.npy");
  write_bytes("named.npy", &array);
  support_fails(test_load(&dataset, path, "labels=-", &error), &error, SETOSA_ERROR_USAGE,
                "--labels -: standard input is for the data; name a file of labels");
  support_fails(test_load(&dataset, path, "optional weights=-", &error), &error, SETOSA_ERROR_USAGE,
                "--weights -: standard input is for the data; name a file of weights");
  support_ok(setosa_labels_find(found, sizeof found, "-", &error), &error);
  assert_string_equal(found, "");
}

static void *fill_fifo(void *path) {
  int descriptor = open(path, O_WRONLY);
  assert_true(write(descriptor, TABLE, sizeof TABLE - 1) == sizeof TABLE - 1);
  close(descriptor);
  return NULL;
}

static void a_named_pipe_is_read(void **state) {
  (void)state;
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  pthread_t writer;
  char path[SUPPORT_PATH];
  support_path(path, test_folder, "pipe.csv");
  assert_int_equal(mkfifo(path, 0600), 0);
  assert_int_equal(pthread_create(&writer, NULL, fill_fifo, path), 0);
  support_ok(test_load(&dataset, path, "", &error), &error);
  pthread_join(writer, NULL);
  expect_values(dataset, 3, 2, VALUES);
  setosa_dataset_destroy(dataset);
}

/* What a file is, its bytes say: compressed or not, and whatever its name ends in. */
static void bytes_tell_what_a_file_is(void **state) {
  (void)state;
  const uint32_t sizes[] = {3, 1, 2};
  char path[SUPPORT_PATH];
  Bytes images = idx_header(0x08, 3, sizes), labels = idx_header(0x08, 1, sizes), array = array_of_three_rows();
  put(&images, "\1\2\3\4\5\6", 6);
  put(&labels, "\0\1\0", 3);
  write_bytes("labels.gz", &labels);
  support_path(path, test_folder, "labels.gz");
  for (int way = 0; way < 2; way++) { /* compressed without the ending, and with it but plain */
    const char *name = way == 0 ? "images" : "t-images-idx3-ubyte.gz";
    char other[SUPPORT_PATH];
    write_bytes("hidden.gz", &images);
    support_path(path, test_folder, "hidden.gz");
    support_path(other, test_folder, name);
    if (way == 0)
      assert_int_equal(rename(path, other), 0);
    else
      write_file(name, images.at, images.length);
    SetosaDataset *dataset = load_file(name, "scale=1 labels=labels.gz");
    expect_values(dataset, 3, 2, VALUES);
    expect_classes(dataset, "0 1 0", "0 1");
    setosa_dataset_destroy(dataset);
  }
  write_file("array.gz", array.at, array.length);
  SetosaDataset *dataset = load_file("array.gz", "labels=labels.gz");
  expect_values(dataset, 3, 2, VALUES);
  setosa_dataset_destroy(dataset);
}

static void tables_are_known_whatever_they_are_called(void **state) {
  (void)state;
  static const char *const names[] = {"table.txt", "table.dat", "table.data", "table", "table.dat.gz"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    SetosaDataset *dataset = load_csv(names[i], TABLE, "");
    expect_values(dataset, 3, 2, VALUES);
    setosa_dataset_destroy(dataset);
  }
}

/* As `cat a.gz b.gz` makes it. */
static void members_of_gzip_are_one_file(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  unsigned char joined[512];
  size_t length = 0;
  for (int part = 0; part < 2; part++) {
    size_t cut = 11, size = 0;
    support_path(path, test_folder, "member.gz");
    write_gzip(path, part == 0 ? TABLE : TABLE + cut, part == 0 ? cut : sizeof TABLE - 1 - cut);
    char *bytes = support_read(path, &size);
    memcpy(joined + length, bytes, size);
    length += size;
    free(bytes);
  }
  write_file("joined.csv.gz", joined, length);
  SetosaDataset *dataset = load_file("joined.csv.gz", "");
  expect_values(dataset, 3, 2, VALUES);
  setosa_dataset_destroy(dataset);
}

static void a_pattern_finds_one_file(void **state) {
  (void)state;
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  char path[SUPPORT_PATH], expected[2 * SUPPORT_PATH], found[SUPPORT_PATH] = "?";
  Bytes array = array_of_three_rows();
  write_file("alone-7.csv", TABLE, sizeof TABLE - 1);
  dataset = load_file("alone-*.csv", "");
  expect_values(dataset, 3, 2, VALUES);
  setosa_dataset_destroy(dataset);
  write_file("odd[1].csv", TABLE, sizeof TABLE - 1); /* a file of this very name comes first */
  dataset = load_file("odd[1].csv", "");
  expect_values(dataset, 3, 2, VALUES);
  setosa_dataset_destroy(dataset);
  support_path(path, test_folder, "nothing-*.csv");
  snprintf(expected, sizeof expected, "%s: no file has a name that fits this pattern; check it with ls", path);
  support_fails(test_load(&dataset, path, "", &error), &error, SETOSA_ERROR_DATA, expected);
  write_bytes("single-1.npy", &array);
  write_file("single-1-labels.npy", "x", 1);
  support_path(path, test_folder, "single-?.npy");
  support_ok(setosa_labels_find(found, sizeof found, path, &error), &error);
  assert_string_equal(strrchr(found, '/'), "/single-1-labels.npy");
}

/* In the order of their bytes, as a shell lists them in the C locale; a folder is none, and a file may be compressed. */
static void a_pattern_finds_several_files(void **state) {
  (void)state;
  static const char *const names[] = {"part-2.csv", "part-10.csv", "part-1.csv"};
  static const float expected[] = {9, 9, -8, -8, 7, 7};
  char path[SUPPORT_PATH], text[64], pattern[SUPPORT_PATH];
  for (int i = 0; i < 3; i++) {
    snprintf(text, sizeof text, "a,b,y\n%g,%g,%s\n", (double)expected[4 - 2 * i], (double)expected[4 - 2 * i], i % 2 ? "q" : "p");
    write_file(names[i], text, strlen(text));
  }
  support_path(path, test_folder, "part-3.csv");
  assert_int_equal(mkdir(path, 0700), 0);
  SetosaDataset *dataset = load_file("part-*.csv", "");
  expect_values(dataset, 3, 2, expected);
  expect_classes(dataset, "p q p", "p q");
  setosa_dataset_destroy(dataset);
  /* The same by name, and a pattern among the further files. */
  SetosaError error = {0};
  SetosaDataOptions options = setosa_data_options_default();
  support_path(path, test_folder, "part-1.csv");
  support_path(pattern, test_folder, "part-1[0-9].csv");
  const char *const also[] = {pattern};
  options.also = also;
  options.also_count = 1;
  support_ok(setosa_dataset_load(&dataset, path, &options, &error), &error);
  const float two[] = {9, 9, -8, -8};
  expect_values(dataset, 2, 2, two);
  setosa_dataset_destroy(dataset);
}

static void several_files_are_for_tables_alone(void **state) {
  (void)state;
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  char table[SUPPORT_PATH], array[SUPPORT_PATH], gone[SUPPORT_PATH], expected[3 * SUPPORT_PATH];
  const char *also[2] = {array, NULL};
  Bytes bytes = array_of_three_rows();
  SetosaDataOptions options = setosa_data_options_default();
  support_path(table, test_folder, "first.csv");
  support_path(array, test_folder, "second.npy");
  support_path(gone, test_folder, "gone.csv");
  write_file("first.csv", TABLE, sizeof TABLE - 1);
  write_bytes("second.npy", &bytes);
  options.also = also;
  options.also_count = 1;
  snprintf(expected, sizeof expected, "%s: is no table, so it cannot follow one; join arrays with numpy.concatenate", array);
  support_fails(setosa_dataset_load(&dataset, table, &options, &error), &error, SETOSA_ERROR_USAGE, expected);
  also[0] = table;
  snprintf(expected, sizeof expected, "%s: this is no table, so %s cannot follow it", array, table);
  support_fails(setosa_dataset_load(&dataset, array, &options, &error), &error, SETOSA_ERROR_USAGE, expected);
  support_fails(setosa_dataset_load(&dataset, "synthetic:rows=9", &options, &error), &error, SETOSA_ERROR_USAGE,
                "synthetic:rows=9: these rows are made, so ");
  also[0] = gone;
  snprintf(expected, sizeof expected, "%s: cannot open", gone);
  support_fails(setosa_dataset_load(&dataset, table, &options, &error), &error, SETOSA_ERROR_DATA, expected);
  also[0] = "-";
  support_fails(setosa_dataset_load(&dataset, table, &options, &error), &error, SETOSA_ERROR_USAGE,
                "-: standard input cannot follow other files; name it alone");
  also[0] = NULL;
  support_fails(setosa_dataset_load(&dataset, table, &options, &error), &error, SETOSA_ERROR_USAGE,
                "setosa_dataset_load: options.also[0] is NULL");
}

/* A stream that can be read again gives the same bytes; one that cannot says so. */
static void regular_files_are_read_again(void **state) {
  (void)state;
  SetosaError error = {0};
  Stream *stream = NULL;
  char path[SUPPORT_PATH], first[64], again[64];
  for (int compressed = 0; compressed < 2; compressed++) {
    size_t got = 0;
    support_path(path, test_folder, "again.gz");
    if (compressed)
      write_gzip(path, TABLE, sizeof TABLE - 1);
    else
      support_write(path, TABLE, sizeof TABLE - 1);
    support_ok(stream_open(&stream, path, &error), &error);
    assert_true(stream_is_regular(stream) && stream_can_rewind(stream));
    for (int time = 0; time < 3; time++) {
      support_ok(stream_read(stream, time == 0 ? first : again, sizeof first, &got, &error), &error);
      assert_int_equal(got, sizeof TABLE - 1);
      if (time > 0) assert_memory_equal(first, again, got);
      support_ok(stream_rewind(stream, &error), &error);
    }
    stream_close(stream);
  }
  int kept = replace_input(pipe_of(TABLE, sizeof TABLE - 1));
  support_ok(stream_open(&stream, "-", &error), &error);
  assert_false(stream_is_regular(stream) || stream_can_rewind(stream));
  assert_string_equal(stream_path(stream), "standard input");
  support_fails(stream_rewind(stream, &error), &error, SETOSA_ERROR_DATA, "standard input: cannot be read a second time");
  stream_close(stream);
  restore_input(kept);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(standard_input_is_read),
                                     cmocka_unit_test(arrays_come_through_standard_input),
                                     cmocka_unit_test(standard_input_is_named_in_messages),
                                     cmocka_unit_test(a_named_pipe_is_read),
                                     cmocka_unit_test(bytes_tell_what_a_file_is),
                                     cmocka_unit_test(tables_are_known_whatever_they_are_called),
                                     cmocka_unit_test(members_of_gzip_are_one_file),
                                     cmocka_unit_test(a_pattern_finds_one_file),
                                     cmocka_unit_test(a_pattern_finds_several_files),
                                     cmocka_unit_test(several_files_are_for_tables_alone),
                                     cmocka_unit_test(regular_files_are_read_again)};
  return support_run("data_doors", tests, make_folder, remove_folder);
}
