/* How a pass over rows is cut, and how sums of the cuts are added: in an order that no device changes. */
#ifndef SETOSA_COMPUTE_NATIVE_CUT_H
#define SETOSA_COMPUTE_NATIVE_CUT_H

#include "compute/backend.h"

/* A compensated sum as kernels leave it: value = high + low. */
typedef struct SumPair {
  float high, low;
} SumPair;

/* How a pass over rows is cut. Its rows, the shape of the data and the family alone decide, so that neither the device, nor how many there
 * are, nor what of X they hold at a time changes a bit. A share has `partials` partial gradients, summed in plain f32, and `losses` partial
 * sums; the partials of per_shard neighbouring shares are folded, in order, into those of their shard. Devices work on whole shards. */
typedef struct Cut {
  size_t rows, share_rows;          /* of the pass; of a share (the last may have fewer) */
  size_t shares, per_shard, shards; /* shards = ceil(shares / per_shard) */
  uint32_t partials, losses;        /* of a share */
} Cut;
/* Shards [first, first + count) of a pass. */
typedef struct ShardRange {
  size_t first, count;
} ShardRange;
static inline ShardRange cut_all(const Cut *cut) { return (ShardRange){0, cut->shards}; }
/* Partials that a shard leaves: those of its one share, or the highs and lows of its folded sum. */
static inline size_t cut_shard_partials(const Cut *cut) { return cut->per_shard > 1 ? 2 : cut->partials; }
/* Shares of some shards, and their rows, counted from the first of the pass. */
static inline RowRange cut_shares(const Cut *cut, ShardRange shards) {
  size_t begin = shards.first * cut->per_shard, end = (shards.first + shards.count) * cut->per_shard;
  return (RowRange){begin, (end < cut->shares ? end : cut->shares) - begin};
}
static inline RowRange cut_rows(const Cut *cut, ShardRange shards) {
  RowRange shares = cut_shares(cut, shards);
  size_t begin = shares.begin * cut->share_rows, end = (shares.begin + shares.count) * cut->share_rows;
  return (RowRange){begin, (end < cut->rows ? end : cut->rows) - begin};
}

/* A sum over shards in double: first within each shard, pair by pair, then over the shards, highs and lows apart. */
typedef struct ShardSum {
  double high, low;
} ShardSum;
ShardSum shard_sum(const SumPair *pairs, size_t count);
static inline void shard_sum_add(ShardSum *sum, ShardSum shard) {
  sum->high += shard.high;
  sum->low += shard.low;
}
/* The pairs of some shards, which begin at `pairs`: their sums one by one, into sums (shards.count). */
void shard_sums(ShardSum *sums, const Cut *cut, ShardRange shards, const SumPair *pairs);

#endif
