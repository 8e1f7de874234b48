// Sparse rows, what both families share: weights and gradients between class-major, as vectors have them, and feature-major, and logits good to
// their last bit. Macros: those of team.clh and sparse.clh, and LANES (lanes.clh) of TEAM 1, the CPU family.
#include "sparse.clh"
#include "team.clh"
#if TEAM == 1
#include "transpose.clh"

DEFINE_TRANSPOSE(turn_eight, global const float *, load_eight, global float *)
#endif

// to (D + 1, stride) = weights W (K,D) of w (P) turned, and after them the bias; columns past K are 0. places (D): where each feature goes; NULL:
// to its number. Work size: groups x TEAM.
kernel void sparse_turn(global const float *w, ulong features, uint classes, uint stride, global const uint *places, global float *to) {
  ulong begin, end;
  group_share(features + 1, (uint)get_group_id(0), (uint)get_num_groups(0), &begin, &end);
  ulong d = begin + TEAM_ITEM;
#if TEAM == 1
  for (; places == 0 && d + 8 <= min(end, features); d += 8)
    for (uint k = 0; k < stride; k += 8) {
      if (k + 8 <= classes)
        turn_eight(w + k * features + d, features, to + d * stride + k, stride);
      else
        for (uint i = 0; i < 8; i++)
          for (uint j = k; j < min(k + 8, stride); j++) to[(d + i) * stride + j] = j < classes ? w[j * features + d + i] : 0.0f;
    }
#endif
  for (; d < end; d += TEAM) {
    ulong place = places != 0 && d < features ? places[d] : d;
    for (uint k = 0; k < stride; k++) {
      ulong at = d < features ? k * features + d : (ulong)classes * features + k;
      to[place * stride + k] = k < classes ? w[at] : 0.0f;
    }
  }
}

// The way back: partial number `partial` (P) of partials = the sums of a share, from (D, stride), and its bias those of bias (K).
kernel void sparse_turn_back(global const float *from, global const float *bias, ulong features, uint classes, uint stride,
                             global const uint *places, global float *partials, uint partial) {
  global float *to = partials + (ulong)partial * ((features + 1) * classes);
  ulong begin, end;
  group_share(features + 1, (uint)get_group_id(0), (uint)get_num_groups(0), &begin, &end);
  ulong d = begin + TEAM_ITEM;
#if TEAM == 1
  for (; places == 0 && d + 8 <= min(end, features); d += 8)
    for (uint k = 0; k < classes; k += 8) {
      if (k + 8 <= classes)
        turn_eight(from + d * stride + k, stride, to + k * features + d, features);
      else
        for (uint j = k; j < classes; j++)
          for (uint i = 0; i < 8; i++) to[j * features + d + i] = from[(d + i) * stride + j];
    }
#endif
  for (; d < end; d += TEAM) {
    ulong place = places != 0 && d < features ? places[d] : d;
    for (uint k = 0; k < classes; k++) {
      if (d < features)
        to[k * features + d] = from[place * stride + k];
      else
        to[(ulong)classes * features + k] = bias[k];
    }
  }
}

// Z (rows, block_stride) = X W' + b with compensated sums, the columns past `classes` set to -INFINITY, as accurate_logits of dense rows.
// begin, columns, values: of rows from row_begin on, entries counted from the first of the buffers; w (D + 1, stride). Work size: groups x
// TEAM, no more groups than rows; each group has a contiguous share of the rows.
kernel void sparse_accurate_logits(global const ulong *begin, global const uint *columns, global const entry *values, global const float *w,
                                   ulong features, uint classes, uint stride, ulong row_begin, ulong rows, global float *block,
                                   uint block_stride) {
  SHARE_ROWS(rows);
  for (ulong i = row_first; i < row_last; i++) {
    ulong first = begin[row_begin + i], last = begin[row_begin + i + 1];
    uint k = TEAM_ITEM;
#if TEAM == 1 // lanes over classes, while there are so many
    for (; k + 16 <= stride; k += 16) {
      float16 high = vload16(0, w + features * stride + k), low = 0.0f;
      for (ulong j = first; j < last; j++)
        accumulate_product16(&high, &low, (float16)(entry_value(values, j)), vload16(0, w + (ulong)columns[j] * stride + k));
      float logits[16];
      vstore16(high + low, 0, logits);
      for (uint c = k; c < min(k + 16, block_stride); c++) block[i * block_stride + c] = c < classes ? logits[c - k] : -INFINITY;
    }
#endif
    for (; k < block_stride; k += TEAM) {
      float logit = -INFINITY;
      if (k < classes) {
        float high = w[features * stride + k], low = 0.0f;
        for (ulong j = first; j < last; j++) accumulate_product(&high, &low, entry_value(values, j), w[(ulong)columns[j] * stride + k]);
        logit = high + low;
      }
      block[i * block_stride + k] = logit;
    }
  }
}
