/* X and the labels on their way to the device: used in place, copied, or converted to fewer bytes chunk by chunk, so that no second whole
 * copy of X ever lies on the host. Cut into parts where one allocation does not hold all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "compute/native.h"

enum {
  ROWS_OF_WHOLE_PAGES = 1024, /* parts of f32 begin on a page of the host's array, so that unified memory can use each in place */
  CHUNK_VALUES = 1 << 20      /* converted at a time: 1 or 2 MB, which stay in the cache until they are copied */
};

/* part->x = the part's rows as halves or bytes. chunk (CHUNK_VALUES elements) is scratch. */
static Status upload_converted(Native *native, NativePart *part, const Dataset *dataset, void *chunk, Error *error) {
  Status status = SETOSA_OK;
  size_t element_bytes = storage_element_bytes(&native->plan), first = part->begin * dataset->features,
         values = part->count * dataset->features, count = 0;
  TRY(buffer_create(&part->x, native->context, values * element_bytes, "the feature matrix", error));
  for (size_t done = 0; done < values; done += count) {
    count = values - done < CHUNK_VALUES ? values - done : CHUNK_VALUES;
    TRY(storage_convert(chunk, &native->plan, dataset, first + done, count, &native->rounding, error));
    TRY(buffer_write(part->x, done * element_bytes, count * element_bytes, chunk, error));
  }
cleanup:
  return status;
}

/* chunk NULL: as f32. On failure part may hold buffers; they are the caller's. */
static Status upload_part(Native *native, NativePart *part, const Dataset *dataset, void *chunk, Error *error) {
  Status status = SETOSA_OK;
  if (chunk != NULL)
    TRY(upload_converted(native, part, dataset, chunk, error));
  else
    TRY(buffer_create_from(&part->x, native->context, dataset->values + part->begin * dataset->features,
                           part->count * dataset->features * sizeof(float), "the feature matrix", error));
  if (native->labelled)
    TRY(buffer_create_from(&part->labels, native->context, dataset->labels + part->begin, part->count * sizeof(int32_t), "the labels",
                           error));
cleanup:
  return status;
}

/* Rows of a part: all, or as many whole pages' worth as part_bytes holds. */
static Status choose_part_rows(Native *native, const Dataset *dataset, uint64_t part_bytes, Error *error) {
  Status status = SETOSA_OK;
  size_t row_bytes = 0, bytes = 0;
  TRY(memory_multiply(&row_bytes, dataset->features, storage_element_bytes(&native->plan), "a row of the feature matrix", error));
  TRY(memory_multiply(&bytes, dataset->rows, row_bytes, "the feature matrix", error));
  native->part_rows = dataset->rows;
  if (bytes <= part_bytes) goto cleanup;
  native->part_rows = (size_t)(part_bytes / row_bytes);
  if (native->part_rows > ROWS_OF_WHOLE_PAGES) native->part_rows -= native->part_rows % ROWS_OF_WHOLE_PAGES;
  if (native->part_rows == 0) native->part_rows = 1; /* then the allocation fails with its own message */
cleanup:
  return status;
}

Status native_upload(Native *native, const Dataset *dataset, const BackendSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  void *chunk = NULL;
  double start = clock_seconds();
  uint64_t part_bytes = context_traits(native->context)->max_allocation_bytes;
  if (settings->part_bytes > 0 && settings->part_bytes < part_bytes) part_bytes = settings->part_bytes;
  TRY(storage_choose(&native->plan, dataset, settings->storage, context_traits(native->context)->unified_memory, error));
  TRY(choose_part_rows(native, dataset, part_bytes, error));
  if (native->plan.storage != SETOSA_STORAGE_F32)
    TRY(memory_allocate(&chunk, CHUNK_VALUES, storage_element_bytes(&native->plan), "a chunk of the feature matrix", error));
  size_t parts = (dataset->rows + native->part_rows - 1) / native->part_rows;
  TRY(memory_allocate_zero((void **)&native->parts, parts, sizeof *native->parts, "the parts of a data set", error));
  native->labelled = dataset->labels != NULL;
  while (native->part_count < parts) {
    size_t begin = native->part_count * native->part_rows, rest = dataset->rows - begin;
    NativePart *part = &native->parts[native->part_count++]; /* counted at once: closing frees what a failed upload has made */
    part->begin = begin;
    part->count = rest < native->part_rows ? rest : native->part_rows;
    TRY(upload_part(native, part, dataset, chunk, error));
  }
  native->seconds_upload = clock_seconds() - start;
cleanup:
  free(chunk);
  return status;
}

void native_release_upload(Native *native) {
  for (size_t i = 0; i < native->part_count; i++) {
    buffer_destroy(native->parts[i].x);
    buffer_destroy(native->parts[i].labels);
  }
  free(native->parts);
}

void native_append_storage(const Native *native, char *options, size_t size) {
  size_t used = strlen(options);
  if (native->plan.storage == SETOSA_STORAGE_F16) snprintf(options + used, size - used, " -DSTORAGE=1");
  /* Hexadecimal, so that the device multiplies by the very factor that the bytes were checked with. */
  if (native->plan.storage == SETOSA_STORAGE_U8)
    snprintf(options + used, size - used, " -DSTORAGE=2 -DX_SCALE=%af", (double)native->plan.scale);
}
