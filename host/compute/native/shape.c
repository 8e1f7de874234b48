/* Default shapes of the kernels. */
#include "compute/native/shape.h"

NativeShape native_default_shape(SetosaFamily family, size_t classes, const DeviceTraits *traits) {
  NativeShape shape = {.lanes = 8, .dot_classes = 3, .outer_classes = 6, .outer_registers = 12, .strip_classes = 6, .panel_rows = 6};
  if (traits->preferred_float_width >= 16)
    shape = (NativeShape){.lanes = 16, .dot_classes = 5, .outer_classes = 16, .outer_registers = 24, .strip_classes = 6, .panel_rows = 8};
  shape.tile_classes = classes <= 16 ? 16 : classes <= 32 ? 32 : 64;
  shape.shares = family == SETOSA_FAMILY_CPU ? 64 : classes <= CLASSES_FUSED_MOST ? 1056 : 256;
  shape.fused_bytes = traits->vendor == VENDOR_NVIDIA ? 49152 : 32768; /* elsewhere more groups at a time matter more */
  return shape;
}

bool native_shape_equal(const NativeShape *a, const NativeShape *b) {
  return a->lanes == b->lanes && a->dot_classes == b->dot_classes && a->outer_classes == b->outer_classes &&
         a->outer_registers == b->outer_registers && a->strip_classes == b->strip_classes && a->panel_rows == b->panel_rows &&
         a->tile_classes == b->tile_classes && a->shares == b->shares && a->fused_bytes == b->fused_bytes;
}
