/* Tables of growing size, and samples of what it takes to read their rows, at random and in order. */
#include "bench/limits_gather.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/processors.h"
#include "base/random.h"
#include "bench/gather_loops.h"
#include "bench/statistics.h"
#include "bench/threads.h"

enum {
  LEAST_LIST = 1 << 16, /* numbers of rows: so many at least, that no predictor of a processor learns them, */
  MOST_LIST = 1 << 21   /* and so many at most: the lines of so many rows fit no cache */
};
static const double sample_seconds = 0.002;

enum { ORDERS = 2, TRIALS = 3 };

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
  GatherLoop *loops[GATHER_LOOPS];
  GatherTask *tasks; /* (threads) */
};

static size_t tile_of(size_t classes) {
  size_t tiles = (classes + GATHER_TILE - 1) / GATHER_TILE, tile = (classes + tiles - 1) / tiles;
  return tile <= 2 ? 2 : (tile + 3) / 4 * 4;
}

size_t gather_stride(size_t classes) { return (classes + GATHER_TILE - 1) / GATHER_TILE * tile_of(classes); }

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
    size_t begin = (table->next + table->length / l->threads * t) / GATHER_RUN * GATHER_RUN % table->length;
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
  size_t fastest = 0, count = GATHER_RUN;
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
  table->length = (most < LEAST_LIST ? LEAST_LIST : most < MOST_LIST ? most : MOST_LIST) / GATHER_RUN * GATHER_RUN;
  TRY(memory_allocate((void **)&table->list, table->length + GATHER_AHEAD, sizeof *table->list, "numbers of rows", error));
  for (size_t i = 0; i < table->length; i++) {
    if (at_random && i % 4 == 0) random_words(0, RANDOM_STREAM_CHECK, rows, i, words);
    table->list[i] = at_random ? (uint32_t)((uint64_t)words[i % 4] * rows >> 32) : (uint32_t)(i % rows);
  }
  memcpy(table->list + table->length, table->list, GATHER_AHEAD * sizeof *table->list);
cleanup:
  return status;
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
  l->loop_count = gather_loops_find(l->loops, tile_of(classes));
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
  GatherTimes times = {{0}, {0}};
  double *const to[ORDERS] = {times.random, times.ordered};
  for (size_t order = 0; order < ORDERS; order++)
    for (size_t i = 0; i < GATHER_SIZES; i++)
      to[order][i] = i < limits->sizes ? samples_median(&limits->tables[order][i].times) : i > 0 ? to[order][i - 1] : 0;
  return times;
}
