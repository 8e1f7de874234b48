/* A thin face on xxHash. */
#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

uint64_t hash_bytes(const void *bytes, size_t length) { return XXH3_64bits(bytes, length); }

Status hash_create(Hash **hash, Error *error) {
  *hash = XXH3_createState();
  if (*hash == NULL) return error_set(error, SETOSA_ERROR_INTERNAL, "out of memory for a hash");
  XXH3_128bits_reset(*hash);
  return SETOSA_OK;
}

void hash_restart(Hash *hash) { XXH3_128bits_reset(hash); }

void hash_add(Hash *hash, const void *bytes, size_t length) { XXH3_128bits_update(hash, bytes, length); }

void hash_add_text(Hash *hash, const char *text) {
  uint64_t length = strlen(text);
  hash_add(hash, &length, sizeof length);
  hash_add(hash, text, length);
}

void hash_hex(const Hash *hash, char hex[HASH_HEX_SIZE]) {
  XXH128_hash_t digest = XXH3_128bits_digest(hash);
  snprintf(hex, HASH_HEX_SIZE, "%016" PRIx64 "%016" PRIx64, digest.high64, digest.low64);
}

void hash_destroy(Hash *hash) { XXH3_freeState(hash); }
