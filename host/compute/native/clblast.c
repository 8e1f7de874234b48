/* The clblast backend: the native backend, its two products of a block of rows by CLBlast instead of block_*.cl, for every K. Softmax,
 * Hessian terms, lines, vectors and predictions of few classes are native's own kernels. */
#include "compute/native/logits.h"
#include "compute/native/vector.h"
#include "opencl/gemm.h"

/* CLBlast copies a factor that its kernel cannot take as it lies, X among them, so that a block is bounded by its rows of X too. */
static void choose_block(Native *native) {
  enum { TILE_ROWS = 64, MOST_ROWS = 65536 }; /* a block's gradient is summed plainly */
  size_t longest = native->head.features > native->stride ? native->head.features : native->stride;
  size_t rows = native->workspace_bytes / sizeof(float) / longest / TILE_ROWS * TILE_ROWS;
  if (rows > MOST_ROWS) rows = MOST_ROWS;
  if (rows < TILE_ROWS) rows = TILE_ROWS;
  if (rows < native->block_rows) native->block_rows = rows;
}

static Status enqueue_bias(Native *native, const Vector *w, Buffer *block, size_t first, size_t rows, float padding, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  TRY(native_kernel(native, KERNEL_BIAS_ROWS, &kernel, error));
  TRY(kernel_launch(kernel, native_team_range(native, native_row_groups(native, rows)), error, ARG(block), ARG(native->stride),
                    ARG(w->buffer), ARG((uint64_t)native->head.features), ARG((uint32_t)native->head.classes), ARG((uint64_t)first),
                    ARG((uint64_t)rows), ARG(padding)));
cleanup:
  return status;
}

/* Z = X W' + b: b goes in first and the product is added to it. A line search asks for all rows at once: block by block. */
static Status clblast_logits(Native *native, const Vector *w, const RowBuffers *buffers, RowRange rows, Buffer *block, size_t block_row,
                             float padding, Error *error) {
  Status status = SETOSA_OK;
  size_t features = native->head.features, classes = native->head.classes, count = 0;
  (void)block_row; /* 0 of padded rows */
  for (size_t done = 0; done < rows.count; done += count) {
    count = rows.count - done < native->block_rows ? rows.count - done : native->block_rows;
    TRY(enqueue_bias(native, w, block, done, count, padding, error));
    GemmProduct product = {.m = count,
                           .n = classes,
                           .k = features,
                           .a = {buffers->x, (rows.begin + done) * features, features, false},
                           .b = {w->buffer, 0, features, true},
                           .c = {block, done * native->stride, native->stride, false},
                           .beta = 1.0f};
    TRY(gemm_multiply(native->context, &product, &native->products_temporary, error));
    native->flops += 2 * (uint64_t)count * features * classes;
    native->bytes_read += (uint64_t)count * features * sizeof(float);
  }
cleanup:
  return status;
}

/* G (+)= R' X where it lies, and its bias (+)= the column sums of R. */
static Status clblast_gradient(Native *native, const Buffer *residuals, const RowBuffers *buffers, RowRange rows, Buffer *partials,
                               size_t partial, bool add, bool squares, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  size_t features = native->head.features, classes = native->head.classes, first = partial * native->head.parameters;
  (void)squares;
  GemmProduct product = {.m = classes,
                         .n = features,
                         .k = rows.count,
                         .a = {residuals, 0, native->stride, true},
                         .b = {buffers->x, rows.begin * features, features, false},
                         .c = {partials, first, features, false},
                         .beta = add ? 1.0f : 0.0f};
  TRY(gemm_multiply(native->context, &product, &native->products_temporary, error));
  TRY(native_kernel(native, KERNEL_COLUMN_SUMS, &kernel, error));
  TRY(kernel_launch(kernel, native_team_range(native, (uint32_t)((classes + 7) / 8)), error, ARG(residuals), ARG(native->stride),
                    ARG((uint32_t)classes), ARG((uint64_t)rows.count), ARG(partials), ARG((uint64_t)(first + classes * features)),
                    ARG((uint32_t)add)));
cleanup:
  return status;
}

static const NativeProducts clblast_products = {.name = "clblast", .logits = clblast_logits, .gradient = clblast_gradient};

Status clblast_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  Backend *opened = NULL;
  BackendSettings own = *settings;
  const GemmParameters *parameters = gemm_known_parameters(settings->context);
  *backend = NULL;
  if (settings->storage != SETOSA_STORAGE_AUTO && settings->storage != SETOSA_STORAGE_F32)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "CLBlast multiplies f32 alone; use --storage f32 with --backend clblast, or --backend native");
  DataShape shape = dataset_shape(dataset);
  if (shape.kind == DATA_SPARSE)
    return error_set(error, SETOSA_ERROR_USAGE, "CLBlast multiplies dense rows alone, and %s has sparse ones; use --backend native",
                     dataset_source(dataset));
  if (shape.features > INT32_MAX / 64 || shape.classes > INT32_MAX / 64 ||
      shape.classes * shape.features > INT32_MAX) /* its kernels count in int */
    return error_set(error, SETOSA_ERROR_USAGE, "%zu features x %zu classes are more than CLBlast can count; use --backend native",
                     shape.features, shape.classes);
  own.storage = SETOSA_STORAGE_F32;
  own.tuning = SETOSA_TUNING_OFF; /* of kernels that do not run here */
  TRY(gemm_load(settings->context, error));
  TRY(native_open(&opened, dataset, &own, error));
  if (parameters != NULL) TRY(gemm_set_parameters(settings->context, parameters, error));
  Native *native = (Native *)opened;
  native->products = &clblast_products;
  choose_block(native);
  *backend = opened;
  opened = NULL;
cleanup:
  backend_close(opened);
  return status;
}
