// The fused pass of the CPU family for few classes: one read of X gives the loss and the gradient (or the Hessian times V).
//   per block of BLOCK_ROWS rows, while it stays in cache:  Z = X W' + b  ->  R = scale (softmax(Z) - P), losses  ->  G += R' X
//   Hessian: Q = X V' + c too, and R = scale a (q - <a, q>)
// Work size: groups x 1 work-item; group g works on a contiguous share of the blocks and on its own slab (P) of the gradient.
// Macros: FEATURES D, CLASSES K, BLOCK_ROWS a multiple of 24, HESSIAN 0 or 1. No more groups than blocks.
#include "compensated.clh"
#include "tile_cpu.clh"

#ifndef BLOCK_ROWS
#define BLOCK_ROWS 48
#endif
#ifndef HESSIAN
#define HESSIAN 0
#endif

DEFINE_OUTER_TILE(outer_tile, OUTER_CLASSES)
DEFINE_OUTER_TILE(outer_tile_1, 1)

// z[k * BLOCK_ROWS + i] = <x_i, w_k> + bias_k. Rows past the last, up to the next 24 (whole tiles of 6 and of 8), repeat it: nothing
// beyond X is read, nothing in z is left unset, and their results are masked.
static inline void block_logits(global const float *x, uint rows, global const float *w, float *z) {
  uint padded = (rows + 23) / 24 * 24;
  for (uint first = 0; first < padded; first += ROW_TILE) {
    global const float *row[ROW_TILE];
    float out[ROW_TILE * CLASS_TILE];
    UNROLL for (int i = 0; i < ROW_TILE; i++) row[i] = x + (ulong)min(first + i, rows - 1) * FEATURES;
    uint k = 0;
    for (; k + CLASS_TILE <= CLASSES; k += CLASS_TILE) {
      dot_tile_2(row, w + (ulong)k * FEATURES, FEATURES, out);
      UNROLL for (int i = 0; i < ROW_TILE; i++) UNROLL for (int j = 0; j < CLASS_TILE; j++) z[(k + j) * BLOCK_ROWS + first + i] =
          out[i * CLASS_TILE + j] + w[(ulong)CLASSES * FEATURES + k + j];
    }
    for (; k < CLASSES; k++) {
      dot_tile_1(row, w + (ulong)k * FEATURES, FEATURES, out);
      UNROLL for (int i = 0; i < ROW_TILE; i++) z[k * BLOCK_ROWS + first + i] = out[i] + w[(ulong)CLASSES * FEATURES + k];
    }
  }
}

// The largest logit of 8 rows. fmax drops a NaN, but exp(NaN - m) brings it back into the sums.
static inline float8 largest_logits(const float *z) {
  float8 m = vload8(0, z);
  for (uint k = 1; k < CLASSES; k++) m = fmax(m, vload8(0, z + k * BLOCK_ROWS));
  return m;
}

// Eight rows from z + i: z -> residuals in place (rows past the last: 0); the losses are added to (high, low). See rows.cl.
static inline void eight_residuals(float *z, int8 labels, int8 valid, float scale, float8 *high, float8 *low) {
  float8 m = largest_logits(z), other = 0.0f, target = 0.0f, distance = 0.0f;
  for (uint k = 0; k < CLASSES; k++) {
    float8 away = vload8(0, z + k * BLOCK_ROWS) - m, e = exp(away);
    int8 mine = labels == (int)k;
    other += select(e, (float8)(0.0f), mine);
    target = select(target, e, mine);
    distance = select(distance, away, mine);
    vstore8(e, 0, z + k * BLOCK_ROWS);
  }
  float8 total = other + target, factor = scale / total;
  float8 loss = select(log(total) - distance, log1p(other), distance == 0.0f);
  for (uint k = 0; k < CLASSES; k++) {
    float8 r = select(vload8(0, z + k * BLOCK_ROWS), -other, labels == (int)k) * factor;
    vstore8(select((float8)(0.0f), r, valid), 0, z + k * BLOCK_ROWS);
  }
  accumulate8(high, low, select((float8)(0.0f), loss, valid));
}

// Eight rows: q -> scale a (q - <a, q>) in place, a = softmax(z).
static inline void eight_hessian_terms(float *z, float *q, int8 valid, float scale) {
  float8 m = largest_logits(z), total = 0.0f, mean = 0.0f;
  for (uint k = 0; k < CLASSES; k++) {
    float8 e = exp(vload8(0, z + k * BLOCK_ROWS) - m);
    total += e;
    mean = fma(e, vload8(0, q + k * BLOCK_ROWS), mean);
    vstore8(e, 0, z + k * BLOCK_ROWS);
  }
  mean /= total;
  float8 factor = scale / total;
  for (uint k = 0; k < CLASSES; k++) {
    float8 t = vload8(0, z + k * BLOCK_ROWS) * factor * (vload8(0, q + k * BLOCK_ROWS) - mean);
    vstore8(select((float8)(0.0f), t, valid), 0, q + k * BLOCK_ROWS);
  }
}

// slab (P) (+)= R' X and, in its last K, the column sums of R.
static inline void block_gradient(global const float *x, uint rows, const float *r, global float *slab, uint add) {
  ulong d = 0;
  for (; d + OUTER_FEATURES <= FEATURES; d += OUTER_FEATURES) {
    uint k = 0;
    for (; k + OUTER_CLASSES <= CLASSES; k += OUTER_CLASSES)
      outer_tile(x + d, FEATURES, r + k * BLOCK_ROWS, 1, BLOCK_ROWS, rows, slab + (ulong)k * FEATURES + d, FEATURES, add);
    for (; k < CLASSES; k++)
      outer_tile_1(x + d, FEATURES, r + k * BLOCK_ROWS, 1, BLOCK_ROWS, rows, slab + (ulong)k * FEATURES + d, FEATURES, add);
  }
  for (; d < FEATURES; d++) {
    uint k = 0;
    for (; k + OUTER_CLASSES <= CLASSES; k += OUTER_CLASSES)
      outer_tile_tail(x + d, FEATURES, r + k * BLOCK_ROWS, 1, BLOCK_ROWS, rows, slab + (ulong)k * FEATURES + d, FEATURES, add);
    for (; k < CLASSES; k++)
      outer_tile_1_tail(x + d, FEATURES, r + k * BLOCK_ROWS, 1, BLOCK_ROWS, rows, slab + (ulong)k * FEATURES + d, FEATURES, add);
  }
  for (uint k = 0; k < CLASSES; k++) {
    float sum = add ? slab[(ulong)CLASSES * FEATURES + k] : 0.0f;
    for (uint i = 0; i < rows; i++) sum += r[k * BLOCK_ROWS + i];
    slab[(ulong)CLASSES * FEATURES + k] = sum;
  }
}

// x (N,D), labels (N), w and v (P), slabs (groups,P), losses (groups) pairs (high, low). Rows [row_begin, row_begin + row_count).
// HESSIAN 0: v is not read. HESSIAN 1: labels and losses are not touched. want_gradient 0: slabs are not touched.
// add 1: slabs and losses hold sums of other rows, which are kept.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void fused_pass(global const float *x, global const int *labels, global const float *w,
                                                                       global const float *v, global float *slabs, global float2 *losses,
                                                                       ulong row_begin, ulong row_count, float scale, uint want_gradient,
                                                                       uint add) {
  ulong group = get_group_id(0), groups = get_num_groups(0), parameters = (ulong)CLASSES * FEATURES + CLASSES;
  ulong blocks = (row_count + BLOCK_ROWS - 1) / BLOCK_ROWS;
  ulong block_first = blocks * group / groups, block_last = blocks * (group + 1) / groups;
  float8 high = 0.0f, low = 0.0f;
  float z[CLASSES * BLOCK_ROWS];
#if HESSIAN
  float q[CLASSES * BLOCK_ROWS];
#endif
  for (ulong block = block_first; block < block_last; block++) {
    ulong first = row_begin + block * BLOCK_ROWS;
    uint rows = (uint)min((ulong)BLOCK_ROWS, row_begin + row_count - first);
    global const float *block_x = x + first * FEATURES;
    block_logits(block_x, rows, w, z);
#if HESSIAN
    block_logits(block_x, rows, v, q);
#endif
    for (uint i = 0; i < rows; i += 8) {
      int8 lane = (int8)(0, 1, 2, 3, 4, 5, 6, 7) + (int)i;
      int8 valid = lane < (int8)((int)rows);
#if HESSIAN
      eight_hessian_terms(z + i, q + i, valid, scale);
#else
      int8 mine;
      if (i + 8 <= rows) {
        mine = vload8(0, labels + first + i);
      } else {
        int last[8];
        for (uint lane_index = 0; lane_index < 8; lane_index++) last[lane_index] = labels[first + min(i + lane_index, rows - 1)];
        mine = vload8(0, last);
      }
      eight_residuals(z + i, mine, valid, scale, &high, &low);
#endif
    }
#if HESSIAN
    block_gradient(block_x, rows, q, slabs + group * parameters, add || block != block_first);
#else
    if (want_gradient) block_gradient(block_x, rows, z, slabs + group * parameters, add || block != block_first);
#endif
  }
#if !HESSIAN
  store_sum(losses + group, accumulated_lanes(high, low), add);
#endif
}
