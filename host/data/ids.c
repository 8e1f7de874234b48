/* All texts in one block, found by where they end. */
#include "data/ids.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

Status ids_begin(Ids *ids, const char *const *names, size_t columns, Error *error) {
  Status status = SETOSA_OK;
  TRY(memory_allocate_zero((void **)&ids->names, columns, sizeof *ids->names, "names of columns", error));
  for (ids->columns = 0; ids->columns < columns; ids->columns++)
    TRY(memory_copy_text(&ids->names[ids->columns], names[ids->columns], error));
cleanup:
  return status;
}

Status ids_add(Ids *ids, const char *text, size_t length, Error *error) {
  Status status = SETOSA_OK;
  TRY(memory_grow((void **)&ids->ends, &ids->capacity, ids->count + 1, sizeof *ids->ends, "texts of rows", error));
  TRY(text_append_bytes(&ids->texts, text, length, error));
  TRY(text_append_bytes(&ids->texts, "", 1, error));
  ids->ends[ids->count++] = ids->texts.length;
cleanup:
  return status;
}

const char *ids_get(const Ids *ids, size_t column, uint64_t row) {
  if (column >= ids->columns || row >= ids->count / ids->columns) return NULL;
  size_t at = (size_t)row * ids->columns + column;
  return ids->texts.text + (at > 0 ? ids->ends[at - 1] : 0);
}

void ids_free(Ids *ids) {
  for (size_t i = 0; i < ids->columns; i++) free(ids->names[i]);
  free(ids->names);
  free(ids->ends);
  text_free(&ids->texts);
  *ids = (Ids){0};
}
