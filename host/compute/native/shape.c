/* Default shapes of the kernels. */
#include "compute/native/shape.h"

NativeShape native_default_shape(SetosaFamily family, size_t classes, const DeviceTraits *traits) {
  NativeShape shape = {.lanes = 8, .dot_classes = 3, .outer_classes = 6, .outer_registers = 12, .strip_classes = 6, .panel_rows = 6};
  if (traits->preferred_float_width >= 16)
    shape = (NativeShape){.lanes = 16, .dot_classes = 5, .outer_classes = 16, .outer_registers = 24, .strip_classes = 6, .panel_rows = 8};
  shape.tile_classes = classes <= 16 ? 16 : classes <= 32 ? 32 : 64;
  shape.shares = family == SETOSA_FAMILY_CPU ? 64 : 256;
  return shape;
}

bool native_shape_equal(const NativeShape *a, const NativeShape *b) {
  return a->lanes == b->lanes && a->dot_classes == b->dot_classes && a->outer_classes == b->outer_classes &&
         a->outer_registers == b->outer_registers && a->strip_classes == b->strip_classes && a->panel_rows == b->panel_rows &&
         a->tile_classes == b->tile_classes && a->shares == b->shares;
}

enum {
  ROW_VECTOR = 4,       /* floats */
  LEAST_LANES = 2,      /* of a row of the least stride, 8, */
  LINE_LANES = 8,       /* up to a line of memory each has one vector, */
  MOST_ROW_LANES = 256, /* then several, at most: */
  MOST_ROW_VECTORS = 4  /* more of them would not fit into the registers of every GPU */
};

uint32_t native_row_lanes(uint32_t stride) {
  uint32_t lanes = LEAST_LANES;
  while (lanes < LINE_LANES && lanes * ROW_VECTOR < stride) lanes *= 2;
  while (lanes < MOST_ROW_LANES && lanes * ROW_VECTOR * MOST_ROW_VECTORS < stride) lanes *= 2;
  return lanes;
}

uint32_t native_row_vectors(uint32_t stride) {
  uint32_t floats = native_row_lanes(stride) * ROW_VECTOR, vectors = (stride + floats - 1) / floats;
  return vectors <= MOST_ROW_VECTORS ? vectors : 0;
}
