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
  uint32_t tile_classes;                   /* blocks, GPU: 16, 32 or 64 */
  uint32_t shares;                         /* most shards of a pass (fused.c, blocks.c) */
  uint32_t fused_bytes;                    /* fused, GPU: most local memory of a group */
} NativeShape;

/* The fixed shape, which needs no tuning and which --reproducible keeps to: found by hand on AVX-512 (16 lanes, 32 registers) and by
 * counting registers for the rest. */
NativeShape native_default_shape(SetosaFamily family, size_t classes, const DeviceTraits *traits);
bool native_shape_equal(const NativeShape *a, const NativeShape *b);

#endif
