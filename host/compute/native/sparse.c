/* The products of sparse rows: weights turned feature-major once for every vector that a pass reads, logits by rows, gradients by the
 * columns of a block, and the sum of a share turned back. */
#include "compute/native/sparse.h"

#include <stdlib.h>

#include "compute/native/logits.h"
#include "compute/native/sparse_order.h"
#include "compute/native/sparse_upload.h"
#include "compute/native/vector.h"

enum {
  BLOCK_BYTES = 4 << 20,  /* of the residuals of a block: columns find theirs in the caches, */
  MOST_ROWS = 65536,      /* and the number of a row within it fits 16 bits; */
  MOST_ENTRIES = 1 << 23, /* a chunk that streams has a block at least, and threads sort several side by side */
  MOST_TILE = 64,         /* classes that are worked on at a time */
  ITEM_FLOATS = 1 << 18,  /* that an item of the CPU family adds up: so many that taking one, and memory's first answer, cost little, */
  LEAST_STRIPS = 2,       /* in so many strips of rows */
  MOST_STRIPS = 64,
  LINE_BYTES = 64,
  NEAR_BYTES = 1 << 20, /* of turned weights that every cache has near */
  WORTH_ENTRIES = 8     /* for each feature, that placing features by frequency is worth it for */
};

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
static size_t divide_up(size_t count, size_t size) { return (count + size - 1) / size; }
static bool is_cpu(const Native *native) { return native->family == SETOSA_FAMILY_CPU; }
static size_t turned_bytes(const Native *native) { return (native->head.features + 1) * native->sparse->stride * sizeof(float); }
/* Floats of a row of residuals. */
static uint32_t residual_stride(const Native *native) { return is_cpu(native) ? native->sparse->stride : native->stride; }

/* Rows of an item of the CPU family. */
static size_t item_rows(const Native *native) { return (size_t)native->sparse->item_strips * STRIP; }

size_t native_sparse_block_rows(const Native *native, size_t workspace_bytes) {
  size_t row_bytes = residual_stride(native) * sizeof(float), most = workspace_bytes > 0 ? workspace_bytes : BLOCK_BYTES;
  uint64_t mean = native->sparse->entries / native->head.rows + 1; /* of the whole data set, so that each device cuts alike */
  return smaller(smaller(most / row_bytes, MOST_ROWS), (size_t)(MOST_ENTRIES / mean));
}

size_t native_sparse_work_bytes(const Native *native) {
  size_t items = divide_up(native->block_rows, item_rows(native)), row_bytes = native->sparse->stride * sizeof(float);
  size_t residuals = is_cpu(native) ? (native->block_rows + items) * row_bytes : 0;
  return 3 * turned_bytes(native) + residuals;
}

/* ---- weights, turned --------------------------------------------------------------------------------------------- */

static uint32_t turn_groups(const Native *native) { return native_vector_groups(native, native->head.parameters); }

/* *turned = the weights of w, turned now if they are not there already; they stay until two other vectors were asked for. */
static Status turn_weights(Native *native, const Vector *w, const Buffer **turned, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  bool fresh = false;
  NativePanels *panels = NULL;
  TRY(native_recent_panels(native, native->sparse->turned, w, turned_bytes(native), &panels, &fresh, error));
  *turned = panels->buffer;
  if (!fresh) goto cleanup;
  TRY(native_kernel(native, KERNEL_SPARSE_TURN, &kernel, error));
  TRY(kernel_launch(kernel, native_team_range(native, turn_groups(native)), error, ARG(w->buffer), ARG((uint64_t)native->head.features),
                    ARG((uint32_t)native->head.classes), ARG(native->sparse->stride), ARG(native->sparse->places_there),
                    ARG(panels->buffer)));
  panels->version = w->version;
cleanup:
  return status;
}

/* ---- logits ------------------------------------------------------------------------------------------------------ */

/* Work-items of the GPU family: four classes each, of two both. */
static KernelRange lanes_range(const Native *native, size_t count) {
  size_t lanes = native->sparse->stride / (native->sparse->tile == 2 ? 2 : 4);
  return native_team_range(native, (uint32_t)divide_up(count * lanes, native->team));
}

static Status sparse_logits(Native *native, const Vector *w, const RowBuffers *buffers, RowRange rows, Buffer *block, size_t block_row,
                            float padding, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  KernelRange range = lanes_range(native, rows.count);
  const Buffer *turned = NULL;
  KernelArgument arguments[16];
  size_t count = 0;
  uint32_t items = (uint32_t)divide_up(rows.count, item_rows(native));
  TRY(turn_weights(native, w, &turned, error));
#define ADD(value) (arguments[count++] = ARG(value))
  ADD(buffers->entries);
  ADD(buffers->columns);
  ADD(buffers->x);
  ADD(turned);
  ADD((uint64_t)native->head.features);
  ADD((uint32_t)native->head.classes);
  ADD(native->sparse->stride);
  ADD((uint64_t)rows.begin);
  ADD((uint64_t)rows.count);
  ADD(block);
  if (is_cpu(native)) {
    TRY(native_items_range(native, items, &range, error));
    ADD((uint64_t)block_row);
    ADD(native->sparse->item_strips);
    ADD(items);
    ADD(native->counter);
  } else {
    ADD(native->stride);
    ADD(padding);
  }
#undef ADD
  TRY(native_kernel(native, KERNEL_SPARSE_LOGITS, &kernel, error));
  TRY(kernel_launch_array(kernel, range, arguments, count, error));
  native->flops += 2 * native_values(native, rows.count) * native->head.classes;
  native->bytes_read += native_sparse_bytes(native, (RowRange){buffers->begin + rows.begin, rows.count});
cleanup:
  return status;
}

Status native_sparse_accurate_logits(Native *native, const Vector *w, const RowBuffers *buffers, RowRange rows, Buffer *block,
                                     Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  const Buffer *turned = NULL;
  TRY(turn_weights(native, w, &turned, error));
  TRY(native_kernel(native, KERNEL_SPARSE_ACCURATE_LOGITS, &kernel, error));
  TRY(kernel_launch(kernel, native_team_range(native, native_row_groups(native, rows.count)), error, ARG(buffers->entries),
                    ARG(buffers->columns), ARG(buffers->x), ARG(turned), ARG((uint64_t)native->head.features),
                    ARG((uint32_t)native->head.classes), ARG(native->sparse->stride), ARG((uint64_t)rows.begin), ARG((uint64_t)rows.count),
                    ARG(block), ARG(native->stride)));
  native->flops += 2 * native_values(native, rows.count) * native->head.classes;
  native->bytes_read += native_sparse_bytes(native, (RowRange){buffers->begin + rows.begin, rows.count});
cleanup:
  return status;
}

/* ---- gradients --------------------------------------------------------------------------------------------------- */

static Status begin_share(Native *native, size_t rows, Error *error) {
  Status status = SETOSA_OK;
  NativeSparse *sparse = native->sparse;
  size_t bytes = native->head.features * sparse->stride * sizeof(float), row_bytes = residual_stride(native) * sizeof(float);
  size_t items = is_cpu(native) ? divide_up(rows, item_rows(native)) + divide_up(rows, native->block_rows) : 1;
  size_t beyond = 8 * sizeof(float); /* sums are read by eights */
  const Buffer *before = sparse->gradient;
  TRY(native_reserve(native, &sparse->gradient, bytes, "a gradient by features", error));
  TRY(native_reserve(native, &sparse->sums, items * row_bytes + beyond, "sums of residuals", error));
  if (!sparse->clear || sparse->gradient != before) TRY(buffer_fill_zero(sparse->gradient, 0, bytes, error));
  if (!is_cpu(native)) TRY(buffer_fill_zero(sparse->sums, 0, row_bytes, error));
  sparse->clear = false;
  sparse->items = 0;
cleanup:
  return status;
}

static Status end_share(Native *native, Buffer *partials, size_t partial, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  NativeSparse *sparse = native->sparse;
  uint32_t items = is_cpu(native) ? (uint32_t)sparse->items : 1;
  TRY(native_kernel(native, KERNEL_SPARSE_TURN_BACK, &kernel, error));
  TRY(kernel_launch(kernel, native_team_range(native, turn_groups(native)), error, ARG(sparse->gradient), ARG(sparse->sums), ARG(items),
                    ARG((uint64_t)native->head.features), ARG((uint32_t)native->head.classes), ARG(sparse->stride),
                    ARG(sparse->places_there), ARG(partials), ARG((uint32_t)partial)));
  sparse->clear = true;
cleanup:
  return status;
}

/* GPU family: sums += the column sums of `rows` rows. */
static Status add_bias(Native *native, const Buffer *rows, size_t count, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  size_t classes = native->head.classes;
  TRY(native_kernel(native, KERNEL_COLUMN_SUMS, &kernel, error));
  TRY(kernel_launch(kernel, native_team_range(native, (uint32_t)divide_up(classes, 8)), error, ARG(rows), ARG(native->stride),
                    ARG((uint32_t)classes), ARG((uint64_t)count), ARG(native->sparse->sums), ARG((uint64_t)0), ARG((uint32_t)1)));
cleanup:
  return status;
}

/* CPU family: strips become rows, and their sums those of items. */
static Status unpack_residuals(Native *native, const Buffer *strips, size_t rows, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  KernelRange range;
  NativeSparse *sparse = native->sparse;
  uint32_t items = (uint32_t)divide_up(rows, item_rows(native));
  TRY(native_reserve(native, &sparse->residuals, native->block_rows * sparse->stride * sizeof(float), "a block of residuals", error));
  TRY(native_items_range(native, items, &range, error));
  TRY(native_kernel(native, KERNEL_SPARSE_RESIDUALS, &kernel, error));
  TRY(kernel_launch(kernel, range, error, ARG(strips), ARG(native->row_factors), ARG((uint32_t)native->head.classes), ARG(sparse->stride),
                    ARG((uint64_t)rows), ARG(sparse->residuals), ARG(sparse->sums), ARG((uint32_t)sparse->items), ARG(sparse->item_strips),
                    ARG(items), ARG(native->counter)));
  sparse->items += items;
cleanup:
  return status;
}

static Status gather_cpu(Native *native, const SparseBlock *block, bool squares, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  KernelRange range;
  const NativeSparse *sparse = native->sparse;
  TRY(native_items_range(native, block->items, &range, error));
  TRY(native_kernel(native, squares ? KERNEL_SPARSE_SQUARES : KERNEL_SPARSE_GRADIENT, &kernel, error));
  TRY(kernel_launch(kernel, range, error, ARG(sparse->residuals), ARG(block->rows), ARG(block->values), ARG(block->index),
                    ARG((uint32_t)block->columns), ARG(sparse->stride), ARG(sparse->gradient), ARG((uint32_t)block->items),
                    ARG(native->counter)));
cleanup:
  return status;
}

static Status gather_gpu(Native *native, const Buffer *residuals, const SparseBlock *block, bool squares, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  const NativeSparse *sparse = native->sparse;
  uint32_t columns = (uint32_t)block->columns, longs = (uint32_t)(2 * block->columns + block->items + 1);
  TRY(native_kernel(native, KERNEL_SPARSE_GRADIENT, &kernel, error));
  TRY(kernel_launch(kernel, lanes_range(native, block->columns), error, ARG(residuals), ARG(native->stride), ARG(block->rows),
                    ARG(block->values), ARG(block->index), ARG(columns), ARG(sparse->stride), ARG(sparse->gradient),
                    ARG((uint32_t)squares)));
  if (block->longs == 0) goto cleanup;
  TRY(native_kernel(native, KERNEL_SPARSE_GRADIENT_LONG, &kernel, error));
  TRY(kernel_launch(kernel, native_team_range(native, (uint32_t)block->longs), error, ARG(residuals), ARG(native->stride), ARG(block->rows),
                    ARG(block->values), ARG(block->index), ARG(columns), ARG(longs), ARG(sparse->stride), ARG(sparse->gradient),
                    ARG((uint32_t)squares)));
cleanup:
  return status;
}

/* The gradient of a block goes into that of the share; `partials` get it when the share ends. */
static Status sparse_gradient(Native *native, const Buffer *residuals, const RowBuffers *buffers, RowRange rows, Buffer *partials,
                              size_t partial, bool add, bool squares, Error *error) {
  Status status = SETOSA_OK;
  const SparseBlock *block = NULL;
  (void)partials;
  (void)partial;
  (void)add;
  TRY(native_sparse_block(native, &block, buffers, rows, error));
  if (is_cpu(native)) {
    TRY(unpack_residuals(native, residuals, rows.count, error));
    TRY(block->columns > 0 ? gather_cpu(native, block, squares, error) : SETOSA_OK);
  } else {
    TRY(add_bias(native, residuals, rows.count, error));
    TRY(block->columns > 0 ? gather_gpu(native, residuals, block, squares, error) : SETOSA_OK);
  }
cleanup:
  return status;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static const NativeProducts sparse_products = {.name = "native",
                                               .strips = true,
                                               .logits = sparse_logits,
                                               .begin_share = begin_share,
                                               .end_share = end_share,
                                               .gradient = sparse_gradient};

void native_sparse_begin(Native *native, const DataShape *shape) {
  NativeSparse *sparse = native->sparse;
  size_t tiles = is_cpu(native) ? divide_up(shape->classes, MOST_TILE) : 1, tile = divide_up(shape->classes, tiles);
  sparse->tile = (uint32_t)(tile <= 2 ? 2 : (tile + 3) / 4 * 4);
  sparse->stride = (uint32_t)(tiles * sparse->tile);
  sparse->ones = shape->ones;
  sparse->entries = shape->entries;
  double row_floats = (double)shape->entries / (double)shape->rows * (double)sparse->stride + 1,
         strips = (double)ITEM_FLOATS / STRIP / row_floats;
  sparse->item_strips = (uint32_t)(strips < LEAST_STRIPS ? LEAST_STRIPS : strips > MOST_STRIPS ? MOST_STRIPS : strips);
  sparse->item_entries = ITEM_FLOATS / sparse->stride;
  native->products = &sparse_products;
}

Status native_sparse_place(Native *native, Error *error) {
  Status status = SETOSA_OK;
  NativeSparse *sparse = native->sparse;
  size_t row_bytes = sparse->stride * sizeof(float), features = native->head.features;
  bool few = sparse->entries / WORTH_ENTRIES < features || native->place == DATA_MADE;
  if (sparse->places != NULL || row_bytes > LINE_BYTES / 2 || features * row_bytes <= NEAR_BYTES || few) return SETOSA_OK;
  TRY(sparse_places_make(&sparse->places, native->source, native->window, error));
  TRY(buffer_create(&sparse->places_there, native->context, features * sizeof(uint32_t), "the places of features", error));
  TRY(buffer_write(sparse->places_there, 0, features * sizeof(uint32_t), sparse->places, error));
cleanup:
  return status;
}

void native_sparse_release(Native *native) {
  NativeSparse *sparse = native->sparse;
  if (sparse == NULL) return;
  for (int i = 0; i < 2; i++) buffer_destroy(sparse->turned[i].buffer);
  buffer_destroy(sparse->gradient);
  buffer_destroy(sparse->residuals);
  buffer_destroy(sparse->sums);
  native_sparse_block_release(&sparse->other);
  sparse_room_free(&sparse->room);
  buffer_destroy(sparse->places_there);
  free(sparse->places);
}
