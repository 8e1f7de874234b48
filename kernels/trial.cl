// What a device runs first, in a process of its own that may die of it: one kernel that compiles in no time.
// x: one number an item. Work size: any. No macros.
kernel void trial(global float *x) { x[get_global_id(0)] = 2.0f * x[get_global_id(0)] + 1.0f; }
