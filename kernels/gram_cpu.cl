// Gram matrices on the CPU family: sum over rows i of w_i v_i v_i' for one or several sets of weights w, and their diagonals.
// A panel holds the rows v_i as strips of columns, (padded / 16, rows, 16); padded: the columns, with zeros up to a multiple of GRAM_COLUMNS.
//   gram_tiles:         sums (matrices, padded, padded), what is above the diagonal by more than a tile is left as it was
//   weighted_squares:   squares (matrices, padded), the diagonals
// Sums are plain f32 over GRAM_ROWS rows, and those are added up. Macros: LANES (lanes.clh).
#include "constants.clh"
#include "items.clh"
#include "lanes.clh"
#include "prefetch.clh"

// A register tile: lines x 16 columns x strips. It asks for fewer loads than there are multiply-adds, of as many registers as there are.
#define TILE_LINES (LANES / 2)
#define TILE_STRIPS (LANES / 8)
#define TILE_COLUMNS (TILE_STRIPS * STRIP)

// to (TILE_LINES lines, `stride` apart) (+)= sum over i < rows of a[16 i + line] b[i][column]. b: strips, GRAM_ROWS long. As many lines of memory
// from `ahead` on are prefetched, which the next tile reads.
OUT_OF_LINE void add_tile(global const float *a, global const float *ahead, const float *b, uint rows, global float *to, ulong stride, uint add) {
  float16 sums[TILE_LINES * TILE_STRIPS];
  UNROLL for (int s = 0; s < TILE_LINES * TILE_STRIPS; s++) sums[s] = 0.0f;
  for (uint i = 0; i < rows; i++, a += STRIP, ahead += STRIP, b += STRIP) {
    prefetch_line(ahead);
    float16 v[TILE_STRIPS];
    UNROLL for (int c = 0; c < TILE_STRIPS; c++) v[c] = vload16(c * GRAM_ROWS, b);
    UNROLL for (int j = 0; j < TILE_LINES; j++)
      UNROLL for (int c = 0; c < TILE_STRIPS; c++) sums[j * TILE_STRIPS + c] = fma((float16)(a[j]), v[c], sums[j * TILE_STRIPS + c]);
  }
  UNROLL for (int j = 0; j < TILE_LINES; j++)
    UNROLL for (int c = 0; c < TILE_STRIPS; c++) {
      float16 sum = sums[j * TILE_STRIPS + c];
      vstore16(add ? sum + vload16(c, to + j * stride) : sum, c, to + j * stride);
    }
}

// Columns [column, column + TILE_COLUMNS) of lines [begin, end).
static inline void gram_item(global const float *panel, global const float *weights, uint rows, ulong padded, ulong column, ulong begin, ulong end,
                             global float *sums) {
  float scaled[TILE_COLUMNS * GRAM_ROWS] __attribute__((aligned(64)));
  if (begin >= end) return; // all above the diagonal
  for (uint first = 0; first < rows; first += GRAM_ROWS) {
    uint count = min(rows - first, (uint)GRAM_ROWS);
    for (int c = 0; c < TILE_STRIPS; c++) {
      global const float *from = panel + ((column + c * STRIP) * rows + (ulong)first * STRIP);
      for (uint i = 0; i < count; i++) vstore16(vload16(i, from) * weights[first + i], c * GRAM_ROWS + i, scaled);
    }
    for (ulong line = begin; line < end; line += TILE_LINES) {
      global const float *now = panel + (line / STRIP * rows + first) * STRIP;
      add_tile(now + line % STRIP, line + STRIP < end ? now + (ulong)rows * STRIP : now, scaled, count, sums + line * padded + column, padded, first > 0);
    }
  }
}

// weights (matrices, rows). Work size: (any groups) x 1; matrices x column tiles x ranges of GRAM_LINES lines are the items.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void gram_tiles(global const float *panel, global const float *weights, uint rows,
                                                                       ulong padded, uint matrices, global float *sums,
                                                                       volatile global uint *counter) {
  uint columns = (uint)(padded / TILE_COLUMNS), ranges = (uint)((padded + GRAM_LINES - 1) / GRAM_LINES);
  FOR_ITEMS(item, matrices * columns * ranges, counter) {
    ulong m = item / (columns * ranges), column = item / ranges % columns * (ulong)TILE_COLUMNS, line = item % ranges * (ulong)GRAM_LINES;
    gram_item(panel, weights + m * rows, rows, padded, column, max(line, column), min(line + GRAM_LINES, padded), sums + m * padded * padded);
  }
  end_items(counter);
}

// Matrices that share the squares of a row.
#define SQUARES_TILE (LANES == 16 ? 12 : 6)

// Squares of 16 columns of `count` rows for `valid` <= SQUARES_TILE matrices, whose weights are `stride` apart: to (matrices, padded) (+)= them.
OUT_OF_LINE void add_squares(global const float *strip, global const float *weights, uint stride, uint count, uint valid, global float *to,
                             ulong padded, uint add) {
  float16 sums[SQUARES_TILE];
  global const float *weight[SQUARES_TILE];
  UNROLL for (uint j = 0; j < SQUARES_TILE; j++) {
    sums[j] = 0.0f;
    weight[j] = weights + min(j, valid - 1) * (ulong)stride;
  }
  for (uint i = 0; i < count; i++) {
    float16 value = vload16(i, strip);
    value *= value;
    UNROLL for (uint j = 0; j < SQUARES_TILE; j++) sums[j] = fma((float16)(weight[j][i]), value, sums[j]);
  }
  for (uint j = 0; j < valid; j++) vstore16(add ? sums[j] + vload16(0, to + j * padded) : sums[j], 0, to + j * padded);
}

// Work size: (padded / 16, ceil(matrices / SQUARES_MATRICES)) groups of 1. Rows stay in the cache for all matrices of a group.
kernel void weighted_squares(global const float *panel, global const float *weights, ulong padded, uint rows, uint matrices,
                             global float *squares) {
  ulong column = get_group_id(0) * STRIP;
  uint from = (uint)get_group_id(1) * SQUARES_MATRICES, to = min(from + SQUARES_MATRICES, matrices);
  for (uint first = 0; first < rows; first += GRAM_ROWS)
    for (uint m = from; m < to; m += SQUARES_TILE)
      add_squares(panel + (column * rows + (ulong)first * STRIP), weights + (ulong)m * rows + first, rows, min(rows - first, (uint)GRAM_ROWS),
                  min(to - m, (uint)SQUARES_TILE), squares + m * padded + column, padded, first > 0);
}
