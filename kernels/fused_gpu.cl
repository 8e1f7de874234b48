// The fused pass of the GPU family for few classes: a group takes BLOCK_ROWS rows at a time, so that X comes from memory once (for the
// logits) and from the second-level cache the second time (for the gradient).
//   Z = X W' + b in local memory  ->  R = scale (softmax(Z) - P), losses  ->  G += R' X, a work-item owning whole features
//   Hessian: Q = X V' + c too, and R = scale a (q - <a, q>)
// Work size: shares x TEAM; each takes share_blocks blocks in order (the last what is left) and has its own slab (P) of the gradient.
// X as storage.clh says. Macros: FEATURES D, CLASSES K <= 32, TEAM work-items (at least BLOCK_ROWS), HESSIAN 0 or 1.
// Local memory: 16 KB at K = 32, 26 KB for a Hessian.
#include "storage.clh"
#include "team.clh"

#ifndef BLOCK_ROWS
#define BLOCK_ROWS 64
#endif
#ifndef HESSIAN
#define HESSIAN 0
#endif
#define DEPTH 16
#define SETS (1 + HESSIAN)
#define OUTPUTS ((BLOCK_ROWS * CLASSES + TEAM - 1) / TEAM) // logits of a work-item

// The logits of a block under `SETS` weight vectors in one read of X: z[s][k][i] = <x_i, w_sk> + bias_sk for its rows (0 past the last).
// tiles: DEPTH features of the rows, then of each set's weights. Ends with a barrier.
static inline void block_logits(global const stored *x, uint rows, global const float *w, global const float *v, local float *z,
                                local float *x_tile, local float *w_tile) {
  uint item = TEAM_ITEM;
  float sums[SETS * OUTPUTS];
  for (int o = 0; o < SETS * OUTPUTS; o++) sums[o] = 0.0f;
  ulong depth = 0;
  do {
    for (uint e = item; e < BLOCK_ROWS * DEPTH; e += TEAM) {
      uint i = e / DEPTH, d = e % DEPTH;
      x_tile[d * (BLOCK_ROWS + 1) + i] = i < rows && depth + d < FEATURES ? x_load(x, (ulong)i * FEATURES + depth + d) : 0.0f;
    }
    for (uint e = item; e < CLASSES * DEPTH; e += TEAM) {
      uint k = e / DEPTH, d = e % DEPTH;
      w_tile[e] = depth + d < FEATURES ? w[(ulong)k * FEATURES + depth + d] : 0.0f;
#if HESSIAN
      w_tile[CLASSES * DEPTH + e] = depth + d < FEATURES ? v[(ulong)k * FEATURES + depth + d] : 0.0f;
#endif
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int o = 0; o < OUTPUTS; o++) {
      uint output = item + o * TEAM, i = output % BLOCK_ROWS, k = output / BLOCK_ROWS;
      if (k < CLASSES)
        for (int d = 0; d < DEPTH; d++) {
          float value = x_tile[d * (BLOCK_ROWS + 1) + i];
          for (int s = 0; s < SETS; s++) sums[s * OUTPUTS + o] = fma(value, w_tile[(s * CLASSES + k) * DEPTH + d], sums[s * OUTPUTS + o]);
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE); // before the tiles are overwritten
    depth += DEPTH;
  } while (depth < FEATURES);
  for (int o = 0; o < OUTPUTS; o++) {
    uint output = item + o * TEAM, k = output / BLOCK_ROWS;
    if (k < CLASSES) {
      z[output] = sums[o] + w[(ulong)CLASSES * FEATURES + k];
#if HESSIAN
      z[CLASSES * BLOCK_ROWS + output] = sums[OUTPUTS + o] + v[(ulong)CLASSES * FEATURES + k];
#endif
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
}

static inline float column_max(local const float *z) {
  float m = z[0];
  for (uint k = 1; k < CLASSES; k++) m = fmax(m, z[k * BLOCK_ROWS]);
  return m;
}

// One row (z strides by BLOCK_ROWS): z -> residuals in place; returns the loss. See rows.cl for the formulas.
static inline float row_residuals(local float *z, int y, float scale) {
  float m = column_max(z), other = 0.0f, distance = z[y * BLOCK_ROWS] - m;
  for (uint k = 0; k < CLASSES; k++) {
    float e = exp(z[k * BLOCK_ROWS] - m);
    z[k * BLOCK_ROWS] = e;
    if (k != (uint)y) other += e;
  }
  float target = exp(distance), factor = scale / (other + target);
  for (uint k = 0; k < CLASSES; k++) z[k * BLOCK_ROWS] = (k == (uint)y ? -other : z[k * BLOCK_ROWS]) * factor;
  return distance == 0.0f ? log1p(other) : log(other + target) - distance;
}

// One row: q -> scale a (q - <a, q>) in place, a = softmax(z).
static inline void row_hessian_terms(local float *z, local float *q, float scale) {
  float m = column_max(z), total = 0.0f, mean = 0.0f;
  for (uint k = 0; k < CLASSES; k++) {
    float e = exp(z[k * BLOCK_ROWS] - m);
    total += e;
    mean = fma(e, q[k * BLOCK_ROWS], mean);
    z[k * BLOCK_ROWS] = e;
  }
  mean /= total;
  float factor = scale / total;
  for (uint k = 0; k < CLASSES; k++) q[k * BLOCK_ROWS] = z[k * BLOCK_ROWS] * factor * (q[k * BLOCK_ROWS] - mean);
}

// slab (P) (+)= R' X and, in its last K, the column sums of R. Ends without a barrier: r must not be overwritten before one.
static inline void block_gradient(global const stored *x, uint rows, local const float *r, global float *slab, uint add) {
  for (ulong d = TEAM_ITEM; d < FEATURES; d += TEAM) {
    float sums[CLASSES];
    for (int k = 0; k < CLASSES; k++) sums[k] = 0.0f;
    for (uint i = 0; i < rows; i++) {
      float value = x_load(x, (ulong)i * FEATURES + d);
      for (int k = 0; k < CLASSES; k++) sums[k] = fma(r[k * BLOCK_ROWS + i], value, sums[k]);
    }
    for (int k = 0; k < CLASSES; k++) {
      global float *to = slab + (ulong)k * FEATURES + d;
      *to = add ? *to + sums[k] : sums[k];
    }
  }
  if (TEAM_ITEM < CLASSES) {
    global float *to = slab + (ulong)CLASSES * FEATURES + TEAM_ITEM;
    float sum = 0.0f;
    for (uint i = 0; i < rows; i++) sum += r[TEAM_ITEM * BLOCK_ROWS + i];
    *to = add ? *to + sum : sum;
  }
}

// Arguments as in fused_cpu.cl; keep is not used.
kernel __attribute__((reqd_work_group_size(TEAM, 1, 1))) void fused_pass(global const stored *x, global const int *labels, global const float *w,
                                                                          global const float *v, global float *slabs, uint first_slab,
                                                                          global float2 *losses, ulong row_begin, ulong row_count,
                                                                          uint share_blocks, ulong first_share, float scale,
                                                                          uint want_gradient, global float *keep, uint use) {
  local float x_tile[DEPTH * (BLOCK_ROWS + 1)], w_tile[SETS * CLASSES * DEPTH], z[SETS * CLASSES * BLOCK_ROWS];
#if HESSIAN
  local float *q = z + CLASSES * BLOCK_ROWS;
#else
  local float scratch[2 * TEAM];
#endif
  ulong group = get_group_id(0), blocks = (row_count + BLOCK_ROWS - 1) / BLOCK_ROWS;
  ulong block_first = group * share_blocks, block_last = min(block_first + share_blocks, blocks);
  global float *slab = slabs + (first_slab + group) * ((ulong)CLASSES * FEATURES + CLASSES);
  float high = 0.0f, low = 0.0f;
  ulong block = block_first;
  do {
    ulong first = row_begin + block * BLOCK_ROWS;
    uint rows = (uint)min((ulong)BLOCK_ROWS, row_begin + row_count - first);
    global const stored *block_x = x + first * FEATURES;
    block_logits(block_x, rows, w, v, z, x_tile, w_tile);
#if HESSIAN
    if (TEAM_ITEM < rows) row_hessian_terms(z + TEAM_ITEM, q + TEAM_ITEM, scale);
    barrier(CLK_LOCAL_MEM_FENCE);
    block_gradient(block_x, rows, q, slab, block != block_first);
#else
    if (TEAM_ITEM < rows) accumulate(&high, &low, row_residuals(z + TEAM_ITEM, labels[first + TEAM_ITEM], scale));
    barrier(CLK_LOCAL_MEM_FENCE);
    if (want_gradient) block_gradient(block_x, rows, z, slab, block != block_first);
#endif
    barrier(CLK_LOCAL_MEM_FENCE); // before the next block's residuals overwrite these
  } while (++block < block_last);
#if !HESSIAN
  float2 pair = team_sum((float2)(high, low), scratch);
  if (TEAM_ITEM == 0) store_sum(losses + first_share + group, pair, 0);
#endif
}
