/* The loops of limits_gather.c, and which of them this processor has. */
#ifndef SETOSA_BENCH_GATHER_LOOPS_H
#define SETOSA_BENCH_GATHER_LOOPS_H

#include <stddef.h>
#include <stdint.h>

enum {
  GATHER_TILE = 64,  /* floats of a row that are summed at a time, at most: more do not fit the registers */
  GATHER_RUN = 64,   /* rows that are summed into one, as the entries of a row of X are */
  GATHER_AHEAD = 16, /* a row is asked for so many before it is needed */
  GATHER_LOOPS = 4   /* to choose among, at most */
};

typedef struct GatherTask GatherTask;
typedef void GatherLoop(GatherTask *task);

/* What one thread does: `count` numbers of a list from `begin` on, which is read as a ring. begin, count and length are multiples of
 * GATHER_RUN.
 */
struct GatherTask {
  GatherLoop *loop;
  const float *table;
  const uint32_t *list; /* (length), and the first GATHER_AHEAD of them again */
  size_t stride, length, begin, count;
  float result; /* written, so that no compiler may drop the work */
};

/* Of tiles of so many floats, 2 or a multiple of 4: how many there are. */
size_t gather_loops_find(GatherLoop *loops[GATHER_LOOPS], size_t tile);

#endif
