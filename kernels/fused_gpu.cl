// The fused pass of the GPU family for few classes: X comes from memory once. A work-item owns QUADS groups of four neighbouring features and
// GROUP_CLASSES classes, and keeps the gradient of those in registers over the whole share. A group takes BLOCK_ROWS rows at a time:
//   logits of its features, for its rows  ->  added up over the owners of a row in local memory  ->  softmax, losses, R = scale (softmax(Z) - P),
//   lanes of a row sharing out its classes  ->  G += R' X
//   Hessian: Q = X V' + c too, and R = scale a (q - <a, q>)
// X of a block is in registers (KEEP_X), where an item has all classes, else in local memory, where the items that share a class group's features
// meet it. W is in registers (KEEP_W 2), in local memory (1) or comes from global memory (0), the first-level cache.
// Work size: shares x ITEMS; each takes share_blocks blocks in order (the last what is left) and has its own partial gradient (P).
// X as storage.clh says. Macros: FEATURES D, CLASSES K <= 32, HESSIAN 0 or 1, ALIGNED 1 where
// rows begin at multiples of four elements, TEAM (of team.clh), and what FusedShape
// (host/compute/native/fused_shape.h) says: ITEMS, QUADS, GROUP_CLASSES, ROW_QUADS, ROW_GROUPS, KEEP_X, KEEP_W, CHUNKS.
// TENSOR: on tensor cores, see fused_tensor.clh. Features too many for a group go through blocks of rows (block_gpu.cl).
#include "compiler.clh"
#include "constants.clh"
#include "softmax.clh"
#include "storage.clh"
#include "team.clh"

#ifndef CLASSES // a small shape, for who compiles this without macros
#define CLASSES 3
#define FEATURES 32
#define HESSIAN 0
#define ALIGNED 1
#define ITEMS 256
#define QUADS 1
#define GROUP_CLASSES 3
#define ROW_QUADS 2
#define ROW_GROUPS 32
#define KEEP_X 1
#define KEEP_W 2
#define CHUNKS 1
#endif

// NVIDIA's compiler heeds a bound of registers (-cl-nv-maxrregcount) only where the size of a group is open.
#ifdef REGISTERS
#define GROUP_OF_ITEMS
#else
#define GROUP_OF_ITEMS GROUP_SIZE(ITEMS)
#endif
#ifdef TENSOR
#include "fused_tensor.clh"
#else
#include "fused_sizes.clh"

// Whether there is such a feature or class; true at compile time where owners fit.
#define IS_FEATURE(d) (ROW_FEATURES > FEATURES ? (d) < FEATURES : 1)
#define IS_CLASS(k) (CLASSES % GROUP_CLASSES != 0 ? (k) < CLASSES : 1)
#define IS_LANE_CLASS(k) (CLASSES % ROW_LANES != 0 ? (k) < CLASSES : 1)

#include "fused_quads.clh"
#define ROW_QUAD(row, d) load_quad((row) + (d), d)
static inline float4 class_quad(global const float *w, uint k, uint d) {
  if (!IS_CLASS(k)) return (float4)(0.0f);
  return weights_quad(w + k * FEATURES + d, d);
}

// sum += four features of a row times those of a class
#define DOT(sum, x, w) fma((x).s3, (w).s3, fma((x).s2, (w).s2, fma((x).s1, (w).s1, fma((x).s0, (w).s0, sum))))

#if HESSIAN
kernel GROUP_OF_ITEMS void fused_hessian(global const stored *x, ulong row_begin, ulong row_count,
                                                                              uint share_blocks, ulong first_share, float scale,
                                                                              global const float *w, global float *partials, uint first_partial,
                                                                              global const float *v, global const float *row_weights) {
  const uint want_gradient = 1;
#define WEIGHTS(set) ((set) == 0 ? w : v)
#else
kernel GROUP_OF_ITEMS void fused_gradient(global const stored *x, ulong row_begin, ulong row_count,
                                                                               uint share_blocks, ulong first_share, float scale,
                                                                               global const float *w, global float *partials, uint first_partial,
                                                                               global const int *labels, global const float *row_weights,
                                                                               global float2 *losses, uint want_gradient) {
#define WEIGHTS(set) w
#endif
  local float4 pool[LOCAL_FLOATS / 4];
  local float4 *sums = pool, *parts = pool + FREE_FLOATS / 4, *residuals = parts + PARTS_FLOATS / 4;
  local float *logits = (local float *)pool, *lane_sums = logits + LOGITS_FLOATS;
  local float *const totals = (local float *)(residuals + (RESIDUALS_FLOATS + W_FLOATS + X_FLOATS) / 4), *const biases = totals + TOTALS_FLOATS;
  local float *const highs = totals + BLOCK_ROWS * ROW_LANES * LANE_CLASSES, *const lows = highs + BLOCK_ROWS;
#if KEEP_W == 1
  local float4 *w_kept = residuals + RESIDUALS_FLOATS / 4;
#endif
#if !KEEP_X
  local float4 *x_kept = residuals + (RESIDUALS_FLOATS + W_FLOATS) / 4;
#endif
  const uint item = (uint)get_local_id(0), owner = min(item, (uint)(OWNERS * ROW_GROUPS - 1)); // items too many do what the last one does, in vain
  const uint class_group = owner % CLASS_GROUPS, slice = owner / CLASS_GROUPS % SLICES, row_group = owner / OWNERS;
  const uint lane = item / BLOCK_ROWS, lane_row = item % BLOCK_ROWS; // in the softmax
  const uint group = (uint)get_group_id(0), share_rows = share_blocks * BLOCK_ROWS;
  ulong first = row_begin + (ulong)group * share_rows; // of a block
  const ulong end = row_begin + min(((ulong)group + 1) * share_rows, row_count);
#define ROWS_FROM(first) ((uint)min((ulong)BLOCK_ROWS, end - (first)))

  float4 gradient[OWNED];
  UNROLL for (uint n = 0; n < OWNED; n++) gradient[n] = 0.0f;
#if KEEP_W == 2
  float4 w_kept[OUTPUTS * QUADS];
  UNROLL for (uint o = 0; o < OUTPUTS; o++)
    UNROLL for (uint j = 0; j < QUADS; j++)
      w_kept[o * QUADS + j] = class_quad(WEIGHTS(o / GROUP_CLASSES), class_group * GROUP_CLASSES + o % GROUP_CLASSES, 4 * (slice + j * SLICES));
#define W(o, j) w_kept[(o) * QUADS + (j)]
#elif KEEP_W == 1
  ONE_AT_A_TIME for (uint e = item; e < SETS * CLASSES * QUADS * SLICES; e += ITEMS)
    w_kept[e] = class_quad(WEIGHTS(e / (CLASSES * QUADS * SLICES)), e / (QUADS * SLICES) % CLASSES, 4 * (e % (QUADS * SLICES)));
  local const float4 *const w_at = w_kept + slice; // there is one group of classes: outputs count them through both sets
#define W(o, j) w_at[((o)*QUADS + (j)) * SLICES]
#else
#define W(o, j) class_quad(WEIGHTS((o) / GROUP_CLASSES), class_group * GROUP_CLASSES + (o) % GROUP_CLASSES, 4 * (slice + (j)*SLICES))
#endif
  for (uint e = item; e < RESIDUALS_FLOATS / 4; e += ITEMS) residuals[e] = 0.0f; // of the classes that fill up a group
  for (uint e = item; e < TOTALS_FLOATS; e += ITEMS) totals[e] = 0.0f;
  for (uint e = item; e < SETS * CLASSES; e += ITEMS) biases[e] = WEIGHTS(e / CLASSES)[CLASSES * FEATURES + e % CLASSES];
  barrier(CLK_LOCAL_MEM_FENCE);

  // What is this item's of each, so that constants lead from there to the rest.
  const uint first_row = 4 * ROW_QUADS * row_group;
  local float4 *const sums_at = sums + row_group * ROW_QUADS * CHUNK * OWNERS_STRIDE + owner % OWNERS;
  local const float4 *const residuals_at = residuals + (first_row * ROW_STRIDE + class_group * GROUP_STRIDE) / 4;
#if KEEP_X
  float4 x_kept[4 * ROW_QUADS * QUADS];
#define X(q, i, j) x_kept[(4 * (q) + (i)) * QUADS + (j)]
  // Row i of this item in a block whose rows begin at `from`, of which it has the first or, if that is not there, the last, and `left` after it.
#define LOAD_ROW(i, from, left)                                                    \
  UNROLL for (uint j = 0; j < QUADS; j++)                                          \
    x_kept[(i)*QUADS + j] = ROW_QUAD((from) + min((uint)(i), left) * FEATURES, 4 * (slice + j * SLICES))
#define FROM(first, rows) (x + ((first) + min(first_row, (rows)-1)) * FEATURES)
#define LEFT(rows) ((rows)-1 - min(first_row, (rows)-1))
#define EACH_QUAD UNROLL
  {
    const uint rows = ROWS_FROM(first), left = LEFT(rows);
    global const stored *from = FROM(first, rows);
    UNROLL for (uint i = 0; i < 4 * ROW_QUADS; i++) { LOAD_ROW(i, from, left); }
  }
#else
  local const float4 *const x_at = x_kept + first_row * (QUADS * SLICES) + slice;
#define X(q, i, j) x_at[(4 * (q) + (i)) * (QUADS * SLICES) + (j)*SLICES]
#define EACH_QUAD ONE_AT_A_TIME
#endif
  do {
    const uint rows = ROWS_FROM(first);
    const bool mine = lane < ROW_LANES && lane_row < rows;
#if !HESSIAN
    const int y = mine ? labels[first + lane_row] : 0;
#endif
    const float weight = mine && row_weights != 0 ? row_weights[first + lane_row] : 1.0f;
#if !KEEP_X
    // Rows past the last repeat it: their residuals are 0.
    global const stored *const from = x + first * FEATURES;
    UNROLL for (uint n = 0; n < DIVIDE_UP(BLOCK_ROWS * QUADS * SLICES, ITEMS); n++) {
      uint e = item + n * ITEMS, row = e / (QUADS * SLICES), quad = e % (QUADS * SLICES);
      if (ITEMS % (QUADS * SLICES) == 0) row = item / (QUADS * SLICES) + n * (ITEMS / (QUADS * SLICES)), quad = item % (QUADS * SLICES);
      if (BLOCK_ROWS * QUADS * SLICES % ITEMS == 0 || e < BLOCK_ROWS * QUADS * SLICES)
        x_kept[e] = ROW_QUAD(from + min(row, rows - 1) * FEATURES, 4 * quad);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
#endif
    // The logits, CHUNK of every item at a time.
#define CHUNK_FIRST (CHUNKS == 1 ? 0 : chunk * CHUNK)
    uint chunk = 0;
    do {
      EACH_QUAD for (uint q = 0; q < ROW_QUADS; q++) {
        float4 sum[CHUNK];
        UNROLL for (uint n = 0; n < CHUNK; n++) sum[n] = 0.0f;
        UNROLL for (uint j = 0; j < QUADS; j++) {
          const float4 x0 = X(q, 0, j), x1 = X(q, 1, j), x2 = X(q, 2, j), x3 = X(q, 3, j);
          UNROLL for (uint n = 0; n < CHUNK; n++) {
            const float4 weights = W(CHUNK_FIRST + n, j);
            sum[n] = (float4)(DOT(sum[n].s0, x0, weights), DOT(sum[n].s1, x1, weights), DOT(sum[n].s2, x2, weights), DOT(sum[n].s3, x3, weights));
          }
        }
        if (item < OWNERS * ROW_GROUPS)
          UNROLL for (uint n = 0; n < CHUNK; n++) sums_at[(q * CHUNK + n) * OWNERS_STRIDE] = sum[n];
      }
      barrier(CLK_LOCAL_MEM_FENCE);
      UNROLL for (uint n = 0; n < DIVIDE_UP(CHUNK_SUMS * PARTS, ITEMS); n++) {
        uint e = item + n * ITEMS;
        if (e >= CHUNK_SUMS * PARTS) continue;
        uint g = e % CLASS_GROUPS, part = e / CLASS_GROUPS % PARTS, output = e / (CLASS_GROUPS * PARTS), q = output / CHUNK;
        local const float4 *from = sums + output * OWNERS_STRIDE + part * CLASS_GROUPS + g;
        float4 sum = from[0];
        UNROLL for (uint s = PARTS; s < SLICES; s += PARTS)
          if (s + PARTS <= SLICES || s + part < SLICES) sum += from[s * CLASS_GROUPS];
        parts[(((CHUNK_FIRST + output % CHUNK) * CLASS_GROUPS + g) * PARTS + part) * PARTS_STRIDE + q] = sum;
      }
      barrier(CLK_LOCAL_MEM_FENCE);
    } while (++chunk < CHUNKS);

    // The softmax of softmax.clh, the classes of a row shared out to its lanes.
#define PART_OF(set, k, part) \
  ((local const float *)(parts + ((((set)*GROUP_CLASSES + (k) % GROUP_CLASSES) * CLASS_GROUPS + (k) / GROUP_CLASSES) * PARTS + (part)) * PARTS_STRIDE))[lane_row]
#if HESSIAN
    float changes[LANE_CLASSES];
#endif
    UNROLL for (uint n = 0; n < LANE_CLASSES; n++) {
      uint k = lane + n * ROW_LANES;
      if (lane < ROW_LANES && IS_LANE_CLASS(k)) {
        float z = biases[k];
        UNROLL for (uint part = 0; part < PARTS; part++) z += PART_OF(0, k, part);
        logits[k * BLOCK_ROWS + lane_row] = z;
#if HESSIAN
        changes[n] = biases[CLASSES + k];
        UNROLL for (uint part = 0; part < PARTS; part++) changes[n] += PART_OF(1, k, part);
#endif
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    float exponentials[LANE_CLASSES], largest = logits[lane_row], others = 0.0f;
    UNROLL for (uint k = 1; k < CLASSES; k++) largest = fmax(largest, logits[k * BLOCK_ROWS + lane_row]);
#if HESSIAN
    float mean = 0.0f;
#endif
    UNROLL for (uint n = 0; n < LANE_CLASSES; n++) {
      uint k = lane + n * ROW_LANES;
      exponentials[n] = 0.0f;
      if (lane < ROW_LANES && IS_LANE_CLASS(k)) {
        exponentials[n] = exp(logits[k * BLOCK_ROWS + lane_row] - largest);
#if HESSIAN
        others += exponentials[n];
        mean = fma(exponentials[n], changes[n], mean);
#else
        if (k != (uint)y) others += exponentials[n];
#endif
      }
    }
    if (lane < ROW_LANES) {
      lane_sums[lane * BLOCK_ROWS + lane_row] = others;
#if HESSIAN
      lane_sums[(ROW_LANES + lane) * BLOCK_ROWS + lane_row] = mean;
#endif
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    others = lane_sums[lane_row];
    UNROLL for (uint l = 1; l < ROW_LANES; l++) others += lane_sums[l * BLOCK_ROWS + lane_row];
#if HESSIAN
    mean = lane_sums[ROW_LANES * BLOCK_ROWS + lane_row];
    UNROLL for (uint l = 1; l < ROW_LANES; l++) mean += lane_sums[(ROW_LANES + l) * BLOCK_ROWS + lane_row];
    mean /= others;
    const float factor = mine ? scale * weight / others : 0.0f;
#else
    const float distance = logits[y * BLOCK_ROWS + lane_row] - largest, target = exp(distance), total = others + target;
    const float factor = mine ? scale * weight / total : 0.0f;
    if (mine && lane == 0) {
      float high = highs[lane_row], low = lows[lane_row];
      accumulate(&high, &low, weight * cross_entropy(others, total, distance));
      highs[lane_row] = high, lows[lane_row] = low;
    }
#endif
    UNROLL for (uint n = 0; n < LANE_CLASSES; n++) {
      uint k = lane + n * ROW_LANES;
      if (lane < ROW_LANES && IS_LANE_CLASS(k)) {
#if HESSIAN
        float residual = factor * exponentials[n] * (changes[n] - mean);
#else
        float residual = (k == (uint)y ? -others : exponentials[n]) * factor;
#endif
        if (!mine) residual = 0.0f;
        ((local float *)residuals)[lane_row * ROW_STRIDE + k / GROUP_CLASSES * GROUP_STRIDE + k % GROUP_CLASSES] = residual;
        totals[k * BLOCK_ROWS + lane_row] += residual;
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);

#if KEEP_X
    // The next block is asked for as the rows of this one are done with; after the last one this one again, in vain.
    const ulong next = first + BLOCK_ROWS < end ? first + BLOCK_ROWS : first;
    const uint next_rows = ROWS_FROM(next), next_left = LEFT(next_rows);
    global const stored *const next_from = FROM(next, next_rows);
#endif
    EACH_QUAD for (uint q = 0; q < ROW_QUADS; q++)
      UNROLL for (uint i = 0; i < 4; i++) {
        if (want_gradient) {
          float4 row[GROUP_STRIDE / 4];
          UNROLL for (uint n = 0; n < GROUP_STRIDE / 4; n++)
            row[n] = residuals_at[(4 * q + i) * (ROW_STRIDE / 4) + n];
          UNROLL for (uint j = 0; j < QUADS; j++) {
            const float4 values = X(q, i, j);
            UNROLL for (uint c = 0; c < GROUP_CLASSES; c++) {
              const float4 four = row[c / 4];
              const float residual = c % 4 == 0 ? four.s0 : c % 4 == 1 ? four.s1 : c % 4 == 2 ? four.s2 : four.s3;
              gradient[c * QUADS + j] = fma((float4)(residual), values, gradient[c * QUADS + j]);
            }
          }
        }
#if KEEP_X
        LOAD_ROW(4 * q + i, next_from, next_left);
#endif
      }
#if !KEEP_X
    barrier(CLK_LOCAL_MEM_FENCE); // before the next block of X
#endif
    first += BLOCK_ROWS;
  } while (first < end);

  global float *partial = partials + ((ulong)first_partial + group) * ((ulong)CLASSES * FEATURES + CLASSES);
  barrier(CLK_LOCAL_MEM_FENCE); // the bias: sums over the rows of a block; the losses: a tree over them
  if (want_gradient)
    for (uint k = item; k < CLASSES; k += ITEMS) {
      local const float4 *rows = (local const float4 *)totals + k * BLOCK_QUADS;
      float4 sum = rows[0];
      EIGHT_AT_A_TIME for (uint q = 1; q < BLOCK_QUADS; q++) sum += rows[q];
      partial[CLASSES * FEATURES + k] = (sum.s0 + sum.s1) + (sum.s2 + sum.s3);
    }
#if !HESSIAN
  uint width = 128;
  do {
    if (item < width && item + width < BLOCK_ROWS) {
      float high = highs[item], low = lows[item];
      accumulate_pair(&high, &low, highs[item + width], lows[item + width]);
      highs[item] = high, lows[item] = low;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    width /= 2;
  } while (width > 0);
  if (item == 0) store_sum(losses + first_share + group, (float2)(highs[0], lows[0]), 0);
#endif
#if ROW_GROUPS > 1
  // The gradients of the groups of rows: the later half of them adds to the earlier half, and so on.
  uint half_groups = ROW_GROUPS / 2;
  barrier(CLK_LOCAL_MEM_FENCE);
  do {
    local float4 *at = pool + row_group % half_groups * (OWNED * OWNERS) + owner % OWNERS;
    if (item < OWNERS * ROW_GROUPS && row_group >= half_groups && row_group < 2 * half_groups)
      UNROLL for (uint n = 0; n < OWNED; n++) at[n * OWNERS] = gradient[n];
    barrier(CLK_LOCAL_MEM_FENCE);
    if (row_group < half_groups) UNROLL for (uint n = 0; n < OWNED; n++) gradient[n] += at[n * OWNERS];
    barrier(CLK_LOCAL_MEM_FENCE);
    half_groups /= 2;
  } while (half_groups > 0);
#endif
  if (want_gradient && item < OWNERS)
    UNROLL for (uint c = 0; c < GROUP_CLASSES; c++)
      UNROLL for (uint j = 0; j < QUADS; j++) {
        uint k = class_group * GROUP_CLASSES + c, d = 4 * (slice + j * SLICES);
        global float *to = partial + k * FEATURES + d;
        const float4 four = gradient[c * QUADS + j];
        if (IS_CLASS(k) && IS_FEATURE(d)) {
          to[0] = four.s0;
          if (FEATURES % 4 == 0 || d + 1 < FEATURES) to[1] = four.s1;
          if (FEATURES % 4 == 0 || d + 2 < FEATURES) to[2] = four.s2;
          if (FEATURES % 4 == 0 || d + 3 < FEATURES) to[3] = four.s3;
        }
      }
}
#endif

#ifdef SMALL // common.cl says why
#include "accurate_logits.cl"
#include "vector.cl"
#endif
