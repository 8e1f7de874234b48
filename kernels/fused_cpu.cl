// The fused pass of the CPU family for few classes: one read of X gives the loss and the gradient (or the Hessian times V).
//   per block of BLOCK_ROWS rows, while it stays in cache:  Z = X W' + b  ->  R = scale (softmax(Z) - P), losses  ->  G += R' X
//   Hessian: Q = X V' + c too, and R = scale a (q - <a, q>)
// Work size: (any groups) x 1 work-item. A piece of work is a share: share_blocks blocks in order (the last has what is left), with its own slab
// of the gradient.
// Macros: FEATURES D, CLASSES K, BLOCK_ROWS a multiple of 16, HESSIAN 0 or 1; those of tile_cpu.clh and storage.clh.
#include "compensated.clh"
#include "pieces.clh"
#include "tile_cpu.clh"

#ifndef PANELS
#define PANELS 0 // panels of 16 classes that make logits (panel.clh); the last may have less
#endif

#ifndef BLOCK_ROWS
#define BLOCK_ROWS 48
#endif
#ifndef HESSIAN
#define HESSIAN 0
#endif
#if PANELS
#include "panels_cpu.cl" // which packs W, and makes the logits of line searches
#elif !HESSIAN // logits_strips for line searches, since PoCL takes 0.2 s for one more program, whatever is in it
#define LOGITS_ALONE
#include "block_cpu.cl"
#endif
#define REST (CLASSES - 16 * PANELS > 0 ? CLASSES - 16 * PANELS : 0) // classes beyond the panels, for dot tiles
#define LOGIT_CLASSES (CLASSES > 16 * PANELS ? CLASSES : 16 * PANELS)
#define PARAMETERS ((ulong)CLASSES * FEATURES + CLASSES)

#define DOT_TILES TILES(REST, DOT_CLASSES)
#define DOT_LOW LOW_CLASSES(REST, DOT_CLASSES)
#define DOT_TALL TALL_TILES(REST, DOT_CLASSES)
#define OUTER_LOW LOW_CLASSES(CLASSES, OUTER_CLASSES)
#define OUTER_TALL TALL_TILES(CLASSES, OUTER_CLASSES)
#define OUTER_VECTORS (FEATURES < 2 * LANES ? 1 : OUTER_FIT < FEATURES / LANES ? OUTER_FIT : FEATURES / LANES)
#define OUTER_MOST (OUTER_LOW + (OUTER_TALL > 0)) // classes of the taller tile
#define OUTER_FIT (OUTER_REGISTERS < 2 * OUTER_MOST ? 1 : OUTER_REGISTERS / OUTER_MOST)
#define OUTER_TILES TILES(CLASSES, OUTER_CLASSES)
// The next block is asked for evenly, half of its rows while logits are made and half with the gradient: elements for each vector of a dot tile
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
DEFINE_OUTER_TILE(outer_tile, OUTER_LOW, OUTER_VECTORS, OUTER_AHEAD(OUTER_VECTORS))
DEFINE_OUTER_TILE(outer_strip, OUTER_LOW, 1, OUTER_AHEAD(1))
#if OUTER_TALL
DEFINE_OUTER_TILE(outer_tile_tall, OUTER_LOW + 1, OUTER_VECTORS, OUTER_AHEAD(OUTER_VECTORS))
DEFINE_OUTER_TILE(outer_strip_tall, OUTER_LOW + 1, 1, OUTER_AHEAD(1))
#endif

#if PANELS
DEFINE_PANEL_TILE(panel_tile_stored, global const stored *, x_load, float *, PANEL_ROWS, float16, vload16, vstore16)

// The logits of the classes that lie in panels.
static inline void panel_logits(global const stored *x, uint rows, global const float *panels, float *z) {
  float tile[BLOCK_ROWS * 16] __attribute__((aligned(64)));
  for (uint i = rows; i < BLOCK_ROWS; i++) vstore16((float16)(0.0f), i, tile); // rows past the last are worked on, and masked
  for (uint panel = 0; panel < PANELS; panel++) {
    global const float *weights = panels + panel * (16 * (FEATURES + 1));
    uint ahead_row = AHEAD_ROWS * panel / PANELS, ahead_rows = AHEAD_ROWS * (panel + 1) / PANELS - ahead_row;
    for (uint d = 0; d < FEATURES; d += PANEL_DEPTH)
      panel_tile_stored(x + d, FEATURES, rows, weights + d * 16, min((uint)PANEL_DEPTH, FEATURES - d), d == 0 ? weights + FEATURES * 16 : 0, tile,
                        STRIP * 16, x + (ulong)(BLOCK_ROWS + ahead_row) * FEATURES + d, FEATURES, ahead_rows);
    for (uint i = 0; i < BLOCK_ROWS; i += 8)
      for (uint k = 0; k < 16; k += 8) turn_rest(tile + i * 16 + k, 16, z + (panel * 16 + k) * BLOCK_ROWS + i, BLOCK_ROWS);
  }
}
#endif

// z[k * BLOCK_ROWS + i] = <x_i, w_k> + bias_k. Rows past the last, up to the next LANES, repeat it: nothing beyond X is read, nothing in z
// that is used later is left unset, and their results are masked.
static inline void block_logits(global const stored *x, uint rows, global const float *w, global const float *panels, float *z) {
#if PANELS
  panel_logits(x, rows, panels, z);
#endif
#if REST
  global const stored *ahead = x + (ulong)BLOCK_ROWS * FEATURES;
  global const float *bias = w + (ulong)CLASSES * FEATURES;
  uint padded = (rows + LANES - 1) / LANES * LANES;
  for (uint tile = 0, k = CLASSES - REST; tile < DOT_TILES; tile++) {
    for (uint first = 0; first < padded; first += 4, ahead += FEATURES / LANES * DOT_AHEAD) {
      global const stored *row[4];
      UNROLL for (int i = 0; i < 4; i++) row[i] = x + (ulong)min(first + i, rows - 1) * FEATURES;
#if DOT_TALL
      if (tile < DOT_TALL)
        dot_tile_tall(row, w + (ulong)k * FEATURES, bias + k, z + k * BLOCK_ROWS + first, BLOCK_ROWS, ahead);
      else
#endif
        dot_tile(row, w + (ulong)k * FEATURES, bias + k, z + k * BLOCK_ROWS + first, BLOCK_ROWS, ahead);
    }
    k += DOT_LOW + (tile < DOT_TALL);
  }
#endif
}

// The largest logit of LANES rows. fmax drops a NaN, but exp(NaN - m) brings it back into the sums.
static inline floatn largest_logits(const float *z) {
  floatn m = vloadn(0, z);
  for (uint k = 1; k < CLASSES; k++) m = fmax(m, vloadn(0, z + k * BLOCK_ROWS));
  return m;
}

// LANES rows from z on: z -> residuals in place (rows past the last: 0); the losses are added to (high, low).
// below = sum of exp(z_k - m) over all but one of the largest logits, so that total = 1 + below and loss = log1p(below) - (z_y - m) keep
// every digit of a small loss; the residual of the true class is -(sum of the others) / total for the same reason.
static inline void lane_residuals(float *z, intn labels, intn valid, float scale, floatn *high, floatn *low) {
  floatn m = largest_logits(z), below = -1.0f, tied = 0.0f, target = 0.0f, distance = 0.0f;
  for (uint k = 0; k < CLASSES; k++) {
    floatn away = vloadn(0, z + k * BLOCK_ROWS) - m, e = exp(away);
    intn mine = labels == (int)k, largest = away == 0.0f;
    tied += select((floatn)(0.0f), (floatn)(1.0f), largest);
    below = k == 0 ? select(e, (floatn)(0.0f), largest) : below + select(e, (floatn)(0.0f), largest);
    target = select(target, e, mine);
    distance = select(distance, away, mine);
    vstoren(e, 0, z + k * BLOCK_ROWS);
  }
  below += tied - 1.0f;
  floatn total = 1.0f + below, factor = scale / total;
  floatn others = select(total - target, below, distance == 0.0f);
  for (uint k = 0; k < CLASSES; k++) {
    floatn r = select(vloadn(0, z + k * BLOCK_ROWS), -others, labels == (int)k) * factor;
    vstoren(select((floatn)(0.0f), r, valid), 0, z + k * BLOCK_ROWS);
  }
  accumulaten(high, low, select((floatn)(0.0f), log1p(below) - distance, valid));
}

// LANES rows: z -> a = softmax(z) in place.
static inline void lane_probabilities(float *z) {
  floatn m = largest_logits(z), total = 0.0f;
  for (uint k = 0; k < CLASSES; k++) {
    floatn e = exp(vloadn(0, z + k * BLOCK_ROWS) - m);
    total += e;
    vstoren(e, 0, z + k * BLOCK_ROWS);
  }
  floatn factor = 1.0f / total;
  for (uint k = 0; k < CLASSES; k++) vstoren(vloadn(0, z + k * BLOCK_ROWS) * factor, 0, z + k * BLOCK_ROWS);
}

// LANES rows: q -> scale a (q - <a, q>) in place.
static inline void lane_hessian_terms(const float *a, float *q, intn valid, float scale) {
  floatn mean = 0.0f;
  for (uint k = 0; k < CLASSES; k++) mean = fma(vloadn(0, a + k * BLOCK_ROWS), vloadn(0, q + k * BLOCK_ROWS), mean);
  for (uint k = 0; k < CLASSES; k++) {
    floatn t = scale * vloadn(0, a + k * BLOCK_ROWS) * (vloadn(0, q + k * BLOCK_ROWS) - mean);
    vstoren(select((floatn)(0.0f), t, valid), 0, q + k * BLOCK_ROWS);
  }
}

static inline float sum_of_eight(float8 v) {
  float4 four = v.lo + v.hi;
  float2 pair = four.lo + four.hi;
  return pair.s0 + pair.s1;
}

// *to (+)= <r, column> over the rows, padded to whole vectors with zeros in r.
static inline void add_column(const float *r, const float *column, uint padded, global float *to, uint add) {
  float8 sum = 0.0f;
  for (uint i = 0; i < padded; i += 8) sum = fma(vload8(0, r + i), vload8(0, column + i), sum);
  *to = add ? *to + sum_of_eight(sum) : sum_of_eight(sum);
}

// slab (P) (+)= R' X and, in its last K, the column sums of R.
static inline void block_gradient(global const stored *x, uint rows, const float *r, global float *slab, uint add) {
  uint d = 0;
  global const stored *ahead = x + (ulong)(BLOCK_ROWS + AHEAD_ROWS) * FEATURES;
#define OUTER_PRODUCT(tile, vectors, classes)                                                                  \
  {                                                                                                            \
    tile(x + d, r + k * BLOCK_ROWS, BLOCK_ROWS, rows, slab + (ulong)k * FEATURES + d, add, ahead);             \
    k += (classes);                                                                                            \
    ahead += BLOCK_ROWS / 4 * OUTER_AHEAD(vectors);                                                            \
  }
#if OUTER_TALL
#define OUTER_TALL_PRODUCTS(tile, vectors) \
  for (uint i = 0; i < OUTER_TALL; i++) OUTER_PRODUCT(tile, vectors, OUTER_LOW + 1)
#else
#define OUTER_TALL_PRODUCTS(tile, vectors)
#endif
#define OUTER_PRODUCTS(tile, tile_tall, vectors)                              \
  for (; d + (vectors)*LANES <= FEATURES; d += (vectors)*LANES) {             \
    uint k = 0;                                                               \
    OUTER_TALL_PRODUCTS(tile_tall, vectors)                                   \
    while (k < CLASSES) OUTER_PRODUCT(tile, vectors, OUTER_LOW)               \
  }
  OUTER_PRODUCTS(outer_tile, outer_tile_tall, OUTER_VECTORS)
  OUTER_PRODUCTS(outer_strip, outer_strip_tall, 1)
  // What is left of the features, and the bias, whose column is all ones: lanes over rows.
  float column[BLOCK_ROWS];
  uint padded = (rows + 7) / 8 * 8;
  for (; d <= FEATURES; d++) {
    for (uint i = 0; i < padded; i++) column[i] = d == FEATURES ? 1.0f : x_load(x, (ulong)min(i, rows - 1) * FEATURES + d);
    for (uint k = 0; k < CLASSES; k++)
      add_column(r + k * BLOCK_ROWS, column, padded, slab + (d == FEATURES ? (ulong)CLASSES * FEATURES + k : (ulong)k * FEATURES + d), add);
  }
}

static inline intn load_labels(global const int *labels, uint i, uint rows) {
  if (i + LANES <= rows) return vloadn(0, labels + i);
  int last[LANES];
  for (uint lane = 0; lane < LANES; lane++) last[lane] = labels[min(i + lane, rows - 1)];
  return vloadn(0, last);
}

// Share number `share` of a launch, of kernel fused_pass; the arguments are the kernel's.
static inline void fused_share(global const stored *x, global const int *labels, global const float *w, global const float *v, global float *slab,
                               global float2 *loss, ulong row_begin, ulong row_count, uint share_blocks, uint share, float scale,
                               uint want_gradient, global float *keep, uint use, global const float *w_panels, global const float *v_panels) {
  ulong blocks = (row_count + BLOCK_ROWS - 1) / BLOCK_ROWS;
  ulong block_first = (ulong)share * share_blocks, block_last = min(block_first + share_blocks, blocks);
  floatn high = 0.0f, low = 0.0f;
  float z[LOGIT_CLASSES * BLOCK_ROWS] __attribute__((aligned(64)));
#if HESSIAN
  float q[LOGIT_CLASSES * BLOCK_ROWS] __attribute__((aligned(64)));
#endif
  for (ulong block = block_first; block < block_last; block++) {
    ulong first = row_begin + block * BLOCK_ROWS;
    uint rows = (uint)min((ulong)BLOCK_ROWS, row_begin + row_count - first);
    global const stored *block_x = x + first * FEATURES;
#if HESSIAN
    global float *kept = keep + block * (CLASSES * BLOCK_ROWS);
    block_logits(block_x, rows, v, v_panels, q);
    if (use == 2) {
      for (uint k = 0; k < CLASSES; k++)
        for (uint i = 0; i < rows; i += 8) vstore8(vload8(0, kept + k * BLOCK_ROWS + i), 0, z + k * BLOCK_ROWS + i);
    } else {
      block_logits(block_x, rows, w, w_panels, z);
      for (uint i = 0; i < rows; i += LANES) lane_probabilities(z + i);
    }
    if (use == 1)
      for (uint k = 0; k < CLASSES; k++)
        for (uint i = 0; i < rows; i += 8) vstore8(vload8(0, z + k * BLOCK_ROWS + i), 0, kept + k * BLOCK_ROWS + i);
#else
    block_logits(block_x, rows, w, w_panels, z);
#endif
    for (uint i = 0; i < rows; i += LANES) {
      intn valid = lane_numbers + (int)i < (intn)((int)rows);
#if HESSIAN
      lane_hessian_terms(z + i, q + i, valid, scale);
#else
      lane_residuals(z + i, load_labels(labels + first, i, rows), valid, scale, &high, &low);
#endif
    }
    if (!want_gradient) continue;
#if HESSIAN
    block_gradient(block_x, rows, q, slab, block != block_first);
#else
    block_gradient(block_x, rows, z, slab, block != block_first);
#endif
  }
#if !HESSIAN
  store_sum(loss, lanes_of(high, low), 0);
#endif
}

// x (N,D), labels (N), w and v (P), w_panels and v_panels theirs where there are panels. Rows [row_begin, row_begin + row_count): shares first_share, first_share + 1, ... of the pass.
// slabs (.., P): share s leaves its sum in slab s - first_share + first_slab, so plain f32 sums must be short (native_fused.c: 64 blocks).
// losses (shares of the pass): share s leaves its pair (high, low) at s.
// HESSIAN 0: v is not read. HESSIAN 1: labels and losses are not touched. want_gradient 0: slabs are not touched.
// keep (HESSIAN 1; blocks of the pass, K, BLOCK_ROWS): use 1 leaves the probabilities there, 2 takes them from there, 0 does not touch it.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void fused_pass(global const stored *x, global const int *labels,
                                                                       global const float *w, global const float *v, global float *slabs,
                                                                       uint first_slab, global float2 *losses, ulong row_begin,
                                                                       ulong row_count, uint share_blocks, ulong first_share, float scale,
                                                                       uint want_gradient, global float *keep, uint use,
                                                                       global const float *w_panels, global const float *v_panels,
                                                                       uint shares, volatile global uint *taken) {
  keep += first_share * share_blocks * (CLASSES * BLOCK_ROWS);
  FOR_PIECES(share, shares, taken)
  fused_share(x, labels, w, v, slabs + (first_slab + share) * PARAMETERS, losses + first_share + share, row_begin, row_count, share_blocks, share,
              scale, want_gradient, keep, use, w_panels, v_panels);
  end_pieces(taken);
}
