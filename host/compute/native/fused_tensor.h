/* How a group of kernels/fused_tensor.clh shares out its work: like fused_shape.h, from the shape of the data alone. */
#ifndef SETOSA_COMPUTE_NATIVE_FUSED_TENSOR_H
#define SETOSA_COMPUTE_NATIVE_FUSED_TENSOR_H

#include "compute/native/fused_shape.h"

/* Whether tensor cores pay off, and a group can own all features; then *fused is set. */
bool native_fused_tensor_shape(FusedShape *fused, size_t features, size_t classes, bool hessian);
/* Local memory of a group. */
size_t native_fused_tensor_local_bytes(const FusedShape *fused, size_t features, size_t classes, bool hessian);

#endif
