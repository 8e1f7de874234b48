// out[0] = 1 where the compiler was told that it may make prefetches by its builtin.
#ifdef PREFETCH
#define TOLD 1
#else
#define TOLD 0
#endif
kernel void told(global float *out) { out[0] = TOLD; }
