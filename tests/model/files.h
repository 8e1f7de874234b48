/* Small files for the tests of model files: a private folder, whole reads and writes. */
#ifndef TESTS_MODEL_FILES_H
#define TESTS_MODEL_FILES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/support.h"

static char test_folder[] = "/tmp/setosa-model-XXXXXX";
static char test_path[64]; /* the one file that a test writes */

static int create_test_folder(void **state) {
  (void)state;
  if (mkdtemp(test_folder) == NULL) return -1;
  snprintf(test_path, sizeof test_path, "%s/m.safetensors", test_folder);
  return 0;
}

static int remove_test_folder(void **state) {
  (void)state;
  unlink(test_path);
  return rmdir(test_folder); /* fails when a temporary file was left behind */
}

static inline void write_bytes(const void *bytes, size_t length) {
  FILE *stream = fopen(test_path, "wb");
  assert_non_null(stream);
  assert_int_equal(fwrite(bytes, 1, length, stream), length);
  assert_int_equal(fclose(stream), 0);
}

/* *length bytes of the file; free() them. */
static inline unsigned char *read_bytes(size_t *length) {
  FILE *stream = fopen(test_path, "rb");
  assert_non_null(stream);
  unsigned char *bytes = malloc(1 << 20);
  *length = fread(bytes, 1, 1 << 20, stream);
  fclose(stream);
  return bytes;
}

/* A safetensors file of this header and data_bytes bytes 00 00 00 3f: finite numbers as f16, f32 (0.5) and f64. */
static inline void write_tensors(const char *header, size_t data_bytes) {
  size_t header_bytes = strlen(header);
  unsigned char *bytes = calloc(8 + header_bytes + data_bytes, 1);
  for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)((uint64_t)header_bytes >> 8 * i);
  memcpy(bytes + 8, header, header_bytes);
  for (size_t i = 0; i < data_bytes; i++) bytes[8 + header_bytes + i] = i % 4 == 3 ? 0x3f : 0;
  write_bytes(bytes, 8 + header_bytes + data_bytes);
  free(bytes);
}

#endif
