/* Numbers as little-endian bytes, whatever the host: what model files hold and what a weights hash is taken of. */
#ifndef SETOSA_MODEL_LITTLE_ENDIAN_H
#define SETOSA_MODEL_LITTLE_ENDIAN_H

#include <stdint.h>
#include <string.h>

static inline void store_u64(unsigned char *bytes, uint64_t value) {
  for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(value >> 8 * i);
}

static inline uint64_t load_bits(const unsigned char *bytes, int width) {
  uint64_t value = 0;
  for (int i = 0; i < width; i++) value |= (uint64_t)bytes[i] << 8 * i;
  return value;
}

static inline void store_f32(unsigned char *bytes, float value) {
  uint32_t bits = 0;
  memcpy(&bits, &value, sizeof bits);
  for (int i = 0; i < 4; i++) bytes[i] = (unsigned char)(bits >> 8 * i);
}

static inline float load_f32(const unsigned char *bytes) {
  uint32_t bits = (uint32_t)load_bits(bytes, 4);
  float value = 0;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline void store_f64(unsigned char *bytes, double value) {
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof bits);
  store_u64(bytes, bits);
}

static inline double load_f64(const unsigned char *bytes) {
  uint64_t bits = load_bits(bytes, 8);
  double value = 0;
  memcpy(&value, &bits, sizeof value);
  return value;
}

#endif
