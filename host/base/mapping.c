/* mmap and madvise. */
#include "base/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"

Status mapping_open(Mapping *mapping, int descriptor, size_t bytes, const char *path, Error *error) {
  *mapping = (Mapping){0};
  void *at = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (at == MAP_FAILED)
    return error_set(error, file_failure(errno, SETOSA_ERROR_DATA), "%s: cannot map %.1f MB into memory: %s; %s", path, (double)bytes / 1e6,
                     strerror(errno), file_remedy(errno, "copy it to a disk of this machine"));
  int kept = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
  *mapping = (Mapping){.at = at, .bytes = bytes, .descriptor = kept};
  mapping->watched = kept >= 0 && file_identify(&mapping->then, kept);
  if (kept >= 0 && !mapping->watched) close(kept);
  return SETOSA_OK;
}

void mapping_close(Mapping *mapping) {
  if (mapping->at != NULL) munmap((void *)(uintptr_t)mapping->at, mapping->bytes);
  if (mapping->watched) close(mapping->descriptor);
  *mapping = (Mapping){0};
}

bool mapping_is_changed(const Mapping *mapping) {
  FileIdentity now;
  if (!mapping->watched || !file_identify(&now, mapping->descriptor)) return false;
  /* Not changed_ns: a new name or another owner changes no row. */
  return now.bytes != mapping->then.bytes || now.modified_ns != mapping->then.modified_ns;
}

bool mapping_holds(const Mapping *mapping, const void *address) {
  uintptr_t at = (uintptr_t)address, begin = (uintptr_t)mapping->at;
  return mapping->at != NULL && at >= begin && at - begin < mapping->bytes;
}

void mapping_expect_pass(const Mapping *mapping, bool begins) {
  if (mapping->at != NULL) madvise((void *)(uintptr_t)mapping->at, mapping->bytes, begins ? MADV_SEQUENTIAL : MADV_NORMAL);
}

void mapping_let_go(const Mapping *mapping, size_t offset, size_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), end = offset + bytes, begin = (offset + page - 1) / page * page;
  if (end < mapping->bytes) end = end / page * page; /* the last page of the file goes, too */
  if (mapping->at != NULL && begin < end) madvise((void *)(uintptr_t)(mapping->at + begin), end - begin, MADV_DONTNEED);
}
