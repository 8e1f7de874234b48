// The fused pass of the CPU family for few classes: one read of X gives the loss and the gradient (or the Hessian times V).
//   per block of BLOCK_ROWS rows, while it stays in cache:  Z = X W' + b  ->  R = scale (softmax(Z) - P), losses  ->  G += R' X
//   Hessian: Q = X V' + c too, and R = scale a (q - <a, q>)
//   fused_logits: Z alone, for line searches
// Work size of all: (any groups) x 1; groups take items (items.clh). An item of a pass is a share of its rows: share_blocks blocks in order (the
// last has what is left), with its own partial gradient (P).
// Macros: FEATURES D, CLASSES K; those of tile_cpu.clh and storage.clh. D is a macro here and nowhere else, since it pays: as an argument it cost
// 4 % of W2 and up to 19 % where rows are no whole vectors (bench/LOG.md).
#include "constants.clh"
#include "items.clh"
#include "softmax.clh"
#include "tile_cpu.clh"

#ifndef FEATURES
#define FEATURES 4
#endif
#ifndef CLASSES
#define CLASSES 3
#endif
#ifndef PANELS
#define PANELS 0 // panels of 16 classes that make logits (panel.clh); the last may have less
#endif

#if PANELS
#include "pack_panels.cl"
#endif

#define BLOCK_ROWS FUSED_ROWS_CPU // a multiple of 16
#define REST (CLASSES - 16 * PANELS > 0 ? CLASSES - 16 * PANELS : 0) // classes beyond the panels, for dot tiles
#define LOGIT_CLASSES (CLASSES > 16 * PANELS ? CLASSES : 16 * PANELS)
#define BLOCK_LOGITS(name) float name[LOGIT_CLASSES * BLOCK_ROWS] __attribute__((aligned(64)))

#define DOT_TILES TILES(REST, DOT_CLASSES)
#define DOT_LOW LOW_CLASSES(REST, DOT_CLASSES)
#define DOT_TALL TALL_TILES(REST, DOT_CLASSES)
#define OUTER_LOW LOW_CLASSES(CLASSES, OUTER_CLASSES)
#define OUTER_TALL TALL_TILES(CLASSES, OUTER_CLASSES)
#define OUTER_TILES TILES(CLASSES, OUTER_CLASSES)
// Vectors of an outer tile: as many as fill the registers, as far as a row has them.
#define OUTER_MOST (OUTER_LOW + (OUTER_TALL > 0)) // classes of the taller tile
#define OUTER_FIT (OUTER_REGISTERS < 2 * OUTER_MOST ? 1 : OUTER_REGISTERS / OUTER_MOST)
#define OUTER_VECTORS (OUTER_FIT < FEATURES / LANES ? OUTER_FIT : FEATURES / LANES)
#define PARAMETERS ((ulong)CLASSES * FEATURES + CLASSES)
// The next block is prefetched evenly, half of its rows while logits are made and half with the gradient: elements for each vector of a dot tile
// and for every four rows of an outer tile.
#define AHEAD_ROWS (BLOCK_ROWS / 2)
#define DOT_AHEAD (PANELS ? 0 : 2 * LANES / DOT_TILES)
#define OUTER_AHEAD(vectors) (2 * (vectors)*LANES / OUTER_TILES)

#if REST
DEFINE_DOT_TILE(dot_tile, DOT_LOW, DOT_AHEAD)
#if DOT_TALL
DEFINE_DOT_TILE(dot_tile_tall, DOT_LOW + 1, DOT_AHEAD)
#endif
#endif
#if OUTER_VECTORS > 1
DEFINE_OUTER_TILE(outer_tile, OUTER_LOW, OUTER_VECTORS, OUTER_AHEAD(OUTER_VECTORS))
#if OUTER_TALL
DEFINE_OUTER_TILE(outer_tile_tall, OUTER_LOW + 1, OUTER_VECTORS, OUTER_AHEAD(OUTER_VECTORS))
#endif
#endif
#if OUTER_VECTORS > 0
DEFINE_OUTER_TILE(outer_strip, OUTER_LOW, 1, OUTER_AHEAD(1))
#if OUTER_TALL
DEFINE_OUTER_TILE(outer_strip_tall, OUTER_LOW + 1, 1, OUTER_AHEAD(1))
#endif
#endif

// Out of line: its caller tests whether it is wanted, and compilers would make two copies of their loop for that. Rows of less than a vector are so
// little work that a call shows, and little code.
#if FEATURES < LANES
#define BLOCK_GRADIENT static inline
#else
#define BLOCK_GRADIENT OUT_OF_LINE
#endif

DEFINE_SOFTMAX(lanes, private, floatn, intn, vloadn, vstoren, accumulaten, BLOCK_ROWS)

// The rows of one block.
typedef struct Rows {
  global const stored *x; // (count, FEATURES), and more of X behind it
  uint count;
} Rows;

// A parameter vector w (P), and its panels where there are some.
typedef struct Weights {
  global const float *w, *panels;
} Weights;

// The blocks of a pass, which begin at rows row_begin, row_begin + BLOCK_ROWS, ...
typedef struct Blocks {
  global const stored *x;
  ulong row_begin, row_count;
} Blocks;

static inline ulong block_count(const Blocks *blocks) { return (blocks->row_count + BLOCK_ROWS - 1) / BLOCK_ROWS; }

static inline Rows block_rows(const Blocks *blocks, ulong block) {
  Rows rows = {blocks->x + (blocks->row_begin + block * BLOCK_ROWS) * FEATURES,
               (uint)min((ulong)BLOCK_ROWS, blocks->row_count - block * BLOCK_ROWS)};
  return rows;
}

#if PANELS
DEFINE_PANEL_TILE(panel_tile_stored, global const stored *, x_load, float *, PANEL_ROWS, float16, vload16, vstore16)
DEFINE_TRANSPOSE(transpose_tile, const float *, load_eight, float *)

// The logits of the classes that lie in panels.
static inline void panel_logits(Rows rows, global const float *panels, float *z) {
  float tile[BLOCK_ROWS * 16] __attribute__((aligned(64)));
  for (uint i = rows.count; i < BLOCK_ROWS; i++) vstore16((float16)(0.0f), i, tile); // rows past the last are worked on, and masked
  for (uint panel = 0; panel < PANELS; panel++) {
    global const float *weights = panels + (ulong)panel * 16 * (FEATURES + 1), *bias = weights + (ulong)FEATURES * 16;
    uint ahead_row = AHEAD_ROWS * panel / PANELS, ahead_rows = AHEAD_ROWS * (panel + 1) / PANELS - ahead_row;
    for (uint d = 0; d < FEATURES; d += PANEL_DEPTH)
      panel_tile_stored(rows.x + d, FEATURES, rows.count, weights + (ulong)d * 16, min((uint)PANEL_DEPTH, FEATURES - d), d == 0 ? bias : 0, tile,
                        STRIP * 16, rows.x + (ulong)(BLOCK_ROWS + ahead_row) * FEATURES + d, FEATURES, ahead_rows);
    for (uint i = 0; i < BLOCK_ROWS; i += 8)
      for (uint k = 0; k < 16; k += 8) transpose_tile(tile + i * 16 + k, 16, z + (panel * 16 + k) * BLOCK_ROWS + i, BLOCK_ROWS);
  }
}
#endif

// z[k * BLOCK_ROWS + i] = <x_i, w_k> + bias_k. Rows past the last, up to the next 16, repeat it (or are 0 in panels): nothing beyond X is read,
// nothing in z that is used later is left unset, and their results are masked.
OUT_OF_LINE void block_logits(Rows rows, Weights weights, float *z) {
#if PANELS
  panel_logits(rows, weights.panels, z);
#endif
#if REST
  global const stored *ahead = rows.x + (ulong)BLOCK_ROWS * FEATURES;
  global const float *bias = weights.w + (ulong)CLASSES * FEATURES;
  uint padded = (rows.count + STRIP - 1) / STRIP * STRIP;
  for (uint tile = 0, k = CLASSES - REST; tile < DOT_TILES; tile++) {
    global const float *w = weights.w + (ulong)k * FEATURES;
    for (uint first = 0; first < padded; first += 4, ahead += FEATURES / LANES * DOT_AHEAD) {
      global const stored *row[4];
      UNROLL for (int i = 0; i < 4; i++) row[i] = rows.x + (ulong)min(first + i, rows.count - 1) * FEATURES;
#if DOT_TALL
      if (tile < DOT_TALL)
        dot_tile_tall(row, w, bias + k, z + k * BLOCK_ROWS + first, BLOCK_ROWS, ahead);
      else
#endif
        dot_tile(row, w, bias + k, z + k * BLOCK_ROWS + first, BLOCK_ROWS, ahead);
    }
    k += DOT_LOW + (tile < DOT_TALL);
  }
#endif
}

// *to (+)= the sum of the lanes.
static inline void add_lanes(float8 sum, global float *to, uint add) {
  float4 four = sum.lo + sum.hi;
  float2 two = four.lo + four.hi;
  *to = add ? *to + (two.s0 + two.s1) : two.s0 + two.s1;
}

// partial (P) (+)= R' X and, in its last K, the column sums of R.
BLOCK_GRADIENT void block_gradient(Rows rows, const float *r, global float *partial, uint add) {
  uint d = 0;
#if OUTER_VECTORS > 0
  global const stored *ahead = rows.x + (ulong)(BLOCK_ROWS + AHEAD_ROWS) * FEATURES;
#endif
#define OUTER_PRODUCT(tile, vectors, classes)                                                                               \
  {                                                                                                                         \
    tile(rows.x + d, r + k * BLOCK_ROWS, BLOCK_ROWS, rows.count, partial + (ulong)k * FEATURES + d, add, ahead); \
    k += (classes);                                                                                                         \
    ahead += BLOCK_ROWS / 4 * OUTER_AHEAD(vectors);                                                                         \
  }
#if OUTER_TALL
#define OUTER_TALL_PRODUCTS(tile, vectors) \
  for (uint i = 0; i < OUTER_TALL; i++) OUTER_PRODUCT(tile, vectors, OUTER_LOW + 1)
#else
#define OUTER_TALL_PRODUCTS(tile, vectors)
#endif
#define OUTER_PRODUCTS(tile, tile_tall, vectors)                  \
  for (; d + (vectors)*LANES <= FEATURES; d += (vectors)*LANES) { \
    uint k = 0;                                                   \
    OUTER_TALL_PRODUCTS(tile_tall, vectors)                       \
    while (k < CLASSES) OUTER_PRODUCT(tile, vectors, OUTER_LOW)   \
  }
#if OUTER_VECTORS > 1
  OUTER_PRODUCTS(outer_tile, outer_tile_tall, OUTER_VECTORS)
#endif
#if OUTER_VECTORS > 0
  OUTER_PRODUCTS(outer_strip, outer_strip_tall, 1)
#endif
  // What is left of the features, and the bias: lanes over rows, padded to whole vectors with zeros in r.
  uint padded = (rows.count + 7) / 8 * 8;
  SHORT_LOOP for (; d < FEATURES; d++) {
    float column[BLOCK_ROWS];
    for (uint i = 0; i < padded; i++) column[i] = x_load(rows.x, (ulong)min(i, rows.count - 1) * FEATURES + d);
    for (uint k = 0; k < CLASSES; k++) {
      float8 sum = 0.0f;
      SHORT_LOOP for (uint i = 0; i < padded; i += 8) sum = fma(vload8(0, r + k * BLOCK_ROWS + i), vload8(0, column + i), sum);
      add_lanes(sum, partial + (ulong)k * FEATURES + d, add);
    }
  }
  for (uint k = 0; k < CLASSES; k++) {
    float8 sum = 0.0f;
    SHORT_LOOP for (uint i = 0; i < padded; i += 8) sum += vload8(0, r + k * BLOCK_ROWS + i);
    add_lanes(sum, partial + (ulong)CLASSES * FEATURES + k, add);
  }
}

// Share number `share` of a launch: its partial gradient unless that is NULL, and its pair of losses (high, low).
static inline void gradient_share(const Blocks *blocks, global const int *labels, global const float *row_weights, Weights w,
                                  global float *partial, global float2 *loss, uint share_blocks, uint share, float scale) {
  ulong first_block = (ulong)share * share_blocks, last_block = min(first_block + share_blocks, block_count(blocks));
  floatn high = 0.0f, low = 0.0f;
  BLOCK_LOGITS(z);
  for (ulong block = first_block; block < last_block; block++) {
    Rows rows = block_rows(blocks, block);
    ulong first = blocks->row_begin + block * BLOCK_ROWS;
    block_logits(rows, w, z);
    for (uint i = 0; i < rows.count; i += LANES) {
      floatn weight = load_weights(row_weights, first + i, first + rows.count);
      intn y = load_labels(labels, first + i, first + rows.count);
      accumulaten(&high, &low, weight * lanes_residuals(z + i, CLASSES, y, scale * weight));
    }
    if (partial != 0) block_gradient(rows, z, partial, block != first_block);
  }
  store_sum(loss, lanes_of(high, low), 0);
}

// x (N,D), labels (N), row_weights (N) or NULL for 1 each, w (P), and its panels where there are some. Rows [row_begin, row_begin + row_count):
// shares first_share, first_share + 1, ... of the pass, `shares` of them. partials (.., P): share s leaves its sum in number
// s - first_share + first_partial, so plain f32 sums must be short (fused.c: 64 blocks); want_gradient 0: not touched. losses (shares of the pass):
// share s leaves its pair (high, low) at s.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void fused_gradient(global const stored *x, ulong row_begin, ulong row_count,
                                                                           uint share_blocks, ulong first_share, float scale, global const float *w,
                                                                           global float *partials, uint first_partial, global const int *labels,
                                                                           global const float *row_weights, global float2 *losses, uint want_gradient,
                                                                           global const float *w_panels, uint shares,
                                                                           volatile global uint *counter) {
  Blocks blocks = {x, row_begin, row_count};
  Weights weights = {w, w_panels};
  FOR_ITEMS(share, shares, counter) {
    global float *partial = want_gradient ? partials + (first_partial + share) * PARAMETERS : 0;
    gradient_share(&blocks, labels, row_weights, weights, partial, losses + first_share + share, share_blocks, share, scale);
  }
  end_items(counter);
}

// to and from (K, BLOCK_ROWS), but for rows past the next 16.
#define COPY_LOGITS(to, from, rows)  \
  for (uint k = 0; k < CLASSES; k++) \
    for (uint i = 0; i < (rows); i += 16) vstore16(vload16(0, (from) + k * BLOCK_ROWS + i), 0, (to) + k * BLOCK_ROWS + i)

static inline void hessian_share(const Blocks *blocks, global const float *row_weights, Weights w, Weights v, global float *partial,
                                 uint share_blocks, uint share, float scale, global float *kept, uint keep) {
  ulong first_block = (ulong)share * share_blocks, last_block = min(first_block + share_blocks, block_count(blocks));
  BLOCK_LOGITS(z);
  BLOCK_LOGITS(q);
  for (ulong block = first_block; block < last_block; block++) {
    Rows rows = block_rows(blocks, block);
    global float *block_kept = kept + block * (CLASSES * BLOCK_ROWS);
    ulong first = blocks->row_begin + block * BLOCK_ROWS;
    block_logits(rows, v, q);
    if (keep == KEEP_READ) {
      COPY_LOGITS(z, block_kept, rows.count);
    } else {
      block_logits(rows, w, z);
      for (uint i = 0; i < rows.count; i += LANES) lanes_probabilities(z + i, CLASSES);
    }
    if (keep == KEEP_WRITE) COPY_LOGITS(block_kept, z, rows.count);
    for (uint i = 0; i < rows.count; i += LANES)
      lanes_hessian_terms(z + i, q + i, CLASSES, scale * load_weights(row_weights, first + i, first + rows.count));
    block_gradient(rows, q, partial, block != first_block);
  }
}

// The Hessian at w times v. Arguments as above. kept (blocks of the pass, K, BLOCK_ROWS): probabilities, as keep (constants.clh) says.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void fused_hessian(global const stored *x, ulong row_begin, ulong row_count,
                                                                          uint share_blocks, ulong first_share, float scale, global const float *w,
                                                                          global float *partials, uint first_partial, global const float *v,
                                                                          global const float *row_weights,
                                                                          global float *kept, uint keep, global const float *w_panels,
                                                                          global const float *v_panels, uint shares,
                                                                          volatile global uint *counter) {
  Blocks blocks = {x, row_begin, row_count};
  Weights weights = {w, w_panels}, directions = {v, v_panels};
  kept += first_share * share_blocks * (CLASSES * BLOCK_ROWS);
  FOR_ITEMS(share, shares, counter) {
    global float *partial = partials + (first_partial + share) * PARAMETERS;
    hessian_share(&blocks, row_weights, weights, directions, partial, share_blocks, share, scale, kept, keep);
  }
  end_items(counter);
}

// strips (strip.clh): those of rows [row_begin, row_begin + row_count) from row strip_row (a multiple of 16) on = their logits under w.
// An item: FUSED_LOGITS_BLOCKS blocks.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void fused_logits(global const stored *x, ulong row_begin, ulong row_count,
                                                                         global const float *w, global const float *w_panels, global float *strips,
                                                                         ulong strip_row, volatile global uint *counter) {
  Blocks blocks = {x, row_begin, row_count};
  Weights weights = {w, w_panels};
  ulong count = block_count(&blocks);
  BLOCK_LOGITS(z);
  FOR_ITEMS(item, (count + FUSED_LOGITS_BLOCKS - 1) / FUSED_LOGITS_BLOCKS, counter)
  for (ulong block = (ulong)item * FUSED_LOGITS_BLOCKS, end = min(block + FUSED_LOGITS_BLOCKS, count); block < end; block++) {
    Rows rows = block_rows(&blocks, block);
    global float *to = strips + (strip_row + block * BLOCK_ROWS) * CLASSES;
    block_logits(rows, weights, z);
    for (uint i = 0; i < rows.count; i += STRIP, to += CLASSES * STRIP)
      for (uint k = 0; k < CLASSES; k++) vstore16(vload16(0, z + k * BLOCK_ROWS + i), k, to);
  }
  end_items(counter);
}

#ifdef SMALL // common.cl says why
#include "accurate_logits.cl"
#include "vector.cl"
#endif
