/* Writing safetensors: f32 tensors back to back, the header padded with blanks so that they begin at a multiple of 8 bytes. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "model/little_endian.h"
#include "model/safetensors.h"

static uint64_t tensor_bytes(const TensorSource *tensor) {
  uint64_t bytes = sizeof(float);
  for (size_t i = 0; i < tensor->dimensions; i++) bytes *= tensor->shape[i];
  return bytes;
}

/* jansson keeps the order of insertion, so the text is a function of the arguments. NULL when memory is short or a text is not UTF-8. */
static char *make_header(const TextPair *metadata, size_t metadata_count, const TensorSource *tensors, size_t tensor_count) {
  json_t *header = json_object(), *pairs = json_object();
  int failed = header == NULL || pairs == NULL;
  for (size_t i = 0; i < metadata_count; i++) failed |= json_object_set_new(pairs, metadata[i].key, json_string(metadata[i].value));
  failed |= json_object_set_new(header, "__metadata__", pairs);
  uint64_t begin = 0;
  for (size_t i = 0; i < tensor_count; i++) {
    uint64_t end = begin + tensor_bytes(&tensors[i]);
    json_t *shape = json_array();
    for (size_t j = 0; j < tensors[i].dimensions; j++)
      failed |= json_array_append_new(shape, json_integer((json_int_t)tensors[i].shape[j]));
    json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", shape, "data_offsets", (json_int_t)begin, (json_int_t)end);
    failed |= json_object_set_new(header, tensors[i].name, entry);
    begin = end;
  }
  char *text = failed ? NULL : json_dumps(header, JSON_COMPACT);
  json_decref(header);
  return text;
}

static void write_floats(FILE *stream, const float *values, uint64_t count) {
  unsigned char block[4 * 4096];
  for (uint64_t done = 0; done < count;) {
    size_t part = count - done < 4096 ? (size_t)(count - done) : 4096;
    for (size_t i = 0; i < part; i++) store_f32(block + 4 * i, values[done + i]);
    fwrite(block, 4, part, stream); /* a failure stays in the stream and is reported by the commit */
    done += part;
  }
}

Status safetensors_save(const char *path, const TextPair *metadata, size_t metadata_count, const TensorSource *tensors, size_t tensor_count,
                        Error *error) {
  Status status = SETOSA_OK;
  AtomicFile file = {0};
  unsigned char length_bytes[8];
  char *header = make_header(metadata, metadata_count, tensors, tensor_count);
  if (header == NULL)
    return error_set(error, SETOSA_ERROR_WRITE, "%s: its header cannot be written: a name is not UTF-8, or memory is short; rename it",
                     path);
  size_t text_length = strlen(header), length = (text_length + 7) / 8 * 8;
  TRY(atomic_file_open(&file, path, error));
  store_u64(length_bytes, length);
  fwrite(length_bytes, 1, sizeof length_bytes, file.stream);
  fwrite(header, 1, text_length, file.stream);
  fwrite("       ", 1, length - text_length, file.stream);
  for (size_t i = 0; i < tensor_count; i++) write_floats(file.stream, tensors[i].values, tensor_bytes(&tensors[i]) / sizeof(float));
  TRY(atomic_file_commit(&file, error));
cleanup:
  atomic_file_abandon(&file);
  free(header);
  return status;
}
