/* The shape of the native backend's kernels: what tuning may change. */
#ifndef SETOSA_COMPUTE_NATIVE_SHAPE_H
#define SETOSA_COMPUTE_NATIVE_SHAPE_H

#include "compute/settings.h"

enum { PANEL_LEAST_REST = 11 }; /* of few classes, the last panel has at least so many (panels.c says why) */

/* The sizes of register tiles and the like: macros of the kernels (kernels/README.md, "Shapes of tiles"). */
typedef struct NativeShape {
  uint32_t lanes;                          /* fused, CPU: floats of a vector, 8 or 16 */
  uint32_t dot_classes;                    /* fused, CPU: most classes of a dot tile */
  uint32_t outer_classes, outer_registers; /* fused, CPU: most classes and most vectors of sums of an outer tile */
  uint32_t strip_classes;                  /* blocks, CPU: most classes of the register tile */
  uint32_t panel_rows;                     /* CPU: rows of the tile of panels (kernels/panel.clh), a divisor of 48; 0: no panels */
  uint32_t tile_rows, tile_classes;        /* blocks, GPU: rows (of a gradient: features) and classes of a group's tile, multiples of 4, */
  uint32_t item_rows, item_classes;        /* and those of a work-item, at least 4 */
  uint32_t shares;                         /* most shards of a pass (fused.c, blocks.c) */
  uint32_t fused_tensor;                   /* fused, GPU: 1: on tensor cores (fused_tensor.clh) where they pay off */
  uint32_t fused_bytes;                    /* fused, GPU: most local memory of a group, */
  uint32_t fused_registers;                /* and most registers of a work-item: what needs more goes through blocks of rows */
  uint32_t tensor;                         /* blocks, GPU: 1: on tensor cores; item_rows and _classes are then those of a warp of 32 */
} NativeShape;

/* The fixed shape, which needs no tuning: found by hand on AVX-512 (16 lanes, 32 registers) and by counting registers for the rest.
 * tensor: on tensor cores where that pays; what --reproducible keeps to is the shape without. */
NativeShape native_default_shape(SetosaFamily family, size_t classes, size_t features, const DeviceTraits *traits, bool tensor);
/* Whether the fused pass does data of so many features and classes (kernels/README.md, "Which kernel serves which shape"). */
bool native_fuses(SetosaFamily family, const NativeShape *shape, size_t features, size_t classes);
/* Cuts the classes into tiles of groups whose work-items have at most item_classes of them each. */
void native_shape_tiles(NativeShape *shape, size_t classes, size_t features, uint32_t item_rows, uint32_t item_classes);
/* The same for tensor cores: warps of warp_rows and at most warp_classes, group_rows and at most group_classes of them in a group. */
void native_shape_warps(NativeShape *shape, size_t classes, uint32_t group_rows, uint32_t group_classes, uint32_t warp_rows,
                        uint32_t warp_classes);
/* Work-items of a group of block_gpu.cl: whole vectors of 32. */
static inline uint32_t native_shape_items(const NativeShape *shape) {
  uint32_t parts = shape->tile_rows / shape->item_rows * (shape->tile_classes / shape->item_classes);
  return shape->tensor > 0 ? 32 * parts : (parts + 31) / 32 * 32;
}
bool native_shape_equal(const NativeShape *a, const NativeShape *b);

/* GPU family: work-items that share a padded row of logits, and vectors of four floats that each keeps in registers; 0: longer rows go by
 * parts (kernels/rows_gpu.cl). By the length alone, so that all devices of a job add in the same order. */
uint32_t native_row_lanes(uint32_t stride);
uint32_t native_row_vectors(uint32_t stride);

#endif
