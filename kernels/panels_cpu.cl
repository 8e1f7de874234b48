// Logits of the CPU family for a moderate number of classes: Z = X W' + b in strips (strip.clh), from W in panels (panel.clh). Against
// logits_strips, what is transposed is the result (N K) instead of X (N D), and X is copied as it lies, which costs a quarter of that.
#include "items.clh"
#include "pack_panels.cl"
#include "storage.clh"


#define COPY_STRIDE (PANEL_DEPTH + 16) // rows that lie 4096 bytes apart would all fall into one set of the first-level cache
#define COPY_ROWS (PANEL_STRIPS * STRIP)

DEFINE_PANEL_TILE(panel_tile, const float *, load_float, global float *, PANEL_ROWS, float16, vload16, vstore16)
DEFINE_PANEL_TILE(panel_tile_rest, const float *, load_float, float *, PANEL_ROWS, float16, vload16, vstore16)
DEFINE_PANEL_TILE(panel_tile_half, const float *, load_float, float *, 8, float8, vload8, vstore8)
DEFINE_TRANSPOSE(transpose_block, global const float *, load_eight, float *)
DEFINE_TRANSPOSE(transpose_rest, const float *, load_eight, float *)

// to[i * COPY_STRIDE + d] = x[i][d] for rows i in [begin, end) and d < width; rows past the last are 0.
OUT_OF_LINE void copy_rows(global const stored *x, ulong features, uint rows, uint begin, uint end, uint width, float *to) {
  for (uint i = begin; i < end; i++) {
    uint d = 0;
    if (i < rows)
      for (; d + 16 <= width; d += 16) vstore16(x_load16(x, i * features + d), 0, to + i * COPY_STRIDE + d);
    for (; d < width; d++) to[i * COPY_STRIDE + d] = i < rows ? x_load(x, i * features + d) : 0.0f;
  }
}

// z[k * 16 + i] = from[i * 16 + k], i < 16, k < classes <= 16; z may be from itself.
#define DEFINE_TRANSPOSE_STRIP(name, from_pointer, transpose)                                                     \
  OUT_OF_LINE void name(from_pointer from, uint classes, global float *z) {                                       \
    float strip[STRIP * 16] __attribute__((aligned(64)));                                                         \
    for (uint k = 0; k < classes; k += 8)                                                                         \
      for (uint i = 0; i < STRIP; i += 8) transpose(from + i * 16 + k, 16, strip + k * STRIP + i, STRIP);         \
    for (uint k = 0; k < classes; k++) vstore16(vload16(k, strip), k, z);                                         \
  }
DEFINE_TRANSPOSE_STRIP(transpose_strip_in_place, global const float *, transpose_block)
DEFINE_TRANSPOSE_STRIP(transpose_strip_of_rest, const float *, transpose_rest)

// Rows [row_begin, row_begin + rows) of the kernel below: item number `item` of `items`, a contiguous run of triples of strips.
static inline void panels_item(global const stored *x, global const float *panels, ulong features, uint classes, ulong row_begin, ulong rows,
                                global float *block, ulong block_row, uint item, uint items) {
  ulong strips = (rows + STRIP - 1) / STRIP, runs = (strips + PANEL_STRIPS - 1) / PANEL_STRIPS;
  ulong first_strip = runs * item / items * PANEL_STRIPS, last_strip = min(runs * (item + 1) / items * PANEL_STRIPS, strips);
  uint count = panel_count(classes), buffer = 0;
  float copied[2][COPY_ROWS * COPY_STRIDE] __attribute__((aligned(64)));
  float rest[COPY_ROWS * 16] __attribute__((aligned(64))); // of the last panel, when it has less than 16 classes
  x += row_begin * features;
  block += block_row * classes;
  copy_rows(x + first_strip * STRIP * features, features, (uint)min((ulong)COPY_ROWS, rows - first_strip * STRIP), 0, COPY_ROWS,
            (uint)min((ulong)PANEL_DEPTH, features), copied[0]);
  for (ulong strip = first_strip; strip < last_strip; strip += PANEL_STRIPS) {
    uint now = (uint)min((ulong)PANEL_STRIPS, last_strip - strip);
    global float *z = block + strip * STRIP * classes;
    for (ulong depth = 0; depth < features; depth += PANEL_DEPTH, buffer ^= 1) {
      uint width = (uint)min((ulong)PANEL_DEPTH, features - depth);
      // What comes next: more features of these rows, or the next rows. A part of it is prefetched in a tile, and copied after the next one.
      bool last = depth + width >= features;
      ulong next_depth = last ? 0 : depth + width, next_row = (strip + (last ? PANEL_STRIPS : 0)) * STRIP;
      uint next_rows = (uint)min((ulong)COPY_ROWS, rows - min(next_row, rows));
      uint next_width = (uint)min((ulong)PANEL_DEPTH, features - next_depth);
      global const stored *next = x + next_row * features + next_depth;
      for (uint panel = 0; panel < count; panel++) {
        uint begin = COPY_ROWS * panel / count, end = COPY_ROWS * (panel + 1) / count, k = 16 * panel;
        uint ahead = COPY_ROWS * (panel + 1) / count, ahead_end = COPY_ROWS * (panel + 2) / count;
        uint panel_lanes = panel_width(panel, classes);
        global const float *weights = panels + (features + 1) * k, *start = depth == 0 ? weights + features * panel_lanes : 0;
        global const stored *ahead_x = next + ahead * features;
#define PANEL_ARGUMENTS(lanes, to, strip_stride)                                                                                              \
  copied[buffer], COPY_STRIDE, now * STRIP, weights + depth * (lanes), width, start, to, strip_stride, ahead_x, features, ahead_end - ahead
        if (classes - k >= 16)
          panel_tile(PANEL_ARGUMENTS(16, z + k * STRIP, STRIP * classes));
        else if (panel_lanes == 16)
          panel_tile_rest(PANEL_ARGUMENTS(16, rest, STRIP * 16));
        else
          panel_tile_half(PANEL_ARGUMENTS(8, rest, STRIP * 16));
        if (last)
          for (uint s = 0; s < now; s++) {
            global float *tile = z + (s * classes + k) * STRIP;
            if (classes - k >= 16)
              transpose_strip_in_place(tile, 16, tile);
            else
              transpose_strip_of_rest(rest + s * STRIP * 16, classes - k, tile);
          }
        if (!last || strip + PANEL_STRIPS < last_strip)
          copy_rows(next, features, next_rows, begin, end, next_width, copied[buffer ^ 1]);
      }
    }
  }
}

// block: strips, those of rows [row_begin, row_begin + rows) from row block_row (a multiple of 16) on. x from its first row. While features are
// added up, a tile lies in its place as rows of classes. Work size: (any groups) x 1; at most an item for three strips.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void logits_panels(global const stored *x, global const float *panels, ulong features,
                                                                          uint classes, ulong row_begin, ulong rows, global float *block,
                                                                          ulong block_row, uint items, volatile global uint *counter) {
  FOR_ITEMS(item, items, counter) panels_item(x, panels, features, classes, row_begin, rows, block, block_row, item, items);
  end_items(counter);
}
