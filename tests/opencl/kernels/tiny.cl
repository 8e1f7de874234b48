// out[i] = FACTOR * in[i] + shift; one work-item per element. The test of building, launching and reading back.
#include "tiny.clh"

#ifndef FACTOR
#define FACTOR 1 // multiplies every element
#endif

kernel void scale_shift(global const float *in, // (count)
                        global float *out,      // (count)
                        const uint count, const float shift) {
  const size_t i = get_global_id(0);
  if (i < count) out[i] = scaled(in[i], FACTOR) + shift;
}

// out[group] = sum of the group's values, through local memory; size: values per group.
kernel void sum_groups(global const float *in, global float *out, local float *values, const ulong size) {
  const size_t l = get_local_id(0);
  values[l] = in[get_global_id(0)];
  barrier(CLK_LOCAL_MEM_FENCE); // all values are there before the first item reads them
  if (l == 0) {
    float sum = 0;
    for (ulong i = 0; i < size; i++) sum += values[i];
    out[get_group_id(0)] = sum;
  }
}

kernel __attribute__((reqd_work_group_size(4, 1, 1))) void only_fours(global float *out) { out[get_global_id(0)] = 4; }

kernel void write_index_2d(global float *out) { out[get_global_id(1) * get_global_size(0) + get_global_id(0)] = get_global_id(1) * 10 + get_global_id(0); }
