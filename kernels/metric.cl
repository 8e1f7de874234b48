// An approximate inverse Hessian made of small matrices, times a vector (host/compute/backend.h, MetricForm), and what Gram matrices need
// beside the product of matrices.
//   metric_classes:     to = V' from or V from, over the classes
//   metric_turn:        to_k = R_k * (M_k' from_k), over the features and the bias; M is F' or F
//   metric_center:      to = R * (C' from); metric_uncenter: to = C from, in the place of F and F'
//   weighted_squares:   diagonals of Gram matrices
//   panel_strips, scale_rows: rows of a Gram matrix as strips, and times their weights
// Vectors are laid out as everywhere: weights (K,D), then bias (K). Sums over the features are plain f32 in a fixed order.
// Macros: TEAM (team.clh), 1 on the CPU family.
#include "constants.clh"
#include "team.clh"

#if TEAM > 1
#define TURN_COLUMNS TURN_COLUMNS_GPU
#else
#define TURN_COLUMNS TURN_COLUMNS_CPU
#endif

// Elements i of [0, count) that this work-item has.
#define FOR_OWN(i, count) for (ulong i = get_global_id(0); i < (count); i += get_global_size(0))

// Element of class k: feature d < D, or the bias for d = D.
static inline ulong element(ulong features, uint classes, uint k, ulong d) {
  return d < features ? k * features + d : classes * features + k;
}

// mean_off: V = I - 11'/K, v is not looked at. Else v (K,K) row-major, transposed or not. Work size: any x TEAM; items share the D + 1 columns.
kernel void metric_classes(global const float *v, uint mean_off, uint transposed, ulong features, uint classes, global const float *from,
                           global float *to) {
  if (mean_off) {
    FOR_OWN(d, features + 1) {
      float sum = 0.0f;
      for (uint k = 0; k < classes; k++) sum += from[element(features, classes, k, d)];
      float mean = sum / (float)classes;
      for (uint k = 0; k < classes; k++) to[element(features, classes, k, d)] = from[element(features, classes, k, d)] - mean;
    }
    return;
  }
  FOR_OWN(i, (features + 1) * classes) { // neighbours have neighbouring features of one class
    uint k = (uint)(i / (features + 1));
    ulong d = i % (features + 1);
    float sum = 0.0f;
    for (uint l = 0; l < classes; l++)
      sum = fma(v[transposed ? (ulong)l * classes + k : (ulong)k * classes + l], from[element(features, classes, l, d)], sum);
    to[element(features, classes, k, d)] = sum;
  }
}

// m (1 or K, D+1, stride): rows of M, padded with zeros to a multiple of TURN_COLUMNS. What of M is 0 is left out: shape TURN_LOWER, all above the
// diagonal but for the last column; TURN_UPPER, all below it but for the last row. scale (P) NULL: 1.
// Work size: (ceil((D+1) / TURN_COLUMNS), K) groups of (TEAM, 1): a group has TURN_COLUMNS columns of one class.
kernel void metric_turn(global const float *m, ulong class_stride, ulong stride, uint shape, ulong features, uint classes,
                        global const float *from, global const float *scale, global float *to) {
  uint k = (uint)get_global_id(1);
  ulong first = (ulong)get_group_id(0) * TURN_COLUMNS, width = features + 1;
  global const float *rows = m + k * class_stride + first, *weights = from + k * features;
  float bias = from[classes * features + k];
  bool has_last = first + TURN_COLUMNS > features; // the last column is among these
  ulong begin = shape == TURN_LOWER && !has_last ? first : 0;
  ulong end = shape == TURN_UPPER ? min(features, first + TURN_COLUMNS) : features;
#if TEAM == 1
  float16 sums[TURN_COLUMNS / 16];
  for (uint c = 0; c < TURN_COLUMNS / 16; c++) sums[c] = vload16(c, rows + features * stride) * bias;
  for (ulong i = begin; i < end; i++) {
    float16 t = (float16)(weights[i]);
    for (uint c = 0; c < TURN_COLUMNS / 16; c++) sums[c] = fma(vload16(c, rows + i * stride), t, sums[c]);
  }
  float out[TURN_COLUMNS];
  for (uint c = 0; c < TURN_COLUMNS / 16; c++) vstore16(sums[c], c, out);
  for (uint c = 0; c < TURN_COLUMNS && first + c < width; c++) {
    ulong at = element(features, classes, k, first + c);
    to[at] = scale != 0 ? out[c] * scale[at] : out[c];
  }
#else
  // TEAM / TURN_COLUMNS items share the rows of a column; their sums go up a tree of fixed shape.
  local float parts[TEAM];
  uint item = (uint)get_local_id(0), column = item % TURN_COLUMNS, part = item / TURN_COLUMNS, part_count = TEAM / TURN_COLUMNS;
  float sum = part == 0 ? rows[features * stride + column] * bias : 0.0f;
  for (ulong i = begin + part; i < end; i += part_count) sum = fma(rows[i * stride + column], weights[i], sum);
  parts[item] = sum;
  barrier(CLK_LOCAL_MEM_FENCE);
#define ADD_PARTS(count)                                                                                \
  if (part_count >= 2 * (count) && part < (count)) parts[item] += parts[item + (count) * TURN_COLUMNS]; \
  barrier(CLK_LOCAL_MEM_FENCE);
  ADD_PARTS(4) ADD_PARTS(2) ADD_PARTS(1)
  if (part == 0 && first + column < width) {
    ulong at = element(features, classes, k, first + column);
    to[at] = scale != 0 ? parts[item] * scale[at] : parts[item];
  }
#endif
}

// to_kd = R_kd (from_kd - center_d from_kD), to_kD = R_kD from_kD. center (D) and scale R (P) may be NULL: 0 and 1. Work size: any x TEAM.
kernel void metric_center(global const float *center, global const float *scale, ulong features, uint classes, global const float *from,
                          global float *to) {
  ulong weights = classes * features;
  FOR_OWN(i, weights + classes) {
    float value = from[i];
    if (i < weights && center != 0) value = fma(-center[i % features], from[weights + i / features], value);
    to[i] = scale != 0 ? scale[i] * value : value;
  }
}

// to_kd = from_kd, to_kD = from_kD - sum over d of center_d from_kd. Work size: K groups of TEAM.
kernel void metric_uncenter(global const float *center, ulong features, uint classes, global const float *from, global float *to) {
  uint k = (uint)get_group_id(0);
  TEAM_SCRATCH(scratch);
  float high = 0.0f, low = 0.0f;
  for (ulong d = TEAM_ITEM; d < features; d += TEAM) {
    float value = from[k * features + d];
    if (center != 0) accumulate_product(&high, &low, center[d], value);
    to[k * features + d] = value;
  }
  float2 along = team_sum((float2)(high, low), scratch);
  if (TEAM_ITEM == 0) to[classes * features + k] = from[classes * features + k] - (along.x + along.y);
}

// squares[m * width + d] = sum over rows i of weights[m * rows + i] panel[i * width + d]^2, compensated. Work size: any x TEAM; items share what
// there is to make.
kernel void weighted_squares(global const float *panel, global const float *weights, ulong width, ulong rows, uint matrices,
                             global float *squares) {
  FOR_OWN(i, width * matrices) {
    ulong d = i % width;
    global const float *row_weights = weights + i / width * rows;
    float high = 0.0f, low = 0.0f;
    for (ulong row = 0; row < rows; row++) {
      float value = panel[row * width + d];
      accumulate_product(&high, &low, row_weights[row] * value, value);
    }
    squares[i] = high + low;
  }
}

// strips (ceil(rows / 16), width, 16) of a panel (rows, width); rows past the last are 0. Work size: any x TEAM; items share the strips' lines.
kernel void panel_strips(global const float *panel, ulong width, ulong rows, global float *strips) {
  FOR_OWN(i, (rows + STRIP - 1) / STRIP * width) {
    ulong row = i / width * STRIP, d = i % width;
    for (uint lane = 0; lane < STRIP; lane++) strips[i * STRIP + lane] = row + lane < rows ? panel[(row + lane) * width + d] : 0.0f;
  }
}

// to (rows, stride) = the rows of a panel (rows, width) times their weights, and 0 up to the stride. Work size: any x TEAM.
kernel void scale_rows(global const float *panel, global const float *weights, ulong width, ulong rows, uint stride, global float *to) {
  FOR_OWN(i, rows * stride) {
    ulong row = i / stride, d = i % stride;
    to[i] = d < width ? panel[row * width + d] * weights[row] : 0.0f;
  }
}
