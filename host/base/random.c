/* Philox counters through Random123. */
#include "base/random.h"

#include <Random123/philox.h>

void random_words(uint64_t seed, RandomStream stream, uint64_t high, uint64_t low, uint32_t words[4]) {
  philox4x32_ctr_t counter = {{(uint32_t)low, (uint32_t)(low >> 32), (uint32_t)high, (uint32_t)stream}};
  philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
  philox4x32_ctr_t out = philox4x32(counter, key);
  for (int i = 0; i < 4; i++) words[i] = out.v[i];
}

/* The upper 64 bits of a * b, by halves. */
static uint64_t multiply_high(uint64_t a, uint64_t b) {
  uint64_t a_low = (uint32_t)a, a_high = a >> 32, b_low = (uint32_t)b, b_high = b >> 32;
  uint64_t middle = a_high * b_low + (a_low * b_low >> 32), other = a_low * b_high + (uint32_t)middle;
  return a_high * b_high + (middle >> 32) + (other >> 32);
}

uint64_t random_below(uint64_t seed, RandomStream stream, uint64_t high, uint64_t low, uint64_t bound) {
  uint32_t words[4];
  random_words(seed, stream, high, low, words);
  uint64_t bits = (uint64_t)words[1] << 32 | words[0];
  return multiply_high(bits, bound);
}

double random_symmetric(uint64_t seed, RandomStream stream, uint64_t high, uint64_t low) {
  uint32_t words[4];
  random_words(seed, stream, high, low, words);
  return (double)words[0] * 0x1p-31 - 1.0;
}

void random_permutation(uint64_t seed, RandomStream stream, uint64_t high, size_t count, size_t *order) {
  for (size_t i = 0; i < count; i++) order[i] = i;
  for (size_t i = count; i > 1; i--) {
    size_t j = (size_t)random_below(seed, stream, high, i, i), kept = order[i - 1];
    order[i - 1] = order[j];
    order[j] = kept;
  }
}
