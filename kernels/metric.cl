// An approximate inverse Hessian made of small matrices, times a vector (host/compute/backend.h, MetricForm), and what Gram matrices of the GPU
// family need beside the product of matrices (block_gpu.cl); those of the CPU family are gram_cpu.cl.
//   metric_classes:     to = M from, over the classes; M is V' or V
//   metric_mean_off:    the same with V = I - 11'/K
//   metric_blocks:      to_k = F_k' (R_k * (F_k from_k)), over the features and the bias: CPU family
//   metric_turn:        to_k = R_k * (M_k' from_k), M is F' or F, one after the other: GPU family
//   metric_center:      to = R * (C' from); metric_uncenter: to = C from, in the place of F and F'
//   weighted_squares:   diagonals of Gram matrices
//   scale_rows:         rows of a Gram matrix times their weights
// Vectors are laid out as everywhere: weights (K,D), then bias (K). Sums over features or classes are plain f32 in a fixed order, which depends on
// the family and the shape alone.
// Macros: TEAM (team.clh), 1 on the CPU family; LANES (lanes.clh) there.
#include "constants.clh"
#include "lanes.clh"
#include "team.clh"

// Elements i of [0, count) that this work-item has.
#define FOR_OWN(i, count) for (ulong i = get_global_id(0); i < (count); i += get_global_size(0))

// Element of class k: feature d < D, or the bias for d = D.
static inline ulong element(ulong features, uint classes, uint k, ulong d) {
  return d < features ? k * features + d : classes * features + k;
}

#if TEAM == 1

// Classes of a register tile: as many as leave registers for what they are multiplied with.
#if LANES == 16
#define CLASS_TILE METRIC_CLASSES_WIDE
#else
#define CLASS_TILE METRIC_CLASSES
#endif

// Columns [first, first + 16) of class k, the bias behind the features; past it 0.
static inline float16 load_columns(global const float *from, ulong features, uint classes, uint k, ulong first) {
  if (first + STRIP <= features) return vload16(0, from + k * features + first);
  float lanes[STRIP];
  for (uint c = 0; c < STRIP; c++) lanes[c] = first + c <= features ? from[element(features, classes, k, first + c)] : 0.0f;
  return vload16(0, lanes);
}

static inline void store_columns(float16 value, global float *to, ulong features, uint classes, uint k, ulong first) {
  if (first + STRIP <= features) {
    vstore16(value, 0, to + k * features + first);
    return;
  }
  float lanes[STRIP];
  vstore16(value, 0, lanes);
  for (uint c = 0; c < STRIP && first + c <= features; c++) to[element(features, classes, k, first + c)] = lanes[c];
}

// m (K,K) row-major. Work size: (ceil((D+1) / 16), ceil(K / CLASS_TILE)).
kernel void metric_classes(global const float *m, ulong features, uint classes, global const float *from, global float *to) {
  ulong first = get_group_id(0) * STRIP;
  uint k = (uint)get_group_id(1) * CLASS_TILE;
  float16 sums[CLASS_TILE];
  global const float *row[CLASS_TILE];
  UNROLL for (uint j = 0; j < CLASS_TILE; j++) {
    sums[j] = 0.0f;
    row[j] = m + min(k + j, classes - 1) * (ulong)classes;
  }
  for (uint l = 0; l < classes; l++) {
    float16 v = load_columns(from, features, classes, l, first);
    UNROLL for (uint j = 0; j < CLASS_TILE; j++) sums[j] = fma((float16)(row[j][l]), v, sums[j]);
  }
  for (uint j = 0; j < CLASS_TILE && k + j < classes; j++) store_columns(sums[j], to, features, classes, k + j, first);
}

// Work size: ceil((D+1) / 16).
kernel void metric_mean_off(ulong features, uint classes, global const float *from, global float *to) {
  ulong first = get_group_id(0) * STRIP;
  float16 sum = 0.0f;
  for (uint k = 0; k < classes; k++) sum += load_columns(from, features, classes, k, first);
  float16 mean = sum / (float)classes;
  for (uint k = 0; k < classes; k++)
    store_columns(load_columns(from, features, classes, k, first) - mean, to, features, classes, k, first);
}

static inline float sum_lanes(float16 v) {
  float lanes[STRIP]; // by way of memory, as accumulated_sixteen
  vstore16(v, 0, lanes);
  float8 eight = vload8(0, lanes) + vload8(1, lanes);
  float4 four = eight.lo + eight.hi;
  return (four.s0 + four.s2) + (four.s1 + four.s3);
}

// y += F' (R * (F t)) for 16 rows of F, `chunks` times 16 columns wide, whose factors R are r (16). Four rows at a time: what both products have in
// common, the rows, is read from memory once.
OUT_OF_LINE void add_rows(global const float *f, ulong chunks, const float *r, global const float *t, global float *y) {
  ulong stride = chunks * STRIP;
  for (uint i = 0; i < STRIP; i += 4, f += 4 * stride) {
    float16 a = 0.0f, b = 0.0f, c = 0.0f, d = 0.0f;
    for (ulong j = 0; j < stride; j += STRIP) {
      float16 v = vload16(0, t + j);
      a = fma(vload16(0, f + j), v, a);
      b = fma(vload16(0, f + stride + j), v, b);
      c = fma(vload16(0, f + 2 * stride + j), v, c);
      d = fma(vload16(0, f + 3 * stride + j), v, d);
    }
    float4 s = vload4(0, r + i) * (float4)(sum_lanes(a), sum_lanes(b), sum_lanes(c), sum_lanes(d));
    for (ulong j = 0; j < stride; j += STRIP) {
      float16 sum = vload16(0, y + j);
      sum = fma(vload16(0, f + j), (float16)(s.s0), sum);
      sum = fma(vload16(0, f + stride + j), (float16)(s.s1), sum);
      sum = fma(vload16(0, f + 2 * stride + j), (float16)(s.s2), sum);
      sum = fma(vload16(0, f + 3 * stride + j), (float16)(s.s3), sum);
      vstore16(sum, 0, y + j);
    }
  }
}

// f (1 or K): F with rows and columns in the order (bias, features), cut into blocks of 16 rows; rows are padded with zeros to a multiple of 16, and
// in a lower triangular F to that of their block's diagonal. scale (P) NULL: 1. room (2, K, rows padded). Work size: groups that share the classes.
// A block is read once for all classes of a group that have the same F.
kernel void metric_blocks(global const float *f, ulong class_stride, uint lower, ulong features, uint classes, global const float *from,
                          global const float *scale, global float *room, global float *to) {
  ulong blocks = features / STRIP + 1, padded = blocks * STRIP;
  uint first = (uint)((ulong)classes * get_group_id(0) / get_num_groups(0)), last = (uint)((ulong)classes * (get_group_id(0) + 1) / get_num_groups(0));
  global float *sums = room + classes * padded;
  for (uint k = first; k < last; k++)
    for (ulong i = 0; i < padded; i++) {
      room[k * padded + i] = i == 0 ? from[classes * features + k] : i <= features ? from[k * features + i - 1] : 0.0f;
      sums[k * padded + i] = 0.0f;
    }
  for (ulong q = 0, offset = 0; q < blocks; q++) {
    ulong chunks = lower ? q + 1 : blocks;
    for (uint k = first; k < last; k++) {
      float factors[STRIP];
      for (uint i = 0; i < STRIP; i++) {
        ulong row = q * STRIP + i;
        factors[i] = scale == 0 ? 1.0f : row > features ? 0.0f : scale[row == 0 ? classes * features + k : k * features + row - 1];
      }
      add_rows(f + k * class_stride + offset, chunks, factors, room + k * padded, sums + k * padded);
    }
    offset += chunks * (STRIP * STRIP);
  }
  for (uint k = first; k < last; k++) {
    for (ulong d = 0; d < features; d++) to[k * features + d] = sums[k * padded + d + 1];
    to[classes * features + k] = sums[k * padded];
  }
}

#else

// TEAM / TURN_COLUMNS items share a column: their numbers go up a tree of fixed shape, and all have the sum. parts (TEAM).
#define PART_COUNT (TEAM / TURN_COLUMNS)
#define ADD_PARTS(count)                                                                                                       \
  if (PART_COUNT >= 2 * (count) && item / TURN_COLUMNS < (count)) parts[item] += parts[item + (count) * TURN_COLUMNS]; \
  barrier(CLK_LOCAL_MEM_FENCE);
static inline float sum_parts(float value, local float *parts) {
  uint item = (uint)get_local_id(0);
  parts[item] = value;
  barrier(CLK_LOCAL_MEM_FENCE);
  ADD_PARTS(4) ADD_PARTS(2) ADD_PARTS(1)
  return parts[item % TURN_COLUMNS];
}

// m (K,K) row-major. Work size: any x TEAM; items share the elements.
kernel void metric_classes(global const float *m, ulong features, uint classes, global const float *from, global float *to) {
  FOR_OWN(i, (features + 1) * classes) { // neighbours have neighbouring features of one class
    uint k = (uint)(i / (features + 1));
    ulong d = i % (features + 1);
    float sum = 0.0f;
    for (uint l = 0; l < classes; l++) sum = fma(m[(ulong)k * classes + l], from[element(features, classes, l, d)], sum);
    to[element(features, classes, k, d)] = sum;
  }
}

// Work size: ceil((D+1) / TURN_COLUMNS) groups of TEAM.
kernel void metric_mean_off(ulong features, uint classes, global const float *from, global float *to) {
  local float parts[TEAM];
  uint item = (uint)get_local_id(0), part = item / TURN_COLUMNS;
  ulong d = get_group_id(0) * TURN_COLUMNS + item % TURN_COLUMNS;
  bool there = d <= features;
  float sum = 0.0f;
  for (uint k = part; there && k < classes; k += PART_COUNT) sum += from[element(features, classes, k, d)];
  float mean = sum_parts(sum, parts) / (float)classes;
  for (uint k = part; there && k < classes; k += PART_COUNT) {
    ulong at = element(features, classes, k, d);
    to[at] = from[at] - mean;
  }
}

// m (1 or K, D+1, stride): rows of M, padded with zeros to a multiple of TURN_COLUMNS. What of M is 0 is left out: shape TURN_LOWER, all above the
// diagonal but for the last column; TURN_UPPER, all below it but for the last row. scale (P) NULL: 1.
// Work size: (ceil((D+1) / TURN_COLUMNS), K) groups of (TEAM, 1): a group has TURN_COLUMNS columns of one class.
kernel void metric_turn(global const float *m, ulong class_stride, ulong stride, uint shape, ulong features, uint classes,
                        global const float *from, global const float *scale, global float *to) {
  local float parts[TEAM];
  uint k = (uint)get_global_id(1);
  ulong first = (ulong)get_group_id(0) * TURN_COLUMNS, width = features + 1;
  global const float *rows = m + k * class_stride + first, *weights = from + k * features;
  bool has_last = first + TURN_COLUMNS > features; // the last column is among these
  ulong begin = shape == TURN_LOWER && !has_last ? first : 0;
  ulong end = shape == TURN_UPPER ? min(features, first + TURN_COLUMNS) : features;
  uint item = (uint)get_local_id(0), column = item % TURN_COLUMNS, part = item / TURN_COLUMNS;
  float sum = part == 0 ? rows[features * stride + column] * from[classes * features + k] : 0.0f;
  for (ulong i = begin + part; i < end; i += PART_COUNT) sum = fma(rows[i * stride + column], weights[i], sum);
  sum = sum_parts(sum, parts);
  if (part == 0 && first + column < width) {
    ulong at = element(features, classes, k, first + column);
    to[at] = scale != 0 ? sum * scale[at] : sum;
  }
}

#endif

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

#if TEAM > 1

// squares[m * width + d] = sum over rows i of weights[m * rows + i] panel[i * width + d]^2, compensated. Work size: any x TEAM; items share what
// there is to make.
kernel void weighted_squares(global const float *panel, global const float *weights, ulong width, uint rows, uint matrices,
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

// to (rows, stride) = the rows of a panel (rows, width) times their weights, and 0 up to the stride. Work size: any x TEAM.
kernel void scale_rows(global const float *panel, global const float *weights, ulong width, ulong rows, uint stride, global float *to) {
  FOR_OWN(i, rows * stride) {
    ulong row = i / stride, d = i % stride;
    to[i] = d < width ? panel[row * width + d] * weights[row] : 0.0f;
  }
}

#endif
