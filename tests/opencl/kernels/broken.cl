// The 5th line does not compile; an include before it must not shift the number.
#include "tiny.clh"

kernel void broken(global float *out) {
  out[0] = undeclared_thing;
}
