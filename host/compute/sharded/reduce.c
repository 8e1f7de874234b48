/* Gradients of several ranks with less to send: in slices, which changes no bit, and by MPI's own sum, which may change the last. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "compute/sharded/sharded.h"

/* Large gradients of many ranks: instead of all partials to everybody, rank r gets a slice of the parameters of all partials and adds it
 * up, and what goes to everybody is the sum. Every element is added up in the same order as ever, so the bits are those of the plain way.
 */
static size_t slice_begin(const Sharded *sharded, size_t rank) {
  size_t ranks = ranks_size(sharded->ranks), whole = sharded->head.parameters / ranks, rest = sharded->head.parameters % ranks;
  return rank * whole + (rank < rest ? rank : rest);
}

bool wants_slices(const Sharded *sharded, const Layout *layout) {
  enum { PLAIN_BYTES = 1 << 20 }; /* up to these the second exchange costs more than it saves */
  return ranks_size(sharded->ranks) > 1 && layout->cut->shards * layout->partials * layout->vector_bytes > PLAIN_BYTES;
}

/* Shards of the devices of a rank; they are neighbours. */
static size_t rank_shards(const Sharded *sharded, const Layout *layout, const Task *task, size_t rank) {
  size_t count = 0;
  for (size_t device = sharded->rank_begin[rank]; device < sharded->rank_begin[rank + 1]; device++)
    count += device_shards(sharded, layout->cut, task->pass.first_row, device).count;
  return count;
}

typedef struct SliceSizes {
  size_t *sent, *received, *gathered; /* (ranks) bytes */
} SliceSizes;

/* This rank's partials to the ranks whose slices they belong to; then everybody's partials of this rank's slice lie in `received`. */
static Status send_slices(Sharded *sharded, const Task *task, const Layout *layout, const SliceSizes *sizes, Error *error) {
  Status status = SETOSA_OK;
  size_t ranks = ranks_size(sharded->ranks), own = ranks_rank(sharded->ranks), received = 0;
  size_t slice = slice_begin(sharded, own + 1) - slice_begin(sharded, own);
  size_t partials = rank_shards(sharded, layout, task, own) * layout->partials;
  for (size_t rank = 0; rank < ranks; rank++) {
    sizes->sent[rank] = partials * (slice_begin(sharded, rank + 1) - slice_begin(sharded, rank)) * sizeof(float);
    sizes->received[rank] = rank_shards(sharded, layout, task, rank) * layout->partials * slice * sizeof(float);
    received += sizes->received[rank];
  }
  TRY(scratch_reserve(&sharded->packed, partials * layout->vector_bytes + 1, error));
  TRY(scratch_reserve(&sharded->received, received + 1, error));
  char *to = sharded->packed.at;
  for (size_t rank = 0; rank < ranks; rank++) {
    size_t begin = slice_begin(sharded, rank) * sizeof(float), bytes = slice_begin(sharded, rank + 1) * sizeof(float) - begin;
    const char *from = sharded->exchange.at;
    for (size_t i = 0; i < sharded->member_count; i++) {
      ShardRange shards = device_shards(sharded, layout->cut, task->pass.first_row, sharded->own + i);
      for (size_t n = 0; n < shards.count * layout->partials; n++, to += bytes)
        memcpy(to, from + sum_bytes(layout, shards) + n * layout->vector_bytes + begin, bytes);
      from += device_bytes(layout, shards);
    }
  }
  TRY(ranks_alltoall(sharded->ranks, sharded->packed.at, sizes->sent, sharded->received.at, sizes->received, error));
cleanup:
  return status;
}

/* The slice in `received` added up on the first device, and together with this rank's sums of shards to everybody: of every rank highs,
 * lows and sums, device after device. */
static Status gather_slices(Sharded *sharded, const Task *task, const Layout *layout, const SliceSizes *sizes, Error *error) {
  Status status = SETOSA_OK;
  Member *member = &sharded->members[0];
  size_t ranks = ranks_size(sharded->ranks), own = ranks_rank(sharded->ranks), bytes = 0, before = 0;
  size_t slice = slice_begin(sharded, own + 1) - slice_begin(sharded, own), partials = layout->cut->shards * layout->partials;
  for (size_t rank = 0; rank < ranks; rank++) {
    ShardRange shards = {0, rank_shards(sharded, layout, task, rank)};
    sizes->gathered[rank] = 2 * (slice_begin(sharded, rank + 1) - slice_begin(sharded, rank)) * sizeof(float) + sum_bytes(layout, shards);
    if (rank < own) before += sizes->gathered[rank];
    bytes += sizes->gathered[rank];
  }
  /* The sums are taken out of `exchange` before it is used for what all ranks send. */
  TRY(scratch_reserve(&sharded->packed, sizes->gathered[own], error));
  char *to = sharded->packed.at + 2 * slice * sizeof(float);
  const char *from = sharded->exchange.at;
  for (size_t i = 0; i < sharded->member_count; i++) {
    ShardRange shards = device_shards(sharded, layout->cut, task->pass.first_row, sharded->own + i);
    memcpy(to, from, sum_bytes(layout, shards));
    to += sum_bytes(layout, shards);
    from += device_bytes(layout, shards);
  }
  if (slice > 0) {
    TRY(native_reserve(member->native, &member->gathered, partials * slice * sizeof(float), "partial gradients of all devices", error));
    TRY(buffer_write(member->gathered, 0, partials * slice * sizeof(float), sharded->received.at, error));
    TRY(native_fold_slice(member->native, member->gathered, partials, slice, error));
    TRY(buffer_read(member->native->folded, 0, 2 * slice * sizeof(float), sharded->packed.at, error));
  }
  TRY(scratch_reserve(&sharded->exchange, bytes, error));
  memcpy(sharded->exchange.at + before, sharded->packed.at, sizes->gathered[own]);
  TRY(ranks_allgather(sharded->ranks, sharded->exchange.at, sizes->gathered, error));
cleanup:
  return status;
}

/* Highs and lows (2,P) from the slices in `exchange`, and the sum of the losses. */
static double unpack_slices(const Sharded *sharded, const Task *task, const Layout *layout, float *halves) {
  const char *from = sharded->exchange.at;
  ShardSum all = {0, 0}, one;
  for (size_t rank = 0; rank < ranks_size(sharded->ranks); rank++) {
    size_t begin = slice_begin(sharded, rank), bytes = (slice_begin(sharded, rank + 1) - begin) * sizeof(float);
    memcpy(halves + begin, from, bytes);
    memcpy(halves + sharded->head.parameters + begin, from + bytes, bytes);
    from += 2 * bytes;
    for (size_t device = sharded->rank_begin[rank]; device < sharded->rank_begin[rank + 1] && layout->sets > 0; device++) {
      ShardRange shards = device_shards(sharded, layout->cut, task->pass.first_row, device);
      for (size_t i = 0; i < shards.count; i++, from += sizeof one) {
        memcpy(&one, from, sizeof one);
        shard_sum_add(&all, one);
      }
    }
  }
  return all.high + all.low;
}

/* finish->out = the sum of highs and lows (2,P) and what is added, on every member. */
static Status finish_halves(Sharded *sharded, const float *halves, const Finish *finish, Error *error) {
  Status status = SETOSA_OK;
  size_t bytes = 2 * sharded->head.parameters * sizeof *halves;
  for (size_t i = 0; i < sharded->member_count; i++) {
    Member *member = &sharded->members[i];
    TRY(native_reserve(member->native, &member->gathered, bytes, "partial gradients of all devices", error));
    TRY(buffer_write(member->gathered, 0, bytes, halves, error));
    TRY(finish_member(sharded, i, finish, 2, error));
  }
cleanup:
  return status;
}

Status reduce_slices(Sharded *sharded, const Task *task, const Layout *layout, const Finish *finish, double *loss, Error *error) {
  Status status = SETOSA_OK;
  size_t ranks = ranks_size(sharded->ranks), bytes = 0, *sizes = NULL;
  float *halves = NULL;
  TRY(memory_allocate((void **)&sizes, ranks, 3 * sizeof *sizes, "the sizes of an exchange", error));
  TRY(memory_allocate((void **)&halves, sharded->head.parameters, 2 * sizeof *halves, "the gradient", error));
  SliceSizes all = {sizes, sizes + ranks, sizes + 2 * ranks};
  for (size_t i = 0; i < sharded->member_count; i++)
    bytes += device_bytes(layout, device_shards(sharded, layout->cut, task->pass.first_row, sharded->own + i));
  TRY(scratch_reserve(&sharded->exchange, bytes + 1, error));
  TRY(run_members(sharded, task, error));
  char *to = sharded->exchange.at;
  for (size_t i = 0; i < sharded->member_count; i++) {
    ShardRange shards = device_shards(sharded, layout->cut, task->pass.first_row, sharded->own + i);
    if (shards.count > 0) TRY(read_member(sharded->members[i].native, layout, shards, to, error));
    to += device_bytes(layout, shards);
  }
  TRY(send_slices(sharded, task, layout, &all, error));
  TRY(gather_slices(sharded, task, layout, &all, error));
  *loss = unpack_slices(sharded, task, layout, halves);
  TRY(finish_halves(sharded, halves, finish, error));
cleanup:
  free(sizes);
  free(halves);
  return status;
}

/* The same by MPI_Allreduce in doubles: what goes round is one gradient, whatever the number of shards. Only this rank's parts were read.
 */
Status reduce_fast(Sharded *sharded, const Task *task, const Layout *layout, const Finish *finish, double *loss, Error *error) {
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
    TRY(scratch_reserve(&sharded->exchange, device_bytes(layout, shards), error));
    TRY(read_member(native, layout, shards, sharded->exchange.at, error));
    const char *partials = sharded->exchange.at + sum_bytes(layout, shards); /* 16 bytes a shard: aligned for floats */
    for (size_t n = 0; n < shards.count * layout->partials; n++) {
      const float *partial = (const float *)(const void *)partials + n * parameters;
      for (size_t p = 0; p < parameters; p++) sharded->sums[p] += partial[p];
    }
    for (size_t i = 0; i < shards.count && layout->sets > 0; i++) {
      ShardSum one;
      memcpy(&one, sharded->exchange.at + i * sizeof one, sizeof one);
      sharded->sums[parameters] += one.high + one.low;
    }
  }
  TRY(ranks_sum(sharded->ranks, sharded->sums, parameters + 1, error));
  *loss = sharded->sums[parameters];
  if (finish->out == NULL) goto cleanup;
  TRY(memory_allocate((void **)&halves, 2 * parameters, sizeof *halves, "the gradient", error));
  for (size_t p = 0; p < parameters; p++) {
    halves[p] = (float)sharded->sums[p];
    halves[parameters + p] = (float)(sharded->sums[p] - halves[p]);
  }
  TRY(finish_halves(sharded, halves, finish, error));
cleanup:
  free(halves);
  return status;
}
