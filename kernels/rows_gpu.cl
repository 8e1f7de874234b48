// Softmax, cross-entropy and their derivatives (softmax.clh) on a block of logits held in global memory, GPU family: (rows, stride) row-major, the
// first `classes` columns real, the others -INFINITY (so that they count as probability 0), stride a multiple of 8, rows aligned to 16 bytes.
// ROW_LANES neighbouring work-items share a row, each with every ROW_LANES-th four of its columns, so that a group works on TEAM / ROW_LANES rows at a
// time. Rows of up to ROW_LANES * 4 * ROW_VECTORS columns stay in registers: one read, one write. With ROW_VECTORS 0 a row of any length goes by
// parts: its largest logit and its sums come from one read (a sum is scaled when a part has a larger one), what is written from a second.
// Four terms are added plainly, in pairs; such sums are compensated.
// Work size: groups x TEAM; each has a contiguous share of the batches of rows, which may be none, or group_rows rows. Macros: TEAM (team.clh), ROW_LANES, a power
// of two from 2 on, ROW_VECTORS at most 4.
#include "compiler.clh"
#include "neighbours.clh"
#include "softmax.clh"
#include "team.clh"

#ifndef ROW_LANES
#define ROW_LANES 256
#define ROW_VECTORS 0
#endif
#if ROW_VECTORS > 0
#define VECTORS ROW_VECTORS
#define FOR_PARTS(first) for (uint first = 0; first == 0; first = 1)
#else
#define VECTORS 4
#define FOR_PARTS(first) for (uint first = 0; first < stride; first += 4 * ROW_LANES * VECTORS)
#endif
#define ROWS_AT_ONCE (TEAM / ROW_LANES)
#define ROW_KERNEL kernel GROUP_SIZE(TEAM)
// Vector v of this work-item begins at column k of the part that begins at `first`.
#define FOR_VECTORS(v, k, first) UNROLL for (uint v = 0, k = (first) + 4 * (TEAM_ITEM % ROW_LANES); v < VECTORS; v++, k += 4 * ROW_LANES)
#define load_four(from) (*(global const float4 *)(from))
#define store_four(value, to) (*(global float4 *)(to) = (value))

DEFINE_OVER_NEIGHBOURS(largest_of_row, ROW_LANES, float, add_largest)
DEFINE_OVER_NEIGHBOURS(sum_of_row, ROW_LANES, float2, add_pairs)
DEFINE_OVER_NEIGHBOURS(two_sums_of_row, ROW_LANES, float4, add_two_pairs)
DEFINE_OVER_NEIGHBOURS(sum_of_team, 256, float2, add_pairs)
#if TEAM != 256
#error "groups of rows_gpu.cl have 256 work-items"
#endif

static inline float largest_of_four(float4 v) { return fmax(fmax(v.s0, v.s1), fmax(v.s2, v.s3)); }
static inline float sum_of_four(float4 v) { return (v.s0 + v.s1) + (v.s2 + v.s3); }
static inline float dot_of_four(float4 a, float4 b) { return fma(a.s1, b.s1, a.s0 * b.s0) + fma(a.s3, b.s3, a.s2 * b.s2); }

// The batches of rows [first, last) of this group, of `of` groups.
#define SHARE_BATCHES(rows, number, of)                                                    \
  ulong batches = ((rows) + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE;                              \
  ulong row_first = batches * (ulong)(number) / (ulong)(of) * ROWS_AT_ONCE;                \
  ulong row_last = min(batches * ((ulong)(number) + 1) / (ulong)(of)*ROWS_AT_ONCE, (ulong)(rows))

// Row i of a batch is this work-item's. Beyond the group's last row it is that, of which no column is read or written: columns end at `end`.
#define ROW_OF_BATCH(batch, i, live, end)                                    \
  ulong i = min((batch) + TEAM_ITEM / ROW_LANES, max(row_last, (ulong)1) - 1); \
  bool live = (batch) + TEAM_ITEM / ROW_LANES < row_last;                    \
  uint end = live ? stride : 0

// The weight of row i; NULL: every row counts 1.
#define row_weight(weights, i) ((weights) != 0 ? (weights)[i] : 1.0f)

// Logits z + t * d, or z alone where d is NULL or along is 0; columns from `end` on are -INFINITY. Returns the largest.
static inline float load_logits(float4 *e, global const float *z, global const float *d, uint along, float t, uint first, uint end) {
  float largest = -INFINITY;
  FOR_VECTORS(v, k, first) {
    e[v] = (float4)(-INFINITY);
    if (k < end) e[v] = along ? fma((float4)(t), load_four(d + k), load_four(z + k)) : load_four(z + k);
  }
  UNROLL for (uint v = 0; v < VECTORS; v++) largest = fmax(largest, largest_of_four(e[v]));
  return largest;
}

// e = exp(logits - m) of a part, 0 at class y; sums (high, low, high, low) += those of e and, unless d is NULL, of e * (d - shift).
static inline void add_exponentials(float4 *e, float m, int y, global const float *d, float shift, uint first, uint end, float4 *sums) {
  float high = (*sums).x, low = (*sums).y, d_high = (*sums).z, d_low = (*sums).w;
  FOR_VECTORS(v, k, first) {
    e[v] = select(exp(e[v] - m), (float4)(0.0f), (int4)(y - (int)k) == (int4)(0, 1, 2, 3));
    accumulate(&high, &low, sum_of_four(e[v]));
    if (d != 0) {
      float4 change = (float4)(0.0f);
      if (k < end) change = load_four(d + k) - shift;
      accumulate(&d_high, &d_low, dot_of_four(e[v], change));
    }
  }
  *sums = (float4)(high, low, d_high, d_low);
}

// The largest logit m of the row, and this work-item's part of the sums over it, as add_exponentials; y = -1: over all classes. e is left to
// form_exponentials.
static inline float4 row_sums(float4 *e, float *m, global const float *z, global const float *d, uint along, float t, float shift, int y,
                              uint stride, uint end, local float *scratch) {
  float4 sums = (float4)(0.0f);
#if ROW_VECTORS > 0
  *m = largest_of_row(load_logits(e, z, d, along, t, 0, end), scratch);
  add_exponentials(e, *m, y, d, shift, 0, end, &sums);
#else
  float own = -FLT_MAX; // of the parts so far; finite, so that nothing is scaled by exp(-INFINITY + INFINITY)
  FOR_PARTS(first) {
    float before = own;
    own = fmax(own, load_logits(e, z, d, along, t, first, end));
    sums *= exp(before - own);
    add_exponentials(e, own, y, d, shift, first, end, &sums);
  }
  *m = largest_of_row(own, scratch);
  sums *= exp(own - *m);
#endif
  return sums;
}

// The exponentials of a part for a second use: they are still there, or made again. That of class y is not 0 then.
static inline void form_exponentials(float4 *e, float m, global const float *z, uint first, uint end) {
#if ROW_VECTORS == 0
  load_logits(e, z, 0, 0, 0.0f, first, end);
  UNROLL for (uint v = 0; v < VECTORS; v++) e[v] = exp(e[v] - m);
#endif
}

// z -> scale * weight * (a - p) in place; losses[first_loss + group] (+)= the weighted sum of the rows' losses. The labels and weights of the
// block begin at first_row.
ROW_KERNEL void residual_rows(global float *block, uint stride, global const int *labels, global const float *row_weights, ulong first_row,
                              ulong rows, uint group_rows, float scale, global float2 *losses, uint first_loss, uint add) {
  GROUP_ROWS(rows, group_rows);
  NEIGHBOURS_SCRATCH(scratch, 2);
  float loss_high = 0.0f, loss_low = 0.0f;
  ulong batch = row_first;
  do {
    ROW_OF_BATCH(batch, i, live, end);
    global float *z = block + i * stride;
    int y = labels[first_row + i];
    float weight = row_weight(row_weights, first_row + i), target_logit = z[y]; // read before the barriers of others, written after them
    float4 e[VECTORS];
    float m, factor;
    float2 pair = sum_of_row(row_sums(e, &m, z, 0, 0, 0.0f, 0.0f, y, stride, end, scratch).lo, scratch);
    float others = pair.x + pair.y, distance = target_logit - m, total = others + exp(distance);
    factor = scale * weight / total;
    FOR_PARTS(first) {
      form_exponentials(e, m, z, first, end);
      FOR_VECTORS(v, k, first) if (k < end) store_four(e[v] * factor, z + k);
    }
    if (live && (uint)y / 4 % ROW_LANES == TEAM_ITEM % ROW_LANES) z[y] = -others * factor; // over what the same work-item has just stored
    if (live && TEAM_ITEM % ROW_LANES == 0) accumulate(&loss_high, &loss_low, weight * cross_entropy(others, total, distance));
  } while ((batch += ROWS_AT_ONCE) < row_last);
  float2 loss = sum_of_team((float2)(loss_high, loss_low), scratch);
  if (TEAM_ITEM == 0) store_sum(losses + first_loss + get_group_id(0), loss, add);
}

// z -> a in place.
ROW_KERNEL void probability_rows(global float *block, uint stride, ulong rows) {
  SHARE_BATCHES(rows, get_group_id(0), get_num_groups(0));
  NEIGHBOURS_SCRATCH(scratch, 2);
  ulong batch = row_first;
  do {
    ROW_OF_BATCH(batch, i, live, end);
    global float *z = block + i * stride;
    float4 e[VECTORS];
    float m;
    float2 pair = sum_of_row(row_sums(e, &m, z, 0, 0, 0.0f, 0.0f, -1, stride, end, scratch).lo, scratch);
    float factor = 1.0f / (pair.x + pair.y);
    FOR_PARTS(first) {
      form_exponentials(e, m, z, first, end);
      FOR_VECTORS(v, k, first) if (k < end) store_four(e[v] * factor, z + k);
    }
  } while ((batch += ROWS_AT_ONCE) < row_last);
}

// a -> scale * weight * a (1 - a) in place, where a is nearly 1 by the sum of the others. Weights as above.
ROW_KERNEL void spread_rows(global float *block, uint stride, global const float *row_weights, ulong first_row, ulong rows, float scale) {
  SHARE_BATCHES(rows, get_group_id(0), get_num_groups(0));
  NEIGHBOURS_SCRATCH(scratch, 2);
  ulong batch = row_first;
  do {
    ROW_OF_BATCH(batch, i, live, end);
    global float *a = block + i * stride;
    float high = 0.0f, low = 0.0f, factor = scale * row_weight(row_weights, first_row + i);
    FOR_PARTS(first) FOR_VECTORS(v, k, first) {
      float4 p = (float4)(0.0f);
      if (k < end) p = load_four(a + k);
      accumulate(&high, &low, sum_of_four(select((float4)(0.0f), p, p <= 0.5f)));
    }
    float2 pair = sum_of_row((float2)(high, low), scratch);
    float others = pair.x + pair.y;
    FOR_PARTS(first) FOR_VECTORS(v, k, first) if (k < end) {
      float4 p = load_four(a + k);
      store_four(factor * p * select((float4)(others), 1.0f - p, p <= 0.5f), a + k);
    }
  } while ((batch += ROWS_AT_ONCE) < row_last);
}

// q -> scale * weight * a * (q - <a, q>) in place, a = softmax(z). The padding of q must be finite. Weights as above.
ROW_KERNEL void hessian_rows(global float *block, global float *directions, uint stride, global const float *row_weights, ulong first_row,
                             ulong rows, float scale) {
  SHARE_BATCHES(rows, get_group_id(0), get_num_groups(0));
  NEIGHBOURS_SCRATCH(scratch, 4);
  ulong batch = row_first;
  do {
    ROW_OF_BATCH(batch, i, live, end);
    global float *z = block + i * stride, *q = directions + i * stride;
    float4 e[VECTORS];
    float m;
    float4 pairs = two_sums_of_row(row_sums(e, &m, z, q, 0, 0.0f, 0.0f, -1, stride, end, scratch), scratch);
    float total = pairs.x + pairs.y, mean = (pairs.z + pairs.w) / total;
    float factor = scale * row_weight(row_weights, first_row + i) / total;
    FOR_PARTS(first) {
      form_exponentials(e, m, z, first, end);
      FOR_VECTORS(v, k, first) if (k < end) store_four(e[v] * factor * (load_four(q + k) - mean), q + k);
    }
  } while ((batch += ROWS_AT_ONCE) < row_last);
}

// A point of the line z + t s: weighted sums of losses and of slopes, d loss / dt = sum_{k != y} a_k (s_k - s_y). Reads only.
// The padding of s must be finite. Rows are cut into shares of share_rows, each with `groups` groups; labels and weights begin at first_row.
ROW_KERNEL void line_rows(global const float *logits, global const float *directions, uint stride, global const int *labels,
                          global const float *row_weights, ulong first_row, ulong all_rows, ulong share_rows, uint groups, float t,
                          global float2 *losses, global float2 *slopes) {
  ulong share_first = (ulong)get_group_id(0) / groups * share_rows, rows = min(share_rows, all_rows - share_first);
  SHARE_BATCHES(rows, get_group_id(0) % groups, groups);
  NEIGHBOURS_SCRATCH(scratch, 4);
  // From here on all begin with the share, so that no more than pointers stay in registers.
  logits += share_first * stride;
  directions += share_first * stride;
  labels += first_row + share_first;
  if (row_weights != 0) row_weights += first_row + share_first;
  float loss_high = 0.0f, loss_low = 0.0f, slope_high = 0.0f, slope_low = 0.0f;
  ulong batch = row_first;
  do {
    ROW_OF_BATCH(batch, i, live, end);
    global const float *z = logits + i * stride, *s = directions + i * stride;
    int y = labels[i];
    float target_slope = s[y], target_logit = fma(t, target_slope, z[y]), m;
    float4 e[VECTORS];
    float4 pairs = two_sums_of_row(row_sums(e, &m, z, s, 1, t, target_slope, y, stride, end, scratch), scratch);
    float others = pairs.x + pairs.y, distance = target_logit - m, total = others + exp(distance);
    if (live && TEAM_ITEM % ROW_LANES == 0) {
      float weight = row_weight(row_weights, i);
      accumulate(&loss_high, &loss_low, weight * cross_entropy(others, total, distance));
      accumulate(&slope_high, &slope_low, weight * ((pairs.z + pairs.w) / total));
    }
  } while ((batch += ROWS_AT_ONCE) < row_last);
  float2 loss = sum_of_team((float2)(loss_high, loss_low), scratch), slope = sum_of_team((float2)(slope_high, slope_low), scratch);
  if (TEAM_ITEM == 0) {
    store_sum(losses + get_group_id(0), loss, 0);
    store_sum(slopes + get_group_id(0), slope, 0);
  }
}

// Z = b on `rows` rows from row_begin of the block on, its padding columns set to `padding`: what a product is then added to. w (P).
ROW_KERNEL void bias_rows(global float *block, uint stride, global const float *w, ulong features, uint classes, ulong row_begin, ulong rows,
                          float padding) {
  global const float *bias = w + (ulong)classes * features;
  SHARE_BATCHES(rows, get_group_id(0), get_num_groups(0));
  for (uint k = 4 * (TEAM_ITEM % ROW_LANES); k < stride; k += 4 * ROW_LANES) {
    float4 value = (float4)(k < classes ? bias[k] : padding, k + 1 < classes ? bias[k + 1] : padding, k + 2 < classes ? bias[k + 2] : padding,
                            k + 3 < classes ? bias[k + 3] : padding);
    for (ulong i = row_first + TEAM_ITEM / ROW_LANES; i < row_last; i += ROWS_AT_ONCE) store_four(value, block + (row_begin + i) * stride + k);
  }
}

// sums[at + k] (+)= the sum of column k of R (rows, stride), compensated. Work size: ceil(classes / 8) groups x TEAM: a group has 8 columns, two
// neighbours a row of them; eight rows of a work-item are on their way at a time.
ROW_KERNEL void column_sums(global const float *block, uint stride, uint classes, ulong rows, global float *sums, ulong at, uint add) {
  uint first = 8 * (uint)get_group_id(0) + 4 * (TEAM_ITEM % 2);
  local float4 highs[TEAM], lows[TEAM];
  float4 high = 0.0f, low = 0.0f;
  for (ulong i = TEAM_ITEM / 2; i < rows; i += 8 * (TEAM / 2)) {
    float4 values[8];
    UNROLL for (uint j = 0; j < 8; j++) {
      ulong row = i + j * (TEAM / 2);
      values[j] = (float4)(0.0f);
      if (row < rows) values[j] = load_four(block + row * stride + first);
    }
    UNROLL for (uint j = 0; j < 8; j++) accumulate4(&high, &low, values[j]);
  }
  highs[TEAM_ITEM] = high;
  lows[TEAM_ITEM] = low;
#define COMBINE_FOURS(width)                                              \
  float4 sum_high = highs[TEAM_ITEM], sum_low = lows[TEAM_ITEM];          \
  accumulate4(&sum_high, &sum_low, highs[TEAM_ITEM + width]);             \
  highs[TEAM_ITEM] = sum_high;                                            \
  lows[TEAM_ITEM] = sum_low + lows[TEAM_ITEM + width]
  TEAM_STEP(128, COMBINE_FOURS) TEAM_STEP(64, COMBINE_FOURS) TEAM_STEP(32, COMBINE_FOURS) TEAM_STEP(16, COMBINE_FOURS)
  TEAM_STEP(8, COMBINE_FOURS) TEAM_STEP(4, COMBINE_FOURS) TEAM_STEP(2, COMBINE_FOURS)
  barrier(CLK_LOCAL_MEM_FENCE);
  uint k = TEAM_ITEM; // of the eight columns
  if (k < 8 && 8 * (uint)get_group_id(0) + k < classes) {
    local const float *all_highs = (local const float *)highs, *all_lows = (local const float *)lows;
    global float *to = sums + at + 8 * (uint)get_group_id(0) + k;
    *to = (add ? *to : 0.0f) + (all_highs[k] + all_lows[k]);
  }
}
