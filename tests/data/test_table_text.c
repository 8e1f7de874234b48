/* The text of a table in parts: wherever parts end, together they are the text, each ends where a record does, and lines keep their
 * numbers. */
#include <dirent.h>
#include <fcntl.h>
#include <iconv.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data/table.h"

enum { SMALL_PART = 16 };

static TableText *open_text(TestTable *table, size_t part_bytes) {
  TableText *text = NULL;
  SetosaError error = {0};
  support_ok(table_text_open_in_parts(&text, &table->reader, part_bytes, &error), &error);
  return text;
}

/* All parts, one after another, each checked. Returns their text; free() it. */
static char *read_parts(TableText *text, size_t *parts) {
  char *all = calloc(1, 1), newline = 0;
  size_t length = 0, count = 0, lines = 1;
  for (;; count++) {
    TextPart part = {0};
    SetosaError error = {0};
    bool more = false;
    support_ok(table_text_next(text, &part, &more, &error), &error);
    if (!more) break;
    assert_int_equal(part.index, count);
    if (part.begins_file) lines = part.line;
    assert_int_equal(part.line, lines);
    assert_true(newline == 0 || newline == part.newline);
    newline = part.newline;
    for (size_t i = 0; i < part.length; i++) lines += part.bytes[i] == part.newline;
    all = realloc(all, length + part.length + 1);
    memcpy(all + length, part.bytes, part.length);
    length += part.length;
    all[length] = '\0';
    table_text_let_go(text, &part);
  }
  if (parts != NULL) *parts = count;
  return all;
}

static void expect_text(TestTable *table, size_t part_bytes, const char *expected) {
  SetosaError error = {0};
  TableText *text = open_text(table, part_bytes);
  for (int pass = 0; pass < 3; pass++) {
    char *got = read_parts(text, NULL);
    assert_string_equal(got, expected);
    free(got);
    support_ok(table_text_rewind(text, &error), &error);
  }
  table_text_close(text);
}

/* Records as read from the whole at once and from parts of every small size. */
static void expect_same_in_parts(const char *name, const char *text) {
  TestTable table;
  SetosaError error = {0};
  const Dialect dialect = {.separator = ',', .decimal = '.'};
  size_t length = strlen(text);
  for (size_t size = 1; size <= length + 1; size++) {
    test_table_open(&table, name, text, length);
    expect_text(&table, size, text);
    test_table_close(&table);
    test_table_open(&table, name, text, length);
    TableText *parts = open_text(&table, size);
    Records whole = {0}, cut = {0};
    TextPart all = test_part(text), part = {0};
    bool more = false, more_whole = false, more_parts = true;
    records_begin(&whole, &all, &dialect);
    for (;;) {
      support_ok(table_text_next(parts, &part, &more_parts, &error), &error);
      if (!more_parts) break;
      all.newline = part.newline;
      records_begin(&cut, &part, &dialect);
      for (;;) {
        support_ok(records_next(&cut, &more, &error), &error);
        if (!more) break;
        support_ok(records_next(&whole, &more_whole, &error), &error);
        assert_true(more_whole);
        assert_int_equal(cut.line, whole.line);
        assert_int_equal(cut.count, whole.count);
        for (size_t c = 0; c < cut.count; c++) {
          assert_int_equal(cut.fields[c].length, whole.fields[c].length);
          assert_memory_equal(cut.fields[c].text, whole.fields[c].text, cut.fields[c].length);
        }
      }
      table_text_let_go(parts, &part);
    }
    support_ok(records_next(&whole, &more_whole, &error), &error);
    assert_false(more_whole);
    records_free(&whole);
    records_free(&cut);
    table_text_close(parts);
    test_table_close(&table);
  }
}

static void parts_of_any_size_hold_the_same_records(void **state) {
  (void)state;
  expect_same_in_parts("plain.csv", "a,b,y\n1,2,p\n3,4,q\n555,66666,rrrrrrr\n\n\n7,8,s");
  expect_same_in_parts("crlf.csv", "a,b,y\r\n1,2,p\r\n3,4,q\r\n\r\n\r\n5,6,r\r\n");
  expect_same_in_parts("quotes.csv", "a,\"b\n\n\",y\n1,\"\"\"\n\"\"\",p\n\"x\"\"\n\"\"y\n\",4,q\n5,6,\"r\"\n");
  expect_same_in_parts("crlf-quotes.csv", "a,\"b\r\n\",y\r\n1,\"\"\"\",p\r\n3,4,\"q\r\n\"\r\n5,6,r");
  expect_same_in_parts("letters.csv", "\xC3\xA4,\xE2\x82\xAC,y\n1,\xF0\x9F\x8C\xB7,\xC3\x9F\n3,\"\xE2\x82\xAC\n\",\xC3\xA4\n");
  expect_same_in_parts("plain.csv.gz", "a,b,y\n1,2,p\n3,\"4\n\",q\n");
}

static void old_lines_end_with_a_carriage_return(void **state) {
  (void)state;
  expect_same_in_parts("mac.csv", "a,b,y\r1,2,p\r\r3,\"4\r\",q\r5,6,r");
}

static void marks_of_byte_order_are_left_out(void **state) {
  (void)state;
  TestTable table;
  const char text[] =
      "\xEF\xBB\xBF"
      "a,y\n1,p\n";
  test_table_open(&table, "bom.csv", text, strlen(text));
  expect_text(&table, SMALL_PART, text + 3);
  test_table_close(&table);
}

static void a_line_may_say_what_separates(void **state) {
  (void)state;
  static const struct {
    const char *text, *rest;
    char separator;
  } cases[] = {{"sep=;\na;y\n1;p\n", "a;y\n1;p\n", ';'},
               {"sep=,\r\na,y\r\n1,p\r\n", "a,y\r\n1,p\r\n", ','},
               {"sep=\t\na\ty\n", "a\ty\n", '\t'},
               {"sep=;", "", ';'},
               {"sep=;;\n1;2\n", "sep=;;\n1;2\n", 0},
               {"sep=", "sep=", 0},
               {"sep=;\r1;2\r", "1;2\r", ';'}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    TestTable table;
    TextPart head;
    SetosaError error = {0};
    test_table_open(&table, "sep.csv", cases[i].text, strlen(cases[i].text));
    TableText *text = open_text(&table, SMALL_PART);
    assert_int_equal(table_text_separator(text), cases[i].separator);
    support_ok(table_text_head(text, &head, &error), &error);
    assert_int_equal(head.line, cases[i].separator != 0 ? 2 : 1);
    char *all = read_parts(text, NULL);
    assert_string_equal(all, cases[i].rest);
    free(all);
    table_text_close(text);
    test_table_close(&table);
  }
}

static void several_files_follow_each_other(void **state) {
  (void)state;
  TestTable table;
  char second[SUPPORT_PATH], third[SUPPORT_PATH];
  const char *also[2] = {second, third};
  const char *expected_files[] = {"first.csv", "second.csv.gz", "empty.csv"};
  support_path(second, test_folder, "second.csv.gz");
  support_path(third, test_folder, "empty.csv");
  write_gzip(second, "\xEF\xBB\xBFsep=,\na,y\n5,6", 16);
  support_write(third, "", 0);
  for (size_t size = 1; size < 64; size++) {
    test_table_open(&table, "first.csv", "a,y\n1,2\n3,4", 11);
    table.options.also = also;
    table.options.also_count = 2;
    TableText *text = open_text(&table, size);
    for (int pass = 0; pass < 2; pass++) {
      size_t files = 0;
      char all[64] = "";
      SetosaError error = {0};
      for (bool more = true; more;) {
        TextPart part = {0};
        support_ok(table_text_next(text, &part, &more, &error), &error);
        if (!more) break;
        if (part.begins_file) {
          assert_string_equal(strrchr(part.file, '/') + 1, expected_files[files]);
          assert_int_equal(part.line, files == 1 ? 2 : 1);
          files++;
        }
        strncat(all, part.bytes, part.length);
        table_text_let_go(text, &part);
      }
      assert_int_equal(files, 3); /* also the one without anything, so that it can be named */
      assert_string_equal(all, "a,y\n1,2\n3,4a,y\n5,6");
      support_ok(table_text_rewind(text, &error), &error);
    }
    table_text_close(text);
    test_table_close(&table);
  }
}

static void a_zero_byte_is_told_after_the_records_before_it(void **state) {
  (void)state;
  TestTable table;
  TextPart part;
  bool more = false;
  SetosaError error = {0};
  test_table_open(&table, "zero.csv", "a,y\n1,2\n3,\0004\n5,6\n", 18);
  TableText *text = open_text(&table, 64);
  support_ok(table_text_next(text, &part, &more, &error), &error);
  assert_int_equal(part.length, 8);
  support_fails(table_text_next(text, &part, &more, &error), &error, SETOSA_ERROR_DATA, table.path);
  assert_non_null(strstr(error.message, "zero.csv:3: the line holds a zero byte: this is not text; save the data as UTF-8 CSV"));
  table_text_close(text);
  test_table_close(&table);
  error = (SetosaError){0};
  test_table_open(&table, "zero.csv", "a,\0y\n1,2\n", 9);
  support_fails(table_text_open(&text, &table.reader, &error), &error, SETOSA_ERROR_DATA, table.path);
  assert_null(text);
  test_table_close(&table);
}

/* UTF-8 as UTF-16 behind its mark; free() it. */
static char *to_utf16(const char *text, bool big_end, size_t *length) {
  char *wide = malloc(2 * strlen(text) + 2), *in = (char *)(uintptr_t)text, *out = wide + 2;
  size_t in_left = strlen(text), out_left = 2 * strlen(text);
  iconv_t descriptor = iconv_open(big_end ? "UTF-16BE" : "UTF-16LE", "UTF-8");
  assert_true(descriptor != (iconv_t)-1);
  assert_int_equal(iconv(descriptor, &in, &in_left, &out, &out_left), 0);
  iconv_close(descriptor);
  memcpy(wide, big_end ? "\xFE\xFF" : "\xFF\xFE", 2);
  *length = (size_t)(out - wide);
  return wide;
}

static void utf16_becomes_utf8(void **state) {
  (void)state;
  const char *short_text = "a,\xC3\xA4,y\r\n1,\"\xE2\x82\xAC\r\n\",p\r\n2,\xF0\x9F\x8C\xB7,q\r\n";
  char *long_text = calloc(1, 400000);
  for (size_t i = 0; strlen(long_text + i) + i < 300000; i += strlen(long_text + i))
    strcat(long_text + i, i % 7 == 0 ? "x\xF0\x9F\x8C\xB7,\xE2\x82\xAC\n" : "\xF0\x9F\x8C\xB7,p\n"); /* pairs of surrogates across blocks */
  for (int big_end = 0; big_end < 2; big_end++) {
    for (size_t n = 0; n < 4; n++) {
      const char *text = n % 2 == 0 ? short_text : long_text;
      TestTable table;
      size_t length = 0;
      char *wide = to_utf16(text, big_end, &length);
      test_table_open(&table, n / 2 == 0 ? "utf16.csv" : "utf16.csv.gz", wide, length);
      expect_text(&table, n % 2 == 0 ? SMALL_PART : 50000, text);
      test_table_close(&table);
      free(wide);
    }
  }
  free(long_text);
}

static void broken_utf16_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    size_t length;
    const char *message;
  } cases[] = {{"\xFF\xFE"
                "a\0\n\0\x00\xD8"
                "b\0",
                10, ": at byte 6 the text is no UTF-16, as which it begins; save the table as UTF-8"},
               {"\xFE\xFF\0a\0", 5, ": at byte 4 the text is no UTF-16"},
               {"\xFF\xFE"
                "a\0\x3C\xD8",
                6, ": at byte 4 the text is no UTF-16"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    TestTable table;
    TableText *text = NULL;
    SetosaError error = {0};
    test_table_open(&table, "broken.csv", cases[i].bytes, cases[i].length);
    support_fails(table_text_open(&text, &table.reader, &error), &error, SETOSA_ERROR_DATA, table.path);
    assert_non_null(strstr(error.message, cases[i].message));
    assert_null(text);
    test_table_close(&table);
  }
}

/* As `cat a.gz b.gz` makes it. */
static void members_of_a_gzip_follow_each_other(void **state) {
  (void)state;
  TestTable table;
  char path[SUPPORT_PATH];
  size_t length = 0, more = 0;
  support_path(path, test_folder, "one.gz");
  write_gzip(path, "a,y\n1,\"p", 8);
  char *first = support_read(path, &length);
  write_gzip(path, "\n\"\n2,q\n", 7);
  char *second = support_read(path, &more);
  first = realloc(first, length + more);
  memcpy(first + length, second, more);
  support_path(path, test_folder, "members.csv.gz");
  support_write(path, first, length + more);
  test_table_open_file(&table, path);
  expect_text(&table, SMALL_PART, "a,y\n1,\"p\n\"\n2,q\n");
  test_table_close(&table);
  free(first);
  free(second);
}

/* ---- what can be read once ------------------------------------------------------------------------------------------ */

/* A path from which text comes as from a pipe, and the process that writes it. */
static pid_t open_pipe(char path[SUPPORT_PATH], const char *text, size_t length) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  pid_t writer = fork();
  assert_true(writer >= 0);
  if (writer == 0) {
    signal(SIGPIPE, SIG_IGN);
    close(ends[0]);
    for (ssize_t now; length > 0 && (now = write(ends[1], text, length)) > 0; length -= (size_t)now) text += now;
    _exit(0);
  }
  close(ends[1]);
  snprintf(path, SUPPORT_PATH, "/dev/fd/%d", ends[0]);
  return writer;
}

static void close_pipe(const char *path, pid_t writer) {
  close(atoi(strrchr(path, '/') + 1));
  waitpid(writer, NULL, 0);
}

static char *lines(size_t bytes) {
  char *text = calloc(1, bytes + 16);
  for (size_t length = 0, i = 0; length < bytes; i++) length += (size_t)sprintf(text + length, "%zu,\"%zu\n\"\n", i, i % 10);
  return text;
}

static void expect_nothing_left(void) {
  DIR *folder = opendir(test_folder);
  assert_non_null(folder);
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) assert_false(strncmp(entry->d_name, "setosa-", 7) == 0);
  closedir(folder);
}

static void what_comes_once_is_kept_to_be_read_again(void **state) {
  (void)state;
  char *text = lines(300000), *small = lines(100), path[SUPPORT_PATH], also[SUPPORT_PATH], *both = calloc(1, 700000);
  const char *further[] = {also};
  TestTable table;
  setenv("TMPDIR", test_folder, 1);
  pid_t writer = open_pipe(path, text, strlen(text));
  test_table_open_file(&table, path);
  expect_text(&table, 10000, text);
  test_table_close(&table);
  close_pipe(path, writer);
  for (int n = 0; n < 2; n++) { /* after a small one and a large one another pipe follows */
    const char *first = n == 0 ? small : text;
    writer = open_pipe(path, first, strlen(first));
    test_table_open_file(&table, path);
    pid_t second = open_pipe(also, text, strlen(text));
    table.options.also = further;
    table.options.also_count = 1;
    strcpy(both, first);
    strcat(both, text);
    expect_text(&table, 10000, both);
    test_table_close(&table);
    close_pipe(path, writer);
    close_pipe(also, second);
  }
  expect_nothing_left();
  free(text);
  free(small);
  free(both);
}

static void what_is_read_in_one_pass_is_not_kept(void **state) {
  (void)state;
  char *text = lines(300000), path[SUPPORT_PATH];
  TestTable table;
  SetosaError error = {0};
  setenv("TMPDIR", "/there/is/no/such/folder", 1);
  pid_t writer = open_pipe(path, text, strlen(text));
  test_table_open_file(&table, path);
  TableText *parts = open_text(&table, 10000);
  table_text_read_once(parts);
  support_ok(table_text_rewind(parts, &error), &error); /* nothing was read yet but the head */
  char *got = read_parts(parts, NULL);
  assert_string_equal(got, text);
  support_ok(table_text_rewind(parts, &error), &error);
  TextPart part;
  bool more = false;
  support_fails(table_text_next(parts, &part, &more, &error), &error, SETOSA_ERROR_DATA, path);
  table_text_close(parts);
  test_table_close(&table);
  close_pipe(path, writer);
  free(got);
  free(text);
}

static void expect_not_kept(const char *folder, const char *message) {
  char *text = lines(300000), path[SUPPORT_PATH];
  TestTable table;
  SetosaError error = {0};
  Status status = SETOSA_OK;
  setenv("TMPDIR", folder, 1);
  pid_t writer = open_pipe(path, text, strlen(text));
  test_table_open_file(&table, path);
  TableText *parts = open_text(&table, 10000);
  for (bool more = true; more && status == SETOSA_OK;) {
    TextPart part;
    status = table_text_next(parts, &part, &more, &error);
    if (status == SETOSA_OK && more) table_text_let_go(parts, &part);
  }
  support_fails(status, &error, SETOSA_ERROR_WRITE, folder);
  if (strstr(error.message, message) == NULL) fail_msg("%s", error.message);
  table_text_close(parts);
  test_table_close(&table);
  close_pipe(path, writer);
  free(text);
}

static void a_folder_without_room_is_named(void **state) {
  (void)state;
  expect_not_kept(
      "/there/is/no/such/folder",
      ", which comes but once and is read twice: No such file or directory; name another folder in TMPDIR, or give the table as a file");
  const struct rlimit little = {100000, RLIM_INFINITY};
  struct rlimit before;
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &before);
  setrlimit(RLIMIT_FSIZE, &(struct rlimit){little.rlim_cur, before.rlim_max});
  expect_not_kept(test_folder, "File too large; raise the limit on file sizes (ulimit -f)");
  setrlimit(RLIMIT_FSIZE, &before);
}

static void a_file_that_changes_between_passes_is_refused(void **state) {
  (void)state;
  char *text = lines(30000);
  TestTable table;
  SetosaError error = {0};
  TextPart part;
  bool more = false;
  for (int first = 0; first < 2; first++) { /* the second one of two, and the first */
    char path[SUPPORT_PATH];
    const char *also[] = {path};
    support_path(path, test_folder, "second.csv");
    support_write_text(path, text);
    test_table_open(&table, "first.csv", text, strlen(text));
    table.options.also = also;
    table.options.also_count = 1;
    TableText *parts = open_text(&table, 10000);
    free(read_parts(parts, NULL));
    support_ok(table_text_rewind(parts, &error), &error);
    text[2]++;
    const struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    support_write_text(first ? table.path : path, text);
    assert_int_equal(utimensat(AT_FDCWD, first ? table.path : path, old, 0), 0); /* clocks of file systems tick slowly */
    Status status = SETOSA_OK;
    for (more = true; more && status == SETOSA_OK;) {
      status = table_text_next(parts, &part, &more, &error);
      if (status == SETOSA_OK && more) table_text_let_go(parts, &part);
    }
    support_fails(status, &error, SETOSA_ERROR_DATA, first ? table.path : path);
    assert_non_null(strstr(error.message, ": was changed while it was read; leave it alone until the work is done, or read a copy of it"));
    error = (SetosaError){0};
    table_text_close(parts);
    test_table_close(&table);
  }
  free(text);
}

static void progress_is_of_all_files(void **state) {
  (void)state;
  char *text = lines(30000), path[SUPPORT_PATH];
  const char *also[] = {path};
  TestTable table;
  support_path(path, test_folder, "second.csv");
  support_write_text(path, text);
  test_table_open(&table, "first.csv", text, strlen(text));
  table.options.also = also;
  table.options.also_count = 1;
  TableText *parts = open_text(&table, 10000);
  free(read_parts(parts, NULL));
  assert_int_equal(table.reader.bytes_total, 2 * strlen(text));
  assert_int_equal(table.reader.bytes_done, 2 * strlen(text));
  table_text_close(parts);
  test_table_close(&table);
  free(text);
}

static void long_records_take_many_parts(void **state) {
  (void)state;
  enum { PART = 10000, LONG = 1000000 };
  char *text = malloc(LONG + 4);
  TestTable table;
  memset(text, 'x', LONG);
  memcpy(text + LONG / 2, "\n1,", 3);
  memcpy(text + LONG, "\n2\n", 4);
  test_table_open(&table, "long.csv", text, LONG + 3);
  expect_text(&table, PART, text);
  test_table_close(&table);
  free(text);
}

/* As long as this, and nothing in it: no record shows what is wrong. */
static void a_line_of_blanks_has_an_end(void **state) {
  (void)state;
  enum { BLOCK = 1 << 20 };
  char *blanks = malloc(BLOCK), path[SUPPORT_PATH];
  TestTable table;
  TextPart part;
  bool more = false;
  SetosaError error = {0};
  memset(blanks, ' ', BLOCK);
  support_path(path, test_folder, "blanks.csv.gz");
  gzFile file = gzopen(path, "wb1");
  assert_int_equal(gzwrite(file, "a,y\n1,2\n", 8), 8);
  for (size_t i = 0; i <= TABLE_RECORD_LIMIT_BYTES / BLOCK + 8; i++) assert_int_equal(gzwrite(file, blanks, BLOCK), BLOCK);
  assert_int_equal(gzwrite(file, "\n3,4\n", 5), 5);
  assert_int_equal(gzclose(file), Z_OK);
  test_table_open_file(&table, path);
  TableText *text = open_text(&table, BLOCK);
  for (int i = 0; i < 2; i++) {
    support_ok(table_text_next(text, &part, &more, &error), &error);
    assert_true(more);
    table_text_let_go(text, &part);
  }
  support_fails(table_text_next(text, &part, &more, &error), &error, SETOSA_ERROR_DATA, path);
  assert_non_null(strstr(error.message, ":3: the row is longer than 128 MB; check that this is CSV"));
  table_text_close(text);
  test_table_close(&table);
  free(blanks);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parts_of_any_size_hold_the_same_records),
      cmocka_unit_test(old_lines_end_with_a_carriage_return),
      cmocka_unit_test(marks_of_byte_order_are_left_out),
      cmocka_unit_test(a_line_may_say_what_separates),
      cmocka_unit_test(several_files_follow_each_other),
      cmocka_unit_test(a_zero_byte_is_told_after_the_records_before_it),
      cmocka_unit_test(utf16_becomes_utf8),
      cmocka_unit_test(broken_utf16_is_refused),
      cmocka_unit_test(members_of_a_gzip_follow_each_other),
      cmocka_unit_test(what_comes_once_is_kept_to_be_read_again),
      cmocka_unit_test(what_is_read_in_one_pass_is_not_kept),
      cmocka_unit_test(a_folder_without_room_is_named),
      cmocka_unit_test(a_file_that_changes_between_passes_is_refused),
      cmocka_unit_test(progress_is_of_all_files),
      cmocka_unit_test(long_records_take_many_parts),
      cmocka_unit_test(a_line_of_blanks_has_an_end),
  };
  return support_run("data_table_text", tests, make_folder, remove_folder);
}
