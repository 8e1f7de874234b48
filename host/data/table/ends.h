/* Where fields may end, for many bytes at a time. Private to host/data. */
#ifndef SETOSA_DATA_TABLE_ENDS_H
#define SETOSA_DATA_TABLE_ENDS_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { ENDS_BYTES = 64 };

/* The highest bit of each byte that is 0; no sum carries into the next byte. */
static inline uint64_t ends_zero_bytes(uint64_t word) {
  const uint64_t rest = 0x7F7F7F7F7F7F7F7Fu;
  return ~(((word & rest) + rest) | word | rest);
}

/* As ends_find, without vectors. */
static inline uint64_t ends_find_in_words(const char *at, char separator) {
  const uint64_t every_byte = 0x0101010101010101u, rest = 0x7F7F7F7F7F7F7F7Fu;
  uint64_t found = 0;
  for (int i = 0; i < ENDS_BYTES / 8; i++) {
    uint64_t word;
    memcpy(&word, at + 8 * i, sizeof word);
    word = le64toh(word);
    uint64_t low = ~(((word & rest) + (0x80 - 14) * every_byte) | word | rest);
    uint64_t any = ends_zero_bytes(word ^ every_byte * (unsigned char)separator) | ends_zero_bytes(word ^ every_byte * '"') | low;
    found |= ((any >> 7) * 0x0102040810204080u >> 56) << 8 * i; /* the eight bits side by side */
  }
  return found;
}

/* Bit i: at[i] is the separator, a double quote, or a byte below 14, as ends of lines and tabs are. All 64 bytes are looked at. */
static inline uint64_t ends_find(const char *at, char separator) {
#ifdef __SSE2__
  const __m128i separators = _mm_set1_epi8(separator), quotes = _mm_set1_epi8('"'), low = _mm_set1_epi8(13);
  uint64_t found = 0;
  for (int i = 0; i < ENDS_BYTES / 16; i++) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(at + 16 * i));
    __m128i equal = _mm_or_si128(_mm_cmpeq_epi8(bytes, separators), _mm_cmpeq_epi8(bytes, quotes));
    __m128i any = _mm_or_si128(equal, _mm_cmpeq_epi8(_mm_min_epu8(bytes, low), bytes));
    found |= (uint64_t)(uint32_t)_mm_movemask_epi8(any) << 16 * i;
  }
  return found;
#else
  return ends_find_in_words(at, separator);
#endif
}

#endif
