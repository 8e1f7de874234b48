/* Rows of a table, summed in registers as the kernels for sparse rows do (kernels/sparse_cpu.cl): their numbers are u32 that are read one
 * after the other, sums are of the widest vectors there are, and several stand side by side. Built with -O3 (CMakeLists.txt); nothing
 * computed here is a result. */
#include "bench/limits_gather.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/processors.h"
#include "base/random.h"
#include "bench/statistics.h"
#include "bench/threads.h"

enum {
  MOST_TILE = 64,       /* floats of a row that are summed at a time: more do not fit the registers */
  TILES = 17,           /* 2, 4, 8, ... 64 */
  RUN = 64,             /* rows that are summed into one, as the entries of a row of X are */
  AHEAD = 16,           /* a row is asked for so many before it is needed */
  LEAST_LIST = 1 << 16, /* numbers of rows: so many at least, that no predictor of a processor learns them, */
  MOST_LIST = 1 << 21   /* and so many at most: the lines of so many rows fit no cache */
};
static const double sample_seconds = 0.002;

/* ---- loops ------------------------------------------------------------------------------------------------------ */

typedef struct GatherTask GatherTask;
typedef void GatherLoop(GatherTask *task);

/* What one thread does: `count` numbers of a list from `begin` on, which is read as a ring. begin, count and length are multiples of RUN.
 */
struct GatherTask {
  GatherLoop *loop;
  const float *table;
  const uint32_t *list; /* (length), and the first AHEAD of them again */
  size_t stride, length, begin, count;
  float result; /* written, so that no compiler may drop the work */
};

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
    for (size_t done = 0, at = task->begin; done < task->count; done += RUN) {                                     \
      for (size_t first = 0; first < task->stride; first += (tile)) {                                              \
        const uint32_t *list = task->list + at;                                                                    \
        const float *table = task->table + first;                                                                  \
        Lanes16 wide[SUMS][HELD];                                                                                  \
        Lanes8 eight[SUMS];                                                                                        \
        Lanes4 four[SUMS];                                                                                         \
        Lanes2 two[SUMS];                                                                                          \
        memset(wide, 0, sizeof wide), memset(eight, 0, sizeof eight);                                              \
        memset(four, 0, sizeof four), memset(two, 0, sizeof two);                                                  \
        for (size_t i = 0; i < RUN; i += SUMS) {                                                                   \
          UNROLL for (size_t s = 0; s < SUMS; s++) {                                                               \
            const float *row = table + (size_t)list[i + s] * task->stride, *rest = row + 16 * WIDE;                \
            if (ahead) {                                                                                           \
              const float *next = table + (size_t)list[i + s + AHEAD] * task->stride;                              \
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
      at = at + RUN < task->length ? at + RUN : 0;                                                                 \
    }                                                                                                              \
    SUM_LANES(all16, 16);                                                                                          \
    SUM_LANES(all8, 8);                                                                                            \
    SUM_LANES(all4, 4);                                                                                            \
    SUM_LANES(all2, 2);                                                                                            \
  }
#define UNROLL _Pragma("GCC unroll 4")
#define BOTH_LOOPS(suffix, attributes, tile) GATHER_LOOP(suffix, attributes, tile, 0) GATHER_LOOP(suffix, attributes, tile, 1)
#define EACH_TILE(DO, suffix, attributes)                                                                                                \
  DO(suffix, attributes, 2)                                                                                                              \
  DO(suffix, attributes, 4)                                                                                                              \
  DO(suffix, attributes, 8)                                                                                                              \
  DO(suffix, attributes, 12)                                                                                                             \
  DO(suffix, attributes, 16)                                                                                                             \
  DO(suffix, attributes, 20)                                                                                                             \
  DO(suffix, attributes, 24)                                                                                                             \
  DO(suffix, attributes, 28)                                                                                                             \
  DO(suffix, attributes, 32) DO(suffix, attributes, 36) DO(suffix, attributes, 40) DO(suffix, attributes, 44) DO(suffix, attributes, 48) \
      DO(suffix, attributes, 52) DO(suffix, attributes, 56) DO(suffix, attributes, 60) DO(suffix, attributes, 64)

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

/* ---- tables ----------------------------------------------------------------------------------------------------- */

enum { ORDERS = 2, LOOPS = 4, TRIALS = 3 };

/* How tables of one size are read, in one order. */
typedef struct GatherTable {
  uint32_t *list;   /* as in GatherTask */
  size_t length;    /* of it */
  size_t next;      /* where the next sample goes on: what one has brought into the caches is no gift to the next */
  size_t count;     /* numbers of a sample, of each thread */
  GatherLoop *loop; /* the fastest; NULL before the first sample */
  Samples times;    /* nanoseconds of a line */
} GatherTable;

struct GatherLimits {
  size_t stride, threads, sizes, loop_count;
  double lines;
  float *values;                            /* of the largest table; smaller ones are its begin */
  GatherTable tables[ORDERS][GATHER_SIZES]; /* at random, and one row after the other */
  GatherLoop *loops[LOOPS];
  GatherTask *tasks; /* (threads) */
};

static size_t tile_of(size_t classes) {
  size_t tiles = (classes + MOST_TILE - 1) / MOST_TILE, tile = (classes + tiles - 1) / tiles;
  return tile <= 2 ? 2 : (tile + 3) / 4 * 4;
}

size_t gather_stride(size_t classes) { return (classes + MOST_TILE - 1) / MOST_TILE * tile_of(classes); }

double gather_lines(size_t classes) {
  size_t bytes = gather_stride(classes) * sizeof(float), step = bytes & (~bytes + 1); /* rows begin at multiples of this power of two */
  if (step > CACHE_LINE) step = CACHE_LINE;
  return (double)(bytes - step) / CACHE_LINE + 1;
}

static void run_task(void *argument) {
  GatherTask *task = argument;
  task->loop(task);
}

/* One sample; seconds it took. */
static Status run_table(GatherLimits *l, GatherTable *table, double *seconds, Error *error) {
  Status status = SETOSA_OK;
  for (size_t t = 0; t < l->threads; t++) {
    size_t begin = (table->next + table->length / l->threads * t) / RUN * RUN % table->length;
    l->tasks[t] = (GatherTask){table->loop, l->values, table->list, l->stride, table->length, begin, table->count, 0};
  }
  double began = clock_seconds();
  TRY(threads_run(l->threads, run_task, l->tasks, sizeof *l->tasks, error));
  *seconds = clock_seconds() - began;
  table->next = (table->next + table->count) % table->length;
cleanup:
  return status;
}

static double nanoseconds(const GatherLimits *l, const GatherTable *table, double seconds) {
  return 1e9 * seconds / ((double)(l->threads * table->count) * l->lines);
}

/* Seconds that a core worked on a run, the least of a few: what else the machine does must not choose. */
static Status least_work(GatherLimits *l, GatherTable *table, double *least, Error *error) {
  Status status = SETOSA_OK;
  *least = INFINITY;
  for (int i = 0; i < TRIALS; i++) {
    struct timespec began, ended;
    double ignored = 0;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &began);
    TRY(run_table(l, table, &ignored, error));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
    double seconds = (double)(ended.tv_sec - began.tv_sec) + 1e-9 * (double)(ended.tv_nsec - began.tv_nsec);
    *least = fmin(*least, seconds / (double)l->threads);
  }
cleanup:
  return status;
}

/* The fastest loop, and how much of it is a sample. */
static Status choose_loop(GatherLimits *l, GatherTable *table, Error *error) {
  Status status = SETOSA_OK;
  double seconds = 0, best = INFINITY;
  size_t fastest = 0, count = RUN;
  for (size_t i = 0; i < l->loop_count; i++) {
    table->loop = l->loops[i];
    table->count = count;
    for (;;) { /* short runs are mostly the start of threads */
      TRY(least_work(l, table, &seconds, error));
      if (seconds >= sample_seconds) break;
      table->count *= seconds < sample_seconds / 4 ? 4 : 2;
    }
    double time = nanoseconds(l, table, seconds);
    if (time >= best) continue;
    best = time;
    fastest = i;
    count = table->count;
  }
  table->loop = l->loops[fastest];
  table->count = count;
cleanup:
  return status;
}

/* The numbers of rows of a table of so many. */
static Status make_list(GatherTable *table, size_t rows, bool at_random, Error *error) {
  Status status = SETOSA_OK;
  uint32_t words[4];
  size_t most = at_random ? 2 * rows : rows;
  table->length = (most < LEAST_LIST ? LEAST_LIST : most < MOST_LIST ? most : MOST_LIST) / RUN * RUN;
  TRY(memory_allocate((void **)&table->list, table->length + AHEAD, sizeof *table->list, "numbers of rows", error));
  for (size_t i = 0; i < table->length; i++) {
    if (at_random && i % 4 == 0) random_words(0, RANDOM_STREAM_CHECK, rows, i, words);
    table->list[i] = at_random ? (uint32_t)((uint64_t)words[i % 4] * rows >> 32) : (uint32_t)(i % rows);
  }
  memcpy(table->list + table->length, table->list, AHEAD * sizeof *table->list);
cleanup:
  return status;
}

static void add_loops(GatherLimits *l, GatherLoop *const loops[2]) {
  for (size_t ahead = 0; ahead < 2; ahead++) l->loops[l->loop_count++] = loops[ahead];
}

static void find_loops(GatherLimits *l, size_t tile) {
  size_t which = tile / 4;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) add_loops(l, loops_avx512[which]);
  if (__builtin_cpu_supports("avx2")) add_loops(l, loops_avx2[which]);
#endif
  if (l->loop_count == 0) add_loops(l, loops_plain[which]);
}

Status gather_limits_open(GatherLimits **limits, size_t classes, double most_bytes, Error *error) {
  Status status = SETOSA_OK;
  GatherLimits *l = NULL;
  *limits = NULL;
  TRY(memory_allocate_zero((void **)&l, 1, sizeof *l, "limits", error));
  l->stride = gather_stride(classes);
  l->lines = gather_lines(classes);
  l->threads = processors_usable();
  for (l->sizes = 1; l->sizes < GATHER_SIZES && gather_bytes(l->sizes - 1) < most_bytes;) l->sizes++;
  find_loops(l, tile_of(classes));
  size_t row_bytes = l->stride * sizeof(float), bytes = (size_t)gather_bytes(l->sizes - 1);
  if (bytes < row_bytes) bytes = row_bytes;
  TRY(memory_allocate_zero((void **)&l->tasks, l->threads, sizeof *l->tasks, "threads", error));
  TRY(memory_allocate((void **)&l->values, bytes, 1, "memory to read", error));
  for (size_t i = 0; i < bytes / sizeof(float); i++) l->values[i] = GATHER_VALUE;
  for (size_t order = 0; order < ORDERS; order++)
    for (size_t i = 0; i < l->sizes; i++) {
      size_t rows = (size_t)gather_bytes(i) / row_bytes;
      TRY(make_list(&l->tables[order][i], rows > 0 ? rows : 1, order == 0, error));
    }
  *limits = l;
  l = NULL;
cleanup:
  gather_limits_close(l);
  return status;
}

void gather_limits_close(GatherLimits *limits) {
  if (limits == NULL) return;
  for (size_t order = 0; order < ORDERS; order++)
    for (size_t i = 0; i < GATHER_SIZES; i++) free(limits->tables[order][i].list);
  free(limits->tasks);
  free(limits->values);
  free(limits);
}

void gather_limits_begin(GatherLimits *limits) {
  for (size_t order = 0; order < ORDERS; order++)
    for (size_t i = 0; i < limits->sizes; i++) limits->tables[order][i].times.count = 0;
}

Status gather_limits_sample(GatherLimits *limits, Error *error) {
  Status status = SETOSA_OK;
  double seconds = 0;
  for (size_t order = 0; order < ORDERS; order++)
    for (size_t i = 0; i < limits->sizes; i++) {
      GatherTable *table = &limits->tables[order][i];
      if (table->loop == NULL) TRY(choose_loop(limits, table, error));
      TRY(run_table(limits, table, &seconds, error));
      samples_add(&table->times, nanoseconds(limits, table, seconds));
    }
cleanup:
  return status;
}

size_t gather_limits_loops(const GatherLimits *limits) { return limits->loop_count; }

double gather_limits_sum(GatherLimits *limits, size_t loop, size_t count) {
  const GatherTable *table = &limits->tables[0][0];
  GatherTask task = {limits->loops[loop], limits->values, table->list, limits->stride, table->length, 0, count, 0};
  run_task(&task);
  return task.result;
}

GatherTimes gather_limits_times(const GatherLimits *limits) {
  GatherTimes times;
  double *const to[ORDERS] = {times.random, times.ordered};
  for (size_t order = 0; order < ORDERS; order++)
    for (size_t i = 0; i < GATHER_SIZES; i++)
      to[order][i] = i < limits->sizes ? samples_median(&limits->tables[order][i].times) : to[order][i - 1];
  return times;
}
