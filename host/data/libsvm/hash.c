/* A row is sorted by keys that hold the column and the place of the entry, so that sums do not depend on how the sort works. */
#include "data/libsvm/hash.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"

Status libsvm_hash_add(LibsvmHash *hash, const char *name, size_t length, double value, unsigned bits, Error *error) {
  Status status = SETOSA_OK;
  uint64_t digest = hash_bytes(name, length), column = digest & (((uint64_t)1 << bits) - 1);
  TRY(memory_grow((void **)&hash->order, &hash->order_capacity, hash->count + 1, sizeof *hash->order, "a row", error));
  TRY(memory_grow((void **)&hash->values, &hash->value_capacity, hash->count + 1, sizeof *hash->values, "a row", error));
  hash->order[hash->count] = column << 32 | hash->count; /* a line has less than 2^32 bytes */
  hash->values[hash->count++] = digest >> 63 != 0 ? -value : value;
cleanup:
  return status;
}

static int by_key(const void *a, const void *b) {
  uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
  return left < right ? -1 : left > right;
}

size_t libsvm_hash_take(LibsvmHash *hash, uint32_t *columns, float *values) {
  size_t count = 0;
  if (hash->count > 1) qsort(hash->order, hash->count, sizeof *hash->order, by_key);
  for (size_t i = 0; i < hash->count;) {
    uint32_t column = (uint32_t)(hash->order[i] >> 32);
    double sum = 0;
    for (; i < hash->count && hash->order[i] >> 32 == column; i++) sum += hash->values[(uint32_t)hash->order[i]];
    if ((float)sum == 0) continue;
    columns[count] = column;
    values[count++] = (float)sum;
  }
  hash->count = 0;
  return count;
}

void libsvm_hash_free(LibsvmHash *hash) {
  free(hash->order);
  free(hash->values);
  *hash = (LibsvmHash){0};
}
