// Softmax, cross-entropy and their derivatives (softmax.clh) on strips of logits (strip.clh), LANES rows at a time: the CPU family's form of rows_gpu.cl.
// Work size: groups x 1, no more groups than strips; each group has a contiguous share of the strips.
#include "softmax.clh"
#include "strip.clh"

#define FOR_STRIPS_OF(first, strips, group, groups) \
  for (ulong strip = (first) + (strips) * (group) / (groups), end = (first) + (strips) * ((group) + 1) / (groups); strip < end; strip++)
#define FOR_STRIPS(rows) FOR_STRIPS_OF(0, ((rows) + STRIP - 1) / STRIP, (ulong)get_group_id(0), (ulong)get_num_groups(0))
// The lanes of a strip, a vector at a time.
#define FOR_LANES(lane) for (uint lane = 0; lane < STRIP; lane += LANES)

DEFINE_SOFTMAX(strip, global, floatn, intn, vloadn, vstoren, accumulaten, STRIP)

// z -> e in place: e_k = exp(z_k - m), and e_y = -(sum of the others); row_factors = scale / total times the row's weight (0 past the last row),
// so that the residual is factor e. losses[first_loss + group] (+)= the weighted sum of the rows' losses. The labels and weights (NULL: 1 each) of
// the block begin at first_row.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void residual_strips(global float *block, uint classes, global const int *labels,
                                                                            global const float *row_weights, ulong first_row, ulong rows, float scale,
                                                                            global float *row_factors, global float2 *losses, uint first_loss,
                                                                            uint add) {
  floatn loss_high = 0.0f, loss_low = 0.0f;
  FOR_STRIPS(rows) FOR_LANES(lane) {
    global float *z = block + strip * classes * STRIP + lane;
    ulong first = strip * STRIP + lane;
    intn y = load_labels(labels, first_row + first, first_row + rows);
    floatn weight = load_weights(row_weights, first_row + first, first_row + rows), target, distance;
    floatn others = strip_exponentials(z, classes, y, &target, &distance), total = others + target;
    float residual[LANES];
    int label[LANES];
    vstoren(-others, 0, residual);
    vstoren(y, 0, label);
    for (uint i = 0; i < LANES; i++) z[(uint)label[i] * STRIP + i] = residual[i];
    vstoren(scale * weight / total, 0, row_factors + first);
    accumulaten(&loss_high, &loss_low, weight * cross_entropy(others, total, distance));
  }
  store_sum(losses + first_loss + get_group_id(0), lanes_of(loss_high, loss_low), add);
}

// z -> a = softmax(z) in place, from row block_row (a multiple of 16) of block on.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void softmax_strips(global float *block, ulong block_row, uint classes, ulong rows) {
  FOR_STRIPS(rows) FOR_LANES(lane) strip_probabilities(block + (block_row + strip * STRIP) * classes + lane, classes);
}

// a -> a (1 - a) in place, where a is nearly 1 by the sum of the others; row_factors = scale times the row's weight (0 past the last row),
// weights as above.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void spread_strips(global float *block, uint classes, global const float *row_weights,
                                                                          ulong first_row, ulong rows, float scale,
                                                                          global float *row_factors) {
  FOR_STRIPS(rows) FOR_LANES(lane) {
    global float *a = block + strip * classes * STRIP + lane;
    floatn others = 0.0f; // of the one that is above a half, if there is such a one
    for (uint k = 0; k < classes; k++) {
      floatn p = vloadn(0, a + k * STRIP);
      others += select((floatn)(0.0f), p, p <= 0.5f);
    }
    for (uint k = 0; k < classes; k++) {
      floatn p = vloadn(0, a + k * STRIP);
      vstoren(p * select(others, 1.0f - p, p <= 0.5f), 0, a + k * STRIP);
    }
    ulong first = strip * STRIP + lane;
    vstoren(scale * load_weights(row_weights, first_row + first, first_row + rows), 0, row_factors + first);
  }
}

// q -> a (q - <a, q>) in place, a the probabilities from row block_row on; row_factors = scale times the row's weight
// (0 past the last row); weights as above.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void hessian_strips(global const float *probabilities, ulong block_row,
                                                                           global float *directions, uint classes,
                                                                           global const float *row_weights, ulong first_row,
                                                                           ulong rows, float scale, global float *row_factors) {
  FOR_STRIPS(rows) FOR_LANES(lane) {
    strip_hessian_terms(probabilities + (block_row + strip * STRIP) * classes + lane, directions + strip * classes * STRIP + lane, classes,
                        (floatn)(1.0f));
    ulong first = strip * STRIP + lane;
    vstoren(scale * load_weights(row_weights, first_row + first, first_row + rows), 0, row_factors + first);
  }
}

// A point of the line z + t s: weighted sums of losses and of slopes, d loss / dt = sum_{k != y} a_k (s_k - s_y). Reads only.
// Rows are cut into shares of share_rows (a multiple of 16), each with `groups` groups; labels and weights (NULL: 1 each) begin at
// first_row.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void line_strips(global const float *logits, global const float *directions, uint classes,
                                                                        global const int *labels, global const float *row_weights,
                                                                        ulong first_row, ulong rows,
                                                                        ulong share_rows, uint groups, float t, global float2 *losses,
                                                                        global float2 *slopes) {
  ulong share = (ulong)get_group_id(0) / groups, share_strips = (min(share_rows, rows - share * share_rows) + STRIP - 1) / STRIP;
  floatn loss_high = 0.0f, loss_low = 0.0f, slope_high = 0.0f, slope_low = 0.0f;
  FOR_STRIPS_OF(share * (share_rows / STRIP), share_strips, (ulong)get_group_id(0) % groups, (ulong)groups) FOR_LANES(lane) {
    global const float *z = logits + strip * classes * STRIP + lane, *s = directions + strip * classes * STRIP + lane;
    ulong first = strip * STRIP + lane;
    intn y = load_labels(labels, first_row + first, first_row + rows);
    floatn weight = load_weights(row_weights, first_row + first, first_row + rows), target_slope = 0.0f, m = -INFINITY;
    for (uint k = 0; k < classes; k++) {
      floatn slope = vloadn(0, s + k * STRIP);
      m = fmax(m, fma((floatn)(t), slope, vloadn(0, z + k * STRIP)));
      target_slope = select(target_slope, slope, y == (intn)((int)k));
    }
    floatn distance = 0.0f, high = 0.0f, low = 0.0f, weighted_high = 0.0f, weighted_low = 0.0f;
    for (uint k = 0; k < classes;) {
      floatn sum = 0.0f, weighted = 0.0f;
      for (uint end = min(k + PLAIN_TERMS, classes); k < end; k++) {
        floatn slope = vloadn(0, s + k * STRIP), away = fma((floatn)(t), slope, vloadn(0, z + k * STRIP)) - m, e = exp(away);
        intn mine = y == (intn)((int)k);
        sum += select(e, (floatn)(0.0f), mine);
        distance = select(distance, away, mine);
        weighted = fma(e, slope - target_slope, weighted);
      }
      accumulaten(&high, &low, sum);
      accumulaten(&weighted_high, &weighted_low, weighted);
    }
    floatn others = high + low, total = others + exp(distance);
    accumulaten(&loss_high, &loss_low, weight * cross_entropy(others, total, distance));
    accumulaten(&slope_high, &slope_low, weight * ((weighted_high + weighted_low) / total));
  }
  store_sum(losses + get_group_id(0), lanes_of(loss_high, loss_low), 0);
  store_sum(slopes + get_group_id(0), lanes_of(slope_high, slope_low), 0);
}

// to (rows, K) row-major = the strips, for the host.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void unpack_strips(global const float *block, uint classes, ulong rows,
                                                                          global float *to) {
  FOR_STRIPS(rows) {
    global const float *z = block + strip * classes * STRIP;
    uint valid = (uint)min((ulong)STRIP, rows - strip * STRIP);
    for (uint i = 0; i < valid; i++)
      for (uint k = 0; k < classes; k++) to[(strip * STRIP + i) * classes + k] = z[k * STRIP + i];
  }
}
