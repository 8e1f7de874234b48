// The fused pass of the GPU family for few classes: X comes from memory once. A work-item owns QUADS groups of four neighbouring features and
// GROUP_CLASSES classes, and keeps the gradient of those in registers over the whole share. A group takes BLOCK_ROWS rows at a time:
//   logits of its features, for its rows  ->  added up over the owners of a row in local memory  ->  softmax, losses, R = scale (softmax(Z) - P),
//   lanes of a row sharing out its classes  ->  G += R' X
//   Hessian: Q = X V' + c too, and R = scale a (q - <a, q>)
// X of a block is in registers (KEEP_X), where an item has all classes, else in local memory, where the items that share a class group's features
// meet it. W is in registers (KEEP_W 2), in local memory (1) or comes from global memory (0), the first-level cache.
// Work size: shares x ITEMS; each takes share_blocks blocks in order (the last what is left) and has its own partial gradient (P).
// X as storage.clh says. Macros: FEATURES D, CLASSES K <= 32, HESSIAN 0 or 1, TEAM (of team.clh), and what FusedShape
// (host/compute/native/fused_shape.h) says: ITEMS, QUADS, GROUP_CLASSES, ROW_QUADS, ROW_GROUPS, KEEP_X, KEEP_W, CHUNKS. ITEMS 0: features are too
// many for that, see fused_wide.clh.
#include "compiler.clh"
#include "constants.clh"
#include "softmax.clh"
#include "storage.clh"
#include "team.clh"

#ifndef CLASSES // a small shape, for who compiles this without macros
#define CLASSES 3
#define FEATURES 32
#define HESSIAN 0
#define ITEMS 256
#define QUADS 1
#define GROUP_CLASSES 3
#define ROW_QUADS 2
#define ROW_GROUPS 32
#define KEEP_X 1
#define KEEP_W 2
#define CHUNKS 1
#endif

#if ITEMS == 0
#include "fused_wide.clh"
#else

// NVIDIA's compiler heeds a bound of registers (-cl-nv-maxrregcount) only where the size of a group is open.
#ifdef REGISTERS
#define GROUP_OF_ITEMS
#else
#define GROUP_OF_ITEMS __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
#endif
#define SETS (1 + HESSIAN)
#define DIVIDE_UP(count, size) (((count) + (size)-1) / (size))
#define SLICES DIVIDE_UP(DIVIDE_UP(FEATURES, 4), QUADS) // an item owns quads slice, slice + SLICES, ..., so that neighbours own neighbours
#define CLASS_GROUPS DIVIDE_UP(CLASSES, GROUP_CLASSES)
#define OWNERS (SLICES * CLASS_GROUPS) // of a row
#define OUTPUTS (SETS * GROUP_CLASSES) // logits of an item and row
#define CHUNK (OUTPUTS / CHUNKS)       // of them that are added up at a time
#define BLOCK_QUADS (ROW_QUADS * ROW_GROUPS)
#define BLOCK_ROWS (4 * BLOCK_QUADS)
#define ROW_FEATURES (4 * QUADS * SLICES)
// Whether there is such a feature or class; true at compile time where owners fit.
#define IS_FEATURE(d) (ROW_FEATURES > FEATURES ? (d) < FEATURES : 1)
#define IS_CLASS(k) (CLASSES % GROUP_CLASSES != 0 ? (k) < CLASSES : 1)
#define IS_LANE_CLASS(k) (CLASSES % ROW_LANES != 0 ? (k) < CLASSES : 1)
// Lanes of a row in the softmax, and classes of a lane.
#define LANES_OF(lanes) (lanes * BLOCK_ROWS <= ITEMS && lanes <= CLASSES)
#define ROW_LANES (LANES_OF(8) ? 8 : LANES_OF(4) ? 4 : LANES_OF(2) ? 2 : 1)
#define LANE_CLASSES DIVIDE_UP(CLASSES, ROW_LANES)
// Parts of a sum over the owners of a row: as many as there are items for.
#define CHUNK_SUMS (CLASS_GROUPS * BLOCK_QUADS * CHUNK)
#define PARTS_OF(parts) (parts * CHUNK_SUMS <= ITEMS && 2 * parts <= SLICES)
#define PARTS (PARTS_OF(4) ? 4 : PARTS_OF(2) ? 2 : 1)
// Local memory, in floats. The sums of the owners; those of their parts; logits and partial sums of rows; residuals; W, X.
#define OWNERS_STRIDE (OWNERS | 1) // odd: of vectors of four, so that neither who writes nor who reads them meets a bank twice
#define SUMS_FLOATS (4 * BLOCK_QUADS * CHUNK * OWNERS_STRIDE)
#define PARTS_FLOATS (4 * PARTS * SETS * CLASSES * BLOCK_QUADS)
#define LOGITS_FLOATS (BLOCK_ROWS * CLASSES)
#define LANES_FLOATS (BLOCK_ROWS * ROW_LANES * SETS)
#define GROUP_STRIDE (DIVIDE_UP(GROUP_CLASSES, 4) * 4)
#define ROW_STRIDE (CLASS_GROUPS * GROUP_STRIDE)
#define RESIDUALS_FLOATS (BLOCK_ROWS * ROW_STRIDE)
#define W_FLOATS (KEEP_W == 1 ? SETS * CLASSES * ROW_FEATURES : 0)
#define X_FLOATS (KEEP_X ? 0 : BLOCK_ROWS * ROW_FEATURES)
#define LARGER(a, b) ((a) > (b) ? (a) : (b))
// Logits and sums of lanes come where the sums of the owners were. The end of a share needs room, too: for what groups of rows add to each other.
#define FREE_FLOATS LARGER(SUMS_FLOATS, LOGITS_FLOATS + LANES_FLOATS)
#define BLOCK_FLOATS (FREE_FLOATS + PARTS_FLOATS + RESIDUALS_FLOATS + W_FLOATS + X_FLOATS)
#define OWNED (GROUP_CLASSES * QUADS)
#define END_FLOATS LARGER(BLOCK_ROWS * (ROW_LANES * LANE_CLASSES + 2), ROW_GROUPS / 2 * 4 * OWNED * OWNERS)
#define LOCAL_FLOATS LARGER(BLOCK_FLOATS, END_FLOATS)

// Four features of a row from feature d on, 0 past the last. Rows are aligned where D is a multiple of 4.
static inline float4 load_quad(global const stored *row, uint d) {
  if (!IS_FEATURE(d)) return (float4)(0.0f);
#if FEATURES % 4 == 0
  return x_load4(row, d);
#else
  float4 quad = 0.0f;
  quad.s0 = x_load(row, d);
  if (d + 1 < FEATURES) quad.s1 = x_load(row, d + 1);
  if (d + 2 < FEATURES) quad.s2 = x_load(row, d + 2);
  if (d + 3 < FEATURES) quad.s3 = x_load(row, d + 3);
  return quad;
#endif
}

// The same of the weights of a class.
static inline float4 weights_quad(global const float *w, uint k, uint d) {
  if (!IS_FEATURE(d)) return (float4)(0.0f);
  if (!IS_CLASS(k)) return (float4)(0.0f);
  w += k * FEATURES + d;
#if FEATURES % 4 == 0
  return *(global const float4 *)w;
#else
  float4 quad = 0.0f;
  quad.s0 = w[0];
  if (d + 1 < FEATURES) quad.s1 = w[1];
  if (d + 2 < FEATURES) quad.s2 = w[2];
  if (d + 3 < FEATURES) quad.s3 = w[3];
  return quad;
#endif
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
  float high = 0.0f, low = 0.0f;
#endif
  local float4 pool[LOCAL_FLOATS / 4];
  local float4 *sums = pool, *parts = pool + FREE_FLOATS / 4, *residuals = parts + PARTS_FLOATS / 4;
  local float *logits = (local float *)pool, *lane_sums = logits + LOGITS_FLOATS;
#if KEEP_W == 1
  local float4 *w_kept = residuals + RESIDUALS_FLOATS / 4;
#endif
#if !KEEP_X
  local float4 *x_kept = residuals + (RESIDUALS_FLOATS + W_FLOATS) / 4;
#endif
  const uint item = (uint)get_local_id(0), owner = min(item, (uint)(OWNERS * ROW_GROUPS - 1)); // items too many do what the last one does, in vain
  const uint class_group = owner % CLASS_GROUPS, slice = owner / CLASS_GROUPS % SLICES, row_group = owner / OWNERS;
  const uint lane = item / BLOCK_ROWS, lane_row = item % BLOCK_ROWS; // in the softmax
  const ulong group = get_group_id(0), blocks = (row_count + BLOCK_ROWS - 1) / BLOCK_ROWS;
  const ulong first_block = group * share_blocks, last_block = min(first_block + share_blocks, blocks);
  ulong block = first_block;

  float4 gradient[OWNED];
  float bias_gradient[LANE_CLASSES];
  UNROLL for (uint n = 0; n < OWNED; n++) gradient[n] = 0.0f;
  UNROLL for (uint n = 0; n < LANE_CLASSES; n++) bias_gradient[n] = 0.0f;
#if KEEP_W == 2
  float4 w_kept[OUTPUTS * QUADS];
  UNROLL for (uint o = 0; o < OUTPUTS; o++)
    UNROLL for (uint j = 0; j < QUADS; j++)
      w_kept[o * QUADS + j] = weights_quad(WEIGHTS(o / GROUP_CLASSES), class_group * GROUP_CLASSES + o % GROUP_CLASSES, 4 * (slice + j * SLICES));
#define W(o, j) w_kept[(o) * QUADS + (j)]
#elif KEEP_W == 1
  ONE_AT_A_TIME for (uint e = item; e < SETS * CLASSES * QUADS * SLICES; e += ITEMS)
    w_kept[e] = weights_quad(WEIGHTS(e / (CLASSES * QUADS * SLICES)), e / (QUADS * SLICES) % CLASSES, 4 * (e % (QUADS * SLICES)));
#define W(o, j) w_kept[((o)*QUADS + (j)) * SLICES + slice] // there is one group of classes: o counts them through both sets
#else
#define W(o, j) weights_quad(WEIGHTS((o) / GROUP_CLASSES), class_group * GROUP_CLASSES + (o) % GROUP_CLASSES, 4 * (slice + (j)*SLICES))
#endif
  for (uint e = item; e < RESIDUALS_FLOATS / 4; e += ITEMS) residuals[e] = 0.0f; // of the classes that fill up a group
  barrier(CLK_LOCAL_MEM_FENCE);

#if KEEP_X
  float4 x_kept[4 * ROW_QUADS * QUADS];
#define ROW(q, i) (4 * (row_group * ROW_QUADS + (q)) + (i))
#define LOAD_ROW(q, i, from, rows)                                                                       \
  UNROLL for (uint j = 0; j < QUADS; j++)                                                                \
    x_kept[(4 * (q) + (i)) * QUADS + j] = load_quad((from) + min((uint)ROW(q, i), (rows)-1) * FEATURES, 4 * (slice + j * SLICES))
#define X(q, i, j) x_kept[(4 * (q) + (i)) * QUADS + (j)]
#define EACH_QUAD UNROLL
  {
    ulong first = row_begin + block * BLOCK_ROWS;
    uint rows = (uint)min((ulong)BLOCK_ROWS, row_begin + row_count - first);
    UNROLL for (uint q = 0; q < ROW_QUADS; q++)
      UNROLL for (uint i = 0; i < 4; i++) { LOAD_ROW(q, i, x + first * FEATURES, rows); }
  }
#else
#define ROW(q, i) (4 * (row_group * ROW_QUADS + (q)) + (i))
#define X(q, i, j) x_kept[ROW(q, i) * (QUADS * SLICES) + slice + (j)*SLICES]
#define EACH_QUAD ONE_AT_A_TIME
#endif

  do {
    const ulong first = row_begin + block * BLOCK_ROWS;
    const uint rows = (uint)min((ulong)BLOCK_ROWS, row_begin + row_count - first);
    const bool mine = lane < ROW_LANES && lane_row < rows;
#if !HESSIAN
    const int y = mine ? labels[first + lane_row] : 0;
#endif
    const float weight = mine && row_weights != 0 ? row_weights[first + lane_row] : 1.0f;
#if KEEP_X
    // The next block is asked for as the rows of this one are done with; after the last one this one again, in vain.
    const ulong next = block + 1 < last_block ? first + BLOCK_ROWS : first;
    const uint next_rows = (uint)min((ulong)BLOCK_ROWS, row_begin + row_count - next);
#else
    // Rows past the last repeat it: their residuals are 0.
    UNROLL for (uint n = 0; n < DIVIDE_UP(BLOCK_ROWS * QUADS * SLICES, ITEMS); n++) {
      uint e = item + n * ITEMS, row = e / (QUADS * SLICES), quad = e % (QUADS * SLICES);
      if (BLOCK_ROWS * QUADS * SLICES % ITEMS == 0 || e < BLOCK_ROWS * QUADS * SLICES)
        x_kept[e] = load_quad(x + first * FEATURES + min(row, rows - 1) * FEATURES, 4 * quad);
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
          UNROLL for (uint n = 0; n < CHUNK; n++) sums[((row_group * ROW_QUADS + q) * CHUNK + n) * OWNERS_STRIDE + owner % OWNERS] = sum[n];
      }
      barrier(CLK_LOCAL_MEM_FENCE);
      UNROLL for (uint n = 0; n < DIVIDE_UP(CHUNK_SUMS * PARTS, ITEMS); n++) {
        uint e = item + n * ITEMS;
        if (e >= CHUNK_SUMS * PARTS) continue;
        uint g = e % CLASS_GROUPS, part = e / CLASS_GROUPS % PARTS, output = e / (CLASS_GROUPS * PARTS), q = output / CHUNK;
        uint o = CHUNK_FIRST + output % CHUNK, k = g * GROUP_CLASSES + o % GROUP_CLASSES;
        local const float4 *from = sums + output * OWNERS_STRIDE + g;
        float4 sum = from[part * CLASS_GROUPS];
        UNROLL for (uint s = PARTS; s < SLICES; s += PARTS)
          if (SLICES % PARTS == 0 || s + PARTS <= SLICES || s + part < SLICES) sum += from[(s + part) * CLASS_GROUPS];
        if (IS_CLASS(k)) parts[((CLASS_GROUPS == 1 ? o : o / GROUP_CLASSES * CLASSES + k) * BLOCK_QUADS + q) * PARTS + part] = sum;
      }
      barrier(CLK_LOCAL_MEM_FENCE);
    } while (++chunk < CHUNKS);

    // The softmax of softmax.clh, the classes of a row shared out to its lanes.
#define LOGIT(set, k) ((local const float *)parts + 4 * ((((set)*CLASSES + (k)) * BLOCK_QUADS + lane_row / 4) * PARTS) + lane_row % 4)
#if HESSIAN
    float changes[LANE_CLASSES];
#endif
    UNROLL for (uint n = 0; n < LANE_CLASSES; n++) {
      uint k = lane + n * ROW_LANES;
      if (lane < ROW_LANES && IS_LANE_CLASS(k)) {
        float z = w[CLASSES * FEATURES + k];
        UNROLL for (uint part = 0; part < PARTS; part++) z += LOGIT(0, k)[4 * part];
        logits[k * BLOCK_ROWS + lane_row] = z;
#if HESSIAN
        changes[n] = v[CLASSES * FEATURES + k];
        UNROLL for (uint part = 0; part < PARTS; part++) changes[n] += LOGIT(1, k)[4 * part];
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
    if (mine && lane == 0) accumulate(&high, &low, weight * cross_entropy(others, total, distance));
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
        bias_gradient[n] += residual;
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    EACH_QUAD for (uint q = 0; q < ROW_QUADS; q++)
      UNROLL for (uint i = 0; i < 4; i++) {
        if (want_gradient) {
          float4 row[GROUP_STRIDE / 4];
          UNROLL for (uint n = 0; n < GROUP_STRIDE / 4; n++)
            row[n] = residuals[(ROW(q, i) * ROW_STRIDE + class_group * GROUP_STRIDE) / 4 + n];
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
        LOAD_ROW(q, i, x + next * FEATURES, next_rows);
#endif
      }
#if !KEEP_X
    barrier(CLK_LOCAL_MEM_FENCE); // before the next block of X
#endif
  } while (++block < last_block);

  global float *partial = partials + (first_partial + group) * ((ulong)CLASSES * FEATURES + CLASSES);
  // The bias: sums over the rows of a block. The losses: a tree over the rows.
  local float *ends = (local float *)pool, *highs = ends + BLOCK_ROWS * ROW_LANES * LANE_CLASSES, *lows = highs + BLOCK_ROWS;
  barrier(CLK_LOCAL_MEM_FENCE);
  if (lane < ROW_LANES) UNROLL for (uint n = 0; n < LANE_CLASSES; n++) ends[(lane + n * ROW_LANES) * BLOCK_ROWS + lane_row] = bias_gradient[n];
#if !HESSIAN
  if (lane == 0) highs[lane_row] = high, lows[lane_row] = low;
#endif
  barrier(CLK_LOCAL_MEM_FENCE);
  if (want_gradient)
    for (uint k = item; k < CLASSES; k += ITEMS) {
      local const float4 *rows = (local const float4 *)ends + k * BLOCK_QUADS;
      float4 sum = rows[0];
      EIGHT_AT_A_TIME for (uint q = 1; q < BLOCK_QUADS; q++) sum += rows[q];
      partial[CLASSES * FEATURES + k] = (sum.s0 + sum.s1) + (sum.s2 + sum.s3);
    }
#if !HESSIAN
  uint width = 128;
  do {
    if (item < width && item + width < BLOCK_ROWS) {
      high = highs[item], low = lows[item];
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
