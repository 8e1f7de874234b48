/* Digits to doubles: what is a number, and that each is the nearest double, as strtod finds it. */
#include "base/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/support.h"

static void expect_double(const char *text, double expected) {
  double value = NAN;
  if (!number_parse(text, strlen(text), '.', &value)) fail_msg("'%s' is no number", text);
  if (memcmp(&value, &expected, sizeof value) != 0) fail_msg("'%s' is %.17g, expected %.17g", text, value, expected);
}

static void expect_as_strtod(const char *text) { expect_double(text, strtod(text, NULL)); }

static void numbers_are_read(void **state) {
  (void)state;
  static const char *const texts[] = {"0",
                                      "-0",
                                      "+0",
                                      "1",
                                      "-1",
                                      "+1",
                                      "12345678",
                                      "123456789",
                                      "1234567812345678",
                                      "12345678123456781234",
                                      "00000000000000000000012",
                                      "1.",
                                      ".5",
                                      "-.5",
                                      "1.5",
                                      "0.1",
                                      "0.10",
                                      "3.14159265358979",
                                      "0.4967141530112327",
                                      "-1.7976931348623157e308",
                                      "1.7976931348623159e308",
                                      "1e400",
                                      "-1e400",
                                      "1e-400",
                                      "5e-324",
                                      "2.4703282292062327e-324",
                                      "2.4703282292062328e-324",
                                      "2.2250738585072011e-308",
                                      "2.2250738585072014e-308",
                                      "1e22",
                                      "1e23",
                                      "8.5e23",
                                      "9007199254740992",
                                      "9007199254740993",
                                      "9007199254740993.0",
                                      "9007199254740995",
                                      "18446744073709551615",
                                      "18446744073709551616",
                                      "9999999999999999999",
                                      "9999999999999999999e19",
                                      "1e19",
                                      "1e20",
                                      "1e-19",
                                      "1e-20",
                                      "9999999999999999999e-19",
                                      "0.0000000000000000001",
                                      "1E5",
                                      "1e+5",
                                      "1e-5",
                                      "0e999999999999999999999",
                                      "1e-999999999999999999999",
                                      "1e999999999999999999999",
                                      "0.00000000000000000000000000000000000012345678901234567",
                                      "123456789012345678901234567890e-30",
                                      "1152921504606846977",
                                      "4611686018427387905e-1",
                                      "7205759403792793199999e-5",
                                      "7205759403792793200001e-5",
                                      "1448997445238699",
                                      "6.02214076e23",
                                      "1e0000000000000000000000000000000005"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) expect_as_strtod(texts[i]);
}

static void other_texts_are_no_numbers(void **state) {
  (void)state;
  static const char *const texts[] = {"",          "+",        "-",        ".",    "-.",       "e5",  ".e5",   "1e",      "1e+",
                                      "1e-",       "1e5.",     "1.2.3",    "--5",  "+-5",      "1 2", " 1",    "1 ",      "1,5",
                                      "0x10",      "nan",      "inf",      "-inf", "Infinity", "NaN", "1_000", "1f",      "1d5",
                                      "12345678x", "1234567:", "1234567/", "１",   "1e5e5",    "1..", "0x",    "infinity"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    double value = 7;
    if (number_parse(texts[i], strlen(texts[i]), '.', &value)) fail_msg("'%s' is %.17g", texts[i], value);
    assert_true(value == 7);
  }
  for (int c = 0; c < 256; c++) { /* no other byte is a digit, wherever it is among eight */
    for (size_t place = 0; place < 9; place++) {
      char text[] = "123456789";
      double value;
      text[place] = (char)c;
      bool number = (c >= '0' && c <= '9') || c == '.' || (place == 0 && (c == '+' || c == '-')) ||
                    (place > 0 && place < 8 && (c == 'e' || c == 'E'));
      if (number_parse(text, 9, '.', &value) != number) fail_msg("byte %d at %zu", c, place);
    }
  }
}

static void a_comma_may_be_the_point(void **state) {
  (void)state;
  double value = 0;
  assert_true(number_parse("-1234,5678e1", 12, ',', &value));
  assert_true(value == -12345.678);
  assert_false(number_parse("1.5", 3, ',', &value));
  assert_false(number_parse("1,2,3", 5, ',', &value));
  assert_true(number_parse("0,1234567890123456789012345e-200", 32, ',', &value)); /* what strtod is asked for */
  assert_true(value == 0.1234567890123456789012345e-200);
}

static void the_locale_does_not_count(void **state) {
  (void)state;
  if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL && setlocale(LC_ALL, "fr_FR.UTF-8") == NULL)
    support_skip("no locale with a decimal comma is installed");
  double value = 0;
  bool number = number_parse("1.2345678901234567890123e-300", 29, '.', &value);
  setlocale(LC_ALL, "C");
  assert_true(number);
  assert_true(value == 1.2345678901234567890123e-300);
}

enum { SEED = 11, SPELLINGS = 100000, MIDDLES = 20000 };

static size_t below(uint64_t *drawn, size_t bound) { return (size_t)random_below(SEED, RANDOM_STREAM_CHECK, 0, (*drawn)++, bound); }

static void random_spellings_are_rounded_as_strtod_rounds(void **state) {
  (void)state;
  static const size_t longest[] = {9, 17, 19, 21, 60, 900};
  char text[1024];
  uint64_t drawn = 0;
  for (size_t n = 0; n < SPELLINGS; n++) {
    size_t span = longest[below(&drawn, n % 100 == 0 ? 6 : 5)], digits = 1 + below(&drawn, span), point = below(&drawn, digits + 1),
           length = 0;
    size_t zeros = below(&drawn, 4) == 0 ? below(&drawn, digits) : 0;
    if (below(&drawn, 4) == 0) text[length++] = "+-"[below(&drawn, 2)];
    for (size_t i = 0; i < digits; i++) {
      if (i == point) text[length++] = '.';
      text[length++] = (char)('0' + (i < zeros ? 0 : below(&drawn, 10)));
    }
    text[length] = '\0';
    if (below(&drawn, 2) == 0) {
      int reach = below(&drawn, 3) == 0 ? 350 : 25;
      snprintf(text + length, sizeof text - length, "%c%+d", "eE"[below(&drawn, 2)], (int)below(&drawn, (size_t)(2 * reach + 1)) - reach);
    }
    expect_as_strtod(text);
  }
}

/* As many digits as programs write of a double, and some more, of points in the middle of two doubles and right beside it. */
static void middles_between_doubles_are_rounded_to_even(void **state) {
  (void)state;
  char text[1200];
  uint64_t drawn = 0;
  for (size_t n = 0; n < MIDDLES; n++) {
    double low = ldexp((double)(((uint64_t)1 << 52) + below(&drawn, (size_t)1 << 52)), (int)below(&drawn, 120) - 110);
    long double middle = ((long double)low + (long double)nextafter(low, INFINITY)) / 2;
    for (int digits = 15; digits <= 21; digits++) {
      snprintf(text, sizeof text, "%.*Le", digits - 1, middle);
      expect_as_strtod(text);
      snprintf(text, sizeof text, "%.*e", digits - 1, low);
      expect_as_strtod(text);
    }
    snprintf(text, sizeof text, "%.800Le", middle); /* the middle itself */
    expect_as_strtod(text);
    char *exponent = strchr(text, 'e'), kept[16];
    strcpy(kept, exponent);
    sprintf(exponent, "0000000000000000000001%s", kept); /* and the least above it */
    expect_as_strtod(text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_are_read),
      cmocka_unit_test(other_texts_are_no_numbers),
      cmocka_unit_test(a_comma_may_be_the_point),
      cmocka_unit_test(the_locale_does_not_count),
      cmocka_unit_test(random_spellings_are_rounded_as_strtod_rounds),
      cmocka_unit_test(middles_between_doubles_are_rounded_to_even),
  };
  return support_run("base_number", tests, NULL, NULL);
}
