/* What goes between devices: every member works at the same time, and what they leave is gathered on every rank and added up on every
 * device in the order of the shards. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "compute/sharded/sharded.h"

static size_t divide_up(size_t count, size_t size) { return (count + size - 1) / size; }

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

ShardRange device_shards(const Sharded *sharded, const Cut *cut, size_t first, size_t device) {
  size_t from = first_shard(sharded, cut, first, device), to = first_shard(sharded, cut, first, device + 1);
  return (ShardRange){from, to > from ? to - from : 0};
}

Status scratch_reserve(Scratch *scratch, size_t bytes, Error *error) {
  if (bytes <= scratch->bytes) return SETOSA_OK;
  free(scratch->at);
  *scratch = (Scratch){0};
  Status status = memory_allocate((void **)&scratch->at, bytes, 1, "partial gradients of all devices", error);
  if (status == SETOSA_OK) scratch->bytes = bytes;
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

Status run_members(Sharded *sharded, const Task *task, Error *error) {
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

Status read_member(Native *native, const Layout *layout, ShardRange shards, char *to, Error *error) {
  Status status = SETOSA_OK;
  size_t set_bytes = shards.count * sizeof(ShardSum);
  const Buffer *partials = layout->cut->per_shard > 1 ? native->folded : native->partials;
  bool both = layout->sets > 0 && layout->partials > 0;
  if (layout->partials > 0)
    TRY((both ? buffer_read_later : buffer_read)(partials, 0, partial_bytes(layout, shards), to + sum_bytes(layout, shards), error));
  if (layout->sets > 0) TRY(read_sums(native, native->sums, layout->cut, shards, to, error));
  if (layout->sets > 1) TRY(read_sums(native, native->partials, layout->cut, shards, to + set_bytes, error));
cleanup:
  if (status != SETOSA_OK) context_drain(native->context); /* nothing is written to `to` any more */
  return status;
}

/* The sum of a set over all shards, in their order. */
double add_sums(const Sharded *sharded, const Layout *layout, size_t first_row, size_t set) {
  const char *at = sharded->exchange.at;
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
Status exchange_all(Sharded *sharded, const Task *task, const Layout *layout, Error *error) {
  Status status = SETOSA_OK;
  size_t ranks = ranks_size(sharded->ranks), bytes = 0, *sizes = NULL;
  TRY(memory_allocate_zero((void **)&sizes, ranks, sizeof *sizes, "the sizes of an exchange", error));
  for (size_t rank = 0; rank < ranks; rank++) {
    for (size_t device = sharded->rank_begin[rank]; device < sharded->rank_begin[rank + 1]; device++)
      sizes[rank] += device_bytes(layout, device_shards(sharded, layout->cut, task->pass.first_row, device));
    bytes += sizes[rank];
  }
  TRY(scratch_reserve(&sharded->exchange, bytes, error));
  TRY(run_members(sharded, task, error));
  char *to = sharded->exchange.at;
  for (size_t device = 0; device < sharded->own + sharded->member_count; device++) {
    ShardRange shards = device_shards(sharded, layout->cut, task->pass.first_row, device);
    if (device >= sharded->own && shards.count > 0) {
      TRY(read_member(sharded->members[device - sharded->own].native, layout, shards, to, error));
    }
    to += device_bytes(layout, shards);
  }
  TRY(ranks_allgather(sharded->ranks, sharded->exchange.at, sizes, error));
cleanup:
  free(sizes);
  return status;
}

Status finish_member(Sharded *sharded, size_t member, const Finish *finish, size_t partial_count, Error *error) {
  Addition addition = {.l2 = 0};
  if (finish->addition != NULL)
    addition = (Addition){finish->addition->l2, replica(finish->addition->factors, member), replica(finish->addition->linear, member)};
  Finish own = {.out = replica_of(finish->out, member), .of = replica(finish->of, member), .addition = &addition};
  own.norm = finish->norm && member == 0;
  if (own.norm) { /* the losses have been read */
    Status status = native_reserve_sums(sharded->members[0].native, native_norms(sharded->members[0].native), error);
    if (status != SETOSA_OK) return status;
  }
  return native_enqueue_finish(sharded->members[member].native, &own, sharded->members[member].gathered, partial_count, error);
}

/* Partials of all shards onto every member, and its sum. */
Status finish_everywhere(Sharded *sharded, const Layout *layout, size_t first_row, const Finish *finish, Error *error) {
  Status status = SETOSA_OK;
  size_t partials = layout->cut->shards * layout->partials;
  for (size_t i = 0; i < sharded->member_count; i++) {
    Member *member = &sharded->members[i];
    const char *from = sharded->exchange.at;
    size_t to = 0;
    TRY(native_reserve(member->native, &member->gathered, partials * layout->vector_bytes, "partial gradients of all devices", error));
    for (size_t device = 0; device < sharded->devices; device++) {
      ShardRange shards = device_shards(sharded, layout->cut, first_row, device);
      size_t bytes = partial_bytes(layout, shards);
      if (bytes > 0) TRY(buffer_write(member->gathered, to, bytes, from + sum_bytes(layout, shards), error));
      to += bytes;
      from += device_bytes(layout, shards);
    }
    TRY(finish_member(sharded, i, finish, partials, error));
  }
cleanup:
  return status;
}
