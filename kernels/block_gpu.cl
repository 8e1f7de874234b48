// The two products of the GPU family on a block of rows. A group makes a tile of the result, each work-item a rectangle of it in registers. The
// next tiles of both factors are on their way in registers while those in local memory, of which there are two of each, are multiplied: one
// barrier a depth.
//   logits_block:    Z (rows, stride) = X W' + b, the columns past `classes` set to `padding`
//   gradient_block:  G (partials, P): partial s (+)= R' X over its rows, and the column sums of R in its last K
// X as storage.clh says; R (rows, stride) is aligned and a number in every column. LOWER_ONLY: of G (K,D) what is above the diagonal need not be
// made. Macros:
//   TILE_ROWS, TILE_CLASSES  rows (of G: features) and classes of a tile, multiples of 4;
//   ITEM_ROWS, ITEM_CLASSES  those of a work-item, at least 4; a group has TILE_ROWS / ITEM_ROWS * TILE_CLASSES / ITEM_CLASSES work-items, at most 256;
//   FOURS                    1: rows of X and W are whole, aligned vectors of four; 2: those of partials, too; 0: else;
//   SPAN                     rows of G that are added up in one chain (a multiple of DEPTH); the sums of chains are then added in order.
// No macro changes a bit but SPAN.
#include "compiler.clh"
#include "constants.clh"
#include "storage.clh"

#ifndef TILE_ROWS
#define TILE_ROWS 64
#define TILE_CLASSES 64
#define ITEM_ROWS 4
#define ITEM_CLASSES 4
#endif
#ifndef FOURS
#define FOURS 0
#endif
#ifndef SPAN
#define SPAN GRADIENT_SPAN
#endif
#define Z_DEPTH 16 // features of a tile; four neighbours read 64 bytes of a row
#define DEPTH 8    // rows of one of G, whose neighbours read along the rows
#define ROW_ITEMS (TILE_ROWS / ITEM_ROWS)
#define CLASS_ITEMS (TILE_CLASSES / ITEM_CLASSES)
#define PARTS (ROW_ITEMS * CLASS_ITEMS)
#define ITEMS ((PARTS + 31) / 32 * 32) // those past the last part help to fetch
#define GROUP __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
// Floats of a line of a tile in local memory: of every fourth line the banks are half of them further on, so that a transposed vector of four
// is written without conflicts.
#define LINE_FLOATS(size) (((size) + 7) / 8 * 8 + 4)
#define TILE(name, size, depth) local float name[2][depth][LINE_FLOATS(size)] __attribute__((aligned(16)))
// Vectors of four of a tile that a work-item fetches.
#define FETCHES(size, depth) (((size) * (depth) / 4 + ITEMS - 1) / ITEMS)
#define FETCHES_HERE(size, depth, number) ((size) * (depth) / 4 % ITEMS == 0 || (number) < (size) * (depth) / 4)

// Work-item `at` of `items` along a side of the tile, of which it has `size` numbers: vectors of four, neighbours next to each other, then a pair,
// then one. Where number j of them lies:
#define PLACE(size, items, at, j)                                                  \
  ((uint)((j) < (size) / 4 * 4   ? (j) / 4 * 4 * (items) + 4 * (int)(at) + (j) % 4 \
          : (j) < (size) / 2 * 2 ? (size) / 4 * 4 * (items) + 2 * (int)(at) + (j) % 2 \
                                 : (size) / 2 * 2 * (items) + (int)(at)))
#define LOAD_PART(to, line, size, items, at)                                                                  \
  {                                                                                                           \
    UNROLL for (int j = 0; j + 4 <= size; j += 4) {                                                           \
      float4 four = *(local const float4 *)((line) + j * (items) + 4 * (at));                                 \
      to[j] = four.s0, to[j + 1] = four.s1, to[j + 2] = four.s2, to[j + 3] = four.s3;                         \
    }                                                                                                         \
    if (size % 4 >= 2) {                                                                                      \
      float2 two = *(local const float2 *)((line) + PLACE(size, items, at, size / 4 * 4));                    \
      to[size - 2 - size % 2] = two.s0, to[size - 1 - size % 2] = two.s1;                                     \
    }                                                                                                         \
    if (size % 2 == 1) to[size - 1] = (line)[PLACE(size, items, at, size - 1)];                               \
  }

#define MULTIPLY(depth, sums, a_tile, b_tile, a_size, a_items, a_at, b_size, b_items, b_at)                                    \
  UNROLL for (int e = 0; e < depth; e++) {                                                                              \
    float a[a_size], b[b_size];                                                                                         \
    LOAD_PART(a, a_tile[e], a_size, a_items, a_at)                                                                      \
    LOAD_PART(b, b_tile[e], b_size, b_items, b_at)                                                                      \
    UNROLL for (int i = 0; i < a_size; i++) UNROLL for (int j = 0; j < b_size; j++) sums[i][j] = fma(a[i], b[j], sums[i][j]); \
  }

#define Z_X_FETCHES FETCHES(TILE_ROWS, Z_DEPTH)
#define Z_W_FETCHES FETCHES(TILE_CLASSES, Z_DEPTH)
#if FOURS
#define x_four(x) x_aligned4(x)
#define w_four(w) (*(global const float4 *)(w))
#else
#define x_four(x) x_load4(x, 0)
#define w_four(w) vload4(0, w)
#endif
// The first `count` of four numbers, then zeros.
static inline float4 x_some(global const stored *x, uint count) {
  return (float4)(count > 0 ? x_load(x, 0) : 0.0f, count > 1 ? x_load(x, 1) : 0.0f, count > 2 ? x_load(x, 2) : 0.0f, count > 3 ? x_load(x, 3) : 0.0f);
}
static inline float4 w_some(global const float *w, uint count) {
  return (float4)(count > 0 ? w[0] : 0.0f, count > 1 ? w[1] : 0.0f, count > 2 ? w[2] : 0.0f, count > 3 ? w[3] : 0.0f);
}

// The next vectors of X and W, and zeros of W past the end. The branches are not for speed alone: without them NVIDIA's compiler moves the loads
// down to where they are needed, and they are on their way no longer.
#if FOURS
#define FETCH_FEATURES                                                            \
  {                                                                               \
    if (next < width) {                                                           \
      UNROLL for (int v = 0; v < Z_X_FETCHES; v++) xs[v] = x_four(x_line + (next + x_deltas[v])); \
      UNROLL for (int v = 0; v < Z_W_FETCHES; v++) ws[v] = w_four(w_line + (next + w_deltas[v])); \
    } else {                                                                      \
      UNROLL for (int v = 0; v < Z_W_FETCHES; v++) ws[v] = (float4)(0.0f);          \
    }                                                                             \
    next += Z_DEPTH;                                                                \
  }
#else
#define FETCH_FEATURES                                                                    \
  {                                                                                       \
    if (next + 4 <= width) {                                                              \
      UNROLL for (int v = 0; v < Z_X_FETCHES; v++) xs[v] = x_four(x_line + (next + x_deltas[v]));       \
      UNROLL for (int v = 0; v < Z_W_FETCHES; v++) ws[v] = w_four(w_line + (next + w_deltas[v]));       \
    } else {                                                                              \
      uint here = width - min(next, width);                                               \
      UNROLL for (int v = 0; v < Z_X_FETCHES; v++) xs[v] = x_some(x_line + (next + x_deltas[v]), here); \
      UNROLL for (int v = 0; v < Z_W_FETCHES; v++) ws[v] = w_some(w_line + (next + w_deltas[v]), here); \
    }                                                                                     \
    next += Z_DEPTH;                                                                        \
  }
#endif
#define STORE_TURNED(tile, size, from)                                            \
  UNROLL for (int v = 0; v < FETCHES(size, Z_DEPTH); v++) {                                \
    uint number = item + v * ITEMS, line = number / (Z_DEPTH / 4);                  \
    if (FETCHES_HERE(size, Z_DEPTH, number)) {                                             \
      tile[feature][line] = from[v].s0, tile[feature + 1][line] = from[v].s1;     \
      tile[feature + 2][line] = from[v].s2, tile[feature + 3][line] = from[v].s3; \
    }                                                                             \
  }

// Work size: (ceil(rows / TILE_ROWS), ceil(classes / TILE_CLASSES)) groups of (ITEMS, 1).
kernel GROUP void logits_block(global const stored *x, global const float *w, ulong features, uint classes, ulong row_begin,
                               ulong rows, global float *block, uint stride, float padding) {
  TILE(x_tile, TILE_ROWS, Z_DEPTH);
  TILE(w_tile, TILE_CLASSES, Z_DEPTH);
  uint item = (uint)get_local_id(0), column = item % CLASS_ITEMS, row = min(item, (uint)PARTS - 1) / CLASS_ITEMS;
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
  float sums[ITEM_ROWS][ITEM_CLASSES];
  UNROLL for (int i = 0; i < ITEM_ROWS; i++) UNROLL for (int j = 0; j < ITEM_CLASSES; j++) sums[i][j] = 0.0f;
  uint turn = 0;
  FETCH_FEATURES
  do {
    STORE_TURNED(x_tile[turn], TILE_ROWS, xs)
    STORE_TURNED(w_tile[turn], TILE_CLASSES, ws)
    barrier(CLK_LOCAL_MEM_FENCE);
    done += Z_DEPTH;
    FETCH_FEATURES
    MULTIPLY(Z_DEPTH, sums, x_tile[turn], w_tile[turn], ITEM_ROWS, ROW_ITEMS, row, ITEM_CLASSES, CLASS_ITEMS, column)
    turn ^= 1;
  } while (done < width);
  if (item >= PARTS) return;
  global const float *bias = w + classes * features + first_class;
  float biases[ITEM_CLASSES];
  UNROLL for (int j = 0; j < ITEM_CLASSES; j++) {
    uint k = PLACE(ITEM_CLASSES, CLASS_ITEMS, column, j);
    biases[j] = first_class + k < classes ? bias[k] : padding;
  }
  bool last = first_class + TILE_CLASSES >= classes;
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
}

// The next vectors of X, and of R those or zeros past the end; the pointers move on. Branches as above.
#define X_FETCHES FETCHES(TILE_ROWS, DEPTH)
#define R_FETCHES FETCHES(TILE_CLASSES, DEPTH)
#if FOURS
#define X_ACROSS(v) x_four(x_at[v])
#else
#define X_ACROSS(v) \
  (float4)(x_load(x_at[v], x_columns[v][0]), x_load(x_at[v], x_columns[v][1]), x_load(x_at[v], x_columns[v][2]), x_load(x_at[v], x_columns[v][3]))
#endif
#define X_LINE(v) ((item + (v) * ITEMS) / (TILE_ROWS / 4))
#define R_LINE(v) ((item + (v) * ITEMS) / (TILE_CLASSES / 4))
#define X_COLUMN(v) ((item + (v) * ITEMS) % (TILE_ROWS / 4) * 4)
#define R_COLUMN(v) ((item + (v) * ITEMS) % (TILE_CLASSES / 4) * 4)
#define FETCH_ROWS                                                                                        \
  {                                                                                                       \
    UNROLL for (int v = 0; v < X_FETCHES; v++) if (next + X_LINE(v) < count) xs[v] = X_ACROSS(v);          \
    UNROLL for (int v = 0; v < R_FETCHES; v++)                                                            \
      rs[v] = next + R_LINE(v) < count ? *(global const float4 *)r_at[v] : (float4)(0.0f);                \
    UNROLL for (int v = 0; v < X_FETCHES; v++) x_at[v] += x_step;                                         \
    UNROLL for (int v = 0; v < R_FETCHES; v++) r_at[v] += r_step;                                         \
    next += DEPTH;                                                                                        \
  }
#define STORE_LINES(tile, size, from, LINE, COLUMN) \
  UNROLL for (int v = 0; v < FETCHES(size, DEPTH); v++) if (FETCHES_HERE(size, DEPTH, item + v * ITEMS)) *(local float4 *)&tile[LINE(v)][COLUMN(v)] = from[v];
#define BIASES ((TILE_CLASSES + ITEMS - 1) / ITEMS) // classes of a work-item

// Partials of part_rows rows each, as if rows had begun `offset` rows (a multiple of SPAN, less than part_rows) earlier: partials begin with
// first_partial, of which the first holds the sum of those rows if there are any. Work size: (ceil(features / TILE_ROWS),
// ceil(classes / TILE_CLASSES), ceil((offset + rows) / part_rows)) groups of (ITEMS, 1, 1).
kernel GROUP void gradient_block(global const stored *x, global const float *r, ulong features, uint classes, ulong row_begin,
                                 ulong rows, uint stride, global float *partials, uint first_partial, ulong part_rows, ulong offset) {
  TILE(x_tile, TILE_ROWS, DEPTH);
  TILE(r_tile, TILE_CLASSES, DEPTH);
#ifdef LOWER_ONLY
  if ((uint)get_group_id(1) * TILE_CLASSES + TILE_CLASSES <= (uint)get_group_id(0) * TILE_ROWS) return; // the whole group
#endif
  uint done = 0, all;
  do { // a chain
    // The sum of a chain goes into the partial, where those before it are: there are no registers for both. Nor are there any for what a compiler
    // would carry from chain to chain: so it shall not know that zero is one.
    uint zero = done >> 31, item = (uint)get_local_id(0) + zero, column = item % ROW_ITEMS, row = min(item, (uint)PARTS - 1) / ROW_ITEMS;
    uint first_feature = ((uint)get_group_id(0) + zero) * TILE_ROWS, first_class = ((uint)get_group_id(1) + zero) * TILE_CLASSES;
    uint width = (uint)features + zero, next = 0;
    ulong part = get_group_id(2) + zero, row_first = part > 0 ? part * part_rows - offset : 0;
    all = (uint)(min(rows, (part + 1) * part_rows - offset) - row_first);
    row_first += done;
    uint count = min(all - done, (uint)SPAN);
    bool holds = done > 0 || (part == 0 && offset > 0), sums_bias = first_feature == 0;
    ulong x_step = DEPTH * features, r_step = (ulong)DEPTH * stride;
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
    float sums[ITEM_CLASSES][ITEM_ROWS], biases[BIASES];
    UNROLL for (int j = 0; j < ITEM_CLASSES; j++) UNROLL for (int i = 0; i < ITEM_ROWS; i++) sums[j][i] = 0.0f;
    UNROLL for (int b = 0; b < BIASES; b++) biases[b] = 0.0f;
    uint turn = 0, summed = 0;
    FETCH_ROWS
    do {
      STORE_LINES(x_tile[turn], TILE_ROWS, xs, X_LINE, X_COLUMN)
      STORE_LINES(r_tile[turn], TILE_CLASSES, rs, R_LINE, R_COLUMN)
      barrier(CLK_LOCAL_MEM_FENCE);
      summed += DEPTH;
      FETCH_ROWS
      MULTIPLY(DEPTH, sums, r_tile[turn], x_tile[turn], ITEM_CLASSES, CLASS_ITEMS, row, ITEM_ROWS, ROW_ITEMS, column)
      if (sums_bias) {
        UNROLL for (int b = 0; b < BIASES; b++)
          if (item + b * ITEMS < TILE_CLASSES) {
            UNROLL for (int e = 0; e < DEPTH; e++) biases[b] += r_tile[turn][e][item + b * ITEMS];
          }
      }
      turn ^= 1;
    } while (summed < count);
    global float *partial = partials + (first_partial + part) * (classes * features + classes);
    UNROLL for (int j = 0; j < ITEM_CLASSES; j++) {
      uint k = first_class + PLACE(ITEM_CLASSES, CLASS_ITEMS, row, j);
      global float *to = partial + k * features;
      if (k >= classes || item >= PARTS) continue;
#if FOURS > 1
      UNROLL for (int i = 0; i + 4 <= ITEM_ROWS; i += 4) {
        uint d = first_feature + PLACE(ITEM_ROWS, ROW_ITEMS, column, i);
        float4 sum = (float4)(sums[j][i], sums[j][i + 1], sums[j][i + 2], sums[j][i + 3]);
        global float4 *at = (global float4 *)(to + d);
        if (d < width) *at = holds ? *at + sum : sum;
      }
      UNROLL for (int i = ITEM_ROWS / 4 * 4; i < ITEM_ROWS; i++) {
#else
      UNROLL for (int i = 0; i < ITEM_ROWS; i++) {
#endif
        uint d = first_feature + PLACE(ITEM_ROWS, ROW_ITEMS, column, i);
        if (d < width) to[d] = holds ? to[d] + sums[j][i] : sums[j][i];
      }
    }
    UNROLL for (int b = 0; b < BIASES; b++) {
      uint k = first_class + item + b * ITEMS;
      global float *to = partial + classes * features + k;
      if (sums_bias && item + b * ITEMS < TILE_CLASSES && k < classes) *to = holds ? *to + biases[b] : biases[b];
    }
    done += SPAN; // an even number of tiles: the next chain begins with the first of two again
  } while (done < all);
}
