/* X, labels and weights on their way to the device: used in place, copied, converted to fewer bytes, or made there. They stay when they fit
 * the budget; else rows stream through two stages, the next chunk going up while the last is worked on. No second whole copy of X ever lies
 * on the host. */
#include "compute/native/upload.h"
#include "compute/native/line.h"
#include "compute/native/logits.h"
#include "compute/native/metric.h"
#include "compute/native/sparse.h"
#include "compute/reweigh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

enum {
  ALIGNED_ROWS = 1024,     /* views of the host's f32 begin on a page of its array, so that unified memory can use them in place */
  CHUNK_VALUES = 1 << 20,  /* converted at a time: 1 or 2 MB, which stay in the cache until they are copied */
  STAGE_BYTES = 128 << 20, /* most bytes of X in a stage: enough to hide a launch, and two are little beside any device's memory */
  WORK_VECTORS = 50,       /* parameter vectors that are held when nobody says how many */
  SPARE_BYTES = 1 << 20,   /* for what is small: labels' padding, sums */
  FALLBACK_PARTS = 8,      /* a device that refuses X gets it in so many chunks */
  DEFAULT_BUDGET_PART = 10 /* without a budget, this part of the device's memory is left alone */
};

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
static size_t larger(size_t a, size_t b) { return a > b ? a : b; }
static size_t round_up(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

bool native_reads_in_place(const Native *native) {
  return native->sparse == NULL && native->plan.storage == SETOSA_STORAGE_F32 && context_traits(native->context)->unified_memory &&
         native->place == DATA_HELD;
}

/* ---- filling buffers --------------------------------------------------------------------------------------------- */

/* Rows [begin, begin + count) made where they are needed. */
static Status make_rows(Native *native, RowBuffers *buffers, size_t begin, size_t count, Error *error) {
  Status status = SETOSA_OK;
  uint64_t first = 0;
  const Synthetic *generator = dataset_generator(native->source, &first);
  if (native->synthesizer == NULL) TRY(synthesize_create(&native->synthesizer, native->context, generator, native->family, error));
  TRY(synthesize_rows(native->synthesizer, first + begin, count, buffers->x, buffers->labels, error));
cleanup:
  return status;
}

/* Rows [begin, begin + count), converted by CHUNK_VALUES values at a time. */
static Status convert_rows(Native *native, RowBuffers *buffers, size_t begin, size_t count, Error *error) {
  Status status = SETOSA_OK;
  const Dataset *dataset = native->source;
  size_t element_bytes = storage_element_bytes(&native->plan), features = native->head.features, values = count * features, now = 0;
  if (native->scratch == NULL) TRY(memory_allocate(&native->scratch, CHUNK_VALUES, element_bytes, "a chunk of the feature matrix", error));
  for (size_t done = 0; done < values; done += now) {
    now = smaller(CHUNK_VALUES, values - done);
    TRY(storage_convert(native->scratch, &native->plan, dataset, begin * features + done, now,
                        native->rounded_rows > begin ? &(StorageRounding){0} : &native->rounding, error));
    TRY(buffer_upload(buffers->x, done * element_bytes, now * element_bytes, native->scratch, error));
  }
  native->rounded_rows = larger(native->rounded_rows, begin + count); /* what rounding did counts once, however often rows go up */
cleanup:
  return status;
}

/* Buffers for capacity rows. On failure *buffers may hold some; they are the caller's. */
static Status reserve_buffers(Native *native, RowBuffers *buffers, size_t capacity, Error *error) {
  Status status = SETOSA_OK;
  size_t bytes = capacity * native_row_bytes(native);
  if (buffers->capacity >= capacity) return SETOSA_OK;
  row_buffers_release(buffers);
  if (native->sparse == NULL) TRY(buffer_create(&buffers->x, native->context, bytes, "the feature matrix", error));
  if (native->labelled) TRY(buffer_create(&buffers->labels, native->context, capacity * sizeof(int32_t), "the labels", error));
  if (native->weighted) TRY(buffer_create(&buffers->weights, native->context, capacity * sizeof(float), "the sample weights", error));
  buffers->capacity = capacity;
cleanup:
  return status;
}

/* *buffers = rows [begin, begin + count), in place where that can be. Its buffers are kept for capacity rows where they are the device's
 * own.
 */
static Status load_buffers(Native *native, RowBuffers *buffers, size_t begin, size_t count, size_t capacity, Error *error) {
  Status status = SETOSA_OK;
  const Dataset *dataset = native->source;
  size_t features = native->head.features;
  Targets targets = {NULL, NULL};
  buffers->count = 0; /* until it is loaded */
  if (native_reads_in_place(native)) {
    row_buffers_release(buffers);
    size_t first = begin - begin % ALIGNED_ROWS;
    count += begin - first;
    begin = first;
    RowRange rows = {begin, count};
    TRY(buffer_create_from(&buffers->x, native->context, dataset_dense(dataset, rows, NULL), count * features * sizeof(float),
                           "the feature matrix", error));
    TRY(dataset_targets(&targets, dataset, rows, NULL, error));
    if (native->labelled)
      TRY(buffer_create_from(&buffers->labels, native->context, targets.labels, count * sizeof(int32_t), "the labels", error));
    if (native->reweighed != NULL) { /* no view: the host's change */
      TRY(buffer_create(&buffers->weights, native->context, count * sizeof(float), "the sample weights", error));
      TRY(buffer_upload(buffers->weights, 0, count * sizeof(float), native->reweighed + begin, error));
    } else if (native->weighted) {
      TRY(buffer_create_from(&buffers->weights, native->context, targets.weights, count * sizeof(float), "the sample weights", error));
    }
  } else {
    TRY(reserve_buffers(native, buffers, capacity, error));
    RowRange rows = {begin, count};
    bool made = native->place == DATA_MADE && native->sparse == NULL;
    if (native->sparse != NULL)
      TRY(native_sparse_load(native, buffers, begin, count, error));
    else if (made)
      TRY(make_rows(native, buffers, begin, count, error));
    else if (native->plan.storage != SETOSA_STORAGE_F32 || native->place == DATA_GATHERED)
      TRY(convert_rows(native, buffers, begin, count, error));
    else
      TRY(buffer_upload(buffers->x, 0, count * native_row_bytes(native), dataset_dense(dataset, rows, NULL), error));
    if (!made) TRY(dataset_targets(&targets, dataset, rows, &native->targets, error));
    if (!made && native->labelled) TRY(buffer_upload(buffers->labels, 0, count * sizeof(int32_t), targets.labels, error));
    const float *weights = native->reweighed != NULL ? native->reweighed + begin : targets.weights;
    if (native->weighted) TRY(buffer_upload(buffers->weights, 0, count * sizeof(float), weights, error));
    dataset_let_go(dataset, rows);
  }
  buffers->begin = begin;
  buffers->count = count;
cleanup:
  return status;
}

void row_buffers_release(RowBuffers *buffers) {
  buffer_destroy(buffers->x);
  buffer_destroy(buffers->labels);
  buffer_destroy(buffers->weights);
  native_sparse_unload(buffers);
  *buffers = (RowBuffers){0};
}

/* ---- what stays, what streams ------------------------------------------------------------------------------------ */

/* The ranges that passes ask for: a share, a block. */
static size_t largest_unit(const Native *native) {
  Cut cut = native_cut(native, native->head.rows);
  size_t unit = native_is_fused(native) ? cut.share_rows : native_block_unit(native, &cut);
  return smaller(unit, native->window.count);
}

/* Copies of sparse rows in memory that the host shares with its device: above half of what is free they would push mapped rows out. */
static bool crowds_host(const Native *native, const BackendSettings *settings, size_t bytes) {
  bool shares = native->sparse != NULL && context_traits(native->context)->unified_memory && settings->device_memory_bytes == 0;
  return shares && bytes > memory_available() / 2;
}

Status native_plan(NativePlan *plan, const Native *native, const BackendSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  const DeviceTraits *traits = context_traits(native->context);
  size_t row_bytes = 0, target_bytes = native_target_bytes(native), unit = largest_unit(native);
  *plan = (NativePlan){.budget_bytes = settings->device_memory_bytes};
  if (plan->budget_bytes == 0) plan->budget_bytes = traits->memory_bytes - traits->memory_bytes / DEFAULT_BUDGET_PART;
  if (native->sparse != NULL)
    row_bytes = native_sparse_row_bytes(native, unit);
  else
    TRY(memory_multiply(&row_bytes, native->head.features, storage_element_bytes(&native->plan), "a row of the feature matrix", error));
  TRY(memory_multiply(&plan->data_bytes, native->window.count, row_bytes + target_bytes, "the feature matrix", error));
  if (native->sparse != NULL) plan->data_bytes = (size_t)native_sparse_bytes(native, native->window) + native->window.count * target_bytes;
  plan->work_bytes = (settings->vectors > 0 ? settings->vectors : WORK_VECTORS) * native->head.parameters * sizeof(float) +
                     native_work_bytes(native) + native_matrix_bytes(native, settings) + SPARE_BYTES + native_line_bytes(native) +
                     (native_line_bytes(native) > 0 ? native->window.count * target_bytes : 0);
  size_t allocation = smaller(traits->max_allocation_bytes, settings->x_buffer_bytes > 0 ? settings->x_buffer_bytes : SIZE_MAX);
  size_t room = plan->budget_bytes > plan->work_bytes ? plan->budget_bytes - plan->work_bytes : 0;
  bool whole = native->window.count * row_bytes <= allocation;
  /* Views cost nothing, so what is too large for one streams in views; elsewhere several allocations hold it. */
  plan->resident = plan->data_bytes <= room && (whole || !native_reads_in_place(native)) && !settings->streamed &&
                   !crowds_host(native, settings, plan->data_bytes);
  if (plan->resident) {
    plan->buffer_rows = whole ? native->window.count : larger(allocation / row_bytes / unit, 1) * unit;
    goto cleanup;
  }
  /* Chunks take turns in two stages; views of the host's memory count as if they took the device's own. */
  size_t stage = smaller(smaller(room / NATIVE_STAGES, STAGE_BYTES), allocation);
  plan->buffer_rows = larger(stage / (row_bytes + target_bytes) / unit, 1) * unit;
  if (settings->chunk_rows > 0) plan->buffer_rows = round_up(settings->chunk_rows, unit);
  plan->buffer_rows = smaller(plan->buffer_rows, native->window.count);
  if (room < (native_reads_in_place(native) ? 1 : NATIVE_STAGES) * plan->buffer_rows * (row_bytes + target_bytes))
    status = error_set(error, SETOSA_ERROR_DEVICE,
                       "%.1f MB of device memory do not hold %.1f MB of workspace and chunks of %zu rows; raise --device-memory to %.0fM",
                       (double)plan->budget_bytes / 1e6, (double)plan->work_bytes / 1e6, plan->buffer_rows,
                       ((double)plan->work_bytes + 2.0 * (double)plan->buffer_rows * (double)(row_bytes + target_bytes)) / 1e6 + 1);
cleanup:
  return status;
}

static Status load_resident(Native *native, Error *error) {
  Status status = SETOSA_OK;
  size_t rows = native->window.count, buffer_rows = native->residence.buffer_rows, needed = (rows + buffer_rows - 1) / buffer_rows;
  TRY(memory_allocate_zero((void **)&native->buffers, needed, sizeof *native->buffers, "the buffers of a data set", error));
  while (native->buffer_count < needed) {
    size_t begin = native->buffer_count * buffer_rows, count = smaller(buffer_rows, rows - begin);
    RowBuffers *buffers = &native->buffers[native->buffer_count++]; /* counted at once: closing frees what a failed upload has made */
    TRY(load_buffers(native, buffers, native->window.begin + begin, count, count, error));
  }
cleanup:
  return status;
}

static void release_all_buffers(Native *native) {
  for (size_t i = 0; i < native->buffer_count; i++) row_buffers_release(&native->buffers[i]);
  free(native->buffers);
  native->buffers = NULL;
  native->buffer_count = 0;
}

Status native_choose_storage(Native *native, const Dataset *dataset, const BackendSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  DataShape shape = dataset_shape(dataset);
  native->source = dataset;
  native->place = shape.place;
  native->labelled = shape.labelled;
  native->weighted = shape.weighted || settings->reweighs;
  if (native->reweighed == NULL) TRY(reweigh_open(&native->reweighed, dataset, settings, error));
  if (shape.place == DATA_MADE && native->sparse == NULL)
    native->plan = (StoragePlan){.storage = SETOSA_STORAGE_F32, .scale = 1};
  else
    TRY(storage_choose(&native->plan, dataset, settings->storage, context_traits(native->context)->unified_memory, error));
  if (shape.place == DATA_MADE && native->sparse == NULL && settings->storage > SETOSA_STORAGE_F32)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "%s: rows that are made as they are needed are held as f32; leave --storage out, or use fewer",
                  dataset_source(dataset)));
cleanup:
  return status;
}

Status native_upload(Native *native, const Dataset *dataset, const BackendSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  double start = clock_seconds();
  BackendSettings again = *settings;
  TRY(native_choose_storage(native, dataset, settings, error));
  if (native->sparse != NULL) TRY(native_sparse_place(native, error));
  TRY(native_plan(&native->residence, native, settings, error));
  if (native->residence.resident) {
    Error refused = {0};
    Status loaded = load_resident(native, &refused);
    if (device_memory_refused(refused.opencl_code)) { /* less memory than the device says: other programs have it */
      release_all_buffers(native);
      again.streamed = true;
      again.device_memory_bytes = native->residence.budget_bytes;
      again.x_buffer_bytes = native->residence.data_bytes / FALLBACK_PARTS + 1;
      TRY(native_plan(&native->residence, native, &again, error));
      native->residence.fell_back = true;
    } else if (loaded != SETOSA_OK) {
      TRY(error_set_opencl(error, loaded, refused.opencl_code, "%s", refused.message));
    }
  }
  native->seconds_upload = clock_seconds() - start;
cleanup:
  return status;
}

/* What stays gets its new weights; what streams is brought again. */
Status native_reweigh(Backend *backend, const float *factors, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  TRY(reweigh_rows(native->reweighed, &backend->mean_weight, native->source, factors, error));
  for (size_t i = 0; i < native->buffer_count; i++) {
    RowBuffers *buffers = &native->buffers[i];
    TRY(buffer_write(buffers->weights, 0, buffers->count * sizeof(float), native->reweighed + buffers->begin, error));
  }
  for (int i = 0; i < NATIVE_STAGES; i++) native->stages[i].buffers.count = 0;
cleanup:
  return status;
}

void native_release_upload(Native *native) {
  release_all_buffers(native);
  for (int i = 0; i < NATIVE_STAGES; i++) {
    mark_destroy(native->stages[i].used);
    row_buffers_release(&native->stages[i].buffers);
  }
  free(native->scratch);
  target_room_free(&native->targets);
  synthesize_destroy(native->synthesizer);
}

/* ---- rows for a pass --------------------------------------------------------------------------------------------- */

/* As many of the rows as the buffers hold, whole units of them unless they hold all; 0: none. */
static size_t rows_held(const RowBuffers *buffers, RowRange rows, size_t unit) {
  if (rows.begin < buffers->begin || rows.begin >= buffers->begin + buffers->count) return 0;
  size_t held = buffers->begin + buffers->count - rows.begin;
  return held >= rows.count ? rows.count : held - held % unit;
}

/* Rows come from this stage now. What was enqueued by now may read the one before. */
static Status turn_to(Native *native, int stage, Error *error) {
  NativeStage *last = &native->stages[native->stage];
  if (stage == native->stage) return SETOSA_OK;
  native->stage = stage;
  mark_destroy(last->used);
  last->used = NULL;
  return context_mark(native->context, &last->used, error);
}

/* The other stage takes the rows as soon as the kernels that read it have run; those on the last one go on meanwhile. */
static Status load_stage(Native *native, RowBuffers **buffers, RowRange rows, size_t unit, Error *error) {
  Status status = SETOSA_OK;
  double start = clock_seconds();
  int stage = (native->stage + 1) % NATIVE_STAGES;
  NativeStage *next = &native->stages[stage];
  size_t capacity = native->residence.resident ? rows.count : native->residence.buffer_rows;
  size_t most = larger(capacity / unit, 1) * unit, count = smaller(rows.count, most);
  TRY(turn_to(native, stage, error));
  TRY(mark_wait(next->used, error));
  TRY(load_buffers(native, &next->buffers, rows.begin, count, larger(count, smaller(capacity, native->head.rows)), error));
  *buffers = &next->buffers;
  native->seconds_upload += clock_seconds() - start;
cleanup:
  return status;
}

Status native_rows(Native *native, const RowBuffers **out, RowRange rows, size_t unit, RowRange *range, Error *error) {
  Status status = SETOSA_OK;
  RowBuffers *buffers = NULL;
  size_t held = 0;
  if (native->residence.resident && range_contains(native->window, rows.begin)) {
    buffers = &native->buffers[(rows.begin - native->window.begin) / native->residence.buffer_rows];
    held = rows_held(buffers, rows, unit);
  }
  for (int i = 0; i < NATIVE_STAGES && held == 0; i++) { /* streamed; rows across two buffers, or of another device's window */
    buffers = &native->stages[i].buffers;
    held = rows_held(buffers, rows, unit);
    if (held > 0) TRY(turn_to(native, i, error)); /* else the next chunk would take the place of this one */
  }
  if (held == 0) { /* across two buffers a unit is enough; of another's rows many are brought together */
    size_t most = range_contains(native->window, rows.begin) ? unit : larger(unit, native->block_rows);
    RowRange wanted = {rows.begin, native->residence.resident ? smaller(rows.count, most) : rows.count};
    TRY(load_stage(native, &buffers, wanted, unit, error));
    held = rows_held(buffers, rows, unit);
  }
  *range = (RowRange){rows.begin - buffers->begin, held};
  *out = buffers;
cleanup:
  return status;
}

void native_append_storage(const Native *native, char *options, size_t size) {
  size_t used = strlen(options);
  if (native->sparse != NULL) {
    snprintf(options + used, size - used, " -DVALUES=%d -DTILE_CLASSES=%u%s",
             native->sparse->ones                         ? 0
             : native->plan.storage == SETOSA_STORAGE_F16 ? 2
                                                          : 1,
             native->sparse->tile, native->sparse->tile == native->sparse->stride ? " -DONE_TILE" : "");
    return;
  }
  if (native->plan.storage == SETOSA_STORAGE_F16) snprintf(options + used, size - used, " -DSTORAGE=1");
  /* Hexadecimal, so that the device multiplies by the very factor that the bytes were checked with. */
  if (native->plan.storage == SETOSA_STORAGE_U8)
    snprintf(options + used, size - used, " -DSTORAGE=2 -DX_SCALE=%af", (double)native->plan.scale);
}
