/* Rows of a table, summed in registers as the kernels for sparse rows do (kernels/sparse_cpu.cl): their numbers are u32 that are read one
 * after the other, sums are of the widest vectors there are, and several stand side by side. Built with -O3 (CMakeLists.txt); nothing
 * computed here is a result. */
#include "bench/gather_loops.h"

#include <string.h>

#include "bench/limits_gather.h"

enum { TILES = 1 + GATHER_TILE / 4 };

/* Vectors, and the same at any place where a float may be. */
#define LANES(lanes)                                                    \
  typedef float Lanes##lanes __attribute__((vector_size(4 * (lanes)))); \
  typedef float Near##lanes __attribute__((vector_size(4 * (lanes)), aligned(4), may_alias));
LANES(16)
LANES(8)
LANES(4)
LANES(2)
#define NEAR(lanes, at) (*(const Near##lanes *)(const void *)(at))
#define SUM_LANES(vector, lanes) \
  for (size_t l = 0; l < (lanes); l++) task->result += (vector)[l]

/* One loop for tiles of so many floats: vectors of 16, and what is left in those of 8, 4 and 2. ahead: rows are asked for before. */
#define GATHER_LOOP(suffix, attributes, tile, ahead)                                                               \
  attributes static void gather_##suffix##_##tile##_##ahead(GatherTask *task) {                                    \
    enum { SUMS = (tile) <= 16 ? 4 : (tile) <= 32 ? 2 : 1, WIDE = (tile) / 16, HELD = WIDE > 0 ? WIDE : 1 };       \
    Lanes16 all16 = {0};                                                                                           \
    Lanes8 all8 = {0};                                                                                             \
    Lanes4 all4 = {0};                                                                                             \
    Lanes2 all2 = {0};                                                                                             \
    for (size_t done = 0, at = task->begin; done < task->count; done += GATHER_RUN) {                              \
      for (size_t first = 0; first < task->stride; first += (tile)) {                                              \
        const uint32_t *list = task->list + at;                                                                    \
        const float *table = task->table + first;                                                                  \
        Lanes16 wide[SUMS][HELD];                                                                                  \
        Lanes8 eight[SUMS];                                                                                        \
        Lanes4 four[SUMS];                                                                                         \
        Lanes2 two[SUMS];                                                                                          \
        memset(wide, 0, sizeof wide), memset(eight, 0, sizeof eight);                                              \
        memset(four, 0, sizeof four), memset(two, 0, sizeof two);                                                  \
        for (size_t i = 0; i < GATHER_RUN; i += SUMS) {                                                            \
          UNROLL for (size_t s = 0; s < SUMS; s++) {                                                               \
            const float *row = table + (size_t)list[i + s] * task->stride, *rest = row + 16 * WIDE;                \
            if (ahead) {                                                                                           \
              const float *next = table + (size_t)list[i + s + GATHER_AHEAD] * task->stride;                       \
              UNROLL for (size_t l = 0; l < (tile); l += CACHE_LINE / sizeof(float)) __builtin_prefetch(next + l); \
              if ((tile) > 4) __builtin_prefetch(next + (tile)-1);                                                 \
            }                                                                                                      \
            UNROLL for (int w = 0; w < WIDE; w++) wide[s][w] += NEAR(16, row + 16 * w);                            \
            if ((tile) % 16 / 8) eight[s] += NEAR(8, rest);                                                        \
            if ((tile) % 8 / 4) four[s] += NEAR(4, rest + (tile) % 16 / 8 * 8);                                    \
            if ((tile) % 4) two[s] += NEAR(2, rest);                                                               \
          }                                                                                                        \
        }                                                                                                          \
        UNROLL for (size_t s = 0; s < SUMS; s++) {                                                                 \
          UNROLL for (int w = 0; w < HELD; w++) all16 += wide[s][w];                                               \
          all8 += eight[s], all4 += four[s], all2 += two[s];                                                       \
        }                                                                                                          \
      }                                                                                                            \
      at = at + GATHER_RUN < task->length ? at + GATHER_RUN : 0;                                                   \
    }                                                                                                              \
    SUM_LANES(all16, 16);                                                                                          \
    SUM_LANES(all8, 8);                                                                                            \
    SUM_LANES(all4, 4);                                                                                            \
    SUM_LANES(all2, 2);                                                                                            \
  }
#define UNROLL _Pragma("GCC unroll 4")
#define BOTH_LOOPS(suffix, attributes, tile) GATHER_LOOP(suffix, attributes, tile, 0) GATHER_LOOP(suffix, attributes, tile, 1)
#define FOUR_TILES(DO, suffix, attributes, a, b, c, d) \
  DO(suffix, attributes, a) DO(suffix, attributes, b) DO(suffix, attributes, c) DO(suffix, attributes, d)
#define EACH_TILE(DO, suffix, attributes)            \
  DO(suffix, attributes, 2)                          \
  FOUR_TILES(DO, suffix, attributes, 4, 8, 12, 16)   \
  FOUR_TILES(DO, suffix, attributes, 20, 24, 28, 32) \
  FOUR_TILES(DO, suffix, attributes, 36, 40, 44, 48) \
  FOUR_TILES(DO, suffix, attributes, 52, 56, 60, 64)

#define BOTH_NAMES(suffix, attributes, tile) {gather_##suffix##_##tile##_0, gather_##suffix##_##tile##_1},
#define NAMES(suffix) static GatherLoop *const loops_##suffix[TILES][2] = {EACH_TILE(BOTH_NAMES, suffix, )};

EACH_TILE(BOTH_LOOPS, plain, )
NAMES(plain)
#if defined(__x86_64__)
EACH_TILE(BOTH_LOOPS, avx2, __attribute__((target("avx2"))))
NAMES(avx2)
EACH_TILE(BOTH_LOOPS, avx512, __attribute__((target("avx512f,avx512vl"))))
NAMES(avx512)
#endif

/* Both of one set of instructions; how many there are now. */
static size_t add_loops(GatherLoop *to[GATHER_LOOPS], size_t count, GatherLoop *const loops[2]) {
  for (size_t ahead = 0; ahead < 2; ahead++) to[count++] = loops[ahead];
  return count;
}

size_t gather_loops_find(GatherLoop *loops[GATHER_LOOPS], size_t tile) {
  size_t which = tile / 4, count = 0;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) count = add_loops(loops, count, loops_avx512[which]);
  if (__builtin_cpu_supports("avx2")) count = add_loops(loops, count, loops_avx2[which]);
#endif
  return count > 0 ? count : add_loops(loops, count, loops_plain[which]);
}
