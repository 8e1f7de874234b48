/* Logits and what passes make of them: fused kernels for few classes, blocks and panels for many. */
#ifndef SETOSA_COMPUTE_NATIVE_LOGITS_H
#define SETOSA_COMPUTE_NATIVE_LOGITS_H

#include "compute/native/pass.h"

/* ---- fused.c: few classes */

Cut native_fused_cut(const Native *native, size_t rows);
Status native_enqueue_fused(Native *native, const Pass *pass, uint32_t keep, PassResult *result, Error *error);
/* Bytes of the probabilities of the window as the fused pass keeps them. */
size_t native_fused_kept_bytes(const Native *native);
/* As native_enqueue_logits, in strips, on the CPU family. */
Status native_enqueue_fused_logits(Native *native, const Vector *w, const RowBuffers *buffers, RowRange rows, Buffer *block,
                                   size_t block_row, Error *error);

/* ---- blocks.c: many */

Cut native_block_cut(const Native *native, size_t rows);
/* Whether a launch works on many shares at once, each with one partial gradient: dense padded rows. Others take a block of one share at a
 * time. */
static inline bool native_takes_shares(const Native *native) { return native->family == SETOSA_FAMILY_GPU && native->products == NULL; }
/* Rows that launches of such a pass, or else of any blocked pass, are multiples of. */
size_t native_block_unit(const Native *native, const Cut *cut);
/* The range of a kernel of block_gpu.cl over so many rows (of a gradient: features), classes and partials. */
KernelRange native_tile_range(const NativeShape *shape, size_t rows, size_t classes, size_t partials);
Status native_enqueue_blocks(Native *native, const Pass *pass, uint32_t keep, PassResult *result, Error *error);
/* Whether logits lie in strips (kernels/strip.clh) or in padded rows. */
static inline bool native_uses_strips(const Native *native) {
  return native->family == SETOSA_FAMILY_CPU && (native->products == NULL || native->products->strips);
}
/* Classes of the register tile of block_cpu.cl for this K. */
uint32_t native_strip_classes(const Native *native);
/* Bytes of the logits of so many rows. */
size_t native_logits_bytes(const Native *native, size_t rows);
/* Enqueues block = X w + b for rows of some buffers (count at most the block's), from row block_row (in strips, a multiple of 16; else 0)
 * of block on; the padding columns of padded rows are set to `padding`. */
Status native_enqueue_logits(Native *native, const Vector *w, const RowBuffers *buffers, RowRange rows, Buffer *block, size_t block_row,
                             float padding, Error *error);
/* Groups of a kernel over `rows` rows of logits. */
uint32_t native_row_groups(const Native *native, size_t rows);

/* ---- panels.c */

/* Panels of W that logits are made from; of few classes, the rest is made without. 0: none. */
uint32_t native_panel_count(const Native *native);
static inline bool native_uses_panels(const Native *native) { return native_panel_count(native) > 0; }
/* *panels: of two that take turns, that of w, which is *fresh when its weights have to be put into its `bytes` first; its version is then
 * the caller's to set. */
Status native_recent_panels(Native *native, NativePanels *recent, const Vector *w, size_t bytes, NativePanels **panels, bool *fresh,
                            Error *error);
/* *panels = those of w, made now if they are not there already; they stay until two other vectors were asked for. */
Status native_panels(Native *native, const Vector *w, const Buffer **panels, Error *error);
size_t native_panels_bytes(const Native *native);
void native_release_panels(Native *native);

#endif
