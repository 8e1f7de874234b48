/* The blocked pass for many classes: a block of rows goes through logits, softmax and gradient, so that no more than a block of rows times
 * K is held. The CPU family keeps logits in strips (kernels/strip.clh), the GPU family in padded rows (kernels/rows_gpu.cl).
 * How rows are cut is in blocks_cut.c. */
#include <math.h>

#include "compute/native/logits.h"
#include "compute/native/upload.h"
#include "compute/native/vector.h"

enum { RANGE_CLASSES = 768 /* of a group of gradient_strips: the groups of all features find their residuals in the caches */ };

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
static size_t divide_up(size_t count, size_t size) { return (count + size - 1) / size; }

static size_t strips_of(size_t rows) { return divide_up(rows, STRIP); }

uint32_t native_row_groups(const Native *native, size_t rows) {
  size_t units = native_uses_strips(native) ? strips_of(rows) : rows, most = native_enough_groups(native);
  size_t groups = smaller(units, most < 16 ? 16 : most);
  return (uint32_t)(groups > 0 ? groups : 1);
}

size_t native_logits_bytes(const Native *native, size_t rows) {
  if (native_uses_strips(native)) return strips_of(rows) * STRIP * native->head.classes * sizeof(float);
  return rows * native->stride * sizeof(float);
}

/* Items of logits_panels: runs of strips that share panels, two times each. */
static uint32_t panels_items(size_t rows) { return (uint32_t)divide_up(divide_up(strips_of(rows), PANEL_STRIPS), 2); }

/* Class ranges of logits_strips: one, unless there are too few groups of strips to share out. */
static uint32_t logits_ranges(const Native *native, size_t rows) {
  size_t groups = divide_up(strips_of(rows), GROUP_STRIPS), tiles = divide_up(native->head.classes, native_strip_classes(native));
  return (uint32_t)smaller(divide_up(native_enough_groups(native), groups), tiles);
}

/* Columns of features and class ranges of gradient_strips. */
static void gradient_items(const Native *native, size_t partials, uint32_t *columns, uint32_t *ranges) {
  size_t classes = native->head.classes, tiles = divide_up(classes, native_strip_classes(native)),
         cached = divide_up(classes, RANGE_CLASSES);
  *columns = (uint32_t)divide_up(native->head.features, STRIP * COLUMN_STRIPS);
  size_t shared = divide_up(native_enough_groups(native), *columns * partials);
  *ranges = (uint32_t)smaller(shared > cached ? shared : cached, tiles);
}

KernelRange native_tile_range(const NativeShape *shape, size_t rows, size_t classes, size_t partials) {
  size_t items = native_shape_items(shape);
  return (KernelRange){{divide_up(rows, shape->tile_rows) * items, divide_up(classes, shape->tile_classes), partials}, {items, 1, 1}};
}

Status native_enqueue_logits(Native *native, const Vector *w, const RowBuffers *buffers, RowRange rows, Buffer *block, size_t block_row,
                             float padding, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  KernelRange range;
  uint64_t features = native->head.features;
  uint32_t classes = (uint32_t)native->head.classes;
  if (native->products != NULL) return native->products->logits(native, w, buffers, rows, block, block_row, padding, error);
  if (native_is_fused(native) && native_uses_strips(native)) {
    TRY(native_enqueue_fused_logits(native, w, buffers, rows, block, block_row, error));
  } else if (native_uses_panels(native)) {
    const Buffer *panels = NULL;
    TRY(native_panels(native, w, &panels, error));
    uint32_t items = panels_items(rows.count);
    TRY(native_items_range(native, items, &range, error));
    TRY(native_kernel(native, KERNEL_LOGITS_PANELS, &kernel, error));
    TRY(kernel_launch(kernel, range, error, ARG(buffers->x), ARG(panels), ARG(features), ARG(classes), ARG((uint64_t)rows.begin),
                      ARG((uint64_t)rows.count), ARG(block), ARG((uint64_t)block_row), ARG(items), ARG(native->counter)));
  } else if (native_uses_strips(native)) {
    uint32_t ranges = logits_ranges(native, rows.count);
    TRY(native_items_range(native, divide_up(strips_of(rows.count), GROUP_STRIPS) * ranges, &range, error));
    TRY(native_kernel(native, KERNEL_LOGITS_STRIPS, &kernel, error));
    TRY(kernel_launch(kernel, range, error, ARG(buffers->x), ARG(w->buffer), ARG(features), ARG(classes), ARG((uint64_t)rows.begin),
                      ARG((uint64_t)rows.count), ARG(block), ARG((uint64_t)block_row), ARG(ranges), ARG(native->counter)));
  } else {
    TRY(native_kernel(native, KERNEL_LOGITS_BLOCK, &kernel, error));
    TRY(kernel_launch(kernel, native_tile_range(&native->shape, rows.count, classes, 1), error, ARG(buffers->x), ARG(w->buffer),
                      ARG(features), ARG(classes), ARG((uint64_t)rows.begin), ARG((uint64_t)rows.count), ARG(block), ARG(native->stride),
                      ARG(padding)));
  }
  native->flops += 2 * (uint64_t)rows.count * features * classes;
  native->bytes_read += native_row_bytes(native) * rows.count;
cleanup:
  return status;
}

/* Where a block's sums go. */
typedef struct BlockPlace {
  const Pass *pass;
  const RowBuffers *buffers;
  RowRange rows; /* of the buffers */
  uint32_t keep;
  uint64_t kept_row; /* of the probabilities kept, where the block's begin */
  Buffer *partials;  /* the block's share takes pass->cut.partials of them, */
  size_t partial;    /* from this one on, */
  bool add;          /* which hold something already; */
  uint32_t loss;     /* and as many pairs as its groups from this one on, zero at the share's beginning */
  uint32_t groups;
  uint32_t group_rows; /* rows of such a group */
  size_t offset;       /* many shares: rows of the first that were there before */
} BlockPlace;

static float pass_scale(const Native *native, const Pass *pass) { return (float)backend_row_scale(&native->head, pass->cut.rows); }

static Status enqueue_gradient(Native *native, const BlockPlace *at, const Buffer *residuals, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  uint64_t features = native->head.features, begin = at->rows.begin, count = at->rows.count;
  uint32_t classes = (uint32_t)native->head.classes, partial = (uint32_t)at->partial, partials = at->pass->cut.partials;
  if (native->products != NULL)
    return native->products->gradient(native, residuals, at->buffers, at->rows, at->partials, at->partial, at->add, at->pass->moment == 2,
                                      error);
  if (native_uses_strips(native)) {
    KernelRange range;
    uint32_t columns = 0, ranges = 0;
    gradient_items(native, partials, &columns, &ranges);
    TRY(native_items_range(native, (size_t)columns * ranges * partials, &range, error));
    TRY(native_kernel(native, KERNEL_GRADIENT_STRIPS, &kernel, error));
    TRY(kernel_launch(kernel, range, error, ARG(at->buffers->x), ARG(residuals), ARG(native->row_factors), ARG(features), ARG(classes),
                      ARG(begin), ARG(count), ARG(at->partials), ARG(partial), ARG((uint32_t)at->add), ARG(ranges), ARG(partials),
                      ARG(native->counter)));
  } else {
    TRY(native_kernel(native, KERNEL_GRADIENT_BLOCK, &kernel, error));
    uint64_t share_rows = at->pass->cut.share_rows, offset = at->offset;
    KernelRange range = native_tile_range(&native->shape, features, classes, divide_up(offset + count, share_rows));
    TRY(kernel_launch(kernel, range, error, ARG(at->buffers->x), ARG(residuals), ARG(features), ARG(classes), ARG(begin), ARG(count),
                      ARG(native->stride), ARG(at->partials), ARG(partial), ARG(share_rows), ARG(offset)));
  }
cleanup:
  return status;
}

/* In either form: logits become a (1 - a), whose products with X or its squares are moments. */
static Status enqueue_spread(Native *native, const BlockPlace *at, KernelRange range, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  uint64_t first = at->rows.begin, count = at->rows.count;
  uint32_t classes = (uint32_t)native->head.classes;
  float scale = pass_scale(native, at->pass);
  if (native_uses_strips(native)) {
    TRY(native_kernel(native, KERNEL_SOFTMAX_STRIPS, &kernel, error));
    TRY(kernel_launch(kernel, range, error, ARG(native->block), ARG((uint64_t)0), ARG(classes), ARG(count)));
    TRY(native_kernel(native, KERNEL_SPREAD_STRIPS, &kernel, error));
    TRY(kernel_launch(kernel, range, error, ARG(native->block), ARG(classes), ARG(at->buffers->weights), ARG(first), ARG(count), ARG(scale),
                      ARG(native->row_factors)));
  } else {
    TRY(native_kernel(native, KERNEL_PROBABILITY_ROWS, &kernel, error));
    TRY(kernel_launch(kernel, range, error, ARG(native->block), ARG(native->stride), ARG(count)));
    TRY(native_kernel(native, KERNEL_SPREAD_ROWS, &kernel, error));
    TRY(kernel_launch(kernel, range, error, ARG(native->block), ARG(native->stride), ARG(at->buffers->weights), ARG(first), ARG(count),
                      ARG(scale)));
  }
cleanup:
  return status;
}

/* One block of rows in strips: logits, softmax in place, gradient added up. */
static Status enqueue_strips(Native *native, const BlockPlace *at, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  const Pass *pass = at->pass;
  uint32_t classes = (uint32_t)native->head.classes;
  uint64_t count = at->rows.count, first = at->rows.begin;
  KernelRange range = native_team_range(native, (uint32_t)smaller(at->groups, strips_of(at->rows.count)));
  TRY(native_enqueue_logits(native, pass->v == NULL ? pass->w : pass->v, at->buffers, at->rows, native->block, 0, 0.0f, error));
  if (pass->moment > 0) {
    TRY(enqueue_spread(native, at, range, error));
  } else if (pass->v == NULL) {
    TRY(native_kernel(native, KERNEL_RESIDUAL_STRIPS, &kernel, error));
    TRY(kernel_launch(kernel, range, error, ARG(native->block), ARG(classes), ARG(at->buffers->labels), ARG(at->buffers->weights),
                      ARG(first), ARG(count), ARG(pass_scale(native, pass)), ARG(native->row_factors), ARG(native->sums), ARG(at->loss),
                      ARG((uint32_t)1)));
  } else {
    /* Probabilities are kept for the whole window, or made for this block. */
    Buffer *probabilities = at->keep == KEEP_NONE ? native->block_directions : native->kept;
    uint64_t row = at->keep == KEEP_NONE ? 0 : at->kept_row;
    if (at->keep != KEEP_READ) {
      TRY(native_enqueue_logits(native, pass->w, at->buffers, at->rows, probabilities, row, 0.0f, error));
      TRY(native_kernel(native, KERNEL_SOFTMAX_STRIPS, &kernel, error));
      TRY(kernel_launch(kernel, range, error, ARG(probabilities), ARG(row), ARG(classes), ARG(count)));
    }
    TRY(native_kernel(native, KERNEL_HESSIAN_STRIPS, &kernel, error));
    TRY(kernel_launch(kernel, range, error, ARG(probabilities), ARG(row), ARG(native->block), ARG(classes), ARG(at->buffers->weights),
                      ARG(first), ARG(count), ARG(pass_scale(native, pass)), ARG(native->row_factors)));
  }
  if (pass->want_gradient) TRY(enqueue_gradient(native, at, native->block, error));
cleanup:
  return status;
}

/* In padded rows: logits become residuals. */
static Status enqueue_residual_rows(Native *native, const BlockPlace *at, KernelRange range, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  TRY(native_kernel(native, KERNEL_RESIDUAL_ROWS, &kernel, error));
  TRY(kernel_launch(kernel, range, error, ARG(native->block), ARG(native->stride), ARG(at->buffers->labels), ARG(at->buffers->weights),
                    ARG((uint64_t)at->rows.begin), ARG((uint64_t)at->rows.count), ARG(at->group_rows), ARG(pass_scale(native, at->pass)),
                    ARG(native->sums), ARG(at->loss), ARG((uint32_t)1)));
cleanup:
  return status;
}

/* The same in padded rows. */
static Status enqueue_rows(Native *native, const BlockPlace *at, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  const Pass *pass = at->pass;
  KernelRange range = native_team_range(native, (uint32_t)divide_up(at->rows.count, at->group_rows)); /* no group without a row */
  TRY(native_enqueue_logits(native, pass->w, at->buffers, at->rows, native->block, 0, -INFINITY, error));
  if (pass->v == NULL) {
    TRY((pass->moment > 0 ? enqueue_spread : enqueue_residual_rows)(native, at, range, error));
  } else {
    TRY(native_enqueue_logits(native, pass->v, at->buffers, at->rows, native->block_directions, 0, 0.0f, error));
    TRY(native_kernel(native, KERNEL_HESSIAN_ROWS, &kernel, error));
    TRY(kernel_launch(kernel, range, error, ARG(native->block), ARG(native->block_directions), ARG(native->stride),
                      ARG(at->buffers->weights), ARG((uint64_t)at->rows.begin), ARG((uint64_t)at->rows.count),
                      ARG(pass_scale(native, pass))));
  }
  if (pass->want_gradient) TRY(enqueue_gradient(native, at, pass->v == NULL ? native->block : native->block_directions, error));
cleanup:
  return status;
}

/* Partials that are held at a time where they are folded. */
static size_t held_partials(const Native *native, const Cut *cut) {
  return native_takes_shares(native) ? smaller(native_most_partials(native, cut->rows), cut->shares) : cut->partials;
}

/* Room for what a pass leaves and for what it works in. *clear: partials begin at zero, since a block may have fewer strips than there are
 * partials in a share. */
static Status begin_blocks(Native *native, const Pass *pass, uint32_t keep, PassResult *result, bool *clear, Error *error) {
  Status status = SETOSA_OK;
  const Cut *cut = &pass->cut;
  size_t bytes = native->head.parameters * sizeof(float), block_bytes = native_logits_bytes(native, native->block_rows);
  size_t shares = cut_shares(cut, pass->shards).count;
  bool strips = native_uses_strips(native), folding = cut->per_shard > 1;
  *result = (PassResult){.losses = shares * cut->losses, .partials = shares * cut->partials};
  *clear = pass->want_gradient && strips && cut->partials > 1;
  if (pass->want_gradient && result->partials == 1 && pass->direct != NULL) {
    result->partial_buffer = pass->direct->buffer;
  } else if (pass->want_gradient) {
    TRY(native_reserve(native, &native->partials, (folding ? held_partials(native, cut) : result->partials) * bytes, "partial gradients",
                       error));
    result->partial_buffer = native->partials;
  }
  if (pass->want_gradient && folding) TRY(native_begin_folding(native, pass->shards.count, error));
  TRY(native_reserve(native, &native->block, block_bytes, "a block of logits", error));
  if (pass->v != NULL && keep == KEEP_NONE)
    TRY(native_reserve(native, &native->block_directions, block_bytes, "a block of directions", error));
  if (strips)
    TRY(native_reserve(native, &native->row_factors, strips_of(native->block_rows) * STRIP * sizeof(float), "row factors", error));
  TRY(native_reserve_sums(native, result->losses, error));
  TRY(buffer_fill_zero(native->sums, 0, result->losses * sizeof(SumPair), error));
cleanup:
  return status;
}

/* The blocks of one share, from row `begin` on; number: of the share among those worked on. */
static Status enqueue_share(Native *native, BlockPlace *at, size_t begin, size_t rows, bool clear, Error *error) {
  Status status = SETOSA_OK;
  size_t bytes = native->head.parameters * sizeof(float), partials = at->pass->cut.partials;
  at->add = clear;
  const NativeProducts *products = at->pass->want_gradient ? native->products : NULL;
  if (clear) TRY(buffer_fill_zero(at->partials, at->partial * bytes, partials * bytes, error));
  if (products != NULL && products->begin_share != NULL) TRY(products->begin_share(native, rows, error));
  for (size_t done = 0; done < rows; done += at->rows.count) {
    TRY(native_rows(native, &at->buffers, (RowRange){begin + done, rows - done}, native->block_rows, &at->rows, error));
    at->rows.count = smaller(at->rows.count, native->block_rows);
    at->group_rows = (uint32_t)divide_up(at->rows.count, at->groups);
    at->kept_row = begin + done - native->window.begin;
    TRY((native_uses_strips(native) ? enqueue_strips : enqueue_rows)(native, at, error));
    at->add = true;
  }
  if (products != NULL && products->end_share != NULL) TRY(products->end_share(native, at->partials, at->partial, error));
cleanup:
  return status;
}

/* The blocks of many shares, whose rows follow each other from `begin` on. */
static Status enqueue_shares(Native *native, BlockPlace *at, size_t begin, RowRange shares, size_t rows, Error *error) {
  Status status = SETOSA_OK;
  const Cut *cut = &at->pass->cut;
  bool folding = at->pass->want_gradient && cut->per_shard > 1;
  size_t held = folding ? held_partials(native, cut) : shares.count, unit = native_block_unit(native, cut);
  at->group_rows = (uint32_t)(cut->share_rows / cut->losses);
  for (size_t share = 0; share < shares.count; share += held) {
    size_t end = smaller((share + held) * cut->share_rows, rows);
    for (size_t done = share * cut->share_rows; done < end; done += at->rows.count) {
      TRY(native_rows(native, &at->buffers, (RowRange){begin + done, end - done}, unit, &at->rows, error));
      at->rows.count = smaller(at->rows.count, native->block_rows / unit * unit);
      at->offset = done % cut->share_rows;
      at->partial = done / cut->share_rows - (folding ? share : 0);
      at->loss = (uint32_t)(done / at->group_rows);
      TRY(enqueue_rows(native, at, error));
    }
    if (folding) TRY(native_fold(native, native->partials, share, smaller(held, shares.count - share), cut->per_shard, error));
  }
cleanup:
  return status;
}

Status native_enqueue_blocks(Native *native, const Pass *pass, uint32_t keep, PassResult *result, Error *error) {
  Status status = SETOSA_OK;
  const Cut *cut = &pass->cut;
  RowRange rows = cut_rows(cut, pass->shards), shares = cut_shares(cut, pass->shards);
  bool clear = false, folding = pass->want_gradient && cut->per_shard > 1;
  TRY(begin_blocks(native, pass, keep, result, &clear, error));
  BlockPlace at = {.pass = pass, .keep = keep, .partials = result->partial_buffer, .groups = cut->losses};
  if (native_takes_shares(native)) TRY(enqueue_shares(native, &at, pass->first_row + rows.begin, shares, rows.count, error));
  for (size_t share = 0; share < shares.count && !native_takes_shares(native); share++) {
    size_t first = share * cut->share_rows;
    at.partial = folding ? 0 : share * cut->partials;
    at.loss = (uint32_t)(share * cut->losses);
    TRY(enqueue_share(native, &at, pass->first_row + rows.begin + first, smaller(cut->share_rows, rows.count - first), clear, error));
    if (folding) TRY(native_fold(native, native->partials, share * cut->partials, cut->partials, cut->per_shard * cut->partials, error));
  }
  if (folding) {
    result->partial_buffer = native->folded; /* highs and lows */
    result->partials = 2 * pass->shards.count;
  }
cleanup:
  return status;
}
