/* The cache of conversions: what comes from it is bit for bit what the source gives, and no entry that is stale or damaged is believed. */
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>

#include "base/random.h"
#include "data/binary.h"
#include "data/kept.h"

enum { ROWS = 52000, FEATURES = 8, SEED = 20261124 };

static char table[SUPPORT_PATH];
static char *text; /* the CSV: above CACHE_LEAST_BYTES */
static size_t text_length;
static SetosaDataset *reference; /* table as it is read without a cache */

static void write_table(const char *path) {
  support_write(path, text, text_length);
  settle();
}

static int create(void **state) {
  make_folder(state);
  support_path(kept, test_folder, "kept");
  support_path(table, test_folder, "table.csv");
  text = malloc((size_t)ROWS * (FEATURES * 21 + 12) + 200);
  if (text == NULL) return 1;
  text_length = (size_t)sprintf(text, "a,b,c,d,\"e \"\"quoted\"\"\",f,g,h,kind\n");
  for (size_t i = 0; i < ROWS; i++) {
    for (size_t d = 0; d < FEATURES; d++)
      text_length += (size_t)sprintf(text + text_length, "%.16f,", random_symmetric(SEED, RANDOM_STREAM_CHECK, i, d));
    text_length += (size_t)sprintf(text + text_length, "%s\n", i % 3 == 0 ? "pear" : i % 3 == 1 ? "apple" : "fig");
  }
  write_table(table);
  SetosaDataOptions options = setosa_data_options_default();
  options.no_cache = true;
  if (setosa_dataset_load(&reference, table, &options, NULL) != SETOSA_OK) return 1;
  return text_length > CACHE_LEAST_BYTES ? 0 : 1;
}

static int destroy(void **state) {
  free(text);
  setosa_dataset_destroy(reference);
  return remove_folder(state);
}

static void expect_same(const SetosaDataset *a, const SetosaDataset *b) {
  assert_int_equal(setosa_dataset_rows(a), setosa_dataset_rows(b));
  assert_int_equal(setosa_dataset_features(a), setosa_dataset_features(b));
  assert_int_equal(setosa_dataset_classes(a), setosa_dataset_classes(b));
  assert_memory_equal(setosa_dataset_values(a), setosa_dataset_values(b),
                      setosa_dataset_rows(a) * setosa_dataset_features(a) * sizeof(float));
  assert_int_equal(setosa_dataset_labels(a) == NULL, setosa_dataset_labels(b) == NULL);
  if (setosa_dataset_labels(a) != NULL)
    assert_memory_equal(setosa_dataset_labels(a), setosa_dataset_labels(b), setosa_dataset_rows(a) * sizeof(int32_t));
  for (size_t k = 0; k < setosa_dataset_classes(a); k++)
    assert_string_equal(setosa_dataset_class_name(a, k), setosa_dataset_class_name(b, k));
  same_description(a, b);
}

/* Loads by way of the cache; what comes is `direct`, what the source itself gives. */
static void expect_load_like(const char *path, const char *options, bool from_cache, const SetosaDataset *direct) {
  SetosaDataset *through = load(path, options, true);
  if (setosa_dataset_cached(through) != from_cache)
    fail_msg("%s with \"%s\" %s from the cache", path, options, from_cache ? "is not" : "is");
  assert_false(setosa_dataset_cached(direct));
  same_text(setosa_dataset_cache_note(through), NULL);
  expect_same(through, direct);
  assert_true((uintptr_t)setosa_dataset_values(through) % 4096 == 0 || setosa_dataset_rows(through) == 2);
  setosa_dataset_destroy(through);
  assert_int_equal(count_files(".tmp"), 0);
}

static void expect_load(const char *path, const char *options, bool from_cache) {
  if (path == table && *options == '\0') {
    expect_load_like(path, options, from_cache, reference);
  } else {
    SetosaDataset *direct = load(path, options, false);
    expect_load_like(path, options, from_cache, direct);
    setosa_dataset_destroy(direct);
  }
}

static void second_reading_comes_from_the_cache(void **state) {
  (void)state;
  static const char *const options[] = {"",
                                        "header=1",
                                        "header=-1 label=kind",
                                        "drop=a,c",
                                        "features=h,a",
                                        "positive=fig",
                                        "scale=0.25",
                                        "label=kind drop=h optional",
                                        "features=1,2,3,4,5,6,7,8 classes=fig,apple,pear",
                                        "names=h,g,a classes=pear,fig,apple expect-label=kind",
                                        "names=h,g,a classes=pear,fig,plum expect-label=none optional"};
  enum { COUNT = sizeof options / sizeof *options };
  SetosaDataset *direct[COUNT];
  for (size_t i = 0; i < COUNT; i++) {
    direct[i] = load(table, options[i], false);
    expect_load_like(table, options[i], strncmp(options[i], "scale", 5) == 0, direct[i]); /* the scale is applied to what was read */
  }
  assert_int_equal(count_files(".data"), COUNT - 1);
  for (size_t i = 0; i < COUNT; i++) { /* none in the place of another */
    expect_load_like(table, options[i], true, direct[i]);
    setosa_dataset_destroy(direct[i]);
  }
}

static void small_files_and_no_cache_leave_nothing(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  support_path(path, test_folder, "small.csv");
  support_write_text(path, "1,p\n2,q\n");
  settle();
  expect_load(path, "", false);
  expect_load(path, "", false);
  setosa_dataset_destroy(load(table, "", false));
  assert_int_equal(count_files(".data"), 0);
  expect_load(table, "", false);
  setosa_dataset_destroy(load(table, "", false));
  expect_load(table, "", true);
}

static void a_changed_source_is_read_again(void **state) {
  (void)state;
  char path[SUPPORT_PATH], other[SUPPORT_PATH];
  support_path(path, test_folder, "changing.csv");
  support_path(other, test_folder, "other.csv");
  write_table(path);
  expect_load(path, "", false);
  expect_load(path, "", true);
  /* One digit, and the time of the change set back: only the time of the inode tells. */
  struct stat before;
  assert_int_equal(stat(path, &before), 0);
  char *digit = strstr(text, "\n") + 6, old = *digit;
  *digit = old == '7' ? '3' : '7';
  FILE *file = fopen(path, "r+b");
  assert_non_null(file);
  assert_int_equal(fseek(file, digit - text, SEEK_SET), 0);
  assert_int_equal(fputc(*digit, file), *digit);
  assert_int_equal(fclose(file), 0);
  *digit = old;
  const struct timespec times[] = {before.st_atim, before.st_mtim};
  assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
  settle();
  expect_load(path, "", false);
  expect_load(path, "", true);
  assert_int_equal(utimensat(AT_FDCWD, path, NULL, 0), 0); /* another time, the same bytes */
  settle();
  expect_load(path, "", false);
  expect_load(path, "", true);
  write_table(other); /* another file under the name */
  assert_int_equal(rename(other, path), 0);
  settle();
  expect_load(path, "", false);
  expect_load(path, "", true);
  const char *within = strchr(text + text_length - 1000000, '\n') + 5; /* below the least size, and cut within a row */
  assert_int_equal(truncate(path, (off_t)(within - text)), 0);
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  assert_int_equal(try_load(&dataset, path, "", true, &error), SETOSA_ERROR_DATA);
  assert_int_equal(count_files(".data"), 1); /* each replaced the one before */
  remove(path);
}

/* Levels, shifts, rows that were left out and what was said of them: from one file, and from several. */
static void tables_come_back_whole(void **state) {
  (void)state;
  char path[2][SUPPORT_PATH];
  Text words = {0};
  for (int i = 0; i < 420000; i++)
    support_ok(text_append(&words, NULL, "%s%d,%s,1%06d.25,%s\n", i == 0 ? "a,place,when,y\n" : "", i % 97,
                           i % 7 == 3 ? "NA"
                           : i % 2    ? "north"
                                      : "south",
                           i % 1000, i % 3 ? "p" : "q"),
               NULL);
  for (int i = 0; i < 2; i++) {
    support_path(path[i], test_folder, i == 0 ? "words-1.csv" : "words-2.csv");
    support_write(path[i], words.text, words.length);
  }
  text_free(&words);
  settle();
  SetosaDataset *first = load(path[0], "", false), *again = NULL;
  assert_non_null(setosa_dataset_shift(first));
  assert_int_equal(setosa_dataset_rows(first), 420000 - 60000);
  for (int i = 0; i < 2; i++) {
    again = load(path[0], "", true);
    assert_int_equal(setosa_dataset_cached(again), i == 1);
    expect_same(first, again);
    same_doubles(setosa_dataset_shift(first), setosa_dataset_shift(again), setosa_dataset_features(first));
    setosa_dataset_destroy(again);
  }
  setosa_dataset_destroy(first);
  support_path(path[0], test_folder, "words-*.csv");
  first = load(path[0], "", false);
  for (int i = 0; i < 3; i++) {
    again = load(path[0], "", true);
    assert_int_equal(setosa_dataset_cached(again), i == 1);
    expect_same(first, again);
    setosa_dataset_destroy(again);
    if (i != 1) continue;
    /* A change of the second file is seen. */
    support_write_text(path[1], "a,place,when,y\n1,north,1000001,p\n2,south,1000002,q\n3,south,1000002,q\n1,north,1000001,p\n");
    settle();
    setosa_dataset_destroy(first);
    first = load(path[0], "", false);
  }
  setosa_dataset_destroy(first);
}

static void every_damage_is_found(void **state) {
  (void)state;
  char path[SUPPORT_PATH], second[SUPPORT_PATH];
  expect_load(table, "", false);
  find_entry(path);
  size_t length = 0;
  char *good = support_read(path, &length);
  size_t values_end = 4096 + (size_t)ROWS * FEATURES * 4, labels_at = (values_end + 4095) / 4096 * 4096;
  size_t text_at = (labels_at + ROWS * 4 + 4095) / 4096 * 4096;
  assert_true(text_at < length && length < text_at + 1000);
  const size_t flips[] = {
      0, 8, 41, 80, 112, 150, 400, 4095, 4096, values_end - 1, labels_at, labels_at + ROWS * 4 - 1, text_at - 1, text_at, length - 1};
  for (size_t i = 0; i < sizeof flips / sizeof *flips; i++) {
    good[flips[i]] ^= 0x10;
    support_write(path, good, length);
    good[flips[i]] ^= 0x10;
    expect_load(table, "", false); /* and the entry made again, as the next shows */
    char *again = support_read(path, NULL);
    assert_memory_equal(again, good, length);
    free(again);
  }
  const size_t lengths[] = {0, 1, 4095, 4096, values_end, labels_at + 1, length - 1};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    support_write(path, good, lengths[i]);
    expect_load(table, "", false);
    expect_load(table, "", true);
  }
  char *longer = calloc(length + 4096, 1);
  assert_non_null(longer);
  memcpy(longer, good, length);
  support_write(path, longer, length + 1);
  expect_load(table, "", false);
  support_write(path, longer, length + 4096);
  expect_load(table, "", false);
  free(longer);
  /* A whole entry of other options in this one's place. */
  expect_load(table, "", true);
  assert_int_equal(remove(path), 0);
  expect_load(table, "drop=a", false);
  find_entry(second);
  assert_string_not_equal(path, second);
  assert_int_equal(rename(second, path), 0);
  expect_load(table, "", false);
  expect_load(table, "", true);
  /* A folder there: nothing can be kept, and nothing is lost. */
  assert_int_equal(remove(path), 0);
  assert_int_equal(mkdir(path, 0700), 0);
  SetosaDataset *dataset = load(table, "", true);
  expect_same(dataset, reference);
  assert_non_null(strstr(setosa_dataset_cache_note(dataset), "rename into place"));
  setosa_dataset_destroy(dataset);
  assert_int_equal(count_files(".tmp"), 0);
  free(good);
}

static void an_unusable_folder_costs_nothing_but_a_note(void **state) {
  (void)state;
  char usual[SUPPORT_PATH], blocked[SUPPORT_PATH];
  strcpy(usual, kept);
  support_path(blocked, test_folder, "blocked");
  support_write_text(blocked, "a file");
  support_path(kept, blocked, "below");
  SetosaDataset *dataset = load(table, "", true);
  expect_same(dataset, reference);
  assert_non_null(strstr(setosa_dataset_cache_note(dataset), "blocked"));
  setosa_dataset_destroy(dataset);
  strcpy(kept, blocked); /* a file where the folder should be */
  dataset = load(table, "", true);
  expect_same(dataset, reference);
  assert_non_null(setosa_dataset_cache_note(dataset));
  setosa_dataset_destroy(dataset);
  remove(blocked);
  strcpy(kept, usual);
}

/* A limit on the size of files stands for a full disk: the write in the middle of the rows fails, or the one of the labels. */
static void a_full_disk_costs_a_second_reading(void **state) {
  (void)state;
  struct rlimit before, small;
  void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlim_t limits[] = {0, 100000, 4096 + ROWS * FEATURES * 4, 4096 + ROWS * FEATURES * 4 + ROWS * 4};
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    small = before;
    small.rlim_cur = limits[i];
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    SetosaDataset *dataset = load(table, "", true);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    expect_same(dataset, reference);
    assert_non_null(strstr(setosa_dataset_cache_note(dataset), "cannot write"));
    setosa_dataset_destroy(dataset);
    assert_int_equal(count_files(".data"), 0);
    assert_int_equal(count_files(".tmp"), 0);
  }
  signal(SIGXFSZ, handler);
}

static void bad_data_are_refused_as_ever(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  support_path(path, test_folder, "bad.csv");
  memcpy(text + text_length, "1,2,3,4,5,6,7,x,fig\n", 20);
  support_write(path, text, text_length + 20);
  settle();
  for (int use = 0; use < 2; use++) {
    SetosaDataset *dataset = NULL;
    SetosaError error = {0};
    SetosaStatus status = try_load(&dataset, path, "", use == 1, &error);
    assert_null(dataset);
    char expected[2 * SUPPORT_PATH];
    snprintf(expected, sizeof expected, "%s:%d:8: 'x' is not a number", path, ROWS + 2);
    support_fails(status, &error, SETOSA_ERROR_DATA, expected);
  }
  assert_int_equal(count_files(".data"), 0);
  assert_int_equal(count_files(".tmp"), 0);
  remove(path);
}

static void a_fresh_source_is_kept_by_the_next_run(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  support_path(path, test_folder, "fresh.csv");
  support_write(path, text, text_length);
  assert_int_equal(utimensat(AT_FDCWD, path, NULL, 0), 0);
  SetosaDataset *dataset = load(path, "", true);
  assert_non_null(strstr(setosa_dataset_cache_note(dataset), "a moment ago"));
  assert_int_equal(count_files(".data"), 0);
  setosa_dataset_destroy(dataset);
  settle();
  expect_load(path, "", false);
  expect_load(path, "", true);
  remove(path);
}

typedef struct Watch {
  const char *path; /* touched at the first report, unless NULL */
  size_t reports;
  uint64_t bytes_done, bytes_total;
  bool stop;
} Watch;

static bool watch(const SetosaProgress *progress, void *user) {
  Watch *w = user;
  if (w->reports++ == 0 && w->path != NULL) assert_int_equal(utimensat(AT_FDCWD, w->path, NULL, 0), 0);
  w->bytes_done = progress->bytes_done;
  w->bytes_total = progress->bytes_total;
  return !w->stop;
}

static SetosaStatus load_watched(SetosaDataset **dataset, const char *path, Watch *w, SetosaError *error) {
  SetosaDataOptions options = setosa_data_options_default();
  options.cache = kept;
  options.progress = watch;
  options.progress_user = w;
  return setosa_dataset_load(dataset, path, &options, error);
}

static void a_source_that_changes_meanwhile_is_not_kept(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  support_path(path, test_folder, "moving.csv");
  write_table(path);
  Watch w = {.path = path};
  support_ok(load_watched(&dataset, path, &w, &error), &error);
  assert_true(w.reports > 0 && w.bytes_done == text_length && w.bytes_total == text_length);
  assert_non_null(strstr(setosa_dataset_cache_note(dataset), "changed while it was read"));
  assert_int_equal(count_files(".data"), 0);
  assert_int_equal(count_files(".tmp"), 0);
  setosa_dataset_destroy(dataset);
  remove(path);
}

static void a_load_from_the_cache_reports_and_stops(void **state) {
  (void)state;
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  char path[SUPPORT_PATH];
  struct stat info;
  expect_load(table, "", false);
  find_entry(path);
  assert_int_equal(stat(path, &info), 0);
  Watch w = {.stop = false};
  support_ok(load_watched(&dataset, table, &w, &error), &error);
  assert_true(setosa_dataset_cached(dataset));
  assert_true(w.bytes_done == (uint64_t)info.st_size && w.bytes_total == (uint64_t)info.st_size);
  setosa_dataset_destroy(dataset);
  w = (Watch){.stop = true};
  assert_int_equal(load_watched(&dataset, table, &w, &error), SETOSA_INTERRUPTED);
  assert_null(dataset);
  expect_load(table, "", true);
}

/* What a killed process left goes; what a living one writes stays. */
static void leftovers_are_swept(void **state) {
  (void)state;
  char dead[SUPPORT_PATH], alive[SUPPORT_PATH], foreign[SUPPORT_PATH];
  mkdir(kept, 0700);
  support_path(dead, kept, "0123456789abcdef0123456789abcdef.data.AbCdEf.tmp");
  support_path(alive, kept, "0123456789abcdef0123456789abcdef.data.GhIjKl.tmp");
  support_path(foreign, kept, "somebody-elses.tmp");
  support_write_text(dead, "half");
  support_write_text(alive, "half");
  support_write_text(foreign, "whole");
  int held = open(alive, O_RDWR);
  assert_int_equal(flock(held, LOCK_EX | LOCK_NB), 0);
  setosa_dataset_destroy(load(table, "", true));
  assert_int_equal(access(dead, F_OK), -1);
  assert_int_equal(access(alive, F_OK), 0);
  assert_int_equal(access(foreign, F_OK), 0);
  close(held);
  assert_int_equal(remove(alive), 0);
  assert_int_equal(remove(foreign), 0);
}

/* A process of its own that loads the table: exit code 0 when it read the source, 1 when the entry, 2 when what came is wrong. */
static pid_t begin_load(int foreign) {
  pid_t child = fork();
  if (child != 0) return child;
  if (foreign >= 0) close(foreign); /* or this one would hold the lock, too */
  SetosaDataset *dataset = NULL;
  bool right = try_load(&dataset, table, "", true, NULL) == SETOSA_OK && setosa_dataset_rows(dataset) == ROWS &&
               memcmp(setosa_dataset_values(dataset), setosa_dataset_values(reference), (size_t)ROWS * FEATURES * sizeof(float)) == 0;
  _exit(!right ? 2 : setosa_dataset_cached(dataset) ? 1 : 0);
}

static void of_several_at_once_one_converts(void **state) {
  (void)state;
  enum { CHILDREN = 4 };
  pid_t children[CHILDREN];
  int from_entry = 0;
  for (int c = 0; c < CHILDREN; c++) children[c] = begin_load(-1);
  for (int c = 0; c < CHILDREN; c++) {
    int code = end_load(children[c]);
    assert_true(code == 0 || code == 1);
    from_entry += code;
  }
  assert_int_equal(from_entry, CHILDREN - 1);
  assert_int_equal(count_files(".tmp"), 0);
  assert_int_equal(count_files(".lock"), 0);
  assert_int_equal(count_files(".data"), 1);
  expect_load(table, "", true);
}

/* The table's entry and lock, with the entry away and the lock held as by a process that converts. */
static int hold_lock(char entry[SUPPORT_PATH], char **bytes, size_t *length) {
  char lock[SUPPORT_PATH];
  expect_load(table, "", false);
  find_entry(entry);
  *bytes = support_read(entry, length);
  assert_int_equal(remove(entry), 0);
  snprintf(lock, sizeof lock, "%.*s.lock", (int)(strlen(entry) - strlen(".data")), entry);
  int held = open(lock, O_RDWR | O_CREAT, 0600);
  assert_int_equal(flock(held, LOCK_EX | LOCK_NB), 0);
  return held;
}

static void who_waits_does_what_is_left_to_do(void **state) {
  enum Outcome { DIED, MADE, GAVE_UP, OUTCOMES } outcome;
  static const int expected[OUTCOMES] = {0, 1, 0};
  for (outcome = DIED; outcome < OUTCOMES; outcome++) {
    char entry[SUPPORT_PATH], *bytes = NULL;
    size_t length = 0;
    forget(state);
    int held = hold_lock(entry, &bytes, &length), status = 0;
    pid_t child = begin_load(held);
    wait_ms(1000);                                         /* reading takes a fraction of this */
    assert_int_equal(waitpid(child, &status, WNOHANG), 0); /* it waits */
    assert_int_equal(count_files(".data"), 0);
    assert_int_equal(count_files(".tmp"), 0);
    if (outcome == MADE) support_write(entry, bytes, length);
    if (outcome == GAVE_UP) assert_int_equal(pwrite(held, "x", 1, 0), 1);
    close(held);
    assert_int_equal(end_load(child), expected[outcome]);
    assert_int_equal(count_files(".data"), outcome != GAVE_UP); /* what could not be kept once is not tried by all who waited */
    expect_load(table, "", outcome != GAVE_UP);
    assert_int_equal(count_files(".lock"), 0);
    free(bytes);
  }
}

static void waiting_can_be_stopped(void **state) {
  (void)state;
  char entry[SUPPORT_PATH], *bytes = NULL;
  size_t length = 0;
  int held = hold_lock(entry, &bytes, &length);
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  Watch w = {.stop = true};
  assert_int_equal(load_watched(&dataset, table, &w, &error), SETOSA_INTERRUPTED);
  assert_null(dataset);
  assert_int_equal(w.reports, 1);
  close(held);
  free(bytes);
}

/* Of an entry of several blocks a process verifies those of its rows, and those of the labels. */
static void a_part_is_verified_alone(void **state) {
  (void)state;
  enum { N = 400000, D = 8, PARTS = 4, ROW = D * sizeof(float) };
  char path[SUPPORT_PATH], labels[SUPPORT_PATH], entry[SUPPORT_PATH], dictionary[128];
  support_path(path, test_folder, "large.npy");
  support_path(labels, test_folder, "large-labels.npy");
  snprintf(dictionary, sizeof dictionary, "{'descr': '<f8', 'fortran_order': False, 'shape': (%d, %d)}", N, D);
  Bytes header = npy_header(1, dictionary);
  char *bytes = malloc(4096 + (size_t)N * D * 8);
  assert_non_null(bytes);
  memcpy(bytes, header.at, header.length);
  for (size_t i = 0; i < (size_t)N * D; i++) {
    double value = (double)(i % 1021);
    memcpy(bytes + header.length + 8 * i, &value, 8);
  }
  support_write(path, bytes, header.length + (size_t)N * D * 8);
  snprintf(dictionary, sizeof dictionary, "{'descr': '|u1', 'fortran_order': False, 'shape': (%d,)}", N);
  header = npy_header(1, dictionary);
  memcpy(bytes, header.at, header.length);
  for (size_t i = 0; i < N; i++) bytes[header.length + i] = (char)(i % 3);
  support_write(labels, bytes, header.length + N);
  settle();
  expect_load(path, "", false);
  find_entry(entry);
  free(bytes);
  size_t length = 0, values_end = 4096 + (size_t)N * ROW;
  bytes = support_read(entry, &length);
  const struct {
    size_t at;
    bool found[PARTS];
  } flips[] = {{4096, {true, true, false, false}}, /* parts of 3.2 MB, blocks of 4 MiB */
               {4096 + 5000000, {false, true, true, false}},
               {values_end - 1, {true, true, true, true}}, /* a block of labels, too */
               {length - 1, {true, true, true, true}},
               {0, {true, true, true, true}}};
  for (size_t i = 0; i < sizeof flips / sizeof *flips; i++)
    for (size_t part = 0; part < PARTS; part++) {
      SetosaDataset *dataset = NULL;
      SetosaError error = {0};
      SetosaDataOptions options = setosa_data_options_default();
      options.cache = kept;
      options.part = part;
      options.parts = PARTS;
      bytes[flips[i].at] ^= 4;
      support_write(entry, bytes, length);
      bytes[flips[i].at] ^= 4;
      support_ok(setosa_dataset_load(&dataset, path, &options, &error), &error);
      if (setosa_dataset_cached(dataset) == flips[i].found[part])
        fail_msg("byte %zu, part %zu: %s", flips[i].at, part,
                 flips[i].found[part] ? "the damage is not seen" : "others' rows are looked at");
      assert_int_equal(dataset->part, part);
      assert_int_equal(dataset->parts, PARTS);
      setosa_dataset_destroy(dataset);
    }
  free(bytes);
  remove(path);
  remove(labels);
}

/* Changing the rows changes a copy. */
static void changes_stay_in_memory(void **state) {
  (void)state;
  SetosaError error = {0};
  expect_load(table, "", false);
  for (int first = 1; first >= 0; first--) { /* mapped from the entry just written, and from the one found */
    if (first) forget(state);
    SetosaDataset *dataset = load(table, "", true), *direct = load(table, "", false), *held_out = NULL, *held_direct = NULL;
    assert_int_equal(setosa_dataset_cached(dataset), !first);
    support_ok(setosa_dataset_shuffle(dataset, 1, &error), &error);
    support_ok(setosa_dataset_standardize(dataset, &error), &error);
    support_ok(setosa_dataset_split(dataset, 0.1, 2, &held_out, &error), &error);
    support_ok(setosa_dataset_shuffle(direct, 1, &error), &error);
    support_ok(setosa_dataset_standardize(direct, &error), &error);
    support_ok(setosa_dataset_split(direct, 0.1, 2, &held_direct, &error), &error);
    expect_same(dataset, direct);
    expect_same(held_out, held_direct);
    setosa_dataset_destroy(dataset);
    setosa_dataset_destroy(direct);
    setosa_dataset_destroy(held_out);
    setosa_dataset_destroy(held_direct);
    expect_load(table, "", true);
  }
}

/* Digits of random numbers shrink to less than half: a larger text makes a large enough .gz. */
static void compressed_tables_are_kept(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  struct stat info;
  support_path(path, test_folder, "table.csv.gz");
  gzFile file = gzopen(path, "wb1");
  assert_non_null(file);
  const char *rows = strchr(text, '\n') + 1;
  assert_true(gzwrite(file, text, (unsigned)text_length) > 0);
  for (int more = 0; more < 2; more++) assert_true(gzwrite(file, rows, (unsigned)(text_length - (size_t)(rows - text))) > 0);
  assert_int_equal(gzclose(file), Z_OK);
  assert_int_equal(stat(path, &info), 0);
  assert_true((uint64_t)info.st_size > CACHE_LEAST_BYTES);
  settle();
  expect_load(path, "", false);
  expect_load(path, "", true);
  assert_int_equal(truncate(path, info.st_size - 4), 0);
  settle();
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  for (int i = 0; i < 2; i++) {
    assert_int_equal(try_load(&dataset, path, "", true, &error), SETOSA_ERROR_DATA);
    assert_non_null(strstr(error.message, "truncated .gz"));
    assert_int_equal(count_files(".tmp"), 0);
  }
  remove(path);
}

/* Doubles become an entry, by rows and by columns; the file of labels belongs to the source. */
static void arrays_of_doubles_are_kept(void **state) {
  (void)state;
  enum { N = 150000, D = 7 };
  char path[SUPPORT_PATH], labels[SUPPORT_PATH], options[2 * SUPPORT_PATH];
  support_path(path, test_folder, "doubles.npy");
  support_path(labels, test_folder, "labels.txt");
  snprintf(options, sizeof options, "labels=%s", labels);
  char *lines = malloc(2 * N);
  unsigned char *bytes = malloc(4096 + (size_t)N * D * 8);
  assert_non_null(lines);
  assert_non_null(bytes);
  for (size_t i = 0; i < N; i++) memcpy(lines + 2 * i, i % 5 == 0 ? "1\n" : "0\n", 2);
  for (int fortran = 0; fortran < 2; fortran++) {
    char dictionary[128];
    snprintf(dictionary, sizeof dictionary, "{'descr': '<f8', 'fortran_order': %s, 'shape': (%d, %d)}", fortran ? "True" : "False", N, D);
    Bytes header = npy_header(1, dictionary);
    memcpy(bytes, header.at, header.length);
    for (size_t i = 0; i < (size_t)N * D; i++) {
      double value = random_symmetric(SEED, RANDOM_STREAM_CHECK, 7, i);
      memcpy(bytes + header.length + 8 * i, &value, 8);
    }
    support_write(path, bytes, header.length + (size_t)N * D * 8);
    support_write(labels, lines, 2 * N);
    settle();
    expect_load(path, options, false);
    expect_load(path, options, true);
    lines[2] = '1';
    support_write(labels, lines, 2 * N);
    lines[2] = '0';
    settle();
    expect_load(path, options, false);
    expect_load(path, options, true);
    /* A number that is none, in the last row but one. */
    const double nan = NAN;
    memcpy(bytes + header.length + 8 * ((size_t)N * D - (fortran ? N + 2 : D + 1)), &nan, 8);
    support_write(path, bytes, header.length + (size_t)N * D * 8);
    settle();
    SetosaDataset *dataset = NULL;
    for (int use = 0; use < 2; use++) {
      SetosaError error = {0};
      char expected[SUPPORT_PATH + 64];
      snprintf(expected, sizeof expected, "%s:%d:%d: the value is not a number", path, N - 1, fortran ? D - 1 : D);
      support_fails(try_load(&dataset, path, options, use == 1, &error), &error, SETOSA_ERROR_DATA, expected);
    }
    assert_int_equal(count_files(".tmp"), 0);
  }
  free(lines);
  free(bytes);
  remove(path);
}

/* A column of weights is kept; a file of them belongs to the source, and another choice of them is another entry. */
static void weights_are_kept(void **state) {
  (void)state;
  char path[SUPPORT_PATH], file[SUPPORT_PATH], options[2 * SUPPORT_PATH];
  char *positive = malloc(text_length), *lines = malloc(2 * ROWS + 1);
  assert_true(positive != NULL && lines != NULL);
  for (size_t i = 0; i < text_length; i++) positive[i] = text[i] == '-' ? '0' : text[i];
  for (size_t i = 0; i < ROWS; i++) memcpy(lines + 2 * i, i % 5 == 0 ? "2\n" : "1\n", 3);
  support_path(path, test_folder, "weighted.csv");
  support_path(file, test_folder, "weights.txt");
  support_write(path, positive, text_length);
  support_write(file, lines, 2 * ROWS);
  settle();
  snprintf(options, sizeof options, "weights=%s", file);
  const char *const ways[] = {"", "weights=c", "weights=8", options};
  for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
    expect_load(path, ways[w], false);
    expect_load(path, ways[w], true);
  }
  lines[2] = '7';
  support_write(file, lines, 2 * ROWS);
  settle();
  expect_load(path, options, false);
  expect_load(path, options, true);
  expect_load(path, "weights=c", true);
  free(positive);
  free(lines);
  remove(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(second_reading_comes_from_the_cache, forget),
      cmocka_unit_test_setup(tables_come_back_whole, forget),
      cmocka_unit_test_setup(weights_are_kept, forget),
      cmocka_unit_test_setup(small_files_and_no_cache_leave_nothing, forget),
      cmocka_unit_test_setup(a_changed_source_is_read_again, forget),
      cmocka_unit_test_setup(every_damage_is_found, forget),
      cmocka_unit_test_setup(an_unusable_folder_costs_nothing_but_a_note, forget),
      cmocka_unit_test_setup(a_full_disk_costs_a_second_reading, forget),
      cmocka_unit_test_setup(bad_data_are_refused_as_ever, forget),
      cmocka_unit_test_setup(a_fresh_source_is_kept_by_the_next_run, forget),
      cmocka_unit_test_setup(a_source_that_changes_meanwhile_is_not_kept, forget),
      cmocka_unit_test_setup(a_load_from_the_cache_reports_and_stops, forget),
      cmocka_unit_test_setup(leftovers_are_swept, forget),
      cmocka_unit_test_setup(of_several_at_once_one_converts, forget),
      cmocka_unit_test_setup(who_waits_does_what_is_left_to_do, forget),
      cmocka_unit_test_setup(waiting_can_be_stopped, forget),
      cmocka_unit_test_setup(a_part_is_verified_alone, forget),
      cmocka_unit_test_setup(changes_stay_in_memory, forget),
      cmocka_unit_test_setup(compressed_tables_are_kept, forget),
      cmocka_unit_test_setup(arrays_of_doubles_are_kept, forget),
  };
  return support_run("data_cache", tests, create, destroy);
}
