/* LIBSVM text: what lines may be, how it is told from a table, and that threads, compression and several files make no difference. */
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "data/sparse_rows.h"

static void expect_refused(const char *name, const char *text, const char *options, SetosaStatus wanted, const char *message) {
  char path[SUPPORT_PATH], expected[2 * SUPPORT_PATH];
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  support_path(path, test_folder, name);
  snprintf(expected, sizeof expected, "%s%s", path, message);
  support_fails(load_bytes(&dataset, name, text, strlen(text), options, &error), &error, wanted, expected);
}

static void lines_are_read(void **state) {
  (void)state;
  static const struct {
    const char *text, *options;
    size_t features;
    const char *entries, *rows, *classes;
    int base;
  } cases[] = {
      {"1 1:0.5 3:2\n0 2:1\n", "", 3, "1:0.5 3:2|2:1", "1 0", "0 1", 1},
      {"1 0:0.5 3:2\n0 2:1\n", "", 4, "1:0.5 4:2|3:1", "1 0", "0 1", 0},
      {"1 3:2\n0 2:1 9:0\n1 0:0\n", "", 10, "4:2|3:1|", "1 0 1", "0 1", 0},                     /* a 0 late, and entries of value 0 */
      {"1 3:2\n0 2:1 9:0\n", "", 9, "3:2|2:1", "1 0", "0 1", 1},                                /* an index counts whatever its value */
      {"+1 1:1\n-1 2:1\n1.0 1:1 2:1\n1e0\n", "", 2, "1:1|2:1|1:1 2:1|", "1 -1 1 1", "-1 1", 1}, /* one class; a row without entries */
      {"# head\n\n  \t\n2 1:1 # note 5:1\n3 1:2#note\n  7 2:3  # 4\r\n", "", 2, "1:1|1:2|2:3", "2 3 7", "2 3 7", 1},
      {"1\t1:1\t2:2\n0  1:3\t \n", "", 2, "1:1 2:2|1:3", "1 0", "0 1", 1},
      {"a 1:1\r\nb 2:2\r\na", "", 2, "1:1|2:2|", "a b a", "a b", 1},
      {"1 1:1\r0 2:2\r1 1:3", "", 2, "1:1|2:2|1:3", "1 0 1", "0 1", 1},
      {"\xEF\xBB\xBF"
       "1 1:-1.5e-3\n0 002:+4.\n",
       "", 2, "1:-0.00150000001|2:4", "1 0", "0 1", 1},
      {"1 1:1e-60 2:1\n0 1:-0 2:.5\n", "", 2, "2:1|2:0.5", "1 0", "0 1", 1}, /* 0 in single precision */
      {"1 qid:3 1:1\n2 qid:3 2:1\n", "", 2, "1:1|2:1", "1 2", "1 2", 1},
      {"\"x\" 1:1\n\"y 2:2\n", "", 2, "1:1|2:2", "\"x\" \"y", "\"x\" \"y", 1}, /* quotes mean nothing */
      {"sep=; 1:1\nb 2:2\n", "", 2, "1:1|2:2", "sep=; b", "b sep=;", 1},
      {"1 2147483647:1\n0 1:1\n", "", 2147483647, "2147483647:1|1:1", "1 0", "0 1", 1},
      {"1 1:1\n2 1:2\n3 1:3\n", "positive=2", 1, "1:1|1:2|1:3", "non-2 2 non-2", "2 non-2", 1},
      /* with a model */
      {"1 1:1 3:2 4:9 7:9\n0 2:1\n", "expect=3 base=1 classes=0,1", 3, "1:1 3:2|2:1", "1 0", "0 1", 1},
      {"1 1:1 3:2 4:9\n0 2:1\n", "expect=3 base=0 classes=0,1", 3, "2:1|3:1", "1 0", "0 1", 0},
      {"1 1:1\n0\n", "expect=30 base=1 classes=0,1", 30, "1:1|", "1 0", "0 1", 1},
      {"1\n0\n", "expect=30 base=0 classes=0,1", 30, "|", "1 0", "0 1", 0},
      {"1 1:1\n0 2:2\n", "expect=2 classes=0,1", 2, "1:1|2:2", "1 0", "0 1", 1},
      {"7 1:1\n0 2:2\n", "expect=2 base=1 classes=0,1 optional", 2, "1:1|2:2", "- 0", "0 1", 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    SetosaDataset *dataset = load_good("rows.svm", cases[i].text, strlen(cases[i].text), cases[i].options);
    assert_true(setosa_dataset_is_sparse(dataset) && setosa_dataset_values(dataset) == NULL);
    expect_entries(dataset, cases[i].features, cases[i].entries);
    expect_classes(dataset, cases[i].rows, cases[i].classes);
    assert_int_equal(setosa_dataset_index_base(dataset), cases[i].base);
    assert_int_equal(setosa_dataset_hash_features(dataset), 0);
    setosa_dataset_destroy(dataset);
  }
}

static void ones_need_no_values(void **state) {
  (void)state;
  SetosaDataset *dataset = load_csv("ones.svm", "1 0:1 5:1\n0 2:1.0\n", "");
  assert_true(dataset_shape(dataset).ones);
  expect_entries(dataset, 6, "1:1 6:1|3:1");
  setosa_dataset_destroy(dataset);
}

static void what_was_found_is_said(void **state) {
  (void)state;
  static const struct {
    const char *text, *options, *remark;
    SetosaRemark kind;
  } cases[] = {
      {"1 0:1\n0 1:1\n", "", "%s: indices from 0", SETOSA_REMARK_DETAIL},
      {"1 qid:3 1:1\n2 1:1\n", "", "%s: qid is ignored (1 row has one): it is for rankings, and rows are classified one by one",
       SETOSA_REMARK_WARNING},
      {"1 1:1 9:1\n0 8:1 12:0\n", "expect=7 base=1 classes=0,1",
       "%s: 3 entries are left out, of features that the model does not have (it has 7, and the first such index is 9)",
       SETOSA_REMARK_WARNING},
      {"1 1:1\n0 2:2\n", "", NULL, SETOSA_REMARK_DETAIL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char path[SUPPORT_PATH], expected[2 * SUPPORT_PATH];
    SetosaRemark kind = SETOSA_REMARK_DETAIL;
    SetosaDataset *dataset = load_csv("said.svm", cases[i].text, cases[i].options);
    const char *remark = setosa_dataset_remark(dataset, 0, &kind);
    assert_null(setosa_dataset_remark(dataset, remark != NULL, NULL));
    support_path(path, test_folder, "said.svm");
    if (cases[i].remark == NULL) {
      assert_null(remark);
    } else {
      snprintf(expected, sizeof expected, cases[i].remark, path);
      assert_string_equal(remark, expected);
      assert_int_equal(kind, cases[i].kind);
    }
    setosa_dataset_destroy(dataset);
  }
}

/* Whether a text of this name and content is taken for LIBSVM text, which alone is sparse; NULL: it is refused. */
static void it_is_told_from_a_table(void **state) {
  (void)state;
  static const struct {
    const char *name, *text, *options;
    bool sparse;
  } cases[] = {
      {"a.txt", "1 1:2\n0 2:3\n", "", true},
      {"a.dat", "-1 qid:4 1:2\n1 2:3\n", "", true},
      {"a", "# made by hand\n\n+1 1:2 3:4\n-1\n", "", true},
      {"a.txt", "1\n-1 3:0.5\n1 1:1\n", "", true},
      {"a.txt", "cat 1:2 4:5\ndog 3:4\n", "", true},
      {"a.txt",
       "\xEF\xBB\xBF"
       "1 1:2\n0 2:3\n",
       "", true},
      {"a.txt", "1 2 3\n0 4 5\n", "", false},
      {"a.txt", "a,y\n1:2,p\n3:4,q\n1:2,q\n3:4,p\n", "", false},
      {"a.txt", "t y\n10:30 1\n11:45 2\n10:30 1\n11:45 1\n", "", false},
      {"a.txt", "y t\n1 10:30\n2 11:45\n1 10:30\n2 10:30\n", "", false},
      {"a.txt", "day time x y\nMon 12:30 1 p\nTue 13:45 2 q\nMon 12:30 3 p\n", "", false},
      {"a.csv", "1 1:2\n0 1:2\n1 1:2\n0 2:3\n", "", false},
      {"a.txt", "1 1:2\n0 1:2\n1 1:2\n0 2:3\n", "separator=blank label=1", false},
      {"a.txt", "1\n0\n", "expect=3 base=1 classes=0,1", true}, /* a model of such text was given */
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    SetosaDataset *dataset = load_csv(cases[i].name, cases[i].text, cases[i].options);
    if (setosa_dataset_is_sparse(dataset) != cases[i].sparse) fail_msg("case %zu is taken for the other", i);
    setosa_dataset_destroy(dataset);
  }
  /* Longer than what is looked at, and cut inside a token. */
  char text[2048] = "1";
  for (int i = 1; strlen(text) < 1500; i++) snprintf(text + strlen(text), 16, " %d:%d", i, i % 9 + 1);
  snprintf(text + strlen(text), 16, "\n0 1:1\n");
  for (size_t shift = 0; shift < 8; shift++) {
    SetosaDataset *dataset = load_csv("long.txt", text, "");
    assert_true(setosa_dataset_is_sparse(dataset));
    setosa_dataset_destroy(dataset);
    memmove(text + 1, text, strlen(text) + 1); /* " 1 1:1", "  1 1:1", ... */
    text[0] = ' ';
  }
}

static void options_of_others_are_refused(void **state) {
  (void)state;
  const char *text = "1 1:2\n0 2:3\n";
  expect_refused("x.svm", text, "labels=y.txt", SETOSA_ERROR_USAGE,
                 ": the lines of LIBSVM text begin with their labels; leave --labels out");
  expect_refused("x.svm", text, "label=y", SETOSA_ERROR_USAGE, ": --label chooses columns of a CSV, and this is none; leave it out");
  expect_refused("x.svm", text, "drop=1", SETOSA_ERROR_USAGE, ": --drop chooses columns of a CSV");
  expect_refused("x.csv", "1,2,p\n3,4,q\n", "hash=4", SETOSA_ERROR_USAGE,
                 ": --hash-features is for LIBSVM text, and this is none; leave it out");
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  support_fails(load_bytes(&dataset, "x.svm", text, strlen(text), "hash=31", &error), &error, SETOSA_ERROR_USAGE,
                "--hash-features 31 makes too many features; give 1 to 30 bits");
  support_fails(load_bytes(&dataset, "x.svm", text, strlen(text), "base=2", &error), &error, SETOSA_ERROR_USAGE,
                "setosa_dataset_load: options.expect_index_base is 2; give -1, 0 or 1");
}

static void weights_come_from_a_file(void **state) {
  (void)state;
  char path[SUPPORT_PATH], options[SUPPORT_PATH + 16];
  support_path(path, test_folder, "w.txt");
  support_write(path, "1\n3\n", 4);
  snprintf(options, sizeof options, "weights=%s", path);
  SetosaDataset *dataset = load_csv("weighted.svm", "1 1:2\n0 2:3\n", options);
  assert_true(setosa_dataset_weights(dataset)[0] == 1 && setosa_dataset_weights(dataset)[1] == 3);
  setosa_dataset_destroy(dataset);
}

/* ---- much text ----------------------------------------------------------------------------------------------------- */

enum { MANY = 60000 };

/* Row i has entries of columns that follow from i, some of them 0, and now and then there is a line that is none. */
static char *make_text(size_t rows, int base) {
  size_t capacity = rows * 120 + 1, at = 0;
  char *text = malloc(capacity);
  assert_non_null(text);
  for (size_t i = 0; i < rows; i++) {
    if (i % 97 == 0) at += (size_t)snprintf(text + at, capacity - at, "# row %zu \"\n\n", i);
    at += (size_t)snprintf(text + at, capacity - at, "c%zu", i * 7919 % 5);
    for (size_t e = 0; e < i % 9; e++)
      at += (size_t)snprintf(text + at, capacity - at, " %zu:%g", e * 1000 + i % 1000 + (size_t)base, (double)((i + e) % 40) / 8);
    at += (size_t)snprintf(text + at, capacity - at, i % 5 == 0 ? "\r\n" : "\n");
  }
  return text;
}

static void expect_made(const SetosaDataset *dataset, size_t rows) {
  SparseRows got;
  SetosaError error = {0};
  expect_sound(dataset);
  support_ok(dataset_sparse(&got, dataset, dataset_all(dataset), NULL, &error), &error);
  assert_int_equal(setosa_dataset_rows(dataset), rows);
  assert_int_equal(setosa_dataset_features(dataset), 8000);
  for (size_t i = 0; i < rows; i++) {
    uint64_t at = got.begin[i];
    for (size_t e = 0; e < i % 9; e++) {
      if ((i + e) % 40 == 0) continue;
      assert_true(at < got.begin[i + 1] && got.columns[at] == e * 1000 + i % 1000);
      assert_true(got.values[at++] == (float)((i + e) % 40) / 8);
    }
    assert_int_equal(at, got.begin[i + 1]);
    assert_int_equal(setosa_dataset_labels(dataset)[i], i * 7919 % 5);
  }
}

/* Threads of this process from now on: one, or as many as before. */
static void allow(const cpu_set_t *set) { assert_int_equal(sched_setaffinity(0, sizeof *set, set), 0); }

static void threads_and_compression_change_nothing(void **state) {
  (void)state;
  cpu_set_t all, one;
  int first = 0;
  assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
  while (!CPU_ISSET(first, &all)) first++;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  for (int base = 0; base < 2; base++) {
    char *text = make_text(MANY, base);
    assert_true(strlen(text) > 2200000); /* more than one part */
    SetosaDataset *many = load_csv("many.svm", text, "");
    expect_made(many, MANY);
    assert_int_equal(setosa_dataset_index_base(many), base);
    allow(&one);
    SetosaDataset *alone = load_csv("alone.svm", text, "");
    allow(&all);
    SetosaDataset *packed = load_csv("packed.svm.gz", text, "");
    expect_same_rows(many, alone);
    expect_same_rows(many, packed);
    setosa_dataset_destroy(many);
    setosa_dataset_destroy(alone);
    setosa_dataset_destroy(packed);
    free(text);
  }
}

/* The earliest error of several, with the line that it has in the file, however many threads there are. */
static void the_first_error_is_told(void **state) {
  (void)state;
  char *text = make_text(MANY, 1);
  for (int time = 0; time < 5; time++) {
    char *bad = strdup(text), message[200];
    size_t at = strlen(text) / 4 * (size_t)(time % 3 + 1), line = 1;
    char *colon = strchr(bad + at, ':'), *late = strrchr(bad, ':');
    colon[1] = 'x';
    late[1] = 'y';
    for (const char *c = bad; c < colon; c++) line += *c == '\n';
    const char *begin = colon;
    while (begin[-1] != '\n') begin--;
    snprintf(message, sizeof message, ":%zu:%zu: 'x", line, (size_t)(colon - begin) + 2);
    expect_refused("bad.svm", bad, "", SETOSA_ERROR_DATA, message);
    free(bad);
  }
  free(text);
}

static void several_files_are_one(void **state) {
  (void)state;
  static const char *const parts[] = {"1 1:2\n0 2:3", "0 0:1 3:1\n", "# none\n", "1 1:1\n"};
  char path[4][SUPPORT_PATH], pattern[SUPPORT_PATH], expected[2 * SUPPORT_PATH];
  const char *also[] = {path[1], path[2], path[3]};
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  for (int i = 0; i < 4; i++) {
    char name[16];
    snprintf(name, sizeof name, "part-%d.svm", i);
    support_path(path[i], test_folder, name);
    support_write(path[i], parts[i], strlen(parts[i]));
  }
  SetosaDataOptions options = setosa_data_options_default();
  support_path(pattern, test_folder, "part-*.svm");
  for (int way = 0; way < 2; way++) {
    options.also = way == 0 ? also : NULL;
    options.also_count = way == 0 ? 3 : 0;
    support_ok(setosa_dataset_load(&dataset, way == 0 ? path[0] : pattern, &options, &error), &error);
    expect_entries(dataset, 4, "2:2|3:3|1:1 4:1|2:1");
    expect_classes(dataset, "1 0 0 1", "0 1");
    setosa_dataset_destroy(dataset);
  }
  char table[SUPPORT_PATH];
  support_path(table, test_folder, "table.csv");
  support_write(table, "1,2,p\n3,4,q\n", 12);
  also[0] = table;
  options.also = also;
  options.also_count = 1;
  snprintf(expected, sizeof expected, "%s: is no LIBSVM text, so it cannot follow one; call it .svm if it is", table);
  support_fails(setosa_dataset_load(&dataset, path[0], &options, &error), &error, SETOSA_ERROR_USAGE, expected);
  also[0] = path[0];
  snprintf(expected, sizeof expected, "%s: is no table, so it cannot follow one; join arrays with numpy.concatenate", path[0]);
  support_fails(setosa_dataset_load(&dataset, table, &options, &error), &error, SETOSA_ERROR_USAGE, expected);
}

typedef struct Written {
  char path[SUPPORT_PATH];
  const char *text;
} Written;

static void *write_to_pipe(void *argument) {
  const Written *written = argument;
  FILE *pipe = fopen(written->path, "w");
  assert_non_null(pipe);
  fputs(written->text, pipe);
  fclose(pipe);
  return NULL;
}

static void pipes_are_read_once(void **state) {
  (void)state;
  Written written = {.text = make_text(MANY, 0)};
  pthread_t writer;
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  support_path(written.path, test_folder, "pipe.svm");
  assert_int_equal(mkfifo(written.path, 0600), 0);
  assert_int_equal(pthread_create(&writer, NULL, write_to_pipe, &written), 0);
  support_ok(test_load(&dataset, written.path, "", &error), &error);
  pthread_join(writer, NULL);
  expect_made(dataset, MANY);
  setosa_dataset_destroy(dataset);
  free((char *)(uintptr_t)written.text);
}

/* ---- names --------------------------------------------------------------------------------------------------------- */

/* Adds a name to a row (2^bits) as the header says it is hashed. */
static void add_name(double *row, unsigned bits, const char *name, double value) {
  uint64_t hash = hash_bytes(name, strlen(name));
  row[hash & ((1u << bits) - 1)] += hash >> 63 != 0 ? -value : value;
}

static void names_are_hashed(void **state) {
  (void)state;
  const char *text = "spam buy:2 now buy:0.5 http://x.y:3 #1\nham 12:1 naïve#5 \"a # not:this\n";
  for (unsigned bits = 1; bits <= 12; bits++) {
    char options[32];
    double want[2][1 << 12] = {{0}};
    float *got = malloc(sizeof(float) << bits);
    snprintf(options, sizeof options, "hash=%u", bits);
    SetosaDataset *dataset = load_csv(bits % 2 == 0 ? "names.txt" : "names.svm", text, options);
    add_name(want[0], bits, "buy", 2.5);
    add_name(want[0], bits, "now", 1);
    add_name(want[0], bits, "http://x.y", 3);
    add_name(want[1], bits, "12", 1);
    add_name(want[1], bits, "naïve#5", 1);
    add_name(want[1], bits, "\"a", 1);
    expect_sound(dataset);
    assert_int_equal(setosa_dataset_features(dataset), 1 << bits);
    assert_int_equal(setosa_dataset_hash_features(dataset), bits);
    assert_int_equal(setosa_dataset_index_base(dataset), -1);
    for (size_t i = 0; i < 2; i++) {
      const float *row = dataset_dense(dataset, (RowRange){i, 1}, got);
      for (size_t d = 0; d < (size_t)1 << bits; d++) assert_true(row[d] == (float)want[i][d]);
    }
    expect_classes(dataset, "spam ham", "ham spam");
    setosa_dataset_destroy(dataset);
    free(got);
  }
}

/* About half of many names are negative, and they spread over the columns. */
static void hashes_are_even(void **state) {
  (void)state;
  enum { NAMES = 4096, BITS = 10 };
  Text text = {0};
  SetosaError error = {0};
  SparseRows rows;
  size_t negative = 0, used = 0;
  for (int i = 0; i < NAMES; i++) support_ok(text_append(&text, &error, "%d word%d\n", i % 2, i), &error);
  SetosaDataset *dataset = load_csv("even.svm", text.text, "hash=10");
  support_ok(dataset_sparse(&rows, dataset, dataset_all(dataset), NULL, &error), &error);
  unsigned char seen[1 << BITS] = {0};
  for (uint64_t i = 0; i < NAMES; i++) {
    negative += rows.values[i] < 0;
    seen[rows.columns[i]] = 1;
  }
  for (size_t d = 0; d < 1 << BITS; d++) used += seen[d];
  assert_in_range(negative, NAMES / 2 - 200, NAMES / 2 + 200); /* 6 deviations */
  assert_in_range(used, 980, 1024);                            /* 1024 (1 - 1/e^4) = 1005 are expected */
  setosa_dataset_destroy(dataset);
  text_free(&text);
}

/* ---- damage -------------------------------------------------------------------------------------------------------- */

/* Cut anywhere, or with any byte changed: rows or a word. */
static void mutations_survive(void **state) {
  (void)state;
  static const char text[] = "# head\n+1 qid:1 1:0.5 3:2e1\r\n-1\t2:1 7:-3 # x\n\n+1 1:1 2:1\nb 12:1.25";
  static const unsigned char flips[] = {0x01, 0x02, 0x10, 0x80, 0xFF};
  size_t length = sizeof text - 1, read = 0, refused = 0;
  for (int hashed = 0; hashed < 2; hashed++)
    for (size_t i = 0; i <= length * (1 + sizeof flips); i++) {
      char copy[sizeof text];
      SetosaDataset *dataset = NULL;
      SetosaError error = {0};
      memcpy(copy, text, sizeof text);
      if (i > length)
        copy[(i - length - 1) / sizeof flips] = (char)(text[(i - length - 1) / sizeof flips] ^ flips[(i - 1 - length) % sizeof flips]);
      SetosaStatus status = load_bytes(&dataset, "mutant.svm", copy, i <= length ? i : length, hashed ? "hash=5" : "", &error);
      if (status == SETOSA_OK) {
        expect_sound(dataset);
        assert_true(setosa_dataset_classes(dataset) >= 2);
        read++;
      } else {
        assert_null(dataset);
        assert_int_equal(status, SETOSA_ERROR_DATA);
        assert_true(error.message[0] != '\0' && strchr(error.message, '\n') == NULL);
        refused++;
      }
      setosa_dataset_destroy(dataset);
    }
  assert_true(read > 100 && refused > 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_are_read),
      cmocka_unit_test(ones_need_no_values),
      cmocka_unit_test(what_was_found_is_said),
      cmocka_unit_test(it_is_told_from_a_table),
      cmocka_unit_test(options_of_others_are_refused),
      cmocka_unit_test(weights_come_from_a_file),
      cmocka_unit_test(threads_and_compression_change_nothing),
      cmocka_unit_test(the_first_error_is_told),
      cmocka_unit_test(several_files_are_one),
      cmocka_unit_test(pipes_are_read_once),
      cmocka_unit_test(names_are_hashed),
      cmocka_unit_test(hashes_are_even),
      cmocka_unit_test(mutations_survive),
  };
  return support_run("data_libsvm", tests, make_folder, remove_folder);
}
