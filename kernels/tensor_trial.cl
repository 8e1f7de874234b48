// What an NVIDIA device runs before its tensor cores are used (tensor.clh): one product whose result the host knows.
// a (16,8), b (8,8), result (16,8), all row-major. Work size: one group of 32. No macros.
#include "tensor.clh"

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#error "no tensor cores that multiply tf32"
#endif

kernel __attribute__((reqd_work_group_size(TENSOR_LANES, 1, 1))) void tensor_trial(global const float *a, global const float *b,
                                                                                   global float *result) {
  TENSOR_SCRATCH(scratch, TENSOR_LANES)
  uint item = (uint)get_local_id(0), g = TENSOR_G(item), t = TENSOR_T(item);
  float a_big[4], a_small[4], b_big[2], b_small[2], sums[4];
  UNROLL for (uint s = 0; s < 4; s++) {
    SPLIT(a_big[s], a_small[s], a[(g + s % 2 * 8) * 8 + t + s / 2 * 4])
    sums[s] = 0.0f;
  }
  UNROLL for (uint s = 0; s < 2; s++) SPLIT(b_big[s], b_small[s], b[(t + 4 * s) * 8 + g])
  TENSOR_MULTIPLY(sums, a_big, a_small, b_big, b_small, false, item, scratch)
  UNROLL for (uint s = 0; s < 4; s++) result[(g + s / 2 * 8) * 8 + 2 * t + s % 2] = sums[s];
}
