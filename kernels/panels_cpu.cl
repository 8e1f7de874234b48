// Logits of the CPU family for a moderate number of classes: Z = X W' + b in strips (strip.clh), from W in panels (panel.clh). Against
// logits_strips, what is turned is the result (N K) instead of X (N D), and X is copied as it lies, which costs a quarter of turning it.
#include "storage.clh"
#include "panel.clh"
#include "pieces.clh"
#include "turn.clh"

#ifndef PANEL_DEPTH
#define PANEL_DEPTH 256 // features at a time, a multiple of 16: a panel of them lies in the first-level cache
#endif
#ifndef PANEL_STRIPS
#define PANEL_STRIPS 3 // strips of rows at a time, which share it
#endif
#define COPY_STRIDE (PANEL_DEPTH + 16) // rows that lie 4096 bytes apart would all fall into one set of the first-level cache
#define COPY_ROWS (PANEL_STRIPS * STRIP)

DEFINE_PANEL_TILE(panel_tile, const float *, load_float, global float *, PANEL_ROWS, float16, vload16, vstore16)
DEFINE_PANEL_TILE(panel_tile_rest, const float *, load_float, float *, PANEL_ROWS, float16, vload16, vstore16)
DEFINE_PANEL_TILE(panel_tile_half, const float *, load_float, float *, 8, float8, vload8, vstore8)
DEFINE_TURN_EIGHT(turn_weights, global const float *, load_eight, global float *)
DEFINE_TURN_EIGHT(turn_block, global const float *, load_eight, float *)
DEFINE_TURN_EIGHT(turn_rest, const float *, load_eight, float *)

// panels: of w (P). Work size: panels x 1.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void pack_panels(global const float *w, ulong features, uint classes,
                                                                        global float *panels) {
  uint panel = (uint)get_group_id(0), first = 16 * panel, width = panel_width(panel, classes), valid = min(width, classes - first);
  global const float *from = w + first * features, *bias = w + classes * features + first;
  global float *to = panels + (features + 1) * first;
  ulong d = 0;
  if (valid == width)
    for (; d + 8 <= features; d += 8)
      for (uint k = 0; k < width; k += 8) turn_weights(from + k * features + d, features, to + d * width + k, width);
  for (; d <= features; d++)
    for (uint k = 0; k < width; k++) to[d * width + k] = k >= valid ? 0.0f : d < features ? from[k * features + d] : bias[k];
}

// to[i * COPY_STRIDE + d] = x[i][d] for rows i in [begin, end) and d < width; rows past the last are 0.
OUT_OF_LINE void copy_rows(global const stored *x, ulong features, uint rows, uint begin, uint end, uint width, float *to) {
  for (uint i = begin; i < end; i++) {
    uint d = 0;
    if (i < rows)
      for (; d + 16 <= width; d += 16) vstore16(x_load16(x, i * features + d), 0, to + i * COPY_STRIDE + d);
    for (; d < width; d++) to[i * COPY_STRIDE + d] = i < rows ? x_load(x, i * features + d) : 0.0f;
  }
}

// z[k * 16 + i] = z[i * 16 + k], i, k < 16.
OUT_OF_LINE void turn_in_place(global float *z) {
  float turned[STRIP * 16] __attribute__((aligned(64)));
  for (uint k = 0; k < 16; k += 8)
    for (uint i = 0; i < STRIP; i += 8) turn_block(z + i * 16 + k, 16, turned + k * STRIP + i, STRIP);
  for (uint k = 0; k < 16; k++) vstore16(vload16(k, turned), k, z);
}
// z[k * 16 + i] = rest[i * 16 + k], k < classes.
OUT_OF_LINE void turn_rows(const float *rest, uint classes, global float *z) {
  float turned[STRIP * 16] __attribute__((aligned(64)));
  for (uint k = 0; k < classes; k += 8)
    for (uint i = 0; i < STRIP; i += 8) turn_rest(rest + i * 16 + k, 16, turned + k * STRIP + i, STRIP);
  for (uint k = 0; k < classes; k++) vstore16(vload16(k, turned), k, z);
}

// Rows [row_begin, row_begin + rows) of the kernel below: piece number `piece` of `pieces`, a contiguous run of triples of strips.
static inline void panels_piece(global const stored *x, global const float *panels, ulong features, uint classes, ulong row_begin, ulong rows,
                                global float *block, ulong block_row, uint piece, uint pieces) {
  ulong strips = (rows + STRIP - 1) / STRIP, runs = (strips + PANEL_STRIPS - 1) / PANEL_STRIPS;
  ulong first_strip = runs * piece / pieces * PANEL_STRIPS, last_strip = min(runs * (piece + 1) / pieces * PANEL_STRIPS, strips);
  uint count = panel_count(classes), turn = 0;
  float copied[2][COPY_ROWS * COPY_STRIDE] __attribute__((aligned(64)));
  float rest[COPY_ROWS * 16] __attribute__((aligned(64))); // of the last panel, when it has less than 16 classes
  x += row_begin * features;
  block += block_row * classes;
  copy_rows(x + first_strip * STRIP * features, features, (uint)min((ulong)COPY_ROWS, rows - first_strip * STRIP), 0, COPY_ROWS,
            (uint)min((ulong)PANEL_DEPTH, features), copied[0]);
  for (ulong strip = first_strip; strip < last_strip; strip += PANEL_STRIPS) {
    uint now = (uint)min((ulong)PANEL_STRIPS, last_strip - strip);
    global float *z = block + strip * STRIP * classes;
    for (ulong depth = 0; depth < features; depth += PANEL_DEPTH, turn ^= 1) {
      uint width = (uint)min((ulong)PANEL_DEPTH, features - depth);
      // What comes next: more features of these rows, or the next rows. A part of it is asked for in a tile, and copied after the next one.
      bool last = depth + width >= features;
      ulong next_depth = last ? 0 : depth + width, next_row = (strip + (last ? PANEL_STRIPS : 0)) * STRIP;
      uint next_rows = (uint)min((ulong)COPY_ROWS, rows - min(next_row, rows));
      uint next_width = (uint)min((ulong)PANEL_DEPTH, features - next_depth);
      global const stored *next = x + next_row * features + next_depth;
      for (uint panel = 0; panel < count; panel++) {
        uint begin = COPY_ROWS * panel / count, end = COPY_ROWS * (panel + 1) / count, k = 16 * panel;
        uint ahead = COPY_ROWS * (panel + 1) / count, ahead_end = COPY_ROWS * (panel + 2) / count;
        uint panel_lanes = panel_width(panel, classes);
        global const float *weights = panels + (features + 1) * k, *start = depth == 0 ? weights + features * panel_lanes : 0;
        global const stored *ahead_x = next + ahead * features;
        if (classes - k >= 16)
          panel_tile(copied[turn], COPY_STRIDE, now * STRIP, weights + depth * 16, width, start, z + k * STRIP, STRIP * classes, ahead_x, features, ahead_end - ahead);
        else if (panel_lanes == 16)
          panel_tile_rest(copied[turn], COPY_STRIDE, now * STRIP, weights + depth * 16, width, start, rest, STRIP * 16, ahead_x, features, ahead_end - ahead);
        else
          panel_tile_half(copied[turn], COPY_STRIDE, now * STRIP, weights + depth * 8, width, start, rest, STRIP * 16, ahead_x, features, ahead_end - ahead);
        if (last)
          for (uint s = 0; s < now; s++) {
            global float *tile = z + (s * classes + k) * STRIP;
            if (classes - k >= 16)
              turn_in_place(tile);
            else
              turn_rows(rest + s * STRIP * 16, classes - k, tile);
          }
        if (!last || strip + PANEL_STRIPS < last_strip)
          copy_rows(next, features, next_rows, begin, end, next_width, copied[turn ^ 1]);
      }
    }
  }
}

// block: strips, those of rows [row_begin, row_begin + rows) from row block_row (a multiple of 16) on. x from its first row. While features are
// added up, a tile lies in its place as rows of classes. Work size: (any groups) x 1; at most a piece for three strips.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void logits_panels(global const stored *x, global const float *panels, ulong features,
                                                                          uint classes, ulong row_begin, ulong rows, global float *block,
                                                                          ulong block_row, uint pieces, volatile global uint *taken) {
  FOR_PIECES(piece, pieces, taken) panels_piece(x, panels, features, classes, row_begin, rows, block, block_row, piece, pieces);
  end_pieces(taken);
}
