/* mmap and madvise. */
#include "base/mapping.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"

static Status cannot_map(const char *path, size_t bytes, Error *error) {
  int code = errno;
  return error_set(error, file_failure(code, SETOSA_ERROR_DATA), "%s: cannot map %.1f MB into memory: %s; %s", path, (double)bytes / 1e6,
                   strerror(code), file_remedy(code, "copy it to a disk of this machine"));
}

Status mapping_open(Mapping *mapping, int descriptor, size_t bytes, const char *path, Error *error) {
  *mapping = (Mapping){0};
  void *at = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (at == MAP_FAILED) return cannot_map(path, bytes, error);
  int kept = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
  *mapping = (Mapping){.at = at, .bytes = bytes, .descriptor = kept};
  mapping->watched = kept >= 0 && file_identify(&mapping->then, kept);
  if (kept >= 0 && !mapping->watched) close(kept);
  return SETOSA_OK;
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* Over what was reserved at `at`. Parts that lie side by side in the file, too, are one. */
static bool put_run(unsigned char *at, const MappingRun *run, int descriptor) {
  size_t part = run->stride == run->part_bytes ? run->bytes : run->part_bytes, offset = run->offset;
  for (size_t done = 0; done < run->bytes; done += part, offset += run->stride)
    if (mmap(at + done, smaller(part, run->bytes - done), PROT_READ, MAP_PRIVATE | MAP_FIXED, descriptor, (off_t)offset) == MAP_FAILED)
      return false;
  return true;
}

Status mapping_join(const void **out, Mapping *mapping, const MappingRun *runs, size_t count, int descriptor, const char *path,
                    Error *error) {
  size_t bytes = 0, done = 0;
  assert(mapping->joined_count < MAPPING_JOINED);
  for (size_t i = 0; i < count; i++) bytes += runs[i].bytes;
  unsigned char *at = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return cannot_map(path, bytes, error);
  for (size_t i = 0; i < count; i++) {
    if (!put_run(at + done, &runs[i], descriptor)) {
      Status status = cannot_map(path, bytes, error);
      munmap(at, bytes);
      return status;
    }
    done += runs[i].bytes;
  }
  mapping->joined[mapping->joined_count++] = (MappedBytes){at, bytes};
  *out = at;
  return SETOSA_OK;
}

/* The file, and then what was joined of it. */
static MappedBytes region(const Mapping *mapping, size_t i) {
  return i == 0 ? (MappedBytes){mapping->at, mapping->bytes} : mapping->joined[i - 1];
}

static size_t count_regions(const Mapping *mapping) { return mapping->at != NULL ? 1 + mapping->joined_count : 0; }

void mapping_close(Mapping *mapping) {
  for (size_t i = 0; i < count_regions(mapping); i++) munmap((void *)(uintptr_t)region(mapping, i).at, region(mapping, i).bytes);
  if (mapping->watched) close(mapping->descriptor);
  *mapping = (Mapping){0};
}

bool mapping_is_changed(const Mapping *mapping) {
  FileIdentity now;
  if (!mapping->watched || !file_identify(&now, mapping->descriptor)) return false;
  /* Not changed_ns: a new name or another owner changes no row. */
  return now.bytes != mapping->then.bytes || now.modified_ns != mapping->then.modified_ns;
}

static bool find_region(MappedBytes *found, const Mapping *mapping, const void *address) {
  for (size_t i = 0; i < count_regions(mapping); i++) {
    *found = region(mapping, i);
    if ((uintptr_t)address >= (uintptr_t)found->at && (uintptr_t)address - (uintptr_t)found->at < found->bytes) return true;
  }
  return false;
}

bool mapping_holds(const Mapping *mapping, const void *address) {
  MappedBytes found;
  return find_region(&found, mapping, address);
}

void mapping_expect_pass(const Mapping *mapping, bool begins) {
  for (size_t i = 0; i < count_regions(mapping); i++)
    madvise((void *)(uintptr_t)region(mapping, i).at, region(mapping, i).bytes, begins ? MADV_SEQUENTIAL : MADV_NORMAL);
}

void mapping_let_go(const Mapping *mapping, const void *address, size_t bytes) {
  MappedBytes found;
  if (!find_region(&found, mapping, address)) return;
  size_t page = (size_t)sysconf(_SC_PAGESIZE), offset = (size_t)((uintptr_t)address - (uintptr_t)found.at);
  size_t end = smaller(offset + bytes, found.bytes), begin = (offset + page - 1) / page * page;
  if (end < found.bytes) end = end / page * page; /* the last page goes, too */
  if (begin < end) madvise((void *)(uintptr_t)(found.at + begin), end - begin, MADV_DONTNEED);
}
