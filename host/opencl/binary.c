/* The cache of built programs, <cache>/kernels/<hash>.bin: a hint that is verified, never trusted, and never needed. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cache_folder.h"
#include "base/hash.h"
#include "base/memory.h"
#include "opencl/internal.h"

enum { BINARY_FORMAT = 1, BINARY_LIMIT_BYTES = 1 << 28 };

typedef struct BinaryHeader {
  char magic[8]; /* "SETOSAKB" */
  uint32_t format, reserved;
  uint64_t payload_bytes;
  char payload_hash[HASH_HEX_SIZE + 7]; /* of the payload, hexadecimal, zero-padded */
} BinaryHeader;

static const char magic[8] = {'S', 'E', 'T', 'O', 'S', 'A', 'K', 'B'};

static bool header_make(BinaryHeader *header, const void *payload, size_t bytes) {
  Hash *hash = NULL;
  *header = (BinaryHeader){.format = BINARY_FORMAT, .payload_bytes = bytes};
  if (hash_create(&hash, NULL) != SETOSA_OK) return false;
  memcpy(header->magic, magic, sizeof magic);
  hash_add(hash, payload, bytes);
  hash_hex(hash, header->payload_hash);
  hash_destroy(hash);
  return true;
}

bool binary_path(char *path, size_t size, const Context *context, const char *text, const char *options) {
  char folder[PATH_MAX], hex[HASH_HEX_SIZE];
  Hash *hash = NULL;
  const SetosaDeviceInfo *info = &context->device.info;
  const char *parts[] = {text,          options,      info->platform, info->platform_version, context_kind(context),
                         info->version, info->driver, SETOSA_VERSION};
  if (cache_folder_find(folder, sizeof folder, "kernels", NULL) != SETOSA_OK || hash_create(&hash, NULL) != SETOSA_OK) return false;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) hash_add_text(hash, parts[i]);
  hash_hex(hash, hex);
  hash_destroy(hash);
  int length = snprintf(path, size, "%s/%s.bin", folder, hex);
  return length > 0 && (size_t)length < size;
}

cl_program binary_load(const Context *context, const char *path, const char *options) {
  unsigned char *file = NULL;
  size_t length = 0;
  cl_program program = NULL;
  BinaryHeader expected, found;
  cl_int code = CL_SUCCESS, accepted = CL_SUCCESS;
  if (cache_file_read(&file, &length, path, BINARY_LIMIT_BYTES, NULL) != SETOSA_OK || length <= sizeof found) goto cleanup;
  const unsigned char *payload = file + sizeof found;
  size_t bytes = length - sizeof found;
  memcpy(&found, file, sizeof found);
  if (!header_make(&expected, payload, bytes) || memcmp(&expected, &found, sizeof found) != 0) goto cleanup;
  program = clCreateProgramWithBinary(context->handle, 1, &context->device.id, &bytes, &payload, &accepted, &code);
  if (code == CL_SUCCESS && accepted == CL_SUCCESS) code = clBuildProgram(program, 1, &context->device.id, options, NULL, NULL);
  if (program != NULL && (code != CL_SUCCESS || accepted != CL_SUCCESS)) {
    clReleaseProgram(program);
    program = NULL;
  }
cleanup:
  free(file);
  return program;
}

void binary_save(const char *path, cl_program program) {
  size_t bytes = 0;
  unsigned char *payload = NULL;
  AtomicFile file = {0};
  BinaryHeader header;
  if (clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof bytes, &bytes, NULL) != CL_SUCCESS || bytes == 0) return;
  if (memory_allocate((void **)&payload, bytes, 1, "a program's binary", NULL) != SETOSA_OK) return;
  if (clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof payload, &payload, NULL) == CL_SUCCESS &&
      header_make(&header, payload, bytes) && cache_file_begin(&file, path, NULL) == SETOSA_OK) {
    if (fwrite(&header, sizeof header, 1, file.stream) == 1 && fwrite(payload, 1, bytes, file.stream) == bytes)
      atomic_file_commit(&file, NULL);
  }
  atomic_file_abandon(&file);
  free(payload);
}
