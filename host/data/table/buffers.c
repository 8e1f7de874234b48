/* As many as were ever in use together. */
#include "data/table/buffers.h"

#include <stdlib.h>

#include "base/memory.h"

enum { LARGE = 4 /* sizes: a buffer that a long record made so large is not kept */ };

void buffers_begin(Buffers *buffers, size_t size) {
  *buffers = (Buffers){.size = size};
  pthread_mutex_init(&buffers->mutex, NULL);
}

void buffers_end(Buffers *buffers) {
  for (size_t i = 0; i < buffers->count; i++) {
    free(buffers->all[i]->bytes);
    free(buffers->all[i]);
  }
  free(buffers->all);
  pthread_mutex_destroy(&buffers->mutex);
}

Status buffers_take(Buffers *buffers, Buffer **out, Error *error) {
  Status status = SETOSA_OK;
  *out = NULL;
  pthread_mutex_lock(&buffers->mutex);
  for (size_t i = 0; i < buffers->count && *out == NULL; i++)
    if (!buffers->all[i]->used) *out = buffers->all[i];
  if (*out == NULL) {
    TRY(memory_grow((void **)&buffers->all, &buffers->capacity, buffers->count + 1, sizeof(Buffer *), "parts of the text", error));
    TRY(memory_allocate_zero((void **)out, 1, sizeof **out, "a part of the text", error));
    buffers->all[buffers->count++] = *out;
  }
  (*out)->used = true;
cleanup:
  pthread_mutex_unlock(&buffers->mutex);
  return status;
}

void buffers_let_go(Buffers *buffers, Buffer *buffer) {
  if (buffer == NULL) return;
  pthread_mutex_lock(&buffers->mutex);
  if (buffer->capacity > LARGE * buffers->size) {
    free(buffer->bytes);
    *buffer = (Buffer){0};
  }
  buffer->used = false;
  pthread_mutex_unlock(&buffers->mutex);
}

Buffer *buffers_find(Buffers *buffers, const char *bytes) {
  Buffer *found = NULL;
  pthread_mutex_lock(&buffers->mutex);
  for (size_t i = 0; i < buffers->count && found == NULL; i++) {
    Buffer *buffer = buffers->all[i];
    if (bytes >= buffer->bytes && bytes < buffer->bytes + buffer->capacity) found = buffer;
  }
  pthread_mutex_unlock(&buffers->mutex);
  return found;
}
