// The products of sparse rows on the CPU family: lanes over classes. Macros: those of sparse.clh and lanes.clh.
#include "constants.clh"
#include "items.clh"
#include "sparse.clh"
#include "transpose.clh"

// Sums side by side, so that few classes do not wait for one addition after the other.
#if TILE_CLASSES <= 16
#define SUMS 4
#elif TILE_CLASSES <= 32
#define SUMS 2
#else
#define SUMS 1
#endif
#if TILE_CLASSES >= 8
#define PADDED ((TILE_CLASSES + 7) / 8 * 8) // what is turned by eights
#else
#define PADDED TILE_CLASSES
#endif

#define load_private(from, i) vload8(0, (from) + (i))
#if TILE_CLASSES >= 8
DEFINE_TRANSPOSE(turn_logits, private const float *, load_private, private float *)
#endif

// to (columns, rows) = from (rows, columns), both in full: a strip of rows and the padded classes of a tile, either way.
static inline void turn_tile(private const float *from, uint rows, uint columns, private float *to) {
#if TILE_CLASSES >= 8
  for (uint i = 0; i < rows; i += 8)
    for (uint j = 0; j < columns; j += 8) turn_logits(from + i * columns + j, columns, to + j * rows + i, rows);
#else
  for (uint i = 0; i < rows; i++)
    for (uint j = 0; j < columns; j++) to[j * rows + i] = from[i * columns + j];
#endif
}

// sum += the entries [j, last) of a row or column times what they meet: row at[j] of `with`, `stride` floats apart. Of few entries one after
// the other.
#define SUM_ONE_BY_ONE(sum, at, value, values, j, last, with, stride) \
  for (; j < last; j++) classes_add_product(&(sum), value(values, j), (with) + (ulong)(at)[j] * (stride))
#if SUMS == 1
#define SUM_ENTRIES(sum, at, value, values, j, last, with, stride) \
  { SUM_ONE_BY_ONE(sum, at, value, values, j, last, with, stride); }
#elif TILE_CLASSES == 2
// Both classes of two entries in a vector of four, by its components: oclgrind 21.10 ends at vectors that are made of halves.
static inline float4 two_entries(float4 sum, float a, global const float *from, float b, global const float *other) {
  return fma((float4)(a, a, b, b), (float4)(from[0], from[1], other[0], other[1]), sum);
}
#define TWO_ENTRIES(sum, at, value, values, j, with, stride)                                                 \
  sum = two_entries(sum, value(values, j), (with) + (ulong)(at)[j] * (stride), value(values, (j) + 1), \
                    (with) + (ulong)(at)[(j) + 1] * (stride))
#define SUM_ENTRIES(sum, at, value, values, j, last, with, stride)          \
  {                                                                         \
    if (j + 2 * SUMS <= last) {                                             \
      float4 even_ = 0.0f, odd_ = 0.0f;                                     \
      for (; j + 4 <= last; j += 4) {                                       \
        TWO_ENTRIES(even_, at, value, values, j, with, stride);             \
        TWO_ENTRIES(odd_, at, value, values, j + 2, with, stride);          \
      }                                                                     \
      even_ += odd_;                                                        \
      (sum).two += (float2)(even_.s0 + even_.s2, even_.s1 + even_.s3);      \
    }                                                                       \
    SUM_ONE_BY_ONE(sum, at, value, values, j, last, with, stride);          \
  }
#else
#define SUM_ENTRIES(sum, at, value, values, j, last, with, stride)                                                                 \
  {                                                                                                                                \
    if (j + 2 * SUMS <= last) {                                                                                                    \
      Classes part_[SUMS];                                                                                                         \
      UNROLL for (int s_ = 0; s_ < SUMS; s_++) { classes_clear(part_[s_]) }                                                        \
      for (; j + SUMS <= last; j += SUMS) UNROLL for (int s_ = 0; s_ < SUMS; s_++)                                                 \
          classes_add_product(&part_[s_], value(values, j + s_), (with) + (ulong)(at)[j + s_] * (stride));                         \
      UNROLL for (int s_ = 0; s_ < SUMS; s_++) classes_join(&(sum), &part_[s_]);                                                   \
    }                                                                                                                              \
    SUM_ONE_BY_ONE(sum, at, value, values, j, last, with, stride);                                                                 \
  }
#endif

// Z = X W' + b in strips (strip.clh), from row block_row (a multiple of 16) of block on. begin, columns, values: of rows from row_begin on; w
// (D + 1, stride), its last row the bias. An item is `strips` of them.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void sparse_logits(global const ulong *begin, global const uint *columns,
                                                                          global const entry *values, global const float *w, ulong features,
                                                                          uint classes, uint stride, ulong row_begin, ulong rows,
                                                                          global float *block, ulong block_row, uint strips, uint items,
                                                                          volatile global uint *counter) {
  FOR_ITEMS(item, items, counter) {
    ulong first_row = (ulong)item * strips * STRIP, last_row = min(first_row + strips * STRIP, rows);
    for (ulong row = first_row; row < last_row; row += STRIP) {
      global float *to = block + (block_row + row) * classes;
      for (uint tile = 0; tile < known_stride(stride); tile += TILE_CLASSES) {
        float z[STRIP * PADDED], turned[PADDED * STRIP];
        for (uint i = 0; i < STRIP; i++) {
          Classes sum;
          classes_load(&sum, w + features * stride + tile);
          if (row + i < last_row) {
            ulong j = begin[row_begin + row + i], last = begin[row_begin + row + i + 1];
            SUM_ENTRIES(sum, columns, entry_value, values, j, last, w + tile, known_stride(stride))
          }
          classes_keep(&sum, z + i * PADDED);
        }
        turn_tile(z, STRIP, PADDED, turned);
        for (uint k = 0; k < min((uint)TILE_CLASSES, classes - min(tile, classes)); k++)
          vstore16(vload16(k, turned), 0, to + (tile + k) * STRIP);
      }
    }
  }
  end_items(counter);
}

// R (rows, stride) = the strips times row_factors, row by row, and sums (items, stride), from number first_item on, of the rows of each item, what
// the bias's gradient is made of. Columns past K are 0. An item is `strips` of them.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void sparse_residuals(global const float *block, global const float *row_factors,
                                                                             uint classes, uint stride, ulong rows, global float *to,
                                                                             global float *sums, uint first_item, uint strips, uint items,
                                                                             volatile global uint *counter) {
  FOR_ITEMS(item, items, counter) {
    ulong first_row = (ulong)item * strips * STRIP, last_row = min(first_row + strips * STRIP, rows);
    for (uint tile = 0; tile < known_stride(stride); tile += TILE_CLASSES) {
      Classes sum;
      classes_clear(sum)
      for (ulong row = first_row; row < last_row; row += STRIP) {
        float z[PADDED * STRIP], turned[STRIP * PADDED];
        float16 factors = vload16(0, row_factors + row);
        global const float *from = block + row * classes;
        for (uint k = 0; k < PADDED; k++)
          vstore16(tile + k < classes ? vload16(0, from + (tile + k) * STRIP) * factors : (float16)(0.0f), k, z);
        turn_tile(z, PADDED, STRIP, turned);
        for (uint i = 0; i < min((ulong)STRIP, last_row - row); i++) {
          Classes one;
#define TAKE_PART(part, type, load, store, offset) part = load(0, turned + i * PADDED + (offset))
          FOR_PARTS(TAKE_PART, one)
          classes_store(&one, to + (row + i) * stride + tile);
          classes_join(&sum, &one);
        }
      }
      classes_store(&sum, sums + (ulong)(first_item + item) * stride + tile);
    }
  }
  end_items(counter);
}

// gradient (D, stride) += R' X of a block of rows, whose entries lie column by column: rows (entries) of R (rows, stride), and values. index holds the
// numbers of the columns that have entries (columns), where the entries of each end (columns), and the first column of each item and the end
// of the last (items + 1).
#define DEFINE_SPARSE_GRADIENT(name, value)                                                                                                  \
  kernel __attribute__((reqd_work_group_size(1, 1, 1))) void name(                                                                          \
      global const float *residuals, global const ushort *rows, global const entry *values, global const uint *index, uint columns,         \
      uint stride, global float *gradient, uint items, volatile global uint *counter) {                                                     \
    global const uint *ends = index + columns, *starts = ends + columns;                                                                    \
    FOR_ITEMS(item, items, counter) {                                                                                                       \
      uint last_column = starts[item + 1];                                                                                                  \
      for (uint c = starts[item]; c < last_column; c++) {                                                                                   \
        uint first = c > 0 ? ends[c - 1] : 0, last = ends[c];                                                                               \
        global float *to = gradient + (ulong)index[c] * known_stride(stride);                                                                             \
        for (uint tile = 0; tile < known_stride(stride); tile += TILE_CLASSES) {                                                                          \
          Classes sum;                                                                                                                      \
          classes_load(&sum, to + tile);                                                                                                    \
          for (uint j = first; j < last;) { /* long columns in segments, so that rounding errors do not pile up */                          \
            uint end = min(last, j + SPARSE_SEGMENT);                                                                                       \
            SUM_ENTRIES(sum, rows, value, values, j, end, residuals + tile, known_stride(stride))                                                         \
          }                                                                                                                                 \
          classes_store(&sum, to + tile);                                                                                                   \
        }                                                                                                                                   \
      }                                                                                                                                     \
    }                                                                                                                                       \
    end_items(counter);                                                                                                                     \
  }
DEFINE_SPARSE_GRADIENT(sparse_gradient, entry_value)
// The same with the squares of the values: what a diagonal of the Hessian is made of.
DEFINE_SPARSE_GRADIENT(sparse_squares, entry_square)
