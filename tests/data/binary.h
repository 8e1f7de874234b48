/* IDX and NPY files put together byte by byte. Shared by the tests of the binary readers. */
#ifndef SETOSA_TESTS_DATA_BINARY_H
#define SETOSA_TESTS_DATA_BINARY_H

#include "data/expect.h"

typedef struct Bytes {
  unsigned char at[4096];
  size_t length;
} Bytes;

static inline void put(Bytes *bytes, const void *from, size_t length) {
  assert_true(bytes->length + length <= sizeof bytes->at);
  memcpy(bytes->at + bytes->length, from, length);
  bytes->length += length;
}

/* `size` bytes of bits in either order. */
static inline void put_bits(Bytes *bytes, uint64_t bits, size_t size, bool big_endian) {
  for (size_t i = 0; i < size; i++) {
    unsigned char byte = (unsigned char)(bits >> (8 * (big_endian ? size - 1 - i : i)));
    put(bytes, &byte, 1);
  }
}

static inline void put_float(Bytes *bytes, double value, size_t size, bool big_endian) {
  uint64_t bits = 0;
  float single = (float)value;
  uint32_t single_bits;
  memcpy(&single_bits, &single, 4);
  if (size == 8) memcpy(&bits, &value, 8);
  if (size == 4) bits = single_bits;
  if (size == 2 && single_bits << 1 != 0) /* normal halves only, which the tests keep to */
    bits = (single_bits >> 16 & 0x8000u) | ((single_bits >> 23 & 255u) - 112) << 10 | (single_bits >> 13 & 1023u);
  put_bits(bytes, bits, size, big_endian);
}

static inline Bytes idx_header(unsigned char type, size_t dimensions, const uint32_t *sizes) {
  Bytes bytes = {.length = 0};
  const unsigned char magic[4] = {0, 0, type, (unsigned char)dimensions};
  put(&bytes, magic, 4);
  for (size_t i = 0; i < dimensions; i++) put_bits(&bytes, sizes[i], 4, true);
  return bytes;
}

static inline Bytes npy_header(int version, const char *dictionary) {
  Bytes bytes = {.length = 0};
  const unsigned char magic[8] = {0x93, 'N', 'U', 'M', 'P', 'Y', (unsigned char)version, 0};
  put(&bytes, magic, 8);
  put_bits(&bytes, strlen(dictionary), version == 1 ? 2 : 4, false);
  put(&bytes, dictionary, strlen(dictionary));
  return bytes;
}

static inline void write_bytes(const char *name, const Bytes *bytes) {
  char path[SUPPORT_PATH];
  support_path(path, test_folder, name);
  if (strlen(name) > 3 && strcmp(name + strlen(name) - 3, ".gz") == 0)
    write_gzip(path, bytes->at, bytes->length);
  else
    support_write(path, bytes->at, bytes->length);
}

static inline SetosaDataset *load_file(const char *name, const char *options) {
  char path[SUPPORT_PATH], all[2 * SUPPORT_PATH], labels[SUPPORT_PATH];
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  support_path(path, test_folder, name);
  const char *named = strstr(options, "labels=");
  if (named != NULL) { /* the labels file lies in the same folder */
    support_path(labels, test_folder, named + strlen("labels="));
    snprintf(all, sizeof all, "%.*slabels=%s", (int)(named - options), options, labels);
  } else {
    snprintf(all, sizeof all, "%s", options);
  }
  support_ok(test_load(&dataset, path, all, &error), &error);
  return dataset;
}

static inline void remove_file(const char *name) {
  char path[SUPPORT_PATH];
  support_path(path, test_folder, name);
  assert_int_equal(remove(path), 0);
}

#endif
