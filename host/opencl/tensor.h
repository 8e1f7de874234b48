/* Whether matrices of f32 are multiplied on a device's tensor cores (kernels/tensor.clh): of NVIDIA, compute capability 8.0 or later.
 * SETOSA_TENSOR_CORES in the environment decides otherwise: 0 never, 1 on any device of NVIDIA and without a trial. */
#ifndef SETOSA_OPENCL_TENSOR_H
#define SETOSA_OPENCL_TENSOR_H

#include "opencl/internal.h"

/* As far as the driver says. */
bool tensor_promised(cl_device_id device, DeviceVendor vendor);
/* Whether a context of such a device may use them: the trial kernel builds, runs, and multiplies as accurately as f32. A failure is an
 * answer, not an error. */
bool tensor_usable(Context *context);
/* The trial alone: where there are no tensor cores, of their emulation. */
bool tensor_works(Context *context);

#endif
