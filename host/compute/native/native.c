/* The native backend: our OpenCL kernels behind the seam. This file owns its life and its shared buffers; its
 * kernels are in programs.c, X goes up in upload.c, the operations are in vector.c, pass.c, predict.c and line.c. */
#include "compute/native/dots.h"
#include "compute/native/line.h"
#include "compute/native/logits.h"
#include "compute/native/metric.h"
#include "compute/native/predict.h"
#include "compute/native/sparse.h"
#include "compute/native/upload.h"
#include "compute/native/vector.h"

#include <stdlib.h>

#include "base/memory.h"

enum {
  GPU_TEAM = 256,
  GPU_BLOCK_ROWS = 64,
  BLOCK_BYTES = 8 << 20,      /* a block of X and its strips stay in the caches between the three kernels, */
  BLOCK_ROWS = 384,           /* but has so many rows that adding to the gradient costs little beside computing it, */
  WORKSPACE_BYTES = 48 << 20, /* within this */
  GPU_WORKSPACE_BYTES = 16 << 20,
  GPU_WORKSPACE_PART = 16,       /* dense rows on the GPU family: a block takes such a part of the device's memory, */
  GPU_MOST_WORKSPACE = 1 << 30,  /* from the above up to this: few launches, whose last groups wait for each other */
  GPU_MOST_SPAN_BYTES = 64 << 20 /* of the logits of a chain of additions, which a block holds on every device */
};

static void native_facts(const Backend *backend, BackendFacts *facts) {
  const Native *native = (const Native *)backend;
  *facts = (BackendFacts){.name = native->products != NULL ? native->products->name : "native",
                          .device = context_info(native->context)->name,
                          .family = setosa_family_name(native->family),
                          .storage = setosa_storage_name(native->plan.storage),
                          .storage_rms_error = storage_rounding_rms(&native->rounding),
                          .storage_largest_error = native->rounding.largest,
                          .chunk_rows = native->residence.resident ? 0 : native->residence.buffer_rows,
                          .fell_back = native->residence.fell_back,
                          .leads = true,
                          .local = backend_all_rows(backend),
                          .bytes_held = context_peak_bytes(native->context),
                          .flops = native->flops,
                          .bytes_read = native->bytes_read,
                          .seconds_upload = native->seconds_upload,
                          .seconds_build = native_seconds_build(native),
                          .seconds_tune = native->tuning.seconds,
                          .tuning = native->tuning.text};
}

static void native_close(Backend *backend) {
  Native *native = (Native *)backend;
  context_drain(native->context); /* when a pass failed halfway its kernels read rows that the caller may free after this */
  native_line_release(native);
  for (int i = 0; i < KERNEL_COUNT; i++) kernel_destroy(native->kernels[i]);
  native_release_upload(native);
  native_release_panels(native);
  native_sparse_release(native);
  free(native->sparse);
  buffer_destroy(native->partials);
  buffer_destroy(native->folded);
  buffer_destroy(native->block);
  buffer_destroy(native->block_directions);
  buffer_destroy(native->row_factors);
  buffer_destroy(native->kept);
  buffer_destroy(native->products_temporary);
  buffer_destroy(native->counter);
  buffer_destroy(native->sums);
  free(native->sums_host);
  free(native->reweighed);
  free(native);
}

static const BackendOperations native_operations = {
    .close = native_close,
    .vector_create = native_vector_create,
    .vector_destroy = native_vector_destroy,
    .vector_read = native_vector_read,
    .vector_write = native_vector_write,
    .vector_copy = native_vector_copy,
    .vector_combine = native_vector_combine,
    .vector_dots = native_vector_dots,
    .vector_multiply = native_vector_multiply,
    .vector_divide_sqrt = native_vector_divide_sqrt,
    .vector_prox = native_vector_prox,
    .evaluate = native_evaluate,
    .hessian_product = native_hessian_product,
    .predict = native_predict,
    .labels = native_labels,
    .line_open = native_line_open,
    .line_evaluate = native_line_evaluate,
    .line_close = native_line_close,
    .metric_create = native_metric_create,
    .metric_apply = native_metric_apply,
    .metric_destroy = native_metric_destroy,
    .gram = native_gram,
    .broadcast = native_broadcast,
    .reweigh = native_reweigh,
    .facts = native_facts,
};

static size_t round_up(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

/* Bytes of a block of logits of dense rows on the GPU family. How many they are changes no bit (blocks.c). */
static size_t gpu_workspace(const Native *native, const BackendSettings *settings) {
  const DeviceTraits *traits = context_traits(native->context);
  if (settings->workspace_bytes > 0) return settings->workspace_bytes;
  uint64_t bytes = (settings->device_memory_bytes > 0 ? settings->device_memory_bytes : traits->memory_bytes) / GPU_WORKSPACE_PART;
  if (bytes > traits->max_allocation_bytes) bytes = traits->max_allocation_bytes;
  if (bytes > GPU_MOST_WORKSPACE) bytes = GPU_MOST_WORKSPACE;
  return bytes > GPU_WORKSPACE_BYTES ? (size_t)bytes : GPU_WORKSPACE_BYTES;
}

/* Rows of a block of logits: whole tiles, at least one, never much more than there are. */
static void choose_block(Native *native, const BackendSettings *settings) {
  size_t workspace_bytes = settings->workspace_bytes;
  size_t classes = native->head.classes, stride = round_up(classes, 8);
  if (stride * sizeof(float) % 4096 == 0) stride += 8; /* rows 4 KB apart would all fall into one set of the first-level cache */
  native->stride = (uint32_t)stride;
  size_t rows = 0, tile = GPU_BLOCK_ROWS;
  if (native->sparse != NULL) {
    rows = native_sparse_block_rows(native, workspace_bytes);
    tile = GPU_BLOCK_ROWS;
  } else if (native_uses_strips(native)) {
    size_t row_bytes = classes * sizeof(float), most = (workspace_bytes > 0 ? workspace_bytes : WORKSPACE_BYTES) / row_bytes;
    rows = BLOCK_BYTES / (row_bytes + native->head.features * sizeof(float));
    if (rows < BLOCK_ROWS) rows = BLOCK_ROWS;
    if (rows > most) rows = most;
    tile = rows >= GROUP_STRIPS * STRIP && workspace_bytes == 0 ? GROUP_STRIPS * STRIP : STRIP;
  } else { /* the length of a chain is no matter of memory, unless the caller says so */
    size_t row_bytes = stride * sizeof(float);
    rows = gpu_workspace(native, settings) / row_bytes;
    bool shorter = GRADIENT_SPAN * row_bytes > GPU_MOST_SPAN_BYTES || (workspace_bytes > 0 && rows < GRADIENT_SPAN);
    tile = native->span_rows = shorter ? GPU_BLOCK_ROWS : GRADIENT_SPAN;
  }
  rows = rows / tile * tile;
  if (rows < tile) rows = tile;
  size_t needed = round_up(native->head.rows, tile);
  native->block_rows = rows < needed ? rows : needed;
}

uint32_t native_strip_classes(const Native *native) {
  size_t tiles = (native->head.classes + native->shape.strip_classes - 1) / native->shape.strip_classes;
  return (uint32_t)((native->head.classes + tiles - 1) / tiles);
}

static void take_shape(Native *native, NativeShape shape) {
  native->shape = shape;
  native->fused = native_fuses(native->family, &shape, native->head.features, native->head.classes);
}

/* Everything but what lies on the device. */
static Status create_native(Native **out, const Dataset *dataset, const BackendSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  Native *native = NULL;
  DataShape shape = dataset_shape(dataset);
  *out = NULL;
  TRY(memory_allocate_zero((void **)&native, 1, sizeof *native, "a backend", error));
  *out = native;
  const DeviceTraits *traits = context_traits(settings->context);
  bool tensor = traits->tensor_cores && !settings->reproducible && !settings->no_tensor_cores;
  native->head = (Backend){.operations = &native_operations,
                           .rows = shape.rows,
                           .entries = shape.entries,
                           .features = shape.features,
                           .classes = shape.classes,
                           .parameters = shape.classes * shape.features + shape.classes,
                           .mean_weight = dataset_mean_weight(dataset),
                           .intercept = settings->intercept};
  native->window = backend_all_rows(&native->head);
  native->context = settings->context;
  native->family = settings->family == SETOSA_FAMILY_AUTO ? traits->family : settings->family;
  native->compute_units = traits->compute_units > 0 ? traits->compute_units : 1;
  native->workspace_bytes = settings->workspace_bytes > 0 ? settings->workspace_bytes : GPU_WORKSPACE_BYTES;
  native->small = settings->small;
  native->team = native->family == SETOSA_FAMILY_CPU ? 1 : GPU_TEAM;
  if (traits->max_group_size < native->team) {
    status =
        error_set(error, SETOSA_ERROR_DEVICE, "%s runs work-groups of at most %zu work-items, the GPU kernels need %d; use --family cpu",
                  context_info(native->context)->name, traits->max_group_size, GPU_TEAM);
    goto cleanup;
  }
  native->source = dataset;
  take_shape(native, native_default_shape(native->family, shape.classes, shape.features, traits, tensor));
  if (shape.kind == DATA_SPARSE) {
    TRY(memory_allocate_zero((void **)&native->sparse, 1, sizeof *native->sparse, "a backend", error));
    native_sparse_begin(native, &shape);
  }
  choose_block(native, settings);
cleanup:
  return status;
}

Status native_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  Native *native = NULL;
  *backend = NULL;
  TRY(create_native(&native, dataset, settings, error));
  TRY(native_upload(native, dataset, settings, error));
  native_restart_build_clock(native);
  *backend = &native->head;
  native = NULL;
cleanup:
  if (native != NULL) native_close(&native->head);
  return status;
}

Status native_open_window(Native **out, const Dataset *dataset, const BackendSettings *settings, RowRange window, const NativeShape *shape,
                          Error *error) {
  Status status = SETOSA_OK;
  Native *native = NULL;
  *out = NULL;
  TRY(create_native(&native, dataset, settings, error));
  take_shape(native, *shape);
  native->window = window;
  if (window.count > 0)
    TRY(native_upload(native, dataset, settings, error));
  else
    TRY(native_choose_storage(native, dataset, settings, error));
  native->residence.resident = native->residence.resident || window.count == 0;
  native_restart_build_clock(native);
  *out = native;
  native = NULL;
cleanup:
  if (native != NULL) native_close(&native->head);
  return status;
}

Status native_describe(BackendPlan *plan, const Dataset *dataset, const BackendSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  Native *native = NULL;
  NativePlan residence = {0};
  TRY(create_native(&native, dataset, settings, error));
  if (backend_is_shared(settings)) { /* of equal devices; the first has as many shards as any */
    size_t devices = (settings->context_count > 0 ? settings->context_count : 1) * ranks_size(settings->ranks);
    Cut cut = native_cut(native, native->head.rows);
    native->window = cut_rows(&cut, (ShardRange){0, (cut.shards + devices - 1) / devices});
  }
  TRY(native_choose_storage(native, dataset, settings, error));
  TRY(native_plan(&residence, native, settings, error));
  size_t row_bytes = native_row_bytes(native), rows = residence.resident ? native->window.count : residence.buffer_rows;
  bool views = native_reads_in_place(native);
  if (!residence.resident) rows *= NATIVE_STAGES;
  *plan = (BackendPlan){.devices = settings->context_count > 0 ? settings->context_count : 1,
                        .resident = residence.resident,
                        .chunk_rows = residence.resident ? 0 : residence.buffer_rows,
                        .budget_bytes = residence.budget_bytes,
                        .data_bytes = native->sparse != NULL ? native_sparse_bytes(native, (RowRange){0, rows}) : rows * row_bytes,
                        .label_bytes = native->labelled ? rows * sizeof(int32_t) : 0,
                        .weight_bytes = native->weighted ? rows * sizeof(float) : 0,
                        .work_bytes = native_work_bytes(native) + native_line_bytes(native),
                        .matrix_bytes = native_matrix_bytes(native, settings),
                        .in_place = views,
                        .storage = setosa_storage_name(native->plan.storage)};
cleanup:
  if (native != NULL) native_close(&native->head);
  return status;
}

Status native_reserve(Native *native, Buffer **buffer, size_t bytes, const char *what, Error *error) {
  if (*buffer != NULL && buffer_bytes(*buffer) >= bytes) return SETOSA_OK;
  Status status = context_finish(native->context, error); /* nothing enqueued may still use the old one */
  if (status != SETOSA_OK) return status;
  buffer_destroy(*buffer);
  *buffer = NULL;
  return buffer_create(buffer, native->context, bytes, what, error);
}

Status native_reserve_sums(Native *native, size_t count, Error *error) {
  Status status = SETOSA_OK;
  if (count <= native->sums_capacity) return SETOSA_OK;
  size_t wanted = round_up(count, 256);
  if (wanted < 2 * native->sums_capacity) wanted = 2 * native->sums_capacity; /* a history that grows asks for a few more each time */
  free(native->sums_host);
  native->sums_host = NULL;
  native->sums_capacity = 0;
  TRY(memory_allocate((void **)&native->sums_host, wanted, sizeof(SumPair), "partial sums", error));
  TRY(native_reserve(native, &native->sums, wanted * sizeof(SumPair), "partial sums", error));
  native->sums_capacity = wanted;
cleanup:
  return status;
}

Status native_read_sums(Native *native, size_t count, Error *error) {
  return buffer_read(native->sums, 0, count * sizeof(SumPair), native->sums_host, error);
}

double native_sum(const Native *native, size_t first, size_t count) {
  ShardSum sum = shard_sum(native->sums_host + first, count);
  return sum.high + sum.low;
}

double native_pass_sum(const Native *native, size_t first, const Cut *cut) {
  ShardSum all = {0, 0}, one;
  size_t pairs = cut->per_shard * cut->losses;
  for (size_t i = 0; i < cut->shards; i++) {
    shard_sums(&one, cut, (ShardRange){i, 1}, native->sums_host + first + i * pairs);
    shard_sum_add(&all, one);
  }
  return all.high + all.low;
}

uint64_t native_values(const Native *native, size_t rows) {
  if (native->sparse == NULL) return (uint64_t)rows * native->head.features;
  return (uint64_t)((double)native->sparse->entries * ((double)rows / (double)native->head.rows));
}

void native_restart_build_clock(Native *native) { native->build_seconds_before = context_build_seconds(native->context); }

double native_seconds_build(const Native *native) { return context_build_seconds(native->context) - native->build_seconds_before; }
