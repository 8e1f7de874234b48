/* Number parsing against strtod, suggestions, growing strings, splitting, the name table. */
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/support.h"

static bool parse(const char *text, double *value) { return text_parse_double(text, strlen(text), value); }

static void numbers_are_accepted(void **state) {
  (void)state;
  static const char *const texts[] = {
      "0",
      "-0",
      "+1",
      "1.",
      ".5",
      "-.5e1",
      "1e5",
      "1E+5",
      "1e-5",
      " 7 ",
      "\t8",
      "0001",
      "1e22",
      "1e23",
      "1e-22",
      "123456789012345",
      "1234567890123456",
      "9007199254740993",
      "0.1",
      "2.2250738585072011e-308",
      "4.9e-324",
      "1.7976931348623157e308",
      "0.000000000000000000000000000000000000000000001234",
      "179769313486231580793e289",
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000012345678901234567"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    double value = NAN, expected = strtod(texts[i], NULL);
    if (!parse(texts[i], &value)) fail_msg("%s is not accepted", texts[i]);
    if (value != expected || signbit(value) != signbit(expected)) fail_msg("%s gives %.17g, expected %.17g", texts[i], value, expected);
  }
  double value = 0;
  char lengthy[400]; /* longer than any buffer for one number: 1 followed by 299 zeros, then a fraction */
  memset(lengthy, '0', sizeof lengthy);
  lengthy[0] = '1';
  lengthy[300] = '.';
  lengthy[sizeof lengthy - 1] = '\0';
  assert_true(parse(lengthy, &value) && value == 1e299);
  assert_true(parse("1e999", &value) && isinf(value) && value > 0);
  assert_true(parse("-1e999999999999999999999", &value) && isinf(value) && value < 0);
  assert_true(parse("1e-999", &value) && value == 0);
  assert_true(parse("0e999999", &value) && value == 0);
}

static void other_texts_are_not_numbers(void **state) {
  (void)state;
  static const char *const texts[] = {"",      " ",    "-",     "+",   ".",    "-.",       "e5",    "1e",  "1e+",
                                      "1e5.0", "0x10", "nan",   "inf", "-inf", "1_0",      "1,5",   "1 2", "--1",
                                      "1-",    "1..2", "1.2.3", "1f",  "1d5",  "infinity", "1e5e5", "\n1", "1\n"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    double value = 0;
    if (parse(texts[i], &value)) fail_msg("\"%s\" is accepted as %g", texts[i], value);
  }
  double value = 0;
  assert_false(text_parse_double("1\0", 2, &value));               /* a zero byte is no blank */
  assert_true(text_parse_double("123", 2, &value) && value == 12); /* the length counts, not the terminator */
}

/* Random digits, points and exponents: the quick path must round as strtod does. */
static void parsing_agrees_with_strtod(void **state) {
  (void)state;
  for (uint64_t i = 0; i < 200000; i++) {
    uint32_t words[4];
    char text[64];
    double value = NAN;
    random_words(11, RANDOM_STREAM_CHECK, 0, i, words);
    uint64_t digits = ((uint64_t)words[0] << 32 | words[1]) >> words[2] % 64;
    snprintf(text, sizeof text, "%s%" PRIu64 ".%ue%d", words[2] & 64 ? "-" : "", digits, words[3] % 100000, (int)(words[2] >> 8) % 60 - 30);
    assert_true(parse(text, &value));
    if (value != strtod(text, NULL)) fail_msg("%s gives %.17g, expected %.17g", text, value, strtod(text, NULL));
  }
}

static void counts_and_integers(void **state) {
  (void)state;
  uint64_t count = 0;
  int64_t whole = 0;
  assert_true(text_parse_count("150", &count) && count == 150);
  assert_true(text_parse_count("1e6", &count) && count == 1000000);
  assert_true(text_parse_count("2.5e3", &count) && count == 2500);
  assert_true(text_parse_count("0", &count) && count == 0);
  assert_true(text_parse_count("9223372036854775807", &count) && count == INT64_MAX);
  static const char *const counts[] = {"", "-1", "1.5", "1e-1", "x", "1e300", "inf", "nan", "1e6x", "-0.5"};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    if (text_parse_count(counts[i], &count)) fail_msg("%s is accepted", counts[i]);
  assert_true(text_parse_int64("-42", 3, &whole) && whole == -42);
  assert_true(text_parse_int64(" +7 ", 4, &whole) && whole == 7);
  assert_true(text_parse_int64("9223372036854775807", 19, &whole) && whole == INT64_MAX);
  static const char *const integers[] = {"", "-", "+", "1.0", "1e3", "9223372036854775808", "99999999999999999999", "1 2", "--1"};
  for (size_t i = 0; i < sizeof integers / sizeof *integers; i++)
    if (text_parse_int64(integers[i], strlen(integers[i]), &whole)) fail_msg("%s is accepted", integers[i]);
}

static void near_misses(void **state) {
  (void)state;
  static const char *const names[] = {"setosa", "versicolor", "virginica", "a"};
  static const struct {
    const char *word, *nearest;
  } cases[] = {{"setsa", "setosa"},
               {"Setosa", "setosa"},
               {"estosa", "setosa"},
               {"versi", "versicolor"},
               {"virgnicia", "virginica"},
               {"completely else", NULL},
               {"", NULL},
               {"A", "a"},
               {"b", NULL},
               {"x9", NULL},
               {"setosaa", "setosa"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *nearest = text_nearest(cases[i].word, names, 4);
    if ((nearest == NULL) != (cases[i].nearest == NULL) || (nearest != NULL && strcmp(nearest, cases[i].nearest) != 0))
      fail_msg("%s: %s", cases[i].word, nearest != NULL ? nearest : "nothing");
  }
  assert_null(text_nearest("word", NULL, 0));
  char lengthy[300];
  memset(lengthy, 'a', sizeof lengthy - 1);
  lengthy[sizeof lengthy - 1] = '\0';
  const char *const lengthies[] = {lengthy};
  assert_null(text_nearest("b", lengthies, 1));
  (void)text_nearest(lengthy, names, 4); /* longer than the table of distances */
}

static void texts_grow(void **state) {
  (void)state;
  Text text = {0};
  for (int i = 0; i < 1000; i++) support_ok(text_append(&text, NULL, "%d,", i), NULL);
  assert_int_equal(text.length, strlen(text.text));
  assert_int_equal(text.length, 10 * 2 + 90 * 3 + 900 * 4);
  support_ok(text_append_bytes(&text, "a\0b", 3, NULL), NULL);
  assert_int_equal(text.text[text.length], 0);
  assert_memory_equal(text.text + text.length - 3, "a\0b", 3);
  text_free(&text);
  assert_null(text.text);
  text_free(&text);
}

/* Any bytes as UTF-8, and no two texts as one. */
static void bytes_become_utf8(void **state) {
  (void)state;
  static const char *const cases[][2] = {{"", ""},
                                         {"iris.csv", "iris.csv"},
                                         {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x8c\xb8", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x8c\xb8"},
                                         {"b\xe4 \xff.csv", "b%E4 %FF.csv"},
                                         {"\xc3", "%C3"},
                                         {"\xed\xa0\x80", "%ED%A0%80"},
                                         {"\xc3\xa4\xc3", "\xc3\xa4%C3"},
                                         {"50%", "50%"},
                                         {"5%z0", "5%z0"},
                                         {"a%FF", "a%25FF"},
                                         {"a%25FF", "a%2525FF"},
                                         {"%\xff", "%%FF"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    Text text = {0};
    support_ok(text_append_utf8(&text, cases[i][0], NULL), NULL);
    assert_string_equal(text.text, cases[i][1]);
    assert_true(text_is_utf8(text.text, text.length));
    text_free(&text);
  }
}

static void lists_are_split(void **state) {
  (void)state;
  char **parts = NULL;
  size_t count = 0;
  support_ok(text_split(&parts, &count, " a, b c ,,d", ',', NULL), NULL);
  assert_int_equal(count, 4);
  assert_string_equal(parts[0], "a");
  assert_string_equal(parts[1], "b c");
  assert_string_equal(parts[2], "");
  assert_string_equal(parts[3], "d");
  free(parts);
  support_ok(text_split(&parts, &count, "", ',', NULL), NULL);
  assert_int_equal(count, 1);
  assert_string_equal(parts[0], "");
  free(parts);
  support_ok(text_split(&parts, &count, ";", ';', NULL), NULL);
  assert_int_equal(count, 2);
  free(parts);
}

static void names_have_indices(void **state) {
  (void)state;
  enum { COUNT = 10000 };
  NameTable *table = NULL;
  size_t index = 0;
  char name[32];
  support_ok(name_table_create(&table, NULL), NULL);
  assert_false(name_table_find(table, "x", 1, &index));
  for (int again = 0; again < 2; again++)
    for (size_t i = 0; i < COUNT; i++) {
      snprintf(name, sizeof name, "name %zu", i);
      index = SIZE_MAX;
      support_ok(name_table_add(table, name, strlen(name), &index, NULL), NULL);
      assert_int_equal(index, i);
    }
  assert_int_equal(name_table_count(table), COUNT);
  assert_string_equal(name_table_name(table, 77), "name 77");
  assert_true(name_table_find(table, "name 9999 and more", 9, &index)); /* by length */
  assert_int_equal(index, 9999);
  assert_false(name_table_find(table, "name", 4, &index));
  support_ok(name_table_add(table, "", 0, &index, NULL), NULL);
  assert_int_equal(index, COUNT);
  name_table_destroy(table);
  name_table_destroy(NULL);
}

static void what_acts_on_a_terminal_is_replaced(void **state) {
  (void)state;
  char text[] =
      "a\033[31m\n\177\xC2\x9B"
      "b\xE2\x80\xAE"
      "c\xE2\x80\x8B\xEF\xBB\xBF\xE2\x81\xA6 \xC3\xA9\xE2\x82\xAC";
  text_make_visible(text, '?');
  assert_string_equal(text, "a?[31m????b???c????????? \xC3\xA9\xE2\x82\xAC"); /* letters and the euro sign stay */
  char other[] = "a\xC2\xAD\xD8\x9C\xF3\xA0\x81\x81 \xF0\x9F\x8C\xBC \x9B[31m \xFF\xC3x \xED\xA0\x80 \xC0\xAF \xF5\x80";
  text_make_visible(other, '?');
  assert_string_equal(other, "a???????? \xF0\x9F\x8C\xBC ?[31m ??x ??? ?? ??"); /* the flower stays */
  char cut[] = "x\xE2\x80";                                                     /* a sequence that ends early */
  text_make_visible(cut, '?');
  assert_string_equal(cut, "x\xE2\x80");
}

/* A path of kilobytes must not push out what is wrong and what to do. */
static void long_messages_lose_their_middle(void **state) {
  (void)state;
  SetosaError error = {0};
  char path[5000];
  memset(path, 'p', sizeof path - 1);
  path[sizeof path - 1] = '\0';
  error_set(&error, SETOSA_ERROR_DATA, "%s:3:4: a value is missing; fill it in", path);
  assert_int_equal(strlen(error.message), sizeof error.message - 1);
  assert_int_equal(strncmp(error.message, "pppp", 4), 0);
  assert_non_null(strstr(error.message, "p ... p"));
  assert_non_null(strstr(error.message, ":3:4: a value is missing; fill it in"));
}

static void sizes_have_units(void **state) {
  (void)state;
  static const struct {
    const char *text;
    uint64_t bytes;
  } good[] = {{"1", 1},
              {"512", 512},
              {"2K", 2048},
              {"1.5k", 1536},
              {"3M", 3 << 20},
              {"1G", 1 << 30},
              {"4GB", (uint64_t)4 << 30},
              {"4GiB", (uint64_t)4 << 30},
              {"1T", (uint64_t)1 << 40},
              {"1e6", 1000000},
              {"7B", 7}};
  static const char *const bad[] = {"", "0", "-1", "x", "1X", "1Gx", "G", "1e30", "1e18T", "nan", "inf", "1 G", "0.5"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    uint64_t bytes = 0;
    if (!text_parse_bytes(good[i].text, &bytes) || bytes != good[i].bytes)
      fail_msg("\"%s\": %llu", good[i].text, (unsigned long long)bytes);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    uint64_t bytes = 5;
    if (text_parse_bytes(bad[i], &bytes) || bytes != 5) fail_msg("\"%s\" was taken", bad[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_are_accepted),
      cmocka_unit_test(other_texts_are_not_numbers),
      cmocka_unit_test(parsing_agrees_with_strtod),
      cmocka_unit_test(counts_and_integers),
      cmocka_unit_test(near_misses),
      cmocka_unit_test(texts_grow),
      cmocka_unit_test(bytes_become_utf8),
      cmocka_unit_test(lists_are_split),
      cmocka_unit_test(names_have_indices),
      cmocka_unit_test(what_acts_on_a_terminal_is_replaced),
      cmocka_unit_test(long_messages_lose_their_middle),
      cmocka_unit_test(sizes_have_units),
  };
  return support_run("base_text", tests, NULL, NULL);
}
