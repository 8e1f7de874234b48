#include "broken.clh"
kernel void broken_inside(global float *out) { out[0] = 1; }
