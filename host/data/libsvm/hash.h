/* Features that are names become columns by their hashes, with signs (K. Weinberger et al., "Feature hashing for large scale multitask
 * learning", ICML 2009): names that meet in a column then cancel in the mean instead of adding up. Private to host/data/libsvm. */
#ifndef SETOSA_DATA_LIBSVM_HASH_H
#define SETOSA_DATA_LIBSVM_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The entries of one row until it ends. Zero-initialise. */
typedef struct LibsvmHash {
  uint64_t *order; /* (count) column << 32 | number of the entry */
  double *values;  /* (count) with their signs */
  size_t count, order_capacity, value_capacity;
} LibsvmHash;

/* The column is the low `bits` bits of the XXH3 hash (64 bits) of the name, and the highest bit is the sign: 1 is minus. */
Status libsvm_hash_add(LibsvmHash *hash, const char *name, size_t length, double value, unsigned bits, Error *error);
/* Writes the row to columns and values (count), ascending, entries of one column summed in the order in which they came, without those that
 * are 0 then. Returns how many there are, and begins the next row. A sum may be infinite. */
size_t libsvm_hash_take(LibsvmHash *hash, uint32_t *columns, float *values);
void libsvm_hash_free(LibsvmHash *hash);

#endif
