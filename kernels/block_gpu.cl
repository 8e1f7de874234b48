// The two products of the GPU family on a block of rows. A group makes a tile of the result in registers, by fma (block_items.clh) or on tensor cores
// (block_tensor.clh). The next tiles of both factors are on their way in registers while those in local memory, of which there are two of each, are multiplied: one
// barrier a depth.
//   logits_block:    Z (rows, stride) = X W' + b, the columns past `classes` set to `padding`
//   gradient_block:  G (partials, P): partial s (+)= R' X over its rows, and the column sums of R in its last K
// X as storage.clh says; R (rows, stride) is aligned and a number in every column. LOWER_ONLY: of G (K,D) what is above the diagonal need not be
// made. Macros:
//   TILE_ROWS, TILE_CLASSES  rows (of G: features) and classes of a tile, multiples of 4;
//   ITEM_ROWS, ITEM_CLASSES  of these a work-item has at least 4 each; a group has TILE_ROWS / ITEM_ROWS * TILE_CLASSES / ITEM_CLASSES of them, at
//                            most 256;
//   TENSOR                   tensor cores multiply: then this is the part of a warp of 32 work-items, a multiple of 16 and one of 8;
//   FOURS                    1: rows of X and W are whole, aligned vectors of four; 2: those of partials, too; 0: else;
//   SPAN                     rows of G that are added up in one chain (a multiple of DEPTH); the sums of chains are then added in order.
// No macro changes a bit but SPAN and TENSOR.
#include "compiler.clh"
#include "constants.clh"
#include "storage.clh"

#ifndef FOURS
#define FOURS 0
#endif
#ifndef SPAN
#define SPAN GRADIENT_SPAN
#endif
#define Z_DEPTH 16 // features of a tile; four neighbours read 64 bytes of a row
#ifdef TENSOR
#define DEPTH 16 // rows of one of G, whose neighbours read along the rows
#include "block_tensor.clh"
#else
#define DEPTH 8
#include "block_items.clh"
#endif
#include "block_fetch.clh"
#ifdef REGISTERS
#define GROUP // NVIDIA's compiler heeds a bound of registers only for kernels whose group size is open
#else
#define GROUP GROUP_SIZE(ITEMS)
#endif
#define ROWS_TILE(name, size) local float name[2][DEPTH][LINE_FLOATS(size)] __attribute__((aligned(16)))

// Work size: (ceil(rows / TILE_ROWS), ceil(classes / TILE_CLASSES)) groups of (ITEMS, 1).
kernel GROUP void logits_block(global const stored *x, global const float *w, ulong features, uint classes, ulong row_begin,
                               ulong rows, global float *block, uint stride, float padding) {
  FEATURES_TILE(x_tile, TILE_ROWS);
  FEATURES_TILE(w_tile, TILE_CLASSES);
  TILE_SCRATCH
  uint item = (uint)get_local_id(0);
  LOGITS_PLACE
  ulong first_row = (ulong)get_group_id(0) * TILE_ROWS;
  uint first_class = (uint)get_group_id(1) * TILE_CLASSES, feature = item % (Z_DEPTH / 4) * 4, width = (uint)features, next = feature, done = 0;
  // What is past the last row or class is the last one again: it is not stored. A number for each vector, since registers are few.
  uint rows_here = (uint)min(rows - first_row, (ulong)TILE_ROWS), classes_here = min(classes - first_class, (uint)TILE_CLASSES);
  uint x_deltas[Z_X_FETCHES], w_deltas[Z_W_FETCHES];
  global const stored *x_line = x + (row_begin + first_row) * features;
  global const float *w_line = w + first_class * features;
  UNROLL for (int v = 0; v < Z_X_FETCHES; v++) x_deltas[v] = min((item + v * ITEMS) / (Z_DEPTH / 4), rows_here - 1) * width;
  UNROLL for (int v = 0; v < Z_W_FETCHES; v++) w_deltas[v] = min((item + v * ITEMS) / (Z_DEPTH / 4), classes_here - 1) * width;
  float4 xs[Z_X_FETCHES], ws[Z_W_FETCHES];
  UNROLL for (int v = 0; v < Z_X_FETCHES; v++) xs[v] = (float4)(0.0f);
  LOGITS_SUMS
  uint turn = 0;
  FETCH_FEATURES
  do {
    STORE_FEATURES(x_tile[turn], TILE_ROWS, xs)
    STORE_FEATURES(w_tile[turn], TILE_CLASSES, ws)
    barrier(CLK_LOCAL_MEM_FENCE);
    done += Z_DEPTH;
    FETCH_FEATURES
    MULTIPLY_FEATURES
    turn ^= 1;
  } while (done < width);
  global const float *bias = w + classes * features + first_class;
  bool last = first_class + TILE_CLASSES >= classes;
#ifdef TENSOR
  UNROLL for (int j = 0; j < CLASS_PRODUCTS; j++) {
    uint k = warp_class + 8 * j + 2 * t; // a row has both of a pair or none
    float2 biases = (float2)(first_class + k < classes ? bias[k] : padding, first_class + k + 1 < classes ? bias[k + 1] : padding);
    UNROLL for (int h = 0; h < HALVES; h++) {
      ulong r = first_row + warp_row + 8 * h + g;
      float2 pair = (float2)(sums[h / 2][j][h % 2 * 2], sums[h / 2][j][h % 2 * 2 + 1]) + biases;
      if (first_class + k >= classes) pair.s0 = padding;
      if (first_class + k + 1 >= classes) pair.s1 = padding;
      if (r < rows && first_class + k < stride) *(global float2 *)(block + r * stride + first_class + k) = pair;
    }
  }
  if (last)
    for (uint r = item; r < rows_here; r += ITEMS)
      for (uint k = first_class + TILE_CLASSES; k < stride; k++) block[(first_row + r) * stride + k] = padding;
#else
  if (item >= PARTS) return;
  float biases[ITEM_CLASSES];
  UNROLL for (int j = 0; j < ITEM_CLASSES; j++) {
    uint k = PLACE(ITEM_CLASSES, CLASS_ITEMS, column, j);
    biases[j] = first_class + k < classes ? bias[k] : padding;
  }
  UNROLL for (int i = 0; i < ITEM_ROWS; i++) {
    ulong r = first_row + PLACE(ITEM_ROWS, ROW_ITEMS, row, i);
    global float *to = block + r * stride + first_class;
    if (r >= rows) continue;
    UNROLL for (int j = 0; j < ITEM_CLASSES; j++) {
      uint k = first_class + PLACE(ITEM_CLASSES, CLASS_ITEMS, column, j);
      sums[i][j] = k < classes ? sums[i][j] + biases[j] : padding;
    }
    UNROLL for (int j = 0; j + 4 <= ITEM_CLASSES; j += 4) { // a row has all of a vector or none
      uint k = PLACE(ITEM_CLASSES, CLASS_ITEMS, column, j);
      if (first_class + k < stride)
        *(global float4 *)(to + k) = (float4)(sums[i][j], sums[i][j + 1], sums[i][j + 2], sums[i][j + 3]);
    }
    UNROLL for (int j = ITEM_CLASSES / 4 * 4; j < ITEM_CLASSES; j++) {
      uint k = PLACE(ITEM_CLASSES, CLASS_ITEMS, column, j);
      if (first_class + k < stride) to[k] = sums[i][j];
    }
    if (last)
      for (uint k = TILE_CLASSES + column; first_class + k < stride; k += CLASS_ITEMS) to[k] = padding;
  }
#endif
}

// The sum of a chain goes into the partial, or is added to those before it.
#define END_CHAIN                                                                                               \
  global float *partial = partials + (first_partial + part) * (classes * features + classes);                   \
  STORE_GRADIENT                                                                                                \
  UNROLL for (int b = 0; b < BIASES; b++) {                                                                     \
    uint k = first_class + item + b * ITEMS;                                                                    \
    global float *to = partial + classes * features + k;                                                        \
    if (sums_bias && item + b * ITEMS < TILE_CLASSES && k < classes) *to = holds ? *to + biases[b] : biases[b]; \
  }                                                                                                            
#define BIASES ((TILE_CLASSES + ITEMS - 1) / ITEMS) // classes of a work-item

// Partials of part_rows rows each, as if rows had begun `offset` rows (a multiple of SPAN, less than part_rows) earlier: partials begin with
// first_partial, of which the first holds the sum of those rows if there are any. Work size: (ceil(features / TILE_ROWS),
// ceil(classes / TILE_CLASSES), ceil((offset + rows) / part_rows)) groups of (ITEMS, 1, 1).
kernel GROUP void gradient_block(global const stored *x, global const float *r, ulong features, uint classes, ulong row_begin,
                                 ulong rows, uint stride, global float *partials, uint first_partial, ulong part_rows, ulong offset) {
  ROWS_TILE(x_tile, TILE_ROWS);
  ROWS_TILE(r_tile, TILE_CLASSES);
  TILE_SCRATCH
#ifdef LOWER_ONLY
  if ((uint)get_group_id(1) * TILE_CLASSES + TILE_CLASSES <= (uint)get_group_id(0) * TILE_ROWS) return; // the whole group
#endif
  uint done = 0, all;
  do { // a chain; on tensor cores all chains, since there registers are left for what they share
    // The sum of a chain goes into the partial, where those before it are: there are no registers for both. Nor are there any for what a compiler
    // would carry from chain to chain: so it shall not know that zero is one.
    uint zero = done >> 31, item = (uint)get_local_id(0) + zero;
    GRADIENT_PLACE
    uint first_feature = ((uint)get_group_id(0) + zero) * TILE_ROWS, first_class = ((uint)get_group_id(1) + zero) * TILE_CLASSES;
    uint width = (uint)features + zero;
    ulong part = get_group_id(2) + zero, row_first = part > 0 ? part * part_rows - offset : 0;
    all = (uint)(min(rows, (part + 1) * part_rows - offset) - row_first);
    row_first += done;
#ifdef TENSOR
    uint count = all;
#else
    uint count = min(all - done, (uint)SPAN);
#endif
    bool holds = done > 0 || (part == 0 && offset > 0), sums_bias = first_feature == 0;
    ulong x_step = DEPTH * features, r_step = (ulong)DEPTH * stride;
    // Ends in place of a line for each vector, since registers are few.
    global const stored *x_end = x + (row_begin + row_first + count) * features;
    global const float *r_end = r + (row_first + count) * stride;
    // What is past the last feature or class is the last one again: it is not stored.
    global const stored *x_at[X_FETCHES];
    global const float *r_at[R_FETCHES];
#if !FOURS
    uint x_columns[X_FETCHES][4];
#endif
    UNROLL for (int v = 0; v < X_FETCHES; v++) {
      uint d = first_feature + X_COLUMN(v);
      x_at[v] = x + (row_begin + row_first + X_LINE(v)) * features;
#if FOURS
      x_at[v] += min(d, width - 4);
#else
      UNROLL for (int i = 0; i < 4; i++) x_columns[v][i] = min(d + i, width - 1);
#endif
    }
    UNROLL for (int v = 0; v < R_FETCHES; v++) r_at[v] = r + (row_first + R_LINE(v)) * stride + min(first_class + R_COLUMN(v), stride - 4);
    float4 xs[X_FETCHES], rs[R_FETCHES];
    UNROLL for (int v = 0; v < X_FETCHES; v++) xs[v] = (float4)(0.0f);
    float biases[BIASES];
    GRADIENT_SUMS
    GRADIENT_CLEAR
    uint turn = 0, summed = 0;
    FETCH_ROWS
    do {
      STORE_LINES(x_tile[turn], TILE_ROWS, xs, X_LINE, X_COLUMN)
      STORE_LINES(r_tile[turn], TILE_CLASSES, rs, R_LINE, R_COLUMN)
      barrier(CLK_LOCAL_MEM_FENCE);
      summed += DEPTH;
      FETCH_ROWS
      MULTIPLY_ROWS
      if (sums_bias) {
        UNROLL for (int b = 0; b < BIASES; b++)
          if (item + b * ITEMS < TILE_CLASSES) {
            UNROLL for (int e = 0; e < DEPTH; e++) biases[b] += r_tile[turn][e][item + b * ITEMS];
          }
      }
      turn ^= 1;
#ifdef TENSOR
      if (summed % SPAN == 0 || summed >= count) {
        END_CHAIN
        GRADIENT_CLEAR
        holds = true;
      }
    } while (summed < count);
    done = all;
#else
    } while (summed < count);
    END_CHAIN
    done += SPAN; // an even number of tiles: the next chain begins with the first of two again
#endif
  } while (done < all);
}
