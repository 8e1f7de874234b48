/* The safetensors file format (github.com/huggingface/safetensors): 8 bytes of little-endian header length, a JSON header, the tensors.
 * A reader that trusts nothing in the file, and a writer of f32 and f64 tensors. It knows nothing of models or checkpoints. */
#ifndef SETOSA_MODEL_SAFETENSORS_H
#define SETOSA_MODEL_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/hash.h"

typedef enum TensorType { TENSOR_OTHER, TENSOR_F16, TENSOR_F32, TENSOR_F64 } TensorType;

typedef struct Tensor {
  const char *name;      /* borrowed from the file */
  const char *type_name; /* "F32", ...; borrowed from the file */
  TensorType type;
  size_t dimensions, shape[2]; /* the first two sizes of the shape; 1 past its end */
  uint64_t count;              /* product of the whole shape */
  uint64_t begin, end;         /* bytes, from the end of the header */
} Tensor;

typedef struct MetadataPair {
  const char *key, *value;
} MetadataPair;

typedef struct SafetensorsFile SafetensorsFile;

/* Opens a file and checks its whole header: lengths, JSON, types, shapes, byte counts, offsets without hole or overlap, nothing after the
 * last tensor. SETOSA_ERROR_DATA "FILE: what is wrong; what to do". path is borrowed until close. */
Status safetensors_open(SafetensorsFile **file, const char *path, Error *error);
/* The same for a stream at its beginning, which close then closes; after a failure it is closed already. */
Status safetensors_open_stream(SafetensorsFile **file, FILE *stream, const char *path, Error *error);
void safetensors_close(SafetensorsFile *file);
/* The tensors in the order of their bytes; NULL past the last. Borrowed from the file. */
const Tensor *safetensors_tensor(const SafetensorsFile *file, size_t i);
/* NULL when there is none of that name. */
const Tensor *safetensors_find(const SafetensorsFile *file, const char *name);
/* The text pairs of "__metadata__" in file order, one behind the other in memory; NULL past the last. Borrowed from the file. */
const MetadataPair *safetensors_metadata(const SafetensorsFile *file, size_t i);
/* SETOSA_ERROR_DATA unless the tensor is F16, F32 or F64. */
Status safetensors_check_type(const SafetensorsFile *file, const Tensor *tensor, Error *error);
/* values (tensor->count): F16, F32 or F64 as f32. A value that is not finite as f32, or another type, is SETOSA_ERROR_DATA. */
Status safetensors_read(SafetensorsFile *file, const Tensor *tensor, float *values, Error *error);

/* values (tensor->count): F16, F32 or F64 as double, exactly, whatever they are; another type is SETOSA_ERROR_DATA. */
Status safetensors_read_doubles(SafetensorsFile *file, const Tensor *tensor, double *values, Error *error);

/* A tensor to be written as F32 or F64, from one of two arrays; doubles that are written as F32 are rounded. */
typedef struct TensorSource {
  const char *name;
  TensorType type;
  size_t dimensions, shape[2];
  const float *floats; /* or NULL */
  const double *doubles;
} TensorSource;

/* Writes metadata and tensors in the order given, atomically. The same input gives the same bytes. All texts must be UTF-8. */
Status safetensors_save(const char *path, const MetadataPair *metadata, size_t metadata_count, const TensorSource *tensors,
                        size_t tensor_count, Error *error);
/* The same into a stream, whose errors stay in it; path is for messages. hash, unless NULL, gets every byte. */
Status safetensors_write(FILE *stream, const char *path, const MetadataPair *metadata, size_t metadata_count, const TensorSource *tensors,
                         size_t tensor_count, Hash *hash, Error *error);

#endif
