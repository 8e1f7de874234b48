// The two products of the CPU family on a block of rows, for many classes, for prediction, and for line searches:
//   logits_block:    Z (rows, stride) = X W' + b, the columns past `classes` set to `padding`
//   gradient_block:  G (P) (+)= R' X, and the column sums of R in its last K
// The register tiles are those of tile_cpu.clh. Each work-item is a group and owns a rectangle of the result; nothing is summed twice.
#include "tile_cpu.clh"

#define BLOCK_ROWS 48     // rows of a rectangle of Z
#define BLOCK_CLASSES 64  // classes of a rectangle of Z and of G: 64 rows of W stay in L2
#define PACK_ROWS 64      // X is copied by PACK_ROWS x PACK_FEATURES (16 KB), so that strides of 4096 bytes do not thrash L1
#define PACK_FEATURES 64

DEFINE_OUTER_TILE(outer_tile, OUTER_CLASSES, private, global)
DEFINE_OUTER_TILE(outer_tile_1, 1, private, global)

// x (rows, features) from its first row, w (P). Work size: (ceil(rows / 48), ceil(classes / 64)) x (1, 1).
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void logits_block(global const float *x, global const float *w, ulong features,
                                                                         uint classes, ulong row_begin, ulong rows, global float *block,
                                                                         uint stride, float padding) {
  ulong first_row = (ulong)get_group_id(0) * BLOCK_ROWS, last_row = min(first_row + BLOCK_ROWS, rows);
  uint first_class = (uint)get_group_id(1) * BLOCK_CLASSES, last_class = min(first_class + BLOCK_CLASSES, classes);
  global const float *bias = w + (ulong)classes * features;
  for (ulong first = first_row; first < last_row; first += ROW_TILE) {
    global const float *row[ROW_TILE];
    float out[ROW_TILE * CLASS_TILE];
    int valid = (int)min((ulong)ROW_TILE, last_row - first);
    UNROLL for (int i = 0; i < ROW_TILE; i++) row[i] = x + (row_begin + min(first + i, last_row - 1)) * features;
    uint k = first_class;
    for (; k + CLASS_TILE <= last_class; k += CLASS_TILE) {
      dot_tile_2(row, w + (ulong)k * features, features, out);
      for (int i = 0; i < valid; i++)
        for (int j = 0; j < CLASS_TILE; j++) block[(first + i) * stride + k + j] = out[i * CLASS_TILE + j] + bias[k + j];
    }
    for (; k < last_class; k++) {
      dot_tile_1(row, w + (ulong)k * features, features, out);
      for (int i = 0; i < valid; i++) block[(first + i) * stride + k] = out[i] + bias[k];
    }
    if (last_class == classes)
      for (int i = 0; i < valid; i++)
        for (k = classes; k < stride; k++) block[(first + i) * stride + k] = padding;
  }
}

// r (rows, stride), x from its first row, gradient (P). Work size: (ceil(features / 64), ceil(classes / 64), 1) x (1, 1, 1).
// The GPU family cuts the rows into slabs as well; here there is one.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void gradient_block(global const float *x, global const float *r, ulong features,
                                                                           uint classes, ulong row_begin, ulong rows, uint stride,
                                                                           global float *gradient, uint add) {
  ulong first_feature = (ulong)get_group_id(0) * PACK_FEATURES;
  uint width = (uint)min((ulong)PACK_FEATURES, features - first_feature);
  uint first_class = (uint)get_group_id(1) * BLOCK_CLASSES, last_class = min(first_class + BLOCK_CLASSES, classes);
  float packed[PACK_ROWS * PACK_FEATURES];
  for (ulong first = 0; first < rows; first += PACK_ROWS) {
    uint count = (uint)min((ulong)PACK_ROWS, rows - first);
    for (uint i = 0; i < count; i++) {
      global const float *from = x + (row_begin + first + i) * features + first_feature;
      uint d = 0;
      for (; d + 8 <= width; d += 8) vstore8(vload8(0, from + d), 0, packed + i * PACK_FEATURES + d);
      for (; d < width; d++) packed[i * PACK_FEATURES + d] = from[d];
    }
    uint keep = add || first > 0;
    for (uint k = first_class; k < last_class;) {
      uint tile = k + OUTER_CLASSES <= last_class ? OUTER_CLASSES : 1;
      global const float *factors = r + first * stride + k;
      global float *to = gradient + (ulong)k * features + first_feature;
      uint d = 0;
      for (; d + OUTER_FEATURES <= width; d += OUTER_FEATURES) {
        if (tile == OUTER_CLASSES)
          outer_tile(packed + d, PACK_FEATURES, factors, stride, 1, count, to + d, features, keep);
        else
          outer_tile_1(packed + d, PACK_FEATURES, factors, stride, 1, count, to + d, features, keep);
      }
      for (; d < width; d++) {
        if (tile == OUTER_CLASSES)
          outer_tile_tail(packed + d, PACK_FEATURES, factors, stride, 1, count, to + d, features, keep);
        else
          outer_tile_1_tail(packed + d, PACK_FEATURES, factors, stride, 1, count, to + d, features, keep);
      }
      k += tile;
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
