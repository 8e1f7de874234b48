// The fused pass of the GPU family for few classes: a group takes BLOCK_ROWS rows at a time, so that X comes from memory once (for the
// logits) and from the second-level cache the second time (for the gradient).
//   Z = X W' + b in local memory  ->  R = scale (softmax(Z) - P), losses  ->  G += R' X, a work-item owning whole features
//   Hessian: Q = X V' + c too, and R = scale a (q - <a, q>)
// Work size: shares x TEAM; each takes share_blocks blocks in order (the last what is left) and has its own partial gradient (P).
// X as storage.clh says. Macros: CLASSES K <= 32, TEAM work-items (at least BLOCK_ROWS). Features D are an argument.
// Local memory: 16 KB at K = 32, 26 KB for a Hessian.
#include "constants.clh"
#include "softmax.clh"
#include "storage.clh"
#include "team.clh"

#ifndef CLASSES
#define CLASSES 3
#endif
#define BLOCK_ROWS FUSED_ROWS_GPU
#define DEPTH 16
#define OUTPUTS ((BLOCK_ROWS * CLASSES + TEAM - 1) / TEAM) // logits of a work-item

// The logits of a block under the first SETS_ of the parameter vectors w0, w1 in one read of X: z[s][k][i] = <x_i, w_sk> + bias_sk for its rows
// (0 past the last). x_tile, w_tile: DEPTH features of the rows, then of each set's weights. Ends with a barrier.
// One function for both sets: with one that a kernel called twice, PoCL's Hessian was wrong now and then (README.md, "Barriers on PoCL").
#define DEFINE_BLOCK_LOGITS(name, SETS_)                                                                                               \
  static inline void name(global const stored *x, uint rows, uint features, global const float *w0, global const float *w1,            \
                          local float *z, local float *x_tile, local float *w_tile) {                                                  \
    uint item = TEAM_ITEM;                                                                                                             \
    float sums[(SETS_)*OUTPUTS];                                                                                                       \
    for (int o = 0; o < (SETS_)*OUTPUTS; o++) sums[o] = 0.0f;                                                                          \
    uint depth = 0;                                                                                                                    \
    do {                                                                                                                               \
      for (uint e = item; e < BLOCK_ROWS * DEPTH; e += TEAM) {                                                                         \
        uint i = e / DEPTH, d = e % DEPTH;                                                                                             \
        x_tile[d * (BLOCK_ROWS + 1) + i] = i < rows && depth + d < features ? x_load(x, (ulong)i * features + (depth + d)) : 0.0f;     \
      }                                                                                                                                \
      for (uint e = item; e < CLASSES * DEPTH; e += TEAM) {                                                                            \
        uint k = e / DEPTH, d = e % DEPTH;                                                                                             \
        for (int s = 0; s < (SETS_); s++)                                                                                              \
          w_tile[s * CLASSES * DEPTH + e] = depth + d < features ? (s == 0 ? w0 : w1)[(ulong)k * features + (depth + d)] : 0.0f;       \
      }                                                                                                                                \
      barrier(CLK_LOCAL_MEM_FENCE);                                                                                                    \
      for (int o = 0; o < OUTPUTS; o++) {                                                                                              \
        uint output = item + o * TEAM, i = output % BLOCK_ROWS, k = output / BLOCK_ROWS;                                               \
        if (k < CLASSES)                                                                                                               \
          for (int d = 0; d < DEPTH; d++) {                                                                                            \
            float value = x_tile[d * (BLOCK_ROWS + 1) + i];                                                                            \
            for (int s = 0; s < (SETS_); s++)                                                                                          \
              sums[s * OUTPUTS + o] = fma(value, w_tile[(s * CLASSES + k) * DEPTH + d], sums[s * OUTPUTS + o]);                        \
          }                                                                                                                            \
      }                                                                                                                                \
      barrier(CLK_LOCAL_MEM_FENCE); /* before the tiles are overwritten */                                                             \
      depth += DEPTH;                                                                                                                  \
    } while (depth < features);                                                                                                        \
    for (int o = 0; o < OUTPUTS; o++) {                                                                                                \
      uint output = item + o * TEAM, k = output / BLOCK_ROWS;                                                                          \
      if (k < CLASSES)                                                                                                                 \
        for (int s = 0; s < (SETS_); s++)                                                                                              \
          z[s * CLASSES * BLOCK_ROWS + output] = sums[s * OUTPUTS + o] + (s == 0 ? w0 : w1)[(ulong)CLASSES * features + k];            \
    }                                                                                                                                  \
    barrier(CLK_LOCAL_MEM_FENCE);                                                                                                      \
  }
DEFINE_BLOCK_LOGITS(block_logits, 1)
DEFINE_BLOCK_LOGITS(block_logits_of_both, 2)

DEFINE_SOFTMAX(item, local, float, int, load_one, store_one, accumulate, BLOCK_ROWS)

// partial (P) (+)= R' X and, in its last K, the column sums of R. Ends without a barrier: r must not be overwritten before one.
static inline void block_gradient(global const stored *x, uint rows, uint features, local const float *r, global float *partial, uint add) {
  for (uint d = TEAM_ITEM; d < features; d += TEAM) {
    float sums[CLASSES];
    for (int k = 0; k < CLASSES; k++) sums[k] = 0.0f;
    global const stored *column = x + d;
    for (uint i = 0; i < rows; i++, column += features) {
      float value = x_load(column, 0);
      for (int k = 0; k < CLASSES; k++) sums[k] = fma(r[k * BLOCK_ROWS + i], value, sums[k]);
    }
    for (int k = 0; k < CLASSES; k++) {
      global float *to = partial + (ulong)k * features + d;
      *to = add ? *to + sums[k] : sums[k];
    }
  }
  if (TEAM_ITEM < CLASSES) {
    global float *to = partial + (ulong)CLASSES * features + TEAM_ITEM;
    float sum = 0.0f;
    for (uint i = 0; i < rows; i++) sum += r[TEAM_ITEM * BLOCK_ROWS + i];
    *to = add ? *to + sum : sum;
  }
}

// Arguments of both as in fused_cpu.cl.
kernel __attribute__((reqd_work_group_size(TEAM, 1, 1))) void fused_gradient(global const stored *x, uint features, ulong row_begin, ulong row_count,
                                                                              uint share_blocks, ulong first_share, float scale,
                                                                              global const float *w, global float *partials, uint first_partial,
                                                                              global const int *labels, global const float *row_weights,
                                                                              global float2 *losses, uint want_gradient) {
  local float x_tile[DEPTH * (BLOCK_ROWS + 1)], w_tile[CLASSES * DEPTH], z[CLASSES * BLOCK_ROWS], scratch[2 * TEAM];
  ulong group = get_group_id(0), blocks = (row_count + BLOCK_ROWS - 1) / BLOCK_ROWS;
  ulong first_block = group * share_blocks, last_block = min(first_block + share_blocks, blocks), block = first_block;
  global float *partial = partials + (first_partial + group) * ((ulong)CLASSES * features + CLASSES);
  float high = 0.0f, low = 0.0f;
  do {
    ulong first = row_begin + block * BLOCK_ROWS;
    uint rows = (uint)min((ulong)BLOCK_ROWS, row_begin + row_count - first);
    block_logits(x + first * features, rows, features, w, w, z, x_tile, w_tile);
    if (TEAM_ITEM < rows) {
      float weight = row_weights != 0 ? row_weights[first + TEAM_ITEM] : 1.0f;
      accumulate(&high, &low, weight * item_residuals(z + TEAM_ITEM, CLASSES, labels[first + TEAM_ITEM], scale * weight));
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (want_gradient) block_gradient(x + first * features, rows, features, z, partial, block != first_block);
    barrier(CLK_LOCAL_MEM_FENCE); // before the next block's residuals overwrite these
  } while (++block < last_block);
  float2 pair = team_sum((float2)(high, low), scratch);
  if (TEAM_ITEM == 0) store_sum(losses + first_share + group, pair, 0);
}

kernel __attribute__((reqd_work_group_size(TEAM, 1, 1))) void fused_hessian(global const stored *x, uint features, ulong row_begin, ulong row_count,
                                                                             uint share_blocks, ulong first_share, float scale,
                                                                             global const float *w, global float *partials, uint first_partial,
                                                                             global const float *v, global const float *row_weights) {
  local float x_tile[DEPTH * (BLOCK_ROWS + 1)], w_tile[2 * CLASSES * DEPTH], z[2 * CLASSES * BLOCK_ROWS];
  local float *q = z + CLASSES * BLOCK_ROWS;
  ulong group = get_group_id(0), blocks = (row_count + BLOCK_ROWS - 1) / BLOCK_ROWS;
  ulong first_block = group * share_blocks, last_block = min(first_block + share_blocks, blocks), block = first_block;
  global float *partial = partials + (first_partial + group) * ((ulong)CLASSES * features + CLASSES);
  do {
    ulong first = row_begin + block * BLOCK_ROWS;
    uint rows = (uint)min((ulong)BLOCK_ROWS, row_begin + row_count - first);
    block_logits_of_both(x + first * features, rows, features, w, v, z, x_tile, w_tile);
    if (TEAM_ITEM < rows) {
      item_probabilities(z + TEAM_ITEM, CLASSES);
      item_hessian_terms(z + TEAM_ITEM, q + TEAM_ITEM, CLASSES, row_weights != 0 ? scale * row_weights[first + TEAM_ITEM] : scale);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    block_gradient(x + first * features, rows, features, q, partial, block != first_block);
    barrier(CLK_LOCAL_MEM_FENCE); // before the next block's terms overwrite these
  } while (++block < last_block);
}

#ifdef SMALL // common.cl says why
#include "accurate_logits.cl"
#include "vector.cl"
#endif
