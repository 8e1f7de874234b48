/* Sparse rows in the cache of conversions: stripes that are mapped side by side hold what the source gives, whichever of them have values
 * and whatever the first column is called, and no entry that is damaged is believed. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/random.h"
#include "data/kept.h"
#include "data/sparse_rows.h"

enum { SEED = 20261128, ENTRIES = 100 /* of a row, at most */, FEATURES = 1000 };

/* Rows of all but one of these have ENTRIES entries. */
typedef enum Kind {
  ONES,  /* no values are kept, of one stripe that is not whole */
  FEW,   /* values in one stripe that is not whole */
  EARLY, /* values in a whole stripe and another one */
  LATE,  /* a whole stripe of ones, and then values */
  EMPTY, /* rows without entries, for a model that has features */
  KINDS
} Kind;

static const size_t kind_rows[KINDS] = {14000, 14000, 60000, 60000, 4200000};
static char sources[KINDS][SUPPORT_PATH];
static SetosaDataset *references[KINDS]; /* as they are read without a cache */
static const char *const kind_options[KINDS] = {"", "", "", "", "expect=30 base=1 classes=0,1"};

/* Indices from 2 on; the first row has others besides, as its beginning says. */
static void write_source(const char *path, Kind kind, size_t rows, const char *beginning) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(beginning, file);
  for (size_t i = 0; i < rows; i++) {
    fprintf(file, "%d", i % 3 == 0);
    for (unsigned d = 0; kind != EMPTY && d < ENTRIES; d++) {
      uint64_t random = random_below(SEED, RANDOM_STREAM_CHECK, i, d, 1000);
      bool one = kind == ONES || (kind == LATE && i < rows - 50) || (kind == EARLY && i > 3);
      fprintf(file, one ? " %u:1" : " %u:1.%03u", 2 + 10 * d + (unsigned)random % 9, (unsigned)random);
    }
    fputc('\n', file);
  }
  assert_int_equal(fclose(file), 0);
}

static int create(void **state) {
  static const char *const names[KINDS] = {"ones.svm", "few.svm", "early.svm", "late.svm", "empty.svm"};
  make_folder(state);
  support_path(kept, test_folder, "kept");
  for (Kind k = 0; k < KINDS; k++) {
    support_path(sources[k], test_folder, names[k]);
    write_source(sources[k], k, kind_rows[k], "");
  }
  settle();
  for (Kind k = 0; k < KINDS; k++) references[k] = load(sources[k], kind_options[k], false);
  return 0;
}

static int destroy(void **state) {
  for (Kind k = 0; k < KINDS; k++) setosa_dataset_destroy(references[k]);
  return remove_folder(state);
}

static void expect_same(const SetosaDataset *a, const SetosaDataset *b) {
  expect_same_rows(a, b);
  same_description(a, b);
}

static void expect_load_like(const char *path, const char *options, bool from_cache, const SetosaDataset *direct) {
  SetosaDataset *through = load(path, options, true);
  if (setosa_dataset_cached(through) != from_cache)
    fail_msg("%s with \"%s\" %s from the cache", path, options, from_cache ? "is not" : "is");
  same_text(setosa_dataset_cache_note(through), NULL);
  assert_non_null(through->held->mapping.at); /* in either case memory holds none of them */
  expect_same(through, direct);
  setosa_dataset_destroy(through);
  assert_int_equal(count_files(".tmp"), 0);
}

static void expect_load(Kind kind, bool from_cache) { expect_load_like(sources[kind], kind_options[kind], from_cache, references[kind]); }

/* Of the one entry that there is. */
static void find_layout(char path[SUPPORT_PATH], CacheHeader *header, CacheLayout *layout) {
  CachePage page;
  find_entry(path);
  int descriptor = open(path, O_RDONLY);
  assert_int_equal(pread(descriptor, page.bytes, CACHE_PAGE, 0), CACHE_PAGE);
  close(descriptor);
  *header = page.header;
  assert_true(cache_layout(layout, header));
}

static void stripes_become_arrays(void **state) {
  static const uint64_t stripes_of_ones[KINDS] = {1, 0, 0, 1, 0};
  for (Kind k = 0; k < KINDS; k++) {
    char path[SUPPORT_PATH];
    CacheHeader header;
    CacheLayout layout;
    struct stat info;
    forget(state);
    expect_load(k, false); /* mapped from the entry just written, */
    expect_load(k, true);  /* and from the one found */
    find_layout(path, &header, &layout);
    assert_true(header.sparse && header.entries == (k == EMPTY ? 0 : kind_rows[k] * ENTRIES));
    assert_int_equal(header.ones_stripes, stripes_of_ones[k]);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, layout.bytes);
    assert_int_equal(dataset_shape(references[k]).ones, k == ONES || k == EMPTY);
  }
  assert_true(kind_rows[EARLY] * ENTRIES > CACHE_STRIPE && kind_rows[LATE] * ENTRIES > CACHE_STRIPE + 50 * ENTRIES);
}

static void ways_of_reading_have_entries_of_their_own(void **state) {
  (void)state;
  static const char *const options[] = {"",
                                        "hash=9",
                                        "positive=0",
                                        "expect=2000 base=1 classes=1,0",
                                        "expect=2000 base=0 classes=0,1",
                                        "expect=500 base=1 classes=0,1",
                                        "sparse=always",
                                        "sparse=never"};
  enum { COUNT = sizeof options / sizeof *options };
  for (int again = 0; again < 2; again++)
    for (size_t i = 0; i < COUNT; i++) {
      SetosaDataset *direct = load(sources[FEW], options[i], false), *through = load(sources[FEW], options[i], true);
      assert_int_equal(setosa_dataset_cached(through), again);
      same_description(through, direct);
      assert_int_equal(setosa_dataset_is_sparse(through), i + 1 < COUNT);
      if (i + 1 < COUNT) expect_same_rows(through, direct);
      if (i + 1 == COUNT)
        assert_memory_equal(setosa_dataset_values(through), setosa_dataset_values(direct),
                            kind_rows[FEW] * setosa_dataset_features(direct) * sizeof(float));
      setosa_dataset_destroy(direct);
      setosa_dataset_destroy(through);
    }
  assert_int_equal(count_files(".data"), COUNT);
}

/* What the first column is called may be known late: by an index of 0 in the first rows, in the last one, or in an entry of value 0. */
static void columns_from_0_are_found(void **state) {
  (void)state;
  static const struct {
    const char *beginning, *end;
  } cases[] = {{"1 0:2 3:1\n", ""}, {"1\n0\n", "1 0:7 5:2\n"}, {"", "1 0:0 5:2\n"}, {"1 0:0 3:1\n", "0 0:3\n"}, {"1 1:3\n", ""}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    char path[SUPPORT_PATH];
    support_path(path, test_folder, "zero.svm");
    write_source(path, FEW, kind_rows[FEW], cases[c].beginning);
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    fputs(cases[c].end, file);
    assert_int_equal(fclose(file), 0);
    settle();
    SetosaDataset *direct = load(path, "", false);
    assert_int_equal(setosa_dataset_index_base(direct), c == 4);
    expect_load_like(path, "", false, direct);
    expect_load_like(path, "", true, direct);
    setosa_dataset_destroy(direct);
    remove(path);
  }
}

static void flip(const char *path, size_t at) {
  char byte = 0;
  int descriptor = open(path, O_RDWR);
  assert_int_equal(pread(descriptor, &byte, 1, (off_t)at), 1);
  byte ^= 0x10;
  assert_int_equal(pwrite(descriptor, &byte, 1, (off_t)at), 1);
  close(descriptor);
}

static void expect_file(const char *path, const char *bytes, size_t length) {
  size_t got = 0;
  char *now = support_read(path, &got);
  assert_int_equal(got, length);
  assert_memory_equal(now, bytes, length);
  free(now);
}

static void every_damage_is_found(void **state) {
  (void)state;
  char path[SUPPORT_PATH], second[SUPPORT_PATH];
  CacheHeader header;
  CacheLayout layout;
  const size_t stripe = CACHE_STRIPE * sizeof(uint32_t);
  expect_load(LATE, false);
  find_layout(path, &header, &layout);
  size_t length = 0, last = (size_t)(header.entries - CACHE_STRIPE) * sizeof(uint32_t), pair = CACHE_ALIGNMENT + stripe,
         values = pair + (last + CACHE_ALIGNMENT - 1) / CACHE_ALIGNMENT * CACHE_ALIGNMENT;
  char *good = support_read(path, &length);
  assert_int_equal(length, layout.bytes);
  assert_true(layout.begin_at == layout.ones_at + stripe && values + last <= layout.ones_at);
  const size_t flips[] = {0, /* magic */
                          8, /* hashes and key */
                          41,
                          112,
                          offsetof(CacheHeader, sparse),
                          offsetof(CacheHeader, index_base),
                          offsetof(CacheHeader, entries),
                          offsetof(CacheHeader, ones_stripes),
                          CACHE_PAGE - 1,
                          CACHE_PAGE,      /* what is before the stripes, */
                          CACHE_ALIGNMENT, /* columns of ones, */
                          pair - 1,
                          pair, /* other columns, and behind them, */
                          pair + last,
                          values, /* values, */
                          values + last - 1,
                          layout.ones_at,      /* ones, */
                          layout.begin_at + 8, /* begins, */
                          layout.begin_at + 8 * kind_rows[LATE],
                          layout.labels_at, /* labels, names, hashes */
                          layout.text_at,
                          length - 1};
  for (size_t i = 0; i < sizeof flips / sizeof *flips; i++) {
    flip(path, flips[i]);
    expect_load(LATE, false);
    expect_file(path, good, length); /* made again */
  }
  const size_t lengths[] = {0, CACHE_PAGE, CACHE_ALIGNMENT + 1, pair, layout.ones_at, layout.begin_at + 9, length - 1, length + 1};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    assert_int_equal(truncate(path, (off_t)lengths[i]), 0);
    expect_load(LATE, false);
    expect_load(LATE, true);
  }
  /* A whole entry of other options in this one's place. */
  assert_int_equal(remove(path), 0);
  setosa_dataset_destroy(load(sources[LATE], "hash=9", true));
  find_entry(second);
  assert_int_equal(rename(second, path), 0);
  expect_load(LATE, false);
  expect_load(LATE, true);
  free(good);
}

/* Nothing is to be kept of the text: reading it again is what the note costs. */
static void expect_note(const char *path, const SetosaDataset *direct, const char *note) {
  SetosaDataset *dataset = load(path, "", true);
  assert_false(setosa_dataset_cached(dataset));
  expect_same(dataset, direct);
  assert_non_null(setosa_dataset_cache_note(dataset));
  assert_non_null(strstr(setosa_dataset_cache_note(dataset), note));
  setosa_dataset_destroy(dataset);
  assert_int_equal(count_files(".data"), 0);
  assert_int_equal(count_files(".tmp"), 0);
}

/* A limit on the size of files stands for a full disk. */
static void a_full_disk_costs_a_second_reading(void **state) {
  (void)state;
  char path[SUPPORT_PATH], entry[SUPPORT_PATH];
  CacheHeader header;
  CacheLayout layout;
  struct rlimit before, small;
  expect_load(LATE, false);
  find_layout(entry, &header, &layout);
  forget(state);
  write_source(sources[LATE], LATE, kind_rows[LATE], ""); /* the same text: below a pattern of two files, too */
  support_path(path, test_folder, "two-1.svm");
  write_source(path, FEW, kind_rows[FEW], "");
  support_path(path, test_folder, "two-2.svm");
  write_source(path, FEW, 5, "");
  support_path(path, test_folder, "two-*.svm");
  settle();
  SetosaDataset *both = load(path, "", false);
  assert_int_equal(setosa_dataset_rows(both), kind_rows[FEW] + 5);
  void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlim_t limits[] = {0, 100000, layout.ones_at - 10, layout.ones_at + 10, layout.begin_at + 10, layout.labels_at + 10};
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    small = before;
    small.rlim_cur = limits[i];
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    expect_note(sources[LATE], references[LATE], "cannot write");
    if (i < 2) expect_note(path, both, "cannot write");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  }
  signal(SIGXFSZ, handler);
  expect_load_like(path, "", false, both);
  expect_load_like(path, "", true, both);
  setosa_dataset_destroy(both);
}

/* Calls come 50 ms apart at least: who waits as long hears of every piece, however fast they are read. */
static bool die(const SetosaProgress *progress, void *user) {
  (void)user;
  if (progress->rows_done > kind_rows[LATE] / 2) kill(getpid(), SIGKILL);
  wait_ms(60);
  return true;
}

static void a_killed_writer_leaves_nothing_to_believe(void **state) {
  (void)state;
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    SetosaDataset *dataset = NULL;
    SetosaDataOptions options = setosa_data_options_default();
    options.cache = kept;
    options.progress = die;
    setosa_dataset_load(&dataset, sources[LATE], &options, NULL);
    _exit(0);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  assert_int_equal(count_files(".tmp"), 1);
  assert_int_equal(count_files(".data"), 0);
  expect_load(LATE, false); /* and sweeps */
  expect_load(LATE, true);
  assert_int_equal(count_files(".lock"), 0);
}

/* A process of its own: exit code 0 when it read the source, 1 when the entry, 2 when what came is wrong. */
static pid_t begin_load(void) {
  pid_t child = fork();
  if (child != 0) return child;
  SetosaDataset *dataset = NULL;
  SparseRows rows, right;
  bool good = try_load(&dataset, sources[EARLY], "", true, NULL) == SETOSA_OK &&
              dataset_sparse(&rows, dataset, dataset_all(dataset), NULL, NULL) == SETOSA_OK &&
              dataset_sparse(&right, references[EARLY], dataset_all(references[EARLY]), NULL, NULL) == SETOSA_OK &&
              setosa_dataset_entries(dataset) == setosa_dataset_entries(references[EARLY]) &&
              memcmp(rows.columns, right.columns, setosa_dataset_entries(dataset) * sizeof *rows.columns) == 0 &&
              memcmp(rows.values, right.values, setosa_dataset_entries(dataset) * sizeof *rows.values) == 0;
  _exit(!good ? 2 : setosa_dataset_cached(dataset) ? 1 : 0);
}

static void of_two_at_once_one_converts(void **state) {
  (void)state;
  pid_t children[] = {begin_load(), begin_load()};
  int codes[] = {end_load(children[0]), end_load(children[1])};
  assert_int_equal(codes[0] + codes[1], 1);
  assert_int_equal(count_files(".data"), 1);
  assert_int_equal(count_files(".tmp"), 0);
  expect_load(EARLY, true);
}

static SetosaDataset *load_part(Kind kind, size_t part, size_t parts) {
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  SetosaDataOptions options = setosa_data_options_default();
  options.cache = kept;
  options.part = part;
  options.parts = parts;
  support_ok(setosa_dataset_load(&dataset, sources[kind], &options, &error), &error);
  return dataset;
}

/* Of several stripes a process verifies those of its rows, and what all use. */
static void a_part_is_verified_alone(void **state) {
  (void)state;
  enum { PARTS = 4 };
  char path[SUPPORT_PATH];
  CacheHeader header;
  CacheLayout layout;
  expect_load(LATE, false);
  find_layout(path, &header, &layout);
  const size_t stripe = CACHE_STRIPE * sizeof(uint32_t);
  const struct {
    size_t at;
    bool found[PARTS];
  } flips[] = {{CACHE_ALIGNMENT + 5000000, {true, true, true, false}},
               {CACHE_ALIGNMENT + stripe + stripe / 3, {false, false, true, true}}, /* behind the block that both stripes are in */
               {layout.begin_at + 80, {true, true, true, true}},
               {layout.labels_at + 80, {true, true, true, true}}};
  for (size_t i = 0; i < sizeof flips / sizeof *flips; i++)
    for (size_t part = 0; part < PARTS; part++) {
      flip(path, flips[i].at);
      SetosaDataset *dataset = load_part(LATE, part, PARTS);
      if (setosa_dataset_cached(dataset) == flips[i].found[part])
        fail_msg("byte %zu, part %zu: %s", flips[i].at, part,
                 flips[i].found[part] ? "the damage is not seen" : "others' rows are looked at");
      setosa_dataset_destroy(dataset);
      if (!flips[i].found[part]) flip(path, flips[i].at);
    }
}

/* Changing the rows changes a copy; those of several processes are gathered in their new order. */
static void changes_stay_in_memory(void **state) {
  (void)state;
  SetosaError error = {0};
  expect_load(LATE, false);
  for (int parts = 1; parts < 3; parts++) {
    SetosaDataset *dataset = load_part(LATE, 0, (size_t)parts), *direct = load(sources[LATE], "", false), *out[2] = {NULL, NULL};
    SparseRoom room = {0};
    SparseRows rows, right;
    assert_true(setosa_dataset_cached(dataset));
    support_ok(setosa_dataset_shuffle(dataset, 1, &error), &error);
    support_ok(setosa_dataset_shuffle(direct, 1, &error), &error);
    assert_int_equal(dataset_shape(dataset).place, parts == 1 ? DATA_HELD : DATA_GATHERED);
    size_t entries = setosa_dataset_entries(direct);
    support_ok(dataset_sparse(&rows, dataset, dataset_all(dataset), &room, &error), &error);
    support_ok(dataset_sparse(&right, direct, dataset_all(direct), NULL, &error), &error);
    assert_memory_equal(rows.columns, right.columns, entries * sizeof *rows.columns);
    assert_memory_equal(rows.values, right.values, entries * sizeof *rows.values);
    dataset_let_go(dataset, dataset_all(dataset));
    sparse_room_free(&room);
    support_ok(setosa_dataset_standardize(dataset, &error), &error);
    support_ok(setosa_dataset_split(dataset, 0.1, 2, &out[0], &error), &error);
    support_ok(setosa_dataset_standardize(direct, &error), &error);
    support_ok(setosa_dataset_split(direct, 0.1, 2, &out[1], &error), &error);
    expect_same(dataset, direct);
    expect_same(out[0], out[1]);
    setosa_dataset_destroy(dataset);
    setosa_dataset_destroy(direct);
    setosa_dataset_destroy(out[0]);
    setosa_dataset_destroy(out[1]);
    expect_load(LATE, true);
  }
}

/* Pages in memory now among those of an array. */
static size_t count_resident(const void *at, size_t bytes) {
  char line[512];
  size_t kilobytes = 0, now = 0;
  unsigned long begin = 0, end = 0;
  bool within = false;
  FILE *file = fopen("/proc/self/smaps", "r");
  if (file == NULL) support_skip("this system does not say which pages of a mapping are in memory");
  while (fgets(line, sizeof line, file) != NULL) {
    if (sscanf(line, "%lx-%lx ", &begin, &end) == 2) within = begin >= (uintptr_t)at && end <= ((uintptr_t)at + bytes + 65535);
    if (within && sscanf(line, "Rss: %zu kB", &now) == 1) kilobytes += now;
  }
  fclose(file);
  return kilobytes;
}

/* What was looked at and let go takes no memory of the process, and comes again when it is asked for. */
static void rows_are_let_go(void **state) {
  (void)state;
  expect_load(EARLY, false);
  SetosaDataset *dataset = load(sources[EARLY], "", true);
  SetosaError error = {0};
  SparseRows rows;
  size_t bytes = setosa_dataset_entries(dataset) * sizeof(uint32_t);
  for (int again = 0; again < 2; again++) {
    expect_same(dataset, references[EARLY]);
    support_ok(dataset_sparse(&rows, dataset, dataset_all(dataset), NULL, &error), &error);
    assert_true(count_resident(rows.columns, bytes) >= bytes / 1024 && count_resident(rows.values, bytes) >= bytes / 1024);
    dataset_let_go(dataset, dataset_all(dataset));
    assert_int_equal(count_resident(rows.columns, bytes), 0);
    assert_int_equal(count_resident(rows.values, bytes), 0);
  }
  setosa_dataset_destroy(dataset);
}

/* Words of many levels are entries, too. */
static void wide_tables_are_kept(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  support_path(path, test_folder, "wide.csv");
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fprintf(file, "street,size,town,y\n");
  for (unsigned i = 0; i < 300000; i++)
    fprintf(file, "street %u,%u.5,town number %u,%s\n", i * 7 % 40000, i % 91, i % 5000, i % 3 == 0 ? "p" : "q");
  assert_int_equal(fclose(file), 0);
  settle();
  SetosaDataset *direct = load(path, "", false);
  assert_true(setosa_dataset_is_sparse(direct) && setosa_dataset_features(direct) > 10000);
  expect_load_like(path, "", false, direct);
  expect_load_like(path, "", true, direct);
  setosa_dataset_destroy(direct);
  remove(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(stripes_become_arrays, forget),
      cmocka_unit_test_setup(ways_of_reading_have_entries_of_their_own, forget),
      cmocka_unit_test_setup(columns_from_0_are_found, forget),
      cmocka_unit_test_setup(every_damage_is_found, forget),
      cmocka_unit_test_setup(a_full_disk_costs_a_second_reading, forget),
      cmocka_unit_test_setup(a_killed_writer_leaves_nothing_to_believe, forget),
      cmocka_unit_test_setup(of_two_at_once_one_converts, forget),
      cmocka_unit_test_setup(a_part_is_verified_alone, forget),
      cmocka_unit_test_setup(changes_stay_in_memory, forget),
      cmocka_unit_test_setup(rows_are_let_go, forget),
      cmocka_unit_test_setup(wide_tables_are_kept, forget),
  };
  return support_run("data_cache_sparse", tests, create, destroy);
}
