/* Reading safetensors: the header is parsed and checked whole before a byte of a tensor is believed. */
#include "model/safetensors.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "model/little_endian.h"

enum { LENGTH_BYTES = 8, HEADER_LIMIT_BYTES = 100000000 }; /* the limit of the format's own reader */

struct SafetensorsFile {
  const char *path;
  FILE *stream;
  json_t *header;
  uint64_t data_begin, data_bytes;
  Tensor *tensors; /* in order of their offsets */
  size_t tensor_count;
  MetadataPair *metadata;
  size_t metadata_count;
};

/* Bytes of one element; 0 for a type this reader does not know, whose byte count is then not checked. */
static size_t type_bytes(const char *name) {
  static const struct {
    const char *name;
    size_t bytes;
  } types[] = {{"F32", 4}, {"F64", 8}, {"F16", 2}, {"BF16", 2}, {"I64", 8}, {"I32", 4}, {"I16", 2},
               {"I8", 1},  {"U64", 8}, {"U32", 4}, {"U16", 2},  {"U8", 1},  {"BOOL", 1}};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
    if (strcmp(types[i].name, name) == 0) return types[i].bytes;
  return 0;
}

static TensorType type_of(const char *name) {
  if (strcmp(name, "F32") == 0) return TENSOR_F32;
  if (strcmp(name, "F64") == 0) return TENSOR_F64;
  return strcmp(name, "F16") == 0 ? TENSOR_F16 : TENSOR_OTHER;
}

/* Reads the length and the JSON text that follows it. */
static Status read_header(SafetensorsFile *file, Error *error) {
  Status status = SETOSA_OK;
  char *text = NULL;
  unsigned char length_bytes[LENGTH_BYTES];
  struct stat info;
  json_error_t json_error;
  const char *path = file->path;
  if (fstat(fileno(file->stream), &info) != 0 || !S_ISREG(info.st_mode))
    return error_set(error, SETOSA_ERROR_DATA, "%s: is not a regular file; name a .safetensors model file", path);
  uint64_t file_bytes = (uint64_t)info.st_size;
  if (file_bytes < LENGTH_BYTES || fread(length_bytes, 1, LENGTH_BYTES, file->stream) != LENGTH_BYTES)
    return error_set(error, SETOSA_ERROR_DATA,
                     "%s: only %llu bytes long, too short for a safetensors file; name a model that `train` wrote", path,
                     (unsigned long long)file_bytes);
  uint64_t header_bytes = load_bits(length_bytes, LENGTH_BYTES);
  if (header_bytes <= file_bytes - LENGTH_BYTES && header_bytes > HEADER_LIMIT_BYTES)
    return error_set(error, SETOSA_ERROR_DATA,
                     "%s: its header has %llu bytes, and at most %d are read; give classes and features shorter names", path,
                     (unsigned long long)header_bytes, HEADER_LIMIT_BYTES);
  if (header_bytes > file_bytes - LENGTH_BYTES)
    return error_set(
        error, SETOSA_ERROR_DATA,
        "%s: is not a model, or one cut short (its first 8 bytes announce a header of %llu bytes, more than the file holds); name a "
        ".safetensors file that `train` wrote, before the data",
        path, (unsigned long long)header_bytes);
  TRY(memory_allocate((void **)&text, header_bytes, 1, "the header of a model", error));
  if (fread(text, 1, header_bytes, file->stream) != header_bytes)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: cannot read its header; check the file", path));
  if (header_bytes == 0 || text[0] != '{')
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: no JSON object after the first 8 bytes; this is no safetensors file: name a model file",
                  path));
  TRY(json_parse(&file->header, text, header_bytes, JSON_REJECT_DUPLICATES, &json_error, error));
  if (file->header == NULL)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: byte %d of its JSON header: %s; write it again", path, json_error.position,
                  json_error.text));
  file->data_begin = LENGTH_BYTES + header_bytes;
  file->data_bytes = file_bytes - file->data_begin;
cleanup:
  free(text);
  return status;
}

static Status parse_metadata(SafetensorsFile *file, json_t *map, Error *error) {
  Status status = SETOSA_OK;
  const char *key = NULL;
  json_t *value = NULL;
  if (!json_is_object(map))
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: \"__metadata__\" is not a JSON object; write it again", file->path));
  TRY(memory_allocate((void **)&file->metadata, json_object_size(map), sizeof *file->metadata, "metadata", error));
  json_object_foreach(map, key, value) {
    if (!json_is_string(value))
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s: the metadata \"%.60s\" is not a string; write it again", file->path, key));
    file->metadata[file->metadata_count++] = (MetadataPair){key, json_string_value(value)};
  }
cleanup:
  return status;
}

/* A JSON integer >= 0. */
static bool get_count(const json_t *value, uint64_t *count) {
  if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
  *count = (uint64_t)json_integer_value(value);
  return true;
}

static Status parse_tensor(const SafetensorsFile *file, const char *name, const json_t *entry, Tensor *tensor, Error *error) {
  const json_t *type = json_object_get(entry, "dtype"), *shape = json_object_get(entry, "shape");
  const json_t *offsets = json_object_get(entry, "data_offsets");
  const char *path = file->path;
  if (!json_is_string(type) || !json_is_array(shape) || !json_is_array(offsets))
    return error_set(error, SETOSA_ERROR_DATA, "%s: tensor \"%.60s\" lacks its dtype, shape or data_offsets; write it again", path, name);
  *tensor = (Tensor){.name = name, .type_name = json_string_value(type), .shape = {1, 1}, .count = 1};
  tensor->type = type_of(tensor->type_name);
  tensor->dimensions = json_array_size(shape);
  for (size_t i = 0; i < tensor->dimensions; i++) {
    uint64_t size = 0;
    if (!get_count(json_array_get(shape, i), &size))
      return error_set(error, SETOSA_ERROR_DATA, "%s: tensor \"%.60s\": its shape is not a list of whole numbers; write it again", path,
                       name);
    if (i < 2) tensor->shape[i] = size;
    if (__builtin_mul_overflow(tensor->count, size, &tensor->count))
      return error_set(error, SETOSA_ERROR_DATA, "%s: tensor \"%.60s\": its shape is too large; write it again", path, name);
  }
  if (json_array_size(offsets) != 2 || !get_count(json_array_get(offsets, 0), &tensor->begin) ||
      !get_count(json_array_get(offsets, 1), &tensor->end) || tensor->begin > tensor->end)
    return error_set(error, SETOSA_ERROR_DATA, "%s: tensor \"%.60s\": data_offsets are not two rising whole numbers; write it again", path,
                     name);
  if (tensor->end > file->data_bytes)
    return error_set(error, SETOSA_ERROR_DATA,
                     "%s: tensor \"%.60s\" ends at byte %llu of the data but the file holds %llu; it is cut short: write it again", path,
                     name, (unsigned long long)tensor->end, (unsigned long long)file->data_bytes);
  uint64_t bytes = type_bytes(tensor->type_name);
  if (bytes != 0 && (__builtin_mul_overflow(bytes, tensor->count, &bytes) || bytes != tensor->end - tensor->begin))
    return error_set(error, SETOSA_ERROR_DATA, "%s: tensor \"%.60s\": %llu bytes do not fit its shape and dtype %.12s; write it again",
                     path, name, (unsigned long long)(tensor->end - tensor->begin), tensor->type_name);
  return SETOSA_OK;
}

static int by_offset(const void *a, const void *b) {
  const Tensor *left = a, *right = b;
  if (left->begin != right->begin) return left->begin < right->begin ? -1 : 1;
  return (left->end > right->end) - (left->end < right->end);
}

/* Every byte of the data belongs to exactly one tensor, so that nothing can hide in the file. */
static Status check_layout(SafetensorsFile *file, Error *error) {
  uint64_t covered = 0;
  if (file->tensor_count > 0) qsort(file->tensors, file->tensor_count, sizeof *file->tensors, by_offset);
  for (size_t i = 0; i < file->tensor_count; i++) {
    const Tensor *tensor = &file->tensors[i];
    if (tensor->begin != covered)
      return error_set(error, SETOSA_ERROR_DATA, "%s: tensor \"%.60s\" begins at byte %llu of the data and %s; write it again", file->path,
                       tensor->name, (unsigned long long)tensor->begin,
                       tensor->begin < covered ? "overlaps the one before it" : "leaves a hole before it");
    covered = tensor->end;
  }
  if (covered != file->data_bytes)
    return error_set(error, SETOSA_ERROR_DATA, "%s: %llu bytes follow the last tensor; write it again", file->path,
                     (unsigned long long)(file->data_bytes - covered));
  return SETOSA_OK;
}

Status safetensors_open(SafetensorsFile **file, const char *path, Error *error) {
  FILE *stream = fopen(path, "rb");
  *file = NULL;
  if (stream == NULL)
    return error_set(error, file_failure(errno, SETOSA_ERROR_DATA), "%s: cannot open: %s; %s", path, strerror(errno),
                     file_remedy(errno, "check the path"));
  return safetensors_open_stream(file, stream, path, error);
}

Status safetensors_open_stream(SafetensorsFile **file, FILE *stream, const char *path, Error *error) {
  Status status = SETOSA_OK;
  SafetensorsFile *opened = NULL;
  const char *key = NULL;
  json_t *value = NULL;
  *file = NULL;
  status = memory_allocate_zero((void **)&opened, 1, sizeof *opened, "a safetensors file", error);
  if (status != SETOSA_OK) fclose(stream);
  TRY(status);
  opened->path = path;
  opened->stream = stream;
  TRY(read_header(opened, error));
  TRY(memory_allocate((void **)&opened->tensors, json_object_size(opened->header), sizeof *opened->tensors, "tensors", error));
  json_object_foreach(opened->header, key, value) {
    if (strcmp(key, "__metadata__") == 0)
      TRY(parse_metadata(opened, value, error));
    else
      TRY(parse_tensor(opened, key, value, &opened->tensors[opened->tensor_count++], error));
  }
  TRY(check_layout(opened, error));
  *file = opened;
  opened = NULL;
cleanup:
  safetensors_close(opened);
  return status;
}

void safetensors_close(SafetensorsFile *file) {
  if (file == NULL) return;
  if (file->stream != NULL) fclose(file->stream);
  json_decref(file->header);
  free(file->tensors);
  free(file->metadata);
  free(file);
}

const Tensor *safetensors_tensor(const SafetensorsFile *file, size_t i) { return i < file->tensor_count ? &file->tensors[i] : NULL; }

const Tensor *safetensors_find(const SafetensorsFile *file, const char *name) {
  for (size_t i = 0; i < file->tensor_count; i++)
    if (strcmp(file->tensors[i].name, name) == 0) return &file->tensors[i];
  return NULL;
}

const MetadataPair *safetensors_metadata(const SafetensorsFile *file, size_t i) {
  return i < file->metadata_count ? &file->metadata[i] : NULL;
}

static float load_f16(const unsigned char *bytes) {
  unsigned bits = (unsigned)load_bits(bytes, 2), exponent = bits >> 10 & 31, fraction = bits & 1023;
  float magnitude = exponent == 31  ? (fraction == 0 ? INFINITY : NAN)
                    : exponent == 0 ? ldexpf((float)fraction, -24)
                                    : ldexpf((float)(fraction | 1024), (int)exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

static double load_value(TensorType type, const unsigned char *bytes) {
  if (type == TENSOR_F64) return load_f64(bytes);
  return type == TENSOR_F32 ? load_f32(bytes) : load_f16(bytes);
}

/* A double past the range of f32 becomes an infinity, which the caller refuses. */
static float to_f32(double value) {
  return fabs(value) > 3.4028235677973362e38 ? INFINITY : (float)value; /* the largest f32 and half a last place */
}

Status safetensors_check_type(const SafetensorsFile *file, const Tensor *tensor, Error *error) {
  if (tensor->type != TENSOR_OTHER) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_DATA, "%s: tensor \"%.60s\" is %.12s; save it as F32, F64 or F16", file->path, tensor->name,
                   tensor->type_name);
}

/* Into one of two arrays: of floats, which must be finite, or of doubles, which may be anything. */
static Status read_values(SafetensorsFile *file, const Tensor *tensor, float *floats, double *doubles, Error *error) {
  unsigned char block[8 * 4096];
  assert((floats != NULL) != (doubles != NULL));
  Status status = safetensors_check_type(file, tensor, error);
  if (status != SETOSA_OK) return status;
  size_t width = type_bytes(tensor->type_name);
  if (fseeko(file->stream, (off_t)(file->data_begin + tensor->begin), SEEK_SET) != 0)
    return error_set(error, SETOSA_ERROR_DATA, "%s: cannot read tensor \"%.60s\": %s; check the file", file->path, tensor->name,
                     strerror(errno));
  for (unsigned long long done = 0; done < tensor->count;) {
    size_t part = tensor->count - done < 4096 ? (size_t)(tensor->count - done) : 4096;
    if (fread(block, width, part, file->stream) != part)
      return error_set(error, SETOSA_ERROR_DATA, "%s: cannot read tensor \"%.60s\": the file ends early; write it again", file->path,
                       tensor->name);
    for (size_t i = 0; i < part; i++) {
      double value = load_value(tensor->type, block + width * i);
      if (doubles != NULL) {
        doubles[done + i] = value;
        continue;
      }
      floats[done + i] = to_f32(value);
      if (!isfinite(floats[done + i]))
        return error_set(error, SETOSA_ERROR_DATA, "%s: tensor \"%.60s\": value %llu is not a finite f32 number; train the model again",
                         file->path, tensor->name, done + i);
    }
    done += part;
  }
  return SETOSA_OK;
}

Status safetensors_read(SafetensorsFile *file, const Tensor *tensor, float *values, Error *error) {
  return read_values(file, tensor, values, NULL, error);
}

Status safetensors_read_doubles(SafetensorsFile *file, const Tensor *tensor, double *values, Error *error) {
  return read_values(file, tensor, NULL, values, error);
}
