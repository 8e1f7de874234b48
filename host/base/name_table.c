/* Names to indices: open addressing over XXH3 hashes, names in order of arrival. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"

struct NameTable {
  char **names;
  uint64_t *hashes;
  size_t count, names_capacity, hashes_capacity;
  size_t *slots;     /* index + 1, or 0 */
  size_t slot_count; /* a power of two */
};

Status name_table_create(NameTable **table, Error *error) {
  return memory_allocate_zero((void **)table, 1, sizeof **table, "a name table", error);
}

void name_table_destroy(NameTable *table) {
  if (table == NULL) return;
  for (size_t i = 0; i < table->count; i++) free(table->names[i]);
  free(table->names);
  free(table->hashes);
  free(table->slots);
  free(table);
}

bool name_table_find(const NameTable *table, const char *name, size_t length, size_t *index) {
  if (table->slot_count == 0) return false;
  uint64_t hash = hash_bytes(name, length);
  for (size_t slot = hash & (table->slot_count - 1); table->slots[slot] != 0; slot = (slot + 1) & (table->slot_count - 1)) {
    size_t i = table->slots[slot] - 1;
    if (table->hashes[i] == hash && strlen(table->names[i]) == length && memcmp(table->names[i], name, length) == 0) {
      *index = i;
      return true;
    }
  }
  return false;
}

static Status grow_slots(NameTable *table, Error *error) {
  size_t wanted = table->slot_count == 0 ? 64 : table->slot_count * 2;
  size_t *slots = NULL;
  Status status = memory_allocate_zero((void **)&slots, wanted, sizeof *slots, "a name table", error);
  if (status != SETOSA_OK) return status;
  for (size_t i = 0; i < table->count; i++) {
    size_t slot = table->hashes[i] & (wanted - 1);
    while (slots[slot] != 0) slot = (slot + 1) & (wanted - 1);
    slots[slot] = i + 1;
  }
  free(table->slots);
  table->slots = slots;
  table->slot_count = wanted;
  return SETOSA_OK;
}

Status name_table_add(NameTable *table, const char *name, size_t length, size_t *index, Error *error) {
  Status status = SETOSA_OK;
  char *copy = NULL;
  if (name_table_find(table, name, length, index)) return SETOSA_OK;
  if (table->count * 2 >= table->slot_count) TRY(grow_slots(table, error));
  TRY(memory_grow((void **)&table->names, &table->names_capacity, table->count + 1, sizeof *table->names, "names", error));
  TRY(memory_grow((void **)&table->hashes, &table->hashes_capacity, table->count + 1, sizeof *table->hashes, "names", error));
  TRY(memory_allocate((void **)&copy, length + 1, 1, "a name", error));
  memcpy(copy, name, length);
  copy[length] = '\0';
  uint64_t hash = hash_bytes(name, length);
  size_t slot = hash & (table->slot_count - 1);
  while (table->slots[slot] != 0) slot = (slot + 1) & (table->slot_count - 1);
  table->slots[slot] = table->count + 1;
  table->names[table->count] = copy;
  table->hashes[table->count] = hash;
  *index = table->count++;
cleanup:
  return status;
}

size_t name_table_count(const NameTable *table) { return table->count; }
const char *name_table_name(const NameTable *table, size_t index) { return table->names[index]; }
