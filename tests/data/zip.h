/* Archives of NumPy arrays, put together byte by byte. Shared by the tests of archives. */
#ifndef SETOSA_TESTS_DATA_ZIP_H
#define SETOSA_TESTS_DATA_ZIP_H

#include "data/binary.h"

enum { MEMBERS = 12, ZIP_BYTES = 1 << 16 };

typedef struct Zip {
  unsigned char at[ZIP_BYTES];
  size_t length;
  struct {
    char name[32];
    size_t offset, packed, bytes;
    uint32_t checksum;
    bool deflated;
  } members[MEMBERS];
  size_t count;
  bool zip64;        /* sizes and offsets stand in fields of their own, as they do above 4 GB */
  int method, flags; /* as every member claims; 0: as it is */
} Zip;

static inline void zip_bits(Zip *zip, uint64_t bits, size_t size) {
  assert_true(zip->length + size <= sizeof zip->at);
  for (size_t i = 0; i < size; i++) zip->at[zip->length++] = (unsigned char)(i < 8 ? bits >> (8 * i) : 0);
}

static inline void zip_bytes(Zip *zip, const void *bytes, size_t length) {
  assert_true(zip->length + length <= sizeof zip->at);
  memcpy(zip->at + zip->length, bytes, length);
  zip->length += length;
}

/* From the version on: what the header before a member and that in the table of contents have in common. */
static inline void zip_header(Zip *zip, size_t m) {
  const char *name = zip->members[m].name;
  zip_bits(zip, 45, 2);
  zip_bits(zip, (uint64_t)zip->flags, 2);
  zip_bits(zip, zip->method != 0 ? (uint64_t)zip->method : zip->members[m].deflated ? 8 : 0, 2);
  zip_bits(zip, 0, 4);
  zip_bits(zip, zip->members[m].checksum, 4);
  zip_bits(zip, zip->zip64 ? UINT32_MAX : zip->members[m].packed, 4);
  zip_bits(zip, zip->zip64 ? UINT32_MAX : zip->members[m].bytes, 4);
  zip_bits(zip, strlen(name), 2);
}

static inline void zip_add(Zip *zip, const char *name, const Bytes *bytes, bool deflated) {
  static unsigned char packed[2 * sizeof bytes->at];
  size_t m = zip->count++;
  z_stream stream = {0};
  assert_true(m < MEMBERS);
  snprintf(zip->members[m].name, sizeof zip->members[m].name, "%s", name);
  zip->members[m].offset = zip->length;
  zip->members[m].bytes = zip->members[m].packed = bytes->length;
  zip->members[m].deflated = deflated;
  zip->members[m].checksum = (uint32_t)crc32(0, bytes->at, (unsigned)bytes->length);
  if (deflated) {
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (unsigned char *)(uintptr_t)bytes->at;
    stream.avail_in = (unsigned)bytes->length;
    stream.next_out = packed;
    stream.avail_out = sizeof packed;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    zip->members[m].packed = stream.total_out;
    deflateEnd(&stream);
  }
  zip_bits(zip, 0x04034B50, 4);
  zip_header(zip, m);
  zip_bits(zip, zip->zip64 ? 20 : 0, 2);
  zip_bytes(zip, name, strlen(name));
  if (zip->zip64) {
    zip_bits(zip, 1 | 16 << 16, 4);
    zip_bits(zip, zip->members[m].bytes, 8);
    zip_bits(zip, zip->members[m].packed, 8);
  }
  zip_bytes(zip, deflated ? packed : bytes->at, zip->members[m].packed);
}

/* The table of contents, and where it begins. */
static inline void zip_finish(Zip *zip) {
  size_t begin = zip->length;
  for (size_t m = 0; m < zip->count; m++) {
    zip_bits(zip, 0x02014B50, 4);
    zip_bits(zip, 45, 2);
    zip_header(zip, m);
    zip_bits(zip, zip->zip64 ? 28 : 0, 2);
    zip_bits(zip, 0, 10);
    zip_bits(zip, zip->zip64 ? UINT32_MAX : zip->members[m].offset, 4);
    zip_bytes(zip, zip->members[m].name, strlen(zip->members[m].name));
    if (!zip->zip64) continue;
    zip_bits(zip, 1 | 24 << 16, 4);
    zip_bits(zip, zip->members[m].bytes, 8);
    zip_bits(zip, zip->members[m].packed, 8);
    zip_bits(zip, zip->members[m].offset, 8);
  }
  size_t end = zip->length;
  if (zip->zip64) {
    zip_bits(zip, 0x06064B50, 4);
    zip_bits(zip, 44, 8);
    zip_bits(zip, 45 | 45 << 16, 4);
    zip_bits(zip, 0, 8);
    zip_bits(zip, zip->count, 8);
    zip_bits(zip, zip->count, 8);
    zip_bits(zip, end - begin, 8);
    zip_bits(zip, begin, 8);
    zip_bits(zip, 0x07064B50, 4);
    zip_bits(zip, 0, 4);
    zip_bits(zip, end, 8);
    zip_bits(zip, 1, 4);
  }
  zip_bits(zip, 0x06054B50, 4);
  zip_bits(zip, 0, 4);
  zip_bits(zip, zip->zip64 ? UINT16_MAX : zip->count, 2);
  zip_bits(zip, zip->zip64 ? UINT16_MAX : zip->count, 2);
  zip_bits(zip, zip->zip64 ? UINT32_MAX : end - begin, 4);
  zip_bits(zip, zip->zip64 ? UINT32_MAX : begin, 4);
  zip_bits(zip, 0, 2);
}

static inline void zip_write(const char *name, Zip *zip) {
  char path[SUPPORT_PATH];
  zip_finish(zip);
  support_path(path, test_folder, name);
  support_write(path, zip->at, zip->length);
}

static inline Bytes array(const char *type, const char *shape, bool fortran, const void *data, size_t length) {
  char dictionary[128];
  snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': %s, 'shape': %s}", type, fortran ? "True" : "False", shape);
  Bytes bytes = npy_header(1, dictionary);
  put(&bytes, data, length);
  return bytes;
}

#endif
