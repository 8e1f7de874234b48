/* Philox known answers, ranges, permutations; XXH3 known answers. */
#include "base/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "support/support.h"

/* Random123's kat_vectors, philox4x32 10 rounds: counter and key of ones in every bit. Its counter is (low, low, high, stream). */
static void philox_gives_the_published_words(void **state) {
  (void)state;
  uint32_t words[4];
  random_words(UINT64_MAX, (RandomStream)0xFFFFFFFFu, 0xFFFFFFFFu, UINT64_MAX, words);
  assert_int_equal(words[0], 0x408f276du);
  assert_int_equal(words[1], 0x41c83b0eu);
  assert_int_equal(words[2], 0xa20bc7c6u);
  assert_int_equal(words[3], 0x6d5451fdu);
  random_words(0, (RandomStream)0, 0, 0, words);
  assert_int_equal(words[0], 0x6627e8d5u);
  assert_int_equal(words[1], 0xe169c58du);
  assert_int_equal(words[2], 0xbc57ac4cu);
  assert_int_equal(words[3], 0x9b00dbd8u);
}

static void every_part_of_the_counter_matters(void **state) {
  (void)state;
  uint32_t base[4], other[4];
  random_words(1, RANDOM_STREAM_CHECK, 2, 3, base);
  const struct {
    uint64_t seed;
    RandomStream stream;
    uint64_t high, low;
  } others[] = {{2, RANDOM_STREAM_CHECK, 2, 3},
                {1, RANDOM_STREAM_LABELS, 2, 3},
                {1, RANDOM_STREAM_CHECK, 3, 3},
                {1, RANDOM_STREAM_CHECK, 2, 4},
                {1 + ((uint64_t)1 << 32), RANDOM_STREAM_CHECK, 2, 3},
                {1, RANDOM_STREAM_CHECK, 2, 3 + ((uint64_t)1 << 32)}};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    random_words(others[i].seed, others[i].stream, others[i].high, others[i].low, other);
    assert_memory_not_equal(base, other, sizeof base);
  }
}

static void bounds_are_kept_evenly(void **state) {
  (void)state;
  static const uint64_t bounds[] = {1, 2, 3, 10, 1000, (uint64_t)1 << 33, UINT64_MAX};
  for (size_t b = 0; b < sizeof bounds / sizeof *bounds; b++)
    for (uint64_t i = 0; i < 1000; i++) assert_true(random_below(5, RANDOM_STREAM_CHECK, 0, i, bounds[b]) < bounds[b]);
  double counts[10] = {0}, sum = 0, squares = 0;
  const double n = 100000;
  for (uint64_t i = 0; i < 100000; i++) {
    counts[random_below(5, RANDOM_STREAM_CHECK, 1, i, 10)]++;
    double x = random_symmetric(5, RANDOM_STREAM_CHECK, 2, i);
    assert_true(x >= -1 && x < 1);
    sum += x;
    squares += x * x;
  }
  for (int k = 0; k < 10; k++) support_near(counts[k] / n, 0.1, 5 * sqrt(0.09 / n));
  support_near(sum / n, 0, 5 * sqrt(1 / (3 * n)));
  support_near(squares / n, 1.0 / 3, 5 * sqrt(4.0 / 45 / n));
}

static void permutations_are_permutations(void **state) {
  (void)state;
  enum { COUNT = 997 };
  size_t order[COUNT], other[COUNT];
  bool seen[COUNT] = {false};
  for (size_t i = 0; i < COUNT; i++) order[i] = SIZE_MAX;
  random_permutation(3, RANDOM_STREAM_SHUFFLE, 0, COUNT, order);
  for (size_t i = 0; i < COUNT; i++) {
    assert_true(order[i] < COUNT && !seen[order[i]]);
    seen[order[i]] = true;
  }
  random_permutation(3, RANDOM_STREAM_SHUFFLE, 0, COUNT, other);
  assert_memory_equal(order, other, sizeof order);
  random_permutation(3, RANDOM_STREAM_SHUFFLE, 1, COUNT, other);
  assert_memory_not_equal(order, other, sizeof order);
  random_permutation(3, RANDOM_STREAM_SHUFFLE, 0, 0, NULL);
  random_permutation(3, RANDOM_STREAM_SHUFFLE, 0, 1, other);
  assert_int_equal(other[0], 0);
  /* All six orders of three come equally often. */
  int counts[3][3] = {{0}};
  for (uint64_t seed = 0; seed < 6000; seed++) {
    random_permutation(seed, RANDOM_STREAM_SHUFFLE, 0, 3, other);
    counts[other[0]][other[1]]++;
  }
  for (int a = 0; a < 3; a++)
    for (int b = 0; b < 3; b++)
      if (a != b) assert_in_range(counts[a][b], 1000 - 150, 1000 + 150); /* five deviations */
}

static void hashes_are_xxh3(void **state) {
  (void)state;
  assert_true(hash_bytes("", 0) == 0x2d06800538d394c2u); /* XXH3_64bits of nothing, seed 0 */
  Hash *hash = NULL, *other = NULL;
  char hex[HASH_HEX_SIZE], other_hex[HASH_HEX_SIZE];
  support_ok(hash_create(&hash, NULL), NULL);
  hash_hex(hash, hex);
  assert_string_equal(hex, "99aa06d3014798d86001c324468d497f"); /* XXH3_128bits of nothing */
  hash_add(hash, "abc", 3);
  hash_add(hash, "def", 3);
  hash_hex(hash, hex);
  support_ok(hash_create(&other, NULL), NULL);
  hash_add(other, "abcdef", 6);
  hash_hex(other, other_hex);
  assert_string_equal(hex, other_hex);
  hash_destroy(hash);
  hash_destroy(other);
  support_ok(hash_create(&hash, NULL), NULL);
  support_ok(hash_create(&other, NULL), NULL);
  hash_add_text(hash, "ab");
  hash_add_text(hash, "c");
  hash_add_text(other, "a");
  hash_add_text(other, "bc");
  hash_hex(hash, hex);
  hash_hex(other, other_hex);
  assert_string_not_equal(hex, other_hex);
  hash_destroy(hash);
  hash_destroy(other);
  hash_destroy(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(philox_gives_the_published_words),
      cmocka_unit_test(every_part_of_the_counter_matters),
      cmocka_unit_test(bounds_are_kept_evenly),
      cmocka_unit_test(permutations_are_permutations),
      cmocka_unit_test(hashes_are_xxh3),
  };
  return support_run("base_random", tests, NULL, NULL);
}
