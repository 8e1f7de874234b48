// The two products of the CPU family on a block of rows, for many classes and for line searches (and predictions beyond 100 classes):
//   logits_block:    Z (rows, stride) = X W' + b, the columns past `classes` set to `padding`
//   gradient_block:  G (P) (+)= R' X, and the column sums of R in its last K
// Both run one register tile: 6 classes x 16 numbers in 12 sums, 2 vector loads and 6 broadcasts for 12 fma. What the vectors run over is
// copied next to each other first (16 rows of X transposed for the logits, 16 features of X for the gradient; zeros past the edge), so that
// edges need no slower code and strides of 4096 bytes do not thrash the first-level cache. Each work-item is a group and owns a rectangle
// of the result; nothing is summed twice.
#define UNROLL _Pragma("unroll")
#define TILE 6            // classes of the register tile
#define LANES 16          // rows (logits) or features (gradient) of the register tile
#define STRIPS 3          // strips of 16 rows that share the rows of W in the first-level cache
#define LOGIT_FEATURES 1024 // features transposed at a time: 3 x 64 KB, in the second-level cache
#define BLOCK_CLASSES 96  // most classes of a rectangle of G
#define GRADIENT_ROWS 256 // rows copied at a time: 16 KB, in the first-level cache
#define GRADIENT_FEATURES 128 // features of a rectangle of G

// sums[j][half] += sum_{i < count} factor_j(i) * vectors[i][half], factor_j(i) = factors[j * factor_stride + i * factor_step], TILE_ <= 6 of them.
#define DEFINE_TILE(name, TILE_)                                                                                                      \
  static inline void name(const float *vectors, global const float *factors, ulong factor_stride, ulong factor_step, uint count,     \
                          float *out) {                                                                                              \
    float8 sums[TILE_][2];                                                                                                           \
    UNROLL for (int j = 0; j < TILE_; j++) sums[j][0] = sums[j][1] = (float8)(0.0f);                                                 \
    for (uint i = 0; i < count; i++) {                                                                                               \
      float8 low = vload8(0, vectors + i * LANES), high = vload8(1, vectors + i * LANES);                                            \
      UNROLL for (int j = 0; j < TILE_; j++) {                                                                                       \
        float8 factor = (float8)(factors[j * factor_stride + i * factor_step]);                                                      \
        sums[j][0] = fma(factor, low, sums[j][0]);                                                                                   \
        sums[j][1] = fma(factor, high, sums[j][1]);                                                                                  \
      }                                                                                                                              \
    }                                                                                                                                \
    UNROLL for (int j = 0; j < TILE_; j++) {                                                                                         \
      vstore8(sums[j][0], 0, out + j * LANES);                                                                                       \
      vstore8(sums[j][1], 1, out + j * LANES);                                                                                       \
    }                                                                                                                                \
  }
DEFINE_TILE(tile_6, 6)
DEFINE_TILE(tile_5, 5)
DEFINE_TILE(tile_4, 4)
DEFINE_TILE(tile_3, 3)
DEFINE_TILE(tile_2, 2)
DEFINE_TILE(tile_1, 1)

static inline void tile(uint classes, const float *vectors, global const float *factors, ulong factor_stride, ulong factor_step, uint count,
                        float *out) {
  switch (classes) {
    case 6: tile_6(vectors, factors, factor_stride, factor_step, count, out); break;
    case 5: tile_5(vectors, factors, factor_stride, factor_step, count, out); break;
    case 4: tile_4(vectors, factors, factor_stride, factor_step, count, out); break;
    case 3: tile_3(vectors, factors, factor_stride, factor_step, count, out); break;
    case 2: tile_2(vectors, factors, factor_stride, factor_step, count, out); break;
    default: tile_1(vectors, factors, factor_stride, factor_step, count, out); break;
  }
}

// to[d][row of 16] = from[row][d] for d < width; rows past the last are 0.
static inline void transpose_strip(global const float *from, ulong stride, uint rows, uint width, float *to) {
  for (uint r = 0; r < LANES; r += 8) {
    uint d = 0;
    if (r + 8 <= rows) {
      global const float *row = from + r * stride;
      for (; d + 8 <= width; d += 8) {
        float8 a0 = vload8(0, row + d), a1 = vload8(0, row + stride + d), a2 = vload8(0, row + 2 * stride + d), a3 = vload8(0, row + 3 * stride + d);
        float8 a4 = vload8(0, row + 4 * stride + d), a5 = vload8(0, row + 5 * stride + d), a6 = vload8(0, row + 6 * stride + d),
               a7 = vload8(0, row + 7 * stride + d);
#define COLUMN(s) vstore8((float8)(a0.s, a1.s, a2.s, a3.s, a4.s, a5.s, a6.s, a7.s), 0, column), column += LANES
        float *column = to + d * LANES + r;
        COLUMN(s0); COLUMN(s1); COLUMN(s2); COLUMN(s3); COLUMN(s4); COLUMN(s5); COLUMN(s6); COLUMN(s7);
      }
    }
    for (; d < width; d++)
      for (uint i = r; i < r + 8; i++) to[d * LANES + i] = i < rows ? from[i * stride + d] : 0.0f;
  }
}

// x (rows, features) from its first row, w (P). Work size: (ceil(rows / 48), class_blocks) x (1, 1).
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void logits_block(global const float *x, global const float *w, ulong features,
                                                                         uint classes, ulong row_begin, ulong rows, global float *block,
                                                                         uint stride, float padding) {
  ulong first_row = (ulong)get_group_id(0) * (STRIPS * LANES);
  uint row_count = (uint)min((ulong)(STRIPS * LANES), rows - first_row);
  uint tiles = (classes + TILE - 1) / TILE;
  uint first_class = tiles * (uint)get_group_id(1) / (uint)get_num_groups(1) * TILE;
  uint last_class = min(tiles * ((uint)get_group_id(1) + 1) / (uint)get_num_groups(1) * TILE, classes);
  global const float *bias = w + (ulong)classes * features;
  float transposed[STRIPS * LOGIT_FEATURES * LANES];
  for (ulong depth = 0; depth < features; depth += LOGIT_FEATURES) {
    uint width = (uint)min((ulong)LOGIT_FEATURES, features - depth);
    for (uint first = 0; first < row_count; first += LANES)
      transpose_strip(x + (row_begin + first_row + first) * features + depth, features, min(row_count - first, (uint)LANES), width,
                      transposed + first * LOGIT_FEATURES);
    for (uint k = first_class; k < last_class; k += TILE) {
      uint count = min((uint)TILE, last_class - k);
      for (uint first = 0; first < row_count; first += LANES) {
        float out[TILE * LANES];
        tile(count, transposed + first * LOGIT_FEATURES, w + (ulong)k * features + depth, features, 1, width, out);
        uint valid = min(row_count - first, (uint)LANES);
        global float *to = block + (first_row + first) * stride + k;
        for (uint i = 0; i < valid; i++)
          for (uint j = 0; j < count; j++) to[i * (ulong)stride + j] = out[j * LANES + i] + (depth == 0 ? bias[k + j] : to[i * (ulong)stride + j]);
      }
    }
  }
  if (last_class == classes)
    for (uint i = 0; i < row_count; i++)
      for (uint k = classes; k < stride; k++) block[(first_row + i) * stride + k] = padding;
}

// r (rows, stride), x from its first row, gradient (P). Work size: (ceil(features / 128), class_blocks, 1) x (1, 1, 1).
// The GPU family cuts the rows into slabs as well; here there is one.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void gradient_block(global const float *x, global const float *r, ulong features,
                                                                           uint classes, ulong row_begin, ulong rows, uint stride,
                                                                           global float *gradient, uint add) {
  ulong first_feature = (ulong)get_group_id(0) * GRADIENT_FEATURES;
  uint width = (uint)min((ulong)GRADIENT_FEATURES, features - first_feature);
  uint tiles = (classes + TILE - 1) / TILE;
  uint first_class = tiles * (uint)get_group_id(1) / (uint)get_num_groups(1) * TILE;
  uint last_class = min(tiles * ((uint)get_group_id(1) + 1) / (uint)get_num_groups(1) * TILE, classes);
  float packed[GRADIENT_ROWS * LANES];
  for (ulong first = 0; first < rows; first += GRADIENT_ROWS) {
    uint count = (uint)min((ulong)GRADIENT_ROWS, rows - first);
    uint keep = add || first > 0;
    for (uint strip = 0; strip < width; strip += LANES) {
      uint valid = min(width - strip, (uint)LANES);
      global const float *from = x + (row_begin + first) * features + first_feature + strip;
      for (uint i = 0; i < count; i++, from += features) {
        if (valid == LANES) {
          vstore16(vload16(0, from), i, packed);
        } else {
          for (uint d = 0; d < LANES; d++) packed[i * LANES + d] = d < valid ? from[d] : 0.0f;
        }
      }
      for (uint k = first_class; k < last_class; k += TILE) {
        uint class_count = min((uint)TILE, last_class - k);
        float out[TILE * LANES];
        tile(class_count, packed, r + first * stride + k, 1, stride, count, out);
        for (uint j = 0; j < class_count; j++) {
          global float *to = gradient + (ulong)(k + j) * features + first_feature + strip;
          if (valid == LANES) {
            float16 sum = vload16(j, out);
            vstore16(keep ? sum + vload16(0, to) : sum, 0, to);
          } else {
            for (uint d = 0; d < valid; d++) to[d] = keep ? to[d] + out[j * LANES + d] : out[j * LANES + d];
          }
        }
      }
    }
    if (first_feature == 0) {
      global float *bias = gradient + (ulong)classes * features;
      for (uint k = first_class; k < last_class; k++) {
        float sum = keep ? bias[k] : 0.0f;
        for (uint i = 0; i < count; i++) sum += r[(first + i) * stride + k];
        bias[k] = sum;
      }
    }
  }
}
