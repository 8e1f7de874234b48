// Z (rows, stride) = X W' + b with compensated sums, the columns past `classes` set to -INFINITY: logits good to their last bit, for predictions, where
// the rounding of a plain sum shows in the sixth digit of a probability. x (.., features), w (P). Work size: groups x TEAM, no more groups than rows;
// each group has a contiguous share of the rows, on the GPU family of tiles of rows, which may be none. Macros: those of team.clh and storage.clh.
#include "compensated.clh"
#include "compiler.clh"
#include "storage.clh"
#include "team.clh"

#if TEAM == 1
kernel void accurate_logits(global const stored *x, global const float *w, ulong features, uint classes, ulong row_begin, ulong rows,
                            global float *block, uint stride) {
  SHARE_ROWS(rows);
  for (ulong i = row_first; i < row_last; i++) {
    global const stored *row = x + (row_begin + i) * features;
    for (uint k = 0; k < stride; k++) {
      float logit = -INFINITY;
      if (k < classes) {
        global const float *weights = w + k * features;
        float8 high8 = 0.0f, low8 = 0.0f;
        ulong d = 0;
        for (; d + 8 <= features; d += 8) accumulate_product8(&high8, &low8, x_load8(row, d), vload8(0, weights + d));
        float2 pair = accumulated_lanes(high8, low8);
        float high = pair.x, low = pair.y;
        for (; d < features; d++) accumulate_product(&high, &low, x_load(row, d), weights[d]);
        accumulate(&high, &low, w[(ulong)classes * features + k]);
        logit = high + low;
      }
      block[i * stride + k] = logit;
    }
  }
}
#else

#define ACCURATE_DEPTH 16   // features of a tile in local memory
#define ACCURATE_CLASSES 16 // of a tile at most
#define ACCURATE_ROWS 64    // and at most so many rows
#define ACCURATE_LINE (ACCURATE_DEPTH + 1)

// A work-item has one logit of a tile: of few classes there are more rows in it.
__attribute__((reqd_work_group_size(TEAM, 1, 1))) kernel void accurate_logits(global const stored *x, global const float *w, ulong features,
                                                                               uint classes, ulong row_begin, ulong rows, global float *block,
                                                                               uint stride) {
  local float x_tile[ACCURATE_ROWS * ACCURATE_LINE], w_tile[ACCURATE_CLASSES * ACCURATE_LINE];
  uint columns = classes <= 4 ? 4 : classes <= 8 ? 8 : ACCURATE_CLASSES, tile_rows = TEAM / columns;
  uint column = TEAM_ITEM % columns, line = TEAM_ITEM / columns;
  ulong tiles = (rows + tile_rows - 1) / tile_rows;
  ulong tile = tiles * get_group_id(0) / get_num_groups(0), last = tiles * (get_group_id(0) + 1) / get_num_groups(0);
  do {
    ulong first = tile * tile_rows, end = tile < last ? min(first + tile_rows, rows) : first;
    uint first_class = 0;
    do {
      float high = 0.0f, low = 0.0f;
      ulong depth = 0;
      do {
        for (uint e = TEAM_ITEM; e < tile_rows * ACCURATE_DEPTH; e += TEAM) { // neighbours read neighbouring features
          uint i = e / ACCURATE_DEPTH, d = e % ACCURATE_DEPTH;
          bool there = first + i < end && depth + d < features;
          x_tile[i * ACCURATE_LINE + d] = there ? x_load(x, (row_begin + first + i) * features + depth + d) : 0.0f;
        }
        if (TEAM_ITEM < columns * ACCURATE_DEPTH) {
          uint j = TEAM_ITEM / ACCURATE_DEPTH, d = TEAM_ITEM % ACCURATE_DEPTH;
          bool there = first_class + j < classes && depth + d < features;
          w_tile[j * ACCURATE_LINE + d] = there ? w[(ulong)(first_class + j) * features + depth + d] : 0.0f;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        UNROLL for (uint d = 0; d < ACCURATE_DEPTH; d++)
          accumulate_product(&high, &low, x_tile[line * ACCURATE_LINE + d], w_tile[column * ACCURATE_LINE + d]);
        barrier(CLK_LOCAL_MEM_FENCE); // before the tiles are overwritten
        depth += ACCURATE_DEPTH;
      } while (depth < features);
      uint k = first_class + column;
      if (first + line < end && k < stride) {
        float logit = -INFINITY;
        if (k < classes) {
          accumulate(&high, &low, w[(ulong)classes * features + k]);
          logit = high + low;
        }
        block[(first + line) * stride + k] = logit;
      }
      first_class += columns;
    } while (first_class < stride);
  } while (++tile < last);
}
#endif
