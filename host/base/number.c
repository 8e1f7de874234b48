/* Three ways, the first that is exact. A mantissa up to 2^53 times or over a power of ten up to 10^22 is one rounding of two exact doubles
 * (W. D. Clinger, "How to read floating point numbers accurately", 1990). Up to 19 digits and a power up to 10^19, which is what programs
 * write of doubles, are two whole numbers of 64 bits, whose product or quotient is formed in 128. The rest is strtod's. */
#include "base/number.h"

#include <endian.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* To decide between two neighbouring doubles takes at most 767 digits; of more it counts only whether they are all 0. */
enum { DIGITS_HELD = 19, DIGITS_DECIDING = 800, WHOLE_POWERS = 19, DOUBLE_POWERS = 22 };

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
  snprintf(text + count, sizeof text - count, "e%lld", (long long)(exponent + (int64_t)left));
  return strtod(text, NULL);
}

bool number_parse(const char *text, size_t length, char decimal, double *value) {
  const char *at = text, *end = text + length;
  uint64_t mantissa = 0;
  int64_t exponent = 0;
  bool negative = at < end && *at == '-';
  if (at < end && (*at == '-' || *at == '+')) at++;
  const char *digits = at;
  at = take_digits(at, end, &mantissa);
  size_t count = (size_t)(at - digits);
  if (at < end && *at == decimal) {
    const char *point = at++;
    at = take_digits(at, end, &mantissa);
    exponent = point + 1 - at;
    count = (size_t)(at - digits) - 1;
  }
  if (count == 0) return false;
  const char *past = at;
  if (at < end && (*at == 'e' || *at == 'E') && (at = take_exponent(at, end, &exponent)) == NULL) return false;
  if (at != end) return false;
  double magnitude;
  if (count > DIGITS_HELD) { /* zeros before the first digit do not count */
    while (digits < past && !(is_digit(*digits) && *digits != '0')) count -= is_digit(*digits), digits++;
  }
  if (count > DIGITS_HELD)
    magnitude = parse_slowly(digits, past, exponent);
  else if (mantissa <= (uint64_t)1 << 53 && exponent >= -DOUBLE_POWERS && exponent <= DOUBLE_POWERS)
    magnitude = exponent < 0 ? (double)mantissa / DOUBLE_POWER[-exponent] : (double)mantissa * DOUBLE_POWER[exponent];
  else if (mantissa == 0)
    magnitude = 0;
  else if (exponent >= 0 && exponent <= WHOLE_POWERS)
    magnitude = multiply_whole(mantissa, (size_t)exponent);
  else if (exponent < 0 && exponent >= -WHOLE_POWERS)
    magnitude = divide_whole(mantissa, (size_t)-exponent);
  else
    magnitude = parse_slowly(digits, past, exponent);
  *value = negative ? -magnitude : magnitude;
  return true;
}
