// Logits good to their last bit, for predictions. Work size: groups x TEAM, no more groups than rows; each group has a contiguous share of the
// rows. Macros: those of team.clh and storage.clh.
#include "compensated.clh"
#include "storage.clh"
#include "team.clh"

// Z (rows, stride) = X W' + b with compensated sums, the columns past `classes` set to -INFINITY: logits good to their last bit, for
// predictions, where the rounding of a plain sum shows in the sixth digit of a probability. x (.., features), w (P).
kernel void accurate_logits(global const stored *x, global const float *w, ulong features, uint classes, ulong row_begin, ulong rows,
                            global float *block, uint stride) {
  SHARE_ROWS(rows);
  for (ulong i = row_first; i < row_last; i++) {
    global const stored *row = x + (row_begin + i) * features;
    for (uint k = TEAM_ITEM; k < stride; k += TEAM) {
      float logit = -INFINITY;
      if (k < classes) {
        global const float *weights = w + k * features;
        float8 high8 = 0.0f, low8 = 0.0f;
        ulong d = 0;
        for (; d + 8 <= features; d += 8) accumulate_product8(&high8, &low8, x_load8(row, d), vload8(0, weights + d));
        float2 pair = accumulated_lanes(high8, low8);
        float high = pair.x, low = pair.y;
        for (; d < features; d++) accumulate_product(&high, &low, x_load(row, d), weights[d]);
        accumulate(&high, &low, w[(ulong)classes * features + k]);
        logit = high + low;
      }
      block[i * stride + k] = logit;
    }
  }
}
