/* The text of a table in parts: wherever parts end, together they are the text, each ends where a record does, and lines keep their
 * numbers. */
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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parts_of_any_size_hold_the_same_records), cmocka_unit_test(old_lines_end_with_a_carriage_return),
      cmocka_unit_test(marks_of_byte_order_are_left_out),        cmocka_unit_test(a_line_may_say_what_separates),
      cmocka_unit_test(several_files_follow_each_other),         cmocka_unit_test(a_zero_byte_is_told_after_the_records_before_it),
  };
  return support_run("data_table_text", tests, make_folder, remove_folder);
}
