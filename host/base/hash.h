/* XXH3 hashes (xxHash): 64 bits for tables, 128 bits for fingerprints and cache keys. */
#ifndef SETOSA_BASE_HASH_H
#define SETOSA_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { HASH_HEX_SIZE = 33 }; /* 32 digits and the terminator */

uint64_t hash_bytes(const void *bytes, size_t length);

/* A running 128-bit hash over several pieces. */
typedef struct XXH3_state_s Hash;
Status hash_create(Hash **hash, Error *error);
/* As just created. */
void hash_restart(Hash *hash);
void hash_add(Hash *hash, const void *bytes, size_t length);
/* A text with its length first, so that "ab","c" and "a","bc" differ. */
void hash_add_text(Hash *hash, const char *text);
void hash_hex(const Hash *hash, char hex[HASH_HEX_SIZE]);
void hash_destroy(Hash *hash);

#endif
