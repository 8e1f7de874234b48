/* Shapes of the fused pass on tensor cores (kernels/fused_tensor.clh): how many warps share the features of a row, and what local memory
 * and registers they need. */
#include "compute/native/fused_tensor.h"

enum {
  LEAST_FEATURES = 49,  /* of fewer, few warps have anything to do */
  LEAST_CLASSES = 7,    /* of fewer, most of a tile is empty; */
  LEAST_DIRECTIONS = 5, /* a Hessian has two products for each */
  WARP = 32,
  LEAST_WARPS = 4, /* a row has eight lanes in the softmax */
  MOST_WARPS = 8,
  MOST_SLABS = 7,
  USUAL_SLABS = 4, /* of a warp; more if rows divide better */
  MOST_LOCAL_BYTES = 49152,
  FILE_LOCAL_BYTES = 227 << 10, /* of a processor */
  GROUP_LOCAL_BYTES = 1 << 10,  /* that a group takes beside its own */
  MOST_REGISTERS = 255
};

#define ITEMS fused->items
#define SLABS fused->slabs
#define KEEP_W fused->keep_w
#define FEATURES features
#define CLASSES classes
#define HESSIAN hessian
#include "fused_tensor_sizes.clh"

size_t native_fused_tensor_local_bytes(const FusedShape *fused, size_t features, size_t classes, bool hessian) {
  (void)features;
  return TENSOR_LOCAL_FLOATS * sizeof(float);
}

/* Registers with which NVIDIA's compilers keep all of a work-item there, on sm_80 and sm_90: so many, and so many more for each slab (its
 * rows, its gradient, and what is split on its way). Found by bench/gpu_static for up to 8, 16, 24, 32 classes. */
static size_t registers_of(const FusedShape *fused, size_t features, size_t classes, bool hessian) {
  static const uint8_t registers[2][4][2] = {{{44, 16}, {46, 22}, {60, 28}, {76, 30}}, {{48, 26}, {32, 32}, {56, 50}, {64, 48}}};
  enum {
    FROM_FAR = 32,
    RAGGED = 24,
    RAGGED_FAR = 40
  }; /* for weights on their way from memory; if some items have features past the last */
  const uint8_t *of = registers[hessian][TILES - 1];
  size_t ragged = TENSOR_FEATURES == features ? 0 : fused->keep_w ? RAGGED : RAGGED_FAR;
  if (hessian && classes > 8 && classes <= 12) return 66 + 26 * fused->slabs + ragged;
  return of[0] + of[1] * fused->slabs + (fused->keep_w ? 0 : FROM_FAR) + ragged;
}

/* W in local memory, if it fits. */
static void place_weights(FusedShape *fused, size_t features, size_t classes, bool hessian) {
  fused->keep_w = 1;
  if (native_fused_tensor_local_bytes(fused, features, classes, hessian) > MOST_LOCAL_BYTES) fused->keep_w = 0;
}

bool native_fused_tensor_shape(FusedShape *fused, size_t features, size_t classes, bool hessian) {
  size_t slabs = TENSOR_UP(features, SLAB), best = SIZE_MAX;
  if (features < LEAST_FEATURES || classes < (hessian ? LEAST_DIRECTIONS : LEAST_CLASSES)) return false;
  for (uint32_t warps = LEAST_WARPS; warps <= MOST_WARPS; warps++) {
    FusedShape tried = {.items = WARP * warps, .slabs = (uint32_t)TENSOR_UP(slabs, warps), .block_rows = BLOCK_ROWS};
    size_t cost = MOST_SLABS * warps * tried.slabs + (tried.slabs > USUAL_SLABS ? tried.slabs : 0); /* those past the last slab first */
    place_weights(&tried, features, classes, hessian);
    if (cost >= best || tried.slabs > MOST_SLABS || registers_of(&tried, features, classes, hessian) > MOST_REGISTERS ||
        native_fused_tensor_local_bytes(&tried, features, classes, hessian) > MOST_LOCAL_BYTES)
      continue;
    best = cost;
    *fused = tried;
  }
  if (best == SIZE_MAX) return false;
  size_t registers = registers_of(fused, features, classes, hessian),
         fit = FILE_LOCAL_BYTES / (native_fused_tensor_local_bytes(fused, features, classes, hessian) + GROUP_LOCAL_BYTES);
  native_fused_reside(fused, registers, fit);
  if (TENSOR_FEATURES != features) fused->needed = (uint32_t)registers;
  return true;
}
