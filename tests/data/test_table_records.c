/* Records and their fields: every way to quote, to separate and to end a line, and the message for what is no record. */
#include "base/random.h"
#include "data/table.h"
#include "data/table/ends.h"

static const Dialect COMMAS = {.separator = ',', .decimal = '.'};
static const Dialect TABS = {.separator = '\t', .decimal = '.'};
static const Dialect BLANKS = {.separator = ' ', .blanks = true, .decimal = '.'};
static const Dialect SINGLE = {.separator = ',', .decimal = '.', .single_quotes = true};

/* All records as "LINE[a|b]LINE[c|d]". */
static void show_records(char *out, size_t size, const TextPart *part, const Dialect *dialect, Error *error) {
  Records records = {0};
  size_t length = 0;
  out[0] = '\0';
  records_begin(&records, part, dialect);
  for (bool more = false; records_next(&records, &more, error) == SETOSA_OK && more;) {
    length += (size_t)snprintf(out + length, size - length, "%llu[", (unsigned long long)records.line);
    for (size_t c = 0; c < records.count; c++)
      length +=
          (size_t)snprintf(out + length, size - length, "%s%.*s", c > 0 ? "|" : "", (int)records.fields[c].length, records.fields[c].text);
    length += (size_t)snprintf(out + length, size - length, "]");
  }
  records_free(&records);
}

static void expect_records(const char *text, const Dialect *dialect, const char *expected) {
  char got[1024], *exact = malloc(strlen(text) + 1); /* so that a byte too many is one beyond the block */
  SetosaError error = {0};
  TextPart part = test_part(text);
  memcpy(exact, text, part.length);
  part.bytes = exact;
  if (strchr(text, '\n') == NULL) part.newline = '\r';
  show_records(got, sizeof got, &part, dialect, &error);
  support_ok(error.status, &error);
  free(exact);
  if (strcmp(got, expected) != 0) fail_msg("'%s' is %s, expected %s", text, got, expected);
}

static void records_end_as_lines_do(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"a,b\n1,2\n", "1[a|b]2[1|2]"},
      {"a,b\n1,2", "1[a|b]2[1|2]"},
      {"a,b\r\n1,2\r\n", "1[a|b]2[1|2]"},
      {"a,b\r1,2\r", "1[a|b]2[1|2]"},
      {"a,b\r1,2", "1[a|b]2[1|2]"},
      {"a,b\n1,2\r\n3,4\n", "1[a|b]2[1|2]3[3|4]"},
      {"", ""},
      {"\n", ""},
      {"\n\na,b\n\n1,2\n  \n\r\n3,4\n\n\n", "3[a|b]5[1|2]8[3|4]"},
      {"a,b\r\r1,2\r", "1[a|b]3[1|2]"},
      {"  ", ""},
      {"a\n \n", "1[a]"},
      {"a,b\n1,2\n   ", "1[a|b]2[1|2]"},
      {",\n", "1[|]"},
      {",", "1[|]"},
      {"a,\n,b\n", "1[a|]2[|b]"},
      {"abcdefgh,ijklmnop\nq,r\n", "1[abcdefgh|ijklmnop]2[q|r]"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) expect_records(cases[i][0], &COMMAS, cases[i][1]);
}

/* So many columns that room for them grows, and all lengths of fields beside blocks that are looked at together. */
static void records_may_have_any_number_of_fields(void **state) {
  (void)state;
  char text[8192];
  for (size_t columns = 1; columns < 140; columns++) {
    for (size_t width = 1; width < 8; width++) {
      Records records = {0};
      SetosaError error = {0};
      bool more = false;
      size_t length = 0;
      for (size_t i = 0; i < 3 * columns; i++)
        length += (size_t)sprintf(text + length, "%0*zu%s", (int)width, i % 10, (i + 1) % columns == 0 ? "\n" : ",");
      TextPart part = test_part(text);
      records_begin(&records, &part, &COMMAS);
      for (size_t row = 0; row < 3; row++) {
        support_ok(records_next(&records, &more, &error), &error);
        assert_true(more);
        assert_int_equal(records.line, row + 1);
        assert_int_equal(records.count, columns);
        for (size_t c = 0; c < columns; c++) {
          double value = -1;
          assert_int_equal(records.fields[c].length, width);
          assert_true(field_number(&records.fields[c], '.', &value));
          assert_true(value == (double)((row * columns + c) % 10));
        }
      }
      support_ok(records_next(&records, &more, &error), &error);
      assert_false(more);
      records_free(&records);
    }
  }
}

static void ends_are_found_with_vectors_and_without(void **state) {
  (void)state;
  static const char separators[] = ",;\t| ";
  char bytes[ENDS_BYTES];
  for (uint64_t n = 0; n < 20000; n++) {
    char separator = separators[n % (sizeof separators - 1)];
    uint64_t expected = 0;
    for (size_t i = 0; i < ENDS_BYTES; i++) {
      uint64_t any = random_below(5, RANDOM_STREAM_CHECK, n, i, 256),
               common = (uint64_t)(unsigned char)"\",;\n\r\t 0129.\r\r\x0E\x8D\x22"[any % 17];
      bytes[i] = (char)(n % 2 == 0 ? any : common);
      bool ends = bytes[i] == separator || bytes[i] == '"' || (unsigned char)bytes[i] < 14;
      expected |= (uint64_t)ends << i;
    }
    assert_true(ends_find(bytes, separator) == expected);
    assert_true(ends_find_in_words(bytes, separator) == expected);
  }
}

static void blanks_around_do_not_count(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {" a , b \n", "1[a|b]"},
      {"\ta\t,\tb c\t\n", "1[a|b c]"},
      {" \"a\" , \"b\"\n", "1[a|b]"},
      {"\" a \",b\n", "1[a|b]"},
      {"\"  \",b\n", "1[|b]"},
      {"   ,   \n", "1[|]"},
      {"a  b,c\n", "1[a  b|c]"},
      {" \n a\n", "2[a]"},
      {"a long text \t , with tabs\tin it \t \n", "1[a long text|with tabs\tin it]"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) expect_records(cases[i][0], &COMMAS, cases[i][1]);
  expect_records(" a \t b\n1\t\t2\n", &TABS, "1[a|b]2[1||2]");
  expect_records("\t\n", &TABS, "1[|]");
}

static void quotes_hold_anything(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"\"a,b\",c\n", "1[a,b|c]"},
      {"\"a\"\"b\",c\n", "1[a\"b|c]"},
      {"\"\"\"\",\"\"\n", "1[\"|]"},
      {"\"\"\"a\"\"\",\"\"\"\"\"\"\n", "1[\"a\"|\"\"]"},
      {"\"x\n\ny\",1\n2,3\n", "1[x\n\ny|1]4[2|3]"},
      {"\"x\r\ny\",1\r\n2,3\r\n", "1[x\r\ny|1]3[2|3]"},
      {"\"a\"\n\"b\"", "1[a]2[b]"},
      {"\"\"\n", "1[]"},
      {"\"12345678\",\"1\"\n", "1[12345678|1]"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) expect_records(cases[i][0], &COMMAS, cases[i][1]);
}

static void blanks_may_separate(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"a b\n1 2\n", "1[a|b]2[1|2]"},   {"  a \t  b  \n", "1[a|b]"}, {"a\tb\n", "1[a|b]"},
      {"\"a b\"  \"c\"\n", "1[a b|c]"}, {"\"\" x\n", "1[|x]"},       {"a,b c\n", "1[a,b|c]"},
      {"   \n\t\n a\n", "3[a]"},        {"a b", "1[a|b]"},           {"abcdefghijkl\tm\n", "1[abcdefghijkl|m]"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) expect_records(cases[i][0], &BLANKS, cases[i][1]);
}

static void single_quotes_around_a_field_do_not_count(void **state) {
  (void)state;
  expect_records("'a', 'b c' ,d\n", &SINGLE, "1[a|b c|d]");
  expect_records("'a,b'\n", &SINGLE, "1['a|b']");
  expect_records("it's,'',',' x '\n", &SINGLE, "1[it's||'|x]");
  expect_records("'a',b\n", &COMMAS, "1['a'|b]");
}

static const char *name_of(const void *names, size_t column) { return column < 2 ? ((const char *const *)names)[column] : NULL; }

static void expect_refused(const char *text, const Dialect *dialect, const char *const *names, const char *message) {
  Records records = {.column_name = names != NULL ? name_of : NULL, .names = names};
  SetosaError error = {0};
  TextPart part = test_part(text);
  Status status = SETOSA_OK;
  records_begin(&records, &part, dialect);
  for (bool more = true; more && status == SETOSA_OK;) status = records_next(&records, &more, &error);
  support_fails(status, &error, SETOSA_ERROR_DATA, message);
  records_free(&records);
}

static void what_is_no_record_is_named(void **state) {
  (void)state;
  static const char *const names[] = {"a", "b"};
  expect_refused("1,2\n3,a\"b\n", &COMMAS, NULL,
                 "t.csv:2:2: a quote in the middle of a field; put quotes around the whole field and double those inside it");
  expect_refused("1,2\n3,a\"b\n", &COMMAS, names, "t.csv:2:2: a quote in the middle of a field (column 'b'); put quotes");
  expect_refused("1,2\n3,4,a\"b\n", &COMMAS, names, "t.csv:2:3: a quote in the middle of a field; put quotes");
  expect_refused("1,2\n3,\"a\"b\n", &COMMAS, NULL, "t.csv:2:2: a quote in the middle of a field; ");
  expect_refused("1 \"a\"b\n", &BLANKS, NULL, "t.csv:1:2: a quote in the middle of a field; ");
  expect_refused("1 a\"b\n", &BLANKS, NULL, "t.csv:1:2: a quote in the middle of a field; ");
  expect_refused("1,2\n\"x\ny\",\"a\n\n", &COMMAS, names,
                 "t.csv:3:2: the quoted field that begins here is never closed (column 'b'); add the closing quote");
  expect_refused("\"", &COMMAS, NULL, "t.csv:1:1: the quoted field that begins here is never closed; add the closing quote");
  expect_refused("\"\"\"", &COMMAS, NULL, "t.csv:1:1: the quoted field that begins here is never closed; add the closing quote");
}

static void expect_refused_repeat(const char *before, char repeated, size_t times, const char *after, const char *message) {
  size_t length = strlen(before);
  char *text = malloc(length + times + strlen(after) + 1);
  memcpy(text, before, length);
  memset(text + length, repeated, times);
  strcpy(text + length + times, after);
  expect_refused(text, &COMMAS, NULL, message);
  free(text);
}

static void sizes_have_limits(void **state) {
  (void)state;
  const size_t field = (1 << 23) + 1, columns = 1 << 20;
  expect_refused_repeat("a,b\n1,", 'x', field, ",", "t.csv:2:2: the field is longer than 8 MB; look for a quote that is never closed");
  expect_refused_repeat("a,b\n1,\"", 'x', field, "\"\n", "t.csv:2:2: the field is longer than 8 MB; look for a quote");
  expect_refused_repeat("a,b\n1,\"", 'x', field, "", "t.csv:2:2: the field is longer than 8 MB; look for a quote");
  expect_refused_repeat("a,b\n", ',', columns, "\n",
                        "t.csv:2: more than 1048576 columns; check the separator and the ends of lines, or save");
  expect_refused_repeat("a,b\n1\n", '\n', columns + 1, "2",
                        "t.csv:1048579: more than 1048576 lines in a row are blank; check that this is CSV");
  SetosaError error = {0};
  Records records = {0};
  TextPart part = test_part("\n\n2,3\n");
  bool more = false;
  part.blank_lines = columns - 1; /* of the parts before */
  records_begin(&records, &part, &COMMAS);
  support_fails(records_next(&records, &more, &error), &error, SETOSA_ERROR_DATA, "t.csv:2: more than 1048576 lines in a row are blank;");
  error = (SetosaError){0};
  part.blank_lines = columns - 2;
  records_begin(&records, &part, &COMMAS);
  support_ok(records_next(&records, &more, &error), &error);
  assert_true(more);
  assert_int_equal(records.line, 3);
  records_free(&records);
}

static void the_line_of_a_field_is_where_it_begins(void **state) {
  (void)state;
  Records records = {0};
  SetosaError error = {0};
  TextPart part = test_part("a,b,c\n\n\"x\n\"\"y\", \"1\n2\n3\",z\n");
  bool more = false;
  records_begin(&records, &part, &COMMAS);
  support_ok(records_next(&records, &more, &error), &error);
  assert_int_equal(records_field_line(&records, 2), 1);
  support_ok(records_next(&records, &more, &error), &error);
  assert_int_equal(records.line, 3);
  assert_int_equal(records_field_line(&records, 0), 3);
  assert_int_equal(records_field_line(&records, 1), 4);
  assert_int_equal(records_field_line(&records, 2), 6);
  assert_int_equal(records_field_line(&records, 9), 6);
  assert_string_equal("x\n\"y", strndupa(records.fields[0].text, records.fields[0].length));
  records_free(&records);
}

static void fields_are_numbers_or_not(void **state) {
  (void)state;
  double value = 0;
  assert_true(field_number(&(Field){"2,5x", 3}, ',', &value));
  assert_true(value == 2.5);
  assert_true(field_number(&(Field){"+2.5", 4}, '.', &value));
  assert_false(field_number(&(Field){"2,5", 3}, '.', &value));
  assert_false(field_number(&(Field){"", 0}, '.', &value));
  assert_false(field_number(&(Field){"NaN", 3}, '.', &value));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(records_end_as_lines_do),
      cmocka_unit_test(records_may_have_any_number_of_fields),
      cmocka_unit_test(ends_are_found_with_vectors_and_without),
      cmocka_unit_test(blanks_around_do_not_count),
      cmocka_unit_test(quotes_hold_anything),
      cmocka_unit_test(blanks_may_separate),
      cmocka_unit_test(single_quotes_around_a_field_do_not_count),
      cmocka_unit_test(what_is_no_record_is_named),
      cmocka_unit_test(sizes_have_limits),
      cmocka_unit_test(the_line_of_a_field_is_where_it_begins),
      cmocka_unit_test(fields_are_numbers_or_not),
  };
  return support_run("data_table_records", tests, NULL, NULL);
}
