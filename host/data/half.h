/* IEEE binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
#ifndef SETOSA_DATA_HALF_H
#define SETOSA_DATA_HALF_H

#include <stdint.h>
#include <string.h>

#define HALF_MAX 65504.0f /* the largest finite half; from 65520 on rounding gives infinity */
#define HALF_OVERFLOW 65520.0f

static inline uint32_t half_bits_of_float(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline float half_float_of_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* a where condition holds, else b, without a branch: loops over these are vectorised. */
static inline uint32_t half_select(int condition, uint32_t a, uint32_t b) {
  uint32_t mask = (uint32_t) - (condition != 0);
  return (a & mask) | (b & ~mask);
}

static inline float half_to_float(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000u) << 16, exponent = half >> 10 & 31u, fraction = half & 0x3FFu;
  uint32_t subnormal = half_bits_of_float((float)(int32_t)fraction * 0x1p-24f);
  uint32_t normal = (exponent + half_select(exponent == 31, 224, 112)) << 23 | fraction << 13; /* 31: infinite, or not a number */
  return half_float_of_bits(sign | half_select(exponent == 0, subnormal, normal));
}

/* Rounds to nearest, ties to even; for |value| < HALF_OVERFLOW. */
static inline uint16_t half_from_float(float value) {
  uint32_t bits = half_bits_of_float(value), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7FFFFFFFu;
  /* Below 2^-14 halves are multiples of 2^-24, which is the last place of 0.5f: the addition itself rounds to them. */
  uint32_t small = half_bits_of_float(half_float_of_bits(magnitude) + 0.5f) - half_bits_of_float(0.5f);
  uint32_t normal = (magnitude + 0xFFFu + (magnitude >> 13 & 1u) - (112u << 23)) >> 13; /* a carry goes into the exponent, as it should */
  return (uint16_t)(sign | half_select(magnitude < 0x38800000u, small, normal));
}

#endif
