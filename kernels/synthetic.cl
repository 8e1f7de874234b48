// Rows of synthetic data, bit for bit those of host/data/synthetic.c, which explains every step: Philox4x32-10 counters (row, feature),
// features as sums of four 16-bit uniforms, a label drawn from softmax(W* x), noise and zeros by further counters.
// Shapes: x (rows, features) and labels (rows) for rows begin..begin+rows-1; chosen, weights (classes, used); a group's scratch of `stride`
// floats. Only integers and correctly rounded f32 mul and add, in the host's order.
// Hazard: contraction of a mul and an add changes bits, hence the pragma and no fma() anywhere.
// Work size: groups x TEAM, any number of groups; a group has a contiguous share of the blocks of LANES rows. Macros:
//   TEAM 1   (cpu): LANES 16, a work-item makes 16 rows side by side in vectors; scratch (features, 16) and (classes, 16).
//   TEAM > 1 (gpu): LANES = TEAM, a work-item has one row; features go straight to x, pair by pair; scratch (classes, TEAM).
#pragma OPENCL FP_CONTRACT OFF

#if TEAM == 1
#define LANES 16
typedef float16 floats;
typedef int16 ints;
typedef uint16 words;
#define IOTA ((words)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
#define TO_FLOATS convert_float16
#define TO_INTS convert_int16_rtz
#define TO_WORDS as_uint16
#define AS_FLOATS as_float16
#define AS_INTS as_int16
#else
#define LANES TEAM
typedef float floats;
typedef int ints;
typedef uint words;
#define TO_FLOATS convert_float
#define TO_INTS convert_int_rtz
#define TO_WORDS as_uint
#define AS_FLOATS as_float
#define AS_INTS as_int
#endif

// As RandomStream and SPARSE_COUNTERS on the host.
#define STREAM_FEATURES 1u
#define STREAM_LABELS 2u
#define SPARSE_COUNTERS 0x80000000u

typedef struct Words4 {
  words w0, w1, w2, w3;
} Words4;

// Counter (low, high): low is `low` + 2^32 `low_high`.
static inline Words4 philox(ulong seed, uint stream, uint high, words low, words low_high) {
  words c0 = low, c1 = low_high, c2 = (words)(high), c3 = (words)(stream);
  uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
  for (int round = 0; round < 10; round++) {
    words a_high = mul_hi((words)(0xD2511F53u), c0), b_high = mul_hi((words)(0xCD9E8D57u), c2);
    words a = c0 * 0xD2511F53u, b = c2 * 0xCD9E8D57u;
    c0 = b_high ^ c1 ^ (words)(k0);
    c2 = a_high ^ c3 ^ (words)(k1);
    c1 = b;
    c3 = a;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return (Words4){c0, c1, c2, c3};
}

static inline floats bell(words a, words b) {
  words sum = (a & 0xFFFFu) + (a >> 16) + (b & 0xFFFFu) + (b >> 16) - 131070u;
  return TO_FLOATS(AS_INTS(sum)) * 0x1.bb67aep-16f;
}

static inline floats exp_by_mul_add(floats x) {
  floats clamped = select(x, (floats)(-80.0f), x < -80.0f);
  ints n = TO_INTS(clamped * 0x1.715476p+0f - 0.5f);
  floats whole = TO_FLOATS(n);
  floats r = (clamped - whole * 0x1.62ep-1f) - whole * 0x1.0bfbe8p-15f;
  floats p = (floats)(0x1.a01a02p-13f);
  p = p * r + 0x1.6c16c2p-10f;
  p = p * r + 0x1.111112p-7f;
  p = p * r + 0x1.555556p-5f;
  p = p * r + 0x1.555556p-3f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return select(p * AS_FLOATS(TO_WORDS(n + 127) << 23), (floats)(0.0f), x < -80.0f);
}

// The first class whose running sum passes target, sums LANES apart.
static inline uint find_class(global const float *sums, uint classes, float target) {
  uint low = 0, high = classes - 1;
  while (low < high) {
    uint middle = low + (high - low) / 2;
    if (sums[(ulong)middle * LANES] > target)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

static inline int draw_label(uint word0, uint word1, uint word2, global const float *sums, uint classes, uint noise_below,
                             uint always_noise) {
  float target = (float)(word0 >> 8) * 0x1p-24f * sums[(ulong)(classes - 1) * LANES];
  uint drawn = find_class(sums, classes, target);
  return (int)(always_noise || word1 < noise_below ? mul_hi(word2, classes) : drawn);
}

// block_first..block_last-1 of this group, without a product that could overflow.
#define SHARE_BLOCKS(rows)                                                                                       \
  ulong blocks = ((rows) + LANES - 1) / LANES, group = get_group_id(0), groups = get_num_groups(0);              \
  ulong block_first = blocks / groups * group + min(group, blocks % groups);                                     \
  ulong block_last = block_first + blocks / groups + (group < blocks % groups ? 1 : 0)

#if TEAM == 1

static inline void fill_features(global float *values, ulong seed, ulong features, words low, words low_high, uint sparse,
                                 uint zero_below) {
  for (ulong d = 0; d < features; d += 2) {
    Words4 w = philox(seed, STREAM_FEATURES, (uint)(d / 2), low, low_high);
    vstore16(bell(w.w0, w.w1), d, values);
    if (d + 1 < features) vstore16(bell(w.w2, w.w3), d + 1, values);
  }
  for (ulong d = 0; sparse && d < features; d += 4) {
    Words4 w = philox(seed, STREAM_FEATURES, SPARSE_COUNTERS + (uint)(d / 4), low, low_high);
    vstore16(select(vload16(d, values), (floats)(0.0f), w.w0 < (words)(zero_below)), d, values);
    if (d + 1 < features) vstore16(select(vload16(d + 1, values), (floats)(0.0f), w.w1 < (words)(zero_below)), d + 1, values);
    if (d + 2 < features) vstore16(select(vload16(d + 2, values), (floats)(0.0f), w.w2 < (words)(zero_below)), d + 2, values);
    if (d + 3 < features) vstore16(select(vload16(d + 3, values), (floats)(0.0f), w.w3 < (words)(zero_below)), d + 3, values);
  }
}

static inline void fill_sums(global float *sums, global const float *values, global const uint *chosen, global const float *weights,
                             uint classes, uint used) {
  floats largest = (floats)(-INFINITY), total = (floats)(0.0f);
  for (uint k = 0; k < classes; k++) {
    floats z = (floats)(0.0f);
    global const uint *features = chosen + (ulong)k * used;
    global const float *factors = weights + (ulong)k * used;
    for (uint u = 0; u < used; u++) z += factors[u] * vload16(features[u], values);
    largest = select(largest, z, z > largest);
    vstore16(z, k, sums);
  }
  for (uint k = 0; k < classes; k++) {
    total += exp_by_mul_add(vload16(k, sums) - largest);
    vstore16(total, k, sums);
  }
}

kernel __attribute__((reqd_work_group_size(1, 1, 1))) void synthetic_rows(
    ulong seed, ulong begin, ulong rows, ulong features, uint classes, uint used, uint sparse, uint zero_below, uint noise_below,
    uint always_noise, global const uint *chosen, global const float *weights, global float *scratch, ulong stride, global float *x,
    global int *labels) {
  global float *values = scratch + get_group_id(0) * stride, *sums = values + features * LANES;
  SHARE_BLOCKS(rows);
  for (ulong block = block_first; block < block_last; block++) {
    ulong first = block * LANES, row = begin + first;
    uint count = (uint)min((ulong)LANES, rows - first);
    words low = (words)((uint)row) + IOTA;
    words low_high = (words)((uint)(row >> 32)) + ((low < (words)((uint)row)) ? (words)(1) : (words)(0));
    fill_features(values, seed, features, low, low_high, sparse, zero_below);
    fill_sums(sums, values, chosen, weights, classes, used);
    Words4 w = philox(seed, STREAM_LABELS, 0, low, low_high);
    uint word0[LANES], word1[LANES], word2[LANES];
    vstore16(w.w0, 0, word0);
    vstore16(w.w1, 0, word1);
    vstore16(w.w2, 0, word2);
    for (uint i = 0; i < count; i++) {
      labels[first + i] = draw_label(word0[i], word1[i], word2[i], sums + i, classes, noise_below, always_noise);
      global float *to = x + (first + i) * features;
      for (ulong d = 0; d < features; d++) to[d] = values[d * LANES + i];
    }
  }
}

#else

// Both features of a pair (one when features is odd and it is the last) of one row.
static inline void write_pair(global float *x, ulong seed, ulong row, ulong features, uint pair, uint sparse, uint zero_below) {
  Words4 w = philox(seed, STREAM_FEATURES, pair, (uint)row, (uint)(row >> 32));
  float even = bell(w.w0, w.w1), odd = bell(w.w2, w.w3);
  if (sparse) {
    Words4 z = philox(seed, STREAM_FEATURES, SPARSE_COUNTERS + pair / 2, (uint)row, (uint)(row >> 32));
    even = (pair % 2 == 0 ? z.w0 : z.w2) < zero_below ? 0.0f : even;
    odd = (pair % 2 == 0 ? z.w1 : z.w3) < zero_below ? 0.0f : odd;
  }
  x[2 * (ulong)pair] = even;
  if (2 * (ulong)pair + 1 < features) x[2 * (ulong)pair + 1] = odd;
}

kernel __attribute__((reqd_work_group_size(TEAM, 1, 1))) void synthetic_rows(
    ulong seed, ulong begin, ulong rows, ulong features, uint classes, uint used, uint sparse, uint zero_below, uint noise_below,
    uint always_noise, global const uint *chosen, global const float *weights, global float *scratch, ulong stride, global float *x,
    global int *labels) {
  uint lane = (uint)get_local_id(0), pairs = (uint)((features + 1) / 2);
  global float *sums = scratch + get_group_id(0) * stride + lane;
  SHARE_BLOCKS(rows);
  for (ulong block = block_first; block < block_last; block++) {
    ulong first = block * LANES;
    uint count = (uint)min((ulong)LANES, rows - first);
    // The lanes walk over all pairs of the block's rows, neighbours side by side.
    for (uint i = lane / pairs, pair = lane % pairs; i < count;) {
      write_pair(x + (first + i) * features, seed, begin + first + i, features, pair, sparse, zero_below);
      i += TEAM / pairs;
      pair += TEAM % pairs;
      if (pair >= pairs) {
        pair -= pairs;
        i++;
      }
    }
    barrier(CLK_GLOBAL_MEM_FENCE);
    if (lane < count) {
      global const float *values = x + (first + lane) * features;
      float largest = -INFINITY, total = 0.0f;
      for (uint k = 0; k < classes; k++) {
        float z = 0.0f;
        for (uint u = 0; u < used; u++) z += weights[(ulong)k * used + u] * values[chosen[(ulong)k * used + u]];
        largest = z > largest ? z : largest;
        sums[(ulong)k * LANES] = z;
      }
      for (uint k = 0; k < classes; k++) {
        total += exp_by_mul_add(sums[(ulong)k * LANES] - largest);
        sums[(ulong)k * LANES] = total;
      }
      ulong row = begin + first + lane;
      Words4 w = philox(seed, STREAM_LABELS, 0, (uint)row, (uint)(row >> 32));
      labels[first + lane] = draw_label(w.w0, w.w1, w.w2, sums, classes, noise_below, always_noise);
    }
  }
}

#endif
