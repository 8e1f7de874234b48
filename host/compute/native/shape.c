/* Default shapes of the kernels. */
#include "compute/native/fused_shape.h"

enum {
  SIDE = 16, /* work-items along either side of a group, at most */
  FEW_FEATURES = 64,
  MOST_REGISTERS = 255,
  INTEL_REGISTERS = 116 /* of 128 in the narrowest vectors; found by bench/gpu_static */
};

static size_t divide_up(size_t count, size_t size) { return (count + size - 1) / size; }

/* Half a side of work-items is enough for half as many classes; either way a group has whole vectors of 32 or 64 work-items. Of few
 * features the tile has few, too, since to a gradient they are its rows. */
void native_shape_tiles(NativeShape *shape, size_t classes, size_t features, uint32_t item_rows, uint32_t item_classes) {
  size_t tiles = divide_up(classes, (size_t)SIDE * item_classes), each = divide_up(classes, tiles);
  size_t side = each <= SIDE / 2 * (size_t)item_classes ? SIDE / 2 : SIDE;
  if (features <= FEW_FEATURES && item_rows > 4) item_rows = 4;
  shape->item_classes = (uint32_t)divide_up(each, side);
  if (shape->item_classes < 4) shape->item_classes = 4;
  shape->tile_classes = (uint32_t)(divide_up(each, 2 * shape->item_classes) * 2 * shape->item_classes);
  if (shape->tile_classes % 4 > 0) shape->tile_classes += 2 * shape->item_classes;
  shape->item_rows = item_rows;
  shape->tile_rows = SIDE * item_rows;
  shape->tensor = 0;
}

/* Classes are cut into products of 8, so that the last warps have few past the end. */
void native_shape_warps(NativeShape *shape, size_t classes, uint32_t group_rows, uint32_t group_classes, uint32_t warp_rows,
                        uint32_t warp_classes) {
  size_t columns = divide_up(classes, 8), tiles = divide_up(columns, (size_t)group_classes * (warp_classes / 8)),
         each = divide_up(columns, tiles);
  while (group_classes > 1 && divide_up(each, group_classes - 1) <= warp_classes / 8) group_classes--;
  shape->tensor = 1;
  shape->item_rows = warp_rows;
  shape->item_classes = (uint32_t)divide_up(each, group_classes) * 8;
  shape->tile_rows = group_rows * warp_rows;
  shape->tile_classes = group_classes * shape->item_classes;
}

/* Warps of 64 x 32 move the fewest numbers; those of 32 x 64 may have fewer classes past the end. Few classes are a power of two, so that
 * items have few numbers to keep in mind. */
static void choose_warps(NativeShape *shape, size_t classes) {
  NativeShape other = *shape;
  if (classes <= CLASSES_FUSED_MOST) {
    native_shape_warps(shape, classes <= 8 ? 8 : classes <= 16 ? 16 : 32, 2, 1, 32, 32);
    return;
  }
  native_shape_warps(shape, classes, 2, 4, 64, 32);
  native_shape_warps(&other, classes, 4, 2, 32, 64);
  if (divide_up(classes, other.tile_classes) * other.tile_classes < divide_up(classes, shape->tile_classes) * shape->tile_classes)
    *shape = other;
}

NativeShape native_default_shape(SetosaFamily family, size_t classes, size_t features, const DeviceTraits *traits, bool tensor) {
  NativeShape shape = {.lanes = 8, .dot_classes = 3, .outer_classes = 6, .outer_registers = 12, .strip_classes = 6, .panel_rows = 6};
  if (traits->preferred_float_width >= 16)
    shape = (NativeShape){.lanes = 16, .dot_classes = 5, .outer_classes = 16, .outer_registers = 24, .strip_classes = 6, .panel_rows = 8};
  shape.shares = 64;
  if (family == SETOSA_FAMILY_CPU) return shape;
  shape.fused_bytes = traits->vendor == VENDOR_NVIDIA ? 49152 : 32768; /* elsewhere more groups at a time matter more */
  shape.fused_registers = traits->vendor == VENDOR_INTEL ? INTEL_REGISTERS : MOST_REGISTERS;
  shape.fused_tensor = tensor && classes <= CLASSES_FUSED_MOST;
  bool fused = native_fuses(family, &shape, features, classes);
  if (!fused) shape.fused_tensor = 0;
  shape.shares = fused ? 1056 : 256;
  if (tensor && !fused)
    choose_warps(&shape, classes);
  else if (traits->vendor == VENDOR_NVIDIA)
    native_shape_tiles(&shape, classes, features, 8, 8);
  else if (traits->vendor == VENDOR_AMD)
    native_shape_tiles(&shape, classes, features, 8, 4);
  else
    native_shape_tiles(&shape, classes, features, 4, 4);
  return shape;
}

bool native_fuses(SetosaFamily family, const NativeShape *shape, size_t features, size_t classes) {
  return classes <= CLASSES_FUSED_MOST && (family == SETOSA_FAMILY_CPU || native_fused_fits(shape, features, classes));
}

bool native_shape_equal(const NativeShape *a, const NativeShape *b) {
  return a->lanes == b->lanes && a->dot_classes == b->dot_classes && a->outer_classes == b->outer_classes &&
         a->outer_registers == b->outer_registers && a->strip_classes == b->strip_classes && a->panel_rows == b->panel_rows &&
         a->tile_rows == b->tile_rows && a->tile_classes == b->tile_classes && a->item_rows == b->item_rows &&
         a->item_classes == b->item_classes && a->shares == b->shares && a->fused_bytes == b->fused_bytes &&
         a->fused_registers == b->fused_registers && a->fused_tensor == b->fused_tensor && a->tensor == b->tensor;
}

enum {
  ROW_VECTOR = 4,       /* floats */
  LEAST_LANES = 2,      /* of a row of the least stride, 8, */
  LINE_LANES = 8,       /* up to a line of memory each has one vector, */
  MOST_ROW_LANES = 256, /* then two, for with more some compilers find no registers, */
  LANE_VECTORS = 2,
  MOST_ROW_VECTORS = 4 /* and of the longest rows up to four */
};

uint32_t native_row_lanes(uint32_t stride) {
  uint32_t lanes = LEAST_LANES;
  while (lanes < LINE_LANES && lanes * ROW_VECTOR < stride) lanes *= 2;
  while (lanes < MOST_ROW_LANES && lanes * ROW_VECTOR * LANE_VECTORS < stride) lanes *= 2;
  return lanes;
}

uint32_t native_row_vectors(uint32_t stride) {
  uint32_t floats = native_row_lanes(stride) * ROW_VECTOR, vectors = (stride + floats - 1) / floats;
  return vectors <= MOST_ROW_VECTORS ? vectors : 0;
}
