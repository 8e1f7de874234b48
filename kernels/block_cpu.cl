// The two products of the CPU family on a block of rows, for many classes:
//   logits_strips:    Z = X W' + b, in strips (strip.clh)
//   gradient_strips:  G (P) (+)= R' X, and the column sums of R in its last K;  R = f e, f one factor a row
// Both run one register tile: TILE_CLASSES classes x 16 numbers. What its vectors run over is copied next to each other first (16 rows of X
// transposed for the logits, 16 features of X times f for the gradient; zeros past the edge), small enough for the second-level cache, so that
// edges need no slower code and strides of 4096 bytes do no harm; the factors (rows of W, strips of e) are broadcast from where they lie.
// K is cut into the fewest tiles, of TILE_CLASSES classes or one less: tile t begins at class t (TILE_CLASSES - 1) + min(t, tall tiles).
// Groups take items (items.clh), rectangles of the result. PANEL_ROWS, when above 0, brings logits_panels along, which serves a moderate number of
// classes better than logits_strips.
#include "compensated.clh"
#include "items.clh"
#include "prefetch.clh"
#include "storage.clh"
#include "strip.clh"
#include "transpose.clh"
#if PANEL_ROWS > 0
#include "panels_cpu.cl" // in one program: PoCL takes 0.2 s for another, whatever is in it
#endif

#ifndef TILE_CLASSES
#define TILE_CLASSES 6 // classes of the tall register tile: ceil(K / T), T = ceil(K / most classes that registers hold)
#endif
#ifndef LOGIT_DEPTH
#define LOGIT_DEPTH 512 // features transposed at a time, a multiple of 16
#endif
#ifndef GRADIENT_ROWS
#define GRADIENT_ROWS 384 // rows copied at a time, a multiple of 16
#endif
// COLUMN_STRIPS strips of features share a tile of e in the first-level cache, and lines of G next to each other; GROUP_STRIPS strips of rows share
// a tile of W.

// to[j * to_stride + lane] = start_j + sum over `chunks` chunks c and i < 16 of factors[c * chunk_stride + j * class_stride + i] * vectors[(16 c +
// i) * 16 + lane], and `rest` < 16 more steps. start_j: bias[j] (0 when bias is NULL), or with add what is in `to`. Only the first `valid`
// lanes exist in `to`. On the way, `ahead_count` lines of X, ahead_stride elements apart, are prefetched, one for
// each chunk: a burst overflows the buffers of a core and is mostly dropped, and the loads that follow stall behind it.
#define DEFINE_TILE(name, CLASSES_)                                                                                                 \
  OUT_OF_LINE void name(const float *vectors, global const float *factors, ulong class_stride, ulong chunk_stride, uint chunks,     \
                          uint rest, global const float *bias, global float *to, ulong to_stride, uint valid, uint add,             \
                          global const stored *ahead, ulong ahead_stride, uint ahead_count) {                                       \
    float16 sums[CLASSES_];                                                                                                         \
    UNROLL for (int j = 0; j < (CLASSES_); j++) sums[j] = bias != 0 ? (float16)(bias[j]) : (float16)(0.0f);                         \
    global const float *row[CLASSES_];                                                                                              \
    if (add) UNROLL for (int j = 0; j < (CLASSES_); j++) prefetch_line(to + j * to_stride);                                        \
    UNROLL for (int j = 0; j < (CLASSES_); j++) row[j] = factors + j * class_stride;                                                \
    for (uint c = 0; c < chunks; c++, vectors += 16 * STRIP) {                                                                      \
      for (uint line = c; line < ahead_count; line += chunks) prefetch_line(ahead + line * ahead_stride);                           \
      UNROLL for (uint i = 0; i < 16; i++) {                                                                                        \
        float16 v = vload16(i, vectors);                                                                                            \
        UNROLL for (int j = 0; j < (CLASSES_); j++) sums[j] = fma((float16)(row[j][i]), v, sums[j]);                                  \
      }                                                                                                                             \
      UNROLL for (int j = 0; j < (CLASSES_); j++) row[j] += chunk_stride;                                                           \
    }                                                                                                                               \
    for (uint i = 0; i < rest; i++) {                                                                                               \
      float16 v = vload16(i, vectors);                                                                                              \
      UNROLL for (int j = 0; j < (CLASSES_); j++) sums[j] = fma((float16)(row[j][i]), v, sums[j]);                                  \
    }                                                                                                                               \
    if (valid == STRIP) {                                                                                                           \
      UNROLL for (int j = 0; j < (CLASSES_); j++) {                                                                                 \
        global float *row = to + j * to_stride;                                                                                     \
        vstore16(add ? sums[j] + vload16(0, row) : sums[j], 0, row);                                                                \
      }                                                                                                                             \
    } else {                                                                                                                        \
      float out[STRIP];                                                                                                             \
      for (int j = 0; j < (CLASSES_); j++) {                                                                                        \
        global float *row = to + j * to_stride;                                                                                     \
        vstore16(sums[j], 0, out);                                                                                                  \
        for (uint lane = 0; lane < valid; lane++) row[lane] = add ? row[lane] + out[lane] : out[lane];                              \
      }                                                                                                                             \
    }                                                                                                                               \
  }
DEFINE_TILE(tile_tall, TILE_CLASSES)
#if TILE_CLASSES > 1
DEFINE_TILE(tile_low, TILE_CLASSES - 1)
#else
#define tile_low tile_tall
#endif

static inline uint tile_count(uint classes) { return (classes + TILE_CLASSES - 1) / TILE_CLASSES; }
static inline uint tall_tiles(uint classes) { return classes - tile_count(classes) * (TILE_CLASSES - 1); }
static inline uint tile_begin(uint tile, uint classes) { return tile * (TILE_CLASSES - 1) + min(tile, tall_tiles(classes)); }

DEFINE_TRANSPOSE(transpose_stored, global const stored *, x_load8, float *)

// to[d][row of 16] = x[row][d] for d < width; rows past the last are 0. A line of memory is used up at once: where rows lie 4096 bytes apart,
// 16 of them do not fit the first-level cache together.
OUT_OF_LINE void transpose_strip(global const stored *x, ulong features, uint rows, uint width, float *to) {
  uint d = 0;
  if (rows >= STRIP)
    for (; d + 16 <= width; d += 16)
      for (uint r = 0; r < STRIP; r += 8)
        for (uint half_line = 0; half_line < 16; half_line += 8)
          transpose_stored(x + r * features + d + half_line, features, to + (d + half_line) * STRIP + r, STRIP);
  for (; d < width; d++)
    for (uint r = 0; r < STRIP; r++) to[d * STRIP + r] = r < rows ? x_load(x, r * features + d) : 0.0f;
}

// Share `part` of `parts` of rows [0, rows) x `width` elements of X from `x` on is prefetched.
OUT_OF_LINE void prefetch_rows(global const stored *x, ulong features, uint rows, uint width, uint part, uint parts) {
  for (uint row = rows * part / parts, end = rows * (part + 1) / parts; row < end; row++)
    for (uint d = 0; d < width; d += 64 / sizeof(stored)) prefetch_line(x + row * features + d);
}

// GROUP_STRIPS strips of rows, number `group`, and the tiles of class range `range` of `ranges`, of the kernel below.
static inline void strips_item(global const stored *x, global const float *w, ulong features, uint classes, ulong row_begin, ulong rows,
                                global float *block, ulong block_row, uint group, uint range, uint ranges) {
  ulong first_row = (ulong)group * GROUP_STRIPS * STRIP;
  uint row_count = (uint)min((ulong)GROUP_STRIPS * STRIP, rows - first_row), tiles = tile_count(classes);
  uint first_tile = tiles * range / ranges, last_tile = tiles * (range + 1) / ranges;
  global float *strips = block + (block_row + first_row) * classes;
  float copied[GROUP_STRIPS * LOGIT_DEPTH * STRIP] __attribute__((aligned(64)));
  for (ulong depth = 0; depth < features; depth += LOGIT_DEPTH) {
    uint width = (uint)min((ulong)LOGIT_DEPTH, features - depth);
    for (uint row = 0; row < row_count; row += STRIP)
      transpose_strip(x + (row_begin + first_row + row) * features + depth, features, row_count - row, width, copied + row * LOGIT_DEPTH);
    for (uint tile = first_tile; tile < last_tile; tile++) {
      uint k = tile_begin(tile, classes);
      if (depth + LOGIT_DEPTH < features)
        prefetch_rows(x + (row_begin + first_row) * features + depth + LOGIT_DEPTH, features, row_count,
                      (uint)min((ulong)LOGIT_DEPTH, features - depth - LOGIT_DEPTH), tile - first_tile, last_tile - first_tile);
      else if (range + 1 == ranges) // the rows of the next group
        prefetch_rows(x + (row_begin + first_row + GROUP_STRIPS * STRIP) * features, features,
                      (uint)min((ulong)GROUP_STRIPS * STRIP, rows - min(first_row + GROUP_STRIPS * STRIP, rows)),
                      (uint)min((ulong)LOGIT_DEPTH, features), tile - first_tile, last_tile - first_tile);
      global const float *factors = w + k * features + depth, *bias = depth == 0 ? w + (ulong)classes * features + k : 0;
      for (uint row = 0; row < row_count; row += STRIP) {
        global float *to = strips + (ulong)row * classes + k * STRIP;
        if (tile < tall_tiles(classes))
          tile_tall(copied + row * LOGIT_DEPTH, factors, features, 16, width / 16, width % 16, bias, to, STRIP, STRIP, depth > 0, x, 0, 0);
        else
          tile_low(copied + row * LOGIT_DEPTH, factors, features, 16, width / 16, width % 16, bias, to, STRIP, STRIP, depth > 0, x, 0, 0);
      }
    }
  }
}

// block: strips, those of rows [row_begin, row_begin + rows) from row block_row (a multiple of 16) on. x from its first row, w (P).
// Work size: (any groups) x 1; ranges, at most the tiles, times ceil(strips / GROUP_STRIPS) items.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void logits_strips(global const stored *x, global const float *w, ulong features,
                                                                          uint classes, ulong row_begin, ulong rows, global float *block,
                                                                          ulong block_row, uint ranges, volatile global uint *counter) {
  uint groups = (uint)((rows + GROUP_STRIPS * STRIP - 1) / (GROUP_STRIPS * STRIP));
  FOR_ITEMS(item, groups * ranges, counter)
  strips_item(x, w, features, classes, row_begin, rows, block, block_row, item % groups, item / groups, ranges);
  end_items(counter);
}

// to[strip][row][feature of 16] = f_row x[row][feature] for rows [begin, end) and `width` features; past those 0.
OUT_OF_LINE void copy_features(global const stored *x, ulong features, global const float *factors, uint begin, uint end, uint width,
                               float *to) {
  for (uint i = begin; i < end; i++) {
    uint d = 0;
    for (; d + STRIP <= width; d += STRIP) vstore16(x_load16(x, i * features + d) * factors[i], i, to + d * GRADIENT_ROWS);
    if (d < width)
      for (uint lane = 0; lane < STRIP; lane++)
        to[d * GRADIENT_ROWS + i * STRIP + lane] = d + lane < width ? x_load(x, i * features + d + lane) * factors[i] : 0.0f;
  }
}

static inline uint gradient_columns(ulong features) { return (uint)((features + COLUMN_STRIPS * STRIP - 1) / (COLUMN_STRIPS * STRIP)); }

// The bias part of the gradient for classes [first, last): sums of f e over `count` rows. Past the last row f is 0.
static inline void add_bias(global const float *strips, global const float *factors, uint classes, uint count, uint first, uint last,
                            global float *bias, uint add) {
  for (uint k = first; k < last; k++) {
    float16 sum = 0.0f;
    global const float *strip = strips + (ulong)k * STRIP;
    for (uint i = 0; i < count; i += STRIP, strip += (ulong)classes * STRIP) sum = fma(vload16(0, strip), vload16(0, factors + i), sum);
    float lanes[STRIP]; // by way of memory, as accumulated_sixteen
    vstore16(sum, 0, lanes);
    float8 eight = vload8(0, lanes) + vload8(1, lanes);
    float4 four = eight.lo + eight.hi;
    float2 two = four.lo + four.hi;
    bias[k] = add ? bias[k] + (two.s0 + two.s1) : two.s0 + two.s1;
  }
}

// Features of column `column`, classes of range `range` of `ranges` and part `part` of `parts` of the rows, of the kernel below.
static inline void gradient_item(global const stored *x, global const float *e, global const float *factors, ulong features, uint classes,
                                  ulong row_begin, ulong rows, global float *gradient, uint add, uint column, uint range, uint ranges, uint part,
                                  uint parts) {
  ulong feature = (ulong)column * (COLUMN_STRIPS * STRIP), strips = (rows + STRIP - 1) / STRIP;
  uint width = (uint)min((ulong)(COLUMN_STRIPS * STRIP), features - feature), tiles = tile_count(classes);
  uint first_tile = tiles * range / ranges, last_tile = tiles * (range + 1) / ranges;
  ulong first_row = strips * part / parts * STRIP, last_row = min(strips * (part + 1) / parts * STRIP, rows);
  // The bias, shared out over the items that have the same rows.
  ulong sharers = (ulong)gradient_columns(features) * ranges, sharer = (ulong)column * ranges + range;
  uint first_bias = (uint)(classes * sharer / sharers), last_bias = (uint)(classes * (sharer + 1) / sharers);
  float copied[2][COLUMN_STRIPS * GRADIENT_ROWS * STRIP] __attribute__((aligned(64)));
  uint buffer = 0;
  x += row_begin * features + feature;
  copy_features(x + first_row * features, features, factors + first_row, 0, (uint)min((ulong)GRADIENT_ROWS, last_row - first_row), width,
                copied[0]);
  for (ulong first = first_row; first < last_row; first += GRADIENT_ROWS, buffer ^= 1) {
    uint count = (uint)min((ulong)GRADIENT_ROWS, last_row - first), keep = add || first > first_row;
    ulong next = first + count;
    uint next_count = (uint)min((ulong)GRADIENT_ROWS, last_row - next);
    for (uint tile = first_tile; tile < last_tile; tile++) {
      uint k = tile_begin(tile, classes), done = tile - first_tile, all = last_tile - first_tile;
      // A part of the next rows is prefetched in a tile, and copied after the next. Past the last the rows of the next block are prefetched.
      uint ahead = GRADIENT_ROWS * (done + 1) / all, ahead_rows = GRADIENT_ROWS * (done + 2) / all - ahead;
      global const float *terms = e + first * classes + k * STRIP;
      for (uint d = 0; d < width; d += STRIP) {
        const float *vectors = copied[buffer] + d * GRADIENT_ROWS;
        global float *to = gradient + k * features + feature + d;
        global const stored *ahead_x = x + (next + ahead) * features + d;
        uint valid = min(width - d, (uint)STRIP);
#define GRADIENT_TILE(tile)                                                                                                  \
  tile(vectors, terms, STRIP, (ulong)classes * STRIP, count / 16, count % 16, 0, to, features, valid, keep, ahead_x, features, \
       ahead_rows)
        if (tile < tall_tiles(classes))
          GRADIENT_TILE(tile_tall);
        else
          GRADIENT_TILE(tile_low);
      }
      copy_features(x + next * features, features, factors + next, next_count * done / all, next_count * (done + 1) / all, width,
                    copied[buffer ^ 1]);
    }
    add_bias(e + first * classes, factors + first, classes, count, first_bias, last_bias, gradient + (ulong)classes * features, keep);
  }
}

// e: strips of the block's rows, factors (rows): R = f e. partials (.., P): one for each part of the rows, from first_partial on.
// Work size: (any groups) x 1; ceil(features / (16 COLUMN_STRIPS)) columns x class ranges, at most the tiles, x parts of the rows are the items.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void gradient_strips(global const stored *x, global const float *e,
                                                                            global const float *factors, ulong features, uint classes,
                                                                            ulong row_begin, ulong rows, global float *partials, uint first_partial,
                                                                            uint add, uint ranges, uint parts, volatile global uint *counter) {
  uint columns = gradient_columns(features);
  FOR_ITEMS(item, columns * ranges * parts, counter) {
    uint part = item / (columns * ranges);
    gradient_item(x, e, factors, features, classes, row_begin, rows, partials + (first_partial + part) * ((ulong)classes * features + classes), add,
                   item % columns, item / columns % ranges, ranges, part, parts);
  }
  end_items(counter);
}
