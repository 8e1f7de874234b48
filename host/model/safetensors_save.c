/* Writing safetensors: tensors back to back, the header padded with blanks so that they begin at a multiple of 8 bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "model/little_endian.h"
#include "model/safetensors.h"

/* Stream errors are sticky: the commit finds them. */
typedef struct Writer {
  FILE *stream;
  Hash *hash; /* NULL: nobody asks */
} Writer;

static void write_bytes(const Writer *writer, const void *bytes, size_t length) {
  fwrite(bytes, 1, length, writer->stream);
  if (writer->hash != NULL) hash_add(writer->hash, bytes, length);
}

static size_t value_bytes(const TensorSource *tensor) { return tensor->type == TENSOR_F64 ? sizeof(double) : sizeof(float); }

static uint64_t value_count(const TensorSource *tensor) {
  uint64_t count = 1;
  for (size_t i = 0; i < tensor->dimensions; i++) count *= tensor->shape[i];
  return count;
}

static bool are_utf8(const MetadataPair *metadata, size_t count) {
  bool good = true;
  for (size_t i = 0; i < count; i++)
    good = good && text_is_utf8(metadata[i].key, strlen(metadata[i].key)) && text_is_utf8(metadata[i].value, strlen(metadata[i].value));
  return good;
}

/* jansson keeps the order of insertion, so the text is a function of the arguments. free(*text). */
static Status make_header(char **text, const MetadataPair *metadata, size_t metadata_count, const TensorSource *tensors,
                          size_t tensor_count, Error *error) {
  json_t *header = json_object(), *pairs = json_object();
  int failed = header == NULL || pairs == NULL;
  for (size_t i = 0; i < metadata_count; i++) failed |= json_object_set_new(pairs, metadata[i].key, json_string(metadata[i].value));
  failed |= json_object_set_new(header, "__metadata__", pairs);
  uint64_t begin = 0;
  for (size_t i = 0; i < tensor_count; i++) {
    uint64_t end = begin + value_count(&tensors[i]) * value_bytes(&tensors[i]);
    json_t *shape = json_array();
    for (size_t j = 0; j < tensors[i].dimensions; j++)
      failed |= json_array_append_new(shape, json_integer((json_int_t)tensors[i].shape[j]));
    json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", tensors[i].type == TENSOR_F64 ? "F64" : "F32", "shape", shape,
                              "data_offsets", (json_int_t)begin, (json_int_t)end);
    failed |= json_object_set_new(header, tensors[i].name, entry);
    begin = end;
  }
  Status status = json_write(text, failed ? NULL : header, JSON_COMPACT, error);
  json_decref(header);
  return status;
}

static void write_values(const Writer *writer, const TensorSource *tensor) {
  unsigned char block[8 * 4096];
  uint64_t count = value_count(tensor);
  size_t width = value_bytes(tensor);
  for (uint64_t done = 0; done < count;) {
    size_t part = count - done < 4096 ? (size_t)(count - done) : 4096;
    for (size_t i = 0; i < part; i++) {
      double value = tensor->doubles != NULL ? tensor->doubles[done + i] : (double)tensor->floats[done + i];
      if (tensor->type == TENSOR_F64)
        store_f64(block + width * i, value);
      else
        store_f32(block + width * i, (float)value);
    }
    write_bytes(writer, block, width * part);
    done += part;
  }
}

Status safetensors_write(FILE *stream, const char *path, const MetadataPair *metadata, size_t metadata_count, const TensorSource *tensors,
                         size_t tensor_count, Hash *hash, Error *error) {
  const Writer writer = {stream, hash};
  unsigned char length_bytes[8];
  if (!are_utf8(metadata, metadata_count))
    return error_set(error, SETOSA_ERROR_WRITE, "%s: its header cannot be written: a name is not UTF-8; rename it", path);
  char *header = NULL;
  Status status = make_header(&header, metadata, metadata_count, tensors, tensor_count, error);
  if (status != SETOSA_OK) return status;
  size_t text_length = strlen(header), length = (text_length + 7) / 8 * 8;
  store_u64(length_bytes, length);
  write_bytes(&writer, length_bytes, sizeof length_bytes);
  write_bytes(&writer, header, text_length);
  write_bytes(&writer, "       ", length - text_length);
  for (size_t i = 0; i < tensor_count; i++) write_values(&writer, &tensors[i]);
  free(header);
  return SETOSA_OK;
}

Status safetensors_save(const char *path, const MetadataPair *metadata, size_t metadata_count, const TensorSource *tensors,
                        size_t tensor_count, Error *error) {
  Status status = SETOSA_OK;
  AtomicFile file = {0};
  TRY(atomic_file_open(&file, path, error));
  TRY(safetensors_write(file.stream, path, metadata, metadata_count, tensors, tensor_count, NULL, error));
  TRY(atomic_file_commit(&file, error));
cleanup:
  atomic_file_abandon(&file);
  return status;
}
