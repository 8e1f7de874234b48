/* Every way is exact, and the cheapest is taken. A mantissa up to 2^53 times or over a power of ten up to 10^22 is one rounding of two
 * exact doubles (W. D. Clinger, "How to read floating point numbers accurately", 1990). Up to 19 digits, which is what programs write of
 * doubles, are a whole number of 64 bits: times the reciprocal of the power, unless that is too near a tie to tell (D. Lemire, "Number
 * parsing at a gigabyte per second", 2021), else times or over the power in 128 bits. The rest is strtod's. */
#include "base/number.h"

#include <endian.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* To decide between two neighbouring doubles takes at most 767 digits; of more it counts only whether they are all 0. */
enum { DIGITS_HELD = 19, DIGITS_DECIDING = 800, WHOLE_POWERS = 19, DOUBLE_POWERS = 22, RECIPROCALS = 27 };

__extension__ typedef unsigned __int128 Uint128;

static const double DOUBLE_POWER[DOUBLE_POWERS + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
static const uint64_t WHOLE_POWER[WHOLE_POWERS + 1] = {1u,
                                                       10u,
                                                       100u,
                                                       1000u,
                                                       10000u,
                                                       100000u,
                                                       1000000u,
                                                       10000000u,
                                                       100000000u,
                                                       1000000000u,
                                                       10000000000u,
                                                       100000000000u,
                                                       1000000000000u,
                                                       10000000000000u,
                                                       100000000000000u,
                                                       1000000000000000u,
                                                       10000000000000000u,
                                                       100000000000000000u,
                                                       1000000000000000000u,
                                                       10000000000000000000u};

static const uint64_t EVERY_BYTE = 0x0101010101010101u, ALL_ZERO_DIGITS = 0x3030303030303030u;

static inline bool is_digit(char c) { return (unsigned char)(c - '0') < 10; }

/* Whether eight bytes are digits; the first is the lowest. */
static inline bool all_digits(uint64_t bytes) {
  const uint64_t high_halves = 0xF0F0F0F0F0F0F0F0u; /* of '0' to '9' it is 3, and stays 3 when 6 is added */
  return ((bytes & high_halves) | (((bytes + 0x0606060606060606u) & high_halves) >> 4)) == 0x3333333333333333u;
}

/* Neighbours are joined to pairs, then pairs to fours, then these. */
static inline uint64_t value_of_eight(uint64_t bytes) {
  const uint64_t every_fourth = 0x000000FF000000FFu, one_and_1e4 = ((uint64_t)10000 << 32) + 1,
                 hundred_and_1e6 = ((uint64_t)1000000 << 32) + 100;
  bytes -= 0x3030303030303030u;
  bytes = bytes * 10 + (bytes >> 8);
  return ((bytes & every_fourth) * hundred_and_1e6 + ((bytes >> 16) & every_fourth) * one_and_1e4) >> 32;
}

/* Takes digits into *mantissa (modulo 2^64). Returns the first byte that is none. */
static inline const char *take_digits(const char *at, const char *end, uint64_t *mantissa) {
  uint64_t sum = *mantissa, bytes;
  for (; end - at >= 8; at += 8) {
    memcpy(&bytes, at, sizeof bytes);
    bytes = le64toh(bytes);
    if (!all_digits(bytes)) break;
    sum = sum * 100000000u + value_of_eight(bytes);
  }
  for (; at < end && is_digit(*at); at++) sum = sum * 10 + (uint64_t)(*at - '0');
  *mantissa = sum;
  return at;
}

/* "e-5" adds -5 to *exponent. Returns what follows, or NULL when it has no digit. */
static const char *take_exponent(const char *at, const char *end, int64_t *exponent) {
  const int64_t beyond_all = (int64_t)1 << 56;
  int64_t sum = 0;
  at++;
  bool negative = at < end && *at == '-';
  if (at < end && (*at == '+' || *at == '-')) at++;
  if (at == end || !is_digit(*at)) return NULL;
  for (; at < end && is_digit(*at); at++)
    if (sum < beyond_all) sum = sum * 10 + (*at - '0');
  *exponent += negative ? -sum : sum;
  return at;
}

/* mantissa * 10^power, mantissa not 0: 128 bits whose lowest says whether anything is below them, which is all that rounding needs. */
static double multiply_whole(uint64_t mantissa, size_t power) {
  Uint128 product = (Uint128)mantissa * WHOLE_POWER[power];
  uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
  if (high == 0) return (double)low;
  int shift = 64 - __builtin_clzll(high); /* bits of the product that do not fit into 64 */
  uint64_t kept = shift == 64 ? high : high << (64 - shift) | low >> shift, lost = shift == 64 ? low : low << (64 - shift);
  return ldexp((double)(kept | (lost != 0)), shift);
}

/* mantissa / 10^power, mantissa not 0. Both get their highest bit set, so that the quotient has 62 bits or more, and it is below 2^64. */
static double divide_whole(uint64_t mantissa, size_t power) {
  const uint64_t divisor = WHOLE_POWER[power];
  int shift_mantissa = __builtin_clzll(mantissa), shift_divisor = __builtin_clzll(divisor);
  Uint128 dividend = (Uint128)(mantissa << shift_mantissa) << 63;
  uint64_t aligned = divisor << shift_divisor, quotient = (uint64_t)(dividend / aligned);
  bool rest = dividend != (Uint128)quotient * aligned;
  return (double)(quotient | rest) * ldexp(1, shift_divisor - shift_mantissa - 63); /* far from the ends of the range: exact */
}

/* Spelt again without a point, which is what strtod would take from the locale. */
static double parse_slowly(const char *first, const char *past, int64_t exponent) {
  char text[DIGITS_DECIDING + 32];
  size_t count = 0, left = 0;
  bool rest = false;
  for (const char *at = first; at < past; at++) {
    if (!is_digit(*at)) continue;
    if (count < DIGITS_DECIDING)
      text[count++] = *at;
    else
      left++, rest = rest || *at != '0';
  }
  if (rest) text[count++] = '1', left--;
  snprintf(text + count, sizeof text - count, "e%" PRId64, exponent + (int64_t)left);
  return strtod(text, NULL);
}

/* 2^(64 + floor(log2(10^power))) / 10^power, rounded down: the highest bit of each is set. */
static const uint64_t RECIPROCAL[RECIPROCALS + 1] = {0,
                                                     0xCCCCCCCCCCCCCCCC,
                                                     0xA3D70A3D70A3D70A,
                                                     0x83126E978D4FDF3B,
                                                     0xD1B71758E219652B,
                                                     0xA7C5AC471B478423,
                                                     0x8637BD05AF6C69B5,
                                                     0xD6BF94D5E57A42BC,
                                                     0xABCC77118461CEFC,
                                                     0x89705F4136B4A597,
                                                     0xDBE6FECEBDEDD5BE,
                                                     0xAFEBFF0BCB24AAFE,
                                                     0x8CBCCC096F5088CB,
                                                     0xE12E13424BB40E13,
                                                     0xB424DC35095CD80F,
                                                     0x901D7CF73AB0ACD9,
                                                     0xE69594BEC44DE15B,
                                                     0xB877AA3236A4B449,
                                                     0x9392EE8E921D5D07,
                                                     0xEC1E4A7DB69561A5,
                                                     0xBCE5086492111AEA,
                                                     0x971DA05074DA7BEE,
                                                     0xF1C90080BAF72CB1,
                                                     0xC16D9A0095928A27,
                                                     0x9ABE14CD44753B52,
                                                     0xF79687AED3EEC551,
                                                     0xC612062576589DDA,
                                                     0x9E74D1B791E07E48};

/* mantissa / 10^power, mantissa not 0, power 1 to 27; false where the product with the reciprocal, which is up to four units of its 64 bits
 * too small, is so near the middle of two doubles that it does not tell which is nearer. */
static inline bool divide_nearly(uint64_t mantissa, unsigned power, double *value) {
  const uint64_t middle = 1u << 10, unsure = 4;
  int shift = __builtin_clzll(mantissa), log2_power = (int)(power * 217706 >> 16);
  uint64_t product = (uint64_t)((Uint128)(mantissa << shift) * RECIPROCAL[power] >> 64);
  int more = (int)(~product >> 63); /* its highest bit is the last of 64 or the one before */
  product <<= more;
  uint64_t below = product & (2 * middle - 1); /* a double has 53 */
  if (below - (middle - unsure + 1) < unsure) return false;
  int exponent = 63 - log2_power - shift - more;                                                   /* of the highest bit */
  uint64_t bits = ((uint64_t)(1023 + exponent - 1) << 52) + (product >> 11) + (product >> 10 & 1); /* that bit counts one in the exponent */
  memcpy(value, &bits, sizeof bits);
  return true;
}

/* mantissa * 10^exponent where one of the exact ways serves. A quotient of doubles is for what has 15 digits or fewer. Of columns with all
 * the digits of a double it would serve for some values and not for others, as chance has it, so there the product comes first. */
static inline bool convert(uint64_t mantissa, int64_t exponent, double *magnitude) {
  const bool small = mantissa <= (uint64_t)1 << 53, long_fraction = exponent < -15 || (!small && exponent < 0);
  if (mantissa == 0)
    *magnitude = 0;
  else if (long_fraction && exponent >= -RECIPROCALS && divide_nearly(mantissa, (unsigned)-exponent, magnitude))
    return true;
  else if (small && exponent >= -DOUBLE_POWERS && exponent <= DOUBLE_POWERS)
    *magnitude = exponent < 0 ? (double)mantissa / DOUBLE_POWER[-exponent] : (double)mantissa * DOUBLE_POWER[exponent];
  else if (exponent >= 0 && exponent <= WHOLE_POWERS)
    *magnitude = multiply_whole(mantissa, (size_t)exponent);
  else if (exponent < 0 && exponent >= -WHOLE_POWERS)
    *magnitude = divide_whole(mantissa, (size_t)-exponent);
  else
    return false;
  return true;
}

/* Signs are as good as random: no branch. */
static inline double with_sign(double magnitude, bool negative) {
  uint64_t bits;
  memcpy(&bits, &magnitude, sizeof bits);
  bits |= (uint64_t)negative << 63;
  memcpy(&magnitude, &bits, sizeof bits);
  return magnitude;
}

/* ---- most numbers --------------------------------------------------------------------------------------------------- */

/* One to eight bytes as the highest ones of a word, zeros (the digit) below them. */
static inline uint64_t load_short(const char *text, size_t length) {
  uint64_t word;
  if (length >= 4) {
    uint32_t first, last;
    memcpy(&first, text, sizeof first);
    memcpy(&last, text + length - 4, sizeof last);
    word = (uint64_t)le32toh(last) << 32 | (uint64_t)le32toh(first) << 8 * (8 - length);
  } else {
    const unsigned char *bytes = (const unsigned char *)text;
    size_t middle = length / 2;
    word =
        (uint64_t)bytes[0] << 8 * (8 - length) | (uint64_t)bytes[middle] << 8 * (8 - length + middle) | (uint64_t)bytes[length - 1] << 56;
  }
  return word | ALL_ZERO_DIGITS >> 4 * length >> 4 * length;
}

/* Up to eight bytes of digits with at most one point, without a branch that depends on where it is. */
static inline bool take_short(const char *text, size_t length, char decimal, uint64_t *mantissa, unsigned *fraction) {
  uint64_t word = load_short(text, length), same = word ^ EVERY_BYTE * (unsigned char)decimal;
  uint64_t points = (same - EVERY_BYTE) & ~same & EVERY_BYTE << 7; /* the lowest bit is right */
  if (points != 0) {                                               /* what is before the point moves into its place */
    int shift = __builtin_ctzll(points) - 7;
    uint64_t before = ((uint64_t)1 << shift) - 1;
    *fraction = 7 - (unsigned)shift / 8;
    word = (word & ~(before | (uint64_t)0xFF << shift)) | (word & before) << 8 | '0';
  }
  *mantissa = value_of_eight(word);
  return all_digits(word) && (points == 0 || length > 1);
}

/* The first or the last `count` bytes (up to 8) of a word, as load_short gives them. */
static inline uint64_t keep_first(uint64_t word, size_t count) {
  size_t half = 4 * (8 - count);
  return word << half << half | ALL_ZERO_DIGITS >> 4 * count >> 4 * count;
}

static inline uint64_t keep_last(uint64_t word, size_t count) {
  uint64_t others = ~(uint64_t)0 >> 4 * count >> 4 * count;
  return (word & ~others) | (ALL_ZERO_DIGITS & others);
}

static inline uint64_t load_eight(const char *text) {
  uint64_t word;
  memcpy(&word, text, sizeof word);
  return le64toh(word);
}

/* Nine to 24 bytes: a few digits, a point, and a fraction, whose digits are taken by eights from its end on, again without a branch that
 * depends on how many they are. No byte beside the number is looked at. */
__attribute__((noinline)) static bool parse_long(const char *text, size_t length, char decimal, bool negative, double *value) {
  const char *at = text, *end = text + length;
  uint64_t whole = 0;
  while (at < end && is_digit(*at)) whole = whole * 10 + (uint64_t)(*at++ - '0');
  size_t count = (size_t)(at - text);
  if (count > DIGITS_HELD || (at < end && *at++ != decimal)) return false;
  size_t skipped = (size_t)(at - text) < 8 ? (size_t)(at - text) : 8, fraction = (size_t)(end - at);
  if (fraction + (whole != 0 ? count : 0) > DIGITS_HELD) return false;
  size_t in_last = fraction < 8 ? fraction : 8, in_middle = fraction - in_last < 8 ? fraction - in_last : 8;
  size_t in_first = fraction - in_last - in_middle;
  uint64_t beginning = load_eight(text) >> 4 * skipped >> 4 * skipped; /* of the fraction, as far as eight bytes reach */
  uint64_t first = length <= 16 ? ALL_ZERO_DIGITS : keep_first(beginning, in_first);
  uint64_t middle = length <= 16 ? keep_first(beginning, in_middle) : keep_last(load_eight(end - 16), in_middle);
  uint64_t last = keep_last(load_eight(end - 8), in_last);
  uint64_t mantissa = whole * WHOLE_POWER[fraction] + value_of_eight(first) * WHOLE_POWER[16] + value_of_eight(middle) * WHOLE_POWER[8] +
                      value_of_eight(last);
  double magnitude = 0;
  if (!all_digits(first) || !all_digits(middle) || !all_digits(last) || !convert(mantissa, -(int64_t)fraction, &magnitude)) return false;
  *value = with_sign(magnitude, negative);
  return true;
}

/* ---- any number ----------------------------------------------------------------------------------------------------- */

/* Without its sign. */
__attribute__((noinline)) static bool parse_any(const char *text, size_t length, char decimal, bool negative, double *value) {
  const char *at = text, *end = text + length;
  uint64_t mantissa = 0;
  int64_t exponent = 0;
  double magnitude = 0;
  at = take_digits(at, end, &mantissa);
  size_t count = (size_t)(at - text);
  if (at < end && *at == decimal) {
    const char *point = at++;
    at = take_digits(at, end, &mantissa);
    exponent = point + 1 - at;
    count = (size_t)(at - text) - 1;
  }
  if (count == 0) return false;
  const char *digits = text, *past = at;
  if (at < end && (*at == 'e' || *at == 'E') && (at = take_exponent(at, end, &exponent)) == NULL) return false;
  if (at != end) return false;
  if (count > DIGITS_HELD) { /* zeros before the first digit do not count */
    while (digits < past && !(is_digit(*digits) && *digits != '0')) count -= is_digit(*digits), digits++;
  }
  if (count > DIGITS_HELD || !convert(mantissa, exponent, &magnitude)) magnitude = parse_slowly(digits, past, exponent);
  *value = with_sign(magnitude, negative);
  return true;
}

bool number_parse(const char *text, size_t length, char decimal, double *value) {
  if (length == 0) return false;
  bool negative = *text == '-', signs = negative | (*text == '+');
  uint64_t mantissa = 0;
  unsigned fraction = 0;
  text += signs;
  length -= signs;
  if (length > 8)
    return (length <= 24 && parse_long(text, length, decimal, negative, value)) || parse_any(text, length, decimal, negative, value);
  if (length == 0) return false;
  if (!take_short(text, length, decimal, &mantissa, &fraction)) return parse_any(text, length, decimal, negative, value);
  *value = with_sign((double)(int64_t)mantissa / DOUBLE_POWER[fraction], negative);
  return true;
}
