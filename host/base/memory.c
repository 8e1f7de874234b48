/* Checked allocation. */
#include "base/memory.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Status memory_multiply(size_t *product, size_t a, size_t b, const char *what, Error *error) {
  if (__builtin_mul_overflow(a, b, product) || *product > (size_t)INT64_MAX)
    return error_set(error, SETOSA_ERROR_USAGE, "%s: %zu x %zu is more than this machine can address; use a smaller shape", what, a, b);
  return SETOSA_OK;
}

static Status out_of_memory(Error *error, const char *what, size_t bytes) {
  return error_set(error, SETOSA_ERROR_INTERNAL, "out of memory: %.1f MB for %s; use fewer rows or a machine with more memory",
                   (double)bytes / 1e6, what);
}

Status memory_allocate(void **out, size_t count, size_t size, const char *what, Error *error) {
  *out = NULL;
  size_t bytes = 0;
  Status status = memory_multiply(&bytes, count, size, what, error);
  if (status != SETOSA_OK) return status;
  if (bytes < MEMORY_ALIGNMENT) {
    *out = malloc(bytes == 0 ? 1 : bytes);
  } else {
    if (bytes > SIZE_MAX - MEMORY_ALIGNMENT) return out_of_memory(error, what, bytes);
    *out = aligned_alloc(MEMORY_ALIGNMENT, (bytes + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT);
  }
  return *out != NULL ? SETOSA_OK : out_of_memory(error, what, bytes);
}

Status memory_allocate_zero(void **out, size_t count, size_t size, const char *what, Error *error) {
  Status status = memory_allocate(out, count, size, what, error);
  if (status == SETOSA_OK) memset(*out, 0, count * size);
  return status;
}

Status memory_grow(void **array, size_t *capacity, size_t needed, size_t size, const char *what, Error *error) {
  if (needed <= *capacity) return SETOSA_OK;
  size_t wanted = *capacity == 0 ? 16 : *capacity;
  while (wanted < needed && wanted <= SIZE_MAX / 2) wanted *= 2;
  size_t bytes = 0;
  Status status = memory_multiply(&bytes, wanted, size, what, error);
  if (status != SETOSA_OK) return status;
  void *grown = realloc(*array, bytes);
  if (grown == NULL) return out_of_memory(error, what, bytes);
  *array = grown;
  *capacity = wanted;
  return SETOSA_OK;
}

Status memory_copy_text(char **out, const char *text, Error *error) {
  *out = NULL;
  if (text == NULL) return SETOSA_OK;
  *out = strdup(text);
  return *out != NULL ? SETOSA_OK : out_of_memory(error, "a text", strlen(text) + 1);
}

uint64_t memory_available(void) {
  uint64_t kilobytes = 0;
  bool found = false;
  char line[128];
  FILE *file = fopen("/proc/meminfo", "re");
  while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
    found = sscanf(line, "MemAvailable: %" SCNu64 " kB", &kilobytes) == 1;
  if (file != NULL) fclose(file);
  return found ? kilobytes * 1024 : UINT64_MAX;
}
