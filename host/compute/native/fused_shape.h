/* How a group of kernels/fused_gpu.cl shares out its work: from the shape of the data and of the native backend alone, so that devices
 * agree. */
#ifndef SETOSA_COMPUTE_NATIVE_FUSED_SHAPE_H
#define SETOSA_COMPUTE_NATIVE_FUSED_SHAPE_H

#include "compute/native/shape.h"

/* The macros of fused_gpu.cl, under their names there. */
typedef struct FusedShape {
  uint32_t items; /* of a group; 0: it would not hold the features, or may not have the local memory */
  uint32_t quads, group_classes;
  uint32_t row_quads, row_groups;
  uint32_t keep_x, keep_w, chunks;
  uint32_t slabs;      /* of 16 features of a warp, on tensor cores (fused_tensor.clh); 0: not there */
  uint32_t block_rows; /* a power of two */
  uint32_t resident;   /* groups that a processor with 65536 registers runs at a time, at most 4 */
  uint32_t registers;  /* that a work-item may use for so many; 0: as it likes */
  uint32_t needed;     /* that it needs, about; 0: not known */
} FusedShape;

/* Whether groups hold what both passes need of such data. Data for which they do not go through blocks. */
bool native_fused_fits(const NativeShape *shape, size_t features, size_t classes);
FusedShape native_fused_shape(const NativeShape *shape, size_t features, size_t classes, bool hessian);
/* resident and registers of groups whose work-items need so many registers, where other things allow most_groups at a time. */
void native_fused_reside(FusedShape *fused, size_t registers, size_t most_groups);
/* Local memory of a group. */
size_t native_fused_local_bytes(const FusedShape *fused, size_t features, size_t classes, bool hessian);
/* The macros as options of a program, size bytes; bounded: with the bound of registers, which not every compiler understands; narrow: X is
 * stored in fewer bits than f32. */
void native_fused_options(char *options, size_t size, const FusedShape *fused, bool bounded, bool narrow);

#endif
