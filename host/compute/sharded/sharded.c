/* The sharded backend: its life, the dealing of rows to devices, and its vectors. */
#include "compute/sharded/sharded.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "compute/native/line.h"
#include "compute/native/upload.h"
#include "compute/native/vector.h"
#include "compute/tune/tune.h"

enum {
  SAMPLE_BYTES = 16 << 20, /* of X that a device is timed on: more than caches hold */
  SAMPLES = 3
};

static const double equal_rates = 1.25; /* rates no further apart are the noise of equal devices */

/* ---- vectors ---------------------------------------------------------------------------------------------------- */

static void sharded_vector_destroy(Backend *backend, Vector *vector) {
  Sharded *sharded = (Sharded *)backend;
  if (vector == NULL) return;
  for (size_t i = 0; i < sharded->member_count; i++) native_vector_destroy(&sharded->members[i].native->head, replica_of(vector, i));
  free(vector);
}

#define FOR_MEMBERS(call)                                \
  Status status = SETOSA_OK;                             \
  Sharded *sharded = (Sharded *)backend;                 \
  for (size_t i = 0; i < sharded->member_count; i++) {   \
    Backend *member = &sharded->members[i].native->head; \
    TRY(call);                                           \
  }                                                      \
  cleanup:                                               \
  return status

static Status create_replicas(Backend *backend, Replicas *made, Error *error) {
  FOR_MEMBERS(native_vector_create(member, &made->of[i], error));
}

static Status sharded_vector_create(Backend *backend, Vector **vector, Error *error) {
  Status status = SETOSA_OK;
  Replicas *made = NULL;
  *vector = NULL;
  TRY(memory_allocate_zero((void **)&made, 1, sizeof *made, "a vector", error));
  TRY(create_replicas(backend, made, error));
  *vector = (Vector *)made;
  made = NULL;
cleanup:
  sharded_vector_destroy(backend, (Vector *)made);
  return status;
}

static Status sharded_vector_read(Backend *backend, const Vector *vector, double *values, Error *error) {
  Status status = SETOSA_OK;
  Sharded *sharded = (Sharded *)backend;
  TRY(native_vector_read(&sharded->members[0].native->head, replica(vector, 0), values, error));
  TRY(ranks_broadcast(sharded->ranks, values, backend->parameters * sizeof *values, error));
cleanup:
  return status;
}

static Status sharded_vector_write(Backend *backend, Vector *vector, const double *values, Error *error) {
  FOR_MEMBERS(native_vector_write(member, replica_of(vector, i), values, error));
}

static Status sharded_vector_copy(Backend *backend, Vector *to, const Vector *from, Error *error) {
  FOR_MEMBERS(native_vector_copy(member, replica_of(to, i), replica(from, i), error));
}

static Status combine_replicas(const Sharded *sharded, Vector *out, size_t count, const double *coefficients, const Vector *const *vectors,
                               const Vector **own, Error *error) {
  Status status = SETOSA_OK;
  for (size_t i = 0; i < sharded->member_count; i++) {
    for (size_t n = 0; n < count; n++) own[n] = replica(vectors[n], i);
    TRY(native_vector_combine(&sharded->members[i].native->head, replica_of(out, i), count, coefficients, own, error));
  }
cleanup:
  return status;
}

static Status sharded_vector_combine(Backend *backend, Vector *out, size_t count, const double *coefficients, const Vector *const *vectors,
                                     Error *error) {
  Status status = SETOSA_OK;
  const Vector **own = NULL;
  TRY(memory_allocate((void **)&own, count, sizeof *own, "vectors", error));
  TRY(combine_replicas((const Sharded *)backend, out, count, coefficients, vectors, own, error));
cleanup:
  free(own);
  return status;
}

static Status sharded_vector_multiply(Backend *backend, Vector *out, const Vector *a, const Vector *b, Error *error) {
  FOR_MEMBERS(native_vector_multiply(member, replica_of(out, i), replica(a, i), replica(b, i), error));
}

static Status sharded_vector_prox(Backend *backend, Vector *out, const Vector *a, const Vector *steps, double step, double l1, double l2,
                                  Error *error) {
  FOR_MEMBERS(native_vector_prox(member, replica_of(out, i), replica(a, i), replica(steps, i), step, l1, l2, error));
}

static Status sharded_vector_divide_sqrt(Backend *backend, Vector *out, const Vector *a, const Vector *b, double epsilon, Error *error) {
  FOR_MEMBERS(native_vector_divide_sqrt(member, replica_of(out, i), replica(a, i), replica(b, i), epsilon, error));
}

static Status reweigh_members(Backend *backend, const float *factors, Error *error) { FOR_MEMBERS(native_reweigh(member, factors, error)); }

static Status sharded_reweigh(Backend *backend, const float *factors, Error *error) {
  Status status = reweigh_members(backend, factors, error);
  backend->mean_weight = ((Sharded *)backend)->members[0].native->head.mean_weight;
  return status;
}

/* ---- facts and end ---------------------------------------------------------------------------------------------- */

static void sharded_facts(const Backend *backend, BackendFacts *facts) {
  const Sharded *sharded = (const Sharded *)backend;
  backend_facts(&sharded->members[0].native->head, facts);
  size_t begin = sharded->windows[sharded->own].begin, end = begin;
  for (size_t i = 0; i < sharded->member_count; i++) {
    BackendFacts one;
    RowRange window = sharded->windows[sharded->own + i];
    if (window.count > 0) end = window.begin + window.count;
    if (i == 0) continue;
    backend_facts(&sharded->members[i].native->head, &one);
    facts->bytes_held += one.bytes_held;
    facts->flops += one.flops;
    facts->bytes_read += one.bytes_read;
    facts->seconds_upload += one.seconds_upload;
    facts->seconds_build += one.seconds_build;
    facts->fell_back = facts->fell_back || one.fell_back;
    if (facts->chunk_rows == 0) facts->chunk_rows = one.chunk_rows;
    facts->storage_rms_error = fmax(facts->storage_rms_error, one.storage_rms_error);
    facts->storage_largest_error = fmax(facts->storage_largest_error, one.storage_largest_error);
  }
  facts->leads = ranks_rank(sharded->ranks) == 0;
  facts->local = (RowRange){begin, end - begin};
  facts->devices = sharded->member_count;
  facts->device_rows = sharded->windows + sharded->own;
  facts->tuning = sharded->tuning_text;
  facts->seconds_tune = sharded->seconds_tune;
}

static void sharded_close(Backend *backend) {
  Sharded *sharded = (Sharded *)backend;
  if (sharded->head.operations != NULL) line_release_point(&sharded->line, backend);
  for (size_t i = 0; i < sharded->member_count; i++) {
    buffer_destroy(sharded->members[i].gathered);
    if (sharded->members[i].native != NULL) backend_close(&sharded->members[i].native->head);
  }
  free(sharded->rank_begin);
  free(sharded->windows);
  free(sharded->exchange.at);
  free(sharded->packed.at);
  free(sharded->received.at);
  free(sharded->sums);
  free(sharded);
}

static const BackendOperations sharded_operations = {
    .close = sharded_close,
    .vector_create = sharded_vector_create,
    .vector_destroy = sharded_vector_destroy,
    .vector_read = sharded_vector_read,
    .vector_write = sharded_vector_write,
    .vector_copy = sharded_vector_copy,
    .vector_combine = sharded_vector_combine,
    .vector_dots = sharded_vector_dots,
    .vector_multiply = sharded_vector_multiply,
    .vector_divide_sqrt = sharded_vector_divide_sqrt,
    .vector_prox = sharded_vector_prox,
    .evaluate = sharded_evaluate,
    .hessian_product = sharded_hessian_product,
    .predict = sharded_predict,
    .labels = sharded_labels,
    .line_open = sharded_line_open,
    .line_evaluate = sharded_line_evaluate,
    .line_close = sharded_line_close,
    .metric_create = sharded_metric_create,
    .metric_apply = sharded_metric_apply,
    .metric_destroy = sharded_metric_destroy,
    .gram = sharded_gram,
    .broadcast = sharded_broadcast,
    .reweigh = sharded_reweigh,
    .facts = sharded_facts,
};

/* ---- opening ---------------------------------------------------------------------------------------------------- */

/* So many first rows that X of them takes `bytes`. */
static RowRange sample_of(const Dataset *dataset, size_t bytes) {
  DataShape shape = dataset_shape(dataset);
  return range_next(0, shape.rows, (size_t)((double)shape.rows * (double)bytes / sizeof(float) / ((double)shape.entries + 1)) + 1);
}

/* Settings of one device. */
static BackendSettings member_settings(const BackendSettings *settings, size_t member) {
  BackendSettings own = *settings;
  own.kind = SETOSA_BACKEND_NATIVE;
  own.context = settings->context_count > 0 ? settings->contexts[member] : settings->context;
  own.context_count = 0;
  own.ranks = NULL;
  return own;
}

/* Tiles are tuned on the first device of rank 0 and are the same everywhere, as the bits must be: on tensor cores only if all have some. */
static Status choose_shape(Sharded *sharded, NativeShape *shape, const Dataset *dataset, const BackendSettings *settings, Error *error) {
  enum { TUNED_BYTES = 80 << 20 }; /* what a search is worth for */
  Status status = SETOSA_OK;
  Backend *sample = NULL;
  Dataset *view = NULL;
  DataShape data = dataset_shape(dataset);
  BackendSettings own = member_settings(settings, 0);
  bool lacking = false;
  for (size_t i = 0; i < (settings->context_count > 0 ? settings->context_count : 1); i++)
    lacking = lacking || !context_traits(member_settings(settings, i).context)->tensor_cores;
  TRY(ranks_any(sharded->ranks, lacking, &own.no_tensor_cores, error));
  bool tunes = data.kind == DATA_DENSE && settings->tuning != SETOSA_TUNING_OFF && !settings->reproducible &&
               tune_is_worth_it(data.rows, data.features, data.classes);
  if (ranks_rank(sharded->ranks) == 0) {
    TRY(dataset_slice(&view, dataset, tunes ? sample_of(dataset, TUNED_BYTES) : (RowRange){0, 1}, error));
    TRY(tuned_open(&sample, view, &own, error));
    *shape = ((const Native *)sample)->shape;
    memcpy(sharded->tuning_text, ((const Native *)sample)->tuning.text, sizeof sharded->tuning_text);
    sharded->seconds_tune = ((const Native *)sample)->tuning.seconds;
  }
  TRY(ranks_broadcast(sharded->ranks, shape, sizeof *shape, error));
cleanup:
  backend_close(sample);
  setosa_dataset_destroy(view);
  return status;
}

/* Rows a second of one device, of loss and gradient. */
static Status measure_rate(double *rate, const Dataset *dataset, const BackendSettings *settings, const NativeShape *shape, Error *error) {
  Status status = SETOSA_OK;
  Native *native = NULL;
  Backend *backend = NULL;
  Vector *w = NULL, *gradient = NULL;
  Dataset *view = NULL;
  RowRange rows = sample_of(dataset, SAMPLE_BYTES);
  double best = INFINITY;
  TRY(dataset_slice(&view, dataset, rows, error));
  TRY(native_open_window(&native, view, settings, rows, shape, error));
  backend = &native->head;
  TRY(vector_create(backend, &w, error));
  TRY(vector_create(backend, &gradient, error));
  for (int i = 0; i <= SAMPLES; i++) { /* the first builds the kernels */
    DataTerm ignored = {.pair_count = 0};
    double began = clock_seconds();
    TRY(backend_evaluate(backend, w, backend_all_rows(backend), NULL, gradient, &ignored, error));
    if (i > 0) best = fmin(best, clock_seconds() - began);
  }
  *rate = (double)rows.count / fmax(best, 1e-9);
cleanup:
  if (backend != NULL) {
    vector_destroy(backend, w);
    vector_destroy(backend, gradient);
  }
  backend_close(backend);
  setosa_dataset_destroy(view);
  return status;
}

/* What a rank tells the others before the rows are dealt. */
typedef struct Offer {
  uint64_t devices, cpu_family;
  double rates[BACKEND_MOST_DEVICES];
} Offer;

/* Offers of all ranks, in their order; rank_begin from them. */
static Status gather_offers(Sharded *sharded, Offer **offers, const Offer *own, Error *error) {
  Status status = SETOSA_OK;
  size_t ranks = ranks_size(sharded->ranks), *sizes = NULL;
  TRY(memory_allocate((void **)offers, ranks, sizeof **offers, "what ranks offer", error));
  TRY(memory_allocate((void **)&sizes, ranks, sizeof *sizes, "what ranks offer", error));
  TRY(memory_allocate_zero((void **)&sharded->rank_begin, ranks + 1, sizeof *sharded->rank_begin, "what ranks offer", error));
  for (size_t i = 0; i < ranks; i++) sizes[i] = sizeof **offers;
  (*offers)[ranks_rank(sharded->ranks)] = *own;
  TRY(ranks_allgather(sharded->ranks, *offers, sizes, error));
  for (size_t i = 0; i < ranks; i++) {
    sharded->rank_begin[i + 1] = sharded->rank_begin[i] + (size_t)(*offers)[i].devices;
    if ((*offers)[i].cpu_family != own->cpu_family)
      TRY(error_set(error, SETOSA_ERROR_USAGE,
                    "rank %zu has a device of another kind than rank %zu, and CPU and GPU kernels cut rows in different ways; choose "
                    "--device so that all are of one kind, or say --family for all",
                    i, ranks_rank(sharded->ranks)));
  }
  sharded->devices = sharded->rank_begin[ranks];
  sharded->own = sharded->rank_begin[ranks_rank(sharded->ranks)];
cleanup:
  free(sizes);
  return status;
}

/* Whole shards to every device, in proportion to its rate. */
static Status deal_rows(Sharded *sharded, const Offer *offers, const Cut *cut, Error *error) {
  Status status = SETOSA_OK;
  double total = 0, before = 0, slowest = INFINITY, fastest = 0;
  size_t device = 0;
  TRY(memory_allocate_zero((void **)&sharded->windows, sharded->devices, sizeof *sharded->windows, "the rows of devices", error));
  for (size_t rank = 0; rank < ranks_size(sharded->ranks); rank++)
    for (size_t i = 0; i < offers[rank].devices; i++) {
      slowest = fmin(slowest, offers[rank].rates[i]);
      fastest = fmax(fastest, offers[rank].rates[i]);
    }
  bool equal = !(fastest > equal_rates * slowest);
  for (size_t rank = 0; rank < ranks_size(sharded->ranks); rank++)
    for (size_t i = 0; i < offers[rank].devices; i++) total += equal ? 1 : offers[rank].rates[i];
  for (size_t rank = 0; rank < ranks_size(sharded->ranks); rank++)
    for (size_t i = 0; i < offers[rank].devices; i++, device++) {
      double after = before + (equal ? 1 : offers[rank].rates[i]) / total;
      size_t first = (size_t)llround((double)cut->shards * before), last = (size_t)llround((double)cut->shards * after);
      if (device + 1 == sharded->devices || last > cut->shards) last = cut->shards;
      sharded->windows[device] = (RowRange){cut->rows, 0};
      if (last > first) sharded->windows[device] = cut_rows(cut, (ShardRange){first, last - first});
      before = after;
    }
  /* Those without a shard begin where the next one with some does, so that windows are in order. */
  for (size_t i = sharded->devices - 1; i-- > 0;)
    if (sharded->windows[i].count == 0) sharded->windows[i].begin = sharded->windows[i + 1].begin;
cleanup:
  return status;
}

static Status open_members(Sharded *sharded, const Dataset *dataset, const BackendSettings *settings, const NativeShape *shape,
                           Error *error) {
  Status status = SETOSA_OK;
  bool misfit = false;
  for (size_t i = 0; i < sharded->member_count; i++) {
    BackendSettings own = member_settings(settings, i);
    RowRange window = sharded->windows[sharded->own + i];
    TRY(native_open_window(&sharded->members[i].native, dataset, &own, window, shape, error));
    misfit = misfit || (window.count > 0 && !native_line_fits(sharded->members[i].native));
  }
  TRY(ranks_any(sharded->ranks, misfit, &misfit, error));
  sharded->line_fits = !misfit;
cleanup:
  return status;
}

Status sharded_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  Sharded *sharded = NULL;
  NativeShape shape = {0};
  Native *pattern = NULL;
  Offer *offers = NULL, own = {0};
  size_t members = settings->context_count > 0 ? settings->context_count : 1;
  DataShape data = dataset_shape(dataset);
  *backend = NULL;
  TRY(memory_allocate_zero((void **)&sharded, 1, sizeof *sharded, "a backend", error));
  sharded->ranks = settings->ranks;
  sharded->fast = settings->fast_reduce;
  TRY(choose_shape(sharded, &shape, dataset, settings, error));
  /* One without rows tells how they are cut. */
  BackendSettings first = member_settings(settings, 0);
  TRY(native_open_window(&pattern, dataset, &first, (RowRange){0, 0}, &shape, error));
  sharded->head = pattern->head;
  sharded->head.operations = &sharded_operations;
  own.devices = members;
  own.cpu_family = pattern->family == SETOSA_FAMILY_CPU;
  bool timed = settings->rates == NULL && data.entries >= SAMPLE_BYTES / sizeof(float);
  for (size_t i = 0; i < members; i++) {
    BackendSettings member = member_settings(settings, i);
    own.rates[i] = settings->rates != NULL ? settings->rates[i] : 1;
    if (timed) TRY(measure_rate(&own.rates[i], dataset, &member, &shape, error));
  }
  TRY(gather_offers(sharded, &offers, &own, error));
  Cut cut = native_cut(pattern, data.rows);
  TRY(deal_rows(sharded, offers, &cut, error));
  sharded->member_count = members;
  TRY(open_members(sharded, dataset, settings, &shape, error));
  *backend = &sharded->head;
  sharded = NULL;
cleanup:
  free(offers);
  if (pattern != NULL) backend_close(&pattern->head);
  if (sharded != NULL) sharded_close(&sharded->head);
  return status;
}
