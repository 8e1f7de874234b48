// Softmax, cross-entropy and their derivatives (softmax.clh) on a block of logits held in global memory: (rows, stride) row-major, the first
// `classes` columns real, the others -INFINITY (so that they count as probability 0), stride a multiple of 8. A row a work-item (TEAM 1).
// Work size: groups x TEAM, no more groups than rows; each group has a contiguous share of the rows, or group_rows of them.
// Macros: TEAM (team.clh).
#include "softmax.clh"
#include "team.clh"

#define EIGHT_NUMBERS ((int8)(0, 1, 2, 3, 4, 5, 6, 7))
#define FOR_COLUMNS(k) for (uint k = 8 * TEAM_ITEM; k < stride; k += 8 * TEAM)

static inline float largest_of_eight(float8 v) {
  float4 four = fmax(v.lo, v.hi);
  return fmax(fmax(four.s0, four.s1), fmax(four.s2, four.s3));
}

static inline float team_total(float8 high8, float8 low8, SCRATCH_SPACE float *scratch) {
  float2 pair = team_sum(accumulated_lanes(high8, low8), scratch);
  return pair.x + pair.y;
}

// z -> e; returns others, and the distance. With y = -1 others is the sum over all. As form_exponentials of softmax.clh.
static inline float team_exponentials(global float *z, uint stride, int y, float *distance, SCRATCH_SPACE float *scratch) {
  float target_logit = z[max(y, 0)]; // read before team_max's barrier, written after it
  float8 largest = (float8)(-INFINITY), high = 0.0f, low = 0.0f;
  FOR_COLUMNS(k) largest = fmax(largest, vload8(0, z + k));
  float m = team_max(largest_of_eight(largest), scratch);
  FOR_COLUMNS(k) {
    float8 e = exp(vload8(0, z + k) - m);
    accumulate8(&high, &low, select(e, (float8)(0.0f), EIGHT_NUMBERS + (int)k == y));
    vstore8(e, 0, z + k);
  }
  *distance = target_logit - m;
  return team_total(high, low, scratch);
}

// The weight of row i; NULL: every row counts 1.
#define row_weight(weights, i) ((weights) != 0 ? (weights)[i] : 1.0f)

// z -> scale * weight * (a - p) in place; losses[first_loss + group] (+)= the weighted sum of the rows' losses. The labels and weights of the
// block begin at first_row.
kernel void residual_rows(global float *block, uint stride, global const int *labels, global const float *row_weights, ulong first_row, ulong rows, uint group_rows,
                          float scale, global float2 *losses, uint first_loss, uint add) {
  GROUP_ROWS(rows, group_rows);
  TEAM_SCRATCH(scratch);
  float loss_high = 0.0f, loss_low = 0.0f;
  ulong i = row_first;
  do {
    global float *z = block + i * stride;
    int y = labels[first_row + i];
    float weight = row_weight(row_weights, first_row + i);
    float distance, others = team_exponentials(z, stride, y, &distance, scratch), total = others + exp(distance);
    float factor = scale * weight / total;
    FOR_COLUMNS(k) {
      float8 r = select(vload8(0, z + k), (float8)(-others), EIGHT_NUMBERS + (int)k == y) * factor;
      vstore8(r, 0, z + k);
    }
    accumulate(&loss_high, &loss_low, weight * cross_entropy(others, total, distance));
  } while (++i < row_last);
  if (TEAM_ITEM == 0) store_sum(losses + first_loss + get_group_id(0), (float2)(loss_high, loss_low), add);
}

// z -> a in place.
kernel void probability_rows(global float *block, uint stride, ulong rows) {
  SHARE_ROWS(rows);
  TEAM_SCRATCH(scratch);
  ulong i = row_first;
  do {
    global float *z = block + i * stride;
    float distance, total = team_exponentials(z, stride, -1, &distance, scratch);
    FOR_COLUMNS(k) vstore8(vload8(0, z + k) / total, 0, z + k);
  } while (++i < row_last);
}

// a -> scale * weight * a (1 - a) in place, where a is nearly 1 by the sum of the others. Weights as above.
kernel void spread_rows(global float *block, uint stride, global const float *row_weights, ulong first_row, ulong rows, float scale) {
  SHARE_ROWS(rows);
  TEAM_SCRATCH(scratch);
  ulong i = row_first;
  do {
    global float *a = block + i * stride;
    float8 high = 0.0f, low = 0.0f;
    FOR_COLUMNS(k) {
      float8 p = vload8(0, a + k);
      accumulate8(&high, &low, select((float8)(0.0f), p, p <= 0.5f));
    }
    float others = team_total(high, low, scratch), factor = scale * row_weight(row_weights, first_row + i);
    FOR_COLUMNS(k) {
      float8 p = vload8(0, a + k);
      vstore8(factor * p * select((float8)(others), 1.0f - p, p <= 0.5f), 0, a + k);
    }
  } while (++i < row_last);
}

// q -> scale * weight * a * (q - <a, q>) in place, a = softmax(z); z is overwritten. The padding of q must be finite. Weights as above.
kernel void hessian_rows(global float *block, global float *directions, uint stride, global const float *row_weights, ulong first_row, ulong rows,
                         float scale) {
  SHARE_ROWS(rows);
  TEAM_SCRATCH(scratch);
  ulong i = row_first;
  do {
    global float *z = block + i * stride, *q = directions + i * stride;
    float distance, total = team_exponentials(z, stride, -1, &distance, scratch);
    float8 high = 0.0f, low = 0.0f;
    FOR_COLUMNS(k) accumulate_product8(&high, &low, vload8(0, z + k), vload8(0, q + k));
    float mean = team_total(high, low, scratch) / total, factor = scale * row_weight(row_weights, first_row + i) / total;
    FOR_COLUMNS(k) vstore8(vload8(0, z + k) * factor * (vload8(0, q + k) - mean), 0, q + k);
  } while (++i < row_last);
}

// A point of the line z + t s: weighted sums of losses and of slopes, d loss / dt = sum_{k != y} a_k (s_k - s_y). Reads only.
// The padding of s must be finite. Rows are cut into shares of share_rows, each with `groups` groups; labels and weights begin at first_row.
kernel void line_rows(global const float *logits, global const float *directions, uint stride, global const int *labels,
                      global const float *row_weights, ulong first_row, ulong rows, ulong share_rows, uint groups, float t,
                      global float2 *losses, global float2 *slopes) {
  ulong share_first = (ulong)get_group_id(0) / groups * share_rows, within = (ulong)get_group_id(0) % groups;
  ulong count = min(share_rows, rows - share_first);
  ulong row_first = share_first + count * within / groups, row_last = share_first + count * (within + 1) / groups;
  bool empty = row_first == row_last; // such a group computes a row all the same: barriers want no branches
  TEAM_SCRATCH(scratch);
  float loss_high = 0.0f, loss_low = 0.0f, slope_high = 0.0f, slope_low = 0.0f;
  ulong i = row_first;
  do {
    global const float *z = logits + i * stride, *s = directions + i * stride;
    int y = labels[first_row + i];
    float target_slope = s[y], target_logit = fma(t, target_slope, z[y]);
    float8 largest = (float8)(-INFINITY);
    FOR_COLUMNS(k) largest = fmax(largest, fma((float8)(t), vload8(0, s + k), vload8(0, z + k)));
    float m = team_max(largest_of_eight(largest), scratch), distance = target_logit - m;
    float8 high = 0.0f, low = 0.0f, s_high = 0.0f, s_low = 0.0f;
    FOR_COLUMNS(k) {
      float8 direction = vload8(0, s + k), e = exp(fma((float8)(t), direction, vload8(0, z + k)) - m);
      e = select(e, (float8)(0.0f), EIGHT_NUMBERS + (int)k == y);
      accumulate8(&high, &low, e);
      accumulate_product8(&s_high, &s_low, e, direction - target_slope);
    }
    float others = team_total(high, low, scratch), total = others + exp(distance);
    float slope = team_total(s_high, s_low, scratch) / total, weight = row_weight(row_weights, first_row + i);
    accumulate(&loss_high, &loss_low, weight * cross_entropy(others, total, distance));
    accumulate(&slope_high, &slope_low, weight * slope);
  } while (++i < row_last);
  if (TEAM_ITEM == 0) {
    store_sum(losses + get_group_id(0), empty ? (float2)(0.0f) : (float2)(loss_high, loss_low), 0);
    store_sum(slopes + get_group_id(0), empty ? (float2)(0.0f) : (float2)(slope_high, slope_low), 0);
  }
}

// Z = b on `rows` rows from row_begin of the block on, its padding columns set to `padding`: what a product is then added to. w (P).
kernel void bias_rows(global float *block, uint stride, global const float *w, ulong features, uint classes, ulong row_begin, ulong rows,
                      float padding) {
  global const float *bias = w + (ulong)classes * features;
  SHARE_ROWS(rows);
  for (ulong i = row_begin + row_first; i < row_begin + row_last; i++)
    for (uint k = TEAM_ITEM; k < stride; k += TEAM) block[i * stride + k] = k < classes ? bias[k] : padding;
}

// sums[at + k] (+)= the sum of column k of R (rows, stride), compensated. Work size: ceil(classes / 8) groups x TEAM: a group has 8
// columns, its work-items share the rows.
kernel void column_sums(global const float *block, uint stride, uint classes, ulong rows, global float *sums, ulong at, uint add) {
  uint first = 8 * (uint)get_group_id(0);
  float8 high = 0.0f, low = 0.0f;
  TEAM_SCRATCH(scratch);
  for (ulong i = TEAM_ITEM; i < rows; i += TEAM) accumulate8(&high, &low, vload8(0, block + i * stride + first));
  float values[16];
  vstore8(high, 0, values);
  vstore8(low, 1, values);
  uint j = 0;
  do { // do-while: team_sum holds barriers
    float2 pair = team_sum((float2)(values[j], values[8 + j]), scratch);
    if (TEAM_ITEM == 0 && first + j < classes) {
      global float *to = sums + at + first + j;
      *to = (add ? *to : 0.0f) + (pair.x + pair.y);
    }
  } while (++j < 8);
}
