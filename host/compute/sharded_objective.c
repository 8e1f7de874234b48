/* Loss, gradient, Hessian products and lines of the sharded backend: every device works on its shards at the same time, what they leave is
 * gathered, and every device adds all of it up in the order of the shards. */
#include "compute/sharded.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static size_t divide_up(size_t count, size_t size) { return (count + size - 1) / size; }

/* What one kind of work does on one member; it leaves `slabs` slabs and `pairs` pairs. */
typedef struct Task {
  Status (*run)(Sharded *sharded, size_t member, const struct Task *task, Error *error);
  const Vector *w, *v;
  Pass pass; /* but for what differs from device to device */
  double step;
} Task;

/* Where everything lies in `exchange`: of every device the sums of its shards, set after set, and then their slabs. */
typedef struct Layout {
  const Cut *cut;
  size_t sets;  /* of sums: losses; losses and slopes: 2 */
  size_t slabs; /* of a shard, 0 without a gradient */
  size_t vector_bytes;
} Layout;

/* The shards of a pass over rows [first, first + cut->rows) that begin in a device's window; nobody's before the first window are the first
 * device's. A batch mostly lies in one window; where a shard straddles, its device brings the other rows in. */
static size_t first_shard(const Sharded *sharded, const Cut *cut, size_t first, size_t device) {
  size_t shard_rows = cut->per_shard * cut->share_rows;
  if (device == 0) return 0;
  if (device == sharded->devices) return cut->shards;
  size_t begin = sharded->windows[device].begin;
  size_t shard = begin <= first ? 0 : divide_up(begin - first, shard_rows);
  return shard < cut->shards ? shard : cut->shards;
}

static ShardRange device_shards(const Sharded *sharded, const Cut *cut, size_t first, size_t device) {
  size_t from = first_shard(sharded, cut, first, device), to = first_shard(sharded, cut, first, device + 1);
  return (ShardRange){from, to > from ? to - from : 0};
}

static size_t sum_bytes(const Layout *layout, ShardRange shards) { return layout->sets * shards.count * sizeof(ShardSum); }
static size_t slab_bytes(const Layout *layout, ShardRange shards) { return shards.count * layout->slabs * layout->vector_bytes; }
static size_t device_bytes(const Layout *layout, ShardRange shards) { return sum_bytes(layout, shards) + slab_bytes(layout, shards); }

static Status reserve_exchange(Sharded *sharded, size_t bytes, Error *error) {
  if (bytes <= sharded->exchange_bytes) return SETOSA_OK;
  free(sharded->exchange);
  sharded->exchange = NULL;
  sharded->exchange_bytes = 0;
  Status status = memory_allocate((void **)&sharded->exchange, bytes, 1, "partial gradients of all devices", error);
  if (status == SETOSA_OK) sharded->exchange_bytes = bytes;
  return status;
}

/* ---- every member at once --------------------------------------------------------------------------------------- */

typedef struct Thread {
  pthread_t id;
  bool started;
  Sharded *sharded;
  size_t member;
  const Task *task;
  Status status;
  Error error;
} Thread;

static void *run_thread(void *argument) {
  Thread *thread = argument;
  thread->status = thread->task->run(thread->sharded, thread->member, thread->task, &thread->error);
  return NULL;
}

/* Work is enqueued and goes on meanwhile, so that one thread serves many devices; but loading a chunk waits, and each has its own then. */
static bool wants_threads(const Sharded *sharded) {
  bool streams = false;
  for (size_t i = 0; i < sharded->member_count; i++) streams = streams || !sharded->members[i].native->residence.resident;
  return streams && sharded->member_count > 1;
}

static Status run_members(Sharded *sharded, const Task *task, Error *error) {
  Status status = SETOSA_OK;
  Thread *threads = NULL;
  if (!wants_threads(sharded)) {
    for (size_t i = 0; i < sharded->member_count; i++) TRY(task->run(sharded, i, task, error));
    return SETOSA_OK;
  }
  TRY(memory_allocate_zero((void **)&threads, sharded->member_count, sizeof *threads, "threads", error));
  for (size_t i = 0; i < sharded->member_count; i++) {
    threads[i] = (Thread){.sharded = sharded, .member = i, .task = task};
    threads[i].started = pthread_create(&threads[i].id, NULL, run_thread, &threads[i]) == 0;
    if (!threads[i].started) run_thread(&threads[i]); /* no more threads: one after another */
  }
  for (size_t i = 0; i < sharded->member_count; i++) {
    if (threads[i].started) pthread_join(threads[i].id, NULL);
    if (threads[i].status != SETOSA_OK && status == SETOSA_OK)
      status = error_set_opencl(error, threads[i].status, threads[i].error.opencl_code, "%s", threads[i].error.message);
  }
cleanup:
  free(threads);
  return status;
}

/* ---- gathering -------------------------------------------------------------------------------------------------- */

/* One set of pairs from where they lie on the device, as sums of shards to `to`. */
static Status read_sums(Native *native, const Buffer *from, const Cut *cut, ShardRange shards, char *to, Error *error) {
  Status status = SETOSA_OK;
  ShardSum *sums = NULL;
  size_t pairs = cut_shares(cut, shards).count * cut->losses;
  TRY(memory_allocate((void **)&sums, shards.count, sizeof *sums, "the sums of shards", error));
  TRY(buffer_read(from, 0, pairs * sizeof(SumPair), native->sums_host, error));
  shard_sums(sums, cut, shards, native->sums_host);
  memcpy(to, sums, shards.count * sizeof *sums);
cleanup:
  free(sums);
  return status;
}

static Status read_member(Native *native, const Layout *layout, ShardRange shards, char *to, Error *error) {
  Status status = SETOSA_OK;
  size_t set_bytes = shards.count * sizeof(ShardSum);
  const Buffer *slabs = layout->cut->per_shard > 1 ? native->folded : native->slabs;
  if (layout->sets > 0) TRY(read_sums(native, native->sums, layout->cut, shards, to, error));
  if (layout->sets > 1) TRY(read_sums(native, native->slabs, layout->cut, shards, to + set_bytes, error));
  if (layout->slabs > 0) TRY(buffer_read(slabs, 0, slab_bytes(layout, shards), to + sum_bytes(layout, shards), error));
cleanup:
  return status;
}

/* The sum of a set over all shards, in their order. */
static double add_sums(const Sharded *sharded, const Layout *layout, size_t first_row, size_t set) {
  const char *at = sharded->exchange;
  ShardSum all = {0, 0}, one;
  for (size_t device = 0; device < sharded->devices; device++) {
    ShardRange shards = device_shards(sharded, layout->cut, first_row, device);
    for (size_t i = 0; i < shards.count; i++) {
      memcpy(&one, at + (set * shards.count + i) * sizeof one, sizeof one); /* what lies before it may be an odd number of floats */
      shard_sum_add(&all, one);
    }
    at += device_bytes(layout, shards);
  }
  return all.high + all.low;
}

/* Every device has its part in `exchange` afterwards, on every rank. */
static Status exchange_all(Sharded *sharded, const Task *task, const Layout *layout, Error *error) {
  Status status = SETOSA_OK;
  size_t ranks = ranks_count(sharded->ranks), bytes = 0, *sizes = NULL;
  TRY(memory_allocate_zero((void **)&sizes, ranks, sizeof *sizes, "the sizes of an exchange", error));
  for (size_t rank = 0; rank < ranks; rank++) {
    for (size_t device = sharded->rank_begin[rank]; device < sharded->rank_begin[rank + 1]; device++)
      sizes[rank] += device_bytes(layout, device_shards(sharded, layout->cut, task->pass.first_row, device));
    bytes += sizes[rank];
  }
  TRY(reserve_exchange(sharded, bytes, error));
  TRY(run_members(sharded, task, error));
  char *to = sharded->exchange;
  for (size_t device = 0; device < sharded->own + sharded->member_count; device++) {
    ShardRange shards = device_shards(sharded, layout->cut, task->pass.first_row, device);
    if (device >= sharded->own && shards.count > 0) {
      TRY(read_member(sharded->members[device - sharded->own].native, layout, shards, to, error));
    }
    to += device_bytes(layout, shards);
  }
  TRY(ranks_gather(sharded->ranks, sharded->exchange, sizes, error));
cleanup:
  free(sizes);
  return status;
}

/* Slabs of all shards onto every member, and its sum. */
static Status finish_everywhere(Sharded *sharded, const Layout *layout, size_t first_row, Vector *out, const Vector *of, Error *error) {
  Status status = SETOSA_OK;
  size_t slabs = layout->cut->shards * layout->slabs;
  for (size_t i = 0; i < sharded->member_count; i++) {
    Member *member = &sharded->members[i];
    const char *from = sharded->exchange;
    size_t to = 0;
    TRY(native_reserve(member->native, &member->gathered, slabs * layout->vector_bytes, "partial gradients of all devices", error));
    for (size_t device = 0; device < sharded->devices; device++) {
      ShardRange shards = device_shards(sharded, layout->cut, first_row, device);
      size_t bytes = slab_bytes(layout, shards);
      if (bytes > 0) TRY(buffer_write(member->gathered, to, bytes, from + sum_bytes(layout, shards), error));
      to += bytes;
      from += device_bytes(layout, shards);
    }
    TRY(native_enqueue_finish(member->native, replica_of(out, i), member->gathered, slabs, replica(of, i), error));
  }
cleanup:
  return status;
}

/* The same by MPI_Allreduce in doubles: what goes round is one gradient, whatever the number of shards. Only this rank's parts were read.
 */
static Status reduce_fast(Sharded *sharded, const Task *task, const Layout *layout, Vector *out, const Vector *of, double *loss,
                          Error *error) {
  Status status = SETOSA_OK;
  size_t parameters = sharded->head.parameters;
  float *halves = NULL;
  if (sharded->sums == NULL)
    TRY(memory_allocate((void **)&sharded->sums, parameters + 1, sizeof *sharded->sums, "the sums of the gradient", error));
  memset(sharded->sums, 0, (parameters + 1) * sizeof *sharded->sums);
  TRY(run_members(sharded, task, error));
  for (size_t m = 0; m < sharded->member_count; m++) {
    ShardRange shards = device_shards(sharded, layout->cut, task->pass.first_row, sharded->own + m);
    Native *native = sharded->members[m].native;
    if (shards.count == 0) continue;
    TRY(reserve_exchange(sharded, device_bytes(layout, shards), error));
    TRY(read_member(native, layout, shards, sharded->exchange, error));
    const char *slabs = sharded->exchange + sum_bytes(layout, shards); /* 16 bytes a shard: aligned for floats */
    for (size_t n = 0; n < shards.count * layout->slabs; n++) {
      const float *slab = (const float *)(const void *)slabs + n * parameters;
      for (size_t p = 0; p < parameters; p++) sharded->sums[p] += slab[p];
    }
    for (size_t i = 0; i < shards.count && layout->sets > 0; i++) {
      ShardSum one;
      memcpy(&one, sharded->exchange + i * sizeof one, sizeof one);
      sharded->sums[parameters] += one.high + one.low;
    }
  }
  TRY(ranks_sum(sharded->ranks, sharded->sums, parameters + 1, error));
  *loss = sharded->sums[parameters];
  if (out == NULL) goto cleanup;
  TRY(memory_allocate((void **)&halves, 2 * parameters, sizeof *halves, "the gradient", error));
  for (size_t p = 0; p < parameters; p++) {
    halves[p] = (float)sharded->sums[p];
    halves[parameters + p] = (float)(sharded->sums[p] - halves[p]);
  }
  for (size_t i = 0; i < sharded->member_count; i++) {
    Member *member = &sharded->members[i];
    TRY(native_reserve(member->native, &member->gathered, 2 * layout->vector_bytes, "partial gradients of all devices", error));
    TRY(buffer_write(member->gathered, 0, 2 * layout->vector_bytes, halves, error));
    TRY(native_enqueue_finish(member->native, replica_of(out, i), member->gathered, 2, replica(of, i), error));
  }
cleanup:
  free(halves);
  return status;
}

/* ---- passes ----------------------------------------------------------------------------------------------------- */

static Status run_pass(Sharded *sharded, size_t member, const Task *task, Error *error) {
  Pass pass = task->pass;
  PassResult ignored; /* what slabs, folded and sums of the native hold is known from the cut */
  pass.shards = device_shards(sharded, &pass.cut, pass.first_row, sharded->own + member);
  pass.w = replica(task->w, member);
  pass.v = replica(task->v, member);
  if (pass.shards.count == 0) return SETOSA_OK;
  Status status = native_enqueue_pass(sharded->members[member].native, &pass, &ignored, error);
  return status != SETOSA_OK ? status : context_flush(sharded->members[member].native->context, error);
}

/* *loss: the sum over the rows. */
static Status pass_everywhere(Sharded *sharded, const Vector *w, const Vector *v, RowRange rows, Vector *out, double *loss, Error *error) {
  Status status = SETOSA_OK;
  Cut cut = native_cut(sharded->members[0].native, rows.count);
  Task task = {.run = run_pass, .w = w, .v = v, .pass = {.first_row = rows.begin, .cut = cut, .want_gradient = out != NULL}};
  Layout layout = {.cut = &cut,
                   .sets = v == NULL,
                   .slabs = out != NULL ? cut_shard_slabs(&cut) : 0,
                   .vector_bytes = sharded->head.parameters * sizeof(float)};
  if (sharded->fast) return reduce_fast(sharded, &task, &layout, out, v == NULL ? w : v, loss, error);
  TRY(exchange_all(sharded, &task, &layout, error));
  if (v == NULL) *loss = add_sums(sharded, &layout, rows.begin, 0);
  if (out != NULL) TRY(finish_everywhere(sharded, &layout, rows.begin, out, v == NULL ? w : v, error));
cleanup:
  return status;
}

/* Norm and penalty are rank 0's: what an optimizer decides by must be the same everywhere. */
static Status read_norms(Sharded *sharded, const Vector *w, const Vector *gradient, double *penalty, double *norm, Error *error) {
  Status status = SETOSA_OK;
  Native *native = sharded->members[0].native;
  size_t weights = native->head.parameters - native->head.classes;
  uint32_t norms = native_vector_groups(native, native->head.parameters), penalties = native_vector_groups(native, weights);
  double values[2] = {0, NAN};
  TRY(native_reserve_sums(native, (size_t)norms + penalties, error));
  if (gradient != NULL) TRY(native_enqueue_max_abs(native, replica(gradient, 0), 0, error));
  TRY(native_enqueue_dot(native, replica(w, 0), replica(w, 0), weights, norms, error));
  TRY(native_read_sums(native, (size_t)norms + penalties, error));
  values[0] = 0.5 * sharded->head.l2 * native_sum(native, norms, penalties);
  if (gradient != NULL) values[1] = native_max(native, 0, norms);
  TRY(ranks_share(sharded->ranks, values, sizeof values, error));
  *penalty = values[0];
  *norm = values[1];
cleanup:
  return status;
}

Status sharded_evaluate(Backend *backend, const Vector *w, RowRange rows, Vector *gradient, Evaluation *evaluation, Error *error) {
  Status status = SETOSA_OK;
  Sharded *sharded = (Sharded *)backend;
  double loss = NAN;
  TRY(native_check_rows(sharded->members[0].native, rows, true, error));
  TRY(pass_everywhere(sharded, w, NULL, rows, gradient, &loss, error));
  if (evaluation == NULL) goto cleanup;
  evaluation->loss = loss / (double)rows.count;
  TRY(read_norms(sharded, w, gradient, &evaluation->penalty, &evaluation->gradient_norm, error));
  evaluation->objective = evaluation->loss + evaluation->penalty;
cleanup:
  return status;
}

Status sharded_hessian_product(Backend *backend, const Vector *w, const Vector *v, RowRange rows, Vector *out, Error *error) {
  Status status = SETOSA_OK;
  Sharded *sharded = (Sharded *)backend;
  double ignored = 0;
  TRY(native_check_rows(sharded->members[0].native, rows, false, error));
  TRY(pass_everywhere(sharded, w, v, rows, out, &ignored, error));
cleanup:
  return status;
}

Status sharded_predict(Backend *backend, const Vector *w, RowRange rows, RowScores kind, float *scores, Error *error) {
  Status status = SETOSA_OK;
  Sharded *sharded = (Sharded *)backend;
  size_t done = 0;
  TRY(native_check_rows(sharded->members[0].native, rows, false, error));
  for (size_t i = 0; i < sharded->member_count && done < rows.count; i++) {
    RowRange window = sharded->windows[sharded->own + i];
    size_t begin = rows.begin + done, end = window.begin + window.count;
    if (begin < window.begin || begin >= end) continue;
    RowRange piece = {begin, end - begin < rows.count - done ? end - begin : rows.count - done};
    TRY(native_predict(&sharded->members[i].native->head, replica(w, i), piece, kind, scores + done * backend->classes, error));
    done += piece.count;
  }
  if (done < rows.count)
    TRY(error_set(error, SETOSA_ERROR_INTERNAL, "scores of rows %zu to %zu were asked for, which another rank has", rows.begin + done,
                  rows.begin + rows.count));
cleanup:
  return status;
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

static Status run_line_open(Sharded *sharded, size_t member, const Task *task, Error *error) {
  Native *native = sharded->members[member].native;
  if (native->window.count == 0) return SETOSA_OK;
  Status status = native_enqueue_line(native, replica(task->w, member), replica(task->v, member), error);
  return status != SETOSA_OK ? status : context_flush(native->context, error);
}

static Status run_line_point(Sharded *sharded, size_t member, const Task *task, Error *error) {
  Native *native = sharded->members[member].native;
  size_t ignored = 0;
  if (native->window.count == 0) return SETOSA_OK;
  Status status = native_enqueue_line_point(native, task->step, &ignored, error);
  return status != SETOSA_OK ? status : context_flush(native->context, error);
}

Status sharded_line_open(Backend *backend, const Vector *w, const Vector *s, Error *error) {
  Status status = SETOSA_OK;
  Sharded *sharded = (Sharded *)backend;
  Line *line = &sharded->line, first = {.w = replica(w, 0), .s = replica(s, 0)};
  Task task = {.run = run_line_open, .w = w, .v = s};
  TRY(native_check_rows(sharded->members[0].native, backend_all_rows(backend), true, error));
  line->w = w;
  line->s = s;
  if (sharded->line_fits)
    TRY(run_members(sharded, &task, error));
  else
    TRY(line_reserve_point(line, backend, error));
  TRY(native_line_penalty(sharded->members[0].native, &first, error));
  double products[] = {first.ww, first.ws, first.ss};
  TRY(ranks_share(sharded->ranks, products, sizeof products, error));
  line->ww = products[0];
  line->ws = products[1];
  line->ss = products[2];
cleanup:
  return status;
}

Status sharded_line_evaluate(Backend *backend, double step, double *value, double *slope, Error *error) {
  Status status = SETOSA_OK;
  Sharded *sharded = (Sharded *)backend;
  Cut cut = native_cut(sharded->members[0].native, backend->rows);
  Task task = {.run = run_line_point, .pass = {.cut = cut}, .step = step};
  Layout layout = {.cut = &cut, .sets = 2};
  if (sharded->line.w == NULL) return error_set(error, SETOSA_ERROR_INTERNAL, "a line was evaluated before it was opened");
  if (!sharded->line_fits) return line_read_point(&sharded->line, backend, step, value, slope, error);
  TRY(exchange_all(sharded, &task, &layout, error));
  *value = add_sums(sharded, &layout, 0, 0) / (double)backend->rows;
  *slope = add_sums(sharded, &layout, 0, 1) / (double)backend->rows;
  line_add_penalty(&sharded->line, backend->l2, step, value, slope);
cleanup:
  return status;
}

void sharded_line_close(Backend *backend) {
  Line *line = &((Sharded *)backend)->line;
  line->w = line->s = NULL;
}
