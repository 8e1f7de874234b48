/* What a device can do at most, for `setosa bench`: fused multiply-adds in registers, reads of memory, an empty launch.
 *
 *   fma_*:   chains of a = fma(a, x, y), independent of each other, so that latency is hidden: 2 * rounds * UNROLL * chains * lanes flops
 *            an item. x = 0.5, y = 1: a stays between 1 and 2 for ever, and no compiler can foresee that.
 *   read_*:  sums of the elements of X (count): count * 4 bytes * rounds.
 *
 * Work sizes: any number of groups; 1 item a group for the cpu family, 256 for the gpu family, where neighbours read neighbours.
 * Each result is written, so that no compiler may drop the work. No macro is required.
 */
#pragma OPENCL FP_CONTRACT OFF

#define UNROLL 8 /* steps of a chain between two checks of the loop's end */

#define STEP4(a, b, c, d) a = fma(a, x, y), b = fma(b, x, y), c = fma(c, x, y), d = fma(d, x, y)
#define STEP8 STEP4(a0, a1, a2, a3), STEP4(a4, a5, a6, a7)
#define STEP12 STEP8, STEP4(a8, a9, a10, a11)
#define TIMES8(step) step, step, step, step, step, step, step, step

#define SUM8 a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7
#define SUM12 SUM8 + a8 + a9 + a10 + a11

/* out: one float an item. The chains begin apart, so that none can be shared. */
#define FMA_KERNEL(name, type, chains, fold)                                                                                          \
  kernel void name(global float *out, uint rounds, float factor, float addend) {                                                     \
    type x = (type)(factor), y = (type)(addend), start = (type)((float)get_global_id(0) * 1e-6f);                                     \
    type a0 = start, a1 = start + 0.01f, a2 = start + 0.02f, a3 = start + 0.03f, a4 = start + 0.04f, a5 = start + 0.05f,             \
         a6 = start + 0.06f, a7 = start + 0.07f, a8 = start + 0.08f, a9 = start + 0.09f, a10 = start + 0.10f, a11 = start + 0.11f;    \
    for (uint i = 0; i < rounds; i++) { TIMES8(STEP##chains); }                                                                       \
    out[get_global_id(0)] = fold(SUM##chains);                                                                                        \
  }

float fold1(float v) { return v; }
float fold4(float4 v) { return v.s0 + v.s1 + v.s2 + v.s3; }
float fold8(float8 v) { return fold4(v.lo + v.hi); }
float fold16(float16 v) { return fold8(v.lo + v.hi); }

FMA_KERNEL(fma_1x8, float, 8, fold1)
FMA_KERNEL(fma_1x12, float, 12, fold1)
FMA_KERNEL(fma_4x8, float4, 8, fold4)
FMA_KERNEL(fma_8x8, float8, 8, fold8)
FMA_KERNEL(fma_8x12, float8, 12, fold8)
FMA_KERNEL(fma_16x8, float16, 8, fold16)
FMA_KERNEL(fma_16x12, float16, 12, fold16)

/* The items of a group take neighbouring vectors; groups take slices of `slice` vectors each, a multiple of 4 * the group's size.
 *   x: vectors (groups * slice), out: one float an item. */
#define READ_KERNEL(name, type, fold)                                                                                                 \
  kernel void name(global const float *x, ulong slice, global float *out) {                                                          \
    size_t items = get_local_size(0), item = get_local_id(0);                                                                         \
    type a0 = (type)(0.0f), a1 = a0, a2 = a0, a3 = a0;                                                                                \
    global const type *from = (global const type *)x + get_group_id(0) * (size_t)slice;                                               \
    for (size_t i = item; i < slice; i += 4 * items) {                                                                                \
      a0 += from[i], a1 += from[i + items], a2 += from[i + 2 * items], a3 += from[i + 3 * items];                                     \
    }                                                                                                                                 \
    out[get_global_id(0)] = fold((a0 + a1) + (a2 + a3));                                                                              \
  }

READ_KERNEL(read_1, float, fold1)
READ_KERNEL(read_4, float4, fold4)
READ_KERNEL(read_8, float8, fold8)
READ_KERNEL(read_16, float16, fold16)

/* As little as a launch can do. out: (1) */
kernel void launch_empty(global float *out) {
  if (get_global_id(0) == 0) out[0] = 1.0f;
}
