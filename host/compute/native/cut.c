#include "compute/native/cut.h"

ShardSum shard_sum(const SumPair *pairs, size_t count) {
  ShardSum sum = {0, 0};
  for (size_t i = 0; i < count; i++) {
    sum.high += pairs[i].high;
    sum.low += pairs[i].low;
  }
  return sum;
}

void shard_sums(ShardSum *sums, const Cut *cut, ShardRange shards, const SumPair *pairs) {
  size_t done = 0;
  for (size_t i = 0; i < shards.count; i++) {
    size_t count = cut_shares(cut, (ShardRange){shards.first + i, 1}).count * cut->losses;
    sums[i] = shard_sum(pairs + done, count);
    done += count;
  }
}
