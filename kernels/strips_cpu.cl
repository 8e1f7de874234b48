// Softmax, cross-entropy and their derivatives on strips of logits (strip.clh), 16 rows at a time: the CPU family's form of rows.cl.
//   m = max z,  below = sum of exp(z_k - m) over all but one of the largest,  total = 1 + below,  loss = log1p(below) - (z_y - m): every digit
//   of a small loss is kept. residual_k = exp(z_k - m) / total, residual_y = -(sum of the others) / total, without the cancellation of a_y - 1.
// Work size: groups x 1, no more groups than strips; each group has a contiguous share of the strips.
#include "compensated.clh"
#include "strip.clh"

#define PLAIN 32 // terms added in f32 before their sum goes into the compensated one

#define FOR_STRIPS_OF(first, strips, group, groups) \
  for (ulong strip = (first) + (strips) * (group) / (groups), end = (first) + (strips) * ((group) + 1) / (groups); strip < end; strip++)
#define FOR_STRIPS(rows) FOR_STRIPS_OF(0, ((rows) + STRIP - 1) / STRIP, (ulong)get_group_id(0), (ulong)get_num_groups(0))
// Rows of the strip that exist.
#define STRIP_ROWS(rows) ((int)min((ulong)STRIP, (rows)-strip * STRIP))

// fmax drops a NaN, but exp(NaN - m) brings it back into the sums.
static inline float16 largest_logits(global const float *z, uint classes) {
  float16 m = vload16(0, z);
  for (uint k = 1; k < classes; k++) m = fmax(m, vload16(k, z));
  return m;
}

// What follows from a row's logits; lanes past the last row hold 0 for loss and factor.
typedef struct Softmax {
  float16 total, others, loss; // 1 + below; the sum over all but the true class; the loss
} Softmax;

// distance = z_y - m, target = exp(distance)
static inline Softmax finish_softmax(float16 high, float16 low, float16 tied, float16 target, float16 distance) {
  Softmax s;
  float16 below = high + (low + (tied - 1.0f));
  s.total = 1.0f + below;
  s.others = select(s.total - target, below, distance == 0.0f);
  s.loss = log1p(below) - distance;
  return s;
}

// z -> e in place: e_k = exp(z_k - m), and e_y = -(sum of the others); row_factors = scale / total (0 past the last row), so that the residual
// is factor e. losses[first_loss + group] (+)= the sum of the rows' losses. labels: of the block's first row.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void residual_strips(global float *block, uint classes, global const int *labels,
                                                                            ulong label_offset, ulong rows, float scale,
                                                                            global float *row_factors, global float2 *losses, uint first_loss,
                                                                            uint add) {
  float16 loss_high = 0.0f, loss_low = 0.0f;
  FOR_STRIPS(rows) {
    global float *z = block + strip * classes * STRIP;
    int valid = STRIP_ROWS(rows);
    uint place[STRIP];
    float lane[STRIP];
    float16 m = largest_logits(z, classes);
    for (int i = 0; i < STRIP; i++) {
      place[i] = (uint)labels[label_offset + strip * STRIP + (ulong)min(i, valid - 1)] * STRIP + (uint)i;
      lane[i] = z[place[i]];
    }
    float16 distance = vload16(0, lane) - m, high = 0.0f, low = 0.0f, tied = 0.0f;
    for (uint k = 0; k < classes;) {
      float16 sum = 0.0f;
      for (uint end = min(k + PLAIN, classes); k < end; k++) {
        float16 away = vload16(k, z) - m, e = exp(away);
        int16 largest = away == 0.0f;
        tied += select((float16)(0.0f), e, largest);
        sum += select(e, (float16)(0.0f), largest);
        vstore16(e, k, z);
      }
      accumulate16(&high, &low, sum);
    }
    for (int i = 0; i < STRIP; i++) lane[i] = z[place[i]];
    Softmax s = finish_softmax(high, low, tied, vload16(0, lane), distance);
    vstore16(s.others, 0, lane);
    for (int i = 0; i < STRIP; i++) z[place[i]] = -lane[i];
    vstore16(select((float16)(0.0f), scale / s.total, lanes_below(valid)), strip, row_factors);
    accumulate16(&loss_high, &loss_low, select((float16)(0.0f), s.loss, lanes_below(valid)));
  }
  store_sum(losses + first_loss + get_group_id(0), accumulated_sixteen(loss_high, loss_low), add);
}

// z -> a = softmax(z) in place, from row block_row (a multiple of 16) of block on.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void softmax_strips(global float *block, ulong block_row, uint classes, ulong rows) {
  FOR_STRIPS(rows) {
    global float *z = block + (block_row + strip * STRIP) * classes;
    float16 m = largest_logits(z, classes), high = 0.0f, low = 0.0f;
    for (uint k = 0; k < classes;) {
      float16 sum = 0.0f;
      for (uint end = min(k + PLAIN, classes); k < end; k++) {
        float16 e = exp(vload16(k, z) - m);
        sum += e;
        vstore16(e, k, z);
      }
      accumulate16(&high, &low, sum);
    }
    float16 factor = 1.0f / (high + low);
    for (uint k = 0; k < classes; k++) vstore16(vload16(k, z) * factor, k, z);
  }
}

// q -> a (q - <a, q>) in place, a the probabilities from row block_row on; row_factors = scale (0 past the last row).
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void hessian_strips(global const float *probabilities, ulong block_row,
                                                                           global float *directions, uint classes, ulong rows, float scale,
                                                                           global float *row_factors) {
  FOR_STRIPS(rows) {
    global const float *a = probabilities + (block_row + strip * STRIP) * classes;
    global float *q = directions + strip * classes * STRIP;
    float16 high = 0.0f, low = 0.0f;
    for (uint k = 0; k < classes;) {
      float16 sum = 0.0f;
      for (uint end = min(k + PLAIN, classes); k < end; k++) sum = fma(vload16(k, a), vload16(k, q), sum);
      accumulate16(&high, &low, sum);
    }
    float16 mean = high + low;
    for (uint k = 0; k < classes; k++) vstore16(vload16(k, a) * (vload16(k, q) - mean), k, q);
    vstore16(select((float16)(0.0f), (float16)(scale), lanes_below(STRIP_ROWS(rows))), strip, row_factors);
  }
}

// A point of the line z + t s: sums of losses and of slopes, d loss / dt = sum_{k != y} a_k (s_k - s_y). Reads only.
// Rows are cut into shares of share_rows (a multiple of 16), each with `groups` groups; the labels of row 0 are at first_label.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void line_strips(global const float *logits, global const float *directions, uint classes,
                                                                        global const int *labels, ulong first_label, ulong rows,
                                                                        ulong share_rows, uint groups, float t, global float2 *losses,
                                                                        global float2 *slopes) {
  ulong share = (ulong)get_group_id(0) / groups, share_strips = (min(share_rows, rows - share * share_rows) + STRIP - 1) / STRIP;
  float16 loss_high = 0.0f, loss_low = 0.0f, slope_high = 0.0f, slope_low = 0.0f;
  FOR_STRIPS_OF(share * (share_rows / STRIP), share_strips, (ulong)get_group_id(0) % groups, (ulong)groups) {
    global const float *z = logits + strip * classes * STRIP, *s = directions + strip * classes * STRIP;
    int valid = STRIP_ROWS(rows);
    float z_lane[STRIP], s_lane[STRIP];
    for (int i = 0; i < STRIP; i++) {
      uint place = (uint)labels[first_label + strip * STRIP + (ulong)min(i, valid - 1)] * STRIP + (uint)i;
      z_lane[i] = z[place];
      s_lane[i] = s[place];
    }
    float16 target_slope = vload16(0, s_lane), target_logit = fma((float16)(t), target_slope, vload16(0, z_lane));
    float16 m = fma((float16)(t), vload16(0, s), vload16(0, z));
    for (uint k = 1; k < classes; k++) m = fmax(m, fma((float16)(t), vload16(k, s), vload16(k, z)));
    float16 distance = target_logit - m, high = 0.0f, low = 0.0f, tied = 0.0f, weighted_high = 0.0f, weighted_low = 0.0f;
    for (uint k = 0; k < classes;) {
      float16 sum = 0.0f, weighted = 0.0f;
      for (uint end = min(k + PLAIN, classes); k < end; k++) {
        float16 slope = vload16(k, s), away = fma((float16)(t), slope, vload16(k, z)) - m, e = exp(away);
        int16 largest = away == 0.0f;
        tied += select((float16)(0.0f), e, largest);
        sum += select(e, (float16)(0.0f), largest);
        weighted = fma(e, slope - target_slope, weighted);
      }
      accumulate16(&high, &low, sum);
      accumulate16(&weighted_high, &weighted_low, weighted);
    }
    Softmax softmax = finish_softmax(high, low, tied, exp(distance), distance);
    float16 slope = (weighted_high + weighted_low) / softmax.total;
    accumulate16(&loss_high, &loss_low, select((float16)(0.0f), softmax.loss, lanes_below(valid)));
    accumulate16(&slope_high, &slope_low, select((float16)(0.0f), slope, lanes_below(valid)));
  }
  store_sum(losses + get_group_id(0), accumulated_sixteen(loss_high, loss_low), 0);
  store_sum(slopes + get_group_id(0), accumulated_sixteen(slope_high, slope_low), 0);
}

// to (rows, K) row-major = the strips, for the host.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void unpack_strips(global const float *block, uint classes, ulong rows,
                                                                          global float *to) {
  FOR_STRIPS(rows) {
    global const float *z = block + strip * classes * STRIP;
    uint valid = (uint)STRIP_ROWS(rows);
    for (uint i = 0; i < valid; i++)
      for (uint k = 0; k < classes; k++) to[(strip * STRIP + i) * classes + k] = z[k * STRIP + i];
  }
}
