// The two products of the GPU family on a block of rows: tiles in local memory, coalesced loads, a rectangle of registers for each
// work-item. Work-groups of 16 x 16.
//   logits_block:    Z (rows, stride) = X W' + b, the columns past `classes` set to `padding`
//   gradient_block:  partial s of G (partials, P) (+)= R' X over its share of the rows, and the column sums of R in its last K
// X as storage.clh says. LOWER_ONLY: of G (K,D) what is above the diagonal need not be made. Macros: TILE_CLASSES classes of a tile: 16, 32 or 64 (the host takes the smallest that holds K, else 64).
#include "constants.clh"
#include "storage.clh"

#ifndef TILE_CLASSES
#define TILE_CLASSES 64
#endif
#define SIDE GPU_SIDE
#define TILE_ROWS GPU_TILE
#define DEPTH 16            // features (Z) or rows (G) held in local memory at a time
#define GRADIENT_SPAN 256 // rows added in one chain, a multiple of DEPTH
#define PER_ROW (TILE_ROWS / SIDE)
#define PER_CLASS (TILE_CLASSES / SIDE)

// Work size: (ceil(rows / 64), ceil(classes / TILE_CLASSES)) groups of (16, 16).
kernel __attribute__((reqd_work_group_size(SIDE, SIDE, 1))) void logits_block(global const stored *x, global const float *w, ulong features,
                                                                               uint classes, ulong row_begin, ulong rows,
                                                                               global float *block, uint stride, float padding) {
  local float x_tile[DEPTH][TILE_ROWS + 1], w_tile[DEPTH][TILE_CLASSES + 1]; // + 1: columns in different banks
  uint column = (uint)get_local_id(0), line = (uint)get_local_id(1);
  ulong first_row = (ulong)get_group_id(0) * TILE_ROWS;
  uint first_class = (uint)get_group_id(1) * TILE_CLASSES;
  float sums[PER_ROW][PER_CLASS];
  for (int i = 0; i < PER_ROW; i++)
    for (int j = 0; j < PER_CLASS; j++) sums[i][j] = 0.0f;
  ulong depth = 0;
  do {
    ulong d = depth + column; // neighbours read neighbouring features
    for (int i = 0; i < PER_ROW; i++) {
      ulong row = first_row + line + i * SIDE;
      x_tile[column][line + i * SIDE] = row < rows && d < features ? x_load(x, (row_begin + row) * features + d) : 0.0f;
    }
    for (int j = 0; j < PER_CLASS; j++) {
      uint k = first_class + line + j * SIDE;
      w_tile[column][line + j * SIDE] = k < classes && d < features ? w[(ulong)k * features + d] : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int e = 0; e < DEPTH; e++) {
      float weights[PER_CLASS];
      for (int j = 0; j < PER_CLASS; j++) weights[j] = w_tile[e][column + j * SIDE];
      for (int i = 0; i < PER_ROW; i++) {
        float value = x_tile[e][line + i * SIDE];
        for (int j = 0; j < PER_CLASS; j++) sums[i][j] = fma(value, weights[j], sums[i][j]);
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE); // before the tiles are overwritten
    depth += DEPTH;
  } while (depth < features);
  for (int i = 0; i < PER_ROW; i++) {
    ulong row = first_row + line + i * SIDE;
    if (row >= rows) continue;
    for (int j = 0; j < PER_CLASS; j++) {
      uint k = first_class + column + j * SIDE;
      if (k < classes) block[row * stride + k] = sums[i][j] + w[(ulong)classes * features + k];
    }
    if (first_class + TILE_CLASSES >= classes)
      for (uint k = classes + column; k < stride; k += SIDE) block[row * stride + k] = padding;
  }
}

// partials (.., P): those from first_partial on share the rows. Work size: (ceil(features / 64), ceil(classes / TILE_CLASSES),
// partials) groups of (16, 16, 1).
kernel __attribute__((reqd_work_group_size(SIDE, SIDE, 1))) void gradient_block(global const stored *x, global const float *r, ulong features,
                                                                                 uint classes, ulong row_begin, ulong rows, uint stride,
                                                                                 global float *partials, uint first_partial, uint add) {
  local float x_tile[DEPTH][TILE_ROWS], r_tile[DEPTH][TILE_CLASSES];
  uint column = (uint)get_local_id(0), line = (uint)get_local_id(1);
  ulong first_feature = (ulong)get_group_id(0) * TILE_ROWS;
  uint first_class = (uint)get_group_id(1) * TILE_CLASSES;
#ifdef LOWER_ONLY
  if (first_class + TILE_CLASSES <= first_feature) return; // the whole group
#endif
  ulong part = get_group_id(2), parts = get_num_groups(2);
  ulong row_first = rows * part / parts, row_last = rows * (part + 1) / parts;
  global float *partial = partials + (first_partial + part) * ((ulong)classes * features + classes);
  float sums[PER_CLASS][PER_ROW], spans[PER_CLASS][PER_ROW]; // spans: of GRADIENT_SPAN rows each, so that no chain of additions is long
  for (int j = 0; j < PER_CLASS; j++)
    for (int i = 0; i < PER_ROW; i++) sums[j][i] = spans[j][i] = 0.0f;
  ulong depth = row_first;
  do {
    ulong row = depth + line;
    for (int i = 0; i < PER_ROW; i++) {
      ulong d = first_feature + column + i * SIDE;
      x_tile[line][column + i * SIDE] = row < row_last && d < features ? x_load(x, (row_begin + row) * features + d) : 0.0f;
    }
    for (int j = 0; j < PER_CLASS; j++) {
      uint k = first_class + column + j * SIDE;
      r_tile[line][column + j * SIDE] = row < row_last && k < classes ? r[row * stride + k] : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int e = 0; e < DEPTH; e++) {
      float values[PER_ROW];
      for (int i = 0; i < PER_ROW; i++) values[i] = x_tile[e][column + i * SIDE];
      for (int j = 0; j < PER_CLASS; j++) {
        float factor = r_tile[e][line + j * SIDE];
        for (int i = 0; i < PER_ROW; i++) sums[j][i] = fma(factor, values[i], sums[j][i]);
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE); // before the tiles are overwritten
    depth += DEPTH;
    if ((depth - row_first) % GRADIENT_SPAN == 0 || depth >= row_last)
      for (int j = 0; j < PER_CLASS; j++)
        for (int i = 0; i < PER_ROW; i++) {
          spans[j][i] += sums[j][i];
          sums[j][i] = 0.0f;
        }
  } while (depth < row_last);
  for (int j = 0; j < PER_CLASS; j++) {
    uint k = first_class + line + j * SIDE;
    for (int i = 0; i < PER_ROW; i++) {
      ulong d = first_feature + column + i * SIDE;
      if (k < classes && d < features) {
        global float *to = partial + (ulong)k * features + d;
        *to = add ? *to + spans[j][i] : spans[j][i];
      }
    }
  }
  uint k = first_class + line * SIDE + column; // 256 work-items cover at most 64 classes
  if (first_feature == 0 && line * SIDE + column < TILE_CLASSES && k < classes) {
    global float *to = partial + (ulong)classes * features + k;
    float sum = add ? *to : 0.0f;
    for (ulong row = row_first; row < row_last;) {
      float span = 0.0f;
      for (ulong end = min(row + GRADIENT_SPAN, row_last); row < end; row++) span += r[row * stride + k];
      sum += span;
    }
    *to = sum;
  }
}
