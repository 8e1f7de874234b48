// Packs weights W (K,D) into panels (panel.clh).
#include "panel.clh"
#include "transpose.clh"

DEFINE_TRANSPOSE(transpose_weights, global const float *, load_eight, global float *)

// panels: of w (P). Work size: panels x 1.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void pack_panels(global const float *w, ulong features, uint classes,
                                                                        global float *panels) {
  uint panel = (uint)get_group_id(0), first = 16 * panel, width = panel_width(panel, classes), valid = min(width, classes - first);
  global const float *from = w + first * features, *bias = w + classes * features + first;
  global float *to = panels + (features + 1) * first;
  ulong d = 0;
  if (valid == width)
    for (; d + 8 <= features; d += 8)
      for (uint k = 0; k < width; k += 8) transpose_weights(from + k * features + d, features, to + d * width + k, width);
  for (; d <= features; d++)
    for (uint k = 0; k < width; k++) to[d * width + k] = k >= valid ? 0.0f : d < features ? from[k * features + d] : bias[k];
}
