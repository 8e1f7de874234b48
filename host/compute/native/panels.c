/* Weights in panels of 16 classes (kernels/panel.clh), packed once for every vector that a pass reads. With few classes (fused_cpu.cl) the
 * last panel wants at least 11 of them, since its padding would cost more than tiles without; with more than 512, turning X once costs less
 * than copying it and turning logits, and packed weights would take much memory. */
#include "compute/native/logits.h"
#include "compute/native/vector.h"

enum { MOST_BYTES = 64 << 20 }; /* of packed weights */

size_t native_panels_bytes(const Native *native) {
  return (native->head.classes + 7) / 8 * 8 * (native->head.features + 1) * sizeof(float);
}

uint32_t native_panel_count(const Native *native) {
  size_t classes = native->head.classes;
  if (native->products != NULL || !native_uses_strips(native) || native->shape.panel_rows == 0 || classes > CLASSES_PANELS_MOST ||
      native_panels_bytes(native) > MOST_BYTES)
    return 0;
  return (uint32_t)((classes + PANEL_CLASSES - (native_is_fused(native) ? PANEL_LEAST_REST : 1)) / PANEL_CLASSES);
}

Status native_recent_panels(Native *native, NativePanels *recent, const Vector *w, size_t bytes, NativePanels **panels, bool *fresh,
                            Error *error) {
  Status status = SETOSA_OK;
  NativePanels *latest = &recent[0], *other = &recent[1];
  if (latest->version != w->version) {
    NativePanels turned = *other;
    *other = *latest;
    *latest = turned;
  }
  *fresh = latest->version != w->version;
  if (*fresh) {
    latest->version = 0;
    TRY(native_reserve(native, &latest->buffer, bytes, "weights in another order", error));
  }
  *panels = latest;
cleanup:
  return status;
}

Status native_panels(Native *native, const Vector *w, const Buffer **panels, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  NativePanels *latest = NULL;
  bool fresh = false;
  TRY(native_recent_panels(native, native->panels, w, native_panels_bytes(native), &latest, &fresh, error));
  if (fresh) {
    TRY(native_kernel(native, KERNEL_PACK_PANELS, &kernel, error));
    TRY(kernel_launch(kernel, native_team_range(native, (uint32_t)((native->head.classes + PANEL_CLASSES - 1) / PANEL_CLASSES)), error,
                      ARG(w->buffer), ARG((uint64_t)native->head.features), ARG((uint32_t)native->head.classes), ARG(latest->buffer)));
    latest->version = w->version;
  }
  *panels = latest->buffer;
cleanup:
  return status;
}

void native_release_panels(Native *native) {
  for (int i = 0; i < 2; i++) buffer_destroy(native->panels[i].buffer);
}
